"""A figure drawn without what Matplotlib does several times over, to the same picture.

Before it writes a file, Matplotlib goes through a figure once as if it drew it, which lays it out; and each
of the dozen times that it asks how much room an axis takes, it works out all marks and labels anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cohort.errors import extras

with extras():
    from matplotlib.figure import Figure


class _Marks:
    """The marks of an axis, worked out again only where its range or its place in the figure has changed."""

    def __init__(self, axis: Any) -> None:
        self.axis, self.update = axis, axis._update_ticks
        self.known: tuple[float, ...] = ()
        self.found: list[Any] = []

    def __call__(self) -> list[Any]:
        now = (*self.axis.get_view_interval(), *self.axis.axes.bbox.bounds)
        if now != self.known:
            self.found, self.known = self.update(), now
        return self.found


@contextmanager
def quick(shown: Figure) -> Iterator[None]:
    """Have a figure laid out and drawn once while it is written.

    Parameters
    ----------
    shown : Figure
        The figure; at the end it is as it was.

    Yields
    ------
    None
    """
    axes: list[Any] = [axis for each in shown.axes for axis in (each.xaxis, each.yaxis)]
    engine, todo = shown.get_layout_engine(), ["layout"]

    def draw(renderer: Any) -> None:
        if todo and engine is not None:
            todo.clear()
            engine.execute(shown)
        else:
            Figure.draw(shown, renderer)

    for axis in axes:
        axis._update_ticks = _Marks(axis)
    shown.draw = draw  # type: ignore[method-assign]
    try:
        yield
    finally:
        del shown.draw
        for axis in axes:
            del axis._update_ticks
