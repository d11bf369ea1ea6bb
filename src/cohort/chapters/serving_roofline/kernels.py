"""Kernels as accelerators were measured to run them, beside the peaks and beside what constants say."""

from __future__ import annotations

import re
from collections import defaultdict
from statistics import median

import pandas as pd

from cohort.architecture.dtypes import precision
from cohort.registry import facts
from cohort.registry.devices import accelerator as find_accelerator
from cohort.registry.measured import FIRST, DeviceRun, device_rows, device_run
from cohort.serving.attainment import attained
from cohort.serving.kernel_checks import device_cells
from cohort.units import SECONDS

SHAPE = re.compile(r"(\d+)x(\d+)$")


def measured_products(run: str = FIRST) -> tuple[DeviceRun, pd.DataFrame]:
    """Return the products of real layers that were measured, and what the peaks would allow.

    Parameters
    ----------
    run : str
        A run of the table ``device_runs``.

    Returns
    -------
    DeviceRun, DataFrame
        Of the run; and for each product: ``tokens``, ``type``, ``intensity`` in FLOP a byte, the ``rate`` and
        what is ``attainable`` in FLOP a second, and the ``share`` of that which was attained.

    Raises
    ------
    UnknownNameError
        If there is no such run.
    """
    about, rows = device_rows("product", run)
    device, records = find_accelerator(about.accelerator), []
    for row in rows:
        found = SHAPE.search(row["case"])
        assert found is not None, row["case"]
        wide, deep, tokens = int(found[1]), int(found[2]), int(row["tokens"])
        width = precision(row["dtype"]).bytes_per_element
        flops, moved = (
            2.0 * tokens * wide * deep,
            width * wide * deep + width * tokens * deep + 2 * tokens * wide,
        )
        seconds = float(row["value"]) * SECONDS[row["unit"]]
        attainable = min(device.peak(row["dtype"]), flops / moved * device.bandwidth)
        records.append(
            {
                "product": row["case"],
                "tokens": tokens,
                "type": row["dtype"],
                "intensity": flops / moved,
                "rate": flops / seconds,
                "attainable": attainable,
                "share": flops / seconds / attainable,
            }
        )
    return about, pd.DataFrame(records)


SHOWN = {"product": "products", "experts": "grouped experts", "prefill": "prompts", "step": "decode steps"}


def errors_by_run() -> pd.DataFrame:
    """Return how far the constants of kernels are off on each run, the one that they were fitted to first.

    Returns
    -------
    DataFrame
        One row a kind of what was timed and run: ``run``, ``timed``, ``accelerator``, ``date``, ``times``,
        and in percent the ``median`` of the absolute error and the ``bias``, which is below zero where the
        prediction is too fast.
    """
    constants, records = attained("kernels"), []
    for run in (row["run"] for row in facts.rows("device_runs")):
        about, errors = device_run(run), defaultdict[str, list[float]](list)
        for cell in device_cells(run):
            errors["step" if cell.step else cell.group].append(cell.predicted(constants) / cell.seconds - 1)
        records += [
            {
                "run": run,
                "timed": name,
                "accelerator": about.accelerator,
                "date": about.date,
                "times": len(errors[group]),
                "median": 100 * median(abs(error) for error in errors[group]),
                "bias": 100 * median(errors[group]),
            }
            for group, name in SHOWN.items()
            if errors[group]
        ]
    return pd.DataFrame(records)
