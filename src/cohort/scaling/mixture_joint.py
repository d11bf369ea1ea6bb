"""Two laws of mixtures of 2025: one of experts, size and tokens together, and one of compute saved."""

from __future__ import annotations

import math
from dataclasses import dataclass

from cohort.errors import InfeasibleError, bounded, positive
from cohort.errors.arguments import explain
from cohort.numeric import root

LARGEST = 1e30  # parameters up to which a dense model of equal loss is looked for


@dataclass(frozen=True, slots=True)
class JointLaw:
    r"""The law of Ludziejewski et al. :cite:p:`ludziejewski2025joint`.

    .. math::
        L = a \hat E^{\delta} N^{\alpha + \gamma \ln \hat E}
        + b \hat E^{\omega} D^{\beta + \zeta \ln \hat E} + c

    N are the active parameters, with embedding and head, D the training tokens, and :math:`\hat E` the
    experts as far as they count, as in the law of Clark et al.

    Attributes
    ----------
    a, alpha, b, beta, c, delta, gamma, omega, zeta : float
        Coefficients, in nats per token; exponents carry their signs.
    E_start, E_max : float
        What a single expert and endlessly many count for.
    """

    a: float
    alpha: float
    b: float
    beta: float
    c: float
    delta: float
    gamma: float
    omega: float
    zeta: float
    E_start: float
    E_max: float

    def __post_init__(self) -> None:
        start = positive("E_start", self.E_start)
        bounded("E_max", self.E_max, start, above=True)

    def reduced(self, expansion: float) -> tuple[float, float, float, float]:
        """Return the law for one number of experts: factor and exponent of the size, and of the tokens.

        Parameters
        ----------
        expansion : float
            Experts, of which a token is sent to one.

        Returns
        -------
        tuple of four floats
            Nats per token, and exponents.

        Raises
        ------
        ParameterError
            If the expansion is below 1.
        """
        inner = bounded("expansion", expansion, 1) - 1 + 1 / (1 / self.E_start - 1 / self.E_max)
        count = 1 / (1 / inner + 1 / self.E_max)
        log = math.log(count)
        size = self.a * count**self.delta, self.alpha + self.gamma * log
        return *size, self.b * count**self.omega, self.beta + self.zeta * log

    def loss(self, active: float, tokens: float, expansion: float) -> float:
        """Return the loss of a model, in nats per token.

        Parameters
        ----------
        active, tokens : float
            Parameters that a token passes through, and training tokens.
        expansion : float
            Experts, of which a token is sent to one.

        Returns
        -------
        float
            Nats per token.

        Raises
        ------
        ParameterError
            If an argument is out of its range.
        """
        m, mu, n, nu = self.reduced(expansion)
        return float(m * positive("active", active) ** mu + n * positive("tokens", tokens) ** nu + self.c)

    def dense_equivalent(self, active: float, tokens: float, expansion: float) -> float:
        """Return the parameters of the dense model of equal loss after as many tokens.

        Parameters
        ----------
        active, tokens, expansion : float
            As in `loss`.

        Returns
        -------
        float
            Parameters, as those of the mixture.

        Raises
        ------
        ParameterError
            If an argument is out of its range.
        InfeasibleError
            If no dense model reaches the loss with these tokens.
        """
        target = self.loss(active, tokens, expansion)
        if self.loss(LARGEST, tokens, 1) >= target:
            raise InfeasibleError(f"no dense model reaches this loss with {tokens:.3g} tokens")
        return math.exp(
            root(lambda n: self.loss(math.exp(n), tokens, 1) - target, math.log(1.0), math.log(LARGEST))
        )


@dataclass(frozen=True, slots=True)
class LeverageLaw:
    r"""The law of how many times the compute of a mixture a dense model of equal loss takes.

    .. math:: EL = \hat A^{\,a + d \log_{10} C + \gamma (\log_2 G)^2 + \beta \log_2 G}

    A is the share of the experts that a token is sent to, :math:`\hat A` the same between `A_start` and
    `A_max`, G twice the hidden size over the width of an expert, and C the compute of training
    :cite:p:`tian2025leverage`.

    Attributes
    ----------
    a, d, gamma, beta : float
        Coefficients of the exponent.
    A_start, A_max : float
        What an endlessly small and an endlessly large share count for.
    """

    a: float
    d: float
    gamma: float
    beta: float
    A_start: float
    A_max: float

    def __post_init__(self) -> None:
        start = positive("A_start", self.A_start)
        bounded("A_max", self.A_max, start, above=True)

    def leverage(self, share: float, fineness: float, flop: float) -> float:
        """Return how many times the compute of the mixture a dense model of equal loss takes.

        Parameters
        ----------
        share : float
            Of the experts that a token is sent to, shared ones included.
        fineness : float
            Twice the hidden size over the width of an expert.
        flop : float
            Compute that trains the mixture.

        Returns
        -------
        float
            Times.

        Raises
        ------
        ParameterError
            If an argument is out of its range.
        """
        inner = bounded("share", share, 0, 1) + 1 / (1 / self.A_start - 1 / self.A_max)
        counted = 1 / (1 / inner + 1 / self.A_max)
        fine = math.log2(positive("fineness", fineness))
        power = self.a + self.d * math.log10(positive("flop", flop))
        return float(counted ** (power + self.gamma * fine * fine + self.beta * fine))

    def dense_equivalent(self, active: float, tokens: float, share: float, fineness: float) -> float:
        """Return the parameters of the dense model of equal loss, the tokens being as many.

        Parameters
        ----------
        active, tokens : float
            Parameters that a token passes through, and training tokens.
        share, fineness : float
            As in `leverage`.

        Returns
        -------
        float
            Parameters.

        Raises
        ------
        ParameterError
            If an argument is out of its range.
        """
        flop = 6 * positive("active", active) * positive("tokens", tokens)
        return active * self.leverage(share, fineness, flop)


explain(__name__)
