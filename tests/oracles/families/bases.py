"""The configs that every type is counted at: its defaults, and a small shape with no two sizes alike."""

from __future__ import annotations

import copy
import json
import math
import re
from typing import Any

import arbiter

NOISE = {  # of every config, and without a bearing on the shape
    "return_dict", "output_hidden_states", "output_attentions", "dtype", "torch_dtype", "chunk_size_feed_forward",
    "id2label", "label2id", "problem_type", "_name_or_path", "transformers_version", "torchscript", "pruned_heads",
    "is_encoder_decoder", "_attn_implementation", "_experts_implementation", "num_labels",
}  # fmt: skip

ABSENT = "(absent)"
EIGHT = ["conv", "conv", "full_attention", "conv", "conv", "full_attention", "conv", "conv"]
ROPES = {
    kind: {"rope_type": "default", "rope_theta": 10000.0} for kind in ("full_attention", "sliding_attention")
}
QSA = {
    "indexer_n_heads": 16, "indexer_kv_heads": 1, "indexer_head_dim": 128, "indexer_budget": 2048,
    "indexer_compress_ratio": 4, "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0, "partial_rotary_factor": 0.25},
}  # fmt: skip
DRAFT = {"hidden_size_per_layer_input": 0, "vocab_size_per_layer_input": 0}
ROUTED_GEMMA = {"num_experts": 128, "top_k_experts": 8, "moe_intermediate_size": 704}

NEEDED: dict[str, dict[str, Any]] = {
    # what a class needs before its defaults can be instantiated; "text" fields go into the text config
    "cohere_compass_text": {"rope_parameters": ROPES},
    "cohere_compass": {"text": {"rope_parameters": ROPES}},
    "dbrx": {"attn_config": {"rope_theta": 10000.0}},
    "deepseek_v2": {"num_experts_per_tok": 6},
    "dots1": {"n_routed_experts": 128, "n_shared_experts": 2, "num_experts_per_tok": 6},
    "gemma4_assistant": {"text": DRAFT},
    "hunyuan_v1_dense": {"head_dim": 128},
    "hunyuan_v1_moe": {"head_dim": 128},
    "hunyuan_vl": {"text": {"head_dim": 128}},
    "lfm2_moe": {"layer_types": EIGHT * 4},
    "ministral": {"head_dim": 128},
    "nemotron": {"num_key_value_heads": 8},
    "qwen4_exp_text": QSA,
    "qwen4_exp": {"text": QSA},
    "aya_vision": {"vision_config": {"model_type": "siglip_vision_model", "num_attention_heads": 16, "hidden_size": 1152}},
    "chameleon": {"vocabulary_map": {"<image>": 8711}},
    "emu3": {"vocabulary_map": {"<image>": 8711, "<|extra_200|>": 8712}},
    "deepseek_ocr2": {"text": {"mlp_layer_types": ["dense"] + ["sparse"] * 31, "num_experts_per_tok": 6}},
    "diffusion_gemma": {"text": ROUTED_GEMMA},
    "granite4_vision": {"deepstack_layer_map": [[-19, 9], [-13, 6]], "downsample_rate": "4/8"},
    "perception_lm": {"vision_config": {"model_type": "timm_wrapper", "model_args": {"embed_dim": 1024}}},
    "qwen3_omni_moe": {"talker_config": {"spatial_merge_size": 2, "text_config": {"shared_expert_intermediate_size": 512}}},
}  # fmt: skip


def clean(value: Any, top: bool = True) -> Any:
    """Return a config without what says nothing of its shape, as JSON would hold it."""
    if isinstance(value, dict):
        kept = {k: clean(v, False) for k, v in value.items() if k not in NOISE}
        return {k: v for k, v in kept.items() if not (isinstance(v, list) and math.inf in v)}
    if isinstance(value, (list, tuple)):
        return [clean(each, False) for each in value]
    return value


def finite(value: Any) -> Any:
    """Return a config without lists that hold an infinity, which JSON has not."""
    if isinstance(value, dict):
        return {k: finite(v) for k, v in value.items() if not (isinstance(v, list) and math.inf in v)}
    return value


def place(family: str, fields: dict[str, Any]) -> dict[str, Any]:
    """Return a config of a type with fields set, those under ``text`` in its text config."""
    fields = copy.deepcopy(fields)
    inner = fields.pop("text", None)
    config: dict[str, Any] = {"model_type": family, **fields}
    if inner:
        path = text_path(family)
        spot = config
        for name in path:
            spot = spot.setdefault(name, {})
        spot.update(inner)
    return config


def text_path(family: str) -> tuple[str, ...]:
    """Return where the text config lies in the config of a type: names of nested configs, none if flat."""
    if family in (
        "gemma4_assistant",
        "diffusion_gemma",
        "deepseek_ocr2",
        "cohere_compass",
        "qwen4_exp",
        "hunyuan_vl",
    ):
        return ("text_config",)
    outer = arbiter.settings(place(family, NEEDED.get(family, {})))
    inner = outer.get_text_config()
    return _find(outer, inner) or ()


def _find(outer: Any, inner: Any) -> tuple[str, ...] | None:
    if outer is inner:
        return ()
    for name in outer.sub_configs_defaults or {}:
        part = getattr(outer, name, None)
        if part is None or not hasattr(part, "to_dict"):
            continue
        below = _find(part, inner)
        if below is not None:
            return (name, *below)
    return None


def default(family: str) -> dict[str, Any]:
    """Return the defaults of a type, every field written out."""
    written = arbiter.settings(place(family, NEEDED.get(family, {}))).to_dict()
    config = json.loads(json.dumps(clean(written), default=str))
    return {
        "model_type": family,
        "architectures": [arbiter.types()[family]["class"]],
        **{k: v for k, v in config.items() if k not in ("model_type", "architectures")},
    }


def text_of(config: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    """Return the part of a config that describes the text decoder."""
    for name in path:
        config = config[name]
    return config


SIZES: dict[str, Any] = {
    # sizes of the small shape, for the fields that a type has; no two that meet in one matrix are alike
    **dict.fromkeys(("vocab_size", "vocab_size_per_layer_input"), 211),
    **dict.fromkeys(("hidden_size", "n_embd", "d_model", "model_dim", "word_embed_proj_dim"), 96),
    **dict.fromkeys(("intermediate_size", "ffn_dim", "n_inner", "dff", "dim_ff", "ffn_hidden_size", "intermediate_dim"), 130),
    **dict.fromkeys(("num_hidden_layers", "n_layer", "n_layers", "num_layers"), 6),
    **dict.fromkeys(("num_attention_heads", "n_head", "n_heads", "num_heads"), 8),
    **dict.fromkeys(("num_key_value_heads", "num_kv_heads"), 2),
    "head_dim": 20, "dim_head": 20, "max_position_embeddings": 46, "n_positions": 46, "n_ctx": 46, "max_seq_len": 46,
    "sliding_window": 16,
    **dict.fromkeys(("num_experts", "n_routed_experts", "num_local_experts", "moe_num_experts"), 6),
    **dict.fromkeys(("num_experts_per_tok", "num_experts_per_token", "moe_topk", "moe_k", "top_k_experts"), 2),
    **dict.fromkeys(("n_group", "topk_group", "num_expert_group"), 1),
    **dict.fromkeys(("moe_intermediate_size", "expert_ffn_hidden_size"), 36),
    **dict.fromkeys(("shared_expert_intermediate_size", "shared_experts_intermediate_size", "shared_intermediate_size",
                     "moe_shared_expert_intermediate_size"), 44),
    "q_lora_rank": 44, "kv_lora_rank": 28, "qk_rope_head_dim": 10, "qk_nope_head_dim": 14, "v_head_dim": 18,
    "index_n_heads": 3, "index_head_dim": 14, "index_topk": 7, "o_groups": 4, "o_lora_rank": 6, "hc_mult": 2,
    "linear_num_key_heads": 2, "linear_num_value_heads": 6, "linear_key_head_dim": 14, "linear_value_head_dim": 18,
    "linear_conv_kernel_dim": 3, "linear_num_heads": 4, "linear_head_dim": 14,
    "mamba_n_heads": 8, "mamba_d_head": 24, "mamba_n_groups": 2, "mamba_d_state": 10, "mamba_d_conv": 3,
    "mamba_expand": 2, "hidden_size_per_layer_input": 12, "laurel_rank": 9, "mamba_dt_rank": 7,
    "mamba_num_heads": 8, "mamba_head_dim": 24, "ssm_state_size": 10, "n_groups": 2, "state_size": 10,
    "global_head_dim": 28, "num_global_key_value_heads": 1, "hc_count": 2, "hc_lowrank": 11, "gated_norm_rank": 5,
    "kv_channels": 20, "embed_dim": 96, "layers": 6, "attention_heads": 8, "d_rel": 5, "rel_extent": 9,
    "swa_num_attention_heads": 6, "swa_num_key_value_heads": 3, "swa_head_dim": 22, "loop_gate_rank": 7,
    "moe_hidden_size": 52, "index_kpool": 7, "unpadded_vocab_size": 201, "router_hidden_size": 17,
    "time_step_rank": 7, "linear_conv_kernel_size": 3, "conv_kernel": 3, "cca_time0": 3, "d_conv": 3,
    "hidden_size_mlp": 130, "intermediate_size_mlp": 150, "dense_intermediate_size": 150,
}  # fmt: skip

TWO = ["sliding_attention", "full_attention"]
MIXED = ["linear_attention", "moe", "full_attention", "mlp", "linear_attention", "moe"]
HYBRID = [
    "linear_attention",
    "linear_attention",
    "hybrid",
    "linear_attention",
    "linear_attention",
    "hybrid",
    "hybrid",
]

SMALL: dict[str, dict[str, Any]] = {
    # what a type needs beside them, or in their place; "outer" fields go beside the text config
    "apertus1p5": {"vocab_size": ABSENT},
    "jetmoe": {"num_attention_heads": ABSENT},
    "dbrx": {
        "attn_config": {"kv_n_heads": 2, "rope_theta": 10000.0},
        "ffn_config": {"hidden_size": 96, "ffn_hidden_size": 36, "moe_num_experts": 6, "moe_top_k": 2},
        "num_key_value_heads": ABSENT,
    },
    "blt": {"max_position_embeddings": ABSENT, "vocab_size": ABSENT, "encoder_hash_byte_group_vocab": 301, **{
        name: {"hidden_size": 48, "num_attention_heads": 4, "num_key_value_heads": 4, "intermediate_size": 70,
               **({"head_dim": 12} if name != "encoder_config" else {}),
               **({"hidden_size_global": 96} if name in ("encoder_config", "decoder_config") else {})}
        for name in ("encoder_config", "decoder_config", "patcher_config")
    }, "global_config": {"hidden_size": 96, "num_attention_heads": 8, "num_key_value_heads": 8,
                         "num_hidden_layers": 3, "intermediate_size": 130, "head_dim": 12}},
    "cosmos3_edge": {"rope_parameters": {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [4, 3, 3]}},
    "deepseek_ocr2": {"mlp_layer_types": ["dense"] + ["sparse"] * 5},
    "dots3_note": {
        "num_key_value_heads": 8,
        "outer": {"vision_config": {"adapter_out_dim": 96}, "audio_config": {"adapter_out_dim": 96}},
    },
    "dots3_note_text": {"num_key_value_heads": 8},
    "emu3": {"pad_token_id": 0},
    "modernbert-decoder": {"pad_token_id": 0},
    "ernie4_5_vl_moe": {
        "moe_intermediate_size": [36, 20],
        "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [2, 2, 2]},
    },
    "falcon_h1": {"mamba_d_ssm": 192},
    "fun_asr_nano": {"outer": {"adaptor_config": {"hidden_size": 96, "intermediate_size": 24}}},
    "gemma3n": {"intermediate_size": 130, "num_kv_shared_layers": 2, "layer_types": TWO * 3},
    "gemma3n_text": {"intermediate_size": 130, "num_kv_shared_layers": 2, "layer_types": TWO * 3},
    "glm5_next": {"num_key_value_heads": 8},
    "gpt_neo": {"attention_types": [[["global", "local"], 3]], "attention_layers": ABSENT},
    "granite_docling": {"outer": {"vision_config": {"out_hidden_size": 96}}},
    "hy_v4_vl": {"rope_parameters": {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [2, 2, 1]}},
    "inkling2": {"outer": {"vision_config": {"text_hidden_size": 96}}},
    "inkling2_loop": {"outer": {"vision_config": {"text_hidden_size": 96}}},
    "lfm2_moe": {"layer_types": EIGHT[:6]},
    "lfm2": {"layer_types": EIGHT[:6], "full_attn_idxs": ABSENT},
    "lfm2_vl": {"layer_types": EIGHT[:6], "full_attn_idxs": ABSENT},
    "mamba2": {"num_heads": 8, "head_dim": 24},
    "muse_spark": {"outer": {"audio_config": {"out_hidden_size": 96}}},
    "zamba": {"num_hidden_layers": 16, "intermediate_size": 130},
    "zamba2": {"num_hidden_layers": 7, "layers_block_type": HYBRID},
    "zaya": {"num_experts_per_tok": 1, "router_hidden_size": 17},
    "bamba": {"attn_layer_indices": [2, 4]},
    "granitemoehybrid": {"layer_types": ["linear_attention", "full_attention"] * 3},
    "nemotron_h": {"layers_block_type": MIXED, "num_hidden_layers": ABSENT},
    "nemotron_h_omni": {"layers_block_type": MIXED, "num_hidden_layers": ABSENT},
    "nemo_speechlm": {"layers_block_type": MIXED, "num_hidden_layers": ABSENT},
}  # fmt: skip
WHOLE_TOWER = {
    "dots3_note",
    "molmo2",
    "nemotron_h_omni",
    "fast_vlm",
    "gemma3n",
    "perception_lm",
}  # whose towers are left as they are


def shrunk(text: dict[str, Any], family: str) -> dict[str, Any]:
    """Return the fields of the small shape of a text config, as few as differ from the defaults."""
    layers = next(
        (text[n] for n in ("num_hidden_layers", "n_layer", "n_layers", "num_layers") if text.get(n)), None
    )
    changed = {
        name: SIZES[name]
        for name, value in text.items()
        if name in SIZES
        and isinstance(value, int)
        and not isinstance(value, bool)
        and (value or "token" in name)
    }
    for name, value in text.items():
        if name.endswith("token_id") and isinstance(value, int) and value >= 211:
            changed[name] = 0 if name != "pad_token_id" else None
        elif isinstance(value, list) and len(value) == layers and layers > 4:
            changed[name] = None
    changed.update(SMALL.get(family, {}))
    return changed


def small(family: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the small shape of a type as few fields, and where its text config lies."""
    path = text_path(family)
    full = default(family)
    text = text_of(full, path)
    config = place(family, NEEDED.get(family, {}))
    spot = config
    for name in path:
        spot = spot.setdefault(name, {})
    inner = {n: v for n, v in shrunk(text, family).items() if v is not ABSENT}
    outer = inner.pop("outer", {})
    spot.update(inner)
    if path and text.get("model_type"):
        spot["model_type"] = text["model_type"]
    for name, value in full.items():  # towers are not counted: one layer of each is enough
        if (
            isinstance(value, dict)
            and name not in path
            and name.endswith("vision_config")
            and len(path) == 1
            and family not in WHOLE_TOWER
        ):
            depth = next((n for n in ("num_hidden_layers", "depth") if isinstance(value.get(n), int)), None)
            tower = config.setdefault(name, {})
            if depth and isinstance(tower, dict):
                tower.setdefault("model_type", value.get("model_type"))
                tower.setdefault(depth, 1)
    merge(config, outer)
    return {**config, "architectures": [arbiter.types()[family]["class"]]}, path


def merge(config: dict[str, Any], fields: dict[str, Any]) -> None:
    """Set fields of a config, nested ones one by one."""
    for name, value in fields.items():
        if isinstance(value, dict) and isinstance(config.get(name), dict):
            merge(config[name], value)
        else:
            config[name] = value


SIX = ["dense", "dense", "sparse", "dense", "sparse", "sparse"]
GEMMA = {
    "keys as values": {"attention_k_eq_v": True, "num_global_key_value_heads": 1},
    "shared caches, wide": {"num_kv_shared_layers": 2, "layer_types": TWO * 3, "use_double_wide_mlp": True},
    "no inputs by layer": {"hidden_size_per_layer_input": 0},
    "global heads": {"global_head_dim": 28, "layer_types": TWO * 3},
}
ROUTED = {
    "routed": {"enable_moe_block": True, "num_experts": 6, "top_k_experts": 2, "moe_intermediate_size": 36}
}
NO_RANK = {"no query rank": {"q_lora_rank": None}}
RANK = {"query rank": {"q_lora_rank": 44}}
OPT = {
    "projected": {"word_embed_proj_dim": 64},
    "norms after": {"do_layer_norm_before": False},
    "no final norm, no biases": {"_remove_final_layer_norm": True, "enable_bias": False},
    "norms without weights": {"layer_norm_elementwise_affine": False},
}
QWEN_MOE = {
    "a dense layer named": {"mlp_only_layers": [1, 4]},
    "every second layer routed": {"decoder_sparse_step": 2},
}
NEMOTRON = {
    "latent": {"moe_latent_size": 40},
    "letters": {"layers_block_type": ABSENT, "hybrid_override_pattern": "MEM*EMEM*E-E"},
    "two shared": {"n_shared_experts": 2},
}
FIRST_DENSE = {"two dense layers first": {"first_k_dense_replace": 2}}
NO_SHARED = {"no shared experts": {"n_shared_experts": 0}, "three shared experts": {"n_shared_experts": 3}}
PATTERN = {"dense where named": {"mlp_layer_types": SIX}}

RICH: dict[str, dict[str, dict[str, Any]]] = {
    # parts that the small shape of a type leaves off
    "gemma4": {**GEMMA, **ROUTED},
    "gemma4_text": {**GEMMA, **ROUTED},
    "gemma4_unified": GEMMA,
    "gemma4_unified_text": GEMMA,
    "doge": {"routed": {"is_moe": True, "num_experts": 16, "num_experts_per_tok": 3}},
    "granitemoeshared": {"shared expert": {"shared_intermediate_size": 44}},
    "granitemoe_swa": {"shared expert": {"shared_intermediate_size": 44}},
    "granitemoehybrid": {
        "no experts": {"num_local_experts": 0},
        "old names of kinds": {"layer_types": ["mamba", "attention"] * 3},
    },
    "falcon": {
        "new decoder": {"new_decoder_architecture": True, "num_kv_heads": 2},
        "new decoder, one norm": {"new_decoder_architecture": True, "num_kv_heads": 2, "num_ln_in_parallel_attn": 1},
        "one after another": {"parallel_attn": False, "multi_query": False, "bias": True, "alibi": True},
        "all heads": {"multi_query": False},
    },
    "cohere": {"query and key norm": {"use_qk_norm": True, "attention_bias": True}},
    "stablelm": {
        "query and key norm": {"qk_layernorm": True, "use_qkv_bias": True},
        "parallel": {"use_parallel_residual": True},
    },
    "nemotron_h": NEMOTRON,
    "nemotron_h_omni": NEMOTRON,
    "nemo_speechlm": NEMOTRON,
    "deepseek_v2": {**NO_RANK, **NO_SHARED, **FIRST_DENSE},
    "deepseek_v3": {**NO_RANK, **NO_SHARED, **FIRST_DENSE},
    "deepseek_v32": {**NO_SHARED, **FIRST_DENSE},
    "kimi_k25": {**NO_RANK, **NO_SHARED, **FIRST_DENSE},
    "sarvam_mla": {**RANK, **FIRST_DENSE},
    "kimi_linear": {
        **RANK, **PATTERN,
        "released": {"linear_attn_config": {"num_heads": 4, "head_dim": 14, "short_conv_kernel_size": 3, "kda_layers": [1, 2, 4, 5, 6], "full_attn_layers": [3]},
                     "linear_num_heads": ABSENT, "linear_head_dim": ABSENT, "linear_conv_kernel_dim": ABSENT, "layer_types": ABSENT},
    },
    "bailing_hybrid": {**RANK, **PATTERN},
    "glm4_moe": {"query and key norm": {"use_qk_norm": True, "attention_bias": True}, **NO_SHARED, **FIRST_DENSE},
    "glm4v_moe": {**NO_SHARED, **FIRST_DENSE},
    "glm4_moe_lite": {**NO_RANK, **PATTERN},
    "glm_moe_dsa": {
        **NO_SHARED, **PATTERN,
        "shared indexers": {"indexer_types": ["full", "shared", "full", "shared", "shared", "full"]},
    },
    "hy_v4": {**PATTERN, "all indexers": {"indexer_types": ["full"] * 6}},
    "hy_v4_vl": {**PATTERN, "all indexers": {"indexer_types": ["full"] * 6}},
    "glm5_next": {**PATTERN, "shared indexers": {"indexer_types": ["full", "shared", "full", "shared", "full", "shared"]}},
    "mistral4": {**NO_RANK, **NO_SHARED, **FIRST_DENSE},
    "mistral_large4": {
        **PATTERN, **NO_SHARED,
        "shared indexers": {"indexer_types": ["full", "shared", "full", "shared", "shared", "full"]},
        "shared caches": {"kv_source_layers": [0, 0, 2, 2, 4, 4]},
    },
    "axk1": {**NO_RANK, **PATTERN},
    "axk2": {**PATTERN, **NO_SHARED},
    "beam": PATTERN, "hy_v3": PATTERN, "exaone_moe": {**PATTERN, "three shared": {"num_shared_experts": 3}},
    "mimo_v2_flash": {
        **PATTERN,
        "released": {"hybrid_layer_pattern": [0, 1, 1, 0, 1, 0], "moe_layer_freq": [0, 1, 1, 1, 1, 1],
                     "swa_num_attention_heads": 8, "swa_num_key_value_heads": 4, "swa_head_dim": 20, "swa_v_head_dim": 18,
                     "add_swa_attention_sink_bias": True, "layer_types": ABSENT, "mlp_layer_types": ABSENT},
    },
    "step3p7": {**PATTERN, "windows": {"layer_types": TWO * 3, "num_sliding_attention_heads": 10, "sliding_window": 16}},
    "cohere2_moe": {**PATTERN, "dense first": {"mlp_layer_types": SIX, "prefix_dense_intermediate_size": 150, "num_shared_experts": 2}},
    "laguna": {**PATTERN, "heads by layer": {"num_attention_heads_per_layer": [8, 6, 8, 6, 4, 8], "layer_types": TWO * 3},
               "no gate": {"gating": False}, "gate by head": {"gating": "per-head"}},
    "mellum": {**PATTERN, "with a drafting head": {"num_nextn_predict_layers": 1}},
    "minimax_m3_vl_text": {**PATTERN, "sparse attention": {"layer_types": ["full_attention", "minimax_m3_sparse"] * 3}},
    "minimax_m3_vl": PATTERN,
    "inkling_text": {**PATTERN, "three shared": {"n_shared_experts": 3}},
    "inkling_mm_model": PATTERN,
    "muse_spark": PATTERN,
    "ernie4_5_moe": {"part routed": {"moe_layer_start_index": 2, "moe_layer_end_index": 4, "moe_layer_interval": 2},
                     "no shared": {"moe_num_shared_experts": 0}},
    "ernie4_5_vl_moe": {**PATTERN, "no shared": {"moe_num_shared_experts": 0}},
    "zamba2": {"adapters": {"use_shared_attention_adapter": True, "adapter_rank": 9, "num_mem_blocks": 2}},
    "opt": OPT, "blip-2": OPT, "instructblip": {"projected": {"word_embed_proj_dim": 64}},
    "qwen2_moe": QWEN_MOE, "qwen3_moe": QWEN_MOE, "qwen3_next": QWEN_MOE, "flint": QWEN_MOE,
    "qwen3_vl_moe": QWEN_MOE, "qwen3_omni_moe_thinker": QWEN_MOE, "qwen3_omni_moe": QWEN_MOE,
    "gpt_bigcode": {"all heads": {"multi_query": False}},
    "lfm2": {"width as given": {"block_auto_adjust_ff_dim": False, "conv_bias": True},
             "released": {"block_ff_dim": 130, "intermediate_size": ABSENT, "full_attn_idxs": [2, 4], "layer_types": ABSENT,
                          "block_multiple_of": 16}},
    "lfm2_moe": {"one dense layer": {"num_dense_layers": 1}},
    "qwen4_exp_text": {"n-grams": {"ple_layer_ids": [1, 3], "ple_embed_dim": 64, "ngram_vocab_size_base": 101,
                                   "make_ngram_vocab_size_divisible_by": 8, "split_ngram_parts": 4, "eos_token_id": 1,
                                   "heads_per_ngram": 2}},
    "llama4_text": {"every second layer routed": {"interleave_moe_layer_step": 2}, "routed where named": {"moe_layers": [1, 4]}},
    "llama4": {"every second layer routed": {"interleave_moe_layer_step": 2}},
    "mpt": {"biases": {"no_bias": False}, "query and key norm": {"attn_config": {"qk_ln": True, "model_type": ""}}},
    "hunyuan_v1_moe": {
        "by layer": {"num_experts": [1, 6, 6, 4, 6, 6], "moe_topk": [1, 2, 2, 1, 3, 2]},
        "released": {"num_shared_expert": [1] * 6, "use_qk_norm": True, "moe_intermediate_size": [36] * 6, "use_mixed_mlp_moe": True},
    },
    "mllama": {"cross-attention": {"cross_attention_layers": [1, 4]}},
    "idefics": {"sparse cross-attention": {"cross_layer_interval": 2}, "norms": {"qk_layer_norms": True}},
    "hyperclovax": {"no norms after": {"use_post_norm": False}},
    "gpt_neox": {"one after another, no biases": {"use_parallel_residual": False, "attention_bias": False}},
    "molmo2": {"norms after": {"norm_after": True}},
    "jamba": {"one expert": {"num_experts": 1, "num_experts_per_tok": 1}, "periods": {"attn_layer_period": 2, "attn_layer_offset": 1, "expert_layer_period": 3, "expert_layer_offset": 1}},
    "recurrent_gemma": {"attention first": {"block_types": ["attention", "recurrent"], "lru_width": 88}},
    "afmoe": {"dense first": {"num_dense_layers": 3, "num_shared_experts": 0}},
    "dots1": {**NO_SHARED, **FIRST_DENSE},
    "solar_open": {**NO_SHARED, **FIRST_DENSE}, "sarvam_moe": {**NO_SHARED, **FIRST_DENSE},
    "unlimited_ocr": {**NO_SHARED, **PATTERN}, "deepseek_ocr2": {**NO_SHARED, **PATTERN},
    "olmo_hybrid": {"kinds": {"layer_types": ["full_attention", "linear_attention"] * 3}},
    "falcon_h1": {"normed": {"mamba_rms_norm": True, "mamba_norm_before_gate": False}, "width from expansion": {"mamba_d_ssm": None}},
    "gpt2": {"wide": {"n_inner": None}}, "gpt_neo": {"wide": {"intermediate_size": None}},
    "deepseek_v4": {"ratios": {"compress_ratios": [0, 4, 128, 4, 0, 128], "layer_types": ABSENT}},
    "phi3": {"all heads": {"num_key_value_heads": None}},
    "apertus1p5_text": {"fewer outputs": {"output_vocab_size": 150}},
    "longcat_flash": {"other zero experts": {"zero_expert_num": 3}, "no zero experts": {"zero_expert_num": 0}},
    "smollm3": {"some without rotation": {"no_rope_layers": [1, 0, 1, 0, 1, 1]}},
    "xlstm": {"biases": {"use_bias": True}, "weights fused": {"weight_mode": "fused"}},
    "modernbert-decoder": {"norm bias": {"norm_bias": True, "attention_bias": True, "mlp_bias": True}},
}  # fmt: skip
BIASES = re.compile(r"bias|qk_?(layer)?_?norm")


def rich(family: str, config: dict[str, Any], path: tuple[str, ...]) -> list[tuple[str, dict[str, Any]]]:
    """Return the small shape of a type with parts switched on that are off in it, each with its name."""
    part = arbiter.settings(config)
    for name in path:
        part = getattr(part, name)
    flags = {
        n: not v
        for n, v in part.to_dict().items()
        if isinstance(v, bool) and BIASES.search(n) and not n.startswith("_")
    }
    wanted = {**({"biases and norms flipped": flags} if flags else {}), **RICH.get(family, {})}
    shapes = []
    for name, fields in wanted.items():
        shape = copy.deepcopy(config)
        spot = text_of(shape, path)
        merge(spot, {n: v for n, v in fields.items() if n != "outer" and v is not ABSENT})
        for each in [n for n, v in fields.items() if v is ABSENT]:
            spot.pop(each, None)
        merge(shape, fields.get("outer", {}))
        shapes.append((name, shape))
    return shapes
