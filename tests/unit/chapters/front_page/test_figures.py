"""The figure of the front page: names that can be read."""

import numpy as np
import pytest
from drawing import theme  # noqa: F401
from matplotlib.collections import PathCollection

from cohort.chapters.front_page import figures, tables

RADIUS = 3  # of a dot, in pixels


@pytest.mark.slow
def test_names_lie_beside_the_dots():
    drawing = figures.draw_sizes(tables.sizes_by_date())
    drawing.canvas.draw()
    (axes,) = drawing.axes
    dots = np.vstack(
        [
            axes.transData.transform(each.get_offsets())
            for each in axes.collections
            if isinstance(each, PathCollection)
        ]
    )
    names = [text for text in axes.texts if text.get_text()]
    assert len(names) == tables.sizes_by_date()["named"].sum()
    over = {
        text.get_text(): sum(text.get_window_extent().padded(RADIUS).contains(*dot) for dot in dots)
        for text in names
    }
    assert not any(over.values()), over
