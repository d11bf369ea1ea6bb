"""What memory holds, as tables: the context at which a cache outweighs the weights, and what devices fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from cohort.architecture.decoder import ModelSpec
from cohort.architecture.registered import model as read_model
from cohort.architecture.registered import specs, title
from cohort.numeric import MAX_CONTEXT, largest
from cohort.registry.devices import accelerator as find_accelerator
from cohort.registry.devices import accelerators
from cohort.serving.loaded import POSITIONS
from cohort.serving.memory import largest_batch, longest_context, memory_budget, offered_context
from cohort.units import GB

WEIGHT_BYTES = 2  # of bf16, in which all of these models were released or can be loaded
MAX_DEVICES = 64


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

    Raises
    ------
    ParameterError
        If no model is named, or a value is out of its range.
    """
    records = []
    for spec in specs(models):
        weights = WEIGHT_BYTES * spec.parameters

        def below(context: int, spec: ModelSpec = spec, weights: int = weights) -> bool:
            return context == 0 or spec.kv_cache_bytes(context, batch, bytes_per_element) <= weights

        last = largest(below, MAX_CONTEXT)
        records.append(
            {
                "model": title(spec),
                "weights": weights,
                "context": last + 1 if last < MAX_CONTEXT else pd.NA,
                "limit": offered_context(spec) or pd.NA,
            }
        )
    frame = pd.DataFrame(records).set_index("model")
    return frame.astype({"context": "Int64", "limit": "Int64"})


def within_reach(table: pd.DataFrame) -> list[str]:
    """Return the models whose cache outweighs the weights within the context on offer.

    Parameters
    ----------
    table : DataFrame
        As `break_even_contexts` returns it.

    Returns
    -------
    list of str
        Titles, in the order of the table.
    """
    known_both = table.dropna(subset=["context", "limit"])
    return [str(name) for name in known_both.index[known_both["context"] <= known_both["limit"]]]


_FIT = {
    "context": "Int64",
    "devices": "Int64",
    "longest context": "float",
    "largest batch": "Int64",
    "weights": "float",
    "engine": "float",
    "cache": "float",
}


def fits_models(
    models: Sequence[str],
    accelerator: str,
    context: int,
    batch: int = 1,
    weight_dtype: str = "bf16",
    kv_dtype: str = "bf16",
) -> pd.DataFrame:
    """Return what of each model fits an accelerator.

    Parameters
    ----------
    models : sequence of str
        Names or paths.
    accelerator, context, batch, weight_dtype, kv_dtype
        As in `longest_contexts`.

    Returns
    -------
    DataFrame
        One row a model, with the columns of `longest_contexts`.

    Raises
    ------
    CohortError
        As in `longest_contexts`, or if no model is named.
    """
    rows = {
        title(spec): longest_contexts(spec, accelerator, context, batch, weight_dtype, kv_dtype)
        for spec in specs(models)
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("model").astype(_FIT)


def fits_accelerators(
    model: str, context: int, batch: int = 1, weight_dtype: str = "bf16", kv_dtype: str = "bf16"
) -> pd.DataFrame:
    """Return what of a model fits each accelerator.

    Parameters
    ----------
    model : str
        A name or a path.
    context, batch, weight_dtype, kv_dtype
        As in `longest_contexts`.

    Returns
    -------
    DataFrame
        One row an accelerator, by ``memory``, in GB of one device as its data sheet has it, with the columns
        of `longest_contexts`. Of those with the same memory, the one comes first that leaves the least of it.

    Raises
    ------
    CohortError
        As in `longest_contexts`.
    """
    spec = read_model(model)
    devices = sorted(map(find_accelerator, accelerators()), key=lambda each: each.allocatable_bytes)
    rows = {
        device.name: {"memory": device.memory_bytes / GB}
        | longest_contexts(spec, device.name, context, batch, weight_dtype, kv_dtype)
        for device in devices
    }
    frame = pd.DataFrame.from_dict(rows, orient="index").rename_axis("accelerator").astype(_FIT)
    return frame.sort_values("memory", kind="stable")


def fits_formats(
    model: str,
    accelerator: str,
    context: int,
    batch: int = 1,
    kv_dtype: str = "bf16",
    formats: Sequence[str] = ("bf16", "fp8", "int4", "nvfp4"),
) -> pd.DataFrame:
    """Return what of a model fits an accelerator, by how its weights are stored.

    Parameters
    ----------
    model : str
        A name or a path.
    accelerator, context, batch, kv_dtype
        As in `longest_contexts`.
    formats : sequence of str
        Names of `cohort.architecture.formats`.

    Returns
    -------
    DataFrame
        One row a format, with ``size``, the bytes of all weights, and the columns of `longest_contexts`.

    Raises
    ------
    CohortError
        As in `longest_contexts`.
    """
    spec = read_model(model)
    rows = {}
    for stored in formats:
        whole = memory_budget(spec, accelerator, context=1, weight_dtype=stored)
        found = longest_contexts(spec, accelerator, context, batch, stored, kv_dtype)
        size = sum(each for name, each in whole.weights if name != POSITIONS)
        rows[stored] = {"size": size, **found}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("weights in").astype(_FIT)


def longest_contexts(
    spec: ModelSpec,
    accelerator: str,
    context: int,
    batch: int = 1,
    weight_dtype: str = "bf16",
    kv_dtype: str = "bf16",
) -> dict[str, Any]:
    """Return how many accelerators hold a model with its cache, and what else fits their memory then.

    As `cohort.serving.memory_budget` counts: of the memory that the driver reports, an engine uses nine
    tenths, and takes some of that for itself.

    Parameters
    ----------
    spec : ModelSpec
        The model.
    accelerator : str
        A name of the table of accelerators.
    context, batch : int
        Tokens of each sequence, and sequences at once. A context beyond the one that the model is offered for
        is cut to that.
    weight_dtype, kv_dtype : str
        How weights and cache are stored.

    Returns
    -------
    dict
        ``context``: tokens, within the offer. ``devices``: the fewest that hold the weights and the cache, a
        power of two up to 64. On them, the ``longest context`` of `batch` sequences in tokens (infinite where
        the cache stops growing), the ``largest batch`` of that context, and the shares of the usable memory
        that ``weights``, the ``engine`` and the ``cache`` of `batch` sequences take. All but the first are
        empty where 64 devices do not suffice.

    Raises
    ------
    CohortError
        If a name is not known, or a value is out of its range.
    """
    asked: dict[str, Any] = {"weight_dtype": weight_dtype, "kv_dtype": kv_dtype}
    within = min(context, offered_context(spec) or context)
    for devices in (2**power for power in range(MAX_DEVICES.bit_length())):
        found = memory_budget(spec, accelerator, devices, context=within, batch=batch, **asked)
        if found.fits:
            return {
                "context": within,
                "devices": devices,
                "longest context": longest_context(spec, accelerator, devices, batch=batch, **asked),
                "largest batch": largest_batch(spec, accelerator, devices, context=within, **asked),
                "weights": found.weight_bytes / found.usable,
                "engine": found.runtime[1] / found.usable,
                "cache": found.cache / found.usable,
            }
    return dict.fromkeys(_FIT, None) | {"context": within}


def readable_fit(fits: pd.DataFrame) -> pd.DataFrame:
    """Return what fits for readers: whole numbers as text, units in the heads.

    Parameters
    ----------
    fits : DataFrame
        As `fits_models` or `fits_accelerators` returns it. Accelerators with the same memory hold the same,
        and share a row.

    Returns
    -------
    DataFrame
        Five columns, and the names of the ``accelerators`` where the rows are theirs.
    """
    if "memory" in fits:
        names = fits.index.to_series().groupby(fits["memory"]).agg(", ".join)
        fits = fits.drop_duplicates("memory").set_index("memory").rename_axis("memory (GB)")
        fits.index = fits.index.map("{:g}".format)
    bounds = [
        None if pd.isna(each) else "no bound" if each == float("inf") else f"{int(each):,}"
        for each in fits["longest context"]
    ]
    frame = pd.DataFrame(
        {
            "context (tokens)": [f"{each:,}" for each in fits["context"]],
            "devices": fits["devices"],
            "longest context (tokens)": bounds,
            "largest batch (sequences)": fits["largest batch"],
            "weights (% of usable memory)": (100 * fits["weights"]).round().astype("Int64"),
        },
        index=fits.index,
    )
    if fits.index.name == "memory (GB)":
        frame["accelerators"] = list(names)
    return frame
