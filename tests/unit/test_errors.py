"""Messages: one line, what was given, what is allowed, the nearest match."""

import pytest

from cohort.errors import CohortError, ParameterError, integer, nearest, shown, unknown


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
