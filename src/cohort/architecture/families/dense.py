"""Rows of the table: dense decoders."""

from __future__ import annotations

from cohort.architecture.families.parts import (
    above,
    attention,
    dense,
    every,
    every_from_first,
    everywhere,
    experts,
    from_first,
    from_last,
    width_of_heads,
)
from cohort.architecture.families.row import Kind, Row, extend
from cohort.architecture.families.special import (
    block_sparse,
    convolved_attention,
    cross_attention,
    cross_kinds,
    doge_extra,
    doge_forward,
    dory_extra,
    dory_kinds,
    dory_layers,
    dory_passes,
    falcon_heads,
    falcon_norms,
    looped_attention,
    looped_dense,
    looped_layers,
    loops,
    phi3small_kinds,
    phi3small_width,
    prompt_tables,
    relative_positions,
    same_rows,
    square_attention,
    xielu,
    zaya_experts,
)
from cohort.architecture.feedforward import Weights

ATTENTION = Kind((attention,))
FULL = {"full_attention": ATTENTION}
BOTH = {"full_attention": ATTENTION, "sliding_attention": ATTENTION}
WINDOWED = {"kinds": BOTH, "listed": True}
EVERYWHERE = {"kinds": BOTH, "pattern": everywhere("sliding_attention")}

PLAIN = Row(FULL, dense=dense, experts=experts)  # no biases at all
LLAMA = extend(PLAIN, bias="attention_bias", mlp_bias="mlp_bias", head_dim="divides")
GRANITE = extend(LLAMA, head_dim="given")
BIASED = extend(PLAIN, bias="attention_bias")
# Multi-head attention with biases and LayerNorm, as in GPT-2.
GPT = extend(
    PLAIN,
    norm=2,
    bias=True,
    mlp_bias=True,
    gated=False,
    grouped=False,
    head_dim="divided",
    tied=True,
    width=lambda place: place.fields.optional("intermediate_size") or 4 * place.fields.hidden,
)
PARALLEL = extend(GPT, norms=1, bias=False, tied=False, head_bias=True)
POSITIONS = {"positions": lambda fields: fields.size("max_position_embeddings")}
OFFSET = {"positions": lambda fields: fields.size("max_position_embeddings") + 2}
COHERE = extend(BIASED, norms=1, tied=True)
GEMMA = extend(BIASED, tied=True)
GEMMA2 = extend(GEMMA, **WINDOWED, pattern=every(2), norms=4)
OLMO2 = extend(BIASED, query_key_norm="full")
QWEN2 = extend(PLAIN, **WINDOWED, pattern=above, bias=True, output_bias=False)
QWEN3 = extend(BIASED, **WINDOWED, pattern=above, query_key_norm="head")
EXAONE4 = extend(PLAIN, **WINDOWED, pattern=every("sliding_window_pattern"), query_key_norm="head")
APERTUS = extend(BIASED, gated=False, query_key_norm="head", extra=xielu, inert="qk_norm")
GLM = extend(BIASED, output_bias=False)

DENSE = {
    "llama exaone iquestcoder": extend(
        LLAMA, inert="sliding_window use_sliding_window use_qk_norm layer_types"
    ),
    "internlm3": extend(LLAMA, bias=("attention_bias", "qkv_bias"), mlp_bias=("mlp_bias", "bias")),
    "arcee": extend(LLAMA, gated=False),
    "granite emu3_text_model granite4_vision_text": extend(GRANITE, inert="sliding_window"),
    "granite_swa": extend(GRANITE, **WINDOWED, pattern=from_first(4), sinks=True, tied=True),
    "smollm3": extend(GRANITE, **WINDOWED, tied=True),
    "cwm": extend(PLAIN, **WINDOWED, pattern=from_first(4), mlp_bias="mlp_bias"),
    "hyperclovax": extend(
        GRANITE, norms=lambda place: 4 if place.fields.flag("use_post_norm") else 2, classes="hyperclovax"
    ),
    "seed_oss": extend(LLAMA, output_bias="attention_out_bias"),
    "ernie4_5 paddleocr_vl_text": extend(PLAIN, bias="use_bias", mlp_bias="use_bias", tied=True),
    "helium": extend(
        LLAMA, kinds={"full_attention": Kind((square_attention,))}, output_bias=False, head_dim="given"
    ),
    "bitnet": extend(
        BIASED, extra=lambda place: Weights(0, place.fields.hidden + place.fields.size("intermediate_size"))
    ),
    "diffllama": extend(
        BIASED,
        kinds={
            "full_attention": Kind((lambda place: attention(place, norm_weights=4 * width_of_heads(place)),))
        },
    ),
    "hunyuan_v1_dense": extend(BIASED, query_key_norm="head", inert="use_qk_norm"),
    "hunyuan_vl_text": extend(
        BIASED,
        query_key_norm="head",
        inert="use_qk_norm",
        more_rows=lambda place: same_rows(place, "org_vocab_size"),
    ),
    "apertus": APERTUS,
    "apertus1p5_text": extend(APERTUS, head_rows=lambda fields: fields.optional("output_vocab_size")),
    "mistral": extend(PLAIN, **EVERYWHERE, inert="attention_bias mlp_bias layer_types"),
    "ministral": extend(PLAIN, **WINDOWED, pattern=everywhere("sliding_attention")),
    "ministral3": extend(PLAIN, **EVERYWHERE),
    "starcoder2": extend(
        PLAIN, **EVERYWHERE, norm=2, bias="use_bias", mlp_bias="use_bias", gated=False, tied=True
    ),
    "nemotron": extend(GRANITE, norm=2, gated=False),
    "jais2": extend(GRANITE, norm=2, gated=False),
    "nanochat": extend(BIASED, norm=0, gated=False),
    "olmo": extend(BIASED, norm=0),
    "olmo2": extend(OLMO2, inert="sliding_window"),
    "olmo3": extend(OLMO2, **WINDOWED, pattern=every(4)),
    "qwen2 qwen2_5_vl_text qwen2_vl_text qwen2_5_omni_text mimo": extend(
        QWEN2, inert="attention_bias mlp_bias"
    ),
    "qwen3": QWEN3,
    "qwen3_vl_text": extend(BIASED, query_key_norm="head"),
    "molmo2_text": extend(
        BIASED,
        query_key_norm="head",
        bias=("attention_bias", "qkv_bias"),
        output_bias=False,
        more_rows="additional_vocab_size",
    ),
    "exaone4": EXAONE4,
    "gemma": extend(GEMMA, inert="sliding_window"),
    "gemma2": GEMMA2,
    "gemma3_text": extend(GEMMA2, pattern=every("sliding_window_pattern"), query_key_norm="head"),
    "vaultgemma": extend(GEMMA2, norms=2),
    "cohere": extend(COHERE, query_key_norm="full", norm_if="use_qk_norm", inert="sliding_window"),
    "cohere2 cohere_compass_text": extend(COHERE, **WINDOWED, pattern=every("sliding_window_pattern")),
    "glm": GLM,
    "glm4 glm_ocr_text": extend(GLM, norms=4),
    "phi3 phi4_multimodal": extend(PLAIN, **EVERYWHERE, inert="attention_bias mlp_bias"),
    "glm4v_text": extend(PLAIN, norms=4, bias=True, output_bias=False, head_dim="divided"),
    "cosmos3_edge_text": extend(LLAMA, head_dim="given", gated=False),
    "muse_glimmer_text": extend(BIASED, **WINDOWED, pattern=from_last(4), norms=4, gate="full"),
    "voxtral_realtime_text": extend(
        PLAIN, **EVERYWHERE, tied=True, extra=lambda place: Weights(2 * 32 * place.fields.hidden)
    ),
    "chameleon": extend(
        LLAMA, head_dim="divided", query_key_norm="full", query_key_unit=2, inert="swin_norm vq_config"
    ),
    "mllama_text_model": extend(
        PLAIN,
        kinds={**FULL, "cross": Kind((cross_attention,))},
        pattern=cross_kinds,
        head_dim="divided",
        more_rows=8,
        extra=lambda place: Weights(0, 2) if place.kind == "cross" else None,
    ),
    "kosmos_2_text_model": extend(
        GPT,
        width="intermediate_size",
        extra=lambda place: Weights(0, 2 * (place.fields.hidden + place.fields.size("intermediate_size"))),
    ),
    "kosmos_2_5_text_model": extend(
        GPT,
        width="intermediate_size",
        extra=lambda place: Weights(0, 2 * place.fields.size("intermediate_size")),
        outside=lambda place: Weights(0, 2 * place.fields.hidden),
    ),
    "gpt_neox_japanese": extend(
        GPT,
        bias=False,
        mlp_bias=False,
        output_bias=lambda place: place.other == "last",
        varies=lambda fields, count: [None] * (count - 1) + ["last"],
        width=lambda place: place.fields.size("intermediate_multiple_size") * place.fields.hidden,
    ),
    "modernbert-decoder": extend(
        BIASED,
        **WINDOWED,
        pattern=every_from_first("global_attn_every_n_layers"),
        grouped=False,
        head_dim="divided",
        mlp_bias="mlp_bias",
        norm=lambda place: 2 if place.fields.flag("norm_bias") else 1,
        tied=True,
        window=lambda place: (
            place.fields.optional("sliding_window") or place.fields.size("local_attention") // 2
        ),
        varies=lambda fields, count: ["first"] + [None] * (count - 1),
        final=3,
        head_bias="decoder_bias",
        norms=lambda place: 1 if place.other == "first" else 2,
        inert="local_attention classifier_pooling",
        outside=lambda place: Weights(
            place.fields.hidden**2, place.fields.hidden if place.fields.flag("classifier_bias") else 0
        ),
    ),
    "moshi": extend(
        PLAIN,
        **EVERYWHERE,
        more_rows=1,
        tied=None,
        width=lambda place: place.fields.size("intermediate_size") // 2,
        inert="depth_decoder_config audio_encoder_config num_codebooks",
    ),
    "cpmant": extend(
        PLAIN,
        grouped=False,
        more_rows=lambda place: place.fields.size("prompt_types") * place.fields.size("prompt_length"),
        tied=None,
        outside=lambda place: Weights(0, prompt_tables(place)),
    ),
    "hrm_text": extend(
        LLAMA,
        norm=0,
        kinds={"full_attention": Kind((looped_attention,))},
        head_dim="given",
        grouped=False,
        gate="full",
        gate_bias="attention_bias",
        layers=looped_layers,
        varies=loops,
        dense=looped_dense,
        tied=False,
        outside=lambda place: Weights(0, place.fields.hidden),
        inert="H_cycles L_cycles L_bp_cycles num_key_value_heads",
    ),
    "doge": extend(
        LLAMA,
        head_dim="given",
        **EVERYWHERE,
        query_key_norm="head",
        routed=lambda fields, count: [fields.flag("is_moe")] * count,
        dense=doge_forward,
        experts=doge_forward,
        extra=doge_extra,
    ),
    "phi": extend(
        PLAIN,
        norm=2,
        norms=1,
        bias=True,
        mlp_bias=True,
        gated=False,
        query_key_norm="head",
        norm_if="qk_layernorm",
        head_bias=True,
    ),
    "phi3small": extend(
        PLAIN,
        kinds={"full_attention": ATTENTION, "sparse": Kind((block_sparse,))},
        pattern=phi3small_kinds,
        norm=2,
        bias=True,
        mlp_bias=True,
        width=phi3small_width,
        head_dim="divided",
        tied=True,
        absent={
            "num_key_value_heads": 8,
            "blocksparse_block_size": 64,
            "blocksparse_num_local_blocks": 16,
            "blocksparse_vert_stride": 8,
            "dense_attention_every_n_layers": 2,
            "gegelu_pad_to_256": True,
        },
        inert="blocksparse_homo_head_pattern blocksparse_triton_kernel_block_size gegelu_pad_to_256 "
        "blocksparse_block_size blocksparse_num_local_blocks blocksparse_vert_stride",
    ),
    "stablelm": extend(
        PLAIN,
        norm=2,
        norms=lambda place: 1 if place.fields.flag("use_parallel_residual") else 2,
        bias="use_qkv_bias",
        output_bias=False,
        query_key_norm="full",
        query_key_unit=1,
        norm_if="qk_layernorm",
        head_dim="divided",
    ),
    "persimmon": extend(
        GPT,
        query_key_norm="head",
        norm_if="qk_layernorm",
        tied=False,
        width="intermediate_size",
        inert="num_key_value_heads",
    ),
    "falcon": extend(
        GPT,
        bias="bias",
        mlp_bias="bias",
        grouped=falcon_heads,
        norms=falcon_norms,
        inert="num_kv_heads",
    ),
    "gpt2 gpt-sw3": extend(GPT, **POSITIONS, inert="n_ctx"),
    "gpt_bigcode": extend(
        GPT,
        **POSITIONS,
        grouped=lambda place: 1 if place.fields.flag("multi_query") else place.fields.heads,
        inert="num_key_value_heads",
    ),
    "gpt_neo": extend(GPT, **POSITIONS, bias=False, output_bias=True, inert="attention_layers"),
    "openai-gpt": extend(GPT, **POSITIONS, final=0),
    "gpt_neox": extend(GPT, bias="attention_bias", tied=False, width="intermediate_size"),
    "gptj codegen": PARALLEL,
    "ctrl": extend(GPT, head_bias=True, width="intermediate_size"),
    "bloom": extend(GPT, final=2, width=lambda place: 4 * place.fields.hidden),
    "biogpt": extend(GPT, **OFFSET, width="intermediate_size"),
    "zaya": extend(
        BIASED,
        kinds={
            name: Kind((attention, convolved_attention), "experts") for name in ("hybrid", "hybrid_sliding")
        },
        listed=True,
        tied=True,
        head_bias="lm_head_bias",
        experts=zaya_experts,
        routed=True,
        varies=lambda fields, count: ["first"] + [None] * (count - 1),
        extra=lambda place: Weights(0, 8 * place.fields.hidden),
        outside=lambda place: Weights(0, 2 * place.fields.hidden),
    ),
    "dory": extend(
        LLAMA,
        kinds={name: Kind((looped_attention,)) for name in BOTH},
        head_dim="given",
        norms=0,
        final=0,
        gate="full",
        layers=dory_layers,
        pattern=dory_kinds,
        varies=dory_passes,
        extra=dory_extra,
        dense=looped_dense,
        tied=False,
        outside=lambda place: Weights(0, place.fields.size("vocab_size")),
    ),
    "xglm": extend(GPT, width="intermediate_size"),
    "opt": extend(
        GPT,
        **OFFSET,
        bias="enable_bias",
        mlp_bias="enable_bias",
        width="intermediate_size",
        norm=lambda place: 2 if place.fields.flag("layer_norm_elementwise_affine") else 0,
        final=lambda place: (
            place.fields.flag("do_layer_norm_before") and not place.fields.flag("_remove_final_layer_norm")
        ),
        embedding_width="word_embed_proj_dim",
    ),
    "mpt": extend(GPT, norm=1, bias=False, mlp_bias=False, width=lambda place: 4 * place.fields.hidden),
    "chinchilla": extend(
        PLAIN,
        kinds={"full_attention": Kind((relative_positions,))},
        gated=False,
        grouped=False,
        tied=True,
        inert="norm",
    ),
}
