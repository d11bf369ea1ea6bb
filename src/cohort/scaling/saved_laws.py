"""Laws as JSON: what a fit writes, and `cohort.law` reads."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

from cohort.errors import ParameterError, one_of
from cohort.errors.arguments import explain
from cohort.errors.files import file_text
from cohort.scaling import other_laws
from cohort.scaling.dense_laws import ScalingLaw
from cohort.scaling.laws_in_general import Law

UNITS = {"loss": "nats per token", "parameters": "parameters", "tokens": "tokens", "flop": "FLOP"}
KINDS: dict[str, type[Any]] = {
    each.form: each
    for each in (
        ScalingLaw,
        other_laws.CoupledLaw,
        other_laws.KaplanLaw,
        other_laws.OvertrainingLaw,
        other_laws.FarseerLaw,
        other_laws.ComputeLaw,
        other_laws.RepeatedLaw,
        other_laws.OverfittingLaw,
        other_laws.PrecisionLaw,
    )
}


def saved(law: Law) -> dict[str, Any]:
    """Return a law as plain values.

    Parameters
    ----------
    law : Law
        The law.

    Returns
    -------
    dict
        ``form``, ``coefficients`` and ``units``.
    """
    return {"form": law.form, "coefficients": law.coefficients(), "units": UNITS}


def read_law(path: str | Path) -> Law:
    """Return a law that was saved as JSON.

    Parameters
    ----------
    path : str or Path
        The file, as `cohort.fitting.Fit.save` or ``cohort fit --json`` writes it.

    Returns
    -------
    Law
        Of the class of its form.

    Raises
    ------
    ParameterError
        If the file cannot be read, or holds no law.
    UnknownNameError
        If there is no such form.
    """
    try:
        record = json.loads(file_text(path))
    except OSError as error:
        raise ParameterError(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise ParameterError(f"{path} is not JSON") from None
    record = record.get("law", record) if isinstance(record, dict) else {}
    values = record.get("coefficients") if isinstance(record, dict) else None
    if not isinstance(values, dict) or not isinstance(record.get("form"), str):
        raise ParameterError(f"{path} holds no law: it needs a form and its coefficients")
    kind = KINDS[one_of("form of a law", record["form"], KINDS)]
    try:
        law: Law = kind(**values)
    except TypeError:
        needed = ", ".join(each.name for each in fields(kind))
        raise ParameterError(
            f"{path}: a law of the form {record['form']!r} has the numbers {needed}"
        ) from None
    return law


explain(__name__)
