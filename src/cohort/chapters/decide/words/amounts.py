"""Amounts as the chapter `decide` words them."""

from __future__ import annotations

from cohort.display.words import scaled, significant
from cohort.units import MILLION


def usd(value: float) -> str:
    """Return a sum of money in words that suit its size.

    Parameters
    ----------
    value : float
        USD.

    Returns
    -------
    str

    Examples
    --------
    >>> usd(5_298_201.0), usd(1.29)
    ('USD 5.3 million', 'USD 1.29')
    """
    return f"USD {scaled(value, 2) if value >= MILLION else significant(value)}"
