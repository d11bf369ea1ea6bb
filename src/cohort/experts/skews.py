"""The skew of a router whose experts are as unevenly loaded as measured ones."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from cohort.errors import bounded, integer
from cohort.errors.arguments import explain
from cohort.experts.router import MOST_EXPERTS, MOST_SKEW, popularity, weights


def skew_of(variation: float, experts: int, active: int) -> float:
    """Return the skew whose loads of experts vary as much as measured ones.

    Parameters
    ----------
    variation : float
        Standard deviation of the loads over their mean.
    experts, active : int
        Experts, and how many a token is sent to.

    Returns
    -------
    float
        As `cohort.experts.router.weights` takes it, to a hundredth: 0 for no variation, at most 4.

    Raises
    ------
    ParameterError
        If a value is out of its range.

    See Also
    --------
    cohort.experts.loads.measured_loads : Loads of measured routers.

    Examples
    --------
    >>> skew_of(0.9, experts=64, active=8)
    0.74
    """
    count = integer("experts", experts, 1, MOST_EXPERTS)
    wanted = bounded("variation", variation, 0)

    return _least_skew(lambda skew: _unevenness(count, active, skew)[0], wanted)


def skew_of_hottest(hottest: float, experts: int, active: int) -> float:
    """Return the skew whose most popular expert has as much of the load as a measured one.

    Parameters
    ----------
    hottest : float
        Load of the most popular expert over the mean.
    experts, active : int
        Experts, and how many a token is sent to.

    Returns
    -------
    float
        As `cohort.experts.router.weights` takes it, to a hundredth: 0 for an even load, at most 4.

    Raises
    ------
    ParameterError
        If a value is out of its range.

    See Also
    --------
    skew_of : By how much all loads vary.

    Examples
    --------
    >>> skew_of_hottest(20.5, experts=128, active=4)
    1.08
    """
    count = integer("experts", experts, 1, MOST_EXPERTS)
    active = integer("active", active, 1, count)
    wanted = bounded("hottest", hottest, 1, count / active)  # then every token is sent to it

    return _least_skew(lambda skew: _unevenness(count, active, skew)[1], wanted)


@lru_cache(maxsize=4096)
def _unevenness(count: int, active: int, skew: float) -> tuple[float, float]:
    """Return by how much the loads of experts vary, and the largest, over their mean."""
    found = popularity(weights(count, skew), active)
    mean = float(found.mean())
    return float(found.std()) / mean, float(found.max()) / mean


def _least_skew(rising: Callable[[float], float], wanted: float) -> float:
    """Return the skew, in hundredths, at which a rising function is nearest to what is wanted."""
    low, high = 0, 100 * MOST_SKEW
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if rising(middle / 100) >= wanted else (middle, high)
    return min((low, high), key=lambda each: abs(rising(each / 100) - wanted)) / 100


explain(__name__)
