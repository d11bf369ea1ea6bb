"""The third decision: where and on what a service emits no more than it may."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from cohort.architecture.decoder import ModelSpec
from cohort.chapters.decide.assistant import TYPES
from cohort.footprint.places import grid
from cohort.planning import Demand, Limits, plan

COLUMNS = ("place", "accelerator", "usd", "grams", "devices")


def by_place(
    model: ModelSpec,
    accelerators: Sequence[str],
    demand: Demand,
    limits: Limits,
    places: Sequence[str],
    grams: float,
) -> pd.DataFrame:
    """Return the way of the least CO2e of each accelerator at each place.

    Parameters
    ----------
    model, accelerators, demand, limits
        As `cohort.planning.plan` takes them; the limits without one on CO2e.
    places : sequence of str
        Places from ``cohort.grids()``.
    grams : float
        CO2e that an answer may emit, in grams.

    Returns
    -------
    DataFrame
        One row a place and accelerator: ``place``, ``accelerator``, ``usd`` for a million output tokens,
        ``grams`` of an answer, ``devices``, and whether it is ``kept`` within the limit.
    """
    rows = []
    for place in dict.fromkeys(places):
        for name in dict.fromkeys(accelerators):
            best = plan(model, name, demand, limits, place=place, frontier=False, **TYPES).least_carbon
            if best is not None:
                found = (grid(place).place, best.accelerator, best.usd_per_million_tokens)
                rows.append((*found, best.grams_per_answer, best.accelerators))
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    return table.assign(kept=table["grams"] <= grams)
