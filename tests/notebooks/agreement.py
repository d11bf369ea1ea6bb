"""What a chapter says at its head and at its end is what it shows in between: each number of In brief and of
Takeaways stands in its sections as well, to the digits that are written, or among its recorded values.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import zip_longest
from typing import Any

from directions import SIZES, times
from truths import Fault, Notebook, html_words, labels, prose, said, tables

import cohort
from cohort.architecture.registered import title
from cohort.runner.records import read_record

ENDS = ("In brief", "Takeaways")
KIND = "a number that no section shows"

_NUMBER = re.compile(
    r"(?<![\w.,/§-])(?P<whole>\d{1,3}(?:,\d{3})+|\d+)(?P<part>\.\d+)?"
    rf"(?: × 10(?P<power>[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)|[ \xa0](?P<scale>{'|'.join(SIZES)})\b)?"
    r"(?![\w]|-bit|\.\d)"
)
_LITERAL = re.compile(r"(?<![\w.\"-])\d[\d_]*(?:\.\d+)?(?:e[+-]?\d+)?(?![\w.\"-])")
# Units of the record in which sections may speak of larger or smaller ones.
_FACTORS = [10.0**power for power in (-12, -9, -6, -3, -2, 0, 2, 3, 6, 9, 12)] + [
    *(1024.0**power for power in (-3, -2, -1, 1, 2, 3)), 24.0, 1 / 24, 60.0, 1 / 60, 365.0, 1 / 365,
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Number:
    """A number of a text, and half of the last digit that is written."""

    text: str
    value: float
    half: float
    place: int


def numbers(text: str) -> Iterator[Number]:
    """Yield the numbers of a text; zeros at the end of a large whole number may be rounded ones."""
    for found in _NUMBER.finditer(text):
        whole, part = found["whole"].replace(",", ""), found["part"] or "."
        size = times(found["scale"], found["power"])
        zeros = len(whole) - max(len(whole.rstrip("0")), 2) if part == "." else 0
        half = 0.5 * 10.0 ** (max(zeros, 0) - len(part) + 1)
        yield Number(found[0], float(whole + part) * size, half * size, found.start())


def unshown(notebook: Notebook, figures: Sequence[dict[str, Any]] = ()) -> list[Fault]:
    """Return the numbers at the head and the end of a chapter that its sections do not show.

    `figures` is what `watched` noted of its figures, where these were drawn.
    """
    ends = cells_under(notebook, ENDS)
    shown = [number for text in _sections(notebook, ends, figures) for number in numbers(text)]
    kept = list(_recorded(notebook))
    faults = []
    for cell, markdown in said(notebook):
        text = _without_names(prose(markdown))
        for number in numbers(text) if cell in ends else ():
            if not (_is_shown(number, shown) or _is_recorded(number, kept)):
                around = text[max(0, number.place - 70) : number.place + 50].replace("\n", " ")
                faults.append((cell, KIND, f"{number.text}: {around}"))
    return faults


@cache
def _names() -> re.Pattern[str]:
    """Return what finds the names of models in a text: numbers in these count nothing."""
    titles = sorted((title(cohort.model(name)) for name in cohort.models()), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, titles)))


def _without_names(text: str) -> str:
    return _names().sub(lambda found: "§" * len(found[0]), text)


def cells_under(notebook: Notebook, heads: Sequence[str]) -> set[str]:
    """Return the cells that speak first under some headings."""
    cells, head = set[str](), ""
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            head = (re.findall(r"^## (.+)$", "".join(cell["source"]), re.MULTILINE) or [head])[-1].strip()
        elif head in heads:
            cells.add(cell["id"])
            head = ""
    return cells


def _sections(notebook: Notebook, ends: set[str], figures: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Yield what the other sections show: their sentences, tables and figures."""
    yield from ("".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "markdown")
    yield from given(notebook)
    yield from (prose(text) for cell, text in said(notebook) if cell not in ends)
    yield from (text for cell, text in html_words(notebook) if cell not in ends)
    for cell, rows in tables(notebook):
        if cell not in ends:
            yield from (text for row in rows for text in _scaled(row, rows[0]))
    yield from (text for figure in figures for text in figure["texts"])
    yield from (text for _, text in labels(notebook))


def given(notebook: Notebook) -> Iterator[str]:
    """Yield the numbers that readers set: they are in the cells of parameters, a default unless changed."""
    changed = "".join(_tagged(notebook, "injected-parameters"))
    names = set(re.findall(r"^(\w+) =", changed, re.MULTILINE))
    for line in ("".join(_tagged(notebook, "parameters")) + "\n" + changed).splitlines():
        if line.split(":")[0] not in names:
            yield from (f"{float(one):f}" for one in _LITERAL.findall(line.split("#")[0]))


def _tagged(notebook: Notebook, tag: str) -> list[str]:
    return [
        line
        for cell in notebook["cells"]
        if tag in cell["metadata"].get("tags", ())
        for line in cell["source"]
    ]


def _scaled(row: Sequence[str], heads: Sequence[str]) -> Iterator[str]:
    """Yield the cells of a row, and the numbers among them with the word of size in their head."""
    for text, head in zip_longest(row, heads, fillvalue=""):
        yield text
        for size in re.findall("|".join(SIZES), head):
            yield f"{text} {size}"


def _recorded(notebook: Notebook) -> Iterator[float]:
    for entry in read_record(notebook).values():
        values: Iterable[Any] = entry["value"] if isinstance(entry["value"], list) else [entry["value"]]
        yield from (float(value) for value in values if isinstance(value, (int, float)))


def _is_shown(number: Number, shown: Sequence[Number]) -> bool:
    room = number.half * (1 + 1e-9)
    return any(abs(number.value - one.value) <= room and one.half <= room for one in shown)


def _is_recorded(number: Number, kept: Sequence[float]) -> bool:
    room = number.half * (1 + 1e-9)
    return any(abs(number.value - abs(value) * factor) <= room for value in kept for factor in _FACTORS)
