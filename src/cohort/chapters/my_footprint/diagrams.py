"""The diagram of the notebook `my_footprint`: what each meter sees of a data centre."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cohort.display.diagrams import box, canvas, words
from cohort.display.theme import COLOURS, INK
from cohort.footprint import LoggedRun

# Boxes from the outermost in: what each adds, where it stands, and the kinds of channel that see it.
_NESTED = (
    ("Data centre: cooling, losses", (2, 11), (96, 53), ()),
    ("Network and storage", (8, 15), (84, 41), ()),
    ("Node: fans, power supplies", (14, 19), (72, 30), ("machine",)),
)


def draw_meters(run: LoggedRun) -> Figure:
    """Draw which parts of a data centre the log meters, and which are added.

    Parameters
    ----------
    run : LoggedRun
        The run.

    Returns
    -------
    Figure
        Nested boxes; what is metered is filled.
    """
    kinds = {each.kind for each in run.log.channels}
    drawing, axes = canvas(66)
    for label, place, size, sees in _NESTED:
        _part(axes, place, size, bool(kinds & set(sees)))
        words(axes, (place[0] + size[0] / 2, place[1] + size[1] - 4), label, INK)
    whole = "machine" in kinds
    _part(axes, (19, 22), (29, 18), whole or bool(kinds & {"processor", "memory"}), "Processors,\nmemory")
    _part(axes, (52, 22), (29, 18), whole or "accelerator" in kinds, "Accelerators")
    for x, seen, label in ((8, True, "metered"), (46, False, "added by a factor")):
        _part(axes, (x, 2), (6, 5), seen)
        words(axes, (x + 8, 4.5), label, side="left")
    return drawing


def _part(
    axes: Axes, place: tuple[float, float], size: tuple[float, float], seen: bool, text: str = ""
) -> None:
    """Draw a part: filled where it is metered."""
    box(axes, place, size, text, COLOURS[0 if seen else 1], filled=seen)
