"""What a model takes of the memory of its devices on one screen, when it serves and when it is trained."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from textwrap import wrap
from typing import Any

import click

from cohort.architecture.decoder import ModelSpec
from cohort.architecture.formats import format_in_name, is_gguf, weight_format
from cohort.architecture.registered import model, title
from cohort.display.words import binary
from cohort.errors import one_of
from cohort.errors.arguments import explain
from cohort.registry.devices import accelerator as find_accelerator
from cohort.serving.caches import cache_format
from cohort.serving.engine_runtime import engine_needs
from cohort.serving.memory import Budget, largest_batch, longest_context, memory_budget
from cohort.serving.training_peak import TrainingMemory, training_memory
from cohort.units import GIB

# What --train takes, and what each means for `training_memory`.
METHODS: dict[str, dict[str, Any]] = {
    "full": {"recipe": "bf16"},
    "autocast": {"recipe": "autocast"},
    "mixed": {"recipe": "mixed"},
    "lora": {"adapter_rank": 16},
    "qlora": {"adapter_rank": 16, "base_format": "nf4"},
}
BAR, WIDTH = 30, 80  # characters: of the longest bar, and of a line
FEWER_BITS = ("fp8", "awq")  # types that are tried where a model does not fit
LESS = 0.9  # of the bits that most weights have, which another type has to be below
LARGEST_SHARE = 95  # hundredths of the memory: engines that are given more run out of it as they start
SIXTEEN = 16  # bits
_FIXED = "\u00a0"  # a space at which no line ends
ENOUGH, GROUP = 4096, 64  # tokens that make a type worth trying, and the most devices that are


def show_memory(
    source: str,
    device: str,
    devices: int,
    context: int | None,
    batch: int,
    weight_dtype: str,
    kv_dtype: str,
    train: str | None,
    as_json: bool,
    engine: str | None = None,
    engine_version: str | None = None,
    share: float | None = None,
) -> None:
    """Print what a model takes of the memory of its devices.

    Parameters
    ----------
    source : str
        A name or a path, as `cohort.model` takes them.
    device : str
        Name of the accelerator.
    devices : int
        Devices that share each layer; in training, that divide all states among them, as FSDP does.
    context : int or None
        Tokens of each sequence; by default what the model is offered for, in training 2,048.
    batch : int
        Sequences.
    weight_dtype, kv_dtype : str
        As in `cohort.serving.memory_budget`.
    train : str or None
        One of `METHODS` for a step of training, None for serving.
    as_json : bool
        Print JSON instead of text.
    engine, engine_version, share
        As in `serving_sheet`.

    Raises
    ------
    CohortError
        If a name is not known or an argument is out of its range.
    """
    if train is None:
        sheet = serving_sheet(
            source, device, devices, context, batch, weight_dtype, kv_dtype, engine, engine_version, share
        )
    else:
        sheet = training_sheet(source, device, devices, context, batch, train)
    click.echo(json.dumps(sheet, indent=2) if as_json else "\n".join(memory_lines(sheet)))


def serving_sheet(
    source: str,
    device: str,
    devices: int = 1,
    context: int | None = None,
    batch: int = 1,
    weight_dtype: str = "released",
    kv_dtype: str = "bf16",
    engine: str | None = None,
    engine_version: str | None = None,
    share: float | None = None,
) -> dict[str, Any]:
    """Return what a model that serves takes of each device, as plain values.

    Parameters
    ----------
    source, device, devices, context, batch, weight_dtype, kv_dtype
        As in `show_memory`; ``released`` is the type that the name says, as ``-AWQ`` does, else the config's.
    engine, engine_version : str or None
        As in `cohort.serving.memory_budget`; by default llama.cpp for the types of its files, else vLLM.
    share : float or None
        Share of the memory that the engine may use; by default the engine's own.

    Returns
    -------
    dict
        Bytes by what they are for, the verdict, and what else would fit: the longest context (None where the
        cache stops growing), the largest batch, and where nothing fits what to try.

    Raises
    ------
    CohortError
        If a name is not known or an argument is out of its range.

    Examples
    --------
    >>> sheet = serving_sheet("llama-3-8b", "H100 SXM 80GB", context=8192)
    >>> sheet["verdict"], sheet["parts"]["cache"]
    ('fits', 1073741824)
    """
    spec = model(source)
    if weight_dtype == "released":
        weight_dtype = (format_in_name(source) if not _is_file(source) else None) or weight_dtype
    stored = spec.released_format if weight_dtype == "released" else weight_format(weight_dtype)
    asked: dict[str, Any] = {
        "weight_dtype": stored,
        "kv_dtype": kv_dtype,
        "engine": engine or ("llama.cpp" if is_gguf(stored) else "vllm"),
        "version": engine_version,
        "share": share,
    }
    found = memory_budget(spec, device, devices, context=context, batch=batch, **asked)
    longest = longest_context(spec, device, devices, batch=batch, **asked)
    return {
        "model": spec.name,
        "title": title(spec),
        "what": f"{batch:,} x {found.context:,} tokens, weights {found.weight_format}, cache {kv_dtype}, "
        f"{found.engine}",
        "accelerator": found.accelerator,
        "engine": found.engine,
        "devices": found.layout.devices,
        "memory": found.memory,
        "usable": found.usable,
        "parts": _parts(found),
        "runtime_range": [found.runtime[0], found.runtime[2]],
        "free": found.free,
        "verdict": found.verdict,
        "reason": found.reason,
        "offered_context": found.offered,
        "beyond_offer": found.beyond_offer,
        "cache_tokens": found.cache_tokens,
        "longest_context": None if longest == float("inf") else int(longest),
        "largest_batch": largest_batch(spec, device, devices, context=found.context, **asked),
        "try": [] if found.fits else _ways_to_fit(spec, device, devices, found, longest, asked),
    }


def _is_file(source: str) -> bool:
    return source.endswith(".json") or Path(source).exists()


def _ways_to_fit(
    spec: ModelSpec, device: str, devices: int, found: Budget, longest: float, asked: dict[str, Any]
) -> list[str]:
    """Return what would make a model fit, each as an option of the command, what costs least first."""

    def fits(count: int = devices, **changed: Any) -> bool:
        further = {**asked, **changed}
        return memory_budget(spec, device, count, context=found.context, batch=found.batch, **further).fits

    share = asked["share"] or engine_needs(asked["engine"], asked["version"]).share
    larger = (hundredths / 100 for hundredths in range(int(100 * share) + 1, LARGEST_SHARE + 1))
    ways = [f"--share {each:.2f}" for each in larger if fits(share=each)][:1]
    if longest:
        ways.append(f"--context {int(longest)}")
    for option, types in (
        ("kv_dtype", _narrower_cache(device, asked)),
        ("weight_dtype", _fewer_bits(spec, device, asked)),
    ):
        for each in types:
            most = longest_context(spec, device, devices, batch=found.batch, **{**asked, option: each})
            if most >= min(found.context, ENOUGH):
                within = "" if most >= found.context else f" --context {int(most)}"
                ways.append(f"--{option.replace('_', '-')} {each}{within}")
                break
    counts = (2**power for power in range(1, GROUP.bit_length()))
    return ways + [f"--devices {each}" for each in counts if each > devices and fits(each)][:1]


def _narrower_cache(device: str, asked: dict[str, Any]) -> list[str]:
    """Return the type of eight bits that an engine has for a cache which is held in sixteen."""
    if cache_format(asked["kv_dtype"]).keys.bits < SIXTEEN:
        return []
    if asked["engine"] == "llama.cpp":
        return ["int8"]
    return ["fp8"] if any(dtype == "fp8" for dtype, _ in find_accelerator(device).peaks) else []


def _fewer_bits(spec: ModelSpec, device: str, asked: dict[str, Any]) -> list[str]:
    """Return the types of weights that store most of a model in fewer bits than it is stored in."""
    peaks = dict(find_accelerator(device).peaks)
    most = "up" if spec.experts is None else "expert_up"
    now = weight_format(asked["weight_dtype"]).bits(most)
    types = ("Q4_K_M",) if is_gguf(asked["weight_dtype"]) else FEWER_BITS
    # Engines widen fp8 to bf16 where a card multiplies no fp8; one that has neither is given none.
    return [
        each
        for each in types
        if weight_format(each).bits(most) < LESS * now and (each != "fp8" or peaks.keys() & {"fp8", "bf16"})
    ]


def _parts(found: Budget) -> dict[str, int]:
    return {**dict(found.weights), "engine": found.runtime[1], "cache": found.cache}


def training_sheet(
    source: str,
    device: str,
    devices: int = 1,
    context: int | None = None,
    batch: int = 1,
    train: str = "full",
) -> dict[str, Any]:
    """Return what a step of training takes of each device, as plain values.

    Parameters
    ----------
    source, device, devices, context, batch, train
        As in `show_memory`.

    Returns
    -------
    dict
        Bytes by what they are for, at the peak, with and without recomputation, and the verdict.

    Raises
    ------
    CohortError
        If a name is not known or an argument is out of its range.

    Examples
    --------
    >>> training_sheet("llama-3-8b", "H100 SXM 80GB", train="lora")["verdict"]
    'fits'
    """
    spec, card = model(source), find_accelerator(device)
    method = METHODS[one_of("train", train, list(METHODS))]
    length = 2048 if context is None else context
    shared: dict[str, Any] = {"data_parallel": devices, "zero": 3 if devices > 1 else 0}
    plain = training_memory(spec, batch, length, **method, **shared)
    again = training_memory(spec, batch, length, recompute="full", **method, **shared)
    usable = card.allocatable_bytes
    fits = plain.peak <= usable
    ways = []
    if min(plain.peak, again.peak) > usable:
        ways = list(_ways_to_train(spec, devices, batch, length, train, usable))
    return {
        "model": spec.name,
        "title": title(spec),
        "what": f"training ({train}), {batch:,} x {length:,} tokens a device",
        "accelerator": card.name,
        "devices": devices,
        "memory": card.driver_bytes,
        "usable": usable,
        "parts": _training_parts(plain),
        "peak": plain.peak,
        "peak_with_recomputation": again.peak,
        "free": usable - plain.peak,
        "verdict": "fits" if fits else "fits with recomputation" if again.peak <= usable else "does not fit",
        "reason": "" if fits else f"the peak of {binary(plain.peak)} is more than {binary(usable)}",
        "try": ways,
    }


def _ways_to_train(
    spec: ModelSpec, devices: int, batch: int, length: int, train: str, usable: int
) -> Iterator[str]:
    """Yield what would let a step fit with recomputation: another method, or more devices."""

    def fits(method: str, count: int) -> bool:
        shared: dict[str, Any] = {"data_parallel": count, "zero": 3 if count > 1 else 0}
        found = training_memory(spec, batch, length, recompute="full", **METHODS[method], **shared)
        return found.peak <= usable

    other = next((each for each in ("lora", "qlora") if each != train and fits(each, devices)), None)
    if other:
        yield f"--train {other}"
    counts = (2**power for power in range(1, GROUP.bit_length()))
    many = next((count for count in counts if count > devices and fits(train, count)), None)
    if many:
        yield f"--devices {many}"


def _training_parts(found: TrainingMemory) -> dict[str, int]:
    parts = {
        "weights": found.weights,
        "optimiser": found.optimiser,
        "copies in 16 bits": found.casts,
        "gradients": found.gradients,
        "activations": found.activations,
        "scores of the vocabulary": found.logits,
        "workspace": found.workspace,
    }
    return {name: size for name, size in parts.items() if size}


def memory_lines(sheet: dict[str, Any]) -> list[str]:
    """Return a sheet as lines of text.

    Parameters
    ----------
    sheet : dict
        As `serving_sheet` or `training_sheet` returns it.

    Returns
    -------
    list of str
        At most 24, of at most 80 characters each.
    """
    count = f"{sheet['devices']} x " if sheet["devices"] > 1 else ""
    lines = [f"{sheet['title']} on {count}{sheet['accelerator']}", f"  {sheet['what']}", ""]
    for name, size in sheet["parts"].items():
        filled = round(BAR * min(size / sheet["usable"], 1))
        lines.append(f"  {name:<25}{size / GIB:>9,.2f} GiB  {'#' * filled}".rstrip())
    lines += ["", *(f"  {label:<25}{text}" for label, text in _verdict(sheet))]
    lines += [f"  {line}" for line in wrap(sheet["reason"], WIDTH - 2)]
    if sheet["try"]:
        ways = " | ".join(each.replace(" ", _FIXED) for each in sheet["try"])
        lines += [f"  {line.replace(_FIXED, ' ')}" for line in wrap(f"would fit: {ways}", WIDTH - 2)]
    return [line if len(line) <= WIDTH else f"{line[: WIDTH - 1]}…" for line in lines]


def _verdict(sheet: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the labelled lines at the end of a sheet."""
    yield "usable on each device", f"{sheet['usable'] / GIB:>9,.2f} GiB of {sheet['memory'] / GIB:,.2f}"
    if "peak" in sheet:
        yield "peak", f"{sheet['peak'] / GIB:>9,.2f} GiB"
        again = sheet["peak_with_recomputation"]
        saves = "" if again < sheet["peak"] else "; gradients take the most"
        yield "with recomputation", f"{again / GIB:>9,.2f} GiB{saves}"
    else:
        low, high = (size / GIB for size in sheet["runtime_range"])
        yield (
            "left beside them",
            f"{sheet['free'] / GIB:>9,.2f} GiB; the engine may take {low:,.1f} to {high:,.1f}",
        )
        longest = sheet["longest_context"]
        yield "longest context", "no bound" if longest is None else f"{longest:>9,} tokens"
        yield "largest batch", f"{sheet['largest_batch']:>9,} sequences"
        if sheet["offered_context"]:
            beyond = ": this context is beyond it" if sheet["beyond_offer"] else ""
            yield "offered context", f"{sheet['offered_context']:>9,} tokens{beyond}"
    yield "verdict", sheet["verdict"]


explain(__name__)
