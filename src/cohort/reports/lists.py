"""Lists of what has a name: models, accelerators, grids and laws, narrowed by words."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import click

from cohort.architecture.registered import ABSENT, known, model, models, title
from cohort.display.words import DASH, significant
from cohort.errors import unknown
from cohort.footprint.places import grid, grids
from cohort.registry import facts
from cohort.registry.devices import accelerator, accelerators
from cohort.registry.names import key
from cohort.scaling.mixture_laws import routed_laws
from cohort.scaling.repeated_data import laws
from cohort.units import BILLION, GB

Record = dict[str, Any]
Column = tuple[str, Callable[[Record], str]]  # its head, and the text of a record in it


def list_models(words: Sequence[str], as_json: bool) -> None:
    """Print the registered models: name, title, developer, size and date of release.

    Parameters
    ----------
    words : sequence of str
        Only models that have all of them; all models where there is none.
    as_json : bool
        Print JSON instead of a table.

    Raises
    ------
    UnknownNameError
        If no model has them.
    """
    rows = {row["model"]: row for row in facts.rows("models")}
    records = []
    for name in models():
        spec = model(name)
        records.append(
            {
                "name": name,
                "title": title(spec),
                "developer": rows.get(name, {}).get("developer", ""),
                "parameters": spec.parameters,
                "active_parameters": spec.active_parameters,
                "released": known(spec).get("release_date", ABSENT).value if name in rows else "",
            }
        )
    _print_list(
        "model",
        records,
        (
            ("model", lambda each: str(each["name"])),
            ("developer", lambda each: str(each["developer"])),
            ("released", lambda each: each["released"] or DASH),
            ("parameters (billion)", lambda each: f"{each['parameters'] / BILLION:,.2f}"),
            ("active (billion)", lambda each: f"{each['active_parameters'] / BILLION:,.2f}"),
        ),
        words,
        as_json,
    )


def list_accelerators(words: Sequence[str], as_json: bool) -> None:
    """Print the accelerators: memory, bandwidth, dense peaks, rated power and price.

    Parameters
    ----------
    words : sequence of str
        Only accelerators that have all of them; all where there is none.
    as_json : bool
        Print JSON instead of a table.

    Raises
    ------
    UnknownNameError
        If no accelerator has them.
    """
    rows = {row["name"]: row for row in facts.rows("accelerators")}
    records = []
    for device in map(accelerator, accelerators()):
        row = rows[device.name]
        records.append(
            {
                "name": device.name,
                "vendor": row["vendor"],
                "year": int(row["year"]),
                "memory_bytes": device.memory_bytes,
                "bandwidth_bytes_per_s": device.bandwidth,
                "peak_operations_per_s": dict(device.peaks),
                "rated_power_w": device.tdp_w,
                "usd_per_hour": device.usd_per_hour,
            }
        )
    _print_list(
        "accelerator",
        records,
        (
            ("accelerator", lambda each: str(each["name"])),
            ("maker", lambda each: str(each["vendor"])),
            ("memory (GB)", lambda each: f"{each['memory_bytes'] / GB:,.0f}"),
            ("bandwidth (GB/s)", lambda each: f"{each['bandwidth_bytes_per_s'] / GB:,.0f}"),
            ("bf16 (TFLOP/s)", lambda each: _tera(each["peak_operations_per_s"].get("bf16"))),
            ("fp8 (TFLOP/s)", lambda each: _tera(each["peak_operations_per_s"].get("fp8"))),
            ("rated (W)", lambda each: _number(each["rated_power_w"])),
            ("USD/h", lambda each: " to ".join(map(significant, each["usd_per_hour"] or ())) or DASH),
        ),
        words,
        as_json,
    )


def list_grids(words: Sequence[str], as_json: bool) -> None:
    """Print the places whose electricity the data know: the default factor of each, and of what it is.

    Parameters
    ----------
    words : sequence of str
        Only places that have all of them; all where there is none.
    as_json : bool
        Print JSON instead of a table.

    Raises
    ------
    UnknownNameError
        If no place has them.
    """
    records = []
    for found in map(grid, grids()):
        records.append(
            {
                "name": found.place,
                "g_per_kwh": found.g_per_kwh,
                "year": found.year,
                "method": found.method,
                "scope": found.scope,
                "source": found.source,
            }
        )
    _print_list(
        "grid",
        records,
        (
            ("grid", lambda each: str(each["name"])),
            ("g CO2e/kWh", lambda each: significant(each["g_per_kwh"])),
            ("year", lambda each: str(each["year"])),
            ("counts", lambda each: each["method"] or DASH),
            ("scope", lambda each: each["scope"].replace("_", " ") or DASH),
            ("source", lambda each: str(each["source"])),
        ),
        words,
        as_json,
    )


def list_laws(words: Sequence[str], as_json: bool) -> None:
    """Print the published scaling laws: of what models, from which source, and their coefficients.

    Parameters
    ----------
    words : sequence of str
        Only laws that have all of them; all where there is none.
    as_json : bool
        Print JSON instead of a table.

    Raises
    ------
    UnknownNameError
        If no law has them.
    """
    records = []
    for kind, table, names in (("dense", "scaling_laws", laws()), ("mixture", "routed_laws", routed_laws())):
        for name in names:
            rows = [row for row in facts.rows(table) if row["law"] == name]
            values = {row["quantity"]: float(row["value"]) for row in rows}
            records.append({"name": name, "of": kind, "source": rows[0]["source"], "coefficients": values})
    _print_list(
        "law",
        records,
        (
            ("law", lambda each: str(each["name"])),
            ("of", lambda each: str(each["of"])),
            ("source", lambda each: str(each["source"])),
            ("coefficients", _coefficients),
        ),
        words,
        as_json,
    )


def _coefficients(record: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {significant(value, 4)}" for name, value in record["coefficients"].items())


def _tera(value: float | None) -> str:
    return _number(None if value is None else value / 1e12)


def _number(value: float | None) -> str:
    return DASH if value is None else significant(value, 4)


def _print_list(
    kind: str, records: Sequence[Record], columns: Sequence[Column], words: Sequence[str], as_json: bool
) -> None:
    """Print the records that have some words, as a table or as JSON."""
    found = [record for record in records if all(_has(record, word) for word in words)]
    if not found:
        names = [record["name"] for record in records]
        raise unknown(kind, " ".join(words), names, remedy=f"`cohort {kind}s` lists all {len(names)}")
    if as_json:
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    rows = [[head for head, _ in columns], *([text(record) for _, text in columns] for record in found)]
    click.echo("\n".join(aligned(rows)))


def _has(record: Mapping[str, Any], word: str) -> bool:
    """Return whether a word, or a name in another spelling, is in the texts of a record."""
    texts = [value for value in record.values() if isinstance(value, str)]
    plain = " ".join(texts).casefold()
    return word.casefold() in plain or (key(word) != "" and any(key(word) in key(text) for text in texts))


def aligned(rows: Iterable[Sequence[str]]) -> list[str]:
    """Return rows of cells as lines, in columns: numbers to the right, words to the left.

    Parameters
    ----------
    rows : iterable of sequences of str
        The heads first; all of one length.

    Returns
    -------
    list of str

    Examples
    --------
    >>> aligned([("name", "GB"), ("A10", "24"), ("H200", "141")])
    ['name   GB', 'A10    24', 'H200  141']
    """
    table = [list(row) for row in rows]
    columns = list(zip(*table, strict=True))
    numeric = [all(cell[:1].isdigit() or cell == DASH for cell in column[1:]) for column in columns]
    widths = [max(map(len, column)) for column in columns]
    return [
        "  ".join(
            cell.rjust(width) if number else cell.ljust(width)
            for cell, width, number in zip(row, widths, numeric, strict=True)
        ).rstrip()
        for row in table
    ]
