"""Tables for readers: units in the heads, numbers to the digits that they deserve, HTML and text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any

from cohort.display.phrases import power_of_ten
from cohort.display.words import DASH, significant
from cohort.errors import extras

with extras():
    import pandas as pd

NOTHING = "<p>Nothing is known that this table could list.</p>"  # in the place of a head without rows
LARGE = 10_000  # from here on a number has separators between its thousands, and no decimals
_FIXED = re.compile(r"\+?\.\d+f")
_SIDES = {"words": "left", "number": "right"}


class Readable:
    """A table for readers: every value as text, numbers to the right, words to the left.

    Jupyter, GitHub and the book show it as HTML, a terminal as text.
    """

    def __init__(self, text: pd.DataFrame, words: frozenset[str]) -> None:
        self.text = text
        self.words = words

    def __repr__(self) -> str:
        return str(self.text.to_string())

    @property
    def _wrapped(self) -> str | None:
        """The style of the row heads: names stay in one piece, sentences may break."""
        longest = max((len(str(name)) for name in self.text.index), default=0)
        return "white-space: normal; min-width: 14rem" if longest > 40 else None

    def _repr_html_(self) -> str:
        if self.text.empty:
            return NOTHING
        from cohort.display import markup  # a terminal needs no templates

        kinds = ["words" if column in self.words else "number" for column in self.text.columns]
        styles: list[markup.Attributes] = [
            {"class": kind, "style": f"text-align: {_SIDES[kind]}"} for kind in kinds
        ]
        heads: list[markup.Cell] = [(name, {}) for name in (self.text.index.name or "", *self.text.columns)]
        style = self._wrapped
        rows: list[markup.Row] = [
            ([(name, {"style": style}), *zip(row, styles, strict=True)], {})
            for name, row in self.text.iterrows()
        ]
        return str(markup.table_html(heads, rows, {"class": "dataframe"}))


def readable(frame: pd.DataFrame, formats: Mapping[str, str] | None = None) -> Readable:
    """Return a table for readers.

    Parameters
    ----------
    frame : DataFrame
        Units belong into the names of its columns. By ``attrs["status"]``, an empty value says
        ``undisclosed`` where it is, and one that is ``inferred`` or ``contested`` says so; a dash stands for
        any other empty value.
    formats : mapping of str to str, optional
        Format of a column's numbers, such as ``".2f"``, whose exponents are written as powers of ten and
        which has no decimals from ten thousand on; by default integers get thousands separators and other
        numbers three significant digits.

    Returns
    -------
    Readable
        Shown by Jupyter as HTML.

    Examples
    --------
    >>> frame = pd.DataFrame({"size (GB)": [0.512, 1.5], "layers": ["32", None]}, index=["small", "large"])
    >>> print(readable(frame))
          size (GB) layers
    small     0.512     32
    large       1.5      –
    """
    formats, status = formats or {}, frame.attrs.get("status", {})
    text = pd.DataFrame(index=frame.index)
    for column in frame.columns:
        cells = [
            _cell(value, formats.get(column), status.get(name, {}).get(column, ""))
            for name, value in frame[column].items()
        ]
        text[column] = pd.array(cells, dtype=object)
    words = [column for column in frame.columns if not _numeric(frame[column])]
    return Readable(text, frozenset(words))


def _cell(value: Any, form: str | None, status: str) -> str:
    """Return the text of one cell, with its status where that matters."""
    if value is None or value is pd.NA or value != value:
        return status if status == "undisclosed" else DASH
    written = _written(value, form)
    return f"{written} ({status})" if status in ("inferred", "contested") else written


def _numeric(column: pd.Series) -> bool:
    """Whether a column holds numbers or dates, or text that reads as a number or as a sum of them."""
    plain = re.compile(rf"[+-]?[\d,]*\.?\d+( \+ [\d,]+)*|\d{{4}}-\d\d-\d\d|no bound|{DASH}")
    return all(isinstance(value, Real) or bool(plain.fullmatch(str(value))) for value in column.dropna())


def _written(value: Any, form: str | None) -> str:
    if not isinstance(value, Real) or isinstance(value, bool):
        return str(value)
    if form is not None:
        if abs(float(value)) >= LARGE and _FIXED.fullmatch(form):
            form = re.sub(r"\.\d+", ",.0", form)
        return _in_powers(float(value), format(value, form))
    return f"{value:,}" if isinstance(value, Integral) else significant(float(value))


def _in_powers(value: float, text: str) -> str:
    """Return a formatted number, with a power of ten for an exponent."""
    mantissa, mark, _ = text.partition("e")
    return power_of_ten(value, sum(sign.isdigit() for sign in mantissa)) if mark else text


def joined(*columns: pd.Series) -> pd.DataFrame:
    """Return columns of the same rows side by side.

    Parameters
    ----------
    *columns : Series
        Each with a name of its own.

    Returns
    -------
    DataFrame
    """
    return pd.concat(columns, axis=1)
