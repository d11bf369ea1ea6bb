"""The forms of the published loss laws of mixtures of experts."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from cohort.errors import InfeasibleError, ParameterError, bounded, positive
from cohort.errors.arguments import explain
from cohort.numeric import root

LARGEST = 1e30  # parameters up to which a dense model of equal loss is looked for

# The transformer that Krajewski et al. count with: 12 d^2 active weights in a block, 4 of them attention, as
# many blocks as the width over 64, 6 FLOP for an active weight and 14 for one of the router, training both.
WIDTH_OF_BLOCKS = 64
BLOCK, ATTENTION = 12, 4
FLOP_OF_ACTIVE, FLOP_OF_ROUTER = 6, 14


@dataclass(frozen=True, slots=True)
class BilinearLaw:
    r"""The law of Clark et al. :cite:p:`clark2022unified`, for as many tokens in every run.

    .. math:: \log_{10} L = a \log_{10} N + b \log_{10} \hat E + c \log_{10} N \log_{10} \hat E + d

    N are the parameters of the dense model whose feed-forward networks became experts, which is what a token
    passes through, and :math:`\hat E` the number of experts E as far as it counts, between `E_start` for
    one and `E_max`.

    Attributes
    ----------
    a, b, c, d : float
        Coefficients, for logarithms to base 10.
    E_start, E_max : float
        What a single expert and endlessly many count for.
    """

    a: float
    b: float
    c: float
    d: float
    E_start: float
    E_max: float

    def effective_experts(self, expansion: float) -> float:
        r"""Return :math:`\hat E`, for what so many experts count.

        Parameters
        ----------
        expansion : float
            Experts, of which a token is sent to one.

        Returns
        -------
        float
            Experts, from `E_start` to `E_max`.

        Raises
        ------
        ParameterError
            If the expansion is below 1.
        """
        inner = bounded("expansion", expansion, 1) - 1 + 1 / (1 / self.E_start - 1 / self.E_max)
        return 1 / (1 / inner + 1 / self.E_max)

    def loss(self, active: float, expansion: float) -> float:
        """Return the loss of a model, in nats per token.

        Parameters
        ----------
        active : float
            Parameters that a token passes through.
        expansion : float
            Experts, of which a token is sent to one.

        Returns
        -------
        float
            Nats per token.

        Raises
        ------
        ParameterError
            If either is out of its range.
        """
        n = math.log10(positive("active", active))
        e = math.log10(self.effective_experts(expansion))
        return float(10 ** (self.a * n + self.b * e + self.c * n * e + self.d))

    def dense_equivalent(self, active: float, expansion: float) -> float:
        """Return the parameters of the dense model of equal loss: what the report calls effective.

        Parameters
        ----------
        active, expansion : float
            As in `loss`.

        Returns
        -------
        float
            Parameters, as those of the mixture.

        Raises
        ------
        ParameterError
            If either is out of its range.
        """
        start = math.log10(self.E_start)
        height = math.log10(self.loss(active, expansion)) - self.d - self.b * start
        return float(10 ** (height / (self.a + self.c * start)))

    @property
    def cutoff(self) -> float:
        """Active parameters from which on more experts do not lower the loss."""
        return float(10 ** (-self.b / self.c))


@dataclass(frozen=True, slots=True)
class MixtureAllocation:
    """The best mixture of a training budget.

    Attributes
    ----------
    active, total : float
        Parameters, without embeddings.
    granularity : int
        Into how many experts the width of a dense feed-forward network is cut.
    tokens, flop : float
        Training tokens and compute.
    loss : float
        In nats per token.
    """

    active: float
    total: float
    granularity: int
    tokens: float
    flop: float
    loss: float


@dataclass(frozen=True, slots=True)
class GranularLaw:
    r"""The law of Krajewski et al. :cite:p:`krajewski2024finegrained`, for one expansion.

    .. math:: L = c + \left(\frac{g}{G^{\gamma}} + a\right) N^{-\alpha} + b D^{-\beta}

    N are **all** parameters without embeddings, D the training tokens, and G the granularity. Beside it
    stands the law of the dense models of the same study, without the term of G.

    Attributes
    ----------
    a, alpha, b, beta, g, gamma, c : float
        Coefficients, in nats per token.
    expansion : float
        All parameters of a feed-forward layer over the active ones, in every run.
    dense : GranularLaw, optional
        The law of dense models, None in that law itself.
    """

    a: float
    alpha: float
    b: float
    beta: float
    c: float
    g: float = 0.0
    gamma: float = 0.0
    expansion: float = 1.0
    dense: GranularLaw | None = field(default=None, kw_only=True)

    def _size_term(self, granularity: float) -> float:
        return float(self.a + self.g / positive("granularity", granularity) ** self.gamma)

    def loss(self, total: float, tokens: float, granularity: float = 1.0) -> float:
        """Return the loss of a model, in nats per token.

        Parameters
        ----------
        total : float
            All parameters, without embeddings.
        tokens : float
            Training tokens.
        granularity : float
            Into how many experts the width of a dense feed-forward network is cut.

        Returns
        -------
        float
            Nats per token.

        Raises
        ------
        ParameterError
            If an argument is not a positive number.
        """
        of_size = self._size_term(granularity) * positive("total", total) ** -self.alpha
        return float(self.c + of_size + self.b * positive("tokens", tokens) ** -self.beta)

    def dense_equivalent(self, total: float, tokens: float, granularity: float) -> float:
        """Return the parameters of the dense model of equal loss after as many tokens.

        Parameters
        ----------
        total, tokens, granularity : float
            As in `loss`.

        Returns
        -------
        float
            Parameters, as those of the mixture.

        Raises
        ------
        ParameterError
            If an argument is not a positive number, or the law knows no dense models.
        InfeasibleError
            If no dense model reaches the loss with these tokens.
        """
        other = self.dense
        if other is None:
            raise ParameterError("this is the law of dense models, which has no other to compare with")
        left = self.loss(total, tokens, granularity) - other.c - other.b * tokens**-other.beta
        if left <= 0:
            raise InfeasibleError(
                f"no dense model reaches this loss with {tokens:.3g} tokens, by the law of dense models"
            )
        return float((other.a / left) ** (1 / other.alpha))

    def parameters(self, width: float) -> tuple[float, float]:
        """Return the active and all parameters of the report's transformer of some width.

        Parameters
        ----------
        width : float
            Numbers of a token.

        Returns
        -------
        pair of float
            Parameters, without embeddings.
        """
        blocks = width / WIDTH_OF_BLOCKS
        feedforward = BLOCK - ATTENTION
        return (
            BLOCK * width**2 * blocks,
            (ATTENTION + feedforward * self.expansion) * width**2 * blocks,
        )

    def width(self, active: float) -> float:
        """Return the width of the report's transformer with so many active parameters.

        Parameters
        ----------
        active : float
            Parameters, without embeddings.

        Returns
        -------
        float
            Numbers of a token.

        Raises
        ------
        ParameterError
            If the argument is not a positive number.
        """
        return float((positive("active", active) * WIDTH_OF_BLOCKS / BLOCK) ** (1 / 3))

    def flop_per_token(self, width: float, granularity: float) -> float:
        """Return the training compute of a token, that of the routers included.

        Parameters
        ----------
        width, granularity : float
            Numbers of a token, and into how many experts a feed-forward network is cut.

        Returns
        -------
        float
            FLOP.
        """
        blocks = width / WIDTH_OF_BLOCKS
        router = width * self.expansion * granularity * FLOP_OF_ROUTER if self.dense else 0.0
        return (BLOCK * width**2 * FLOP_OF_ACTIVE + router) * blocks

    def compute_optimal(self, flop: float, finest: int = 128) -> MixtureAllocation:
        """Return the best size, granularity and amount of data for a training budget.

        Parameters
        ----------
        flop : float
            Training compute.
        finest : int
            The finest granularity that is tried, of 1, 2, 4 and so on.

        Returns
        -------
        MixtureAllocation
            That of the lowest loss.

        Raises
        ------
        ParameterError
            If the budget is not a positive number.

        Examples
        --------
        >>> from cohort.scaling.mixture_laws import routed_law
        >>> routed_law("krajewski-64").compute_optimal(1e22).granularity
        32
        """
        budget = positive("flop", flop, "FLOP")
        tried = [2**power for power in range(finest.bit_length())] if self.dense else [1]
        return min((self._optimal(budget, each) for each in tried), key=lambda found: found.loss)

    def _optimal(self, flop: float, granularity: int) -> MixtureAllocation:
        """Return the best size for one granularity: where the slopes by size and by tokens cancel."""

        def slope(log_width: float) -> float:
            width = math.exp(log_width)
            total, cost = self.parameters(width)[1], self.flop_per_token(width, granularity)
            quadratic = BLOCK * width**2 * FLOP_OF_ACTIVE * width / WIDTH_OF_BLOCKS
            by_cost = (3 * quadratic + 2 * (cost - quadratic)) / cost  # d ln cost / d ln width
            by_size = 3 * self.alpha * self._size_term(granularity) * total**-self.alpha
            return float(by_cost * self.beta * self.b * (flop / cost) ** -self.beta - by_size)

        width = math.exp(root(slope, math.log(1e-2), math.log(1e9)))
        active, total = self.parameters(width)
        tokens = flop / self.flop_per_token(width, granularity)
        return MixtureAllocation(
            active, total, granularity, tokens, flop, self.loss(total, tokens, granularity)
        )


@dataclass(frozen=True, slots=True)
class SparsityLaw:
    r"""The law of Abnar et al. :cite:p:`abnar2025sparsity`.

    .. math::
        L = a N^{-\alpha} + b D^{-\beta} + c (1-S)^{-\lambda} + d (1-S)^{-\delta} N^{-\gamma} + e

    N are all parameters, D the training tokens, and S the share of experts that a token is not sent to.

    Attributes
    ----------
    a, alpha, b, beta, c, lambda_, d, delta, gamma, e : float
        Coefficients, in nats per token.
    """

    a: float
    alpha: float
    b: float
    beta: float
    c: float
    lambda_: float
    d: float
    delta: float
    gamma: float
    e: float

    def loss(self, total: float, tokens: float, sparsity: float) -> float:
        """Return the loss of a model, in nats per token.

        Parameters
        ----------
        total, tokens : float
            All parameters, and training tokens.
        sparsity : float
            Share of the experts that a token is not sent to.

        Returns
        -------
        float
            Nats per token.

        Raises
        ------
        ParameterError
            If an argument is out of its range.
        """
        data = self.b * positive("tokens", tokens) ** -self.beta
        return float(self._of_size(total, sparsity) + data + self.e)

    def _of_size(self, total: float, sparsity: float) -> float:
        total = positive("total", total)
        open_ = 1 - bounded("sparsity", sparsity, 0, 1, below=True)
        sparse = self.c * open_**-self.lambda_
        return float(self.a * total**-self.alpha + sparse + self.d * open_**-self.delta * total**-self.gamma)

    def dense_equivalent(self, total: float, sparsity: float) -> float:
        """Return the parameters of the dense model of equal loss, whatever the tokens.

        Parameters
        ----------
        total, sparsity : float
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
            If no dense model reaches the loss.
        """
        target = self._of_size(total, sparsity)
        if self._of_size(LARGEST, 0.0) >= target:
            raise InfeasibleError(
                f"no dense model reaches the loss of {total:.3g} parameters at a sparsity of {sparsity:.3g}"
            )
        return math.exp(
            root(lambda n: self._of_size(math.exp(n), 0.0) - target, math.log(1.0), math.log(LARGEST))
        )


explain(__name__)
