"""A file that is being read: its text, and the channels and findings so far."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cohort.errors import ParameterError
from cohort.footprint.logs.cells import WATTS, numbers, seconds
from cohort.footprint.logs.channels import Channel
from cohort.footprint.logs.clocks import many, sampled
from cohort.footprint.logs.files import separator, table_of


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
        """Return some columns as text; heads that are repeated, as after a restart, are left out and said.

        Parameters
        ----------
        *wanted : str
            Heads; an empty one is passed over.

        Returns
        -------
        DataFrame
            The index is the number of the line.

        Raises
        ------
        ParameterError
            If there is no row.
        """
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
        """Keep the samples of a device as a channel.

        Parameters
        ----------
        device, kind, times, values, **about
            As `cohort.footprint.logs.clocks.sampled` takes them.
        """
        channel, told = sampled(self.path, device, kind, times, values, **about)
        self.findings += told
        if channel is not None:
            self.channels.append(channel)

    def times(self, column: pd.Series) -> np.ndarray:
        """Return the times of a column, and note their clock.

        Parameters
        ----------
        column : Series
            Of text.

        Returns
        -------
        array of float
            In s.
        """
        found, self.clock = seconds(self.path, column)
        return found


def by_device(names: pd.Series) -> Iterator[tuple[str, np.ndarray]]:
    """Yield each device and where its rows are.

    Parameters
    ----------
    names : Series
        The device of each row.

    Yields
    ------
    pair of str and array of int
        In the order of first appearance.
    """
    codes, devices = pd.factorize(names.to_numpy(dtype=object))
    order = np.argsort(codes, kind="stable")
    bounds = np.searchsorted(codes[order], np.arange(len(devices) + 1))
    for place, device in enumerate(devices):
        yield str(device), order[bounds[place] : bounds[place + 1]]


def only_text(column: pd.Series, rows: np.ndarray) -> str:
    """Return the one text of some rows; empty where there are several.

    Parameters
    ----------
    column : Series
        Of text.
    rows : array of int
        Which; the first thousand are looked at.

    Returns
    -------
    str
    """
    found = set(column.to_numpy()[rows[:1000]])
    return str(found.pop()) if len(found) == 1 else ""


def keep_wide(
    source: Source,
    time: str,
    labels: dict[str, str],
    kinds: dict[str, str] | None = None,
    unit: Callable[[str], float] = lambda head: 1.0,
) -> None:
    """Keep a channel for each of some columns of power; a row may hold values of some of them alone.

    Parameters
    ----------
    source : Source
        The file.
    time : str
        The head of the times.
    labels : dict of str to str
        The device of each column, by its head.
    kinds : dict of str to str, optional
        What each is of; accelerators by default.
    unit : callable
        What a number of a column is worth in W, by its head.
    """
    frame = source.table(time, *labels)
    times = source.times(frame[time])
    for head, label in labels.items():
        watts = numbers(source.path, head, frame[head], WATTS, unit(head), source.comma)
        there = ~np.isnan(watts)  # rows of other meters hold nothing in this column
        source.keep(label, (kinds or {}).get(head, "accelerator"), times[there], watts[there])
