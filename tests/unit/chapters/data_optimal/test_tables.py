"""Models beside a law: known ratios, what must hold of any model, and bad input."""

import math

import numpy as np
import pytest
from chinchilla_fit import FIT

import cohort
from cohort.architecture import registered
from cohort.chapters.data_optimal import lifetimes, tables
from cohort.errors import ParameterError, UnknownNameError
from cohort.fitting import chinchilla_runs

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
            assert ours == pytest.approx(lifetimes.total_flop(best, row["break-even"]), rel=1e-9)
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
    own = [name for name in table.index if not name.startswith(tables.RUNS_OF)]
    assert own == ["fitted", *cohort.laws()] and len(table) - len(own) >= 14
    assert table.loc["fitted", "overhead"] == AGAINST.loc["Llama 3 8B", "overhead"]
    assert (table.loc[own, "size"] < 1).all()


def test_long_training_falls_behind_the_law():
    found, runs = tables.extrapolated(tables.overtrained_runs(), 100)
    assert int(runs["fitted"].sum()) == len(found.runs.losses) == 34
    unseen = runs[~runs["fitted"]]
    assert (unseen["error"] > 0).all()
    assert unseen["error"].idxmax() == unseen["ratio"].idxmax()
    assert runs["error"][runs["fitted"]].abs().median() < 0.01


@pytest.mark.slow
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


def test_one_model_has_one_row():
    row = tables.training_of("llama-3-8b")
    assert (row.name, row["tokens"]) == ("Llama 3 8B", 15e12)
    with pytest.raises(ParameterError, match="none of the models named"):
        tables.training_of("command-r-v01")


def test_a_quantity_with_its_ends():
    spent = tables.with_ends(AGAINST, "overhead")
    assert list(spent.columns) == ["value", "low", "high"]
    assert spent["high"].equals(AGAINST["overhead high"].rename("high"))
    assert list(tables.with_ends(tables.against(LAW, FRAME), "break-even").columns) == ["value"]


@pytest.mark.parametrize(("name", "ours"), [("fitted", True), ("sardana", True), ("sardana-refit", False)])
def test_which_laws_describe_the_chinchilla_runs(name, ours):
    assert tables.describes_chinchilla(name) is ours


def test_a_saved_law_judges_as_well(tmp_path):
    FIT.save(tmp_path / "law.json")
    again = tables.chosen_law(str(tmp_path / "law.json"), FIT)
    assert again.coefficients() == pytest.approx(FIT.law.coefficients())
    kept = FIT.runs
    coupled = cohort.fitting.fit(kept.parameters, kept.tokens, kept.losses, form="coupled")
    coupled.save(tmp_path / "other.json")
    with pytest.raises(ParameterError, match="another form than the chapter's, coupled"):
        tables.chosen_law(str(tmp_path / "other.json"), FIT)
