"""The data and the models as pandas tables, with units and provenance in ``DataFrame.attrs``.

``cohort.tables()`` lists the data tables; `cohort.table` reads one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cohort.architecture.attention import Compressed
from cohort.architecture.decoder import ModelSpec
from cohort.architecture.feedforward import Dense, Experts, Residual
from cohort.architecture.registered import ABSENT, known, specs, title
from cohort.architecture.variants import main_attention
from cohort.display.patterns import attention_pattern, experts_pattern
from cohort.display.words import DASH
from cohort.errors import extras
from cohort.registry.facts import Fact

with extras():
    import pandas as pd

GIB = 2**30


def _widths(model: ModelSpec) -> list[int]:
    """Return the distinct widths of the model's feed-forward networks, in the order of the layers."""
    found: list[int] = []
    for layer in model.layers:
        part = layer.feedforward
        parts = (part.dense, part.experts) if isinstance(part, Residual) else (part,)
        found.extend(each.width for each in parts if isinstance(each, (Dense, Experts)))
    return list(dict.fromkeys(found))


def shapes(models: Sequence[str]) -> pd.DataFrame:
    """Return the dimensions of each model, as its config gives them.

    Parameters
    ----------
    models : sequence of str
        Names or paths, as `cohort.model` takes them.

    Returns
    -------
    DataFrame
        One row a model: layers, hidden size, feed-forward width (several where layers differ), heads,
        key-value heads (a dash for latent attention, which has none), head size, and vocabulary rows.

    Raises
    ------
    UnknownNameError
        If a name is no model's; the message names the nearest.

    Examples
    --------
    >>> shapes(["llama-3-8b"])[["layers", "hidden", "KV heads"]].values.tolist()
    [[32, 4096, '8']]
    """
    return pd.DataFrame([_shape(spec) for spec in specs(models)]).set_index("model")


def _shape(spec: ModelSpec) -> dict[str, Any]:
    attention = main_attention(spec)
    kv_heads = 1 if isinstance(attention, Compressed) else getattr(attention, "kv_heads", None)
    head_dim = getattr(attention, "head_dim", None)
    return {
        "model": title(spec),
        "layers": len(spec.layers),
        "hidden": spec.hidden,
        "feed-forward": " + ".join(f"{width:,}" for width in _widths(spec)),
        "heads": attention.heads,
        "KV heads": f"{kv_heads:,}" if kv_heads else DASH,
        "head size": f"{head_dim:,}" if head_dim else DASH,
        "vocabulary": spec.vocabulary,
    }


def components(models: Sequence[str]) -> pd.DataFrame:
    """Return what each model is built of.

    Parameters
    ----------
    models : sequence of str
        Names or paths, as `cohort.model` takes them.

    Returns
    -------
    DataFrame
        One row a model: attention, experts, positions, normalisation, activation, in words; a
        dash where the data do not say.

    Raises
    ------
    UnknownNameError
        If a name is no model's; the message names the nearest.
    """
    records = []
    for spec in specs(models):
        stated = known(spec)
        records.append(
            {
                "model": title(spec),
                "attention": attention_pattern(spec),
                "experts": experts_pattern(spec),
                "positions": stated.get("positional_encoding", ABSENT).value or DASH,
                "normalisation": stated.get("normalisation", ABSENT).value or DASH,
                "activation": stated.get("activation", ABSENT).value or DASH,
            }
        )
    return pd.DataFrame(records).set_index("model")


TRILLION = 1e12


_TRAINING = {
    "released": "release_date",
    "training tokens (trillion)": "training_tokens",
    "training context (tokens)": "training_context",
    "inference context (tokens)": "inference_context",
    "alignment": "alignment",
}


def training_facts(models: Sequence[str]) -> pd.DataFrame:
    """Return what each model's makers say of its training.

    Parameters
    ----------
    models : sequence of str
        Names or paths, as `cohort.model` takes them.

    Returns
    -------
    DataFrame
        One row a model: date of release, training tokens in 1e12, training and inference context in
        tokens, alignment. ``attrs["status"]`` holds the status of each value, by row and column: a value is
        empty where it is ``undisclosed``, or where the data do not cover it.

    Raises
    ------
    UnknownNameError
        If a name is no model's; the message names the nearest.
    """
    records, status = [], {}
    for spec in specs(models):
        stated = known(spec)
        found = {column: stated.get(field, ABSENT) for column, field in _TRAINING.items()}
        status[title(spec)] = {column: fact.status for column, fact in found.items()}
        records.append(
            {"model": title(spec)} | {column: _value(column, fact) for column, fact in found.items()}
        )
    frame = pd.DataFrame(records).set_index("model")
    frame.attrs["status"] = status
    return frame


def released(models: Sequence[str]) -> pd.Series:
    """Return when models were released.

    Parameters
    ----------
    models : sequence of str
        Names or paths, as `cohort.model` takes them.

    Returns
    -------
    Series
        The titles of those that have a date of release, indexed by it, the earliest first.

    Raises
    ------
    UnknownNameError
        If a name is no model's; the message names the nearest.

    Examples
    --------
    >>> list(released(["llama-3-8b", "llama-2-7b"]))
    ['Llama 2 7B', 'Llama 3 8B']
    """
    dates = {title(spec): known(spec).get("release_date", ABSENT).value for spec in specs(models)}
    given = {name: date for name, date in dates.items() if date}
    series = pd.Series(list(given), index=pd.to_datetime(list(given.values())), dtype=object)
    return series.sort_index(kind="stable")


def _value(column: str, fact: Fact) -> Any:
    if not fact.value:
        return pd.NA
    if fact.unit != "tokens":
        return fact.value
    return fact.number / TRILLION if column.endswith("(trillion)") and fact.number else fact.number


def counts(models: Sequence[str]) -> pd.DataFrame:
    """Return the exact parameter counts of each model and where its weights are.

    Parameters
    ----------
    models : sequence of str
        Names or paths, as `cohort.model` takes them.

    Returns
    -------
    DataFrame
        Indexed by the model's title. Integers: ``total``, ``active`` (through which one token passes),
        ``active without embedding``, and the parts of the total: ``embedding`` (with the output head),
        ``attention``, ``dense feed-forward`` (shared experts and routers included), ``routed experts`` and
        ``other``. The parts add up to the total.

    Raises
    ------
    UnknownNameError
        If a name is no model's; the message names the nearest.

    Examples
    --------
    >>> int(counts(["mixtral-8x7b-v0.1"])["active"].item())
    12879925248
    """
    return pd.DataFrame([_count(spec) for spec in specs(models)]).set_index("model")


def _count(spec: ModelSpec) -> dict[str, Any]:
    attention = dense = routed = 0
    for layer in spec.layers:
        attention += sum(mixer.parameters(spec.hidden) for mixer in layer.mixers)
        experts = layer.experts
        inside = experts.count * experts.expert_parameters(spec.hidden) if experts else 0
        routed += inside
        dense += layer.feedforward_parameters(spec.hidden) - inside
    embedding = spec.embedding_parameters + spec.head_parameters
    return {
        "model": title(spec),
        "total": spec.parameters,
        "active": spec.active_parameters,
        "active without embedding": spec.active_parameters_without_embedding,
        "embedding": embedding,
        "attention": attention,
        "dense feed-forward": dense,
        "routed experts": routed,
        "other": spec.parameters - embedding - attention - dense - routed,
    }


def caches(models: Sequence[str], context: int, bytes_per_element: float = 2) -> pd.DataFrame:
    """Return the key-value cache of each model.

    Parameters
    ----------
    models : sequence of str
        Names or paths.
    context : int
        Tokens of one sequence.
    bytes_per_element : float
        Bytes of one cached number.

    Returns
    -------
    DataFrame
        Per model: ``attention`` (the kind that fills the cache, such as GQA), ``first token`` (bytes that the
        first token adds), ``cache`` (bytes at that context), ``per token`` (their ratio) and
        ``context limit``: the longest context that the makers offer, else that of the config.

    Raises
    ------
    UnknownNameError
        If a name is no model's; the message names the nearest.

    Examples
    --------
    >>> int(caches(["llama-3-8b"], context=8192)["cache"].item())
    1073741824
    """
    records = []
    for spec in specs(models):
        cache = spec.kv_cache_bytes(context, bytes_per_element=bytes_per_element)
        records.append(
            {
                "model": title(spec),
                "attention": main_attention(spec).kind,
                "first token": spec.kv_cache_bytes(1, bytes_per_element=bytes_per_element),
                "cache": cache,
                "per token": cache / context,
                "context limit": known(spec).get("inference_context", ABSENT).number or spec.context_limit,
            }
        )
    return pd.DataFrame(records).set_index("model")


def caches_by_length(
    models: Sequence[str], lengths: Sequence[int], bytes_per_element: float = 2
) -> pd.DataFrame:
    """Return the cache per token of context, by length.

    Parameters
    ----------
    models : sequence of str
        Names or paths, as `cohort.model` takes them.
    lengths : sequence of int
        Contexts, in tokens.
    bytes_per_element : float
        Bytes of one cached number.

    Returns
    -------
    DataFrame
        Bytes: one row a model, one column a length.
    """
    return pd.DataFrame(
        {length: caches(models, length, bytes_per_element)["per token"] for length in lengths}
    )


__all__ = [
    "attention_pattern",
    "caches",
    "caches_by_length",
    "components",
    "counts",
    "experts_pattern",
    "released",
    "shapes",
    "training_facts",
]
