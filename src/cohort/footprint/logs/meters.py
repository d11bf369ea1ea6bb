"""Meters of devices: nvidia-smi, dmon and the fields of DCGM."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from cohort.errors import ParameterError
from cohort.footprint.logs.cells import JOULES, WATTS, numbers
from cohort.footprint.logs.clocks import many
from cohort.footprint.logs.source import Source, by_device, keep_wide, only_text

# nvidia-smi -------------------------------------------------------------------------------------------------

LIKE = 0.95  # of the bursts of a log that names no device must be of one size
_POWERS = ("power.draw", "power.draw.average", "power.draw.instant")


def nvidia_smi(source: Source) -> None:
    """Read ``nvidia-smi --query-gpu=timestamp,index,power.draw --format=csv``, with units or without.

    Parameters
    ----------
    source : Source
        The file.

    Raises
    ------
    ParameterError
        If a column that is needed is not there, or a cell is no number.
    """
    bare = {_without_unit(head).casefold(): head for head in source.heads}
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
        _unnamed(source, times, watts, only_text(frame[name], np.arange(len(frame))) if name else "")
        return
    serials = which != label or which in (bare.get("uuid"), bare.get("gpu_uuid"))
    for device, rows in by_device(frame[which]):
        about = {"name": only_text(frame[name], rows) if name else "", "serial": device if serials else ""}
        source.keep(only_text(frame[label], rows) or device, "accelerator", times[rows], watts[rows], **about)


def _without_unit(head: str) -> str:
    """Return ``power.draw`` of ``power.draw [W]``."""
    return head.partition("[")[0].rstrip() if head.endswith("]") else head


def _unnamed(source: Source, times: np.ndarray, watts: np.ndarray, name: str) -> None:
    """Keep samples that name no device: rows that come in bursts of one size are of as many devices."""
    steps = np.diff(times)
    starts = np.arange(len(times))
    if len(steps) > 3:
        starts = np.flatnonzero(np.concatenate([[True], steps > 0.5 * np.percentile(steps, 95)]))
    lengths = np.diff(np.concatenate([starts, [len(times)]]))
    size = int(np.bincount(lengths).argmax())
    whole = lengths == size
    if size == 1 or whole.mean() < LIKE:
        source.keep("0", "accelerator", times, watts, name=name)
        return
    source.findings.append(
        f"{source.path.name}: its rows name no device and come {size} at a time; taken as {size} devices."
    )
    if not whole.all():
        source.findings.append(
            f"{source.path.name}: {many(int((~whole).sum()), 'burst')} of another size left out."
        )
    for place in range(size):
        rows = starts[whole] + place
        source.keep(str(place), "accelerator", times[rows], watts[rows], name=name)


# dmon -------------------------------------------------------------------------------------------------------


def dmon(source: Source) -> None:
    """Read ``dcgmi dmon -e 155`` and ``nvidia-smi dmon -s p``: columns of spaces, heads after a hash.

    Parameters
    ----------
    source : Source
        The file.

    Raises
    ------
    ParameterError
        If a column that is needed is not there, or a cell is no number.
    """
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
    for device, own in by_device(devices):
        steps = np.arange(len(own)) * (source.interval_s or 1.0)
        times = steps if clock is None else clock[own]
        source.keep(device, "accelerator", times, watts[own])
    if clock is None:
        given = source.interval_s
        source.findings.append(
            f"{source.path.name}: it has no clock; samples are taken as {given or 1:g} s apart, "
            + ("as given." if given else "the default of its program.")
        )


# DCGM -------------------------------------------------------------------------------------------------------

_DCGM = {"DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION": "joules", "DCGM_FI_DEV_POWER_USAGE": "watts"}
_LABEL = re.compile(r"gpu=\"?(\d+)")


def dcgm(source: Source) -> None:
    """Read fields of DCGM's exporter: a column a field and a row a device, or a column a device.

    Parameters
    ----------
    source : Source
        The file.

    Raises
    ------
    ParameterError
        If it has no time, or a cell is no number.
    """
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
        keep_wide(source, time, wide)
        return
    which = [lower[each] for each in ("hostname", "gpu", "gpu_id", "device", "uuid") if each in lower][:2]
    model = next((lower[each] for each in ("modelname", "model") if each in lower), "")
    power = next(head for head in _DCGM if head in source.heads)
    frame = source.table(time, power, model, lower.get("uuid", ""), *which)
    times = source.times(frame[time])
    counter = _DCGM[power] == "joules"
    values = numbers(
        source.path, power, frame[power], JOULES if counter else WATTS, JOULES["mj"] if counter else 1.0
    )
    names = frame[which].agg(":".join, axis=1) if which else None
    serial = lower.get("uuid", "")
    for device, rows in by_device(names) if names is not None else [("0", np.arange(len(frame)))]:
        about = {
            "name": only_text(frame[model], rows) if model else "",
            "serial": only_text(frame[serial], rows) if serial and serial in frame else "",
        }
        source.keep(device, "accelerator", times[rows], values[rows], counter=counter, **about)
