"""The figures of experts: what is drawn is what the tables hold."""

import numpy as np
import pandas as pd
import pytest
from drawing import svg, theme  # noqa: F401

import cohort
from cohort.chapters.expert_tradeoffs import figures, links, load, reads, sizes, worth


def texts(drawing) -> list[str]:
    return [text.get_text() for text in drawing.axes[0].texts]


def test_each_mixture_stands_between_two_dense_models():
    frame = sizes.beside_dense(["dbrx", "deepseek-v2"], "H100 SXM 80GB")
    drawing = figures.draw_trade(frame)
    assert sorted(texts(drawing)) == ["DBRX", "DeepSeek-V2"]
    drawn = [tuple(each.get_offsets()[0]) for each in drawing.axes[0].collections]
    kinds = ("it is", "dense, active", "dense, total")
    expected = [tuple(frame.loc[("DBRX", kind), ["training", "memory"]]) for kind in kinds]
    assert np.allclose(drawn, expected)


def test_coverage_draws_its_columns():
    spec = cohort.model("dbrx")
    seen = reads.expert_coverage(spec, [1, 4, 16], 0.5, 0)
    lines = figures.draw_coverage(seen).axes[0].lines
    assert [list(line.get_ydata()) for line in lines] == [list(seen[c]) for c in ("bound", "alike", "skewed")]


def test_drops_and_exchanges():
    lines = load.drops_by_room(cohort.model("dbrx"), 512, [0.0, 1.0], [0.5, 1.0, 2.0])
    assert texts(figures.draw_drops(lines, 1.25)) == ["skew 0", "skew 1"]
    exchanged = links.exchanges()
    drawing = figures.draw_exchanges(exchanged)
    faces = np.vstack([each.get_facecolors() for each in drawing.axes[0].collections])
    assert int((faces[:, :3] == 1).all(axis=1).sum()) == 2  # those that calibrate are open
    assert sum(len(each.get_offsets()) for each in drawing.axes[0].collections) == len(exchanged)


def test_each_law_has_a_mark_for_each_mixture_that_it_can_say():
    frame = worth.equivalents(["dbrx", "snowflake-arctic"])
    frame.loc[0, "dense"] = np.inf
    drawing = figures.draw_equivalents(frame)
    marks = sum(len(each.get_offsets()) for each in drawing.axes[0].collections)
    assert marks == len(frame) - 1
    assert set(figures.LAWS) == set(frame["law"])


@pytest.mark.parametrize("name", ["mixtral-8x7b-v0.1", "qwen3-next-80b-a3b"])
def test_the_same_numbers_draw_the_same_svg(name):
    frame = worth.equivalents([name])
    assert svg(figures.draw_equivalents(frame)) == svg(figures.draw_equivalents(pd.DataFrame(frame)))
