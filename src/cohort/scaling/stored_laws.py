"""Laws fitted to the public sets of runs, from the data rather than from the runs.

`cohort.fitting` fits them, and needs NumPy; `benchmarks/store_laws_of_runs.py` stores them in the data.
"""

from __future__ import annotations

from functools import lru_cache

from cohort.errors.arguments import explain
from cohort.registry import facts
from cohort.scaling.laws_in_general import Law
from cohort.scaling.saved_laws import KINDS

CHINCHILLA = "chinchilla_runs"  # what the set of the Chinchilla runs is called


def laws_of_runs() -> dict[tuple[str, str], Law]:
    """Return the laws that the public sets of runs determine, by Huber's misfit to all runs of each.

    Returns
    -------
    dict of pair of str to Law
        By the set of runs and the form, as `cohort.fitting.fit` calls it: the sum of two powers for each set
        but that of Chinchilla, whose law is `cohort.scaling.fitted_law`, and other forms for that.

    See Also
    --------
    cohort.fitting.panel.sets : The runs.

    Examples
    --------
    >>> round(laws_of_runs()["gadre_c4", "chinchilla"].alpha, 3)
    0.253
    """
    return dict(_laws(facts.modified("laws_of_runs")))


@lru_cache(maxsize=1)
def _laws(stamp: int) -> dict[tuple[str, str], Law]:
    """Return the laws, read once for each state of the table."""
    found: dict[tuple[str, str], dict[str, float]] = {}
    for row in facts.rows("laws_of_runs"):
        found.setdefault((row["set"], row["form"]), {})[row["quantity"]] = float(row["value"])
    # The form with one exponent for both powers gives a law of the same class.
    return {key: KINDS[key[1].replace("tied", "chinchilla")](**values) for key, values in found.items()}


explain(__name__)
