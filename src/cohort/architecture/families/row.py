"""A family as a row of traits, and how the traits become layers.

A trait is a value, the name of a field that holds it (of a yes or no), or a function of a place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from cohort.architecture.decoder import Layer, ModelSpec
from cohort.architecture.families.fields import ABSENT, STATED, Fields
from cohort.architecture.feedforward import HyperConnection, Weights
from cohort.errors import ConfigError

Pattern = Callable[[Fields, int], Sequence[Any]]


class Place(NamedTuple):
    """Where a part stands: the fields, the row, the kind of layer, whether it routes, and the rest."""

    fields: Fields
    row: Row
    kind: str = "full_attention"
    routed: bool = False
    other: Any = None

    def flag(self, trait: Any) -> bool:
        """Return a trait that is yes or no."""
        if trait is True or trait is False:
            return trait
        if isinstance(trait, tuple):
            given = {self.fields.flag(each) for each in trait if self.fields.raw(each) not in (None, ABSENT)}
            if len(given) > 1:
                raise ConfigError(f"{' and '.join(trait)} must be the same to be counted")
            return bool(given) and given.pop()
        return self.fields.flag(trait) if isinstance(trait, str) else bool(trait(self))

    def number(self, trait: Any) -> int:
        """Return a trait that is a number, or a field that must hold one."""
        if isinstance(trait, str):
            return self.fields.size(trait)
        return trait if isinstance(trait, int) else int(trait(self))


class Kind(NamedTuple):
    """What a kind of layer has: its mixers, its feed-forward, and its norms where they are other ones.

    `forward` is "both" (dense, or experts where the layer routes), "dense", "experts" or None.
    """

    mixers: tuple[Callable[[Place], Any], ...]
    forward: str | None = "both"
    norms: Any = None


@dataclass(frozen=True)
class Row:
    """The traits of a family. What is not said is as in Llama.

    Attributes
    ----------
    kinds : mapping
        The kinds of layers that the family has, by the names that ``layer_types`` may hold.
    pattern : callable, optional
        The kinds of the layers where the config lists none.
    listed : bool
        Whether the family reads ``layer_types``.
    routed : callable or bool
        Which layers route their tokens to experts.
    varies : callable, optional
        What else differs from layer to layer, one entry each.
    tied : bool, optional
        Whether matrices are tied where the config does not say; None where they never are.
    norm, norms, final : int
        Weights a channel of a normalisation; normalisations of a layer; those after the last layer.
    bias, output_bias, gate, gate_bias, sinks, window :
        Attention: biases of queries, keys and values; of the output; a gate by "head" or "full", and its
        bias; learned sinks; the field of the window.
    query_key_norm, query_key_unit, norm_if :
        A norm of queries and keys by "head" or "full"; its weights a channel, if other ones; whether it is
        there at all.
    head_dim, grouped :
        Heads as wide as "given", else hidden size / heads; this alone ("divided"), which must divide. Whether
        the family reads key-value heads; if not, as many as heads, or what a function says.
    dense, experts :
        What makes the feed-forward networks, a function of the place.
    width, gated, mlp_bias, shared, shared_width, shared_bias, expert :
        Their width, whether they are gated, their biases; shared experts, their width and bias; other traits
        of the experts by the names that `cohort.architecture.Experts` has.
    streams, extra, outside :
        Hyper-connections; further weights of a layer; further weights of the model.
    positions, head_bias, more_rows, head_rows :
        Rows of learned positions; bias of the head; rows of the embedding beyond the vocabulary; rows of the
        head where they differ.
    absent : mapping
        What stands for a field that is absent.
    stated : str
        Sizes that may be absent although others must state them.
    inert : str
        Fields that move no count in this family, although they do in another.
    classes : str
        Further stems of class names that ``architectures`` may hold.
    """

    kinds: Mapping[str, Kind]
    pattern: Pattern | None = None
    listed: bool = False
    routed: Any = False
    varies: Pattern | None = None
    tied: bool | None = False
    norm: Any = 1
    norms: Any = 2
    final: Any = 1
    bias: Any = False
    output_bias: Any = None
    query_key_norm: str | None = None
    query_key_unit: Any = None
    grouped: Any = True
    norm_if: Any = True
    gate: Any = None
    gate_bias: Any = False
    sinks: Any = False
    head_dim: str = "given"
    window: Any = "sliding_window"
    dense: Callable[[Place], Any] | None = None
    experts: Callable[[Place], Any] | None = None
    width: Any = "intermediate_size"
    gated: bool = True
    mlp_bias: Any = False
    expert_width: Any = "moe_intermediate_size"
    shared: Any = 0
    shared_width: Any = None
    shared_bias: Any = False
    expert: Mapping[str, Any] = field(default_factory=dict)
    streams: Callable[[Place], HyperConnection] | None = None
    extra: Callable[[Place], Weights | None] | None = None
    outside: Callable[[Place], Weights | None] | None = None
    positions: Callable[[Fields], int] | None = None
    head_bias: Any = False
    more_rows: Any = 0
    head_rows: Callable[[Fields], int | None] | None = None
    layers: Callable[[Fields], int] | None = None
    embedding_width: str | None = None
    absent: Mapping[str, Any] = field(default_factory=dict)
    stated: str = ""
    inert: str = ""
    classes: str = ""

    def defaults(self, known: Mapping[str, Any], nested: bool) -> Mapping[str, Any]:
        """Return what stands for absent fields: of a nested config all, of one of its own not its sizes."""
        if nested:
            return known
        may = STATED - set(self.stated.split())
        return {name: value for name, value in known.items() if name not in may}


def extend(row: Row, **traits: Any) -> Row:
    """Return a row with some traits changed; `absent`, `expert` and `inert` are added to."""
    for name in ("absent", "expert"):
        if name in traits:
            traits[name] = {**getattr(row, name), **traits[name]}
    if "inert" in traits:
        traits["inert"] = f"{row.inert} {traits['inert']}"
    return replace(row, **traits)


def build(
    fields: Fields,
    row: Row,
    name: str,
    quantization: Mapping[str, Any] | None = None,
    dtype: str | None = None,
) -> ModelSpec:
    """Return the model that the fields of a config and the traits of its family describe."""
    place = Place(fields, row)
    hidden, unit = fields.hidden, place.number(row.norm)
    count = row.layers(fields) if row.layers else fields.layers
    keys = zip(
        _kinds(fields, row, count),
        _routed(fields, row, count),
        row.varies(fields, count) if row.varies else [None] * count,
        strict=True,
    )
    made: dict[tuple[str, bool, Any], Layer] = {}
    layers = []
    for key in keys:
        if key not in made:
            made[key] = _layer(Place(fields, row, *key), hidden, unit)
        layers.append(made[key])
    vocabulary = fields.size("vocab_size")
    rows = row.head_rows(fields) if row.head_rows else None
    more = place.number(row.more_rows)
    return ModelSpec(
        name=name,
        family=fields.family,
        hidden=hidden,
        vocabulary=vocabulary + more,
        layers=tuple(layers),
        tied=_tied(fields, row),
        norm_weights=place.number(row.final) * unit * hidden,
        head_bias=place.flag(row.head_bias),
        position_rows=row.positions(fields) if row.positions else 0,
        embedding_width=fields.optional(row.embedding_width) if row.embedding_width else None,
        context_limit=fields.optional("model_max_length") or fields.optional("max_position_embeddings"),
        head_rows=rows or (vocabulary if more else None),
        extra=row.outside(place) if row.outside else None,
        quantization=quantization,
        dtype=dtype,
    )


def _tied(fields: Fields, row: Row) -> bool:
    value = fields.raw("tie_word_embeddings")
    if value is ABSENT or value is None or row.tied is None:
        return bool(row.tied)
    return fields.flag("tie_word_embeddings")


def _kinds(fields: Fields, row: Row, count: int) -> Sequence[str]:
    known = " or ".join(row.kinds)
    listed = (
        fields.listed("layer_types", count, f"{known} for each of {count} layers", row.kinds)
        if row.listed
        else None
    )
    if listed is not None:
        return listed
    return row.pattern(fields, count) if row.pattern else [next(iter(row.kinds))] * count


def _routed(fields: Fields, row: Row, count: int) -> Sequence[bool]:
    if isinstance(row.routed, bool):
        return [row.routed] * count
    routed: Sequence[bool] = row.routed(fields, count)
    return routed


def _layer(place: Place, hidden: int, unit: int) -> Layer:
    row, kind = place.row, place.row.kinds[place.kind]
    forward = kind.forward
    if forward == "both":
        forward = "experts" if place.routed else "dense"
    make = row.experts if forward == "experts" else row.dense
    if forward and make is None:
        raise ConfigError(f"{place.fields.family} has no {forward} layers")
    norms = place.number(row.norms if kind.norms is None else kind.norms)
    return Layer(
        tuple(made for mixer in kind.mixers if (made := mixer(place)) is not None),
        make(place) if forward and make else None,
        norms * unit * hidden,
        row.streams(place) if row.streams else None,
        row.extra(place) if row.extra else None,
    )
