"""What a footprint is computed with: each factor as a low, a central and a high value, from the data.

A factor is a `Range`. What is known of a run replaces the range by a single value; the rest stays a range,
so that `cohort.footprint.uncertainty` can draw from it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import inf

from cohort.errors import ParameterError, bounded, shown, unknown
from cohort.registry import facts
from cohort.registry.devices import Accelerator

SHAPES = ("triangular", "lognormal")
# The tables of grid factors, in the order in which a place is looked up.
GRID_TABLES = ("grids_ember", "grids_electricitymaps", "grids")


@dataclass(frozen=True, slots=True)
class Range:
    """A factor that is known between bounds.

    Attributes
    ----------
    low, central, high : float
        In ascending order; all equal where the value is known.
    unit : str
        Their unit.
    sources : tuple of str
        Keys of ``references.bib``; empty where the value was given by the caller.
    shape : str
        One of `SHAPES`: how `uncertainty` draws from it. A triangle ends at the bounds and peaks at the
        central value. A lognormal has the central value as its median, as many draws above it as below,
        and its 5th and 95th percentiles as far apart as the bounds.
    """

    low: float
    central: float
    high: float
    unit: str
    sources: tuple[str, ...] = ()
    shape: str = "triangular"

    def __post_init__(self) -> None:
        if not -inf < self.low <= self.central <= self.high < inf:
            raise ParameterError(
                f"a range is {shown((self.low, self.central, self.high))}, "
                "but must be three finite numbers in ascending order: low, central, high"
            )
        if self.shape not in SHAPES:
            raise unknown("shape", self.shape, SHAPES)
        if self.shape == "lognormal" and self.low <= 0:
            raise ParameterError(f"a lognormal range begins at {shown(self.low)}, but must be above 0")

    @classmethod
    def exact(cls, value: float, unit: str) -> Range:
        """Return the range of a value that is known."""
        return cls(value, value, value, unit)

    @property
    def known(self) -> bool:
        """Whether the range is a single value."""
        return self.low == self.high

    def times(self, number: float, unit: str) -> Range:
        """Return the range multiplied by a number, in another unit."""
        ends = (number * self.low, number * self.central, number * self.high)
        return Range(*ends, unit, self.sources, self.shape)


@dataclass(frozen=True, slots=True)
class Grid:
    """What electricity of a place emits.

    Attributes
    ----------
    place : str
        The place, as in the tables of grids.
    year : int
        The year that the factor is of.
    g_per_kwh : float
        Grams of CO2e per kWh.
    method : str
        ``generation``: what is generated in the place; ``consumption``: what is consumed there, imports
        included; empty where the source does not say.
    scope : str
        ``combustion``: what leaves the stacks; ``life_cycle``: fuel, building and decay of plants included;
        empty where the source does not say.
    status, source, note : str
        As in the table.
    """

    place: str
    year: int
    g_per_kwh: float
    method: str
    scope: str
    status: str
    source: str
    note: str = ""


def _stamps() -> tuple[int, ...]:
    """Return when the tables of grids were last written, so that what was read can be kept until then."""
    return tuple(facts.modified(name) for name in GRID_TABLES)


@lru_cache(maxsize=1)
def _read_grids(stamps: tuple[int, ...]) -> dict[str, list[Grid]]:
    """Return the factors of each place, the default one first."""
    ranked: dict[str, list[tuple[int, bool, int, Grid]]] = {}
    for rank, table in enumerate(GRID_TABLES):
        for row in facts.rows(table):
            found = Grid(
                row["place"],
                int(row["year"]),
                float(row["value"]),
                *(row[column] for column in ("method", "scope", "status", "source", "note")),
            )
            order = (rank, found.status == "inferred", -found.year, found)
            ranked.setdefault(found.place, []).append(order)
    return {
        place: [each[-1] for each in sorted(rows, key=lambda row: row[:3])] for place, rows in ranked.items()
    }


def grids() -> list[str]:
    """Return the places whose grid factors the data hold."""
    return list(_read_grids(_stamps()))


def grid_factors(place: str) -> list[Grid]:
    """Return every factor of a place, the default one first.

    Tables come in the order of `GRID_TABLES`, so that life-cycle factors precede those of combustion; within
    a table, what a source states precedes what is inferred, and a later year an earlier one.

    Raises
    ------
    UnknownNameError
        If the data hold no such place; the message names the nearest.
    """
    known = _read_grids(_stamps())
    if not isinstance(place, str) or place not in known:
        raise unknown("grid", place, known)
    return list(known[place])


def grid(place: str, year: int | None = None, source: str | None = None) -> Grid:
    """Return the grid factor of a place.

    Parameters
    ----------
    place : str
        A place from ``cohort.grids()``, such as ``"USA"`` or ``"US-Texas"``.
    year : int, optional
        Only a factor of that year.
    source : str, optional
        Only a factor of that source, a key of ``references.bib``.

    Raises
    ------
    UnknownNameError
        If the data hold no such place, or no such factor of it; the message names the nearest.
    """
    found = grid_factors(place)
    if source is not None:
        allowed = [each.source for each in found]
        found = [each for each in found if each.source == source]
        if not found:
            raise unknown(f"source of the grid factor of {place}", source, allowed)
    for each in found:
        if year in (None, each.year):
            return each
    raise unknown(f"year of the grid factor of {place}", year, [str(each.year) for each in found])


def grid_range(place: str) -> Range:
    """Return how far the grid factor of a place may be from its default.

    The ends are the least and the greatest of its life-cycle factors and of those of its regions
    (``US-PJM`` is one of ``USA``), over the years that the data hold, and at the least as far off as a factor
    moves from one year to the next. What is generated in a place and what is consumed there are both among
    them, as a run may be counted either way; combustion alone and the life cycle are never mixed.
    """
    default = grid(place)
    near = factor("grid of a country", "grid factor over that of the year before")
    values = [each.g_per_kwh for each in comparable(default)]
    low, high = default.g_per_kwh * near.low, default.g_per_kwh * near.high
    return Range(
        min([low, *values]),
        default.g_per_kwh,
        max([high, *values]),
        "g/kWh",
        tuple(dict.fromkeys([default.source, *(each.source for each in comparable(default))])),
    )


def comparable(default: Grid) -> list[Grid]:
    """Return the factors of a place and of its regions that have the scope of the default one.

    Their methods differ: some count what is generated, some what is consumed.
    """
    region = {"USA": "US-"}.get(default.place, "\0")
    known = _read_grids(_stamps())
    places = [place for place in known if place == default.place or place.startswith(region)]
    return [each for place in places for each in known[place] if each.scope == default.scope]


# Factors ----------------------------------------------------------------------------------------------------

# Factors without an upper bound, known to no better than a factor of several.
_LOGNORMAL = frozenset(
    {
        "wue on site",
        "embodied co2e with its share of the server",
        "embodied water",
        "measured energy over that of the four terms",
    }
)


@lru_cache(maxsize=1)
def _read_factors(modified: int) -> dict[tuple[str, str], Range]:
    levels: dict[tuple[str, str], dict[str, dict[str, str]]] = {}
    for row in facts.rows("footprint_factors"):
        if row["level"]:
            levels.setdefault((row["entity"], row["quantity"]), {})[row["level"]] = row
    found = {}
    for (entity, quantity), rows in levels.items():
        low, high = float(rows["low"]["value"]), float(rows["high"]["value"])
        central = float(rows["central"]["value"]) if "central" in rows else (low + high) / 2
        sources = tuple(dict.fromkeys(row["source"] for row in rows.values()))
        shape = "lognormal" if quantity in _LOGNORMAL else "triangular"
        found[entity, quantity] = Range(low, central, high, rows["low"]["unit"], sources, shape)
    return found


def _factors() -> dict[tuple[str, str], Range]:
    return _read_factors(facts.modified("footprint_factors"))


def factor(entity: str, quantity: str) -> Range:
    """Return a factor from the table `footprint_factors`, with its low, central and high value.

    Raises
    ------
    UnknownNameError
        If the table has no such range; the message names the nearest.
    """
    known = _factors()
    if (entity, quantity) not in known:
        of_entity = [name for found, name in known if found == entity]
        if of_entity:
            raise unknown(f"range of {entity}", quantity, of_entity)
        raise unknown("entity", entity, [found for found, _ in known])
    return known[entity, quantity]


def factor_of(device: Accelerator, quantity: str) -> Range:
    """Return a factor of an accelerator: that of its family, such as H100, or that of all others.

    Raises
    ------
    UnknownNameError
        If the table has no such quantity for accelerators; the message names the nearest.
    """
    family = device.name.split()[0]
    entities = [entity for entity, name in _factors() if name == quantity]
    for word in (family, "other"):
        for entity in entities:
            if word in entity.split():
                return factor(entity, quantity)
    raise unknown("quantity of accelerators", quantity, [name for _, name in _factors()])


UTILISATION = "effective utilisation"
DRAWN = "power of an accelerator over its rating"
NODE = "power of the node over the rating of its accelerators"
EMBODIED = "embodied co2e with its share of the server"


def assessed(device: Accelerator) -> bool:
    """Whether the table has a range for making such an accelerator; others are given that of an H100."""
    entities = {entity for entity, name in _factors() if name == EMBODIED}
    return any(device.name.split()[0] in entity.split() for entity in entities)


def mfu(device: Accelerator) -> Range:
    """Return the share of the dense 16-bit peak that whole runs attain, restarts and all.

    Six FLOP for each active parameter and token, over all accelerator hours. Of A100, H100 and H800 it is the
    rounded median and range of runs; of TPU it is inferred from what PaLM attained while it ran, and of all
    others from both. So a footprint in one number does not move when a run is added to the data.
    `published_runs.utilisation` draws from the published runs themselves, as it leaves some of them out to
    predict them; its choice of runs, and with it the centre, is another.
    """
    return factor_of(device, UTILISATION)


def power(device: Accelerator, boundary: str) -> Range:
    """Return the power of one accelerator in training, in W, at a boundary.

    Parameters
    ----------
    device : Accelerator
        What is drawing it.
    boundary : str
        ``accelerator_tdp`` is its rating, ``accelerator`` what it draws; any other has its share of the node,
        before the losses of the data centre.

    Raises
    ------
    ParameterError
        If the data hold no rated power of the accelerator.
    """
    if device.tdp_w is None:
        raise ParameterError(f"accelerator is {device.name}, but must be one whose rated power the data hold")
    if boundary == "accelerator_tdp":
        return Range.exact(device.tdp_w, "W")
    share = factor("training", DRAWN) if boundary == "accelerator" else factor_of(device, NODE)
    return share.times(device.tdp_w, "W")


def offsite_water(place: str) -> Range:
    """Return the water that a kWh takes where it is generated, in L, around the value of a place.

    The United States have values of several sources. Elsewhere one map has one value a place, or that of the
    world; the bounds lie as far from it as those of the United States.
    """
    usa = factor("grid of the United States", "wue off site")
    name = "USA" if place.startswith("US-") else place
    if name == "USA":
        return usa
    values = {
        row["place"]: (float(row["value"]), row["source"])
        for row in facts.rows("facilities")
        if (row["provider"], row["quantity"]) == ("grid average", "wue_offsite")
    }
    value, source = values.get(name, values["World"])
    return Range(
        value * usa.low / usa.central, value, value * usa.high / usa.central, usa.unit, (source, *usa.sources)
    )


def assumptions(
    device: Accelerator,
    place: str = "USA",
    boundary: str = "facility",
    known: Mapping[str, Range] | None = None,
) -> dict[str, Range]:
    """Return what a footprint of training rests on, by the names that `account` takes.

    Parameters
    ----------
    device : Accelerator
        The accelerator.
    place : str
        The grid, from ``cohort.grids()``.
    boundary : str
        The boundary; the power depends on it.
    known : mapping of str to Range, optional
        What is known, as `given` returns it; it replaces the ranges of the data.

    Returns
    -------
    dict of str to Range
        What is known, and ``power_w``, ``mfu``, ``pue``, ``grid_g_per_kwh``, ``wue_onsite``, ``wue_offsite``,
        ``embodied_kg`` and ``embodied_water_l`` (of an accelerator with its share of the server),
        ``lifetime_years``, ``use_share`` (of its life) and ``development`` (all compute over the final run).
    """
    usual: dict[str, Callable[[], Range]] = {
        "power_w": lambda: power(device, boundary),
        "mfu": lambda: mfu(device),
        "pue": lambda: factor("hyperscale data centre", "pue"),
        "grid_g_per_kwh": lambda: grid_range(place),
        "wue_onsite": lambda: factor("data centre", "wue on site"),
        "wue_offsite": lambda: offsite_water(place),
        "embodied_kg": lambda: factor_of(device, EMBODIED),
        "embodied_water_l": lambda: factor("accelerator", "embodied water"),
        "lifetime_years": lambda: factor("accelerator", "service life"),
        "use_share": lambda: factor("accelerator", "share of its life in use"),
        "development": lambda: factor("development", "all compute over the final run"),
    }
    found = dict(known or {})
    return found | {name: read() for name, read in usual.items() if name not in found}


# What each factor may be, by the names of `assumptions`: lowest, highest, unit.
LIMITS = {
    "power_w": (0.0, 1e5, "W"),
    "mfu": (0.0, 1.0, ""),
    "pue": (1.0, 10.0, ""),
    "grid_g_per_kwh": (0.0, 2000.0, "g/kWh"),
    "market_g_per_kwh": (0.0, 2000.0, "g/kWh"),
    "wue_onsite": (0.0, 10.0, "L/kWh"),
    "wue_offsite": (0.0, 1000.0, "L/kWh"),
    "embodied_kg": (0.0, 1e5, "kg"),
    "embodied_water_l": (0.0, 1e6, "L"),
    "lifetime_years": (0.0, 100.0, "years"),
    "use_share": (0.0, 1.0, ""),
    "development": (1.0, 1e4, ""),
}
# Factors that something is divided by.
_ABOVE_ZERO = frozenset({"power_w", "mfu", "lifetime_years", "use_share"})


def given(known: Mapping[str, float | Range | None]) -> dict[str, Range]:
    """Return what a caller knows as ranges, each within its limits; what is None is left out.

    Raises
    ------
    ParameterError
        If a value is no number or beyond what it may be: a share outside 0 to 1, a PUE below 1.
    """
    found = {}
    for name, value in known.items():
        low, high, unit = LIMITS[name]
        ends = (value.low, value.high) if isinstance(value, Range) else (value,)
        for end in ends if value is not None else ():
            bounded(name, end, low, high, unit, above=name in _ABOVE_ZERO)
        if isinstance(value, Range):
            found[name] = value
        elif value is not None:
            found[name] = Range.exact(float(value), unit or "ratio")
    return found
