"""Compare two executions of a notebook within the tolerances that the book states."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import zip_longest
from typing import Any

from cohort.errors import NotebookError, shown
from cohort.runner.notebook.canonical_form import canonical
from cohort.runner.notebook.document import Cell, Notebook, has_tag, numbered, place
from cohort.runner.records import MIME

RECORD_TOLERANCE = 1e-6


SVG_TOLERANCE_PT = Decimal("0.01")


# A number as printed. Digits that belong to a name, such as 8x22B's 22 or llama-3's 3, are part of the words.
_NUMBER = re.compile(
    r"(?<![\w.#])(?<![A-Za-z]-)[-+\N{MINUS SIGN}]?"
    r"(?:\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)(?:[eE][-+]?\d+)?"
)


_TAG = re.compile(r"(<[^>]*>)")


Close = Callable[[Decimal, Decimal], bool]


@dataclass(frozen=True)
class Difference:
    """A cell whose results are not those committed.

    Parameters
    ----------
    where : str
        The notebook, and the cell by number, id and first line.
    what : str
        What differs, in one line.
    """

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


def compare(name: str, committed: Notebook, fresh: Notebook) -> list[Difference]:
    """Compare a committed notebook with a fresh execution of it.

    Recorded floats may differ by 1e-6 of their value, printed numbers by one unit of their last place, the
    coordinates of an SVG by 0.01 pt, and the numbers of a cell tagged ``measured`` by the relative tolerance
    that its metadata states as ``cohort.tolerance`` (its drawings are not compared). All else is exact.

    Parameters
    ----------
    name : str
        The notebook's name, for the messages.
    committed, fresh : dict
        The two executions; each is taken in canonical form.

    Returns
    -------
    list of Difference
        At most one for each output; empty where the two agree.

    Raises
    ------
    NotebookError
        If a cell tagged ``measured`` states no tolerance.
    """
    committed, fresh = canonical(committed), canonical(fresh)
    found = []
    pairs = zip_longest(numbered(committed), numbered(fresh))
    for old, new in pairs:
        number, cell = old or new  # one of them is there
        where = place(name, number, cell)
        found += [Difference(where, what) for what in _cells(where, old and old[1], new and new[1])]
    return found


def tolerance(where: str, cell: Cell) -> float | None:
    """Return the relative tolerance of a cell tagged ``measured``.

    Parameters
    ----------
    where : str
        The cell, for messages.
    cell : dict
        The cell.

    Returns
    -------
    float or None
        None for a cell without the tag.

    Raises
    ------
    NotebookError
        If the cell states none above 0.
    """
    if not has_tag(cell, "measured"):
        return None
    stated = cell["metadata"].get("cohort", {}).get("tolerance")
    if isinstance(stated, bool) or not isinstance(stated, int | float) or not 0 < stated < math.inf:
        raise NotebookError(
            f"{where}: is tagged measured, so its metadata must state a relative tolerance above 0 "
            f"as cohort.tolerance, not {shown(stated)}."
        )
    return float(stated)


def texts_differ(committed: str, fresh: str, close: Close) -> str | None:
    """Return what differs between two printed texts.

    Parameters
    ----------
    committed, fresh : str
        The texts.
    close : callable
        Whether two numbers are close enough.

    Returns
    -------
    str or None
        None where only numbers differ and those are close.
    """
    skeletons = [[" ".join(part.split()) for part in _NUMBER.split(text)] for text in (committed, fresh)]
    numbers = [_NUMBER.findall(text) for text in (committed, fresh)]
    if skeletons[0] != skeletons[1] or len(numbers[0]) != len(numbers[1]):
        return _first_unequal(committed, fresh)
    for old, new in zip(*numbers, strict=True):
        if old != new and not close(_decimal(old), _decimal(new)):
            return f"committed {old}, now {new}"
    return None


def last_place(committed: Decimal, fresh: Decimal) -> bool:
    """Whether two printed numbers differ by at most one unit of their last place.

    Parameters
    ----------
    committed, fresh : Decimal
        The numbers, with the digits that were printed.

    Returns
    -------
    bool
    """
    unit = Decimal(1).scaleb(max(int(number.as_tuple().exponent) for number in (committed, fresh)))
    return abs(committed - fresh) <= unit


def _within(relative: float) -> Close:
    def close(committed: Decimal, fresh: Decimal) -> bool:
        return math.isclose(committed, fresh, rel_tol=relative)

    return close


def _same_point(committed: Decimal, fresh: Decimal) -> bool:
    return abs(committed - fresh) <= SVG_TOLERANCE_PT


def _cells(where: str, old: Cell | None, new: Cell | None) -> Iterator[str]:
    if old is None or new is None:
        yield "this cell is only in one of the two"
    elif any(old[key] != new[key] for key in ("cell_type", "id", "source", "metadata")):
        yield "the cell itself differs"
    elif old["cell_type"] == "code":
        yield from _executions(old, new, tolerance(where, new))


def _executions(old: Cell, new: Cell, relative: float | None) -> Iterator[str]:
    if old["execution_count"] != new["execution_count"]:
        yield f"executed as [{old['execution_count']}], now as [{new['execution_count']}]"
    if len(old["outputs"]) != len(new["outputs"]):
        yield f"{len(old['outputs'])} outputs committed, now {len(new['outputs'])}"
        return
    for one, other in zip(old["outputs"], new["outputs"], strict=True):
        what = _outputs_differ(one, other, relative)
        if what:
            yield what


def _outputs_differ(old: dict[str, Any], new: dict[str, Any], relative: float | None) -> str | None:
    close = last_place if relative is None else _within(relative)
    if old["output_type"] != new["output_type"] or old.get("name") != new.get("name"):
        return f"{_kind(old)} committed, now {_kind(new)}"
    if old["output_type"] == "stream":
        return _named(_kind(old), texts_differ(old["text"], new["text"], close))
    if old["output_type"] not in ("display_data", "execute_result"):
        return None if old == new else f"{_kind(old)} differs"
    if old["data"].keys() != new["data"].keys() or old.get("metadata") != new.get("metadata"):
        return f"{', '.join(sorted(old['data']))} committed, now {', '.join(sorted(new['data']))}"
    for mime in sorted(old["data"]):
        what = _data_differ(mime, old["data"][mime], new["data"][mime], close, relative)
        if what:
            return _named(mime, what)
    return None


def _data_differ(mime: str, old: Any, new: Any, close: Close, relative: float | None) -> str | None:
    if mime == MIME:
        return _records_differ(old, new, RECORD_TOLERANCE if relative is None else relative)
    # As JSON, since to Python 1, 1.0 and True are equal.
    if json.dumps(old, sort_keys=True) == json.dumps(new, sort_keys=True):
        return None
    if relative is not None and mime.startswith("image/"):
        return None
    if mime == "image/svg+xml":
        return _markup_differs(old, new, inside_tags=_same_point, close=close)
    if mime == "text/html":
        return _markup_differs(old, new, inside_tags=lambda one, other: one == other, close=close)
    if mime == "text/csv":  # what a figure shows, with more digits than a reader sees
        return texts_differ(old, new, _within(RECORD_TOLERANCE if relative is None else relative))
    if mime.startswith("text/"):
        return texts_differ(old, new, close)
    return "the data differ"


def _markup_differs(old: str, new: str, *, inside_tags: Close, close: Close) -> str | None:
    """Compare HTML or SVG: the numbers inside its tags in one way, those that a reader sees in another."""
    parts = _TAG.split(old), _TAG.split(new)
    if len(parts[0]) != len(parts[1]):
        return f"{len(parts[0]) // 2} tags committed, now {len(parts[1]) // 2}"
    for one, other in zip(*parts, strict=True):
        is_tag = one.startswith("<") and not one.startswith("<!--")
        what = texts_differ(one, other, inside_tags if is_tag else close)
        if what:
            return what
    return None


def _records_differ(old: dict[str, Any], new: dict[str, Any], relative: float) -> str | None:
    if old.keys() != new.keys():
        return f"records {', '.join(old)} committed, now {', '.join(new)}"
    for name, entry in old.items():
        other = new[name]
        if entry["unit"] != other["unit"] or not _values_close(entry["value"], other["value"], relative):
            return f"{name} committed {json.dumps(entry)}, now {json.dumps(other)}"
    return None


def _values_close(old: Any, new: Any, relative: float) -> bool:
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(
            _values_close(one, other, relative) for one, other in zip(old, new, strict=True)
        )
    if isinstance(old, float) and isinstance(new, float):
        return math.isclose(old, new, rel_tol=relative)
    # Integers are counts: the book states them to the unit, and so are they compared.
    return type(old) is type(new) and bool(old == new)


def _decimal(number: str) -> Decimal:
    return Decimal(number.replace(",", "").replace("\N{MINUS SIGN}", "-"))


def _kind(output: dict[str, Any]) -> str:
    return str(output.get("name") or output["output_type"])


def _named(kind: str, what: str | None) -> str | None:
    return None if what is None else f"{kind} differs: {what}"


def _first_unequal(committed: str, fresh: str, width: int = 40) -> str:
    """Show where two texts part."""
    start = next(
        (i for i, (one, other) in enumerate(zip(committed, fresh, strict=False)) if one != other),
        min(len(committed), len(fresh)),
    )
    begin = max(0, start - width // 2)
    return f"committed {shown(committed[begin : begin + width])}, now {shown(fresh[begin : begin + width])}"
