"""What a change buys, as tables: variants of a model, other accelerators, other shares and fixed times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from cohort.architecture.attention import Attention, GroupedQuery, Latent
from cohort.architecture.decoder import ModelSpec
from cohort.architecture.registered import model as read_model
from cohort.architecture.variants import heads_and_size, split_into_experts, with_all_experts, with_attention
from cohort.chapters.serving_roofline.tables import by_concurrency, concurrency_steps
from cohort.registry.devices import Accelerator, accelerators, as_accelerator
from cohort.registry.devices import accelerator as find_accelerator
from cohort.serving.roofline import attained, largest_concurrency, most_devices, serve


def savings(
    model: str,
    accelerator: str,
    tensor_parallel: int,
    concurrency: int,
    input_tokens: int,
    output_tokens: int,
    weight_dtype: str = "bf16",
    kv_dtype: str = "bf16",
) -> pd.DataFrame:
    """Return what attention, experts and precision buy: the model, and the model with one thing changed each.

    Heads and their size stay those of the model. How good such models would be is another question.

    Parameters
    ----------
    model, accelerator, tensor_parallel, concurrency, input_tokens, output_tokens, weight_dtype, kv_dtype
        As in `serve`.

    Returns
    -------
    DataFrame
        Per variant: ``bytes`` that a step of `concurrency` sequences reads, of all devices, ``most``, the
        sequences that fit, and ``throughput`` with that many, in output tokens a second, empty where none
        fits.

    Raises
    ------
    CohortError
        As in `serve`.
    """
    shape = {"accelerator": accelerator, "tensor_parallel": tensor_parallel}
    shape |= {"input_tokens": input_tokens, "output_tokens": output_tokens}
    records = {}
    for name, changes in _variants(read_model(model), weight_dtype, kv_dtype).items():
        request = {**shape, **changes}
        most = largest_concurrency(**request)
        full = serve(**request, concurrency=most).output_tokens_per_s if most else float("nan")
        read = serve(**request, concurrency=concurrency).step_bytes
        records[name] = {"bytes": read, "most": most, "throughput": full}
    return pd.DataFrame.from_dict(records, orient="index").rename_axis("variant")


def _variants(spec: ModelSpec, weights: str, cache: str) -> dict[str, dict[str, Any]]:
    """Return the model and the types of weights and cache of each variant, as arguments of `serve`."""
    heads, size = heads_and_size(spec)
    own = {"model": spec, "weight_dtype": weights, "kv_dtype": cache}
    attentions: dict[str, Attention] = {
        "a key and a value for each head": GroupedQuery(heads, heads, size),
        "one key and value for all heads": GroupedQuery(heads, 1, size),
        "a latent vector for all heads": Latent(heads, 4 * size, None, max(size // 2, 1), size, size),
    }
    found = {"as it is": own}
    for name, attention in attentions.items():
        found[name] = {**own, "model": with_attention(spec, attention)}
    found["all experts for every token" if spec.experts else "8 experts, 2 for a token"] = {
        **own,
        "model": with_all_experts(spec) if spec.experts else split_into_experts(spec),
    }
    found |= {f"weights in {each}": {**own, "weight_dtype": each} for each in _others(weights)}
    found |= {f"cache in {each}": {**own, "kv_dtype": each} for each in _others(cache)}
    return found


def _others(dtype: str) -> list[str]:
    """Return the types that are tried beside one."""
    return [each for each in ("fp8", "int4") if each != dtype]


GROUP = 16  # devices of the largest group that is tried


_COSTS = ["accelerator", "devices", "concurrency", "throughput", "low", "high"]


def costs(
    model: str,
    input_tokens: int,
    output_tokens: int,
    weight_dtype: str = "bf16",
    kv_dtype: str = "bf16",
) -> pd.DataFrame:
    """Return what a million output tokens cost on each accelerator whose prices are published.

    Of groups of one device, two, four and so on up to `GROUP`, the cheapest is taken, with as many sequences
    as fit.

    Parameters
    ----------
    model, input_tokens, output_tokens, weight_dtype, kv_dtype
        As in `serve`.

    Returns
    -------
    DataFrame
        Per accelerator, the cheapest first: ``devices``, ``concurrency``, ``throughput`` in output tokens a
        second, and ``low`` and ``high``, USD per million output tokens at the lowest and highest price.
        Accelerators of which no group holds the model are left out.

    Raises
    ------
    CohortError
        As in `serve`.
    """
    request = {"model": read_model(model), "input_tokens": input_tokens, "output_tokens": output_tokens}
    request |= {"weight_dtype": weight_dtype, "kv_dtype": kv_dtype}
    priced = [each for each in map(find_accelerator, accelerators()) if each.usd_per_hour and each.peaks]
    frame = pd.DataFrame([found for each in priced if (found := _cost(each, request))], columns=_COSTS)
    return frame.set_index("accelerator").sort_values("low", kind="stable")


def _cost(device: Accelerator, request: dict[str, Any]) -> dict[str, Any]:
    """Return a row of `costs`, empty where no group of devices holds the model."""
    found: list[tuple[float, list[Any]]] = []
    for devices in groups_of(device, request["model"]):
        most = largest_concurrency(**request, accelerator=device, tensor_parallel=devices)
        if most:
            answer = serve(**request, accelerator=device, tensor_parallel=devices, concurrency=most)
            low, high = (answer.usd_per_million_tokens(price) for price in device.usd_per_hour or ())
            found.append((high, [device.name, devices, most, answer.output_tokens_per_s, low, high]))
    return dict(zip(_COSTS, min(found)[1], strict=True)) if found else {}


def frontiers(
    model: str, names: Sequence[str], input_tokens: int, output_tokens: int, **types: str
) -> dict[str, pd.DataFrame]:
    """Return speed against throughput of a model on several accelerators, each with the fewest that hold it.

    Parameters
    ----------
    model : str
        A name or a path.
    names : sequence of str
        Accelerators.
    input_tokens, output_tokens
        As in `serve`.
    **types
        ``weight_dtype`` and ``kv_dtype``, as in `serve`.

    Returns
    -------
    dict of str to DataFrame
        By accelerator with the number of devices, as `tables.by_concurrency` returns it, with ``per device``,
        output tokens a second. Accelerators of which no group up to `GROUP` holds the model are left out.

    Raises
    ------
    CohortError
        As in `serve`.
    """
    spec, found = read_model(model), {}
    for device in map(find_accelerator, names):
        for devices in groups_of(device, spec):
            request: dict[str, Any] = {"model": spec, "accelerator": device, "tensor_parallel": devices}
            request |= types
            request |= {"input_tokens": input_tokens, "output_tokens": output_tokens}
            if most := largest_concurrency(**request):
                sweep = by_concurrency(concurrency_steps(most), **request)
                found[f"{device.name}, {devices} ×"] = sweep.assign(
                    **{"per device": sweep["throughput"] / devices}
                )
                break
    return found


def groups_of(device: Accelerator, spec: ModelSpec) -> list[int]:
    """Return how many devices may share the layers of a model: one, two, four and so on up to `GROUP`.

    Parameters
    ----------
    device : Accelerator
        The kind of device.
    spec : ModelSpec
        The model, whose heads the devices divide.

    Returns
    -------
    list of int
    """
    most = min(most_devices(device), GROUP)
    powers = [2**power for power in range(most.bit_length()) if 2**power <= most]
    return [each for each in powers if not any(number % each for number in spec.attention_heads)]


def serving_sensitivity(by: float, **request: Any) -> pd.DataFrame:
    """Return how the time per token follows each share and fixed time.

    Parameters
    ----------
    by : float
        Relative change of each: shares fall and fixed times rise by it.
    **request
        Arguments of `serve`.

    Returns
    -------
    DataFrame
        Per share or time that the request depends on: its ``change`` and that of the ``tpot``, in percent.

    Raises
    ------
    CohortError
        As in `serve`.
    """
    found = attained(device=as_accelerator(request["accelerator"]))
    shares: dict[str, dict[str, Any]] = {
        "bandwidth for weights": {"weights": _scaled(found.weights, 1 - by)},
        "bandwidth for the cache": {"cache": found.cache * (1 - by)},
        "speed of matrix products": {"matrices": _scaled(found.matrices, 1 - by)},
        "speed of scoring": {"scores": _scaled(found.scores, 1 - by)},
        "bandwidth of the links": {"link": found.link * (1 - by)},
    }
    times: dict[str, dict[str, Any]] = {
        "time of an all-reduce": {"all_reduce_s": tuple((1 + by) * each for each in found.all_reduce_s)},
        "time of launches": {"launches": _scaled(found.launches, 1 + by)},
        "time of a sequence": {"sequence_s": found.sequence_s * (1 + by)},
    }
    before = serve(**request).tpot_s
    records = {}
    for sign, group in ((-1, shares), (1, times)):
        for name, change in group.items():
            after = serve(**request, attained=replace(found, **change)).tpot_s
            records[name] = {"change": sign * 100 * by, "tpot": 100 * (after / before - 1)}
    frame = pd.DataFrame.from_dict(records, orient="index").rename_axis("what is changed by a fifth")
    return frame[frame["tpot"] != 0]


def _scaled(shares: Mapping[str, float], factor: float) -> dict[str, float]:
    return {name: share * factor for name, share in shares.items()}
