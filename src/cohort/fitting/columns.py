"""Columns of training runs, checked before a law is fitted to them."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from cohort.errors import ParameterError, shown
from cohort.fitting.objective import Array, Runs

FEWEST = 6  # runs: one more than coefficients


def runs_of(parameters: ArrayLike, tokens: ArrayLike, losses: ArrayLike) -> Runs:
    """Return training runs, once they are known to be enough to fit a law to.

    Parameters
    ----------
    parameters, tokens, losses : array_like, shape (n,)
        Size, training tokens and final loss (nats per token) of each run.

    Returns
    -------
    Runs
        The same as arrays.

    Raises
    ------
    ParameterError
        If there are fewer than six runs, the lengths differ, a value is not finite or not above 0, or a
        column has only one value.
    """
    columns = {
        name: _column(name, values)
        for name, values in (("parameters", parameters), ("tokens", tokens), ("losses", losses))
    }
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        given = ", ".join(f"{count} {name}" for name, count in lengths.items())
        raise ParameterError(f"the columns differ in length: {given}")
    if (count := lengths["losses"]) < FEWEST:
        raise ParameterError(f"{count} runs are too few for five coefficients; give at least {FEWEST}")
    for name, column in columns.items():
        if np.ptp(np.log(column)) < 1e-9:
            raise ParameterError(f"all {name} are the same, {column[0]:.6g}; the runs must differ in them")
    return Runs(**columns)


def _column(name: str, values: ArrayLike) -> Array:
    try:
        column = np.asarray(values, dtype=float) if not np.iscomplexobj(values) else None
    except (TypeError, ValueError, OverflowError):
        column = None
    if column is None:
        raise ParameterError(f"{name} must be numbers, not {shown(values)}")
    if column.ndim != 1:
        raise ParameterError(f"{name} must be one column of numbers, not {column.ndim} dimensions")
    wrong = np.flatnonzero(~(np.isfinite(column) & (column > 0)))
    if len(wrong):
        place = int(wrong[0])
        raise ParameterError(
            f"{name} must be finite and above 0; row {place} (counted from 0) is {column[place]}"
        )
    return column
