"""The figure of the front page."""

from __future__ import annotations

import pandas as pd
from matplotlib.dates import DateFormatter, YearLocator, date2num
from matplotlib.figure import Figure
from matplotlib.text import Annotation

from cohort.display.parts import label_points
from cohort.display.theme import COLOURS, INK, PALE, SMALLEST, WIDTH, figure

DENSE, WHOLE, ACTIVE = COLOURS[0], COLOURS[1], COLOURS[2]
FAR = 8  # points between a dot and its name from which a line joins them


def draw_sizes(sizes: pd.DataFrame) -> Figure:
    """Draw the size of models against their date of release.

    Parameters
    ----------
    sizes : DataFrame
        As `cohort.chapters.front_page.tables.sizes_by_date` returns it: ``released``, ``total`` and
        ``active`` parameters in billions, and ``named``, whether the figure names the model; by title.

    Returns
    -------
    Figure
        A dot for a dense model; for a mixture one for all parameters and one for those that a token passes
        through, with a line between. The sizes are on a logarithmic axis.
    """
    drawing, axes = figure(WIDTH * 0.8)
    dense = sizes["total"] == sizes["active"]
    plain, mixed = sizes[dense], sizes[~dense]
    axes.vlines(mixed["released"], mixed["active"], mixed["total"], color=PALE, lw=0.8, zorder=1)
    for frame, column, colour, label in (
        (plain, "total", DENSE, "dense"),
        (mixed, "total", WHOLE, "mixture, all weights"),
        (mixed, "active", ACTIVE, "at work for a token"),
    ):
        axes.scatter(frame["released"], frame[column], s=12, color=colour, label=label, zorder=2)
    axes.set_yscale("log")
    axes.set_ylim(top=4 * sizes["total"].max())  # room for names above the largest
    axes.margins(x=0.16)  # and beside the first
    axes.xaxis.set_major_locator(YearLocator())  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_formatter(DateFormatter("%Y"))  # type: ignore[no-untyped-call]
    axes.set(xlabel="date of release", ylabel="parameters (billion)")
    axes.yaxis.set_major_formatter("{x:,g}")
    axes.legend(loc="lower left", bbox_to_anchor=(-0.02, 1), ncols=3, fontsize=SMALLEST, columnspacing=0.8,
                handletextpad=0.1)  # fmt: skip
    named = sizes[sizes["named"]]
    days = [float(date2num(day)) for day in named["released"]]  # type: ignore[no-untyped-call]
    every = [float(date2num(day)) for day in sizes["released"]]  # type: ignore[no-untyped-call]
    # What no name may cover: both ends of each line and, so that none crosses a name, three places between.
    others = [
        (day, float(active * (total / active) ** share))
        for day, active, total in zip(every, sizes["active"], sizes["total"], strict=True)
        for share in (0, 0.25, 0.5, 0.75, 1)
    ]
    label_points(axes, days, list(named["total"]), list(named.index), others)
    for name in (each for each in axes.texts if isinstance(each, Annotation)):
        if max(map(abs, name.xyann)) > FAR:
            axes.annotate("", name.xy, name.xyann, textcoords="offset points",
                          arrowprops={"arrowstyle": "-", "color": INK, "lw": 0.7, "shrinkA": 0})  # fmt: skip
    return drawing
