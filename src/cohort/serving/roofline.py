"""What serving takes: time to the first token, time per token, throughput, utilisation and cost.

A step that writes one token of every sequence reads the weights once, reads the cache of each sequence, and
multiplies; each takes its bytes or its FLOPs over what the accelerator attains of its peak. To that come
fixed times: for each layer, for each sequence, and for each all-reduce of devices that share the layers.
While some sequences write, the prompts of others are read in between. The attained shares and the fixed times
are data, fitted by `benchmarks/calibrate_serving.py` to measurements that are marked for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from statistics import median

from cohort.architecture.decoder import ModelSpec
from cohort.architecture.dtypes import precision, precisions
from cohort.architecture.registered import model as read_model
from cohort.errors import ParameterError, integer, positive, unknown
from cohort.numeric import LIMIT, MAX_CONTEXT
from cohort.registry import facts
from cohort.registry.devices import (
    NATIVE,
    Accelerator,
    as_accelerator,
    multiplied_type,
    sixteen_bit_type,
)

RESERVE = 0.1  # share of the memory that is left for everything but weights and cache


HOST = 8  # cards that meet on the bus of one host, where no other link joins them


ACTIVATION_BYTES = 2  # of the numbers that devices exchange


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


_LATENT = frozenset({"MLA", "CSA", "HCA"})  # kinds of attention whose heads share one vector a token


@dataclass(frozen=True, slots=True, eq=False)
class Attained:
    """What engines attain of an accelerator's peaks, and the times that do not depend on them.

    Attributes
    ----------
    weights : mapping of str to float
        Share of the memory's bandwidth at which weights are read, by their type; ``16-bit`` stands for bf16,
        fp16 and fp32.
    cache : float
        Share of the bandwidth at which the cache is read.
    matrices : mapping of str to float
        Share of the fastest matrix product that products attain, by ``16-bit`` and ``fp8``.
    products : mapping of (str, str) to float
        The fastest measured matrix product of an accelerator, by its name and ``16-bit`` or ``fp8``, as a
        share of its peak; others have the median of their type.
    scores : mapping of str to float
        Share of the 16-bit peak at which one new query is scored: ``grouped``, or ``latent`` where all heads
        share one vector.
    layer_s, sequence_s : float
        Seconds of each layer, and of each sequence, in a step.
    all_reduce_s : float
        Seconds of an all-reduce of nothing.
    link : float
        Share of the link's bandwidth that an all-reduce attains.
    """

    weights: Mapping[str, float]
    cache: float
    matrices: Mapping[str, float]
    products: Mapping[tuple[str, str], float]
    scores: Mapping[str, float]
    layer_s: float
    sequence_s: float
    all_reduce_s: float
    link: float

    def product(self, accelerator: str, width: str) -> float:
        """Return the share of the peak that matrix products attain, for ``16-bit`` or ``fp8``."""
        found = self.products.get((accelerator, width))
        if found is None:
            found = median(share for (_, kind), share in self.products.items() if kind == width)
        return self.matrices[width] * found

    def product_rate(self, device: Accelerator, weight_dtype: str) -> float:
        """Return the operations a second that products with weights of a type attain on one device.

        Parameters
        ----------
        device : Accelerator
            The accelerator.
        weight_dtype : str
            How the weights are stored; fp8 and fp4 are multiplied as such where the accelerator can.

        Returns
        -------
        float
            Operations a second.

        Raises
        ------
        NotInDataError
            If the data hold no peak of the accelerator.
        """
        dtype = multiplied_type(device, weight_dtype)
        return self.product(device.name, _width(dtype)) * device.peak(dtype)


_ONE = {"16-bit": 1.0, "fp8": 1.0, "int8": 1.0, "int4": 1.0}


_PRODUCTS = {("", "16-bit"): 1.0, ("", "fp8"): 1.0}


# A roofline without attained shares and without fixed times: the peaks alone.
ROOFLINE = Attained(_ONE, 1.0, _ONE, _PRODUCTS, {"grouped": 1.0, "latent": 1.0}, 0.0, 0.0, 0.0, 1.0)


def products() -> dict[tuple[str, str], float]:
    """Return the fastest matrix product measured on each accelerator, as a share of its dense peak.

    Returns
    -------
    dict
        By the accelerator's name, and ``16-bit`` or ``fp8`` :cite:p:`mlengineering`.
    """
    known = {row["name"] for row in facts.rows("accelerators")}
    found: dict[tuple[str, str], float] = {}
    for row in facts.rows("serving_measurements_mlengineering"):
        if row["accelerator"] in known:
            peak = as_accelerator(row["accelerator"]).peak(row["weight_dtype"])
            found[row["accelerator"], _width(row["weight_dtype"])] = float(row["value"]) * 1e12 / peak
    return found


@lru_cache(maxsize=1)
def attained() -> Attained:
    """Return what engines attain, from the table `serving_calibration` and the fastest matrix products."""
    values: dict[str, dict[str, float]] = {}
    for row in facts.rows("serving_calibration"):
        unit = 1e-6 if row["unit"] == "us" else 1.0
        values.setdefault(row["quantity"], {})[row["of"]] = float(row["value"]) * unit
    return Attained(
        weights=values["weights"],
        cache=values["cache"][""],
        matrices=values["matrices"],
        products=products(),
        scores=values["scores"],
        layer_s=values["layer"][""],
        sequence_s=values["sequence"][""],
        all_reduce_s=values["all-reduce"][""],
        link=values["link"][""],
    )


@lru_cache(maxsize=1)
def with_recent_kernels() -> Attained:
    """Return what is attained where kernels score grouped queries as fast as they score latent ones.

    The engines that the shares were fitted to, of 2023, score each query by itself, outside the units for
    matrix products. Later kernels group the queries of a head's keys and use those units, as the measured
    kernel for latent vectors does :cite:p:`flashmla`.
    """
    found = attained()
    return replace(found, scores={**found.scores, "grouped": found.scores["latent"]})


def _width(dtype: str) -> str:
    """Return the name under which the shares of a type are kept."""
    if dtype in ("bf16", "fp16", "fp32"):
        return "16-bit"
    return "fp8" if dtype in NATIVE else dtype


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
        FLOPs of one request, prompt and answer, in all devices.
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
        """Model FLOPs utilisation: FLOPs of prompts and answers over the dense peak.

        As in the report on PaLM :cite:p:`chowdhery2022palm`, with the scores of attention counted.
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

        Raises
        ------
        ParameterError
            If the price is not a positive number.
        """
        hourly = positive("price", price, "USD per accelerator hour") * self.tensor_parallel
        return hourly / (3600 * self.output_tokens_per_s) * 1e6


@dataclass(frozen=True, eq=False)
class _Group:
    """Devices that share the layers of a model, with what they attain."""

    spec: ModelSpec
    device: Accelerator
    devices: int
    weight_dtype: str
    kv_dtype: str
    attained: Attained

    @cached_property
    def product_dtype(self) -> str:
        """The type in which weights are multiplied: their own where the accelerator has it, else 16 bits."""
        return multiplied_type(self.device, self.weight_dtype)

    @cached_property
    def peak(self) -> float:
        """Operations a second of all devices, in the type of the products."""
        return self.devices * self.device.peak(self.product_dtype)

    @cached_property
    def sixteen_bit_peak(self) -> float:
        """Operations a second of all devices in 16 bits."""
        return self.devices * self.device.peak(sixteen_bit_type(self.device))

    def weight_bytes(self, tokens: int) -> float:
        """Return the bytes of the weights that a step of so many tokens reads."""
        return weights_read(self.spec, tokens) * self._weight_width

    def cache_bytes(self, context: int, sequences: int) -> int:
        """Return the cache of one device."""
        return self.spec.kv_cache_bytes(context, sequences, self._cache_width, tensor_parallel=self.devices)

    def reading(self, weight_bytes: float) -> float:
        """Return the seconds in which weights are read."""
        return weight_bytes / self._read_rate

    @cached_property
    def _token_s(self) -> float:
        share = self.attained.product(self.device.name, _width(self.product_dtype))
        return 2.0 * self.spec.matmul_parameters / (share * self.peak)

    @cached_property
    def _score_rate(self) -> float:
        latent = not _LATENT.isdisjoint(self.spec.attention_kinds)
        return self.attained.scores["latent" if latent else "grouped"] * self.sixteen_bit_peak

    @cached_property
    def _prompt_rate(self) -> float:
        return self.attained.product(self.device.name, "16-bit") * self.sixteen_bit_peak

    @cached_property
    def _weight_width(self) -> float:
        return precision(self.weight_dtype).bytes_per_element

    @cached_property
    def _cache_width(self) -> float:
        width = precision(self.kv_dtype).bytes_per_element
        return int(width) if width == int(width) else width

    @cached_property
    def weight_bytes_held(self) -> float:
        """Bytes of all weights."""
        return self.spec.parameters * self._weight_width

    @cached_property
    def _read_rate(self) -> float:
        return self.attained.weights[_width(self.weight_dtype)] * self.device.bandwidth * self.devices

    def matrices(self, tokens: int) -> float:
        """Return the seconds of the products of so many tokens with the weights."""
        return self._token_s * tokens

    def prompt_scores(self, flops: float) -> float:
        """Return the seconds in which the queries of a prompt are scored, in 16 bits."""
        return flops / self._prompt_rate

    def scores(self, flops: float) -> float:
        """Return the seconds in which one new query of each sequence is scored."""
        return flops / self._score_rate

    def exchange(self, tokens: int) -> float:
        """Return the seconds of the bytes of two all-reduces a layer, in a ring."""
        if self.devices == 1:
            return 0.0
        size = tokens * self.spec.hidden * ACTIVATION_BYTES
        sent = 2 * (self.devices - 1) / self.devices * size
        return 2 * len(self.spec.layers) * sent / (self.attained.link * (self.device.link or 0.0))

    def meeting(self) -> float:
        """Return the seconds of two all-reduces of nothing a layer."""
        return 2 * len(self.spec.layers) * self.attained.all_reduce_s if self.devices > 1 else 0.0

    def layers(self) -> float:
        """Return the fixed seconds of all layers."""
        return len(self.spec.layers) * self.attained.layer_s

    def step(self, sequences: int, weights: float, cache: float, score_flops: float) -> dict[str, float]:
        """Return the seconds of the parts of a step that writes one token of each sequence.

        Parameters
        ----------
        sequences : int
            Sequences.
        weights, cache : float
            Bytes that are read: weights of all devices, cache of each.
        score_flops : float
            FLOPs of the scores of all sequences.
        """
        cached = cache / (self.attained.cache * self.device.bandwidth)
        scored = self.scores(score_flops)
        return {
            "weights": self.reading(weights),
            "cache": cached if cached >= scored else 0.0,
            "matrices": self.matrices(sequences),
            "scores": 0.0 if cached >= scored else scored,
            "links": self.exchange(sequences) + self.meeting(),
            "layers": self.layers(),
            "sequences": sequences * self.attained.sequence_s,
        }


def weights_read(spec: ModelSpec, tokens: int) -> float:
    """Return how many weights a step of several tokens reads: all, but for experts that none is sent to.

    The input embedding is looked up, not read. Of the routed experts as many are read as `coverage` expects,
    each taken to be as likely as the others.

    Parameters
    ----------
    spec : ModelSpec
        The model.
    tokens : int
        Tokens that pass through the model in the step.

    Returns
    -------
    float
        Weights.
    """
    return spec.parameters - (0 if spec.tied else spec.embedding_parameters) - spec.idle_experts(tokens)


def _group(
    model: str | ModelSpec,
    accelerator: str | Accelerator,
    tensor_parallel: int,
    weight_dtype: str,
    kv_dtype: str,
    found: Attained | None,
) -> _Group:
    spec = model if isinstance(model, ModelSpec) else read_model(model)
    device = as_accelerator(accelerator)
    for name, dtype in (("weight_dtype", weight_dtype), ("kv_dtype", kv_dtype)):
        if dtype not in precisions():
            raise unknown(name, dtype, precisions())
    _shares_heads(spec, device, tensor_parallel)
    return _kept(spec, device, tensor_parallel, weight_dtype, kv_dtype, found or attained())


@lru_cache(maxsize=256)
def _kept(
    spec: ModelSpec, device: Accelerator, devices: int, weights: str, cache: str, found: Attained
) -> _Group:
    """Return a group of devices, kept for the next request."""
    return _Group(spec, device, devices, weights, cache, found)


def most_devices(device: Accelerator) -> int:
    """Return over how many devices a layer can be split: those that links join, or a host of cards."""
    if device.link is None:
        return 1
    return device.joined if device.joined > 1 else HOST


def _shares_heads(spec: ModelSpec, device: Accelerator, devices: int) -> None:
    """Raise if a model's layers cannot be split over so many devices."""
    most = most_devices(device)
    integer("tensor_parallel", devices, 1, most, unit=f"devices for {device.name}")
    for heads in spec.attention_heads:
        if heads % devices:
            raise ParameterError(
                f"tensor_parallel is {devices}, but must divide the {heads} attention heads of {spec.name}"
            )


def _lengths(concurrency: int, input_tokens: int, output_tokens: int) -> None:
    integer("concurrency", concurrency, 1, LIMIT, unit="sequences")
    integer("input_tokens", input_tokens, 1, MAX_CONTEXT, unit="tokens")
    integer("output_tokens", output_tokens, 1, MAX_CONTEXT, unit="tokens")


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

    Examples
    --------
    >>> import cohort
    >>> found = cohort.serving.serve("llama-3-8b", "H100 SXM 80GB", input_tokens=1024, output_tokens=256)
    >>> found.fits, found.bound
    (True, 'memory')
    """
    _lengths(concurrency, input_tokens, output_tokens)
    group = _group(model, accelerator, tensor_parallel, weight_dtype, kv_dtype, attained)
    spec, context = group.spec, input_tokens + (output_tokens + 1) // 2  # in the middle of the answer
    weights, cache = group.weight_bytes(concurrency), group.cache_bytes(context, concurrency)
    prompt_flops, token_flops = spec.prefill_flops(input_tokens), spec.decode_flops(context)
    product_flops = 2.0 * spec.matmul_parameters
    parts = group.step(concurrency, weights, cache, concurrency * (token_flops - product_flops))
    prompt = group.matrices(input_tokens) + group.exchange(input_tokens)
    prompt += group.prompt_scores(prompt_flops - product_flops * input_tokens)
    others = (concurrency - 1) * prompt
    parts["prompts"] = others / max(output_tokens - 1, 1)
    first = group.reading(group.weight_bytes(input_tokens)) + prompt + group.layers() + group.meeting()
    reason = _misfit(group, concurrency, input_tokens + output_tokens)
    return Serving(
        model=spec.name,
        accelerator=group.device.name,
        tensor_parallel=tensor_parallel,
        concurrency=concurrency,
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        ttft_s=first,
        parts=tuple(parts.items()),
        fits=not reason,
        reason=reason,
        others_s=others,
        request_flops=prompt_flops + output_tokens * token_flops,
        step_bytes=weights + tensor_parallel * cache,
        peak=group.peak,
        bandwidth=tensor_parallel * group.device.bandwidth,
    )


def _room(group: _Group) -> float:
    """Return the bytes of a device that its share of the weights leaves for the cache."""
    weights = group.weight_bytes_held
    return group.device.memory_bytes * (1 - RESERVE) - weights / group.devices


def _misfit(group: _Group, sequences: int, context: int) -> str:
    """Return why weights and cache do not fit the memory, or nothing if they do."""
    room, usable = _room(group), group.device.memory_bytes * (1 - RESERVE)
    if room < 0:
        return (
            f"the weights take {(usable - room) / 1e9:,.1f} GB of each device, "
            f"of which {usable / 1e9:,.1f} GB can be used"
        )
    cache = group.cache_bytes(context, sequences)
    if cache > room:
        return (
            f"the cache takes {cache / 1e9:,.1f} GB of each device, "
            f"of which the weights leave {room / 1e9:,.1f} GB"
        )
    return ""


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
    """
    _lengths(1, input_tokens, output_tokens)
    group = _group(model, accelerator, tensor_parallel, weight_dtype, kv_dtype, None)
    room, each = _room(group), group.cache_bytes(input_tokens + output_tokens, 1)
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
    """
    group = _group(model, accelerator, 1, weight_dtype, "bf16", ROOFLINE)

    def turned(sequences: int) -> bool:
        return group.matrices(sequences) >= group.reading(group.weight_bytes(sequences))

    low, high = 0, 1
    while not turned(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if turned(middle) else (middle, high)
    return high
