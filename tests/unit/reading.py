"""The data as the tests of the data read them: with the standard library alone."""

import csv
from pathlib import Path

ROOT = Path(__file__).parents[2]
DATA = ROOT / "data"


def table(name: str) -> list[dict[str, str]]:
    """Return the rows of a table, every value as text."""
    with (DATA / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
