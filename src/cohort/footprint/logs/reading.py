"""Logs of one run read and joined: the same device in several files is one, and what is missing is said."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from cohort.errors import CohortError, ParameterError, integer, one_of, positive
from cohort.errors.arguments import explain
from cohort.footprint.logs.channels import KINDS, Channel, PowerLog
from cohort.footprint.logs.clocks import many
from cohort.footprint.logs.files import heads_of, line_of_heads, text_of
from cohort.footprint.logs.layouts import READERS, layout_of
from cohort.footprint.logs.source import Source
from cohort.registry.devices import accelerator as find_accelerator
from cohort.units import JOULES_PER_KWH, SECONDS_PER_HOUR

LAYOUTS = tuple(READERS)
ALIKE = 0.01  # meters of one machine differ by less
ABOVE = 1.2  # times its rating no accelerator draws on average
LATE = 0.01  # of the run: a device that begins later or ends earlier is told
Paths = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]


def read_logs(
    paths: Paths,
    layout: str | None = None,
    *,
    columns: Sequence[str] | None = None,
    interval_s: float | None = None,
    meter: str = "accelerator",
    accelerator: str | Mapping[str, str] | None = None,
    machines: int | None = None,
) -> PowerLog:
    """Return the logs of one run.

    Parameters
    ----------
    paths : path or sequence of paths
        One file, or several of the same run.
    layout : str, optional
        One of `LAYOUTS`; by default it is told by the heads of each file.
    columns : sequence of str, optional
        The heads, where the files have none.
    interval_s : float, optional
        Seconds between two samples, where a log has no clock.
    meter : str
        What is metered where the log does not tell: one of ``cohort.footprint.logs.channels.KINDS``.
    accelerator : str or mapping of str to str, optional
        Which accelerator it ran on; or which by the name of a file or of a device.
    machines : int, optional
        How many machines the files of CodeCarbon are of, where several cover the same time.

    Returns
    -------
    PowerLog
        On one clock, with what is missing or odd in sentences.

    Raises
    ------
    ParameterError
        If a file cannot be read, or holds no power and no energy; the message names file and line.
    UnknownNameError
        If there is no such layout; the message names the nearest.

    See Also
    --------
    cohort.footprint.from_log : The footprint of it.
    """
    files = [Path(paths)] if isinstance(paths, (str, os.PathLike)) else [Path(each) for each in paths]
    if not files:
        raise ParameterError("no log is given")
    if len({os.path.abspath(path) for path in files}) < len(files):
        raise ParameterError("the same file is given twice")
    one_of("meter", meter, KINDS)
    sources, layouts = [], []
    for path in files:
        source = _source(path, columns, interval_s, meter)
        layouts.append(layout_of(source) if layout is None else one_of("layout", layout, LAYOUTS))
        _read(source, layouts[-1])
        sources.append(source)
    joined, findings = _joined(sources, machines if machines is None else integer("machines", machines, 1))
    channels = [_named(each, path, accelerator) for each, path in joined]
    clocks = {source.clock for source in sources}
    if len(clocks) > 1:
        findings.append("The files are on different clocks; hours of the day cannot be told apart.")
    reported = {"energy_kwh": 0.0, "co2e_kg": 0.0}
    for source in sources:
        reported = {name: value + source.reported.get(name, 0.0) for name, value in reported.items()}
    findings = [each for source in sources for each in source.findings] + findings + told(channels)
    places = {source.place for source in sources}
    return PowerLog(
        tuple(path.name for path in files),
        tuple(dict.fromkeys(layouts)),
        tuple(channels),
        clocks.pop() if len(clocks) == 1 else "none",
        tuple(dict.fromkeys(findings)),
        tuple(reported.items()) if any(source.reported for source in sources) else (),
        places.pop() if len(places) == 1 else "",
    )


def _source(path: Path, columns: Sequence[str] | None, interval_s: float | None, meter: str) -> Source:
    text = text_of(path)
    heads = heads_of(line_of_heads(text)) if columns is None else [each.strip() for each in columns]
    interval = None if interval_s is None else positive("interval_s", interval_s, "s")
    return Source(path, text, heads, columns is not None, interval, meter)


def _read(source: Source, layout: str) -> None:
    """Read a file by a layout; a file that has not its columns is refused in one sentence."""
    try:
        READERS[layout](source)
    except CohortError:
        raise
    except (KeyError, IndexError, StopIteration) as error:
        raise ParameterError(f"{source.path} is no log of {layout}: it lacks {error}") from None
    if not source.channels:
        told = f": {source.findings[-1]}" if source.findings else ""
        raise ParameterError(f"{source.path} holds no device with two readings{told}")
    source.text = ""


def _joined(sources: list[Source], machines: int | None) -> tuple[list[tuple[Channel, Path]], list[str]]:
    """Return all channels: parts of one device end to end, those of different machines under their files."""
    findings: list[str] = []
    sources = _without_repeats(sources, machines, findings)
    kept: list[tuple[Channel, Path]] = []
    for source in sources:
        for each in source.channels:
            place = next((k for k, (other, _) in enumerate(kept) if _follows(other, each)), -1)
            if place < 0:
                kept.append((each, source.path))
                continue
            before, after = sorted((kept[place][0], each), key=lambda channel: float(channel.seconds[0]))
            kept[place] = (_end_to_end(before, after, findings), kept[place][1])
    labels = [(each.device, each.kind) for each, _ in kept]
    if len(set(labels)) < len(labels):
        kept = [(replace(each, device=f"{path.stem}:{each.device}"), path) for each, path in kept]
        findings.append("Files with the same devices over the same time are taken as of different machines.")
    return kept, findings


def _without_repeats(sources: list[Source], machines: int | None, findings: list[str]) -> list[Source]:
    """Return the files without those that meter what another one meters, too.

    Each process of a run may write an ``emissions.csv`` of its own, and each of them holds the whole machine.
    """
    alike: list[list[Source]] = []
    for source in sources:
        group = next((each for each in alike if _same_machine(each[0], source)), None)
        if group is None:
            alike.append([source])
        else:
            group.append(source)
    kept: list[Source] = []
    for group in alike:
        wanted = min(machines or 1, len(group))
        kept += group[:wanted]
        if len(group) > wanted:
            findings.append(
                f"{many(len(group), 'file')} cover the same time on machines alike to 1%: taken as "
                f"{many(wanted, 'machine')} that each process metered whole (machines={len(group)} if not)."
            )
    for each in sources:
        if each not in kept:
            each.reported = {}
    return kept


def _same_machine(one: Source, other: Source) -> bool:
    """Return whether two files meter the same devices over the same time to a hundredth."""
    if "energy_kwh" not in one.reported or "energy_kwh" not in other.reported:
        return _identical(one, other)
    first, second = one.channels[0], other.channels[0]
    shared = min(first.seconds[-1], second.seconds[-1]) - max(first.seconds[0], second.seconds[0])
    energies = one.reported["energy_kwh"], other.reported["energy_kwh"]
    near = abs(energies[0] - energies[1]) <= ALIKE * max(energies)
    same = (first.name, first.number, len(one.channels)) == (second.name, second.number, len(other.channels))
    return bool(near and same and shared > (1 - ALIKE) * max(first.duration_s, second.duration_s))


def _identical(one: Source, other: Source) -> bool:
    """Return whether two files hold the same samples."""
    return len(one.channels) == len(other.channels) and all(
        (a.device, a.name, len(a.seconds)) == (b.device, b.name, len(b.seconds))
        and np.array_equal(a.seconds, b.seconds)
        and np.array_equal(a.watts, b.watts) and np.array_equal(a.joules, b.joules)
        for a, b in zip(one.channels, other.channels, strict=True)
    )  # fmt: skip


def _follows(one: Channel, other: Channel) -> bool:
    """Return whether two channels are parts of the log of one device, one after the other."""
    same = (one.device, one.kind, one.number) == (other.device, other.kind, other.number)
    if one.serial and other.serial:
        same = one.serial == other.serial
    apart = one.seconds[-1] <= other.seconds[0] or other.seconds[-1] <= one.seconds[0]
    return bool(same and apart and len(one.watts) and len(other.watts))


def _end_to_end(before: Channel, after: Channel, findings: list[str]) -> Channel:
    """Return one channel of two; nothing was drawn, as far as the log tells, between their files."""
    pause = float(after.seconds[0] - before.seconds[-1])
    usual = before.step_s
    if pause > max(5 * usual, 2.0):
        findings.append(f"{before.device}: {_length(pause)} between two files; no energy is counted for it.")
    edge = min(usual, pause / 3)
    seconds = np.concatenate(
        [before.seconds, [before.seconds[-1] + edge, after.seconds[0] - edge], after.seconds]
    )
    watts = np.concatenate([before.watts, [0.0, 0.0], after.watts])
    if pause <= max(5 * usual, 2.0):
        seconds = np.concatenate([before.seconds, after.seconds])
        watts = np.concatenate([before.watts, after.watts])
    return replace(before, seconds=seconds, watts=watts, name=before.name or after.name)


def _named(channel: Channel, path: Path, accelerator: str | Mapping[str, str] | None) -> Channel:
    """Return a channel with the accelerator that the caller names, and the number before its name."""
    channel = replace(channel, name=channel.name.strip())
    found = re.match(r"(\d+) x (.+)", channel.name)
    if found and channel.kind == "accelerator":
        channel = replace(channel, name=found[2], number=max(channel.number, int(found[1])))
    if accelerator is None or channel.kind != "accelerator":
        return channel
    if isinstance(accelerator, str):
        return replace(channel, name=accelerator)
    for key in (channel.device, path.name, path.stem, str(path)):
        if key in accelerator:
            return replace(channel, name=accelerator[key])
    return channel


def told(channels: Sequence[Channel]) -> list[str]:
    """Return what is missing or odd in some channels: gaps, devices that come late or are absent, idle hours.

    Parameters
    ----------
    channels : sequence of Channel
        All of a log.

    Returns
    -------
    list of str
        A sentence each.
    """
    found: list[str] = []
    for each in channels:
        gaps = each.gaps() if len(each.watts) else np.empty(0, int)
        if len(gaps):
            lengths = np.diff(each.seconds)[gaps]
            found.append(
                f"{each.device}: {many(len(gaps), 'gap')}, {_length(float(lengths.sum()))} in all, "
                f"the longest {_length(float(lengths.max()))}; bridged by a straight line, and in the range."
            )
    found += [*_absent(channels), *_above_rating(channels)]
    idle = [(each, each.idle(_rated(each))) for each in channels if each.kind == "accelerator"]
    count = sum(len(stretches) for _, stretches in idle)
    if count:
        seconds = sum(end - start for _, stretches in idle for start, end, _ in stretches)
        energy = sum(kwh for _, stretches in idle for _, _, kwh in stretches)
        total = sum(each.energy_kwh for each, _ in idle)
        found.append(
            f"{count:,} idle stretch{'' if count == 1 else 'es'}: {_length(seconds)} of accelerators, "
            f"{100 * energy / total if total else 0:.1f}% of their energy; counted."
        )
    return found


def _absent(channels: Sequence[Channel]) -> list[str]:
    """Return sentences on devices that begin late, end early, or are left out of a row of numbers."""
    devices = [each for each in channels if each.kind == "accelerator"]
    if not devices:
        return []
    start, end = min(each.seconds[0] for each in devices), max(each.seconds[-1] for each in devices)
    slack = max(LATE * (end - start), 5 * max(each.step_s for each in devices))
    found = [
        f"{each.device}: it is in the log for {_length(each.duration_s)} of {_length(float(end - start))}."
        for each in devices
        if each.seconds[0] > start + slack or each.seconds[-1] < end - slack
    ]
    labels = [each.device for each in devices]
    if all(label.isdecimal() for label in labels):
        numbers = sorted(int(label) for label in labels)
        lacking = sorted(set(range(numbers[-1])) - set(numbers)) if numbers[-1] < 1024 else []
        if lacking:
            found.append(f"Of devices 0 to {numbers[-1]}, the log lacks {', '.join(map(str, lacking))[:60]}.")
    return found


def _above_rating(channels: Sequence[Channel]) -> list[str]:
    """Return sentences on accelerators that draw more than their rating: counted twice, or another."""
    found = []
    for each in channels:
        rated, length = _rated(each) if each.kind == "accelerator" else None, each.duration_s
        mean = each.energy_kwh * JOULES_PER_KWH / length / each.number if length else 0.0
        if rated and mean > ABOVE * rated:
            found.append(
                f"{each.device}: {mean:,.0f} W on average, above the {rated:,.0f} W of {each.name}: "
                "is it counted twice, or another accelerator?"
            )
    return found


def _rated(channel: Channel) -> float | None:
    try:
        return find_accelerator(channel.name).tdp_w if channel.name else None
    except CohortError:
        return None


def _length(seconds: float) -> str:
    """Return a length of time in words."""
    if seconds < 120:
        return f"{seconds:,.0f} s"
    return (
        f"{seconds / 60:,.0f} min"
        if seconds < SECONDS_PER_HOUR * 2
        else f"{seconds / SECONDS_PER_HOUR:,.1f} h"
    )


explain(__name__)
