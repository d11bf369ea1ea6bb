"""The coverage of experts: by hand, by enumeration, then what must hold of it."""

from fractions import Fraction
from itertools import combinations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cohort.errors import ParameterError
from cohort.experts import coverage


@pytest.mark.parametrize(
    ("experts", "active", "tokens", "expected"),
    [
        (8, 2, 0, 0),
        (8, 2, 1, 2),
        (8, 2, 2, Fraction(7, 2)),
        (8, 2, 16, 8 * (1 - Fraction(3, 4) ** 16)),
        (256, 8, 32, 256 * (1 - Fraction(31, 32) ** 32)),
        (4, 4, 3, 4),
        (1, 1, 5, 1),
    ],
)
def test_alike_experts_in_exact_fractions(experts, active, tokens, expected):
    assert coverage(experts, active, tokens) == pytest.approx(float(expected), rel=1e-14, abs=0)


def test_coverage_is_the_mean_over_all_choices():
    """Three tokens that each choose two of four experts: 6 x 6 x 6 cases."""
    choices = list(combinations(range(4), 2))
    seen = [len(set().union(*each)) for each in product(choices, repeat=3)]
    assert coverage(4, 2, 3) == pytest.approx(sum(seen) / len(seen), rel=1e-14, abs=0)


def test_popular_experts_by_hand():
    """One expert takes every token, the other two share the second choice: 1 + 2 (1 - 1/4)."""
    assert coverage(3, 2, 2, popularity=[1, 0.5, 0.5]) == 2.5
    assert coverage(3, 1, 4, popularity=[1, 0, 0]) == 1
    assert coverage(3, 1, 0, popularity=[1, 0, 0]) == 0


@given(experts=st.integers(1, 300), data=st.data(), tokens=st.integers(0, 5000))
def test_coverage_lies_between_its_bounds_and_grows(experts, data, tokens):
    active = data.draw(st.integers(1, experts))
    found = coverage(experts, active, tokens)
    assert found <= min(experts, active * tokens) * (1 + 1e-12)
    assert coverage(experts, active, tokens + 1) >= found
    even = coverage(experts, active, tokens, [active / experts] * experts)
    assert even == pytest.approx(found, rel=1e-12, abs=1e-300)


@given(weights=st.lists(st.floats(0.01, 1), min_size=2, max_size=40), tokens=st.integers(1, 200))
def test_unequal_popularity_reaches_fewer(weights, tokens):
    popularity = [each / sum(weights) for each in weights]
    assert coverage(len(weights), 1, tokens, popularity) <= coverage(len(weights), 1, tokens) * (1 + 1e-12)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 1, 1), "experts is 0, but must be from 1"),
        ((8, 9, 1), "active is 9, but must be from 1 to 8"),
        ((8, 2, -1), "tokens is -1, but must be from 0"),
        ((8, 2, 1.5), "tokens is 1.5, but must be an integer"),
        ((2, 1, 1, [1.0]), "popularity has 1 values, but must have one for each of 2 experts"),
        ((2, 1, 1, [1.5, -0.5]), "popularity holds 1.5, but must hold probabilities from 0 to 1"),
        ((2, 1, 1, [0.5, 0.6]), "popularity adds up to 1.1, but must add up to the 1 active experts"),
        ((2, 1, 1, [0.5, float("nan")]), "popularity holds nan"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ParameterError) as error:
        coverage(*arguments)
    assert message in str(error.value)
