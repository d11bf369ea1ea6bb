"""say and record: what they display, what they refuse, and what is read back."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from synthetic import code, make, output

from cohort.display import say
from cohort.display.words import counted, ranged
from cohort.errors import NotebookError, ParameterError
from cohort.runner import record
from cohort.runner.records import MIME, make_record, read_record


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What is displayed, in place of a front end."""
    bundles: list[dict[str, Any]] = []
    monkeypatch.setattr("IPython.display.display", lambda bundle, raw: bundles.append(bundle))
    return bundles


def test_say_displays_markdown(shown: list[dict[str, Any]]) -> None:
    say("""
        The cache takes **4 GiB**.
          - indented
    """)
    words = "The cache takes **4 GiB**.\n  - indented"
    assert shown == [{"text/markdown": words, "text/plain": words}]


@pytest.mark.parametrize("nothing", ["", "  \n", None, 3])
def test_say_refuses_what_is_no_sentence(nothing: Any) -> None:
    with pytest.raises(ParameterError, match="takes Markdown text"):
        say(nothing)


def test_record_displays_types_a_table_and_text(shown: list[dict[str, Any]]) -> None:
    record(kv_cache=(1.5, "GiB"), layers=32, name="a < b", gated=True)
    (bundle,) = shown
    assert bundle[MIME] == {
        "kv_cache": {"value": 1.5, "unit": "GiB"},
        "layers": {"value": 32, "unit": None},
        "name": {"value": "a < b", "unit": None},
        "gated": {"value": True, "unit": None},
    }
    assert '<table class="dataframe">' in bundle["text/html"]
    assert '<th scope="row">kv_cache</th><td>1.5</td><td>GiB</td>' in bundle["text/html"]
    assert "<td>a &lt; b</td>" in bundle["text/html"]
    assert bundle["text/plain"].splitlines()[0] == "kv_cache: 1.5 GiB"


@pytest.mark.parametrize(
    ("given", "value"),
    [
        (np.float64(2.5), 2.5),
        (np.float32(0.5), 0.5),
        (np.int64(7), 7),
        (np.bool_(True), True),
        (np.str_("a"), "a"),
        (np.array(3.0), 3.0),
        ([np.int64(1), 2], [1, 2]),
        (6 * 405 * 10**9 * 15 * 10**12, 36450000000000000000000000),
        ([], []),
    ],
)
def test_values_are_recorded_as_plain_python(given: Any, value: Any) -> None:
    entry = make_record({"x": (given, "tokens")})["x"]
    assert entry == {"value": value, "unit": "tokens"}
    assert type(entry["value"]) is type(value)
    assert json.loads(json.dumps(entry)) == entry


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({}, "at least one result"),
        ({"kv cache": 1}, "'kv cache'"),
        ({"x": float("nan")}, "x is nan, and only finite"),
        ({"x": (np.inf, "GiB")}, "x is inf, and only finite"),
        ({"x": [1.0, float("-inf")]}, "x is -inf"),
        ({"x": None}, "x is None of type NoneType"),
        ({"x": {"a": 1}}, "of type dict"),
        ({"x": (1, 2, 3)}, "of type tuple"),
        ({"x": np.zeros(3)}, "of type ndarray"),
        ({"x": [[1]]}, "of type list"),
        ({"x": (1, 2)}, "the unit of x is 2"),
        ({"x": (1, " ")}, "the unit of x is ' '"),
    ],
)
def test_what_cannot_be_recorded_is_refused(values: dict[str, Any], reason: str) -> None:
    with pytest.raises(ParameterError) as raised:
        record(**values)
    assert reason in str(raised.value)


def test_records_are_read_back_from_every_cell() -> None:
    entries = make_record({"a": 1, "b": (2.0, "GiB")})
    first, second = code("record(a=1)"), code("record(b=(2.0, 'GiB'))")
    first["outputs"] = [output({MIME: {"a": entries["a"]}})]
    second["outputs"] = [output({"text/plain": "x"}), output({MIME: {"b": entries["b"]}})]
    assert read_record(make(first, second)) == entries
    assert read_record(make(code("1"))) == {}


def test_a_name_recorded_twice_is_refused() -> None:
    cell = code("record(a=1)")
    cell["outputs"] = [output({MIME: dict(make_record({"a": 1}))})]
    with pytest.raises(NotebookError, match="records 'a' twice"):
        read_record(make(cell, cell))


def test_a_notebooks_imports_stay_cheap() -> None:
    program = (
        "import sys, cohort.runner.records, cohort.display.words\n"
        "from cohort.display import say\nfrom cohort.runner import record\n"
        "assert callable(record) and callable(say)\n"
        "slow = {'papermill', 'nbformat', 'IPython', 'yaml', 'click', 'numpy', 'json'} & set(sys.modules)\n"
        "assert not slow, slow"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_the_package_offers_what_it_lists() -> None:
    import cohort.runner

    for name in cohort.runner.__all__:
        assert callable(getattr(cohort.runner, name))
    assert dir(cohort.runner) == cohort.runner.__all__
    with pytest.raises(AttributeError, match="has no attribute 'glue'"):
        _ = cohort.runner.glue


def test_a_long_list_is_shown_in_part_and_recorded_whole(capsys):
    values = list(range(1000, 1010))
    record(contexts=(values, "tokens"))
    assert "contexts: 1,000, 1,001, 1,002, 1,003, … (10 values) tokens" in capsys.readouterr().out
    assert make_record({"contexts": (values, "tokens")})["contexts"]["value"] == values


def test_numbers_with_their_nouns_and_ranges() -> None:
    assert [counted(number, "model") for number in (0, 1, 1500)] == ["0 models", "1 model", "1,500 models"]
    assert counted(2, "query", "queries") == "2 queries"
    assert (ranged(3.82, 478.6), ranged(8.01, 8.04), ranged(-1, 2, "+.0f")) == (
        "3.8 to 478.6",
        "8.0",
        "-1 to +2",
    )
