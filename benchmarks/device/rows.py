"""The two tables that the device script writes, as `data/` holds them. The standard library alone."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path

UNITS = {
    "bandwidth": "GB/s",
    "rate": "TFLOP/s",
    "power": "W",
    "time": "us",
    "time of a step": "ms",
    "time of a prompt": "ms",
    "energy": "J",
    "energy of a step": "J",
    "energy of a prompt": "J",
    "peak memory": "bytes",
    "experts read": "experts",
    "largest difference": "number",
    "largest relative difference": "ratio",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One value; fields are the columns of the table `device_measurements`, without its run."""

    group: str
    case: str
    batch: int | None
    context: int | None
    tokens: int | None
    dtype: str
    quantity: str
    value: float
    unit: str


@dataclass(frozen=True, slots=True)
class Run:
    """What was measured, with what and when; fields are the columns of the table `device_runs`."""

    run: str
    accelerator: str
    device: str
    driver: str
    cuda: str
    torch: str
    triton: str
    python: str
    date: str
    note: str


@dataclass(frozen=True, slots=True)
class Case:
    """What a group of values is of."""

    group: str
    case: str
    dtype: str = "bf16"
    batch: int | None = None
    context: int | None = None
    tokens: int | None = None

    def row(self, quantity: str, value: float, unit: str = "") -> Row:
        """Return one value in the unit of its quantity, or in one that is given, and never a negative one."""
        if not value >= 0:
            raise ValueError(f"{self.group}, {self.case}: {quantity} cannot be {value}")
        where = (self.batch, self.context, self.tokens)
        return Row(self.group, self.case, *where, self.dtype, quantity, value, unit or UNITS[quantity])


def _line(values: Iterable[object]) -> list[object]:
    """Return values as they are written: six digits of a measurement, nothing for None."""
    return [f"{each:.6g}" if isinstance(each, float) else "" if each is None else each for each in values]


def runs_file(path: Path) -> Path:
    """Return where the table of runs lies beside that of measurements."""
    return path.with_name(f"{path.stem}_runs{path.suffix}")


def write(path: Path, run: Run, rows: Iterable[Row]) -> None:
    """Write the measurements of a run, and the run itself beside them."""
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["run", *(field.name for field in fields(Row))])
        table.writerows([run.run, *_line(asdict(row).values())] for row in rows)
    with runs_file(path).open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow([field.name for field in fields(Run)])
        table.writerow(asdict(run).values())


def read(path: Path) -> Iterator[tuple[str, Row]]:
    """Yield each measurement of a file with the name of its run."""
    with path.open(encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            sizes = [int(line[name]) if line[name] else None for name in ("batch", "context", "tokens")]
            last = line["dtype"], line["quantity"], float(line["value"]), line["unit"]
            yield line["run"], Row(line["group"], line["case"], *sizes, *last)
