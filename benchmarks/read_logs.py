"""How long a day of one-second samples of eight devices takes to read, beside pandas that reads it as text.

Run it as ``.venv/bin/python benchmarks/read_logs.py``. The log is made afresh, in the layout of nvidia-smi
with units. Times are CPU seconds, the least of several rounds; the ratio is what a machine changes least.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from cohort.footprint.logs import read_logs

ROUNDS, DEVICES, SECONDS = 3, 8, 86_400
HEADS = "timestamp, index, name, power.draw [W], utilization.gpu [%], memory.used [MiB], temperature.gpu"


def write(path: Path) -> np.ndarray:
    """Write a day of samples, and return their power in W, a row a second."""
    watts = np.random.default_rng(0).uniform(300, 690, (SECONDS, DEVICES)).round(2)
    start = datetime(2026, 11, 26)
    with path.open("w", encoding="utf-8") as file:
        file.write(HEADS + "\n")
        for second, row in enumerate(watts):
            stamp = (start + timedelta(seconds=second)).strftime("%Y/%m/%d %H:%M:%S.000")
            for device, power in enumerate(row):
                file.write(f"{stamp}, {device}, NVIDIA H100 80GB HBM3, {power:.2f} W, 99 %, 70000 MiB, 60\n")
    return watts


def seconds(call: Callable[[], object]) -> float:
    """Return the CPU seconds of a call, the least of several rounds."""
    best = float("inf")
    for _ in range(ROUNDS):
        begin = time.process_time()
        call()
        best = min(best, time.process_time() - begin)
    return best


def main() -> None:
    """Print both times, their ratio, and by how much the energy is off that of the samples."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "day.csv"
        watts = write(path)
        ours = seconds(lambda: read_logs(path))
        theirs = seconds(lambda: pd.read_csv(path, skipinitialspace=True))
        truth = float(((watts[1:] + watts[:-1]) / 2).sum()) / 3.6e6
        off = read_logs(path).energy_kwh() / truth - 1
    print(f"{SECONDS * DEVICES:,} rows: {ours:.2f} s to energy, {theirs:.2f} s for pandas.read_csv alone")
    print(f"ratio {ours / theirs:.2f}; energy off by {off:.1e}")


if __name__ == "__main__":
    main()
