"""What is published of training runs beside what the ledger makes of them, as tables for readers.

A run is what is known of how a model was trained. What is not known of it is drawn from the ranges of the
data, so that every amount comes with its 5th, 50th and 95th percentile.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from cohort.architecture.decoder import ModelSpec
from cohort.architecture.registered import model as read_model
from cohort.architecture.registered import specs, title
from cohort.display.reader_tables import DASH
from cohort.display.words import significant
from cohort.footprint import audit
from cohort.footprint.accounts import BOUNDARIES
from cohort.footprint.audit import Published, published_rows
from cohort.footprint.factors import Range
from cohort.footprint.places import Grid, comparable, grid_factors
from cohort.footprint.places import grid as find_grid
from cohort.footprint.published_runs import (
    Run,
    known_utilisations,
    run_of,
    run_rows,
    run_size,
    siblings,
    utilisation,
)
from cohort.footprint.scenarios import Scenario, modelled
from cohort.footprint.training_runs import run_factors, run_footprint, training
from cohort.footprint.uncertainty import Spread
from cohort.registry import facts
from cohort.registry.devices import Accelerator
from cohort.registry.devices import accelerator as find_accelerator

FULL = "with_embodied"


# The grid of reports that name no place: their makers' data centres are mostly there.
REPORTED_ON = "USA"


# The boundaries in words, from the narrowest to the widest.
WORDS = {
    "accelerator_tdp": "rated power of the accelerators",
    "accelerator": "what the accelerators draw",
    "node": "whole machines",
    "facility": "the data centre",
    "with_embodied": "and making the hardware",
    "with_development": "and all that was tried",
}


def runs_of(models: Sequence[str], accelerator: str) -> list[Run]:
    """Return what is known of the training of each model, in the order given."""
    return [run_of(spec.name if spec.registered else name, accelerator) for spec, name in _named(models)]


def _named(models: Sequence[str]) -> list[tuple[ModelSpec, str]]:
    return list(zip(specs(models), dict.fromkeys(models), strict=True))


def utilisations() -> pd.DataFrame:
    """Return the share of the peak that whole runs with published hours attained.

    Six FLOP for each active parameter and token over all accelerator hours at the dense 16-bit peak.

    Returns
    -------
    DataFrame
        Per run: ``family`` of its accelerator, such as A100, and ``mfu`` as a fraction, the highest first.
    """
    found = known_utilisations(facts.modified("training_runs"))
    frame = pd.DataFrame.from_dict(found, orient="index", columns=["family", "mfu"]).rename_axis("run")
    frame.index = pd.Index([_titled(name) for name in frame.index], name="run")
    return frame.sort_values("mfu", ascending=False, kind="stable")


def _titled(name: str) -> str:
    return title(read_model(name)) if name in facts.config_names() else name


def low_median_high(spread: Spread, unit: float = 1.0) -> dict[str, float]:
    """Return ``low``, ``median`` and ``high`` of a spread, its percentiles 5, 50 and 95, over a unit."""
    return {"low": spread.low / unit, "median": spread.median / unit, "high": spread.high / unit}


def run_conditions(runs: Sequence[Run]) -> pd.DataFrame:
    """Return the post's environmental table anew.

    Returns
    -------
    DataFrame
        Per run: ``accelerator``, ``hours`` as published (with a status where they are a bound), ``rated
        power`` in W, ``reported`` t of CO2e, and ``compute`` in FLOP, from parameters and tokens; empty where
        nothing is published. A report that covers several models says so.
    """
    records = []
    for run in runs:
        records.append(
            {
                "model": run.name,
                "accelerator": run.device.name if run.device_known else DASH,
                "hours": _hours(run),
                "rated power (W)": int(run.device.tdp_w or 0) if run.device_known else pd.NA,
                "reported (t CO2e)": _reported(run),
                "compute (1e21 FLOP)": run.flop / 1e21 if run.tokens.known else None,
            }
        )
    return pd.DataFrame(records).set_index("model")


def _reported(run: Run) -> str:
    """Return what is reported of a run, or of several models together."""
    if run.reported_t is not None:
        return _plain(run.reported_t)
    for name, models in _TOGETHER.items():
        titles = [title(read_model(each)) for each in models]
        if run.name in titles:
            return f"{_plain(_together(name))}, all of {name}"
    return DASH


def _together(name: str) -> float:
    return next(row.value for row in published_rows() if (row.run, row.field) == (name, "co2e_t"))


def _hours(run: Run) -> str:
    if run.hours is not None:
        return f"{run.hours:,.0f}"
    return DASH if run.at_most is None else f"at most {run.at_most:,.0f}"


def reported_beside_modelled(runs: Sequence[Run], scenario: Scenario) -> pd.DataFrame:
    """Return what is reported beside the model, at the boundary of the report and at the full one.

    Returns
    -------
    DataFrame
        For each run with a report: ``reported`` t of CO2e and its ``boundary``; the model's ``low``,
        ``median`` and ``high`` there; ``agrees``, whether the report lies from low to high or, where nothing
        is drawn, within `audit.TOLERANCE`; and ``full low``, ``full median`` and ``full high`` with the data
        centre and the hardware.

    Notes
    -----
    At the boundary of the report, data centre and grid are those of the report: what it says of them, or
    else their ranges on `REPORTED_ON`. Only the full side follows the reader's grid and PUE.
    """
    records = []
    for run in runs:
        if run.reported_t is None:
            continue
        own = Scenario(REPORTED_ON, draws=scenario.draws, seed=scenario.seed)
        same = modelled(run, run.boundary, own, dict(run.told), run.pue_applied).spread("co2e_kg")
        full = modelled(run, FULL, scenario).spread("co2e_kg")
        levels = low_median_high(same, 1000)
        near = 0.0 if levels["low"] < levels["high"] else audit.TOLERANCE
        agrees = (1 - near) * levels["low"] <= run.reported_t <= (1 + near) * levels["high"]
        records.append(
            {"model": run.name, "reported": run.reported_t, "boundary": run.boundary}
            | levels
            | {"agrees": agrees}
            | {f"full {name}": value for name, value in low_median_high(full, 1000).items()}
        )
    columns = ["model", "reported", "boundary", *_THREE, "agrees", *(f"full {name}" for name in _THREE)]
    return pd.DataFrame(records, columns=columns).set_index("model")


_THREE = ("low", "median", "high")


AMOUNTS = {
    "accelerator_hours": ("hours (million)", 1e6),
    "energy_kwh": ("electricity (GWh)", 1e6),
    "co2e_kg": ("CO2e (t)", 1e3),
    "embodied_kg": ("hardware (t CO2e)", 1e3),
    "water_onsite_l": ("water on site (ML)", 1e6),
    "water_offsite_l": ("water off site (ML)", 1e6),
    "heat_kwh": ("heat (GWh)", 1e6),
}


def estimates(runs: Sequence[Run], scenario: Scenario, boundary: str = FULL) -> pd.DataFrame:
    """Return the percentiles of every amount of each run.

    Returns
    -------
    DataFrame
        Indexed by run; columns are pairs of an amount, a key of `AMOUNTS`, and ``low``, ``median``, ``high``,
        in the units that `AMOUNTS` names.
    """
    records = {}
    for run in runs:
        found = modelled(run, boundary, scenario)
        records[run.name] = {
            (amount, level): value
            for amount, (_, unit) in AMOUNTS.items()
            for level, value in low_median_high(found.spread(amount), unit).items()
        }
    return pd.DataFrame.from_dict(records, orient="index").rename_axis("model")


def printed_estimates(frame: pd.DataFrame, amounts: Iterable[str]) -> pd.DataFrame:
    """Return amounts of `estimates` for readers: the median, and the range from low to high in brackets."""
    return pd.DataFrame(
        {AMOUNTS[amount][0]: [_range(row[amount]) for _, row in frame.iterrows()] for amount in amounts},
        index=frame.index,
    )


def span(values: pd.Series, digits: int = 2) -> str:
    """Return the least and the greatest of some values in words, or the one where both read alike."""
    ends = (significant(float(values.min()), digits), significant(float(values.max()), digits))
    return ends[0] if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"


def _range(row: pd.Series) -> str:
    low, middle, high = (_two(row[level]) for level in _THREE)
    return middle if low == high else f"{middle} ({low} to {high})"


def _two(value: float) -> str:
    """Return a number with two significant digits, three from a thousand on, never with an exponent."""
    digits = 3 if value >= 1000 else 2
    rounded = float(f"{value:.{digits}g}")
    return np.format_float_positional(rounded, trim="-") if 0 < rounded < 1e-3 else f"{rounded:,.10g}"


# What the widest shares are due to, in words.
INPUTS = {
    "mfu": "utilisation",
    "tokens": "training tokens",
    "grid_g_per_kwh": "grid",
    "power_w": "power of the machines",
    "pue": "losses of the data centre",
    "embodied_kg": "making the hardware",
    "lifetime_years": "life of the hardware",
    "use_share": "use of the hardware",
    "development": "all that was tried",
}


def leading(causes: pd.DataFrame) -> str:
    """Return what explains most of the variance of runs, as `drivers` returns it, joined in Markdown."""
    widest = dict.fromkeys(causes.idxmax(axis=1)) if len(causes.columns) else {}
    return "* or *".join(str(name) for name in widest) or "none"


def drivers(runs: Sequence[Run], scenario: Scenario, boundary: str = FULL) -> pd.DataFrame:
    """Return what the variance of each run's CO2e is due to.

    Runs of which the same is known, on the same accelerator, have the same shares and are one row.

    Returns
    -------
    DataFrame
        One row a run, or several with the first one's name and how many others; one column an input in
        words, in the order of `INPUTS`; first-order Sobol' indices in percent. What is missing to a hundred
        is due to inputs together.
    """
    alike: dict[tuple[tuple[str, float], ...], list[str]] = {}
    for run in runs:
        shares = _shares(run, scenario, boundary)
        alike.setdefault(tuple((name, round(share, 6)) for name, share in shares.items()), []).append(
            run.name
        )
    records = {
        _together_named(names): {INPUTS[name]: 100 * share for name, share in shares}
        for shares, names in alike.items()
    }
    frame = pd.DataFrame.from_dict(records, orient="index").rename_axis("model")
    return frame.reindex(columns=[name for name in INPUTS.values() if name in frame]).fillna(0.0)


def _together_named(names: Sequence[str]) -> str:
    others = len(names) - 1
    return names[0] if not others else f"{names[0]} and {others} other{'s' if others > 1 else ''}"


def _shares(run: Run, scenario: Scenario, boundary: str) -> dict[str, float]:
    found = modelled(run, boundary, scenario).spread("co2e_kg").shares()
    return {name: share for name, share in found.items() if name in INPUTS}


def ladder(run: Run, scenario: Scenario) -> pd.DataFrame:
    """Return one run's CO2e within each boundary, in t: ``low``, ``median``, ``high`` by the words for it.

    The losses of the data centre count from its boundary on.
    """
    rows = {
        WORDS[each]: low_median_high(modelled(run, each, scenario).spread("co2e_kg"), 1000)
        for each in BOUNDARIES
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("within")


# Places -----------------------------------------------------------------------------------------------------

# Twelve grids: nine of one table, and three regions of the United States by three methods.
PLACES = (
    "Sweden",
    "France",
    "Canada",
    "Germany",
    "USA",
    "World",
    "China",
    "India",
    "US-Virginia",
    "US-PJM",
    "US-CAISO",
    "US-Wyoming",
)


METHODS = {
    ("generation", "life_cycle"): "generated there, life cycle",
    ("consumption", "life_cycle"): "consumed there, life cycle",
    ("generation", "combustion"): "generated there, combustion alone",
    ("", ""): "method not stated",
}


def in_places(run: Run, scenario: Scenario, places: Sequence[str] = PLACES) -> pd.DataFrame:
    """Return the CO2e of one run's electricity on other grids, each by its default factor.

    Returns
    -------
    DataFrame
        Per place, the cleanest first: ``g/kWh``, ``year``, ``method`` in words, ``source``, and ``low``,
        ``median`` and ``high`` t of CO2e of the electricity in the data centre; the factor is taken as known.
    """
    energy = low_median_high(modelled(run, "facility", scenario).spread("energy_kwh"))
    records = {}
    for place in dict.fromkeys(places):
        found = find_grid(place)
        records[place] = _named_grid(found) | {
            level: kwh * found.g_per_kwh / 1e6 for level, kwh in energy.items()
        }
    frame = pd.DataFrame.from_dict(records, orient="index").rename_axis("grid")
    return frame.sort_values("g/kWh", kind="stable")


# Who made a factor, where the key of the source names only where it was read.
MAKERS = {
    "co2jsember": "Ember",
    "co2jselectricitymaps": "Electricity Maps",
    "ecologits": "Our World in Data, from Ember",
    "codecarbon": "eGRID",
    "touvron2023llama": "report on LLaMA",
    "patterson2021carbon": "Patterson et al.",
    "luccioni2022bloom": "report on BLOOM",
    "morrison2025holistic": "report on OLMo",
}


def _named_grid(found: Grid) -> dict[str, Any]:
    method, source = METHODS[found.method, found.scope], MAKERS.get(found.source, found.source)
    return {"g/kWh": found.g_per_kwh, "year": found.year, "method": method, "source": source}


def spread_over(place: str) -> str:
    """Return in words which factors the ledger's range of a place is the spread of."""
    default = find_grid(place)
    methods = sorted({each.method for each in comparable(default)} - {""}, reverse=True)
    return ", ".join(filter(None, [_SCOPES[default.scope], " and ".join(f"by {name}" for name in methods)]))


_SCOPES = {
    "life_cycle": "life-cycle factors",
    "combustion": "factors of combustion alone",
    "": "factors of no stated method",
}


def factors_of(place: str) -> pd.DataFrame:
    """Return every grid factor of a place: ``g/kWh``, ``method`` in words and ``source``, by year."""
    records = [_named_grid(found) for found in grid_factors(place)]
    return pd.DataFrame(records).set_index("year")


def markets() -> pd.DataFrame:
    """Return the runs whose makers report by market as well, beside the ledger.

    Returns
    -------
    DataFrame
        Per run, in t of CO2e: ``location`` and ``market`` as reported, and ``full location`` and ``full
        market`` with data centre and hardware, at central values, every kWh matched as the makers say; the
        latter two are empty where no accelerator is published.
    """
    rows = [row for row in facts.rows("training_runs") if row["field"] in ("co2e_t", "co2e_market_t")]
    bad = {(each.published.run, each.published.value) for each in audit.contradictions()}
    records: dict[str, dict[str, float]] = {}
    for row in rows:
        if row["value"] and (row["model_or_run"], float(row["value"])) not in bad and not row["part"]:
            name = "location" if row["field"] == "co2e_t" else "market"
            records.setdefault(row["model_or_run"], {})[name] = float(row["value"])
    both = {name: found for name, found in records.items() if len(found) == 2}
    for name, found in both.items():
        found |= _matched(name)
    frame = pd.DataFrame.from_dict(both, orient="index").rename_axis("run")
    frame.index = pd.Index([_titled(name) for name in frame.index], name="run")
    return frame.reindex(columns=["location", "market", "full location", "full market"])


def _matched(name: str) -> dict[str, float]:
    """Return the full footprint of a run with every kWh matched, by location and by market."""
    rows = run_rows(name)
    if not {"accelerator", "accelerator_hours"} <= rows.keys():
        return {}
    found = training(
        accelerator=rows["accelerator"]["value"],
        accelerator_hours=float(rows["accelerator_hours"]["value"]),
        market_g_per_kwh=0,
        boundary=FULL,
    )
    return {"full location": found.co2e_kg / 1000, "full market": found.co2e_market_kg / 1000}


def development() -> pd.DataFrame:
    """Return what is published of runs together with all that was tried before.

    Returns
    -------
    DataFrame
        Per group of runs: the ``part``, its CO2e and water, and the share of all compute that was not the
        final runs; empty where it is not given.
    """
    parts: dict[tuple[str, str], dict[str, float]] = {}
    whole = {row.run for row in published_rows() if row.boundary == "with_development"}
    columns = {
        "co2e_t": ("CO2e (t)", 1.0),
        "water_l": ("water (ML)", 1e-6),
        "development_share": ("not the final runs (% of compute)", 100.0),
    }
    for row in published_rows():
        if row.run in whole and row.field in columns:
            name, unit = columns[row.field]
            parts.setdefault((row.run, row.part), {})[name] = unit * row.value
    records = [{"runs": run, "part": part, **found} for (run, part), found in parts.items()]
    return pd.DataFrame(records).set_index("runs")


# The audit --------------------------------------------------------------------------------------------------

_FIELDS = {
    "accelerator_hours": "hours",
    "energy_kwh": "kWh",
    "co2e_t": "t CO2e",
    "co2e_market_t": "t CO2e, by market",
    "water_l": "L of water",
    "mfu": "share of the peak",
    "flop_estimate": "FLOP",
}


def audited(found: Sequence[audit.Check]) -> pd.DataFrame:
    """Return checks of the audit for readers.

    Returns
    -------
    DataFrame
        Per run: what is ``published``, the nearest that ``follows``, their ``ratio``, and ``from`` what.
    """
    records = [
        {
            "run": _titled(each.published.run),
            "published": f"{_plain(each.published.value)} {_FIELDS[each.published.field]}",
            "what follows": _plain(each.nearest or 0.0),
            "published over that": each.factor,
            "from": min(each.recomputed, key=lambda way: abs(way[1] - (each.nearest or 0.0)))[0],
        }
        for each in found
    ]
    columns = ["run", "published", "what follows", "published over that", "from"]
    return pd.DataFrame(records, columns=columns).set_index("run")


def _plain(value: float) -> str:
    return f"{value:.3g}" if value >= 1e15 else f"{float(f'{value:.4g}'):,.10g}"


# Reality ----------------------------------------------------------------------------------------------------

CLASSES = {
    "arithmetic": "all that is multiplied is published: this tests the ledger, not the model",
    "place": "hours and power are published; data centre, grid or water are drawn",
    "metered": "the energy was metered; hours are predicted without any run of the same makers, but the "
    "power is not held out: its range rests on their own measurements",
    "blind": "only the total was published; everything is predicted",
    "hours": "the hours are predicted from the utilisation of all other runs",
}


@dataclass(frozen=True, slots=True)
class _Question:
    """A reported value, and what the model may know when it predicts it."""

    kind: str
    run: str
    amount: str
    unit: float
    reported: float
    boundary: str
    apply_pue: bool
    parts: tuple[Run, ...]
    known: tuple[tuple[str, float | Range | None], ...]


_AMOUNT_OF = {"energy_kwh": ("energy_kwh", 1.0), "co2e_t": ("co2e_kg", 1e3), "water_l": ("water_l", 1.0)}


def accuracy(scenario: Scenario) -> pd.DataFrame:
    """Return every reported value that the model can predict at its own boundary, beside the prediction.

    Rows that contradict themselves are left out; what is derived or estimated is none. Of a run whose energy
    was metered the model is told its parameters and tokens and the accelerator. Its utilisation comes from
    other makers' runs alone, but the range of the power of accelerators rests on measurements of the same
    makers: the data hold no others. Elsewhere utilisation comes from all other runs.

    Returns
    -------
    DataFrame
        Per value: ``class``, a key of `CLASSES`; ``run``; ``amount``; ``reported``, ``low``, ``median`` and
        ``high`` in one unit; ``error``, median over reported less 1; and ``inside``, whether the reported
        value lies from low to high.

    Notes
    -----
    The models of one report share their draws: one maker's data centres, grid and machines.
    """
    records = []
    for each in [*_arithmetic(), *_metered(), *_blind(), *_hours_known()]:
        found = [
            modelled(
                part, each.boundary, scenario, dict(each.known), each.apply_pue, each.kind == "arithmetic"
            )
            for part in each.parts
        ]
        values = sum(one.spread(each.amount).values for one in found)
        spread = Spread(np.asarray(values), found[0].inputs)
        levels = low_median_high(spread, each.unit)
        drawn = each.kind == "arithmetic" and levels["low"] < levels["high"]
        records.append(
            {
                "class": "place" if drawn else each.kind,
                "run": each.run,
                "amount": each.amount,
                "reported": each.reported,
            }
            | levels
            | {
                "error": levels["median"] / each.reported - 1,
                "inside": levels["low"] <= each.reported <= levels["high"],
            }
        )
    return pd.DataFrame(records)


def _footprint_rows() -> list[Published]:
    """Return the published energies, emissions and water of runs that do not contradict themselves."""
    bad = {each.published for each in audit.contradictions()}
    narrow = BOUNDARIES[: BOUNDARIES.index("facility") + 1]
    return [
        row
        for row in published_rows()
        if row.field in _AMOUNT_OF and row.boundary in narrow and row.status == "stated" and row not in bad
    ]


def _values_of(name: str, part: str) -> dict[str, float]:
    """Return the published numbers of a run by field, those of a part before those of the whole."""
    rows = [row for row in published_rows() if row.run == name]
    return {row.field: row.value for own in ("", part) for row in rows if row.part == own}


def _told(row: Published, values: dict[str, float]) -> dict[str, float | Range | None]:
    """Return what a report says of its data centre and its grid."""
    grid = values.get("grid_g_per_kwh")
    if grid is None and row.basis == "location":
        used = [float(each["value"]) for each in facts.rows("grids") if each["source"] == row.source]
        grid = used[0] if len(used) == 1 else None
    return {"pue": values.get("pue"), "grid_g_per_kwh": grid}


def _arithmetic() -> list[_Question]:
    """Return the reports whose hours and power are published, so that they are a multiplication."""
    questions = []
    for row in _footprint_rows():
        values = _values_of(row.run, row.part)
        hours = values.get("accelerator_hours")
        if hours is None and {"accelerator_count", "training_days"} <= values.keys():
            hours = values["accelerator_count"] * values["training_days"] * 24
        near = "node" if row.boundary == "facility" else row.boundary
        power = [
            each.value
            for each in published_rows()
            if (each.run, each.field, each.boundary) == (row.run, "power_w", near)
            and each.part in ("", row.part)
        ]
        device = run_rows(row.run).get("accelerator", {}).get("value")
        if hours is None or not (power or (near == "accelerator_tdp" and device)):
            continue
        chip = _device_or(device)
        known = _told(row, values) | {"power_w": power[0] if power else chip.tdp_w}
        run = Run(row.run, chip, True, hours, None, 1.0, Range.exact(1.0, "tokens"))
        questions.append(_question("arithmetic", row, (run,), known))
    return questions


def _device_or(name: str | None) -> Accelerator:
    """Return an accelerator, or any where none is known and its power is."""
    known = [row["name"] for row in facts.rows("accelerators")]
    return find_accelerator(name if name in known else known[0])


def _question(
    kind: str, row: Published, parts: tuple[Run, ...], known: dict[str, float | Range | None]
) -> _Question:
    amount, unit = _AMOUNT_OF[row.field]
    told = tuple(known.items())
    return _Question(
        kind, _titled(row.run), amount, unit, row.value, row.boundary, row.pue_applied, parts, told
    )


def _metered() -> list[_Question]:
    """Return the metered energies of accelerators, as far as the tokens of the run are known.

    CO2e and water that were computed from them are no news, nor is the energy with the losses on top.
    """
    questions = []
    for row in _footprint_rows():
        metered = (row.field, row.boundary, row.pue_applied) == ("energy_kwh", "accelerator", False)
        run = _sized(row.run) if metered else None
        if run is not None:
            known: dict[str, float | Range | None] = {
                "mfu": utilisation(run.device, without=siblings(row.run))
            }
            questions.append(_question("metered", row, (run,), known))
    return questions


def _sized(name: str) -> Run | None:
    """Return a run by its parameters, tokens and accelerator; None where one of them is not known."""
    rows = run_rows(name)
    active, tokens = run_size(name, rows)
    device = rows.get("accelerator")
    if active is None or tokens is None or device is None:
        return None
    chip = find_accelerator(device["value"])
    return Run(name, chip, True, None, None, active, Range.exact(tokens, "tokens"))


# Reports that cover several models, with these.
_TOGETHER = {
    "Gemma 2B and 7B": ("gemma-2b", "gemma-7b"),
    "Gemma 2 2B, 9B and 27B": ("gemma-2-2b", "gemma-2-9b", "gemma-2-27b"),
}


def _blind() -> list[_Question]:
    """Return the reports from meters of which neither hours, power nor energy are published."""
    questions = []
    for row in _footprint_rows():
        parts = tuple(run for name in _TOGETHER.get(row.run, ()) if (run := _sized(name)))
        if parts:
            questions.append(_question("blind", row, parts, {}))
    return questions


def _hours_known() -> list[_Question]:
    """Return the runs whose hours are published, each to be predicted from the others."""
    questions = []
    for name in known_utilisations(facts.modified("training_runs")):
        run = _sized(name)
        if run is not None:
            hours = float(run_rows(name)["accelerator_hours"]["value"])
            known: dict[str, float | Range | None] = {"mfu": utilisation(run.device, without=(name,))}
            questions.append(
                _Question(
                    "hours",
                    _titled(name),
                    "accelerator_hours",
                    1.0,
                    hours,
                    "accelerator_tdp",
                    False,
                    (run,),
                    tuple(known.items()),
                )
            )
    return questions


def by_class(compared: pd.DataFrame) -> pd.DataFrame:
    """Return how well each class is met.

    Parameters
    ----------
    compared : DataFrame
        As `accuracy` returns it.

    Returns
    -------
    DataFrame
        Per class: ``values``; ``median error`` and ``widest error``, absolute, as fractions; and ``inside``,
        how many lie from the 5th to the 95th percentile, none in the class where nothing is drawn.
    """
    records = {}
    for kind in CLASSES:
        rows = compared[compared["class"] == kind]
        if len(rows):
            records[kind] = {
                "values": len(rows),
                "median error": float(rows["error"].abs().median()),
                "widest error": float(rows["error"].abs().max()),
                "inside": pd.NA if kind == "arithmetic" else int(rows["inside"].sum()),
            }
    return pd.DataFrame.from_dict(records, orient="index").rename_axis("class")


# The classes in which hours, power or both are predicted.
PREDICTED = ("metered", "blind", "hours")


def range_coverage(compared: pd.DataFrame, kinds: Collection[str] = ("place", *PREDICTED)) -> float:
    """Return the share of reported values from the 5th to the 95th percentile, in some classes."""
    return float(compared[compared["class"].isin(kinds)]["inside"].mean())


def _from(given: Range, floor: float) -> Range:
    """Return a range that begins at a floor, where it lies above its low value."""
    low, central, high = (max(end, floor) for end in (given.low, given.central, given.high))
    return replace(given, low=low, central=central, high=high)


# What would change the answer -------------------------------------------------------------------------------


def footprint_sensitivity(run: Run, scenario: Scenario, boundary: str = FULL) -> pd.DataFrame:
    """Return how one run's CO2e follows each input, from its low to its high value, the others central.

    Returns
    -------
    DataFrame
        Per input in words, the widest first: CO2e in t at its ``low`` and its ``high`` value.
    """
    own = {"mfu": utilisation(run.device), "power_w": run.power(boundary)} | scenario.known
    ranges = run_factors(run.device, scenario.grid, boundary, own)
    if run.hours is None:
        ranges |= {"mfu": _from(ranges["mfu"], run.floor), "tokens": run.tokens}
    central = {name: each.central for name, each in ranges.items()}

    def tonnes(values: dict[str, float]) -> float:
        rest = dict(values)
        flop = 6 * run.active * rest.pop("tokens", 0.0)
        compute = (None, flop) if run.hours is None else (run.hours, None)
        return run_footprint(boundary, run.device, compute, rest).co2e_kg / 1000

    records = {
        INPUTS[name]: [tonnes({**central, name: end}) for end in (each.low, each.high)]
        for name, each in ranges.items()
        if name in INPUTS and not each.known
    }
    frame = pd.DataFrame.from_dict(records, orient="index", columns=["low", "high"]).rename_axis("input")
    frame = frame[frame["low"] != frame["high"]]
    widest = (frame["high"] - frame["low"]).abs().sort_values(ascending=False, kind="stable")
    return frame.loc[widest.index]
