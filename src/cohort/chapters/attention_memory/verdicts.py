"""The verdicts of the chapter `attention_memory`: what attention costs and who pays less."""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import median

from cohort.architecture.attention import GroupedQuery, tiled_score_bytes
from cohort.architecture.decoder import ModelSpec
from cohort.architecture.registered import group
from cohort.architecture.registered import model as read_model
from cohort.architecture.variants import heads_and_size, main_attention, with_changed_attention
from cohort.chapters.attention_memory.capacity import WEIGHT_BYTES
from cohort.chapters.judging import MOST, Judgement, Judging, all_judged, graded
from cohort.registry import facts

CONTEXT, BATCH = 8192, 32  # the case that serving is judged by


SHORT, LONG = 2**14, 2**15  # the doubling that powers are taken from


REFERENCE = "llama-3-8b"  # a model with full attention in every layer


def judge() -> list[Judgement]:
    """Return the verdicts of the chapter."""
    return all_judged(_JUDGEMENTS)


def _cohort() -> list[ModelSpec]:
    return [read_model(name) for name in group("cohort")]


def _new() -> list[ModelSpec]:
    """Return the cohort without the models that the post takes for the generation before."""
    return [spec for spec in _cohort() if not spec.name.startswith("llama-2-")]


def _multi_head(spec: ModelSpec) -> ModelSpec:
    """Return the model with a key and a value for each of its heads, and no window."""
    heads, size = heads_and_size(spec)
    return with_changed_attention(spec, lambda *_: GroupedQuery(heads, heads, size))


def _times_saved(spec: ModelSpec) -> float:
    return _multi_head(spec).kv_cache_bytes(CONTEXT) / spec.kv_cache_bytes(CONTEXT)


def _power(of: Callable[[int], float], times: float = 1.0) -> float:
    """Return the power of the context with which a quantity grows, from so many times the usual contexts."""
    return math.log2(of(int(times * LONG)) / of(int(times * SHORT)))


def _variants(times: float = 1.0) -> Judgement:
    new = _new()
    reduced = sum(_times_saved(spec) > 1 for spec in new)
    rule = (
        f"models released after Llama 2 whose cache at {CONTEXT:,} tokens is smaller than with a key and a "
        "value for each head; holds from 90% of them, with limits from 50%"
    )
    verdict = graded(reduced / len(new), 0.9, 0.5, times, 1)
    return Judgement("attention_variants_common", verdict, reduced, "models", rule)


def _grouped(times: float = 1.0) -> Judgement:
    models = _cohort()
    grouped = sum(main_attention(spec).kind == "GQA" for spec in models)
    rule = f"models with grouped queries; holds from {MOST:.0%} of them, with limits from 25%"
    verdict = graded(grouped / len(models), MOST, 0.25, times, 1)
    return Judgement("most_use_gqa", verdict, grouped, "models", rule)


def _windows(name: str) -> list[int]:
    """Return the windows of a model's layers that have one."""
    found = (getattr(layer.attention, "window", None) for layer in read_model(name).layers)
    return [window for window in found if window]


def _mistral() -> Judgement:
    layers = len(_windows("mixtral-8x22b-v0.1"))
    before = len(_windows("mistral-7b-v0.1"))
    rule = "layers of Mixtral 8x22B with a window; holds if all layers have one, as in Mistral 7B v0.1"
    verdict = "holds" if layers and before else "does not hold"
    return Judgement("mistral_keeps_window", verdict, layers, "layers", rule)


def _phi() -> Judgement:
    windows = [each for name in group("cohort") if name.startswith("phi-3") for each in _windows(name)]
    stated = facts.of_model("phi-3-mini-4k")["attention_stated"].value
    rule = (
        "window that the configurations of Phi-3 mini and medium set; holds if the report claims one as "
        "well, with limits if the configurations alone do"
    )
    verdict = "does not hold"
    if windows:
        verdict = "holds" if "window" in stated else "holds with limits"
    return Judgement("phi_uses_window", verdict, max(windows, default=0), "tokens", rule)


def _arctic() -> Judgement:
    layers = len(_windows("snowflake-arctic"))
    rule = (
        "layers with a window in the released configuration; the makers announced it, so it holds with "
        "limits while there is none"
    )
    return Judgement("arctic_sinks", "holds" if layers else "holds with limits", layers, "layers", rule)


def _latent() -> Judgement:
    spec = read_model("deepseek-v2")
    released = facts.of_model(spec.name)["release_date"].value
    before = [name for name in facts.config_names() if facts.of_model(name)["release_date"].value < released]
    earlier = [name for name in before if main_attention(read_model(name)).kind == "MLA"]
    ratio = spec.kv_cache_bytes(1) / _multi_head(spec).kv_cache_bytes(1)
    rule = (
        "cache of a token over that with a key and a value for each head. DeepSeek's report brings it as its "
        f"own, and none of the {len(before)} models here that were out before has it, which could refute the "
        "claim and cannot prove it: so it holds with limits while that is so and the ratio is below that of "
        "eight key-value heads. A model or a paper before May 2024 with keys and values from one latent "
        "vector would flip it"
    )
    new = not earlier and ratio < 8 / main_attention(spec).heads
    verdict = "holds with limits" if new else "does not hold"
    return Judgement("mla_is_new", verdict, ratio, "ratio", rule)


def _prompt_scores(context: int) -> float:
    """Return the FLOPs of the scores of a whole prompt."""
    spec = read_model(REFERENCE)
    return context * (spec.forward_flops(context) - 2.0 * spec.matmul_parameters)


def _quadratic(times: float = 1.0) -> Judgement:
    spec = read_model(REFERENCE)
    memory = _power(lambda context: spec.score_bytes(context), times)
    compute = _power(_prompt_scores, times)
    tiled = _power(lambda context: tiled_score_bytes(context, 1), times)
    rule = (
        "power with which the memory of the scores grows when they are written out; holds if compute and "
        "memory must grow with the square, with limits if compute must and memory need not"
    )
    verdict = "does not hold"
    if compute > 1.9 and memory > 1.9:
        verdict = "holds" if tiled > 1.9 else "holds with limits"
    return Judgement("attention_is_quadratic", verdict, memory, "exponent", rule)


def _flash(times: float = 1.0) -> Judgement:
    memory = _power(lambda context: tiled_score_bytes(context, 1), times)
    compute = _power(_prompt_scores, times)
    rule = (
        "power with which the memory of FlashAttention's scores grows; holds if the compute of a prompt "
        "loses its square as well, with limits if memory alone does"
    )
    verdict = "does not hold"
    if memory < 1.1:
        verdict = "holds" if compute < 1.1 else "holds with limits"
    return Judgement("flash_and_cache_end_quadratic", verdict, memory, "exponent", rule)


def _trade(times: float = 1.0) -> Judgement:
    spec = read_model(REFERENCE)
    step = _power(lambda context: spec.decode_flops(context) - 2.0 * spec.matmul_parameters, times)
    cache = _power(lambda context: spec.kv_cache_bytes(context), times)
    rule = "power with which the scores of the next token grow; holds up to 1.05 if the cache grows as well"
    verdict = "holds" if step <= 1.05 and cache > 0 else "does not hold"
    return Judgement("cache_trades_memory_for_compute", verdict, step, "exponent", rule)


def _hungry(times: float = 1.0) -> Judgement:
    shares = []
    for spec in _cohort():
        cache = spec.kv_cache_bytes(CONTEXT, int(times * BATCH))
        shares.append(cache / (cache + WEIGHT_BYTES * spec.parameters))
    share = median(shares)
    rule = (
        f"share of the cache in cache and weights, {BATCH} sequences of {CONTEXT:,} tokens in bf16, median "
        "of the cohort; holds from 50%, with limits from 20%"
    )
    return Judgement("attention_memory_hungry", graded(share, 0.5, 0.2), 100 * share, "percent", rule)


def _target(times: float = 1.0) -> Judgement:
    reduced = [spec for spec in _new() if _times_saved(spec) > 1]
    saved = median(_times_saved(spec) for spec in reduced)
    compute = median(
        _multi_head(spec).forward_flops(CONTEXT) / spec.forward_flops(CONTEXT) for spec in reduced
    )
    rule = (
        f"times that the variants make the cache smaller at {CONTEXT:,} tokens, median of the models with "
        "one; holds from 2 times if compute falls by less than half of that"
    )
    verdict = "holds" if saved >= 2 * times and compute < saved / 2 else "does not hold"
    return Judgement("variants_target_memory", verdict, saved, "times", rule)


def _serving(times: float = 1.0) -> Judgement:
    power = max(_power(spec.kv_cache_bytes, times) for spec in _cohort())
    rule = "largest power with which a cache of the cohort grows; holds from 1.9, with limits from 1.5"
    return Judgement("serving_memory_quadratic", graded(power, 1.9, 1.5), power, "exponent", rule)


_JUDGEMENTS: tuple[Judging | tuple[Judging, str], ...] = (
    (_variants, "its bars"),
    (_grouped, "its bars"),
    _mistral,
    _phi,
    _arctic,
    _latent,
    (_quadratic, "its contexts"),
    (_flash, "its contexts"),
    (_trade, "its contexts"),
    (_hungry, f"the {BATCH} sequences"),
    (_target, "its bar"),
    (_serving, "its contexts"),
)
