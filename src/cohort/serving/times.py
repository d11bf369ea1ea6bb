"""The times of a service in its steady state: how long a request waits, is read and is written."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from math import ceil

from cohort.errors.arguments import explain
from cohort.serving.asked import Asked
from cohort.serving.layouts import KEPT
from cohort.serving.memory import Budget, memory_budget
from cohort.serving.services import Serving, time_of_request
from cohort.serving.step import CHUNK, DeviceGroup


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
    alone = each = _alone(group, read, asked.cached, chunk)
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


@lru_cache(maxsize=KEPT)
def _alone(group: DeviceGroup, tokens: int, cached: int, chunk: int) -> float:
    """Return the seconds in which one prompt is read, which are asked for at every load."""
    return group.prompts(tokens, cached, 1, chunk)


def request_s(group: DeviceGroup, asked: Asked, chunk: int = CHUNK) -> float:
    """Return the time of a request, without the rest of its service.

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
    float
        Seconds, as `Serving.request_s` has it.
    """
    first, parts, others = times_of(group, asked, chunk)
    return time_of_request(first, sum(parts.values()), parts["prompts"], others, asked.output_tokens)


def steady(group: DeviceGroup, asked: Asked, chunk: int) -> Serving:
    """Return the service of a group of devices in its steady state.

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
    Serving
    """
    spec, count = group.spec, asked.concurrency
    first, parts, others = times_of(group, asked, chunk)
    reason = memory_misfit(group, count, asked.input_tokens + asked.output_tokens)
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


@lru_cache(maxsize=KEPT)
def memory_of(group: DeviceGroup) -> Budget:
    """Return what weights and engine take of each device; the cache is counted apart.

    Parameters
    ----------
    group : DeviceGroup
        The devices.

    Returns
    -------
    Budget
    """
    return memory_budget(
        group.spec,
        group.device,
        group.layout,
        context=1,
        weight_dtype=group.stored,
        kv_dtype=group.kv_dtype,
    )


def most_sequences(group: DeviceGroup, context: int) -> int:
    """Return how many sequences fit the memory beside the weights, each at its full length.

    Parameters
    ----------
    group : DeviceGroup
        The devices.
    context : int
        Tokens of each sequence.

    Returns
    -------
    int
        Sequences of all copies of the attention; 0 where none fits.
    """
    room, each, copies = memory_of(group).room, group.cache_bytes(context, 1), group.layout.data
    count = max(int(room // each), 0)
    while count and group.cache_bytes(context, count * copies) > room:
        count -= 1
    return count * copies


def memory_misfit(group: DeviceGroup, sequences: int, context: int) -> str:
    """Return why weights and cache do not fit the memory, or nothing if they do.

    Parameters
    ----------
    group : DeviceGroup
        The devices.
    sequences, context : int
        Sequences of all copies of the attention, and tokens of each.

    Returns
    -------
    str
        A clause; empty where they fit.
    """
    if fits_memory(group, sequences, context):
        return ""
    budget = memory_of(group)
    cache = 0 if budget.room < 0 else group.cache_bytes(context, sequences)
    return replace(budget, cache=cache).reason


def fits_memory(group: DeviceGroup, sequences: int, context: int) -> bool:
    """Return whether weights and cache fit the memory.

    Parameters
    ----------
    group : DeviceGroup
        The devices.
    sequences, context : int
        As in `memory_misfit`, which says why not.

    Returns
    -------
    bool
    """
    room = _room(group)
    return 0 <= room >= group.cache_bytes(context, sequences)


@lru_cache(maxsize=KEPT)
def _room(group: DeviceGroup) -> int:
    return memory_of(group).room


explain(__name__)
