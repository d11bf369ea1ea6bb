"""What one family alone has."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import isqrt
from typing import NamedTuple

from cohort.architecture.attended import BlockSparse
from cohort.architecture.attention import CrossAttention, GroupedQuery, RoutedQuery
from cohort.architecture.families.fields import ABSENT, Fields
from cohort.architecture.families.parts import (
    attention,
    dense,
    every,
    experts,
    latent,
    same,
    width_of_heads,
    zeros_and_ones,
)
from cohort.architecture.families.row import Pattern, Place
from cohort.architecture.feedforward import Dense, Experts, HyperConnection, Residual, Weights
from cohort.architecture.latent import Compressed, Indexer, Latent
from cohort.architecture.recurrent import Recurrence, Reused
from cohort.errors import ConfigError, integer, shown
from cohort.numeric import LIMIT, ceil_div

# Dense families -------------------------------------------------------------------------------------------


def square_attention(place: Place) -> GroupedQuery:
    """Return attention with a part as wide as the hidden size, which heads must add up to."""
    fields = place.fields
    if fields.heads * width_of_heads(place) != fields.hidden:
        raise ConfigError(f"num_attention_heads x head_dim must be hidden_size in {fields.family}")
    return attention(place)


def xielu(place: Place) -> Weights | None:
    """Return the two numbers that the activation xIELU learns in each layer."""
    return Weights(0, 2) if place.fields.raw("hidden_act") == "xielu" else None


def relative_positions(place: Place) -> GroupedQuery:
    """Return attention with a fifth projection, of relative positions."""
    return attention(place, position_projection=True)


def block_sparse(place: Place) -> GroupedQuery:
    """Return the attention of Phi-3 small to selected blocks."""
    fields = place.fields
    blocks = BlockSparse(
        fields.size("blocksparse_block_size"),
        fields.size("blocksparse_num_local_blocks"),
        fields.size("blocksparse_vert_stride"),
    )
    return attention(place, sparse=blocks)


def phi3small_kinds(fields: Fields, count: int) -> list[str]:
    """Return which layers attend to selected blocks: all but each n-th."""
    period = fields.size("dense_attention_every_n_layers")
    return ["sparse" if (layer + 1) % period else "full_attention" for layer in range(count)]


def phi3small_width(place: Place) -> int:
    """Return the feed-forward width: as given, else from a multiplier of two thirds of the hidden size."""
    fields = place.fields
    multiplier, given = fields.optional("ff_dim_multiplier"), fields.optional("ff_intermediate_size")
    if multiplier is None:
        return fields.size("ff_intermediate_size")
    if given is not None:
        raise ConfigError(
            "'ff_dim_multiplier' and 'ff_intermediate_size' are both given: one excludes the other"
        )
    width = multiplier * (fields.hidden // 3) * 2
    return ceil_div(width, 256) * 256 if fields.flag("gegelu_pad_to_256") else width


def falcon_heads(place: Place) -> int:
    """Return Falcon's key-value heads: as given in the new design; else one, or all."""
    fields = place.fields
    if fields.flag("new_decoder_architecture"):
        return fields.kv_heads()
    return 1 if fields.flag("multi_query") else fields.heads


def falcon_norms(place: Place) -> int:
    """Return how many LayerNorms a layer has: one where attention and feed-forward share theirs, else two."""
    fields = place.fields
    given, new = fields.optional("num_ln_in_parallel_attn"), fields.flag("new_decoder_architecture")
    parallel = fields.flag("parallel_attn")
    if not parallel:
        return 2
    return 2 if (given or (2 if new else 1)) == 2 else 1


def cross_attention(place: Place) -> CrossAttention:
    """Return attention to an image, in place of attention to the text (Llama 3.2 Vision)."""
    fields, width = place.fields, width_of_heads(place)
    return CrossAttention(fields.heads, fields.kv_heads(), width, norm_weights=2 * width)


def cross_kinds(fields: Fields, count: int) -> list[str]:
    """Return which layers attend to an image: those named, else eight of the release of 11B."""
    named = fields.indices("cross_attention_layers")
    named = frozenset(range(3, 40, 5)) if named is None else named
    return ["cross" if layer in named else "full_attention" for layer in range(count)]


def same_rows(place: Place, name: str) -> int:
    """Return no more rows, where another field must repeat the vocabulary."""
    if place.fields.optional(name, low=0) not in (None, 0, place.fields.size("vocab_size")):
        raise ConfigError(f"{name!r} must be vocab_size to be counted")
    return 0


def prompt_tables(place: Place) -> int:
    """Return CPM-Ant's embeddings of segments, and the biases of relative positions."""
    fields, kinds = place.fields, place.fields.size("segment_types")
    return kinds * fields.hidden + (kinds**2 + fields.size("position_bias_num_buckets")) * fields.heads


def looped_layers(fields: Fields) -> int:
    """Return how many layers HRM passes through, of two stacks that are passed again and again."""
    stack = fields.optional("num_layers_per_stack")
    stack = fields.layers if stack is None else stack
    fields.raw("num_hidden_layers")
    return stack * fields.size("H_cycles") * (fields.size("L_cycles") + 1)


def loops(fields: Fields, count: int) -> list[str]:
    """Return which passes are the first through a layer: those of the two stacks."""
    stack = fields.optional("num_layers_per_stack") or fields.layers
    return ["first"] * (2 * stack) + ["again"] * (count - 2 * stack)


def looped_attention(place: Place) -> GroupedQuery | Reused:
    """Return the attention of one pass, whose weights are counted once."""
    return Reused(attention(place)) if place.other == "again" else attention(place)


def looped_dense(place: Place) -> Dense | Reused:
    """Return the dense network of one pass, whose weights are counted once."""
    return Reused(dense(place)) if place.other == "again" else dense(place)


def _dory(fields: Fields) -> tuple[list[str], int, int]:
    """Return Dory's kinds of layers, and where the layers begin and end that are passed again."""
    kinds, count = fields.raw("layer_types"), fields.layers
    halves = isinstance(kinds, (list, tuple)) and "mlp" in kinds
    if halves and (
        len(kinds) != count or any((kind == "mlp") != bool(i % 2) for i, kind in enumerate(kinds))
    ):
        raise ConfigError(f"'layer_types' must hold attention and mlp in turn for {count} halves of layers")
    unit = 2 if halves else 1
    known = Fields(
        {"layer_types": kinds[::2] if halves else kinds} if isinstance(kinds, (list, tuple)) else {},
        "dory",
        {},
    )
    listed = known.listed(
        "layer_types",
        count // unit,
        f"kinds for {count // unit} layers",
        ("full_attention", "sliding_attention"),
    )
    names = listed or list(every(4)(fields, count // unit))
    first, last, again = (
        fields.optional(f"n_{name}_layers", low=0) for name in ("input", "output", "recurrent")
    )
    start, end = (first or 0) // unit, len(names) - (last or 0) // unit
    if again is not None and again // unit != end - start and end >= start:
        raise ConfigError("'n_recurrent_layers' must be what the first and last layers leave")
    return names, start, max(end, start)


def dory_layers(fields: Fields) -> int:
    """Return how many layers Dory passes through, some of them again."""
    names, start, end = _dory(fields)
    return (
        len(names) + max(end - start, 0) * (fields.size("n_recurrent_loops") - 1)
        if end <= len(names)
        else len(names)
    )


def dory_passes(fields: Fields, count: int) -> list[str]:
    """Return which passes are the first through a layer."""
    names, _, end = _dory(fields)
    again = count - len(names)
    return (
        ["first"] * (len(names) if not again else end)
        + ["again"] * again
        + ["first"] * (len(names) - end if again else 0)
    )


def dory_kinds(fields: Fields, count: int) -> list[str]:
    """Return the kinds of the layers that are passed, in order."""
    names, start, end = _dory(fields)
    again = (count - len(names)) // (end - start) if end > start else 0
    return [*names[:end], *names[start:end] * again, *names[end:]]


def dory_extra(place: Place) -> Weights:
    """Return the scales that Dory has in place of norms."""
    fields = place.fields
    scales = fields.hidden + fields.heads * width_of_heads(place) + fields.size("intermediate_size")
    return Weights(0, 0 if place.other == "again" else 2 * scales)


def doge_extra(place: Place) -> Weights:
    """Return Doge's weights of residuals and of the mask that its attention learns."""
    fields = place.fields
    keys = fields.kv_heads()
    bias = keys if fields.flag("attention_bias") else 0
    return Weights(keys * keys * width_of_heads(place), 2 * fields.hidden + keys + bias)


def doge_forward(place: Place) -> Dense | Residual:
    """Return Doge's dense network, and beside it experts of one row each, found by a product of two keys."""
    if not place.routed:
        return dense(place)
    fields = place.fields
    count = fields.size("n_routed_experts")
    router = 2 * isqrt(count) * fields.hidden
    return Residual(
        dense(place), Experts(count, fields.size("num_experts_per_tok"), 1, gated=False, router=router)
    )


# Mixtures -------------------------------------------------------------------------------------------------


def reads_only(*names: str) -> Callable[[Place], Weights | None]:
    """Return one more number for each head and layer (the bias of Beam's gate)."""
    return lambda place: Weights(0, sum(place.fields.size(name) for name in names))


def dbrx_attention(place: Place) -> GroupedQuery:
    """Return DBRX's attention, whose key-value heads lie in a table of their own."""
    part = place.fields.part("attn_config")
    return attention(place, kv_heads=part.optional("kv_n_heads") or 1)


def dbrx_experts(place: Place) -> Experts:
    """Return DBRX's experts, whose sizes lie in a table of their own."""
    part = Fields(
        place.fields.part("ffn_config").values,
        "dbrx",
        {"moe_num_experts": 4, "moe_top_k": 1, "ffn_hidden_size": 3584},
    )
    return Experts(_own(part, "moe_num_experts"), _own(part, "moe_top_k"), _own(part, "ffn_hidden_size"))


def _own(fields: Fields, name: str) -> int:
    """Return a size by this name alone."""
    value = fields.values.get(name, fields.absent[name])
    return integer(f"the field {name!r}", value, 1, LIMIT, ConfigError)


def arctic_routed(fields: Fields, count: int) -> list[bool]:
    """Return which layers of Arctic route: each n-th."""
    period = fields.size("moe_layer_frequency")
    return [(layer + 1) % period == 0 for layer in range(count)]


def arctic(place: Place) -> Experts | Residual:
    """Return Arctic's experts, beside a dense network as wide as the residual stream where it says so."""
    mixed = experts(place)
    return (
        Residual(Dense(place.fields.hidden), mixed) if place.fields.flag("parallel_attn_mlp_res") else mixed
    )


def qwen3_moe_kinds(fields: Fields, count: int) -> list[str]:
    """Return a window in every layer where it is switched on."""
    return ["sliding_attention" if fields.flag("use_sliding_window") else "full_attention"] * count


def interleaved(fields: Fields, count: int) -> list[str]:
    """Return a window in every second of the first layers where it is switched on (Qwen2-MoE)."""
    below, slides = fields.size("max_window_layers", low=0), fields.flag("use_sliding_window")
    return [
        "sliding_attention" if slides and layer % 2 == 0 and layer < below else "full_attention"
        for layer in range(count)
    ]


def dots_kinds(fields: Fields, count: int) -> list[str]:
    """Return windows from `max_window_layers` on."""
    below = fields.size("max_window_layers", low=0)
    slides = fields.optional("sliding_window") is not None
    return ["sliding_attention" if slides and layer >= below else "full_attention" for layer in range(count)]


def flint_kinds(fields: Fields, count: int) -> list[str]:
    """Return full attention in the first two layers, every fourth and the last."""
    full = {0, 1, count - 1} | set(range(1, count, 4))
    return ["full_attention" if layer in full else "sliding_attention" for layer in range(count)]


def flint_routed(fields: Fields, count: int) -> list[bool]:
    """Return which layers route: by step, the first two never where no list says so."""
    step, never = fields.size("decoder_sparse_step"), fields.indices("mlp_only_layers")
    never = frozenset((0, 1)) if never is None else never
    return [layer not in never and (layer + 1) % step == 0 for layer in range(count)]


def last_full(period: int) -> Pattern:
    """Return a pattern in which each n-th layer and the last attend fully."""
    return lambda fields, count: [
        "full_attention" if (layer + 1) % period == 0 or layer == count - 1 else "sliding_attention"
        for layer in range(count)
    ]


def laguna_attention(place: Place) -> GroupedQuery:
    """Return attention with a number of heads of its own, gated by head or in full width."""
    fields = place.fields
    heads = place.other or fields.heads
    full = fields.raw("gating") is False  # as the class has it: no gate by head means one of full width
    return attention(place, heads=heads, gates=heads * (width_of_heads(place) if full else 1))


def cohere_prefix_width(place: Place) -> int:
    """Return the width of the dense layers of Command A+."""
    return place.fields.optional("prefix_dense_intermediate_size") or place.fields.size("intermediate_size")


def minimax_m3_attention(place: Place) -> GroupedQuery:
    """Return attention to the blocks that an indexer chooses; its sizes lie apart as released."""
    fields = place.fields
    part = fields.part("sparse_attention_config")
    heads = part.optional("sparse_num_index_heads") or fields.size("index_n_heads")
    width = part.optional("sparse_index_dim") or fields.size("index_head_dim")
    block = part.optional("sparse_block_size") or fields.size("index_block_size")
    blocks = part.optional("sparse_topk_blocks") or fields.size("index_topk_blocks")
    fields.raw("index_local_blocks")
    index = Indexer(heads, width, block * blocks, norm_weights=2 * width)
    return attention(place, indexer=index)


def minimax_m3_kinds(fields: Fields, count: int) -> list[str]:
    """Return which layers are sparse: as released, else none."""
    marks = (
        zeros_and_ones(fields.part("sparse_attention_config"), "sparse_attention_freq", count) or [0] * count
    )
    return ["minimax_m3_sparse" if mark else "full_attention" for mark in marks]


def minimax_m3_routed(fields: Fields, count: int) -> list[bool]:
    """Return which layers route: as released, else all."""
    return [bool(mark) for mark in zeros_and_ones(fields, "moe_layer_freq", count) or [1] * count]


def jetmoe_attention(place: Place) -> RoutedQuery:
    """Return JetMoE's attention, whose heads follow from its experts."""
    fields = place.fields
    fields.raw("num_attention_heads")
    return RoutedQuery(
        fields.size("n_routed_experts"),
        fields.size("num_experts_per_tok"),
        fields.size("num_key_value_heads"),
        same(fields, "kv_channels", "head_dim"),
    )


def ernie_vision(place: Place) -> Experts:
    """Return ERNIE 4.5 VL's experts of text; those of images hold weights that no token of text visits."""
    fields = place.fields
    widths, count = fields.raw("moe_intermediate_size"), fields.size("n_routed_experts")
    widths = [1536, 512] if widths is ABSENT or widths is None else widths
    if not isinstance(widths, (list, tuple)) or len(widths) != 2:
        raise ConfigError(
            f"the field 'moe_intermediate_size' is {shown(widths, 30)}, but must hold two widths"
        )
    text, image = (
        integer("an entry of 'moe_intermediate_size'", each, 1, LIMIT, ConfigError) for each in widths
    )
    shared = fields.size("n_shared_experts", low=0)
    return Experts(
        count, fields.size("num_experts_per_tok"), text, shared=shared, shared_bias=place.flag("use_bias"),
        correction=count * (2 + fields.hidden), unused=count * Dense(image).parameters(fields.hidden),
    )  # fmt: skip


def ernie_routed(fields: Fields, count: int) -> list[bool]:
    """Return which layers route: each n-th from a first to a last one."""
    start, end = fields.size("moe_layer_start_index", low=0), fields.size("moe_layer_end_index", low=-1)
    step, last = fields.size("moe_layer_interval"), count - 1 if end == -1 else end
    return [start <= layer <= last and (layer + 1) % step == 0 for layer in range(count)]


def mimo_attention(place: Place) -> GroupedQuery:
    """Return MiMo-V2's attention: values narrower than keys, other heads and sinks in windowed layers."""
    fields = place.fields
    slides = place.kind == "sliding_attention"
    heads, kv_heads, head_dim, value = (
        fields.heads,
        fields.kv_heads(),
        fields.size("head_dim"),
        fields.size("v_head_dim"),
    )
    window, before = fields.optional("sliding_window"), fields.optional("sliding_window_size")
    sinks = fields.raw("add_swa_attention_sink_bias" if slides else "add_full_attention_sink_bias")
    released = [
        fields.optional(f"swa_{name}")
        for name in ("num_attention_heads", "num_key_value_heads", "head_dim", "v_head_dim")
    ]
    if slides:
        kv_heads = released[1] or 2 * kv_heads
        heads, head_dim, value = released[0] or heads, released[2] or head_dim, released[3] or value
    return attention(
        place,
        heads=heads,
        kv_heads=kv_heads,
        head_dim=head_dim,
        value_dim=value,
        window=(window if before is None else before + 1) if slides else None,
        learned_sinks=slides if sinks is ABSENT else bool(sinks),
    )


def mimo_kinds(fields: Fields, count: int) -> list[str]:
    """Return which layers are windowed: as released, else all but the first and every sixth."""
    marks = zeros_and_ones(fields, "hybrid_layer_pattern", count)
    if marks is None:
        marks = [int(bool(layer and (layer + 1) % 6)) for layer in range(count)]
    return ["sliding_attention" if mark else "full_attention" for mark in marks]


def mimo_routed(fields: Fields, count: int) -> list[bool]:
    """Return which layers route: as released, else all but the first."""
    marks = zeros_and_ones(fields, "moe_layer_freq", count)
    return [layer > 0 for layer in range(count)] if marks is None else [bool(mark) for mark in marks]


def step_attention(place: Place) -> GroupedQuery:
    """Return Step 3.5's attention: windowed layers have heads of their own."""
    fields, kinds = place.fields, place.fields.part("attention_other_setting")
    heads, kv_heads = fields.heads, fields.kv_heads()
    own = fields.optional("num_sliding_attention_heads") or kinds.optional("num_attention_heads")
    others = kinds.optional("num_key_value_heads")
    if place.kind == "sliding_attention":
        heads, kv_heads = own or heads, others or kv_heads
    return attention(place, heads=heads, kv_heads=kv_heads)


def _cut(fields: Fields, name: str, count: int, holds: Sequence[str]) -> list[str] | None:
    """Return a list with an entry a layer; entries of drafting layers behind them are cut off."""
    value = fields.raw(name)
    more = fields.optional("num_nextn_predict_layers", low=0) or 0
    if isinstance(value, (list, tuple)) and len(value) == count + more:
        kept = Fields({name: list(value[:count])}, fields.family, {})
        return kept.listed(name, count, f"{' or '.join(holds)} for each of {count} layers", holds)
    return fields.listed(name, count, f"{' or '.join(holds)} for each of {count} layers", holds)


def step_kinds(fields: Fields, count: int) -> list[str]:
    """Return the kinds as listed, else full attention."""
    return (
        _cut(fields, "layer_types", count, ("full_attention", "sliding_attention"))
        or ["full_attention"] * count
    )


def step_routed(fields: Fields, count: int) -> list[bool]:
    """Return which layers route: as listed, as enumerated, else all from the fourth."""
    kinds = _cut(fields, "mlp_layer_types", count, ("dense", "sparse"))
    named = fields.raw("moe_layers_enum")
    if kinds is not None:
        return [kind == "sparse" for kind in kinds]
    if isinstance(named, str):
        named = [int(each) if each.strip().isdigit() else -1 for each in named.split(",") if each.strip()]
    if isinstance(named, (list, tuple)):
        if not all(type(each) is int and each >= 0 for each in named):
            raise ConfigError(f"the field 'moe_layers_enum' is {shown(named, 40)}, but must list layers")
        return [layer in named for layer in range(count)]
    return [layer >= 3 for layer in range(count)]


def llama4_kinds(fields: Fields, count: int) -> list[str]:
    """Return chunks where positions are rotated, full attention elsewhere."""
    rotated = zeros_and_ones(fields, "no_rope_layers", count)  # despite the name, 1 marks rotation
    period = fields.size("no_rope_layer_interval")
    if rotated is None:
        rotated = [int((layer + 1) % period != 0) for layer in range(count)]
    return ["chunked_attention" if mark else "full_attention" for mark in rotated]


def llama4_routed(fields: Fields, count: int) -> list[bool]:
    """Return which layers route: those named, else each n-th."""
    named, step = fields.indices("moe_layers"), fields.size("interleave_moe_layer_step")
    return [(layer + 1) % step == 0 if named is None else layer in named for layer in range(count)]


# Gemma 3n and 4 -------------------------------------------------------------------------------------------


class Gemma(NamedTuple):
    """What differs between layers of Gemma 4 beside their kind."""

    shared: bool
    head_dim: int | None
    kv_heads: int | None
    width: int | None


def gemma4_kinds(fields: Fields, count: int) -> list[str]:
    """Return every n-th layer as full, or as listed; in Gemma 4 the last in any case."""
    last = not fields.family.startswith("gemma3n")
    kinds = fields.listed(
        "layer_types",
        count,
        f"two kinds of attention for each of {count} layers",
        ("full_attention", "sliding_attention"),
    )
    if kinds is None:
        kinds = list(every(6 if last else 5)(fields, count))
    return [*kinds[:-1], "full_attention"] if last else kinds


def gemma4_varies(fields: Fields, count: int) -> list[Gemma]:
    """Return for each layer whether it uses an earlier cache, and what its config overrides."""
    shared = fields.optional("num_kv_shared_layers", low=0) or 0
    kinds = gemma4_kinds(fields, count)
    own = kinds[: max(0, count - shared)]
    if not set(kinds) <= set(own):
        raise ConfigError(
            f"num_kv_shared_layers ({shared}) leaves a kind of attention without a cache of its own"
        )
    written = fields.part("per_layer_config").values
    widths = fields.raw("intermediate_size")
    if isinstance(widths, (list, tuple)) and len(widths) != count:
        raise ConfigError(f"the field 'intermediate_size' has {len(widths)} entries, but must hold {count}")
    found = []
    for layer in range(count):
        part = written.get(str(layer), written.get(f"{layer:02}", {}))
        part = Fields(part if isinstance(part, Mapping) else {}, fields.family, {})
        width = widths[layer] if isinstance(widths, (list, tuple)) else None
        found.append(
            Gemma(
                layer >= count - shared,
                part.optional("head_dim"),
                part.optional("num_key_value_heads"),
                width,
            )
        )
        part.unread(frozenset())
    return found


def gemma4_attention(place: Place) -> GroupedQuery:
    """Return attention with wider heads, and fewer for the keys, in full layers; some use earlier caches."""
    fields, full, other = place.fields, place.kind == "full_attention", place.other
    four = not fields.family.startswith("gemma3n")
    wide, few = fields.optional("global_head_dim"), fields.optional("num_global_key_value_heads")
    equal = fields.flag("attention_k_eq_v")
    written = bool(fields.part("per_layer_config").values)
    head_dim, kv_heads = fields.size("head_dim"), fields.kv_heads()
    if four and full:
        head_dim = other.head_dim or (head_dim if written else wide or 512)
        kv_heads = other.kv_heads or (few if equal and few and not written else kv_heads)
    norms = head_dim if other.shared else 2 * head_dim
    return attention(
        place, head_dim=head_dim, kv_heads=kv_heads, norm_weights=norms,
        cache_shared=other.shared, shared_values=four and full and equal,
    )  # fmt: skip


def gemma4_norms(place: Place) -> int:
    """Return the norms of a layer: three more where experts stand beside the dense network."""
    return 7 if place.routed else 4


def gemma4_width(place: Place) -> int:
    """Return the width of a layer's dense network, doubled where it uses an earlier cache and says so."""
    fields = place.fields
    if place.other.width is not None:
        return integer("an entry of 'intermediate_size'", place.other.width, 1, LIMIT, ConfigError)
    return fields.size("intermediate_size") * (
        2 if fields.flag("use_double_wide_mlp") and place.other.shared else 1
    )


def gemma4_extra(place: Place) -> Weights | None:
    """Return what a layer does with its own embedding: a gate, a projection and a norm."""
    hidden, own = place.fields.hidden, place.fields.size("hidden_size_per_layer_input", low=0)
    return Weights(2 * hidden * own, hidden) if own else None


def gemma4_outside(place: Place) -> Weights | None:
    """Return the table of embeddings for each layer, its projection from the stream, and a norm."""
    fields = place.fields
    own = fields.size("hidden_size_per_layer_input", low=0)
    wide = fields.layers * own
    rows = fields.size("vocab_size_per_layer_input")
    return Weights(wide * fields.hidden, rows * wide + own) if own else None


def self_conditioning(place: Place) -> Weights:
    """Return the gated network through which DiffusionGemma hands its last guess on."""
    hidden = place.fields.hidden
    return Weights(3 * hidden * place.fields.size("intermediate_size"), hidden)


def gemma3n_extra(place: Place) -> Weights:
    """Return AltUp, LAuReL and the layer's own embedding."""
    fields = place.fields
    hidden, n, rank = fields.hidden, fields.size("altup_num_inputs"), fields.size("laurel_rank")
    own = gemma4_extra(place) or Weights(0, hidden)
    mixed = n * hidden + n**2 + n**3 + 2 * rank * hidden
    return Weights(mixed + own.matrices, 3 * hidden + own.others)


def gemma3n_outside(place: Place) -> Weights:
    """Return the embeddings for each layer, and the projections of AltUp at both ends."""
    own = gemma4_outside(place) or Weights()
    return Weights(
        own.matrices + 2 * (place.fields.size("altup_num_inputs") - 1) * place.fields.hidden**2, own.others
    )


# Latent families ------------------------------------------------------------------------------------------


def indexers(fields: Fields, count: int) -> list[str]:
    """Return which layers take over an earlier indexer's choice."""
    listed = fields.listed(
        "indexer_types", count, f"full or shared for each of {count} layers", ("full", "shared")
    )
    pattern, period = fields.raw("index_topk_pattern"), max(fields.optional("index_topk_freq", low=0) or 1, 1)
    skip = fields.optional("index_skip_topk_offset", low=0)
    if listed is not None:
        return listed
    if fields.family.startswith("hy_v4"):
        return ["full" if layer == 0 or (layer - 1) % 4 == 0 else "shared" for layer in range(count)]
    if pattern is not ABSENT and pattern is not None:
        marks = {"F": "full", "S": "shared", "full": "full", "shared": "shared"}
        if not isinstance(pattern, (str, list)) or len(pattern) != count or not set(pattern) <= set(marks):
            raise ConfigError(f"the field 'index_topk_pattern' must hold F or S for each of {count} layers")
        return [marks[each] for each in pattern]
    return [
        "shared" if max(layer - (2 if skip is None else skip) + 1, 0) % period else "full"
        for layer in range(count)
    ]


def hyper(mixed: bool = True, collapsed: bool = True) -> Callable[[Place], HyperConnection]:
    """Return hyper-connections of as many streams as the config says."""
    return lambda place: HyperConnection(place.fields.size("hc_mult"), mixed, collapsed)


def doubled_query(place: Place) -> Weights:
    """Return what A.X K2 has beyond latent attention: twice the query's rank, an output gate, gated norms."""
    fields = place.fields
    rank, heads, hidden = fields.size("q_lora_rank"), fields.heads, fields.hidden
    key = fields.size("qk_nope_head_dim") + fields.size("qk_rope_head_dim", low=0)
    made = rank * heads * (key + 2 * fields.size("v_head_dim"))
    return Weights(made + 2 * fields.size("gated_norm_rank") * hidden * (2 if place.routed else 1))


_SLIDING = {"num_attention_heads": 64, "num_key_value_heads": 64, "q_lora_rank": 1024, "kv_lora_rank": 1024,
            "head_dim": 256, "qk_nope_head_dim": 192, "v_head_dim": 128}  # fmt: skip


def dots3_varies(fields: Fields, count: int) -> list[tuple[int, ...] | None]:
    """Return the sizes of windowed layers of dots3: as written for each layer, else by their own names."""
    kinds = fields.listed(
        "layer_types",
        count,
        "kinds of attention",
        ("indexed_attention", "full_attention", "sliding_attention"),
    )
    written, found = fields.part("per_layer_config").values, []
    own = {name: fields.optional(f"swa_{name}") or size for name, size in _SLIDING.items()}
    rope = fields.optional("swa_qk_rope_head_dim") or own["head_dim"] - own["qk_nope_head_dim"]
    own["qk_rope_head_dim"] = rope
    for layer, kind in enumerate(kinds or dots3_kinds(fields, count)):
        part = written.get(str(layer), written.get(f"{layer:02}"))
        if part is not None and (
            not isinstance(part, Mapping) or kind != "sliding_attention" or set(part) - set(own)
        ):
            raise ConfigError(
                f"'per_layer_config' holds {shown(part, 30)} for layer {layer}, which is not counted"
            )
        mine = {**own, **(part or {})}
        if mine["num_key_value_heads"] != mine["num_attention_heads"]:
            raise ConfigError("windowed layers must have as many key-value heads as heads")
        sizes = (
            mine[name]
            for name in (
                "num_attention_heads",
                "kv_lora_rank",
                "q_lora_rank",
                "qk_rope_head_dim",
                "qk_nope_head_dim",
                "v_head_dim",
            )
        )
        found.append(tuple(sizes) if kind == "sliding_attention" else None)
    return found


def dots3_kinds(fields: Fields, count: int) -> list[str]:
    """Return full attention in the first two layers and every fourth, windows in the others."""
    slides = fields.raw("use_sliding_window") is not False
    return [
        "sliding_attention" if slides and layer >= 2 and layer % 4 != 1 else "indexed_attention"
        for layer in range(count)
    ]


def dots3_attention(place: Place) -> Latent:
    """Return latent attention with a gate by head and a normalised rotary part."""
    fields, sizes = place.fields, place.other
    if fields.heads != fields.kv_heads():
        raise ConfigError("num_key_value_heads must be num_attention_heads in dots3")
    if sizes is None:
        plain = place.kind == "full_attention" and "per_layer_config" in fields.values
        if fields.raw("use_dsa") is False:
            raise ConfigError("'use_dsa' is false, which is not counted: it must be true")
        index = (
            None
            if plain
            else Indexer(
                fields.size("index_n_heads"), fields.size("index_head_dim"), fields.size("index_topk")
            )
        )
        return latent(place, indexer=index, norm_weights=fields.size("qk_rope_head_dim"))
    window = fields.optional("sliding_window") or fields.optional("sliding_window_size") or 512
    heads, kv_rank, q_rank, rope_dim, nope_dim, value_dim = sizes
    return Latent(
        heads, kv_rank, q_rank, rope_dim, nope_dim, value_dim,
        bias=place.flag(place.row.bias), gates=heads, norm_weights=rope_dim, window=window,
    )  # fmt: skip


def dots3_routed(fields: Fields, count: int) -> list[bool]:
    """Return which layers route: those after the first dense ones, or as a list or a period says."""
    first, period = fields.size("first_k_dense_replace", low=0), fields.raw("moe_layer_freq")
    if period not in (1, ABSENT, None):
        raise ConfigError(f"the field 'moe_layer_freq' is {shown(period, 20)}, but only 1 is counted")
    return [layer >= first for layer in range(count)]


def rotated_latent(place: Place) -> Latent:
    """Return latent attention where `head_dim` is another name of its rotary part."""
    return latent(place, rope_dim=same(place.fields, "qk_rope_head_dim", "head_dim"))


def longcat(place: Place) -> Residual:
    """Return LongCat-Flash's two dense networks, here as one of both widths, beside its experts."""
    fields = place.fields
    zero = fields.optional("zero_expert_num", low=0) or 0
    return Residual(Dense(2 * fields.size("intermediate_size")), experts(place, zero=zero))


COMPRESSION = {"sliding_attention": 0, "compressed_sparse_attention": 4, "heavily_compressed_attention": 128}
_OLD_RATES = {
    "compressed_sparse_attention": "compress_rate_csa",
    "heavily_compressed_attention": "compress_rate_hca",
}


def compressed(place: Place) -> Compressed:
    """Return DeepSeek-V4's attention: a window alone, with sparse short blocks, or with long ones."""
    fields, kind = place.fields, place.kind
    rates = fields.part("compress_rates")
    rate = rates.optional(kind, low=0)
    for name, old in _OLD_RATES.items():
        given = fields.optional(old, low=0)
        rate = given if name == kind and rate is None else rate
    ratio = (COMPRESSION[kind] if rate is None else rate) or None
    index = Indexer(fields.size("index_n_heads"), fields.size("index_head_dim"), fields.size("index_topk"))
    return Compressed(
        heads=fields.heads,
        head_dim=fields.size("head_dim"),
        q_rank=fields.size("q_lora_rank"),
        output_groups=fields.size("o_groups"),
        output_rank=fields.size("o_lora_rank"),
        window=fields.size("sliding_window"),
        ratio=ratio,
        indexer=index if kind == "compressed_sparse_attention" else None,
    )


def expert_width(place: Place) -> int:
    """Return the width of an expert, which two fields may say alike."""
    return same(place.fields, "moe_intermediate_size", "intermediate_size")


def hunyuan(place: Place) -> Experts:
    """Return Hunyuan's experts beside one shared network; releases repeat a number for each layer."""
    fields = place.fields
    active = _uniform(fields, "num_experts_per_tok")
    width = same(fields, "intermediate_size")
    for name, one in (("moe_intermediate_size", width), ("num_shared_expert", 1)):
        if fields.raw(name) not in (None, ABSENT) and _uniform(fields, name) != one:
            raise ConfigError(
                f"the field {name!r} is {shown(fields.raw(name), 20)}, which is counted as {one} only"
            )
    return Experts(fields.size("n_routed_experts"), active, width, shared=1)


def _uniform(fields: Fields, name: str) -> int:
    """Return the size on which a list agrees, or that is given alone."""
    value = fields.raw(name)
    if isinstance(value, (list, tuple)) and value and all(each == value[0] for each in value):
        value = value[0]
    if value is None or value is ABSENT:
        return fields.size(name)
    return integer(f"the field {fields.given(name)!r}", value, 1, LIMIT, ConfigError)


def convolved_attention(place: Place) -> Recurrence:
    """Return the convolutions before the attention of Zaya, and its delayed value."""
    fields, width = place.fields, width_of_heads(place)
    keys = fields.kv_heads()
    channels, first, second = (
        (fields.heads + keys) * width,
        fields.size("cca_time0"),
        fields.size("cca_time1"),
    )
    if keys * width % 2:
        raise ConfigError("num_key_value_heads x head_dim must be even")
    matrices = channels * (first + width * second)
    return Recurrence(matrices, 2 * channels + keys, keys * width // 2, channels, first, fields.heads)


def zaya_experts(place: Place) -> Experts:
    """Return Zaya's experts, which a small network chooses; one choice more is to skip them."""
    fields = place.fields
    width, count, hidden = fields.size("router_hidden_size"), fields.size("n_routed_experts"), fields.hidden
    if fields.size("num_experts_per_tok") != 1:
        raise ConfigError("num_experts_per_tok must be 1 in zaya")
    router = width * (hidden + 2 * width + count + 1)
    others = 4 * width + (0 if place.other == "first" else width)
    return Experts(count, 1, fields.size("moe_intermediate_size"), router=router, correction=others)


def compressed_kinds(fields: Fields, count: int) -> list[str]:
    """Return each layer's kind: by its ratio, else as in the larger of the two releases."""
    ratios = fields.raw("compress_ratios")
    if ratios is ABSENT or ratios is None:
        sparse = [layer >= 2 and layer % 2 for layer in range(count)]
        return ["compressed_sparse_attention" if each else "heavily_compressed_attention" for each in sparse]
    names = {ratio: kind for kind, ratio in COMPRESSION.items()}
    known = isinstance(ratios, (list, tuple)) and len(ratios) >= count
    if not known or not all(type(ratio) is int and ratio in names for ratio in ratios):
        allowed = f"0, 4 or 128 for each of {count} layers"
        raise ConfigError(f"the field 'compress_ratios' is {shown(ratios, 30)}, but must hold {allowed}")
    return [names[ratio] for ratio in ratios[:count]]
