"""What is published of training runs beside what the ledger makes of them, as tables for readers.

A run is what is known of how a model was trained. What is not known of it is drawn from the ranges of the
data, so that every amount comes with its 5th, 50th and 95th percentile.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import exp, log, sqrt
from statistics import median, stdev
from typing import Any

import numpy as np
import pandas as pd

from cohort import facts
from cohort.book.say import significant
from cohort.configs import model as read_model
from cohort.footprint import BOUNDARIES, Footprint, Grid, Range, audit, training
from cohort.footprint import grid as find_grid
from cohort.footprint.audit import Published, published_rows
from cohort.footprint.factors import assessed, comparable, grid_factors
from cohort.footprint.factors import mfu as usual_mfu
from cohort.footprint.ledger import at_least
from cohort.footprint.runs import run_factors, run_footprint
from cohort.hardware import Accelerator
from cohort.hardware import accelerator as find_accelerator
from cohort.models import ModelSpec
from cohort.serving import sixteen_bit_type
from cohort.tables import DASH, group, specs, title
from cohort.uncertainty import Z95, Draws, Spread, sample

FULL = "with_embodied"
# The grid of reports that name no place: their makers' data centres are mostly there.
REPORTED_ON = "USA"
# The boundaries in words, from the narrowest to the widest.
WORDS = {
    "accelerator_tdp": "rated power of the accelerators",
    "accelerator": "what the accelerators draw",
    "node": "whole machines",
    "facility": "the data centre",
    "with_embodied": "and making the hardware",
    "with_development": "and all that was tried",
}

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


def _rows_of(name: str) -> dict[str, dict[str, str]]:
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
    rows = _rows_of(spec.name) if spec.registered else {}
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


def runs_of(models: Sequence[str], accelerator: str) -> list[Run]:
    """Return what is known of the training of each model, in the order given."""
    return [run_of(spec.name if spec.registered else name, accelerator) for spec, name in _named(models)]


def _named(models: Sequence[str]) -> list[tuple[ModelSpec, str]]:
    return list(zip(specs(models), dict.fromkeys(models), strict=True))


# Utilisation ------------------------------------------------------------------------------------------------


# An H800 is an H100 whose links were cut.
_SAME = {"H100": "H100, H800", "H800": "H100, H800"}


def _family(device: Accelerator) -> str:
    family = device.name.split()[0]
    return _SAME.get(family, family)


@lru_cache(maxsize=2)
def _utilisations(modified: int) -> dict[str, tuple[str, float]]:
    found = {}
    for name in dict.fromkeys(row["model_or_run"] for row in facts.rows("training_runs")):
        rows = _rows_of(name)
        hours, device = rows.get("accelerator_hours"), rows.get("accelerator")
        if not hours or not device or hours["note"].startswith("upper bound"):
            continue
        active, tokens = _size(name, rows)
        if active and tokens:
            chip = find_accelerator(device["value"])
            peak = chip.peak(sixteen_bit_type(chip))
            share = 6 * active * tokens / (float(hours["value"]) * 3600 * peak)
            found[name] = (_family(chip), share)
    return found


def _size(name: str, rows: dict[str, dict[str, str]]) -> tuple[float | None, float | None]:
    """Return the active parameters and the tokens of a run."""
    if name in facts.config_names():
        tokens = facts.of_model(name).get("training_tokens")
        return read_model(name).active_parameters, float(tokens.number) if tokens and tokens.number else None
    active, seen = rows.get("active_parameters"), rows.get("tokens")
    return (float(active["value"]) if active else None, float(seen["value"]) if seen else None)


def utilisations() -> pd.DataFrame:
    """Return the share of the peak that whole runs with published hours attained.

    Six FLOP for each active parameter and token over all accelerator hours at the dense 16-bit peak.

    Returns
    -------
    DataFrame
        Per run: ``family`` of its accelerator, such as A100, and ``mfu`` as a fraction, the highest first.
    """
    found = _utilisations(facts.modified("training_runs"))
    frame = pd.DataFrame.from_dict(found, orient="index", columns=["family", "mfu"]).rename_axis("run")
    frame.index = pd.Index([_titled(name) for name in frame.index], name="run")
    return frame.sort_values("mfu", ascending=False, kind="stable")


def _titled(name: str) -> str:
    return title(read_model(name)) if name in facts.config_names() else name


_ENOUGH = 5  # runs from which a spread is taken


def siblings(name: str) -> frozenset[str]:
    """Return the runs of the same makers whose utilisation is known, by the first word of their names."""
    maker = re.match(r"[a-z]*", name.casefold())
    known = _utilisations(facts.modified("training_runs"))
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
    known = _utilisations(facts.modified("training_runs"))
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


# Modelled ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Scenario:
    """What a reader asks: where, in which data centre, for how long the machines serve, and how many draws.

    Attributes
    ----------
    grid : str
        A place from ``cohort.grids()``.
    pue, lifetime_years : float
        Energy of the data centre over that of its machines, and years that these serve; 0 draws them from
        their ranges.
    draws, seed : int
        Draws of each input, and what they are seeded with.
    """

    grid: str = "USA"
    pue: float = 0.0
    lifetime_years: float = 0.0
    draws: int = 20_000
    seed: int = 0

    @property
    def known(self) -> dict[str, float | Range | None]:
        """What the reader gave, by the names of the factors."""
        return {"pue": self.pue or None, "lifetime_years": self.lifetime_years or None}


@dataclass(frozen=True, eq=False)
class Modelled:
    """A run with its uncertainty.

    Attributes
    ----------
    footprint : Footprint
        Its amounts are arrays, one value a draw.
    inputs : dict of str to array
        The draws of each input.
    """

    footprint: Footprint
    inputs: dict[str, Any]

    def spread(self, amount: str) -> Spread:
        """Return an amount of the footprint with its uncertainty, in the unit that its name says."""
        draws = len(next(iter(self.inputs.values())))
        values = np.broadcast_to(np.asarray(getattr(self.footprint, amount), dtype=float), (draws,))
        return Spread(values, self.inputs)


def modelled(
    run: Run,
    boundary: str,
    scenario: Scenario,
    known: dict[str, float | Range | None] | None = None,
    apply_pue: bool | None = None,
    as_published: bool = True,
) -> Modelled:
    """Return a run's footprint, drawn from all that is not known of it.

    Parameters
    ----------
    run : Run
        What is known.
    boundary : str
        One of `BOUNDARIES`.
    scenario : Scenario
        What the reader asks.
    known : mapping, optional
        What else is known, by the names of the factors; it goes before the scenario.
    apply_pue : bool, optional
        As in `cohort.footprint.training`.
    as_published : bool
        Whether the published hours are used; if not, they are estimated as if there were none.
    """
    own = {"mfu": utilisation(run.device), "power_w": run.power(boundary)} | scenario.known | (known or {})
    ranges = run_factors(run.device, scenario.grid, boundary, own)
    inputs = {name: each for name, each in ranges.items() if name != "mfu"}
    hours = run.hours if as_published else None
    if hours is None:
        inputs |= {"mfu": ranges["mfu"], "tokens": run.tokens}
    drawn = sample(inputs, scenario.draws, scenario.seed)
    if hours is None:
        drawn["mfu"] = _above(drawn["mfu"], run.floor)
    values: dict[str, Any] = {"mfu": ranges["mfu"].central, **drawn}
    flop = 6 * run.active * values.pop("tokens", 0.0)
    compute: tuple[Any, Any] = (None, flop) if hours is None else (hours, None)
    return Modelled(run_footprint(boundary, run.device, compute, values, apply_pue), drawn)


def _above(shares: Draws, floor: float) -> Draws:
    """Return draws of which those below a floor have been replaced with others that are not."""
    low = shares < floor
    if not low.any():
        return shares
    kept = shares[~low] if not low.all() else np.array([floor])
    found = shares.copy()
    found[low] = np.resize(kept, int(low.sum()))
    return found


def three(spread: Spread, unit: float = 1.0) -> dict[str, float]:
    """Return ``low``, ``median`` and ``high`` of a spread, its percentiles 5, 50 and 95, over a unit."""
    return {"low": spread.low / unit, "median": spread.median / unit, "high": spread.high / unit}


def environment(runs: Sequence[Run]) -> pd.DataFrame:
    """Return the post's environmental table anew.

    Returns
    -------
    DataFrame
        Per run: ``accelerator``, ``hours`` as published (with a status where they are a bound), ``rated
        power`` in W, ``reported`` t of CO2e, and ``compute`` in FLOP, from parameters and tokens; empty where
        nothing is published. A report that covers several models says so.
    """
    records = []
    for run in runs:
        records.append(
            {
                "model": run.name,
                "accelerator": run.device.name if run.device_known else DASH,
                "hours": _hours(run),
                "rated power (W)": int(run.device.tdp_w or 0) if run.device_known else pd.NA,
                "reported (t CO2e)": _reported(run),
                "compute (1e21 FLOP)": run.flop / 1e21 if run.tokens.known else None,
            }
        )
    return pd.DataFrame(records).set_index("model")


def _reported(run: Run) -> str:
    """Return what is reported of a run, or of several models together."""
    if run.reported_t is not None:
        return _plain(run.reported_t)
    for name, models in _TOGETHER.items():
        titles = [title(read_model(each)) for each in models]
        if run.name in titles:
            return f"{_plain(_together(name))}, all of {name}"
    return DASH


def _together(name: str) -> float:
    return next(row.value for row in published_rows() if (row.run, row.field) == (name, "co2e_t"))


def _hours(run: Run) -> str:
    if run.hours is not None:
        return f"{run.hours:,.0f}"
    return DASH if run.at_most is None else f"at most {run.at_most:,.0f}"


def reported_beside_modelled(runs: Sequence[Run], scenario: Scenario) -> pd.DataFrame:
    """Return what is reported beside the model, at the boundary of the report and at the full one.

    Returns
    -------
    DataFrame
        For each run with a report: ``reported`` t of CO2e and its ``boundary``; the model's ``low``,
        ``median`` and ``high`` there; ``agrees``, whether the report lies from low to high or, where nothing
        is drawn, within `audit.TOLERANCE`; and ``full low``, ``full median`` and ``full high`` with the data
        centre and the hardware.

    Notes
    -----
    At the boundary of the report, data centre and grid are those of the report: what it says of them, or
    else their ranges on `REPORTED_ON`. Only the full side follows the reader's grid and PUE.
    """
    records = []
    for run in runs:
        if run.reported_t is None:
            continue
        own = Scenario(REPORTED_ON, draws=scenario.draws, seed=scenario.seed)
        same = modelled(run, run.boundary, own, dict(run.told), run.pue_applied).spread("co2e_kg")
        full = modelled(run, FULL, scenario).spread("co2e_kg")
        levels = three(same, 1000)
        near = 0.0 if levels["low"] < levels["high"] else audit.TOLERANCE
        agrees = (1 - near) * levels["low"] <= run.reported_t <= (1 + near) * levels["high"]
        records.append(
            {"model": run.name, "reported": run.reported_t, "boundary": run.boundary}
            | levels
            | {"agrees": agrees}
            | {f"full {name}": value for name, value in three(full, 1000).items()}
        )
    columns = ["model", "reported", "boundary", *_THREE, "agrees", *(f"full {name}" for name in _THREE)]
    return pd.DataFrame(records, columns=columns).set_index("model")


_THREE = ("low", "median", "high")
AMOUNTS = {
    "accelerator_hours": ("hours (million)", 1e6),
    "energy_kwh": ("electricity (GWh)", 1e6),
    "co2e_kg": ("CO2e (t)", 1e3),
    "embodied_kg": ("hardware (t CO2e)", 1e3),
    "water_onsite_l": ("water on site (ML)", 1e6),
    "water_offsite_l": ("water off site (ML)", 1e6),
    "heat_kwh": ("heat (GWh)", 1e6),
}


def estimates(runs: Sequence[Run], scenario: Scenario, boundary: str = FULL) -> pd.DataFrame:
    """Return the percentiles of every amount of each run.

    Returns
    -------
    DataFrame
        Indexed by run; columns are pairs of an amount, a key of `AMOUNTS`, and ``low``, ``median``, ``high``,
        in the units that `AMOUNTS` names.
    """
    records = {}
    for run in runs:
        found = modelled(run, boundary, scenario)
        records[run.name] = {
            (amount, level): value
            for amount, (_, unit) in AMOUNTS.items()
            for level, value in three(found.spread(amount), unit).items()
        }
    return pd.DataFrame.from_dict(records, orient="index").rename_axis("model")


def written(frame: pd.DataFrame, amounts: Iterable[str]) -> pd.DataFrame:
    """Return amounts of `estimates` for readers: the median, and the range from low to high in brackets."""
    return pd.DataFrame(
        {AMOUNTS[amount][0]: [_range(row[amount]) for _, row in frame.iterrows()] for amount in amounts},
        index=frame.index,
    )


def span(values: pd.Series, digits: int = 2) -> str:
    """Return the least and the greatest of some values in words, or the one where both read alike."""
    ends = (significant(float(values.min()), digits), significant(float(values.max()), digits))
    return ends[0] if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"


def _range(row: pd.Series) -> str:
    low, middle, high = (_two(row[level]) for level in _THREE)
    return middle if low == high else f"{middle} ({low} to {high})"


def _two(value: float) -> str:
    """Return a number with two significant digits, three from a thousand on, never with an exponent."""
    digits = 3 if value >= 1000 else 2
    rounded = float(f"{value:.{digits}g}")
    return np.format_float_positional(rounded, trim="-") if 0 < rounded < 1e-3 else f"{rounded:,.10g}"


# What the widest shares are due to, in words.
INPUTS = {
    "mfu": "utilisation",
    "tokens": "training tokens",
    "grid_g_per_kwh": "grid",
    "power_w": "power of the machines",
    "pue": "losses of the data centre",
    "embodied_kg": "making the hardware",
    "lifetime_years": "life of the hardware",
    "use_share": "use of the hardware",
    "development": "all that was tried",
}


def leading(causes: pd.DataFrame) -> str:
    """Return what explains most of the variance of runs, as `drivers` returns it, joined in Markdown."""
    widest = dict.fromkeys(causes.idxmax(axis=1)) if len(causes.columns) else {}
    return "* or *".join(str(name) for name in widest) or "none"


def drivers(runs: Sequence[Run], scenario: Scenario, boundary: str = FULL) -> pd.DataFrame:
    """Return what the variance of each run's CO2e is due to.

    Runs of which the same is known, on the same accelerator, have the same shares and are one row.

    Returns
    -------
    DataFrame
        One row a run, or several with the first one's name and how many others; one column an input in
        words, in the order of `INPUTS`; first-order Sobol' indices in percent. What is missing to a hundred
        is due to inputs together.
    """
    alike: dict[tuple[tuple[str, float], ...], list[str]] = {}
    for run in runs:
        shares = _shares(run, scenario, boundary)
        alike.setdefault(tuple((name, round(share, 6)) for name, share in shares.items()), []).append(
            run.name
        )
    records = {
        _together_named(names): {INPUTS[name]: 100 * share for name, share in shares}
        for shares, names in alike.items()
    }
    frame = pd.DataFrame.from_dict(records, orient="index").rename_axis("model")
    return frame.reindex(columns=[name for name in INPUTS.values() if name in frame]).fillna(0.0)


def _together_named(names: Sequence[str]) -> str:
    others = len(names) - 1
    return names[0] if not others else f"{names[0]} and {others} other{'s' if others > 1 else ''}"


def _shares(run: Run, scenario: Scenario, boundary: str) -> dict[str, float]:
    found = modelled(run, boundary, scenario).spread("co2e_kg").shares()
    return {name: share for name, share in found.items() if name in INPUTS}


def ladder(run: Run, scenario: Scenario) -> pd.DataFrame:
    """Return one run's CO2e within each boundary, in t: ``low``, ``median``, ``high`` by the words for it.

    The losses of the data centre count from its boundary on.
    """
    rows = {WORDS[each]: three(modelled(run, each, scenario).spread("co2e_kg"), 1000) for each in BOUNDARIES}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("within")


# Places -----------------------------------------------------------------------------------------------------

# Twelve grids: nine of one table, and three regions of the United States by three methods.
PLACES = (
    "Sweden",
    "France",
    "Canada",
    "Germany",
    "USA",
    "World",
    "China",
    "India",
    "US-Virginia",
    "US-PJM",
    "US-CAISO",
    "US-Wyoming",
)
METHODS = {
    ("generation", "life_cycle"): "generated there, life cycle",
    ("consumption", "life_cycle"): "consumed there, life cycle",
    ("generation", "combustion"): "generated there, combustion alone",
    ("", ""): "method not stated",
}


def in_places(run: Run, scenario: Scenario, places: Sequence[str] = PLACES) -> pd.DataFrame:
    """Return the CO2e of one run's electricity on other grids, each by its default factor.

    Returns
    -------
    DataFrame
        Per place, the cleanest first: ``g/kWh``, ``year``, ``method`` in words, ``source``, and ``low``,
        ``median`` and ``high`` t of CO2e of the electricity in the data centre; the factor is taken as known.
    """
    energy = three(modelled(run, "facility", scenario).spread("energy_kwh"))
    records = {}
    for place in dict.fromkeys(places):
        found = find_grid(place)
        records[place] = _named_grid(found) | {
            level: kwh * found.g_per_kwh / 1e6 for level, kwh in energy.items()
        }
    frame = pd.DataFrame.from_dict(records, orient="index").rename_axis("grid")
    return frame.sort_values("g/kWh", kind="stable")


# Who made a factor, where the key of the source names only where it was read.
MAKERS = {
    "co2jsember": "Ember",
    "co2jselectricitymaps": "Electricity Maps",
    "ecologits": "Our World in Data, from Ember",
    "codecarbon": "eGRID",
    "touvron2023llama": "report on LLaMA",
    "patterson2021carbon": "Patterson et al.",
    "luccioni2022bloom": "report on BLOOM",
    "morrison2025holistic": "report on OLMo",
}


def _named_grid(found: Grid) -> dict[str, Any]:
    method, source = METHODS[found.method, found.scope], MAKERS.get(found.source, found.source)
    return {"g/kWh": found.g_per_kwh, "year": found.year, "method": method, "source": source}


def spread_over(place: str) -> str:
    """Return in words which factors the ledger's range of a place is the spread of."""
    default = find_grid(place)
    methods = sorted({each.method for each in comparable(default)} - {""}, reverse=True)
    return ", ".join(filter(None, [_SCOPES[default.scope], " and ".join(f"by {name}" for name in methods)]))


_SCOPES = {
    "life_cycle": "life-cycle factors",
    "combustion": "factors of combustion alone",
    "": "factors of no stated method",
}


def factors_of(place: str) -> pd.DataFrame:
    """Return every grid factor of a place: ``g/kWh``, ``method`` in words and ``source``, by year."""
    records = [_named_grid(found) for found in grid_factors(place)]
    return pd.DataFrame(records).set_index("year")


def markets() -> pd.DataFrame:
    """Return the runs whose makers report by market as well, beside the ledger.

    Returns
    -------
    DataFrame
        Per run, in t of CO2e: ``location`` and ``market`` as reported, and ``full location`` and ``full
        market`` with data centre and hardware, at central values, every kWh matched as the makers say; the
        latter two are empty where no accelerator is published.
    """
    rows = [row for row in facts.rows("training_runs") if row["field"] in ("co2e_t", "co2e_market_t")]
    bad = {(each.published.run, each.published.value) for each in audit.contradictions()}
    records: dict[str, dict[str, float]] = {}
    for row in rows:
        if row["value"] and (row["model_or_run"], float(row["value"])) not in bad and not row["part"]:
            name = "location" if row["field"] == "co2e_t" else "market"
            records.setdefault(row["model_or_run"], {})[name] = float(row["value"])
    both = {name: found for name, found in records.items() if len(found) == 2}
    for name, found in both.items():
        found |= _matched(name)
    frame = pd.DataFrame.from_dict(both, orient="index").rename_axis("run")
    frame.index = pd.Index([_titled(name) for name in frame.index], name="run")
    return frame.reindex(columns=["location", "market", "full location", "full market"])


def _matched(name: str) -> dict[str, float]:
    """Return the full footprint of a run with every kWh matched, by location and by market."""
    rows = _rows_of(name)
    if not {"accelerator", "accelerator_hours"} <= rows.keys():
        return {}
    found = training(
        accelerator=rows["accelerator"]["value"],
        accelerator_hours=float(rows["accelerator_hours"]["value"]),
        market_g_per_kwh=0,
        boundary=FULL,
    )
    return {"full location": found.co2e_kg / 1000, "full market": found.co2e_market_kg / 1000}


def development() -> pd.DataFrame:
    """Return what is published of runs together with all that was tried before.

    Returns
    -------
    DataFrame
        Per group of runs: the ``part``, its CO2e and water, and the share of all compute that was not the
        final runs; empty where it is not given.
    """
    parts: dict[tuple[str, str], dict[str, float]] = {}
    whole = {row.run for row in published_rows() if row.boundary == "with_development"}
    columns = {
        "co2e_t": ("CO2e (t)", 1.0),
        "water_l": ("water (ML)", 1e-6),
        "development_share": ("not the final runs (% of compute)", 100.0),
    }
    for row in published_rows():
        if row.run in whole and row.field in columns:
            name, unit = columns[row.field]
            parts.setdefault((row.run, row.part), {})[name] = unit * row.value
    records = [{"runs": run, "part": part, **found} for (run, part), found in parts.items()]
    return pd.DataFrame(records).set_index("runs")


# The audit --------------------------------------------------------------------------------------------------

_FIELDS = {
    "accelerator_hours": "hours",
    "energy_kwh": "kWh",
    "co2e_t": "t CO2e",
    "co2e_market_t": "t CO2e, by market",
    "water_l": "L of water",
    "mfu": "share of the peak",
    "flop_estimate": "FLOP",
}


def audited(found: Sequence[audit.Check]) -> pd.DataFrame:
    """Return checks of the audit for readers.

    Returns
    -------
    DataFrame
        Per run: what is ``published``, the nearest that ``follows``, their ``ratio``, and ``from`` what.
    """
    records = [
        {
            "run": _titled(each.published.run),
            "published": f"{_plain(each.published.value)} {_FIELDS[each.published.field]}",
            "what follows": _plain(each.nearest or 0.0),
            "published over that": each.factor,
            "from": min(each.recomputed, key=lambda way: abs(way[1] - (each.nearest or 0.0)))[0],
        }
        for each in found
    ]
    columns = ["run", "published", "what follows", "published over that", "from"]
    return pd.DataFrame(records, columns=columns).set_index("run")


def _plain(value: float) -> str:
    return f"{value:.3g}" if value >= 1e15 else f"{float(f'{value:.4g}'):,.10g}"


# Reality ----------------------------------------------------------------------------------------------------

CLASSES = {
    "arithmetic": "all that is multiplied is published: this tests the ledger, not the model",
    "place": "hours and power are published; data centre, grid or water are drawn",
    "metered": "the energy was metered; hours are predicted without any run of the same makers, but the "
    "power is not held out: its range rests on their own measurements",
    "blind": "only the total was published; everything is predicted",
    "hours": "the hours are predicted from the utilisation of all other runs",
}


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


_AMOUNT_OF = {"energy_kwh": ("energy_kwh", 1.0), "co2e_t": ("co2e_kg", 1e3), "water_l": ("water_l", 1.0)}


def accuracy(scenario: Scenario) -> pd.DataFrame:
    """Return every reported value that the model can predict at its own boundary, beside the prediction.

    Rows that contradict themselves are left out; what is derived or estimated is none. Of a run whose energy
    was metered the model is told its parameters and tokens and the accelerator. Its utilisation comes from
    other makers' runs alone, but the range of the power of accelerators rests on measurements of the same
    makers: the data hold no others. Elsewhere utilisation comes from all other runs.

    Returns
    -------
    DataFrame
        Per value: ``class``, a key of `CLASSES`; ``run``; ``amount``; ``reported``, ``low``, ``median`` and
        ``high`` in one unit; ``error``, median over reported less 1; and ``inside``, whether the reported
        value lies from low to high.

    Notes
    -----
    The models of one report share their draws: one maker's data centres, grid and machines.
    """
    records = []
    for each in [*_arithmetic(), *_metered(), *_blind(), *_hours_known()]:
        found = [
            modelled(
                part, each.boundary, scenario, dict(each.known), each.apply_pue, each.kind == "arithmetic"
            )
            for part in each.parts
        ]
        values = sum(one.spread(each.amount).values for one in found)
        spread = Spread(np.asarray(values), found[0].inputs)
        levels = three(spread, each.unit)
        drawn = each.kind == "arithmetic" and levels["low"] < levels["high"]
        records.append(
            {
                "class": "place" if drawn else each.kind,
                "run": each.run,
                "amount": each.amount,
                "reported": each.reported,
            }
            | levels
            | {
                "error": levels["median"] / each.reported - 1,
                "inside": levels["low"] <= each.reported <= levels["high"],
            }
        )
    return pd.DataFrame(records)


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
        power = [
            each.value
            for each in published_rows()
            if (each.run, each.field, each.boundary) == (row.run, "power_w", near)
            and each.part in ("", row.part)
        ]
        device = _rows_of(row.run).get("accelerator", {}).get("value")
        if hours is None or not (power or (near == "accelerator_tdp" and device)):
            continue
        chip = _device_or(device)
        known = _told(row, values) | {"power_w": power[0] if power else chip.tdp_w}
        run = Run(row.run, chip, True, hours, None, 1.0, Range.exact(1.0, "tokens"))
        questions.append(_question("arithmetic", row, (run,), known))
    return questions


def _device_or(name: str | None) -> Accelerator:
    """Return an accelerator, or any where none is known and its power is."""
    known = [row["name"] for row in facts.rows("accelerators")]
    return find_accelerator(name if name in known else known[0])


def _question(
    kind: str, row: Published, parts: tuple[Run, ...], known: dict[str, float | Range | None]
) -> _Question:
    amount, unit = _AMOUNT_OF[row.field]
    told = tuple(known.items())
    return _Question(
        kind, _titled(row.run), amount, unit, row.value, row.boundary, row.pue_applied, parts, told
    )


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
    rows = _rows_of(name)
    active, tokens = _size(name, rows)
    device = rows.get("accelerator")
    if active is None or tokens is None or device is None:
        return None
    chip = find_accelerator(device["value"])
    return Run(name, chip, True, None, None, active, Range.exact(tokens, "tokens"))


# Reports that cover several models, with these.
_TOGETHER = {
    "Gemma 2B and 7B": ("gemma-2b", "gemma-7b"),
    "Gemma 2 2B, 9B and 27B": ("gemma-2-2b", "gemma-2-9b", "gemma-2-27b"),
}


def _blind() -> list[_Question]:
    """Return the reports from meters of which neither hours, power nor energy are published."""
    questions = []
    for row in _footprint_rows():
        parts = tuple(run for name in _TOGETHER.get(row.run, ()) if (run := _sized(name)))
        if parts:
            questions.append(_question("blind", row, parts, {}))
    return questions


def _hours_known() -> list[_Question]:
    """Return the runs whose hours are published, each to be predicted from the others."""
    questions = []
    for name in _utilisations(facts.modified("training_runs")):
        run = _sized(name)
        if run is not None:
            hours = float(_rows_of(name)["accelerator_hours"]["value"])
            known: dict[str, float | Range | None] = {"mfu": utilisation(run.device, without=(name,))}
            questions.append(
                _Question(
                    "hours",
                    _titled(name),
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


# The classes in which hours, power or both are predicted.
PREDICTED = ("metered", "blind", "hours")


def coverage(compared: pd.DataFrame, kinds: Collection[str] = ("place", *PREDICTED)) -> float:
    """Return the share of reported values from the 5th to the 95th percentile, in some classes."""
    return float(compared[compared["class"].isin(kinds)]["inside"].mean())


def _from(given: Range, floor: float) -> Range:
    """Return a range that begins at a floor, where it lies above its low value."""
    low, central, high = (max(end, floor) for end in (given.low, given.central, given.high))
    return replace(given, low=low, central=central, high=high)


# What would change the answer -------------------------------------------------------------------------------


def sensitivity(run: Run, scenario: Scenario, boundary: str = FULL) -> pd.DataFrame:
    """Return how one run's CO2e follows each input, from its low to its high value, the others central.

    Returns
    -------
    DataFrame
        Per input in words, the widest first: CO2e in t at its ``low`` and its ``high`` value.
    """
    own = {"mfu": utilisation(run.device), "power_w": run.power(boundary)} | scenario.known
    ranges = run_factors(run.device, scenario.grid, boundary, own)
    if run.hours is None:
        ranges |= {"mfu": _from(ranges["mfu"], run.floor), "tokens": run.tokens}
    central = {name: each.central for name, each in ranges.items()}

    def tonnes(values: dict[str, float]) -> float:
        rest = dict(values)
        flop = 6 * run.active * rest.pop("tokens", 0.0)
        compute = (None, flop) if run.hours is None else (run.hours, None)
        return run_footprint(boundary, run.device, compute, rest).co2e_kg / 1000

    records = {
        INPUTS[name]: [tonnes({**central, name: end}) for end in (each.low, each.high)]
        for name, each in ranges.items()
        if name in INPUTS and not each.known
    }
    frame = pd.DataFrame.from_dict(records, orient="index", columns=["low", "high"]).rename_axis("input")
    frame = frame[frame["low"] != frame["high"]]
    widest = (frame["high"] - frame["low"]).abs().sort_values(ascending=False, kind="stable")
    return frame.loc[widest.index]
