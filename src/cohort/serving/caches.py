"""What a cache takes as engines hold it: keys and values by type, in pages, windows with a margin."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from math import ceil

from cohort.architecture.attention import GroupedQuery
from cohort.architecture.decoder import ModelSpec
from cohort.architecture.dtypes import Precision, precision, precisions
from cohort.architecture.latent import Latent
from cohort.architecture.layers import Layer
from cohort.architecture.mixing import Mixer
from cohort.errors import integer, unknown
from cohort.errors.arguments import explain
from cohort.numeric import LIMIT, MAX_CONTEXT

_FLASHMLA = "fp8_ds_mla"


@dataclass(frozen=True, slots=True)
class CacheFormat:
    """How a cache is stored.

    Attributes
    ----------
    keys, values : Precision
        How keys and values are stored; all else that is cached is stored as the keys are.
    rotary : Precision, optional
        How the rotary part of latent attention is stored, where not as the keys are.
    """

    keys: Precision
    values: Precision
    rotary: Precision | None = None


def cache_formats() -> list[str]:
    """Return the names that `cache_format` knows; two with a slash between store keys and values apart."""
    return [*precisions(), _FLASHMLA]


def cache_format(name: str | CacheFormat) -> CacheFormat:
    """Return how a cache of that format is stored.

    Parameters
    ----------
    name : str or CacheFormat
        One of `cache_formats`, such as ``fp8``, or keys and values apart, such as ``int8/int4``.
        ``fp8_ds_mla`` is that of DeepSeek's kernels: the latent vector in fp8 with a scale of four bytes for
        each 128 numbers, its rotary part in 16 bits :cite:p:`flashmla`.

    Returns
    -------
    CacheFormat

    Raises
    ------
    UnknownNameError
        If there is none of that name; the message names the nearest.

    Examples
    --------
    >>> found = cache_format("int8/int4")
    >>> found.keys.bits, found.values.bits
    (8, 4)

    See Also
    --------
    cohort.architecture.formats.weight_format : How weights are stored.
    """
    if isinstance(name, CacheFormat):
        return name
    if name == _FLASHMLA:
        scaled = Precision(_FLASHMLA, 8, block=128, scale_bits=32)
        return CacheFormat(scaled, scaled, precision("bf16"))
    keys, _, values = name.partition("/") if isinstance(name, str) else (name, "", "")
    for each in (keys, values or keys):
        if each not in precisions():
            raise unknown("cache format", name, cache_formats())
    return CacheFormat(precision(keys), precision(values or keys))


def cache_bytes(
    spec: ModelSpec,
    layers: range,
    context: int,
    sequences: int,
    stored: CacheFormat,
    *,
    tensor: int = 1,
    page: int = 1,
    ahead: int = 0,
    state_bytes: int = 4,
) -> int:
    """Return the cache of some layers on one device.

    Parameters
    ----------
    spec : ModelSpec
        The model.
    layers : range
        Numbers of the layers, from 0.
    context, sequences : int
        Tokens of each sequence, and sequences.
    stored : CacheFormat
        How it is stored.
    tensor : int
        Devices that share the heads of each layer.
    page : int
        Tokens of a page; whole pages are counted.
    ahead : int
        Tokens that a windowed layer holds beyond its window, since a step reads several at once.
    state_bytes : int
        Bytes of a number of a recurrent state.

    Returns
    -------
    int
        Bytes, rounded up.

    Examples
    --------
    >>> import cohort
    >>> cache_bytes(cohort.model("llama-3-8b"), range(32), 8192, 1, cache_format("fp8")) / 2**30
    0.5
    """
    integer("context", context, 0, MAX_CONTEXT, unit="tokens")
    integer("sequences", sequences, 0, LIMIT)
    integer("tensor", tensor, 1, LIMIT)
    total = Fraction(0)
    for layer, times in _counted(spec, layers):
        states = state_bytes * layer.state_elements(tensor)
        total += times * (states + _of_layer(layer, context, stored, tensor, page, ahead))
    return ceil(sequences * total)


def _counted(spec: ModelSpec, layers: range) -> Iterable[tuple[Layer, int]]:
    """Return the layers that differ, and how many of each there are."""
    if len(layers) == len(spec.layers):
        return spec.distinct_layers
    alike = Counter(id(spec.layers[number]) for number in layers)
    by_id = {id(spec.layers[number]): spec.layers[number] for number in layers}
    return [(layer, alike[key]) for key, layer in by_id.items()]


def _of_layer(
    layer: Layer, context: int, stored: CacheFormat, tensor: int, page: int, ahead: int
) -> Fraction:
    total = Fraction(0)
    for mixer in layer.mixers:
        held = _widened(mixer, ahead)
        total += held.cache_elements(context, page, tensor) * bytes_per_element(held, stored)
    return total


def _widened(mixer: Mixer, ahead: int) -> Mixer:
    """Return a mixer whose window also has room for what a step reads."""
    if ahead and isinstance(mixer, (GroupedQuery, Latent)) and mixer.window is not None:
        return replace(mixer, window=mixer.window + ahead)
    return mixer


def bytes_per_element(mixer: Mixer, stored: CacheFormat) -> Fraction:
    """Return the bytes of a cached number, averaged over what a token leaves.

    Parameters
    ----------
    mixer : Mixer
        What is cached.
    stored : CacheFormat
        How.

    Returns
    -------
    Fraction
        Bytes, with the scales of a format that has any.

    Examples
    --------
    >>> import cohort
    >>> bytes_per_element(cohort.model("llama-3-8b").layers[0].attention, cache_format("bf16"))
    Fraction(2, 1)
    """
    keys, values = _width(stored.keys), _width(stored.values)
    if isinstance(mixer, GroupedQuery) and mixer.values_cached:
        size = mixer.value_dim or mixer.head_dim
        return (mixer.head_dim * keys + size * values) / (mixer.head_dim + size)
    if isinstance(mixer, Latent) and stored.rotary is not None:
        beside = mixer.indexer.cached if mixer.indexer else 0
        whole = mixer.kv_rank + mixer.rope_dim + beside
        # The key of an indexer has a scale of four bytes as well.
        return ((mixer.kv_rank + beside) * keys + mixer.rope_dim * _width(stored.rotary)) / whole
    return keys


@cache
def _width(stored: Precision) -> Fraction:
    return (stored.bits + Fraction(stored.scale_bits, stored.block)) / 8


explain(__name__)
