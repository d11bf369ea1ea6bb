"""Rows of the table: mixtures of experts with attention in every layer."""

from __future__ import annotations

from cohort.architecture.families.dense import (
    ATTENTION,
    BIASED,
    COHERE,
    EVERYWHERE,
    EXAONE4,
    GRANITE,
    LLAMA,
    OLMO2,
    PLAIN,
    QWEN2,
    QWEN3,
    WINDOWED,
)
from cohort.architecture.families.parts import (
    by_step,
    chunked,
    dense,
    dense_below,
    dense_beside_experts,
    every,
    everywhere,
    experts,
    first_dense,
    from_first,
    latent,
    named_or,
    sparse_latent,
)
from cohort.architecture.families.row import Kind, extend
from cohort.architecture.families.special import (
    COMPRESSION,
    arctic,
    arctic_routed,
    compressed,
    compressed_kinds,
    cohere_prefix_width,
    dbrx_attention,
    dbrx_experts,
    ernie_routed,
    ernie_vision,
    dots3_attention,
    dots3_kinds,
    dots3_routed,
    dots3_varies,
    dots_kinds,
    doubled_query,
    flint_kinds,
    flint_routed,
    gemma4_attention,
    gemma4_extra,
    gemma4_kinds,
    gemma4_norms,
    gemma4_outside,
    gemma4_varies,
    gemma4_width,
    gemma3n_extra,
    gemma3n_outside,
    hyper,
    indexers,
    interleaved,
    jetmoe_attention,
    laguna_attention,
    last_full,
    llama4_kinds,
    llama4_routed,
    longcat,
    mimo_attention,
    mimo_kinds,
    mimo_routed,
    minimax_m3_attention,
    minimax_m3_kinds,
    minimax_m3_routed,
    qwen3_moe_kinds,
    self_conditioning,
    reads_only,
    expert_width,
    hunyuan,
    rotated_latent,
    square_attention,
    step_attention,
    step_kinds,
    step_routed,
)

MIXED = {"routed": True, "expert_width": "intermediate_size"}  # experts of the one width, in every layer
SHARED = {"shared": "n_shared_experts"}
LISTED = {"routed": named_or(first_dense)}  # as `mlp_layer_types` lists them, else after the first dense ones
FIRST = {"routed": first_dense}
LATENT = extend(
    PLAIN, kinds={"full_attention": Kind((latent,))}, bias="attention_bias", **SHARED, inert="head_dim qk_head_dim",
)
INDEXED = extend(
    LATENT, kinds={"indexed_attention": Kind((sparse_latent,)), "full_attention": Kind((sparse_latent,))},
    **LISTED, listed=True, inert="mlp_bias",
)
QWEN_SHARED = {"shared": 1, "shared_width": "shared_width", "expert": {"shared_gate": True}}
GLM4_MOE = extend(BIASED, output_bias=False, query_key_norm="head", norm_if="use_qk_norm", **FIRST, **SHARED)
GEMMA4 = extend(
    BIASED, kinds={"full_attention": Kind((gemma4_attention,)), "sliding_attention": Kind((gemma4_attention,))},
    listed=False, pattern=gemma4_kinds, varies=gemma4_varies, query_key_norm="head", norms=gemma4_norms, tied=True,
    dense=dense_beside_experts, experts=dense_beside_experts, routed=lambda fields, count: [fields.flag("enable_moe_block")] * count,
    expert={"router_scales": True}, width=gemma4_width, extra=gemma4_extra, outside=gemma4_outside,
)
OCR = extend(LLAMA, head_dim="divided", routed=named_or(dense_below(1)), **SHARED, shared_bias="mlp_bias")
GRANITE_MOE = extend(
    BIASED, **MIXED, shared_width="shared_width", shared=lambda place: int(place.fields.size("shared_width", low=0) > 0)
)

MIXTURES = {
    "mixtral": extend(PLAIN, **EVERYWHERE, **MIXED),
    "phimoe": extend(BIASED, **EVERYWHERE, **MIXED, norm=2, head_bias="lm_head_bias"),
    "dbrx": extend(
        PLAIN, kinds={"full_attention": Kind((dbrx_attention,), "experts")}, head_dim="divided", experts=dbrx_experts,
        inert="num_key_value_heads",
    ),
    "arctic": extend(
        PLAIN, **EVERYWHERE, routed=arctic_routed, head_dim="divided", experts=arctic,
        norms=lambda place: 3 if place.routed and place.fields.flag("parallel_attn_mlp_res") else 2,
        expert_width="intermediate_size", absent={"moe_layer_frequency": 2}, inert="use_residual",
    ),
    "qwen2_moe": extend(
        QWEN2, pattern=interleaved, bias="qkv_bias", routed=by_step, **QWEN_SHARED,
    ),
    "qwen3_moe": extend(QWEN3, listed=False, pattern=qwen3_moe_kinds, routed=by_step, inert="use_qk_norm shared_expert_intermediate_size"),
    "qwen3_vl_moe_text qwen3_omni_moe_text": extend(QWEN3, listed=False, pattern=None, routed=by_step),
    "mellum": extend(QWEN3, pattern=None, routed=named_or(dense_below(0))),
    "flint": extend(
        BIASED, **WINDOWED, pattern=flint_kinds, query_key_norm="head", sinks=True, routed=flint_routed, shared=1, shared_width="shared_width"
    ),
    "kolibri1": extend(
        PLAIN, **WINDOWED, pattern=every(5), query_key_norm="head", norms=4, routed=True, shared=1,
        shared_width="shared_width",
    ),
    "laguna": extend(
        BIASED, kinds={"full_attention": Kind((laguna_attention,)), "sliding_attention": Kind((laguna_attention,))},
        listed=True, query_key_norm="head", routed=named_or(dense_below(1)), shared=1, shared_width="shared_width",
        varies=lambda fields, count: fields.listed("num_attention_heads_per_layer", count, f"heads of {count} layers", range(1, 100_000)) or [None] * count,
        expert={"correction": lambda place: place.fields.size("n_routed_experts")},
    ),
    "beam": extend(
        BIASED, **WINDOWED, pattern=last_full(6), query_key_norm="head", norms=4, gate="full",
        routed=named_or(dense_below(3)), extra=reads_only("num_attention_heads"),
    ),
    "afmoe": extend(
        BIASED, **WINDOWED, pattern=every("global_attn_every_n_layers"), query_key_norm="head", norms=4, gate="full",
        routed=lambda fields, count: dense_below(fields.size("num_dense_layers", low=0))(fields, count), **SHARED,
        expert={"correction": lambda place: place.fields.size("n_routed_experts")},
    ),
    "hy_v3": extend(
        LLAMA, head_dim="given", query_key_norm="head", routed=named_or(dense_below(1)), shared_bias="mlp_bias",
        shared=lambda place: place.fields.size("n_shared_experts"),
    ),
    "dots1": extend(
        BIASED, **WINDOWED, pattern=dots_kinds, query_key_norm="head", **FIRST, **SHARED,
    ),
    "exaone_moe": extend(EXAONE4, **LISTED, **SHARED),
    "cohere2_moe": extend(
        COHERE, **WINDOWED, pattern=every("sliding_window_pattern"), **LISTED, **SHARED,
        expert_width="intermediate_size", width=cohere_prefix_width,
    ),
    "glm4_moe sarvam_moe": extend(GLM4_MOE, bias=("attention_bias", "use_qkv_bias")),
    "glm4v_moe_text": extend(GLM4_MOE, query_key_norm=None),
    "solar_open": extend(GLM4_MOE, query_key_norm=None, routed=True, inert="first_k_dense_replace intermediate_size use_qk_norm"),
    "minimax_m2": extend(PLAIN, **MIXED, query_key_norm="full", inert="qk_norm_type use_qk_norm"),
    "minimax_m3_vl_text minimax_m3": extend(
        PLAIN, kinds={"full_attention": ATTENTION, "minimax_m3_sparse": Kind((minimax_m3_attention,))}, listed=True,
        pattern=minimax_m3_kinds, query_key_norm="head", routed=named_or(minimax_m3_routed),
        expert_width=expert_width, width="dense_intermediate_size", shared_width="shared_width",
        shared=lambda place: place.fields.optional("n_shared_experts") or 1, inert="use_qk_norm qk_norm_type first_k_dense_replace",
    ),
    "gpt_oss": extend(
        BIASED, **WINDOWED, pattern=every(2), sinks=True, **MIXED, expert={"bias": True, "router_bias": True}
    ),
    "granitemoe": extend(BIASED, **MIXED),
    "granitemoeshared": GRANITE_MOE,
    "granitemoe_swa": extend(GRANITE_MOE, **WINDOWED, pattern=from_first(4), sinks=True),
    "olmoe": extend(OLMO2, **MIXED, kinds={"full_attention": Kind((square_attention,))}),
    "flex_olmo": extend(OLMO2, **MIXED),
    "aria_text": extend(LLAMA, head_dim="given", **MIXED, **SHARED, shared_bias="mlp_bias"),
    "hunyuan_v1_moe": extend(
        BIASED, query_key_norm="head", **MIXED, experts=hunyuan, inert="use_qk_norm use_mixed_mlp_moe",
    ),
    "jetmoe": extend(PLAIN, **MIXED, kinds={"full_attention": Kind((jetmoe_attention,))}, tied=True,
                     expert={"correction": lambda place: place.fields.hidden}),
    "ernie4_5_moe": extend(
        PLAIN, bias="use_bias", mlp_bias="use_bias", head_bias="use_bias", tied=True, routed=ernie_routed, **SHARED,
        shared_bias="use_bias", expert={"correction": lambda place: place.fields.size("n_routed_experts")},
    ),
    "ernie4_5_vl_moe_text": extend(
        PLAIN, bias="use_bias", mlp_bias="use_bias", tied=True, routed=named_or(dense_below(1)), experts=ernie_vision,
    ),
    "deepseek_ocr2_text": OCR,
    "unlimited_ocr_text": extend(
        OCR, kinds={"full_attention": ATTENTION, "reference_sliding_attention": ATTENTION}, listed=True, routed=named_or(first_dense),
        pattern=everywhere("full_attention"), inert="sliding_window",
    ),
    "mimo_v2_flash": extend(
        PLAIN, kinds={"full_attention": Kind((mimo_attention,)), "sliding_attention": Kind((mimo_attention,))},
        listed=True, pattern=mimo_kinds, routed=named_or(mimo_routed), bias="attention_bias", output_bias=False,
        inert="n_shared_experts attention_chunk_size",
    ),
    "step3p5": extend(
        PLAIN, kinds={"full_attention": Kind((step_attention,)), "sliding_attention": Kind((step_attention,))},
        listed=False, pattern=step_kinds, routed=step_routed, query_key_norm="head", gate="head", shared=1,
        shared_width="shared_width", bias="attention_bias", mlp_bias="mlp_bias", shared_bias="mlp_bias",
    ),
    "llama4_text": extend(
        BIASED, kinds={"full_attention": ATTENTION, "chunked_attention": Kind((chunked,))}, listed=True,
        pattern=llama4_kinds, routed=llama4_routed, shared=1,
        expert_width="intermediate_size", width="intermediate_size_mlp",
    ),
    "gemma4_text": GEMMA4,
    "gemma4_unified_text": extend(
        GEMMA4, routed=False, extra=None, outside=None, inert="hidden_size_per_layer_input enable_moe_block vocab_size_per_layer_input",
    ),
    "diffusion_gemma_text": extend(
        GEMMA4, routed=True, extra=None, absent={"attention_k_eq_v": True}, outside=self_conditioning,
    ),
    "gemma3n_text": extend(
        GEMMA4, routed=False, norms=4, extra=gemma3n_extra, outside=gemma3n_outside,
    ),
    # Latent attention
    "deepseek_v2": extend(LATENT, **FIRST, mlp_bias="mlp_bias", shared_bias="mlp_bias", inert="moe_layer_freq"),
    "deepseek_v3 kimi_k2 sarvam_mla": extend(LATENT, **FIRST, inert="moe_layer_freq mlp_bias"),
    "deepseek_v32": extend(INDEXED, inert="moe_layer_freq"),
    "glm_moe_dsa": extend(INDEXED, varies=indexers, inert="moe_layer_freq indexer_rope_interleave index_share_for_mtp_iteration"),
    "hy_v4 hy_v4_vl_text": extend(
        INDEXED, varies=indexers, routed=named_or(dense_below(1)), gate="full", sinks=True, streams=hyper(mixed=False),
    ),
    "axk2": extend(INDEXED, extra=doubled_query),
    "dots3_note_text": extend(
        LATENT, kinds={name: Kind((dots3_attention,)) for name in ("indexed_attention", "full_attention", "sliding_attention")},
        listed=True, pattern=dots3_kinds, varies=dots3_varies, routed=named_or(dots3_routed), gate="head",
        shared_width="shared_width", inert="moe_layer_freq",
    ),
    "glm4_moe_lite": extend(LATENT, kinds={"full_attention": Kind((rotated_latent,))}, routed=named_or(dense_below(1))),
    "mistral4": extend(LATENT, **FIRST),
    "axk1": extend(LATENT, **LISTED, norms=lambda place: 3 if place.routed else 2),
    "minicpm3": extend(LATENT, mlp_bias="mlp_bias", tied=True, inert="n_shared_experts"),
    "youtu": extend(LATENT, tied=True),
    "longcat_flash": extend(
        LATENT, kinds={"full_attention": Kind((latent, latent), "experts")}, norms=4, experts=longcat,
        layers=lambda fields: fields.size("num_layers"), shared=0, inert="mla_scale_q_lora mla_scale_kv_lora",
    ),
    "deepseek_v4": extend(
        PLAIN, kinds={name: Kind((compressed,)) for name in COMPRESSION}, pattern=compressed_kinds, listed=True, routed=True, shared=1,
        shared_bias="mlp_bias", streams=hyper(), expert_width=expert_width,
        inert="n_shared_experts attention_bias num_key_value_heads qk_rope_head_dim mlp_layer_types",
    ),
}  # fmt: skip
