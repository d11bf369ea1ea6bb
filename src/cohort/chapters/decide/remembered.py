"""What to remember of the chapter `decide`."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from cohort.display.phrases import of_all
from cohort.display.words import inflected, sentences, significant
from cohort.planning import Design, Plan


def takeaways(found: Plan, best: Mapping[str, Design], places: pd.DataFrame, savings: pd.DataFrame) -> str:
    """Return four findings to take along, one list item each.

    Parameters
    ----------
    found : Plan
        The plan for the assistant.
    best : mapping of str to Design
        As `lab.best_of_kind` returns it.
    places, savings : DataFrame
        As `places.by_place` and `savings.undone_prices` return them.

    Returns
    -------
    str
        Markdown.
    """
    layouts = (
        f"- Most layouts are beaten by another in everything: {len(found.options)} of {found.tried} are "
        "worth a look, and limits on time choose among them."
        if found.options
        else "- A plan can end with no layout at all: the limits decide before the price does."
    )
    dense, mixture = best.get("dense"), next((each for kind, each in best.items() if kind != "dense"), None)
    made = "- How much a model will be used decides its size as much as what it may cost to train."
    if dense is not None and mixture is not None:
        cheaper = "mixture" if mixture.usd < dense.usd else "dense model"
        made = (
            f"- At this quality and use the {cheaper} costs less, and more use makes the best model smaller: "
            "know the demand before the size."
        )
    moved = "- The CO2e of an answer depends on place, accelerator and layout: state all three with it."
    if places["place"].nunique() > 1 and places["accelerator"].nunique() > 1:
        by_place, by_device = (places.groupby(name)["grams"].min() for name in ("place", "accelerator"))
        one, other = by_place.max() / by_place.min(), by_device.max() / by_device.min()
        first, second = ("place", "accelerator") if one > other else ("accelerator", "place")
        moved = (
            f"- For CO2e choose the {first} first: from best to worst it changes an answer "
            f"{significant(max(one, other), 2)}-fold, the {second} {significant(min(one, other), 2)}-fold."
        )
    number = int((savings["times"] > 1).sum())
    some = of_all(number, len(savings), "change")
    saved = (
        f"- {some[0].upper()}{some[1:]} by the makers of the cohort "
        f"{inflected(number, 'leaves', 'leave')} a token cheaper to serve here."
        if len(savings)
        else "- What a maker's change saves depends on the load and the limits under which it is served."
    )
    return sentences(
        layouts,
        made,
        moved,
        saved,
    )
