"""What makers and others publish, beside what the models themselves tell.

Sizes as printed and as counted, what was disclosed at all, training compute as derived and as estimated by
others, and benchmark scores with all that belongs to them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import pandas as pd

from cohort import facts
from cohort.errors import CohortError, unknown
from cohort.models import ModelSpec
from cohort.tables import ABSENT, DASH, known, specs, table, title

CONVENTIONS = ("all weights", "without input embedding", "without embedding and head")


def conventions(spec: ModelSpec, active: bool) -> dict[str, int]:
    """Return a count under each convention that publishers use, from `CONVENTIONS`."""
    weights = spec.active_parameters if active else spec.parameters
    without = weights - (0 if spec.tied else spec.embedding_parameters)  # a tied matrix is the head as well
    values = (weights, without, without - spec.embedding_parameters)
    return dict(zip(CONVENTIONS, values, strict=True))


def rounding(count: float, printed: str) -> str | None:
    """Return how a printed figure comes from a count, or None if it does not.

    It is ``rounded`` or ``cut off`` to its last digit, or, being a whole number of tens, ``rounded to tens``.

    Parameters
    ----------
    count : float
        The exact value, in the unit of the printed figure.
    printed : str
        The figure as published, such as ``"46.7"``; its digits say how far it was rounded.
    """
    unit = Decimal(str(last_digit(printed)))
    gap = Decimal(count) - Decimal(printed)  # exact: 1.25 lies half a unit from 1.2, in floats a little more
    if abs(gap) <= unit / 2:
        return "rounded"
    if 0 <= gap < unit:
        return "cut off"
    tens = unit == 1 and printed.endswith("0") and abs(gap) <= 5
    return "rounded to tens" if tens else None


def last_digit(printed: str) -> float:
    """Return the unit of the last digit of a printed number: 0.1 for ``"46.7"``, 1 for ``"70"``."""
    match = re.fullmatch(r"\d+(?:\.(\d+))?", printed)
    if match is None:
        raise CohortError(f"{printed!r} is not a plain decimal number")
    return float(10.0 ** -len(match[1] or ""))


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
    """
    field = "active_parameters_published" if active else "total_parameters_published"
    records = []
    for spec in specs(models):
        printed = known(spec).get(field, ABSENT).value
        if printed and (spec.experts or not active):
            records.append(_compare(spec, printed, active))
    return pd.DataFrame(records).set_index("model")


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

    A column for each of `CONVENTIONS` says how its count gives the published digits, as `rounding` does; a
    dash says that it does not, or that it counts the same weights as the column before.
    """
    frame = published.sort_values("gap", ascending=False, kind="stable")
    numbers = {
        "published (billion)": frame["printed"],
        "exact (billion)": frame["derived"].map("{:,.2f}".format),
        "gap (%)": (100 * frame["gap"]).map("{:+.1f}".format),
    }
    given = {name: [found.get(name, DASH) for found in frame["readings"]] for name in CONVENTIONS}
    return pd.DataFrame(numbers | given, index=frame.index)


def reference_counts(models: Sequence[str]) -> pd.DataFrame:
    """Return each derived count less the count of the reference implementation: zero where they agree."""
    reference = {row["model"]: row for row in facts.rows("reference_counts")}
    records = []
    for spec in specs(models):
        if (row := reference.get(spec.name)) is None:
            continue
        records.append(
            {
                "model": title(spec),
                "total": spec.parameters - int(row["total"]),
                "active": spec.active_parameters - int(row["active"]),
                "active without embedding": spec.active_parameters_without_embedding
                - int(row["active_without_input_embedding"]),
                "implementation": row["implementation"],
            }
        )
    return pd.DataFrame(records).set_index("model")


def agreement(difference: pd.DataFrame) -> pd.DataFrame:
    """Return the largest differences in `reference_counts`, by kind of reference implementation."""
    again = difference["implementation"].str.contains("re-implemented")
    kind = again.map({False: "class in transformers", True: "re-implemented"})
    columns = ["total", "active", "active without embedding"]
    frame = difference[columns].abs().groupby(kind.rename("reference")).max()
    frame.columns = pd.Index([f"largest difference, {column}" for column in columns])
    frame.insert(0, "models", kind.value_counts())
    return frame


# The fields of the disclosure matrix, in its order, with how its columns are called.
DISCLOSED = {
    "release_date": "date",
    "licence": "licence",
    "total_parameters_published": "size",
    "attention_stated": "attention",
    "positional_encoding": "positions",
    "normalisation": "normalisation",
    "activation": "activation",
    "training_tokens": "training tokens",
    "training_context": "training context",
    "inference_context": "inference context",
    "alignment": "alignment",
}


def disclosure(models: Sequence[str]) -> pd.DataFrame:
    """Return how each field of each model is known.

    Returns
    -------
    DataFrame
        One row a model, one column a field of `DISCLOSED`; each value is one of ``facts.STATUSES``,
        or empty where the data do not cover that field of that model.
    """
    records = [
        {"model": title(spec)}
        | {
            name: known(spec)[field].status if field in known(spec) else ""
            for field, name in DISCLOSED.items()
        }
        for spec in specs(models)
    ]
    return pd.DataFrame(records).set_index("model")


def disclosed(models: Iterable[str]) -> list[tuple[ModelSpec, float, str]]:
    """Return the models whose training tokens are known, each with the tokens and their status."""
    found = ((spec, known(spec).get("training_tokens", ABSENT)) for spec in specs(models))
    return [(spec, fact.number, fact.status) for spec, fact in found if fact.number]


def tokens_per_parameter(models: Sequence[str]) -> pd.DataFrame:
    """Return how much text each model saw for its size.

    Returns
    -------
    DataFrame
        For each model whose training tokens are known: ``tokens``, their ``status``, and tokens ``per total``
        and ``per active`` parameter.
    """
    records = [
        {
            "model": title(spec),
            "tokens": tokens,
            "status": status,
            "per total": tokens / spec.parameters,
            "per active": tokens / spec.active_parameters,
        }
        for spec, tokens, status in disclosed(models)
    ]
    columns = ["model", "tokens", "status", "per total", "per active"]
    return pd.DataFrame(records, columns=columns).set_index("model")


def training_compute(models: Sequence[str]) -> pd.DataFrame:
    """Return training compute as six FLOP for each active parameter and token, beside published estimates.

    Returns
    -------
    DataFrame
        For each model whose training tokens are known and whose compute others have estimated: ``derived``
        and ``estimate`` in FLOP, their ``ratio``, and the ``source`` of the estimate.
    """
    estimates = {
        row["model_or_run"]: (float(row["value"]), row["source"])
        for row in facts.rows("training_runs")
        if row["field"] == "flop_estimate"
    }
    records = []
    for spec, tokens, _ in disclosed(models):
        if spec.name in estimates:
            estimate, source = estimates[spec.name]
            derived = spec.training_flops(tokens)
            records.append(
                {
                    "model": title(spec),
                    "derived": derived,
                    "estimate": estimate,
                    "ratio": derived / estimate,
                    "source": source,
                }
            )
    return pd.DataFrame(records, columns=["model", "derived", "estimate", "ratio", "source"]).set_index(
        "model"
    )


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


def spread(frame: pd.DataFrame) -> pd.DataFrame:
    """Return how far one score moves between sources: same model, variant, shots, prompting and metric.

    Contested scores are left out.

    Parameters
    ----------
    frame : DataFrame
        As `scores` returns it.

    Returns
    -------
    DataFrame
        Where there are several: how many ``scores``, ``lowest``, ``highest`` and their ``difference`` in
        points, the widest first.
    """
    sound = frame[frame["status"] != "contested"]
    groups = sound.groupby(["model", "variant", "shots", "metric"], sort=False)["score"]
    several = groups.agg(scores="size", lowest="min", highest="max")
    several = several[several["scores"] > 1].assign(difference=lambda f: f["highest"] - f["lowest"])
    widest = several.sort_values("difference", ascending=False, kind="stable").reset_index()
    result: pd.DataFrame = widest.set_index("model")
    return result


def instructed_less_base(frame: pd.DataFrame) -> pd.Series:
    """Return by how many points the instructed variant scores above the base model, median against median.

    The medians run over all settings and sources; contested scores are left out.

    Parameters
    ----------
    frame : DataFrame
        As `scores` returns it.

    Returns
    -------
    Series
        Indexed by model, for those with scores of both variants.
    """
    sound = frame[frame["status"] != "contested"]
    medians = sound.groupby(["model", "variant"])["score"].median().unstack()
    medians = medians.reindex(columns=["base", "instruct"]).dropna()
    difference: pd.Series = medians["instruct"] - medians["base"]
    return difference


def corrections() -> pd.DataFrame:
    """Return how many cells of the post's tables were corrected, by kind (rows) and table (columns)."""
    frame = table("corrections")
    counts = pd.crosstab(frame["kind"], frame["table"])
    counts["all"] = counts.sum(axis=1)
    ordered: pd.DataFrame = counts.sort_values("all", ascending=False, kind="stable")
    return ordered


def closed_references(benchmark: str) -> pd.DataFrame:
    """Return the published scores of the closed models that the post set beside the open ones.

    Parameters
    ----------
    benchmark : str
        A name from `benchmarks`.

    Returns
    -------
    DataFrame
        Per model: ``score`` in per cent, ``shots`` with the prompting, and ``source``.
    """
    names = {
        row["model"]: row["original"]
        for row in facts.rows("post_tables")
        if row["column"] == "name" and row["model"] not in facts.config_names()
    }
    records = [
        {
            "model": names[row["model"]],
            "score": float(row["value"]),
            "shots": " ".join(filter(None, [row["shots"] and f"{row['shots']}-shot", row["prompting"]])),
            "source": row["source"],
        }
        for row in facts.rows("benchmarks")
        if row["model"] in names and row["benchmark"] == benchmark
    ]
    return pd.DataFrame(records, columns=["model", "score", "shots", "source"]).set_index("model")
