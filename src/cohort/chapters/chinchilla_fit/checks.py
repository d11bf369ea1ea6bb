"""What the chapter `chinchilla_fit` says of its checks: runs held out, other approaches, printed tables."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from cohort.chapters.chinchilla_fit.words import standard_error
from cohort.chapters.law_titles import listed_laws
from cohort.display.phrases import of_all, percent, power_of_ten, signed
from cohort.display.words import counted, inflected, paragraphs, scaled, sentences, significant
from cohort.errors.names import plain_name
from cohort.fitting.chinchilla_runs import CHINCHILLA


def beyond_the_cut(split: pd.DataFrame, cut: float) -> str:
    """Return how well a fit to the runs below a compute predicts those above it.

    Parameters
    ----------
    split : DataFrame
        As `tables.held_out` returns it.
    cut : float
        The compute, in FLOP.

    Returns
    -------
    str
        Markdown.
    """
    fitted, errors = split["fitted"], 100 * split["error"]
    above, below = errors[~fitted], errors[fitted]
    bias, doubt = above.mean(), standard_error(above)
    verdict = "no bias shows." if abs(bias) < 2 * doubt else "the extrapolation is biased."
    return sentences(
        f"The fit to the runs below {power_of_ten(cut, 1)} FLOP predicts the {counted(len(above), 'run')} "
        f"above it, of up to {significant(split['flop'].max() / cut)} times that compute, within "
        f"{above.abs().median():.1f}% at the median, where those that it was fitted to scatter by "
        f"{below.abs().median():.1f}%.",
        f"Its mean error is {signed(bias, '+.2f')}%, with a standard error of {doubt:.2f}%: over this "
        f"stretch {verdict}",
    )


def other_approaches(sizes: pd.DataFrame) -> str:
    """Return how near the advised sizes come to those of the paper's two other approaches.

    Parameters
    ----------
    sizes : DataFrame
        As `printed.size_errors` returns it, of ``this fit`` and ``hoffmann-unrounded`` at least.

    Returns
    -------
    str
        Markdown.
    """
    first, second = sizes["approach 1, median"], sizes["approach 2, median"]
    ours, theirs = "this fit", "hoffmann-unrounded"
    verdict = (
        "its three approaches disagree, and the fit brings the third to the other two."
        if first[ours] < first[theirs]
        else "the fit does not bring them nearer."
    )
    return (
        f"By this fit the sizes differ from those of approach 1 by a factor of {first[ours]:.2f} at the "
        f"median, and from those of approach 2 by {second[ours]:.2f}. By the paper's own law, unrounded, the "
        f"factors are {first[theirs]:.2f} and {second[theirs]:.2f}: {verdict}"
    )


def printed_tables(advice: pd.DataFrame, implied: pd.Series, against: pd.DataFrame) -> str:
    """Return what the paper's tables say of themselves: a misprint, exponents, and a law that does not fit.

    Parameters
    ----------
    advice : DataFrame
        As `printed.advice` returns it.
    implied : Series
        As `printed.implied_exponents` returns it.
    against : DataFrame
        As `printed.against_advice` returns it.

    Returns
    -------
    str
        Markdown.
    """
    worst: Any = (advice["ratio"] - 1).abs().idxmax()
    size, approach, ratio = (advice[name][worst] for name in ("parameters", "approach", "ratio"))
    third = against[against["approach"] == 3].set_index("law")
    rounded, unrounded, later = (
        f"{third['lowest'][name]:.2f} to {third['highest'][name]:.2f} times"
        for name in ("hoffmann", "hoffmann-unrounded", "sardana")
    )
    return paragraphs(
        sentences(
            f"The compute of the {size / 1e9:.0f} billion model of approach "
            f"{approach} is a misprint by a factor of {significant(1 / ratio)}. The "
            "others are off by more than their digits allow, by a few per cent.",
            "From a billion parameters on, the tables let the size grow with compute to the power "
            f"{implied[1]:.3f}, {implied[2]:.3f} and {implied[3]:.3f}, for the three approaches in turn.",
        ),
        "Approach 3 is the law, so its coefficients should give back its table, and no published set does. "
        f"For the printed sizes the rounded ones ask for {rounded} the printed compute, the unrounded ones "
        f"for {unrounded}, and those of later work for {later}.",
    )


def model_shapes(models: pd.DataFrame) -> str:
    """Return how many printed sizes and ratios of operations come out of the printed shapes.

    Parameters
    ----------
    models : DataFrame
        As `printed.chinchilla_models` returns it.

    Returns
    -------
    str
        Markdown.
    """
    odd, listed = models[~models["exact"]], models.dropna()
    agree = int((listed["counted ratio"].round(2) == listed["printed ratio"]).sum())
    other = ""
    if len(odd) == 1:
        other = (
            f"; the other is printed as {odd.index.item():,} million and counts "
            f"{odd['counted'].item() / 1e6:,.1f}"
        )
    return paragraphs(
        sentences(
            f"{models['exact'].sum()} of the {len(models)} printed sizes are the count to the last "
            f"digit{other}.",
            "The width of the heads has to come from the table: a count that divides the hidden size by the "
            "number of heads, as other counters do, is off by up to "
            f"{100 * models['square'].abs().max():.1f}%.",
        ),
        sentences(
            f"The ratios of operations agree for {of_all(agree, len(listed), 'model')}, but only if "
            "the embedding and the output logits are left out of the operations, which the formula in the "
            "text of the paper includes, while the embedding counts among the parameters.",
            "The rule of thumb of six operations a parameter and token differs from that count by up to "
            f"{100 * (listed['counted ratio'] - 1).abs().max():.1f}%.",
        ),
    )


def runs_left_out(advice: pd.Series) -> str:
    """Return how the advice moves as more runs are left out.

    Parameters
    ----------
    advice : Series
        As `tables.by_dropped` returns it.

    Returns
    -------
    str
        Markdown.
    """
    ordered = advice.sort_values(kind="stable")
    first, *_, last = ((ratio, at) for at, ratio in ordered.items())
    least, most = (f"{scaled(ratio)} tokens per parameter with {at} left out" for ratio, at in (first, last))
    times = advice.max() / advice.min()
    lesson = (
        "So the advice is steady."
        if times < 1.25
        else f"That is a factor of {scaled(times)}: where the runs end is a choice, and part of the answer."
    )
    return sentences(
        f"As more of the runs with the highest losses are left out, the advice moves: the "
        f"least is {least}, the most {most}.",
        lesson,
    )


def may_fall(standing: Mapping[str, Any]) -> str:
    """Return how firmly the verdict on Llama 3 8B stands, and by what it would fall.

    Parameters
    ----------
    standing : mapping
        As `verdicts.standing` returns it.

    Returns
    -------
    str
        Markdown.
    """
    against = standing["against"]
    flips = (
        f"By the published {inflected(len(against), 'law', 'laws')} of {listed_laws(against)} it would not "
        "hold."
        if against
        else "By none of the published laws would it fail altogether."
    )
    return sentences(
        f"How firm is the first verdict? By {percent(standing['holds'])} of the resampled laws it holds, "
        f"by {percent(standing['limits'])} with limits. {flips}",
        "The second follows from the form of the law, whatever its coefficients: the runs do not test it.",
    )


def whose_runs(source: str, frame: pd.DataFrame) -> str:
    """Return a note where the runs are a reader's own; nothing for those of Chinchilla.

    Parameters
    ----------
    source : str
        As `cohort.fitting.chinchilla_runs.runs` takes it.
    frame : DataFrame
        The runs.

    Returns
    -------
    str
        Markdown.
    """
    if source == CHINCHILLA:
        return ""
    dropped = int(frame["dropped"].sum())
    file = plain_name(Path(source).name)
    return (
        "**Other runs.** The law, its figures, intervals and verdicts below are those of the "
        f"{counted(len(frame) - dropped, 'run')} of `{file}` that were kept; {dropped} of "
        "the highest losses were left out. What is told of the team of 2022, of its paper and of its tables "
        "stays about them, as a yardstick."
    )
