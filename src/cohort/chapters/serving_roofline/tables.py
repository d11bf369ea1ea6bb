"""Serving as tables: measured rows beside what `cohort.serving` predicts, and the sweeps of the chapter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from cohort.architecture.attention import Attention, GroupedQuery, Latent
from cohort.architecture.decoder import ModelSpec
from cohort.architecture.dtypes import precision
from cohort.architecture.registered import model as read_model
from cohort.architecture.registered import specs, title
from cohort.architecture.variants import heads_and_size, split_into_experts, with_all_experts, with_attention
from cohort.registry import facts
from cohort.registry.devices import Accelerator, accelerators, sixteen_bit_type
from cohort.registry.devices import accelerator as find_accelerator
from cohort.serving.measurements import at_maximum, compared, speculates, unanswered
from cohort.serving.roofline import (
    Attained,
    attained,
    compute_bound_concurrency,
    largest_concurrency,
    most_devices,
    serve,
    weights_read,
)

_ERRORS = ["predicted error", "allowance error", "roofline error"]


def measured_cases(use: str = "test") -> pd.DataFrame:
    """Return the measured rows of one use beside the predictions, as `compared` has them.

    Parameters
    ----------
    use : str
        ``test`` or ``calibrate``.

    Returns
    -------
    DataFrame
        One row a measurement.

    Raises
    ------
    UnknownNameError
        If there is no such use.
    """
    return pd.DataFrame(compared(use))


def measured_at_maximum() -> pd.DataFrame:
    """Return throughputs whose concurrency is not stated beside predictions, as `at_maximum` has them."""
    return pd.DataFrame(at_maximum())


def summary(frame: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Return rows and median absolute errors, in percent, of groups of `compared`.

    Parameters
    ----------
    frame : DataFrame
        As `compared` returns it.
    by : sequence of str
        Columns whose values make a group.

    Returns
    -------
    DataFrame
        ``rows``, the median absolute error of the prediction and of both rooflines, and ``bias``, the median
        of the prediction's signed errors.
    """
    groups = frame.groupby(list(by), sort=True)
    table = 100 * frame[_ERRORS].abs().groupby([frame[name] for name in by], sort=True).median()
    table.insert(0, "rows", groups.size())
    table["bias"] = 100 * groups["predicted error"].median()
    return table


def rows_left_out() -> pd.Series:
    """Return how many of all measured rows cannot be compared, by the reason."""
    rows = [*facts.rows("serving_measurements"), *facts.rows("serving_measurements_mlengineering")]
    reasons = [unanswered(row) or ("a step yields several tokens" if speculates(row) else "") for row in rows]
    counts = pd.Series([reason for reason in reasons if reason], dtype=object).value_counts()
    return counts.sort_index().sort_values(ascending=False, kind="stable")


# Why a source is missed by more than `FAR`, by source and quantity. A row so far off without a reason fails
# a test.
FAR = 0.3


WHY = {
    ("gpubenchmarks", "token"): "llama.cpp leaves more of fast memory idle at one sequence than the engines "
    "that the shares were fitted to, and its four-bit format takes more bits than it is counted with",
    ("gpubenchmarks", "first token"): "llama.cpp multiplies prompts far below the fastest products; two of "
    "the rows are outliers in the source itself",
    ("llamacpp4167", "token"): "four-bit weights are taken to be read as one engine reads groups of 32",
    ("intelgaudi3", "request"): "the fastest of several batches is reported, for an accelerator that no row "
    "was fitted to",
    (
        "lmdeploya100",
        "token",
    ): "the median of static batches leaves out the prompts of others, which the time per token includes",
}


def missed(frame: pd.DataFrame) -> pd.DataFrame:
    """Return where `compared` is off by more than `FAR`: by source and quantity, how often, and why.

    Returns
    -------
    DataFrame
        ``rows`` that are so far off, of how many ``in all``, the ``worst`` relative error, and ``why``.
    """
    by = [frame["source"], frame["quantity"]]
    errors = frame["predicted error"]
    table = pd.DataFrame(
        {
            "rows": (errors.abs() > FAR).groupby(by).sum(),
            "in all": errors.groupby(by).size(),
            "worst": errors.groupby(by).agg(lambda group: max(group, key=abs)),
        }
    )
    table = table[table["rows"] > 0]
    return table.assign(why=[WHY.get((str(source), str(what)), "") for source, what in table.index])


def kernel_generations(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the errors of `at_maximum` as fitted and with recent kernels: medians, signed and absolute.

    Returns
    -------
    DataFrame
        ``bias`` and ``error`` in percent of the measured throughput.
    """
    errors = 100 * frame[["predicted error", "with recent kernels error"]]
    errors.columns = ["as fitted", "with recent kernels"]
    return pd.DataFrame({"bias": errors.median(), "error": errors.abs().median()})


# Where phases lie on the roofline ---------------------------------------------------------------------------

# Bytes that a step of training moves for each weight, in mixed precision with Adam: read for both passes and
# the gradient written, two each; then the gradient read, the master copy and both moments read and written,
# four each way, and the weight written.
TRAINING_BYTES = 2 + 2 + 2 + 2 + 3 * 8 + 2


TRAINING_TOKENS = 8192  # that one device works on in a step


def phases(
    model: str,
    accelerator: str,
    concurrency: int,
    input_tokens: int,
    output_tokens: int,
    weight_dtype: str = "bf16",
    kv_dtype: str = "bf16",
) -> pd.DataFrame:
    """Return FLOPs and bytes of training and of both phases of serving, and what the peaks allow.

    Activations are left out: what stays on the chip depends on the kernels.

    Parameters
    ----------
    model, accelerator : str
        Names or a path.
    concurrency : int
        Sequences that are written at once.
    input_tokens, output_tokens : int
        Tokens of prompt and answer.
    weight_dtype, kv_dtype : str
        Types of weights and cache in serving; training is in 16 bits.

    Returns
    -------
    DataFrame
        Per phase: ``flops`` and ``bytes``, ``intensity`` in FLOP a byte, ``ridge``, the intensity from which
        on compute is the limit, the ``peak`` of one device in FLOP a second, and what of it is
        ``attainable``.
    """
    spec, device = read_model(model), find_accelerator(accelerator)
    sizes: dict[str, Any] = {"input_tokens": input_tokens, "output_tokens": output_tokens}
    sizes |= {"weight_dtype": weight_dtype, "kv_dtype": kv_dtype}
    read = weights_read(spec, input_tokens) * precision(weight_dtype).bytes_per_element
    read += spec.kv_cache_bytes(input_tokens, 1, precision(kv_dtype).bytes_per_element)
    training = 3.0 * TRAINING_TOKENS * spec.forward_flops(TRAINING_TOKENS), TRAINING_BYTES * spec.parameters
    records = {
        "training": (*training, device.peak(sixteen_bit_type(device))),
        "prefill": (spec.prefill_flops(input_tokens), read, 0.0),
    }
    for sequences in sorted({1, concurrency}):
        step = serve(spec, device, 1, sequences, **sizes)
        flops = spec.decode_flops(input_tokens + (output_tokens + 1) // 2, sequences)
        records[f"decode, {sequences:,}"] = (flops, step.step_bytes, step.peak)
        records["prefill"] = (*records["prefill"][:2], step.peak)
    frame = pd.DataFrame.from_dict(records, orient="index", columns=["flops", "bytes", "peak"])
    frame.insert(2, "intensity", frame["flops"] / frame["bytes"])
    frame.insert(3, "ridge", frame["peak"] / device.bandwidth)
    frame["attainable"] = frame[["intensity", "ridge"]].min(axis=1) * device.bandwidth
    return frame


def ridges(models: Sequence[str], devices: Sequence[str], weight_dtype: str = "bf16") -> pd.DataFrame:
    """Return from how many sequences on decode turns compute-bound, at the peaks and without the cache.

    Returns
    -------
    DataFrame
        One row an accelerator: ``ridge`` in FLOP a byte, and one column a model, in sequences.
    """
    records = {}
    for name in devices:
        device = find_accelerator(name)
        ridge = device.peak(sixteen_bit_type(device)) / device.bandwidth
        turned = {title(spec): compute_bound_concurrency(spec, name, weight_dtype) for spec in specs(models)}
        records[name] = {"ridge": ridge, **turned}
    return pd.DataFrame.from_dict(records, orient="index").rename_axis("accelerator")


def training_utilisation() -> pd.DataFrame:
    """Return the published utilisation of training runs: model, accelerators, share of the peak, source."""
    rows = [row for row in facts.rows("serving_measurements") if row["phase"] == "training"]
    known = [row for row in rows if row["metric"] in ("mfu", "mfu_causal")]
    frame = pd.DataFrame(known)[["model", "accelerator", "accelerators", "value", "status", "source"]]
    frame["value"] = frame["value"].astype(float)
    frame["model"] = [_titled(row) for row in known]
    frame["accelerators"] = pd.to_numeric(frame["accelerators"]).astype("Int64")
    return frame.sort_values("value", ascending=False, kind="stable").set_index("model")


def _titled(row: dict[str, str]) -> str:
    """Return the title of the model of a row where it is one of this book, else its plain name."""
    own = row["model"] == row["same_shape_as"]
    return title(read_model(row["model"])) if own else row["model"]


# Sweeps -----------------------------------------------------------------------------------------------------


def concurrency_steps(most: int, also: int = 1) -> list[int]:
    """Return powers of two up to `most` (at least up to `also`), and both of these."""
    found, each = {also, max(most, 1)}, 1
    while each < max(most, also):
        found.add(each)
        each *= 2
    return sorted(found)


def by_concurrency(numbers: Sequence[int], found: Attained | None = None, **request: Any) -> pd.DataFrame:
    """Return a service at several concurrencies.

    Parameters
    ----------
    numbers : sequence of int
        Concurrencies.
    found : Attained, optional
        As in `serve`.
    **request
        Other arguments of `serve`.

    Returns
    -------
    DataFrame
        Per concurrency: ``tpot`` and ``ttft`` in seconds, ``throughput`` in output tokens a second, ``each``,
        that of one sequence, ``mfu``, ``mbu``, ``bound``, ``fits``, and the seconds of each part of the time
        per token under its name.
    """
    records = {}
    for number in numbers:
        answer = serve(**request, concurrency=number, attained=found)
        records[number] = {
            "tpot": answer.tpot_s,
            "ttft": answer.ttft_s,
            "throughput": answer.output_tokens_per_s,
            "each": answer.output_tokens_per_s / number,
            "mfu": answer.mfu,
            "mbu": answer.mbu,
            "bound": answer.bound,
            "fits": answer.fits,
            **dict(answer.parts),
        }
    return pd.DataFrame.from_dict(records, orient="index").rename_axis("concurrency")


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


# Costs ------------------------------------------------------------------------------------------------------


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
    """
    request = {"model": read_model(model), "input_tokens": input_tokens, "output_tokens": output_tokens}
    request |= {"weight_dtype": weight_dtype, "kv_dtype": kv_dtype}
    priced = [each for each in map(find_accelerator, accelerators()) if each.usd_per_hour and each.peaks]
    frame = pd.DataFrame([found for each in priced if (found := _cost(each, request))], columns=_COSTS)
    return frame.set_index("accelerator").sort_values("low", kind="stable")


GROUP = 16  # devices of the largest group that is tried


_COSTS = ["accelerator", "devices", "concurrency", "throughput", "low", "high"]


def _cost(device: Accelerator, request: dict[str, Any]) -> dict[str, Any]:
    """Return a row of `costs`, empty where no group of devices holds the model."""
    heads, devices = request["model"].attention_heads, 1
    found: list[tuple[float, list[Any]]] = []
    while devices <= min(most_devices(device), GROUP) and not any(number % devices for number in heads):
        most = largest_concurrency(**request, accelerator=device, tensor_parallel=devices)
        if most:
            answer = serve(**request, accelerator=device, tensor_parallel=devices, concurrency=most)
            low, high = (answer.usd_per_million_tokens(price) for price in device.usd_per_hour or ())
            found.append((high, [device.name, devices, most, answer.output_tokens_per_s, low, high]))
        devices *= 2
    return dict(zip(_COSTS, min(found)[1], strict=True)) if found else {}


# What would change the answer -------------------------------------------------------------------------------


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
    """
    found = attained()
    shares: dict[str, dict[str, Any]] = {
        "bandwidth for weights": {"weights": _scaled(found.weights, 1 - by)},
        "bandwidth for the cache": {"cache": found.cache * (1 - by)},
        "speed of matrix products": {"matrices": _scaled(found.matrices, 1 - by)},
        "speed of scoring": {"scores": _scaled(found.scores, 1 - by)},
        "bandwidth of the links": {"link": found.link * (1 - by)},
    }
    times: dict[str, dict[str, Any]] = {
        "time of an all-reduce": {"all_reduce_s": found.all_reduce_s * (1 + by)},
        "time of a layer": {"layer_s": found.layer_s * (1 + by)},
        "time of a sequence": {"sequence_s": found.sequence_s * (1 + by)},
    }
    before = serve(**request).tpot_s
    records = {}
    for sign, group in ((-1, shares), (1, times)):
        for name, change in group.items():
            after = serve(**request, attained=replace(found, **change)).tpot_s
            records[name] = {"change": sign * 100 * by, "tpot": 100 * (after / before - 1)}
    frame = pd.DataFrame.from_dict(records, orient="index").rename_axis("if lower, or longer")
    return frame[frame["tpot"] != 0]


def _scaled(shares: Mapping[str, float], factor: float) -> dict[str, float]:
    return {name: share * factor for name, share in shares.items()}
