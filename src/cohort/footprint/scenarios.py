"""A training run as the book models it: drawn from the ranges of all that its maker did not publish."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cohort.errors import extras, one_of
from cohort.errors.arguments import explain
from cohort.footprint.accounts import Footprint
from cohort.footprint.factors import Range
from cohort.footprint.published_runs import Run, utilisation
from cohort.footprint.training_runs import run_factors, run_footprint, training_flop
from cohort.footprint.uncertainty import Draws, Spread, sample

with extras():
    import numpy as np

UNITS = ("_kwh", "_kg", "_l", "_hours")  # on which the names of amounts end


@dataclass(frozen=True, slots=True)
class Scenario:
    """What a reader asks: where, in which data centre, for how long the machines serve, and how many draws.

    Attributes
    ----------
    grid : str
        A place from ``cohort.grids()``.
    pue, lifetime_years : float
        Energy of the data centre over that of its machines, and years that these serve; 0 draws them from
        their ranges.
    draws, seed : int
        Draws of each input, and what they are seeded with.
    """

    grid: str = "USA"
    pue: float = 0.0
    lifetime_years: float = 0.0
    draws: int = 20_000
    seed: int = 0

    @property
    def known(self) -> dict[str, float | Range | None]:
        """What the reader gave, by the names of the factors."""
        return {"pue": self.pue or None, "lifetime_years": self.lifetime_years or None}


@dataclass(frozen=True, eq=False)
class Modelled:
    """A run with its uncertainty.

    Attributes
    ----------
    footprint : Footprint
        Its amounts are arrays, one value a draw.
    inputs : dict of str to array
        The draws of each input.
    """

    footprint: Footprint
    inputs: dict[str, Any]

    def spread(self, amount: str) -> Spread:
        """Return an amount of the footprint with its uncertainty.

        Parameters
        ----------
        amount : str
            An attribute of `cohort.footprint.Footprint`, such as ``co2e_kg``; its name says the unit.

        Returns
        -------
        Spread
            Of as many values as there are draws.

        Raises
        ------
        UnknownNameError
            If a footprint has no such amount; the message names the nearest.
        """
        one_of(
            "amount",
            amount,
            [name for name in dir(Footprint) if name.endswith(("_kwh", "_kg", "_l", "_hours"))],
        )
        draws = len(next(iter(self.inputs.values())))
        values = np.broadcast_to(np.asarray(getattr(self.footprint, amount), dtype=float), (draws,))
        return Spread(values, self.inputs)


def modelled(
    run: Run,
    boundary: str,
    scenario: Scenario,
    known: dict[str, float | Range | None] | None = None,
    apply_pue: bool | None = None,
    as_published: bool = True,
) -> Modelled:
    """Return a run's footprint, drawn from all that is not known of it.

    Parameters
    ----------
    run : Run
        What is known.
    boundary : str
        One of `BOUNDARIES`.
    scenario : Scenario
        What the reader asks.
    known : mapping, optional
        What else is known, by the names of the factors; it goes before the scenario.
    apply_pue : bool, optional
        As in `cohort.footprint.training`.
    as_published : bool
        Whether the published hours are used; if not, they are estimated as if there were none.

    Returns
    -------
    Modelled
        One value a draw of every amount.

    Raises
    ------
    CohortError
        If there is no such boundary or grid, or a number of the scenario is out of range.

    See Also
    --------
    cohort.footprint.published_runs.run_of : A run to model.

    Examples
    --------
    >>> from cohort.footprint.published_runs import run_of
    >>> run = run_of("llama-2-7b", "H100 SXM 80GB")
    >>> co2e = modelled(run, "facility", Scenario(draws=1000)).spread("co2e_kg")
    >>> co2e.low < 1000 * run.reported_t < co2e.high
    True
    """
    own = {"mfu": utilisation(run.device), "power_w": run.power(boundary)} | scenario.known | (known or {})
    ranges = run_factors(run.device, scenario.grid, boundary, own)
    inputs = {name: each for name, each in ranges.items() if name != "mfu"}
    hours = run.hours if as_published else None
    if hours is None:
        inputs |= {"mfu": ranges["mfu"], "tokens": run.tokens}
    drawn = sample(inputs, scenario.draws, scenario.seed)
    if hours is None:
        drawn["mfu"] = _above(drawn["mfu"], run.floor)
    values: dict[str, Any] = {"mfu": ranges["mfu"].central, **drawn}
    flop = training_flop(run.active, values.pop("tokens", 0.0))
    compute: tuple[Any, Any] = (None, flop) if hours is None else (hours, None)
    return Modelled(run_footprint(boundary, run.device, compute, values, apply_pue), drawn)


def _above(shares: Draws, floor: float) -> Draws:
    """Return draws of which those below a floor have been replaced with others that are not."""
    low = shares < floor
    if not low.any():
        return shares
    kept = shares[~low] if not low.all() else np.array([floor])
    found = shares.copy()
    found[low] = np.resize(kept, int(low.sum()))
    return found


explain(__name__)
