"""Problems of the chapter `attention_memory`, worked out with its own model and accelerator."""

from __future__ import annotations

from cohort.architecture.decoder import ModelSpec
from cohort.architecture.registered import title
from cohort.chapters.attention_memory import capacity
from cohort.display.problems import Problem
from cohort.display.words import binary, counted, inflected, scaled, significant
from cohort.serving.memory import Budget, memory_budget
from cohort.units import GIB, KIB


def worked(
    spec: ModelSpec,
    context: int,
    accelerator: str,
    weight_dtype: str = "bf16",
    kv_dtype: str = "bf16",
    bytes_per_element: float = 2,
) -> list[Problem]:
    """Return three problems with their solutions: a cache, a device, and scores.

    Parameters
    ----------
    spec : ModelSpec
        The model.
    context : int
        Tokens of a sequence.
    accelerator : str
        Its name.
    weight_dtype, kv_dtype : str
        How weights and cache are stored.
    bytes_per_element : float
        Bytes of a cached number, as `kv_dtype` says.

    Returns
    -------
    list of Problem

    Raises
    ------
    CohortError
        If a name is not known, or a value is out of its range.
    """
    return [
        _cache(spec, context, bytes_per_element),
        _device(spec, context, accelerator, weight_dtype, kv_dtype),
        _scores(spec, context, bytes_per_element),
    ]


def _cache(spec: ModelSpec, context: int, width: float) -> Problem:
    """Ask how many texts weigh as much as the weights."""
    cache = spec.kv_cache_bytes(context, 1, width)
    weights = capacity.WEIGHT_BYTES * spec.parameters
    name, each = title(spec), cache / context / KIB
    return Problem(
        f"{name} has {significant(spec.parameters / 1e9)} billion weights of two bytes, and keeps "
        f"{significant(each, 4)} KiB for each token of a text of {counted(context, 'token')}. How many such "
        "texts, held at once, take as much memory as the weights?",
        (
            f"Weights: {significant(spec.parameters / 1e9)}e9 × 2 bytes = {binary(weights)}.",
            f"A text: {context:,} × {significant(each, 4)} KiB = {binary(cache)}.",
            f"{binary(weights)} ÷ {binary(cache)} = {significant(weights / cache)}.",
        ),
        _as_many(weights / cache),
    )


def _as_many(ratio: float) -> str:
    return f"About {significant(ratio, 2)} texts." if ratio >= 1 else "One text outweighs the weights."


def _device(spec: ModelSpec, context: int, accelerator: str, weights: str, cache: str) -> Problem:
    """Ask how many sequences fit the fewest devices."""
    found = capacity.longest_contexts(spec, accelerator, context, 1, weights, cache)
    name, within = title(spec), found["context"]
    question = (
        f"{name}, its weights stored as {weights} and its cache as {cache}, is to answer on {accelerator} at "
        f"{counted(within, 'token')}. How many devices does it take, and how many sequences do they hold?"
    )
    if found["devices"] is None:
        most = capacity.MAX_DEVICES
        budget = memory_budget(spec, accelerator, most, context=within, weight_dtype=weights, kv_dtype=cache)
        return Problem(question, (f"Of {most} devices, {budget.reason}.",), f"More than {most} devices.")
    devices, batch = int(found["devices"]), int(found["largest batch"])
    budget = memory_budget(
        spec, accelerator, devices, context=within, batch=batch, weight_dtype=weights, kv_dtype=cache
    )
    return Problem(question, _shares(budget, devices, batch), _held(devices, batch))


def _shares(budget: Budget, devices: int, batch: int) -> tuple[str, ...]:
    """Return the steps, in numbers that add up as printed."""
    usable, weights, engine = (
        round(size / GIB, 2) for size in (budget.usable, budget.weight_bytes, budget.runtime[1])
    )
    each, sharing = budget.cache / batch / GIB, inflected(devices, "It", f"Each of {devices}")
    return (
        f"The engine may use {usable:.2f} GiB of a device.",
        f"{sharing} holds {weights:.2f} GiB of weights, and the engine keeps {engine:.2f} GiB for itself.",
        f"Left for the cache: {usable:.2f} − {weights:.2f} − {engine:.2f} = {usable - weights - engine:.2f} "
        "GiB.",
        f"A sequence takes {significant(each)} GiB of each device: {batch:,} of them take "
        f"{significant(batch * each)} GiB, and one more would not fit.",
    )


def _held(devices: int, batch: int) -> str:
    return f"{counted(devices, 'device')}, and {counted(batch, 'sequence')} at once."


def _scores(spec: ModelSpec, context: int, width: float) -> Problem:
    """Ask what the scores of one layer would take, written out."""
    name, size = title(spec), spec.score_bytes(context)
    cache = spec.kv_cache_bytes(context, 1, width)
    if not size:
        return Problem(
            f"What do the scores of a layer of {name} take?",
            ("Its layers carry a state along and score no keys.",),
            "Nothing: there are none.",
        )
    heads = size // (4 * context**2)
    return Problem(
        f"In a layer of {name} {counted(heads, 'head')} score each of {counted(context, 'token')} against "
        "each. What would scores and softmax take, written out in two bytes a number, and how does that "
        "compare with the cache of all layers?",
        (
            f"{heads} × {context:,}² = {scaled(heads * context**2)} scores.",
            f"Twice, in two bytes each: {binary(size)}.",
            f"The cache of all layers: {binary(cache)}. {binary(size)} ÷ {binary(cache)} = "
            f"{significant(size / cache)}.",
        ),
        f"{binary(size)}, {significant(size / cache)} times the cache; twice the text would make it "
        f"{significant(2 * size / cache)} times where the cache grows in proportion.",
    )
