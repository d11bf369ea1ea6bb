"""What the chapter `decide` says of places, and of what the makers' changes save."""

from __future__ import annotations

from math import isinf

import pandas as pd

from cohort.chapters.decide.savings import DATA, EXPERTS, HEADS
from cohort.chapters.decide.words.amounts import usd
from cohort.display.phrases import of_all
from cohort.display.words import inflected, running, significant
from cohort.errors.names import listed


def brief_on_places(table: pd.DataFrame, grams: float) -> str:
    """Return where and on what the limit on CO2e is kept.

    Parameters
    ----------
    table : DataFrame
        As `places.by_place` returns it.
    grams : float
        The limit.

    Returns
    -------
    str
        Markdown.
    """
    if table.empty:
        return "Nothing serves the public body within these limits."
    best = table.groupby("place")["grams"].min().sort_values(kind="stable")
    kept = list(dict.fromkeys(table.loc[table["kept"], "place"]))
    where = f"can be kept in {listed(kept)}" if kept else "is kept nowhere"
    limit = f"A limit of {significant(grams)} g of CO2e an answer {where}"
    if len(best) < 2:
        return f"{limit}; the least there is {significant(best.iloc[0])} g."
    return (
        f"{limit}: from {best.index[0]} to {best.index[-1]} the least that an answer can emit grows "
        f"{significant(best.iloc[-1] / best.iloc[0], 2)}-fold."
    )


def places_said(table: pd.DataFrame, grams: float) -> str:
    """Return whether the place or the accelerator decides.

    Parameters
    ----------
    table : DataFrame
        As `places.by_place` returns it.
    grams : float
        The limit.

    Returns
    -------
    str
        Markdown.
    """
    if table.empty:
        return "There is nothing to compare."
    by_place = table.groupby("place")["grams"].min()
    by_device = table.groupby("accelerator")["grams"].min()
    place, device = by_place.max() / by_place.min(), by_device.max() / by_device.min()
    grows = f"From the best place to the worst the CO2e of an answer grows {significant(place, 2)}-fold"
    more = f"choose the {'place' if place > device else 'accelerator'} first"
    kept = table[table["kept"]]
    cheapest = "No place keeps the limit."
    if not kept.empty:
        least = usd(float(kept["usd"].min()))
        cheapest = f"Within {significant(grams)} g the cheapest costs {least} a million output tokens."
    if len(by_place) < 2:
        return cheapest
    if len(by_device) < 2:
        return running(f"{grows}.", cheapest)
    return running(
        f"{grows}, from the best accelerator to the worst {significant(device, 2)}-fold: {more}.", cheapest
    )


def brief_on_savings(table: pd.DataFrame) -> str:
    """Return the share of the makers' changes that make serving cheaper.

    Parameters
    ----------
    table : DataFrame
        As `savings.undone_prices` returns it.

    Returns
    -------
    str
        Markdown.
    """
    if table.empty:
        return "None of the 2024 cohort is served within these limits, so that no change can be judged."
    cheaper = int((table["times"] > 1).sum())
    some = of_all(cheaper, len(table), "change")
    return (
        f"{some[0].upper()}{some[1:]} by the makers of the cohort {inflected(cheaper, 'makes', 'make')} a "
        f"token cheaper to serve here; undoing the median one {_undone(table['times'])}."
    )


def savings_said(table: pd.DataFrame) -> str:
    """Return what each kind of change saves, and whether all were made for cheap inference.

    Parameters
    ----------
    table : DataFrame
        As `savings.undone_prices` returns it.

    Returns
    -------
    str
        Markdown; one list item a kind of change.
    """
    items = []
    for change in (HEADS, EXPERTS, DATA):
        rows = table[table["change"] == change]
        if rows.empty:
            continue
        dearer = of_all(int((rows["times"] > 1.05).sum()), len(rows), "model")
        items.append(
            f"- *{change[0].upper()}{change[1:]}*: undoing it makes a token dearer by more than a twentieth "
            f"in {dearer}; at the median it {_undone(rows['times'])}."
        )
    if not items:
        return "No change can be judged within these limits."
    cheaper = int((table["times"] > 1.05).sum())
    items.append(
        f"\nSo {of_all(cheaper, len(table), 'change')} {inflected(cheaper, 'makes', 'make')} serving "
        "cheaper by more than a twentieth at this load. What a change saves does not prove why it was made."
    )
    return "\n".join(items)


def _undone(times: pd.Series) -> str:
    """Return what undoing the median change would do."""
    middle = float(times.median())
    if isinf(middle):
        return "would leave a model that nothing here serves within the limits"
    return f"would make a token cost {significant(middle, 2)} times as much"
