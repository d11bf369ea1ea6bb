"""What the chapter on serving draws beside its first figures, and what it says of them."""

import pandas as pd
import pytest
from drawing import theme  # noqa: F401
from matplotlib.text import Text

import cohort
from cohort.chapters.serving_roofline import (
    changes,
    check_figures,
    comparisons,
    diagrams,
    figures,
    kernels,
    tables,
    words,
)
from cohort.units import SECONDS

SIZES = {"input_tokens": 1024, "output_tokens": 256}


def test_a_batch_in_time_has_words_that_stay_apart():
    drawing = diagrams.draw_batch_in_time(123.456, 1.23456)
    drawing.canvas.draw()
    (axes,) = drawing.axes
    boxes = [Text.get_window_extent(text) for text in axes.texts]
    assert not any(one.overlaps(other) for i, one in enumerate(boxes) for other in boxes[:i])
    assert all(drawing.bbox.x0 <= box.x0 and box.x1 <= drawing.bbox.x1 for box in boxes)


def test_reading_and_multiplying_cross_where_the_package_says():
    table = tables.crossing("llama-3-70b", "H100 SXM 80GB", 4)
    turned = cohort.serving.compute_bound_concurrency("llama-3-70b", "H100 SXM 80GB")
    slower = table["multiplying"] >= table["reading"]
    assert slower.tolist() == [number >= turned for number in table.index]
    assert table["reading"].iloc[0] == pytest.approx(2 * 69.5e9 / (4 * 3.35e12), rel=1e-3)


def test_a_mixture_reads_more_as_answers_join():
    table = tables.crossing("mixtral-8x7b-v0.1", "H100 SXM 80GB", 2)
    assert table["reading"].is_monotonic_increasing
    assert table["reading"].iloc[-1] / table["reading"].iloc[0] == pytest.approx(46.6 / 12.7, rel=0.02)


def test_the_crossing_marks_what_lies_in_sight():
    table = tables.crossing("llama-3-8b", "H100 SXM 80GB")
    labels = {text.get_text() for text in figures.draw_crossing(table, 296, 0).axes[0].get_legend().texts}
    assert labels == {"reading", "multiplying", "turns: 296"}


def test_frontiers_take_the_fewest_devices_and_trade_speed_for_throughput():
    found = changes.frontiers("llama-3-70b", ["H100 SXM 80GB", "L4"], **SIZES)
    assert list(found) == ["H100 SXM 80GB, 2 ×", "L4, 8 ×"]
    for sweep in found.values():
        assert sweep["each"].is_monotonic_decreasing and sweep["per device"].is_monotonic_increasing
    assert changes.frontiers("deepseek-v3.2", ["L4"], **SIZES) == {}
    (axes,) = figures.draw_frontiers({}).axes
    assert [text.get_text() for text in axes.texts] == ["none of these accelerators holds this model"]


def test_the_best_at_a_speed():
    fast = pd.DataFrame({"each": [50.0, 20.0], "per device": [50.0, 900.0]})
    slow = pd.DataFrame({"each": [9.0], "per device": [90.0]})
    assert words.best_at_speed({"A": fast, "B": slow}) == (
        "Where each user is to see 20 tokens a second, *A* writes most: 900 tokens a second per device. Too "
        "slow for that is *B*."
    )
    several = words.best_at_speed({"A": fast, "B": slow, "C": slow})
    assert several.endswith("Too slow for that are *B* and *C*.")
    assert words.best_at_speed({"B": slow}) == "None of them gives a user 20 tokens a second."
    assert words.best_at_speed({}) == "No group of these accelerators holds the model."


def test_products_as_they_were_measured():
    """28,672 x 4,096 weights of two bytes for one token: 235 MB at 3.35 TB/s are 70.1 of 81.96 us."""
    about, table = kernels.measured_products()
    row = table[(table["product"] == "llama-3-8b up 28672x4096") & (table["tokens"] == 1)]
    row = row[row["type"] == "bf16"].iloc[0]
    seconds = 81.9614 * SECONDS["us"]
    assert row["rate"] == pytest.approx(2 * 28_672 * 4096 / seconds)
    assert row["share"] == pytest.approx(70.1 / 81.96, rel=2e-3)
    assert (table["share"] < 1).all()
    said = words.kernels_reach(about, table)
    assert "bf16: 81% with 1 token and 70% with 2,048" in said and "The least is 52%" in said
    (axes,) = check_figures.draw_products(table, cohort.accelerator(about.accelerator)).axes
    assert sum(len(points.get_offsets()) for points in axes.collections) == len(table)


def test_errors_of_each_class_stand_beside_those_of_the_roofline():
    table = comparisons.errors_of_today("token", "class")
    (axes,) = check_figures.draw_errors(table).axes
    ours, bare = (points.get_offsets()[:, 0].tolist() for points in axes.collections)
    assert ours == sorted(table["median"], reverse=True)
    assert all(one < other for one, other in zip(ours, bare, strict=True))


def test_the_longest_bar_is_on_top():
    (axes,) = check_figures.draw_reactions(pd.Series({"a": 1.0, "b": 3.0, "c": 2.0})).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "c", "b"]


def test_what_to_remember():
    sweep = pd.DataFrame(
        {"throughput": [10.0, 400.0, 900.0], "each": [10.0, 4.0, 2.0], "fits": [True, True, False]},
        index=[1, 100, 400],
    )
    known = {"rows": [1594], "median": [11.4], "roofline": [62.2], "first_look": [12.5]}
    errors = pd.DataFrame(known, index=["all"])
    said = words.takeaways("Llama 3 70B", "H100", 296, sweep, 2, 3.6, errors).split("\n")
    assert said[0].startswith("- Whoever writes waits for memory: below 296 answers in a step")
    assert "write 40 times as much as 1, for USD 5 in place of USD 200 a million tokens" in said[1]
    assert "4 tokens a second in place of 10" in said[2]
    assert "62% over 1,594 measurements" in said[3] and said[3].endswith(
        "it was 12.5% at the first look, and is 11.4% now."
    )


def test_kernels_elsewhere_say_which_way_they_are_off():
    said = words.kernels_elsewhere(kernels.errors_by_run())
    assert "on H200, 15 of them, 15% longer; on H100 SXM 80GB, 15 of them, 11% longer" in said
    assert "farthest off are grouped experts on H200, by 22%" in said
