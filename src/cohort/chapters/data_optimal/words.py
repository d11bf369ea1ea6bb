"""What the chapter `data_optimal` says in words: models beside a law, and what use repays."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from cohort.chapters.data_optimal import doubts
from cohort.chapters.data_optimal.tables import FITTED, describes_chinchilla
from cohort.chapters.law_titles import law_title
from cohort.display.phrases import among, amount, of_all, percent, power_of_ten
from cohort.display.words import counted, inflected, paragraphs, ranged, scaled, sentences, significant
from cohort.errors.names import plain_name
from cohort.scaling import FLOP_PER_TOKEN, SERVING_FLOP_PER_TOKEN, Allocation, Lifetime, ScalingLaw

# --- in brief


def brief(
    name: str,
    law: ScalingLaw,
    against: pd.DataFrame,
    out: pd.DataFrame,
    focus: str,
    spreads: pd.DataFrame,
) -> str:
    """Return the chapter in brief, one list item a finding.

    Parameters
    ----------
    name : str
        Of the law, as `tables.chosen_law` takes it.
    law : ScalingLaw
        The law itself.
    against, out : DataFrame
        As `tables.against` and `tables.outside_runs` return them, of the same models.
    focus : str
        Title of the model that is looked at.
    spreads : DataFrame
        As `doubts.spread_by_source` returns it, of that model.

    Returns
    -------
    str
        Markdown.
    """
    smaller, half = int((against["size"] < 1).sum()), law.overtraining(0.5)
    beyond = int((out > 1).any(axis=1).sum())
    which = "law fitted to the Chinchilla runs" if name == FITTED else f"law {_called(name)}"
    range_of_runs = (
        f"- {_capital(of_all(beyond, len(out), 'model'))} {inflected(beyond, 'lies', 'lie')} outside "
        "the range of the runs that the law was fitted on. Runs that were trained longer than those did "
        "worse than such a law predicts."
    )
    return sentences(
        f"- By the {which}, {among(smaller, len(against), 'model')} {inflected(smaller, 'is', 'are')} "
        "smaller than the compute-optimal model of the same predicted loss.",
        f"- {focus} took {_more(float(against['overhead'][focus]))} training compute than that optimum "
        f"would have: {_spread(spreads)}.",
        f"- {_repaid(against, focus, spreads)}",
        f"- Half the compute-optimal size takes {half.token_ratio:.2f} times the tokens and "
        f"{100 * half.compute_overhead:.0f}% more compute for the same loss. Below "
        f"{100 * half.critical_parameter_ratio:.0f}% of it no amount of data is enough.",
        range_of_runs
        if describes_chinchilla(name)
        else "- The law was fitted to other runs than those of Chinchilla.",
    )


def _more(overhead: float) -> str:
    return f"{100 * overhead:,.0f}% more" if overhead >= 0.005 else "hardly more"


def _hardly(overhead: float) -> str:
    return f"{100 * overhead:,.1f}%" if overhead >= 0.0005 else "hardly"


def _called(name: str) -> str:
    """Return a law as a sentence calls it: by its authors, or by the name of a reader's file."""
    title = law_title(name)
    return f"of {title}" if title != name else f"'{plain_name(Path(name).name)}'"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _spread(spreads: pd.DataFrame) -> str:
    """Return between what the extra compute lies: by the coefficients, and by all other laws."""
    others = spreads.drop(index="coefficients", errors="ignore")
    said = f"{doubts.between(_widest(others), 'overhead')[0]} by other forms of the law and other runs"
    if len(others) == len(spreads):
        return said
    within = doubts.between(spreads.loc[["coefficients"]], "overhead")[0]
    return f"{within} {doubts.SOURCES['coefficients']}, but {said}"


def _repaid(against: pd.DataFrame, focus: str, spreads: pd.DataFrame) -> str:
    use = against["break-even"][focus]
    if not np.isfinite(use):
        return "The model is larger than the optimum, and no use pays that back."
    return (
        f"After {scaled(use)} tokens of use the extra training is paid back; by the same doubts taken "
        f"together, after {doubts.between(_widest(spreads), 'break-even')[0]}."
    )


def _widest(spreads: pd.DataFrame) -> pd.DataFrame:
    """Return the ends of all that the answers may rest on, as one row."""
    ends = {}
    for quantity in doubts.QUANTITIES:
        ends[f"{quantity} low"] = [spreads[f"{quantity} low"].min()]
        ends[f"{quantity} high"] = [spreads[f"{quantity} high"].max()]
    return pd.DataFrame(ends)


# --- where the models stand


def where_models_stand(name: str, frame: pd.DataFrame, out: pd.DataFrame, limits: Mapping[str, float]) -> str:
    """Return how far the models lie beyond the runs of the law, and what the law does not know of them.

    Parameters
    ----------
    name : str
        Of the law, as `tables.chosen_law` takes it.
    frame, out : DataFrame
        As `tables.trained` and `tables.outside_runs` return them, of the same models.
    limits : mapping of str to float
        As `cohort.fitting.chinchilla_runs.limits` returns it.

    Returns
    -------
    str
        Markdown.
    """
    native, far, outside = describes_chinchilla(name), str(out["flop"].idxmax()), (out > 1).sum()
    vocabulary = ranged(frame["vocabulary"].min(), frame["vocabulary"].max(), ",")
    return paragraphs(
        sentences(
            f"The Chinchilla runs{', which the law was fitted on,' if native else ''} have at most "
            f"{limits['parameters'] / 1e9:.1f} billion parameters, {power_of_ten(limits['flop'], 2)} FLOP "
            f"and {limits['ratio']:.0f} tokens per parameter.",
        ),
        sentences(
            f"Of {counted(len(out), 'model')}, {outside['parameters']} had more parameters, "
            f"{outside['flop']} took more compute, and {outside['ratio']} saw more tokens per parameter. "
            f"{far} took {significant(out['flop'][far])} times as much compute as the largest run.",
            "What follows is therefore extrapolation, and says what the law would say."
            if native
            else "The law itself was fitted to other runs, which the bibliography names.",
        ),
        sentences(
            _mixtures(list(frame.index[frame["experts"]])),
            f"Nor are tokens equal: the vocabularies here have {vocabulary} entries, and a larger one "
            "usually cuts the same text into fewer tokens.",
        ),
    )


def _mixtures(names: list[str]) -> str:
    if not names:
        return ""
    return (
        f"{', '.join(names)} {inflected(len(names), 'is a mixture', 'are mixtures')} of experts and counted "
        "by what a token passes through; the law knows no experts, and what they do to it is the question of "
        "[a later chapter](expert_tradeoffs.ipynb)."
    )


def overheads(against: pd.DataFrame) -> str:
    """Return which models spent least and most beyond the optimum, and which are too large for their data.

    Parameters
    ----------
    against : DataFrame
        As `tables.against` returns it.

    Returns
    -------
    str
        Markdown.
    """
    extra = against["overhead"]
    most, least = f"{significant(1 + extra.max())} times as much", extra.idxmin()
    larger = list(against.index[(against["size"] >= 1) & (extra > 0.05)])
    both = (
        f"The least was spent beyond the optimum by {least}, {_hardly(extra.min())} more than needed; the "
        f"most by {extra.idxmax()}, {most}."
    )
    too_large = (
        f"{', '.join(larger)} {inflected(len(larger), 'is', 'are')} larger than is optimal for what "
        f"{inflected(len(larger), 'it', 'they')} saw."
    )
    return sentences(
        both if len(against) > 1 else f"{extra.idxmax()} took {most}.",
        too_large if larger else "",
    )


# --- use


def payback(against: pd.DataFrame, tokens: pd.Series, focus: str, use: float) -> str:
    """Return how many models a volume of use would have repaid, and how sure break-even is.

    Parameters
    ----------
    against : DataFrame
        As `tables.against` returns it.
    tokens : Series
        Training tokens of the same models.
    focus : str
        Title of the model that is looked at.
    use : float
        Tokens of use.

    Returns
    -------
    str
        Markdown.
    """
    repaid, smaller = against["break-even"], against["size"] < 1
    never = list(against.index[~np.isfinite(repaid)])
    too_large = (
        f"{', '.join(never)}, being larger than the optimum, never {inflected(len(never), 'does', 'do')}."
    )
    return paragraphs(
        sentences(
            f"With {amount(use, 'token')} of use, "
            f"{among(int((repaid <= use).sum()), len(against), 'model')} would have repaid it.",
            too_large if never else "",
            _served_over_trained((repaid / tokens)[smaller]),
        ),
        sentences(
            "Why are some bars long? Break-even is the extra training compute over what each token of use "
            "saves. Far from the optimum both are large, and whatever moves one moves the other; near it "
            "both are close to zero, and their quotient can be almost anything.",
            _certainty(against, focus),
        ),
        "The intervals know only how sure the coefficients are. Whether the law holds so far from its runs "
        "is asked below, and matters more.",
    )


def _served_over_trained(shares: pd.Series) -> str:
    if shares.empty:
        return ""
    gained = ". By the law, whoever serves as many tokens as were trained on has gained"
    return (
        f"Break-even comes after {ranged(shares.min(), shares.max(), '.2f')} times the tokens that a model "
        f"was trained on{gained if shares.max() <= 1 else ''}."
    )


def _certainty(against: pd.DataFrame, focus: str) -> str:
    if "break-even high" not in against or not np.isfinite(against["break-even high"][focus]):
        return ""
    apart, extra = (
        against[f"{quantity} high"][focus] / against[f"{quantity} low"][focus]
        for quantity in ("break-even", "overhead")
    )
    return (
        f"For {focus} the ends of the interval are a factor of {apart:.2f} apart, those of its extra compute "
        f"a factor of {extra:.2f}."
    )


def best_size(
    focus: str, trained: pd.Series, justified: float, use: float, best: pd.Series, plain: Allocation
) -> str:
    """Return which size is best for a loss and a volume of use, and for which use the model itself would be.

    Parameters
    ----------
    focus : str
        Title of the model that is looked at.
    trained : Series
        Its row of `tables.trained`.
    justified : float
        Tokens of use for which no other size is better; not above 0 where it is larger than the optimum.
    use : float
        Tokens of use.
    best : Series
        The row of `lifetimes.best_sizes` for that volume of use.
    plain : Allocation
        The compute-optimal model of the same loss.

    Returns
    -------
    str
        Markdown.
    """
    seen = trained["tokens"]
    longer = f", {significant(justified / seen)} times what it was trained on" if justified > seen else ""
    itself = (
        f"{focus} itself, at {scaled(trained['parameters'])}, would be the best for {scaled(justified)} "
        f"tokens of use{longer}."
    )
    return sentences(
        f"For the predicted loss of {focus} and {amount(use, 'token')} of use, the best model has "
        f"{scaled(best['size'] * plain.parameters)} parameters, {100 * best['size']:.0f}% of the "
        f"compute-optimal size, sees {significant(best['tokens'])} times its tokens, and saves "
        f"{percent(best['saved'])} of all compute.",
        itself if justified > 0 else f"{focus} is larger than the optimum: no use makes it the best.",
        "The better the loss, the more use it takes to move the best size, because training costs more.",
    )


def cheapest_size(costs: pd.DataFrame, life: Lifetime, accelerator: str, usd_per_hour: float) -> str:
    """Return what use is worth in training tokens, and what the cheapest model costs and saves.

    Parameters
    ----------
    costs : DataFrame
        As `lifetimes.dollars` returns it.
    life : Lifetime
        Use and prices behind it.
    accelerator : str
        What is rented.
    usd_per_hour : float
        Its price.

    Returns
    -------
    str
        Markdown.
    """
    least, naive, whole = "least dollars", "least training compute", costs["all"]
    return sentences(
        f"At USD {significant(usd_per_hour)} an hour for one {accelerator} and the utilisations above, "
        f"{amount(life.input_tokens + life.output_tokens, 'token')} of use cost as much as "
        f"{scaled(life.equivalent_tokens)} would at the utilisation of training.",
        f"The cheapest model of this loss has {scaled(costs['parameters'][least])} parameters and costs "
        f"{percent(1 - whole[least] / whole[naive])} less over its life than the compute-optimal one.",
    )


def press_figure(usd_per_day: float, tokens_a_day: float, trained_on: float) -> str:
    """Return what the sum that serving ChatGPT is said to cost would pay for.

    Parameters
    ----------
    usd_per_day : float
        The sum.
    tokens_a_day : float
        Tokens of use of a model of the size of GPT-3 that it pays for.
    trained_on : float
        Tokens that GPT-3 was trained on.

    Returns
    -------
    str
        Markdown.
    """
    days = FLOP_PER_TOKEN / SERVING_FLOP_PER_TOKEN * trained_on / tokens_a_day
    return (
        f"Taken at its word, USD {usd_per_day:,.0f} a day would pay for {scaled(tokens_a_day)} tokens, "
        f"written by a model of the size of GPT-3 on A100s. In {amount(days, 'day')} that is as much "
        "compute as its training took. This takes the hourly price that is set above, which need not be "
        "that of an A100, and the utilisation of writing. The figure is contested, but any of that order "
        "means that use overtakes training soon."
    )
