"""What a figure shows, as a table: the numbers of its points, lines, bars and bands."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import astuple, dataclass, fields
from typing import Any

from cohort.errors import extras
from cohort.errors.cells import inert

with extras():
    import numpy as np
    from matplotlib import dates
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.collections import Collection, LineCollection, PathCollection, PolyCollection
    from matplotlib.colors import to_hex
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from matplotlib.patches import Rectangle
    from matplotlib.text import Annotation, Text
    from matplotlib.ticker import FixedLocator

MIME = "text/csv"

_DIGITS = 10  # of a drawn number; whole numbers are written in full
_DATES = (dates.DateFormatter, dates.AutoDateFormatter, dates.ConciseDateFormatter)

Point = tuple[float, float]


@dataclass(frozen=True)
class _Row:
    panel: str
    mark: str
    series: str
    name: str
    x: str
    y: str
    x_end: str = ""
    y_end: str = ""


def values(figure: Figure) -> str:
    """Return what a figure shows as CSV: a row for each point, vertex of a line or band, and bar.

    Parameters
    ----------
    figure : Figure
        As it is drawn.

    Returns
    -------
    str
        With the columns ``panel`` (where there are several), ``mark``, ``series`` (as the key or the label
        names it), ``name`` (the label of the point), ``x`` and ``y`` with the labels of their axes, and
        ``x_end`` and ``y_end`` where marks have two ends. Empty for a drawing without axes.
    """
    panels = [axes for axes in figure.axes if axes.axison]
    rows = [row for number, axes in enumerate(panels, 1) for row in _rows(axes, str(number))]
    if not rows:
        return ""
    heads = [field.name for field in fields(_Row)]
    kept = [place for place, head in enumerate(heads) if _tells(head, [astuple(row)[place] for row in rows])]
    labels = {"x": {axes.get_xlabel() for axes in panels}, "y": {axes.get_ylabel() for axes in panels}}
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(inert(_head(heads[place], labels)) for place in kept)
    writer.writerows([inert(astuple(row)[place]) for place in kept] for row in rows)
    return text.getvalue()


def _tells(head: str, cells: list[str]) -> bool:
    """Return whether a column is worth keeping."""
    return len(set(cells)) > 1 if head == "panel" else any(cells) or head in ("x", "y")


def _head(name: str, labels: dict[str, set[str]]) -> str:
    """Return the head of a column: an axis with its label, where the panels agree on it."""
    label = labels.get(name, set())
    (only,) = label if len(label) == 1 else ("",)
    return f"{name}: {' '.join(only.split())}" if only else name


def _rows(axes: Axes, panel: str) -> Iterator[_Row]:
    bars = {id(bar): str(each.get_label()) for each in axes.containers for bar in each.get_children()}
    for artist in axes.get_children():
        if not artist.get_visible():
            continue
        for mark, series, name, *numbers in _marks(axes, artist, bars):
            if _names(axes.xaxis) or _names(axes.yaxis):
                name = ""  # the row has one already
            x, y = _shown(axes.xaxis, numbers[0::2]), _shown(axes.yaxis, numbers[1::2])
            yield _Row(panel, mark, series, name, x[0], y[0], *(end[1] for end in (x, y) if len(end) > 1))


def _marks(axes: Axes, artist: Artist, bars: dict[int, str]) -> Iterator[tuple[Any, ...]]:
    """Give what an artist draws: the kind of mark, its series, its name, then x and y of each end."""
    if isinstance(artist, Line2D):
        points = _data(axes, artist, artist.get_xydata())
        series = _series(axes, artist, artist.get_color(), points)
        for x, y in points:
            yield "line" if artist.get_linestyle() not in ("None", "") else "point", series, "", x, y
    elif isinstance(artist, LineCollection):
        for segment in artist.get_segments():
            (x, y), *_, (x_end, y_end) = _data(axes, artist, segment)
            yield "rule", _series(axes, artist, artist.get_color(), []), "", x, y, x_end, y_end
    elif isinstance(artist, PathCollection):
        yield from _points(axes, artist)
    elif isinstance(artist, PolyCollection):
        series = _series(axes, artist, artist.get_facecolor(), [])
        for path in artist.get_paths():
            for x, y in _data(axes, artist, path.vertices):
                yield "band", series, "", x, y
    elif isinstance(artist, Rectangle) and artist is not axes.patch:
        yield from _bar(axes, artist, bars.get(id(artist), ""))


def _points(axes: Axes, artist: Collection) -> Iterator[tuple[Any, ...]]:
    colours = artist.get_facecolor()
    colours = colours if len(colours) else artist.get_edgecolor()
    for place, (x, y) in enumerate(_data(axes, artist, artist.get_offsets(), artist.get_offset_transform())):
        colour = [colours[place % len(colours)]] if len(colours) else []
        yield "point", _series(axes, artist, colour, []), _label(axes, (x, y)), x, y


def _bar(axes: Axes, artist: Rectangle, label: str) -> Iterator[tuple[Any, ...]]:
    (x, y), (x_end, y_end) = _data(axes, artist, artist.get_bbox().get_points(), axes.transData)
    own = label and not label.startswith("_")
    series = label if own else _series(axes, artist, artist.get_facecolor(), [])
    if _names(axes.xaxis):
        x = x_end = (x + x_end) / 2
    if _names(axes.yaxis):
        y = y_end = (y + y_end) / 2
    yield "bar", series, _label(axes, ((x + x_end) / 2, (y + y_end) / 2)), x, y, x_end, y_end


def _data(axes: Axes, artist: Artist, points: Any, transform: Any = None) -> list[Point]:
    """Return points in data coordinates; a part that follows the frame, not the data, is not a number."""
    by_data = (transform or artist.get_transform()).contains_branch_seperately(axes.transData)
    whole: Any = np.ma.filled(np.ma.asarray(points, float), np.nan)
    return [
        (float(x) if by_data[0] else np.nan, float(y) if by_data[1] else np.nan) for x, y in whole.tolist()
    ]


def _series(axes: Axes, artist: Artist, colour: Any, points: list[Point]) -> str:
    """Return what a mark belongs to: by its label, a text at one of its points, or its colour in the key."""
    label = str(artist.get_label())
    if label and not label.startswith("_"):
        return label
    if named := next((text for x, y in points if (text := _label(axes, (x, y)))), ""):
        return named
    wanted = _hex(colour)
    for legend in filter(None, [axes.get_legend(), *axes.figure.legends]):
        handle: Any
        for handle, written in zip(legend.legend_handles, legend.get_texts(), strict=False):
            own = handle.get_color() if hasattr(handle, "get_color") else handle.get_facecolor()
            if _hex(own) & wanted:
                return str(written.get_text())
    return ""


def _hex(colours: Any) -> set[str]:
    """Return colours, one or an array of them, as hexadecimal digits."""
    return {to_hex(colours)} if isinstance(colours, str) else {to_hex(one) for one in np.atleast_2d(colours)}


def _label(axes: Axes, point: Point) -> str:
    """Return the text that stands at a point."""
    for text in axes.texts:
        place = text.xy if isinstance(text, Annotation) else Text.get_position(text)
        if place == point:
            return " ".join(text.get_text().split())
    return ""


def _names(axis: Axis) -> dict[float, str]:
    """Return the rows that an axis names, by their places 0, 1, 2 and so on; empty where it counts."""
    locator, written = axis.get_major_locator(), axis.get_major_formatter()
    places = list(map(float, axis.get_majorticklocs())) if isinstance(locator, FixedLocator) else []
    if places != list(range(len(places))):
        return {}
    return {place: " ".join(written(place, int(place)).split()) for place in places}


def _shown(axis: Axis, numbers: list[float]) -> list[str]:
    """Return coordinates as readers know them: dates, names of rows, numbers."""
    if isinstance(axis.get_major_formatter(), _DATES):
        day = dates.DateFormatter("%Y-%m-%d")  # type: ignore[no-untyped-call]
        return ["" if np.isnan(one) else day(one) for one in numbers]
    names = _names(axis)
    return [names.get(round(one, 6)) or _number(one) for one in numbers]


def _number(value: float) -> str:
    if not np.isfinite(value):
        return ""
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.{_DIGITS}g}"
