"""What the chapter `training_footprint` says of what runs emitted, as the ledger estimates it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from cohort.chapters.training_footprint.tables import WORDS
from cohort.display.phrases import of_all, placed
from cohort.display.words import bullets, running, significant
from cohort.errors.names import listed
from cohort.footprint.factors import Range
from cohort.footprint.places import offsite_water

# In brief ---------------------------------------------------------------------------------------------------


def span(values: pd.Series, digits: int = 2) -> str:
    """Return the least and the greatest of some values.

    Parameters
    ----------
    values : Series
        At least one.
    digits : int
        How many of their digits count.

    Returns
    -------
    str
        Both, or one where they read alike.
    """
    ends = [significant(float(end), digits) for end in (values.min(), values.max())]
    return " to ".join(dict.fromkeys(ends))


def total(name: str, tonnes: Mapping[str, float], grid: str) -> str:
    """Return what the training of a model comes to.

    Parameters
    ----------
    name : str
        The model.
    tonnes : mapping of str to float
        ``low``, ``median`` and ``high`` of its CO2e in full, in t.
    grid : str
        Where its electricity is from.

    Returns
    -------
    str
        A sentence.
    """
    low, high = (significant(tonnes[level], 2) for level in ("low", "high"))
    median = significant(tonnes["median"])
    return (
        f"Training {name} emitted an estimated {median} t of CO2e ({low} to {high} t), with data centre and "
        f"hardware, on the grid of {placed(grid)}."
    )


def hardware_share(making: pd.Series, assessed: Sequence[str]) -> str:
    """Return what share of the total is the making of the hardware.

    Parameters
    ----------
    making : Series
        Percent by run.
    assessed : sequence of str
        Runs on accelerators whose making has a range of its own.

    Returns
    -------
    str
        A sentence.
    """
    if not assessed:
        share = "What making these accelerators emits is not known"
    else:
        share = f"Making the hardware is {span(making[list(assessed)])}% of the total"
        if len(assessed) < len(making):
            share += f" in the {len(assessed)} of {len(making)} runs where it is known"
    return f"{share}; no contract for electricity covers it."


# Boundaries and estimates -----------------------------------------------------------------------------------


def steps(name: str, ladder: pd.DataFrame, assessed: bool) -> str:
    """Return how a run's CO2e grows with its boundary.

    Parameters
    ----------
    name : str
        The run.
    ladder : DataFrame
        As `tables.ladder` returns it.
    assessed : bool
        Whether making its accelerators has a range of its own.

    Returns
    -------
    str
        Two paragraphs.
    """
    rated, *wider = (float(ladder["median"][each]) for each in WORDS.values())
    digits = (2, 3, 3, 3, 3)
    drawn, node, centre, full, tried = (
        significant(each / rated, count) for each, count in zip(wider, digits, strict=True)
    )
    unsure = ladder["high"] / ladder["low"]
    before, after = (significant(unsure[WORDS[each]], 2) for each in ("with_embodied", "with_development"))
    other = "" if assessed else ", by the range of an H100"
    return (
        f"The accelerators of {name} draw {drawn} times their rated power. The machines around them make "
        f"that {node} times, the data centre {centre}, and the making of the hardware {full}{other}.\n\n"
        f"All that was tried before the final run takes it to {tried} times. That is the least certain step: "
        f"with it the ends of the range are {after} times apart, without it {before} times."
    )


def widths(
    ratios: pd.Series,
    known: Sequence[str],
    estimated: Sequence[str],
    held: Sequence[str],
    loose: Sequence[str],
) -> str:
    """Return how far the ends of a run's CO2e are apart, and what bounds of the hours do.

    Parameters
    ----------
    ratios : Series
        The high end over the low one, by run.
    known, estimated : sequence of str
        Runs whose hours are published, and whose are not.
    held, loose : sequence of str
        Runs with a published bound of the hours: those that it cuts, and those that could not keep it.

    Returns
    -------
    str
        A sentence for each that applies.
    """
    said = ["In brackets are the 5th and 95th percentile."]
    for how, runs in (("published", known), ("estimated", estimated)):
        if runs:
            said.append(
                f"Where hours are {how}, the high end of the CO2e is {span(ratios[list(runs)])} times the "
                "low one."
            )
    if held:
        said.append(f"Of {' and '.join(held)} an upper bound of the hours is published, and kept to.")
    if loose:
        said.append(
            f"At no utilisation could {' and '.join(loose)} keep within the published bound, which is left "
            "out."
        )
    return " ".join(said)


# What the spread is due to ----------------------------------------------------------------------------------


def causes(drivers: pd.DataFrame) -> str:
    """Return what most of the variance is due to, and which publications would remove it.

    Parameters
    ----------
    drivers : DataFrame
        As `tables.drivers` returns it.

    Returns
    -------
    str
        A list and a sentence, or a sentence where nothing is drawn.
    """
    if not len(drivers.columns):
        return "Nothing is left to draw, so nothing is unsure."
    widest = drivers.idxmax(axis=1)
    each = "\n".join(
        f"- *{cause}* for {', for '.join(widest.index[widest == cause])};" for cause in dict.fromkeys(widest)
    )
    return (
        f"What makes a footprint unsure, most of all:\n\n{each[:-1]}.\n\nPrinting the hours would remove "
        "the doubt about utilisation and tokens; naming the site, the doubt about the grid."
    )


def leading(drivers: pd.DataFrame) -> str:
    """Return what explains most of the variance of runs.

    Parameters
    ----------
    drivers : DataFrame
        As `tables.drivers` returns it.

    Returns
    -------
    str
        The causes, to be set in italics together; ``none`` where nothing is drawn.
    """
    widest = dict.fromkeys(drivers.idxmax(axis=1)) if len(drivers.columns) else {}
    return "* or *".join(str(name) for name in widest) or "none"


def moving_most(moved: pd.DataFrame, hours_known: bool) -> str:
    """Return which input the answer follows most, and what the ledger does not hold.

    Parameters
    ----------
    moved : DataFrame
        As `tables.footprint_sensitivity` returns it, the widest first.
    hours_known : bool
        Whether the hours of the run are published.

    Returns
    -------
    str
        A paragraph.
    """
    if moved.empty:
        return "All factors are given, so nothing is left to move."
    hours = (
        "Hours are published, so utilisation is no part of it."
        if hours_known
        else "Hours are estimated, so utilisation is part of it."
    )
    return (
        f"The answer follows *{moved.index[0]}* most. {hours} The ledger leaves out storage, networks "
        "between sites, buildings and people; use is the question of the chapter on serving."
    )


# Hardware, water, heat and development ----------------------------------------------------------------------


def hardware(making: pd.Series, assessed: Sequence[str], h100_kg: pd.Series) -> str:
    """Return what making the hardware is of the totals, and how far its sources lie apart.

    Parameters
    ----------
    making : Series
        Percent of the total by run.
    assessed : sequence of str
        Runs on accelerators whose making has a range of its own.
    h100_kg : Series
        CO2e of making an H100 by several sources, in kg.

    Returns
    -------
    str
        A paragraph.
    """
    others = [name for name in making.index if name not in assessed]
    own = (
        f"The accelerator of {of_all(len(assessed), len(making), 'run')} has been assessed, and making it is "
        f"{span(making[list(assessed)])}% of the totals there. "
        if assessed
        else ""
    )
    stand_in = (
        f"For {listed(others)} a whole H100 stands in, too much for a small chip: {span(making[others])}%. "
        if others
        else ""
    )
    return (
        f"*Hardware.* {own}{stand_in}Sources for one H100 go from {significant(h100_kg.min())} kg, the die "
        f"alone, to {significant(h100_kg.max(), 4)} kg with its share of the server; the central value was "
        "assumed for another card ([Luccioni et al., 2022](../bibliography.md#luccioni2022bloom))."
    )


def water(name: str, onsite_ml: float, offsite_ml: float) -> str:
    """Return where the water of a run evaporates.

    Parameters
    ----------
    name : str
        The run.
    onsite_ml, offsite_ml : float
        In the data centre, and where its electricity is made, in million litres.

    Returns
    -------
    str
        A paragraph.
    """
    return (
        f"*Water.* Power stations evaporate {significant(offsite_ml)} million litres for {name}, "
        f"{significant(offsite_ml / onsite_ml)} times what the data centre does. Dams make the factor high, "
        f"{significant(offsite_water('Sweden').central, 2)} L a kWh in Sweden and "
        f"{significant(offsite_water('Canada').central, 2)} in Canada, since all that evaporates from "
        "reservoirs is charged to the electricity. A litre counts the same in a wet place and in a dry one."
    )


def made_beyond_carbon(found: Mapping[str, float]) -> str:
    """Return what is published of the making of electronics beyond carbon.

    Parameters
    ----------
    found : mapping of str to float
        As `tables.beyond_carbon` returns it.

    Returns
    -------
    str
        A paragraph.
    """
    return (
        f"*Beyond carbon.* Making an A100 does more harm than using it in {found['led']:.0f} of "
        f"{found['kinds']:.0f} kinds of impact, by its one public teardown "
        "([Falk et al., 2025](../bibliography.md#falk2025a100)). Mistral AI publishes "
        f"{significant(found['resources'])} kg of antimony equivalent for the training of Mistral Large 2 "
        "and 18 months of its use ([Mistral AI, 2025](../bibliography.md#mistral2025lca)). The "
        f"{significant(found['water'])} L of water for an accelerator are those of the chip alone. We found "
        "no maker of accelerators that publishes resources or waste."
    )


# A kWh is 3.6 MJ, and a litre takes 2.45 MJ to evaporate.
LITRES_PER_KWH = 3.6 / 2.45


def heat(name: str, gwh: float) -> str:
    """Return the heat of a run, and the water that it could evaporate at most.

    Parameters
    ----------
    name : str
        The run.
    gwh : float
        Its heat, in GWh.

    Returns
    -------
    str
        A paragraph.
    """
    return (
        f"*Heat.* All electricity becomes heat, {significant(gwh)} GWh for {name}. Cooled by evaporation "
        f"alone, that would take {significant(gwh * LITRES_PER_KWH)} million litres on site, the most that "
        "it can."
    )


def tried(tries: Range, name: str, tonnes: Mapping[str, float]) -> str:
    """Return by what the ledger multiplies for all that was tried, and what that means for a run.

    Parameters
    ----------
    tries : Range
        All compute over that of the final run.
    name : str
        The run.
    tonnes : mapping of str to float
        ``low`` and ``high`` of its CO2e with all that was tried, in t.

    Returns
    -------
    str
        A paragraph.
    """
    low, central, high = (significant(each) for each in (tries.low, tries.central, tries.high))
    return (
        "Development added half to the final runs of OLMo 2 "
        "([Morrison et al., 2025](../bibliography.md#morrison2025holistic)), and was most of the compute of "
        "Olmo 3 ([Morrison et al., 2026](../bibliography.md#morrison2026hidden)). So the ledger multiplies "
        f"by {central}, with a range of {low} to {high}. For {name} that means "
        f"{significant(tonnes['low'])} to {significant(tonnes['high'])} t: where hours are known, no other "
        "factor is as wide, and it rests on two families of one laboratory."
    )


def outputs(onsite: float, offsite: float) -> str:
    """Return what becomes of the electricity and of the water of a run.

    Parameters
    ----------
    onsite, offsite : float
        Water that the data centre and the power stations evaporate, in the same unit.

    Returns
    -------
    str
        Markdown.
    """
    where = "where the electricity is made" if offsite > onsite else "at the data centre"
    return (
        f"All electricity ends as heat. Most of the water evaporates {where}. Of the hardware, the run "
        "is charged with the hours that it took of its life."
    )


# Summary ----------------------------------------------------------------------------------------------------


def takeaways(
    name: str, ladder: pd.DataFrame, assessed: bool, known: pd.DataFrame, estimated: pd.DataFrame
) -> str:
    """Return four findings to take along.

    Parameters
    ----------
    name : str
        The largest run.
    ladder : DataFrame
        As `tables.ladder` returns it of that run.
    assessed : bool
        Whether making its accelerators has a range of its own.
    known, estimated : DataFrame
        As `tables.drivers` returns it of runs whose hours are published, and of those whose are not.

    Returns
    -------
    str
        A list.
    """
    rated, centre, full = (
        float(ladder["median"][WORDS[each]]) for each in ("accelerator_tdp", "facility", "with_embodied")
    )
    other = "" if assessed else ", by the range of an H100"
    most = "most of the variance is due to"
    return bullets(
        "A published footprint is mostly hours times rated power. To reproduce it tests arithmetic and "
        "nothing else.",
        f"Whole machines and the data centre of {name} take an estimated {significant(centre / rated)} times "
        f"what the rating says, and {significant(full / rated)} times with the making of the "
        f"hardware{other}.",
        running(
            f"Where hours are published, {most} *{leading(known)}*." if len(known) else "",
            f"Where they are not, it is due to *{leading(estimated)}*."
            if len(estimated) and len(known)
            else "",
            f"No hours are published, and {most} *{leading(estimated)}*." if not len(known) else "",
        ),
        "Development may outweigh the final run, and is hardly ever reported. Contracts for clean "
        "electricity leave hardware, water and heat as they are.",
    )
