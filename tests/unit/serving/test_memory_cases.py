"""Memory as public threads and engines' logs settled it, for shapes that the registry need not hold."""

import pytest

import cohort
from cohort.serving import memory_budget
from cohort.serving.caches import cache_bytes, cache_format
from cohort.units import GIB, MIB

QWEN_1_5_7B = {
    "model_type": "qwen2", "hidden_size": 4096, "intermediate_size": 11_008, "num_hidden_layers": 32,
    "num_attention_heads": 32, "num_key_value_heads": 32, "vocab_size": 151_936,
}  # fmt: skip
QWEN_1_5_72B = {
    "model_type": "qwen2", "hidden_size": 8192, "intermediate_size": 24_576, "num_hidden_layers": 80,
    "num_attention_heads": 64, "num_key_value_heads": 64, "vocab_size": 152_064,
}  # fmt: skip
LFM2 = {
    "model_type": "lfm2", "hidden_size": 2048, "intermediate_size": 12_288, "num_hidden_layers": 16,
    "num_attention_heads": 32, "num_key_value_heads": 8, "vocab_size": 65_536, "conv_L_cache": 3,
    "full_attn_idxs": [2, 5, 8, 10, 12, 14],
}  # fmt: skip


def cache(config, context, stored="bf16"):
    model = cohort.model(config)
    return cache_bytes(model, range(len(model.layers)), context, 1, cache_format(stored))


def test_lfm2_caches_six_of_its_sixteen_layers():
    """gguf-parser-go#31: 384 MiB at 32,768 tokens, and what its convolutions span."""
    assert cache(LFM2, 32_768) / MIB == pytest.approx(384, rel=0.001)


def test_a_gptq_model_on_a_card_of_24_gib():
    """Qwen3#16: 24,320 tokens of Qwen1.5-7B in int4, read in one batch of its context."""
    model = cohort.model(QWEN_1_5_7B)
    asked = {"weight_dtype": "gptq", "context": 24_000, "batched_tokens": 32_768}
    found = memory_budget(model, "RTX 3090", version="0.3", **asked)
    assert found.fits
    assert found.cache_tokens == pytest.approx(24_320, rel=0.1)


def test_72_billion_weights_fit_two_cards_of_80_gb():
    """Qwen3#16: it fits, with 4,464 tokens; engines take more than nine tenths where asked to."""
    model = cohort.model(QWEN_1_5_72B)
    asked = {"context": 1024, "batched_tokens": 1024, "sequences": 16}
    assert memory_budget(model, "A100 SXM 80GB", 2, **asked).fits
    assert memory_budget(model, "A100 SXM 80GB", 2, share=0.95, **asked).cache_tokens > 4_464


def test_an_eight_bit_cache_by_the_tokens_that_it_holds():
    """vllm#25350: 10.55 GiB hold 230,528 tokens of Qwen3 30B-A3B in fp8."""
    tokens = 10.55 * GIB / cache("qwen3-30b-a3b", 16_000, "fp8") * 16_000
    assert tokens == pytest.approx(230_528, rel=0.001)


def test_deepseek_v3_needs_more_than_eight_cards_of_80_gb():
    """lmdeploy#2960: out of memory on eight H800, and fits eight H200."""
    for card, fits in (("H800 SXM", False), ("H200", True)):
        assert memory_budget("deepseek-v3", card, 8, context=4096).fits is fits


def test_weights_at_a_byte_each():
    """llmfit#230: 671 GB for DeepSeek-V3, and what stays in 16 bits on top."""
    model = cohort.model("deepseek-v3")
    found = memory_budget(model, "H200", 1, context=1, weight_dtype="fp8")
    assert found.weight_bytes == pytest.approx(671e9, rel=0.005)
