"""What a fit minimises: the misfit of a law on training runs, with its exact gradient and Hessian.

A law is fitted in the coordinates theta = (ln A', ln B', ln E, alpha, beta), where A' and B' are A and B with
parameters and tokens measured in their geometric means: the condition of the Hessian falls by a factor of
hundreds, and nothing else changes. All functions work on a batch of K problems over the same n runs, which
differ in their weights.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cohort.scaling.dense_laws import ScalingLaw

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Runs:
    """Training runs in centred logarithms.

    Attributes
    ----------
    parameters, tokens, losses : ndarray, shape (n,)
        Size, training tokens and final loss (nats per token) of each run.
    """

    parameters: Array
    tokens: Array
    losses: Array

    @cached_property
    def centre(self) -> tuple[float, float]:
        """Means of ln N and ln D."""
        return float(np.log(self.parameters).mean()), float(np.log(self.tokens).mean())

    @cached_property
    def x(self) -> Array:
        """Centred ln N."""
        centred: Array = np.log(self.parameters) - self.centre[0]
        return centred

    @cached_property
    def y(self) -> Array:
        """Centred ln D."""
        centred: Array = np.log(self.tokens) - self.centre[1]
        return centred

    def law(self, theta: Array) -> ScalingLaw:
        """Return the law at a point (shape (5,)) of the fitted coordinates.

        Parameters
        ----------
        theta : ndarray, shape (5,)
            The point.

        Returns
        -------
        ScalingLaw
            The law.
        """
        a, b, e, alpha, beta = map(float, theta)
        x, y = self.centre
        return ScalingLaw(
            E=float(np.exp(e)),
            A=float(np.exp(a + alpha * x)),
            B=float(np.exp(b + beta * y)),
            alpha=alpha,
            beta=beta,
        )

    def theta(self, law: ScalingLaw) -> Array:
        """Return the coordinates of a law, shape (5,).

        Parameters
        ----------
        law : ScalingLaw
            The law.

        Returns
        -------
        ndarray, shape (5,)
            The point.
        """
        x, y = self.centre
        a, b = np.log(law.A) - law.alpha * x, np.log(law.B) - law.beta * y
        return np.array([a, b, np.log(law.E), law.alpha, law.beta])


@dataclass(frozen=True)
class Misfit:
    """How one residual counts: rho(r) with its first two derivatives, of raw or of logarithmic losses."""

    rho: Callable[[Array], Array]
    slope: Callable[[Array], Array]
    curvature: Callable[[Array], Array]
    logarithmic: bool


def huber(delta: float) -> Misfit:
    """Return Huber's misfit of log losses: squares up to `delta`, lines beyond :cite:p:`huber1964robust`.

    Parameters
    ----------
    delta : float
        In log loss.

    Returns
    -------
    Misfit
        With its two derivatives.
    """

    def rho(r: Array) -> Array:
        inside = np.minimum(np.abs(r), delta)
        value: Array = inside * (np.abs(r) - 0.5 * inside)
        return value

    return Misfit(
        rho=rho,
        slope=lambda r: np.clip(r, -delta, delta),
        curvature=lambda r: (np.abs(r) <= delta).astype(float),
        logarithmic=True,
    )


def absolute() -> Misfit:
    """Return the absolute residual of log losses, which bends at zero alone."""
    return Misfit(rho=np.abs, slope=np.sign, curvature=np.zeros_like, logarithmic=True)


def squares(logarithmic: bool) -> Misfit:
    """Return the squared residual, of log losses or of losses.

    Parameters
    ----------
    logarithmic : bool
        Whether of log losses.

    Returns
    -------
    Misfit
        With its two derivatives.
    """
    return Misfit(
        rho=np.square,
        slope=lambda r: 2 * r,
        curvature=lambda r: np.full_like(r, 2.0),
        logarithmic=logarithmic,
    )


@dataclass(frozen=True, eq=False)
class Derivatives:
    """Value (K,), gradient (K, 5) and Hessian (K, 5, 5) of an objective in K problems."""

    value: Array
    gradient: Array
    hessian: Array

    def __getitem__(self, which: Any) -> Derivatives:
        return Derivatives(self.value[which], self.gradient[which], self.hessian[which])

    def put(self, where: Any, other: Derivatives) -> None:
        """Replace the problems at `where` by those of another.

        Parameters
        ----------
        where : index
            Of the problems.
        other : Derivatives
            As many as are replaced.
        """
        self.value[where], self.gradient[where] = other.value, other.gradient
        self.hessian[where] = other.hessian


@dataclass(frozen=True, eq=False)
class Objective:
    """The weighted sum of the misfits of all runs.

    Attributes
    ----------
    runs : Runs
        The n training runs.
    misfit : Misfit
        How each residual counts.
    """

    runs: Runs
    misfit: Misfit

    @cached_property
    def _target(self) -> Array:
        return np.log(self.runs.losses) if self.misfit.logarithmic else self.runs.losses

    @cached_property
    def _powers(self) -> tuple[Array, Array]:
        """Columns 1, x, x^2 and 1, y, y^2, for the sums over runs."""
        return tuple(np.stack([np.ones_like(z), z, z * z], axis=1) for z in (self.runs.x, self.runs.y))  # type: ignore[return-value]

    def _terms(self, theta: Array) -> tuple[Array, Array, Array]:
        """Return ln L (K, n) of the law, and the shares (K, n) of its two power laws in L."""
        a, b, e, alpha, beta = (theta[:, [k]] for k in range(5))
        first = np.exp(a - e - alpha * self.runs.x)
        second = np.exp(b - e - beta * self.runs.y)
        total = 1 + first + second
        return e + np.log(total), first / total, second / total

    def shares(self, theta: Array) -> tuple[Array, Array]:
        """Return the shares (K, n) of the two power laws in L.

        Parameters
        ----------
        theta : ndarray, shape (K, 5)
            One point a problem.

        Returns
        -------
        pair of ndarray, shape (K, n)
            From 0 to 1.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            return self._terms(theta)[1:]

    def residuals(self, theta: Array) -> Array:
        """Return observed less predicted (K, n), in logarithms where the misfit is.

        Parameters
        ----------
        theta : ndarray, shape (K, 5)
            One point a problem.

        Returns
        -------
        ndarray, shape (K, n)
            In nats per token, or in logarithms of it.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            predicted = self._terms(theta)[0]
            return self._target - (predicted if self.misfit.logarithmic else np.exp(predicted))

    def values(self, theta: Array, weights: Array) -> Array:
        """Return the objective (K,) at theta (K, 5) under weights (K, n).

        Parameters
        ----------
        theta : ndarray, shape (K, 5)
            One point a problem.
        weights : ndarray, shape (K, n)
            Weights of the runs in each problem.

        Returns
        -------
        ndarray, shape (K,)
            One sum a problem.
        """
        value: Array = (weights * self.misfit.rho(self.residuals(theta))).sum(axis=1)
        return value

    def derivatives(self, theta: Array, weights: Array) -> Derivatives:
        """Return value, gradient and Hessian at theta (K, 5) under weights (K, n).

        With J the gradient of m = ln L, the Hessian of m is the sum of p_k g_k g_k' over the three terms of L
        less J J', where p_k is the share of a term and g_k the gradient of its logarithm.

        Parameters
        ----------
        theta : ndarray, shape (K, 5)
            One point a problem.
        weights : ndarray, shape (K, n)
            Weights of the runs in each problem.

        Returns
        -------
        Derivatives
            In each problem.
        """
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            log_loss, p, q = self._terms(theta)
            predicted = log_loss if self.misfit.logarithmic else np.exp(log_loss)
            residual = self._target - predicted
            slope = weights * self.misfit.slope(residual)
            outer = weights * self.misfit.curvature(residual)
            if not self.misfit.logarithmic:
                # dL/dm = L, which enters the outer product squared; its own derivative cancels against J J'.
                outer *= predicted * predicted
                slope *= predicted
            else:
                outer += slope
            J = self.jacobian(p, q)
            gradient = -np.matmul(J, slope[:, :, None])[:, :, 0]
            hessian = np.matmul(J * outer[:, None, :], J.transpose(0, 2, 1))
            self._subtract_terms(hessian, slope, p, q)
            value = (weights * self.misfit.rho(residual)).sum(axis=1)
        return Derivatives(value, gradient, hessian)

    def jacobian(self, p: Array, q: Array) -> Array:
        """Return the gradient of ln L by theta (K, 5, n), from the shares of the two power laws.

        Parameters
        ----------
        p, q : ndarray, shape (K, n)
            The shares.

        Returns
        -------
        ndarray, shape (K, 5, n)
            Dimensionless.
        """
        J = np.empty((len(p), 5, p.shape[1]))
        J[:, 0], J[:, 1], J[:, 2] = p, q, 1 - p - q
        np.multiply(p, -self.runs.x, out=J[:, 3])
        np.multiply(q, -self.runs.y, out=J[:, 4])
        return J

    def _subtract_terms(self, hessian: Array, slope: Array, p: Array, q: Array) -> None:
        """Subtract the sum of slope p_k g_k g_k' over runs and terms."""
        x, y = self._powers
        for moments, constant, exponent in (((slope * p) @ x, 0, 3), ((slope * q) @ y, 1, 4)):
            hessian[:, constant, constant] -= moments[:, 0]
            hessian[:, constant, exponent] += moments[:, 1]
            hessian[:, exponent, constant] += moments[:, 1]
            hessian[:, exponent, exponent] -= moments[:, 2]
        hessian[:, 2, 2] -= (slope * (1 - p - q)).sum(axis=1)
