"""How the weights of a model are stored: one type for each kind of tensor, as models are released.

A release seldom keeps all tensors in one type. Embedding, head, router and normalisations stay in 16 bits
almost everywhere; some releases leave the attention, or the first and the last layer, as well.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from cohort.architecture.dtypes import Precision, precision
from cohort.errors import unknown
from cohort.errors.arguments import explain

# What a format may store in a type of its own. Value and down projections are apart, since GGUF's mixtures
# keep them wider, as is an embedding that is tied to the head; biases, scales
# of routers and what stands beside the layers count as normalisations.
KINDS = (
    "embedding", "tied", "head", "attention", "value", "up", "down", "shared_up", "shared_down",
    "expert_up", "expert_down", "router", "norms",
)  # fmt: skip
ATTENTION = ("attention", "value")
EXPERTS = ("expert_up", "expert_down")
MATRICES = (*ATTENTION, "up", "down", "shared_up", "shared_down", *EXPERTS)  # those of the layers

_FALLBACKS = {"Q4_K": "Q5_0", "Q5_K": "Q5_1", "Q6_K": "Q8_0"}
FP16, FP32 = precision("bf16"), precision("fp32")


@dataclass(frozen=True, slots=True)
class WeightFormat:
    """How each kind of tensor is stored.

    Attributes
    ----------
    name : str
        What it is called, such as ``fp8``.
    main : Precision
        How most matrices of the layers are stored, and those of `kinds`.
    kinds : frozenset of str
        Which kinds of `KINDS` are stored so.
    others : Precision
        How the rest is stored.
    exceptions : callable, optional
        Takes a kind, the number of a layer and how many layers there are; returns the type of what is stored
        in a third way, else None.
    """

    name: str
    main: Precision
    kinds: frozenset[str] = frozenset(MATRICES)
    others: Precision = FP16
    exceptions: Callable[[str, int, int], Precision | None] | None = None

    def precision(self, kind: str, layer: int = -1, layers: int = 1) -> Precision:
        """Return how a tensor is stored.

        Parameters
        ----------
        kind : str
            One of `KINDS`.
        layer : int
            Its layer, from 0; -1 outside the layers.
        layers : int
            Layers of the model.

        Returns
        -------
        Precision
        """
        other = self.exceptions(kind, layer, layers) if self.exceptions else None
        return other or (self.main if kind in self.kinds else self.others)

    def bits(self, kind: str, layer: int = -1, layers: int = 1, row: int = 0) -> Fraction:
        """Return the bits of one weight of a tensor, its share of the scales included.

        Parameters
        ----------
        kind, layer, layers
            As in `precision`.
        row : int
            Weights of a row: where it is no multiple of the block of a format of llama.cpp, a wider one is
            taken; 0 where that is of no concern.

        Returns
        -------
        Fraction
            Bits.

        Examples
        --------
        >>> float(weight_format("gptq").bits("up"))
        4.15625
        """
        found = self.precision(kind, layer, layers)
        if row % found.block and found.name in _FALLBACKS:
            found = precision(_FALLBACKS[found.name])
        return found.bits + Fraction(found.scale_bits, found.block)


def _ends(kind: str, layer: int, layers: int) -> Precision | None:
    """Attention, and all of the first and the last layer, stay in 16 bits (Llama 3.1 405B in FP8)."""
    return FP16 if kind in ATTENTION or layer in (0, layers - 1) else None


def _in_fp8(kind: str, layer: int, layers: int) -> Precision | None:
    """Attention in FP8 beside NVFP4 (NVIDIA's mixed releases of Qwen3.6 and later)."""
    return precision("fp8") if kind in ATTENTION else None


def _more_bits(layer: int, layers: int) -> bool:
    """Whether a mixture of llama.cpp gives a layer more bits: the first and last eighth, and every third."""
    eighth = layers // 8
    return layer < eighth or layer >= 7 * layers // 8 or (layer - eighth) % 3 == 2


def _mixed(kind: str, layer: int, layers: int) -> Precision | None:
    if kind in ("head", "tied"):
        return precision("Q6_K")
    wider = kind in ("value", "down", "shared_down", "expert_down")
    return precision("Q6_K") if wider and layer >= 0 and _more_bits(layer, layers) else None


_ALL = frozenset(KINDS)
_GGUF = frozenset({*MATRICES, "embedding", "tied", "head"})
_FORMATS = {
    each.name: each
    for each in (
        WeightFormat("fp32", FP32, _ALL),
        WeightFormat("bf16", FP16, _ALL),
        WeightFormat("fp16", precision("fp16"), _ALL),
        WeightFormat("fp8", precision("fp8")),
        WeightFormat("fbgemm_fp8", precision("fp8"), exceptions=_ends),
        WeightFormat("int8", Precision("int8", 8)),  # one scale a row: a byte a weight
        WeightFormat("fp4", precision("fp4")),
        WeightFormat("mxfp4", precision("fp4"), frozenset(EXPERTS)),
        WeightFormat("nvfp4", precision("nvfp4")),
        WeightFormat("nvfp4_mlp", precision("nvfp4"), frozenset(MATRICES) - frozenset(ATTENTION)),
        WeightFormat(
            "nvfp4_fp8",
            precision("nvfp4"),
            frozenset({*MATRICES, "head"}) - frozenset(ATTENTION),
            FP16,
            _in_fp8,
        ),
        WeightFormat("int4", precision("int4_group")),
        WeightFormat("gptq", precision("int4_group")),
        WeightFormat("awq", precision("int4_group")),
        WeightFormat("nf4", precision("nf4")),
        WeightFormat("Q8_0", precision("Q8_0"), _GGUF, FP32),
        WeightFormat("Q6_K", precision("Q6_K"), _GGUF, FP32),
        WeightFormat("Q5_K_M", precision("Q5_K"), _GGUF, FP32, _mixed),
        WeightFormat("Q4_K_M", precision("Q4_K"), _GGUF, FP32, _mixed),
    )
}


# What names of releases say of how weights are stored, first what tells more.
_NAMED = (
    (r"(q8_0|q6_k|q5_k_m|q4_k_m)", None),
    (r"gguf", "Q4_K_M"),
    (r"(nvfp4|mxfp4|awq|gptq|fp8)", None),
    (r"(bnb|nf4)(?=.*(4bit|4 bit|nf4))|nf4", "nf4"),
    (r"(w4a16|int4|4bit|4 bit)", "int4"),
    (r"(w8a8|int8|8bit|8 bit)", "int8"),
)


def format_in_name(name: str) -> str | None:
    """Return the format of weights that the name of a release says, such as ``awq`` of one that ends in -AWQ.

    Parameters
    ----------
    name : str
        A name, as on a hub.

    Returns
    -------
    str or None
        One of `weight_formats`; of a GGUF file that names no type, ``Q4_K_M``; None where the name says
        nothing.

    Examples
    --------
    >>> format_in_name("Qwen/Qwen3-32B-AWQ"), format_in_name("unsloth/Qwen3-14B-GGUF:Q6_K")
    ('awq', 'Q6_K')
    """
    text = re.sub(r"[-/: .]+", " ", name.lower())
    for pattern, stored in _NAMED:
        found = re.search(rf"(?<![a-z0-9]){pattern}(?![a-z0-9])", text)
        if found:
            return stored or weight_format(found[0]).name
    return None


def is_gguf(stored: WeightFormat) -> bool:
    """Return whether a format is one of llama.cpp's files.

    Parameters
    ----------
    stored : WeightFormat
        The format.

    Returns
    -------
    bool
    """
    return stored.kinds == _GGUF


def weight_formats() -> list[str]:
    """Return the names that `weight_format` knows."""
    return list(_FORMATS)


def weight_format(name: str | WeightFormat) -> WeightFormat:
    """Return how weights of that format are stored.

    ``fp8`` and ``int8`` store the matrices of the layers in a byte a weight, and the rest in 16 bits, as do
    ``fp4`` and ``nvfp4`` :cite:p:`nvidia2025nvfp4` with their scales. ``fbgemm_fp8`` is Meta's release of
    Llama 3.1 405B, whose attention stays in 16 bits :cite:p:`dubey2024llama3`. ``mxfp4`` stores the experts
    alone in four bits, as gpt-oss does :cite:p:`openai2025gptoss`, ``nvfp4_mlp`` all but the attention, as
    most releases of mixtures in that type do, and ``nvfp4_fp8`` has the attention in FP8 and the head in
    NVFP4 :cite:p:`aiconfiguratormodels`. ``gptq`` and ``awq`` have a scale and a zero for each 128 weights,
    ``nf4`` is that of QLoRA with its scales quantised once more
    :cite:p:`dettmers2023qlora`. ``Q8_0``, ``Q6_K``, ``Q5_K_M`` and ``Q4_K_M`` are those of llama.cpp
    :cite:p:`llamacppquants`.

    Parameters
    ----------
    name : str or WeightFormat
        One of `weight_formats`; in any case of letters.

    Returns
    -------
    WeightFormat

    Raises
    ------
    UnknownNameError
        If there is none of that name; the message names the nearest.

    Examples
    --------
    >>> weight_format("mxfp4").precision("attention").name
    'bf16'

    See Also
    --------
    cohort.architecture.quantization.released_format : The format in which a release comes.
    cohort.serving.memory_budget : What a model takes of a device in such a format.
    """
    if isinstance(name, WeightFormat):
        return name
    if isinstance(name, str):
        for known, found in _FORMATS.items():
            if known.casefold() == name.strip().casefold():
                return found
    raise unknown("weight format", name, _FORMATS)


explain(__name__)
