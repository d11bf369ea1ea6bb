"""Rows of the table: mixtures of experts with attention in every layer, and what one of them alone has."""

from __future__ import annotations

from collections.abc import Sequence

from cohort.architecture.attention import GroupedQuery, RoutedQuery
from cohort.architecture.configs.fields import ABSENT, Fields
from cohort.architecture.families.dense import (
    BIASED, COHERE, EVERYWHERE, EXAONE4, GRANITE, LLAMA, NORMED, OLMO2, PLAIN, QWEN2, QWEN3, WINDOWED,
)  # fmt: skip
from cohort.architecture.feedforward import Dense, Experts, Residual
from cohort.architecture.parts import (
    FIRST_DENSE, FULL, SLIDING, Kind, Place, after, agreed, attention, block_attention, by_step,
    either, entry, every, everywhere, experts, extend, further, marked, mlp_types, named, once_each,
    only, repeated, sized, square_attention, stretch, switched, uniform, where,
)  # fmt: skip
from cohort.errors import ConfigError, shown


def _arctic(place: Place) -> Experts | Residual:
    """Return Arctic's experts, beside a dense network as wide as the residual stream where it says so."""
    mixed = experts(place)
    return Residual(Dense(place.hidden), mixed) if place.flag("parallel_attn_mlp_res") else mixed


def _heads_per_layer(fields: Fields, count: int) -> Sequence[int | None]:
    allowed = f"heads of {count} layers"
    return fields.listed("num_attention_heads_per_layer", count, allowed, range(1, 100_000)) or [None] * count


def _ernie_vision(place: Place) -> Experts:
    """Return ERNIE 4.5 VL's experts of text; those of images hold weights that no token of text visits."""
    fields, name = place.fields, "moe_intermediate_size"
    widths, count = fields.raw(name), fields.size("n_routed_experts")
    widths = [1536, 512] if widths is ABSENT or widths is None else widths
    if not isinstance(widths, (list, tuple)) or len(widths) != 2:
        raise ConfigError(f"the field {name!r} is {shown(widths, 30)}, but must hold two widths")
    text, image = (entry(name, each) for each in widths)
    return Experts(
        count, fields.size("num_experts_per_tok"), text, shared=fields.size("n_shared_experts", low=0),
        shared_bias=place.flag("use_bias"), correction=count * (2 + place.hidden),
        unused=count * Dense(image).parameters(place.hidden),
    )  # fmt: skip


def _narrow_values(place: Place) -> GroupedQuery:
    return attention(place, head_dim=place.number("head_dim"), value_dim=place.number("v_head_dim"))


def _mimo_window(place: Place) -> int | None:
    before = place.fields.optional("sliding_window_size")
    return place.fields.optional("sliding_window") if before is None else before + 1


def _step(place: Place) -> GroupedQuery:
    """Return Step 3.5's attention: windowed layers have heads of their own."""
    fields, own = place.fields, place.fields.part("attention_other_setting")
    heads = fields.optional("num_sliding_attention_heads") or own.optional("num_attention_heads")
    kv_heads = own.optional("num_key_value_heads")
    return attention(place, heads=heads, kv_heads=kv_heads) if place.kind == SLIDING else attention(place)


# fmt: off
SECOND_SLIDE = switched("use_sliding_window", slides=lambda layer, below: layer % 2 == 0 and layer < below)
ROUTED_QUERY = sized(
    RoutedQuery, "n_routed_experts", "num_experts_per_tok", "num_key_value_heads",
    agreed("kv_channels", "head_dim"),
)
SIXTH_FULL = where(lambda layer, count: layer and (layer + 1) % 6, SLIDING, FULL)
CHUNKED = "chunked_attention"
MIXED = {"routed": True, "expert_width": "intermediate_size"}  # experts of the one width, in every layer
SHARED = {"shared": "n_shared_experts"}
ONE_SHARED = {"shared": 1, "shared_width": "shared_width"}
LISTED = {"routed": mlp_types(FIRST_DENSE)}  # as listed, else after the first dense ones
FIRST = {"routed": FIRST_DENSE}
QWEN_SHARED = {**ONE_SHARED, "expert": {"shared_gate": True}}
CORRECTED = {"expert": {"correction": once_each}}
GLM4_MOE = extend(BIASED, output_bias=False, query_key_norm="head", norm_if="use_qk_norm", **FIRST, **SHARED)
OCR = extend(LLAMA, head_dim="divided", routed=mlp_types(after(1)), **SHARED, shared_bias="mlp_bias")
GRANITE_MOE = extend(
    BIASED, **MIXED, shared_width="shared_width",
    shared=lambda at: int(at.fields.size("shared_width", low=0) > 0),
)

MIXTURES = {
    "mixtral": extend(PLAIN, **EVERYWHERE, **MIXED),
    "phimoe": extend(BIASED, **EVERYWHERE, **MIXED, norm=2, head_bias="lm_head_bias"),
    "dbrx": extend(
        PLAIN, kinds=only(attention, forward="experts"), head_dim="divided",
        grouped=either("attn_config.kv_n_heads", otherwise=1),
        experts=sized(
            Experts, either("ffn_config.moe_num_experts", otherwise=4),
            either("ffn_config.moe_top_k", otherwise=1), either("ffn_config.ffn_hidden_size", otherwise=3584),
        ),
        inert="num_key_value_heads",
    ),
    "arctic": extend(
        PLAIN, **EVERYWHERE, routed=every("moe_layer_frequency", True, False), head_dim="divided",
        experts=_arctic, norms=lambda at: 3 if at.routed and at.flag("parallel_attn_mlp_res") else 2,
        expert_width="intermediate_size", absent={"moe_layer_frequency": 2}, inert="use_residual",
    ),
    "qwen2_moe": extend(QWEN2, pattern=SECOND_SLIDE, bias="qkv_bias", routed=by_step(), **QWEN_SHARED),
    "qwen3_moe": extend(
        NORMED, kinds=QWEN3.kinds, pattern=switched("use_sliding_window"), routed=by_step(),
        inert="use_qk_norm shared_expert_intermediate_size",
    ),
    "qwen3_vl_moe_text qwen3_omni_moe_text": extend(NORMED, routed=by_step(), sections=True),
    "mellum": extend(QWEN3, pattern=None, routed=mlp_types(everywhere(True))),
    "flint": extend(
        NORMED, **WINDOWED, pattern=where(lambda layer, count: layer in (0, 1, count - 1) or layer % 4 == 1),
        sinks=True, routed=by_step(0, 1), **ONE_SHARED,
    ),
    "kolibri1": extend(
        PLAIN, **WINDOWED, pattern=every(5), query_key_norm="head", norms=4, routed=True, **ONE_SHARED,
    ),
    "laguna": extend(
        NORMED, kinds=only(lambda at: attention(at, heads=at.other), FULL, SLIDING), listed=True,
        varies=_heads_per_layer, gate=lambda at: "full" if at.fields.raw("gating") is False else "head",
        routed=mlp_types(after(1)), **ONE_SHARED, **CORRECTED,
    ),
    "beam": extend(
        NORMED, **WINDOWED, pattern=where(lambda layer, count: (layer + 1) % 6 == 0 or layer == count - 1),
        norms=4, gate="full", routed=mlp_types(after(3)), extra=further(0, "num_attention_heads"),
    ),
    "afmoe": extend(
        NORMED, **WINDOWED, pattern=every("global_attn_every_n_layers"), norms=4, gate="full",
        routed=after("num_dense_layers"), **SHARED, **CORRECTED,
    ),
    "hy_v3": extend(
        GRANITE, query_key_norm="head", routed=mlp_types(after(1)), shared_bias="mlp_bias",
        shared=lambda at: at.number("n_shared_experts"),
    ),
    "dots1": extend(
        NORMED, **WINDOWED, pattern=switched("sliding_window", slides=lambda layer, below: layer >= below),
        **FIRST, **SHARED,
    ),
    "exaone_moe": extend(EXAONE4, **LISTED, **SHARED),
    "cohere2_moe": extend(
        COHERE, **WINDOWED, pattern=every("sliding_window_pattern"), **LISTED, **SHARED,
        expert_width="intermediate_size", width=either("prefix_dense_intermediate_size", "intermediate_size"),
    ),
    "glm4_moe sarvam_moe": extend(GLM4_MOE, bias=("attention_bias", "use_qkv_bias")),
    "glm4v_moe_text": extend(GLM4_MOE, query_key_norm=None),
    "solar_open": extend(
        GLM4_MOE, query_key_norm=None, routed=True,
        inert="first_k_dense_replace intermediate_size use_qk_norm",
    ),
    "minimax_m2": extend(
        PLAIN, **MIXED, query_key_norm="full", pattern=repeated("attn_type_list", everywhere(FULL), FULL),
        inert="qk_norm_type use_qk_norm",
    ),
    "minimax_m3_vl_text minimax_m3": extend(
        PLAIN, kinds={**only(attention), **only(block_attention, "minimax_m3_sparse")}, listed=True,
        query_key_norm="head",
        pattern=marked("sparse_attention_freq", "minimax_m3_sparse", FULL, everywhere(FULL),
                       "sparse_attention_config"),
        routed=mlp_types(marked("moe_layer_freq", True, False, everywhere(True))),
        width="dense_intermediate_size", expert_width=agreed("moe_intermediate_size", "intermediate_size"),
        shared_width="shared_width", shared=either("n_shared_experts", otherwise=1),
        inert="use_qk_norm qk_norm_type first_k_dense_replace",
    ),
    "gpt_oss": extend(
        BIASED, **WINDOWED, pattern=every(2), sinks=True, **MIXED, expert={"bias": True, "router_bias": True},
    ),
    "granitemoe": extend(BIASED, **MIXED),
    "granitemoeshared": GRANITE_MOE,
    "granitemoe_swa": extend(GRANITE_MOE, **WINDOWED, pattern=every(4, first=0), sinks=True),
    "olmoe": extend(OLMO2, **MIXED, kinds=only(square_attention)),
    "flex_olmo": extend(OLMO2, **MIXED),
    "aria_text": extend(GRANITE, **MIXED, **SHARED, shared_bias="mlp_bias"),
    "hunyuan_v1_moe": extend(
        NORMED, **MIXED, shared=1, active=uniform("num_experts_per_tok"),
        says_again={"moe_intermediate_size": "intermediate_size", "num_shared_expert": 1},
        inert="use_qk_norm use_mixed_mlp_moe",
    ),
    "jetmoe": extend(
        PLAIN, **MIXED, kinds=only(ROUTED_QUERY), tied=True, expert={"correction": lambda at: at.hidden},
        inert="num_attention_heads",
    ),
    "ernie4_5_moe": extend(
        PLAIN, bias="use_bias", mlp_bias="use_bias", head_bias="use_bias", tied=True,
        routed=stretch("moe_layer_start_index", "moe_layer_end_index", "moe_layer_interval"), **SHARED,
        shared_bias="use_bias", **CORRECTED,
    ),
    "ernie4_5_vl_moe_text": extend(
        PLAIN, bias="use_bias", mlp_bias="use_bias", tied=True, routed=mlp_types(after(1)),
        experts=_ernie_vision,
    ),
    "deepseek_ocr2_text": OCR,
    "unlimited_ocr_text": extend(
        OCR, kinds=only(attention, FULL, "reference_sliding_attention"), listed=True, **LISTED,
    ),
    "mimo_v2_flash": extend(
        BIASED, kinds=only(_narrow_values, FULL, SLIDING), listed=True, output_bias=False,
        sinks=lambda at: at.kind == SLIDING, window=_mimo_window,
        grouped=lambda at: at.fields.kv_heads() * (2 if at.kind == SLIDING else 1),
        pattern=repeated("hybrid_layer_pattern", SIXTH_FULL, SLIDING),
        routed=mlp_types(repeated("moe_layer_freq", after(1), True)),
        says_again={"swa_num_attention_heads": "num_attention_heads", "swa_head_dim": "head_dim",
                    "swa_num_key_value_heads": lambda at: 2 * at.fields.kv_heads(),
                    "swa_v_head_dim": "v_head_dim"},
        inert="n_shared_experts attention_chunk_size add_swa_attention_sink_bias",
    ),
    "step3p5": extend(
        NORMED, kinds=only(_step, FULL, SLIDING), listed=True, drafting=True, gate="head", **ONE_SHARED,
        routed=mlp_types(named("moe_layers_enum", True, False, after(3))), mlp_bias="mlp_bias",
        shared_bias="mlp_bias",
    ),
    "llama4_text": extend(
        BIASED, listed=True, shared=1, expert_width="intermediate_size", width="intermediate_size_mlp",
        kinds={**only(attention), CHUNKED: Kind((
            lambda at: attention(at, chunk=at.fields.optional("attention_chunk_size")),))},
        pattern=marked(  # despite its name, the field has a 1 where positions are rotated
            "no_rope_layers", CHUNKED, FULL, every("no_rope_layer_interval", others=CHUNKED)),
        routed=named("moe_layers", True, False, every("interleave_moe_layer_step", True, False)),
    ),
}
