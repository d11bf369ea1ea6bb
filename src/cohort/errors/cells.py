"""Cells of a CSV file that no spreadsheet takes for a formula."""

from __future__ import annotations

from cohort.errors import shown
from cohort.errors.arguments import explain

LIVE = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet takes for the start of a formula


def inert(cell: object) -> str:
    """Return a cell of a CSV file that no spreadsheet takes for a formula.

    Parameters
    ----------
    cell : object
        Text, a number, a truth or None.

    Returns
    -------
    str
        A number as it is, also one that stands as text; true and false for a truth, nothing for None; text on
        one line, after an apostrophe where it begins like a formula.

    Examples
    --------
    >>> inert("=HYPERLINK(1)"), inert(-1.5), inert("-1.5"), inert(True), inert(None)
    ("'=HYPERLINK(1)", '-1.5', '-1.5', 'true', '')
    """
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, (int, float)):
        return str(cell)
    text = " ".join((cell if isinstance(cell, str) else shown(cell)).split())
    return f"'{text}" if text.startswith(LIVE) and not _is_number(text) else text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


explain(__name__)
