"""Peaks of transformers' own steps on one device, beside what was predicted before any was measured."""

import statistics

import pytest

from cohort.chapters.attention_memory.steps import LISTS, built, predicted_peak
from cohort.registry import facts

ROWS = facts.rows("training_steps")
RELATED = {"llama-3.2-3b", "gemma-3-270m"}  # that test, with a relative among those that calibrate


def errors(column, **kind):
    chosen = [row for row in ROWS if all(row[name] == value for name, value in kind.items())]
    return [abs(int(row[column]) / int(row["peak_allocated_bytes"]) - 1) for row in chosen]


def test_the_parts_are_of_whole_models():
    models = {part: {row["model"] for row in ROWS if row["part"] == part} for part in ("tests", "calibrates")}
    assert models["tests"].isdisjoint(models["calibrates"])
    families = {part: {built(name, 1).family for name in names} for part, names in models.items()}
    assert families["tests"] & families["calibrates"] == {"llama", "gemma3_text"}
    assert models["tests"] >= RELATED


@pytest.mark.parametrize(("part", "rows", "first", "mended"), [
    ("tests", 19, (0.0275, 0.302), (0.0013, 0.088)),
    ("calibrates", 17, (0.0430, 0.223), (0.0002, 0.0031)),
    ("later", 16, (0.0024, 0.125), (0.0024, 0.125)),
])  # fmt: skip
def test_how_far_off_each_part_came_out(part, rows, first, mended):
    for column, (median, worst) in (("predicted_bytes", first), ("mended_bytes", mended)):
        found = errors(column, part=part)
        assert len(found) == rows
        assert statistics.median(found) == pytest.approx(median, abs=0.00051)
        assert max(found) == pytest.approx(worst, abs=0.00051)


def test_models_without_a_relative_came_out_as_well():
    strict = [row for row in ROWS if row["part"] == "tests" and row["model"] not in RELATED]
    found = [abs(int(row["mended_bytes"]) / int(row["peak_allocated_bytes"]) - 1) for row in strict]
    assert len(found) == 15
    assert statistics.median(found) < 0.002


def test_every_step_is_met_today():
    found = [abs(predicted_peak(row) / int(row["peak_allocated_bytes"]) - 1) for row in ROWS]
    assert statistics.median(found) < 0.0005
    assert max(found) < 0.021


def test_later_steps_are_of_families_that_were_not_seen():
    seen = {built(row["model"], 1).family for row in ROWS if row["part"] != "later"}
    later = {built(row["model"], 1).family for row in ROWS if row["part"] == "later"}
    assert later & seen == {"phi3"}
    assert len(later) == 16


def test_a_model_is_cut_in_all_its_lists():
    assert LISTS[0] == "layer_types"
    assert len(built("gemma-3-270m", 4).layers) == 4
