"""Mixtures of experts as tables: anatomy, dense counterparts, coverage, balance, laws, serving."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from statistics import median

import numpy as np
import pandas as pd

from cohort.architecture.decoder import Dense, Experts, FeedForward, ModelSpec, Residual
from cohort.architecture.dtypes import precision
from cohort.architecture.registered import group, known, specs, title
from cohort.architecture.registered import model as read_model
from cohort.architecture.variants import with_feedforward
from cohort.display import published_values, words
from cohort.errors import ParameterError, integer, shown
from cohort.experts import closed_form, router
from cohort.numeric import root
from cohort.registry import facts
from cohort.registry.devices import Accelerator, sixteen_bit_type
from cohort.registry.devices import accelerator as find_accelerator
from cohort.scaling import mixture_laws
from cohort.scaling.dense_laws import InfeasibleError
from cohort.serving.roofline import RESERVE, compute_bound_concurrency, weights_read


def mixtures(models: Sequence[str]) -> list[ModelSpec]:
    """Return those of several models that have experts.

    Raises
    ------
    ParameterError
        If none has.
    """
    found = [spec for spec in specs(models) if spec.experts]
    if not found:
        raise ParameterError(
            f"models is {shown(list(models))}, but must name at least one mixture of experts"
        )
    return found


def mixture(model: str) -> ModelSpec:
    """Return a model with experts.

    Raises
    ------
    ParameterError
        If it has none.
    """
    spec = read_model(model)
    if spec.experts is None:
        known = ", ".join(each.name for each in map(read_model, facts.config_names()) if each.experts)
        raise ParameterError(f"model is {spec.name}, which is dense, but must be a mixture; known: {known}")
    return spec


# Anatomy ----------------------------------------------------------------------------------------------------

PARTS = ("routed experts", "shared or beside", "routers", "dense layers", "attention and norms", "vocabulary")


def anatomy(models: Sequence[str]) -> pd.DataFrame:
    """Return where the weights of mixtures are, counted exactly.

    Parameters
    ----------
    models : sequence of str
        Names or paths; dense ones are left out.

    Returns
    -------
    DataFrame
        Per model whole numbers of weights: ``routed experts``, ``shared or beside`` (experts or dense
        networks that every token of such a layer passes through), ``routers``, ``dense layers`` (the
        feed-forward networks of layers without experts), ``attention and norms``, ``vocabulary`` (embedding
        and output head), ``total`` and ``active``.
    """
    return pd.DataFrame.from_dict(
        {title(spec): _anatomy(spec) for spec in mixtures(models)}, orient="index"
    ).rename_axis("model")


def _anatomy(spec: ModelSpec) -> dict[str, int]:
    parts = dict.fromkeys(PARTS, 0)
    for layer in spec.layers:
        part, mixed = layer.feedforward, layer.experts
        if mixed is None:
            parts["dense layers"] += part.parameters(spec.hidden)
            continue
        routed_ = mixed.count * mixed.expert.parameters(spec.hidden)
        router = replace(mixed, shared=0, shared_gate=False).parameters(spec.hidden) - routed_
        parts["routed experts"] += routed_
        parts["routers"] += router
        parts["shared or beside"] += part.parameters(spec.hidden) - routed_ - router
    parts["vocabulary"] = spec.embedding_parameters + spec.head_parameters
    parts["attention and norms"] = spec.parameters - sum(parts.values())
    return {**parts, "total": spec.parameters, "active": spec.active_parameters}


def active_conventions(models: Sequence[str]) -> pd.DataFrame:
    """Return which count gives each published number of active parameters.

    Returns
    -------
    DataFrame
        As `published_values.explained` returns it, of the mixtures that publish a number.
    """
    names = [spec.name for spec in mixtures(models) if spec.registered]
    return published_values.explained(published_values.published_counts(names, active=True))


# Dense counterparts -----------------------------------------------------------------------------------------


def dense_of_active(spec: ModelSpec) -> ModelSpec:
    """Return the dense model whose feed-forward networks are as wide as what a token passes through."""
    return with_feedforward(spec, lambda part: _dense(part, opened=False))


def dense_of_total(spec: ModelSpec) -> ModelSpec:
    """Return the dense model whose feed-forward networks are as wide as all experts together."""
    return with_feedforward(spec, lambda part: _dense(part, opened=True))


def _dense(part: FeedForward, opened: bool) -> FeedForward:
    if isinstance(part, Dense):
        return part
    mixed = part.experts if isinstance(part, Residual) else part
    assert isinstance(mixed, Experts)
    width = (mixed.count if opened else mixed.active) * mixed.width
    width += mixed.shared * (mixed.shared_width or mixed.width)
    width += part.dense.width if isinstance(part, Residual) else 0
    return Dense(width, mixed.gated, mixed.bias)


def devices_to_hold(spec: ModelSpec, accelerator: Accelerator, weight_dtype: str = "bf16") -> int:
    """Return how many accelerators hold the weights, a tenth of each memory being kept free."""
    size = spec.parameters * precision(weight_dtype).bytes_per_element
    return math.ceil(size / (accelerator.memory_bytes * (1 - RESERVE)))


def beside_dense(models: Sequence[str], accelerator: str, weight_dtype: str = "bf16") -> pd.DataFrame:
    """Return compute, memory and traffic of mixtures beside dense models of as many parameters.

    Parameters
    ----------
    models : sequence of str
        Names or paths; dense ones are left out.
    accelerator : str
        That holds the weights.
    weight_dtype : str
        Type of the weights.

    Returns
    -------
    DataFrame
        Indexed by model and ``as``: ``it is``, ``dense, active`` (a dense model as wide as what a token
        passes through) and ``dense, total`` (as wide as everything). ``training`` in GFLOP a token, without
        scores of attention; ``memory`` in GB of weights; ``devices`` that hold them; ``read``, GB of weights
        that writing one token of one sequence reads.
    """
    device, width = find_accelerator(accelerator), precision(weight_dtype).bytes_per_element
    records = {}
    for spec in mixtures(models):
        both = {"dense, active": dense_of_active(spec), "dense, total": dense_of_total(spec)}
        for name, each in {"it is": spec, **both}.items():
            records[title(spec), name] = {
                "training": 6 * each.matmul_parameters / 1e9,
                "memory": each.parameters * width / 1e9,
                "devices": devices_to_hold(each, device, weight_dtype),
                "read": weights_read(each, 1) * width / 1e9,
            }
    frame = pd.DataFrame.from_dict(records, orient="index")
    frame.index = pd.MultiIndex.from_tuples(frame.index, names=["model", "as"])
    return frame


# Coverage ---------------------------------------------------------------------------------------------------


def batches(most: int) -> list[int]:
    """Return powers of two from 1 to `most`.

    Raises
    ------
    ParameterError
        If `most` is no integer from 1 to a million.
    """
    integer("most", most, 1, 1_000_000, unit="tokens")
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
    """
    mixed = spec.experts
    assert mixed is not None
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

    Returns
    -------
    array of int, shape (repeats,)
    """
    chosen = router.route(weighted, active, tokens * repeats, seed).reshape(repeats, tokens * active)
    seen = np.zeros((repeats, weighted.size), dtype=bool)
    seen[np.arange(repeats)[:, None], chosen] = True
    return np.asarray(seen.sum(axis=1))


def bound_excess(count: int, active: int) -> float:
    """Return by how much min(E, K T) exceeds the expected coverage of alike experts where it is worst."""
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
    mixed = spec.experts
    assert mixed is not None
    alike = closed_form.coverage(mixed.count, mixed.active, tokens)
    skewed = closed_form.coverage(
        mixed.count, mixed.active, tokens, _popularity(mixed.count, mixed.active, skew)
    )
    layers = sum(1 for layer in spec.layers if layer.experts)
    missed = layers * (alike - skewed) * mixed.expert.parameters(spec.hidden)
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
    """
    records = {}
    for spec in mixtures(models):
        dense = dense_of_active(spec)
        own = weights_read(dense, 1)
        everything = spec.parameters - (0 if spec.tied else spec.embedding_parameters)
        bends = [compute_bound_concurrency(each, accelerator, weight_dtype) for each in (spec, dense)]
        numbers = sorted({*batches(2**17), *(n for bend in bends for n in (max(bend - 1, 1), bend))})
        ratios = {n: _step(spec, n, accelerator, weight_dtype) / _step(dense, n, accelerator, weight_dtype)
                  for n in numbers}  # fmt: skip
        highest = max(ratios.values())
        worst = next(n for n in numbers if ratios[n] >= highest * (1 - 1e-6))
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


# Laws -------------------------------------------------------------------------------------------------------

MIXED_LAWS = ("clark-s-base", "clark-rl-r", "clark-hash", "krajewski-64", "krajewski-16", "abnar")


FOLKLORE = "root of total and active"


def _tokens(spec: ModelSpec) -> float | None:
    """Return the training tokens that a model's makers state, None where they do not."""
    found = published_values.disclosed([spec.name]) if spec.registered else []
    return found[0][1] if found else None


def usual_tokens() -> float:
    """Return the median of the training tokens that the makers of the post's mixtures state."""
    found = [tokens for spec in specs(group("cohort")) if spec.experts and (tokens := _tokens(spec))]
    return median(found)


def equivalents(models: Sequence[str]) -> pd.DataFrame:
    """Return the dense model that each law takes for as good as each mixture.

    Parameters
    ----------
    models : sequence of str
        Names or paths; dense ones are left out.

    Returns
    -------
    DataFrame
        One row a model and law, the rule of thumb `FOLKLORE` included: ``model``, ``law``, ``active``,
        ``total`` and ``dense`` in parameters without vocabulary (``dense`` is infinite where no dense model
        is as good), ``beyond``, how many times the model lies outside the runs of the law where it is
        farthest (1 if nowhere, not a number where the runs are not known), with ``in``, the quantity. Where
        the tokens are not stated they are `usual_tokens`, which ``assumed`` says.
    """
    records = []
    for spec in mixtures(models):
        own = mixture_laws.shape(spec)
        stated = _tokens(spec)
        tokens = stated or usual_tokens()
        common = {"model": title(spec), "active": own.active, "total": own.total, "assumed": stated is None}
        for name in MIXED_LAWS:
            times, worst = _beyond(name, own, stated)
            try:
                dense = mixture_laws.dense_equivalent(name, own, tokens)
            except InfeasibleError:
                dense = math.inf
            found = {"law": name, "dense": dense, "beyond": times, "in": worst}
            records.append({**common, **found})
        records.append(
            {**common, "law": FOLKLORE, "dense": mixture_laws.geometric_mean(own), "beyond": 1.0, "in": ""}
        )
    return pd.DataFrame(records)


def _beyond(name: str, own: mixture_laws.Shape, tokens: float | None) -> tuple[float, str]:
    """Return how many times a mixture lies outside the runs of a law, at least 1, and in what.

    Not a number where the sizes of the runs are not known and nothing else is outside.
    """
    found = mixture_laws.outside(name, own, tokens)
    times = {quantity: max(value, 1 / value) for quantity, value in found.items()}
    if times:
        worst = max(times, key=lambda quantity: times[quantity])
        return times[worst], worst
    sizes = {"active parameters", "total parameters"} & mixture_laws.ranges(name).keys()
    return (1.0, "") if sizes else (math.nan, "sizes not known")


def reproduced() -> pd.DataFrame:
    """Return what the reports on the laws print beside what their printed coefficients give.

    Returns
    -------
    DataFrame
        One row a figure: ``law``, ``quantity``, ``active`` parameters it is of, ``printed``, ``derived``, and
        ``error``, relative, empty where a range is printed. ``low`` and ``high`` are that range, of which
        ``inside`` says whether it holds the derived figure; for a cutoff they are what coefficients that
        round to the printed ones give, and ``inside`` says whether that holds the printed figure.
    """
    records = []
    for row in facts.rows("routed_law_prints"):
        derived = _derived(row)
        printed, low, high = (float(row[key]) if row[key] else math.nan for key in ("value", "low", "high"))
        if row["quantity"] == "cutoff":
            low, high = _rounded_cutoffs(row["law"])
        records.append(
            {
                "law": row["law"],
                "quantity": row["quantity"],
                "active": float(row["active_parameters"] or "nan"),
                "printed": printed,
                "low": low,
                "high": high,
                "derived": derived,
                "error": derived / printed - 1,
                "inside": low <= (derived if math.isnan(printed) else printed) <= high,
            }
        )
    return pd.DataFrame(records)


def _rounded_cutoffs(name: str) -> tuple[float, float]:
    """Return the lowest and highest cutoff of a law of Clark et al. whose coefficients round as printed."""
    rows = {row["quantity"]: row["value"] for row in facts.rows("routed_laws") if row["law"] == name}
    (b, half_b), (c, half_c) = (
        (abs(float(rows[key])), words.last_digit(rows[key].removeprefix("-")) / 2) for key in ("b", "c")
    )
    return 10 ** ((b - half_b) / (c + half_c)), 10 ** ((b + half_b) / (c - half_c))


def _derived(row: dict[str, str]) -> float:
    found = mixture_laws.routed_law(row["law"])
    if isinstance(found, mixture_laws.BilinearLaw):
        if row["quantity"] == "cutoff":
            return found.cutoff
        return found.dense_equivalent(float(row["active_parameters"]), float(row["expansion"]))
    assert isinstance(found, mixture_laws.GranularLaw)
    if row["quantity"] in ("flop", "loss"):
        return _at_printed(found, row)
    flop = _printed(row, "flop")
    size = float(row["active_parameters"])
    best = found.compute_optimal(flop) if flop else _optimum(row["law"], size)
    return best.tokens if row["quantity"] == "tokens" else float(best.granularity)


def _printed(row: dict[str, str], quantity: str) -> float | None:
    """Return another figure that is printed for the same model, None if there is none."""
    keys = ("law", "active_parameters")
    rows = facts.rows("routed_law_prints")
    same = (each for each in rows if all(each[key] == row[key] for key in keys))
    return next((float(each["value"]) for each in same if each["quantity"] == quantity), None)


def _at_printed(law: mixture_laws.GranularLaw, row: dict[str, str]) -> float:
    """Return compute or loss at the size, the tokens and the granularity that are printed."""
    tokens, granularity = _printed(row, "tokens"), _printed(row, "granularity")
    assert tokens and granularity
    width = law.width(float(row["active_parameters"]))
    if row["quantity"] == "flop":
        return law.flop_per_token(width, granularity) * tokens
    return law.loss(law.parameters(width)[1], tokens, granularity)


@lru_cache(maxsize=64)
def _optimum(name: str, active: float) -> mixture_laws.MixtureAllocation:
    """Return the compute-optimal mixture of a size: the budget that it is best for is looked for.

    The granularity steps, and with it the size that a budget is best for: the root is where it passes.
    """
    found = mixture_laws.routed_law(name)
    assert isinstance(found, mixture_laws.GranularLaw)
    law = found

    def larger(log_flop: float) -> float:
        return law.compute_optimal(math.exp(log_flop)).active / active - 1

    return law.compute_optimal(math.exp(root(larger, math.log(1e15), math.log(1e30))))


# Benchmarks -------------------------------------------------------------------------------------------------

SETTING = "5-shot"


def scores_by_size(benchmark: str = "MMLU") -> pd.DataFrame:
    """Return scores of base models by active and total parameters, all from the same setting.

    Parameters
    ----------
    benchmark : str
        A name from `cohort.display.published_values.benchmarks`, of a test that is taken with five examples.

    Returns
    -------
    DataFrame
        Per model of the registry with such scores: ``score`` in per cent, the median over sources,
        ``active`` and ``total`` parameters, the release ``year``, and whether it has ``experts``.

    Raises
    ------
    UnknownNameError
        If there is no such benchmark.
    """
    every = {title(spec): spec for spec in specs(facts.config_names())}
    frame = published_values.scores([spec.name for spec in every.values()], benchmark)
    same = (frame["variant"] == "base") & (frame["shots"] == SETTING) & (frame["status"] != "contested")
    medians = frame[same].groupby("model")["score"].median()
    records = {
        name: {
            "score": medians[name],
            "active": spec.active_parameters,
            "total": spec.parameters,
            "year": int(known(spec)["release_date"].value[:4]),
            "experts": spec.experts is not None,
        }
        for name, spec in every.items()
        if name in medians.index
    }
    return pd.DataFrame.from_dict(records, orient="index").rename_axis("model")


def fitted_size(frame: pd.DataFrame) -> pd.DataFrame:
    """Return what size a dense model of the same score has, by the dense models of the same years.

    A straight line is fitted to the scores of dense models over the logarithm of their size, with a step for
    each year, and read backwards for the mixtures.

    Parameters
    ----------
    frame : DataFrame
        As `scores_by_size` returns it.

    Returns
    -------
    DataFrame
        Per mixture of a year with dense models: ``active``, ``total``, ``dense`` in parameters, and ``low``
        and ``high``, with the line moved by the standard deviation of what it leaves. ``attrs["points"]``
        holds that in points, ``attrs["dense models"]`` how many the line rests on. Empty where there are
        fewer than three dense models more than years.
    """
    dense = frame[~frame["experts"]]
    years = sorted(dense["year"].unique())
    mixed = frame[frame["experts"] & frame["year"].isin(years)]
    free = len(dense) - len(years) - 1
    if free < 2 or mixed.empty:
        return pd.DataFrame(columns=["active", "total", "dense", "low", "high"])
    steps = [(dense["year"] == year).astype(float) for year in years]
    matrix = np.column_stack([np.log10(dense["total"].astype(float)), *steps])
    found, *_ = np.linalg.lstsq(matrix, dense["score"].to_numpy(float), rcond=None)
    left = dense["score"].to_numpy(float) - matrix @ found
    points = float(np.sqrt((left**2).sum() / free))
    base = np.array([found[1 + years.index(year)] for year in mixed["year"]])
    result = mixed[["active", "total"]].astype(float)
    for name, moved in (("dense", 0.0), ("low", -points), ("high", points)):
        result[name] = 10 ** ((mixed["score"].to_numpy(float) + moved - base) / found[0])
    result.attrs = {"points": points, "dense models": len(dense), "per tenfold": float(found[0])}
    return result
