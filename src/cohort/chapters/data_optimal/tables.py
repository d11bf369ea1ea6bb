"""Models beside a scaling law: what their size and tokens cost over the optimum, and when that pays back.

A model counts by its active parameters. Sizes are in parameters, data in tokens, compute in FLOP, losses in
nats per token; a token of one tokenizer is not one of another.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from numbers import Real

import numpy as np
import pandas as pd

from cohort.architecture.registered import title
from cohort.display import published_values
from cohort.errors import ParameterError, positive, shown, unknown
from cohort.fitting import Bootstrap, Fit, chinchilla_runs
from cohort.registry.frames import table
from cohort.scaling.dense_laws import (
    FLOP_PER_TOKEN,
    SERVING_FLOP_PER_TOKEN,
    Allocation,
    InfeasibleError,
    Lifetime,
    Price,
    Repetition,
    ScalingLaw,
    law,
    laws,
)

FITTED = "fitted"  # the name under which the fit to the Chinchilla runs is asked for


TAIL = [0.025, 0.975]  # of a 95% interval


def chosen_law(name: str, fit: Fit) -> ScalingLaw:
    """Return a law by name: ``fitted`` is that of `fit`, any other a published one.

    Raises
    ------
    UnknownNameError
        If there is no such law; the message names the nearest.
    """
    if name == FITTED:
        return fit.law
    if name not in laws():
        raise unknown("law", name, [FITTED, *laws()])
    return law(name)


def trained(models: Sequence[str]) -> pd.DataFrame:
    """Return size and training of the models whose tokens are known.

    Parameters
    ----------
    models : sequence of str
        Names or paths; others are left out.

    Returns
    -------
    DataFrame
        Indexed by title: ``name``, ``parameters`` (active), ``tokens``, their ``status``, ``ratio`` (tokens
        per active parameter), ``flop``, ``vocabulary`` and ``experts`` (whether it has some).

    Raises
    ------
    ParameterError
        If the tokens of none of them are known.
    """
    records = [
        {
            "model": title(spec),
            "name": spec.name,
            "parameters": float(spec.active_parameters),
            "tokens": float(tokens),
            "status": status,
            "ratio": tokens / spec.active_parameters,
            "flop": spec.training_flops(tokens),
            "vocabulary": spec.vocabulary,
            "experts": spec.experts is not None,
        }
        for spec, tokens, status in published_values.disclosed(models)
    ]
    if not records:
        raise ParameterError("none of the models named discloses its training tokens")
    return pd.DataFrame(records).set_index("model")


def outside_runs(frame: pd.DataFrame, limits: dict[str, float]) -> pd.DataFrame:
    """Return by which factor each model lies beyond the range that the law was fitted on.

    Parameters
    ----------
    frame : DataFrame
        As `trained` returns it.
    limits : dict
        As `cohort.fitting.chinchilla_runs.limits` returns it.

    Returns
    -------
    DataFrame
        ``parameters``, ``flop`` and ``ratio`` over the largest fitted ones: above 1 is outside.
    """
    return pd.DataFrame({name: frame[name] / limits[name] for name in ("parameters", "flop", "ratio")})


Quantity = Callable[[ScalingLaw, float, float], float]


def overhead(law: ScalingLaw, parameters: float, tokens: float) -> float:
    """Return training compute over that of the compute-optimal model of the same predicted loss, less one."""
    best = law.compute_optimal(loss=law.loss(parameters, tokens))
    return FLOP_PER_TOKEN * parameters * tokens / best.flop - 1


def size_ratio(law: ScalingLaw, parameters: float, tokens: float) -> float:
    """Return the size over that of the compute-optimal model of the same predicted loss."""
    return parameters / law.compute_optimal(loss=law.loss(parameters, tokens)).parameters


def against(law: ScalingLaw, frame: pd.DataFrame, boot: Bootstrap | None = None) -> pd.DataFrame:
    """Return each model beside the compute-optimal model of the same predicted loss.

    Parameters
    ----------
    law : ScalingLaw
        The law to judge by.
    frame : DataFrame
        As `trained` returns it.
    boot : Bootstrap, optional
        Of the fit behind the law: gives the ends of the 95% intervals.

    Returns
    -------
    DataFrame
        Per model: ``loss``; ``size`` and ``data`` (over the optimum of that loss); ``overhead`` (extra
        training compute, as a share); ``break-even`` and ``justifying`` (tokens of use after which that is
        repaid, and for which no other size is better; infinite or negative for models larger than the
        optimum). With `boot`, the ends of ``overhead`` and ``break-even`` as ``… low`` and ``… high``.
    """
    records = []
    for name, parameters, tokens in frame[["parameters", "tokens"]].itertuples():
        best = law.compute_optimal(loss=law.loss(parameters, tokens))
        record = {
            "model": name,
            "loss": best.loss,
            "size": parameters / best.parameters,
            "data": tokens / best.tokens,
            "overhead": overhead(law, parameters, tokens),
            "break-even": law.break_even_tokens(parameters, tokens),
            "justifying": law.justifying_tokens(parameters, tokens),
        }
        if boot is not None:
            for column, quantity in (("overhead", overhead), ("break-even", ScalingLaw.break_even_tokens)):
                values = [quantity(each, parameters, tokens) for each in boot.laws]
                ends = np.quantile(values, TAIL, method="nearest")  # infinite ones cannot be interpolated
                record[f"{column} low"], record[f"{column} high"] = map(float, ends)
        records.append(record)
    columns = ["model", "loss", "size", "data", "overhead", "break-even", "justifying"]
    ends_of = [f"{name} {end}" for name in ("overhead", "break-even") for end in ("low", "high")]
    return pd.DataFrame(records, columns=columns + (ends_of if boot else [])).set_index("model")


def by_law(parameters: float, tokens: float, fit: Fit) -> pd.DataFrame:
    """Return how a model stands by each law: the fit and the published ones.

    Returns
    -------
    DataFrame
        Indexed by law: ``size`` (over the optimum of the same loss), ``overhead`` and ``break-even``.
    """
    records = []
    for name in (FITTED, *laws()):
        each = chosen_law(name, fit)
        records.append(
            (
                name,
                size_ratio(each, parameters, tokens),
                overhead(each, parameters, tokens),
                each.break_even_tokens(parameters, tokens),
            )
        )
    return pd.DataFrame(records, columns=["law", "size", "overhead", "break-even"]).set_index("law")


# --- use


def best_sizes(
    law: ScalingLaw, loss: float, uses: Sequence[float], boot: Bootstrap | None = None
) -> pd.DataFrame:
    """Return the best size for a loss over volumes of use, as a share of the compute-optimal size.

    Returns
    -------
    DataFrame
        Indexed by ``use`` in tokens: ``size`` and ``tokens`` over those of the compute-optimal model,
        ``saved`` (compute of training and use saved by it, as a share); with `boot`, ``low`` and ``high`` of
        the size, where each law takes its own loss at the same compute.
    """
    plain = law.compute_optimal(loss=loss)
    plains = [each.compute_optimal(plain.flop) for each in boot.laws] if boot else []
    records = []
    for use in uses:
        best = law.inference_optimal(loss, use)
        record = {
            "use": use,
            "size": best.parameters / plain.parameters,
            "tokens": best.tokens / plain.tokens,
            "saved": 1 - total_flop(best, use) / total_flop(plain, use),
        }
        if boot:
            shares = [
                each.inference_optimal(other.loss, use).parameters / other.parameters
                for each, other in zip(boot.laws, plains, strict=True)
            ]
            record["low"], record["high"] = map(float, np.quantile(shares, TAIL))
        records.append(record)
    return pd.DataFrame(records).set_index("use")


def total_flop(allocation: Allocation, use: float) -> float:
    """Return the compute of training and of `use` tokens of use."""
    return allocation.flop + SERVING_FLOP_PER_TOKEN * allocation.parameters * use


def dollars(law: ScalingLaw, loss: float, lifetime: Lifetime) -> pd.DataFrame:
    """Return what a loss costs over a lifetime of use, by what the size was chosen for.

    Returns
    -------
    DataFrame
        Indexed by choice (training compute alone, all compute, all dollars): ``parameters``, ``tokens``, and
        ``training``, ``use`` and ``all`` in dollars.
    """
    use = lifetime.input_tokens + lifetime.output_tokens
    chosen = {
        "least training compute": law.compute_optimal(loss=loss),
        "least compute": law.inference_optimal(loss, use),
        "least dollars": law.cost_optimal(loss, lifetime),
    }
    records = []
    for name, each in chosen.items():
        training = each.flop * lifetime.training.usd_per_flop
        whole = lifetime.usd(each.parameters, each.tokens)
        records.append((name, each.parameters, each.tokens, training, whole - training, whole))
    columns = ["chosen for", "parameters", "tokens", "training", "use", "all"]
    return pd.DataFrame(records, columns=columns).set_index("chosen for")


def lifetime(
    inference_tokens: float,
    output_share: float,
    usd_per_hour: float,
    peak_flop_per_s: float,
    utilisations: tuple[float, float, float],
) -> Lifetime:
    """Return use and prices on one kind of accelerator.

    Parameters
    ----------
    inference_tokens : float
        Tokens read and written.
    output_share : float
        Share of them that is written, from 0 to 1.
    usd_per_hour, peak_flop_per_s : float
        Price and dense peak of one accelerator.
    utilisations : tuple of three floats
        Shares of the peak that training, reading and writing attain.

    Raises
    ------
    ParameterError
        If a number is out of its range.
    """
    number = isinstance(output_share, Real) and not isinstance(output_share, bool)
    if not number or not 0 <= output_share <= 1:
        raise ParameterError(f"output_share is {shown(output_share)}, but must be from 0 to 1")
    tokens = positive("inference_tokens", inference_tokens)
    training, prefill, decode = (Price(usd_per_hour, peak_flop_per_s, share) for share in utilisations)
    return Lifetime(tokens * (1 - output_share), tokens * output_share, training, prefill, decode)


def tokens_a_day(usd_per_day: float, parameters: float, price: Price) -> float:
    """Return the tokens of use that a daily sum pays for, by compute alone."""
    return usd_per_day / (SERVING_FLOP_PER_TOKEN * parameters * price.usd_per_flop)


# --- generations, quality, limits


def learning_curves(law: ScalingLaw, frame: pd.DataFrame, tokens: Sequence[float]) -> pd.DataFrame:
    """Return the predicted loss of each model's size over amounts of data: one column a model."""
    return pd.DataFrame(
        {
            name: [law.loss(parameters, each) for each in tokens]
            for name, parameters in frame["parameters"].items()
        },
        index=pd.Index(tokens, name="tokens"),
    )


def model_generations(law: ScalingLaw, pairs: Sequence[tuple[str, str]]) -> pd.DataFrame:
    """Return what the newer of two models of about the same size gains by its tokens.

    Parameters
    ----------
    law : ScalingLaw
        The law to judge by.
    pairs : sequence of (str, str)
        Older and newer model.

    Returns
    -------
    DataFrame
        Indexed by the newer model's title: ``older``; ``size`` and ``tokens`` (newer over older); ``loss
        older``, ``loss newer``; ``by tokens``, the share of the fall in loss that the tokens alone bring;
        ``equal size``, the size that the older would have needed at its own tokens (NaN where none is
        enough).
    """
    records = []
    for old, new in pairs:
        frame = trained([old, new])
        (n0, d0), (n1, d1) = frame[["parameters", "tokens"]].to_numpy()
        before, after = law.loss(n0, d0), law.loss(n1, d1)
        records.append(
            {
                "model": frame.index[1],
                "older": frame.index[0],
                "size": n1 / n0,
                "tokens": d1 / d0,
                "loss older": before,
                "loss newer": after,
                "by tokens": (before - law.loss(n0, d1)) / (before - after),
                "equal size": size_for(law, d0, after),
            }
        )
    columns = ["model", "older", "size", "tokens", "loss older", "loss newer", "by tokens", "equal size"]
    return pd.DataFrame(records, columns=columns).set_index("model")


def size_for(law: ScalingLaw, tokens: float, loss: float) -> float:
    """Return the size that reaches a loss on given tokens, NaN where none does."""
    swapped = ScalingLaw(E=law.E, A=law.B, B=law.A, alpha=law.beta, beta=law.alpha)
    try:
        return swapped.tokens_for(tokens, loss)
    except InfeasibleError:
        return math.nan


def quality_needed(law: ScalingLaw, frame: pd.DataFrame, rival: str) -> pd.DataFrame:
    """Return how much better, token for token, data must be for each model to reach a rival's predicted loss.

    Data of quality q count as q times as many tokens, in all models compared with 1 for the rival.

    Returns
    -------
    DataFrame
        Per model other than the rival: ``tokens`` and ``ratio`` as trained, ``loss``, and ``quality``,
        infinite where the model is too small for any data.
    """
    target = law.loss(*frame.loc[rival, ["parameters", "tokens"]])
    records = []
    for name, row in frame.drop(rival).iterrows():
        try:
            quality = law.tokens_for(row["parameters"], target) / row["tokens"]
        except InfeasibleError:
            quality = math.inf
        loss = law.loss(row["parameters"], row["tokens"])
        records.append((name, row["tokens"], row["ratio"], loss, quality))
    columns = ["model", "tokens", "ratio", "loss", "quality"]
    return pd.DataFrame(records, columns=columns).set_index("model").astype(float)


def curated(
    law: ScalingLaw,
    flop: float,
    unique_tokens: float,
    quality: float,
    repetition: Repetition | str | None = None,
) -> pd.DataFrame:
    """Return what keeping a part of the data, each token worth more, does to the loss at one compute.

    Of `unique_tokens` the share 1 / `quality` is kept, and each token of it counts as `quality` tokens: the
    best case, in which what is dropped would have added nothing.

    Returns
    -------
    DataFrame
        Indexed by data (all, curated): ``parameters``, ``tokens``, ``passes`` over the unique tokens, and
        ``loss``.
    """
    better = law.with_quality(quality)
    records = []
    for name, each, unique in (("all", law, unique_tokens), ("curated", better, unique_tokens / quality)):
        best = each.data_limited(flop, unique, repetition)
        records.append((name, best.parameters, best.tokens, best.tokens / unique, best.loss))
    columns = ["data", "parameters", "tokens", "passes", "loss"]
    return pd.DataFrame(records, columns=columns).set_index("data")


def limited(
    law: ScalingLaw, flops: Sequence[float], unique_tokens: float, repetition: Repetition | str | None = None
) -> pd.DataFrame:
    """Return the best allocation over computes where the data run out.

    Returns
    -------
    DataFrame
        Indexed by ``flop``: ``parameters``, ``tokens``, ``passes`` over the unique tokens, ``loss``, and
        ``free``, the loss with as much data as wanted.
    """
    records = []
    for flop in flops:
        best = law.data_limited(flop, unique_tokens, repetition)
        passes = max(1.0, best.tokens / unique_tokens)
        records.append(
            (flop, best.parameters, best.tokens, passes, best.loss, law.compute_optimal(flop).loss)
        )
    columns = ["flop", "parameters", "tokens", "passes", "loss", "free"]
    return pd.DataFrame(records, columns=columns).set_index("flop")


# --- what the law has not seen


def overtrained_runs() -> pd.DataFrame:
    """Return the runs of :cite:t:`sardana2024beyond`, with up to 10,000 tokens per parameter.

    Returns
    -------
    DataFrame
        ``parameters``, ``tokens``, ``loss`` and ``ratio`` (tokens per parameter).
    """
    frame = table("overtrained_runs").astype(float)
    return frame.assign(ratio=frame["tokens"] / frame["parameters"])


def extrapolated(runs: pd.DataFrame, most: float) -> tuple[Fit, pd.DataFrame]:
    """Return a law fitted to runs of few tokens per parameter, and how it predicts those of many.

    Parameters
    ----------
    runs : DataFrame
        With ``parameters``, ``tokens``, ``loss`` and ``ratio``; dropped runs take no part.
    most : float
        The most tokens per parameter of the runs that are fitted.

    Returns
    -------
    Fit
        To the runs of few.
    DataFrame
        The runs with ``fitted`` and ``error``, observed / predicted - 1.
    """
    kept = runs[~runs["dropped"]] if "dropped" in runs else runs
    kept = kept.assign(fitted=kept["ratio"] <= most * (1 + 1e-9))
    found = chinchilla_runs.fit_runs(kept[kept["fitted"]])
    return found, kept.assign(error=chinchilla_runs.relative_errors(found.law, kept))


def extrapolations(named: Mapping[str, pd.DataFrame], most: float) -> pd.DataFrame:
    """Return `extrapolated` in numbers for several sets of runs, one row a set.

    Returns
    -------
    DataFrame
        ``fitted`` and ``predicted`` runs, the median of the absolute error of the first and of the error of
        the second (shares), the irreducible loss ``E`` of the fit, and ``starts`` that agree on it.
    """
    records = []
    for name, runs in named.items():
        found, frame = extrapolated(runs, most)
        inside = frame["fitted"]
        records.append(
            {
                "runs": name,
                "fitted": int(inside.sum()),
                "predicted": int((~inside).sum()),
                "median, fitted": frame["error"][inside].abs().median(),
                "median, predicted": frame["error"][~inside].median(),
                "E": found.law.E,
                "starts": f"{found.starts_agreeing} of {found.starts}",
            }
        )
    return pd.DataFrame(records).set_index("runs")


def behind(law: ScalingLaw, parameters: float, tokens: float, shares: Sequence[float]) -> pd.DataFrame:
    """Return what changes for a model whose loss is above the law's, by shares of that loss.

    Its compute-optimal rival follows the law, and only has to reach the higher loss.

    Returns
    -------
    DataFrame
        Indexed by ``share``: ``loss``; ``overhead`` (extra training compute, as a share); and ``break-even``,
        infinite where the rival is no larger than the model.
    """
    records = []
    for share in shares:
        best = law.compute_optimal(loss=law.loss(parameters, tokens) * (1 + share))
        flop, saved = FLOP_PER_TOKEN * parameters * tokens, best.parameters - parameters
        repaid = (flop - best.flop) / (SERVING_FLOP_PER_TOKEN * saved) if saved > 0 else math.inf
        records.append((share, best.loss, flop / best.flop - 1, max(repaid, 0.0)))
    columns = ["share", "loss", "overhead", "break-even"]
    return pd.DataFrame(records, columns=columns).set_index("share")


def beside_scores(against: pd.DataFrame, models: Sequence[str], benchmark: str) -> pd.DataFrame:
    """Return the predicted loss of each model beside its median score as a base model.

    Parameters
    ----------
    against : DataFrame
        As `against` returns it.
    models : sequence of str
        The same models by name.
    benchmark : str
        A name from `cohort.display.published_values.benchmarks`.

    Returns
    -------
    DataFrame
        Per model with both: ``loss`` and ``score`` in per cent.
    """
    found = published_values.scores(models, benchmark)
    sound = found[(found["variant"] == "base") & (found["status"] != "contested")]
    medians = sound.groupby("model")["score"].median()
    return pd.DataFrame({"loss": against["loss"], "score": medians}).dropna()
