"""Sentences about measurements beside predictions: errors, what is missed, and what moves the answer."""

from __future__ import annotations

import pandas as pd

from cohort.chapters.serving_roofline.comparisons import FAR, median_errors
from cohort.display.words import inflected, running, sentences, significant
from cohort.serving.measurements import ALLOWANCE


def errors(scope: pd.DataFrame) -> str:
    """Return the median errors of the prediction and of both rooflines.

    Parameters
    ----------
    scope : DataFrame
        The rows of `comparisons.measured_cases` that the fit is meant for.

    Returns
    -------
    str
        Markdown.
    """
    medians = median_errors(scope)
    within = 100 * (scope["predicted error"].abs() <= 0.15).mean()
    bias = 100 * scope["predicted error"].median()
    return sentences(
        f"Over all {len(scope)} rows the median error is {medians['predicted error']:.1f}%, beside "
        f"{medians['allowance error']:.1f}% of the roofline with an allowance of "
        f"{100 * ALLOWANCE.cache:.0f}% of the bandwidth and {100 * ALLOWANCE.scores['grouped']:.0f}% of the "
        f"arithmetic, and {medians['roofline error']:.1f}% of the peaks alone. {within:.0f}% of the rows "
        "are within fifteen percent.",
        f"The prediction is too {'low' if bias < 0 else 'high'} by {abs(bias):.1f}% at the median; both "
        "rooflines are too low nearly everywhere, since nothing in them is fixed.",
    )


def misses(missed: pd.DataFrame) -> str:
    """Return where predictions are far off and why, one list item a source and quantity.

    Parameters
    ----------
    missed : DataFrame
        As `comparisons.missed` returns it.

    Returns
    -------
    str
        Markdown.
    """
    return sentences(
        *(
            f"- *{row['source']}*, time of a {row['quantity']}: {row['rows']} of {row['in all']} rows are "
            f"off by more than {100 * FAR:.0f}%, the worst by {100 * row['worst']:+.0f}%. Here {row['why']}."
            for _, row in missed.reset_index().iterrows()
        )
    )


def generations(rows: int, kernels: pd.DataFrame) -> str:
    """Return how far full services of newer engines are off, by the constants of 2023 and of 2025.

    Parameters
    ----------
    rows : int
        Measured rows.
    kernels : DataFrame
        As `comparisons.kernel_generations` returns it.

    Returns
    -------
    str
        Markdown.
    """
    old, new = (_off(kernels["bias"][name]) for name in ("engines of 2023", "engines of 2025"))
    return sentences(
        running(
            f"There {inflected(rows, 'is', 'are')} {rows} such {inflected(rows, 'row', 'rows')}, of "
            "TensorRT-LLM 1.0.",
            f"By the constants of 2023 the throughput of these rows comes out {old} at the median, by those "
            f"of 2025 {new}. Neither set was fitted to them.",
        ),
        "The errors above are those of the set of 2023, as old as the engines that were measured there; its "
        "throughput is the grey curve.",
    )


def _off(bias: float) -> str:
    return f"{abs(bias):.0f}% too {'low' if bias < 0 else 'high'}"


def sensitivity(reaction: pd.Series) -> str:
    """Return which share or fixed time the time per token follows most.

    Parameters
    ----------
    reaction : Series
        Change of the time per token in per cent, by what was moved.

    Returns
    -------
    str
        Markdown.
    """
    sizes = reaction.abs()
    return (
        f"The time per token follows *{sizes.idxmax()}* most. No single one of them moves it by more than "
        f"{significant(sizes.max(), 2)}%."
    )
