"""Plain values as they are typed: numbers to their last digit, and what YAML 1.2 holds.

Of YAML only the parser is ruamel.yaml's; what a scalar means is decided here, so that ``6e24`` is a whole
number and ``2024-05-07`` stays text, and nothing grows or runs.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import Any

from cohort.errors import ParameterError

MOST_DIGITS = 1000
NUMERAL = re.compile(r"[-+]?(?:\d+(?:_\d+)*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_INTEGER = re.compile(r"[-+]?\d+(?:_\d+)*")
# A few lines of aliases to aliases stand for more values than fit into memory.
MOST_VALUES = 100_000
MOST_LEVELS = 50
MOST_CHARACTERS = 2**18  # which take the parser seconds
_PREFIX = "tag:yaml.org,2002:"


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


def read_yaml(text: str, where: str) -> Any:
    """Return what a YAML text holds, as dicts, lists, text, numbers, truths and None.

    Parameters
    ----------
    text : str
        One document.
    where : str
        Where it comes from, for messages.

    Returns
    -------
    object
        Numbers are int or Decimal, or NaN where they are not finite.

    Raises
    ------
    ParameterError
        If it is no YAML, has a key twice, a tag that is not plain, or too many values or levels.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    if len(text) > MOST_CHARACTERS:
        raise ParameterError(
            f"{where}: has {len(text):,} characters, and {MOST_CHARACTERS:,} at most are read."
        )
    try:
        _check_levels(YAML(typ="safe", pure=True).parse(text))
        root = YAML(typ="safe", pure=True).compose(text)
        return None if root is None else _Values().value(root, 0)
    except (YAMLError, RecursionError, ValueError) as error:
        raise ParameterError(f"{where}: is not YAML: {' '.join(str(error).split())}.") from None


def _check_levels(events: Iterable[Any]) -> None:
    """Stop at what is nested too deep before the parser does, which takes it the longer the deeper."""
    level = 0
    for event in events:
        name = type(event).__name__
        level += name.endswith("StartEvent") - name.endswith("EndEvent")
        if level > MOST_LEVELS + 3:  # those of stream and document, and the values'
            raise ValueError(f"it holds more than {MOST_VALUES:,} values or {MOST_LEVELS} levels")


class _Values:
    """Makes values of nodes, and counts them."""

    def __init__(self) -> None:
        self.made = 0

    def value(self, node: Any, level: int) -> Any:
        """Return the value of a node at a level of nesting."""
        self.made += 1
        if self.made > MOST_VALUES or level > MOST_LEVELS:
            raise ValueError(f"it holds more than {MOST_VALUES:,} values or {MOST_LEVELS} levels")
        kind = str(node.tag).removeprefix(_PREFIX)
        if node.id == "mapping" and kind == "map":
            return self.mapping(node, level)
        if node.id == "sequence" and kind == "seq":
            return [self.value(item, level + 1) for item in node.value]
        if node.id == "scalar" and kind in ("str", "int", "float", "bool", "null", "timestamp"):
            return _scalar(kind, node.value)
        raise ValueError(f"a value of the kind {kind!r} is not plain")

    def mapping(self, node: Any, level: int) -> dict[Any, Any]:
        """Return a mapping, of which no key may come twice."""
        found: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            key = self.value(key_node, level + 1)
            if isinstance(key, dict | list):
                raise ValueError("a key is not plain")
            if key in found:
                raise ValueError(f"{key!r} is given twice")
            found[key] = self.value(value_node, level + 1)
        return found


def _scalar(kind: str, word: str) -> object:
    if kind == "null":
        return None
    if kind == "bool":
        return word.casefold() == "true"
    if kind in ("int", "float"):
        return _numeric(word)
    return word


def _numeric(word: str) -> object:
    if NUMERAL.fullmatch(word):
        try:
            return read_number(word)
        except UnfitError:
            return math.nan
    return int(word, 0) if word.lstrip("+-")[:2].casefold() in ("0x", "0o", "0b") else math.nan
