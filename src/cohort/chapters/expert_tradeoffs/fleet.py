"""How fast groups of devices serve mixtures: steps with shared experts, a published fleet, and services."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from cohort.architecture.attention import Attention, Latent
from cohort.architecture.decoder import ModelSpec
from cohort.architecture.registered import model as read_model
from cohort.architecture.registered import specs, title
from cohort.architecture.variants import with_changed_attention
from cohort.chapters.expert_tradeoffs.links import exchange
from cohort.chapters.expert_tradeoffs.sizes import experts_of
from cohort.errors import CohortError, integer
from cohort.numeric import largest
from cohort.registry import facts, frames
from cohort.registry.devices import Accelerator
from cohort.registry.devices import accelerator as find_accelerator
from cohort.serving.groups import device_group
from cohort.serving.layouts import Layout
from cohort.serving.memory import memory_budget
from cohort.serving.roofline import largest_concurrency, most_devices, serve


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
    device = accelerator if isinstance(accelerator, Accelerator) else find_accelerator(accelerator)
    devices = integer("expert_parallel", devices, 1, experts_of(spec).count, unit="devices")
    group = device_group(spec, device, Layout(1, 1, devices, devices > 1), weight_dtype, kv_dtype, None)
    parts = group.step(devices * sequences, context + 1)
    sent = exchange(spec, device, sequences, devices, imbalance)
    layers = sum(1 for layer in spec.layers if layer.experts)
    return {
        **{name: seconds for name, seconds in parts.items() if name not in ("links", "sequences")},
        "sequences": sequences * group.attained.sequence_s,
        "exchange": layers * (sent["dispatch_s"] + sent["combine_s"]),
    }


def without_indexer(spec: ModelSpec) -> ModelSpec:
    """Return a model whose latent attention reads every token, as DeepSeek-V3 does before V3.2.

    Parameters
    ----------
    spec : ModelSpec
        A model.

    Returns
    -------
    ModelSpec
        Alike in all but the indexers of its attention.
    """

    def plain(_: int, attention: Attention) -> Attention:
        return replace(attention, indexer=None) if isinstance(attention, Latent) else attention

    return with_changed_attention(spec, plain)


# Published services of decode alone whose devices are known, and tokens of a request while it is written.
WIDE = {"deepseek2025inference": 1, "lmsys2025largeep": 1, "vllm2026gb200": 1000}


def wide_services() -> pd.DataFrame:
    """Return published services of DeepSeek-V3 that deal its experts out, beside what is predicted.

    Sequences follow from the speed of one user where that is published; elsewhere as many are taken as the
    memory holds, which bounds the throughput from above.

    Returns
    -------
    DataFrame
        One row a service: ``source``, ``accelerator``, ``devices``, ``sequences`` of each, ``stated``,
        whether they follow from the service, ``measured`` output tokens a second of one device, ``apart`` and
        ``overlapped``, predicted with the exchange added and hidden, and ``between``, whether what was
        measured lies between.

    Raises
    ------
    CohortError
        If the data do not hold each of the services once.
    """
    spec = without_indexer(read_model("deepseek-v3.2"))
    return pd.DataFrame([_wide(spec, source, written) for source, written in WIDE.items()])


def _wide(spec: ModelSpec, source: str, written: int) -> dict[str, Any]:
    key = {"source": source, "phase": "decode"}.items()
    found = [row for row in facts.rows("serving_measurements") if key <= row.items()]
    rows = [row for row in found if row["metric"].startswith("output_throughput")]
    if len(rows) != 1:
        raise CohortError(f"{len(rows)} rows of {source} state what a decode writes; one is needed")
    row, device = rows[0], find_accelerator(rows[0]["accelerator"])
    numbered = row["layout"].startswith("EP")
    devices = int(row["layout"].removeprefix("EP")) if numbered else int(row["accelerators"])
    measured = float(row["value"]) / (int(row["accelerators"]) if "per_node" in row["metric"] else 1)
    context = int(row["input_tokens"]) + written
    types = row["weight_dtype"], row["kv_dtype"] or "fp8"
    stated = source == "deepseek2025inference"
    sequences = _that_fit(spec, device, devices, context, types)
    if stated:
        (speed,) = (float(each["value"]) for each in found if each["metric"] == "decode_speed_per_user")
        sequences = round(measured / speed)
    parts = step(spec, device, devices, sequences, context - 1, *types)
    rest = sum(parts.values()) - parts["exchange"]
    apart, hidden = sequences / (rest + parts["exchange"]), sequences / max(rest, parts["exchange"])
    return {
        "source": source,
        "accelerator": device.name,
        "devices": devices,
        "sequences": sequences,
        "stated": stated,
        "measured": measured,
        "apart": apart,
        "overlapped": hidden,
        "between": apart <= measured <= hidden,
    }


def _that_fit(
    spec: ModelSpec, device: Accelerator, devices: int, context: int, types: tuple[str, str]
) -> int:
    """Return the most sequences of each device whose cache fits beside weights and engine."""

    def fits(sequences: int) -> bool:
        return memory_budget(
            spec,
            device,
            Layout(1, 1, devices, expert=True),
            context=context,
            batch=sequences * devices,
            weight_dtype=types[0],
            kv_dtype=types[1],
        ).fits

    return largest(fits, MOST_SEQUENCES)


MOST_SEQUENCES = 4096


def dealt_out() -> pd.DataFrame:
    """Return the errors of times per token of whole services that nothing was fitted to, by layout.

    Returns
    -------
    DataFrame
        By group, ``experts dealt out``, each of its models, and ``experts split``: ``rows``, and in percent
        the ``median`` and the ``ninth_decile`` of the absolute error, and the ``bias``.
    """
    table = frames.table("serving_errors")
    rows = table[(table["by"] == "layout") & (table["time_of"] == "token")].set_index("group")
    return rows[["rows", "median", "ninth_decile", "bias"]]


def smallest_group(
    spec: ModelSpec,
    accelerator: Accelerator,
    sequences: int,
    input_tokens: int,
    output_tokens: int,
    weight_dtype: str,
) -> tuple[int, int]:
    """Return the smallest power of two of devices that holds a model and so many sequences.

    Parameters
    ----------
    spec : ModelSpec
        The model.
    accelerator : Accelerator
        The device.
    sequences : int
        Sequences at once.
    input_tokens, output_tokens : int
        Tokens of prompt and answer.
    weight_dtype : str
        Type of the weights.

    Returns
    -------
    (int, int)
        Devices, and sequences that fit, at most as many as asked for. Where no group holds all of them it is
        the group that holds most; (0, 0) where none holds any.
    """
    case: dict[str, Any] = {"input_tokens": input_tokens, "output_tokens": output_tokens}
    case["weight_dtype"] = weight_dtype
    best, devices = (0, 0), 1
    while devices <= most_devices(accelerator) and not any(heads % devices for heads in spec.attention_heads):
        most = largest_concurrency(spec, accelerator, devices, **case)
        if most > best[1]:
            best = devices, min(most, sequences)
        if most >= sequences:
            break
        devices *= 2
    return best


_SERVED = ["experts", "active", "total", "devices", "sequences", "tpot", "throughput", "each", "low", "high"]


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

    Raises
    ------
    CohortError
        If a name is unknown, or a value is out of its range.
    """
    device = find_accelerator(accelerator)
    concurrency = integer("concurrency", concurrency, 1, 1_000_000, unit="sequences")
    case: dict[str, Any] = {"input_tokens": input_tokens, "output_tokens": output_tokens}
    case["weight_dtype"] = weight_dtype
    records, left_out = {}, []
    for spec in specs(models):
        devices, sequences = smallest_group(spec, device, concurrency, **case)
        if not devices:
            left_out.append(title(spec))
            continue
        found = serve(spec, device, devices, sequences, **case)
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
    frame = pd.DataFrame.from_dict(records, orient="index", columns=_SERVED).rename_axis("model")
    frame = frame.astype({"experts": bool})  # where no model is held, too
    frame.attrs["left out"] = left_out
    return frame
