"""How evenly experts, and the devices that share them, are loaded by a skewed router."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from cohort.architecture.decoder import ModelSpec
from cohort.chapters.expert_tradeoffs.reads import traffic
from cohort.chapters.expert_tradeoffs.sizes import experts_of, mixture
from cohort.errors import integer
from cohort.experts import closed_form, router

ROOMS = tuple(round(0.5 + 0.05 * step, 2) for step in range(51))  # capacity factors that are drawn


DETAILED = 64  # experts up to which the variance of a skewed router's loads is worked out pair by pair


@dataclass(frozen=True)
class Balance:
    """What a skewed router does to experts and devices, by formula and by simulation.

    Attributes
    ----------
    expected, simulated : Series
        By quantity: ``slowest device`` and ``busiest expert`` over their mean, ``dropped`` share of the
        assignments and ``balance loss``.
    loads : DataFrame
        Per expert, the most popular first: ``expected`` and ``simulated`` assignments over the mean.
    skew, capacity_factor : float
        Of the router, and the room of an expert over its even share.
    expert_parallel : int
        Devices that share the experts of a layer.
    """

    expected: pd.Series
    simulated: pd.Series
    loads: pd.DataFrame
    skew: float
    capacity_factor: float
    expert_parallel: int


def balance(
    model: str | ModelSpec,
    tokens: int,
    skew: float,
    capacity_factor: float,
    expert_parallel: int,
    seed: int,
) -> Balance:
    """Return how even a skewed router loads experts and the devices that share them.

    Experts are placed by `placement`, the expected loads being known.

    Parameters
    ----------
    model : str or ModelSpec
        A mixture.
    tokens : int
        Tokens that are routed at once.
    skew : float
        Of the router, as in `cohort.experts.router.weights`.
    capacity_factor : float
        Room of an expert, over its even share.
    expert_parallel : int
        Devices that share the experts of a layer; they divide them.
    seed : int
        Of the simulation.

    Returns
    -------
    Balance
        Expected and simulated.

    Raises
    ------
    ParameterError
        If the model is dense, or a value is out of its range.
    """
    mixed = experts_of(model if isinstance(model, ModelSpec) else mixture(model))
    tokens = integer("tokens", tokens, 1, 10_000_000, unit="tokens")
    closed_form.shared_evenly(mixed.count, expert_parallel)
    ranked = router.weights(mixed.count, skew)
    order = placement(router.popularity(ranked, mixed.active).tolist(), expert_parallel)
    weighted = ranked[order]
    popular = router.popularity(weighted, mixed.active)
    stream = router.Routed(router.route(weighted, mixed.active, tokens, seed), weighted)
    even, share = tokens * mixed.active / mixed.count, tokens * mixed.active / expert_parallel
    slowest = closed_form.slowest_device(
        _device_loads(weighted, popular, mixed.active, tokens, expert_parallel)
    )
    binomial = [(tokens * p, tokens * p * (1 - p)) for p in popular.tolist()]
    expected = {
        "slowest device": slowest / share,
        "busiest expert": closed_form.slowest_device(binomial) / even,
        "dropped": closed_form.dropped(mixed.count, mixed.active, tokens, capacity_factor, popular.tolist()),
        "balance loss": closed_form.balance_loss((popular / mixed.active).tolist(), weighted.tolist()),
    }
    simulated = {
        "slowest device": stream.device_loads(expert_parallel).max() / share,
        "busiest expert": stream.loads.max() / even,
        "dropped": stream.dropped(capacity_factor),
        "balance loss": stream.balance_loss(),
    }
    loads = pd.DataFrame({"expected": popular * tokens / even, "simulated": stream.loads / even})
    by_rank = loads.iloc[pd.Series(order).argsort().to_numpy()].reset_index(drop=True)
    by_rank.index = pd.RangeIndex(1, mixed.count + 1, name="expert")
    return Balance(pd.Series(expected), pd.Series(simulated), by_rank, skew, capacity_factor, expert_parallel)


def placement(popular: Sequence[float], devices: int) -> list[int]:
    """Return an order of the experts in which each device, in turn, holds as many, of loads that are close.

    The most popular expert that is left goes to the device with the least load that has room.

    Parameters
    ----------
    popular : sequence of float
        Expected load of each expert.
    devices : int
        Devices; they divide the experts.

    Returns
    -------
    list of int
        Places of the experts in `popular`, device by device.

    Raises
    ------
    ParameterError
        If the devices do not divide the experts.
    """
    held = closed_form.shared_evenly(len(popular), devices)
    places: list[list[int]] = [[] for _ in range(devices)]
    loads = [0.0] * devices
    for expert in sorted(range(len(popular)), key=lambda e: -popular[e]):
        open_ = [device for device in range(devices) if len(places[device]) < held]
        least = min(open_, key=lambda device: loads[device])
        places[least].append(expert)
        loads[least] += popular[expert]
    return [expert for each in places for expert in each]


def expected_slowest(spec: ModelSpec, tokens: int, skew: float, devices: int) -> float:
    """Return the expected load of the slowest device over the mean, with experts placed by `placement`.

    Parameters
    ----------
    spec : ModelSpec
        A mixture.
    tokens : int
        Tokens that are routed at once.
    skew : float
        Of the router.
    devices : int
        Devices that share the experts; they divide them.

    Returns
    -------
    float
        At least 1.

    Raises
    ------
    ParameterError
        If the model is dense, or a value is out of its range.
    """
    mixed = experts_of(spec)
    ranked = router.weights(mixed.count, skew)
    popular = router.popularity(ranked, mixed.active)
    order = placement(popular.tolist(), devices)
    loads = _device_loads(ranked[order], popular[order], mixed.active, tokens, devices)
    return closed_form.slowest_device(loads) / (tokens * mixed.active / devices)


def _device_loads(
    weighted: router.Floats, popular: router.Floats, active: int, tokens: int, devices: int
) -> list[tuple[float, float]]:
    """Return mean and variance of each device's load.

    Beyond `DETAILED` experts the choices of different experts are taken for independent but for their fixed
    number, which is exact for alike experts as far as the factor (E - K) / (E - 1) goes.
    """
    count = popular.size
    if count <= DETAILED or float(weighted.max()) == float(weighted.min()):
        joint = router.joint_popularity(weighted, active).tolist() if count <= DETAILED else None
        listed = popular.tolist() if joint else None
        return closed_form.device_loads(count, active, tokens, devices, listed, joint)
    held = count // devices
    own = popular.reshape(devices, held)
    spread = (own * (1 - own)).sum(axis=1)
    means = own.sum(axis=1)
    # A fixed sum takes from each device's variance its own part of the whole, as fixed-size samples do.
    left = spread - spread**2 / spread.sum() if devices > 1 else spread * 0
    return [(tokens * float(m), tokens * float(v)) for m, v in zip(means, left, strict=True)]


def drops_by_room(
    spec: ModelSpec, tokens: int, skews: Sequence[float], rooms: Sequence[float] = ROOMS
) -> dict[str, pd.Series]:
    """Return the expected share of assignments dropped, against the room of an expert, for several skews.

    Parameters
    ----------
    spec : ModelSpec
        A mixture.
    tokens : int
        Tokens that are routed at once.
    skews : sequence of float
        Of the router, one a line.
    rooms : sequence of float
        Capacity factors.

    Returns
    -------
    dict of str to Series
        Per cent, indexed by the capacity factor, under the name of each skew.

    Raises
    ------
    ParameterError
        If the model is dense, or a value is out of its range.
    """
    mixed = experts_of(spec)
    lines = {}
    for skew in skews:
        popular = router.popularity(router.weights(mixed.count, skew), mixed.active).tolist()
        shares = [
            100 * closed_form.dropped(mixed.count, mixed.active, tokens, room, popular) for room in rooms
        ]
        lines[f"skew {skew:g}"] = pd.Series(shares, index=list(rooms))
    return lines


def by_skew(
    spec: ModelSpec,
    sequences: int,
    tokens: int,
    capacity_factor: float,
    expert_parallel: int,
    skews: Sequence[float],
) -> pd.DataFrame:
    """Return how bandwidth and balance follow the skew.

    Parameters
    ----------
    spec : ModelSpec
        A mixture.
    sequences : int
        Answers that are written at once, for what is read.
    tokens, capacity_factor, expert_parallel
        As in `balance`.
    skews : sequence of float
        The rows.

    Returns
    -------
    DataFrame
        Per skew: expected ``experts`` read of a layer, ``read``, GB of weights in 16 bits, ``busiest`` expert
        and ``slowest`` device over their mean, and the per cent ``dropped``.

    Raises
    ------
    ParameterError
        If the model is dense, or a value is out of its range.
    """
    mixed = experts_of(spec)
    records = {}
    for skew in skews:
        popular = router.popularity(router.weights(mixed.count, skew), mixed.active).tolist()
        found = balance(spec, tokens, skew, capacity_factor, expert_parallel, 0).expected
        records[skew] = {
            "experts": closed_form.coverage(mixed.count, mixed.active, sequences, popular),
            "read": traffic(spec, [sequences], skew)["skewed"][sequences],
            "busiest": found["busiest expert"],
            "slowest": found["slowest device"],
            "dropped": 100 * found["dropped"],
        }
    return pd.DataFrame.from_dict(records, orient="index").rename_axis("skew")
