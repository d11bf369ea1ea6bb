"""Blocks of DeepSeek-V4's cache: as the figures of logs are made of them."""

from itertools import pairwise

import pytest

import cohort
from cohort.registry import facts
from cohort.serving import memory_budget
from cohort.serving.caches import cache_format
from cohort.serving.packed import packed_pool
from cohort.units import GIB

FLASH = cohort.model("deepseek-v4-flash")


def pool(context, stored="fp8", ahead=8192, stage=range(43)):
    return packed_pool(FLASH, stage, context, cache_format(stored), ahead)


def test_the_room_of_a_log_holds_its_blocks():
    """32.08 GiB and 2,175,276 tokens: as many blocks as were had, over those of a sequence by its bytes.

    A log counted a sequence by bytes of the blocks of entries until 0.27, and by blocks since.
    """
    room, tokens = (
        float(row["value"])
        for row in facts.rows("engine_logs")
        if row["source"] == "ptocu2026" and row["quantity"] in ("room", "cache_tokens")
    )
    found = pool(262_144)
    blocks = int(room * GIB) // found.block
    entries, singles, waiting, long = (
        21 * 37_440 + 21 * 8640 + 20 * 1728,
        43 * 37_440,
        21 * 46_080,
        20 * 37_440,
    )
    sequence = 1024 * entries + 131 * singles + 2051 * waiting + 1041 * long
    assert blocks / -(-sequence // entries) * 262_144 == pytest.approx(tokens, rel=2e-4)
    assert found.blocks == 1024 + 2 * 131 + 2051 + 1041


@pytest.mark.parametrize(("room", "tokens"), [(33.41, 4_908_491), (19.03, 2_826_378)])
def test_other_logs_of_a_million_tokens(room, tokens):
    """On three DGX Sparks and on two, with builds of their own: within 3 %."""
    found = pool(1_048_576)
    assert room * GIB // found.block / found.blocks * 1_048_576 == pytest.approx(tokens, rel=0.03)


def test_most_of_a_short_sequence_is_what_is_read_at_once():
    short, long = (pool(context) for context in (16_384, 262_144))
    assert long.blocks < 1.4 * short.blocks
    assert pool(16_384, ahead=2048).blocks < short.blocks / 2


def test_it_grows_with_the_context_and_with_the_type():
    held = [pool(context).blocks for context in (4096, 8192, 65_536, 1_048_576)]
    assert all(one < other for one, other in pairwise(held))
    assert pool(4096, "bf16").block > pool(4096).block


def test_what_it_does_not_hand_out():
    """Other models, other types, and layers with a window alone."""
    llama = cohort.model("llama-3-8b")
    assert packed_pool(llama, range(32), 4096, cache_format("fp8"), 8192) is None
    assert pool(4096, "int4") is None
    assert pool(4096, stage=range(2)) is None


def test_a_budget_counts_by_these_blocks():
    budget = memory_budget(FLASH, "H200 NVL", 2, weight_dtype="released", kv_dtype="fp8", context=262_144)
    found = pool(262_144, ahead=budget.block and 8192)
    assert budget.block == found.block
