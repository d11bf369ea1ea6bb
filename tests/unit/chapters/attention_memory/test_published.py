"""Published figures beside ours: what agrees to the digit, and what does not."""

from cohort.chapters.attention_memory import published


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


def test_attention_on_an_accelerator_is_what_the_formulas_say():
    run, table = published.device_attention()
    assert (run.accelerator, run.date) == ("H100 SXM 80GB", "2026-11-26")
    assert table.loc[1024, "naive derived"] == 2 * 32 * 2 + 8  # 32 MiB scores in two bytes, twice; the result
    assert list(table.index) == [512 * 2**power for power in range(7)]
    for way in ("naive", "flash"):
        assert ((table[way] / table[f"{way} derived"] - 1).abs().dropna() < 1e-3).all()
    assert list(table.index[table["naive"].isna()]) == [32_768]
    assert (table["naive time"] > table["flash time"]).drop(32_768).all()
