"""The figures of serving: what is drawn is what the tables hold."""

import numpy as np
import pandas as pd
import pytest
from drawing import overlaps, theme  # noqa: F401

from cohort.chapters.serving_roofline import changes, comparisons, figures, tables
from cohort.serving import roofline

REQUEST = {"model": "llama-3-70b", "accelerator": "H100 SXM 80GB", "tensor_parallel": 4}
LENGTHS = {"input_tokens": 1024, "output_tokens": 256}


@pytest.fixture(scope="module")
def sweep() -> pd.DataFrame:
    return tables.by_concurrency([1, 64, 349, 400], **REQUEST, **LENGTHS)


def texts(drawing) -> list[str]:
    return [text.get_text() for text in drawing.axes[0].texts]


def test_the_roofline_bends_at_the_ridge():
    phases = tables.phases("llama-3-70b", "H100 SXM 80GB", 64, **LENGTHS)
    drawing = figures.draw_roofline(phases)
    (roof,) = drawing.axes[0].lines
    assert roof.get_xdata()[1] == pytest.approx(989 / 3.35)
    assert roof.get_ydata()[1] == roof.get_ydata()[2] == 989
    points = drawing.axes[0].collections[0].get_offsets()
    assert np.allclose(points, np.c_[phases["intensity"], phases["attainable"] / 1e12])
    assert texts(drawing) == ["decode, 1", "decode, 64", "prefill", "training"]
    # No name stands on the roof: the flat runs between the two, the slope left of the others.
    drawing.canvas.draw()
    boxes = {text.get_text(): text.get_window_extent() for text in drawing.axes[0].texts}
    flat = drawing.axes[0].transData.transform((1000, 989))[1]
    assert boxes["training"].y1 < flat < boxes["prefill"].y0


@pytest.mark.slow
def test_names_of_phases_stand_apart_where_the_roof_bends_between_them():
    lengths = {"input_tokens": 513, "output_tokens": 3, "weight_dtype": "int8"}
    drawing = figures.draw_roofline(tables.phases("llama-3-70b", "A100 PCIe 80GB", 64, **lengths))
    assert texts(drawing) == ["decode, 1", "decode, 64", "prefill", "training"]
    assert overlaps(drawing) == []
    near = tables.phases("llama-3-70b", "Trainium2", 3, input_tokens=2, output_tokens=2)
    assert overlaps(figures.draw_roofline(near)) == []


def test_two_types_of_number_have_two_roofs():
    phases = tables.phases("llama-3-70b", "H100 SXM 80GB", 64, **LENGTHS, weight_dtype="fp8")
    assert [line.get_ydata()[-1] for line in figures.draw_roofline(phases).axes[0].lines] == [989, 1979]


def test_bars_add_up_to_the_time_per_token(sweep):
    bars = figures.draw_time_per_token(sweep).axes[0].patches
    ends: dict[float, float] = {}
    for bar in bars:
        ends[bar.get_y()] = max(ends.get(bar.get_y(), 0.0), bar.get_x() + bar.get_width())
    assert [ends[place] for place in sorted(ends, reverse=True)] == pytest.approx(list(1e3 * sweep["tpot"]))


def test_every_part_has_a_name_and_a_bound():
    parts = dict(roofline.serve(**REQUEST, **LENGTHS).parts)
    assert set(parts) == set(figures.PARTS) == set(roofline.BOUNDS) - {"drafts"}


def test_what_does_not_fit_is_drawn_open(sweep):
    drawing = figures.draw_throughput_against_speed(sweep, sweep, 4, 64)
    faces = drawing.axes[0].collections[0].get_facecolors()
    assert [bool((face[:3] == 1).all()) for face in faces] == [False, False, False, True]
    assert texts(drawing) == ["1", "64", "400"]


def test_variants_and_costs_have_a_row_each():
    saved = changes.savings("llama-3-70b", "H100 SXM 80GB", 4, 64, **LENGTHS)
    assert len(figures.draw_savings(saved).axes[0].get_yticklabels()) == len(saved) == 9
    costs = changes.costs("llama-3-70b", **LENGTHS)
    labels = [label.get_text() for label in figures.draw_cost(costs).axes[0].get_yticklabels()]
    assert labels[-1] == f"{costs.index[0]}, {costs['devices'].iloc[0]} ×"


def test_nothing_to_draw_is_said():
    saved = changes.savings("llama-3.1-405b", "L4", 1, 1, **LENGTHS)
    assert texts(figures.draw_savings(saved)) == ["no variant fits these devices"]
    assert texts(figures.draw_cost(saved.iloc[:0])) == [
        "no group of accelerators with a published price holds this model"
    ]


def test_measured_times_lie_where_they_belong():
    compared = comparisons.measured_cases("test")
    drawing = figures.draw_measured_times(compared)
    drawn = sum(len(each.get_offsets()) for each in drawing.axes[0].collections[1:])
    assert drawn == len(compared)
    named = {text.get_text() for text in drawing.axes[0].get_legend().get_texts()}
    assert named == {tables.SOURCES[source] for source in compared["source"]}
