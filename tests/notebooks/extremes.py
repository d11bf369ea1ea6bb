"""Whether the model that a chapter names at its head as the most or the least is the one that a table shows.

A column of a table is quoted where a sentence has its largest or its smallest number to three digits and a
word for an extreme. The sentence names the row of that number then, if it names a row of that table at all; a
number that a reader set, or that the table has in a row which is named, is no such quotation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from agreement import ENDS, Number, cells_under, given, numbers
from directions import UNIT_KINDS
from truths import Fault, Notebook, prose, said, tables

KIND = "another name than the table's"

_EXTREME = re.compile(
    r"\b(?:most|least|largest|smallest|highest|lowest|longest|shortest|cheapest|dearest|fastest|slowest|from|"
    r"between|range)\b|\btimes (?:less|more|as much|fewer)\b"
)
_SENTENCE = re.compile(r"(?<=[.:;])\s+|\n")
_UNIT = re.compile(r" ?(?P<unit>%|[A-Za-z]+)")
_HEAD = re.compile(r"\(([^()]*)\)\s*$")
_DIGITS = 3  # from so many on, a number is the same one and not another that is alike


def misnamed(notebook: Notebook) -> list[Fault]:
    """Return the sentences at the head and the end of a chapter that name another row than the table's."""
    ends = cells_under(notebook, ENDS)
    columns = [one for cell, rows in tables(notebook) if cell not in ends for one in _columns(rows)]
    set_by_reader = [number for text in given(notebook) for number in numbers(text)]
    return [
        (cell, KIND, f"{sentence.strip()} (the table: {name})")
        for cell, markdown in said(notebook)
        if cell in ends
        for sentence in _SENTENCE.split(prose(markdown))
        if _EXTREME.search(sentence)
        for name in _others(sentence, columns, set_by_reader)
    ]


Column = tuple[str, dict[str, Number]]  # its unit, and its numbers by the name of their row


def _columns(rows: Sequence[Sequence[str]]) -> Iterator[Column]:
    """Yield the columns of a table that hold numbers alone, three at least, each under a name of its own."""
    heads, body = rows[0], [row for row in rows[1:] if len(row) == len(rows[0])]
    names = [row[0] for row in body]
    if len(set(names)) < len(rows) - 1:
        return
    for place in range(1, len(heads)):
        found = {row[0]: list(numbers(row[place])) for row in body}
        values = {name: one[0] for name, one in found.items() if len(one) == 1}
        unit = _HEAD.search(heads[place])
        if unit and len(values) == len(body) > 2:
            yield unit[1], values


def _others(sentence: str, columns: Sequence[Column], given: Sequence[Number]) -> Iterator[str]:
    """Yield the names that a sentence should have in place of others of the same table."""
    for number, written in _quantities(sentence):
        if any(number.value == one.value for one in given):
            continue
        quoted = [_places(number, written, column) for column in columns]
        named = [[name for name in values if _is_in(name, sentence)] for _, values in columns]
        if any(set(places) & set(names) for places, names in zip(quoted, named, strict=True)):
            continue
        for (_, values), places, names in zip(columns, quoted, named, strict=True):
            if names and len(places) == 1 and values[places[0]].value in _ends(values):
                yield places[0]


def _places(number: Number, written: str, column: Column) -> list[str]:
    """Return the rows of a column that show a number, to the digits that are written."""
    size = _times(written, column[0])
    if size is None:
        return []
    room = number.half * size * (1 + 1e-9)
    return [
        name
        for name, one in column[1].items()
        if one.half <= room and abs(number.value * size - one.value) <= room
    ]


def _ends(values: Mapping[str, Number]) -> tuple[float, float]:
    every = [one.value for one in values.values()]
    return min(every), max(every)


def _is_in(name: str, sentence: str) -> bool:
    return re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-]|\.\d| [\d.]+B)", sentence) is not None


def _quantities(sentence: str) -> Iterator[tuple[Number, str]]:
    for number in numbers(sentence):
        unit = _UNIT.match(sentence, number.place + len(number.text))
        if len(re.sub(r"\D|^0[.0]*", "", number.text.split(" ")[0])) >= _DIGITS and unit:
            yield number, unit["unit"]


def _times(written: str, unit: str) -> float | None:
    """Return what a number of a sentence is times in a column's unit; None where that is of another kind."""
    word = unit.split()[0] if unit else ""
    if written == word or written == word.rstrip("s"):
        return 1.0
    kind = next((one for one in UNIT_KINDS if written in one and word in one), None)
    return None if kind is None else kind[written] / kind[word]
