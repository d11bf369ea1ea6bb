"""Attention by the traits of a row: grouped queries, cross-attention, latent and compressed attention."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cohort.architecture.attention import CrossAttention, GroupedQuery
from cohort.architecture.latent import Compressed, Indexer, Latent
from cohort.architecture.parts.patterns import COMPRESSION, CSA, FULL, HCA, SLIDING
from cohort.architecture.parts.row import Kind, Part, Place
from cohort.architecture.parts.traits import either
from cohort.errors import ConfigError


def only(part: Part, *names: str, forward: str | None = "both") -> Mapping[str, Kind]:
    """Return kinds of layers that have one mixer.

    Parameters
    ----------
    part : callable
        What makes it, of a place.
    *names : str
        What the kinds are called in ``layer_types``; full attention where nothing is said.
    forward : str, optional
        Their feed-forward, as in `Kind`.

    Returns
    -------
    mapping
        The kinds by name.
    """
    return dict.fromkeys(names or (FULL,), Kind((part,), forward))


def sized(make: Any, *sizes: Any, **flags: Any) -> Part:
    """Return what makes a mixer, or another part, from the traits that hold its sizes.

    Parameters
    ----------
    make : type
        The part.
    *sizes : trait
        Its sizes, in its own order.
    **flags : trait
        What else it is, yes or no, by its own names.

    Returns
    -------
    callable
        From a place to the part.
    """

    def part(place: Place) -> Any:
        said = {name: place.flag(trait) for name, trait in flags.items()}
        return make(*(place.number(trait) for trait in sizes), **said)

    return part


def attention(place: Place, **changed: Any) -> GroupedQuery:
    """Return grouped-query attention by the traits of the row.

    Parameters
    ----------
    place : Place
        Where it stands.
    **changed
        Its own fields that do not follow from the traits.

    Returns
    -------
    GroupedQuery
        The attention.
    """
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
    """Return the width of a head.

    Parameters
    ----------
    place : Place
        Where it stands.

    Returns
    -------
    int
        As given where the family reads it, else hidden size / heads.

    Raises
    ------
    ConfigError
        If there are more heads than the hidden size has channels.
    """
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
    """Return attention with a part as wide as the hidden size, which its heads must add up to.

    Parameters
    ----------
    place : Place
        Where it stands.

    Returns
    -------
    GroupedQuery
        The attention.

    Raises
    ------
    ConfigError
        If they do not.
    """
    if place.heads * width_of_heads(place) != place.hidden:
        raise ConfigError(f"num_attention_heads x head_dim must be hidden_size in {place.fields.family}")
    return attention(place)


def cross_attention(place: Place) -> CrossAttention:
    """Return attention to an image, in place of attention to the text.

    Parameters
    ----------
    place : Place
        Where it stands.

    Returns
    -------
    CrossAttention
        The attention, with a norm of queries and keys by head.
    """
    width = width_of_heads(place)
    return CrossAttention(place.heads, place.fields.kv_heads(), width, norm_weights=2 * width)


def latent(place: Place, **changed: Any) -> Latent:
    """Return latent attention.

    Parameters
    ----------
    place : Place
        Where it stands.
    **changed
        Its own fields that do not follow from the traits.

    Returns
    -------
    Latent
        The attention.

    Raises
    ------
    ConfigError
        If the width of a head is given and is not the sum of its parts.
    """
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
    """Return the indexer of a layer.

    Parameters
    ----------
    place : Place
        Where it stands.
    **changed
        Its own fields that do not follow from the config.

    Returns
    -------
    Indexer
        What chooses the keys that a query sees.
    """
    fields = place.fields
    sizes = fields.size("index_n_heads"), fields.size("index_head_dim"), fields.size("index_topk")
    return Indexer(*sizes, **changed)


def block_attention(place: Place) -> GroupedQuery:
    """Return grouped-query attention to the blocks that an indexer chooses (MiniMax-M3).

    Parameters
    ----------
    place : Place
        Where it stands. The indexer's sizes lie apart as released.

    Returns
    -------
    GroupedQuery
        The attention.
    """
    apart = "sparse_attention_config.sparse_"
    heads = either(f"{apart}num_index_heads", "index_n_heads")(place)
    width = either(f"{apart}index_dim", "index_head_dim")(place)
    block = either(f"{apart}block_size", "index_block_size")(place)
    blocks = either(f"{apart}topk_blocks", "index_topk_blocks")(place)
    place.fields.raw("index_local_blocks")
    return attention(place, indexer=Indexer(heads, width, block * blocks, norm_weights=2 * width))


def sparse_latent(place: Place) -> Latent:
    """Return latent attention over the keys that an indexer chooses, or that an earlier one has chosen.

    Parameters
    ----------
    place : Place
        Where it stands; its `other` is "shared" where an earlier choice is taken over.

    Returns
    -------
    Latent
        The attention.
    """
    return latent(place, indexer=indexer(place, shared=place.other == "shared"))


def compressed(place: Place) -> Compressed:
    """Return DeepSeek-V4's attention: a window alone, with sparse short blocks, or with long ones.

    Parameters
    ----------
    place : Place
        Where it stands; its kind is one of `COMPRESSION`.

    Returns
    -------
    Compressed
        The attention.
    """
    fields, kind = place.fields, place.kind
    rate = fields.part("compress_rates").optional(kind, low=0)
    for name, old in ((CSA, "compress_rate_csa"), (HCA, "compress_rate_hca")):
        given = fields.optional(old, low=0)
        rate = given if name == kind and rate is None else rate
    names = ("head_dim", "q_lora_rank", "o_groups", "o_lora_rank", "sliding_window")
    head_dim, rank, groups, output_rank, window = (fields.size(name) for name in names)
    ratio, index = (COMPRESSION[kind] if rate is None else rate) or None, indexer(place)
    own = index if kind == CSA else None
    return Compressed(fields.heads, head_dim, rank, groups, output_rank, window, ratio, own)
