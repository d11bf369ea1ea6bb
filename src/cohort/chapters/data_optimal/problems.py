"""Problems of the chapter `data_optimal`, worked out with its own model and law."""

from __future__ import annotations

import math

from cohort.display.phrases import power_of_ten
from cohort.display.problems import Problem
from cohort.display.words import scaled, significant
from cohort.scaling import ScalingLaw
from cohort.units import SECONDS_PER_HOUR


def worked(
    law: ScalingLaw,
    name: str,
    parameters: float,
    tokens: float,
    rate: float,
    usd_per_hour: float,
    stated: float | None = None,
) -> list[Problem]:
    """Return three problems with their solutions: the extra training, its pay-back, and its bill.

    Parameters
    ----------
    law : ScalingLaw
        The law.
    name : str
        Title of the model that is looked at.
    parameters, tokens : float
        Its size, and the text that it saw.
    rate : float
        FLOP a second that an accelerator attains in training.
    usd_per_hour : float
        USD for an hour of one.
    stated : float, optional
        Hours of it that the makers state for the training.

    Returns
    -------
    list of Problem
    """
    best = law.compute_optimal(loss=law.loss(parameters, tokens))
    spent, extra = 6 * parameters * tokens, 6 * parameters * tokens - best.flop
    small, large = significant(parameters / 1e9), significant(best.parameters / 1e9)
    seen, optimum = significant(tokens / 1e12), significant(best.tokens / 1e12)
    return [
        Problem(
            f"{name} has {small} billion parameters at work and saw {seen} trillion tokens. By the law "
            f"{large} billion parameters and {optimum} trillion tokens give the same loss. How much more "
            "computing did its training take?",
            (
                f"6 × {small}e9 × {seen}e12 = {power_of_ten(spent)} FLOP.",
                f"6 × {large}e9 × {optimum}e12 = {power_of_ten(best.flop)} FLOP.",
                f"{power_of_ten(spent)} ÷ {power_of_ten(best.flop)} = {significant(spent / best.flop)}.",
            ),
            f"{significant(spent / best.flop)} times as much.",
        ),
        _pay_back(name, parameters, best.parameters, extra),
        _bill(name, spent, rate, usd_per_hour, stated),
    ]


def _bill(name: str, spent: float, rate: float, usd_per_hour: float, stated: float | None) -> Problem:
    """Ask what a training cost, and set the hours that its makers state beside it."""
    hours = spent / rate / SECONDS_PER_HOUR
    price, bill = significant(usd_per_hour), scaled(hours * usd_per_hour)
    beside: tuple[str, ...] = ()
    billed = ""
    if stated:
        beside = (
            f"The makers of {name} state {scaled(stated)} hours of this accelerator, "
            f"{significant(stated / hours)} times as many.",
        )
        billed = f"; by the hours that were stated, USD {scaled(stated * usd_per_hour)}"
    return Problem(
        f"What did those {power_of_ten(spent)} FLOP cost, at {power_of_ten(rate)} FLOP a second for an "
        f"accelerator and USD {price} an hour?",
        (
            f"{power_of_ten(spent)} ÷ {power_of_ten(rate)} ÷ 3,600 = {scaled(hours)} hours.",
            f"{scaled(hours)} × USD {price} = USD {bill}.",
            *beside,
        ),
        f"USD {bill}, for the final run alone{billed}.",
    )


def _pay_back(name: str, parameters: float, optimum: float, extra: float) -> Problem:
    """Ask after how many tokens of use the extra training is paid back."""
    saved = 2 * (optimum - parameters)
    question = (
        f"A token of use takes two operations for each parameter. After how many of them has {name} paid "
        f"back {power_of_ten(extra)} FLOP of extra training?"
    )
    if saved <= 0 or extra <= 0 or not math.isfinite(extra / saved):
        steps = ("It is no smaller than the compute-optimal model, so that no token saves anything.",)
        return Problem(question, steps, "Never.")
    small, large = significant(parameters / 1e9), significant(optimum / 1e9)
    return Problem(
        question,
        (
            f"A token saves 2 × ({large}e9 − {small}e9) = {power_of_ten(saved)} FLOP.",
            f"{power_of_ten(extra)} ÷ {power_of_ten(saved)} = {extra / saved:.3g}.",
        ),
        f"After {significant(extra / saved / 1e12)} trillion tokens.",
    )
