"""What devices exchange that share the experts of a layer, predicted and published."""

from __future__ import annotations

from functools import lru_cache
from statistics import mean

import pandas as pd

from cohort.architecture.decoder import ModelSpec
from cohort.architecture.registered import model as read_model
from cohort.chapters.expert_tradeoffs.load import BLIND, expected_slowest
from cohort.chapters.expert_tradeoffs.sizes import experts_of, mixture
from cohort.errors import integer, unknown
from cohort.experts.exchange import exchange_seconds, exchanged_bytes
from cohort.registry import facts
from cohort.registry.devices import Accelerator
from cohort.registry.devices import accelerator as find_accelerator

# Bytes of a number on the way to the experts, in fp8, and back, in bf16, as the measured kernels send them.
DISPATCH_BYTES, COMBINE_BYTES = 1, 2


@lru_cache(maxsize=8)
def network(name: str = "400 Gb/s InfiniBand") -> float:
    """Return the bandwidth of a network between nodes.

    Parameters
    ----------
    name : str
        A name of the table of networks.

    Returns
    -------
    float
        Bytes a second of one device in one direction.

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
    return [
        row
        for row in rows
        if row["metric"].startswith("all_to_all_")
        and (row["source"], row["use"], row["unit"]) == ("deepep", use, "us")
    ]


def _transfer(row: dict[str, str], latency_s: float) -> float:
    """Return the predicted time of a measured exchange, in seconds."""
    width = DISPATCH_BYTES if "dispatch" in row["metric"] else COMBINE_BYTES
    device = find_accelerator(row["accelerator"])
    spec = read_model("deepseek-v3.2")  # whose expert layers are those of DeepSeek-V3
    sent = exchanged_bytes(
        int(row["concurrency"]),
        experts_of(spec).active,
        spec.hidden,
        width,
        int(row["accelerators"]),
        device.joined,
    )
    assert device.link is not None
    return exchange_seconds(sent, device.link, network(), latency_s)


@lru_cache(maxsize=1)
def latency() -> float:
    """Return the time of an exchange of nothing: what the rows marked `calibrate` leave over.

    Returns
    -------
    float
        Seconds. The rows are those of eight devices of one node.
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
    """Return the numbers of devices, in whole nodes, that share the experts of a mixture evenly.

    Parameters
    ----------
    spec : ModelSpec
        A mixture.
    accelerator : str
        The device.

    Returns
    -------
    list of int
        Rising from 1.

    Raises
    ------
    CohortError
        If the model is dense, or there is no such accelerator.
    """
    count, node = experts_of(spec).count, node_size(find_accelerator(accelerator))
    found = [each for each in range(1, count + 1) if not count % each]
    return [each for each in found if each <= node or not each % node]


def node_size(device: Accelerator) -> int:
    """Return how many devices a link joins.

    Parameters
    ----------
    device : Accelerator
        The device.

    Returns
    -------
    int
        1 where no link is known.
    """
    return max(device.joined, 1) if device.link is not None else 1


def shared(
    spec: ModelSpec, accelerator: str, tokens: int, skew: float, placement: str = BLIND
) -> pd.DataFrame:
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
    placement : str
        How experts were dealt out, as `load.balance` takes it.

    Returns
    -------
    DataFrame
        Per number of devices: as `exchange` returns it, and ``slowest``, that load over the mean.

    Raises
    ------
    CohortError
        As in `exchange`.
    """
    tokens = integer("tokens", tokens, 1, 10_000_000, unit="tokens")
    rows = {}
    for devices in groups(spec, accelerator):
        slowest = expected_slowest(spec, tokens * devices, skew, devices, placement)
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
    CohortError
        If the model is dense, a name is unknown, or a value is out of its range.
    """
    spec = model if isinstance(model, ModelSpec) else mixture(model)
    device = accelerator if isinstance(accelerator, Accelerator) else find_accelerator(accelerator)
    mixed = experts_of(spec)
    found = {}
    for name, width in (("dispatch", DISPATCH_BYTES), ("combine", COMBINE_BYTES)):
        sent = exchanged_bytes(tokens, mixed.active, spec.hidden, width, devices, node_size(device))
        wait = latency() if devices > 1 else 0.0
        found[f"{name}_bytes"] = sum(sent)
        found[f"{name}_s"] = exchange_seconds(sent, device.link or 1.0, network(), wait, imbalance)
    return found
