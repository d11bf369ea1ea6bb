"""Sentences about what was measured: worth beside rules, loads, placements, layers and services."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from cohort.architecture.registered import title_of
from cohort.chapters.expert_tradeoffs import placed
from cohort.chapters.expert_tradeoffs.figures import LAWS
from cohort.chapters.expert_tradeoffs.load import BLIND, BY_LOAD, COPIES
from cohort.chapters.expert_tradeoffs.worth import FOLKLORE, MIXED_LAWS
from cohort.display.phrases import percent, signed
from cohort.display.words import counted, inflected, paragraphs, ranged, running, sentences, significant
from cohort.errors.names import listed
from cohort.experts import closed_form
from cohort.experts.loads import Load
from cohort.scaling import mixture_rules
from cohort.scaling.mixture_rules import Rule

MEDIAN, SPREAD = (0.8, 1.25), 1.4  # of predicted over measured worth, which a rule has to meet
FINE = 8  # experts' worth of width of a token, from which on a mixture is called fine-grained


def meets(row: Mapping[str, Any]) -> bool:
    """Return whether a rule is near enough to the pairs, all alike and maker by maker.

    Parameters
    ----------
    row : mapping of str
        A row of `worth.rules`.

    Returns
    -------
    bool
    """
    right = all(MEDIAN[0] <= row[name] <= MEDIAN[1] for name in ("median", "makers median"))
    return right and all(row[name] <= SPREAD for name in ("spread", "makers spread"))


def formula(rule: Rule) -> str:
    """Return a rule in words.

    Parameters
    ----------
    rule : Rule
        With its coefficients.

    Returns
    -------
    str
        Markdown, without a full stop.
    """
    if rule.form == FOLKLORE:
        return "the square root of total times active parameters"
    total, *rest = rule.coefficients
    parts = [f"active parameters × (total ÷ active)^{total:.2f}"]
    if "bent" in rule.form:
        bent, *rest = rest
        parts.append(f"× exp({signed(bent, '+.3f')} × ln²(total ÷ active))")
    if "granularity" in rule.form:
        parts.append(f"× granularity^{rest[0]:.2f}")
    return " ".join(parts)


def pairs_and_rule(pairs: pd.DataFrame, rules: pd.DataFrame) -> str:
    """Return what the pairs support: the rule, its error on makers it does not know, and the folklore's.

    Parameters
    ----------
    pairs, rules : DataFrame
        As `worth.measured_pairs` and `worth.rules` return them.

    Returns
    -------
    str
        Markdown.
    """
    times = pairs["dense"] / pairs["active"]
    rows = by_row(rules)
    own, folk = rows[mixture_rules.BLIND], rows[FOLKLORE]
    makers = pairs["maker"].value_counts()
    met = "meets" if meets(own) else "does not meet"
    return paragraphs(
        f"In {len(pairs)} pairs of {len(makers)} makers a mixture was as good as a dense model of "
        f"{ranged(times.min(), times.max())} times its active parameters, after as many tokens of the same "
        "data. The rule that they support:",
        f"**{formula(mixture_rules.recommended())}**, and never more than all parameters.",
        running(
            "*Granularity* is the width that a token passes through over that of one expert.",
            "A mixture of many small experts has more of it than one of a few large ones.",
        ),
        "How far off is it for a maker that it was not fitted to? At the median of all pairs it gives "
        f"{own['median']:.2f} of what was measured, and typically misses by a factor of {own['spread']:.2f} "
        f"to either side, its spread. If each maker counts alike, these are {own['makers median']:.2f} and "
        f"{own['makers spread']:.2f}. That {met} our bar, a median from {MEDIAN[0]:g} to {MEDIAN[1]:g} and a "
        f"spread of at most {SPREAD:g}.",
        _folklore(pairs, folk),
        running(_one_maker(makers, len(pairs)), _bounds()),
    )


def _bounds() -> str:
    found = mixture_rules.bounded_ratios()
    kept = sum(ratio >= 1 if pair.relation == "at least" else ratio <= 1 for pair, ratio in found)
    return (
        f"Of {len(found)} more mixtures it is only known that they were better, or worse, than every dense "
        f"model beside them; the rule agrees in {kept}."
    )


def _one_maker(makers: pd.Series, pairs: int) -> str:
    if makers.iloc[0] * 2 <= pairs:
        return ""
    return (
        f"{makers.iloc[0]} of the pairs are by {makers.index[0]}, whose experts are coarse: counting "
        "maker by maker says more of modern mixtures."
    )


def _folklore(pairs: pd.DataFrame, folk: Mapping[str, Any]) -> str:
    said = (
        "The folklore root, of total times active parameters, was fitted to nothing. Maker by maker it comes "
        f"out at {folk['makers median']:.2f}, with a spread of {folk['makers spread']:.2f}"
    )
    fine = pairs[pairs["granularity"] >= FINE]
    if fine.empty:
        return f"{said}."
    root = ((fine["active"] * fine["total"]) ** 0.5 / fine["dense"]).median()
    rule = (fine["predicted"] / fine["dense"]).median()
    return (
        f"{said}. For the {counted(len(fine), 'mixture')} of a granularity of {FINE} and more it gives "
        f"{root:.2f} of what was measured, the rule {rule:.2f}: fine experts are worth more than coarse ones "
        "of the same size."
    )


def laws_beside(rules: pd.DataFrame) -> str:
    """Return how far published laws are from pairs that they were not fitted to.

    Parameters
    ----------
    rules : DataFrame
        As `worth.rules` returns it.

    Returns
    -------
    str
        Markdown.
    """
    laws = {name: row for name, row in by_row(rules).items() if name in MIXED_LAWS}
    good = [name for name, row in laws.items() if meets(row)]
    nearest = min(laws, key=lambda name: laws[name]["makers spread"])
    medians, spreads = ([row[f"makers {what}"] for row in laws.values()] for what in ("median", "spread"))
    met = "None of them meets both bounds"
    if good:
        titles = listed([LAWS[name][0] for name in good])
        met = f"{titles} {inflected(len(good), 'meets', 'meet')} both bounds"
    return sentences(
        f"Of {len(laws)} published laws, each scored on the pairs that its own report does not print, "
        f"medians run from {min(medians):.2f} to {max(medians):.2f} and spreads from {min(spreads):.2f} to "
        f"{max(spreads):.2f}. {met}.",
        f"The nearest is that of {AUTHORS[nearest.split('-')[0]]}, at "
        f"{laws[nearest]['makers median']:.2f} with a spread of {laws[nearest]['makers spread']:.2f} "
        "maker by maker: its form carries over better than most. A law that was fitted to one recipe, "
        "one size of run or one granularity says little of another.",
    )


AUTHORS = {
    "clark": "Clark et al.",
    "krajewski": "Krajewski et al.",
    "abnar": "Abnar et al.",
    "ludziejewski": "Ludziejewski et al.",
    "ling": "Tian et al.",
}


def compute_and_memory(pairs: pd.DataFrame) -> str:
    """Return how many mixtures were worth more than their compute, and how many all their weights.

    Parameters
    ----------
    pairs : DataFrame
        As `worth.measured_pairs` returns it.

    Returns
    -------
    str
        Markdown.
    """
    more = int((pairs["dense"] > pairs["active"]).sum())
    whole = int((pairs["dense"] >= pairs["total"]).sum())
    return (
        f"That is the choice of who serves. Who trains pays for compute, and {more} of {len(pairs)} measured "
        f"mixtures are worth more than a dense model that trains with as much; {whole or 'none'} of them "
        f"{inflected(whole or 1, 'is', 'are')} worth a dense model of as many weights."
    )


def by_row(frame: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Return the rows of a table by their name.

    Parameters
    ----------
    frame : DataFrame
        A table.

    Returns
    -------
    dict
        Of each row its cells by column.
    """
    rows: dict[Any, Any] = frame.to_dict("index")
    return {str(name): row for name, row in rows.items()}


def router_loads(loads: Sequence[Load], skews: pd.DataFrame, skew: float, tokens: int) -> str:
    """Return how unevenly measured routers load their experts, and what that does to coverage and drops.

    Parameters
    ----------
    loads : sequence of Load
        Measured, of one model.
    skews : DataFrame
        As `placed.measured_skews` returns it.
    skew : float
        Of the chapter's router.
    tokens : int
        Of a batch.

    Returns
    -------
    str
        Markdown.
    """
    hot = [max(each.over_mean) for each in loads]
    count, active = len(loads[0].assignments), loads[0].active
    read = [closed_form.coverage(count, active, 32, each.popularity) for each in loads]
    lost = [100 * closed_form.dropped(count, active, tokens, 1.25, each.popularity) for each in loads]
    alike = closed_form.coverage(count, active, 32)
    least, most = skews["low"].min(), skews["high"].max()
    return sentences(
        f"Measured, the most popular expert of {loads[0].model} has {ranged(min(hot), max(hot))} times the "
        f"mean load, by layer and kind of text. Layers of {len(skews)} models are as uneven as a router "
        f"with a skew of {least:.1f} to {most:.1f}; the median layer of the median model has "
        f"{placed.usual_skew():.1f}, and this chapter takes {skew:g}.",
        f"So loaded, a batch of 32 tokens reads {ranged(min(read), max(read), '.0f')} of {count} experts, "
        f"where alike ones would be {alike:.0f}, and of {tokens:,} tokens "
        f"{ranged(min(lost), max(lost), '.0f')}% of the assignments find an expert of 1.25 times the even "
        "share full.",
    )


def placements(frame: pd.DataFrame, skew: float, devices: int) -> str:
    """Return what knowing the loads and holding popular experts twice is worth.

    Parameters
    ----------
    frame : DataFrame
        As `load.by_placement` returns it.
    skew : float
        Of the router.
    devices : int
        Whose row is said.

    Returns
    -------
    str
        Markdown.
    """
    row = dict(frame.loc[devices].items())
    others = placed.other_texts().median(numeric_only=True)
    own = "One device holds all experts, and none waits for another."
    if devices > 1:
        own = (
            f"On {devices} devices and with a skew of {skew:g}, the slowest has {significant(row[BLIND])} "
            f"times the mean load where experts were placed blindly, {significant(row[BY_LOAD])} times where "
            f"their loads were known, and {significant(row[COPIES])} times with one more place on each "
            "device for copies of popular experts."
        )
    return sentences(
        own,
        "What was popular yesterday is known, what will be today is not: on eight devices, OLMoE's layers "
        f"have {others['as numbered']:.2f} times the mean as numbered, {others['by other texts']:.2f} placed "
        f"by the loads of other kinds of text, {others['with copies']:.2f} with copies too, and "
        f"{others['by its own']:.2f} if their own loads had been known (medians).",
    )


def devices_beside(frame: pd.DataFrame, known: pd.DataFrame) -> str:
    """Return how far predicted slowest devices are from measured ones, by what is known of a layer.

    Parameters
    ----------
    frame, known : DataFrame
        As `placed.slowest_devices` and `placed.known_placements` return them.

    Returns
    -------
    str
        Markdown.
    """
    spread = (frame[placed.KNOWN] / frame["measured"] - 1).dropna().abs()
    others = (frame[placed.OTHERS] / frame["measured"] - 1).abs()
    copies = (known["predicted"] / known["measured"] - 1).abs()
    within = int((spread <= 0.25).sum())
    return sentences(
        f"Where it is known how uneven a layer is, and not which experts are popular, the slowest device is "
        f"within 25% in {within} of {len(spread)} layers and {100 * spread.median():.0f}% off at the median. "
        "The layers of Qwen3 are the most even, the middle and the least even of 48 for each text, so that "
        "the outer ones are hard on purpose.",
        f"Where nothing is known of the layer, and its skew is that of other models, the median error is "
        f"{100 * others.median():.0f}%: routers differ too much for one number.",
        f"Placed by load with copies, {len(known)} layers of {known['model'].iloc[0]} come out within "
        f"{100 * copies.max():.0f}%.",
    )


def times_beside(frame: pd.DataFrame, fixed_s: float) -> str:
    """Return how far the time of a layer of experts is predicted, and what it takes whatever it reads.

    Parameters
    ----------
    frame : DataFrame
        As `timing.layer_times` returns it.
    fixed_s : float
        As `timing.fixed_time` returns it, in seconds.

    Returns
    -------
    str
        Markdown.
    """
    bare = frame["bare"] / frame["measured"] - 1
    error = frame["error"]
    worst = frame.to_dict("records")[int(error.abs().to_numpy().argmax())]
    return sentences(
        f"Coverage times the bandwidth of the data sheet is {100 * -bare.median():.0f}% too short at the "
        f"median of {len(frame)} measured layers. With a share of the bandwidth, a share of the peak and a "
        "fixed time, fitted to the other two shapes, the median error is "
        f"{100 * error.abs().median():.1f}%, and the largest {signed(100 * worst['error'])}%, for "
        f"{counted(int(worst['tokens']), 'token')} of {worst['shape']}.",
        f"The fixed time is {1e6 * fixed_s:.0f} µs a layer: for one token of a fine-grained mixture it is "
        f"{100 * fixed_s / float(frame['measured'].min()):.0f}% of the whole. Small experts are not read any "
        "faster than the kernels that fetch them start.",
    )


def _too(ratio: float) -> str:
    """Say how far a prediction is from what was measured."""
    return f"{percent(abs(ratio - 1))} too {'high' if ratio > 1 else 'low'}"


def services_beside(frame: pd.DataFrame, errors: pd.DataFrame) -> str:
    """Return how far services that deal experts out are predicted.

    Parameters
    ----------
    frame, errors : DataFrame
        As `fleet.wide_services` and `fleet.dealt_out` return them.

    Returns
    -------
    str
        Markdown.
    """
    between, own = int(frame["between"].sum()), next(r for r in frame.to_dict("records") if r["stated"])
    records = by_row(errors)
    dealt, split = records["experts dealt out"], records["experts split"]
    models = errors[errors.index.str.startswith("experts dealt out, ")]
    worst = title_of(str(models["median"].idxmax()).removeprefix("experts dealt out, "))
    return sentences(
        f"{between} of {len(frame)} published services of DeepSeek-V3 lie between what is predicted if the "
        "exchange is added to each step and if it hides behind the work. DeepSeek's own, the one that "
        f"says how many answers it writes at once, is predicted {_too(own['apart'] / own['measured'])} the "
        f"one way and {_too(own['overlapped'] / own['measured'])} the other: it overlaps both in part.",
        f"Whole services give a narrower answer: over {int(dealt['rows']):,} times per token that nothing "
        f"was fitted to, with experts dealt out to devices, the median error is {dealt['median']:.0f}% (bias "
        f"{signed(dealt['bias'])}%), and {split['median']:.0f}% where each expert is split; the worst of "
        f"{len(models)} models is {worst} with {models['median'].max():.0f}%.",
    )
