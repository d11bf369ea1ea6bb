"""Published measurements of serving, as requests that `cohort.serving.serve` can answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cohort.architecture.registered import model as read_model
from cohort.errors import extras
from cohort.registry import facts
from cohort.registry.devices import accelerator as find_accelerator
from cohort.registry.devices import accelerators
from cohort.serving.roofline import ROOFLINE, Attained, largest_concurrency, serve, with_recent_kernels

with extras():
    import pandas as pd

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
    return [case(row) for row in rows if row["use"] == use and not unanswered(row) and not speculates(row)]


def speculates(row: dict[str, str]) -> bool:
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
