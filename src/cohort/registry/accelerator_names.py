"""Names of accelerators as makers, tools and people spell them: form, memory and brand may be left out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import combinations, takewhile

from cohort.errors.arguments import explain
from cohort.registry import facts
from cohort.registry.names import Names, aliases, key, plain

# Words beside which the rest tells an accelerator from all others; the makers come from the table.
_BRANDS = frozenset(
    {"rtx", "geforce", "tesla", "quadro", "instinct", "tpu", "gpu", "tensor", "core", "amazon"}
    | {"radeon", "rx", "arc", "jetson", "graphics"}
)
_FORM = re.compile(r"sxm|pcie|nvl|oam|\d+gb|hbm\d\w?")
_MEMORY = re.compile(r"(\d+)gb")


def _words(text: str) -> list[str]:
    """Return the words of a name: 80 GB, 80GiB and 80G are one, and so are the generations of a slot."""
    text = re.sub(r"\((?:r|tm)\)", " ", plain(text))  # the signs of a trade mark, as drivers have them
    text = re.sub(r"\bpci[- ]?e(?:xpress)?\d?\b|\bpci express\b", "pcie", text)
    text = re.sub(r"\b(\d+)[-\s]*g(?:i?b)?\b", r"\1gb", re.sub(r"\bsxm\d\b", "sxm", text))
    return re.findall(r"[^\W_]+", text)


class _Device:
    """An accelerator's words: those that a spelling must have, and those that it may leave out."""

    def __init__(self, row: dict[str, str], brands: frozenset[str]) -> None:
        self.name, self.memory = row["name"], row["memory_gb"]
        words = _words(self.name)
        self.brand = list(takewhile(brands.__contains__, words))
        self.words = [word for word in words if word not in brands]
        outside = set(_words(re.sub(r"\(.*?\)", "", self.name)))
        self.optional = [word for word in self.words if word not in outside or _FORM.fullmatch(word)]

    def spellings(self) -> Iterator[str]:
        """Yield all spellings: words in their order, with and without the brand, and sorted."""
        for count in range(len(self.optional) + 1):
            for dropped in combinations(self.optional, count):
                kept = [word for word in self.words if word not in dropped]
                yield from (" ".join([*self.brand, *kept]), " ".join(kept), " ".join(sorted(set(kept))))


def _strength(row: dict[str, str]) -> tuple[float, ...]:
    columns = ("bf16_dense_tflops", "fp16_dense_tflops", "memory_gb", "memory_bandwidth_gb_s")
    return tuple(-float(row[column] or 0) for column in columns)


@lru_cache(maxsize=2)
def _read(stamp: tuple[int, ...]) -> tuple[Names, dict[str, str], frozenset[str]]:
    """Return the names, the memory of each in GB, and the words that tell nothing apart.

    The strongest comes first, so that of several forms the one that most are: SXM of the largest memory.
    """
    rows = sorted(facts.rows("accelerators"), key=_strength)
    brands = _BRANDS | {word for row in rows for word in _words(row["vendor"])}
    devices = [_Device(row, brands) for row in rows]
    derived = [(spelling, each.name) for each in devices for spelling in each.spellings()]
    others = aliases("accelerator")
    others += [
        (" ".join(word for word in _words(alias) if word not in brands), name) for alias, name in others
    ]
    names = Names("accelerator", [each.name for each in devices], derived, others)
    return names, {each.name: each.memory for each in devices}, brands


@lru_cache(maxsize=256)
def find_accelerator(given: str, stamp: tuple[int, ...]) -> str:
    """Return the accelerator that a name means.

    Parameters
    ----------
    given : str
        A name in any usual spelling: case, order, separators and the maker do not matter, and form and memory
        may be left out where one accelerator is left.
    stamp : tuple of int
        When the tables that hold names were last written; what was read of them is kept until then.

    Returns
    -------
    str
        Its name in the table.

    Raises
    ------
    UnknownNameError
        If it means none, or several; the message names the nearest, or those, the strongest first.
    """
    if given in (row["name"] for row in facts.rows("accelerators")):
        return given
    names, memory, brands = _read(stamp)
    words = [word for word in _words(given) if word not in brands]
    bare = [word for word in words if not word.startswith("hbm")]
    found = names.meant(key(given)) or _meant(names, words) or _meant(names, bare)
    if not found and (sizes := [size[1] for word in bare if (size := _MEMORY.fullmatch(word))]):
        rest = [word for word in bare if not _MEMORY.fullmatch(word)]
        found = tuple(name for name in _meant(names, rest) if [memory[name]] == sizes)
    if len(found) != 1:
        raise names.refusal(given, found)
    return found[0]


def _meant(names: Names, words: list[str]) -> tuple[str, ...]:
    """Return the names that words stand for, in the order given or in any other."""
    return names.meant(key(" ".join(words))) or names.meant(key(" ".join(sorted(set(words)))))


explain(__name__)
