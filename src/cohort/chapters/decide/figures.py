"""The figures of the chapter `decide`: prices, designs by size, places, and what changes save."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from cohort.display.parts import (
    dots,
    label_points,
    legend_above,
    mark_rounds,
    name_rows,
    nothing,
    plain_ticks,
)
from cohort.display.theme import COLOURS, INK, PALE, SMALLEST, WIDTH, figure
from cohort.planning import Design
from cohort.units import BILLION, MILLION, TRILLION

KINDS = (COLOURS[0], COLOURS[1], COLOURS[2], COLOURS[4])


def draw_prices(table: pd.DataFrame) -> Figure:
    """Draw the price of a million tokens on each accelerator, with the range of its time.

    Parameters
    ----------
    table : DataFrame
        As `assistant.cheapest_each` returns it.

    Returns
    -------
    Figure
        A dot and a line each, in USD on a logarithmic axis; the cheapest on top.
    """
    if table.empty:
        return nothing("no accelerator serves this within the limits")
    rows = table.iloc[::-1]
    drawing, axes = figure(0.34 * len(rows) + 0.75)
    places = range(len(rows))
    axes.hlines(places, rows["low"], rows["high"], color=COLOURS[0], lw=3, alpha=0.5)
    axes.scatter(rows["usd"], places, color=COLOURS[0], s=36, zorder=3)
    axes.set(xscale="log", xlabel="USD per million output tokens")
    axes.set_xlim(float(rows["low"].min()) / 1.3, float(rows["high"].max()) * 1.3)
    mark_rounds(axes.xaxis, float(rows["low"].min()), float(rows["high"].max()))
    name_rows(axes, [f"{name}, {row['devices']:,} ×" for name, row in rows.iterrows()])
    return drawing


def draw_designs(kinds: Mapping[str, Sequence[Design]]) -> Figure:
    """Draw the price of equally good models against their size: training, and training with use.

    Parameters
    ----------
    kinds : mapping of str to sequence of Design
        As `lab.by_kind` returns it.

    Returns
    -------
    Figure
        A whole line for training and use, a dashed one for training alone, in millions of USD; the dots are
        the cheapest.
    """
    if not kinds:
        return nothing("no model reaches this goal within the limits")
    drawing, axes = figure(WIDTH * 0.62)
    for colour, (name, designs) in zip(KINDS, kinds.items(), strict=False):
        sizes = [each.spec.active_parameters / BILLION for each in designs]
        axes.plot(sizes, [each.usd / MILLION for each in designs], color=colour, lw=2, label=name)
        axes.plot(sizes, [each.training_usd / MILLION for each in designs], color=colour, lw=1.2, ls="--")
        best = min(designs, key=lambda each: each.usd)
        axes.scatter(best.spec.active_parameters / BILLION, best.usd / MILLION, color=colour, s=44, zorder=4)
    axes.plot([], [], color=INK, lw=1.2, ls="--", label="training alone")
    axes.set(xscale="log", yscale="log", xlabel="active parameters (billion)")
    axes.set_ylabel("USD (million)")
    plain_ticks(axes.xaxis)
    least = min(each.usd for designs in kinds.values() for each in designs) / MILLION
    low = min(each.training_usd for designs in kinds.values() for each in designs) / MILLION
    axes.set_ylim(low / 1.3, 30 * least)
    mark_rounds(axes.yaxis, low, 20 * least, every=2)
    legend_above(axes)
    return drawing


def draw_makers(chosen: pd.DataFrame, made: pd.DataFrame) -> Figure:
    """Draw the sizes and data that makers chose, beside those of designs for more and more use.

    Parameters
    ----------
    chosen : DataFrame
        As `lab.chosen_by_makers` returns it.
    made : DataFrame
        As `lab.over_lifetimes` returns it.

    Returns
    -------
    Figure
        Logarithmic axes; the line leads from little use, below on the right, to much, above on the left.
    """
    drawing, axes = figure(WIDTH * 0.66)
    for mixture, colour, label in (
        (False, COLOURS[0], "dense model of the cohort"),
        (True, COLOURS[1], "mixture of the cohort"),
    ):
        rows = chosen[chosen["mixture"] == mixture]
        axes.scatter(
            rows["active"] / BILLION, rows["tokens"] / TRILLION, color=colour, s=28, label=label, zorder=3
        )
    if len(made):
        axes.plot(made["active"] / BILLION, made["tokens"] / TRILLION, "o-", color=INK, ms=4, lw=1.4,
            label="cheapest designs")  # fmt: skip
    axes.set(xscale="log", yscale="log", xlabel="active parameters (billion)")
    axes.set_ylabel("training tokens (trillion)")
    axes.margins(0.12)
    tokens = [*(chosen["tokens"] / TRILLION), *(made["tokens"] / TRILLION)]
    mark_rounds(axes.yaxis, min(tokens), max(tokens))
    plain_ticks(axes.xaxis)
    legend_above(axes, shift=-0.12)
    x, y = list(chosen["active"] / BILLION), list(chosen["tokens"] / TRILLION)
    designs = _along(made["active"] / BILLION, made["tokens"] / TRILLION)
    label_points(axes, x, y, [str(name) for name in chosen.index], others=designs, apart=3)
    return drawing


def _along(x: pd.Series, y: pd.Series, steps: int = 12) -> list[tuple[float, float]]:
    """Return points close together along a line that is drawn on logarithmic axes."""
    ends = list(zip(np.log(x), np.log(y), strict=True))
    shares = np.linspace(0, 1, steps)
    return [
        (float(np.exp(a + share * (c - a))), float(np.exp(b + share * (d - b))))
        for (a, b), (c, d) in pairwise(ends)
        for share in shares
    ]


def draw_emissions(table: pd.DataFrame, grams: float) -> Figure:
    """Draw what an answer emits at each place and on each accelerator, and the limit.

    Parameters
    ----------
    table : DataFrame
        As `places.by_place` returns it.
    grams : float
        The limit.

    Returns
    -------
    Figure
        A row a place, a dot an accelerator, grams on a logarithmic axis; the limit is dotted.
    """
    if table.empty:
        return nothing("no accelerator serves this within the limits")
    order = list(table.groupby("place")["grams"].min().sort_values(ascending=False, kind="stable").index)
    names = list(dict.fromkeys(table["accelerator"]))
    drawing, axes = figure(0.46 * len(order) + 1.4)
    for at, (colour, name) in enumerate(zip([*COLOURS], names, strict=False)):
        shift = 0.5 * ((at + 0.5) / min(len(names), len(COLOURS)) - 0.5)  # side by side, not on each other
        rows = table[table["accelerator"] == name]
        heights = [order.index(place) + shift for place in rows["place"]]
        axes.scatter(rows["grams"], heights, color=colour, s=32, zorder=3, label=name)
    axes.axvline(grams, color=INK, ls=":", lw=1.4)
    axes.set(xscale="log", xlabel="CO2e of an answer (g); dotted: what is allowed")
    low, high = min(table["grams"].min(), grams), max(table["grams"].max(), grams)
    axes.set_xlim(low / 1.6, high * 1.6)
    axes.set_ylim(-0.6, len(order) - 0.4)
    mark_rounds(axes.xaxis, float(low), float(high), every=2)
    name_rows(axes, order)
    legend_above(axes)
    return drawing


def draw_undone(table: pd.DataFrame) -> Figure:
    """Draw how many times as much a token would cost with each change undone.

    Parameters
    ----------
    table : DataFrame
        As `savings.undone_prices` returns it.

    Returns
    -------
    Figure
        A row a model and change; what lies right of 1 has saved. Those that would not fit at all are left
        out.
    """
    finite = table[table["times"] < float("inf")]
    if finite.empty:
        return nothing("none of these models is served within the limits")
    rows = finite.sort_values(["change", "times"])
    changes = list(dict.fromkeys(rows["change"]))
    colours = dict(zip(changes, (COLOURS[0], COLOURS[1], COLOURS[2]), strict=False))
    values = pd.Series(list(rows["times"]), index=list(rows["model"]))
    drawing, axes = dots(values, [colours[each] for each in rows["change"]], "times as much with it undone")
    axes.axvline(1, color=PALE, lw=1.4, zorder=0)
    axes.set_xscale("log")
    axes.set_xlim(min(0.8, float(values.min()) / 1.2), float(values.max()) * 1.3)
    plain_ticks(axes.xaxis, (0.5, 1, 2, 4, 8, 16))
    marks = [Patch(color=colour) for colour in colours.values()]
    axes.legend(marks, list(colours), loc="lower left", bbox_to_anchor=(-0.3, 1), ncols=1, fontsize=SMALLEST)
    return drawing
