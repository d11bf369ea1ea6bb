"""Problems of the chapter `serving_footprint`, worked out with its own answer."""

from __future__ import annotations

from cohort.display.problems import Problem
from cohort.display.words import mass, plainly, scaled, significant
from cohort.footprint.accounts import Footprint
from cohort.units import DAYS_PER_YEAR, G_PER_KG, KG_PER_TONNE, WH_PER_KWH


def worked(
    answer: Footprint, g_per_kwh: float, answers_per_day: float, name: str, training_t: float | None
) -> list[Problem]:
    """Return problems with their solutions: an answer's CO2e, a year's electricity, and a break-even.

    Parameters
    ----------
    answer : Footprint
        One answer, within the data centre.
    g_per_kwh : float
        CO2e of the electricity.
    answers_per_day : float
        Answers in a day.
    name : str
        Title of the model.
    training_t : float or None
        Tonnes of CO2e of its training; None where it is not known, which leaves the third problem out.

    Returns
    -------
    list of Problem
    """
    wh = WH_PER_KWH * answer.energy_kwh
    grams = wh / WH_PER_KWH * g_per_kwh
    year = wh * answers_per_day * DAYS_PER_YEAR / WH_PER_KWH
    found = [
        Problem(
            f"An answer of {name} takes {significant(wh)} Wh, on electricity of {significant(g_per_kwh)} g "
            "of CO2e a kWh. What does it emit?",
            (f"{significant(wh)} Wh ÷ 1,000 × {significant(g_per_kwh)} g = {significant(grams)} g.",),
            f"{significant(grams)} g; a thousand of them emit {mass(grams)}.",
        ),
        Problem(
            f"{scaled(answers_per_day)} such answers are given each day. What does a year of them take and "
            "emit?",
            (
                f"{significant(wh)} Wh × {scaled(answers_per_day)} × 365 = {plainly(year)} kWh.",
                f"{plainly(year)} kWh × {significant(g_per_kwh)} g = {mass(year * g_per_kwh / G_PER_KG)}.",
            ),
            f"{plainly(year)} kWh and {mass(year * g_per_kwh / G_PER_KG)}.",
        ),
    ]
    if training_t is None:
        return found
    even = training_t * KG_PER_TONNE * G_PER_KG / grams
    answers = scaled(even)
    return [
        *found,
        Problem(
            f"Training {name} emitted {significant(training_t, 4)} t by the same count. After how many "
            "answers has use emitted as much?",
            (
                f"{significant(training_t, 4)} t are {scaled(training_t * KG_PER_TONNE * G_PER_KG, 4)} "
                f"grams, and {scaled(training_t * KG_PER_TONNE * G_PER_KG, 4)} g ÷ {significant(grams, 4)} g "
                f"= {answers}.",
                f"{answers} ÷ {scaled(answers_per_day)} a day = {significant(even / answers_per_day)} days.",
            ),
            f"After {answers} answers, {significant(even / answers_per_day)} days.",
        ),
    ]
