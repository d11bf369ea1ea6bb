"""The law that the book fits to the Chinchilla runs, with its intervals, from the data rather than from runs.

`cohort.fitting` fits it, and needs NumPy; `benchmarks/store_fitted_law.py` stores it in the data.
"""

from __future__ import annotations

import math
from functools import lru_cache

from cohort.errors import bounded
from cohort.errors.arguments import explain
from cohort.registry import facts
from cohort.scaling.dense_laws import ScalingLaw

COEFFICIENTS = ("E", "A", "B", "alpha", "beta")


def fitted_law() -> ScalingLaw:
    """Return the book's own fit to the Chinchilla runs.

    Returns
    -------
    ScalingLaw

    See Also
    --------
    cohort.law : Published laws.
    cohort.fitting.fit : The fit itself.

    Examples
    --------
    >>> round(fitted_law().beta, 3)
    0.367
    """
    found = {row["quantity"]: float(row["value"]) for row in facts.rows("fitted_law") if not row["flop"]}
    return ScalingLaw(**{name: found[name] for name in COEFFICIENTS})


@lru_cache(maxsize=1)
def _ends(stamp: int) -> list[tuple[float, float, float]]:
    """Return logarithms of each compute and of the ends of its interval, rising."""
    rows = [row for row in facts.rows("fitted_law") if row["flop"]]
    return sorted(
        (math.log(float(row["flop"])), math.log(float(row["low"])), math.log(float(row["high"])))
        for row in rows
    )


def fitted_interval(flop: float) -> tuple[float, float]:
    """Return the 95% interval of the size that this law advises at a compute.

    Parameters
    ----------
    flop : float
        Training compute in FLOP, within the rows of the table.

    Returns
    -------
    pair of float
        Parameters; between two rows the logarithms are interpolated.

    Raises
    ------
    ParameterError
        If the compute is beyond the rows.

    Examples
    --------
    >>> low, high = fitted_interval(5.76e23)
    >>> low < fitted_law().compute_optimal(5.76e23).parameters < high
    True
    """
    rows = _ends(facts.modified("fitted_law"))
    first, last = (float(f"{math.exp(row[0]):.6g}") for row in (rows[0], rows[-1]))
    at = math.log(bounded("flop", flop, first, last, "FLOP"))
    place = max(min(sum(row[0] <= at for row in rows), len(rows) - 1), 1)
    before, after = rows[place - 1], rows[place]
    share = (at - before[0]) / (after[0] - before[0])
    low, high = (
        math.exp(one + share * (other - one)) for one, other in zip(before[1:], after[1:], strict=True)
    )
    return low, high


explain(__name__)
