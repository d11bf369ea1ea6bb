"""What the chapter `decide` says of services: which is chosen, how sure that is, and how plans fared."""

from __future__ import annotations

import pandas as pd

from cohort.chapters.decide.words.amounts import usd
from cohort.display.phrases import percent, scaled_range
from cohort.display.words import counted, inflected, running, sentences, significant
from cohort.planning import Demand, Limits, Option, Plan, Point
from cohort.registry.devices import accelerator

CLOSE = 0.2  # chance from which on a choice is called open
CENTURY = 100


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
        f"{verdict}: predicted times can be off, and with a chance of {percent(chance)} {table.index[1]} is "
        "the cheaper one after all."
    )


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


def _first_reason(found: Plan) -> str:
    return found.rejected[-1].why if found.rejected else "no price is known for any accelerator"


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
        f"{table.index[1]} costs {percent(gap)} more than {table.index[0]}. Measured, its times may come "
        f"out {percent(float(other['high'] / other['usd']) - 1)} longer, those of {table.index[0]} "
        f"{percent(float(one['high'] / one['usd']) - 1)}.",
        f"If both err independently, {table.index[1]} is the cheaper one in "
        f"{significant(CENTURY * chance, 2)} of {CENTURY} cases"
        + (": try both before you buy." if chance >= CLOSE else "."),
        f"Prices differ more than times: published ones for an hour go from {offers}.",
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
