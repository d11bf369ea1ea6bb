"""Sizes and amounts of data, and what they cost over the life of a model.

Sizes are in parameters, data in tokens, compute in FLOP, losses in nats per token.
"""

from __future__ import annotations

from dataclasses import dataclass

from cohort.errors import bounded, positive
from cohort.errors.arguments import explain
from cohort.units import SECONDS_PER_HOUR

FLOP_PER_TOKEN = 6.0  # of training, a parameter: two forward, four backward
SERVING_FLOP_PER_TOKEN = 2.0  # of answering, a parameter


@dataclass(frozen=True, slots=True)
class Allocation:
    """A size and an amount of training data.

    Attributes
    ----------
    parameters, tokens : float
        What the model holds, and what it is trained on.
    flop : float
        Training compute, exactly 6 x parameters x tokens.
    loss : float
        What the law predicts, in nats per token.
    """

    parameters: float
    tokens: float
    flop: float
    loss: float

    @property
    def tokens_per_parameter(self) -> float:
        """Training tokens per parameter."""
        return self.tokens / self.parameters


@dataclass(frozen=True, slots=True)
class Overtraining:
    """What a size other than the compute-optimal one takes to reach the same loss.

    Attributes
    ----------
    token_ratio : float
        Tokens over those of the compute-optimal model.
    compute_overhead : float
        Training compute over that of the compute-optimal model, less one.
    critical_parameter_ratio : float
        The share of the compute-optimal size below which no amount of data suffices.
    """

    token_ratio: float
    compute_overhead: float
    critical_parameter_ratio: float


@dataclass(frozen=True, slots=True)
class Price:
    """What a floating-point operation costs on rented accelerators.

    Attributes
    ----------
    usd_per_hour : float
        Of one accelerator.
    peak_flop_per_s : float
        Its dense peak.
    utilisation : float
        Share of the peak that is attained, above 0 and at most 1. Decoding is bound by bandwidth, which
        here is a low utilisation.

    Raises
    ------
    ParameterError
        If a number is out of its range.
    """

    usd_per_hour: float
    peak_flop_per_s: float
    utilisation: float

    def __post_init__(self) -> None:
        for name, unit in (("usd_per_hour", "USD"), ("peak_flop_per_s", "FLOP/s")):
            object.__setattr__(self, name, positive(name, getattr(self, name), unit))
        share = bounded("utilisation", self.utilisation, 0, 1, above=True)
        object.__setattr__(self, "utilisation", share)

    @property
    def usd_per_flop(self) -> float:
        """Dollars an operation."""
        return self.usd_per_hour / (SECONDS_PER_HOUR * self.peak_flop_per_s * self.utilisation)


@dataclass(frozen=True, slots=True)
class Lifetime:
    """What a model is used for and what its operations cost, from its training to its last answer.

    Attributes
    ----------
    input_tokens, output_tokens : float
        Tokens read and written over the model's whole life.
    training, prefill, decode : Price
        Of an operation of training, of reading and of writing.
    """

    input_tokens: float
    output_tokens: float
    training: Price
    prefill: Price
    decode: Price

    def __post_init__(self) -> None:
        for name in ("input_tokens", "output_tokens"):
            object.__setattr__(self, name, bounded(name, getattr(self, name), 0, unit="tokens"))

    @property
    def equivalent_tokens(self) -> float:
        """Tokens of use that would cost the same at the price of training."""
        reading = self.input_tokens * self.prefill.usd_per_flop
        writing = self.output_tokens * self.decode.usd_per_flop
        return (reading + writing) / self.training.usd_per_flop

    def usd(self, parameters: float, tokens: float) -> float:
        """Return what training and all use of a model cost together.

        Parameters
        ----------
        parameters, tokens : float
            Its size, and its training tokens.

        Returns
        -------
        float
            USD.

        Raises
        ------
        ParameterError
            If either is not a finite number above 0.

        Examples
        --------
        >>> hour = Price(usd_per_hour=2.0, peak_flop_per_s=989e12, utilisation=0.4)
        >>> round(Lifetime(0, 0, hour, hour, hour).usd(8e9, 15e12) / 1e6, 2)
        1.01
        """
        operations = FLOP_PER_TOKEN * positive("tokens", tokens)
        operations += SERVING_FLOP_PER_TOKEN * self.equivalent_tokens
        return positive("parameters", parameters) * operations * self.training.usd_per_flop


explain(__name__)
