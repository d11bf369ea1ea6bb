"""Sentences about mixtures themselves: what they hold, what they save, and what a batch reads of them."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from cohort.architecture.decoder import ModelSpec
from cohort.architecture.registered import title
from cohort.chapters.expert_tradeoffs.load import BLIND, COPIES, Balance
from cohort.chapters.expert_tradeoffs.reads import NEARLY_ALL, bound_excess
from cohort.chapters.expert_tradeoffs.sizes import experts_of
from cohort.display.words import DASH, counted, inflected, ranged, running, scaled, sentences, significant
from cohort.errors.names import listed
from cohort.experts import closed_form
from cohort.scaling import mixture_rules


def brief(
    spec: ModelSpec,
    beside: pd.DataFrame,
    lost: pd.DataFrame,
    rules: pd.DataFrame,
    modern: Mapping[str, float],
    balance: Balance,
    placements: pd.DataFrame,
    decision: str,
    errors: Mapping[str, float],
) -> str:
    """Return the chapter in brief, one list item a finding.

    Parameters
    ----------
    spec : ModelSpec
        The mixture that is looked at closely.
    beside, lost : DataFrame
        As `sizes.beside_dense` and `reads.advantage` return them, with that mixture.
    rules : DataFrame
        As `worth.rules` returns it.
    modern : mapping of str to float
        As `decision.own_worth` returns it of that mixture.
    balance : Balance
        Of its experts.
    placements : DataFrame
        As `load.by_placement` returns it.
    decision : str
        As `choices.decided` begins.
    errors : mapping of str to float
        Median errors, shares: of the slowest ``device``, of the time of a ``layer``, of ``services``.

    Returns
    -------
    str
        Markdown.
    """
    name = title(spec)
    training, nearly = beside["training"], int(lost["nearly all"][name])
    saved = training[name, "dense, total"] / training[name, "it is"]
    devices = int(beside["devices"][name, "it is"])
    return sentences(
        f"- A token passes through {scaled(spec.active_parameters)} of the {scaled(spec.parameters)} "
        f"parameters of {name}: {significant(saved)} times less compute than a dense model of its size, in "
        f"as much memory, {counted(devices, 'device')}.",
        "- A step for one answer reads as little as the dense model of its active size; one for "
        f"{counted(nearly, 'answer')} reads nearly all of it.",
        _worth(name, rules, modern),
        f"- {decision}",
        _balance(balance, placements),
        "- Median errors, where nothing was fitted: "
        f"{_off(errors['device'])} for the slowest device, {_off(errors['layer'])} for the time of a layer "
        f"of experts, {_off(errors['services'])} for a token of services that deal experts out.",
    )


def _off(share: float) -> str:
    return f"{100 * share:.0f}%"


def _worth(name: str, rules: pd.DataFrame, modern: Mapping[str, float]) -> str:
    spread = float(rules["makers spread"][mixture_rules.BLIND])
    beyond = (
        f" Beyond the {scaled(modern['measured'])} of the largest dense model among them it is drawn out."
        if modern["worth"] > modern["measured"]
        else ""
    )
    return (
        f"- {name} is worth a dense model of about {scaled(modern['worth'], 2)} parameters. The rule that "
        f"says so rests on {int(rules['pairs'][mixture_rules.BLIND])} measured mixtures, and is typically "
        f"off by a factor of {spread:.1f} for a maker that it has not seen.{beyond}"
    )


def _balance(balance: Balance, placements: pd.DataFrame) -> str:
    loads, devices = balance.expected, balance.expert_parallel
    said = (
        f"- Some experts are more popular: with a skew of {balance.skew:g}"
        if balance.skew
        else "- Even with no skew"
    )
    said += f" the busiest has {significant(loads['busiest expert'])} times the mean load"
    if devices == 1:
        return f"{said}."
    row = dict(placements.loc[devices].items())
    return (
        f"{said}; the slowest of {devices} devices has {significant(row[BLIND])} times if experts are placed "
        f"blindly, {significant(row[COPIES])} times if popular ones are held twice."
    )


def where_weights_are(parts: pd.DataFrame) -> str:
    """Return how much of mixtures routed experts and routers are, and all weights over the active ones.

    Parameters
    ----------
    parts : DataFrame
        As `sizes.anatomy` returns it.

    Returns
    -------
    str
        Markdown.
    """
    share, ratio = 100 * parts["routed experts"] / parts["total"], parts["total"] / parts["active"]
    most = 100 * (parts["routers"] / parts["total"]).max()
    routers = f"{most:.2f}%" if most >= 0.005 else "less than 0.01%"
    if len(parts) == 1:
        return (
            f"Routed experts are {share.max():.1f}% of the weights, and the router, which decides "
            f"everything, {routers}. All parameters are {ratio.max():.1f} times the active ones."
        )
    return sentences(
        f"Routed experts are {share.min():.1f}% to {share.max():.1f}% of the weights. Routers, which decide "
        f"everything, are at most {routers}.",
        f"All parameters are {ratio.min():.1f} times the active ones in {ratio.idxmin()}, and "
        f"{ratio.max():.1f} times in {ratio.idxmax()}.",
    )


def active_counts(conventions: pd.DataFrame) -> str:
    """Return how many published numbers of active parameters follow from each way to count.

    Parameters
    ----------
    conventions : DataFrame
        As `sizes.active_conventions` returns it, the largest gap first.

    Returns
    -------
    str
        Markdown.
    """
    readings = conventions.iloc[:, 3:] != DASH
    every, embedded, alone = readings.sum()
    none = [str(name) for name in readings.index[~readings.any(axis=1)]]
    all_follow = "Each follows from one of them at least."
    if none:
        all_follow = f"None of them gives that of {listed(none)}."
    return sentences(
        f"Of {len(conventions)} published numbers, {every} follow when all weights are counted, {embedded} "
        f"without the input embedding, and {alone} without embedding and head; short numbers follow from "
        f"several. {all_follow}",
        "The largest excess of the exact over the published number is "
        f"{conventions['gap (%)'].iloc[0]}%, in {conventions.index[0]}. This book counts all weights, and "
        "says so where it does not.",
    )


def dense_beside(beside: pd.DataFrame) -> str:
    """Return how much more memory and how much less compute mixtures take than dense models.

    Parameters
    ----------
    beside : DataFrame
        As `sizes.beside_dense` returns it.

    Returns
    -------
    str
        Markdown.
    """
    flat = beside.unstack("as")
    less = flat["training"]["dense, total"] / flat["training"]["it is"]
    more = flat["memory"]["it is"] / flat["memory"]["dense, active"]
    return sentences(
        f"A mixture stands above the dense model of its compute, by {ranged(more.min(), more.max())} times "
        f"the memory, and to the left of the dense model of its memory, by {ranged(less.min(), less.max())} "
        "times the compute.",
        "It buys compute with memory, at training and at each token served.",
    )


def distinct_experts(seen: pd.DataFrame, spec: ModelSpec, tokens: int, skew: float) -> str:
    """Return where the shortcut is wrong, how far simulation and formula differ, and what a skew does.

    Parameters
    ----------
    seen : DataFrame
        As `reads.expert_coverage` returns it.
    spec : ModelSpec
        The mixture.
    tokens : int
        Tokens that are routed at once, for the spread.
    skew : float
        Of the router.

    Returns
    -------
    str
        Markdown.
    """
    mixed = experts_of(spec)
    spread = closed_form.coverage_variance(mixed.count, mixed.active, tokens) ** 0.5
    expected = closed_form.coverage(mixed.count, mixed.active, tokens)
    varied = seen[seen["error"] > 0]
    off = ((varied["simulated"] - varied["skewed"]).abs() / varied["error"].clip(lower=1e-12)).max()
    return sentences(
        "The shortcut is right for one token and for very many. In between it counts up to "
        f"{100 * bound_excess(mixed.count, mixed.active):.0f}% too many, near E/K, here "
        f"{counted(round(mixed.count / mixed.active), 'token')}.",
        f"{counted(tokens, 'token').capitalize()} {inflected(tokens, 'reads', 'read')} "
        f"{significant(expected)} of {mixed.count} on average if all experts are alike"
        f"{f', give or take {significant(spread, 2)}' if spread > 1e-3 else ''}. Simulation and formula are "
        f"at most {0.0 if varied.empty else off:.1f} standard errors apart, over "
        f"{counted(len(seen), 'size')} of the batch.",
        "With a skew, a batch of several tokens reads fewer experts, since popular ones are shared by more "
        "tokens."
        if skew > 0
        else "Without skew both expectations are the same.",
    )


def sparsity_lost(name: str, lost: pd.Series, accelerator: str) -> str:
    """Return from how many answers on a mixture loses what it has at one.

    Parameters
    ----------
    name : str
        Title of the mixture.
    lost : Series
        Its row of `reads.advantage`.
    accelerator : str
        Whose peaks bound a step.

    Returns
    -------
    str
        Markdown.
    """
    twice = f"A step of {name} never reads twice the weights of that model"
    if not pd.isna(lost["twice"]):
        twice = (
            f"A step of {name} reads twice the weights of that model from "
            f"{counted(int(lost['twice']), 'answer')} on"
        )
    return sentences(
        running(
            "*Reads twice* is against the dense model of equal active size.",
            f"{twice}, and {100 * NEARLY_ALL:.0f}% of its own from "
            f"{counted(int(lost['nearly all']), 'answer')} on.",
        ),
        f"At the peaks of {accelerator}, the cache left aside, its step is then up to "
        f"{significant(lost['slowest'])} times as long, at {int(lost['at']):,} answers; from "
        f"{int(lost['compute-bound']):,} on both are bound by arithmetic and take as long.",
        "So a mixture is as fast as the small dense model for one answer or for very many; between, it pays "
        "with bandwidth, though never more than the large one.",
    )
