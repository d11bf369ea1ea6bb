"""The verdicts of the chapter `the_cohort`: what the cohort's models are and what is said of them."""

from __future__ import annotations

import pandas as pd

from cohort.architecture.registered import model as read_model
from cohort.chapters.judging import MOST, Judgement, Judging, all_judged, graded
from cohort.chapters.the_cohort import verdicts_on_reports as reported
from cohort.chapters.the_cohort.tables import score_spread
from cohort.display.published_values import benchmarks, scores
from cohort.errors import CohortError
from cohort.registry import facts
from cohort.registry.facts import Fact


def judge() -> list[Judgement]:
    """Return the verdicts of the chapter."""
    return all_judged(_JUDGEMENTS)


def _cohort() -> list[str]:
    return [row["model"] for row in facts.rows("models") if row["group"] == "cohort"]


def _fact(model: str, field: str) -> Fact:
    return facts.of_model(model)[field]


def _share(claim: str, field: str, word: str, holds: float, limits: float, times: float = 1.0) -> Judgement:
    """Judge how many of the cohort's models have a word in a field."""
    having = sum(_fact(model, field).value.startswith(word) for model in _cohort())
    rule = f"models with {word}; holds from {holds:.0%} of them, with limits from {limits:.0%}"
    return Judgement(claim, graded(having / len(_cohort()), holds, limits, times, 1), having, "models", rule)


def _rope() -> Judgement:
    return _share("rope_everywhere", "positional_encoding", "RoPE", holds=1, limits=0.5)


def _rmsnorm(times: float = 1.0) -> Judgement:
    return _share("rmsnorm_almost_everywhere", "normalisation", "RMSNorm", holds=0.9, limits=0.5, times=times)


def _swiglu(times: float = 1.0) -> Judgement:
    return _share("swiglu_in_most", "activation", "SwiGLU", holds=MOST, limits=0.25, times=times)


def _plain(name: str) -> bool:
    """Whether a model is built as Llama 2 outside attention: RoPE, RMSNorm, SwiGLU, and no experts."""
    recipe = {"positional_encoding": "RoPE", "normalisation": "RMSNorm", "activation": "SwiGLU"}
    same = all(_fact(name, field).value == value for field, value in recipe.items())
    return same and read_model(name).experts is None


def _only_attention(times: float = 1.0) -> Judgement:
    changed = sum(not _plain(name) for name in _cohort())
    rule = "models that differ from Llama 2 outside attention; holds up to 10% of them, with limits up to 50%"
    verdict = graded(-changed / len(_cohort()), -0.1, -0.5, times)
    return Judgement("only_attention_changed", verdict, changed, "models", rule)


def _mixtures() -> Judgement:
    found = [name for name in _cohort() if read_model(name).experts]
    named = {"dbrx", "mixtral-8x22b-v0.1", "snowflake-arctic", "deepseek-v2"}
    verdict = "holds" if set(found) == named else "does not hold"
    return Judgement(
        "four_of_the_cohort",
        verdict,
        len(found),
        "models",
        "models with experts; holds if they are those named",
    )


# Llama is the one family of the cohort with two generations, at nearly the same sizes.
_GENERATIONS = (("llama-3-8b", "llama-2-7b"), ("llama-3-70b", "llama-2-70b"))


def _growth(times: float = 1.0) -> Judgement:
    growth = min(_tokens(new) / _tokens(old) for new, old in _GENERATIONS)
    rule = "tokens of Llama 3 over Llama 2 at the nearest size; one family shows at most limits, from 2 times"
    verdict = "holds with limits" if growth >= 2 * times else "does not hold"
    return Judgement("same_size_more_tokens", verdict, growth, "times", rule)


def _tokens(model: str) -> float:
    number = _fact(model, "training_tokens").number
    if number is None:
        raise CohortError(f"the training tokens of {model} are not disclosed")
    return number


def _fewer_tokens() -> Judgement:
    small = read_model("llama-3-8b")
    others = [read_model("dbrx"), read_model("snowflake-arctic")]
    larger = all(each.active_parameters > small.active_parameters for each in others)
    ratio = max(_tokens(each.name) / _tokens(small.name) for each in others)
    rule = (
        "tokens over those of Llama 3 8B, the larger of the two; holds below 1 if both have more parameters"
    )
    verdict = "holds" if larger and ratio < 1 else "does not hold"
    return Judgement("more_parameters_fewer_tokens", verdict, ratio, "times", rule)


def _arctic_mmlu() -> Judgement:
    rows = [row for row in facts.rows("benchmarks") if row["model"] == "snowflake-arctic"]
    found = {row["status"]: float(row["value"]) for row in rows if row["benchmark"] == "MMLU"}
    verdict = "holds"
    if found:
        verdict = "cannot be known" if set(found) == {"contested"} else "does not hold"
    rule = "the MMLU score that is found; cannot be known while its source is contested"
    tells = "the table of the announcement, which is a picture that we have not read"
    return Judgement(
        "arctic_reports_no_mmlu", verdict, max(found.values(), default=0.0), "percent", rule,
        settled_by=tells if verdict == "cannot be known" else "",
    )  # fmt: skip


def _values(model: str, benchmark: str, variant: str) -> list[float]:
    wanted = {"model": model, "benchmark": benchmark, "variant": variant}
    return [
        float(row["value"])
        for row in facts.rows("benchmarks")
        if all(row[key] == wanted[key] for key in wanted)
    ]


def _gain(times: float = 1.0) -> Judgement:
    gain = min(
        min(_values(new, "MMLU", "base")) - max(_values(old, "MMLU", "base")) for new, old in _GENERATIONS
    )
    rule = (
        "MMLU of Llama 3 above Llama 2 at the nearest size, base models, lowest against highest score; "
        "one family shows at most limits, from 5 points"
    )
    verdict = "holds with limits" if gain >= 5 * times else "does not hold"
    return Judgement("sizes_constant_quality_up", verdict, gain, "points", rule)


_ARCHITECTURE = ("attention_stated", "positional_encoding", "normalisation", "activation")


def _incomplete(times: float = 1.0) -> Judgement:
    fields = [_fact(model, field) for model in _cohort() for field in _ARCHITECTURE]
    unsaid = sum(fact.status != "stated" for fact in fields) / len(fields)
    rule = (
        "attention, positions, normalisation and activation that no report states, so that we read them off "
        "a configuration; holds from 25%, with limits from 5%"
    )
    return Judgement(
        "architectures_incomplete", graded(unsaid, 0.25, 0.05, times, 1), 100 * unsaid, "percent", rule
    )


def _comparable(times: float = 1.0) -> Judgement:
    spreads = [score_spread(scores(_cohort(), benchmark)) for benchmark in benchmarks()]
    widest = float(pd.concat(spreads)["difference"].max())
    rule = (
        "widest range of one score between sources: same model, variant, benchmark, shots, prompting and "
        "metric; holds from 5 points, with limits from 1"
    )
    return Judgement("benchmarks_not_comparable", graded(widest, 5, 1, times), widest, "points", rule)


def _compute_from_hours(model: str, peaks: dict[str, float]) -> float | None:
    """Return hours x dense 16-bit peak x the utilisation that the post assumes, where all three are given."""
    runs = {
        row["field"]: row["value"]
        for row in facts.rows("training_runs")
        if row["model_or_run"] == model and not row["part"]
    }
    assumed = [
        row["original"]
        for row in facts.rows("post_tables")
        if (row["table"], row["model"], row["column"]) == ("environment", model, "assumed_utilisation")
    ]
    hours, device = runs.get("accelerator_hours"), runs.get("accelerator")
    if not hours or not assumed or not assumed[0] or device not in peaks:
        return None
    return float(hours) * 3600 * peaks[device] * 1e12 * float(assumed[0].rstrip("%")) / 100


def _post_compute(times: float = 1.0) -> Judgement:
    peaks = {
        row["name"]: float(row["bf16_dense_tflops"])
        for row in facts.rows("accelerators")
        if row["bf16_dense_tflops"]
    }
    ratios = []
    for name in _cohort():
        if estimate := _compute_from_hours(name, peaks):
            ratio = read_model(name).training_flops(_tokens(name)) / estimate
            ratios.append(max(ratio, 1 / ratio))
    rule = (
        "largest factor between hours x 16-bit peak x assumed utilisation and 6 FLOP a parameter and token; "
        "holds up to 1.25 times, with limits up to 3"
    )
    verdict = graded(1 - max(ratios), -0.25, -2, times)
    return Judgement("training_compute_estimated", verdict, max(ratios), "times", rule)


_JUDGEMENTS: tuple[Judging | tuple[Judging, str], ...] = (
    *reported.JUDGEMENTS,
    (_growth, "its bar"),
    (_only_attention, "its bars"),
    _rope,
    (_rmsnorm, "its bars"),
    (_swiglu, "its bars"),
    _mixtures,
    _fewer_tokens,
    _arctic_mmlu,
    (_gain, "its bar"),
    (_incomplete, "its bars"),
    (_comparable, "its bars"),
    (_post_compute, "the excess that its bars allow"),
)
