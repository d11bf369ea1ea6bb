"""What an amount of CO2e is for a person, a car, a flight or a plant that captures it; and fleets.

The yardsticks are data, each with its source and year. A plant's design is never mixed with what it captured.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cohort.errors import bounded, one_of
from cohort.errors.arguments import explain
from cohort.footprint.accounts import Footprint
from cohort.footprint.factors import Range
from cohort.footprint.inputs import central_values
from cohort.footprint.training_runs import run_factors, run_footprint
from cohort.registry import facts
from cohort.registry.devices import Accelerator, as_accelerator
from cohort.units import DAYS_PER_YEAR, G_PER_KG, HOURS_PER_YEAR, KG_PER_TONNE, WH_PER_KWH

MONTHS_PER_YEAR = 12
KM_PER_MILE = 1.609344
MOST = 1e12  # accelerators


def yardstick(name: str) -> float:
    """Return a value of the table `equivalences`.

    Parameters
    ----------
    name : str
        As in the table.

    Returns
    -------
    float
        In the unit of the table.

    Raises
    ------
    UnknownNameError
        If the table has none of that name; the message names the nearest.

    Examples
    --------
    >>> yardstick("Mammoth, by design")  # t of CO2 a year
    36000.0
    """
    values = {row["name"]: float(row["value"]) for row in facts.rows("equivalences")}
    return values[one_of("yardstick", name, values)]


def person_days(kg: float, place: str = "World") -> float:
    """Return in how many days a resident emits so much, all greenhouse gases counted.

    Parameters
    ----------
    kg : float
        CO2e in kg, as in all functions of this module.
    place : str
        ``World``, ``USA``, ``China``, ``EU27`` or ``India``.

    Returns
    -------
    float
        Days.

    Raises
    ------
    UnknownNameError
        If the data hold no such place; the message names the nearest.

    Examples
    --------
    >>> round(person_days(1000))
    56
    """
    kg = bounded("kg", kg, 0, unit="kg")
    tonnes = yardstick(f"greenhouse gases per person, {place}")
    return kg / KG_PER_TONNE / tonnes * DAYS_PER_YEAR


def fossil_person_days(kg: float) -> float:
    """Return in how many days an average human emits so much CO2 from fossil fuels alone.

    Parameters
    ----------
    kg : float
        CO2e in kg.

    Returns
    -------
    float
        Days.

    Examples
    --------
    >>> round(fossil_person_days(1000))
    78
    """
    kg = bounded("kg", kg, 0, unit="kg")
    return kg / KG_PER_TONNE / yardstick("fossil CO2 per person, World") * DAYS_PER_YEAR


def car_years(kg: float) -> float:
    """Return for how many years a passenger car of the United States emits so much.

    Parameters
    ----------
    kg : float
        CO2e in kg.

    Returns
    -------
    float
        Years.

    Examples
    --------
    >>> round(car_years(4600), 3)
    1.0
    """
    kg = bounded("kg", kg, 0, unit="kg")
    return kg / KG_PER_TONNE / yardstick("passenger car of the United States")


def car_km(kg: float) -> float:
    """Return how far such a car drives on so much.

    Parameters
    ----------
    kg : float
        CO2e in kg.

    Returns
    -------
    float
        Kilometres.

    Examples
    --------
    >>> round(car_km(1000))
    4023
    """
    kg = bounded("kg", kg, 0, unit="kg")
    return G_PER_KG * kg / yardstick("passenger car of the United States, per mile") * KM_PER_MILE


def flights(kg: float, radiative_forcing: bool = True) -> float:
    """Return how many return flights between London and New York, in economy, emit so much.

    Parameters
    ----------
    kg : float
        CO2e in kg.
    radiative_forcing : bool
        Whether a flight is counted with what it does to the air besides its CO2.

    Returns
    -------
    float
        Flights.

    Examples
    --------
    >>> round(flights(1668), 3), round(flights(1668, radiative_forcing=False), 3)
    (1.0, 1.9)
    """
    kg = bounded("kg", kg, 0, unit="kg")
    flight = "return flight London to New York, economy"
    each = yardstick(flight)
    return kg / (each if radiative_forcing else each / yardstick(f"{flight}, over CO2 alone"))


@dataclass(frozen=True, slots=True)
class Capture:
    """What it takes a plant to capture an amount, by its design and by what it did.

    Attributes
    ----------
    design_years : float
        Years of the plant as designed.
    first_months : float
        How many times what it captured in its first ten months.
    calendar_years : float
        How many times what it captured in its first calendar year.
    realistic_years : pair of float
        Years at what its reporters call realistic for the units it has: the fewest and the most.
    """

    design_years: float
    first_months: float
    calendar_years: float
    realistic_years: tuple[float, float]

    @property
    def design_months(self) -> float:
        """Months of the plant as designed."""
        return MONTHS_PER_YEAR * self.design_years


def capture(kg: float) -> Capture:
    """Return what it takes the plant Mammoth to capture so much.

    Parameters
    ----------
    kg : float
        CO2e in kg.

    Returns
    -------
    Capture
        By its design, and by what it captured.

    Examples
    --------
    >>> round(capture(36_000_000).design_months, 6)
    12.0
    """
    kg = bounded("kg", kg, 0, unit="kg")
    tonnes = kg / KG_PER_TONNE
    return Capture(
        tonnes / yardstick("Mammoth, by design"),
        tonnes / yardstick("Mammoth, first ten months"),
        tonnes / yardstick("Mammoth, calendar year 2024"),
        (
            tonnes / yardstick("Mammoth, realistic year, high"),
            tonnes / yardstick("Mammoth, realistic year, low"),
        ),
    )


@dataclass(frozen=True, slots=True)
class Fleet:
    """Accelerators that run for a year.

    Attributes
    ----------
    accelerators : float
        How many.
    year : Footprint
        Of a year, with a year's share of the hardware.
    embodied_kg : float
        CO2e of making all of the hardware.
    """

    accelerators: float
    year: Footprint
    embodied_kg: float

    @property
    def power_w(self) -> float:
        """Mean power of all machines with the losses of the data centre, in W."""
        return self.year.energy_kwh / HOURS_PER_YEAR * WH_PER_KWH


def fleet_factors(
    accelerator: str | Accelerator, grid: str = "USA", known: Mapping[str, float | Range | None] | None = None
) -> dict[str, Range]:
    """Return the factors of a fleet: those known, and for the rest the ranges of the data, as for a run.

    A year of the hardware's life is spent in a year, whether it works or not.

    Parameters
    ----------
    accelerator : str or Accelerator
        Which.
    grid : str
        A place from ``cohort.grids()``.
    known : mapping of str to float or Range, optional
        What is known, by the names of `cohort.footprint.training_runs.RunFactors`.

    Returns
    -------
    dict of str to Range
        By those names.

    Raises
    ------
    CohortError
        As `fleet`.
    """
    return run_factors(accelerator, grid, "with_embodied", {"use_share": 1.0, **(known or {})})


def fleet(
    accelerators: float = 1e6,
    accelerator: str | Accelerator = "H100 SXM 80GB",
    grid: str = "USA",
    load: float = 1.0,
    **known: float | None,
) -> Fleet:
    """Return what a fleet of accelerators takes in a year.

    Parameters
    ----------
    accelerators : float
        How many.
    accelerator : str or Accelerator
        Which.
    grid : str
        A place from ``cohort.grids()``.
    load : float
        Power of a node on average over what it draws at intensive work, above 0 and at most 1.
    **known : float, optional
        Any of `cohort.footprint.training_runs.RunFactors`, such as ``pue``, ``power_w`` or ``wue_onsite``.

    Returns
    -------
    Fleet
        A year of it.

    Raises
    ------
    ParameterError
        If a number is out of range.
    UnknownNameError
        If there is no such accelerator, grid or factor.

    Examples
    --------
    >>> found = fleet(1000, "H100 SXM 80GB", power_w=900, pue=1.2)
    >>> round(found.power_w)
    1080000
    """
    count = bounded("accelerators", accelerators, 0, MOST, above=True)
    device = as_accelerator(accelerator)
    values = central_values(fleet_factors(device, grid, known))
    return fleet_footprint(device, count, bounded("load", load, 0, 1, above=True), values)


def fleet_footprint(
    device: Accelerator, accelerators: float, load: float, values: Mapping[str, Any]
) -> Fleet:
    """Return a fleet from one value of each of its factors, or from arrays of them.

    Parameters
    ----------
    device : Accelerator
        Which.
    accelerators, load : float
        As `fleet` takes them.
    values : mapping of str to float or array
        One for each of `cohort.footprint.training_runs.RunFactors`.

    Returns
    -------
    Fleet
        Its amounts are arrays where a factor is one.

    Raises
    ------
    TypeError
        If a factor is missing.
    """
    own = {**values, "power_w": values["power_w"] * load}
    year = run_footprint("with_embodied", device, (accelerators * HOURS_PER_YEAR, None), own)
    return Fleet(accelerators, year, accelerators * values["embodied_kg"])


explain(__name__)
