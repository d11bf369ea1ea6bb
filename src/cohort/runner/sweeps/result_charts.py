"""What a sweep found, drawn against what it varied: a chart for each recorded number and varied parameter."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from cohort.errors import extras
from cohort.runner.sweeps.plan import Plan, value_text
from cohort.runner.sweeps.store import Row

with extras():
    import matplotlib as mpl
    from matplotlib.axes import Axes
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    from cohort.display import theme
    from cohort.display.parts import end_labels, plain_ticks, round_ticks

MOST_LINES = 6  # that a chart names; where there are more, it shows the runs as dots
_WIDE = 20.0  # how many times the largest number is the smallest where an axis becomes logarithmic
_MOST_TICKS = 5
_SHORT = 18  # characters of a name on an axis

Points = dict[str, list[tuple[float, float]]]


@dataclass(frozen=True)
class Chart:
    """A recorded number against a varied parameter.

    Parameters
    ----------
    recorded, unit : str
        The number that was recorded, and its unit, which may be empty.
    against : str
        The parameter.
    svg : str
        The drawing, in base64.
    """

    recorded: str
    unit: str
    against: str
    svg: str


def charts(plan: Plan, rows: Sequence[Row]) -> list[Chart]:
    """Return a chart of each recorded number that differs between runs, against each varied parameter.

    Parameters
    ----------
    plan : Plan
        What was to run.
    rows : sequence of Row
        What has run.

    Returns
    -------
    list of Chart
        None where nothing varies, or fewer than two runs finished.
    """
    numbers = dict.fromkeys(
        (name, entry["unit"] or "")
        for row in rows
        for name, entry in row.record.items()
        if _is_number(entry["value"]) and name not in plan.every
    )
    drawn = []
    for name, unit in numbers:
        there = [(row, row.record[name]["value"]) for row in rows if _has(row, name, unit)]
        if len({value for _, value in there}) < 2:
            continue
        for parameter in plan.varied:
            if len({value_text(row.parameters[parameter]) for row, _ in there}) > 1:
                drawn.append(Chart(name, unit, parameter, _draw(plan, name, unit, parameter, there)))
    return drawn


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _has(row: Row, name: str, unit: str) -> bool:
    entry = row.record.get(name)
    return entry is not None and (entry["unit"] or "") == unit and _is_number(entry["value"])


def _draw(plan: Plan, name: str, unit: str, parameter: str, there: list[tuple[Row, Any]]) -> str:
    """Return one chart as SVG in base64: a line for each value of the other parameters."""
    values = [row.parameters[parameter] for row, _ in there]
    numeric = all(map(_is_number, values))
    names = list(dict.fromkeys(map(value_text, values)))
    others = [one for one in plan.varied if one != parameter]
    lines: Points = {}
    for (row, found), value in zip(there, values, strict=True):
        place = float(value) if numeric else float(names.index(value_text(value)))  # type: ignore[arg-type]
        label = ", ".join(f"{one}={_cut(value_text(row.parameters[one]))}" for one in others)
        lines.setdefault(label, []).append((place, float(found)))
    with mpl.rc_context():
        theme.use_theme()
        figure = Figure(figsize=(theme.WIDTH, theme.WIDTH * theme.GOLDEN), layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.subplots()
        _scales(axes, lines, None if numeric else [_cut(one) for one in names])
        axes.set(
            xlabel=parameter, ylabel=f"{name.replace('_', ' ')} ({unit})" if unit else name.replace("_", " ")
        )
        _lines(axes, lines, numeric)
        file = io.BytesIO()
        figure.savefig(file, format="svg", metadata={"Date": None})
    return base64.b64encode(file.getvalue()).decode()


def _lines(axes: Axes, lines: Points, numeric: bool) -> None:
    """Draw and name the lines; runs of a parameter that is no number are dots, since nothing lies between."""
    named = len(lines) <= MOST_LINES
    colours = {label: theme.COLOURS[k % len(theme.COLOURS)] for k, label in enumerate(lines)}
    for label, points in lines.items():
        x, y = zip(*sorted(points), strict=True)
        style = "-o" if numeric and named else "o"
        axes.plot(
            x, y, style, color=colours[label] if named else theme.COLOURS[0], markersize=5, clip_on=False
        )
    if named and len(lines) > 1:
        last = {label: max(points) for label, points in lines.items()}
        end_labels(
            axes, max(x for x, _ in last.values()), {label: y for label, (_, y) in last.items()}, colours
        )


def _scales(axes: Axes, lines: Points, names: Sequence[str] | None) -> None:
    """Set scales and ticks: words for names, and logarithmic axes for numbers that span a wide range."""
    scales = ((axes.xaxis, axes.set_xscale, 0), (axes.yaxis, axes.set_yscale, 1))
    for axis, set_scale, place in scales:
        numbers = [point[place] for points in lines.values() for point in points]
        low, high = min(numbers), max(numbers)
        if place == 0 and names is not None:
            axis.set_ticks(range(len(names)), labels=names, rotation=90 if len(names) > 3 else 0)
            axes.set_xlim(-0.5, len(names) - 0.5)
        elif low > 0 and high / low > _WIDE:
            set_scale("log")
            axis.set_ticks(_few(round_ticks(low, high)))
            plain_ticks(axis)
        else:
            axis.set_major_locator(MaxNLocator(_MOST_TICKS))
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))


def _few(ticks: list[float]) -> list[float]:
    """Return powers of ten alone, evenly, where there are more ticks than can be read."""
    if len(ticks) <= _MOST_TICKS:
        return ticks
    tens = [tick for tick in ticks if f"{tick:e}".startswith("1.0")]
    return tens[:: -(-len(tens) // _MOST_TICKS)]


def _cut(text: str) -> str:
    return text if len(text) <= _SHORT else f"{text[: _SHORT - 1]}…"


def unvaried(plan: Plan, rows: Sequence[Row]) -> Iterator[tuple[str, Any]]:
    """Yield what is the same in every run: parameters, then recorded single values with their units.

    Parameters
    ----------
    plan : Plan
        What was to run.
    rows : sequence of Row
        What has run.

    Yields
    ------
    str, object
        What it is called and its value.
    """
    for name in plan.every:
        if name not in plan.varied:
            yield name, value_text(plan.sets[0].get(name, plan.defaults.get(name, "")))
    finished = [row for row in rows if row.record]
    for name in dict.fromkeys(name for row in finished for name in row.record):
        entries = [row.record.get(name) for row in finished]
        if name not in plan.every and len(finished) > 1 and all(entry == entries[0] for entry in entries):
            yield name, entries[0]
