"""Rows of the table: families with Mamba, alone or beside attention, and what one of them alone has."""

from __future__ import annotations

from typing import Any

from cohort.architecture.attention import GroupedQuery
from cohort.architecture.families.dense import BIASED, GRANITE, PLAIN
from cohort.architecture.families.fields import ABSENT, Fields
from cohort.architecture.families.mixtures import ONE_SHARED
from cohort.architecture.families.parts import (
    FULL, LINEAR, MAMBA, again, attention, automatic, dense, every, everywhere, experts, hybrid_mamba,
    hybrid_mamba2, lettered, named, only,
)  # fmt: skip
from cohort.architecture.families.row import Kind, Place, extend
from cohort.architecture.feedforward import Dense, Experts, Weights
from cohort.architecture.recurrent import Mamba, Mamba2
from cohort.errors import ConfigError
from cohort.numeric import ceil_div


def _mamba(place: Place) -> Mamba:
    fields = place.fields
    return Mamba(
        fields.optional("intermediate_size") or fields.size("expand") * fields.hidden,
        fields.size("state_size"), fields.size("conv_kernel"),
        automatic(fields, "time_step_rank", ceil_div(fields.hidden, 16)),
        bias=fields.flag("use_bias"), conv_bias=fields.flag("use_conv_bias"),
    )  # fmt: skip


def _mamba2(place: Place) -> Mamba2:
    heads, head_dim = place.fields.heads, place.number("head_dim")
    if place.number("expand") * place.hidden != heads * head_dim:
        raise ConfigError(f"hidden_size x expand must be num_heads x head_dim ({heads * head_dim})")
    state, groups, kernel = (place.number(name) for name in ("state_size", "n_groups", "conv_kernel"))
    biases = {"bias": place.flag("use_bias"), "conv_bias": place.flag("use_conv_bias")}
    return Mamba2(heads, head_dim, state, groups, kernel, **biases)


def _jamba(place: Place) -> Mamba:  # it normalises the step and both projections
    made = hybrid_mamba(place)
    return hybrid_mamba(place, norm_weights=made.rank + 2 * made.state)


def _jamba_routed(fields: Fields, count: int) -> list[bool]:
    several = fields.size("n_routed_experts") > 1
    return list(every("expert_layer_period", several, False, first="expert_layer_offset")(fields, count))


def _falcon_mamba2(place: Place) -> Mamba2:
    """Return Falcon-H1's Mamba 2, whose normalisation and output bias are said apart."""
    inner, outer = place.flag("mamba_proj_bias"), place.flag("projectors_bias")
    if inner != outer:
        raise ConfigError("mamba_proj_bias and projectors_bias must be the same to be counted")
    return hybrid_mamba2(place, normed=place.flag("mamba_rms_norm"), bias=inner)


def _granite_forward(place: Place) -> Dense | Experts:
    """Return Granite 4's shared network, with experts beside it where there are any."""
    shared = place.fields.size("shared_width", low=0)
    return experts(place) if place.routed else Dense(shared)


def _has_experts(fields: Fields, count: int) -> list[bool]:
    return [fields.size("n_routed_experts", low=0) > 0] * count


def _nemotron_mamba2(place: Place) -> Mamba2:
    """Return Nemotron-H's Mamba 2, under its own names and older ones."""
    fields, old = place.fields, place.fields.raw("mamba_conv_bias")
    groups = fields.optional("mamba_n_groups") or fields.size("n_groups")
    kernel = fields.optional("mamba_d_conv") or fields.size("conv_kernel")
    heads, head_dim, state = (
        fields.size(name) for name in ("mamba_num_heads", "mamba_head_dim", "ssm_state_size")
    )
    conv_bias = fields.flag("use_conv_bias") if old is ABSENT else bool(old)
    return Mamba2(heads, head_dim, state, groups, kernel, fields.flag("use_bias"), conv_bias)


_LETTERS = {"M": MAMBA, "*": FULL, "-": "mlp", "E": "moe"}
_nemotron_kinds = lettered("hybrid_override_pattern", _LETTERS, (MAMBA, "moe", FULL, "mlp"))


def _nemotron_layers(fields: Fields) -> int:  # as many as are listed, whatever `num_hidden_layers` says
    listed = fields.raw("layer_types")
    return len(listed) if isinstance(listed, (list, tuple)) and listed else len(_nemotron_kinds(fields))


def _nemotron_latent(place: Place) -> int | None:
    width = place.fields.optional("moe_latent_size")
    if width and place.flag("mlp_bias"):
        raise ConfigError("'mlp_bias' is true with 'moe_latent_size', which is not counted: one must go")
    return width


# Zamba: one block of attention and feed-forward, used again and again ---------------------------------------


def _zamba_kinds(fields: Fields, count: int) -> list[str]:
    """Return the hybrid layers: the third, then one of each period."""
    period, offset = fields.size("attn_layer_period"), fields.size("attn_layer_offset", low=0)
    return [MAMBA, MAMBA, "hybrid", *("hybrid" if i % period == offset else MAMBA for i in range(count - 3))][
        :count
    ]


def _zamba2_kinds(fields: Fields, count: int) -> list[str]:
    """Return the hybrid layers of the release of 2.7B, whose number of layers this pattern has."""
    found = [
        MAMBA,
        *([MAMBA] * 5 + ["hybrid"]) * 7,
        *[MAMBA] * 4,
        "hybrid",
        *[MAMBA] * 3,
        "hybrid",
        MAMBA,
        MAMBA,
    ]
    if count != len(found):
        raise ConfigError(f"the field 'layers_block_type' is missing, but zamba2 of {count} layers needs it")
    return found


def _uses(blocks: Any, default: Any) -> Any:
    """Return for each hybrid layer whether its block is met for the first time: blocks take turns."""

    def pattern(fields: Fields, count: int) -> list[str | None]:
        if fields.raw("tie_word_embeddings") is False:
            raise ConfigError(
                "'tie_word_embeddings' is false, but the blocks that are used again must be tied"
            )
        allowed = f"mamba or hybrid for each of {count} layers"
        listed = fields.listed("layer_types", count, allowed, (MAMBA, LINEAR, "hybrid"))
        hybrid = [kind == "hybrid" for kind in listed or default(fields, count)]
        ids, several = (
            fields.raw("hybrid_layer_ids"),
            blocks if isinstance(blocks, int) else fields.size(blocks),
        )
        if isinstance(ids, (list, tuple)) and list(ids) != [
            layer for layer, each in enumerate(hybrid) if each
        ]:
            raise ConfigError("'hybrid_layer_ids' must name the hybrid layers of 'layers_block_type'")
        met = [sum(hybrid[:layer]) for layer in range(count)]
        return [("first" if met[i] < several else "again") if each else None for i, each in enumerate(hybrid)]

    return pattern


def _wide(place: Place) -> int:  # the stream and the embedding beside each other
    return place.fields.optional("attention_hidden_size") or 2 * place.hidden


def _zamba_attention(place: Place) -> GroupedQuery:
    width = place.fields.optional("head_dim") or 2 * place.hidden // place.fields.heads
    return attention(place, head_dim=width, input_width=_wide(place))


def _zamba_extra(place: Place) -> Weights | None:
    """Return the projection behind the block, and its norms where it is met first."""
    once = _wide(place) + place.hidden if place.other == "first" else 0
    return Weights(place.hidden**2, once) if place.other else None


def _zamba2_mamba(place: Place) -> Mamba2:
    inner, heads = place.number("mamba_expand") * place.hidden, place.number("n_mamba_heads")
    if inner % heads:
        raise ConfigError(f"n_mamba_heads ({heads}) must divide the inner width ({inner})")
    state, groups, kernel = (place.number(f"mamba_{name}") for name in ("d_state", "ngroups", "d_conv"))
    return Mamba2(heads, inner // heads, state, groups, kernel, place.flag("add_bias_linear"))


def _zamba2_attention(place: Place) -> GroupedQuery:
    width = 2 * place.hidden // place.fields.heads
    for name, one in (("attention_hidden_size", 2 * place.hidden), ("head_dim", width)):
        if place.fields.optional(name, low=0) not in (None, one):
            raise ConfigError(f"the field {place.fields.given(name)!r} must be {one} to be counted")
    return attention(place, head_dim=width, input_width=2 * place.hidden)


def _zamba2_extra(place: Place) -> Weights | None:
    """Return what each hybrid layer has of its own: a projection and adapters; and the block's norms once."""
    if place.other is None:
        return None
    hidden, rank = place.hidden, place.number("adapter_rank")
    own = hidden**2 + rank * (hidden + 2 * place.number(place.row.width))
    own += 3 * rank * 4 * hidden if place.flag("use_shared_attention_adapter") else 0
    return Weights(own, 3 * hidden if place.other == "first" else 0)


# fmt: off
ALONE = extend(PLAIN, norms=1)
NEMOTRON = {
    **only(_nemotron_mamba2, MAMBA, LINEAR, forward=None),
    **only(attention, "attention", FULL, forward=None),
    "mlp": Kind((), "dense"), "moe": Kind((), "experts"),
}
ZAMBA = extend(PLAIN, listed=True, dense=again(dense), tied=True)
UNLISTED = "layer_types layers_block_type"  # by families that say the same in other fields


MAMBAS = {
    "bamba": extend(
        GRANITE, kinds={**only(attention), **only(hybrid_mamba2, MAMBA)}, inert=UNLISTED,
        pattern=named("attn_layer_indices", FULL, MAMBA, everywhere(MAMBA)),
    ),
    "granitemoehybrid": extend(
        BIASED, kinds={**only(hybrid_mamba2, MAMBA, LINEAR), **only(attention, "attention", FULL)},
        listed=True, pattern=everywhere(LINEAR), dense=_granite_forward, experts=_granite_forward,
        routed=_has_experts, expert_width="intermediate_size", **ONE_SHARED,
        inert="num_experts_per_tok intermediate_size",
    ),
    "falcon_h1": extend(GRANITE, kinds={FULL: Kind((attention, _falcon_mamba2))}, inert=UNLISTED),
    "jamba": extend(
        PLAIN, kinds={**only(attention), **only(_jamba, MAMBA)}, routed=_jamba_routed,
        expert_width="intermediate_size",
        pattern=every("attn_layer_period", FULL, MAMBA, first="attn_layer_offset"), inert=UNLISTED,
    ),
    "nemotron_h": extend(
        ALONE, kinds=NEMOTRON, listed=True, tied=None, pattern=lambda fields, count: _nemotron_kinds(fields),
        layers=_nemotron_layers, gated=False, mlp_bias="mlp_bias", **ONE_SHARED, shared_bias="mlp_bias",
        expert={"latent": _nemotron_latent},
        inert="attention_bias sliding_window expand time_step_rank n_shared_experts mamba_hidden_act "
              "mamba_proj_bias mamba_expand num_hidden_layers hybrid_override_pattern",
    ),
    "mamba falcon_mamba": extend(ALONE, kinds=only(_mamba, forward=None), tied=True),
    "mamba2": extend(ALONE, kinds=only(_mamba2, forward=None)),
    "zamba": extend(
        ZAMBA, norms=1,
        kinds={**only(hybrid_mamba, MAMBA, LINEAR, forward=None),
               "hybrid": Kind((again(_zamba_attention), hybrid_mamba), "dense")},
        pattern=_zamba_kinds, varies=_uses(1, _zamba_kinds), extra=_zamba_extra, inert="n_mamba_heads",
    ),
    "zamba2": extend(
        ZAMBA, norms=1,
        kinds={**only(_zamba2_mamba, MAMBA, LINEAR, forward=None),
               "hybrid": Kind((again(_zamba2_attention), _zamba2_mamba), "dense")},
        pattern=_zamba2_kinds, varies=_uses("num_mem_blocks", _zamba2_kinds), extra=_zamba2_extra,
        width=lambda at: at.fields.optional("intermediate_size") or 4 * at.hidden, mlp_bias="add_bias_linear",
        inert="mamba_headdim kv_channels use_conv_bias",
    ),
}
