"""Serving: parts of a step by hand at the bare peaks, published ridges, then properties and faults."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cohort
from cohort.architecture.dtypes import precisions
from cohort.errors import ParameterError, UnknownNameError
from cohort.serving.roofline import (
    ROOFLINE,
    attained,
    compute_bound_concurrency,
    largest_concurrency,
    products,
    serve,
    weights_read,
)

H100 = "H100 SXM 80GB"
# Llama 3 8B: 32 layers of 218,103,808 weights in matrices, a head of 128,256 x 4,096; 65 norms of 4,096.
LAYERS, HEAD = 32 * 218_103_808, 128_256 * 4096
MATRICES = LAYERS + HEAD
READ = MATRICES + 65 * 4096


def prompt_flops(tokens: int) -> float:
    """Of a prompt: its layers, a head for the last token, and scores of 4 x 4096 FLOP a layer and pair."""
    return 2 * (LAYERS * tokens + HEAD) + 4 * 4096 * 32 * tokens * (tokens + 1) / 2


def prompt_s(tokens: int) -> float:
    """At the peaks of an H100: layers bound by FLOPs, the head by its bytes."""
    return (prompt_flops(tokens) - 2 * HEAD) / 989e12 + 2 * HEAD / 3350e9


def close(value: float, rel: float = 1e-12):
    return pytest.approx(value, rel=rel, abs=0)


def test_a_step_of_one_sequence_by_hand():
    """At the peaks alone: weights once, 131,072 bytes of cache a token; products hide behind the reading."""
    found = serve("llama-3-8b", H100, input_tokens=1000, output_tokens=100, attained=ROOFLINE)
    parts = dict(found.parts)
    assert parts["weights"] == close(2 * MATRICES / 3350e9)
    assert parts["cache"] == close(131_072 * 1050 / 3350e9)
    assert (
        parts["matrices"]
        == parts["scores"]
        == parts["links"]
        == parts["layers"]
        == parts["sequences"]
        == parts["prompts"]
        == 0
    )
    assert found.tpot_s == close(math.fsum(parts.values()))


def test_the_first_token_by_hand():
    """1000 tokens through the layers, 4 x 4096 FLOP for each of 32 and 1000 x 1001 / 2 pairs, and a head."""
    found = serve("llama-3-8b", H100, input_tokens=1000, output_tokens=1, attained=ROOFLINE)
    assert found.ttft_s == close(prompt_s(1000))
    assert found.request_s == found.ttft_s


def test_two_devices_exchange_activations_by_hand():
    """Two all-reduces a layer; in a ring of two each sends its 4096 numbers once."""
    one = serve("llama-3-8b", H100, 1, 16, input_tokens=100, output_tokens=100, attained=ROOFLINE)
    two = serve("llama-3-8b", H100, 2, 16, input_tokens=100, output_tokens=100, attained=ROOFLINE)
    assert dict(two.parts)["links"] == close(2 * 32 * 16 * 4096 * 2 / 450e9)
    for part in ("weights", "cache"):
        assert dict(two.parts)[part] == close(dict(one.parts)[part] / 2)


def test_prompts_of_the_others_are_read_in_between():
    """Sixteen slots: the 99 steps of an answer of 100 tokens see fifteen prompts between them."""
    found = serve("llama-3-8b", H100, 1, 16, input_tokens=1000, output_tokens=100, attained=ROOFLINE)
    assert dict(found.parts)["prompts"] == close(15 * prompt_s(1000) / 99)


def test_prompts_alone_keep_every_device_busy():
    """With one token each, all of the time goes to prompts: sixteen are read in a request."""
    found = serve("llama-3-8b", H100, 1, 16, input_tokens=1000, output_tokens=1, attained=ROOFLINE)
    alone = serve("llama-3-8b", H100, 1, 1, input_tokens=1000, output_tokens=1, attained=ROOFLINE)
    # 8.192 prompts fit a step, and its head is read once.
    each = (prompt_flops(1000) - 2 * HEAD) / 989e12 + 2 * HEAD / 3350e9 / 8.192
    assert found.request_s == close(alone.ttft_s + 15 * each)
    assert found.output_tokens_per_s == close(16 / found.request_s)


def test_throughput_utilisation_and_cost_by_hand():
    found = serve("llama-3-8b", H100, 1, 16, input_tokens=1000, output_tokens=100)
    assert found.output_tokens_per_s == close(1600 / (found.ttft_s + 99 * found.tpot_s))
    prompt = prompt_flops(1000)
    answer = 99 * (2 * MATRICES + 4 * 4096 * 32 * 1050)  # the prompt yields the first of the 100 tokens
    assert found.mfu == close(found.output_tokens_per_s / 100 * (prompt + answer) / 989e12)
    assert found.mbu == close((2 * MATRICES + 16 * 131_072 * 1050) / found.tpot_s / 3350e9)
    assert found.usd_per_million_tokens(3.6) == close(1e6 * 3.6 / 3600 / found.output_tokens_per_s)


def test_one_token_in_and_one_out_is_counted_once():
    """The prompt is the only pass: its FLOPs over the time to the first token, and no step after it."""
    found = serve("llama-3-8b", H100, input_tokens=1, output_tokens=1)
    flops = 2 * MATRICES + 4 * 4096 * 32
    assert found.request_flops == close(flops)
    assert found.mfu == close(flops / found.ttft_s / 989e12)


def test_two_tokens_out_are_a_prompt_and_a_step():
    found = serve("llama-3-8b", H100, input_tokens=10, output_tokens=2)
    assert found.request_flops == close(prompt_flops(10) + 2 * MATRICES + 4 * 4096 * 32 * 11)


@pytest.mark.parametrize(
    ("accelerator", "ridge"),
    [("A100 SXM 80GB", 153), (H100, 295), ("H200", 206), ("B200", 281), ("MI300X", 247), ("TPU v5e", 241)],
)
def test_published_ridges(accelerator, ridge):
    """FLOP a byte of bf16, as data sheets give them; norms are read and not multiplied."""
    found = compute_bound_concurrency("llama-3-8b", accelerator)
    assert found == pytest.approx(ridge, abs=1)


def test_the_ridge_follows_bytes_and_peak():
    """Half the bytes of the layers, the head in 16 bits; products in fp8 leave it near where it was."""
    sixteen, eight = (
        compute_bound_concurrency("llama-3-8b", "A100 SXM 80GB", each) for each in ("bf16", "fp8")
    )
    read = LAYERS + 2 * HEAD
    assert eight == pytest.approx(sixteen * read / (2 * MATRICES), abs=1)
    token = 2 * (LAYERS / 1979e12 + HEAD / 989e12)
    assert compute_bound_concurrency("llama-3-8b", H100, "fp8") == pytest.approx(read / 3350e9 / token, abs=1)


def test_experts_postpone_the_ridge():
    """Mixtral reads all of its 46.6 billion weights by then, and multiplies with 12.7."""
    spec = cohort.model("mixtral-8x7b-v0.1")
    read = spec.parameters - spec.embedding_parameters
    expected = 989 / 3.35 * read / spec.matmul_parameters
    assert compute_bound_concurrency(spec, H100) == pytest.approx(expected, abs=1)


def test_weights_that_a_step_reads():
    """Two tokens reach 3.5 of 8 experts of 3 x 4096 x 14336 weights in each of 32 layers."""
    spec = cohort.model("mixtral-8x7b-v0.1")
    whole = spec.parameters - 32_000 * 4096
    assert weights_read(spec, 2) == close(whole - 32 * 4.5 * 3 * 4096 * 14_336)
    assert weights_read(cohort.model("llama-3-8b"), 7) == READ
    tied = cohort.model("gemma-2b")
    assert weights_read(tied, 1) == tied.parameters


def test_what_fits_by_hand():
    """72.8 GiB of 79.6: 15.0 of weights and 4.1 of the engine leave 53 caches of 8,192 tokens, 1 GiB each."""
    assert largest_concurrency("llama-3-8b", H100, input_tokens=8000, output_tokens=192) == 53
    assert serve("llama-3-8b", H100, 1, 53, input_tokens=8000, output_tokens=192).fits
    over = serve("llama-3-8b", H100, 1, 54, input_tokens=8000, output_tokens=192)
    assert not over.fits
    assert over.reason == "the cache takes 54.0 GiB of each device, of which 53.7 GiB are left"


def test_weights_that_do_not_fit():
    found = serve("llama-3-70b", H100, input_tokens=1, output_tokens=1)
    assert not found.fits
    assert found.reason == (
        "the weights and the engine take 136.5 GiB of each device, of which 72.8 GiB can be used"
    )
    assert largest_concurrency("llama-3-70b", H100, input_tokens=1, output_tokens=1) == 0
    assert serve("llama-3-70b", H100, 2, input_tokens=1, output_tokens=1).fits


def test_latent_vectors_are_not_shared_by_devices():
    """60 layers of 576 numbers for each of 4 x 1,001 tokens, on each of eight devices.

    What makes queries and vectors narrow, and the routers of 59 layers, are on each as well.
    """
    one = serve("deepseek-v2", "H200", 1, 4, input_tokens=1000, output_tokens=2)
    eight = serve("deepseek-v2", "H200", 8, 4, input_tokens=1000, output_tokens=2)
    kept = 60 * 5120 * (1536 + 512 + 64) + 59 * 5120 * 160
    assert eight.step_bytes - one.step_bytes == close(7 * 2 * (60 * 576 * 4 * 1001 + kept), rel=1e-9)


def test_weights_alone_in_integers_are_multiplied_in_16_bits():
    for dtype in ("int8", "int4", "awq", "Q4_K_M", "fp32"):
        found = serve("llama-3-8b", H100, input_tokens=9, output_tokens=9, weight_dtype=dtype)
        assert found.peak == 989e12
    assert serve("llama-3-8b", H100, input_tokens=9, output_tokens=9, weight_dtype="fp8").peak == 1979e12
    assert (
        serve("llama-3-8b", "A100 SXM 80GB", input_tokens=9, output_tokens=9, weight_dtype="fp8").peak
        == 312e12
    )
    assert serve("llama-3-8b", "V100 SXM2 32GB", input_tokens=9, output_tokens=9).peak == 125e12


def test_the_fastest_products_are_shares_of_the_peak():
    found = products()
    assert found["A100 SXM 80GB", "16-bit"] == close(271.2 / 312)
    assert found[H100, "fp8"] == close(1402.6 / 1979)
    assert all(0.3 < share < 1 for share in found.values())


def test_other_accelerators_take_the_median_product():
    found = attained()
    shares = sorted(share for (_, width), share in found.products.items() if width == "fp8")
    middle = (shares[1] + shares[2]) / 2
    assert len(shares) == 4
    assert found.product("B200", "fp4") == close(found.matrices["fp4"] * found.products["B200", "fp8"])
    assert found.product("L40S", "fp8") == close(found.matrices["fp8"] * middle)


CASES = st.fixed_dictionaries(
    {
        "model": st.sampled_from(
            ["llama-3-8b", "llama-3-70b", "mixtral-8x7b-v0.1", "deepseek-v2", "gemma-4-31b"]
        ),
        "accelerator": st.sampled_from([H100, "A100 SXM 80GB", "L40S", "MI300X", "TPU v5e"]),
        "tensor_parallel": st.sampled_from([1, 2, 4, 8]),
        "concurrency": st.integers(1, 2000),
        "input_tokens": st.integers(1, 20_000),
        "output_tokens": st.integers(1, 4000),
        "weight_dtype": st.sampled_from(precisions()),
        "kv_dtype": st.sampled_from(precisions()),
    }
)


@settings(max_examples=60)
@given(case=CASES)
def test_what_must_hold_of_any_service(case):
    found, ideal = serve(**case), serve(**case, attained=ROOFLINE)
    assert 0 < found.mfu < 1
    assert 0 < found.mbu < 1
    assert ideal.tpot_s < found.tpot_s
    assert ideal.ttft_s < found.ttft_s
    assert found.fits == (not found.reason)
    assert found.bound in {"memory", "compute", "communication", "overhead"}
    most = largest_concurrency(**{name: value for name, value in case.items() if name != "concurrency"})
    assert found.fits == (case["concurrency"] <= most)


MULTIPLY = [
    name
    for name in cohort.accelerators()
    if not {"bf16", "fp16"}.isdisjoint(dict(cohort.accelerator(name).peaks))
]


@settings(max_examples=60)
@given(
    accelerator=st.sampled_from(MULTIPLY),
    model=st.sampled_from(["llama-3-8b", "deepseek-v2"]),
    concurrency=st.integers(1, 10**6),
    input_tokens=st.integers(1, 10**6),
    output_tokens=st.integers(1, 10**6),
    weight_dtype=st.sampled_from(precisions()),
    kv_dtype=st.sampled_from(precisions()),
)
def test_utilisation_is_a_share_of_the_peak(**case):
    """On every accelerator and in every type; at the bare peaks all of it can be used, but for rounding."""
    found, ideal = serve(**case), serve(**case, attained=ROOFLINE)
    assert 0 < found.mfu < 1
    assert 0 < ideal.mfu <= 1 + 1e-12
    assert 0 < found.mbu < 1
    assert 0 < ideal.mbu <= 1 + 1e-12


def test_endless_prompts_use_the_whole_peak():
    """Products alone, at the bare peaks: utilisation comes to 1 and not beyond.

    Where the layers are multiplied in 4 bits and the head in 16, it comes to what that leaves.
    """
    slower = (2 * LAYERS + HEAD) / (2 * LAYERS + HEAD * 9000 / 2250)
    for accelerator, dtype, most in ((H100, "bf16", 1), (H100, "fp4", 1), ("B200", "fp4", slower)):
        found = serve(
            "llama-3-8b", accelerator, 1, 10**6, input_tokens=2, output_tokens=1, weight_dtype=dtype,
            attained=ROOFLINE,
        )  # fmt: skip
        assert 0.999 * most < found.mfu <= most * (1 + 1e-3)
        assert found.mfu <= 1


@settings(max_examples=60)
@given(case=CASES)
def test_more_users_get_more_together_and_less_each(case):
    more = {**case, "concurrency": case["concurrency"] + 1}
    assert serve(**more).output_tokens_per_s >= serve(**case).output_tokens_per_s * (1 - 1e-12)
    assert serve(**more).tpot_s > serve(**case).tpot_s


ASKED = {"model": "llama-3-8b", "accelerator": H100, "input_tokens": 10, "output_tokens": 10}


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        (
            {"tensor_parallel": 3},
            ParameterError,
            "tensor_parallel is 3, but must divide the 32 attention heads",
        ),
        (
            {"tensor_parallel": 16},
            ParameterError,
            "tensor_parallel is 16, but must be from 1 to 8 devices for H100",
        ),
        ({"tensor_parallel": 0}, ParameterError, "tensor_parallel is 0, but must be from 1 to 8"),
        (
            {"accelerator": "M2 Ultra (76-core)", "tensor_parallel": 2},
            ParameterError,
            "must be from 1 to 1 devices",
        ),
        (
            {"accelerator": "M3 Ultra (80-core)"},
            ParameterError,
            "must be one whose 16-bit peak the data hold",
        ),
        ({"accelerator": "H100"}, UnknownNameError, "unknown accelerator 'H100'; did you mean"),
        ({"model": "llama-3-9b"}, UnknownNameError, "unknown model 'llama-3-9b'; did you mean"),
        ({"weight_dtype": "fp6"}, UnknownNameError, "unknown weight_dtype 'fp6'; did you mean 'fp16'"),
        ({"kv_dtype": "bf61"}, UnknownNameError, "unknown kv_dtype 'bf61'; did you mean 'bf16'"),
        ({"concurrency": 0}, ParameterError, "concurrency is 0, but must be from 1"),
        ({"input_tokens": 0}, ParameterError, "input_tokens is 0, but must be from 1"),
        ({"output_tokens": 2.5}, ParameterError, "output_tokens is 2.5, but must be an integer"),
    ],
)
def test_bad_requests_are_named_in_one_sentence(changed, error, message):
    with pytest.raises(error) as raised:
        serve(**{**ASKED, **changed})
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("price", [0, -1, float("nan"), "2"])
def test_a_price_is_a_positive_number(price):
    with pytest.raises(ParameterError, match="price is"):
        serve(**ASKED).usd_per_million_tokens(price)


@pytest.mark.parametrize("model", ["lfm2-8b-a1b", "jamba-1.5-large", "falcon-h1-34b"])
def test_devices_share_channels_that_are_no_heads(model):
    request = {**ASKED, "model": model, "accelerator": "B200", "concurrency": 8}
    two, four = (serve(**request, tensor_parallel=devices) for devices in (2, 4))
    assert four.tpot_s < two.tpot_s
    with pytest.raises(ParameterError, match="must divide the"):
        serve(**request, tensor_parallel=3)


@pytest.mark.parametrize(
    ("spelt", "engine"), [("vllm", "vLLM"), ("tensorrt llm", "TensorRT-LLM"), ("sglang", "SGLang")]
)
def test_engines_are_found_in_any_usual_spelling(spelt, engine):
    lengths = {"input_tokens": 512, "output_tokens": 64, "concurrency": 8}
    found = serve("llama-3-8b", "H100 SXM 80GB", engine=spelt, **lengths)
    assert found == serve("llama-3-8b", "H100 SXM 80GB", engine=engine, **lengths)


def test_a_guess_is_no_longer_than_engines_make_it():
    with pytest.raises(ParameterError, match="acceptance_length is 100, but must be from 1 to 64"):
        serve("llama-3-8b", "H100 SXM 80GB", input_tokens=512, output_tokens=64, acceptance_length=100)
