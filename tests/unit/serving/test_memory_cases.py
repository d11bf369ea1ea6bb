"""Memory as public threads and engines' logs settled it, for shapes that the registry need not hold."""

from dataclasses import replace

import pytest

import cohort
from cohort.serving import memory_budget
from cohort.serving.caches import cache_bytes, cache_format
from cohort.units import GB, GIB, MIB

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


def cache(config, context, stored="bf16", **held):
    model = cohort.model(config)
    return cache_bytes(model, range(len(model.layers)), context, 1, cache_format(stored), **held)


def ring(config, context):
    """In llama.cpp, whose windowed layers hold what is read at once besides: 512 tokens."""
    return cache(config, context, ahead=512)


SMALL = {"version": "0.10.1", "share": 0.9, "context": 40_960}
WHOLE = {"version": "0.3", "context": 32_768, "batched_tokens": 32_768}


def budget(config, accelerator, devices=1, **asked):
    return memory_budget(cohort.model(config), accelerator, devices, **asked)


# Amounts that threads settle and what is said here, in one unit: bytes unless tokens are named.
SETTLED = {
    "gguf-parser-go#32: gpt-oss-20b": (3.05 * GIB, ring("gpt-oss-20b", 131_072)),
    "ollama#16958: Gemma 4 26B-A4B at 4k": (0.3985 * GB, ring("gemma-4-26b-a4b", 4096)),
    "ollama#16958: Gemma 4 26B-A4B at 8k": (0.48 * GB, ring("gemma-4-26b-a4b", 8192)),
    "ollama#16958: Gemma 4 26B-A4B at 32k": (0.99 * GB, ring("gemma-4-26b-a4b", 32_768)),
    "ollama#16958: Gemma 4 26B-A4B at 128k": (3.00 * GB, ring("gemma-4-26b-a4b", 131_072)),
    "unsloth#4757: Gemma 3 27B": (10.41 * GIB, cache("gemma-3-27b", 131_072)),
    "unsloth#4757: DeepSeek-V3.1": (10.72 * GIB, cache("deepseek-v3", 163_840)),
    "unsloth#4757: Kimi-K2.5": (17.16 * GIB, cache("kimi-k2.5", 262_144)),
    "unsloth#4757: Qwen3-0.6B": (4.38 * GIB, cache("qwen3-0.6b", 40_960)),
    "unsloth#4757: Qwen3.5-27B": (16.00 * GIB, cache("qwen3.5-27b", 262_144)),
    "unsloth#4757: GLM-5": (17.18 * GIB, cache("glm-5", 202_752)),
    "gguf-parser-go#31: LFM2-1.2B": (384 * MIB, cache(LFM2, 32_768)),
    "huggingface/blog#2345: Llama 3.1 8B": (15.62 * GIB, cache("llama-3.1-8b", 128_000)),
    "huggingface/blog#2345: Llama 3.1 70B": (39.06 * GIB, cache("llama-3.1-70b", 128_000)),
    "huggingface/blog#2345: Llama 3.1 405B": (61.52 * GIB, cache("llama-3.1-405b", 128_000)),
    "vllm#25350: tokens of Qwen3-30B-A3B in fp8": (
        230_528,
        10.55 * GIB / cache("qwen3-30b-a3b", 16_000, "fp8") * 16_000,
    ),
    "vllm#24577: left beside Qwen3-0.6B": (69.66 * GIB, budget("qwen3-0.6b", "A100 SXM 80GB", **SMALL).room),
    "vllm#24577: tokens beside Qwen3-0.6B": (
        652_144,
        budget("qwen3-0.6b", "A100 SXM 80GB", **SMALL).cache_tokens,
    ),
    "vllm#6746: weights of Llama 3.1 405B FP8": (
        57.75 * GIB,
        budget(
            "llama-3.1-405b", "H100 SXM 80GB", 8, weight_dtype="fbgemm_fp8", version="0.5.3", context=8192
        ).weight_bytes,
    ),
    "Qwen3#16: tokens beside Qwen1.5-7B": (
        24_320,
        budget(QWEN_1_5_7B, "RTX 3090", weight_dtype="gptq", **WHOLE).cache_tokens,
    ),
    "Qwen3#16: tokens beside Qwen1.5-72B": (
        4_464,
        budget(QWEN_1_5_72B, "A100 SXM 80GB", 2, **WHOLE).cache_tokens,
    ),
    "llmfit#230: DeepSeek-V3 at a byte each": (
        671 * GB,
        budget("deepseek-v3", "H200", context=1, weight_dtype="fp8").weight_bytes,
    ),
}
# Whether it fits, as threads settle it.
ANSWERED = {
    "Qwen3#16: Qwen1.5-7B on one card of 24 GiB": (
        True,
        budget(QWEN_1_5_7B, "RTX 3090", weight_dtype="gptq", **WHOLE | {"context": 24_000}).fits,
    ),
    "Qwen3#16: Qwen1.5-72B on two of 80 GB": (
        True,
        budget(QWEN_1_5_72B, "A100 SXM 80GB", 2, context=1024, batched_tokens=1024, sequences=16).fits,
    ),
    "lmdeploy#2960: DeepSeek-V3 on eight H800": (
        False,
        budget("deepseek-v3", "H800 SXM", 8, context=4096).fits,
    ),
    "lmdeploy#2960: DeepSeek-V3 on eight H200": (True, budget("deepseek-v3", "H200", 8, context=4096).fits),
    "vllm#6689: Llama 3.1 405B FP8 on eight A100": (
        True,
        budget("llama-3.1-405b", "A100 SXM 80GB", 8, context=4096, weight_dtype="fp8").fits,
    ),
    "vllm#6689: Llama 3.1 405B AWQ on four of 80 GB": (
        True,
        budget("llama-3.1-405b", "A100 SXM 80GB", 4, context=1024, weight_dtype="awq").fits,
    ),
}
# What is further off than 5 %, and why.
APART = {
    "Qwen3#16: tokens beside Qwen1.5-7B": "neither its version is said nor what else held the card",
    "Qwen3#16: tokens beside Qwen1.5-72B": "the share is not said: 0.97 gives 4,048 and 0.98 gives 4,688",
    "unsloth#4757: GLM-5": "their figure leaves out the keys of the indexer, which each layer caches",
}


def test_the_cases_that_were_handed_over():
    """Of 22 amounts, 19 within 5 %, one more within 10 %, and two for what threads leave out."""
    errors = {name: ours / right - 1 for name, (right, ours) in SETTLED.items()}
    assert len(errors) == 22
    assert {name for name, each in errors.items() if abs(each) > 0.05} == set(APART)
    assert {name for name, each in errors.items() if abs(each) > 0.1} == set(APART) - {
        "Qwen3#16: tokens beside Qwen1.5-7B"
    }
    assert all(said == right for right, said in ANSWERED.values())


def test_two_that_are_further_off_are_what_their_threads_leave_out():
    sized = [
        budget(QWEN_1_5_72B, "A100 SXM 80GB", 2, share=share, **WHOLE).cache_tokens for share in (0.97, 0.98)
    ]
    assert sized[0] < 4_464 < sized[1]
    glm = cohort.model("glm-5")
    latent = {mixer.kv_rank + mixer.rope_dim for layer in glm.layers for mixer in layer.mixers}
    assert latent == {576}
    # With a layer that drafts, and without the indexers' keys.
    assert 2 * 576 * (len(glm.layers) + 1) * 202_752 / GIB == pytest.approx(17.18, abs=0.01)


def test_layers_that_read_the_caches_of_others():
    """gguf-parser-go#32: 20 layers of Gemma 3n have one; gemma.cpp#1012: they save 57 % in Gemma 4 E2B."""
    for name in ("gemma-3n-e2b", "gemma-3n-e4b"):
        layers = cohort.model(name).layers
        assert sum(not mixer.cache_shared for layer in layers for mixer in layer.mixers) == 20
    shared = cohort.model("gemma-4-e2b")
    own = tuple(
        replace(layer, mixers=tuple(replace(mixer, cache_shared=False) for mixer in layer.mixers))
        for layer in shared.layers
    )
    for context in (4096, 131_072):
        saved = 1 - shared.kv_cache_bytes(context) / replace(shared, layers=own).kv_cache_bytes(context)
        assert saved == pytest.approx(0.57, abs=0.005)


def test_heads_that_differ_from_layer_to_layer():
    """llama.cpp#12843: of the kind of Llama-3.1-Nemotron-Ultra 253B, with layers that cache nothing."""
    block = {"attention": {"n_heads_in_group": 8}, "ffn": {"ffn_mult": 2.625}}
    wide = {"attention": {"n_heads_in_group": 16}, "ffn": {"ffn_mult": 5.25}}
    none = {"attention": {"no_op": True}, "ffn": {"ffn_mult": 1.0}}
    config = {
        "model_type": "nemotron-nas", "hidden_size": 8192, "num_attention_heads": 64, "num_hidden_layers": 3,
        "vocab_size": 128_256, "block_configs": [block, wide, none],
    }  # fmt: skip
    assert cache(config, 1024) == 2 * 2 * 128 * (64 // 8 + 64 // 16) * 1024


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
