"""What memory holds: break-even contexts and what fits, by hand and at the bounds."""

import pandas as pd
import pytest

import cohort
from cohort.chapters.attention_memory import capacity
from cohort.display.reader_tables import readable
from cohort.serving import memory_budget


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
    """0.92 of what can be allocated, less weights, rotary tables and engine: 131,072 bytes a token."""
    budget = memory_budget("llama-3-8b", "H100 SXM 80GB", context=8192)
    room = int(0.92 * 81_079 * 2**20) - 16_060_522_496 - 2**21 - budget.runtime[1]
    row = capacity.longest_contexts(cohort.model("llama-3-8b"), "H100 SXM 80GB", 8192)
    assert row["devices"] == 1
    assert row["longest context"] == room // 131_072 // 16 * 16  # in whole pages
    assert row["largest batch"] == room // 2**30


@pytest.mark.parametrize("name", ["llama-3-70b", "deepseek-v2", "qwen3-next-80b-a3b", "deepseek-v4-flash"])
def test_what_fits_is_the_most_that_fits(name):
    spec = cohort.model(name)
    row = capacity.longest_contexts(spec, "H200", 4096, batch=2, weight_dtype="fp8")

    def fits(devices, context, batch):
        asked = {"context": context, "batch": batch, "weight_dtype": "fp8"}
        return memory_budget(spec, "H200", devices, **asked).fits

    devices = row["devices"]
    assert fits(devices, row["longest context"], 2) and not fits(devices, row["longest context"] + 16, 2)
    assert fits(devices, 4096, row["largest batch"]) and not fits(devices, 4096, row["largest batch"] + 1)
    assert devices == 1 or not fits(devices // 2, 4096, 2)


def test_a_context_stays_within_the_offer():
    table = capacity.fits_models(["llama-3-8b", "command-r-v01"], "H100 SXM 80GB", 32_768)
    assert table["context"].tolist() == [8192, 32_768]


def test_fewer_bits_need_fewer_devices():
    table = capacity.fits_formats("llama-3-70b", "H100 SXM 80GB", 8192)
    assert table["devices"].tolist() == [2, 2, 1, 1]
    assert table["size"].tolist() == sorted(table["size"], reverse=True)[:2] + table["size"].tolist()[2:]
    assert table.loc["bf16", "size"] == 2 * cohort.model("llama-3-70b").parameters


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


def test_no_table_shows_a_raw_missing_value():
    frame = capacity.readable_fit(capacity.fits_models(["deepseek-v3.2"], "L4", 8192))
    assert isinstance(frame, pd.DataFrame)
    assert "–" in readable(frame)._repr_html_()
