"""The verdicts of the chapter `expert_tradeoffs`: what the post says of mixtures of experts."""

from __future__ import annotations

from statistics import median

from cohort.architecture.decoder import ModelSpec
from cohort.architecture.registered import group
from cohort.architecture.registered import model as read_model
from cohort.chapters.expert_tradeoffs import sizes, worth
from cohort.chapters.judging import Judgement, graded, quoted
from cohort.errors import ParameterError
from cohort.serving.roofline import serve

# The case that serving is judged by: eight accelerators of the post's time, and a middling request.
ACCELERATOR, DEVICES = "H100 SXM 80GB", 8


INPUT, OUTPUT = 1024, 256


CONCURRENCIES = (1, 64)


DTYPE = "fp8"  # in which the largest of the models fits


def judge() -> list[Judgement]:
    """Return the verdicts of the chapter."""
    return [_total(), _chinchilla(), _fast(), _memory(), _overparameterised()]


def _cohort() -> list[ModelSpec]:
    """Return the mixtures of the post."""
    return [spec for spec in map(read_model, group("cohort")) if spec.experts]


def _total() -> Judgement:
    ratios = [spec.parameters / spec.active_parameters for spec in _cohort()]
    rule = "median, over the post's mixtures, of all parameters over active ones; holds if all are at least 2"
    share = sum(ratio >= 2 for ratio in ratios) / len(ratios)
    return Judgement("total_far_above_active", graded(share, 1, 0.5), median(ratios), "times", rule)


def _chinchilla() -> Judgement:
    frame = worth.equivalents([spec.name for spec in _cohort()])
    frame = frame[frame["law"] != worth.FOLKLORE]
    times = frame["dense"] / frame["active"]
    outside = int((frame["beyond"] != 1).sum())
    rule = (
        f"median, over the mixtures of the post and {frame['law'].nunique()} published laws, of the dense "
        "parameters of equal loss over the active ones; holds if every law finds every mixture worth more "
        f"than its active parameters and was fitted to such models (it is not known to be for {outside} of "
        f"{len(frame)}), with limits if half do; it is no way round the laws but other laws, with other "
        "coefficients"
    )
    share = float((times > 1).mean())
    verdict = "holds" if share == 1 and not outside else graded(min(share, 0.99), 1, 0.5)
    return Judgement("cheats_chinchilla", verdict, float(times.median()), "times", rule)


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


def _fast() -> Judgement:
    over_total, over_active = [], []
    for spec in _cohort():
        large, small = sizes.dense_of_total(spec), sizes.dense_of_active(spec)
        over_total.append(min(_speedup(spec, large, number) for number in CONCURRENCIES))
        over_active.append(min(_speedup(spec, small, number) for number in CONCURRENCIES))
    rule = (
        "median of the speed of a token over that of the dense model of as many parameters in all, the lower "
        f"of {CONCURRENCIES[0]} and {CONCURRENCIES[1]} answers at once in {DTYPE}; holds if all of the "
        "post's mixtures are at least 1.5 times as fast, and 0.9 times as fast as the dense model of as many "
        f"active ones (the median is {median(over_active):.2f}), with limits if faster than the first"
    )
    faster = all(each >= 1.5 for each in over_total) and all(each >= 0.9 for each in over_active)
    share = sum(each > 1 for each in over_total) / len(over_total)
    verdict = "holds" if faster else graded(min(share, 0.99), 1, 0.99)
    return Judgement("sparsity_speeds_serving", verdict, median(over_total), "times", rule)


def _memory() -> Judgement:
    ratios = [spec.parameters / sizes.dense_of_active(spec).parameters for spec in _cohort()]
    rule = (
        "median of the weights over those of the dense model of as many active parameters; holds if all are "
        "at least twice as many"
    )
    share = sum(ratio >= 2 for ratio in ratios) / len(ratios)
    return Judgement("all_experts_in_memory", graded(share, 1, 0.5), median(ratios), "times", rule)


def _overparameterised() -> Judgement:
    pruned = quoted("Arctic", "share of the weights that pruning removes")
    rule = (
        "share of the weights of Arctic that a report prunes with nearly no loss; holds if such reports are "
        "in the data for all mixtures of the post, with limits for one; whether routing acts like pruning is "
        "not said by it"
    )
    return Judgement("already_overparameterised", graded(1 / len(_cohort()), 1, 0.2), pruned, "percent", rule)
