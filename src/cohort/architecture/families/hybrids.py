"""Rows of the table: families with recurrences, and those whose layers are of different builds."""

from __future__ import annotations

from cohort.architecture.families.dense import ATTENTION, BIASED, FULL, LLAMA, OLMO2, PLAIN
from cohort.architecture.families.mixtures import LATENT, QWEN_SHARED
from cohort.architecture.families.parts import (
    attention,
    by_step,
    dense_below,
    every,
    everywhere,
    first_dense,
    gated_delta,
    gated_query,
    hybrid_mamba,
    hybrid_mamba2,
    kimi_delta,
    latent,
    lightning,
    named_or,
    short_convolution,
    sparse_latent,
)
from cohort.architecture.families.recurring import (
    bailing_delta,
    bamba_kinds,
    channel_mixing,
    decilm_attention,
    decilm_blocks,
    decilm_forward,
    falcon_mamba2,
    gated_latent,
    gated_lru,
    granite_forward,
    granite_routed,
    jamba_kinds,
    jamba_mamba,
    jamba_routed,
    kimi_kinds,
    lfm2_kinds,
    lfm2_width,
    lfm3_kinds,
    matrix_memory,
    minimax_kinds,
    nemotron_kinds,
    nemotron_latent,
    nemotron_layers,
    nemotron_mamba2,
    olmo_delta,
    olmo_kinds,
    own_mamba,
    own_mamba2,
    pooled_indexer,
    recurrent_kinds,
    same_width,
    time_mixing,
    xlstm_width,
    zamba2_attention,
    zamba2_extra,
    zamba2_kinds,
    zamba2_mamba,
    zamba2_uses,
    zamba_attention,
    zamba_extra,
    zamba_forward,
    zamba_kinds,
    zamba_uses,
)
from cohort.architecture.families.row import Kind, Row, extend
from cohort.architecture.families.special import hyper, indexers

DELTA = {"linear_attention": Kind((gated_delta,)), "full_attention": Kind((gated_query,))}
LINEAR = every("full_attention_interval", others="linear_attention")
QWEN3_5 = extend(BIASED, kinds=DELTA, listed=True, pattern=LINEAR, query_key_norm="head")
CONVOLUTION = {"conv": Kind((short_convolution,)), "full_attention": ATTENTION}
LFM2 = extend(PLAIN, kinds=CONVOLUTION, listed=True, pattern=lfm2_kinds, query_key_norm="head", tied=True)
SINGLE = {"norms": 1}
NEMOTRON = {
    "mamba": Kind((nemotron_mamba2,), None),
    "linear_attention": Kind((nemotron_mamba2,), None),
    "attention": Kind((attention,), None),
    "full_attention": Kind((attention,), None),
    "mlp": Kind((), "dense"),
    "moe": Kind((), "experts"),
}
GRANITE4 = {name: Kind((hybrid_mamba2,)) for name in ("mamba", "linear_attention")} | dict.fromkeys(
    ("attention", "full_attention"), ATTENTION
)

HYBRIDS: dict[str, Row] = {
    "qwen3_next": extend(QWEN3_5, routed=by_step, **QWEN_SHARED),
    "qwen3_5_text": QWEN3_5,
    "qwen3_5_moe_text": extend(
        QWEN3_5, routed=True, **QWEN_SHARED, inert="intermediate_size decoder_sparse_step mlp_only_layers"
    ),
    "lara_mini": extend(
        BIASED,
        kinds={
            "linear_attention": Kind((gated_delta,)),
            "full_attention": ATTENTION,
            "sliding_attention": ATTENTION,
        },
        listed=True,
        query_key_norm="head",
        routed=True,
        shared=1,
        shared_width="shared_width",
        tied=True,
        pattern=lambda fields, count: [
            (
                "linear_attention",
                "sliding_attention",
                "linear_attention",
                "full_attention",
                "sliding_attention",
            )[layer % 5]
            for layer in range(count)
        ],
    ),
    "olmo_hybrid": extend(
        OLMO2, kinds={**FULL, "linear_attention": Kind((olmo_delta,))}, listed=True, pattern=olmo_kinds
    ),
    "minimax minimax_text_01 minimax_m1": extend(
        PLAIN,
        kinds={**FULL, "linear_attention": Kind((lightning,))},
        listed=True,
        pattern=minimax_kinds,
        routed=True,
        expert_width="intermediate_size",
        inert="sliding_window postnorm shared_moe_mode shared_intermediate_size",
    ),
    "kimi_linear": extend(
        LATENT,
        kinds={"linear_attention": Kind((kimi_delta,)), "full_attention": Kind((latent,))},
        listed=True,
        tied=None,
        pattern=kimi_kinds,
        routed=named_or(first_dense),
        inert="head_dim moe_layer_freq mla_use_nope",
    ),
    "bailing_hybrid": extend(
        LATENT,
        kinds={"linear_attention": Kind((bailing_delta,)), "full_attention": Kind((gated_latent,))},
        listed=True,
        tied=None,
        pattern=every("layer_group_size", others="linear_attention"),
        routed=named_or(first_dense),
    ),
    "glm5_next_text": extend(
        LATENT,
        kinds={
            "linear_attention": Kind((kimi_delta,)),
            "indexed_attention": Kind((sparse_latent,)),
            "full_attention": Kind((sparse_latent,)),
        },
        listed=True,
        pattern=every(4, "indexed_attention", "linear_attention"),
        routed=named_or(dense_below(3)),
        varies=indexers,
        streams=hyper(collapsed=False),
        extra=pooled_indexer,
        inert="first_k_dense_replace",
    ),
    "bamba": extend(
        LLAMA,
        kinds={**FULL, "mamba": Kind((hybrid_mamba2,))},
        head_dim="given",
        pattern=bamba_kinds,
        inert="layer_types layers_block_type",
    ),
    "granitemoehybrid": extend(
        BIASED,
        kinds=GRANITE4,
        listed=True,
        pattern=lambda fields, count: ["linear_attention"] * count,
        dense=granite_forward,
        experts=granite_forward,
        routed=granite_routed,
        expert_width="intermediate_size",
        shared=1,
        shared_width="shared_width",
    ),
    "granite_docling_text": extend(LLAMA, head_dim="given"),
    "falcon_h1": extend(
        LLAMA,
        kinds={"full_attention": Kind((attention, falcon_mamba2))},
        head_dim="given",
        inert="layer_types layers_block_type",
    ),
    "jamba": extend(
        PLAIN,
        kinds={**FULL, "mamba": Kind((jamba_mamba,))},
        pattern=jamba_kinds,
        routed=jamba_routed,
        expert_width="intermediate_size",
        inert="layer_types layers_block_type",
    ),
    "nemotron_h": extend(
        PLAIN,
        kinds=NEMOTRON,
        listed=True,
        tied=None,
        pattern=nemotron_kinds,
        layers=nemotron_layers,
        gated=False,
        norms=1,
        mlp_bias="mlp_bias",
        shared=1,
        shared_width="shared_width",
        shared_bias="mlp_bias",
        expert={"latent": nemotron_latent},
        inert="attention_bias sliding_window expand n_shared_experts mamba_hidden_act mamba_proj_bias "
        "mamba_expand",
    ),
    "mamba falcon_mamba": extend(
        PLAIN, kinds={"full_attention": Kind((own_mamba,), None)}, norms=1, tied=True
    ),
    "mamba2": extend(PLAIN, kinds={"full_attention": Kind((own_mamba2,), None)}, norms=1),
    "zamba": extend(
        PLAIN,
        kinds={
            "mamba": Kind((hybrid_mamba,), None, 1),
            "linear_attention": Kind((hybrid_mamba,), None, 1),
            "hybrid": Kind((zamba_attention, hybrid_mamba), "dense", 1),
        },
        listed=True,
        pattern=zamba_kinds,
        varies=zamba_uses,
        dense=zamba_forward,
        extra=zamba_extra,
        tied=True,
        inert="n_mamba_heads",
    ),
    "zamba2": extend(
        PLAIN,
        kinds={
            "mamba": Kind((zamba2_mamba,), None, 1),
            "linear_attention": Kind((zamba2_mamba,), None, 1),
            "hybrid": Kind((zamba2_attention, zamba2_mamba), "dense", 1),
        },
        listed=True,
        pattern=zamba2_kinds,
        varies=zamba2_uses,
        dense=zamba_forward,
        extra=zamba2_extra,
        tied=True,
        width=lambda place: place.fields.optional("intermediate_size") or 4 * place.fields.hidden,
        mlp_bias="add_bias_linear",
        inert="hybrid_layer_ids mamba_headdim kv_channels use_conv_bias",
    ),
    "lfm2": extend(LFM2, width=lfm2_width),
    "lfm2_moe": extend(
        LFM2,
        pattern=everywhere("full_attention"),
        routed=lambda fields, count: dense_below(fields.size("num_dense_layers", low=0))(fields, count),
    ),
    "lfm3": extend(
        LFM2,
        kinds={**CONVOLUTION, "sliding_attention": ATTENTION},
        pattern=lfm3_kinds,
        bias="attention_bias",
        gate=lambda place: "head" if place.fields.flag("use_attention_gate") else None,
        norms=lambda place: 4 if place.fields.flag("use_sandwich_norm") else 2,
    ),
    "recurrent_gemma": extend(
        PLAIN,
        kinds={"recurrent": Kind((gated_lru,)), "sliding_attention": ATTENTION},
        pattern=recurrent_kinds,
        tied=True,
        bias="attention_bias",
        output_bias=True,
        mlp_bias=True,
        width=lambda place: place.fields.size("intermediate_size") // 2,
    ),
    "rwkv": extend(
        PLAIN,
        kinds={"full_attention": Kind((time_mixing,))},
        norm=2,
        gated=False,
        extra=channel_mixing,
        varies=lambda fields, count: ["first"] + [None] * (count - 1),
        width=lambda place: place.fields.optional("intermediate_size") or 4 * place.fields.hidden,
    ),
    "xlstm": extend(
        PLAIN,
        kinds={"full_attention": Kind((matrix_memory,))},
        norm=1,
        mlp_bias="use_bias",
        width=xlstm_width,
        tied=None,
        more_rows=lambda place: same_width(place, "embedding_dim"),
    ),
    "nemotron-nas": extend(
        LLAMA,
        kinds={"full_attention": Kind((decilm_attention,))},
        varies=decilm_blocks,
        dense=decilm_forward,
        norms=lambda place: sum(each is not None for each in place.other),
        classes="decilm",
        absent={"intermediate_size": None},
        stated="intermediate_size",
    ),
}
