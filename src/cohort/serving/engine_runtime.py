"""What engines take for themselves, as logs tell: defaults, and memory beside weights and cache."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache

from cohort.architecture.decoder import ModelSpec
from cohort.architecture.encoder import Encoder
from cohort.architecture.formats import EXPERTS, WeightFormat
from cohort.errors import ParameterError, one_of
from cohort.errors.arguments import explain
from cohort.registry import facts
from cohort.registry.devices import Accelerator
from cohort.serving.caches import CacheFormat
from cohort.serving.layouts import Layout
from cohort.units import GIB, MIB

ACTIVATION_BYTES = 2


@dataclass(frozen=True, slots=True)
class SecondRunner:
    """What the second model runner of vLLM tries and keeps, where it differs from the first.

    Attributes
    ----------
    models : int
        Which models it runs by default: 0 for none, 1 to 3 for those of more and more families, 4 for these
        and all dense ones without recurrent layers, 5 for all.
    logits : tuple of three floats
        Bytes of each score of the vocabulary while tokens are sampled.
    graphs : bool
        Whether CUDA graphs are set aside before the cache is sized.
    encodes : bool
        Whether the encoder of images is tried.
    kept : float
        Bytes of each score that are kept for penalties, where they are counted before the cache is sized.
    """

    models: int
    logits: tuple[float, float, float]
    graphs: bool
    encodes: bool
    kept: float


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
    batched_tokens, sequences : tuple of three ints
        Tokens that it reads at once by default, and sequences that it samples for, by `size_class`.
    unified : bool
        Whether a card that shares the memory of its host counts by that memory.
    ahead : int, optional
        Tokens that a windowed layer holds beyond its window; None for as many as are read at once.
    padded : int
        Columns to which it pads the inner layer of experts in MXFP4.
    encodes : bool
        Whether it loads a model's encoder of images with it, and tries it on as many as it reads at once.
    whole_towers : bool
        Whether some families' encoders of images are held whole on every device.
    base, host : tuple of three floats
        Bytes on each device, whatever the model, and those that the host takes where both share one memory.
    unseen : float
        Most of the memory, as a share, that logs show in use beyond all else.
    joined : tuple of three floats
        Bytes on each device that come on top for each device that it is linked with: channels and buffers
        are kept for every one.
    activations : tuple of three floats
        Copies of what the widest layer computes that are held at once.
    logits : tuple of three floats
        Bytes of each score of the vocabulary while tokens are sampled.
    graphs : tuple of three floats
        Bytes of each layer in each CUDA graph that is cut at attention, where they are set aside before the
        cache is sized; zeros where they come on top of the share.
    whole_graphs : float
        Bytes of each CUDA graph that is whole, likewise.
    workspace : float
        Bytes that FlashInfer's kernels of attention work in, where they are counted with the graphs.
    second : SecondRunner
        What its second model runner does otherwise.
    joined_bus : tuple of three floats
        What takes the place of `joined` where cards meet on the bus of their host.
    sampler : float
        Bytes of each score where FlashInfer samples, if it is installed; 0 where it is not taken by itself.
    evened : float, optional
        How layers that are cached in different ways share blocks, as `cohort.serving.pages.Sharing` has it;
        None for an engine that keeps a cache for each kind.
    states : int
        Blocks of a sequence in each group of recurrent layers.
    kept : frozenset of str
        How experts are stored that are computed in buffers that stay, and so stand beside whatever else is
        tried.
    flashinfer_experts : bool
        Whether experts in 16 bits take FlashInfer's kernels where these run, which keep no such buffers.
    indexed : float
        Bytes set aside for the scores of an indexer, where attention has one.
    in_flight : int
        Batches that are under way at once, where one stage works on them.
    of_free : bool
        Whether the share is of what is free once the devices are joined, before weights are loaded.
    rotary, sections : float
        Bytes of a number of a rotary table; how much longer it is where a position has several parts.
    gathered : float
        Contexts whose keys an indexer gathers.
    benchmarked : bool
        Whether the compiler times kernels on made-up inputs, the embedding among them, as memory is tried.
    """

    name: str
    share: float
    page: int
    batched_tokens: tuple[int, int, int]
    sequences: tuple[int, int, int]
    unified: bool
    ahead: int | None
    padded: int
    encodes: bool
    whole_towers: bool
    base: tuple[float, float, float]
    joined: tuple[float, float, float]
    activations: tuple[float, float, float]
    logits: tuple[float, float, float]
    graphs: tuple[float, float, float]
    whole_graphs: float
    workspace: float
    second: SecondRunner
    joined_bus: tuple[float, float, float]
    sampler: float
    evened: float | None
    states: int
    kept: frozenset[str] = frozenset()
    flashinfer_experts: bool = False
    indexed: float = 0.0
    in_flight: int = 1
    of_free: bool = False
    rotary: float = 0.0
    sections: float = 1.0
    gathered: float = 0.0
    benchmarked: bool = False
    host: tuple[float, float, float] = (0.0, 0.0, 0.0)
    unseen: float = 0.0


_BOUNDS = ("low", "value", "high")
SERVER_BANDWIDTH = 1.9e12  # bytes a second that tell cards for servers from others
_FLASHINFER = ("fp8", "nvfp4")  # caches that the usual kernels read on Hopper alone
# Families that vLLM came to run by its second runner, in steps: config/vllm.py of 0.22, 0.23 and 0.24.
_STEPS = ({"qwen3"}, {"llama", "mistral"}, {"deepseek_v2", "qwen2_moe", "granitemoe"})
# Families whose towers vLLM takes as transformers has them, which nothing divides: its gemma4_mm.py.
_WHOLE_TOWERS = {"gemma4_text"}
_MARLIN_ON_HOPPER = {"deepseek_v4"}  # families whose experts in MXFP4 never take Triton's kernels
_GROUPED = "int4_group"  # experts in groups of 4 bits, of which vLLM tells by name who packed them
_PACKED = ("gptq", "awq")
LARGE, LARGEST = 70 * GIB, 160 * GIB  # from here on engines read and sample more at once
_SERVERS = 2022  # an A100 of 80 GB keeps the smaller defaults: vLLM names it, the data go by the year
KERNELS = ("marlin", "flashinfer_sampler", "eager", "compiled")  # what an installation or a start decides
_KEPT = "kept_"  # begins the rows that say which experts' buffers stay
_FIRST = "0"  # a row that holds for every version


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
    flashinfer : bool
        Whether attention takes the kernels of FlashInfer.
    linked : bool
        Whether links join the devices, and not the bus of their host alone.
    drafted : int
        Tokens that a drafter proposes at once; 0 where there is none.
    states : int
        Blocks of a sequence in each group of recurrent layers.
    marlin, flashinfer_sampler, eager, compiled : bool
        Whether experts in MXFP4 take the Marlin kernels on any card, whether FlashInfer samples, whether
        nothing is compiled and there are no CUDA graphs, and whether an earlier start has compiled it all.
    buffered : bool
        Whether the buffers in which experts are computed stay: see `keeps_buffers`.
    context : int
        Tokens of the longest sequence.
    """

    needs: Engine
    share: float
    page: int
    ahead: int
    batched_tokens: int
    sequences: int
    images: bool = True
    flashinfer: bool = False
    linked: bool = True
    drafted: int = 0
    states: int = 1
    marlin: bool = False
    flashinfer_sampler: bool = False
    eager: bool = False
    compiled: bool = False
    buffered: bool = False
    context: int = 0


def engines() -> list[str]:
    """Return the engines whose needs the data hold, the default first."""
    return list(_engines(facts.modified("engine_memory")))


@lru_cache(maxsize=1)
def _engines(stamp: int) -> tuple[str, ...]:
    return tuple(dict.fromkeys(row["engine"] for row in facts.rows("engine_memory")))


def engine_needs(name: str, version: str | None = None) -> Engine:
    """Return what an engine takes for itself.

    Parameters
    ----------
    name : str
        One of `engines`.
    version : str, optional
        Such as ``0.19.1``; by default the newest that the data know.

    Returns
    -------
    Engine

    Raises
    ------
    ParameterError
        If the data hold no engine of that name, or no versions of it.

    Examples
    --------
    >>> engine_needs("vllm").share, engine_needs("vllm", "0.19.1").share
    (0.92, 0.9)
    """
    one_of("engine", name, engines())
    return _engine(name, version, facts.modified("engine_memory"))


def version_changes(name: str) -> list[str]:
    """Return the versions of an engine from which on the data hold other values, the oldest first.

    Parameters
    ----------
    name : str
        One of `engines`.

    Returns
    -------
    list of str
        Empty where all versions are taken alike.
    """
    found = {row["since"] for row in facts.rows("engine_memory") if row["engine"] == name}
    return sorted(found - {_FIRST}, key=_numbers)


def _numbers(version: str) -> tuple[int, ...]:
    """Return the numbers of a version, by which versions are put in order."""
    found = re.match(r"v?(\d+(?:\.\d+)*)", version) if isinstance(version, str) else None
    if not found:
        raise ParameterError(f"version is in numbers such as 0.19.1, not {version!r}")
    return tuple(map(int, found[1].split(".")))


@lru_cache(maxsize=32)
def _engine(name: str, version: str | None, modified: int) -> Engine:
    if version is not None and not version_changes(name):
        raise ParameterError(f"no version of {name} is told from another: leave version out")
    asked = None if version is None else _numbers(version)
    held = [row for row in facts.rows("engine_memory") if row["engine"] == name]
    held.sort(key=lambda row: _numbers(row["since"]))
    rows = {row["quantity"]: row for row in held if asked is None or _numbers(row["since"]) <= asked}

    def three(quantity: str, unit: float = 1.0) -> tuple[float, float, float]:
        if quantity not in rows:
            return 0.0, 0.0, 0.0
        low, value, high = (float(rows[quantity][bound]) * unit for bound in _BOUNDS)
        return low, value, high

    def number(quantity: str, unit: float = 1.0) -> float:
        return float(rows[quantity]["value"]) * unit if quantity in rows else 0.0

    def counts(quantity: str) -> tuple[int, int, int]:
        low, value, high = map(int, three(quantity))
        return low, value, high

    return Engine(
        name=f"{name} {version}" if version else name,
        share=float(rows["share"]["value"]),
        page=int(rows["page"]["value"]),
        ahead=int(rows["ahead"]["value"]) if "ahead" in rows else None,
        batched_tokens=counts("batched_tokens"),
        sequences=counts("sequences"),
        unified=float(rows["unified"]["value"]) > 0 if "unified" in rows else True,
        padded=int(rows["padded"]["value"]) if "padded" in rows else 1,
        encodes="encoder" in rows,
        whole_towers="whole_towers" in rows,
        base=three("base", MIB),
        host=three("host", MIB),
        unseen=three("unseen")[2],
        joined=three("joined", MIB),
        activations=three("activations"),
        logits=three("logits"),
        graphs=three("graphs", MIB),
        whole_graphs=number("whole_graphs", MIB),
        workspace=number("workspace", MIB),
        second=SecondRunner(
            models=int(number("second_runner")),
            logits=three("second_logits"),
            graphs=number("second_graphs") > 0,
            encodes=number("second_encoder") > 0,
            kept=number("second_kept"),
        ),
        joined_bus=three("joined_bus" if "joined_bus" in rows else "joined", MIB),
        sampler=number("sampler"),
        evened=number("evened") if "evened" in rows else None,
        states=int(number("states")) or 1,
        kept=frozenset(name.removeprefix(_KEPT) for name in rows if name.startswith(_KEPT) and number(name)),
        flashinfer_experts=number("flashinfer_experts") > 0,
        indexed=number("indexed", MIB),
        in_flight=int(number("in_flight")) or 1,
        of_free=number("of_free") > 0,
        rotary=number("rotary"),
        sections=number("sections") or 1.0,
        gathered=number("gathered"),
        benchmarked=number("benchmarked") > 0,
    )


def kernels_of(names: str | Collection[str]) -> dict[str, bool]:
    """Return which kernels an engine takes in place of its usual ones, as `Running` has them.

    Parameters
    ----------
    names : str or collection of str
        Of `KERNELS`.

    Returns
    -------
    dict
        A truth value by name.

    Raises
    ------
    ParameterError
        If a name is not known.

    Examples
    --------
    >>> kernels_of("marlin")
    {'marlin': True, 'flashinfer_sampler': False, 'eager': False, 'compiled': False}
    """
    given = (names,) if isinstance(names, str) else tuple(names)
    for name in given:
        one_of("kernels", name, KERNELS)
    return {name: name in given for name in KERNELS}


def size_class(device: Accelerator, needs: Engine) -> int:
    """Return which of an engine's three defaults for batches holds on a device.

    Parameters
    ----------
    device : Accelerator
        The device.
    needs : Engine
        The engine.

    Returns
    -------
    int
        0 on most cards, 1 on those of 70 GiB or more introduced since 2022, 2 from 160 GiB on.
    """
    silent = device.unified and device.vendor == "NVIDIA" and not needs.unified
    if device.year < _SERVERS or silent:
        return 0
    return sum(device.allocatable_bytes >= least for least in (LARGE, LARGEST))


def _server(device: Accelerator) -> bool:
    """Whether a card is of Hopper, or of Blackwell in servers."""
    return device.bandwidth >= SERVER_BANDWIDTH and device.year >= _SERVERS


def _blackwell(device: Accelerator) -> bool:
    return "fp4" in dict(device.peaks)


def takes_marlin(spec: ModelSpec, device: Accelerator, asked: bool) -> bool:
    """Return whether vLLM computes experts in MXFP4 with its Marlin kernels.

    Parameters
    ----------
    spec : ModelSpec
        The model.
    device : Accelerator
        The device.
    asked : bool
        Whether the installation has them on any card.

    Returns
    -------
    bool
        So where the Triton kernels do not run, which need the warp-group products of Hopper and Blackwell in
        servers and a package of their own; for DeepSeek-V4 on Hopper too (``oracle/mxfp4.py``).
    """
    if device.vendor != "NVIDIA":
        return False
    hopper = spec.family in _MARLIN_ON_HOPPER and not _blackwell(device)
    return asked or hopper or not _server(device)


def keeps_buffers(
    spec: ModelSpec, stored: WeightFormat, device: Accelerator, needs: Engine, marlin: bool
) -> bool:
    """Return whether the buffers in which vLLM computes experts stay when the experts are done.

    Its modular kernel takes them from a workspace that only grows (``v1/worker/workspace.py``). Kernels of
    FlashInfer and of TensorRT-LLM take next to none of it. FP8 is taken to be scaled in blocks, for which
    Hopper has those of Triton.

    Parameters
    ----------
    spec : ModelSpec
        The model.
    stored : WeightFormat
        How its weights are stored.
    device : Accelerator
        The device.
    needs : Engine
        The engine.
    marlin : bool
        Whether experts in MXFP4 take the Marlin kernels on any card.

    Returns
    -------
    bool
    """
    width = stored.precision(EXPERTS[0]).name
    packed = stored.name if stored.name in _PACKED else "int4"
    if (packed if width == _GROUPED else width) not in needs.kept:
        return False
    if width == "bf16":
        recent = device.vendor == "NVIDIA" and (_server(device) or _blackwell(device))
        return not (needs.flashinfer_experts and recent)
    if width == "fp8":
        return not (_server(device) and _blackwell(device))
    if width == "nvfp4":
        return not _blackwell(device)
    return width != "fp4" or takes_marlin(spec, device, marlin)


def takes_flashinfer(device: Accelerator, cache: CacheFormat) -> bool:
    """Return whether vLLM takes FlashInfer's kernels of attention on a device, for heads that these know.

    Parameters
    ----------
    device : Accelerator
        The device.
    cache : CacheFormat
        How the cache is stored.

    Returns
    -------
    bool
        So on Blackwell in servers, and wherever else but on Hopper a cache is in fp8 or NVFP4.
    """
    if device.vendor != "NVIDIA":
        return False
    return _blackwell(device) if _server(device) else cache.keys.name in _FLASHINFER


def takes_second_runner(spec: ModelSpec, needs: Engine) -> bool:
    """Return whether an engine runs a model by its second model runner by default.

    Parameters
    ----------
    spec : ModelSpec
        The model.
    needs : Engine
        The engine.

    Returns
    -------
    bool
    """
    step = needs.second.models
    if step > len(_STEPS) + 1 or any(spec.family in families for families in _STEPS[:step]):
        return True
    mixers = (each for layer in spec.layers for each in layer.mixers)
    plain = not spec.experts and not any(each.state_elements() for each in mixers)
    return plain and step > len(_STEPS)


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


def encoder_devices(spec: ModelSpec, layout: Layout, runs: Running) -> int:
    """Return how many devices divide the encoder of images.

    Parameters
    ----------
    spec : ModelSpec
        The model.
    layout : Layout
        How devices share it.
    runs : Running
        The engine.

    Returns
    -------
    int
        1 where each of them holds it whole.
    """
    return 1 if runs.needs.whole_towers and spec.family in _WHOLE_TOWERS else layout.tensor


explain(__name__)
