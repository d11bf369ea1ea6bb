"""The figures of the chapter `data_optimal`: models beside a scaling law, and what their use changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, PercentFormatter

from cohort.display.parts import label_points, name_rows, nothing, plain_ticks
from cohort.display.theme import COLOURS, INK, PALE, SMALLEST, WIDTH, figure
from cohort.display.words import inflected, scaled, significant

KINDS = {False: ("dense", COLOURS[0], "o"), True: ("experts, by active parameters", COLOURS[3], "D")}


def draw_map_of_models(frame: pd.DataFrame, band: pd.DataFrame, runs: pd.DataFrame) -> Figure:
    """Draw models by size and tokens, with the compute-optimal line and the runs behind it.

    Parameters
    ----------
    frame : DataFrame
        As `tables.trained` returns it.
    band : DataFrame
        As `cohort.fitting.chinchilla_runs.frontier` returns it.
    runs : DataFrame
        As `cohort.fitting.chinchilla_runs.runs` returns it.

    Returns
    -------
    Figure
        Logarithmic axes.
    """
    drawing, axes = figure(5.6)
    axes.set(xscale="log", yscale="log")
    kept = runs[~runs["dropped"]]
    axes.scatter(kept["parameters"] / 1e9, kept["tokens"] / 1e12, color=PALE, s=6, lw=0, zorder=1)
    edges = _tokens_at(band)
    axes.fill_between(edges.index / 1e9, edges["low"] / 1e12, edges["high"] / 1e12, color="#e9eef4", lw=0)
    reach = kept["flop"].max()
    for part, style in ((band[band.index <= reach], "-"), (band[band.index >= reach], (0, (4, 2)))):
        axes.plot(part["parameters"] / 1e9, part["tokens"] / 1e12, color=INK, lw=1.4, ls=style)
    for experts, (name, colour, mark) in KINDS.items():
        rows = frame[frame["experts"] == experts]
        hollow = rows["status"].isin(["inferred", "contested"])
        for part, fill in ((rows[~hollow], colour), (rows[hollow], "white")):
            axes.scatter(
                part["parameters"] / 1e9,
                part["tokens"] / 1e12,
                facecolors=fill,
                edgecolors=colour,
                marker=mark,
                s=26,
                zorder=3,
                label=name if len(part) and (fill == colour or hollow.all()) else None,
            )
    low_y = min(1e-3, frame["tokens"].min() / 1e12 / 2)
    axes.set_xlim(0.05, max(1500.0, frame["parameters"].max() / 1e9 * 2))
    axes.set_ylim(low_y, max(60.0, frame["tokens"].max() / 1e12 * 1.8))
    axes.set(xlabel="active parameters (billion)", ylabel="training tokens (trillion)")
    for axis in (axes.xaxis, axes.yaxis):
        plain_ticks(axis)
    axes.text(3.2, 0.0035, "the Chinchilla\nruns", size=SMALLEST, color="#707070")
    axes.text(6, 0.055, "compute-optimal", size=SMALLEST, color=INK)
    if len(frame):
        axes.legend(loc="lower right", fontsize=SMALLEST)
    label_points(axes, list(frame["parameters"] / 1e9), list(frame["tokens"] / 1e12), list(frame.index))
    return drawing


def _tokens_at(band: pd.DataFrame) -> pd.DataFrame:
    """Return the band of compute-optimal tokens over sizes, from its ends over computes."""
    sizes = band["parameters"].to_numpy()
    pairs = band["parameters"] * band["tokens"]
    ends = {}
    for name, edge in (("low", "parameters high"), ("high", "parameters low")):
        ends[name] = np.exp(
            np.interp(
                np.log(sizes), np.log(band[edge]), np.log(pairs / band[edge]), left=np.nan, right=np.nan
            )
        )
    return pd.DataFrame(ends, index=sizes).dropna()


def draw_break_even_intervals(
    values: pd.DataFrame, label: str, line: tuple[float, str] | None = None
) -> Figure:
    """Draw a value with its interval for each model, the largest on top, on a logarithmic axis.

    Parameters
    ----------
    values : DataFrame
        Indexed by model: ``value`` and, where known, ``low`` and ``high``; an infinite high reaches the edge.
    label : str
        The axis label, with the unit.
    line : (float, str), optional
        A vertical line and what it is called.

    Returns
    -------
    Figure
        One row a model.
    """
    values = values if "low" in values else values.assign(low=values["value"], high=values["value"])
    rows = values[np.isfinite(values["value"]) & (values["value"] > 0)].sort_values("value", kind="stable")
    if rows.empty:
        return nothing("no model has such a value")
    drawing, axes = figure(0.26 * len(rows) + 0.8)
    finite = rows["high"][np.isfinite(rows["high"])]
    top = 2.2 * max(finite.max() if len(finite) else 0, rows["value"].max(), line[0] if line else 0)
    bottom = min(rows["value"].min(), line[0] if line else np.inf) / 2.5
    places = np.arange(len(rows))
    axes.hlines(
        places,
        rows["low"].clip(lower=bottom),
        rows["high"].clip(upper=top),
        color=COLOURS[0],
        lw=4,
        alpha=0.35,
    )
    axes.scatter(rows["value"], places, color=COLOURS[0], s=26, zorder=3)
    _name_values(axes, rows, top)
    axes.set(xscale="log", xlabel=label, xlim=(bottom, top))
    if line:
        axes.axvline(line[0], color=INK, lw=1, ls="--", zorder=0)
        axes.annotate(
            line[1],
            (line[0], 1),
            (0, 2),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            size=SMALLEST,
            ha="center",
            va="bottom",
        )
    plain_ticks(axes.xaxis)
    axes.grid(visible=False, axis="y")
    name_rows(axes, list(rows.index))
    return drawing


def _name_values(axes: Axes, rows: pd.DataFrame, top: float) -> None:
    """Write each value at the end of its interval, or above its dot where the interval reaches the edge."""
    for place, (value, high) in enumerate(rows[["value", "high"]].itertuples(index=False)):
        closed = bool(np.isfinite(high)) and high < top / 1.6
        axes.annotate(
            significant(value),
            (high if closed else value, place),
            (6, 0) if closed else (0, 4),
            textcoords="offset points",
            size=SMALLEST,
            ha="left" if closed else "center",
            va="center" if closed else "bottom",
        )


def draw_best_sizes(curves: Mapping[str, pd.DataFrame], use: float) -> Figure:
    """Draw the best size for a loss against the volume of use.

    Parameters
    ----------
    curves : mapping of str to DataFrame
        Name of a loss -> as `lifetimes.best_sizes` returns it; the band of the first is drawn.
    use : float
        The chosen volume of use, a vertical line.

    Returns
    -------
    Figure
        Size as a share of the compute-optimal size, on a logarithmic axis of tokens of use.
    """
    drawing, axes = figure(3.2)
    colours = sns.color_palette("crest", len(curves))
    for place, ((name, curve), colour) in enumerate(zip(curves.items(), colours, strict=True)):
        uses = curve.index.to_numpy() / 1e12
        if place == 0 and "low" in curve:
            axes.fill_between(uses, curve["low"], curve["high"], color=colour, alpha=0.2, lw=0)
        axes.plot(uses, curve["size"], color=colour, label=name)
    axes.legend(ncols=2, loc="lower left", bbox_to_anchor=(0, 1), fontsize=SMALLEST)
    axes.set(xscale="log", xlabel="tokens of use (trillion)", ylabel="best size over compute-optimal")
    axes.set_ylim(0, 1.02)
    first = next(iter(curves.values())).index
    axes.set_xlim(first.min() / 1e12, first.max() / 1e12)
    if first.min() <= use <= first.max():
        late = use > (first.min() * first.max()) ** 0.5
        axes.axvline(use / 1e12, color=INK, lw=1, ls="--", zorder=0)
        axes.annotate(
            "chosen use", (use / 1e12, 0.03), (-4 if late else 4, 0), textcoords="offset points",
            size=SMALLEST, va="bottom", ha="right" if late else "left",
        )  # fmt: skip
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    plain_ticks(axes.xaxis)
    return drawing


def draw_learning_curves(
    curves: pd.DataFrame, marks: Sequence[tuple[str, float, float, str]], reach: Mapping[str, float]
) -> Figure:
    """Draw the predicted loss of sizes against their tokens, with models on the curves.

    Parameters
    ----------
    curves : DataFrame
        As `data_worth.learning_curves` returns it.
    marks : sequence of (str, float, float, str)
        Models on the curves: name, tokens, loss, and the column of `curves` whose colour it has.
    reach : mapping of str to float
        Tokens up to which each size was fitted; beyond it a curve is dashed.

    Returns
    -------
    Figure
        Loss against tokens on a logarithmic axis.
    """
    if curves.empty or not len(curves.columns):
        return nothing("none of these models discloses its training tokens")
    drawing, axes = figure(3.2)
    colours = dict(zip(curves.columns, [COLOURS[0], COLOURS[3], COLOURS[2], COLOURS[4]], strict=False))
    for name, colour in colours.items():
        inside = curves.index <= reach[name]
        axes.plot(curves.index[inside] / 1e12, curves[name][inside], color=colour)
        axes.plot(curves.index[~inside] / 1e12, curves[name][~inside], color=colour, ls=(0, (4, 2)))
    for _, tokens, loss, column in marks:
        axes.scatter(tokens / 1e12, loss, color=colours[column], s=30, zorder=3, edgecolors="white")
    axes.set(xscale="log", xlabel="training tokens (trillion)", ylabel="predicted loss (nats per token)")
    axes.set_xlim(curves.index.min() / 1e12, curves.index.max() / 1e12 * 1.6)
    plain_ticks(axes.xaxis)
    lines = [
        (tokens / 1e12, loss)
        for name in colours
        for tokens, loss in zip(curves.index, curves[name], strict=True)
    ]
    label_points(axes, [m[1] / 1e12 for m in marks], [m[2] for m in marks], [m[0] for m in marks], lines)
    return drawing


def draw_passes(table: pd.DataFrame, unique: float) -> Figure:
    """Draw how often the data are read in the best allocation, and what the limit costs in loss.

    Parameters
    ----------
    table : DataFrame
        As `data_worth.limited` returns it.
    unique : float
        The distinct tokens that there are.

    Returns
    -------
    Figure
        Two panels over the same logarithmic axis of compute.
    """
    import matplotlib.pyplot as plt
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    # Room between the lowest mark of one panel and the highest of the other.
    room = ConstrainedLayoutEngine(hspace=0.12)
    drawing, (upper, lower) = plt.subplots(2, 1, figsize=(WIDTH, 4), sharex=True, layout=room)
    upper.plot(table.index, table["passes"], color=COLOURS[0])
    upper.set(xscale="log", yscale="log", ylabel="passes over the data")
    plain_ticks(upper.yaxis, (1, 2, 5, 10, 20, 50))
    lower.plot(table.index, table["free"], color=INK, lw=1.4)
    lower.plot(table.index, table["loss"], color=COLOURS[0])
    _name_end(lower, table.index[-1], table["free"].iloc[-1], "endless data", INK, "top")
    _name_end(
        lower,
        table.index[-1],
        table["loss"].iloc[-1],
        f"{scaled(unique)} {inflected(unique, 'token', 'tokens')}",
        COLOURS[0],
        "bottom",
    )
    lower.set(xlabel="training compute (FLOP)", ylabel="loss (nats per token)")
    lower.margins(y=0.25)  # room for the names at the ends
    lower.yaxis.set_major_locator(MaxNLocator(6, prune="both"))  # none in a corner, where other marks are
    return drawing


def _name_end(axes: Axes, x: float, y: float, name: str, colour: str, side: str) -> None:
    axes.annotate(name, (x, y), (4, 0), textcoords="offset points", size=SMALLEST, color=colour, va=side)


def draw_extrapolated(runs: pd.DataFrame) -> Figure:
    """Draw how a law fitted to runs of few tokens per parameter predicts runs of many.

    Parameters
    ----------
    runs : DataFrame
        As `tables.extrapolated` returns it.

    Returns
    -------
    Figure
        Observed less predicted loss in per cent, against tokens per parameter.
    """
    drawing, axes = figure(3.2)
    sizes = sorted(runs["parameters"].unique())
    colours = sns.color_palette("crest", len(sizes))
    for size, colour in zip(sizes, colours, strict=True):
        rows = runs[runs["parameters"] == size]
        axes.plot(rows["ratio"], 100 * rows["error"], color=colour, lw=1)
        for fitted, fill in ((True, "white"), (False, colour)):
            part = rows[rows["fitted"] == fitted]
            axes.scatter(
                part["ratio"], 100 * part["error"], facecolors=[fill], edgecolors=[colour], s=22, zorder=3
            )
    axes.axhline(0, color=INK, lw=0.8)
    axes.set(xscale="log", xlabel="tokens per parameter", ylabel="observed less predicted (%)")
    axes.set_xlim(runs["ratio"].min() / 1.3, runs["ratio"].max() * 12)
    handles = [
        Line2D([], [], marker="o", ls="", markerfacecolor=fill, markeredgecolor=INK, label=name)
        for fill, name in (("white", "fitted"), (INK, "predicted"))
    ]
    axes.add_artist(axes.legend(handles=handles, loc="upper left", fontsize=SMALLEST))
    named = [
        Line2D([], [], color=colour, label=scaled(size, 2))
        for size, colour in zip(sizes, colours, strict=True)
    ]
    axes.legend(
        handles=named, loc="center right", fontsize=SMALLEST, title="parameters", title_fontsize=SMALLEST
    )
    plain_ticks(axes.xaxis)
    return drawing


def draw_beside_scores(frame: pd.DataFrame, benchmark: str) -> Figure:
    """Draw the score of base models against their predicted loss.

    Parameters
    ----------
    frame : DataFrame
        As `tables.beside_scores` returns it.
    benchmark : str
        What the score is of.

    Returns
    -------
    Figure
        One labelled dot a model.
    """
    if frame.empty:
        return nothing("none of these models has a score as a base model")
    drawing, axes = figure(3.6)
    axes.scatter(frame["loss"], frame["score"], color=COLOURS[0], s=26, zorder=3)
    axes.set(xlabel="predicted loss (nats per token)", ylabel=f"{benchmark}, base models (%)")
    axes.margins(x=0.12, y=0.1)
    label_points(axes, list(frame["loss"]), list(frame["score"]), list(frame.index))
    return drawing
