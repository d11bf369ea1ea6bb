"""A model on the accelerators that serve it: how many hold it, and what one answer draws of them."""

from __future__ import annotations

from dataclasses import dataclass

from cohort.architecture.decoder import ModelSpec
from cohort.architecture.dtypes import precision, precisions
from cohort.architecture.registered import model as read_model
from cohort.errors import DoesNotFitError, integer, one_of
from cohort.errors.arguments import explain
from cohort.footprint.energy import MEASURED, cache_joules, carried_over, joules_per_token, prompt_joules
from cohort.footprint.factors import DRAWN, factor
from cohort.registry.devices import Accelerator, as_accelerator
from cohort.serving.roofline import Serving, most_devices, serve

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
        What a token takes with the coefficients scaled by the ratings of the accelerator, over what it takes
        with those of H100 as they are, which `joules` counts; 1 on H100, or where a rating is not known.
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
    dtypes: tuple[str, ...] = WEIGHT_DTYPES
    if weight_dtype is not None:
        dtypes = (one_of("weight_dtype", weight_dtype, precisions()),)
    groups = _groups(spec, device)
    if accelerators is not None:
        groups = [integer("accelerators", accelerators, 1, most_devices(device), unit=f"of {device.name}")]
    devices, reason = 0, "its attention heads cannot be shared"
    for dtype, devices in ((dtype, devices) for dtype in dtypes for devices in groups):
        if spec.parameters * precision(dtype).bytes_per_element > devices * device.memory_bytes:
            reason = "its weights take more than the memory"
            continue
        found = serve(
            spec, device, devices, concurrency, input_tokens=input_tokens, output_tokens=output_tokens,
            weight_dtype=dtype, kv_dtype=kv_dtype,
        )  # fmt: skip
        if found.fits:
            return _with_energy(spec, device, found, dtype, kv_dtype)
        reason = found.reason
    raise DoesNotFitError(
        f"{spec.name} with concurrency {concurrency:,} fits no group of {device.name}: on {devices}, {reason}"
    )


def _with_energy(
    spec: ModelSpec, device: Accelerator, found: Serving, weight_dtype: str, kv_dtype: str
) -> Service:
    """Return a service from its times: what an answer draws, and how long it takes an accelerator."""
    devices, concurrency = found.tensor_parallel, found.concurrency
    lengths = found.input_tokens, found.output_tokens
    prompt = prompt_joules(spec, device, *lengths, factor("training", DRAWN).central, weight_dtype)
    cache = cache_joules(spec, *lengths, precision(kv_dtype).bytes_per_element)
    chat = found.output_tokens * joules_per_token(spec, devices, concurrency, weight_dtype)
    joules = chat + prompt + cache
    # No accelerator draws more than its rating, however soon the roofline has it done.
    shortest = joules / device.tdp_w if device.tdp_w else 0.0
    return Service(
        spec, device, devices, concurrency, *lengths, weight_dtype, joules, prompt, cache,
        accelerator_s=max(devices / found.requests_per_s, shortest),
        carried=carried_over(spec, device, devices, concurrency, weight_dtype),
    )  # fmt: skip


def _groups(spec: ModelSpec, device: Accelerator) -> list[int]:
    """Return the powers of two that the layers can be split over, on devices that are joined."""
    most, heads = most_devices(device), spec.attention_heads
    sizes = [2**power for power in range(most.bit_length()) if 2**power <= most]
    return [size for size in sizes if not any(number % size for number in heads)]


explain(__name__)
