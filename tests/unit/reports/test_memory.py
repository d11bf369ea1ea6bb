"""What `cohort memory` shows."""

import json

import pytest
from click.testing import CliRunner

from cohort.cli import main
from cohort.reports.memory import memory_lines, serving_sheet, training_sheet


def run(*arguments):
    return CliRunner().invoke(main, ["memory", *arguments])


@pytest.mark.parametrize(
    "arguments", [["llama-3-8b"], ["deepseek-v3.2", "--devices", "8"], ["llama-3-8b", "--train", "qlora"]]
)
def test_one_screen(arguments):
    lines = run(*arguments).output.splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80


def test_json_has_the_parts_of_the_usable_memory():
    sheet = json.loads(run("llama-3-8b", "--context", "8192", "--json").output)
    assert sum(sheet["parts"].values()) + sheet["free"] == sheet["usable"]
    assert sheet == serving_sheet("llama-3-8b", "H100 SXM 80GB", context=8192)


def test_what_does_not_fit_says_why():
    shown = run("llama-3-70b").output
    assert "does not fit" in shown
    assert "can be used" in " ".join(shown.split())


def test_a_context_beyond_the_offer_is_said():
    assert "beyond it" in run("llama-3-8b", "--context", "9000").output


def test_training_with_and_without_recomputation():
    sheet = training_sheet("llama-3-8b", "H100 SXM 80GB", devices=8, batch=4, train="full")
    assert sheet["peak_with_recomputation"] < sheet["peak"]
    assert "peak" in "\n".join(memory_lines(sheet))


@pytest.mark.parametrize(
    "bad",
    [
        ["no-such-model"],
        ["llama-3-8b", "--weight-dtype", "fp9"],
        ["llama-3-8b", "--train", "x"],
        ["llama-3-8b", "-a", "H1"],
    ],
)
def test_bad_requests_are_one_line(bad):
    result = run(*bad)
    assert result.exit_code != 0
    assert "Traceback" not in result.output
