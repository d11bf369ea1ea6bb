"""Rules for what a mixture is worth, fitted to pairs of mixtures and dense models, and every rule's score.

A rule takes the worth over the active parameters for a product of powers: of all parameters over the active
ones, and of the granularity. Each maker of models weighs as much as any other, however many pairs it has. A
rule is scored on the pairs of makers that it was not fitted to.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import median

from cohort.errors import InfeasibleError, one_of
from cohort.errors.arguments import explain
from cohort.numeric import least_squares
from cohort.registry import facts
from cohort.scaling import mixture_laws
from cohort.scaling.mixture_laws import Shape
from cohort.scaling.mixture_pairs import EQUAL, Pair, equal_pairs, pairs

ROOT = "root of total and active"
LAWS = (
    "clark-s-base",
    "clark-rl-r",
    "clark-hash",
    "krajewski-64",
    "krajewski-16",
    "abnar",
    "ludziejewski",
    "ling",
)


def _total(shape: Shape) -> float:
    return math.log(shape.total / shape.active)


def _bent(shape: Shape) -> float:
    return _total(shape) ** 2


def _fine(shape: Shape) -> float:
    return math.log(shape.granularity)


# By form: what stands in the exponent, of which one coefficient each is fitted; none leaves the root.
FORMS: Mapping[str, tuple[Callable[[Shape], float], ...]] = {
    ROOT: (),
    "power": (_total,),
    "power and granularity": (_total, _fine),
    "bent power": (_total, _bent),
    "bent power and granularity": (_total, _bent, _fine),
}


@dataclass(frozen=True, slots=True)
class Rule:
    """What a mixture is worth, by a form with its coefficients.

    Attributes
    ----------
    form : str
        A name from `FORMS`.
    coefficients : tuple of float
        One for each part of the form.
    """

    form: str
    coefficients: tuple[float, ...]

    def dense_equivalent(self, shape: Shape) -> float:
        """Return the parameters of the dense model that is as good.

        Parameters
        ----------
        shape : Shape
            The mixture.

        Returns
        -------
        float
            Parameters, as those of the mixture; all of them at most, since routing takes weights away.
        """
        if self.form == ROOT:
            return mixture_laws.geometric_mean(shape)
        parts = (part(shape) for part in FORMS[self.form])
        gain = math.exp(sum(c * part for c, part in zip(self.coefficients, parts, strict=True)))
        return min(shape.active * gain, shape.total)


@dataclass(frozen=True, slots=True)
class Score:
    """How far a rule is from pairs.

    Attributes
    ----------
    rule : str
        Its name.
    pairs : int
        How many pairs it gives a worth of.
    median, spread : float
        Of predicted over measured, over the pairs: the median, and the geometric standard deviation around
        it.
    makers_median, makers_spread : float
        The same with each maker weighing as much as any other.
    by_maker : dict of str to float
        Median of predicted over measured, by maker.
    """

    rule: str
    pairs: int
    median: float
    spread: float
    makers_median: float
    makers_spread: float
    by_maker: Mapping[str, float]


def fitted_rule(form: str, pairs: Sequence[Pair]) -> Rule:
    """Return a form with the coefficients that fit pairs best, each maker weighing as much.

    Parameters
    ----------
    form : str
        A name from `FORMS`.
    pairs : sequence of Pair
        Pairs whose models are equal.

    Returns
    -------
    Rule
        Least squares of the logarithm of the worth.

    Raises
    ------
    UnknownNameError
        If there is no such form.
    """
    form = one_of("form", form, tuple(FORMS))
    if not FORMS[form]:
        return Rule(form, ())
    count = {maker: sum(pair.maker == maker for pair in pairs) for maker in {pair.maker for pair in pairs}}
    return Rule(
        form,
        tuple(
            least_squares(
                [[part(pair.shape) for part in FORMS[form]] for pair in pairs],
                [math.log(pair.dense / pair.shape.active) for pair in pairs],
                [1 / count[pair.maker] for pair in pairs],
            )
        ),
    )


def ratios_left_out(form: str, pairs: Sequence[Pair]) -> list[float]:
    """Return predicted over measured of each pair, by the form fitted to the pairs of all other makers.

    Parameters
    ----------
    form, pairs
        As in `fitted_rule`, of two makers or more.

    Returns
    -------
    list of float
        One a pair, in their order.
    """
    rules = {
        maker: fitted_rule(form, [pair for pair in pairs if pair.maker != maker])
        for maker in {pair.maker for pair in pairs}
    }
    return [rules[pair.maker].dense_equivalent(pair.shape) / pair.dense for pair in pairs]


def _error(ratios: Sequence[float], pairs: Sequence[Pair]) -> float:
    """Return the mean, over makers, of the mean square of the logarithm."""
    makers = {pair.maker for pair in pairs}
    squares = {
        maker: [math.log(q) ** 2 for q, pair in zip(ratios, pairs, strict=True) if pair.maker == maker]
        for maker in makers
    }
    return math.fsum(math.fsum(each) / len(each) for each in squares.values()) / len(makers)


def chosen_form(pairs: Sequence[Pair]) -> str:
    """Return the form that is nearest to the pairs of makers it is not fitted to.

    Parameters
    ----------
    pairs : sequence of Pair
        Pairs whose models are equal, of two makers or more.

    Returns
    -------
    str
        A name from `FORMS`; the earlier of two that are as near.
    """
    return min(FORMS, key=lambda form: _error(ratios_left_out(form, pairs), pairs))


def recommended() -> Rule:
    """Return the rule that the pairs of all makers support: the chosen form, fitted to all of them.

    Returns
    -------
    Rule

    See Also
    --------
    scores : How far it and every other rule are from pairs of makers they do not know.

    Examples
    --------
    >>> rule = recommended()
    >>> mixtral = Shape(active=1.27e10, total=4.65e10, expansion=4, granularity=2, sparsity=0.75)
    >>> 2e10 < rule.dense_equivalent(mixtral) < 3e10
    True
    """
    return _recommended(facts.modified("mixture_runs"), facts.modified("mixture_pairs"))


@lru_cache(maxsize=2)
def _recommended(runs: int, stated: int) -> Rule:
    found = equal_pairs()
    return fitted_rule(chosen_form(found), found)


def blind_ratios(pairs: Sequence[Pair]) -> list[float]:
    """Return predicted over measured, the form being chosen and fitted without the maker of each pair.

    Parameters
    ----------
    pairs : sequence of Pair
        Pairs whose models are equal, of three makers or more.

    Returns
    -------
    list of float
        One a pair, in their order.
    """
    rules = {}
    for maker in dict.fromkeys(pair.maker for pair in pairs):
        others = [pair for pair in pairs if pair.maker != maker]
        rules[maker] = fitted_rule(chosen_form(others), others)
    return [rules[pair.maker].dense_equivalent(pair.shape) / pair.dense for pair in pairs]


def ratio_by_law(name: str, pair: Pair) -> float:
    """Return what a published law makes of a mixture, over what was measured.

    Parameters
    ----------
    name : str
        One of `LAWS`.
    pair : Pair
        The pair.

    Returns
    -------
    float
        Infinite where no dense model is as good by the law.
    """
    try:
        return mixture_laws.dense_equivalent(name, pair.shape, pair.tokens) / pair.dense
    except InfeasibleError:
        return math.inf


def score_of(rule: str, ratios: Sequence[float], pairs: Sequence[Pair]) -> Score:
    """Return how far a rule is from pairs, from predicted over measured of each.

    Parameters
    ----------
    rule : str
        Its name.
    ratios : sequence of float
        One a pair; infinite ones are counted in the medians and left out of the spreads.
    pairs : sequence of Pair
        The pairs.

    Returns
    -------
    Score
    """
    makers = list(dict.fromkeys(pair.maker for pair in pairs))
    mine = {m: [q for q, pair in zip(ratios, pairs, strict=True) if pair.maker == m] for m in makers}
    by_maker = {maker: median(each) for maker, each in mine.items()}
    middle, between = median(ratios), median(by_maker.values())
    squares = [[math.log(q / between) ** 2 for q in each if math.isfinite(q)] for each in mine.values()]
    of_makers = [math.fsum(each) / len(each) for each in squares if each]
    finite = [math.log(q / middle) ** 2 for q in ratios if math.isfinite(q)]
    return Score(
        rule=rule,
        pairs=len(finite),
        median=middle,
        spread=math.exp(math.sqrt(math.fsum(finite) / len(finite))),
        makers_median=between,
        makers_spread=math.exp(math.sqrt(math.fsum(of_makers) / len(of_makers))),
        by_maker=by_maker,
    )


BLIND = "rule, chosen and fitted without the maker"


def rule_scores() -> list[Score]:
    """Return the scores of the blind rule, of every form fitted without the maker, and of every law.

    Returns
    -------
    list of Score
        The blind rule first. A law is scored on the pairs that its own report does not print, since it was
        fitted to those.
    """
    found = equal_pairs()
    listed = [score_of(BLIND, blind_ratios(found), found)]
    listed += [score_of(form, ratios_left_out(form, found), found) for form in FORMS]
    for name in LAWS:
        others = [pair for pair in found if pair.source != law_source(name)]
        listed.append(score_of(name, [ratio_by_law(name, pair) for pair in others], others))
    return listed


def law_source(name: str) -> str:
    """Return where a published law is printed, as a key of the bibliography.

    Parameters
    ----------
    name : str
        One of `LAWS`.

    Returns
    -------
    str

    Raises
    ------
    UnknownNameError
        If there is no such law.

    Examples
    --------
    >>> law_source("ling")
    'tian2025leverage'
    """
    sources = {row["law"]: row["source"] for row in facts.rows("routed_laws")}
    return sources[one_of("law", name, tuple(sources))]


def bounded_ratios() -> list[tuple[Pair, float]]:
    """Return, for pairs that only bound what a mixture is worth, what the recommended rule makes of it.

    Returns
    -------
    list of (Pair, float)
        Predicted over the bound. A rule that keeps it is at least 1 where the mixture is worth *at least* the
        dense model, and at most 1 where *at most*. None of them was fitted to.
    """
    rule = recommended()
    return [
        (pair, rule.dense_equivalent(pair.shape) / pair.dense) for pair in pairs() if pair.relation != EQUAL
    ]


explain(__name__)
