"""The search for minima from many starts, and what certifies an end point as one."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from cohort.errors import one_of, positive
from cohort.fitting.deviations import least_absolute
from cohort.fitting.newton import minimise
from cohort.fitting.objective import Array, Misfit, Objective, Runs, absolute, huber, squares

# What the estimators minimise: name -> in words.
LOSSES = {
    "huber": "sum of Huber's misfits of log losses",
    "lad": "sum of absolute deviations of log losses",
    "log_mse": "mean squared error of log losses",
    "mse": "mean squared error of losses",
}
EXPONENTS = (0.1, 0.2, 0.35, 0.5, 0.8, 1.2)  # of the starts, for parameters and for tokens
STATIONARY = 1e-9  # of the largest gradient that the runs could give
ROUNDING = 1e-14  # of a run: its gradient where the law meets the losses exactly; of a curvature: zero
LEAST_E = 1e-4  # of the lowest loss


def misfit(loss: str, delta: float) -> Misfit:
    """Return how an estimator counts a residual.

    Parameters
    ----------
    loss, delta
        The estimator, as `cohort.fitting.fit` takes it.

    Returns
    -------
    Misfit
        With its two derivatives.

    Raises
    ------
    UnknownNameError
        If there is no such estimator; the message names the nearest.
    ParameterError
        If `delta` is not a finite number above 0.
    """
    one_of("estimator", loss, LOSSES)
    width = positive("delta", delta)
    if loss == "huber":
        return huber(width)
    return absolute() if loss == "lad" else squares(logarithmic=loss != "mse")


@dataclass(frozen=True, eq=False)
class Minima:
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


def minima(runs: Runs, loss: str, delta: float, starts: Array, weights: Array) -> Minima:
    """Return where descent from each start ends.

    Parameters
    ----------
    runs : Runs
        The n training runs.
    loss, delta
        The estimator, as `cohort.fitting.fit` takes it.
    starts : ndarray, shape (K, 5)
        One start a problem.
    weights : ndarray, shape (K, n)
        Weights of the runs in each problem.

    Returns
    -------
    Minima
        One end point a problem.
    """
    if loss == "lad":
        ends = least_absolute(runs, starts, weights)
        theta = np.array([end.theta for end in ends])
        value, norm, eigenvalue = (
            np.array([getattr(end, name) for end in ends])
            for name in ("value", "gradient_norm", "smallest_eigenvalue")
        )
        force, curved = weights.sum(axis=1), eigenvalue > 0
    else:
        objective = Objective(runs, misfit(loss, delta))
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
    return Minima(theta, value, norm, eigenvalue, certified)


def best_minimum(runs: Runs, loss: str, delta: float, weights: Array) -> Array | None:
    """Return the best certified end point from all starts.

    Parameters
    ----------
    runs, loss, delta
        As in `minima`.
    weights : ndarray, shape (n,)
        Weights of the runs.

    Returns
    -------
    ndarray, shape (5,), or None
        None where no end point is certified.
    """
    starts = starts_of(runs)
    found = minima(runs, loss, delta, starts, np.tile(weights, (len(starts), 1)))
    if not found.certified.any():
        return None
    theta: Array = found.theta[found.best]
    return theta


def starts_of(runs: Runs) -> Array:
    """Return starts: pairs of exponents, with the three other coefficients from a regression on them.

    Parameters
    ----------
    runs : Runs
        The n training runs.

    Returns
    -------
    ndarray, shape (36, 5)
        Points in the fitted coordinates.
    """
    starts = []
    for alpha, beta in product(EXPONENTS, EXPONENTS):
        columns = np.stack([np.ones_like(runs.x), np.exp(-alpha * runs.x), np.exp(-beta * runs.y)], axis=1)
        relative = columns / runs.losses[:, None]
        coefficients = np.linalg.lstsq(relative, np.ones(len(runs.losses)), rcond=None)[0]
        e, a, b = np.log(np.maximum(coefficients, 0.01 * runs.losses.min()))
        starts.append([a, b, e, alpha, beta])
    return np.array(starts)
