"""Use and its price: what must hold of the best size, sums by hand, and bad input."""

import pytest
from chinchilla_fit import FIT

from cohort.chapters.data_optimal import lifetimes
from cohort.errors import ParameterError
from cohort.scaling import Price

LAW = FIT.law
BOOT = FIT.bootstrap(100, seed=2)


def test_the_best_size_falls_with_use():
    curve = lifetimes.best_sizes(LAW, 2.0, [1e9, 1e12, 1e15], BOOT)
    assert curve["size"].is_monotonic_decreasing
    assert curve["tokens"].is_monotonic_increasing
    assert curve["saved"].is_monotonic_increasing
    assert curve["size"].iloc[0] == pytest.approx(1, rel=1e-2)
    assert ((curve["low"] <= curve["size"]) & (curve["size"] <= curve["high"])).all()
    assert curve["size"].iloc[-1] > LAW.overtraining(1).critical_parameter_ratio


class TestDollars:
    life = lifetimes.lifetime(1e13, 0.25, 2.5, 989e12, (0.4, 0.4, 0.05))

    def test_what_use_is_worth_in_training_tokens(self):
        assert self.life.input_tokens == 0.75e13
        assert self.life.equivalent_tokens == pytest.approx(0.75e13 + 0.25e13 * 0.4 / 0.05, rel=1e-12)

    def test_the_cheapest_is_cheapest(self):
        costs = lifetimes.dollars(LAW, 2.0, self.life)
        assert costs["all"].idxmin() == "least dollars"
        assert costs["training"].idxmin() == "least training compute"
        assert (costs["training"] + costs["use"]).tolist() == pytest.approx(costs["all"].tolist(), rel=1e-12)
        first = costs.iloc[0]
        by_hand = 6 * first["parameters"] * first["tokens"] / (989e12 * 0.4) / 3600 * 2.5
        assert first["training"] == pytest.approx(by_hand, rel=1e-12)

    @pytest.mark.parametrize("share", [-0.1, 1.5, "half", True])
    def test_a_share_is_a_share(self, share):
        with pytest.raises(ParameterError, match=r"output_share is .* from 0 to 1"):
            lifetimes.lifetime(1e13, share, 2.5, 989e12, (0.4, 0.4, 0.05))

    def test_a_daily_sum_in_tokens(self):
        """USD 24 an hour-priced day of one accelerator at 1 USD: 86,400 s of its attained operations."""
        tokens = lifetimes.tokens_a_day(24, 1e9, Price(1, 1e15, 0.1))
        assert tokens == pytest.approx(86_400 * 1e14 / 2e9, rel=1e-12)
