"""The diagrams of the chapter `training_footprint`: nested boundaries, and what a run gives off."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from cohort.display.diagrams import arrow, box, canvas, words
from cohort.display.theme import COLOURS, PALE
from cohort.display.words import significant


def draw_boundaries(steps: pd.DataFrame) -> Figure:
    """Draw the boundaries of a footprint as boxes inside one another, with what a run emits within each.

    Parameters
    ----------
    steps : DataFrame
        As `tables.ladder` returns it, in tonnes of CO2e; the first row, rated power, is another way to count
        the innermost box and is left out.

    Returns
    -------
    Figure
    """
    drawing, axes = canvas(64)
    rows = list(steps["median"].iloc[1:].items())[::-1]
    colours = [PALE, COLOURS[4], COLOURS[2], COLOURS[1], COLOURS[0]]
    for place, ((within, tonnes), colour) in enumerate(zip(rows, colours, strict=False)):
        left, low, top = 1 + 3 * place, 1 + 2 * place, 63 - 10.5 * place
        box(axes, (left, low), (98 - 6 * place, top - low), "", colour, filled=True)
        words(axes, (left + 3, top - 5), str(within), side="left")
        amount = f"{significant(float(tonnes))} t"
        words(axes, (left + 95 - 6 * place, top - 5), amount, side="right", bold=True)
    return drawing


def draw_outputs(name: str, hours: float, row: pd.Series) -> Figure:
    """Draw what goes into a run and what comes out of it.

    Parameters
    ----------
    name : str
        Title of the run.
    hours : float
        Million accelerator hours.
    row : Series
        Its row of `tables.estimates`: medians of GWh, tonnes and millions of litres.

    Returns
    -------
    Figure
    """
    drawing, axes = canvas(50)
    box(
        axes,
        (34, 16),
        (32, 20),
        f"{name}\n{significant(hours)} million\naccelerator hours",
        COLOURS[0],
        filled=True,
    )
    energy, made = (float(row[each, "median"]) for each in ("energy_kwh", "embodied_kg"))
    heat, emitted = (float(row[each, "median"]) for each in ("heat_kwh", "co2e_kg"))
    water = float(row["water_onsite_l", "median"]) + float(row["water_offsite_l", "median"])
    words(axes, (14, 33), f"electricity\n{significant(energy)} GWh")
    words(axes, (14, 19), f"hardware, worn\n{significant(made)} t of CO2e")
    arrow(axes, (26, 31), (34, 29))
    arrow(axes, (27, 20), (34, 22))
    for y, text in (
        (42, f"CO2e, all told\n{significant(emitted)} t"),
        (26, f"water, evaporated\n{significant(water)} million litres"),
        (10, f"heat\n{significant(heat)} GWh"),
    ):
        words(axes, (83, y), text)
        arrow(axes, (66, 26 + (y - 26) / 4), (71 if y == 26 else 73, y - (y - 26) / 8))
    return drawing
