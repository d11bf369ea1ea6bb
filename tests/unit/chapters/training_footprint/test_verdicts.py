"""The verdicts on the footprint of training: each number by another way."""

from functools import cache
from statistics import median
from typing import Any

import pytest

from cohort.chapters import judging
from cohort.chapters.training_footprint import tables, verdicts
from cohort.footprint import audit, yardsticks
from cohort.registry import facts


@cache
def judged() -> dict[str, Any]:
    return {each.claim: each for each in judging.judge("training_footprint")}


def test_every_claim_of_the_chapter_is_judged():
    assert set(judged()) == {
        row["claim"] for row in facts.rows("claims") if row["chapter"] == "training_footprint"
    }


@pytest.mark.parametrize(
    ("claim", "verdict", "value"),
    [
        ("training_near_full_utilisation", "does not hold", 31.47),
        ("meta_reports_footprint", "holds", 31.22 + 62.44 + 291.42 + 390 + 1900),
        ("footprint_rarely_reported", "holds", 0),
        ("offsets_are_not_enough", "holds", 3.826),
        ("making_pollutes", "holds", 6),  # of 16 kinds of impact, Falk et al.
        ("capture_plant", "does not hold", 11390 / 600),
        ("tonne_for_a_person", "holds with limits", 365.25 / 6.5),
    ],
)
def test_known_verdicts(claim, verdict, value):
    assert (judged()[claim].verdict, judged()[claim].value) == (verdict, pytest.approx(value, rel=1e-2))
    assert judged()[claim].rule


def test_utilisation_is_the_median_of_whole_runs():
    assert judged()["training_near_full_utilisation"].value == pytest.approx(
        100 * median(tables.utilisations()["mfu"])
    )
    assert "56%" in judged()["training_near_full_utilisation"].rule


def test_a_contradicted_card_is_no_report(monkeypatch):
    wrong = next(
        each
        for each in audit.checks()
        if (each.published.run, each.published.field) == ("llama-2-7b", "co2e_t")
    )
    monkeypatch.setattr(audit, "contradictions", lambda: [wrong])
    found = verdicts._meta()
    assert (found.verdict, found.value) == ("holds with limits", pytest.approx(2643.86))


def test_a_plant_that_works_as_designed_would_hold(monkeypatch):
    def given(name):
        return 36000.0 if name != "Mammoth, realistic year, low" else 30000.0

    for module in (verdicts, yardsticks):
        monkeypatch.setattr(module, "yardstick", given)
    found = verdicts._plant()
    assert (found.verdict, found.value) == ("holds", pytest.approx(11390 / 36000))


def test_full_reports_would_change_the_verdict(monkeypatch):
    monkeypatch.setattr(verdicts, "_rows", lambda model: dict.fromkeys(verdicts.ALL_FOUR, "1"))
    found = verdicts._all_four()
    assert (found.verdict, found.value) == ("does not hold", 14)
