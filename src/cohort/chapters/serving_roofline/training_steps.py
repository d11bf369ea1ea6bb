"""A step of training in its parts, as measured: what the backward pass takes beside the forward pass."""

from __future__ import annotations

import pandas as pd

from cohort.display.words import running, significant
from cohort.registry.measured import FIRST, DeviceRun, device_rows

PARTS = ("forward", "forward and backward", "step with optimiser")


def training_parts(run: str = FIRST) -> tuple[DeviceRun, pd.DataFrame]:
    """Return the parts of a step of training as measured on an accelerator.

    Parameters
    ----------
    run : str
        A run of the table ``device_runs``.

    Returns
    -------
    DeviceRun, DataFrame
        Of the run; and by part, each with those before it: ``time`` in ms, ``energy`` in J, and both as
        multiples of those of the forward pass, ``times`` and ``times energy``.

    Raises
    ------
    UnknownNameError
        If there is no such run.
    """
    about, rows = device_rows("training", run)
    found: dict[str, dict[str, float]] = {part: {} for part in PARTS}
    for row in rows:
        if row["quantity"] in ("time", "energy"):
            found[row["case"].rpartition(", ")[2]][row["quantity"]] = float(row["value"])
    table = pd.DataFrame.from_dict(found, orient="index")
    table["times"] = table["time"] / table["time"].iloc[0]
    table["times energy"] = table["energy"] / table["energy"].iloc[0]
    return about, table


def forward_beside_training(run: DeviceRun, parts: pd.DataFrame) -> str:
    """Return which part of a step of training a forward pass is, as measured.

    Parameters
    ----------
    run : DeviceRun
        What was measured, and when.
    parts : DataFrame
        As `training_parts` returns it.

    Returns
    -------
    str
        Markdown.
    """
    _, both, whole = (float(each) for each in parts["times"])
    energy = float(parts["times energy"].iloc[1])
    names = {"half": 1 / 2, "a third": 1 / 3, "a quarter": 1 / 4}
    nearest = min(names, key=lambda name: abs(names[name] - 1 / both))
    return running(
        f"Measured through blocks of Llama 3 8B on {run.accelerator} with PyTorch {run.torch} on {run.date}, "
        f"forward and backward pass together take {significant(both)} times as long as the forward pass "
        f"alone, and {significant(energy)} times its energy.",
        f"So the forward pass is nearest to {nearest} of both; with the optimiser a step takes "
        f"{significant(whole)} times as long.",
    )
