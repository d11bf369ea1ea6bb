"""The runs of Chinchilla, the fit to them, and the policy that follows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cohort.errors import integer
from cohort.errors.arguments import explain
from cohort.fitting.bootstrap import Bootstrap
from cohort.fitting.certified import predicted
from cohort.fitting.run_tables import read_runs
from cohort.registry.frames import table
from cohort.scaling import FLOP_PER_TOKEN, ScalingLaw

FEWEST_KEPT = 40  # runs that a reader's choice has to leave for the fit


CHINCHILLA = "chinchilla"  # the runs of that name; any other is a path


def runs(dropped_rows: int = 5, source: str = CHINCHILLA) -> pd.DataFrame:
    """Return the 245 runs, or those of a file, the highest losses first.

    Parameters
    ----------
    dropped_rows : int
        How many of the highest losses are marked as dropped; the replication drops five.
    source : str
        ``chinchilla``, or the path of a CSV file as `cohort.fitting.run_tables.read_runs` takes it.

    Returns
    -------
    DataFrame
        ``parameters``, ``tokens``, ``flop``, ``loss``, ``ratio`` (tokens per parameter) and ``dropped``.

    Raises
    ------
    ParameterError
        If so many are dropped that fewer than forty are left, of a file than six, or the file holds no runs.

    See Also
    --------
    columns : The runs that are kept, for a fit.

    Examples
    --------
    >>> frame = runs(dropped_rows=5)
    >>> len(frame), int(frame["dropped"].sum())
    (245, 5)
    """
    if source != CHINCHILLA:
        frame = read_runs(source).frame
        dropped_rows = integer("dropped_rows", dropped_rows, 0, max(len(frame) - 6, 0), unit="runs")
        return frame.assign(dropped=frame.index < dropped_rows)
    frame = table("chinchilla_runs").rename(columns={"training_flop": "flop"})
    dropped_rows = integer("dropped_rows", dropped_rows, 0, len(frame) - FEWEST_KEPT, unit="runs")
    frame = frame[["parameters", "flop", "loss"]].astype(float)
    frame["tokens"] = frame["flop"] / (FLOP_PER_TOKEN * frame["parameters"])
    frame["ratio"] = frame["tokens"] / frame["parameters"]
    frame = frame.sort_values("loss", ascending=False, kind="stable").reset_index(drop=True)
    frame["dropped"] = frame.index < dropped_rows
    return frame


def columns(frame: pd.DataFrame) -> tuple[pd.Series, pd.Series, pd.Series]:
    """Return the runs of a frame that are not marked as dropped, as `cohort.fitting.fit` takes them.

    Parameters
    ----------
    frame : DataFrame
        With ``parameters``, ``tokens`` and ``loss``; ``dropped`` where it has such a column.

    Returns
    -------
    tuple of three Series
        Parameters, tokens and losses.

    Examples
    --------
    >>> import cohort
    >>> round(cohort.fitting.fit(*columns(runs())).law.beta, 4)
    0.3672
    """
    kept = frame[~frame["dropped"]] if "dropped" in frame else frame
    return kept["parameters"], kept["tokens"], kept["loss"]


def relative_errors(law: ScalingLaw, frame: pd.DataFrame) -> pd.Series:
    """Return observed over predicted loss, less one, of each run of a frame.

    Parameters
    ----------
    law : ScalingLaw
        The law.
    frame : DataFrame
        With ``parameters``, ``tokens`` and ``loss``.

    Returns
    -------
    Series
        Indexed as the frame.

    Raises
    ------
    ParameterError
        If a size or an amount of data is not a finite number above 0.
    """
    error: pd.Series = frame["loss"] / predicted(law, frame) - 1
    return error


def limits(frame: pd.DataFrame) -> dict[str, float]:
    """Return the largest size, tokens, compute and ratio of the runs that are kept: the fitted range.

    Parameters
    ----------
    frame : DataFrame
        As `runs` returns it.

    Returns
    -------
    dict of str to float
        ``parameters``, ``tokens``, ``flop`` and ``ratio``.

    Examples
    --------
    >>> f'{limits(runs())["parameters"]:.3g}'
    '1.62e+10'
    """
    kept = frame[~frame["dropped"]]
    return {name: float(kept[name].max()) for name in ("parameters", "tokens", "flop", "ratio")}


def of_chinchilla(name: str) -> bool:
    """Return whether a published law describes the Chinchilla runs, rather than runs on other data.

    Parameters
    ----------
    name : str
        A name from ``cohort.laws()``.

    Returns
    -------
    bool
        Whether it does.
    """
    return name.startswith(("hoffmann", "besiroglu")) or name == "sardana"


def frontier(
    law: ScalingLaw, boot: Bootstrap | None, flops: Sequence[float], level: float = 0.95
) -> pd.DataFrame:
    """Return the compute-optimal policy of a law over computes, with the band of its bootstrap.

    Parameters
    ----------
    law : ScalingLaw
        The law.
    boot : Bootstrap, optional
        Its bootstrap; without one the band has no width.
    flops : sequence of float
        Computes.
    level : float
        Share of the resamples inside the band.

    Returns
    -------
    DataFrame
        Indexed by ``flop``: ``parameters``, ``tokens``, ``ratio`` (tokens per parameter), and the ``low`` and
        ``high`` ends of the interval of the ratio; ``parameters low`` and ``parameters high``.

    Raises
    ------
    ParameterError
        If a compute is not a finite number above 0.
    """
    tail = [(1 - level) / 2, (1 + level) / 2]
    among = boot or Bootstrap([law])
    exponents = among.values("parameters_exponent")
    log_g = np.log(among.values("G"))
    records = []
    for flop in flops:
        best = law.compute_optimal(flop)
        pairs = np.log(flop / FLOP_PER_TOKEN)
        sizes = log_g + exponents * pairs
        low, high = np.quantile(np.exp(pairs - 2 * sizes), tail)
        smallest, largest = np.quantile(np.exp(sizes), tail)
        ratio = best.tokens_per_parameter
        records.append((flop, best.parameters, best.tokens, ratio, low, high, smallest, largest))
    columns = ["flop", "parameters", "tokens", "ratio", "low", "high", "parameters low", "parameters high"]
    return pd.DataFrame(records, columns=columns).set_index("flop")


explain(__name__)
