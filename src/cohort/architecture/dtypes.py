"""Types of number: how many bits each takes, scales included."""

from __future__ import annotations

from dataclasses import dataclass

from cohort.errors import bounded, integer, unknown
from cohort.errors.arguments import explain

# How a cache is stored --------------------------------------------------------------------------------------

MOST_BITS = 128  # of a number


@dataclass(frozen=True, slots=True)
class Precision:
    """How a number of a cache or a matrix is stored, with its share of the scale of its block.

    Attributes
    ----------
    name : str
        Such as ``fp8``.
    bits : int
        Bits of the number itself.
    block : int
        Numbers that share a scale.
    scale_bits : int
        Bits of that scale; 0 where there is one for a whole tensor, or none.
    """

    name: str
    bits: int
    block: int = 1
    scale_bits: int = 0

    def __post_init__(self) -> None:
        integer("bits", self.bits, 1, MOST_BITS)
        integer("block", self.block, 1)
        bounded("scale_bits", self.scale_bits, 0)

    @property
    def bytes_per_element(self) -> float:
        """Bytes of one number, its share of the scale included."""
        return (self.bits + self.scale_bits / self.block) / 8


# One scale a tensor is the rule for fp8. The integers are those of llama.cpp (Q8_0, Q4_0), fp4 is MXFP4.
_PRECISIONS = {
    each.name: each
    for each in (
        Precision("fp32", 32),
        Precision("bf16", 16),
        Precision("fp16", 16),
        Precision("fp8", 8),
        Precision("int8", 8, block=32, scale_bits=16),
        Precision("fp4", 4, block=32, scale_bits=8),
        Precision("int4", 4, block=32, scale_bits=16),
        Precision("nvfp4", 4, block=16, scale_bits=8),
    )
}

# How matrices are stored, and no cache: a scale and a zero a group (GPTQ, AWQ), scales that are quantised
# themselves (NF4 with double quantisation), and super-blocks of 256 (llama.cpp).
_MATRICES = {
    each.name: each
    for each in (
        Precision("mxfp8", 8, block=32, scale_bits=8),
        Precision("int4_group", 4, block=128, scale_bits=16 + 4),
        Precision("nf4", 4, block=64 * 256, scale_bits=8 * 256 + 32),
        Precision("Q4_K", 4, block=256, scale_bits=12 * 8 + 2 * 16),
        Precision("Q5_K", 5, block=256, scale_bits=12 * 8 + 2 * 16),
        Precision("Q5_0", 5, block=32, scale_bits=16),
        Precision("Q5_1", 5, block=32, scale_bits=2 * 16),
        Precision("Q6_K", 6, block=256, scale_bits=16 * 8 + 16),
        Precision("Q8_0", 8, block=32, scale_bits=16),
    )
}


def precisions() -> list[str]:
    """Return the names that `precision` knows."""
    return list(_PRECISIONS)


def precision(name: str) -> Precision:
    """Return how numbers of a type are stored.

    Eight-bit floating point has one scale for a tensor, so that it takes one byte a number. The integers
    have a scale of two bytes for each 32 numbers, as in llama.cpp :cite:p:`llamacppquants`; four-bit floating
    point one byte for each 32 :cite:p:`rouhani2023microscaling`, or for each 16 in NVIDIA's form
    :cite:p:`nvidia2025nvfp4`.

    Parameters
    ----------
    name : str
        One of `precisions`, or of the types that only matrices have, such as ``Q4_K``.

    Returns
    -------
    Precision
        Its bits, and how many numbers share a scale.

    Raises
    ------
    UnknownNameError
        If there is none of that name; the message names the nearest.

    Examples
    --------
    >>> precision("int8").bytes_per_element
    1.0625
    """
    found = {**_PRECISIONS, **_MATRICES}
    if not isinstance(name, str) or name not in found:
        raise unknown("precision", name, _PRECISIONS)
    return found[name]


explain(__name__)
