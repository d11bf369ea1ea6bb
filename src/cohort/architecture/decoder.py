"""A model as layers of mixers and feed-forward, with exact parameter counts.

``cohort.models()`` lists the registered models; `cohort.model` reads one.

Counts follow the reference implementations: every registered weight of the text decoder, tied matrices once.
Multi-token-prediction heads, vision and audio towers, and buffers (such as the correction of a router's
scores) are not counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from cohort.architecture.attention import naive_score_bytes
from cohort.architecture.encoder import Encoder
from cohort.architecture.feedforward import Experts, Weights
from cohort.architecture.formats import WeightFormat
from cohort.architecture.kept import Kept
from cohort.architecture.layers import Layer
from cohort.architecture.mixing import Mixer
from cohort.architecture.quantization import released_format
from cohort.errors import ConfigError, ParameterError, exact_integer, integer, positive, shown
from cohort.errors.arguments import explain
from cohort.experts.closed_form import coverage
from cohort.numeric import LIMIT, MAX_CONTEXT

MAX_LAYERS = 10_000
UNSCORED = frozenset({"linear", "convolution", "none"})


@dataclass(frozen=True)
class ModelSpec:
    """The text decoder of a language model, as `cohort.model` returns it.

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
    head_rows : int, optional
        Rows of the output head, where it has fewer or more than the embedding.
    extra : Weights, optional
        Weights outside the layers that no other field counts.
    quantization : mapping, optional
        The ``quantization_config`` of the release, as it is; `cohort.architecture.quantization` reads it.
    dtype : str, optional
        The ``torch_dtype`` of the release, such as ``bfloat16``.
    encoder : Encoder, optional
        The encoder of images before the decoder, if the config describes one; not among `parameters`.
    kept : Kept
        What is held beside weights and cached tokens: rotary tables, the type of recurrent states.
    registered : bool
        Whether it was read from the registry by name, so that the facts of that name are its own.
    notice : str
        What the name says beyond the registry's, such as ``left out of the name: it``; no part of equality.

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
    head_rows: int | None = None
    extra: Weights | None = None
    quantization: Mapping[str, Any] | None = field(default=None, compare=False, repr=False)
    dtype: str | None = field(default=None, compare=False)
    encoder: Encoder | None = None
    kept: Kept = field(default_factory=Kept)
    notice: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        exact_integer("hidden", self.hidden, 1, LIMIT, ConfigError)
        exact_integer("vocabulary", self.vocabulary, 1, LIMIT, ConfigError)
        exact_integer("number of layers", len(self.layers), 1, MAX_LAYERS, ConfigError)
        exact_integer("norm_weights", self.norm_weights, 0, LIMIT, ConfigError)
        exact_integer("position_rows", self.position_rows, 0, LIMIT, ConfigError)
        for name in ("embedding_width", "context_limit", "head_rows"):
            if getattr(self, name) is not None:
                exact_integer(name, getattr(self, name), 1, LIMIT, ConfigError)
        object.__setattr__(self, "layers", _alike_as_one(self.layers))

    def __repr__(self) -> str:
        notice = f"; {self.notice}" if self.notice else ""
        return f"<ModelSpec {self.name}: {self.parameters:,} parameters in {len(self.layers)} layers{notice}>"

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def released_format(self) -> WeightFormat:
        """How the release stores its weights, by its config.

        Raises
        ------
        ConfigError
            If the config stores them in a way that is not read; the message names it.
        """
        return released_format(self.quantization, self.dtype)

    @cached_property
    def _hash(self) -> int:
        """Hash of name and sizes, kept: hashing all layers takes long, and equality sees them anyway."""
        return hash((self.name, self.hidden, self.vocabulary, len(self.layers), self.layers[-1]))

    @cached_property
    def distinct_layers(self) -> tuple[tuple[Layer, int], ...]:
        """Each distinct layer with how often it occurs: models repeat a handful of layers many times."""
        alike = Counter(map(id, self.layers))
        return tuple((layer, alike[id(layer)]) for layer in {id(each): each for each in self.layers}.values())

    def _sum(self, of_layer: Callable[[Layer], int]) -> int:
        return sum(times * of_layer(layer) for layer, times in self.distinct_layers)

    @property
    def embedding_parameters(self) -> int:
        """Weights of the input embedding matrix."""
        return self.vocabulary * (self.embedding_width or self.hidden)

    @property
    def head_parameters(self) -> int:
        """Weights of the output head that are its own: none of its matrix if it is tied."""
        rows = self.head_rows or self.vocabulary
        matrix = 0 if self.tied else rows * (self.embedding_width or self.hidden)
        return matrix + (rows if self.head_bias else 0)

    @property
    def outside_parameters(self) -> int:
        """Weights outside the layers that are neither embedding nor head: positions, projections, norms."""
        projections = 0
        if self.embedding_width not in (None, self.hidden):
            projections = 2 * self.hidden * (self.embedding_width or 0)
        positions = self.position_rows * self.hidden
        inner = positions + projections + self.norm_weights + self._collapse
        return inner + (self.extra.all if self.extra else 0)

    @property
    def _outside_layers(self) -> int:
        return self.embedding_parameters + self.head_parameters + self.outside_parameters

    @property
    def _collapse(self) -> int:
        """Weights that bring several residual streams together after the last layer."""
        streams = self.layers[-1].streams
        return streams.collapse_parameters(self.hidden) if streams else 0

    @cached_property
    def parameters(self) -> int:
        """Every weight of the text decoder, as its reference implementation registers them."""
        return self._outside_layers + self._sum(lambda layer: layer.parameters(self.hidden))

    @cached_property
    def active_parameters(self) -> int:
        """Weights that one token passes through, the input embedding included."""
        return self._outside_layers + self._sum(lambda layer: layer.active_parameters(self.hidden))

    @property
    def active_parameters_without_embedding(self) -> int:
        """Weights that one token passes through, less the input embedding where it is not also the head."""
        return self.active_parameters - (0 if self.tied else self.embedding_parameters)

    @cached_property
    def attention_heads(self) -> tuple[int, ...]:
        """The numbers of heads that its layers have, each once, from the smallest.

        Recurrences and convolutions without heads are left out: devices share their channels.
        """
        headed = (each for each in self._mixers if each.heads > 1 or each.kind not in UNSCORED)
        return tuple(sorted({each.heads for each in headed}))

    @cached_property
    def _counted_mixers(self) -> tuple[tuple[Mixer, int], ...]:
        """The mixers of its distinct layers, each with how often its layer occurs."""
        return tuple((each, times) for layer, times in self.distinct_layers for each in layer.mixers)

    @property
    def _mixers(self) -> list[Mixer]:
        """The mixers of its distinct layers."""
        return [each for each, _ in self._counted_mixers]

    @cached_property
    def _keeps_states(self) -> bool:
        return any(each.state_elements() for each in self._mixers)

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

        Examples
        --------
        >>> import cohort
        >>> round(cohort.model("mixtral-8x7b-v0.1").idle_experts(tokens=1) / 1e9, 1)
        33.8

        See Also
        --------
        cohort.experts.coverage : How many experts are expected to be visited.
        """
        idle = 0.0
        for layer, times in self.distinct_layers:
            if layer.experts:
                each = layer.experts
                missed = each.count - coverage(each.count, each.active, tokens)
                idle += times * missed * each.expert_parameters(self.hidden)
        return idle

    @cached_property
    def matmul_parameters(self) -> int:
        """Weights that one token is multiplied with: no embedding look-up, norms or biases; head included."""
        width = self.embedding_width or self.hidden
        head = (self.head_rows or self.vocabulary) * width + (self.extra.matrices if self.extra else 0)
        projections = 2 * self.hidden * width if width != self.hidden else 0
        streams = self.layers[-1].streams
        collapse = streams.streams**2 * self.hidden if streams and streams.collapsed else 0
        return head + projections + collapse + self._sum(lambda layer: layer.matmul_parameters(self.hidden))

    def training_flops(self, tokens: float) -> float:
        """Return the usual estimate of training compute: six FLOP for each active parameter and token.

        Two are the forward pass and four the backward pass :cite:p:`kaplan2020scaling`; attention over the
        context comes on top.

        Parameters
        ----------
        tokens : float
            Tokens that the model is trained on.

        Returns
        -------
        float
            FLOP of the whole training.

        Raises
        ------
        ParameterError
            If `tokens` is not a positive number.

        Examples
        --------
        >>> import cohort
        >>> cohort.model("llama-3-8b").training_flops(tokens=15e12)
        7.2272351232e+23

        See Also
        --------
        forward_flops : The forward pass with attention over a context.
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

        See Also
        --------
        layer_cache_bytes : The part of each layer.
        cohort.serving.memory_budget : What weights and engine leave for it on a device.
        """
        context = integer("context", context, 1, MAX_CONTEXT, ParameterError, "tokens")
        batch = integer("batch", batch, 1, LIMIT, ParameterError, "sequences")
        tensor_parallel = integer("tensor_parallel", tensor_parallel, 1, LIMIT, ParameterError, "devices")
        block = integer("block", block, 1, LIMIT, ParameterError, "tokens")
        cached = self._sum(lambda layer: layer.cache_elements(context, block, tensor_parallel))
        states = self._sum(lambda layer: layer.state_elements(tensor_parallel)) if self._keeps_states else 0
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

        Examples
        --------
        >>> import cohort
        >>> cohort.model("gemma-2-9b").layer_cache_bytes(context=32768)[:2]
        [33554432, 268435456]
        """
        sizes = {
            layer: replace(self, layers=(layer,)).kv_cache_bytes(
                context, batch, bytes_per_element, state_bytes_per_element
            )
            for layer, _ in self.distinct_layers
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
    def _scored(self) -> list[Mixer]:
        """The distinct mixers that score keys, so all but recurrences and convolutions."""
        return [each for each in self._mixers if each.kind not in UNSCORED]

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

        Examples
        --------
        >>> import cohort
        >>> cohort.model("llama-3-8b").forward_flops(context=8192)
        17157062656.0

        See Also
        --------
        prefill_flops : Whole prompts.
        decode_flops : One more token of each sequence.
        """
        context = integer("context", context, 1, MAX_CONTEXT, ParameterError, "tokens")
        scores = sum([times * each.score_flops(context, causal) for each, times in self._counted_mixers])
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

        Examples
        --------
        >>> import cohort
        >>> cohort.model("llama-3-8b").decode_flops(context=8192)
        19304284160.0
        """
        context = integer("context", context, 1, MAX_CONTEXT, ParameterError, "tokens")
        batch = integer("batch", batch, 1, LIMIT, ParameterError, "sequences")
        scores = sum([times * each.decode_flops(context) for each, times in self._counted_mixers])
        return batch * (2.0 * self.matmul_parameters + scores)


def _alike_as_one(layers: tuple[Layer, ...]) -> tuple[Layer, ...]:
    """Return layers of which those that are equal are one object, so that what is counted of one is once."""
    kept: dict[Layer, Layer] = {}
    one = {
        number: kept.setdefault(layer, layer) for number, layer in {id(each): each for each in layers}.items()
    }
    return tuple(one[id(each)] for each in layers)


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


explain(__name__)
