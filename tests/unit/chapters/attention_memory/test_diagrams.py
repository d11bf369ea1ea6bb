"""The diagrams of the chapter on attention: words that fit, and numbers that are the model's."""

import pytest
from drawing import theme  # noqa: F401
from matplotlib.text import Text

from cohort.chapters.attention_memory import diagrams, tables


def words_of(drawing):
    drawing.canvas.draw()
    (axes,) = drawing.axes
    boxes = [Text.get_window_extent(text) for text in axes.texts]
    inside = drawing.bbox
    assert all(inside.x0 <= box.x0 and box.x1 <= inside.x1 for box in boxes)
    assert not any(one.overlaps(other) for i, one in enumerate(boxes) for other in boxes[:i])
    return [text.get_text() for text in axes.texts]


def test_a_column_for_each_token_and_what_it_takes():
    words = words_of(diagrams.draw_cache("DeepSeek-V4-Flash", 2 * 80 * 8 * 128 * 2, 1_048_576, 2**38))
    assert words.count("key") == words.count("value") == len(diagrams.TEXT)
    assert any("320 KiB in all layers together; 1,048,576 of them are 256 GiB" in each for each in words)


@pytest.mark.parametrize(
    ("model", "grouped"), [("llama-3.3-70b", "8 times less"), ("gemma-7b", "2 times less")]
)
def test_who_shares(model, grouped):
    words = words_of(diagrams.draw_sharing(tables.what_if(model, 8192)))
    assert words[:2] == ["multi-head", "the whole cache"]
    assert words[words.index("grouped") + 1] == grouped
