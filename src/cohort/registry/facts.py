"""The facts of the book: `data/` as values with unit, status and source.

This is the lowest layer. It reads the files, checks what it needs and knows nothing of models.
"""

from __future__ import annotations

import csv
import os.path
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cohort.errors import CohortError, unknown
from cohort.errors.arguments import explain

STATUSES = ("stated", "derived", "inferred", "undisclosed", "contested")


@dataclass(frozen=True, slots=True)
class Fact:
    """One published or derived value, with where it comes from.

    Attributes
    ----------
    value : str
        The value as text; empty where nothing was disclosed.
    unit : str
        Its unit, or ``text``.
    status : str
        One of `STATUSES`.
    source : str
        A key of ``references.bib``.
    note : str
        What a reader should know besides; may be empty.
    """

    value: str
    unit: str
    status: str
    source: str
    note: str = ""

    @property
    def number(self) -> int | float | None:
        """The value as a number (an int where it is one), or None where it is empty.

        Raises
        ------
        CohortError
            If the value is not a number.
        """
        if not self.value:
            return None
        try:
            return int(self.value) if self.value.lstrip("-").isdigit() else float(self.value)
        except ValueError:
            raise CohortError(f"{self.value!r} ({self.unit}) is not a number") from None


@lru_cache(maxsize=1)
def data_folder() -> str:
    """Return the path of the data: the checkout's ``data/``, or the copy inside an installed wheel."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    checkout = os.path.join(os.path.dirname(os.path.dirname(package)), "data")
    folder = checkout if os.path.isdir(os.path.join(checkout, "configs")) else os.path.join(package, "data")
    if not os.path.isdir(folder):
        raise CohortError("the data folder is missing: neither the checkout nor the installed package has it")
    return folder


def _names(folder: str, ending: str) -> list[str]:
    return sorted(name.removesuffix(ending) for name in os.listdir(folder) if name.endswith(ending))


def config_names() -> list[str]:
    """Return the names of the registered models: the table `models` first, in its order, then any other."""
    present = _names(os.path.join(data_folder(), "configs"), ".json")
    listed = [row["model"] for row in rows("models")] if "models" in tables() else []
    return [name for name in listed if name in present] + [name for name in present if name not in listed]


def config_path(name: str) -> str:
    """Return the path of a registered model's config.

    Parameters
    ----------
    name : str
        A name from `config_names`.

    Returns
    -------
    str
        A file in JSON.

    Raises
    ------
    UnknownNameError
        If there is no such model; the message names the nearest.
    """
    path = os.path.join(data_folder(), "configs", f"{name}.json")
    if os.path.basename(name) != name or not os.path.isfile(path):
        raise unknown("model", name, config_names())
    return path


def models_stamp() -> tuple[int, ...]:
    """Return when the files that name models were last written, so that a caller sees that they changed.

    Returns
    -------
    tuple of int
        Nanoseconds since 1970: of the configs, the table `models` and the table `aliases`.
    """
    configs = os.stat(os.path.join(data_folder(), "configs")).st_mtime_ns
    return configs, modified("models"), modified("aliases")


def tables() -> list[str]:
    """Return the names of the data tables."""
    return _names(data_folder(), ".csv")


@lru_cache(maxsize=32)
def _read(path: str, modified: int) -> tuple[dict[str, str], ...]:
    name = os.path.basename(path)
    try:
        with open(path, encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file, skipinitialspace=True)  # as programs write logs
            found = tuple(reader)
    except (OSError, ValueError, csv.Error) as error:
        raise CohortError(f"the table {name} cannot be read: {error}") from None
    for line, each in enumerate(found, start=1):
        if None in each or None in each.values():
            raise CohortError(f"the table {name} has not as many cells as heads in row {line}")
    return found


def rows(table: str) -> list[dict[str, str]]:
    """Return the rows of a data table, every value as text.

    Parameters
    ----------
    table : str
        A name from `tables`.

    Returns
    -------
    list of dict
        One dictionary a row; copies, so that a caller may change them.

    Raises
    ------
    UnknownNameError
        If there is no such table.

    Examples
    --------
    >>> rows("models")[0]["title"]
    'Llama 2 7B'

    See Also
    --------
    cohort.table : The same as a pandas DataFrame, with types and units.
    """
    path = os.path.join(data_folder(), f"{table}.csv")
    if os.path.basename(str(table)) != table or not os.path.isfile(path):
        raise unknown("table", table, tables())
    return [dict(row) for row in _read(path, os.stat(path).st_mtime_ns)]


def row(table: str, **key: str) -> dict[str, str]:
    """Return the one row of a data table that has these values.

    Parameters
    ----------
    table : str
        A name from `tables`.
    **key : str
        Values by column; as many as tell the row from all others.

    Returns
    -------
    dict
        Its values as text, a copy.

    Raises
    ------
    UnknownNameError
        If there is no such table.
    CohortError
        If the table has no such row, or more than one.

    Examples
    --------
    >>> row("models", model="llama-3-8b")["title"]
    'Llama 3 8B'
    """
    found = [each for each in rows(table) if all(each[column] == value for column, value in key.items())]
    if len(found) != 1:
        asked = ", ".join(f"{column} {value!r}" for column, value in key.items())
        raise CohortError(f"the table {table} has {len(found)} rows with {asked}, but must have one")
    return found[0]


def modified(table: str) -> int:
    """Return when a table was last written, so that a caller sees that it changed.

    Parameters
    ----------
    table : str
        A name from `tables`.

    Returns
    -------
    int
        Nanoseconds since 1970.
    """
    return os.stat(_path(data_folder(), table)).st_mtime_ns


@lru_cache(maxsize=512)
def _path(folder: str, table: str) -> str:
    """Return where a table is; kept, as whatever is kept asks first whether its table was written anew."""
    return os.path.join(folder, f"{table}.csv")


def schema(table: str) -> dict[str, Any]:
    """Return a table's entry in ``datapackage.json``.

    Parameters
    ----------
    table : str
        A name from `tables`.

    Returns
    -------
    dict
        Its title, columns, sources and licences, as in a Frictionless Data Package; empty where the table has
        no entry. A table without licences of its own has those of the whole package.

    Examples
    --------
    >>> schema("models")["schema"]["primaryKey"]
    ['model']
    """
    import json

    with open(os.path.join(data_folder(), "datapackage.json"), encoding="utf-8") as file:
        package: dict[str, Any] = json.load(file)
    for resource in package["resources"]:
        if resource["name"].replace("-", "_") == table:
            return {"licenses": package.get("licenses", []), **resource}
    return {}


def of_model(name: str) -> dict[str, Fact]:
    """Return what is known of a model, from the table `model_facts`.

    Parameters
    ----------
    name : str
        A name from ``cohort.models()``.

    Returns
    -------
    dict of str to Fact
        Field -> fact.

    Raises
    ------
    UnknownNameError
        If the table has no row of that model.

    Examples
    --------
    >>> of_model("llama-3-8b")["training_tokens"].number
    15000000000000
    """
    known = _facts_by_model(modified("model_facts"))
    if name not in known:
        raise unknown("model", name, known)
    return dict(known[name])


@lru_cache(maxsize=1)
def _facts_by_model(stamp: int) -> dict[str, dict[str, Fact]]:
    """Return the facts of all models, read once for each state of the table."""
    found: dict[str, dict[str, Fact]] = {}
    for row in rows("model_facts"):
        fact = Fact(row["value"], row["unit"], row["status"], row["source"], row["note"])
        found.setdefault(row["model"], {})[row["field"]] = fact
    return found


explain(__name__)
