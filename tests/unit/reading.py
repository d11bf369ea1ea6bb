"""The data as the tests of the data read them, with the standard library alone; and the benchmarks."""

import csv
import importlib
import sys
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[2]
DATA = ROOT / "data"


def table(name: str) -> list[dict[str, str]]:
    """Return the rows of a table, every value as text."""
    with (DATA / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def benchmark(name: str) -> ModuleType:
    """Return a script of `benchmarks/` as a module, with what it shares with others beside it."""
    folder = str(ROOT / "benchmarks")
    if folder not in sys.path:
        sys.path.append(folder)
    return importlib.import_module(name)
