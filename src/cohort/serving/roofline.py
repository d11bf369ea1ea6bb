"""What serving takes: time to the first token, time per token, throughput, utilisation and cost.

While some sequences write, the prompts of others are read in between. The seconds of a step are those of
`cohort.serving.step`, at the shares of the peaks of `cohort.serving.attainment`.
"""

from __future__ import annotations

from cohort.architecture.decoder import ModelSpec
from cohort.architecture.formats import WeightFormat
from cohort.errors import bounded, integer
from cohort.errors.arguments import explain
from cohort.numeric import LIMIT
from cohort.registry.devices import Accelerator, as_accelerator
from cohort.serving.asked import Asked, checked_layout, checked_lengths, speculation
from cohort.serving.attainment import ROOFLINE, Attained, attained, products
from cohort.serving.groups import device_group, most_devices, weights_read
from cohort.serving.layouts import Layout
from cohort.serving.services import BOUNDS, Serving
from cohort.serving.step import CHUNK
from cohort.serving.times import most_sequences, steady

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
    accepted, guessed = speculation(acceptance_length, draft_tokens)
    cached = min(int(bounded("prefix_share", prefix_share, 0, 1) * input_tokens), input_tokens - 1)
    asked = Asked(concurrency, input_tokens, output_tokens, cached, accepted, guessed, together)
    return steady(group, asked, integer("chunk", chunk, 1, LIMIT, unit="tokens"))


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
    return most_sequences(group, input_tokens + output_tokens)


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


explain(__name__)
