"""The data tables as pandas DataFrames, typed as ``datapackage.json`` says."""

from __future__ import annotations

from typing import Any

from cohort.errors import CohortError, extras
from cohort.errors.arguments import explain
from cohort.registry import facts

with extras():
    import pandas as pd

_DTYPES = {"integer": "Int64", "number": "Float64"}


def table(name: str) -> pd.DataFrame:
    """Return a data table.

    Parameters
    ----------
    name : str
        A name from ``cohort.tables()``.

    Returns
    -------
    DataFrame
        Typed as its schema says. ``attrs`` holds ``title``, ``description``, ``licences``, ``sources``
        (every key of ``references.bib`` that a row or the table as a whole names) and, per column, ``units``
        (a table with a column ``unit`` has one a row instead) and ``columns`` (what each one means).

    Raises
    ------
    UnknownNameError
        If there is no such table; the message names the nearest.
    MissingExtraError
        If pandas is not installed; the message names the extra ``tables``.

    Examples
    --------
    >>> accelerators = table("accelerators")
    >>> accelerators["memory_gb"].dtype, accelerators.attrs["units"]["tdp_w"]
    (Float64Dtype(), 'W')
    """
    frame = pd.DataFrame(facts.rows(name))
    schema = facts.schema(name)
    fields: list[dict[str, Any]] = schema.get("schema", {}).get("fields", [])
    for field in fields:
        column = field["name"]
        if column not in frame:
            raise CohortError(f"the table {name} has no column {column}")
        try:
            frame[column] = _typed(frame[column], field["type"])
        except (TypeError, ValueError) as error:
            raise CohortError(f"the table {name}, column {column}: {error}") from None
    frame.attrs = {
        "title": schema.get("title", name),
        "description": schema.get("description", ""),
        "licences": [licence["title"] for licence in schema.get("licenses", [])],
        "sources": _sources(frame, schema),
        "units": {field["name"]: field["unit"] for field in fields if "unit" in field},
        "columns": {field["name"]: field.get("description", "") for field in fields},
    }
    return frame


def _typed(column: Any, kind: str) -> Any:
    """Return a column of text as the type that its schema gives it."""
    if kind in _DTYPES:
        return pd.to_numeric(column).astype(_DTYPES[kind])
    if kind == "boolean":
        return column.map({"true": True, "false": False}).astype("boolean")
    return pd.to_datetime(column) if kind == "date" else column


def _sources(frame: pd.DataFrame, schema: dict[str, Any]) -> list[str]:
    """Return the sources of a table: those that its rows name, and those of the whole."""
    columns = [column for column in frame.columns if column == "source" or column.endswith("_source")]
    keys = {str(key) for column in columns for key in frame[column].unique()} - {""}
    return sorted(keys | {source["title"] for source in schema.get("sources", [])})


explain(__name__)
