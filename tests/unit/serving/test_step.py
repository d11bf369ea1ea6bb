"""The step model by operation: small models by hand, what engines must obey, and faults."""

import math
from dataclasses import replace

import pytest

import cohort
from cohort.architecture.attention import GroupedQuery
from cohort.architecture.decoder import ModelSpec
from cohort.architecture.feedforward import Dense, Experts
from cohort.architecture.formats import weight_format
from cohort.architecture.layers import Layer
from cohort.errors import ParameterError, UnknownNameError
from cohort.serving import ROOFLINE, Layout, attained, serve
from cohort.serving.attainment import share_name
from cohort.serving.groups import device_group
from cohort.serving.operations import cache_read, operations_of

H100 = "H100 SXM 80GB"
ATTENTION = GroupedQuery(heads=8, kv_heads=2, head_dim=16)
HIDDEN, WIDTH, ROWS = 128, 512, 1000
QKV = HIDDEN * (8 + 2 * 2) * 16 + 8 * 16 * HIDDEN
DENSE = ModelSpec("dense", "llama", HIDDEN, ROWS, (Layer(ATTENTION, Dense(WIDTH)),) * 3)
MIXED = ModelSpec("mixed", "mixtral", HIDDEN, ROWS, (Layer(ATTENTION, Experts(8, 2, 64, shared=1)),) * 3)
ONE_US = replace(ROOFLINE, launches=dict.fromkeys(ROOFLINE.launches, 1e-6))


def close(value: float, rel: float = 1e-12):
    return pytest.approx(value, rel=rel, abs=0)


def group(spec, layout=None, dtype="bf16", shares=ROOFLINE, device=H100, kv="bf16"):
    return device_group(spec, device, layout or Layout(), dtype, kv, shares)


def test_a_plan_by_hand():
    found = operations_of(DENSE, Layout(2), weight_format("fp8"))
    assert {(each.weight_bytes, each.flops, each.kernels, each.times) for each in found.products} == {
        (QKV / 2, QKV, 2, 3),
        (3 * HIDDEN * WIDTH / 2, 3 * HIDDEN * WIDTH, 2, 3),
    }
    assert found.head.weight_bytes == ROWS * HIDDEN  # two bytes, on two devices
    assert (found.layers, found.mixtures, found.reduced) == (3, 0, 6)


def test_a_mixture_by_hand():
    """The router is on each device, the shared expert and the routed ones are split."""
    found = operations_of(MIXED, Layout(2), weight_format("fp8"))
    (routed,) = found.routed
    assert (routed.experts, routed.active, routed.weight_bytes, routed.times) == (8, 2, 3 * HIDDEN * 64, 3)
    assert routed.read(1) == close(2 * 3 * HIDDEN * 64 / 2)
    assert routed.read(2) == close(3.5 * 3 * HIDDEN * 64 / 2)
    assert routed.work(10) == 10 * 2 * 2 * 3 * HIDDEN * 64 / 2
    assert {each.weight_bytes for each in found.products} == {QKV / 2, HIDDEN * 8 * 2, 3 * HIDDEN * 64 / 2}


def test_launches_by_hand():
    """Two products of attention, two of the rest, attention, and all else in each of three layers; a head."""
    assert group(DENSE, shares=ONE_US).launches == close((3 * (2 + 2 + 1 + 1) + 1) * 1e-6)
    # A router, two products of the shared expert, two of the routed ones, and the routing.
    assert group(MIXED, shares=ONE_US).launches == close((3 * (2 + 1 + 2 + 2 + 1 + 1 + 1) + 1) * 1e-6)


def test_the_longer_of_reading_and_multiplying_counts():
    few, many = group(DENSE).step(1, 100), group(DENSE).step(4000, 1)
    layers = 3 * (QKV + 3 * HIDDEN * WIDTH)
    assert few["weights"] == close(2 * (layers + ROWS * HIDDEN) / 3350e9)
    assert few["matrices"] == 0
    assert many["weights"] == 0
    assert many["matrices"] == close(4000 * 2 * (layers + ROWS * HIDDEN) / 989e12)


@pytest.mark.parametrize(("corner", "both"), [(1, 2.0), (2, math.sqrt(2)), (4, 2**0.25), (math.inf, 1.0)])
def test_the_corner(corner, both):
    """Equal times add up, count once, or something between."""
    shares = replace(ROOFLINE, corner=corner)
    one, other = group(DENSE, shares=shares)._longer(1.0, 1.0)
    assert one + other == close(both)
    assert one == other or math.isinf(corner)


def test_attention_reads_its_cache_or_computes():
    step = group(DENSE).step(10, 1000)
    read, scored = 3 * 10 * 1000 * 2 * 2 * 16 * 2 / 3350e9, 3 * 10 * 1000 * 4 * 8 * 16 / 989e12
    assert (step["cache"], step["scores"]) == (close(read), 0)
    slow = replace(ROOFLINE, scores={**ROOFLINE.scores, "grouped": 1e-3})
    step = group(DENSE, shares=slow).step(10, 1000)
    assert (step["cache"], step["scores"]) == (0, close(1000 * scored))


def test_an_indexer_reads_its_keys_and_what_it_chose():
    mixer = cohort.model("glm-5").layers[0].attention
    assert cache_read(mixer, 2000, 1) == mixer.cache_elements(2000)
    assert cache_read(mixer, 100_000, 8) == 2048 * 576 + 100_000 * mixer.indexer.cached


def test_links_by_hand():
    """Two all-reduces a layer between four devices: each sends 1.5 times what a token has, at 450 GB/s."""
    shares = replace(ROOFLINE, all_reduce_s=(5e-6, 1e-6), link=0.5)
    found = group(cohort.model("llama-3-8b"), Layout(4), shares=shares).step(16, 100)["links"]
    assert found == close(64 * (7e-6 + 16 * 4096 * 2 * 1.5 / 225e9))


def test_copies_of_the_attention_have_sequences_of_their_own():
    """Four copies: each reads a quarter of the caches, and its attention's weights whole."""
    spec = cohort.model("deepseek-v3.2")
    shares = replace(ROOFLINE, scores=dict.fromkeys(ROOFLINE.scores, 1e6))  # so that reading binds
    shared = group(spec, Layout(4), device="H200", shares=shares).step(64, 1000)
    copied = group(spec, Layout(1, 1, 4, True), device="H200", shares=shares).step(64, 1000)
    assert copied["cache"] == close(shared["cache"] / 4)
    assert copied["weights"] > shared["weights"]
    found = serve(spec, "H200", 1, 64, input_tokens=1000, output_tokens=100, attention_data_parallel=4,
                  expert_parallel=True, weight_dtype="fp8")  # fmt: skip
    assert found.devices == 4
    assert found.usd_per_million_tokens(2) == close(4 * 2e6 / 3600 / found.output_tokens_per_s)


def test_dealt_experts_are_uneven():
    dealt, split = (group(MIXED, Layout(4, 1, 1, dealt)).plan.routed[0] for dealt in (True, False))
    assert dealt.work(100) > split.work(100)
    assert dealt.work(10**9) == close(split.work(10**9), rel=1e-3)
    assert dealt.work(1) <= 2 * dealt.flops


def test_prompts_are_read_in_chunks():
    """Weights are read once for each chunk of a prompt, and once for prompts that are read together."""
    made = group(cohort.model("llama-3-8b"))
    whole, halves = made.prompts(4096, chunk=8192), made.prompts(4096, chunk=64)
    assert halves > whole
    assert made.prompts(64, count=8) < 8 * made.prompts(64)
    launched = replace(ROOFLINE, launches={**ROOFLINE.launches, "prompt": 1.0})
    assert group(cohort.model("llama-3-8b"), shares=launched).prompts(100, chunk=50) == 2 * 32


def test_a_cached_prefix_is_not_read_again():
    ask = {"input_tokens": 8000, "output_tokens": 100, "attained": ROOFLINE}
    none, half = (serve("llama-3-8b", H100, **ask, prefix_share=share) for share in (0.0, 0.5))
    scored = 4 * 4096 * 32 * (8000 * 8001 - 4000 * 4001) / 2
    layers = 2 * 32 * 218_103_808 * 4000
    assert half.ttft_s == close((layers + scored) / 989e12 + 2 * 128_256 * 4096 / 3350e9)
    assert half.ttft_s < none.ttft_s
    assert half.tpot_s == none.tpot_s
    assert serve("llama-3-8b", H100, **ask, prefix_share=1.0).ttft_s < half.ttft_s


def test_tokens_guessed_ahead():
    """A step checks three tokens and yields 2.5 of them: the weights are read once for those."""
    ask = {"input_tokens": 1000, "output_tokens": 101}
    plain = serve("llama-3-8b", H100, **ask)
    ahead = serve("llama-3-8b", H100, **ask, acceptance_length=2.5)
    assert ahead.steps == 40
    assert dict(ahead.parts)["weights"] == close(dict(plain.parts)["weights"] / 2.5, rel=0.01)
    assert dict(ahead.parts)["drafts"] > 0
    assert ahead.tpot_s < plain.tpot_s
    more = serve("llama-3-8b", H100, **ask, acceptance_length=2.5, draft_tokens=6)
    assert ahead.tpot_s < more.tpot_s
    with pytest.raises(ParameterError, match="draft_tokens is 1, but must be from 2"):
        serve("llama-3-8b", H100, **ask, acceptance_length=2.5, draft_tokens=1)
    with pytest.raises(ParameterError, match="acceptance_length is 0"):
        serve("llama-3-8b", H100, **ask, acceptance_length=0.5)


def test_the_time_of_a_request_does_not_depend_on_when_prompts_are_read():
    """What is waited for before the first token is not waited for after it."""
    ask = {"input_tokens": 1000, "output_tokens": 200}
    shares = attained()
    for waiting in ((0.0, 0.0), (0.5, 0.5), (1.0, 1.0)):
        found = serve("llama-3-8b", H100, 1, 32, **ask, attained=replace(shares, waiting=waiting))
        none = serve("llama-3-8b", H100, 1, 32, **ask, attained=replace(shares, waiting=(0.0, 0.0)))
        assert found.request_s == close(none.request_s, rel=1e-9)
        assert found.ttft_s >= none.ttft_s


@pytest.mark.parametrize("generation", ["2025", "2023", "kernels"])
@pytest.mark.parametrize(
    ("model", "dtype"), [("llama-3-70b", "fp8"), ("mixtral-8x7b-v0.1", "bf16"), ("deepseek-v3.2", "fp8")]
)
def test_more_is_never_slower(generation, model, dtype):
    ask = {"input_tokens": 1000, "output_tokens": 500, "weight_dtype": dtype, "generation": generation}
    device = cohort.accelerator(H100)
    faster = replace(device, bandwidth=1.2 * device.bandwidth)
    wider = replace(device, link=1.5 * (device.link or 0))
    for concurrency in (1, 64, 512):
        found = serve(model, device, 4, concurrency, **ask)
        assert serve(model, faster, 4, concurrency, **ask).tpot_s < found.tpot_s
        assert serve(model, wider, 4, concurrency, **ask).tpot_s <= found.tpot_s
        eight = serve(model, device, 8, concurrency, **ask)
        for part in ("weights", "cache"):
            assert dict(eight.parts)[part] <= dict(found.parts)[part] * (1 + 1e-12)


def test_engines_differ_and_kernels_lose_nothing():
    ask = {"input_tokens": 1000, "output_tokens": 500, "weight_dtype": "fp8"}
    times = {
        engine: serve("llama-3-70b", H100, 4, 16, **ask, engine=engine).tpot_s
        for engine in ("vLLM", "SGLang", "TensorRT-LLM")
    }
    assert times["TensorRT-LLM"] < times["vLLM"]
    assert serve("llama-3-70b", H100, 4, 16, **ask).tpot_s == times["vLLM"]
    kernels = serve("llama-3-70b", H100, 4, 16, **ask, generation="kernels").tpot_s
    assert kernels < min(times.values())
    with pytest.raises(UnknownNameError, match="unknown engine 'vlmm'; did you mean 'vLLM'"):
        serve("llama-3-70b", H100, 4, **ask, engine="vlmm")
    with pytest.raises(UnknownNameError, match="unknown generation '2024'; did you mean"):
        serve("llama-3-70b", H100, 4, **ask, generation="2024")


def test_ranges_hold_the_time():
    found = serve("llama-3-70b", "MI355X", 4, 16, input_tokens=1000, output_tokens=500, weight_dtype="fp8")
    for value, (low, high) in ((found.tpot_s, found.tpot_range_s), (found.ttft_s, found.ttft_range_s)):
        assert low < value < high
    bare = serve("llama-3-70b", H100, 4, input_tokens=9, output_tokens=9, attained=ROOFLINE)
    assert bare.tpot_range_s == (bare.tpot_s, bare.tpot_s)


def test_fp4_is_multiplied_where_a_device_can():
    """On H100 its weights are widened first, at a share of the bandwidth of their own."""
    shares = attained()
    assert shares.read_share(cohort.accelerator(H100), "nvfp4") == shares.weights["fp4 alone"]
    assert shares.read_share(cohort.accelerator("B200"), "nvfp4") == shares.weights["fp4"]
    assert group(DENSE, dtype="nvfp4").peak == 989e12
    assert group(DENSE, dtype="nvfp4", device="B200").peak == 9000e12


def test_every_type_has_a_share():
    for name in ("fp32", "bf16", "fp8", "mxfp8", "fp4", "nvfp4", "int8", "int4", "int4_group", "nf4", "Q6_K"):
        assert share_name(name) in attained().weights


def test_one_token_in_and_many_sequences_in_a_small_step():
    """Nothing that a step does is negative or lost, whatever is asked."""
    for spec in (DENSE, MIXED):
        for sequences in (1, 7, 1000):
            parts = group(spec, Layout(2), shares=attained()).step(sequences, 1)
            assert all(seconds >= 0 for seconds in parts.values())
            assert parts["links"] > 0
