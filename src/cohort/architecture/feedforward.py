"""What transforms each token: dense networks, mixtures of experts, and how residual streams meet them."""

from __future__ import annotations

from dataclasses import dataclass

from cohort.architecture.mixing import Part, check_sizes
from cohort.errors import ConfigError, exact_integer
from cohort.errors.arguments import explain
from cohort.numeric import LIMIT


@dataclass(frozen=True, slots=True)
class Dense(Part):
    """A feed-forward network that every token passes through.

    Attributes
    ----------
    width : int
        Width of the inner layer.
    gated : bool
        Whether a third matrix gates the inner layer, as in SwiGLU and GeGLU :cite:p:`shazeer2020glu`.
    bias : bool
        Whether the matrices have biases.
    """

    width: int
    gated: bool = True
    bias: bool = False

    def __post_init__(self) -> None:
        exact_integer("width", self.width, 1, LIMIT, ConfigError)

    def matmul_parameters(self, hidden: int) -> int:
        """Return the weights of the two matrices, or three where one gates."""
        return (3 if self.gated else 2) * hidden * self.width

    def parameters(self, hidden: int) -> int:
        """Return all weights, biases included."""
        biases = (2 if self.gated else 1) * self.width + hidden if self.bias else 0
        return self.matmul_parameters(hidden) + biases


@dataclass(frozen=True, slots=True)
class Experts(Part):
    """A mixture of experts: a router sends each token to a few of many feed-forward networks.

    Attributes
    ----------
    count, active : int
        Routed experts, and how many of them a token is sent to.
    width : int
        Width of the inner layer of one expert.
    shared : int
        Shared experts, through which every token passes :cite:p:`dai2024deepseekmoe`.
    gated : bool
        Whether the experts are gated.
    bias, shared_bias, router_bias : bool
        Whether the routed experts, the shared experts and the router have biases.
    shared_width : int, optional
        Width of the inner layer of one shared expert, where it differs.
    shared_gate : bool
        Whether a learned gate weights what the shared experts add (Qwen).
    router_scales : bool
        Whether the router scales each of its inputs and each expert's weight (Gemma 4).
    latent : int, optional
        Width that the routed experts work on, between two projections beside them (Nemotron 3).
    zero : int
        Experts that hold no weights and hand their input on; the router knows them (LongCat-Flash).
    correction : int
        Further registered weights of the router, such as a correction for each expert.
    router : int, optional
        Weights of the router, where it is not one row an expert.
    unused : int
        Weights of experts that no token of text visits (the vision experts of ERNIE 4.5 VL).
    """

    count: int
    active: int
    width: int
    shared: int = 0
    gated: bool = True
    bias: bool = False
    shared_bias: bool = False
    router_bias: bool = False
    shared_width: int | None = None
    shared_gate: bool = False
    router_scales: bool = False
    latent: int | None = None
    zero: int = 0
    correction: int = 0
    router: int | None = None
    unused: int = 0

    def __post_init__(self) -> None:
        exact_integer("experts", self.count, 1, LIMIT, ConfigError)
        exact_integer("active experts", self.active, 1, LIMIT, ConfigError)
        exact_integer("shared experts", self.shared, 0, LIMIT, ConfigError)
        if self.active > self.count:
            raise ConfigError(
                f"{self.active} active experts are more than the {self.count} experts there are"
            )
        exact_integer("width", self.width, 1, LIMIT, ConfigError)
        for name in ("shared_width", "latent"):
            if getattr(self, name) is not None:
                exact_integer(name, getattr(self, name), 1, LIMIT, ConfigError)
        check_sizes(self, ("zero", "correction", "unused"), low=0)
        together = self.shared * (self.shared_width or self.width)
        exact_integer("width of the shared experts together", together, 0, LIMIT, ConfigError)

    @property
    def expert(self) -> Dense:
        """One routed expert."""
        return Dense(self.width, self.gated, self.bias)

    def expert_parameters(self, hidden: int) -> int:
        """Return all weights of one routed expert.

        Parameters
        ----------
        hidden : int
            Width of the residual stream; an expert works on `latent` instead where that is given.

        Returns
        -------
        int
            Weights, biases included.
        """
        return self.expert.parameters(self.latent or hidden)

    def _router(self, hidden: int) -> int:
        return hidden * (self.count + self.zero) if self.router is None else self.router

    def _latent_projections(self, hidden: int) -> int:
        return 2 * hidden * self.latent if self.latent else 0

    @property
    def _beside(self) -> Dense | None:
        """The shared experts as one network."""
        width = self.shared * (self.shared_width or self.width)
        return Dense(width, self.gated, self.shared_bias) if self.shared else None

    def router_parameters(self, hidden: int) -> int:
        """Return the weights of the router's matrix.

        Parameters
        ----------
        hidden : int
            Width of the residual stream.

        Returns
        -------
        int
            Weights: a row for each expert, or `router` where that is given.
        """
        return self._router(hidden)

    def shared_matrices(self, hidden: int) -> int:
        """Return the weights of the matrices of all shared experts.

        Parameters
        ----------
        hidden : int
            Width of the residual stream.

        Returns
        -------
        int
            Weights, no biases; 0 where no expert is shared.
        """
        return self._beside.matmul_parameters(hidden) if self._beside else 0

    def _of(self, experts: int, hidden: int) -> int:
        rows = self.count + self.zero
        router = self._router(hidden) + (rows if self.router_bias else 0) + self.correction
        router += hidden + self.count if self.router_scales else 0
        shared = self._beside.parameters(hidden) if self._beside else 0
        shared += hidden if self.shared_gate else 0
        shared += self._latent_projections(hidden)
        return router + shared + experts * self.expert_parameters(hidden)

    def matmul_parameters(self, hidden: int) -> int:
        """Return the weights that a token is multiplied with: router, shared and active experts."""
        shared = self._beside.matmul_parameters(hidden) if self._beside else 0
        shared += hidden if self.shared_gate else 0
        shared += self._latent_projections(hidden)
        routed = self.active * self.expert.matmul_parameters(self.latent or hidden)
        return self._router(hidden) + shared + routed

    def parameters(self, hidden: int) -> int:
        """Return all weights: router, shared and routed experts."""
        return self._of(self.count, hidden) + self.unused

    def active_parameters(self, hidden: int) -> int:
        """Return the weights that one token passes through: router, shared and active experts."""
        return self._of(self.active, hidden)


@dataclass(frozen=True, slots=True)
class Residual(Part):
    """A dense network and a mixture of experts side by side, their outputs added (Arctic, Gemma 4).

    Attributes
    ----------
    dense : Dense
        The network that every token passes through.
    experts : Experts
        The mixture beside it.
    """

    dense: Dense
    experts: Experts

    def matmul_parameters(self, hidden: int) -> int:
        """Return the weights that a token is multiplied with, in both parts."""
        return self.dense.matmul_parameters(hidden) + self.experts.matmul_parameters(hidden)

    def parameters(self, hidden: int) -> int:
        """Return all weights of both parts."""
        return self.dense.parameters(hidden) + self.experts.parameters(hidden)

    def active_parameters(self, hidden: int) -> int:
        """Return the weights that one token passes through, in both parts."""
        return self.dense.parameters(hidden) + self.experts.active_parameters(hidden)


@dataclass(frozen=True, slots=True)
class Weights:
    """Further weights of a layer or a model that no other part holds.

    Attributes
    ----------
    matrices : int
        Weights that a token is multiplied with.
    others : int
        Tables that are looked up, biases, scales.
    """

    matrices: int = 0
    others: int = 0

    def __post_init__(self) -> None:
        check_sizes(self, ("matrices", "others"), low=0)

    @property
    def all(self) -> int:
        """All of them."""
        return self.matrices + self.others


FeedForward = Dense | Experts | Residual


@dataclass(frozen=True, slots=True)
class HyperConnection(Part):
    """How a block reads from, writes to and mixes several residual streams :cite:p:`xie2025mhc`.

    Attributes
    ----------
    streams : int
        Residual streams beside each other, n.
    mixed : bool
        Whether streams are also mixed with each other, and not only read and written.
    collapsed : bool
        Whether weights bring the streams together after the last layer.
    """

    streams: int
    mixed: bool = True
    collapsed: bool = True

    def __post_init__(self) -> None:
        exact_integer("residual streams", self.streams, 1, 1024, ConfigError)

    def matmul_parameters(self, hidden: int) -> int:
        """Return the weights that the streams are multiplied with: n reads, n writes and n x n mixes."""
        return self._outputs * self.streams * hidden

    @property
    def _outputs(self) -> int:
        return (2 + self.streams if self.mixed else 2) * self.streams

    def parameters(self, hidden: int) -> int:
        """Return all weights: also one bias for each output, and a scale for each of the kinds."""
        return self.matmul_parameters(hidden) + self._outputs + (3 if self.mixed else 2)

    def collapse_parameters(self, hidden: int) -> int:
        """Return the weights that bring the streams together after the last layer.

        Parameters
        ----------
        hidden : int
            Width of the residual stream.

        Returns
        -------
        int
            Weights; 0 where the streams come together without any.
        """
        return self.streams * self.streams * hidden + self.streams + 1 if self.collapsed else 0


explain(__name__)
