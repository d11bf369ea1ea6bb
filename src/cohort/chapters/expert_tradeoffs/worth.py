"""Which dense model a mixture is worth, as tables: by published laws of loss, and by scores."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median

import pandas as pd

from cohort.architecture.decoder import ModelSpec
from cohort.architecture.registered import group, specs, title
from cohort.chapters.expert_tradeoffs.sizes import mixture, mixtures
from cohort.display import published_values, words
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
