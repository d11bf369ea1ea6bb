"""Public logs beside what their makers print of the same runs."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cohort.footprint import from_log
from cohort.footprint.logs import Channel, PowerLog
from cohort.registry.frames import table
from cohort.units import JOULES_PER_KWH, SECONDS_PER_HOUR

PARTS = {"accelerator_kwh": "accelerator", "processor_kwh": "processor", "memory_kwh": "memory"}
NEAR = 0.01  # of the published number


def log_of(row: pd.Series) -> PowerLog:
    """Return the log that a row of the table `logged_runs` sums up: counters from nothing to their sums.

    Parameters
    ----------
    row : Series
        A row of the table.

    Returns
    -------
    PowerLog
        With a channel for each part that the log has.
    """
    seconds = np.array([0.0, row["hours"] * SECONDS_PER_HOUR])
    channels = tuple(
        Channel(
            row["run"], kind, seconds, joules=np.array([0.0, row[column] * JOULES_PER_KWH]),
            name=row["device"] if kind == "accelerator" else "",
            number=int(row["devices"]) if kind == "accelerator" else 1,
        )
        for column, kind in PARTS.items()
        if not pd.isna(row[column])
    )  # fmt: skip
    return PowerLog((row["run"],), (row["tool"],), channels, "none")


def public_logs() -> pd.DataFrame:
    """Return the energy and the CO2e of each public log within its own boundary, beside the published ones.

    Nothing is added: the host is what was metered, and the factor of the grid that of the log. The parts of a
    run are added up.

    Returns
    -------
    DataFrame
        One row a run: ``tool``, ``log_kwh``, ``published_kwh``, ``energy_ratio``, ``log_kg``,
        ``published_kg``, ``co2e_ratio``, ``explained`` and ``source``.
    """
    runs = table("logged_runs")
    found = []
    for _, row in runs.iterrows():
        known = {name: row[name] for name in ("grid_g_per_kwh", "pue") if not pd.isna(row[name])}
        boundary = "node" if row["tool"] == "codecarbon" else "accelerator"
        own = from_log(
            log_of(row), boundary="facility" if "pue" in known else boundary, nodes=int(row["nodes"]),
            host_ratio=1, network_ratio=1, **known,
        ).footprint  # fmt: skip
        kg = own.operational_kg if "grid_g_per_kwh" in known else np.nan
        found.append({"run": row["run"], "log_kwh": own.energy_kwh, "log_kg": kg})
    sums = pd.DataFrame(found).groupby("run", sort=False).sum(min_count=1)
    last = runs.groupby("run", sort=False).last()
    kept = sums.join(last[["tool", "published_kwh", "published_kg", "explained", "source"]])
    kept["energy_ratio"] = kept["log_kwh"] / kept["published_kwh"]
    kept["co2e_ratio"] = kept["log_kg"] / kept["published_kg"]
    return kept


def near(runs: pd.DataFrame) -> pd.Series:
    """Return which runs come out within `NEAR` of all that is published of them.

    Parameters
    ----------
    runs : DataFrame
        As `public_logs` returns it.

    Returns
    -------
    Series of bool
    """
    off = runs[["energy_ratio", "co2e_ratio"]].sub(1).abs()
    return (off.isna() | (off <= NEAR)).all(axis=1)
