"""Diagrams of the chapter `decide`: how a plan is searched, and what a design holds together."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from cohort.display.diagrams import arrow, box, canvas, words
from cohort.display.theme import COLOURS, INK


def draw_funnel(steps: Sequence[tuple[str, int]], best: str) -> Figure:
    """Draw how many ways are left at each step of a plan.

    Parameters
    ----------
    steps : sequence of (str, int)
        As `assistant.funnel` returns it.
    best : str
        What the cheapest of them is.

    Returns
    -------
    Figure
        A bar a step, narrower as fewer are left.
    """
    height = 12 * len(steps) + 14
    drawing, axes = canvas(height)
    most = max((number for _, number in steps), default=1) or 1
    for place, (name, number) in enumerate(steps):
        y, wide = height - 11 - 12 * place, 40 + 56 * number / most
        box(axes, (50 - wide / 2, y), (wide, 9), "", COLOURS[0], filled=True)
        words(axes, (50, y + 4.5), f"{number:,} {name}")
    words(axes, (50, 6.5), "the cheapest:", INK, bold=True)
    words(axes, (50, 2), best)
    return drawing


def draw_web() -> Figure:
    """Draw what hangs on the size of a model.

    Returns
    -------
    Figure
        Boxes for size, data, memory, speed, price and quality, with arrows.
    """
    drawing, axes = canvas(50)
    places = {
        "size": (38, 22), "data": (4, 38), "quality": (4, 6), "memory": (72, 38), "speed": (72, 22),
        "layout": (72, 6),
    }  # fmt: skip
    for name, (x, y) in places.items():
        box(axes, (x, y), (24, 8), name, COLOURS[1] if name == "size" else COLOURS[0], filled=True)
    arrow(axes, (38, 28), (28, 40))
    arrow(axes, (38, 24), (28, 12))
    arrow(axes, (16, 38), (16, 14))
    for y in (42, 26, 10):
        arrow(axes, (62, 26), (72, y))
    words(axes, (16, 48), "what training pays")
    words(axes, (84, 48), "what serving pays")
    words(axes, (50, 34), "one number", INK, bold=True)
    return drawing
