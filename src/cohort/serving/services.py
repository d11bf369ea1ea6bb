"""A service in its steady state: its times, throughput, utilisation and price."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from cohort.errors import positive
from cohort.errors.arguments import explain
from cohort.units import MILLION, SECONDS_PER_HOUR

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
    "drafts": "overhead",
}


def time_of_request(
    first_s: float, token_s: float, prompts_s: float, others_s: float, output_tokens: int
) -> float:
    """Return the time of a request, from the prompt to the last token.

    Parameters
    ----------
    first_s, token_s : float
        Time to the first token, and per output token, in seconds.
    prompts_s : float
        Of the latter, what the prompts of others take, in seconds.
    others_s : float
        What they take in all, in seconds.
    output_tokens : int
        Tokens of the answer.

    Returns
    -------
    float
        Seconds.
    """
    return first_s + others_s + (output_tokens - 1) * (token_s - prompts_s)


@dataclass(frozen=True)
class Serving:
    """A service in its steady state, every slot taken: a request that ends makes room for the next.

    Attributes
    ----------
    model, accelerator : str
        Names of both.
    tensor_parallel, concurrency, input_tokens, output_tokens : int
        As they were given.
    devices : int
        Devices in all: those that share each layer, times the copies of the attention, times the stages.
    ttft_s : float
        Time to the first token: other prompts and a step are waited for, and the prompt is read. Seconds.
    parts : tuple of (str, float)
        Seconds of the time per output token: to read ``weights`` and ``cache``, to multiply by ``matrices``
        and ``scores``, to exchange over ``links``, the fixed times of ``layers`` and ``sequences``, to guess
        ``drafts`` where tokens are guessed ahead, and the ``prompts`` of other sequences that are read in
        between. Of what overlaps, such as reading the cache and scoring it, the longer counts.
    fits : bool
        Whether weights and cache fit the memory. If not, the times are those that enough memory would give.
    reason : str
        Why it does not fit; empty if it does.
    steps : float
        Steps after the prompt, one a token but where tokens are guessed ahead.
    others_s : float
        Seconds that the prompts of all other sequences take between this one's tokens.
    request_flops : float
        FLOPs of one request in all devices: of its prompt, which yields the first token, and of a step for
        each token after it.
    step_bytes : float
        Bytes that one step reads, in all devices: weights and caches.
    peak, bandwidth : float
        Dense peak for the fastest type of the products, and bandwidth of the memory, of all devices.
    spread : tuple of two pairs of floats
        Between what measured over predicted lies in nine in ten services that the fit did not see: of the
        time per token and of the time to the first, of dense models or mixtures, of this vendor and
        generation.
    """

    model: str
    accelerator: str
    tensor_parallel: int
    concurrency: int
    input_tokens: int
    output_tokens: int
    devices: int
    ttft_s: float
    parts: tuple[tuple[str, float], ...]
    fits: bool
    reason: str
    steps: float = field(repr=False)
    others_s: float = field(repr=False)
    request_flops: float = field(repr=False)
    step_bytes: float = field(repr=False)
    peak: float = field(repr=False)
    bandwidth: float = field(repr=False)
    spread: tuple[tuple[float, float], tuple[float, float]] = field(repr=False)

    @cached_property
    def tpot_s(self) -> float:
        """Time per output token of one sequence, in seconds, the prompts of others included."""
        return sum(seconds for _, seconds in self.parts)

    @property
    def tpot_range_s(self) -> tuple[float, float]:
        """Between which times per token nine in ten services of this class were measured, in seconds.

        Examples
        --------
        >>> import cohort
        >>> found = cohort.serving.serve("llama-3-8b", "H100 SXM 80GB", input_tokens=1024, output_tokens=256)
        >>> low, high = found.tpot_range_s
        >>> low < found.tpot_s < high
        True
        """
        low, high = self.spread[0]
        return low * self.tpot_s, high * self.tpot_s

    @property
    def ttft_range_s(self) -> tuple[float, float]:
        """Between which times to the first token nine in ten services of this class were measured."""
        low, high = self.spread[1]
        return low * self.ttft_s, high * self.ttft_s

    @property
    def request_s(self) -> float:
        """Time of a request, from the prompt to the last token, in seconds.

        While it lasts, each of the other sequences ends and the prompt of its successor is read.
        """
        prompts = dict(self.parts)["prompts"]
        return time_of_request(self.ttft_s, self.tpot_s, prompts, self.others_s, self.output_tokens)

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
        return self.step_bytes * self._steps_per_token / self.tpot_s / self.bandwidth

    @property
    def _steps_per_token(self) -> float:
        return self.steps / max(self.output_tokens - 1, 1) if self.steps else 1.0

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
        4.66
        """
        hourly = positive("price", price, "USD per accelerator hour") * self.devices
        return hourly / (SECONDS_PER_HOUR * self.output_tokens_per_s) * MILLION


explain(__name__)
