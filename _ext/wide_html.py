"""A table for readers as HTML: every row in full, with what a script needs to search and sort it.

Links to other pages are written late, when those pages are known: ``bib:KEY`` stands for an entry of the
bibliography, ``doc:PATH`` for a page of the book.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup, escape

from cohort.display import markup

TEMPLATES = markup.template_environment(Path(__file__).parent / "templates")
CELLS: Any = TEMPLATES.get_template("cells.html").module
# From so many characters on, the longest value of a column is taken for a phrase or a sentence: it may wrap.
PHRASE, SENTENCE = 30, 60
NUMBER = re.compile(r"[-+]?[\d,]*\.?\d+(?:[eE][-+]?\d+)?")
LATE_LINK = re.compile(r'href="(bib|doc):([^"]+)"')


@dataclass(frozen=True)
class Cell:
    """One value of a table.

    Attributes
    ----------
    html : Markup
        What readers see.
    text : str
        The same without tags; it tells numbers from words, and long values from short ones.
    order : str or None
        What the value is sorted by: empty for a missing value, None where its text tells.
    """

    html: Markup
    text: str
    order: str | None = None


@dataclass(frozen=True)
class Row:
    """Cells, the first of which names the row, and the row's own anchor if it has one."""

    cells: tuple[Cell, ...]
    anchor: str = ""


@dataclass(frozen=True)
class Table:
    """Heads with their units, and rows of as many cells."""

    heads: tuple[str, ...]
    rows: tuple[Row, ...]

    def __post_init__(self) -> None:
        if any(len(row.cells) != len(self.heads) for row in self.rows):
            lengths = sorted({len(row.cells) for row in self.rows})
            raise ValueError(f"rows of {lengths} cells stand under {len(self.heads)} heads")

    def column(self, place: int) -> list[Cell]:
        """Return the cells of one column."""
        return [row.cells[place] for row in self.rows]


def plain(value: object, order: str | None = None) -> Cell:
    """Return a cell of plain text."""
    return Cell(escape(value), str(value), order)


def cited(key: str) -> Cell:
    """Return a cell with a source, linked to its entry in the bibliography; empty without one."""
    return Cell(CELLS.link(f"bib:{key}", key), key) if key else plain("")


def kind(column: Sequence[Cell]) -> str:
    """Return what a column holds: ``number``, ``words``, ``phrase`` or ``long`` (sentences)."""
    filled = [cell for cell in column if cell.text]
    keys = [cell.text if cell.order is None else cell.order for cell in filled]
    if any(keys) and all(NUMBER.fullmatch(key) for key in keys if key):
        return "number"
    length = max((len(cell.text) for cell in filled), default=0)
    if length < PHRASE:
        return "words"
    return "phrase" if length < SENTENCE else "long"


def html(
    table: Table,
    label: str,
    hidden: Iterable[str] = (),
    controls: bool = True,
    phone: Iterable[str] = (),
    stacked: bool = False,
) -> str:
    """Return the table in its scrolling box.

    Parameters
    ----------
    table : Table
        What to show.
    label : str
        Identifier of the element that names the table.
    hidden : iterable of str
        Heads of the columns that the script hides at first; without a script all are shown.
    controls : bool
        Whether the script adds search, sorting and a choice of columns.
    phone : iterable of str
        Heads of the only columns that the script shows at first on a phone, beside the first; all that are
        shown elsewhere if none is named.
    stacked : bool
        Whether a row becomes a card where the page is narrow, so that nothing of it lies outside.

    Raises
    ------
    ValueError
        If `hidden` or `phone` names no column, or the first, which names the rows.
    """
    columns = [table.column(place) for place in range(len(table.heads))]
    kinds = [kind(column) for column in columns]
    # The script looks for sorting keys in the first row alone, so that a column has them all or none.
    keyed = [any(cell.order is not None for cell in column) for column in columns]
    kept = [_place(table, head) for head in phone]
    attributes = {
        "class": " ".join(["dataframe", *["wide"] * controls, *["stacked"] * stacked]),
        "aria-labelledby": label,
        "data-hidden": " ".join(str(_place(table, head)) for head in hidden) or None,
        "data-phone": " ".join(map(str, kept)) or None,
    }
    heads = [(head, {"class": each}) for head, each in zip(table.heads, kinds, strict=True)]
    named = table.heads if stacked else [None] * len(table.heads)
    rows = [(_cells(row, kinds, keyed, named), {"id": row.anchor or None}) for row in table.rows]
    shown = markup.table_html(heads, rows, attributes)
    return TEMPLATES.get_template("wide_table.html").render(label=label, table=shown)


def _place(table: Table, head: str) -> int:
    if head not in table.heads[1:]:
        raise ValueError(f"{head!r} is no column that can be hidden; known: {', '.join(table.heads[1:])}")
    return table.heads.index(head)


def _cells(
    row: Row, kinds: Sequence[str], keyed: Sequence[bool], named: Sequence[str | None]
) -> list[markup.Cell]:
    """Return the cells of a row with their attributes: what they hold, are sorted by, and are called."""
    return [
        (
            cell.html,
            {
                "class": None if each == "words" else each,
                "data-order": (cell.text if cell.order is None else cell.order) if with_key else None,
                "data-head": head if cell.text else None,
            },
        )
        for cell, each, with_key, head in zip(row.cells, kinds, keyed, named, strict=True)
    ]


def with_links(html: str, resolve: Mapping[str, Callable[[str], str]]) -> str:
    """Return markup with its late links resolved.

    Parameters
    ----------
    html : str
        With addresses such as ``bib:KEY``.
    resolve : mapping of str to callable
        For each scheme, the function from what follows the colon to an address.
    """
    return LATE_LINK.sub(lambda match: f'href="{escape(resolve[match[1]](match[2]))}"', html)
