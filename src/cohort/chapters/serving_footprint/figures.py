"""The figures of the chapter `serving_footprint`: what using a model takes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from cohort.display.parts import dots, end_labels, key, label_points, name_rows, nothing, plain_ticks, stacked
from cohort.display.theme import COLOURS, INK, PALE, SMALLEST, WIDTH, figure

DENSE, MIXTURE = COLOURS[0], COLOURS[1]


OTHERS = (COLOURS[0], COLOURS[1], COLOURS[2], COLOURS[4], COLOURS[3])


# What a part of an answer's energy is called, and its colour, in the order of the bars.
PARTS = {
    "chat": ("as in a chat", COLOURS[0]),
    "prompt": ("reading the prompt", COLOURS[1]),
    "cache": ("reading the cache", COLOURS[9]),
}


def _dense_ticks(axis: Axis) -> None:
    """Write a logarithmic axis of less than three decades with ticks at 1, 2 and 5."""
    plain_ticks(axis, [digit * 10.0**power for power in range(-9, 9) for digit in (1, 2, 5)])


def draw_batch(sweep: pd.DataFrame, measured: Mapping[str, pd.DataFrame], chosen: str) -> Figure:
    """Draw the energy of an answer against how many are written at once.

    Parameters
    ----------
    sweep : DataFrame
        As `tables.by_batch` returns it.
    measured : mapping of str to DataFrame
        Measured answers of a model, as `tables.measured_answers` returns them.
    chosen : str
        The model that is drawn dark.

    Returns
    -------
    Figure
        Logarithmic axes, Wh against concurrency; one line a model, measured answers as open dots.
    """
    if sweep.empty:
        return nothing("no model fits this accelerator")
    drawing, axes = figure(WIDTH * 0.72)
    names = list(dict.fromkeys(sweep["model"]))
    others = [name for name in names if name != chosen]
    colours = {chosen: INK} | dict(zip(others, OTHERS, strict=False))
    for name in names:
        rows = sweep[sweep["model"] == name]
        axes.plot(rows["concurrency"], rows["wh"], color=colours[name], lw=2.2 if name == chosen else 1.5)
        points = measured.get(name)
        if points is not None:
            axes.scatter(
                points["concurrency"],
                points["wh"],
                facecolors="white",
                edgecolors=colours[name],
                s=26,
                zorder=3,
            )
    axes.set(xscale="log", yscale="log", xlabel="answers at once", ylabel="energy of an answer (Wh)")
    axes.set_xlim(left=0.9)
    for axis in (axes.xaxis, axes.yaxis):
        plain_ticks(axis)
    last = float(sweep["concurrency"].max())
    heights = {
        name: float(rows["wh"].iloc[-1]) for name in names if len(rows := sweep[sweep["model"] == name])
    }
    end_labels(axes, last, heights, colours)
    return drawing


def draw_size(models: pd.DataFrame) -> Figure:
    """Draw the energy of an answer against active parameters.

    Parameters
    ----------
    models : DataFrame
        As `tables.by_model` returns it.

    Returns
    -------
    Figure
        Logarithmic axes, Wh against billions; dense models and mixtures in two colours.
    """
    if models.empty:
        return nothing("no model fits this accelerator")
    drawing, axes = figure(WIDTH * 0.85)
    billions = models["active"].astype(float) / 1e9
    kinds = {"dense": DENSE, "mixture of experts": MIXTURE}
    colours = [MIXTURE if mixture else DENSE for mixture in models["mixture"]]
    axes.scatter(billions, models["wh"], c=colours, s=36, zorder=3)
    axes.set(
        xscale="log", yscale="log", xlabel="active parameters (billion)", ylabel="energy of an answer (Wh)"
    )
    axes.set_xlim(float(billions.min()) / 1.6, float(billions.max()) * 2.6)
    axes.set_ylim(float(models["wh"].min()) / 1.6, float(models["wh"].max()) * 1.6)
    plain_ticks(axes.xaxis)
    _dense_ticks(axes.yaxis)
    label_points(axes, list(billions), list(models["wh"]), [str(name) for name in models.index])
    key(axes, kinds)
    return drawing


def draw_prompt(lengths: pd.DataFrame) -> Figure:
    """Draw the parts of an answer's energy by the length of its prompt, as bars.

    Parameters
    ----------
    lengths : DataFrame
        As `tables.by_prompt` returns it.

    Returns
    -------
    Figure
        Wh; one bar a length, the shortest on top.
    """
    if lengths.empty:
        return nothing("this accelerator does not hold the model")
    drawing, axes = figure(0.3 * len(lengths) + 1.3)
    stacked(axes, lengths, PARTS)
    axes.set(xlabel="energy of an answer (Wh)", ylabel="tokens of the prompt")
    axes.legend(ncols=3, loc="lower left", bbox_to_anchor=(-0.16, 1), fontsize=SMALLEST)
    return drawing


def draw_queries(published: pd.DataFrame, own: pd.DataFrame) -> Figure:
    """Draw published energies of a query, and below them answers of this chapter.

    Parameters
    ----------
    published : DataFrame
        As `published.queries` returns it.
    own : DataFrame
        Per answer ``low``, ``wh`` and ``high``.

    Returns
    -------
    Figure
        Wh on a logarithmic axis; dots with their ranges, this chapter's in another colour.
    """
    rows = pd.concat([published[["low", "wh", "high"]], own[["low", "wh", "high"]]]).astype(float)[::-1]
    drawing, axes = figure(0.27 * len(rows) + 0.8)
    for place, (name, row) in enumerate(rows.iterrows()):
        colour = COLOURS[1] if name in own.index else COLOURS[0]
        axes.plot(
            [row["low"], row["high"]], [place, place], color=colour, lw=3, solid_capstyle="round", alpha=0.5
        )
        axes.scatter(row["wh"], place, color=colour, s=34, zorder=3)
    axes.set(xscale="log", xlabel="energy of a query (Wh)")
    axes.set_xlim(float(rows["low"].min()) / 1.5, float(rows["high"].max()) * 1.5)
    plain_ticks(axes.xaxis)
    name_rows(axes, [str(name) for name in rows.index])
    return drawing


def draw_break_even(models: pd.DataFrame, chosen: str) -> Figure:
    """Draw after how many answers use outweighs making, one dot a model.

    Parameters
    ----------
    models : DataFrame
        As `making.break_evens` returns it.
    chosen : str
        The model that is drawn dark.

    Returns
    -------
    Figure
        Billions of answers on a logarithmic axis; a model of which a bound alone is known says so.
    """
    if models.empty:
        return nothing("no model fits this accelerator whose training hours are known")
    colours = [INK if name == chosen else DENSE for name in models.index]
    bounds = {name: f"{name} (at most)" for name in models.index[models["known"] == "at most"]}
    return dots(models["answers"].rename(bounds) / 1e9, colours, "answers until both are equal (billion)")[0]


def draw_measured_energy(rows: pd.DataFrame, margin: float) -> Figure:
    """Draw energies predicted from the other models against measured ones.

    Parameters
    ----------
    rows : DataFrame
        As `tables.energies_left_out` returns it.
    margin : float
        Geometric standard deviation; the band is as wide.

    Returns
    -------
    Figure
        Logarithmic axes in J an output token; one form and colour a model.
    """
    drawing, axes = figure(WIDTH * 0.95)
    ends = np.array([rows["measured"].min() / 1.5, rows["measured"].max() * 1.5])
    axes.fill_between(ends, ends / margin, ends * margin, color=PALE, alpha=0.45, lw=0)
    axes.plot(ends, ends, color=INK, lw=0.8)
    forms, colours = "os^DvPX<>ph", [*COLOURS, INK]
    for at, name in enumerate(dict.fromkeys(rows["model"])):
        found = rows[rows["model"] == name]
        colour, form = colours[at % len(colours)], forms[at % len(forms)]
        inside = colour if at < len(colours) else "white"  # so that no two models look alike
        axes.scatter(
            found["measured"], found["predicted"], facecolors=inside, edgecolors=colour, marker=form, s=26,
            label=name, zorder=3,
        )  # fmt: skip
    axes.set(
        xscale="log", yscale="log", xlabel="measured (J an output token)",
        ylabel="predicted from the other models (J)", xlim=tuple(ends),
    )  # fmt: skip
    for axis in (axes.xaxis, axes.yaxis):
        plain_ticks(axis)
    axes.legend(ncols=3, loc="lower left", bbox_to_anchor=(-0.18, 1), fontsize=SMALLEST, columnspacing=1.0)
    return drawing


def draw_shares(energy: pd.Series, co2e: pd.Series) -> Figure:
    """Draw which factors an answer's uncertainty is due to.

    Parameters
    ----------
    energy, co2e : Series
        Shares of the variance in percent, as `uncertainty.shares` returns them.

    Returns
    -------
    Figure
        Two bars a factor, in percent.
    """
    names = list(dict.fromkeys([*co2e.index, *energy.index]))[::-1]
    drawing, axes = figure(0.36 * len(names) + 1.0)
    for shift, colour, series in ((0.19, COLOURS[0], energy), (-0.19, COLOURS[1], co2e)):
        widths = [float(series.get(name, 0.0)) for name in names]
        axes.barh([place + shift for place in range(len(names))], widths, height=0.36, color=colour)
    name_rows(axes, names)
    axes.set(xlabel="share of the variance (%)")
    axes.grid(axis="y", visible=False)
    axes.set_axisbelow(True)
    names_of = {"energy": COLOURS[0], "CO2e with the hardware": COLOURS[1]}
    patches = [Patch(color=colour, label=label) for label, colour in names_of.items()]
    axes.legend(handles=patches, ncols=2, loc="lower left", bbox_to_anchor=(-0.5, 1), fontsize=SMALLEST)
    return drawing
