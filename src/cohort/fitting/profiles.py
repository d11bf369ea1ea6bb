"""The values of one coefficient that the runs allow, with all others fitted anew at each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from cohort.errors import bounded, one_of
from cohort.errors.arguments import explain
from cohort.fitting.terms import Array

if TYPE_CHECKING:
    from cohort.fitting.search import Search

POINTS = 41  # of a grid
SMALL = 0.05  # an exponent of either sign below which its grid does not narrow any more
WIDEST = 20.0  # times the value, or its inverse: where the grid ends


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile interval of a coefficient.

    Attributes
    ----------
    coefficient : str
        Its name.
    low, high : float
        The ends: 0, or infinite, where the runs set none within a factor of `WIDEST`.
    level : float
        Of confidence.
    """

    coefficient: str
    low: float
    high: float
    level: float

    @property
    def open(self) -> bool:
        """Whether the runs set no end on one side, or on both."""
        return self.low in (0.0, -np.inf) or not np.isfinite(self.high)

    @property
    def words(self) -> str:
        """The interval in words."""
        if not np.isfinite(self.high):
            return f"{self.low:.4g} or more" if self.low not in (0.0, -np.inf) else "any value"
        if np.isinf(self.low):
            return f"{self.high:.4g} or less"
        return f"{self.low:.4g} to {self.high:.4g}"


def profile(search: Search, point: Array, coefficient: str, level: float = 0.95) -> Profile:
    """Return the values at which the best law is not much worse than the best of all.

    Much worse is by the likelihood ratio of residuals whose scale is not known: of a Laplace distribution for
    ``huber`` and ``lad``, of a normal one for squares.

    Parameters
    ----------
    search : Search
        What was asked.
    point : ndarray, shape (p,)
        The minimum.
    coefficient : str
        The name of one that is free.
    level : float
        Of confidence.

    Returns
    -------
    Profile
        The interval.

    Raises
    ------
    ParameterError
        If the level is out of its range.
    UnknownNameError
        If the form has no such coefficient.
    """
    share = bounded("level", level, 0, 1, above=True, below=True)
    form, coordinates = search.form, search.form.coefficients(point, search.runs)
    known = coordinates | form.law(**coordinates).coefficients()
    value = known[one_of("coefficient", coefficient, known)]
    coordinate, *_ = form.printed.get(coefficient, (coefficient, 0.0, "factor"))
    limit = allowed(search, _values(search, point, coefficient, np.array([value]))[0], share)
    if coefficient == "E":
        top = 1.2 * float(search.runs.losses.min())
        below, above = np.linspace(0, value, POINTS), np.linspace(value, top, POINTS)
    elif coordinate not in form.above_zero and not form.is_logarithm(coordinate):
        away = WIDEST * max(abs(value), SMALL) * np.r_[0, np.geomspace(1e-4, 1, POINTS - 1)]
        below, above = (value - away)[::-1], value + away
    else:
        below = np.sign(value) * np.geomspace(abs(value) / WIDEST, abs(value), POINTS)
        above = np.sign(value) * np.geomspace(abs(value), abs(value) * WIDEST, POINTS)
    signed = below[0] < 0
    low = _end(search, point, coefficient, below[::-1], limit, -np.inf if signed else 0.0)
    high = _end(search, point, coefficient, above, limit, np.inf)
    return Profile(coefficient, min(low, high), max(low, high), share)


def allowed(search: Search, best: float, level: float) -> float:
    """Return the objective up to which a law is not much worse than the best.

    Parameters
    ----------
    search : Search
        What was asked.
    best : float
        The least objective.
    level : float
        Of confidence.

    Returns
    -------
    float
        By the likelihood ratio, as `profile` says.
    """
    chi = NormalDist().inv_cdf((1 + level) / 2) ** 2
    per_run = 1.0 if search.loss in ("log_mse", "mse") else 2.0
    return float(max(best, search.exact) * np.exp(chi / (per_run * len(search.runs.losses))))


def _values(search: Search, point: Array, coefficient: str, held: Array) -> Array:
    """Return the least objective at each of some values of a coefficient."""
    objectives = [search.objective({coefficient: float(each)}) for each in held]
    starts = np.tile(point, (len(held), 1))
    starts[~np.isfinite(starts)] = np.log(0.1 * search.runs.losses.min())
    weights = np.tile(search.runs.weights, (len(held), 1))
    if any((each.free != objectives[0].free).any() for each in objectives):  # a scale moves its exponent
        return np.array([search.minima(each, starts[:1], weights[:1]).value[0] for each in objectives])
    together = replace(objectives[0], fixed=np.array([each.fixed for each in objectives]))
    return search.minima(together, starts, weights).value


def _end(search: Search, point: Array, name: str, grid: Array, limit: float, otherwise: float) -> float:
    """Return where the objective first passes a limit along a grid, refined once."""
    for last in (False, True):
        if np.ptp(grid) == 0:
            return otherwise if otherwise == 0 else float(grid[0])
        values = _values(search, point, name, grid)
        past = np.flatnonzero(~(values <= limit))
        past = past[past > 0]
        if not len(past):
            return otherwise
        first = int(past[0])
        if not last:
            grid = np.linspace(grid[first - 1], grid[first], POINTS)
    left, right = values[first - 1], values[first]
    share = (limit - left) / (right - left) if np.isfinite(right) and right > left else 0.0
    return float(grid[first - 1] + min(max(share, 0.0), 1.0) * (grid[first] - grid[first - 1]))


explain(__name__)
