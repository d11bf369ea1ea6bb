"""The tables of the notebook `my_footprint`: parts, boundaries, factors and the rows of reports."""

from __future__ import annotations

import pandas as pd

from cohort.display.phrases import power_of_ten
from cohort.display.words import MASSES, mass_unit
from cohort.footprint import BOUNDARIES, LoggedRun, grid
from cohort.footprint.accounts import BOUNDARY_WORDS
from cohort.reports.report_rows import NOT_ASSESSED, Cell

BESIDE = ("Norway", "France", "UK", "USA", "Japan", "China", "India", "Poland")
# What a factor is called where a reader meets it.
NAMES = {
    "pue": "losses of the data centre",
    "grid_g_per_kwh": "grid of the place",
    "embodied_kg": "making one accelerator",
    "lifetime_years": "life of the hardware",
    "use_share": "share of its life in use",
    "meter_ratio": "error of the meter",
    "sample_ratio": "gaps and sampling",
    "host_ratio": "host",
    "wall_ratio": "rest of the machine",
    "network_ratio": "network",
    "development": "all that was tried",
}


def parts(run: LoggedRun) -> pd.DataFrame:
    """Return the parts of energy and CO2e, each measured or estimated.

    Parameters
    ----------
    run : LoggedRun
        The run.

    Returns
    -------
    DataFrame
        ``energy_kwh``, ``co2e_kg`` and ``status``, by part.
    """
    rows = {
        each.name: {"energy_kwh": each.energy_kwh, "co2e_kg": each.co2e_kg, "status": each.status}
        for each in run.parts()
    }
    return pd.DataFrame.from_dict(rows, orient="index")


def by_boundary(run: LoggedRun) -> pd.DataFrame:
    """Return the CO2e within each boundary that the log reaches, with its range.

    Parameters
    ----------
    run : LoggedRun
        The run.

    Returns
    -------
    DataFrame
        ``location``, ``low``, ``high`` and ``market``, by boundary; the unit is in ``attrs``.
    """
    first = 1 if run.groups else 2
    rows = {}
    for boundary in BOUNDARIES[first:]:
        whole = run.within(boundary)
        assert whole.provenance is not None
        low, high = whole.provenance.interval("co2e_kg")
        rows[BOUNDARY_WORDS[boundary]] = {
            "location": whole.co2e_kg, "low": low, "high": high, "market": whole.co2e_market_kg,
        }  # fmt: skip
    table = pd.DataFrame.from_dict(rows, orient="index")
    unit = mass_unit(float(table["location"].max()))
    table = table / MASSES[unit]
    table.attrs["unit"] = unit
    return table


def sensitivities(run: LoggedRun) -> pd.DataFrame:
    """Return by how much each factor alone moves the CO2e within the boundary.

    Parameters
    ----------
    run : LoggedRun
        The run.

    Returns
    -------
    DataFrame
        ``low`` and ``high`` in percent, by what the factor is called, the widest first; those that move it
        by less than a tenth of a percent are left out.
    """
    about = run.footprint.provenance
    assert about is not None
    values = {name: each.central for name, each in about.factors.items()}
    central, rows = run.footprint.co2e_kg, {}
    for name, each in about.factors.items():
        ends = [about.again({**values, name: end}).co2e_kg for end in (each.low, each.high)]
        low, high = (100 * (end / central - 1) if central else 0.0 for end in (min(ends), max(ends)))
        if max(abs(low), abs(high)) >= 0.1:
            kind, _, device = name.partition(": ")
            rows[NAMES.get(kind, kind) + (f", {device}" if device else "")] = {"low": low, "high": high}
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["low", "high"])
    order = (table["high"] - table["low"]).sort_values(ascending=False, kind="stable").index
    return table.loc[order]


def places(run: LoggedRun) -> dict[str, float]:
    """Return what a kWh emits in the place of the run and in some others.

    Parameters
    ----------
    run : LoggedRun
        The run.

    Returns
    -------
    dict of str to float
        In g, by place.
    """
    about = run.footprint.provenance
    assert about is not None
    own = {about.grid.place: about.factors["grid_g_per_kwh"].central}
    return {**{name: grid(name).g_per_kwh for name in BESIDE}, **own}


def cells(found: tuple[Cell, ...]) -> pd.DataFrame:
    """Return the cells of a report as a table for readers.

    Parameters
    ----------
    found : tuple of Cell
        Of one report.

    Returns
    -------
    DataFrame
        ``value``, ``range`` and ``status``, by row.
    """
    rows = {}
    for cell in found:
        value = cell.value if isinstance(cell.value, str) else NOT_ASSESSED
        if isinstance(cell.value, (int, float)):
            value = cell.with_unit(power_of_ten(cell.value))
        span = (
            ""
            if cell.low is None or cell.high is None
            else f"{power_of_ten(cell.low)} to {power_of_ten(cell.high)}"
        )
        rows[cell.row] = {"value": value, "range": span, "status": cell.status}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("what is asked")
