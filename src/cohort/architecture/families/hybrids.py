"""Rows of the table: families with other recurrences beside attention, and what one of them alone has."""

from __future__ import annotations

from cohort.architecture.attention import GroupedQuery
from cohort.architecture.configs.fields import ABSENT, Fields
from cohort.architecture.families.dense import LLAMA, NORMED, OLMO2, PLAIN, WIDE
from cohort.architecture.families.latents import LATENT
from cohort.architecture.families.mixtures import LISTED, ONE_SHARED, QWEN_SHARED
from cohort.architecture.feedforward import Dense, Weights
from cohort.architecture.linear_attention import GatedDelta, KimiDelta, Lightning
from cohort.architecture.parts import (
    FIRST_APART, FULL, INDEXED, LINEAR, SLIDING, Place, after, attention, by_step, choices, either, every,
    everywhere, extend, further, gated_lru, hyper, in_turn, latent, marked, matrix_memory, mlp_types,
    multiplier, named, only, share, sized, sparse_latent, time_mixing, where, width_of_heads,
)  # fmt: skip
from cohort.architecture.recurrent import ShortConvolution
from cohort.errors import ConfigError
from cohort.numeric import ceil_div


def _olmo_delta(place: Place) -> GatedDelta:
    """Return the linear layers of OLMo Hybrid; sizes that are absent follow from attention's."""
    keys = either("linear_num_key_heads", "num_attention_heads")(place)
    values = either("linear_num_value_heads", "num_attention_heads")(place)
    width = either("linear_key_head_dim", otherwise=3 * place.hidden // (4 * keys))(place)
    value = either("linear_value_head_dim", otherwise=2 * width)(place)
    return GatedDelta(keys, values, width, value, place.number("linear_conv_kernel_dim"))


def _kimi_kinds(fields: Fields, count: int) -> list[str]:
    """Return each kind, as `linear_attn_config` numbers it from 1, else every fourth but the first."""
    part = fields.part("linear_attn_config")
    full, linear = part.indices("full_attn_layers"), part.indices("kda_layers")
    part.unread(frozenset(("gate_lower_bound", "num_heads", "head_dim", "short_conv_kernel_size")))
    if full is None or linear is None:
        return [FULL if layer and layer % 4 == 0 else LINEAR for layer in range(count)]
    if full & linear or full | linear != set(range(1, count + 1)):
        raise ConfigError(f"'linear_attn_config' must name each of {count} layers once")
    return [FULL if layer + 1 in full else LINEAR for layer in range(count)]


def _pooled_indexer(place: Place) -> Weights | None:
    """Return what pools the keys of GLM-5.3's indexer: a gate, and a position for each token of a block."""
    width = place.number("index_head_dim")
    own = place.kind != LINEAR and place.other != "shared"
    return Weights(place.hidden * width, place.number("index_kpool") * width) if own else None


def _lfm2_width(place: Place) -> int:
    """Return the feed-forward width: two thirds of the one given, times a multiplier, rounded up."""
    fields, name = place.fields, "block_ffn_dim_multiplier"
    width, multiple = either("block_ff_dim", "intermediate_size")(place), place.number("block_multiple_of")
    given = fields.raw(name)
    if not fields.flag("block_auto_adjust_ff_dim"):
        return width
    width = int(2 * width / 3)
    width = width if given is ABSENT or given is None else int(multiplier(fields, name) * width)
    return multiple * ceil_div(width, multiple)


def _griffin_kinds(fields: Fields, count: int) -> list[str]:
    """Return the kinds of Griffin's blocks, repeated."""
    listed = fields.listed("block_types", None, "recurrent or attention", ("recurrent", "attention"))
    blocks = listed or ["recurrent", "recurrent", "attention"]
    return ["recurrent" if blocks[layer % len(blocks)] == "recurrent" else SLIDING for layer in range(count)]


def _xlstm_width(place: Place) -> int:
    multiple = place.number("ffn_round_up_to_multiple_of")
    return multiple * ceil_div(share(place.fields, "ffn_proj_factor"), multiple)


# Nemotron-NAS: layers of different builds -------------------------------------------------------------------


def _nas_blocks(fields: Fields, count: int) -> list[tuple[int | None, float | None]]:
    """Return for each layer the heads in a group and the width multiplier, None where a part is left out."""
    found = []
    for block in fields.by_layer("block_configs", count):
        mixing, forward = block.part("attention"), block.part("ffn")
        group = None if mixing.flag("no_op") else mixing.optional("n_heads_in_group") or 0
        found.append((group, None if forward.flag("no_op") else multiplier(forward, "ffn_mult")))
        for each, unused in ((block, ""), (mixing, "n_heads_in_group"), (forward, "ffn_mult")):
            each.unread(frozenset((unused,)))
    return found


def _nas_attention(place: Place) -> GroupedQuery | None:
    group, heads = place.other[0], place.heads
    if group is not None and (not group or heads % group):
        raise ConfigError(f"'n_heads_in_group' is {group}, but must divide the heads ({heads})")
    return None if group is None else attention(place, kv_heads=heads // group)


def _nas_forward(place: Place) -> Dense | None:  # two thirds of a multiplier, in multiples of 256
    share = place.other[1]
    return None if share is None else Dense(256 * ceil_div(int(2 * share * place.hidden / 3), 256))


# fmt: off
GATED_DELTA = sized(
    GatedDelta, "linear_num_key_heads", "linear_num_value_heads", "linear_key_head_dim",
    "linear_value_head_dim", "linear_conv_kernel_dim",
)
DELTA = {  # queries and output gate are one projection
    **only(GATED_DELTA, LINEAR),
    **only(lambda at: attention(at, output_gate=at.fields.raw("attn_output_gate") is not False)),
}
KIMI_DELTA = sized(  # whose sizes lie apart as released
    KimiDelta, either("linear_attn_config.num_heads", "linear_num_heads"),
    either("linear_attn_config.head_dim", "linear_head_dim"),
    either("linear_attn_config.short_conv_kernel_size", "linear_conv_kernel_dim"),
)
BAILING_DELTA = sized(  # as wide as the heads of the whole model
    KimiDelta, either("linear_num_heads", "num_attention_heads"), either("linear_head_dim", "head_dim"),
    either("linear_conv_kernel_dim", "short_conv_kernel_size"), low_rank=False,
)
QWEN3_5 = extend(NORMED, kinds=DELTA, listed=True, pattern=every("full_attention_interval", others=LINEAR))
CONVOLUTION = {**only(sized(ShortConvolution, "hidden_size", "conv_L_cache", bias="conv_bias"), "conv"), **only(attention)}
LFM2 = extend(
    PLAIN, kinds=CONVOLUTION, listed=True, query_key_norm="head", tied=True,
    pattern=named("full_attn_idxs", FULL, "conv", everywhere(FULL)),
)

HYBRIDS = {
    "qwen3_next": extend(QWEN3_5, routed=by_step(), **QWEN_SHARED),
    "qwen3_5_text": QWEN3_5,
    "qwen3_5_moe_text": extend(
        QWEN3_5, routed=True, **QWEN_SHARED, inert="intermediate_size decoder_sparse_step mlp_only_layers",
    ),
    "lara_mini": extend(
        NORMED, kinds={**only(GATED_DELTA, LINEAR), **only(attention, FULL, SLIDING)}, listed=True,
        routed=True, **ONE_SHARED, tied=True,
        pattern=in_turn(LINEAR, SLIDING, LINEAR, FULL, SLIDING),
    ),
    "olmo_hybrid": extend(
        OLMO2, kinds={**only(attention), **only(_olmo_delta, LINEAR)}, listed=True,
        pattern=where(lambda i, count: i % 4 == 3 or (count < 4 and i == count - 1), FULL, LINEAR),
    ),
    "minimax minimax_text_01 minimax_m1": extend(
        PLAIN,
        kinds={**only(attention), **only(sized(Lightning, "num_attention_heads", width_of_heads), LINEAR)},
        listed=True, pattern=marked("attn_type_list", FULL, LINEAR, every(2, others=LINEAR, first=0)),
        routed=True, expert_width="intermediate_size",
        inert="sliding_window postnorm shared_moe_mode shared_intermediate_size",
    ),
    "kimi_linear": extend(
        LATENT, kinds={**only(KIMI_DELTA, LINEAR), **only(latent)}, listed=True, tied=None,
        pattern=_kimi_kinds, **LISTED, inert="head_dim moe_layer_freq mla_use_nope",
    ),
    "bailing_hybrid": extend(
        LATENT, kinds={**only(BAILING_DELTA, LINEAR), **only(latent)}, listed=True, tied=None,
        gate="head", pattern=every("layer_group_size", others=LINEAR), **LISTED,
        inert="linear_num_heads linear_head_dim linear_conv_kernel_dim",
    ),
    "glm5_next_text": extend(
        LATENT, kinds={**only(KIMI_DELTA, LINEAR), **only(sparse_latent, INDEXED, FULL)}, listed=True,
        pattern=every(4, INDEXED, LINEAR), routed=mlp_types(after(3)), varies=choices(),
        streams=hyper(collapsed=False), extra=_pooled_indexer, inert="first_k_dense_replace",
    ),
    "lfm2": extend(LFM2, width=_lfm2_width),
    "lfm2_moe": extend(LFM2, pattern=everywhere(FULL), routed=after("num_dense_layers")),
    "lfm3": extend(
        LFM2, kinds={**CONVOLUTION, **only(attention, SLIDING)}, bias="attention_bias",
        pattern=lambda fields, count: ["conv", *in_turn(SLIDING, "conv", FULL, "conv")(fields, count)[1:]],
        gate=lambda at: "head" if at.flag("use_attention_gate") else None,
        norms=lambda at: 4 if at.flag("use_sandwich_norm") else 2,
    ),
    "recurrent_gemma": extend(
        PLAIN, kinds={**only(gated_lru, "recurrent"), **only(attention, SLIDING)}, pattern=_griffin_kinds,
        tied=True, bias="attention_bias", output_bias=True, mlp_bias=True,
        width=lambda at: at.number("intermediate_size") // 2,
    ),
    "rwkv": extend(  # its feed-forward has a third matrix, and the first layer a norm before it
        PLAIN, kinds=only(time_mixing), norm=2, gated=False, varies=FIRST_APART,
        extra=further(lambda at: at.hidden**2, lambda at: (4 if at.other == "first" else 2) * at.hidden),
        width=WIDE,
    ),
    "xlstm": extend(
        PLAIN, kinds=only(matrix_memory), mlp_bias="use_bias", width=_xlstm_width, tied=None,
        says_again={"embedding_dim": "hidden_size"},
    ),
    "nemotron-nas": extend(
        LLAMA, kinds=only(_nas_attention), varies=_nas_blocks, dense=_nas_forward,
        norms=lambda at: sum(each is not None for each in at.other), absent={"intermediate_size": None},
        stated="intermediate_size",
    ),
}
