"""What is wrong with a figure as it is drawn: labels over each other, axes that cannot be read."""

from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import FixedLocator


def texts(figure: Figure) -> list[Text]:
    """Return the texts that a figure shows: the label of a mark beyond the ends of its axis is not drawn."""
    _lay_out(figure)
    beyond = {
        label
        for axes in figure.axes
        for axis in (axes.xaxis, axes.yaxis)
        for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks())
        if not _is_within(tick.get_loc(), axis)
        for label in (tick.label1, tick.label2)
    }
    shown = (text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip())
    return [text for text in shown if text not in beyond]


def overlaps(figure: Figure) -> list[tuple[str, str]]:
    """Return the pairs of texts of a figure that lie over each other by more than their edges."""
    shown = texts(figure)
    # The box of a slanted text is larger than the text, and that of a note includes its arrow.
    level = [text for text in shown if text.get_rotation() % 90 == 0]
    boxes = [(text.get_text(), Text.get_window_extent(text)) for text in level]
    found = []
    for place, (one, box) in enumerate(boxes):
        for other, taken in boxes[:place]:
            wide = min(box.x1, taken.x1) - max(box.x0, taken.x0)
            high = min(box.y1, taken.y1) - max(box.y0, taken.y0)
            if wide > 2 and high > 0.3 * min(box.height, taken.height):
                found.append((one, other))
    return found


def unscaled(figure: Figure) -> list[str]:
    """Return the axes of a figure that have a label and fewer than two ticks with words, so that no scale.

    Rows that are named are no scale: one row has one name.
    """
    _lay_out(figure)
    found = []
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            label = axis.label.get_text()
            if not (axes.axison and axes.get_visible() and axis.get_visible() and label.strip()):
                continue
            if _names_rows(axis):
                continue
            ticks = [*axis.get_major_ticks(), *axis.get_minor_ticks()]
            words = {
                side.get_text()
                for tick in ticks
                for side in (tick.label1, tick.label2)
                if _is_within(tick.get_loc(), axis) and side.get_visible()
            }
            if len(words - {""}) < 2:
                found.append(f"{label}: {sorted(words - {''})}")
    return found


def _lay_out(figure: Figure) -> None:
    """Give each part of a figure its place, where it has none yet: it is drawn, but for the pixels."""
    if figure.stale:
        figure.draw_without_rendering()


def _is_within(place: float, axis: Axis) -> bool:
    """Whether a place lies between the ends of an axis, give or take rounding."""
    low, high = sorted(axis.get_view_interval())
    slack = 1e-9 * (high - low)
    return bool(low - slack <= place <= high + slack)


def _names_rows(axis: Axis) -> bool:
    """Whether the marks of an axis are fixed at 0, 1, 2 and so on, and each is named after something else."""
    places = [float(place) for place in axis.get_major_locator()()]
    names = axis.get_major_formatter().format_ticks(places)
    is_fixed = isinstance(axis.get_major_locator(), FixedLocator) and places == list(range(len(places)))
    return is_fixed and all(name not in ("", f"{place:g}") for place, name in zip(places, names, strict=True))
