"""A memory budget: what an engine may use of a device, and what weights, engine and cache take of it.

The memory is what the driver reports. An engine takes a share of it; of that go the weights on a device, and
what the engine needs to run: the activations of the largest batch that it reads at once, its buffers, and
the scores of the vocabulary. What is left holds the cache. Logs differ in what engines need, so that it is a
range (``data/engine_memory.csv``).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from math import inf

from cohort.architecture.decoder import ModelSpec
from cohort.architecture.formats import WeightFormat, weight_format
from cohort.architecture.registered import ABSENT, known
from cohort.architecture.registered import model as read_model
from cohort.errors import ParameterError, bounded, integer
from cohort.errors.arguments import explain
from cohort.numeric import LIMIT, MAX_CONTEXT, largest
from cohort.registry.devices import Accelerator, as_accelerator
from cohort.serving.caches import CacheFormat, cache_bytes, cache_format
from cohort.serving.engine_runtime import (
    Engine,
    Running,
    engine_needs,
    keeps_buffers,
    kernels_of,
    size_class,
    takes_flashinfer,
)
from cohort.serving.layouts import Layout, stages
from cohort.serving.loaded import loaded_weights
from cohort.serving.packed import packed_pool
from cohort.serving.pages import Pool, Sharing, shared_pool
from cohort.serving.trial import runtime
from cohort.units import GIB


def _gib(size: float) -> str:
    """Write an amount of memory in GiB, without tenths where there are thousands."""
    return f"{size / GIB:,.1f} GiB" if size < 1000 * GIB else f"{size / GIB:,.0f} GiB"


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
    block : int
        The least of the cache that is handed out at once.
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
    block: int = 1

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
        """Whether it fits, as far as the range of what the engine takes tells.

        ``fits`` at the most that logs show, ``fits as a rule`` at what is usual, ``may fit`` at the least, or
        ``does not fit``.
        """
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
                f"the weights and the engine take {_gib(needed)} of each device, "
                f"of which {_gib(self.usable)} can be used"
            )
        return (
            f"the cache takes {_gib(self.cache)} of each device, of which {_gib(max(self.room, 0))} are left"
        )

    @property
    def cache_tokens(self) -> int:
        """Tokens that the room holds in all sequences of that context, over all copies of the attention."""
        return self._tokens(self.room)

    @property
    def cache_tokens_range(self) -> tuple[int, int]:
        """The least and the most tokens that may find room."""
        least, most = self.room_range
        return self._tokens(least), self._tokens(most)

    def _tokens(self, room: int) -> int:
        if room <= 0 or not self.per_sequence:
            return 0
        handed_out = room // self.block * self.block
        return int(handed_out / self.per_sequence * self.context) * self.layout.data

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

    Examples
    --------
    >>> import cohort
    >>> offered_context(cohort.model("llama-3-8b"))
    8192

    See Also
    --------
    longest_context : The longest that fits.
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
    version: str | None = None,
    share: float | None = None,
    batched_tokens: int | None = None,
    sequences: int | None = None,
    page: int | None = None,
    ahead: int | None = None,
    shared_prefix: int = 0,
    offloaded: float = 0.0,
    images: bool = True,
    drafted: int = 0,
    prefix_caching: bool | None = None,
    kernels: str | Collection[str] = (),
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
    version : str, optional
        Version of the engine, such as ``0.19.1``, as far as the data tell versions apart; by default the
        newest that they know.
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
    images : bool
        Whether the encoder of images is loaded too, where model and engine have one.
    drafted : int
        Tokens that a drafter of the model's own proposes at once; 0 where none is loaded.
    prefix_caching : bool, optional
        Whether states of recurrent layers are kept for texts to come; by default as the engine has it.
    kernels : str or collection of str
        Kernels that the engine takes in place of its usual ones, ``eager`` where it is started without
        CUDA graphs, and ``compiled`` where an earlier start with the same settings has compiled the model:
        of `KERNELS` in `cohort.serving.engine_runtime`.

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
    device = as_accelerator(accelerator)
    needs = _on(device, engine_needs(engine, version))
    large, cache = size_class(device, needs), cache_format(kv_dtype)
    weights, taken = _weight_format(spec, weight_dtype), kernels_of(kernels)
    tokens = _chosen("batched_tokens", batched_tokens, needs.batched_tokens[large], 1)
    running = Running(
        needs=needs,
        share=needs.share if share is None else bounded("share", share, 0, 1, above=True),
        page=_chosen("page", page, needs.page, 1),
        ahead=_chosen("ahead", ahead, _under_way(needs, tokens, devices), 0),
        batched_tokens=tokens,
        sequences=_chosen("sequences", sequences, needs.sequences[large], 1),
        images=bool(images),
        flashinfer=takes_flashinfer(device, cache),
        linked=device.joined > 1,
        drafted=integer("drafted", drafted, 0, MAX_CONTEXT, unit="tokens"),
        states=needs.states if prefix_caching is None else 1 + bool(prefix_caching),
        buffered=keeps_buffers(spec, weights, device, needs, taken["marlin"]),
        context=_context(spec, context) if needs.gathered and _indexes(spec) else 0,
        **taken,
    )
    return _budget(
        spec,
        device,
        devices if isinstance(devices, Layout) else Layout(_devices(devices)),
        running,
        context=_context(spec, context),
        batch=integer("batch", batch, 1, LIMIT, unit="sequences"),
        weights=weights,
        cache=cache,
        prefix=integer("shared_prefix", shared_prefix, 0, MAX_CONTEXT, unit="tokens"),
        offloaded=bounded("offloaded", offloaded, 0, 1),
    )


def _on(device: Accelerator, needs: Engine) -> Engine:
    """Return what an engine takes on a device, with what its host takes of a shared memory or is not seen."""
    beside = needs.host if device.unified else (0.0, 0.0, needs.unseen * device.allocatable_bytes)
    low, usual, high = (own + more for own, more in zip(needs.base, beside, strict=True))
    return replace(needs, base=(low, usual, high))


def _under_way(needs: Engine, tokens: int, devices: int | Layout) -> int:
    """Return the tokens that a window holds of batches under way: one more than stages, scheduled ahead."""
    if needs.ahead is not None:
        return needs.ahead
    stages = devices.pipeline if isinstance(devices, Layout) and needs.in_flight > 1 else 1
    return tokens * (needs.in_flight + stages - 1)


def _indexes(spec: ModelSpec) -> bool:
    return any(getattr(each, "indexer", None) for layer, _ in spec.distinct_layers for each in layer.mixers)


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
        return spec.released_format
    return weight_format(weight_dtype)


def _budget(
    spec: ModelSpec,
    device: Accelerator,
    layout: Layout,
    running: Running,
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
        one, block = _of_one(spec, stage, layout, running, context, cache)
        total = sequences * one
        if prefix and sequences > 1:
            shared = _of_one(spec, stage, layout, running, min(prefix, context), cache)[0]
            total -= (sequences - 1) * shared
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
                weights=loaded_weights(spec, layout, stage, weights, device, running),
                runtime=runtime(spec, layout, stage, running),
                cache=round(total * (1 - offloaded)),
                per_sequence=one * (1 - offloaded),
                block=block,
            )
        )
    return min(found, key=lambda each: each.free)


def _of_one(
    spec: ModelSpec, stage: range, layout: Layout, running: Running, context: int, cache: CacheFormat
) -> tuple[int, int]:
    """Return the cache of one sequence of a stage, and the least of it that is handed out at once."""
    pool: Pool | None = None
    if running.needs.evened is not None:
        sharing = Sharing(
            running.page, running.ahead, running.needs.evened, running.states, drafted=running.drafted
        )
        pool = shared_pool(spec, stage, context, cache, layout.tensor, sharing)
        pool = pool or packed_pool(spec, stage, context, cache, running.ahead)
    if pool is not None:
        return pool.block * pool.blocks, pool.block
    held = {"tensor": layout.tensor, "page": running.page, "ahead": running.ahead}
    return cache_bytes(spec, stage, context, 1, cache, **held), 1


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

    See Also
    --------
    largest_batch : The most sequences of one length.
    """

    def fits(context: int) -> bool:
        return memory_budget(model, accelerator, devices, context=context, **asked).fits  # type: ignore[arg-type]

    most = largest(fits, MAX_CONTEXT)
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

    See Also
    --------
    longest_context : The longest context of so many.
    """

    def fits(batch: int) -> bool:
        return memory_budget(model, accelerator, devices, batch=batch, **asked).fits  # type: ignore[arg-type]

    return largest(fits, MAX_CONTEXT)


__all__ = [
    "Budget",
    "largest_batch",
    "longest_context",
    "memory_budget",
    "offered_context",
]


explain(__name__)
