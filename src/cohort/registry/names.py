"""Names in their usual spellings: what the spellings of a name share, and which name one of them means."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from cohort.errors import UnknownNameError, nearest, unknown
from cohort.errors.arguments import explain
from cohort.registry import facts

LONGEST_NAME = 200  # characters; what is longer names nothing
_RUNS = re.compile(r"[^\W\d_]+|\d+")
_STRANGE = re.compile(r"[^\w\s./:()+,|&-]")  # characters that no spelling of a name has


@dataclass(frozen=True, slots=True)
class Match:
    """Which name a spelling means.

    Attributes
    ----------
    name : str
        The name itself.
    left_out : tuple of str
        Parts of what was given that the name itself has not, such as ``Instruct`` and ``FP8``.
    note : str
        What else to know of the spelling; may be empty.
    """

    name: str
    left_out: tuple[str, ...] = ()
    note: str = ""

    @property
    def notice(self) -> str:
        """What a reader is told: what was left out, and the note; empty where the spelling says no more."""
        parts = [f"left out of the name: {', '.join(self.left_out)}"] if self.left_out else []
        return "; ".join([*parts, *([self.note] if self.note else [])])


def plain(text: str) -> str:
    """Return a text in one form of Unicode: small letters, one kind of hyphen, ``plus`` for the sign.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    str
        Without spaces around it.

    Examples
    --------
    >>> plain(" Command R+")
    'command r plus'
    """
    text = unicodedata.normalize("NFKC", text).casefold().replace("×", "x").replace("+", " plus ")
    return re.sub("[\u2010-\u2015\u2212]", "-", text).strip()


def key(text: str) -> str:
    """Return what all spellings of a name share: its letters and digits, with numbers kept apart.

    A separator between two digits counts, so that ``gemma-2-7b`` is not ``gemma-27b``; any other is dropped.

    Parameters
    ----------
    text : str
        A spelling.

    Returns
    -------
    str
        Empty where it has no letter and no digit, or a character that names do not have.

    Examples
    --------
    >>> key("Llama-3.1-8B"), key("llama3.1 8b"), key("llama-31-8b")
    ('llama3-1-8b', 'llama3-1-8b', 'llama31-8b')
    """
    return _kept_key(text) if isinstance(text, str) and len(text) <= LONGEST_NAME else _key(text)


def _key(text: str) -> str:
    text = plain(text)
    if len(text) > LONGEST_NAME or _STRANGE.search(text):
        return ""
    joined = ""
    for run in _RUNS.findall(text):
        joined += "-" + run if joined[-1:].isdigit() and run.isdigit() else run
    return joined


_kept_key = lru_cache(maxsize=4096)(_key)  # the names of a list are asked for again with each look-up


def aliases(kind: str) -> list[tuple[str, str]]:
    """Return the spellings that no rule derives, as the table `aliases` has them.

    Parameters
    ----------
    kind : str
        What they name: ``model``, ``accelerator``, ``grid`` or ``law``.

    Returns
    -------
    list of pairs of str
        A spelling and the name that it means.

    Examples
    --------
    >>> aliases("law")[0]
    ('Chinchilla', 'hoffmann')
    """
    return [(row["alias"], row["name"]) for row in facts.rows("aliases") if row["kind"] == kind]


class Names:
    """The names of a kind, found by any of their spellings.

    Parameters
    ----------
    kind : str
        What they name, as it stands in a refusal.
    names : sequence of str
        The names; of several that a spelling may mean, an earlier one is proposed first.
    *spellings : iterable of pairs of str
        Further spellings, each with its name, in groups. What a group holds, no later group changes.
    spell : callable
        What a spelling is looked up by.
    remedy : str
        What a refusal says where no name is near.
    """

    def __init__(
        self,
        kind: str,
        names: Sequence[str],
        *spellings: Iterable[tuple[str, str]],
        spell: Callable[[str], str] = key,
        remedy: str = "",
    ) -> None:
        self.kind, self.names, self.remedy = kind, tuple(names), remedy
        self._spellings: dict[str, str] = {}
        self._index: dict[str, tuple[str, ...]] = {"": ()}
        for group in ([(name, name) for name in names], *spellings):
            meant: dict[str, set[str]] = {}
            for spelling, name in group:
                self._spellings.setdefault(spelling, name)
                meant.setdefault(spell(spelling), set()).add(name)
            for looked_up, found in meant.items():
                self._index.setdefault(looked_up, tuple(sorted(found, key=self.names.index)))

    def meant(self, looked_up: str) -> tuple[str, ...]:
        """Return the names that a key stands for, the usual one first; none if it is no key.

        Parameters
        ----------
        looked_up : str
            What `spell` makes of a spelling.

        Returns
        -------
        tuple of str
            Several where the spelling is ambiguous.
        """
        return self._index.get(looked_up, ())

    def find(self, given: object) -> str:
        """Return the name that a spelling means.

        Parameters
        ----------
        given : object
            What was given; only text can be a spelling.

        Returns
        -------
        str
            The name.

        Raises
        ------
        UnknownNameError
            If it means none, or several; the message names the nearest, or those.
        """
        found = self.meant(key(given)) if isinstance(given, str) else ()
        if len(found) != 1:
            raise self.refusal(given, found)
        return found[0]

    def refusal(self, given: object, likely: Sequence[str] = (), part: str | None = None) -> UnknownNameError:
        """Return the error for what names nothing, or too much.

        Parameters
        ----------
        given : object
            What was given.
        likely : sequence of str
            What it may mean; by default the names that are spelt most like it.
        part : str, optional
            The part of what was given that spells the name.

        Returns
        -------
        UnknownNameError
            To be raised by the caller.
        """
        if not likely and isinstance(given, str):
            near = nearest(plain(part or given), self._spellings, 12)
            likely = list(dict.fromkeys(self._spellings[spelling] for spelling in near))[:3]
        return unknown(self.kind, given, self.names, likely, self.remedy)


explain(__name__)
