"""Certified fits of a scaling law to training runs, and their bootstrap.

The estimator of the third approach of :cite:t:`hoffmann2022chinchilla`, and others by name, because the
choice moves the answer. A fit is returned only with the proof that it is a minimum.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from numbers import Real

from cohort.errors import CohortError, ParameterError, extras, positive, shown, unknown
from cohort.scaling.dense_laws import ScalingLaw

with extras():
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    from cohort.fitting.deviations import least_absolute
    from cohort.fitting.newton import minimise
    from cohort.fitting.objective import Array, Misfit, Objective, Runs, absolute, huber, squares

__all__ = ["LOSSES", "Bootstrap", "Fit", "FitError", "fit"]

# What the estimators minimise: name -> in words.
LOSSES = {
    "huber": "sum of Huber's misfits of log losses",
    "lad": "sum of absolute deviations of log losses",
    "log_mse": "mean squared error of log losses",
    "mse": "mean squared error of losses",
}
FEWEST = 6  # runs: one more than coefficients
EXPONENTS = (0.1, 0.2, 0.35, 0.5, 0.8, 1.2)  # of the starts, for parameters and for tokens
STATIONARY = 1e-9  # of the largest gradient that the runs could give
ROUNDING = 1e-14  # of a run: its gradient where the law meets the losses exactly; of a curvature: zero
AGREEING = 1e-9  # relative to the best objective
LEAST_E = 1e-4  # of the lowest loss
EXACT = 1e-11  # a residual below which a run counts as met exactly

Quantity = str | Callable[[ScalingLaw], float]


class FitError(CohortError):
    """A fit that is not a minimum: the runs do not determine the law."""


@dataclass(frozen=True, eq=False)
class Fit:
    """A law fitted to training runs, with the certificate that it is a minimum.

    Attributes
    ----------
    law : ScalingLaw
        The fitted law.
    loss : str
        The estimator, a key of `LOSSES`.
    delta : float
        Where Huber's misfit turns from squares to lines; used by ``huber`` alone.
    objective : float
        What was minimised: a sum for ``huber`` and ``lad``, a mean for the others.
    gradient_norm : float
        Euclidean norm of the objective's gradient in the coordinates of `cohort.fitting.objective`; for
        ``lad`` of its smallest subgradient.
    smallest_eigenvalue : float
        Of the Hessian in the same coordinates, above 0 at a strict minimum; for ``lad`` along the directions
        in which no zero residual changes, infinite where there is none.
    starts, starts_agreeing : int
        Starts of the search, and how many of them end within 1e-9 of the best objective.
    runs : Runs
        What was fitted.
    """

    law: ScalingLaw
    loss: str
    delta: float
    objective: float
    gradient_norm: float
    smallest_eigenvalue: float
    starts: int
    starts_agreeing: int
    runs: Runs

    @cached_property
    def residuals(self) -> Array:
        """Observed over predicted loss, in natural logarithms, shape (n,)."""
        return np.log(self.runs.losses) - np.log(predicted(self.law, self.runs))

    def score(self, law: ScalingLaw) -> float:
        """Return the objective of another law on the same runs."""
        weights = np.ones((1, len(self.runs.losses)))
        objective = Objective(self.runs, _misfit(self.loss, self.delta))
        return float(objective.values(self.runs.theta(law)[None], weights)[0]) * self._scale

    @property
    def _scale(self) -> float:
        return 1 / len(self.runs.losses) if self.loss in ("log_mse", "mse") else 1.0

    def bootstrap(self, resamples: int = 4000, seed: int = 0, rows: ArrayLike | None = None) -> Bootstrap:
        """Fit the law again to resampled runs, each to its minimum.

        Parameters
        ----------
        resamples : int
            How many times as many runs as there are are drawn with replacement; at least 2.
        seed : int
            Of the draws.
        rows : array_like of int, shape (resamples, n), optional
            The rows of each resample, where they come from elsewhere; then `resamples` and `seed` are not
            used.

        Returns
        -------
        Bootstrap
            The laws, in the order of the draws.

        Raises
        ------
        ParameterError
            If a number is out of range, or `rows` are not rows of the runs.
        FitError
            If some resample does not determine the law.
        """
        count = len(self.runs.losses)
        weights = _weights(_drawn(count, resamples, seed) if rows is None else _rows(rows, count), count)
        start = self.runs.theta(self.law)
        found = _minima(self.runs, self.loss, self.delta, np.tile(start, (len(weights), 1)), weights)
        lost = 0
        for place in np.flatnonzero(~found.certified):  # from every start, where that of all runs led nowhere
            theta = _best(self.runs, self.loss, self.delta, weights[place])
            if theta is None:
                lost += 1
            else:
                found.theta[place] = theta
        if lost:
            raise FitError(
                f"{lost} of {len(weights)} resamples do not determine the law; more runs, or runs that "
                "differ more in size and in tokens, would"
            )
        return Bootstrap([self.runs.law(theta) for theta in found.theta])


@dataclass(frozen=True, eq=False)
class Bootstrap:
    """Laws fitted to resampled runs.

    Attributes
    ----------
    laws : list of ScalingLaw
        One a resample.
    """

    laws: list[ScalingLaw]

    def values(self, quantity: Quantity) -> Array:
        """Return a quantity of each law, shape (resamples,).

        Parameters
        ----------
        quantity : str or callable
            The name of an attribute of `ScalingLaw`, such as ``"beta"`` or ``"parameters_exponent"``, or a
            function of a law.

        Raises
        ------
        UnknownNameError
            If a law has no such number.
        """
        if isinstance(quantity, str):
            names = ("E", "A", "B", "alpha", "beta", "parameters_exponent", "tokens_exponent", "G")
            if quantity not in names:
                raise unknown("quantity of a law", quantity, names)
            return np.array([getattr(law, quantity) for law in self.laws])
        return np.array([quantity(law) for law in self.laws], dtype=float)

    def interval(self, quantity: Quantity, level: float = 0.95) -> tuple[float, float]:
        """Return the percentile interval of a quantity.

        Parameters
        ----------
        quantity : str or callable
            As for `values`.
        level : float
            Share of the resamples inside, above 0 and below 1.

        Returns
        -------
        tuple of two floats
            Its ends.
        """
        if isinstance(level, bool) or not isinstance(level, Real) or not 0 < level < 1:
            raise ParameterError(f"level is {shown(level)}, but must be above 0 and below 1")
        low, high = np.quantile(self.values(quantity), [(1 - level) / 2, (1 + level) / 2])
        return float(low), float(high)

    def standard_error(self, quantity: Quantity) -> float:
        """Return the standard deviation of a quantity over the resamples."""
        return float(self.values(quantity).std(ddof=1))


def fit(
    parameters: ArrayLike, tokens: ArrayLike, losses: ArrayLike, loss: str = "huber", delta: float = 1e-3
) -> Fit:
    """Fit a scaling law L = E + A / N^alpha + B / D^beta to training runs.

    The search starts at 36 pairs of exponents, with E, A and B from a linear regression, and descends with
    exact Hessians. Its best end point is returned only if the gradient vanishes and the curvature is positive
    in every direction.

    Parameters
    ----------
    parameters, tokens, losses : array_like, shape (n,)
        Size, training tokens and final loss (nats per token) of at least six runs.
    loss : str
        The estimator: ``huber`` and ``lad`` (least absolute deviations) on log losses, ``log_mse`` and
        ``mse`` for squares of log losses and of losses.
    delta : float
        Of Huber's misfit, in log loss.

    Returns
    -------
    Fit
        The law with its certificate.

    Raises
    ------
    ParameterError
        If there are fewer than six runs, the lengths differ, a value is not finite or not above 0, a column
        has only one value, or `delta` is not above 0.
    UnknownNameError
        If there is no such estimator; the message names the nearest.
    FitError
        If the runs do not determine the law, so that no minimum is found.

    Examples
    --------
    >>> import cohort
    >>> runs = cohort.table("chinchilla_runs").query("not dropped")
    >>> tokens = runs["training_flop"] / (6 * runs["parameters"])
    >>> fit = cohort.fitting.fit(runs["parameters"], tokens, runs["loss"])
    >>> round(fit.law.beta, 4)
    0.3672
    """
    _misfit(loss, delta)
    runs = _checked(parameters, tokens, losses)
    weights = np.ones(len(runs.losses))
    starts = np.array(list(_starts(runs)))
    found = _minima(runs, loss, delta, starts, np.tile(weights, (len(starts), 1)))
    if not found.certified.any():
        raise FitError(
            f"no minimum was found from {len(starts)} starts: the {len(weights)} runs do not determine the "
            "law; runs that differ more in size and in tokens would"
        )
    best = found.best
    value = found.value[best]
    floor = len(weights) * (EXACT if loss == "lad" else EXACT**2)
    scale = 1 / len(weights) if loss in ("log_mse", "mse") else 1.0
    return Fit(
        law=runs.law(found.theta[best]),
        loss=loss,
        delta=float(delta),
        objective=float(value * scale),
        gradient_norm=float(found.gradient_norm[best] * scale),
        smallest_eigenvalue=float(found.smallest_eigenvalue[best] * scale),
        starts=len(starts),
        starts_agreeing=int((found.value <= value * (1 + AGREEING) + floor).sum()),
        runs=runs,
    )


def predicted(law: ScalingLaw, runs: Runs) -> Array:
    """Return the losses that a law predicts of runs, shape (n,)."""
    losses: Array = law.E + law.A * runs.parameters**-law.alpha + law.B * runs.tokens**-law.beta
    return losses


# --- the search


@dataclass(frozen=True, eq=False)
class _Minima:
    """End points (K, 5) of K descents, with what certifies each as a minimum."""

    theta: Array
    value: Array
    gradient_norm: Array
    smallest_eigenvalue: Array
    certified: NDArray[np.bool_]

    @property
    def best(self) -> int:
        """The certified end point of the lowest value."""
        return int(np.where(self.certified, self.value, np.inf).argmin())


def _minima(runs: Runs, loss: str, delta: float, starts: Array, weights: Array) -> _Minima:
    if loss == "lad":
        ends = least_absolute(runs, starts, weights)
        theta = np.array([end.theta for end in ends])
        value, norm, eigenvalue = (
            np.array([getattr(end, name) for end in ends])
            for name in ("value", "gradient_norm", "smallest_eigenvalue")
        )
        force, curved = weights.sum(axis=1), eigenvalue > 0
    else:
        objective = Objective(runs, _misfit(loss, delta))
        theta, at = minimise(objective, starts, weights)
        value, norm = at.value, np.linalg.norm(at.gradient, axis=1)
        finite = np.isfinite(at.hessian).all(axis=(1, 2))
        eigenvalue, largest = np.full((2, len(theta)), -np.inf)
        eigenvalue[finite], largest[finite] = np.linalg.eigvalsh(at.hessian[finite])[:, [0, -1]].T
        curved = eigenvalue > ROUNDING * largest
        slopes = np.abs(objective.misfit.slope(objective.residuals(theta)))
        force = (weights * slopes).sum(axis=1)
    still = norm <= STATIONARY * force + ROUNDING * weights.sum(axis=1)
    # Towards E = 0 the objective is flat in ln E, and a point there is no minimum in E.
    positive_e = theta[:, 2] > np.log(LEAST_E * runs.losses.min())
    certified = np.isfinite(value) & still & curved & (theta[:, 3:] > 0).all(axis=1) & positive_e
    return _Minima(theta, value, norm, eigenvalue, certified)


def _best(runs: Runs, loss: str, delta: float, weights: Array) -> Array | None:
    """Return the best certified end point from all starts, shape (5,), or None where there is none."""
    starts = np.array(list(_starts(runs)))
    found = _minima(runs, loss, delta, starts, np.tile(weights, (len(starts), 1)))
    if not found.certified.any():
        return None
    theta: Array = found.theta[found.best]
    return theta


def _starts(runs: Runs) -> Iterator[Array]:
    """Yield starts: pairs of exponents, with the three other coefficients from a regression on them."""
    for alpha, beta in product(EXPONENTS, EXPONENTS):
        columns = np.stack([np.ones_like(runs.x), np.exp(-alpha * runs.x), np.exp(-beta * runs.y)], axis=1)
        relative = columns / runs.losses[:, None]
        coefficients = np.linalg.lstsq(relative, np.ones(len(runs.losses)), rcond=None)[0]
        e, a, b = np.log(np.maximum(coefficients, 0.01 * runs.losses.min()))
        yield np.array([a, b, e, alpha, beta])


# --- what was given


def _misfit(loss: str, delta: float) -> Misfit:
    if not isinstance(loss, str) or loss not in LOSSES:
        raise unknown("estimator", loss, LOSSES)
    width = positive("delta", delta)
    if loss == "huber":
        return huber(width)
    if loss == "lad":
        return absolute()
    return squares(logarithmic=loss != "mse")


def _checked(parameters: ArrayLike, tokens: ArrayLike, losses: ArrayLike) -> Runs:
    columns = {
        name: _column(name, values)
        for name, values in (("parameters", parameters), ("tokens", tokens), ("losses", losses))
    }
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        given = ", ".join(f"{count} {name}" for name, count in lengths.items())
        raise ParameterError(f"the columns differ in length: {given}")
    if (count := lengths["losses"]) < FEWEST:
        raise ParameterError(f"{count} runs are too few for five coefficients; give at least {FEWEST}")
    for name, column in columns.items():
        if np.ptp(np.log(column)) < 1e-9:
            raise ParameterError(f"all {name} are the same, {column[0]:.6g}; the runs must differ in them")
    return Runs(**columns)


def _column(name: str, values: ArrayLike) -> Array:
    try:
        column = np.asarray(values, dtype=float) if not np.iscomplexobj(values) else None
    except (TypeError, ValueError, OverflowError):
        column = None
    if column is None:
        raise ParameterError(f"{name} must be numbers, not {shown(values)}")
    if column.ndim != 1:
        raise ParameterError(f"{name} must be one column of numbers, not {column.ndim} dimensions")
    wrong = np.flatnonzero(~(np.isfinite(column) & (column > 0)))
    if len(wrong):
        place = int(wrong[0])
        raise ParameterError(
            f"{name} must be finite and above 0; row {place} (counted from 0) is {column[place]}"
        )
    return column


def _drawn(count: int, resamples: int, seed: int) -> NDArray[np.int64]:
    for name, value, least in (("resamples", resamples, 2), ("seed", seed, 0)):
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
            raise ParameterError(f"{name} is {shown(value)}, but must be an integer of at least {least}")
    return np.random.default_rng(seed).integers(count, size=(resamples, count))


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


def _weights(rows: NDArray[np.int64], count: int) -> Array:
    """Return how often each run is in each resample, shape (resamples, count)."""
    weights = np.zeros((len(rows), count))
    np.add.at(weights, (np.arange(len(rows))[:, None], rows), 1)
    return weights
