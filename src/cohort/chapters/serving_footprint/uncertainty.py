"""How sure an answer is: drawn from its factors, what its spread is due to, and what changes it."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist
from typing import Any

import pandas as pd

from cohort.architecture.registered import specs, title
from cohort.chapters.serving_footprint.tables import WH, answer_of, service_of
from cohort.errors import DoesNotFitError
from cohort.footprint import answers
from cohort.footprint.factors import factor
from cohort.footprint.uncertainty import Spread, propagate


def drawn_spread() -> float:
    """Return the geometric standard deviation of measured over predicted energy that answers are drawn from.

    Returns
    -------
    float
        Of the lognormal whose 95th percentile the table of factors has.

    Examples
    --------
    >>> round(drawn_spread(), 2)
    1.38
    """
    high = factor("serving", "measured energy over that of the terms").high
    return float(high ** (1 / NormalDist().inv_cdf(0.95)))


def answer_spread(
    found: answers.Service, grid: str, what: str = "energy", draws: int = 100_000, seed: int = 0
) -> Spread:
    """Return an answer with its uncertainty.

    Parameters
    ----------
    found : Service
        The service that gives it.
    grid : str
        A place from ``cohort.grids()``.
    what : str
        ``energy`` in Wh of the data centre, or ``co2e`` in grams, the hardware included.
    draws, seed : int
        Draws of each factor, and their seed.

    Returns
    -------
    Spread
        Of one answer.

    Raises
    ------
    CohortError
        If a number is out of range, or there is no such grid.
    """
    ranges = answers.answer_factors(found.device, grid, carried=found.carried)

    def answer(**values: Any) -> Any:
        if what == "energy":
            return WH * answers.answer_footprint("facility", found, values).energy_kwh
        return 1000 * answers.answer_footprint("with_embodied", found, values).co2e_kg

    return propagate(answer, ranges, draws, seed)


def own_queries(
    models: Sequence[str], concurrency: int, seed: int = 0, draws: int = 20_000, **request: Any
) -> pd.DataFrame:
    """Return answers as this book computes them, from the 5th to the 95th percentile.

    Parameters
    ----------
    models : sequence of str
        Names or paths.
    concurrency : int
        Answers that are written at once.
    seed, draws : int
        Seed of the draws, and how many.
    **request
        ``accelerator``, ``input_tokens``, ``output_tokens`` and ``grid``.

    Returns
    -------
    DataFrame
        Per model that the accelerators hold: ``low``, ``wh`` (with central factors) and ``high`` in Wh of the
        data centre.

    Raises
    ------
    CohortError
        If a number is out of range, or a name is not known.
    """
    grid, records = request.get("grid", "USA"), {}
    for spec in specs(models):
        found = answer_of(spec, concurrency, **request)
        if found is not None:
            service = service_of(spec, concurrency, **request)
            drawn = answer_spread(service, grid, draws=draws, seed=seed)
            records[f"{title(spec)}, here"] = {"low": drawn.low, "wh": found["wh"], "high": drawn.high}
    return pd.DataFrame.from_dict(records, orient="index", columns=["low", "wh", "high"])


FACTOR_NAMES = {
    "energy_ratio": "the terms against measurements",
    "host_ratio": "the host",
    "idle_share": "machines that wait",
    "pue": "the data centre",
    "grid_g_per_kwh": "the grid",
    "embodied_kg": "making the hardware",
    "lifetime_years": "years of service",
    "use_share": "share of them in use",
    "wue_onsite": "water on site",
    "wue_offsite": "water off site",
    "embodied_water_l": "water for the hardware",
}


def shares(found: Spread) -> pd.Series:
    """Return the share of the variance that each factor explains.

    Parameters
    ----------
    found : Spread
        Of an answer.

    Returns
    -------
    Series
        Percent by names for readers, the largest first; factors below half a percent are left out.
    """
    named = {FACTOR_NAMES[name]: 100 * share for name, share in found.shares().items()}
    series = pd.Series(named, dtype=float)
    return series[series >= 0.5]


def co2e_if_changed(model: str, concurrency: int, **request: Any) -> pd.DataFrame:
    """Return how an answer's CO2e, its hardware included, changes when one thing does.

    Parameters
    ----------
    model : str
        A name or path.
    concurrency : int
        Answers that are written at once.
    **request
        As `cohort.footprint.serving` takes it.

    Returns
    -------
    DataFrame
        Per change: ``grams`` and ``times`` those of the chosen answer; a change is left out where the memory
        does not hold it.

    Raises
    ------
    CohortError
        If a number is out of range, a name is not known, or the chosen answer fits no group of accelerators.
    """
    base = {"model": model, "concurrency": concurrency, "boundary": "with_embodied", **request}
    fewer = max(concurrency // 8, 1)
    cases: dict[str, dict[str, Any]] = {
        f"{fewer:,} at once": {"concurrency": fewer},
        "ten times the tokens": {"output_tokens": 10 * base["output_tokens"]},
        "one byte a weight": {"weight_dtype": "fp8"},
        "no machine waits": {"idle_share": 0.0},
        "an average data centre": {"pue": factor("average data centre", "pue").central},
        "the grid of France": {"grid": "France"},
        "the grid of India": {"grid": "India"},
        "hardware in use a quarter of its life": {"use_share": 0.25},
    }
    grams = {"as chosen": 1000 * answers.serving(**base).co2e_kg}
    for name, change in cases.items():
        try:
            grams[name] = 1000 * answers.serving(**{**base, **change}).co2e_kg
        except DoesNotFitError:
            continue
    frame = pd.DataFrame({"grams": grams})
    return frame.assign(times=frame["grams"] / grams["as chosen"])
