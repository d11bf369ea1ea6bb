"""What a fit minimises: the misfit of a law on training runs, with its exact gradient and Hessian.

A law is fitted in coordinates such as theta = (ln A', ln B', ln E, alpha, beta), where A' and B' are A and B
with parameters and tokens measured in their geometric means: the condition of the Hessian falls by a factor
of hundreds, and nothing else changes. All functions work on a batch of K problems over the same n runs, which
differ in their weights, and in what is fixed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cohort.errors.arguments import explain
from cohort.fitting.terms import Array, Curve, Term


@dataclass(frozen=True, eq=False)
class Runs:
    """Training runs in centred logarithms.

    Attributes
    ----------
    parameters, tokens, losses : ndarray, shape (n,)
        Size, training tokens and final loss (nats per token) of each run.
    weights : ndarray, shape (n,)
        How much each counts.
    unique, bits : ndarray, shape (n,), or None
        Distinct training tokens, and precision of training, where a form asks for them.
    """

    parameters: Array
    tokens: Array
    losses: Array
    weights: Array
    unique: Array | None = None
    bits: Array | None = None

    @cached_property
    def centre(self) -> tuple[float, float]:
        """Means of ln N and ln D."""
        return float(np.log(self.parameters).mean()), float(np.log(self.tokens).mean())

    def centre_of(self, column: str) -> float:
        """Return the mean logarithm of parameters (``x``), tokens (``y``) or compute (``z``).

        Parameters
        ----------
        column : str
            One of the three.

        Returns
        -------
        float
            The mean.
        """
        x, y = self.centre
        return {"x": x, "y": y, "z": x + y + float(np.log(6))}[column]

    @cached_property
    def z(self) -> Array:
        """Centred ln C, of the compute 6ND."""
        centred: Array = self.x + self.y
        return centred

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


def asymmetric(misfit: Misfit, factor: float) -> Misfit:
    """Return a misfit that counts losses above the law more, or less, than losses below it.

    Parameters
    ----------
    misfit : Misfit
        How a residual counts on either side; its slope vanishes at zero.
    factor : float
        What multiplies it where the loss is above the law.

    Returns
    -------
    Misfit
        With its two derivatives.
    """

    def lifted(function: Callable[[Array], Array]) -> Callable[[Array], Array]:
        return lambda r: np.where(r > 0, factor, 1.0) * function(r)

    return Misfit(lifted(misfit.rho), lifted(misfit.slope), lifted(misfit.curvature), misfit.logarithmic)


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


def _some(curve: Curve, problems: NDArray[np.bool_]) -> Curve:
    """Return a term and its derivatives in some of the problems; what all share stays."""
    value, gradient, second = curve
    return (
        value[problems],
        gradient[problems] if gradient.ndim == 3 else gradient,
        {pair: entry[problems] for pair, entry in second.items()},
    )


@dataclass(frozen=True, eq=False)
class Objective:
    """The weighted sum of the misfits of all runs.

    Attributes
    ----------
    target : ndarray, shape (n,)
        Losses, in nats per token.
    terms : sequence of Term
        What the law adds up, in p coordinates.
    misfit : Misfit
        How each residual counts.
    free : ndarray, shape (p, f)
        What each of the free coordinates adds to the coordinates of the terms.
    fixed : ndarray, shape (p,) or (K, p)
        What is added to that, for all problems or for each.
    """

    target: Array
    terms: Sequence[Term]
    misfit: Misfit
    free: Array
    fixed: Array

    @property
    def plain(self) -> bool:
        """Whether every coordinate is free."""
        return bool(self.free.shape[0] == self.free.shape[1])

    @cached_property
    def _target(self) -> Array:
        return np.log(self.target) if self.misfit.logarithmic else self.target

    def of(self, problems: Any) -> Objective:
        """Return the same for some of the problems.

        Parameters
        ----------
        problems : index
            Of them.

        Returns
        -------
        Objective
            With what is fixed in those.
        """
        if self.fixed.ndim == 1:
            return self
        return replace(self, fixed=self.fixed[problems])

    def coordinates(self, theta: Array) -> Array:
        """Return the coordinates of the terms (K, p) at free ones (K, f).

        Parameters
        ----------
        theta : ndarray, shape (K, f)
            One point a problem.

        Returns
        -------
        ndarray, shape (K, p)
            What the terms take.
        """
        return theta if self.plain else theta @ self.free.T + self.fixed

    def _shares(self, full: Array) -> tuple[Array, list[Array], list[Curve]]:
        """Return ln L (K, n) of the law, the share of each term in it, and the terms themselves."""
        found = [term.at(full) for term in self.terms]
        values = [np.exp(each[0]) for each in found]
        total: Array = values[0]
        for value in values[1:]:
            total = total + value
        inverse = 1 / total
        return np.log(total), [value * inverse for value in values], found

    def residuals(self, theta: Array) -> Array:
        """Return observed less predicted (K, n), in logarithms where the misfit is.

        Parameters
        ----------
        theta : ndarray, shape (K, f)
            One point a problem.

        Returns
        -------
        ndarray, shape (K, n)
            Nats per token, or their logarithms.
        """
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            predicted = self._shares(self.coordinates(theta))[0]
            return self._target - (predicted if self.misfit.logarithmic else np.exp(predicted))

    def values(self, theta: Array, weights: Array) -> Array:
        """Return the objective (K,) at theta (K, f) under weights (K, n).

        Parameters
        ----------
        theta : ndarray, shape (K, f)
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

    def derivatives(self, theta: Array, weights: Array, most: Array | None = None) -> Derivatives:
        """Return value, gradient and Hessian at theta (K, f) under weights (K, n).

        With J the gradient of m = ln L, the Hessian of m is the sum of p_k (g_k g_k' + H_k) over the terms of
        L less J J', where p_k is the share of a term, and g_k and H_k belong to its logarithm.

        Parameters
        ----------
        theta : ndarray, shape (K, f)
            One point a problem.
        weights : ndarray, shape (K, n)
            Weights of the runs in each problem.
        most : ndarray, shape (K,), optional
            Values above which a problem's gradient and Hessian are not needed, and are infinite.

        Returns
        -------
        Derivatives
            In each problem.
        """
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            full = self.coordinates(theta)
            log_loss, shares, found = self._shares(full)
            predicted = log_loss if self.misfit.logarithmic else np.exp(log_loss)
            residual = self._target - predicted
            value = (weights * self.misfit.rho(residual)).sum(axis=1)
            if most is None or (needed := value <= most).all():
                return Derivatives(value, *self._derivatives(predicted, residual, weights, shares, found))
            size = theta.shape[1]
            gradient = np.full((len(value), size), np.inf)
            hessian = np.full((len(value), size, size), np.inf)
            if needed.any():
                gradient[needed], hessian[needed] = self._derivatives(
                    predicted[needed],
                    residual[needed],
                    weights[needed],
                    [each[needed] for each in shares],
                    [_some(each, needed) for each in found],
                )
        return Derivatives(value, gradient, hessian)

    def _derivatives(
        self,
        predicted: Array,
        residual: Array,
        weights: Array,
        shares: Sequence[Array],
        found: Sequence[Curve],
    ) -> tuple[Array, Array]:
        """Return gradient (K, f) and Hessian (K, f, f), in the free coordinates."""
        slope = weights * self.misfit.slope(residual)
        outer = weights * self.misfit.curvature(residual)
        if not self.misfit.logarithmic:
            # dL/dm = L, which enters the outer product squared; its own derivative cancels against J J'.
            outer *= predicted * predicted
            slope *= predicted
        else:
            outer += slope
        return self._freed(*self._bends(shares, found, slope, outer))

    def _freed(self, gradient: Array, hessian: Array) -> tuple[Array, Array]:
        """Return gradient (K, f) and Hessian (K, f, f), from those in all coordinates."""
        if self.plain:
            return gradient, hessian
        return gradient @ self.free, self.free.T @ hessian @ self.free

    def _bends(
        self,
        shares: Sequence[Array],
        found: Sequence[Curve],
        slope: Array,
        outer: Array,
        J: Array | None = None,
    ) -> tuple[Array, Array]:
        """Return gradient (K, p) and Hessian (K, p, p), in all coordinates; J is known, or worked out."""
        if J is None:
            J = self._gradients(len(slope), shares, found)
        gradient = -np.matmul(J, slope[:, :, None])[:, :, 0]
        hessian: Array = np.matmul(J * outer[:, None, :], J.transpose(0, 2, 1))
        for term, share, at in zip(self.terms, shares, found, strict=True):
            term.subtract_curvature(at, slope * share, hessian)
        return gradient, hessian

    def _gradients(self, count: int, shares: Sequence[Array], found: Sequence[Curve]) -> Array:
        J = np.zeros((count, self.free.shape[0], len(self.target)))
        for term, share, at in zip(self.terms, shares, found, strict=True):
            term.add_gradient(at, share, J)
        return J

    def under(self, theta: Array, force: Callable[[Array], Array]) -> tuple[Array, Array, Array, Array]:
        """Return what a sum of forces times residuals of logarithms has at theta (K, f).

        Parameters
        ----------
        theta : ndarray, shape (K, f)
            One point a problem.
        force : callable
            From the residuals (K, n) to what each counts.

        Returns
        -------
        residuals : ndarray, shape (K, n)
            Observed less predicted ln L.
        jacobian : ndarray, shape (K, f, n)
            Of ln L by the free coordinates.
        gradient : ndarray, shape (K, f)
            Of the sum.
        hessian : ndarray, shape (K, f, f)
            Of the sum.
        """
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            full = self.coordinates(theta)
            predicted, shares, found = self._shares(full)
            residual = self._target - predicted
            J = self._gradients(len(full), shares, found)
            forces = force(residual)
            bends = self._freed(*self._bends(shares, found, forces, forces, J))
        return residual, J if self.plain else self.free.T @ J, *bends

    def jacobian(self, theta: Array) -> Array:
        """Return the gradient of ln L by the free coordinates.

        Parameters
        ----------
        theta : ndarray, shape (K, f)
            One point a problem.

        Returns
        -------
        ndarray, shape (K, f, n)
            Dimensionless.
        """
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            full = self.coordinates(theta)
            J = self._gradients(len(full), *self._shares(full)[1:])
        return J if self.plain else self.free.T @ J


explain(__name__)
