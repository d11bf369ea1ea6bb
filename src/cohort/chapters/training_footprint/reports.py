"""What makers report of training runs: beside the ledger, by market, with development, and audited."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from cohort.architecture.registered import model as read_model
from cohort.architecture.registered import title
from cohort.chapters.training_footprint.tables import FULL, LEVELS, low_median_high, run_title
from cohort.display.phrases import power_of_ten
from cohort.display.words import DASH
from cohort.footprint import audit
from cohort.footprint.audit import published_rows
from cohort.footprint.published_runs import Run, run_rows
from cohort.footprint.scenarios import Scenario, modelled
from cohort.footprint.training_runs import training
from cohort.registry import facts

# The grid of reports that name no place: their makers' data centres are mostly there.
REPORTED_ON = "USA"


def run_conditions(runs: Sequence[Run]) -> pd.DataFrame:
    """Return the post's environmental table anew.

    Parameters
    ----------
    runs : sequence of Run
        What is known of each.

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
                "compute (10²¹ FLOP)": run.flop / 1e21 if run.tokens.known else None,
            }
        )
    return pd.DataFrame(records).set_index("model")


def _reported(run: Run) -> str:
    """Return what is reported of a run, or of several models together."""
    if run.reported_t is not None:
        return _plain(run.reported_t)
    for name, models in models_together().items():
        if run.name in [title(read_model(each)) for each in models]:
            report = facts.row("training_runs", model_or_run=name, part="", field="co2e_t")
            return f"{_plain(float(report['value']))}, all of {name}"
    return DASH


def models_together() -> dict[str, tuple[str, ...]]:
    """Return the reports that cover several models of the book, with these models."""
    return {
        row["model_or_run"]: tuple(row["value"].split(", "))
        for row in facts.rows("training_runs")
        if row["field"] == "models"
    }


def _hours(run: Run) -> str:
    if run.hours is not None:
        return f"{run.hours:,.0f}"
    return DASH if run.at_most is None else f"at most {run.at_most:,.0f}"


def reported_beside_modelled(runs: Sequence[Run], scenario: Scenario) -> pd.DataFrame:
    """Return what is reported beside the model, at the boundary of the report and at the full one.

    Parameters
    ----------
    runs : sequence of Run
        What is known of each.
    scenario : Scenario
        What the reader asks.

    Returns
    -------
    DataFrame
        For each run with a report: ``reported`` t of CO2e and its ``boundary``; the model's ``low``,
        ``median`` and ``high`` there; ``agrees``, whether the report lies from low to high or, where nothing
        is drawn, within `audit.TOLERANCE`; and ``full low``, ``full median`` and ``full high`` with the data
        centre and the hardware.

    Raises
    ------
    CohortError
        If a number of the scenario is out of range, or its grid is not known.

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
    columns = ["model", "reported", "boundary", *LEVELS, "agrees", *(f"full {name}" for name in LEVELS)]
    return pd.DataFrame(records, columns=columns).set_index("model")


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
    frame.index = pd.Index([run_title(name) for name in frame.index], name="run")
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

    Parameters
    ----------
    found : sequence of Check
        Values that can be recomputed.

    Returns
    -------
    DataFrame
        Per run: what is ``published``, the nearest that ``follows``, their ``ratio``, and ``from`` what.
    """
    records = [
        {
            "run": run_title(each.published.run),
            "published": f"{_plain(each.published.value)} {_FIELDS[each.published.field]}",
            "what follows": _plain(each.nearest or 0.0),
            "published over that": each.factor,
            "from": _nearest_way(each).replace(" x ", " × "),
        }
        for each in found
    ]
    columns = ["run", "published", "what follows", "published over that", "from"]
    return pd.DataFrame(records, columns=columns).set_index("run")


def _nearest_way(check: audit.Check) -> str:
    return min(check.recomputed, key=lambda way: abs(way[1] - (check.nearest or 0.0)))[0]


def _plain(value: float) -> str:
    return power_of_ten(value) if value >= 1e15 else f"{float(f'{value:.4g}'):,.10g}"
