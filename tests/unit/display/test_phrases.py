"""Phrases around numbers: one and many, none and all, the smallest and the largest."""

import pytest

from cohort.display.phrases import among, amount, power_of_ten, then
from cohort.display.words import scaled, significant


@pytest.mark.parametrize(
    ("value", "said"),
    [(0.0, "0"), (1.0, "1"), (123456.0, "123,000"), (1e6, "10⁶"), (2e-5, "2 × 10⁻⁵"), (3.8e25, "3.8 × 10²⁵")],
)
def test_powers_of_ten(value, said):
    assert power_of_ten(value) == said


def test_one_of_one_is_the_one():
    assert among(1, 1, "line") == "the one line"
    assert among(0, 1, "line") == "no lines"
    assert among(2, 2000, "line") == "2 of 2,000 lines"


def test_an_amount_takes_the_plural_of_what_is_written():
    assert [amount(value, "day") for value in (1, 1.0001, 0.99, 0.0, 9993.4)] == [
        "1 day", "1 day", "0.99 days", "0 days", "9,990 days",
    ]  # fmt: skip


def test_what_does_not_change_is_said_once():
    assert then(2, 2.2) == "2 at both"
    assert then(2, 6) == "2 and then 6"


@pytest.mark.parametrize("value", [1e-12, -3e-7, 1.8e-5, 1e10, 4.25e15, -0.0, 0.04996])
def test_numbers_are_written_out(value):
    assert "e" not in significant(value)
    assert float(significant(value).replace(",", "")) == pytest.approx(value, rel=6e-3)
    assert not significant(value).startswith("-0") or value < 0


def test_large_numbers_have_words():
    assert scaled(1e18) == "1 quintillion"
    assert scaled(15.1e15) == "15.1 quadrillion"
    assert scaled(9.9996e14) == "1 quadrillion"
