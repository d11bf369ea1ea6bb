"""Laws of other forms than the sum of two power laws: coupled, in compute, with repetition or precision.

Each is a form in which runs can be fitted by `cohort.fitting.fit`; sizes in parameters, data in tokens.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

from cohort.errors import InfeasibleError
from cohort.errors.arguments import explain
from cohort.scaling.allocations import FLOP_PER_TOKEN, Allocation
from cohort.scaling.laws_in_general import Law, checked

LARGEST = 700.0  # logarithm of what a number holds: far from its runs a stretched exponential leaves it


@dataclass(frozen=True, slots=True)
class CoupledLaw(Law):
    """Two power laws that do not simply add: E + (A^(1/k) N^(-alpha/k) + B^(1/k) D^(-beta/k))^k.

    Also written E + A (N^-a + R D^-b)^k, with a = alpha / k, b = beta / k and R = (B / A)^(1/k). With k = 1
    it is a `ScalingLaw`; with E = 0 and k = beta it is that of :cite:t:`kaplan2020scaling`.

    Attributes
    ----------
    E : float
        Loss that no size and no data can remove, in nats per token.
    A, alpha : float
        What a finite number of parameters costs, with endless data.
    B, beta : float
        What a finite number of tokens costs, with endless size.
    k : float
        Coupling of the two.
    """

    form: ClassVar[str] = "coupled"
    A: float
    B: float
    E: float
    alpha: float
    beta: float
    k: float

    def __post_init__(self) -> None:
        checked(self)

    def _loss(self, n: Any, d: Any, **further: Any) -> Any:
        first = self.A ** (1 / self.k) * n ** (-self.alpha / self.k)
        second = self.B ** (1 / self.k) * d ** (-self.beta / self.k)
        return self.E + (first + second) ** self.k


@dataclass(frozen=True, slots=True)
class KaplanLaw(Law):
    """The first law in size and data, ((Nc/N)^(alpha/beta) + Dc/D)^beta :cite:p:`kaplan2020scaling`.

    Attributes
    ----------
    Nc, alpha : float
        Parameters, and the exponent with endless data.
    Dc, beta : float
        Tokens, and the exponent with endless size.
    """

    form: ClassVar[str] = "kaplan"
    Nc: float
    Dc: float
    alpha: float
    beta: float

    def __post_init__(self) -> None:
        checked(self)

    @classmethod
    def of_two_powers(
        cls, A: float, B: float, alpha: float, beta: float, E: float = 0, k: float = 0
    ) -> KaplanLaw:
        """Return the law whose size alone gives A / N^alpha, and data alone B / D^beta.

        Parameters
        ----------
        A, alpha, B, beta : float
            The two power laws.
        E, k : float
            Not used: the form has no irreducible loss, and its coupling is beta.

        Returns
        -------
        KaplanLaw
            The law.
        """
        return cls(A ** (1 / alpha), B ** (1 / beta), alpha, beta)

    def _loss(self, n: Any, d: Any, **further: Any) -> Any:
        return ((self.Nc / n) ** (self.alpha / self.beta) + self.Dc / d) ** self.beta


@dataclass(frozen=True, slots=True)
class OvertrainingLaw(Law):
    """A law in compute and overtraining, E + (a M^eta + b M^-eta) / C^eta :cite:p:`gadre2024overtraining`.

    With M = D/N and C = 6ND it is a `ScalingLaw` whose two exponents are both 2 eta.

    Attributes
    ----------
    E, a, b, eta : float
        Its numbers, in nats per token, FLOP and tokens per parameter.
    """

    form: ClassVar[str] = "gadre"
    E: float
    a: float
    b: float
    eta: float

    def __post_init__(self) -> None:
        checked(self)

    @classmethod
    def of_two_powers(cls, A: float, B: float, E: float, alpha: float, beta: float) -> OvertrainingLaw:
        """Return the law of two power laws with one exponent.

        Parameters
        ----------
        A, B, E, alpha, beta : float
            As of a `ScalingLaw`, with alpha = beta.

        Returns
        -------
        OvertrainingLaw
            The law.
        """
        scale = FLOP_PER_TOKEN ** (alpha / 2)
        return cls(E, A * scale, B * scale, alpha / 2)

    def _loss(self, n: Any, d: Any, **further: Any) -> Any:
        ratio, flop = d / n, FLOP_PER_TOKEN * n * d
        return self.E + (self.a * ratio**self.eta + self.b * ratio**-self.eta) * flop**-self.eta


@dataclass(frozen=True, slots=True)
class FarseerLaw(Law):
    """A law whose exponent of data falls or rises with size :cite:p:`li2025farseer`.

    L = exp(a3 N^gamma + b3) + exp(a2 N^beta + b2) / D^exp(a1 N^alpha + b1).

    Attributes
    ----------
    a3, gamma, b3, a2, beta, b2, a1, alpha, b1 : float
        Its numbers, of either sign.
    """

    form: ClassVar[str] = "farseer"
    a3: float
    gamma: float
    b3: float
    a2: float
    beta: float
    b2: float
    a1: float
    alpha: float
    b1: float

    def __post_init__(self) -> None:
        checked(self, signed=True)

    def _loss(self, n: Any, d: Any, **further: Any) -> Any:
        power = math.e ** _lesser(self.a1 * n**self.alpha + self.b1, LARGEST)
        scale = math.e ** _lesser(self.a2 * n**self.beta + self.b2, LARGEST)
        return math.e ** _lesser(self.a3 * n**self.gamma + self.b3, LARGEST) + scale * d**-power


@dataclass(frozen=True, slots=True)
class ComputeLaw(Law):
    """A law in training compute alone, E + A / C^alpha: for runs along one policy.

    Attributes
    ----------
    A, E, alpha : float
        Its numbers; C in FLOP.
    """

    form: ClassVar[str] = "compute"
    A: float
    E: float
    alpha: float

    def __post_init__(self) -> None:
        checked(self)

    def _loss(self, n: Any, d: Any, **further: Any) -> Any:
        return self.E + self.A * (FLOP_PER_TOKEN * n * d) ** -self.alpha

    def _best(self, budget: float, use: float, further: dict[str, float]) -> Allocation:
        raise InfeasibleError("a law in compute alone says nothing of how to divide it")


def _lesser(one: Any, other: Any) -> Any:
    """Return the lesser of two numbers, or of each pair in arrays."""
    return (one + other - abs(one - other)) / 2 if hasattr(one - other, "__array__") else min(one, other)


@dataclass(frozen=True, slots=True)
class RepeatedLaw(Law):
    """Two power laws in which repeated tokens lose their value :cite:p:`muennighoff2023data`.

    D counts as U (1 + R (1 - exp(-r / R))) with r = D/U - 1 passes beyond the first over U distinct tokens;
    parameters count in full.

    Attributes
    ----------
    A, B, E, alpha, beta : float
        As of a `ScalingLaw`.
    R : float
        Repetitions after which repeating gains 1 - 1/e of all that it can.
    """

    form: ClassVar[str] = "repeated"
    A: float
    B: float
    E: float
    alpha: float
    beta: float
    R: float

    def __post_init__(self) -> None:
        checked(self)

    def _loss(self, n: Any, d: Any, **further: Any) -> Any:
        once = _lesser(d, further.get("unique_tokens", d))
        worth = once * (1 + self.R * (1 - math.e ** ((1 - d / once) / self.R)))
        return self.E + self.A * n**-self.alpha + self.B * worth**-self.beta


@dataclass(frozen=True, slots=True)
class OverfittingLaw(Law):
    """Two power laws and a penalty by which repetition harms :cite:p:`lovelace2026prescriptive`.

    L = E + A / N^alpha + B / D^beta + P r^delta (N/U)^kappa with r = D/U - 1 passes beyond the first over U
    distinct tokens.

    Attributes
    ----------
    A, B, E, alpha, beta : float
        As of a `ScalingLaw`.
    P, delta, kappa : float
        Of the penalty.
    """

    form: ClassVar[str] = "overfitting"
    A: float
    B: float
    E: float
    alpha: float
    beta: float
    P: float
    delta: float
    kappa: float

    def __post_init__(self) -> None:
        checked(self, signed=True)

    def _loss(self, n: Any, d: Any, **further: Any) -> Any:
        once = _lesser(d, further.get("unique_tokens", d))
        harm = self.P * abs(d / once - 1) ** self.delta * (n / once) ** self.kappa
        return self.E + self.A * n**-self.alpha + self.B * d**-self.beta + harm


@dataclass(frozen=True, slots=True)
class PrecisionLaw(Law):
    """Two power laws in which few bits count as fewer parameters :cite:p:`kumar2024precision`.

    N counts as N (1 - exp(-bits / g)).

    Attributes
    ----------
    A, B, E, alpha, beta : float
        As of a `ScalingLaw`.
    g : float
        Bits at which 1 - 1/e of the parameters count.
    """

    form: ClassVar[str] = "precision"
    A: float
    B: float
    E: float
    alpha: float
    beta: float
    g: float

    def __post_init__(self) -> None:
        checked(self)

    def _loss(self, n: Any, d: Any, **further: Any) -> Any:
        size = n * (1 - math.e ** (-further.get("bits", 16.0) / self.g))
        return self.E + self.A * size**-self.alpha + self.B * d**-self.beta


explain(__name__)
