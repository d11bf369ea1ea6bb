"""Sentences whose numbers are computed."""

from __future__ import annotations

import textwrap

from cohort.errors import ParameterError, shown


def say(text: str) -> None:
    """Display Markdown as the output of a cell, the same in Jupyter, on GitHub and in the book.

    Parameters
    ----------
    text : str
        Markdown, usually an f-string. Common leading whitespace is removed, so that a triple-quoted
        string may be indented.

    Raises
    ------
    ParameterError
        If `text` is not a string, or holds no words.
    """
    if not isinstance(text, str) or not text.strip():
        raise ParameterError(f"say() takes Markdown text, not {shown(text)}.")
    from IPython.display import display  # present in every kernel; slow to load elsewhere

    markdown = textwrap.dedent(text).strip()
    display({"text/markdown": markdown, "text/plain": markdown}, raw=True)  # type: ignore[no-untyped-call]


def significant(value: float, digits: int = 3) -> str:
    """Return a number with `digits` significant ones, written out: 0.5, 67.5, 1,280.

    Parameters
    ----------
    value : float
        A finite number.
    digits : int
        How many of its digits count.
    """
    return f"{float(f'{value:.{digits}g}'):,.10g}"


def scaled(value: float, digits: int = 3) -> str:
    """Return a number with the word for its size: 0.367, 478, 73.2 billion.

    Parameters
    ----------
    value : float
        A finite number.
    digits : int
        How many of its digits count.
    """
    for size, word in ((1e12, "trillion"), (1e9, "billion"), (1e6, "million")):
        if abs(float(f"{value:.{digits}g}")) >= size:
            return f"{significant(value / size, digits)} {word}"
    return significant(value, digits)


def binary(size: float, digits: int = 3) -> str:
    """Return an amount of memory in the largest binary unit that it fills: 512 bytes, 2.5 KiB, 10 GiB.

    Parameters
    ----------
    size : float
        Bytes.
    digits : int
        How many digits count.
    """
    for power, unit in ((40, "TiB"), (30, "GiB"), (20, "MiB"), (10, "KiB")):
        if size >= 2**power:
            return f"{significant(size / 2**power, digits)} {unit}"
    return f"{significant(size, digits)} {'byte' if size == 1 else 'bytes'}"


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """Return a number with its noun: ``1 model``, ``22 models``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def ranged(low: float, high: float, form: str = ",.1f") -> str:
    """Return a range in words, or the one value where both ends read alike: ``3.8 to 478.6``, ``8.0``."""
    ends = format(low, form), format(high, form)
    return ends[0] if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"
