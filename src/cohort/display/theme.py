"""The theme: the width of a figure, its inks and colours, and SVG that is the same for the same numbers."""

from __future__ import annotations

import math
import re
import sys
from typing import Any

from cohort.errors import extras

with extras():
    import matplotlib as mpl
    import matplotlib.pyplot as plt
    import seaborn as sns
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.ticker import AutoLocator, ScalarFormatter

WIDTH = 4.8  # inches; pages draw a figure as wide as their text
LETTER = 0.66  # width of a digit, with its share of the space between labels, in sizes of the type
SMALLEST = 9  # points, of the smallest text: 9 pixels on a phone, 390 CSS pixels wide


GOLDEN = 0.618
LOWEST = 2.0  # inches


INK = "#333333"


PALE = "#bdbdbd"


COLOURS = sns.color_palette("colorblind").as_hex()


_THEME: dict[Any, Any] = {
    "axes.edgecolor": INK,
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.dpi": 96,
    "figure.figsize": (WIDTH, WIDTH * GOLDEN),
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial", "Helvetica"],
    "font.size": 10,
    "grid.color": "#e6e6e6",
    "legend.frameon": False,
    "lines.linewidth": 2,
    "savefig.facecolor": "white",
    "svg.fonttype": "none",  # text stays text: a quarter of the size, and Verdana has the same widths
    "svg.hashsalt": "cohort",
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}


def use_theme() -> None:
    """Set the book's style; a notebook shows a figure as SVG without a date, with what it draws as CSV."""
    mpl.rcParams.update(_THEME)
    if "ipykernel" in sys.modules:
        from matplotlib_inline.backend_inline import set_matplotlib_formats

        set_matplotlib_formats(  # type: ignore[no-untyped-call]
            "svg", bbox_inches="tight", metadata={"Date": None}
        )
        _offer_pictures()


def to_hundredths(svg: str) -> str:
    """Return a drawing with coordinates to a hundredth of a point: a quarter lighter, and alike to the eye.

    Parameters
    ----------
    svg : str
        As Matplotlib writes it.

    Returns
    -------
    str
        With fewer digits in paths and positions; texts and styles are as they were.

    Examples
    --------
    >>> to_hundredths('<path d="M 57.6 21.123456 L 3.000001 -0.004"/><text x="1.25">0.12345</text>')
    '<path d="M 57.6 21.12 L 3 0"/><text x="1.25">0.12345</text>'
    """
    return _PLACED.sub(lambda found: _LONG.sub(_hundredths, found[0]), svg)


_PLACED = re.compile(r'\b(?:d|x|y|transform)="(?!scale)[^"]*"')
_LONG = re.compile(r"-?[0-9]+\.[0-9]{3,}")


def _hundredths(found: re.Match[str]) -> str:
    return f"{round(float(found[0]), 2) + 0:g}" if abs(float(found[0])) < 1000 else f"{float(found[0]):.2f}"


def _offer_pictures() -> None:
    """Draw a figure in the output of a cell with few digits, and put what it draws beside the picture."""
    from IPython.core.getipython import get_ipython

    from cohort.display import drawn
    from cohort.display.printing import quick

    def bundle(shown: Figure, **_: Any) -> dict[str, str]:
        values = drawn.values(shown)
        return {drawn.MIME: values} if values else {}

    shell: Any = get_ipython()
    pictures = shell.display_formatter.formatters["image/svg+xml"]
    draw = pictures.lookup_by_type(Figure)

    def picture(shown: Figure) -> str:
        with quick(shown):
            return to_hundredths(draw(shown))

    pictures.for_type(Figure, picture)
    shell.display_formatter.mimebundle_formatter.for_type(Figure, bundle)


def figure(height: float = WIDTH * GOLDEN) -> tuple[Figure, Axes]:
    """Return a figure of the book's width, with its axes.

    Parameters
    ----------
    height : float
        In inches; at least `LOWEST`, so that a chart of one row has room for its key.

    Returns
    -------
    Figure, Axes
    """
    drawing, axes = plt.subplots(figsize=(WIDTH, max(height, LOWEST)), layout="constrained")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(Thousands())
        axis.isDefault_majfmt = True  # dates and logarithmic scales bring their own
    axes.xaxis.set_major_locator(Roomy())
    axes.xaxis.isDefault_majloc = True
    return drawing, axes


class Roomy(AutoLocator):
    """The usual marks of a linear axis from left to right, but no more than have room for their labels."""

    def __call__(self) -> list[float]:
        """Return where the marks are."""
        axis: Any = self.axis
        low, high = sorted(axis.get_view_interval())
        every = [float(mark) for mark in super().__call__()]
        labels = axis.get_major_formatter().format_ticks([mark for mark in every if low <= mark <= high])
        wide = axis.axes.bbox.width * 72 / axis.axes.figure.dpi
        letters = len(labels) * max(map(len, labels), default=0)
        needed = letters * LETTER * float(mpl.rcParams["font.size"])
        step = max(1, min(math.ceil(needed / wide), len(labels) - 1))
        first = every.index(0.0) % step if 0.0 in every else 0
        return every[first::step]


class Thousands(ScalarFormatter):
    """Plain numbers on a linear axis, with separators between thousands: 20,000 and not 2e4."""

    def __init__(self) -> None:
        super().__init__(useOffset=False)
        self.set_scientific(False)

    def __call__(self, value: float, position: int | None = None) -> str:
        """Return the label of a tick.

        Parameters
        ----------
        value : float
            Where the tick is.
        position : int, optional
            Which tick it is.

        Returns
        -------
        str
        """
        label = str(super().__call__(value, position))
        label = f"{round(value):,}" if abs(value) >= 1000 and "." not in label else label
        return label.replace("-", "−")
