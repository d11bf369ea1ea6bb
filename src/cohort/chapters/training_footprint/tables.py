"""Training runs as tables: what they ran on, what the ledger makes of them, and what its spread is due to.

A run is what is known of how a model was trained. What is not known of it is drawn from the ranges of the
data, so that every amount comes with its 5th, 50th and 95th percentile.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from cohort.architecture.decoder import ModelSpec
from cohort.architecture.registered import model as read_model
from cohort.architecture.registered import specs, title
from cohort.chapters.judging import quoted
from cohort.footprint.accounts import BOUNDARIES, BOUNDARY_WORDS
from cohort.footprint.factors import Range, factor
from cohort.footprint.published_runs import Run, known_utilisations, run_of, utilisation
from cohort.footprint.scenarios import Scenario, modelled
from cohort.footprint.training_runs import run_factors, run_footprint
from cohort.footprint.uncertainty import Spread
from cohort.registry import facts

FULL = "with_embodied"


WORDS = BOUNDARY_WORDS


def runs_of(models: Sequence[str], accelerator: str) -> list[Run]:
    """Return what is known of the training of models.

    Parameters
    ----------
    models : sequence of str
        Names or paths.
    accelerator : str
        What a run is taken to have been on where its makers do not say.

    Returns
    -------
    list of Run
        In the order of the models, each once.

    Raises
    ------
    UnknownNameError
        If there is no such model or accelerator.
    """
    return [run_of(spec.name if spec.registered else name, accelerator) for spec, name in _named(models)]


def _named(models: Sequence[str]) -> list[tuple[ModelSpec, str]]:
    return list(zip(specs(models), dict.fromkeys(models), strict=True))


def utilisations() -> pd.DataFrame:
    """Return the share of the peak that whole runs with published hours attained.

    Six FLOP for each active parameter and token over all accelerator hours at the dense 16-bit peak.

    Returns
    -------
    DataFrame
        Per run: ``family`` of its accelerator, such as A100, and ``mfu`` as a fraction, the highest first.
    """
    found = known_utilisations(facts.modified("training_runs"))
    frame = pd.DataFrame.from_dict(found, orient="index", columns=["family", "mfu"]).rename_axis("run")
    frame.index = pd.Index([run_title(name) for name in frame.index], name="run")
    return frame.sort_values("mfu", ascending=False, kind="stable")


CATEGORIES = 16  # kinds of impact that the study of an A100 counts


def beyond_carbon() -> dict[str, float]:
    """Return what is published of the making of electronics beyond carbon.

    Returns
    -------
    dict of str to float
        ``kinds`` of impact that the study of an A100 counts, and those ``led`` by its making; ``resources``
        of a model's training and use in kg of antimony equivalent; ``water`` for an accelerator in L.
    """
    resources = facts.row(
        "footprint_factors", entity="Mistral Large 2", quantity="training and 18 months of use, resources"
    )
    return {
        "kinds": CATEGORIES,
        "led": quoted("A100", "impact categories"),
        "resources": float(resources["value"]),
        "water": factor("accelerator", "embodied water").central,
    }


def run_title(name: str) -> str:
    """Return what a run is called.

    Parameters
    ----------
    name : str
        A run of the table `training_runs`.

    Returns
    -------
    str
        The title of the model where the book has it; else the name itself.
    """
    return title(read_model(name)) if name in facts.config_names() else name


def low_median_high(spread: Spread, unit: float = 1.0) -> dict[str, float]:
    """Return the percentiles 5, 50 and 95 of a spread.

    Parameters
    ----------
    spread : Spread
        Of an amount.
    unit : float
        What they are divided by.

    Returns
    -------
    dict of str to float
        ``low``, ``median`` and ``high``.
    """
    return {"low": spread.low / unit, "median": spread.median / unit, "high": spread.high / unit}


# Amounts ----------------------------------------------------------------------------------------------------

LEVELS = ("low", "median", "high")


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

    Parameters
    ----------
    runs : sequence of Run
        What is known of each.
    scenario : Scenario
        What the reader asks.
    boundary : str
        One of ``cohort.footprint.accounts.BOUNDARIES``.

    Returns
    -------
    DataFrame
        Indexed by run; columns are pairs of an amount, a key of `AMOUNTS`, and ``low``, ``median``, ``high``,
        in the units that `AMOUNTS` names.

    Raises
    ------
    CohortError
        If a number of the scenario is out of range, or its grid is not known.
    """
    records = {}
    for run in runs:
        found = modelled(run, boundary, scenario)
        records[run.name] = {
            (amount, level): value
            for amount, (_, unit) in AMOUNTS.items()
            for level, value in low_median_high(found.spread(amount), unit).items()
        }
    return pd.DataFrame.from_dict(records, orient="index").rename_axis("model")


def printed_estimates(frame: pd.DataFrame, amounts: Iterable[str]) -> pd.DataFrame:
    """Return amounts for readers.

    Parameters
    ----------
    frame : DataFrame
        As `estimates` returns it.
    amounts : iterable of str
        Keys of `AMOUNTS`.

    Returns
    -------
    DataFrame
        Per run the median as text, and the range from low to high in brackets where there is one.
    """
    return pd.DataFrame(
        {AMOUNTS[amount][0]: [_range(row[amount]) for _, row in frame.iterrows()] for amount in amounts},
        index=frame.index,
    )


def _range(row: pd.Series) -> str:
    low, middle, high = (_two(row[level]) for level in LEVELS)
    return middle if low == high else f"{middle} ({low} to {high})"


def _two(value: float) -> str:
    """Return a number with two significant digits, three from a thousand on, never with an exponent."""
    digits = 3 if value >= 1000 else 2
    rounded = float(f"{value:.{digits}g}")
    return np.format_float_positional(rounded, trim="-") if 0 < rounded < 1e-3 else f"{rounded:,.10g}"


def ladder(run: Run, scenario: Scenario) -> pd.DataFrame:
    """Return one run's CO2e within each boundary.

    The losses of the data centre count from its boundary on.

    Parameters
    ----------
    run : Run
        What is known of it.
    scenario : Scenario
        What the reader asks.

    Returns
    -------
    DataFrame
        Indexed by `WORDS`, the narrowest first: ``low``, ``median`` and ``high``, in t.

    Raises
    ------
    CohortError
        If a number of the scenario is out of range, or its grid is not known.
    """
    rows = {
        WORDS[each]: low_median_high(modelled(run, each, scenario).spread("co2e_kg"), 1000)
        for each in BOUNDARIES
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("within")


# What the spread is due to ----------------------------------------------------------------------------------

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


def drivers(runs: Sequence[Run], scenario: Scenario, boundary: str = FULL) -> pd.DataFrame:
    """Return what the variance of each run's CO2e is due to.

    Runs of which the same is known, on the same accelerator, have the same shares and are one row.

    Parameters
    ----------
    runs : sequence of Run
        What is known of each.
    scenario : Scenario
        What the reader asks.
    boundary : str
        One of ``cohort.footprint.accounts.BOUNDARIES``.

    Returns
    -------
    DataFrame
        One row a run, or several with the first one's name and how many others; one column an input in
        words, in the order of `INPUTS`; first-order Sobol' indices in percent. What is missing to a hundred
        is due to inputs together.

    Raises
    ------
    CohortError
        If a number of the scenario is out of range, or its grid is not known.
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


def footprint_sensitivity(run: Run, scenario: Scenario, boundary: str = FULL) -> pd.DataFrame:
    """Return how one run's CO2e follows each input, from its low to its high value, the others central.

    Parameters
    ----------
    run : Run
        What is known of it.
    scenario : Scenario
        What the reader asks.
    boundary : str
        One of ``cohort.footprint.accounts.BOUNDARIES``.

    Returns
    -------
    DataFrame
        Per input in words, the widest first: CO2e in t at its ``low`` and its ``high`` value.

    Raises
    ------
    CohortError
        If a number of the scenario is out of range, or its grid is not known.
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


def _from(given: Range, floor: float) -> Range:
    """Return a range that begins at a floor, where it lies above its low value."""
    low, central, high = (max(end, floor) for end in (given.low, given.central, given.high))
    return replace(given, low=low, central=central, high=high)
