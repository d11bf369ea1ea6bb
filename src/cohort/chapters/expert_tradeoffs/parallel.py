"""Experts spread over devices: how even their loads are, what they exchange, and how fast they serve."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from statistics import mean

import pandas as pd

from cohort.architecture.attention import Attention, Latent
from cohort.architecture.decoder import ModelSpec
from cohort.architecture.dtypes import precision
from cohort.architecture.registered import model as read_model
from cohort.architecture.registered import specs, title
from cohort.architecture.variants import with_changed_attention
from cohort.chapters.expert_tradeoffs.tables import mixture, traffic
from cohort.errors import ParameterError, integer, unknown
from cohort.experts import closed_form, router
from cohort.registry import facts
from cohort.registry.devices import Accelerator
from cohort.registry.devices import accelerator as find_accelerator
from cohort.serving.measurements import at_maximum, compared
from cohort.serving.roofline import attained, largest_concurrency, most_devices, serve

# Bytes of a number on the way to the experts, in fp8, and back, in bf16, as the measured kernels send them.
DISPATCH_BYTES, COMBINE_BYTES = 1, 2


ROOMS = tuple(round(0.5 + 0.05 * step, 2) for step in range(51))  # capacity factors that are drawn


DETAILED = 64  # experts up to which the variance of a skewed router's loads is worked out pair by pair


# Balance ----------------------------------------------------------------------------------------------------


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
    devices : Series
        Simulated assignments of each device, over their mean.
    """

    expected: pd.Series
    simulated: pd.Series
    loads: pd.DataFrame
    devices: pd.Series


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

    Raises
    ------
    ParameterError
        If the model is dense, or a value is out of its range.
    """
    mixed = (model if isinstance(model, ModelSpec) else mixture(model)).experts
    if mixed is None:
        raise ParameterError("model is dense, but must be a mixture of experts")
    integer("tokens", tokens, 1, 10_000_000, unit="tokens")
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
    devices = pd.Series(stream.device_loads(expert_parallel) / share, name="load").rename_axis("device")
    return Balance(pd.Series(expected), pd.Series(simulated), by_rank, devices)


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
    """Return the expected load of the slowest device over the mean, with experts placed by `placement`."""
    mixed = spec.experts
    assert mixed is not None
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

    Returns
    -------
    dict of str to Series
        Per cent, indexed by the capacity factor, under the name of each skew.
    """
    mixed = spec.experts
    assert mixed is not None
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
    """
    mixed = spec.experts
    assert mixed is not None
    records = {}
    for skew in skews:
        popular = router.popularity(router.weights(mixed.count, skew), mixed.active).tolist()
        found = balance(spec, tokens, skew, capacity_factor, expert_parallel, 0).expected
        records[skew] = {
            "experts": closed_form.coverage(mixed.count, mixed.active, sequences, popular),
            "read": traffic(spec, [sequences], skew)["skewed"].iloc[0],
            "busiest": found["busiest expert"],
            "slowest": found["slowest device"],
            "dropped": 100 * found["dropped"],
        }
    return pd.DataFrame.from_dict(records, orient="index").rename_axis("skew")


# Exchange ---------------------------------------------------------------------------------------------------


@lru_cache(maxsize=8)
def network(name: str = "400 Gb/s InfiniBand") -> float:
    """Return the bandwidth of a network between nodes, of one device in one direction, in bytes a second.

    Raises
    ------
    UnknownNameError
        If there is no such network; the message names the nearest.
    """
    rows = {row["name"]: row for row in facts.rows("networks")}
    if name not in rows:
        raise unknown("network", name, rows)
    return 1e9 * float(rows[name]["bandwidth_gb_s"])


def _measured(use: str) -> list[dict[str, str]]:
    rows = facts.rows("serving_measurements")
    return [row for row in rows if row["metric"].startswith("all_to_all_") and row["source"] == "deepep"
            and row["use"] == use and row["unit"] == "us"]  # fmt: skip


def _transfer(row: dict[str, str], latency_s: float) -> float:
    """Return the predicted time of a measured exchange, in seconds."""
    width = DISPATCH_BYTES if "dispatch" in row["metric"] else COMBINE_BYTES
    device = find_accelerator(row["accelerator"])
    spec = read_model("deepseek-v3.2")  # whose expert layers are those of DeepSeek-V3
    mixed = spec.experts
    assert mixed is not None
    sent = closed_form.exchanged_bytes(
        int(row["concurrency"]), mixed.active, spec.hidden, width, int(row["accelerators"]), device.joined
    )
    assert device.link is not None
    return closed_form.exchange_seconds(sent, device.link, network(), latency_s)


@lru_cache(maxsize=1)
def latency() -> float:
    """Return the time of an exchange of nothing, in seconds: what the rows marked `calibrate` leave over.

    They are those of eight devices of one node.
    """
    return mean(float(row["value"]) * 1e-6 - _transfer(row, 0.0) for row in _measured("calibrate"))


def exchanges() -> pd.DataFrame:
    """Return the published times of dispatch and combine beside those predicted :cite:p:`deepep`.

    They are those of the kernels for few tokens. Those for many send a token once to each node, which is
    another exchange, and their bandwidths are not compared.

    Returns
    -------
    DataFrame
        Per row: ``devices``, ``step`` (dispatch or combine), ``measured`` and ``predicted`` in microseconds,
        ``error``, relative, and ``use``, whether the latency rests on the row.
    """
    records = [
        {
            "devices": int(row["accelerators"]),
            "step": row["metric"].split("_")[3],
            "measured": float(row["value"]),
            "predicted": 1e6 * _transfer(row, latency()),
            "use": row["use"],
        }
        for use in ("calibrate", "test")
        for row in _measured(use)
    ]
    frame = pd.DataFrame(records)
    frame["error"] = frame["predicted"] / frame["measured"] - 1
    return frame


def groups(spec: ModelSpec, accelerator: str) -> list[int]:
    """Return the numbers of devices, in whole nodes, that share the experts of a mixture evenly."""
    mixed, node = spec.experts, node_size(find_accelerator(accelerator))
    assert mixed is not None
    found = [each for each in range(1, mixed.count + 1) if not mixed.count % each]
    return [each for each in found if each <= node or not each % node]


def node_size(device: Accelerator) -> int:
    """Return how many devices links join, 1 where no link is known."""
    return max(device.joined, 1) if device.link is not None else 1


def shared(spec: ModelSpec, accelerator: str, tokens: int, skew: float) -> pd.DataFrame:
    """Return what the experts of a layer exchange, for each number of devices that can share them.

    Parameters
    ----------
    spec : ModelSpec
        A mixture.
    accelerator : str
        The device.
    tokens : int
        Tokens of each device.
    skew : float
        Of the router: the load of the slowest device follows from it.

    Returns
    -------
    DataFrame
        Per number of devices: as `exchange` returns it, and ``slowest``, that load over the mean.
    """
    rows = {}
    for devices in groups(spec, accelerator):
        slowest = expected_slowest(spec, tokens * devices, skew, devices)
        rows[devices] = {**exchange(spec, accelerator, tokens, devices, slowest), "slowest": slowest}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("devices")


def exchange(
    model: str | ModelSpec, accelerator: str | Accelerator, tokens: int, devices: int, imbalance: float = 1.0
) -> dict[str, float]:
    """Return what the experts of one layer exchange, for one device.

    Parameters
    ----------
    model : str or ModelSpec
        A mixture.
    accelerator : str or Accelerator
        Whose links join the devices of a node; nodes, or devices without a known link, are joined by 400
        Gb/s InfiniBand.
    tokens : int
        Tokens of each device.
    devices : int
        Devices that share the experts.
    imbalance : float
        Load of the slowest device over the mean.

    Returns
    -------
    dict
        ``dispatch_bytes`` and ``combine_bytes`` that a device sends, and ``dispatch_s`` and ``combine_s``.

    Raises
    ------
    ParameterError
        If a value is out of its range.
    """
    spec = model if isinstance(model, ModelSpec) else mixture(model)
    device = accelerator if isinstance(accelerator, Accelerator) else find_accelerator(accelerator)
    mixed = spec.experts
    assert mixed is not None
    found = {}
    for name, width in (("dispatch", DISPATCH_BYTES), ("combine", COMBINE_BYTES)):
        sent = closed_form.exchanged_bytes(
            tokens, mixed.active, spec.hidden, width, devices, node_size(device)
        )
        wait = latency() if devices > 1 else 0.0
        found[f"{name}_bytes"] = sum(sent)
        found[f"{name}_s"] = closed_form.exchange_seconds(
            sent, device.link or 1.0, network(), wait, imbalance
        )
    return found


# A fleet ----------------------------------------------------------------------------------------------------


def step(
    spec: ModelSpec,
    accelerator: str | Accelerator,
    devices: int,
    sequences: int,
    context: int,
    weight_dtype: str = "fp8",
    kv_dtype: str = "bf16",
    imbalance: float = 1.0,
) -> dict[str, float]:
    """Return the time of a step of decode where devices share the experts, and each serves its own sequences.

    Everything but the routed experts is on every device. A device reads that, its part of the experts that
    the tokens of all devices choose, and the cache of its own sequences.

    Parameters
    ----------
    spec : ModelSpec
        A mixture.
    accelerator : str or Accelerator
        The device.
    devices : int
        Devices that share the experts.
    sequences : int
        Sequences of each device.
    context : int
        Tokens of each sequence.
    weight_dtype, kv_dtype : str
        Types of weights and cache.
    imbalance : float
        Load of the slowest device over the mean.

    Returns
    -------
    dict
        Seconds of ``weights``, ``cache``, ``matrices``, ``scores``, ``layers``, ``sequences`` and
        ``exchange``; exchange can overlap with the rest, if sequences are served in two halves.

    Raises
    ------
    CohortError
        As in `cohort.serving.serve`, or if the devices are more than the experts.
    """
    mixed = spec.experts
    if mixed is None:
        raise ParameterError(f"model is {spec.name}, which is dense, but must be a mixture")
    device = accelerator if isinstance(accelerator, Accelerator) else find_accelerator(accelerator)
    integer("expert_parallel", devices, 1, mixed.count, unit="devices")
    alone = serve(spec, device, 1, sequences, input_tokens=context, output_tokens=1,
                  weight_dtype=weight_dtype, kv_dtype=kv_dtype)  # fmt: skip
    parts = {name: seconds for name, seconds in alone.parts if name not in ("weights", "prompts", "links")}
    routed = sum(
        layer.experts.count * layer.experts.expert.parameters(spec.hidden)
        for layer in spec.layers
        if layer.experts
    )
    held = spec.parameters - (0 if spec.tied else spec.embedding_parameters) - routed
    read = held + (routed - spec.idle_experts(devices * sequences)) / devices
    rate = attained().weights["fp8" if weight_dtype in ("fp8", "fp4") else "16-bit"] * device.bandwidth
    sent = exchange(spec, device, sequences, devices, imbalance)
    layers = sum(1 for layer in spec.layers if layer.experts)
    return {
        "weights": read * precision(weight_dtype).bytes_per_element / rate,
        **parts,
        "exchange": layers * (sent["dispatch_s"] + sent["combine_s"]),
    }


def without_indexer(spec: ModelSpec) -> ModelSpec:
    """Return a model whose latent attention reads every token, as DeepSeek-V3 does before V3.2."""

    def plain(_: int, attention: Attention) -> Attention:
        return replace(attention, indexer=None) if isinstance(attention, Latent) else attention

    return with_changed_attention(spec, plain)


def expert_fleet() -> pd.DataFrame:
    """Return DeepSeek's published service beside what is predicted for it :cite:p:`deepseek2025inference`.

    The sequences of a device follow from what it writes and what one user sees. The exchange is added to the
    rest, or hidden behind it.

    Returns
    -------
    DataFrame
        ``measured``, ``predicted`` with the exchange added, and ``overlapped``, in output tokens a second of
        one device, with the relative ``error`` of both predictions; one row.
    """
    rows = [row for row in facts.rows("serving_measurements")
            if row["source"] == "deepseek2025inference" and row["phase"] == "decode"]  # fmt: skip
    values = {row["metric"]: float(row["value"]) for row in rows}
    whole = next(row for row in rows if row["metric"] == "output_throughput_per_node")
    devices = int(whole["layout"].removeprefix("EP"))
    measured = values["output_throughput_per_node"] / int(whole["accelerators"])
    sequences = round(measured / values["decode_speed_per_user"])
    spec = without_indexer(read_model("deepseek-v3.2"))
    parts = step(spec, whole["accelerator"], devices, sequences, int(whole["input_tokens"]),
                 whole["weight_dtype"], whole["kv_dtype"])  # fmt: skip
    rest = sum(parts.values()) - parts["exchange"]
    record = {
        "devices": devices,
        "sequences": sequences,
        "measured": measured,
        "predicted": sequences / (rest + parts["exchange"]),
        "overlapped": sequences / max(rest, parts["exchange"]),
    }
    record["error"] = record["predicted"] / measured - 1
    record["overlapped error"] = record["overlapped"] / measured - 1
    return pd.DataFrame([record])


# Serving ----------------------------------------------------------------------------------------------------


def smallest_group(
    spec: ModelSpec,
    accelerator: Accelerator,
    sequences: int,
    input_tokens: int,
    output_tokens: int,
    weight_dtype: str,
) -> tuple[int, int]:
    """Return the smallest power of two of devices that holds a model and so many sequences.

    Returns
    -------
    (int, int)
        Devices, and sequences that fit, at most as many as asked for. Where no group holds all of them it is
        the group that holds most; (0, 0) where none holds any.
    """
    best, devices = (0, 0), 1
    while devices <= most_devices(accelerator) and not any(heads % devices for heads in spec.attention_heads):
        most = largest_concurrency(spec, accelerator, devices, input_tokens=input_tokens,
                                   output_tokens=output_tokens, weight_dtype=weight_dtype)  # fmt: skip
        if most > best[1]:
            best = devices, min(most, sequences)
        if most >= sequences:
            break
        devices *= 2
    return best


def served(
    models: Sequence[str],
    accelerator: str,
    concurrency: int,
    input_tokens: int,
    output_tokens: int,
    weight_dtype: str = "fp8",
) -> pd.DataFrame:
    """Return throughput, latency and cost of several models, each on the smallest group for the sequences.

    Parameters
    ----------
    models : sequence of str
        Names or paths, mixtures and dense ones.
    accelerator : str
        The device.
    concurrency : int
        Sequences at once; fewer where fewer fit.
    input_tokens, output_tokens : int
        Tokens of prompt and answer.
    weight_dtype : str
        Type of the weights.

    Returns
    -------
    DataFrame
        Per model: whether it has ``experts``, ``active`` and ``total`` parameters, ``devices``, ``sequences``
        at once, ``tpot`` in seconds, ``throughput`` in output tokens a second, ``each`` of a device, and
        ``low`` and ``high``, USD per million output tokens, empty where no price is published. Models that no
        group of the accelerator holds are left out and named in ``attrs["left out"]``.
    """
    device = find_accelerator(accelerator)
    integer("concurrency", concurrency, 1, 1_000_000, unit="sequences")
    records, left_out = {}, []
    for spec in specs(models):
        devices, sequences = smallest_group(
            spec, device, concurrency, input_tokens, output_tokens, weight_dtype
        )
        if not devices:
            left_out.append(title(spec))
            continue
        found = serve(spec, device, devices, sequences, input_tokens=input_tokens,
                      output_tokens=output_tokens, weight_dtype=weight_dtype)  # fmt: skip
        prices = [found.usd_per_million_tokens(each) for each in device.usd_per_hour or ()]
        low, high = prices or (math.nan, math.nan)
        records[title(spec)] = {
            "experts": spec.experts is not None,
            "active": spec.active_parameters,
            "total": spec.parameters,
            "devices": devices,
            "sequences": sequences,
            "tpot": found.tpot_s,
            "throughput": found.output_tokens_per_s,
            "each": found.output_tokens_per_s / devices,
            "low": low,
            "high": high,
        }
    columns = [
        "experts",
        "active",
        "total",
        "devices",
        "sequences",
        "tpot",
        "throughput",
        "each",
        "low",
        "high",
    ]
    frame = pd.DataFrame.from_dict(records, orient="index", columns=columns).rename_axis("model")
    frame.attrs["left out"] = left_out
    return frame


def measured_mixtures() -> pd.DataFrame:
    """Return published measurements of mixtures beside the predictions of `cohort.serving`.

    Returns
    -------
    DataFrame
        One row a measurement: ``source``, ``model``, ``accelerator``, ``devices``, ``dtype``, ``quantity``
        (``token``, a time in seconds, or ``throughput`` at an unstated concurrency, in tokens a second),
        ``measured``, ``predicted``, ``error``, relative, and ``use``.
    """
    frames = [pd.DataFrame(compared(use)).assign(use=use) for use in ("calibrate", "test")]
    full = pd.DataFrame(at_maximum()).assign(use="test", quantity="throughput")
    columns = {"tensor_parallel": "devices", "weight_dtype": "dtype", "predicted error": "error"}
    frame = pd.concat([*frames, full], ignore_index=True).rename(columns=columns)
    mixed = [read_model(name).experts is not None for name in frame["model"]]
    kept = [
        "source",
        "model",
        "accelerator",
        "devices",
        "dtype",
        "quantity",
        "measured",
        "predicted",
        "error",
    ]
    return frame.loc[mixed, [*kept, "use"]].reset_index(drop=True)
