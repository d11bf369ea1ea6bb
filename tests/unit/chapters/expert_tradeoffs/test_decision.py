"""Mixture or dense: bounds by hand, the choice by brute force, and where it turns."""

import pytest

import cohort
from cohort.chapters.expert_tradeoffs import decision
from cohort.chapters.expert_tradeoffs.decision import Demand
from cohort.errors import ParameterError
from cohort.scaling import mixture_rules

DEVICE = "H100 SXM 80GB"


def test_a_demand_by_hand():
    """One byte a weight: 100 fit, 50 are read in time by one token, and 1,000 / 2 are multiplied."""
    asked = Demand(memory=100, bandwidth=50, peak=1000, width=1, answers=1, speed=1)
    assert asked.most(1.0) == pytest.approx(50)
    assert asked.most(0.25) == 100  # a quarter is read, 25 of 100
    many = Demand(memory=100, bandwidth=500, peak=1000, width=1, answers=10, speed=1)
    assert many.most(1.0) == pytest.approx(1000 / 2 / 10)
    assert many.most(0.25) == 100  # 2 x 100 x 0.25 x 10 is half of the peak


def test_a_mixture_of_all_its_weights_is_a_dense_model():
    rule = mixture_rules.recommended()
    assert decision.worth_of_share(rule, 1e9, 1) == 1e9
    assert 1e9 / 16 < decision.worth_of_share(rule, 1e9, 1 / 16) < 1e9


def test_demands_are_those_of_the_data_sheet():
    device, asked = cohort.accelerator(DEVICE), decision.demand(DEVICE, 4, 8, 20)
    assert asked.memory == pytest.approx(4 * decision.KEPT * device.memory_bytes)
    assert asked.bandwidth == 4 * device.bandwidth and asked.peak == 4 * device.peak("fp8")
    older = cohort.accelerator("A100 SXM 80GB")
    assert decision.demand(older, 1, 8, 20).peak == older.peak("bf16")  # it multiplies fp8 in 16 bits


def test_the_best_is_the_best_of_all_shares():
    rule, asked = mixture_rules.recommended(), decision.demand(DEVICE, 1, 512, 20)
    row = decision.best(DEVICE, 1, 20, [512]).loc[512]
    every = [decision.worth_of_share(rule, asked.most(share), share) for share in decision.SHARES]
    assert row["mixture"] == max(every) and row["dense"] == asked.most(1.0)


def test_the_choice_turns_where_it_says():
    turns = decision.crossovers(DEVICE, 8, 20)
    assert turns[0] == (1, "dense") and turns[1][1] == "mixture"
    frame = decision.best(DEVICE, 8, 20, [turns[1][0] - 1, turns[1][0]])
    assert list(frame["mixture"] > frame["dense"]) == [False, True]


def test_much_memory_for_little_bandwidth_asks_for_a_mixture_first():
    kinds = [better for _, better in decision.crossovers(decision.HOME, decision.HOME_DEVICES, 20)]
    assert kinds == ["mixture", "dense", "mixture"]


def test_no_more_is_asked_than_can_be():
    with pytest.raises(ParameterError, match="speed"):
        decision.best(DEVICE, 1, 0.0)
    with pytest.raises(ParameterError, match="devices is 0"):
        decision.best(DEVICE, 0, 20.0)


def test_modern_mixtures_are_listed_by_sparsity_with_what_they_are_worth():
    frame = decision.modern()
    assert frame["sparsity"].is_monotonic_increasing and (frame["worth"] <= frame["total"]).all()
    assert frame.loc["DeepSeek-V2", ["granularity", "shared"]].tolist() == [8, 2]
    own = decision.own_worth(cohort.model("deepseek-v2"))
    assert own["worth"] == frame.loc["DeepSeek-V2", "worth"]
    assert "Mixtral 8x7B" not in frame.index  # of 2023
