"""What was measured on accelerators by the book's own script: runs, and the rows of one of them."""

from __future__ import annotations

from dataclasses import dataclass

from cohort.errors import unknown
from cohort.errors.arguments import explain
from cohort.registry import facts

FIRST = "h100-1"


@dataclass(frozen=True, slots=True)
class DeviceRun:
    """Which accelerator was measured, and when.

    Attributes
    ----------
    accelerator : str
        Its name in the data.
    torch : str
        Version of PyTorch.
    date : str
        Day of the run, as year-month-day.
    """

    accelerator: str
    torch: str
    date: str


def device_rows(group: str, run: str = FIRST) -> tuple[DeviceRun, list[dict[str, str]]]:
    """Return one group of the measurements of a run.

    Parameters
    ----------
    group : str
        A group of the table ``device_measurements``, such as ``attention`` or ``training``.
    run : str
        A run of the table ``device_runs``.

    Returns
    -------
    DeviceRun, list of dict
        The rows as text; none where the run has nothing of that group.

    Raises
    ------
    UnknownNameError
        If there is no such run.
    """
    about = device_run(run)
    rows = [row for row in facts.rows("device_measurements") if (row["run"], row["group"]) == (run, group)]
    return about, rows


def device_run(run: str) -> DeviceRun:
    """Return which accelerator was measured in a run, and when.

    Parameters
    ----------
    run : str
        A run of the table ``device_runs``.

    Returns
    -------
    DeviceRun

    Raises
    ------
    UnknownNameError
        If there is no such run.
    """
    runs = {row["run"]: row for row in facts.rows("device_runs")}
    if run not in runs:
        raise unknown("run", run, list(runs))
    return DeviceRun(*(runs[run][name] for name in ("accelerator", "torch", "date")))


explain(__name__)
