"""Carbon intensity by the hour, as Electricity Maps, WattTime and plain tables write it, matched to a log."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cohort.errors import ParameterError, bounded, shown
from cohort.errors.arguments import explain
from cohort.units import SECONDS_PER_HOUR

GRAMS_PER_POUND = 453.59237  # exact by definition
KWH_PER_MWH = 1000.0
MOST_BYTES = 64 * 2**20
# Heads of the column of intensity by layout, what a value is worth in g/kWh, and what it counts.
_MAPS = r"carbon intensity gco.?.?.?eq/kwh "
_PLAIN = r"(g_per_kwh|carbon_intensity|intensity|gco2(e|eq)?[_/ ]?(per_)?kwh)"
_LAYOUTS = (
    ("Electricity Maps", _MAPS + r"\((life cycle|lca)\)", 1.0, "the life cycle, by what is consumed"),
    ("Electricity Maps", _MAPS + r"\(direct\)", 1.0, "combustion alone, by what is consumed"),
    ("WattTime", r"moer|value", GRAMS_PER_POUND / KWH_PER_MWH, "the marginal plant, not the mean of all"),
    ("plain", _PLAIN, 1.0, "what its source says"),
)
_TIMES = r"(datetime \(utc\)|datetime|point_time|timestamp|time|date)"


@dataclass(frozen=True, slots=True)
class Series:
    """Carbon intensity by the hour.

    Attributes
    ----------
    layout : str
        Whose layout it was read from.
    by_hour : mapping of int to float
        Mean of each hour since 1970 in UTC, in g/kWh.
    counts : str
        What it counts.
    file : str
        Name of the file.
    """

    layout: str
    by_hour: Mapping[int, float]
    counts: str
    file: str

    def weighted(self, energy_kwh: Mapping[int, float]) -> tuple[float, float]:
        """Return the mean intensity of some electricity, hour by hour, and the share that the series covers.

        Parameters
        ----------
        energy_kwh : mapping of int to float
            Electricity of each hour since 1970 in UTC, in kWh.

        Returns
        -------
        pair of float
            Intensity in g/kWh of what it covers, and a share from 0 to 1.

        Raises
        ------
        ParameterError
            If it covers none of the hours; the message says which it has.

        Examples
        --------
        >>> Series("plain", {0: 100.0, 1: 300.0}, "", "a.csv").weighted({0: 1.0, 1: 3.0})
        (250.0, 1.0)
        """
        met = {hour: kwh for hour, kwh in energy_kwh.items() if hour in self.by_hour}
        total, covered = sum(energy_kwh.values()), sum(met.values())
        if not covered:
            hours = [*energy_kwh, *self.by_hour]
            ends = [_day(min(self.by_hour)), _day(max(self.by_hour))]
            at = f"; the log is of {_day(hours[0])}" if energy_kwh else ""
            raise ParameterError(
                f"{self.file} covers {ends[0]} to {ends[1]}, none of the hours of the log{at}"
            )
        return sum(kwh * self.by_hour[hour] for hour, kwh in met.items()) / covered, covered / total


def _day(hour: int) -> str:
    return datetime.fromtimestamp(hour * SECONDS_PER_HOUR, UTC).strftime("%Y-%m-%d")


def read_series(path: str | Path) -> Series:
    """Return the intensity of a file, by its heads.

    Parameters
    ----------
    path : str or Path
        CSV of Electricity Maps (the life cycle where it has both), of WattTime (in pounds per MWh, column
        ``value`` or ``MOER``), or with columns of time and ``g_per_kwh``. Times without a zone are in UTC.

    Returns
    -------
    Series
        Several values an hour are averaged.

    Raises
    ------
    ParameterError
        If the file cannot be read or has no such columns; the message names the line.
    """
    try:
        rows = list(csv.reader(_lines(path)))
    except csv.Error as error:
        raise ParameterError(f"{path} is not CSV: {error}") from None
    heads = [head.strip().casefold() for head in rows[0]] if rows else []
    time = next((k for k, head in enumerate(heads) if re.fullmatch(_TIMES, head)), -1)
    found = next(
        (
            (name, k, worth, counts)
            for name, pattern, worth, counts in _LAYOUTS
            for k, head in enumerate(heads)
            if re.fullmatch(pattern, head)
        ),
        None,
    )
    if time < 0 or found is None:
        raise ParameterError(
            f"{path} has no columns of time and carbon intensity; it has {', '.join(heads)[:100]}"
        )
    name, place, worth, counts = found
    sums: dict[int, list[float]] = {}
    for line, row in enumerate(rows[1:], start=2):
        if len(row) > max(time, place) and row[place].strip():
            value = _value(path, line, row[place])
            sums.setdefault(_hour(path, line, row[time]), []).append(value * worth)
    if not sums:
        raise ParameterError(f"{path} has heads, but no value")
    means = {hour: sum(values) / len(values) for hour, values in sums.items()}
    return Series(name, means, counts, Path(path).name)


def _lines(path: str | Path) -> list[str]:
    try:
        if not Path(path).is_file():
            raise ParameterError(f"{path} is no regular file")
        if Path(path).stat().st_size > MOST_BYTES:
            raise ParameterError(f"{path} is larger than {MOST_BYTES // 2**20} MiB")
        return Path(path).read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise ParameterError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ParameterError(f"{path} is not text in UTF-8") from None


def _value(path: str | Path, line: int, cell: str) -> float:
    try:
        return bounded("carbon intensity", float(cell), 0, 5000)
    except ValueError:
        raise ParameterError(
            f"{path}, line {line}: carbon intensity is {shown(cell, 40)}, but must be a number of 0 or more"
        ) from None


def _hour(path: str | Path, line: int, cell: str) -> int:
    try:
        when = datetime.fromisoformat(cell.strip().removesuffix(" UTC"))
    except ValueError:
        raise ParameterError(
            f"{path}, line {line}: time is {shown(cell, 40)}, but must be as 2026-11-26 10:00:00"
        ) from None
    return int((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() // SECONDS_PER_HOUR)


explain(__name__)
