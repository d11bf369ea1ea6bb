"""The device script without PyTorch: its tables, its meter, and what it says where PyTorch is missing."""

from __future__ import annotations

import csv
import ctypes
import importlib.util
from dataclasses import fields

import pytest
from reading import DATA, benchmark, table

rows, meter, measure = (benchmark(f"device.{name}") for name in ("rows", "meter", "measure"))
RUN = rows.Run("a-1", "A", "Board A", "1.2", "13.0", "2.13.0", "", "3.12.3", "2026-11-26", "tiny shapes")


def columns(name: str) -> list[str]:
    with (DATA / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return next(csv.reader(file))


def test_the_columns_are_those_of_the_data():
    assert ["run", *(field.name for field in fields(rows.Row))] == columns("device_measurements")
    assert [field.name for field in fields(rows.Run)] == columns("device_runs")


def test_the_shipped_table_reads_and_keeps_to_the_units():
    found = list(rows.read(DATA / "device_measurements.csv"))
    assert len(found) == len(table("device_measurements"))
    for _, row in found:
        expected = {rows.UNITS[row.quantity]} | ({"ms"} if row.group == "training" else set())
        assert row.unit in expected, row


def test_what_is_written_is_read_back(tmp_path):
    case = rows.Case("decode", "a, b", batch=2, context=16)
    made = [case.row("time of a step", 1.25), rows.Case("product", "x 4x2", tokens=1).row("time", 3.0)]
    rows.write(tmp_path / "out.csv", RUN, made)
    assert list(rows.read(tmp_path / "out.csv")) == [("a-1", row) for row in made]
    assert rows.runs_file(tmp_path / "out.csv").read_text().splitlines()[1] == (
        "a-1,A,Board A,1.2,13.0,2.13.0,,3.12.3,2026-11-26,tiny shapes"
    )


def test_the_shipped_table_is_written_as_it_is(tmp_path):
    shipped = DATA / "device_measurements.csv"
    for name in {run for run, _ in rows.read(shipped)}:
        kept = [(run, row) for run, row in rows.read(shipped) if run == name]
        rows.write(tmp_path / "out.csv", rows.Run(name, *[""] * 9), (row for _, row in kept))
        assert list(rows.read(tmp_path / "out.csv")) == kept


@pytest.mark.parametrize("value", [-1.0, float("nan")])
def test_what_cannot_be_measured_is_refused(value):
    with pytest.raises(ValueError, match="time cannot be"):
        rows.Case("product", "x").row("time", value)


class Library:
    """A management library with one board."""

    def nvmlInit_v2(self):
        return 0

    def nvmlDeviceGetHandleByUUID(self, name, board):
        return 0 if name == b"GPU-1" else 6

    def nvmlDeviceGetTotalEnergyConsumption(self, board, value):
        ctypes.cast(value, ctypes.POINTER(ctypes.c_ulonglong))[0] = 5_000_000_000_500
        return 0

    def nvmlDeviceGetPowerUsage(self, board, value):
        return 3  # not supported

    def nvmlSystemGetDriverVersion(self, text, size):
        text.value = b"580.1"
        return 0


def test_the_meter_reads_millijoules_and_says_what_it_cannot():
    found = meter.Meter.open("1", Library())
    assert found.joules() == 5_000_000_000.5
    assert found.watts() is None
    assert found.driver() == "580.1"
    assert meter.Meter.open("2", Library()) is None


def test_a_missing_library_is_one_sentence(monkeypatch, tmp_path):
    seen = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "torch" else seen(name))
    with pytest.raises(SystemExit, match=r"^this needs torch: pip install 'cohort-of-models\[oracle\]'$"):
        measure.main(["--out", str(tmp_path / "x.csv")])
    assert not list(tmp_path.iterdir())
