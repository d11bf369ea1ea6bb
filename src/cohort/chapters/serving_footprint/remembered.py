"""What to remember of the chapter `serving_footprint`."""

from __future__ import annotations

import pandas as pd

from cohort.display.phrases import scaled_range
from cohort.display.words import inflected, sentences, significant


def takeaways(name: str, sweep: pd.DataFrame, answer_wh: float, evens: pd.DataFrame, days: float) -> str:
    """Return four findings to take along, one list item each.

    Parameters
    ----------
    name : str
        Title of the model.
    sweep : DataFrame
        J for an output token by term, a row for each number of answers, as `diagrams.terms` returns it.
    answer_wh : float
        Energy of an answer within the data centre, in Wh.
    evens : DataFrame
        As `making.break_evens` returns it.
    days : float
        Days in which DeepSeek's published service took as many hours as its training.

    Returns
    -------
    str
        Markdown.
    """
    total = sweep.sum(axis=1)
    alone, many = float(total.iloc[0]), float(total.iloc[-1])
    known = evens["answers"].dropna()
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)
    return sentences(
        f"- Company decides: a token takes {significant(alone / many)} times less energy with "
        f"{sweep.index[-1]:,} answers in a step than with {sweep.index[0]:,}, since all of them share one "
        "reading of the weights.",
        f"- An answer of {name} takes {significant(answer_wh, 2)} Wh here. A figure without the model, the "
        "load and the boundary cannot be compared with it.",
        f"- Use outgrows making, after {scaled_range(low, high, 2)} answers, depending on the model."
        if len(known) > 1
        else "- Use outgrows making, sooner where fewer answers share a step.",
        f"- Where machines were published, use caught up soon: after {significant(days, 2)} "
        f"{inflected(days, 'day', 'days')} DeepSeek's service had taken as many accelerator hours as its "
        "training.",
    )
