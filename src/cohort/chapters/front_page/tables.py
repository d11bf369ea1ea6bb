"""What the figure of the front page shows."""

from __future__ import annotations

import pandas as pd

import cohort
from cohort.display import model_tables

SINCE = "2023-01-01"  # when makers began to publish weights of the largest models


def sizes_by_date(since: str = SINCE) -> pd.DataFrame:
    """Return the sizes of registered models by their date of release.

    Parameters
    ----------
    since : str
        The first date; models without a date and earlier ones are left out.

    Returns
    -------
    DataFrame
        ``released``; ``total`` and ``active`` parameters in billions; and ``named``: true of the dense model
        and of the mixture that is the largest of a year and larger than all before it. Indexed by title, the
        earliest first.
    """
    names = cohort.models()
    counts = model_tables.counts(names)[["total", "active"]] / 1e9
    days = model_tables.released(names)
    frame = counts.join(pd.Series(days.index, index=list(days), name="released"), how="inner")
    frame = frame[frame["released"] >= since].sort_values(["released", "total"], kind="stable")
    dense = frame["total"] == frame["active"]
    return frame.assign(named=frame.index.isin([*_records(frame[dense]), *_records(frame[~dense])]))


def _records(group: pd.DataFrame) -> list[str]:
    """Return the largest model of each year, where none before was as large; the earliest first."""
    years = pd.DatetimeIndex(group["released"]).year
    best: list[str] = []
    for year in sorted(set(years)):
        name = str(group["total"][years == year].idxmax())
        if not best or group["total"][name] > group["total"][best[-1]]:
            best.append(name)
    return best
