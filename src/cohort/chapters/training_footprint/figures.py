"""The figures of the chapter `training_footprint`: what training emitted, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from cohort.display.parts import name_rows, nothing, plain_ticks
from cohort.display.theme import COLOURS, INK, PALE, SMALLEST, WIDTH, figure
from cohort.display.words import significant

SAME, FULL = COLOURS[7], COLOURS[0]


ROW = 0.26  # inches


# The colours of what the variance is due to, in the order of the bars.
DRIVERS = {
    "utilisation": COLOURS[0],
    "training tokens": COLOURS[9],
    "grid": COLOURS[1],
    "power of the machines": COLOURS[2],
    "losses of the data centre": COLOURS[8],
    "making the hardware": COLOURS[4],
    "life of the hardware": COLOURS[6],
    "use of the hardware": COLOURS[5],
    "all that was tried": COLOURS[3],
}
OTHERS = "others, each below 1%"


METHODS = {
    "generated there, life cycle": (COLOURS[0], "o"),
    "consumed there, life cycle": (COLOURS[2], "s"),
    "generated there, combustion alone": (COLOURS[1], "^"),
    "method not stated": (INK, "D"),
}


CLASSES = {
    "metered": (COLOURS[0], "o"),
    "blind": (COLOURS[1], "D"),
    "hours": (COLOURS[2], "s"),
    "place": (COLOURS[7], "^"),
}


def _bar(axes: Axes, place: float, row: Any, colour: str, lift: float = 0.0) -> None:
    """Draw a range from low to high with a dot at its median."""
    height = place + lift
    axes.plot([row["low"], row["high"]], [height, height], color=colour, lw=3, solid_capstyle="round")
    axes.scatter([row["median"]], [height], color=colour, s=26, zorder=3)


def _span(axes: Axes, low: float, high: float) -> None:
    """Set a logarithmic axis to a range with room at both ends."""
    axes.set(xscale="log", xlim=(low / 1.5, high * 1.5))
    plain_ticks(axes.xaxis)


def _from_nothing(axes: Axes, most: int = 5) -> None:
    """Let a straight axis begin at nothing, with a few plain ticks."""
    axes.set_xlim(left=0)
    axes.xaxis.set_major_locator(MaxNLocator(most))
    plain_ticks(axes.xaxis)


def _rows(table: pd.DataFrame) -> list[tuple[int, str, pd.Series]]:
    """Return the rows from the bottom up with their places, so that the first is on top."""
    return [(len(table) - 1 - at, str(name), row) for at, (name, row) in enumerate(table.iterrows())]


def draw_reported(table: pd.DataFrame) -> Figure:
    """Draw what is reported beside the model, at the boundary of the report and at the full one.

    Parameters
    ----------
    table : DataFrame
        As `reports.reported_beside_modelled` returns it.

    Returns
    -------
    Figure
        One row a run: a black stroke for the report, grey for the model at its boundary and on its grid,
        blue for the model with machines, data centre and hardware on the chosen grid. Logarithmic, in t of
        CO2e.
    """
    if table.empty:
        return nothing("none of these models has a report of its emissions")
    drawing, axes = figure(0.4 * len(table) + 1.25)
    for place, _, row in _rows(table):
        _bar(axes, place, row[["low", "median", "high"]], SAME, 0.16)
        full = {name: row[f"full {name}"] for name in ("low", "median", "high")}
        _bar(axes, place, full, FULL, -0.16)
        axes.scatter([row["reported"]], [place + 0.16], marker="|", color=INK, s=150, lw=2, zorder=4)
    ends = table[["reported", "low", "high", "full low", "full high"]]
    _span(axes, float(ends.min().min()), float(ends.max().max()))
    axes.set(xlabel="t of CO2e")
    name_rows(axes, list(table.index)[::-1])
    handles = [
        Line2D([], [], marker="|", color=INK, ls="", ms=11, mew=2),
        Line2D([], [], marker="o", color=SAME, lw=3, ms=5),
        Line2D([], [], marker="o", color=FULL, lw=3, ms=5),
    ]
    names = ["reported", "estimated, its boundary and grid", "estimated, full boundary, chosen grid"]
    axes.legend(handles, names, loc="lower left", bbox_to_anchor=(-0.3, 1), fontsize=SMALLEST)
    return drawing


def draw_estimates(table: pd.DataFrame, estimated: Sequence[str]) -> Figure:
    """Draw the CO2e of each model's training with its uncertainty, the largest on top.

    Parameters
    ----------
    table : DataFrame
        As `tables.estimates` returns it.
    estimated : sequence of str
        Models whose hours are not published: their dots are open.

    Returns
    -------
    Figure
        Ranges from the 5th to the 95th percentile in t of CO2e, logarithmic.
    """
    tonnes: pd.DataFrame = table["co2e_kg"]  # type: ignore[assignment]
    rows = tonnes.sort_values("median", ascending=False, kind="stable")
    drawing, axes = figure(ROW * len(rows) + 1.1)
    for place, name, row in _rows(rows):
        known = name not in estimated
        ends = [row["low"], row["high"]]
        axes.plot(ends, [place, place], color=FULL if known else PALE, lw=3, solid_capstyle="round")
        axes.scatter(
            [row["median"]], [place], c="white" if not known else FULL, edgecolors=FULL, s=30, zorder=3
        )
    _span(axes, float(rows["low"].min()), float(rows["high"].max()))
    axes.set(xlabel="estimated t of CO2e by location, in full")
    name_rows(axes, [str(name) for name in rows.index][::-1])
    handles = [
        Line2D([], [], marker="o", color=FULL, lw=3, ms=5),
        Line2D([], [], marker="o", color=PALE, lw=3, ms=5, mfc="white", mec=FULL),
    ]
    axes.legend(
        handles,
        ["hours published", "hours estimated"],
        loc="lower left",
        bbox_to_anchor=(-0.3, 1),
        ncols=2,
        fontsize=SMALLEST,
    )
    return drawing


def draw_drivers(table: pd.DataFrame) -> Figure:
    """Draw what the variance of each run's CO2e is due to, as bars up to a hundred percent.

    Parameters
    ----------
    table : DataFrame
        As `tables.drivers` returns it.

    Returns
    -------
    Figure
        One bar a kind of run; what is missing to a hundred is due to inputs together.
    """
    if table.empty or not len(table.columns):
        return nothing("nothing is left to draw")
    shown = {name: colour for name, colour in DRIVERS.items() if name in table and table[name].max() >= 1}
    rest = table[[name for name in DRIVERS if name in table and name not in shown]].sum(axis=1)
    if (rest > 0).any():
        table, shown = table.assign(**{OTHERS: rest}), {**shown, OTHERS: PALE}
    drawing, axes = figure(0.34 * len(table) + 1.75)
    for place, _, row in _rows(table):
        start = 0.0
        for name, colour in shown.items():
            width = float(row.get(name, 0.0))
            axes.barh(place, width, left=start, color=colour, height=0.6)
            if width >= 12:
                axes.text(
                    start + width / 2,
                    place,
                    f"{width:.0f}",
                    ha="center",
                    va="center",
                    size=SMALLEST,
                    color="white",
                )
            start += width
    handles = [Line2D([], [], marker="s", ls="", color=colour, ms=8) for colour in shown.values()]
    axes.set(xlabel="share of the variance of CO2e (%)", xlim=(0, 100))
    axes.grid(axis="y", visible=False)
    axes.set_axisbelow(True)
    name_rows(axes, [str(name).replace(" and ", "\nand ") for name in table.index][::-1])
    axes.legend(handles, list(shown), ncols=2, loc="lower left", bbox_to_anchor=(-0.3, 1), fontsize=SMALLEST)
    return drawing


def draw_ladder(table: pd.DataFrame) -> Figure:
    """Draw one run's CO2e within each boundary, the narrowest on top.

    Parameters
    ----------
    table : DataFrame
        As `tables.ladder` returns it.

    Returns
    -------
    Figure
        Ranges from the 5th to the 95th percentile in t of CO2e, each with its median beside it.
    """
    drawing, axes = figure(0.32 * len(table) + 0.7)
    for place, _, row in _rows(table):
        _bar(axes, place, row, FULL)
        axes.annotate(
            significant(float(f"{row['median']:.3g}")),
            (row["median"], place),
            (0, 5),
            textcoords="offset points",
            ha="center",
            va="bottom",
            size=SMALLEST,
        )
    axes.set(xlabel="t of CO2e")
    _from_nothing(axes, 3)  # the names of the rows leave little width
    name_rows(axes, [str(name) for name in table.index][::-1])
    axes.set_ylim(-0.6, len(table) - 0.2)
    return drawing


def draw_places(table: pd.DataFrame) -> Figure:
    """Draw one run's CO2e on other grids, the cleanest on top.

    Parameters
    ----------
    table : DataFrame
        As `places.in_places` returns it.

    Returns
    -------
    Figure
        Ranges in t of CO2e, whose colour and form say by which method the factor of the grid was made.
    """
    drawing, axes = figure(ROW * len(table) + 1.35)
    for place, _, row in _rows(table):
        colour, form = METHODS[row["method"]]
        axes.plot([row["low"], row["high"]], [place, place], color=colour, lw=3, solid_capstyle="round")
        axes.scatter([row["median"]], [place], color=colour, marker=form, s=34, zorder=3)
    axes.set(xlabel="t of CO2e of the electricity")
    _from_nothing(axes)
    name_rows(axes, [f"{name}, {row['year']}" for name, row in table.iterrows()][::-1])
    shown = [name for name in METHODS if (table["method"] == name).any()]
    handles = [Line2D([], [], marker=METHODS[name][1], color=METHODS[name][0], lw=3, ms=6) for name in shown]
    axes.legend(handles, shown, loc="lower left", bbox_to_anchor=(-0.3, 1), fontsize=SMALLEST)
    return drawing


# What the values of a class are, unless their row says otherwise.
_USUAL = {"metered": "energy_kwh", "blind": "co2e_kg", "hours": "accelerator_hours", "place": "co2e_kg"}


_AMOUNTS = {"energy_kwh": "energy", "co2e_kg": "CO2e", "water_l": "water", "accelerator_hours": "hours"}


def _value_name(row: Any) -> str:
    usual = row["amount"] == _USUAL[row["class"]]
    return str(row["run"]) if usual else f"{row['run']}, {_AMOUNTS[row['amount']]}"


def draw_accuracy(table: pd.DataFrame) -> Figure:
    """Draw the model over each reported value that it had to predict, by class.

    Parameters
    ----------
    table : DataFrame
        As `predictions.accuracy` returns it; the classes of `CLASSES` in it are drawn.

    Returns
    -------
    Figure
        One row a value, with its range from the 5th to the 95th percentile; at 1 both are equal.
    """
    chosen = pd.concat([table[table["class"] == name] for name in CLASSES])
    drawing, axes = figure(0.185 * len(chosen) + 1.2)
    for place, _, row in _rows(chosen):
        colour, form = CLASSES[row["class"]]
        ends = [row["low"] / row["reported"], row["high"] / row["reported"]]
        axes.plot(ends, [place, place], color=colour, lw=2.4, solid_capstyle="round")
        axes.scatter([row["median"] / row["reported"]], [place], color=colour, marker=form, s=22, zorder=3)
    axes.axvline(1, color=INK, lw=1, zorder=0)
    low = float((chosen["low"] / chosen["reported"]).min())
    high = float((chosen["high"] / chosen["reported"]).max())
    axes.set(xscale="log", xlabel="modelled over reported", xlim=(low / 1.1, high * 1.1))
    plain_ticks(axes.xaxis, (0.25, 0.5, 0.7, 1, 1.5, 2, 4))
    name_rows(axes, [_value_name(row) for _, row in chosen.iterrows()][::-1])
    axes.tick_params(axis="y", labelsize=SMALLEST)
    shown = [name for name in CLASSES if (chosen["class"] == name).any()]
    handles = [
        Line2D([], [], marker=CLASSES[name][1], color=CLASSES[name][0], lw=2.4, ms=5) for name in shown
    ]
    axes.legend(handles, shown, ncols=4, loc="lower left", bbox_to_anchor=(-0.6, 1), fontsize=SMALLEST)
    drawing.set_figwidth(WIDTH)
    return drawing
