"""Figures that explain the chapter `chinchilla_fit`: what the law adds up, and what leaving runs out does."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from cohort.display.parts import plain_ticks
from cohort.display.theme import COLOURS, INK, PALE, SMALLEST, figure
from cohort.scaling import ScalingLaw


def draw_parts_of_loss(law: ScalingLaw, flop: float) -> Figure:
    """Draw the three parts of the loss along models of equal training compute.

    Parameters
    ----------
    law : ScalingLaw
        The law.
    flop : float
        Training compute, which fixes the tokens of each size.

    Returns
    -------
    Figure
        Nats per token against parameters on a logarithmic axis, the parts above one another; a line marks the
        size of the least loss. The axis begins near the part that nothing removes.
    """
    best = law.compute_optimal(flop).parameters
    sizes = np.geomspace(best / 30, best * 30, 121)
    model, data = law.A / sizes**law.alpha, law.B / (flop / (6 * sizes)) ** law.beta
    drawing, axes = figure()
    parts = (
        (np.full_like(sizes, law.E), "what nothing removes", PALE),
        (model, "too few parameters", COLOURS[0]),
        (data, "too few tokens", COLOURS[1]),
    )
    floor = np.zeros_like(sizes)
    for part, label, colour in parts:
        axes.fill_between(sizes / 1e9, floor, floor + part, color=colour, lw=0, label=label)
        floor = floor + part
    axes.axvline(best / 1e9, color=INK, lw=1, ls="--")
    axes.set(xscale="log", xlabel="parameters (billion)", ylabel="loss (nats per token)")
    axes.set_xlim(sizes[0] / 1e9, sizes[-1] / 1e9)
    least, most = float(floor.min()), float(floor.max())
    axes.set_ylim(law.E - 0.6 * (least - law.E), most + 0.1 * (most - law.E))
    plain_ticks(axes.xaxis)
    axes.legend(ncols=2, loc="lower left", bbox_to_anchor=(-0.1, 1), fontsize=SMALLEST)
    return drawing


def draw_dropped(ratios: pd.Series) -> Figure:
    """Draw the advice as the runs with the highest losses are left out.

    Parameters
    ----------
    ratios : Series
        Tokens per parameter, by the number of runs left out, as `tables.by_dropped` returns them.

    Returns
    -------
    Figure
        Both axes straight.
    """
    drawing, axes = figure()
    axes.plot(ratios.index, ratios.to_numpy(float), "o-", color=COLOURS[0], ms=5)
    axes.set(xlabel="runs left out, the highest losses first", ylabel="advised tokens per parameter")
    axes.set_ylim(bottom=0)
    return drawing
