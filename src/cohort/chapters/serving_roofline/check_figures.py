"""Figures of the chapter `serving_roofline` on measurements: kernels, errors, and what errors follow."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from cohort.chapters.serving_roofline.figures import TERA
from cohort.display.parts import name_rows, plain_ticks
from cohort.display.theme import COLOURS, INK, PALE, SMALLEST, figure
from cohort.registry.devices import Accelerator

TYPES = {"bf16": COLOURS[0], "fp8": COLOURS[1]}


def draw_products(table: pd.DataFrame, device: Accelerator) -> Figure:
    """Draw measured products on the roofline of their accelerator.

    Parameters
    ----------
    table : DataFrame
        As `kernels.measured_products` returns it.
    device : Accelerator
        Where they were measured.

    Returns
    -------
    Figure
        Logarithmic axes, TFLOP/s against FLOP a byte; a roof for each type.
    """
    drawing, axes = figure()
    ends = np.array([table["intensity"].min() / 1.6, table["intensity"].max() * 1.6])
    along = np.geomspace(float(ends[0]), float(ends[1]), 200)
    for kind, colour in TYPES.items():
        rows = table[table["type"] == kind]
        roof = np.minimum(device.peak(kind), along * device.bandwidth) / TERA
        axes.plot(along, roof, color=PALE, lw=3, zorder=1)
        axes.scatter(
            rows["intensity"], rows["rate"] / TERA, s=16, color=colour, label=f"{kind}, measured", zorder=3
        )
    axes.set(xscale="log", yscale="log", xlabel="FLOP a byte", ylabel="TFLOP/s", xlim=tuple(ends))
    for axis in (axes.xaxis, axes.yaxis):
        plain_ticks(axis)
    axes.legend(loc="lower right", fontsize=SMALLEST)
    return drawing


def draw_errors(table: pd.DataFrame) -> Figure:
    """Draw the median error of each class of service, beside that of the bare roofline.

    Parameters
    ----------
    table : DataFrame
        As `comparisons.errors_of_today` returns it, by class.

    Returns
    -------
    Figure
        Percent; a row for each class with the number of its measurements, the best on top.
    """
    rows = table.sort_values("median", ascending=False, kind="stable")
    drawing, axes = figure(0.42 * len(rows) + 1.1)
    for place, (median, bare) in enumerate(zip(rows["median"], rows["roofline"], strict=True)):
        axes.plot([median, bare], [place, place], color=PALE, lw=2, zorder=1)
    places = range(len(rows))
    axes.scatter(rows["median"], places, color=COLOURS[0], s=40, label="this book", zorder=3)
    axes.scatter(
        rows["roofline"], places, color="white", edgecolors=INK, s=40, label="roofline alone", zorder=3
    )
    axes.set(xlabel="median error of the time per token (%)", xlim=(0, None))
    name_rows(axes, [_on_two_lines(str(name), int(count)) for name, count in rows["rows"].items()])
    axes.legend(ncols=2, loc="lower left", bbox_to_anchor=(-0.1, 1), fontsize=SMALLEST)
    return drawing


def _on_two_lines(name: str, count: int) -> str:
    kind, _, rest = name.partition(", ")
    return f"{kind} ({count:,})\n{rest}"


def draw_reactions(changes: pd.Series) -> Figure:
    """Draw what the time per token does when each share or fixed time is a fifth worse.

    Parameters
    ----------
    changes : Series
        Percent, by what is changed.

    Returns
    -------
    Figure
        A bar for each, the longest on top.
    """
    rows = changes.sort_values(kind="stable")
    drawing, axes = figure(0.3 * len(rows) + 0.8)
    axes.barh(range(len(rows)), rows.to_numpy(float), color=COLOURS[0], height=0.6)
    axes.set(xlabel="change of the time per token (%)")
    axes.grid(axis="y", visible=False)
    axes.set_axisbelow(True)
    name_rows(axes, [str(name) for name in rows.index])
    return drawing
