"""Attention whose cache is compressed: latent attention, its indexer, and blocks kept as one entry."""

from __future__ import annotations

from dataclasses import dataclass

from cohort.architecture.attended import mean_attended, mean_blocks, paged
from cohort.architecture.mixing import Mixer, check_sizes
from cohort.errors import ConfigError, exact_integer
from cohort.errors.arguments import explain
from cohort.numeric import LIMIT, ceil_div


@dataclass(frozen=True, slots=True)
class Indexer:
    """A small attention that chooses which keys the large one sees (DeepSeek Sparse Attention).

    Its own keys are cached beside those that it chooses from :cite:p:`deepseek2025v32`.

    Attributes
    ----------
    heads, head_dim : int
        Heads of its queries, and their width; all share one key.
    top_k : int
        Keys that it lets through for each query.
    shared : bool
        Whether an earlier layer's choice is taken over, so that there are no weights, keys and scores here.
    norm_weights : int, optional
        Weights of the normalisation of its key: by default a LayerNorm with its bias.
    """

    heads: int
    head_dim: int
    top_k: int
    shared: bool = False
    norm_weights: int | None = None

    def __post_init__(self) -> None:
        for name in ("heads", "head_dim", "top_k"):
            exact_integer(f"indexer's {name}", getattr(self, name), 1, LIMIT, ConfigError)

    def flops_per_key(self) -> int:
        """Return the FLOPs of scoring one key with all heads; 0 where the choice is taken over."""
        return 0 if self.shared else 2 * self.heads * self.head_dim

    @property
    def cached(self) -> int:
        """The numbers of its key that a token leaves in the cache."""
        return 0 if self.shared else self.head_dim

    @property
    def norms(self) -> int:
        """Weights of its normalisations."""
        if self.shared:
            return 0
        return 2 * self.head_dim if self.norm_weights is None else self.norm_weights

    def query_parameters(self, hidden: int, q_rank: int) -> int:
        """Return the weights that make its queries, and those that weight its heads.

        Parameters
        ----------
        hidden : int
            Width of the residual stream.
        q_rank : int
            Width of the compressed query that its queries are made from.

        Returns
        -------
        int
            Weights; 0 where the choice is taken over.
        """
        return 0 if self.shared else q_rank * self.heads * self.head_dim + hidden * self.heads

    def grouped_parameters(self, hidden: int) -> int:
        """Return the weights of queries and key where both are made from the layer's input (MiniMax-M3).

        Parameters
        ----------
        hidden : int
            Width of the residual stream.

        Returns
        -------
        int
            Weights.
        """
        return hidden * (self.heads + 1) * self.head_dim


@dataclass(frozen=True, slots=True)
class Latent(Mixer):
    """Multi-head latent attention: keys and values are rebuilt from one cached vector a token.

    The cache holds the compressed vector and the rotary part, once for all heads; keys and values need no
    vectors of their own :cite:p:`deepseek2024v2`.

    Attributes
    ----------
    heads : int
        Query heads.
    kv_rank, q_rank : int
        Width of the compressed key-value vector; of the compressed query, None where it is not compressed.
    rope_dim, nope_dim, value_dim : int
        Widths in each head: of the rotary part of the key, of its other part, and of the value.
    bias : bool
        Whether the compressing and the output projections have biases.
    indexer : Indexer, optional
        What chooses the keys that a query sees; needs a compressed query.
    gates : int
        Outputs of a gate made from the layer's input: one a head, or as many as values are wide.
    norm_weights : int
        Weights of further normalisations, such as of the rotary part, and of learned sinks.
    window : int, optional
        Sliding window in tokens, the current one included.
    """

    heads: int
    kv_rank: int
    q_rank: int | None
    rope_dim: int
    nope_dim: int
    value_dim: int
    bias: bool = False
    indexer: Indexer | None = None
    gates: int = 0
    norm_weights: int = 0
    window: int | None = None

    def __post_init__(self) -> None:
        check_sizes(self, ("heads", "kv_rank", "nope_dim", "value_dim"))
        check_sizes(self, ("rope_dim", "gates", "norm_weights"), low=0)
        if self.window is not None:
            exact_integer("window", self.window, 1, LIMIT, ConfigError)
        if self.q_rank is not None:
            exact_integer("q_rank", self.q_rank, 1, LIMIT, ConfigError)
        elif self.indexer is not None:
            raise ConfigError("an indexer takes its queries from the compressed query: q_rank must be given")

    @property
    def kind(self) -> str:
        """The variant's usual abbreviation."""
        return "MLA"

    def _query_width(self) -> int:
        return self.heads * (self.nope_dim + self.rope_dim)

    def matmul_parameters(self, hidden: int) -> int:
        """Return the weights of the projections, the key-value expansion and the indexer included."""
        if self.q_rank is None:
            query = hidden * self._query_width()
        else:
            query = hidden * self.q_rank + self.q_rank * self._query_width()
        compress = hidden * (self.kv_rank + self.rope_dim)
        expand = self.kv_rank * self.heads * (self.nope_dim + self.value_dim)
        index = 0
        if self.indexer is not None:
            index = self.indexer.query_parameters(hidden, self.q_rank or 0) + hidden * self.indexer.cached
        output = (self.heads * self.value_dim + self.gates) * hidden
        return query + compress + expand + output + index

    def parameters(self, hidden: int) -> int:
        """Return all weights: projections, the normalisation of each compressed vector, and biases."""
        norms = self.kv_rank + (self.q_rank or 0) + self.norm_weights
        norms += self.indexer.norms if self.indexer is not None else 0
        biases = (self.q_rank or 0) + self.kv_rank + self.rope_dim + hidden if self.bias else 0
        return self.matmul_parameters(hidden) + norms + biases

    def cached_tokens(self, context: int) -> int:
        """Return how many tokens the cache holds: all of them, or its window."""
        return context if self.window is None else min(context, self.window)

    def cache_elements(self, context: int, block: int = 1, devices: int = 1) -> int:
        """Return the compressed vectors with their rotary parts, and the indexer's keys.

        One vector serves all heads, so that every device holds it whole.
        """
        width = self.kv_rank + self.rope_dim + (self.indexer.cached if self.indexer is not None else 0)
        return width * paged(context, block, self.window)

    def _top(self) -> int | None:
        return self.window if self.indexer is None else self.indexer.top_k

    def score_flops(self, context: int, causal: bool = True) -> float:
        """Return the FLOPs of scores and weighted values per token, with keys and values expanded.

        With an indexer, its scores of all keys and the attention over those chosen.
        """
        per_key = 2 * self._query_width() + 2 * self.heads * self.value_dim
        flops = per_key * mean_attended(context, causal, self._top())
        if self.indexer is not None:
            flops += self.indexer.flops_per_key() * mean_attended(context, causal)
        return flops

    def decode_flops(self, context: int) -> float:
        """Return the FLOPs of scores and weighted values of one new token, on the compressed vectors.

        The expansion is absorbed into query and output: each head scores the whole cached vector and weights
        its compressed part.
        """
        per_key = 2 * self.heads * (self.kv_rank + self.rope_dim) + 2 * self.heads * self.kv_rank
        flops = per_key * min(context, self._top() or context)
        if self.indexer is not None:
            flops += self.indexer.flops_per_key() * context
        return float(flops)


@dataclass(frozen=True, slots=True)
class Compressed(Mixer):
    """The attention of DeepSeek-V4: a window of single tokens, and blocks of tokens as one entry each.

    All heads share one vector that is key and value at once. With an indexer it is compressed sparse
    attention (CSA), whose blocks overlap; with long blocks and without indexer heavily compressed attention
    (HCA); without blocks there is only the window :cite:p:`deepseek2026v4`.

    Attributes
    ----------
    heads, head_dim : int
        Query heads and their width, which is also that of the shared vector.
    q_rank : int
        Width of the compressed query.
    output_groups, output_rank : int
        The output is projected in so many groups of heads, each to this width, before the last projection.
    window : int
        Single tokens that stay in the cache.
    ratio : int, optional
        Tokens of a block that is kept as one entry.
    indexer : Indexer, optional
        What chooses the entries that a query sees; its keys are compressed in the same way.
    """

    heads: int
    head_dim: int
    q_rank: int
    output_groups: int
    output_rank: int
    window: int
    ratio: int | None = None
    indexer: Indexer | None = None

    def __post_init__(self) -> None:
        for name in ("heads", "head_dim", "q_rank", "output_groups", "output_rank", "window"):
            exact_integer(name, getattr(self, name), 1, LIMIT, ConfigError)
        if self.ratio is not None:
            exact_integer("ratio", self.ratio, 1, LIMIT, ConfigError)
        elif self.indexer is not None:
            raise ConfigError("an indexer chooses among compressed blocks: ratio must be given")
        if self.heads * self.head_dim % self.output_groups:
            raise ConfigError(
                f"output_groups ({self.output_groups}) must divide heads x head_dim "
                f"({self.heads * self.head_dim})"
            )

    @property
    def kind(self) -> str:
        """The variant's abbreviation: CSA, HCA, or MQA where nothing is compressed."""
        if self.ratio is None:
            return "MQA"
        return "CSA" if self.indexer else "HCA"

    @property
    def _series(self) -> int:
        """How many blocks a token contributes to: two where blocks overlap."""
        return 2 if self.indexer else 1

    def _compressor(self, hidden: int, width: int) -> tuple[int, int]:
        """Return the weights of a compressor that tokens are multiplied with, and its others."""
        wide = self._series * width
        return 2 * hidden * wide, (self.ratio or 0) * wide + width

    def matmul_parameters(self, hidden: int) -> int:
        """Return the weights of the projections, the compressors and the indexer."""
        width = self.heads * self.head_dim
        query = hidden * self.q_rank + self.q_rank * width
        output = width * self.output_rank + self.output_groups * self.output_rank * hidden
        total = query + hidden * self.head_dim + output
        if self.ratio is not None:
            total += self._compressor(hidden, self.head_dim)[0]
        if self.indexer is not None:
            total += self._compressor(hidden, self.indexer.head_dim)[0]
            total += self.indexer.query_parameters(hidden, self.q_rank)
        return total

    def parameters(self, hidden: int) -> int:
        """Return all weights: also the normalisations, the positions in a block and the learned sinks."""
        others = self.q_rank + self.head_dim + self.heads
        if self.ratio is not None:
            others += self._compressor(hidden, self.head_dim)[1]
        if self.indexer is not None:
            others += self._compressor(hidden, self.indexer.head_dim)[1]
        return self.matmul_parameters(hidden) + others

    def cached_tokens(self, context: int) -> int:
        """Return how many vectors the cache holds: single tokens of the window, and finished blocks."""
        return min(context, self.window) + (context // self.ratio if self.ratio else 0)

    def cache_elements(self, context: int, block: int = 1, devices: int = 1) -> int:
        """Return the vectors of the window and those of finished blocks; every device holds them whole.

        In a paged cache a block holds as many tokens of the window as compressed entries.
        """
        elements = self.head_dim * paged(context, block, self.window)
        if self.ratio is not None:
            width = self.head_dim + (self.indexer.head_dim if self.indexer else 0)
            elements += width * ceil_div(context // self.ratio, block) * block
        return elements

    def state_elements(self, devices: int = 1) -> int:
        """Return the numbers that wait to be compressed: vectors and gates of the blocks being filled."""
        if self.ratio is None:
            return 0
        width = self.head_dim + (self.indexer.head_dim if self.indexer else 0)
        return 2 * (self._series * self.ratio) * (self._series * width)

    def _flops_per_key(self) -> int:
        return 4 * self.heads * self.head_dim

    def _flops(self, single: float, entries: float, scored: float) -> float:
        index = self.indexer.flops_per_key() * scored if self.indexer else 0
        return self._flops_per_key() * (single + entries) + index

    def _top(self) -> int | None:
        return self.indexer.top_k if self.indexer else None

    def score_flops(self, context: int, causal: bool = True) -> float:
        """Return the FLOPs of scores and weighted values per token, averaged over the context."""
        single = mean_attended(context, causal, self.window)
        if self.ratio is None:
            return self._flops(single, 0, 0)
        if not causal:
            blocks = context // self.ratio
            return self._flops(single, min(blocks, self._top() or blocks), blocks)
        entries = mean_blocks(context, self.ratio, self._top())
        return self._flops(single, entries, mean_blocks(context, self.ratio))

    def decode_flops(self, context: int) -> float:
        """Return the FLOPs of scores and weighted values of one new token, the last of the context."""
        blocks = context // self.ratio if self.ratio else 0
        return self._flops(min(context, self.window), min(blocks, self._top() or blocks), blocks)


explain(__name__)
