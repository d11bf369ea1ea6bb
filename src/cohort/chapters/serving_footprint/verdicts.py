"""The verdicts of the chapter `serving_footprint`: what the post says of use and of fleets."""

from __future__ import annotations

from cohort.architecture.registered import group
from cohort.chapters.judging import Judgement, quoted
from cohort.footprint.answers import per_million_tokens, serving
from cohort.footprint.yardsticks import fleet
from cohort.registry import facts

# The case that a million tokens are judged by: a model of the post, well filled.
REFERENCE, CONCURRENCY = "llama-3-70b", 64


INPUT, OUTPUT = 256, 400


FLEET = 1e6


def judge() -> list[Judgement]:
    """Return the verdicts of the chapter."""
    return [_unreported(), _million()]


def makers() -> set[str]:
    """Return whose CO2e of an answer its maker states, by the entity in the table `footprint_factors`."""
    rows = facts.rows("footprint_factors")
    return {
        row["entity"]
        for row in rows
        if row["quantity"].startswith(("co2e per query", "co2e per answer"))
        and row["status"] == "stated"
        and not row["source"].startswith("ecologits")
    }


def _unreported() -> Judgement:
    answer = serving(
        model=REFERENCE, concurrency=CONCURRENCY, input_tokens=INPUT, output_tokens=OUTPUT,
        boundary="with_embodied",
    )  # fmt: skip
    titles = {row["title"] for row in facts.rows("models") if row["model"] in group("cohort")}
    found = makers()
    about_the_post = "does not hold" if found & titles else "holds with limits"
    rule = (
        "CO2e of a million output tokens as this chapter models it, for Llama 3 70B with "
        f"{CONCURRENCY} answers at once; holds if no maker states the CO2e of an answer, with limits if some "
        f"do ({len(found)}), but none for a model of the post"
    )
    verdict = about_the_post if found else "holds"
    kg = per_million_tokens(answer, OUTPUT).co2e_kg
    return Judgement("serving_footprint_unreported", verdict, kg, "kg CO2e", rule)


def _million() -> Judgement:
    shipped = (
        quoted("NVIDIA", "H100 shipped in the second quarter of 2023"),
        quoted("NVIDIA", "A100 and H100 sold in the third quarter of 2023"),
    )
    rule = (
        "energy of a million H100 in a year; cannot be known, since NVIDIA publishes no numbers, and the "
        f"estimates for two quarters, {sum(shipped):,.0f} together, count A100 in one of them"
    )
    return Judgement(
        "a_million_h100", "cannot be known", fleet(FLEET).year.energy_kwh / 1e9, "TWh a year", rule,
        settled_by="what NVIDIA shipped, by product and quarter",
    )  # fmt: skip
