"""How likely a skewed router chooses each expert, for the standard library alone.

The router is that of `cohort.experts.router`, which simulates it and needs NumPy: experts have weights, and
a token draws some of them one after the other, none twice. Give each expert a clock that rings after an
exponential time, at the rate of its weight: those that ring first are drawn, and the probability of each is
an integral over time. `tests/unit/experts` holds both quadratures together.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

from cohort.errors import bounded, integer
from cohort.errors.arguments import explain

MOST_EXPERTS = 4096
MOST_SKEW = 4.0
STEP = 0.33  # of the trapezoidal rule, in the logarithm of time; less where many are drawn
NEGLIGIBLE = 1e-10
LONG = 45.0  # that a wait is longer than so many times its mean is as good as impossible
EARLIEST = 1e-6  # over the mean time of the first ring: before it, next to nothing has rung


def ranked_weights(experts: int, skew: float) -> list[float]:
    """Return how experts are weighted: the one of rank r with the power ``-skew`` of r.

    Parameters
    ----------
    experts : int
        Experts.
    skew : float
        0 for alike experts; 1 is Zipf's law.

    Returns
    -------
    list of float
        Weights that add up to 1, the largest first.

    Raises
    ------
    ParameterError
        If a value is out of its range.

    Examples
    --------
    >>> [round(each, 4) for each in ranked_weights(3, 1.0)]
    [0.5455, 0.2727, 0.1818]
    """
    count = integer("experts", experts, 1, MOST_EXPERTS)
    power = -bounded("skew", skew, 0, MOST_SKEW)
    found = [float(rank) ** power for rank in range(1, count + 1)]
    total = math.fsum(found)
    return [each / total for each in found]


@lru_cache(maxsize=64)
def chosen_shares(experts: int, active: int, skew: float) -> tuple[float, ...]:
    """Return how likely each expert is among those that a token is sent to.

    Parameters
    ----------
    experts, active : int
        Experts, and how many of them a token is sent to.
    skew : float
        As in `ranked_weights`.

    Returns
    -------
    tuple of float
        Probabilities that add up to `active`, the largest first; to a
        part in a million.

    Raises
    ------
    ParameterError
        If a value is out of its range.

    See Also
    --------
    cohort.experts.coverage : What a batch reads of experts that are chosen so.

    Examples
    --------
    >>> [round(each, 4) for each in chosen_shares(3, 2, 1.0)]
    [0.8712, 0.6606, 0.4682]
    """
    rates = ranked_weights(experts, skew)
    active = integer("active", active, 1, experts)
    if active == experts or not skew:
        return (active / experts,) * experts
    if active == 1:
        return tuple(rates)
    found = [0.0] * experts
    for time in _times(rates, active):
        left = [math.exp(-rate * time) for rate in rates]
        rung = experts - math.fsum(left)
        if rung > active + 1 and _tail(rung - 1, active) < NEGLIGIBLE:
            break  # enough have rung for certain, and so at all later times
        if rung < active and _tail(rung, active) < NEGLIGIBLE:
            fewer = [1.0] * experts
        else:
            fewer = _fewer(left, active)
        for place, share in enumerate(fewer):
            found[place] += rates[place] * left[place] * share * time
    scale = active / math.fsum(found)
    return tuple(min(each * scale, 1.0) for each in found)


def _times(rates: Sequence[float], active: int) -> list[float]:
    """Return points in time at even steps of its logarithm, to when enough have rung for certain."""
    slowest = math.fsum(sorted(rates)[: len(rates) - active + 1])  # at which the last one needed rings
    low, high = math.log(EARLIEST), math.log(min(latest(active, slowest), LONG / min(rates)))
    step = min(STEP, 1.0 / math.sqrt(active))
    return [math.exp(low + step * place) for place in range(math.ceil((high - low) / step) + 1)]


def latest(active: int, slowest: float) -> float:
    """Return a time at which so many experts have rung for certain.

    Parameters
    ----------
    active : int
        Experts that are drawn.
    slowest : float
        The least rate at which one of those left rings, while not all of them are drawn.

    Returns
    -------
    float
        What a sum of `active` waits at that rate exceeds with a probability below 1e-17, by Chernoff's bound.
    """
    return (active + math.sqrt(2 * LONG * active) + LONG) / slowest


def _tail(rung: float, active: int) -> float:
    """Return Chernoff's bound of how likely `active` have rung where so many are expected to, or have not."""
    return math.exp(active - rung + active * math.log(rung / active))


def _fewer(left: Sequence[float], active: int) -> list[float]:
    """Return for each expert how likely fewer than `active` of the others have rung.

    Parameters
    ----------
    left : sequence of float
        How likely each has not.
    active : int
        Experts that are drawn.
    """
    behind = [1.0] + [0.0] * (active - 1)
    for share in left:
        if share >= 0.5:
            behind = _with(behind, share)
    popular = [place for place, share in enumerate(left) if share < 0.5]
    found = [0.0] * len(left)
    counts, before = behind, []
    for place in popular:
        before.append(counts)
        counts = _with(counts, left[place])
    # From the last one on: how likely at most 0, 1, ... of the popular ones behind it have rung.
    most = [1.0] * active
    for place, others in zip(reversed(popular), reversed(before), strict=True):
        found[place] = sum(map(float.__mul__, others, reversed(most)))
        most = _with(most, left[place])
    # One that has probably not rung is taken out of all again: errors shrink on the way, by the odds.
    for place, share in enumerate(left):
        if share >= 0.5:
            odds, rest, fewer = (1.0 - share) / share, 0.0, 0.0
            for count in counts:
                rest = count / share - rest * odds
                fewer += rest
            found[place] = fewer
    return found


def _with(counts: list[float], share: float) -> list[float]:
    """Return the distribution of how many have rung with one more, which has not with this probability."""
    rung = 1.0 - share
    return [
        counts[0] * share,
        *[one * share + fewer * rung for one, fewer in zip(counts[1:], counts, strict=False)],
    ]


explain(__name__)
