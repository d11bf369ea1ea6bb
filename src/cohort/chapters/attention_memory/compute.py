"""How compute and memory of attention grow with the context, as tables."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from cohort.architecture.registered import model as read_model
from cohort.architecture.registered import specs, title


def growth(model: str, lengths: Sequence[int], bytes_per_element: float = 2) -> pd.DataFrame:
    """Return what grows with the context of one sequence, by length.

    Parameters
    ----------
    model : str
        A name or a path.
    lengths : sequence of int
        Tokens of the sequence, the rows.
    bytes_per_element : float
        Bytes of one cached number.

    Returns
    -------
    DataFrame
        Per length: ``prefill FLOPs`` and ``step FLOPs`` of scores and weighted values (of the whole prompt,
        and of the next token), ``scores`` (bytes that naive attention writes in one layer) and ``cache`` in
        bytes.

    Raises
    ------
    CohortError
        If there is no such model, or a value is out of its range.
    """
    spec = read_model(model)
    records = [
        {
            "tokens": length,
            "prefill FLOPs": length * (spec.forward_flops(length) - 2.0 * spec.matmul_parameters),
            "step FLOPs": spec.decode_flops(length) - 2.0 * spec.matmul_parameters,
            "scores": spec.score_bytes(length),
            "cache": spec.kv_cache_bytes(length, bytes_per_element=bytes_per_element),
        }
        for length in lengths
    ]
    return pd.DataFrame(records).set_index("tokens")


def last_power(values: pd.Series) -> float:
    """Return the power of its index with which a series grows at its end.

    Parameters
    ----------
    values : Series
        Positive, with a positive index of at least two entries.

    Returns
    -------
    float
        The exponent between the last two entries.
    """
    (one, first), (other, second) = list(values.items())[-2:]
    return math.log(second / first) / math.log(float(str(other)) / float(str(one)))


def last_powers(caches: pd.DataFrame) -> pd.Series:
    """Return the power of the context with which each model's cache grows at its end.

    Parameters
    ----------
    caches : DataFrame
        As `tables.cache_curves` returns it: one row a model, one column a length.

    Returns
    -------
    Series
        Exponents between the last two lengths, by model.
    """
    return pd.Series({name: last_power(row) for name, row in caches.iterrows()}, dtype=float)


def attention_share(models: Sequence[str], context: int) -> pd.DataFrame:
    """Return how much of a token's compute attention over the context takes.

    Parameters
    ----------
    models : sequence of str
        Names or paths.
    context : int
        Tokens that are read at once.

    Returns
    -------
    DataFrame
        Per model, in TFLOP: ``weights`` and ``attention`` of reading the whole context causally, ``share`` of
        attention in both, and ``full`` its share when the whole square is counted.

    Raises
    ------
    CohortError
        If there is no such model, or the context is out of its range.
    """
    records = []
    for spec in specs(models):
        weights = 2.0 * spec.matmul_parameters
        causal = spec.forward_flops(context) - weights
        square = spec.forward_flops(context, causal=False) - weights
        records.append(
            {
                "model": title(spec),
                "weights": weights * context / 1e12,
                "attention": causal * context / 1e12,
                "share": causal / (weights + causal),
                "full": square / (weights + square),
            }
        )
    return pd.DataFrame(records).set_index("model").sort_values("share", ascending=False, kind="stable")
