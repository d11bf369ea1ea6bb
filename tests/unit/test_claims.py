"""The verdicts: each rests on a number, and the rules give every grade."""

import pytest

import cohort
from cohort import claims, facts
from cohort.claims import Judgement, graded
from cohort.errors import CohortError

JUDGED = {each.claim: each for each in claims.judge_cohort()}


def test_every_judged_claim_is_in_the_ledger_under_its_chapter():
    ledger = {row["claim"]: row for row in facts.rows("claims")}
    assert {ledger[claim]["chapter"] for claim in JUDGED} == {"the_cohort"}


@pytest.mark.parametrize(
    ("claim", "verdict", "value"),
    [
        ("rope_everywhere", "holds", 14),
        ("rmsnorm_almost_everywhere", "holds with limits", 11),
        ("swiglu_in_most", "holds", 12),
        ("four_of_the_cohort", "holds", 4),
        ("same_size_more_tokens", "holds", 7.5),
        ("more_parameters_fewer_tokens", "holds", 0.8),
        ("arctic_reports_no_mmlu", "does not hold", 67.3),
    ],
)
def test_known_verdicts(claim, verdict, value):
    assert (JUDGED[claim].verdict, JUDGED[claim].value) == (verdict, pytest.approx(value, rel=1e-9))


def test_the_post_was_five_times_too_low_on_compute():
    derived = 6 * cohort.model("llama-2-7b").parameters * 2e12
    assert derived / 1.6e22 == pytest.approx(5.05, rel=0.01)
    assert JUDGED["training_compute_estimated"].value == pytest.approx(5.91, rel=0.01)
    assert JUDGED["training_compute_estimated"].verdict == "does not hold"


@pytest.mark.parametrize(
    ("share", "verdict"),
    [
        (1, "holds"),
        (0.9, "holds"),
        (0.89, "holds with limits"),
        (0.5, "holds with limits"),
        (0.1, "does not hold"),
    ],
)
def test_grades(share, verdict):
    assert graded(share, holds=0.9, limits=0.5) == verdict


def test_a_record_carries_verdict_and_number():
    recorded = claims.records([JUDGED["rope_everywhere"]])
    assert recorded == {"verdict_rope_everywhere": "holds", "models_with_rope": (14, "models")}


def test_only_the_four_verdicts_exist():
    with pytest.raises(CohortError, match="'probably' is no verdict"):
        Judgement("rope_everywhere", "probably", 1, "models")


def test_changed_data_change_the_verdict(monkeypatch):
    rows = facts.rows("model_facts")
    for row in rows:
        if (row["model"], row["field"]) in {(m, "positional_encoding") for m in ("dbrx", "gemma-7b")}:
            row["value"] = "ALiBi"
    original = facts.rows
    monkeypatch.setattr(facts, "rows", lambda table: rows if table == "model_facts" else original(table))
    changed = {each.claim: each for each in claims.judge_cohort()}
    assert (changed["rope_everywhere"].verdict, changed["rope_everywhere"].value) == ("holds with limits", 12)
