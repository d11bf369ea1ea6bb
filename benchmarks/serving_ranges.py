"""How far measured times lie from predicted ones where the fit saw neither the model nor its services.

A new service brings what no row within a service shows: another engine's habits, another campaign's load,
another release. So the errors are those of models left out of the fit, and services, which are a model by an
engine, count alike however many rows they have. A handful of services tell less of the next one than their
percentiles pretend. The percentiles are therefore widened, in logarithms, until of models left out one by one
nine in ten times lie in the range that the services of the other models give.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from serving_constants import Constant

LEVELS = (0.05, 0.95)
HELD = 0.9  # share of the times of a service that was left out which a range is to hold, on average
WIDENINGS = np.arange(1, 3.01, 0.05)
MODELS = 3  # of a kind, from which on its own services give its range


class Service(NamedTuple):
    """A model served by an engine."""

    model: str
    engine: str


Errors = Mapping[Service, Sequence[float]]  # logarithms of measured over predicted


def percentiles(errors: Errors) -> tuple[float, float]:
    """Return the 5th and the 95th percentile of logarithms, each service weighing as much as another."""
    values = np.concatenate([np.asarray(each, float) for each in errors.values()])
    weights = np.concatenate([np.full(len(each), 1 / len(each)) for each in errors.values()])
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order]) - weights[order] / 2
    low, high = np.interp(LEVELS, reached / weights.sum(), values[order])
    return float(low), float(high)


def widened(errors: Errors, wider: float) -> tuple[float, float]:
    """Return the percentiles of logarithms, as many times as far from nothing, which they always hold."""
    low, high = percentiles(errors)
    return min(wider * low, 0.0), max(wider * high, 0.0)


def held(errors: Errors, wider: float) -> float:
    """Return the mean share of a service's times in the range that the services of other models give."""
    shares = []
    for service, own in errors.items():
        others = {each: logs for each, logs in errors.items() if each.model != service.model}
        low, high = widened(others, wider)
        shares.append(np.mean((np.asarray(own) >= low) & (np.asarray(own) <= high)))
    return float(np.mean(shares))


def widening(errors: Errors) -> float:
    """Return how many times as wide as their percentiles a range of logarithms has to be."""
    for wider in WIDENINGS:
        if held(errors, float(wider)) >= HELD:
            return float(wider)
    raise ValueError(f"services differ too much for a range of at most {WIDENINGS[-1]:.0f} times their own")


def range_rows(
    generation: str,
    name: str,
    logs: tuple[float, float],
    rows: int,
    sources: str,
    note: str,
    device: str = "",
) -> list[dict[str, str]]:
    """Return both ends of a range, such as of ``dense, token``, as rows of the table of constants."""
    return [
        Constant("spread", f"{name}, {end}", 1, 1, 1, device=device, note=note).row(
            generation, float(np.exp(value)), "measured", rows, sources
        )
        for end, value in zip(("low", "high"), logs, strict=True)
    ]
