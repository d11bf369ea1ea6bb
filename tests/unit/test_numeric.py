"""Roots between two points: to the last digit, and never outside."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cohort.numeric import binomial_excess, ceil_div, largest, root


@pytest.mark.parametrize(
    ("function", "low", "high", "expected"),
    [
        (lambda x: x * x - 2, 0.0, 2.0, math.sqrt(2)),
        (math.cos, 0.0, 3.0, math.pi / 2),
        (lambda x: math.exp(x) - 1e10, -50.0, 50.0, math.log(1e10)),
        (lambda x: x**3, -1.0, 3.0, 0.0),
        (lambda x: math.atan(x - 1e6), 0.0, 1e9, 1e6),
        (lambda x: 5 - x, 0.0, 5.0, 5.0),
    ],
)
def test_known_roots(function, low, high, expected):
    assert root(function, low, high) == pytest.approx(expected, rel=1e-15, abs=1e-100)


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6), st.floats(1e-6, 1e6))
def test_a_monotone_function_changes_its_sign_at_the_root(at, below, above):
    found = root(lambda x: math.sinh(max(-700.0, min(700.0, x - at))), at - below, at + above)
    assert found == pytest.approx(at, rel=4e-16, abs=1e-9)


def test_infinite_ends_do_no_harm():
    assert root(lambda x: -math.inf if x < 1 else x - 2, 0.0, 5.0) == 2


def test_the_same_sign_at_both_ends_is_an_error():
    with pytest.raises(ValueError, match="same sign"):
        root(lambda x: x * x + 1, -1.0, 1.0)


@given(st.integers(0, 60), st.floats(0, 1), st.integers(0, 60))
def test_the_excess_of_a_binomial_number_is_its_sum(trials, probability, room):
    expected = math.fsum(
        (count - room) * math.comb(trials, count) * probability**count * (1 - probability) ** (trials - count)
        for count in range(room + 1, trials + 1)
    )
    assert binomial_excess(trials, probability, room) == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(
    ("trials", "probability", "room", "expected"),
    [  # by sums of fifty digits
        (10**6, 0.25, 250_000, 172.7470123547909),
        (10**6, 0.25, 251_000, 1.5477230561319049),
        (10**9, 0.2, 200_020_000, 307.33423252857487),
        (10**9, 0.2, 199_990_000, 11545.926795315351),
        (2 * 10**9, 0.1, 200_070_000, 2.1889363667794337e-4),
        (2**40, 0.125, 2**37, 138346.76619320186),
    ],
)
def test_the_excess_of_many_trials(trials, probability, room, expected):
    """A trillion tokens took seconds for each expert, and were a thousandth off."""
    assert binomial_excess(trials, probability, room) == pytest.approx(expected, rel=2e-11)


@given(st.integers(-(10**30), 10**30), st.integers(1, 10**20))
def test_a_quotient_is_rounded_up_exactly(numerator, denominator):
    found = ceil_div(numerator, denominator)
    assert (found - 1) * denominator < numerator <= found * denominator


@given(most=st.integers(0, 10**6), bound=st.integers(0, 10**6))
def test_largest_finds_the_largest_that_fits(most, bound):
    assert largest(lambda number: number <= bound, most) == min(bound, most)
