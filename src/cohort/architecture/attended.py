"""How many keys a query sees, and how many tokens the blocks of a cache take up."""

from __future__ import annotations

from dataclasses import dataclass

from cohort.errors import ConfigError, ParameterError, exact_integer, integer
from cohort.errors.arguments import explain
from cohort.numeric import LIMIT, MAX_CONTEXT, ceil_div


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

    Raises
    ------
    ParameterError
        If the context, the window or the chunk is not a positive integer.

    Examples
    --------
    >>> mean_attended(8192), mean_attended(8192, window=1024)
    (4096.5, 960.0625)

    See Also
    --------
    mean_blocks : The same where finished blocks are attended to, and not tokens.
    """
    context = integer("context", context, 1, MAX_CONTEXT, ParameterError, "tokens")
    span = context if window is None else min(context, integer("window", window, 1, unit="tokens"))
    if chunk is not None and integer("chunk", chunk, 1, unit="tokens") < context:
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

    Raises
    ------
    ParameterError
        If the context or the ratio is not a positive integer.

    Examples
    --------
    >>> mean_blocks(8192, ratio=4), mean_blocks(8192, ratio=4, most=512)
    (1023.75, 447.9375)
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
        """Return how many keys a query attends to, averaged over the heads.

        Parameters
        ----------
        position : int
            Position of the query in the sequence, from 1.

        Returns
        -------
        float
            Keys, the query's own included.

        Raises
        ------
        ParameterError
            If the position is not a positive integer.

        Examples
        --------
        >>> BlockSparse(block=64, local=16, stride=8).attended(8192)
        1920.0
        """
        before, within = divmod(integer("position", position, 1, MAX_CONTEXT) - 1, self.block)
        near = min(before, self.local - 1)
        return within + 1 + self.block * (near + (before - near) / self.stride)

    def mean_attended(self, context: int, causal: bool = True) -> float:
        """Return how many keys a query attends to, averaged over the positions and the heads.

        Parameters
        ----------
        context : int
            Length of the sequence in tokens.
        causal : bool
            Whether a query sees only what came before. If not, each counts as the last one does.

        Returns
        -------
        float
            Keys per query.

        Raises
        ------
        ParameterError
            If the context is not a positive integer.
        """
        context = integer("context", context, 1, MAX_CONTEXT, unit="tokens")
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


def paged(context: int, block: int, bound: int | None, sinks: int = 0, aligned: bool = False) -> int:
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

    Returns
    -------
    int
        Tokens. A window may touch one block more than it fills, as it seldom begins where a block does.

    Examples
    --------
    >>> paged(100, block=16, bound=None)
    112
    >>> paged(1000, block=16, bound=64)
    80
    """
    whole = ceil_div(context, block)
    if bound is None or context <= bound + sinks:
        return whole * block
    straddled = aligned and bound % block == 0
    kept = ceil_div(bound, block) if straddled else ceil_div(bound - 1, block) + 1
    return min(whole, kept + ceil_div(sinks, block)) * block


explain(__name__)
