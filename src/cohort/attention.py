"""The attention variants: their weights, what they cache, and what their scores cost.

Each variant is a frozen dataclass that knows nothing of the model around it but the hidden size it is given.
All counts are exact integers.
"""

from __future__ import annotations

from dataclasses import dataclass

from cohort.errors import ConfigError, integer

LIMIT = 2**40


def mean_attended(
    context: int, causal: bool = True, window: int | None = None, chunk: int | None = None
) -> float:
    """Return how many keys a query attends to, averaged over the positions of a context.

    Parameters
    ----------
    context : int
        Length of the sequence in tokens, s.
    causal : bool
        Whether a query sees only itself and what came before: (s + 1) / 2 on average. If not, the full
        square is counted, as model FLOPs utilisation is defined :cite:p:`chowdhery2022palm`.
    window : int, optional
        At most this many keys, the query's own included.
    chunk : int, optional
        The sequence is cut into chunks of this length; a query sees its own chunk only.

    Returns
    -------
    float
        Keys per query.
    """
    span = min(context, window or context)
    if chunk is not None and chunk < context:
        full, rest = divmod(context, chunk)
        if not causal:
            return (full * chunk**2 + rest**2) / context
        return (full * chunk * (chunk + 1) + rest * (rest + 1)) / 2 / context
    if not causal:
        return float(span)
    return (span * (span + 1) / 2 + (context - span) * span) / context


@dataclass(frozen=True, slots=True)
class GroupedQuery:
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
    bias, output_bias : bool
        Whether the query, key and value projections, and the output projection, have biases.
    norm_weights : int
        Weights of the normalisation of queries and keys, 0 where there is none.
    learned_sinks : bool
        One learned logit a head (gpt-oss); nothing is cached for it.
    position_projection : bool
        A further projection, of relative positions (Transformer-XL, Gopher and Chinchilla).
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

    def __post_init__(self) -> None:
        for name in ("heads", "kv_heads", "head_dim"):
            integer(name, getattr(self, name), 1, LIMIT, ConfigError)
        for name in ("sinks", "norm_weights"):
            integer(name, getattr(self, name), 0, LIMIT, ConfigError)
        for name in ("window", "chunk"):
            if getattr(self, name) is not None:
                integer(name, getattr(self, name), 1, LIMIT, ConfigError)
        if self.heads % self.kv_heads:
            raise ConfigError(f"heads ({self.heads}) must be a multiple of kv_heads ({self.kv_heads})")
        if self.window is not None and self.chunk is not None:
            raise ConfigError(f"a layer has a window ({self.window}) or chunks ({self.chunk}), not both")
        if self.sinks and self.window is None:
            raise ConfigError(f"sinks ({self.sinks}) are kept besides a window, and this layer has none")

    @property
    def kind(self) -> str:
        """The variant's usual abbreviation: MHA, MQA or GQA."""
        if self.kv_heads == self.heads:
            return "MHA"
        return "MQA" if self.kv_heads == 1 else "GQA"

    def matmul_parameters(self, hidden: int) -> int:
        """Return the weights of the projections that a token is multiplied with."""
        query = hidden * self.heads * self.head_dim
        key_value = 2 * hidden * self.kv_heads * self.head_dim
        return 2 * query + key_value + (query if self.position_projection else 0)

    def parameters(self, hidden: int) -> int:
        """Return all weights: projections, biases, normalisation of queries and keys, learned sinks."""
        biases = (self.heads + 2 * self.kv_heads) * self.head_dim if self.bias else 0
        biases += hidden if self.output_bias else 0
        sinks = self.heads if self.learned_sinks else 0
        return self.matmul_parameters(hidden) + biases + self.norm_weights + sinks

    def cached_tokens(self, context: int) -> int:
        """Return how many tokens the cache holds: at most the window and its sinks, or one chunk."""
        if self.chunk is not None:
            return min(context, self.chunk)
        return context if self.window is None else min(context, self.window + self.sinks)

    def cache_elements(self, context: int) -> int:
        """Return the cached numbers of one sequence in this layer: keys and values of the tokens held."""
        return 2 * self.kv_heads * self.head_dim * self.cached_tokens(context)

    def score_flops(self, context: int, causal: bool = True) -> float:
        """Return the FLOPs of scores and weighted values per token, averaged over the context."""
        window = None if self.window is None else self.window + self.sinks
        return 4 * self.heads * self.head_dim * mean_attended(context, causal, window, self.chunk)


@dataclass(frozen=True, slots=True)
class Latent:
    """Multi-head latent attention: keys and values are rebuilt from one cached vector a token.

    The cache holds the compressed vector and the rotary part, once for all heads, and nothing is doubled
    :cite:p:`deepseek2024v2`.

    Attributes
    ----------
    heads : int
        Query heads.
    kv_rank, q_rank : int
        Width of the compressed key-value vector; of the compressed query, None where it is not compressed.
    rope_dim, nope_dim, value_dim : int
        Per head: rotary part of the key, its other part, and the value.
    bias : bool
        Whether the compressing and the output projections have biases.
    """

    heads: int
    kv_rank: int
    q_rank: int | None
    rope_dim: int
    nope_dim: int
    value_dim: int
    bias: bool = False

    def __post_init__(self) -> None:
        for name in ("heads", "kv_rank", "rope_dim", "nope_dim", "value_dim"):
            integer(name, getattr(self, name), 1, LIMIT, ConfigError)
        if self.q_rank is not None:
            integer("q_rank", self.q_rank, 1, LIMIT, ConfigError)

    @property
    def kind(self) -> str:
        """The variant's usual abbreviation."""
        return "MLA"

    def _query_width(self) -> int:
        return self.heads * (self.nope_dim + self.rope_dim)

    def matmul_parameters(self, hidden: int) -> int:
        """Return the weights of the projections, the key-value expansion included."""
        if self.q_rank is None:
            query = hidden * self._query_width()
        else:
            query = hidden * self.q_rank + self.q_rank * self._query_width()
        compress = hidden * (self.kv_rank + self.rope_dim)
        expand = self.kv_rank * self.heads * (self.nope_dim + self.value_dim)
        return query + compress + expand + self.heads * self.value_dim * hidden

    def parameters(self, hidden: int) -> int:
        """Return all weights: projections, the normalisation of each compressed vector, and biases."""
        norms = self.kv_rank + (self.q_rank or 0)
        biases = (self.q_rank or 0) + self.kv_rank + self.rope_dim + hidden if self.bias else 0
        return self.matmul_parameters(hidden) + norms + biases

    def cached_tokens(self, context: int) -> int:
        """Return how many tokens the cache holds at a context: all of them."""
        return context

    def cache_elements(self, context: int) -> int:
        """Return the cached numbers of one sequence in this layer."""
        return (self.kv_rank + self.rope_dim) * context

    def score_flops(self, context: int, causal: bool = True) -> float:
        """Return the FLOPs of scores and weighted values per token, with keys and values expanded."""
        per_key = 2 * self._query_width() + 2 * self.heads * self.value_dim
        return per_key * mean_attended(context, causal)


Attention = GroupedQuery | Latent
