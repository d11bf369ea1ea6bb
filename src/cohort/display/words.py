"""Sentences whose numbers are computed."""

from __future__ import annotations

import re
import textwrap
from decimal import Decimal

from cohort.errors import CohortError, ParameterError, extras, shown

DASH = "–"  # where there is nothing to say


def rounding(count: float, printed: str) -> str | None:
    """Return how a printed figure comes from a count, or None if it does not.

    It is ``rounded`` or ``cut off`` to its last digit, or, being a whole number of tens, ``rounded to tens``.

    Parameters
    ----------
    count : float
        The exact value, in the unit of the printed figure.
    printed : str
        The figure as published, such as ``"46.7"``; its digits say how far it was rounded.

    Returns
    -------
    str or None

    Raises
    ------
    CohortError
        If `printed` is not a plain decimal number.

    Examples
    --------
    >>> rounding(46.7026, "46.7"), rounding(46.79, "46.7"), rounding(46.6, "46.8")
    ('rounded', 'cut off', None)
    """
    unit = Decimal(str(last_digit(printed)))
    gap = Decimal(count) - Decimal(printed)  # exact: 1.25 lies half a unit from 1.2, in floats a little more
    if abs(gap) <= unit / 2:
        return "rounded"
    if 0 <= gap < unit:
        return "cut off"
    tens = unit == 1 and printed.endswith("0") and abs(gap) <= 5
    return "rounded to tens" if tens else None


def last_digit(printed: str) -> float:
    """Return the unit of the last digit of a printed number.

    Parameters
    ----------
    printed : str
        Digits, with or without a decimal point.

    Returns
    -------
    float

    Raises
    ------
    CohortError
        If `printed` is not a plain decimal number.

    Examples
    --------
    >>> last_digit("46.7"), last_digit("70")
    (0.1, 1.0)
    """
    match = re.fullmatch(r"\d+(?:\.(\d+))?", printed)
    if match is None:
        raise CohortError(f"{printed!r} is not a plain decimal number")
    return float(10.0 ** -len(match[1] or ""))


# Masses by their unit, in kg.
MASSES = {"t": 1000.0, "kg": 1.0, "g": 1e-3, "mg": 1e-6}


LEAST = 1e-6  # below which a number is said to be below


def mass_unit(kg: float) -> str:
    """Return the largest unit of which a mass is at least a tenth; the smallest where there is none.

    Parameters
    ----------
    kg : float
        A mass in kg.

    Returns
    -------
    str
        A key of `MASSES`.
    """
    return next((unit for unit, size in MASSES.items() if kg >= size / 10), "mg")


def mass(kg: float) -> str:
    """Return a mass of CO2e in words.

    Parameters
    ----------
    kg : float
        A mass in kg, at least 0.

    Returns
    -------
    str

    Examples
    --------
    >>> mass(241_000), mass(0.2), mass(0.000005)
    ('241 t', '0.2 kg', '5 mg')
    """
    unit = mass_unit(kg)
    return f"{plainly(kg / MASSES[unit])} {unit}"


def plainly(value: float, digits: int = 3) -> str:
    """Return a number of at least 0 in words, never with an exponent.

    Parameters
    ----------
    value : float
        A finite number, at least 0.
    digits : int
        How many of its digits count.

    Returns
    -------
    str

    Examples
    --------
    >>> plainly(41.3e9), plainly(0.0000537), plainly(1e-9)
    ('41.3 billion', '0.0000537', 'less than 0.000001')
    """
    if value >= 1 or not value:
        return scaled(value, digits)
    if value < LEAST:
        return f"less than {LEAST:f}"
    return f"{Decimal(f'{value:.{digits}g}').normalize():f}"


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
    with extras():
        from IPython.display import display  # present in every kernel; slow to load elsewhere

    markdown = textwrap.dedent(text).strip()
    display({"text/markdown": markdown, "text/plain": markdown}, raw=True)  # type: ignore[no-untyped-call]


def running(*parts: str) -> str:
    """Return sentences that follow one another on a line; empty ones leave no space behind.

    Parameters
    ----------
    *parts : str
        The parts, in order.

    Returns
    -------
    str
        Markdown.

    Examples
    --------
    >>> running("One.", "", "Two.")
    'One. Two.'
    """
    return " ".join(part for part in parts if part)


def significant(value: float, digits: int = 3) -> str:
    """Return a number with so many significant digits, written out.

    Parameters
    ----------
    value : float
        A finite number.
    digits : int
        How many of its digits count.

    Returns
    -------
    str

    Examples
    --------
    >>> significant(0.5), significant(67.49), significant(1284), significant(0.0000184)
    ('0.5', '67.5', '1,280', '0.0000184')
    """
    written = f"{Decimal(f'{value:.{digits}g}'):,f}"
    return "0" if float(written.replace(",", "")) == 0 else written


def scaled(value: float, digits: int = 3) -> str:
    """Return a number with the word for its size.

    Parameters
    ----------
    value : float
        A finite number.
    digits : int
        How many of its digits count.

    Returns
    -------
    str

    Examples
    --------
    >>> scaled(0.367), scaled(478), scaled(73.2e9)
    ('0.367', '478', '73.2 billion')
    """
    sizes = (
        (1e18, "quintillion"),
        (1e15, "quadrillion"),
        (1e12, "trillion"),
        (1e9, "billion"),
        (1e6, "million"),
    )
    for size, word in sizes:
        if abs(float(f"{value:.{digits}g}")) >= size:
            return f"{significant(value / size, digits)} {word}"
    return significant(value, digits)


def binary(size: float, digits: int = 3) -> str:
    """Return an amount of memory in the largest binary unit that it fills.

    Parameters
    ----------
    size : float
        Bytes.
    digits : int
        How many digits count.

    Returns
    -------
    str

    Examples
    --------
    >>> binary(512), binary(2560), binary(10 * 2**30)
    ('512 bytes', '2.5 KiB', '10 GiB')
    """
    for power, unit in ((40, "TiB"), (30, "GiB"), (20, "MiB"), (10, "KiB")):
        if size >= 2**power:
            return f"{significant(size / 2**power, digits)} {unit}"
    return f"{significant(size, digits)} {'byte' if size == 1 else 'bytes'}"


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """Return a number with its noun.

    Parameters
    ----------
    number : int
        How many there are.
    noun : str
        What one is called.
    plural : str, optional
        What several are called, where an s does not make it.

    Returns
    -------
    str

    Examples
    --------
    >>> counted(1, "model"), counted(1200, "entry", "entries")
    ('1 model', '1,200 entries')
    """
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def inflected(number: float, singular: str, plural: str) -> str:
    """Return the form of a word that goes with a number.

    Parameters
    ----------
    number : float
        The number.
    singular, plural : str
        The form with one, and with any other number.

    Returns
    -------
    str
        One of the two.

    Examples
    --------
    >>> inflected(2, "is", "are")
    'are'
    """
    return singular if number == 1 else plural


def sentences(*parts: str) -> str:
    r"""Return sentences or list items as Markdown, one a line; empty ones leave no line behind.

    Parameters
    ----------
    *parts : str
        The parts, in order.

    Returns
    -------
    str
        Markdown.

    Examples
    --------
    >>> sentences("One.", "", "Two.")
    'One.\nTwo.'
    """
    return "\n".join(part for part in parts if part)


def paragraphs(*parts: str) -> str:
    r"""Return paragraphs as Markdown, with a blank line between; empty ones leave nothing behind.

    Parameters
    ----------
    *parts : str
        The parts, in order.

    Returns
    -------
    str
        Markdown.

    Examples
    --------
    >>> paragraphs("One.", "Two.")
    'One.\n\nTwo.'
    """
    return "\n\n".join(part for part in parts if part)


def ranged(low: float, high: float, form: str = ",.1f") -> str:
    """Return a range in words, or the one value where both ends read alike.

    Parameters
    ----------
    low, high : float
        The ends.
    form : str
        How each is formatted; from a thousand on, three digits count.

    Returns
    -------
    str

    Examples
    --------
    >>> ranged(3.81, 478.6), ranged(8.01, 8.02), ranged(73.1, 8044.2)
    ('3.8 to 478.6', '8.0', '73.1 to 8,040')
    """
    ends = [
        significant(end) if abs(end) >= 1000 and "." in form else format(end, form) for end in (low, high)
    ]
    return ends[0] if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"


def bullets(*items: str) -> str:
    """Return a list in Markdown.

    Parameters
    ----------
    *items : str
        One or more sentences each; an empty one is left out.

    Returns
    -------
    str
        A line for each item.
    """
    return "\n".join(f"- {item}" for item in items if item)
