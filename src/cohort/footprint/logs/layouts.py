"""The layouts that meters write: which one a file has, and its channels."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cohort.errors import ParameterError
from cohort.footprint.logs.cells import JOULES, WATTS, numbers, seconds
from cohort.footprint.logs.channels import Channel
from cohort.footprint.logs.clocks import many, sampled
from cohort.footprint.logs.files import separator, table_of

Columns = dict[str, str]  # what a column holds, and its head


@dataclass(slots=True)
class Source:
    """A file that is being read, and what was found in it so far.

    Attributes
    ----------
    path : Path
        The file.
    text : str
        What it holds.
    heads : list of str
        Its heads; those of the caller where it has none.
    headless : bool
        Whether the caller gave them.
    interval_s : float or None
        Seconds between two samples, where the file has no clock.
    meter : str
        What is metered where the file does not tell: a kind of `Channel`.
    """

    path: Path
    text: str
    heads: list[str]
    headless: bool = False
    interval_s: float | None = None
    meter: str = "accelerator"
    channels: list[Channel] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    clock: str = "none"
    reported: dict[str, float] = field(default_factory=dict)
    place: str = ""

    def table(self, *wanted: str) -> pd.DataFrame:
        """Return some columns as text."""
        heads = self.heads if self.headless else ()
        frame = table_of(self.path, self.text, [head for head in wanted if head], heads)
        repeated = np.zeros(len(frame), dtype=bool)
        for name in frame.columns[:1]:
            repeated = (frame[name] == name).to_numpy()
        if repeated.any():
            self.findings.append(
                f"{self.path.name}: the log was started {many(int(repeated.sum()) + 1, 'time')}."
            )
            frame = frame[~repeated]
        if not len(frame):
            raise ParameterError(f"{self.path} has heads, but no row")
        return frame

    @property
    def comma(self) -> bool:
        """Whether decimals may have a comma: where semicolons separate the cells."""
        return separator(self.text[:4096].splitlines()[0]) == ";"

    def keep(self, device: str, kind: str, times: np.ndarray, values: np.ndarray, **about: Any) -> None:
        """Keep the samples of a device as a channel."""
        channel, told = sampled(self.path, device, kind, times, values, **about)
        self.findings += told
        if channel is not None:
            self.channels.append(channel)

    def times(self, column: pd.Series) -> np.ndarray:
        """Return the times of a column, and note their clock."""
        found, self.clock = seconds(self.path, column)
        return found


def _devices(names: pd.Series) -> Iterator[tuple[str, np.ndarray]]:
    """Yield each device and where its rows are."""
    codes, devices = pd.factorize(names.to_numpy(dtype=object))
    order = np.argsort(codes, kind="stable")
    bounds = np.searchsorted(codes[order], np.arange(len(devices) + 1))
    for place, device in enumerate(devices):
        yield str(device), order[bounds[place] : bounds[place + 1]]


def _only(column: pd.Series, rows: np.ndarray) -> str:
    """Return the one text of some rows; empty where there are several."""
    found = set(column.to_numpy()[rows[:1000]])
    return str(found.pop()) if len(found) == 1 else ""


# nvidia-smi -------------------------------------------------------------------------------------------------

_POWERS = ("power.draw", "power.draw.average", "power.draw.instant")


def nvidia_smi(source: Source) -> None:
    """Read ``nvidia-smi --query-gpu=timestamp,index,power.draw --format=csv``, with units or without."""
    bare = {re.sub(r"\s*\[.*\]$", "", head).casefold(): head for head in source.heads}
    power = next((bare[name] for name in _POWERS if name in bare), "")
    if "timestamp" not in bare or not power:
        missing = "timestamp" if "timestamp" not in bare else "power.draw"
        raise ParameterError(f"{source.path} has no column {missing}; it has {', '.join(source.heads)[:100]}")
    which = next(
        (bare[name] for name in ("uuid", "gpu_uuid", "index", "pci.bus_id", "gpu_bus_id") if name in bare), ""
    )
    label = bare.get("index", which)
    frame = source.table(
        bare["timestamp"], power, which, label, bare.get("name", ""), bare.get("gpu_name", "")
    )
    times = source.times(frame[bare["timestamp"]])
    watts = numbers(source.path, "power", frame[power], WATTS)
    name = next((bare[each] for each in ("name", "gpu_name") if each in bare), "")
    if not which:
        return _unnamed(source, times, watts, _only(frame[name], np.arange(len(frame))) if name else "")
    serials = which != label or which in (bare.get("uuid"), bare.get("gpu_uuid"))
    for device, rows in _devices(frame[which]):
        about = {"name": _only(frame[name], rows) if name else "", "serial": device if serials else ""}
        source.keep(_only(frame[label], rows) or device, "accelerator", times[rows], watts[rows], **about)


def _unnamed(source: Source, times: np.ndarray, watts: np.ndarray, name: str) -> None:
    """Keep samples that name no device: rows that come in bursts of one size are of as many devices."""
    steps = np.diff(times)
    size = 1
    if len(steps) > 3:
        starts = np.flatnonzero(np.concatenate([[True], steps > 0.5 * steps.max()]))
        lengths = np.diff(np.concatenate([starts, [len(times)]]))
        size = int(lengths[0]) if len(lengths) > 1 and (lengths[:-1] == lengths[0]).all() else 1
    if size > 1:
        source.findings.append(
            f"{source.path.name}: its rows name no device and come {size} at a time; taken as {size} devices."
        )
    for place in range(size):
        source.keep(str(place), "accelerator", times[place::size], watts[place::size], name=name)


# dmon -------------------------------------------------------------------------------------------------------


def dmon(source: Source) -> None:
    """Read ``dcgmi dmon -e 155`` and ``nvidia-smi dmon -s p``: columns of spaces, heads after a hash."""
    lines = [line for line in source.text.splitlines() if line.strip()]
    heads = lines[0].lstrip("# ").split()
    names = [head.casefold() for head in heads]
    power = next((names.index(each) for each in ("power", "pwr", "powus") if each in names), -1)
    if power < 0:
        raise ParameterError(
            f"{source.path} has no column of power (POWER, POWUS or pwr); it has {' '.join(heads)[:100]}"
        )
    rows = [
        (place + 1, line.split()) for place, line in enumerate(lines) if not line.lstrip().startswith("#")
    ]
    rows = [(place, cells) for place, cells in rows if cells and cells[0].casefold() not in ("id", "entity")]
    entity = names[0] == "entity"  # its cells are two words: GPU 0
    shift = 1 if entity else 0
    wide = [(place, cells) for place, cells in rows if len(cells) > power + shift]
    if not wide:
        raise ParameterError(f"{source.path} has heads, but no row")
    index = pd.Index([place for place, _ in wide])
    column = pd.Series([cells[power + shift] for _, cells in wide], index=index, dtype=object)
    watts = numbers(source.path, "power", column, WATTS)
    gpu = names.index("gpu") if "gpu" in names else 0
    devices = pd.Series([cells[1] if entity else cells[gpu] for _, cells in wide], dtype=object)
    clock = None
    if "time" in names:
        place = names.index("time")
        day = names.index("date") if "date" in names else None
        text = [f"{cells[day]} {cells[place]}" if day is not None else cells[place] for _, cells in wide]
        if day is not None:
            clock = source.times(pd.Series(text, index=index, dtype=object))
    for device, own in _devices(devices):
        if clock is not None:
            times = clock[own]
        else:
            times = np.arange(len(own)) * (source.interval_s or 1.0)
        source.keep(device, "accelerator", times, watts[own])
    if clock is None:
        given = source.interval_s
        source.findings.append(
            f"{source.path.name}: it has no clock; samples are taken as {given or 1:g} s apart, "
            + ("as given." if given else "the default of its program.")
        )


# CodeCarbon -------------------------------------------------------------------------------------------------

_PARTS = (("gpu_energy", "accelerator"), ("cpu_energy", "processor"), ("ram_energy", "memory"))


def codecarbon(source: Source) -> None:
    """Read an ``emissions.csv``: of each run the rows grow, and the last one holds all of it."""
    wanted = [head for head in source.heads if head not in ("os", "python_version", "cpu_model")]
    frame = source.table(*wanted)
    ends = source.times(frame["timestamp"])
    columns = {
        head: numbers(source.path, head, frame[head], {})
        for head in (
            "duration",
            "emissions",
            "energy_consumed",
            *(name for name, _ in _PARTS),
            "pue",
            "gpu_count",
        )
        if head in frame
    }
    runs = (
        frame["run_id"]
        if "run_id" in frame
        else pd.Series(np.arange(len(frame)).astype(str), index=frame.index)
    )
    energy = co2e = 0.0
    for run, rows in _devices(runs):
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

_ZEUS = re.compile(r"(gpu|cpu|dram)_?(\d+)_energy(?:_j)?", re.IGNORECASE)
_ZEUS_KINDS = {"gpu": "accelerator", "cpu": "processor", "dram": "memory"}


def zeus(source: Source) -> None:
    """Read the log of a ``ZeusMonitor``: a window a row, with its start, its length and J of each device."""
    energies = {head: found for head in source.heads if (found := _ZEUS.fullmatch(head))}
    frame = source.table("start_time", "window_name", "elapsed_time", *energies)
    starts = source.times(frame["start_time"])
    lengths = numbers(source.path, "elapsed_time", frame["elapsed_time"], {"s": 1.0})
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

_MLFLOW = re.compile(r"(?:system/)?gpu_(\d+)_power_usage_watts")


def mlflow(source: Source) -> None:
    """Read system metrics of MLflow: rows of key, value and time, or the file of one metric."""
    lower = {head.casefold(): head for head in source.heads}
    if "key" not in lower:
        return _mlflow_metric(source)
    frame = source.table(lower["key"], lower["value"], lower["timestamp"], lower.get("run_id", ""))
    keys = frame[lower["key"]].str.extract(f"^{_MLFLOW.pattern}$")[0]
    frame, keys = frame[keys.notna().to_numpy()], keys.dropna()
    if not len(frame):
        raise ParameterError(
            f"{source.path} has no metric system/gpu_0_power_usage_watts: log system metrics"
        )
    times = source.times(frame[lower["timestamp"]])
    watts = numbers(source.path, "value", frame[lower["value"]], WATTS)
    for device, rows in _devices(keys):
        source.keep(device, "accelerator", times[rows], watts[rows])


def _mlflow_metric(source: Source) -> None:
    """Read the file of one metric as MLflow's file store has it: time in ms, value, step."""
    found = _MLFLOW.search(source.path.name)
    rows = [line.split() for line in source.text.splitlines() if line.strip()]
    if any(len(row) < 2 for row in rows):
        raise ParameterError(f"{source.path} must have a time and a value on each line")
    index = pd.Index(range(1, len(rows) + 1))
    times = source.times(pd.Series([row[0] for row in rows], index=index, dtype=object))
    watts = numbers(
        source.path, "value", pd.Series([row[1] for row in rows], index=index, dtype=object), WATTS
    )
    source.keep(found[1] if found else "0", "accelerator", times, watts)


# Weights & Biases, DCGM exporter and other tables with a column a device -----------------------------------

_WANDB = re.compile(r"(?:(?P<run>.+) - )?system[./]gpu\.(?:process\.)?(?P<gpu>\d+)\.powerWatts")
_WANDB_TIMES = ("_timestamp", "Wall Time", "Relative Time (Wall)", "Relative Time (Process)", "_runtime")


def wandb(source: Source) -> None:
    """Read system metrics of Weights & Biases: ``run.history(stream="events")`` or the export of a panel."""
    found = {head: match for head in source.heads if (match := _WANDB.fullmatch(head))}
    time = next((head for head in _WANDB_TIMES if head in source.heads), "")
    if not time:
        raise ParameterError(f"{source.path} has no column of time: _timestamp, _runtime or Relative Time")
    several = len({match["run"] for match in found.values()}) > 1
    labels = {
        head: f"{match['run']}:{match['gpu']}" if several else match["gpu"] for head, match in found.items()
    }
    _wide(source, time, labels)


_DCGM = {"DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION": "joules", "DCGM_FI_DEV_POWER_USAGE": "watts"}
_LABEL = re.compile(r"gpu=\"?(\d+)")


def dcgm(source: Source) -> None:
    """Read a CSV of the fields of DCGM's exporter: a column a field with a device a row, or a column a device."""
    lower = {head.casefold(): head for head in source.heads}
    time = next((lower[each] for each in ("timestamp", "time", "ts", "date") if each in lower), "")
    if not time:
        raise ParameterError(f"{source.path} has no column of time: timestamp or time")
    wide = {
        head: found[1]
        for head in source.heads
        if "DCGM_FI_DEV_POWER_USAGE" in head and (found := _LABEL.search(head))
    }
    if wide:
        return _wide(source, time, wide)
    which = [lower[each] for each in ("hostname", "gpu", "gpu_id", "device", "uuid") if each in lower]
    model = next((lower[each] for each in ("modelname", "model") if each in lower), "")
    power = next(head for head in _DCGM if head in source.heads)
    frame = source.table(time, power, model, *which)
    times = source.times(frame[time])
    counter = _DCGM[power] == "joules"
    values = numbers(
        source.path, power, frame[power], JOULES if counter else WATTS, JOULES["mj"] if counter else 1.0
    )
    names = frame[which[0]].str.cat([frame[each] for each in which[1:2]], sep=":") if which else None
    serial = lower.get("uuid", "")
    for device, rows in _devices(names) if names is not None else [("0", np.arange(len(frame)))]:
        about = {
            "name": _only(frame[model], rows) if model else "",
            "serial": _only(frame[serial], rows) if serial and serial in frame else "",
        }
        source.keep(device, "accelerator", times[rows], values[rows], counter=counter, **about)


def _wide(
    source: Source,
    time: str,
    labels: dict[str, str],
    kinds: dict[str, str] | None = None,
    unit: Callable[[str], float] = lambda head: 1.0,
) -> None:
    """Keep a channel for each of some columns of power; a row may hold values of some of them alone."""
    frame = source.table(time, *labels)
    times = source.times(frame[time])
    for head, label in labels.items():
        watts = numbers(source.path, head, frame[head], WATTS, unit(head), source.comma)
        there = ~np.isnan(watts)  # rows of other meters hold nothing in this column
        source.keep(label, (kinds or {}).get(head, "accelerator"), times[there], watts[there])


# A plain table ----------------------------------------------------------------------------------------------

_TIMES = re.compile(
    r"(time|timestamp|date ?time|datetime \(utc\)|ts|t|seconds|elapsed|time[ _]?s|date)\b.*", re.IGNORECASE
)
_HEAD = re.compile(
    r"[\s_.\[(/-]*(kwh|mwh|wh|joules?|kj|mj|j|milliwatts?|kilowatts?|watts?|kw|mw|w)[\])]?", re.IGNORECASE
)
_WHOLE = ("node", "machine", "server", "wall", "system", "pdu", "total", "plug", "ac")
_HOST = {"cpu": "processor", "package": "processor", "ram": "memory", "dram": "memory"}
_DEVICE = ("device", "gpu", "index", "gpu_id", "accelerator", "node", "host")


def plain(source: Source) -> None:
    """Read a table of time and power or energy, whose heads name the unit: ``watts``, ``gpu0 [W]``, ``kwh``."""
    time = next((head for head in source.heads if _TIMES.fullmatch(head)), "")
    units = {head: unit for head in source.heads if head != time and (unit := _unit(head))}
    if not time or not units:
        lacking = "time" if not time else "power or energy whose head names its unit, such as watts or kWh"
        raise ParameterError(
            f"{source.path} has no column of {lacking}; it has {', '.join(source.heads)[:100]}"
        )
    energies = {head: JOULES[unit] for head, unit in units.items() if unit in JOULES}
    powers = {head: WATTS[unit] for head, unit in units.items() if unit in WATTS}
    device = next((head for head in source.heads if head.casefold() in _DEVICE and head not in units), "")
    if device and len(units) == 1:
        return _long(source, time, device, next(iter(units)), {**energies, **powers})
    kinds = {head: _kind(head, source.meter) for head in units}
    if powers:
        return _wide(
            source, time, {head: _plain_label(head, powers) for head in powers}, kinds, powers.__getitem__
        )
    frame = source.table(time, *energies)
    times = source.times(frame[time])
    for head, unit in energies.items():
        joules = numbers(source.path, head, frame[head], JOULES, unit, source.comma)
        source.keep(_plain_label(head, energies), kinds[head], times, joules, counter=True)


def _long(source: Source, time: str, device: str, head: str, worth: dict[str, float]) -> None:
    frame = source.table(time, device, head)
    times, counter = source.times(frame[time]), _unit(head) in JOULES
    values = numbers(source.path, head, frame[head], JOULES if counter else WATTS, worth[head], source.comma)
    for each, rows in _devices(frame[device]):
        source.keep(each, _kind(head, source.meter), times[rows], values[rows], counter=counter)


def _unit(head: str) -> str:
    """Return the unit that a head ends with, or names alone; empty where it names none."""
    found = re.search(
        r"(?:^|[\s_.\[(/-])(" + _HEAD.pattern.split("(", 1)[1].split(")", 1)[0] + r")[\])]?$",
        head,
        re.IGNORECASE,
    )
    return found[1].casefold() if found else ""


def _kind(head: str, meter: str) -> str:
    words = re.findall(r"[a-z]+", head.casefold())
    if any(word in _WHOLE for word in words):
        return "machine"
    return next((_HOST[word] for word in words if word in _HOST), meter)


def _plain_label(head: str, columns: Sequence[str] | dict[str, float]) -> str:
    found = re.search(r"\d+", head)
    return found[0] if found and len(columns) > 1 else re.sub(r"\W+", " ", head).strip()


READERS: dict[str, Callable[[Source], None]] = {
    "nvidia-smi": nvidia_smi,
    "dmon": dmon,
    "dcgm": dcgm,
    "codecarbon": codecarbon,
    "zeus": zeus,
    "mlflow": mlflow,
    "wandb": wandb,
    "plain": plain,
}


def layout_of(source: Source) -> str:
    """Return which of `READERS` reads a file, by its heads.

    Parameters
    ----------
    source : Source
        The file.

    Returns
    -------
    str
        ``plain`` where nothing else is known.
    """
    heads = {head.casefold() for head in source.heads}
    if source.text.lstrip().startswith("#"):
        return "dmon"
    if {"emissions", "energy_consumed", "duration", "timestamp"} <= heads:
        return "codecarbon"
    if any(head.startswith("power.draw") for head in heads):
        return "nvidia-smi"
    if any("dcgm_fi_dev_" in head for head in heads):
        return "dcgm"
    if "elapsed_time" in heads and any(_ZEUS.fullmatch(head) for head in heads):
        return "zeus"
    if any(_WANDB.fullmatch(head) for head in source.heads):
        return "wandb"
    if {"key", "value", "timestamp"} <= heads or _MLFLOW.search(source.path.name):
        return "mlflow"
    return "plain"
