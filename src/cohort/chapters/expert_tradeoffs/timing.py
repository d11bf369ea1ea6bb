"""How long a layer of experts takes on one device: grouped products as measured, beside experts read."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from cohort.architecture.registered import model as read_model
from cohort.chapters.expert_tradeoffs.sizes import experts_of
from cohort.errors import CohortError
from cohort.experts.closed_form import coverage
from cohort.numeric import least_squares
from cohort.registry import facts
from cohort.registry.devices import accelerator as find_accelerator

RUN, DEVICE, DTYPE, BYTES = "h100-1", "H100 SXM 80GB", "bf16", 2
# What was measured: the shape of whose experts, over how many devices each of them is split, and a label.
SHAPES = {
    "mixtral-8x7b": ("mixtral-8x7b-v0.1", 1, "Mixtral 8x7B"),
    "qwen3-30b-a3b": ("qwen3-30b-a3b", 1, "Qwen3 30B-A3B"),
    "deepseek-v3 tp8": ("deepseek-v3.2", 8, "DeepSeek-V3, an eighth"),
}


@dataclass(frozen=True, slots=True)
class LayerTime:
    """What a layer of experts takes: a fixed time, what it reads, and what it multiplies.

    Attributes
    ----------
    fixed_s : float
        Seconds that do not depend on the work.
    read : float
        Times as long as reading the weights at the bandwidth of the data sheet takes.
    multiplied : float
        Times as long as multiplying at the peak of the data sheet takes.
    """

    fixed_s: float
    read: float
    multiplied: float

    def seconds(self, read_s: float, multiplied_s: float) -> float:
        """Return the time of a layer.

        Parameters
        ----------
        read_s, multiplied_s : float
            Seconds that reading and multiplying take by the data sheet.

        Returns
        -------
        float
            Seconds.
        """
        return self.fixed_s + self.read * read_s + self.multiplied * multiplied_s


def measured_layers() -> pd.DataFrame:
    """Return the measured times of grouped products beside the data sheet.

    Returns
    -------
    DataFrame
        One row a shape and number of tokens: ``shape``, ``tokens``, ``experts`` of the layer, ``covered``,
        the experts that are expected to be read, ``seen``, those that were read, ``measured``, seconds, and
        ``read`` and ``multiplied``, what reading the expected experts and multiplying take at the rates of
        the data sheet.
    """
    every = facts.rows("device_measurements")
    rows = [row for row in every if (row["run"], row["group"]) == (RUN, "experts")]
    seen = {(r["case"], r["tokens"]): float(r["value"]) for r in rows if r["quantity"] == "experts read"}
    device = find_accelerator(DEVICE)
    records = []
    for row in rows:
        if row["quantity"] != "time":
            continue
        shape, tokens = row["case"], int(row["tokens"])
        name, devices, label = SHAPES[shape]
        spec = read_model(name)
        mixed = experts_of(spec)
        weights = mixed.expert_parameters(spec.hidden) / devices
        covered = coverage(mixed.count, mixed.active, tokens)
        records.append(
            {
                "shape": label,
                "tokens": tokens,
                "experts": mixed.count,
                "covered": covered,
                "seen": seen[shape, row["tokens"]],
                "measured": 1e-6 * float(row["value"]),
                "read": covered * weights * BYTES / device.bandwidth,
                "multiplied": 2 * mixed.active * weights * tokens / device.peak(DTYPE),
            }
        )
    if not records:
        raise CohortError(f"no grouped products of the run {RUN} are in the data")
    return pd.DataFrame(records)


def fitted(rows: pd.DataFrame) -> LayerTime:
    """Return the layer time that is nearest to measured ones, in relative terms.

    Parameters
    ----------
    rows : DataFrame
        As `measured_layers` returns them.

    Returns
    -------
    LayerTime
        By least squares. Each row is read at what was read in it.
    """
    read = rows["read"] * rows["seen"] / rows["covered"]
    parts = pd.DataFrame({"one": 1.0, "read": read, "multiplied": rows["multiplied"]})
    relative = parts.div(rows["measured"], axis=0)
    ones = [1.0] * len(rows)
    return LayerTime(*least_squares(relative.to_numpy().tolist(), ones, ones))


def layer_times() -> pd.DataFrame:
    """Return measured layers beside two predictions, each shape predicted from the other shapes.

    Returns
    -------
    DataFrame
        As `measured_layers` returns it, with ``bare``, coverage times the bandwidth of the data sheet alone,
        and ``predicted``, seconds of the `LayerTime` that is fitted to the other shapes, for the expected
        coverage; and ``error`` of the latter, relative.
    """
    rows = measured_layers()
    frames = []
    for shape, own in rows.groupby("shape", sort=False):
        law = fitted(rows[rows["shape"] != shape])
        said = [law.seconds(r, m) for r, m in zip(own["read"], own["multiplied"], strict=True)]
        frames.append(own.assign(bare=own["read"], predicted=said))
    found = pd.concat(frames)
    return found.assign(error=found["predicted"] / found["measured"] - 1)


def fixed_time() -> float:
    """Return the fixed time of a layer of experts, fitted to all measured shapes.

    Returns
    -------
    float
        Seconds.
    """
    return fitted(measured_layers()).fixed_s
