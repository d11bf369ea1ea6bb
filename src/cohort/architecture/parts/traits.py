"""Traits that are more than a value or a field: of several fields, of a table in the config, rounded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cohort.architecture.configs.fields import ABSENT, Fields
from cohort.architecture.feedforward import Weights
from cohort.architecture.parts.row import Place
from cohort.errors import ConfigError, integer, shown
from cohort.numeric import LIMIT

Number = Callable[[Place], int]


def given(place: Place, name: str) -> int | None:
    """Return a size, or None where the config does not give it.

    Parameters
    ----------
    place : Place
        Where it is asked for.
    name : str
        A field; ``table.field`` lies in an object of the config.

    Returns
    -------
    int or None
        The size.
    """
    table, _, field = name.rpartition(".")
    return (place.fields.part(table) if table else place.fields).optional(field)


def either(*names: str, otherwise: Any = None) -> Number:
    """Return a trait that is the first of several fields that is given.

    Parameters
    ----------
    *names : str
        Fields, as `given` takes them.
    otherwise : trait, optional
        What stands where none is; the last field must be given if nothing does.

    Returns
    -------
    callable
        From a place to the size.
    """

    def trait(place: Place) -> int:
        found = next((size for name in names if (size := given(place, name)) is not None), None)
        return found if found is not None else place.number(names[-1] if otherwise is None else otherwise)

    return trait


def agreed(*names: str) -> Number:
    """Return a trait that several fields give, of which those that are there must be the same.

    Parameters
    ----------
    *names : str
        Fields, of which one at least must be given.

    Returns
    -------
    callable
        From a place to the size.
    """

    def trait(place: Place) -> int:
        values = {size: name for name in names if (size := place.fields.optional(name)) is not None}
        if len(values) > 1:
            raise ConfigError(f"{' and '.join(values.values())} must be the same to be counted")
        return next(iter(values)) if values else place.fields.size(names[0])

    return trait


def uniform(name: str) -> Number:
    """Return a trait that a field gives once, or again for each layer.

    Parameters
    ----------
    name : str
        The field.

    Returns
    -------
    callable
        From a place to the size.
    """

    def trait(place: Place) -> int:
        value = place.fields.raw(name)
        if isinstance(value, (list, tuple)) and value and all(each == value[0] for each in value):
            return entry(place.fields.given(name), value[0])
        return place.fields.size(name)

    return trait


def expanded(name: str) -> Number:
    """Return a trait that is a multiple of the hidden size.

    Parameters
    ----------
    name : str
        The field of the multiple.

    Returns
    -------
    callable
        From a place to the size.
    """
    return lambda place: place.number(name) * place.hidden


def automatic(place: Place, name: str, value: int) -> int:
    """Return a size that may be 'auto'.

    Parameters
    ----------
    place : Place
        Where it is asked for.
    name : str
        Its field.
    value : int
        What it is where the field says 'auto', null or nothing.

    Returns
    -------
    int
        The size.
    """
    said = place.fields.raw(name)
    return value if said in ("auto", None) or said is ABSENT else place.fields.size(name)


def multiplier(fields: Fields, name: str) -> float:
    """Return a positive number that need not be an integer.

    Parameters
    ----------
    fields : Fields
        The fields.
    name : str
        Its field.

    Returns
    -------
    float
        The number, below a million.

    Raises
    ------
    ConfigError
        If the field holds no such number.
    """
    value = fields.raw(name)
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 < value < 1e6:
        raise ConfigError(f"the field {name!r} is {shown(value, 30)}, but must be a number")
    return value


def entry(name: str, value: Any) -> int:
    """Return a size out of a list or a table.

    Parameters
    ----------
    name : str
        The field that holds it.
    value : int
        The entry, which is checked.

    Returns
    -------
    int
        The size.
    """
    return integer(f"an entry of {name!r}", value, 1, LIMIT, ConfigError)


def further(matrices: Any = 0, others: Any = 0) -> Callable[[Place], Weights]:
    """Return what makes further weights.

    Parameters
    ----------
    matrices, others : trait
        Weights that a token is multiplied with, and others.

    Returns
    -------
    callable
        From a place to the weights.
    """
    return lambda place: Weights(place.number(matrices), place.number(others))
