"""What a footprint rests on: what ran, where and when, each factor with its sources, what was assumed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import exp, hypot, inf, log
from typing import Any

from cohort.footprint.factors import Range
from cohort.footprint.places import Grid

# What the amounts are in the terms of the Greenhouse Gas Protocol, for who owns the machines.
SCOPES = (
    ("operational_kg", "scope 2, location-based"),
    ("operational_market_kg", "scope 2, market-based"),
    ("embodied_kg", "scope 3, capital goods"),
)
_INSIDE = 0.68  # of the half width of a triangle that is skewed neither way: where its 5th percentile lies


@dataclass(frozen=True, slots=True)
class Provenance:
    """What a footprint rests on.

    Attributes
    ----------
    subject : str
        What ran: a model, or hours of an accelerator.
    accelerator : str
        On what.
    grid : Grid
        The factor of the place that was looked up, with its year, method, scope and source.
    factors : mapping of str to Range
        Every factor, each with its sources; those that a caller gave have none.
    assumed : tuple of str
        What had to be assumed for the boundary, a sentence each.
    again : callable
        From a value of each factor, the amounts.
    number : float
        Of how many of the same the footprint is.
    """

    subject: str
    accelerator: str
    grid: Grid
    factors: Mapping[str, Range]
    assumed: tuple[str, ...]
    again: Callable[[Mapping[str, float]], Any]
    number: float = 1.0

    def interval(self, amount: str) -> tuple[float, float]:
        """Return about where the 5th and the 95th percentile of an amount lie.

        Each factor is moved to its ends alone, and what that changes is added in squares of logarithms: exact
        where the amount is a product of lognormal factors. `cohort.footprint.uncertainty` draws instead.

        Parameters
        ----------
        amount : str
            A field or property of `cohort.footprint.Footprint`, such as ``co2e_kg``.

        Returns
        -------
        pair of float
            In its unit; both the amount itself where every factor is known or the amount is 0.

        Raises
        ------
        AttributeError
            If a footprint has no such amount.

        Examples
        --------
        >>> import cohort
        >>> run = cohort.footprint.training(accelerator="H100 SXM 80GB", accelerator_hours=1000)
        >>> low, high = run.provenance.interval("energy_kwh")
        >>> low < run.energy_kwh < high < 2 * low
        True
        """
        values = {name: each.central for name, each in self.factors.items()}
        central = float(getattr(self.again(values), amount))
        below = above = 0.0
        for name, each in self.factors.items():
            share = 1.0 if each.shape == "lognormal" else _INSIDE
            for end in (each.low, each.high) if central > 0 and not each.known else ():
                moved = float(getattr(self.again({**values, name: end}), amount))
                step = share * log(moved / central) if moved > 0 else -inf
                below, above = hypot(below, min(step, 0.0)), hypot(above, max(step, 0.0))
        return self.number * central * exp(-below), self.number * central * exp(above)

    def as_dict(self) -> dict[str, Any]:
        """Return all of it as plain values.

        Returns
        -------
        dict
            Of text, numbers, lists and dicts, which ``json.dumps`` takes.

        Examples
        --------
        >>> import cohort
        >>> run = cohort.footprint.training(accelerator="H100 SXM 80GB", accelerator_hours=1000, grid="SE")
        >>> run.provenance.as_dict()["place"]["name"]
        'Sweden'
        """
        place = self.grid
        return {
            "subject": self.subject,
            "accelerator": self.accelerator,
            "number": self.number,
            "place": {
                "name": place.place,
                "year": place.year,
                "g_per_kwh": place.g_per_kwh,
                "counts": place.method or "not stated",
                "covers": place.scope.replace("_", " ") or "not stated",
                "source": place.source,
            },
            "scopes": dict(SCOPES),
            "factors": {
                name: {
                    "low": each.low, "central": each.central, "high": each.high, "unit": each.unit,
                    "sources": list(each.sources) or ["given"],
                }
                for name, each in self.factors.items()
            },
            "assumed": list(self.assumed),
        }  # fmt: skip


def about_place(place: Grid, factors: Mapping[str, Range]) -> tuple[str, ...]:
    """Return what a reader should know of the factor of a place.

    Parameters
    ----------
    place : Grid
        What was looked up.
    factors : mapping of str to Range
        Those of the footprint.

    Returns
    -------
    tuple of str
        Empty where nothing is amiss, or the caller gave the factor.
    """
    if factors["grid_g_per_kwh"].sources == () or place.scope != "combustion":
        return ()
    return (
        f"The factor of {place.place} counts what leaves the stacks alone; life-cycle factors, which other "
        "places have, are higher for the same plants.",
    )
