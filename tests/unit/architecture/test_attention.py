"""The attention variants: weights, cached tokens, scores."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cohort
from cohort.architecture import attention, dtypes
from cohort.architecture.attention import (
    BlockSparse,
    Compressed,
    GroupedQuery,
    Indexer,
    Latent,
    mean_attended,
    mean_blocks,
)
from cohort.architecture.linear_attention import GatedDelta, Lightning
from cohort.errors import ConfigError, ParameterError, UnknownNameError

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


INDEXER = Indexer(heads=3, head_dim=14, top_k=7)
SPARSE = Compressed(8, 20, 44, 4, 6, window=5, ratio=4, indexer=INDEXER)
HEAVY = Compressed(8, 20, 44, 4, 6, window=5, ratio=128)
SLIDING = Compressed(8, 20, 44, 4, 6, window=5)
VARIANTS = {
    "full": GroupedQuery(8, 2, 16),
    "window": GroupedQuery(8, 2, 16, window=37),
    "window and sinks": GroupedQuery(8, 2, 16, window=37, sinks=4),
    "chunks": GroupedQuery(8, 2, 16, chunk=32),
    "selected blocks": GroupedQuery(8, 2, 16, sparse=BlockSparse(16, 3, 4)),
    "sparse blocks": SPARSE,
    "long blocks": HEAVY,
    "window alone": SLIDING,
    "linear": Lightning(8, 20),
    "gated delta": GatedDelta(2, 6, 14, 18, 3),
}


@pytest.mark.parametrize("name", VARIANTS)
@given(context=st.integers(1, 400))
def test_decoding_token_by_token_costs_what_one_causal_pass_does(name, context):
    variant = VARIANTS[name]
    steps = sum(variant.decode_flops(length) for length in range(1, context + 1))
    assert steps == pytest.approx(context * variant.score_flops(context), rel=1e-12)


@given(context=st.integers(1, 300), ratio=st.integers(1, 40), most=st.none() | st.integers(1, 40))
def test_mean_blocks_is_what_counting_gives(context, ratio, most):
    seen = [min(place // ratio, most or context) for place in range(1, context + 1)]
    assert mean_blocks(context, ratio, most) == pytest.approx(sum(seen) / context, rel=1e-12)


@given(
    context=st.integers(1, 120), block=st.integers(1, 9), local=st.integers(1, 5), stride=st.integers(1, 5)
)
def test_selected_blocks_are_what_counting_gives(context, block, local, stride):
    """Every head takes another one of `stride` far blocks: over `stride` heads, each is seen once."""
    seen = 0
    for query in range(context):
        for key in range(query + 1):
            near = query // block - key // block < local
            seen += stride if near else 1
    expected = seen / stride / context
    assert BlockSparse(block, local, stride).mean_attended(context) == pytest.approx(expected, rel=1e-12)


def test_selected_blocks_of_phi_3_small_by_hand():
    """At 8,192 tokens, the last query sees 1,024 keys nearby and an eighth of the other 7,168."""
    assert BlockSparse(64, 16, 8).attended(8192) == 1024 + 7168 / 8


@pytest.mark.parametrize(
    ("variant", "expected"),
    [
        (GroupedQuery(32, 8, 128), 2 * 8 * 128 * 1000),
        (GroupedQuery(32, 8, 128, shared_values=True), 2 * 8 * 128 * 1000),
        (GroupedQuery(32, 8, 128, shared_values=True, values_cached=False), 8 * 128 * 1000),
        (Latent(16, 512, 1536, 64, 128, 128, indexer=Indexer(64, 128, 2048)), (576 + 128) * 1000),
        (SPARSE, 20 * 5 + (20 + 14) * 250),
        (HEAVY, 20 * 5 + 20 * 7),
        (SLIDING, 20 * 5),
        (Lightning(8, 20), 0),
        (GatedDelta(2, 6, 14, 18, 3), 3 * (2 * 2 * 14 + 6 * 18)),
    ],
)
def test_cached_numbers_at_a_thousand_tokens(variant, expected):
    assert variant.cache_elements(1000) == expected


@pytest.mark.parametrize(
    ("variant", "expected"),
    [
        (GroupedQuery(32, 8, 128), 0),
        (Lightning(64, 128), 64 * 128 * 128),
        (GatedDelta(16, 32, 128, 128, 4), 32 * 128 * 128),
        (SLIDING, 0),
        (HEAVY, 2 * 128 * 20),
        (SPARSE, 2 * (2 * 4) * 2 * (20 + 14)),
    ],
)
def test_states_do_not_depend_on_the_context(variant, expected):
    assert variant.state_elements() == expected


@pytest.mark.parametrize(
    ("variant", "devices", "share"),
    [
        (GroupedQuery(64, 8, 128), 2, 1 / 2),
        (GroupedQuery(64, 8, 128), 8, 1 / 8),
        (GroupedQuery(64, 8, 128), 16, 1 / 8),  # a head does not split
        (GroupedQuery(8, 1, 256), 8, 1),
        (GroupedQuery(12, 6, 64), 4, 2 / 6),  # the fullest device has two
        (Latent(128, 512, 1536, 64, 128, 128), 8, 1),
        (SPARSE, 4, 1),
    ],
)
def test_devices_share_heads_and_copy_what_all_heads_need(variant, devices, share):
    assert variant.cache_elements(999, devices=devices) == share * variant.cache_elements(999)


def test_devices_share_the_heads_of_states():
    assert Lightning(64, 128).state_elements(8) == 8 * 128**2
    assert GatedDelta(16, 32, 128, 128, 4).state_elements(64) == 128**2
    assert GatedDelta(16, 32, 128, 128, 4).cache_elements(9, devices=4) == 4 * (2 * 4 * 128 + 8 * 128)


@given(context=SMALL, block=st.integers(1, 64), name=st.sampled_from(sorted(VARIANTS)))
def test_blocks_waste_less_than_two_of_them(context, block, name):
    variant = VARIANTS[name]
    exact, paged = variant.cache_elements(context), variant.cache_elements(context, block)
    assert variant.cache_elements(context, block=1) == exact
    per_token = max(variant.cache_elements(1), 1)
    if isinstance(variant, Compressed):
        per_token += 20 + 14
    waste = 3 if name == "window and sinks" else 2
    assert exact <= paged <= exact + waste * block * per_token


@given(
    context=st.integers(1, 200), window=st.integers(1, 60), block=st.integers(1, 20), sinks=st.integers(0, 9)
)
def test_a_paged_window_takes_the_most_blocks_it_can_touch(context, window, block, sinks):
    paged = GroupedQuery(1, 1, 1, window=window, sinks=sinks).cache_elements(context, block) // 2
    most = 0
    for end in range(1, context + 1):
        kept = [*range(min(sinks, end)), *range(max(0, end - window), end)]
        most = max(most, len({token // block for token in kept}))
    assert most * block <= paged


@given(context=st.integers(63, 200), block=st.integers(1, 20))
def test_a_paged_window_in_a_long_text_takes_no_block_more(context, block):
    paged = GroupedQuery(1, 1, 1, window=23).cache_elements(context, block) // 2
    touched = (len({token // block for token in range(end - 23, end)}) for end in range(23, context + 1))
    assert paged == max(touched) * block


def test_chunks_that_fill_whole_blocks_waste_nothing():
    assert GroupedQuery(1, 1, 1, chunk=64).cache_elements(1000, block=16) == 2 * 64
    assert GroupedQuery(1, 1, 1, window=64).cache_elements(1000, block=16) == 2 * 80


# Dao et al. (2022), table 21: memory in MB (2**20 bytes) of a forward and a backward pass, 8 heads of 64 at
# batch 16, fp16.
NAIVE_MB = {128: 36, 256: 104, 512: 336, 1024: 1184, 2048: 4416, 4096: 17024}
FLASH_MB = {1024: 209, 2048: 418, 4096: 836, 8192: 1672, 16_384: 3344, 32_768: 6688, 65_536: 13376}
FLASH_SHORT_MB = {128: (22, 26.125), 256: (44, 52.25), 512: (104, 104.5)}  # printed, and by the formula


@pytest.mark.parametrize(("length", "printed"), NAIVE_MB.items())
def test_naive_attention_takes_the_published_memory(length, printed):
    assert attention.naive_training_bytes(length, 8, 64, 16) == printed * 2**20


@pytest.mark.parametrize(("length", "printed"), FLASH_MB.items())
def test_flash_attention_takes_the_published_memory(length, printed):
    assert attention.tiled_training_bytes(length, 8, 64, 16) == printed * 2**20


@pytest.mark.parametrize(("length", "values"), FLASH_SHORT_MB.items())
def test_three_short_rows_are_printed_lower(length, values):
    printed, derived = values
    assert attention.tiled_training_bytes(length, 8, 64, 16) == derived * 2**20
    assert printed < derived


def test_scores_are_a_square_and_normalisers_a_line():
    assert attention.naive_score_bytes(4096, 32) == 2 * 32 * 4096**2 * 2
    assert attention.naive_score_bytes(8192, 32) == 4 * attention.naive_score_bytes(4096, 32)
    assert attention.tiled_score_bytes(8192, 32) == 2 * attention.tiled_score_bytes(4096, 32)


@pytest.mark.parametrize(
    "call",
    [
        lambda: attention.naive_score_bytes(0, 8),
        lambda: attention.naive_score_bytes(8, 8, bytes_per_element=True),
        lambda: attention.tiled_score_bytes(8, 0),
        lambda: attention.naive_training_bytes(8, 8, 64, 0),
        lambda: attention.tiled_training_bytes(8, 8, 0.5, 1),
        lambda: attention.tiled_training_bytes(2**41, 8, 64, 1),
    ],
)
def test_impossible_score_memory_is_refused(call):
    with pytest.raises(ParameterError):
        call()


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("fp32", 4),
        ("bf16", 2),
        ("fp16", 2),
        ("fp8", 1),
        ("int8", 34 / 32),  # llama.cpp's Q8_0: 34 bytes for 32 numbers
        ("int4", 18 / 32),  # its Q4_0: 18 bytes
        ("fp4", 17 / 32),  # MXFP4: 16 bytes and a scale of one
    ],
)
def test_precisions_carry_their_scales(name, size):
    assert dtypes.precision(name).bytes_per_element == size
    assert name in dtypes.precisions()


def test_an_unknown_precision_names_the_nearest():
    with pytest.raises(UnknownNameError, match="did you mean 'bf16'"):
        dtypes.precision("bf61")


def test_absorbed_decoding_works_on_the_compressed_vectors():
    plain = Latent(128, 512, 1536, 64, 128, 128)
    assert plain.decode_flops(1000) == 1000 * 2 * 128 * (576 + 512)
    assert plain.score_flops(1000, causal=False) == 1000 * 2 * 128 * (192 + 128)
    sparse = Latent(128, 512, 1536, 64, 128, 128, indexer=Indexer(64, 128, 200))
    assert sparse.decode_flops(1000) == 200 * 2 * 128 * (576 + 512) + 1000 * 2 * 64 * 128


@given(context=SMALL, name=st.sampled_from(sorted(VARIANTS)))
def test_causal_passes_cost_no_more_than_full_ones(context, name):
    variant = VARIANTS[name]
    assert variant.score_flops(context) <= variant.score_flops(context, causal=False) * (1 + 1e-12)


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: BlockSparse(0, 1, 1), "block is 0"),
        (lambda: GroupedQuery(8, 2, 64, window=4, sparse=BlockSparse(4, 1, 1)), "selected blocks"),
        (lambda: GroupedQuery(8, 2, 64, values_cached=False), "set shared_values"),
        (lambda: Indexer(0, 128, 1), "indexer's heads is 0"),
        (lambda: Latent(8, 512, None, 64, 128, 128, indexer=INDEXER), "q_rank must be given"),
        (lambda: Compressed(8, 20, 44, 4, 6, window=0), "window is 0"),
        (lambda: Compressed(8, 20, 44, 4, 6, window=5, ratio=0), "ratio is 0"),
        (lambda: Compressed(8, 20, 44, 4, 6, window=5, indexer=INDEXER), "ratio must be given"),
        (lambda: Compressed(8, 20, 44, 7, 6, window=5), "output_groups"),
        (lambda: Lightning(8, True), "head_dim is True"),
        (lambda: GatedDelta(4, 6, 14, 18, 3), "multiple of key_heads"),
        (lambda: GatedDelta(2, 6, 14, 18, 0), "kernel is 0"),
    ],
)
def test_impossible_variants_are_refused(build, words):
    with pytest.raises(ConfigError, match=words) as caught:
        build()
    assert "\n" not in str(caught.value)


def test_kinds_of_the_later_variants():
    assert [each.kind for each in (SPARSE, HEAVY, SLIDING)] == ["CSA", "HCA", "MQA"]
    assert [each.kind for each in (Lightning(8, 20), GatedDelta(2, 6, 14, 18, 3))] == ["linear"] * 2


@pytest.mark.parametrize("context", [np.int32(32768), np.int64(32768), np.uint16(32768)])
def test_numpy_integers_count_as_python_integers_do(context):
    """They wrap around where Python's grow, so that they are turned into these before anything is counted."""
    model = cohort.model("llama-3-8b")
    assert model.kv_cache_bytes(context, batch=np.int32(2**20)) == model.kv_cache_bytes(32768, batch=2**20)
    assert type(model.kv_cache_bytes(context)) is int
    assert attention.naive_score_bytes(context, np.uint8(32)) == attention.naive_score_bytes(32768, 32)


@pytest.mark.parametrize("context", [32768.0, True, "32768", None])
def test_what_is_no_integer_is_refused(context):
    with pytest.raises(ParameterError, match="must be an integer"):
        cohort.model("llama-3-8b").kv_cache_bytes(context)


@pytest.mark.parametrize("context", [0, -4])
def test_a_context_is_at_least_one_token(context):
    with pytest.raises(ParameterError, match="context is"):
        attention.mean_attended(context)
