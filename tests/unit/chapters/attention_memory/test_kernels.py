"""Attention in NumPy: the two ways agree, equal a plain loop, and need the memory that the formulas say."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cohort.chapters.attention_memory import kernels
from cohort.errors import ParameterError


def arrays(seed, heads, tokens, size):
    rng = np.random.default_rng(seed)
    return [rng.standard_normal((heads, tokens, size)) for _ in range(3)]


def by_hand(queries, keys, values, causal):
    """Attention written out: one score after the other, in plain Python."""
    heads, tokens, size = queries.shape
    output = np.zeros_like(queries)
    for head in range(heads):
        for query in range(tokens):
            seen = range(query + 1) if causal else range(tokens)
            scores = [sum(queries[head, query] * keys[head, key]) / math.sqrt(size) for key in seen]
            weights = [math.exp(score) for score in scores]
            for key, weight in zip(seen, weights, strict=True):
                output[head, query] += weight / sum(weights) * values[head, key]
    return output


@pytest.mark.parametrize("causal", [True, False])
def test_both_ways_are_attention_written_out(causal):
    given_ = arrays(1, 2, 13, 5)
    expected = by_hand(*given_, causal)
    assert np.abs(kernels.naive_attention(*given_, causal) - expected).max() < 1e-12
    assert np.abs(kernels.tiled_attention(*given_, causal, tile=4) - expected).max() < 1e-12


@given(
    seed=st.integers(0, 2**31),
    heads=st.integers(1, 3),
    tokens=st.integers(1, 70),
    size=st.integers(1, 9),
    tile=st.integers(1, 80),
    causal=st.booleans(),
)
@settings(deadline=None, max_examples=60)
def test_tiles_of_any_size_give_the_same(seed, heads, tokens, size, tile, causal):
    given_ = arrays(seed, heads, tokens, size)
    naive = kernels.naive_attention(*given_, causal)
    assert np.abs(naive - kernels.tiled_attention(*given_, causal, tile)).max() < 1e-12


def test_large_scores_do_not_overflow():
    queries, keys, values = arrays(2, 1, 20, 4)
    tiled = kernels.tiled_attention(1e3 * queries, 1e3 * keys, values, tile=3)
    assert np.isfinite(tiled).all()
    assert np.abs(tiled - kernels.naive_attention(1e3 * queries, 1e3 * keys, values)).max() < 1e-12


def test_the_naive_peak_is_two_squares_and_the_result():
    """Two heads, 600 tokens of 64 numbers in double precision: 2 x 2 x 600 x 600 x 8 and 2 x 600 x 64 x 8."""
    _, peak = kernels.peak_bytes(kernels.naive_attention, *arrays(3, 2, 600, 64))
    assert peak == pytest.approx(2 * 2 * 600**2 * 8 + 2 * 600 * 64 * 8, rel=0.02)


@pytest.mark.slow
def test_peaks_grow_with_the_square_and_with_the_line():
    frame = kernels.measure_kernels([512, 1024, 2048])
    assert kernels.exponent(frame["naive"]) == pytest.approx(2, abs=0.05)
    tiles = frame["tiled"] - frame["tiled derived"]
    assert tiles.max() - tiles.min() < 2048  # as much at any length
    assert tiles.max() < 0.3 * frame["tiled derived"].min()
    assert kernels.exponent(frame["tiled"] - tiles.min()) == pytest.approx(1, abs=0.001)
    assert frame["difference"].max() < 1e-12
    assert (frame["naive"] / frame["naive derived"] - 1).abs().max() < 0.02


def test_a_peak_counts_what_was_let_go_and_not_what_was_given():
    given_ = np.ones(10**6)
    result, peak = kernels.peak_bytes(lambda array: (array + 1)[:1].copy(), given_)
    assert result.shape == (1,)
    assert 8e6 <= peak < 8.1e6


@pytest.mark.parametrize(
    "call",
    [
        lambda a, b: kernels.naive_attention(a, a, b),
        lambda a, b: kernels.tiled_attention(a[0], a[0], a[0]),
        lambda a, b: kernels.tiled_attention(a, a, a, tile=0),
    ],
)
def test_impossible_arrays_are_refused(call):
    with pytest.raises(ParameterError):
        call(np.ones((1, 4, 2)), np.ones((1, 5, 2)))
