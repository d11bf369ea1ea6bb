"""The diagrams of the chapter on the models: words that fit, and layers that are the model's."""

import pytest
from drawing import theme  # noqa: F401
from matplotlib.text import Text

import cohort
from cohort.architecture import registered
from cohort.chapters.the_cohort import diagrams
from cohort.display import model_tables


@pytest.mark.parametrize("name", ["llama-2-7b", "deepseek-v2", "snowflake-arctic", "llama-3.1-405b"])
def test_a_token_meets_every_weight_of_its_model(name):
    counts = model_tables.counts([name]).iloc[0]
    drawing = diagrams.draw_decoder(counts.name, len(cohort.model(name).layers), counts)
    drawing.canvas.draw()
    (axes,) = drawing.axes
    boxes = [Text.get_window_extent(text) for text in axes.texts]
    assert not any(one.overlaps(other) for i, one in enumerate(boxes) for other in boxes[:i])
    assert all(drawing.bbox.x0 <= box.x0 and box.x1 <= drawing.bbox.x1 for box in boxes)
    words = " ".join(text.get_text() for text in axes.texts)
    assert ("experts" in words) == bool(cohort.model(name).experts)


def test_stretches_of_layers():
    assert diagrams.stretches([]) == []
    assert diagrams.stretches("aaba") == [("a", 0, 2), ("b", 2, 1), ("a", 3, 1)]


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("llama-3-8b", "everything", "everything"),
        ("gpt-oss-20b", "a window", "everything"),
        ("llama-4-maverick", "a chunk", "everything"),
        ("deepseek-v2", "everything, compressed", "everything, compressed"),
        ("minimax-text-01", "a running state", "everything"),
        ("phi-3-small-8k", "everything", "chosen blocks"),
    ],
)
def test_what_a_layer_looks_at(name, first, last):
    layers = cohort.model(name).layers
    assert {first, last} == {diagrams.sight(layer) for layer in layers}
    assert diagrams.sight(layers[0]) in (first, last)


@pytest.mark.slow
def test_every_registered_model_is_drawn_with_all_its_layers():
    models = registered.specs(cohort.models())
    (axes,) = diagrams.draw_layers(models).axes
    assert len(axes.get_yticklabels()) == len(models)
    strips = [bar for bar in axes.patches if bar.get_height() > 0.4]
    assert sum(bar.get_width() for bar in strips) == sum(len(model.layers) for model in models)


def test_dense_models_have_no_line_of_experts():
    (axes,) = diagrams.draw_layers([cohort.model("llama-3-8b")]).axes
    assert "experts" not in [text.get_text() for text in axes.get_legend().get_texts()]
