"""Which form of a law predicts runs that it was not fitted to, over all public sets of runs, in words."""

from __future__ import annotations

import pandas as pd

from cohort.display.words import counted, paragraphs, sentences
from cohort.fitting import panel

# The forms by what the chapter calls them, in the order of its figure.
FORMS = {
    "chinchilla": "sum of two powers",
    "tied": "with one exponent",
    "kaplan": "Kaplan's",
    "coupled": "coupled",
    "farseer": "Farseer's",
    "chosen": "chosen by own runs",
}
NOUNS = {"tied": "sum with one exponent", "coupled": "coupled form"}
# Sets that were tried once, as a sentence calls them.
ONCE = {"steplaw_dense": "the dense runs of Step Law"}
# What is predicted: column -> in words.
TESTS = {
    "within": "the runs that were fitted",
    "largest": "the fifth of the most compute, from the rest",
    "beyond": "beyond 100 tokens per parameter, from the rest",
}


def which_form_wins(errors: pd.DataFrame) -> str:
    """Return which form is best at what, over how many sets, and by how much.

    Parameters
    ----------
    errors : DataFrame
        As `cohort.fitting.panel.scored_forms` returns it.

    Returns
    -------
    str
        Markdown.
    """
    fixed = errors[errors["form"] != "chosen"]
    within, largest, beyond = (_test(fixed, test) for test in TESTS)
    chosen = errors[errors["form"] == "chosen"]["beyond"].median()
    first, sets = panel.FIRST_LOOK
    own = (
        f"A set that chooses its form and its estimator by its own shorter runs comes to {chosen:.2f}%. "
        f"At the first look that was {first:.2f}% over {sets} sets: what was learned from that look is in "
        "the lower number, so a set that was never looked at counts for more."
        if chosen == chosen
        else ""
    )
    missing = fixed[fixed["beyond"].isna() & (fixed["longer"] > 0)]
    return paragraphs(
        f"*On the runs that were fitted* {within} That is no proof: more coefficients always come nearer.",
        f"*On the largest runs*, predicted from the rest, {largest}",
        sentences(
            "*On the longest runs*, predicted from those of at most a hundred tokens per parameter, "
            f"{beyond}",
            own,
            f"No law was found {_lost(missing)}." if len(missing) else "",
        ),
    )


def _test(fixed: pd.DataFrame, test: str) -> str:
    """Return which form has the lowest median in a test, and how often it and others are best."""
    wide = fixed.pivot(index="set", columns="form", values=test).dropna(how="all")
    medians = wide.fillna(float("inf")).median().sort_values(kind="stable")
    best = str(medians.index[0])
    wins = wide.idxmin(axis=1).value_counts()
    others = [f"{_form(str(form))} {count}" for form, count in wins.items() if form != best]
    usual = medians["chinchilla"]
    beside = f"; the sum of two powers misses by {usual:.2f}%" if best != "chinchilla" else ""
    rest = f", {', '.join(others)}" if others else ""
    return (
        f"{_form(best)} comes nearest, with {medians[best]:.2f}% at the median over "
        f"{counted(len(wide), 'set')}{beside}. It wins {wins.get(best, 0)} of the sets{rest}."
    )


def _form(name: str) -> str:
    """Return a form as a sentence has it."""
    return f"{FORMS[name]} form" if name in ("kaplan", "farseer") else f"the {NOUNS.get(name, FORMS[name])}"


def _lost(missing: pd.DataFrame) -> str:
    counts = missing["form"].value_counts()
    said = [f"of {_form(str(form))} in {counted(number, 'set')}" for form, number in counts.items()]
    return ", ".join(said)


def tried_once(errors: pd.DataFrame) -> str:
    """Return how the forms do on sets that were tried once, at the end.

    Parameters
    ----------
    errors : DataFrame
        As `cohort.fitting.panel.scored_forms` returns it, of the blind sets.

    Returns
    -------
    str
        Markdown; empty where there is none.
    """
    said = []
    for name, rows in errors.groupby("set"):
        beyond = rows.set_index("form")["beyond"]
        others = beyond.drop(["chosen", "chinchilla"]).dropna()
        warning = " So the choice by own runs is no guarantee." if beyond["chosen"] > beyond.min() else ""
        called = ONCE.get(str(name), str(name))
        said.append(
            f"One more set, {called}, was tried once, after all was chosen. Of its longest runs, "
            f"{rows['longer'].iloc[0]} in number, the recipe chosen by its own runs misses "
            f"{beyond['chosen']:.2f}% at the median, the sum of two powers {beyond['chinchilla']:.2f}%, the "
            f"other forms {others.min():.2f} to {others.max():.2f}%.{warning}"
        )
    return paragraphs(*said)
