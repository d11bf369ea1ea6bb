"""Measured loads of routers, and the slowest device beside what is predicted for it."""

import math
from statistics import median

import pytest

from cohort.chapters.expert_tradeoffs import placed
from cohort.errors import ParameterError
from cohort.experts import closed_form, loads, router, skews


def test_loads_count_every_assignment_of_every_token():
    """204 sequences of 1,024 tokens, to eight or two experts each; those of the tuned model are fewer."""
    for each in loads.measured_loads():
        assert sum(each.assignments) % each.active == 0
        tokens = sum(each.assignments) // each.active
        assert tokens == 208_896 or (each.text == "tulu" and tokens == 205_243)
        assert sum(each.popularity) == pytest.approx(each.active)
        assert sum(each.over_mean) == pytest.approx(len(each.assignments))
    assert len({each.model for each in loads.measured_loads()}) == 2


def test_a_load_by_hand():
    load = loads.Load("a model", "a text", 0, 2, (6, 2, 2, 2))
    assert load.over_mean == pytest.approx([2, 2 / 3, 2 / 3, 2 / 3])
    assert load.popularity == pytest.approx([1, 1 / 3, 1 / 3, 1 / 3])
    assert load.variation == pytest.approx(math.sqrt((1 + 3 / 9) / 4))


@pytest.mark.parametrize(("experts", "active", "skew"), [(64, 8, 0.7), (8, 2, 0.2), (256, 8, 1.31)])
def test_the_skew_of_a_skewed_router_is_its_skew(experts, active, skew):
    popular = router.popularity(router.weights(experts, skew), active)
    assert skews.skew_of(float(popular.std() / popular.mean()), experts, active) == skew
    assert skews.skew_of_hottest(float(popular.max() / popular.mean()), experts, active) == skew
    assert skews.skew_of(0, experts, active) == 0 == skews.skew_of_hottest(1, experts, active)


def test_no_skew_is_beyond_that_of_the_router():
    assert skews.skew_of(100, 64, 8) == router.MOST_SKEW
    with pytest.raises(ParameterError, match="hottest is"):
        skews.skew_of_hottest(0.5, 64, 8)


def test_devices_that_vary_tell_how_their_experts_do():
    """Blind groups of eight of 256 vary by the root of 248 / (8 x 255) of what their experts vary by."""
    first = loads.measured_devices()[0]
    assert first.variation == pytest.approx(0.18355 * math.sqrt(8 * 255 / 248))
    assert all(each.variation is None for each in loads.measured_devices() if each.by_load)


def test_the_slowest_device_is_within_a_quarter_where_the_spread_of_its_layer_is_known():
    """Half to twice is not good enough; the layers of Qwen3 are the two extremes and the middle of 48."""
    frame = placed.slowest_devices().dropna()
    errors = (frame[placed.KNOWN] / frame["measured"] - 1).abs()
    assert errors.median() < 0.12 and (errors <= 0.25).mean() > 0.85
    assert errors.groupby(frame["model"]).median().drop("Mistral Small 4").max() < 0.25
    assert set(frame["model"]) == {
        "OLMoE 1B-7B", "Mixtral 8x7B", "DeepSeek-R1", "Mistral Small 4", "Qwen3 30B-A3B"
    }  # fmt: skip


def test_other_models_alone_tell_the_mean_of_layers_and_not_one():
    """The 58 layers of DeepSeek-R1 have 2.564 in the mean, by its source; the layers alone miss by more."""
    frame = placed.slowest_devices()
    rows = frame[frame["model"] == "DeepSeek-R1"]
    assert rows[placed.OTHERS].nunique() == 1
    assert rows[placed.OTHERS].iloc[0] == pytest.approx(2.564, rel=0.1)
    assert (rows[placed.OTHERS] / rows["measured"] - 1).abs().max() > 0.25


def test_a_model_does_not_tell_its_own_skew():
    table = placed.measured_skews()["middle"]
    for name in table.index:
        assert placed.usual_skew(name) == median(table.drop(name))
    assert placed.usual_skew() == median(table)


def test_placed_by_load_with_copies_is_within_a_tenth_of_the_measured():
    frame = placed.known_placements()
    assert len(frame) == 6 and (frame["predicted"] / frame["measured"] - 1).abs().max() < 0.1


def test_yesterdays_texts_help_less_than_ones_own_and_copies_help():
    frame = placed.other_texts().drop(columns=["text", "layer"]).median()
    assert frame["by its own"] < 1.05 < frame["with copies"] < frame["by other texts"] < frame["as numbered"]


def test_measured_loads_read_fewer_experts_than_alike_ones_and_drop_more():
    for each in loads.measured_loads():
        count, even = len(each.assignments), (len(each.assignments), each.active)
        assert closed_form.coverage(*even, 32, each.popularity) < closed_form.coverage(count, each.active, 32)
        skewed = closed_form.dropped(*even, 4096, 1.25, each.popularity)
        assert skewed > closed_form.dropped(*even, 4096, 1.25)
