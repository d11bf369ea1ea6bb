"""Problems of the chapter `expert_tradeoffs`, worked out with its own mixture."""

from __future__ import annotations

from cohort.architecture.decoder import ModelSpec
from cohort.architecture.registered import title
from cohort.chapters.expert_tradeoffs.sizes import experts_of
from cohort.display.problems import Problem
from cohort.display.words import counted, significant
from cohort.experts.closed_form import coverage


def worked(spec: ModelSpec, concurrency: int, tokens: int, capacity_factor: float) -> list[Problem]:
    """Return three problems with their solutions: experts read, compute against memory, room of an expert.

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
    return [_read(spec, concurrency), _trade(spec), _room(spec, tokens, capacity_factor)]


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


def _trade(spec: ModelSpec) -> Problem:
    """Ask what a mixture saves against dense models of its compute and of its size."""
    total, active = spec.parameters / 1e9, spec.active_parameters / 1e9
    return Problem(
        f"{title(spec)} holds {significant(total)} billion weights and uses {significant(active)} billion "
        "on a "
        "token. What does it take beside a dense model of as much compute, and of as much memory?",
        (
            f"Compute follows the weights at work: 6 × {significant(active)}e9 = "
            f"{significant(6 * active)}e9 operations a token in training.",
            f"Memory follows all of them: {significant(total)}e9 × 2 bytes = {significant(2 * total)} GB.",
            f"{significant(total)} ÷ {significant(active)} = {significant(total / active)}.",
        ),
        f"{significant(total / active)} times the memory of the first, and as much less compute than the "
        "second.",
    )


def _room(spec: ModelSpec, tokens: int, factor: float) -> Problem:
    """Ask for how many tokens an expert has room."""
    experts = experts_of(spec)
    even = tokens * experts.active / experts.count
    room = int(even * factor)
    return Problem(
        f"{counted(tokens, 'token')} are routed at once to {experts.active} of {experts.count:,} experts "
        "each. "
        f"Each expert has room for {factor:g} times its even share. From what load on does one drop tokens?",
        (
            f"Even share: {tokens:,} × {experts.active} ÷ {experts.count} = {significant(even, 4)} tokens.",
            f"Room: {factor:g} × {significant(even, 4)}, rounded down to {room:,}.",
        ),
        f"From {room + 1:,} tokens on, {significant((room + 1) / even)} times the even share.",
    )
