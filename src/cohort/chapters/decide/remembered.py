"""What to remember of the chapter `decide`."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from cohort.display.words import sentences, significant
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
    left = f"{len(found.options)} of {found.tried}" if found.tried else "none"
    dense, mixture = best.get("dense"), next((each for kind, each in best.items() if kind != "dense"), None)
    made = "- How much a model will be used decides its size as much as what it may cost to train."
    if dense is not None and mixture is not None:
        cheaper = "mixture" if mixture.usd < dense.usd else "dense model"
        made = f"- For the same quality and use the {cheaper} costs less: know the demand before the size."
    moved = (
        "- The place moves the CO2e of an answer more than the accelerator does, wherever both can be chosen."
    )
    if not places.empty:
        by_place, by_device = (places.groupby(name)["grams"].min() for name in ("place", "accelerator"))
        one, other = by_place.max() / by_place.min(), by_device.max() / by_device.min()
        first, second = ("place", "accelerator") if one > other else ("accelerator", "place")
        moved = (
            f"- For CO2e choose the {first} first: it moves an answer {significant(max(one, other), 2)} "
            "times, the "
            f"{second} {significant(min(one, other), 2)} times."
        )
    share = 100 * float((savings["times"] > 1).mean()) if len(savings) else 0.0
    return sentences(
        f"- Most layouts are beaten by another in everything: {left} are worth a look, and limits on time "
        "choose "
        "among them.",
        made,
        moved,
        f"- {significant(share, 2)}% of what the makers of 2024 changed makes a token cheaper to serve here.",
    )
