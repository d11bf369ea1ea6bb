"""Rows of the table: families with Mamba, alone or beside attention, and what one of them alone has."""

from __future__ import annotations

from typing import Any

from cohort.architecture.attention import GroupedQuery
from cohort.architecture.configs.fields import ABSENT, Fields
from cohort.architecture.families.dense import BIASED, GRANITE, PLAIN, WIDE
from cohort.architecture.families.mixtures import ONE_SHARED
from cohort.architecture.feedforward import Weights
from cohort.architecture.parts import (
    FULL, LINEAR, MAMBA, Kind, Place, again, attention, dense, either, every, everywhere, expanded, extend,
    lettered, mamba, mamba2, named, only, with_experts,
)  # fmt: skip
from cohort.errors import ConfigError


def _falcon_bias(place: Place) -> bool:
    inner, outer = place.flag("mamba_proj_bias"), place.flag("projectors_bias")
    if inner != outer:
        raise ConfigError("mamba_proj_bias and projectors_bias must be the same to be counted")
    return inner


_LETTERS = {"M": MAMBA, "*": FULL, "-": "mlp", "E": "moe"}
_nemotron_kinds = lettered("hybrid_override_pattern", _LETTERS, (MAMBA, "moe", FULL, "mlp"))


def _nemotron_layers(place: Place) -> int:  # as many as are listed, whatever `num_hidden_layers` says
    listed = place.fields.raw("layer_types")
    return len(listed) if isinstance(listed, (list, tuple)) and listed else len(_nemotron_kinds(place.fields))


def _nemotron_latent(place: Place) -> int | None:
    width = place.fields.optional("moe_latent_size")
    if width and place.flag("mlp_bias"):
        raise ConfigError("'mlp_bias' is true with 'moe_latent_size', which is not counted: one must go")
    return width


# Zamba: one block of attention and feed-forward, used again and again ---------------------------------------


def _zamba_kinds(fields: Fields, count: int) -> list[str]:
    """Return the hybrid layers: the third, then one of each period."""
    period, offset = fields.size("attn_layer_period"), fields.size("attn_layer_offset", low=0)
    later = ["hybrid" if layer % period == offset else MAMBA for layer in range(count - 3)]
    return [MAMBA, MAMBA, "hybrid", *later][:count]


def _zamba2_kinds(fields: Fields, count: int) -> list[str]:
    """Return the hybrid layers of the release of 2.7B, whose number of layers this pattern has."""
    hybrid = {*range(6, 48, 6), 47, 51}
    if count != 54:
        raise ConfigError(f"the field 'layers_block_type' is missing, but zamba2 of {count} layers needs it")
    return ["hybrid" if layer in hybrid else MAMBA for layer in range(count)]


def _uses(blocks: Any, default: Any) -> Any:
    """Return for each hybrid layer whether its block is met for the first time: blocks take turns."""

    def pattern(fields: Fields, count: int) -> list[str | None]:
        if fields.raw("tie_word_embeddings") is False:
            raise ConfigError(
                "'tie_word_embeddings' is false, but the blocks that are used again must be tied"
            )
        allowed = f"mamba or hybrid for each of {count} layers"
        kinds = fields.listed("layer_types", count, allowed, (MAMBA, LINEAR, "hybrid"))
        hybrid = [layer for layer, kind in enumerate(kinds or default(fields, count)) if kind == "hybrid"]
        ids, several = fields.raw("hybrid_layer_ids"), Place(fields, PLAIN).number(blocks)
        if isinstance(ids, (list, tuple)) and list(ids) != hybrid:
            raise ConfigError("'hybrid_layer_ids' must name the hybrid layers of 'layers_block_type'")
        uses = dict.fromkeys(hybrid, "again") | dict.fromkeys(hybrid[:several], "first")
        return [uses.get(layer) for layer in range(count)]

    return pattern


def _wide(place: Place) -> int:  # the stream and the embedding beside each other
    return place.fields.optional("attention_hidden_size") or 2 * place.hidden


def _zamba_attention(place: Place) -> GroupedQuery:
    width = either("head_dim", otherwise=2 * place.hidden // place.heads)(place)
    return attention(place, head_dim=width, input_width=_wide(place))


def _zamba_extra(place: Place) -> Weights | None:
    """Return the projection behind the block, and its norms where it is met first."""
    once = _wide(place) + place.hidden if place.other == "first" else 0
    return Weights(place.hidden**2, once) if place.other else None


def _zamba2_width(place: Place) -> int:
    return 2 * place.hidden // place.heads


def _zamba2_extra(place: Place) -> Weights | None:
    """Return also the adapters that each hybrid layer has of its own."""
    block = _zamba_extra(place)
    if block is None:
        return None
    rank, hidden = place.number("adapter_rank"), place.hidden
    attending = 3 * 4 * hidden if place.flag("use_shared_attention_adapter") else 0
    adapters = rank * (hidden + 2 * place.number(place.row.width) + attending)
    return Weights(block.matrices + adapters, block.others)


# fmt: off
FALCON_MAMBA2 = mamba2(bias=_falcon_bias, normed="mamba_rms_norm")
ALONE = extend(PLAIN, norms=1)
NEMOTRON_MAMBA2 = mamba2(  # under its own names and older ones
    heads="mamba_num_heads", head_dim="mamba_head_dim", inner=None, state="ssm_state_size",
    groups=either("mamba_n_groups", "n_groups"), kernel=either("mamba_d_conv", "conv_kernel"), bias="use_bias",
    conv_bias=lambda at: at.flag(
        "use_conv_bias" if at.fields.raw("mamba_conv_bias") is ABSENT else "mamba_conv_bias"),
)
NEMOTRON = {
    **only(NEMOTRON_MAMBA2, MAMBA, LINEAR, forward=None),
    **only(attention, "attention", FULL, forward=None),
    "mlp": Kind((), "dense"), "moe": Kind((), "experts"),
}
ZAMBA = extend(ALONE, listed=True, dense=again(dense), tied=True)
UNLISTED = "layer_types layers_block_type"  # by families that say the same in other fields
MAMBA_ALONE = mamba(
    inner=either("intermediate_size", otherwise=expanded("expand")), state="state_size", kernel="conv_kernel",
    rank="time_step_rank", bias="use_bias", conv_bias="use_conv_bias",
)
MAMBA2_ALONE = mamba2(
    heads="num_attention_heads", head_dim="head_dim", inner=expanded("expand"), state="state_size",
    groups="n_groups", kernel="conv_kernel", bias="use_bias", conv_bias="use_conv_bias",
)
ZAMBA2_MAMBA2 = mamba2(
    heads="n_mamba_heads", head_dim=None, inner=expanded("mamba_expand"), groups="mamba_ngroups",
    bias="add_bias_linear", conv_bias=True,
)

MAMBAS = {
    "bamba": extend(
        GRANITE, kinds={**only(attention), **only(mamba2(), MAMBA)}, inert=UNLISTED,
        pattern=named("attn_layer_indices", FULL, MAMBA, everywhere(MAMBA)),
    ),
    "granitemoehybrid": extend(
        BIASED, kinds={**only(mamba2(), MAMBA, LINEAR), **only(attention, "attention", FULL)},
        listed=True, pattern=everywhere(LINEAR), width="shared_width",
        routed=with_experts(everywhere(True)), expert_width="intermediate_size", **ONE_SHARED,
    ),
    "falcon_h1": extend(GRANITE, kinds={FULL: Kind((attention, FALCON_MAMBA2))}, inert=UNLISTED),
    "jamba": extend(
        PLAIN, kinds={**only(attention), **only(mamba(normed=True), MAMBA)},
        routed=with_experts(every("expert_layer_period", True, False, first="expert_layer_offset"), least=2),
        expert_width="intermediate_size",
        pattern=every("attn_layer_period", FULL, MAMBA, first="attn_layer_offset"), inert=UNLISTED,
    ),
    "nemotron_h": extend(
        ALONE, kinds=NEMOTRON, listed=True, tied=None, pattern=lambda fields, count: _nemotron_kinds(fields),
        layers=_nemotron_layers, gated=False, mlp_bias="mlp_bias", **ONE_SHARED, shared_bias="mlp_bias",
        expert={"latent": _nemotron_latent},
        inert="time_step_rank num_hidden_layers",
    ),
    "mamba falcon_mamba": extend(ALONE, kinds=only(MAMBA_ALONE, forward=None), tied=True),
    "mamba2": extend(ALONE, kinds=only(MAMBA2_ALONE, forward=None)),
    "zamba": extend(
        ZAMBA, kinds={**only(mamba(), MAMBA, LINEAR, forward=None),
                      "hybrid": Kind((again(_zamba_attention), mamba()), "dense")},
        pattern=_zamba_kinds, varies=_uses(1, _zamba_kinds), extra=_zamba_extra,
    ),
    "zamba2": extend(
        ZAMBA, kinds={**only(ZAMBA2_MAMBA2, MAMBA, LINEAR, forward=None),
                      "hybrid": Kind((again(_zamba_attention), ZAMBA2_MAMBA2), "dense")},
        pattern=_zamba2_kinds, varies=_uses("num_mem_blocks", _zamba2_kinds), extra=_zamba2_extra,
        width=WIDE, mlp_bias="add_bias_linear",
        says_again={"attention_hidden_size": lambda at: 2 * at.hidden, "head_dim": _zamba2_width},
        inert="mamba_headdim kv_channels",
    ),
}
