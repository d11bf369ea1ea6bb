"""The time of a layer of experts: shapes by hand, a known law found again, errors on shapes left out."""

import pytest

from cohort.chapters.expert_tradeoffs import timing


def test_what_is_read_by_hand():
    """One token reads two of Mixtral's experts of 3 x 4,096 x 14,336 weights: 705 MB at 3.35 TB/s."""
    rows = timing.measured_layers()
    first = rows[(rows["shape"] == "Mixtral 8x7B") & (rows["tokens"] == 1)].iloc[0]
    assert first["covered"] == pytest.approx(2) == first["seen"]
    assert first["read"] == pytest.approx(2 * 3 * 4096 * 14336 * 2 / 3.35e12, rel=1e-9)
    assert len(rows) == 33 and rows["tokens"].max() == 1024
    eighth = rows[rows["shape"].str.startswith("DeepSeek")].iloc[0]
    assert eighth["read"] == pytest.approx(8 * 3 * 7168 * 256 * 2 / 3.35e12, rel=1e-9)


def test_a_law_that_made_the_times_is_found_again():
    rows = timing.measured_layers()
    law = timing.LayerTime(30e-6, 1.3, 0.8)
    read = rows["read"] * rows["seen"] / rows["covered"]
    made = rows.assign(measured=[law.seconds(*each) for each in zip(read, rows["multiplied"], strict=True)])
    found = timing.fitted(made)
    assert (found.fixed_s, found.read, found.multiplied) == pytest.approx((30e-6, 1.3, 0.8), rel=1e-6)


def test_layers_of_a_shape_that_was_left_out_are_within_the_bar_at_the_median():
    frame = timing.layer_times()
    assert frame["error"].abs().median() < 0.15
    assert frame["error"].abs().groupby(frame["shape"]).median().max() < 0.15
    assert (frame["bare"] / frame["measured"] - 1).median() < -0.2  # bandwidth alone is too short


def test_a_shape_does_not_tell_its_own_time():
    rows = timing.measured_layers()
    slow = rows.assign(measured=rows["measured"].where(rows["shape"] != "Mixtral 8x7B", 1.0))
    others = slow[slow["shape"] != "Mixtral 8x7B"]
    assert timing.fitted(others) == timing.fitted(rows[rows["shape"] != "Mixtral 8x7B"])
    frame = timing.layer_times()
    law = timing.fitted(others)
    own = frame[frame["shape"] == "Mixtral 8x7B"]
    assert own["predicted"].iloc[0] == law.seconds(own["read"].iloc[0], own["multiplied"].iloc[0])


def test_the_fixed_time_is_some_launches():
    assert 20e-6 < timing.fixed_time() < 60e-6
