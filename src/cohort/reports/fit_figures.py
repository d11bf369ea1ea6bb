"""The figures of a fit, for any runs: where they lie, and how far each is from the law."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cohort.display.parts import mark_rounds, plain_ticks
from cohort.display.phrases import power_of_ten
from cohort.display.theme import COLOURS, INK, PALE, SMALLEST, figure
from cohort.errors.arguments import explain
from cohort.fitting import Fit, predicted
from cohort.scaling import FLOP_PER_TOKEN

HEAT = "crest"  # from light to dark: the more compute and the lower the loss, the darker
MARGIN = 1.35  # around the runs


def draw_runs(frame: pd.DataFrame) -> Figure:
    """Draw the training runs by size and tokens, coloured by their loss.

    Parameters
    ----------
    frame : DataFrame
        With ``parameters``, ``tokens``, ``flop``, ``loss`` and ``dropped``: crosses are dropped.

    Returns
    -------
    Figure
        Logarithmic axes; grey lines join points of equal compute.
    """
    drawing, axes = figure(3.6)
    kept = frame[~frame["dropped"]]
    axes.set(xscale="log", yscale="log")
    dots = axes.scatter(
        kept["parameters"] / 1e9, kept["tokens"] / 1e9, c=kept["loss"], cmap=f"{HEAT}_r", s=16, zorder=2
    )
    out = frame[frame["dropped"]]
    axes.scatter(out["parameters"] / 1e9, out["tokens"] / 1e9, marker="x", color=COLOURS[3], s=36, zorder=3)
    axes.set(xlabel="parameters (billion)", ylabel="tokens (billion)")
    for edge, column in ((axes.set_xlim, "parameters"), (axes.set_ylim, "tokens")):
        edge(frame[column].min() / 1e9 / MARGIN, frame[column].max() / 1e9 * MARGIN)
    least, most = (math.log10(each) for each in (frame["flop"].min(), frame["flop"].max()))
    for exponent in range(math.floor(least), math.ceil(most) + 1):
        pairs = 10**exponent / FLOP_PER_TOKEN / 1e18
        sizes = np.array(axes.get_xlim())
        axes.plot(sizes, pairs / sizes, color=PALE, lw=0.8, zorder=0)
        _name_line(axes, pairs, power_of_ten(10.0**exponent))
    _tick(axes.xaxis, frame["parameters"] / 1e9)
    _tick(axes.yaxis, frame["tokens"] / 1e9)
    axes.grid(visible=False)
    bar = drawing.colorbar(dots, ax=axes, label="loss (nats per token)", pad=0.02)
    bar.outline.set_visible(False)
    if len(out):
        axes.legend(
            handles=[Line2D([], [], marker="x", ls="", color=COLOURS[3], label="dropped")],
            loc="best",
            fontsize=SMALLEST,
        )
    return drawing


def _tick(axis: Axis, values: pd.Series) -> None:
    """Mark a logarithmic axis in plain numbers: at 1, 2 and 5 where it spans less than two powers of ten."""
    low, high = float(values.min()), float(values.max())
    if high < 100 * low:
        mark_rounds(axis, low, high)
    else:
        plain_ticks(axis)


def _name_line(axes: Axes, pairs: float, name: str) -> None:
    """Write what a line of equal compute is called at its upper left end inside the frame."""
    low_x, high_y = axes.get_xlim()[0] * 1.08, axes.get_ylim()[1] / 1.35
    x = max(low_x, pairs / high_y)
    if x < axes.get_xlim()[1] / 1.5 and pairs / x > axes.get_ylim()[0] * 1.3:
        axes.text(x, pairs / x, name, size=SMALLEST, color="#707070", rotation=0, va="bottom")


def draw_residuals(found: Fit, frame: pd.DataFrame) -> Figure:
    """Draw how far each run is from the fitted law, against its tokens per parameter.

    Parameters
    ----------
    found : Fit
        Of the runs that are kept.
    frame : DataFrame
        The same with ``ratio``, tokens per parameter.

    Returns
    -------
    Figure
        Observed over predicted loss in per cent, linear up to one per cent and logarithmic beyond.
    """
    drawing, axes = figure()
    error = 100 * (frame["loss"] / predicted(found.law, frame) - 1)
    out = frame["dropped"]
    axes.scatter(frame["ratio"][~out], error[~out], color=COLOURS[0], s=12, alpha=0.7, label="fitted")
    if out.any():
        axes.scatter(frame["ratio"][out], error[out], color=COLOURS[3], marker="x", s=36, label="dropped")
        axes.legend(loc="upper right", fontsize=SMALLEST)
    axes.axhline(0, color=INK, lw=0.8)
    axes.set_xscale("log")
    axes.set_yscale("symlog", linthresh=1)
    top = max(2.0, float(error.abs().max()) * 1.5)
    ticks = [tick for tick in (0.5, 1, 3, 10, 30, 100) if tick <= top]
    axes.set_yticks([-tick for tick in ticks[:3]] + [0, *ticks])
    axes.set_yticks([], minor=True)
    plain_ticks(axes.yaxis)
    _tick(axes.xaxis, frame["ratio"])
    axes.set(xlabel="tokens per parameter", ylabel="observed less predicted (%)")
    axes.set_ylim(-max(2.0, 1.5 * float(-error.min())), top)
    return drawing


explain(__name__)
