"""The verdicts of the chapter `expert_tradeoffs`: what the post says of mixtures of experts."""

from __future__ import annotations

from statistics import median

from cohort.architecture.decoder import ModelSpec
from cohort.architecture.registered import group, known, title
from cohort.architecture.registered import model as read_model
from cohort.chapters.expert_tradeoffs import sizes, worth
from cohort.chapters.judging import Judgement, all_judged, graded, quoted
from cohort.display import published_values
from cohort.display.phrases import percent
from cohort.errors import ParameterError
from cohort.registry import facts
from cohort.scaling.dense_laws import law as loss_law
from cohort.serving.roofline import serve

# The case that serving is judged by: eight accelerators of the post's time, and a middling request.
ACCELERATOR, DEVICES = "H100 SXM 80GB", 8


INPUT, OUTPUT = 1024, 256


CONCURRENCIES = (1, 64)


DTYPE = "fp8"  # in which the largest of the models fits


def judge() -> list[Judgement]:
    """Return the verdicts of the chapter."""
    return all_judged(
        (
            (_total, "its bar"),
            (_chinchilla, "its bars"),
            (_fast, "its bars"),
            (_memory, "its bar"),
            (_overparameterised, "its bar"),
            _less_so_now,
        )
    )


def _cohort() -> list[ModelSpec]:
    """Return the mixtures of the post."""
    return [spec for spec in map(read_model, group("cohort")) if spec.experts]


def _total(times: float = 1.0) -> Judgement:
    ratios = [spec.parameters / spec.active_parameters for spec in _cohort()]
    rule = (
        "median, over the post's mixtures, of all parameters over active ones; holds if all are at least 2. "
        f"One mixture below 2 would flip it; the least has {min(ratios):.1f}"
    )
    share = sum(ratio >= 2 * times for ratio in ratios) / len(ratios)
    return Judgement("total_far_above_active", graded(share, 1, 0.5), median(ratios), "times", rule)


NEARLY_ALL = 0.95  # of the pairs


def _chinchilla(times: float = 1.0) -> Judgement:
    """Judge both halves: worth more than its compute, and free of the laws that bound its memory."""
    pairs = worth.measured_pairs()
    over_active = pairs["dense"] / pairs["active"]
    above, beyond = float((over_active > 1).mean()), float((pairs["dense"] >= pairs["total"]).mean())
    rule = (
        f"median, over {len(pairs)} measured pairs, of the dense parameters of equal loss over the active "
        f"ones of the mixture; holds if {100 * NEARLY_ALL:.0f}% are worth more than their active parameters "
        f"({percent(above)} are) and half as much as all of them ({percent(beyond)} are), which would go "
        "round the law; with limits if the first alone is so: a mixture moves along laws of its own. Pairs "
        "whose mixtures match dense models of all their parameters would flip it one way, mixtures that are "
        "no better than their active parameters the other"
    )
    verdict = "does not hold"
    if above >= min(NEARLY_ALL * times, 1):
        verdict = "holds" if beyond >= 0.5 * times else "holds with limits"
    return Judgement("cheats_chinchilla", verdict, float(over_active.median()), "times", rule)


def _speedup(spec: ModelSpec, dense: ModelSpec, sequences: int) -> float:
    """Return how many times as fast as a dense model a mixture writes a token."""
    slow, fast = (
        serve(
            each,
            ACCELERATOR,
            DEVICES,
            sequences,
            input_tokens=INPUT,
            output_tokens=OUTPUT,
            weight_dtype=DTYPE,
        )
        for each in (dense, spec)
    )
    if not (slow.fits and fast.fits):
        raise ParameterError(f"{spec.name} does not fit the devices that the claim is judged by")
    return slow.tpot_s / fast.tpot_s


def _fast(times: float = 1.0) -> Judgement:
    over_total, over_active = [], []
    for spec in _cohort():
        large, small = sizes.dense_of_total(spec), sizes.dense_of_active(spec)
        over_total.append(min(_speedup(spec, large, number) for number in CONCURRENCIES))
        over_active.append(min(_speedup(spec, small, number) for number in CONCURRENCIES))
    rule = (
        "median of the speed of a token over that of the dense model of as many parameters in all, the lower "
        f"of {CONCURRENCIES[0]} and {CONCURRENCIES[1]} answers at once in {DTYPE}; holds if all of the "
        "post's mixtures are at least 1.5 times as fast, and 0.9 times as fast as the dense model of as many "
        f"active ones (the median is {median(over_active):.2f}), with limits if faster than the first. The "
        f"slowest is {min(over_total):.2f} times as fast as the first and {min(over_active):.2f} times as "
        "fast as the second; both above their bars would flip it, as would one slower than the first"
    )
    faster = all(each >= 1.5 * times for each in over_total) and all(
        each >= 0.9 * times for each in over_active
    )
    share = sum(each > 1 for each in over_total) / len(over_total)
    verdict = "holds" if faster else graded(min(share, 0.99), 1, 0.99)
    return Judgement("sparsity_speeds_serving", verdict, median(over_total), "times", rule)


def _memory(times: float = 1.0) -> Judgement:
    ratios = [spec.parameters / sizes.dense_of_active(spec).parameters for spec in _cohort()]
    rule = (
        "median of the weights over those of the dense model of as many active parameters; holds if all are "
        "at least twice as many. A mixture of the post with less would flip it (the least has "
        f"{min(ratios):.1f}), as would an engine that fetches experts when they are asked for without slowing"
    )
    share = sum(ratio >= 2 * times for ratio in ratios) / len(ratios)
    return Judgement("all_experts_in_memory", graded(share, 1, 0.5), median(ratios), "times", rule)


def _overparameterised(times: float = 1.0) -> Judgement:
    """Judge both halves: what pruning removes, and how much smaller the dense equals of mixtures are."""
    pruned, mixtures = quoted("Arctic", "share of the weights that pruning removes"), len(_cohort())
    pairs = worth.measured_pairs()
    spare = 1 - pairs["dense"] / pairs["total"]
    smaller = float((spare > 0).mean())
    rule = (
        "share of the weights of Arctic that a report prunes with nearly no loss. Of measured mixtures, "
        f"{100 * smaller:.0f}% have a dense equal of fewer parameters than their own, at the median of "
        f"{100 * spare.median():.0f}% fewer, so that mixtures do have more than dense models; holds if that "
        f"is so of {100 * NEARLY_ALL:.0f}% and reports of pruning are in the data for all mixtures of "
        f"the post, with limits for one of {mixtures}. Pruning that fails on the others, or dense "
        "equals as large as their mixtures, would flip it; whether routing acts like pruning is not "
        "said by either"
    )
    share = 1 / mixtures if smaller >= min(NEARLY_ALL * times, 1) else 0.0
    return Judgement("already_overparameterised", graded(share, 1, 0.2), pruned, "percent", rule)


LAW, BEFORE = "besiroglu", "2023"  # the law that sizes are held against, and the year before which is before


def _over_optimal(spec: ModelSpec, tokens: float) -> float:
    """Return the parameters of a model over those that its law finds best for as many tokens."""
    return spec.parameters / loss_law(LAW).compute_optimal(tokens=tokens).parameters


def _less_so_now() -> Judgement:
    """Judge whether dense models have fewer parameters than their data ask for, as those before had not."""
    now = {
        title(spec): _over_optimal(spec, tokens)
        for spec, tokens, _ in published_values.disclosed(group("cohort"))
        if not spec.experts
    }
    earlier = {
        title(spec): _over_optimal(spec, tokens)
        for spec, tokens, _ in published_values.disclosed(facts.config_names())
        if not spec.experts and known(spec)["release_date"].value < BEFORE
    }
    mixed = [
        _over_optimal(spec, tokens) for spec, tokens, _ in published_values.disclosed(group("cohort"))
        if spec.experts
    ]  # fmt: skip
    largest = max(now, key=lambda name: now[name])
    share = sum(each < 1 for each in now.values()) / len(now)
    before = median(earlier.values())
    rule = (
        "median, over the dense models of the post, of the parameters over those that the corrected law of "
        "Chinchilla finds best for as many tokens; more than 1 is more than the data ask for. Holds if all "
        f"are below 1 and those of before {BEFORE} are not at the median ({before:.1f}), with limits if most "
        f"are. {largest} with {now[largest]:.2f} would flip it at 1; the mixtures, by all their weights, "
        f"have up to {max(mixed):.1f}"
    )
    verdict = graded(share, 1, 0.5) if before > 1 else "does not hold"
    return Judgement("less_overparameterised_now", verdict, median(now.values()), "times", rule)
