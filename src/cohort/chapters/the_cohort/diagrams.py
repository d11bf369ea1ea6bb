"""The diagrams of the chapter `the_cohort`: what a decoder is made of, and what each layer looks at."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TypeVar

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from cohort.architecture.decoder import ModelSpec
from cohort.architecture.layers import Layer
from cohort.architecture.registered import title
from cohort.display.diagrams import arrow, box, canvas, words
from cohort.display.parts import name_rows
from cohort.display.theme import COLOURS, INK, PALE, SMALLEST, figure
from cohort.display.words import scaled

Value = TypeVar("Value")

SIGHT = {
    "everything": COLOURS[0],
    "everything, compressed": COLOURS[2],
    "a window": COLOURS[1],
    "a chunk": COLOURS[4],
    "chosen blocks": COLOURS[5],
    "a running state": INK,
}
EXPERTS = COLOURS[3]


def draw_decoder(name: str, layers: int, counts: pd.Series) -> Figure:
    """Draw the way of a token through a decoder, with the weights that it meets.

    Parameters
    ----------
    name : str
        Title of the model.
    layers : int
        How many it has.
    counts : Series
        Its row of `cohort.display.model_tables.counts`.

    Returns
    -------
    Figure
    """
    drawing, axes = canvas(45)
    routed = counts["routed experts"] > 0
    second = "experts" if routed else "feed-forward"
    words(axes, (50, 41), f"{name}: {scaled(counts['total'])} weights", bold=True)
    box(axes, (1, 20), (18, 9), "embedding", COLOURS[1], filled=True)
    box(axes, (25, 13), (54, 22), colour=PALE)
    words(axes, (52, 32), f"a layer, {layers} times")
    box(axes, (28, 20), (17, 9), "attention", COLOURS[0], filled=True)
    box(axes, (53, 20), (22, 9), second, EXPERTS if routed else COLOURS[2], filled=True)
    box(axes, (84, 20), (13, 9), "head", COLOURS[1], filled=True)
    for start, end in ((19, 28), (45, 53), (75, 84)):
        arrow(axes, (start, 24.5), (end, 24.5))
    words(axes, (36.5, 16.2), "looks at others")
    words(axes, (64, 16.2), "thinks alone")
    attention, inner = counts["attention"], counts["dense feed-forward"] + counts["routed experts"]
    words(axes, (10, 9), f"with the head\n{scaled(counts['embedding'])}")
    words(axes, (36.5, 9), f"in all layers\n{scaled(attention)}")
    words(axes, (64, 9), f"in all layers\n{scaled(inner)}")
    words(axes, (90.5, 9), "scores every\nnext token")
    words(axes, (50, 2), f"Norms, biases and routers are the other {scaled(counts['other'])}.")
    return drawing


def sight(layer: Layer) -> str:
    """Return what a layer's attention looks at.

    Parameters
    ----------
    layer : Layer
        A layer of a model.

    Returns
    -------
    str
        A key of `SIGHT`.
    """
    attention = layer.attention
    if attention.kind == "linear":
        return "a running state"
    if attention.kind in ("MLA", "CSA", "HCA"):
        return "everything, compressed"
    for field, seen in (("window", "a window"), ("chunk", "a chunk"), ("sparse", "chosen blocks")):
        if getattr(attention, field, None):
            return seen
    return "everything"


def stretches(values: Sequence[Value]) -> list[tuple[Value, int, int]]:
    """Return stretches of equal values.

    Parameters
    ----------
    values : sequence
        Such as what each layer looks at.

    Returns
    -------
    list of (value, int, int)
        Each value with the place where its stretch begins and with its length.

    Examples
    --------
    >>> stretches(["window", "window", "everything"])
    [('window', 0, 2), ('everything', 2, 1)]
    """
    found, start = [], 0
    for value, group in groupby(values):
        length = len(list(group))
        found.append((value, start, length))
        start += length
    return found


def draw_layers(models: Sequence[ModelSpec]) -> Figure:
    """Draw the layers of each model in order: what attention looks at, and which layers have experts.

    Parameters
    ----------
    models : sequence of ModelSpec
        From the top down.

    Returns
    -------
    Figure
        A strip for each model, the first layer at the left; a line beneath marks layers with experts.
    """
    drawing, axes = figure(0.25 * len(models) + 1.3)
    layers = [layer for model in models for layer in model.layers]
    seen = {sight(layer) for layer in layers}
    for place, model in enumerate(reversed(models)):
        for kind, start, length in stretches([sight(layer) for layer in model.layers]):
            axes.barh(place, length, left=start, color=SIGHT[kind], height=0.46)
        for routed, start, length in stretches([layer.experts is not None for layer in model.layers]):
            if routed:
                axes.barh(place - 0.36, length, left=start, color=EXPERTS, height=0.16)
    axes.set(xlabel="layer", xlim=(0, max(len(model.layers) for model in models)))
    axes.grid(visible=False)
    name_rows(axes, [title(model) for model in reversed(models)])
    known = {kind: colour for kind, colour in SIGHT.items() if kind in seen}
    if any(layer.experts for layer in layers):
        known["experts"] = EXPERTS
    axes.legend(
        [Patch(color=colour) for colour in known.values()],
        list(known),
        ncols=2,
        loc="lower center",
        bbox_to_anchor=(0.3, 1),
        fontsize=SMALLEST,
    )
    return drawing
