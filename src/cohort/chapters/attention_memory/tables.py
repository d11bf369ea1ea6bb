"""What context costs, as tables: caches by length, what fits a device, what each trick saves, checks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd

from cohort.architecture.attention import (
    Attention,
    GroupedQuery,
    Latent,
    naive_training_bytes,
    tiled_training_bytes,
)
from cohort.architecture.decoder import ModelSpec
from cohort.architecture.dtypes import precision
from cohort.architecture.linear_attention import Lightning
from cohort.architecture.registered import ABSENT, known, specs, title
from cohort.architecture.registered import model as read_model
from cohort.architecture.variants import heads_and_size, main_attention, with_changed_attention
from cohort.display.model_tables import GIB, attention_pattern
from cohort.errors import ParameterError, integer, shown
from cohort.numeric import MAX_CONTEXT
from cohort.registry import facts
from cohort.registry.devices import accelerator as find_accelerator
from cohort.registry.devices import accelerators

WEIGHT_BYTES = 2  # of bf16, in which all of these models were released or can be loaded


MAX_DEVICES = 64


SINKS = 4  # the first tokens that StreamingLLM keeps


STEP = 1024  # tokens; a multiple of every block and page, so that a further token costs its average


def lengths(context: int, low: int = 256) -> list[int]:
    """Return powers of two from `low` up to four times a context, and the context itself."""
    integer("context", context, 1, MAX_CONTEXT // 4, ParameterError, "tokens")
    found, length = [], low
    while length < 4 * context:
        found.append(length)
        length *= 2
    return sorted({*found, length, context})


def cache_curves(
    models: Sequence[str], lengths: Sequence[int], batch: int = 1, bytes_per_element: float = 2
) -> pd.DataFrame:
    """Return the cache of each model in bytes: one row a model, one column a length in tokens."""
    return pd.DataFrame(
        {
            length: {
                title(spec): spec.kv_cache_bytes(length, batch, bytes_per_element) for spec in specs(models)
            }
            for length in lengths
        }
    ).rename_axis("model")


def by_precision(
    models: Sequence[str], context: int, batch: int = 1, names: Sequence[str] = ("bf16", "fp8", "int4")
) -> pd.DataFrame:
    """Return the cache of each model in bytes: one row a model, one column a precision of that name."""
    columns = {
        name: cache_curves(models, [context], batch, precision(name).bytes_per_element)[context]
        for name in names
    }
    return pd.DataFrame(columns)


def kinds(models: Sequence[str]) -> pd.Series:
    """Return the kind of attention that fills each model's cache, by title."""
    return pd.Series({title(spec): main_attention(spec).kind for spec in specs(models)}, dtype=object)


def per_token(models: Sequence[str], context: int, bytes_per_element: float = 2) -> pd.DataFrame:
    """Return what a token of context costs each model, the most expensive first.

    Returns
    -------
    DataFrame
        Per model: ``attention`` in words, ``average`` (bytes of the cache for each of the context's tokens),
        ``further`` (bytes that one token more adds then, averaged over the next 1,024) and ``state`` (bytes
        of the recurrent states, which are in the average).
    """
    records = []
    for spec in specs(models):
        cache = spec.kv_cache_bytes(context, bytes_per_element=bytes_per_element)
        longer = spec.kv_cache_bytes(context + STEP, bytes_per_element=bytes_per_element)
        states = 4 * sum(layer.attention.state_elements() for layer in spec.layers)
        records.append(
            {
                "model": title(spec),
                "attention": attention_pattern(spec),
                "average": cache / context,
                "further": (longer - cache) / STEP,
                "state": states,
            }
        )
    frame = pd.DataFrame(records).set_index("model")
    return frame.sort_values("average", ascending=False, kind="stable")


def limit(spec: ModelSpec) -> int | None:
    """Return the longest context that the makers offer, else that of the config, else None."""
    stated = known(spec).get("inference_context", ABSENT).number
    return int(stated) if stated else spec.context_limit


def longest(fits: Callable[[int], bool], most: int = MAX_CONTEXT) -> int:
    """Return the largest number from 0 to `most` that fits, where every smaller one fits as well."""
    if fits(most):
        return most
    low, high = 0, 1
    while high < most and fits(high):
        low, high = high, min(2 * high, most)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


def break_even_contexts(models: Sequence[str], batch: int = 1, bytes_per_element: float = 2) -> pd.DataFrame:
    """Return the context from which on the cache outweighs the weights.

    Parameters
    ----------
    models : sequence of str
        Names or paths.
    batch : int
        Sequences at once; the weights are there once for all of them.
    bytes_per_element : float
        Bytes of one cached number; the weights take two bytes each.

    Returns
    -------
    DataFrame
        Per model: ``weights`` in bytes, ``context`` in tokens from which the cache is larger (empty where it
        never is), and ``limit``, the longest context that the model is offered for.
    """
    records = []
    for spec in specs(models):
        weights = WEIGHT_BYTES * spec.parameters

        def below(context: int, spec: ModelSpec = spec, weights: int = weights) -> bool:
            return context == 0 or spec.kv_cache_bytes(context, batch, bytes_per_element) <= weights

        last = longest(below)
        records.append(
            {
                "model": title(spec),
                "weights": weights,
                "context": last + 1 if last < MAX_CONTEXT else pd.NA,
                "limit": limit(spec) or pd.NA,
            }
        )
    frame = pd.DataFrame(records).set_index("model")
    return frame.astype({"context": "Int64", "limit": "Int64"})


def within_reach(table: pd.DataFrame) -> list[str]:
    """Return the models whose cache outweighs the weights within the context on offer."""
    known_both = table.dropna(subset=["context", "limit"])
    return [str(name) for name in known_both.index[known_both["context"] <= known_both["limit"]]]


def _usable(accelerator: str, reserve: float) -> int:
    number = isinstance(reserve, (int, float)) and not isinstance(reserve, bool)
    if not number or not 0 <= reserve < 1:
        raise ParameterError(f"reserve is {shown(reserve)}, but must be a share from 0 to below 1")
    return int(find_accelerator(accelerator).memory_bytes * (1 - reserve))


_FIT = {"devices": "Int64", "longest context": "float", "largest batch": "Int64", "weights": "float"}


def longest_contexts(
    spec: ModelSpec,
    accelerator: str,
    context: int,
    batch: int = 1,
    bytes_per_element: float = 2,
    reserve: float = 0.1,
) -> dict[str, Any]:
    """Return how many accelerators hold a model with its cache, and what else fits their memory then.

    The weights, two bytes each, are shared evenly. Of the cache each device holds its heads; a head does not
    split, and a latent vector is on every device.

    Parameters
    ----------
    spec : ModelSpec
        The model.
    accelerator : str
        A name of the table of accelerators.
    context, batch : int
        Tokens of each sequence, and sequences at once.
    bytes_per_element : float
        Bytes of one cached number.
    reserve : float
        Share of the memory that is left for everything else.

    Returns
    -------
    dict
        ``devices``: the fewest that hold the weights and the cache, a power of two up to 64. On them, the
        ``longest context`` of `batch` sequences in tokens (infinite where the cache stops growing), the
        ``largest batch`` of `context` tokens, and ``weights``: their share of the usable memory. All are
        empty where 64 devices do not suffice.
    """
    usable, weights = _usable(accelerator, reserve), WEIGHT_BYTES * spec.parameters

    def holds(count: int, length: int, sequences: int) -> bool:
        if not length or not sequences:
            return True
        size = spec.kv_cache_bytes(length, sequences, bytes_per_element, tensor_parallel=count)
        return size <= usable - -(-weights // count)

    counts = [2**power for power in range(MAX_DEVICES.bit_length())]
    devices = next((count for count in counts if holds(count, context, batch)), None)
    if devices is None:
        return dict.fromkeys(_FIT, None)
    most = longest(lambda length: holds(devices, length, batch))
    return {
        "devices": devices,
        "longest context": float("inf") if most == MAX_CONTEXT else most,
        "largest batch": longest(lambda sequences: holds(devices, context, sequences)),
        "weights": weights / (usable * devices),
    }


def fits_models(
    models: Sequence[str],
    accelerator: str,
    context: int,
    batch: int = 1,
    bytes_per_element: float = 2,
    reserve: float = 0.1,
) -> pd.DataFrame:
    """Return what of each model fits an accelerator, as `longest_contexts` does: one row a model."""
    rows = {
        title(spec): longest_contexts(spec, accelerator, context, batch, bytes_per_element, reserve)
        for spec in specs(models)
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("model").astype(_FIT)


def fits_accelerators(
    model: str, context: int, batch: int = 1, bytes_per_element: float = 2, reserve: float = 0.1
) -> pd.DataFrame:
    """Return what of a model fits each accelerator: one row an accelerator, by memory.

    Returns
    -------
    DataFrame
        Also ``memory``, in GB of one device.
    """
    rows = {
        name: {"memory": find_accelerator(name).memory_bytes / 1e9}
        | longest_contexts(read_model(model), name, context, batch, bytes_per_element, reserve)
        for name in accelerators()
    }
    frame = pd.DataFrame.from_dict(rows, orient="index").rename_axis("accelerator").astype(_FIT)
    return frame.sort_values("memory", kind="stable")


def readable_fit(fits: pd.DataFrame) -> pd.DataFrame:
    """Return `fits_models` or `fits_accelerators` for readers: whole numbers as text, units in the heads.

    Accelerators with the same memory hold the same, and share a row.
    """
    if "memory" in fits:
        names = fits.index.to_series().groupby(fits["memory"]).agg(", ".join)
        fits = fits.drop_duplicates("memory").set_index("memory").rename_axis("memory (GB)")
        fits.index = fits.index.map("{:g}".format)
    longest = [
        None if pd.isna(each) else "no bound" if each == float("inf") else f"{int(each):,}"
        for each in fits["longest context"]
    ]
    frame = pd.DataFrame(
        {
            "devices": fits["devices"],
            "longest context (tokens)": longest,
            "largest batch (sequences)": fits["largest batch"],
            "weights (% of usable memory)": (100 * fits["weights"]).round().astype("Int64"),
        },
        index=fits.index,
    )
    if fits.index.name == "memory (GB)":
        frame["accelerators"] = list(names)
    return frame


def what_if(
    model: str, context: int, batch: int = 1, bytes_per_element: float = 2, window: int = 4096
) -> pd.DataFrame:
    """Return the cache of one model under each way to save it.

    Heads and their size stay those of the model. Only memory is compared: whether a model trained in that way
    would be as good is another question.

    Parameters
    ----------
    model : str
        A name or a path.
    context : int
        Tokens of each sequence.
    batch : int
        Sequences at once.
    bytes_per_element : float
        Bytes of one cached number, where the precision is not what is varied.
    window : int
        Tokens of the windows that are tried.

    Returns
    -------
    DataFrame
        Per way: ``cache`` in bytes, and ``times less`` than with multi-head attention at that precision. The
        first row is the model as it is.
    """
    spec = read_model(model)
    heads, size = heads_and_size(spec)
    few = max(count for count in range(1, max(min(8, heads // 2), 1) + 1) if heads % count == 0)
    full, grouped = GroupedQuery(heads, heads, size), GroupedQuery(heads, few, size)
    latent = Latent(heads, 4 * size, None, max(size // 2, 1), size, size)
    slides = GroupedQuery(heads, few, size, window=window)
    sinks = GroupedQuery(heads, few, size, window=window, sinks=SINKS)
    linear = Lightning(heads, size)
    head = "heads" if few > 1 else "head"
    ways: dict[str, tuple[Callable[[int, Attention], Attention], float]] = {
        "as it is": (lambda _, own: own, bytes_per_element),
        "multi-head": (lambda *_: full, bytes_per_element),
        f"grouped, {few} KV {head}": (lambda *_: grouped, bytes_per_element),
        "multi-query": (lambda *_: GroupedQuery(heads, 1, size), bytes_per_element),
        f"latent, {latent.kv_rank} + {latent.rope_dim}": (lambda *_: latent, bytes_per_element),
        f"grouped, window {window:,}": (lambda *_: slides, bytes_per_element),
        f"grouped, window {window:,} and {SINKS} sinks": (lambda *_: sinks, bytes_per_element),
        "grouped, every 2nd layer slides": (lambda at, _: grouped if at % 2 else slides, bytes_per_element),
        "grouped, 5 of 6 layers slide": (
            lambda at, _: slides if (at + 1) % 6 else grouped,
            bytes_per_element,
        ),
        "grouped, 3 of 4 layers linear": (
            lambda at, _: linear if (at + 1) % 4 else grouped,
            bytes_per_element,
        ),
        "grouped, fp8": (lambda *_: grouped, precision("fp8").bytes_per_element),
        "grouped, int4": (lambda *_: grouped, precision("int4").bytes_per_element),
    }
    sizes = {
        name: with_changed_attention(spec, change).kv_cache_bytes(context, batch, width)
        for name, (change, width) in ways.items()
    }
    frame = pd.DataFrame({"cache": sizes})
    frame["times less"] = sizes["multi-head"] / frame["cache"]
    return frame


# How compute and memory grow --------------------------------------------------------------------------------


def growth(model: str, lengths: Sequence[int], bytes_per_element: float = 2) -> pd.DataFrame:
    """Return what grows with the context of one sequence, by length.

    Returns
    -------
    DataFrame
        Per length: ``prefill FLOPs`` and ``step FLOPs`` of scores and weighted values (of the whole prompt,
        and of the next token), ``scores`` (bytes that naive attention writes in one layer) and ``cache`` in
        bytes.
    """
    spec = read_model(model)
    records = [
        {
            "tokens": length,
            "prefill FLOPs": length * (spec.forward_flops(length) - 2.0 * spec.matmul_parameters),
            "step FLOPs": spec.decode_flops(length) - 2.0 * spec.matmul_parameters,
            "scores": spec.score_bytes(length),
            "cache": spec.kv_cache_bytes(length, bytes_per_element=bytes_per_element),
        }
        for length in lengths
    ]
    return pd.DataFrame(records).set_index("tokens")


def last_power(values: pd.Series) -> float:
    """Return the power of its index with which a series grows between its last two entries."""
    import math

    (one, first), (other, second) = list(values.items())[-2:]
    return math.log(second / first) / math.log(float(str(other)) / float(str(one)))


def attention_share(models: Sequence[str], context: int) -> pd.DataFrame:
    """Return how much of a token's compute attention over the context takes.

    Returns
    -------
    DataFrame
        Per model, in TFLOP: ``weights`` and ``attention`` of reading the whole context causally, ``share`` of
        attention in both, and ``full`` its share when the whole square is counted.
    """
    records = []
    for spec in specs(models):
        weights = 2.0 * spec.matmul_parameters
        causal = spec.forward_flops(context) - weights
        square = spec.forward_flops(context, causal=False) - weights
        records.append(
            {
                "model": title(spec),
                "weights": weights * context / 1e12,
                "attention": causal * context / 1e12,
                "share": causal / (weights + causal),
                "full": square / (weights + square),
            }
        )
    return pd.DataFrame(records).set_index("model").sort_values("share", ascending=False, kind="stable")


# Beside what others print -----------------------------------------------------------------------------------

_UNITS = {"KiB": 2**10, "GiB": 2**30, "kB": 10**3, "GB": 10**9}


def published_caches() -> pd.DataFrame:
    """Return the cache sizes that others print beside the derived ones.

    Returns
    -------
    DataFrame
        Per model: ``context`` in tokens, ``printed`` and ``derived`` in the ``unit`` of the print, their
        ``gap`` in per cent, whether the derived one ``rounds`` to the printed digits, and ``source``.
    """
    records = []
    for row in facts.rows("published_caches"):
        spec = read_model(row["model"])
        width = float(row["bytes_per_element"])
        derived = spec.kv_cache_bytes(int(row["context"]), bytes_per_element=width) / _UNITS[row["unit"]]
        digits = len(row["value"].partition(".")[2])
        records.append(
            {
                "model": title(spec),
                "context": int(row["context"]),
                "printed": float(row["value"]),
                "derived": derived,
                "unit": row["unit"],
                "gap": 100 * (derived / float(row["value"]) - 1),
                "rounds": round(derived, digits) == float(row["value"]),
                "source": row["source"],
            }
        )
    return pd.DataFrame(records).set_index("model")


def published_memory() -> pd.DataFrame:
    """Return the memory that FlashAttention's authors print beside that of the formulas.

    Returns
    -------
    DataFrame
        ``method``, ``context`` in tokens, ``printed`` and ``derived`` in MiB.
    """
    formulas = {"naive": naive_training_bytes, "flash": tiled_training_bytes}
    records = []
    for row in facts.rows("flash_attention_memory"):
        sizes = [int(row[name]) for name in ("context", "heads", "head_dim", "batch", "bytes_per_element")]
        records.append(
            {
                "method": row["method"],
                "context": sizes[0],
                "printed": float(row["value"]),
                "derived": formulas[row["method"]](*sizes) / 2**20,
            }
        )
    return pd.DataFrame(records)


def saving(model: str, other: str, bits: float = 16, other_bits: float = 16) -> float:
    """Return by which share the cache of a token is smaller in one model than in another.

    Parameters
    ----------
    model, other : str
        Names or paths; the first is the one that saves.
    bits, other_bits : float
        Bits of one cached number of each.
    """
    small = read_model(model).kv_cache_bytes(1, bytes_per_element=bits / 8)
    return 1 - small / read_model(other).kv_cache_bytes(1, bytes_per_element=other_bits / 8)


def paged_excess(
    model: str, lengths: Sequence[int], blocks: Sequence[int], bytes_per_element: float = 2
) -> pd.DataFrame:
    """Return by how many per cent a cache in blocks is larger than what it holds.

    Parameters
    ----------
    model : str
        A name or a path.
    lengths : sequence of int
        Tokens of one sequence, the rows.
    blocks : sequence of int
        Tokens of a block, the columns.
    bytes_per_element : float
        Bytes of one cached number.
    """
    spec = read_model(model)

    def excess(length: int, block: int) -> float:
        paged = spec.kv_cache_bytes(length, bytes_per_element=bytes_per_element, block=block)
        return 100 * (paged / spec.kv_cache_bytes(length, bytes_per_element=bytes_per_element) - 1)

    rows = {length: {block: excess(length, block) for block in blocks} for length in lengths}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("tokens")


def devices_share(
    model: str, context: int, devices: Sequence[int], bytes_per_element: float = 2
) -> pd.DataFrame:
    """Return the cache of one sequence on each of several devices, in GiB, and in all of them together.

    Parameters
    ----------
    model : str
        A name or a path.
    context : int
        Tokens of the sequence.
    devices : sequence of int
        Numbers of devices that share the heads.
    bytes_per_element : float
        Bytes of one cached number.
    """
    spec = read_model(model)
    each = {
        count: spec.kv_cache_bytes(context, 1, bytes_per_element, tensor_parallel=count) / GIB
        for count in devices
    }
    frame = pd.DataFrame({"on each": each})
    frame["in all"] = frame["on each"] * frame.index
    return frame.rename_axis("devices")


__all__ = [
    "attention_share",
    "break_even_contexts",
    "by_precision",
    "cache_curves",
    "devices_share",
    "fits_accelerators",
    "fits_models",
    "growth",
    "heads_and_size",
    "kinds",
    "last_power",
    "lengths",
    "limit",
    "longest",
    "longest_contexts",
    "paged_excess",
    "per_token",
    "published_caches",
    "published_memory",
    "readable_fit",
    "saving",
    "what_if",
    "within_reach",
]
