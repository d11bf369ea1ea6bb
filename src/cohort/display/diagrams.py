"""Parts of a diagram: boxes, arrows and words on a plane without axes."""

from __future__ import annotations

from cohort.display import theme
from cohort.errors import extras

with extras():
    import matplotlib.pyplot as plt
    from matplotlib.axes import Axes
    from matplotlib.colors import to_hex, to_rgb
    from matplotlib.figure import Figure
    from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
    from matplotlib.text import Text

ACROSS = 100.0  # units of a diagram's width; its height is counted in the same units
ROUNDING = 1.2  # radius of a box's corners, in the same units
TINT = 0.16  # share of a colour in its tint


def canvas(height: float) -> tuple[Figure, Axes]:
    """Return a figure as wide as the text, to draw on without axes.

    Parameters
    ----------
    height : float
        In hundredths of the width. The origin is below, on the left.

    Returns
    -------
    Figure, Axes
    """
    figure = plt.figure(figsize=(theme.WIDTH, theme.WIDTH * height / ACROSS))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, ACROSS)
    axes.set_ylim(0, height)
    axes.set_axis_off()
    return figure, axes


def box(
    axes: Axes,
    place: tuple[float, float],
    size: tuple[float, float],
    text: str = "",
    colour: str = theme.INK,
    *,
    filled: bool = False,
) -> FancyBboxPatch:
    """Draw a box with words in its middle.

    Parameters
    ----------
    axes : Axes
        Of a `canvas`.
    place : (float, float)
        Its lower left corner.
    size : (float, float)
        Its width and height.
    text : str
        In its middle.
    colour : str
        Of its edge, and of its ground where it is filled.
    filled : bool
        Whether its ground is a tint of the colour.

    Returns
    -------
    FancyBboxPatch
    """
    (x, y), (width, height) = place, size
    shape = FancyBboxPatch(
        (x, y),
        width,
        height,
        boxstyle=f"round,pad=0,rounding_size={min(ROUNDING, width / 4, height / 4)}",
        edgecolor=colour,
        facecolor=tint(colour) if filled else "white",
        linewidth=1.2,
    )
    axes.add_patch(shape)
    if text:
        words(axes, (x + width / 2, y + height / 2), text)
    return shape


def tint(colour: str) -> str:
    """Return a colour so pale that words are read on it; on a dark ground it becomes as deep.

    Parameters
    ----------
    colour : str
        Any colour of Matplotlib.

    Returns
    -------
    str
        Six hexadecimal digits after ``#``.

    Examples
    --------
    >>> tint("#0173b2")
    '#d6e9f3'
    """
    red, green, blue = (1 - TINT * (1 - part) for part in to_rgb(colour))
    return to_hex((red, green, blue))


def arrow(
    axes: Axes,
    start: tuple[float, float],
    end: tuple[float, float],
    colour: str = theme.INK,
    *,
    bend: float = 0,
) -> FancyArrowPatch:
    """Draw an arrow.

    Parameters
    ----------
    axes : Axes
        Of a `canvas`.
    start, end : (float, float)
        Where it begins, and where its head is.
    colour : str
        Of its line and head.
    bend : float
        How far it bows to its right, as a share of its length.

    Returns
    -------
    FancyArrowPatch
    """
    shape = FancyArrowPatch(
        start,
        end,
        arrowstyle="-|>",
        mutation_scale=9,
        color=colour,
        linewidth=1.2,
        shrinkA=0,
        shrinkB=0,
        connectionstyle=f"arc3,rad={bend}",
    )
    axes.add_patch(shape)
    return shape


def words(
    axes: Axes,
    place: tuple[float, float],
    text: str,
    colour: str = theme.INK,
    *,
    side: str = "center",
    bold: bool = False,
) -> Text:
    """Write words on a diagram.

    Parameters
    ----------
    axes : Axes
        Of a `canvas`.
    place : (float, float)
        Where they stand; half way up.
    text : str
        A line, or several.
    colour : str
        Of the letters.
    side : str
        Which part of the words is at the place: ``"left"``, ``"center"`` or ``"right"``.
    bold : bool
        Whether they are printed bold.

    Returns
    -------
    Text
    """
    return axes.text(
        *place,
        text,
        color=colour,
        fontsize=theme.SMALLEST,
        fontweight="bold" if bold else "normal",
        ha=side,
        va="center",
        linespacing=1.25,
    )
