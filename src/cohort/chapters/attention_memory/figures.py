"""The figures of the chapter `attention_memory`: what context costs in memory."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from cohort.display.parts import ATTENTION, dots, end_labels, name_rows, nothing, plain_ticks
from cohort.display.theme import COLOURS, INK, PALE, SMALLEST, WIDTH, figure
from cohort.display.words import significant
from cohort.units import GIB, MIB

NAIVE, TILED = COLOURS[3], COLOURS[0]


def draw_cache_against_context(caches: pd.DataFrame, kinds: pd.Series, context: int) -> Figure:
    """Draw each model's cache against the length of the context; of many, a few are drawn dark and named.

    Parameters
    ----------
    caches : DataFrame
        Bytes, as `tables.cache_curves` returns them.
    kinds : Series
        The kind of attention of each model, which gives its colour.
    context : int
        The length that is marked, in tokens.

    Returns
    -------
    Figure
        Logarithmic axes, GiB against tokens, with the names of `singled_out` at the right ends.
    """
    drawing, axes = figure(1.15 * WIDTH)
    colours = {name: ATTENTION[kinds[name]] for name in caches.index}
    sizes = caches / GIB
    named = singled_out(caches, kinds, context)
    for name, row in sizes.iterrows():
        style: dict[str, Any] = {"lw": 1.8, "zorder": 2} if name in named else {"lw": 0.9, "alpha": 0.4}
        axes.plot(list(sizes.columns), row.to_numpy(), color=colours[str(name)], **style)
    _logarithmic(axes, [int(each) for each in sizes.columns], "cache (GiB)")
    axes.axvline(context, color=PALE, lw=1, ls="--", zorder=0)
    low = float(sizes.to_numpy().min())
    axes.set_ylim(low / 1.5, float(sizes.to_numpy().max()) * 1.5)
    last = sizes.columns[-1]
    _key_above(axes, set(kinds))  # first, since it takes of the height that names are laid out in
    end_labels(axes, float(last), {name: float(sizes[last][name]) for name in named}, colours)
    return drawing


FEW = 8  # lines that can all be told apart


def singled_out(caches: pd.DataFrame, kinds: pd.Series, context: int) -> list[str]:
    """Return the models that are named among many: those that keep most and least, in all and of each kind.

    Parameters
    ----------
    caches, kinds, context
        As for `draw_cache_against_context`.

    Returns
    -------
    list of str
        All of them where there are few; besides the extremes, those that have stopped growing.
    """
    if len(caches) <= FEW:
        return [str(name) for name in caches.index]
    at = caches[context]
    ends = [name for _, rows in at.groupby(kinds[at.index]) for name in (rows.idxmax(), rows.idxmin())]
    flat = caches.index[caches.iloc[:, -1] == caches.iloc[:, -2]]
    return [str(name) for name in caches.index if name in {*ends, *flat}]


def _logarithmic(axes: Axes, lengths: list[int], label: str) -> None:
    axes.set(xscale="log", yscale="log", xlabel="context (tokens)", ylabel=label)
    axes.set_xlim(lengths[0], lengths[-1])
    for axis in (axes.xaxis, axes.yaxis):
        plain_ticks(axis)


def _key_above(axes: Axes, kinds: set[str]) -> None:
    """Add a key of the kinds of attention above the drawing, over the names of rows as well."""
    used = {kind: colour for kind, colour in ATTENTION.items() if kind in kinds}
    patches = [Patch(color=colour) for colour in used.values()]
    axes.legend(
        patches,
        list(used),
        ncols=min(len(used), 4),
        loc="lower right",
        bbox_to_anchor=(1, 1),
        fontsize=SMALLEST,
    )


def _legend_above(axes: Axes) -> None:
    axes.margins(x=0.05)
    axes.autoscale(axis="x")
    axes.legend(ncols=2, loc="lower left", bbox_to_anchor=(0, 1), fontsize=SMALLEST)


def draw_break_even_contexts(table: pd.DataFrame, kinds: pd.Series) -> Figure:
    """Draw the context from which on each model's cache outweighs its weights.

    Parameters
    ----------
    table : DataFrame
        As `tables.break_even_contexts` returns it; models whose cache never does are left out.
    kinds : Series
        The kind of attention of each model, which gives its colour.

    Returns
    -------
    Figure
        Dots in thousand tokens on a logarithmic axis; a bar marks the longest context that is offered.
    """
    rows = table.dropna(subset="context")
    if rows.empty:
        return nothing("no cache of these models ever outweighs the weights")
    rows = rows.astype({"context": float, "limit": "Float64"}).sort_values("context", kind="stable")
    drawing, axes = figure(0.24 * len(rows) + 0.9)
    for place, (name, row) in enumerate(rows.iterrows()):
        axes.scatter(row["context"] / 1e3, place, color=ATTENTION[kinds[str(name)]], s=36, zorder=2)
        if not pd.isna(row["limit"]):
            ends = [row["limit"] / 1e3] * 2
            axes.plot(ends, [place - 0.3, place + 0.3], color=INK, lw=2, zorder=1.9, solid_capstyle="butt")
        text = significant(row["context"] / 1e3)
        axes.annotate(
            text,
            (row["context"] / 1e3, place),
            (7, 0),
            textcoords="offset points",
            va="center",
            size=SMALLEST,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5},
        )
    seen = rows[["context", "limit"]].to_numpy(dtype=float, na_value=float("nan")) / 1e3
    axes.set(xscale="log", xlabel="context at which the cache is the larger (thousand tokens)")
    axes.set_xlim(float(pd.Series(seen.ravel()).min()) / 1.5, float(pd.Series(seen.ravel()).max()) * 4)
    plain_ticks(axes.xaxis)
    name_rows(axes, [str(name) for name in rows.index])
    _key_above(axes, set(kinds[rows.index]))
    return drawing


FITS = {"weights": ("weights", COLOURS[0]), "engine": ("engine", PALE), "cache": ("cache", COLOURS[1])}


def draw_fits(fits: pd.DataFrame, accelerator: str) -> Figure:
    """Draw what weights, engine and cache take of the devices that hold each model.

    Parameters
    ----------
    fits : DataFrame
        As `capacity.fits_models` returns it; models that fit no group of devices are left out.
    accelerator : str
        Its name.

    Returns
    -------
    Figure
        A bar for each model, named with its devices, in percent of the memory that may be used.
    """
    held = fits.dropna(subset="devices")
    if held.empty:
        return nothing(f"none of these models fits {accelerator}")
    drawing, axes = figure(0.26 * len(held) + 1.1)
    places, start = list(range(len(held)))[::-1], pd.Series(0.0, held.index)
    for part, (label, colour) in FITS.items():
        long = 100 * held[part]
        axes.barh(places, long, left=start, color=colour, label=label, height=0.66)
        start = start + long
    names = [f"{name}, {row.devices} ×" for name, row in zip(held.index, held.itertuples(), strict=True)]
    name_rows(axes, names[::-1])
    axes.set(xlabel=f"memory that may be used of {accelerator} (%)", xlim=(0, 100))
    axes.grid(axis="y", visible=False)
    axes.set_axisbelow(True)
    axes.legend(ncols=3, loc="lower right", bbox_to_anchor=(1, 1), fontsize=SMALLEST)
    return drawing


def draw_what_if(table: pd.DataFrame) -> Figure:
    """Draw the cache of one model under each way to save it.

    Parameters
    ----------
    table : DataFrame
        As `tables.what_if` returns it; its first row is the model as it is, and drawn dark.

    Returns
    -------
    Figure
        Dots in GiB on a logarithmic axis, the largest at the top.
    """
    colours = [INK, *[COLOURS[0]] * (len(table) - 1)]
    return dots(table["cache"] / GIB, colours, "cache (GiB)")[0]


GROWTH = {
    "prefill FLOPs": ("scores: compute, prompt", NAIVE, "-"),
    "scores": ("scores: memory, naive", COLOURS[1], "--"),
    "step FLOPs": ("scores: compute, next token", COLOURS[2], "-"),
    "cache": ("cache: memory", TILED, "--"),
}


def draw_growth(table: pd.DataFrame) -> Figure:
    """Draw how compute and memory grow, as multiples of what they are at the shortest context.

    Parameters
    ----------
    table : DataFrame
        As `tables.growth` returns it.

    Returns
    -------
    Figure
        Logarithmic axes; parallels to the grey lines grow with the context and with its square.
    """
    drawing, axes = figure()
    lengths = [int(each) for each in table.index]
    first = lengths[0]
    for power in (1, 2):
        axes.plot(
            lengths, [(each / first) ** power for each in lengths], color=PALE, lw=5, alpha=0.5, zorder=0
        )
    ends, colours = {}, {}
    for column, (name, colour, style) in GROWTH.items():
        if not table[column].iloc[0]:
            continue  # a model without scores
        values = table[column] / table[column].iloc[0]
        axes.plot(lengths, values, color=colour, ls=style, lw=1.8)
        ends[name], colours[name] = float(values.iloc[-1]), colour
    _logarithmic(axes, lengths, "multiple of the first value")
    end_labels(axes, float(lengths[-1]), ends, colours)
    return drawing


def draw_published_memory(table: pd.DataFrame) -> Figure:
    """Draw the memory of naive attention and of FlashAttention: the formulas as lines, the prints as dots.

    Parameters
    ----------
    table : DataFrame
        As `tables.published_memory` returns it.

    Returns
    -------
    Figure
        Logarithmic axes, MiB against tokens.
    """
    drawing, axes = figure()
    for method, colour, name in (("naive", NAIVE, "naive"), ("flash", TILED, "FlashAttention")):
        rows = table[table["method"] == method]
        axes.plot(rows["context"], rows["derived"], color=colour, lw=1.5, label=f"{name}, formula")
        axes.scatter(rows["context"], rows["printed"], color=colour, s=22, zorder=2, label=f"{name}, printed")
    _logarithmic(axes, sorted(table["context"].unique()), "memory (MiB)")
    _legend_above(axes)
    return drawing


def draw_measured_memory(table: pd.DataFrame) -> Figure:
    """Draw the measured peak memory of both ways to compute attention, with the formulas as lines.

    Parameters
    ----------
    table : DataFrame
        As `cohort.chapters.attention_memory.kernels.measure_kernels` returns it.

    Returns
    -------
    Figure
        Logarithmic axes, MiB against tokens.
    """
    drawing, axes = figure()
    for way, colour in (("naive", NAIVE), ("tiled", TILED)):
        axes.plot(table.index, table[f"{way} derived"] / MIB, color=colour, lw=1.5, label=f"{way}, formula")
        axes.scatter(table.index, table[way] / MIB, color=colour, s=26, zorder=2, label=f"{way}, measured")
    _logarithmic(axes, [int(each) for each in table.index], "peak memory (MiB)")
    axes.set_xticks([int(each) for each in table.index], [f"{int(each):,}" for each in table.index])
    _legend_above(axes)
    return drawing


def draw_device_memory(table: pd.DataFrame) -> Figure:
    """Draw the peak memory of attention on an accelerator, naive and fused, with the formulas as lines.

    Parameters
    ----------
    table : DataFrame
        As `cohort.chapters.attention_memory.published.device_attention` returns it.

    Returns
    -------
    Figure
        Logarithmic axes, MiB against tokens. The line of the naive way goes on where it was not measured.
    """
    drawing, axes = figure()
    for way, colour, name in (("naive", NAIVE, "naive"), ("flash", TILED, "fused")):
        axes.plot(table.index, table[f"{way} derived"], color=colour, lw=1.5, label=f"{name}, formula")
        axes.scatter(table.index, table[way], color=colour, s=26, zorder=2, label=f"{name}, measured")
    _logarithmic(axes, [int(each) for each in table.index], "peak memory (MiB)")
    _legend_above(axes)
    return drawing


# Of which kind a log is, its colour and what it is called.
LOGS = {
    "calibrating": ("sets a term", "#8c8c8c"),
    "known": ("known", COLOURS[0]),
    "blind": ("blind", COLOURS[3]),
}
NEAR, FURTHEST = 10, 200  # percent: linear up to the one, drawn up to the other


def draw_log_errors(left: pd.DataFrame) -> Figure:
    """Draw how far each log is met in what the engine leaves for the cache, with its range.

    Parameters
    ----------
    left : DataFrame
        As `logs.left_for_the_cache` returns it.

    Returns
    -------
    Figure
        A row for each source and device, the nearest on top, and in it a dot for each of its logs, in percent
        of what was logged; empty ones stand for what was said at first. Bands reach to 10 percent.
    """
    groups = sorted(
        (rows for _, rows in left.groupby(["source", "accelerator"], sort=False)),
        key=lambda rows: (rows["kind"].iloc[0] == "calibrating", rows["error"].abs().max()),
    )[::-1]
    drawing, axes = figure(0.19 * len(groups) + 1.1)
    axes.axvspan(-NEAR, NEAR, color=PALE, alpha=0.25, lw=0, zorder=0)
    rows = pd.concat([rows.assign(place=place) for place, rows in enumerate(groups)])
    furthest = rows.loc[rows["error"].abs().groupby(rows["place"]).idxmax()]
    for kind, (_, colour) in LOGS.items():  # one collection for all rows of a kind: fewer bytes
        of_kind, ranges = rows[rows["kind"] == kind], furthest[furthest["kind"] == kind]
        low, high = (ranges[end].astype(float).clip(-FURTHEST, FURTHEST) for end in ("low", "high"))
        axes.hlines(ranges["place"], low, high, color=colour, lw=1.2, alpha=0.6, zorder=1.5)
        axes.scatter(of_kind["error"], of_kind["place"], color=colour, s=16, zorder=3, lw=0)
        first = of_kind.dropna(subset="first")
        axes.scatter(
            first["first"], first["place"], facecolors="white", edgecolors=colour, s=16, lw=1, zorder=2
        )
    axes.set_xscale("symlog", linthresh=NEAR)
    axes.set_xlim(-FURTHEST, FURTHEST)
    ticks = (-100, -NEAR, 0, NEAR, 100)
    axes.set_xticks(ticks, [f"{tick:+d}".replace("-", "−") if tick else "0" for tick in ticks])
    axes.set_xticks([], minor=True)
    axes.set_xlabel("error of the prediction (%)")
    name_rows(axes, [_named(rows) for rows in groups])
    axes.tick_params(axis="y", labelsize=SMALLEST)
    axes.grid(axis="y", visible=False)
    axes.set_axisbelow(True)
    handles = [
        axes.scatter([], [], color=colour, s=16, label=name)
        for kind, (name, colour) in LOGS.items()
        if kind in set(left["kind"])
    ]
    axes.legend(
        handles=handles, ncols=3, loc="lower right", bbox_to_anchor=(1.02, 1), fontsize=SMALLEST,
        columnspacing=1, handletextpad=0,
    )  # fmt: skip
    return drawing


def _named(rows: pd.DataFrame) -> str:
    """Name a row of logs by its models: the first, and how many more."""
    names = list(dict.fromkeys(rows["model"]))
    return f"{names[0]} + {len(names) - 1}" if len(names) > 1 else names[0]


PARTS = {
    "calibrates": "to mend with",
    "tests": "to test with",
    "later": "other families, later",
}


def draw_blind_steps(table: pd.DataFrame) -> Figure:
    """Draw the error of each training step that was predicted before it was measured, before and after.

    Parameters
    ----------
    table : DataFrame
        As `cohort.chapters.attention_memory.steps.blind_steps` returns it.

    Returns
    -------
    Figure
        A row a step, the parts of the table one below the other: hollow as it was first predicted, filled
        after the mend. The furthest of each part is named.
    """
    groups = [(part, table[table["part"] == part].sort_values("first", kind="stable")) for part in PARTS]
    drawing, axes = figure(0.095 * len(table) + 1.4)
    top = 0.0
    for colour, (part, rows) in zip((COLOURS[1], COLOURS[0], COLOURS[2]), groups, strict=True):
        places = [top - place for place in range(len(rows))]
        axes.hlines(places, rows["first"], rows["mended"], color=PALE, lw=1, zorder=1)
        axes.scatter(rows["first"], places, s=22, facecolors="white", edgecolors=colour, zorder=2)
        axes.scatter(rows["mended"], places, s=22, color=colour, zorder=3)
        low = table[["first", "mended"]].min().min()
        axes.text(low, places[-1], f"{PARTS[part]}: {len(rows)}", size=SMALLEST, va="center")
        furthest = int(rows["mended"].abs().to_numpy().argmax())
        spot = (float(rows["mended"].iloc[furthest]), places[furthest])
        axes.annotate(
            str(rows["model"].iloc[furthest]), spot, (7, 0), textcoords="offset points", va="center",
            size=SMALLEST,
        )  # fmt: skip
        top = places[-1] - 3
    axes.axvline(0, color=INK, lw=1, zorder=0)
    axes.set(xlabel="predicted beside measured (% too much)", yticks=[], ylim=(top + 1, 1.5))
    axes.set_xlim(right=float(table[["first", "mended"]].max().max()) + 11)
    axes.spines["left"].set_visible(False)
    return drawing
