"""Which dense model a mixture is worth, as tables: by published laws of loss, and by scores."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from statistics import median

import pandas as pd

from cohort.architecture.decoder import ModelSpec
from cohort.architecture.registered import group, specs, title
from cohort.chapters.expert_tradeoffs.sizes import mixture, mixtures
from cohort.display import published_values, words
from cohort.errors import CohortError
from cohort.numeric import root
from cohort.registry import facts
from cohort.scaling import InfeasibleError, mixture_laws, mixture_pairs, mixture_rules

MIXED_LAWS = mixture_rules.LAWS


FOLKLORE, RECOMMENDED = mixture_rules.ROOT, "recommended rule"
RULES = (FOLKLORE, RECOMMENDED)  # that are no published law
LING_GRANULARITY, LING_FLOP = 12, 1e22  # that the printed leverage of Tian et al. is for


def _tokens(spec: ModelSpec) -> float | None:
    """Return the training tokens that a model's makers state, None where they do not."""
    stated = [tokens for _, tokens, _ in published_values.disclosed([spec.name])] if spec.registered else []
    return stated[0] if stated else None  # one model, one fact


def usual_tokens() -> float:
    """Return the median of the training tokens that the makers of the post's mixtures state.

    Returns
    -------
    float
        Tokens.
    """
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
        One row a model and law, and one for each of `RULES`: ``model``, ``law``, ``active``,
        ``total`` and ``dense`` in parameters without vocabulary (``dense`` is infinite where no dense model
        is as good), ``beyond``, how many times the model lies outside the runs of the law where it is
        farthest (1 if nowhere, not a number where the runs are not known), with ``in``, the quantity. Where
        the tokens are not stated they are `usual_tokens`, which ``assumed`` says.

    Raises
    ------
    CohortError
        As in `sizes.mixtures`.
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
        for name, dense in (
            (FOLKLORE, mixture_laws.geometric_mean(own)),
            (RECOMMENDED, mixture_rules.recommended().dense_equivalent(own)),
        ):
            records.append({**common, "law": name, "dense": dense, "beyond": 1.0, "in": ""})
    return pd.DataFrame(records)


def measured_pairs() -> pd.DataFrame:
    """Return the mixtures that were compared with dense models of the same data.

    Returns
    -------
    DataFrame
        One row a pair whose models are equal: ``maker``, ``mixture``, ``tokens``, ``active`` and ``total``
        parameters, ``granularity``, ``dense``, the parameters of the dense model, ``predicted``, those by the
        rule that is chosen and fitted without the maker, ``basis`` and ``source``.
    """
    found = mixture_pairs.equal_pairs()
    ratios = mixture_rules.blind_ratios(found)
    return pd.DataFrame(
        {
            "maker": pair.maker,
            "mixture": pair.name,
            "tokens": pair.tokens,
            "active": pair.shape.active,
            "total": pair.shape.total,
            "granularity": pair.shape.granularity,
            "dense": pair.dense,
            "predicted": ratio * pair.dense,
            "basis": pair.basis,
            "source": pair.source,
        }
        for pair, ratio in zip(found, ratios, strict=True)
    )


def rules() -> pd.DataFrame:
    """Return how far every rule is from the pairs, and what each was fitted to.

    Returns
    -------
    DataFrame
        By rule: ``pairs``, the ``median`` of predicted over measured and the geometric ``spread`` around it
        over all of them, the same with each maker of models weighing as much, ``makers median`` and ``makers
        spread``, and ``fitted to``, in words.
    """
    records = {
        score.rule: {
            "pairs": score.pairs,
            "median": score.median,
            "spread": score.spread,
            "makers median": score.makers_median,
            "makers spread": score.makers_spread,
            "fitted to": _fitted_to(score.rule),
        }
        for score in mixture_rules.rule_scores()
    }
    return pd.DataFrame.from_dict(records, orient="index").rename_axis("rule")


def _fitted_to(rule: str) -> str:
    """Return what a rule was fitted to, in words."""
    if rule == FOLKLORE:
        return "nothing"
    if rule not in MIXED_LAWS:
        return "pairs of other makers"
    spans = mixture_laws.ranges(rule)
    size = next((name for name in ("active parameters", "total parameters") if name in spans), None)
    if size is None:
        return "not known"
    low, high = spans[size]
    return f"{words.scaled(low)} to {words.scaled(high)} {size.removesuffix(' parameters')}"


def times_active(model: str) -> float:
    """Return how many times its active parameters a mixture is worth by the recommended rule.

    Parameters
    ----------
    model : str
        A name or a path.

    Returns
    -------
    float
        The dense model of equal loss over the active parameters, both without vocabulary.

    Raises
    ------
    CohortError
        As in `sizes.mixture`.
    """
    own = mixture_laws.shape(mixture(model))
    return mixture_rules.recommended().dense_equivalent(own) / own.active


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
    if isinstance(found, mixture_laws.JointLaw):
        _, size, _, tokens = found.reduced(float(row["expansion"]))
        return size if row["quantity"] == "size exponent" else tokens
    if isinstance(found, mixture_laws.LeverageLaw):
        return found.leverage(1 / float(row["expansion"]), LING_GRANULARITY, LING_FLOP)
    assert isinstance(found, mixture_laws.GranularLaw)
    if row["quantity"] in ("flop", "loss"):
        return _at_printed(found, row)
    flop = _printed(row, "flop")
    size = float(row["active_parameters"])
    best = found.compute_optimal(flop) if flop else _optimum(row["law"], size)
    return best.tokens if row["quantity"] == "tokens" else float(best.granularity)


def _printed(row: dict[str, str], quantity: str) -> float | None:
    """Return another figure that is printed for the same model, None if there is none."""
    key = {**{name: row[name] for name in ("law", "active_parameters", "expansion")}, "quantity": quantity}
    rows = [each for each in facts.rows("routed_law_prints") if key.items() <= each.items()]
    if len(rows) > 1:
        raise CohortError(f"{len(rows)} figures are printed for {key}; one is needed")
    return float(rows[0]["value"]) if rows else None


def _at_printed(law: mixture_laws.GranularLaw, row: dict[str, str]) -> float:
    """Return compute or loss at the size, the tokens and the granularity that are printed."""
    tokens, granularity = _printed(row, "tokens"), _printed(row, "granularity")
    assert tokens and granularity
    width = law.width(float(row["active_parameters"]))
    if row["quantity"] == "flop":
        return law.flop_per_token(width, granularity) * tokens
    return law.loss(law.parameters(width)[1], tokens, granularity)


def loss_of_active(name: str) -> tuple[float, float]:
    """Return what a law of all parameters would say if its N were the active ones, of its smallest model.

    Parameters
    ----------
    name : str
        A law of Krajewski et al.

    Returns
    -------
    (float, float)
        The loss so derived, and the one that is printed, in nats per token.

    Raises
    ------
    UnknownNameError
        If there is no such law.
    CohortError
        If the data hold no printed loss of it.
    """
    law = mixture_laws.routed_law(name)
    losses = [
        row for row in facts.rows("routed_law_prints") if row["law"] == name and row["quantity"] == "loss"
    ]
    if not losses or not isinstance(law, mixture_laws.GranularLaw):
        raise CohortError(f"no printed loss of {name} is in the data")
    row = min(losses, key=lambda each: float(each["active_parameters"]))
    tokens, granularity = _printed(row, "tokens"), _printed(row, "granularity")
    assert tokens and granularity
    return law.loss(float(row["active_parameters"]), tokens, granularity), float(row["value"])


@lru_cache(maxsize=64)
def _optimum(name: str, active: float) -> mixture_laws.MixtureAllocation:
    """Return the compute-optimal mixture of a size: the budget that it is best for is looked for.

    The granularity steps, and with it the size that a budget is best for: the root is where it passes.
    """
    law = mixture_laws.routed_law(name)
    assert isinstance(law, mixture_laws.GranularLaw)
    granular = law

    def larger(log_flop: float) -> float:
        return granular.compute_optimal(math.exp(log_flop)).active / active - 1

    return granular.compute_optimal(math.exp(root(larger, math.log(1e15), math.log(1e30))))
