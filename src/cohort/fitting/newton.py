"""Minimise many small objectives at once: damped Newton steps on exact Hessians, in batches."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

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
    return np.asarray(np.isfinite(at.value) & (_norm(at.gradient) > _rounding(at.hessian)))


def _norm(gradient: Array) -> Array:
    with np.errstate(over="ignore", invalid="ignore"):
        norm: Array = np.sqrt(np.add.reduce(gradient * gradient, axis=1))
    return norm


def _rounding(hessian: Array) -> Array:
    """Return below which norm (K,) a gradient is rounding."""
    least: Array = GRADIENT * np.abs(hessian).max(axis=(1, 2))
    return least


def _descend(objective: Objective, theta: Array, weights: Array, steps: int) -> tuple[Array, Derivatives]:
    """Return the end points of one batch.

    A step is kept where it lowers the objective, or leaves it as it is and lowers the gradient. After a step
    that is kept the damping falls, after another it grows, until the gradient is down to rounding.
    """
    theta = theta.copy()
    now = objective.derivatives(theta, weights)
    rows = np.flatnonzero(np.isfinite(now.value))
    live = _Live.at(theta[rows], now[rows])
    weights, objective = weights[rows], objective.of(rows)
    for _ in range(steps):
        moving = (live.norm > live.rounding) & (live.damping < STUCK)
        if not moving.all():
            theta[rows[~moving]] = live.theta[~moving]
            now.put(rows[~moving], live.now[~moving])
            rows, live, weights, objective = rows[moving], live[moving], weights[moving], objective.of(moving)
        if not len(rows):
            break
        tried = live.theta + live.step()
        most = live.now.value * (1 + 1e-14)  # above it a step is not kept, and needs no derivatives
        live.judge(tried, objective.derivatives(tried, weights, most), most)
    theta[rows] = live.theta
    now.put(rows, live.now)
    return theta, now


@dataclass(eq=False)
class _Live:
    """The problems of a batch that still move: where each is, and what its next step is made of.

    Only a step that is kept changes the eigenvalues of a Hessian, their vectors and the gradient along these:
    `old` tells where they are out of date.
    """

    theta: Array
    now: Derivatives
    norm: Array
    rounding: Array
    damping: Array
    old: NDArray[np.bool_]
    eigenvalues: Array
    vectors: Array
    along: Array

    @classmethod
    def at(cls, theta: Array, now: Derivatives) -> _Live:
        damping, old = np.full(len(theta), 1e-6), np.ones(len(theta), dtype=bool)
        empty = (np.empty_like(theta), np.empty_like(now.hessian), np.empty((*theta.shape, 1)))
        return cls(theta, now, _norm(now.gradient), _rounding(now.hessian), damping, old, *empty)

    def __getitem__(self, which: Any) -> _Live:
        return _Live(*(getattr(self, each.name)[which] for each in fields(self)))

    def step(self) -> Array:
        """Return a Newton step (K, f) on the Hessian with its eigenvalues made positive and damped."""
        which: Any = slice(None) if self.old.all() else np.flatnonzero(self.old)
        values, vectors = np.linalg.eigh(self.now.hessian[which])
        self.eigenvalues[which], self.vectors[which] = np.abs(values), vectors
        self.along[which] = np.matmul(vectors.transpose(0, 2, 1), self.now.gradient[which][:, :, None])
        damped = (self.damping[:, None] + 1e-15) * self.eigenvalues.max(axis=1, keepdims=True)
        with np.errstate(divide="ignore", invalid="ignore"):  # a step that is no number is not kept
            forces = self.along / (self.eigenvalues + damped)[:, :, None]
            step: Array = -np.matmul(self.vectors, forces)[:, :, 0]
        return step

    def judge(self, tried: Array, then: Derivatives, most: Array) -> None:
        """Keep the steps (K, f) that are better."""
        norm = _norm(then.gradient)
        better = (then.value < self.now.value) | ((then.value <= most) & (norm < self.norm))
        smaller, larger = np.maximum(self.damping / 10, 1e-15), np.maximum(self.damping, 1e-9) * 30
        self.damping, self.old = np.where(better, smaller, larger), better
        if better.all():
            self.theta, self.now, self.norm, self.rounding = tried, then, norm, _rounding(then.hessian)
        elif better.any():
            self.theta[better], self.norm[better] = tried[better], norm[better]
            self.now.put(better, kept := then[better])
            self.rounding[better] = _rounding(kept.hessian)
