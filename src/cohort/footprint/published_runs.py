"""Training runs as their makers published them: hours, power, tokens, and the utilisation that follows."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from math import exp, log, sqrt
from statistics import median, stdev

from cohort.architecture.decoder import ModelSpec
from cohort.architecture.registered import group, title
from cohort.architecture.registered import model as read_model
from cohort.footprint.accounts import at_least
from cohort.footprint.audit import published_rows
from cohort.footprint.factors import Range, assessed
from cohort.footprint.factors import mfu as usual_mfu
from cohort.footprint.uncertainty import Z95
from cohort.registry import facts
from cohort.registry.devices import Accelerator, sixteen_bit_type
from cohort.registry.devices import accelerator as find_accelerator

# Runs -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Run:
    """What is known of a training run.

    Attributes
    ----------
    name : str
        What the run is called.
    device : Accelerator
        What it ran on.
    device_known : bool
        Whether its makers say so.
    hours : float, optional
        Accelerator hours that are published or follow from what is; None where they have to be estimated.
    at_most : float, optional
        A published upper bound of the hours.
    active : float
        Parameters that each token passes through.
    tokens : Range
        Tokens of the training: one value where they are known.
    reported_t : float, optional
        CO2e that its makers report, in t.
    boundary : str
        The boundary of that report; empty where nothing is reported.
    pue_applied : bool
        Whether that report counts the losses of the data centre.
    powers : tuple of (str, float)
        Published mean power of one accelerator in W, by the boundary that it was measured at.
    told : tuple of (str, float)
        What its makers say of the data centre and the grid of the run, by the names of the factors.
    """

    name: str
    device: Accelerator
    device_known: bool
    hours: float | None
    at_most: float | None
    active: float
    tokens: Range
    reported_t: float | None = None
    boundary: str = ""
    pue_applied: bool = False
    powers: tuple[tuple[str, float], ...] = ()
    told: tuple[tuple[str, float], ...] = ()

    @property
    def flop(self) -> float:
        """Six FLOP for each active parameter and token, at the central number of tokens."""
        return 6 * self.active * self.tokens.central

    @property
    def assessed(self) -> bool:
        """Whether the data hold a range for making what it ran on; others are given that of an H100."""
        return assessed(self.device)

    @property
    def floor(self) -> float:
        """The share of the peak below which the run would exceed the upper bound of its hours; 0 without one.

        An accelerator that could not keep within the bound at its peak is not what the run was on: 0 as well.
        """
        if self.at_most is None or not self.tokens.known:
            return 0.0
        peak = self.device.peak(sixteen_bit_type(self.device))
        share = self.flop / (peak * 3600 * self.at_most)
        return share if share < 1 else 0.0

    def power(self, boundary: str) -> float | None:
        """Return the published power at a boundary: that of the node from there on."""
        near = "node" if at_least(boundary, "node") else boundary
        return dict(self.powers).get(near)


def run_rows(name: str) -> dict[str, dict[str, str]]:
    """Return the rows of a run that belong to no part of it, or to its pre-training, by field."""
    rows = [row for row in facts.rows("training_runs") if row["model_or_run"] == name and row["value"]]
    parts = ("pre-training", "final run", "")  # the later overrides the earlier
    return {row["field"]: row for part in parts for row in rows if row["part"] == part}


def tokens_of(spec: ModelSpec) -> Range:
    """Return the training tokens of a model, or where they are undisclosed those of the cohort.

    Then they lie between the fewest and the most that a model of the cohort is known to have seen.
    """
    fact = facts.of_model(spec.name).get("training_tokens") if spec.registered else None
    if fact is not None and fact.number:
        return Range.exact(float(fact.number), "tokens")
    found = [facts.of_model(name)["training_tokens"].number for name in group("cohort")]
    known = [float(number) for number in found if number]
    return Range(min(known), median(known), max(known), "tokens")


def run_of(model: str, accelerator: str) -> Run:
    """Return what is known of a model's training.

    Parameters
    ----------
    model : str
        A name from ``cohort.models()``, or a path.
    accelerator : str
        What it is taken to have run on where its makers do not say.
    """
    spec = read_model(model)
    rows = run_rows(spec.name) if spec.registered else {}
    stated = rows.get("accelerator", {}).get("value")
    known = stated if stated in {row["name"] for row in facts.rows("accelerators")} else None
    tokens = tokens_of(spec)
    hours = rows.get("accelerator_hours")
    bound = hours is not None and hours["note"].startswith("upper bound")
    count = float(hours["value"]) if hours else _hours_from(rows, tokens)
    reported = rows.get("co2e_t", {})
    return Run(
        name=title(spec),
        device=find_accelerator(known or accelerator),
        device_known=known is not None,
        hours=None if bound else count,
        at_most=count if bound else None,
        active=spec.active_parameters,
        tokens=tokens,
        reported_t=float(reported["value"]) if reported else None,
        boundary=reported.get("boundary", ""),
        pue_applied=reported.get("pue_applied") == "yes",
        powers=_powers(spec.name) if spec.registered else (),
        told=tuple(
            (field, float(rows[field]["value"])) for field in ("pue", "grid_g_per_kwh") if field in rows
        ),
    )


def _hours_from(rows: dict[str, dict[str, str]], tokens: Range) -> float | None:
    """Return hours that follow from accelerators and days, or from a rate and the tokens."""
    if {"accelerator_count", "training_days"} <= rows.keys():
        return float(rows["accelerator_count"]["value"]) * float(rows["training_days"]["value"]) * 24
    rate = rows.get("accelerator_hours_per_trillion_tokens")
    return float(rate["value"]) * tokens.central / 1e12 if rate and tokens.known else None


def _powers(name: str) -> tuple[tuple[str, float], ...]:
    """Return the measured powers of a run by boundary; the rated one is a fact of the accelerator."""
    return tuple(
        (row.boundary, row.value)
        for row in published_rows()
        if (row.run, row.field) == (name, "power_w")
        and row.boundary in ("accelerator", "node")
        and row.part in ("", "pre-training")
    )


# Utilisation ------------------------------------------------------------------------------------------------


# An H800 is an H100 whose links were cut.
_SAME = {"H100": "H100, H800", "H800": "H100, H800"}


def _family(device: Accelerator) -> str:
    family = device.name.split()[0]
    return _SAME.get(family, family)


@lru_cache(maxsize=2)
def known_utilisations(modified: int) -> dict[str, tuple[str, float]]:
    """Return, per run with published hours, the family of its accelerator and the share of its peak."""
    found = {}
    for name in dict.fromkeys(row["model_or_run"] for row in facts.rows("training_runs")):
        rows = run_rows(name)
        hours, device = rows.get("accelerator_hours"), rows.get("accelerator")
        if not hours or not device or hours["note"].startswith("upper bound"):
            continue
        active, tokens = run_size(name, rows)
        if active and tokens:
            chip = find_accelerator(device["value"])
            peak = chip.peak(sixteen_bit_type(chip))
            share = 6 * active * tokens / (float(hours["value"]) * 3600 * peak)
            found[name] = (_family(chip), share)
    return found


def run_size(name: str, rows: dict[str, dict[str, str]]) -> tuple[float | None, float | None]:
    """Return the active parameters and the tokens of a run."""
    if name in facts.config_names():
        tokens = facts.of_model(name).get("training_tokens")
        return read_model(name).active_parameters, float(tokens.number) if tokens and tokens.number else None
    active, seen = rows.get("active_parameters"), rows.get("tokens")
    return (float(active["value"]) if active else None, float(seen["value"]) if seen else None)


_ENOUGH = 5  # runs from which a spread is taken


def siblings(name: str) -> frozenset[str]:
    """Return the runs of the same makers whose utilisation is known, by the first word of their names."""
    maker = re.match(r"[a-z]*", name.casefold())
    known = known_utilisations(facts.modified("training_runs"))
    return frozenset(each for each in known if re.match(r"[a-z]*", each.casefold())[0] == maker[0])  # type: ignore[index]


def utilisation(device: Accelerator, without: Collection[str] = ()) -> Range:
    """Return the share of the peak that a run on an accelerator attains, as other runs on its like did.

    Parameters
    ----------
    device : Accelerator
        The accelerator.
    without : collection of str
        Runs that are left out, so that they can be predicted from the others.

    Returns
    -------
    Range
        Lognormal: the geometric mean of the others, and bounds between which nine tenths of further runs
        are expected, the number of runs that it rests on considered. With fewer than five runs, what the
        table of factors has.
    """
    known = known_utilisations(facts.modified("training_runs"))
    logs = [
        log(share)
        for name, (family, share) in known.items()
        if family == _family(device) and name not in without
    ]
    if len(logs) < _ENOUGH:
        return usual_mfu(device)
    centre, spread = sum(logs) / len(logs), Z95 * stdev(logs) * sqrt(1 + 1 / len(logs))
    ends = (exp(centre - spread), exp(centre), min(exp(centre + spread), 1.0))
    return Range(*ends, "fraction", usual_mfu(device).sources, shape="lognormal")
