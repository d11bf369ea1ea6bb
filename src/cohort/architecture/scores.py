"""What the scores of attention take in memory: naive, and tiled as FlashAttention has them."""

from __future__ import annotations

from cohort.errors import ParameterError, integer
from cohort.errors.arguments import explain
from cohort.numeric import LIMIT, MAX_CONTEXT


def _sizes(context: int, heads: int, head_dim: int, batch: int) -> tuple[int, int, int, int]:
    return (
        integer("context", context, 1, MAX_CONTEXT, ParameterError, "tokens"),
        integer("heads", heads, 1, LIMIT, ParameterError),
        integer("head_dim", head_dim, 1, LIMIT, ParameterError),
        integer("batch", batch, 1, LIMIT, ParameterError, "sequences"),
    )


def naive_score_bytes(context: int, heads: int, batch: int = 1, bytes_per_element: int = 2) -> int:
    """Return what a forward pass of naive attention writes for the scores of one layer.

    For each head the square of the context, twice: before and after the softmax.

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

    Examples
    --------
    >>> naive_score_bytes(8192, heads=32) // 2**30
    8

    See Also
    --------
    tiled_score_bytes : What FlashAttention writes instead.
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

    Examples
    --------
    >>> tiled_score_bytes(8192, heads=32) // 2**20
    1
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


explain(__name__)
