"""What to remember of the chapter `the_cohort`."""

from __future__ import annotations

import pandas as pd

from cohort.chapters.the_cohort.tables import within_rounding
from cohort.display.phrases import signed
from cohort.display.words import binary, running, scaled, sentences, significant
from cohort.units import KIB


def takeaways(
    counts: pd.DataFrame, caches: pd.DataFrame, sizes: pd.DataFrame, moves: pd.Series, benchmark: str
) -> str:
    """Return four findings to take along, one list item each.

    Parameters
    ----------
    counts, caches : DataFrame
        As `cohort.display.model_tables.counts` and `caches` return them.
    sizes : DataFrame
        As `cohort.display.published_values.published_counts` returns it.
    moves : Series
        As `tables.instructed_less_base` returns it, in points.
    benchmark : str
        Whose scores they are.

    Returns
    -------
    str
        Markdown.
    """
    return sentences(_names(sizes), _work(counts), _context(caches), _scores(moves, benchmark))


def _names(sizes: pd.DataFrame) -> str:
    exact, gap = int(within_rounding(sizes).sum()), sizes["gap"].abs()
    return (
        f"- A configuration fixes how large a model is; its name does not. {exact} of {len(sizes)} published "
        f"sizes are the count, rounded, and {gap.idxmax()} is off by {significant(100 * gap.max(), 2)}%."
    )


def _work(counts: pd.DataFrame) -> str:
    total, active = counts["total"].astype(float), counts["active"].astype(float)
    ratio = total / active
    largest, most = str(total.idxmax()), str(ratio.idxmax())
    if ratio[most] <= 1:
        return "- In a dense model every weight works on every token, so that size and work are one number."
    works = f"{scaled(active[largest])} of its {scaled(total[largest])}"
    return running(
        f"- Experts part size from work: {most} holds {significant(ratio[most])} times the weights that work "
        "on a token.",
        f"{'It' if most == largest else largest} is the largest model here and puts {works} weights to work.",
    )


def _context(caches: pd.DataFrame) -> str:
    each = caches["per token"]
    if len(each) == 1:
        return f"- A token of context costs {each.index[0]} {binary(each.iloc[0])}, in every conversation."
    return (
        "- What context costs is a matter of attention, not of size: from "
        f"{significant(each.min() / KIB)} KiB a token ({each.idxmin()}) to {significant(each.max() / KIB)} "
        f"KiB ({each.idxmax()})."
    )


def _scores(moves: pd.Series, benchmark: str) -> str:
    if moves.empty:
        return "- A score without its variant, its shots and its source tells little."
    moved = " to ".join(dict.fromkeys(signed(float(end), "+.1f") for end in (moves.min(), moves.max())))
    return (
        f"- A score belongs to a variant: tuning moves {benchmark} by {moved} points here. Compare base with "
        "base, and tuned with tuned."
    )
