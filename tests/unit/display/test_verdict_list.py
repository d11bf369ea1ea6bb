"""Claims with their verdicts, as readers see them."""

import pytest

from cohort.chapters.judging import VERDICTS, Judgement
from cohort.display.verdict_list import MARKS, Verdict, VerdictList


def test_every_verdict_has_a_mark():
    assert set(MARKS) == set(VERDICTS)
    assert len(set(MARKS.values())) == len(MARKS)


def test_a_list_shows_the_mark_the_claim_the_number_and_what_it_counts_before_the_rule():
    rule = "share of the cache; holds from 50%"
    verdict = Verdict("Attention is hungry.", "holds with limits", "53.3%", rule, anchor="verdict-hungry")
    shown = VerdictList([verdict])._repr_html_()
    assert '<li class="verdict holds-with-limits" id="verdict-hungry">' in shown
    assert "<strong>Attention is hungry.</strong>" in shown
    assert "holds with limits: 53.3%" in shown
    assert "<details><summary>Share of the cache.</summary><p>Holds from 50%.</p></details>" in shown
    line = "◐ Attention is hungry. holds with limits: 53.3%. Share of the cache. Holds from 50%."
    assert repr(VerdictList([verdict])) == line


def test_how_firm_a_verdict_is_stands_behind_the_rule():
    verdict = Verdict("It is.", "holds", "1", "count; holds from 1", "under half its bar: holds")
    assert "<p>Holds from 1.</p><p>Under half its bar: holds.</p>" in VerdictList([verdict])._repr_html_()
    assert repr(VerdictList([verdict])).endswith(" Holds from 1. Under half its bar: holds.")


def test_what_a_number_counts_ends_with_its_sentence():
    verdict = Verdict(
        "It is.", "holds", "1", "a count of 3.5 GB. A paper says so; holds from 1. None does not."
    )
    assert verdict.measure == "A count of 3.5 GB."
    assert verdict.why == ("A paper says so; holds from 1. None does not.",)


def test_a_rule_of_one_part_leaves_no_empty_sentence():
    verdict = Verdict("It is.", "holds", "1", "a count.")
    assert (verdict.measure, verdict.why) == ("A count.", ())


def test_a_name_runs_no_script():
    shown = VerdictList([Verdict("<script>alert(1)</script>", "holds", "1 <b>", "<i>")])._repr_html_()
    assert "<script>" not in shown and "<b>" not in shown and "<i>" not in shown


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (2047, "tokens", "2,047 tokens"),
        (53.34, "percent", "53.3%"),
        (0.0456, "times", "0.0456 times"),
        (1.0, "exponent", "an exponent of 1"),
        (0.0176, "ratio", "a ratio of 0.0176"),
        (162_000_000_000, "tokens", "162 billion tokens"),
    ],
)
def test_a_number_is_written_with_its_unit(value, unit, text):
    assert Judgement("any", "holds", value, unit, "").found == text
