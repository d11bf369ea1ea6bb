"""Published measurements of serving, as requests that `cohort.serving.serve` can answer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from cohort.architecture.registered import model as read_model
from cohort.errors import one_of
from cohort.errors.arguments import explain
from cohort.registry import facts
from cohort.registry.devices import NATIVE, accelerator, accelerators
from cohort.serving.attainment import GENERATIONS, ROOFLINE, Attained
from cohort.serving.roofline import largest_concurrency, serve
from cohort.units import SECONDS

# Formats of llama.cpp: the first two are exactly so stored, the third mixes widths and takes a little more.
FORMATS = {"Q8_0": "int8", "Q4_0": "int4", "Q4_K_M": "int4"}

# A customary allowance on both peaks, without fixed times: the baseline that is harder to beat.
ALLOWANCE = replace(
    ROOFLINE,
    weights=dict.fromkeys(ROOFLINE.weights, 0.8),
    cache=0.8,
    matrices=dict.fromkeys(ROOFLINE.matrices, 0.75),
    scores=dict.fromkeys(ROOFLINE.scores, 0.75),
    link=0.8,
    corner=1.0,
)
GENERATION = "2023"  # of the engines that most of these rows measured

SIZES = (6.5e9, 72e9)  # parameters of what is sold as 7B to 70B
CLASSES = ("A100", "H100", "H200", "H800", "GH200")

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

    def predicted(self, shares: Attained | None = None) -> float:
        """Return the time that `serve` predicts.

        Parameters
        ----------
        shares : Attained, optional
            What is attained of the peaks; by default by the engines of `GENERATION`.

        Returns
        -------
        float
            Seconds.

        Raises
        ------
        CohortError
            As in `serve`.
        """
        answer = serve(**self.request, generation=GENERATION, attained=shares)
        if self.quantity == "first token":
            return answer.ttft_s
        return answer.tpot_s if self.quantity == "token" else answer.request_s / answer.output_tokens


def unanswered(row: dict[str, str]) -> str:
    """Return why a measured row is no question to `serve`.

    Parameters
    ----------
    row : dict
        A row of `serving_measurements`.

    Returns
    -------
    str
        The reason, for the reader; empty if the row is such a question.

    See Also
    --------
    case : The row as that question.

    Examples
    --------
    >>> from cohort.registry import facts
    >>> unanswered(facts.rows("serving_measurements")[0])
    ''
    """
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
        return "the concurrency is not stated"
    return ""


def _arguments(row: dict[str, str]) -> dict[str, Any]:
    """Return what a row asks of `serve`, without the concurrency.

    Where the type of the cache is not stated it is that of fp8 and fp4 weights in fp8, and of others in 16
    bits; only so do the largest of the batches fit.
    """
    dtype = FORMATS.get(row["weight_dtype"], row["weight_dtype"])
    cache = row["kv_dtype"] or ("fp8" if dtype in NATIVE else "fp16")
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
    """Return a row of the measurements as a `Case`.

    Parameters
    ----------
    row : dict
        A row that `unanswered` has nothing against.

    Returns
    -------
    Case
        The request, and what was measured as a time.

    Examples
    --------
    >>> from cohort.registry import facts
    >>> first = case(facts.rows("serving_measurements")[0])  # 104.9 tokens/s
    >>> first.quantity, round(first.seconds, 6)
    ('token', 0.009533)
    """
    request = {**_arguments(row), "concurrency": int(row["concurrency"])}
    value, metric = float(row["value"]), row["metric"]
    if metric == "first_token_latency":
        return Case(request, "first token", value * SECONDS[row["unit"]], row)
    if metric == "prefill_speed":
        return Case(request, "first token", request["input_tokens"] / value, row)
    if metric == "tpot":
        return Case(request, "token", value * SECONDS[row["unit"]], row)
    if metric == "decode_speed":
        return Case(request, "token", request["concurrency"] / value, row)
    return Case(request, "request", request["concurrency"] / _whole(row), row)


def _whole(row: dict[str, str]) -> float:
    """Return a throughput of all accelerators together, in tokens a second."""
    shared = row["metric"] == "output_throughput_per_accelerator"
    return float(row["value"]) * (int(row["accelerators"]) if shared else 1)


def cases(use: str) -> list[Case]:
    """Return the measured rows of one use that `serve` can answer.

    Parameters
    ----------
    use : str
        ``calibrate`` or ``test``.

    Returns
    -------
    list of Case
        In the order of the table; those that guess tokens ahead are left out.

    Raises
    ------
    UnknownNameError
        If there is no such use.

    Examples
    --------
    >>> len(cases("calibrate")), len(cases("test"))
    (69, 119)
    """
    one_of("use", use, ("calibrate", "test"))
    rows = facts.rows("serving_measurements")
    return [case(row) for row in rows if row["use"] == use and not unanswered(row) and not speculates(row)]


def speculates(row: dict[str, str]) -> bool:
    """Return whether a smaller model or several heads guess tokens ahead, so that a step yields several.

    Parameters
    ----------
    row : dict
        A row of `serving_measurements`.

    Returns
    -------
    bool
        What its column ``speculative`` says.
    """
    return row["speculative"] == "yes"


def compared(use: str = "test") -> list[dict[str, Any]]:
    """Return each measured row beside the prediction, the roofline of the peaks, and that with an allowance.

    Parameters
    ----------
    use : str
        ``test``, or ``calibrate`` for the rows that the shares were fitted to.

    Returns
    -------
    list of dict
        One a measurement: what was asked, ``quantity``, the times in seconds, ``measured``, ``predicted``,
        ``roofline`` and ``allowance``, and for each of the last three its relative ``... error``. What
        is ``in scope`` is a dense model of `SIZES` on one of `CLASSES`.

    Raises
    ------
    UnknownNameError
        If there is no such use.

    See Also
    --------
    at_maximum : Throughputs of as many sequences as fit.

    Examples
    --------
    >>> from statistics import median
    >>> scope = [row for row in compared("test") if row["in scope"]]
    >>> round(median(abs(row["predicted error"]) for row in scope), 3)
    0.098
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
    return records


def in_scope(each: Case) -> bool:
    """Return whether a case is a time per token of a dense model of `SIZES` on one of `CLASSES`.

    Parameters
    ----------
    each : Case
        A measured request.

    Returns
    -------
    bool
        Whether the chapter's headline error counts it.
    """
    spec = read_model(each.request["model"])
    sized = SIZES[0] <= spec.parameters <= SIZES[1] and spec.experts is None
    return sized and each.request["accelerator"].startswith(CLASSES) and each.quantity != "first token"


def at_maximum() -> list[dict[str, Any]]:
    """Return throughputs whose concurrency is not stated, beside those of as many sequences as fit.

    They test no time per token: the engine may have run with fewer.

    Returns
    -------
    list of dict
        One a measurement: the request with the ``concurrency`` that fits, ``measured``, ``predicted`` for
        engines of `GENERATION` and ``predicted today``, in output tokens a second, and the relative
        ``... error`` of both.
    """
    rows = [row for row in facts.rows("serving_measurements") if row["load"] == "maximum"]
    asked = [row for row in rows if not row["concurrency"] and not unanswered({**row, "concurrency": "1"})]
    return [record for row in asked if (record := _at_most(row))]


def _at_most(row: dict[str, str]) -> dict[str, Any]:
    """Return a row of `at_maximum`, empty where not one sequence fits."""
    request, measured = _arguments(row), _whole(row)
    most = largest_concurrency(**request)
    if not most:
        return {}
    record = {"source": row["source"], **request, "concurrency": most, "measured": measured}
    for name, engines in (("predicted", GENERATION), ("predicted today", GENERATIONS[0])):
        record[name] = serve(**request, concurrency=most, generation=engines).output_tokens_per_s
        record[f"{name} error"] = record[name] / measured - 1
    return record


explain(__name__)
