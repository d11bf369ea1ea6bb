"""What the chapter `training_footprint` says of what is reported: beside the ledger, by grid, and audited."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from cohort.chapters.training_footprint.predictions import CLASSES, PREDICTED, range_coverage
from cohort.chapters.training_footprint.words.emitted import span
from cohort.display.phrases import among, placed, signed
from cohort.display.words import counted, inflected, ranged, significant
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
    has = "has" if len(beside) == 1 else "have"
    return (
        f"{among(len(beside), runs, 'model').capitalize()} {has} a report. Counted in full, on the grid of "
        f"{placed(grid)}, each emitted an estimated {span(beside['full median'] / beside['reported'])} times "
        "what is reported."
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
        f"{counted(len(factors), 'published value')} {inflected(len(factors), 'contradicts', 'contradict')} "
        f"the others of the same run: {_factors(factors)}."
    )


def _factors(factors: Mapping[str, float]) -> str:
    """Return runs with the factor by which a value of theirs is off, whichever side is larger."""
    return ", ".join(
        f"{run} ({significant(max(factor, 1 / factor))} times off)" for run, factor in factors.items()
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
        A sentence.
    """
    return (
        f"The energy of {counted(by_class['values']['metered'], 'metered run')} is missed "
        f"by {100 * by_class['median error']['metered']:.0f}% at the median. All are of one laboratory, and "
        "the range of power rests on it."
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
    predicted = by_class.loc[list(PREDICTED)]
    return (
        f"{predicted['inside'].sum()} of {predicted['values'].sum()} values whose hours or power had to be "
        "predicted lie inside their range, where nine of ten should."
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
        f"The hours of {among(known, runs, 'run')} are published; a dash says that we found nothing. The "
        "power is what the data sheet rates; Google publishes none for TPU v5e, so an outside estimate "
        "stands there. No power here was measured.\n\n"
        f"We corrected {len(cells)} cells of the post's table. {len(flops)} of them are FLOP, "
        f"{ranged(factors.min(), factors.max())} times too low, since the post took a peak without the units "
        "for matrix products. One is the hours of DeepSeek-V2, which its report gives for each trillion "
        "tokens."
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
        f"Whole runs attain {mfu.min():.0f}% ({mfu.idxmin()}) to {mfu.max():.0f}% ({mfu.idxmax()}) of the "
        f"dense peak, {mfu.median():.0f}% at the median. Reports print higher shares, since they leave out "
        "restarts and everything after pre-training.\n\n"
        f"Asked in Python for one number, `cohort.footprint.training` takes {a100:.0%} on A100 and "
        f"{h100:.0%} on H100 and H800: rounded medians that stay as they are when a run is added."
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
        f"the range, and the {'median is' if one else 'medians are'} off by {span(gap)}%. That proves "
        "little: most reports multiply hours by rated power, and the ledger multiplies the same two "
        f"numbers.\n\nIn full, on the grid of {placed(grid)}, {'this run' if one else 'these runs'} would "
        f"have emitted an estimated {span(beside['full median'] / beside['reported'], 3)} times what is "
        f"reported: {among(below, len(beside), 'report')} {'lies' if one and below else 'lie'} below "
        "the full range."
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
        f"{apart['combustion']}.\n\nVirginia shows why the two are kept apart: a kWh generated there emits "
        f"{virginia} g by combustion; one of PJM, the grid that its data centres draw from, counts {pjm} g "
        "by consumption and life cycle."
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
        "Factors of regions count too, since we do not know in which of them a run was."
        if regions
        else "The change from one year to the next counts too."
    )
    return (
        f"The ledger draws from {significant(allowed.low)} to {significant(allowed.high)} g around "
        f"{significant(allowed.central)}: the spread of {spread_over}. {rest}"
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
        "*In full* counts data centre and hardware, at central values on the grid of the United States. "
        f"Matching every kWh with clean electricity leaves {name} "
        f"{significant(matched.co2e_market_kg / 1e3)} t of hardware and {significant(matched.water_l / 1e6)} "
        "million litres of water."
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
        "Taking CO2 out of the air is slower. The plant that the post names takes up "
        f"{design:,.0f} t a year by design; in its first ten months, with a sixth of its units, it took up "
        f"{first_months:,.0f} t. The reported {family_t:,.0f} t of the Llama 3.1 family are "
        f"{significant(plant.design_months)} months of its work by design, and {fewest} to {most} years at "
        "what its reporters call realistic for those units."
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
        f"Of the footprints, hours and shares, {len(gaps) + len(factors)} can be recomputed; {alone} stand "
        f"alone, and cannot be judged. {len(gaps)} agree within {100 * max(gaps):.1f}%. {len(factors)} are "
        f"contradicted by more than {100 * TOLERANCE:.0f}%: {_factors(factors)}.\n\n"
        "The card of Llama 3.3 prints the tonnes of a run with less than a hundredth of its hours. The "
        "tonnes and litres in the row of OLMo 2 13B follow from the energy of its machines, not from the "
        "energy that the row prints."
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


AMOUNTS = {"energy_kwh": "energy", "co2e_kg": "CO2e", "water_l": "water", "accelerator_hours": "hours"}


def coverage_of_ranges(compared: pd.DataFrame) -> str:
    """Return how many reported values lie inside their range, and which do not.

    Parameters
    ----------
    compared : DataFrame
        As `predictions.accuracy` returns it.

    Returns
    -------
    str
        Three paragraphs.
    """
    predicted = compared[compared["class"].isin(PREDICTED)]
    drawn = compared[compared["class"] != "arithmetic"]
    missed = drawn[~drawn["inside"]]
    listed = ", ".join(
        f"{row['run']} ({AMOUNTS[row['amount']]}, {signed(100 * row['error'])}%)"
        for _, row in missed.iterrows()
    )
    blind = compared[compared["class"] == "blind"]["error"]
    side = "low" if (blind < 0).all() else "high" if (blind > 0).all() else "high or low"
    return (
        f"Where hours or power had to be predicted, {predicted['inside'].sum()} of {len(predicted)} values "
        f"lie inside their range, {100 * range_coverage(compared, PREDICTED):.0f}%; nine of ten should. With "
        f"the class *place*, which is nearly given, it is {100 * range_coverage(compared):.0f}%. Outside "
        f"{'is' if len(missed) == 1 else 'are'} {listed or 'none'}.\n\n"
        "Runs of new makers may lie outside more often: the way to predict utilisation was chosen by how "
        "many of these hours then lie inside. And the metered runs do not test the power, since its range "
        "rests on what the same laboratory measured.\n\n"
        f"Both blind values come out too {side}. Gemma 2 trained its small models on the outputs of a larger "
        "one ([Gemma Team, 2024](../bibliography.md#gemma2024gemma2)), work that six FLOP for each parameter "
        "and token leave out."
    )
