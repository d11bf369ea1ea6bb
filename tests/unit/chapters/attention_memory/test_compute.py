"""How compute and memory grow: known powers and a published share."""

import pytest

from cohort.chapters.attention_memory import compute


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
