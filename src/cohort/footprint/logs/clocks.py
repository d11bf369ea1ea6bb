"""Samples on one clock: what was set back, out of order, missing or counted anew is mended and said."""

from __future__ import annotations

from typing import Any

import numpy as np

from cohort.errors import ParameterError
from cohort.footprint.logs.channels import Channel

MOST_W = {"accelerator": 5e3, "processor": 5e3, "memory": 5e3, "machine": 2e5}  # more is another unit
LONGEST_S = 20 * 365 * 86_400.0
FEW = 0.001  # of the steps may go back where a clock was set; more, and rows are out of order


def many(number: int, noun: str) -> str:
    """Return a number with its noun.

    Parameters
    ----------
    number : int
        How many there are.
    noun : str
        What one is called.

    Returns
    -------
    str

    Examples
    --------
    >>> many(1, "file"), many(1200, "reading")
    ('1 file', '1,200 readings')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def sampled(
    path: Any,
    device: str,
    kind: str,
    times: np.ndarray,
    values: np.ndarray,
    counter: bool = False,
    **about: Any,
) -> tuple[Channel | None, list[str]]:
    """Return the channel of some samples, and what had to be mended.

    Parameters
    ----------
    path : str or Path
        The file, for messages.
    device, kind : str
        As of a `Channel`.
    times : array of float
        In s, in the order of the file.
    values : array of float
        Power in W, or energy in J; NaN where the meter had none.
    counter : bool
        Whether they are energy.
    **about
        Further fields of the channel.

    Returns
    -------
    pair of Channel or None and list of str
        None where fewer than two samples are left.

    Raises
    ------
    ParameterError
        If a power is negative, or greater than a device of that kind draws.
    """
    told = []
    there = ~np.isnan(values)
    if not there.all():
        told.append(f"{device}: {_of(int((~there).sum()), len(values), 'reading')} without a value left out.")
        times, values = times[there], values[there]
    if len(values) < 2:
        return None, [*told, f"{device}: fewer than two readings; left out."]
    _refuse_unlikely(path, device, kind, values, counter, int(about.get("number", 1)))
    times, values, mended = _in_order(device, times, values)
    told += mended
    length = float(times[-1] - times[0])
    if length > LONGEST_S:
        raise ParameterError(
            f"{path}: {device} is logged over {length:,.3g} s, longer than any run; are its times in s?"
        )
    if not counter:
        return Channel(device, kind, times, watts=values, **about), told
    joules, resets = _cumulated(values)
    if resets > max(3, FEW * len(values)):
        raise ParameterError(
            f"{path}: the energy of {device} falls {resets} times, but a counter must only grow"
        )
    limit = MOST_W[kind] * int(about.get("number", 1))
    if joules[-1] > limit * length:
        raise ParameterError(
            f"{path}: {device} counts {joules[-1]:,.3g} J over {length:,.3g} s, more than a device draws; "
            "does the head name its unit?"
        )
    if resets:
        told.append(f"{device}: its counter began anew {many(resets, 'time')}; what it had then is counted.")
    return Channel(device, kind, times, joules=joules, **about), told


def _of(part: int, whole: int, noun: str) -> str:
    return f"{part:,} of {many(whole, noun)}"


def _refuse_unlikely(
    path: Any, device: str, kind: str, values: np.ndarray, counter: bool, number: int
) -> None:
    least, greatest = float(values.min()), float(values.max())
    if least < 0:
        raise ParameterError(f"{path}: {device} has {least:,.6g}, but power and energy must be 0 or more")
    if not counter and greatest > MOST_W[kind] * number:
        raise ParameterError(
            f"{path}: {device} has {greatest:,.6g} W, more than a device draws; is it in mW?"
        )


def _in_order(device: str, times: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Return samples in ascending order of time.

    A clock that was set back, as at the end of summer, leaves the rows in their order; time then goes on at
    its usual step. More than a few steps back mean that the rows are out of order.
    """
    steps = np.diff(times)
    back = np.flatnonzero(steps < 0)
    if not len(back):
        return times, values, []
    if len(back) > max(3, FEW * len(times)):
        order = np.argsort(times, kind="stable")
        return times[order], values[order], [f"{device}: its rows were out of order and were sorted by time."]
    usual = float(np.median(steps[steps > 0])) if (steps > 0).any() else 1.0
    times, set_back = times.copy(), 0.0
    for place in back:
        shift = usual - float(times[place + 1] - times[place])
        times[place + 1 :] += shift
        set_back += shift
    return times, values, [
        f"{device}: the clock was set back {many(len(back), 'time')}, by {set_back:,.0f} s in all; "
        "time went on by the clock of the start."
    ]  # fmt: skip


def _cumulated(values: np.ndarray) -> tuple[np.ndarray, int]:
    """Return energy since the first reading of a counter that may have begun anew, and how often it did."""
    steps = np.diff(values)
    fell = steps < 0
    steps = np.where(fell, values[1:], steps)
    return np.concatenate([[0.0], np.cumsum(steps)]), int(fell.sum())
