"""The tables of the page "The tables": architectures, benchmark scores, training runs, accelerators."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd
from sphinx.application import Sphinx
from wide_html import CELLS, NUMBER, Cell, Row, Table, cited, plain
from wide_tables import TABLES

import cohort
from cohort.architecture import registered
from cohort.display import model_tables, reader_tables, words
from cohort.registry import facts

# Columns of the architecture table in the order of the post, then what the post leaves out.
ARCHITECTURE = {
    "developer": "developer",
    "released": "released",
    "training tokens (trillion)": "training tokens (trillion)",
    "vocabulary": "vocabulary (rows)",
    "training context (tokens)": "training context (tokens)",
    "hidden": "hidden size (elements)",
    "feed-forward": "feed-forward size (elements)",
    "positions": "positions",
    "normalisation": "normalisation",
    "activation": "activation",
    "attention": "attention",
    "heads": "heads",
    "layers": "layers",
    "alignment": "alignment",
    "experts": "active of all experts",
    "total": "total (parameters)",
    "active": "active (parameters)",
    "inference context (tokens)": "inference context (tokens)",
    "group": "group",
    "KV heads": "KV heads",
    "head size": "head size (elements)",
    "active without embedding": "active without embedding (parameters)",
    "embedding": "in the embedding (parameters)",
    "attention parameters": "in attention (parameters)",
    "dense feed-forward": "in dense feed-forward (parameters)",
    "routed experts": "in routed experts (parameters)",
    "other": "in the rest (parameters)",
}


def architecture(folder: Path) -> Table:
    """Return the architecture of every registered model."""
    names = cohort.models()
    listed = cohort.table("models").set_index("title")[["developer", "group"]]
    said = model_tables.training_facts(names)
    parts = [model_tables.shapes(names), model_tables.components(names), said]
    counts = model_tables.counts(names).rename(columns={"attention": "attention parameters"})
    frame = pd.concat([listed, *parts, counts], axis=1, join="inner")
    texts = {
        "said": reader_tables.readable(said).text,
        "other": reader_tables.readable(frame.drop(columns=said.columns)).text,
    }
    text = pd.concat(texts.values(), axis=1)
    rows = []
    for name, spec in zip(text.index, registered.specs(names), strict=True):
        stated = registered.known(spec)
        cells = [
            _architecture_cell(str(text.at[name, column]), frame.at[name, column]) for column in ARCHITECTURE
        ]
        if "alignment" not in stated:  # recorded for the cohort alone, so that nothing is known to be hidden
            cells[list(ARCHITECTURE).index("alignment")] = plain(words.DASH)
        rows.append(Row((plain(name), *cells)))
    return Table(("model", *ARCHITECTURE.values()), tuple(rows))


def _architecture_cell(text: str, value: object) -> Cell:
    """Sort numbers that carry a doubt by the number alone, and missing ones as missing."""
    if NUMBER.fullmatch(text):
        return plain(text)
    if text in (words.DASH, "undisclosed"):
        return plain(text, "")
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return plain(text, f"{value:.12g}") if number else plain(text)


def titles() -> dict[str, str]:
    """Return how the registered models are displayed, by name."""
    return {row["model"]: row["title"] for row in facts.rows("models")}


def heads(table: str, labels: Mapping[str, str]) -> tuple[str, ...]:
    """Return the heads of a data table's columns, each with its unit."""
    units: dict[str, str] = cohort.table(table).attrs["units"]
    return tuple(
        f"{label} ({units[column]})" if units.get(column, "year") != "year" else label
        for column, label in labels.items()
    )


def grouped(value: str) -> str:
    """Return a number as printed, whole ones of four digits and more with separators."""
    return f"{int(value):,}" if value.isdigit() and len(value) > 3 else value


BENCHMARKS = {
    "model": "model",
    "benchmark": "benchmark",
    "variant": "variant",
    "value": "score",
    "shots": "shots",
    "prompting": "prompting",
    "metric": "metric",
    "evaluator": "measured by, if not the maker",
    "status": "status",
    "source": "source",
    "note": "note",
}


def benchmarks(folder: Path) -> Table:
    """Return every published score with all that belongs to it, with the digits that were printed."""
    shown = titles()
    rows = []
    for row in facts.rows("benchmarks"):
        row["model"] = shown.get(row["model"], row["model"])
        rows.append(Row(tuple(_data_cell(column, row[column]) for column in BENCHMARKS)))
    return Table(heads("benchmarks", BENCHMARKS), tuple(rows))


ACCELERATORS = {
    "name": "accelerator",
    "vendor": "vendor",
    "year": "year",
    "memory_gb": "memory",
    "memory_bandwidth_gb_s": "memory bandwidth",
    "fp16_dense_tflops": "dense fp16",
    "bf16_dense_tflops": "dense bf16",
    "fp8_dense_tflops": "dense fp8",
    "int8_dense_tops": "dense int8",
    "fp4_dense_tflops": "dense fp4",
    "tdp_w": "rated power",
    "interconnect": "link",
    "interconnect_gb_s": "link bandwidth",
    "scale_up_domain": "linked together",
    "status": "status",
    "source": "source",
    "price_low_usd_per_hour": "lowest price",
    "price_high_usd_per_hour": "highest price",
    "price_date": "date of the price",
    "price_status": "status of the price",
    "price_source": "source of the price",
    "embodied_kgco2e": "embodied emissions",
    "embodied_status": "status of the emissions",
    "embodied_source": "source of the emissions",
    "note": "note",
}


def accelerators(folder: Path) -> Table:
    """Return the accelerators as vendors specify them, with prices and embodied emissions."""
    rows = [
        Row(tuple(_data_cell(column, row[column]) for column in ACCELERATORS))
        for row in facts.rows("accelerators")
    ]
    return Table(heads("accelerators", ACCELERATORS), tuple(rows))


def _data_cell(column: str, value: str) -> Cell:
    if column.endswith("source"):
        return cited(value)
    return plain(value if column == "year" else grouped(value))


# Fields of the training runs, in the order of the post's table and then of what it leaves out.
RUNS = {
    "accelerator": "accelerator",
    "accelerator_count": "accelerators",
    "accelerator_hours": "accelerator time",
    "accelerator_hours_per_trillion_tokens": "accelerator time per trillion tokens",
    "training_days": "duration",
    "power_w": "power of an accelerator",
    "co2e_t": "CO2e",
    "co2e_market_t": "CO2e by market",
    "flop_estimate": "estimated compute",
    "mfu": "model FLOP utilisation",
    "hfu": "hardware FLOP utilisation",
    "achieved_tflops": "achieved per accelerator",
    "energy_kwh": "energy",
    "pue": "PUE",
    "grid_g_per_kwh": "carbon of the electricity",
    "implied_kg_per_kwh": "CO2e over rated energy",
    "water_l": "water",
    "water_onsite_l": "water on site",
    "development_share": "share of development",
    "tokens": "training tokens",
}
BOUNDARIES = {
    "accelerator_tdp": "rated power of accelerators",
    "accelerator": "accelerators, measured",
    "node": "nodes",
    "facility": "facility",
    "with_embodied": "with manufacturing",
    "with_development": "with development",
}
UNITLESS = ("text", "ratio", "accelerators")


def environment(folder: Path) -> Table:
    """Return what is published about training runs: a row for each run, part and source.

    A second value of a field from the same source starts another row.
    """
    data = facts.rows("training_runs")
    runs: dict[tuple[str, str, str, int], dict[str, dict[str, str]]] = defaultdict(dict)
    seen: Counter[tuple[str, str, str, str]] = Counter()
    for row in data:
        key = (row["model_or_run"], row["part"], row["source"])
        runs[*key, seen[*key, row["field"]]][row["field"]] = row
        seen[*key, row["field"]] += 1
    units = {row["field"]: row["unit"] for row in data}
    fields = [*(field for field in RUNS if field in units), *sorted(units.keys() - RUNS.keys())]
    shown = titles()
    rows = [
        Row(
            (
                plain(shown.get(run, run)),
                plain(part),
                *_run_cells(values, fields),
                cited(source),
                _notes(values),
            )
        )
        for (run, part, source, _), values in runs.items()
    ]
    named = [_with_unit(RUNS.get(field, field.replace("_", " ")), units[field]) for field in fields]
    return Table(("model or run", "part", *named, "source", "note"), tuple(rows))


def _with_unit(label: str, unit: str) -> str:
    return label if unit in UNITLESS else f"{label} ({unit})"


def _run_cells(values: Mapping[str, Mapping[str, str]], fields: Iterable[str]) -> list[Cell]:
    return [_run_cell(values[field]) if field in values else plain("", "") for field in fields]


def _run_cell(row: Mapping[str, str]) -> Cell:
    """Return a value: whether it is a bound, its boundary, PUE, basis, and its status if it is in doubt."""
    said = [
        row["qualifier"],
        BOUNDARIES.get(row["boundary"], row["boundary"]),
        {"yes": "with PUE", "no": "without PUE"}.get(row["pue_applied"], ""),
        f"by {row['basis']}" if row["basis"] else "",
        row["status"] if row["status"] in ("inferred", "contested") else "",
    ]
    aside = ", ".join(part for part in said if part)
    value = grouped(row["value"]) or row["status"]
    order = None if row["unit"] == "text" else row["value"]
    return Cell(CELLS.remarked(value, aside), value, order)


def _notes(values: Mapping[str, Mapping[str, str]]) -> Cell:
    """Return the notes on a row's values, each under the names of the values that it is on."""
    notes: dict[str, list[str]] = defaultdict(list)
    for field, row in values.items():
        if row["note"]:
            notes[row["note"]].append(RUNS.get(field, field.replace("_", " ")))
    return plain("; ".join(f"{', '.join(names)}: {note}" for note, names in notes.items()))


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the tables."""
    makers = (architecture, benchmarks, environment, accelerators)
    TABLES.update({maker.__name__: maker for maker in makers})
    return {"parallel_read_safe": True, "parallel_write_safe": True}
