"""The post's claims and the verdicts on them: each judged by a number, and by a rule that is written down.

A chapter records its verdicts; the ledger reads the records. A claim that no chapter judges stays open.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from cohort import facts
from cohort.configs import model as read_model
from cohort.errors import CohortError, shown
from cohort.facts import Fact
from cohort.models import ModelSpec

VERDICTS = ("holds", "holds with limits", "does not hold", "cannot be known")


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict on one claim, with the number that it rests on.

    Attributes
    ----------
    claim : str
        A key of the table `claims`.
    verdict : str
        One of `VERDICTS`.
    value : float
        The number.
    unit : str
        Its unit.
    """

    claim: str
    verdict: str
    value: float
    unit: str

    def __post_init__(self) -> None:
        if self.verdict not in VERDICTS:
            raise CohortError(f"{shown(self.verdict)} is no verdict; known: {', '.join(VERDICTS)}")


def graded(share: float, holds: float, limits: float) -> str:
    """Return the verdict on a claim that says how much or how many.

    Parameters
    ----------
    share : float
        What was found.
    holds, limits : float
        From this on the claim holds, and from this on it holds with limits.
    """
    if share >= holds:
        return "holds"
    return "holds with limits" if share >= limits else "does not hold"


def records(judgements: list[Judgement]) -> dict[str, object]:
    """Return the keywords that record verdicts: each number under the name that the ledger expects."""
    names = {row["claim"]: row["record"] for row in facts.rows("claims")}
    recorded: dict[str, object] = {}
    for each in judgements:
        recorded[f"verdict_{each.claim}"] = each.verdict
        recorded[names[each.claim]] = (each.value, each.unit)
    return recorded


def table(judgements: list[Judgement]) -> pd.DataFrame:
    """Return verdicts for readers: each statement with its verdict, its number and the number's unit."""
    statements = {row["claim"]: row["statement"] for row in facts.rows("claims")}
    frame = pd.DataFrame(
        [(statements[each.claim], each.verdict, each.value, each.unit) for each in judgements],
        columns=["claim", "verdict", "number", "unit"],
    )
    return frame.set_index("claim")


def judge_cohort() -> list[Judgement]:
    """Return the verdicts of the first chapter, on what the cohort's models are and what is said of them."""
    return [judge() for judge in _OF_THE_COHORT]


def _cohort() -> list[str]:
    return [row["model"] for row in facts.rows("models") if row["group"] == "cohort"]


def _fact(model: str, field: str) -> Fact:
    return facts.of_model(model)[field]


def _share(claim: str, field: str, word: str, holds: float, limits: float) -> Judgement:
    """Judge how many of the cohort's models have a word in a field."""
    having = sum(_fact(model, field).value.startswith(word) for model in _cohort())
    return Judgement(claim, graded(having / len(_cohort()), holds, limits), having, "models")


def _rope() -> Judgement:
    return _share("rope_everywhere", "positional_encoding", "RoPE", holds=1, limits=0.5)


def _rmsnorm() -> Judgement:
    # "Almost all" is read as nine in ten.
    return _share("rmsnorm_almost_everywhere", "normalisation", "RMSNorm", holds=0.9, limits=0.5)


def _swiglu() -> Judgement:
    return _share("swiglu_in_most", "activation", "SwiGLU", holds=0.5, limits=0.25)


def _plain(name: str) -> bool:
    """Whether a model is built as Llama 2 outside attention: RoPE, RMSNorm, SwiGLU, and no experts."""
    recipe = {"positional_encoding": "RoPE", "normalisation": "RMSNorm", "activation": "SwiGLU"}
    same = all(_fact(name, field).value == value for field, value in recipe.items())
    return same and read_model(name).experts is None


def _only_attention() -> Judgement:
    changed = sum(not _plain(name) for name in _cohort())
    unchanged = 1 - changed / len(_cohort())
    return Judgement("only_attention_changed", graded(unchanged, 1, 0.5), changed, "models")


def _mixtures() -> Judgement:
    found = [name for name in _cohort() if read_model(name).experts]
    named = {"dbrx", "mixtral-8x22b-v0.1", "snowflake-arctic", "deepseek-v2"}
    verdict = "holds" if set(found) == named else "does not hold"
    return Judgement("four_of_the_cohort", verdict, len(found), "models")


def _growth() -> Judgement:
    """Judge the tokens of Llama 3 over those of the Llama 2 model of the nearest size."""
    pairs = (("llama-3-8b", "llama-2-7b"), ("llama-3-70b", "llama-2-70b"))
    growth = min(_tokens(new) / _tokens(old) for new, old in pairs)
    return Judgement("same_size_more_tokens", graded(growth, 2, 1.1), growth, "times")


def _tokens(model: str) -> float:
    number = _fact(model, "training_tokens").number
    if number is None:
        raise CohortError(f"the training tokens of {model} are not disclosed")
    return number


def _fewer_tokens() -> Judgement:
    small = read_model("llama-3-8b")
    others: list[ModelSpec] = [read_model("dbrx"), read_model("snowflake-arctic")]
    larger = all(each.active_parameters > small.active_parameters for each in others)
    ratio = max(_tokens(each.name) / _tokens(small.name) for each in others)
    verdict = "holds" if larger and ratio < 1 else "does not hold"
    return Judgement("more_parameters_fewer_tokens", verdict, ratio, "times")


def _scores(model: str, benchmark: str, variant: str) -> list[float]:
    wanted = {"model": model, "benchmark": benchmark, "variant": variant}
    return [
        float(row["value"])
        for row in facts.rows("benchmarks")
        if all(row[key] == wanted[key] for key in wanted)
    ]


def _arctic_mmlu() -> Judgement:
    scores = _scores("snowflake-arctic", "MMLU", "instruct")
    verdict = "does not hold" if scores else "holds"
    return Judgement("arctic_reports_no_mmlu", verdict, max(scores, default=0.0), "percent")


def _gain() -> Judgement:
    """Judge the gain in MMLU of Llama 3 over Llama 2 at the nearest size, base models, worst against best."""
    pairs = (("llama-3-8b", "llama-2-7b"), ("llama-3-70b", "llama-2-70b"))
    gain = min(min(_scores(new, "MMLU", "base")) - max(_scores(old, "MMLU", "base")) for new, old in pairs)
    return Judgement("sizes_constant_quality_up", graded(gain, 5, 1), gain, "points")


_ARCHITECTURE = ("attention_stated", "positional_encoding", "normalisation", "activation")


def _incomplete() -> Judgement:
    """Judge the share of architecture fields that no report states: to be read off a config, or unknown."""
    fields = [_fact(model, field) for model in _cohort() for field in _ARCHITECTURE]
    unsaid = sum(fact.status != "stated" for fact in fields) / len(fields)
    return Judgement("architectures_incomplete", graded(unsaid, 0.25, 0.05), 100 * unsaid, "percent")


def _comparable() -> Judgement:
    """Judge how far one uncontested score moves between sources: same model, variant and benchmark."""
    groups: dict[tuple[str, str, str], list[float]] = {}
    for row in facts.rows("benchmarks"):
        if row["model"] in _cohort() and row["status"] != "contested":
            groups.setdefault((row["model"], row["variant"], row["benchmark"]), []).append(
                float(row["value"])
            )
    widest = max(max(scores) - min(scores) for scores in groups.values())
    return Judgement("benchmarks_not_comparable", graded(widest, 5, 1), widest, "points")


def _post_compute() -> Judgement:
    """Judge the post's own estimates of training compute against six FLOP a parameter and token."""
    ratios = []
    for row in facts.rows("post_tables"):
        if row["table"] == "environment" and row["column"] == "flops" and row["original"]:
            spec = read_model(row["model"])
            derived = 6.0 * spec.active_parameters * _tokens(spec.name)
            ratios.append(derived / float(row["original"]))
    worst = max(ratios)
    return Judgement("training_compute_estimated", graded(-worst, -1.5, -2), worst, "times")


_OF_THE_COHORT: tuple[Callable[[], Judgement], ...] = (
    _growth,
    _only_attention,
    _rope,
    _rmsnorm,
    _swiglu,
    _mixtures,
    _fewer_tokens,
    _arctic_mmlu,
    _gain,
    _incomplete,
    _comparable,
    _post_compute,
)
