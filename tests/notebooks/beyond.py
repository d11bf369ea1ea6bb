"""Parameters that pass a limit of what a chapter knows, and what it has to say of that at its head."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from agreement import ENDS, cells_under
from truths import Notebook, prose, said

import cohort
from cohort.chapters.expert_tradeoffs.worth import measured_pairs
from cohort.fitting import chinchilla_runs
from cohort.serving.memory import offered_context

Parameters = dict[str, Any]
SHORT = [  # models that are offered for less than a million tokens
    name for name in cohort.models() if 0 < (offered_context(cohort.model(name)) or 0) < 10**6
]
RULE = float(measured_pairs()["dense"].max())  # parameters of the largest dense model that the rule rests on
RUNS = chinchilla_runs.limits(chinchilla_runs.runs())


@dataclass(frozen=True)
class Limit:
    """A limit of a chapter: how parameters pass it, and the words that say so."""

    chapter: str
    passes: Callable[[random.Random], Parameters]
    words: str


def _longer(chance: random.Random, *names: str) -> int:
    """Return a context that is longer than any of some models is offered for, by little or by much."""
    offered = max(offered_context(cohort.model(name)) or 0 for name in names)
    return offered + chance.choice([1, 1000, offered, 9 * offered])


def _one_model(chance: random.Random) -> Parameters:
    name = chance.choice(SHORT)
    return {"model": name, "input_tokens": _longer(chance, name), "output_tokens": chance.choice([1, 300])}


def _some_models(chance: random.Random) -> Parameters:
    names = chance.sample(SHORT, chance.choice([1, 2, 12]))
    return {"models": names, "context": _longer(chance, *names)}


def _too_large(chance: random.Random) -> Parameters:
    names = [name for name in cohort.models() if cohort.model(name).parameters > 150e9]
    small = chance.choice(["L40S", "RTX 4090", "A100 SXM 80GB", "H100 SXM 80GB"])
    return {"model": chance.choice(names), "tensor_parallel": 1, "accelerator": small}


def _drawn_out(chance: random.Random) -> Parameters:
    least = float(chinchilla_runs.runs()["flop"].min())
    times = 10 ** chance.uniform(0.01, 6)
    return {"flop": float(f"{chance.choice([RUNS['flop'] * times, least / times / 10]):.3g}")}


def _many_devices(chance: random.Random) -> Parameters:
    names = [name for name in cohort.models() if cohort.model(name).experts]
    name = chance.choice(names)
    experts = cohort.model(name).experts
    assert experts is not None
    return {"model": name, "expert_parallel": experts.count * chance.choice([2, 3, 64])}


def _longer_trained(chance: random.Random) -> Parameters:
    return {"models": [chance.choice(["llama-3-8b", "qwen2.5-72b", "llama-3.1-405b"])], "law": "fitted"}


def _larger_mixture(chance: random.Random) -> Parameters:
    mixtures = [name for name in cohort.models() if cohort.model(name).experts]
    large = [name for name in mixtures if cohort.model(name).active_parameters > RULE]
    return {"model": chance.choice(large), "expert_parallel": 1}


OFFERED = r"offered for (?:fewer than )?[\d,]+ tokens"
LIMITS = {
    "cache longer than offered": Limit("attention_memory", _some_models, OFFERED),
    "models longer than offered": Limit("the_cohort", _some_models, OFFERED),
    "service longer than offered": Limit("serving_roofline", _one_model, OFFERED),
    "answer longer than offered": Limit("serving_footprint", _one_model, OFFERED + r"|Refused|fits? no"),
    "plan longer than offered": Limit("decide", _one_model, OFFERED),
    "memory too small": Limit("serving_roofline", _too_large, r"does not fit"),
    "law beyond its runs": Limit("chinchilla_fit", _drawn_out, r"drawn out (?:beyond|below) all runs"),
    "models beyond the runs": Limit("data_optimal", _longer_trained, r"outside the range of the runs"),
    "rule beyond its pairs": Limit("expert_tradeoffs", _larger_mixture, r"beyond it the rule is drawn out"),
    "more devices than experts": Limit("expert_tradeoffs", _many_devices, r"experts"),
}


def passing(limit: Limit, number: int) -> Parameters:
    """Return a set of parameters that passes a limit; the same for the same number."""
    return limit.passes(random.Random(f"{limit.chapter} {limit.words} {number}"))


def head(notebook: Notebook, figures: Sequence[dict[str, Any]]) -> str:
    """Return what In brief says, and what the figures write."""
    brief = cells_under(notebook, ENDS[:1])
    told = [prose(text) for cell, text in said(notebook) if cell in brief]
    return "\n".join([*told, *(text for figure in figures for text in figure["texts"])])
