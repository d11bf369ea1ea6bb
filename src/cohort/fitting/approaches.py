"""The best size of a compute read off the runs themselves: along equal compute, and along the envelope.

The first and the second approach of :cite:t:`hoffmann2022chinchilla`, beside the third, which fits a law; and
which run to make next.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cohort.errors import ParameterError, one_of, positive
from cohort.errors.arguments import explain
from cohort.fitting.terms import Array
from cohort.scaling import FLOP_PER_TOKEN

if TYPE_CHECKING:
    from cohort.fitting.bootstrap import Bootstrap
    from cohort.fitting.certified import Fit

SAME = 0.05  # of ln C: runs that count as of one compute
FEWEST = 4  # sizes of one compute
FINE = 4001  # places along a curve
SIZES = 41  # of a next run that are tried


@dataclass(frozen=True, eq=False)
class Policy:
    """Best sizes by compute, and the power law through them.

    Attributes
    ----------
    best : DataFrame
        ``flop``, and the best ``parameters`` and ``tokens`` of each.
    exponent : float
        a of N* ~ C^a.
    factor : float
        N* of one FLOP by that power law.
    """

    best: pd.DataFrame
    exponent: float
    factor: float

    def parameters(self, flop: float) -> float:
        """Return the best size of a compute.

        Parameters
        ----------
        flop : float
            Training compute.

        Returns
        -------
        float
            Parameters.
        """
        return float(self.factor * positive("flop", flop, "FLOP") ** self.exponent)


def _policy(flop: list[float], parameters: list[float]) -> Policy:
    if len(flop) < 2:
        raise ParameterError(
            f"{len(flop)} computes have a best size inside their runs; two or more are needed"
        )
    c, n = np.array(flop), np.array(parameters)
    exponent, constant = np.polyfit(np.log(c), np.log(n), 1)
    best = pd.DataFrame({"flop": c, "parameters": n, "tokens": c / (FLOP_PER_TOKEN * n)})
    return Policy(best, float(exponent), float(np.exp(constant)))


def isoflop(runs: pd.DataFrame, curve: str = "akima") -> Policy:
    """Return the best size of each compute from runs of that compute: the second approach.

    A compute counts where its best run is neither the smallest nor the largest.

    Parameters
    ----------
    runs : DataFrame
        With ``parameters``, ``tokens`` and ``loss``.
    curve : str
        ``parabola``: through the best run and its neighbours, as :cite:t:`hoffmann2022chinchilla`; or
        ``akima``: an interpolation :cite:p:`akima1970interpolation`, as :cite:t:`porian2024discrepancies`.

    Returns
    -------
    Policy
        Best sizes and their power law.

    Raises
    ------
    UnknownNameError
        If there is no such curve.
    ParameterError
        If fewer than two computes have a best size.
    """
    one_of("curve", curve, ("akima", "parabola"))
    logs = np.log(FLOP_PER_TOKEN * runs["parameters"] * runs["tokens"])
    flop, parameters = [], []
    for _, rows in runs.groupby((logs / SAME).round()):
        rows = rows.sort_values("parameters", kind="stable").drop_duplicates("parameters")
        x, y = np.log(rows["parameters"].to_numpy(float)), np.log(rows["loss"].to_numpy(float))
        place = int(y.argmin())
        if len(x) < FEWEST or place in (0, len(x) - 1):
            continue
        if curve == "parabola":
            near = slice(place - 1, place + 2)
            bend, slope, _ = np.polyfit(x[near] - x[place], y[near], 2)
            best = x[place] - slope / (2 * bend)
        else:
            places = np.linspace(x[0], x[-1], FINE)
            best = places[_akima(x, y, places).argmin()]
        flop.append(float(np.exp(logs[rows.index].mean())))
        parameters.append(float(np.exp(best)))
    return _policy(flop, parameters)


def _akima(x: Array, y: Array, places: Array) -> Array:
    """Return a piecewise cubic through points whose slopes follow the two nearest on either side."""
    m = np.diff(y) / np.diff(x)
    m = np.r_[3 * m[0] - 2 * m[1], 2 * m[0] - m[1], m, 2 * m[-1] - m[-2], 3 * m[-1] - 2 * m[-2]]
    change = np.abs(np.diff(m))
    left, right = change[2:], change[:-2]
    both = left + right
    even = both < 1e-9 * max(both.max(), 1e-300)
    slopes = (left * m[1:-2] + right * m[2:-1]) / np.where(even, 1.0, both)
    slopes = np.where(even, (m[1:-2] + m[2:-1]) / 2, slopes)
    k = np.clip(np.searchsorted(x, places, side="right") - 1, 0, len(x) - 2)
    h = x[k + 1] - x[k]
    t = (places - x[k]) / h
    rise = (y[k + 1] - y[k]) / h
    value: Array = y[k] + h * t * (
        slopes[k]
        + t * (3 * rise - 2 * slopes[k] - slopes[k + 1] + t * (slopes[k] + slopes[k + 1] - 2 * rise))
    )
    return value


def envelope(runs: pd.DataFrame, bins: int = 12) -> Policy:
    """Return the sizes of the runs that no run of less compute beats: the first approach.

    Parameters
    ----------
    runs : DataFrame
        With ``parameters``, ``tokens`` and ``loss``.
    bins : int
        Of equal width in the logarithm of compute; the lowest loss of each counts, where it is on the
        envelope.

    Returns
    -------
    Policy
        Best sizes and their power law.

    Raises
    ------
    ParameterError
        If fewer than two bins have a run on the envelope.
    """
    frame = runs.assign(flop=FLOP_PER_TOKEN * runs["parameters"] * runs["tokens"]).sort_values(
        "flop", kind="stable"
    )
    frame = frame[frame["loss"] <= frame["loss"].cummin()]
    logs = np.log(frame["flop"])
    places = np.floor((logs - logs.min()) / max(float(np.ptp(logs)), 1e-12) * bins * (1 - 1e-12))
    best = frame.loc[frame.groupby(places)["loss"].idxmin()]
    return _policy(list(best["flop"]), list(best["parameters"]))


def next_run(fit: Fit, boot: Bootstrap, flop: float, target: float) -> pd.Series:
    """Return the run of a compute that would tell most of the best ratio at a larger one.

    Where the resampled laws that advise more tokens also predict a higher loss for some run, or a lower one,
    making that run decides between them. What is compared is the share of the variance of the logarithm of
    tokens per parameter that the run's loss would take away, its own scatter counted.

    Parameters
    ----------
    fit : Fit
        The fit.
    boot : Bootstrap
        Its resamples.
    flop : float
        Training compute of the run.
    target : float
        Training compute at which the ratio is wanted.

    Returns
    -------
    Series
        ``parameters`` and ``tokens`` of the run, and the share of the variance that it would ``explain``.

    Raises
    ------
    ParameterError
        If a compute is not a finite number above 0.
    """
    compute = positive("flop", flop, "FLOP")
    asked = np.log(boot.values("tokens_per_parameter", flop=target))
    scatter = float(np.median(np.abs(fit.residuals)) / 0.6745) ** 2
    low, high = fit.range()["parameters"]
    sizes = np.geomspace(low, high, SIZES)
    explained = []
    for n in sizes:
        losses = np.log([law.loss(n, compute / (FLOP_PER_TOKEN * n)) for law in boot.laws])
        shared = np.cov(asked, losses)
        explained.append(shared[0, 1] ** 2 / (shared[1, 1] + scatter) / shared[0, 0])
    place = int(np.argmax(explained))
    best = float(sizes[place])
    return pd.Series(
        {"parameters": best, "tokens": compute / (FLOP_PER_TOKEN * best), "explain": float(explained[place])}
    )


explain(__name__)
