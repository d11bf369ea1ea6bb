"""What context costs: known sizes, then what must hold of every table."""

import pytest
from rows import each_of

import cohort
from cohort.architecture import variants
from cohort.architecture.attention import GroupedQuery
from cohort.chapters.attention_memory import capacity, tables
from cohort.errors import ParameterError, UnknownNameError

GIB = 2**30


def test_the_ways_to_save_of_llama_3_70b():
    """64 heads of 128: GQA saves 8 times, MQA 64, the latent 2 x 64 x 128 / 576 times, at any precision."""
    table = tables.what_if("llama-3-70b", 32_768)
    assert table.loc["as it is", "cache"] == 10 * GIB == table.loc["grouped, 8 KV heads", "cache"]
    assert table.loc["multi-head", "cache"] == 80 * GIB
    assert table.loc["multi-query", "times less"] == 64
    assert table.loc["latent, 512 + 64", "times less"] == 2 * 64 * 128 / 576
    assert table.loc["grouped, window 4,096", "times less"] == 64
    assert table.loc["grouped, window 4,096 and 4 sinks", "cache"] == 10 * GIB * 4100 // 32_768
    assert table.loc["grouped, every 2nd layer slides", "cache"] == 10 * GIB * (1 + 1 / 8) / 2
    assert table.loc["grouped, int4", "cache"] / table.loc["grouped, fp8", "cache"] == 18 / 32


def test_grouped_queries_share_even_where_there_are_few_heads():
    assert "grouped, 4 KV heads" in tables.what_if("gemma-2b", 1).index  # of eight heads
    assert tables.devices_share("llama-3-70b", 8192, [1], 1)["on each"].tolist() == [1.25]


@pytest.mark.slow
@each_of("name", cohort.models())
def test_every_model_has_its_ways_to_save(name):
    table = tables.what_if(name, 3)
    assert table["cache"].min() > 0
    assert table["times less"]["multi-head"] == 1
    assert table["cache"].iloc[0] == cohort.model(name).kv_cache_bytes(3)


def test_changed_layers_keep_everything_else():
    spec = cohort.model("deepseek-v4-flash")
    same = variants.with_changed_attention(spec, lambda _, own: own)
    assert same.parameters == spec.parameters
    assert not same.registered
    plain = variants.with_changed_attention(spec, lambda *_: GroupedQuery(1, 1, 1))
    assert plain.kv_cache_bytes(1) == 2 * 2 * len(spec.layers)


def test_what_has_no_attention_keeps_what_it_has():
    """Mamba beside attention stays, both attentions of a layer change, a network alone gets none."""
    for name, attentions in (("falcon-h1-0.5b", 36), ("longcat-flash", 2 * 28), ("nemotron-h-8b", 4 + 24)):
        spec = cohort.model(name)
        plain = variants.with_changed_attention(spec, lambda *_: GroupedQuery(1, 1, 1))
        found = [each for layer in plain.layers for each in layer.mixers if isinstance(each, GroupedQuery)]
        assert found == [GroupedQuery(1, 1, 1)] * attentions
        same = variants.with_changed_attention(spec, lambda _, own: own)
        assert (same.parameters, same.layers) == (spec.parameters, spec.layers)


def test_a_token_more_and_a_token_on_average():
    table = tables.per_token(["llama-3-8b", "phi-3-mini-4k", "qwen3-next-80b-a3b"], 32_768)
    assert table.loc["Llama 3 8B", ["average", "further"]].tolist() == [131_072, 131_072]
    assert table.loc["Phi-3 mini", "further"] == 0
    assert table.loc["Qwen3-Next 80B-A3B", "further"] == 12 * 2 * 2 * 256 * 2
    assert table.loc["Qwen3-Next 80B-A3B", "state"] == 36 * 32 * 128 * 128 * 4
    assert table["average"].is_monotonic_decreasing


def test_precisions_divide_caches_and_not_states():
    table = tables.by_precision(["llama-3-8b", "minimax-text-01"], 8192, names=["bf16", "fp8", "int4"])
    assert (table.loc["Llama 3 8B"] / 2**30).tolist() == [1, 0.5, 0.5 * 18 / 32]
    assert table.loc["MiniMax-Text-01", "fp8"] > table.loc["MiniMax-Text-01", "bf16"] / 2


def test_devices_copy_what_does_not_split():
    assert tables.devices_share("llama-3-70b", 8192, [1, 8, 32])["in all"].tolist() == [2.5, 2.5, 10]
    latent = tables.devices_share("deepseek-v2", 8192, [1, 8])["in all"]
    assert latent[8] == 8 * latent[1]


def test_blocks_of_sixteen_for_one_token():
    table = tables.paged_excess("llama-3-8b", [1, 16], [16])
    assert table[16].tolist() == [1500, 0]


@pytest.mark.parametrize(("context", "expected"), [(1024, [256, 512, 1024, 2048, 4096]), (1, [1, 256])])
def test_lengths_run_to_four_times_the_context(context, expected):
    assert tables.lengths(context) == expected


def test_caches_and_kinds_have_a_row_each():
    models = ["llama-3-8b", "deepseek-v2", "qwen3-next-80b-a3b", "deepseek-v4-flash"]
    caches = tables.cache_curves(models, [1, 1000], batch=2)
    assert caches.loc["Llama 3 8B"].tolist() == [262_144, 262_144_000]
    assert list(tables.kinds(models)) == ["GQA", "MLA", "GQA", "CSA"]


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (
            lambda: capacity.fits_models(["llama-3-8b"], "H100", 8192),
            UnknownNameError,
            "did you mean 'H100 SXM 80GB'",
        ),
        (
            lambda: capacity.longest_contexts(cohort.model("llama-3-8b"), "H200", 1, weight_dtype="fp9"),
            UnknownNameError,
            "unknown weight format 'fp9'",
        ),
        (lambda: capacity.fits_models([], "H200", 1), ParameterError, "no model was named"),
        (lambda: tables.lengths(0), ParameterError, "context is 0"),
        (lambda: tables.lengths(2**39), ParameterError, "context is"),
        (lambda: tables.cache_curves([], [1]), ParameterError, "no model was named"),
        (lambda: tables.what_if("lama-3-8b", 1), UnknownNameError, "did you mean 'llama-3-8b'"),
    ],
)
def test_bad_requests_are_one_sentence(call, error, words):
    with pytest.raises(error, match=words) as caught:
        call()
    assert "\n" not in str(caught.value)
