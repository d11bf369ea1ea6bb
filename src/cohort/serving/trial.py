"""What an engine takes for itself on a device, as it tries its largest batch before it sizes the cache."""

from __future__ import annotations

from functools import lru_cache

from cohort.architecture.attention import GroupedQuery
from cohort.architecture.decoder import ModelSpec
from cohort.architecture.feedforward import Dense, Experts, Residual
from cohort.architecture.layers import Layer
from cohort.architecture.mixing import Mixer
from cohort.errors.arguments import explain
from cohort.serving.engine_runtime import (
    ACTIVATION_BYTES,
    Running,
    encoder,
    encoder_devices,
    takes_second_runner,
)
from cohort.serving.layouts import Layout, on_device

# Devices that one is linked with at the most, in rings (two) and trees (a parent and two children) of NCCL.
NEIGHBOURS = 3
_HEADS = (64, 128, 256)  # widths of heads that FlashInfer's kernels take


def captured_graphs(sequences: int, batched_tokens: int) -> tuple[int, int]:
    """Return how many CUDA graphs vLLM captures by default: cut at attention, and whole.

    One for each size of a batch that it pads to: 1, 2 and 4 tokens, multiples of 8 below 256 and of 16 from
    there, up to twice as many as it decodes at once and 512 at the most; whole ones as far as it decodes.

    Parameters
    ----------
    sequences, batched_tokens : int
        As in `Running`.

    Returns
    -------
    tuple of two ints

    Examples
    --------
    >>> captured_graphs(256, 2048)
    (51, 35)
    """
    sizes = [1, 2, 4, *range(8, 256, 8), *range(256, 513, 16)]
    most = min(2 * sequences, batched_tokens)
    return sum(size <= most for size in sizes), sum(size <= min(most, sequences) for size in sizes)


@lru_cache(maxsize=256)
def runtime(spec: ModelSpec, layout: Layout, stage: range, runs: Running) -> tuple[int, int, int]:
    """Return what an engine takes for itself on a device: at the least, as a rule and at the most.

    The activations of a layer are freed before tokens are sampled, and those of the encoder of images before
    the decoder runs, so that they and the scores of the vocabulary are never held together, and the largest
    counts.

    Parameters
    ----------
    spec : ModelSpec
        The model.
    layout : Layout
        How devices share it.
    stage : range
        Layers of the device's stage.
    runs : Running
        The engine.

    Returns
    -------
    tuple of three ints
        Bytes.
    """
    distinct = {id(spec.layers[number]): spec.layers[number] for number in stage}.values()
    widest = max(_working(layer, spec.hidden, layout) for layer in distinct)
    computed = ACTIVATION_BYTES * runs.batched_tokens * (3 * spec.hidden + widest)
    last = stage.stop == len(spec.layers)
    scores = runs.sequences * (spec.head_rows or spec.vocabulary) if last else 0
    needs = runs.needs
    second = needs.second if takes_second_runner(spec, needs) else None
    if second is None or second.encodes:
        computed = max(computed, _encoded(spec, layout, stage, runs))
    others = min(layout.devices - 1, NEIGHBOURS)
    cut, whole = captured_graphs(runs.sequences, runs.batched_tokens)
    if second and not second.graphs:
        cut = whole = 0
    fixed = needs.whole_graphs * whole + (second.kept * scores if second else 0.0)
    if cut and runs.flashinfer and any(_flat_heads(layer) for layer in distinct):
        fixed += needs.workspace
    logits = second.logits if second else needs.logits
    if runs.flashinfer_sampler and needs.sampler:
        logits = (needs.sampler,) * 3
    joined = needs.joined if runs.linked else needs.joined_bus
    low, usual, high = (
        round(base + others * more + max(times * computed, wide * scores) + graph * cut * len(stage) + fixed)
        for base, more, times, wide, graph in zip(
            needs.base, joined, needs.activations, logits, needs.graphs, strict=True
        )
    )
    return low, usual, high


def _flat_heads(layer: Layer) -> bool:
    """Whether a layer has attention with heads of a width that FlashInfer's kernels take."""
    return any(isinstance(each, GroupedQuery) and each.head_dim in _HEADS for each in layer.mixers)


def _encoded(spec: ModelSpec, layout: Layout, stage: range, runs: Running) -> float:
    """Return the bytes that the encoder computes of the images that are tried at once, on one device.

    An engine tries as many of the largest images as it reads tokens at once, and one at the least.
    """
    found = encoder(spec, stage, runs)
    if found is None:
        return 0.0
    images = max(runs.batched_tokens // found.tokens, 1)
    inner = (3 if found.gated else 2) * found.width / encoder_devices(spec, layout, runs)
    return ACTIVATION_BYTES * images * found.patches * (3 * found.hidden + inner)


def _working(layer: Layer, hidden: int, layout: Layout) -> float:
    """Return the numbers that a layer computes of each token at once, on one device."""
    feedforward = layer.feedforward
    dense = feedforward.dense if isinstance(feedforward, Residual) else feedforward
    inner = [0.0]
    if isinstance(dense, Dense):
        inner.append((3 if dense.gated else 2) * dense.width / layout.tensor)
    if layer.experts:
        inner.append(_routed(layer.experts, hidden, layout))
    return max(*inner, *(_mixed(each, hidden, layout.tensor) for each in layer.mixers), 0.0)


def _routed(experts: Experts, hidden: int, layout: Layout) -> float:
    """Return the numbers of a token's experts: their inner layers, and an output each."""
    split = 1 if layout.expert else layout.tensor
    each = (3 if experts.gated else 2) * experts.width / split + (experts.latent or hidden)
    return experts.active * each


def _mixed(mixer: Mixer, hidden: int, devices: int) -> float:
    """Return the numbers that a mixer computes of a token: about as many as its matrices have columns."""
    part = on_device(mixer, devices)
    if part is None:
        return mixer.matmul_parameters(hidden) / hidden / devices
    return part.matmul_parameters(hidden) / hidden


explain(__name__)
