"""Plain values from YAML 1.2: numbers to their last digit, and nothing that grows or runs.

Only its parser is ruamel.yaml's; what a scalar means is decided here, so that ``6e24`` is a whole number and
``2024-05-07`` stays text.
"""

from __future__ import annotations

import math
from typing import Any

from cohort.errors import ParameterError
from cohort.runner.numerals import NUMERAL, UnfitError, read_number

# A few lines of aliases to aliases stand for more values than fit into memory.
MOST_VALUES = 100_000
MOST_LEVELS = 50
_PREFIX = "tag:yaml.org,2002:"


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

    try:
        root = YAML(typ="safe", pure=True).compose(text)
        return None if root is None else _Values().value(root, 0)
    except (YAMLError, RecursionError, ValueError) as error:
        raise ParameterError(f"{where}: is not YAML: {' '.join(str(error).split())}.") from None


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
