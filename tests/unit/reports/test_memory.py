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


@pytest.mark.parametrize(
    ("source", "stored", "engine"),
    [
        ("Qwen/Qwen3-32B-AWQ", "awq", "vllm"),
        ("unsloth/Qwen3-14B-GGUF:Q4_K_M", "Q4_K_M", "llama.cpp"),
        ("unsloth/Qwen3-14B-GGUF", "Q4_K_M", "llama.cpp"),
        ("Qwen/Qwen3-8B-FP8", "fp8", "vllm"),
        ("unsloth/llama-3-8b-bnb-4bit", "nf4", "vllm"),
        ("openai/gpt-oss-20b", "mxfp4", "vllm"),
        ("meta-llama/Llama-3.1-8B-Instruct", "bf16", "vllm"),
        ("Qwen/Qwen2.5-32B-Instruct-GPTQ-Int4", "gptq", "vllm"),
    ],
)
def test_weights_are_stored_as_the_name_says(source, stored, engine):
    sheet = serving_sheet(source, "H100 SXM 80GB", context=4096)
    assert (sheet["what"].split(", ")[1], sheet["engine"]) == (f"weights {stored}", engine)


def test_a_type_that_is_asked_for_stands_above_the_name():
    sheet = serving_sheet("Qwen/Qwen3-32B-AWQ", "H200", context=4096, weight_dtype="bf16")
    assert "weights bf16" in sheet["what"]


@pytest.mark.parametrize(
    ("asked", "options"),
    [
        (["llama-3.1-8b", "-a", "RTX 4090"], ["--context", "--kv-dtype", "--weight-dtype", "--devices"]),
        (
            ["qwen3-32b", "-a", "H100 SXM 80GB"],
            ["--share", "--context", "--kv-dtype", "--weight-dtype", "--devices"],
        ),
        # An A100 multiplies nothing in fp8, and engines hold no cache in it there.
        (
            ["qwen2.5-32b", "-a", "A100 SXM 80GB", "--batch", "9"],
            ["--context", "--weight-dtype", "--devices"],
        ),
        # A T4 multiplies neither fp8 nor bf16.
        (["llama-3.1-8b", "-a", "T4"], ["--weight-dtype", "--devices"]),
        # Its weights have four bits already.
        (["gpt-oss-20b", "-a", "L4", "--batch", "16"], ["--context", "--kv-dtype", "--devices"]),
        (
            ["qwen3-14b", "-a", "RTX 3090", "--weight-dtype", "Q8_0", "--batch", "2"],
            ["--context", "--kv-dtype", "--weight-dtype", "--devices"],
        ),
        (["llama-3-70b", "-a", "H100 SXM 80GB", "--kv-dtype", "fp8"], ["--weight-dtype", "--devices"]),
    ],
)
def test_what_would_fit_does(asked, options):
    """Each way that is named is taken, and fits; none asks for what is no help."""
    sheet = json.loads(run(*asked, "--json").output)
    assert [way.split()[0] for way in sheet["try"]] == options
    assert len(run(*asked).output.splitlines()) <= 24
    for way in sheet["try"]:
        then = json.loads(run(*asked, *way.split(), "--json").output)
        assert then["free"] >= 0 and then["try"] == [], way


def test_what_would_let_a_step_of_training_fit_does():
    training = training_sheet("llama-3-70b", "RTX 3090", devices=2, train="qlora")["try"]
    for way in training:
        shown = run("llama-3-70b", "-a", "RTX 3090", "--devices", "2", "--train", "qlora", *way.split())
        assert "fits with recomputation" in shown.output
    assert serving_sheet("qwen3-8b", "RTX 4090", context=4096)["try"] == []


def test_a_context_in_thousands():
    assert run("qwen3-8b", "--context", "32k").output == run("qwen3-8b", "--context", "32,768").output
    assert "'3q' is no number of tokens such as 8192 or 32k" in run("qwen3-8b", "--context", "3q").output


def test_the_version_of_the_engine_and_its_share_can_be_set():
    old = json.loads(run("qwen3-8b", "--engine-version", "0.19.1", "--json").output)
    new = json.loads(run("qwen3-8b", "--share", "0.5", "--json").output)
    assert old["engine"] == "vllm 0.19.1"
    assert (old["usable"] / new["usable"]) == pytest.approx(0.9 / 0.5)


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
