"""Sentences about what a mixture is worth, by laws of loss and by scores."""

from __future__ import annotations

import pandas as pd

from cohort.chapters.expert_tradeoffs.worth import FOLKLORE, RECOMMENDED, RULES, usual_tokens
from cohort.display.words import inflected, ranged, running, scaled, sentences
from cohort.errors.names import listed


def dense_worth(name: str, equivalents: pd.DataFrame, times: float, quoted: float) -> str:
    """Return how far the laws disagree on mixtures, and where the rule of thumb and a maker's claim lie.

    Parameters
    ----------
    name : str
        Title of the mixture that is looked at closely.
    equivalents : DataFrame
        As `worth.equivalents` returns it.
    times : float
        By the recommended rule, the dense model of equal loss over DBRX's active parameters.
    quoted : float
        Times that the makers of DBRX say that experts save in training.

    Returns
    -------
    str
        Markdown.
    """
    by_law = equivalents[equivalents["model"] == name].set_index("law")["dense"]
    root, rule = float(by_law[FOLKLORE]), float(by_law[RECOMMENDED])
    only = equivalents[~equivalents["law"].isin(RULES)]
    spans = only.groupby("model", sort=False)["dense"].agg(lambda each: each.max() / each.min())
    below, above = (only["dense"] < only["active"]).sum(), (only["dense"] > only["total"]).sum()
    own = only[only["model"] == name]["dense"]
    where = "within" if own.min() <= rule <= own.max() else "outside"
    return sentences(
        running(
            _assumed(only),
            f"The laws disagree by {ranged(spans.min(), spans.max(), ',.0f')} times for the same mixture.",
            f"Of {len(only)} values {below} say that it is worth less than its active parameters, and "
            f"{above} that it is worth more than all of them together.",
        ),
        f"{_inside(only)} within the runs of its law, as far as those are known.",
        f"The recommended rule puts {name} at {scaled(rule)}, {where} the span of the laws, and the root at "
        f"{scaled(root)}.",
        f"The makers of DBRX put what experts save in training at about {quoted:g} times the compute, at "
        f"equal quality; by the rule the dense model of equal loss has {times:.1f} times its active "
        "parameters.",
    )


def _assumed(equivalents: pd.DataFrame) -> str:
    names = list(dict.fromkeys(equivalents[equivalents["assumed"]]["model"]))
    if not names:
        return ""
    return (
        f"The training tokens of {listed(names)} are not stated; the laws that need them are given "
        f"{scaled(usual_tokens())}, the median of the others."
    )


def _inside(equivalents: pd.DataFrame) -> str:
    inside = int((equivalents["beyond"] == 1).sum())
    return f"{inside} of them {inflected(inside, 'lies', 'lie')}" if inside else "None of them lies"
