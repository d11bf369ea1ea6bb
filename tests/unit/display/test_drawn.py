"""What a figure shows, as CSV: the very numbers that were drawn, under the names that readers see."""

import csv
import io

import numpy as np
import pandas as pd
import pytest
from drawing import theme  # noqa: F401
from matplotlib.figure import Figure

from cohort.display import diagrams, drawn, parts
from cohort.display.theme import COLOURS, figure


def rows(drawing: Figure) -> list[dict[str, str]]:
    """The rows of a figure's values, each by the heads without the labels of the axes."""
    read = csv.DictReader(io.StringIO(drawn.values(drawing)))
    return [{head.split(":")[0]: cell for head, cell in row.items()} for row in read]


def test_points_carry_their_numbers_and_labels():
    drawing, axes = figure()
    axes.set(xlabel="size (billion)", ylabel="loss", xscale="log")
    axes.scatter([1.25, 405.853388800], [2.0, 1 / 3])
    axes.annotate("small", (1.25, 2.0), (5, 5), textcoords="offset points")
    assert drawn.values(drawing).splitlines() == [
        "mark,name,x: size (billion),y: loss",
        "point,small,1.25,2",
        "point,,405.8533888,0.3333333333",
    ]


def test_lines_belong_to_their_label_or_to_the_text_at_their_end():
    drawing, axes = figure()
    axes.plot([1, 2], [3, 4], label="own")
    axes.plot([1, 2], [5, 6], color=COLOURS[1])
    parts.end_labels(axes, 2, {"at its end": 6}, {"at its end": COLOURS[1]})
    assert [(row["series"], row["x"], row["y"]) for row in rows(drawing)] == [
        ("own", "1", "3"),
        ("own", "2", "4"),
        ("at its end", "1", "5"),
        ("at its end", "2", "6"),
    ]


def test_colours_mean_what_the_key_says():
    drawing, axes = figure()
    axes.scatter([1, 2], [1, 2], c=[COLOURS[0], COLOURS[3]])
    parts.key(axes, {"GQA": COLOURS[0], "MHA": COLOURS[3]})
    assert [row["series"] for row in rows(drawing)] == ["GQA", "MHA"]


def test_bars_have_both_ends_and_the_name_of_their_row():
    drawing, axes = figure()
    widths = pd.DataFrame({"a": [1.5, 2.5], "b": [3.0, 0.5]}, index=[64, 8])
    parts.stacked(axes, widths, {"a": ("first", COLOURS[0]), "b": ("second", COLOURS[1])})
    assert [tuple(row.values()) for row in rows(drawing)] == [
        ("bar", "first", "0", "64", "1.5", "64"),
        ("bar", "first", "0", "8", "2.5", "8"),
        ("bar", "second", "1.5", "64", "4.5", "64"),
        ("bar", "second", "2.5", "8", "3", "8"),
    ]


def test_a_rule_across_the_frame_has_a_number_on_one_axis_only():
    drawing, axes = figure()
    axes.axvline(7.5)
    axes.fill_between([0, 1], [0, 0], [2, 3], label="likely")
    found = rows(drawing)
    assert {(row["x"], row["y"]) for row in found if row["mark"] == "line"} == {("7.5", "")}
    assert {(row["x"], row["y"]) for row in found if row["series"] == "likely"} == {
        ("0", "0"),
        ("0", "2"),
        ("1", "0"),
        ("1", "3"),
    }


def test_dates_are_dates_and_gaps_are_empty():
    drawing, axes = figure()
    axes.plot(pd.to_datetime(["2024-04-18", "2024-07-23"]), [8, np.nan])
    assert [(row["x"], row["y"]) for row in rows(drawing)] == [("2024-04-18", "8"), ("2024-07-23", "")]


def test_panels_are_told_apart():
    drawing = Figure()
    for axes, label in zip(drawing.subplots(2), ["one", "other"], strict=True):
        axes.plot([0], [0], "o")
        axes.set_ylabel(label)
    assert [(row["panel"], row["mark"], row["y"]) for row in rows(drawing)] == [
        ("1", "point", "0"),
        ("2", "point", "0"),
    ]


@pytest.mark.parametrize("drawing", [parts.nothing, lambda why: diagrams.canvas(20)[0]])
def test_what_shows_no_numbers_has_no_table(drawing):
    assert drawn.values(drawing("there is none")) == ""
