"""What the chapter `serving_footprint` says of its numbers, as Markdown.

Energies are in Wh of the data centre, masses in kg, unless a parameter says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from cohort.chapters.serving_footprint.making import OwnMachines
from cohort.display.phrases import amount, placed
from cohort.display.words import counted, mass, plainly, scaled, significant
from cohort.footprint import answers, energy, yardsticks
from cohort.footprint.accounts import Footprint
from cohort.footprint.places import Grid
from cohort.footprint.uncertainty import Spread
from cohort.footprint.yardsticks import Fleet
from cohort.registry.devices import accelerator as find_accelerator
from cohort.units import DAYS_PER_YEAR

# In brief ---------------------------------------------------------------------------------------------------


def answer(
    name: str,
    service: answers.Service,
    drawn: Spread,
    wh: float,
    measured: float | None = None,
) -> str:
    """Return what one answer takes.

    Parameters
    ----------
    name : str
        The model.
    service : Service
        What serves it.
    drawn : Spread
        Energy of an answer.
    wh : float
        The same at central factors.
    measured : float, optional
        Energy of an answer by a measurement of the same service, which leads where there is one.

    Returns
    -------
    str
        With a sentence on what is carried over, on another accelerator than that of the measurements.
    """
    device = service.device.name
    carried = (
        f" The terms were fitted on H100; for {device} they are carried over, and the range is wider for it."
        if device != energy.MEASURED
        else ""
    )
    lengths = counted(service.output_tokens, "token")
    load = f"{service.concurrency:,} at once on {counted(service.accelerators, device, device)}"
    ends = f"({plainly(drawn.low, 2)} to {plainly(drawn.high, 2)} Wh)"
    taken = f"{plainly(wh)} Wh of the data centre {ends}"
    if measured is not None:
        taken = (
            f"{plainly(measured)} Wh of the data centre as metered, and {plainly(wh)} Wh {ends} by the terms "
            "of this chapter"
        )
    return f"One answer of {lengths} by {name}, {load}, takes {taken}.{carried}"


def answer_emits(whole: Footprint, grid: str) -> str:
    """Return what one answer emits.

    Parameters
    ----------
    whole : Footprint
        Of an answer, the hardware included.
    grid : str
        Where the electricity is from.

    Returns
    -------
    str
        A sentence.
    """
    return (
        f"On the grid of {placed(grid)} that answer emits {plainly(1000 * whole.co2e_kg)} g of CO2e, "
        f"{plainly(100 * whole.embodied_kg / whole.co2e_kg, 2)}% of it for the making of the hardware."
    )


def bound(evens: pd.DataFrame, name: str) -> str:
    """Return what goes before an amount that follows from a model's hours of training.

    Parameters
    ----------
    evens : DataFrame
        As `making.break_evens` returns it.
    name : str
        The model.

    Returns
    -------
    str
        ``at most`` and a space where a bound of the hours alone is known, else nothing.
    """
    return "at most " if evens.loc[name, "known"] == "at most" else ""


def catching_up(name: str, evens: pd.DataFrame, answers_per_day: float) -> str:
    """Return after how many answers use outweighs making, and how far models differ in it.

    Parameters
    ----------
    name : str
        The model that is served.
    evens : DataFrame
        As `making.break_evens` returns it.
    answers_per_day : float
        Answers of the service in a day.

    Returns
    -------
    str
        Two sentences, or one where no other model can be compared.
    """
    if name in evens.index:
        count, days, most = evens["answers"][name], evens["days"][name], bound(evens, name)
        own = (
            f"Use outweighs making after {most}{scaled(count)} answers, {most}{plainly(days)} days at "
            f"{scaled(answers_per_day)} a day."
        )
    else:
        own = f"The training of {name} is not disclosed, so that use cannot be set beside it."
    if len(evens) < 2:
        return own
    low, high = (
        f"{bound(evens, each)}{scaled(evens['answers'][each], 2)} ({each})"
        for each in (str(evens["answers"].idxmin()), str(evens["answers"].idxmax()))
    )
    return f"{own} The models here range from {low} to {high}."


def own_machines(machines: OwnMachines) -> str:
    """Return after how many days DeepSeek's service had taken as many hours as its making.

    Parameters
    ----------
    machines : OwnMachines
        As `making.machines_of_deepseek` returns them.

    Returns
    -------
    str
        A sentence.
    """
    return (
        f"DeepSeek, the one maker that publishes its machines, spent as many accelerator hours on "
        f"{plainly(machines.days, 2)} days of use as on making V3 and R1."
    )


def tonne_and_plant(year_kg: float) -> str:
    """Return what a tonne is for a human, and what a year of the service is for a capture plant.

    Parameters
    ----------
    year_kg : float
        CO2e of a year of the service.

    Returns
    -------
    str
        Two sentences.
    """
    plant = yardsticks.capture(year_kg)
    return (
        f"A tonne of CO2e is what an average human causes in {yardsticks.person_days(1000):.0f} days. "
        f"A year of this service emits {mass(year_kg)}, {plainly(plant.first_months, 2)} times what the "
        "capture plant Mammoth took up in its first ten months."
    )


def plant_time(months: float) -> str:
    """Return a time of a capture plant in the unit that fits it.

    Parameters
    ----------
    months : float
        The time in months.

    Returns
    -------
    str
    """
    days = months * DAYS_PER_YEAR / 12
    return amount(days, "day", digits=2) if days < 60 else amount(months, "month", digits=2)


def million(fleet: Fleet) -> str:
    """Return what a million accelerators draw, and take in a year.

    Parameters
    ----------
    fleet : Fleet
        The accelerators.

    Returns
    -------
    str
        A sentence.
    """
    return (
        f"A million H100 at intensive work would draw an estimated {plainly(fleet.power_w / 1e9)} GW with "
        f"their data centres, and take {plainly(fleet.year.energy_kwh / 1e9)} TWh a year."
    )


def left_out(spread: float) -> str:
    """Return how well measured models are predicted from the others.

    Parameters
    ----------
    spread : float
        Geometric standard deviation of predicted over measured energies.

    Returns
    -------
    str
        A sentence.
    """
    return (
        f"Measured models are predicted from the others to a factor of {spread:.2f} (one geometric standard "
        "deviation); some of the largest come out too low."
    )


# What an answer takes ---------------------------------------------------------------------------------------


def energy_goes(terms: pd.DataFrame) -> str:
    """Return what most of the energy of a token goes to, with few answers in a step and with many.

    Parameters
    ----------
    terms : DataFrame
        As `diagrams.terms` returns it.

    Returns
    -------
    str
        A sentence.
    """
    total = terms.sum(axis=1)
    shares, fall = terms.div(total, axis=0), float(total.iloc[0] / total.iloc[-1])
    parts = [
        f"with {int(shares.index[at]):,}, {significant(100 * row.max(), 2)}% goes to *{row.idxmax()}*"
        for at, row in ((0, shares.iloc[0]), (-1, shares.iloc[-1]))
    ]
    return (
        f"With {int(terms.index[-1]):,} answers in a step a token takes {significant(fall)} times less "
        f"energy than with {int(terms.index[0]):,}. The bars say why: {'; '.join(parts)}."
    )


def fitted_points(left: pd.DataFrame, service: answers.Service) -> str:
    """Return what the coefficients rest on, what they agree with, and how they are carried over.

    Parameters
    ----------
    left : DataFrame
        As `cohort.footprint.calibration.leave_one_out` returns it: a row for each point of the fit.
    service : Service
        What serves the model.

    Returns
    -------
    str
        Two paragraphs.
    """
    kept, device = energy.coefficients(), find_accelerator(energy.MEASURED)
    rated = (device.tdp_w or 0.0) / (device.bandwidth / 1e9)
    carried = (
        f"\n\nFor {service.device.name} products take what its power over its peak makes of them, and all "
        "else what it takes on H100. Were all of it scaled by ratings, a token would take "
        f"{plainly(service.carried)} times as much; metered B200 lie nearer to the former, and the range of "
        "an answer holds both."
        if service.device.name != energy.MEASURED
        else ""
    )
    return (
        f"The coefficients were fitted to {len(left)} points of {left['model'].nunique()} models. They make "
        f"physical sense: reading a GB takes {kept.read:.3f} J, and an H100 that reads at its full bandwidth "
        f"and draws its full rating takes {rated:.3f} J for it, a number that the fit was never told.\n\n"
        "The measured requests are chats, whose short prompts are inside these numbers, spread over answers "
        f"of {kept.answer:.0f} tokens. A shorter answer pays the rest of its prompt on top, a longer prompt "
        f"its own FLOPs, and a longer context the reading of its cache.{carried}"
    )


def boundaries(name: str, service: answers.Service, grid: Grid, rows: Mapping[str, Footprint]) -> str:
    """Return how the ledger of an answer was made, and what its widest rows hold.

    Parameters
    ----------
    name : str
        The model.
    service : Service
        What serves it.
    grid : Grid
        The factor of its electricity.
    rows : mapping of str to Footprint
        An answer within each boundary.

    Returns
    -------
    str
        Two paragraphs.
    """
    method = f", by {grid.method}" if grid.method else ""
    scope = f" and {grid.scope.replace('_', ' ')}" if grid.scope else ""
    centre, whole = rows["facility"], rows["with_embodied"]
    kwh, kg = (answers.per_million_tokens(each, service.output_tokens) for each in (centre, whole))
    return (
        f"The data centre takes {plainly(centre.energy_kwh / rows['accelerator'].energy_kwh)} times what the "
        f"accelerators draw. A million output tokens of {name}, on "
        f"{counted(service.accelerators, 'accelerator')} in {service.weight_dtype}, take "
        f"{plainly(kwh.energy_kwh)} kWh and emit {plainly(kg.co2e_kg)} kg with the hardware, whose making is "
        f"{plainly(100 * whole.embodied_kg / whole.co2e_kg, 2)}% of it. Of the water, "
        f"{plainly(100 * whole.water_offsite_l / whole.water_l)}% evaporates where the electricity is "
        "generated.\n\n"
        f"Electricity of {placed(grid.place)} counts {plainly(grid.g_per_kwh)} g a kWh, the factor of "
        f"{grid.year}{method}{scope}."
    )


def by_contracts(g_per_kwh: float, one: Footprint) -> str:
    """Return what the electricity of an answer emits by contracts, in place of by location.

    Parameters
    ----------
    g_per_kwh : float
        CO2e of a kWh by the contracts, in g.
    one : Footprint
        Of an answer, with these contracts.

    Returns
    -------
    str
        A paragraph.
    """
    return (
        "That is location-based. Market-based, by contracts such as those of Google "
        f"({plainly(g_per_kwh)} g a kWh, derived from what it states for a query), the electricity of an "
        f"answer emits {plainly(1000 * one.co2e_market_kg)} g instead of {plainly(1000 * one.co2e_kg)} g."
    )


def company(name: str, sweep: pd.DataFrame) -> str:
    """Return how much an answer saves by being written with others.

    Parameters
    ----------
    name : str
        The model.
    sweep : DataFrame
        As `tables.by_batch` returns it.

    Returns
    -------
    str
        A paragraph; the saving is left out where it is below a hundredth.
    """
    rows = sweep[sweep["model"] == name]
    wh = {int(at): float(value) for at, value in zip(rows["concurrency"], rows["wh"], strict=True)}
    fewest, best = min(wh), min(wh, key=wh.__getitem__)
    first, least = wh[fewest], wh[best]
    saved = (
        f", and {plainly(least)} Wh with {best:,}: {plainly(first / least, 2)} times less"
        if first > 1.01 * least
        else ""
    )
    return (
        f"An answer of {name} takes {plainly(first)} Wh when {counted(fewest, 'is', 'are')} written at once"
        f"{saved}. A line that rises again needs more accelerators, to hold the caches of its answers."
    )


def sizes(models: pd.DataFrame) -> str:
    """Return how dense models and mixtures differ, and which answers take least and most.

    Parameters
    ----------
    models : DataFrame
        As `tables.by_model` returns it.

    Returns
    -------
    str
        A paragraph, and before it one that compares both kinds where both are there.
    """
    compared = ""
    if models["mixture"].nunique() > 1:
        dense, mixed = (
            1e9 * (part["wh"] / part["active"]).median()
            for part in (models[~models["mixture"]], models[models["mixture"]])
        )
        compared = (
            f"A billion active parameters take {plainly(1000 * dense, 2)} mWh in a dense model and "
            f"{plainly(1000 * mixed, 2)} mWh in a mixture, at the median. At this concurrency, a mixture "
            f"takes {'more' if mixed > dense else 'less'} than its active parameters suggest."
        )
    return (
        f"{compared}\n"
        f"The most frugal answer is that of {models['wh'].idxmin()}, {plainly(models['wh'].min())} Wh, the "
        f"dearest that of {models['wh'].idxmax()}, {plainly(models['wh'].max())} Wh."
    )


def prompts(name: str, lengths: pd.DataFrame, service: answers.Service) -> str:
    """Return how the energy of an answer grows with its prompt, and what bounds the prompt.

    Parameters
    ----------
    name : str
        The model.
    lengths : DataFrame
        As `tables.by_prompt` returns it.
    service : Service
        What serves the model: its context, the chosen lengths and how many at once.

    Returns
    -------
    str
        Two paragraphs.
    """
    at_once, limit = service.concurrency, service.model.context_limit
    first, last = lengths.index[0], lengths.index[-1]
    grown = (
        f"As the prompt grows from {first:,} to {last:,} tokens, the energy of an answer goes from "
        f"{plainly(lengths.loc[first, 'wh'])} to {plainly(lengths.loc[last, 'wh'])} Wh."
        if len(lengths) > 1
        else ""
    )
    over = limit is not None and service.input_tokens + service.output_tokens > limit
    beyond = "; the chosen lengths go beyond it" if over else ""
    stated = f"{name} states a context of {limit:,} tokens{beyond}." if limit else ""
    crowded = lengths.index[lengths["concurrency"] < at_once]
    held = (
        f"From {crowded[0]:,} tokens on, the memory holds fewer than {at_once:,} such answers."
        if len(crowded)
        else ""
    )
    return (
        f"{grown} {stated} {held}\n"
        "A server that keeps the caches of prompts it meets again saves the reading; none is assumed here."
    )
