"""What tells one family's encoders of images from another's: their layers, and what joins them to a decoder.

Weights are those that the families' classes in transformers register :cite:p:`wolf2020transformers`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cohort.errors.arguments import explain
from cohort.numeric import LIMIT


def first_size(values: Mapping[str, Any], *names: str) -> int:
    """Return the first of several fields that is a size.

    Parameters
    ----------
    values : mapping
        Fields of a config.
    *names : str
        What the field may be called.

    Returns
    -------
    int
        0 where none is a whole number above zero.

    Examples
    --------
    >>> first_size({"depth": 27}, "num_hidden_layers", "depth")
    27
    """
    for name in names:
        found = values.get(name)
        if isinstance(found, int) and not isinstance(found, bool) and 0 < found < LIMIT:
            return found
    return 0


@dataclass(frozen=True, slots=True)
class Joint:
    """Where an encoder meets the decoder.

    Attributes
    ----------
    hidden, decoder : int
        Width of the encoder's residual stream, and of the decoder's.
    merged : int
        Patches that become one token.
    norm : int
        Weights that a normalisation has for each channel.
    vision : mapping
        The encoder's config.
    """

    hidden: int
    decoder: int
    merged: int
    norm: int
    vision: Mapping[str, Any]


def _matrix(at: Joint) -> int:
    """One matrix, or three behind a width of their own."""
    if between := first_size(at.vision, "projector_output_dim"):  # as Llama 4 shuffles pixels
        return at.merged * at.hidden * between + between**2 + between * at.decoder
    return at.hidden * at.decoder


def _normed_matrix(at: Joint) -> int:
    return at.hidden * at.decoder + at.norm // 2 * at.hidden  # an RMS norm behind layer norms


def _merger_of_one_width(at: Joint) -> int:
    """Patches are normed and merged to the encoder's width, and two matrices follow."""
    return at.hidden + at.merged * at.hidden**2 + at.hidden * at.decoder + at.decoder**2


def _mergers(at: Joint) -> int:
    """Patches side by side go through two matrices; those of some deeper layers go through two more."""
    inner = at.merged * at.hidden
    deeper = at.vision.get("deepstack_visual_indexes")
    more = len(deeper) if isinstance(deeper, list) else 0
    matrices = inner * (inner + at.decoder) + inner + at.decoder
    return (1 + more) * matrices + at.norm * (at.hidden + more * inner)


def _before_and_after_merging(at: Joint) -> int:
    """Two matrices for each patch, and two for what four of them make, as wide as the decoder."""
    return at.decoder * (at.hidden + (2 + at.merged) * at.decoder + 4)


def _strides(at: Joint) -> int:
    """Two convolutions of three by three halve each side and double the width, and a matrix follows."""
    return 9 * 10 * at.hidden**2 + 6 * at.hidden + 4 * at.hidden * at.decoder


@dataclass(frozen=True, slots=True)
class EncoderKind:
    """Traits of a family's encoders.

    Attributes
    ----------
    gated, biased : bool
        Whether the feed-forward network has a gate, and matrices have biases.
    norm, norms : int
        Weights that a normalisation has for each channel, and normalisations of a layer.
    head_norms, scales : int
        Normalisations over one head in a layer, and factors of a layer for each channel.
    first_bias : bool
        Whether what reads the patches has a bias.
    outer : int
        Weights for each channel outside the layers: normalisations, and a token for the whole image.
    turned : bool
        Whether places are turned by angles alone, so that there is no table of them.
    most, side : int
        The most patches of one image where its processor says it, and patches along a side that become one
        token, where no field does; else 0.
    joined : callable
        Weights from there to the decoder, of a `Joint`.
    """

    gated: bool = False
    biased: bool = True
    norm: int = 2
    norms: int = 2
    head_norms: int = 0
    scales: int = 0
    first_bias: bool = False
    outer: int = 0
    turned: bool = False
    most: int = 0
    side: int = 0
    joined: Callable[[Joint], int] = _matrix


_PLAIN = EncoderKind()
# By how the ``model_type`` of the encoder or of the whole release begins. The most patches of an image are
# 4096 x 4096 pixels in patches of 16 in Qwen's processor, the limit of MoonViT in Kimi's, 672 x 672 pixels
# in patches of 14 in MiniMax-M3's, and for EXAONE what its class in transformers has.
_KINDS = {
    "siglip": EncoderKind(first_bias=True, outer=2, side=4, joined=_normed_matrix),
    "gemma4": EncoderKind(gated=True, biased=False, norm=1, norms=4, head_norms=2),
    "pixtral": EncoderKind(
        gated=True, biased=False, norm=1, outer=1, turned=True, joined=_merger_of_one_width
    ),
    "qwen": EncoderKind(first_bias=True, most=65_536, joined=_mergers),
    "kimi": EncoderKind(first_bias=True, outer=2, most=16_384, joined=_mergers),
    "exaone4_5": EncoderKind(gated=True, norm=1, turned=True, most=5_120, joined=_mergers),
    "llama4": EncoderKind(outer=6),
    "minimax_m3": EncoderKind(
        outer=2, turned=True, most=2_304, side=2, joined=_before_and_after_merging
    ),
    "step3p": EncoderKind(outer=2, scales=2, side=4, joined=_strides),
}  # fmt: skip


def encoder_kind(vision: Mapping[str, Any], config: Mapping[str, Any]) -> EncoderKind:
    """Return the traits of the encoder of images that a config describes.

    Parameters
    ----------
    vision : mapping
        Its ``vision_config``.
    config : mapping
        The whole config, whose ``model_type`` counts where that of the encoder says nothing.

    Returns
    -------
    EncoderKind
        With biases, layer norms and one matrix to the decoder where the family is not known.

    Examples
    --------
    >>> encoder_kind({"model_type": "pixtral"}, {}).gated
    True
    """
    for name in (str(vision.get("model_type")), str(config.get("model_type"))):
        for start, kind in _KINDS.items():
            if name.startswith(start):
                return kind
    return _PLAIN


explain(__name__)
