"""What is fitted to the Chinchilla runs, and what follows from it, as tables.

Sizes are in parameters, data in tokens, compute in FLOP, losses in nats per token.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from cohort.display.phrases import power_of_ten
from cohort.display.words import scaled, significant
from cohort.errors import ParameterError, positive
from cohort.fitting import LOSSES, Bootstrap, Fit, fit, predicted
from cohort.fitting.chinchilla_runs import CHINCHILLA, columns, of_chinchilla, relative_errors, runs
from cohort.scaling import ScalingLaw, law, laws

Quantity = Callable[[ScalingLaw], float]

CUT = 1e21  # FLOP, above which runs of Chinchilla are held out
DROPPED = (0, 5, 10, 15, 20, 30, 40)  # runs that are left out in turn


def certificate(found: Fit) -> pd.DataFrame:
    """Return what shows that a fit is a minimum, for readers.

    Parameters
    ----------
    found : Fit
        To the runs.

    Returns
    -------
    DataFrame
        One row a property, ``value`` as text.
    """
    rows = {
        "runs": f"{len(found.runs.losses)}",
        LOSSES[found.loss]: significant(found.objective, 14),
        "norm of its gradient": f"below {_ceiling(found.gradient_norm)}",
        "smallest eigenvalue of its Hessian": power_of_ten(found.smallest_eigenvalue)
        if np.isfinite(found.smallest_eigenvalue)
        else "no direction is free",
        "starts that end there": f"{found.starts_agreeing} of {found.starts}",
    }
    return pd.DataFrame({"value": rows}).rename_axis("certificate")


def _ceiling(norm: float) -> str:
    """Return a power of ten above a norm, whose digits are rounding; never below what any machine attains."""
    return power_of_ten(10.0 ** -min(10, int(-np.log10(max(norm, 1e-300)))), 1)


def quantities(flop: float, use: float) -> dict[str, tuple[str, Quantity]]:
    """Return the quantities whose intervals are shown: coefficients, and what follows at a compute.

    Parameters
    ----------
    flop : float
        Compute at which the policy is asked for.
    use : float
        Tokens of use of the model that reaches the loss of the compute-optimal one with the least compute of
        training and use together; each law takes its own such loss.

    Returns
    -------
    dict
        What it is called -> its unit and a function of a law.
    """
    return {
        "E": ("nats per token", lambda each: each.E),
        "A": ("nats per token", lambda each: each.A),
        "B": ("nats per token", lambda each: each.B),
        "alpha": ("", lambda each: each.alpha),
        "beta": ("", lambda each: each.beta),
        "exponent of the size, a": ("", lambda each: each.parameters_exponent),
        "best size": ("parameters", lambda each: each.compute_optimal(flop).parameters),
        "best amount of data": ("tokens", lambda each: each.compute_optimal(flop).tokens),
        "tokens per parameter": ("ratio", lambda each: each.compute_optimal(flop).tokens_per_parameter),
        "loss there": ("nats per token", lambda each: each.compute_optimal(flop).loss),
        "best size with use": (
            "parameters",
            lambda each: each.inference_optimal(each.compute_optimal(flop).loss, use).parameters,
        ),
    }


def intervals(
    found: Fit, boot: Bootstrap, asked: Mapping[str, tuple[str, Quantity]], level: float = 0.95
) -> pd.DataFrame:
    """Return quantities of a fitted law with their intervals, from one estimator.

    Parameters
    ----------
    found : Fit
        To the runs.
    boot : Bootstrap
        Of that fit.
    asked : mapping of str to (str, function)
        What each quantity is called -> its unit, and a function of a law, as `quantities` returns them.
    level : float
        Share of the resamples that an interval holds.

    Returns
    -------
    DataFrame
        Indexed by what each is called: ``value``, ``low``, ``high`` and ``unit``.
    """
    records = []
    for name, (unit, quantity) in asked.items():
        values = boot.values(quantity)
        low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
        records.append((name, quantity(found.law), low, high, unit))
    columns = ["quantity", "value", "low", "high", "unit"]
    return pd.DataFrame(records, columns=columns).set_index("quantity")


def readable_intervals(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table of `intervals` for readers: four digits, large numbers in words.

    Parameters
    ----------
    table : DataFrame
        As `intervals` returns it.

    Returns
    -------
    DataFrame
        ``value``, ``low`` and ``high`` as text, and ``unit``.
    """
    shown = table[["value", "low", "high"]].map(lambda value: scaled(value, 4))
    shown["unit"] = table["unit"]
    return shown


def published_laws(found: Fit, flop: float) -> pd.DataFrame:
    """Return the published laws on the fitted runs.

    Parameters
    ----------
    found : Fit
        To the runs.
    flop : float
        Compute at which the advice is asked for.

    Returns
    -------
    DataFrame
        Indexed by law, the fit first: its coefficients, ``excess`` (objective over the minimum, less one),
        ``median error`` (absolute, of observed over predicted), and the ``parameters`` and ``ratio`` (tokens
        per parameter) that it advises at `flop`.
    """
    named = {"this fit": found.law} | {name: law(name) for name in laws() if of_chinchilla(name)}
    records = []
    for name, each in named.items():
        best = each.compute_optimal(flop)
        residuals = found.runs.losses / predicted(each, found.runs) - 1
        records.append(
            {
                "law": name,
                **{key: getattr(each, key) for key in ("E", "A", "B", "alpha", "beta")},
                "excess": found.score(each) / found.objective - 1,
                "median error": float(np.median(np.abs(residuals))),
                "parameters": best.parameters,
                "ratio": best.tokens_per_parameter,
            }
        )
    return pd.DataFrame(records).set_index("law")


def choices(
    flop: float,
    dropped: Sequence[int],
    delta: float,
    resamples: int,
    seed: int,
    source: str = CHINCHILLA,
) -> pd.DataFrame:
    """Return how the advice moves with the estimator and with the runs left out.

    Parameters
    ----------
    flop : float
        Compute at which the advice is asked for.
    dropped : sequence of int
        How many of the runs with the highest losses are left out, one fit each; all but the first at most a
        fifth of the runs.
    delta : float
        As for `cohort.fitting.fit`.
    resamples, seed : int
        Of each bootstrap.
    source : str
        Whose runs, as `cohort.fitting.chinchilla_runs.runs` takes it.

    Returns
    -------
    DataFrame
        One row an estimator and a number of dropped runs: ``estimator``, ``dropped``, ``beta``, ``a`` (the
        exponent of the size), ``ratio`` (tokens per parameter at `flop`) with ``low`` and ``high``, its 95%
        interval by the same estimator.
    """
    records = []
    most = max(dropped[0], len(runs(0, source)) // 5)  # a small file has no more to leave out
    for number in (each for each in dict.fromkeys(dropped) if each <= most):
        frame = runs(number, source)
        for name in LOSSES:
            found = fit(*columns(frame), name, delta)
            ratios = found.bootstrap(resamples, seed).values(
                lambda each: each.compute_optimal(flop).tokens_per_parameter
            )
            low, high = np.quantile(ratios, [0.025, 0.975])
            records.append(
                {
                    "estimator": name,
                    "dropped": number,
                    "beta": found.law.beta,
                    "a": found.law.parameters_exponent,
                    "ratio": found.law.compute_optimal(flop).tokens_per_parameter,
                    "low": low,
                    "high": high,
                }
            )
    return pd.DataFrame(records)


def cut(frame: pd.DataFrame, source: str = CHINCHILLA) -> float:
    """Return the compute above which runs are held out.

    Parameters
    ----------
    frame : DataFrame
        The runs.
    source : str
        Whose they are, as `cohort.fitting.chinchilla_runs.runs` takes it.

    Returns
    -------
    float
        1e21 FLOP for those of Chinchilla; for others, what a fifth of those that are kept lie above.
    """
    return CUT if source == CHINCHILLA else float(frame["flop"][~frame["dropped"]].quantile(0.8))


def by_dropped(flop: float, loss: str, delta: float, source: str = CHINCHILLA) -> pd.Series:
    """Return the advice over how many of the runs with the highest losses are left out.

    Parameters
    ----------
    flop : float
        Compute at which the advice is asked for.
    loss, delta
        As for `cohort.fitting.fit`.
    source : str
        Whose runs, as `cohort.fitting.chinchilla_runs.runs` takes it.

    Returns
    -------
    Series
        Tokens per parameter, indexed by the number of runs left out; at most a fifth of them.
    """
    most = len(runs(0, source)) // 5
    counts = [number for number in DROPPED if number <= most]
    fits = {number: fit(*columns(runs(number, source)), loss, delta) for number in counts}
    advice = {number: each.law.compute_optimal(flop).tokens_per_parameter for number, each in fits.items()}
    return pd.Series(advice, name="ratio")


# --- runs that the fit has not seen


def held_out(frame: pd.DataFrame, flop: float, loss: str, delta: float) -> pd.DataFrame:
    """Return how a law fitted to the runs below a compute describes them and predicts those above it.

    Parameters
    ----------
    frame : DataFrame
        As `runs` returns it; dropped runs take no part.
    flop : float
        Where the runs are cut in two.
    loss, delta
        As for `cohort.fitting.fit`.

    Returns
    -------
    DataFrame
        The runs with ``fitted``, whether they are below the cut, and ``error``, observed / predicted - 1.

    Raises
    ------
    ParameterError
        If either side of the cut has fewer than ten runs.
    """
    cut = positive("flop", flop)
    kept = frame[~frame["dropped"]]
    kept = kept.assign(fitted=kept["flop"] < cut)
    below, above = int(kept["fitted"].sum()), int((~kept["fitted"]).sum())
    if min(below, above) < 10:
        raise ParameterError(
            f"a cut at {cut:g} FLOP leaves {below} runs below and {above} above; each side needs at least 10"
        )
    return kept.assign(error=relative_errors(fit(*columns(kept[kept["fitted"]]), loss, delta).law, kept))
