"""Reported values that the model has to predict, beside its predictions, by what it may know of them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cohort.chapters.training_footprint.reports import models_together
from cohort.chapters.training_footprint.tables import low_median_high, run_title
from cohort.errors import CohortError
from cohort.footprint import audit
from cohort.footprint.accounts import BOUNDARIES
from cohort.footprint.audit import Published, published_rows
from cohort.footprint.factors import Range
from cohort.footprint.published_runs import (
    Run,
    run_rows,
    run_size,
    runs_with_hours,
    siblings,
    utilisation,
)
from cohort.footprint.scenarios import Scenario, modelled
from cohort.footprint.uncertainty import Spread
from cohort.registry import facts
from cohort.registry.devices import accelerator as find_accelerator

CLASSES = {
    "arithmetic": "all that is multiplied is published; this tests the ledger alone",
    "place": "hours and power are published; data centre, grid or water are drawn",
    "metered": "the energy was metered, and the hours are predicted from the runs of other makers",
    "blind": "only the total was published; everything is predicted",
    "hours": "the hours are predicted from the runs of other makers; models that were pruned and distilled "
    "took more than their own size explains, and count as misses",
}


# The classes in which hours, power or both are predicted.
PREDICTED = ("metered", "blind", "hours")


def accuracy(scenario: Scenario) -> pd.DataFrame:
    """Return every reported value that the model can predict at its own boundary, beside the prediction.

    Rows that contradict themselves are left out; what is derived or estimated is none. Of a run whose energy
    was metered the model is told its parameters and tokens and the accelerator. Its utilisation comes from
    other makers' runs alone, but the range of the power of accelerators rests on measurements of the same
    makers: the data hold no others. Elsewhere utilisation comes from all other runs.

    Parameters
    ----------
    scenario : Scenario
        What the reader asks.

    Returns
    -------
    DataFrame
        Per value: ``class``, a key of `CLASSES`; ``run``; ``amount``; ``reported``, ``low``, ``median`` and
        ``high`` in one unit; ``error``, median over reported less 1; and ``inside``, whether the reported
        value lies from low to high.

    Raises
    ------
    CohortError
        If a number of the scenario is out of range, or its grid is not known.

    Notes
    -----
    The models of one report share their draws: one maker's data centres, grid and machines.
    """
    questions = [*_arithmetic(), *_metered(), *_blind(), *_hours_known()]
    return pd.DataFrame([_answer(each, scenario) for each in questions])


def _answer(asked: _Question, scenario: Scenario) -> dict[str, object]:
    """Return a reported value beside the prediction of it."""
    multiplied = asked.kind == "arithmetic"
    found = [
        modelled(part, asked.boundary, scenario, dict(asked.known), asked.apply_pue, multiplied)
        for part in asked.parts
    ]
    values = sum(one.spread(asked.amount).values for one in found)
    levels = low_median_high(Spread(np.asarray(values), found[0].inputs), asked.unit)
    drawn = multiplied and levels["low"] < levels["high"]
    return {
        "class": "place" if drawn else asked.kind,
        "run": asked.run,
        "amount": asked.amount,
        "reported": asked.reported,
        **levels,
        "error": levels["median"] / asked.reported - 1,
        "inside": levels["low"] <= asked.reported <= levels["high"],
    }


def by_class(compared: pd.DataFrame) -> pd.DataFrame:
    """Return how well each class is met.

    Parameters
    ----------
    compared : DataFrame
        As `accuracy` returns it.

    Returns
    -------
    DataFrame
        Per class: ``values``; ``median error`` and ``widest error``, absolute, as fractions; and ``inside``,
        how many lie from the 5th to the 95th percentile, none in the class where nothing is drawn.
    """
    records = {}
    for kind in CLASSES:
        rows = compared[compared["class"] == kind]
        if len(rows):
            records[kind] = {
                "values": len(rows),
                "median error": float(rows["error"].abs().median()),
                "widest error": float(rows["error"].abs().max()),
                "inside": pd.NA if kind == "arithmetic" else int(rows["inside"].sum()),
            }
    return pd.DataFrame.from_dict(records, orient="index").rename_axis("class")


def range_coverage(compared: pd.DataFrame, kinds: Collection[str] = ("place", *PREDICTED)) -> float:
    """Return the share of reported values from the 5th to the 95th percentile.

    Parameters
    ----------
    compared : DataFrame
        As `accuracy` returns it.
    kinds : collection of str
        Keys of `CLASSES`.

    Returns
    -------
    float
        Of the values of these classes, from 0 to 1.
    """
    return float(compared[compared["class"].isin(kinds)]["inside"].mean())


# Questions --------------------------------------------------------------------------------------------------

_AMOUNT_OF = {"energy_kwh": ("energy_kwh", 1.0), "co2e_t": ("co2e_kg", 1e3), "water_l": ("water_l", 1.0)}


def _accelerators() -> set[str]:
    return {row["name"] for row in facts.rows("accelerators")}


@dataclass(frozen=True, slots=True)
class _Question:
    """A reported value, and what the model may know when it predicts it."""

    kind: str
    run: str
    amount: str
    unit: float
    reported: float
    boundary: str
    apply_pue: bool
    parts: tuple[Run, ...]
    known: tuple[tuple[str, float | Range | None], ...]


def _question(
    kind: str, row: Published, parts: tuple[Run, ...], known: dict[str, float | Range | None]
) -> _Question:
    amount, unit = _AMOUNT_OF[row.field]
    told = tuple(known.items())
    return _Question(
        kind, run_title(row.run), amount, unit, row.value, row.boundary, row.pue_applied, parts, told
    )


def _footprint_rows() -> list[Published]:
    """Return the published energies, emissions and water of runs that do not contradict themselves."""
    bad = {each.published for each in audit.contradictions()}
    narrow = BOUNDARIES[: BOUNDARIES.index("facility") + 1]
    return [
        row
        for row in published_rows()
        if row.field in _AMOUNT_OF and row.boundary in narrow and row.status == "stated" and row not in bad
    ]


def _values_of(name: str, part: str) -> dict[str, float]:
    """Return the published numbers of a run by field, those of a part before those of the whole."""
    rows = [row for row in published_rows() if row.run == name]
    return {row.field: row.value for own in ("", part) for row in rows if row.part == own}


def _told(row: Published, values: dict[str, float]) -> dict[str, float | Range | None]:
    """Return what a report says of its data centre and its grid."""
    grid = values.get("grid_g_per_kwh")
    if grid is None and row.basis == "location":
        used = [float(each["value"]) for each in facts.rows("grids") if each["source"] == row.source]
        grid = used[0] if len(used) == 1 else None
    return {"pue": values.get("pue"), "grid_g_per_kwh": grid}


def _arithmetic() -> list[_Question]:
    """Return the reports whose hours and power are published, so that they are a multiplication."""
    questions = []
    for row in _footprint_rows():
        values = _values_of(row.run, row.part)
        hours = values.get("accelerator_hours")
        if hours is None and {"accelerator_count", "training_days"} <= values.keys():
            hours = values["accelerator_count"] * values["training_days"] * 24
        near = "node" if row.boundary == "facility" else row.boundary
        power = _power_w(row, near)
        device = run_rows(row.run).get("accelerator", {}).get("value")
        if hours is None or not (power or (near == "accelerator_tdp" and device)):
            continue
        chip = find_accelerator(device if device in _accelerators() else STAND_IN)
        known = _told(row, values) | {"power_w": power or chip.tdp_w}
        run = Run(row.run, chip, True, hours, None, 1.0, Range.exact(1.0, "tokens"))
        questions.append(_question("arithmetic", row, (run,), known))
    return questions


# Where hours and power are published, the accelerator decides nothing: this stands in for one not known.
STAND_IN = "H100 SXM 80GB"


def _power_w(row: Published, boundary: str) -> float | None:
    """Return the published power at a boundary: of the same part, or else of the whole run."""
    found = [
        each
        for each in published_rows()
        if (each.run, each.field, each.boundary) == (row.run, "power_w", boundary)
    ]
    for part in (row.part, ""):
        same = {each.value for each in found if each.part == part}
        if len(same) > 1:
            raise CohortError(f"{row.run} has {len(same)} published powers at {boundary!r}; one is needed")
        if same:
            return same.pop()
    return None


def _metered() -> list[_Question]:
    """Return the metered energies of accelerators, as far as the tokens of the run are known.

    CO2e and water that were computed from them are no news, nor is the energy with the losses on top.
    """
    questions = []
    for row in _footprint_rows():
        metered = (row.field, row.boundary, row.pue_applied) == ("energy_kwh", "accelerator", False)
        run = _sized(row.run) if metered else None
        if run is not None:
            known: dict[str, float | Range | None] = {
                "mfu": utilisation(run.device, without=siblings(row.run))
            }
            questions.append(_question("metered", row, (run,), known))
    return questions


def _sized(name: str) -> Run | None:
    """Return a run by its parameters, tokens and accelerator; None where one of them is not known."""
    rows = run_rows(name)
    active, tokens = run_size(name, rows)
    device = rows.get("accelerator")
    if active is None or tokens is None or device is None:
        return None
    chip = find_accelerator(device["value"])
    return Run(name, chip, True, None, None, active, Range.exact(tokens, "tokens"))


def _blind() -> list[_Question]:
    """Return the reports from meters of which neither hours, power nor energy are published."""
    questions = []
    together = models_together()
    for row in _footprint_rows():
        parts = tuple(run for name in together.get(row.run, ()) if (run := _sized(name)))
        if parts:
            questions.append(_question("blind", row, parts, {}))
    return questions


def _hours_known() -> list[_Question]:
    """Return the runs whose hours are published, each to be predicted from those of other makers."""
    questions = []
    for name in dict.fromkeys(runs_with_hours()):
        run = _sized(name) if run_rows(name).get("accelerator_hours") else None
        if run is not None:
            hours = float(run_rows(name)["accelerator_hours"]["value"])
            known: dict[str, float | Range | None] = {"mfu": utilisation(run.device, without=siblings(name))}
            questions.append(
                _Question(
                    "hours",
                    run_title(name),
                    "accelerator_hours",
                    1.0,
                    hours,
                    "accelerator_tdp",
                    False,
                    (run,),
                    tuple(known.items()),
                )
            )
    return questions
