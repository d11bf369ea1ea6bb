"""Laws fitted to resampled runs, and the intervals that they give."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cohort.errors import ParameterError, bounded, integer, one_of, shown
from cohort.errors.arguments import explain
from cohort.fitting.terms import Array

Quantity = str | Callable[[Any], float]
MOST_DRAWN = 10**7  # runs of all resamples together, which are held at once
PROPERTIES = ("parameters_exponent", "tokens_exponent", "G")
# What follows from a law at a question: name -> (what the question needs, the answer).
DERIVED: dict[str, tuple[tuple[str, ...], Callable[..., float]]] = {
    "tokens_per_parameter": (("flop",), lambda law, flop: law.compute_optimal(flop).tokens_per_parameter),
    "parameters": (("flop",), lambda law, flop: law.compute_optimal(flop).parameters),
    "tokens": (("flop",), lambda law, flop: law.compute_optimal(flop).tokens),
    "loss": (("parameters", "tokens"), lambda law, parameters, tokens: law.loss(parameters, tokens)),
    "break_even_tokens": (
        ("parameters", "tokens"),
        lambda law, parameters, tokens: law.break_even_tokens(parameters, tokens),
    ),
    "overhead": (
        ("parameters", "tokens"),
        lambda law, parameters, tokens: (
            6 * parameters * tokens / law.inference_optimal(loss=law.loss(parameters, tokens)).flop - 1
        ),
    ),
}


@dataclass(frozen=True, eq=False)
class Bootstrap:
    """Laws fitted to resampled runs.

    Attributes
    ----------
    laws : list of Law
        One a resample that determines a law.
    lost : int
        Resamples that determine none.
    """

    laws: list[Any]
    lost: int = 0

    def values(self, quantity: Quantity, **question: float) -> Array:
        """Return a quantity of each law, shape (resamples,).

        Parameters
        ----------
        quantity : str or callable
            The name of a number of the laws, such as ``"beta"`` or ``"parameters_exponent"``; of what follows
            from them, a key of `DERIVED` such as ``"tokens_per_parameter"``; or a function of a law.
        **question : float
            What it is asked at, such as ``flop=5.76e23``.

        Returns
        -------
        ndarray, shape (resamples,)
            In the order of the laws.

        Raises
        ------
        UnknownNameError
            If a law has no such number.
        ParameterError
            If the question lacks what the quantity needs.
        """
        if isinstance(quantity, str):
            own = [*self.laws[0].coefficients(), *(n for n in PROPERTIES if hasattr(self.laws[0], n))]
            one_of("quantity of a law", quantity, [*own, *DERIVED])
            if quantity in own:
                return np.array([getattr(law, quantity) for law in self.laws])
            needed, answer = DERIVED[quantity]
            if set(needed) != set(question):
                given = " and ".join(f"{name}=..." for name in needed)
                raise ParameterError(f"{quantity} is asked for at {given}")
            return np.array([answer(law, **question) for law in self.laws], dtype=float)
        return np.array([quantity(law) for law in self.laws], dtype=float)

    def interval(self, quantity: Quantity, level: float = 0.95, **question: float) -> tuple[float, float]:
        """Return the percentile interval of a quantity.

        Parameters
        ----------
        quantity : str or callable
            As for `values`.
        level : float
            Share of the resamples inside, above 0 and below 1.
        **question : float
            As for `values`.

        Returns
        -------
        tuple of two floats
            Its ends.

        Raises
        ------
        ParameterError
            If the level is out of its range.
        UnknownNameError
            If a law has no such number.
        """
        share = bounded("level", level, 0, 1, above=True, below=True)
        low, high = np.quantile(self.values(quantity, **question), [(1 - share) / 2, (1 + share) / 2])
        return float(low), float(high)

    def standard_error(self, quantity: Quantity) -> float:
        """Return the standard deviation of a quantity over the resamples.

        Parameters
        ----------
        quantity : str or callable
            As for `values`.

        Returns
        -------
        float
            In the unit of the quantity.

        Raises
        ------
        UnknownNameError
            If a law has no such number.
        """
        return float(self.values(quantity).std(ddof=1))


def resample_weights(count: int, resamples: int, seed: int, rows: ArrayLike | None = None) -> Array:
    """Return how often each run is in each resample.

    Parameters
    ----------
    count : int
        Runs.
    resamples, seed, rows
        As `cohort.fitting.Fit.bootstrap` takes them.

    Returns
    -------
    ndarray, shape (resamples, count)
        Weights of the runs.

    Raises
    ------
    ParameterError
        If a number is out of range, or `rows` are not rows of the runs.
    """
    drawn = _drawn(count, resamples, seed) if rows is None else _rows(rows, count)
    places = np.arange(len(drawn))[:, None] * count + drawn
    weights: Array = np.bincount(places.ravel(), minlength=len(drawn) * count).astype(float)
    return weights.reshape(len(drawn), count)


def _drawn(count: int, resamples: int, seed: int) -> NDArray[np.int64]:
    drawings = integer("resamples", resamples, 2)
    if drawings * count > MOST_DRAWN:
        raise ParameterError(f"resamples is {shown(resamples)}, but must be at most {MOST_DRAWN // count:,}")
    return np.random.default_rng(integer("seed", seed, 0)).integers(count, size=(drawings, count))


def _rows(rows: ArrayLike, count: int) -> NDArray[np.int64]:
    try:
        given = np.asarray(rows)
    except ValueError:  # ragged
        given = np.empty(0)
    whole = given.ndim == 2 and np.issubdtype(given.dtype, np.integer)
    if not whole or len(given) < 2 or given.shape[1] != count:
        raise ParameterError(
            f"rows must be a table of row numbers: two resamples or more, of {count} runs each"
        )
    low, high = int(given.min()), int(given.max())
    if low < 0 or high >= count:
        raise ParameterError(f"rows must be from 0 to {count - 1}, and run from {low} to {high}")
    return given


explain(__name__)
