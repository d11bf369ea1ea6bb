"""What is loaded on a device before anything runs: weights, encoders of images and sound, a drafter."""

from __future__ import annotations

from functools import lru_cache

from cohort.architecture.attention import GroupedQuery
from cohort.architecture.decoder import ModelSpec
from cohort.architecture.formats import EXPERTS, WeightFormat
from cohort.architecture.latent import Latent
from cohort.errors.arguments import explain
from cohort.numeric import ceil_div
from cohort.registry.devices import Accelerator
from cohort.serving.engine_runtime import (
    ACTIVATION_BYTES,
    Running,
    encoder,
    encoder_devices,
    takes_marlin,
)
from cohort.serving.layouts import KEPT, Layout, held

PADDED = "fp4"  # the type whose experts engines pad
_MARLIN = (128, 256)  # vLLM's mxfp4.py: columns of the inner layer, and of the stream
ENCODER = "image encoder"
SOUND = "sound encoder"
# What readers are shown of the kinds of tensors, in this order.
GROUPS = {
    "embedding": ("embedding", "tied"),
    "head": ("head",),
    "attention": ("attention", "value"),
    "feed-forward": ("up", "down", "shared_up", "shared_down"),
    "experts": ("expert_up", "expert_down"),
    "routers and norms": ("router", "norms"),
}
DRAFTER = "drafter"
POSITIONS = "rotary tables"


def loaded_weights(
    spec: ModelSpec, layout: Layout, stage: range, stored: WeightFormat, device: Accelerator, running: Running
) -> tuple[tuple[str, int], ...]:
    """Return what an engine loads on one device of a stage, by group of tensors.

    Parameters
    ----------
    spec : ModelSpec
        The model.
    layout : Layout
        How devices share it.
    stage : range
        Layers of the stage.
    stored : WeightFormat
        How the weights are stored.
    device : Accelerator
        The device, whose kernels may pad the weights.
    running : Running
        The engine.

    Returns
    -------
    tuple of (str, int)
        Groups, and their bytes.
    """
    weights = _grouped(spec, layout, stage, stored, _padding(spec, device, running))
    weights += _of_positions(spec, running)
    return weights + _of_encoder(spec, layout, stage, running) + _of_drafter(spec, layout, stage, running)


def _of_positions(spec: ModelSpec, running: Running) -> tuple[tuple[str, int], ...]:
    """Return the rotary tables, which every device holds whole."""
    needs, found = running.needs, spec.kept
    if not (needs.rotary and found.rotary and spec.context_limit):
        return ()
    rows = spec.context_limit * (needs.sections if found.sections else 1)
    return ((POSITIONS, round(rows * sum(found.rotary) * (4 if found.wide_rotary else needs.rotary))),)


def _of_drafter(
    spec: ModelSpec, layout: Layout, stage: range, running: Running
) -> tuple[tuple[str, int], ...]:
    """Return a drafter's own weights: a layer of the model, and what joins its two inputs, in 16 bits.

    Embedding and head are those of the model (``qwen3_5_mtp.py`` of vLLM, as of DeepSeek before it).
    """
    if not running.drafted or stage.stop < len(spec.layers):
        return ()
    layer = next((number for number in reversed(stage) if _caches(spec, number)), None)
    if layer is None:
        return ()
    own = sum(each.weights for each in held(spec, layout, range(layer, layer + 1)) if each.layer == layer)
    return ((DRAFTER, round(ACTIVATION_BYTES * (own + 2 * spec.hidden**2))),)


def _caches(spec: ModelSpec, number: int) -> bool:
    """Whether a layer has attention that sees all tokens."""
    mixers = spec.layers[number].mixers
    return any(isinstance(each, (GroupedQuery, Latent)) and each.window is None for each in mixers)


def _padding(spec: ModelSpec, device: Accelerator, running: Running) -> tuple[int, int]:
    """Return the columns to which experts in MXFP4 are padded: of their inner layer, and of the stream."""
    inner = running.needs.padded
    return _MARLIN if inner > 1 and takes_marlin(spec, device, running.marlin) else (inner, 1)


def _of_encoder(
    spec: ModelSpec, layout: Layout, stage: range, running: Running
) -> tuple[tuple[str, int], ...]:
    """Return the weights of the encoders, in 16 bits as releases keep them, and mostly split."""
    found = encoder(spec, stage, running)
    if found is None:
        return ()
    width = ACTIVATION_BYTES / encoder_devices(spec, layout, running)
    held_besides = ((ENCODER, found.parameters), (SOUND, found.sound))
    return tuple((name, round(width * weights)) for name, weights in held_besides if weights)


@lru_cache(maxsize=KEPT)
def _grouped(
    spec: ModelSpec, layout: Layout, stage: range, stored: WeightFormat, padded: tuple[int, int]
) -> tuple[tuple[str, int], ...]:
    sizes: dict[str, float] = {}
    widths: dict[tuple[str, int, int], float] = {}
    count = len(spec.layers)
    for tensor in held(spec, layout, stage, together=not stored.exceptions):
        key = tensor.kind, tensor.layer if stored.exceptions else 0, tensor.row
        if key not in widths:
            widths[key] = float(stored.bits(tensor.kind, tensor.layer, count, tensor.row)) / 8
        width = widths[key]
        experts = spec.layers[tensor.layer].experts if tensor.kind in EXPERTS else None
        if experts and stored.main.name == PADDED:
            part = experts.width if layout.expert else ceil_div(experts.width, layout.tensor)
            for columns, least in ((part, padded[0]), (experts.latent or spec.hidden, padded[1])):
                width *= ceil_div(columns, least) * least / columns
        sizes[tensor.kind] = sizes.get(tensor.kind, 0.0) + width * tensor.weights
    groups = {name: sum(sizes.get(kind, 0.0) for kind in kinds) for name, kinds in GROUPS.items()}
    return tuple((name, round(size)) for name, size in groups.items() if size)


explain(__name__)
