"""The ledger: from the energy of machines to CO2e, water, heat and what making the machines took.

The boundary is a field of every footprint, since published numbers differ in nothing more: the rated power of
the accelerators alone, what they draw, the whole node, the data centre, the hardware, and all that was tried
before. A number is compared with another at the same boundary, or not at all.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Any

from cohort.errors import ParameterError, bounded, one_of, shown
from cohort.errors.arguments import explain
from cohort.footprint.inputs import Factors, within
from cohort.footprint.provenance import Provenance
from cohort.units import G_PER_KG, HOURS_PER_YEAR

# What a footprint counts, from the narrowest to the widest.
BOUNDARIES = ("accelerator_tdp", "accelerator", "node", "facility", "with_embodied", "with_development")
_WIDTH = {name: place for place, name in enumerate(BOUNDARIES)}
# The same in words, each step with all before it.
BOUNDARY_WORDS = {
    "accelerator_tdp": "rated power of the accelerators",
    "accelerator": "what the accelerators draw",
    "node": "whole machines",
    "facility": "the data centre",
    "with_embodied": "and making the hardware",
    "with_development": "and all that was tried",
}


def check_boundary(boundary: object) -> str:
    """Return the name of a boundary.

    Parameters
    ----------
    boundary : object
        What was given.

    Returns
    -------
    str
        The name itself.

    Raises
    ------
    UnknownNameError
        If it is none of `BOUNDARIES`; the message names the nearest.

    Examples
    --------
    >>> check_boundary("node")
    'node'
    """
    return one_of("boundary", boundary, BOUNDARIES)


def at_least(boundary: str, other: str) -> bool:
    """Return whether a boundary is as wide as another, or wider.

    Parameters
    ----------
    boundary, other : str
        Two of `BOUNDARIES`.

    Returns
    -------
    bool
        True where both are the same.

    Raises
    ------
    UnknownNameError
        If one of them is no boundary.

    Examples
    --------
    >>> at_least("facility", "node"), at_least("accelerator", "node")
    (True, False)
    """
    try:
        return _WIDTH[boundary] >= _WIDTH[other]
    except (KeyError, TypeError):
        return _WIDTH[check_boundary(boundary)] >= _WIDTH[check_boundary(other)]


@dataclass(frozen=True, slots=True)
class Footprint:
    """What something took from the planet, within a boundary.

    Attributes
    ----------
    boundary : str
        One of `BOUNDARIES`.
    energy_kwh : float
        Electricity, with the losses of the data centre where `pue_applied`.
    operational_kg : float
        CO2e of that electricity by the grid of the place (location-based).
    operational_market_kg : float
        CO2e of that electricity by what its buyer contracted (market-based).
    embodied_kg : float
        CO2e of making the hardware, its share of these hours; 0 within a narrower boundary.
    water_onsite_l, water_offsite_l : float
        Water that evaporates in the data centre, and where the electricity is generated.
    water_embodied_l : float
        Water for the making of the accelerators; 0 within a narrower boundary.
    accelerator_hours : float
        Hours of one accelerator, development included within the widest boundary.
    pue_applied : bool
        Whether the losses of the data centre are in the energy.
    provenance : Provenance or None
        What it rests on: model, place, year, every factor with its range and sources, what was assumed. None
        for a sum, and for what was computed from factors alone.
    """

    boundary: str
    energy_kwh: float
    operational_kg: float
    operational_market_kg: float
    embodied_kg: float
    water_onsite_l: float
    water_offsite_l: float
    water_embodied_l: float
    accelerator_hours: float
    pue_applied: bool
    provenance: Provenance | None = field(default=None, repr=False, compare=False)

    @property
    def co2e_kg(self) -> float:
        """CO2e of all that is within the boundary, electricity counted by location."""
        return self.operational_kg + self.embodied_kg

    @property
    def co2e_market_kg(self) -> float:
        """CO2e of all that is within the boundary, electricity counted by market.

        What making the hardware emitted stays: no contract for electricity covers it.
        """
        return self.operational_market_kg + self.embodied_kg

    @property
    def water_l(self) -> float:
        """Water of all that is within the boundary."""
        return self.water_onsite_l + self.water_offsite_l + self.water_embodied_l

    @property
    def heat_kwh(self) -> float:
        """Heat: all electricity becomes heat in the end."""
        return self.energy_kwh

    def times(self, number: float) -> Footprint:
        """Return the footprint of so many of the same.

        Parameters
        ----------
        number : float
            How many, 0 or more.

        Returns
        -------
        Footprint
            Within the same boundary.

        Raises
        ------
        ParameterError
            If `number` is not a number of 0 or more.
        """
        count = bounded("number", number, 0, MOST)
        about = self.provenance and replace(self.provenance, number=count * self.provenance.number)
        amounts = {name: count * getattr(self, name) for name in _AMOUNTS}
        return replace(self, provenance=about, **amounts)

    def as_dict(self) -> dict[str, Any]:
        """Return the footprint with its ranges and what it rests on, as plain values.

        Returns
        -------
        dict
            Of text, numbers, lists and dicts, which ``json.dumps`` takes. Each amount has its ``central``
            value and, where the provenance is known, ``low`` and ``high``.

        Examples
        --------
        >>> import cohort
        >>> run = cohort.footprint.training(accelerator="H100 SXM 80GB", accelerator_hours=1000)
        >>> sorted(run.as_dict()["amounts"]["co2e_kg"])
        ['central', 'high', 'low']
        """
        amounts = {}
        for name in (*_AMOUNTS, "co2e_kg", "co2e_market_kg", "water_l", "heat_kwh"):
            amounts[name] = {"central": getattr(self, name)}
            if self.provenance is not None:
                low, high = self.provenance.interval(name)
                amounts[name] |= {"low": low, "high": high}
        about = {} if self.provenance is None else self.provenance.as_dict()
        return {"boundary": self.boundary, "pue_applied": self.pue_applied, "amounts": amounts, **about}

    def __add__(self, other: Footprint) -> Footprint:
        """Return the footprint of both together.

        Raises
        ------
        ParameterError
            If the boundaries differ.
        """
        if not isinstance(other, Footprint):
            return NotImplemented
        if (self.boundary, self.pue_applied) != (other.boundary, other.pue_applied):
            raise ParameterError(
                f"footprints within {shown(self.boundary)} and {shown(other.boundary)} cannot be added: "
                "both must have the same boundary"
            )
        amounts = {name: getattr(self, name) + getattr(other, name) for name in _AMOUNTS}
        return replace(self, provenance=None, **amounts)


_AMOUNTS = tuple(each.name for each in fields(Footprint) if each.type == "float")
MOST = 1e30  # of the same footprint


def account(
    boundary: str,
    factors: Factors,
    *,
    it_energy_kwh: Any,
    accelerator_hours: Any,
    development: Any = 1.0,
    apply_pue: bool | None = None,
    provenance: Provenance | None = None,
) -> Footprint:
    r"""Return the footprint of machines that ran: plain arithmetic, for numbers and arrays of draws alike.

    .. math::

        E = E_\text{IT} \cdot \text{PUE}, \qquad
        C = E c + \frac{H M}{8760 L u}, \qquad
        W = E_\text{IT} w_\text{on} + E w_\text{off} + \frac{H m}{8760 L u}

    and within the widest boundary all of it times the compute of everything that was tried over that of the
    final run.

    Parameters
    ----------
    boundary : str
        One of `BOUNDARIES`.
    factors : Factors
        PUE, :math:`c`, :math:`w`, :math:`M`, :math:`m`, :math:`L` and :math:`u`.
    it_energy_kwh : float
        Energy of the machines within the boundary, before the losses of the data centre.
    accelerator_hours : float
        Hours of one accelerator, over which the making of the hardware is spread.
    development : float
        All compute over that of the final run.
    apply_pue : bool, optional
        Whether the losses of the data centre count; by default they do from the boundary ``facility`` on.
        Some publishers multiply the rated power of accelerators by a PUE.
    provenance : Provenance, optional
        What the footprint rests on, where that is known.

    Returns
    -------
    Footprint
        Its amounts are arrays where a factor is one.

    Raises
    ------
    UnknownNameError
        If there is no such boundary; the message names the nearest.
    ParameterError
        If an amount is no number of 0 or more, or `development` below 1.

    See Also
    --------
    cohort.footprint.training, cohort.footprint.serving : From a run, and from an answer.

    Examples
    --------
    >>> own = Factors(
    ...     pue=1.1, grid_g_per_kwh=400, wue_onsite=0.2, wue_offsite=3, embodied_kg=463, embodied_water_l=100,
    ...     lifetime_years=5, use_share=0.75,
    ... )
    >>> round(account("facility", own, it_energy_kwh=1000, accelerator_hours=1500).co2e_kg)
    440
    """
    applied = at_least(boundary, "facility") if apply_pue is None else apply_pue
    within("it_energy_kwh", it_energy_kwh, 0, unit="kWh")
    within("accelerator_hours", accelerator_hours, 0, unit="hours")
    within("development", development, 1)
    market = factors.grid_g_per_kwh if factors.market_g_per_kwh is None else factors.market_g_per_kwh
    runs = development if boundary == "with_development" else 1.0
    hardware = 1.0 if at_least(boundary, "with_embodied") else 0.0
    energy = it_energy_kwh * (factors.pue if applied else 1.0) * runs
    lives = accelerator_hours * runs / (factors.lifetime_years * HOURS_PER_YEAR * factors.use_share)
    return Footprint(
        boundary=boundary,
        energy_kwh=energy,
        operational_kg=energy * factors.grid_g_per_kwh / G_PER_KG,
        operational_market_kg=energy * market / G_PER_KG,
        embodied_kg=hardware * lives * factors.embodied_kg,
        water_onsite_l=it_energy_kwh * runs * factors.wue_onsite,
        water_offsite_l=energy * factors.wue_offsite,
        water_embodied_l=hardware * lives * factors.embodied_water_l,
        accelerator_hours=accelerator_hours * runs,
        pue_applied=applied,
        provenance=provenance,
    )


explain(__name__)
