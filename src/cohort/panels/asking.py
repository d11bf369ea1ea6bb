"""Panels by name: what each asks, and its answer to some values of its inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any

from cohort.errors import CohortError, one_of
from cohort.errors.arguments import explain
from cohort.panels.answers import Answer
from cohort.panels.inputs import Input, RefusedError, blamed, read_all

# In the order of the page; each is a module of this package.
NAMES = ("memory", "serving", "data", "experts", "footprint", "choose")


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel: its question, its inputs and what works out its answer.

    Attributes
    ----------
    name, title, question : str
        Its key, its heading, and what it answers.
    chapters : tuple of (tuple of str, str)
        For which values of the input `switch` a notebook asks the same, by its name; the first values are
        empty where there is no switch.
    switch : str
        The input that decides which chapter is meant; empty where there is one alone.
    searches : bool
        Whether an answer takes a search: the page then asks once a reader lets go, not at every move.
    inputs : tuple of Input
        What may be asked.
    work_out : callable
        From the values of the inputs, by name, to an `Answer`.
    """

    name: str
    title: str
    question: str
    chapters: tuple[tuple[tuple[str, ...], str], ...]
    inputs: tuple[Input, ...]
    work_out: Callable[[Mapping[str, Any]], Answer]
    switch: str = ""
    searches: bool = False

    def chapter(self, values: Mapping[str, Any]) -> str:
        """Return the name of the notebook that asks the same.

        Parameters
        ----------
        values : mapping
            The values of the inputs.

        Returns
        -------
        str
        """
        for among, chapter in self.chapters:
            if not self.switch or values[self.switch] in among:
                return chapter
        return self.chapters[0][1]


def panels() -> list[str]:
    """Return the names of the panels, in the order of the page."""
    return list(NAMES)


def panel(name: str) -> Panel:
    """Return a panel by name.

    Parameters
    ----------
    name : str
        One of `panels`.

    Returns
    -------
    Panel

    Raises
    ------
    UnknownNameError
        If there is no such panel; the message names all.

    Examples
    --------
    >>> panel("memory").inputs[0].name
    'model'
    """
    found: Panel = import_module(f"cohort.panels.{one_of('panel', name, NAMES)}").PANEL
    return found


def defaults(name: str) -> dict[str, Any]:
    """Return the defaults of a panel's inputs.

    Parameters
    ----------
    name : str
        One of `panels`.

    Returns
    -------
    dict
        By the name of the input.

    Raises
    ------
    UnknownNameError
        If there is no such panel.

    Examples
    --------
    >>> defaults("memory")["context"]
    32768
    """
    return {each.name: each.default for each in panel(name).inputs}


def ask(name: str, /, **given: object) -> Answer:
    """Return what a panel says to some values of its inputs.

    Parameters
    ----------
    name : str
        One of `panels`.
    **given
        Values of inputs, as numbers or as a reader types them; the others have their defaults.

    Returns
    -------
    Answer

    Raises
    ------
    UnknownNameError
        If there is no such panel or input; the message names the nearest.
    RefusedError
        If a value cannot be answered: a sentence for each field.

    Examples
    --------
    >>> ask("memory", model="llama-3-8b", context=8192).sentences[0]
    'Llama 3 8B with 1 sequence of 8,192 tokens fits on 1 H100 SXM 80GB, with 52.7 GiB to spare.'
    """
    asked = panel(name)
    values = read_all(asked.inputs, given)
    try:
        return replace(asked.work_out(values), values=values)
    except RefusedError:
        raise
    except CohortError as error:
        raise blamed(error, asked.inputs) from None


explain(__name__)
