"""Trackers of runs: CodeCarbon, Zeus, MLflow and Weights & Biases."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from cohort.errors import ParameterError
from cohort.footprint.logs.cells import JOULES, WATTS, every_number, numbers
from cohort.footprint.logs.clocks import many
from cohort.footprint.logs.source import Source, by_device, keep_wide

# CodeCarbon -------------------------------------------------------------------------------------------------

_PARTS = (("gpu_energy", "accelerator"), ("cpu_energy", "processor"), ("ram_energy", "memory"))


def codecarbon(source: Source) -> None:
    """Read an ``emissions.csv``: of each run the rows grow, and the last one holds all of it.

    Parameters
    ----------
    source : Source
        The file.

    Raises
    ------
    ParameterError
        If a column that is needed is not there, or a cell is no number.
    """
    wanted = [head for head in source.heads if head not in ("os", "python_version", "cpu_model")]
    frame = source.table(*wanted)
    ends = source.times(frame["timestamp"])
    columns = {
        head: every_number(source.path, head, frame[head])
        for head in ("duration", "emissions", "energy_consumed")
    }
    columns |= {
        head: numbers(source.path, head, frame[head], {})
        for head in (*(name for name, _ in _PARTS), "pue", "gpu_count")
        if head in frame
    }
    runs = (
        frame["run_id"]
        if "run_id" in frame
        else pd.Series(np.arange(len(frame)).astype(str), index=frame.index)
    )
    energy = co2e = 0.0
    for run, rows in by_device(runs):
        rows = rows[np.argsort(columns["duration"][rows], kind="stable")]
        last = rows[-1]
        energy += columns["energy_consumed"][last]
        co2e += columns["emissions"][last]
        times = ends[last] - columns["duration"][last] + np.concatenate([[0.0], columns["duration"][rows]])
        pue = columns["pue"][last] if "pue" in columns and columns["pue"][last] >= 1 else 1.0
        if pue > 1:
            source.findings.append(
                f"Run {run[:8]}: its energies hold a PUE of {pue:g}; they were divided by it."
            )
        _keep_run(
            source,
            run,
            times,
            rows,
            columns,
            pue,
            str(frame.get("gpu_model", pd.Series(["nan"])).iloc[last if "gpu_model" in frame else 0]),
        )
    source.reported = {"energy_kwh": float(energy), "co2e_kg": float(co2e)}
    for head in ("cloud_region", "country_iso_code"):
        if head in frame and len(set(frame[head])) == 1 and frame[head].iloc[0]:
            source.place = str(frame[head].iloc[0])
            break


def _keep_run(
    source: Source,
    run: str,
    times: np.ndarray,
    rows: np.ndarray,
    columns: dict[str, np.ndarray],
    pue: float,
    model: str,
) -> None:
    label = run[:8]
    found = [
        (head, kind) for head, kind in _PARTS if head in columns and not np.isnan(columns[head][rows[-1]])
    ]
    if not found:
        source.findings.append(
            f"Run {label}: its parts are not told apart; it is taken as the whole machine."
        )
        found = [("energy_consumed", "machine")]
    count = columns["gpu_count"][rows[-1]] if "gpu_count" in columns else np.nan
    for head, kind in found:
        joules = np.concatenate([[0.0], columns[head][rows]]) * JOULES["kwh"] / pue
        if joules[-1] == 0:
            continue
        about = {}
        if kind == "accelerator":
            about = {"number": int(count) if count >= 1 else 1, "name": "" if model == "nan" else model}
        source.keep(label, kind, times, joules, counter=True, **about)


# Zeus -------------------------------------------------------------------------------------------------------

ZEUS = re.compile(r"(gpu|cpu|dram)_?(\d+)_energy(?:_j)?", re.IGNORECASE)
_ZEUS_KINDS = {"gpu": "accelerator", "cpu": "processor", "dram": "memory"}


def zeus(source: Source) -> None:
    """Read the log of a ``ZeusMonitor``: a window a row, with its start, its length and J of each device.

    Parameters
    ----------
    source : Source
        The file.

    Raises
    ------
    ParameterError
        If a column that is needed is not there, or a cell is no number.
    """
    energies = {head: found for head in source.heads if (found := ZEUS.fullmatch(head))}
    frame = source.table("start_time", "window_name", "elapsed_time", *energies)
    starts = source.times(frame["start_time"])
    lengths = every_number(source.path, "elapsed_time", frame["elapsed_time"])
    order = np.argsort(starts, kind="stable")
    starts, lengths = starts[order], lengths[order]
    outer = _outermost(starts, starts + lengths)
    if not outer.all():
        source.findings.append(
            f"{source.path.name}: {many(int((~outer).sum()), 'window')} inside others left out."
        )
    starts, lengths = starts[outer], lengths[outer]
    times = np.column_stack([starts, starts + lengths]).ravel()
    for head, found in energies.items():
        spent = numbers(source.path, head, frame[head], JOULES)[order][outer]
        spent = np.nan_to_num(spent)
        joules = np.column_stack([np.cumsum(spent) - spent, np.cumsum(spent)]).ravel()
        source.keep(found[2], _ZEUS_KINDS[found[1].casefold()], times, joules, counter=True)


def _outermost(starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Return which windows, in order of their start, lie inside no other."""
    reached = np.concatenate([[-np.inf], np.maximum.accumulate(ends)[:-1]])
    return (starts >= reached - 1e-6) | (ends > reached)


# MLflow -----------------------------------------------------------------------------------------------------

MLFLOW = re.compile(r"(?:system/)?gpu_(\d+)_power_usage_watts")


def mlflow(source: Source) -> None:
    """Read system metrics of MLflow: rows of key, value and time, or the file of one metric.

    Parameters
    ----------
    source : Source
        The file.

    Raises
    ------
    ParameterError
        If a column that is needed is not there, or a cell is no number.
    """
    lower = {head.casefold(): head for head in source.heads}
    if "key" not in lower:
        _mlflow_metric(source)
        return
    frame = source.table(lower["key"], lower["value"], lower["timestamp"], lower.get("run_id", ""))
    keys = frame[lower["key"]].str.extract(f"^{MLFLOW.pattern}$")[0]
    frame, keys = frame[keys.notna().to_numpy()], keys.dropna()
    if not len(frame):
        raise ParameterError(
            f"{source.path} has no metric system/gpu_0_power_usage_watts: log system metrics"
        )
    times = source.times(frame[lower["timestamp"]])
    watts = numbers(source.path, "value", frame[lower["value"]], WATTS)
    for device, rows in by_device(keys):
        source.keep(device, "accelerator", times[rows], watts[rows])


def _mlflow_metric(source: Source) -> None:
    """Read the file of one metric as MLflow's file store has it: time in ms, value, step."""
    found = MLFLOW.search(source.path.name)
    rows = [line.split() for line in source.text.splitlines() if line.strip()]
    if any(len(row) < 2 for row in rows):
        raise ParameterError(f"{source.path} must have a time and a value on each line")
    index = pd.Index(range(1, len(rows) + 1))
    times = source.times(pd.Series([row[0] for row in rows], index=index, dtype=object))
    watts = numbers(
        source.path, "value", pd.Series([row[1] for row in rows], index=index, dtype=object), WATTS
    )
    source.keep(found[1] if found else "0", "accelerator", times, watts)


# Weights & Biases -------------------------------------------------------------------------------------------

WANDB = re.compile(r"(?:(?P<run>.+) - )?system[./]gpu\.(?:process\.)?(?P<gpu>\d+)\.powerWatts")
_WANDB_TIMES = ("_timestamp", "Wall Time", "Relative Time (Wall)", "Relative Time (Process)", "_runtime")


def wandb(source: Source) -> None:
    """Read system metrics of Weights & Biases: ``run.history(stream="events")`` or the export of a panel.

    Parameters
    ----------
    source : Source
        The file.

    Raises
    ------
    ParameterError
        If a column that is needed is not there, or a cell is no number.
    """
    found = {head: match for head in source.heads if (match := WANDB.fullmatch(head))}
    time = next((head for head in _WANDB_TIMES if head in source.heads), "")
    if not time:
        raise ParameterError(f"{source.path} has no column of time: _timestamp, _runtime or Relative Time")
    several = len({match["run"] for match in found.values()}) > 1
    labels = {
        head: f"{match['run']}:{match['gpu']}" if several else match["gpu"] for head, match in found.items()
    }
    keep_wide(source, time, labels)
