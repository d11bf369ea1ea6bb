"""The figures of the footprint of training: what is drawn is what the tables hold."""

import numpy as np
import pytest
from drawing import svg, theme  # noqa: F401
from matplotlib.colors import to_rgba

from cohort.chapters.training_footprint import figures, places, predictions, reports, tables
from cohort.footprint import scenarios
from cohort.footprint.accounts import BOUNDARIES

SCENARIO = scenarios.Scenario(draws=1000)
RUNS = tables.runs_of(["llama-2-7b", "llama-3-70b", "dbrx", "command-r-v01"], "H100 SXM 80GB")


def labels(drawing) -> list[str]:
    return [text.get_text() for text in drawing.axes[0].get_yticklabels()]


def key(drawing) -> list[str]:
    return [text.get_text() for text in drawing.axes[0].get_legend().get_texts()]


def test_reports_have_a_stroke_and_two_ranges():
    table = reports.reported_beside_modelled(RUNS, SCENARIO)
    drawing = figures.draw_reported(table)
    assert labels(drawing) == ["Llama 3 70B", "Llama 2 7B"]
    ranges = [tuple(line.get_xdata()) for line in drawing.axes[0].lines]
    row = table.loc["Llama 2 7B"]
    assert ranges[:2] == [(row["low"], row["high"]), (row["full low"], row["full high"])]
    strokes = [each.get_offsets()[0][0] for each in drawing.axes[0].collections[2::3]]
    assert strokes == pytest.approx([31.22, 1900])


def test_a_cleaner_grid_stays_in_the_picture():
    table = reports.reported_beside_modelled(RUNS, scenarios.Scenario(grid="Norway", draws=1000))
    left, right = figures.draw_reported(table).axes[0].get_xlim()
    assert left < table["full low"].min() < table["low"].min()
    assert table["full high"].max() < table["high"].max() < right


def test_nothing_reported_is_said():
    drawing = figures.draw_reported(reports.reported_beside_modelled(RUNS[2:], SCENARIO))
    assert [text.get_text() for text in drawing.axes[0].texts] == [
        "none of these models has a report of its emissions"
    ]


def test_estimated_hours_are_open():
    totals = tables.estimates(RUNS, SCENARIO)
    drawing = figures.draw_estimates(totals, ["DBRX", "Command R"])
    order = list(totals["co2e_kg"].sort_values("median", ascending=False).index)
    assert labels(drawing) == order[::-1]
    faces = [bool((each.get_facecolor()[0][:3] == 1).all()) for each in drawing.axes[0].collections]
    assert faces == [name in ("DBRX", "Command R") for name in order]


def test_shares_are_stacked():
    table = tables.drivers(RUNS, SCENARIO)
    drawing = figures.draw_drivers(table)
    assert set(figures.DRIVERS) == set(tables.INPUTS.values())
    ends: dict[float, float] = {}
    for bar in drawing.axes[0].patches:
        ends[round(bar.get_y(), 6)] = bar.get_x() + bar.get_width()
    assert [ends[place] for place in sorted(ends, reverse=True)] == pytest.approx(list(table.sum(axis=1)))
    drawn = {bar.get_facecolor() for bar in drawing.axes[0].patches if bar.get_width()}
    named = {to_rgba(mark.get_color()) for mark in drawing.axes[0].get_legend().legend_handles}
    assert drawn <= named  # no part without its name


def test_nothing_to_draw_from_is_said():
    empty = tables.drivers([], SCENARIO)
    assert [text.get_text() for text in figures.draw_drivers(empty).axes[0].texts] == [
        "nothing is left to draw"
    ]


def test_the_ladder_has_a_row_for_each_boundary():
    table = tables.ladder(RUNS[1], SCENARIO)
    drawing = figures.draw_ladder(table)
    assert labels(drawing) == list(table.index)[::-1]
    assert len(drawing.axes[0].texts) == len(BOUNDARIES)
    assert drawing.axes[0].get_xlim()[0] == 0


def test_places_say_their_method_and_year():
    table = places.in_places(RUNS[1], SCENARIO)
    drawing = figures.draw_places(table)
    assert labels(drawing)[-1] == "Sweden, 2024"
    assert set(figures.METHODS) == set(places.METHODS.values())
    assert set(key(drawing)) == set(table["method"])
    dots = np.concatenate([each.get_offsets() for each in drawing.axes[0].collections])
    assert list(dots[:, 0]) == pytest.approx(list(table["median"]))


@pytest.mark.slow
def test_accuracy_is_a_ratio_by_class():
    table = predictions.accuracy(SCENARIO)
    drawing = figures.draw_accuracy(table)
    predicted = table[table["class"] != "arithmetic"]
    assert len(drawing.axes[0].collections) == len(predicted)
    assert key(drawing) == ["metered", "blind", "hours", "place"]
    assert set(figures.CLASSES) == set(predictions.CLASSES) - {"arithmetic"}
    names = labels(drawing)[::-1]
    assert names[0] == "OLMo 2 7B"
    assert "GPT-3 175B, water" in names
    first = drawing.axes[0].collections[0].get_offsets()[0][0]
    row = table[(table["run"] == "OLMo 2 7B") & (table["class"] == "metered")].iloc[0]
    assert first == pytest.approx(row["median"] / row["reported"])


@pytest.mark.slow
def test_the_same_numbers_give_the_same_file():
    table = tables.ladder(RUNS[1], SCENARIO)
    assert svg(figures.draw_ladder(table)) == svg(figures.draw_ladder(table))
