"""What a step of a model does on one device, as operations: bytes it reads, and FLOPs, by type and kind.

Nothing here depends on how fast a device is. `cohort.serving.step` times these operations.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from math import log, sqrt
from typing import TypeVar

from cohort.architecture.attention import GroupedQuery
from cohort.architecture.decoder import ModelSpec
from cohort.architecture.feedforward import Dense, Experts, Residual
from cohort.architecture.formats import WeightFormat
from cohort.architecture.latent import Latent
from cohort.architecture.layers import Layer
from cohort.architecture.mixing import Mixer
from cohort.architecture.recurrent import Reused
from cohort.errors.arguments import explain
from cohort.serving.layouts import Layout, on_device

LATENT = frozenset({"MLA", "CSA", "HCA"})  # kinds of attention whose heads share one vector a token
RECURRENT = frozenset({"linear", "convolution"})
# Kernels that a layer launches for its products, one a matrix but where engines join them.
PROJECTIONS = {"latent": 5, "recurrent": 3, "grouped": 2}
INDEXED = 4  # an indexer projects queries and keys, scores, and chooses
FEEDFORWARD = 2  # what widens, gate and all, and what narrows
STATE_BYTES = 4  # of a number of a recurrent state


@dataclass(frozen=True, slots=True)
class Product:
    """Products with weights that every token meets, of alike layers.

    Attributes
    ----------
    dtype : str
        How the weights are stored.
    weight_bytes : float
        Weights of one layer on one device.
    flops : float
        FLOPs of one token in them.
    kernels : int
        Launches.
    times : int
        Layers.
    """

    dtype: str
    weight_bytes: float
    flops: float
    kernels: int
    times: int


@dataclass(frozen=True, slots=True)
class Routed:
    """Products with the routed experts of alike layers.

    Attributes
    ----------
    dtype : str
        How the weights are stored.
    experts, active : int
        Experts of a layer, and how many a token is sent to.
    weight_bytes, flops : float
        Of one expert; FLOPs for one token.
    devices : int
        Devices that the experts of a layer are divided among.
    dealt : bool
        Whether whole experts are dealt out; if not, each is split.
    times : int
        Layers.
    """

    dtype: str
    experts: int
    active: int
    weight_bytes: float
    flops: float
    devices: int
    dealt: bool
    times: int

    def read(self, tokens: float) -> float:
        """Return the bytes that one device reads of one layer, each expert as likely as the others.

        Parameters
        ----------
        tokens : float
            Tokens that pass through, of all copies of the attention.

        Returns
        -------
        float
            Bytes.
        """
        share = self.active / self.experts
        covered = self.experts * (1.0 if share >= 1 else 1.0 - (1.0 - share) ** tokens)
        return covered * self.weight_bytes / self.devices

    def work(self, tokens: float) -> float:
        """Return the FLOPs of the busiest device in one layer.

        Where whole experts are dealt out, some device has more tokens than the mean: by about
        sqrt(2 ln D) standard deviations of a count that scatters as one of Poisson does.

        Parameters
        ----------
        tokens : float
            Tokens that pass through, of all copies of the attention.

        Returns
        -------
        float
            FLOPs.
        """
        mean = tokens * self.active / self.devices
        if self.dealt and self.devices > 1 and mean > 0:
            mean = min(mean + sqrt(2.0 * log(self.devices) * mean), tokens * self.active)
        return mean * self.flops


@dataclass(frozen=True, slots=True)
class Mixing:
    """Attention or a recurrence of alike layers, without its projections.

    Attributes
    ----------
    mixer : Mixer
        What mixes, of all devices.
    kind : str
        ``grouped``, ``latent`` or ``recurrent``.
    devices : int
        Devices that share its heads.
    times : int
        Layers.
    """

    mixer: Mixer
    kind: str
    devices: int
    times: int


_Part = TypeVar("_Part", Product, Routed, Mixing)


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that a token of a model meets on one device.

    Attributes
    ----------
    products, routed, mixing : tuple
        The operations, alike layers together.
    layers : int
        Layers of the model.
    mixtures : int
        Layers with routed experts.
    reduced : int
        Times that the devices of a copy add up what they hold of a token, in all layers.
    beside : int
        Further launches: one where an attention normalises queries and keys, and those of indexers.
    small : int
        Times that devices add up a number of each token: to normalise all heads' queries together.
    head : Product
        The output head, which only tokens to come meet.
    """

    products: tuple[Product, ...]
    routed: tuple[Routed, ...]
    mixing: tuple[Mixing, ...]
    layers: int
    mixtures: int
    reduced: int
    beside: int
    small: int
    head: Product


def kind_of(mixer: Mixer) -> str:
    """Return how a mixer is timed.

    Parameters
    ----------
    mixer : Mixer
        The attention, or the recurrence.

    Returns
    -------
    str
        ``latent``, ``recurrent`` or ``grouped``.
    """
    if mixer.kind in LATENT:
        return "latent"
    return "recurrent" if mixer.kind in RECURRENT else "grouped"


@lru_cache(maxsize=1024)
def operations_of(spec: ModelSpec, layout: Layout, stored: WeightFormat) -> Plan:
    """Return what a step does on one device.

    Parameters
    ----------
    spec : ModelSpec
        The model.
    layout : Layout
        How the devices of a stage share it; a pipeline's stages are taken one after the other.
    stored : WeightFormat
        How the weights are stored.

    Returns
    -------
    Plan
    """
    count = len(spec.layers)
    products: Counter[Product] = Counter()
    routed: Counter[Routed] = Counter()
    mixing: Counter[Mixing] = Counter()
    mixtures = reduced = beside = small = 0
    for number, layer, times in _alike(spec, stored):
        for each in _products(layer, spec.hidden, layout, stored, number, count):
            products[each] += times
        for mixer in layer.mixers:
            mixing[Mixing(_part(mixer), kind_of(mixer), layout.tensor, 1)] += times
        if layer.experts:
            mixtures += times
            routed[_routed(layer.experts, spec.hidden, layout, stored, number, count)] += times
        beside += times * sum(_beside(each) for each in layer.mixers)
        mixes, feeds = bool(layer.mixers), layer.feedforward is not None
        if layout.tensor > 1:
            reduced += times * (mixes + feeds)
            small += times * sum(_normed_together(each) for each in layer.mixers)
        else:
            reduced += times * (bool(layer.experts) and layout.data > 1)
    return Plan(
        tuple(_repeated(products)),
        tuple(_repeated(routed)),
        tuple(_repeated(mixing)),
        count,
        mixtures,
        reduced,
        beside,
        small,
        _head(spec, layout, stored),
    )


def _alike(spec: ModelSpec, stored: WeightFormat) -> Iterator[tuple[int, Layer, int]]:
    """Yield layers that are one object, by the number of the first, with how many they are.

    Each layer stands for itself where a format stores some layers otherwise than others.
    """
    if stored.exceptions:
        yield from ((number, layer, 1) for number, layer in enumerate(spec.layers))
        return
    times = Counter(map(id, spec.layers))
    for number, layer in enumerate(spec.layers):
        if id(layer) in times:
            yield number, layer, times.pop(id(layer))


def _repeated(found: Counter[_Part]) -> Iterator[_Part]:
    return (replace(each, times=times) for each, times in found.items())


def _beside(mixer: Mixer) -> int:
    """Return how many kernels an attention launches beside its projections and itself."""
    if isinstance(mixer, GroupedQuery) and mixer.norm_weights:
        return 1
    return INDEXED if isinstance(mixer, Latent) and mixer.indexer and not mixer.indexer.shared else 0


def _normed_together(mixer: Mixer) -> bool:
    """Whether queries and keys are normalised over all heads, as in MiniMax-M2, and not each by itself."""
    return isinstance(mixer, GroupedQuery) and mixer.norm_weights > 2 * mixer.head_dim


def _part(mixer: Mixer) -> Mixer:
    return mixer.part if isinstance(mixer, Reused) and isinstance(mixer.part, Mixer) else mixer


def _products(
    layer: Layer, hidden: int, layout: Layout, stored: WeightFormat, number: int, count: int
) -> Iterator[Product]:
    """Yield the products of a layer that every token meets."""

    def product(kind: str, weights: float, kernels: int) -> Product:
        found = stored.precision(kind, number, count)
        width = float(stored.bits(kind, number, count)) / 8
        return Product(found.name, weights * width, 2.0 * weights, kernels, 1)

    for mixer in layer.mixers:
        part = on_device(_part(mixer), layout.tensor)
        whole = mixer.matmul_parameters(hidden)
        weights = whole / layout.tensor if part is None else part.matmul_parameters(hidden)
        if weights:
            yield product("attention", weights, PROJECTIONS[kind_of(mixer)])
    feedforward = _part(layer.feedforward) if isinstance(layer.feedforward, Reused) else layer.feedforward
    dense = feedforward.dense if isinstance(feedforward, Residual) else feedforward
    if isinstance(dense, Dense):
        yield product("up", dense.matmul_parameters(hidden) / layout.tensor, FEEDFORWARD)
    if layer.experts:
        yield product("router", layer.experts.router_parameters(hidden), 1)
        shared = layer.experts.shared_matrices(hidden)
        if shared:
            yield product("shared_up", shared / layout.tensor, FEEDFORWARD)
    beside = (2 * layer.streams.matmul_parameters(hidden) if layer.streams else 0) + (
        layer.extra.matrices if layer.extra else 0
    )
    if beside:
        yield product("norms", beside, 1)


def _routed(
    experts: Experts, hidden: int, layout: Layout, stored: WeightFormat, number: int, count: int
) -> Routed:
    each = experts.expert.matmul_parameters(experts.latent or hidden)
    width = float(stored.bits("expert_up", number, count)) / 8
    name = stored.precision("expert_up", number, count).name
    devices = layout.tensor * layout.data
    return Routed(name, experts.count, experts.active, each * width, 2.0 * each, devices, layout.expert, 1)


def _head(spec: ModelSpec, layout: Layout, stored: WeightFormat) -> Product:
    rows = (spec.head_rows or spec.vocabulary) * (spec.embedding_width or spec.hidden)
    kind = "tied" if spec.tied else "head"
    width = float(stored.bits(kind)) / 8
    shared = layout.tensor
    return Product(stored.precision(kind).name, rows * width / shared, 2.0 * rows / shared, 1, 1)


def cache_read(mixer: Mixer, context: int, devices: int) -> float:
    """Return the cached numbers that one new token of a sequence reads on one device.

    Parameters
    ----------
    mixer : Mixer
        The attention.
    context : int
        Tokens of the sequence.
    devices : int
        Devices that share its heads.

    Returns
    -------
    float
        Numbers: all that is cached, but where an indexer chooses, its keys and what it chose.
    """
    if not isinstance(mixer, Latent) or mixer.indexer is None or context <= mixer.indexer.top_k:
        return mixer.cache_elements(context, 1, devices)
    return (mixer.kv_rank + mixer.rope_dim) * mixer.indexer.top_k + mixer.indexer.cached * context


explain(__name__)
