"""What data bring: gains of a generation, better data, and data that run out."""

import math

import pytest
from chinchilla_fit import FIT

from cohort.chapters.data_optimal import data_worth, tables
from cohort.errors import CohortError
from cohort.registry import facts
from cohort.scaling import InfeasibleError

LAW = FIT.law
FRAME = tables.trained(["llama-2-7b", "llama-3-8b", "phi-3-mini-4k", "dbrx"])


def test_generations_split_the_gain():
    table = data_worth.model_generations(LAW, [("llama-2-70b", "llama-3-70b")])
    row = table.loc["Llama 3 70B"]
    assert row["tokens"] == 7.5
    assert 0.9 < row["by tokens"] < 1
    assert LAW.loss(row["equal size"], 2e12) == pytest.approx(row["loss newer"], rel=1e-12)


def test_a_size_for_given_tokens():
    assert LAW.loss(data_worth.size_for(LAW, 1e12, 2.0), 1e12) == pytest.approx(2.0, rel=1e-12)
    assert math.isnan(data_worth.size_for(LAW, 1e9, 2.0)), "too few tokens for any size"
    with pytest.raises(InfeasibleError):
        LAW.tokens_for(1e8, 2.0)


def test_the_quality_that_data_would_need():
    needed = data_worth.quality_needed(LAW, FRAME, "Llama 3 8B")
    target = LAW.loss(*FRAME.loc["Llama 3 8B", ["parameters", "tokens"]])
    for name, row in needed.iterrows():
        if math.isfinite(row["quality"]):
            n = FRAME.loc[name, "parameters"]
            assert LAW.loss(n, row["quality"] * row["tokens"]) == pytest.approx(target, rel=1e-12)
    assert needed.loc["Phi-3 mini", "quality"] == math.inf
    alone = data_worth.quality_needed(LAW, FRAME.loc[["Llama 3 8B"]], "Llama 3 8B")
    assert alone.empty


def test_curation_is_a_gain_until_the_data_run_out():
    plenty = data_worth.curated(LAW, 1e24, 1e15, 2)
    assert plenty.loc["curated", "loss"] < plenty.loc["all", "loss"]
    better = LAW.compute_optimal(2e24)
    assert plenty.loc["curated", "loss"] == pytest.approx(
        LAW.loss(plenty.loc["curated", "parameters"], 2 * plenty.loc["curated", "tokens"]), rel=1e-12
    )
    assert plenty.loc["curated", "loss"] == pytest.approx(better.loss, rel=1e-12), (
        "as good as twice the compute"
    )
    same = data_worth.curated(LAW, 1e24, 1e15, 1)
    assert same.loc["curated", "loss"] == same.loc["all", "loss"]


def test_a_limit_costs_loss_beyond_the_data_alone():
    table = data_worth.limited(LAW, [1e23, 1e26, 1e28], 1e13)
    assert table.loc[1e23, "passes"] == 1
    assert table.loc[1e23, "loss"] == table.loc[1e23, "free"]
    assert (table.loc[[1e26, 1e28], "loss"] > table.loc[[1e26, 1e28], "free"]).all()
    assert table.loc[1e28, "passes"] > table.loc[1e26, "passes"] > 1


def test_learning_curves_pass_through_the_models():
    curves = data_worth.learning_curves(LAW, FRAME.loc[["Llama 3 8B"]], [1e12, 15e12])
    assert curves.loc[15e12, "Llama 3 8B"] == LAW.loss(*FRAME.loc["Llama 3 8B", ["parameters", "tokens"]])


def test_the_makers_claims_are_read_by_their_full_names(monkeypatch):
    assert data_worth.claims_of_dbrx() == {"data": 2, "experts": 2, "all": 4}
    rows = [row for row in facts.rows("quoted_figures") if "by experts" not in row["quantity"]]
    monkeypatch.setattr(facts, "rows", lambda table: rows)
    with pytest.raises(CohortError, match="0 quoted figures of DBRX"):
        data_worth.claims_of_dbrx()
