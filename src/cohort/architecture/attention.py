"""The attention variants: their weights, what they cache, and what their scores cost.

Each variant is a frozen dataclass that knows nothing of the model around it but the hidden size it is given.
All counts are exact integers.

What grows with the context, a window or a chunk is counted by ``cache_elements``; a recurrent state, whose
size never changes and which is kept at a precision of its own, by ``state_elements``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from cohort.architecture.attended import BlockSparse, mean_attended, mean_blocks, paged
from cohort.architecture.latent import Compressed, Indexer, Latent
from cohort.architecture.mixing import Mixer, check_sizes
from cohort.architecture.scores import (
    naive_score_bytes,
    naive_training_bytes,
    tiled_score_bytes,
    tiled_training_bytes,
)
from cohort.errors import ConfigError, exact_integer
from cohort.errors.arguments import explain
from cohort.numeric import LIMIT, ceil_div

__all__ = [
    "Attention",
    "BlockSparse",
    "Compressed",
    "CrossAttention",
    "GroupedQuery",
    "Indexer",
    "Latent",
    "RoutedQuery",
    "mean_attended",
    "mean_blocks",
    "naive_score_bytes",
    "naive_training_bytes",
    "tiled_score_bytes",
    "tiled_training_bytes",
]


@dataclass(frozen=True, slots=True)
class GroupedQuery(Mixer):
    """Softmax attention whose query heads share key and value heads in groups.

    With as many key-value heads as heads it is multi-head attention (MHA), with one it is multi-query
    attention :cite:p:`shazeer2019mqa`, in between grouped-query attention :cite:p:`ainslie2023gqa`.

    Attributes
    ----------
    heads, kv_heads : int
        Query heads, and key-value heads; the first is a multiple of the second.
    head_dim : int
        Width of a head; need not be hidden size / heads.
    window : int, optional
        Sliding window in tokens, the current one included :cite:p:`jiang2023mistral`.
    sinks : int
        First tokens that stay in the cache besides the window :cite:p:`xiao2023streamingllm`.
    chunk : int, optional
        Length of the chunks of chunked local attention; excludes a window.
    sparse : BlockSparse, optional
        Which blocks a head attends to; excludes a window and chunks.
    bias, output_bias : bool
        Whether the query, key and value projections, and the output projection, have biases.
    norm_weights : int
        Weights of the normalisation of queries and keys, 0 where there is none.
    learned_sinks : bool
        One learned logit a head (gpt-oss); nothing is cached for it.
    position_projection : bool
        A further projection, of relative positions (Transformer-XL, Gopher and Chinchilla).
    output_gate : bool
        Whether the output is gated by a projection as wide as the queries (Qwen3-Next).
    shared_values : bool
        Whether values are made by the projection of the keys, and have none of their own (Gemma 4).
    values_cached : bool
        Whether values are cached beside the keys. The reference implementation of Gemma 4 does so although
        they share a projection, because its keys are scaled and rotated afterwards and its values are not.
    value_dim : int, optional
        Width of a value, where it is not that of a key (MiMo-V2).
    gates : int
        Outputs of a gate made from the layer's input: one a head, or as many as queries are wide.
    gate_bias : bool
        Whether that gate has biases.
    cache_shared : bool
        Whether keys and values are those that an earlier layer has cached (Gemma 3n): none are made here.
    input_width : int, optional
        Width of what is projected, where it is not the hidden size (twice that in Zamba).
    indexer : Indexer, optional
        What chooses the keys that a query sees; its queries and its one key are made from the layer's input.
    """

    heads: int
    kv_heads: int
    head_dim: int
    window: int | None = None
    sinks: int = 0
    chunk: int | None = None
    bias: bool = False
    output_bias: bool = False
    norm_weights: int = 0
    learned_sinks: bool = False
    position_projection: bool = False
    sparse: BlockSparse | None = None
    output_gate: bool = False
    shared_values: bool = False
    values_cached: bool = True
    value_dim: int | None = None
    gates: int = 0
    gate_bias: bool = False
    cache_shared: bool = False
    input_width: int | None = None
    indexer: Indexer | None = None

    def __post_init__(self) -> None:
        check_sizes(self, ("heads", "kv_heads", "head_dim"))
        check_sizes(self, ("sinks", "norm_weights", "gates"), low=0)
        for name in ("window", "chunk", "value_dim", "input_width"):
            if getattr(self, name) is not None:
                exact_integer(name, getattr(self, name), 1, LIMIT, ConfigError)
        if self.heads % self.kv_heads:
            raise ConfigError(f"heads ({self.heads}) must be a multiple of kv_heads ({self.kv_heads})")
        if self.window is not None and self.chunk is not None:
            raise ConfigError(f"a layer has a window ({self.window}) or chunks ({self.chunk}), not both")
        if self.sinks and self.window is None:
            raise ConfigError(f"sinks ({self.sinks}) are kept besides a window, and this layer has none")
        if self.sparse is not None and (self.window or self.chunk) is not None:
            raise ConfigError("a layer attends to selected blocks, or has a window or chunks, not both")
        if not (self.values_cached or self.shared_values):
            raise ConfigError("values that are not cached must be made from the keys: set shared_values")

    @property
    def kind(self) -> str:
        """The variant's usual abbreviation: MHA, MQA or GQA."""
        if self.kv_heads == self.heads:
            return "MHA"
        return "MQA" if self.kv_heads == 1 else "GQA"

    @property
    def _value(self) -> int:
        return self.value_dim or self.head_dim

    def _key_values(self) -> int:
        """Return how wide the projections of keys and values are together."""
        if self.cache_shared:
            return 0
        return self.kv_heads * (self.head_dim + (0 if self.shared_values else self._value))

    def _queries(self) -> int:
        return (2 if self.output_gate else 1) * self.heads * self.head_dim

    def matmul_parameters(self, hidden: int) -> int:
        """Return the weights of the projections that a token is multiplied with."""
        width = self.input_width or hidden
        made = self._queries() + self._key_values() + self.gates
        if self.position_projection:
            made += self.heads * self.head_dim
        index = self.indexer.grouped_parameters(hidden) if self.indexer else 0
        return width * made + self.heads * self._value * hidden + index

    def parameters(self, hidden: int) -> int:
        """Return all weights: projections, biases, normalisation of queries and keys, learned sinks."""
        biases = self._queries() + self._key_values() if self.bias else 0
        biases += (hidden if self.output_bias else 0) + (self.gates if self.gate_bias else 0)
        others = self.norm_weights + (self.heads if self.learned_sinks else 0)
        others += self.indexer.norms if self.indexer else 0
        return self.matmul_parameters(hidden) + biases + others

    def cached_tokens(self, context: int) -> int:
        """Return how many tokens the cache holds: at most the window and its sinks, or one chunk."""
        if self.chunk is not None:
            return min(context, self.chunk)
        return context if self.window is None else min(context, self.window + self.sinks)

    def cache_elements(self, context: int, block: int = 1, devices: int = 1) -> int:
        """Return the keys and values of the tokens held, and the indexer's keys.

        A key-value head does not split: each device holds one at least.
        """
        bound = self.window if self.chunk is None else self.chunk
        if self.cache_shared:
            return 0
        tokens = paged(context, block, bound, self.sinks, aligned=self.chunk is not None)
        width = self.head_dim + (self._value if self.values_cached else 0)
        index = self.indexer.head_dim if self.indexer else 0
        return (ceil_div(self.kv_heads, devices) * width + index) * tokens

    def _flops_per_key(self) -> int:
        return 2 * self.heads * (self.head_dim + self._value)

    def score_flops(self, context: int, causal: bool = True) -> float:
        """Return the FLOPs of scores and weighted values per token, averaged over the context."""
        if self.sparse is not None:
            return self._flops_per_key() * self.sparse.mean_attended(context, causal)
        window = None if self.window is None else self.window + self.sinks
        if self.indexer is not None:
            chosen = self._flops_per_key() * mean_attended(context, causal, self.indexer.top_k)
            return chosen + self.indexer.flops_per_key() * mean_attended(context, causal)
        return self._flops_per_key() * mean_attended(context, causal, window, self.chunk)

    def decode_flops(self, context: int) -> float:
        """Return the FLOPs of scores and weighted values of one new token, over the keys that it sees."""
        if self.sparse is not None:
            return self._flops_per_key() * self.sparse.attended(context)
        if self.indexer is not None:
            chosen = self._flops_per_key() * min(context, self.indexer.top_k)
            return float(chosen + self.indexer.flops_per_key() * context)
        if self.chunk is not None:
            return float(self._flops_per_key() * ((context - 1) % self.chunk + 1))
        return float(self._flops_per_key() * self.cached_tokens(context))


@dataclass(frozen=True, slots=True)
class CrossAttention(Mixer):
    """Attention of the text to what an image encoder has read: its keys do not grow with the text.

    Attributes
    ----------
    heads, kv_heads, head_dim : int
        As in `GroupedQuery`.
    source_width : int, optional
        Width of what keys and values are made from, where it is not the hidden size.
    source_tokens : int
        Tokens of the source. They are cached once, whatever the context; 0 where there is no image.
    norm_weights : int
        Weights of normalisations and gates.
    """

    heads: int
    kv_heads: int
    head_dim: int
    source_width: int | None = None
    source_tokens: int = 0
    norm_weights: int = 0

    def __post_init__(self) -> None:
        check_sizes(self, ("heads", "kv_heads", "head_dim"))
        check_sizes(self, ("source_tokens", "norm_weights"), low=0)

    @property
    def kind(self) -> str:
        """What the variant is called."""
        return "cross"

    def matmul_parameters(self, hidden: int) -> int:
        """Return the weights of the four projections."""
        source = self.source_width or hidden
        return 2 * self.head_dim * (self.heads * hidden + self.kv_heads * source)

    def parameters(self, hidden: int) -> int:
        """Return all weights: projections, normalisations and gates."""
        return self.matmul_parameters(hidden) + self.norm_weights

    def cache_elements(self, context: int, block: int = 1, devices: int = 1) -> int:
        """Return the keys and values of the source: as many at any context."""
        return 2 * ceil_div(self.kv_heads, devices) * self.head_dim * self.source_tokens

    def score_flops(self, context: int, causal: bool = True) -> float:
        """Return the FLOPs of scores and weighted values over all tokens of the source."""
        return 4.0 * self.heads * self.head_dim * self.source_tokens


@dataclass(frozen=True, slots=True)
class RoutedQuery(Mixer):
    """Attention whose query and output projections are experts, with one key and value for all (JetMoE).

    Attributes
    ----------
    experts, active : int
        Experts, and how many of them a token visits.
    kv_heads, head_dim : int
        Key-value heads; the queries of one expert are as many.
    """

    experts: int
    active: int
    kv_heads: int
    head_dim: int

    def __post_init__(self) -> None:
        check_sizes(self, ("experts", "active", "kv_heads", "head_dim"))
        if self.active > self.experts:
            raise ConfigError(f"{self.active} active experts are more than the {self.experts} there are")

    @property
    def kind(self) -> str:
        """The variant's usual abbreviation."""
        return "GQA"

    @property
    def heads(self) -> int:
        """Query heads of one token."""
        return self.active * self.kv_heads

    def _of(self, experts: int, hidden: int) -> int:
        width = self.kv_heads * self.head_dim
        return hidden * (self.experts + 2 * width + 2 * experts * width)

    def matmul_parameters(self, hidden: int) -> int:
        """Return the weights that a token is multiplied with: router, keys, values and active experts."""
        return self._of(self.active, hidden)

    def parameters(self, hidden: int) -> int:
        """Return all weights, the bias of the output included."""
        return self._of(self.experts, hidden) + hidden

    def active_parameters(self, hidden: int) -> int:
        """Return the weights that one token passes through: those of its active experts, and the others."""
        return self._of(self.active, hidden) + hidden

    def cached_tokens(self, context: int) -> int:
        """Return how many tokens the cache holds: all of them."""
        return context

    def cache_elements(self, context: int, block: int = 1, devices: int = 1) -> int:
        """Return the keys and values of all tokens, which the experts share."""
        return 2 * ceil_div(self.kv_heads, devices) * self.head_dim * paged(context, block, None)

    def score_flops(self, context: int, causal: bool = True) -> float:
        """Return the FLOPs of scores and weighted values per token, averaged over the context."""
        return 4 * self.heads * self.head_dim * mean_attended(context, causal)

    def decode_flops(self, context: int) -> float:
        """Return the FLOPs of scores and weighted values of one new token, over all keys."""
        return 4.0 * self.heads * self.head_dim * context


Attention: TypeAlias = Mixer


explain(__name__)
