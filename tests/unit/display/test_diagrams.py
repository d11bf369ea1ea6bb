"""Parts of a diagram."""

import matplotlib.pyplot as plt
import pytest

from cohort.display import diagrams, theme


def test_a_canvas_is_as_wide_as_the_text_and_has_square_units():
    figure, axes = diagrams.canvas(40)
    assert figure.get_size_inches().tolist() == pytest.approx([theme.WIDTH, 0.4 * theme.WIDTH])
    across, up = axes.transData.transform((1, 1)) - axes.transData.transform((0, 0))
    assert across == pytest.approx(up)
    plt.close(figure)


def test_words_stand_in_the_middle_of_their_box_in_the_smallest_size():
    figure, axes = diagrams.canvas(40)
    diagrams.box(axes, (10, 10), (30, 8), "router", "#0173b2", filled=True)
    (text,) = axes.texts
    assert text.get_position() == (25, 14)
    assert (text.get_fontsize(), text.get_color()) == (theme.SMALLEST, theme.INK)
    plt.close(figure)


def test_an_arrow_ends_where_it_points():
    figure, axes = diagrams.canvas(40)
    shape = diagrams.arrow(axes, (10, 20), (50, 20))
    figure.canvas.draw()
    box = shape.get_path().get_extents()
    assert (box.x0, box.x1) == pytest.approx((10, 50), abs=0.5)
    plt.close(figure)
