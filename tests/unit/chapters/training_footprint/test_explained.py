"""What explains the chapter on making: diagrams whose words fit, and problems worked out by hand."""

import pandas as pd
import pytest
from drawing import theme  # noqa: F401
from matplotlib.text import Text

from cohort.chapters.training_footprint import diagrams, problems, tables
from cohort.chapters.training_footprint.words import emitted
from cohort.footprint import scenarios

SCENARIO = scenarios.Scenario(draws=200, seed=0)


def words_of(drawing):
    drawing.canvas.draw()
    (axes,) = drawing.axes
    boxes = [Text.get_window_extent(text) for text in axes.texts]
    assert not any(one.overlaps(other) for i, one in enumerate(boxes) for other in boxes[:i])
    assert all(drawing.bbox.x0 <= box.x0 and box.x1 <= drawing.bbox.x1 for box in boxes)
    return [text.get_text() for text in axes.texts]


def test_boundaries_lie_inside_one_another_and_grow_outwards():
    (run,) = tables.runs_of(["llama-3.1-405b"], "H100 SXM 80GB")
    words = words_of(diagrams.draw_boundaries(tables.ladder(run, SCENARIO)))
    assert words[0] == "and all that was tried" and words[-2] == "what the accelerators draw"
    tonnes = [float(each.removesuffix(" t").replace(",", "")) for each in words[1::2]]
    assert tonnes == sorted(tonnes, reverse=True) and len(tonnes) == 5


@pytest.mark.parametrize("name", ["llama-3.1-405b", "phi-3-mini-4k"])
def test_what_a_run_gives_off(name):
    (run,) = tables.runs_of([name], "H100 SXM 80GB")
    row = tables.estimates([run], SCENARIO).loc[run.name]
    words = " ".join(words_of(diagrams.draw_outputs(run.name, row["accelerator_hours", "median"], row)))
    assert "electricity" in words and "million litres" in words and "heat" in words


def test_a_model_card_and_what_it_leaves_out():
    """A million hours at 700 W and 400 g are 280 t; at 1,000 W and a PUE of 1.1, 440 t."""
    card, full, worn = problems.worked("it", 1e6, 700, 1000, 400, 1.1, 5)
    assert card.answer.startswith("280 t of CO2e")
    assert full.answer == "440 t, 1.57 times what the card prints."
    assert worn.answer.startswith("22.8 accelerators")
    assert pd.Series([problem.question for problem in (card, full, worn)]).is_unique


def test_where_the_water_goes():
    assert "where the electricity is made" in emitted.outputs(1, 2)
    assert "at the data centre" in emitted.outputs(2, 1)
