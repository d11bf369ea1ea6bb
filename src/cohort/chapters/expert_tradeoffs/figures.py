"""The figures of the chapter `expert_tradeoffs`: what a mixture of experts trades."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from cohort.display.parts import end_labels, label_points, name_rows, plain_ticks
from cohort.display.theme import COLOURS, INK, PALE, SMALLEST, WIDTH, figure

OWN, SMALL, LARGE, SKEWED = COLOURS[0], COLOURS[2], COLOURS[1], COLOURS[4]


# What each law is called in a figure, its colour and its form.
LAWS = {
    "clark-s-base": ("Clark, S-BASE", COLOURS[0], "o"),
    "clark-rl-r": ("Clark, RL-R", COLOURS[0], "s"),
    "clark-hash": ("Clark, Hash", COLOURS[0], "^"),
    "krajewski-64": ("Krajewski, 64", COLOURS[1], "o"),
    "krajewski-16": ("Krajewski, 16", COLOURS[1], "s"),
    "abnar": ("Abnar", COLOURS[2], "D"),
    "ludziejewski": ("Ludziejewski", COLOURS[4], "v"),
    "ling": ("Tian (Ling)", COLOURS[5], "P"),
    "root of total and active": ("root (folklore)", INK, "x"),
    "recommended rule": ("recommended", COLOURS[3], "+"),
}
UNFILLED = ("x", "+")


def _powers(axes: Axes) -> None:
    """Set a horizontal axis of powers of two, a few of them named."""
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}" if value >= 1 else "")
    axes.xaxis.set_minor_formatter(NullFormatter())


def draw_trade(frame: pd.DataFrame) -> Figure:
    """Draw training compute against memory, for mixtures and both of their dense counterparts.

    Parameters
    ----------
    frame : DataFrame
        As `sizes.beside_dense` returns it.

    Returns
    -------
    Figure
        Logarithmic axes, GB against GFLOP a token. Each mixture is joined to the dense model of as many
        active and of as many parameters in all.
    """
    drawing, axes = figure(WIDTH * 0.8)
    models = list(frame.index.get_level_values("model").unique())
    for name in models:
        rows = frame.loc[name].loc[["dense, active", "it is", "dense, total"]]
        axes.plot(rows["training"], rows["memory"], color=PALE, lw=1.4, zorder=1)
    forms = {"it is": ("mixture", OWN, "o"), "dense, active": ("dense, as many active", SMALL, "s"),
             "dense, total": ("dense, as many in all", LARGE, "^")}  # fmt: skip
    for kind, (label, colour, form) in forms.items():
        rows = frame.xs(kind, level="as")
        axes.scatter(rows["training"], rows["memory"], color=colour, marker=form, s=34, label=label, zorder=3)
    axes.set(xscale="log", yscale="log", xlabel="training compute (GFLOP a token)", ylabel="weights (GB)")
    axes.margins(0.18)
    for axis in (axes.xaxis, axes.yaxis):
        plain_ticks(axis)
    own = frame.xs("it is", level="as")
    axes.legend(ncols=1, loc="lower left", bbox_to_anchor=(-0.02, 1), fontsize=SMALLEST)
    label_points(axes, list(own["training"]), list(own["memory"]), models)
    for text in axes.texts:  # the lines pass behind the names
        text.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 0.5})
    return drawing


def draw_anatomy(parts: pd.DataFrame) -> Figure:
    """Draw where the weights of each mixture are, as shares of its total.

    Parameters
    ----------
    parts : DataFrame
        As `sizes.anatomy` returns it.

    Returns
    -------
    Figure
        One bar a model, in percent; a line marks the share that a token passes through.
    """
    rows = parts.iloc[::-1]
    drawing, axes = figure(0.34 * len(rows) + 1.4)
    columns = [part for part in parts.columns if part not in ("total", "active")]
    colours = dict(zip(columns, [COLOURS[at] for at in (0, 2, 1, 3, 4, 5, 7, 8)], strict=False))
    left = pd.Series(0.0, rows.index)
    for part in columns:
        share = 100 * rows[part] / rows["total"]
        if share.max() > 0.05:
            axes.barh(range(len(rows)), share, left=left, color=colours[part], height=0.56, label=part)
        left += share
    for place, share in enumerate(100 * rows["active"] / rows["total"]):
        axes.plot([100 - share] * 2, [place - 0.4, place + 0.4], color=INK, lw=2)
    axes.set(xlabel="share of all weights (%)", xlim=(0, 100))
    axes.grid(visible=False, axis="y")
    name_rows(axes, [str(name) for name in rows.index])
    axes.legend(ncols=2, loc="lower left", bbox_to_anchor=(-0.1, 1), fontsize=SMALLEST)
    return drawing


def draw_advantage(lost: pd.DataFrame) -> Figure:
    """Draw between how many answers the sparsity of each mixture is used up.

    Parameters
    ----------
    lost : DataFrame
        As `reads.advantage` returns it.

    Returns
    -------
    Figure
        A bar for each mixture on a logarithmic axis, from where a step reads twice as much as a dense model
        of equal compute to where it reads nearly all.
    """
    rows = lost.iloc[::-1]
    drawing, axes = figure(0.32 * len(rows) + 0.9)
    for place, (_, row) in enumerate(rows.iterrows()):
        low = float(row["nearly all"] if pd.isna(row["twice"]) else row["twice"])
        high = float(row["nearly all"])
        axes.plot([low, high], [place, place], color=OWN, lw=6, solid_capstyle="butt")
        axes.annotate(
            f"{low:,.0f} to {high:,.0f}", (high, place), (6, 0), textcoords="offset points", va="center",
            size=SMALLEST,
        )  # fmt: skip
    axes.set(xscale="log", xlabel="answers in a step")
    axes.set_xlim(1, float(rows["nearly all"].max()) * 6)
    plain_ticks(axes.xaxis)
    name_rows(axes, [str(name) for name in rows.index])
    return drawing


def draw_coverage(frame: pd.DataFrame) -> Figure:
    """Draw how many distinct experts a layer reads, as more tokens are routed at once.

    Parameters
    ----------
    frame : DataFrame
        As `reads.expert_coverage` returns it.

    Returns
    -------
    Figure
        Experts against tokens, the latter on a logarithmic axis. Dots are simulated.
    """
    drawing, axes = figure()
    axes.plot(frame.index, frame["bound"], color=INK, lw=1.2, ls=(0, (4, 2)), label="min(E, K T)")
    axes.plot(frame.index, frame["alike"], color=OWN, label="expected, alike experts")
    axes.plot(frame.index, frame["skewed"], color=SKEWED, label="expected, skewed")
    axes.scatter(frame.index, frame["simulated"], color=SKEWED, s=22, zorder=3, label="simulated, skewed")
    _powers(axes)
    axes.set(xlabel="tokens routed at once", ylabel="distinct experts of a layer")
    axes.set_ylim(bottom=0)
    axes.legend(loc="lower right", fontsize=SMALLEST)
    return drawing


def draw_drops(lines: Mapping[str, pd.Series], chosen: float) -> Figure:
    """Draw the share of assignments that find their expert full, against the room that experts have.

    Parameters
    ----------
    lines : mapping of str to Series
        Shares in per cent, indexed by the capacity factor, by what each line is called.
    chosen : float
        The factor that is marked.

    Returns
    -------
    Figure
        Per cent against the factor.
    """
    drawing, axes = figure()
    colours = dict(zip(lines, [COLOURS[at] for at in (2, 0, 1, 4, 3)], strict=False))
    for name, line in lines.items():
        axes.plot(line.index, line, color=colours[name], lw=1.8)
    axes.axvline(chosen, color=PALE, lw=1, zorder=0)
    axes.set(xlabel="capacity factor", ylabel="assignments dropped (%)")
    axes.set_ylim(bottom=0)
    ends = {name: float(line.iloc[-1]) for name, line in lines.items()}
    end_labels(axes, float(next(iter(lines.values())).index[-1]), ends, colours)
    return drawing


def draw_exchanges(frame: pd.DataFrame) -> Figure:
    """Draw measured and predicted times of dispatch and combine, as more devices share the experts.

    Parameters
    ----------
    frame : DataFrame
        As `cohort.chapters.expert_tradeoffs.links.exchanges` returns it.

    Returns
    -------
    Figure
        Microseconds against devices; lines are predicted, dots measured, open ones calibrate the latency.
    """
    drawing, axes = figure()
    ends, colours = {}, {"dispatch": OWN, "combine": LARGE}
    for step, rows in frame.groupby("step"):
        colour = colours[str(step)]
        axes.plot(rows["devices"], rows["predicted"], color=colour, lw=1.6)
        faces = ["white" if use == "calibrate" else colour for use in rows["use"]]
        axes.scatter(rows["devices"], rows["measured"], c=faces, edgecolors=colour, s=30, zorder=3)
        ends[str(step)] = float(rows["predicted"].iloc[-1])
    _powers(axes)
    axes.set(xlabel="devices that share the experts", ylabel="time of one exchange (µs)")
    axes.set_ylim(bottom=0)
    end_labels(axes, float(frame["devices"].max()), ends, colours)
    return drawing


def draw_equivalents(frame: pd.DataFrame) -> Figure:
    """Draw the dense model that each law takes for as good as each mixture.

    Parameters
    ----------
    frame : DataFrame
        As `worth.equivalents` returns it.

    Returns
    -------
    Figure
        One row a mixture, parameters in billions on a logarithmic axis. The bar runs from active to total
        parameters. A mark is filled where the mixture lies within the runs of its law.
    """
    models = list(dict.fromkeys(frame["model"]))
    drawing, axes = figure(0.5 * len(models) + 1.9)
    places = {name: len(models) - 1 - at for at, name in enumerate(models)}
    for name, rows in frame.groupby("model", sort=False):
        span = np.array([rows["active"].iloc[0], rows["total"].iloc[0]]) / 1e9
        axes.plot(span, [places[str(name)]] * 2, color=PALE, lw=9, solid_capstyle="butt", zorder=1)
    shifts = np.linspace(0.3, -0.3, len(LAWS))
    for shift, (law, (label, colour, form)) in zip(shifts, LAWS.items(), strict=True):
        rows = frame[(frame["law"] == law) & np.isfinite(frame["dense"])]
        heights = [places[name] + shift for name in rows["model"]]
        place = rows["dense"] / 1e9, heights
        if form in UNFILLED:
            axes.scatter(*place, color=colour, marker=form, s=44, zorder=4, label=label)
            continue
        faces = [colour if beyond == 1 else "white" for beyond in rows["beyond"]]
        axes.scatter(*place, c=faces, edgecolors=colour, marker=form, s=26, zorder=3, label=label)
    axes.set(xscale="log", xlabel="dense model of equal loss (billion parameters)")
    axes.set_axisbelow(True)
    plain_ticks(axes.xaxis)
    name_rows(axes, models[::-1])
    axes.legend(ncols=2, loc="lower left", bbox_to_anchor=(-0.3, 1), fontsize=SMALLEST)
    return drawing
