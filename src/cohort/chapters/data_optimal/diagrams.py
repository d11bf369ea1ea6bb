"""Figures that explain the chapter `data_optimal`: two models of equal loss, and where their costs cross."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from cohort.display.phrases import power_of_ten
from cohort.display.theme import COLOURS, INK, PALE, SMALLEST, figure
from cohort.scaling import Allocation, ScalingLaw

OWN, OPTIMUM = COLOURS[1], COLOURS[0]


def draw_equal_loss(law: ScalingLaw, name: str, parameters: float, tokens: float) -> Figure:
    """Draw a model and the compute-optimal one of the same loss, as rectangles of size and text.

    Parameters
    ----------
    law : ScalingLaw
        The law.
    name : str
        Title of the model.
    parameters, tokens : float
        Its size, and the text that it saw.

    Returns
    -------
    Figure
        Parameters against tokens on straight axes, so that an area is a training compute; along the curve
        the loss is the same.
    """
    loss = law.loss(parameters, tokens)
    best = law.compute_optimal(loss=loss)
    drawing, axes = figure()
    high, wide = 1.6 * max(parameters, best.parameters), 1.15 * max(tokens, best.tokens)
    sizes = np.linspace(0.2 * min(parameters, best.parameters), high, 400)
    left = loss - law.E - law.A / sizes**law.alpha
    sizes, left = sizes[left > 0], left[left > 0]
    axes.plot((law.B / left) ** (1 / law.beta) / 1e12, sizes / 1e9, color=INK, lw=1.4, label="equal loss")
    for label, size, seen, colour in (
        ("compute-optimal", best.parameters, best.tokens, OPTIMUM),
        (name, parameters, tokens, OWN),
    ):
        corner = Rectangle((0, 0), seen / 1e12, size / 1e9, color=colour, alpha=0.35, lw=0, label=label)
        axes.add_patch(corner)
        axes.scatter([seen / 1e12], [size / 1e9], color=colour, s=36, zorder=3)
    axes.set(xlabel="training tokens (trillion)", ylabel="parameters (billion)")
    axes.set_xlim(0, wide / 1e12)
    axes.set_ylim(0, high / 1e9)
    axes.legend(loc="upper right", fontsize=SMALLEST)
    return drawing


def draw_lives(
    name: str, parameters: float, tokens: float, best: Allocation, break_even: float, chosen: float
) -> Figure:
    """Draw the compute of training and use of a model and of the compute-optimal one, as use goes on.

    Parameters
    ----------
    name : str
        Title of the model.
    parameters, tokens : float
        Its size, and the text that it saw.
    best : Allocation
        The compute-optimal model of the same loss.
    break_even : float
        Tokens of use after which both took as much; infinite where there is no such point.
    chosen : float
        Tokens of use that are marked.

    Returns
    -------
    Figure
        FLOP, in the power of ten of the largest, against tokens of use, on straight axes.
    """
    drawing, axes = figure()
    far = 2 * max(chosen, break_even if np.isfinite(break_even) else chosen)
    use = np.array([0.0, far])
    lives = (
        ("compute-optimal", best.parameters, best.flop, OPTIMUM),
        (name, parameters, 6 * parameters * tokens, OWN),
    )
    unit = 10.0 ** np.floor(np.log10(max(spent + 2 * size * far for _, size, spent, _ in lives)))
    for label, size, spent, colour in lives:
        axes.plot(use / 1e12, (spent + 2 * size * use) / unit, color=colour, label=label)
    axes.axvline(chosen / 1e12, color=PALE, lw=1, ls="--", zorder=0)
    axes.set(xlabel="tokens of use (trillion)", ylabel=f"training and use ({power_of_ten(unit)} FLOP)")
    axes.set_xlim(0, far / 1e12)
    axes.set_ylim(bottom=0)
    axes.legend(loc="upper left", fontsize=SMALLEST)
    return drawing
