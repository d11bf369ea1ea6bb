"""What to remember of the chapter `chinchilla_fit`."""

from __future__ import annotations

import pandas as pd

from cohort.display.phrases import power_of_ten, scaled_range
from cohort.display.words import ranged, sentences, significant
from cohort.scaling import ScalingLaw


def takeaways(law: ScalingLaw, flop: float, table: pd.DataFrame, dropping: pd.Series) -> str:
    """Return four findings to take along, one list item each.

    Parameters
    ----------
    law : ScalingLaw
        The law that was fitted.
    flop : float
        Training compute, in FLOP.
    table : DataFrame
        As `tables.intervals` returns it.
    dropping : Series
        Tokens per parameter by the number of runs left out, as `tables.by_dropped` returns them.

    Returns
    -------
    str
        Markdown.
    """
    best = law.compute_optimal(flop)
    half = law.loss(best.parameters / 2, 2 * best.tokens) / best.loss - 1
    low, high = (float(table[end].loc["tokens per parameter"]) for end in ("low", "high"))
    least, most = float(dropping.min()), float(dropping.max())
    return sentences(
        f"- At {power_of_ten(flop)} FLOP this fit advises {significant(best.tokens_per_parameter, 2)} tokens "
        f"per parameter. Its interval runs from {significant(low, 2)} to {significant(high, 2)}: quote the "
        "interval, not the number.",
        f"- The bottom is flat: half the best size on twice the tokens costs {significant(100 * half, 2)}% "
        "of the loss. So a model may be made smaller for its users at little cost.",
        f"- The advice hangs on which runs are kept: from {scaled_range(least, most, 2)} "
        f"tokens per parameter as {ranged(float(dropping.index.min()), float(dropping.index.max()), '.0f')} "
        "runs are left out.",
        "- A law travels with its runs, its estimator and all its digits. Coefficients alone, rounded for "
        "print, have misled whoever used them.",
    )
