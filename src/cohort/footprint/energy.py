r"""What accelerators draw for an answer: energy per output token by physics and batch, and for long prompts.

A step that writes one token of every request reads the weights once for all of them, multiplies for each, and
keeps every accelerator busy meanwhile. For n accelerators, B requests, b bytes a weight, W(B) weights read
and P multiplied with,

.. math::

    e = c_0 \frac{n}{B} + c_1 \frac{b\,W(B)}{B} + c_2\,b\,P + c_3\,n + c_4 \frac{X}{B}.

X counts the experts of all layers where they are stored in eight bits or fewer, and is 0 elsewhere: the
kernels that were measured take a time for every expert that is held, asked for or not. The coefficients are
data, fitted by `benchmarks/calibrate_inference.py` to published measurements on H100;
`cohort.footprint.carried` has them on other accelerators. The measured requests
are chats: what reading their short prompts takes is in the coefficients, spread over the tokens of their
answers, and only what goes beyond is added.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from cohort.architecture.decoder import ModelSpec
from cohort.architecture.dtypes import precision, precisions
from cohort.architecture.registered import model as read_model
from cohort.errors import bounded, integer, one_of, positive
from cohort.errors.arguments import explain
from cohort.experts.closed_form import coverage
from cohort.numeric import LIMIT, MAX_CONTEXT
from cohort.registry import facts
from cohort.registry.devices import Accelerator, rated_power
from cohort.serving.roofline import attained, weights_read
from cohort.units import GB

MEASURED_BYTES = 2  # of a number in the caches of the measured chats
MOST_SHARED = 1024  # accelerators that share a model, at the most


TERMS = ("step", "read", "multiply", "token", "expert")


@dataclass(frozen=True, slots=True)
class Coefficients:
    """Energy of the parts of a step, as the table `inference_calibration` has it.

    Attributes
    ----------
    step : float
        J of each accelerator in a step, whatever the batch.
    read : float
        J for a GB of weights, or of cache, that a step reads.
    multiply : float
        J for a GB of weights that one token is multiplied with.
    token : float
        J of each accelerator for a token.
    prompt, context : int
        Tokens of a prompt, and of cache, whose energy is in the others.
    answer : float
        Tokens of the mean measured answer: such a prompt came with so many.
    expert : float
        J of each expert in eight bits or fewer in a step, whatever the batch.
    """

    step: float
    read: float
    multiply: float
    token: float
    prompt: int
    context: int
    answer: float
    expert: float = 0.0

    def joules(
        self,
        accelerators: int,
        concurrency: float,
        read_gb: float,
        multiplied_gb: float,
        narrow_experts: int = 0,
    ) -> float:
        """Return J for an output token.

        Parameters
        ----------
        accelerators : int
            Accelerators that share the model.
        concurrency : float
            Requests in a step.
        read_gb, multiplied_gb : float
            Weights that the step reads, and that one token is multiplied with, in GB.
        narrow_experts : int
            Experts of all layers, where they are in eight bits or fewer; else 0.

        Returns
        -------
        float
            Energy in J.
        """
        shared = self.step * accelerators + self.read * read_gb + self.expert * narrow_experts
        return shared / concurrency + self.multiply * multiplied_gb + self.token * accelerators


def coefficients() -> Coefficients:
    """Return the coefficients that the data hold."""
    return _read(facts.modified("inference_calibration"))


@lru_cache(maxsize=1)
def _read(modified: int) -> Coefficients:
    found = {row["term"]: float(row["value"]) for row in facts.rows("inference_calibration")}
    terms = {name: found[name] for name in TERMS}
    prompt, context = int(found["prompt"]), int(found["context"])
    return Coefficients(**terms, prompt=prompt, context=context, answer=found["answer"])


def read_by_mixture(
    parameters: float, active_parameters: float, experts: int, active: int, tokens: int
) -> float:
    """Return the weights that a step reads of a mixture of which sizes alone are known.

    All that is not in routed experts is read, and of those as many as `cohort.experts.coverage` expects.

    Parameters
    ----------
    parameters, active_parameters : float
        All weights, and those that one token passes through.
    experts, active : int
        Routed experts, and how many a token is sent to; 1 and 1 in a dense model.
    tokens : int
        Tokens in the step.

    Returns
    -------
    float
        Weights.

    Raises
    ------
    ParameterError
        If there are fewer experts than a token is sent to, or no tokens.

    Examples
    --------
    >>> read_by_mixture(46.7e9, 12.9e9, experts=8, active=2, tokens=1)
    12900000000.0
    """
    positive("active_parameters", active_parameters)
    bounded("parameters", parameters, active_parameters)
    if experts == active:
        return parameters
    routed = (parameters - active_parameters) / (1 - active / experts)
    return parameters - routed * (1 - coverage(experts, active, tokens) / experts)


def joules_per_token(
    model: str | ModelSpec,
    accelerators: int = 1,
    concurrency: int = 1,
    weight_dtype: str = "bf16",
    found: Coefficients | None = None,
) -> float:
    """Return what the accelerators draw for an output token of a chat.

    The host, idle machines and the data centre are not in it.

    Parameters
    ----------
    model : str or ModelSpec
        A model, or its name.
    accelerators : int
        Accelerators that share the model.
    concurrency : int
        Requests in a step.
    weight_dtype : str
        How the weights are stored, as `cohort.architecture.precisions` names it.
    found : Coefficients, optional
        Other coefficients than those of the data.

    Returns
    -------
    float
        Energy in J. The coefficients are those of H100; `cohort.footprint.carried` has them for others.

    Raises
    ------
    UnknownNameError
        If the model or the type of number is not known.
    ParameterError
        If a number is out of its range.

    Examples
    --------
    >>> import cohort
    >>> few, many = (cohort.footprint.energy.joules_per_token("llama-3-8b", concurrency=b) for b in (8, 256))
    >>> few / many > 5
    True
    """
    spec = read_model(model)
    accelerators = integer("accelerators", accelerators, 1, MOST_SHARED)
    concurrency = integer("concurrency", concurrency, 1, LIMIT, unit="requests")
    moved = _moved(spec, concurrency, one_of("weight_dtype", weight_dtype, precisions()))
    return (found or coefficients()).joules(accelerators, concurrency, *moved)


@lru_cache(maxsize=4096)
def _moved(spec: ModelSpec, concurrency: int, weight_dtype: str) -> tuple[float, float, int]:
    """Return the GB that a step reads, those that a token is multiplied with, and the narrow experts."""
    width = precision(weight_dtype).bytes_per_element / GB
    read, multiplied = weights_read(spec, concurrency) * width, spec.matmul_parameters * width
    return read, multiplied, narrow_experts(spec, weight_dtype)


def narrow_experts(spec: ModelSpec, weight_dtype: str) -> int:
    """Return the experts of all layers, where they are stored in eight bits or fewer.

    Parameters
    ----------
    spec : ModelSpec
        The model.
    weight_dtype : str
        How the weights are stored.

    Returns
    -------
    int
        0 where they are wider, or the model is dense.

    Examples
    --------
    >>> narrow_experts(read_model("qwen3-235b-a22b"), "fp8"), narrow_experts(read_model("llama-3-8b"), "fp8")
    (12032, 0)
    """
    if precision(weight_dtype).bytes_per_element > 1:
        return 0
    return sum(layer.experts.count for layer in spec.layers if layer.experts)


MEASURED = "H100 SXM 80GB"  # on which the coefficients were fitted


def prompt_joules(
    model: str | ModelSpec,
    device: Accelerator,
    input_tokens: int,
    output_tokens: int,
    drawn: float,
    weight_dtype: str = "bf16",
    found: Coefficients | None = None,
) -> float:
    """Return what the accelerators draw to read a prompt, beyond what output tokens of a chat have paid.

    The FLOPs of the prompt take their time at the share of the peak that products attain, as in
    `cohort.serving`, however many accelerators share them. The measured energies, which are for a token, hold
    the short prompt of a chat; an answer shorter than the mean measured one has paid for less of it.

    Parameters
    ----------
    model : str or ModelSpec
        A model, or its name.
    device : Accelerator
        The accelerator.
    input_tokens, output_tokens : int
        Tokens of the prompt and of the answer.
    drawn : float
        Share of its rated power that an accelerator draws when it multiplies.
    weight_dtype : str
        How the weights are stored; fp8 and fp4 are multiplied as such where the accelerator can.
    found : Coefficients, optional
        Other coefficients than those of the data.

    Returns
    -------
    float
        Energy in J.

    Raises
    ------
    ParameterError
        If a length is out of range.
    NotInDataError
        If the rated power or the peak of the accelerator is not in the data.

    See Also
    --------
    cache_joules : What a long context adds.

    Examples
    --------
    >>> from cohort.registry.devices import accelerator
    >>> prompt_joules("llama-3-8b", accelerator(MEASURED), 256, 1000, drawn=0.9)
    0.0
    """
    spec = read_model(model)
    input_tokens = integer("input_tokens", input_tokens, 1, MAX_CONTEXT, unit="tokens")
    output_tokens = integer("output_tokens", output_tokens, 1, MAX_CONTEXT, unit="tokens")
    bounded("drawn", drawn, 0)
    kept = found or coefficients()
    included, paid = min(input_tokens, kept.prompt), min(1.0, output_tokens / kept.answer)
    if input_tokens == included and paid == 1:
        return 0.0
    rated = rated_power(device)
    rate = _product_rate(device, weight_dtype, facts.modified("serving_calibration"))
    flops = _prompt_flops(spec, input_tokens) - paid * _prompt_flops(spec, included)
    return flops / rate * drawn * rated


@lru_cache(maxsize=512)
def _product_rate(device: Accelerator, weight_dtype: str, stamp: int) -> float:
    return attained().product_rate(device, weight_dtype)


@lru_cache(maxsize=4096)
def _prompt_flops(spec: ModelSpec, tokens: int) -> float:
    return spec.prefill_flops(tokens)


def cache_joules(
    model: str | ModelSpec,
    input_tokens: int,
    output_tokens: int,
    bytes_per_element: float = 2,
    found: Coefficients | None = None,
) -> float:
    """Return what reading the cache draws for an answer, beyond the short context of a chat.

    Each output token reads the cache of all tokens before it; a byte takes what a byte of weights takes. The
    measured energies hold the short context of each token at `MEASURED_BYTES`, however many tokens follow.

    Parameters
    ----------
    model : str or ModelSpec
        A model, or its name.
    input_tokens, output_tokens : int
        Tokens of the prompt and of the answer.
    bytes_per_element : float
        Of the cache.
    found : Coefficients, optional
        Other coefficients than those of the data.

    Returns
    -------
    float
        Energy in J.

    Raises
    ------
    CohortError
        If there is no such model, or the context is out of range.

    Examples
    --------
    >>> cache_joules("llama-3-8b", 256, 512)
    0.0
    """
    spec, kept = read_model(model), found or coefficients()
    middle = input_tokens + (output_tokens + 1) // 2
    more = spec.kv_cache_bytes(middle, 1, bytes_per_element)
    more -= _short_cache(spec, kept.context)
    return output_tokens * kept.read * max(more, 0) / GB


@lru_cache(maxsize=1024)
def _short_cache(spec: ModelSpec, context: int) -> int:
    return spec.kv_cache_bytes(context, 1, MEASURED_BYTES)


def joules_by_compute(
    active_parameters: float, tokens: float, peak: float, utilisation: float, power_w: float
) -> float:
    """Return the energy of an answer by its FLOPs alone: two for each active parameter and token.

    What estimates from outside do where nothing else is known of a service :cite:p:`epoch2025gpt4o`.

    Parameters
    ----------
    active_parameters, tokens : float
        Active parameters, and tokens of the answer.
    peak : float
        Peak of an accelerator, in FLOP a second.
    utilisation : float
        Share of it that the service attains, above 0 and at most 1.
    power_w : float
        Power of an accelerator with its share of everything else, in W.

    Returns
    -------
    float
        Energy in J.

    Raises
    ------
    ParameterError
        If a number is out of its range.

    Examples
    --------
    >>> round(joules_by_compute(100e9, 500, 989e12, utilisation=0.1, power_w=1275 * 0.7 * 1.2))
    1083
    """
    flops = 2 * positive("active_parameters", active_parameters) * positive("tokens", tokens)
    rate = positive("peak", peak, "FLOP/s") * bounded("utilisation", utilisation, 0, 1, above=True)
    return flops / rate * positive("power_w", power_w, "W")


explain(__name__)
