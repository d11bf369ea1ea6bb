"""The diagrams of the chapter on experts: words that fit, and experts that are counted."""

import pytest
from drawing import theme  # noqa: F401
from matplotlib.colors import to_hex
from matplotlib.text import Text

import cohort
from cohort.chapters.expert_tradeoffs import diagrams, figures, load, reads, sizes, words, worth
from cohort.experts import closed_form

MODELS = ["mixtral-8x7b-v0.1", "deepseek-v2", "llama-3-8b"]


@pytest.mark.parametrize("name", ["mixtral-8x7b-v0.1", "deepseek-v2", "llama-4-maverick", "kimi-k2"])
def test_a_router_and_what_it_leaves_idle(name):
    spec = cohort.model(name)
    drawing = diagrams.draw_router(spec)
    drawing.canvas.draw()
    (axes,) = drawing.axes
    boxes = [Text.get_window_extent(text) for text in axes.texts]
    assert not any(one.overlaps(other) for i, one in enumerate(boxes) for other in boxes[:i])
    assert all(drawing.bbox.x0 <= box.x0 and box.x1 <= drawing.bbox.x1 for box in boxes)
    shown = [text.get_text() for text in axes.texts]
    assert ("shared" in shown) == bool(spec.experts.shared)
    assert any(f"{spec.experts.active} of {spec.experts.count} experts" in each for each in shown)


@pytest.mark.parametrize("name", ["mixtral-8x7b-v0.1", "deepseek-v2"])
def test_as_many_squares_are_filled_as_experts_are_read(name):
    experts = cohort.model(name).experts
    (axes,) = diagrams.draw_reads(cohort.model(name), [1, 4, 64]).axes
    squares = [(to_hex(each.get_facecolor()), len(each.get_path().to_polygons())) for each in axes.patches]
    read = [count for colour, count in squares if colour == diagrams.READ.lower()]
    assert read == [round(closed_form.coverage(experts.count, experts.active, each)) for each in (1, 4, 64)]
    assert sum(count for _, count in squares) == 3 * experts.count


def test_parts_of_a_mixture_fill_its_bar():
    (axes,) = figures.draw_anatomy(sizes.anatomy(MODELS)).axes
    ends = [bar.get_x() + bar.get_width() for part in axes.containers for bar in part]
    assert max(ends) == pytest.approx(100, abs=0.1)
    assert [label.get_text() for label in axes.get_yticklabels()] == ["DeepSeek-V2", "Mixtral 8x7B"]


def test_from_twice_to_nearly_all():
    lost = reads.advantage(MODELS, "H100 SXM 80GB")
    (axes,) = figures.draw_advantage(lost).axes
    assert [text.get_text() for text in axes.texts] == ["4 to 59", "3 to 8"]


def test_what_to_remember():
    spec = cohort.model("deepseek-v2")
    lost = reads.advantage(["deepseek-v2"], "H100 SXM 80GB").loc["DeepSeek-V2"]
    placements, rules = load.by_placement(spec, 4096, 0.7, [1, 8]), worth.rules()
    said = words.takeaways(spec, lost, 8, placements, rules, "a mixture is worth more").split("\n")
    assert len(said) == 4
    assert "works like a model of 21.4 billion weights and is held like one of 236 billion. 4" in said[0]
    assert said[0].endswith(
        "4 answers in a step read twice what a dense model of its compute does, and 59 answers read "
        "nearly all of it."
    )
    assert "granularity^0.23, within a factor of 1.3. The root" in said[1]
    assert "On 8 devices the slowest has 1.48 times the mean load where nobody knew" in said[2]
    assert said[3] == "- Experts pay where memory lies idle: a mixture is worth more."
    alone = words.takeaways(spec, lost.mask(lost.index == "twice"), 1, placements, rules, "so")
    assert "No batch reads twice" in alone and "One device waits for no other." in alone
