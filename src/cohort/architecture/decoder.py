"""A model as layers of attention and feed-forward, with exact parameter counts.

``cohort.models()`` lists the registered models; `cohort.model` reads one.

Counts follow the reference implementations: every registered weight of the text decoder, tied matrices once.
Multi-token-prediction heads, vision and audio towers, and buffers (such as the correction of a router's
scores) are not counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property

from cohort.architecture.attention import Attention, naive_score_bytes
from cohort.errors import ConfigError, ParameterError, exact_integer, integer, positive, shown
from cohort.experts.closed_form import coverage
from cohort.numeric import LIMIT, MAX_CONTEXT

__all__ = [
    "Attention",
    "Dense",
    "Experts",
    "FeedForward",
    "HyperConnection",
    "Layer",
    "ModelSpec",
    "Residual",
]


MAX_LAYERS = 10_000


@dataclass(frozen=True, slots=True)
class Dense:
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
        """Return the weights that a token is multiplied with."""
        return (3 if self.gated else 2) * hidden * self.width

    def parameters(self, hidden: int) -> int:
        """Return all weights, biases included."""
        biases = (2 if self.gated else 1) * self.width + hidden if self.bias else 0
        return self.matmul_parameters(hidden) + biases

    def active_parameters(self, hidden: int) -> int:
        """Return the weights that one token passes through: all of them."""
        return self.parameters(hidden)


@dataclass(frozen=True, slots=True)
class Experts:
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

    def __post_init__(self) -> None:
        exact_integer("experts", self.count, 1, LIMIT, ConfigError)
        exact_integer("active experts", self.active, 1, LIMIT, ConfigError)
        exact_integer("shared experts", self.shared, 0, LIMIT, ConfigError)
        if self.active > self.count:
            raise ConfigError(
                f"{self.active} active experts are more than the {self.count} experts there are"
            )
        exact_integer("width", self.width, 1, LIMIT, ConfigError)
        if self.shared_width is not None:
            exact_integer("shared_width", self.shared_width, 1, LIMIT, ConfigError)

    @property
    def expert(self) -> Dense:
        """One routed expert."""
        return Dense(self.width, self.gated, self.bias)

    @property
    def _beside(self) -> Dense | None:
        """The shared experts as one network."""
        width = self.shared * (self.shared_width or self.width)
        return Dense(width, self.gated, self.shared_bias) if self.shared else None

    def _of(self, experts: int, hidden: int) -> int:
        router = hidden * self.count + (self.count if self.router_bias else 0)
        router += hidden + self.count if self.router_scales else 0
        shared = self._beside.parameters(hidden) if self._beside else 0
        shared += hidden if self.shared_gate else 0
        return router + shared + experts * self.expert.parameters(hidden)

    def matmul_parameters(self, hidden: int) -> int:
        """Return the weights that a token is multiplied with: router, shared and active experts."""
        shared = self._beside.matmul_parameters(hidden) if self._beside else 0
        shared += hidden if self.shared_gate else 0
        return hidden * self.count + shared + self.active * self.expert.matmul_parameters(hidden)

    def parameters(self, hidden: int) -> int:
        """Return all weights: router, shared and routed experts."""
        return self._of(self.count, hidden)

    def active_parameters(self, hidden: int) -> int:
        """Return the weights that one token passes through: router, shared and active experts."""
        return self._of(self.active, hidden)


@dataclass(frozen=True, slots=True)
class Residual:
    """A dense network and a mixture of experts side by side, their outputs added (Arctic, Gemma 4)."""

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


FeedForward = Dense | Experts | Residual


@dataclass(frozen=True, slots=True)
class HyperConnection:
    """How a block reads from, writes to and mixes several residual streams :cite:p:`xie2025mhc`.

    Attributes
    ----------
    streams : int
        Residual streams beside each other, n.
    """

    streams: int

    def __post_init__(self) -> None:
        exact_integer("residual streams", self.streams, 1, 1024, ConfigError)

    def matmul_parameters(self, hidden: int) -> int:
        """Return the weights that the streams are multiplied with: n reads, n writes and n x n mixes."""
        return (2 + self.streams) * self.streams * self.streams * hidden

    def parameters(self, hidden: int) -> int:
        """Return all weights: also one bias for each output, and a scale for each of the three kinds."""
        return self.matmul_parameters(hidden) + (2 + self.streams) * self.streams + 3

    def collapse_parameters(self, hidden: int) -> int:
        """Return the weights that bring the streams together after the last layer."""
        return self.streams * self.streams * hidden + self.streams + 1


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer of the decoder.

    Attributes
    ----------
    attention : GroupedQuery, Latent, Compressed, Lightning or GatedDelta
        What mixes tokens.
    feedforward : Dense, Experts or Residual
        What transforms each token.
    norm_weights : int
        Weights (and biases) of the layer's own normalisations.
    streams : HyperConnection, optional
        How attention and feed-forward are tied to several residual streams, where there are several.
    """

    attention: Attention
    feedforward: FeedForward
    norm_weights: int = 0
    streams: HyperConnection | None = None

    def __post_init__(self) -> None:
        exact_integer("norm_weights", self.norm_weights, 0, LIMIT, ConfigError)

    @property
    def experts(self) -> Experts | None:
        """The mixture of experts of this layer, if it has one."""
        if isinstance(self.feedforward, Residual):
            return self.feedforward.experts
        return self.feedforward if isinstance(self.feedforward, Experts) else None

    def _outside_feedforward(self, hidden: int) -> int:
        streams = 2 * self.streams.parameters(hidden) if self.streams else 0
        return self.attention.parameters(hidden) + self.norm_weights + streams

    def matmul_parameters(self, hidden: int) -> int:
        """Return the weights that a token is multiplied with."""
        streams = 2 * self.streams.matmul_parameters(hidden) if self.streams else 0
        return self.attention.matmul_parameters(hidden) + self.feedforward.matmul_parameters(hidden) + streams

    def parameters(self, hidden: int) -> int:
        """Return all weights of the layer."""
        return self._outside_feedforward(hidden) + self.feedforward.parameters(hidden)

    def active_parameters(self, hidden: int) -> int:
        """Return the weights that one token passes through."""
        return self._outside_feedforward(hidden) + self.feedforward.active_parameters(hidden)


@dataclass(frozen=True)
class ModelSpec:
    """The text decoder of a language model.

    Attributes
    ----------
    name : str
        The registry's name, or the one given.
    family : str
        The ``model_type`` of the config that it was read from.
    hidden : int
        Width of the residual stream.
    vocabulary : int
        Rows of the embedding matrix, padding included.
    layers : tuple of Layer
        From the first to the last.
    tied : bool
        Whether the output head is the embedding matrix.
    norm_weights : int
        Weights of the normalisations outside the layers.
    head_bias : bool
        Whether the output head has a bias.
    position_rows : int
        Rows of a learned position table, 0 where positions are not learned.
    embedding_width : int, optional
        Width of the embedding where it is projected to the hidden size (small OPT models).
    context_limit : int, optional
        The longest context that the config provides for, in tokens. Not enforced.
    registered : bool
        Whether it was read from the registry by name, so that the facts of that name are its own.
    notice : str
        What its name as it was given says and the registry's does not, such as ``left out of the name: it``;
        no two models differ by it.

    Raises
    ------
    ConfigError
        If any of them describes no model.
    """

    name: str
    family: str
    hidden: int
    vocabulary: int
    layers: tuple[Layer, ...]
    tied: bool = False
    norm_weights: int = 0
    head_bias: bool = False
    position_rows: int = 0
    embedding_width: int | None = None
    context_limit: int | None = None
    registered: bool = False
    notice: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        exact_integer("hidden", self.hidden, 1, LIMIT, ConfigError)
        exact_integer("vocabulary", self.vocabulary, 1, LIMIT, ConfigError)
        exact_integer("number of layers", len(self.layers), 1, MAX_LAYERS, ConfigError)
        exact_integer("norm_weights", self.norm_weights, 0, LIMIT, ConfigError)
        exact_integer("position_rows", self.position_rows, 0, LIMIT, ConfigError)
        for name in ("embedding_width", "context_limit"):
            if getattr(self, name) is not None:
                exact_integer(name, getattr(self, name), 1, LIMIT, ConfigError)

    def __repr__(self) -> str:
        notice = f"; {self.notice}" if self.notice else ""
        return f"<ModelSpec {self.name}: {self.parameters:,} parameters in {len(self.layers)} layers{notice}>"

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        """Hash of name and sizes, kept: hashing all layers takes long, and equality sees them anyway."""
        return hash((self.name, self.hidden, self.vocabulary, len(self.layers), self.layers[-1]))

    @cached_property
    def _distinct(self) -> tuple[tuple[Layer, int], ...]:
        """Each distinct layer with how often it occurs: models repeat a handful of layers many times."""
        return tuple(Counter(self.layers).items())

    def _sum(self, of_layer: Callable[[Layer], int]) -> int:
        return sum(times * of_layer(layer) for layer, times in self._distinct)

    @property
    def embedding_parameters(self) -> int:
        """Weights of the input embedding matrix."""
        return self.vocabulary * (self.embedding_width or self.hidden)

    @property
    def head_parameters(self) -> int:
        """Weights of the output head that are its own: none of its matrix if it is tied."""
        return (0 if self.tied else self.embedding_parameters) + (self.vocabulary if self.head_bias else 0)

    @property
    def _outside_layers(self) -> int:
        projections = 0
        if self.embedding_width not in (None, self.hidden):
            projections = 2 * self.hidden * (self.embedding_width or 0)
        positions = self.position_rows * self.hidden
        inner = positions + projections + self.norm_weights + self._collapse
        return self.embedding_parameters + self.head_parameters + inner

    @property
    def _collapse(self) -> int:
        """Weights that bring several residual streams together after the last layer."""
        streams = self.layers[-1].streams
        return streams.collapse_parameters(self.hidden) if streams else 0

    @cached_property
    def parameters(self) -> int:
        """Every weight of the text decoder, as its reference implementation registers them."""
        return self._outside_layers + self._sum(lambda layer: layer.parameters(self.hidden))

    @property
    def active_parameters(self) -> int:
        """Weights that one token passes through, the input embedding included."""
        return self._outside_layers + self._sum(lambda layer: layer.active_parameters(self.hidden))

    @property
    def active_parameters_without_embedding(self) -> int:
        """Weights that one token passes through, less the input embedding where it is not also the head."""
        return self.active_parameters - (0 if self.tied else self.embedding_parameters)

    @cached_property
    def attention_heads(self) -> tuple[int, ...]:
        """The numbers of heads that its layers have, each once, from the smallest."""
        return tuple(sorted({layer.attention.heads for layer, _ in self._distinct}))

    @cached_property
    def attention_kinds(self) -> frozenset[str]:
        """The kinds of attention that its layers have."""
        return frozenset(layer.attention.kind for layer, _ in self._distinct)

    @property
    def experts(self) -> Experts | None:
        """The mixture of experts of the first layer that has one; None in a dense model."""
        return next((layer.experts for layer in self.layers if layer.experts), None)

    def idle_experts(self, tokens: int) -> float:
        """Return how many weights of routed experts are expected to see none of several tokens.

        Each expert is taken to be as likely as the others, as in `cohort.experts.coverage`.

        Parameters
        ----------
        tokens : int
            Tokens that pass through the model at once.

        Returns
        -------
        float
            Weights; 0 in a dense model.
        """
        idle = 0.0
        for layer, times in self._distinct:
            if layer.experts:
                each = layer.experts
                missed = each.count - coverage(each.count, each.active, tokens)
                idle += times * missed * each.expert.parameters(self.hidden)
        return idle

    @cached_property
    def matmul_parameters(self) -> int:
        """Weights that one token is multiplied with: no embedding look-up, norms or biases; head included."""
        width = self.embedding_width or self.hidden
        head = self.vocabulary * width
        projections = 2 * self.hidden * width if width != self.hidden else 0
        streams = self.layers[-1].streams
        collapse = streams.streams**2 * self.hidden if streams else 0
        return head + projections + collapse + self._sum(lambda layer: layer.matmul_parameters(self.hidden))

    def training_flops(self, tokens: float) -> float:
        """Return the usual estimate of training compute: six FLOP for each active parameter and token.

        Two are the forward pass and four the backward pass :cite:p:`kaplan2020scaling`; attention over the
        context comes on top.

        Parameters
        ----------
        tokens : float
            Tokens that the model is trained on.

        Raises
        ------
        ParameterError
            If `tokens` is not a positive number.
        """
        return 6.0 * self.active_parameters * positive("tokens", tokens)

    def kv_cache_bytes(
        self,
        context: int = 8192,
        batch: int = 1,
        bytes_per_element: float = 2,
        state_bytes_per_element: float = 4,
        *,
        tensor_parallel: int = 1,
        block: int = 1,
    ) -> int:
        """Return the size of the key-value cache, with the states of recurrent layers.

        Parameters
        ----------
        context : int
            Tokens of each sequence, prompt and answer together.
        batch : int
            Sequences held at once.
        bytes_per_element : float
            Bytes of one cached number: 2 for bf16 and fp16, 1 for fp8. `cohort.architecture.dtypes` gives
            those of formats with scales.
        state_bytes_per_element : float
            Bytes of one number of a recurrent state, which is kept at a precision of its own.
        tensor_parallel : int
            Devices that share the heads of each layer. The bytes are then those of one device: key-value
            heads do not split below one a device, and a latent vector is on every one.
        block : int
            Tokens of a block, where the cache is paged :cite:p:`kwon2023pagedattention`: whole blocks are
            counted. With 1 nothing is rounded.

        Returns
        -------
        int
            Bytes, rounded up. Windows and chunks bound what their layers hold; latent layers hold one
            compressed vector a token; recurrent layers a state of constant size.

        Raises
        ------
        ParameterError
            If an argument is not a positive number.

        Examples
        --------
        >>> import cohort
        >>> cohort.model("llama-3-8b").kv_cache_bytes(context=8192)
        1073741824
        """
        context = integer("context", context, 1, MAX_CONTEXT, ParameterError, "tokens")
        batch = integer("batch", batch, 1, LIMIT, ParameterError, "sequences")
        tensor_parallel = integer("tensor_parallel", tensor_parallel, 1, LIMIT, ParameterError, "devices")
        block = integer("block", block, 1, LIMIT, ParameterError, "tokens")
        cached = self._sum(lambda layer: layer.attention.cache_elements(context, block, tensor_parallel))
        states = self._sum(lambda layer: layer.attention.state_elements(tensor_parallel))
        return _times(batch * cached, bytes_per_element, "bytes_per_element") + _times(
            batch * states, state_bytes_per_element, "state_bytes_per_element"
        )

    def layer_cache_bytes(
        self,
        context: int = 8192,
        batch: int = 1,
        bytes_per_element: float = 2,
        state_bytes_per_element: float = 4,
    ) -> list[int]:
        """Return the size of each layer's part of the cache, from the first layer to the last.

        Parameters
        ----------
        context, batch : int
            Tokens of each sequence, and sequences held at once.
        bytes_per_element, state_bytes_per_element : float
            As in `kv_cache_bytes`.

        Returns
        -------
        list of int
            Bytes, each rounded up; for whole bytes a number they add up to `kv_cache_bytes`.

        Raises
        ------
        ParameterError
            If an argument is not a positive number.
        """
        sizes = {
            layer: replace(self, layers=(layer,)).kv_cache_bytes(
                context, batch, bytes_per_element, state_bytes_per_element
            )
            for layer, _ in self._distinct
        }
        return [sizes[layer] for layer in self.layers]

    def score_bytes(self, context: int = 8192, batch: int = 1, bytes_per_element: int = 2) -> int:
        """Return what naive attention writes for the scores of one layer, the one with the most heads.

        Layers run one after the other, so they need this memory once. Recurrent layers have no scores.

        Parameters
        ----------
        context : int
            Tokens of each sequence, all read at once.
        batch : int
            Sequences at once.
        bytes_per_element : int
            Bytes of one score.

        Returns
        -------
        int
            Bytes: the square of the context, twice, for each head.

        Raises
        ------
        ParameterError
            If an argument is not a positive integer.
        """
        heads = max((each.heads for each in self._scored), default=0)
        size = naive_score_bytes(context, heads or 1, batch, bytes_per_element)
        return size if heads else 0

    @property
    def _scored(self) -> list[Attention]:
        """The distinct attentions that score keys, so all but the linear ones."""
        found = (layer.attention for layer, _ in self._distinct)
        return [each for each in found if each.kind != "linear"]

    def forward_flops(self, context: int = 8192, causal: bool = True) -> float:
        """Return the FLOPs of a forward pass per token, averaged over the positions of a context.

        Two per weight that the token is multiplied with, and the scores and weighted values of attention
        over the keys it sees.

        Parameters
        ----------
        context : int
            Length of the sequence in tokens.
        causal : bool
            Count the half of the square that causal attention needs; otherwise the full square, as
            utilisation is often reported.

        Returns
        -------
        float
            FLOPs per token.

        Raises
        ------
        ParameterError
            If the context is not a positive integer.
        """
        context = integer("context", context, 1, MAX_CONTEXT, ParameterError, "tokens")
        scores = sum(times * layer.attention.score_flops(context, causal) for layer, times in self._distinct)
        return 2.0 * self.matmul_parameters + scores

    def prefill_flops(self, context: int = 8192, batch: int = 1, causal: bool = True) -> float:
        """Return the FLOPs of reading whole prompts at once.

        Parameters
        ----------
        context : int
            Tokens of each prompt.
        batch : int
            Prompts.
        causal : bool
            As in `forward_flops`.

        Returns
        -------
        float
            FLOPs of all tokens.

        Raises
        ------
        ParameterError
            If an argument is not a positive integer.
        """
        batch = integer("batch", batch, 1, LIMIT, ParameterError, "sequences")
        return batch * context * self.forward_flops(context, causal)

    def decode_flops(self, context: int = 8192, batch: int = 1) -> float:
        """Return the FLOPs of writing one more token of each sequence, with all earlier ones cached.

        Latent layers work on their compressed vectors, with the expansion absorbed.

        Parameters
        ----------
        context : int
            Tokens of each sequence, the new one included.
        batch : int
            Sequences.

        Returns
        -------
        float
            FLOPs of one step.

        Raises
        ------
        ParameterError
            If an argument is not a positive integer.
        """
        context = integer("context", context, 1, MAX_CONTEXT, ParameterError, "tokens")
        batch = integer("batch", batch, 1, LIMIT, ParameterError, "sequences")
        scores = sum(times * layer.attention.decode_flops(context) for layer, times in self._distinct)
        return batch * (2.0 * self.matmul_parameters + scores)


def _times(elements: int, bytes_per_element: float, name: str) -> int:
    """Return elements x bytes, exact for whole bytes and rounded up otherwise."""
    number = isinstance(bytes_per_element, (int, float)) and not isinstance(bytes_per_element, bool)
    if not number or not 0 < bytes_per_element <= 16:
        raise ParameterError(
            f"{name} is {shown(bytes_per_element)}, but must be a number above 0 and at most 16"
        )
    if isinstance(bytes_per_element, int):
        return elements * bytes_per_element
    numerator, denominator = bytes_per_element.as_integer_ratio()
    return -(-elements * numerator // denominator)
