"""The measured energies of answers that the model of serving was fitted to, and the fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

from cohort.architecture.dtypes import precision
from cohort.architecture.registered import model as read_model
from cohort.errors import extras
from cohort.footprint.energy import GB, Coefficients, coefficients, read_by_mixture
from cohort.registry import facts
from cohort.serving.roofline import weights_read

with extras():
    import numpy as np
    import pandas as pd

DIGITS = 3  # of the coefficients


# Prompts of the measured chats are not published. What so short a prompt, and the cache of it and of half an
# answer of twice that length take, is left to the coefficients.
PROMPT, CONTEXT = 256, 512


@dataclass(frozen=True, slots=True)
class Measured:
    """A measured energy of an output token.

    Attributes
    ----------
    model, accelerator, source : str
        As in the table `inference_energy`; the model by the source's name.
    accelerators : int
        Accelerators that share the model.
    concurrency : float
        Requests in a step, on average.
    read_gb, multiplied_gb : float
        Weights that the step reads, and that one token is multiplied with, in GB.
    value : float
        What the accelerators drew for an output token, in J.
    """

    model: str
    accelerator: str
    source: str
    accelerators: int
    concurrency: float
    read_gb: float
    multiplied_gb: float
    value: float

    def joules(self, found: Coefficients | None = None) -> float:
        """Return what the model of energy gives, in J."""
        return (found or coefficients()).joules(
            self.accelerators, self.concurrency, self.read_gb, self.multiplied_gb
        )


def measured_energies(use: str, metric: str = "energy_per_output_token") -> list[Measured]:
    """Return the measured energies of one use, ``calibrate`` or ``test``, whose concurrency is known."""
    rows = [row for row in facts.rows("inference_energy") if row["use"] == use and row["metric"] == metric]
    return [_measured(row) for row in rows if row["concurrency"]]


def _measured(row: dict[str, str]) -> Measured:
    width = precision(row["weight_dtype"]).bytes_per_element / GB
    requests = round(float(row["concurrency"]))
    if row["same_shape_as"]:
        spec = read_model(row["same_shape_as"])
        read, multiplied = weights_read(spec, requests), float(spec.matmul_parameters)
    else:
        sizes = float(row["parameters"]), float(row["active_parameters"])
        read = read_by_mixture(*sizes, int(row["experts"] or 1), int(row["active_experts"] or 1), requests)
        multiplied = sizes[1]
    return Measured(
        row["model"],
        row["accelerator"],
        row["source"],
        int(row["accelerators"]),
        float(row["concurrency"]),
        read * width,
        multiplied * width,
        float(row["value"]),
    )


# Calibration ------------------------------------------------------------------------------------------------

_NONE = Coefficients(0, 0, 0, 0, PROMPT, CONTEXT, 1)


_UNITS = [replace(_NONE, step=1), replace(_NONE, read=1), replace(_NONE, multiply=1), replace(_NONE, token=1)]


def fitted(rows: Sequence[Measured]) -> Coefficients:
    """Return the coefficients of least squares of the relative errors that are at least 0, to three digits.

    Of all choices of terms that may be above 0, the best whose terms all are is the solution.
    """
    matrix = np.array([[each.joules(unit) / each.value for unit in _UNITS] for each in rows])
    best = np.zeros(4)
    least = float(len(rows))
    for size in range(1, 5):
        for chosen in combinations(range(4), size):
            columns = list(chosen)
            values = np.linalg.lstsq(matrix[:, columns], np.ones(len(rows)), rcond=None)[0]
            missed = float(((matrix[:, columns] @ values - 1) ** 2).sum())
            if (values >= 0).all() and missed < least:
                best, least = np.zeros(4), missed
                best[columns] = values
    step, read, multiply, token = (float(f"{value:.{DIGITS}g}") for value in best)
    return Coefficients(step, read, multiply, token, PROMPT, CONTEXT, measured_answer()[0])


def measured_answer() -> tuple[float, int]:
    """Return the mean length, in whole tokens, of the answers fitted to, and how many rows state it."""
    rows = [row for row in facts.rows("inference_energy") if row["use"] == "calibrate"]
    lengths = [float(row["output_tokens"]) for row in rows if row["output_tokens"]]
    return float(round(np.mean(lengths))), len(lengths)


def leave_one_out() -> pd.DataFrame:
    """Return each measured energy beside the prediction from the other models alone.

    Returns
    -------
    DataFrame
        ``model``, ``accelerators``, ``concurrency``, ``measured`` and ``predicted`` in J an output token, and
        their ``ratio``.
    """
    rows = measured_energies("calibrate")
    records = []
    for model in dict.fromkeys(each.model for each in rows):
        others = fitted([each for each in rows if each.model != model])
        records += [_beside(each, others) for each in rows if each.model == model]
    return pd.DataFrame(records)


def _beside(each: Measured, found: Coefficients | None = None) -> dict[str, Any]:
    predicted = each.joules(found)
    return {
        "model": each.model,
        "accelerators": each.accelerators,
        "concurrency": each.concurrency,
        "measured": each.value,
        "predicted": predicted,
        "ratio": predicted / each.value,
    }
