"""Memory budgets beside what engines logged, and training steps beside what was measured."""

from __future__ import annotations

import json
import statistics
from typing import Any

import pandas as pd

from cohort.architecture.reading import read
from cohort.architecture.registered import model, models, title
from cohort.registry import facts
from cohort.registry.devices import accelerator as find_accelerator
from cohort.serving.caches import cache_bytes, cache_format
from cohort.serving.engine_runtime import engine_needs, size_class, version_changes
from cohort.serving.memory import memory_budget
from cohort.serving.training_peak import training_memory
from cohort.units import GB, GIB

AHEAD = 512  # tokens that llama.cpp reads at once by default
UNITS = {"GiB": GIB, "GB": GB, "tokens": 1, "yes or no": 1}
WHAT = {
    "weights": "weights on a device",
    "room": "memory left for the cache",
    "cache_tokens": "tokens that the cache holds",
    "cache": "bytes of a cache",
    "fits": "whether it fits",
}
SIZES = {
    "hidden_size": "hidden",
    "num_hidden_layers": "layers",
    "intermediate_size": "intermediate",
    "num_attention_heads": "heads",
    "num_key_value_heads": "kv_heads",
    "vocab_size": "vocabulary",
}


TEXTS = ("recipe", "adapter_targets", "base_format", "recompute", "library")
SWITCHES = (
    "accumulated",
    "adapter_dropout",
    "whole_logits",
    "fused_norms",
    "fused_gates",
    "copied_heads",
    "sequence_parallel",
)


def predicted(row: dict[str, str]) -> float:
    """Return what this book says of a row of ``engine_logs``, in the unit of the row.

    Parameters
    ----------
    row : dict
        The row.

    Returns
    -------
    float
        The value; 1 for what fits.
    """
    return predictions(row)[1]


def predictions(row: dict[str, str]) -> tuple[float, float, float]:
    """Return what this book says of a row of ``engine_logs`` at the least, as a rule and at the most.

    Parameters
    ----------
    row : dict
        The row.

    Returns
    -------
    tuple of three floats
        In the unit of the row; three times the same for what has no range.
    """
    spec, unit = model(row["model"]), UNITS[row["unit"]]
    if row["quantity"] == "cache":
        ahead = AHEAD if row["engine"] == "llama.cpp" else 0
        layers, stored = range(len(spec.layers)), cache_format(row["kv_format"])
        return (cache_bytes(spec, layers, int(row["context"]), 1, stored, ahead=ahead) / unit,) * 3
    given = ("context", "batched_tokens", "sequences", "drafted")
    asked: dict[str, Any] = {name: int(row[name]) for name in given if row[name]}
    asked |= {name: row[name] == "yes" for name in ("images", "prefix_caching") if row[name]}
    budget = memory_budget(
        spec,
        row["accelerator"] or "H100 SXM 80GB",
        int(row["devices"] or 1),
        weight_dtype=row["weight_format"],
        kv_dtype=row["kv_format"] or "bf16",
        engine=row["engine"],
        version=row["version"] or None,
        share=float(row["share"]) if row["share"] else None,
        kernels=row["kernels"].split(),
        **asked,
    )
    room, held = budget.room_range, budget.cache_tokens_range
    low, usual, high = {
        "weights": (budget.weight_bytes,) * 3,
        "room": (room[0], budget.room, room[1]),
        "cache_tokens": (held[0], budget.cache_tokens, held[1]),
        "fits": (budget.fits,) * 3,
    }[row["quantity"]]
    return low / unit, usual / unit, high / unit


def engine_logs() -> pd.DataFrame:
    """Return what engines logged beside what this book says.

    Returns
    -------
    DataFrame
        Per row of the data: ``model``, ``accelerator``, ``version`` of the engine, ``quantity``, ``logged``,
        ``predicted``, ``unit``, ``error`` in percent, ``low`` and ``high`` for the ends of the range and
        ``first`` for what was said of a row before it was in sight, ``look`` for whether that was before
        what an engine takes was mended, after that, or later, ``use`` and ``source``.
    """
    records = []
    for row in facts.rows("engine_logs"):
        logged, (low, ours, high) = float(row["value"]), predictions(row)
        records.append(
            {
                "model": title(model(row["model"])),
                "accelerator": row["accelerator"],
                "version": row["version"],
                "quantity": row["quantity"],
                "logged": logged,
                "predicted": ours,
                "unit": row["unit"],
                "error": _error(ours, logged),
                "low": _error(low, logged),
                "high": _error(high, logged),
                "first": _error(float(row["first"]), logged) if row["first"] else float("nan"),
                "look": row["look"],
                "use": row["use"],
                "source": row["source"],
            }
        )
    return pd.DataFrame(records)


def _error(ours: float, logged: float) -> float:
    """Return an error in percent of what was logged; of a nought, 100 for anything else."""
    return 100 * (ours / logged - 1) if logged else 100.0 * (ours != logged)


def left_for_the_cache(logs: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that say what an engine leaves for the cache, in bytes or in tokens.

    Parameters
    ----------
    logs : DataFrame
        As `engine_logs` returns it.

    Returns
    -------
    DataFrame
        With a column ``kind``: ``calibrating`` rows set what an engine takes; ``blind`` ones were written
        down before one of them was predicted, and ``known`` ones while the terms were worked out.
    """
    left = logs[logs["quantity"].isin(["room", "cache_tokens"])]
    kinds = left["first"].notna().map({True: "blind", False: "known"})
    return left.assign(kind=kinds.where(left["use"] == "test", "calibrating"))


def by_quantity(logs: pd.DataFrame) -> pd.DataFrame:
    """Return the errors of the rows that nothing was fitted to, by what was logged.

    Parameters
    ----------
    logs : DataFrame
        As `engine_logs` returns it.

    Returns
    -------
    DataFrame
        Per quantity in words: ``rows``, ``sources``, and the ``median`` and the ``largest`` absolute error in
        percent; of what fits, the share of wrong answers.
    """
    tested = logs[logs["use"] == "test"]
    grouped = tested.assign(size=tested["error"].abs()).groupby("quantity", sort=False)
    frame = pd.DataFrame(
        {
            "rows": grouped.size(),
            "sources": grouped["source"].nunique(),
            "median": grouped["size"].median(),
            "largest": grouped["size"].max(),
        }
    )
    frame = frame.reindex([name for name in WHAT if name in frame.index])
    return frame.rename(index=WHAT).rename_axis("logged")


def by_source(logs: pd.DataFrame) -> pd.DataFrame:
    """Return how far each log is met in what an engine leaves for the cache, the nearest first.

    Parameters
    ----------
    logs : DataFrame
        As `engine_logs` returns it.

    Returns
    -------
    DataFrame
        Per source and device, of the rows that nothing was fitted to: ``models``, ``version`` of the engine,
        ``rows``, and the ``error`` of the row that is furthest off, in percent and with its sign.
    """
    left = left_for_the_cache(logs)
    left = left[left["kind"] != "calibrating"]
    records = []
    for (source, accelerator), rows in left.groupby(["source", "accelerator"], sort=False):
        furthest = rows.iloc[int(rows["error"].abs().argmax())]
        records.append(
            {
                "source": source,
                "models": ", ".join(dict.fromkeys(rows["model"])),
                "device": accelerator,
                "version": furthest["version"],
                "rows": len(rows),
                "error": round(furthest["error"], 1) + 0.0,  # no negative zero
            }
        )
    frame = pd.DataFrame(records)
    return frame.sort_values("error", key=lambda errors: errors.abs(), ignore_index=True, kind="stable")


def by_version(name: str, accelerator: str, context: int) -> pd.DataFrame:
    """Return what vLLM leaves for the cache on one device, by the version from which on its defaults hold.

    Parameters
    ----------
    name, accelerator : str
        A model and an accelerator.
    context : int
        Tokens of a sequence.

    Returns
    -------
    DataFrame
        Per version that changes any of them: ``share`` of the memory, ``tokens`` that are read at once,
        ``sequences`` that are sampled for, what the engine takes for itself as a rule and what is left,
        ``engine`` and ``room``, in GiB.
    """
    device = find_accelerator(accelerator)
    records: dict[str, dict[str, float]] = {}
    for version in ("0.7", *version_changes("vllm")):
        needs, budget = (
            engine_needs("vllm", version),
            memory_budget(name, device, context=context, version=version),
        )
        size = size_class(device, needs)
        record = {
            "share": needs.share,
            "tokens": needs.batched_tokens[size],
            "sequences": needs.sequences[size],
            "engine": budget.runtime[1] / GIB,
            "room": budget.room / GIB,
        }
        if record not in list(records.values())[-1:]:
            records[version] = record
    return pd.DataFrame.from_dict(records, orient="index").rename_axis("version")


def training_steps() -> pd.DataFrame:
    """Return the measured peaks of training steps beside what this book says.

    Returns
    -------
    DataFrame
        Per measured step: ``method`` in words, ``batch``, ``length``, ``measured`` and ``predicted`` in GiB,
        and ``error`` in percent.
    """
    records = []
    for row in facts.rows("training_memory"):
        config = {name: int(row[column]) for name, column in SIZES.items()}
        spec = read({"model_type": "llama", "tie_word_embeddings": True, **config}, "measured")
        found = training_memory(
            spec,
            int(row["batch"]),
            int(row["length"]),
            recipe=row["recipe"],
            recompute=row["recompute"],
            adapter_rank=int(row["adapter_rank"]),
            adapter_bytes=2,  # as the states say that stay between steps
        )
        measured = int(row["peak_allocated_bytes"])
        rank = int(row["adapter_rank"])
        name = f"LoRA of rank {rank}" if rank else row["recipe"]
        records.append(
            {
                "method": f"{name}, recomputed" if row["recompute"] == "full" else name,
                "batch": int(row["batch"]),
                "length": int(row["length"]),
                "measured": measured / GIB,
                "predicted": found.peak / GIB,
                "error": 100 * (found.peak / measured - 1),
            }
        )
    return pd.DataFrame(records)


def reserved_share(again: bool) -> float:
    """Return how much more PyTorch's allocator held than was allocated, where this book measured both.

    Parameters
    ----------
    again : bool
        Whether all layers are computed again in the backward pass.

    Returns
    -------
    float
        The median over measured steps, without those that test the prediction.
    """
    kind = "full" if again else "none"
    steps = [row for row in facts.rows("training_steps") if row["part"] == "calibrates"]
    steps += facts.rows("training_memory")
    return statistics.median(
        int(row["peak_reserved_bytes"]) / int(row["peak_allocated_bytes"])
        for row in steps
        if row["recompute"] == kind
    )


def published_peaks() -> pd.DataFrame:
    """Return the peaks of training steps that others publish beside what this book says.

    Returns
    -------
    DataFrame
        Per published step: ``model``, ``framework``, ``published`` and ``predicted`` in GiB, ``states``, what
        weights, gradients and optimiser alone take, ``error`` in percent, ``note`` and ``source``.
    """
    shares = {again: reserved_share(again) for again in (False, True)}
    named = {title(model(name)): name for name in models()}
    records = []
    for row in facts.rows("training_peaks"):
        spec = read(json.loads(row["config"]), "published") if row["config"] else model(named[row["model"]])
        counts = (
            "adapter_rank",
            "frozen_inputs",
            "adapter_bytes",
            "logit_bytes",
            "product_bytes",
            "buffers",
            "data_parallel",
            "zero",
            "tensor_parallel",
            "pipeline_parallel",
            "microbatches",
        )
        asked: dict[str, Any] = {name: int(row[name]) for name in counts}
        asked |= {name: row[name] for name in TEXTS}
        asked |= {name: row[name] == "yes" for name in SWITCHES}
        if int(row["score_bytes"]):
            asked |= {"fused_attention": False, "score_bytes": int(row["score_bytes"])}
        found = training_memory(spec, int(row["batch"]), int(row["length"]), **asked)
        published = float(row["value"]) * UNITS[row["unit"]]
        predicted = found.peak * (shares[row["recompute"] == "full"] if row["held"] == "reserved" else 1)
        records.append(
            {
                "model": row["model"],
                "framework": row["framework"],
                "published": published / GIB,
                "predicted": predicted / GIB,
                "states": (found.weights + found.gradients + found.optimiser) / GIB,
                "error": 100 * (predicted / published - 1),
                "note": row["note"],
                "source": row["source"],
            }
        )
    return pd.DataFrame(records)


def by_framework(peaks: pd.DataFrame) -> pd.DataFrame:
    """Return the errors of published peaks by what ran the step.

    Parameters
    ----------
    peaks : DataFrame
        As `published_peaks` returns it.

    Returns
    -------
    DataFrame
        Per framework: ``rows``, and the ``median`` and the ``largest`` absolute error in percent.
    """
    grouped = peaks.assign(size=peaks["error"].abs()).groupby("framework", sort=False)["size"]
    return pd.DataFrame(
        {"rows": grouped.size(), "median": grouped.median(), "largest": grouped.max()}
    ).rename_axis("framework")


def median_errors(
    table: pd.DataFrame, steps: pd.DataFrame, published: pd.DataFrame
) -> dict[str, tuple[Any, str]]:
    """Return what the chapter records of these comparisons.

    Parameters
    ----------
    table : DataFrame
        As `by_quantity` returns it.
    steps, published : DataFrame
        As `training_steps` and `published_peaks` return them.

    Returns
    -------
    dict
        Values with their unit, by name, as `cohort.runner.record` takes them.
    """
    return {
        "logged_error": ([float(each) for each in table["median"]], "%"),
        "training_memory_error": (float(steps["error"].abs().median()), "%"),
        "published_peaks_error": (float(published["error"].abs().median()), "%"),
    }
