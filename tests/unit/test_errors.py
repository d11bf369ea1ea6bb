"""Messages: one line, what was given, what is allowed, the nearest match."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cohort import errors
from cohort.errors import (
    CohortError,
    ParameterError,
    UnknownNameError,
    bounded,
    integer,
    nearest,
    one_of,
    positive,
    shown,
    unknown,
)


def test_nearest_ignores_case_and_finds_parts():
    names = ["llama-3-8b", "llama-3-70b", "mixtral-8x7b-v0.1"]
    assert nearest("Llama3-8B", names, 1) == ["llama-3-8b"]
    assert nearest("mixtral", names) == ["mixtral-8x7b-v0.1"]
    assert nearest("zzz", names) == []


@pytest.mark.parametrize("given", ["llama-3-8", 7, None, "", "x" * 10_000, "a\nb"])
def test_unknown_is_one_line(given):
    error = unknown("model", given, [f"model-{number}" for number in range(40)])
    assert isinstance(error, CohortError)
    assert "\n" not in str(error)
    assert len(str(error)) < 400


def test_few_names_are_all_listed():
    assert "known: a, b." in str(unknown("table", "q", ["a", "b"]))


class Unprintable:
    def __repr__(self) -> str:
        raise RuntimeError("no")


def test_shown_never_fails_and_stays_short():
    assert shown(10**5000) == "a value of type int"
    assert shown(Unprintable()) == "a value of type Unprintable"
    assert len(shown("x" * 1000)) == 80


@pytest.mark.parametrize("value", [True, 2.0, "2", None, float("nan"), 0, -1, 11])
def test_integer_refuses(value):
    with pytest.raises(ParameterError, match="context"):
        integer("context", value, 1, 10)


def test_integer_refuses_what_cannot_even_be_printed():
    with pytest.raises(ParameterError, match="context is a value of type int"):
        integer("context", 10**5000, 1, 10)


def test_integer_returns_what_it_allows():
    assert [integer("n", value, 1, 3) for value in (1, 2, 3)] == [1, 2, 3]


# A number is what Python and NumPy call a real one; a bool, text and what is in no order are none.
NO_NUMBERS = [True, np.bool_(True), "1", None, 1j, float("nan"), np.float64("nan"), [1.0], np.array([1.0])]
ONES = [1, 1.0, np.int64(1), np.uint8(1), np.float32(1), np.float64(1)]


@pytest.mark.parametrize("value", NO_NUMBERS, ids=repr)
def test_what_is_no_number_is_in_no_range(value):
    for check in (
        lambda: positive("share", value),
        lambda: bounded("share", value, -2, 2),
        lambda: bounded("share", value, -math.inf),
        lambda: integer("share", value, 0),
    ):
        with pytest.raises(ParameterError, match=r"^share is "):
            check()


@pytest.mark.parametrize("value", ONES, ids=repr)
def test_scalars_of_numpy_are_numbers_and_come_back_as_those_of_python(value):
    assert type(positive("n", value)) is type(bounded("n", value, 1, 1)) is float
    if not isinstance(value, float | np.floating):
        assert type(integer("n", value, 1, 1)) is int


@given(st.floats(-3, 3), st.booleans(), st.booleans())
def test_ends_belong_to_a_range_unless_they_are_left_out(value, above, below):
    inside = (-1 < value < 1) or (value == -1 and not above) or (value == 1 and not below)
    if inside:
        assert bounded("n", value, -1, 1, above=above, below=below) == value
    else:
        with pytest.raises(ParameterError, match="n is"):
            bounded("n", value, -1, 1, above=above, below=below)


@pytest.mark.parametrize(
    ("check", "message"),
    [
        (lambda: bounded("n", 3, 0, 2), "n is 3, but must be from 0 to 2"),
        (
            lambda: bounded("n", 3, 0, 2, "hours", above=True),
            "n is 3, but must be above 0 and at most 2 hours",
        ),
        (lambda: bounded("n", 3, 0, 2, below=True), "n is 3, but must be from 0 to below 2"),
        (
            lambda: bounded("n", 3, 0, 2, above=True, below=True),
            "n is 3, but must be above 0 and below 2",
        ),
        (lambda: bounded("n", -1, 0), "n is -1, but must be a finite number of at least 0"),
        (lambda: bounded("n", math.inf, 0), "n is inf, but must be a finite number of at least 0"),
        (lambda: positive("n", 0, "USD"), "n is 0, but must be a finite number above 0, in USD"),
        (lambda: positive("n", 10**400), "n is 1" + 78 * "0" + "…, but must be a finite number above 0"),
        (lambda: integer("n", 0, 1), "n is 0, but must be at least 1"),
        (lambda: integer("n", 1.5, 1), "n is 1.5, but must be an integer of at least 1"),
        (lambda: integer("n", 9, 1, 8, unit="rows"), "n is 9, but must be from 1 to 8 rows"),
        (lambda: integer("n", "9", 1, 8), "n is '9', but must be an integer from 1 to 8"),
    ],
)
def test_a_range_is_said_in_words(check, message):
    with pytest.raises(ParameterError) as raised:
        check()
    assert str(raised.value) == message


@pytest.mark.parametrize("name", ["c", 7, None, [], {}])
def test_one_of_refuses_any_other(name):
    assert one_of("table", "a", ("a", "b")) == "a"
    with pytest.raises(UnknownNameError, match="unknown table"):
        one_of("table", name, ("a", "b"))


def test_a_more_special_error_is_still_one_of_a_parameter():
    for kind in (errors.DoesNotFitError, errors.NotInDataError):
        assert issubclass(kind, ParameterError)
    assert not issubclass(errors.InfeasibleError, ParameterError)
