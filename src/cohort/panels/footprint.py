"""The panel *footprint*: CO2e, energy and water of a training run or of answers, at every boundary."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cohort.display.words import mass, plainly, scaled
from cohort.errors.arguments import explain
from cohort.footprint import Footprint, grid, per_year, serving, training
from cohort.footprint.accounts import BOUNDARIES, BOUNDARY_WORDS
from cohort.footprint.answers import BOUNDARIES_OF_USE
from cohort.footprint.yardsticks import car_km, flights, person_days
from cohort.panels.answers import Answer, Drawing, Number, Series
from cohort.panels.asking import Panel
from cohort.panels.charts import ranged_bars
from cohort.panels.inputs import Input, RefusedError
from cohort.panels.shared_inputs import ACCELERATOR, ANSWER, CONCURRENCY, MODEL, PROMPT
from cohort.panels.states import literal
from cohort.registry.devices import accelerator
from cohort.units import DAYS_PER_YEAR, KG_PER_TONNE, WH_PER_KWH

HOURS, TOKENS, ANSWERS = "hours", "tokens", "answers"
TRAINING = "training_footprint"
SERVING = "serving_footprint"

INPUTS = (
    Input(
        name="question",
        kind="choice",
        default=ANSWERS,
        label="Question",
        allowed=(ANSWERS, TOKENS, HOURS),
        wording=("A service's answers", "A training, from its tokens", "A training, from its hours"),
        help="What is counted.",
    ),
    replace(MODEL, only=("question", (ANSWERS, TOKENS)), parameter=f"{SERVING}:model"),
    Input(
        name="tokens",
        kind="float",
        default=1.5e13,
        label="Training data",
        unit="tokens",
        low=1e6,
        high=1e17,
        step=10**0.125,
        slider=(1e9, 1e15),
        only=("question", (TOKENS,)),
        help="Tokens that it is trained on.",
    ),
    Input(
        name="accelerator_hours",
        kind="float",
        default=6.4e6,
        label="Accelerator hours",
        unit="hours",
        low=1,
        high=1e10,
        step=10**0.125,
        slider=(1e3, 1e9),
        only=("question", (HOURS,)),
        help="Hours of one, summed over all.",
    ),
    replace(ACCELERATOR, parameter=f"{TRAINING}:accelerator {SERVING}:accelerator"),
    replace(CONCURRENCY, high=10**5, only=("question", (ANSWERS,)), parameter=f"{SERVING}:concurrency"),
    replace(PROMPT, default=256, only=("question", (ANSWERS,)), parameter=f"{SERVING}:input_tokens"),
    replace(ANSWER, default=400, only=("question", (ANSWERS,)), parameter=f"{SERVING}:output_tokens"),
    Input(
        name="answers_per_day",
        kind="int",
        default=10**7,
        label="Answers in a day",
        unit="answers",
        low=1,
        high=10**13,
        step=10**0.25,
        slider=(1e3, 1e10),
        only=("question", (ANSWERS,)),
        parameter=f"{SERVING}:answers_per_day",
        help="Of the whole service.",
    ),
    Input(
        name="grid",
        kind="name",
        default="USA",
        label="Place",
        names="grids",
        looked_up=grid,
        parameter=f"{TRAINING}:grid {SERVING}:grid",
        help="Whose electricity is used: a country, a zone, a state or a cloud region.",
    ),
    Input(
        name="boundary",
        kind="choice",
        default="facility",
        label="Boundary",
        allowed=BOUNDARIES,
        wording=tuple(BOUNDARY_WORDS.values()),
        help="How much is counted, each with all before it.",
    ),
    Input(
        name="pue",
        kind="float",
        default=None,
        label="PUE",
        low=1,
        high=10,
        empty=True,
        parameter=f"{TRAINING}:pue",
        help="Energy of the data centre over that of its machines; empty draws on the range of the data.",
    ),
)


def _footprint(values: Mapping[str, Any], boundary: str) -> Footprint:
    """Return what is asked about, within a boundary."""
    common = {
        "accelerator": values["accelerator"], "grid": values["grid"], "boundary": boundary,
        "pue": values["pue"],
    }  # fmt: skip
    if values["question"] == HOURS:
        return training(accelerator_hours=values["accelerator_hours"], **common)
    if values["question"] == TOKENS:
        return training(model=values["model"], tokens=values["tokens"], **common)
    sizes = {name: values[name] for name in ("concurrency", "input_tokens", "output_tokens")}
    return serving(model=values["model"], **sizes, **common)


def _answer(values: Mapping[str, Any]) -> Answer:
    """Return what the panel says.

    Parameters
    ----------
    values : mapping
        One for each of `INPUTS`.

    Returns
    -------
    Answer

    Raises
    ------
    CohortError
        As `cohort.footprint.training` and `cohort.footprint.serving`.
    """
    of_use = values["question"] == ANSWERS
    allowed = BOUNDARIES_OF_USE if of_use else BOUNDARIES
    if values["boundary"] not in allowed:
        said = "boundary is 'with_development', but an answer has no development: choose a narrower one"
        raise RefusedError({"boundary": said})
    steps = {boundary: _footprint(values, boundary) for boundary in allowed}
    one = steps[values["boundary"]]
    whole = per_year(one, values["answers_per_day"]) if of_use else one
    low, high = _interval(one, "co2e_kg")
    times = whole.co2e_kg / one.co2e_kg if one.co2e_kg else 1.0
    numbers = (
        Number(
            "CO2e of an answer" if of_use else "CO2e", mass(one.co2e_kg), one.co2e_kg, "kg",
            f"nine in ten: {mass(low)} to {mass(high)}",
        ),
        *_amounts(one, of_use),
        *_yardsticks(whole, of_use),
    )  # fmt: skip
    first = _first(values, one, whole, (low * times, high * times), of_use)
    assumed = one.provenance.assumed if one.provenance else ()
    place = grid(values["grid"])
    sentences = (
        first,
        f"In {place.place} a kWh emits {plainly(place.g_per_kwh)} g of CO2e by the figure for {place.year}.",
        *assumed,
    )
    return Answer(sentences, numbers, (_ladder(steps, values["boundary"], of_use),), python=_python(values))


def _interval(found: Footprint, amount: str) -> tuple[float, float]:
    if found.provenance is None:
        raise AssertionError("a footprint of a run or an answer says what it rests on")
    return found.provenance.interval(amount)


def _amounts(one: Footprint, of_use: bool) -> tuple[Number, ...]:
    """Return energy, water and what making the hardware took."""
    energy = f"{plainly(WH_PER_KWH * one.energy_kwh)} Wh" if of_use else f"{scaled(one.energy_kwh)} kWh"
    water = f"{plainly(1000 * one.water_l)} mL" if of_use else f"{scaled(one.water_l)} L"
    on_site = f"{plainly(100 * one.water_onsite_l / one.water_l, 2)}% on site" if one.water_l else ""
    return (
        Number("energy", energy, one.energy_kwh, "kWh"),
        Number("water", water, one.water_l, "L", on_site),
        Number(
            "of which hardware",
            mass(one.embodied_kg) if one.embodied_kg else "not counted",
            one.embodied_kg,
            "kg",
            "its making, at the wider boundaries",
        ),
    )


def _yardsticks(whole: Footprint, of_use: bool) -> tuple[Number, ...]:
    """Return what the whole amount is compared with."""
    kg = whole.co2e_kg
    km, years, flown = car_km(kg), person_days(kg) / DAYS_PER_YEAR, flights(kg)
    first = Number("as driving", f"{scaled(km)} km", km, "km", "by a car of the USA")
    if of_use:
        first = Number("CO2e of a year", mass(kg), kg, "kg", f"{scaled(km)} km by a car of the USA")
    return (
        first,
        Number("years of a person", scaled(years), years, "years", "at the world's mean"),
        Number("as flights", scaled(flown), flown, "flights", "London to New York and back, economy"),
    )


def _first(
    values: Mapping[str, Any], one: Footprint, whole: Footprint, ends: tuple[float, float], of_use: bool
) -> str:
    span = f"nine in ten between {mass(ends[0])} and {mass(ends[1])}"
    if of_use:
        return (
            f"An answer takes {plainly(WH_PER_KWH * one.energy_kwh)} Wh and {mass(one.co2e_kg)} of CO2e; "
            f"{scaled(values['answers_per_day'])} a day are {mass(whole.co2e_kg)} in a year ({span})."
        )
    if values["question"] == HOURS:
        what = f"{scaled(values['accelerator_hours'])} hours of {accelerator(values['accelerator']).name}"
    else:
        what = f"Training on {scaled(values['tokens'])} tokens"
    return f"{what} took {scaled(one.energy_kwh)} kWh and {mass(one.co2e_kg)} of CO2e ({span})."


def _ladder(steps: Mapping[str, Footprint], chosen: str, of_use: bool) -> Drawing:
    """Return the CO2e at each boundary with its range."""
    scale, unit = (1000.0, "g") if of_use else (1 / KG_PER_TONNE, "t")
    bars, lows, highs = [], [], []
    for boundary, found in steps.items():
        ends = tuple(scale * each for each in _interval(found, "co2e_kg"))
        lows.append(ends[0])
        highs.append(ends[1])
        said = mass(found.co2e_kg)
        bars.append((BOUNDARY_WORDS[boundary], scale * found.co2e_kg, (ends[0], ends[1]), said))
    caption = "CO2e by how much is counted, each step with all before it; the lines span nine in ten."
    label = f"{unit} of CO2e of {'an answer' if of_use else 'the training'}"
    svg = ranged_bars(bars, label, caption, list(steps).index(chosen))
    names, values = tuple(bar[0] for bar in bars), tuple(bar[1] for bar in bars)
    series = (Series("CO2e", names, values, tuple(lows), tuple(highs)),)
    return Drawing("ladder", caption, svg, "", f"{unit} CO2e", series)


def _python(values: Mapping[str, Any]) -> str:
    known = {"accelerator": values["accelerator"], "grid": values["grid"], "boundary": values["boundary"]}
    if values["pue"] is not None:
        known["pue"] = values["pue"]
    if values["question"] == HOURS:
        asked, of = {"accelerator_hours": values["accelerator_hours"]}, "training"
    elif values["question"] == TOKENS:
        asked, of = {"model": values["model"], "tokens": values["tokens"]}, "training"
    else:
        names = ("model", "concurrency", "input_tokens", "output_tokens")
        asked, of = {name: values[name] for name in names}, "serving"
    rest = ", ".join(f"{name}={literal(value)}" for name, value in {**asked, **known}.items())
    return f"cohort.footprint.{of}({rest})"


PANEL = Panel(
    name="footprint",
    title="Footprint",
    question="What does an answer or a training take in energy, CO2e and water, and how sure is that?",
    chapters=(((ANSWERS,), SERVING), ((TOKENS, HOURS), TRAINING)),
    switch="question",
    inputs=INPUTS,
    work_out=_answer,
)


explain(__name__)
