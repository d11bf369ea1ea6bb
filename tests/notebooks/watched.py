"""What the figures of a chapter show as it runs: a cell at its head watches them, one at its end tells."""

from __future__ import annotations

import json
from typing import IO, Any

from figure_faults import overlaps, texts, unscaled
from matplotlib.backend_bases import FigureCanvasBase

_seen: list[dict[str, Any]] = []


def watch() -> None:
    """Note what each figure shows, in place of writing it."""

    def noted(canvas: FigureCanvasBase, file: IO[bytes], *_: Any, **__: Any) -> None:
        figure = canvas.figure
        touching, blank = overlaps(figure), unscaled(figure)
        written = [one.get_text() for one in texts(figure)]
        _seen.append({"texts": written, "overlaps": touching, "unscaled": blank})
        file.write(b"<svg/>")

    FigureCanvasBase.print_figure = noted  # type: ignore[method-assign, assignment]


def tell() -> None:
    """Print what was noted, a figure after the other."""
    print(json.dumps(_seen))
