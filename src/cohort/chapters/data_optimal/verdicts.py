"""The verdicts of the chapter `data_optimal`: what the post says of data, size and use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache

import pandas as pd

from cohort.architecture.registered import group
from cohort.chapters.data_optimal import tables
from cohort.chapters.judging import Judgement, all_judged, graded, quoted
from cohort.fitting import Bootstrap, chinchilla_runs, fit
from cohort.registry import facts
from cohort.scaling import ScalingLaw


def judge(law: ScalingLaw | None = None) -> list[Judgement]:
    """Return the verdicts of the chapter.

    Parameters
    ----------
    law : ScalingLaw, optional
        The law to judge by; by default Huber's fit to the 240 runs.

    Returns
    -------
    list of Judgement
        One a claim.
    """
    law = law or fit(*chinchilla_runs.columns(chinchilla_runs.runs())).law
    return all_judged(
        (
            lambda: _beyond_optimal(law),
            lambda: _smaller_for_longer(law),
            lambda: _larger_trains_cheaper(law),
            (lambda times: _gains_continue(law, times), "its bars"),
            lambda: _phi(law),
            _twice_as_good,
            (lambda times: _curation(law, times), "its bar"),
        )
    )


# What a law decides: claim -> how it is judged. The others follow from the form, or cannot be known.
BY_LAW: dict[str, Callable[[ScalingLaw], Judgement]] = {
    "beyond_compute_optimal": lambda law: _beyond_optimal(law),
    "larger_models_train_cheaper": lambda law: _larger_trains_cheaper(law),
    "gains_continue_to_15t": lambda law: _gains_continue(law),
}
TRIED = 200  # resampled laws that judge again


def judged_again(law: ScalingLaw, boot: Bootstrap | None, others: Mapping[str, ScalingLaw]) -> pd.DataFrame:
    """Return how firmly the verdicts stand that a law decides.

    Parameters
    ----------
    law : ScalingLaw
        The law they are judged by.
    boot : Bootstrap or None
        Of the fit behind it.
    others : mapping of str to ScalingLaw
        Other laws to judge by.

    Returns
    -------
    DataFrame
        By claim: ``verdict``; ``share`` of the resampled laws that give the same, None where there are none;
        how many others were ``tried``; and ``against``, the verdicts of those that give another, by name.
    """
    records = {}
    for claim, judged in BY_LAW.items():
        verdict = judged(law).verdict
        again = [judged(each).verdict for each in boot.laws[:TRIED]] if boot else []
        verdicts = {name: judged(each).verdict for name, each in others.items()}
        records[claim] = {
            "verdict": verdict,
            "share": again.count(verdict) / len(again) if again else None,
            "tried": len(others),
            "against": {name: each for name, each in verdicts.items() if each != verdict},
        }
    return pd.DataFrame.from_dict(records, orient="index")


def _beyond_optimal(law: ScalingLaw) -> Judgement:
    frame = _trained(tuple(group("cohort")), *_stamps())
    over = frame["tokens"] / [law.compute_optimal(parameters=n).tokens for n in frame["parameters"]]
    rule = (
        "median of the cohort's training tokens over those that are compute-optimal for the same "
        "active parameters; holds if every model is above 1, with limits if most are"
    )
    verdict = graded(float((over > 1).mean()), 1, 0.51)
    return Judgement("beyond_compute_optimal", verdict, float(over.median()), "times", rule)


def _smaller_for_longer(law: ScalingLaw) -> Judgement:
    found = law.overtraining(0.5)
    rule = (
        "tokens over the compute-optimal ones at which half the size reaches the same loss; holds "
        "with limits, by any law of this form, since below a critical size no data are enough"
    )
    return Judgement("smaller_model_longer", "holds with limits", found.token_ratio, "times", rule)


@lru_cache(maxsize=2)
def _trained(models: tuple[str, ...], *stamps: int) -> pd.DataFrame:
    """Return size and training of some models, kept while many laws are judged by them."""
    return tables.trained(models)


def _stamps() -> tuple[int, ...]:
    return *facts.models_stamp(), facts.modified("model_facts")


def _llama_8b() -> tuple[float, float]:
    row = _trained(("llama-3-8b",), *_stamps()).iloc[0]
    return float(row["parameters"]), float(row["tokens"])


def _larger_trains_cheaper(law: ScalingLaw) -> Judgement:
    extra, size = tables.overhead(law, *_llama_8b()), tables.size_ratio(law, *_llama_8b())
    rule = (
        "training compute of Llama 3 8B beyond that of the larger compute-optimal model of the same "
        "predicted loss; holds if it is positive and the larger model costs more to serve"
    )
    verdict = "holds" if extra > 0 and size < 1 else "does not hold"
    return Judgement("larger_models_train_cheaper", verdict, 100 * extra, "percent", rule)


def _gains_continue(law: ScalingLaw, times: float = 1.0) -> Judgement:
    size, tokens = _llama_8b()
    first = quoted("Llama 3 8B", "compute-optimal")

    def gain(start: float) -> float:
        return float(law.loss(size, start) - law.loss(size, 2 * start))

    share = gain(tokens / 2) / gain(first)
    rule = (
        "predicted fall in loss of Llama 3 8B over its last doubling of tokens; holds if it keeps "
        "nine tenths of the fall of the first doubling beyond the compute-optimal tokens, as log-"
        "linear improvement would, with limits if it keeps a tenth"
    )
    verdict = graded(share, 0.9, 0.1, times, 1)
    return Judgement("gains_continue_to_15t", verdict, gain(tokens / 2), "nats per token", rule)


def _phi(law: ScalingLaw) -> Judgement:
    row = tables.training_of("phi-3-mini-4k")
    optimal = law.compute_optimal(parameters=row["parameters"]).tokens_per_parameter
    rule = (
        f"tokens per parameter of Phi-3 mini, where {optimal:.0f} are compute-optimal; cannot be "
        "known, since the report gives no measure of a data-optimal regime"
    )
    return Judgement(
        "phi_data_optimal", "cannot be known", float(row["ratio"]), "ratio", rule,
        settled_by="losses of smaller and of longer runs on the same data, or a definition of the regime",
    )  # fmt: skip


def _twice_as_good() -> Judgement:
    quality = quoted("DBRX", "quality")
    rule = (
        "tokens saved at equal predicted loss if each is worth as much more as the makers estimate; "
        "cannot be known, since no measurement of the quality is published"
    )
    return Judgement(
        "dbrx_data_twice_as_good", "cannot be known", 100 * (1 - 1 / quality), "percent", rule,
        settled_by="scores of one model trained on as many tokens of the old data and of the new",
    )  # fmt: skip


def _curation(law: ScalingLaw, times: float = 1.0) -> Judgement:
    quality = quoted("DBRX", "quality")
    row = tables.training_of("dbrx")
    loss = law.loss(row["parameters"], row["tokens"])
    plain, better = law.compute_optimal(loss=loss), law.with_quality(quality)
    saved = 1 - better.compute_optimal(loss=loss).flop / plain.flop
    rule = (
        "training compute saved at equal predicted loss, by any law of this form, by data that are "
        "worth twice as much a token, if what is dropped would have added nothing; holds with limits "
        "from 25%, since that is an assumption"
    )
    verdict = "holds with limits" if saved >= 0.25 * times else "does not hold"
    return Judgement("curation_saves_compute", verdict, 100 * saved, "percent", rule)
