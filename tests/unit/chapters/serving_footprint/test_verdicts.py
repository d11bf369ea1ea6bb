"""The verdicts on use: each number by another way, and rules that give every grade."""

from functools import cache
from typing import Any

import pytest

from cohort.chapters import judging
from cohort.chapters.serving_footprint import verdicts
from cohort.registry import facts


@cache
def judged() -> dict[str, Any]:
    return {each.claim: each for each in judging.judge("serving_footprint")}


def test_every_claim_of_the_chapter_is_judged():
    assert set(judged()) == {
        row["claim"] for row in facts.rows("claims") if row["chapter"] == "serving_footprint"
    }


@pytest.mark.parametrize(
    ("claim", "verdict", "value"),
    [
        ("serving_footprint_unreported", "holds with limits", 0.1712),
        # 0.969 kW for each, 1.10 for the data centre, 8,760 hours.
        ("a_million_h100", "cannot be known", 0.969 * 1.10 * 8760e6 / 1e9),
    ],
)
def test_known_verdicts(claim, verdict, value):
    assert (judged()[claim].verdict, judged()[claim].value) == (verdict, pytest.approx(value, rel=2e-3))
    assert judged()[claim].rule


def test_two_makers_state_the_emissions_of_an_answer():
    assert verdicts.makers() == {"Gemini Apps median prompt", "Mistral Large 2"}


def test_grades_follow_what_is_reported(monkeypatch):
    monkeypatch.setattr(verdicts, "makers", set)
    assert verdicts._unreported().verdict == "holds"
    monkeypatch.setattr(verdicts, "makers", lambda: {"Llama 3 70B"})
    assert verdicts._unreported().verdict == "does not hold"
