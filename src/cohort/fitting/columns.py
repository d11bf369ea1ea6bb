"""Columns of training runs, checked before a law is fitted to them."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from cohort.errors import ParameterError, shown
from cohort.errors.arguments import explain
from cohort.fitting.objective import Runs
from cohort.fitting.terms import Array

FEWEST = 3  # runs, for any form


def runs_of(
    parameters: ArrayLike,
    tokens: ArrayLike,
    losses: ArrayLike,
    coefficients: int = 5,
    weights: ArrayLike | None = None,
    **further: ArrayLike | None,
) -> Runs:
    """Return training runs, once they are known to be enough to fit a law to.

    Parameters
    ----------
    parameters, tokens, losses : array_like, shape (n,)
        Size, training tokens and final loss (nats per token) of each run.
    coefficients : int
        How many a law has that are free.
    weights : array_like, shape (n,), optional
        How much each run counts; by default 1.
    **further : array_like, shape (n,)
        ``unique_tokens`` and ``bits``.

    Returns
    -------
    Runs
        The same as arrays.

    Raises
    ------
    ParameterError
        If there are no more runs than coefficients, the lengths differ, a value is not finite or not above 0,
        all losses are the same, or all runs are in size and tokens.
    """
    given = {"parameters": parameters, "tokens": tokens, "losses": losses, "weights": weights, **further}
    columns = {name: _column(name, values) for name, values in given.items() if values is not None}
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        each = ", ".join(f"{count} {name}" for name, count in lengths.items())
        raise ParameterError(f"the columns differ in length: {each}")
    if (count := lengths["losses"]) < max(coefficients + 1, FEWEST):
        raise ParameterError(
            f"{count} runs are too few for {_NUMBERS[coefficients]} coefficients; "
            f"give at least {max(coefficients + 1, FEWEST)}"
        )
    if np.ptp(np.log(columns["losses"])) < 1e-9:
        raise ParameterError(
            f"all losses are the same, {columns['losses'][0]:.6g}; the runs must differ in them"
        )
    if all(np.ptp(np.log(columns[name])) < 1e-9 for name in ("parameters", "tokens")):
        raise ParameterError(
            "all runs have the same size and the same tokens; they must differ in one of them"
        )
    return Runs(
        columns["parameters"],
        columns["tokens"],
        columns["losses"],
        columns.get("weights", np.ones(count)),
        columns.get("unique_tokens"),
        columns.get("bits"),
    )


_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def _column(name: str, values: ArrayLike) -> Array:
    try:
        column = np.array(values, dtype=float) if not np.iscomplexobj(values) else None  # not the caller's
    except (TypeError, ValueError, OverflowError):
        column = None
    if column is None:
        raise ParameterError(f"{name} must be numbers, not {_first_wrong(values)}")
    if column.ndim != 1:
        raise ParameterError(f"{name} must be one column of numbers, not {column.ndim} dimensions")
    wrong = np.flatnonzero(~(np.isfinite(column) & (column > 0)))
    if len(wrong):
        place = int(wrong[0])
        raise ParameterError(
            f"{name} must be finite and above 0; row {place} (counted from 0) is {column[place]}"
        )
    return column


def _first_wrong(values: ArrayLike) -> str:
    """Return the first value that is no number, with its row."""
    try:
        for place, value in enumerate(values):  # type: ignore[arg-type]
            try:
                float(value)  # type: ignore[arg-type]
            except (TypeError, ValueError, OverflowError):
                return f"{shown(value)} in row {place} (counted from 0)"
    except TypeError:
        pass
    return shown(values)


explain(__name__)
