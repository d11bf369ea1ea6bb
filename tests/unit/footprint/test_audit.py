"""The audit: a rule that finds the rows that contradict themselves, and no honest one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cohort.footprint import audit
from cohort.footprint.audit import Published, checks, contradictions, estimates_apart, published_rows

ROWS = published_rows()
CHECKED = [each for each in checks() if each.recomputed]
# A zero cannot be raised, and what is found as it is need not be.
RAISED = [each for each in CHECKED if each.published.value and not each.contradicted]


def test_it_finds_the_rows_that_contradict_themselves_and_no_other() -> None:
    found = {(each.published.run, each.published.field, each.published.value) for each in contradictions()}
    assert found == {
        ("llama-3.3-70b", "co2e_t", 12.9),
        ("olmo-2-13b", "energy_kwh", 230000),
        ("phi-1.5", "accelerator_hours", 1500),  # its report; its card counts 6,144
    }


def test_llama_3_3_is_off_by_the_factor_of_its_sisters() -> None:
    (card,) = (each for each in contradictions() if each.published.run == "llama-3.3-70b")
    assert card.nearest == pytest.approx(
        2027, rel=0.03
    )  # at the factor of 405B alone; here the median of all
    assert 1 / card.factor == pytest.approx(157, rel=0.03)


def test_olmo_2_13b_is_found_by_its_energy_and_not_by_what_follows_from_it() -> None:
    (row,) = (each for each in contradictions() if each.published.run == "olmo-2-13b")
    assert [round(value) for _, value in row.recomputed] == [287840, 286932, 287742]
    same = {each.published.field: each for each in CHECKED if each.published.run == "olmo-2-13b"}
    ways = {field: dict(check.recomputed) for field, check in same.items()}
    assert ways["co2e_t"]["energy x grid factor"] == pytest.approx(81, abs=0.05)
    assert ways["water_l"]["energy x litres a kWh"] == pytest.approx(713e3)
    assert not same["co2e_t"].contradicted
    assert not same["water_l"].contradicted


def test_honest_rows_agree_within_three_percent() -> None:
    honest = [each for each in CHECKED if not each.contradicted and each.published.field != audit.ESTIMATE]
    assert len(honest) > 45
    assert all(abs(each.factor - 1) < 0.031 for each in honest)
    # Where hours, power, PUE and grid are all printed, the rounding is all that is left.
    printed = [
        each
        for each in honest
        if "other cards" not in each.recomputed[0][0] and each.published.field != "mfu"
    ]
    assert len(printed) > 35
    assert all(abs(each.factor - 1) < 0.016 for each in printed)


def test_estimates_from_outside_are_listed_apart() -> None:
    assert {each.published.run for each in estimates_apart()} == {"llama-3-70b", "deepseek-v3", "BLOOM 176B"}


@pytest.mark.parametrize("each", RAISED, ids=lambda check: f"{check.published.run} {check.published.field}")
def test_a_changed_row_is_found(each: audit.Check, monkeypatch: pytest.MonkeyPatch) -> None:
    """Done for real: one printed value is raised by half, and the audit has to name it."""
    wrong = replace(each.published, value=1.5 * each.published.value)
    monkeypatch.setattr(
        audit, "published_rows", lambda: [wrong if row == each.published else row for row in ROWS]
    )
    assert wrong in {found.published for found in checks() if found.contradicted}


def test_a_rounding_is_not_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def rounded(row: Published) -> Published:
        return replace(row, value=float(f"{row.value:.2g}")) if row.field == "co2e_t" else row

    before = {each.published.run for each in contradictions()}
    monkeypatch.setattr(audit, "published_rows", lambda: [rounded(row) for row in ROWS])
    assert {each.published.run for each in contradictions()} == before


def test_what_is_alone_is_not_judged() -> None:
    alone = [each for each in checks() if not each.recomputed]
    assert {"Gemma 2B and 7B", "Mistral Large 2"} <= {each.published.run for each in alone}
    assert all(each.factor is None and not each.contradicted for each in alone)


def test_what_was_derived_for_the_data_is_no_publication() -> None:
    assert "derived" not in {each.published.status for each in checks()}
