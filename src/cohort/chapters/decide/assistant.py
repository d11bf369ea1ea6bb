"""The first decision: on what an assistant runs, accelerator by accelerator, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from math import erf, log, sqrt
from typing import Any

import pandas as pd

from cohort.architecture.decoder import ModelSpec
from cohort.planning import Demand, Limits, Option, Plan, plan

TYPES: dict[str, Any] = {"weight_dtypes": ["bf16", "fp8"], "kv_dtypes": ["bf16", "fp8"]}
NINE_IN_TEN = 1.645  # standard deviations from the middle to the 5th and the 95th percentile
COLUMNS = ("option", "usd", "low", "high", "devices", "token", "first", "energy", "grams")


def cheapest_each(
    model: ModelSpec, accelerators: Sequence[str], demand: Demand, limits: Limits, **further: Any
) -> pd.DataFrame:
    """Return the cheapest way on each accelerator.

    Parameters
    ----------
    model : ModelSpec
        The model.
    accelerators : sequence of str
        Names of accelerators.
    demand, limits
        As `cohort.planning.plan` takes them.
    **further
        As `cohort.planning.plan` takes them.

    Returns
    -------
    DataFrame
        One row an accelerator that has one, the cheapest first: the ``option``; ``usd`` for a million output
        tokens with its ``low`` and ``high``, were the time of a token at the ends of its range; ``devices``;
        ``token`` and ``first`` in seconds; ``energy`` in Wh and ``grams`` of CO2e an answer.
    """
    rows = {}
    for name in dict.fromkeys(accelerators):
        option = plan(model, name, demand, limits, frontier=False, **{**TYPES, **further}).cheapest
        if option is not None:
            rows[option.accelerator] = _row(option)
    table = pd.DataFrame.from_dict(rows, orient="index", columns=list(COLUMNS))
    return table.sort_values("usd", kind="stable").rename_axis("accelerator")


def _row(option: Option) -> dict[str, Any]:
    usd = float(option.usd_per_million_tokens or 0.0)
    low, high = option.serving.spread[0]
    return {
        "option": option,
        "usd": usd,
        "low": usd * low,
        "high": usd * high,
        "devices": option.accelerators,
        "token": option.serving.tpot_s,
        "first": option.serving.ttft_s,
        "energy": None if option.energy_kwh is None else 1e3 * option.energy_kwh,
        "grams": option.grams_per_answer,
    }


def chance_of_the_second(table: pd.DataFrame) -> float | None:
    """Return the chance that the second accelerator is the cheaper one after all.

    Parameters
    ----------
    table : DataFrame
        As `cheapest_each` returns it.

    Returns
    -------
    float or None
        From 0 to 1, were both prices lognormal with their ranges and independent; None without a second.
    """
    if len(table) < 2:
        return None
    first, second = table.iloc[0], table.iloc[1]
    spread = sqrt(sum((log(row["high"] / row["low"]) / (2 * NINE_IN_TEN)) ** 2 for row in (first, second)))
    return 0.5 * (1 + erf(log(first["usd"] / second["usd"]) / spread / sqrt(2)))


def funnel(found: Plan) -> list[tuple[str, int]]:
    """Return how many ways are left at each step of a plan.

    Parameters
    ----------
    found : Plan
        The plan.

    Returns
    -------
    list of (str, int)
        What they are, and how many.
    """
    unfit = sum(each.kind == "memory" for each in found.rejected)
    return [
        ("ways to share the model" if found.tried != 1 else "way to share the model", found.tried),
        ("fit the memory", found.tried - unfit),
        ("keep every limit", found.kept),
        ("are beaten by no other", len(found.options)),
    ]
