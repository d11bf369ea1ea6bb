"""Experts in closed form: by hand, by enumeration, then what must hold of it."""

import math
from fractions import Fraction
from itertools import combinations, pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cohort.errors import ParameterError
from cohort.experts.closed_form import (
    balance_loss,
    coverage,
    coverage_variance,
    device_loads,
    dropped,
    shared_evenly,
    slowest_device,
)
from cohort.experts.exchange import exchange_seconds, exchanged_bytes


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


# Variance, loads, drops -------------------------------------------------------------------------------------


def test_variance_is_that_over_all_choices():
    choices = list(combinations(range(4), 2))
    seen = [Fraction(len(set().union(*each))) for each in product(choices, repeat=3)]
    mean = sum(seen) / len(seen)
    expected = sum((each - mean) ** 2 for each in seen) / len(seen)
    assert coverage_variance(4, 2, 3) == pytest.approx(float(expected), rel=1e-12, abs=0)


def test_variance_of_unequal_experts_over_all_choices():
    """A token takes {0,1}, {0,2} or {1,2} with probabilities 1/2, 1/3 and 1/6."""
    sets = {(0, 1): Fraction(1, 2), (0, 2): Fraction(1, 3), (1, 2): Fraction(1, 6)}
    popularity = [float(sum(p for pair, p in sets.items() if e in pair)) for e in range(3)]
    joint = [[float(sets.get((min(e, f), max(e, f)), 0)) for f in range(3)] for e in range(3)]
    cases = list(product(sets, repeat=2))
    weights = [sets[one] * sets[two] for one, two in cases]
    seen = [len(set(one) | set(two)) for one, two in cases]
    mean = sum(w * s for w, s in zip(weights, seen, strict=True))
    variance = sum(w * (s - mean) ** 2 for w, s in zip(weights, seen, strict=True))
    assert coverage(3, 2, 2, popularity) == pytest.approx(float(mean), rel=1e-12)
    assert coverage_variance(3, 2, 2, popularity, joint) == pytest.approx(float(variance), rel=1e-12)


@given(experts=st.integers(1, 60), data=st.data(), tokens=st.integers(0, 200))
def test_variance_is_bounded_and_vanishes_for_one_token(experts, data, tokens):
    active = data.draw(st.integers(1, experts))
    found = coverage_variance(experts, active, tokens)
    assert 0 <= found <= experts**2 / 4
    assert coverage_variance(experts, active, 1) == pytest.approx(0, abs=1e-9 * experts)


def test_loads_of_alike_devices_are_hypergeometric():
    """8 experts on 4 devices, 3 a token: each device holds 2, and 3 draws without replacement hit them."""
    sets = list(combinations(range(8), 3))
    hits = [Fraction(sum(e < 2 for e in each)) for each in sets]
    mean = sum(hits) / len(hits)
    variance = sum((hit - mean) ** 2 for hit in hits) / len(hits)
    for found in device_loads(8, 3, 5, 4):
        assert found == pytest.approx((float(5 * mean), float(5 * variance)), rel=1e-12)


def test_the_slowest_of_one_two_and_many_devices():
    assert slowest_device([(10.0, 4.0)]) == pytest.approx(10, rel=1e-9)
    # Two loads with a fixed sum: the larger exceeds the mean by the mean of a half-normal number.
    assert slowest_device([(10.0, 4.0)] * 2) == pytest.approx(10 + 2 * math.sqrt(2 / math.pi), rel=1e-6)
    assert slowest_device([(10.0, 0.0), (30.0, 0.0)]) == pytest.approx(30, rel=1e-9)
    with pytest.raises(ParameterError, match="loads is empty"):
        slowest_device([])


@pytest.mark.parametrize("factor", [0.5, 0.9, 1.0, 1.25, 2.0, 8.0])
@pytest.mark.parametrize(("experts", "active", "tokens"), [(4, 1, 20), (8, 2, 33), (3, 3, 7), (16, 1, 200)])
def test_drops_are_the_sum_over_the_binomial(experts, active, tokens, factor):
    room = math.floor(factor * tokens * active / experts)
    p = Fraction(active, experts)
    excess = sum(
        max(x - room, 0) * math.comb(tokens, x) * p**x * (1 - p) ** (tokens - x) for x in range(tokens + 1)
    )
    expected = float(experts * excess / (tokens * active))
    assert dropped(experts, active, tokens, factor) == pytest.approx(expected, rel=1e-9, abs=1e-300)


def test_room_for_all_drops_none_and_no_room_nearly_all():
    assert dropped(8, 2, 100, 4.0) == 0
    assert dropped(8, 2, 100, 0.01) == 1  # room for nothing: rounded down
    assert dropped(3, 1, 10, 1.5, [1, 0, 0]) == 0.5


@given(skew=st.floats(0, 2), tokens=st.integers(1, 2000))
def test_more_room_drops_fewer(skew, tokens):
    weights = [(rank + 1) ** -skew for rank in range(8)]
    popularity = [each / sum(weights) for each in weights]
    found = [dropped(8, 1, tokens, factor, popularity) for factor in (0.5, 1.0, 1.5, 3.0)]
    assert all(a >= b - 1e-12 for a, b in pairwise(found))
    assert 0 <= found[-1] <= found[0] <= 1 + 1e-12


def test_balance_loss_is_one_when_even_and_as_many_as_experts_when_one_takes_all():
    assert balance_loss([0.25] * 4, [0.25] * 4) == 1
    assert balance_loss([1, 0, 0, 0], [1, 0, 0, 0]) == 4
    with pytest.raises(ParameterError, match="adds up to"):
        balance_loss([0.5, 0.6], [0.5, 0.5])


def test_exchange_of_the_published_example():
    """32 tokens to 8 experts and one shared, 7k numbers, 3 bytes in all, at 50 GB/s: 120.96 us."""
    sent = [exchanged_bytes(32, 9, 7000, width, 10**9) for width in (1, 2)]
    seconds = sum(exchange_seconds(each, 1e12, 50e9, 0.0) for each in sent)
    assert seconds == pytest.approx(120.96e-6, rel=1e-6)


def test_one_device_sends_nothing_and_eight_stay_in_their_node():
    assert exchanged_bytes(64, 2, 4096, 2, 1) == (0, 0)
    assert exchanged_bytes(64, 2, 4096, 2, 8) == (64 * 2 * 4096 * 2 * 7 / 8, 0)
    inside, beyond = exchanged_bytes(64, 2, 4096, 2, 64)
    assert (inside, beyond) == (64 * 2 * 4096 * 2 * 7 / 64, 64 * 2 * 4096 * 2 * 56 / 64)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: shared_evenly(128, 48), "must divide the 128 experts; the nearest that do are 32 and 64"),
        (lambda: shared_evenly(2**40, 7), "the nearest that do are 4 and 8"),
        (lambda: shared_evenly(2**63, 7), "experts is 9223372036854775808, but must be from 1 to"),
        (lambda: shared_evenly(8, 9), "expert_parallel is 9, but must be from 1 to 8 devices"),
        (lambda: dropped(8, 2, 10, 0.0), "capacity_factor is 0.0, but must be a finite number above 0"),
        (lambda: dropped(8, 2, 0, 1.0), "tokens is 0, but must be from 1"),
        (lambda: coverage_variance(2, 1, 1, [0.5, 0.5]), "joint is missing"),
        (lambda: coverage_variance(2, 1, 1, None, [[1, 0], [0, 1]]), "popularity is missing"),
        (lambda: exchanged_bytes(1, 1, 1, -1, 8), "bytes_per_element is -1"),
        (
            lambda: exchange_seconds((1, 1), 1, 1, -1.0),
            "latency_s is -1.0, but must be a finite number of at least 0, in seconds",
        ),
        (lambda: exchange_seconds((1, 1), 0, 1, 0.0), "link is 0, but must be a finite number above 0"),
    ],
)
def test_bad_loads_and_exchanges_are_named(call, message):
    with pytest.raises(ParameterError) as error:
        call()
    assert message in str(error.value)
