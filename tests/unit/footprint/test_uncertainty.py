"""Draws, percentiles and shares of the variance, against closed forms."""

from __future__ import annotations

from math import exp, log, sqrt

import numpy as np
import pytest

from cohort.errors import CohortError, ParameterError
from cohort.footprint.factors import Z95, Range
from cohort.footprint.uncertainty import Spread, propagate, sample, triangular

WIDE = Range(1, 2, 6, "")
NARROW = Range(3, 4, 4.5, "")
LOG = Range(0.5, 1, 3, "", shape="lognormal")


def mean(given: Range) -> float:
    return (given.low + given.central + given.high) / 3


def variance(given: Range) -> float:
    a, c, b = given.low, given.central, given.high
    return (a * a + b * b + c * c - a * b - a * c - b * c) / 18


def quantile(given: Range, share: float) -> float:
    a, c, b = given.low, given.central, given.high
    if share < (c - a) / (b - a):
        return a + sqrt(share * (b - a) * (c - a))
    return b - sqrt((1 - share) * (b - a) * (b - c))


def test_draws_of_a_triangle_have_its_moments_and_quantiles() -> None:
    spread = propagate(lambda wide: wide, {"wide": WIDE})
    assert spread.values.mean() == pytest.approx(mean(WIDE), rel=5e-3)
    assert spread.values.var() == pytest.approx(variance(WIDE), rel=1e-2)
    for percent in (5, 50, 95):
        assert spread.percentile(percent) == pytest.approx(quantile(WIDE, percent / 100), rel=5e-3)
    assert WIDE.low < spread.values.min() < spread.values.max() < WIDE.high


def test_a_triangle_may_peak_at_an_end() -> None:
    for each in (Range(1, 1, 2, ""), Range(1, 2, 2, "")):
        values = propagate(lambda x: x, {"x": each}).values
        assert values.mean() == pytest.approx(mean(each), rel=2e-3)
        assert np.isfinite(values).all()


def test_draws_of_a_lognormal() -> None:
    spread = propagate(lambda x: x, {"x": LOG})
    assert spread.median == pytest.approx(LOG.central, rel=1e-2)
    assert spread.high / spread.low == pytest.approx(LOG.high / LOG.low, rel=2e-2)
    sigma = log(LOG.high / LOG.low) / (2 * Z95)
    assert spread.values.mean() == pytest.approx(exp(sigma * sigma / 2), rel=1e-2)


def test_shares_of_a_sum() -> None:
    inputs = {"wide": WIDE, "narrow": NARROW}
    shares = propagate(lambda wide, narrow: 2 * wide + 5 * narrow, inputs).shares()
    parts = {"wide": 4 * variance(WIDE), "narrow": 25 * variance(NARROW)}
    for name, part in parts.items():
        assert shares[name] == pytest.approx(part / sum(parts.values()), abs=5e-3)
    assert sum(shares.values()) == pytest.approx(1, abs=5e-3)


def test_shares_of_a_product() -> None:
    inputs = {"wide": WIDE, "narrow": NARROW, "known": Range.exact(7, "")}
    shares = propagate(lambda wide, narrow, known: wide * narrow * known, inputs).shares()
    squares = {"wide": variance(WIDE) / mean(WIDE) ** 2, "narrow": variance(NARROW) / mean(NARROW) ** 2}
    whole = (1 + squares["wide"]) * (1 + squares["narrow"]) - 1
    assert list(shares) == ["wide", "narrow"]
    for name, square in squares.items():
        assert shares[name] == pytest.approx(square / whole, abs=5e-3)
    assert sum(shares.values()) < 1 + 5e-3


def test_an_input_that_matters_to_no_one_has_no_share() -> None:
    shares = propagate(lambda wide, narrow: wide + 0 * narrow, {"wide": WIDE, "narrow": NARROW}).shares()
    assert shares["narrow"] < 2e-3
    assert shares["wide"] > 0.995


def test_shares_are_those_of_scipy() -> None:
    """The design of Saltelli over the same distributions, an interaction among them."""
    stats = pytest.importorskip("scipy.stats")
    inputs = {"wide": WIDE, "narrow": NARROW, "log": LOG}

    def answer(wide: np.ndarray, narrow: np.ndarray, log: np.ndarray) -> np.ndarray:
        return wide * log + 3 * narrow**2

    def triangle(given: Range) -> object:
        width = given.high - given.low
        return stats.triang((given.central - given.low) / width, given.low, width)

    sigma = np.log(LOG.high / LOG.low) / (2 * Z95)
    found = stats.sobol_indices(
        func=lambda x: answer(*x)[None],
        n=2**14,
        dists=[triangle(WIDE), triangle(NARROW), stats.lognorm(sigma, scale=LOG.central)],
        rng=np.random.default_rng(0),
    )
    expected = dict(zip(inputs, found.first_order.ravel(), strict=True))
    shares = propagate(answer, inputs, draws=400_000).shares()
    assert shares == pytest.approx(expected, abs=6e-3)
    assert sum(shares.values()) < 0.99


def test_chance_within_a_bin_is_taken_off() -> None:
    """Two bins of three, by hand: means 3 and 5, and within them a variance of 1 and of 4."""
    inputs = {"x": np.arange(6.0), "known": np.full(6, 2.0)}
    spread = Spread(np.array([2.0, 3.0, 4.0, 3.0, 5.0, 7.0]), inputs)
    within = (1 + 4) / 2 / 3
    assert spread.shares(bins=2) == {"x": pytest.approx((1 - within / 2) / np.var(spread.values))}
    turned = Spread(spread.values[::-1], {"x": inputs["x"][::-1]})
    assert turned.shares(bins=2) == pytest.approx(spread.shares(bins=2))
    assert Spread(np.array([0.0, 1, 0, 1]), {"x": np.arange(4.0)}).shares(bins=2) == {"x": 0}


def test_a_triangle_by_its_quantiles() -> None:
    """From 1 over 2 to 6: a fifth of the area lies below 2, and the mean of its halves is as drawn."""
    share = np.array([0.0, 0.05, 0.2, 0.6, 1.0])
    assert triangular(1, 2, 6, share) == pytest.approx([1, 1.5, 2, 6 - 0.4**0.5 * 20**0.5, 6])


def test_the_same_seed_gives_the_same_draws() -> None:
    one, two = (sample({"a": WIDE, "b": WIDE}, 1000, 7) for _ in range(2))
    assert (one["a"] == two["a"]).all()
    assert not (one["a"] == one["b"]).any()
    assert (sample({"b": WIDE}, 1000, 7)["b"] == one["b"]).all()  # other inputs do not move it
    assert not (sample({"a": WIDE}, 1000, 8)["a"] == one["a"]).any()
    assert abs(np.corrcoef(one["a"], one["b"])[0, 1]) < 0.1


def test_what_is_known_does_not_vary() -> None:
    spread = propagate(lambda x: 3 * x, {"x": Range.exact(2, "")}, draws=100)
    assert spread.low == spread.median == spread.high == 6
    assert spread.shares() == {}
    assert spread.holds(6)
    assert not spread.holds(6.1)


def test_an_answer_may_not_depend_on_its_inputs() -> None:
    assert propagate(lambda x: 5.0, {"x": WIDE}, draws=100).median == 5


@pytest.mark.parametrize(
    ("known", "message"),
    [
        ({"draws": 10}, "draws is 10, but must be from 100 to 10,000,000"),
        ({"draws": 1e5}, "draws is 100000.0, but must be an integer"),
        ({"seed": -1}, "seed is -1, but must be from 0"),
    ],
)
def test_faults(known: dict, message: str) -> None:
    with pytest.raises(CohortError) as caught:
        propagate(lambda x: x, {"x": WIDE}, **known)
    assert message in str(caught.value)


def test_too_many_bins() -> None:
    with pytest.raises(ParameterError, match="bins is 64, but 100 draws fill fewer"):
        propagate(lambda x: x, {"x": WIDE}, draws=100).shares(bins=64)
    assert propagate(lambda x: x, {"x": WIDE}, draws=100).shares(bins=50)["x"] > 0.9
    few = propagate(lambda x: x, {"x": WIDE}, draws=100)
    assert few.shares() == few.shares(bins=2)
    more = propagate(lambda x: x, {"x": WIDE}, draws=1000)
    assert more.shares() == more.shares(bins=20)
    many = propagate(lambda x: x, {"x": WIDE}, draws=5000)
    assert many.shares() == many.shares(bins=64)
