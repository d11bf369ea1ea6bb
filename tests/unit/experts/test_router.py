"""The simulated router: against enumeration, against the closed forms, and its own rules."""

import math
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cohort.chapters.expert_tradeoffs.reads import distinct
from cohort.errors import ParameterError
from cohort.experts import closed_form, router

SIGMAS = 4.5  # of a Monte Carlo estimate; some thousand are compared


def enumerated(weights, active):
    """Popularity and joint popularity of successive sampling, over all ordered draws."""
    size = len(weights)
    joint = np.zeros((size, size))
    for order in permutations(range(size), active):
        probability, left = 1.0, 1.0
        for e in order:
            probability *= weights[e] / left
            left -= weights[e]
        for e in order:
            for f in order:
                joint[e, f] += probability
    return joint


@pytest.mark.parametrize(
    ("size", "active", "skew"), [(4, 2, 1.0), (5, 3, 0.5), (6, 4, 2.0), (7, 2, 0.0), (5, 4, 1.5)]
)
def test_popularity_is_that_of_all_ordered_draws(size, active, skew):
    weights = router.weights(size, skew)
    expected = enumerated(weights, active)
    np.testing.assert_allclose(router.popularity(weights, active), np.diag(expected), rtol=1e-10)
    np.testing.assert_allclose(router.joint_popularity(weights, active), expected, rtol=1e-8)


def test_alike_experts_have_the_popularity_of_distinct_uniform_choices():
    np.testing.assert_allclose(router.popularity(router.weights(256, 0.0), 8), 8 / 256, rtol=1e-11)
    joint = router.joint_popularity(router.weights(32, 0.0), 4)
    off = joint[~np.eye(32, dtype=bool)]
    np.testing.assert_allclose(off, 4 * 3 / (32 * 31), rtol=1e-9)


def drawn_of_two_kinds(heavy, light, weight, active):
    """Return how likely an expert of each kind is drawn: all ways to draw so many of one and of the other."""
    ways = {0: 1.0}
    for draw in range(active):
        after = dict.fromkeys(range(draw + 2), 0.0)
        for count, probability in ways.items():
            left, others = (heavy - count) * weight, light - (draw - count)
            share = left / (left + others) if left and probability else 0.0
            after[count + 1] += probability * share
            after[count] += probability * (1 - share)
        ways = after
    mean = sum(count * probability for count, probability in ways.items())
    return mean / heavy, (active - mean) / light


@pytest.mark.parametrize(
    ("heavy", "light", "active"),
    [
        (2, 6, 3),
        (64, 192, 8),
        (9, 119, 52),
        pytest.param(64, 192, 100, marks=pytest.mark.slow),
        pytest.param(64, 192, 200, marks=pytest.mark.slow),
    ],
)
def test_popularity_is_that_of_draws_of_two_kinds_however_many_are_active(heavy, light, active):
    """Where a third of all experts is active, the last of them ring late."""
    found = router.popularity(np.array([3.0] * heavy + [1.0] * light), active)
    of_heavy, of_light = drawn_of_two_kinds(heavy, light, 3.0, active)
    np.testing.assert_allclose(found[:heavy], of_heavy, rtol=1e-11)
    np.testing.assert_allclose(found[heavy:], of_light, rtol=1e-11)


def test_popularity_is_a_probability_where_the_first_experts_are_all_but_certain():
    found = router.popularity(router.weights(512, 2.0), 22)
    assert found.max() <= 1.0
    assert found[0] == pytest.approx(1.0, abs=1e-12)
    assert found.sum() == pytest.approx(22, rel=1e-12)


@settings(max_examples=25, deadline=None)
@given(size=st.integers(1, 24), data=st.data(), skew=st.floats(0, 3))
def test_popularity_adds_up_and_falls_with_the_rank(size, data, skew):
    active = data.draw(st.integers(1, size))
    weights = router.weights(size, skew)
    found = router.popularity(weights, active)
    assert found.sum() == pytest.approx(active, rel=1e-12)
    assert np.all(np.diff(found) <= 1e-12) and np.all((found > 0) & (found <= 1 + 1e-12))
    joint = router.joint_popularity(weights, active)
    np.testing.assert_allclose(joint.sum(axis=1), active * found, rtol=1e-8)


@pytest.mark.parametrize("count", [8, 16, 64, 160])
@pytest.mark.parametrize("active", [1, 2, 6])
@pytest.mark.parametrize("skew", [0.0, 0.5, 1.0, 2.0])
def test_simulated_coverage_agrees_with_the_closed_form(count, active, skew):
    """Over a grid of experts, active ones, tokens and skews, within the error of the simulation."""
    weights = router.weights(count, skew)
    popular = router.popularity(weights, active).tolist()
    for tokens in (1, 3, count // active, 4 * count // active):
        seen = distinct(weights, active, tokens, 600, seed=count + tokens)
        expected = closed_form.coverage(count, active, tokens, popular)
        error = max(float(seen.std(ddof=1)), 1e-9) / math.sqrt(seen.size)
        assert abs(seen.mean() - expected) <= SIGMAS * error + 1e-9 * expected


@pytest.mark.parametrize(("count", "active", "skew"), [(8, 2, 0.0), (16, 4, 1.0), (32, 3, 0.7), (64, 6, 1.5)])
def test_simulated_variance_agrees_with_the_closed_form(count, active, skew):
    weights = router.weights(count, skew)
    popular, joint = router.popularity(weights, active), router.joint_popularity(weights, active)
    for tokens in (2, count // active):
        seen = distinct(weights, active, tokens, 20_000, seed=7)
        expected = closed_form.coverage_variance(count, active, tokens, popular.tolist(), joint.tolist())
        fourth = float(((seen - seen.mean()) ** 4).mean())
        error = math.sqrt(max(fourth - expected**2, 0.0) / seen.size)
        assert abs(float(seen.var(ddof=1)) - expected) <= SIGMAS * error


@pytest.mark.parametrize("skew", [0.0, 1.0, 4.0])
def test_tokens_get_distinct_experts_at_the_expected_rates(skew):
    weights = router.weights(32, skew)
    chosen = router.route(weights, 4, 20_000, seed=3)
    assert chosen.shape == (20_000, 4)
    assert all(len(set(row)) == 4 for row in chosen[:2000].tolist())
    assert chosen.min() >= 0 and chosen.max() <= 31
    popular = router.popularity(weights, 4)
    rate = np.bincount(chosen.ravel(), minlength=32) / len(chosen)
    error = np.sqrt(popular * (1 - popular) / len(chosen)) + 1e-9
    assert np.all(np.abs(rate - popular) <= SIGMAS * error)


def test_a_stream_is_the_same_for_the_same_seed_and_another_for_another():
    one, same, other = (router.stream(16, 2, 500, 1.0, seed).chosen for seed in (1, 1, 2))
    assert np.array_equal(one, same) and not np.array_equal(one, other)


def test_loads_drops_and_loss_of_a_stream_written_down():
    chosen = np.array([[0, 1], [0, 2], [0, 1], [0, 3]], dtype=np.int16)
    stream = router.Routed(chosen, np.full(4, 0.25))
    assert stream.loads.tolist() == [4, 2, 1, 1] and stream.distinct == 4
    assert stream.device_loads(2).tolist() == [6, 2]
    assert stream.dropped(1.0) == 2 / 8  # room for 2 each
    assert stream.balance_loss() == 1


def test_all_experts_for_every_token():
    assert np.array_equal(
        np.sort(router.route(router.weights(5, 2.0), 5, 7, 0)), np.tile(np.arange(5), (7, 1))
    )
    assert router.popularity(router.weights(5, 2.0), 5).tolist() == [1.0] * 5
    assert router.route(router.weights(1, 0.0), 1, 3, 0).tolist() == [[0]] * 3
    assert router.route(router.weights(4, 0.0), 2, 0, 0).shape == (0, 2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: router.weights(0, 1.0), "experts is 0, but must be from 1"),
        (lambda: router.weights(8, -0.5), "skew is -0.5, but must be from 0 to 4"),
        (lambda: router.weights(8, math.nan), "skew is nan, but must be from 0 to 4"),
        (lambda: router.popularity(router.weights(8, 1.0), 9), "active is 9, but must be from 1 to 8"),
        (lambda: router.popularity(np.array([1.0, 0.0]), 1), "weights must be finite numbers above 0"),
        (lambda: router.popularity(np.ones((2, 2)), 1), "weights must be one number for each expert"),
        (lambda: router.route(router.weights(8, 1.0), 2, -1, 0), "tokens is -1, but must be from 0"),
        (lambda: router.route(router.weights(8, 1.0), 2, 1, -1), "seed is -1, but must be from 0"),
        (lambda: router.stream(8, 2, 0, 0.0, 0).dropped(1.0), "tokens is 0, but must be from 1"),
        (lambda: router.stream(8, 2, 4, 0.0, 0).device_loads(3), "the nearest that do are 2 and 4"),
    ],
)
def test_bad_values_are_named(call, message):
    with pytest.raises(ParameterError) as error:
        call()
    assert message in str(error.value)
