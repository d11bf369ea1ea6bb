"""The search for minima from many starts, and what certifies an end point as one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product

import numpy as np
from numpy.typing import NDArray

from cohort.errors import ParameterError, one_of, positive
from cohort.errors.arguments import explain
from cohort.fitting.deviations import least_absolute
from cohort.fitting.forms import Form
from cohort.fitting.newton import minimise
from cohort.fitting.objective import Misfit, Objective, Runs, absolute, asymmetric, huber, squares
from cohort.fitting.terms import Array

# What the estimators minimise: name -> in words.
LOSSES = {
    "huber": "sum of Huber's misfits of log losses",
    "lad": "sum of absolute deviations of log losses",
    "log_mse": "mean squared error of log losses",
    "mse": "mean squared error of losses",
}
STATIONARY = 1e-9  # of the largest gradient that the runs could give
ROUNDING = 1e-14  # of a run: its gradient where the law meets the losses exactly; of a curvature: zero
EXACT = 1e-11  # a residual below which a run counts as met exactly
LEAST_E = 1e-4  # of the lowest loss

Bounds = Mapping[str, tuple[float | None, float | None]]


def misfit(loss: str, delta: float, asymmetry: float = 1.0) -> Misfit:
    """Return how an estimator counts a residual.

    Parameters
    ----------
    loss, delta, asymmetry
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
        If `delta` or `asymmetry` is not a finite number above 0, or ``lad`` is to be asymmetric.
    """
    one_of("estimator", loss, LOSSES)
    width, factor = positive("delta", delta), positive("asymmetry", asymmetry)
    if loss == "lad":
        if factor != 1:
            raise ParameterError("lad has no asymmetry here; huber with a small delta has")
        return absolute()
    found = huber(width) if loss == "huber" else squares(logarithmic=loss != "mse")
    return found if factor == 1 else asymmetric(found, factor)


@dataclass(frozen=True, eq=False)
class Minima:
    """End points (K, p) of K descents, with what certifies each as a minimum."""

    full: Array
    value: Array
    gradient_norm: Array
    smallest_eigenvalue: Array
    certified: NDArray[np.bool_]

    @property
    def best(self) -> int:
        """The certified end point of the lowest value."""
        return int(np.where(self.certified, self.value, np.inf).argmin())


@dataclass(frozen=True, eq=False)
class Search:
    """What is fitted to which runs, and how: the question of which a fit is the answer.

    Attributes
    ----------
    form : Form
        The form of the law.
    runs : Runs
        The n training runs.
    loss, delta, asymmetry
        The estimator, as `cohort.fitting.fit` takes it.
    fixed, tied, bounds : mapping
        Restrictions, as `cohort.fitting.fit` takes them.
    held : mapping of str to float
        Coordinates that are held, by the coefficient of each; minus infinity for none of a logarithm.
    """

    form: Form
    runs: Runs
    loss: str
    delta: float
    asymmetry: float = 1.0
    fixed: Mapping[str, float] = field(default_factory=dict)
    tied: Mapping[str, str] = field(default_factory=dict)
    bounds: Bounds = field(default_factory=dict)
    held: Mapping[str, float] = field(default_factory=dict)

    @cached_property
    def free_names(self) -> list[str]:
        """The coefficients whose coordinates are free, in the order of the free coordinates."""
        return [name for name in self._open(self.fixed) if name not in self.held]

    @cached_property
    def misfit(self) -> Misfit:
        """How a residual counts."""
        return misfit(self.loss, self.delta, self.asymmetry)

    @cached_property
    def starts(self) -> Array:
        """Starts in all coordinates, shape (K, p)."""
        return self.form.starts(self.runs)

    @property
    def exact(self) -> float:
        """The objective, a sum, below which a law meets its runs but for rounding."""
        return len(self.runs.losses) * (EXACT if self.loss == "lad" else EXACT**2)

    @property
    def can_lose_e(self) -> bool:
        """Whether the irreducible loss is free, so that it can come out as zero."""
        held = {*self.fixed, *self.form.fixed, *self.held}
        return "E" in self.form.names and "E" not in held and (self.bounds.get("E") or (None,))[0] is None

    def objective(self, also_fixed: Mapping[str, float] | None = None) -> Objective:
        """Return what is minimised, with further coefficients held.

        Parameters
        ----------
        also_fixed : mapping of str to float, optional
            Coefficients that are held beside the fixed ones.

        Returns
        -------
        Objective
            In the free coordinates.
        """
        fixed = {**self.fixed, **(also_fixed or {})}
        free, constant = self.form.restricted(self.runs, fixed, self.tied)
        for name, value in self.held.items():
            column = np.array([each == name for each in self._open(fixed)])
            moved = free[:, column].ravel() != 0
            constant[moved] += free[moved][:, column].ravel() * value
        if self.held:
            free = free[:, [each not in self.held for each in self._open(fixed)]]
        return self.form.objective(self.runs.losses, self.form.terms(self.runs), self.misfit, free, constant)

    def _open(self, fixed: Mapping[str, float]) -> list[str]:
        """Return the coefficients that are neither fixed nor tied."""
        held = {self.form.printed.get(name, (name,))[0] for name in fixed}
        out = {*held, *self.tied, *self.form.fixed, *self.form.tied}
        return [name for name in self.form.names if name not in out]

    def minima(self, objective: Objective, starts: Array, weights: Array, steps: int = 0) -> Minima:
        """Return where descent from each start ends.

        Parameters
        ----------
        objective : Objective
            What is minimised.
        starts : ndarray, shape (K, p)
            One start a problem, in all coordinates.
        weights : ndarray, shape (K, n)
            Weights of the runs in each problem.
        steps : int
            At most; by default those of the form.

        Returns
        -------
        Minima
            One end point a problem.
        """
        known = np.where(np.isfinite(objective.fixed), objective.fixed, 0.0)
        above = np.where(np.isfinite(objective.fixed) & np.isfinite(starts), starts - known, 0.0)
        theta = starts if objective.plain else above @ np.linalg.pinv(objective.free).T
        if self.loss == "lad":
            ends = least_absolute(objective, theta, weights)
            theta = np.array([end.theta for end in ends])
            value, norm, eigenvalue = (
                np.array([getattr(end, name) for end in ends])
                for name in ("value", "gradient_norm", "smallest_eigenvalue")
            )
            force, curved = weights.sum(axis=1), eigenvalue > 0
        else:
            theta, at = minimise(objective, theta, weights, steps or self.form.steps)
            value, norm = at.value, np.linalg.norm(at.gradient, axis=1)
            finite = np.isfinite(at.hessian).all(axis=(1, 2))
            eigenvalue, largest = np.full((2, len(theta)), -np.inf)
            eigenvalue[finite], largest[finite] = np.linalg.eigvalsh(at.hessian[finite])[:, [0, -1]].T
            curved = eigenvalue > ROUNDING * largest
            slopes = np.abs(self.misfit.slope(objective.residuals(theta)))
            force = (weights * slopes).sum(axis=1)
        still = norm <= STATIONARY * force + ROUNDING * weights.sum(axis=1)
        full = objective.coordinates(theta)
        certified = np.isfinite(value) & still & curved & self._sound(full, objective)
        return Minima(full, value, norm, eigenvalue, certified)

    def _sound(self, full: Array, objective: Objective) -> NDArray[np.bool_]:
        """Return whether points (K, p) are laws: exponents above zero, and E held or above zero."""
        places = [self.form.place(name) for name in self.form.above_zero]
        sound = np.asarray((full[:, places] > 0).all(axis=1))
        if "E" in self.form.names and objective.free[self.form.place("E")].any():
            # Towards E = 0 the objective is flat in ln E, and a point there is no minimum in E.
            e = full[:, self.form.place("E")]
            sound &= np.asarray(e > np.log(LEAST_E * self.runs.losses.min()))
        return sound

    def within(self, full: Array) -> NDArray[np.bool_]:
        """Return whether points (K, p) keep the bounds.

        Parameters
        ----------
        full : ndarray, shape (K, p)
            Points in all coordinates.

        Returns
        -------
        ndarray of bool, shape (K,)
            True inside, and at a bound.
        """
        kept = np.ones(len(full), dtype=bool)
        for row, point in enumerate(full if self.bounds else []):
            found = self.form.coefficients(point, self.runs)
            for name, (low, high) in self.bounds.items():
                slack = 1e-9 * abs(found[name])
                kept[row] = (
                    kept[row]
                    and (low is None or found[name] >= low - slack)
                    and (high is None or found[name] <= high + slack)
                )
        return kept

    def faces(self) -> list[dict[str, float]]:
        """Return what is held where bounds are reached: every combination of free, low and high."""
        choices = [
            [(name, None), *((name, end) for end in ends if end is not None)]
            for name, ends in self.bounds.items()
        ]
        return [{name: end for name, end in each if end is not None} for each in product(*choices)][1:]

    def falls_with_e(self, found: Minima, objective: Objective, weights: Array) -> NDArray[np.bool_]:
        """Return whether the objective rises as E leaves zero, so that E = 0 is the best E.

        Parameters
        ----------
        found : Minima
            Points with E = 0.
        objective : Objective
            At which they were found.
        weights : ndarray, shape (K, n)
            Weights of the runs in each problem.

        Returns
        -------
        ndarray of bool, shape (K,)
            True where zero is best.
        """
        whole = Objective(
            objective.target, objective.terms, self.misfit, np.eye(found.full.shape[1]), np.zeros(1)
        )
        residual = whole.residuals(found.full)
        slope = weights * self.misfit.slope(residual)
        if self.misfit.logarithmic:
            slope = slope * np.exp(residual) / self.runs.losses
        best: NDArray[np.bool_] = slope.sum(axis=1) <= 0
        return best

    def at_zero_e(self, starts: Array, weights: Array, steps: int = 0) -> Minima:
        """Return minima on the edge of the laws without irreducible loss.

        Parameters
        ----------
        starts, weights, steps
            As in `minima`.

        Returns
        -------
        Minima
            Certified where the edge is a minimum of all laws too.
        """
        objective = self.objective({"E": 0.0})
        found = self.minima(objective, starts, weights, steps)
        sound = found.certified.copy()
        if sound.any():
            some = Minima(*(getattr(found, name)[sound] for name in Minima.__dataclass_fields__))
            sound[sound] = self.falls_with_e(some, objective, weights[sound])
        return Minima(found.full, found.value, found.gradient_norm, found.smallest_eigenvalue, sound)

    def resampled(self, start: Array, weights: Array) -> Array:
        """Return the minima of resamples, NaN where one determines no law.

        Parameters
        ----------
        start : ndarray, shape (p,)
            The minimum of all runs.
        weights : ndarray, shape (K, n)
            Weights of the runs in each resample.

        Returns
        -------
        ndarray, shape (K, p)
            In all coordinates.
        """
        objective = self.objective()
        ends = np.full((len(weights), len(start)), np.nan)
        begin = start.copy()
        if "E" in self.form.names and np.isneginf(begin[self.form.place("E")]):
            begin[self.form.place("E")] = np.log(0.1 * self.runs.losses.min())

        def keep(rows: NDArray[np.intp], found: Minima) -> None:
            good = found.certified & self.within(found.full)
            ends[rows[good]] = found.full[good]

        def left() -> NDArray[np.intp]:
            return np.flatnonzero(np.isnan(ends).any(axis=1))

        for attempt in (self._from_start, self._from_edge, self._from_few, self._from_faces):
            rows = left()
            if len(rows):
                keep(rows, attempt(objective, begin, weights[rows]))
        return ends

    def _from_start(self, objective: Objective, start: Array, weights: Array) -> Minima:
        return self.minima(objective, np.tile(start, (len(weights), 1)), weights, self.form.resample_steps)

    def _from_edge(self, objective: Objective, start: Array, weights: Array) -> Minima:
        if not self.can_lose_e:
            return self._none(start, weights)
        return self.at_zero_e(np.tile(start, (len(weights), 1)), weights, self.form.resample_steps)

    def _from_few(self, objective: Objective, start: Array, weights: Array) -> Minima:
        """Return the best certified end of a few of the starts: those of the lowest value."""
        whole = Objective(objective.target, objective.terms, self.misfit, np.eye(len(start)), np.zeros(1))
        rho = self.misfit.rho(whole.residuals(self.starts))
        misfits = weights @ np.nan_to_num(rho, nan=np.inf, posinf=1e300).T
        chosen = np.argsort(misfits, axis=1, kind="stable")[:, : self.form.retries]
        many = np.repeat(weights, chosen.shape[1], axis=0)
        found = self.minima(objective, self.starts[chosen.ravel()], many, self.form.resample_steps)
        value = np.where(found.certified, found.value, np.inf).reshape(chosen.shape)
        best = value.argmin(axis=1) + np.arange(len(weights)) * chosen.shape[1]
        return Minima(*(getattr(found, name)[best] for name in Minima.__dataclass_fields__))

    def _from_faces(self, objective: Objective, start: Array, weights: Array) -> Minima:
        """Return the best certified point at which one of the bounds, or some, are reached."""
        best = self._none(start, weights)
        for held in self.faces():
            at = self.objective(held)
            found = self.minima(at, np.tile(start, (len(weights), 1)), weights, self.form.resample_steps)
            better = found.certified & self.within(found.full) & (found.value < best.value)
            for name in Minima.__dataclass_fields__:
                getattr(best, name)[better] = getattr(found, name)[better]
        return best

    def _none(self, start: Array, weights: Array) -> Minima:
        count = len(weights)
        value, norm, eigenvalue = np.full((3, count), np.inf)
        empty = np.full((count, len(start)), np.nan)
        return Minima(empty, value, norm, eigenvalue, np.zeros(count, dtype=bool))


explain(__name__)
