"""What makers and others publish, beside what the models themselves tell.

Sizes as printed and as counted, what was disclosed at all, training compute as derived and as estimated by
others, and benchmark scores with all that belongs to them.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from cohort.architecture.registered import known, specs, title
from cohort.display.published_values import disclosed
from cohort.registry import facts
from cohort.registry.frames import table


def reference_counts(models: Sequence[str]) -> pd.DataFrame:
    """Return each derived count less the count of the reference implementation: zero where they agree.

    Parameters
    ----------
    models : sequence of str
        Names; those without a count of a reference implementation are left out.

    Returns
    -------
    DataFrame
        Indexed by title: differences in parameters of ``total``, ``active`` and ``active without embedding``,
        and the ``implementation``.
    """
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


def equal_counts(difference: pd.DataFrame) -> list[str]:
    """Return the models all of whose counts equal those of the reference implementation.

    Parameters
    ----------
    difference : DataFrame
        As `reference_counts` returns it.

    Returns
    -------
    list of str
        Titles.
    """
    same = (difference.drop(columns="implementation") == 0).all(axis=1)
    return list(difference.index[same])


def within_rounding(sizes: pd.DataFrame) -> pd.Series:
    """Return which published sizes are the exact count, rounded.

    Parameters
    ----------
    sizes : DataFrame
        As `cohort.display.published_values.published_counts` returns it.

    Returns
    -------
    Series of bool
        Indexed by model.
    """
    inside: pd.Series = sizes["gap"].abs() <= sizes["rounding"]
    return inside


def agreement(difference: pd.DataFrame) -> pd.DataFrame:
    """Return the largest differences in `reference_counts`, by kind of reference implementation.

    Parameters
    ----------
    difference : DataFrame
        As `reference_counts` returns it.

    Returns
    -------
    DataFrame
        One row a kind: ``models``, and the largest difference of each count in parameters.
    """
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

    Parameters
    ----------
    models : sequence of str
        Names or paths, as `cohort.model` takes them.

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


def tokens_per_parameter(models: Sequence[str]) -> pd.DataFrame:
    """Return how much text each model saw for its size.

    Parameters
    ----------
    models : sequence of str
        Names or paths, as `cohort.model` takes them.

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

    Parameters
    ----------
    models : sequence of str
        Names or paths, as `cohort.model` takes them.

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


def score_spread(frame: pd.DataFrame) -> pd.DataFrame:
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

    The medians run over all sources, at the settings (*shots*) in which both variants were scored; contested
    scores are left out.

    Parameters
    ----------
    frame : DataFrame
        As `scores` returns it.

    Returns
    -------
    Series
        Indexed by model, for those of which both variants were scored in the same setting.
    """
    sound = frame[frame["status"] != "contested"]
    sound = sound[sound["variant"].isin(["base", "instruct"]) & (sound["shots"] != "")]
    sound = sound[sound.groupby(["model", "shots"])["variant"].transform("nunique") == 2]
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
