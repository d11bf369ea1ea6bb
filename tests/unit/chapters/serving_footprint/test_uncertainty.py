"""How sure an answer is: seeded, its causes, and one change at a time."""

import pandas as pd

import cohort
from cohort.chapters.serving_footprint import scale, uncertainty

CHAT = {"accelerator": "H100 SXM 80GB", "input_tokens": 256, "output_tokens": 400}


def test_fleets_and_answers_are_seeded():
    one, again, other = (scale.fleet_spread(1e6, "H100 SXM 80GB", "USA", 5000, seed) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(one, again)
    assert not one.equals(other)
    assert (one["p5"] < one["p50"]).all() and (one["p50"] < one["p95"]).all()
    assert one.loc["power (GW)", "p5"] < 1.066 < one.loc["power (GW)", "p95"]
    found = cohort.footprint.service("llama-3-70b", input_tokens=256, output_tokens=400)
    drawn = uncertainty.answer_spread(found, "USA", "co2e", 20_000, 1)
    shares = uncertainty.shares(drawn)
    assert (shares >= 0.5).all()
    assert shares.index[0] == "the terms against measurements"
    assert set(uncertainty.FACTOR_NAMES) == set(cohort.footprint.answers.answer_factors(found.device, "USA"))


def test_one_change_at_a_time():
    found = uncertainty.co2e_if_changed("llama-3-70b", 64, grid="USA", **CHAT)
    assert found.loc["as chosen", "times"] == 1
    assert found.loc["8 at once", "times"] > 3
    assert found.loc["one byte a weight", "times"] < 0.6
    assert "8 at once" not in uncertainty.co2e_if_changed("llama-3-70b", 8, **CHAT).index
