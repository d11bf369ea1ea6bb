"""Which device holds which expert: without knowing their loads, by their loads, and with popular ones twice.

Loads are those of experts over any unit; what is returned is the load of the fullest device over the mean.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from math import fsum, sqrt

from cohort.errors import ParameterError, integer
from cohort.experts.closed_form import shared_evenly

PLACEMENTS = 200  # that are drawn where nothing is known of the loads


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
    drawn = random.Random(integer("seed", seed, 0, 2**63 - 1))
    noise = [0.0] * len(loads)
    if tokens is not None:
        count = integer("tokens", tokens, 1, 2**40)
        noise = [sqrt(max(each * (1 - each), 0.0) / count) for each in loads]
    order, total, mean = list(range(len(loads))), 0.0, fsum(loads) / devices
    for _ in range(draws):
        drawn.shuffle(order)
        now = loads if tokens is None else [
            drawn.gauss(each, sd) for each, sd in zip(loads, noise, strict=True)
        ]  # fmt: skip
        total += max(sum(now[e] for e in order[s : s + held]) for s in range(0, len(order), held))
    return total / draws / mean


def by_load(loads: Sequence[float], devices: int) -> list[int]:
    """Return an order of the experts in which each device, in turn, holds as many, of loads that are close.

    The most popular expert that is left goes to the device with the least load that has room.

    Parameters
    ----------
    loads : sequence of float
        Of each expert.
    devices : int
        Devices; they divide the experts.

    Returns
    -------
    list of int
        Places of the experts in `loads`, device by device.

    Raises
    ------
    ParameterError
        If the devices do not divide the experts.

    Examples
    --------
    >>> by_load([4, 3, 2, 1], devices=2)
    [0, 3, 1, 2]
    """
    held = shared_evenly(len(loads), devices)
    places, sums = _packed([(each, expert) for expert, each in enumerate(loads)], devices, held)
    del sums
    return [expert for each in places for expert in each]


def _packed(
    pieces: Sequence[tuple[float, int]], devices: int, held: int
) -> tuple[list[list[int]], list[float]]:
    """Deal pieces of load out, the largest first, each to the device of least load that has room."""
    places: list[list[int]] = [[] for _ in range(devices)]
    sums = [0.0] * devices
    for load, expert in sorted(pieces, key=lambda piece: (-piece[0], piece[1])):
        open_ = [device for device in range(devices) if len(places[device]) < held]
        apart = [device for device in open_ if expert not in places[device]] or open_
        least = min(apart, key=lambda device: sums[device])
        places[least].append(expert)
        sums[least] += load
    return places, sums


def placed_by_load(
    known: Sequence[float], devices: int, loads: Sequence[float] | None = None, copies: int = 0
) -> float:
    """Return the load of the fullest device where experts are placed by loads that are known.

    Each copy goes to the expert with the most load for each of its places, whose load its places share
    :cite:p:`trtllmepbalancer`; then the largest piece that is left goes to the device with the least load.

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
    """
    come = known if loads is None else loads
    if len(come) != len(known):
        raise ParameterError(
            f"loads has {len(come)} values, but must have one for each of {len(known)} experts"
        )
    held = shared_evenly(len(known) + integer("copies", copies, 0, 2**20), devices)
    count = [1] * len(known)
    for _ in range(copies):
        count[max(range(len(known)), key=lambda e: known[e] / count[e])] += 1
    pieces = [(known[e] / count[e], e) for e in range(len(known)) for _ in range(count[e])]
    places, _ = _packed(pieces, devices, held)
    sums = [fsum(come[e] / count[e] for e in each) for each in places]
    return max(sums) * devices / fsum(sums)
