"""Problems of the chapter `expert_tradeoffs`, worked out with its own mixture."""

from __future__ import annotations

from cohort.architecture.decoder import ModelSpec
from cohort.architecture.registered import title
from cohort.chapters.expert_tradeoffs.sizes import experts_of
from cohort.chapters.expert_tradeoffs.words.measured import formula
from cohort.display.problems import Problem
from cohort.display.words import counted, scaled, significant
from cohort.experts.closed_form import coverage
from cohort.scaling import mixture_laws, mixture_rules


def worked(spec: ModelSpec, concurrency: int, tokens: int, capacity_factor: float) -> list[Problem]:
    """Return three problems with their solutions: experts read, dense equals, room of an expert.

    Parameters
    ----------
    spec : ModelSpec
        A mixture of experts.
    concurrency : int
        Answers in a step.
    tokens : int
        Tokens that are routed at once.
    capacity_factor : float
        Room of an expert over its even share of them.

    Returns
    -------
    list of Problem

    Raises
    ------
    CohortError
        If a value is out of its range.
    """
    return [_read(spec, concurrency), _worth(spec), _room(spec, tokens, capacity_factor)]


def _read(spec: ModelSpec, concurrency: int) -> Problem:
    """Ask how many experts of a layer a step reads."""
    experts = experts_of(spec)
    share = experts.active / experts.count
    missed = (1 - share) ** concurrency
    read = coverage(experts.count, experts.active, concurrency)
    return Problem(
        f"A layer of {title(spec)} has {experts.count:,} experts, and a token goes to {experts.active}. "
        f"How many of them does a step of {counted(concurrency, 'token')} read, if each chooses at random?",
        (
            f"A token misses a given expert with probability 1 − {experts.active}/{experts.count} = "
            f"{significant(1 - share, 4)}.",
            f"All {counted(concurrency, 'token')} miss it with {significant(1 - share, 4)}^{concurrency} = "
            f"{significant(missed)}.",
            f"{experts.count} × (1 − {significant(missed)}) = {significant(read)}.",
        ),
        f"About {significant(read)} of {experts.count:,}, {significant(100 * read / experts.count, 2)}%.",
    )


def _worth(spec: ModelSpec) -> Problem:
    """Ask which dense model a mixture is worth by the recommended rule."""
    rule, own = mixture_rules.recommended(), mixture_laws.shape(spec)
    found = rule.dense_equivalent(own)
    root = mixture_laws.geometric_mean(own)
    return Problem(
        f"Without vocabulary, {title(spec)} holds {scaled(own.total)} weights and uses "
        f"{scaled(own.active)} on a token, in experts of granularity {own.granularity:.2g}. Which "
        "dense model is it worth, and which by the root?",
        (
            f"The rule: {formula(rule)}, and at most all weights.",
            f"total ÷ active = {significant(own.total / own.active)}.",
            f"Root: √({scaled(own.total)} × {scaled(own.active)}) = {scaled(root)}.",
        ),
        f"About {scaled(found)} by the rule, {significant(found / own.active)} times the active weights, and "
        f"{scaled(root)} by the root.",
    )


def _room(spec: ModelSpec, tokens: int, factor: float) -> Problem:
    """Ask for how many tokens an expert has room."""
    experts = experts_of(spec)
    even = tokens * experts.active / experts.count
    room = int(even * factor)
    return Problem(
        f"{counted(tokens, 'token')} are routed at once to {experts.active} of {experts.count:,} experts "
        f"each. Each expert has room for {factor:g} times its even share. From what load on does one drop "
        "tokens?",
        (
            f"Even share: {tokens:,} × {experts.active} ÷ {experts.count} = {significant(even, 4)} tokens.",
            f"Room: {factor:g} × {significant(even, 4)}, rounded down to {room:,}.",
        ),
        f"From {room + 1:,} tokens on, {significant((room + 1) / even)} times the even share.",
    )
