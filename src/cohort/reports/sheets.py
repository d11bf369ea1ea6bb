"""One model on one screen: its size, its parts, its cache, its weights by type, and what holds them."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Sequence
from typing import Any

import click

from cohort.architecture.decoder import ModelSpec
from cohort.architecture.formats import WeightFormat, weight_format
from cohort.architecture.quantization import released_format
from cohort.architecture.registered import known, model, title
from cohort.architecture.variants import main_attention
from cohort.display.patterns import attention_pattern, experts_pattern
from cohort.display.words import binary, scaled, significant
from cohort.errors import ParameterError
from cohort.errors.arguments import explain
from cohort.registry.devices import Accelerator, accelerator, accelerators
from cohort.serving import most_devices
from cohort.serving.memory import memory_budget
from cohort.units import GB

TYPES = ("bf16", "fp8", "int4")  # of weights, beside the released one; the cache is kept in the first
FACTS = {"released": "release_date", "licence": "licence", "offered context": "inference_context"}
WIDEST = 16  # devices that are tried
WIDTH = 80  # characters of a line
HEIGHT = 24  # lines of a screen


def show_model(source: str, context: int, as_json: bool) -> None:
    """Print what a model is and takes.

    Parameters
    ----------
    source : str
        A name or a path, as `cohort.model` takes them.
    context : int
        Tokens of one sequence.
    as_json : bool
        Print JSON instead of text.

    Raises
    ------
    CohortError
        If there is no such model, or the context is out of its range.
    """
    sheet = model_sheet(source, context)
    click.echo(json.dumps(sheet, indent=2, ensure_ascii=False) if as_json else "\n".join(sheet_lines(sheet)))


def model_sheet(source: str, context: int = 8192) -> dict[str, Any]:
    """Return what a model is and takes, as plain values.

    Parameters
    ----------
    source : str
        A name or a path, as `cohort.model` takes them.
    context : int
        Tokens of one sequence.

    Returns
    -------
    dict
        Counts of weights; layers and widths; attention and experts in words; bytes of the cache of one
        sequence in bf16, also over the context, and whether each token adds the same; for each of `TYPES`,
        and for that of the release where the config says another, the bytes of all weights, and by
        accelerator the least number of devices that hold them with that cache and an engine, where a power
        of two up to `WIDEST` does; the facts of a registered model.

    Raises
    ------
    CohortError
        If there is no such model, or the context is out of its range.

    Examples
    --------
    >>> sheet = model_sheet("meta-llama/Meta-Llama-3-8B-Instruct", context=8192)
    >>> sheet["model"], sheet["notice"], sheet["cache_bytes"], sheet["weights"]["bf16"]["bytes"]
    ('llama-3-8b', 'left out of the name: Instruct', 1073741824, 16062619648)
    """
    spec = model(source)
    cache = spec.kv_cache_bytes(context)
    released = released_format(spec.quantization, spec.dtype) if spec.quantization or spec.dtype else None
    formats = list(map(weight_format, TYPES))
    if released and released.name not in TYPES:
        formats.append(released)
    return {
        "model": spec.name,
        "title": title(spec),
        "notice": spec.notice,
        "registered": spec.registered,
        "parameters": spec.parameters,
        "active_parameters": spec.active_parameters,
        "layers": len(spec.layers),
        "hidden": spec.hidden,
        "vocabulary": spec.vocabulary,
        "attention": attention_pattern(spec),
        "heads": main_attention(spec).heads,
        "kv_heads": getattr(main_attention(spec), "kv_heads", None),
        "experts": experts_pattern(spec) if spec.experts else None,
        "context": context,
        "cache_bytes": cache,
        "cache_bytes_per_token": cache / context,
        "cache_is_linear": cache == context * spec.kv_cache_bytes(1),
        "released_in": released.name if released else None,
        "weights": {each.name: _weights(spec, each, context) for each in formats},
        "facts": {
            label: dataclasses.asdict(known(spec)[field])
            for label, field in FACTS.items()
            if field in known(spec)
        },
    }


def _weights(spec: ModelSpec, stored: WeightFormat, context: int) -> dict[str, Any]:
    devices = sorted(map(accelerator, accelerators()), key=lambda device: device.memory_bytes)
    size = memory_budget(spec, devices[-1], context=context, weight_dtype=stored).weight_bytes
    least = {device.name: _least_devices(spec, device, stored, size, context) for device in devices}
    return {"bytes": size, "devices": {name: count for name, count in least.items() if count is not None}}


def _least_devices(
    spec: ModelSpec, device: Accelerator, stored: WeightFormat, size: int, context: int
) -> int | None:
    """Return the least power of two of devices that hold weights, cache and engine, None if none does."""
    count = 1
    while count <= min(most_devices(device), WIDEST):
        try:
            if (
                count * device.driver_bytes > size  # else the weights alone are too many
                and memory_budget(spec, device, count, context=context, weight_dtype=stored).fits
            ):
                return count
        except ParameterError:  # so many devices cannot share the heads
            return None
        count *= 2
    return None


def sheet_lines(sheet: dict[str, Any]) -> list[str]:
    """Return a sheet as lines of text.

    Parameters
    ----------
    sheet : dict
        As `model_sheet` returns it.

    Returns
    -------
    list of str
        At most `HEIGHT`, of at most `WIDTH` characters each.
    """
    lines = [f"{sheet['title']} ({sheet['model']})" if sheet["registered"] else sheet["model"]]
    lines += [f"  {sheet['notice']}"] if sheet["notice"] else []
    lines += ["", *(f"  {label:<16}{text}" for label, text in _entries(sheet))]
    lines += ["", f"  {'weights':<19}devices that hold them, that cache and an engine"]
    room = (HEIGHT - len(lines)) // len(sheet["weights"])
    for dtype, found in sheet["weights"].items():
        lines += _weight_lines(dtype, found, room)
    return [line if len(line) <= WIDTH else f"{line[: WIDTH - 1]}…" for line in lines]


def _entries(sheet: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the labelled lines of a sheet."""
    total, active = sheet["parameters"], sheet["active_parameters"]
    share = "all active" if active == total else f"{scaled(active)} active"
    yield "parameters", f"{total:,} ({scaled(total)}), {share}"
    yield "layers", f"{sheet['layers']:,} of width {sheet['hidden']:,}; vocabulary {sheet['vocabulary']:,}"
    yield "attention", sheet["attention"]
    kv = f", {sheet['kv_heads']:,} of keys and values" if sheet["kv_heads"] else ""
    yield "heads", f"{sheet['heads']:,}{kv}"
    yield "experts", sheet["experts"] or "none"
    per_token = f"{significant(sheet['cache_bytes_per_token'], 6)} bytes a token"
    whole = f"{binary(sheet['cache_bytes'])} at {sheet['context']:,} tokens"
    yield "cache in bf16", f"{per_token}{'' if sheet['cache_is_linear'] else ' on average'}, {whole}"
    for label, fact in sheet["facts"].items():
        value = fact["value"]
        tokens = f"{int(value):,} tokens" if value and fact["unit"] == "tokens" else value
        doubt = "" if fact["status"] in ("stated", "undisclosed") else f" ({fact['status']})"
        yield label, f"{tokens or fact['status']}{doubt}"
    if sheet["released_in"]:
        yield "stored in", f"{sheet['released_in']}, as released"


def _weight_lines(dtype: str, found: dict[str, Any], room: int) -> Iterator[str]:
    """Yield a line for each number of devices, the least first, with the smallest accelerators of them."""
    head = f"  {dtype:<6.6}{found['bytes'] / GB:>8,.1f} GB"
    counts = sorted(set(found["devices"].values()))
    if not counts:
        yield f"{head}  none of up to {WIDEST}"
    for count in counts[:room]:
        names = [name for name, least in found["devices"].items() if least == count]
        yield _naming(f"{head}  {count:>2} x ", names)
        head = " " * len(head)


def _naming(start: str, names: Sequence[str]) -> str:
    """Return a line that names as many as fit into it, and counts the others."""
    shown = len(names)
    while True:
        rest = len(names) - shown
        line = start + ", ".join(names[:shown]) + (f" and {rest} more" if rest else "")
        if len(line) <= WIDTH or shown == 1:
            return line
        shown -= 1


explain(__name__)
