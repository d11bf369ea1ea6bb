"""How full the fullest device is: where experts were placed blindly, by their loads, and with copies.

Loads are those of experts over any unit; what is returned is the load of the fullest device over the mean.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from math import fsum, sqrt

from cohort.errors import ParameterError, integer
from cohort.errors.arguments import explain
from cohort.experts.closed_form import shared_evenly, slowest_device

PLACEMENTS = 200  # that are drawn where nothing is known of the loads
MOST_COPIES = 2**20
MOST_KEPT = 200_000  # places of all experts in the orders that are kept


def fullest(loads: Sequence[float], devices: int) -> float:
    """Return the load of the fullest device, where devices share experts in the order in which they stand.

    Parameters
    ----------
    loads : sequence of float
        Of each expert.
    devices : int
        Devices; they divide the experts.

    Returns
    -------
    float
        Over the mean.

    Raises
    ------
    ParameterError
        If the devices do not divide the experts.

    Examples
    --------
    >>> fullest([3, 1, 1, 1], devices=2)
    1.3333333333333333
    """
    held = shared_evenly(len(loads), devices)
    sums = [fsum(loads[start : start + held]) for start in range(0, len(loads), held)]
    return max(sums) * devices / fsum(sums)


def placed_blindly(
    loads: Sequence[float], devices: int, tokens: int | None = None, seed: int = 0, draws: int = PLACEMENTS
) -> float:
    """Return the expected load of the fullest device where nothing was known of the loads.

    Every order of the experts is as likely. Numbers say nothing of popularity, so that this is what to expect
    where experts are shared in their order.

    Parameters
    ----------
    loads : sequence of float
        Of each expert: the probability that a token is sent to it where `tokens` is given.
    devices : int
        Devices; they divide the experts.
    tokens : int, optional
        Tokens that are routed at once, which scatter as independent ones; without it loads are certain.
    seed, draws : int
        Of the orders that are drawn, and how many.

    Returns
    -------
    float
        Over the mean.

    Raises
    ------
    ParameterError
        If the devices do not divide the experts, or a value is out of its range.

    See Also
    --------
    placed_by_load : Where the loads are known.

    Examples
    --------
    >>> placed_blindly([1.0] * 64, devices=8)
    1.0
    """
    held = shared_evenly(len(loads), devices)
    draws = integer("draws", draws, 1, 1_000_000)
    seed = integer("seed", seed, 0, 2**63 - 1)
    noise: list[float] = []
    scattered: Iterator[Sequence[float]] = iter(())
    if tokens is not None:
        scattered = _normal(len(loads), seed, draws)
        count = integer("tokens", tokens, 1, 2**40)
        noise = [sqrt(max(each * (1 - each), 0.0) / count) for each in loads]
    total = 0.0
    for order in _orders(len(loads), seed, draws):
        now = loads
        if tokens is not None:
            now = [each + z * sd for each, z, sd in zip(loads, next(scattered), noise, strict=True)]
        most = max(sum([now[expert] for expert in order[s : s + held]]) for s in range(0, len(order), held))
        total += most / fsum(now)
    return total / draws * devices


def _orders(experts: int, seed: int, draws: int) -> Iterable[Sequence[int]]:
    """Return orders of the experts that are as likely as any other; a few are kept."""
    if experts * draws <= MOST_KEPT:
        return _kept_orders(experts, seed, draws)
    return _shuffled(experts, seed, draws)


def _normal(experts: int, seed: int, draws: int) -> Iterator[Sequence[float]]:
    """Return the standard normal numbers by which the loads of each draw scatter; a few are kept."""
    if experts * draws <= MOST_KEPT:
        return iter(_kept_normal(experts, seed, draws))
    return _scattered(experts, seed, draws)


def _scattered(experts: int, seed: int, draws: int) -> Iterator[tuple[float, ...]]:
    chance = random.Random(seed)
    for _ in range(draws):
        yield tuple([chance.gauss(0.0, 1.0) for _ in range(experts)])


@lru_cache(maxsize=2)
def _kept_normal(experts: int, seed: int, draws: int) -> tuple[tuple[float, ...], ...]:
    return tuple(_scattered(experts, seed, draws))


def _shuffled(experts: int, seed: int, draws: int) -> Iterator[tuple[int, ...]]:
    order, orders = list(range(experts)), random.Random(seed)
    for _ in range(draws):
        orders.shuffle(order)
        yield tuple(order)


@lru_cache(maxsize=8)
def _kept_orders(experts: int, seed: int, draws: int) -> tuple[tuple[int, ...], ...]:
    """Return the orders, which many loads of as many experts are placed in."""
    return tuple(_shuffled(experts, seed, draws))


def placed_by_load(
    known: Sequence[float],
    devices: int,
    loads: Sequence[float] | None = None,
    copies: int = 0,
    tokens: int | None = None,
) -> float:
    """Return the load of the fullest device where experts are placed by loads that are known.

    Each copy goes to the expert with the most load for each of its places, whose load its places share
    :cite:p:`trtllmepbalancer`; then the largest piece that is left goes to the device with the least load
    that has room.

    Parameters
    ----------
    known : sequence of float
        Loads that experts are placed by.
    devices : int
        Devices; they divide the experts and copies together.
    loads : sequence of float, optional
        Loads that come; by default those that were known.
    copies : int
        Places beyond one for each expert.
    tokens : int, optional
        As in `placed_blindly`; loads are then probabilities.

    Returns
    -------
    float
        Over the mean.

    Raises
    ------
    ParameterError
        If the devices do not divide the places, or there are not as many loads as were known.

    See Also
    --------
    placed_blindly : Where nothing is known.

    Examples
    --------
    >>> placed_by_load([4, 2, 1, 1], devices=2), placed_by_load([6, 1, 1, 0], devices=2, copies=2)
    (1.25, 1.0)
    >>> placed_by_load([5, 1, 1, 1], devices=2, loads=[1, 5, 1, 1])
    1.5
    """
    come = known if loads is None else loads
    if len(come) != len(known):
        raise ParameterError(
            f"loads has {len(come)} values, but must have one for each of {len(known)} experts"
        )
    held = shared_evenly(len(known) + integer("copies", copies, 0, MOST_COPIES), devices)
    count = [1] * len(known)
    for _ in range(copies):
        count[max(range(len(known)), key=lambda e: known[e] / count[e])] += 1
    pieces = [(known[e] / count[e], e) for e in range(len(known)) for _ in range(count[e])]
    places = _dealt(pieces, devices, held)
    sums = [fsum(come[e] / count[e] for e in each) for each in places]
    if tokens is None:
        return max(sums) * devices / fsum(sums)
    spread = [fsum(come[e] / count[e] * (1 - come[e] / count[e]) for e in each) for each in places]
    whole = fsum(spread) or 1.0  # of a fixed sum, which takes from each device its own part of the whole
    number = integer("tokens", tokens, 1, 2**40)
    scattered = [(number * m, number * (v - v * v / whole)) for m, v in zip(sums, spread, strict=True)]
    return slowest_device(scattered) * devices / (number * fsum(sums))


def _dealt(pieces: Sequence[tuple[float, int]], devices: int, held: int) -> list[list[int]]:
    """Deal pieces of load out, the largest first, each to the device of least load that has room.

    Copies of an expert go to different devices as long as one without it has room.
    """
    places: list[list[int]] = [[] for _ in range(devices)]
    sums = [0.0] * devices
    for load, expert in sorted(pieces, key=lambda piece: (-piece[0], piece[1])):
        room = [device for device in range(devices) if len(places[device]) < held]
        apart = [device for device in room if expert not in places[device]] or room
        least = min(apart, key=lambda device: sums[device])
        places[least].append(expert)
        sums[least] += load
    return places


explain(__name__)
