"""Designs: shapes of a size, the best of a grid by hand, limits kept, and what they cost."""

from __future__ import annotations

import pytest

import cohort
from cohort.errors import ParameterError, UnknownNameError
from cohort.footprint import training_hours
from cohort.planning import Demand, Designer, Goal, Limits, llama_like, plan
from cohort.planning.designing import worth

H100 = "H100 SXM 80GB"
DEMAND = Demand(1000, 300, requests_per_s=10)
LIMITS = Limits(token_s=0.05, first_token_s=3)
LAW = cohort.law("besiroglu")


@pytest.fixture(scope="module")
def designer() -> Designer:
    return Designer([H100], weight_dtype="fp8")


@pytest.mark.parametrize("size", [5e8, 3e9, 8e9, 70e9, 405e9, 2e12])
def test_shapes_are_near_their_size_and_of_usual_proportions(size):
    found = llama_like(size)
    assert found.parameters == pytest.approx(size, rel=0.03)
    assert 60 < found.hidden / len(found.layers) < 300
    assert found.attention_heads == (found.hidden // 128,)
    assert found.hidden % 1024 == 0


def test_eight_billion_are_those_of_llama():
    llama, found = cohort.model("llama-3-8b"), llama_like(llama_size := 8.03e9)
    assert (found.hidden, len(found.layers), found.parameters) == (4096, 32, llama.parameters)
    assert found.parameters == pytest.approx(llama_size, rel=1e-3)


def test_a_mixture_keeps_its_active_size():
    dense, mixture = llama_like(8e9), llama_like(8e9, (64, 8))
    routers = 32 * 64 * 4096
    assert mixture.active_parameters == dense.parameters + routers
    network = 32 * 3 * 4096 * 14336
    assert mixture.parameters == dense.parameters + 7 * network + routers
    assert dense.parameters < worth(mixture) < mixture.parameters
    assert worth(dense) == dense.parameters


def test_kinds_of_attention_change_the_cache_alone_in_this_way():
    sizes = {
        kind: llama_like(8e9, (1, 1), kind).kv_cache_bytes(8192)
        for kind in ("grouped", "multi-head", "latent")
    }
    assert sizes["multi-head"] == 4 * sizes["grouped"]
    assert sizes["latent"] == 32 * 8192 * 2 * (512 + 64)


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ((1e8,), ParameterError),
        ((8e9, (4, 8)), ParameterError),
        ((8e9, (0, 0)), ParameterError),
        ((8e9, (1, 1), "flash"), UnknownNameError),
    ],
)
def test_shapes_that_cannot_be_are_refused(given, error):
    with pytest.raises(error):
        llama_like(*given)


def priced_by_hand(size: float, goal: Goal) -> float:
    """Training and use of a dense model, from the laws, the plan and the prices alone."""
    spec = llama_like(size)
    tokens = LAW.tokens_for(spec.parameters, goal.loss)
    price = sum(cohort.accelerator(H100).usd_per_hour) / 2
    trained = training_hours(6 * spec.parameters * tokens, H100) * price
    found = plan(spec, H100, goal.demand, goal.limits, weight_dtypes=["fp8"], apart=False)
    return trained + goal.lifetime_tokens / 1e6 * min(each.usd_per_million_tokens for each in found.options)


@pytest.mark.slow
def test_the_best_is_no_dearer_than_any_size_of_a_grid_by_hand():
    dense = Designer([H100], experts=[(1, 1)], weight_dtype="fp8")
    goal = Goal(DEMAND, 1e12, loss=2.05, limits=LIMITS)
    best = dense.design(goal).best
    grid = [4e9 * 1.5**step for step in range(8)]
    prices = [priced_by_hand(size, goal) for size in grid]
    assert best.usd <= min(prices) * 1.0001
    assert best.usd > 0.9 * min(prices)
    assert best.loss == pytest.approx(2.05, abs=1e-9)
    assert best.usd == pytest.approx(priced_by_hand(best.spec.parameters, goal), rel=0.01)


@pytest.mark.slow
def test_more_use_makes_a_smaller_model_trained_on_more(designer):
    found = [designer.design(Goal(DEMAND, life, loss=2.0, limits=LIMITS)).best for life in (1e11, 1e13, 1e15)]
    sizes = [each.spec.active_parameters for each in found]
    assert sizes == sorted(sizes, reverse=True)
    assert found[0].tokens < found[-1].tokens
    # Much use moves the training away from compute-optimality, little does not.
    least = LAW.compute_optimal(loss=2.0).flop
    assert found[0].training_flop < found[-1].training_flop
    assert found[-1].training_flop > 0.5 * least


@pytest.mark.slow
def test_compute_that_is_given_is_spent_and_not_passed(designer):
    found = designer.design(Goal(DEMAND, 1e11, training_flop=1e23, limits=LIMITS))
    assert found.found
    for each in found.found:
        assert each.training_flop == pytest.approx(1e23, rel=1e-6)
        assert each.loss >= found.best.loss
    dense = [each for each in found.found if each.experts == (1, 1)]
    optimum = LAW.compute_optimal(1e23)
    assert dense[0].loss == pytest.approx(optimum.loss, rel=2e-3)


@pytest.mark.slow
def test_money_is_a_limit_on_training_and_use(designer):
    goal = Goal(DEMAND, 1e12, usd=3e6, limits=LIMITS)
    found = designer.design(goal)
    assert found.found
    assert all(each.usd <= 3e6 * (1 + 1e-6) for each in found.found)
    richer = designer.design(Goal(DEMAND, 1e12, usd=6e6, limits=LIMITS)).best
    assert richer.loss < found.best.loss


@pytest.mark.slow
def test_a_looser_limit_never_makes_it_worse(designer):
    goal = Goal(DEMAND, 1e12, loss=2.0, limits=Limits(token_s=0.02, first_token_s=1.0))
    prices = designer.shadow_prices(goal)
    assert set(prices) == {"loss", "token_s", "first_token_s"}
    assert prices["loss"][1] < 0
    assert all(usd <= 1e-6 for _, usd in prices.values())


@pytest.mark.slow
def test_what_nothing_reaches_has_its_reasons(designer):
    slow = designer.design(Goal(DEMAND, 1e12, loss=2.0, limits=Limits(token_s=1e-5)))
    assert slow.best is None and "a token takes" in slow.rejected[0].why
    assert designer.shadow_prices(Goal(DEMAND, 1e12, loss=2.0, limits=Limits(token_s=1e-5))) == {}
    poor = designer.design(Goal(DEMAND, 1e12, loss=2.0, usd=100.0))
    assert poor.best is None and "are" not in poor.rejected[0].what


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "needs a loss, training_flop or usd"),
        ({"loss": -1.0}, "loss"),
        ({"usd": 0}, "usd"),
        ({"training_flop": float("nan")}, "training_flop"),
        ({"loss": 2.0, "lifetime_tokens": 0}, "lifetime_tokens"),
    ],
)
def test_goals_that_cannot_be_are_refused(given, said):
    with pytest.raises(ParameterError, match=said):
        Goal(**{"demand": DEMAND, "lifetime_tokens": 1e12, **given})


def test_a_trainer_without_a_price_is_refused():
    with pytest.raises(ParameterError, match="price"):
        Designer(["A6000"])
