"""Use beside making: hours, break-even points and their ranges, by hand."""

import pytest

import cohort
from cohort.chapters.serving_footprint import making
from cohort.footprint.answers import break_even, serving
from cohort.footprint.training_runs import training

CHAT = {"accelerator": "H100 SXM 80GB", "input_tokens": 256, "output_tokens": 400}
COHORT = ["llama-2-7b", "llama-3-8b", "llama-3-70b", "mixtral-8x22b-v0.1", "command-r-v01"]


def test_hours_of_training():
    hours = {name: making.hours_of(cohort.model(name)) for name in [*COHORT, "snowflake-arctic", "gemma-7b"]}
    assert hours["llama-3-70b"] == ("H100 SXM 80GB", 6.4e6, "published")
    assert hours["snowflake-arctic"][2] == "at most"
    assert hours["gemma-7b"][0] == "TPU v5e" and hours["gemma-7b"][2] == "estimated"
    assert hours["command-r-v01"] is None is hours["mixtral-8x22b-v0.1"]


def test_break_even_by_hand():
    found = making.break_evens(COHORT, 64, 1e7, **CHAT)
    made = training(accelerator="H100 SXM 80GB", accelerator_hours=6.4e6)
    one = serving(model="llama-3-70b", concurrency=64, **CHAT)
    row = found.loc["Llama 3 70B"]
    assert row["made"] == pytest.approx(6.4e6 * 0.969 * 1.10 * 0.38355 / 1000, rel=1e-3)
    assert row["answers"] == pytest.approx(break_even(made, one))
    assert row["days"] == pytest.approx(row["answers"] / 1e7)
    assert list(found.index) == ["Llama 2 7B", "Llama 3 8B", "Llama 3 70B"]
    between = making.break_even_spread("llama-3-70b", 64, draws=20_000, **CHAT)
    assert between is not None
    assert between.low < row["answers"] < between.high
    # The grid is the same for both, and cancels.
    assert between.shares()["grid_g_per_kwh"] < 0.01
    assert making.break_even_spread("command-r-v01", 64, **CHAT) is None


def test_a_bound_of_the_hours_is_not_taken_for_exact():
    """Hours from the tokens, never above the bound: all of the range lies below what the bound gives."""
    found = making.break_evens(["dbrx"], 64, 1e7, **CHAT).loc["DBRX"]
    between = making.break_even_spread("dbrx", 64, draws=20_000, **CHAT)
    assert found["known"] == "at most"
    assert between.median < found["answers"]
    assert between.high / between.low > 3
