"""Figures of loads and times: measured routers, slowest devices, placements, layers and wide services."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from cohort.chapters.expert_tradeoffs import placed
from cohort.display.parts import end_labels, name_rows, plain_ticks
from cohort.display.theme import COLOURS, INK, PALE, SMALLEST, WIDTH, figure
from cohort.experts.loads import Load

FORMS = ("o", "s", "^", "D", "v")
KNOWLEDGE = {"blind": COLOURS[3], "by load": COLOURS[0], "with copies": COLOURS[2]}
QUARTER = 0.25


def draw_router_loads(loads: Sequence[Load], skewed: pd.DataFrame, skew: float) -> Figure:
    """Draw the measured loads of the experts of a model, and those of the skewed router.

    Parameters
    ----------
    loads : sequence of Load
        Of one model, one a layer and text: a band from the lowest to the highest.
    skewed : DataFrame
        The loads of a `load.Balance`.
    skew : float
        Of that router.

    Returns
    -------
    Figure
        Loads over their mean against the rank of the expert, as a share of all experts.
    """
    drawing, axes = figure(WIDTH * 0.66)
    axes.axhline(1, color=INK, lw=0.9, ls=(0, (4, 2)))
    every = np.array([sorted(load.over_mean, reverse=True) for load in loads])
    axes.fill_between(_ranks(every.shape[1]), every.min(axis=0), every.max(axis=0), color=PALE, lw=0,
                      label=f"{loads[0].model}, its layers and texts")  # fmt: skip
    axes.plot(_ranks(every.shape[1]), np.median(every, axis=0), color=COLOURS[0], label="its median")
    axes.plot(_ranks(len(skewed)), skewed["expected"], color=COLOURS[4], ls=(0, (5, 2)),
              label=f"router of skew {skew:g}")  # fmt: skip
    axes.set(yscale="log", xlabel="expert, the most popular first (% of all)", ylabel="load over the mean")
    axes.set_ylim(bottom=0.03)
    axes.set_yticks([0.1, 0.3, 1, 3, 10])
    plain_ticks(axes.yaxis)
    axes.legend(loc="lower left", fontsize=SMALLEST)
    return drawing


def _ranks(count: int) -> list[float]:
    return [100 * (rank + 0.5) / count for rank in range(count)]


def draw_slowest(frame: pd.DataFrame) -> Figure:
    """Draw the slowest device of measured layers beside what is predicted from how uneven each layer is.

    Parameters
    ----------
    frame : DataFrame
        As `placed.slowest_devices` returns it.

    Returns
    -------
    Figure
        Predicted against measured load over the mean; in the band both are within a quarter.
    """
    drawing, axes = figure(WIDTH * 0.84)
    rows = frame.dropna()
    low, high = 0.95, 1.08 * float(rows[["measured", placed.KNOWN]].max().max())
    ends = np.array([low, high])
    axes.fill_between(ends, (1 - QUARTER) * ends, (1 + QUARTER) * ends, color=PALE, alpha=0.35, lw=0)
    axes.plot(ends, ends, color=INK, lw=0.9)
    for place, (model, each) in enumerate(rows.groupby("model", sort=False)):
        axes.scatter(each["measured"], each[placed.KNOWN], s=28, marker=FORMS[place % len(FORMS)], zorder=3,
                     color=COLOURS[place], alpha=0.85, label=f"{model} ({len(each)})")  # fmt: skip
    axes.set(xscale="log", yscale="log", xlim=(low, high), ylim=(low, high),
             xlabel="measured load of the slowest device (over the mean)", ylabel="predicted")  # fmt: skip
    for axis in (axes.xaxis, axes.yaxis):
        plain_ticks(axis, (1, 1.5, 2, 3))
    axes.legend(ncols=2, loc="lower left", bbox_to_anchor=(-0.1, 1), fontsize=SMALLEST)
    return drawing


def draw_placements(frame: pd.DataFrame, measured: pd.DataFrame) -> Figure:
    """Draw the slowest device by what the placement of experts knows, as more devices share them.

    Parameters
    ----------
    frame : DataFrame
        As `load.by_placement` returns it.
    measured : DataFrame
        Measured loads of slowest devices: ``devices``, ``measured`` and ``placement``, a column of `frame`.

    Returns
    -------
    Figure
        Load over the mean, both axes logarithmic; marks are measured, of another model.
    """
    drawing, axes = figure(WIDTH * 0.72)
    for column in frame:
        axes.plot(frame.index, frame[column], color=KNOWLEDGE[str(column)])
        rows = measured[measured["placement"] == column]
        axes.scatter(rows["devices"], rows["measured"], color=KNOWLEDGE[str(column)], s=20, zorder=3,
                     edgecolors="white", lw=0.5)  # fmt: skip
    axes.set_xscale("log", base=2)
    axes.set(yscale="log", xlabel="devices that share the experts", ylabel="slowest device (over the mean)")
    plain_ticks(axes.yaxis, (1, 1.5, 2, 3, 5, 10))
    _powers(axes)
    ends = {str(name): float(frame[name].iloc[-1]) for name in frame}
    end_labels(axes, float(frame.index[-1]), ends, KNOWLEDGE)
    return drawing


def _powers(axes: Axes) -> None:
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}" if value >= 1 else "")
    axes.xaxis.set_minor_formatter(NullFormatter())


def draw_layer_times(frame: pd.DataFrame) -> Figure:
    """Draw how long a layer of experts takes as more tokens meet it: measured, predicted and by bandwidth.

    Parameters
    ----------
    frame : DataFrame
        As `timing.layer_times` returns it.

    Returns
    -------
    Figure
        Microseconds against tokens, both axes logarithmic. Marks are measured, lines predicted from the other
        shapes, dashes coverage times bandwidth alone.
    """
    drawing, axes = figure(WIDTH * 0.8)
    ends, colours = {}, {}
    for place, (shape, rows) in enumerate(frame.groupby("shape", sort=False)):
        colour = COLOURS[(0, 1, 2)[place]]
        axes.plot(rows["tokens"], 1e6 * rows["bare"], color=colour, lw=1, ls=(0, (3, 2)))
        axes.plot(rows["tokens"], 1e6 * rows["predicted"], color=colour, lw=1.6)
        axes.scatter(rows["tokens"], 1e6 * rows["measured"], color=colour, s=26, zorder=3)
        ends[str(shape)], colours[str(shape)] = 1e6 * float(rows["predicted"].iloc[-1]), colour
    axes.set_xscale("log", base=2)
    axes.set(yscale="log", xlabel="tokens that meet the layer", ylabel="time of a layer of experts (µs)")
    plain_ticks(axes.yaxis)
    _powers(axes)
    end_labels(axes, float(frame["tokens"].max()), ends, colours)
    return drawing


def draw_wide(frame: pd.DataFrame) -> Figure:
    """Draw published services that deal experts out between what is predicted with and without overlap.

    Parameters
    ----------
    frame : DataFrame
        As `fleet.wide_services` returns it.

    Returns
    -------
    Figure
        One row a service, output tokens a second of one device on a logarithmic axis. The bar runs from
        exchange added to exchange hidden; the mark is what was published.
    """
    rows = frame.iloc[::-1]
    drawing, axes = figure(0.5 * len(rows) + 0.9)
    for place, row in enumerate(rows.to_dict("records")):
        axes.plot([row["apart"], row["overlapped"]], [place] * 2, color=COLOURS[0], lw=8,
                  solid_capstyle="butt", alpha=0.45)  # fmt: skip
        axes.scatter([row["measured"]], [place], color=COLOURS[3], s=42, zorder=3)
    axes.set(xscale="log", xlabel="output tokens a second of one device")
    axes.set_xticks([1000, 2000, 5000, 10000])
    axes.set_xlim(1000, 15000)
    plain_ticks(axes.xaxis)
    name_rows(axes, [f"{row['accelerator']}\n{row['devices']} devices" for row in rows.to_dict("records")])
    return drawing
