"""What others publish of the models, as tables: sizes, training tokens and benchmark scores."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from cohort.architecture.decoder import ModelSpec
from cohort.architecture.registered import ABSENT, known, specs, title
from cohort.display.phrases import signed
from cohort.display.words import DASH, last_digit, rounding
from cohort.errors import extras, unknown
from cohort.registry import facts

with extras():
    import pandas as pd

    from cohort.registry.frames import table

CONVENTIONS = ("all weights", "without input embedding", "without embedding and head")


def conventions(spec: ModelSpec, active: bool) -> dict[str, int]:
    """Return how many weights a model has under each convention that publishers use.

    Parameters
    ----------
    spec : ModelSpec
        The model.
    active : bool
        Count the weights that one token passes through, instead of all.

    Returns
    -------
    dict of str to int
        By `CONVENTIONS`.

    Examples
    --------
    >>> import cohort
    >>> conventions(cohort.model("gpt2-xl"), active=False)["all weights"]
    1557611200
    """
    weights = spec.active_parameters if active else spec.parameters
    without = weights - (0 if spec.tied else spec.embedding_parameters)  # a tied matrix is the head as well
    values = (weights, without, without - spec.embedding_parameters)
    return dict(zip(CONVENTIONS, values, strict=True))


def published_counts(models: Sequence[str], active: bool = False) -> pd.DataFrame:
    """Return the derived counts beside the published ones.

    Parameters
    ----------
    models : sequence of str
        Registered names with a published count; others are left out.
    active : bool
        Compare the active parameters of the models with experts, instead of the total of all.

    Returns
    -------
    DataFrame
        Per model: ``printed`` (as text), ``published`` and ``derived`` in billions, ``gap`` (derived /
        published - 1),
        ``rounding`` (half a unit of the published figure's last digit, relative to it), and ``readings``:
        the `CONVENTIONS` whose count gives the published digits, each with whether rounded or cut off.

    Raises
    ------
    UnknownNameError
        If a name is no model's; the message names the nearest.

    Examples
    --------
    >>> row = published_counts(["mixtral-8x7b-v0.1"]).iloc[0]
    >>> print(row["printed"], row["derived"], row["readings"])
    46.7 46.702792704 {'all weights': 'rounded'}
    """
    field = "active_parameters_published" if active else "total_parameters_published"
    records = []
    for spec in specs(models):
        printed = known(spec).get(field, ABSENT).value
        if printed and (spec.experts or not active):
            records.append(_compare(spec, printed, active))
    columns = ["model", "printed", "published", "derived", "gap", "rounding", "readings"]
    return pd.DataFrame(records, columns=columns).set_index("model")


def _compare(spec: ModelSpec, printed: str, active: bool) -> dict[str, Any]:
    counted = {name: count / 1e9 for name, count in conventions(spec, active).items()}
    derived, published = counted[CONVENTIONS[0]], float(printed)
    # Conventions that count the same weights of this model are one reading, under the first one's name.
    distinct = {count: name for name, count in reversed(counted.items())}
    readings = {name: how for count, name in reversed(distinct.items()) if (how := rounding(count, printed))}
    return {
        "model": title(spec),
        "printed": printed,
        "published": published,
        "derived": derived,
        "gap": derived / published - 1,
        "rounding": last_digit(printed) / 2 / published,
        "readings": readings,
    }


def explained(published: pd.DataFrame) -> pd.DataFrame:
    """Return a part of `published_counts` for readers, the widest gaps first.

    Parameters
    ----------
    published : DataFrame
        From `published_counts`.

    Returns
    -------
    DataFrame
        The figure as published, the exact count and the gap between them; then a column for each of
        `CONVENTIONS` that says how its count gives the published digits, as
        `cohort.display.words.rounding` does. A dash says that it does not, or that it counts the same weights
        as the column before.
    """
    frame = published.sort_values("gap", ascending=False, kind="stable")
    numbers = {
        "published (billion)": frame["printed"],
        "exact (billion)": frame["derived"].map("{:,.2f}".format),
        "gap (%)": (100 * frame["gap"]).map(lambda gap: signed(gap, "+.1f")),
    }
    given = {name: [found.get(name, DASH) for found in frame["readings"]] for name in CONVENTIONS}
    return pd.DataFrame(numbers | given, index=frame.index)


def disclosed(models: Iterable[str]) -> list[tuple[ModelSpec, float, str]]:
    """Return the models whose training tokens are known, each with the tokens and their status.

    Parameters
    ----------
    models : iterable of str
        Names or paths, as `cohort.model` takes them.

    Returns
    -------
    list of (ModelSpec, float, str)
        Each with its training tokens and their status.

    Examples
    --------
    >>> [(spec.name, tokens, status) for spec, tokens, status in disclosed(["llama-3-8b", "mistral-7b-v0.1"])]
    [('llama-3-8b', 15000000000000, 'stated')]
    """
    found = ((spec, known(spec).get("training_tokens", ABSENT)) for spec in specs(models))
    return [(spec, fact.number, fact.status) for spec, fact in found if fact.number]


def benchmarks() -> list[str]:
    """Return the names of the benchmarks that the data hold scores of."""
    return sorted({row["benchmark"] for row in facts.rows("benchmarks")})


def scores(models: Sequence[str], benchmark: str) -> pd.DataFrame:
    """Return the published scores of models on a benchmark, one row a score.

    Parameters
    ----------
    models : sequence of str
        Names; those without a score are left out.
    benchmark : str
        A name from `benchmarks`.

    Returns
    -------
    DataFrame
        ``model``, ``variant`` (base or instructed), ``score`` in per cent, ``shots`` with the prompting,
        ``metric``, ``evaluator``, ``status`` and ``source``.

    Raises
    ------
    UnknownNameError
        If there is no such benchmark; the message names the nearest.

    Examples
    --------
    >>> scores(["llama-3-8b"], "MMLU")["variant"].unique().tolist()
    ['base', 'instruct']
    """
    if benchmark not in benchmarks():
        raise unknown("benchmark", benchmark, benchmarks())
    titles = {spec.name: title(spec) for spec in specs(models)}
    frame = table("benchmarks")
    frame = frame[(frame["benchmark"] == benchmark) & frame["model"].isin(titles)].copy()
    frame["order"] = frame["model"].map({name: place for place, name in enumerate(titles)})
    frame["model"] = frame["model"].map(titles)
    frame["score"] = frame["value"].astype(float)
    shots = frame["shots"].astype("string").fillna("")
    frame["shots"] = (shots.where(shots == "", shots + "-shot") + " " + frame["prompting"]).str.strip()
    columns = ["model", "variant", "score", "shots", "metric", "evaluator", "status", "source"]
    return frame.sort_values("order", kind="stable")[columns].reset_index(drop=True)
