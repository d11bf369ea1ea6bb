"""Calibration: the measured energies that the model of energy was fitted to, the fit, and its errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import NamedTuple

from cohort.architecture.dtypes import precision
from cohort.architecture.registered import model as read_model
from cohort.errors import extras
from cohort.errors.arguments import explain
from cohort.footprint.carried import coefficients_on
from cohort.footprint.energy import TERMS, Coefficients, narrow_experts, read_by_mixture
from cohort.registry import facts
from cohort.registry.devices import as_accelerator
from cohort.serving.roofline import weights_read
from cohort.units import GB

with extras():
    import numpy as np

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
    narrow_experts : int
        Experts of all layers, where they are in eight bits or fewer; else 0.
    """

    model: str
    accelerator: str
    source: str
    accelerators: int
    concurrency: float
    read_gb: float
    multiplied_gb: float
    value: float
    narrow_experts: int = 0

    def joules(self, found: Coefficients | None = None) -> float:
        """Return what the model of energy gives.

        Parameters
        ----------
        found : Coefficients, optional
            Other coefficients than those of the data on its accelerator.

        Returns
        -------
        float
            J for an output token.
        """
        return (found or coefficients_on(as_accelerator(self.accelerator))).joules(
            self.accelerators, self.concurrency, self.read_gb, self.multiplied_gb, self.narrow_experts
        )


class Prediction(NamedTuple):
    """A measured energy of an output token beside a predicted one.

    Attributes
    ----------
    model : str
        As the source calls it.
    accelerators : int
        Accelerators that share it.
    concurrency : float
        Requests in a step, on average.
    measured, predicted : float
        J for an output token.
    ratio : float
        Predicted over measured.
    """

    model: str
    accelerators: int
    concurrency: float
    measured: float
    predicted: float
    ratio: float


def measured_energies(use: str, metric: str = "energy_per_output_token") -> list[Measured]:
    """Return the measured energies of one use whose concurrency is known.

    Parameters
    ----------
    use : str
        ``calibrate`` or ``test``, as the table `inference_energy` has it.
    metric : str
        What was measured.

    Returns
    -------
    list of Measured
        In the order of the table.

    Examples
    --------
    >>> len(measured_energies("test"))
    5
    """
    rows = [row for row in facts.rows("inference_energy") if row["use"] == use and row["metric"] == metric]
    return [_measured(row) for row in rows if row["concurrency"]]


def _measured(row: dict[str, str]) -> Measured:
    requests = float(row["concurrency"])
    width = precision(row["weight_dtype"]).bytes_per_element / GB
    read, multiplied = _weights(row, round(requests))
    return Measured(
        row["model"],
        row["accelerator"],
        row["source"],
        int(row["accelerators"]),
        requests,
        read * width,
        multiplied * width,
        float(row["value"]),
        narrow_experts(read_model(row["same_shape_as"]), row["weight_dtype"]) if row["same_shape_as"] else 0,
    )


def _weights(row: dict[str, str], requests: int) -> tuple[float, float]:
    """Return the weights that a step reads, and those that one token is multiplied with."""
    if row["same_shape_as"]:
        spec = read_model(row["same_shape_as"])
        return weights_read(spec, requests), float(spec.matmul_parameters)
    parameters, active = float(row["parameters"]), float(row["active_parameters"])
    experts = int(row["experts"] or 1), int(row["active_experts"] or 1)
    return read_by_mixture(parameters, active, *experts, requests), active


# The fit ----------------------------------------------------------------------------------------------------

_NONE = Coefficients(0, 0, 0, 0, PROMPT, CONTEXT, 1)
_UNITS = [
    replace(_NONE, step=1),
    replace(_NONE, read=1),
    replace(_NONE, multiply=1),
    replace(_NONE, token=1),
    replace(_NONE, expert=1),
]  # in the order of TERMS


def fit_coefficients(rows: Sequence[Measured]) -> Coefficients:
    """Return the coefficients of least squares of the relative errors that are at least 0, to three digits.

    Of all choices of terms that may be above 0, the best whose terms all are is the solution.

    Parameters
    ----------
    rows : sequence of Measured
        At least as many as there are terms.

    Returns
    -------
    Coefficients
        With the prompt, the context and the answer that they count in.

    See Also
    --------
    leave_one_out : How far the fit is from models that it has not seen.
    """
    matrix = np.array([[each.joules(unit) / each.value for unit in _UNITS] for each in rows])
    best = np.zeros(len(TERMS))
    least = float(len(rows))
    for size in range(1, len(TERMS) + 1):
        for chosen in combinations(range(len(TERMS)), size):
            columns = list(chosen)
            values = np.linalg.lstsq(matrix[:, columns], np.ones(len(rows)), rcond=None)[0]
            missed = float(((matrix[:, columns] @ values - 1) ** 2).sum())
            if (values >= 0).all() and missed < least:
                best, least = np.zeros(len(TERMS)), missed
                best[columns] = values
    step, read, multiply, token, expert = (float(f"{value:.{DIGITS}g}") for value in best)
    return Coefficients(step, read, multiply, token, PROMPT, CONTEXT, mean_answer()[0], expert)


def mean_answer() -> tuple[float, int]:
    """Return the mean length of the answers fitted to, in whole tokens, and how many rows state it."""
    rows = [row for row in facts.rows("inference_energy") if row["use"] == "calibrate"]
    lengths = [float(row["output_tokens"]) for row in rows if row["output_tokens"]]
    return float(round(np.mean(lengths))), len(lengths)


def leave_one_out() -> list[Prediction]:
    """Return each measured energy beside the prediction from the other models alone."""
    rows = measured_energies("calibrate")
    found = []
    for model in dict.fromkeys(each.model for each in rows):
        others = fit_coefficients([each for each in rows if each.model != model])
        found += [_beside(each, others) for each in rows if each.model == model]
    return found


def _beside(each: Measured, found: Coefficients) -> Prediction:
    predicted = each.joules(found)
    return Prediction(
        each.model, each.accelerators, each.concurrency, each.value, predicted, predicted / each.value
    )


explain(__name__)
