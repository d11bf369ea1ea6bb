"""What context costs each model, as tables: by length, by token, by precision, and by each way to save."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from cohort.architecture.dtypes import precision
from cohort.architecture.registered import model as read_model
from cohort.architecture.registered import specs, title
from cohort.architecture.variants import WINDOW, main_attention, ways_to_cache, with_changed_attention
from cohort.display.model_tables import attention_pattern
from cohort.errors import ParameterError, integer
from cohort.numeric import MAX_CONTEXT
from cohort.units import GIB

STEP = 1024  # tokens; a multiple of every block and page, so that a further token costs its average


def lengths(context: int, low: int = 256) -> list[int]:
    """Return the lengths at which caches are compared.

    Parameters
    ----------
    context : int
        Tokens.
    low : int
        The shortest of the other lengths.

    Returns
    -------
    list of int
        Powers of two from `low` up to four times the context, and the context itself.

    Raises
    ------
    ParameterError
        If the context is out of its range.
    """
    context = integer("context", context, 1, MAX_CONTEXT // 4, ParameterError, "tokens")
    found, length = [], low
    while length < 4 * context:
        found.append(length)
        length *= 2
    return sorted({*found, length, context})


def cache_curves(
    models: Sequence[str], lengths: Sequence[int], batch: int = 1, bytes_per_element: float = 2
) -> pd.DataFrame:
    """Return the cache of each model by the length of the context.

    Parameters
    ----------
    models : sequence of str
        Names or paths.
    lengths : sequence of int
        Tokens of each sequence.
    batch : int
        Sequences at once.
    bytes_per_element : float
        Bytes of one cached number.

    Returns
    -------
    DataFrame
        Bytes: one row a model, one column a length.

    Raises
    ------
    CohortError
        If no model is named or there is none of that name, or a value is out of its range.
    """
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
    """Return the cache of each model by the precision of its numbers.

    Parameters
    ----------
    models : sequence of str
        Names or paths.
    context, batch : int
        Tokens of each sequence, and sequences at once.
    names : sequence of str
        Precisions, such as ``"bf16"``.

    Returns
    -------
    DataFrame
        Bytes: one row a model, one column a precision of that name.

    Raises
    ------
    CohortError
        If no model is named, a name is unknown, or a value is out of its range.
    """
    columns = {
        name: cache_curves(models, [context], batch, precision(name).bytes_per_element)[context]
        for name in names
    }
    return pd.DataFrame(columns)


def kinds(models: Sequence[str]) -> pd.Series:
    """Return the kind of attention that fills each model's cache.

    Parameters
    ----------
    models : sequence of str
        Names or paths.

    Returns
    -------
    Series
        Kinds such as ``GQA``, by title.

    Raises
    ------
    CohortError
        If no model is named, or there is none of that name.
    """
    return pd.Series({title(spec): main_attention(spec).kind for spec in specs(models)}, dtype=object)


def per_token(models: Sequence[str], context: int, bytes_per_element: float = 2) -> pd.DataFrame:
    """Return what a token of context costs each model, the most expensive first.

    Parameters
    ----------
    models : sequence of str
        Names or paths.
    context : int
        Tokens of the sequence.
    bytes_per_element : float
        Bytes of one cached number.

    Returns
    -------
    DataFrame
        Per model: ``attention`` in words, ``average`` (bytes of the cache for each of the context's tokens),
        ``further`` (bytes that one token more adds then, averaged over the next 1,024) and ``state`` (bytes
        of the recurrent states, which are in the average).

    Raises
    ------
    CohortError
        If no model is named or there is none of that name, or a value is out of its range.
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


def what_if(
    model: str, context: int, batch: int = 1, bytes_per_element: float = 2, window: int = WINDOW
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
        Per way, named with its sizes: ``cache`` in bytes, ``times less`` than with multi-head attention at
        that precision, and ``way``, its name without sizes. The first row is the model as it is.

    Raises
    ------
    CohortError
        If there is no such model, or a value is out of its range.
    """
    spec = read_model(model)
    records = []
    for way in ways_to_cache(spec, window):
        width = precision(way.dtype).bytes_per_element if way.dtype else bytes_per_element
        changed = with_changed_attention(spec, way.change)
        records.append((way.name, changed.kv_cache_bytes(context, batch, width), way.kind))
    frame = pd.DataFrame(records, columns=["", "cache", "way"]).set_index("")
    frame.insert(1, "times less", frame.set_index("way")["cache"]["multi-head"] / frame["cache"])
    return frame.rename_axis(None)


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

    Returns
    -------
    DataFrame
        Per number of devices: GiB ``on each``, the fullest, and ``in all``, if each sets as much aside.

    Raises
    ------
    CohortError
        If there is no such model, or a value is out of its range.
    """
    spec = read_model(model)
    each = {
        count: spec.kv_cache_bytes(context, 1, bytes_per_element, tensor_parallel=count) / GIB
        for count in devices
    }
    frame = pd.DataFrame({"on each": each})
    frame["in all"] = frame["on each"] * frame.index
    return frame.rename_axis("devices")


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

    Returns
    -------
    DataFrame
        Per cent.

    Raises
    ------
    CohortError
        If there is no such model, or a value is out of its range.
    """
    spec = read_model(model)

    def excess(length: int, block: int) -> float:
        paged = spec.kv_cache_bytes(length, bytes_per_element=bytes_per_element, block=block)
        return 100 * (paged / spec.kv_cache_bytes(length, bytes_per_element=bytes_per_element) - 1)

    rows = {length: {block: excess(length, block) for block in blocks} for length in lengths}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("tokens")
