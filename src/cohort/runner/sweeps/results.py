"""The table of a sweep: a row for each run, with its parameters and what it recorded.

Each parameter of the notebook has a column, also where every run takes its default. A recorded value stands
under its name and its unit, such as ``kv_cache [GiB]``; a list stands as JSON. The files are CSV and Parquet,
and hold the same, but that in CSV an apostrophe stands before text that a spreadsheet would run as a formula.
"""

from __future__ import annotations

import csv
import io
import json
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cohort.errors.cells import inert
from cohort.runner.notebook.document import write_atomically
from cohort.runner.sweeps.plan import Plan
from cohort.runner.sweeps.store import Row

# What is known of each run besides its parameters and its record.
BEFORE = ("run",)


AFTER = ("status", "error", "seconds", "notebook")


Table = dict[str, list[Any]]


def results_table(plan: Plan, rows: Sequence[Row]) -> Table:
    """Return the columns of a sweep's table.

    Parameters
    ----------
    plan : Plan
        What was to run.
    rows : sequence of Row
        What has run.

    Returns
    -------
    dict of str to list
        Each column's values, one for each row; None where a run has no such value.
    """
    columns: Table = {name: [getattr(row, name) for row in rows] for name in BEFORE}
    for name in plan.every:
        values = [row.parameters.get(name, plan.defaults.get(name)) for row in rows]
        columns[_free(columns, name, "parameter")] = [_flat(value) for value in values]
    recorded = dict.fromkeys((name, row.record[name]["unit"]) for row in rows for name in row.record)
    for name, unit in recorded:
        head = _free(columns, f"{name} [{unit}]" if unit else name, "recorded")
        columns[head] = [_recorded(row, name, unit) for row in rows]
    return columns | {name: [getattr(row, name) for row in rows] for name in AFTER}


def _free(columns: Table, name: str, kind: str) -> str:
    """Return a name for another column: one that is taken gets its kind added."""
    return f"{name} ({kind})" if name in columns or name in AFTER else name


def _recorded(row: Row, name: str, unit: str | None) -> Any:
    entry = row.record.get(name)
    return _flat(entry["value"]) if entry and entry["unit"] == unit else None


def _flat(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list) else value


def write_tables(folder: Path, plan: Plan, rows: Sequence[Row]) -> None:
    """Write `results.csv` and `results.parquet` into the folder of a sweep.

    Parameters
    ----------
    folder : Path
        The folder.
    plan : Plan
        What was to run.
    rows : sequence of Row
        What has run.
    """
    columns = results_table(plan, rows)
    write_atomically(folder / "results.csv", as_csv(columns))
    write_atomically(folder / "results.parquet", as_parquet(columns))


def as_csv(columns: Table) -> str:
    """Return a table as CSV.

    Parameters
    ----------
    columns : dict of str to list
        The table.

    Returns
    -------
    str
        Nothing stands for a value that is not there, true and false for a truth; no cell is a live formula.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(map(inert, columns))
    for values in zip(*columns.values(), strict=True):
        writer.writerow(map(inert, values))
    return text.getvalue()


def as_parquet(columns: Table) -> bytes:
    """Return a table as Parquet.

    Parameters
    ----------
    columns : dict of str to list
        The table.

    Returns
    -------
    bytes
        Whole numbers, floats, truths and text stand in columns of their types.
    """
    import pandas as pd

    with warnings.catch_warnings():  # of settings of pandas that it asks for
        warnings.simplefilter("ignore")
        import fastparquet

    frame = pd.DataFrame({name: _typed(values) for name, values in columns.items()})
    with tempfile.TemporaryDirectory(prefix="cohort-") as folder:
        path = Path(folder) / "results.parquet"
        fastparquet.write(str(path), frame)
        return path.read_bytes()


def _typed(values: list[Any]) -> Any:
    """Return a column in the narrowest type that holds all its values, whole numbers to their last digit."""
    import pandas as pd

    there = [value for value in values if value is not None]
    kinds = {type(value) for value in there}
    if kinds == {bool}:
        return pd.array(values, dtype="boolean")
    if kinds == {int} and all(abs(value) < 2**63 for value in there):
        return pd.array(values, dtype="Int64")
    if float in kinds and kinds <= {int, float}:
        return pd.array(
            [float("nan") if value is None else float(value) for value in values], dtype="float64"
        )
    texts = [value if value is None or isinstance(value, str) else json.dumps(value) for value in values]
    return pd.Series(texts, dtype="object")
