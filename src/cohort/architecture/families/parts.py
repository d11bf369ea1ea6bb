"""What the traits of a row make: mixers, feed-forward networks, and patterns over the layers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from cohort.architecture.attention import GroupedQuery
from cohort.architecture.families.fields import ABSENT, Fields
from cohort.architecture.families.row import Pattern, Place
from cohort.architecture.feedforward import Dense, Experts, Residual
from cohort.architecture.latent import Indexer, Latent
from cohort.architecture.linear_attention import GatedDelta, KimiDelta, Lightning
from cohort.architecture.recurrent import Mamba, Mamba2, ShortConvolution
from cohort.errors import ConfigError, shown
from cohort.numeric import ceil_div

# Mixers ---------------------------------------------------------------------------------------------------


def attention(place: Place, **changed: Any) -> GroupedQuery:
    """Return grouped-query attention by the traits of the row; `changed` are its own fields."""
    fields, row = place.fields, place.row
    heads = changed.pop("heads", None) or fields.heads
    kv_heads = changed.pop("kv_heads", None) or key_value_heads(place, heads)
    head_dim = changed.pop("head_dim", None) or width_of_heads(place)
    bias = place.flag(row.bias)
    norms = 0
    if row.query_key_norm and place.flag(row.norm_if):
        one = (heads + kv_heads) * head_dim if row.query_key_norm == "full" else 2 * head_dim
        norms = place.number(row.norm if row.query_key_unit is None else row.query_key_unit) * one
    options: dict[str, Any] = {
        "bias": bias,
        "output_bias": bias if row.output_bias is None else place.flag(row.output_bias),
        "norm_weights": norms,
        "learned_sinks": place.flag(row.sinks),
        "gates": {None: 0, "head": heads, "full": heads * head_dim}[
            row.gate(place) if callable(row.gate) else row.gate
        ],
        "gate_bias": place.flag(row.gate_bias),
    }
    if place.kind == "sliding_attention":
        options["window"] = (
            row.window(place) if callable(row.window) else fields.optional(row.window, low=0) or None
        )
    return GroupedQuery(heads, kv_heads, head_dim, **{**options, **changed})


def key_value_heads(place: Place, heads: int) -> int:
    """Return the key-value heads: as the config says where the family reads it."""
    grouped = place.row.grouped
    if grouped is True:
        return place.fields.optional("num_key_value_heads") or heads
    return heads if grouped is False else int(grouped(place))


def width_of_heads(place: Place) -> int:
    """Return the width of a head: as given where the family reads it, else hidden size / heads."""
    fields = place.fields
    if place.row.head_dim == "divided":
        return fields.divided()
    given = fields.optional("head_dim")
    if given is not None:
        return given
    if place.row.head_dim == "divides":
        return fields.divided()
    if fields.hidden < fields.heads:
        raise ConfigError(f"hidden size ({fields.hidden}) is less than the heads ({fields.heads})")
    return fields.hidden // fields.heads


def chunked(place: Place) -> GroupedQuery:
    """Return attention within chunks."""
    return attention(place, chunk=place.fields.optional("attention_chunk_size"))


def gated_query(place: Place) -> GroupedQuery:
    """Return attention whose queries and output gate are one projection (Qwen3-Next)."""
    return attention(place, output_gate=place.fields.raw("attn_output_gate") is not False)


def latent(place: Place, **changed: Any) -> Latent:
    """Return latent attention."""
    fields, row = place.fields, place.row
    heads, value = fields.heads, fields.optional("v_head_dim") or fields.hidden // fields.heads
    rope, nope = fields.size("qk_rope_head_dim", low=0), fields.size("qk_nope_head_dim")
    if fields.optional("qk_head_dim") not in (None, rope + nope):
        raise ConfigError(f"'qk_head_dim' must be the sum of its parts ({rope} + {nope}) to be counted")
    fields.raw("num_key_value_heads")
    options: dict[str, Any] = {
        "bias": place.flag(row.bias),
        "gates": {None: 0, "head": heads, "full": heads * value}[row.gate],
        "norm_weights": heads if place.flag(row.sinks) else 0,
    }
    options |= {"rope_dim": rope, "nope_dim": nope, "value_dim": value}
    return Latent(
        heads=heads,
        kv_rank=fields.size("kv_lora_rank"),
        q_rank=fields.optional("q_lora_rank"),
        **{**options, **changed},
    )


def indexer(place: Place) -> Indexer:
    """Return the indexer of a layer; one that takes over an earlier choice where the layer says so."""
    fields = place.fields
    return Indexer(
        fields.size("index_n_heads"),
        fields.size("index_head_dim"),
        fields.size("index_topk"),
        shared=place.other == "shared",
    )


def sparse_latent(place: Place) -> Latent:
    """Return latent attention over the keys that an indexer chooses."""
    return latent(place, indexer=indexer(place))


def gated_delta(place: Place) -> GatedDelta:
    """Return linear attention by the gated delta rule."""
    fields = place.fields
    return GatedDelta(
        key_heads=fields.size("linear_num_key_heads"),
        value_heads=fields.size("linear_num_value_heads"),
        key_dim=fields.size("linear_key_head_dim"),
        value_dim=fields.size("linear_value_head_dim"),
        kernel=fields.size("linear_conv_kernel_dim"),
    )


def lightning(place: Place) -> Lightning:
    """Return linear attention as in MiniMax-Text-01."""
    return Lightning(place.fields.heads, width_of_heads(place))


def kimi_delta(place: Place, low_rank: bool = True) -> KimiDelta:
    """Return Kimi delta attention; the sizes lie apart, or in `linear_attn_config` as released."""
    fields = place.fields
    part = fields.part("linear_attn_config")
    return KimiDelta(
        part.optional("num_heads") or fields.size("linear_num_heads"),
        part.optional("head_dim") or fields.size("linear_head_dim"),
        part.optional("short_conv_kernel_size") or fields.size("linear_conv_kernel_dim"),
        low_rank=low_rank,
    )


def mamba(place: Place, **changed: Any) -> Mamba:
    """Return Mamba by the names of its own config: inner width given or expanded, rank given or 'auto'."""
    fields = place.fields
    hidden = fields.hidden
    options: dict[str, Any] = {
        "inner": fields.size("expand") * hidden,
        "state": fields.size("state_size"),
        "kernel": fields.size("conv_kernel"),
        "rank": automatic(fields, "time_step_rank", ceil_div(hidden, 16)),
        "bias": fields.flag("use_bias"),
        "conv_bias": fields.flag("use_conv_bias"),
    }
    return Mamba(**{**options, **changed})


def hybrid_mamba(place: Place, **changed: Any) -> Mamba:
    """Return Mamba by the names of hybrid models (Jamba, Zamba)."""
    fields = place.fields
    rank, state = (
        automatic(fields, "mamba_dt_rank", ceil_div(fields.hidden, 16)),
        fields.size("mamba_d_state"),
    )
    options: dict[str, Any] = {
        "inner": fields.size("mamba_expand") * fields.hidden,
        "state": state,
        "kernel": fields.size("mamba_d_conv"),
        "rank": rank,
        "bias": fields.flag("mamba_proj_bias"),
        "conv_bias": fields.flag("mamba_conv_bias"),
    }
    return Mamba(**{**options, **changed})


def hybrid_mamba2(place: Place, **changed: Any) -> Mamba2:
    """Return Mamba 2 by the names of hybrid models (Bamba, Granite 4, Falcon-H1)."""
    fields = place.fields
    heads = fields.size("mamba_n_heads")
    inner = fields.optional("mamba_d_ssm") or fields.size("mamba_expand") * fields.hidden
    head_dim = automatic(fields, "mamba_d_head", inner // heads)
    if heads * head_dim != inner:
        raise ConfigError(
            f"mamba_n_heads ({heads}) x mamba_d_head ({head_dim}) must be the inner width ({inner})"
        )
    options: dict[str, Any] = {
        "heads": heads,
        "head_dim": head_dim,
        "state": fields.size("mamba_d_state"),
        "groups": fields.size("mamba_n_groups"),
        "kernel": fields.size("mamba_d_conv"),
        "bias": fields.flag("mamba_proj_bias"),
        "conv_bias": fields.flag("mamba_conv_bias"),
    }
    return Mamba2(**{**options, **changed})


def automatic(fields: Fields, name: str, value: int) -> int:
    """Return a size that may be 'auto' for a value that follows from others."""
    given = fields.raw(name)
    return value if given in ("auto", None) or given is ABSENT else fields.size(name)


def same(fields: Fields, *names: str) -> int:
    """Return the size on which several fields agree, of which one at least must be given."""
    values = {value: name for name in names if (value := fields.optional(name)) is not None}
    if len(values) > 1:
        raise ConfigError(f"{' and '.join(values.values())} must be the same to be counted")
    return next(iter(values)) if values else fields.size(names[0])


def short_convolution(place: Place) -> ShortConvolution:
    """Return the convolution of LFM2."""
    fields = place.fields
    return ShortConvolution(fields.hidden, fields.size("conv_L_cache"), fields.flag("conv_bias"))


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
    return Experts(
        fields.size("n_routed_experts"),
        fields.size("num_experts_per_tok"),
        place.number(row.expert_width),
        shared=shared,
        shared_width=wide,
        **options,
    )


def dense_beside_experts(place: Place) -> Dense | Residual:
    """Return a dense network, and experts beside it where the layer routes."""
    network = dense(place)
    return Residual(network, experts(place)) if place.routed else network


# Patterns over the layers ---------------------------------------------------------------------------------


def every(period: int | str, one: str = "full_attention", others: str = "sliding_attention") -> Pattern:
    """Return a pattern in which each n-th layer is of one kind; `period` may name the field that says n."""

    def pattern(fields: Fields, count: int) -> list[str]:
        n = fields.size(period) if isinstance(period, str) else period
        return [others if (layer + 1) % n else one for layer in range(count)]

    return pattern


def from_first(period: int, one: str = "full_attention", others: str = "sliding_attention") -> Pattern:
    """Return a pattern in which the first layer, and each n-th from there, is of one kind."""
    return lambda fields, count: [others if layer % period else one for layer in range(count)]


def every_from_first(period: str) -> Pattern:
    """Return a pattern in which the first layer attends fully, and each n-th from there, as a field says."""
    return lambda fields, count: from_first(fields.size(period))(fields, count)


def from_last(period: int) -> Pattern:
    """Return a pattern in which the last layer attends fully, and each n-th back from there."""
    return lambda fields, count: [
        "sliding_attention" if (count - 1 - layer) % period else "full_attention" for layer in range(count)
    ]


def everywhere(kind: str) -> Pattern:
    """Return a pattern of one kind."""
    return lambda fields, count: [kind] * count


def above(fields: Fields, count: int) -> list[str]:
    """Return full attention up to `max_window_layers`, windows from there on, where they are switched on."""
    below = fields.size("max_window_layers", low=0)
    slides = fields.flag("use_sliding_window") and fields.optional("sliding_window") is not None
    return ["sliding_attention" if slides and layer >= below else "full_attention" for layer in range(count)]


def first_dense(fields: Fields, count: int) -> list[bool]:
    """Return which layers route: those after the first dense ones."""
    first = min(count, fields.size("first_k_dense_replace", low=0))
    return [False] * first + [True] * (count - first)


def named_or(default: Callable[[Fields, int], Sequence[bool]]) -> Pattern:
    """Return which layers route: as `mlp_layer_types` lists them, else by a default."""

    def pattern(fields: Fields, count: int) -> Sequence[bool]:
        kinds = fields.listed(
            "mlp_layer_types", count, f"dense or sparse for each of {count} layers", ("dense", "sparse")
        )
        return default(fields, count) if kinds is None else [kind == "sparse" for kind in kinds]

    return pattern


def dense_below(first: int) -> Callable[[Fields, int], Sequence[bool]]:
    """Return which layers route: those after so many dense ones."""
    return lambda fields, count: [layer >= first for layer in range(count)]


def by_step(fields: Fields, count: int) -> list[bool]:
    """Return which layers route: every n-th that is not listed as dense (Qwen)."""
    step, never = fields.size("decoder_sparse_step"), fields.indices("mlp_only_layers") or frozenset()
    return [layer not in never and (layer + 1) % step == 0 for layer in range(count)]


def zeros_and_ones(fields: Fields, name: str, count: int) -> list[int] | None:
    """Return a list of a 0 or a 1 for each layer, None where it is absent or empty."""
    return fields.listed(name, count, f"a 0 or a 1 for each of {count} layers", (0, 1))


def marked(fields: Fields, count: int, names: Sequence[str], marks: str) -> list[str]:
    """Return kinds from a string with one letter a layer, as `hybrid_override_pattern` has it."""
    letters = dict(zip(marks, names, strict=True))
    value = fields.raw("hybrid_override_pattern")
    if not isinstance(value, str) or not value or not set(value) <= set(letters):
        raise ConfigError(
            f"the field 'hybrid_override_pattern' is {shown(value, 30)}, but must hold the letters {marks}"
        )
    return [letters[letter] for letter in value]
