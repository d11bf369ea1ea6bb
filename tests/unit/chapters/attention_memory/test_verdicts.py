"""The verdicts of the chapter on attention: each against a number found by hand."""

from functools import cache
from typing import Any

import pytest

from cohort.chapters import judging
from cohort.chapters.attention_memory import verdicts
from cohort.registry import facts


@cache
def judged() -> dict[str, Any]:
    return {each.claim: each for each in judging.judge("attention_memory")}


def test_every_claim_of_the_chapter_is_judged():
    ledger = {row["claim"] for row in facts.rows("claims") if row["chapter"] == "attention_memory"}
    assert set(judged()) == ledger


@pytest.mark.parametrize(
    ("claim", "verdict", "value"),
    [
        ("attention_variants_common", "holds with limits", 9),  # all eleven but Gemma 7B and Command R
        ("most_use_gqa", "holds", 8),
        ("mistral_keeps_window", "does not hold", 0),
        ("phi_uses_window", "holds with limits", 2047),
        ("arctic_sinks", "holds with limits", 0),
        ("mla_is_new", "holds with limits", 576 / (2 * 128 * 128)),
        ("attention_is_quadratic", "holds with limits", 2),
        ("flash_and_cache_end_quadratic", "holds with limits", 1),
        ("cache_trades_memory_for_compute", "holds", 1),
        ("variants_target_memory", "holds", 6),  # of 4, 4, 4, 6, 8, 7, 8 and more, with 48/8 in the middle
        ("serving_memory_quadratic", "does not hold", 1),
    ],
)
def test_known_verdicts(claim, verdict, value):
    assert (judged()[claim].verdict, judged()[claim].value) == (verdict, pytest.approx(value, rel=1e-9))


def test_half_of_the_memory_is_cache():
    """The median of fourteen shares, each from bytes a token and weights as published."""
    found = judged()["attention_memory_hungry"]
    assert found.verdict == "holds"
    shares = sorted(verdicts.BATCH * cache / (verdicts.BATCH * cache + 2 * weights)
                    for cache, weights in FULL)  # fmt: skip
    assert found.value == pytest.approx(50 * (shares[6] + shares[7]), rel=1e-9)


# Of the cohort: bytes of cache of one sequence of 8,192 tokens, and weights.
FULL = [
    (8192 * 524_288, 6_738_415_616),
    (8192 * 819_200, 13_015_864_320),
    (8192 * 327_680, 68_976_648_192),
    (8192 * 458_752, 8_537_680_896),
    (8192 * 1_310_720, 34_980_831_232),
    (8192 * 163_840, 131_596_523_520),
    (8192 * 229_376, 140_620_634_112),
    (8192 * 131_072, 8_030_261_248),
    (8192 * 327_680, 70_553_706_496),
    (2047 * 393_216, 3_821_079_552),
    (8192 * 131_072, 7_392_272_384),
    (2047 * 204_800, 13_960_238_080),
    (8192 * 143_360, 478_584_608_768),
    (8192 * 69_120, 235_741_434_880),
]


def test_every_verdict_says_its_rule_and_its_unit_is_listed():
    units = {row["unit"] for row in facts.rows("units")}
    for each in judged().values():
        assert each.rule
        assert each.unit in units


def test_a_window_in_mixtral_would_change_the_verdict(monkeypatch):
    monkeypatch.setattr(verdicts, "_windows", lambda name: [4096] * 56)
    changed = {each.claim: each for each in judging.judge("attention_memory")}
    assert changed["mistral_keeps_window"].verdict == "holds"
    assert changed["arctic_sinks"].verdict == "holds"


def test_whole_numbers_stay_whole_for_readers():
    shown = {one.number.split()[0] for one in judging.verdict_list(list(judged().values())).verdicts}
    assert "2,047" in shown
    assert "53.3%" in shown
