"""Rows of the table: families with recurrences, and what one of them alone has."""

from __future__ import annotations

from typing import Any

from cohort.architecture.attention import GroupedQuery
from cohort.architecture.families.dense import BIASED, GRANITE, LLAMA, NORMED, OLMO2, PLAIN
from cohort.architecture.families.fields import ABSENT, Fields
from cohort.architecture.families.latents import LATENT, hyper
from cohort.architecture.families.mixtures import ONE_SHARED, QWEN_SHARED
from cohort.architecture.families.parts import (
    FIRST, FIRST_DENSE, FULL, INDEXED, LINEAR, MAMBA, SLIDING, after, again, attention, automatic, by_step,
    dense, every, everywhere, experts, factor, hybrid_mamba, hybrid_mamba2, in_turn, indexers, kinds,
    latent, lettered, marked, mlp_types, named, sparse_latent, weights, where, width_of_heads,
)  # fmt: skip  # fmt: skip
from cohort.architecture.families.row import Kind, Place, extend
from cohort.architecture.feedforward import Dense, Experts, Weights
from cohort.architecture.latent import Latent
from cohort.architecture.linear_attention import GatedDelta, KimiDelta, Lightning
from cohort.architecture.recurrent import Mamba, Mamba2, Recurrence, ShortConvolution
from cohort.errors import ConfigError, integer
from cohort.numeric import LIMIT, ceil_div

# Linear attention -----------------------------------------------------------------------------------------


def _gated_query(place: Place) -> GroupedQuery:  # whose queries and output gate are one projection
    return attention(place, output_gate=place.fields.raw("attn_output_gate") is not False)


def _lightning(place: Place) -> Lightning:
    return Lightning(place.fields.heads, width_of_heads(place))


def _gated_delta(place: Place) -> GatedDelta:
    names = ("num_key_heads", "num_value_heads", "key_head_dim", "value_head_dim", "conv_kernel_dim")
    return GatedDelta(*(place.number(f"linear_{name}") for name in names))


def _olmo_delta(place: Place) -> GatedDelta:
    """Return the linear layers of OLMo Hybrid; sizes that are absent follow from attention's."""
    fields = place.fields
    keys = fields.optional("linear_num_key_heads") or fields.heads
    width = fields.optional("linear_key_head_dim") or 3 * fields.hidden // (4 * keys)
    values, value = fields.optional("linear_num_value_heads"), fields.optional("linear_value_head_dim")
    return GatedDelta(
        keys, values or fields.heads, width, value or 2 * width, fields.size("linear_conv_kernel_dim")
    )


def _kimi_delta(place: Place) -> KimiDelta:
    """Return Kimi delta attention; the sizes lie apart, or in `linear_attn_config` as released."""
    part, number = place.fields.part("linear_attn_config"), place.number
    heads = part.optional("num_heads") or number("linear_num_heads")
    width = part.optional("head_dim") or number("linear_head_dim")
    return KimiDelta(
        heads, width, part.optional("short_conv_kernel_size") or number("linear_conv_kernel_dim")
    )


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


def _bailing_delta(place: Place) -> KimiDelta:
    """Return the linear attention of Ling 2.5, as wide as the heads of the whole model."""
    fields = place.fields
    heads, width, kernel = (
        fields.optional(f"linear_{name}") for name in ("num_heads", "head_dim", "conv_kernel_dim")
    )
    usual = (
        heads or fields.heads,
        width or fields.size("head_dim"),
        kernel or fields.size("short_conv_kernel_size"),
    )
    return KimiDelta(*usual, low_rank=False)


def _gated_latent(place: Place) -> Latent:
    return latent(place, gates=place.fields.heads)


def _pooled_indexer(place: Place) -> Weights | None:
    """Return what pools the keys of GLM-5.3's indexer: a gate, and a position for each token of a block."""
    width = place.number("index_head_dim")
    own = place.kind != LINEAR and place.other != "shared"
    return Weights(place.hidden * width, place.number("index_kpool") * width) if own else None


# Mamba, alone and beside attention ------------------------------------------------------------------------


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


# Other recurrences ----------------------------------------------------------------------------------------


def _short_convolution(place: Place) -> ShortConvolution:
    return ShortConvolution(place.hidden, place.number("conv_L_cache"), place.flag("conv_bias"))


def _lfm2_width(place: Place) -> int:
    """Return the feed-forward width: two thirds of the one given, times a factor, rounded up."""
    fields, name = place.fields, "block_ffn_dim_multiplier"
    width = fields.optional("block_ff_dim") or fields.size("intermediate_size")
    given, multiple = fields.raw(name), fields.size("block_multiple_of")
    if not fields.flag("block_auto_adjust_ff_dim"):
        return width
    width = int(2 * width / 3)
    width = width if given is ABSENT or given is None else int(factor(fields, name) * width)
    return multiple * ceil_div(width, multiple)


def _griffin_kinds(fields: Fields, count: int) -> list[str]:
    """Return the kinds of Griffin's blocks, repeated."""
    listed = fields.listed("block_types", None, "recurrent or attention", ("recurrent", "attention"))
    blocks = listed or ["recurrent", "recurrent", "attention"]
    return ["recurrent" if blocks[layer % len(blocks)] == "recurrent" else SLIDING for layer in range(count)]


def _gated_lru(place: Place) -> Recurrence:
    """Return the real-gated linear recurrent unit of RecurrentGemma, with its convolution."""
    hidden, heads, kernel = place.hidden, place.fields.heads, place.number("conv1d_width")
    width = place.fields.optional("lru_width") or hidden
    gates, biases = 2 * heads * (width // heads) ** 2, 2 * heads * (width // heads)
    matrices = 3 * hidden * width + gates + kernel * width
    return Recurrence(matrices, 4 * width + hidden + biases, width, width, kernel, heads)


def _time_mixing(place: Place) -> Recurrence:
    """Return RWKV's time mixing: three numbers a channel are its state, and the token before its inputs."""
    hidden = place.hidden
    width = place.fields.optional("attention_hidden_size") or hidden
    return Recurrence(4 * hidden * width, 3 * hidden + 2 * width, 3 * width, convolved=2 * hidden, kernel=1)


def _matrix_memory(place: Place) -> Recurrence:
    """Return the mLSTM of xLSTM: a matrix a head, its normaliser and one number more."""
    hidden, heads, bias = place.hidden, place.fields.heads, place.flag("use_bias")
    query, value = _share(place.fields, "qk_dim_factor"), _share(place.fields, "v_dim_factor")
    if query % heads or value % heads:
        raise ConfigError(f"num_heads ({heads}) must divide the widths of queries and values")
    matrices = hidden * (2 * query + 3 * value + 2 * heads)
    others = 2 * heads + value + (2 * query + 3 * value + 3 * hidden if bias else 0)
    return Recurrence(matrices, others, query * value // heads + query + heads, heads=heads)


def _share(fields: Fields, name: str) -> int:
    return integer(name, int(fields.hidden * factor(fields, name)), 1, LIMIT, ConfigError)


def _xlstm_width(place: Place) -> int:
    multiple = place.number("ffn_round_up_to_multiple_of")
    return multiple * ceil_div(_share(place.fields, "ffn_proj_factor"), multiple)


def _width_again(place: Place) -> int:
    place.fields.must("embedding_dim", place.hidden)
    return 0


# Nemotron-NAS: layers of different builds -------------------------------------------------------------------


def _nas_blocks(fields: Fields, count: int) -> list[tuple[int | None, float | None]]:
    """Return for each layer the heads in a group and the width factor, None where a part is left out."""
    blocks = fields.raw("block_configs")
    if not isinstance(blocks, (list, tuple)) or len(blocks) != count:
        raise ConfigError(f"the field 'block_configs' must hold an entry for each of {count} layers")
    found = []
    for block in blocks:
        part = Fields(block if isinstance(block, dict) else {}, fields.family, {})
        mixing, forward = part.part("attention"), part.part("ffn")
        group = None if mixing.flag("no_op") else mixing.optional("n_heads_in_group") or 0
        found.append((group, None if forward.flag("no_op") else factor(forward, "ffn_mult")))
        for each, unused in ((part, ""), (mixing, "n_heads_in_group"), (forward, "ffn_mult")):
            each.unread(frozenset((unused,)))
    return found


def _nas_attention(place: Place) -> GroupedQuery | None:
    group, heads = place.other[0], place.fields.heads
    if group is not None and (not group or heads % group):
        raise ConfigError(f"'n_heads_in_group' is {group}, but must divide the heads ({heads})")
    return None if group is None else attention(place, kv_heads=heads // group)


def _nas_forward(place: Place) -> Dense | None:  # two thirds of a factor, in multiples of 256
    share = place.other[1]
    return None if share is None else Dense(256 * ceil_div(int(2 * share * place.hidden / 3), 256))


# fmt: off
DELTA = {**kinds(_gated_delta, LINEAR), **kinds(_gated_query)}
QWEN3_5 = extend(NORMED, kinds=DELTA, listed=True, pattern=every("full_attention_interval", others=LINEAR))
CONVOLUTION = {**kinds(_short_convolution, "conv"), **kinds(attention)}
LFM2 = extend(
    PLAIN, kinds=CONVOLUTION, listed=True, query_key_norm="head", tied=True,
    pattern=named("full_attn_idxs", FULL, "conv", everywhere(FULL)),
)
ALONE = extend(PLAIN, norms=1)
NEMOTRON = {
    **kinds(_nemotron_mamba2, MAMBA, LINEAR, forward=None),
    **kinds(attention, "attention", FULL, forward=None),
    "mlp": Kind((), "dense"), "moe": Kind((), "experts"),
}
ZAMBA = extend(PLAIN, listed=True, dense=again(dense), tied=True)
UNLISTED = "layer_types layers_block_type"  # by families that say the same in other fields

HYBRIDS = {
    "qwen3_next": extend(QWEN3_5, routed=by_step, **QWEN_SHARED),
    "qwen3_5_text": QWEN3_5,
    "qwen3_5_moe_text": extend(QWEN3_5, routed=True, **QWEN_SHARED, inert="intermediate_size"),
    "lara_mini": extend(
        NORMED, kinds={**kinds(_gated_delta, LINEAR), **kinds(attention, FULL, SLIDING)}, listed=True,
        routed=True, **ONE_SHARED, tied=True,
        pattern=in_turn(LINEAR, SLIDING, LINEAR, FULL, SLIDING),
    ),
    "olmo_hybrid": extend(
        OLMO2, kinds={**kinds(attention), **kinds(_olmo_delta, LINEAR)}, listed=True,
        pattern=where(lambda i, count: i % 4 == 3 or (count < 4 and i == count - 1), FULL, LINEAR),
    ),
    "minimax minimax_text_01 minimax_m1": extend(
        PLAIN,
        kinds={**kinds(attention), **kinds(_lightning, LINEAR)},
        listed=True, pattern=marked("attn_type_list", FULL, LINEAR, every(2, others=LINEAR, first=0)),
        routed=True, expert_width="intermediate_size",
        inert="sliding_window postnorm shared_moe_mode shared_intermediate_size",
    ),
    "kimi_linear": extend(
        LATENT, kinds={**kinds(_kimi_delta, LINEAR), **kinds(latent)}, listed=True, tied=None,
        pattern=_kimi_kinds, routed=mlp_types(FIRST_DENSE), inert="head_dim moe_layer_freq mla_use_nope",
    ),
    "bailing_hybrid": extend(
        LATENT, kinds={**kinds(_bailing_delta, LINEAR), **kinds(_gated_latent)}, listed=True, tied=None,
        pattern=every("layer_group_size", others=LINEAR), routed=mlp_types(FIRST_DENSE),
        inert="linear_num_heads linear_head_dim linear_conv_kernel_dim",
    ),
    "glm5_next_text": extend(
        LATENT, kinds={**kinds(_kimi_delta, LINEAR), **kinds(sparse_latent, INDEXED, FULL)}, listed=True,
        pattern=every(4, INDEXED, LINEAR), routed=mlp_types(after(3)), varies=indexers,
        streams=hyper(collapsed=False), extra=_pooled_indexer, inert="first_k_dense_replace",
    ),
    "bamba": extend(
        GRANITE, kinds={**kinds(attention), **kinds(hybrid_mamba2, MAMBA)}, inert=UNLISTED,
        pattern=named("attn_layer_indices", FULL, MAMBA, everywhere(MAMBA)),
    ),
    "granitemoehybrid": extend(
        BIASED, kinds={**kinds(hybrid_mamba2, MAMBA, LINEAR), **kinds(attention, "attention", FULL)},
        listed=True, pattern=everywhere(LINEAR), dense=_granite_forward, experts=_granite_forward,
        routed=_has_experts, expert_width="intermediate_size", **ONE_SHARED,
        inert="num_experts_per_tok intermediate_size",
    ),
    "falcon_h1": extend(GRANITE, kinds={FULL: Kind((attention, _falcon_mamba2))}, inert=UNLISTED),
    "jamba": extend(
        PLAIN, kinds={**kinds(attention), **kinds(_jamba, MAMBA)}, routed=_jamba_routed,
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
    "mamba falcon_mamba": extend(ALONE, kinds=kinds(_mamba, forward=None), tied=True),
    "mamba2": extend(ALONE, kinds=kinds(_mamba2, forward=None)),
    "zamba": extend(
        ZAMBA, norms=1,
        kinds={**kinds(hybrid_mamba, MAMBA, LINEAR, forward=None),
               "hybrid": Kind((again(_zamba_attention), hybrid_mamba), "dense")},
        pattern=_zamba_kinds, varies=_uses(1, _zamba_kinds), extra=_zamba_extra, inert="n_mamba_heads",
    ),
    "zamba2": extend(
        ZAMBA, norms=1,
        kinds={**kinds(_zamba2_mamba, MAMBA, LINEAR, forward=None),
               "hybrid": Kind((again(_zamba2_attention), _zamba2_mamba), "dense")},
        pattern=_zamba2_kinds, varies=_uses("num_mem_blocks", _zamba2_kinds), extra=_zamba2_extra,
        width=lambda at: at.fields.optional("intermediate_size") or 4 * at.hidden, mlp_bias="add_bias_linear",
        inert="mamba_headdim kv_channels use_conv_bias",
    ),
    "lfm2": extend(LFM2, width=_lfm2_width),
    "lfm2_moe": extend(LFM2, pattern=everywhere(FULL), routed=after("num_dense_layers")),
    "lfm3": extend(
        LFM2, kinds={**CONVOLUTION, **kinds(attention, SLIDING)}, bias="attention_bias",
        pattern=lambda fields, count: ["conv", *in_turn(SLIDING, "conv", FULL, "conv")(fields, count)[1:]],
        gate=lambda at: "head" if at.flag("use_attention_gate") else None,
        norms=lambda at: 4 if at.flag("use_sandwich_norm") else 2,
    ),
    "recurrent_gemma": extend(
        PLAIN, kinds={**kinds(_gated_lru, "recurrent"), **kinds(attention, SLIDING)}, pattern=_griffin_kinds,
        tied=True, bias="attention_bias", output_bias=True, mlp_bias=True,
        width=lambda at: at.number("intermediate_size") // 2,
    ),
    "rwkv": extend(  # its feed-forward has a third matrix, and the first layer a norm before it
        PLAIN, kinds=kinds(_time_mixing), norm=2, gated=False, varies=FIRST,
        extra=weights(lambda at: at.hidden**2, lambda at: (4 if at.other == "first" else 2) * at.hidden),
        width=lambda at: at.fields.optional("intermediate_size") or 4 * at.hidden,
    ),
    "xlstm": extend(
        PLAIN, kinds=kinds(_matrix_memory), mlp_bias="use_bias", width=_xlstm_width, tied=None,
        more_rows=_width_again,
    ),
    "nemotron-nas": extend(
        LLAMA, kinds=kinds(_nas_attention), varies=_nas_blocks, dense=_nas_forward, classes="decilm",
        norms=lambda at: sum(each is not None for each in at.other), absent={"intermediate_size": None},
        stated="intermediate_size",
    ),
}
