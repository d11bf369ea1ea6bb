"""Names in their usual spellings: what the spellings of a name share, and which name one of them means."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cohort.errors import UnknownNameError, unknown
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
        Parts of what was given that the name does not tell apart, such as ``Instruct`` and ``FP8``.
    note : str
        What else to know of the spelling; may be empty.
    """

    name: str
    left_out: tuple[str, ...] = ()
    note: str = ""

    @property
    def notice(self) -> str:
        """What a reader is told: what was left out, and the note; empty where the spelling says no more."""
        parts = [f"{', '.join(self.left_out)} left out"] if self.left_out else []
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
    text = plain(text)
    if len(text) > LONGEST_NAME or _STRANGE.search(text):
        return ""
    joined = ""
    for run in _RUNS.findall(text):
        joined += "-" + run if joined[-1:].isdigit() and run.isdigit() else run
    return joined


@dataclass(frozen=True, slots=True)
class Alias:
    """A row of the table `aliases`: a spelling that no rule derives, the name that it means, and a note."""

    spelling: str
    name: str
    note: str


def aliases(kind: str) -> list[Alias]:
    """Return the spellings that no rule derives.

    Parameters
    ----------
    kind : str
        What they name, as the table `aliases` has it: ``model``, ``accelerator``, ``grid`` or ``law``.

    Returns
    -------
    list of Alias
        In the order of the table.
    """
    return [
        Alias(row["alias"], row["name"], row["note"]) for row in facts.rows("aliases") if row["kind"] == kind
    ]


class Names:
    """The names of a kind, found by any of their spellings.

    Parameters
    ----------
    kind : str
        What they name, as it stands in a refusal.
    names : sequence of str
        The names; of several that a spelling may mean, an earlier one is proposed first.
    spellings : iterable of iterables of pairs
        Groups of further spellings, as pairs of a key and a name. What a group holds, no later group changes.
    remedy : str
        What a refusal says where no name is near.
    """

    def __init__(
        self,
        kind: str,
        names: Sequence[str],
        spellings: Iterable[Iterable[tuple[str, str]]] = (),
        remedy: str = "",
    ) -> None:
        self.kind, self.names, self.remedy = kind, tuple(names), remedy
        self._index: dict[str, tuple[str, ...]] = {}
        for group in ([(key(name), name) for name in names], *spellings):
            found: dict[str, dict[str, None]] = {}
            for spelling, name in group:
                found.setdefault(spelling, {})[name] = None
            for spelling, meant in found.items():
                self._index.setdefault(spelling, tuple(sorted(meant, key=self.names.index)))
        self._index.pop("", None)

    def meant(self, spelling: str) -> tuple[str, ...]:
        """Return the names that a key stands for, the usual one first; none if it is no key.

        Parameters
        ----------
        spelling : str
            As `key` returns it.

        Returns
        -------
        tuple of str
            Several where the spelling is ambiguous.
        """
        return self._index.get(spelling, ())

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

    def refusal(self, given: object, likely: Sequence[str] = ()) -> UnknownNameError:
        """Return the error for what names nothing, or too much.

        Parameters
        ----------
        given : object
            What was given.
        likely : sequence of str
            What it may mean.

        Returns
        -------
        UnknownNameError
            To be raised by the caller.
        """
        return unknown(self.kind, given, self.names, likely, self.remedy)
