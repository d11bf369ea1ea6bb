"""Plans: every way is tried once, no limit is broken, nothing kept is beaten, and brute force agrees."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import product
from math import ceil, inf

import pytest

import cohort
from cohort.errors import ParameterError, UnknownNameError
from cohort.planning import Demand, Limits, Plan, Way, plan, ways
from cohort.planning.options import FAILURES
from cohort.planning.search import cheapest_option
from cohort.serving import Layout, Worker, largest_concurrency, memory_budget, serve, serve_apart

H100 = "H100 SXM 80GB"
MODELS = ("llama-3-8b", "llama-3-70b", "mixtral-8x7b-v0.1", "gpt-oss-20b", "qwen3-30b-a3b")
ACCELERATORS = (H100, "L40S", "B200", "MI300X")


def answers(found: Plan) -> tuple[float, ...]:
    """What an option is compared by; what is not known is worst."""
    return tuple(
        (
            *(
                inf if each is None else each
                for each in (option.usd_per_hour, option.energy_kwh, option.co2e_kg)
            ),
            option.accelerators,
            option.serving.tpot_s,
            option.serving.ttft_s,
        )
        for option in found.options
    )


def drawn(seed: int) -> tuple[str, list[str], Demand, Limits, dict[str, object]]:
    """One random task."""
    pick = random.Random(seed)
    users = pick.choice([1, 3, 17, 100, 900])
    much = {"users": users} if pick.random() < 0.6 else {"requests_per_s": pick.choice([0.05, 1.5, 20.0])}
    demand = Demand(pick.choice([1, 200, 4000, 30000]), pick.choice([1, 60, 700]), **much)
    limits = Limits(
        first_token_s=pick.choice([None, 0.3, 3.0]),
        token_s=pick.choice([None, 0.008, 0.03, 0.1]),
        accelerators=pick.choice([1, 2, 4, 8]),
        usd_per_hour=pick.choice([None, None, 10.0, 60.0]),
        grams_per_answer=pick.choice([None, None, 0.02, 1.0]),
    )
    types = {
        "weight_dtypes": pick.choice([["released"], ["bf16", "fp8"]]),
        "kv_dtypes": pick.choice([["bf16"], ["fp8"]]),
    }
    return pick.choice(MODELS), pick.sample(ACCELERATORS, pick.choice([1, 2])), demand, limits, types


@pytest.mark.slow
@pytest.mark.parametrize(
    "block", [0, 1, *(pytest.param(each, marks=pytest.mark.weekly) for each in range(2, 6))]
)
def test_three_hundred_tasks_break_no_limit_and_keep_nothing_that_is_beaten(block):
    for seed in range(50 * block, 50 * block + 50):
        model, devices, demand, limits, types = drawn(seed)
        found = plan(model, devices, demand, limits, **types)
        assert found.tried == found.kept + len(found.rejected)
        for option in found.options:
            kept = option.serving
            assert kept.fits
            assert kept.ttft_s <= (limits.first_token_s or inf) and kept.tpot_s <= (limits.token_s or inf)
            assert option.accelerators <= limits.accelerators
            assert (option.usd_per_hour or 0) <= (limits.usd_per_hour or inf)
            assert (option.grams_per_answer or 0) <= (limits.grams_per_answer or inf)
            if demand.users is not None:
                assert option.users >= demand.users
            else:
                assert option.requests_per_s >= demand.requests_per_s * (1 - 1e-9)
        values = answers(found)
        for one, other in product(range(len(values)), repeat=2):
            if one != other:
                beaten = all(a <= b for a, b in zip(values[one], values[other], strict=True))
                assert not beaten, (seed, found.options[one].words, found.options[other].words)
        for before, after in zip(found.frontier, found.frontier[1:], strict=False):
            assert before.tokens_per_s_per_user > after.tokens_per_s_per_user
            assert before.tokens_per_s_per_accelerator < after.tokens_per_s_per_accelerator


def by_hand(model: str, device: str, way: Way, demand: Demand, limits: Limits) -> int | None:
    """The accelerators that a way needs, every number of users tried one after the other."""
    layout = way.layout
    shape = {
        "tensor_parallel": layout.tensor,
        "pipeline_parallel": layout.pipeline,
        "attention_data_parallel": layout.data,
        "expert_parallel": layout.expert,
    }
    lengths = {"input_tokens": demand.input_tokens, "output_tokens": demand.output_tokens}
    most = max(way.writers, 1) * largest_concurrency(model, device, **lengths, **shape)
    best = 0
    for count in range(1, min(most, demand.users) + 1):
        if way.apart:
            groups = Worker(way.readers, **shape), Worker(way.writers, **shape)
            found = serve_apart(model, device, *groups, count, **lengths)
        else:
            found = serve(model, device, concurrency=count, **lengths, **shape)
        if limits.late(found.ttft_s, found.tpot_s):
            break
        best = count
    return ceil(demand.users / best) * way.devices if best else None


@pytest.mark.parametrize(
    ("model", "users", "limits"),
    [
        ("llama-3-8b", 40, Limits(token_s=0.012, accelerators=8)),
        ("llama-3-8b", 25, Limits(first_token_s=0.5, accelerators=4)),
        ("mixtral-8x7b-v0.1", 30, Limits(token_s=0.02, accelerators=8)),
    ],
)
def test_trying_every_load_of_every_way_finds_no_fewer_accelerators(model, users, limits):
    demand = Demand(1500, 200, users=users)
    found = plan(model, H100, demand, limits, weight_dtypes=["bf16"])
    tried = list(ways(cohort.model(model), cohort.accelerator(H100), limits.accelerators))
    assert found.tried == len(tried)
    needed = [need for way in tried if (need := by_hand(model, H100, way, demand, limits)) is not None]
    fitting = [need for need in needed if need <= limits.accelerators]
    assert found.kept == len(fitting)
    assert found.fewest.accelerators == min(fitting)


@pytest.mark.slow
@pytest.mark.parametrize("by_token", [False, True])
def test_the_cheapest_alone_is_that_of_the_whole_plan(by_token):
    """Whatever is tried first; and where nothing serves, the reason is the last of the plan."""
    served, first = 0, None
    for seed in range(40):
        model, devices, demand, limits, types = drawn(seed)
        limits = replace(limits, accelerators=None, usd_per_hour=None)
        found = plan(model, devices, demand, limits, apart=False, frontier=False, **types)
        option, why = cheapest_option(model, devices, demand, limits, by_token=by_token, first=first, **types)
        price = "usd_per_million_tokens" if by_token else "usd_per_hour"
        prices = [getattr(each, price) for each in found.options]
        if prices:
            served, first = served + 1, option.way
            assert option == found.options[prices.index(min(prices))], seed
        else:
            assert (option, why) == (None, found.rejected[-1].why), seed
    assert 10 < served < 40


def test_layouts_are_those_that_the_heads_and_links_allow():
    llama = [way.layout for way in ways(cohort.model("llama-3-8b"), cohort.accelerator(H100), 8, apart=False)]
    assert len(set(llama)) == len(llama)
    shapes = {(each.tensor, each.pipeline) for each in llama}
    assert shapes == {(t, p) for t in (1, 2, 4, 8) for p in (1, 2, 4) if t * p <= 8}
    mixture = [
        way.layout for way in ways(cohort.model("deepseek-v3"), cohort.accelerator("H200"), 8, apart=False)
    ]
    assert Layout(1, 1, 8, True) in mixture and Layout(8) in mixture
    alone = [way.layout for way in ways(cohort.model("llama-3-8b"), cohort.accelerator("RTX 4090"), 1)]
    assert alone == [Layout()]


def test_what_cannot_serve_says_why():
    found = plan(
        "llama-3-70b", "L40S", Demand(1000, 100, users=1), Limits(accelerators=2), weight_dtypes=["bf16"]
    )
    assert not found.options and found.cheapest is None and found.fastest is None
    assert "2 L40S: 2 share each layer" in found.rejected[-1].what or len(found.rejected) > 1
    assert all("can be used" in each.why for each in found.rejected)
    slow = plan("llama-3-8b", "L4", Demand(500, 100, users=1), Limits(token_s=0.005, accelerators=1))
    assert "even a single answer is late: a token takes" in slow.rejected[0].why
    long = plan("llama-3-8b", H100, Demand(9000, 100, users=1))
    assert long.rejected[0].why == "it is offered for 8,192 tokens, and prompt and answer take 9,100"
    dear = plan("llama-3-8b", H100, Demand(500, 100, users=1), Limits(usd_per_hour=1.0))
    assert all("are allowed" in each.why for each in dear.rejected)


@pytest.mark.slow
def test_each_accelerator_has_its_cheapest_and_no_copy_is_larger_than_asked():
    demand, names = Demand(1000, 300, users=200), [H100, "H200", "L40S"]
    found = plan("llama-3-70b", names, demand, Limits(token_s=0.05))
    alone = [plan("llama-3-70b", name, demand, Limits(token_s=0.05)).cheapest for name in names]
    assert [each.usd_per_hour for each in found.each] == sorted(each.usd_per_hour for each in alone if each)
    assert found.each[0] == found.cheapest
    small = plan("llama-3-70b", H100, demand, Limits(token_s=0.05), largest=4)
    assert max(each.way.devices for each in small.options) == 4
    assert small.tried < plan("llama-3-70b", H100, demand, Limits(token_s=0.05)).tried
    with pytest.raises(ParameterError, match="largest is 0"):
        plan("llama-3-70b", H100, demand, largest=0)
    # The links of a pod join more than energy is known for.
    assert plan("deepseek-v3", "TPU v4", demand, apart=False).tried > 100


def test_every_failure_has_its_kind():
    found = plan("llama-3-70b", [H100, "L4"], Demand(1000, 300, users=9), Limits(0.2, 0.03, 4, 20.0, 0.5))
    assert {each.kind for each in found.rejected} >= {"memory", "time"}
    assert {each.kind for each in found.rejected} <= set(FAILURES)


def test_prices_that_are_given_replace_those_of_the_data():
    demand = Demand(500, 100, users=10)
    usual = plan("llama-3-8b", [H100, "L40S"], demand)
    turned = plan("llama-3-8b", [H100, "L40S"], demand, prices={"h100 sxm": 0.01})
    assert usual.cheapest.accelerator == "L40S" and turned.cheapest.accelerator == H100
    assert turned.cheapest.usd_per_hour == pytest.approx(0.01 * turned.cheapest.accelerators)


def test_energy_and_carbon_are_those_of_an_answer():
    """A way that one group of devices shares by layers alone: `cohort.footprint.serving` has the same."""
    found = plan(
        "llama-3-70b",
        H100,
        Demand(1024, 256, users=64),
        Limits(accelerators=4),
        weight_dtypes=["bf16"],
        apart=False,
    )
    option = next(each for each in found.options if each.way == Way(Layout(4)))
    whole = cohort.footprint.serving(
        model="llama-3-70b", accelerator=H100, accelerators=4, concurrency=option.serving.concurrency,
        input_tokens=1024, output_tokens=256, boundary="with_embodied",
    )  # fmt: skip
    assert option.energy_kwh == pytest.approx(whole.energy_kwh, rel=1e-12)
    assert option.co2e_kg == pytest.approx(whole.co2e_kg, rel=1e-12)


def test_a_looser_limit_never_costs_more():
    prices = [
        plan(
            "llama-3-70b",
            [H100, "H200"],
            Demand(1000, 300, users=300),
            Limits(token_s=s),
            weight_dtypes=["fp8"],
        ).cheapest
        for s in (0.015, 0.02, 0.04, 0.1)
    ]
    costs = [each.usd_per_hour for each in prices]
    assert costs == sorted(costs, reverse=True)


def test_what_a_copy_holds_is_what_the_memory_budget_says():
    found = plan(
        "llama-3-8b", "L40S", Demand(6000, 2000, users=4), Limits(accelerators=1), weight_dtypes=["bf16"]
    )
    one = found.options[0].serving.concurrency
    assert memory_budget("llama-3-8b", "L40S", context=8000, batch=one, weight_dtype="bf16").fits


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"users": None}, "neither was given"),
        ({"users": 1, "requests_per_s": 2.0}, "both were given"),
        ({"users": 0}, "users is 0"),
        ({"users": 2, "input_tokens": -1}, "input_tokens is -1"),
        ({"requests_per_s": float("nan"), "users": None}, "requests_per_s"),
        ({"users": 2, "prefix_share": 1.5}, "prefix_share is 1.5"),
    ],
)
def test_demands_that_cannot_be_are_refused(given, said):
    with pytest.raises(ParameterError, match=said):
        Demand(**{"input_tokens": 10, "output_tokens": 10, **given})


@pytest.mark.parametrize(
    "limit", ["first_token_s", "token_s", "accelerators", "usd_per_hour", "grams_per_answer"]
)
@pytest.mark.parametrize("value", [0, -1.5, float("nan"), "1"])
def test_limits_that_cannot_be_are_refused(limit, value):
    with pytest.raises(ParameterError, match=limit):
        Limits(**{limit: value})


def test_names_that_are_not_known_are_refused():
    demand = Demand(10, 10, users=1)
    with pytest.raises(UnknownNameError, match="H100"):
        plan("llama-3-8b", "H1000", demand)
    with pytest.raises(UnknownNameError):
        plan("llama-3-8b", H100, demand, prices={"nothing": 1.0})
    with pytest.raises(UnknownNameError):
        plan("llama-3-8b", H100, demand, place="Atlantis")
    with pytest.raises(ParameterError, match="models is empty"):
        plan([], H100, demand)
