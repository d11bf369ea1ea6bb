"""What engines take for themselves, as logs tell: defaults, and memory beside weights and cache."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from cohort.architecture.decoder import Layer, ModelSpec
from cohort.architecture.encoder import Encoder
from cohort.architecture.feedforward import Dense, Experts, Residual
from cohort.architecture.mixing import Mixer
from cohort.errors import one_of
from cohort.errors.arguments import explain
from cohort.registry import facts
from cohort.serving.layouts import Layout, on_device
from cohort.units import GIB, MIB

ACTIVATION_BYTES = 2
# Devices that one is linked with at the most, in rings (two) and trees (a parent and two children) of NCCL.
NEIGHBOURS = 3


@dataclass(frozen=True, slots=True)
class Engine:
    """What an engine takes of a device for itself, as its logs tell, and how it runs by default.

    Three floats are the least, the usual and the most that logs show.

    Attributes
    ----------
    name : str
        Such as ``vllm``.
    share : float
        Share of the memory that it uses by default.
    page : int
        Tokens of a page of its cache.
    batched_tokens, sequences : tuple of two ints
        Tokens that it reads at once by default, and sequences that it samples for at once: first on most
        cards, then on those of 70 GiB or more introduced since 2022.
    ahead : int, optional
        Tokens that a windowed layer holds beyond its window; None for as many as are read at once.
    padded : int
        Columns to which it pads the inner layer of experts in MXFP4.
    encodes : bool
        Whether it loads a model's encoder of images with it, and tries it on as many as it reads at once.
    base : tuple of three floats
        Bytes on each device, whatever the model.
    joined : tuple of three floats
        Bytes on each device that come on top for each device that it is linked with: channels and buffers
        are kept for every one.
    activations : tuple of three floats
        Copies of what the widest layer computes that are held at once.
    logits : tuple of three floats
        Bytes of each score of the vocabulary while tokens are sampled.
    """

    name: str
    share: float
    page: int
    batched_tokens: tuple[int, int]
    sequences: tuple[int, int]
    ahead: int | None
    padded: int
    encodes: bool
    base: tuple[float, float, float]
    joined: tuple[float, float, float]
    activations: tuple[float, float, float]
    logits: tuple[float, float, float]


_BOUNDS = ("low", "value", "high")
LARGE = 70 * GIB  # from here on engines read and sample more at once


@dataclass(frozen=True, slots=True)
class Running:
    """An engine as it is started on a device.

    Attributes
    ----------
    needs : Engine
        What it takes for itself.
    share : float
        Share of the memory that it uses.
    page, ahead : int
        Tokens of a page, and tokens that a windowed layer holds beyond its window.
    batched_tokens, sequences : int
        Tokens that it reads at once, and sequences that it samples for.
    images : bool
        Whether the encoder of images is loaded, where the model has one.
    """

    needs: Engine
    share: float
    page: int
    ahead: int
    batched_tokens: int
    sequences: int
    images: bool = True


def engines() -> list[str]:
    """Return the engines whose needs the data hold, the default first."""
    return list(dict.fromkeys(row["engine"] for row in facts.rows("engine_memory")))


def engine_needs(name: str) -> Engine:
    """Return what an engine takes for itself.

    Parameters
    ----------
    name : str
        One of `engines`.

    Returns
    -------
    Engine

    Raises
    ------
    ParameterError
        If the data hold none of that name.

    Examples
    --------
    >>> engine_needs("vllm").page
    16
    """
    one_of("engine", name, engines())
    return _engine(name, facts.modified("engine_memory"))


@lru_cache(maxsize=16)
def _engine(name: str, modified: int) -> Engine:
    rows = {row["quantity"]: row for row in facts.rows("engine_memory") if row["engine"] == name}

    def three(quantity: str, unit: float = 1.0) -> tuple[float, float, float]:
        low, value, high = (float(rows[quantity][bound]) * unit for bound in _BOUNDS)
        return low, value, high

    return Engine(
        name=name,
        share=float(rows["share"]["value"]),
        page=int(rows["page"]["value"]),
        ahead=int(rows["ahead"]["value"]) if "ahead" in rows else None,
        batched_tokens=(int(rows["batched_tokens"]["low"]), int(rows["batched_tokens"]["high"])),
        sequences=(int(rows["sequences"]["low"]), int(rows["sequences"]["high"])),
        padded=int(rows["padded"]["value"]) if "padded" in rows else 1,
        encodes="encoder" in rows,
        base=three("base", MIB),
        joined=three("joined", MIB),
        activations=three("activations"),
        logits=three("logits"),
    )


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
    computed = max(computed, _encoded(spec, layout, stage, runs))
    others = min(layout.devices - 1, NEIGHBOURS)
    low, usual, high = (
        round(base + others * more + max(times * computed, wide * scores))
        for base, more, times, wide in zip(
            needs.base, needs.joined, needs.activations, needs.logits, strict=True
        )
    )
    return low, usual, high


def encoder(spec: ModelSpec, stage: range, runs: Running) -> Encoder | None:
    """Return the encoder of images that an engine holds on the devices of a stage, if it holds one.

    Parameters
    ----------
    spec : ModelSpec
        The model.
    stage : range
        Layers of the stage; the first stage holds the encoder.
    runs : Running
        The engine.

    Returns
    -------
    Encoder or None
    """
    return spec.encoder if runs.images and runs.needs.encodes and stage.start == 0 else None


def _encoded(spec: ModelSpec, layout: Layout, stage: range, runs: Running) -> float:
    """Return the bytes that the encoder computes of the images that are tried at once, on one device.

    An engine tries as many of the largest images as it reads tokens at once, and one at the least.
    """
    found = encoder(spec, stage, runs)
    if found is None:
        return 0.0
    images = max(runs.batched_tokens // found.tokens, 1)
    inner = (3 if found.gated else 2) * found.width / layout.tensor
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
