"""What the chapter `data_optimal` says of its checks: runs that were trained long, scores, other laws."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cohort.chapters.data_optimal import doubts
from cohort.chapters.data_optimal.tables import COUPLED, RUNS_OF
from cohort.chapters.law_titles import law_title
from cohort.display.phrases import signed
from cohort.display.words import counted, paragraphs, ranged, scaled, sentences, significant


def trained_long(tested: pd.DataFrame, ratio: float) -> str:
    """Return how a law fitted to runs of few tokens predicts runs of many, by the size of the model.

    Parameters
    ----------
    tested : DataFrame
        As `tables.extrapolated` returns it.
    ratio : float
        Tokens per parameter at which sizes are compared; runs of several sizes have it.

    Returns
    -------
    str
        Markdown.
    """
    errors = 100 * tested["error"]
    used, unseen = errors[tested["fitted"]].abs(), errors[~tested["fitted"]]
    alike = errors[tested["ratio"] == ratio]
    sizes = tested["parameters"][alike.index].sort_values(kind="stable")
    small, large = (f"{alike[at]:.1f}% with {scaled(sizes[at])}" for at in sizes.index[[0, -1]])
    return sentences(
        f"The {counted(len(used), 'run')} that were fitted are within {used.median():.1f}% at the median. "
        f"The {counted(len(unseen), 'run')} beyond are all worse than predicted, by {unseen.min():.1f} to "
        f"{unseen.max():.0f}%, {unseen.median():.1f}% at the median.",
        f"The larger the model, the less it falls behind: at {ratio:g} tokens per parameter {small} "
        f"parameters and {large}.",
    )


def two_sets(near: pd.Series, far: pd.Series, focus: str, ratio: float, scores: pd.DataFrame) -> str:
    """Return that runs which were trained longer fall behind in both sets, and which set says how much.

    Parameters
    ----------
    near, far : Series
        The rows of the Chinchilla runs and of the longer runs in `tables.extrapolations`.
    focus : str
        Title of the model that is looked at.
    ratio : float
        Its tokens per parameter.
    scores : DataFrame
        As `cohort.fitting.panel.scored_forms` returns it.

    Returns
    -------
    str
        Markdown.
    """
    plain, coupled = 100 * far["median, predicted"], far[COUPLED]
    form = (
        f"On the same {far['fitted']:.0f} runs a law in which size and data are coupled misses the "
        f"{far['predicted']:.0f} long ones by {abs(coupled):.1f}% at the median, where the sum of two power "
        f"laws misses them by {abs(plain):.1f}%"
    )
    fails = abs(coupled) < abs(plain) / 2
    both = sentences(
        "In both the runs that were trained longer did worse than the law says. For the Chinchilla runs it "
        f"is little, {100 * near['median, predicted']:.1f}% at the median.",
        f"{form}. So it is the form that fails, and not only the distance: a sum of two terms promises that "
        "data make up for size at any ratio, and they do not."
        if fails
        else f"{form}: neither form is the cure here, and the distance itself is the doubt.",
    )
    return paragraphs(
        both,
        doubts.over_sets(scores),
        f"What would that mean for {focus}, with {significant(ratio)} tokens per parameter?",
    )


def above_the_law(late: pd.DataFrame, high: float) -> str:
    """Return how extra compute and break-even move if the loss is one per cent above the law's.

    Parameters
    ----------
    late : DataFrame
        As `tables.behind` returns it, with the shares 0 and 0.01.
    high : float
        The upper end of the interval of break-even; not a number where the law has none.

    Returns
    -------
    str
        Markdown.
    """
    extra, repaid = 100 * late["overhead"], late["break-even"]
    moves = "is out of reach"
    if np.isfinite(repaid[0.0]) and np.isfinite(repaid[0.01]):
        moves = f"moves from {scaled(repaid[0.0])} to {scaled(repaid[0.01])} tokens of use"
    doubt = "That is beyond the interval of the coefficients: the doubt is in the law, not in its numbers."
    return sentences(
        "A loss one per cent above the law makes the compute-optimal rival smaller: the extra compute grows "
        f"from {extra[0.0]:,.0f} to {extra[0.01]:,.0f}%, and break-even {moves}.",
        doubt if repaid[0.01] > high else "",
    )


def order_of_scores(scores: pd.DataFrame) -> str:
    """Return how well predicted losses order the scores, and where they are furthest off.

    Parameters
    ----------
    scores : DataFrame
        As `tables.beside_scores` returns it.

    Returns
    -------
    str
        Markdown.
    """
    if len(scores) <= 2:
        return "Too few of the models have a score to compare."
    rank, (low, high) = _rank_correlation(scores["loss"], scores["score"])
    gap = (scores["score"].rank() - (-scores["loss"]).rank()).sort_values(kind="stable")
    beside = ""
    if "flop" in scores:
        plain, (least, most) = _rank_correlation(scores["flop"], scores["score"])
        better = abs(plain) > abs(rank)
        beside = (
            f"Training compute alone, without any law, gives {signed(plain, '+.2f')} "
            f"({signed(least, '+.2f')} to {signed(most, '+.2f')})"
            + (": it orders these models better than the law does." if better else ".")
        )
    return sentences(
        f"For {counted(len(scores), 'model')} the rank correlation of score and predicted loss is "
        f"{signed(rank, '.2f')}, with a 95% interval from {signed(low, '+.2f')} to {signed(high, '+.2f')}; "
        "a perfect predictor would have −1.",
        beside,
        f"Furthest above its place by loss is {gap.index[-1]}, furthest below it {gap.index[0]}. What the "
        "law leaves out, the worth of the data, the experts, and the years in between, is in these "
        "differences.",
    )


def _rank_correlation(
    one: pd.Series, other: pd.Series, resamples: int = 1000
) -> tuple[float, tuple[float, float]]:
    """Return the rank correlation of two columns, and the ends of its 95% interval over resampled rows."""
    rows = np.random.default_rng(0).integers(len(one), size=(resamples, len(one)))
    values = []
    ranks = (pd.DataFrame(column.to_numpy()[rows]).rank(axis=1).to_numpy() for column in (one, other))
    for first, second in zip(*ranks, strict=True):
        if np.ptp(first) and np.ptp(second):  # a resample of one model alone has no order
            values.append(np.corrcoef(first, second)[0, 1])
    low, high = np.quantile(values, [0.025, 0.975])
    return float(one.rank().corr(other.rank())), (float(low), float(high))


def other_laws(laws: pd.DataFrame, focus: str) -> str:
    """Return how far the answer moves with the law.

    Parameters
    ----------
    laws : DataFrame
        As `tables.by_law` returns it.
    focus : str
        Title of the model that is looked at.

    Returns
    -------
    str
        Markdown.
    """
    others = laws.index.str.startswith(RUNS_OF)
    beside = 100 * laws["overhead"][others]
    laws = laws[~others]
    extra, repaid = 100 * laws["overhead"], laws["break-even"]
    finite = repaid[np.isfinite(repaid)]
    there = "By none of them is there a break-even."
    if len(finite):
        ends = f"{scaled(finite.min())} to {scaled(finite.max())}"
        there = f"Where there is a break-even, it is at {ends} tokens."
    return sentences(
        f"The extra compute of {focus} runs from {ranged(extra.min(), extra.max(), ',.0f')}% by these laws. "
        f"{there}",
        f"The law *{law_title('sardana-refit')}* was fitted to runs that were trained long, and not to the "
        "Chinchilla runs.",
        f"The same form fitted to {counted(len(beside), 'other set')} of runs, of other teams, data and "
        f"recipes, puts it anywhere from {ranged(beside.min(), beside.max(), ',.0f')}%: the data that a law "
        "rests on move the answer more than its coefficients do."
        if len(beside) and np.ptp(beside) > np.ptp(extra)
        else "",
    )
