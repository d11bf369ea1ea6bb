"""Rows of the table: dense decoders, and what one of them alone has."""

from __future__ import annotations

from math import isqrt

from cohort.architecture.attended import BlockSparse
from cohort.architecture.configs.fields import Fields
from cohort.architecture.feedforward import Experts, Weights
from cohort.architecture.parts import (
    FIRST_APART, FULL, SLIDING, Kind, Place, Row, attention, beside, convolved_queries,
    cross_attention, dense, either, every, everywhere, expanded, experts, extend, further, named,
    only, sized, square_attention, switched, where, width_of_heads,
)  # fmt: skip
from cohort.errors import ConfigError
from cohort.numeric import ceil_div

_sparse_blocks = sized(
    BlockSparse, "blocksparse_block_size", "blocksparse_num_local_blocks", "blocksparse_vert_stride"
)


def _phi3small_width(place: Place) -> int:
    """Return the width: as given, else from a multiplier of two thirds of the hidden size."""
    fields = place.fields
    multiplier, given = fields.optional("ff_dim_multiplier"), fields.optional("ff_intermediate_size")
    if multiplier is None:
        return fields.size("ff_intermediate_size")
    if given is not None:
        raise ConfigError("'ff_dim_multiplier' and 'ff_intermediate_size' are both given: one must go")
    width = multiplier * (fields.hidden // 3) * 2
    return ceil_div(width, 256) * 256 if fields.flag("gegelu_pad_to_256") else width


def _falcon_heads(place: Place) -> int:
    if place.flag("new_decoder_architecture"):
        return place.fields.kv_heads()
    return 1 if place.flag("multi_query") else place.heads


def _falcon_norms(place: Place) -> int:
    """Return the LayerNorms of a layer: one where attention and feed-forward share theirs, else two."""
    given = place.fields.optional("num_ln_in_parallel_attn") or 1 + place.flag("new_decoder_architecture")
    return 2 if given == 2 or not place.flag("parallel_attn") else 1


def _prompt_tables(place: Place) -> int:
    """Return CPM-Ant's embeddings of segments, and the biases of relative positions."""
    segments, buckets = place.number("segment_types"), place.number("position_bias_num_buckets")
    return segments * place.hidden + (segments**2 + buckets) * place.heads


# HRM and Dory pass some layers again and again.


def _hrm_order(fields: Fields, count: int) -> list[int]:
    cycles = fields.size("H_cycles") * (fields.size("L_cycles") + 1)
    return [layer % count for layer in range(count // 2 * cycles)]


def _dory(fields: Fields) -> tuple[list[str], int]:
    """Return the kinds of Dory's layers, and how many entries of its config each is: two as halves."""
    listed, count = fields.raw("layer_types"), fields.layers
    given = listed if isinstance(listed, (list, tuple)) else []
    halves = "mlp" in given
    turns = [(kind == "mlp") == bool(layer % 2) for layer, kind in enumerate(given)]
    if halves and (len(given) != count or not all(turns)):
        raise ConfigError(f"'layer_types' must hold attention and mlp in turn for {count} halves of layers")
    unit = 2 if halves else 1
    whole, count = Fields({"layer_types": given[::unit]}, "dory", {}), count // unit
    kinds = whole.listed("layer_types", count, f"kinds for {count} layers", (FULL, SLIDING))
    return kinds or list(every(4)(fields, count)), unit


def _dory_order(fields: Fields, count: int) -> list[int]:
    """Return the first layers, those between again and again, and the last."""
    unit, layers, parts = _dory(fields)[1], range(count), ("input", "output", "recurrent")
    first, last, more = (fields.optional(f"n_{part}_layers", low=0) for part in parts)
    start, end = (first or 0) // unit, count - (last or 0) // unit
    if more is not None and more // unit != end - start and end >= start:
        raise ConfigError("'n_recurrent_layers' must be what the first and last layers leave")
    end = max(start, end)
    loops = fields.size("n_recurrent_loops") if layers[start:end] else 1
    return [*layers[:start], *[*layers[start:end]] * loops, *layers[end:]]


def _dory_scales(place: Place) -> int:  # in place of norms
    return 2 * (place.hidden + place.heads * width_of_heads(place) + place.number("intermediate_size"))


def _doge_extra(place: Place) -> Weights:  # weights of residuals, and of the mask that attention learns
    keys = place.fields.kv_heads()
    bias = keys if place.flag("attention_bias") else 0
    return Weights(keys * keys * width_of_heads(place), 2 * place.hidden + keys + bias)


def _row_experts(place: Place) -> Experts:
    """Return Doge's experts of one row each, found by a product of two keys."""
    count, active = place.number("n_routed_experts"), place.number("num_experts_per_tok")
    return Experts(count, active, 1, gated=False, router=2 * isqrt(count) * place.hidden)


def _zaya_experts(place: Place) -> Experts:
    """Return Zaya's experts, which a small network chooses; one choice more is to skip them."""
    width, count = place.number("router_hidden_size"), place.number("n_routed_experts")
    if place.number("num_experts_per_tok") != 1:
        raise ConfigError("num_experts_per_tok must be 1 in zaya")
    router = width * (place.hidden + 2 * width + count + 1)
    others = 4 * width + (0 if place.other == "first" else width)
    return Experts(count, 1, place.number("moe_intermediate_size"), router=router, correction=others)


# fmt: off
BOTH = only(attention, FULL, SLIDING)
WINDOWED = {"kinds": BOTH, "listed": True}
EVERYWHERE = {"kinds": BOTH, "pattern": everywhere(SLIDING)}

PLAIN = Row(only(attention), dense=dense, experts=experts)  # no biases at all
LLAMA = extend(PLAIN, bias="attention_bias", mlp_bias="mlp_bias", head_dim="divides")
GRANITE = extend(LLAMA, head_dim="given")
BIASED = extend(PLAIN, bias="attention_bias")
# Multi-head attention with biases and LayerNorm: GPT's names, and later ones that say the feed-forward width.
WIDE = either("intermediate_size", otherwise=lambda at: 4 * at.hidden)
GPT = extend(
    PLAIN, norm=2, bias=True, mlp_bias=True, gated=False, grouped=False, head_dim="divided", tied=True,
)
GPT2 = extend(GPT, width=WIDE)
PARALLEL = extend(GPT2, norms=1, bias=False, tied=False, head_bias=True)
POSITIONS = {"positions": "max_position_embeddings"}
OFFSET = {"positions": lambda at: at.number("max_position_embeddings") + 2}
COHERE = extend(BIASED, norms=1, tied=True)
GEMMA = extend(BIASED, tied=True)
GEMMA2 = extend(GEMMA, **WINDOWED, pattern=every(2), norms=4)
NORMED = extend(BIASED, query_key_norm="head")
OLMO2 = extend(BIASED, query_key_norm="full")
LAST_SLIDE = switched("use_sliding_window", "sliding_window", slides=lambda layer, below: layer >= below)
OWN_BIASES = "attention_bias mlp_bias"
QWEN2 = extend(PLAIN, **WINDOWED, pattern=LAST_SLIDE, bias=True, output_bias=False)
QWEN3 = extend(NORMED, **WINDOWED, pattern=LAST_SLIDE)
EXAONE4 = extend(PLAIN, **WINDOWED, pattern=every("sliding_window_pattern"), query_key_norm="head")
APERTUS = extend(
    NORMED, gated=False, extra=further(0, lambda at: 2 if at.fields.raw("hidden_act") == "xielu" else 0),
    inert="qk_norm",
)
GLM = extend(BIASED, output_bias=False)

DENSE = {
    "llama exaone iquestcoder": extend(
        LLAMA, inert="sliding_window use_sliding_window use_qk_norm layer_types",
    ),
    "internlm3": extend(LLAMA, bias=("attention_bias", "qkv_bias"), mlp_bias=("mlp_bias", "bias")),
    "arcee": extend(LLAMA, gated=False),
    "granite emu3_text_model granite4_vision_text": extend(GRANITE, inert="sliding_window"),
    "granite_swa": extend(GRANITE, **WINDOWED, pattern=every(4, first=0), sinks=True, tied=True),
    "smollm3": extend(GRANITE, **WINDOWED, tied=True),
    "cwm": extend(PLAIN, **WINDOWED, pattern=every(4, first=0), mlp_bias="mlp_bias"),
    "hyperclovax": extend(GRANITE, norms=lambda at: 4 if at.flag("use_post_norm") else 2),
    "seed_oss": extend(LLAMA, output_bias="attention_out_bias"),
    "ernie4_5 paddleocr_vl_text": extend(PLAIN, bias="use_bias", mlp_bias="use_bias", tied=True),
    "helium": extend(GRANITE, kinds=only(square_attention), output_bias=False),
    "bitnet": extend(BIASED, extra=further(0, lambda at: at.hidden + at.number("intermediate_size"))),
    "diffllama": extend(BIASED, kinds=only(lambda at: attention(at, norm_weights=4 * width_of_heads(at)))),
    "hunyuan_v1_dense": extend(NORMED, inert="use_qk_norm"),
    "hunyuan_vl_text": extend(NORMED, says_again={"org_vocab_size": "vocab_size"}, inert="use_qk_norm"),
    "apertus": APERTUS,
    "apertus1p5_text": extend(APERTUS, head_rows="output_vocab_size"),
    "mistral": extend(PLAIN, **EVERYWHERE, inert="attention_bias mlp_bias layer_types"),
    "ministral": extend(PLAIN, **WINDOWED, pattern=everywhere(SLIDING)),
    "ministral3": extend(PLAIN, **EVERYWHERE),
    "starcoder2": extend(
        PLAIN, **EVERYWHERE, norm=2, bias="use_bias", mlp_bias="use_bias", gated=False, tied=True,
    ),
    "nemotron jais2": extend(GRANITE, norm=2, gated=False),
    "nanochat": extend(BIASED, norm=0, gated=False),
    "olmo": extend(BIASED, norm=0),
    "olmo2": extend(OLMO2, inert="sliding_window"),
    "olmo3": extend(OLMO2, **WINDOWED, pattern=every(4)),
    "qwen2 mimo": extend(QWEN2, inert=OWN_BIASES),
    "qwen2_5_vl_text qwen2_vl_text qwen2_5_omni_text": extend(QWEN2, inert=OWN_BIASES, sections=True),
    "qwen3": QWEN3,
    "qwen3_vl_text": extend(NORMED, sections=True),
    "molmo2_text": extend(
        NORMED, bias=("attention_bias", "qkv_bias"), output_bias=False, more_rows="additional_vocab_size",
    ),
    "exaone4 exaone4_5_text": EXAONE4,
    "gemma": extend(GEMMA, inert="sliding_window"),
    "gemma2": GEMMA2,
    "gemma3_text": extend(
        GEMMA2, pattern=every("sliding_window_pattern"), query_key_norm="head", rotary_apart=True,
    ),
    "vaultgemma": extend(GEMMA2, norms=2),
    "cohere": extend(COHERE, query_key_norm="full", norm_if="use_qk_norm", inert="sliding_window"),
    "cohere2 cohere_compass_text": extend(COHERE, **WINDOWED, pattern=every("sliding_window_pattern")),
    "glm": GLM,
    "glm4 glm_ocr_text": extend(GLM, norms=4),
    "glm4v_text": extend(PLAIN, norms=4, bias=True, output_bias=False, head_dim="divided"),
    "cosmos3_edge_text": extend(GRANITE, gated=False),
    "granite_docling_text": GRANITE,
    "muse_glimmer_text": extend(
        BIASED, **WINDOWED, pattern=where(lambda layer, count: (count - 1 - layer) % 4 == 0), norms=4,
        gate="full",
    ),
    "voxtral_realtime_text": extend(
        PLAIN, **EVERYWHERE, tied=True, extra=further(lambda at: 2 * 32 * at.hidden),
    ),
    "chameleon": extend(LLAMA, head_dim="divided", query_key_norm="full", query_key_unit=2),
    "mllama_text_model": extend(
        PLAIN, kinds={**only(attention), **only(cross_attention, "cross")}, head_dim="divided", more_rows=8,
        pattern=named("cross_attention_layers", "cross", FULL, every(5, "cross", FULL, first=3)),
        extra=further(0, lambda at: 2 if at.kind == "cross" else 0),
    ),
    "kosmos_2_text_model": extend(
        GPT, extra=further(0, lambda at: 2 * (at.hidden + at.number("intermediate_size"))),
    ),
    "kosmos_2_5_text_model": extend(
        GPT, extra=further(0, lambda at: 2 * at.number("intermediate_size")),
        outside=further(0, lambda at: 2 * at.hidden),
    ),
    "modernbert-decoder": extend(
        BIASED, **WINDOWED, pattern=every("global_attn_every_n_layers", first=0), grouped=False,
        head_dim="divided", mlp_bias="mlp_bias", norm=lambda at: 2 if at.flag("norm_bias") else 1, tied=True,
        final=3, head_bias="decoder_bias",
        window=either("sliding_window", otherwise=lambda at: at.number("local_attention") // 2),
        varies=FIRST_APART, norms=lambda at: 1 if at.other == "first" else 2, inert="classifier_pooling",
        outside=further(lambda at: at.hidden**2, lambda at: at.hidden if at.flag("classifier_bias") else 0),
    ),
    "moshi": extend(
        PLAIN, **EVERYWHERE, more_rows=1, tied=None, width=lambda at: at.number("intermediate_size") // 2,
    ),
    "cpmant": extend(
        PLAIN, rotary=False, grouped=False, tied=None, outside=further(0, _prompt_tables),
        more_rows=lambda at: at.number("prompt_types") * at.number("prompt_length"),
    ),
    "hrm_text": extend(
        GRANITE, norm=0, grouped=False, gate="full", gate_bias="attention_bias", order=_hrm_order,
        layers=lambda at: 2 * either("num_layers_per_stack", "num_hidden_layers")(at),
        outside=further(0, lambda at: at.hidden), inert="num_key_value_heads",
    ),
    "dory": extend(
        GRANITE, kinds=BOTH, norms=0, final=0, gate="full", layers=lambda at: len(_dory(at.fields)[0]),
        pattern=lambda fields, count: _dory(fields)[0], order=_dory_order, extra=further(0, _dory_scales),
        outside=further(0, "vocab_size"),
    ),
    "doge": extend(
        GRANITE, **EVERYWHERE, query_key_norm="head", routed="is_moe", dense=beside(dense, _row_experts),
        experts=beside(dense, _row_experts), extra=_doge_extra,
    ),
    "phi": extend(
        PLAIN, norm=2, norms=1, bias=True, mlp_bias=True, gated=False, query_key_norm="head",
        norm_if="qk_layernorm", head_bias=True,
    ),
    "phi3 phi4_multimodal": extend(PLAIN, **EVERYWHERE, inert="attention_bias mlp_bias"),
    "phi3small": extend(
        PLAIN,
        kinds={**only(attention), **only(lambda at: attention(at, sparse=_sparse_blocks(at)), "sparse")},
        norm=2, bias=True, mlp_bias=True, pattern=every("dense_attention_every_n_layers", others="sparse"),
        width=_phi3small_width, head_dim="divided", tied=True,
        absent={"num_key_value_heads": 8, "blocksparse_block_size": 64, "blocksparse_num_local_blocks": 16,
                "blocksparse_vert_stride": 8, "dense_attention_every_n_layers": 2, "gegelu_pad_to_256": True},
        inert="blocksparse_homo_head_pattern blocksparse_triton_kernel_block_size gegelu_pad_to_256 "
              "blocksparse_block_size blocksparse_num_local_blocks blocksparse_vert_stride",
    ),
    "stablelm": extend(
        PLAIN, norm=2, norms=lambda at: 1 if at.flag("use_parallel_residual") else 2, bias="use_qkv_bias",
        output_bias=False, query_key_norm="full", query_key_unit=1, norm_if="qk_layernorm",
        head_dim="divided",
    ),
    "persimmon": extend(
        GPT, query_key_norm="head", norm_if="qk_layernorm", tied=False, inert="num_key_value_heads",
    ),
    "falcon": extend(GPT2, bias="bias", mlp_bias="bias", grouped=_falcon_heads, norms=_falcon_norms),
    "gpt2 gpt-sw3": extend(GPT2, **POSITIONS),
    "gpt_bigcode": extend(
        GPT2, **POSITIONS, grouped=lambda at: 1 if at.flag("multi_query") else at.heads,
        inert="num_key_value_heads",
    ),
    "gpt_neo": extend(GPT2, **POSITIONS, bias=False, output_bias=True, inert="attention_layers"),
    "openai-gpt": extend(GPT2, **POSITIONS, final=0),
    "gpt_neox": extend(GPT, bias="attention_bias", tied=False),
    "gpt_neox_japanese": extend(
        GPT, bias=False, mlp_bias=False, width=expanded("intermediate_multiple_size"),
        varies=where(lambda layer, count: layer == count - 1, "last", None),
        output_bias=lambda at: at.other == "last",
    ),
    "gptj codegen": PARALLEL,
    "ctrl": extend(GPT, head_bias=True, rotary=False),
    "bloom": extend(GPT, rotary=False, final=2, width=lambda at: 4 * at.hidden),
    "biogpt": extend(GPT, **OFFSET),
    "xglm": extend(GPT, rotary=False),
    "opt": extend(
        GPT, **OFFSET, bias="enable_bias", mlp_bias="enable_bias", embedding_width="word_embed_proj_dim",
        norm=lambda at: 2 if at.flag("layer_norm_elementwise_affine") else 0,
        final=lambda at: at.flag("do_layer_norm_before") and not at.flag("_remove_final_layer_norm"),
    ),
    "mpt": extend(
        GPT, rotary=False, norm=1, bias=False, mlp_bias=False, width=lambda at: 4 * at.hidden,
    ),
    "chinchilla": extend(
        PLAIN, kinds=only(lambda at: attention(at, position_projection=True)), gated=False, grouped=False,
        tied=True, rotary=False, inert="norm",
    ),
    "zaya": extend(
        BIASED,
        kinds=dict.fromkeys(("hybrid", "hybrid_sliding"), Kind((attention, convolved_queries), "experts")),
        listed=True, tied=True, head_bias="lm_head_bias", experts=_zaya_experts, routed=True,
        varies=FIRST_APART, extra=further(0, lambda at: 8 * at.hidden),
        outside=further(0, lambda at: 2 * at.hidden),
    ),
}
