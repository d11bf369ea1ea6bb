"""What the figures of a chapter show as it runs: a cell at its head watches them, one at its end tells."""

from __future__ import annotations

import json
from typing import IO, Any

from figure_faults import overlaps, unscaled
from matplotlib.backend_bases import FigureCanvasBase
from matplotlib.text import Text

_seen: list[dict[str, Any]] = []


def watch() -> None:
    """Note what each figure shows, in place of writing it."""

    def noted(canvas: FigureCanvasBase, file: IO[bytes], *_: Any, **__: Any) -> None:
        figure = canvas.figure
        touching, blank = overlaps(figure), unscaled(figure)
        texts = [one.get_text() for one in figure.findobj(Text) if one.get_visible()]
        _seen.append(
            {"texts": [one for one in texts if one.strip()], "overlaps": touching, "unscaled": blank}
        )
        file.write(b"<svg/>")

    FigureCanvasBase.print_figure = noted  # type: ignore[method-assign, assignment]


def tell() -> None:
    """Print what was noted, a figure after the other."""
    print(json.dumps(_seen))
