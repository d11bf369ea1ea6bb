"""From a row and the fields of a config to the layers of a model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cohort.architecture.attention import GroupedQuery
from cohort.architecture.configs.fields import ABSENT, Fields
from cohort.architecture.decoder import ModelSpec
from cohort.architecture.feedforward import Weights
from cohort.architecture.kept import Kept
from cohort.architecture.latent import Compressed, Latent
from cohort.architecture.layers import Layer
from cohort.architecture.mixing import Mixer
from cohort.architecture.parts.row import Place, Row
from cohort.architecture.recurrent import Reused
from cohort.errors import ConfigError

_ROPE = ("rope_parameters", "rope_scaling")
_FACTOR = "partial_rotary_factor"
_LOCAL = ("rope_local_base_freq", "swa_rope_theta")  # of layers with a window
_STATES = ("mamba_ssm_dtype", "mamba_ssm_cache_dtype")


def build(
    fields: Fields,
    row: Row,
    name: str,
    quantization: Mapping[str, Any] | None = None,
    dtype: str | None = None,
) -> ModelSpec:
    """Return the model that the fields of a config and the traits of its family describe.

    Parameters
    ----------
    fields : Fields
        The fields of the text decoder.
    row : Row
        Its family.
    name : str
        What to call it.
    quantization : mapping, optional
        The ``quantization_config`` of the release.
    dtype : str, optional
        Its ``torch_dtype``.

    Returns
    -------
    ModelSpec
        The model, not yet checked for fields that nothing has read.
    """
    place = Place(fields, row)
    hidden, unit = fields.hidden, place.number(row.norm)
    count = fields.layers if row.layers is None else place.number(row.layers)
    layers = _layers(fields, row, count, unit)
    if row.order:
        layers = _passed(layers, row.order(fields, count))
    vocabulary = fields.size("vocab_size")
    rows = fields.optional(row.head_rows) if row.head_rows else None
    more = place.number(row.more_rows)
    for again, value in row.says_again.items():
        _say_again(fields, again, place.number(value))
    return ModelSpec(
        name=name,
        family=fields.family,
        hidden=hidden,
        vocabulary=vocabulary + more,
        layers=layers,
        tied=_tied(fields, row),
        norm_weights=place.number(row.final) * unit * hidden,
        head_bias=place.flag(row.head_bias),
        position_rows=place.number(row.positions),
        embedding_width=fields.optional(row.embedding_width) if row.embedding_width else None,
        context_limit=fields.optional("model_max_length") or fields.optional("max_position_embeddings"),
        head_rows=rows or (vocabulary if more else None),
        extra=_some(row.outside, place),
        quantization=quantization,
        dtype=dtype,
        kept=_kept(fields, row, layers),
    )


def _kept(fields: Fields, row: Row, layers: tuple[Layer, ...]) -> Kept:
    """Return what an engine holds beside weights and cached tokens."""
    said = next((found for name in _ROPE if isinstance(found := fields.raw(name), Mapping)), {})
    states = [found for name in _STATES if isinstance(found := fields.raw(name), str)]
    mixers = {mixer for layer in {id(each): each for each in layers}.values() for mixer in layer.mixers}
    turned = row.rotary and not row.positions and fields.raw("alibi") is not True
    turned = turned and fields.raw("position_embedding_type") != "nope"
    tables = {_table(fields, row, said, mixer) for mixer in mixers} if turned else set()
    return Kept(
        tuple(sorted(width for width, _ in tables if width)),
        row.sections or "mrope_section" in said,
        any(isinstance(mixer, Compressed) for mixer in mixers),
        4 if ("float32" in states if states else row.wide_states) else 2,
    )


def _table(fields: Fields, row: Row, said: Mapping[str, Any], mixer: Mixer) -> tuple[int, str]:
    """Return how wide the rotary table of a mixer is, and for which layers where they differ."""
    if isinstance(mixer, Compressed):
        return fields.optional("qk_rope_head_dim") or 0, "blocks" if mixer.ratio else "window"
    if isinstance(mixer, Latent):
        return mixer.rope_dim, ""
    if not isinstance(mixer, GroupedQuery):
        return 0, ""
    kind = "sliding_attention" if mixer.window else "full_attention"
    apart = row.rotary_apart or any(fields.raw(name) not in (None, ABSENT) for name in _LOCAL)
    own = said.get(kind)
    if isinstance(own, Mapping):
        apart, said = True, own
    width = fields.raw("rotary_dim")
    if said.get("rope_type") == "proportional":  # with the channels that stand still
        width = mixer.head_dim
    elif not isinstance(width, int):
        given = (said.get(_FACTOR), fields.raw(_FACTOR), fields.raw("rotary_pct"), 1)
        width = int(mixer.head_dim * next(each for each in given if isinstance(each, (int, float))))
    return min(width, mixer.head_dim), kind if apart else ""


def _layers(fields: Fields, row: Row, count: int, unit: int) -> tuple[Layer, ...]:
    """Return the layers, each distinct one made once; `unit` is the weights a channel of a norm."""
    kinds, routed = _kinds(fields, row, count), _routed(fields, row, count)
    varied = row.varies(fields, count) if row.varies else [None] * count
    keys = list(zip(kinds, routed, varied, strict=True))
    distinct = keys[:1] if keys.count(keys[0]) == count else dict.fromkeys(keys)  # hashing many takes long
    made = [(key, _layer(Place(fields, row, *key), unit)) for key in distinct]
    if len(made) == 1:
        return (made[0][1],) * count
    return tuple(map(dict(made).__getitem__, keys))


def _passed(layers: Sequence[Layer], order: Sequence[int]) -> tuple[Layer, ...]:
    """Return layers in the order in which a token passes them: again without weights, but with caches."""
    passed, met = list[Layer](), dict[int, Layer]()
    for number in order:
        passed.append(met.get(number, layers[number]))
        if number not in met:
            mixers, forward = layers[number].mixers, layers[number].feedforward
            met[number] = Layer(tuple(map(Reused, mixers)), Reused(forward) if forward else None)
    return tuple(passed)


def _say_again(fields: Fields, name: str, value: int) -> None:
    """Raise where a field says anything but a value, once or for each layer."""
    given = fields.raw(name)
    if not (isinstance(given, (list, tuple)) and given and all(each == value for each in given)):
        fields.must(name, value)


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
    if isinstance(row.routed, (bool, str)):
        return [Place(fields, row).flag(row.routed)] * count
    routed: Sequence[bool] = row.routed(fields, count)
    return routed


def _layer(place: Place, unit: int) -> Layer:
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
        norms * unit * place.hidden,
        row.streams(place) if row.streams else None,
        _some(row.extra, place),
    )


def _some(further: Callable[[Place], Weights | None] | None, place: Place) -> Weights | None:
    made = further(place) if further else None
    return made if made and made.all else None
