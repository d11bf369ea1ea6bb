"""The verdicts of the chapter `serving_roofline`: what the post says of inference."""

from __future__ import annotations

from statistics import median

from cohort.architecture import variants
from cohort.architecture.attention import GroupedQuery
from cohort.architecture.decoder import ModelSpec
from cohort.architecture.registered import group
from cohort.architecture.registered import model as read_model
from cohort.architecture.variants import heads_and_size, with_changed_attention
from cohort.chapters.judging import Judgement, Judging, all_judged, graded, quoted
from cohort.chapters.serving_roofline import tables
from cohort.serving.roofline import Serving, largest_concurrency, serve

# The case that serving is judged by: eight of the accelerators of the post's time, and a middling request.
ACCELERATOR, DEVICES = "H100 SXM 80GB", 8


INPUT, OUTPUT = 7168, 1024


CONCURRENCY = 32


REFERENCE = "llama-3-8b"


def judge() -> list[Judgement]:
    """Return the verdicts of the chapter."""
    return all_judged(_JUDGEMENTS)


def _cohort() -> list[ModelSpec]:
    """Return the post's models that eight devices can share: their heads divide."""
    return [spec for spec in map(read_model, group("cohort")) if not spec.attention_heads[-1] % DEVICES]


def _most(spec: ModelSpec, times: float = 1.0) -> int:
    """Return how many requests of so many times the usual length fit."""
    return largest_concurrency(
        spec, ACCELERATOR, DEVICES, input_tokens=int(times * INPUT), output_tokens=int(times * OUTPUT)
    )


def _served(spec: ModelSpec, devices: int, concurrency: int, times: float = 1.0) -> Serving:
    """Serve so many requests at once, of so many times the usual length."""
    tokens_in, tokens_out = int(times * INPUT), int(times * OUTPUT)
    return serve(spec, ACCELERATOR, devices, concurrency, input_tokens=tokens_in, output_tokens=tokens_out)


def _multi_head(spec: ModelSpec) -> ModelSpec:
    heads, size = heads_and_size(spec)
    return with_changed_attention(spec, lambda *_: GroupedQuery(heads, heads, size))


def _expensive() -> Judgement:
    rule = (
        "the figure that the press repeated; cannot be known, since it is an estimate from outside whose "
        "derivation is not open, and neither users nor accelerators were published"
    )
    return Judgement(
        "inference_is_expensive", "cannot be known", quoted("ChatGPT", "cost of serving"), "USD/day", rule,
        settled_by="what OpenAI paid for accelerators in early 2023, or its users and their answers of a day",
    )  # fmt: skip


def _throughput(spec: ModelSpec, times: float) -> float:
    """Return the output tokens a second of as many sequences as fit, 0 where none does."""
    most = _most(spec, times)
    if not most:
        return 0.0
    found = _served(spec, DEVICES, most, times)
    return found.output_tokens_per_s


def _serves_efficiency(times: float = 1.0) -> Judgement:
    """Compare with models of the same size that have the attention and feed-forward of Llama 2 7B."""
    gains, of_training = [], 0
    for spec in _cohort():
        plain = variants.with_all_experts(_multi_head(spec))
        own, other = _throughput(spec, times), _throughput(plain, times)
        if other and plain != spec:
            gains.append(own / other)
            of_training += spec.matmul_parameters < plain.matmul_parameters
    rule = (
        "median of the throughput with as many sequences as fit, over that of the same model with a key and "
        "a value per head and every expert active; holds if all of these models gain and none of the "
        "changes saves training too, with limits if most gain"
    )
    share = sum(gain > 1 for gain in gains) / len(gains)
    verdict = "holds" if share == 1 and not of_training else graded(share, 2, 0.5)
    return Judgement("efficiency_drives_design", verdict, median(gains), "times", rule)


def _training() -> Judgement:
    ratios = []
    for spec in _cohort():
        found = tables.phases(spec.name, ACCELERATOR, 1, INPUT, OUTPUT)
        ratios.append(float((found["intensity"] / found["ridge"])["training"]))
    rule = (
        "median of the FLOP a byte of a training step over those at which the accelerator turns "
        "compute-bound; holds if all models of the post are above 1"
    )
    verdict = graded(sum(ratio > 1 for ratio in ratios) / len(ratios), 1, 0.5)
    return Judgement("training_is_compute_bound", verdict, median(ratios), "times", rule)


def _half(times: float = 1.0) -> Judgement:
    spec = read_model(REFERENCE)
    share = 2 * spec.active_parameters / spec.training_flops(1)
    rule = (
        "compute of a forward pass over that of a training step for the same token; holds from 45% to 55%, "
        "and does not where the backward pass takes twice the forward pass"
    )
    verdict = "holds" if abs(share - 0.5) <= 0.05 * times else "does not hold"
    return Judgement("inference_half_the_compute", verdict, 100 * share, "percent", rule)


def _memory(times: float = 1.0) -> Judgement:
    pairs = [(_most(spec, times), _most(spec, 2 * times)) for spec in _cohort()]
    falls = [longer / most for most, longer in pairs if most]
    rule = (
        f"median of the sequences of {INPUT + OUTPUT:,} tokens that fit the memory of {DEVICES} devices; "
        "holds if twice the length leaves room for at most half as many in all models, with limits in half "
        "of them"
    )
    verdict = graded(sum(fall <= 0.5 for fall in falls) / len(falls), 1, 0.5)
    middle = median(most for most, _ in pairs if most)
    return Judgement("answers_and_contexts_need_memory", verdict, float(middle), "sequences", rule)


def _bandwidth(times: float = 1.0) -> Judgement:
    ratios = []
    for spec in _cohort():
        most = max(_most(spec, times), 1)
        found = _served(spec, DEVICES, most, times)
        flops = spec.decode_flops(int(times * INPUT) + int(times * OUTPUT) // 2, most)
        ratios.append(flops / found.step_bytes / (found.peak / found.bandwidth))
    rule = (
        "median of the FLOP a byte of a step that writes a token of as many sequences as fit, over those at "
        "which the accelerator turns compute-bound; holds with limits if all models are below 1, since the "
        "prompts that are read in between are not"
    )
    verdict = "holds with limits" if max(ratios) < 1 else "does not hold"
    return Judgement("bandwidth_limits_serving", verdict, median(ratios), "times", rule)


def _experts(times: float = 1.0) -> Judgement:
    gains: dict[bool, list[float]] = {True: [], False: []}
    for spec in _cohort():
        one, all_of_them = (
            _served(spec, devices, int(times * CONCURRENCY)).tpot_s for devices in (1, DEVICES)
        )
        gains[spec.experts is not None].append(one / all_of_them)
    mixed, dense = median(gains[True]), median(gains[False])
    rule = (
        f"median over the mixtures of the time per token on one device with memory enough, over that on "
        f"{DEVICES} which share each layer; holds if they gain more than the dense models "
        f"({dense:.1f} times) and nine tenths of the devices, with limits if they gain at all"
    )
    verdict = "holds" if mixed > dense and mixed >= 0.9 * DEVICES else graded(mixed, 9e9, 1)
    return Judgement("experts_spread_bandwidth", verdict, mixed, "times", rule)


def _attention(times: float = 1.0) -> Judgement:
    saved = []
    for spec in _cohort():
        own, other = (
            _served(each, DEVICES, int(times * CONCURRENCY)).step_bytes for each in (spec, _multi_head(spec))
        )
        if other > own:
            saved.append(1 - own / other)
    rule = (
        f"median, over the models with fewer keys and values than heads, of the bytes that a step of "
        f"{CONCURRENCY} sequences saves; holds from 25%, with limits from 5%"
    )
    value = median(saved)
    verdict = graded(value, 0.25, 0.05)
    return Judgement("attention_variants_save_bandwidth", verdict, 100 * value, "percent", rule)


_JUDGEMENTS: tuple[Judging | tuple[Judging, str], ...] = (
    _expensive,
    (_serves_efficiency, "the length of the requests"),
    _training,
    (_half, "the width of its band"),
    (_memory, "the length of the requests"),
    (_bandwidth, "the length of the requests"),
    (_experts, f"the {CONCURRENCY} sequences"),
    (_attention, f"the {CONCURRENCY} sequences"),
)
