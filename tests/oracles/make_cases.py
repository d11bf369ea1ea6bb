"""Write ``cases.json``: configs with the parameter counts of their reference implementations.

Run from the repository root, with the ``oracle`` extra installed: ``python tests/oracles/make_cases.py``.
A case is a base config of its family with a few fields changed, or a released model.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import reference

CASES = Path(__file__).with_name("cases.json")
ABSENT = object()


class Case(NamedTuple):
    """A config to count, and what its count exercises."""

    name: str
    why: str
    config: dict[str, Any]


def change(base: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Return ``base`` with ``fields`` replaced, and with those set to ``ABSENT`` removed."""
    return {name: value for name, value in {**base, **fields}.items() if value is not ABSENT}


def variants(base: dict[str, Any], *rows: tuple[str, str, dict[str, Any]]) -> Iterator[Case]:
    """Yield one case for each (suffix, why, changed fields), named after the family."""
    for suffix, why, fields in rows:
        yield Case(f"{base['model_type']}: {suffix}", why, change(base, **fields))


def nested(base: dict[str, Any], *rows: tuple[str, str, dict[str, Any], dict[str, Any]]) -> Iterator[Case]:
    """Yield one case for each (suffix, why, changed outer fields, changed fields of ``text_config``)."""
    for suffix, why, outer, inner in rows:
        config = change(base, text_config=change(base["text_config"], **inner), **outer)
        yield Case(f"{base['model_type']}: {suffix}", why, config)


def small(family: str, **fields: Any) -> dict[str, Any]:
    """Return a small config in the most common vocabulary, without two equal sizes to confuse."""
    return {
        "model_type": family,
        "vocab_size": 211,
        "hidden_size": 96,
        "intermediate_size": 130,
        "num_hidden_layers": 3,
        "num_attention_heads": 8,
        "num_key_value_heads": 2,
        **fields,
    }


BIASED_ATTENTION = ("attention bias", "bias on q, k, v and the output", {"attention_bias": True})
UNTIED = ("untied", "a head of its own", {"tie_word_embeddings": False})
TIED = ("tied", "the head is the embedding, counted once", {"tie_word_embeddings": True})
WIDE_HEADS = ("wide heads", "head_dim is not hidden_size / heads", {"head_dim": 20})
ALL_HEADS = ("no key-value heads named", "as many as query heads", {"num_key_value_heads": ABSENT})
NULL_HEADS = ("key-value heads null", "as many as query heads", {"num_key_value_heads": None})
ONE_HEAD = ("one key-value head", "multi-query attention", {"num_key_value_heads": 1})
MLP_BIAS = ("MLP bias", "bias on all three MLP matrices", {"mlp_bias": True})


# One row a case, so that the table can be read as one: the formatter would put one field on each line.
# fmt: off


def llama() -> Iterator[Case]:
    yield from variants(
        small("llama"),
        ("base", "untied, without biases, when the fields are absent", {}),
        TIED,
        BIASED_ATTENTION,
        MLP_BIAS,
        ("all biases", "both kinds of bias", {"attention_bias": True, "mlp_bias": True}),
        WIDE_HEADS,
        ("wide biased heads", "the output bias is as wide as the hidden state",
         {"head_dim": 20, "attention_bias": True}),
        ("head_dim null", "hidden_size / heads", {"head_dim": None}),
        ALL_HEADS,
        NULL_HEADS,
        ONE_HEAD,
        ("foreign fields", "a window and a query norm mean nothing here",
         {"sliding_window": 16, "use_qk_norm": True}),
        ("tiny-llama-1.1b", "a released model", {
            "vocab_size": 32000, "hidden_size": 2048, "intermediate_size": 5632, "num_hidden_layers": 22,
            "num_attention_heads": 32, "num_key_value_heads": 4, "tie_word_embeddings": False}),
        ("llama-3.2-1b", "a released model, tied, with head_dim stated", {
            "vocab_size": 128256, "hidden_size": 2048, "intermediate_size": 8192, "num_hidden_layers": 16,
            "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 64, "attention_bias": False,
            "mlp_bias": False, "tie_word_embeddings": True}),
        ("smollm-135m", "a released model with nine heads", {
            "vocab_size": 49152, "hidden_size": 576, "intermediate_size": 1536, "num_hidden_layers": 30,
            "num_attention_heads": 9, "num_key_value_heads": 3, "tie_word_embeddings": True}),
        ("deepseek-67b", "a released model with 95 layers", {
            "vocab_size": 102400, "hidden_size": 8192, "intermediate_size": 22016,
            "num_hidden_layers": 95, "num_attention_heads": 64, "num_key_value_heads": 8,
            "tie_word_embeddings": False}),
    )


def mistral() -> Iterator[Case]:
    yield from variants(
        small("mistral"),
        ("base", "untied when the field is absent", {}),
        TIED,
        WIDE_HEADS,
        ("head_dim null", "hidden_size / heads", {"head_dim": None}),
        ("no key-value heads named", "eight, whatever the query heads",
         {"num_attention_heads": 24, "num_key_value_heads": ABSENT}),
        ("ragged heads", "hidden_size / heads, rounded down", {
            "num_attention_heads": 11, "num_key_value_heads": 1}),
        ("no biases", "this family has none, whatever the config says",
         {"attention_bias": True, "mlp_bias": True}),
        ("mistral-nemo-12b", "a released model with heads narrower than hidden_size / heads", {
            "vocab_size": 131072, "hidden_size": 5120, "intermediate_size": 14336,
            "num_hidden_layers": 40, "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 128,
            "sliding_window": None, "tie_word_embeddings": False}),
    )


def granite() -> Iterator[Case]:
    yield from variants(
        small("granite"),
        ("base", "untied, without biases, when the fields are absent", {}),
        TIED,
        BIASED_ATTENTION,
        MLP_BIAS,
        ALL_HEADS,
        ("multipliers", "the four multipliers are no weights", {
            "embedding_multiplier": 12.0, "logits_scaling": 16.0, "residual_multiplier": 0.22,
            "attention_multiplier": 0.0078125}),
        ("granite-3.1-2b", "a released model, tied", {
            "vocab_size": 49155, "hidden_size": 2048, "intermediate_size": 8192, "num_hidden_layers": 40,
            "num_attention_heads": 32, "num_key_value_heads": 8, "attention_bias": False,
            "mlp_bias": False, "tie_word_embeddings": True}),
    )


def qwen2() -> Iterator[Case]:
    yield from variants(
        small("qwen2"),
        ("base", "bias on q, k and v always, on the output never", {}),
        TIED,
        WIDE_HEADS,
        ("bias denied", "attention_bias and mlp_bias mean nothing here",
         {"attention_bias": False, "mlp_bias": True}),
        NULL_HEADS,
        ("no key-value heads named", "32, whatever the query heads",
         {"num_attention_heads": 32, "num_key_value_heads": ABSENT}),
        ("windowed", "windows are no weights",
         {"use_sliding_window": True, "sliding_window": 16, "max_window_layers": 1}),
        ("qwen2.5-0.5b", "a released model, tied, with fourteen heads", {
            "vocab_size": 151936, "hidden_size": 896, "intermediate_size": 4864, "num_hidden_layers": 24,
            "num_attention_heads": 14, "num_key_value_heads": 2, "use_sliding_window": False,
            "sliding_window": 32768, "max_window_layers": 21, "tie_word_embeddings": True}),
    )


def qwen3() -> Iterator[Case]:
    yield from variants(
        small("qwen3", head_dim=20),
        ("base", "a query and a key norm as wide as one head", {}),
        TIED,
        ("no head_dim named", "128, not hidden_size / heads", {"head_dim": ABSENT}),
        BIASED_ATTENTION,
        NULL_HEADS,
        ("windowed", "windows are no weights",
         {"use_sliding_window": True, "sliding_window": 16, "max_window_layers": 1}),
        ("qwen3-0.6b", "a released model, tied, with heads wider than hidden_size / heads", {
            "vocab_size": 151936, "hidden_size": 1024, "intermediate_size": 3072, "num_hidden_layers": 28,
            "num_attention_heads": 16, "num_key_value_heads": 8, "head_dim": 128, "attention_bias": False,
            "tie_word_embeddings": True}),
    )


def qwen3_moe() -> Iterator[Case]:
    base = small(
        "qwen3_moe", moe_intermediate_size=36, num_experts=6, num_experts_per_tok=2, num_hidden_layers=5
    )
    yield from variants(
        base,
        ("base", "every layer routes, heads are hidden_size / heads wide", {}),
        TIED,
        WIDE_HEADS,
        BIASED_ATTENTION,
        ("dense layers named", "the layers named are dense", {"mlp_only_layers": [0, 3]}),
        ("dense layers null", "none is dense", {"mlp_only_layers": None}),
        ("dense layer beyond the last", "an index without a layer changes nothing",
         {"mlp_only_layers": [1, 9]}),
        ("every second layer", "layers 2 and 4 route", {"decoder_sparse_step": 2}),
        ("every third layer, named dense", "the only layer that would route is dense",
         {"decoder_sparse_step": 3, "mlp_only_layers": [2]}),
        ("all experts active", "active equals total", {"num_experts_per_tok": 6}),
        ("no key-value heads named", "four, whatever the query heads",
         {"num_attention_heads": 24, "num_key_value_heads": ABSENT}),
        ("one expert active", "top-1 routing", {"num_experts_per_tok": 1}),
        ("experts as transformers 5 saves them", "num_local_experts in place of num_experts",
         {"num_experts": ABSENT, "num_local_experts": 6}),
        ("foreign shared expert", "this family has no shared expert",
         {"shared_expert_intermediate_size": 48}),
        ("qwen3-235b-a22b", "a released model", {
            "vocab_size": 151936, "hidden_size": 4096, "intermediate_size": 12288,
            "num_hidden_layers": 94, "num_attention_heads": 64, "num_key_value_heads": 4, "head_dim": 128,
            "moe_intermediate_size": 1536, "num_experts": 128, "num_experts_per_tok": 8,
            "decoder_sparse_step": 1, "mlp_only_layers": [], "attention_bias": False,
            "tie_word_embeddings": False}),
    )


def gemma() -> Iterator[Case]:
    yield from variants(
        small("gemma", head_dim=20),
        ("no key-value heads named", "sixteen, whatever the query heads",
         {"num_attention_heads": 32, "num_key_value_heads": ABSENT}),
        ("base", "tied when the field is absent, two norms a layer", {}),
        UNTIED,
        ("no head_dim named", "256, not hidden_size / heads", {"head_dim": ABSENT}),
        BIASED_ATTENTION,
        ONE_HEAD,
    )
    yield from variants(
        small("gemma2", head_dim=20),
        ("base", "tied when the field is absent, four norms a layer", {}),
        UNTIED,
        ("no head_dim named", "256, not hidden_size / heads", {"head_dim": ABSENT}),
        BIASED_ATTENTION,
        ("no key-value heads named", "four, whatever the query heads",
         {"num_attention_heads": 24, "num_key_value_heads": ABSENT}),
        ("window null", "windows are no weights", {"sliding_window": None}),
    )


def gemma3() -> Iterator[Case]:
    text = small("gemma3_text", head_dim=20)
    yield from variants(
        text,
        ("base", "tied when the field is absent, four norms a layer, a query and a key norm", {}),
        UNTIED,
        ("no head_dim named", "256, not hidden_size / heads", {"head_dim": ABSENT}),
        BIASED_ATTENTION,
        ("pattern", "windows are no weights", {"sliding_window": 16, "sliding_window_pattern": 2}),
        ("gemma-3-1b", "a released model", {
            "vocab_size": 262144, "hidden_size": 1152, "intermediate_size": 6912, "num_hidden_layers": 26,
            "num_attention_heads": 4, "num_key_value_heads": 1, "head_dim": 256, "sliding_window": 512,
            "sliding_window_pattern": 6}),
        ("gemma-3-270m", "a released model that is mostly embedding", {
            "vocab_size": 262144, "hidden_size": 640, "intermediate_size": 2048, "num_hidden_layers": 18,
            "num_attention_heads": 4, "num_key_value_heads": 1, "head_dim": 256, "sliding_window": 512}),
    )
    vision = {
        "model_type": "siglip_vision_model", "hidden_size": 1152, "image_size": 896,
        "intermediate_size": 4304, "num_attention_heads": 16, "num_hidden_layers": 27, "patch_size": 14,
    }
    yield from nested(
        {"model_type": "gemma3", "text_config": text, "vision_config": vision},
        ("base", "the text decoder alone, tied when no field says so", {}, {}),
        ("untied outside", "the outer field decides", {"tie_word_embeddings": False}, {}),
        ("untied inside only", "the inner field does not decide", {}, {"tie_word_embeddings": False}),
        ("untied outside, tied inside", "the outer field decides",
         {"tie_word_embeddings": False}, {"tie_word_embeddings": True}),
        ("no vision config", "the text decoder alone", {"vision_config": ABSENT}, {}),
        ("no inner model type", "gemma3_text is understood", {}, {"model_type": ABSENT}),
    )
    for name, outline in {
        "gemma-3-4b-it": {"hidden_size": 2560, "intermediate_size": 10240, "num_hidden_layers": 34},
        "gemma-3-12b-it": {
            "hidden_size": 3840, "intermediate_size": 15360, "num_hidden_layers": 48,
            "num_attention_heads": 16, "num_key_value_heads": 8,
        },
        "gemma-3-27b-it": {
            "hidden_size": 5376, "intermediate_size": 21504, "num_hidden_layers": 62,
            "num_attention_heads": 32, "num_key_value_heads": 16, "head_dim": 128,
            "query_pre_attn_scalar": 168,
        },
    }.items():
        text = {"model_type": "gemma3_text", "sliding_window": 1024, **outline}
        yield Case(
            f"gemma3: {name}",
            "a released model whose config leaves the vocabulary and other sizes to their defaults",
            {"model_type": "gemma3", "text_config": text, "vision_config": vision},
        )


def phi() -> Iterator[Case]:
    yield from variants(
        small("phi"),
        ("base", "bias everywhere, the head included, one norm a layer, an MLP without a gate", {}),
        TIED,
        ALL_HEADS,
        WIDE_HEADS,
        ("query and key norm", "as wide as one head, with a bias", {"qk_layernorm": True}),
        ("partial rotary", "rotary embeddings are no weights", {"partial_rotary_factor": 0.25}),
        ("tied, query and key norm", "the head's bias stays when its matrix is tied",
         {"qk_layernorm": True, "tie_word_embeddings": True, "num_key_value_heads": None}),
    )
    yield from variants(
        small("phi3"),
        ("base", "fused projections without biases", {}),
        TIED,
        ALL_HEADS,
        WIDE_HEADS,
        ("no biases", "this family has none, whatever the config says", {"attention_bias": True}),
        ("windowed", "windows are no weights", {"sliding_window": 16}),
        ("phi-4", "a released model", {
            "vocab_size": 100352, "hidden_size": 5120, "intermediate_size": 17920,
            "num_hidden_layers": 40, "num_attention_heads": 40, "num_key_value_heads": 10,
            "sliding_window": None, "tie_word_embeddings": False}),
        ("phi-4-mini", "a released model, tied", {
            "vocab_size": 200064, "hidden_size": 3072, "intermediate_size": 8192, "num_hidden_layers": 32,
            "num_attention_heads": 24, "num_key_value_heads": 8, "partial_rotary_factor": 0.75,
            "attention_bias": False, "tie_word_embeddings": True}),
    )


def phi3small() -> Iterator[Case]:
    yield from variants(
        small("phi3small", intermediate_size=ABSENT, ff_intermediate_size=130),
        ("base", "bias on every linear layer and norm, tied when the field is absent", {}),
        UNTIED,
        ("all dense", "dense and block-sparse layers have the same weights",
         {"dense_attention_every_n_layers": 1}),
        ("no key-value heads named", "eight, whatever the query heads",
         {"num_attention_heads": 24, "num_key_value_heads": ABSENT}),
        ("multiplier", "a third of the hidden state, doubled, rounded up to 256",
         {"ff_intermediate_size": None, "ff_dim_multiplier": 5}),
        ("multiplier, unpadded", "a third of the hidden state, doubled",
         {"ff_intermediate_size": None, "ff_dim_multiplier": 5, "gegelu_pad_to_256": False}),
        ("phi-3-small-128k", "a released model", {
            "vocab_size": 100352, "hidden_size": 4096, "ff_intermediate_size": 14336,
            "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8}),
    )


def cohere() -> Iterator[Case]:
    yield from variants(
        small("cohere"),
        ("base", "tied when the field is absent, one norm a layer without a bias", {}),
        UNTIED,
        BIASED_ATTENTION,
        ALL_HEADS,
        ("query and key norm", "a gain for each head", {"use_qk_norm": True}),
        ("query and key norm, wide heads", "as many gains as the projection is wide",
         {"use_qk_norm": True, "head_dim": 20}),
        ("aya-23-8b", "a released model", {
            "vocab_size": 256000, "hidden_size": 4096, "intermediate_size": 14336,
            "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8,
            "use_qk_norm": False, "attention_bias": False}),
    )


def falcon() -> Iterator[Case]:
    base = {
        "model_type": "falcon", "vocab_size": 211, "hidden_size": 96, "num_hidden_layers": 3,
        "num_attention_heads": 8,
    }
    yield from variants(
        base,
        ("base", "one key-value head, one norm a layer, tied, an MLP four times as wide", {}),
        UNTIED,
        ("one key-value head, eight named", "num_kv_heads means nothing in the old architecture",
         {"num_kv_heads": 8}),
        ("multi-head", "three projections as wide as the hidden state", {"multi_query": False}),
        ("multi-head, two named", "num_kv_heads means nothing in the old architecture",
         {"multi_query": False, "num_kv_heads": 2}),
        ("sequential", "two norms a layer", {"parallel_attn": False}),
        ("parallel with two norms", "the number of norms is stated", {"num_ln_in_parallel_attn": 2}),
        ("sequential with one norm stated", "two norms: the number counts in parallel layers alone",
         {"parallel_attn": False, "num_ln_in_parallel_attn": 1}),
        ("new architecture", "as many key-value heads as query heads, two norms",
         {"new_decoder_architecture": True}),
        ("new architecture, grouped", "two key-value heads, two norms",
         {"new_decoder_architecture": True, "num_kv_heads": 2}),
        ("new architecture, one norm", "the number of norms is stated",
         {"new_decoder_architecture": True, "num_kv_heads": 2, "num_ln_in_parallel_attn": 1}),
        ("new architecture, sequential", "two norms",
         {"new_decoder_architecture": True, "num_kv_heads": 2, "parallel_attn": False}),
        ("bias", "bias on all four matrices", {"bias": True}),
        ("alibi", "no table of positions", {"alibi": True}),
        ("MLP width", "stated, not four times the hidden state", {"ffn_hidden_size": 130}),
        ("falcon-7b", "a released model with 71 heads", {
            "vocab_size": 65024, "hidden_size": 4544, "num_hidden_layers": 32, "num_attention_heads": 71,
            "num_kv_heads": 71, "multi_query": True, "new_decoder_architecture": False,
            "parallel_attn": True, "bias": False, "alibi": False}),
        ("falcon-40b", "a released model of the new architecture", {
            "vocab_size": 65024, "hidden_size": 8192, "num_hidden_layers": 60, "num_attention_heads": 128,
            "num_kv_heads": 8, "new_decoder_architecture": True, "multi_query": True,
            "parallel_attn": True, "bias": False, "alibi": False}),
        ("falcon-11b", "a released model, untied, with one norm a layer", {
            "vocab_size": 65024, "hidden_size": 4096, "num_hidden_layers": 60, "num_attention_heads": 32,
            "num_kv_heads": 8, "new_decoder_architecture": True, "num_ln_in_parallel_attn": 1,
            "ffn_hidden_size": 16384, "tie_word_embeddings": False}),
        ("falcon-rw-1b", "a released model with biases and alibi", {
            "vocab_size": 50304, "hidden_size": 2048, "num_hidden_layers": 24, "num_attention_heads": 32,
            "alibi": True, "bias": True, "multi_query": False, "new_decoder_architecture": False,
            "parallel_attn": False}),
    )


def mpt() -> Iterator[Case]:
    base = {"model_type": "mpt", "vocab_size": 211, "d_model": 96, "n_heads": 8, "n_layers": 3}
    yield from variants(
        base,
        ("base", "tied, without biases, norms with a gain alone", {}),
        UNTIED,
        ("expansion ratio", "the class multiplies by four, whatever the config says", {"expansion_ratio": 2}),
        ("biases", "the class has none, whatever the config says", {"no_bias": False}),
        ("learned positions", "the class has no table of positions", {"learned_pos_emb": True}),
        ("multi-query", "the class projects to all heads, whatever the config says",
         {"attn_config": {"attn_type": "multiquery_attention", "kv_n_heads": 1}}),
        ("query and key norm", "the class has none, whatever the config says",
         {"attn_config": {"qk_ln": True}}),
        ("mpt-7b", "a released model", {
            "vocab_size": 50432, "d_model": 4096, "n_heads": 32, "n_layers": 32, "expansion_ratio": 4,
            "max_seq_len": 2048, "no_bias": True, "learned_pos_emb": True,
            "attn_config": {
                "alibi": True, "alibi_bias_max": 8, "attn_type": "multihead_attention", "qk_ln": False,
            }}),
        ("mpt-30b", "a released model", {
            "vocab_size": 50432, "d_model": 7168, "n_heads": 64, "n_layers": 48, "expansion_ratio": 4,
            "max_seq_len": 8192, "no_bias": True, "learned_pos_emb": True,
            "attn_config": {"alibi": True, "attn_type": "multihead_attention", "qk_ln": False}}),
    )


def gpt2() -> Iterator[Case]:
    base = {
        "model_type": "gpt2", "vocab_size": 211, "n_positions": 40, "n_embd": 96, "n_layer": 3, "n_head": 8,
    }
    yield from variants(
        base,
        ("base", "a table of positions, biases everywhere, tied, an MLP four times as wide", {}),
        UNTIED,
        ("MLP width", "stated", {"n_inner": 130}),
        ("MLP width null", "four times the hidden state", {"n_inner": None}),
        ("context", "n_ctx means nothing beside n_positions", {"n_ctx": 20}),
        ("gpt2", "a released model", {
            "vocab_size": 50257, "n_positions": 1024, "n_ctx": 1024, "n_embd": 768, "n_layer": 12,
            "n_head": 12}),
        ("distilgpt2", "a released model with six layers", {
            "vocab_size": 50257, "n_positions": 1024, "n_ctx": 1024, "n_embd": 768, "n_layer": 6,
            "n_head": 12}),
    )


def opt() -> Iterator[Case]:
    base = {
        "model_type": "opt", "vocab_size": 211, "hidden_size": 96, "num_hidden_layers": 3, "ffn_dim": 130,
        "num_attention_heads": 8, "max_position_embeddings": 40,
    }
    yield from variants(
        base,
        ("base", "two rows of positions more than named, biases, a final norm, tied", {}),
        UNTIED,
        ("projected embeddings", "a narrow embedding with a projection in and one out",
         {"word_embed_proj_dim": 32}),
        ("projected, untied", "the head is as narrow as the embedding",
         {"word_embed_proj_dim": 32, "tie_word_embeddings": False}),
        ("projection null", "as wide as the hidden state", {"word_embed_proj_dim": None}),
        ("post-norm", "no final norm", {"do_layer_norm_before": False}),
        ("final norm removed", "as the config says", {"_remove_final_layer_norm": True}),
        ("no biases", "the norms keep theirs", {"enable_bias": False}),
        ("plain norms", "norms without weights", {"layer_norm_elementwise_affine": False}),
        ("plain and without biases", "matrices and tables alone",
         {"enable_bias": False, "layer_norm_elementwise_affine": False, "word_embed_proj_dim": 32}),
        ("opt-350m", "a released model, post-norm, with projected embeddings", {
            "vocab_size": 50272, "hidden_size": 1024, "num_hidden_layers": 24, "ffn_dim": 4096,
            "num_attention_heads": 16, "max_position_embeddings": 2048, "word_embed_proj_dim": 512,
            "do_layer_norm_before": False, "_remove_final_layer_norm": False}),
        ("opt-6.7b", "a released model", {
            "vocab_size": 50272, "hidden_size": 4096, "num_hidden_layers": 32, "ffn_dim": 16384,
            "num_attention_heads": 32, "max_position_embeddings": 2048, "word_embed_proj_dim": 4096,
            "do_layer_norm_before": True, "_remove_final_layer_norm": False}),
    )


def olmo() -> Iterator[Case]:
    for family in ("olmo2", "olmo3"):
        yield from variants(
            small(family),
            ("base", "query and key norms as wide as the whole projection, untied", {}),
            TIED,
            BIASED_ATTENTION,
            ALL_HEADS,
            WIDE_HEADS,
        )
    yield from variants(
        small("olmo3"),
        ("windowed", "windows are no weights",
         {"sliding_window": 16, "layer_types": ["full_attention", "sliding_attention", "full_attention"]}),
    )
    yield from variants(
        small("olmo2"),
        ("olmo-2-1b", "a released model", {
            "vocab_size": 100352, "hidden_size": 2048, "intermediate_size": 8192, "num_hidden_layers": 16,
            "num_attention_heads": 16, "num_key_value_heads": 16, "tie_word_embeddings": False}),
        ("olmo-2-13b", "a released model", {
            "vocab_size": 100352, "hidden_size": 5120, "intermediate_size": 13824,
            "num_hidden_layers": 40, "num_attention_heads": 40, "num_key_value_heads": 40,
            "tie_word_embeddings": False}),
    )


def mixtral() -> Iterator[Case]:
    yield from variants(
        small("mixtral", num_local_experts=6, num_experts_per_tok=2),
        ("base", "every layer routes, untied", {}),
        TIED,
        WIDE_HEADS,
        ("head_dim null", "hidden_size / heads", {"head_dim": None}),
        ("no key-value heads named", "eight, whatever the query heads",
         {"num_attention_heads": 24, "num_key_value_heads": ABSENT}),
        ("three of six", "another number of active experts", {"num_experts_per_tok": 3}),
        ("windowed", "windows are no weights", {"sliding_window": 16}),
    )


def dbrx() -> Iterator[Case]:
    attention = {"kv_n_heads": 2, "rope_theta": 10000.0}
    experts = {"ffn_hidden_size": 36, "moe_num_experts": 6, "moe_top_k": 2}
    base = {
        "model_type": "dbrx", "vocab_size": 211, "d_model": 96, "n_heads": 8, "n_layers": 3,
        "max_seq_len": 40, "attn_config": attention, "ffn_config": experts, "tie_word_embeddings": False,
    }
    yield from variants(
        base,
        ("base", "a fused projection, norms without a bias", {}),
        ("tying absent", "untied", {"tie_word_embeddings": ABSENT}),
        ("all key-value heads", "as many as query heads", {"attn_config": {**attention, "kv_n_heads": 8}}),
        ("one of six", "another number of active experts", {"ffn_config": {**experts, "moe_top_k": 1}}),
        ("key-value heads not named", "one", {"attn_config": {"rope_theta": 10000.0}}),
        ("experts not described", "one of four active, 3584 wide", {"ffn_config": ABSENT}),
        ("hidden size repeated", "the experts follow d_model",
         {"ffn_config": {**experts, "hidden_size": 77}}),
    )


def arctic() -> Iterator[Case]:
    yield from variants(
        small(
            "arctic",
            num_local_experts=6,
            num_experts_per_tok=2,
            moe_layer_frequency=1,
            parallel_attn_mlp_res=True,
            use_residual=True,
            tie_word_embeddings=False,
        ),
        ("base", "every layer routes beside an MLP as wide as the hidden state", {}),
        TIED,
        ("every second layer", "layer 2 routes, the others have one MLP and two norms",
         {"moe_layer_frequency": 2}),
        ("fields absent", "layers 2 and 4 route, without a residual, untied", {
            "moe_layer_frequency": ABSENT, "parallel_attn_mlp_res": ABSENT, "tie_word_embeddings": ABSENT,
            "num_hidden_layers": 4}),
        ("no residual", "no dense MLP beside the experts",
         {"parallel_attn_mlp_res": False, "use_residual": False}),
        ("all key-value heads", "as many as query heads", {"num_key_value_heads": 8}),
    )


def chinchilla() -> Iterator[Case]:
    base = {
        "model_type": "chinchilla", "vocab_size": 211, "d_model": 96, "n_layers": 3, "n_heads": 8,
        "key_size": 20, "ffw_size": 130, "tie_word_embeddings": True,
    }
    yield from variants(
        base,
        ("base", "keys wider than d_model / heads, a projection of relative positions", {}),
        ("tying absent", "the embedding is shared", {"tie_word_embeddings": ABSENT}),
        UNTIED,
        ("gopher-280b", "the model before it, of the same architecture", {
            "vocab_size": 32000, "d_model": 16384, "n_layers": 80, "n_heads": 128, "key_size": 128,
            "ffw_size": 65536}),
    )


def deepseek() -> Iterator[Case]:
    shape = {
        "num_hidden_layers": 4, "num_key_value_heads": 8, "moe_intermediate_size": 36, "n_routed_experts": 6,
        "num_experts_per_tok": 2, "n_shared_experts": 1, "first_k_dense_replace": 1, "n_group": 1,
        "topk_group": 1, "kv_lora_rank": 28, "q_lora_rank": 44, "qk_rope_head_dim": 10,
        "qk_nope_head_dim": 14, "v_head_dim": 18,
    }
    for family in ("deepseek_v2", "deepseek_v3", "kimi_k2"):
        yield from variants(
            small(family, **shape),
            ("base", "latent attention, the first layer dense, one shared expert", {}),
            TIED,
            ("query rank null", "queries are projected directly", {"q_lora_rank": None}),
            ("no query rank named", "1536, the rank of the released model", {"q_lora_rank": ABSENT}),
            ("attention bias", "bias on the two down-projections and the output", {"attention_bias": True}),
            ("attention bias, query rank null", "bias on one down-projection and the output",
             {"attention_bias": True, "q_lora_rank": None}),
            ("all layers route", "no dense layer", {"first_k_dense_replace": 0}),
            ("no layer routes", "dense layers alone, so active equals total", {"first_k_dense_replace": 4}),
            ("no shared expert", "zero shared experts", {"n_shared_experts": 0}),
            ("dense layers and shared experts not named", "the family's defaults",
             {"first_k_dense_replace": ABSENT, "n_shared_experts": ABSENT}),
            ("three shared experts", "one MLP three times as wide", {"n_shared_experts": 3}),
        )
    for family in ("deepseek_v2", "deepseek_v3"):
        yield from variants(
            small(family, **shape),
            ("layer frequency", "the class routes in every layer after the first", {"moe_layer_freq": 2}),
            ("prediction layers", "layers that predict further tokens are not counted",
             {"num_nextn_predict_layers": 1}),
            ("grouped", "latent attention has no key-value heads to group", {"num_key_value_heads": 2}),
        )
    yield from variants(
        small("deepseek_v2", **shape),
        ("MLP bias", "on the dense layer and the shared expert, not on the routed", {"mlp_bias": True}),
    )
    yield from variants(
        small("deepseek_v3", **shape),
        ("no MLP bias", "this family has none, whatever the config says", {"mlp_bias": True}),
    )
    released = {
        "hidden_size": 7168, "intermediate_size": 18432, "moe_intermediate_size": 2048,
        "num_hidden_layers": 61, "n_shared_experts": 1, "num_experts_per_tok": 8, "moe_layer_freq": 1,
        "kv_lora_rank": 512, "q_lora_rank": 1536, "qk_rope_head_dim": 64, "qk_nope_head_dim": 128,
        "v_head_dim": 128, "attention_bias": False, "tie_word_embeddings": False, "scoring_func": "sigmoid",
        "topk_method": "noaux_tc", "norm_topk_prob": True,
    }
    yield from [
        Case("deepseek_v3: deepseek-v3", "a released model", {
            "model_type": "deepseek_v3", "vocab_size": 129280, "num_attention_heads": 128,
            "num_key_value_heads": 128, "n_routed_experts": 256, "first_k_dense_replace": 3, "n_group": 8,
            "topk_group": 4, "routed_scaling_factor": 2.5, "num_nextn_predict_layers": 1, "ep_size": 1,
            **released}),
        Case("kimi_k2: kimi-k2", "a released model with a trillion weights", {
            "model_type": "kimi_k2", "vocab_size": 163840, "num_attention_heads": 64,
            "num_key_value_heads": 64, "n_routed_experts": 384, "first_k_dense_replace": 1, "n_group": 1,
            "topk_group": 1, "routed_scaling_factor": 2.827, "num_nextn_predict_layers": 0, "ep_size": 1,
            **released}),
        Case("deepseek_v3: moonlight-16b-a3b", "a released model without a query rank", {
            **released, "model_type": "deepseek_v3", "vocab_size": 163840, "hidden_size": 2048,
            "intermediate_size": 11264, "moe_intermediate_size": 1408, "num_hidden_layers": 27,
            "num_attention_heads": 16, "num_key_value_heads": 16, "n_routed_experts": 64,
            "n_shared_experts": 2, "num_experts_per_tok": 6, "first_k_dense_replace": 1, "n_group": 1,
            "topk_group": 1, "q_lora_rank": None}),
    ]


def glm4_moe() -> Iterator[Case]:
    yield from variants(
        small(
            "glm4_moe",
            num_hidden_layers=4,
            moe_intermediate_size=36,
            n_routed_experts=6,
            num_experts_per_tok=2,
            n_shared_experts=1,
            first_k_dense_replace=1,
            head_dim=20,
        ),
        ("base", "the first layer dense, one shared expert, no biases, no query norm", {}),
        TIED,
        ("no key-value heads named", "eight, whatever the query heads",
         {"num_attention_heads": 24, "num_key_value_heads": ABSENT}),
        ("dense layers and shared experts not named", "one of each",
         {"first_k_dense_replace": ABSENT, "n_shared_experts": ABSENT}),
        ("attention bias", "bias on q, k and v, never on the output", {"attention_bias": True}),
        ("query and key norm", "as wide as one head", {"use_qk_norm": True}),
        ("no head_dim named", "hidden_size / heads", {"head_dim": ABSENT}),
        ("all layers route", "no dense layer", {"first_k_dense_replace": 0}),
        ("no layer routes", "dense layers alone", {"first_k_dense_replace": 4}),
        ("two shared experts", "one MLP twice as wide", {"n_shared_experts": 2}),
        ("no shared expert", "zero shared experts", {"n_shared_experts": 0}),
        ("glm-4.5", "a released model", {
            "vocab_size": 151552, "hidden_size": 5120, "intermediate_size": 12288,
            "num_hidden_layers": 92, "num_attention_heads": 96, "num_key_value_heads": 8, "head_dim": 128,
            "moe_intermediate_size": 1536, "n_routed_experts": 160, "num_experts_per_tok": 8,
            "n_shared_experts": 1, "first_k_dense_replace": 3, "attention_bias": True,
            "use_qk_norm": True, "num_nextn_predict_layers": 1, "tie_word_embeddings": False}),
    )


def gpt_oss() -> Iterator[Case]:
    yield from variants(
        small("gpt_oss", head_dim=20, num_local_experts=6, num_experts_per_tok=2),
        ("base", "biases everywhere, a sink for each head; the experts' biases are routed", {}),
        TIED,
        ("no key-value heads named", "eight, whatever the query heads",
         {"num_attention_heads": 24, "num_key_value_heads": ABSENT}),
        ("no attention bias", "the router and the experts keep theirs", {"attention_bias": False}),
        ("no head_dim named", "64, not hidden_size / heads", {"head_dim": ABSENT}),
        ("windowed", "windows are no weights", {"sliding_window": 16}),
        ("gpt-oss-120b", "a released model", {
            "vocab_size": 201088, "hidden_size": 2880, "intermediate_size": 2880, "num_hidden_layers": 36,
            "num_attention_heads": 64, "num_key_value_heads": 8, "head_dim": 64, "num_local_experts": 128,
            "num_experts_per_tok": 4, "experts_per_token": 4, "attention_bias": True,
            "sliding_window": 128, "tie_word_embeddings": False}),
    )


def llama4() -> Iterator[Case]:
    text = small(
        "llama4_text",
        num_hidden_layers=5,
        intermediate_size=36,
        intermediate_size_mlp=130,
        head_dim=20,
        num_local_experts=6,
        num_experts_per_tok=1,
    )
    yield from variants(text, ("base", "the decoder released by itself, untied", {}), TIED)
    vision = {
        "model_type": "llama4_vision_model", "hidden_size": 1408, "intermediate_size": 5632,
        "num_hidden_layers": 34, "num_attention_heads": 16, "image_size": 336, "patch_size": 14,
        "projector_input_dim": 4096, "projector_output_dim": 4096, "vision_output_dim": 4096,
    }
    yield from nested(
        {"model_type": "llama4", "text_config": text, "vision_config": vision},
        ("base", "every layer routes beside a shared expert, untied", {}, {}),
        ("tied inside", "the inner field decides", {}, {"tie_word_embeddings": True}),
        ("tied outside only", "the outer field does not decide", {"tie_word_embeddings": True}, {}),
        ("every second layer", "layers 2 and 4 route, the others have the wide MLP",
         {}, {"interleave_moe_layer_step": 2}),
        ("routing layers named", "layers 1 and 4, whatever the step",
         {}, {"moe_layers": [0, 3], "interleave_moe_layer_step": 2}),
        ("no routing layer", "dense layers alone", {}, {"moe_layers": []}),
        ("query and key norm", "a norm without weights", {}, {"use_qk_norm": True}),
        ("no query and key norm", "the same count", {}, {"use_qk_norm": False}),
        ("attention bias", "bias on q, k, v and the output", {}, {"attention_bias": True}),
        ("no head_dim named", "128, not hidden_size / heads", {}, {"head_dim": ABSENT}),
        ("no key-value heads named", "eight, whatever the query heads",
         {}, {"num_attention_heads": 24, "num_key_value_heads": ABSENT}),
        ("dense width not named", "16384",
         {}, {"interleave_moe_layer_step": 2, "intermediate_size_mlp": ABSENT}),
        ("active experts not named", "one", {}, {"num_experts_per_tok": ABSENT}),
        ("two of six", "another number of active experts", {}, {"num_experts_per_tok": 2}),
        ("no rotary layers", "positions are no weights", {}, {"no_rope_layers": [1, 0, 1, 0, 1]}),
        ("no vision config", "the text decoder alone", {"vision_config": ABSENT}, {}),
        ("llama-4-scout", "a released model", {"tie_word_embeddings": False}, {
            "vocab_size": 202048, "hidden_size": 5120, "intermediate_size": 8192,
            "intermediate_size_mlp": 16384, "num_hidden_layers": 48, "num_attention_heads": 40,
            "num_key_value_heads": 8, "head_dim": 128, "num_local_experts": 16, "num_experts_per_tok": 1,
            "interleave_moe_layer_step": 1, "attention_chunk_size": 8192, "attention_bias": False,
            "use_qk_norm": True}),
    )


def mistral3() -> Iterator[Case]:
    vision = {
        "model_type": "pixtral", "hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 24,
        "num_attention_heads": 16, "head_dim": 64, "image_size": 1540, "patch_size": 14,
    }
    yield from nested(
        {"model_type": "mistral3", "text_config": small("mistral"), "vision_config": vision},
        ("base", "the text decoder alone, tied when no field says so, unlike mistral", {}, {}),
        ("untied outside", "the outer field decides", {"tie_word_embeddings": False}, {}),
        ("untied inside only", "the inner field does not decide", {}, {"tie_word_embeddings": False}),
        ("tied outside, untied inside", "the outer field decides",
         {"tie_word_embeddings": True}, {"tie_word_embeddings": False}),
        ("no inner model type", "mistral is understood", {}, {"model_type": ABSENT}),
        ("wide heads", "head_dim is not hidden_size / heads",
         {"tie_word_embeddings": False}, {"head_dim": 20}),
    )


def deepseek_sparse() -> Iterator[Case]:
    experts = {
        "num_hidden_layers": 4, "num_key_value_heads": 8, "moe_intermediate_size": 36, "n_routed_experts": 6,
        "num_experts_per_tok": 2, "n_shared_experts": 1, "q_lora_rank": 44, "index_n_heads": 3,
        "index_head_dim": 14, "index_topk": 7,
    }
    latent = {
        "first_k_dense_replace": 1, "n_group": 1, "topk_group": 1, "kv_lora_rank": 28,
        "qk_rope_head_dim": 10, "qk_nope_head_dim": 14, "v_head_dim": 18,
    }
    yield from variants(
        small("deepseek_v32", **experts, **latent),
        ("base", "an indexer in every layer: a query, a key with a norm, a weight for each head", {}),
        TIED,
        ("attention bias", "none on the indexer", {"attention_bias": True}),
        ("indexer not named", "64 heads of 128",
         {"index_n_heads": ABSENT, "index_head_dim": ABSENT, "index_topk": ABSENT}),
        ("two shared experts", "one MLP twice as wide", {"n_shared_experts": 2}),
        ("prediction layers", "layers that predict further tokens are not counted",
         {"num_nextn_predict_layers": 1}),
    )
    compressed = {
        "num_key_value_heads": 1, "head_dim": 20, "o_groups": 4, "o_lora_rank": 6, "hc_mult": 3,
        "sliding_window": 5, "qk_rope_head_dim": 10, "compress_ratios": [0, 4, 128, 4],
    }
    base = change(small("deepseek_v4", **{**experts, **compressed}), intermediate_size=ABSENT)
    yield from variants(
        base,
        ("base", "a window, sparse and heavy compression, three residual streams", {}),
        TIED,
        ("windows alone", "no compressor", {"compress_ratios": [0, 0, 0, 0]}),
        ("kinds not named", "heavy twice, then alternating", {"compress_ratios": ABSENT}),
        ("kinds by name", "the names decide over the ratios", {
            "layer_types": ["sliding_attention", "heavily_compressed_attention"] * 2}),
        ("other rates", "the positions in a block are weights", {
            "compress_rates": {"compressed_sparse_attention": 8, "heavily_compressed_attention": 64}}),
        ("more ratios than layers", "those beyond the last layer belong to prediction layers",
         {"compress_ratios": [0, 4, 128, 4, 0]}),
        ("hash layers", "a fixed table routes, and is no weight", {"num_hash_layers": 2}),
        ("two shared experts", "the class has one, whatever the config says", {"n_shared_experts": 2}),
        ("two streams", "fewer mixing weights", {"hc_mult": 2}),
        ("sizes not named", "those of the smaller release",
         {"o_groups": ABSENT, "o_lora_rank": ABSENT, "hc_mult": ABSENT, "q_lora_rank": ABSENT}),
    )


def gemma4() -> Iterator[Case]:
    text = small(
        "gemma4_text", num_hidden_layers=6, head_dim=20, global_head_dim=28, hidden_size_per_layer_input=0,
        num_global_key_value_heads=1, sliding_window=16)
    experts = {
        "enable_moe_block": True, "num_experts": 6, "top_k_experts": 2, "moe_intermediate_size": 36}
    yield from variants(
        text,
        ("base", "tied, wider heads in every sixth layer; key-value heads there only with shared values", {}),
        UNTIED,
        ("shared values", "no value projection in full layers, with key-value heads of their own",
         {"attention_k_eq_v": True}),
        ("shared values, heads not named", "as many as in the other layers",
         {"attention_k_eq_v": True, "num_global_key_value_heads": ABSENT}),
        ("experts", "beside the dense network, with three more norms and a scaled router", experts),
        ("attention bias", "bias on q, k, v and the output", {"attention_bias": True}),
        ("shared values with bias", "none for values in full layers",
         {"attention_bias": True, "attention_k_eq_v": True}),
        ("head sizes not named", "256, and 512 in full layers",
         {"head_dim": ABSENT, "global_head_dim": ABSENT}),
        ("kinds by name", "the last layer is full, whatever the config says",
         {"layer_types": ["full_attention"] + ["sliding_attention"] * 5}),
    )
    yield from nested(
        {"model_type": "gemma4", "text_config": text},
        ("base", "the text decoder alone, tied when no field says so", {}, {}),
        ("untied outside", "the outer field decides", {"tie_word_embeddings": False}, {}),
        ("untied inside only", "the inner field does not decide", {}, {"tie_word_embeddings": False}),
        ("no inner model type", "gemma4_text is understood", {}, {"model_type": ABSENT}),
        ("experts", "beside the dense network", {}, experts),
    )


def qwen_linear() -> Iterator[Case]:
    shape = {
        "num_hidden_layers": 4, "head_dim": 20, "num_experts": 6, "num_experts_per_tok": 2,
        "moe_intermediate_size": 36, "shared_expert_intermediate_size": 44, "linear_num_key_heads": 2,
        "linear_num_value_heads": 6, "linear_key_head_dim": 14, "linear_value_head_dim": 18,
        "linear_conv_kernel_dim": 3,
    }
    for family in ("qwen3_next", "qwen3_5_moe_text"):
        yield from variants(
            small(family, **shape),
            ("base", "three linear layers, then a gated full one; a gated shared expert", {}),
            TIED,
            ("attention bias", "on the full layers alone, the gate included", {"attention_bias": True}),
            ("another interval", "every second layer is full", {"full_attention_interval": 2}),
            ("kinds by name", "the list decides",
             {"layer_types": ["full_attention", "linear_attention"] * 2}),
            ("linear sizes not named", "those of the release", dict.fromkeys(
                [name for name in shape if name.startswith("linear")], ABSENT)),
            ("heads not named", "two key-value heads of 256",
             {"head_dim": ABSENT, "num_key_value_heads": ABSENT}),
        )
    yield from variants(
        small("qwen3_next", **shape),
        ("every second layer routes", "the others have the wide MLP", {"decoder_sparse_step": 2}),
        ("dense layers named", "the wide MLP there", {"mlp_only_layers": [0, 3]}),
    )
    yield from nested(
        {"model_type": "qwen3_5_moe", "text_config": small("qwen3_5_moe_text", **shape)},
        ("base", "the text decoder alone, untied", {}, {}),
        ("tied outside", "the outer field decides", {"tie_word_embeddings": True}, {}),
        ("tied inside only", "the inner field does not decide", {}, {"tie_word_embeddings": True}),
        ("no inner model type", "qwen3_5_moe_text is understood", {}, {"model_type": ABSENT}),
        ("dense layers named", "every layer routes, whatever the config says",
         {}, {"mlp_only_layers": [0], "decoder_sparse_step": 2}),
    )


def minimax() -> Iterator[Case]:
    shape = {"num_hidden_layers": 4, "head_dim": 20, "num_local_experts": 6}
    yield from variants(
        small("minimax", **shape),
        ("base", "full and linear layers alternate; two experts work", {}),
        TIED,
        ("kinds by name", "the list decides", {"layer_types": ["linear_attention"] * 3 + ["full_attention"]}),
        ("no key-value heads named", "eight, whatever the query heads",
         {"num_attention_heads": 24, "num_key_value_heads": ABSENT}),
        ("head_dim null", "hidden_size / heads", {"head_dim": None}),
    )
    yield from variants(
        small("minimax_text_01", **shape, num_experts_per_tok=2),
        ("base", "the kinds by number, one a full layer", {"attn_type_list": [0, 0, 0, 1]}),
    )


# fmt: on

FAMILIES = (
    llama,
    mistral,
    granite,
    qwen2,
    qwen3,
    qwen3_moe,
    gemma,
    gemma3,
    phi,
    phi3small,
    cohere,
    falcon,
    mpt,
    gpt2,
    opt,
    olmo,
    mixtral,
    dbrx,
    arctic,
    chinchilla,
    deepseek,
    glm4_moe,
    gpt_oss,
    llama4,
    mistral3,
    deepseek_sparse,
    gemma4,
    qwen_linear,
    minimax,
)


def answered(case: Case) -> dict[str, Any]:
    """Return ``case`` with the counts of its reference implementation."""
    built = reference.build(case.config)
    return {**case._asdict(), **reference.totals(built), "implementation": built.implementation}


def main() -> None:
    """Count every case and write the answers, one case a line."""
    cases = [case for family in FAMILIES for case in family()]
    lines = ",\n".join(json.dumps(answered(case)) for case in cases)
    CASES.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    print(f"{len(cases)} cases in {CASES.name}")


if __name__ == "__main__":
    main()
