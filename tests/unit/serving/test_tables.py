"""Rotary tables, the keys that an indexer gathers, and starts without graphs."""

import pytest

import cohort
from cohort.serving import memory_budget
from cohort.serving.engine_runtime import engine_needs
from cohort.serving.loaded import POSITIONS
from cohort.units import MIB

H100 = "H100 SXM 80GB"


def tables(model, **asked):
    found = memory_budget(model, H100, context=4096, images=False, **asked)
    return dict(found.weights).get(POSITIONS, 0)


@pytest.mark.parametrize(
    ("model", "mib"),
    [
        ("granite-4.0-micro", 16),  # 131072 positions of 64 numbers
        ("gemma-4-26b-a4b", 384),  # 262144 positions of 256 and of 512
        ("qwen3.6-27b", 128),  # 262144 of 64, four times as long
        ("qwen3-14b", 10),
        ("gpt2-xl", 0),
    ],
)
def test_a_table_has_a_number_for_each_channel_of_each_position(model, mib):
    assert tables(model) == mib * MIB


def test_engines_keep_them_in_the_models_type_or_in_fp32_or_not_at_all():
    ours = [tables("qwen3-14b", engine=engine) for engine in ("vllm", "sglang", "llama.cpp")]
    assert ours == [10 * MIB, 20 * MIB, 0]


def test_every_device_holds_the_tables_whole():
    devices = [memory_budget("qwen3-14b", H100, count, context=4096).weights for count in (1, 4)]
    assert {dict(each)[POSITIONS] for each in devices} == {10 * MIB}


def test_tables_of_deepseek_v4_are_in_fp32():
    spec = cohort.model("deepseek-v4-flash")
    found = dict(memory_budget(spec, "H200", 8, context=4096).weights)[POSITIONS]
    assert found == 4 * 2 * 64 * spec.context_limit


def test_keys_of_an_indexer_are_gathered_of_40_contexts():
    """132 bytes each; they stay, beside scores that are only tried (mla/indexer.py of vLLM)."""
    asked = {"version": "0.22", "kv_dtype": "fp8"}
    short, long = (
        memory_budget("deepseek-v3.2", "B200", 8, context=context, **asked).runtime[1]
        for context in (65_536, 131_072)
    )
    assert engine_needs("vllm", "0.22").gathered == 40
    assert long - short == pytest.approx(40 * 65_536 * 132, rel=0.01)


def test_blocks_of_several_tokens_have_one_key():
    """Four to a block in DeepSeek-V4: a quarter of the keys."""
    asked = {"version": "0.22", "kv_dtype": "fp8"}
    short, long = (
        memory_budget("deepseek-v4-flash", "B200", 8, context=context, **asked).runtime[1]
        for context in (524_288, 1_048_576)
    )
    assert long - short == pytest.approx(40 * 524_288 * 132 / 4, rel=0.01)


def test_a_start_without_graphs_leaves_more_room():
    asked = {"version": "0.21", "context": 8192}
    usual, eager = (memory_budget("qwen3-14b", H100, kernels=kernels, **asked) for kernels in ((), "eager"))
    assert usual.room < eager.room
    assert usual.weight_bytes == eager.weight_bytes
