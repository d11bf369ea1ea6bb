"""What serving takes: time to the first token, time per token, throughput, utilisation and cost.

While some sequences write, the prompts of others are read in between. The seconds of a step are those of
`cohort.serving.step`, at the shares of the peaks of `cohort.serving.attainment`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache

from cohort.architecture.decoder import ModelSpec
from cohort.errors import integer, positive
from cohort.numeric import LIMIT, MAX_CONTEXT
from cohort.registry.devices import Accelerator
from cohort.serving.attainment import ROOFLINE, Attained, attained, products, with_recent_kernels
from cohort.serving.memory import Budget, memory_budget
from cohort.serving.step import DeviceGroup, device_group, most_devices, weights_read
from cohort.units import MILLION, SECONDS_PER_HOUR

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
    "with_recent_kernels",
]

# What each part of a token's time is spent on.
BOUNDS = {
    "weights": "memory",
    "cache": "memory",
    "matrices": "compute",
    "scores": "compute",
    "prompts": "compute",
    "links": "communication",
    "layers": "overhead",
    "sequences": "overhead",
}


@dataclass(frozen=True)
class Serving:
    """A service in its steady state, every slot taken: a request that ends makes room for the next.

    Attributes
    ----------
    model, accelerator : str
        Names of both.
    tensor_parallel, concurrency, input_tokens, output_tokens : int
        As they were given.
    ttft_s : float
        Time to the first token: one prompt is read, and none waits before it. Seconds.
    parts : tuple of (str, float)
        Seconds of the time per output token: to read ``weights`` and ``cache``, to multiply by ``matrices``
        and ``scores``, to exchange over ``links``, the fixed times of ``layers`` and ``sequences``, and the
        ``prompts`` of other sequences that are read in between. Reading the cache and scoring it overlap: the
        longer of the two counts.
    fits : bool
        Whether weights and cache fit the memory. If not, the times are those that enough memory would give.
    reason : str
        Why it does not fit; empty if it does.
    others_s : float
        Seconds that the prompts of all other sequences take, each of which is read once in a request.
    request_flops : float
        FLOPs of one request in all devices: of its prompt, which yields the first token, and of a step for
        each token after it.
    step_bytes : float
        Bytes that one step reads, in all devices: weights and caches.
    peak, bandwidth : float
        Dense peak for the type of the products, and bandwidth of the memory, of all devices.
    """

    model: str
    accelerator: str
    tensor_parallel: int
    concurrency: int
    input_tokens: int
    output_tokens: int
    ttft_s: float
    parts: tuple[tuple[str, float], ...]
    fits: bool
    reason: str
    others_s: float = field(repr=False)
    request_flops: float = field(repr=False)
    step_bytes: float = field(repr=False)
    peak: float = field(repr=False)
    bandwidth: float = field(repr=False)

    @cached_property
    def tpot_s(self) -> float:
        """Time per output token of one sequence, in seconds, the prompts of others included."""
        return sum(seconds for _, seconds in self.parts)

    @property
    def request_s(self) -> float:
        """Time of a request, from the prompt to the last token, in seconds.

        While it lasts, each of the other sequences ends and the prompt of its successor is read.
        """
        step = self.tpot_s - dict(self.parts)["prompts"]
        return self.ttft_s + self.others_s + (self.output_tokens - 1) * step

    @property
    def requests_per_s(self) -> float:
        """Requests that all slots together finish in a second."""
        return self.concurrency / self.request_s

    @property
    def output_tokens_per_s(self) -> float:
        """Tokens that all sequences together write in a second."""
        return self.requests_per_s * self.output_tokens

    @property
    def mfu(self) -> float:
        """Model FLOPs utilisation: FLOPs of prompts and answers over the dense peak, from 0 to 1.

        As in the report on PaLM :cite:p:`chowdhery2022palm`, with the scores of attention counted. The
        peak is that of the type in which the weights are multiplied.
        """
        return self.requests_per_s * self.request_flops / self.peak

    @property
    def mbu(self) -> float:
        """Model bandwidth utilisation: weights and cache read for a token, over time per token and bandwidth.

        As Databricks defines it :cite:p:`databricks2023inference`, with the experts that a step reads as its
        weights.
        """
        return self.step_bytes / self.tpot_s / self.bandwidth

    @property
    def bound(self) -> str:
        """What takes most of the time per token: memory, compute, communication or overhead."""
        totals = dict.fromkeys(BOUNDS.values(), 0.0)
        for part, seconds in self.parts:
            totals[BOUNDS[part]] += seconds
        return max(totals, key=lambda kind: totals[kind])

    def usd_per_million_tokens(self, price: float) -> float:
        """Return the cost of a million output tokens, the reading of their prompts included, in USD.

        Parameters
        ----------
        price : float
            USD for an hour of one accelerator.

        Returns
        -------
        float
            USD.

        Raises
        ------
        ParameterError
            If the price is not a positive number.

        Examples
        --------
        >>> import cohort
        >>> found = cohort.serving.serve("llama-3-8b", "H100 SXM 80GB", input_tokens=1024, output_tokens=256)
        >>> round(found.usd_per_million_tokens(2.5), 2)
        5.01
        """
        hourly = positive("price", price, "USD per accelerator hour") * self.tensor_parallel
        return hourly / (SECONDS_PER_HOUR * self.output_tokens_per_s) * MILLION


def _lengths(concurrency: int, input_tokens: int, output_tokens: int) -> tuple[int, int, int]:
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
    weight_dtype: str = "bf16",
    kv_dtype: str = "bf16",
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
    weight_dtype, kv_dtype : str
        How weights and cache are stored, as `cohort.architecture.precisions` names it. Weights in fp8 and fp4
        are multiplied as such where the accelerator can; all others in 16 bits.
    attained : Attained, optional
        What is attained of the peaks; by default what the data hold. `ROOFLINE` attains all of them.

    Returns
    -------
    Serving
        The service in its steady state. A model that does not fit the memory has ``fits`` False, with the
        reason.

    Raises
    ------
    UnknownNameError
        If the model, the accelerator or a type of number is not known.
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
    concurrency, input_tokens, output_tokens = _lengths(concurrency, input_tokens, output_tokens)
    group = device_group(model, accelerator, tensor_parallel, weight_dtype, kv_dtype, attained)
    spec, context = group.spec, input_tokens + (output_tokens + 1) // 2  # in the middle of the answer
    weights, cache = group.weight_bytes(concurrency), group.cache_bytes(context, concurrency)
    prompt_flops, token_flops = spec.prefill_flops(input_tokens), spec.decode_flops(context)
    product_flops = 2.0 * spec.matmul_parameters
    parts = group.step(concurrency, weights, cache, concurrency * (token_flops - product_flops))
    prompt = group.matrices(input_tokens) + group.exchange(input_tokens)
    prompt += group.prompt_scores(prompt_flops - product_flops * input_tokens)
    others = (concurrency - 1) * prompt
    steps = output_tokens - 1  # the prompt yields the first token
    parts["prompts"] = others / max(steps, 1)
    first = group.reading(group.weight_bytes(input_tokens)) + prompt + group.layers + group.synchronisation
    reason = _misfit(group, concurrency, input_tokens + output_tokens)
    return Serving(
        model=spec.name,
        accelerator=group.device.name,
        tensor_parallel=group.devices,
        concurrency=concurrency,
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        ttft_s=first,
        parts=tuple(parts.items()),
        fits=not reason,
        reason=reason,
        others_s=others,
        request_flops=prompt_flops + steps * token_flops,
        step_bytes=weights + group.devices * cache,
        peak=group.peak,
        bandwidth=group.bandwidth,
    )


@lru_cache(maxsize=256)
def _budget(group: DeviceGroup) -> Budget:
    """Return what weights and engine take of each device; the cache is counted apart."""
    return memory_budget(
        group.spec,
        group.device,
        group.devices,
        context=1,
        weight_dtype=group.weight_dtype,
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
    weight_dtype: str = "bf16",
    kv_dtype: str = "bf16",
) -> int:
    """Return how many sequences fit the memory beside the weights, each at its full length.

    Parameters
    ----------
    model, accelerator, tensor_parallel, input_tokens, output_tokens, weight_dtype, kv_dtype
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
    _, input_tokens, output_tokens = _lengths(1, input_tokens, output_tokens)
    group = device_group(model, accelerator, tensor_parallel, weight_dtype, kv_dtype, None)
    room, each = _budget(group).room, group.cache_bytes(input_tokens + output_tokens, 1)
    count = max(int(room // each), 0)
    while count and group.cache_bytes(input_tokens + output_tokens, count) > room:
        count -= 1
    return count


def compute_bound_concurrency(
    model: str | ModelSpec, accelerator: str | Accelerator, weight_dtype: str = "bf16"
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
    group = device_group(model, accelerator, 1, weight_dtype, "bf16", ROOFLINE)

    def turned(sequences: int) -> bool:
        return group.matrices(sequences) >= group.reading(group.weight_bytes(sequences))

    low, high = 0, 1
    while not turned(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if turned(middle) else (middle, high)
    return high
