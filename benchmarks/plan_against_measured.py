"""Choices of a layout by the book's times, held against measured services that ran in several.

Run it as ``.venv/bin/python benchmarks/plan_against_measured.py [PATH]``. Without a path it takes the rows of
`serving_2026.csv`; with one, those of a table of one metric a line, as `serving_rows.published` reads it.

A group holds the rows of one model, type of weights, accelerator, engine and load that ran in three layouts
or more. For several speeds that a user may ask for, the layout is chosen that is predicted to write most for
an accelerator at that speed; what it was measured to write there is compared with the best that any layout
was measured to write. Printed are the share of choices within 5 % of the best, the share of groups whose
median choice is, what the median choice loses, and how far the predicted frontier is from the measured one;
apart are groups of which no row calibrated the times. ``--write`` keeps the first three lines in the table
`planning_errors`.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import exp, log
from pathlib import Path
from statistics import median

from calibration import DATA, as_csv
from serving_rows import Measured, measured, published
from serving_rows import table as own_table

LAYOUTS = 3  # of a group, at the least
SPEEDS = 5  # that are asked for, evenly spread over the measured frontier
CLOSE = 0.05
GROUPED_BY = ("model", "weight_format", "accelerator", "engine", "input_tokens", "output_tokens")
LAYOUT = ("tensor_parallel", "attention_data_parallel", "expert_parallel")


@dataclass(frozen=True, slots=True)
class Run:
    """One measured concurrency of one layout, and what is predicted of it.

    Attributes
    ----------
    layout : tuple of str
        Devices that share a layer, copies of the attention, whether experts are dealt out.
    speed, rate : float
        Tokens a second that a user and that an accelerator was measured to get.
    said_speed, said_rate : float
        The same as predicted.
    calibrated : bool
        Whether the row calibrated the times.
    """

    layout: tuple[str, ...]
    speed: float
    rate: float
    said_speed: float
    said_rate: float
    calibrated: bool


def run_of(row: Measured) -> Run | None:
    """Return a measured row with its prediction; None where no time per token was measured."""
    if not row.token_s:
        return None
    token, first = row.predicted()
    asked = row.request
    count, output = asked["concurrency"], asked["output_tokens"]
    devices = asked["tensor_parallel"] * asked["attention_data_parallel"]

    def rate(token_s: float, first_s: float) -> float:
        return float(count * output / (first_s + (output - 1) * token_s) / devices)

    waited = row.first_s or first  # where it was not measured both have the predicted one
    said = rate(token, first if row.first_s else waited)
    layout = tuple(str(row.row[name]) for name in LAYOUT)
    return Run(
        layout, 1 / row.token_s, rate(row.token_s, waited), 1 / token, said, row.row["use"] == "calibrate"
    )


def grouped(rows: Iterable[Measured]) -> dict[tuple[str, ...], list[Run]]:
    """Return the runs of each group that has enough layouts."""
    groups: dict[tuple[str, ...], list[Run]] = defaultdict(list)
    for row in rows:
        run = run_of(row)
        if run is not None:
            groups[tuple(str(row.row[name]) for name in GROUPED_BY)].append(run)
    return {key: runs for key, runs in groups.items() if len({run.layout for run in runs}) >= LAYOUTS}


def frontier(points: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the points of speed and rate that no other beats in both, the fastest first."""
    kept: list[tuple[float, float]] = []
    for speed, rate in sorted(points, reverse=True):
        if not kept or rate > kept[-1][1]:
            kept.append((speed, rate))
    return kept


def at_speed(points: Sequence[tuple[float, float]], speed: float) -> float | None:
    """Return the rate of a frontier at a speed, between its points in logarithms; None beyond its fastest."""
    if speed > points[0][0]:
        return None
    for (fast, low), (slow, high) in pairwise(points):
        if slow <= speed <= fast:
            share = log(fast / speed) / log(fast / slow)
            return exp(log(low) + share * log(high / low))
    return points[-1][1]


def choices(runs: Sequence[Run]) -> list[float]:
    """Return what chosen layouts were measured to write, over the best, for each speed that is asked for."""
    measured_points = frontier((run.speed, run.rate) for run in runs)
    slowest, fastest = measured_points[-1][0], measured_points[0][0]
    found = []
    for step in range(SPEEDS):
        speed = slowest * (fastest / slowest) ** (step / SPEEDS)
        best = max(run.rate for run in runs if run.speed >= speed)
        allowed = [run for run in runs if run.said_speed >= speed]
        pick = (
            max(allowed, key=lambda run: run.said_rate) if allowed else max(runs, key=lambda r: r.said_speed)
        )
        made = [run.rate for run in runs if run.layout == pick.layout and run.speed >= speed]
        found.append(max(made, default=0.0) / best)
    return found


def off_frontier(runs: Sequence[Run]) -> list[float]:
    """Return predicted over measured rates at the speeds of the measured frontier."""
    said = frontier((run.said_speed, run.said_rate) for run in runs)
    pairs = [(rate, at_speed(said, speed)) for speed, rate in frontier((run.speed, run.rate) for run in runs)]
    return [found / rate for rate, found in pairs if found is not None]


def report(name: str, groups: Sequence[list[Run]]) -> list[str]:
    """Print how good the choices are, and the frontier, and return that as a row."""
    shares = [share for runs in groups for share in choices(runs)]
    errors = [ratio for runs in groups for ratio in off_frontier(runs)]
    whole = sum(median(choices(runs)) >= 1 - CLOSE for runs in groups)
    good = sum(share >= 1 - CLOSE for share in shares) / len(shares)
    values = (
        100 * good,
        100 * whole / len(groups),
        100 * median(1 - share for share in shares),
        100 * median(abs(ratio - 1) for ratio in errors),
        100 * (median(errors) - 1),
    )
    print(f"{name:36}{len(groups):7}{len(shares):9}" + "".join(f"{value:12.1f}" for value in values))
    return [name, str(len(groups)), str(len(shares)), *(f"{value:.1f}" for value in values)]


COLUMNS = ["groups", "number", "choices", "close", "groups_close", "lost", "frontier", "bias"]


def main() -> None:
    """Print the report."""
    paths = [Path(argument) for argument in sys.argv[1:] if not argument.startswith("--")]
    rows = published(paths[0]) if paths else own_table()
    groups = grouped(measured(row for row in rows if row["use"] in ("test", "calibrate")))
    heads = ("groups", "choices", "within 5 %", "groups so", "lost (%)", "frontier", "bias")
    print(
        " " * 36 + "".join(f"{head:>{width}}" for head, width in zip(heads, (7, 9, *[12] * 5), strict=True))
    )
    seen = {key: any(run.calibrated for run in runs) for key, runs in groups.items()}
    kept = [
        report("all", list(groups.values())),
        report("some row calibrated", [runs for key, runs in groups.items() if seen[key]]),
        report("no row calibrated", [runs for key, runs in groups.items() if not seen[key]]),
    ]
    for position, name in enumerate(GROUPED_BY[:4]):
        for value in sorted({key[position] for key in groups}):
            report(f"  {name}: {value}", [runs for key, runs in groups.items() if key[position] == value])
    if "--write" in sys.argv:
        (DATA / "planning_errors.csv").write_text(as_csv(COLUMNS, kept), encoding="utf-8")


if __name__ == "__main__":
    main()
