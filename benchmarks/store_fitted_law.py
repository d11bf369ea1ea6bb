"""Store the law that the book fits to the Chinchilla runs, with its intervals, for what has no NumPy.

Run it as ``.venv/bin/python benchmarks/store_fitted_law.py``; it takes some seconds and writes
``data/fitted_law.csv``. The fit and its bootstrap are those of the chapter *chinchilla_fit* with its default
parameters. `tests/unit/panels` fits again and compares.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from cohort.fitting import chinchilla_runs, fit

TARGET = Path(__file__).parents[1] / "data" / "fitted_law.csv"
RESAMPLES, SEED = 4000, 0
FLOPS = [10.0**power for power in range(17, 31)]
HEADS = ("quantity", "flop", "value", "low", "high", "unit", "status", "source", "note")
UNITS = {
    "E": "nats per token",
    "A": "nats per token",
    "B": "nats per token",
    "alpha": "ratio",
    "beta": "ratio",
}
SOURCE = "besiroglu2024chinchilla"


def stored() -> list[tuple[object, ...]]:
    """Return the rows of the table."""
    found = fit(*chinchilla_runs.columns(chinchilla_runs.runs()))
    laws = found.bootstrap(RESAMPLES, SEED).laws
    note = f"fit to 240 of the runs with huber and delta 0.001; 95% of {RESAMPLES:,} resamples"
    rows: list[tuple[object, ...]] = []
    for name, unit in UNITS.items():
        low, high = np.quantile([getattr(law, name) for law in laws], (0.025, 0.975))
        rows.append(
            (
                name,
                "",
                f"{getattr(found.law, name):.12g}",
                f"{low:.6g}",
                f"{high:.6g}",
                unit,
                "derived",
                SOURCE,
                note,
            )
        )
    for flop in FLOPS:
        sizes = [law.compute_optimal(flop).parameters for law in laws]
        low, high = np.quantile(sizes, (0.025, 0.975))
        best = found.law.compute_optimal(flop).parameters
        rows.append(
            (
                "compute-optimal parameters", f"{flop:.0e}".replace("+", ""), f"{best:.12g}", f"{low:.6g}",
                f"{high:.6g}", "parameters", "derived", SOURCE, note,
            )
        )  # fmt: skip
    return rows


if __name__ == "__main__":
    with TARGET.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEADS)
        writer.writerows(stored())
