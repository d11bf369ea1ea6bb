"""The attention variants: weights, cached tokens, scores."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cohort.attention import GroupedQuery, Latent, mean_attended
from cohort.errors import ConfigError

SMALL = st.integers(1, 300)


def brute_force(context, causal, window=None, chunk=None):
    """Count the keys of every query, one by one."""
    total = 0
    for query in range(context):
        for key in range(context):
            if causal and key > query:
                continue
            if chunk is not None and query // chunk != key // chunk:
                continue
            if window is not None and causal and query - key >= window:
                continue
            total += 1
    return total / context


@given(context=st.integers(1, 40), window=st.none() | st.integers(1, 50), causal=st.just(True))
def test_mean_attended_is_what_counting_gives_with_a_window(context, window, causal):
    assert mean_attended(context, causal, window) == pytest.approx(
        brute_force(context, causal, window), rel=1e-12
    )


@given(context=st.integers(1, 40), chunk=st.integers(1, 50), causal=st.booleans())
def test_mean_attended_is_what_counting_gives_with_chunks(context, chunk, causal):
    expected = brute_force(context, causal, chunk=chunk)
    assert mean_attended(context, causal, chunk=chunk) == pytest.approx(expected, rel=1e-12)


def test_the_full_square_is_the_context():
    assert mean_attended(4096, causal=False) == 4096
    assert mean_attended(4096) == 2048.5


def test_kinds():
    assert GroupedQuery(32, 32, 128).kind == "MHA"
    assert GroupedQuery(32, 8, 128).kind == "GQA"
    assert GroupedQuery(8, 1, 256).kind == "MQA"
    assert Latent(16, 512, None, 64, 128, 128).kind == "MLA"


@given(context=SMALL, window=SMALL, sinks=st.integers(0, 8))
def test_a_window_bounds_the_cache(context, window, sinks):
    attention = GroupedQuery(4, 2, 16, window=window, sinks=sinks)
    assert attention.cached_tokens(context) == min(context, window + sinks)
    assert attention.cache_elements(context) == 2 * 2 * 16 * attention.cached_tokens(context)


@given(context=SMALL, chunk=SMALL)
def test_chunks_hold_at_most_one(context, chunk):
    assert GroupedQuery(4, 2, 16, chunk=chunk).cached_tokens(context) == min(context, chunk)


def test_latent_cache_is_neither_doubled_nor_per_head():
    for heads in (1, 16, 128):
        assert Latent(heads, 512, 1536, 64, 128, 128).cache_elements(1) == 576


def test_grouping_changes_the_cache_and_not_the_scores():
    many, few = GroupedQuery(32, 32, 128), GroupedQuery(32, 4, 128)
    assert many.cache_elements(7) == 8 * few.cache_elements(7)
    assert many.score_flops(4096) == few.score_flops(4096)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"heads": 10, "kv_heads": 4, "head_dim": 64}, "multiple of kv_heads"),
        ({"heads": 0, "kv_heads": 1, "head_dim": 64}, "heads is 0"),
        ({"heads": 8, "kv_heads": 8, "head_dim": True}, "head_dim is True"),
        ({"heads": 8, "kv_heads": 8, "head_dim": 2**41}, "head_dim"),
        ({"heads": 8, "kv_heads": 8, "head_dim": 64, "window": 0}, "window is 0"),
        ({"heads": 8, "kv_heads": 8, "head_dim": 64, "window": 4, "chunk": 4}, "not both"),
        ({"heads": 8, "kv_heads": 8, "head_dim": 64, "sinks": 4}, "besides a window"),
    ],
)
def test_impossible_attention_is_refused(arguments, words):
    with pytest.raises(ConfigError, match=words):
        GroupedQuery(**arguments)


def test_impossible_latent_attention_is_refused():
    with pytest.raises(ConfigError, match="q_rank"):
        Latent(8, 512, 0, 64, 128, 128)
