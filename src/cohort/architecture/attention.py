"""The attention variants: their weights, what they cache, and what their scores cost.

Each variant is a frozen dataclass that knows nothing of the model around it but the hidden size it is given.
All counts are exact integers.

What grows with the context, a window or a chunk is counted by ``cache_elements``; a recurrent state, whose
size never changes and which is kept at a precision of its own, by ``state_elements``.
"""

from __future__ import annotations

from dataclasses import dataclass

from cohort.architecture.linear_attention import GatedDelta, Lightning
from cohort.errors import ConfigError, ParameterError, exact_integer, integer
from cohort.numeric import LIMIT, MAX_CONTEXT, ceil_div

# How many keys a query sees ---------------------------------------------------------------------------------


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
    context = integer("context", context, 1, MAX_CONTEXT, ParameterError, "tokens")
    span = min(context, window or context)
    if chunk is not None and chunk < context:
        full, rest = divmod(context, chunk)
        if not causal:
            return (full * chunk**2 + rest**2) / context
        return (full * chunk * (chunk + 1) + rest * (rest + 1)) / 2 / context
    if not causal:
        return float(span)
    return (span * (span + 1) / 2 + (context - span) * span) / context


def mean_blocks(context: int, ratio: int, most: int | None = None) -> float:
    """Return how many finished blocks a query has behind it, averaged over the positions of a context.

    Parameters
    ----------
    context : int
        Length of the sequence in tokens.
    ratio : int
        Tokens of a block.
    most : int, optional
        At most this many blocks are attended to.

    Returns
    -------
    float
        The mean of min(floor(t / ratio), most) over t from 1 to `context`.
    """
    context = integer("context", context, 1, MAX_CONTEXT, ParameterError, "tokens")
    ratio = integer("ratio", ratio, 1, MAX_CONTEXT, ParameterError, "tokens")
    blocks = context // ratio
    least = blocks if most is None else min(blocks, most)
    before_last = ratio * (least * (least - 1) // 2 + (blocks - least) * least)
    return (before_last + (context - blocks * ratio + 1) * least) / context


@dataclass(frozen=True, slots=True)
class BlockSparse:
    """Which blocks of the context a head attends to: the nearest ones, and every n-th of the others.

    The n-th block is another one in each head, so that together the heads see all of them
    :cite:p:`abdin2024phi3`. The cache therefore keeps every token.

    Attributes
    ----------
    block : int
        Tokens of a block.
    local : int
        Blocks next to the query that are attended to whole, its own included.
    stride : int
        Of the blocks further away, one in so many.
    """

    block: int
    local: int
    stride: int

    def __post_init__(self) -> None:
        for name in ("block", "local", "stride"):
            exact_integer(name, getattr(self, name), 1, LIMIT, ConfigError)

    def attended(self, position: int) -> float:
        """Return how many keys the query at a position (from 1) attends to, averaged over the heads."""
        before, within = divmod(position - 1, self.block)
        near = min(before, self.local - 1)
        return within + 1 + self.block * (near + (before - near) / self.stride)

    def mean_attended(self, context: int, causal: bool = True) -> float:
        """Return how many keys a query attends to, averaged over the positions and the heads."""
        if not causal:
            return self.attended(context)
        blocks, rest = divmod(context, self.block)
        far = max(blocks - self.local, 0)  # blocks of queries that have some block beyond the local ones
        near_blocks = blocks * (blocks - 1) // 2 - far * (far + 1) // 2
        keys = blocks * self.block * (self.block + 1) / 2 + rest * (rest + 1) / 2
        keys += self.block**2 * (near_blocks + far * (far + 1) / 2 / self.stride)
        if rest:
            near = min(blocks, self.local - 1)
            keys += rest * self.block * (near + (blocks - near) / self.stride)
        return keys / context


def _paged(context: int, block: int, bound: int | None, sinks: int = 0, aligned: bool = False) -> int:
    """Return the tokens of the blocks that a layer's cache takes up.

    Parameters
    ----------
    context : int
        Tokens of the sequence.
    block : int
        Tokens of a block; with 1 nothing is rounded.
    bound : int, optional
        Tokens that the layer keeps at most: its window, or its chunk.
    sinks : int
        First tokens kept besides.
    aligned : bool
        Whether what is kept begins at a multiple of `bound`, as chunks do, and does not slide.
    """
    whole = ceil_div(context, block)
    if bound is None or context <= bound + sinks:
        return whole * block
    straddled = aligned and bound % block == 0
    kept = ceil_div(bound, block) if straddled else ceil_div(bound - 1, block) + 1
    return min(whole, kept + ceil_div(sinks, block)) * block


# The variants -----------------------------------------------------------------------------------------------


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

    def __post_init__(self) -> None:
        for name in ("heads", "kv_heads", "head_dim"):
            exact_integer(name, getattr(self, name), 1, LIMIT, ConfigError)
        for name in ("sinks", "norm_weights"):
            exact_integer(name, getattr(self, name), 0, LIMIT, ConfigError)
        for name in ("window", "chunk"):
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

    def matmul_parameters(self, hidden: int) -> int:
        """Return the weights of the projections that a token is multiplied with."""
        query = hidden * self.heads * self.head_dim
        key = hidden * self.kv_heads * self.head_dim
        wide = 2 + self.position_projection + self.output_gate
        return wide * query + (1 if self.shared_values else 2) * key

    def parameters(self, hidden: int) -> int:
        """Return all weights: projections, biases, normalisation of queries and keys, learned sinks."""
        keys = (1 if self.shared_values else 2) * self.kv_heads
        queries = (2 if self.output_gate else 1) * self.heads
        biases = (queries + keys) * self.head_dim if self.bias else 0
        biases += hidden if self.output_bias else 0
        sinks = self.heads if self.learned_sinks else 0
        return self.matmul_parameters(hidden) + biases + self.norm_weights + sinks

    def cached_tokens(self, context: int) -> int:
        """Return how many tokens the cache holds: at most the window and its sinks, or one chunk."""
        if self.chunk is not None:
            return min(context, self.chunk)
        return context if self.window is None else min(context, self.window + self.sinks)

    def cache_elements(self, context: int, block: int = 1, devices: int = 1) -> int:
        """Return the cached numbers of one sequence in this layer: keys and values of the tokens held.

        Parameters
        ----------
        context : int
            Tokens of the sequence.
        block : int
            Tokens of a block of a paged cache :cite:p:`kwon2023pagedattention`; whole blocks are counted.
        devices : int
            Devices that share the layer's heads, of which the fullest is counted. A key-value head does not
            split: each device holds one at least.
        """
        bound = self.window if self.chunk is None else self.chunk
        tokens = _paged(context, block, bound, self.sinks, aligned=self.chunk is not None)
        heads = ceil_div(self.kv_heads, devices)
        return (2 if self.values_cached else 1) * heads * self.head_dim * tokens

    def state_elements(self, devices: int = 1) -> int:
        """Return the numbers of a recurrent state: none."""
        return 0

    def _flops_per_key(self) -> int:
        return 4 * self.heads * self.head_dim

    def score_flops(self, context: int, causal: bool = True) -> float:
        """Return the FLOPs of scores and weighted values per token, averaged over the context."""
        if self.sparse is not None:
            return self._flops_per_key() * self.sparse.mean_attended(context, causal)
        window = None if self.window is None else self.window + self.sinks
        return self._flops_per_key() * mean_attended(context, causal, window, self.chunk)

    def decode_flops(self, context: int) -> float:
        """Return the FLOPs of scores and weighted values of one new token, the last of the context."""
        if self.sparse is not None:
            return self._flops_per_key() * self.sparse.attended(context)
        if self.chunk is not None:
            return float(self._flops_per_key() * ((context - 1) % self.chunk + 1))
        return float(self._flops_per_key() * self.cached_tokens(context))


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
    """

    heads: int
    head_dim: int
    top_k: int

    def __post_init__(self) -> None:
        for name in ("heads", "head_dim", "top_k"):
            exact_integer(f"indexer's {name}", getattr(self, name), 1, LIMIT, ConfigError)

    def flops_per_key(self) -> int:
        """Return the FLOPs of one score of all heads."""
        return 2 * self.heads * self.head_dim

    def query_parameters(self, hidden: int, q_rank: int) -> int:
        """Return the weights that make its queries and the weights of its heads."""
        return q_rank * self.heads * self.head_dim + hidden * self.heads


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
    indexer : Indexer, optional
        What chooses the keys that a query sees; needs a compressed query.
    """

    heads: int
    kv_rank: int
    q_rank: int | None
    rope_dim: int
    nope_dim: int
    value_dim: int
    bias: bool = False
    indexer: Indexer | None = None

    def __post_init__(self) -> None:
        for name in ("heads", "kv_rank", "rope_dim", "nope_dim", "value_dim"):
            exact_integer(name, getattr(self, name), 1, LIMIT, ConfigError)
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
            index = self.indexer.query_parameters(hidden, self.q_rank or 0) + hidden * self.indexer.head_dim
        return query + compress + expand + self.heads * self.value_dim * hidden + index

    def parameters(self, hidden: int) -> int:
        """Return all weights: projections, the normalisation of each compressed vector, and biases."""
        norms = self.kv_rank + (self.q_rank or 0)
        norms += 2 * self.indexer.head_dim if self.indexer is not None else 0  # a LayerNorm with its bias
        biases = (self.q_rank or 0) + self.kv_rank + self.rope_dim + hidden if self.bias else 0
        return self.matmul_parameters(hidden) + norms + biases

    def cached_tokens(self, context: int) -> int:
        """Return how many tokens the cache holds at a context: all of them."""
        return context

    def cache_elements(self, context: int, block: int = 1, devices: int = 1) -> int:
        """Return the cached numbers of one sequence in this layer.

        The one vector serves all heads, so every device that shares the heads holds it whole.

        Parameters
        ----------
        context : int
            Tokens of the sequence.
        block : int
            Tokens of a block of a paged cache; whole blocks are counted.
        devices : int
            Devices that share the layer's heads.
        """
        width = self.kv_rank + self.rope_dim + (self.indexer.head_dim if self.indexer is not None else 0)
        return width * _paged(context, block, None)

    def state_elements(self, devices: int = 1) -> int:
        """Return the numbers of a recurrent state: none."""
        return 0

    def fp8_bytes(self) -> int:
        """Return the bytes of a token in the eight-bit format of FlashMLA, the indexer's key left out.

        The compressed vector in fp8 with a scale of four bytes for each 128 numbers, the rotary part in bf16
        :cite:p:`flashmla`.
        """
        return self.kv_rank + 4 * ceil_div(self.kv_rank, 128) + 2 * self.rope_dim

    def _top(self) -> int | None:
        return None if self.indexer is None else self.indexer.top_k

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
class Compressed:
    """The attention of DeepSeek-V4: a window of single tokens, and blocks of tokens as one entry each.

    All heads share one vector that is key and value at once. With an indexer it is compressed sparse
    attention (CSA), whose blocks overlap; with long blocks and without indexer heavily compressed attention
    (HCA); without blocks the window is all there is :cite:p:`deepseek2026v4`.

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
        """Return the cached numbers of one sequence in this layer; every device holds them whole.

        Parameters
        ----------
        context : int
            Tokens of the sequence.
        block : int
            Tokens, or compressed entries, of a block of a paged cache; whole blocks are counted.
        devices : int
            Devices that share the layer's heads.
        """
        elements = self.head_dim * _paged(context, block, self.window)
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


Attention = GroupedQuery | Latent | Compressed | Lightning | GatedDelta


# What scores take in memory ---------------------------------------------------------------------------------


def _sizes(context: int, heads: int, head_dim: int, batch: int) -> tuple[int, int, int, int]:
    return (
        integer("context", context, 1, MAX_CONTEXT, ParameterError, "tokens"),
        integer("heads", heads, 1, LIMIT, ParameterError),
        integer("head_dim", head_dim, 1, LIMIT, ParameterError),
        integer("batch", batch, 1, LIMIT, ParameterError, "sequences"),
    )


def naive_score_bytes(context: int, heads: int, batch: int = 1, bytes_per_element: int = 2) -> int:
    """Return what a forward pass of naive attention writes for its scores: the square, twice.

    Once before and once after the softmax, for one layer.

    Parameters
    ----------
    context : int
        Tokens of each sequence.
    heads, batch : int
        Query heads, and sequences at once.
    bytes_per_element : int
        Bytes of one score.

    Returns
    -------
    int
        Bytes.

    Raises
    ------
    ParameterError
        If a size is not a positive integer.
    """
    context, heads, _, batch = _sizes(context, heads, 1, batch)
    bytes_per_element = integer("bytes_per_element", bytes_per_element, 1, 16, ParameterError, "bytes")
    return 2 * batch * heads * context**2 * bytes_per_element


def tiled_score_bytes(context: int, heads: int, batch: int = 1) -> int:
    """Return what a forward pass of FlashAttention writes in place of the scores.

    One normaliser a row, the logarithm of its sum of exponentials, in four bytes
    :cite:p:`dao2022flashattention`; the tiles themselves stay on the chip.

    Parameters
    ----------
    context : int
        Tokens of each sequence.
    heads, batch : int
        Query heads, and sequences at once.

    Returns
    -------
    int
        Bytes.

    Raises
    ------
    ParameterError
        If a size is not a positive integer.
    """
    context, heads, _, batch = _sizes(context, heads, 1, batch)
    return 4 * batch * heads * context


def naive_training_bytes(
    context: int, heads: int, head_dim: int, batch: int, bytes_per_element: int = 2
) -> int:
    """Return the memory of a forward and a backward pass of naive attention.

    Four squares (scores and weights, and their gradients) and ten matrices as wide as a head. It gives every
    entry of the table that FlashAttention's authors measured, in units of 2**20 bytes
    :cite:p:`dao2022flashattention`.

    Parameters
    ----------
    context : int
        Tokens of each sequence.
    heads, head_dim, batch : int
        Query heads, their width, and sequences at once.
    bytes_per_element : int
        Bytes of one number.

    Returns
    -------
    int
        Bytes.

    Raises
    ------
    ParameterError
        If a size is not a positive integer.
    """
    context, heads, head_dim, batch = _sizes(context, heads, head_dim, batch)
    bytes_per_element = integer("bytes_per_element", bytes_per_element, 1, 16, ParameterError, "bytes")
    return batch * heads * bytes_per_element * (4 * context**2 + 10 * context * head_dim)


def tiled_training_bytes(
    context: int, heads: int, head_dim: int, batch: int, bytes_per_element: int = 2
) -> int:
    """Return the memory of a forward and a backward pass of FlashAttention.

    Thirteen matrices as wide as a head, and two numbers of four bytes a row. It gives the entries of the
    table that its authors measured, in units of 2**20 bytes, from 1024 tokens on; three shorter ones are
    printed lower :cite:p:`dao2022flashattention`.

    Parameters
    ----------
    context : int
        Tokens of each sequence.
    heads, head_dim, batch : int
        Query heads, their width, and sequences at once.
    bytes_per_element : int
        Bytes of one number.

    Returns
    -------
    int
        Bytes.

    Raises
    ------
    ParameterError
        If a size is not a positive integer.
    """
    context, heads, head_dim, batch = _sizes(context, heads, head_dim, batch)
    bytes_per_element = integer("bytes_per_element", bytes_per_element, 1, 16, ParameterError, "bytes")
    return batch * heads * context * (13 * head_dim * bytes_per_element + 8)
