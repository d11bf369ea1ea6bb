"""What the chapter `decide` says of models that are made for their use."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from cohort.chapters.decide.lab import OTHER_LAW
from cohort.chapters.decide.words.amounts import usd
from cohort.display.phrases import percent, power_of_ten
from cohort.display.words import running, scaled, sentences, significant
from cohort.planning import Design


def brief_on_making(best: Mapping[str, Design], flop: float, reach: float) -> str:
    """Return which model to make.

    Parameters
    ----------
    best : mapping of str to Design
        As `lab.best_of_kind` returns it.
    flop : float
        Compute that sets how good it is.
    reach : float
        As `lab.reach` returns it.

    Returns
    -------
    str
        Markdown.
    """
    if not best:
        return f"No model as good as {power_of_ten(flop, 1)} FLOP can make is served within these limits."
    (kind, least), *others = sorted(best.items(), key=lambda each: each[1].usd)
    return running(
        f"A model as good as a dense one of {power_of_ten(flop, 1)} FLOP costs least as {_kind(kind)} of "
        f"{_size(least.spec.active_parameters)} active parameters: {usd(least.usd)} for training and use.",
        *(
            f"{_kind(other).capitalize()} of {_size(each.spec.active_parameters)} would cost {usd(each.usd)}."
            for other, each in others
        ),
        "No run that the law was fitted on took as much compute." if flop > reach else "",
    )


def designs_said(best: Mapping[str, Design], optimum: float) -> str:
    """Return how the cheapest designs differ from the compute-optimal one.

    Parameters
    ----------
    best : mapping of str to Design
        As `lab.best_of_kind` returns it.
    optimum : float
        Parameters of the compute-optimal dense model.

    Returns
    -------
    str
        Markdown.
    """
    if not best:
        return "There is no design to compare."
    said = []
    dense = best.get("dense")
    if dense is not None:
        said.append(
            f"The cheapest dense model has {_made(dense)}. It is "
            f"{_beside(dense.spec.active_parameters / optimum)} the compute-optimal one of {_size(optimum)}, "
            f"and {percent(dense.training_usd / dense.usd)} of its price is training."
        )
    others = [each for kind, each in best.items() if kind != "dense"]
    if dense is not None and others:
        mixture = min(others, key=lambda each: each.usd)
        ratio = dense.usd / mixture.usd
        word = "less" if ratio > 1 else "more"
        said.append(
            f"The mixture, with {_made(mixture)}, costs {percent(abs(1 - 1 / ratio))} {word}, if the rule "
            "of the [chapter on experts](expert_tradeoffs.ipynb) is right about which dense model it equals."
        )
    return sentences(*said)


def lifetimes_said(made: pd.DataFrame) -> str:
    """Return how use moves the best dense size.

    Parameters
    ----------
    made : DataFrame
        As `lab.over_lifetimes` returns it.

    Returns
    -------
    str
        Markdown.
    """
    if len(made) < 2:
        return "The limits leave no two designs to compare."
    first, last = made.iloc[0], made.iloc[-1]
    return (
        f"Used for {_tokens(first['lifetime'])} tokens, the cheapest dense model has "
        f"{_size(first['active'])} parameters and is trained on "
        f"{scaled(first['tokens'], 2)} tokens; used for "
        f"{_tokens(last['lifetime'])}, an equally good one has {_size(last['active'])} and is trained on "
        f"{scaled(last['tokens'], 2)}. The makers of the cohort went the same way: "
        "smaller, and trained for longer."
    )


def shadow_prices_said(prices: Mapping[str, tuple[float, float]], best: Design | None) -> str:
    """Return what each limit of the design costs.

    Parameters
    ----------
    prices : mapping of str to (float, float)
        As `cohort.planning.Designer.shadow_prices` returns it.
    best : Design or None
        The design.

    Returns
    -------
    str
        Markdown; one list item a limit.
    """
    if best is None or not prices:
        return "Where nothing reaches the goal no limit has a price."
    names = {
        "loss": "the loss",
        "token_s": "the time of a token",
        "first_token_s": "the time to the first token",
    }
    items = []
    for name, (_, change) in prices.items():
        what = names.get(name, name.replace("_", " "))
        more = "1% more" if name == "loss" else "10% more"
        share = -change / best.usd
        if share < 0.005:
            items.append(f"- {more} for {what} saves nothing: the design keeps that limit anyway.")
        else:
            items.append(f"- {more} for {what} saves {usd(-change)}, {percent(share)} of the price.")
    return "\n".join(items)


def other_law_said(ours: Mapping[str, Design], theirs: Mapping[str, Design]) -> str:
    """Return what another law would make.

    Parameters
    ----------
    ours, theirs : mapping of str to Design
        As `lab.best_of_kind` returns it.

    Returns
    -------
    str
        Markdown.
    """
    if "dense" not in ours or "dense" not in theirs:
        return "By one of the two laws no dense model reaches the goal."
    one, other = (each["dense"].spec.active_parameters for each in (ours, theirs))
    times = max(one / other, other / one)
    way = "smaller" if other < one else "larger"
    written = significant(times, 2)
    change = "about as large" if written == "1" else f"{written} times {way}"
    cheaper = {
        name: min(each, key=lambda kind: each[kind].usd) for name, each in (("a", ours), ("b", theirs))
    }
    same = "Both laws" if cheaper["a"] == cheaper["b"] else "The two laws do not"
    agree = "agree on the kind" if cheaper["a"] == cheaper["b"] else "agree on whether to make it a mixture"
    return (
        f"By the coefficients that {OTHER_LAW.capitalize()} et al. printed, the best dense model would be "
        f"{change}. {same} {agree}."
    )


def _made(design: Design) -> str:
    """Return how large a design is and how long it is trained."""
    size = _size(design.spec.active_parameters)
    return f"{size} active parameters, trained on {_tokens(design.tokens)} tokens"


def _beside(share: float) -> str:
    """Return a size as a share of another in words that go before it."""
    if 0.95 <= share <= 1.05:
        return "about as large as"
    return f"{percent(abs(1 - share))} {'smaller' if share < 1 else 'larger'} than"


def _kind(kind: str) -> str:
    return "a dense model" if kind == "dense" else f"a mixture ({kind})"


def _size(parameters: float) -> str:
    return scaled(parameters, 2)


def _tokens(number: float) -> str:
    return scaled(number, 2)
