"""Claims with their verdicts, as readers see them."""

import pytest

from cohort.chapters.judging import VERDICTS, Judgement
from cohort.display.verdict_list import MARKS, Verdict, VerdictList


def test_every_verdict_has_a_mark():
    assert set(MARKS) == set(VERDICTS)
    assert len(set(MARKS.values())) == len(MARKS)


def test_a_list_shows_the_mark_the_claim_the_number_and_the_rule_behind_a_line():
    verdict = Verdict("Attention is hungry.", "holds with limits", "53.3%", "holds from 50%")
    shown = VerdictList([verdict])._repr_html_()
    assert '<li class="verdict holds-with-limits">' in shown
    assert "<strong>Attention is hungry.</strong>" in shown
    assert "holds with limits: 53.3%" in shown
    assert "<details><summary>" in shown and "<p>holds from 50%</p>" in shown
    assert repr(VerdictList([verdict])) == "◐ Attention is hungry. holds with limits: 53.3%; holds from 50%"


def test_how_firm_a_verdict_is_stands_behind_the_rule():
    verdict = Verdict("It is.", "holds", "1", "holds from 1", "under half its bar: holds")
    assert "<p>holds from 1</p><p>under half its bar: holds</p>" in VerdictList([verdict])._repr_html_()
    assert repr(VerdictList([verdict])).endswith("; holds from 1; under half its bar: holds")


def test_a_name_runs_no_script():
    shown = VerdictList([Verdict("<script>alert(1)</script>", "holds", "1 <b>", "<i>")])._repr_html_()
    assert "<script>" not in shown and "<b>" not in shown and "<i>" not in shown


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [(2047, "tokens", "2,047 tokens"), (53.34, "percent", "53.3%"), (0.0456, "times", "0.0456 times")],
)
def test_a_number_is_written_with_its_unit(value, unit, text):
    assert Judgement("any", "holds", value, unit, "").found == text
