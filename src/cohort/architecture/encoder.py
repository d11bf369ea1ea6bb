"""The encoder of images that stands before a text decoder: its weights, and the patches of one image.

Sizes are read from ``vision_config``. What a config leaves to the processor of images, the most patches of
one image, is that of the family's released processor.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cohort.errors.arguments import explain
from cohort.numeric import LIMIT

_NAMES = {
    "hidden": ("hidden_size", "vt_hidden_size"),
    "layers": ("num_hidden_layers", "depth", "vt_num_hidden_layers"),
    "width": ("intermediate_size", "vt_intermediate_size"),
    "patch": ("patch_size",),
}
_GATED = ("pixtral", "gemma4_vision")
# Processors that take an image as it is shrink it to so many patches at the most: 4096 x 4096 pixels in
# patches of 16 in Qwen's, and the limit of MoonViT in Kimi's.
_MOST_PATCHES = {"qwen": 65_536, "kimi": 16_384}


@dataclass(frozen=True, slots=True)
class Encoder:
    """An encoder of images.

    Attributes
    ----------
    hidden, width : int
        Width of its residual stream, and inner width of its feed-forward network.
    gated : bool
        Whether that network has a gate.
    parameters : int
        Its weights, with those that bring its output to the width of the decoder.
    patches : int
        The most patches of one image.
    tokens : int
        Tokens that such an image gives the decoder.
    """

    hidden: int
    width: int
    gated: bool
    parameters: int
    patches: int
    tokens: int


def image_encoder(config: Mapping[str, Any], hidden: int) -> Encoder | None:
    """Return the encoder of images that a config describes beside its text decoder.

    Parameters
    ----------
    config : mapping
        In the form of a Hugging Face ``config.json``.
    hidden : int
        Width of the text decoder.

    Returns
    -------
    Encoder or None
        None where the config has no ``vision_config``, or one of a kind that is not read.

    Examples
    --------
    >>> vision = {
    ...     "model_type": "siglip_vision_model", "hidden_size": 1152, "num_hidden_layers": 27,
    ...     "intermediate_size": 4304, "patch_size": 14, "image_size": 896,
    ... }
    >>> found = image_encoder({"vision_config": vision}, 5376)
    >>> round(found.parameters / 1e6), found.patches
    (423, 4096)
    """
    vision = config.get("vision_config")
    if not isinstance(vision, Mapping):
        return None
    sizes = {name: _number(vision, *keys) for name, keys in _NAMES.items()}
    if not all(sizes.values()):
        return None
    kind = str(vision.get("model_type") or config.get("model_type"))
    wide, width, gated = sizes["hidden"], sizes["width"], kind in _GATED
    patches, merged = _patches(kind, vision, sizes["patch"]), _merged(vision, config)
    if not patches:
        return None
    biases = 0 if gated else 9 * wide + width
    layer = 4 * wide**2 + (3 if gated else 2) * wide * width + biases
    # An image is read as the frames of a short film where frames are read in pairs.
    first = 3 * (_number(vision, "temporal_patch_size") or 1) * sizes["patch"] ** 2 * wide
    places = _places(vision, patches) * wide
    joined = _projector(kind, vision, wide, merged, hidden)
    return Encoder(
        hidden=wide,
        width=width,
        gated=gated,
        parameters=sizes["layers"] * layer + first + places + joined,
        patches=patches,
        tokens=_number(vision, "default_output_length") or max(patches // merged, 1),
    )


def _number(values: Mapping[str, Any], *names: str) -> int:
    """Return the first of several fields that is a size; 0 where none is."""
    for name in names:
        found = values.get(name)
        if isinstance(found, int) and not isinstance(found, bool) and 0 < found < LIMIT:
            return found
    return 0


def _patches(kind: str, vision: Mapping[str, Any], patch: int) -> int:
    if given := _number(vision, "default_output_length"):
        return given * (_number(vision, "pooling_kernel_size") or 1) ** 2
    if size := _number(vision, "image_size"):
        return (size // patch) ** 2
    return next((most for name, most in _MOST_PATCHES.items() if kind.startswith(name)), 0)


def _merged(vision: Mapping[str, Any], config: Mapping[str, Any]) -> int:
    """Return how many patches become one token."""
    side = _number(vision, "spatial_merge_size") or _number(config, "spatial_merge_size")
    kernel = vision.get("merge_kernel_size")
    if isinstance(kernel, (list, tuple)) and kernel and isinstance(kernel[0], int):
        side = kernel[0]
    if vision.get("model_type") == "siglip_vision_model":
        side = 4  # pooled to 256 tokens an image
    if vision.get("pixel_shuffle_ratio") == 0.5:
        side = 2
    return max(side, 1) ** 2


def _places(vision: Mapping[str, Any], patches: int) -> int:
    """Return the rows of its table of places."""
    if vision.get("rope_theta"):
        return 0  # places are turned, not learned
    height, width = _number(vision, "init_pos_emb_height"), _number(vision, "init_pos_emb_width")
    rows = 2 * _number(vision, "position_embedding_size") or _number(vision, "num_position_embeddings")
    return rows or height * width or (patches if vision.get("image_size") else 0)


def _projector(kind: str, vision: Mapping[str, Any], wide: int, merged: int, hidden: int) -> int:
    """Return the weights between encoder and decoder."""
    if kind == "pixtral":  # patches are merged to the encoder's width, and two matrices follow
        return merged * wide * wide + wide * hidden + hidden**2
    if kind.startswith(("qwen", "kimi")):
        deeper = vision.get("deepstack_visual_indexes")  # layers whose output is merged as well
        inner = merged * wide
        return (1 + (len(deeper) if isinstance(deeper, list) else 0)) * inner * (inner + hidden)
    if between := _number(vision, "projector_output_dim"):
        return merged * wide * between + between**2 + between * hidden
    return wide * hidden


explain(__name__)
