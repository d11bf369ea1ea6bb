"""What explains the chapter on use: figures, problems worked out by hand, and what to remember."""

import pandas as pd
import pytest
from drawing import theme  # noqa: F401
from matplotlib.text import Text

import cohort
from cohort.chapters.serving_footprint import diagrams, problems, remembered
from cohort.footprint import answers, energy

ASKED = {
    "model": "llama-3-70b",
    "accelerator": "H100 SXM 80GB",
    "concurrency": 64,
    "input_tokens": 256,
    "output_tokens": 400,
}


@pytest.mark.parametrize(("model", "dtype"), [("llama-3-70b", "bf16"), ("qwen3-235b-a22b", "fp8")])
def test_terms_add_up_to_the_energy_of_a_token(model, dtype):
    table = diagrams.terms(cohort.model(model), 4, [1, 64], dtype)
    expected = [energy.joules_per_token(model, 4, each, dtype) for each in (1, 64)]
    assert table.sum(axis=1).tolist() == pytest.approx(expected)
    (axes,) = diagrams.draw_terms(table).axes
    assert max(bar.get_x() + bar.get_width() for part in axes.containers for bar in part) == pytest.approx(
        100
    )


def test_each_stage_of_the_way_gets_less():
    rows = {each: answers.serving(**ASKED, boundary=each) for each in answers.BOUNDARIES_OF_USE}
    drawing = diagrams.draw_way(rows, "Llama 3 70B", 400)
    drawing.canvas.draw()
    (axes,) = drawing.axes
    boxes = [Text.get_window_extent(text) for text in axes.texts]
    assert not any(one.overlaps(other) for i, one in enumerate(boxes) for other in boxes[:i])
    widths = [patch.get_width() for patch in axes.patches]
    assert widths == sorted(widths, reverse=True)
    assert widths[2] / widths[0] == pytest.approx(
        rows["accelerator"].energy_kwh / rows["facility"].energy_kwh
    )


def test_an_answer_a_year_and_a_break_even():
    """0.172 Wh at 400 g a kWh are 0.0689 g; a million a day for a year 25.1 t; 100 t after 1.45 billion."""
    answer = answers.serving(**ASKED, boundary="facility")
    grams = 400 * answer.energy_kwh
    one, year, even = problems.worked(answer, 400, 1e6, "it", 100)
    assert one.answer.startswith(f"{grams:.3g} g")
    assert year.answer.endswith(f"and {365 * grams:.3g} t.")
    assert even.answer.startswith(f"After {100e6 / grams / 1e9:.3g} billion answers")
    assert len(problems.worked(answer, 400, 1e6, "it", None)) == 2


def test_what_to_remember():
    sweep = pd.DataFrame({"reading weights": [30.0, 0.5], "multiplying": [0.0, 0.1]}, index=[1, 256])
    evens = pd.DataFrame({"answers": [1.7e9, 69e9]})
    said = remembered.takeaways("it", sweep, 0.172, evens, 67.0).split("\n")
    assert "a token takes 50 times less energy with 256 answers in a step than with 1, since" in said[0]
    assert said[1].startswith("- An answer of it takes 0.17 Wh here.")
    assert "after 1.7 to 69 billion answers, depending" in said[2]
    assert "after 67 days DeepSeek's service" in said[3]
    none = remembered.takeaways("it", sweep, 0.172, evens[:0], 67.0).split("\n")
    assert none[2].startswith("- Use outgrows making, sooner")
