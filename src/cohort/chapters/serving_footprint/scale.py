"""What amounts mean: a tonne for a person, a car and a flight, a training for a plant, a fleet for a year."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from cohort.architecture.registered import specs, title
from cohort.chapters.serving_footprint.making import footprint_of_making, hours_of
from cohort.chapters.serving_footprint.published import emissions
from cohort.footprint import yardsticks
from cohort.footprint.uncertainty import Spread, sample
from cohort.registry import facts
from cohort.registry.devices import accelerator as find_accelerator
from cohort.units import DAYS_PER_YEAR

# The places whose residents are yardsticks, and what they are called.
PLACES = {
    "World": "the world",
    "EU27": "the European Union",
    "USA": "the United States",
    "China": "China",
    "India": "India",
}


def tonne(kg: float = 1000.0) -> pd.DataFrame:
    """Return what an amount of CO2e is for a person, a car and a flight.

    Parameters
    ----------
    kg : float
        The amount, in kg.

    Returns
    -------
    DataFrame
        Per yardstick: ``number``, its ``unit``, and the ``source`` of the yardstick.
    """
    rows = [
        (f"a resident of {name}", yardsticks.person_days(kg, place), "days",
         f"greenhouse gases per person, {place}")
        for place, name in PLACES.items()
    ]  # fmt: skip
    flight = "return flight London to New York, economy"
    car = "passenger car of the United States"
    rows += [
        ("an average human, fossil CO2 alone", yardsticks.fossil_person_days(kg), "days",
         "fossil CO2 per person, World"),
        ("a car of the United States", DAYS_PER_YEAR * yardsticks.car_years(kg), "days", car),
        ("the road, in such a car", yardsticks.car_km(kg), "km", f"{car}, per mile"),
        ("return flights London to New York", yardsticks.flights(kg), "flights", flight),
        ("such flights, CO2 alone", yardsticks.flights(kg, radiative_forcing=False), "flights", flight),
    ]  # fmt: skip
    records = []
    for what, number, unit, name in rows:
        row = facts.row("equivalences", name=name)
        records.append((what, number, unit, row["source"], row["status"]))
    return pd.DataFrame(records, columns=["for", "number", "unit", "source", "status"]).set_index("for")


def plants(models: Sequence[str], grid: str = "USA") -> pd.DataFrame:
    """Return what capturing the CO2e of making models takes of the plant Mammoth.

    All are modelled alike, in the data centre and on one grid, from hours that are published or follow from
    the tokens. What makers publish, each within a boundary of its own, stands beside it.

    Parameters
    ----------
    models : sequence of str
        Names or paths.
    grid : str
        A place from ``cohort.grids()``.

    Returns
    -------
    DataFrame
        Per model: ``tonnes``, how the hours are ``known``, what its maker ``published`` in tonnes, ``months``
        of the plant by its design, and how many ``times`` what it captured in its first ten months.

    Raises
    ------
    UnknownNameError
        If there is no such model or grid.
    """
    records = {}
    for spec in specs(models):
        run, hours = footprint_of_making(spec, "facility", grid), hours_of(spec)
        if run is not None and hours is not None:
            found = yardsticks.capture(run.co2e_kg)
            records[title(spec)] = {
                "tonnes": run.co2e_kg / 1000,
                "known": hours[2],
                "published": emissions(spec.name),
                "months": found.design_months,
                "times": found.first_months,
            }
    columns = ["tonnes", "known", "published", "months", "times"]
    return pd.DataFrame.from_dict(records, orient="index", columns=columns)


# What a fleet takes, by what it is called with its unit.
FLEET: dict[str, Callable[[yardsticks.Fleet], float]] = {
    "power (GW)": lambda fleet: fleet.power_w / 1e9,
    "energy (TWh a year)": lambda fleet: fleet.year.energy_kwh / 1e9,
    "CO2e of the electricity (Mt a year)": lambda fleet: fleet.year.operational_kg / 1e9,
    "water on site (GL a year)": lambda fleet: fleet.year.water_onsite_l / 1e9,
    "water off site (GL a year)": lambda fleet: fleet.year.water_offsite_l / 1e9,
    "embodied CO2e, all of it (Mt)": lambda fleet: fleet.embodied_kg / 1e9,
    "capture plants, as designed": lambda fleet: (
        fleet.year.operational_kg / 1000 / yardsticks.yardstick("Mammoth, by design")
    ),
    "average humans": lambda fleet: (
        fleet.year.operational_kg / 1000 / yardsticks.yardstick("greenhouse gases per person, World")
    ),
}


def fleet_spread(
    accelerators: float, accelerator: str, grid: str, draws: int = 100_000, seed: int = 0
) -> pd.DataFrame:
    """Return what a fleet takes in a year, from the 5th to the 95th percentile of its factors.

    Parameters
    ----------
    accelerators : float
        How many.
    accelerator : str
        Which, by its name.
    grid : str
        A place from ``cohort.grids()``.
    draws, seed : int
        Draws of each factor, and their seed.

    Returns
    -------
    DataFrame
        Per quantity, with its unit: ``p5``, ``p50`` and ``p95``.

    Raises
    ------
    CohortError
        If a number is out of range, or a name is not known.
    """
    device = find_accelerator(accelerator)
    drawn: dict[str, Any] = sample(yardsticks.fleet_factors(device, grid), draws, seed)
    fleet = yardsticks.fleet_footprint(device, accelerators, 1.0, drawn)
    records = {}
    for name, amount in FLEET.items():
        found = Spread(np.broadcast_to(np.asarray(amount(fleet), dtype=float), (draws,)), drawn)
        records[name] = {"p5": found.low, "p50": found.median, "p95": found.high}
    return pd.DataFrame.from_dict(records, orient="index", columns=["p5", "p50", "p95"])
