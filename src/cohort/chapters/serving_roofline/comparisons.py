"""Serving measured by others beside what is predicted: errors, what is missed, what is left out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from cohort.chapters.judging import quoted
from cohort.errors import CohortError
from cohort.registry import facts, frames
from cohort.registry.devices import accelerator as find_accelerator
from cohort.serving.measurements import at_maximum, compared, speculates, unanswered
from cohort.serving.roofline import largest_concurrency, serve

_ERRORS = ["predicted error", "allowance error", "roofline error"]


def measured_cases(use: str = "test") -> pd.DataFrame:
    """Return the measured rows of one use beside the predictions.

    Parameters
    ----------
    use : str
        ``test`` or ``calibrate``.

    Returns
    -------
    DataFrame
        One row a measurement, as `cohort.serving.measurements.compared` has it.
    """
    return pd.DataFrame(compared(use))


def measured_at_maximum() -> pd.DataFrame:
    """Return throughputs whose concurrency is not stated beside predictions.

    Returns
    -------
    DataFrame
        One row a measurement, as `cohort.serving.measurements.at_maximum` has it.
    """
    return pd.DataFrame(at_maximum())


def summary(frame: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Return rows and median absolute errors, in percent, of groups of measured rows.

    Parameters
    ----------
    frame : DataFrame
        As `measured_cases` returns it.
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
    """Return how many of all measured rows cannot be compared, by the reason, the most frequent first."""
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
    (
        "trtllmdeepseekr1",
        "request",
    ): "attention in copies and experts dealt out over the devices, where every "
    "layer is counted as shared by all of them",
    ("lmdeploya100", "request"): "static batches read all their short prompts at once, where each is counted "
    "as a step of its own",
    ("llamacpp4167", "token"): "four-bit weights are taken to be read as one engine reads groups of 32",
    ("intelgaudi3", "request"): "the fastest of several batches is reported, for an accelerator that no row "
    "was fitted to",
    (
        "lmdeploya100",
        "token",
    ): "the median of static batches leaves out the prompts of others, which the time per token includes",
}


def missed(frame: pd.DataFrame) -> pd.DataFrame:
    """Return where predictions are off by more than `FAR`: by source and quantity, how often, and why.

    Parameters
    ----------
    frame : DataFrame
        As `measured_cases` returns it.

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
    """Return the errors of full services by the engines of 2023 and of 2025: medians, signed and absolute.

    Parameters
    ----------
    frame : DataFrame
        As `measured_at_maximum` returns it.

    Returns
    -------
    DataFrame
        ``bias`` and ``error`` in percent of the measured throughput.
    """
    errors = 100 * frame[["predicted error", "predicted today error"]]
    errors.columns = ["engines of 2023", "engines of 2025"]
    return pd.DataFrame({"bias": errors.median(), "error": errors.abs().median()})


def median_errors(frame: pd.DataFrame) -> pd.Series:
    """Return the median absolute error of the prediction and of both rooflines.

    Parameters
    ----------
    frame : DataFrame
        As `measured_cases` returns it.

    Returns
    -------
    Series
        Per cent: ``predicted error``, ``allowance error`` and ``roofline error``.
    """
    return 100 * frame[_ERRORS].abs().median()


# What the sum that is quoted for ChatGPT is held against: the shape of GPT-3, on eight devices of its time.
QUOTED_SERVICE: dict[str, Any] = {
    "model": "gpt3-175b",
    "accelerator": "A100 SXM 80GB",
    "tensor_parallel": 8,
    "input_tokens": 1024,
    "output_tokens": 256,
}


def quoted_cost() -> tuple[float, float]:
    """Return what the daily sum that is quoted for ChatGPT would buy :cite:p:`semianalysis2023search`.

    Returns
    -------
    (float, float)
        USD per million output tokens of `QUOTED_SERVICE` at full load and the highest price in the data, and
        the output tokens, in billions a day, that the quoted sum pays for.

    Raises
    ------
    CohortError
        If the data hold no price of the accelerator.
    """
    device = find_accelerator(QUOTED_SERVICE["accelerator"])
    if device.usd_per_hour is None:
        raise CohortError(f"accelerator is {device.name}, but must be one whose price the data hold")
    most = largest_concurrency(**QUOTED_SERVICE)
    full = serve(**QUOTED_SERVICE, concurrency=max(most, 1))
    usd = full.usd_per_million_tokens(max(device.usd_per_hour))
    return usd, quoted("ChatGPT", "cost of serving") / usd / 1e3


def errors_of_today(time_of: str, by: str) -> pd.DataFrame:
    """Return the errors on services of 2025 and 2026 that nothing was fitted to, from `serving_errors`.

    Parameters
    ----------
    time_of : str
        ``token`` or ``first token``.
    by : str
        ``all``, ``class``, ``engine``, ``accelerator`` or ``service``.

    Returns
    -------
    DataFrame
        ``rows``, and in percent ``median``, ``ninth_decile``, ``bias``, ``inside``, ``roofline`` and
        ``first_look``; indexed by group.
    """
    table = frames.table("serving_errors")
    chosen = table[(table["time_of"] == time_of) & (table["by"] == by)]
    return chosen.drop(columns=["time_of", "by"]).set_index("group")


def errors_beside_peer(time_of: str) -> pd.DataFrame:
    """Return the errors of this book and of a peer on the same services, from `serving_peers`.

    Parameters
    ----------
    time_of : str
        ``token`` or ``first token``.

    Returns
    -------
    DataFrame
        ``rows``; in percent the medians ``cohort``, ``aiconfigurator`` and ``roofline``, and the ninth
        deciles of the first two; ``version`` and ``date``. Indexed by ``by`` and ``group``, the whole first.
    """
    table = frames.table("serving_peers")
    return table[table["time_of"] == time_of].drop(columns="time_of").set_index(["by", "group"])
