"""Whether words of direction say what their numbers do: what falls falls, a range begins with its low end.

A statement is judged where its two numbers can be compared for sure: of one unit, or of units of one kind.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

SIZES = {
    "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12,
    "quadrillion": 1e15, "quintillion": 1e18,
}  # fmt: skip
UNIT_KINDS = [
    {"byte": 1.0, "KiB": 2.0**10, "MiB": 2.0**20, "GiB": 2.0**30, "TiB": 2.0**40},
    {"mg": 1e-6, "g": 1e-3, "kg": 1.0, "t": 1e3},
    {"Wh": 1.0, "kWh": 1e3, "MWh": 1e6, "GWh": 1e9},
    {"ms": 1e-3, "s": 1.0, "minute": 60.0, "h": 3600.0, "hour": 3600.0, "day": 86400.0, "year": 31557600.0},
]  # fmt: skip
_POWERS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")

_WORDS = "|".join(SIZES)
_MEASURES = "|".join(rf"{unit}s?" for units in UNIT_KINDS for unit in units)


def times(word: str | None, power: str | None) -> float:
    """Return what a number is multiplied by: a word for its size, or a power of ten in raised digits."""
    return SIZES.get(word or "", 1.0) * 10.0 ** int((power or "0").translate(_POWERS))


def _quantity(name: str) -> str:
    return (
        rf"(?P<{name}>(?P<{name}_value>(?<![\w.,])[+−-]?(?:\d{{1,3}}(?:,\d{{3}})+|\d+)(?:\.\d+)?)"
        rf"(?: × 10(?P<{name}_power>[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+))?(?: (?P<{name}_size>{_WORDS})\b)?(?P<{name}_share>%)?"
        rf"(?: (?P<{name}_unit>{_MEASURES})\b(?!/))?)(?![\w⁰¹²³⁴⁵⁶⁷⁸⁹])(?![.,]\d)"
    )


_A, _B = _quantity("a"), _quantity("b")
_NAMED = r"(?: \([^)]*\))?"  # a name in brackets after a number: 1.5 (Phi-2) to 3 (Phi-3)
_FALLS = r"(?:fall|drop|shrink|sink|decline|decrease)(?:s|ed|ing)?|fell|sank|shrank"
_GROWS = r"(?:grow|rise|increase|climb)(?:s|ed|ing)?|grew|rose"
_NEAR = r"(?: (?!from\b|to\b)[\w*%’'-]+){0,5}"
_MORE = (
    "more|larger|higher|longer|faster|better|greater|dearer|heavier|smaller|less|lower|shorter|slower|fewer|"
    "cheaper|worse"
)


def _size(found: re.Match[str]) -> tuple[float, float] | None:
    """Return the two quantities of a statement on one scale, or None where they have no common one."""
    a, b = found["a_unit"], found["b_unit"]
    if (found["a_share"] and not found["b_share"]) or (a and not b):
        return None
    first, second = _plain(found, "a", found["b_size"]), _plain(found, "b")
    if a and b:
        kind = next((one for one in UNIT_KINDS if _bare(a, one) and _bare(b, one)), None)
        if kind is None:
            return None
        first *= kind[str(_bare(a, kind))]
        second *= kind[str(_bare(b, kind))]
    return first, second


def _bare(unit: str, kind: dict[str, float]) -> str | None:
    return unit if unit in kind else unit[:-1] if unit[:-1] in kind else None


def _plain(found: re.Match[str], name: str, size: str | None = None) -> float:
    """Return a number of a statement; in "4.9 to 26 trillion" the word of size is that of both."""
    value = float(found[f"{name}_value"].replace(",", "").replace("−", "-"))
    power = found[f"{name}_power"]
    word = found[f"{name}_size"] or (size if not power else None)
    return value * times(word, power)


def _grows(found: re.Match[str]) -> bool:
    pair = _size(found)
    return pair is not None and pair[1] > pair[0]


def _falls(found: re.Match[str]) -> bool:
    pair = _size(found)
    return pair is not None and pair[1] < pair[0]


def _always(_: re.Match[str]) -> bool:
    return True


# Each kind: where it may be, and what makes it one.
DIRECTIONS: dict[str, tuple[str, Callable[[re.Match[str]], bool]]] = {
    "falls to more": (rf"\b(?:{_FALLS})\b{_NEAR} from {_A}{_NAMED} to {_B}", _grows),
    "grows to less": (rf"\b(?:{_GROWS})\b{_NEAR} from {_A}{_NAMED} to {_B}", _falls),
    "a range from its end": (
        r"(?:\b(?:runs?|ranges?|lies?|anywhere|is|are|takes?|costs?|between|holds?|of) (?:from )?|\()"
        rf"{_A}{_NAMED} (?:to|and) {_B}",
        lambda found: _falls(found) and (" and " not in found[0] or "between" in found[0]),
    ),
    "more by a factor below one": (rf"(?<![\d.,])0(?:\.\d+)? times (?:{_MORE})\b", _always),
    "more by a factor of one": (rf"(?<![\d.,])1(?:\.0+)? times (?:{_MORE})\b", _always),
    "more by a negative": (rf"(?<![\w.])[−-]\d[\d.,]*% (?:{_MORE})\b", _always),
    "more of them than there are": (
        rf"(?<![\d.,^/-]){_A} (?:out )?of (?:the )?{_B} (?!times|years|GiB|MiB|KiB|FLOP|Wh|kWh)[a-z]{{3,}}",
        lambda found: not (found["a_share"] or found["a_unit"] or found["b_size"]) and _falls(found),
    ),
    "at least more than at most": (
        rf"\bat least {_A}{_NEAR}(?:,? and| or|,) at most {_B}", _falls,
    ),
}  # fmt: skip
_DIRECTIONS = {kind: (re.compile(pattern), is_one) for kind, (pattern, is_one) in DIRECTIONS.items()}


def misdirected(text: str) -> Iterator[tuple[str, re.Match[str]]]:
    """Yield the statements of a text whose words contradict their numbers, each with its kind."""
    for kind, (pattern, is_one) in _DIRECTIONS.items():
        yield from ((kind, found) for found in pattern.finditer(text) if is_one(found))
