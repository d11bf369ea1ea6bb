"""The figures of the chapter `serving_roofline`: what serving a token takes."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import cycle

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from cohort.chapters.serving_roofline.tables import SOURCES
from cohort.display.parts import (
    dots,
    label_points,
    lay_out,
    legend_above,
    name_rows,
    nothing,
    plain_ticks,
    stacked,
)
from cohort.display.theme import COLOURS, INK, PALE, SMALLEST, WIDTH, figure

TERA = 1e12


OWN, OTHER = COLOURS[0], COLOURS[1]


# What a part of the time per token is called, and its colour, in the order of the bars.
PARTS = {
    "weights": ("reading weights", COLOURS[0]),
    "cache": ("reading the cache", COLOURS[9]),
    "matrices": ("matrix products", COLOURS[3]),
    "scores": ("scoring the cache", COLOURS[6]),
    "prompts": ("prompts of others", COLOURS[1]),
    "links": ("exchange", COLOURS[4]),
    "layers": ("fixed, per layer", COLOURS[7]),
    "sequences": ("fixed, per sequence", INK),
}


LEVELS = (8, -8, 20, -20)  # points above and below the roof at which phases are named by turns
NEAR = 1.4  # up to this ratio of their intensities, phases lie too close to be named apart


def draw_roofline(phases: pd.DataFrame) -> Figure:
    """Draw the roofline of one device with the phases on it.

    Parameters
    ----------
    phases : DataFrame
        As `tables.phases` returns it.

    Returns
    -------
    Figure
        Logarithmic axes, TFLOP/s against FLOP a byte; one roof for each type of number that is multiplied.
    """
    drawing, axes = figure()
    bandwidth = float(phases["peak"].iloc[0] / phases["ridge"].iloc[0])
    low = min(float(phases["intensity"].min()), 1.0) / 3
    high = max(float(phases["intensity"].max()), float(phases["ridge"].max())) * 8
    for peak in sorted(set(phases["peak"])):
        along = [low, peak / bandwidth, high]
        axes.plot(along, [low * bandwidth / TERA, peak / TERA, peak / TERA], color=PALE, lw=3, zorder=1)
    colours = [
        OTHER if name == "training" else COLOURS[2] if name == "prefill" else OWN for name in phases.index
    ]
    axes.scatter(phases["intensity"], phases["attainable"] / TERA, color=colours, s=44, zorder=3)
    axes.set(xscale="log", yscale="log", xlabel="FLOP a byte", ylabel="attainable TFLOP/s of one device")
    axes.set_xlim(low, high)
    axes.set_ylim(low * bandwidth / TERA, float(phases["peak"].max()) / TERA * 3)
    for axis in (axes.xaxis, axes.yaxis):
        plain_ticks(axis)
    _name_phases(axes, phases)
    return drawing


def _name_phases(axes: Axes, phases: pd.DataFrame) -> None:
    """Name the phases beside the roof, apart: beside the slope, and above and below the flat by turns."""
    turns = cycle(range(len(LEVELS)))
    rows = phases.sort_values("intensity", kind="stable")
    near = (rows["intensity"] > NEAR * rows["intensity"].shift(fill_value=0.0)).cumsum()
    lay_out(axes)
    written: list[Bbox] = []
    for _, group in rows.groupby(near):
        name, row = " and ".join(map(str, group.index)), group.iloc[0]
        text = axes.annotate(
            name,
            (row["intensity"], row["attainable"] / TERA),
            (0, 0),
            textcoords="offset points",
            size=SMALLEST,
        )
        turn = next(turns) if row["intensity"] >= row["ridge"] else None
        for place in _beside_slope() if turn is None else _beside_flat(turn):
            text.set(ha=place[1], va=place[2])
            text.xyann = place[0]
            box = text.get_window_extent()
            if not any(box.overlaps(other) for other in written):
                break
        written.append(box)


_Place = tuple[tuple[float, float], str, str]


def _beside_slope() -> list[_Place]:
    """Return where the name of a phase on the slope may stand: below it, above it, then further away."""
    below = [((9, -level), "left", "top") for level in (4, 16, 28)]
    above = [((-9, level), "right", "bottom") for level in (4, 16, 28)]
    return [place for pair in zip(below, above, strict=True) for place in pair]


def _beside_flat(turn: int) -> list[_Place]:
    """Return where the name of a phase at the flat may stand, the level whose turn it is first."""
    levels = LEVELS[turn:] + LEVELS[:turn]
    return [((0, level), "center", "bottom" if level > 0 else "top") for level in levels]


def draw_crossing(table: pd.DataFrame, turned: int, most: int) -> Figure:
    """Draw what reading weights and multiplying with them take, as more answers share a step.

    Parameters
    ----------
    table : DataFrame
        As `tables.crossing` returns it.
    turned : int
        Answers at which both are equal.
    most : int
        Answers that the memory holds, 0 where it holds none.

    Returns
    -------
    Figure
        Milliseconds against answers, both on logarithmic axes; grey where memory is what a step waits for.
    """
    drawing, axes = figure()
    times = 1e3 * table
    axes.axvspan(1, turned, color=PALE, alpha=0.25, lw=0, zorder=0)
    for part, label, colour in (
        ("reading", "reading", COLOURS[0]),
        ("multiplying", "multiplying", COLOURS[3]),
    ):
        axes.plot(times.index, times[part], color=colour, label=label)
    axes.set(xscale="log", yscale="log", xlabel="answers in a step", ylabel="time at the peaks (ms)")
    axes.set_xlim(1, times.index[-1])
    low = float(times["multiplying"].iloc[0])
    axes.set_ylim(low / 2, 6 * float(times.to_numpy().max()))
    for axis in (axes.xaxis, axes.yaxis):
        plain_ticks(axis)
    for number, label in ((turned, "turns"), (most, "memory full")):
        if 1 < number < times.index[-1]:
            axes.axvline(
                number, color=INK, lw=1, ls="--" if label == "turns" else ":", label=f"{label}: {number:,}"
            )
    axes.legend(ncols=2, loc="upper left", fontsize=SMALLEST)
    return drawing


def draw_frontiers(found: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw throughput of a device against the speed of a user, one curve an accelerator.

    Parameters
    ----------
    found : mapping of str to DataFrame
        As `changes.frontiers` returns it.

    Returns
    -------
    Figure
        Throughput on a logarithmic axis; more answers at once lead up and to the left.
    """
    if not found:
        return nothing("none of these accelerators holds this model")
    drawing, axes = figure(WIDTH * 0.8)
    styles = ["-", "--", "-.", ":"]
    for at, (name, sweep) in enumerate(found.items()):
        axes.plot(
            sweep["each"],
            sweep["per device"],
            styles[at % 4],
            color=COLOURS[at % len(COLOURS)],
            label=name,
            lw=1.8,
        )
    axes.set(yscale="log", xlabel="speed that one user sees (tokens/s)", xlim=(0, None))
    axes.set_ylabel("output tokens/s per device")
    plain_ticks(axes.yaxis)
    legend_above(axes)
    return drawing


def draw_time_per_token(sweep: pd.DataFrame) -> Figure:
    """Draw the parts of the time per token at several concurrencies, as bars.

    Parameters
    ----------
    sweep : DataFrame
        As `tables.by_concurrency` returns it.

    Returns
    -------
    Figure
        Milliseconds; one bar a concurrency, the smallest on top.
    """
    drawing, axes = figure(0.24 * len(sweep) + 1.7)
    stacked(axes, 1e3 * sweep[list(PARTS)], PARTS)
    axes.set(xlabel="time per output token (ms)", ylabel="concurrency")
    axes.legend(ncols=2, loc="lower left", bbox_to_anchor=(-0.1, 1), fontsize=SMALLEST)
    return drawing


def draw_throughput_against_speed(
    sweep: pd.DataFrame, earlier: pd.DataFrame, devices: int, chosen: int
) -> Figure:
    """Draw the throughput of all users against the speed that each of them sees, as concurrency grows.

    Parameters
    ----------
    sweep, earlier : DataFrame
        As `tables.by_concurrency` returns it, for engines of 2025 and of 2023.
    devices : int
        Devices that share the work.
    chosen : int
        The concurrency that is marked.

    Returns
    -------
    Figure
        Straight axes; concurrencies that do not fit the memory are open dots.
    """
    drawing, axes = figure()
    for table, colour, name in ((earlier, PALE, "engines of 2023"), (sweep, OWN, "engines of 2025")):
        axes.plot(table["each"], table["throughput"] / devices, color=colour, lw=1.6, label=name)
    faces = [OWN if fits else "white" for fits in sweep["fits"]]
    axes.scatter(sweep["each"], sweep["throughput"] / devices, c=faces, edgecolors=OWN, s=26, zorder=3)
    axes.set(xlabel="speed that one user sees (tokens/s)", ylabel="output tokens/s per device")
    axes.margins(0.12)
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
    named = [number for number in sweep.index if number in (1, chosen, sweep.index[-1])]
    rows = sweep.loc[named]
    labels = [f"{number:,}" for number in named]
    every = list(zip(sweep["each"], sweep["throughput"] / devices, strict=True))
    axes.legend(ncols=2, loc="lower left", bbox_to_anchor=(0, 1), fontsize=SMALLEST)
    label_points(axes, list(rows["each"]), list(rows["throughput"] / devices), labels, others=every)
    return drawing


def draw_savings(table: pd.DataFrame) -> Figure:
    """Draw the throughput of each variant of a model with as many sequences as fit.

    Parameters
    ----------
    table : DataFrame
        As `tables.savings` returns it; its first row is the model as it is, and drawn dark.

    Returns
    -------
    Figure
        Dots in output tokens a second on a logarithmic axis. Variants that do not fit are left out.
    """
    held = table["throughput"].dropna()
    if held.empty:
        return nothing("no variant fits these devices")
    colours = [INK if name == table.index[0] else OWN for name in held.index]
    return dots(held, colours, "output tokens/s")[0]


def draw_cost(table: pd.DataFrame) -> Figure:
    """Draw what a million output tokens cost on each accelerator, from its lowest to its highest price.

    Parameters
    ----------
    table : DataFrame
        As `tables.costs` returns it.

    Returns
    -------
    Figure
        Ranges in USD on a logarithmic axis, the cheapest on top.
    """
    if table.empty:
        return nothing("no group of accelerators with a published price holds this model")
    rows = table.iloc[::-1]
    drawing, axes = figure(0.24 * len(rows) + 0.7)
    for place, (low, high) in enumerate(zip(rows["low"], rows["high"], strict=True)):
        axes.plot([low, high], [place, place], color=OWN, lw=3, solid_capstyle="round")
        axes.scatter([low, high], [place, place], color=OWN, s=22, zorder=3)
    axes.set(xscale="log", xlabel="USD per million output tokens")
    axes.set_xlim(float(rows["low"].min()) / 1.4, float(rows["high"].max()) * 1.4)
    plain_ticks(axes.xaxis)
    name_rows(axes, [f"{name}, {row['devices']:.0f} ×" for name, row in rows.iterrows()])
    return drawing


def draw_measured_times(compared: pd.DataFrame, margin: float = 0.15) -> Figure:
    """Draw predicted against measured times, one colour and form a source.

    Parameters
    ----------
    compared : DataFrame
        As `comparisons.measured_cases` returns it.
    margin : float
        Relative error of the band that is drawn.

    Returns
    -------
    Figure
        Logarithmic axes in milliseconds; on the line both are equal.
    """
    drawing, axes = figure(WIDTH * 0.95)
    ends = np.array([compared["measured"].min() / 1.5, compared["measured"].max() * 1.5]) * 1e3
    axes.fill_between(ends, ends * (1 - margin), ends * (1 + margin), color=PALE, alpha=0.45, lw=0)
    axes.plot(ends, ends, color=INK, lw=0.8)
    forms = dict(zip(sorted(compared["source"].unique()), ["o", "s", "^", "D", "v", "P", "X"], strict=False))
    for at, (source, form) in enumerate(forms.items()):
        rows = compared[compared["source"] == source]
        faces = [COLOURS[at] if inside else "white" for inside in rows["in scope"]]
        place = 1e3 * rows["measured"], 1e3 * rows["predicted"]
        axes.scatter(
            *place,
            c=faces,
            edgecolors=COLOURS[at],
            marker=form,
            s=24,
            label=SOURCES.get(source, source),
            lw=1,
            zorder=3,
        )
    axes.set(xscale="log", yscale="log", xlabel="measured (ms)", ylabel="predicted (ms)", xlim=tuple(ends))
    for axis in (axes.xaxis, axes.yaxis):
        plain_ticks(axis)
    axes.legend(ncols=2, loc="lower left", bbox_to_anchor=(-0.1, 1), fontsize=SMALLEST)
    return drawing
