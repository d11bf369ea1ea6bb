"""Models beside a law: known ratios, what must hold of any model, and bad input."""

import math

import numpy as np
import pytest

import cohort
from cohort.architecture import registered
from cohort.chapters.data_optimal import tables
from cohort.errors import ParameterError, UnknownNameError
from cohort.fitting import chinchilla_runs
from cohort.scaling.dense_laws import InfeasibleError, Price

FIT = chinchilla_runs.fit_runs(chinchilla_runs.runs())
LAW = FIT.law
BOOT = FIT.bootstrap(100, seed=2)
NAMES = [*registered.group("cohort"), "chinchilla-70b", "gpt3-175b", "qwen3-30b-a3b"]
FRAME = tables.trained(NAMES)
AGAINST = tables.against(LAW, FRAME, BOOT)


def test_models_without_disclosed_tokens_are_left_out():
    assert "Command R" not in FRAME.index
    assert FRAME.loc["Llama 3 8B", "tokens"] == 15e12
    assert FRAME.loc["DBRX", "parameters"] == 36_469_708_800, "active, not total"
    assert FRAME.loc["Chinchilla 70B", "ratio"] == pytest.approx(20, rel=1e-2)
    assert FRAME["experts"].sum() == 4
    with pytest.raises(ParameterError, match="none of the models named discloses its training tokens"):
        tables.trained(["command-r-v01"])


def test_a_law_by_name():
    assert tables.chosen_law("fitted", FIT) is FIT.law
    assert tables.chosen_law("besiroglu", FIT) == cohort.law("besiroglu")
    with pytest.raises(UnknownNameError, match="did you mean 'fitted'"):
        tables.chosen_law("fited", FIT)


def test_the_fitted_range_is_far_below_most_models():
    out = tables.outside_runs(FRAME, chinchilla_runs.limits(chinchilla_runs.runs()))
    assert (out["flop"] > 1).all(), "every model took more compute than any run"
    assert out.loc["Llama 3 8B", "parameters"] < 1 < out.loc["Llama 3 8B", "ratio"]


def test_overhead_and_size_obey_the_closed_form():
    for _, row in AGAINST.iterrows():
        closed = LAW.overtraining(row["size"])
        assert row["overhead"] == pytest.approx(closed.compute_overhead, rel=1e-6, abs=1e-9)
        assert row["data"] == pytest.approx(closed.token_ratio, rel=1e-6)


def test_break_even_repays_exactly():
    for name, row in AGAINST.iterrows():
        n, d = FRAME.loc[name, ["parameters", "tokens"]]
        best = LAW.compute_optimal(loss=row["loss"])
        if math.isfinite(row["break-even"]):
            ours = 6 * n * d + 2 * n * row["break-even"]
            assert ours == pytest.approx(tables.total_flop(best, row["break-even"]), rel=1e-9)
        else:
            assert n > best.parameters


def test_intervals_enclose_their_values():
    finite = AGAINST[np.isfinite(AGAINST["break-even"])]
    assert (finite["break-even low"] <= finite["break-even"]).all()
    assert (finite["break-even"] <= finite["break-even high"]).all()
    assert (AGAINST["overhead low"] <= AGAINST["overhead high"]).all()
    assert "overhead low" not in tables.against(LAW, FRAME)


def test_half_the_size_is_the_published_quarter_more_compute():
    """By the replication's law 26% more compute, as Educating Silicon computes it."""
    law = cohort.law("besiroglu")
    best = law.compute_optimal(1e24)
    tokens = law.tokens_for(best.parameters / 2, best.loss)
    assert round(100 * tables.overhead(law, best.parameters / 2, tokens)) == 26
    assert tables.size_ratio(law, best.parameters / 2, tokens) == pytest.approx(0.5, rel=1e-9)


def test_each_law_judges_a_model():
    n, d = FRAME.loc["Llama 3 8B", ["parameters", "tokens"]]
    table = tables.by_law(n, d, FIT)
    assert list(table.index) == ["fitted", *cohort.laws()]
    assert table.loc["fitted", "overhead"] == AGAINST.loc["Llama 3 8B", "overhead"]
    assert (table["size"] < 1).all()


def test_the_best_size_falls_with_use():
    curve = tables.best_sizes(LAW, 2.0, [1e9, 1e12, 1e15], BOOT)
    assert curve["size"].is_monotonic_decreasing
    assert curve["tokens"].is_monotonic_increasing
    assert curve["saved"].is_monotonic_increasing
    assert curve["size"].iloc[0] == pytest.approx(1, rel=1e-2)
    assert ((curve["low"] <= curve["size"]) & (curve["size"] <= curve["high"])).all()
    assert curve["size"].iloc[-1] > LAW.overtraining(1).critical_parameter_ratio


class TestDollars:
    life = tables.lifetime(1e13, 0.25, 2.5, 989e12, (0.4, 0.4, 0.05))

    def test_what_use_is_worth_in_training_tokens(self):
        assert self.life.input_tokens == 0.75e13
        assert self.life.equivalent_tokens == pytest.approx(0.75e13 + 0.25e13 * 0.4 / 0.05, rel=1e-12)

    def test_the_cheapest_is_cheapest(self):
        costs = tables.dollars(LAW, 2.0, self.life)
        assert costs["all"].idxmin() == "least dollars"
        assert costs["training"].idxmin() == "least training compute"
        assert (costs["training"] + costs["use"]).tolist() == pytest.approx(costs["all"].tolist(), rel=1e-12)
        first = costs.iloc[0]
        by_hand = 6 * first["parameters"] * first["tokens"] / (989e12 * 0.4) / 3600 * 2.5
        assert first["training"] == pytest.approx(by_hand, rel=1e-12)

    @pytest.mark.parametrize("share", [-0.1, 1.5, "half", True])
    def test_a_share_is_a_share(self, share):
        with pytest.raises(ParameterError, match=r"output_share is .* from 0 to 1"):
            tables.lifetime(1e13, share, 2.5, 989e12, (0.4, 0.4, 0.05))

    def test_a_daily_sum_in_tokens(self):
        """USD 24 an hour-priced day of one accelerator at 1 USD: 86,400 s of its attained operations."""
        tokens = tables.tokens_a_day(24, 1e9, Price(1, 1e15, 0.1))
        assert tokens == pytest.approx(86_400 * 1e14 / 2e9, rel=1e-12)


def test_generations_split_the_gain():
    table = tables.model_generations(LAW, [("llama-2-70b", "llama-3-70b")])
    row = table.loc["Llama 3 70B"]
    assert row["tokens"] == 7.5
    assert 0.9 < row["by tokens"] < 1
    assert LAW.loss(row["equal size"], 2e12) == pytest.approx(row["loss newer"], rel=1e-12)


def test_a_size_for_given_tokens():
    assert LAW.loss(tables.size_for(LAW, 1e12, 2.0), 1e12) == pytest.approx(2.0, rel=1e-12)
    assert math.isnan(tables.size_for(LAW, 1e9, 2.0)), "too few tokens for any size"
    with pytest.raises(InfeasibleError):
        LAW.tokens_for(1e8, 2.0)


def test_the_quality_that_data_would_need():
    needed = tables.quality_needed(LAW, FRAME, "Llama 3 8B")
    target = AGAINST.loc["Llama 3 8B", "loss"]
    for name, row in needed.iterrows():
        if math.isfinite(row["quality"]):
            n = FRAME.loc[name, "parameters"]
            assert LAW.loss(n, row["quality"] * row["tokens"]) == pytest.approx(target, rel=1e-12)
    assert needed.loc["Phi-3 mini", "quality"] == math.inf
    alone = tables.quality_needed(LAW, FRAME.loc[["Llama 3 8B"]], "Llama 3 8B")
    assert alone.empty


def test_curation_is_a_gain_until_the_data_run_out():
    plenty = tables.curated(LAW, 1e24, 1e15, 2)
    assert plenty.loc["curated", "loss"] < plenty.loc["all", "loss"]
    better = LAW.compute_optimal(2e24)
    assert plenty.loc["curated", "loss"] == pytest.approx(
        LAW.loss(plenty.loc["curated", "parameters"], 2 * plenty.loc["curated", "tokens"]), rel=1e-12
    )
    assert plenty.loc["curated", "loss"] == pytest.approx(better.loss, rel=1e-12), (
        "as good as twice the compute"
    )
    same = tables.curated(LAW, 1e24, 1e15, 1)
    assert same.loc["curated", "loss"] == same.loc["all", "loss"]


def test_a_limit_costs_loss_beyond_the_data_alone():
    table = tables.limited(LAW, [1e23, 1e26, 1e28], 1e13)
    assert table.loc[1e23, "passes"] == 1
    assert table.loc[1e23, "loss"] == table.loc[1e23, "free"]
    assert (table.loc[[1e26, 1e28], "loss"] > table.loc[[1e26, 1e28], "free"]).all()
    assert table.loc[1e28, "passes"] > table.loc[1e26, "passes"] > 1


def test_long_training_falls_behind_the_law():
    found, runs = tables.extrapolated(tables.overtrained_runs(), 100)
    assert int(runs["fitted"].sum()) == len(found.runs.losses) == 34
    unseen = runs[~runs["fitted"]]
    assert (unseen["error"] > 0).all()
    assert unseen["error"].idxmax() == unseen["ratio"].idxmax()
    assert runs["error"][runs["fitted"]].abs().median() < 0.01


def test_both_sets_of_runs_fall_behind_where_they_were_trained_longer():
    sets = {"ours": chinchilla_runs.runs(), "theirs": tables.overtrained_runs()}
    table = tables.extrapolations(sets, 100)
    assert table["predicted"].tolist() == [26, 13]
    assert table["fitted"].tolist() == [214, 34]
    assert (table["median, predicted"] > 0).all()
    assert table.loc["ours", "median, predicted"] == pytest.approx(0.0061, abs=2e-4)
    assert table.loc["theirs", "E"] < 0.2, "its runs of few tokens hardly determine the law"


def test_a_loss_above_the_law_moves_break_even_out():
    """Llama 3 8B: 11.5 trillion tokens by the law, 18.1 where the loss is one per cent above."""
    n, d = FRAME.loc["Llama 3 8B", ["parameters", "tokens"]]
    table = tables.behind(LAW, n, d, [0, 0.005, 0.01, 0.02, 0.1])
    assert table["break-even"].iloc[0] == pytest.approx(LAW.break_even_tokens(n, d), rel=1e-9)
    assert (table["break-even"].iloc[1:4] / 1e12).round(1).tolist() == [14.5, 18.1, 27.8]
    assert (100 * table["overhead"].iloc[1:4]).round().tolist() == [633, 849, 1437]
    assert table["break-even"].iloc[4] == math.inf


def test_scores_stand_beside_losses():
    table = tables.beside_scores(AGAINST, NAMES, "MMLU")
    assert set(table.index) <= set(AGAINST.index)
    assert table.loc["Llama 2 7B", "score"] == pytest.approx(45.3, abs=0.5)
    better, worse = table.loc["Llama 3 70B"], table.loc["Llama 2 7B"]
    assert (better["loss"] < worse["loss"]) and (better["score"] > worse["score"])


def test_learning_curves_pass_through_the_models():
    curves = tables.learning_curves(LAW, FRAME.loc[["Llama 3 8B"]], [1e12, 15e12])
    assert curves.loc[15e12, "Llama 3 8B"] == AGAINST.loc["Llama 3 8B", "loss"]
