"""SVG as text: shapes with a class and a colour each, text that is measured, and ticks of axes.

A class lets the book's style sheet draw the same shapes for light and dark pages; the colours that stand in
the drawing itself are those of light pages, so that a saved drawing needs no style sheet.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from html import escape

from cohort.display.words import plainly
from cohort.errors import integer
from cohort.errors.arguments import explain

WIDTH = 460.0  # units of a drawing; pages draw it as wide as their text
SIZE = 12.0  # of all text: 9 pixels on a phone, 390 CSS pixels wide
CHARACTER = 0.6  # mean width over size; DejaVu and Verdana are the widest that readers have
# The book's palette for readers who confuse colours, by the class of a shape.MOST_TICKS = 100

MOST_TICKS = 100

COLOURS = {
    "c0": "#0173b2",
    "c1": "#de8f05",
    "c2": "#029e73",
    "c3": "#d55e00",
    "c4": "#cc78bc",
    "c5": "#ca9161",
    "c6": "#949494",
    "c7": "#56b4e9",
    "ink": "#333333",
    "pale": "#d9d9d9",
    "grid": "#e6e6e6",
}


def number(value: float) -> str:
    """Return a coordinate to a hundredth, the same on every machine.

    Parameters
    ----------
    value : float
        In units of the drawing.

    Returns
    -------
    str
    """
    return f"{round(value, 2) + 0.0:.2f}".rstrip("0").rstrip(".")


def width_of(text: str) -> float:
    """Return about how wide a text is drawn.

    Parameters
    ----------
    text : str
        A line.

    Returns
    -------
    float
        In units of the drawing.
    """
    return CHARACTER * SIZE * len(text)


def text(x: float, y: float, said: str, anchor: str = "start", kind: str = "ink", halo: bool = False) -> str:
    """Return a line of text.

    Parameters
    ----------
    x, y : float
        Of its anchor, and of its base line.
    said : str
        The text; it is escaped.
    anchor : str
        ``start``, ``middle`` or ``end``.
    kind : str
        One of ``COLOURS``.
    halo : bool
        Whether it is set off from what lies behind it.

    Returns
    -------
    str
        SVG.
    """
    if halo:
        kind += " halo"
    at = f'x="{number(x)}" y="{number(y)}"'
    end = "" if anchor == "start" else f' text-anchor="{anchor}"'
    rim = ' stroke="#ffffff" stroke-width="4" stroke-linejoin="round" paint-order="stroke"' if halo else ""
    head = f'<text class="{kind}" fill="{COLOURS[kind.split()[0]]}" {at}{end}{rim}>'
    return f"{head}{escape(said, quote=False)}</text>"


def rectangle(x: float, y: float, width: float, height: float, kind: str, said: str = "") -> str:
    """Return a filled rectangle.

    Parameters
    ----------
    x, y, width, height : float
        In units of the drawing; a negative width is drawn as none.
    kind : str
        One of ``COLOURS``, and further classes behind a space.
    said : str
        What a pointer on it shows.

    Returns
    -------
    str
        SVG.
    """
    colour = COLOURS[kind.split()[0]]
    size = f'width="{number(max(width, 0.0))}" height="{number(height)}"'
    head = f'<rect class="{kind}" fill="{colour}" x="{number(x)}" y="{number(y)}" {size}'
    return f"{head}><title>{escape(said, quote=False)}</title></rect>" if said else f"{head}/>"


def line(points: Sequence[tuple[float, float]], kind: str, width: float = 2, dashed: bool = False) -> str:
    """Return a line through points.

    Parameters
    ----------
    points : sequence of (float, float)
        In units of the drawing.
    kind : str
        One of ``COLOURS``.
    width : float
        Of the stroke.
    dashed : bool
        Whether it is drawn as dashes, as what lies beyond what is known.

    Returns
    -------
    str
        SVG.
    """
    along = " ".join(f"{number(x)},{number(y)}" for x, y in points)
    dashes = ' stroke-dasharray="5 4"' if dashed else ""
    stroke = f'stroke="{COLOURS[kind]}" stroke-width="{number(width)}"{dashes}'
    return f'<polyline class="{kind} line" fill="none" {stroke} points="{along}"/>'


def dot(x: float, y: float, kind: str, radius: float = 5) -> str:
    """Return a dot with a rim that sets it apart from the line below it.

    Parameters
    ----------
    x, y : float
        Its centre.
    kind : str
        One of ``COLOURS``.
    radius : float
        In units of the drawing.

    Returns
    -------
    str
        SVG.
    """
    return (
        f'<circle class="{kind} rim" fill="{COLOURS[kind]}" stroke="#ffffff" stroke-width="1.5" '
        f'cx="{number(x)}" cy="{number(y)}" r="{number(radius)}"/>'
    )


def drawing(parts: Iterable[str], height: float, title: str) -> str:
    """Return a whole drawing.

    Parameters
    ----------
    parts : iterable of str
        Its shapes, from the back to the front.
    height : float
        In units of the drawing.
    title : str
        What it shows, in words, for those who do not see it.

    Returns
    -------
    str
        SVG.
    """
    box = f"0 0 {number(WIDTH)} {number(height)}"
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="panel-drawing" role="img" viewBox="{box}" '
        f'font-family="DejaVu Sans, Verdana, Arial, sans-serif" font-size="{number(SIZE)}" '
        f'aria-label="{escape(title)}">'
    )
    return head + "".join(parts) + "</svg>"


class Axis:
    """An axis: from numbers to units of the drawing, with its ticks."""

    def __init__(self, low: float, high: float, start: float, end: float, log: bool = False) -> None:
        self.log = log
        if not high > low:
            low, high = (low / 2, high * 2 or 1.0) if log else (low - 0.5, high + 0.5)
        self.low, self.high, self.start, self.end = low, high, start, end

    def __call__(self, value: float) -> float:
        """Return where a number lies, at an end where it is beyond it."""
        value = min(max(value, self.low), self.high)
        if self.log:
            share = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def ticks(self, most: int = 6) -> list[float]:
        """Return round numbers on the axis, rising.

        Parameters
        ----------
        most : int
            About how many.

        Returns
        -------
        list of float
        """
        if self.log:
            return _decades(self.low, self.high, integer("most", most, 1, MOST_TICKS))
        rough = (self.high - self.low) / integer("most", most, 1, MOST_TICKS)
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(each * power for each in (1, 2, 5, 10) if each * power >= rough * (1 - 1e-9))
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [place * step for place in range(first, last + 1)]


def _decades(low: float, high: float, most: int) -> list[float]:
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    every = max(1, -(-(last - first + 1) // most))
    found = [10.0**power for power in range(first, last + 1, every)]
    if len(found) >= 3:
        return found
    between = [
        digit * 10.0**power
        for power in range(first - 1, last + 1)
        for digit in (1, 2, 5)
        if low * (1 - 1e-9) <= digit * 10.0**power <= high * (1 + 1e-9)
    ]
    return between if len(between) > 1 else sorted({low, high})


def tick_label(value: float) -> str:
    """Return a number at an axis in few characters.

    Parameters
    ----------
    value : float
        At least 0.

    Returns
    -------
    str

    Examples
    --------
    >>> tick_label(2e9), tick_label(1e15), tick_label(0.02), tick_label(1e22)
    ('2B', '1,000T', '0.02', '1e22')
    """
    if value >= 1e16:
        return f"{value:.0e}".replace("e+", "e")
    for size, letter in ((1e12, "T"), (1e9, "B"), (1e6, "M")):
        if value >= size * (1 - 1e-9):
            return f"{value / size:,.4g}{letter}"
    return plainly(value) if value >= 1e-6 or not value else f"{value:.0e}"


explain(__name__)
