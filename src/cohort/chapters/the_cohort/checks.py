"""What the chapter `the_cohort` says of its checks: counts beside references, sizes, compute, in Markdown."""

from __future__ import annotations

import pandas as pd

from cohort.chapters.the_cohort.tables import equal_counts, within_rounding
from cohort.display.published_values import CONVENTIONS
from cohort.display.words import inflected, sentences


def reference_agreement(difference: pd.DataFrame) -> str:
    """Return for how many models all counts equal those of the reference implementation.

    Parameters
    ----------
    difference : DataFrame
        As `tables.reference_counts` returns it.

    Returns
    -------
    str
        Markdown.
    """
    equal = equal_counts(difference)
    off = [name for name in difference.index if name not in equal]
    return sentences(
        f"All three counts, total, active and active without embedding, are equal for {len(equal)} of "
        f"{len(difference)} models{'; they differ for ' if off else ''}{', '.join(off)}.",
        "Where transformers has no class, one was written again from the model's code or paper; agreement "
        "with these is the weaker evidence.",
    )


def published_sizes(sizes: pd.DataFrame) -> str:
    """Return how many published sizes are the exact count, and how far the others are from it.

    Parameters
    ----------
    sizes : DataFrame
        As `cohort.display.published_values.published_counts` returns it.

    Returns
    -------
    str
        Markdown.
    """
    inside, gap = within_rounding(sizes), sizes["gap"]
    readings = sizes["readings"][~inside]
    silent, top = sum(not found for found in readings), str(gap.idxmax())
    printed, exact = sizes["published"][top], sizes["derived"][top]
    return sentences(
        f"{int(inside.sum())} of {len(sizes)} published sizes are the exact count, rounded.",
        f"{len(readings) - silent} more {inflected(len(readings) - silent, 'gives', 'give')} the printed "
        f"digits when counted in some other way; {silent} {inflected(silent, 'does', 'do')} not in any.",
        f"The median gap is {100 * gap.abs().median():.1f}%, the largest {100 * gap.max():.0f}%: {top} is "
        f"named for {printed:g} billion and holds {exact:.2f} billion.",
    )


def readings(sizes: pd.DataFrame) -> str:
    """Return which other way of counting would give the published sizes that are not the count, rounded.

    Parameters
    ----------
    sizes : DataFrame
        As `cohort.display.published_values.published_counts` returns it.

    Returns
    -------
    str
        Markdown.
    """
    outside = sizes["readings"][~within_rounding(sizes)]
    ways: dict[str, dict[str, str]] = {str(name): found for name, found in outside.items()}
    whole = CONVENTIONS[0]
    cut, tens = (
        ", ".join(name for name, found in ways.items() if found.get(whole) == how)
        for how in ("cut off", "rounded to tens")
    )
    partly = ", ".join(name for name, found in ways.items() if found and whole not in found)
    silent = ", ".join(name for name, found in ways.items() if not found)
    return sentences(
        f"Counting all weights and *cutting off* would explain {cut or 'none'}; rounding to the nearest ten, "
        f"{tens or 'none'}.",
        f"*Leaving out* the embedding, or embedding and head, would explain {partly or 'none'}.",
        f"No reading gives the printed digits of {silent}." if silent else "",
    )


def active_conventions(active: pd.DataFrame) -> str:
    """Return which convention each published number of active parameters allows, where it is one alone.

    Parameters
    ----------
    active : DataFrame
        As `cohort.display.published_values.published_counts` returns it for the active parameters.

    Returns
    -------
    str
        Markdown.
    """
    only = {str(name): min(found) for name, found in active["readings"].items() if len(found) == 1}
    camps = {camp: [name for name, reading in only.items() if reading == camp] for camp in CONVENTIONS}
    allowed = "; ".join(f"for {', '.join(names)}, {camp}" for camp, names in camps.items() if names)
    some = "some allow one reading alone:" if allowed else "none of those here allows one reading alone."
    return sentences(
        f"Publishers do not agree what *active* means. Many figures are too coarse to tell; {some}",
        f"{allowed}." if allowed else "",
        "This book therefore gives both counts: with the input embedding, and without it.",
    )


def compute_gap(compute: pd.DataFrame) -> str:
    """Return how far the training compute of this book is from what others estimate.

    Parameters
    ----------
    compute : DataFrame
        As `tables.training_compute` returns it.

    Returns
    -------
    str
        Markdown.
    """
    off = (compute["ratio"] - 1).abs()
    farthest = str(off.idxmax())
    less = float(compute["ratio"][farthest]) < 1
    return (
        f"Our estimates differ from theirs by {100 * off.median():.1f}% at the median. The largest "
        f"difference is that of {farthest}, for which ours is {100 * off.max():.0f}% "
        f"{'lower' if less else 'higher'}."
    )
