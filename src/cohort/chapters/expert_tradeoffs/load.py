"""How evenly experts, and the devices that share them, are loaded by a skewed router."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from cohort.architecture.decoder import ModelSpec
from cohort.chapters.expert_tradeoffs.reads import traffic
from cohort.chapters.expert_tradeoffs.sizes import experts_of, mixture
from cohort.errors import integer, one_of
from cohort.experts import closed_form, router
from cohort.experts import placement as experts_placed

ROOMS = tuple(round(0.5 + 0.05 * step, 2) for step in range(51))  # capacity factors that are drawn


BLIND, BY_LOAD, COPIES = "blind", "by load", "with copies"
PLACEMENTS = (BLIND, BY_LOAD, COPIES)  # what is known of the loads, and one more place on each device


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
    placement : str
        One of `PLACEMENTS`.
    """

    expected: pd.Series
    simulated: pd.Series
    loads: pd.DataFrame
    skew: float
    capacity_factor: float
    expert_parallel: int
    placement: str


def balance(
    model: str | ModelSpec,
    tokens: int,
    skew: float,
    capacity_factor: float,
    expert_parallel: int,
    seed: int,
    placement: str = BLIND,
) -> Balance:
    """Return how even a skewed router loads experts and the devices that share them.

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
    placement : str
        How experts were dealt out to devices: ``blind``, their loads not being known, ``by load``, or ``with
        copies``, by load with one more place on each device for popular ones.

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
    weighted = router.weights(mixed.count, skew)
    popular = router.popularity(weighted, mixed.active)
    listed = popular.tolist()
    slowest = _slowest(listed, listed, expert_parallel, placement, tokens)
    stream = router.Routed(router.route(weighted, mixed.active, tokens, seed), weighted)
    even = tokens * mixed.active / mixed.count
    binomial = [(tokens * p, tokens * p * (1 - p)) for p in listed]
    expected = {
        "slowest device": slowest,
        "busiest expert": closed_form.slowest_device(binomial) / even,
        "dropped": closed_form.dropped(mixed.count, mixed.active, tokens, capacity_factor, listed),
        "balance loss": closed_form.balance_loss((popular / mixed.active).tolist(), weighted.tolist()),
    }
    simulated = {
        "slowest device": _slowest(listed, stream.loads.tolist(), expert_parallel, placement, None),
        "busiest expert": stream.loads.max() / even,
        "dropped": stream.dropped(capacity_factor),
        "balance loss": stream.balance_loss(),
    }
    loads = pd.DataFrame({"expected": popular * tokens / even, "simulated": stream.loads / even})
    loads.index = pd.RangeIndex(1, mixed.count + 1, name="expert")  # weights fall, the first being 1
    return Balance(
        pd.Series(expected),
        pd.Series(simulated),
        loads,
        skew,
        capacity_factor,
        expert_parallel,
        placement,
    )


def _slowest(
    known: Sequence[float], come: Sequence[float], devices: int, how: str, tokens: int | None
) -> float:
    """Return the load of the slowest device over the mean, with experts placed in one of `PLACEMENTS`."""
    if one_of("placement", how, PLACEMENTS) == BLIND:
        return experts_placed.placed_blindly(come, devices, tokens)
    closed_form.shared_evenly(len(known), devices)
    copies = devices if how == COPIES else 0
    return experts_placed.placed_by_load(known, devices, come, copies, tokens)


def expected_slowest(
    spec: ModelSpec, tokens: int, skew: float, devices: int, placement: str = BLIND
) -> float:
    """Return the expected load of the slowest device over the mean.

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
    placement : str
        As in `balance`.

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
    popular = router.popularity(router.weights(mixed.count, skew), mixed.active).tolist()
    return _slowest(popular, popular, devices, placement, tokens)


def sharers(spec: ModelSpec, asked: int, most: int = 32) -> list[int]:
    """Return numbers of devices that share the experts of a mixture evenly, one that is asked for among them.

    Parameters
    ----------
    spec : ModelSpec
        A mixture.
    asked : int
        Devices that must be one of them.
    most : int
        Up to which the others are listed.

    Returns
    -------
    list of int
        Rising from 1.

    Raises
    ------
    ParameterError
        If the model is dense, or what is asked for does not divide its experts.
    """
    count = experts_of(spec).count
    closed_form.shared_evenly(count, asked)
    return [
        each
        for each in range(1, max(asked, most) + 1)
        if not count % each and (each <= most or each == asked)
    ]


def by_placement(spec: ModelSpec, tokens: int, skew: float, devices: Sequence[int]) -> pd.DataFrame:
    """Return the slowest device by how experts are placed, as more devices share them.

    Parameters
    ----------
    spec : ModelSpec
        A mixture.
    tokens : int
        Tokens that are routed at once.
    skew : float
        Of the router.
    devices : sequence of int
        Numbers of devices, each of which divides the experts.

    Returns
    -------
    DataFrame
        Load of the slowest device over the mean, by devices, one column for each of `PLACEMENTS`.

    Raises
    ------
    ParameterError
        If the model is dense, or a value is out of its range.
    """
    return pd.DataFrame(
        {how: [expected_slowest(spec, tokens, skew, each, how) for each in devices] for how in PLACEMENTS},
        index=pd.Index(devices, name="devices"),
    )


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
    placement: str = BLIND,
) -> pd.DataFrame:
    """Return how bandwidth and balance follow the skew.

    Parameters
    ----------
    spec : ModelSpec
        A mixture.
    sequences : int
        Answers that are written at once, for what is read.
    tokens, capacity_factor, expert_parallel, placement
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
        found = balance(spec, tokens, skew, capacity_factor, expert_parallel, 0, placement).expected
        records[skew] = {
            "experts": closed_form.coverage(mixed.count, mixed.active, sequences, popular),
            "read": traffic(spec, [sequences], skew)["skewed"][sequences],
            "busiest": found["busiest expert"],
            "slowest": found["slowest device"],
            "dropped": 100 * found["dropped"],
        }
    return pd.DataFrame.from_dict(records, orient="index").rename_axis("skew")
