"""How far the answer of the chapter `data_optimal` moves with what it rests on: coefficients, form, data."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from cohort.chapters.data_optimal.tables import RUNS_OF, laws_of_sets
from cohort.chapters.law_titles import listed_laws
from cohort.display.phrases import scaled_range
from cohort.display.words import bullets, counted, paragraphs, ranged, scaled
from cohort.errors import InfeasibleError
from cohort.scaling import FLOP_PER_TOKEN, law, laws
from cohort.scaling.laws_in_general import Law
from cohort.scaling.stored_laws import CHINCHILLA, laws_of_runs

QUANTITIES = ("overhead", "break-even")
# What the answer rests on, in words; the count is of laws.
SOURCES = {
    "coefficients": "within the 95% interval of the coefficients",
    "forms": "by {} fitted to the same runs",
    "data sets": "by the same form fitted to {} of runs",
}


def laws_of_forms() -> dict[str, Law]:
    """Return the laws of the other forms of the panel, fitted to the Chinchilla runs."""
    return {form: each for (name, form), each in laws_of_runs().items() if name == CHINCHILLA}


def by_form(parameters: float, tokens: float) -> pd.DataFrame:
    """Return how a model stands by laws of other forms, fitted to the Chinchilla runs.

    Parameters
    ----------
    parameters, tokens : float
        Size and training tokens of a model.

    Returns
    -------
    DataFrame
        Indexed by form: ``overhead`` (extra training compute over the optimum of the same loss, as a share)
        and ``break-even`` (tokens of use that repay it, infinite where none do).
    """
    records = {}
    for name, each in laws_of_forms().items():
        try:
            best = each.inference_optimal(loss=each.loss(parameters, tokens))
            extra = FLOP_PER_TOKEN * parameters * tokens / best.flop - 1
            records[name] = (extra, each.break_even_tokens(parameters, tokens))
        except InfeasibleError:  # by that law no size reaches the loss more cheaply
            records[name] = (0.0, math.inf)
    return pd.DataFrame.from_dict(records, orient="index", columns=list(QUANTITIES))


def spread_by_source(mine: pd.Series, forms: pd.DataFrame, by_law: pd.DataFrame) -> pd.DataFrame:
    """Return between what extra compute and break-even of a model lie, by what they rest on.

    Parameters
    ----------
    mine : Series
        The row of the model in `tables.against`.
    forms : DataFrame
        As `by_form` returns it, of that model.
    by_law : DataFrame
        As `tables.by_law` returns it, of that model.

    Returns
    -------
    DataFrame
        Indexed by `SOURCES`, without the coefficients where they have no interval: ``laws``, how many there
        are; the ends of both quantities as ``… low`` and ``… high``.
    """
    sets = by_law[by_law.index.str.startswith(RUNS_OF)]
    records: dict[str, dict[str, Any]] = {}
    if "overhead low" in mine:
        ends = {f"{name} {end}": mine[f"{name} {end}"] for name in QUANTITIES for end in ("low", "high")}
        records["coefficients"] = {"laws": 1, **ends}
    for source, rows in (("forms", forms), ("data sets", sets)):
        if len(rows):
            low, high = rows[list(QUANTITIES)].min(), rows[list(QUANTITIES)].max()
            ends = {f"{name} low": low[name] for name in QUANTITIES}
            ends |= {f"{name} high": high[name] for name in QUANTITIES}
            records[source] = {"laws": len(rows), **ends}
    return pd.DataFrame.from_dict(records, orient="index")


def rests_on(spreads: pd.DataFrame) -> list[str]:
    """Return in words what each row of `spread_by_source` rests on.

    Parameters
    ----------
    spreads : DataFrame
        As `spread_by_source` returns it.

    Returns
    -------
    list of str
        In the order of the rows.
    """
    nouns = {"forms": ("other form", "other forms"), "data sets": ("other set", "other sets")}
    return [
        SOURCES[str(source)].format(counted(int(number), *nouns.get(str(source), ("law", "laws"))))
        for source, number in spreads["laws"].items()
    ]


def between(spreads: pd.DataFrame, quantity: str) -> list[str]:
    """Return the ends of a quantity in words, by what it rests on.

    Parameters
    ----------
    spreads : DataFrame
        As `spread_by_source` returns it.
    quantity : str
        ``overhead``, in per cent, or ``break-even``, in tokens.

    Returns
    -------
    list of str
        In the order of the rows.
    """
    said = []
    for low, high in spreads[[f"{quantity} low", f"{quantity} high"]].itertuples(index=False):
        if quantity == "overhead":
            said.append(f"{ranged(100 * low, 100 * high, ',.0f')}%")
        elif not np.isfinite(low):
            said.append("never")
        else:
            said.append(scaled_range(low, high) if np.isfinite(high) else f"{scaled(low)} or never")
    return said


def each_doubt(spreads: pd.DataFrame) -> str:
    """Return between what extra compute and break-even lie, by each thing that they rest on.

    Parameters
    ----------
    spreads : DataFrame
        As `spread_by_source` returns it.

    Returns
    -------
    str
        Markdown, an item for each.
    """
    rows = zip(rests_on(spreads), between(spreads, "overhead"), between(spreads, "break-even"), strict=True)
    return bullets(
        *(
            f"{source[0].upper()}{source[1:]}: {extra} more compute than the optimum, and {_even(use)}."
            for source, extra, use in rows
        )
    )


def _even(use: str) -> str:
    """Return a break-even, as `between` has it, with its unit."""
    return "no break-even" if use == "never" else f"break-even in tokens of use at {use}"


def over_sets(scores: pd.DataFrame, brief: bool = False) -> str:
    """Return how the sum of two powers and the coupled form predict long runs, over all sets of runs.

    Parameters
    ----------
    scores : DataFrame
        As `cohort.fitting.panel.scored_forms` returns it.
    brief : bool
        Whether the medians are enough.

    Returns
    -------
    str
        Markdown.
    """
    wide = scores.pivot(index="set", columns="form", values="beyond")[["chinchilla", "coupled"]].dropna()
    plain, coupled = wide["chinchilla"], wide["coupled"]
    if brief:
        return (
            f"Over {counted(len(wide), 'set')} of runs it misses those beyond a hundred tokens per parameter "
            f"by {plain.median():.1f}% at the median, a form that couples size and data by "
            f"{coupled.median():.1f}%."
        )
    nearer = int((coupled < plain).sum())
    return (
        f"Over {counted(len(wide), 'set')} of runs the sum of two powers misses those beyond a hundred "
        "tokens per parameter by "
        f"{plain.median():.1f}% at the median ({ranged(plain.min(), plain.max())}%), the coupled form by "
        f"{coupled.median():.1f}% ({ranged(coupled.min(), coupled.max())}%); the coupled one is nearer in "
        f"{nearer}."
    )


def tried_laws() -> dict[str, Law]:
    """Return the laws by which a verdict is tried: the published ones, and those of other sets of runs."""
    return {**{name: law(name) for name in laws()}, **laws_of_sets()}


# What the claims say that a law decides.
CLAIMS = {
    "beyond_compute_optimal": "The cohort was trained beyond the compute-optimal tokens",
    "larger_models_train_cheaper": "A larger model of equal loss trains cheaper",
    "gains_continue_to_15t": "Llama 3 8B gains up to 15 trillion tokens",
}

# What would make each another, where no law that was tried does.
OPPOSED = {
    "beyond_compute_optimal": "one that asks for more tokens than a model of the cohort saw would",
    "larger_models_train_cheaper": "one by which Llama 3 8B is larger than the optimum of its loss would",
    "gains_continue_to_15t": "one whose last doubling gains less than a tenth of the first would",
}


def _opponents(against: Mapping[str, str]) -> str:
    """Return by which laws a verdict is another one, the published ones by name."""
    said = []
    for verdict in dict.fromkeys(against.values()):
        names = [name for name, each in against.items() if each == verdict]
        sets = sum(name.startswith(RUNS_OF) for name in names)
        published = [name for name in names if not name.startswith(RUNS_OF)]
        parts = [listed_laws(published)] if published else []
        parts += [f"the laws of {counted(sets, 'other set')} of runs"] if sets else []
        said.append(f"{' and by '.join(parts)} ({verdict})")
    return ", ".join(said)


def may_turn(standing: pd.DataFrame) -> str:
    """Return how firmly verdicts stand, and by which law or data set each would be another.

    Parameters
    ----------
    standing : DataFrame
        As `verdicts.judged_again` returns it.

    Returns
    -------
    str
        Markdown.
    """
    said = []
    for claim, row in standing.iterrows():
        against = row["against"]
        flips = (
            f"Another verdict is given by {_opponents(against)}."
            if against
            else f"None of them gives another verdict; {OPPOSED[str(claim)]}."
        )
        share = "" if row["share"] is None else f", by {100 * row['share']:.0f}% of the resampled laws"
        said.append(f"- *{CLAIMS[str(claim)]}*: {row['verdict']}{share}. {flips}")
    return paragraphs(
        f"Three of these verdicts hang on the law. Each was judged again by {standing['tried'].iloc[0]} "
        "other laws: those published, and those of other sets of runs.",
        "\n".join(said),
        "That a smaller model can match a larger one down to a critical size, and that better data save "
        "compute, follows from the form of the law, whatever its coefficients: no run tests it here.",
    )
