"""What serving takes: time to the first token, time per token, throughput, utilisation and cost.

While some sequences write, the prompts of others are read in between. The seconds of a step are those of
`cohort.serving.step`, at the shares of the peaks of `cohort.serving.attainment`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from math import ceil

from cohort.architecture.decoder import ModelSpec
from cohort.architecture.formats import WeightFormat
from cohort.errors import bounded, integer
from cohort.numeric import LIMIT, MAX_CONTEXT
from cohort.registry.devices import Accelerator, as_accelerator
from cohort.serving.attainment import ROOFLINE, Attained, attained, products
from cohort.serving.groups import device_group, most_devices, weights_read
from cohort.serving.layouts import MOST, Layout
from cohort.serving.memory import Budget, memory_budget
from cohort.serving.services import BOUNDS, Serving
from cohort.serving.step import CHUNK, DeviceGroup

__all__ = [
    "BOUNDS",
    "ROOFLINE",
    "Attained",
    "Serving",
    "attained",
    "compute_bound_concurrency",
    "largest_concurrency",
    "most_devices",
    "products",
    "serve",
    "weights_read",
]


def checked_lengths(concurrency: int, input_tokens: int, output_tokens: int) -> tuple[int, int, int]:
    return (
        integer("concurrency", concurrency, 1, LIMIT, unit="sequences"),
        integer("input_tokens", input_tokens, 1, MAX_CONTEXT, unit="tokens"),
        integer("output_tokens", output_tokens, 1, MAX_CONTEXT, unit="tokens"),
    )


def serve(
    model: str | ModelSpec,
    accelerator: str | Accelerator,
    tensor_parallel: int = 1,
    concurrency: int = 1,
    *,
    input_tokens: int,
    output_tokens: int,
    weight_dtype: str | WeightFormat = "bf16",
    kv_dtype: str = "bf16",
    generation: str = "2025",
    engine: str | None = None,
    expert_parallel: bool = False,
    attention_data_parallel: int = 1,
    pipeline_parallel: int = 1,
    prefix_share: float = 0.0,
    acceptance_length: float = 1.0,
    draft_tokens: int | None = None,
    together: bool = False,
    chunk: int = CHUNK,
    attained: Attained | None = None,
) -> Serving:
    """Return what it takes to serve a model to several users at once.

    Parameters
    ----------
    model : str or ModelSpec
        A model, or its name.
    accelerator : str or Accelerator
        An accelerator, or its name.
    tensor_parallel : int
        Devices that share each layer.
    concurrency : int
        Sequences that are written at the same time.
    input_tokens, output_tokens : int
        Tokens of each prompt and of each answer.
    weight_dtype : str or WeightFormat
        How weights are stored: one of `cohort.architecture.formats.weight_formats`, or ``released``, as the
        config says. Weights in fp8 and fp4 are multiplied as such where the accelerator can; all others in 16
        bits.
    kv_dtype : str
        How the cache is stored, as `cohort.architecture.precisions` names it.
    generation : str
        Engines of ``2025`` or of ``2023``, or the ``kernels`` alone, which leave out what engines lose.
    engine : str, optional
        ``vLLM``, ``SGLang``, ``TensorRT-LLM`` or ``ATOM``; by default the first. Engines of 2025 alone are
        told apart.
    expert_parallel : bool
        Whether whole experts are dealt out to the devices; if not, each is split over all of them.
    attention_data_parallel : int
        Copies of the attention, each with sequences of its own; there are so many times the devices.
    pipeline_parallel : int
        Stages, each with a run of the layers; there are so many times the devices. No published row that
        states all the rest has more than one, so that what it costs is computed and not yet checked.
    prefix_share : float
        Share of each prompt whose keys and values are in the cache already, from 0 to below 1.
    acceptance_length : float
        Tokens that a step yields of each sequence where some are guessed ahead, at least 1.
    draft_tokens : int, optional
        Tokens that are guessed of each sequence in a step; by default as few as yield that length.
    together : bool
        Whether requests are alike and start together, as in some benchmarks, so that prompts are read in
        waves; if not they come one after the other.
    chunk : int
        Tokens of prompts that a step reads at the most.
    attained : Attained, optional
        What is attained of the peaks; by default what the data hold for the generation, the engine and the
        accelerator. `ROOFLINE` attains all of them.

    Returns
    -------
    Serving
        The service in its steady state. A model that does not fit the memory has ``fits`` False, with the
        reason.

    Raises
    ------
    UnknownNameError
        If the model, the accelerator, a type of number, a generation or an engine is not known.
    ParameterError
        If a size is out of its range, or the devices cannot share the layers.

    See Also
    --------
    largest_concurrency : How many sequences fit.
    compute_bound_concurrency : From how many sequences on products take longest.
    cohort.footprint.serving : The energy and the footprint of an answer.

    Examples
    --------
    >>> import cohort
    >>> found = cohort.serving.serve("llama-3-8b", "H100 SXM 80GB", input_tokens=1024, output_tokens=256)
    >>> found.fits, found.bound
    (True, 'memory')
    """
    concurrency, input_tokens, output_tokens = checked_lengths(concurrency, input_tokens, output_tokens)
    device = as_accelerator(accelerator)
    layout = checked_layout(
        device, tensor_parallel, attention_data_parallel, expert_parallel, pipeline_parallel
    )
    group = device_group(model, device, layout, weight_dtype, kv_dtype, attained, generation, engine)
    accepted, guessed = _speculation(acceptance_length, draft_tokens)
    cached = min(int(bounded("prefix_share", prefix_share, 0, 1) * input_tokens), input_tokens - 1)
    asked = Asked(concurrency, input_tokens, output_tokens, cached, accepted, guessed, together)
    return steady(group, asked, integer("chunk", chunk, 1, LIMIT, unit="tokens"))


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of a service, once it has been checked.

    Attributes
    ----------
    concurrency, input_tokens, output_tokens : int
        Sequences at once, and tokens of each prompt and answer.
    cached : int
        First tokens of a prompt that are in the cache.
    accepted : float
        Tokens that a step yields of a sequence.
    guessed : int
        Tokens that are guessed ahead in a step.
    together : bool
        Whether requests start together.
    """

    concurrency: int
    input_tokens: int
    output_tokens: int
    cached: int = 0
    accepted: float = 1.0
    guessed: int = 0
    together: bool = False

    @property
    def middle(self) -> int:
        """Tokens of a sequence in the middle of its answer."""
        return self.input_tokens + (self.output_tokens + 1) // 2


def checked_layout(device: Accelerator, tensor: int, data: int, expert: bool, pipeline: int) -> Layout:
    most = most_devices(device)
    tensor = integer("tensor_parallel", tensor, 1, most, unit=f"devices for {device.name}")
    data = integer("attention_data_parallel", data, 1, most // tensor, unit="copies")
    pipeline = integer("pipeline_parallel", pipeline, 1, MOST, unit="stages")
    return _known_layout(tensor, data, bool(expert), pipeline)


LONGEST_GUESS = 64  # tokens that engines guess ahead at most


@lru_cache(maxsize=64)
def _known_layout(tensor: int, data: int, expert: bool, pipeline: int) -> Layout:
    return Layout(tensor, pipeline, data, expert)


def _speculation(length: float, guessed: int | None) -> tuple[float, int]:
    """Return how many tokens a step yields of a sequence, and how many are guessed for that."""
    accepted = bounded("acceptance_length", length, 1, LONGEST_GUESS)
    least = ceil(accepted) - 1
    if guessed is None:
        return accepted, least
    return accepted, integer("draft_tokens", guessed, least, LONGEST_GUESS, unit="tokens")


def times_of(group: DeviceGroup, asked: Asked, chunk: int = CHUNK) -> tuple[float, dict[str, float], float]:
    """Return the times of a service, whether or not it fits.

    Parameters
    ----------
    group : DeviceGroup
        The devices.
    asked : Asked
        What is asked of them.
    chunk : int
        Tokens of prompts that a step reads at the most.

    Returns
    -------
    tuple of float, dict and float
        Time to the first token; seconds of the parts of the time per token; and what the prompts of others
        take between the tokens of one.
    """
    count = asked.concurrency
    parts = group.step(count, asked.middle, 1 + asked.guessed)
    if asked.guessed:
        parts["drafts"] = group.drafts(count, asked.middle, asked.guessed)
    step = sum(parts.values())
    read = asked.input_tokens - asked.cached
    alone = each = group.prompts(read, asked.cached, 1, chunk)
    stages = group.layout.pipeline
    # Prompts that come in one step are read together: all of a wave, else as many as answers end in a step.
    coming = count / group.layout.data / (1 if asked.together else asked.output_tokens)
    joint = max(min(coming, chunk / read), 1.0)
    if joint > 1:
        each = group.prompts(read, asked.cached, joint, chunk) / joint
    each *= group.pace / stages
    others = (count - 1) * each / group.layout.data  # copies read their prompts side by side
    waited = min(group.attained.queued((count - 1) / group.layout.data, asked.together) * each, others)
    parts = {part: seconds / asked.accepted for part, seconds in parts.items()}
    parts["prompts"] = (others - waited) / max(asked.output_tokens - 1, 1)
    # A request that finds others at work waits for the step that runs, half of it on average.
    running = step / 2 / stages if count > 1 and asked.output_tokens > 1 else 0.0
    first = group.attained.first_s + group.piped(alone, ceil(read / chunk)) + waited + running
    return first, parts, others - waited


def steady(group: DeviceGroup, asked: Asked, chunk: int) -> Serving:
    spec, count = group.spec, asked.concurrency
    first, parts, others = times_of(group, asked, chunk)
    reason = _misfit(group, count, asked.input_tokens + asked.output_tokens)
    prompt_flops = spec.prefill_flops(asked.input_tokens)
    if asked.cached:
        prompt_flops -= spec.prefill_flops(asked.cached)
    # Of a prompt the last token alone meets the head.
    head = group.layout.tensor * group.plan.head.flops
    prompt_flops -= head * (asked.input_tokens - asked.cached - 1)
    kind = "mixture" if group.plan.mixtures else "dense"
    spread = group.attained.spread
    return Serving(
        model=spec.name,
        accelerator=group.device.name,
        tensor_parallel=group.layout.tensor,
        concurrency=count,
        input_tokens=asked.input_tokens,
        output_tokens=asked.output_tokens,
        devices=group.devices,
        ttft_s=first,
        parts=tuple(parts.items()),
        fits=not reason,
        reason=reason,
        steps=(asked.output_tokens - 1) / asked.accepted,
        others_s=others,
        request_flops=prompt_flops + (asked.output_tokens - 1) * spec.decode_flops(asked.middle),
        step_bytes=group.read_in_a_step(asked.middle, count, 1 + asked.guessed),
        peak=group.peak,
        bandwidth=group.bandwidth,
        spread=(
            spread.get(f"{kind}, token", (1.0, 1.0)),
            spread.get(f"{kind}, first token", (1.0, 1.0)),
        ),
    )


@lru_cache(maxsize=256)
def _budget(group: DeviceGroup) -> Budget:
    """Return what weights and engine take of each device; the cache is counted apart."""
    return memory_budget(
        group.spec,
        group.device,
        group.layout,
        context=1,
        weight_dtype=group.stored,
        kv_dtype=group.kv_dtype,
    )


def _misfit(group: DeviceGroup, sequences: int, context: int) -> str:
    """Return why weights and cache do not fit the memory, or nothing if they do."""
    budget = _budget(group)
    cache = 0 if budget.room < 0 else group.cache_bytes(context, sequences)
    return "" if 0 <= budget.room >= cache else replace(budget, cache=cache).reason


def largest_concurrency(
    model: str | ModelSpec,
    accelerator: str | Accelerator,
    tensor_parallel: int = 1,
    *,
    input_tokens: int,
    output_tokens: int,
    weight_dtype: str | WeightFormat = "bf16",
    kv_dtype: str = "bf16",
    expert_parallel: bool = False,
    attention_data_parallel: int = 1,
    pipeline_parallel: int = 1,
) -> int:
    """Return how many sequences fit the memory beside the weights, each at its full length.

    Parameters
    ----------
    model, accelerator, tensor_parallel, input_tokens, output_tokens, weight_dtype, kv_dtype
        As in `serve`.
    expert_parallel, attention_data_parallel, pipeline_parallel
        As in `serve`.

    Returns
    -------
    int
        Sequences; 0 where none fits.

    Raises
    ------
    CohortError
        As in `serve`.

    Examples
    --------
    >>> import cohort
    >>> cohort.serving.largest_concurrency(
    ...     "llama-3-8b", "H100 SXM 80GB", input_tokens=8000, output_tokens=192
    ... )
    53
    """
    _, input_tokens, output_tokens = checked_lengths(1, input_tokens, output_tokens)
    device = as_accelerator(accelerator)
    layout = checked_layout(
        device, tensor_parallel, attention_data_parallel, expert_parallel, pipeline_parallel
    )
    group = device_group(model, device, layout, weight_dtype, kv_dtype, ROOFLINE)
    room, each = _budget(group).room, group.cache_bytes(input_tokens + output_tokens, 1)
    count = max(int(room // each), 0)
    while count and group.cache_bytes(input_tokens + output_tokens, count * layout.data) > room:
        count -= 1
    return count * layout.data


def compute_bound_concurrency(
    model: str | ModelSpec, accelerator: str | Accelerator, weight_dtype: str | WeightFormat = "bf16"
) -> int:
    r"""Return from how many sequences on products take longer than reading the weights, at the peaks.

    A dense model needs :math:`B^* = \tfrac{F}{W}\tfrac{b}{2}` sequences for a peak of F operations and W
    bytes a second and b bytes a weight, as far as it multiplies with all it reads. Experts need more, since
    each is read by few of the tokens. The cache is left out: each sequence reads its own, so that this part
    of a step never turns.

    Parameters
    ----------
    model, accelerator, weight_dtype
        As in `serve`.

    Returns
    -------
    int
        Sequences.

    Raises
    ------
    CohortError
        As in `serve`.

    Examples
    --------
    >>> import cohort
    >>> cohort.serving.compute_bound_concurrency("llama-3-8b", "H100 SXM 80GB")
    296
    """
    group = device_group(model, accelerator, Layout(), weight_dtype, "bf16", ROOFLINE)

    def turned(sequences: int) -> bool:
        return group.multiplying(sequences) >= group.weight_bytes(sequences) / group.bandwidth

    low, high = 0, 1
    while not turned(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if turned(middle) else (middle, high)
    return high
