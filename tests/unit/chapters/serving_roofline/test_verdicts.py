"""The verdicts on inference: each number by another way, and rules that give every grade."""

from functools import cache
from typing import Any

import pytest

import cohort
from cohort.architecture.registered import group
from cohort.chapters import judging
from cohort.chapters.serving_roofline import verdicts
from cohort.registry import facts


@cache
def judged() -> dict[str, Any]:
    return {each.claim: each for each in judging.judge("serving_roofline")}


def test_every_claim_of_the_chapter_is_judged():
    assert set(judged()) == {
        row["claim"] for row in facts.rows("claims") if row["chapter"] == "serving_roofline"
    }


@pytest.mark.parametrize(
    ("claim", "verdict", "value"),
    [
        ("inference_is_expensive", "cannot be known", 700_000),
        ("efficiency_drives_design", "holds with limits", 2.04045),
        ("training_is_compute_bound", "holds with limits", 5.226),
        ("inference_half_the_compute", "does not hold", 100 / 3),
        ("answers_and_contexts_need_memory", "holds with limits", 173),
        ("bandwidth_limits_serving", "holds with limits", 0.045439),
        ("experts_spread_bandwidth", "holds with limits", 5.84835),
        ("attention_variants_save_bandwidth", "holds", 67.59),
    ],
)
def test_known_verdicts(claim, verdict, value):
    assert (judged()[claim].verdict, judged()[claim].value) == (verdict, pytest.approx(value, rel=1e-3))
    assert judged()[claim].rule


def test_all_models_of_the_post_are_judged():
    assert [spec.name for spec in verdicts._cohort()] == group("cohort")


def test_answers_that_fit_eight_devices_by_hand():
    """Llama 2 70B: the room beside an eighth of 2 x 68.98 billion bytes, over 8,192 x 327,680 / 8 bytes."""
    budget = cohort.serving.memory_budget("llama-2-70b", verdicts.ACCELERATOR, 8, context=1)
    room, engine = budget.room, budget.runtime[1]
    assert room == pytest.approx(0.92 * 81_079 * 2**20 - 2 * 68_976_648_192 / 8 - engine, rel=1e-3)
    assert verdicts._most(cohort.model("llama-2-70b")) == int(room // (8192 * 327_680 // 8)) == 173


def test_a_window_breaks_the_rule_of_memory():
    """Phi-3 mini keeps 2,047 tokens at any length, so that twice the length holds as many answers."""
    spec = cohort.model("phi-3-mini-4k")
    assert verdicts._most(spec, 2) == verdicts._most(spec)
    assert judged()["answers_and_contexts_need_memory"].verdict == "holds with limits"


def test_training_intensity_by_hand():
    """Llama 3 8B: three forward passes over 8,192 tokens, 34 bytes a weight; the ridge is 295.2."""
    spec = cohort.model("llama-3-8b")
    flops = 3 * 8192 * (2 * 7_504_658_432 + 4 * 4096 * 32 * 8193 / 2)
    expected = flops / (34 * spec.parameters) / (989e12 / 3350e9)
    found = cohort.chapters.serving_roofline.tables.phases("llama-3-8b", "H100 SXM 80GB", 1, 7168, 1024).loc[
        "training"
    ]
    assert found["intensity"] / found["ridge"] == pytest.approx(expected, rel=1e-12)


def test_grades_follow_the_numbers(monkeypatch):
    """With dense models of full attention alone, training is compute-bound without limits."""
    dense = [cohort.model(name) for name in ("llama-2-7b", "llama-2-13b")]
    monkeypatch.setattr(verdicts, "_cohort", lambda: dense)
    assert verdicts._training().verdict == "holds"
    assert verdicts._memory().verdict == "holds"
