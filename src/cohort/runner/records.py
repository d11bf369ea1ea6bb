"""The results of a notebook as typed values, for tests and sweeps to read back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, TypedDict

from cohort.errors import NotebookError, ParameterError, extras, shown

MIME = "application/vnd.cohort.record+json"


SHOWN = 4  # values of a list in the table that readers see; the record itself holds all


Scalar = bool | int | float | str


class Entry(TypedDict):
    """One recorded quantity: a plain value and its unit, None for a value without one."""

    value: Scalar | list[Scalar]
    unit: str | None


def record(**values: Any) -> None:
    """Display the results of a notebook as one typed output and as a small table.

    Parameters
    ----------
    **values : bool, int, float, str, a list of these, or a pair (value, unit)
        One keyword per result. NumPy scalars become plain Python values.

    Raises
    ------
    ParameterError
        If nothing is given, a name is no identifier, a number is not finite, or a value is of another type.

    Examples
    --------
    >>> record(kv_cache=(1.0, "GiB"), layers=32)  # doctest: +SKIP
    """
    entries = make_record(values)
    with extras():
        from IPython.display import display  # present in every kernel; slow to load elsewhere

    bundle = {MIME: entries, "text/html": _html(entries), "text/plain": _plain(entries)}
    display(bundle, raw=True)  # type: ignore[no-untyped-call]


def make_record(values: Mapping[str, Any]) -> dict[str, Entry]:
    """Return the typed form of a record, without displaying it.

    Parameters
    ----------
    values : mapping of str to value or (value, unit)
        As the keywords of `record`.

    Returns
    -------
    dict of str to Entry
        Each value as plain Python, with its unit.

    Raises
    ------
    ParameterError
        As `record`.
    """
    if not values:
        raise ParameterError("record() takes at least one result, such as record(layers=32).")
    return {name: _entry(name, value) for name, value in values.items()}


def read_record(notebook: Mapping[str, Any]) -> dict[str, Entry]:
    """Return what an executed notebook recorded.

    Parameters
    ----------
    notebook : mapping
        A notebook in nbformat 4, as a plain dict or as a NotebookNode.

    Returns
    -------
    dict of str to Entry
        The results by name; empty where nothing was recorded.

    Raises
    ------
    NotebookError
        If two cells recorded the same name.
    """
    found: dict[str, Entry] = {}
    for cell in notebook["cells"]:
        for output in cell.get("outputs", ()):
            for name, entry in output.get("data", {}).get(MIME, {}).items():
                if name in found:
                    raise NotebookError(f"the notebook records {name!r} twice; give each its own name.")
                found[name] = {"value": entry["value"], "unit": entry["unit"]}
    return found


def _entry(name: str, given: Any) -> Entry:
    if not name.isidentifier():
        raise ParameterError(f"record() takes names such as 'kv_cache', not {shown(name)}.")
    value, unit = given if isinstance(given, tuple) and len(given) == 2 else (given, None)
    if unit is not None and (not isinstance(unit, str) or not unit.strip()):
        raise ParameterError(f"record(): the unit of {name} is {shown(unit)}; give text such as 'GiB'.")
    if isinstance(value, list):
        return {"value": [_scalar(name, item) for item in value], "unit": unit}
    return {"value": _scalar(name, value), "unit": unit}


def _scalar(name: str, value: Any) -> Scalar:
    """Return a plain bool, int, float or str: NumPy's scalars know their own by `item`."""
    if hasattr(value, "item") and getattr(value, "ndim", 0) == 0:
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        raise ParameterError(f"record(): {name} is {value}, and only finite numbers can be recorded.")
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return kind(value)
    raise ParameterError(
        f"record(): {name} is {shown(value)} of type {type(value).__name__}; "
        "give a bool, int, float, str, a list of these, or a pair (value, unit)."
    )


def _text(value: Scalar | list[Scalar]) -> str:
    if isinstance(value, list):
        head = ", ".join(_text(item) for item in value[:SHOWN])
        return head if len(value) <= SHOWN else f"{head}, … ({len(value)} values)"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.6g}" if isinstance(value, float) else value


def _html(entries: Mapping[str, Entry]) -> str:
    from cohort.display import markup  # not until something is shown: every kernel loads this module

    rows: list[markup.Row] = [
        (((name, {}), (_text(entry["value"]), {}), (entry["unit"] or "", {})), {})
        for name, entry in entries.items()
    ]
    heads: list[markup.Cell] = [(title, {}) for title in ("result", "value", "unit")]
    return str(markup.table_html(heads, rows, {"class": "dataframe"}))


def _plain(entries: Mapping[str, Entry]) -> str:
    return "\n".join(
        f"{name}: {_text(entry['value'])}{' ' + entry['unit'] if entry['unit'] else ''}"
        for name, entry in entries.items()
    )
