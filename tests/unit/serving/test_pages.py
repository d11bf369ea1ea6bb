"""Blocks of a cache that layers of several kinds share: as the figures of logs are made of them."""

import pytest

import cohort
from cohort.registry import facts
from cohort.serving import memory_budget
from cohort.serving.caches import cache_bytes, cache_format
from cohort.serving.pages import Sharing, shared_pool
from cohort.units import GIB

CACHING = Sharing(page=16, ahead=8192, evened=1.5, states=2)


def pool(name, context, stored="bf16", tensor=1, sharing=CACHING):
    spec = cohort.model(name)
    return shared_pool(spec, range(len(spec.layers)), context, cache_format(stored), tensor, sharing)


def logged(source, quantity="cache_tokens"):
    return [
        float(row["value"])
        for row in facts.rows("engine_logs")
        if (row["source"], row["quantity"]) == (source, quantity)
    ]


def whole(tokens, context, blocks):
    """How far a figure is from that of a whole number of blocks, in tokens."""
    held = tokens / context * blocks
    return abs(held - round(held)) / blocks * context


def test_figures_of_a_thread_are_of_whole_blocks_in_one_type_of_cache_alone():
    """Recipe 810 leaves the type of its cache unsaid: 491 and 580 blocks of which 341 hold a sequence."""
    first, second, third = logged("vllmrecipes810")
    assert (first, second) == (377_456, 445_875)
    for stored, held in (("bf16", True), ("fp8", False)):
        blocks = pool("qwen3.6-27b", 262_144, stored, 2).blocks
        assert all((whole(tokens, 262_144, blocks) < 1) is held for tokens in (first, second))
    assert whole(third, 262_144, pool("qwen3.6-27b", 262_144, "fp8", 2).blocks) < 1


def test_the_room_of_a_log_holds_its_tokens_to_the_last():
    """4.99 GiB and 302,921 tokens in one thread: 208 blocks, of which 90 hold a sequence of 131,072."""
    (room,) = logged("talosproxmox1995", "room")
    found = pool("qwen3.6-27b", 131_072, "fp8", 2)
    assert int(room * GIB // found.block / found.blocks * 131_072) == 302_921


def test_a_page_of_attention_is_as_large_as_a_state():
    """Multiples of 16 tokens, of which the bytes reach those of a state in fp32 with the inputs it keeps."""
    found = pool("qwen3.6-27b", 131_072, tensor=2)
    keys = 2 * 2 * 2 * 256  # two tensors, two bytes, two heads on each device
    tokens, rest = divmod(found.block // 16, keys)
    spec = cohort.model("qwen3.6-27b")
    states = [mixer.state_elements(2) for layer in spec.layers for mixer in layer.mixers]
    assert rest == 0 and tokens % 16 == 0
    inputs = 2 * 3 * (2 * 16 + 48) * 128 // 2  # three in 16 bits, of queries, keys and values
    assert (tokens - 16) * keys < 4 * max(states) + inputs <= tokens * keys
    # Three groups of 16 recurrent layers keep two states each.
    assert found.blocks == -(-131_072 // tokens) + 3 * 2


def test_a_drafter_has_a_layer_and_states_of_its_own():
    drafting = Sharing(page=16, ahead=8192, evened=1.5, states=2, drafted=3)
    plain, drafted = (pool("qwen3.6-27b", 131_072, sharing=each) for each in (CACHING, drafting))
    # A layer more: 17 in the groups, three of which the 48 recurrent ones fill.
    assert drafted.block == pytest.approx(17 / 16 * plain.block, rel=0.05)
    assert drafted.blocks > plain.blocks


@pytest.mark.parametrize("evened", [1.0, 1.25, 1.5])
def test_groups_are_as_large_as_the_rarest_kind(evened):
    """Gemma 3 27B: 52 windowed layers and 10 whole ones are six groups of ten."""
    sharing = Sharing(page=16, ahead=8192, evened=evened, states=1)
    found = pool("gemma-3-27b", 131_072, sharing=sharing)
    spec = cohort.model("gemma-3-27b")
    token = cache_bytes(spec, range(5, 6), 16, 1, cache_format("bf16")) // 16
    assert found.block == 10 * 16 * token
    windowed = -(-(1023 + 8192) // 16) + 1
    assert found.blocks == 131_072 // 16 + 6 * windowed


def test_kinds_that_are_nearly_as_frequent_share_larger_groups_since_0_14():
    """Of 30 layers 17 windowed and 13 whole: 1.31 times as many."""
    config = {
        "model_type": "gemma2", "hidden_size": 2304, "intermediate_size": 9216, "num_hidden_layers": 30,
        "num_attention_heads": 8, "num_key_value_heads": 4, "head_dim": 256, "vocab_size": 256_000,
        "sliding_window": 4096,
        "layer_types": ["sliding_attention"] * 17 + ["full_attention"] * 13,
    }  # fmt: skip
    spec = cohort.model(config)
    blocks = {
        evened: shared_pool(
            spec, range(30), 8192, cache_format("bf16"), 1, Sharing(16, 2048, evened, 1)
        ).block
        for evened in (1.0, 1.25, 1.5)
    }
    assert blocks[1.0] == blocks[1.25] == 13 / 17 * blocks[1.5]


def test_before_groups_windows_are_held_whole():
    name, asked = "gemma-3-27b", {"context": 32_768, "sequences": 16}
    before, since = (memory_budget(name, "H100 SXM 80GB", version=v, **asked) for v in ("0.9.1", "0.9.2"))
    assert before.cache == len(cohort.model(name).layers) * 2 * 2 * 16 * 128 * 32_768
    assert since.cache < before.cache / 2


def test_layers_that_are_cached_alike_share_pages_of_16_tokens():
    found = pool("llama-3-8b", 1000)
    assert found.block == 16 * cohort.model("llama-3-8b").kv_cache_bytes(1)
    assert found.blocks == 63


@pytest.mark.parametrize("name", ["deepseek-v4-flash"])
def test_what_is_handed_out_otherwise_is_counted_as_before(name):
    assert pool(name, 8192) is None


def test_states_stood_beside_the_cache_before_groups():
    assert pool("qwen3.6-27b", 8192, sharing=Sharing(16, 8192, 0.0, 1)) is None


def test_tokens_are_those_of_whole_blocks():
    found = memory_budget("qwen3.6-27b", "RTX 5090", 2, context=262_144, weight_dtype="fp8")
    assert found.block > 1
    assert whole(found.cache_tokens, 262_144, found.cache / found.block) < 1
    low, high = found.cache_tokens_range
    assert low <= found.cache_tokens <= high
