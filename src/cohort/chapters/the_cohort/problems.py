"""Problems of the chapter `the_cohort`, worked out with its own models."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from cohort.architecture.attention import GroupedQuery
from cohort.architecture.decoder import ModelSpec
from cohort.architecture.feedforward import Dense
from cohort.architecture.registered import specs, title
from cohort.display.phrases import power_of_ten
from cohort.display.problems import Problem
from cohort.display.words import significant


def worked(models: Sequence[str], ratios: pd.DataFrame, chinchilla: float) -> list[Problem]:
    """Return three problems with their solutions: a dense model's size, a mixture's work, text for a size.

    Parameters
    ----------
    models : sequence of str
        Names or paths.
    ratios : DataFrame
        As `tables.tokens_per_parameter` returns it.
    chinchilla : float
        Tokens per parameter that Chinchilla saw.

    Returns
    -------
    list of Problem
        Only those that the models give rise to: without a mixture there is none on experts.

    Raises
    ------
    CohortError
        If there is no such model.
    """
    known = specs(models)
    plain = next((spec for spec in known if _is_plain(spec)), None)
    mixture = next((spec for spec in known if spec.experts and _is_even(spec)), None)
    return [
        *([_size(plain)] if plain else []),
        *([_work(mixture)] if mixture else []),
        *([_text(ratios, chinchilla)] if len(ratios) else []),
    ]


def _is_plain(spec: ModelSpec) -> bool:
    """Tell whether seven numbers give all matrices: equal layers, gated networks, no biases."""
    layer = spec.layers[0]
    attention, network = layer.attention, layer.feedforward
    return (
        set(spec.layers) == {layer}
        and isinstance(attention, GroupedQuery)
        and isinstance(network, Dense)
        and network.gated
        and _matrices(spec) < spec.parameters < 1.001 * _matrices(spec)
    )


def _matrices(spec: ModelSpec) -> int:
    """Return the weights of embedding, head, projections and networks."""
    return spec.embedding_parameters + spec.head_parameters + len(spec.layers) * _layer(spec)


def _layer(spec: ModelSpec) -> int:
    attention, network = spec.layers[0].attention, spec.layers[0].feedforward
    assert isinstance(attention, GroupedQuery) and isinstance(network, Dense)
    heads = 2 * attention.heads + 2 * attention.kv_heads
    return heads * attention.head_dim * spec.hidden + 3 * spec.hidden * network.width


def _size(spec: ModelSpec) -> Problem:
    attention, network = spec.layers[0].attention, spec.layers[0].feedforward
    assert isinstance(attention, GroupedQuery) and isinstance(network, Dense)
    name, layers, hidden, width = title(spec), len(spec.layers), spec.hidden, network.width
    queries, keys = attention.heads * attention.head_dim, attention.kv_heads * attention.head_dim
    ends = spec.embedding_parameters + spec.head_parameters
    tables = 1 if spec.tied else 2
    projections = 2 * hidden * (queries + keys)
    rest = spec.parameters - _matrices(spec)
    return Problem(
        f"{name} has {layers} layers, {hidden:,} wide, with {attention.heads} heads and {attention.kv_heads} "
        f"key-value heads of {attention.head_dim}, gated networks {width:,} wide, and a vocabulary "
        f"of {spec.vocabulary:,}{' in a table that its head shares' if spec.tied else ''}. How many weights "
        "is that?",
        (
            f"Embedding{'' if spec.tied else ' and head'}: {tables} × {spec.vocabulary:,} × {hidden:,} = "
            f"{ends:,}.",
            f"Attention of a layer, queries and outputs, keys and values: 2 × {hidden:,} × ({queries:,} + "
            f"{keys:,}) = {projections:,}.",
            f"Network of a layer, three matrices: 3 × {hidden:,} × {width:,} = {3 * hidden * width:,}.",
            f"{ends:,} + {layers} × ({projections:,} + {3 * hidden * width:,}) = {_matrices(spec):,}.",
            f"What is missing are {rest:,} weights of the norms and the like.",
        ),
        f"{spec.parameters:,} weights.",
    )


def _is_even(spec: ModelSpec) -> bool:
    """Tell whether every layer with experts routes a token to the same share of them."""
    return spec.active_parameters == spec.parameters - _idle(spec)


def _idle(spec: ModelSpec) -> int:
    experts = spec.experts
    assert experts is not None
    return _routed(spec) * (experts.count - experts.active) // experts.count


def _routed(spec: ModelSpec) -> int:
    return sum(
        layer.experts.count * layer.experts.expert_parameters(spec.hidden)
        for layer in spec.layers
        if layer.experts
    )


def _billion(number: float, digits: int = 3) -> str:
    return f"{significant(number / 1e9, digits)} billion"


def _work(spec: ModelSpec) -> Problem:
    experts = spec.experts
    assert experts is not None
    total, routed, idle = spec.parameters, _routed(spec), _idle(spec)
    resting, used = experts.count - experts.active, total - idle
    return Problem(
        f"{title(spec)} holds {_billion(total, 5)} weights, {_billion(routed, 5)} of them in routed experts: "
        f"{experts.count} a layer, of which a token visits {experts.active}. How many weights does it "
        "meet?",
        (
            f"Of {experts.count} experts {resting} rest: {significant(routed / 1e9, 5)} × {resting} ÷ "
            f"{experts.count} = {_billion(idle, 5)} weights.",
            f"The others work: {significant(total / 1e9, 5)} − {significant(idle / 1e9, 5)} billion.",
        ),
        f"{_billion(used)}, {significant(100 * used / total, 2)}% of all.",
    )


def _text(ratios: pd.DataFrame, chinchilla: float) -> Problem:
    name = str(ratios["per active"].idxmax())
    tokens, ratio = float(ratios["tokens"].loc[name]), float(ratios["per active"].loc[name])
    active, times = tokens / ratio, ratio / chinchilla
    compute = f"{power_of_ten(6 * active * tokens)} FLOP"
    return Problem(
        f"{name} saw {significant(tokens / 1e12)} trillion tokens and puts {_billion(active)} weights to "
        f"work on each. Chinchilla saw {significant(chinchilla)} tokens per weight. How far beyond that is "
        "this, and how much computing is it, at six operations per weight and token?",
        (
            f"{significant(tokens / 1e12)}e12 ÷ {significant(active / 1e9)}e9 = {significant(ratio)} tokens "
            "per weight.",
            f"{significant(ratio)} ÷ {significant(chinchilla)} = {significant(times)}.",
            f"6 × {significant(active / 1e9)}e9 × {significant(tokens / 1e12)}e12 = {compute}.",
        ),
        f"{significant(times)} times Chinchilla's ratio, and {compute}.",
    )
