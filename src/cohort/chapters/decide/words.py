"""What the chapter `decide` says in words: sentences about its plans and designs, in Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from math import isinf

import pandas as pd

from cohort.chapters.decide.lab import OTHER_LAW
from cohort.chapters.decide.savings import DATA, EXPERTS, HEADS
from cohort.display.phrases import of_all, power_of_ten, scaled_range
from cohort.display.words import counted, inflected, running, scaled, sentences, significant
from cohort.errors.names import listed
from cohort.planning import Demand, Design, Limits, Option, Plan, Point
from cohort.registry.devices import accelerator
from cohort.units import MILLION

CLOSE = 0.2  # chance from which on a choice is called open
CENTURY = 100


def usd(value: float) -> str:
    """Return a sum of money in words that suit its size.

    Parameters
    ----------
    value : float
        USD.

    Returns
    -------
    str

    Examples
    --------
    >>> usd(5_298_201.0), usd(1.29)
    ('USD 5.3 million', 'USD 1.29')
    """
    return f"USD {scaled(value, 2) if value >= MILLION else significant(value)}"


def _size(parameters: float) -> str:
    return scaled(parameters, 2)


def brief_on_serving(name: str, found: Plan, table: pd.DataFrame) -> str:
    """Return on what the assistant runs.

    Parameters
    ----------
    name : str
        Title of the model.
    found : Plan
        Over all accelerators.
    table : DataFrame
        As `assistant.cheapest_each` returns it.

    Returns
    -------
    str
        Markdown.
    """
    if table.empty:
        return f"Nothing serves {name} within these limits: {_first_reason(found)}."
    best = table.iloc[0]
    return (
        f"{name} runs most cheaply on {int(best['devices']):,} {table.index[0]}, for {usd(best['usd'])} a "
        f"million output tokens; {counted(found.tried, 'way')} to share it "
        f"{inflected(found.tried, 'was', 'were')} tried."
    )


def brief_on_sureness(table: pd.DataFrame, chance: float | None) -> str:
    """Return whether the choice of the accelerator is open.

    Parameters
    ----------
    table : DataFrame
        As `assistant.cheapest_each` returns it.
    chance : float or None
        As `assistant.chance_of_the_second` returns it.

    Returns
    -------
    str
        Markdown; empty where there is no second accelerator.
    """
    if table.empty or chance is None:
        return ""
    verdict = "That choice is open" if chance >= CLOSE else "That choice is clear"
    return (
        f"{verdict}: predicted times can be off, and with a chance of {_percent(chance)} {table.index[1]} is "
        "the cheaper one after all."
    )


def _percent(share: float) -> str:
    return f"{significant(100 * share, 2)}%"


def _first_reason(found: Plan) -> str:
    return found.rejected[-1].why if found.rejected else "no price is known for any accelerator"


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


def _made(design: Design) -> str:
    """Return how large a design is and how long it is trained."""
    size = _size(design.spec.active_parameters)
    return f"{size} active parameters, trained on {_tokens(design.tokens)} tokens"


def _beside(share: float) -> str:
    """Return a size as a share of another in words that go before it."""
    if 0.95 <= share <= 1.05:
        return "about as large as"
    return f"{_percent(abs(1 - share))} {'smaller' if share < 1 else 'larger'} than"


def _kind(kind: str) -> str:
    return "a dense model" if kind == "dense" else f"a mixture ({kind})"


def brief_on_places(table: pd.DataFrame, grams: float) -> str:
    """Return where and on what the limit on CO2e is kept.

    Parameters
    ----------
    table : DataFrame
        As `places.by_place` returns it.
    grams : float
        The limit.

    Returns
    -------
    str
        Markdown.
    """
    if table.empty:
        return "Nothing serves the public body within these limits."
    best = table.groupby("place")["grams"].min().sort_values()
    kept = list(dict.fromkeys(table.loc[table["kept"], "place"]))
    where = f"can be kept in {listed(kept)}" if kept else "is kept nowhere"
    limit = f"A limit of {significant(grams)} g of CO2e an answer {where}"
    if len(best) < 2:
        return f"{limit}; the least there is {significant(best.iloc[0])} g."
    return (
        f"{limit}: from {best.index[0]} to {best.index[-1]} the least that an answer can emit grows "
        f"{significant(best.iloc[-1] / best.iloc[0], 2)}-fold."
    )


def brief_on_savings(table: pd.DataFrame) -> str:
    """Return the share of the makers' changes that make serving cheaper.

    Parameters
    ----------
    table : DataFrame
        As `savings.undone_prices` returns it.

    Returns
    -------
    str
        Markdown.
    """
    if table.empty:
        return "None of the 2024 cohort is served within these limits, so that no change can be judged."
    cheaper = int((table["times"] > 1).sum())
    some = of_all(cheaper, len(table), "change")
    return (
        f"{some[0].upper()}{some[1:]} by the makers of the cohort {inflected(cheaper, 'makes', 'make')} a "
        f"token cheaper to serve here; undoing the median one {_undone(table['times'])}."
    )


def _undone(times: pd.Series) -> str:
    """Return what undoing the median change would do."""
    middle = float(times.median())
    if isinf(middle):
        return "would leave a model that nothing here serves within the limits"
    return f"would make a token cost {significant(middle, 2)} times as much"


def frontier_said(found: Plan) -> str:
    """Return what the ends of the frontier are.

    Parameters
    ----------
    found : Plan
        The plan.

    Returns
    -------
    str
        Markdown.
    """
    if len(found.frontier) < 2:
        kept = "one point alone keeps" if found.frontier else f"{_first_reason(found)}; no point keeps"
        return f"There is no frontier to choose along: {kept} the limits."
    fast, full = found.frontier[0], found.frontier[-1]
    names = list(dict.fromkeys(each.accelerator for each in found.frontier))
    cheapest = None if found.cheapest is None else found.cheapest.accelerator
    absent = (
        f"The cheapest way, on {cheapest}, is not on this curve: it counts accelerators, not dollars."
        if cheapest is not None and cheapest not in names
        else ""
    )
    return sentences(
        f"The taxi, on the right: {_end(fast)}.",
        f"The bus, on the left: {_end(full)}. That is "
        f"{significant(full.tokens_per_s_per_accelerator / fast.tokens_per_s_per_accelerator, 2)} times as "
        "much from each accelerator, and each user waits "
        f"{significant(fast.tokens_per_s_per_user / full.tokens_per_s_per_user, 2)} times as long for a "
        "token.",
        *([absent] if absent else []),
    )


def _end(point: Point) -> str:
    """Return what an end of the frontier gives."""
    return (
        f"{counted(point.way.devices, point.accelerator, point.accelerator)} with "
        f"{counted(point.concurrency, 'answer')} at once "
        f"{inflected(point.way.devices, 'gives', 'give')} each user "
        f"{significant(point.tokens_per_s_per_user)} tokens a second, and an accelerator writes "
        f"{significant(point.tokens_per_s_per_accelerator)}"
    )


def choice_said(option: Option | None, limits: Limits) -> str:
    """Return how the cheapest option works, and whether its range stays within the limits.

    Parameters
    ----------
    option : Option or None
        The option.
    limits : Limits
        What times may be.

    Returns
    -------
    str
        Markdown.
    """
    if option is None:
        return "There is no option to describe."
    serving = option.serving
    late = limits.late(serving.ttft_range_s[1], serving.tpot_range_s[1])
    stored = f"weights in {option.weight_dtype} and cache in {option.kv_dtype}"
    if option.weight_dtype == option.kv_dtype:
        stored = f"weights and cache in {option.kv_dtype}"
    how = f"{counted(option.copies, 'copy', 'copies')} of {counted(option.way.devices, 'accelerator')}"
    return running(
        f"The cheapest is {how} ({option.way.words}), {stored}, with "
        f"{counted(serving.concurrency, 'answer')} at once on each: as many as the demand needs.",
        f"A token takes {significant(1e3 * serving.tpot_s)} ms, the first {significant(serving.ttft_s)} s.",
        f"But at the upper end of its range {late}: leave room, or measure first."
        if late
        else "Even at the upper end of the range both limits are kept.",
    )


def prices_said(table: pd.DataFrame, chance: float | None) -> str:
    """Return how far apart the accelerators are, and what could turn them round.

    Parameters
    ----------
    table : DataFrame
        As `assistant.cheapest_each` returns it.
    chance : float or None
        As `assistant.chance_of_the_second` returns it.

    Returns
    -------
    str
        Markdown.
    """
    if table.empty:
        return "No accelerator serves this within the limits: loosen one of them, or choose among others."
    if chance is None:
        return "There is no second accelerator to compare with."
    one, other = table.iloc[0], table.iloc[1]
    gap = float(other["usd"] / one["usd"]) - 1
    offers = " and ".join(
        f"USD {scaled_range(low, high)} for {name}"
        for name in table.index[:2]
        for low, high in [accelerator(str(name)).usd_per_hour or (0.0, 0.0)]
    )
    return running(
        f"{table.index[1]} costs {_percent(gap)} more than {table.index[0]}. Measured, its times may come "
        f"out {_percent(float(other['high'] / other['usd']) - 1)} longer, those of {table.index[0]} "
        f"{_percent(float(one['high'] / one['usd']) - 1)}.",
        f"If both err independently, {table.index[1]} is the cheaper one in "
        f"{significant(CENTURY * chance, 2)} of {CENTURY} cases"
        + (": try both before you buy." if chance >= CLOSE else "."),
        f"Prices differ more than times: published ones for an hour go from {offers}.",
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
            f"and {_percent(dense.training_usd / dense.usd)} of its price is training."
        )
    others = [each for kind, each in best.items() if kind != "dense"]
    if dense is not None and others:
        mixture = min(others, key=lambda each: each.usd)
        ratio = dense.usd / mixture.usd
        word = "less" if ratio > 1 else "more"
        said.append(
            f"The mixture, with {_made(mixture)}, costs {_percent(abs(1 - 1 / ratio))} {word}, if the rule "
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


def _tokens(number: float) -> str:
    return scaled(number, 2)


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
            items.append(f"- {more} for {what} saves {usd(-change)}, {_percent(share)} of the price.")
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


def places_said(table: pd.DataFrame, grams: float) -> str:
    """Return whether the place or the accelerator decides.

    Parameters
    ----------
    table : DataFrame
        As `places.by_place` returns it.
    grams : float
        The limit.

    Returns
    -------
    str
        Markdown.
    """
    if table.empty:
        return "There is nothing to compare."
    by_place = table.groupby("place")["grams"].min()
    by_device = table.groupby("accelerator")["grams"].min()
    place, device = by_place.max() / by_place.min(), by_device.max() / by_device.min()
    grows = f"From the best place to the worst the CO2e of an answer grows {significant(place, 2)}-fold"
    more = f"choose the {'place' if place > device else 'accelerator'} first"
    kept = table[table["kept"]]
    cheapest = "No place keeps the limit."
    if not kept.empty:
        least = usd(float(kept["usd"].min()))
        cheapest = f"Within {significant(grams)} g the cheapest costs {least} a million output tokens."
    if len(by_place) < 2:
        return cheapest
    if len(by_device) < 2:
        return running(f"{grows}.", cheapest)
    return running(
        f"{grows}, from the best accelerator to the worst {significant(device, 2)}-fold: {more}.", cheapest
    )


def savings_said(table: pd.DataFrame) -> str:
    """Return what each kind of change saves, and whether all were made for cheap inference.

    Parameters
    ----------
    table : DataFrame
        As `savings.undone_prices` returns it.

    Returns
    -------
    str
        Markdown; one list item a kind of change.
    """
    items = []
    for change in (HEADS, EXPERTS, DATA):
        rows = table[table["change"] == change]
        if rows.empty:
            continue
        dearer = of_all(int((rows["times"] > 1.05).sum()), len(rows), "model")
        items.append(
            f"- *{change[0].upper()}{change[1:]}*: undoing it makes a token dearer by more than a twentieth "
            f"in {dearer}; at the median it {_undone(rows['times'])}."
        )
    if not items:
        return "No change can be judged within these limits."
    cheaper = int((table["times"] > 1.05).sum())
    items.append(
        f"\nSo {of_all(cheaper, len(table), 'change')} {inflected(cheaper, 'makes', 'make')} serving "
        "cheaper by more than a twentieth at this load. What a change saves does not prove why it was made."
    )
    return "\n".join(items)


def reality(errors: pd.DataFrame) -> str:
    """Return how good choices of a layout were, held against measured services.

    Parameters
    ----------
    errors : DataFrame
        The table `planning_errors`, indexed by its groups.

    Returns
    -------
    str
        Markdown.
    """
    every, blind = errors.loc["all"], errors.loc["no row calibrated"]
    kept, blind_kept = (each["number"] * each["groups_close"] / 100 for each in (every, blind))
    return sentences(
        f"There are {every['number']:,.0f} such groups, of three layouts or more. In each, predicted times "
        "chose a layout for several speeds, and what the chosen one was measured to write was set beside the "
        "best of the group.",
        f"In {kept:.0f} groups the median choice was within 5% of the best; of the {blind['number']:,.0f} "
        f"groups in which nothing had been calibrated, in {blind_kept:.0f}.",
        f"The predicted frontier is off by {every['frontier']:.0f}% at the median, and by "
        f"{blind['frontier']:.0f}% in the groups that calibrated nothing.",
    )


def demand_said(demand: Demand, limits: Limits) -> str:
    """Return a demand and its limits in words.

    Parameters
    ----------
    demand, limits
        What is asked.

    Returns
    -------
    str
        Markdown.
    """
    rate = float(demand.requests_per_s or 0.0)
    return (
        f"{significant(rate)} {inflected(rate, 'request', 'requests')} a second, {demand.input_tokens:,} "
        f"{inflected(demand.input_tokens, 'token', 'tokens')} in and {demand.output_tokens:,} out; the first "
        f"token after at most {significant(limits.first_token_s or 0)} s, each further one after at most "
        f"{significant(1e3 * (limits.token_s or 0))} ms."
    )
