"""Rows of the table: families with recurrences, alone or beside attention, and what one of them alone has."""

from __future__ import annotations


from cohort.architecture.attention import GroupedQuery
from cohort.architecture.configs.fields import ABSENT, Fields
from cohort.architecture.families.dense import BIASED, GRANITE, LLAMA, NORMED, OLMO2, PLAIN, WIDE
from cohort.architecture.families.latents import LATENT
from cohort.architecture.families.mixtures import LISTED, ONE_SHARED, QWEN_SHARED
from cohort.architecture.feedforward import Dense, Weights
from cohort.architecture.linear_attention import GatedDelta, KimiDelta, Lightning
from cohort.architecture.parts import (
    FIRST_APART, FULL, INDEXED, LINEAR, MAMBA, SLIDING, Kind, Place, after, again, attention, by_step,
    indexers, dense, either, every, everywhere, expanded, extend, first_uses, further, gated_lru, hyper,
    in_turn, latent, lettered, mamba, mamba2, marked, matrix_memory, mlp_types, multiplier, named, by_number,
    only, share, sized, sparse_latent, time_mixing, where, width_of_heads, with_experts,
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
QWEN3_5 = extend(
    NORMED, kinds=DELTA, listed=True, pattern=every("full_attention_interval", others=LINEAR),
    wide_states=True,
)
SHORT_CONVOLUTION = sized(ShortConvolution, "hidden_size", "conv_L_cache", bias="conv_bias")
CONVOLUTION = {**only(SHORT_CONVOLUTION, "conv"), **only(attention)}
LFM2 = extend(
    PLAIN, kinds=CONVOLUTION, listed=True, query_key_norm="head", tied=True,
    pattern=named("full_attn_idxs", FULL, "conv", everywhere(FULL)),
)
FALCON_MAMBA2 = mamba2(bias=_falcon_bias, normed="mamba_rms_norm")
ALONE = extend(PLAIN, norms=1, rotary=False)
NEMOTRON_MAMBA2 = mamba2(  # under its own names and older ones
    heads="mamba_num_heads", head_dim="mamba_head_dim", inner=None, state="ssm_state_size",
    groups=either("mamba_n_groups", "n_groups"), kernel=either("mamba_d_conv", "conv_kernel"),
    bias="use_bias", conv_bias=lambda at: at.flag(
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

HYBRIDS = {
    "qwen3_next": extend(QWEN3_5, routed=by_step(), **QWEN_SHARED, wide_states=False),
    "qwen3_5_text": QWEN3_5,
    "qwen3_5_moe_text": extend(
        QWEN3_5, routed=True, **QWEN_SHARED, inert="intermediate_size decoder_sparse_step mlp_only_layers",
    ),
    "lara_mini": extend(
        NORMED, kinds={**only(GATED_DELTA, LINEAR), **only(attention, FULL, SLIDING)}, listed=True,
        routed=True, **ONE_SHARED, tied=True, pattern=in_turn(LINEAR, SLIDING, LINEAR, FULL, SLIDING),
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
        pattern=by_number(
            "linear_attn_config", {"full_attn_layers": FULL, "kda_layers": LINEAR},
            where(lambda layer, count: layer and layer % 4 == 0, FULL, LINEAR),
            others="gate_lower_bound num_heads head_dim short_conv_kernel_size",
        ),
        **LISTED, rotary=False, wide_states=True, inert="head_dim moe_layer_freq mla_use_nope",
    ),
    "bailing_hybrid": extend(
        LATENT, kinds={**only(BAILING_DELTA, LINEAR), **only(latent)}, listed=True, tied=None, gate="head",
        pattern=every("layer_group_size", others=LINEAR), **LISTED, wide_states=True,
        inert="linear_num_heads linear_head_dim linear_conv_kernel_dim",
    ),
    "glm5_next_text": extend(
        LATENT, kinds={**only(KIMI_DELTA, LINEAR), **only(sparse_latent, INDEXED, FULL)}, listed=True,
        pattern=every(4, INDEXED, LINEAR), routed=mlp_types(after(3)), varies=indexers(),
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
        PLAIN, kinds={**only(gated_lru, "recurrent"), **only(attention, SLIDING)},
        pattern=in_turn(
            "recurrent", "recurrent", SLIDING,
            said=("block_types", {"recurrent": "recurrent", "attention": SLIDING}),
        ),
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
    "bamba": extend(
        GRANITE, kinds={**only(attention), **only(mamba2(), MAMBA)}, inert=UNLISTED,
        pattern=named("attn_layer_indices", FULL, MAMBA, everywhere(MAMBA)),
    ),
    "granitemoehybrid": extend(
        BIASED, kinds={**only(mamba2(), MAMBA, LINEAR), **only(attention, "attention", FULL)}, listed=True,
        pattern=everywhere(LINEAR), width="shared_width", routed=with_experts(everywhere(True)),
        expert_width="intermediate_size", **ONE_SHARED,
    ),
    "falcon_h1": extend(GRANITE, kinds={FULL: Kind((attention, FALCON_MAMBA2))}, inert=UNLISTED),
    "jamba": extend(
        PLAIN, rotary=False, kinds={**only(attention), **only(mamba(normed=True), MAMBA)},
        routed=with_experts(every("expert_layer_period", True, False, first="expert_layer_offset"), least=2),
        expert_width="intermediate_size",
        pattern=every("attn_layer_period", FULL, MAMBA, first="attn_layer_offset"), inert=UNLISTED,
    ),
    "nemotron_h": extend(
        ALONE, kinds=NEMOTRON, listed=True, tied=None, pattern=lambda fields, count: _nemotron_kinds(fields),
        layers=_nemotron_layers, gated=False, mlp_bias="mlp_bias", **ONE_SHARED, shared_bias="mlp_bias",
        wide_states=True, expert={"latent": _nemotron_latent}, inert="time_step_rank num_hidden_layers",
    ),
    "mamba falcon_mamba": extend(ALONE, kinds=only(MAMBA_ALONE, forward=None), tied=True),
    "mamba2": extend(ALONE, kinds=only(MAMBA2_ALONE, forward=None)),
    "zamba": extend(
        ZAMBA,
        kinds={**only(mamba(), MAMBA, LINEAR, forward=None),
               "hybrid": Kind((again(_zamba_attention), mamba()), "dense")},
        pattern=_zamba_kinds, varies=first_uses(1, _zamba_kinds), extra=_zamba_extra,
    ),
    "zamba2": extend(
        ZAMBA,
        kinds={**only(ZAMBA2_MAMBA2, MAMBA, LINEAR, forward=None),
               "hybrid": Kind((again(_zamba_attention), ZAMBA2_MAMBA2), "dense")},
        pattern=_zamba2_kinds, varies=first_uses("num_mem_blocks", _zamba2_kinds), extra=_zamba2_extra,
        width=WIDE, mlp_bias="add_bias_linear",
        says_again={"attention_hidden_size": lambda at: 2 * at.hidden, "head_dim": _zamba2_width},
        inert="mamba_headdim kv_channels",
    ),
}
