"""What the chapter `serving_footprint` says of queries, making, plants, fleets and measurements."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from cohort.chapters.serving_footprint.making import OwnMachines
from cohort.chapters.serving_footprint.words.one_answer import bound, plant_time
from cohort.display.phrases import amount, placed, scaled_range
from cohort.display.words import counted, mass, plainly, scaled, significant
from cohort.footprint import yardsticks
from cohort.footprint.uncertainty import Spread
from cohort.footprint.yardsticks import Fleet
from cohort.units import DAYS_PER_YEAR

# Queries ----------------------------------------------------------------------------------------------------


def queries_by_others(published: pd.DataFrame, own: pd.DataFrame, node_kw: float) -> str:
    """Return how far published energies of a query lie apart, and within what this chapter computes.

    Parameters
    ----------
    published : DataFrame
        As `published.queries` returns it.
    own : DataFrame
        As `uncertainty.own_queries` returns it.
    node_kw : float
        Power that a node of DeepSeek is assumed to draw.

    Returns
    -------
    str
        Two paragraphs.
    """
    stated = published.loc[~published["derived"], "wh"]
    apart = own["high"].max() / own["low"].min()
    return (
        f"The figures that others publish lie close together, {significant(stated.min(), 2)} to "
        f"{significant(stated.max(), 2)} Wh. That confirms little: the models of the figure span a factor of "
        f"{significant(apart, 2)}, and of most of the published ones neither the size nor the number of "
        "answers in a step is known.\n\n"
        f"The figure of DeepSeek is derived from its published nodes and an assumed {node_kw:g} kW for each, "
        "and was never metered; that of Mistral Large 2 is EcoLogits run again."
    )


def estimate(wh: float) -> str:
    """Return what the estimate of Epoch AI is made of.

    Parameters
    ----------
    wh : float
        Energy of a query, recomputed.

    Returns
    -------
    str
        A sentence.
    """
    return (
        "The estimate of Epoch AI is two FLOP for each active parameter and token at a tenth of the peak, "
        f"{significant(wh, 4)} Wh when recomputed ([Epoch AI, 2025](../bibliography.md#epoch2025gpt4o))."
    )


def life_cycle(grams: float, g_per_kwh: Mapping[str, float]) -> str:
    """Return what the life-cycle assessment of Mistral Large 2 would be in energy.

    Parameters
    ----------
    grams : float
        CO2e of an answer, as assessed.
    g_per_kwh : mapping of str to float
        CO2e of a kWh in ``France`` and in the ``USA``.

    Returns
    -------
    str
        A paragraph.
    """
    france, states = (significant(1000 * grams / g_per_kwh[place], 2) for place in ("France", "USA"))
    return (
        f"The life-cycle assessment of Mistral Large 2 gives {grams} g of CO2e for an answer of 400 tokens, "
        "and no energy ([Mistral AI, 2025](../bibliography.md#mistral2025lca)). As electricity alone that "
        f"would be {france} Wh on the French grid or {states} Wh on that of the United States. But it counts "
        "the whole chain of supply, so the figure leaves it out."
    )


# Making -----------------------------------------------------------------------------------------------------


def break_even_point(name: str, evens: pd.DataFrame, between: Spread | None) -> str:
    """Return what training emitted, and how many answers emit as much.

    Parameters
    ----------
    name : str
        The model that is served.
    evens : DataFrame
        As `making.break_evens` returns it.
    between : Spread or None
        As `making.break_even_spread` returns it.

    Returns
    -------
    str
        A few sentences; one where the hours are not known.
    """
    if name not in evens.index:
        return f"For {name} the hours are not known."
    made, count, most = evens["made"][name], evens["answers"][name], bound(evens, name)
    how = "With hours that follow from its tokens and stay below that bound" if most else "The range"
    spans = (
        f" {how} {'it is' if most else 'is'} {scaled_range(between.low, between.high, 2)} answers, from the "
        "5th to the 95th percentile."
        if between
        else ""
    )
    return (
        f"Training {name} emitted {most}{scaled(made)} t by this count, as much as {most}{scaled(count)} "
        f"answers.{spans}"
    )


def by_measurement(found: pd.Series) -> str:
    """Return when use outweighs making by measured answers.

    Parameters
    ----------
    found : Series
        Answers by model, as `making.measured_break_evens` returns them.

    Returns
    -------
    str
        A sentence; empty where no model was measured.
    """
    if found.empty:
        return ""
    each = ", ".join(f"{scaled(count)} for {name}" for name, count in found.items())
    return f"Where answers were metered, their energy gives {each}."


def fewer_at_once(name: str, evens: pd.DataFrame, fewer: int, concurrency: int) -> str:
    """Return when use catches up with fewer answers at once.

    Parameters
    ----------
    name : str
        The model that is served.
    evens : DataFrame
        As `making.break_evens` returns it for the model with fewer answers at once.
    fewer, concurrency : int
        How many that are, and how many were chosen.

    Returns
    -------
    str
        A sentence; empty where the model cannot be compared, or no fewer are possible.
    """
    if name not in evens.index or fewer >= concurrency:
        return ""
    return (
        f"With {counted(fewer, 'answer')} at once in place of {concurrency:,}, use catches up after "
        f"{bound(evens, name)}{scaled(evens['answers'][name])}."
    )


def both_published(machines: OwnMachines) -> str:
    """Return how soon use caught up where a maker publishes the machines of both sides.

    Parameters
    ----------
    machines : OwnMachines
        As `making.machines_of_deepseek` returns them.

    Returns
    -------
    str
        A paragraph.
    """
    return (
        f"One maker publishes both sides. Making DeepSeek-V3 and R1 took {scaled(machines.hours)} hours of "
        f"H800. Their service kept {machines.devices:,.0f} of them busy on average, so that use had caught "
        f"up after {plainly(machines.days, 2)} days."
    )


def all_counted(evens: pd.DataFrame, answers_per_day: float) -> str:
    """Return what the last column of the table of break-even points counts, and what its days assume.

    Parameters
    ----------
    evens : DataFrame
        As `making.break_evens` returns it.
    answers_per_day : float
        Answers of the service in a day.

    Returns
    -------
    str
        Two paragraphs.
    """
    grown = (evens["with development"] / evens["answers"]).median() if len(evens) else 1.0
    return (
        "The last column of the table also counts what was tried before the final run and the hardware of "
        f"both sides, which moves the point by a factor of {significant(grown, 2)}. Its days assume "
        f"{amount(answers_per_day, 'answer')} a day, a choice of ours, since no maker of these models "
        "publishes its demand. Where hours are *at most* so many, all that follows from them is a bound "
        "too.\n\n"
        "The more text a model of a given size saw, the longer until use outweighs its making: the making is "
        "dearer, the answers are not."
    )


# A tonne, a plant and a fleet -------------------------------------------------------------------------------


def service_year(year_kg: float) -> str:
    """Return what a year of the service is for humans and cars, and what the yardsticks count.

    Parameters
    ----------
    year_kg : float
        CO2e of a year of the service.

    Returns
    -------
    str
        Two paragraphs.
    """
    persons = yardsticks.person_days(year_kg) / DAYS_PER_YEAR
    return (
        f"A year of the service emits {mass(year_kg)}: what {plainly(persons)} average humans cause in a "
        f"year, or {plainly(yardsticks.car_years(year_kg))} cars.\n\n"
        "Persons are counted with all their greenhouse gases. What a flight does to the air besides its "
        "carbon dioxide is uncertain, and its source is weak."
    )


def service_captured(year_kg: float) -> str:
    """Return what a year of the service is for the plant Mammoth, by its design and as it went.

    Parameters
    ----------
    year_kg : float
        CO2e of a year of the service.

    Returns
    -------
    str
        A sentence.
    """
    plant = yardsticks.capture(year_kg)
    return (
        f"A year of the service would keep the plant busy for {plant_time(plant.design_months)} by its "
        f"design, and is {plainly(plant.first_months, 2)} times what it captured in those ten months."
    )


def trainings_captured(months: pd.Series, family_t: float, grid: str) -> str:
    """Return how long the plant Mammoth takes for trainings, by its design and as it went.

    Parameters
    ----------
    months : Series
        Months that each training takes of it by its design.
    family_t : float
        Published CO2e of the training of Llama 3.1, in t.
    grid : str
        Where the trainings are taken to have run.

    Returns
    -------
    str
        Two paragraphs.
    """
    design, captured, first_months = (
        yardsticks.yardstick(f"Mammoth, {what}")
        for what in ("by design", "calendar year 2024", "first ten months")
    )
    low, high = (yardsticks.yardstick(f"Mammoth, realistic year, {end}") for end in ("low", "high"))
    family = yardsticks.capture(1000 * family_t)
    return (
        "By its design the plant would capture the training of any one of these models in at most "
        f"{significant(months.max())} months. In its first ten months, with a sixth of its units, it "
        f"captured {first_months:.0f} t; in the calendar year 2024 it was {captured:.0f} t, "
        f"{100 * captured / design:.2f}% of the design. "
        f"Its reporters call {low:,.0f} to {high:,.0f} t a year realistic for these units. At that, the "
        f"{family_t:,.0f} t that the card of Llama 3.1 gives for its three models take "
        f"{family.realistic_years[0]:.0f} to {family.realistic_years[1]:.0f} years, not "
        f"{significant(family.design_months)} months.\n\n"
        f"All trainings of the table are modelled alike, in the data centre and on the grid of "
        f"{placed(grid)}; what their makers published stands beside them for comparison."
    )


def shipments(quoted: pd.Series, planned: float) -> str:
    """Return what estimates of shipped accelerators come to.

    Parameters
    ----------
    quoted : Series
        Accelerators by what is counted, as the table `quoted_figures` has them of NVIDIA.
    planned : float
        Accelerators that one buyer planned.

    Returns
    -------
    str
        A paragraph.
    """
    quarters = sum(
        quoted[of]
        for of in (
            "H100 shipped in the second quarter of 2023",
            "A100 and H100 sold in the third quarter of 2023",
        )
    )
    return (
        f"By these, two quarters of 2023 come to at most {scaled(quarters)}, A100 included in one of them; "
        f"another account gives {scaled(quoted['H100 shipped in 2023'])} H100 for the whole year. One buyer "
        f"alone planned {scaled(planned)} by the end of 2024. So a million is of the right size; when it was "
        "reached cannot be known."
    )


def fleet_year(million: Fleet, world_twh: float, grid: str) -> str:
    """Return what a fleet takes in a year, beside all data centres and the plant Mammoth.

    Parameters
    ----------
    million : Fleet
        The accelerators.
    world_twh : float
        Electricity of the data centres of the world in a year.
    grid : str
        Where its electricity is from.

    Returns
    -------
    str
        Three paragraphs.
    """
    twh, year = million.year.energy_kwh / 1e9, million.year
    plants = yardsticks.capture(year.operational_kg)
    return (
        f"At the central factors they draw {significant(million.power_w / 1e9)} GW, a large power station, "
        f"and take {significant(twh)} TWh a year, {significant(100 * twh / world_twh)}% of what all data "
        f"centres took in 2024. On the grid of {placed(grid)} that emits "
        f"{significant(year.operational_kg / 1e9)} Mt a year; making the hardware emitted "
        f"{significant(million.embodied_kg / 1e9)} Mt, once.\n\n"
        f"Capturing a year of it would take {plants.design_years:,.0f} plants as they were designed, or "
        f"{scaled(plants.first_months)} times what the one there is captured in its first ten months. "
        "A fleet that waits half of the time draws less, though not half: waiting machines draw too."
    )


# Measurements and uncertainty -------------------------------------------------------------------------------


def measured_accuracy(left: pd.DataFrame, drawn: float) -> str:
    """Return how near each measured model is predicted from the others.

    Parameters
    ----------
    left : DataFrame
        As `cohort.footprint.calibration.leave_one_out` returns it.
    drawn : float
        Geometric standard deviation of the range that the chapter draws from.

    Returns
    -------
    str
        Two paragraphs.
    """
    off = left["ratio"].sub(1).abs()
    worst = left.iloc[int(off.to_numpy().argmax())]
    by_model = left.groupby("model")["ratio"].median().nsmallest(3)
    lowest = ", ".join(f"{name} ({ratio:.2f})" for name, ratio in by_model.items())
    return (
        f"Predicted from the others, {100 * (off <= 0.25).mean():.0f}% of the points are within a quarter of "
        f"what was measured. The worst is {worst['model']} with {significant(worst['concurrency'])} requests "
        f"at once, predicted at {significant(worst['ratio'], 2)} of it: its steps last longer than reading "
        "and multiplying explain.\n\n"
        f"By the median of a model, {lowest} come out lowest: answers of models above a hundred billion "
        "parameters may take more than this chapter says. The range of an answer keeps an earlier, wider "
        f"geometric standard deviation, {drawn:.2f}, since the term for experts in eight bits and the scale "
        "of products on B200 were chosen when these errors had been seen."
    )


def metered_accuracy(found: Mapping[str, float]) -> str:
    """Return how near the terms are to metered configurations that are no part of the fit.

    Parameters
    ----------
    found : mapping of str to float
        As `published.metered_errors` returns it.

    Returns
    -------
    str
        A paragraph.
    """
    return (
        "The leaderboard metered 357 configurations more, on B200 too, in chat, reasoning and code. "
        f"Predicted from the other models, they come out to a factor of {found['spread']:.2f}, and "
        f"{100 * found['inside']:.0f}% lie inside the range; eight bits are predicted at "
        f"{found['eight bits']:.2f} of what they take. Sixteen fail: Qwen3-Coder 480B in fp8, with a copy of "
        f"the attention on each accelerator, takes {1 / found['copies']:.1f} times what the terms give. No "
        "other model was metered that way. The prompts of code completion are not published; the length that "
        f"suits the smaller coder, about {found['prompt']:,.0f} tokens, stands in for the larger one."
    )


def deepseek(blind: float, published: Mapping[str, float], node_kw: float) -> str:
    """Return what the terms give for DeepSeek's service, beside what follows from its nodes.

    Parameters
    ----------
    blind : float
        Wh for 1,000 output tokens by the terms of the fit.
    published : mapping of str to float
        The same by its nodes: ``low``, ``central`` and ``high``.
    node_kw : float
        Power that a node is assumed to draw.

    Returns
    -------
    str
        A paragraph.
    """
    return (
        f"For 1,000 output tokens of DeepSeek the terms give {blind:.2f} Wh. Its published nodes and tokens, "
        f"at an assumed {node_kw:g} kW a node, give {published['central']:.2f} Wh, and "
        f"{published['low']:.2f} to {published['high']:.2f} by other assumptions. These are two estimates: "
        "nobody metered that service, and the terms do not know layouts that are wider than a node."
    )


def ecologits(median: float, spread: float) -> str:
    """Return how near the formula of EcoLogits comes.

    Parameters
    ----------
    median, spread : float
        Of predicted over measured energy: the median, and the geometric standard deviation.

    Returns
    -------
    str
        A sentence.
    """
    return (
        "The public formula of EcoLogits, fixed at 64 requests in use, comes out at "
        f"{median:.2f} of what was measured at the median, with a geometric standard deviation of "
        f"{spread:.2f}, on 171 configurations of the same leaderboard "
        "([EcoLogits, 2026](../bibliography.md#ecologits))."
    )


def answer_ranges(energy: Spread, co2e: Spread, causes: pd.Series) -> str:
    """Return how wide an answer's ranges are, and what that of the energy is mostly due to.

    Parameters
    ----------
    energy, co2e : Spread
        Of an answer.
    causes : Series
        As `uncertainty.shares` returns it of the energy.

    Returns
    -------
    str
        A paragraph.
    """
    return (
        f"From the 5th to the 95th percentile the energy of an answer spans a factor of "
        f"{plainly(energy.high / energy.low, 2)}, its CO2e one of {plainly(co2e.high / co2e.low, 2)}. Most "
        f"of the doubt, {causes.max():.0f}% of the variance of the energy, is *{causes.idxmax()}*."
    )
