"""A fit of a law to training runs, returned only with the proof that it is a minimum."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from cohort.errors import CohortError, ParameterError, one_of
from cohort.errors.arguments import explain
from cohort.fitting.bootstrap import Bootstrap, resample_weights
from cohort.fitting.columns import runs_of
from cohort.fitting.flatness import Valley, is_law, rivals, undetermined, valley, why
from cohort.fitting.forms import FORMS
from cohort.fitting.objective import Runs
from cohort.fitting.profiles import Profile, profile
from cohort.fitting.search import Bounds, Minima, Search
from cohort.fitting.terms import Array
from cohort.scaling.laws_in_general import Law
from cohort.scaling.saved_laws import saved

if TYPE_CHECKING:
    import pandas as pd

KEPT = 32  # fits that are kept for the next time that the same is asked, as one table asks after another
_known: dict[tuple[str | bytes | None, ...], Fit] = {}
AGREEING = 1e-9  # relative to the best objective


class FitError(CohortError):
    """A fit that is not a minimum: the runs do not determine the law."""


@dataclass(frozen=True, eq=False)
class Fit:
    """A law fitted to training runs, with the certificate that it is a minimum.

    Attributes
    ----------
    law : Law
        The fitted law, a `ScalingLaw` unless another form was asked for.
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
    flat : tuple of str
        Coefficients that the runs leave open: ``E`` where the best law has none, those that can move
        together with no effect on any run, and those that another minimum, as good within the noise, has
        elsewhere. `profile` gives the values that the runs allow, `why_flat` the reason.
    held : tuple of str
        Those of them that are held where the search left them, one for each flat direction; the certificate
        and the bootstrap are of the others.
    point : ndarray, shape (p,)
        The law in the coordinates of its form.
    search : Search
        What was fitted: form, runs, estimator and restrictions, with what is held.
    asked : Search
        The same with nothing held.
    """

    law: Any  # a Law; a ScalingLaw unless another form was asked for
    objective: float
    gradient_norm: float
    smallest_eigenvalue: float
    starts: int
    starts_agreeing: int
    flat: tuple[str, ...]
    held: tuple[str, ...]
    point: Array
    search: Search
    asked: Search

    @property
    def runs(self) -> Runs:
        """What was fitted."""
        return self.search.runs

    @property
    def loss(self) -> str:
        """The estimator, a key of `LOSSES`."""
        return self.search.loss

    @property
    def delta(self) -> float:
        """Where Huber's misfit turns from squares to lines; used by ``huber`` alone."""
        return self.search.delta

    @cached_property
    def form(self) -> str:
        """The form of the law, a key of `FORMS`."""
        return next(name for name, form in FORMS.items() if form is self.search.form)

    @cached_property
    def free(self) -> int:
        """How many coefficients were free."""
        return int(self.search.objective().free.shape[1])

    @cached_property
    def residuals(self) -> Array:
        """Observed over predicted loss, in natural logarithms, shape (n,)."""
        return np.log(self.runs.losses) - np.log(predicted(self.law, self.runs))

    def score(self, law: Law) -> float:
        """Return the objective of another law on the same runs.

        Parameters
        ----------
        law : Law
            The law, of any form.

        Returns
        -------
        float
            As `objective` of this fit.
        """
        target = self.search.misfit.logarithmic
        there = predicted(law, self.runs)
        residual = np.log(self.runs.losses / there) if target else self.runs.losses - there
        return float((self.runs.weights * self.search.misfit.rho(residual)).sum()) * _scale(self.search)

    def profile(self, coefficient: str, level: float = 0.95) -> Profile:
        """Return the values of a coefficient that the runs allow, the others fitted anew at each.

        Parameters
        ----------
        coefficient : str
            Its name, such as ``E``.
        level : float
            Of confidence, above 0 and below 1.

        Returns
        -------
        Profile
            Its ends, 0 or infinite where the runs set none.

        Raises
        ------
        ParameterError
            If the level is out of its range.
        UnknownNameError
            If the form has no such coefficient.
        """
        return profile(self.asked, self.point, coefficient, level)

    def open_ends(self, level: float = 0.95) -> dict[str, Profile]:
        """Return the profiles of the coefficients that the runs leave open on a side, and of the flat ones.

        Parameters
        ----------
        level : float
            Of confidence.

        Returns
        -------
        dict of str to Profile
            By coefficient; empty where the runs set both ends of each. Factors and levels of Farseer's form
            have no profile: they move with their exponents.

        Raises
        ------
        ParameterError
            If the level is out of its range.
        """
        form = self.asked.form
        out = {*self.asked.fixed, *form.fixed, *self.asked.tied, *form.tied, *form.without_profile}
        names = [name for name in self.law.coefficients() if name not in out]
        found = {name: self.profile(name, level) for name in names}
        return {name: each for name, each in found.items() if each.open or name in self.flat}

    @cached_property
    def why_flat(self) -> str:
        """What the runs lack where a direction is flat, in words; empty where none is."""
        return why(self.runs, self.flat) if self.flat else ""

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
            The laws, in the order of the draws, and how many resamples were lost: those that determine no
            law.

        Raises
        ------
        ParameterError
            If a number is out of range, or `rows` are not rows of the runs.
        FitError
            If no resample determines a law.
        """
        count = len(self.runs.losses)
        weights = resample_weights(count, resamples, seed, rows) * self.runs.weights
        ends = self.search.resampled(self.point, weights)
        kept = ~np.isnan(ends).any(axis=1)
        if not kept.any():
            raise FitError(
                f"{len(ends)} of {len(ends)} resamples do not determine the law; more runs, or runs that "
                "differ more in size and in tokens, would"
            )
        form = self.search.form
        laws = [form.law(**form.coefficients(end, self.runs)) for end in ends[kept]]
        return Bootstrap(laws, int((~kept).sum()))

    def save(self, path: str | Path, **intervals: tuple[float, float]) -> None:
        """Write the law as JSON, which `cohort.law` reads again.

        Parameters
        ----------
        path : str or Path
            Where.
        **intervals : tuple of two floats
            Intervals to keep beside the law, by quantity.

        Raises
        ------
        ParameterError
            If the file cannot be written.
        """
        record = saved(self.law) | {"fit": self.certificate(), "range": self.range()}
        if intervals:
            record["intervals"] = {name: list(map(float, ends)) for name, ends in intervals.items()}
        try:
            Path(path).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        except OSError as error:
            raise ParameterError(f"{path} cannot be written: {error.strerror}") from None

    def certificate(self) -> dict[str, Any]:
        """Return what shows that the fit is a minimum, as plain values."""
        names = ("objective", "gradient_norm", "smallest_eigenvalue", "starts", "starts_agreeing")
        return {
            "runs": len(self.runs.losses),
            "estimator": self.loss,
            "delta": self.delta,
            **{name: getattr(self, name) for name in names},
            "flat": list(self.flat),
            "held": list(self.held),
            "median_error": float(np.median(np.abs(np.expm1(self.residuals)))),
        }

    def range(self) -> dict[str, tuple[float, float]]:
        """Return the ends of what the runs cover: parameters, tokens, FLOP and tokens per parameter."""
        n, d = self.runs.parameters, self.runs.tokens
        columns = {"parameters": n, "tokens": d, "flop": 6 * n * d, "tokens_per_parameter": d / n}
        return {name: (float(each.min()), float(each.max())) for name, each in columns.items()}

    def outside(self, parameters: float, tokens: float) -> dict[str, float]:
        """Return in what a question lies outside the runs, and by what factor.

        Parameters
        ----------
        parameters, tokens : float
            Size and training tokens that are asked for.

        Returns
        -------
        dict of str to float
            By quantity, above 1 beyond the largest and below 1 beyond the smallest; empty inside.
        """
        n, d = float(parameters), float(tokens)
        asked = {"parameters": n, "tokens": d, "flop": 6 * n * d, "tokens_per_parameter": d / n}
        ends = self.range()
        return {
            name: value / ends[name][value > ends[name][1]]
            for name, value in asked.items()
            if not ends[name][0] <= value <= ends[name][1]
        }


def _scale(search: Search) -> float:
    return 1 / len(search.runs.losses) if search.loss in ("log_mse", "mse") else 1.0


def fit(
    parameters: ArrayLike,
    tokens: ArrayLike,
    losses: ArrayLike,
    loss: str = "huber",
    delta: float = 1e-3,
    form: str = "chinchilla",
    *,
    weights: ArrayLike | None = None,
    fixed: Mapping[str, float] | None = None,
    tied: Mapping[str, str] | None = None,
    bounds: Bounds | None = None,
    asymmetry: float = 1.0,
    unique_tokens: ArrayLike | None = None,
    bits: ArrayLike | None = None,
) -> Fit:
    """Fit a scaling law to training runs, by default L = E + A / N^alpha + B / D^beta.

    The search starts at many exponents, with the constants from a linear regression, and descends with exact
    Hessians. Its best end point is returned only if the gradient vanishes and the curvature is positive in
    every direction. Where the best law has no irreducible loss, that law is returned, certified along that
    edge, and ``flat`` names E.

    Parameters
    ----------
    parameters, tokens, losses : array_like, shape (n,)
        Size, training tokens and final loss (nats per token) of more runs than coefficients.
    loss : str
        The estimator: ``huber`` and ``lad`` (least absolute deviations) on log losses, ``log_mse`` and
        ``mse`` for squares of log losses and of losses.
    delta : float
        Of Huber's misfit, in log loss.
    form : str
        The form of the law, a key of `FORMS`.
    weights : array_like, shape (n,), optional
        How much each run counts.
    fixed : mapping of str to float, optional
        Coefficients that are held, such as ``{"E": 1.69}``.
    tied : mapping of str to str, optional
        Exponents that equal another one, such as ``{"beta": "alpha"}``.
    bounds : mapping of str to (low, high), optional
        Ends of coefficients, None where there is none.
    asymmetry : float
        What multiplies the misfit of a run whose loss is above the law.
    unique_tokens, bits : array_like, shape (n,), optional
        Distinct training tokens, and bits of training, for the forms that ask for them.

    Returns
    -------
    Fit
        The law with its certificate.

    Raises
    ------
    ParameterError
        If there are too few runs, the lengths differ, a value is not finite or not above 0, a column has only
        one value, or a restriction is none.
    UnknownNameError
        If there is no such estimator, form or coefficient; the message names the nearest.
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
    chosen = FORMS[one_of("form of a law", form, FORMS)]
    fixed, tied, bounds = dict(fixed or {}), dict(tied or {}), dict(bounds or {})
    for name in (*fixed, *tied, *tied.values(), *bounds):
        chosen.place(name)
    held = {*fixed, *tied, *chosen.fixed, *chosen.tied}
    further = {"unique_tokens": unique_tokens, "bits": bits}
    if chosen.extra and further[chosen.extra] is None:
        raise ParameterError(f"the form {form!r} needs {chosen.extra} of each run")
    count = len(chosen.names) - len(held)
    runs = runs_of(parameters, tokens, losses, count, weights, **further)
    search = Search(chosen, runs, loss, delta, asymmetry, fixed, tied, bounds)
    asked = repr((form, loss, delta, asymmetry, fixed, tied, bounds))
    columns = (runs.parameters, runs.tokens, runs.losses, runs.weights, runs.unique, runs.bits)
    key = (asked, *(None if each is None else each.tobytes() for each in columns))
    if key not in _known:
        found = _fitted(search, _found(search))
        if len(_known) >= KEPT:
            del _known[next(iter(_known))]
        _known[key] = found
    return _known[key]


def _found(search: Search) -> Valley:
    """Return the minima of a search: inside, at bounds, at no irreducible loss, or along what is flat."""
    starts = search.starts
    weights = np.tile(search.runs.weights, (len(starts), 1))
    found = search.minima(search.objective(), starts, weights)
    lowest = np.inf
    if found.certified.any() and undetermined(search, found.full[found.best]):
        lowest = found.value[found.best]
        found.certified[:] = False
    if found.certified.any():
        if search.within(found.full[[found.best]])[0]:
            return _without_e(search, found) or Valley(search, found, rivals(search, found), ())
        best, at = None, {}
        for held in search.faces():
            ends = search.minima(search.objective(held), starts, weights)
            ends.certified[:] &= search.within(ends.full)
            if ends.certified.any() and (best is None or ends.value[ends.best] < best.value[best.best]):
                best, at = ends, held
        if best is not None:
            return Valley(search, best, tuple(at), ())
    elif search.can_lose_e:
        edge = search.at_zero_e(starts, weights)
        best_edge = edge.best
        lower = edge.certified.any() and edge.value[best_edge] <= lowest
        if lower and not undetermined(search, edge.full[best_edge]):
            return Valley(search, edge, ("E",), ())
    along = valley(search, found)
    if along is not None:
        return along
    raise FitError(
        f"no minimum was found from {len(starts)} starts: the {len(search.runs.losses)} runs do not "
        "determine the law; runs that differ more in size and in tokens would"
    )


def _without_e(search: Search, found: Minima) -> Valley | None:
    """Return the best law with no irreducible loss where it is better than each minimum inside."""
    best = found.value[found.best]
    lower = np.isfinite(found.value) & (found.value < best * (1 - AGREEING) - search.exact)
    if not (search.can_lose_e and lower.any()):
        return None
    starts = search.starts
    edge = search.at_zero_e(starts, np.tile(search.runs.weights, (len(starts), 1)))
    if edge.certified.any() and edge.value[edge.best] < best * (1 - AGREEING):
        return Valley(search, edge, ("E",), ())
    return None


def _fitted(asked: Search, stands: Valley) -> Fit:
    search, found = stands.search, stands.found
    best = found.best
    value, scale = found.value[best], _scale(search)
    point = found.full[best]
    if not is_law(search, point):
        raise FitError(
            f"the best law of this form has coefficients beyond any number: the "
            f"{len(search.runs.losses)} runs do not determine it; another form may do"
        )
    return Fit(
        law=search.form.law(**search.form.coefficients(point, search.runs)),
        objective=float(value * scale),
        gradient_norm=float(found.gradient_norm[best] * scale),
        smallest_eigenvalue=float(found.smallest_eigenvalue[best] * scale),
        starts=len(found.value),
        starts_agreeing=int((found.value <= value * (1 + AGREEING) + search.exact).sum()),
        flat=stands.flat,
        held=stands.held,
        point=point,
        search=search,
        asked=asked,
    )


def predicted(law: Law, runs: Runs | pd.DataFrame) -> Array:
    """Return the losses that a law predicts of runs.

    Parameters
    ----------
    law : Law
        The law.
    runs : Runs or DataFrame
        With ``parameters`` and ``tokens``; with ``unique_tokens`` or ``bits`` where the law asks for them.

    Returns
    -------
    ndarray, shape (n,)
        Nats per token.

    Raises
    ------
    ParameterError
        If a size or an amount of data is not a finite number above 0.
    """
    given = {"unique_tokens": runs.unique, "bits": runs.bits} if isinstance(runs, Runs) else dict(runs)
    names = ("unique_tokens", "bits")
    further = {name: np.asarray(given[name], float) for name in names if given.get(name) is not None}
    found: Array = law.loss(np.asarray(runs.parameters, float), np.asarray(runs.tokens, float), **further)
    return found


explain(__name__)
