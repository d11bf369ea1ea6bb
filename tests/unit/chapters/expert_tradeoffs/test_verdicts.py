"""The verdicts on experts: each number by another way, and rules that give every grade."""

from functools import cache
from typing import Any

import pytest

import cohort
from cohort.chapters import judging
from cohort.chapters.expert_tradeoffs import verdicts, worth
from cohort.chapters.expert_tradeoffs.sizes import dense_of_active, dense_of_total
from cohort.chapters.expert_tradeoffs.verdicts import _speedup
from cohort.errors import ParameterError
from cohort.registry import facts


@cache
def judged() -> dict[str, Any]:
    return {each.claim: each for each in judging.judge("expert_tradeoffs")}


def test_every_claim_of_the_chapter_is_judged():
    assert set(judged()) == {
        row["claim"] for row in facts.rows("claims") if row["chapter"] == "expert_tradeoffs"
    }


@pytest.mark.parametrize(
    ("claim", "verdict", "value"),
    [
        ("total_far_above_active", "holds", 7.318),
        ("cheats_chinchilla", "holds with limits", 3.304),
        ("sparsity_speeds_serving", "holds with limits", 1.17605),
        ("all_experts_in_memory", "holds", 7.331),
        ("already_overparameterised", "holds with limits", 40),
        ("less_overparameterised_now", "holds", 0.05005),
    ],
)
def test_known_verdicts(claim, verdict, value):
    assert (judged()[claim].verdict, judged()[claim].value) == (verdict, pytest.approx(value, rel=1e-3))
    assert judged()[claim].rule


def test_medians_by_hand():
    """Mixtral 8x22B 3.59, DBRX 3.61, DeepSeek-V2 11.03, Arctic 27.63."""
    assert judged()["total_far_above_active"].value == pytest.approx((3.6084 + 11.0284) / 2, rel=1e-4)


def test_dense_models_would_lose_every_claim(monkeypatch):
    dense = [cohort.model("llama-3-8b"), cohort.model("llama-3-70b")]
    monkeypatch.setattr(verdicts, "_cohort", lambda: dense)
    assert verdicts._total().verdict == verdicts._memory().verdict == "does not hold"
    assert verdicts._fast().verdict == "does not hold"


def test_a_mixture_lies_between_its_dense_counterparts():
    spec = cohort.model("dbrx")
    for number in (1, 64):
        assert (
            _speedup(spec, dense_of_active(spec), number) < 1 < _speedup(spec, dense_of_total(spec), number)
        )


def test_no_verdict_rests_on_what_does_not_fit(monkeypatch):
    monkeypatch.setattr(verdicts, "DTYPE", "bf16")
    with pytest.raises(ParameterError, match="snowflake-arctic does not fit"):
        verdicts._fast()


def test_every_verdict_names_what_would_flip_it():
    assert all("flip" in each.rule for each in judged().values())


def test_measured_worth_decides_whether_mixtures_go_round_the_law(monkeypatch):
    pairs = worth.measured_pairs()
    for dense, verdict in (("total", "holds"), ("active", "does not hold")):
        changed = pairs.assign(dense=pairs[dense])
        monkeypatch.setattr(worth, "measured_pairs", lambda changed=changed: changed)
        assert verdicts._chinchilla().verdict == verdict
    assert verdicts._overparameterised().verdict == "holds with limits"
    monkeypatch.setattr(worth, "measured_pairs", lambda: pairs.assign(dense=pairs["total"]))
    assert verdicts._overparameterised().verdict == "does not hold"


def test_sizes_over_what_data_ask_for_by_hand():
    """With 300 billion tokens GPT-3 has 11.6 times the parameters that the law finds best for them."""
    assert verdicts._over_optimal(cohort.model("gpt3-175b"), 3e11) == pytest.approx(11.56, rel=1e-3)
    best = cohort.law("besiroglu").compute_optimal(tokens=2e12).parameters
    found = verdicts._over_optimal(cohort.model("llama-2-70b"), 2e12)
    assert found == pytest.approx(68_976_648_192 / best) == pytest.approx(0.621, rel=1e-3)


def test_larger_dense_models_would_flip_what_is_said_of_data(monkeypatch):
    monkeypatch.setattr(verdicts, "_over_optimal", lambda spec, tokens: 2.0)
    assert verdicts._less_so_now().verdict == "does not hold"
