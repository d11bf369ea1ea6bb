"""An answer of a panel: sentences, numbers, a table and drawings with what they draw."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cohort.errors.arguments import explain
from cohort.errors.cells import inert


@dataclass(frozen=True, slots=True)
class Number:
    """One number of an answer.

    Attributes
    ----------
    label, text : str
        What it is, and how it is shown, with its unit.
    value : int, float or None
        The number itself; None where there is none.
    unit : str
        Its unit.
    note : str
        A range or a condition, shown small; may be empty.
    """

    label: str
    text: str
    value: float | int | None
    unit: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Series:
    """What a drawing draws: one line, or one set of bars.

    Attributes
    ----------
    label : str
        Of the line or the set.
    x, y : tuple
        Numbers, or names of bars in `x`.
    low, high : tuple of float
        Ranges around `y`; empty without.
    """

    label: str
    x: tuple[Any, ...]
    y: tuple[Any, ...]
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Drawing:
    """A drawing of an answer.

    Attributes
    ----------
    name, caption : str
        A short name, and what it shows.
    svg : str
        The drawing itself, as `cohort.panels.charts` makes it.
    x, y : str
        What its numbers are, with units: the heads of its CSV.
    series : tuple of Series
        What it draws.
    """

    name: str
    caption: str
    svg: str
    x: str
    y: str
    series: tuple[Series, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a panel says.

    Attributes
    ----------
    sentences : tuple of str
        Plain text; the first is the answer in short, which is announced.
    numbers : tuple of Number
        The numbers that count.
    drawings : tuple of Drawing
        What is drawn.
    table : tuple of tuple of str
        Rows of text, the first the heads; empty without.
    table_caption : str
        What the table shows.
    python : str
        Lines of Python that give the same with the package.
    """

    sentences: tuple[str, ...]
    numbers: tuple[Number, ...]
    drawings: tuple[Drawing, ...]
    table: tuple[tuple[str, ...], ...] = ()
    table_caption: str = ""
    python: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return the answer as plain values, which ``json.dumps`` takes.

        Returns
        -------
        dict
            ``sentences``, ``numbers`` (label, value, unit, text, note), ``series`` (drawing, label, x, y,
            low, high) and ``table``.
        """
        return {
            "sentences": list(self.sentences),
            "numbers": [
                {"label": n.label, "value": n.value, "unit": n.unit, "text": n.text, "note": n.note}
                for n in self.numbers
            ],
            "series": [
                {
                    "drawing": drawing.name,
                    "label": one.label,
                    "x": list(one.x),
                    "y": list(one.y),
                    "low": list(one.low),
                    "high": list(one.high),
                }
                for drawing in self.drawings
                for one in drawing.series
            ],
            "table": [list(row) for row in self.table],
        }

    def csv(self) -> str:
        """Return numbers and what is drawn as one table.

        Returns
        -------
        str
            CSV with the columns ``of, label, x, y, low, high, unit``; no cell is a live formula.
        """
        rows: list[tuple[Any, ...]] = [("of", "label", "x", "y", "low", "high", "unit")]
        for name, value in self.values.items():
            if isinstance(value, tuple):
                value = ", ".join(value)
            rows.append(("input", name, "", value, "", "", ""))
        for number in self.numbers:
            rows.append(("answer", number.label, "", number.value, "", "", number.unit))
        for drawing in self.drawings:
            for one in drawing.series:
                rows.extend(_points(drawing, one))
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([inert(cell) for cell in row] for row in rows)
        return text.getvalue()


def _points(drawing: Drawing, one: Series) -> Sequence[tuple[Any, ...]]:
    blank = ("",) * len(one.y)
    unit = f"{drawing.y} against {drawing.x}" if drawing.x else drawing.y
    return [
        (drawing.name, one.label, x, y, low, high, unit)
        for x, y, low, high in zip(one.x, one.y, one.low or blank, one.high or blank, strict=True)
    ]


explain(__name__)
