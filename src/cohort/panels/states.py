"""A state of a panel as a link, as a command and as Python; each leaves out what has its default."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

from cohort.errors import ParameterError, shown
from cohort.errors.arguments import explain
from cohort.panels.asking import Panel, panel
from cohort.panels.inputs import Input

CONFIG = "config.json"  # what a pasted config is called in commands


def changed(asked: Panel, values: Mapping[str, Any]) -> list[tuple[Input, Any]]:
    """Return the inputs that differ from their defaults and matter.

    Parameters
    ----------
    asked : Panel
        The panel.
    values : mapping
        The values of its inputs.

    Returns
    -------
    list of (Input, object)
    """
    return [
        (each, values[each.name])
        for each in asked.inputs
        if values[each.name] != each.default and each.matters(values)
    ]


def fragment(name: str, values: Mapping[str, Any]) -> str:
    """Return a state as the last part of an address, without its ``#``.

    Parameters
    ----------
    name : str
        The name of the panel.
    values : mapping
        The values of its inputs.

    Returns
    -------
    str
        The name, and what differs from the defaults.

    Examples
    --------
    >>> from cohort.panels import defaults
    >>> fragment("memory", {**defaults("memory"), "context": 8192})
    'memory?context=8192'
    """
    found = [(each.name, each.written(value)) for each, value in changed(panel(name), values)]
    return f"{name}?{urlencode(found)}" if found else name


def from_fragment(text: str) -> tuple[str, dict[str, str]]:
    """Return the panel and the inputs that a link names.

    Parameters
    ----------
    text : str
        As `fragment` returns it.

    Returns
    -------
    str, dict of str to str
        A name, which may be that of no panel, and values as text.

    Examples
    --------
    >>> from_fragment("memory?context=8192")
    ('memory', {'context': '8192'})
    """
    name, _, query = text.partition("?")
    return name, dict(parse_qsl(query, keep_blank_values=True))


def papermill(name: str, values: Mapping[str, Any]) -> str:
    """Return the command that runs the chapter with these values.

    Parameters
    ----------
    name : str
        The name of the panel.
    values : mapping
        The values of its inputs.

    Returns
    -------
    str
        For a shell, in the folder of the book.

    Examples
    --------
    >>> from cohort.panels import defaults
    >>> papermill("memory", {**defaults("memory"), "context": 8192})
    'papermill notebooks/attention_memory.ipynb out.ipynb -p context 8192'
    """
    asked = panel(name)
    chapter = asked.chapter(values)
    words = ["papermill", f"notebooks/{chapter}.ipynb", "out.ipynb"]
    for each, value in changed(asked, values):
        if each.kind == "text" and value:
            words += ["-p", "model", CONFIG]
        elif each.name == "model" and values.get("config"):
            continue
        elif value is not None and (own := each.parameter_of(chapter)):
            several = each.kind == "names"
            words += ["-y", f"{own}: {literal(value)}"] if several else ["-p", own, each.written(value)]
    return shlex.join(words)


def literal(value: object) -> str:
    """Return a value as Python writes it, text in double quotes.

    Parameters
    ----------
    value : object
        Text, a number, a bool, None, or several of them, which become a list.

    Returns
    -------
    str

    Raises
    ------
    ParameterError
        If it is none of them.
    """
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if value is not None and not isinstance(value, bool | int | float):
        raise ParameterError(f"{shown(value)} is no value of a parameter")
    return repr(value)


explain(__name__)
