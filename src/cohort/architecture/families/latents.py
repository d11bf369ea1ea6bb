"""Rows of the table: families with latent or compressed attention, and what one of them alone has."""

from __future__ import annotations

from typing import Any

from cohort.architecture.configs.fields import Fields
from cohort.architecture.families.dense import PLAIN
from cohort.architecture.families.mixtures import FIRST, LISTED, SHARED
from cohort.architecture.feedforward import Dense
from cohort.architecture.latent import Latent
from cohort.architecture.parts import (
    COMPRESSION, FULL, INDEXED, SLIDING, Kind, Place, after, agreed, beside, by_ratio, indexers,
    compressed, extend, further, hyper, indexer, latent, mlp_types, only, sparse_latent,
)  # fmt: skip
from cohort.errors import ConfigError


def _doubled_query(place: Place) -> int:
    """Return what A.X K2 has beyond latent attention: twice the query's rank, an output gate, gated norms."""
    key = place.number("qk_nope_head_dim") + place.fields.size("qk_rope_head_dim", low=0)
    made = place.number("q_lora_rank") * place.heads * (key + 2 * place.number("v_head_dim"))
    return made + 2 * place.number("gated_norm_rank") * place.hidden * (2 if place.routed else 1)


# Windowed layers of dots3 have sizes of their own: these where nothing is said.
_WINDOWED = {"num_attention_heads": 64, "num_key_value_heads": 64, "q_lora_rank": 1024, "kv_lora_rank": 1024,
             "head_dim": 256, "qk_nope_head_dim": 192, "v_head_dim": 128}  # fmt: skip
_SIZES = ("num_attention_heads", "kv_lora_rank", "q_lora_rank", "qk_rope_head_dim", "qk_nope_head_dim",
          "v_head_dim")  # fmt: skip


def _dots3_varies(fields: Fields, count: int) -> list[tuple[Any, ...] | None]:
    """Return the sizes of windowed layers: as written for each layer, else by their own names."""
    listed = fields.listed("layer_types", count, "kinds of attention", (INDEXED, FULL, SLIDING))
    own = {name: fields.optional(f"swa_{name}") or size for name, size in _WINDOWED.items()}
    rope = fields.optional("swa_qk_rope_head_dim")
    own["qk_rope_head_dim"] = rope or own["head_dim"] - own["qk_nope_head_dim"]
    kinds, found = listed or _dots3_kinds(fields, count), list[tuple[Any, ...] | None]()
    for kind, written in zip(kinds, fields.by_layer("per_layer_config", count), strict=True):
        mine = {**own, **(written.values if kind == SLIDING else {})}
        written.unread(frozenset(own if kind == SLIDING else ()))
        if mine["num_key_value_heads"] != mine["num_attention_heads"]:
            raise ConfigError("windowed layers must have as many key-value heads as heads")
        found.append(tuple(mine[name] for name in _SIZES) if kind == SLIDING else None)
    return found


def _dots3_kinds(fields: Fields, count: int) -> list[str]:
    slides = fields.raw("use_sliding_window") is not False
    return [SLIDING if slides and layer >= 2 and layer % 4 != 1 else INDEXED for layer in range(count)]


def _dots3(place: Place) -> Latent:
    """Return latent attention with a gate by head and a normalised rotary part."""
    fields, sizes = place.fields, place.other
    if fields.heads != fields.kv_heads():
        raise ConfigError("num_key_value_heads must be num_attention_heads in dots3")
    if sizes is None:
        plain = place.kind == FULL and "per_layer_config" in fields.values
        if fields.raw("use_dsa") is False:
            raise ConfigError("'use_dsa' is false, which is not counted: it must be true")
        index = None if plain else indexer(place)
        return latent(place, indexer=index, norm_weights=fields.size("qk_rope_head_dim"))
    window = fields.optional("sliding_window") or fields.optional("sliding_window_size") or 512
    heads, kv_rank, q_rank, rope, nope, value = sizes
    own = {"gates": heads, "norm_weights": rope, "window": window}
    return Latent(heads, kv_rank, q_rank, rope, nope, value, bias=place.flag(place.row.bias), **own)


def _dots3_routed(fields: Fields, count: int) -> list[bool]:
    fields.must("moe_layer_freq", 1)
    return list(after("first_k_dense_replace")(fields, count))


# fmt: off
LATENT = extend(PLAIN, kinds=only(latent), bias="attention_bias", **SHARED, inert="head_dim qk_head_dim")
SPARSE = extend(LATENT, kinds=only(sparse_latent, INDEXED, FULL), **LISTED, listed=True, inert="mlp_bias")
ROTATED = only(lambda at: latent(at, rope_dim=agreed("qk_rope_head_dim", "head_dim")(at)))

LATENTS = {
    "deepseek_v2": extend(
        LATENT, **FIRST, mlp_bias="mlp_bias", shared_bias="mlp_bias", inert="moe_layer_freq",
    ),
    "deepseek_v3 kimi_k2 sarvam_mla": extend(LATENT, **FIRST, inert="moe_layer_freq mlp_bias"),
    "deepseek_v32": extend(SPARSE, inert="moe_layer_freq"),
    "glm_moe_dsa": extend(
        SPARSE, varies=indexers(),
        inert="moe_layer_freq indexer_rope_interleave index_share_for_mtp_iteration",
    ),
    "hy_v4 hy_v4_vl_text": extend(
        SPARSE, varies=indexers(period=4), routed=mlp_types(after(1)), gate="full", sinks=True,
        streams=hyper(mixed=False),
    ),
    "axk1": extend(LATENT, **LISTED, norms=lambda at: 3 if at.routed else 2),
    "axk2": extend(SPARSE, extra=further(_doubled_query)),
    "dots3_note_text": extend(
        LATENT, kinds=only(_dots3, INDEXED, FULL, SLIDING), listed=True, pattern=_dots3_kinds,
        varies=_dots3_varies, routed=mlp_types(_dots3_routed), gate="head", shared_width="shared_width",
    ),
    "glm4_moe_lite": extend(LATENT, kinds=ROTATED, routed=mlp_types(after(1))),
    "mistral4": extend(LATENT, **FIRST),
    "minicpm3": extend(LATENT, mlp_bias="mlp_bias", tied=True, inert="n_shared_experts"),
    "youtu": extend(LATENT, tied=True),
    "longcat_flash": extend(
        LATENT, kinds={FULL: Kind((latent, latent))}, norms=4, shared=0, layers="num_layers", routed=True,
        experts=beside(lambda at: Dense(2 * at.number("intermediate_size"))),  # two networks, here as one
        expert={"zero": lambda at: at.fields.optional("zero_expert_num", low=0) or 0},
        inert="mla_scale_q_lora mla_scale_kv_lora",
    ),
    "deepseek_v4": extend(
        PLAIN, kinds=only(compressed, *COMPRESSION), pattern=by_ratio, listed=True, routed=True, shared=1,
        shared_bias="mlp_bias", streams=hyper(),
        expert_width=agreed("moe_intermediate_size", "intermediate_size"),
    ),
}
