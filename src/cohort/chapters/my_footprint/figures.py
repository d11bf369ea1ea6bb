"""The figures of the notebook `my_footprint`: a log over time, what is added to it, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from cohort.display.parts import end_labels, name_rows, nothing, plain_ticks
from cohort.display.phrases import signed
from cohort.display.theme import COLOURS, INK, PALE, SMALLEST, figure
from cohort.display.words import significant
from cohort.footprint import LoggedRun

MEASURED, ESTIMATED = COLOURS[0], COLOURS[1]
POINTS = 400  # of a line: more are not seen
MOST_LINES = 4  # that are named each; more devices are drawn alike
_SPANS = ((7200.0, 60.0, "minutes"), (4 * 86400.0, 3600.0, "hours"), (float("inf"), 86400.0, "days"))


def draw_power(run: LoggedRun) -> Figure:
    """Draw the power of each accelerator over time, with its rating and where it waited.

    Parameters
    ----------
    run : LoggedRun
        The run.

    Returns
    -------
    Figure
        A line for each device, over time from the start; idle stretches on a pale ground.
    """
    shown = [each for each in run.log.of("accelerator", "machine") if len(each.watts)]
    if not shown:
        return nothing("the log counts energy and holds no power over time")
    length = run.log.end - run.log.start
    worth, unit = next((worth, unit) for span, worth, unit in _SPANS if length < span or unit == "days")
    drawing, axes = figure(2.7)
    ends: dict[str, float] = {}
    colours: dict[str, str] = {}
    for place, each in enumerate(shown):
        times, watts = _thinned((each.seconds - run.log.start) / worth, each.watts / 1.0)
        colour = COLOURS[place % 8] if len(shown) <= MOST_LINES else MEASURED
        axes.plot(times, watts, color=colour, lw=1.4)
        name = f"device {each.device}" if len(shown) <= MOST_LINES else ""
        if name:
            ends[name], colours[name] = float(watts[-1]), colour
    rated = {group.device.tdp_w for group in run.groups if group.device.tdp_w and run.log.of("accelerator")}
    for each_w in sorted(rated):
        axes.axhline(each_w, color=INK, lw=1, ls="--")
        axes.annotate(
            f"rated {each_w:,.0f} W",
            (0, each_w),
            (2, 3),
            textcoords="offset points",
            size=SMALLEST,
            color=INK,
        )
    device = run.groups[0].device.tdp_w if run.groups else None
    for start, end, _ in shown[0].idle(device):
        axes.axvspan(
            (start - run.log.start) / worth, (end - run.log.start) / worth, color=PALE, alpha=0.35, lw=0
        )
    top = max([float(each.watts.max()) for each in shown] + list(rated))
    axes.set(xlabel=f"time since the start ({unit})", ylabel="power (W)", ylim=(0, 1.15 * top))
    axes.set_xlim(0, length / worth)
    if len(shown) <= MOST_LINES:
        end_labels(axes, length / worth, ends, colours)
    return drawing


def _thinned(times: np.ndarray, watts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return means of as many samples as leave about `POINTS` of them."""
    size = max(1, len(times) // POINTS)
    whole = len(times) // size * size
    return times[:whole].reshape(-1, size).mean(axis=1), watts[:whole].reshape(-1, size).mean(axis=1)


def draw_parts(table: pd.DataFrame) -> Figure:
    """Draw the parts of the energy, what was metered apart from what was added.

    Parameters
    ----------
    table : DataFrame
        As `tables.parts` returns it.

    Returns
    -------
    Figure
        A bar for each part, beginning where the one above it ends, with its share.
    """
    rows = table[table["energy_kwh"] > 0]
    total = rows["energy_kwh"].sum()
    drawing, axes = figure(0.36 * len(rows) + 1.2)
    left = 0.0
    for place, (_, row) in zip(range(len(rows))[::-1], rows.iterrows(), strict=True):
        share = 100 * row["energy_kwh"] / total
        colour = MEASURED if row["status"] == "measured" else ESTIMATED
        axes.barh(place, share, left=left, color=colour, height=0.62)
        end, ahead, ink = left + share, left + share < 80, INK
        if not ahead:  # before the bar, or on its end where there is no room before it
            end, ink = (left, INK) if left > 20 else (end, "white")
        axes.annotate(
            f"{share:.0f}%", (end, place), (4 if ahead else -4, 0), textcoords="offset points", va="center",
            ha="left" if ahead else "right", size=SMALLEST, color=ink,
        )  # fmt: skip
        left += share
    name_rows(axes, list(rows.index)[::-1])
    axes.set(xlim=(0, 104), xlabel="share of the energy within the boundary (%)")
    axes.grid(axis="y", visible=False)
    patches = [Patch(color=MEASURED), Patch(color=ESTIMATED)]
    axes.legend(patches, ["measured", "estimated"], ncols=2, loc="lower left", bbox_to_anchor=(0, 1))
    return drawing


def draw_widening(table: pd.DataFrame) -> Figure:
    """Draw the CO2e within each boundary, by location and by market, with its range.

    Parameters
    ----------
    table : DataFrame
        As `tables.by_boundary` returns it.

    Returns
    -------
    Figure
        A row for each boundary: a line from the 5th to the 95th percentile, a dot at the central value, and
        a diamond by market.
    """
    drawing, axes = figure(0.36 * len(table) + 1.2)
    for place, (_, row) in zip(range(len(table))[::-1], table.iterrows(), strict=True):
        axes.plot([row["low"], row["high"]], [place, place], color=MEASURED, lw=3, solid_capstyle="round")
        axes.scatter([row["location"]], [place], color=MEASURED, s=30, zorder=3)
        axes.scatter([row["market"]], [place], color=ESTIMATED, s=30, marker="D", zorder=4)
    name_rows(axes, list(table.index)[::-1])
    axes.set(xlabel=f"CO2e ({table.attrs['unit']})")
    axes.set_xlim(left=0)
    axes.grid(axis="y", visible=False)
    handles = [
        Line2D([], [], color=MEASURED, marker="o", lw=3, ms=5),
        Line2D([], [], color=ESTIMATED, marker="D", ls="", ms=5),
    ]
    axes.legend(handles, ["by location", "by market"], ncols=2, loc="lower left", bbox_to_anchor=(0, 1))
    return drawing


def draw_published(table: pd.DataFrame) -> Figure:
    """Draw the energy of each public log over the one that its makers print.

    Parameters
    ----------
    table : DataFrame
        As `published.public_logs` returns it, with a column ``near``.

    Returns
    -------
    Figure
        A dot a run, on a band of one percent; hollow where it lies outside.
    """
    drawing, axes = figure(0.24 * len(table) + 0.9)
    axes.axvspan(-1, 1, color=PALE, alpha=0.35, lw=0)
    axes.axvline(0, color=INK, lw=1)
    rows = table.iloc[::-1]
    for column, marker, label in (("energy_ratio", "o", "energy"), ("co2e_ratio", "D", "CO2e")):
        off = 100 * (rows[column].astype(float) - 1)
        colour = MEASURED if marker == "o" else ESTIMATED
        axes.scatter(off, range(len(rows)), color=colour, marker=marker, s=26, zorder=3, label=label)
    name_rows(axes, list(rows.index))
    axes.set(xlabel="log over published, less one (%)", xlim=(-3, 3))
    axes.grid(axis="y", visible=False)
    axes.legend(ncols=2, loc="lower left", bbox_to_anchor=(0, 1))
    return drawing


def draw_factors(table: pd.DataFrame) -> Figure:
    """Draw by how much each factor alone moves the CO2e, from its low to its high end.

    Parameters
    ----------
    table : DataFrame
        As `tables.sensitivities` returns it.

    Returns
    -------
    Figure
        A bar for each factor, the widest on top.
    """
    if table.empty:
        return nothing("every factor of this run is known")
    rows = table.iloc[::-1]
    drawing, axes = figure(0.3 * len(rows) + 0.9)
    for place, (_, row) in enumerate(rows.iterrows()):
        axes.barh(place, row["high"] - row["low"], left=row["low"], color=COLOURS[7], height=0.6)
        for end, side in ((row["low"], -4), (row["high"], 4)):
            axes.annotate(
                f"{signed(end)}%", (end, place), (side, 0), textcoords="offset points", va="center",
                ha="right" if side < 0 else "left", size=SMALLEST,
            )  # fmt: skip
    axes.axvline(0, color=INK, lw=1)
    name_rows(axes, list(rows.index))
    reach = float(rows[["low", "high"]].abs().max().max())
    low = float(rows["low"].min())
    axes.set(xlabel="CO2e against the central value (%)", xlim=(low - 0.35 * reach, 1.35 * reach))
    axes.grid(axis="y", visible=False)
    return drawing


def draw_grids(values: Mapping[str, float], place: str) -> Figure:
    """Draw what the same energy would emit in other places.

    Parameters
    ----------
    values : mapping of str to float
        CO2e of a kWh, in g, by place.
    place : str
        The place of the run.

    Returns
    -------
    Figure
        A bar for each place, the least on top.
    """
    rows = pd.Series(dict(values)).sort_values(ascending=False, kind="stable")
    drawing, axes = figure(0.28 * len(rows) + 0.8)
    colours = [MEASURED if name == place else PALE for name in rows.index]
    axes.barh(range(len(rows)), rows, color=colours, height=0.62)
    for at, value in enumerate(rows):
        axes.annotate(
            significant(value), (value, at), (4, 0), textcoords="offset points", va="center", size=SMALLEST
        )
    name_rows(axes, list(rows.index))
    axes.set(xlabel="g of CO2e for a kWh", xlim=(0, 1.15 * rows.max()))
    plain_ticks(axes.xaxis)
    axes.grid(axis="y", visible=False)
    return drawing
