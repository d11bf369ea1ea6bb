"""What an engine takes for itself on a device, as it tries its largest batch before it sizes the cache."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from cohort.architecture.attention import GroupedQuery
from cohort.architecture.decoder import ModelSpec
from cohort.architecture.feedforward import Dense, Experts, Residual
from cohort.architecture.latent import Compressed
from cohort.architecture.layers import Layer
from cohort.architecture.mixing import Mixer
from cohort.errors.arguments import explain
from cohort.numeric import ceil_div
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
_COMPRESSED_HEADS = (64, 128)  # heads that FlashMLA's kernels take
_SCALE_BYTES = 4  # of an indexer's key
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
    counts. Where the buffers of experts stay, they stand beside attention and beside the scores. So counts
    what kernels are timed on where the model is compiled at this start: the least is of a later one.

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
    trial = _tried(spec, layout, tuple(distinct), runs)
    computed = trial.layer
    last = stage.stop == len(spec.layers)
    scores = runs.sequences * (spec.head_rows or spec.vocabulary) if last else 0
    needs = runs.needs
    second = needs.second if takes_second_runner(spec, needs) else None
    if second is None or second.encodes:
        computed = max(computed, _encoded(spec, layout, stage, runs))
    others = min(layout.devices - 1, NEIGHBOURS)
    cut, whole = captured_graphs(runs.sequences, runs.batched_tokens)
    if runs.eager or (second and not second.graphs):
        cut = whole = 0
    fixed = needs.whole_graphs * whole + (second.kept * scores if second else 0.0)
    fixed += trial.drafts * last
    if cut and runs.flashinfer and any(_flat_heads(layer) for layer in distinct):
        fixed += needs.workspace
    logits = second.logits if second else needs.logits
    if runs.flashinfer_sampler and needs.sampler:
        logits = (needs.sampler,) * 3
    joined = needs.joined if runs.linked else needs.joined_bus
    outside = runs.share if needs.of_free else 1.0  # what is taken before the share is
    low, usual, high = (
        round(
            outside * (base + others * more)
            + max(
                times * computed, trial.kept + max(times * trial.mixed + trial.indexed, wide * scores), timed
            )
            + graph * cut * len(stage)
            + fixed
        )
        for base, more, times, wide, graph, timed in zip(
            needs.base,
            joined,
            needs.activations,
            logits,
            needs.graphs,
            _timed(spec, layout, stage, runs),
            strict=True,
        )
    )
    return low, usual, high


def _timed(spec: ModelSpec, layout: Layout, stage: range, runs: Running) -> tuple[float, float, float]:
    """Return the bytes on which kernels are timed as the graph is compiled: none where it was before.

    Inductor makes up inputs of the sizes of the real ones (``codegen_kernel_benchmark``), so that the kernel
    that looks tokens up holds a second embedding, and writes the stream and what the first layer reads of it.
    A model that takes images is handed the stream, and looks nothing up in its graph.
    """
    compiles = runs.needs.benchmarked and not runs.eager
    if not compiles or stage.start > 0 or encoder(spec, stage, runs) is not None:
        return 0.0, 0.0, 0.0
    table = spec.embedding_parameters / layout.tensor
    made = ACTIVATION_BYTES * (table + 2 * spec.hidden * runs.batched_tokens)
    return 0.0, 0.0 if runs.compiled else made, 0.0 if runs.compiled else made


@dataclass(frozen=True, slots=True)
class _Trial:
    """Bytes that the largest batch takes on a device.

    A whole layer; its attention or recurrence alone; the scores of an indexer beside that; the buffers of
    experts, if they stay; and a copy of the residual streams that is kept for a drafter.
    """

    layer: float
    mixed: float
    indexed: float
    kept: float
    drafts: float


def _tried(spec: ModelSpec, layout: Layout, layers: tuple[Layer, ...], runs: Running) -> _Trial:
    """Return what a batch takes in the widest of some layers."""
    read, hidden = ACTIVATION_BYTES * runs.batched_tokens, spec.hidden
    streams = max(each.streams.streams if each.streams else 1 for each in layers)
    carried = (2 * streams + 1) * hidden  # the streams as a block reads and as it writes them, and its input
    widest = max(_working(each, hidden, layout) for each in layers)
    mixers = [mixer for each in layers for mixer in each.mixers]
    mixed = max((_mixed(each, hidden, layout.tensor) for each in mixers), default=0.0)
    indexed = any(getattr(each, "indexer", None) for each in mixers)
    buffers = max(_buffers(each, hidden, layout) for each in layers) if runs.buffered else 0.0
    return _Trial(
        layer=read * (carried + widest),
        mixed=read * (carried + mixed),
        indexed=runs.needs.indexed if indexed else 0.0,
        kept=max(read * buffers, max(_gathered(each, runs) for each in mixers) if indexed else 0.0),
        drafts=read * streams * hidden if runs.needs.indexed and streams > 1 else 0.0,
    )


def _gathered(mixer: Mixer, runs: Running) -> float:
    """Return the bytes in which an indexer's keys are gathered: one for each block, with a scale."""
    indexer = getattr(mixer, "indexer", None)
    if indexer is None:
        return 0.0
    entries = runs.needs.gathered * runs.context // (getattr(mixer, "ratio", None) or 1)
    return float(entries * (indexer.head_dim + _SCALE_BYTES))


def _buffers(layer: Layer, hidden: int, layout: Layout) -> float:
    """Return the numbers of a token in the two buffers that experts are computed in.

    Each is as wide as the stream or a matrix of a chosen expert, whichever is wider (``workspace_shapes`` of
    vLLM's Triton, Marlin and CUTLASS kernels).
    """
    experts = layer.experts
    if not experts:
        return 0.0
    inner = experts.width / (1 if layout.expert else layout.tensor)
    stream = experts.latent or hidden
    return experts.active * (max(inner, stream) + max((2 if experts.gated else 1) * inner, stream))


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
    if isinstance(mixer, Compressed):
        return _compressed(mixer, devices)
    if part is None:
        return mixer.matmul_parameters(hidden) / hidden / devices
    return part.matmul_parameters(hidden) / hidden


def _compressed(mixer: Compressed, devices: int) -> float:
    """Return the numbers of a token in compressed attention, whose kernels take 64 or 128 heads.

    Queries, the same padded, and an output as wide (``models/deepseek_v4/attention.py`` of vLLM).
    """
    own = ceil_div(mixer.heads, devices)
    taken = next((heads for heads in _COMPRESSED_HEADS if own <= heads), own)
    return mixer.head_dim * ((own if own < taken else 0) + 2 * taken)


explain(__name__)
