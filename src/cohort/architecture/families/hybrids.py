"""Rows of the table: families with other recurrences beside attention, and what one of them alone has."""

from __future__ import annotations

from cohort.architecture.attention import GroupedQuery
from cohort.architecture.families.dense import LLAMA, NORMED, OLMO2, PLAIN
from cohort.architecture.families.fields import ABSENT, Fields
from cohort.architecture.families.latents import LATENT, hyper
from cohort.architecture.families.mixtures import ONE_SHARED, QWEN_SHARED
from cohort.architecture.families.parts import (
    FIRST_APART, FIRST_DENSE, FULL, INDEXED, LINEAR, SLIDING, after, attention, by_step, every, everywhere,
    further, in_turn, indexers, latent, marked, mlp_types, multiplier, named, only, sparse_latent, where,
    width_of_heads,
)  # fmt: skip
from cohort.architecture.families.row import Place, extend
from cohort.architecture.feedforward import Dense, Weights
from cohort.architecture.latent import Latent
from cohort.architecture.linear_attention import GatedDelta, KimiDelta, Lightning
from cohort.architecture.recurrent import Recurrence, ShortConvolution
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


# Other recurrences ----------------------------------------------------------------------------------------


def _short_convolution(place: Place) -> ShortConvolution:
    return ShortConvolution(place.hidden, place.number("conv_L_cache"), place.flag("conv_bias"))


def _lfm2_width(place: Place) -> int:
    """Return the feed-forward width: two thirds of the one given, times a multiplier, rounded up."""
    fields, name = place.fields, "block_ffn_dim_multiplier"
    width = fields.optional("block_ff_dim") or fields.size("intermediate_size")
    given, multiple = fields.raw(name), fields.size("block_multiple_of")
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
    return integer(name, int(fields.hidden * multiplier(fields, name)), 1, LIMIT, ConfigError)


def _xlstm_width(place: Place) -> int:
    multiple = place.number("ffn_round_up_to_multiple_of")
    return multiple * ceil_div(_share(place.fields, "ffn_proj_factor"), multiple)


def _width_again(place: Place) -> int:
    place.fields.must("embedding_dim", place.hidden)
    return 0


# Nemotron-NAS: layers of different builds -------------------------------------------------------------------


def _nas_blocks(fields: Fields, count: int) -> list[tuple[int | None, float | None]]:
    """Return for each layer the heads in a group and the width multiplier, None where a part is left out."""
    blocks = fields.raw("block_configs")
    if not isinstance(blocks, (list, tuple)) or len(blocks) != count:
        raise ConfigError(f"the field 'block_configs' must hold an entry for each of {count} layers")
    found = []
    for block in blocks:
        part = Fields(block if isinstance(block, dict) else {}, fields.family, {})
        mixing, forward = part.part("attention"), part.part("ffn")
        group = None if mixing.flag("no_op") else mixing.optional("n_heads_in_group") or 0
        found.append((group, None if forward.flag("no_op") else multiplier(forward, "ffn_mult")))
        for each, unused in ((part, ""), (mixing, "n_heads_in_group"), (forward, "ffn_mult")):
            each.unread(frozenset((unused,)))
    return found


def _nas_attention(place: Place) -> GroupedQuery | None:
    group, heads = place.other[0], place.fields.heads
    if group is not None and (not group or heads % group):
        raise ConfigError(f"'n_heads_in_group' is {group}, but must divide the heads ({heads})")
    return None if group is None else attention(place, kv_heads=heads // group)


def _nas_forward(place: Place) -> Dense | None:  # two thirds of a multiplier, in multiples of 256
    share = place.other[1]
    return None if share is None else Dense(256 * ceil_div(int(2 * share * place.hidden / 3), 256))


# fmt: off
DELTA = {**only(_gated_delta, LINEAR), **only(_gated_query)}
QWEN3_5 = extend(NORMED, kinds=DELTA, listed=True, pattern=every("full_attention_interval", others=LINEAR))
CONVOLUTION = {**only(_short_convolution, "conv"), **only(attention)}
LFM2 = extend(
    PLAIN, kinds=CONVOLUTION, listed=True, query_key_norm="head", tied=True,
    pattern=named("full_attn_idxs", FULL, "conv", everywhere(FULL)),
)

HYBRIDS = {
    "qwen3_next": extend(QWEN3_5, routed=by_step, **QWEN_SHARED),
    "qwen3_5_text": QWEN3_5,
    "qwen3_5_moe_text": extend(
        QWEN3_5, routed=True, **QWEN_SHARED, inert="intermediate_size decoder_sparse_step mlp_only_layers",
    ),
    "lara_mini": extend(
        NORMED, kinds={**only(_gated_delta, LINEAR), **only(attention, FULL, SLIDING)}, listed=True,
        routed=True, **ONE_SHARED, tied=True,
        pattern=in_turn(LINEAR, SLIDING, LINEAR, FULL, SLIDING),
    ),
    "olmo_hybrid": extend(
        OLMO2, kinds={**only(attention), **only(_olmo_delta, LINEAR)}, listed=True,
        pattern=where(lambda i, count: i % 4 == 3 or (count < 4 and i == count - 1), FULL, LINEAR),
    ),
    "minimax minimax_text_01 minimax_m1": extend(
        PLAIN,
        kinds={**only(attention), **only(_lightning, LINEAR)},
        listed=True, pattern=marked("attn_type_list", FULL, LINEAR, every(2, others=LINEAR, first=0)),
        routed=True, expert_width="intermediate_size",
        inert="sliding_window postnorm shared_moe_mode shared_intermediate_size",
    ),
    "kimi_linear": extend(
        LATENT, kinds={**only(_kimi_delta, LINEAR), **only(latent)}, listed=True, tied=None,
        pattern=_kimi_kinds, routed=mlp_types(FIRST_DENSE), inert="head_dim moe_layer_freq mla_use_nope",
    ),
    "bailing_hybrid": extend(
        LATENT, kinds={**only(_bailing_delta, LINEAR), **only(_gated_latent)}, listed=True, tied=None,
        pattern=every("layer_group_size", others=LINEAR), routed=mlp_types(FIRST_DENSE),
        inert="linear_num_heads linear_head_dim linear_conv_kernel_dim",
    ),
    "glm5_next_text": extend(
        LATENT, kinds={**only(_kimi_delta, LINEAR), **only(sparse_latent, INDEXED, FULL)}, listed=True,
        pattern=every(4, INDEXED, LINEAR), routed=mlp_types(after(3)), varies=indexers,
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
        PLAIN, kinds={**only(_gated_lru, "recurrent"), **only(attention, SLIDING)}, pattern=_griffin_kinds,
        tied=True, bias="attention_bias", output_bias=True, mlp_bias=True,
        width=lambda at: at.number("intermediate_size") // 2,
    ),
    "rwkv": extend(  # its feed-forward has a third matrix, and the first layer a norm before it
        PLAIN, kinds=only(_time_mixing), norm=2, gated=False, varies=FIRST_APART,
        extra=further(lambda at: at.hidden**2, lambda at: (4 if at.other == "first" else 2) * at.hidden),
        width=lambda at: at.fields.optional("intermediate_size") or 4 * at.hidden,
    ),
    "xlstm": extend(
        PLAIN, kinds=only(_matrix_memory), mlp_bias="use_bias", width=_xlstm_width, tied=None,
        more_rows=_width_again,
    ),
    "nemotron-nas": extend(
        LLAMA, kinds=only(_nas_attention), varies=_nas_blocks, dense=_nas_forward, classes="decilm",
        norms=lambda at: sum(each is not None for each in at.other), absent={"intermediate_size": None},
        stated="intermediate_size",
    ),
}
