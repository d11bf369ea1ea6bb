"""Matrix products as an accelerator was measured to compute them, beside its peaks."""

from __future__ import annotations

import re

import pandas as pd

from cohort.architecture.dtypes import precision
from cohort.registry.devices import accelerator as find_accelerator
from cohort.registry.measured import FIRST, DeviceRun, device_rows
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
