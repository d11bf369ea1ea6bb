"""A memory budget: what an engine may use of a device, and what weights, engine and cache take of it.

The memory is what the driver reports. An engine takes a share of it; of that go the weights on a device, and
what the engine needs to run: the activations of the largest batch that it reads at once, its buffers, and
the scores of the vocabulary. What is left holds the cache. Logs differ in the second of these, so that it is
a range (``data/engine_memory.csv``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from math import inf

from cohort.architecture.decoder import Layer, ModelSpec
from cohort.architecture.feedforward import Dense, Experts, Residual
from cohort.architecture.formats import EXPERTS, WeightFormat, weight_format
from cohort.architecture.mixing import Mixer
from cohort.architecture.quantization import released_format
from cohort.architecture.registered import ABSENT, known
from cohort.architecture.registered import model as read_model
from cohort.errors import ParameterError, bounded, integer, one_of
from cohort.numeric import LIMIT, MAX_CONTEXT, ceil_div
from cohort.registry import facts
from cohort.registry.devices import Accelerator, as_accelerator
from cohort.serving.caches import CacheFormat, cache_bytes, cache_format
from cohort.serving.layouts import Layout, held, on_device, stages
from cohort.units import GIB, MIB

ACTIVATION_BYTES = 2
PADDED = "fp4"  # the type whose experts engines pad
# What readers are shown of the kinds of tensors, in this order.
GROUPS = {
    "embedding": ("embedding", "tied"),
    "head": ("head",),
    "attention": ("attention", "value"),
    "feed-forward": ("up", "down", "shared_up", "shared_down"),
    "experts": ("expert_up", "expert_down"),
    "routers and norms": ("router", "norms"),
}


@dataclass(frozen=True, slots=True)
class Engine:
    """What an engine takes for itself, as logs tell.

    Attributes
    ----------
    name : str
        Such as ``vllm``.
    share : float
        Share of the memory that it uses by default.
    page : int
        Tokens of a page of its cache.
    batched_tokens, sequences : tuple of two ints
        Tokens that it reads at once by default, and sequences that it samples for: on most cards, and on
        those of 70 GiB or more since 2022.
    ahead : int, optional
        Tokens that a windowed layer holds beyond its window; None for as many as are read at once.
    padded : int
        Columns to which it pads the inner layer of experts in MXFP4.
    base : tuple of three floats
        Bytes on each device whatever the model, at the least, as a rule and at the most.
    joined : tuple of three floats
        The same on top where several devices are joined.
    activations : tuple of three floats
        Times that what a layer computes is held.
    logits : tuple of three floats
        Bytes of each score of the vocabulary while tokens are sampled.
    """

    name: str
    share: float
    page: int
    batched_tokens: tuple[int, int]
    sequences: tuple[int, int]
    ahead: int | None
    padded: int
    base: tuple[float, float, float]
    joined: tuple[float, float, float]
    activations: tuple[float, float, float]
    logits: tuple[float, float, float]


_BOUNDS = ("low", "value", "high")
LARGE = 70 * GIB  # from here on engines read and sample more at once


@dataclass(frozen=True, slots=True)
class _Running:
    """An engine as it is started on a device."""

    needs: Engine
    share: float
    page: int
    ahead: int
    batched_tokens: int
    sequences: int


def engines() -> list[str]:
    """Return the engines whose needs the data hold, the default first."""
    return list(dict.fromkeys(row["engine"] for row in facts.rows("engine_memory")))


def engine_needs(name: str) -> Engine:
    """Return what an engine takes for itself.

    Parameters
    ----------
    name : str
        One of `engines`.

    Returns
    -------
    Engine

    Raises
    ------
    ParameterError
        If the data hold none of that name.

    Examples
    --------
    >>> engine_needs("vllm").page
    16
    """
    one_of("engine", name, engines())
    return _engine(name, facts.modified("engine_memory"))


@lru_cache(maxsize=16)
def _engine(name: str, modified: int) -> Engine:
    rows = {row["quantity"]: row for row in facts.rows("engine_memory") if row["engine"] == name}

    def three(quantity: str, unit: float = 1.0) -> tuple[float, float, float]:
        low, value, high = (float(rows[quantity][bound]) * unit for bound in _BOUNDS)
        return low, value, high

    return Engine(
        name=name,
        share=float(rows["share"]["value"]),
        page=int(rows["page"]["value"]),
        ahead=int(rows["ahead"]["value"]) if "ahead" in rows else None,
        batched_tokens=(int(rows["batched_tokens"]["low"]), int(rows["batched_tokens"]["high"])),
        sequences=(int(rows["sequences"]["low"]), int(rows["sequences"]["high"])),
        padded=int(rows["padded"]["value"]) if "padded" in rows else 1,
        base=three("base", MIB),
        joined=three("joined", MIB),
        activations=three("activations"),
        logits=three("logits"),
    )


@dataclass(frozen=True)
class Budget:
    """What one device holds, the fullest of the layout, in bytes.

    Attributes
    ----------
    model, accelerator, engine : str
        Names.
    layout : Layout
        How devices share the model.
    weight_format : str
        How the weights are stored.
    context, batch : int
        Tokens of each sequence, and sequences.
    offered : int, optional
        The longest context that the model is offered for; None where neither its makers nor its config say.
    memory : int
        What the driver reports.
    usable : int
        What the engine may use of it.
    weights : tuple of (str, int)
        Weights by group of tensors.
    runtime : tuple of three ints
        What the engine takes for itself: at the least, as a rule, at the most.
    cache : int
        The cache of all sequences at their full context.
    per_sequence : float
        The cache of one sequence.
    """

    model: str
    accelerator: str
    engine: str
    layout: Layout
    weight_format: str
    context: int
    batch: int
    offered: int | None
    memory: int
    usable: int
    weights: tuple[tuple[str, int], ...]
    runtime: tuple[int, int, int]
    cache: int
    per_sequence: float

    @property
    def weight_bytes(self) -> int:
        """All weights on the device."""
        return sum(size for _, size in self.weights)

    @property
    def room(self) -> int:
        """What weights and runtime leave for the cache, as a rule; negative where they do not fit."""
        return self.usable - self.weight_bytes - self.runtime[1]

    @property
    def room_range(self) -> tuple[int, int]:
        """The least and the most that may be left for the cache."""
        left = self.usable - self.weight_bytes
        return left - self.runtime[2], left - self.runtime[0]

    @property
    def free(self) -> int:
        """What is left beside the cache, as a rule; negative where it does not fit."""
        return self.room - self.cache

    @property
    def fits(self) -> bool:
        """Whether weights, runtime and cache fit, as a rule."""
        return self.free >= 0

    @property
    def verdict(self) -> str:
        """``fits``, ``fits as a rule``, ``may fit`` or ``does not fit``, by the range of the runtime."""
        least, most = self.room_range
        if self.cache <= least:
            return "fits"
        if self.fits:
            return "fits as a rule"
        return "may fit" if self.cache <= most else "does not fit"

    @property
    def reason(self) -> str:
        """Why it does not fit, in a sentence; empty if it does."""
        if self.fits:
            return ""
        if self.room < 0:
            needed = self.weight_bytes + self.runtime[1]
            return (
                f"the weights and the engine take {needed / GIB:,.1f} GiB of each device, "
                f"of which {self.usable / GIB:,.1f} GiB can be used"
            )
        return (
            f"the cache takes {self.cache / GIB:,.1f} GiB of each device, "
            f"of which {max(self.room, 0) / GIB:,.1f} GiB are left"
        )

    @property
    def cache_tokens(self) -> int:
        """Tokens that the room holds in all sequences of that context, over all copies of the attention."""
        if self.room <= 0 or not self.per_sequence:
            return 0
        return int(self.room / self.per_sequence * self.context) * self.layout.data

    @property
    def beyond_offer(self) -> bool:
        """Whether the context is longer than the model is offered for."""
        return self.offered is not None and self.context > self.offered


def offered_context(spec: ModelSpec) -> int | None:
    """Return the longest context that a model is offered for.

    Parameters
    ----------
    spec : ModelSpec
        The model.

    Returns
    -------
    int or None
        Tokens: what the makers state, else what the config says, else None.
    """
    stated = known(spec).get("inference_context", ABSENT).number
    return int(stated) if stated else spec.context_limit


def memory_budget(
    model: str | ModelSpec,
    accelerator: str | Accelerator,
    devices: int | Layout = 1,
    *,
    context: int | None = None,
    batch: int = 1,
    weight_dtype: str | WeightFormat = "released",
    kv_dtype: str | CacheFormat = "bf16",
    engine: str = "vllm",
    share: float | None = None,
    batched_tokens: int | None = None,
    sequences: int | None = None,
    page: int | None = None,
    ahead: int | None = None,
    shared_prefix: int = 0,
    offloaded: float = 0.0,
) -> Budget:
    """Return what a model, its cache and its engine take of the memory of each device.

    Parameters
    ----------
    model : str or ModelSpec
        A model, or its name.
    accelerator : str or Accelerator
        An accelerator, or its name.
    devices : int or Layout
        Devices that share each layer, or how they share the model.
    context : int, optional
        Tokens of each sequence; by default what the model is offered for.
    batch : int
        Sequences.
    weight_dtype : str or WeightFormat
        One of `cohort.architecture.formats.weight_formats`, or ``released``: as the config says.
    kv_dtype : str or CacheFormat
        One of `cohort.serving.caches.cache_formats`; ``int8/int4`` are keys and values.
    engine : str
        One of `engines`.
    share : float, optional
        Share of the memory that the engine may use, above 0 and at most 1; by default the engine's own.
    batched_tokens, sequences : int, optional
        Tokens that are read at once, and sequences that are sampled for at once; by default the engine's.
    page, ahead : int, optional
        Tokens of a page, and tokens that a windowed layer holds beyond its window: 0 is the ideal window.
    shared_prefix : int
        First tokens that all sequences have in common, and that are held once.
    offloaded : float
        Share of the cache that is kept in the memory of the host, from 0 to 1.

    Returns
    -------
    Budget

    Raises
    ------
    UnknownNameError
        If a name is not known.
    ParameterError
        If an argument is out of its range.

    See Also
    --------
    longest_context : How long the sequences may become.
    largest_batch : How many of them fit.
    cohort.serving.training_memory : What a step of training takes.

    Examples
    --------
    >>> import cohort
    >>> found = cohort.serving.memory_budget("llama-3-8b", "H100 SXM 80GB", context=8192)
    >>> found.fits, round(found.weight_bytes / 2**30, 1)
    (True, 15.0)
    """
    spec = model if isinstance(model, ModelSpec) else read_model(model)
    device, needs = as_accelerator(accelerator), engine_needs(engine)
    large = device.allocatable_bytes >= LARGE and device.year >= 2022
    tokens = _chosen("batched_tokens", batched_tokens, needs.batched_tokens[large], 1)
    running = _Running(
        needs=needs,
        share=needs.share if share is None else bounded("share", share, 0, 1, above=True),
        page=_chosen("page", page, needs.page, 1),
        ahead=_chosen("ahead", ahead, tokens if needs.ahead is None else needs.ahead, 0),
        batched_tokens=tokens,
        sequences=_chosen("sequences", sequences, needs.sequences[large], 1),
    )
    return _budget(
        spec,
        device,
        devices if isinstance(devices, Layout) else Layout(_devices(devices)),
        running,
        context=_context(spec, context),
        batch=integer("batch", batch, 1, LIMIT, unit="sequences"),
        weights=_weight_format(spec, weight_dtype),
        cache=cache_format(kv_dtype),
        prefix=integer("shared_prefix", shared_prefix, 0, MAX_CONTEXT, unit="tokens"),
        offloaded=bounded("offloaded", offloaded, 0, 1),
    )


def _devices(devices: object) -> int:
    return integer("devices", devices, 1, 4096, ParameterError, "devices")


def _context(spec: ModelSpec, context: int | None) -> int:
    if context is None:
        context = offered_context(spec)
        if context is None:
            raise ParameterError(f"{spec.name} states no context: name one")
    return integer("context", context, 1, MAX_CONTEXT, unit="tokens")


def _chosen(name: str, given: int | None, usual: int, low: int) -> int:
    return usual if given is None else integer(name, given, low, MAX_CONTEXT, unit="tokens")


def _weight_format(spec: ModelSpec, weight_dtype: str | WeightFormat) -> WeightFormat:
    if weight_dtype == "released":
        return released_format(spec.quantization, spec.dtype)
    return weight_format(weight_dtype)


def _budget(
    spec: ModelSpec,
    device: Accelerator,
    layout: Layout,
    running: _Running,
    *,
    context: int,
    batch: int,
    weights: WeightFormat,
    cache: CacheFormat,
    prefix: int,
    offloaded: float,
) -> Budget:
    """Return the budget of the stage that has the least memory left."""
    sequences = layout.sequences(batch)
    found = []
    for stage in stages(spec, layout):

        def size(tokens: int, count: int, stage: range = stage) -> int:
            return cache_bytes(
                spec,
                stage,
                tokens,
                count,
                cache,
                tensor=layout.tensor,
                page=running.page,
                ahead=running.ahead,
            )

        one = size(context, 1)
        total = size(context, sequences)
        if prefix and sequences > 1:
            total -= (sequences - 1) * size(min(prefix, context), 1)
        found.append(
            Budget(
                model=spec.name,
                accelerator=device.name,
                engine=running.needs.name,
                layout=layout,
                weight_format=weights.name,
                context=context,
                batch=batch,
                offered=offered_context(spec),
                memory=device.driver_bytes,
                usable=int(running.share * device.allocatable_bytes),
                weights=_grouped(spec, layout, stage, weights, running.needs.padded),
                runtime=_runtime(spec, layout, stage, running),
                cache=round(total * (1 - offloaded)),
                per_sequence=one * (1 - offloaded),
            )
        )
    return min(found, key=lambda each: each.free)


@lru_cache(maxsize=256)
def _grouped(
    spec: ModelSpec, layout: Layout, stage: range, stored: WeightFormat, padded: int
) -> tuple[tuple[str, int], ...]:
    sizes: dict[str, float] = {}
    count = len(spec.layers)
    for tensor in held(spec, layout, stage):
        width = float(stored.bits(tensor.kind, tensor.layer, count, tensor.row)) / 8
        experts = spec.layers[tensor.layer].experts if tensor.kind in EXPERTS else None
        if experts and stored.main.name == PADDED:
            part = experts.width if layout.expert else ceil_div(experts.width, layout.tensor)
            width *= ceil_div(part, padded) * padded / part
        sizes[tensor.kind] = sizes.get(tensor.kind, 0.0) + width * tensor.weights
    groups = {name: sum(sizes.get(kind, 0.0) for kind in kinds) for name, kinds in GROUPS.items()}
    return tuple((name, round(size)) for name, size in groups.items() if size)


@lru_cache(maxsize=256)
def _runtime(spec: ModelSpec, layout: Layout, stage: range, runs: _Running) -> tuple[int, int, int]:
    """Return what an engine takes for itself on a device: at the least, as a rule and at the most.

    A layer's activations are given back before tokens are sampled, so that the larger of the two counts.
    """
    distinct = {id(spec.layers[number]): spec.layers[number] for number in stage}.values()
    widest = max(_working(layer, spec.hidden, layout) for layer in distinct)
    computed = ACTIVATION_BYTES * runs.batched_tokens * (3 * spec.hidden + widest)
    last = stage.stop == len(spec.layers)
    scores = runs.sequences * (spec.head_rows or spec.vocabulary) if last else 0
    needs = runs.needs
    joined = needs.joined if layout.devices > 1 else (0.0, 0.0, 0.0)
    low, usual, high = (
        round(base + more + max(times * computed, wide * scores))
        for base, more, times, wide in zip(needs.base, joined, needs.activations, needs.logits, strict=True)
    )
    return low, usual, high


def _working(layer: Layer, hidden: int, layout: Layout) -> float:
    """Return the numbers that a layer computes of each token at once, on one device."""
    feedforward = layer.feedforward
    dense = feedforward.dense if isinstance(feedforward, Residual) else feedforward
    inner = [0.0]
    if isinstance(dense, Dense):
        inner.append((3 if dense.gated else 2) * dense.width / layout.tensor)
    if layer.experts:
        inner.append(_routed(layer.experts, hidden, layout))
    return max(*inner, *(_mixed(each, hidden, layout.tensor) for each in layer.mixers), 0.0)


def _routed(experts: Experts, hidden: int, layout: Layout) -> float:
    """Return the numbers of a token's experts: their inner layers, and an output each."""
    split = 1 if layout.expert else layout.tensor
    each = (3 if experts.gated else 2) * experts.width / split + (experts.latent or hidden)
    return experts.active * each


def _mixed(mixer: Mixer, hidden: int, devices: int) -> float:
    """Return the numbers that a mixer computes of a token: about as many as its matrices have columns."""
    part = on_device(mixer, devices)
    if part is None:
        return mixer.matmul_parameters(hidden) / hidden / devices
    return part.matmul_parameters(hidden) / hidden


def longest_context(
    model: str | ModelSpec, accelerator: str | Accelerator, devices: int | Layout = 1, **asked: object
) -> float:
    """Return the longest context at which a batch still fits.

    Parameters
    ----------
    model, accelerator, devices
        As in `memory_budget`.
    **asked
        Further arguments of `memory_budget`, but for ``context``.

    Returns
    -------
    float
        Tokens: 0 where none fits, infinite where the cache stops growing. What a model is offered for is
        another question: `offered_context`.

    Raises
    ------
    CohortError
        As in `memory_budget`.

    Examples
    --------
    >>> import cohort
    >>> cohort.serving.longest_context("llama-3-8b", "H100 SXM 80GB") > 8192
    True
    """

    def fits(context: int) -> bool:
        return memory_budget(model, accelerator, devices, context=context, **asked).fits  # type: ignore[arg-type]

    most = _largest(fits)
    return inf if most == MAX_CONTEXT else most


def largest_batch(
    model: str | ModelSpec, accelerator: str | Accelerator, devices: int | Layout = 1, **asked: object
) -> int:
    """Return the most sequences that fit at once.

    Parameters
    ----------
    model, accelerator, devices
        As in `memory_budget`.
    **asked
        Further arguments of `memory_budget`, but for ``batch``.

    Returns
    -------
    int
        Sequences; 0 where none fits.

    Raises
    ------
    CohortError
        As in `memory_budget`.

    Examples
    --------
    >>> import cohort
    >>> cohort.serving.largest_batch("llama-3-8b", "H100 SXM 80GB", context=8192) > 1
    True
    """

    def fits(batch: int) -> bool:
        return memory_budget(model, accelerator, devices, batch=batch, **asked).fits  # type: ignore[arg-type]

    return _largest(fits)


def _largest(fits: Callable[[int], bool]) -> int:
    """Return the largest number that fits, where every smaller one fits as well."""
    if fits(MAX_CONTEXT):
        return MAX_CONTEXT
    low, high = 0, 1
    while fits(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


__all__ = [
    "Budget",
    "Engine",
    "engine_needs",
    "engines",
    "largest_batch",
    "longest_context",
    "memory_budget",
    "offered_context",
]
