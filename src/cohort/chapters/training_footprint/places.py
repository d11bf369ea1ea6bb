"""The same run on other grids, and what the data hold of a grid."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from cohort.chapters.training_footprint.tables import low_median_high
from cohort.footprint.places import Grid, comparable, grid_factors
from cohort.footprint.places import grid as find_grid
from cohort.footprint.published_runs import Run
from cohort.footprint.scenarios import Scenario, modelled

# Twelve grids: eight by one method, and four regions of the United States by others.
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

    Parameters
    ----------
    run : Run
        What is known of it.
    scenario : Scenario
        What the reader asks.
    places : sequence of str
        Places from ``cohort.grids()``.

    Returns
    -------
    DataFrame
        Per place, the cleanest first: ``g/kWh``, ``year``, ``method`` in words, ``source``, and ``low``,
        ``median`` and ``high`` t of CO2e of the electricity in the data centre; the factor is taken as known.

    Raises
    ------
    CohortError
        If a number of the scenario is out of range, or there is no such place.
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


_SCOPES = {
    "life_cycle": "life-cycle factors",
    "combustion": "factors of combustion alone",
    "": "factors of no stated method",
}


def spread_over(place: str) -> str:
    """Return which factors the ledger's range of a place is the spread of.

    Parameters
    ----------
    place : str
        A place from ``cohort.grids()``.

    Returns
    -------
    str
        Their scope and their methods, in words.

    Raises
    ------
    UnknownNameError
        If there is no such place.
    """
    default = find_grid(place)
    methods = sorted({each.method for each in comparable(default)} - {""}, reverse=True)
    return ", ".join(filter(None, [_SCOPES[default.scope], " and ".join(f"by {name}" for name in methods)]))


def factors_of(place: str) -> pd.DataFrame:
    """Return every grid factor of a place.

    Parameters
    ----------
    place : str
        A place from ``cohort.grids()``.

    Returns
    -------
    DataFrame
        By year: ``g/kWh``, ``method`` in words and ``source``.

    Raises
    ------
    UnknownNameError
        If there is no such place.
    """
    records = [_named_grid(found) for found in grid_factors(place)]
    return pd.DataFrame(records).set_index("year")
