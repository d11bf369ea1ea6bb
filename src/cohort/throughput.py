"""Serving as tables: measured rows beside what `cohort.serving` predicts, and the sweeps of the chapter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from cohort import facts
from cohort.configs import model as read_model
from cohort.hardware import accelerator, accelerators
from cohort.serving import ROOFLINE, Attained, largest_concurrency, serve, with_recent_kernels

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
    if not accelerator(row["accelerator"]).peaks:
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
    "that the shares were fitted to; its four-bit format is larger than the one it is counted as",
    (
        "gpubenchmarks",
        "first token",
    ): "llama.cpp multiplies prompts far below the fastest products; the source "
    "itself calls two of the rows outliers",
    (
        "llamacpp4167",
        "token",
    ): "four-bit weights are read at the share that one engine attains with groups of 32",
    ("intelgaudi3", "request"): "the fastest of several batches for an accelerator that no row was fitted to",
    (
        "lmdeploya100",
        "token",
    ): "the median of static batches leaves the prompts of others out, which the time "
    "per token here includes",
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


# Where phases lie on the roofline ---------------------------------------------------------------------------

# Bytes that a step of training moves for each weight, in mixed precision with Adam: read for both passes and
# the gradient written, two each; then the gradient read, and the master copy and both moments, four each, read
# and written, and the weight written.
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
        on compute is the limit, and ``attainable`` FLOP a second of one device at its peaks.
    """
    spec, device = read_model(model), accelerator_of(accelerator)
    training = 3 * TRAINING_TOKENS * spec.forward_flops(TRAINING_TOKENS), TRAINING_BYTES * spec.parameters
    ridge = device.peak(sixteen_bit_type(device)) / device.bandwidth
    records = {"training": (*training, ridge)}
    for name, sequences in {"decode, 1": 1, f"decode, {concurrency}": concurrency}.items():
        step = serve(
            model,
            accelerator,
            1,
            sequences,
            input_tokens=input_tokens,
            output_tokens=output_tokens,
            weight_dtype=weight_dtype,
            kv_dtype=kv_dtype,
        )
        ridge = step.peak / step.bandwidth
        if "prefill" not in records:
            read = precision(weight_dtype).bytes_per_element * weights_read(spec, input_tokens)
            written = spec.kv_cache_bytes(input_tokens, 1, precision(kv_dtype).bytes_per_element)
            records["prefill"] = (spec.prefill_flops(input_tokens), read + written, ridge)
        flops = spec.decode_flops(input_tokens + (output_tokens + 1) // 2, sequences)
        records[name] = (flops, step.step_bytes, ridge)
    frame = pd.DataFrame.from_dict(records, orient="index", columns=["flops", "bytes", "ridge"])
    frame.insert(2, "intensity", frame["flops"] / frame["bytes"])
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
        device = accelerator(name)
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
    frame["accelerators"] = pd.to_numeric(frame["accelerators"]).astype("Int64")
    return frame.sort_values("value", ascending=False, kind="stable").set_index("model")


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
    """Return what attention, experts and precision of a model buy: the model with one thing changed each.

    Heads and their size stay those of the model. *Dense* sends every token to all experts; *mixture* cuts each
    dense network into eight experts and sends a token to two. How good such models would be is another
    question.

    Returns
    -------
    DataFrame
        Per variant: ``bytes`` that one step reads, of all devices, ``most``, the sequences that fit, and
        ``throughput``, output tokens a second with that many, empty where none fits.
    """
    spec = read_model(model)
    records = {}
    for name, (changed_spec, weights, cache) in _variants(spec, weight_dtype, kv_dtype).items():
        request = {
            "model": changed_spec,
            "accelerator": accelerator,
            "tensor_parallel": tensor_parallel,
            "input_tokens": input_tokens,
            "output_tokens": output_tokens,
            "weight_dtype": weights,
            "kv_dtype": cache,
        }
        most = largest_concurrency(**request)
        full = serve(**request, concurrency=most).output_tokens_per_s if most else None
        read = serve(**request, concurrency=concurrency).step_bytes
        records[name] = {"bytes": read, "most": most, "throughput": full}
    frame = pd.DataFrame.from_dict(records, orient="index").rename_axis("variant")
    return frame.astype({"throughput": float})


def _variants(
    spec: ModelSpec, weights: str, cache: str
) -> dict[str, tuple[ModelSpec, str, str]]:
    """Return a model, and the model with one thing changed each, with the types of weights and cache."""
    heads, size = heads_and_size(spec)
    latent = Latent(heads, 4 * size, None, max(size // 2, 1), size, size)
    attention = {
        "a key and a value for each head": GroupedQuery(heads, heads, size),
        "one key and value for all heads": GroupedQuery(heads, 1, size),
        "a latent vector": latent,
    }
    found = {"as it is": (spec, weights, cache)}
    for name, other in attention.items():
        found[name] = (changed(spec, lambda _, own, other=other: other), weights, cache)
    name, routed = ("all experts, for every token", _dense(spec)) if spec.experts else ("8 experts, 2 active", _mixed(spec))
    found[name] = (routed, weights, cache)
    for dtype in ("bf16", "fp8", "int4"):
        if dtype != weights:
            found[f"weights in {dtype}"] = (spec, dtype, cache)
    if cache != "fp8":
        found["cache in fp8"] = (spec, weights, "fp8")
    return found
