"""Models beside a scaling law: what their size and tokens cost over the optimum, and when that pays back.

A model counts by its active parameters. Sizes are in parameters, data in tokens, compute in FLOP, losses in
nats per token; a token of one tokenizer is not one of another.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from cohort.architecture.registered import title
from cohort.display import published_values
from cohort.errors import ParameterError, unknown
from cohort.fitting import Bootstrap, Fit, chinchilla_runs, fit, predicted
from cohort.registry.frames import table
from cohort.scaling import FLOP_PER_TOKEN, SERVING_FLOP_PER_TOKEN, ScalingLaw, law, laws
from cohort.scaling.stored_laws import laws_of_runs

FITTED = "fitted"  # the name under which the fit to the Chinchilla runs is asked for


COUPLED = "coupled form, predicted (%)"
TAIL = [0.025, 0.975]  # of a 95% interval


def chosen_law(name: str, fit: Fit) -> ScalingLaw:
    """Return a law by name: ``fitted`` is that of `fit`, any other a published one.

    Parameters
    ----------
    name : str
        ``fitted``, or a name from `cohort.laws`.
    fit : Fit
        To the Chinchilla runs.

    Returns
    -------
    ScalingLaw
        The law.

    Raises
    ------
    UnknownNameError
        If there is no such law; the message names the nearest.
    ParameterError
        If a saved law is of another form.
    """
    if name == FITTED:
        fitted: ScalingLaw = fit.law
        return fitted
    if name.endswith(".json"):
        saved = law(name)
        if not isinstance(saved, ScalingLaw):
            raise ParameterError(f"{name} holds a law of another form than the chapter's, {saved.form}")
        return saved
    if name not in laws():
        raise unknown("law", name, [FITTED, *laws()])
    return law(name)


def describes_chinchilla(name: str) -> bool:
    """Whether a law, ``fitted`` or a published one, describes the Chinchilla runs rather than other runs.

    Parameters
    ----------
    name : str
        As `chosen_law` takes it.

    Returns
    -------
    bool
    """
    return name == FITTED or chinchilla_runs.of_chinchilla(name)


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


def training_of(model: str) -> pd.Series:
    """Return size and training of one model: its row of `trained`.

    Parameters
    ----------
    model : str
        Name or path.

    Returns
    -------
    Series
        Named by the model's title.

    Raises
    ------
    ParameterError
        If its training tokens are not known.
    """
    ((_, row),) = trained([model]).iterrows()
    return row


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


def overhead(law: ScalingLaw, parameters: float, tokens: float) -> float:
    """Return training compute over that of the compute-optimal model of the same predicted loss, less one.

    Parameters
    ----------
    law : ScalingLaw
        The law to judge by.
    parameters, tokens : float
        Size and training tokens of a model.

    Returns
    -------
    float
        The extra compute, as a share.
    """
    best = law.compute_optimal(loss=law.loss(parameters, tokens))
    return FLOP_PER_TOKEN * parameters * tokens / best.flop - 1


def size_ratio(law: ScalingLaw, parameters: float, tokens: float) -> float:
    """Return the size over that of the compute-optimal model of the same predicted loss.

    Parameters
    ----------
    law : ScalingLaw
        The law to judge by.
    parameters, tokens : float
        Size and training tokens of a model.

    Returns
    -------
    float
        Below 1 where the model is smaller.
    """
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


def with_ends(against: pd.DataFrame, quantity: str) -> pd.DataFrame:
    """Return one quantity of each model with the ends of its interval, where it has one.

    Parameters
    ----------
    against : DataFrame
        As `against` returns it.
    quantity : str
        ``overhead`` or ``break-even``.

    Returns
    -------
    DataFrame
        Per model: ``value`` and, where known, ``low`` and ``high``.
    """
    names = {quantity: "value", f"{quantity} low": "low", f"{quantity} high": "high"}
    return against[[name for name in names if name in against]].rename(columns=names)


RUNS_OF = "runs of "  # what the laws of other runs are called by


def laws_of_sets() -> dict[str, ScalingLaw]:
    """Return the law of each public set of runs that determines one with an irreducible loss."""
    return {
        RUNS_OF + name: each
        for (name, form), each in laws_of_runs().items()
        if form == "chinchilla" and isinstance(each, ScalingLaw)
    }


def by_law(parameters: float, tokens: float, fit: Fit) -> pd.DataFrame:
    """Return how a model stands by each law: the fit, the published ones, and those of other sets of runs.

    Parameters
    ----------
    parameters, tokens : float
        Size and training tokens of a model.
    fit : Fit
        To the Chinchilla runs: the law ``fitted``.

    Returns
    -------
    DataFrame
        Indexed by law: ``size`` (over the optimum of the same loss), ``overhead`` and ``break-even``.
    """
    records = []
    named = {name: chosen_law(name, fit) for name in (FITTED, *laws())}
    for name, each in (named | laws_of_sets()).items():
        records.append(
            (
                name,
                size_ratio(each, parameters, tokens),
                overhead(each, parameters, tokens),
                each.break_even_tokens(parameters, tokens),
            )
        )
    return pd.DataFrame(records, columns=["law", "size", "overhead", "break-even"]).set_index("law")


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
    found = fit(*chinchilla_runs.columns(kept[kept["fitted"]]))
    return found, kept.assign(error=chinchilla_runs.relative_errors(found.law, kept))


def extrapolations(named: Mapping[str, pd.DataFrame], most: float) -> pd.DataFrame:
    """Return `extrapolated` in numbers for several sets of runs, one row a set.

    Parameters
    ----------
    named : mapping of str to DataFrame
        Runs as `extrapolated` takes them, by what they are called.
    most : float
        The most tokens per parameter of the runs that are fitted.

    Returns
    -------
    DataFrame
        ``fitted`` and ``predicted`` runs, the median of the absolute error of the first and of the error of
        the second (shares), the same of a law in which size and data are coupled (``coupled, predicted (%)``,
        per cent), the irreducible loss ``E`` of the fit, and ``starts`` that agree on it.
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
                COUPLED: 100 * _coupled_error(frame),
                "E": found.law.E,
                "starts": f"{found.starts_agreeing} of {found.starts}",
            }
        )
    return pd.DataFrame(records).set_index("runs")


def _coupled_error(frame: pd.DataFrame) -> float:
    """Return the median error of the runs that are not fitted, by the coupled form."""
    found = fit(*chinchilla_runs.columns(frame[frame["fitted"]]), form="coupled")
    beyond = frame[~frame["fitted"]]
    return float((beyond["loss"] / predicted(found.law, beyond) - 1).median())


def behind(law: ScalingLaw, parameters: float, tokens: float, shares: Sequence[float]) -> pd.DataFrame:
    """Return what changes for a model whose loss is above the law's, by shares of that loss.

    Its compute-optimal rival follows the law, and only has to reach the higher loss.

    Parameters
    ----------
    law : ScalingLaw
        The law to judge by.
    parameters, tokens : float
        Size and training tokens of a model.
    shares : sequence of float
        By how much the loss is above that of the law, as shares of it.

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
        Per model with both: ``loss``, ``score`` in per cent, and ``flop``, its training compute.
    """
    found = published_values.scores(models, benchmark)
    sound = found[(found["variant"] == "base") & (found["status"] != "contested")]
    medians = sound.groupby("model")["score"].median()
    frame = trained(models)
    return pd.DataFrame({"loss": against["loss"], "score": medians, "flop": frame["flop"]}).dropna()
