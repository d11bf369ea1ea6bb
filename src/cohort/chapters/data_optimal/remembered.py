"""What to remember of the chapter `data_optimal`, and what two models of equal loss differ in."""

from __future__ import annotations

import math

import pandas as pd

from cohort.chapters.data_optimal import doubts
from cohort.display.phrases import among
from cohort.display.words import inflected, ranged, scaled, sentences, significant
from cohort.scaling import Allocation, ScalingLaw


def equal_loss(name: str, parameters: float, spent: float, best: Allocation) -> str:
    """Return how a model and the compute-optimal one of its loss differ in training and in use.

    Parameters
    ----------
    name : str
        Title of the model.
    parameters, spent : float
        Its size, and its training compute in FLOP.
    best : Allocation
        The compute-optimal model of the same loss.

    Returns
    -------
    str
        Markdown.
    """
    use, training = parameters / best.parameters, spent / best.flop
    if use >= 1:
        return (
            f"{name} is the larger of the two: it took {significant(training)} times the training compute, "
            f"and each token of use costs {significant(use)} times as much. Nothing pays that back."
        )
    return (
        f"The low rectangle has the larger area: {name} took {significant(training)} times the training "
        f"compute, and each token of use costs {significant(use, 2)} times as much."
    )


def half_size(law: ScalingLaw) -> str:
    """Return what half the compute-optimal size takes for the same loss, and where no data are enough.

    Parameters
    ----------
    law : ScalingLaw
        The law.

    Returns
    -------
    str
        A sentence.
    """
    half = law.overtraining(0.5)
    return (
        f"Along the line of equal loss, half the compute-optimal size takes {half.token_ratio:.2f} times the "
        f"tokens and {100 * half.compute_overhead:.0f}% more compute, and below "
        f"{100 * half.critical_parameter_ratio:.0f}% of that size the line has no end."
    )


def takeaways(
    focus: str, against: pd.DataFrame, laws: pd.DataFrame, spreads: pd.DataFrame, scores: pd.DataFrame
) -> str:
    """Return four findings to take along, one list item each.

    Parameters
    ----------
    focus : str
        Title of the model that is looked at.
    against : DataFrame
        As `tables.against` returns it.
    laws : DataFrame
        As `tables.by_law` returns it, of that model.
    spreads : DataFrame
        As `doubts.spread_by_source` returns it, of that model.
    scores : DataFrame
        As `cohort.fitting.panel.scored_forms` returns it.

    Returns
    -------
    str
        Markdown.
    """
    overhead, after = (float(against[each].loc[focus]) for each in ("overhead", "break-even"))
    smaller = int((against["size"] < 1).sum())
    extra = [*laws["overhead"], *spreads["overhead low"], *spreads["overhead high"]]
    return sentences(
        f"- {among(smaller, len(against), 'model').capitalize()} {inflected(smaller, 'is', 'are')} smaller "
        "than their training compute asked for. That is no mistake: training is paid once, use for every "
        "token.",
        _pays_back(focus, overhead, after),
        "- Which law one believes matters more than its digits: by the laws, forms and sets of runs tried "
        f"here the extra compute of {focus} is {ranged(100 * min(extra), 100 * max(extra), ',.0f')}%.",
        f"- The usual law promises too much for long training. {doubts.over_sets(scores, brief=True)}",
    )


def _pays_back(focus: str, overhead: float, after: float) -> str:
    if not math.isfinite(after):
        return f"- {focus} never pays back its training, since it is not the smaller of the two."
    return (
        f"- {focus} took {significant(100 * overhead)}% more training compute than the optimum of its loss, "
        f"and pays that back after {scaled(after)} tokens of use."
    )
