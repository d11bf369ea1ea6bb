"""Use beside making: after how many answers a model has emitted what its training did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cohort.architecture.decoder import ModelSpec
from cohort.architecture.registered import model as read_model
from cohort.architecture.registered import specs, title
from cohort.chapters.serving_footprint.published import DEEPSEEK, quoted_value
from cohort.chapters.serving_footprint.tables import WH, answer_of, central_footprint, measured_at, service_of
from cohort.footprint import answers
from cohort.footprint.accounts import Footprint
from cohort.footprint.published_runs import run_of
from cohort.footprint.training_runs import run_factors, run_footprint, training
from cohort.footprint.uncertainty import Spread, propagate
from cohort.registry import facts
from cohort.units import HOURS_PER_DAY

USUAL = "H100 SXM 80GB"  # what a training is taken to have run on where its makers do not say


def hours_of(spec: ModelSpec) -> tuple[str, float, str] | None:
    """Return the accelerator of a model's training, its hours and how they are known.

    Parameters
    ----------
    spec : ModelSpec
        The model.

    Returns
    -------
    tuple of (str, float, str) or None
        The hours are ``published``, or ``at most`` where a bound is; else ``estimated`` from six FLOP for
        each active parameter and token, at the median share of the peak of such runs. None where the tokens
        are not known either.
    """
    if not spec.registered:
        return None
    run = run_of(spec.name, USUAL)
    if run.hours is not None:
        return run.device.name, run.hours, "published"
    if run.at_most is not None:
        return run.device.name, run.at_most, "at most"
    hours = _hours_by_tokens(spec)
    return None if hours is None else (run.device.name, hours, "estimated")


def _hours_by_tokens(spec: ModelSpec) -> float | None:
    """Return the hours that follow from a model's tokens, None where these are not known."""
    run = run_of(spec.name, USUAL)
    if not run.tokens.known:
        return None
    return training(accelerator=run.device, model=spec, tokens=run.tokens.central).accelerator_hours


def footprint_of_making(spec: ModelSpec, boundary: str, grid: str) -> Footprint | None:
    """Return the footprint of a model's training.

    Parameters
    ----------
    spec : ModelSpec
        The model.
    boundary : str
        One of ``cohort.footprint.accounts.BOUNDARIES``.
    grid : str
        A place from ``cohort.grids()``.

    Returns
    -------
    Footprint or None
        None where the hours are not known.

    Raises
    ------
    UnknownNameError
        If there is no such boundary or grid.
    """
    found = hours_of(spec)
    if found is None:
        return None
    device, hours, _ = found
    return training(accelerator=device, accelerator_hours=hours, boundary=boundary, grid=grid)


@dataclass(frozen=True, slots=True)
class OwnMachines:
    """What a maker publishes of both sides: the hours of making, and the machines in use.

    Attributes
    ----------
    hours : float
        Accelerator hours of the final runs.
    devices : float
        Accelerators in service at a time.
    """

    hours: float
    devices: float

    @property
    def days(self) -> float:
        """Days after which use had taken as many accelerator hours as making."""
        return self.hours / (self.devices * HOURS_PER_DAY)


def machines_of_deepseek() -> OwnMachines:
    """Return the hours of making DeepSeek-V3 and R1, and the accelerators that served them.

    Its own numbers on both sides: the hours of the final runs of V3 and of R1 on H800, and the nodes of
    eight H800 in service on a day of February 2025. No power, grid or demand enters.

    Returns
    -------
    OwnMachines

    Examples
    --------
    >>> round(machines_of_deepseek().days)
    67
    """
    rows = [
        row
        for row in facts.rows("training_runs")
        if row["field"] == "accelerator_hours"
        and (row["model_or_run"], row["part"]) in {("deepseek-v3", "all"), ("deepseek-r1", "post-training")}
    ]
    nodes = quoted_value(DEEPSEEK, "nodes in service")
    return OwnMachines(sum(float(row["value"]) for row in rows), 8 * nodes)


def break_evens(
    models: Sequence[str], concurrency: int, answers_per_day: float, **request: Any
) -> pd.DataFrame:
    """Return when the use of models outweighs their making, both in the data centre.

    Parameters
    ----------
    models : sequence of str
        Names or paths.
    concurrency : int
        Answers that are written at once.
    answers_per_day : float
        Answers of the service in a day.
    **request
        ``accelerator``, ``input_tokens``, ``output_tokens`` and ``grid``.

    Returns
    -------
    DataFrame
        Per model whose training hours are known or follow from its tokens, and that the accelerators hold:
        ``hours`` and how they are ``known``, ``made`` in tonnes of CO2e, ``answer`` in grams, the ``answers``
        and the ``days`` until both are equal, and the answers if the model's ``development`` counts too.

    Raises
    ------
    UnknownNameError
        If there is no such model, accelerator or grid.
    """
    records = {}
    grid = request.get("grid", "USA")
    for spec in specs(models):
        found, hours = answer_of(spec, concurrency, **request), hours_of(spec)
        run, whole = (
            footprint_of_making(spec, boundary, grid) for boundary in ("facility", "with_development")
        )
        if found is None or hours is None or run is None or whole is None:
            continue
        service = service_of(spec, concurrency, **request)
        one, other = (
            central_footprint(service, boundary, grid) for boundary in ("facility", "with_embodied")
        )
        count = answers.break_even(run, one)
        records[title(spec)] = {
            "hours": hours[1],
            "known": hours[2],
            "made": run.co2e_kg / 1000,
            "answer": 1000 * one.co2e_kg,
            "answers": count,
            "days": count / answers_per_day,
            "with development": answers.break_even(whole, other),
        }
    columns = ["hours", "known", "made", "answer", "answers", "days", "with development"]
    return pd.DataFrame.from_dict(records, orient="index", columns=columns)


def measured_break_evens(
    models: Sequence[str], evens: pd.DataFrame, concurrency: int, **request: Any
) -> pd.Series:
    """Return when use outweighs making by measured answers, for the models that were measured.

    Parameters
    ----------
    models : sequence of str
        Names or paths.
    evens : DataFrame
        As `break_evens` returns it of the same models.
    concurrency, **request
        As `break_evens` takes them.

    Returns
    -------
    Series
        Answers by model; empty where none was measured so.
    """
    found = {}
    for spec in specs(models):
        if title(spec) in evens.index:
            service = service_of(spec, concurrency, **request)
            measured = measured_at(service)
            if measured is not None:
                terms = central_footprint(service, "facility", request.get("grid", "USA")).energy_kwh * WH
                found[title(spec)] = evens["answers"][title(spec)] * terms / measured
    return pd.Series(found, dtype=float)


def break_even_spread(
    model: str, concurrency: int, draws: int = 50_000, seed: int = 0, **request: Any
) -> Spread | None:
    """Return after how many answers use outweighs making, with its uncertainty.

    The grid and the data centre are the same for both, so that what they emit is of little weight. Hours of
    which a bound alone is known are drawn as those that follow from the tokens, and never above the bound.

    Parameters
    ----------
    model : str
        A name or path.
    concurrency : int
        Answers that are written at once.
    draws, seed : int
        Draws of each factor, and their seed.
    **request
        ``accelerator``, ``input_tokens``, ``output_tokens`` and ``grid``.

    Returns
    -------
    Spread or None
        Answers; None where the training hours are not known, or nothing but a bound of them is.

    Raises
    ------
    ParameterError
        If a number is out of range, or no group of accelerators holds the model.
    """
    spec, grid = read_model(model), request.get("grid", "USA")
    hours = hours_of(spec)
    if hours is None:
        return None
    _, most, known = hours
    followed = _hours_by_tokens(spec) if known == "at most" else most
    if followed is None:
        return None
    found, device = service_of(spec, concurrency, **request), run_of(spec.name, USUAL).device
    runs = run_factors(device, grid, "facility")
    uses = answers.answer_factors(found.device, grid, carried=found.carried)

    def ratio(**values: Any) -> Any:
        # Hours that follow from the tokens are as uncertain as the share of the peak that runs attain.
        scale = 1.0 if known == "published" else runs["mfu"].central / values["mfu"]
        drawn = np.minimum(followed * scale, most) if known == "at most" else followed * scale
        own, making = ({name: values[name] for name in names} for names in (uses, runs))
        made_kg = run_footprint("facility", device, (drawn, None), making).co2e_kg
        return made_kg / answers.answer_footprint("facility", found, own).co2e_kg

    return propagate(ratio, {**uses, **runs}, draws, seed)
