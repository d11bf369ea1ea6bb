"""What the tests of figures share: the book's theme around each test, and a figure as text."""

import io
from collections.abc import Iterator

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest
from figure_faults import overlaps
from matplotlib.figure import Figure

from cohort.display.theme import use_theme

__all__ = ["overlaps", "svg", "theme"]

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
