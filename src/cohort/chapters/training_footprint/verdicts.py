"""The verdicts of the chapter `training_footprint`: what the post says of the footprint of training."""

from __future__ import annotations

from statistics import median

from cohort.architecture.registered import group
from cohort.chapters.judging import Judgement, all_judged, graded, quoted
from cohort.chapters.training_footprint import tables
from cohort.footprint import audit, scenarios
from cohort.footprint.yardsticks import capture, person_days, yardstick
from cohort.registry import facts
from cohort.units import KG_PER_TONNE

# What a report of a training run needs, as the post asks for it.
ALL_FOUR = ("accelerator", "accelerator_hours", "flop_estimate", "co2e_t")


ACCELERATOR = "H100 SXM 80GB"  # where a run's own is not published


def judge() -> list[Judgement]:
    """Return the verdicts of the chapter."""
    return all_judged(
        (
            (_utilisation, "its bars"),
            _meta,
            (_all_four, "its bars"),
            (_offsets, "its bars"),
            (_making, "its bars"),
            (_plant, "its bars"),
            (_tonne, "its bar"),
        )
    )


def _utilisation(times: float = 1.0) -> Judgement:
    """Compare whole runs with the peak, and with the best that is published of a run while it goes well."""
    shares = tables.utilisations()["mfu"]
    best = max(
        float(row["value"])
        for row in facts.rows("training_runs")
        if row["field"] == "mfu" and row["value"] and row["status"] != "contested"
    )
    rule = (
        f"median of {len(shares)} whole runs: six FLOP for each active parameter and token over all hours at "
        f"peak; the best published while a run goes well is {best:.0%}; holds from 80%, with limits from 60%"
    )
    middle = median(shares)
    return Judgement(
        "training_near_full_utilisation", graded(middle, 0.8, 0.6, times, 1), 100 * middle, "percent", rule
    )


def _rows(model: str) -> dict[str, str]:
    """Return the values of a run by field; estimates of compute by others are no report of its makers."""
    return {
        row["field"]: row["value"]
        for row in facts.rows("training_runs")
        if row["model_or_run"] == model
        and not row["part"]
        and row["value"]
        and (row["field"] != "flop_estimate" or row["status"] == "stated")
    }


def _meta() -> Judgement:
    llamas = [name for name in group("cohort") if name.startswith("llama")]
    wanted = ("accelerator_hours", "co2e_t")
    having = [name for name in llamas if set(wanted) <= set(_rows(name))]
    wrong = {each.published.run for each in audit.contradictions()}
    sound = [name for name in having if name not in wrong]
    rule = (
        f"tonnes of CO2e that the cards of {len(having)} of the {len(llamas)} Llamas of the post give, "
        "with their hours; holds if all do and none contradicts itself"
    )
    total = sum(float(_rows(name)["co2e_t"]) for name in sound)
    verdict = "holds" if len(sound) == len(llamas) else graded(len(sound) / len(llamas), 1, 0.5)
    return Judgement("meta_reports_footprint", verdict, total, "t CO2e", rule)


def _all_four(times: float = 1.0) -> Judgement:
    cohort = group("cohort")
    found = {name: set(_rows(name)) & set(ALL_FOUR) for name in cohort}
    all_four = sum(len(fields) == len(ALL_FOUR) for fields in found.values())
    three = sum({"accelerator", "accelerator_hours", "co2e_t"} <= fields for fields in found.values())
    rule = (
        f"models of {len(cohort)} whose makers print device, hours, compute and emissions; {three} print all "
        "but the compute; holds up to a quarter, with limits up to half"
    )
    verdict = graded(-all_four / len(cohort), -0.25, -0.5, times)
    return Judgement("footprint_rarely_reported", verdict, all_four, "models", rule)


def _offsets(times: float = 1.0) -> Judgement:
    """Count what is left where every kWh is matched: the hardware, and the water where power is made."""
    runs = tables.runs_of(group("cohort"), ACCELERATOR)
    scenario = scenarios.Scenario(draws=2000)
    shares, water = [], []
    for run in runs:
        if not run.assessed:
            continue
        found = scenarios.modelled(run, tables.FULL, scenario)
        shares.append(found.spread("embodied_kg").median / found.spread("co2e_kg").median)
        water.append(found.spread("water_l").low)
    share = median(shares)
    rule = (
        f"median share of the hardware in CO2e of {len(shares)} of {len(runs)} runs, on accelerators with a "
        "range of their own for it; no contract for electricity covers it; holds from 1% if water and heat "
        "remain as well, with limits from 0.1%"
    )
    remains = share if min(water) > 0 else 0.0
    return Judgement(
        "offsets_are_not_enough", graded(remains, 0.01, 0.001, times), 100 * share, "percent", rule
    )


def _plant(times: float = 1.0) -> Judgement:
    """Hold the design against the better of what the plant's reporters call realistic."""
    design, real = yardstick("Mammoth, by design"), yardstick("Mammoth, realistic year, high")
    report = facts.row("training_runs", model_or_run="Llama 3.1 family", part="", field="co2e_t")
    family = capture(float(report["value"]) * KG_PER_TONNE)
    rule = (
        "years in which the plant would take up what Llama 3.1 emitted, at the better of what its reporters "
        f"call realistic for the units that it has; by design {family.design_years:.2f}; holds if a "
        "realistic year is 80% of the design, with limits from 20%"
    )
    return Judgement(
        "capture_plant", graded(real / design, 0.8, 0.2, times, 1), family.realistic_years[0], "years", rule
    )


def _making(times: float = 1.0) -> Judgement:
    """Judge the pollution of making by a study that counts more than carbon, over the life of the device."""
    led = quoted("A100", "impact categories")
    rule = (
        f"of {tables.CATEGORIES} kinds of impact, those where making the A100 does more harm than using "
        "them, in a study of the training of GPT-4 that spreads the making over the life of the device; "
        "toxicity and the pollution of water are among them, climate is not. Holds from a quarter of the "
        "kinds, with limits from one of them. It is one study of one device, and the amounts of GPT-4 are "
        "estimates"
    )
    verdict = graded(led / tables.CATEGORIES, 0.25, 1 / tables.CATEGORIES, times, 1)
    return Judgement("making_pollutes", verdict, int(led), "kinds of impact", rule)


PLACES = ("World", "USA", "China", "EU27", "India")


def _tonne(times: float = 1.0) -> Judgement:
    """Answer what a tonne is to a person: days of what people of the world cause, and of some places."""
    days = {place: person_days(KG_PER_TONNE, place) for place in PLACES}
    widest = max(days.values()) / min(days.values())
    rule = (
        "days in which an average human causes a tonne of CO2e, all greenhouse gases counted; it takes "
        f"{min(days.values()):.0f} days in the USA and {max(days.values()):.0f} in India. Holds if the "
        f"places differ by less than 2 times (they differ by {widest:.1f}), with limits if an average of the "
        "world alone can be given"
    )
    verdict = "holds" if widest < 2 * times else "holds with limits"
    return Judgement("tonne_for_a_person", verdict, days["World"], "days", rule)
