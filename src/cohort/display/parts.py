"""Parts that the figures of several chapters share: labels beside points, rows of dots, keys, plain ticks."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cohort.display.phrases import power_of_ten
from cohort.display.words import significant
from cohort.errors import extras

with extras():
    import matplotlib as mpl
    import numpy as np
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator

    from cohort.display.theme import COLOURS, INK, LETTER, PALE, SMALLEST, figure

# The kinds of attention, in the order of the keys.
ATTENTION = {
    "MHA": COLOURS[3],
    "GQA": COLOURS[0],
    "MQA": COLOURS[1],
    "MLA": COLOURS[2],
    "CSA": COLOURS[4],
    "HCA": COLOURS[5],
    "linear": INK,
}


class _Marked(LogLocator):
    """Powers of the base as on any logarithmic axis, but two marks at least, and none over another."""

    def __init__(self, base: float, wanted: Sequence[float] = ()) -> None:
        super().__init__(base=base)
        self.wanted = wanted

    def __call__(self) -> list[float]:
        axis: Any = self.axis
        low, high = sorted(map(float, axis.get_view_interval()))
        marks = [mark for mark in self.wanted if low <= mark <= high]
        if len(marks) < 2:
            marks = [float(mark) for mark in super().__call__() if low <= mark <= high]
        if len(marks) < 2:
            rounds = (base * 10.0**power for power in range(-15, 25) for base in (1, 2, 5))
            marks = [mark for mark in rounds if low <= mark <= high]
        if len(marks) < 2:
            marks = [float(mark) for mark in MaxNLocator(3).tick_values(low, high) if low <= mark <= high]
        return marks[:: self._step(marks)]

    def _step(self, marks: list[float]) -> int:
        """Return each how manyth mark has room for its label on a horizontal axis."""
        axis: Any = self.axis
        if axis.axis_name != "x":
            return 1
        wide = axis.axes.bbox.width * 72 / axis.axes.figure.dpi
        most = max((len(_plain(mark)) for mark in marks), default=0)
        needed = len(marks) * most * LETTER * float(mpl.rcParams["font.size"])
        return max(1, min(math.ceil(needed / float(wide)), len(marks) - 1))


_LARGE = 1e7  # from here on a label is a power of ten
_SMALL = 1e-6  # and below here as well


def _plain(value: float) -> str:
    if value >= _LARGE or 0 < value < _SMALL:
        return power_of_ten(value)
    return significant(value, 10).replace("-", "−")


def plain_ticks(axis: mpl.axis.Axis, wanted: Sequence[float] = ()) -> None:
    """Write a logarithmic axis's ticks as plain numbers, such as 0.5, 10 and 1,000, at least two of them.

    Parameters
    ----------
    axis : Axis
        ``axes.xaxis`` or ``axes.yaxis``, with its scale already set.
    wanted : sequence of float
        Where to mark it, if two of these places are in view; by default at powers of its base.
    """
    if axis.get_scale() == "log" and (len(wanted) or isinstance(axis.get_major_locator(), LogLocator)):
        scale: Any = axis.get_transform()
        axis.set_major_locator(_Marked(scale.base, wanted))
    axis.set_major_formatter(FuncFormatter(lambda value, _: _plain(value)))
    axis.set_minor_formatter(FuncFormatter(lambda *_: ""))


def round_ticks(low: float, high: float) -> list[float]:
    """Return round numbers to mark on a logarithmic axis: 1, 2 and 5 times powers of ten.

    Parameters
    ----------
    low, high : float
        The smallest and the largest number that is drawn, above 0.

    Returns
    -------
    list of float
        From a little below to a little above; none where no round number lies there.

    Examples
    --------
    >>> round_ticks(0.9, 6)
    [1.0, 2.0, 5.0]
    """
    steps = [base * 10.0**power for power in range(-6, 16) for base in (1, 2, 5)]
    return [step for step in steps if low / 1.3 <= step <= high * 1.3]


def mark_rounds(axis: mpl.axis.Axis, low: float, high: float, every: int = 1) -> None:
    """Mark a logarithmic axis at round numbers, or as `plain_ticks` does where two do not lie in its range.

    Parameters
    ----------
    axis : Axis
        ``axes.xaxis`` or ``axes.yaxis``, with its scale already set.
    low, high : float
        The smallest and the largest number that is drawn, above 0.
    every : int
        Each how manyth round number is marked.
    """
    marks = round_ticks(low, high)[::every]
    if len(marks) > 1:
        axis.set_ticks(marks)
    plain_ticks(axis)


def legend_above(axes: Axes, columns: int = 2, shift: float = -0.1) -> None:
    """Add a legend above the drawing, in fewer columns where its names are long.

    One that is wider than what is right of its place would press the axes together at each drawing.

    Parameters
    ----------
    axes : Axes
        With all that has a label; its limits and ticks already set.
    columns : int
        The most columns.
    shift : float
        Where it begins, in widths of the axes.
    """
    for ncols in range(columns, 0, -1):
        legend = axes.legend(loc="lower left", bbox_to_anchor=(shift, 1), ncols=ncols, fontsize=SMALLEST)
        legend.set_in_layout(False)
        lay_out(axes)
        drawing = axes.get_figure(root=True)
        assert drawing is not None
        if legend.get_window_extent().x1 <= drawing.bbox.x1:
            break
    legend.set_in_layout(True)


def lay_out(axes: Axes) -> None:
    """Give all parts of a figure their places, as drawing it would, so that texts can be placed among them.

    Parameters
    ----------
    axes : Axes
        Of the figure.
    """
    drawing = axes.get_figure(root=True)
    assert drawing is not None
    drawing.draw_without_rendering()


def label_points(
    axes: Axes,
    x: Sequence[float],
    y: Sequence[float],
    labels: Sequence[str],
    others: Sequence[tuple[float, float]] = (),
    apart: float = 0,
) -> None:
    """Write each label beside its point where it covers no other label and as few points as can be.

    Parameters
    ----------
    axes : Axes
        With its limits and scales already set.
    x, y : sequence of float
        The points, in data coordinates.
    labels : sequence of str
        One text a point. Points are served in order; a label that would cover another one at every place is
        left out, so that those that are there can be read.
    others : sequence of tuple of float
        Points without a label, in data coordinates, that are not to be covered either.
    apart : float
        Pixels that stay free at the left and right of each label.
    """
    lay_out(axes)
    centres = axes.transData.transform([*zip(x, y, strict=True), *others])
    points: list[tuple[float, ...]] = [(px - 4, py - 4, px + 4, py + 4) for px, py in centres.tolist()]
    written: list[tuple[float, ...]] = []
    for point, label in zip(zip(x, y, strict=True), labels, strict=True):
        _place(axes, point, label, points, written, apart)


_TOUCHING = 0.02  # share of its box that a label may lie over others, whose boxes have some room around them

_PLACES = [
    ((6, 0), "left", "center"),
    ((-6, 0), "right", "center"),
    ((0, 6), "center", "bottom"),
    ((0, -6), "center", "top"),
    ((5, 5), "left", "bottom"),
    ((5, -5), "left", "top"),
    ((-5, 5), "right", "bottom"),
    ((-5, -5), "right", "top"),
    ((12, 12), "left", "bottom"),
    ((12, -12), "left", "top"),
    ((-12, 12), "right", "bottom"),
    ((-12, -12), "right", "top"),
]


def _place(
    axes: Axes,
    point: tuple[float, float],
    label: str,
    points: list[tuple[float, ...]],
    written: list[tuple[float, ...]],
    apart: float,
) -> None:
    """Draw one label at the place that covers least, and add its box to those written."""
    frame, best = [tuple(axes.get_window_extent().extents)], None
    text = axes.annotate(label, point, (0, 0), textcoords="offset points", fontsize=SMALLEST, color=INK)
    for offset, horizontal, vertical in _PLACES:
        text.set(ha=horizontal, va=vertical)
        text.xyann = offset
        box = tuple(text.get_window_extent().extents)
        area, covered = _covered(box, [box]), _covered(box, written)
        cost = covered + _covered(box, points) + 10 * (area - _covered(box, frame))
        if best is None or cost < best[0] - 1e-6:
            best = (cost, covered / area, box, offset, horizontal, vertical)
    assert best is not None
    _, share, box, text.xyann, horizontal, vertical = best
    if share > _TOUCHING:
        text.remove()
    else:
        text.set(ha=horizontal, va=vertical)
        left, bottom, right, top = box
        written.append((left - apart, bottom, right + apart, top))


def _covered(box: tuple[float, ...], others: list[tuple[float, ...]]) -> float:
    """Return the area that a box shares with others, one by one; boxes are left, bottom, right, top."""
    if not others:
        return 0.0
    left, bottom, right, top = np.array(others).T
    wide = np.minimum(box[2], right) - np.maximum(box[0], left)
    high = np.minimum(box[3], top) - np.maximum(box[1], bottom)
    return float(np.sum(np.clip(wide, 0, None) * np.clip(high, 0, None)))


def dots(values: pd.Series, colours: Iterable[str], label: str) -> tuple[Figure, Axes]:
    """Draw one dot a row on a logarithmic axis, the largest on top, each with its value beside it.

    Parameters
    ----------
    values : Series
        Positive, indexed by what the rows are called.
    colours : iterable of str
        One colour a dot, in the order of `values`.
    label : str
        The axis label, with the unit.

    Returns
    -------
    Figure, Axes
        The drawing and its axes.
    """
    frame = pd.DataFrame({"value": values, "colour": list(colours)}).sort_values("value", kind="stable")
    drawing, axes = figure(0.24 * len(frame) + 0.7)
    rims = [COLOURS[0] if colour == "white" else colour for colour in frame["colour"]]
    axes.scatter(frame["value"], range(len(frame)), c=frame["colour"], edgecolors=rims, s=36, zorder=2)
    for place, value in enumerate(frame["value"]):
        axes.annotate(
            significant(value), (value, place), (7, 0), textcoords="offset points", va="center", size=SMALLEST
        )
    axes.set(xscale="log", xlabel=label, xlim=(frame["value"].min() / 1.3, frame["value"].max() * 1.9))
    plain_ticks(axes.xaxis)
    name_rows(axes, list(frame.index))
    return drawing, axes


def end_labels(axes: Axes, place: float, heights: Mapping[str, float], colours: Mapping[str, str]) -> None:
    """Name lines at their right ends, moved apart where they would cover each other.

    Parameters
    ----------
    axes : Axes
        With its limits and scales already set.
    place : float
        Where the lines end, in data coordinates.
    heights : mapping of str to float
        The end of each line, by its name.
    colours : mapping of str to str
        The colour of each name.
    """
    lay_out(axes)
    low, high = axes.get_window_extent().y0, axes.get_window_extent().y1
    scale = 72 / axes.figure.dpi
    ends = {name: float(axes.transData.transform((place, height))[1]) for name, height in heights.items()}
    order = sorted(ends, key=lambda name: ends[name])
    places = _apart([ends[name] for name in order], 1.3 * SMALLEST / scale, low, high)
    for name, height in zip(order, places, strict=True):
        axes.annotate(
            name,
            (place, heights[name]),
            (14, (height - ends[name]) * scale),
            textcoords="offset points",
            va="center",
            size=SMALLEST,
            color=colours[name],
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": PALE, "lw": 0.6, "shrinkA": 0, "shrinkB": 1},
        )


def _apart(heights: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Return sorted heights with neighbours moved `gap` apart, between `low` and `high` if possible."""
    placed: list[float] = []
    for height in heights:
        placed.append(max(height, placed[-1] + gap if placed else low))
    ceiling = max(high, low + gap * (len(placed) - 1))
    for at in range(len(placed) - 1, -1, -1):
        placed[at] = min(placed[at], ceiling)
        ceiling = placed[at] - gap
    return placed


def stacked(axes: Axes, widths: pd.DataFrame, parts: Mapping[str, tuple[str, str]]) -> None:
    """Draw one bar a row, the first on top, of parts side by side; parts that no row has are left out.

    Parameters
    ----------
    axes : Axes
        Where to draw.
    widths : DataFrame
        A row for each bar, indexed by a whole number that names it, with a column for each part.
    parts : mapping of str to (str, str)
        What each part is called, and its colour, by its column, from the left.
    """
    places = list(range(len(widths)))[::-1]
    start = np.zeros(len(widths))
    for part, (name, colour) in parts.items():
        long = widths[part].to_numpy(float)
        if long.max() > 0:
            axes.barh(places, long, left=start, color=colour, label=name, height=0.62)
        start = start + long
    name_rows(axes, [f"{number:,}" for number in widths.index][::-1])
    axes.grid(axis="y", visible=False)
    axes.set_axisbelow(True)


def name_rows(axes: Axes, names: Sequence[str]) -> None:
    """Name the rows of a chart, from the bottom up.

    Parameters
    ----------
    axes : Axes
        Its rows stand at 0, 1, 2 and so on.
    names : sequence of str
        One name a row.
    """
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(-0.7, len(names) - 0.3)
    axes.tick_params(axis="y", length=0)


def key(axes: Axes, colours: Mapping[str, str]) -> None:
    """Add a key that names each colour, at the lower right, where the short bars leave room.

    Parameters
    ----------
    axes : Axes
        Where to draw.
    colours : mapping of str to str
        Colour by name, in the order of the key.
    """
    axes.legend([Patch(color=colour) for colour in colours.values()], list(colours), loc="lower right")


def nothing(why: str) -> Figure:
    """Say in the place of a figure why there is nothing to draw.

    Parameters
    ----------
    why : str
        The reason, in words.

    Returns
    -------
    Figure
    """
    drawing, axes = figure(0.6)
    axes.text(0.5, 0.5, why, ha="center", va="center")
    axes.set_axis_off()
    return drawing
