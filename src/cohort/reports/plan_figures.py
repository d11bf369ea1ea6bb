"""The chart of a plan: what a user and what an accelerator gets along its frontier."""

from __future__ import annotations

from matplotlib.figure import Figure

from cohort.architecture.registered import title_of
from cohort.display.parts import label_points, legend_above, mark_rounds, nothing, plain_ticks
from cohort.display.theme import COLOURS, WIDTH, figure
from cohort.display.words import counted
from cohort.errors.arguments import explain
from cohort.planning import Plan, Point

NAMED = 4  # points of the frontier that are named


def draw_frontier(found: Plan) -> Figure:
    """Draw tokens a second of an accelerator against those of a user, along the frontier of a plan.

    Parameters
    ----------
    found : Plan
        The plan.

    Returns
    -------
    Figure
        A curve for each accelerator and model of the frontier; some points are named by their layout. What is
        faster than the limit on the time of a token lies right of the dotted line.
    """
    if not found.frontier:
        return nothing("no way keeps the limits")
    drawing, axes = figure(WIDTH * 0.6)
    kinds = list(dict.fromkeys((each.model, each.accelerator) for each in found.frontier))
    axes.plot(
        [each.tokens_per_s_per_user for each in found.frontier],
        [each.tokens_per_s_per_accelerator for each in found.frontier],
        color="0.7",
        lw=1,
        zorder=1,
    )
    for at, (model, accelerator) in enumerate(kinds):
        points = [each for each in found.frontier if (each.model, each.accelerator) == (model, accelerator)]
        axes.scatter(
            [each.tokens_per_s_per_user for each in points],
            [each.tokens_per_s_per_accelerator for each in points],
            color=COLOURS[at % len(COLOURS)],
            s=26,
            zorder=3,
            label=f"{title_of(model)} on {accelerator}",
        )
    axes.set(xscale="log", yscale="log", xlabel="speed that one user sees (tokens/s)")
    axes.set_ylabel("output tokens/s per accelerator")
    axes.margins(0.14)
    speeds = [each.tokens_per_s_per_user for each in found.frontier]
    mark_rounds(axes.xaxis, min(speeds), max(speeds))
    plain_ticks(axes.yaxis)
    legend_above(axes)
    named = _named(found.frontier)
    places = [(each.tokens_per_s_per_user, each.tokens_per_s_per_accelerator) for each in found.frontier]
    x, y = zip(
        *((each.tokens_per_s_per_user, each.tokens_per_s_per_accelerator) for each in named), strict=True
    )
    label_points(axes, x, y, [_label(each) for each in named], others=places)
    return drawing


def _place(point: Point) -> tuple[float, float]:
    return point.tokens_per_s_per_user, point.tokens_per_s_per_accelerator


def _named(frontier: tuple[Point, ...]) -> list[Point]:
    """Return a few points, evenly along the frontier, its ends among them."""
    last, count = len(frontier) - 1, min(NAMED, len(frontier))
    if count == 1:
        return [frontier[0]]
    return [frontier[round(number * last / (count - 1))] for number in range(count)]


def _label(point: Point) -> str:
    return f"{counted(point.way.devices, 'device')}, {point.concurrency:,} at once"


explain(__name__)
