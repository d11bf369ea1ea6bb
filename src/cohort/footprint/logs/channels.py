"""What one meter read of one device over time, and its energy by the trapezoidal rule with its error."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from cohort.errors import bounded
from cohort.errors.arguments import explain
from cohort.footprint.factors import Range
from cohort.units import JOULES_PER_KWH, SECONDS_PER_HOUR

# What a channel may be of; all but the first are parts of the host, and a machine is all of them at once.
MOST_SHIFT = 24.0 * SECONDS_PER_HOUR  # further no clock is from UTC
KINDS = ("accelerator", "processor", "memory", "machine")
GAP = 5.0  # of the usual step between two samples: a longer one is a gap
LEAST_GAP_S = 2.0  # meters that sample ten times a second miss a beat now and then
RATED_IDLE, OWN_IDLE = 0.25, 0.2  # of the rated power, and of the range that was read: below it is idle
IDLE_S, IDLE_SHARE = 60.0, 0.05  # of a stretch that is told: so long, or such a share of a short log


@dataclass(frozen=True, slots=True)
class Channel:
    """What a meter read of a device: power at points in time, or energy that only grows.

    Attributes
    ----------
    device : str
        What the log calls it.
    kind : str
        One of `KINDS`.
    seconds : array of float
        Times in ascending order, in seconds.
    watts : array of float
        Power in W at those times; empty where the meter counts energy.
    joules : array of float
        Energy in J since the first of those times; empty where it reads power.
    name : str
        What model of device it is, as the log prints it; empty where it does not.
    number : int
        Of how many devices the channel is the sum.
    serial : str
        A name of the device that no other has; empty where the log prints none.
    """

    device: str
    kind: str
    seconds: np.ndarray
    watts: np.ndarray = field(default_factory=lambda: np.empty(0))
    joules: np.ndarray = field(default_factory=lambda: np.empty(0))
    name: str = ""
    number: int = 1
    serial: str = ""

    @property
    def duration_s(self) -> float:
        """From the first sample to the last, in s."""
        return float(self.seconds[-1] - self.seconds[0])

    @property
    def step_s(self) -> float:
        """The usual time between two samples, in s."""
        return float(np.median(np.diff(self.seconds)))

    @property
    def energy_kwh(self) -> float:
        """Energy by the trapezoidal rule, or the difference of the counter, in kWh."""
        return float(self.cumulated_j()[-1]) / JOULES_PER_KWH

    def cumulated_j(self) -> np.ndarray:
        """Return the energy since the first sample at each of them, in J."""
        if len(self.joules):
            return self.joules
        steps = np.diff(self.seconds) * (self.watts[1:] + self.watts[:-1]) / 2
        return np.concatenate([[0.0], np.cumsum(steps)])

    def gaps(self) -> np.ndarray:
        """Return where gaps begin: the indices of the samples before them."""
        steps = np.diff(self.seconds)
        return (
            np.flatnonzero(steps > max(GAP * self.step_s, LEAST_GAP_S))
            if len(steps) > 2
            else np.empty(0, int)
        )

    def energy(self) -> Range:
        """Return the energy with what the samples leave open.

        A gap may have been spent at the least or at the greatest of usual powers, the 5th and the 95th
        percentile; and between samples the power is known as well as thinning them to every second one
        shows: the difference is three times the error of the rule for a smooth power, and a bound for a
        rough one.

        Returns
        -------
        Range
            In kWh.
        """
        central = self.energy_kwh
        if len(self.joules):
            return Range.exact(central, "kWh")
        below = above = self._thinned_j()
        usual = [float(each) for each in np.percentile(self.watts, [5, 95])]
        for start in self.gaps():
            length = float(self.seconds[start + 1] - self.seconds[start])
            taken = length * float(self.watts[start] + self.watts[start + 1]) / 2
            below += max(taken - length * usual[0], 0.0)
            above += max(length * usual[1] - taken, 0.0)
        low = max(central - below / JOULES_PER_KWH, 0.0)
        return Range(low, central, central + above / JOULES_PER_KWH, "kWh")

    def _thinned_j(self) -> float:
        """Return by how much the energy moves with every second sample alone, in J."""
        if len(self.seconds) < 5:
            return 0.0
        last = len(self.seconds) - 1 - (len(self.seconds) + 1) % 2  # an even number of steps
        every, watts = self.seconds[: last + 1], self.watts[: last + 1]
        return abs(_trapezoid(every, watts) - _trapezoid(every[::2], watts[::2]))

    def idle(self, rated_w: float | None) -> list[tuple[float, float, float]]:
        """Return stretches of `IDLE_S` and more at idle power; in a short log, of `IDLE_SHARE` of it.

        Parameters
        ----------
        rated_w : float or None
            Rated power of the device in W, where it is known: below a quarter of it, it waits. Else what lies
            in the lowest fifth of a range that spans a factor of two is idle.

        Returns
        -------
        list of (float, float, float)
            Start and end in s, and energy in kWh.
        """
        if not len(self.watts):
            return []
        low, high = np.percentile(self.watts, [0, 95])
        if rated_w:
            limit = RATED_IDLE * rated_w * self.number
        elif high > 2 * low:
            limit = low + OWN_IDLE * (high - low)
        else:
            return []
        below = np.concatenate([[False], self.watts < limit, [False]])
        edges = np.flatnonzero(np.diff(below.astype(np.int8)))
        total, least = self.cumulated_j(), min(IDLE_S, IDLE_SHARE * self.duration_s)
        found = []
        for start, end in zip(edges[::2], edges[1::2] - 1, strict=True):
            if self.seconds[end] - self.seconds[start] >= least:
                kwh = float(total[end] - total[start]) / JOULES_PER_KWH
                found.append((float(self.seconds[start]), float(self.seconds[end]), kwh))
        return found


def _trapezoid(times: np.ndarray, watts: np.ndarray) -> float:
    return float(np.sum(np.diff(times) * (watts[1:] + watts[:-1]) / 2))


@dataclass(frozen=True, slots=True)
class PowerLog:
    """A log, of one file or of several, on one clock.

    Attributes
    ----------
    files : tuple of str
        Names of the files.
    layouts : tuple of str
        What wrote them, of ``cohort.footprint.logs.LAYOUTS``.
    channels : tuple of Channel
        What was read, a device and kind each.
    clock : str
        ``utc``, ``local`` or ``none``.
    findings : tuple of str
        What is missing or odd, a sentence each.
    reported : tuple of (str, float)
        What the program that wrote the log computed itself: ``energy_kwh``, ``co2e_kg``.
    place : str
        Where it ran, as the log prints it; empty where it does not.
    """

    files: tuple[str, ...]
    layouts: tuple[str, ...]
    channels: tuple[Channel, ...]
    clock: str
    findings: tuple[str, ...] = ()
    reported: tuple[tuple[str, float], ...] = ()
    place: str = ""

    @property
    def start(self) -> float:
        """The first sample, in s by the clock."""
        return min(float(each.seconds[0]) for each in self.channels)

    @property
    def end(self) -> float:
        """The last sample, in s by the clock."""
        return max(float(each.seconds[-1]) for each in self.channels)

    @property
    def duration_hours(self) -> float:
        """From the first sample to the last, in hours."""
        return (self.end - self.start) / SECONDS_PER_HOUR

    def of(self, *kinds: str) -> tuple[Channel, ...]:
        """Return the channels of some kinds.

        Parameters
        ----------
        *kinds : str
            Of `KINDS`.

        Returns
        -------
        tuple of Channel
        """
        return tuple(each for each in self.channels if each.kind in kinds)

    def energy_kwh(self, *kinds: str) -> float:
        """Return the energy of the channels of some kinds, or of all.

        Parameters
        ----------
        *kinds : str
            Of `KINDS`.

        Returns
        -------
        float
            In kWh.
        """
        return sum(each.energy_kwh for each in self.of(*(kinds or KINDS)))

    def accelerator_hours(self) -> float:
        """Return the hours of one accelerator, gaps included."""
        return sum(each.number * each.duration_s for each in self.of("accelerator")) / SECONDS_PER_HOUR

    def by_hour(self, shift_s: float = 0.0) -> dict[int, float]:
        """Return the energy of each hour.

        Parameters
        ----------
        shift_s : float
            What is added to the clock, in s: from local time to UTC, what is to be subtracted from it.

        Returns
        -------
        dict of int to float
            By hours since 1970, in kWh; empty where the log has no clock.
        """
        found: dict[int, float] = {}
        for each in self.channels if self.clock != "none" else ():
            times, total = (
                each.seconds + bounded("shift_s", shift_s, -MOST_SHIFT, MOST_SHIFT, "s"),
                each.cumulated_j(),
            )
            first, last = int(times[0] // SECONDS_PER_HOUR), int(times[-1] // SECONDS_PER_HOUR)
            edges = SECONDS_PER_HOUR * np.arange(first, last + 2)
            parts = np.diff(np.interp(edges, times, total)) / JOULES_PER_KWH
            for hour, part in zip(range(first, last + 1), parts, strict=True):
                found[hour] = found.get(hour, 0.0) + float(part)
        return dict(sorted(found.items()))


def together(channels: Iterable[Channel]) -> Range:
    """Return the energy of several channels; their errors are added, as those of one meter.

    Parameters
    ----------
    channels : iterable of Channel
        What is added.

    Returns
    -------
    Range
        In kWh.
    """
    found = [each.energy() for each in channels]
    low, central, high = (sum(getattr(each, end) for each in found) for end in ("low", "central", "high"))
    return Range(low, central, high, "kWh")


explain(__name__)
