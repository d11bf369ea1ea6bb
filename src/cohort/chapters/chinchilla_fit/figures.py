"""The figures of the chapter `chinchilla_fit`: the runs, the fitted law, and how sure it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from cohort.chapters.law_titles import law_title
from cohort.display.parts import name_rows, plain_ticks
from cohort.display.phrases import power_of_ten
from cohort.display.theme import COLOURS, INK, SMALLEST, figure
from cohort.display.words import scaled, significant
from cohort.fitting import LOSSES
from cohort.reports.fit_figures import HEAT
from cohort.scaling import FLOP_PER_TOKEN, ScalingLaw

ESTIMATORS = dict(zip(LOSSES, (COLOURS[0], COLOURS[1], COLOURS[2], COLOURS[3]), strict=True))


MARKS = dict(zip(LOSSES, "oDs^", strict=True))

# What the rows of `draw_choices` call them: all but the last measure logarithms of losses.
SHORT = dict(zip(LOSSES, ("Huber", "absolute", "squared", "squared, no log"), strict=True))

CLEAR = 1.3  # how far a curve goes beyond its largest run

SHARES = (0.2, 0.5, 1, 2, 5)  # of the fitted value, that are marked

WIDE = 100  # from this ratio of its ends on, an axis has no room for them

LEAST_SHARE = 1e-3  # of the fitted value, that an axis goes down to: an end can be 0 or below


def draw_policies(
    named: Mapping[str, ScalingLaw], band: pd.DataFrame, reach: float, points: pd.DataFrame
) -> Figure:
    """Draw the tokens per parameter that each law advises against compute.

    Parameters
    ----------
    named : mapping of str to ScalingLaw
        The fit first, then published laws.
    band : DataFrame
        Of the first, as `cohort.fitting.chinchilla_runs.frontier` returns it.
    reach : float
        The largest compute that was fitted, in FLOP; beyond it lines are dashed.
    points : DataFrame
        As `printed.advice` returns it: the printed tables of approaches 1 and 2 are drawn.

    Returns
    -------
    Figure
        Logarithmic axes.
    """
    drawing, axes = figure(3.5)
    flops = band.index.to_numpy(dtype=float)
    axes.axvspan(flops.min(), reach, color="#f2f2f2", lw=0, zorder=0)
    axes.fill_between(flops, band["low"], band["high"], color=COLOURS[0], alpha=0.18, lw=0)
    colours = [COLOURS[0], COLOURS[3], COLOURS[1], COLOURS[2], COLOURS[4]]
    ends: list[tuple[float, str, str]] = []
    every: list[float] = []
    for (name, law), colour in zip(named.items(), colours, strict=False):
        ratios = np.array([law.compute_optimal(flop).tokens_per_parameter for flop in flops])
        for inside in (True, False):
            part = flops <= reach * 1.01 if inside else flops >= reach * 0.99
            axes.plot(flops[part], ratios[part], color=colour, ls="-" if inside else (0, (4, 2)))
        ends.append((float(ratios[-1]), law_title(name), colour))
        every += ratios.tolist()
    for approach, mark, source in ((1, "o", "training curves"), (2, "s", "equal compute")):
        rows = points[(points["approach"] == approach) & (points["flop"] <= flops.max())]
        axes.scatter(
            rows["flop"],
            rows["tokens"] / rows["parameters"],
            marker=mark,
            s=22,
            facecolors="white",
            edgecolors=INK,
            zorder=3,
            label=f"2022, from {source}",
        )
    axes.set(xscale="log", yscale="log", xlabel="training compute (FLOP)", ylabel="tokens per parameter")
    axes.set_xlim(flops.min(), flops.max() * 1.05)
    lowest, highest = min(every) / 1.5, max(every) * 1.5
    usual = lowest > 1 and highest < 1000
    axes.set_ylim(min(2.5, lowest), max(260, highest))
    plain_ticks(axes.yaxis, (3, 10, 20, 50, 100, 200) if usual else ())
    axes.xaxis.set_major_locator(LogLocator(base=100, numticks=8))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.legend(loc="lower left", fontsize=SMALLEST)
    axes.text(
        flops.min() * 1.5, axes.get_ylim()[1] / 1.15, "fitted range", size=SMALLEST, color="#606060", va="top"
    )
    _name_ends(axes, ends)
    return drawing


NAME_HEIGHT = 0.0446  # of the height of the axes, from one name to the next


def _name_ends(axes: Axes, ends: Sequence[tuple[float, str, str]]) -> None:
    """Name lines at their right ends, from the top down, apart where they are near."""
    low, high = axes.get_ylim()
    least = (high / low) ** NAME_HEIGHT
    previous = float("inf")
    for value, name, colour in sorted(ends, reverse=True):
        height = min(value, previous / least)
        previous = height
        axes.annotate(
            name,
            (1.01, height),
            xycoords=axes.get_yaxis_transform(),
            size=SMALLEST,
            color=colour,
            va="center",
            annotation_clip=False,
        )


def draw_iso_flop(law: ScalingLaw, flops: Sequence[float], frame: pd.DataFrame) -> Figure:
    """Draw the loss against the size at equal compute, with the runs near each compute.

    Parameters
    ----------
    law : ScalingLaw
        The fitted law.
    flops : sequence of float
        One curve a compute.
    frame : DataFrame
        As `cohort.fitting.chinchilla_runs.runs` returns it; runs within 15% of a compute are drawn.

    Returns
    -------
    Figure
        Logarithmic in the size; a black line joins the minima.
    """
    drawing, axes = figure(3.4)
    colours = sns.color_palette(HEAT, len(flops))
    kept, minima = frame[~frame["dropped"]], []
    runs = [kept[(np.log(kept["flop"] / flop)).abs() < np.log(1.15)] for flop in flops]
    for flop, colour, near, next_ones in zip(flops, colours, runs, [*runs[1:], runs[-1]], strict=True):
        best = law.compute_optimal(flop)
        minima.append((best.parameters / 1e9, best.loss))
        # The name at the end of a curve stands clear of its runs, and of those of the next one.
        sizes_of_runs = pd.concat([near, next_ones])["parameters"]
        end = max([8.0, *(CLEAR * sizes_of_runs / best.parameters)])
        sizes = best.parameters * np.geomspace(0.12, end, 60)
        losses = [law.loss(size, flop / FLOP_PER_TOKEN / size) for size in sizes]
        axes.plot(sizes / 1e9, losses, color=colour, lw=1.6)
        axes.scatter(near["parameters"] / 1e9, near["loss"], color=colour, s=14, zorder=3)
        axes.annotate(
            power_of_ten(flop, 1),
            (sizes[-1] / 1e9, losses[-1]),
            (4, 0),
            textcoords="offset points",
            size=SMALLEST,
            va="center",
        )
    axes.plot(*zip(*minima, strict=True), color=INK, lw=1.2, marker="o", ms=3.5, zorder=4)
    axes.set(xscale="log", xlabel="parameters (billion)", ylabel="loss (nats per token)")
    low, high = axes.get_xlim()
    axes.set_xlim(low, high * 2)
    plain_ticks(axes.xaxis)
    return drawing


def draw_spread(table: pd.DataFrame) -> Figure:
    """Draw the interval of each quantity as a share of its value.

    Parameters
    ----------
    table : DataFrame
        As `tables.intervals` returns it.

    Returns
    -------
    Figure
        One bar a quantity, on a logarithmic axis around one; the value stands beside its name.
    """
    rows = table.iloc[::-1]
    drawing, axes = figure(0.3 * len(rows) + 0.8)
    places = range(len(rows))
    axes.axvline(1, color=INK, lw=0.8)
    axes.hlines(
        places, rows["low"] / rows["value"], rows["high"] / rows["value"], color=COLOURS[0], lw=5, alpha=0.6
    )
    axes.scatter(np.ones(len(rows)), places, color=COLOURS[0], s=22, zorder=3)
    axes.set(xscale="log", xlabel="share of the fitted value")
    # A factor of two either way at the least, so that narrow intervals look narrow.
    axes.set_xlim(
        min(0.45, max(LEAST_SHARE, float((rows["low"] / rows["value"]).min())) / 1.1),
        max(2.2, float((rows["high"] / rows["value"]).max()) * 1.1),
    )
    low, high = axes.get_xlim()
    plain_ticks(axes.xaxis, SHARES if high / low < WIDE else ())
    axes.grid(visible=False, axis="y")
    name_rows(axes, [f"{name} = {scaled(value)}" for name, value in rows["value"].items()])
    return drawing


def draw_choices(frame: pd.DataFrame) -> Figure:
    """Draw the tokens per parameter that each estimator advises, with its interval.

    Parameters
    ----------
    frame : DataFrame
        As `tables.choices` returns it.

    Returns
    -------
    Figure
        One row an estimator and a number of dropped runs, on a logarithmic axis.
    """
    rows = frame.iloc[::-1].reset_index(drop=True)
    drawing, axes = figure(0.28 * len(rows) + 0.8)
    for place, (_, row) in enumerate(rows.iterrows()):
        colour = ESTIMATORS[row["estimator"]]
        axes.hlines(place, row["low"], row["high"], color=colour, lw=3, alpha=0.45)
        axes.scatter(row["ratio"], place, color=colour, marker=MARKS[row["estimator"]], s=30, zorder=3)
        axes.annotate(
            significant(row["ratio"]),
            (row["high"], place),
            (5, 0),
            textcoords="offset points",
            size=SMALLEST,
            va="center",
        )
    axes.set(xscale="log", xlabel="tokens per parameter, with 95% interval")
    axes.set_xlim(rows["low"].min() / 1.3, rows["high"].max() * 2)
    plain_ticks(axes.xaxis)
    axes.grid(visible=False, axis="y")
    name_rows(
        axes,
        [f"{SHORT[str(each.estimator)]}, {each.dropped} left out" for each in rows.itertuples(index=False)],
    )
    return drawing
