"""The figures of what was measured: what is drawn is what the tables hold."""

import numpy as np
import pytest
from drawing import theme  # noqa: F401

import cohort
from cohort.chapters.expert_tradeoffs import (
    decision,
    fleet,
    load,
    load_figures,
    placed,
    timing,
    worth,
    worth_figures,
)
from cohort.scaling import mixture_rules

DEVICE = "H100 SXM 80GB"


def points(drawing) -> int:
    return sum(len(each.get_offsets()) for each in drawing.axes[0].collections if len(each.get_offsets()))


def texts(drawing) -> list[str]:
    return [text.get_text() for text in drawing.axes[0].texts]


def test_every_pair_and_every_rule_has_a_mark():
    pairs, scores = worth.measured_pairs(), mixture_rules.rule_scores()
    drawing = worth_figures.draw_pairs(pairs)
    marks = [each for each in drawing.axes[0].collections if each.get_label().endswith(")")]
    drawn = np.vstack([each.get_offsets() for each in marks])
    assert len(drawn) == len(pairs) and len(marks) == pairs["maker"].nunique()
    assert sorted(drawn[:, 0]) == pytest.approx(sorted(pairs["dense"] / pairs["active"]))
    drawing = worth_figures.draw_rule_scores(scores)
    names = [label.get_text() for label in drawing.axes[0].get_yticklabels()]
    assert names[::-1][:2] == ["recommended, blind", "root (folklore)"] and names[0] == "Tian (Ling)"
    assert len(names) == len(scores)
    assert texts(drawing)[-1] == f"×{scores[0].makers_spread:.2f}"


def test_a_choice_is_named_on_its_own_ground():
    best, crossings = decision.best(DEVICE, 8, 20.0), decision.crossovers(DEVICE, 8, 20.0)
    drawing = worth_figures.draw_decision(best, crossings)
    assert texts(drawing) == ["dense", "mixture", "best dense model", "best mixture"]
    assert list(drawing.axes[0].lines[-1].get_ydata()) == list(best["mixture"] / 1e9)


def test_modern_mixtures_are_named_where_there_is_room():
    modern = decision.modern()
    drawing = worth_figures.draw_modern(modern, worth.measured_pairs(), ["Kimi K2", "no such model"])
    assert texts(drawing) == ["worth all its weights", "Kimi K2"]
    assert points(drawing) == len(modern) + len(worth.measured_pairs())


@pytest.mark.slow
def test_loads_and_slowest_devices_are_those_of_the_tables():
    found = load.balance("dbrx", 512, 1.0, 1.25, 4, 0)
    counted = placed.loads_of_model("OLMoE 1B-7B")
    drawing = load_figures.draw_router_loads(counted, found.loads, 1.0)
    lines = drawing.axes[0].lines
    ends = drawing.axes[0].collections[0].get_paths()[0].vertices[:, 1]
    values = [value for each in counted for value in each.over_mean]
    assert (ends.min(), ends.max()) == (min(values), max(values))
    assert list(lines[-1].get_ydata()) == list(found.loads["expected"])
    frame = placed.slowest_devices()
    drawing = load_figures.draw_slowest(frame)
    assert sum(len(each.get_offsets()) for each in drawing.axes[0].collections[1:]) == len(frame.dropna())


def test_placements_times_and_services_are_those_of_the_tables():
    frame = load.by_placement(cohort.model("dbrx"), 512, 0.7, [1, 2, 4])
    drawing = load_figures.draw_placements(frame, placed.measured_placements())
    assert set(texts(drawing)) == set(load.PLACEMENTS)
    assert points(drawing) == len(placed.measured_placements()) == 12
    times = timing.layer_times()
    drawing = load_figures.draw_layer_times(times)
    assert points(drawing) == len(times) and set(texts(drawing)) == set(times["shape"])
    wide = fleet.wide_services()
    assert points(load_figures.draw_wide(wide)) == len(wide)
