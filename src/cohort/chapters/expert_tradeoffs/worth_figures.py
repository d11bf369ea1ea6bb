"""Figures of what mixtures are worth: pairs, rules, the choice between mixture and dense, modern mixtures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from cohort.chapters.expert_tradeoffs.figures import LAWS as MARKS
from cohort.display.parts import end_labels, label_points, name_rows, plain_ticks
from cohort.display.theme import COLOURS, INK, PALE, SMALLEST, WIDTH, figure
from cohort.scaling.mixture_rules import BLIND, LAWS, Score

DENSE, MIXTURE = COLOURS[2], COLOURS[0]
BAND = (0.8, 1.25)  # median ratios that are taken for right
FORMS = ("o", "s", "^", "D", "v", "P", "X", "<", ">")


def draw_decision(frame: pd.DataFrame, crossings: Sequence[tuple[int, str]]) -> Figure:
    """Draw the worth of the best dense model and of the best mixture against the answers at once.

    Parameters
    ----------
    frame, crossings
        As `decision.best` and `decision.crossovers` return them.

    Returns
    -------
    Figure
        Billions of dense parameters against answers, both on logarithmic axes; the ground has the colour of
        what is worth more, and a line stands where that changes.
    """
    drawing, axes = figure(WIDTH * 0.72)
    axes.set(xscale="log", yscale="log", xlabel="answers written at once",
             ylabel="worth (billion dense parameters)")  # fmt: skip
    axes.set_xlim(frame.index[0], frame.index[-1])
    ends = [*(place for place, _ in crossings[1:]), frame.index[-1]]
    for (start, better), end in zip(crossings, ends, strict=True):
        colour = MIXTURE if better == "mixture" else DENSE
        axes.axvspan(start, end, color=colour, alpha=0.12, lw=0)
        middle = float(np.sqrt(start * end))
        axes.annotate(
            better, (middle, 1), (0, 4), xycoords=("data", "axes fraction"), textcoords="offset points",
            ha="center", size=SMALLEST, color=colour, annotation_clip=False,
        )  # fmt: skip
    for start, _ in crossings[1:]:
        axes.axvline(start, color=INK, lw=0.9, ls=(0, (4, 2)))
    lines = {"best dense model": ("dense", DENSE), "best mixture": ("mixture", MIXTURE)}
    for column, colour in lines.values():
        axes.plot(frame.index, frame[column] / 1e9, color=colour)
    axes.set_ylim(float(frame[["dense", "mixture"]].min().min()) / 1.6e9,
                  float(frame[["dense", "mixture"]].max().max()) * 1.5e-9)  # fmt: skip
    span = axes.get_ylim()
    steps = [digit * 10.0**power for power in range(-2, 5) for digit in (1, 2, 5)]
    plain_ticks(axes.xaxis)
    plain_ticks(axes.yaxis, [each for each in steps if span[0] <= each <= span[1]])
    last = {name: float(frame[column].iloc[-1]) / 1e9 for name, (column, _) in lines.items()}
    end_labels(axes, float(frame.index[-1]), last, {name: colour for name, (_, colour) in lines.items()})
    return drawing


def draw_pairs(pairs: pd.DataFrame) -> Figure:
    """Draw the dense size that each mixture was measured to be worth, and what the blind rule says.

    Parameters
    ----------
    pairs : DataFrame
        As `worth.measured_pairs` returns it.

    Returns
    -------
    Figure
        Predicted over active against measured over active parameters, one mark a pair; on the line both are
        the same, and in the band they are within a quarter.
    """
    drawing, axes = figure(WIDTH * 0.86)
    measured, predicted = pairs["dense"] / pairs["active"], pairs["predicted"] / pairs["active"]
    low, high = 0.7, 1.35 * float(max(measured.max(), predicted.max()))
    ends = np.array([low, high])
    axes.fill_between(ends, BAND[0] * ends, BAND[1] * ends, color=PALE, alpha=0.35, lw=0)
    axes.plot(ends, ends, color=INK, lw=0.9)
    for place, (maker, rows) in enumerate(pairs.groupby("maker", sort=False)):
        axes.scatter(
            measured[rows.index], predicted[rows.index], s=30, color=COLOURS[place % len(COLOURS)],
            marker=FORMS[place % len(FORMS)], label=f"{maker} ({len(rows)})", zorder=3, alpha=0.85,
        )  # fmt: skip
    _square(axes, low, high)
    axes.set(xlabel="measured worth (times the active parameters)", ylabel="predicted blind (times)")
    axes.legend(ncols=3, loc="lower left", bbox_to_anchor=(-0.12, 1), fontsize=SMALLEST,
                columnspacing=0.9, handletextpad=0.2)  # fmt: skip
    return drawing


def _square(axes: Axes, low: float, high: float) -> None:
    """Set both axes to the same logarithmic range, with plain numbers."""
    axes.set(xscale="log", yscale="log", xlim=(low, high), ylim=(low, high))
    for axis in (axes.xaxis, axes.yaxis):
        plain_ticks(axis, (1, 2, 5, 10, 20, 50, 100))
        axis.set_minor_formatter(NullFormatter())


def draw_rule_scores(scores: Sequence[Score]) -> Figure:
    """Draw how far each rule is from the pairs, each maker of models counting as much.

    Parameters
    ----------
    scores : sequence of Score
        As `cohort.scaling.mixture_rules.rule_scores` returns them.

    Returns
    -------
    Figure
        A mark at the median of predicted over measured, with a bar of one geometric standard deviation to
        either side; the band is a median that is right.
    """
    rows = list(scores)[::-1]
    drawing, axes = figure(0.27 * len(rows) + 0.9)
    axes.axvspan(*BAND, color=PALE, alpha=0.35, lw=0)
    axes.axvline(1, color=INK, lw=0.9)
    for place, score in enumerate(rows):
        colour = COLOURS[3] if score.rule == BLIND else MIXTURE if score.rule in LAWS else INK
        low, high = score.makers_median / score.makers_spread, score.makers_median * score.makers_spread
        axes.plot([low, high], [place, place], color=colour, lw=2)
        axes.scatter([score.makers_median], [place], color=colour, s=34, zorder=3)
        axes.annotate(
            f"×{score.makers_spread:.2f}", (high, place), (5, 0), textcoords="offset points", va="center",
            size=SMALLEST,
        )  # fmt: skip
    axes.set(xscale="log", xlabel="predicted over measured worth")
    axes.set_xlim(right=axes.get_xlim()[1] * 1.5)
    axes.set_xticks([0.25, 0.5, 1, 2, 4])
    plain_ticks(axes.xaxis)
    named = {BLIND: "recommended, blind", **{law: label for law, (label, *_) in MARKS.items()}}
    name_rows(axes, [named.get(each.rule, each.rule) for each in rows])
    return drawing


def draw_modern(modern: pd.DataFrame, pairs: pd.DataFrame, named: Sequence[str]) -> Figure:
    """Draw what modern mixtures are worth by the recommended rule, beside the pairs that it rests on.

    Parameters
    ----------
    modern : DataFrame
        As `decision.modern` returns it.
    pairs : DataFrame
        As `worth.measured_pairs` returns it.
    named : sequence of str
        The mixtures that are named, in the order of their right to a place.

    Returns
    -------
    Figure
        Worth over active parameters against total over active ones. A filled mark has a shared expert.
    """
    drawing, axes = figure(WIDTH * 0.9)
    axes.scatter(pairs["total"] / pairs["active"], pairs["dense"] / pairs["active"], color=PALE, s=16,
                 label="measured pairs", zorder=1)  # fmt: skip
    for shared, label in ((True, "with shared experts"), (False, "without")):
        rows = modern[(modern["shared"] > 0) == shared]
        axes.scatter(
            rows["sparsity"], rows["times"], s=22, facecolors=MIXTURE if shared else "white",
            edgecolors=MIXTURE, zorder=3, label=label,
        )  # fmt: skip
    ends = np.array([1.0, 60.0])
    axes.plot(ends, ends, color=INK, lw=0.9)
    axes.set(xscale="log", yscale="log", xlim=(2.5, 60), ylim=(1.4, 14))
    axes.set(xlabel="all parameters over active ones", ylabel="worth (times the active parameters)")
    axes.set_xticks([3, 5, 10, 20, 40])
    axes.set_yticks([2, 3, 5, 10])
    for axis in (axes.xaxis, axes.yaxis):
        plain_ticks(axis)
    axes.annotate("worth all its weights", (9.4, 9.4), (-5, 0), textcoords="offset points", ha="right",
                  size=SMALLEST)  # fmt: skip
    shown = [name for name in dict.fromkeys(named) if name in modern.index]
    axes.legend(ncols=3, loc="lower left", bbox_to_anchor=(-0.1, 1), fontsize=SMALLEST, columnspacing=0.9)
    label_points(axes, list(modern.loc[shown, "sparsity"]), list(modern.loc[shown, "times"]), shown)
    return drawing
