"""What the chapter `serving_footprint` says of queries, making, plants, fleets and measurements."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from cohort.chapters.serving_footprint.making import OwnMachines
from cohort.chapters.serving_footprint.words.one_answer import bound, plant_time
from cohort.display.words import counted, mass, plainly, scaled, significant
from cohort.footprint import yardsticks
from cohort.footprint.uncertainty import Spread
from cohort.footprint.yardsticks import Fleet
from cohort.units import DAYS_PER_YEAR, HOURS_PER_DAY

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
        A paragraph.
    """
    stated = published.loc[~published["derived"], "wh"]
    apart = own["high"].max() / own["low"].min()
    return (
        f"The figures that others publish span {significant(stated.min(), 2)} to "
        f"{significant(stated.max(), 2)} Wh. The models of the figure span a factor of "
        f"{significant(apart, 2)}, so that lying among them would say nothing. DeepSeek "
        "says how large its model is and how many answers share a step, and "
        "Mistral how large Large 2 is; of the others neither is known, and these two move an answer by far "
        "more than the figures differ. The figure of DeepSeek is derived from its published nodes and an "
        f"assumed {node_kw:g} kW for each, and was never metered; that of Mistral Large 2 is EcoLogits run "
        "again."
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
        "and no energy ([Mistral AI, 2025](../bibliography.md#mistral2025lca)). By electricity alone that "
        f"would be {france} Wh on the French grid and {states} Wh on that of the United States. It counts "
        "the whole chain of supply, and its energy cannot be told from that; it is no row of this figure."
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
    how = "With hours that follow from its tokens and stay below that bound it is" if most else "It is"
    spans = (
        f" {how} {scaled(between.low, 2)} to {scaled(between.high, 2)} answers from the 5th to the 95th "
        "percentile."
        if between
        else ""
    )
    return (
        f"The training of {name} emitted {most}{scaled(made)} t by this count, location-based, as "
        f"much as {most}{scaled(count)} answers.{spans} The grid and the data centre are the same "
        "for both; the range is due to the rest."
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
    return f"By metered energies, which go before computed ones, it is: {each}."


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
        f"an H800. Their service kept {machines.devices:,.0f} of them in use, averaged over a day, or "
        f"{HOURS_PER_DAY * machines.devices:,.0f} hours a day: use had caught up after "
        f"{plainly(machines.days, 2)} days."
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
        "The last column counts all: what was tried before the final run, and the hardware on both sides. It "
        f"moves the point by a factor of {significant(grown, 2)}. Days assume {scaled(answers_per_day)} "
        f"{'answer' if answers_per_day == 1 else 'answers'} a day, of one model; that number is chosen, "
        "since no maker of these models publishes it; only DeepSeek publishes its machines. "
        "Hours that are *at most* so many make all that follows "
        "from them a bound too.\n"
        "A model that was trained on more tokens than its size asks for takes longer to be outweighed: its "
        "making is dearer, its answers are not."
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
        f"year, or {plainly(yardsticks.car_years(year_kg))} cars.\n"
        "All greenhouse gases are counted for persons; carbon dioxide from fossil fuels alone is less, and a "
        "tonne of it lasts longer. The flight depends on what it does to the air besides its carbon dioxide, "
        "and its source is of low authority."
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
        f"A year of the service would keep it busy for {plant_time(plant.design_months)} by its design, and "
        f"is {plainly(plant.first_months, 2)} times what it captured in those ten months."
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
        f"{significant(months.max())} months. It captured {captured:.0f} t in 2024, "
        f"{100 * captured / design:.2f}% of the design, and {first_months:.0f} t in its first ten months. "
        f"That was a start, with a sixth of its units: its reporters call {low:,.0f} to {high:,.0f} t a year "
        f"realistic. At that the three models of Llama 3.1, {family_t:,.0f} t by their card, take "
        f"{family.realistic_years[0]:.0f} to {family.realistic_years[1]:.0f} years in place of "
        f"{significant(family.design_months)} months.\n"
        f"All trainings are modelled alike, in the data centre and on the grid of {grid}; hours that are *at "
        "most* so many make a bound. The published emissions beside them are those of their makers, mostly "
        "rated power times hours, on the grid that each of them took, and enter nothing here."
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
        f"By these, two quarters of 2023 come to at most {scaled(quarters)}, A100 included in one of them, "
        f"and the whole year to {scaled(quoted['H100 shipped in 2023'])} H100 by another account. One buyer "
        f"alone planned {scaled(planned)} by the end of 2024. A million is of the right size, and when it "
        "was reached cannot be known."
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
        f"At the central factors they draw {significant(million.power_w / 1e9)} GW and take "
        f"{significant(twh)} TWh a year, {significant(100 * twh / world_twh)}% of what all data centres took "
        f"in 2024. On the grid of {grid} that emits {significant(year.operational_kg / 1e9)} Mt a year. "
        f"Making the hardware emitted {significant(million.embodied_kg / 1e9)} Mt, once.\n"
        f"It would take {plants.design_years:,.0f} plants as they were designed, or "
        f"{scaled(plants.first_months)} times what the one there is captured in its first ten months.\n"
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
        f"at once, {significant(worst['ratio'], 2)} of it: by the times that the leaderboard prints its "
        "steps last longer than reading and multiplying explain, and the accelerators draw meanwhile. By the "
        f"median of a model, those of {lowest} are lowest, all above a hundred billion parameters: answers "
        "of such models may take more than this chapter says.\n"
        "The term for experts in eight bits, and the scale of products on B200, were chosen when the errors "
        "of all metered models had been seen, so that their rows are no blind test of these. The range that "
        f"is drawn keeps the geometric standard deviation of {drawn:.2f} from before."
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
        "The leaderboard metered 357 configurations more that can be tested, on B200 too, in chat, reasoning "
        "and code. With each model predicted from the others their geometric standard deviation is "
        f"{found['spread']:.2f}, at most {found['widest']:.2f} in any class, and "
        f"{100 * found['inside']:.0f}% lie inside the range; eight bits are predicted at "
        f"{found['eight bits']:.2f} of what they take. The prompts of code completion are not published: the "
        f"length that suits the smaller coder, about {found['prompt']:,.0f} tokens, was used for the larger "
        "one. Sixteen configurations fail: Qwen3-Coder 480B in fp8, with a copy of the attention on "
        f"each accelerator, takes {1 / found['copies']:.1f} times what the terms give. Its accelerators draw "
        "nearly their rating even at eight requests, which no reading and multiplying explains, and no other "
        "model was metered that way."
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
        f"For DeepSeek the terms give {blind:.2f} Wh for 1,000 output tokens, where its published nodes "
        f"and tokens, at an assumed {node_kw:g} kW a node, give {published['central']:.2f} Wh, and "
        f"{published['low']:.2f} to {published['high']:.2f} with other assumptions on a node's power: two "
        "estimates, neither of them metered. Its layout is wider than a node, which the terms do not know."
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
        "The formula of EcoLogits, which is public and fixed at 64 requests in use, has a median ratio of "
        f"{median:.2f} and a geometric standard deviation of {spread:.2f} on 171 configurations of the same "
        "leaderboard ([EcoLogits, 2026](../bibliography.md#ecologits)); a script in `benchmarks/` runs it on "
        "the points of this chapter."
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
        f"Energy has a range of {plainly(energy.high / energy.low, 2)} times from the 5th to the 95th "
        f"percentile; {causes.max():.0f}% of its variance is due to *{causes.idxmax()}*. CO2e has a range of "
        f"{plainly(co2e.high / co2e.low, 2)} times."
    )
