"""The charts of the panels: stacked bars, lines, rows with ranges and columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cohort.errors.arguments import explain
from cohort.panels.svg import (
    SIZE,
    WIDTH,
    Axis,
    dot,
    drawing,
    line,
    rectangle,
    text,
    tick_label,
    width_of,
)

LEFT, RIGHT, LINE_HEIGHT = 52.0, 12.0, 17.0
BAR = 24.0


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a chart.

    Attributes
    ----------
    label : str
        What stands at its end.
    points : sequence of (float, float)
        What it goes through; numbers, not units of the drawing.
    kind : str
        A class of ``cohort.panels.svg.COLOURS``.
    dashed : bool
        Whether it is no more than an extrapolation or a reference.
    """

    label: str
    points: Sequence[tuple[float, float]]
    kind: str = "c0"
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Dot:
    """A point of a chart with its name, and the range it may lie in.

    Attributes
    ----------
    label : str
        What stands beside it; may be empty.
    x, y : float
        Where it lies.
    kind : str
        A class of ``cohort.panels.svg.COLOURS``.
    low, high : float or None
        Ends of a range along x.
    above : bool
        Whether its name stands above it rather than below, where the lines are not.
    left : bool
        Whether its name stands left of it even where there is room on its right.
    """

    label: str
    x: float
    y: float
    kind: str = "ink"
    low: float | None = None
    high: float | None = None
    above: bool = False
    left: bool = False


def legend(entries: Sequence[tuple[str, str]], top: float, left: float = 0.0) -> tuple[list[str], float]:
    """Return what the colours of a chart mean, in as many lines as it takes.

    Parameters
    ----------
    entries : sequence of (str, str)
        Class and name of each.
    top, left : float
        Where it begins.

    Returns
    -------
    list of str, float
        SVG, and where it ends.
    """
    parts, x, y = [], left, top
    for kind, label in entries:
        wide = 16 + width_of(label) + 12
        if x > left and x + wide > WIDTH:
            x, y = left, y + LINE_HEIGHT
        parts += [rectangle(x, y + 1, 11, 11, kind), text(x + 16, y + 11, label)]
        x += wide
    return parts, y + LINE_HEIGHT


def stacked_bars(
    bars: Sequence[tuple[str, Sequence[float]]],
    names: Sequence[tuple[str, str]],
    axis_label: str,
    title: str,
    limit: tuple[float, str] | None = None,
) -> str:
    """Return bars that each add up parts, one below the other.

    Parameters
    ----------
    bars : sequence of (str, sequence of float)
        The name of each bar and its parts, at least 0.
    names : sequence of (str, str)
        Class and name of each part.
    axis_label, title : str
        What is measured, with its unit, and what the chart shows.
    limit : (float, str), optional
        A line across all bars, with its name.

    Returns
    -------
    str
        SVG.
    """
    parts, y = legend(names, 0)
    y += LINE_HEIGHT if limit else 4
    high = max([sum(values) for _, values in bars] + ([limit[0]] if limit else []))
    axis = Axis(0, high * 1.02 or 1.0, 4, WIDTH - 4)
    top = y
    for label, values in bars:
        if label:
            parts.append(text(4, y + SIZE - 2, label))
            y += LINE_HEIGHT
        total = 0.0
        for (kind, name), value in zip(names, values, strict=True):
            start, end = axis(total), axis(total + value)
            parts.append(rectangle(start, y, end - start, BAR, kind, f"{name}: {tick_label(value)}"))
            total += value
        y += BAR + 6
    if limit:
        at = axis(limit[0])
        parts += [line([(at, top - 2), (at, y - 2)], "ink", 1.5, dashed=True)]
        end = at > WIDTH / 2
        parts.append(text(at + (0 if end else 2), top - 6, limit[1], "end" if end else "start"))
    parts += _below(axis, y, axis_label)
    return drawing(parts, y + 2 * LINE_HEIGHT + 2, title)


def _below(axis: Axis, y: float, label: str) -> list[str]:
    """Return the ticks of an axis along the bottom with its label."""
    parts = [line([(axis.start, y), (axis.end, y)], "ink", 1)]
    free = axis.start - 40
    for tick in axis.ticks():
        said, at = tick_label(tick), axis(tick)
        half = width_of(said) / 2
        at_text = min(max(at, half), WIDTH - half)
        if at_text - half > free:
            parts += [line([(at, y), (at, y + 4)], "ink", 1), text(at_text, y + 15, said, "middle")]
            free = at_text + half + 4
    middle = min(max((axis.start + axis.end) / 2, width_of(label) / 2), WIDTH - width_of(label) / 2)
    return [*parts, text(middle, y + 15 + LINE_HEIGHT, label, "middle")]


def lines(
    drawn: Sequence[Line],
    x_label: str,
    y_label: str,
    title: str,
    dots: Sequence[Dot] = (),
    shaded: tuple[float, float, str] | None = None,
    log: tuple[bool, bool] = (True, True),
    from_zero: bool = False,
    height: float = 210.0,
    headroom: float = 1.15,
) -> str:
    """Return lines in a frame of two axes.

    Parameters
    ----------
    drawn : sequence of Line
        What is drawn.
    x_label, y_label, title : str
        What the axes measure, with units, and what the chart shows.
    dots : sequence of Dot
        Points with names.
    shaded : (float, float, str), optional
        A stretch of x that is marked, and its name.
    log : pair of bool
        Whether x and y are logarithmic.
    from_zero : bool
        Whether a linear y begins at 0.
    height : float
        Of the frame.
    headroom : float
        Times the highest point to which a logarithmic y reaches, and so room for names above it.

    Returns
    -------
    str
        SVG.
    """
    labelled = [(each.kind, each.label) for each in drawn if each.label]
    parts, top = legend(labelled, 0) if len(labelled) > 1 else ([], 0.0)
    parts.append(text(0, top + SIZE, y_label))
    top += LINE_HEIGHT + 8
    xs = [x for each in drawn for x, _ in each.points] + [each.x for each in dots]
    ys = [y for each in drawn for _, y in each.points] + [each.y for each in dots]
    for each in dots:
        if each.low is not None and each.high is not None:
            xs.extend((each.low, each.high))
    x_axis = Axis(min(xs), max(xs), LEFT, WIDTH - RIGHT, log[0])
    low, high = min(ys), max(ys)
    spread = (high - low) * 0.12
    ends = (low / 1.15, high * headroom) if log[1] else (0 if from_zero else low - 2 * spread, high + spread)
    y_axis = Axis(*ends, top + height, top, log[1])
    if shaded:
        start, end = x_axis(shaded[0]), x_axis(shaded[1])
        parts.append(rectangle(start, top, end - start, height, "grid shade", shaded[2]))
    for tick in y_axis.ticks(5):
        at = y_axis(tick)
        parts += [line([(LEFT, at), (WIDTH - RIGHT, at)], "grid", 1)]
        parts.append(text(LEFT - 5, at + 4, tick_label(tick), "end"))
    for one in drawn:
        points = [(x_axis(x), y_axis(y)) for x, y in one.points]
        parts.append(line(points, one.kind, dashed=one.dashed))
    parts += _dots(dots, x_axis, y_axis, top)
    parts += _below(x_axis, top + height, x_label)
    return drawing(parts, top + height + 2 * LINE_HEIGHT + 2, title)


def _dots(dots: Sequence[Dot], x_axis: Axis, y_axis: Axis, top: float) -> list[str]:
    """Return the points with their names, which keep apart and stay inside."""
    parts: list[str] = []
    taken: list[tuple[float, float, float]] = []
    for each in dots:
        x, y = x_axis(each.x), y_axis(each.y)
        if each.low is not None and each.high is not None:
            parts.append(line([(x_axis(each.low), y), (x_axis(each.high), y)], each.kind, 3))
        parts.append(dot(x, y, each.kind))
        if not each.label:
            continue
        wide = width_of(each.label)
        right = not each.left and x + 9 + wide < WIDTH
        start = x + 9 if right else max(x - 9 - wide, LEFT + 2)
        places = [y - 9, y + 20] if each.above else [y + 20, y - 9]
        free = [at for at in places if all(_apart(start, wide, at, other) for other in taken)]
        place = next((at for at in free if top + SIZE <= at <= y_axis.start - 6), (free or places)[0])
        taken.append((start, wide, place))
        parts.append(text(start, place, each.label, halo=True))
    return parts


def _apart(start: float, wide: float, at: float, other: tuple[float, float, float]) -> bool:
    beside = start > other[0] + other[1] or other[0] > start + wide
    return beside or abs(at - other[2]) > SIZE + 2


def ranged_bars(
    bars: Sequence[tuple[str, float, tuple[float, float] | None, str]],
    axis_label: str,
    title: str,
    chosen: int | None = None,
) -> str:
    """Return bars below each other, each under its name, with its range and its number.

    Parameters
    ----------
    bars : sequence of (str, float, pair of float or None, str)
        Name, number, range, and the number in words.
    axis_label, title : str
        What is measured, with its unit, and what the chart shows.
    chosen : int, optional
        The bar that is drawn dark; all of them without.

    Returns
    -------
    str
        SVG.
    """
    high = max(max(value, found[1] if found else 0.0) for _, value, found, _ in bars)
    axis = Axis(0, high * 1.04 or 1.0, 4, WIDTH - 4)
    parts: list[str] = []
    y = 0.0
    for place, (label, value, found, said) in enumerate(bars):
        kind = "c0" if chosen in (None, place) else "c7"
        parts += [text(4, y + SIZE, label), text(WIDTH - 4, y + SIZE, said, "end")]
        y += LINE_HEIGHT
        parts.append(rectangle(4, y, axis(value) - 4, 14, kind, f"{label}: {said}"))
        if found:
            low, end = axis(found[0]), axis(found[1])
            parts += [line([(low, y + 7), (end, y + 7)], "ink", 1.5)]
            parts += [line([(at, y + 3), (at, y + 11)], "ink", 1.5) for at in (low, end)]
        y += 21
    parts += _below(axis, y, axis_label)
    return drawing(parts, y + 2 * LINE_HEIGHT + 2, title)


def upright_bars(
    values: Sequence[float], x_label: str, y_label: str, title: str, limits: Sequence[tuple[float, str]] = ()
) -> str:
    """Return columns side by side, with lines across them.

    Parameters
    ----------
    values : sequence of float
        Their heights, at least 0.
    x_label, y_label, title : str
        What the axes count, and what the chart shows.
    limits : sequence of (float, str)
        Heights at which a line lies, each with its name.

    Returns
    -------
    str
        SVG.
    """
    top, height = LINE_HEIGHT + 8, 150.0
    y_axis = Axis(0, max([*values, *(each for each, _ in limits)]) * 1.12, top + height, top)
    x_axis = Axis(0.5, len(values) + 0.5, LEFT, WIDTH - RIGHT)
    each = (x_axis.end - x_axis.start) / len(values)
    parts = [text(0, SIZE, y_label)]
    for tick in y_axis.ticks(4):
        at = y_axis(tick)
        parts += [line([(LEFT, at), (WIDTH - RIGHT, at)], "grid", 1)]
        parts.append(text(LEFT - 5, at + 4, tick_label(tick), "end"))
    for place, value in enumerate(values):
        at, wide = x_axis(place + 1), max(each * 0.85, 0.6)
        said = f"{place + 1}: {tick_label(value)}"
        parts.append(rectangle(at - wide / 2, y_axis(value), wide, top + height - y_axis(value), "c0", said))
    ordered = sorted(limits, reverse=True)
    for value, _ in ordered:
        parts.append(line([(LEFT, y_axis(value)), (WIDTH - RIGHT, y_axis(value))], "ink", 1.5, dashed=True))
    for place, (value, label) in enumerate(ordered):
        at = y_axis(value)
        if place and at - y_axis(ordered[place - 1][0]) < SIZE + 4:
            continue  # its name stands with that of the line above
        below = [each for other, each in ordered[place + 1 :] if y_axis(other) - at < SIZE + 4]
        said = f"{label}, above the {below[0]}" if below else label
        parts.append(text(WIDTH - RIGHT, at - 5, said, "end", halo=True))
    ticks = Axis(1, max(len(values), 2), x_axis(1), x_axis(len(values)) if len(values) > 1 else x_axis.end)
    parts += _below(ticks, top + height, x_label)
    return drawing(parts, top + height + 2 * LINE_HEIGHT + 2, title)


explain(__name__)
