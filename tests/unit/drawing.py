"""What the tests of figures share: the book's theme around each test, and a figure as text."""

import io
from collections.abc import Iterator

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from cohort.display.theme import use_theme

mpl.use("Agg")


@pytest.fixture(autouse=True)
def theme() -> Iterator[None]:
    """The book's theme during a test; no figure is left open after it."""
    with mpl.rc_context():
        use_theme()
        yield
    plt.close("all")


def svg(figure: Figure) -> str:
    """Return a figure as the book writes it."""
    file = io.StringIO()
    figure.savefig(file, format="svg", metadata={"Date": None})
    return file.getvalue()


def overlaps(figure: Figure) -> list[tuple[str, str]]:
    """Return the pairs of texts of a figure that lie over each other by more than their edges."""
    figure.canvas.draw()
    shown = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]
    # The box of a slanted text is larger than the text.
    boxes = [(text.get_text(), text.get_window_extent()) for text in shown if text.get_rotation() % 90 == 0]
    found = []
    for place, (one, box) in enumerate(boxes):
        for other, taken in boxes[:place]:
            wide = min(box.x1, taken.x1) - max(box.x0, taken.x0)
            high = min(box.y1, taken.y1) - max(box.y0, taken.y0)
            if wide > 2 and high > 0.3 * min(box.height, taken.height):
                found.append((one, other))
    return found
