"""Rows of the table: Gemma 3n and 4, where layers use earlier caches and have sizes of their own."""

from __future__ import annotations

from typing import Any, NamedTuple

from cohort.architecture.attention import GroupedQuery
from cohort.architecture.configs.fields import Fields
from cohort.architecture.families.dense import NORMED
from cohort.architecture.feedforward import Weights
from cohort.architecture.parts import (
    FULL, SLIDING, Place, attention, beside, dense, entry, every, extend, further, only,
)  # fmt: skip
from cohort.errors import ConfigError


class _Gemma(NamedTuple):
    shared: bool
    head_dim: int | None
    kv_heads: int | None
    width: int | None


def _is_3n(fields: Fields) -> bool:
    return fields.family.startswith("gemma3n")


def _gemma_kinds(fields: Fields, count: int) -> list[str]:
    """Return every n-th layer as full, or as listed; in Gemma 4 the last in any case."""
    allowed = f"two kinds of attention for each of {count} layers"
    listed = fields.listed("layer_types", count, allowed, (FULL, SLIDING))
    found = listed or list(every(5 if _is_3n(fields) else 6)(fields, count))
    return found if _is_3n(fields) else [*found[:-1], FULL]


def _gemma_varies(fields: Fields, count: int) -> list[_Gemma]:
    """Return for each layer whether it uses an earlier cache, and what its config overrides."""
    shared = fields.optional("num_kv_shared_layers", low=0) or 0
    kinds = _gemma_kinds(fields, count)
    if not set(kinds) <= set(kinds[: max(0, count - shared)]):
        raise ConfigError(
            f"num_kv_shared_layers ({shared}) leaves a kind of attention without a cache of its own"
        )
    widths: Any = fields.raw("intermediate_size")
    if not isinstance(widths, (list, tuple)):
        widths = [None] * count
    if len(widths) != count:
        raise ConfigError(f"the field 'intermediate_size' has {len(widths)} entries, but must hold {count}")
    found = []
    for layer, written in enumerate(fields.by_layer("per_layer_config", count)):
        sizes = written.optional("head_dim"), written.optional("num_key_value_heads"), widths[layer]
        written.unread(frozenset())
        found.append(_Gemma(layer >= count - shared, *sizes))
    return found


def _gemma(place: Place) -> GroupedQuery:
    """Return attention with wider heads, and fewer for the keys, in full layers; some use earlier caches."""
    fields, other = place.fields, place.other
    full = place.kind == FULL and not _is_3n(fields)
    wide, few = fields.optional("global_head_dim"), fields.optional("num_global_key_value_heads")
    equal, written = fields.flag("attention_k_eq_v"), bool(fields.part("per_layer_config").values)
    head_dim, kv_heads = fields.size("head_dim"), fields.kv_heads()
    if full:
        head_dim = other.head_dim or (head_dim if written else wide or 512)
        kv_heads = other.kv_heads or (few if equal and few and not written else kv_heads)
    return attention(
        place, head_dim=head_dim, kv_heads=kv_heads, norm_weights=head_dim if other.shared else 2 * head_dim,
        cache_shared=other.shared, shared_values=full and equal,
    )  # fmt: skip


def _gemma_width(place: Place) -> int:
    """Return the width of a layer's dense network, doubled where it uses an earlier cache and says so."""
    if place.other.width is not None:
        return entry("intermediate_size", place.other.width)
    doubled = place.flag("use_double_wide_mlp") and place.other.shared
    return place.number("intermediate_size") * (2 if doubled else 1)


def _gemma_extra(place: Place) -> Weights:  # a gate, a projection and a norm for a layer's own embedding
    own = place.fields.size("hidden_size_per_layer_input", low=0)
    return Weights(2 * place.hidden * own, place.hidden if own else 0)


def _gemma_outside(place: Place) -> Weights:
    """Return the table of embeddings for each layer, its projection from the stream, and a norm."""
    own = place.fields.size("hidden_size_per_layer_input", low=0)
    wide = place.fields.layers * own
    return Weights(wide * place.hidden, place.number("vocab_size_per_layer_input") * wide + own)


def _gemma3n_extra(place: Place) -> Weights:  # AltUp, LAuReL and the layer's own embedding
    hidden, n, own = place.hidden, place.number("altup_num_inputs"), _gemma_extra(place)
    rank = place.number("laurel_rank")
    return Weights(n * hidden + n**2 + n**3 + 2 * rank * hidden + own.matrices, 4 * hidden)


def _gemma3n_outside(place: Place) -> Weights:  # the embeddings for each layer, and AltUp at both ends
    own = _gemma_outside(place)
    return Weights(own.matrices + 2 * (place.number("altup_num_inputs") - 1) * place.hidden**2, own.others)


# fmt: off
GEMMA4 = extend(
    NORMED, kinds=only(_gemma, FULL, SLIDING), pattern=_gemma_kinds, varies=_gemma_varies, tied=True,
    norms=lambda at: 7 if at.routed else 4, dense=dense, experts=beside(dense), routed="enable_moe_block",
    expert={"router_scales": True}, width=_gemma_width, extra=_gemma_extra, outside=_gemma_outside,
)

GEMMAS = {
    "gemma4_text": GEMMA4,
    "gemma4_unified_text": extend(
        GEMMA4, routed=False, extra=None, outside=None,
        inert="hidden_size_per_layer_input enable_moe_block vocab_size_per_layer_input",
    ),
    "diffusion_gemma_text": extend(  # beside it a gated network through which it hands its last guess on
        GEMMA4, routed=True, extra=None, absent={"attention_k_eq_v": True},
        outside=further(lambda at: 3 * at.hidden * at.number("intermediate_size"), lambda at: at.hidden),
    ),
    "gemma3n_text": extend(GEMMA4, routed=False, norms=4, extra=_gemma3n_extra, outside=_gemma3n_outside),
}
