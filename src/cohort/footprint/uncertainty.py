"""How sure an answer is: inputs drawn from their ranges, the answer for each, and what drives its spread.

`cohort.footprint.factors.Range` says how each input is drawn. All draws are seeded, and each input has a
stream of its own by its name, so that one more input leaves the draws of the others as they were.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from zlib import crc32

from cohort.errors import ParameterError, extras, integer, shown
from cohort.errors.arguments import explain
from cohort.footprint.factors import Z95, Range

with extras():
    import numpy as np
    from numpy.typing import NDArray

Draws = NDArray[np.float64]
MOST_DRAWS = 10_000_000


def draw(given: Range, draws: int, generator: np.random.Generator) -> Draws:
    """Return draws from a range.

    Parameters
    ----------
    given : Range
        Its shape decides the distribution.
    draws : int
        How many.
    generator : numpy.random.Generator
        Where randomness comes from.

    Returns
    -------
    array of shape (draws,)
        In the unit of the range; all equal where the value is known.

    Examples
    --------
    >>> values = draw(Range(1, 2, 6, "L"), 1000, np.random.default_rng(0))
    >>> bool(1 < values.min() < values.max() < 6)
    True
    """
    if given.known:
        return np.full(draws, given.central)
    if given.shape == "lognormal":
        sigma = np.log(given.high / given.low) / (2 * Z95)
        spread: Draws = given.central * np.exp(sigma * generator.standard_normal(draws))
        return spread
    return triangular(given.low, given.central, given.high, generator.random(draws))


def triangular(low: float, central: float, high: float, uniform: Draws) -> Draws:
    """Return draws from a triangle: its inverse distribution, of uniform ones.

    Parameters
    ----------
    low, central, high : float
        Where it begins, peaks and ends.
    uniform : array
        Draws from 0 to 1.

    Returns
    -------
    array
        Of the same shape.

    Examples
    --------
    >>> triangular(0, 1, 2, np.array([0, 0.5, 1])).tolist()
    [0.0, 1.0, 2.0]
    """
    rising = np.sqrt(uniform * (high - low) * (central - low))
    falling = np.sqrt((1 - uniform) * (high - low) * (high - central))
    below: Draws = np.where(uniform * (high - low) < central - low, low + rising, high - falling)
    return below


def sample(inputs: Mapping[str, Range], draws: int, seed: int) -> dict[str, Draws]:
    """Return independent draws of each input.

    Parameters
    ----------
    inputs : mapping of str to Range
        The inputs by name.
    draws : int
        How many, at least 100.
    seed : int
        The same seed gives the same draws.

    Returns
    -------
    dict of str to array of shape (draws,)
        By the same names.

    Raises
    ------
    ParameterError
        If `draws` or `seed` is out of range.
    """
    count = integer("draws", draws, 100, MOST_DRAWS)
    root = integer("seed", seed, 0, 2**32 - 1)
    return {
        name: draw(given, count, np.random.default_rng([root, crc32(name.encode())]))
        for name, given in inputs.items()
    }


@dataclass(frozen=True, eq=False)
class Spread:
    """An answer with its uncertainty.

    Attributes
    ----------
    values : array of shape (draws,)
        The answer for each draw.
    inputs : mapping of str to array
        The draws of each input.
    """

    values: Draws
    inputs: Mapping[str, Draws]

    def percentile(self, percent: float) -> float:
        """Return a percentile of the answer.

        Parameters
        ----------
        percent : float
            From 0 to 100.

        Returns
        -------
        float
            In the unit of the answer.

        Raises
        ------
        ValueError
            If `percent` is not from 0 to 100.
        """
        return float(np.percentile(self.values, percent))

    @property
    def low(self) -> float:
        """The 5th percentile."""
        return self.percentile(5)

    @property
    def median(self) -> float:
        """The 50th percentile."""
        return self.percentile(50)

    @property
    def high(self) -> float:
        """The 95th percentile."""
        return self.percentile(95)

    def holds(self, value: float) -> bool:
        """Return whether a value lies from the 5th to the 95th percentile.

        Parameters
        ----------
        value : float
            In the unit of the answer.

        Returns
        -------
        bool
            True at the ends as well.
        """
        return self.low <= value <= self.high

    def shares(self, bins: int | None = None) -> dict[str, float]:
        """Return the share of the answer's variance that each input explains: its first-order Sobol' index.

        The index of an input is the variance of the answer's mean given that input, over the variance of the
        answer :cite:p:`sobol2001global`. The draws are sorted by the input and cut into bins of equal
        size; the variance of the bins' means, less what bins of their size vary by chance, estimates it. For
        independent inputs the indices add up to at most 1; what is missing is due to inputs together.

        Parameters
        ----------
        bins : int, optional
            Into how many bins the draws are cut; by default 64, or fewer where draws are few.

        Returns
        -------
        dict of str to float
            By input, the largest first; inputs that are known are left out.

        Raises
        ------
        ParameterError
            If there are fewer than two draws a bin.

        Notes
        -----
        `scipy.stats.sobol_indices` needs the function itself and a design of its own; this one takes the
        draws that the percentiles rest on.
        """
        total = float(np.var(self.values))
        if total == 0:
            return {}
        if bins is None:
            bins = max(2, min(64, len(self.values) // 50))
        size = len(self.values) // bins
        if size < 2:
            raise ParameterError(f"bins is {shown(bins)}, but {len(self.values):,} draws fill fewer")
        found = {}
        for name, inputs in self.inputs.items():
            if inputs[0] == inputs[-1] and np.ptp(inputs) == 0:
                continue
            grouped = self.values[np.argsort(inputs, kind="stable")[: bins * size]].reshape(bins, size)
            between = float(np.var(grouped.mean(axis=1)))
            within = float(grouped.var(axis=1, ddof=1).mean()) / size
            found[name] = max(between - within * (bins - 1) / bins, 0.0) / total
        return dict(sorted(found.items(), key=lambda item: -item[1]))


def propagate(
    answer: Callable[..., Any], inputs: Mapping[str, Range], draws: int = 200_000, seed: int = 0
) -> Spread:
    """Return an answer with its uncertainty.

    Parameters
    ----------
    answer : callable
        Takes the inputs by name, as arrays, and returns an array of as many values.
    inputs : mapping of str to Range
        The inputs by name.
    draws : int
        How often they are drawn.
    seed : int
        The same seed gives the same draws.

    Returns
    -------
    Spread
        Of the answer, with the draws of its inputs.

    Raises
    ------
    ParameterError
        If `draws` or `seed` is out of range.

    See Also
    --------
    Spread.shares : What the spread is due to.

    Examples
    --------
    >>> energy = propagate(lambda power, pue: power * pue, {
    ...     "power": Range(600, 650, 700, "W"), "pue": Range(1.08, 1.1, 1.2, "ratio"),
    ... })
    >>> round(energy.median), next(iter(energy.shares()))
    (731, 'power')
    """
    drawn = sample(inputs, draws, seed)
    values = np.broadcast_to(np.asarray(answer(**drawn), dtype=float), (draws,))
    return Spread(values, drawn)


explain(__name__)
