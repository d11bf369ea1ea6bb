"""What memory holds, as tables: the context at which a cache outweighs the weights, and what devices fit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd

from cohort.architecture.decoder import ModelSpec
from cohort.architecture.registered import ABSENT, known, specs, title
from cohort.architecture.registered import model as read_model
from cohort.errors import ParameterError, shown
from cohort.numeric import MAX_CONTEXT, ceil_div
from cohort.registry.devices import accelerator as find_accelerator
from cohort.registry.devices import accelerators
from cohort.units import GB

WEIGHT_BYTES = 2  # of bf16, in which all of these models were released or can be loaded


MAX_DEVICES = 64


def limit(spec: ModelSpec) -> int | None:
    """Return the longest context that a model is offered for.

    Parameters
    ----------
    spec : ModelSpec
        The model.

    Returns
    -------
    int or None
        Tokens: what the makers state, else what the config says, else None.
    """
    stated = known(spec).get("inference_context", ABSENT).number
    return int(stated) if stated else spec.context_limit


def longest(fits: Callable[[int], bool], most: int = MAX_CONTEXT) -> int:
    """Return the largest number that fits, where every smaller one fits as well.

    Parameters
    ----------
    fits : callable
        Whether a number fits; 0 always does.
    most : int
        The largest number that is tried.

    Returns
    -------
    int
        From 0 to `most`.
    """
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


_FIT = {"devices": "Int64", "longest context": "float", "largest batch": "Int64", "weights": "float"}


def fits_models(
    models: Sequence[str],
    accelerator: str,
    context: int,
    batch: int = 1,
    bytes_per_element: float = 2,
    reserve: float = 0.1,
) -> pd.DataFrame:
    """Return what of each model fits an accelerator.

    Parameters
    ----------
    models : sequence of str
        Names or paths.
    accelerator, context, batch, bytes_per_element, reserve
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
        title(spec): longest_contexts(spec, accelerator, context, batch, bytes_per_element, reserve)
        for spec in specs(models)
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("model").astype(_FIT)


def fits_accelerators(
    model: str, context: int, batch: int = 1, bytes_per_element: float = 2, reserve: float = 0.1
) -> pd.DataFrame:
    """Return what of a model fits each accelerator.

    Parameters
    ----------
    model : str
        A name or a path.
    context, batch, bytes_per_element, reserve
        As in `longest_contexts`.

    Returns
    -------
    DataFrame
        One row an accelerator, by ``memory``, in GB of one device, with the columns of `longest_contexts`.

    Raises
    ------
    CohortError
        As in `longest_contexts`.
    """
    rows = {
        name: {"memory": find_accelerator(name).memory_bytes / GB}
        | longest_contexts(read_model(model), name, context, batch, bytes_per_element, reserve)
        for name in accelerators()
    }
    frame = pd.DataFrame.from_dict(rows, orient="index").rename_axis("accelerator").astype(_FIT)
    return frame.sort_values("memory", kind="stable")


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

    Raises
    ------
    UnknownNameError
        If there is no such accelerator.
    ParameterError
        If a value is out of its range.
    """
    usable, weights = _usable(accelerator, reserve), WEIGHT_BYTES * spec.parameters

    def holds(count: int, length: int, sequences: int) -> bool:
        if not length or not sequences:
            return True
        size = spec.kv_cache_bytes(length, sequences, bytes_per_element, tensor_parallel=count)
        return size <= usable - ceil_div(weights, count)

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


def _usable(accelerator: str, reserve: float) -> int:
    number = isinstance(reserve, (int, float)) and not isinstance(reserve, bool)
    if not number or not 0 <= reserve < 1:
        raise ParameterError(f"reserve is {shown(reserve)}, but must be a share from 0 to below 1")
    return int(find_accelerator(accelerator).memory_bytes * (1 - reserve))


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
        Four columns, and the names of the ``accelerators`` where the rows are theirs.
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
