"""Places: what a kWh of their electricity emits, and the water that it takes where it is generated."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from cohort.errors import one_of, unknown
from cohort.errors.arguments import explain
from cohort.footprint.factors import Range, factor
from cohort.registry import facts
from cohort.registry.names import Names, aliases, key

# The tables of grid factors, in the order in which a place is looked up.
GRID_TABLES = ("grids_ember", "grids_electricitymaps", "grids")
_CODE = re.compile(r"[A-Z]{2}(-[A-Z0-9]+)+")  # of a zone, such as CA-QC
COUNTRY, REGION = "USA", "US-"  # the one country whose regions are places of their own, and how they begin


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


def _known() -> dict[str, list[Grid]]:
    """Return the factors of each place, the default one first; read again when a table was written."""
    return _read_grids(_stamps())


def _stamps() -> tuple[int, ...]:
    return tuple([facts.modified(name) for name in GRID_TABLES])


@lru_cache(maxsize=1)
def _read_grids(stamps: tuple[int, ...]) -> dict[str, list[Grid]]:
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
    return list(_known())


@lru_cache(maxsize=1)
def _names(places: tuple[str, ...], stamp: int) -> Names:
    """Return the places by all of their spellings."""
    return Names("grid", places, aliases("grid"))


@lru_cache(maxsize=1)
def _worded(places: tuple[str, ...], stamp: int) -> Names:
    """Return the places that have names rather than codes: what is proposed for one that is misspelt."""
    words = tuple(place for place in places if not _CODE.fullmatch(place))
    return Names("grid", words, [pair for pair in aliases("grid") if pair[1] in words and " " in pair[0]])


@lru_cache(maxsize=1)
def _exact(stamp: int) -> dict[str, str]:
    """Return the other names of places as they are written, in small letters."""
    return {alias.casefold(): name for alias, name in aliases("grid")}


def place_name(place: str) -> str:
    """Return the place that a name means.

    Parameters
    ----------
    place : str
        A place from ``cohort.grids()`` in any spelling, another usual name of a country, its code of two or
        three letters in ISO 3166, or a cloud region of Amazon, Google or Azure as its operator writes it.

    Returns
    -------
    str
        Its name in the tables of grids.

    Raises
    ------
    UnknownNameError
        If the data hold no such place; the message names the nearest.

    Examples
    --------
    >>> place_name("SE"), place_name("united kingdom"), place_name("us_new york")
    ('Sweden', 'UK', 'US-New York')
    >>> place_name("us-west-2"), place_name("us-west2")  # Oregon by Amazon, Los Angeles by Google
    ('US-NW-BPAT', 'US-CAL-LDWP')
    """
    known = _known()
    if isinstance(place, str) and place in known:
        return place
    exact = _exact(facts.modified("aliases"))
    if isinstance(place, str) and place.casefold() in exact:
        return exact[place.casefold()]  # two clouds have regions whose names differ in a hyphen alone
    stamp = facts.modified("aliases")
    names = _names(tuple(known), stamp)
    if isinstance(place, str) and len(names.meant(key(place))) == 1:
        return names.find(place)
    raise _worded(tuple(known), stamp).refusal(place)


def grid_factors(place: str) -> list[Grid]:
    """Return every factor of a place, the default one first.

    Tables come in the order of `GRID_TABLES`, so that life-cycle factors precede those of combustion; within
    a table, what a source states precedes what is inferred, and a later year an earlier one.

    Parameters
    ----------
    place : str
        A place, as `place_name` takes it.

    Returns
    -------
    list of Grid
        At least one.

    Raises
    ------
    UnknownNameError
        If the data hold no such place; the message names the nearest.

    Examples
    --------
    >>> [(each.year, each.g_per_kwh) for each in grid_factors("France")]
    [(2024, 44.18), (2025, 41.44), (2025, 31.0), (2022, 57.0)]
    """
    if type(place) is str:
        return list(_factors_of(place, facts.modified("aliases"), _stamps()))
    return list(_known()[place_name(place)])


@lru_cache(maxsize=1024)
def _factors_of(place: str, stamp: int, stamps: tuple[int, ...]) -> tuple[Grid, ...]:
    """Return every factor of a place by one of its names, kept until a table changes."""
    return tuple(_known()[place_name(place)])


def grid(place: str, year: int | None = None, source: str | None = None) -> Grid:
    """Return the grid factor of a place.

    Parameters
    ----------
    place : str
        A place, such as ``"USA"`` or ``"US-Texas"``, as `place_name` takes it.
    year : int, optional
        Only a factor of that year.
    source : str, optional
        Only a factor of that source, a key of ``references.bib``.

    Returns
    -------
    Grid
        The default factor of the place, or the first in the order of `grid_factors` that is asked for.

    Raises
    ------
    UnknownNameError
        If the data hold no such place, or no such factor of it; the message names the nearest.

    See Also
    --------
    grid_range : How far the factor may be off.

    Examples
    --------
    >>> grid("USA").g_per_kwh, grid("USA", year=2021).g_per_kwh
    (383.55, 429.0)
    """
    found = grid_factors(place)
    if source is not None:
        one_of(f"source of the grid factor of {place}", source, [each.source for each in found])
        found = [each for each in found if each.source == source]
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

    Parameters
    ----------
    place : str
        A place from ``cohort.grids()``.

    Returns
    -------
    Range
        In g/kWh, around the default factor.

    Raises
    ------
    UnknownNameError
        If the data hold no such place; the message names the nearest.

    Examples
    --------
    >>> usa = grid_range("USA")
    >>> usa.low, usa.central, usa.high
    (208.0, 383.55, 501.0)
    """
    default = grid(place)
    near = factor("grid of a country", "grid factor over that of the year before")
    alike = comparable(default)
    values = [each.g_per_kwh for each in alike]
    return Range(
        min([default.g_per_kwh * near.low, *values]),
        default.g_per_kwh,
        max([default.g_per_kwh * near.high, *values]),
        "g/kWh",
        tuple(dict.fromkeys([default.source, *(each.source for each in alike)])),
    )


def comparable(default: Grid) -> list[Grid]:
    """Return the factors of a place and of its regions that have the scope of the default one.

    Parameters
    ----------
    default : Grid
        A factor of the place.

    Returns
    -------
    list of Grid
        Their methods differ: some count what is generated, some what is consumed.

    Examples
    --------
    >>> [each.method for each in comparable(grid("France"))]
    ['generation', 'generation', 'consumption']
    """
    return [
        each
        for place, found in _known().items()
        if default.place in (place, _country(place))
        for each in found
        if each.scope == default.scope
    ]


def _country(place: str) -> str:
    """Return the country that a state or one of its large grids widens the range of.

    A balancing area, ``US-NW-GCPD``, may be one dam or one coal plant, and a state by its code alone,
    ``US-HI``, an island: they say little of the country.
    """
    zone = place.count("-") > 1 or len(place) == len(REGION) + 2
    return COUNTRY if place.startswith(REGION) and not zone else place


def country_of(place: str) -> str:
    """Return the country that a state, a grid or a zone lies in.

    Parameters
    ----------
    place : str
        A place from ``cohort.grids()``.

    Returns
    -------
    str
        The place of its code before the first hyphen; the place itself where it is no part of another.

    Examples
    --------
    >>> country_of("CA-QC"), country_of("US-NW-GCPD"), country_of("Guinea-Bissau")
    ('Canada', 'USA', 'Guinea-Bissau')
    """
    code, hyphen, _ = place.partition("-")
    exact = _exact(facts.modified("aliases"))
    return exact.get(code.casefold(), place) if hyphen and len(code) == 2 and code.isupper() else place


def offsite_water(place: str) -> Range:
    """Return the water that a kWh takes where it is generated, around the value of a place.

    The United States have values of several sources. Elsewhere one map has one value a place, or that of the
    world; the bounds lie as far from it as those of the United States.

    Parameters
    ----------
    place : str
        A place from ``cohort.grids()``, or any other.

    Returns
    -------
    Range
        In L/kWh.

    Examples
    --------
    >>> offsite_water("France").central, offsite_water("US-Texas") == offsite_water("USA")
    (3.674, True)
    """
    usa = factor("grid of the United States", "wue off site")
    known = _names(tuple(_known()), facts.modified("aliases")).meant(key(place))
    name = country_of(known[0] if len(known) == 1 else place)
    if name == COUNTRY:
        return usa
    values = {
        row["place"]: (float(row["value"]), row["source"])
        for row in facts.rows("facilities")
        if (row["provider"], row["quantity"]) == ("grid average", "wue_offsite")
    }
    value, source = values.get(name, values["World"])
    ends = (value * usa.low / usa.central, value, value * usa.high / usa.central)
    return Range(*ends, usa.unit, (source, *usa.sources))


explain(__name__)
