"""Store the laws that are fitted to the public sets of runs, so that no reader waits for what never changes.

Run it as ``.venv/bin/python benchmarks/store_laws_of_runs.py``; it takes some seconds and writes
``data/laws_of_runs.csv``: the sum of two powers fitted to each set that determines one with an irreducible
loss, and the other forms of the panel fitted to the Chinchilla runs, by Huber's misfit to all runs of a set.
`tests/unit/scaling/test_stored_laws.py` fits again and compares.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from cohort.fitting import chinchilla_runs, fit, panel
from cohort.scaling.laws_in_general import Law
from cohort.scaling.stored_laws import CHINCHILLA

TARGET = Path(__file__).parents[1] / "data" / "laws_of_runs.csv"
HEADS = ("set", "form", "quantity", "value", "unit", "status", "source")
UNITS = dict.fromkeys(("E", "A", "B"), "nats per token") | {"Nc": "parameters", "Dc": "tokens"}
# The project whose runs a set holds, by the first word of its name.
SOURCES = {
    "chinchilla": "besiroglu2024chinchilla",
    "gadre": "gadre2024overtraining",
    "gemstones": "mcleish2025gemstones",
    "porian": "porian2024discrepancies",
    "sardana": "sardana2024beyond",
}


def fitted() -> Iterator[tuple[str, str, Law]]:
    """Yield each set of runs and form with the law that they determine."""
    columns = chinchilla_runs.columns(chinchilla_runs.runs())
    for form in panel.COMPARED:
        if form != "chinchilla":  # that one a chapter fits itself, with its certificate
            yield CHINCHILLA, form, fit(*columns, form=form).law
    for name, runs in panel.sets().items():
        found = panel.Recipe("chinchilla", "huber", 0.0).fitted(runs)
        if found is not None and not found.flat:
            yield name, "chinchilla", found.law


def rows() -> Iterator[tuple[str, ...]]:
    """Yield the rows of the table; a value has all of its digits, as a fit has."""
    for name, form, law in fitted():
        for quantity, value in law.coefficients().items():
            unit = UNITS.get(quantity, "ratio")
            yield name, form, quantity, repr(float(value)), unit, "derived", SOURCES[name.split("_")[0]]


if __name__ == "__main__":
    with TARGET.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEADS)
        writer.writerows(rows())
