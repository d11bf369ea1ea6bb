"""The figures of the chapter `the_cohort`: what is inside these models."""

from __future__ import annotations

import pandas as pd
from matplotlib.dates import AutoDateLocator, DateFormatter
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from cohort.display.parts import ATTENTION, dots, key, label_points, name_rows, nothing, plain_ticks
from cohort.display.theme import COLOURS, INK, PALE, SMALLEST, WIDTH, figure

PARTS = {
    "embedding": COLOURS[1],
    "attention": COLOURS[0],
    "dense feed-forward": COLOURS[2],
    "routed experts": COLOURS[4],
    "other": INK,
}


_KEY = 72  # characters that a row of a key has room for, each mark counted as six


KINDS = {"dense": COLOURS[0], "experts": COLOURS[3]}


def draw_total_against_active(counts: pd.DataFrame) -> Figure:
    """Draw active against total parameters; dense models lie on the diagonal.

    Parameters
    ----------
    counts : DataFrame
        As `cohort.display.model_tables.counts` returns it.

    Returns
    -------
    Figure
        Logarithmic axes, in billions of parameters.
    """
    drawing, axes = figure(WIDTH)
    total, active = counts["total"] / 1e9, counts["active"] / 1e9
    low, high = active.min() * 0.6, total.max() * 1.7
    axes.set(xscale="log", yscale="log", xlim=(total.min() * 0.6, high), ylim=(low, total.max() * 1.1))
    axes.plot([low, high], [low, high], color=PALE, lw=1, zorder=0)
    sparse = counts["routed experts"] > 0
    for kind, rows in (("dense", ~sparse), ("experts", sparse)):
        axes.scatter(total[rows], active[rows], color=KINDS[kind], s=28, label=kind, zorder=2)
    axes.set(xlabel="total parameters (billion)", ylabel="active parameters (billion)")
    for axis in (axes.xaxis, axes.yaxis):
        plain_ticks(axis)
    axes.legend(loc="upper left")
    order = counts.assign(sparse=sparse).sort_values(["sparse", "total"], ascending=[False, True]).index
    label_points(axes, list(total[order]), list(active[order]), list(order))
    return drawing


def draw_cache_per_token(caches: pd.DataFrame) -> Figure:
    """Draw what one token of context costs each model in cache, coloured by kind of attention.

    Parameters
    ----------
    caches : DataFrame
        As `cohort.display.model_tables.caches` returns it.

    Returns
    -------
    Figure
        Dots in KiB a token, on a logarithmic axis.
    """
    used = {kind: colour for kind, colour in ATTENTION.items() if kind in set(caches["attention"])}
    colours = [ATTENTION[kind] for kind in caches["attention"]]
    drawing, axes = dots(caches["per token"] / 1024, colours, "cache per token of context (KiB)")
    key(axes, used)
    return drawing


def draw_component_shares(counts: pd.DataFrame) -> Figure:
    """Draw where each model's weights are, as shares of its total.

    Parameters
    ----------
    counts : DataFrame
        As `cohort.display.model_tables.counts` returns it.

    Returns
    -------
    Figure
        One stacked bar a model, in per cent.
    """
    parts = [part for part in PARTS if part in counts and (counts[part] / counts["total"]).max() > 0.0005]
    rows = counts.iloc[::-1]
    drawing, axes = figure(0.24 * len(rows) + 1.0)
    left = pd.Series(0.0, index=rows.index)
    for part in parts:
        share = 100 * rows[part] / rows["total"]
        axes.barh(range(len(rows)), share, left=left, color=PARTS[part], height=0.7, label=part)
        left += share
    axes.set(xlabel="share of all parameters (%)", xlim=(0, 100))
    axes.grid(visible=False, axis="y")
    name_rows(axes, list(rows.index))
    axes.legend(
        ncols=max(1, min(len(parts), 4, _KEY // (max(map(len, parts)) + 6))),
        loc="lower center",
        bbox_to_anchor=(0.35, 1),
        fontsize=SMALLEST,
        columnspacing=1,
    )
    return drawing


def draw_gaps(published: pd.DataFrame) -> Figure:
    """Draw how far each exact count is from the published one, with the range that rounding allows.

    Parameters
    ----------
    published : DataFrame
        As `cohort.display.published_values.published_counts` returns it.

    Returns
    -------
    Figure
        One point a model, in per cent of the published figure, linear up to 1% and logarithmic beyond; the
        grey bar is half a unit of its last digit.
    """
    rows = published.sort_values("gap", kind="stable")
    drawing, axes = figure(0.22 * len(rows) + 0.7)
    places = pd.Series(range(len(rows)), index=rows.index)
    inside = rows["gap"].abs() <= rows["rounding"]
    axes.barh(places, 200 * rows["rounding"], left=-100 * rows["rounding"], color="#e0e0e0", height=0.8)
    for chosen, colour, name in ((inside, COLOURS[0], "within rounding"), (~inside, COLOURS[3], "outside")):
        axes.scatter(100 * rows["gap"][chosen], places[chosen], color=colour, s=18, zorder=2, label=name)
    axes.axvline(0, color=INK, lw=0.8)
    axes.set_xscale("symlog", linthresh=1)
    axes.set_xlim(-30, 40)
    axes.set_xticks([-10, -1, 0, 1, 10], ["−10", "−1", "0", "1", "10"])
    axes.set_xlabel("exact count less published (% of the published)")
    axes.grid(visible=False, axis="y")
    name_rows(axes, list(rows.index))
    axes.legend(ncols=2, loc="lower center", bbox_to_anchor=(0.35, 1))
    return drawing


# Ordered from known to unknown: letter, fill and ink. The letters say the same without colour, and stay
# legible on their fill in the dark theme too.
STATUS = {
    "stated": ("S", COLOURS[0], "#ffffff"),
    "derived": ("D", "#c6e2f0", INK),
    "inferred": ("I", "#fdf0d8", INK),
    "contested": ("C", "#b35c00", "#ffffff"),
    "undisclosed": ("–", "#f2f2f2", INK),
}


def draw_disclosure(matrix: pd.DataFrame) -> Figure:
    """Draw how each field of each model is known: one coloured and lettered cell each.

    Parameters
    ----------
    matrix : DataFrame
        As `tables.disclosure` returns it.

    Returns
    -------
    Figure
        Models as rows, fields as columns.
    """
    drawing, axes = figure(0.24 * len(matrix) + 1.6)
    for row, name in enumerate(reversed(list(matrix.index))):
        for column, status in enumerate(matrix.loc[name]):
            if not status:
                continue
            letter, colour, ink = STATUS[status]
            axes.add_patch(Rectangle((column - 0.47, row - 0.45), 0.94, 0.9, color=colour, lw=0))
            axes.text(column, row, letter, ha="center", va="center", size=SMALLEST, color=ink)
    axes.set_xticks(range(matrix.shape[1]), list(matrix.columns), rotation=50, ha="left")
    axes.xaxis.tick_top()
    axes.set_xlim(-0.6, matrix.shape[1] - 0.4)
    name_rows(axes, list(reversed(list(matrix.index))))
    axes.grid(visible=False)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    handles = [Patch(color=colour, label=f"{letter} {name}") for name, (letter, colour, _) in STATUS.items()]
    axes.legend(
        handles=handles,
        ncols=3,
        loc="upper center",
        bbox_to_anchor=(0.3, -0.01),
        fontsize=SMALLEST,
        columnspacing=1,
    )
    return drawing


def draw_timeline(released: pd.Series) -> Figure:
    """Draw when each model was released, the earliest at the top.

    Parameters
    ----------
    released : Series of str
        Titles of models, indexed by date, as `cohort.display.model_tables.released` returns them.

    Returns
    -------
    Figure
        One dot a model on an axis of dates.
    """
    if released.empty:
        return nothing("the data hold no date of release for these models")
    order = released.iloc[::-1]
    drawing, axes = figure(0.22 * len(order) + 0.7)
    axes.scatter(order.index.to_numpy(), range(len(order)), color=COLOURS[0], s=36, zorder=2)
    # At least three months are shown, so that a single date has its place and ticks do not crowd.
    margin = max((order.index.max() - order.index.min()) * 0.08, pd.Timedelta(days=45))
    axes.set_xlim(order.index.min() - margin, order.index.max() + margin)
    locator = AutoDateLocator(minticks=3, maxticks=7)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(DateFormatter("%b\n%Y"))  # type: ignore[no-untyped-call]
    axes.set_xlabel("date of release")
    name_rows(axes, list(order))
    return drawing


def draw_tokens(ratios: pd.DataFrame, rule: float, name: str) -> Figure:
    """Draw training tokens per active parameter, with a rule of thumb as a line.

    Parameters
    ----------
    ratios : DataFrame
        As `tables.tokens_per_parameter` returns it; what is inferred or contested is drawn hollow.
    rule : float
        Where the line is drawn.
    name : str
        What the line is called.

    Returns
    -------
    Figure
        Dots on a logarithmic axis.
    """
    if ratios.empty:
        return nothing("none of these models discloses its training tokens")
    values = ratios["per active"]
    colours = ["white" if status in ("inferred", "contested") else COLOURS[0] for status in ratios["status"]]
    drawing, axes = dots(values, colours, "training tokens per active parameter")
    axes.set_xlim(min(values.min(), rule) / 1.3, values.max() * 1.9)
    axes.axvline(rule, color=INK, lw=1, ls="--", zorder=0)
    axes.annotate(
        name,
        (rule, len(ratios) - 0.6),
        (4, 0),
        textcoords="offset points",
        size=SMALLEST,
        color=INK,
        va="top",
    )
    return drawing


def draw_scores(frame: pd.DataFrame, benchmark: str) -> Figure:
    """Draw the scores of one variant: a dot for each source, joined where a model has several.

    Parameters
    ----------
    frame : DataFrame
        As `cohort.display.published_values.scores` returns it, of one variant only.
    benchmark : str
        Whose scores they are.

    Returns
    -------
    Figure
        Models as rows, the best at the top, scores in per cent.
    """
    if frame.empty:
        return nothing("no score of this variant is published")
    groups = frame.groupby("model", sort=False)["score"].agg(["min", "max"])
    groups = groups.sort_values("max", kind="stable")
    drawing, axes = figure(0.24 * len(groups) + 0.7)
    places = {name: place for place, name in enumerate(groups.index)}
    axes.hlines(range(len(groups)), groups["min"], groups["max"], color=PALE, lw=3, zorder=1)
    doubtful = frame["status"] == "contested"
    for chosen, fill in ((~doubtful, COLOURS[0]), (doubtful, "white")):
        rows = frame["model"][chosen].map(places)
        axes.scatter(
            frame["score"][chosen], rows, s=28, zorder=2, color=fill, edgecolors=COLOURS[0], linewidths=1
        )
    axes.set_xlabel(f"{benchmark} score (%)")
    axes.margins(x=0.05)
    name_rows(axes, list(groups.index))
    return drawing
