"""What the traits of a row make: mixers, feed-forward networks, and patterns over the layers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cohort.architecture.attention import GroupedQuery
from cohort.architecture.families.fields import ABSENT, Fields
from cohort.architecture.families.row import Kind, Pattern, Place
from cohort.architecture.feedforward import Dense, Experts, Residual, Weights
from cohort.architecture.latent import Indexer, Latent
from cohort.architecture.recurrent import Mamba, Mamba2, Reused
from cohort.errors import ConfigError, integer, shown
from cohort.numeric import LIMIT, ceil_div

FULL, SLIDING, LINEAR, INDEXED, MAMBA = (
    "full_attention", "sliding_attention", "linear_attention", "indexed_attention", "mamba",
)  # fmt: skip

# Mixers ---------------------------------------------------------------------------------------------------


def only(part: Callable[[Place], Any], *names: str, forward: str | None = "both") -> Mapping[str, Kind]:
    """Return kinds of layers that have one mixer, full attention where no kind is named."""
    return dict.fromkeys(names or (FULL,), Kind((part,), forward))


def attention(place: Place, **changed: Any) -> GroupedQuery:
    """Return grouped-query attention by the traits of the row; `changed` are its own fields."""
    fields, row = place.fields, place.row
    heads = changed.pop("heads", None) or fields.heads
    kv_heads = changed.pop("kv_heads", None) or _key_value_heads(place, heads)
    head_dim = changed.pop("head_dim", None) or width_of_heads(place)
    bias, norms = place.flag(row.bias), 0
    if row.query_key_norm and place.flag(row.norm_if):
        one = (heads + kv_heads) * head_dim if row.query_key_norm == "full" else 2 * head_dim
        norms = place.number(row.norm if row.query_key_unit is None else row.query_key_unit) * one
    gate = row.gate(place) if callable(row.gate) else row.gate
    options: dict[str, Any] = {
        "bias": bias,
        "output_bias": bias if row.output_bias is None else place.flag(row.output_bias),
        "norm_weights": norms,
        "learned_sinks": place.flag(row.sinks),
        "gates": {None: 0, "head": heads, "full": heads * head_dim}[gate],
        "gate_bias": place.flag(row.gate_bias),
    }
    if place.kind == SLIDING:
        window = row.window
        options["window"] = window(place) if callable(window) else fields.optional(window, low=0) or None
    return GroupedQuery(heads, kv_heads, head_dim, **{**options, **changed})


def _key_value_heads(place: Place, heads: int) -> int:
    grouped = place.row.grouped
    if grouped is True:
        return place.fields.optional("num_key_value_heads") or heads
    return heads if grouped is False else int(grouped(place))


def width_of_heads(place: Place) -> int:
    """Return the width of a head: as given where the family reads it, else hidden size / heads."""
    fields, read = place.fields, place.row.head_dim
    given = None if read == "divided" else fields.optional("head_dim")
    if given is not None:
        return given
    if read != "given":
        return fields.divided()
    if fields.hidden < fields.heads:
        raise ConfigError(f"hidden size ({fields.hidden}) is less than the heads ({fields.heads})")
    return fields.hidden // fields.heads


def square_attention(place: Place) -> GroupedQuery:
    """Return attention with a part as wide as the hidden size, which heads must add up to."""
    if place.fields.heads * width_of_heads(place) != place.hidden:
        raise ConfigError(f"num_attention_heads x head_dim must be hidden_size in {place.fields.family}")
    return attention(place)


def latent(place: Place, **changed: Any) -> Latent:
    """Return latent attention."""
    fields, row = place.fields, place.row
    heads, value = fields.heads, fields.optional("v_head_dim") or fields.hidden // fields.heads
    rope, nope = fields.size("qk_rope_head_dim", low=0), fields.size("qk_nope_head_dim")
    if fields.optional("qk_head_dim") not in (None, rope + nope):
        raise ConfigError(f"'qk_head_dim' must be the sum of its parts ({rope} + {nope}) to be counted")
    fields.raw("num_key_value_heads")
    options = {
        "bias": place.flag(row.bias),
        "gates": {None: 0, "head": heads, "full": heads * value}[row.gate],
        "norm_weights": heads if place.flag(row.sinks) else 0,
        **{"rope_dim": rope, "nope_dim": nope, "value_dim": value, **changed},
    }
    return Latent(heads, fields.size("kv_lora_rank"), fields.optional("q_lora_rank"), **options)


def indexer(place: Place, **changed: Any) -> Indexer:
    """Return the indexer of a layer."""
    fields = place.fields
    sizes = fields.size("index_n_heads"), fields.size("index_head_dim"), fields.size("index_topk")
    return Indexer(*sizes, **changed)


def sparse_latent(place: Place) -> Latent:
    """Return latent attention over the keys that an indexer chooses, or that an earlier one has chosen."""
    return latent(place, indexer=indexer(place, shared=place.other == "shared"))


def indexers(fields: Fields, count: int) -> list[str]:
    """Return which layers take over an earlier indexer's choice."""
    kinds = ("full", "shared")
    listed = fields.listed("indexer_types", count, f"full or shared for each of {count} layers", kinds)
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
    skip = 2 if skip is None else skip
    return ["shared" if max(layer - skip + 1, 0) % period else "full" for layer in range(count)]


def hybrid_mamba(place: Place, **changed: Any) -> Mamba:
    """Return Mamba by the names of hybrid models (Jamba, Zamba)."""
    fields = place.fields
    return Mamba(
        fields.size("mamba_expand") * fields.hidden, fields.size("mamba_d_state"),
        fields.size("mamba_d_conv"), automatic(fields, "mamba_dt_rank", ceil_div(fields.hidden, 16)),
        bias=fields.flag("mamba_proj_bias"), conv_bias=fields.flag("mamba_conv_bias"), **changed,
    )  # fmt: skip


def hybrid_mamba2(place: Place, **changed: Any) -> Mamba2:
    """Return Mamba 2 by the names of hybrid models (Bamba, Granite 4, Falcon-H1)."""
    fields, heads = place.fields, place.fields.size("mamba_n_heads")
    inner = fields.optional("mamba_d_ssm") or fields.size("mamba_expand") * fields.hidden
    head_dim = automatic(fields, "mamba_d_head", inner // heads)
    if heads * head_dim != inner:
        raise ConfigError(
            f"mamba_n_heads ({heads}) x mamba_d_head ({head_dim}) must be the inner width ({inner})"
        )
    state, groups, kernel = (fields.size(f"mamba_{name}") for name in ("d_state", "n_groups", "d_conv"))
    biases = {"bias": fields.flag("mamba_proj_bias"), "conv_bias": fields.flag("mamba_conv_bias")}
    return Mamba2(heads, head_dim, state, groups, kernel, **{**biases, **changed})


def automatic(fields: Fields, name: str, value: int) -> int:
    """Return a size that may be 'auto' for a value that follows from others."""
    given = fields.raw(name)
    return value if given in ("auto", None) or given is ABSENT else fields.size(name)


def again(part: Callable[[Place], Any]) -> Callable[[Place], Any]:
    """Return a part whose weights are counted once, although layers pass through it again."""
    return lambda place: Reused(part(place)) if place.other == "again" else part(place)


def same(fields: Fields, *names: str) -> int:
    """Return the size on which several fields agree, of which one at least must be given."""
    values = {value: name for name in names if (value := fields.optional(name)) is not None}
    if len(values) > 1:
        raise ConfigError(f"{' and '.join(values.values())} must be the same to be counted")
    return next(iter(values)) if values else fields.size(names[0])


def multiplier(fields: Fields, name: str) -> float:
    """Return a positive number that need not be an integer."""
    value = fields.raw(name)
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 < value < 1e6:
        raise ConfigError(f"the field {name!r} is {shown(value, 30)}, but must be a number")
    return value


def entry(name: str, value: Any) -> int:
    """Return a size out of a list or a table."""
    return integer(f"an entry of {name!r}", value, 1, LIMIT, ConfigError)


# Feed-forward ---------------------------------------------------------------------------------------------


def dense(place: Place) -> Dense:
    """Return a dense network by the traits of the row."""
    row = place.row
    return Dense(place.number(row.width), row.gated, place.flag(row.mlp_bias))


def experts(place: Place, **changed: Any) -> Experts:
    """Return a mixture of experts by the traits of the row."""
    fields, row = place.fields, place.row
    shared = (
        fields.optional(row.shared, low=0) or 0 if isinstance(row.shared, str) else place.number(row.shared)
    )
    if not shared and row.shared_bias == "mlp_bias" and place.flag("mlp_bias"):
        raise ConfigError("'mlp_bias' is true without shared experts, which is not counted: one must change")
    wide = place.number(row.shared_width) if row.shared_width is not None and shared else None
    options = {name: trait(place) if callable(trait) else trait for name, trait in row.expert.items()}
    options = {"gated": row.gated, "shared_bias": place.flag(row.shared_bias), **options, **changed}
    count, active = fields.size("n_routed_experts"), fields.size("num_experts_per_tok")
    return Experts(count, active, place.number(row.expert_width), shared=shared, shared_width=wide, **options)


def dense_beside_experts(place: Place) -> Dense | Residual:
    """Return a dense network, and experts beside it where the layer routes."""
    return Residual(dense(place), experts(place)) if place.routed else dense(place)


def once_each(place: Place) -> int:
    """Return one number for each expert: the correction of its score, where it is a weight."""
    return place.fields.size("n_routed_experts")


# Patterns over the layers ---------------------------------------------------------------------------------


def where(test: Callable[[int, int], bool], one: Any = FULL, others: Any = SLIDING) -> Pattern:
    """Return a pattern of one kind where a test of (layer, number of layers) holds, and another elsewhere."""
    return lambda fields, count: [one if test(layer, count) else others for layer in range(count)]


def everywhere(kind: Any) -> Pattern:
    """Return a pattern of one kind."""
    return lambda fields, count: [kind] * count


def in_turn(*kinds: Any) -> Pattern:
    """Return a pattern in which kinds take turns."""
    return lambda fields, count: [kinds[layer % len(kinds)] for layer in range(count)]


def every(
    period: int | str, one: Any = FULL, others: Any = SLIDING, first: int | str | None = None
) -> Pattern:
    """Return a pattern in which each n-th layer is of one kind.

    Either number may be the name of the field that says it; the first is the n-th where it is not said.
    """

    def pattern(fields: Fields, count: int) -> list[Any]:
        n = fields.size(period) if isinstance(period, str) else period
        start = fields.size(first, low=0) if isinstance(first, str) else n - 1 if first is None else first
        return [one if layer % n == start else others for layer in range(count)]

    return pattern


def after(first: int | str, one: Any = True, others: Any = False) -> Pattern:
    """Return a pattern that changes after some layers; their number may be the name of a field."""

    def pattern(fields: Fields, count: int) -> list[Any]:
        n = fields.size(first, low=0) if isinstance(first, str) else first
        return [one if layer >= n else others for layer in range(count)]

    return pattern


FIRST_APART = where(lambda layer, count: layer == 0, "first", None)
FIRST_DENSE = after("first_k_dense_replace")  # which layers route: those after the first dense ones


def above(fields: Fields, count: int) -> list[str]:
    """Return full attention up to `max_window_layers`, windows from there on, where they are switched on."""
    below = fields.size("max_window_layers", low=0)
    slides = fields.flag("use_sliding_window") and fields.optional("sliding_window") is not None
    return [SLIDING if slides and layer >= below else FULL for layer in range(count)]


def by_step(fields: Fields, count: int, never: Sequence[int] = ()) -> list[bool]:
    """Return which layers route: every n-th that is not listed as dense (Qwen)."""
    step, named = fields.size("decoder_sparse_step"), fields.indices("mlp_only_layers")
    return [
        layer not in (never if named is None else named) and (layer + 1) % step == 0 for layer in range(count)
    ]


def mlp_types(default: Pattern) -> Pattern:
    """Return which layers route: as `mlp_layer_types` lists them, else by a default."""

    def pattern(fields: Fields, count: int) -> Sequence[bool]:
        allowed = ("dense", "sparse")
        listed = fields.listed(
            "mlp_layer_types", count, f"dense or sparse for each of {count} layers", allowed
        )
        return default(fields, count) if listed is None else [kind == "sparse" for kind in listed]

    return pattern


def named(field: str, one: Any, others: Any, default: Pattern) -> Pattern:
    """Return a pattern of one kind in the layers that a field numbers, else a default."""

    def pattern(fields: Fields, count: int) -> Sequence[Any]:
        layers = fields.indices(field)
        if layers is None:
            return default(fields, count)
        return [one if layer in layers else others for layer in range(count)]

    return pattern


def marked(field: str, one: Any, others: Any, default: Pattern, part: str | None = None) -> Pattern:
    """Return a pattern of one kind where a field, or one of a part, has a 1 and another where it has a 0."""

    def pattern(fields: Fields, count: int) -> Sequence[Any]:
        table = fields.part(part) if part else fields
        marks = table.listed(field, count, f"a 0 or a 1 for each of {count} layers", (0, 1))
        return default(fields, count) if marks is None else [one if mark else others for mark in marks]

    return pattern


def lettered(field: str, letters: Mapping[str, str], default: Sequence[str]) -> Callable[[Fields], list[str]]:
    """Return the kinds that a field spells with one letter a layer."""

    def pattern(fields: Fields) -> list[str]:
        value = fields.raw(field)
        if value is ABSENT or value is None:
            return list(default)
        if not isinstance(value, str) or not value or not set(value) <= set(letters):
            raise ConfigError(
                f"{field!r} is {shown(value, 30)}, but must hold the letters {''.join(letters)}"
            )
        return [letters[letter] for letter in value]

    return pattern


def further(matrices: Any = 0, others: Any = 0) -> Callable[[Place], Weights]:
    """Return further weights: of matrices and others, numbers or fields or functions of the place."""
    return lambda place: Weights(place.number(matrices), place.number(others))
