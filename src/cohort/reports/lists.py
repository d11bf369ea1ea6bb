"""Lists of what has a name: models, accelerators, grids and laws, narrowed by words."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click

from cohort.architecture.registered import ABSENT, known, model, models, title
from cohort.display.words import DASH, significant
from cohort.errors import UnknownNameError, unknown
from cohort.errors.arguments import explain
from cohort.footprint.places import grid, grids, place_name
from cohort.registry import facts
from cohort.registry.devices import accelerator, accelerators
from cohort.registry.model_names import find_model
from cohort.registry.names import Names, aliases, key
from cohort.scaling.mixture_laws import routed_laws
from cohort.scaling.repeated_data import laws
from cohort.units import BILLION, GB

WIDTH = 80  # characters of a line
TIED = "\u00a0"  # a space where no line ends

Record = dict[str, Any]
Column = tuple[str, str, Callable[[Record], str]]  # its head and unit, and the text of a record in it


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
            ("model", "", lambda each: str(each["name"])),
            ("developer", "", lambda each: str(each["developer"])),
            ("released", "", lambda each: each["released"] or DASH),
            ("parameters", "billion", lambda each: f"{each['parameters'] / BILLION:,.2f}"),
            ("active", "billion", lambda each: f"{each['active_parameters'] / BILLION:,.2f}"),
        ),
        lambda given: find_model(given).name,
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
            ("accelerator", "", lambda each: str(each["name"])),
            ("memory", "GB", lambda each: f"{each['memory_bytes'] / GB:,.0f}"),
            ("bandwidth", "GB/s", lambda each: f"{each['bandwidth_bytes_per_s'] / GB:,.0f}"),
            ("bf16", "TFLOP/s", lambda each: _tera(each["peak_operations_per_s"].get("bf16"))),
            ("fp8", "TFLOP/s", lambda each: _tera(each["peak_operations_per_s"].get("fp8"))),
            ("rated", "W", lambda each: _number(each["rated_power_w"])),
            ("price", "USD/h", lambda each: "–".join(map(significant, each["usd_per_hour"] or ())) or DASH),
        ),
        lambda given: accelerator(given).name,
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
            ("grid", "", lambda each: str(each["name"])),
            ("CO2e", "g/kWh", lambda each: significant(each["g_per_kwh"])),
            ("year", "", lambda each: str(each["year"])),
            ("counts", "", lambda each: each["method"] or DASH),
            ("scope", "", lambda each: each["scope"].replace("_", " ") or DASH),
        ),
        place_name,
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
            ("law", "", lambda each: str(each["name"])),
            ("of", "", lambda each: str(each["of"])),
            ("coefficients", "", _coefficients),
        ),
        _law_name,
        words,
        as_json,
    )


def _law_name(given: str) -> str:
    return Names("law", [*laws(), *routed_laws()], aliases("law")).find(given)


def _coefficients(record: Mapping[str, Any]) -> str:
    values = [f"{name}{TIED}{significant(value, 4)}" for name, value in record["coefficients"].items()]
    return f"{', '.join(values)} [{record['source']}]"


def _tera(value: float | None) -> str:
    return _number(None if value is None else value / 1e12)


def _number(value: float | None) -> str:
    return DASH if value is None else significant(value, 4)


def _print_list(
    kind: str,
    records: Sequence[Record],
    columns: Sequence[Column],
    find: Callable[[str], str],
    words: Sequence[str],
    as_json: bool,
) -> None:
    """Print the records that have some words, as a table or as JSON."""
    words = list(dict.fromkeys(words))
    tests = [_test(word, _named(find, word)) for word in words]
    found = [record for record in records if all(has(record) for has in tests)]
    if not found:  # several words may be the spelling of one name
        whole = _named(find, " ".join(words))
        found = [record for record in records if record["name"] == whole]
    if not found:
        names = [record["name"] for record in records]
        raise unknown(kind, " ".join(words), names, remedy=f"`cohort {kind}s` lists all {len(names)}")
    if as_json:
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    heads = [[head for head, _, _ in columns], [unit for _, unit, _ in columns]]
    rows = [[text(record) for _, _, text in columns] for record in found]
    click.echo("\n".join(aligned(heads if any(heads[1]) else heads[:1], rows)))


def _named(find: Callable[[str], str], spelling: str) -> str | None:
    """Return the name that a spelling means, None if none or several."""
    try:
        return find(spelling)
    except UnknownNameError:
        return None


def _test(word: str, named: str | None) -> Callable[[Record], bool]:
    """Return what tells whether a word begins a word in a record, is part of its name, or means it."""
    spelt = key(word)
    if (
        named is not None and len(spelt) == 2
    ):  # a code: SE is Sweden, and neither Senegal nor a part of Sweden
        return lambda record: bool(record["name"] == named)
    begins = re.compile(rf"(?<![^\W_]){re.escape(word)}", re.IGNORECASE)

    def has(record: Record) -> bool:
        if record["name"] == named or (len(spelt) > 2 and spelt in key(record["name"])):
            return True
        return (
            begins.search(" ".join(value for value in record.values() if isinstance(value, str))) is not None
        )

    return has


def aligned(heads: Sequence[Sequence[str]], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows of cells as lines, in columns: numbers to the right, words to the left.

    Parameters
    ----------
    heads : sequence of sequences of str
        The lines above the columns.
    rows : sequence of sequences of str
        At least one; all as long as the heads. A last cell that is too long for its line goes on below.

    Returns
    -------
    list of str

    Examples
    --------
    >>> aligned([("name", "memory"), ("", "GB")], [("A10", "24"), ("H200", "141")])
    ['name  memory', '          GB', 'A10       24', 'H200     141']
    """
    columns = list(zip(*heads, *rows, strict=True))
    numeric = [all(cell[:1].isdigit() or cell == DASH for cell in column[len(heads) :]) for column in columns]
    widths = [max(map(len, column)) for column in columns]
    lines = []
    for row in (*heads, *rows):
        cells = [
            cell.rjust(width) if number else cell.ljust(width)
            for cell, width, number in zip(row, widths, numeric, strict=True)
        ]
        start = "".join(f"{cell}  " for cell in cells[:-1])
        last = [cells[-1]] if numeric[-1] else textwrap.wrap(row[-1], max(WIDTH - len(start), 20))
        starts = [start, *[" " * len(start)] * len(last)]
        lines += [f"{before}{part}".rstrip() for before, part in zip(starts, last or [""], strict=False)]
    return [line.replace(TIED, " ") for line in lines]


explain(__name__)
