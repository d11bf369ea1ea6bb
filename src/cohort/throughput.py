"""Serving as tables: measured rows beside what `cohort.serving` predicts, and the sweeps of the chapter."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from cohort import facts
from cohort.attention import Attention, GroupedQuery, Latent, precision
from cohort.configs import model as read_model
from cohort.context import changed, heads_and_size
from cohort.hardware import Accelerator, accelerators
from cohort.hardware import accelerator as find_accelerator
from cohort.models import Dense, Experts, FeedForward, Layer, ModelSpec, Residual
from cohort.serving import (
    ROOFLINE,
    Attained,
    attained,
    compute_bound_concurrency,
    largest_concurrency,
    most_devices,
    serve,
    sixteen_bit_type,
    weights_read,
    with_recent_kernels,
)
from cohort.tables import specs, title

# Formats of llama.cpp: the first two are exactly so stored, the third mixes widths and takes a little more.
FORMATS = {"Q8_0": "int8", "Q4_0": "int4", "Q4_K_M": "int4"}
# A customary allowance on both peaks, without fixed times: the baseline that is harder to beat.
ALLOWANCE = Attained(
    dict.fromkeys(ROOFLINE.weights, 0.8),
    0.8,
    dict.fromkeys(ROOFLINE.matrices, 0.75),
    ROOFLINE.products,
    dict.fromkeys(ROOFLINE.scores, 0.75),
    0.0,
    0.0,
    0.0,
    0.8,
)
SIZES = (6.5e9, 72e9)  # parameters of what is sold as 7B to 70B
CLASSES = ("A100", "H100", "H200", "H800", "GH200")

NO_CONCURRENCY = "the concurrency is not stated"
_TIMES = {"ms": 1e-3, "s": 1.0}
_THROUGHPUTS = ("output_throughput", "output_throughput_per_accelerator")
_SPEEDS = ("decode_speed", "prefill_speed")
_LATENCIES = ("first_token_latency", "tpot")


@dataclass(frozen=True, slots=True)
class Case:
    """A measured row as a request that `cohort.serving.serve` can answer.

    Attributes
    ----------
    request : dict
        Arguments of `serve`.
    quantity : str
        ``first token``, ``token`` or ``request``: the time of a request over its output tokens.
    seconds : float
        What was measured, as a time.
    row : dict
        The row.
    """

    request: dict[str, Any]
    quantity: str
    seconds: float
    row: dict[str, str]

    def predicted(self, found: Attained | None = None) -> float:
        """Return the time that `serve` predicts, in seconds."""
        answer = serve(**self.request, attained=found)
        if self.quantity == "first token":
            return answer.ttft_s
        return answer.tpot_s if self.quantity == "token" else answer.request_s / answer.output_tokens


def unanswered(row: dict[str, str]) -> str:
    """Return why a measured row is no question to `serve`, or nothing if it is one."""
    if row["phase"] in ("kernel", "training"):
        return "no service, but a kernel or a training run"
    if row["metric"] not in _THROUGHPUTS + _SPEEDS + _LATENCIES:
        return "no time or throughput of a request"
    if not row["same_shape_as"]:
        return "the model is not in this book"
    if row["accelerator"] not in accelerators():
        return "the accelerator is not in the table"
    if not find_accelerator(row["accelerator"]).peaks:
        return "the accelerator's peak is not known"
    if not row["tensor_parallel"]:
        return "tensor parallelism is not stated, or the layout is another"
    if not row["weight_dtype"]:
        return "the type of the weights is not stated"
    if not row["concurrency"]:
        return NO_CONCURRENCY
    return ""


def _arguments(row: dict[str, str]) -> dict[str, Any]:
    """Return what a row asks of `serve`, without the concurrency.

    Where the type of the cache is not stated it is that of fp8 and fp4 weights in fp8, and of others in 16
    bits; only so do the largest of the batches fit.
    """
    dtype = FORMATS.get(row["weight_dtype"], row["weight_dtype"])
    cache = row["kv_dtype"] or ("fp8" if dtype in ("fp8", "fp4") else "fp16")
    return {
        "model": row["same_shape_as"],
        "accelerator": row["accelerator"],
        "tensor_parallel": int(row["tensor_parallel"]),
        "input_tokens": max(int(row["input_tokens"] or 1), 1),
        "output_tokens": max(int(row["output_tokens"] or 1), 1),
        "weight_dtype": dtype,
        "kv_dtype": cache,
    }


def case(row: dict[str, str]) -> Case:
    """Return a row of the measurements as a `Case`; it must be one that `unanswered` has nothing against."""
    request = {**_arguments(row), "concurrency": int(row["concurrency"])}
    value, metric = float(row["value"]), row["metric"]
    if metric == "first_token_latency":
        return Case(request, "first token", value * _TIMES[row["unit"]], row)
    if metric == "prefill_speed":
        return Case(request, "first token", request["input_tokens"] / value, row)
    if metric == "tpot":
        return Case(request, "token", value * _TIMES[row["unit"]], row)
    if metric == "decode_speed":
        return Case(request, "token", request["concurrency"] / value, row)
    return Case(request, "request", request["concurrency"] / _whole(row), row)


def _whole(row: dict[str, str]) -> float:
    """Return a throughput of all accelerators together, in tokens a second."""
    shared = row["metric"] == "output_throughput_per_accelerator"
    return float(row["value"]) * (int(row["accelerators"]) if shared else 1)


def cases(use: str) -> list[Case]:
    """Return the measured rows of one use, ``calibrate`` or ``test``, that `serve` can answer."""
    rows = facts.rows("serving_measurements")
    return [case(row) for row in rows if row["use"] == use and not unanswered(row) and not _drafted(row)]


def _drafted(row: dict[str, str]) -> bool:
    """Return whether a smaller model or several heads guess tokens ahead, so that a step yields several."""
    return "speculative" in row["note"] or "several tokens predicted" in row["note"]


def compared(use: str = "test") -> pd.DataFrame:
    """Return each measured row beside the prediction, the roofline of the peaks, and that with an allowance.

    Parameters
    ----------
    use : str
        ``test``, or ``calibrate`` for the rows that the shares were fitted to.

    Returns
    -------
    DataFrame
        One row a measurement: what was asked, ``quantity``, the times in seconds, ``measured``,
        ``predicted``, ``roofline`` and ``allowance``, and for each of the last three its relative
        ``... error``. ``in scope`` says whether it is a dense model of `SIZES` on one of `CLASSES`.
    """
    records = []
    for each in cases(use):
        times = {
            "measured": each.seconds,
            "predicted": each.predicted(),
            "roofline": each.predicted(ROOFLINE),
            "allowance": each.predicted(ALLOWANCE),
        }
        errors = {
            f"{name} error": times[name] / each.seconds - 1 for name in ("predicted", "roofline", "allowance")
        }
        asked = {**each.request, "source": each.row["source"], "format": each.row["weight_dtype"]}
        records.append({**asked, "quantity": each.quantity, "in scope": in_scope(each), **times, **errors})
    return pd.DataFrame(records)


def in_scope(each: Case) -> bool:
    """Return whether a case is a time per token of a dense model of `SIZES` on one of `CLASSES`."""
    spec = read_model(each.request["model"])
    sized = SIZES[0] <= spec.parameters <= SIZES[1] and spec.experts is None
    return sized and each.request["accelerator"].startswith(CLASSES) and each.quantity != "first token"


_ERRORS = ["predicted error", "allowance error", "roofline error"]


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


def left_out() -> pd.Series:
    """Return how many of all measured rows cannot be compared, by the reason."""
    rows = [*facts.rows("serving_measurements"), *facts.rows("serving_measurements_mlengineering")]
    reasons = [unanswered(row) or ("a step yields several tokens" if _drafted(row) else "") for row in rows]
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


def at_maximum() -> pd.DataFrame:
    """Return throughputs whose concurrency is not stated, beside those of as many sequences as fit.

    They test no time per token: the engine may have run with fewer.

    Returns
    -------
    DataFrame
        One row a measurement: the request with the ``concurrency`` that fits, ``measured``, ``predicted`` and
        that ``with recent kernels``, in output tokens a second, and the relative ``... error`` of both.
    """
    rows = facts.rows("serving_measurements")
    asked = [row for row in rows if row["load"] == "maximum" and unanswered(row) == NO_CONCURRENCY]
    return pd.DataFrame([found for row in asked if (found := _at_most(row))])


def _at_most(row: dict[str, str]) -> dict[str, Any]:
    """Return a row of `at_maximum`, empty where not one sequence fits."""
    request, measured = _arguments(row), _whole(row)
    most = largest_concurrency(**request)
    if not most:
        return {}
    found = {"source": row["source"], **request, "concurrency": most, "measured": measured}
    for name, kind in (("predicted", None), ("with recent kernels", with_recent_kernels())):
        found[name] = serve(**request, concurrency=most, attained=kind).output_tokens_per_s
        found[f"{name} error"] = found[name] / measured - 1
    return found


def generations(frame: pd.DataFrame) -> pd.DataFrame:
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


def steps(most: int, also: int = 1) -> list[int]:
    """Return powers of two up to `most` (at least up to `also`), and both of these."""
    found, each = {also, max(most, 1)}, 1
    while each < max(most, also):
        found.add(each)
        each *= 2
    return sorted(found)


def sweep(numbers: Sequence[int], found: Attained | None = None, **request: Any) -> pd.DataFrame:
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
        found[name] = {**own, "model": _attending(spec, attention)}
    found["all experts for every token" if spec.experts else "8 experts, 2 for a token"] = {
        **own,
        "model": with_all_experts(spec) if spec.experts else _split_into_experts(spec),
    }
    found |= {f"weights in {each}": {**own, "weight_dtype": each} for each in _others(weights)}
    found |= {f"cache in {each}": {**own, "kv_dtype": each} for each in _others(cache)}
    return found


def _others(dtype: str) -> list[str]:
    """Return the types that are tried beside one."""
    return [each for each in ("fp8", "int4") if each != dtype]


def _attending(spec: ModelSpec, attention: Attention) -> ModelSpec:
    return changed(spec, lambda *_: attention)


def with_all_experts(spec: ModelSpec) -> ModelSpec:
    """Return a model that sends every token to all of its experts: as many weights, all of them active."""

    def opened(part: FeedForward) -> FeedForward:
        if isinstance(part, Residual):
            return replace(part, experts=replace(part.experts, active=part.experts.count))
        return replace(part, active=part.count) if isinstance(part, Experts) else part

    return fed(spec, opened)


def _split_into_experts(spec: ModelSpec, count: int = 8, active: int = 2) -> ModelSpec:
    """Return a dense model with each network cut into experts, a quarter of which each token is sent to."""

    def cut(part: FeedForward) -> FeedForward:
        if not isinstance(part, Dense):
            return part
        return Experts(count, active, max(part.width // count, 1), gated=part.gated, bias=part.bias)

    return fed(spec, cut)


def fed(spec: ModelSpec, change: Callable[[FeedForward], FeedForward]) -> ModelSpec:
    """Return a model with other feed-forward networks."""

    def of_layer(layer: Layer) -> Layer:
        return replace(layer, feedforward=change(layer.feedforward))

    return replace(spec, layers=tuple(map(of_layer, spec.layers)), registered=False)


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


def sensitivity(by: float, **request: Any) -> pd.DataFrame:
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
