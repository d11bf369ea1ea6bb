"""A fit of a law to training runs, returned only with the proof that it is a minimum."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from cohort.errors import CohortError
from cohort.fitting.bootstrap import Bootstrap, resample_weights
from cohort.fitting.columns import runs_of
from cohort.fitting.objective import Array, Objective, Runs
from cohort.fitting.search import best_minimum, minima, misfit, starts_of
from cohort.scaling.dense_laws import ScalingLaw

if TYPE_CHECKING:
    import pandas as pd

AGREEING = 1e-9  # relative to the best objective
EXACT = 1e-11  # a residual below which a run counts as met exactly


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
        """Return the objective of another law on the same runs.

        Parameters
        ----------
        law : ScalingLaw
            The law.

        Returns
        -------
        float
            As `objective` of this fit.
        """
        weights = np.ones((1, len(self.runs.losses)))
        objective = Objective(self.runs, misfit(self.loss, self.delta))
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
        weights = resample_weights(count, resamples, seed, rows)
        start = self.runs.theta(self.law)
        found = minima(self.runs, self.loss, self.delta, np.tile(start, (len(weights), 1)), weights)
        lost = 0
        for place in np.flatnonzero(~found.certified):  # from every start, where that of all runs led nowhere
            theta = best_minimum(self.runs, self.loss, self.delta, weights[place])
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

    See Also
    --------
    Fit.bootstrap : Intervals of the law and of what follows from it.
    cohort.fitting.chinchilla_runs : The runs of Chinchilla.

    Examples
    --------
    >>> import cohort
    >>> runs = cohort.table("chinchilla_runs").query("not dropped")
    >>> tokens = runs["training_flop"] / (6 * runs["parameters"])
    >>> fit = cohort.fitting.fit(runs["parameters"], tokens, runs["loss"])
    >>> round(fit.law.beta, 4)
    0.3672
    """
    misfit(loss, delta)
    runs = runs_of(parameters, tokens, losses)
    weights = np.ones(len(runs.losses))
    starts = starts_of(runs)
    found = minima(runs, loss, delta, starts, np.tile(weights, (len(starts), 1)))
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


def predicted(law: ScalingLaw, runs: Runs | pd.DataFrame) -> Array:
    """Return the losses that a law predicts of runs.

    Parameters
    ----------
    law : ScalingLaw
        The law.
    runs : Runs or DataFrame
        With ``parameters`` and ``tokens``.

    Returns
    -------
    ndarray, shape (n,)
        Nats per token.

    Raises
    ------
    ParameterError
        If a size or an amount of data is not a finite number above 0.
    """
    return np.array([law.loss(n, d) for n, d in zip(runs.parameters, runs.tokens, strict=True)])
