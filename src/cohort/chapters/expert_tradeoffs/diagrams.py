"""The diagrams of the chapter `expert_tradeoffs`: what a router does, and which experts a batch reads."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.transforms import Affine2D

from cohort.architecture.decoder import ModelSpec
from cohort.architecture.registered import title
from cohort.chapters.expert_tradeoffs.sizes import experts_of
from cohort.display.diagrams import arrow, box, canvas, words
from cohort.display.theme import COLOURS, INK, PALE
from cohort.display.words import scaled
from cohort.experts.closed_form import coverage

READ, IDLE, ALWAYS = COLOURS[0], PALE, COLOURS[2]
DRAWN = 8  # experts of the sketch


def draw_router(spec: ModelSpec) -> Figure:
    """Draw how a router sends a token to a few of the experts of a layer.

    Parameters
    ----------
    spec : ModelSpec
        A mixture of experts.

    Returns
    -------
    Figure
        A sketch with eight experts; the words count those of the model.
    """
    experts = experts_of(spec)
    drawing, axes = canvas(62)
    box(axes, (2, 34), (13, 8), "a token", INK)
    box(axes, (24, 34), (15, 8), "router", COLOURS[1], filled=True)
    arrow(axes, (15, 38), (24, 38))
    chosen = {1, 4, 6} if experts.active > 2 else {1, 4} if experts.active > 1 else {4}
    for place in range(DRAWN):
        y, used = 54 - 6.2 * place, place in chosen
        box(axes, (56, y), (18, 4.8), f"expert {place + 1}", READ if used else IDLE, filled=used)
        if used:
            arrow(axes, (39, 38), (56, y + 2.4), READ)
            arrow(axes, (74, y + 2.4), (87, 38), READ)
    if experts.count > DRAWN:
        axes.texts[-1].set_text(f"… {experts.count:,}")
    if experts.shared:
        arrow(axes, (8.5, 34), (8.5, 6.5), ALWAYS)
        box(axes, (2, 1.5), (13, 5), "shared", ALWAYS, filled=True)
    words(axes, (93, 38), "sum", bold=True)
    left = 20 if experts.shared else 4
    words(
        axes,
        (left, 5),
        f"{title(spec)}\n{experts.active:,} of {experts.count:,} experts for a token"
        f"{f', and {experts.shared} always' if experts.shared else ''};\n"
        f"{scaled(spec.active_parameters)} of {scaled(spec.parameters)} weights at work.",
        side="left",
    )
    return drawing


def draw_reads(spec: ModelSpec, batches: Sequence[int]) -> Figure:
    """Draw how many experts of a layer batches of several sizes are expected to read.

    Parameters
    ----------
    spec : ModelSpec
        A mixture of experts.
    batches : sequence of int
        Tokens in a step, at most four sizes.

    Returns
    -------
    Figure
        A square of small squares for each batch, one for each expert; filled are as many as are read.
    """
    experts = experts_of(spec)
    side = math.ceil(math.sqrt(experts.count))
    drawing, axes = canvas(34)
    width = 100 / len(batches)
    cell = min((width - 4) / side, 21 / math.ceil(experts.count / side))
    order = np.random.default_rng(0).permutation(experts.count)  # where the read ones are drawn
    for place, tokens in enumerate(batches):
        read = coverage(experts.count, experts.active, tokens)
        left = width * (place + 0.5) - cell * side / 2
        corners = [
            (left + cell * (number % side), 28 - cell * (number // side + 1))
            for number in range(experts.count)
        ]
        for colour, asked in ((READ, order < round(read)), (IDLE, order >= round(read))):
            drawn = [corner for corner, one in zip(corners, asked, strict=True) if one]
            squares = [_square(*corner, 0.84 * cell) for corner in drawn]
            if squares:
                axes.add_patch(PathPatch(Path.make_compound_path(*squares), color=colour, lw=0))
        words(axes, (width * (place + 0.5), 31.5), f"{tokens:,} token{'s' if tokens > 1 else ''}", bold=True)
        words(axes, (width * (place + 0.5), 3), f"{read:,.0f} of {experts.count:,}")
    return drawing


def _square(left: float, bottom: float, side: float) -> Path:
    return Affine2D().scale(side).translate(left, bottom).transform_path(Path.unit_rectangle())
