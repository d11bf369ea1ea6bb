"""The verdicts of the chapter `the_cohort` on what makers report of data, scores and closed models."""

from __future__ import annotations

from cohort.architecture.registered import model as read_model
from cohort.chapters.judging import Judgement, Judging, graded
from cohort.chapters.the_cohort.post_scores import scores_of_the_post
from cohort.registry import facts


def _cohort() -> list[str]:
    return [row["model"] for row in facts.rows("models") if row["group"] == "cohort"]


def _saying(field: str) -> list[str]:
    """Return the models of the cohort whose makers say something in a field."""
    return [name for name in _cohort() if facts.of_model(name)[field].value]


def _curated(times: float = 1.0) -> Judgement:
    having = _saying("data_curation")
    contested = [name for name in having if facts.of_model(name)["data_curation"].status == "contested"]
    rule = (
        "models whose makers say that they cleaned, filtered or chose their data for pre-training; holds "
        "from 90% of them, with limits from half. Cohere and Mistral say nothing; what Snowflake says is "
        f"known from others in {len(contested)} case. That something is said is not that it can be repeated: "
        "none gives its filters"
    )
    verdict = graded(len(having) / len(_cohort()), 0.9, 0.5, times, 1)
    return Judgement("data_curated_everywhere", verdict, len(having), "models", rule)


def _models_make_data() -> Judgement:
    having = _saying("data_by_models")
    writing = [name for name in having if "written" in facts.of_model(name)["data_by_models"].value]
    phi = [name for name in _cohort() if name.startswith("phi-3")]
    others = len(having) - len(writing)
    rule = (
        "models whose makers say that language models chose their data for pre-training or wrote some; holds "
        f"if Phi-3 says that they wrote some ({len(writing)} of {len(phi)} models) and another maker that "
        f"they chose ({others} models, of Meta). Others may do so and not say it"
    )
    holds = writing == phi and others > 0
    return Judgement("models_make_data", "holds" if holds else "does not hold", len(having), "models", rule)


def _no_replication() -> Judgement:
    released = {name: facts.of_model(name)["training_released"].value for name in _cohort()}
    without = [name for name, value in released.items() if "data" not in value]
    code = [name for name, value in released.items() if value]
    rule = (
        "models whose makers release no data of training; holds if that is all of them, since without data "
        f"no run can be repeated. For {len(code)} of them libraries of training are open. That it can be "
        "done is shown elsewhere: the makers of OLMo 2 release both"
    )
    verdict = "holds" if len(without) == len(released) else "holds with limits"
    return Judgement("no_replication", verdict, len(without), "models", rule)


def _variant_unclear(times: float = 1.0) -> Judgement:
    cohort = set(_cohort())
    scores = [each for each in scores_of_the_post() if each.model in cohort]
    nowhere = sum(not each.variant for each in scores)
    untold = sum(each.variant == "instruct" and not each.method for each in scores)
    share = (nowhere + untold) / len(scores)
    rule = (
        f"share of the {len(scores)} scores of the cohort in the post of which it cannot be told whether the "
        f"model was a base, a fine-tuned or an aligned one: {nowhere} stand in no source, and {untold} are "
        "of instructed models whose makers do not say how. Whether base or instructed is printed at all "
        "the others. Holds from a quarter, with limits from 5%"
    )
    return Judgement("variant_unclear", graded(share, 0.25, 0.05, times, 1), 100 * share, "percent", rule)


def _three() -> Judgement:
    latest = "deepseek-v2"
    released = facts.of_model(latest)["release_date"].value
    mixtures = [name for name in _cohort() if read_model(name).experts]
    before = [name for name in mixtures if facts.of_model(name)["release_date"].value < released]
    rule = (
        f"mixtures of the cohort that were out before DeepSeek-V2, which came on {released}; holds if they "
        f"are three and no fourth came before the draft, with limits if one did: {len(mixtures)} with it, as "
        "the published post says"
    )
    verdict = "does not hold"
    if len(before) == 3:
        verdict = "holds" if len(mixtures) == 3 else "holds with limits"
    return Judgement("three_of_the_cohort", verdict, len(before), "models", rule)


def _closed() -> Judgement:
    cohort = set(_cohort())
    scores = [each for each in scores_of_the_post() if each.model not in cohort]
    models = {each.model for each in scores}
    rule = (
        f"scores of {len(models)} closed models that their makers print and the post sets beside the others: "
        "there is that much to compare. Of their sizes, layers and training nothing is published, and the "
        "report on GPT-4 says so; the claim holds with limits while that is so, since it is of architectures "
        "that the post speaks"
    )
    verdict = "holds with limits" if scores else "holds"
    return Judgement("closed_tell_nothing", verdict, len(scores), "scores", rule)


JUDGEMENTS: tuple[Judging | tuple[Judging, str], ...] = (
    (_curated, "its bars"),
    _models_make_data,
    _no_replication,
    (_variant_unclear, "its bars"),
    _three,
    _closed,
)
