"""The stored law: that of the fit, and its intervals those of the bootstrap."""

import sys
from pathlib import Path

import pytest

from cohort.errors import ParameterError
from cohort.registry import facts
from cohort.scaling import fitted_interval, fitted_law

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"


@pytest.mark.slow
def test_the_stored_law_is_the_fit():
    """Fitted again here, with all of its resamples."""
    sys.path.insert(0, str(BENCHMARKS))
    try:
        from store_fitted_law import HEADS, stored
    finally:
        sys.path.pop(0)
    again = [dict(zip(HEADS, map(str, row), strict=True)) for row in stored()]
    kept = facts.rows("fitted_law")
    assert len(kept) == len(again) == 19
    for old, new in zip(kept, again, strict=True):
        assert (old["quantity"], old["flop"], old["unit"]) == (new["quantity"], new["flop"], new["unit"])
        assert float(old["value"]) == pytest.approx(float(new["value"]), rel=1e-8)
        assert float(old["low"]) == pytest.approx(float(new["low"]), rel=1e-5)
        assert float(old["high"]) == pytest.approx(float(new["high"]), rel=1e-5)


def test_intervals_meet_the_rows_and_lie_between_them():
    rows = [row for row in facts.rows("fitted_law") if row["flop"]]
    for row in rows:
        ends = float(row["low"]), float(row["high"])
        assert fitted_interval(float(row["flop"])) == pytest.approx(ends)
        assert ends[0] < fitted_law().compute_optimal(float(row["flop"])).parameters < ends[1]
    one, two = (fitted_interval(flop) for flop in (1e24, 1e25))
    between = fitted_interval(3e24)
    assert one[0] < between[0] < two[0] and one[1] < between[1] < two[1]


@pytest.mark.parametrize("flop", [1e16, 1e31, 0, float("nan")])
def test_compute_beyond_the_rows_is_refused(flop):
    with pytest.raises(ParameterError, match="from 1e"):
        fitted_interval(flop)
