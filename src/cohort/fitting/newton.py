"""Minimise many small objectives at once: damped Newton steps on exact Hessians, in batches."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cohort.fitting.objective import Derivatives, Objective
from cohort.fitting.terms import Array

BATCH = 128  # problems whose arrays stay in a processor's cache together
ROUND = 30  # steps after which the problems that still move are batched anew
STEPS = 3000  # a valley can be long; what has converged is no longer moved
GRADIENT = 1e-13  # of the sum of all slopes: where rounding begins
STUCK = 1e10


def minimise(
    objective: Objective, starts: Array, weights: Array, steps: int = STEPS
) -> tuple[Array, Derivatives]:
    """Return where descent from each start ends, with value, gradient and Hessian there.

    Parameters
    ----------
    objective : Objective
        Over n runs.
    starts : ndarray, shape (K, f)
        One start a problem.
    weights : ndarray, shape (K, n)
        Weights of the runs in each problem.
    steps : int
        At most.

    Returns
    -------
    theta : ndarray, shape (K, f)
        The end points. Whether one is a minimum is for the caller to judge by its derivatives.
    Derivatives
        At these points.
    """
    theta = starts.astype(float).copy()
    size = theta.shape[1]
    found = Derivatives(np.empty(len(theta)), np.empty_like(theta), np.empty((len(theta), size, size)))
    rows = np.arange(len(theta))
    first = min(steps, ROUND) if len(rows) > BATCH else steps
    for most in (first, steps - first):  # what is slow goes on together, not a few in each batch
        for begin in range(0, len(rows) if most else 0, BATCH):
            batch = rows[begin : begin + BATCH]
            theta[batch], ends = _descend(objective.of(batch), theta[batch], weights[batch], most)
            found.put(batch, ends)
        rows = rows[_moving(found[rows])]
    return theta, found


def _moving(at: Derivatives) -> NDArray[np.bool_]:
    """Return whether the gradient of each problem (K,) is above rounding."""
    norm = np.linalg.norm(at.gradient, axis=1)
    return np.asarray(np.isfinite(at.value) & (norm > GRADIENT * np.abs(at.hessian).max(axis=(1, 2))))


def _descend(objective: Objective, theta: Array, weights: Array, steps: int) -> tuple[Array, Derivatives]:
    """Return the end points of one batch.

    A step is kept where it lowers the objective, or leaves it as it is and lowers the gradient. After a step
    that is kept the damping falls, after another it grows, until the gradient is down to rounding.
    """
    theta = theta.copy()
    now = objective.derivatives(theta, weights)
    damping = np.full(len(theta), 1e-6)
    live = np.flatnonzero(np.isfinite(now.value))
    for _ in range(steps):
        at = now[live]
        norm = np.linalg.norm(at.gradient, axis=1)
        scale = np.abs(at.hessian).max(axis=(1, 2))
        moving = (norm > GRADIENT * scale) & (damping[live] < STUCK)
        if not moving.all():
            live, norm, at = live[moving], norm[moving], at[moving]
        if not len(live):
            break
        tried = theta[live] + _step(at, damping[live])
        most = at.value * (1 + 1e-14)  # above it a step is not kept, and needs no derivatives
        then = objective.of(live).derivatives(tried, weights[live], most)
        flat = then.value <= most
        with np.errstate(over="ignore", invalid="ignore"):
            smaller = np.linalg.norm(then.gradient, axis=1) < norm
        better = (then.value < at.value) | (flat & smaller)
        kept = live[better]
        if len(kept):
            theta[kept] = tried[better]
            now.put(kept, then[better])
            damping[kept] = np.maximum(damping[kept] / 10, 1e-15)
        if len(kept) < len(live):
            worse = live[~better]
            damping[worse] = np.maximum(damping[worse], 1e-9) * 30
    return theta, now


def _step(at: Derivatives, damping: Array) -> Array:
    """Return a Newton step (K, f) on the Hessian with its eigenvalues made positive and damped."""
    values, vectors = np.linalg.eigh(at.hessian)
    positive = np.abs(values)
    positive += (damping[:, None] + 1e-15) * positive.max(axis=1, keepdims=True)
    along = np.matmul(vectors.transpose(0, 2, 1), at.gradient[:, :, None])
    with np.errstate(divide="ignore", invalid="ignore"):  # a step that is no number is not kept
        step: Array = -np.matmul(vectors, along / positive[:, :, None])[:, :, 0]
    return step
