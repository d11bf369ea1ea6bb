"""Attention in NumPy, once with the whole square of scores and once tile by tile, to measure what each needs.

Both compute softmax(Q K^T / sqrt(d)) V for several heads. They are written to be read and measured, not to be
fast.
"""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cohort.architecture.attention import naive_score_bytes
from cohort.errors import ParameterError, integer

Array = NDArray[np.float64]


WIDTH = 8  # bytes of a number in double precision


def naive_attention(queries: Array, keys: Array, values: Array, causal: bool = True) -> Array:
    """Return attention that holds all scores at once, before and after the softmax.

    Parameters
    ----------
    queries, keys, values : array of shape (heads, tokens, head size)
        In double precision.
    causal : bool
        Whether a query sees only itself and what came before.

    Returns
    -------
    array of shape (heads, tokens, head size)
        The weighted values.

    Raises
    ------
    ParameterError
        If the three arrays are not of one shape with three axes.
    """
    _check(queries, keys, values)
    scores = queries @ keys.transpose(0, 2, 1)
    scores /= np.sqrt(queries.shape[2])
    if causal:
        for place in range(queries.shape[1]):
            scores[:, place, place + 1 :] = -np.inf
    weights = scores - scores.max(axis=2, keepdims=True)
    np.exp(weights, out=weights)
    weights /= weights.sum(axis=2, keepdims=True)
    return np.asarray(weights @ values)


def tiled_attention(queries: Array, keys: Array, values: Array, causal: bool = True, tile: int = 32) -> Array:
    """Return attention that holds one tile of scores at a time, as FlashAttention does.

    The softmax is computed online: each row keeps the largest score so far and the sum of exponentials, and
    what was added up is scaled down when a larger score comes :cite:p:`dao2022flashattention`.

    Parameters
    ----------
    queries, keys, values : array of shape (heads, tokens, head size)
        In double precision.
    causal : bool
        Whether a query sees only itself and what came before. Tiles that no query sees are left out.
    tile : int
        Queries and keys of a tile.

    Returns
    -------
    array of shape (heads, tokens, head size)
        The weighted values.

    Raises
    ------
    ParameterError
        If the three arrays are not of one shape with three axes, or the tile is not a positive integer.
    """
    _check(queries, keys, values)
    tile = integer("tile", tile, 1, 2**20, ParameterError, "tokens")
    output, tokens = np.zeros_like(queries), queries.shape[1]
    for start in range(0, tokens, tile):
        rows = slice(start, start + tile)
        largest = np.full((*queries[:, rows].shape[:2], 1), -np.inf)
        total = np.zeros_like(largest)
        for begin in range(0, min(start + tile, tokens) if causal else tokens, tile):
            columns = slice(begin, begin + tile)
            scores = _scores(queries[:, rows], keys[:, columns], start - begin if causal else None)
            highest = np.maximum(largest, scores.max(axis=2, keepdims=True))
            shrink, weights = np.exp(largest - highest), np.exp(scores - highest)
            total = total * shrink + weights.sum(axis=2, keepdims=True)
            output[:, rows] = output[:, rows] * shrink + weights @ values[:, columns]
            largest = highest
        output[:, rows] /= total
    return output


def _scores(queries: Array, keys: Array, ahead: int | None) -> Array:
    """Return the scores of a tile; `ahead` is how many tokens its queries are ahead of its keys."""
    scores = queries @ keys.transpose(0, 2, 1) / np.sqrt(queries.shape[2])
    if ahead is not None and ahead < keys.shape[1] - 1:  # all others hide nothing
        places = np.arange(queries.shape[1])[:, None] + ahead
        scores[:, places < np.arange(keys.shape[1])] = -np.inf
    return np.asarray(scores)


def _check(queries: Array, keys: Array, values: Array) -> None:
    shapes = [each.shape for each in (queries, keys, values)]
    if len(set(shapes)) != 1 or queries.ndim != 3:
        raise ParameterError(
            f"queries, keys and values have the shapes {', '.join(map(str, shapes))}, "
            "but must have one: heads, tokens, head size"
        )


def peak_bytes(function: Callable[..., Array], *arguments: Array) -> tuple[Array, int]:
    """Return what a function returns, and the most memory that it held at once.

    Parameters
    ----------
    function : callable
        Called once; what it allocates through Python is traced, NumPy's arrays among it.
    *arguments : array
        What it is given; these are not counted.

    Returns
    -------
    array, int
        The result, and the peak in bytes, the result included.
    """
    running = tracemalloc.is_tracing()
    if not running:
        tracemalloc.start()
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    try:
        result = function(*arguments)
        return result, tracemalloc.get_traced_memory()[1] - before
    finally:
        if not running:
            tracemalloc.stop()


def measure_kernels(
    lengths: Sequence[int], heads: int = 2, head_dim: int = 64, seed: int = 0
) -> pd.DataFrame:
    """Return the traced peak memory of both ways to compute attention, beside what the formulas say.

    Parameters
    ----------
    lengths : sequence of int
        Tokens of the sequences.
    heads, head_dim : int
        Size of the layer.
    seed : int
        Of the random queries, keys and values.

    Returns
    -------
    DataFrame
        Per length: peak bytes ``naive`` and ``tiled``; by the formulas ``naive derived`` (two squares and the
        result) and ``tiled derived`` (the result alone: tiles are of constant size); and the largest
        ``difference`` between the two results.
    """
    rng, records = np.random.default_rng(seed), []
    for length in lengths:
        arrays = [rng.standard_normal((heads, length, head_dim)) for _ in range(3)]
        naive, most = peak_bytes(naive_attention, *arrays)
        tiled, least = peak_bytes(tiled_attention, *arrays)
        result = WIDTH * heads * length * head_dim
        records.append(
            {
                "tokens": length,
                "naive": most,
                "naive derived": naive_score_bytes(length, heads, bytes_per_element=WIDTH) + result,
                "tiled": least,
                "tiled derived": result,
                "difference": float(np.abs(naive - tiled).max()),
            }
        )
    return pd.DataFrame(records).set_index("tokens")


def exponent(values: pd.Series) -> float:
    """Return the power of its index with which a series grows, fitted to the logarithms of both.

    Parameters
    ----------
    values : Series
        Positive, with a positive index of at least two entries.

    Returns
    -------
    float
        The exponent.
    """
    slope, _ = np.polyfit(np.log(values.index.to_numpy(dtype=float)), np.log(values.to_numpy(dtype=float)), 1)
    return float(slope)
