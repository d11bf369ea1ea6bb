"""Steps of training that were predicted before they were measured, drawn and in words."""

import pandas as pd
import pytest
from matplotlib.collections import PathCollection

from cohort.chapters.attention_memory import figures, steps, words


@pytest.mark.parametrize(("states", "tail"), [
    ([1, 1, 1], "are 2 rows: A in X and B in X."),
    ([1, 9, 1], "Of these 1 is less than what the weights, gradients and states of the step take. Without"),
    ([9, 9, 1], "All of these are less than"),
])  # fmt: skip
def test_published_rows_that_are_missed_are_named(states, tail):
    table = pd.DataFrame(
        {
            "model": ["A", "B", "C"],
            "framework": "X",
            "published": 5.0,
            "states": states,
            "error": [30, -21, 5],
        }
    )
    assert tail in words.trained(table, table)
    near = table.assign(error=0.0)
    assert "None is off by more than 20%." in words.trained(near, near)
    assert "median error is less than 0.01%" in words.trained(near, near)


def test_blind_steps_in_words():
    said = words.blind(steps.blind_steps()).splitlines()
    assert said[0].endswith("were off by 2.8% at the median, and by 30% at worst (Mistral 7B).")
    assert "those to test with were off by 0.13% at the median, and by 8.8% at worst (Mistral 7B)" in said[1]
    assert "off by 0.24% at the median, and by 12% at worst (Apertus 8B)" in said[2]
    assert said[3].endswith("Beyond 20% were 5 steps at first, and are none today.")


def test_what_is_recorded_of_blind_steps():
    ((values, unit),) = steps.recorded(steps.blind_steps()).values()
    assert unit == "%"
    assert values == pytest.approx([2.75, 0.134, 0.239], abs=0.001)


def test_every_blind_step_is_drawn_before_and_after():
    table = steps.blind_steps()
    (axes,) = figures.draw_blind_steps(table).axes
    dots = [each for each in axes.collections if isinstance(each, PathCollection)]
    assert sum(len(each.get_offsets()) for each in dots) == 2 * len(table)
    names = {text.get_text() for text in axes.texts}
    assert {"to test with: 19", "to mend with: 17", "other families, later: 16", "Apertus 8B"} <= names
