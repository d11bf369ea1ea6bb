"""What a footprint is computed with: each factor, what it may be, and its range where it is not known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import lru_cache
from math import inf
from numbers import Real
from typing import Any, Self

from cohort.errors import bounded, one_of
from cohort.errors.arguments import explain
from cohort.footprint.factors import EMBODIED, Range, factor, factor_of
from cohort.footprint.places import GRID_TABLES, Grid, grid, grid_range, offsite_water
from cohort.registry import facts
from cohort.registry.devices import Accelerator


@dataclass(frozen=True, slots=True)
class Case:
    """What decides the ranges of factors that are not known.

    Attributes
    ----------
    device : Accelerator
        The accelerator.
    place : str
        The grid, from ``cohort.grids()``.
    boundary : str
        One of ``cohort.footprint.accounts.BOUNDARIES``; the power depends on it.
    """

    device: Accelerator
    place: str
    boundary: str


Usual = Callable[[Case], Range]
_TABLES = (*GRID_TABLES, "aliases", "footprint_factors", "facilities")  # from which ranges are read


@dataclass(frozen=True, slots=True)
class _Traits:
    """What a factor may be, and the range of the data where it is not known; None where there is none."""

    low: float
    high: float
    unit: str
    above: bool
    usual: Usual | None


def traits(
    low: float,
    high: float,
    unit: str = "",
    usual: Usual | tuple[str, str] | None = None,
    above: bool = False,
) -> dict[str, Any]:
    """Return the metadata of a field of `Factors`.

    Parameters
    ----------
    low, high : float
        The least and the greatest value that may be given.
    unit : str
        Its unit; empty for a ratio.
    usual : callable or (str, str), optional
        The range where the factor is not known: from a `Case`, or entity and quantity of the table
        `footprint_factors`. A factor without one is left out where it is not given.
    above : bool
        Whether a value must be above `low`, as where something is divided by it.

    Returns
    -------
    dict
        For `dataclasses.field`.

    Examples
    --------
    >>> sorted(traits(0.0, 1.0))
    ['traits']
    """

    def of_table(case: Case) -> Range:
        return factor(*usual)  # type: ignore[misc]

    return {"traits": _Traits(low, high, unit, above, of_table if isinstance(usual, tuple) else usual)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Factors:
    """What `cohort.footprint.account` multiplies with: of each factor one value, or an array of draws.

    `cohort.footprint.training_runs.RunFactors` and `cohort.footprint.answers.AnswerFactors` add their own.
    `cohort.footprint.training` and `cohort.footprint.serving` take any of them by name; what is not given has
    the range of the data.

    Attributes
    ----------
    pue : float
        Energy of the data centre over that of its machines, 1 or more.
    grid_g_per_kwh : float
        CO2e of a kWh by location, in g.
    market_g_per_kwh : float or None
        CO2e of a kWh by the contracts of the buyer, in g: 0 where all of it is matched, None without any.
    wue_onsite, wue_offsite : float
        Water in L: per kWh of the machines, and per kWh that is generated.
    embodied_kg, embodied_water_l : float
        CO2e in kg and water in L of making one accelerator with its share of the server.
    lifetime_years : float
        How long it serves, in years.
    use_share : float
        The share of that time in which it works.
    """

    pue: Any = field(metadata=traits(1.0, 10.0, usual=("hyperscale data centre", "pue")))
    grid_g_per_kwh: Any = field(metadata=traits(0.0, 2000.0, "g/kWh", lambda case: grid_range(case.place)))
    market_g_per_kwh: Any = field(default=None, metadata=traits(0.0, 2000.0, "g/kWh"))
    wue_onsite: Any = field(metadata=traits(0.0, 10.0, "L/kWh", ("data centre", "wue on site")))
    wue_offsite: Any = field(metadata=traits(0.0, 1000.0, "L/kWh", lambda case: offsite_water(case.place)))
    embodied_kg: Any = field(metadata=traits(0.0, 1e5, "kg", lambda case: factor_of(case.device, EMBODIED)))
    embodied_water_l: Any = field(metadata=traits(0.0, 1e6, "L", ("accelerator", "embodied water")))
    lifetime_years: Any = field(
        metadata=traits(0.0, 100.0, "years", ("accelerator", "service life"), above=True)
    )
    use_share: Any = field(
        metadata=traits(0.0, 1.0, usual=("accelerator", "share of its life in use"), above=True)
    )

    def __post_init__(self) -> None:
        for name, own in _traits(type(self)).items():
            value = getattr(self, name)
            if type(value) is float and own.low < value < inf:
                continue  # nearly all of them; what is left is looked at more closely
            if value is not None or own.usual is not None:
                within(name, value, own.low, unit=own.unit, above=own.above)  # draws may pass the high end

    @classmethod
    def given(cls, known: Mapping[str, float | Range | None]) -> dict[str, Range]:
        """Return what a caller knows as ranges, each within its limits.

        Parameters
        ----------
        known : mapping of str to float or Range
            By the names of the fields; what is None is left out.

        Returns
        -------
        dict of str to Range
            A number becomes a range of equal ends.

        Raises
        ------
        UnknownNameError
            If there is no such factor; the message names the nearest.
        ParameterError
            If a value is no number or beyond what it may be: a share outside 0 to 1, a PUE below 1.

        Examples
        --------
        >>> {name: each.central for name, each in Factors.given({"pue": 1.2, "use_share": None}).items()}
        {'pue': 1.2}
        """
        own_traits = _traits(cls)
        found = {}
        for name, value in known.items():
            own = own_traits[one_of("factor", name, own_traits)]
            if value is None:
                continue
            for end in (value.low, value.high) if isinstance(value, Range) else (value,):
                bounded(name, end, own.low, own.high, own.unit, above=own.above)
            found[name] = (
                value if isinstance(value, Range) else Range.exact(float(value), own.unit or "ratio")
            )
        return found

    @classmethod
    def ranges(cls, case: Case, known: Mapping[str, float | Range | None] | None = None) -> dict[str, Range]:
        """Return the factors of a case: those known, and for the rest the ranges of the data.

        Parameters
        ----------
        case : Case
            What decides them.
        known : mapping of str to float or Range, optional
            As `given` takes it.

        Returns
        -------
        dict of str to Range
            By the names of the fields; without ``market_g_per_kwh`` where it is not given.

        Raises
        ------
        CohortError
            As `given`; and where the data lack what a range rests on, such as the place.
        """
        return cls.looked_up(case, known)[0]

    @classmethod
    def looked_up(
        cls, case: Case, known: Mapping[str, float | Range | None] | None = None
    ) -> tuple[dict[str, Range], Grid, Self]:
        """Return the factors of a case as ranges, the place, and the central value of each factor.

        Parameters
        ----------
        case, known
            As `ranges` takes them.

        Returns
        -------
        tuple of dict, Grid and Factors
            As `ranges` returns them; what the electricity of the place emits; and the central values.

        Raises
        ------
        CohortError
            As `ranges`.

        Examples
        --------
        >>> from cohort.registry.devices import accelerator
        >>> Factors.looked_up(Case(accelerator("B200"), "SE", "node"))[1].place
        'Sweden'
        """
        found = cls.given(known) if known else {}
        stamps = tuple([facts.modified(name) for name in _TABLES])
        kind: Any = cls
        usual, place, own = _read(kind, frozenset(found), case, stamps)
        if found:
            own = cls(**central_values({**found, **usual}))
        return {**found, **usual}, place, own


def within(name: str, value: Any, low: float, high: float = inf, unit: str = "", above: bool = False) -> Any:
    """Return a number or an array of draws if all of it is within a range, else raise.

    Parameters
    ----------
    name : str
        What it is called where it was given.
    value : float or array
        What was given.
    low, high : float
        The ends of the range.
    unit : str
        The unit, for the message.
    above : bool
        Whether it must be above `low`, not at it.

    Returns
    -------
    float or array
        What was given.

    Raises
    ------
    ParameterError
        If a number is out of range, not finite, or none.

    Examples
    --------
    >>> within("pue", 1.1, 1, 10)
    1.1
    """
    if type(value) is float and low < value < high:
        return value
    ends = (value,) if isinstance(value, Real) or not hasattr(value, "__array__") else _ends(value)
    for end in ends:
        bounded(name, end, low, high, unit, above=above)
    return value


def _ends(draws: Any) -> tuple[Any, ...]:
    """Return the least and the greatest of an array, and the array itself where it has none."""
    return (draws.min(), draws.max()) if draws.size and draws.dtype.kind in "iuf" else (draws,)


def _traits(kind: type[Factors]) -> dict[str, _Traits]:
    """Return the traits of the fields of `Factors`, or of a class that adds some."""
    if kind not in _KEPT:
        _KEPT[kind] = {each.name: each.metadata["traits"] for each in fields(kind)}
    return _KEPT[kind]


_KEPT: dict[type[Factors], dict[str, _Traits]] = {}


@lru_cache(maxsize=512)
def _read(
    kind: Any, known: frozenset[str], case: Case, stamps: tuple[int, ...]
) -> tuple[Mapping[str, Range], Grid, Any]:
    """Return the ranges of factors that are not known, the place, and where none is known all central values.

    They are kept until a table changes.
    """
    place = grid(case.place)  # decides the water too, where what its electricity emits is given
    usual = {name: own.usual(case) for name, own in _traits(kind).items() if own.usual and name not in known}
    return usual, place, None if known else kind(**central_values(usual))


def central_values(ranges: Mapping[str, Range]) -> dict[str, float]:
    """Return the central value of each range.

    Parameters
    ----------
    ranges : mapping of str to Range
        By name, as `Factors.ranges` returns them.

    Returns
    -------
    dict of str to float
        By the same names.

    Examples
    --------
    >>> central_values({"pue": Range(1.06, 1.1, 1.25, "ratio")})
    {'pue': 1.1}
    """
    return {name: each.central for name, each in ranges.items()}


explain(__name__)
