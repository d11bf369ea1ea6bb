"""What a new run will reach, with an interval that holds the doubt of the law and the scatter of runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cohort.errors import ParameterError, bounded
from cohort.errors.arguments import explain

if TYPE_CHECKING:
    from cohort.fitting.bootstrap import Bootstrap
    from cohort.fitting.certified import Fit

DRAWS = 20  # of scatter, for each resampled law


@dataclass(frozen=True, slots=True)
class Prediction:
    """The loss of a run that was not made.

    Attributes
    ----------
    loss, low, high : float
        What the law says, and the ends of the interval, in nats per token.
    level : float
        Share of new runs that the interval is to hold.
    outside : dict of str to float
        As `Fit.outside` returns it: empty where the run lies among the fitted ones.
    """

    loss: float
    low: float
    high: float
    level: float
    outside: dict[str, float]


def predict(
    fit: Fit, boot: Bootstrap, parameters: float, tokens: float, level: float = 0.9, **further: float
) -> Prediction:
    """Return the predicted loss of a new run with its interval.

    Laws are drawn from the bootstrap, scatter from the residuals of the fit, made larger by the coefficients
    that were spent on them.

    Parameters
    ----------
    fit : Fit
        The fit.
    boot : Bootstrap
        Its resamples.
    parameters, tokens : float
        Size and training tokens of the run.
    level : float
        Above 0 and below 1.
    **further : float
        What else the law needs.

    Returns
    -------
    Prediction
        The loss, its interval, and whether the run lies outside those that were fitted.

    Raises
    ------
    ParameterError
        If a number is out of its range.

    Examples
    --------
    >>> import cohort
    >>> from cohort.fitting import chinchilla_runs, predict
    >>> fit = cohort.fitting.fit(*chinchilla_runs.columns(chinchilla_runs.runs()))
    >>> found = predict(fit, fit.bootstrap(200), 1e9, 2e10)
    >>> found.low < found.loss < found.high, found.outside
    (True, {})
    """
    share = bounded("level", level, 0, 1, above=True, below=True)
    count, spent = len(fit.residuals), fit.free
    if count <= spent:
        raise ParameterError("as many coefficients as runs leave no scatter to predict by")
    scatter = fit.residuals * np.sqrt(count / (count - spent))
    drawn = np.random.default_rng(0).choice(scatter, size=(len(boot.laws), DRAWS))
    logs = np.log([law.loss(parameters, tokens, **further) for law in boot.laws])
    low, high = np.exp(np.quantile(logs[:, None] + drawn, [(1 - share) / 2, (1 + share) / 2]))
    loss = float(fit.law.loss(parameters, tokens, **further))
    return Prediction(loss, float(low), float(high), share, fit.outside(parameters, tokens))


explain(__name__)
