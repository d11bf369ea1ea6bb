"""What each kind of module keeps of a token for the backward pass, as PyTorch's autograd saves it.

A normalisation, what matrices read, attention and a feed-forward network are counted one by one. Families of
transformers differ in a few traits, which a table names. ``tests/oracles/make_kept.py`` counts the same bytes
in small models as they run.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from cohort.errors.arguments import explain


@dataclass(frozen=True, slots=True)
class Traits:
    """How transformers writes the modules of a family, as far as it decides what is kept.

    Attributes
    ----------
    norm : str
        ``rms``: a copy of the input in fp32, and the product in the input's type that the scale is multiplied
        with. ``wide``: that product is in fp32 too. ``layer``: PyTorch's own, which keeps its input.
        ``centred``: a mean is taken off first, step by step in fp32.
    placed : str
        Where a layer has its normalisations: ``before`` mixer and feed-forward network, ``after``, ``both``.
    parallel : bool
        Whether mixer and feed-forward network read the same normalised input.
    activation : float
        Tensors of 16 bits that the activation function keeps beside what is read after it: its input alone,
        none for ReLU, or as many as a formula has steps.
    dropout : bool
        Whether a mask of a byte is kept of what mixer and feed-forward network add to the stream.
    joined : bool
        Whether heads are joined of a part with positions and one without, so that attention's output is
        copied before it is projected.
    one_gate : bool
        Whether a gate and what it gates are made by one matrix, which has one adapter.
    one_matrix : bool
        Whether queries, keys and values are made by one matrix, which has one adapter.
    score : int
        Bytes that are kept of each score of attention where scores are written out: 6 for a softmax in fp32
        and its copy in 16 bits, 8 where scores are capped, for the hyperbolic tangent, 2 for a softmax in 16
        bits.
    sinks : bool
        Whether each row of scores has a learned sink beside it.
    routes_wide : bool
        Whether a router reads a copy of its input in fp32.
    capped : bool
        Whether scores of the vocabulary are capped, for which their hyperbolic tangent is kept in 16 bits.
    """

    norm: str = "rms"
    placed: str = "before"
    parallel: bool = False
    activation: float = 1
    dropout: bool = False
    joined: bool = False
    one_gate: bool = False
    one_matrix: bool = False
    score: int = 6
    sinks: bool = False
    routes_wide: bool = False
    capped: bool = False


_LLAMA = Traits()
_LAYER = Traits(norm="layer")
_WIDE = Traits(norm="wide")
_GEMMA = Traits(norm="wide", placed="both")
_AFTER = Traits(norm="wide", placed="after")
NEW_GELU, CLAMPED, XIELU = 4, 4, 4.5  # steps of GELU by tanh, of gpt-oss's clamped SwiGLU, of xIELU
WIDE_ROUTERS = (
    "deepseek_v2", "deepseek_v3", "deepseek_v32", "kimi_k2", "kimi_linear", "glm4_moe", "glm4_moe_lite",
    "glm_moe_dsa", "dots1", "ernie4_5_moe", "hy_v3", "longcat_flash", "mimo_v2_flash", "nemotron_h",
    "bailing_hybrid",
)  # fmt: skip
FAMILIES = {
    "gemma": _WIDE,
    "gemma2": replace(_GEMMA, score=8, capped=True),
    "gemma3_text": _GEMMA,
    "gemma3n_text": replace(_GEMMA, capped=True),
    "gemma4_text": replace(_GEMMA, capped=True),
    "olmo2": _AFTER,
    "olmo3": _AFTER,
    "exaone4": Traits(placed="after"),
    "gpt_oss": replace(_WIDE, activation=CLAMPED, score=2, sinks=True),
    "qwen3_next": _WIDE,
    "qwen3_5_text": _WIDE,
    "qwen3_5_moe_text": _WIDE,
    "granitemoehybrid": replace(_LLAMA, one_gate=True),
    "phi3": replace(_LLAMA, joined=True, one_gate=True),
    "phi": replace(_LAYER, parallel=True, activation=NEW_GELU, joined=True),
    "gpt2": replace(_LAYER, activation=NEW_GELU, score=2, dropout=True, one_matrix=True),
    "apertus": Traits(activation=XIELU),
    "gpt_neox": replace(_LAYER, parallel=True, joined=True),
    "falcon": replace(_LAYER, parallel=True),
    "cohere": Traits(norm="centred", parallel=True),
    "cohere2": Traits(norm="centred", parallel=True),
    **dict.fromkeys(WIDE_ROUTERS, replace(_LLAMA, routes_wide=True)),
    "opt": replace(_LAYER, activation=0, dropout=True),
    "dbrx": _LAYER,
}


LIBRARIES = ("transformers", "litgpt")


def module_traits(family: str, library: str = "transformers") -> Traits:
    """Return how a library writes the modules of a family.

    Parameters
    ----------
    family : str
        The ``model_type``.
    library : str
        One of `LIBRARIES`. LitGPT has one block for all families: it scales normalised inputs in fp32, calls
        one kernel for GELU, joins heads of a part with positions and one without, and makes queries, keys and
        values by one matrix.

    Returns
    -------
    Traits
        Those of Llama where the family is not in the table.

    Examples
    --------
    >>> module_traits("phi").activation, module_traits("llama").norm
    (4, 'rms')
    """
    found = FAMILIES.get(family, _LLAMA)
    if library == "transformers":
        return found
    norm = "wide" if found.norm == "rms" else found.norm
    return replace(found, norm=norm, activation=1, dropout=False, joined=True, one_matrix=True)


@dataclass(frozen=True, slots=True)
class Types:
    """The types that a step works in, in bytes, and what of a layer is trained.

    Attributes
    ----------
    stream : int
        Of a number of the residual stream: 2, or 4 where autocast multiplies weights in fp32.
    autocast : bool
        Whether matrices are multiplied in 16 bits whatever their type is.
    frozen : bool
        Whether adapters alone are trained.
    adapter : int
        Of a number of an adapter.
    rank : int
        Rank of the adapters.
    dropout : bool
        Whether each adapter reads a thinned copy of its input.
    product : int
        Of a number that a trained matrix reads and keeps: 2, or 1 where it is multiplied in fp8.
    """

    stream: int = 2
    autocast: bool = False
    frozen: bool = False
    adapter: int = 4
    rank: int = 0
    dropout: bool = False
    product: int = 2

    def norm(self, kind: str, width: int, rows: int, own: int | None = None) -> int:
        """Return the bytes that a normalisation keeps of a token.

        Parameters
        ----------
        kind : str
            As in `Traits`, or ``fused``: a kernel that keeps its input alone.
        width, rows : int
            Numbers that are normalised, and into how many groups they fall.
        own : int, optional
            Bytes of a number of its input; by default of the residual stream.

        Returns
        -------
        int
            Bytes.
        """
        size = self.stream if own is None else own
        if kind == "fused":
            return size * width + 4 * rows
        if kind == "layer":
            size = 4 if self.autocast else size
            return (width + 2 * rows) * size
        if kind == "centred":
            return (8 if self.frozen else 12) * width + 4 * rows
        product = 0 if self.frozen else 4 if kind == "wide" else size  # a frozen scale needs none
        return (4 + product) * width + 4 * rows

    def read(self, width: int, readers: int, adapted: bool, held: bool = False, own: int = 2) -> int:
        """Return the bytes that matrices keep of one tensor that they all read.

        Parameters
        ----------
        width, readers : int
            Numbers of a token, and matrices that read them.
        adapted : bool
            Whether the matrices have adapters, where only those are trained.
        held : bool
            Whether the tensor is kept for another reason already.
        own : int
            Bytes of a number of the tensor; autocast copies one of 4 bytes for each matrix.

        Returns
        -------
        int
            Bytes; without training none.
        """
        if not self.frozen:
            if self.product == 1:
                return width  # a copy in fp8, whatever else is kept
            return 2 * width * readers if own == 4 else 0 if held else 2 * width
        if not adapted:
            return 0
        inner = 2 if self.autocast else self.adapter
        low = readers * self.rank * inner
        if self.dropout:
            return readers * width * (inner + 1) + low  # a mask of a byte beside each thinned copy
        if self.adapter == 4:
            return readers * width * inner + low  # peft casts the input for each adapter by itself
        return low if held else 2 * width + low


def fused_scores(heads: int, query: int, keys: int, output: int, masked: int = 0) -> int:
    """Return the bytes that fused attention keeps of a token.

    Parameters
    ----------
    heads : int
        Query heads; of each the sum of a softmax is kept in fp32.
    query, keys, output : int
        Numbers of queries, of keys and values together, and of the output.
    masked : int
        Tokens that a mask has a number for, in 16 bits; 0 where the kernel needs no mask.

    Returns
    -------
    int
        Bytes.

    Examples
    --------
    >>> fused_scores(32, 4096, 2048, 4096)
    20608
    """
    return 2 * (query + keys + output + masked) + 4 * heads


def written_scores(heads: int, query: int, keys: int, length: int, each: int, family: Traits) -> int:
    """Return the bytes that attention keeps of a token where scores are written out.

    Parameters
    ----------
    heads, query, keys : int
        As in `fused_scores`, with keys and values copied for each query head.
    length : int
        Tokens that a score is kept for.
    each : int
        Bytes of each score.
    family : Traits
        Whether there is a sink, which is one score more.

    Returns
    -------
    int
        Bytes; the output is kept by the projection that reads it.

    Examples
    --------
    >>> written_scores(32, 4096, 8192, 1024, 6, Traits())
    221184
    """
    sink = heads * each if family.sinks else 0
    return 2 * (query + keys) + heads * length * each + sink


explain(__name__)
