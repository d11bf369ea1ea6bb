"""The panel *memory*: what weights, cache and engine take of the devices, and what other attention would."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from cohort.architecture.decoder import ModelSpec
from cohort.architecture.dtypes import precision
from cohort.architecture.formats import weight_formats
from cohort.architecture.registered import model as read_model
from cohort.architecture.registered import title
from cohort.architecture.variants import WINDOW, ways_to_cache, with_changed_attention
from cohort.display.words import binary, counted, plainly, significant
from cohort.errors import CohortError, ConfigError
from cohort.errors.arguments import explain
from cohort.panels.answers import Answer, Drawing, Number, Series
from cohort.panels.asking import Panel
from cohort.panels.charts import Dot, Line, lines, stacked_bars
from cohort.panels.inputs import Input, RefusedError
from cohort.panels.shared_inputs import ACCELERATOR, MODEL, OWN_CONFIG
from cohort.panels.states import CONFIG, literal
from cohort.serving import Budget, largest_batch, longest_context, memory_budget
from cohort.units import GIB

MOST_DEVICES = 64
LONGEST = 2**20  # tokens of the slider
PARTS = (("c0", "weights"), ("c6", "engine"), ("c7", "cache"), ("grid", "free"))
STORED = tuple(name for name in weight_formats() if not name.startswith(("fbgemm", "nvfp4_")))
CACHED = ("bf16", "fp8", "int8", "int4", "fp16", "fp32")

INPUTS = (
    replace(MODEL, default="llama-3.3-70b"),
    OWN_CONFIG,
    Input(
        name="context",
        kind="int",
        default=32768,
        label="Context",
        unit="tokens",
        low=1,
        high=10**8,
        step=2,
        slider=(256, 2**20),
        parameter="context",
        help="Tokens of each sequence, prompt and answer together.",
    ),
    Input(
        name="batch",
        kind="int",
        default=1,
        label="Batch",
        unit="sequences",
        low=1,
        high=10**6,
        step=2,
        slider=(1, 1024),
        parameter="batch",
        help="Sequences that are held at once.",
    ),
    Input(
        name="weight_dtype",
        kind="choice",
        default="bf16",
        label="Weights stored as",
        allowed=STORED,
        parameter="weight_dtype",
        help="Fewer bits hold the same weights in less memory.",
    ),
    Input(
        name="dtype",
        kind="choice",
        default="bf16",
        label="Cache stored as",
        allowed=CACHED,
        parameter="dtype",
        help="The type of the cached keys and values.",
    ),
    replace(ACCELERATOR, help="Whose memory is shared."),
    Input(
        name="devices",
        kind="choice",
        default="fewest",
        label="Devices",
        allowed=("fewest", "1", "2", "4", "8", "16", "32", "64"),
        help="How many share each layer; the fewest that hold it, if you like.",
    ),
)


def model_of(values: Mapping[str, Any]) -> ModelSpec:
    """Return the model that is asked about: the pasted config's, or the named one.

    Parameters
    ----------
    values : mapping
        With ``model`` and, where a panel has it, ``config``.

    Returns
    -------
    ModelSpec

    Raises
    ------
    RefusedError
        If the pasted text is no config of a supported family.
    """
    pasted = values.get("config", "")
    if not pasted:
        return read_model(values["model"])
    try:
        config = json.loads(pasted)
        if not isinstance(config, dict):
            raise ConfigError("config is no object of fields, as a config.json is")
        return read_model(config, "your model")
    except (ValueError, RecursionError) as error:
        said = str(error) if isinstance(error, CohortError) else f"config is not JSON: {error}"
        raise RefusedError({"config": said}) from None


def _budget(spec: ModelSpec, values: Mapping[str, Any]) -> Budget:
    """Return the budget on as many devices as asked, or on the fewest powers of two that hold it."""
    counts = (
        [2**power for power in range(MOST_DEVICES.bit_length())]
        if values["devices"] == "fewest"
        else [int(values["devices"])]
    )
    for count in counts:
        found = memory_budget(spec, values["accelerator"], count, **_asked(values), context=values["context"])
        if found.fits:
            break
    return found


def _asked(values: Mapping[str, Any]) -> dict[str, Any]:
    return {"batch": values["batch"], "weight_dtype": values["weight_dtype"], "kv_dtype": values["dtype"]}


def _answer(values: Mapping[str, Any]) -> Answer:
    """Return what the panel says.

    Parameters
    ----------
    values : mapping
        One for each of `INPUTS`.

    Returns
    -------
    Answer

    Raises
    ------
    CohortError
        As `cohort.serving.memory_budget`, and where a config describes no supported model.
    """
    spec = model_of(values)
    found = _budget(spec, values)
    devices = found.layout.devices
    width = precision(values["dtype"]).bytes_per_element
    cache = spec.kv_cache_bytes(values["context"], values["batch"], width)
    place = (spec, found.accelerator, devices, values["weight_dtype"], values["dtype"])
    longest, most = _longest_context(*place, values["batch"]), _largest_batch(*place, values["context"])
    ways = _ways(spec, values, width)
    numbers = (
        Number("weights of a device", binary(found.weight_bytes), found.weight_bytes, "bytes"),
        Number("cache of a device", binary(found.cache), found.cache, "bytes"),
        Number("cache of all sequences", binary(cache), cache, "bytes", "as the formula counts it"),
        Number("devices", f"{devices:,}", devices, "devices", found.verdict),
        Number("longest context", _longest(longest), None if longest == float("inf") else longest, "tokens"),
        Number("largest batch", f"{most:,} {'sequence' if most == 1 else 'sequences'}", most, "sequences"),
    )
    return Answer(
        sentences=_sentences(spec, found, values, longest, ways),
        numbers=numbers,
        drawings=(_bar(spec, found), _curve(spec, values, width, cache)),
        table=(("attention", "cache", "times this model's"), *(
            (name, binary(size), plainly(size / cache, 2) if cache else "") for name, size in ways
        )),
        table_caption="The same layers and heads with other attention, at this context and batch.",
        python=_python(found, values),
    )  # fmt: skip


# A slider changes one of the two that these depend on, and asks again for the other.
@lru_cache(maxsize=64)
def _longest_context(
    spec: ModelSpec, device: str, devices: int, weight_dtype: str, kv_dtype: str, batch: int
) -> float:
    return longest_context(spec, device, devices, batch=batch, weight_dtype=weight_dtype, kv_dtype=kv_dtype)


@lru_cache(maxsize=64)
def _largest_batch(
    spec: ModelSpec, device: str, devices: int, weight_dtype: str, kv_dtype: str, context: int
) -> int:
    return largest_batch(spec, device, devices, context=context, weight_dtype=weight_dtype, kv_dtype=kv_dtype)


def _longest(tokens: float) -> str:
    return "no end: the cache stops growing" if tokens == float("inf") else f"{int(tokens):,} tokens"


def _sentences(
    spec: ModelSpec,
    found: Budget,
    values: Mapping[str, Any],
    longest: float,
    ways: list[tuple[str, int]],
) -> tuple[str, ...]:
    devices = found.layout.devices
    asked = f"{title(spec)} with {counted(values['batch'], 'sequence')} of {values['context']:,} tokens"
    on = f"{devices:,} {found.accelerator}"
    if found.fits:
        each = "" if devices == 1 else " on each"
        first = f"{asked} fits on {on}, with {binary(max(found.free, 0))} to spare{each}."
        if found.verdict != "fits":
            first += " An engine that takes as much for itself as some logs show would not hold it."
    else:
        first = f"{asked} does not fit on {on}: {found.reason}."
    said = [first]
    share = found.cache / (found.cache + found.weight_bytes)
    said.append(
        f"The cache takes {significant(100 * share, 2)}% of what weights and cache take together on a device."
    )
    if found.beyond_offer:
        said.append(f"The model is offered for {found.offered:,} tokens, fewer than that.")
    elif found.fits and longest == float("inf"):
        said.append("Its cache stops growing, so that no context is too long for the memory.")
    others = [way for way in ways[1:] if way[1]]
    least = min(others, key=lambda way: way[1], default=None)
    if least and ways[0][1] > least[1]:
        times = plainly(ways[0][1] / least[1], 2)
        said.append(f"The smallest cache of the table is that of {least[0]}: {times} times smaller.")
    return tuple(said)


WAYS = ("as it is", "multi-head", "grouped", "multi-query", "latent", "window")


@lru_cache(maxsize=16)
def _other_attention(spec: ModelSpec) -> tuple[tuple[str, ModelSpec], ...]:
    """Return the model with each kind of attention, by its name; as it is first."""
    ways = {way.kind: way for way in ways_to_cache(spec, WINDOW)}
    return tuple((ways[kind].name, with_changed_attention(spec, ways[kind].change)) for kind in WAYS)


def _ways(spec: ModelSpec, values: Mapping[str, Any], width: float) -> list[tuple[str, int]]:
    """Return what the cache would be under each way to save it, the model as it is first."""
    asked = (values["context"], values["batch"], width)
    return [(name, changed.kv_cache_bytes(*asked)) for name, changed in _other_attention(spec)]


def _bar(spec: ModelSpec, found: Budget) -> Drawing:
    """Return the memory of a device as a bar."""
    sizes = (found.weight_bytes, found.runtime[1], found.cache, max(found.free, 0))
    shares = tuple(size / GIB for size in sizes)
    label = (
        f"GiB of each of {found.layout.devices:,} devices"
        if found.layout.devices > 1
        else "GiB of the device"
    )
    caption = f"What {title(spec)} takes of the memory that an engine may use on {found.accelerator}."
    drawn = stacked_bars([("", shares)], PARTS, label, caption, (found.usable / GIB, "usable"))
    names = tuple(name for _, name in PARTS)
    return Drawing("memory", caption, drawn, "", "GiB", (Series("of each device", names, shares),))


def _curve(spec: ModelSpec, values: Mapping[str, Any], width: float, cache: int) -> Drawing:
    """Return the cache of all sequences against the context, with the asked one on it."""
    last = max(LONGEST, values["context"])
    contexts = sorted({min(256 * 2**power, last) for power in range(32)} | {values["context"]})
    points = [(float(each), spec.kv_cache_bytes(each, values["batch"], width) / GIB) for each in contexts]
    drawn = [Line("cache", points)] if points[0][1] > 0 else []
    weights = sum(size for _, size in _weights(spec, values)) / GIB
    ends = (contexts[0], contexts[-1])
    drawn.append(Line("weights", [(float(each), weights) for each in ends], "c6", dashed=True))
    dots = [Dot(f"{binary(cache)}", float(values["context"]), cache / GIB)] if cache else []
    caption = f"The cache of {title(spec)} over the context, beside its weights."
    svg = lines(drawn, "context in tokens", "GiB on all devices", caption, dots, log=(True, True))
    series = (Series("cache", tuple(contexts), tuple(size for _, size in points)),)
    return Drawing("cache", caption, svg, "context in tokens", "GiB", series)


def _weights(spec: ModelSpec, values: Mapping[str, Any]) -> tuple[tuple[str, int], ...]:
    whole = memory_budget(spec, values["accelerator"], context=1, weight_dtype=values["weight_dtype"])
    return whole.weights


def _python(found: Budget, values: Mapping[str, Any]) -> str:
    model = literal(values["model"]) if not values["config"] else literal(f"./{CONFIG}")
    return (
        f"cohort.serving.memory_budget({model}, {literal(found.accelerator)}, {found.layout.devices}, "
        f"context={values['context']}, batch={values['batch']}, "
        f"weight_dtype={literal(values['weight_dtype'])}, kv_dtype={literal(values['dtype'])})"
    )


PANEL = Panel(
    name="memory",
    title="Memory",
    question="What do weights and cache take, how many devices hold them, what would other attention take?",
    chapters=(((), "attention_memory"),),
    inputs=INPUTS,
    work_out=_answer,
)


explain(__name__)
