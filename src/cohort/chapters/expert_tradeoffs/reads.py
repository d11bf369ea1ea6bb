"""What a batch of tokens reads of a mixture, as tables: distinct experts, weights, and what that costs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import pandas as pd

from cohort.architecture.decoder import ModelSpec
from cohort.architecture.dtypes import precision
from cohort.architecture.registered import title
from cohort.chapters.expert_tradeoffs.sizes import dense_of_active, dense_of_total, experts_of, mixtures
from cohort.errors import integer
from cohort.experts import closed_form, router
from cohort.registry.devices import accelerator as find_accelerator
from cohort.registry.devices import sixteen_bit_type
from cohort.serving.roofline import compute_bound_concurrency, weights_read


def batches(most: int) -> list[int]:
    """Return powers of two from 1 to `most`.

    Parameters
    ----------
    most : int
        Tokens, up to a million.

    Returns
    -------
    list of int
        Rising.

    Raises
    ------
    ParameterError
        If `most` is no integer from 1 to a million.
    """
    most = integer("most", most, 1, 1_000_000, unit="tokens")
    return [2**power for power in range(most.bit_length())]


@lru_cache(maxsize=64)
def _popularity(count: int, active: int, skew: float) -> tuple[float, ...]:
    return tuple(router.popularity(router.weights(count, skew), active).tolist())


def expert_coverage(
    spec: ModelSpec, tokens: Sequence[int], skew: float, seed: int, repeats: int = 200
) -> pd.DataFrame:
    """Return how many distinct experts a layer reads, by formula, by simulation and by the usual bound.

    Parameters
    ----------
    spec : ModelSpec
        A mixture.
    tokens : sequence of int
        Tokens that are routed at once.
    skew : float
        Of the router, as in `cohort.experts.router.weights`.
    seed : int
        Of the simulation.
    repeats : int
        Batches that are simulated of each size.

    Returns
    -------
    DataFrame
        Per number of tokens: ``alike``, expected for alike experts, ``skewed``, for those of the skew,
        ``simulated``, the mean of as many batches of that skew, its ``error`` (standard), and ``bound``, the
        smaller of all experts and one for each choice.

    Raises
    ------
    ParameterError
        If the model is dense, or the skew is out of its range.
    """
    mixed = experts_of(spec)
    popular = _popularity(mixed.count, mixed.active, skew)
    weighted = router.weights(mixed.count, skew)
    records = {}
    for number in tokens:
        size = min(repeats, max(400_000 // number, 8))
        seen = distinct(weighted, mixed.active, number, size, seed + number)
        records[number] = {
            "alike": closed_form.coverage(mixed.count, mixed.active, number),
            "skewed": closed_form.coverage(mixed.count, mixed.active, number, popular),
            "simulated": float(seen.mean()),
            "error": float(seen.std(ddof=1) / math.sqrt(seen.size)),
            "bound": min(mixed.count, number * mixed.active),
        }
    return pd.DataFrame.from_dict(records, orient="index").rename_axis("tokens")


def distinct(weighted: router.Floats, active: int, tokens: int, repeats: int, seed: int) -> router.Ints:
    """Return how many distinct experts each of several simulated batches reads.

    Parameters
    ----------
    weighted : array of float, shape (experts,)
        Weights of the router.
    active : int
        Experts that take a token.
    tokens : int
        Tokens of a batch.
    repeats : int
        Batches.
    seed : int
        Of the simulation.

    Returns
    -------
    array of int, shape (repeats,)
    """
    chosen = router.route(weighted, active, tokens * repeats, seed).reshape(repeats, tokens * active)
    seen = np.zeros((repeats, weighted.size), dtype=bool)
    seen[np.arange(repeats)[:, None], chosen] = True
    return np.asarray(seen.sum(axis=1))


def bound_excess(count: int, active: int) -> float:
    """Return by how much min(E, K T) exceeds the expected coverage of alike experts where it is worst.

    Parameters
    ----------
    count, active : int
        Experts of a layer, E, and those that take a token, K.

    Returns
    -------
    float
        A share of the expected number, 0 where both agree.
    """
    first = max(math.ceil(count / active), 1)
    tried = {max(first - 1, 1), first, first + 1}
    return max(min(count, active * each) / closed_form.coverage(count, active, each) for each in tried) - 1


def traffic(spec: ModelSpec, tokens: Sequence[int], skew: float, weight_dtype: str = "bf16") -> pd.DataFrame:
    """Return the weights that a step of decode reads, of a mixture and of its dense counterparts.

    Parameters
    ----------
    spec : ModelSpec
        A mixture.
    tokens : sequence of int
        Sequences that are written at once.
    skew : float
        Of the router.
    weight_dtype : str
        Type of the weights.

    Returns
    -------
    DataFrame
        Per number of sequences, in GB: ``alike`` and ``skewed`` experts, ``dense, active`` and ``dense,
        total``.

    Raises
    ------
    ParameterError
        If the model is dense, or the skew is out of its range.
    """
    width = precision(weight_dtype).bytes_per_element / 1e9
    small, large = (weights_read(each(spec), 1) * width for each in (dense_of_active, dense_of_total))
    records = {}
    for number in tokens:
        records[number] = {
            "alike": weights_read(spec, number) * width,
            "skewed": _read_with_skew(spec, number, skew) * width,
            "dense, active": small,
            "dense, total": large,
        }
    return pd.DataFrame.from_dict(records, orient="index").rename_axis("sequences")


def _read_with_skew(spec: ModelSpec, tokens: int, skew: float) -> float:
    mixed = experts_of(spec)
    alike = closed_form.coverage(mixed.count, mixed.active, tokens)
    skewed = closed_form.coverage(
        mixed.count, mixed.active, tokens, _popularity(mixed.count, mixed.active, skew)
    )
    layers = sum(1 for layer in spec.layers if layer.experts)
    missed = layers * (alike - skewed) * mixed.expert_parameters(spec.hidden)
    return weights_read(spec, tokens) - missed


TWICE, NEARLY_ALL = 2.0, 0.9


def advantage(models: Sequence[str], accelerator: str, weight_dtype: str = "bf16") -> pd.DataFrame:
    """Return from how many sequences on a mixture loses what it has at one.

    Parameters
    ----------
    models : sequence of str
        Names or paths; dense ones are left out.
    accelerator : str
        Whose peaks say what bounds a step.
    weight_dtype : str
        Type of the weights.

    Returns
    -------
    DataFrame
        Per model the sequences from which on a step reads ``twice`` the weights of the dense model of equal
        active size, and ``nearly all`` of its own; from which on products take longer than reading weights,
        for the mixture (``compute-bound``) and for that dense model (``dense compute-bound``); and
        ``slowest``, how many times as long as that dense model's a step takes at the peaks where the ratio is
        largest, with the fewest sequences ``at`` which it is. ``twice`` and ``nearly all`` are missing
        where no number of sequences brings them about.

    Raises
    ------
    CohortError
        As in `sizes.mixtures`, or if another name is unknown.
    """
    records = {}
    for spec in mixtures(models):
        dense = dense_of_active(spec)
        own = weights_read(dense, 1)
        everything = spec.parameters - (0 if spec.tied else spec.embedding_parameters)
        bends = [compute_bound_concurrency(each, accelerator, weight_dtype) for each in (spec, dense)]
        numbers = sorted({*batches(2**17), *(n for bend in bends for n in (max(bend - 1, 1), bend))})
        ratios = {
            n: _step(spec, n, accelerator, weight_dtype) / _step(dense, n, accelerator, weight_dtype)
            for n in numbers
        }
        highest = max(ratios.values())
        worst = min(n for n, ratio in ratios.items() if ratio >= highest * (1 - 1e-6))
        records[title(spec)] = {
            "twice": _reads(spec, TWICE * own),
            "nearly all": _reads(spec, NEARLY_ALL * everything),
            "compute-bound": bends[0],
            "dense compute-bound": bends[1],
            "slowest": ratios[worst],
            "at": worst,
        }
    frame = pd.DataFrame.from_dict(records, orient="index").rename_axis("model")
    whole = [column for column in frame if column != "slowest"]
    return frame.astype(dict.fromkeys(whole, "Int64"))


def _reads(spec: ModelSpec, weights: float) -> int | None:
    """Return from how many sequences on a step reads so many weights, None if it never does."""
    low, high = 0, 1
    while weights_read(spec, high) < weights:
        low, high = high, 2 * high
        if high > 2**30:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if weights_read(spec, middle) >= weights else (middle, high)
    return high


def _step(spec: ModelSpec, sequences: int, accelerator: str, weight_dtype: str) -> float:
    """Return the seconds of a step at the peaks, without the cache."""
    device = find_accelerator(accelerator)
    read = weights_read(spec, sequences) * precision(weight_dtype).bytes_per_element / device.bandwidth
    native = weight_dtype in ("fp8", "fp4") and weight_dtype in dict(device.peaks)
    kind = weight_dtype if native else sixteen_bit_type(device)
    return max(read, 2.0 * spec.matmul_parameters * sequences / device.peak(kind))
