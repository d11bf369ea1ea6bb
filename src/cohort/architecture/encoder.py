"""The encoders that stand before a text decoder: their weights, and the patches of one image.

Sizes are read from ``vision_config`` and ``audio_config``. What a config leaves to the processor of images,
the most patches of one image, is that of the family's released processor.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cohort.architecture.encoder_kinds import EncoderKind, Joint, encoder_kind, first_size
from cohort.errors.arguments import explain

_NAMES = {
    "hidden": ("hidden_size", "vt_hidden_size"),
    "layers": ("num_hidden_layers", "depth", "vt_num_hidden_layers"),
    "width": ("intermediate_size", "vt_intermediate_size"),
    "patch": ("patch_size",),
}
_COMPRESSION = "img_token_compression_config"  # where MiniMax-M3's release says how patches are merged


@dataclass(frozen=True, slots=True)
class Encoder:
    """An encoder of images, and one of sound where the release has it beside that.

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
    sound : int
        Weights of an encoder of sound beside it, with those that bring its output to that width.
    """

    hidden: int
    width: int
    gated: bool
    parameters: int
    patches: int
    tokens: int
    sound: int = 0


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
    >>> found.parameters, found.patches
    (423060336, 4096)
    """
    vision = config.get("vision_config")
    if not isinstance(vision, Mapping):
        return None
    if isinstance(vision.get(_COMPRESSION), Mapping):
        vision = {**vision[_COMPRESSION], **vision}
    sizes = {name: first_size(vision, *keys) for name, keys in _NAMES.items()}
    kind = encoder_kind(vision, config)
    patches = _patches(kind, vision, sizes["patch"]) if all(sizes.values()) else 0
    if not patches:
        return None
    wide, merged = sizes["hidden"], _merged(kind, vision, config)
    # An image is read as the frames of a short film where frames are read in pairs.
    first = 3 * (first_size(vision, "temporal_patch_size") or 1) * sizes["patch"] ** 2 + kind.first_bias
    outside = (first + kind.outer + _places(kind, vision, patches)) * wide
    joined = kind.joined(Joint(wide, hidden, merged, kind.norm, vision))
    return Encoder(
        hidden=wide,
        width=sizes["width"],
        gated=kind.gated,
        parameters=sizes["layers"] * _layer(kind, vision, wide, sizes["width"]) + outside + joined,
        patches=patches,
        tokens=first_size(vision, "default_output_length") or max(patches // merged, 1),
        sound=_sound(config.get("audio_config"), hidden),
    )


def _layer(kind: EncoderKind, vision: Mapping[str, Any], wide: int, width: int) -> int:
    """Return the weights of one layer."""
    heads = first_size(vision, "num_attention_heads", "num_heads")
    read = wide * (first_size(vision, "num_key_value_heads") or heads) // heads if heads else wide
    up = 2 if kind.gated else 1
    matrices = 2 * wide * (wide + read) + (up + 1) * wide * width
    biases = 3 * wide + 2 * read + up * width if kind.biased else 0
    head = kind.head_norms * (wide // heads) if heads else 0
    return matrices + biases + (kind.norm * kind.norms + kind.scales) * wide + head


def _patches(kind: EncoderKind, vision: Mapping[str, Any], patch: int) -> int:
    if given := first_size(vision, "default_output_length"):
        return given * (first_size(vision, "pooling_kernel_size") or 1) ** 2
    return kind.most or (first_size(vision, "image_size") // patch) ** 2


def _merged(kind: EncoderKind, vision: Mapping[str, Any], config: Mapping[str, Any]) -> int:
    """Return how many patches become one token."""
    side = kind.side or first_size(vision, "spatial_merge_size") or first_size(config, "spatial_merge_size")
    kernel = vision.get("merge_kernel_size")
    if isinstance(kernel, (list, tuple)) and kernel and isinstance(kernel[0], int):
        side = kernel[0]
    if vision.get("pixel_shuffle_ratio") == 0.5:
        side = 2
    return max(side, 1) ** 2


def _places(kind: EncoderKind, vision: Mapping[str, Any], patches: int) -> int:
    """Return the rows of its table of places."""
    if kind.turned or vision.get("rope_theta"):
        return 0  # places are turned, not learned
    height, width = first_size(vision, "init_pos_emb_height"), first_size(vision, "init_pos_emb_width")
    rows = 2 * first_size(vision, "position_embedding_size") or first_size(vision, "num_position_embeddings")
    return rows or height * width or (patches if vision.get("image_size") else 0)


def _sound(audio: Any, hidden: int) -> int:
    """Return the weights of an encoder of sound as Gemma 4 has it: layers of a conformer, each normed.

    Two convolutions halve 128 bands of frequencies twice, as many as the first has channels.
    """
    if not isinstance(audio, Mapping) or audio.get("model_type") != "gemma4_audio":
        return 0
    names = (
        "hidden_size",
        "num_hidden_layers",
        "num_attention_heads",
        "conv_kernel_size",
        "output_proj_dims",
    )
    wide, layers, heads, kernel, out = (first_size(audio, name) for name in names)
    channels = audio.get("subsampling_conv_channels")
    if not (heads and isinstance(channels, (list, tuple)) and len(channels) == 2):
        return 0
    one, two = (first_size({"channels": each}, "channels") for each in channels)
    start = 10 * one + (9 * one + 1) * two + one // 4 * two * wide
    # Two feed-forward networks of four times the width, attention with a matrix for distances, and a
    # gated convolution; norms around each of them, and a factor for each number of a head.
    layer = 24 * wide**2 + (kernel + 9) * wide + wide // heads
    return start + layers * layer + (wide + 1) * out + out * hidden


explain(__name__)
