"""Sentences about measurements beside predictions: errors, what is missed, and what moves the answer."""

from __future__ import annotations

import pandas as pd

from cohort.architecture.registered import title_of
from cohort.chapters.serving_roofline.comparisons import FAR, median_errors
from cohort.chapters.serving_roofline.tables import SOURCES
from cohort.display.phrases import signed
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
            f"- *{SOURCES.get(row['source'], row['source'])}*, time of a {row['quantity']}: {row['rows']} of "
            f"{row['in all']} rows {inflected(row['rows'], 'is', 'are')} off by more than "
            f"{100 * FAR:.0f}%, the worst by {signed(100 * row['worst'])}%. Here {row['why']}."
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


def today(token: pd.DataFrame, first: pd.DataFrame) -> str:
    """Return the errors on services of 2025 and 2026, of a token and of the first one.

    Parameters
    ----------
    token, first : DataFrame
        As `comparisons.errors_of_today` returns them by ``all``.

    Returns
    -------
    str
        Markdown.
    """
    of_all, early = token.loc["all"], first.loc["all"]
    return sentences(
        f"- *Time per token*: over all {of_all['rows']:,.0f} rows the median error is "
        f"{of_all['median']:.1f}%, and nine in ten are within {of_all['ninth_decile']:.0f}%. The "
        f"roofline alone is off by {of_all['roofline']:.0f}%.",
        f"- *Blind*: when these rows were first scored, the median was {of_all['first_look']:.1f}%. Some "
        "terms were added after that look.",
        "- *Range*: that of a prediction is meant to hold nine in ten of the measured times, and holds "
        f"{of_all['inside']:.0f}%.",
        f"- *First token*: {early['median']:.0f}%, and {early['inside']:.0f}% in the range. It is harder, "
        "since it waits in a queue that benchmarks do not describe.",
    )


def far_services(services: pd.DataFrame) -> str:
    """Return which services are far off, and how the same models fare elsewhere.

    Parameters
    ----------
    services : DataFrame
        As `comparisons.errors_of_today` returns it by ``service``.

    Returns
    -------
    str
        Markdown; one list item a service.
    """
    far = services[services["median"] > 100 * FAR]
    if far.empty:
        return f"No service of twenty rows or more is off by more than {100 * FAR:.0f}% at the median."
    models = services.index.str.split(", ").str[0]
    items = []
    for name, row in far.iterrows():
        others = services[(models == str(name).split(", ")[0]) & (services.index != name)]["median"]
        elsewhere = "the rows hold this model nowhere else, so that the cause stays open"
        if len(others):
            elsewhere = (
                f"elsewhere the same model is off by {others.min():.0f} to {others.max():.0f}%, so that the "
                "cause lies in this service"
            )
        slower = "slower" if row["bias"] < 0 else "faster"
        items.append(
            f"- *{_titled(str(name))}* is {slower} than predicted, by {row['median']:.0f}% at the median; "
            f"{elsewhere}."
        )
    return sentences(*items)


def _titled(service: str) -> str:
    """Name a service by the title of its model, where that is registered."""
    model, *rest = service.split(", ")
    return ", ".join([title_of(model), *rest])


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
