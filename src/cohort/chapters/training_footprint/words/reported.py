"""What the chapter `training_footprint` says of what is reported: beside the ledger, by grid, and audited."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from cohort.chapters.training_footprint.predictions import CLASSES, PREDICTED, range_coverage
from cohort.chapters.training_footprint.words.emitted import span
from cohort.display.phrases import among
from cohort.display.words import counted, ranged, significant
from cohort.footprint.accounts import Footprint
from cohort.footprint.audit import TOLERANCE
from cohort.footprint.factors import Range
from cohort.footprint.yardsticks import capture, yardstick

# Reports ----------------------------------------------------------------------------------------------------


def full_over_reported(beside: pd.DataFrame, runs: int, grid: str) -> str:
    """Return how many models have a report, and what it leaves out.

    Parameters
    ----------
    beside : DataFrame
        As `reports.reported_beside_modelled` returns it.
    runs : int
        How many models were asked for.
    grid : str
        Where the electricity is from.

    Returns
    -------
    str
        One or two sentences.
    """
    if beside.empty:
        return (
            f"None of {counted(runs, 'model')} has a report of its own."
            if runs > 1
            else "The one model has no report of its own."
        )
    has, they = ("has a report", "it") if len(beside) == 1 else ("have reports", "they")
    return (
        f"{counted(len(beside), 'model')} of {runs} {has}. Counted in full, {they} would have emitted an "
        f"estimated {span(beside['full median'] / beside['reported'])} times what is reported, on the grid "
        f"of {grid}."
    )


def contradicted(factors: Mapping[str, float]) -> str:
    """Return which published values contradict themselves.

    Parameters
    ----------
    factors : mapping of str to float
        Per run, the published value over what follows for it.

    Returns
    -------
    str
        A sentence.
    """
    return (
        f"Of the published values that can be recomputed, {len(factors)} contradict themselves: "
        f"{_factors(factors)}."
    )


def _factors(factors: Mapping[str, float]) -> str:
    """Return runs with the factor by which a value of theirs is off, whichever side is larger."""
    return ", ".join(
        f"{run} (by a factor of {significant(max(factor, 1 / factor))})" for run, factor in factors.items()
    )


def metered(by_class: pd.DataFrame) -> str:
    """Return how near metered energies are met, and what was held out for it.

    Parameters
    ----------
    by_class : DataFrame
        As `predictions.by_class` returns it.

    Returns
    -------
    str
        Two sentences.
    """
    return (
        f"Of {by_class['values']['metered']} runs whose energy was metered, all of one laboratory, the "
        f"model misses it by {100 * by_class['median error']['metered']:.0f}% at the median. The hours are "
        "predicted without that laboratory's runs; the power is not held out, since its range rests on the "
        "same laboratory."
    )


def within_the_range(by_class: pd.DataFrame) -> str:
    """Return how many predicted values lie inside their range.

    Parameters
    ----------
    by_class : DataFrame
        As `predictions.by_class` returns it.

    Returns
    -------
    str
        A sentence.
    """
    predicted, drawn = by_class.loc[list(PREDICTED)], by_class.drop(index="arithmetic")
    return (
        f"{predicted['inside'].sum()} of {predicted['values'].sum()} values whose hours or power it has to "
        "predict lie inside its range, where nine of ten should; with those whose hours and power are "
        f"published, {drawn['inside'].sum()} of {drawn['values'].sum()}."
    )


def published_hours(known: int, runs: int, cells: pd.DataFrame) -> str:
    """Return how many runs have hours, and what was corrected in the post's table.

    Parameters
    ----------
    known, runs : int
        Runs whose hours are published, and all.
    cells : DataFrame
        Corrected cells of the post's environmental table, as the table `corrections` has them.

    Returns
    -------
    str
        Two paragraphs.
    """
    flops = cells[cells["column"] == "flops"]
    factors = flops["corrected"].astype(float) / flops["original"].astype(float)
    return (
        f"A dash says that nothing was found in what the book cites. {counted(known, 'run')} of {runs} "
        f"{'has' if known == 1 else 'have'} hours.\n"
        f"Of the post's environmental table {len(cells)} cells are corrected. {len(flops)} of them are FLOP, "
        f"which were {ranged(factors.min(), factors.max())} times too low, as they took a peak without the "
        "units for matrix products; one is the hours of DeepSeek-V2, which its report gives for each "
        "trillion tokens. The power is that of the data sheet, but for TPU v5e, of which Google publishes "
        "none: an outside estimate stands for it. No power here was measured."
    )


def whole_runs(shares: pd.DataFrame, a100: float, h100: float) -> str:
    """Return what share of the peak whole runs attain.

    Parameters
    ----------
    shares : DataFrame
        As `tables.utilisations` returns it, the highest first.
    a100, h100 : float
        The rounded medians of the table of factors.

    Returns
    -------
    str
        A paragraph.
    """
    mfu = 100 * shares["mfu"]
    return (
        f"A whole run attains {mfu.min():.0f}% to {mfu.max():.0f}% of the dense peak, {mfu.median():.0f}% at "
        f"the median: lowest {mfu.idxmin()}, highest {mfu.idxmax()}. For one number at a time, "
        "`cohort.footprint.training` takes the rounded medians of the table of factors, which rest on "
        f"another choice of runs and stay as they are when a run is added: {a100:.0%} on A100 and {h100:.0%} "
        "on H100 and H800. The shares that reports print are higher, since they leave out restarts and "
        "everything after pre-training."
    )


def agreement_of_reports(beside: pd.DataFrame, grid: str) -> str:
    """Return whether reports agree with the ledger at their own boundary, and what they leave out.

    Parameters
    ----------
    beside : DataFrame
        As `reports.reported_beside_modelled` returns it.
    grid : str
        Where the electricity is from.

    Returns
    -------
    str
        Two paragraphs, or a sentence where nothing is reported.
    """
    if beside.empty:
        return "None of these models has a report of its own to compare with."
    agreeing, one = int(beside["agrees"].sum()), len(beside) == 1
    gap = 100 * (beside["median"] / beside["reported"] - 1).abs()
    below = int((beside["reported"] < beside["full low"]).sum())
    return (
        f"At its own boundary {among(agreeing, len(beside), 'report')} "
        f"{'agrees' if one and agreeing else 'agree'} with "
        f"the range, and the {'median is' if one else 'medians are'} off by {span(gap)}%. That is little "
        "praise where hours times rated power was printed: the ledger multiplies the same two numbers, and "
        "at most the data centre and the grid are left to draw.\n"
        f"In full, on the grid of {grid}, {'this run' if one else 'these runs'} would have emitted an "
        f"estimated {span(beside['full median'] / beside['reported'], 3)} times what is reported, and "
        f"{among(below, len(beside), 'report')} {'lies' if one and below else 'lie'} below its range."
    )


# Grids and markets ------------------------------------------------------------------------------------------


def elsewhere(places: pd.DataFrame) -> str:
    """Return how far the same electricity differs by place, within each scope.

    Parameters
    ----------
    places : DataFrame
        As `places.in_places` returns it, the cleanest first.

    Returns
    -------
    str
        A paragraph.
    """
    apart = {}
    for scope in ("life cycle", "combustion"):
        tonnes = places[places["method"].str.contains(scope)]["median"]
        (cleanest, least), (dirtiest, most) = (
            (tonnes.idxmin(), tonnes.min()),
            (tonnes.idxmax(), tonnes.max()),
        )
        apart[scope] = (
            f"{significant(least)} t in {cleanest} and {significant(most)} t in {dirtiest}, a factor of "
            f"{significant(most / least, 2)}"
        )
    virginia, pjm = (significant(places["g/kWh"][name]) for name in ("US-Virginia", "US-PJM"))
    return (
        f"By life cycle, the same electricity emits {apart['life cycle']}. By combustion alone it emits "
        f"{apart['combustion']}; the two scopes are not compared with each other. Virginia generates a kWh "
        f"with {virginia} g of combustion; the grid that its data centres draw from, PJM, counts {pjm} g by "
        "consumption and life cycle."
    )


def drawn_from(allowed: Range, spread_over: str, regions: bool) -> str:
    """Return from which factors of the chosen grid the ledger draws.

    Parameters
    ----------
    allowed : Range
        In g a kWh.
    spread_over : str
        As `places.spread_over` returns it.
    regions : bool
        Whether the factors of regions are among them.

    Returns
    -------
    str
        A sentence.
    """
    rest = (
        "those of regions included, as we do not know in which of them a run was"
        if regions
        else "and of the change from one year to the next"
    )
    return (
        f"The ledger draws from {significant(allowed.low)} to {significant(allowed.high)} g around "
        f"{significant(allowed.central)}, the spread of {spread_over}, {rest}."
    )


def matching(name: str, matched: Footprint) -> str:
    """Return what is left of a run where every kWh is matched.

    Parameters
    ----------
    name : str
        The run.
    matched : Footprint
        With contracts for all of its electricity.

    Returns
    -------
    str
        A paragraph.
    """
    return (
        "*In full* is the ledger with data centre and hardware at central values on the grid of the United "
        f"States. With every kWh matched, {name} would still leave "
        f"{significant(matched.co2e_market_kg / 1e3)} t of hardware and {significant(matched.water_l / 1e6)} "
        "million litres of water at central values."
    )


def taken_up(family_t: float) -> str:
    """Return how long the plant that the post names takes for a family of models.

    Parameters
    ----------
    family_t : float
        Reported CO2e of the training of Llama 3.1, in t.

    Returns
    -------
    str
        A paragraph.
    """
    design, first_months = (yardstick(f"Mammoth, {what}") for what in ("by design", "first ten months"))
    plant = capture(1000 * family_t)
    fewest, most = (significant(years, 2) for years in plant.realistic_years)
    return (
        "Taking CO2 out of the air is another matter than matching. The plant that the post names takes up "
        f"{design:,.0f} t a year by design, and took up {first_months:,.0f} t in its first ten months, "
        "with a sixth of its units. At what its reporters call realistic for them, the reported "
        f"{family_t:,.0f} t of the Llama 3.1 family are {fewest} to {most} years of its work; by design they "
        f"would be {significant(plant.design_months)} months."
    )


# The audit and reality --------------------------------------------------------------------------------------


def values_recomputed(gaps: Sequence[float], factors: Mapping[str, float], alone: int) -> str:
    """Return how many published values follow from others.

    Parameters
    ----------
    gaps : sequence of float
        How far those that agree are from what follows for them, as fractions.
    factors : mapping of str to float
        Of what is contradicted: published over what follows, by run.
    alone : int
        How many nothing else leads to.

    Returns
    -------
    str
        A paragraph.
    """
    return (
        f"{len(gaps) + len(factors)} footprints, hours and shares can be recomputed; {alone} stand alone, "
        f"and cannot be judged. {len(factors)} are contradicted by more than {100 * TOLERANCE:.0f}%: "
        f"{_factors(factors)}. The other {len(gaps)} agree within {100 * max(gaps):.1f}%. The card of "
        "Llama 3.3 prints as many tonnes as a run of less than a hundredth of its hours emits. The energy of "
        "OLMo 2 13B does not give the tonnes and the litres of its own row; the energy of its machines does."
    )


def class_list(by_class: pd.DataFrame) -> str:
    """Return what each class of reported values leaves to predict.

    Parameters
    ----------
    by_class : DataFrame
        As `predictions.by_class` returns it.

    Returns
    -------
    str
        A list.
    """
    return "\n".join(f"- *{name}*: {CLASSES[name]}." for name in by_class.index)


AMOUNTS = {"energy_kwh": "energy kwh", "co2e_kg": "co2e", "water_l": "water l", "accelerator_hours": "hours"}


def coverage_of_ranges(compared: pd.DataFrame) -> str:
    """Return how many reported values lie inside their range, and which do not.

    Parameters
    ----------
    compared : DataFrame
        As `predictions.accuracy` returns it.

    Returns
    -------
    str
        Two paragraphs.
    """
    predicted = compared[compared["class"].isin(PREDICTED)]
    drawn = compared[compared["class"] != "arithmetic"]
    missed = drawn[~drawn["inside"]]
    listed = ", ".join(
        f"{row['run']} ({AMOUNTS[row['amount']]}, {100 * row['error']:+z.0f}%)"
        for _, row in missed.iterrows()
    )
    blind = compared[compared["class"] == "blind"]["error"]
    side = "low" if (blind < 0).all() else "high" if (blind > 0).all() else "high or low"
    return (
        f"Where hours or power are predicted, {predicted['inside'].sum()} of {len(predicted)} values lie "
        f"inside their range, {100 * range_coverage(compared, PREDICTED):.0f}%, where nine of ten should. "
        f"The class *place* is nearly given; with it they are {drawn['inside'].sum()} of {len(drawn)}, "
        f"{100 * range_coverage(compared):.0f}%. Outside "
        f"{'is' if len(missed) == 1 else 'are'} {listed or 'none'}.\n"
        "The metered runs are of one laboratory. None of its runs is in the utilisation that predicts them, "
        "but what it measured of OLMo 2 and Olmo 3 is what the range of power rests on, so that their power "
        "is no test. How the share of the peak is predicted was chosen by how many hours then lie inside, "
        f"so that runs of other makers may lie outside more often. Both blind values come out too {side}; "
        "Gemma 2 trained its small models on the outputs "
        "of a larger one ([Gemma Team, 2024](../bibliography.md#gemma2024gemma2)), work that six FLOP for "
        "each parameter and token leave out."
    )
