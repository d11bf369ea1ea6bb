"""Least absolute deviations: the sum of |residuals| has no gradient at its minimum, and is minimised apart.

A minimum lies where some residuals are zero, usually as many as there are coefficients. Huber's misfit with a
falling delta leads there; then the zero residuals become equations with a multiplier each, and Newton's
method on the conditions of Karush, Kuhn and Tucker gives the minimum to the last digit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from cohort.fitting.newton import minimise
from cohort.fitting.objective import Objective, huber
from cohort.fitting.terms import Array

Indices = NDArray[np.intp]

DELTAS = (1e-3, 1e-4, 1e-5, 1e-6, 1e-7)
NEAREST = 7  # residuals among which the zero ones are sought where no delta tells them apart
NEWTON = 20
FAR = 1.0  # a step in theta that leaves the neighbourhood
ZERO = 1e-12  # a residual of log losses that is zero but for rounding


@dataclass(frozen=True, eq=False)
class Vertex:
    """A point of the sum of absolute deviations, with what certifies it as a minimum.

    Attributes
    ----------
    theta : ndarray, shape (f,)
        The point.
    value : float
        Weighted sum of the absolute residuals.
    gradient_norm : float
        Norm of the smallest subgradient, with multipliers cut to what their runs can bear: 0 at a minimum.
    smallest_eigenvalue : float
        Curvature along the directions in which no zero residual changes; infinite where there is none.
    """

    theta: Array
    value: float
    gradient_norm: float
    smallest_eigenvalue: float


def least_absolute(objective: Objective, starts: Array, weights: Array) -> list[Vertex]:
    """Return where descent from each start ends.

    Parameters
    ----------
    objective : Objective
        Over the n runs, whatever its misfit.
    starts : ndarray, shape (K, f)
        One start a problem.
    weights : ndarray, shape (K, n)
        Weights of the runs in each problem.

    Returns
    -------
    list of Vertex
        One a problem.
    """
    theta = starts
    found: list[Vertex | None] = [None] * len(starts)
    left = np.arange(len(starts))
    for delta in DELTAS:
        smooth = replace(objective.of(left), misfit=huber(delta))
        theta, _ = minimise(smooth, theta, weights[left])
        distance = np.where(weights[left] > 0, np.abs(smooth.residuals(theta)), 0.0)
        for k in np.flatnonzero(distance.max(axis=1) <= ZERO):
            found[left[k]] = _exact(_alone(smooth, int(k)), theta[k], weights[left[k]])
        small = (distance < delta) & (weights[left] > 0)
        for k in np.flatnonzero(small.sum(axis=1) <= starts.shape[1]):
            found[left[k]] = _vertex(
                _alone(smooth, int(k)), theta[k], weights[left[k]], np.flatnonzero(small[k]), delta
            )
        if delta == DELTAS[-1]:
            for k in np.flatnonzero([not _certain(found[place]) for place in left]):
                found[left[k]] = _nearest_vertex(_alone(smooth, int(k)), theta[k], weights[left[k]], delta)
        unsure = np.array([not _certain(found[place]) for place in left])
        theta, left = theta[unsure], left[unsure]
        if not len(left):
            break
    return [end for end in found if end is not None]


def _alone(objective: Objective, problem: int) -> Objective:
    return objective.of(slice(problem, problem + 1))


def _certain(end: Vertex | None) -> bool:
    return end is not None and end.gradient_norm <= 1e-9 and end.smallest_eigenvalue > 0


def _exact(smooth: Objective, theta: Array, weights: Array) -> Vertex:
    """Return a point at which the law meets every loss: curved like the squares of the residuals."""
    J = smooth.jacobian(theta[None])[0]
    value = float((weights * np.abs(smooth.residuals(theta[None])[0])).sum())
    curvature = np.linalg.eigvalsh(J * weights @ J.T)
    return Vertex(theta, value, 0.0, float(curvature[0]) if curvature[0] > 1e-12 * curvature[-1] else 0.0)


def _nearest_vertex(smooth: Objective, theta: Array, weights: Array, delta: float) -> Vertex:
    """Return the best of all points near `theta` at which some of the nearest residuals vanish."""
    distance = np.where(weights > 0, np.abs(smooth.residuals(theta[None])[0]), np.inf)
    nearest = np.sort(np.argsort(distance, kind="stable")[:NEAREST])
    ends = [
        _vertex(smooth, theta, weights, np.array(zero), delta)
        for count in (theta.size, theta.size - 1, theta.size - 2)
        for zero in combinations(nearest, count)
    ]
    return min(ends, key=lambda end: (not _certain(end), end.value))


def _vertex(smooth: Objective, theta: Array, weights: Array, zero: Indices, delta: float) -> Vertex:
    """Return the minimum near the one of a smoothed objective, at which the residuals at `zero` vanish.

    A run whose multiplier exceeds what it can bear is let go, one at a time.
    """
    multipliers = weights[zero] * smooth.residuals(theta[None])[0][zero] / delta
    end = _judge(smooth, theta, weights, zero, multipliers)
    while 0 < len(zero) <= theta.size:
        solved = _solved(smooth, theta, weights, zero, multipliers)
        if solved is None:
            break
        point, multipliers = solved
        end = _judge(smooth, point, weights, zero, multipliers)
        load = np.abs(multipliers) / weights[zero]
        if load.max() <= 1:
            break
        kept = np.arange(len(zero)) != load.argmax()
        zero, multipliers = zero[kept], multipliers[kept]
    return end


def _solved(
    smooth: Objective, theta: Array, weights: Array, zero: Indices, multipliers: Array
) -> tuple[Array, Array] | None:
    """Return the point and the multipliers that meet the conditions, or None where Newton's steps diverge."""
    point = theta
    for _ in range(NEWTON):
        step = _kkt_step(smooth, point, weights, zero, multipliers)
        if step is None or not np.isfinite(step).all() or np.abs(step[: theta.size]).max() > FAR:
            return None
        point, multipliers = point + step[: theta.size], step[theta.size :]
        if np.abs(step[: theta.size]).max() < 1e-10:  # the error left is its square
            break
    return point, multipliers


def _lagrangian(
    smooth: Objective, theta: Array, weights: Array, zero: Indices, multipliers: Array
) -> tuple[Array, Array, Array, Array]:
    """Return residuals (n,), the Jacobian of ln L at the zero ones, and the Lagrangian's derivatives.

    A run counts by the sign of its residual, and at a zero residual by its multiplier.
    """

    def force(residual: Array) -> Array:
        counted: Array = weights * np.sign(residual)
        counted[:, zero] = multipliers
        return counted

    residual, jacobian, gradient, hessian = smooth.under(theta[None], force)
    return residual[0], jacobian[0][:, zero], gradient[0], hessian[0]


def _kkt_step(
    smooth: Objective, theta: Array, weights: Array, zero: Indices, multipliers: Array
) -> Array | None:
    """Return the Newton step in theta, followed by the new multipliers."""
    residual, J, gradient, hessian = _lagrangian(smooth, theta, weights, zero, multipliers)
    count = len(zero)
    matrix = np.block([[hessian, -J], [J.T, np.zeros((count, count))]])
    # The gradient is linear in the multipliers: what they contribute now is taken out again.
    right = np.concatenate([-(gradient + J @ multipliers), residual[zero]])
    try:
        solved: Array = np.linalg.solve(matrix, right)
    except np.linalg.LinAlgError:
        return None
    return solved


def _judge(smooth: Objective, theta: Array, weights: Array, zero: Indices, multipliers: Array) -> Vertex:
    """Return a point with what certifies it, or shows that it is no minimum."""
    bounded = np.clip(multipliers, -weights[zero], weights[zero])
    residual, J, gradient, hessian = _lagrangian(smooth, theta, weights, zero, bounded)
    value = float((weights * np.abs(residual)).sum())
    excess = float(np.abs(residual[zero]).max(initial=0.0))
    norm = float(np.linalg.norm(gradient))
    if excess > ZERO:
        return Vertex(theta, value, max(norm, excess), -np.inf)
    free = (
        np.linalg.svd(J, full_matrices=True)[0][:, np.linalg.matrix_rank(J) :]
        if len(zero)
        else np.eye(theta.size)
    )
    curvature = np.linalg.eigvalsh(free.T @ hessian @ free).min() if free.shape[1] else np.inf
    return Vertex(theta, value, norm, float(curvature))
