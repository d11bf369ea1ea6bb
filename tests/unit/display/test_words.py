"""Numbers as the sentences write them."""

import pytest

from cohort.display.words import binary, bullets, inflected, paragraphs, scaled, sentences


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.3671724, "0.367"),
        (478.2, "478"),
        (999_400, "999,000"),
        (999_999, "1 million"),
        (73.19e9, "73.2 billion"),
        (1.5e13, "15 trillion"),
        (-2e6, "-2 million"),
        (0, "0"),
    ],
)
def test_large_numbers_get_a_word(value, text):
    assert scaled(value) == text


def test_digits_can_be_asked_for():
    assert scaled(73.194e9, 4) == "73.19 billion"


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (1, "1 byte"),
        (512, "512 bytes"),
        (2560, "2.5 KiB"),
        (10 * 2**30, "10 GiB"),
        (2**30 - 1, "1,020 MiB"),
        (3 * 2**40, "3 TiB"),
        (0, "0 bytes"),
    ],
)
def test_memory_is_written_in_the_largest_unit_that_it_fills(size, text):
    assert binary(size) == text


def test_a_word_follows_its_number():
    assert [inflected(number, "lies", "lie") for number in (0, 1, 2)] == ["lie", "lies", "lie"]


def test_empty_sentences_leave_nothing_behind():
    assert sentences("", "One.", "", "Two.") == "One.\nTwo."
    assert paragraphs("One.", "", "Two.\nThree.") == "One.\n\nTwo.\nThree."
    assert sentences() == paragraphs("") == ""


def test_a_list_leaves_out_what_is_empty():
    assert bullets("One.", "", "Two.") == "- One.\n- Two."
    assert bullets() == ""
