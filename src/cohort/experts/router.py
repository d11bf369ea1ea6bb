"""A simulated router: tokens choose distinct experts, some of which are more popular than others.

The sampling scheme is successive sampling: a token draws experts one after the other, each with a probability
in proportion to its weight, and what it has drawn already is drawn again. It is what a router does that adds
Gumbel noise to fixed scores and keeps the highest. Tokens are independent of one another.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache

from cohort.errors import ParameterError, bounded, extras, integer
from cohort.errors.arguments import explain
from cohort.experts import closed_form as closed
from cohort.experts.choosing import LONG, latest
from cohort.numeric import LIMIT

with extras():
    import numpy as np
    from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST_EXPERTS = 32_767  # so that an expert's number takes two bytes
MOST_SKEW = 4
REDRAWS = 16  # rounds in which repeated experts are drawn again, before they are excluded one by one
STEP = 0.12  # of the quadrature, in the logarithm of time
NEGLIGIBLE = 1e-17


def weights(experts: int, skew: float) -> Floats:
    """Return how experts are weighted: the one of rank r with the power ``-skew`` of r.

    Parameters
    ----------
    experts : int
        Experts.
    skew : float
        0 for alike experts; 1 is Zipf's law.

    Returns
    -------
    array of float, shape (experts,)
        Weights that add up to 1, the largest first.

    Raises
    ------
    ParameterError
        If a value is out of its range.

    See Also
    --------
    popularity : How likely each expert is among those of a token.

    Examples
    --------
    >>> weights(3, 1.0).round(4).tolist()
    [0.5455, 0.2727, 0.1818]
    """
    count = integer("experts", experts, 1, MOST_EXPERTS)
    powers = np.arange(1, count + 1, dtype=np.float64) ** -bounded("skew", skew, 0, MOST_SKEW)
    return np.asarray(powers / powers.sum())


def _checked(weighted: Floats, active: int) -> Floats:
    found = np.asarray(weighted, dtype=np.float64)
    if found.ndim != 1 or not found.size:
        raise ParameterError("weights must be one number for each expert")
    if not np.all(np.isfinite(found) & (found > 0)):
        raise ParameterError("weights must be finite numbers above 0")
    active = integer("active", active, 1, found.size)
    return np.asarray(found / found.sum())


# In closed form ---------------------------------------------------------------------------------------------
# Give each expert a clock that rings after an exponential time, at the rate of its weight: those that ring
# first are drawn. At each time, how many have rung is a sum of independent Bernoulli numbers.


def _times(weighted: Floats, active: int) -> tuple[Floats, Floats]:
    """Return points in time and their weights in a trapezoidal rule over the logarithm of time."""
    low = math.log(NEGLIGIBLE / weighted.max())
    high = math.log(LONG / weighted.min())  # until the last has rung
    if weighted.size > active:
        slowest = np.sort(weighted)[: weighted.size - active + 1].sum()
        high = min(high, math.log(latest(active, max(slowest, NEGLIGIBLE))))
    width = min(STEP, 0.7 / math.sqrt(active))  # many rung is a sharper event than few
    logs = np.arange(low, max(high, low + 1) + width, width)
    times = np.exp(logs)
    return times, width * times


def _counts_before(rung: Floats, active: int, at_most: bool = False) -> Floats:
    """Return, for each place, how likely 0 to active - 1 of the experts before it have rung.

    Parameters
    ----------
    rung : array, shape (experts, times)
        Probability that each has rung.
    at_most : bool
        Whether each number stands for itself and all below it.

    Returns
    -------
    array, shape (experts + 1, active, times)
    """
    size, times = rung.shape
    found = np.zeros((size + 1, active, times))
    found[0, : active if at_most else 1] = 1.0
    silent = 1 - rung
    for place in range(size):
        np.multiply(found[place], silent[place], out=found[place + 1])
        found[place + 1, 1:] += found[place, :-1] * rung[place]
    return found


def _fewer(before: Floats, after: Floats) -> Floats:
    """Return how likely a count before and one after add up to less than `active`; after: at most so many."""
    return np.asarray(np.einsum("...kt,...kt->...t", before, after[..., ::-1, :]))


def popularity(weighted: Floats, active: int) -> Floats:
    """Return how likely each expert is among those that a token is sent to.

    Parameters
    ----------
    weighted : array of float, shape (experts,)
        Weights above 0, as `weights` returns them.
    active : int
        Experts that a token is sent to.

    Returns
    -------
    array of float, shape (experts,)
        Probabilities that add up to `active`, to about 1e-12.

    Raises
    ------
    ParameterError
        If a value is out of its range.

    See Also
    --------
    joint_popularity : The same for pairs.

    Examples
    --------
    >>> popularity(weights(3, 1.0), active=2).round(4).tolist()
    [0.8712, 0.6606, 0.4682]
    """
    rates = _checked(weighted, active)
    if active == rates.size:
        return np.ones(rates.size)
    return rates if active == 1 else _popularity(rates.tobytes(), active).copy()


@lru_cache(maxsize=64)  # a chapter asks about the same few routers many times
def _popularity(shares: bytes, active: int) -> Floats:
    """Return the popularity of experts whose shares are given as the bytes of an array of them."""
    rates = np.frombuffer(shares)
    times, step = _times(rates, active)
    rung = -np.expm1(-np.outer(rates, times))
    before = _counts_before(rung, active)
    after = _counts_before(rung[::-1], active, at_most=True)[::-1]
    density = rates[:, None] * np.exp(-np.outer(rates, times))
    found = (density * _fewer(before[:-1], after[1:]) * step).sum(axis=1)
    return np.asarray(np.minimum(found * (active / found.sum()), 1.0))  # rounding may exceed what is certain


def joint_popularity(weighted: Floats, active: int) -> Floats:
    """Return how likely each pair of experts is among those of one token.

    Parameters
    ----------
    weighted, active
        As in `popularity`.

    Returns
    -------
    array of float, shape (experts, experts)
        Symmetric; the diagonal is the popularity of each.

    Raises
    ------
    ParameterError
        If a value is out of its range.

    Examples
    --------
    >>> joint_popularity(weights(3, 1.0), active=2).round(4)[0].tolist()
    [0.8712, 0.5318, 0.3394]
    """
    rates = _checked(weighted, active)
    alone = popularity(rates, active)
    size = rates.size
    if active == size:
        return np.ones((size, size))
    if active == 1:
        return np.diag(alone)
    times, step = _times(rates, active)
    rung = -np.expm1(-np.outer(rates, times))
    found = np.diag(alone)
    after = _counts_before(rung[::-1], active, at_most=True)[::-1]  # [f + 1]: those behind f
    before = _counts_before(rung, active)
    for e in range(size - 1):
        counts = before[e]  # of those before e, then without e of those between e and f
        for f in range(e + 1, size):
            left = np.exp(-(rates[e] + rates[f]) * times)
            neither = _missed(rates[e] + rates[f], left, _fewer(counts, after[f + 1]), step)
            found[e, f] = found[f, e] = max(alone[e] + alone[f] - 1 + neither, 0.0)
            more = counts * (1 - rung[f])
            more[1:] += counts[:-1] * rung[f]
            counts = more
    return np.asarray(found)


def _missed(rate: float, left: Floats, fewer: Floats, step: Floats) -> float:
    """Return how likely enough others ring before either of two clocks, which ring first at a joint rate."""
    return float(1 - (rate * left * fewer * step).sum())


# Simulated --------------------------------------------------------------------------------------------------


def _alias(probabilities: Floats) -> tuple[Floats, Ints]:
    """Return the table of Walker's alias method: a cut and another index for each index."""
    size = probabilities.size
    cuts = probabilities * size
    other = np.arange(size)
    small = [int(i) for i in np.flatnonzero(cuts < 1)]
    large = [int(i) for i in np.flatnonzero(cuts >= 1)]
    while small and large:
        low, high = small.pop(), large[-1]
        other[low] = high
        cuts[high] -= 1 - cuts[low]
        if cuts[high] < 1:
            small.append(large.pop())
    cuts[small + large] = 1.0
    return cuts, other


def _draw(generator: np.random.Generator, table: tuple[Floats, Ints], number: int) -> NDArray[np.int16]:
    cuts, other = table
    places = generator.random(number)
    places *= cuts.size
    index = places.astype(np.int32)
    places -= index
    return np.where(places < cuts[index], index, other[index]).astype(np.int16)


def route(weighted: Floats, active: int, tokens: int, seed: int) -> NDArray[np.int16]:
    """Send tokens to distinct experts.

    Parameters
    ----------
    weighted : array of float, shape (experts,)
        Weights above 0, as `weights` returns them.
    active : int
        Experts that each token is sent to.
    tokens : int
        Tokens.
    seed : int
        Seed of the draws.

    Returns
    -------
    array of int, shape (tokens, active)
        The experts of each token, in the order in which they were drawn.

    Raises
    ------
    ParameterError
        If a value is out of its range.

    See Also
    --------
    stream : The same with the loads that follow.

    Examples
    --------
    >>> route(weights(8, 1.0), active=2, tokens=3, seed=0).shape
    (3, 2)
    """
    rates = _checked(weighted, active)
    integer("experts", rates.size, 1, MOST_EXPERTS)
    tokens = integer("tokens", tokens, 0, LIMIT)
    generator = np.random.default_rng(integer("seed", seed, 0, 2**63 - 1))
    table = _alias(rates)
    chosen = np.full((active, tokens), -1, dtype=np.int16)
    for place in range(active):
        rows = np.arange(tokens)
        for _ in range(REDRAWS):
            drawn = _draw(generator, table, rows.size)
            repeated = np.zeros(rows.size, dtype=bool)
            for earlier in range(place):
                repeated |= chosen[earlier, rows] == drawn
            chosen[place, rows] = drawn  # repeated ones are drawn again
            rows = rows[repeated]
            if not rows.size:
                break
        else:
            chosen[place, rows] = _excluding(generator, rates, chosen[:place, rows])
    return np.ascontiguousarray(chosen.T)


def _excluding(
    generator: np.random.Generator, rates: Floats, taken: NDArray[np.int16], rows: int = 4096
) -> NDArray[np.int16]:
    """Draw one expert for each column from those not taken: for tokens whose draws keep repeating."""
    found = np.empty(taken.shape[1], dtype=np.int16)
    for start in range(0, taken.shape[1], rows):
        part = taken[:, start : start + rows]
        left = np.tile(rates, (part.shape[1], 1))
        left[np.arange(part.shape[1]), part] = 0.0
        sums = np.cumsum(left, axis=1)
        places = generator.random(part.shape[1]) * sums[:, -1]
        found[start : start + rows] = (sums <= places[:, None]).sum(axis=1)
    return found


@dataclass(frozen=True)
class Routed:
    """What a router did with a stream of tokens.

    Attributes
    ----------
    chosen : array of int, shape (tokens, active)
        The experts of each token.
    weights : array of float, shape (experts,)
        How the experts were weighted.
    """

    chosen: NDArray[np.int16]
    weights: Floats

    @cached_property
    def loads(self) -> Ints:
        """Assignments of each expert."""
        return np.bincount(self.chosen.ravel(), minlength=self.weights.size)

    @property
    def distinct(self) -> int:
        """Experts that at least one token was sent to."""
        return int(np.count_nonzero(self.loads))

    def device_loads(self, devices: int) -> Ints:
        """Return the assignments that reach each of the devices that share the experts evenly.

        Parameters
        ----------
        devices : int
            Devices.

        Returns
        -------
        array of int, shape (devices,)
            Assignments.

        Raises
        ------
        ParameterError
            If the devices do not divide the experts.
        """
        held = closed.shared_evenly(self.weights.size, devices)
        return np.asarray(self.loads.reshape(devices, held).sum(axis=1))

    def dropped(self, capacity_factor: float) -> float:
        """Return the share of the assignments that find their expert full.

        Parameters
        ----------
        capacity_factor : float
            Room of an expert, over the even share.

        Returns
        -------
        float
            From 0 to 1.

        Raises
        ------
        ParameterError
            If the factor is not a positive number, or there are no tokens.
        """
        tokens, active = self.chosen.shape
        tokens = integer("tokens", tokens, 1, LIMIT)
        room = closed.capacity(self.weights.size, active, tokens, capacity_factor)
        return float(np.maximum(self.loads - room, 0).sum() / self.chosen.size)

    def balance_loss(self) -> float:
        """Return the auxiliary loss of these tokens, as `cohort.experts.balance_loss` defines it.

        Raises
        ------
        ParameterError
            If there are no tokens.
        """
        integer("tokens", self.chosen.shape[0], 1, LIMIT)
        shares = self.loads / self.chosen.size
        return closed.balance_loss(shares.tolist(), self.weights.tolist())


def stream(experts: int, active: int, tokens: int, skew: float, seed: int) -> Routed:
    """Route a seeded stream of tokens over experts of a chosen skew.

    Parameters
    ----------
    experts, active, tokens : int
        As in `route`.
    skew : float
        As in `weights`.
    seed : int
        Seed of the draws.

    Returns
    -------
    Routed
        The experts of each token, and what follows from them.

    Raises
    ------
    ParameterError
        If a value is out of its range.

    Examples
    --------
    >>> routed = stream(experts=8, active=2, tokens=1000, skew=0.0, seed=0)
    >>> int(routed.loads.sum()), routed.distinct
    (2000, 8)
    """
    weighted = weights(experts, skew)
    return Routed(route(weighted, active, tokens, seed), weighted)


explain(__name__)
