"""What the families with recurrences alone have."""

from __future__ import annotations

from collections.abc import Sequence

from cohort.architecture.attention import GroupedQuery
from cohort.architecture.families.fields import ABSENT, Fields
from cohort.architecture.families.parts import (
    attention,
    dense,
    experts,
    hybrid_mamba,
    hybrid_mamba2,
    latent,
    mamba,
    zeros_and_ones,
)
from cohort.architecture.families.row import Place
from cohort.architecture.feedforward import Dense, Experts, Weights
from cohort.architecture.latent import Latent
from cohort.architecture.linear_attention import GatedDelta, KimiDelta
from cohort.architecture.recurrent import Mamba, Mamba2, Recurrence, Reused
from cohort.errors import ConfigError, integer, shown
from cohort.numeric import LIMIT, ceil_div

MAMBA, FULL, LINEAR = "mamba", "full_attention", "linear_attention"


def minimax_kinds(fields: Fields, count: int) -> list[str]:
    """Return each layer's kind: as listed by number, else alternating from a full one on."""
    full = zeros_and_ones(fields, "attn_type_list", count) or [layer % 2 == 0 for layer in range(count)]
    return [FULL if each else LINEAR for each in full]


def kimi_kinds(fields: Fields, count: int) -> list[str]:
    """Return each kind, as `linear_attn_config` numbers it from 1, else every fourth but the first."""
    part = fields.part("linear_attn_config")
    full, linear = part.indices("full_attn_layers"), part.indices("kda_layers")
    for name in ("num_heads", "head_dim", "short_conv_kernel_size"):
        part.raw(name)
    part.unread(frozenset({"gate_lower_bound"}))
    if full is None or linear is None:
        return [FULL if layer and layer % 4 == 0 else LINEAR for layer in range(count)]
    if full & linear or full | linear != set(range(1, count + 1)):
        raise ConfigError(f"'linear_attn_config' must name each of {count} layers once")
    return [FULL if layer + 1 in full else LINEAR for layer in range(count)]


def bailing_delta(place: Place) -> KimiDelta:
    """Return the linear attention of Ling 2.5, as wide as the heads of the whole model."""
    fields = place.fields
    for name in ("linear_num_heads", "linear_head_dim", "linear_conv_kernel_dim"):
        fields.raw(name)
    heads = fields.optional("linear_num_heads") or fields.heads
    width = fields.optional("linear_head_dim") or fields.size("head_dim")
    kernel = fields.optional("linear_conv_kernel_dim") or fields.size("short_conv_kernel_size")
    return KimiDelta(heads, width, kernel, low_rank=False)


def gated_latent(place: Place) -> Latent:
    """Return latent attention with a gate for each head."""
    return latent(place, gates=place.fields.heads)


def olmo_delta(place: Place) -> GatedDelta:
    """Return the linear layers of OLMo Hybrid; sizes that are absent follow from attention's."""
    fields = place.fields
    key_heads = fields.optional("linear_num_key_heads") or fields.heads
    key_dim = fields.optional("linear_key_head_dim") or 3 * fields.hidden // (4 * key_heads)
    return GatedDelta(
        key_heads,
        fields.optional("linear_num_value_heads") or fields.heads,
        key_dim,
        fields.optional("linear_value_head_dim") or 2 * key_dim,
        fields.size("linear_conv_kernel_dim"),
    )


def olmo_kinds(fields: Fields, count: int) -> list[str]:
    """Return each fourth layer as full, or the last of fewer."""
    return [
        FULL if layer % 4 == 3 or (count < 4 and layer == count - 1) else LINEAR for layer in range(count)
    ]


def pooled_indexer(place: Place) -> Weights | None:
    """Return what pools the keys of GLM-5.3's indexer: a gate, and a position for each token of a block."""
    fields = place.fields
    if place.kind == LINEAR or place.other == "shared":
        return None
    width = fields.size("index_head_dim")
    return Weights(fields.hidden * width, fields.size("index_kpool") * width)


# Mamba beside attention -----------------------------------------------------------------------------------


def jamba_mamba(place: Place) -> Mamba:
    """Return Jamba's Mamba, which normalises the step and both projections."""
    made = hybrid_mamba(place)
    return hybrid_mamba(place, norm_weights=made.rank + 2 * made.state)


def jamba_kinds(fields: Fields, count: int) -> list[str]:
    """Return attention in one layer of each period."""
    period, offset = fields.size("attn_layer_period"), fields.size("attn_layer_offset", low=0)
    return [FULL if layer % period == offset else MAMBA for layer in range(count)]


def jamba_routed(fields: Fields, count: int) -> list[bool]:
    """Return experts in one layer of each period, where there are several."""
    period, offset = fields.size("expert_layer_period"), fields.size("expert_layer_offset", low=0)
    several = fields.size("n_routed_experts") > 1
    return [several and layer % period == offset for layer in range(count)]


def bamba_kinds(fields: Fields, count: int) -> list[str]:
    """Return attention in the layers that are named."""
    named = fields.indices("attn_layer_indices") or frozenset()
    return [FULL if layer in named else MAMBA for layer in range(count)]


def falcon_mamba2(place: Place) -> Mamba2:
    """Return Falcon-H1's Mamba 2, whose normalisation and output bias are said apart."""
    fields = place.fields
    inner, outer = fields.flag("mamba_proj_bias"), fields.flag("projectors_bias")
    if inner != outer:
        raise ConfigError("mamba_proj_bias and projectors_bias must be the same to be counted")
    return hybrid_mamba2(place, normed=fields.flag("mamba_rms_norm"), bias=inner)


def granite_forward(place: Place) -> Dense | Experts:
    """Return Granite 4's shared network, with experts beside it where there are any."""
    shared = place.fields.size("shared_width", low=0)
    place.fields.raw("num_experts_per_tok")
    place.fields.raw("intermediate_size")
    return experts(place) if place.routed else Dense(shared)


def granite_routed(fields: Fields, count: int) -> list[bool]:
    """Return whether there are experts."""
    return [fields.size("n_routed_experts", low=0) > 0] * count


def nemotron_mamba2(place: Place) -> Mamba2:
    """Return Nemotron-H's Mamba 2, under its own names and older ones."""
    fields = place.fields
    old = fields.raw("mamba_conv_bias")
    return Mamba2(
        fields.size("mamba_num_heads"),
        fields.size("mamba_head_dim"),
        fields.size("ssm_state_size"),
        fields.optional("mamba_n_groups") or fields.size("n_groups"),
        fields.optional("mamba_d_conv") or fields.size("conv_kernel"),
        bias=fields.flag("use_bias"),
        conv_bias=fields.flag("use_conv_bias") if old is ABSENT else bool(old),
    )


LETTERS = {"M": MAMBA, "*": FULL, "-": "mlp", "E": "moe"}


def nemotron_kinds(fields: Fields, count: int) -> list[str]:
    """Return each layer's kind by its letter."""
    value = fields.raw("hybrid_override_pattern")
    if value is ABSENT or value is None:
        return [MAMBA, "moe", FULL, "mlp"]
    if not isinstance(value, str) or not value or not set(value) <= set(LETTERS):
        raise ConfigError(
            f"'hybrid_override_pattern' is {shown(value, 30)}, but must hold the letters {''.join(LETTERS)}"
        )
    return [LETTERS[letter] for letter in value]


def nemotron_layers(fields: Fields) -> int:
    """Return how many layers there are: as many as are listed, whatever `num_hidden_layers` says."""
    fields.raw("num_hidden_layers")
    listed = fields.raw("layer_types")
    return len(listed) if isinstance(listed, (list, tuple)) and listed else len(nemotron_kinds(fields, 0))


def nemotron_latent(place: Place) -> int | None:
    """Return the width that the experts work on, whose projections must have no biases to be counted."""
    width = place.fields.optional("moe_latent_size")
    if width and place.fields.flag("mlp_bias"):
        raise ConfigError("'mlp_bias' is true with 'moe_latent_size', which is not counted: one must go")
    return width


def own_mamba(place: Place) -> Mamba:
    """Return Mamba whose inner width may be given."""
    given = place.fields.optional("intermediate_size")
    return mamba(place, inner=given or place.fields.size("expand") * place.fields.hidden)


def own_mamba2(place: Place) -> Mamba2:
    """Return Mamba 2 by the names of its own config."""
    fields = place.fields
    heads, head_dim = fields.heads, fields.size("head_dim")
    if fields.size("expand") * fields.hidden != heads * head_dim:
        raise ConfigError(f"hidden_size x expand must be num_heads x head_dim ({heads * head_dim})")
    return Mamba2(
        heads,
        head_dim,
        fields.size("state_size"),
        fields.size("n_groups"),
        fields.size("conv_kernel"),
        bias=fields.flag("use_bias"),
        conv_bias=fields.flag("use_conv_bias"),
    )


# Zamba: one block of attention and feed-forward, used again and again ---------------------------------------


def zamba_kinds(fields: Fields, count: int) -> list[str]:
    """Return the hybrid layers: the third, then one of each period."""
    period, offset = fields.size("attn_layer_period"), fields.size("attn_layer_offset", low=0)
    return (
        [MAMBA, MAMBA, "hybrid"]
        + ["hybrid" if layer % period == offset else MAMBA for layer in range(count - 3)]
    )[:count]


def _zamba_listed(fields: Fields, count: int, default: Sequence[str]) -> list[str]:
    names = {MAMBA: MAMBA, LINEAR: MAMBA, "hybrid": "hybrid"}
    listed = fields.listed("layer_types", count, f"mamba or hybrid for each of {count} layers", names)
    return [names[each] for each in listed or default]


def _always_tied(fields: Fields) -> None:
    if fields.raw("tie_word_embeddings") is False:
        raise ConfigError("'tie_word_embeddings' is false, but the blocks that are used again must be tied")


def zamba_uses(fields: Fields, count: int) -> list[str | None]:
    """Return for each hybrid layer whether its block is met for the first time."""
    kinds = _zamba_listed(fields, count, zamba_kinds(fields, count))
    _always_tied(fields)
    seen, found = False, []
    for kind in kinds:
        found.append(None if kind == MAMBA else "again" if seen else "first")
        seen = seen or kind != MAMBA
    return found


def zamba_attention(place: Place) -> GroupedQuery | Reused:
    """Return attention over the stream and the embedding beside each other."""
    fields = place.fields
    wide = fields.optional("attention_hidden_size") or 2 * fields.hidden
    width = fields.optional("head_dim") or 2 * fields.hidden // fields.heads
    made = attention(place, head_dim=width, input_width=wide)
    return Reused(made) if place.other == "again" else made


def zamba_forward(place: Place) -> Dense | Reused:
    """Return the block's feed-forward."""
    return Reused(dense(place)) if place.other == "again" else dense(place)


def zamba_extra(place: Place) -> Weights | None:
    """Return the projection behind the block, and its norms where it is met first."""
    hidden = place.fields.hidden
    wide = place.fields.optional("attention_hidden_size") or 2 * hidden
    if place.other is None:
        return None
    return Weights(hidden**2, wide + hidden if place.other == "first" else 0)


def zamba2_kinds(fields: Fields, count: int) -> list[str]:
    """Return the hybrid layers of the release of 2.7B, whose number of layers this pattern has."""
    kinds = [
        MAMBA,
        *([MAMBA] * 5 + ["hybrid"]) * 7,
        *[MAMBA] * 4,
        "hybrid",
        *[MAMBA] * 3,
        "hybrid",
        MAMBA,
        MAMBA,
    ]
    if count != len(kinds):
        raise ConfigError(f"the field 'layers_block_type' is missing, but zamba2 of {count} layers needs it")
    return kinds


def zamba2_uses(fields: Fields, count: int) -> list[str | None]:
    """Return for each hybrid layer whether its block is met for the first time: blocks take turns."""
    listed = fields.raw("layer_types")
    kinds = _zamba_listed(
        fields, count, () if isinstance(listed, (list, tuple)) and listed else zamba2_kinds(fields, count)
    )
    _always_tied(fields)
    listed = fields.raw("hybrid_layer_ids")
    if isinstance(listed, (list, tuple)) and list(listed) != [
        i for i, kind in enumerate(kinds) if kind != MAMBA
    ]:
        raise ConfigError("'hybrid_layer_ids' must name the hybrid layers of 'layers_block_type'")
    blocks, met, found = fields.size("num_mem_blocks"), 0, []
    for kind in kinds:
        found.append(None if kind == MAMBA else "first" if met < blocks else "again")
        met += kind != MAMBA
    return found


def zamba2_mamba(place: Place) -> Mamba2:
    """Return Zamba2's Mamba 2."""
    fields = place.fields
    inner, heads = fields.size("mamba_expand") * fields.hidden, fields.size("n_mamba_heads")
    if inner % heads:
        raise ConfigError(f"n_mamba_heads ({heads}) must divide the inner width ({inner})")
    return Mamba2(
        heads, inner // heads, fields.size("mamba_d_state"), fields.size("mamba_ngroups"),
        fields.size("mamba_d_conv"),
        bias=fields.flag("add_bias_linear"),
    )  # fmt: skip


def zamba2_attention(place: Place) -> GroupedQuery | Reused:
    """Return attention over twice the width."""
    fields = place.fields
    wide = 2 * fields.hidden
    for name, one in (("attention_hidden_size", wide), ("head_dim", wide // fields.heads)):
        if fields.optional(name, low=0) not in (None, one):
            raise ConfigError(f"the field {fields.given(name)!r} must be {one} to be counted")
    made = attention(place, head_dim=wide // fields.heads, input_width=wide)
    return Reused(made) if place.other == "again" else made


def zamba2_extra(place: Place) -> Weights | None:
    """Return what each hybrid layer has of its own: a projection and adapters; and the block's norms once."""
    fields = place.fields
    if place.other is None:
        return None
    hidden, rank = fields.hidden, fields.size("adapter_rank")
    own = hidden**2 + rank * (hidden + 2 * place.number(place.row.width))
    if fields.flag("use_shared_attention_adapter"):
        own += 3 * rank * 4 * hidden
    return Weights(own, 3 * hidden if place.other == "first" else 0)


# Other recurrences ----------------------------------------------------------------------------------------


def lfm2_kinds(fields: Fields, count: int) -> list[str]:
    """Return attention in the layers that are numbered, or in all."""
    named = fields.indices("full_attn_idxs")
    return [FULL if named is None or layer in named else "conv" for layer in range(count)]


def lfm3_kinds(fields: Fields, count: int) -> list[str]:
    """Return full attention, windows and convolutions in turn."""
    kinds = {0: "sliding_attention", 2: FULL}
    return ["conv" if layer == 0 else kinds.get(layer % 4, "conv") for layer in range(count)]


def lfm2_width(place: Place) -> int:
    """Return the feed-forward width: two thirds of the one given, times a factor, rounded up."""
    fields = place.fields
    width = fields.optional("block_ff_dim") or fields.size("intermediate_size")
    factor, multiple = fields.raw("block_ffn_dim_multiplier"), fields.size("block_multiple_of")
    if not fields.flag("block_auto_adjust_ff_dim"):
        return width
    width = int(2 * width / 3)
    if factor is not ABSENT and factor is not None:
        if not isinstance(factor, (int, float)) or isinstance(factor, bool) or not 0 < factor < 1e6:
            raise ConfigError(
                f"the field 'block_ffn_dim_multiplier' is {shown(factor, 30)}, but must be a number"
            )
        width = int(factor * width)
    return multiple * ceil_div(width, multiple)


def recurrent_kinds(fields: Fields, count: int) -> list[str]:
    """Return the kinds of Griffin's blocks, repeated."""
    blocks = fields.listed("block_types", None, "recurrent or attention", ("recurrent", "attention"))
    blocks = blocks or ["recurrent", "recurrent", "attention"]
    names = {"recurrent": "recurrent", "attention": "sliding_attention"}
    return [names[blocks[layer % len(blocks)]] for layer in range(count)]


def gated_lru(place: Place) -> Recurrence:
    """Return the real-gated linear recurrent unit of RecurrentGemma, with its convolution."""
    fields = place.fields
    hidden, heads = fields.hidden, fields.heads
    width, kernel = fields.optional("lru_width") or hidden, fields.size("conv1d_width")
    gates = 2 * heads * (width // heads) ** 2
    return Recurrence(
        matrices=3 * hidden * width + gates + kernel * width,
        others=2 * width + hidden + 2 * width + 2 * heads * (width // heads),
        state=width,
        convolved=width,
        kernel=kernel,
        heads=heads,
    )


def time_mixing(place: Place) -> Recurrence:
    """Return RWKV's time mixing: three numbers a channel are its state, and the token before its inputs."""
    fields = place.fields
    hidden = fields.hidden
    width = fields.optional("attention_hidden_size") or hidden
    return Recurrence(4 * hidden * width, 3 * hidden + 2 * width, 3 * width, convolved=2 * hidden, kernel=1)


def channel_mixing(place: Place) -> Weights:
    """Return what RWKV's channel mixing has beside two matrices; and the first layer a norm before it."""
    hidden = place.fields.hidden
    return Weights(hidden**2, 2 * hidden + (2 * hidden if place.other == "first" else 0))


def matrix_memory(place: Place) -> Recurrence:
    """Return the mLSTM of xLSTM: a matrix a head, its normaliser and one number more."""
    fields = place.fields
    hidden, heads, bias = fields.hidden, fields.heads, fields.flag("use_bias")
    query, value = _share(fields, "qk_dim_factor", hidden), _share(fields, "v_dim_factor", hidden)
    if query % heads or value % heads:
        raise ConfigError(f"num_heads ({heads}) must divide the widths of queries and values")
    matrices = hidden * (2 * query + value + 2 * heads) + hidden * value + value * hidden
    others = 2 * heads + value + (2 * query + 2 * value + value + 3 * hidden if bias else 0)
    state = query * value // heads + query + heads
    return Recurrence(matrices, others, state, heads=heads)


def _share(fields: Fields, name: str, hidden: int) -> int:
    factor = fields.raw(name)
    if not isinstance(factor, (int, float)) or isinstance(factor, bool) or not 0 < factor < 1e6:
        raise ConfigError(f"the field {name!r} is {shown(factor, 30)}, but must be a number")
    return integer(name, int(hidden * factor), 1, LIMIT, ConfigError)


def same_width(place: Place, name: str) -> int:
    """Return no more rows, where another field must repeat the hidden size."""
    if place.fields.optional(name, low=0) not in (None, place.fields.hidden):
        raise ConfigError(f"{name!r} must be hidden_size to be counted")
    return 0


def xlstm_width(place: Place) -> int:
    """Return the feed-forward width: a multiple of the hidden size, rounded up."""
    fields = place.fields
    multiple = fields.size("ffn_round_up_to_multiple_of")
    return multiple * ceil_div(_share(fields, "ffn_proj_factor", fields.hidden), multiple)


# Decilm: layers of different builds ---------------------------------------------------------------------


def decilm_blocks(fields: Fields, count: int) -> list[tuple[int | None, float | None]]:
    """Return for each layer the heads in a group and the width factor, None where a part is left out."""
    blocks = fields.raw("block_configs")
    if not isinstance(blocks, (list, tuple)) or len(blocks) != count:
        raise ConfigError(f"the field 'block_configs' must hold an entry for each of {count} layers")
    found: list[tuple[int | None, float | None]] = []
    for block in blocks:
        part = Fields(block if isinstance(block, dict) else {}, fields.family, {})
        mixing, forward = part.part("attention"), part.part("ffn")
        factor, group = forward.raw("ffn_mult"), mixing.optional("n_heads_in_group")
        out, away = mixing.flag("no_op"), forward.flag("no_op")
        for each in (part, mixing, forward):
            each.unread(frozenset())
        if not away and (
            not isinstance(factor, (int, float)) or isinstance(factor, bool) or not 0 < factor < 1e6
        ):
            raise ConfigError(f"'ffn_mult' is {shown(factor, 30)}, but must be a number")
        found.append((None if out else group or 0, None if away else float(factor)))
    return found


def decilm_attention(place: Place) -> GroupedQuery | None:
    """Return a layer's attention, or nothing."""
    group = place.other[0]
    if group is None:
        return None
    heads = place.fields.heads
    if not group or heads % group:
        raise ConfigError(f"'n_heads_in_group' is {group}, but must divide the heads ({heads})")
    return attention(place, kv_heads=heads // group)


def decilm_forward(place: Place) -> Dense | None:
    """Return a layer's dense network, or nothing: two thirds of a factor, in multiples of 256."""
    if place.other[1] is None:
        return None
    return Dense(256 * ceil_div(int(2 * place.other[1] * place.fields.hidden / 3), 256))
