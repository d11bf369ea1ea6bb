"""Exact models: counts, caches and FLOPs against numbers published by others."""

import csv
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cohort
from cohort.attention import GroupedQuery
from cohort.errors import CohortError, ConfigError, ParameterError, UnknownNameError
from cohort.models import Dense, Experts, Layer, ModelSpec, Residual

DATA = Path(__file__).parents[2] / "data"
REFERENCE = list(csv.DictReader((DATA / "reference_counts.csv").open(encoding="utf-8")))


@pytest.mark.parametrize("row", REFERENCE, ids=lambda row: row["model"])
def test_counts_equal_the_reference_implementation(row):
    model = cohort.model(row["model"])
    assert model.parameters == int(row["total"])
    assert model.active_parameters == int(row["active"])
    assert model.active_parameters_without_embedding == int(row["active_without_input_embedding"])


def test_every_registered_model_has_a_reference():
    assert {row["model"] for row in REFERENCE} == set(cohort.models())


# Bytes of one token's keys and values in bf16, as the literature has them: the models of Kwon et al. (2023),
# DeepSeek-AI (2024), and the configs' own arithmetic.
PER_TOKEN = {
    "opt-13b": 819_200,
    "llama-2-7b": 524_288,
    "llama-2-13b": 819_200,
    "llama-2-70b": 327_680,
    "llama-3-8b": 131_072,
    "llama-3.1-405b": 516_096,
    "mistral-7b-v0.1": 131_072,
    "mixtral-8x7b-v0.1": 131_072,
    "mixtral-8x22b-v0.1": 229_376,
    "dbrx": 163_840,
    "gemma-7b": 458_752,
    "gemma-2b": 18_432,
    "qwen2.5-72b": 327_680,
    "qwen3-30b-a3b": 98_304,
    "gpt3-175b": 4_718_592,
    "deepseek-v2": 69_120,
    "deepseek-v2-lite": 31_104,
}


@pytest.mark.parametrize(("name", "expected"), PER_TOKEN.items())
def test_cache_of_one_token(name, expected):
    assert cohort.model(name).kv_cache_bytes(1) == expected


def test_mistral_window_saves_eightfold_at_32k():
    windowed = cohort.model("mistral-7b-v0.1").kv_cache_bytes(32_768)
    full = cohort.model("mixtral-8x7b-v0.1").kv_cache_bytes(32_768)  # the same attention without a window
    assert (windowed, full) == (2**29, 2**32)


def test_opt_13b_at_2048_tokens_is_the_published_1_6_gb():
    assert cohort.model("opt-13b").kv_cache_bytes(2048) == 1_677_721_600


@pytest.mark.parametrize(
    ("name", "context", "expected"),
    [
        # layers x 2 x KV heads x head size x 2 bytes x tokens held
        ("gemma-2-9b", 8192, 2 * 8 * 256 * 2 * (21 * 4096 + 21 * 8192)),
        ("gpt-oss-20b", 131_072, 2 * 8 * 64 * 2 * (12 * 128 + 12 * 131_072)),
        ("olmo-3-7b", 65_536, 2 * 32 * 128 * 2 * (24 * 4096 + 8 * 65_536)),
        ("llama-4-maverick", 1_000_000, 2 * 8 * 128 * 2 * (36 * 8192 + 12 * 1_000_000)),
        ("deepseek-v2", 131_072, 60 * 576 * 2 * 131_072),
    ],
)
def test_caches_of_mixed_layers(name, context, expected):
    assert cohort.model(name).kv_cache_bytes(context) == expected


def test_cache_scales_with_batch_and_bytes():
    model = cohort.model("llama-3-8b")
    assert model.kv_cache_bytes(8192, batch=3, bytes_per_element=1) == 3 * 2**29
    assert model.kv_cache_bytes(3, bytes_per_element=0.5) == 3 * 131_072 // 4
    odd = ModelSpec("odd", "llama", 1, 1, (Layer(GroupedQuery(1, 1, 1), Dense(1)),))
    assert odd.kv_cache_bytes(1, bytes_per_element=0.3) == 1  # 0.6 bytes, rounded up


@pytest.mark.parametrize(
    "arguments",
    [
        {"context": 0},
        {"context": -1},
        {"context": 1.5},
        {"context": True},
        {"context": None},
        {"context": 2**41},
        {"context": 1, "batch": 0},
        {"context": 1, "bytes_per_element": 0},
        {"context": 1, "bytes_per_element": float("nan")},
        {"context": 1, "bytes_per_element": float("inf")},
        {"context": 1, "bytes_per_element": True},
        {"context": 1, "bytes_per_element": "2"},
    ],
)
def test_impossible_caches_are_refused(arguments):
    with pytest.raises(ParameterError):
        cohort.model("llama-3-8b").kv_cache_bytes(**arguments)


# Attention's share beside 6 N: +16% for Llama 2 7B at 4K over the full square, half of that causal; for the
# 405B model at 8K +8.3%. Both from the formulas of Chowdhery et al. (2022), appendix B.
def test_flops_are_two_per_weight_and_the_scores():
    model = cohort.model("llama-2-7b")
    matmul = 32 * (4 * 4096**2 + 3 * 4096 * 11008) + 32_000 * 4096
    assert model.matmul_parameters == matmul
    assert model.forward_flops(4096, causal=False) == 2 * matmul + 32 * 4 * 4096 * 4096
    assert model.forward_flops(4096) == 2 * matmul + 32 * 4 * 4096 * 4097 / 2


def test_attention_adds_the_published_share():
    seven, large = cohort.model("llama-2-7b"), cohort.model("llama-3.1-405b")
    assert 12 * 32 * 4096 * 4096 / (6 * seven.parameters) == pytest.approx(0.16, abs=0.005)
    assert large.forward_flops(8192, causal=False) / (2 * large.parameters) - 1 == pytest.approx(
        0.083, abs=0.01
    )


def test_a_token_of_mixtral_costs_its_active_weights():
    model = cohort.model("mixtral-8x7b-v0.1")
    norms = 65 * 4096
    assert model.matmul_parameters == model.active_parameters_without_embedding - norms


def test_windows_and_chunks_save_flops():
    full = cohort.model("mixtral-8x7b-v0.1").forward_flops(32_768)
    sliding = cohort.model("mixtral-8x7b-v0.1")
    windowed = cohort.models.ModelSpec(
        "w",
        "mixtral",
        sliding.hidden,
        sliding.vocabulary,
        tuple(
            Layer(GroupedQuery(32, 8, 128, window=4096), x.feedforward, x.norm_weights)
            for x in sliding.layers
        ),
    )
    assert windowed.forward_flops(32_768) < full
    assert windowed.forward_flops(4096) == sliding.forward_flops(4096)


@pytest.mark.parametrize("context", [0, -5, True, 1.0, "8192", 2**41])
def test_impossible_flops_are_refused(context):
    with pytest.raises(ParameterError):
        cohort.model("llama-3-8b").forward_flops(context)


@given(
    name=st.sampled_from(cohort.models()),
    context=st.integers(1, 2**20),
    longer=st.integers(1, 2**20),
    batch=st.integers(1, 64),
)
@settings(max_examples=200, deadline=None)
def test_caches_grow_with_context_and_are_linear_in_batch(name, context, longer, batch):
    model = cohort.model(name)
    cache = model.kv_cache_bytes(context)
    assert 0 < cache <= model.kv_cache_bytes(context + longer)
    assert model.kv_cache_bytes(context, batch=batch) == batch * cache
    assert cache <= context * model.kv_cache_bytes(1)


@pytest.mark.parametrize("name", cohort.models())
def test_counts_are_ordered(name):
    model = cohort.model(name)
    assert model.active_parameters_without_embedding <= model.active_parameters <= model.parameters
    dense = all(layer.experts is None for layer in model.layers)
    assert dense == (model.active_parameters == model.parameters)
    assert all(isinstance(count, int) for count in (model.parameters, model.active_parameters))


def test_arctic_holds_a_dense_network_beside_its_experts():
    layer = cohort.model("snowflake-arctic").layers[0]
    assert isinstance(layer.feedforward, Residual)
    assert (layer.feedforward.dense.width, layer.feedforward.experts.width) == (7168, 4864)


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: Dense(0), "width is 0"),
        (lambda: Dense(2**41), "width"),
        (lambda: Experts(8, 9, 64), "more than the 8"),
        (lambda: Experts(8, 0, 64), "active experts is 0"),
        (lambda: Experts(8, 2, 64, shared=-1), "shared experts"),
        (lambda: Layer(GroupedQuery(1, 1, 1), Dense(1), norm_weights=-1), "norm_weights"),
        (lambda: ModelSpec("m", "f", 8, 8, ()), "number of layers is 0"),
        (lambda: ModelSpec("m", "f", 8.0, 8, (Layer(GroupedQuery(1, 1, 1), Dense(1)),)), "hidden is 8.0"),
        (lambda: ModelSpec("m", "f", 8, 8, (Layer(GroupedQuery(1, 1, 1), Dense(1)),) * 10_001), "layers"),
    ],
)
def test_impossible_models_are_refused(build, words):
    with pytest.raises(ConfigError, match=words) as caught:
        build()
    assert "\n" not in str(caught.value)


def test_training_compute_is_six_flop_a_parameter_and_token():
    # Meta gives 3.8e25 FLOP for the 405B model on 15.6 trillion tokens (Dubey et al., 2024).
    assert cohort.model("llama-3.1-405b").training_flops(15.6e12) == pytest.approx(3.8e25, rel=0.001)
    model = cohort.model("mixtral-8x7b-v0.1")
    assert model.training_flops(1) == 6 * model.active_parameters


@pytest.mark.parametrize("tokens", [0, -1, True, None, "1e12", float("nan"), float("inf")])
def test_impossible_training_is_refused(tokens):
    with pytest.raises(ParameterError, match="tokens is"):
        cohort.model("llama-3-8b").training_flops(tokens)


def test_an_unknown_name_names_the_nearest():
    with pytest.raises(UnknownNameError, match="did you mean 'llama-3-8b'") as caught:
        cohort.model("llama-3-8")
    assert isinstance(caught.value, CohortError)


def test_a_model_passes_through_and_prints_itself():
    model = cohort.model("llama-3-8b")
    assert cohort.model(model) is model
    assert repr(model) == "<ModelSpec llama-3-8b: 8,030,261,248 parameters in 32 layers>"
