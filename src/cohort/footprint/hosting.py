"""A model on the accelerators that serve it: how many hold it, and what one answer draws of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from cohort.architecture.decoder import ModelSpec
from cohort.architecture.dtypes import precision, precisions
from cohort.architecture.registered import model as read_model
from cohort.errors import DoesNotFitError, integer, one_of
from cohort.errors.arguments import explain
from cohort.footprint.carried import carried_over, coefficients_on
from cohort.footprint.energy import (
    MEASURED,
    cache_joules,
    joules_per_token,
    prompt_joules,
)
from cohort.footprint.factors import DRAWN, factor
from cohort.registry import facts
from cohort.registry.devices import Accelerator, as_accelerator
from cohort.serving.asked import Asked, checked_layout, checked_lengths
from cohort.serving.groups import device_group, most_devices
from cohort.serving.step import DeviceGroup
from cohort.serving.times import fits_memory, memory_misfit, request_s

# Where no type of weights is given: the first that fits.
WEIGHT_DTYPES = ("bf16", "fp8")


@dataclass(frozen=True, slots=True)
class Service:
    """A model on the accelerators that serve it, and what one answer takes of them.

    Attributes
    ----------
    model : ModelSpec
        The model.
    device : Accelerator
        The accelerator.
    accelerators, concurrency, input_tokens, output_tokens : int
        Accelerators that share the model, requests in a step, and the lengths of prompt and answer.
    weight_dtype : str
        How the weights are stored.
    joules : float
        What the accelerators draw for an answer, in J.
    prompt_j, cache_j : float
        Of which for a prompt, and for a context, longer than that of a chat.
    accelerator_s : float
        Seconds of one accelerator that an answer takes.
    carried : float
        What a token takes with all coefficients scaled by the ratings of the accelerator, over what it takes
        with products alone scaled so, which `joules` counts; 1 on H100, or where a rating is not known.
    """

    model: ModelSpec
    device: Accelerator
    accelerators: int
    concurrency: int
    input_tokens: int
    output_tokens: int
    weight_dtype: str
    joules: float
    prompt_j: float
    cache_j: float
    accelerator_s: float
    carried: float


def service(
    model: str | ModelSpec,
    accelerator: str | Accelerator = MEASURED,
    concurrency: int = 64,
    *,
    input_tokens: int,
    output_tokens: int,
    accelerators: int | None = None,
    weight_dtype: str | None = None,
    kv_dtype: str = "bf16",
) -> Service:
    """Return a service: on as few accelerators as hold the model and its requests, unless they are given.

    The time is that of `cohort.serving.serve`, and at the least what the energy takes at the rated power.

    Parameters
    ----------
    model : str or ModelSpec
        A model, or its name.
    accelerator : str or Accelerator
        An accelerator, or its name.
    concurrency : int
        Requests that are answered at the same time.
    input_tokens, output_tokens : int
        Tokens of each prompt and of each answer.
    accelerators : int, optional
        Accelerators that share the model; by default the smallest power of two that holds it.
    weight_dtype : str, optional
        How the weights are stored; by default the first of `WEIGHT_DTYPES` that fits.
    kv_dtype : str
        How the cache is stored.

    Returns
    -------
    Service
        With what one answer takes.

    Raises
    ------
    DoesNotFitError
        If no group of accelerators holds the model and the requests.
    ParameterError
        If a size is out of its range.
    UnknownNameError
        If a name is not known; the message names the nearest.

    See Also
    --------
    serving : The footprint of one answer of it.

    Examples
    --------
    >>> found = service("llama-3-70b", concurrency=64, input_tokens=200, output_tokens=400)
    >>> found.accelerators, found.weight_dtype
    (4, 'bf16')
    """
    spec, device = read_model(model), as_accelerator(accelerator)
    asked = Asked(*checked_lengths(concurrency, input_tokens, output_tokens))
    dtypes: tuple[str, ...] = WEIGHT_DTYPES
    if weight_dtype is not None:
        dtypes = (one_of("weight_dtype", weight_dtype, precisions()),)
    groups = _groups(spec, device)
    if accelerators is not None:
        most = most_devices(device)
        groups = (integer("accelerators", accelerators, 1, most, unit=f"of {device.name}"),)
    held = _holding(spec, device, dtypes, groups, kv_dtype, facts.modified("serving_calibration"))
    load = asked.concurrency, asked.input_tokens + asked.output_tokens
    for dtype, group in held:
        if fits_memory(group, *load):
            return _with_energy(group, asked, dtype)
    devices, reason = groups[-1] if groups else 0, "its attention heads cannot be shared"
    if held and held[-1][1].devices == devices and held[-1][0] == dtypes[-1]:
        reason = memory_misfit(held[-1][1], *load)
    elif groups:
        reason = "its weights take more than the memory"
    raise DoesNotFitError(
        f"{spec.name} with concurrency {concurrency:,} fits no group of {device.name}: on {devices}, {reason}"
    )


@lru_cache(maxsize=1024)
def _holding(
    spec: ModelSpec,
    device: Accelerator,
    dtypes: tuple[str, ...],
    groups: tuple[int, ...],
    kv_dtype: str,
    stamp: int,
) -> tuple[tuple[str, DeviceGroup], ...]:
    """Return the groups that hold the weights, in the order in which they are tried; kept for a table."""
    return tuple(
        (dtype, device_group(spec, device, checked_layout(device, devices), dtype, kv_dtype, None))
        for dtype in dtypes
        for devices in groups
        if spec.parameters * precision(dtype).bytes_per_element <= devices * device.memory_bytes
    )


def _with_energy(group: DeviceGroup, asked: Asked, weight_dtype: str) -> Service:
    """Return a service on devices that hold it: what an answer draws, and how long it takes them."""
    spec, device, devices, concurrency = group.spec, group.device, group.devices, asked.concurrency
    lengths = asked.input_tokens, asked.output_tokens
    kept, drawn = coefficients_on(device), factor("training", DRAWN).central
    prompt = prompt_joules(spec, device, *lengths, drawn, weight_dtype, kept)
    cache = cache_joules(spec, *lengths, precision(group.kv_dtype).bytes_per_element, kept)
    chat = asked.output_tokens * joules_per_token(spec, devices, concurrency, weight_dtype, kept)
    joules = chat + prompt + cache
    # No accelerator draws more than its rating, however soon the roofline has it done.
    shortest = joules / device.tdp_w if device.tdp_w else 0.0
    return Service(
        spec, device, devices, concurrency, *lengths, weight_dtype, joules, prompt, cache,
        accelerator_s=max(devices / (concurrency / request_s(group, asked)), shortest),
        carried=carried_over(spec, device, devices, concurrency, weight_dtype),
    )  # fmt: skip


@lru_cache(maxsize=1024)
def _groups(spec: ModelSpec, device: Accelerator) -> tuple[int, ...]:
    """Return the powers of two that the layers can be split over, on devices that are joined."""
    most, heads = most_devices(device), spec.attention_heads
    sizes = [2**power for power in range(most.bit_length()) if 2**power <= most]
    return tuple(size for size in sizes if not any(number % size for number in heads))


explain(__name__)
