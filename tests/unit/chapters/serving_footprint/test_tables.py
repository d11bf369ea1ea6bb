"""Use as tables: what the chapter on the footprint of serving shows, by another way."""

import math

import pandas as pd
import pytest

import cohort
from cohort.chapters.serving_footprint import tables
from cohort.display import words
from cohort.footprint.answers import break_even, serving
from cohort.footprint.training_runs import training

CHAT = {"accelerator": "H100 SXM 80GB", "input_tokens": 256, "output_tokens": 400}
COHORT = ["llama-2-7b", "llama-3-8b", "llama-3-70b", "mixtral-8x22b-v0.1", "command-r-v01"]


def test_errors_by_class_are_those_that_the_book_prints():
    found = tables.classes()
    assert list(found["rows"]) == [35, 35, 5, 3, 1]
    spreads = found["spread"].iloc[:4]
    assert list(spreads) == pytest.approx([1.32, 1.383, 1.23, 1.22], abs=0.015)
    assert list(found["median"]) == pytest.approx([1.04, 1.05, 1.09, 0.85, 1.02], abs=0.015)
    assert found["spread"]["H100, each model from the others"] <= 1.4


def test_requests_by_littles_law():
    """At a request a second as many are answered as last seconds; predicted power stays below the rating."""
    found = tables.requests_compared().set_index(["model", "load"])
    olmo = cohort.serving.serve(
        "olmo-2-7b", "H100 SXM 80GB", input_tokens=238, output_tokens=210,
        attained=cohort.serving.with_recent_kernels(),
    )  # fmt: skip
    assert found.loc[("OLMo 2 7B", "1 request/s"), "concurrency"] == pytest.approx(olmo.request_s, rel=0.05)
    single = found[found.index.get_level_values("load") == "1 request/s"]
    assert (single["predicted"] < 700).all()
    assert (found["ratio"].between(0.55, 1.1)).all()


def test_spread_of_known_ratios():
    found = tables.ratio_spread([0.5, 1.0, 2.0])
    assert found["median"] == pytest.approx(1)
    assert found["spread"] == pytest.approx(math.exp(math.log(2)))
    assert (found["least"], found["greatest"]) == pytest.approx((0.5, 2.0))
    assert math.isnan(tables.ratio_spread([1.1])["spread"])


def test_answers_are_those_of_the_ledger():
    models = tables.by_model(COHORT, 64, **CHAT)
    sweep = tables.by_batch(["llama-3-70b"], 64, **CHAT).set_index("concurrency")
    one = serving(model="llama-3-70b", concurrency=64, **CHAT)
    assert models.loc["Llama 3 70B", "wh"] == pytest.approx(1000 * one.energy_kwh)
    assert sweep.loc[64, "wh"] == pytest.approx(1000 * one.energy_kwh)
    assert list(models.index) == ["Llama 2 7B", "Llama 3 8B", "Llama 3 70B", "Mixtral 8x22B", "Command R"]
    assert models["mixture"].tolist() == [False, False, False, True, False]


def test_what_does_not_fit_is_left_out():
    asked = {**CHAT, "accelerator": "L4"}
    assert tables.by_model(["llama-3.1-405b"], 64, **asked).empty
    assert tables.by_batch(["llama-3.1-405b"], 3, **asked).empty
    assert tables.break_evens(["llama-3.1-405b"], 64, 1e6, **asked).empty
    assert tables.own_queries(["llama-3.1-405b"], 64, **asked).empty


def test_parts_of_a_prompt_add_up():
    found = tables.by_prompt("llama-3-70b", 64, **CHAT)
    assert found[["chat", "prompt", "cache"]].sum(axis=1).tolist() == pytest.approx(found["wh"].tolist())
    service = cohort.footprint.service("llama-3-70b", **CHAT)
    share = service.prompt_j / service.joules
    assert found.loc[256, ["prompt", "cache"]].tolist() == pytest.approx([share * found.loc[256, "wh"], 0])
    assert found["wh"].is_monotonic_increasing
    assert (found["concurrency"] == 64).all()
    # The config of the model provides for 8,192 tokens, of which 400 are the answer's.
    assert list(found.index) == [256, 1024, 4096, 7792]
    beyond = tables.by_prompt("llama-3-70b", 64, **{**CHAT, "input_tokens": 10_000})
    assert list(beyond.index) == [256, 1024, 4096, 7792, 10_000]
    long = tables.by_prompt("llama-3.1-405b", 64, **CHAT)
    assert long.loc[65536, "concurrency"] < 64 == long.loc[256, "concurrency"]


def test_measured_answers_by_hand():
    """0.797 J an output token at 63.8 requests: times 400, the host, idle machines and the data centre."""
    found = tables.measured_answers("llama-3-70b", 256, 400).set_index("concurrency")["wh"]
    assert found[63.8] == pytest.approx(0.797 * 400 / 3600 * 1.43 / (1 - 0.10 / 0.93) * 1.10, rel=1e-9)
    assert tables.measured_answers("dbrx", 256, 400).empty
    assert tables.measured_answers("llama-3-70b", 4096, 400).empty
    assert tables.measured_answers("llama-3-70b", 256, 10).empty


def test_hours_of_training():
    hours = {name: tables.hours_of(cohort.model(name)) for name in [*COHORT, "snowflake-arctic", "gemma-7b"]}
    assert hours["llama-3-70b"] == ("H100 SXM 80GB", 6.4e6, "published")
    assert hours["snowflake-arctic"][2] == "at most"
    assert hours["gemma-7b"][0] == "TPU v5e" and hours["gemma-7b"][2] == "estimated"
    assert hours["command-r-v01"] is None is hours["mixtral-8x22b-v0.1"]


def test_break_even_by_hand():
    found = tables.break_evens(COHORT, 64, 1e7, **CHAT)
    made = training(accelerator="H100 SXM 80GB", accelerator_hours=6.4e6)
    one = serving(model="llama-3-70b", concurrency=64, **CHAT)
    row = found.loc["Llama 3 70B"]
    assert row["made"] == pytest.approx(6.4e6 * 0.969 * 1.10 * 0.38355 / 1000, rel=1e-3)
    assert row["answers"] == pytest.approx(break_even(made, one))
    assert row["days"] == pytest.approx(row["answers"] / 1e7)
    assert list(found.index) == ["Llama 2 7B", "Llama 3 8B", "Llama 3 70B"]
    between = tables.break_even_spread("llama-3-70b", 64, draws=20_000, **CHAT)
    assert between is not None
    assert between.low < row["answers"] < between.high
    # The grid is the same for both, and cancels.
    assert between.shares()["grid_g_per_kwh"] < 0.01
    assert tables.break_even_spread("command-r-v01", 64, **CHAT) is None


def test_a_bound_of_the_hours_is_not_taken_for_exact():
    """Hours from the tokens, never above the bound: all of the range lies below what the bound gives."""
    found = tables.break_evens(["dbrx"], 64, 1e7, **CHAT).loc["DBRX"]
    between = tables.break_even_spread("dbrx", 64, draws=20_000, **CHAT)
    assert found["known"] == "at most"
    assert between.median < found["answers"]
    assert between.high / between.low > 3


def test_small_amounts_are_written_out():
    assert [words.mass(kg) for kg in (241e3, 0.2, 0.05, 5.37e-5)] == ["241 t", "0.2 kg", "50 g", "53.7 mg"]
    assert words.plainly(1.8e-11) == "less than 0.000001"
    assert [words.plainly(each) for each in (4.13e10, 0.08, 5.37e-5, 0)] == [
        "41.3 billion",
        "0.08",
        "0.0000537",
        "0",
    ]


def test_published_break_even_points_are_met():
    found = tables.published_break_evens()
    assert len(found) == 3
    assert (found["recomputed (billion)"] / found["printed (billion)"]).tolist() == pytest.approx(
        [1, 1, 1], abs=0.01
    )


def test_published_figures_are_recomputed():
    found = tables.arithmetic()
    assert len(found) == 3
    assert found["off (%)"].abs().max() < 0.5


def test_plants_state_design_and_capture_apart():
    found = tables.plants(["llama-2-70b", "dbrx", "command-r-v01"])
    assert list(found.index) == ["Llama 2 70B", "DBRX"]
    for name, model in (("Llama 2 70B", "llama-2-70b"), ("DBRX", "dbrx")):
        device, hours, known = tables.hours_of(cohort.model(model))
        tonnes = training(accelerator=device, accelerator_hours=hours).co2e_kg / 1000
        assert found.loc[name, ["tonnes", "months", "times"]].tolist() == pytest.approx(
            [tonnes, tonnes / 36000 * 12, tonnes / 105]
        )
        assert found.loc[name, "known"] == known
    assert found.loc["Llama 2 70B", "published"] == 291.42 and math.isnan(found.loc["DBRX", "published"])
    in_france = tables.plants(["llama-2-70b"], "France").loc["Llama 2 70B"]
    grids = [cohort.grid(place).g_per_kwh for place in ("France", "USA")]
    assert in_france["tonnes"] == pytest.approx(found.loc["Llama 2 70B", "tonnes"] * grids[0] / grids[1])
    assert tables.emissions("Llama 3.1 family") == 11_390
    assert tables.emissions("no such run") is None


def test_a_tonne_has_sources():
    found = tables.tonne()
    assert found.loc["a resident of the United States", "number"] == pytest.approx(365 / 17.4)
    assert set(found["source"]) <= {row["source"] for row in cohort.registry.facts.rows("equivalences")}
    assert tables.tonne(2000)["number"].tolist() == pytest.approx((2 * found["number"]).tolist())


def test_published_queries_are_in_order():
    found = tables.published()
    assert len(found) == 6
    assert list(found.index[found["derived"]]) == [
        "DeepSeek, 1,000 tokens, derived",
        "Mistral Large 2, 400 tokens, derived",
    ]
    assert (found["low"] <= found["wh"]).all() and (found["wh"] <= found["high"]).all()


def test_fleets_and_answers_are_seeded():
    one, again, other = (tables.fleet_spread(1e6, "H100 SXM 80GB", "USA", 5000, seed) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(one, again)
    assert not one.equals(other)
    assert (one["p5"] < one["p50"]).all() and (one["p50"] < one["p95"]).all()
    assert one.loc["power (GW)", "p5"] < 1.066 < one.loc["power (GW)", "p95"]
    found = cohort.footprint.service("llama-3-70b", input_tokens=256, output_tokens=400)
    drawn = tables.answer_spread(found, "USA", "co2e", 20_000, 1)
    shares = tables.shares(drawn)
    assert (shares >= 0.5).all()
    assert shares.index[0] == "the four terms against measurements"
    assert set(tables.FACTOR_NAMES) == set(cohort.footprint.answers.answer_factors(found.device, "USA"))


def test_one_change_at_a_time():
    found = tables.energy_if_changed("llama-3-70b", 64, grid="USA", **CHAT)
    assert found.loc["as chosen", "times"] == 1
    assert found.loc["8 at once", "times"] > 3
    assert found.loc["one byte a weight", "times"] < 0.6
    assert "8 at once" not in tables.energy_if_changed("llama-3-70b", 8, **CHAT).index


def test_the_ledger_of_an_answer():
    rows = {each: serving(model="llama-3-8b", boundary=each, **CHAT) for each in ("node", "with_embodied")}
    found = tables.ledger(rows, 400, 1e6)
    assert found.loc["node", "a million tokens (kWh)"] == pytest.approx(
        found.loc["node", "energy (Wh)"] * 2.5
    )
    assert found.loc["node", "a year of the service (t)"] == pytest.approx(
        found.loc["node", "CO2e (g)"] * 365e6 / 1e6
    )
