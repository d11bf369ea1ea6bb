"""What context costs: published figures first, then what must hold of every table."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cohort
from cohort.architecture import variants
from cohort.architecture.attention import GroupedQuery
from cohort.chapters.attention_memory import capacity, compute, published, tables
from cohort.errors import ParameterError, UnknownNameError

GIB = 2**30


def test_published_caches_round_to_the_print_but_for_one():
    """Llama 3 70B: 2 x 80 layers x 8 heads x 128 x 2 bytes are 327.68 kB, and 324 is printed."""
    table = published.published_caches()
    assert list(table.index[~table["rounds"]]) == ["Llama 3 70B"]
    assert table.loc["Llama 3 70B", "derived"] == 327.68
    assert list(table.loc["OPT 13B", "derived"]) == [800, 1.5625]


def test_thirteen_of_sixteen_printed_memories_are_exact():
    table = published.published_memory()
    exact = table["printed"] == table["derived"]
    assert (int(exact.sum()), len(table)) == (13, 16)
    assert set(table[~exact]["method"]) == {"flash"}
    assert sorted(table[~exact]["context"]) == [128, 256, 512]


def test_the_saving_of_deepseek_v2():
    assert published.saving("deepseek-v2", "deepseek-67b", bits=6) == 1 - 25_920 / 389_120
    assert published.saving("deepseek-v2", "deepseek-67b") == 1 - 69_120 / 389_120


@given(most=st.integers(0, 10**6), bound=st.integers(0, 10**6))
def test_longest_finds_the_largest_that_fits(most, bound):
    assert capacity.longest(lambda number: number <= bound, most) == min(bound, most)


@pytest.mark.parametrize("name", ["llama-3-8b", "gemma-4-31b", "deepseek-v4-flash", "qwen3-next-80b-a3b"])
def test_the_break_even_is_the_first_context_above_the_weights(name):
    row = capacity.break_even_contexts([name], batch=3, bytes_per_element=1).iloc[0]
    spec = cohort.model(name)
    at = int(row["context"])
    assert spec.kv_cache_bytes(at, 3, 1) > row["weights"] == 2 * spec.parameters
    assert spec.kv_cache_bytes(at - 1, 3, 1) <= row["weights"]


def test_the_break_even_of_llama_3_8b_by_hand():
    """16,060,522,496 bytes of weights at 131,072 bytes a token: 122,532.06 tokens."""
    assert capacity.break_even_contexts(["llama-3-8b"])["context"].iloc[0] == 122_533


def test_a_cache_that_stops_growing_never_outweighs():
    table = capacity.break_even_contexts(["mistral-7b-v0.1", "llama-3-8b"])
    assert table["context"].isna().tolist() == [True, False]
    assert capacity.within_reach(table) == []
    assert capacity.within_reach(capacity.break_even_contexts(["command-r-v01"])) == ["Command R"]


def test_what_fits_an_h100_by_hand():
    """80e9 bytes less a tenth hold 16,060,522,496 of weights and 426,784 tokens of 131,072 bytes."""
    row = capacity.longest_contexts(cohort.model("llama-3-8b"), "H100 SXM 80GB", 8192)
    assert row["devices"] == 1
    assert row["longest context"] == (72_000_000_000 - 16_060_522_496) // 131_072
    assert row["largest batch"] == (72_000_000_000 - 16_060_522_496) // 2**30


@pytest.mark.parametrize("name", ["llama-3-70b", "deepseek-v2", "qwen3-next-80b-a3b", "deepseek-v4-flash"])
def test_what_fits_is_the_most_that_fits(name):
    spec = cohort.model(name)
    row = capacity.longest_contexts(spec, "H200", 10_000, batch=2, reserve=0.2)
    devices, usable = row["devices"], int(141e9 * 0.8)
    room = usable - -(-2 * spec.parameters // devices)

    def size(context, batch):
        return spec.kv_cache_bytes(context, batch, tensor_parallel=devices)

    assert size(row["longest context"], 2) <= room < size(row["longest context"] + 1, 2)
    assert size(10_000, row["largest batch"]) <= room < size(10_000, row["largest batch"] + 1)
    if devices > 1:
        half = usable - -(-2 * spec.parameters // (devices // 2))
        assert spec.kv_cache_bytes(10_000, 2, tensor_parallel=devices // 2) > half


def test_what_fits_nowhere_and_what_has_no_bound():
    table = capacity.fits_models(["mistral-7b-v0.1", "deepseek-v3.2"], "A10", 8192)
    assert table["devices"].isna().tolist() == [False, True]
    shown = capacity.readable_fit(table)["longest context (tokens)"]
    assert shown.iloc[0] == "no bound"
    assert pd.isna(shown.iloc[1])


def test_accelerators_with_one_memory_share_a_row():
    shown = capacity.readable_fit(capacity.fits_accelerators("llama-3-8b", 8192))
    row = shown.loc["80"]
    assert {"A100 SXM 80GB", "H100 SXM 80GB"} <= set(row["accelerators"].split(", "))
    assert shown.index.is_unique


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


@pytest.mark.parametrize("name", cohort.models())
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


def test_growth_is_quadratic_for_prompts_and_linear_for_caches():
    table = compute.growth("llama-3-8b", [1024, 2048, 4096])
    powers = {column: compute.last_power(table[column]) for column in table}
    assert powers["scores"] == powers["cache"] + 1 == 2
    assert powers["step FLOPs"] == pytest.approx(1, abs=1e-12)
    assert powers["prefill FLOPs"] == pytest.approx(2, abs=1e-3)


def test_attention_share_of_llama_2_7b_at_4k_over_the_full_square():
    """Chowdhery et al. (2022): 12 L h d s beside 6 N, 16% on top: 14% of both together."""
    row = compute.attention_share(["llama-2-7b"], 4096).loc["Llama 2 7B"]
    assert row["full"] == pytest.approx(0.16 / 1.16, abs=0.004)
    assert row["share"] == pytest.approx(row["full"] / 2, rel=0.1)


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
            lambda: capacity.fits_models(["llama-3-8b"], "H100 SXM 80 GB", 8192),
            UnknownNameError,
            "did you mean 'H100 SXM 80GB'",
        ),
        (
            lambda: capacity.longest_contexts(cohort.model("llama-3-8b"), "H200", 1, reserve=1),
            ParameterError,
            "reserve is 1",
        ),
        (
            lambda: capacity.longest_contexts(cohort.model("llama-3-8b"), "H200", 1, reserve="a"),
            ParameterError,
            "reserve is",
        ),
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


def test_limits_are_the_makers_or_the_configs():
    assert capacity.limit(cohort.model("command-r-v01")) == 131_072  # the config says 8,192
    own = cohort.model(
        {
            "model_type": "llama", "hidden_size": 64, "num_hidden_layers": 1, "vocab_size": 8,
            "num_attention_heads": 4, "intermediate_size": 8, "max_position_embeddings": 77,
        }
    )  # fmt: skip
    assert capacity.limit(own) == 77


def test_no_table_shows_a_raw_missing_value():
    frame = capacity.readable_fit(capacity.fits_models(["deepseek-v3.2"], "L4", 8192))
    assert isinstance(frame, pd.DataFrame)
    assert "–" in cohort.display.reader_tables.readable(frame)._repr_html_()
