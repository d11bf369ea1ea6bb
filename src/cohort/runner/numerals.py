"""Numbers as they are typed, read to their last digit."""

from __future__ import annotations

import math
import re
from decimal import Decimal, InvalidOperation

MOST_DIGITS = 1000
NUMERAL = re.compile(r"[-+]?(?:\d+(?:_\d+)*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_INTEGER = re.compile(r"[-+]?\d+(?:_\d+)*")


class UnfitError(Exception):
    """A value of another type; the message adds a reason where the type alone does not say it."""


def read_number(word: str) -> int | Decimal:
    """Read a number: as a Decimal, 6e24 is a whole number, which as a float it is not.

    Parameters
    ----------
    word : str
        What `NUMERAL` matches.

    Returns
    -------
    int or Decimal

    Raises
    ------
    UnfitError
        If it has too many digits, or an exponent beyond all bounds.
    """
    digits = word.replace("_", "")
    if len(digits) > MOST_DIGITS:
        raise UnfitError("it has too many digits")
    try:
        return int(digits) if _INTEGER.fullmatch(word) else Decimal(digits)
    except InvalidOperation:
        raise UnfitError("it is not finite") from None


def is_special(word: str) -> bool:
    """Whether a word stands for infinity or for no number, with or without sign or leading point.

    Parameters
    ----------
    word : str
        A word.

    Returns
    -------
    bool
    """
    return word.casefold().lstrip("+-").lstrip(".") in ("nan", "inf", "infinity")


def whole_number(value: int | float | Decimal) -> int:
    """Return a number as an int.

    Parameters
    ----------
    value : int, float or Decimal
        A whole number.

    Returns
    -------
    int

    Raises
    ------
    UnfitError
        If it is not whole, not finite, or a float so large that it is not exact.
    """
    if isinstance(value, int):
        return value
    finite_float(value)  # so that a Decimal has no more digits than can be written out
    if value != int(value):
        raise UnfitError("it is not a whole number")
    if isinstance(value, float) and abs(value) > 2**53:
        raise UnfitError("as a float it is not exact")
    return int(value)


def finite_float(value: int | float | Decimal) -> float:
    """Return a number as a float.

    Parameters
    ----------
    value : int, float or Decimal
        A number.

    Returns
    -------
    float

    Raises
    ------
    UnfitError
        If it is not finite.
    """
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise UnfitError("it is not finite")
    return number
