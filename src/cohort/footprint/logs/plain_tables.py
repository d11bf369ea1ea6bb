"""A plain table of time and power or energy, whose heads name the unit."""

from __future__ import annotations

import re
from collections.abc import Sequence

from cohort.errors import ParameterError
from cohort.footprint.logs.cells import JOULES, WATTS, numbers
from cohort.footprint.logs.source import Source, by_device, keep_wide

_TIMES = re.compile(
    r"(time|timestamp|date ?time|datetime \(utc\)|ts|t|seconds|elapsed|time[ _]?s|date)\b.*", re.IGNORECASE
)
_UNITS = "|".join(sorted({*WATTS, *JOULES}, key=len, reverse=True))
_HEAD = re.compile(rf"(?:^|[\s_.\[(/-])({_UNITS})[\])]?$", re.IGNORECASE)
_WHOLE = ("node", "machine", "server", "wall", "system", "pdu", "total", "plug", "ac")
_HOST = {"cpu": "processor", "package": "processor", "ram": "memory", "dram": "memory"}
_DEVICE = ("device", "gpu", "index", "gpu_id", "accelerator", "node", "host")


def plain_table(source: Source) -> None:
    """Read a table of time and power or energy, whose heads name the unit: ``watts``, ``kwh``.

    Parameters
    ----------
    source : Source
        The file.

    Raises
    ------
    ParameterError
        If a column that is needed is not there, or a cell is no number.
    """
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
        _long(source, time, device, next(iter(units)), {**energies, **powers})
        return
    kinds = {head: _kind(head, source.meter) for head in units}
    if powers:
        keep_wide(
            source, time, {head: _plain_label(head, powers) for head in powers}, kinds, powers.__getitem__
        )
        return
    frame = source.table(time, *energies)
    times = source.times(frame[time])
    for head, worth in energies.items():
        joules = numbers(source.path, head, frame[head], JOULES, worth, source.comma)
        source.keep(_plain_label(head, energies), kinds[head], times, joules, counter=True)


def _long(source: Source, time: str, device: str, head: str, worth: dict[str, float]) -> None:
    frame = source.table(time, device, head)
    times, counter = source.times(frame[time]), _unit(head) in JOULES
    values = numbers(source.path, head, frame[head], JOULES if counter else WATTS, worth[head], source.comma)
    for each, rows in by_device(frame[device]):
        source.keep(each, _kind(head, source.meter), times[rows], values[rows], counter=counter)


def _unit(head: str) -> str:
    """Return the unit that a head ends with, or names alone; empty where it names none."""
    found = _HEAD.search(head)
    return found[1].casefold() if found else ""


def _kind(head: str, meter: str) -> str:
    words = re.findall(r"[a-z]+", head.casefold())
    if any(word in _WHOLE for word in words):
        return "machine"
    return next((_HOST[word] for word in words if word in _HOST), meter)


def _plain_label(head: str, columns: Sequence[str] | dict[str, float]) -> str:
    found = re.search(r"\d+", head)
    return found[0] if found and len(columns) > 1 else re.sub(r"\W+", " ", head).strip()
