"""One model on one screen: known sizes, what holds it, and never more than a screen."""

import json
import shutil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reading import DATA
from rows import each_of

import cohort
from cohort.errors import LONGEST, CohortError, ConfigError, ParameterError, UnknownNameError
from cohort.reports.sheets import HEIGHT, TYPES, WIDEST, WIDTH, model_sheet, sheet_lines, show_model
from cohort.serving import largest_concurrency
from cohort.serving.memory import memory_budget


def text(source: str, context: int = 8192) -> str:
    return "\n".join(sheet_lines(model_sheet(source, context)))


def test_a_sheet_by_hand():
    """Llama 3 8B: 32 layers of 8 heads of keys and values of 128, in 2 bytes: 131,072 a token."""
    sheet = model_sheet("llama-3-8b", 8192)
    assert (sheet["parameters"], sheet["active_parameters"]) == (8_030_261_248, 8_030_261_248)
    assert (sheet["layers"], sheet["hidden"], sheet["vocabulary"]) == (32, 4096, 128_256)
    assert (sheet["heads"], sheet["kv_heads"], sheet["attention"], sheet["experts"]) == (32, 8, "GQA", None)
    assert (sheet["cache_bytes"], sheet["cache_bytes_per_token"]) == (2**30, 131_072)
    assert sheet["cache_is_linear"] is True
    sizes = {dtype: found["bytes"] for dtype, found in sheet["weights"].items()}
    assert sizes["bf16"] == 16_060_522_496 + 2**21  # rotary tables of 8,192 positions
    assert sheet["facts"]["released"]["value"] == "2024-04-18"
    assert sheet["facts"]["offered context"]["source"]


def test_embedding_and_head_keep_two_bytes_where_the_layers_take_fewer():
    """1.05 billion weights of Llama 3 8B; the rest takes one byte, or 4 bits and 20 for each 128 weights."""
    sizes = {dtype: found["bytes"] for dtype, found in model_sheet("llama-3-8b")["weights"].items()}
    kept = 2 * 128_256 * 4096 + 65 * 4096
    assert sizes["fp8"] == pytest.approx(2 * kept + (8_030_261_248 - kept), rel=1e-3)
    assert sizes["int4"] == pytest.approx(2 * kept + (8_030_261_248 - kept) * (4 + 20 / 128) / 8, rel=1e-3)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("name", ["gemma-3-1b", "deepseek-v3", "gpt-oss-20b"])
def test_weights_take_what_the_memory_command_says(name, dtype):
    told = memory_budget(name, "H200", context=8192, weight_dtype=dtype).weight_bytes
    assert model_sheet(name)["weights"][dtype]["bytes"] == told


def test_the_type_of_the_release_is_said_and_counted():
    """gpt-oss 20B is published as 13.76 GB; an engine pads the width of its experts from 2,880 to 3,072."""
    sheet = model_sheet("gpt-oss-20b")
    assert (sheet["released_in"], list(sheet["weights"])) == ("mxfp4", [*TYPES, "mxfp4"])
    assert 13.76e9 < sheet["weights"]["mxfp4"]["bytes"] < 13.76e9 * 3072 / 2880
    assert "stored in       mxfp4, as released" in text("gpt-oss-20b")
    assert (model_sheet("deepseek-v3")["released_in"], model_sheet("llama-3-8b")["released_in"]) == (
        "fp8",
        None,
    )


def test_sixteen_gigabytes_and_a_gibibyte_fit_into_24_less_a_tenth_but_not_into_16():
    """17.1 of 0.9 x 24 = 21.6 GB on one A10; of 14.4 on one TPU v5e of 16 GB not, on two."""
    devices = model_sheet("llama-3-8b", 8192)["weights"]["bf16"]["devices"]
    assert (devices["A10"], devices["TPU v5e"], devices["H100 SXM 80GB"]) == (1, 2, 1)


def test_405_billion_in_fp8_need_a_node_of_h100_and_in_bf16_more():
    """812, 406 and 228 GB, of 72 each in a node of 8."""
    sheet = model_sheet("llama-3.1-405b", 8192)["weights"]
    counts = [sheet[dtype]["devices"].get("H100 SXM 80GB") for dtype in TYPES]
    assert counts == [None, 8, 4]
    assert "A10" not in sheet["bf16"]["devices"]


@pytest.mark.parametrize("name", ["llama-3-70b", "mixtral-8x7b-v0.1", "deepseek-v3.2", "qwen3-next-80b-a3b"])
@pytest.mark.parametrize("dtype", TYPES)
def test_the_least_number_holds_one_sequence_and_half_of_it_none(name, dtype):
    sequence = {"input_tokens": 8191, "output_tokens": 1, "weight_dtype": dtype, "kv_dtype": "bf16"}
    found = model_sheet(name, 8192)["weights"][dtype]["devices"]
    assert found
    for device, count in found.items():
        assert 1 <= count <= WIDEST and count & (count - 1) == 0
        assert largest_concurrency(name, device, count, **sequence) >= 1
        assert count == 1 or largest_concurrency(name, device, count // 2, **sequence) == 0


def test_a_sheet_says_what_a_reader_asks():
    told = text("deepseek-v3.2", 131_072)
    for words in ("(672 billion), 38.4 billion active", "8 of 256, 1 shared", "at 131,072 tokens", "MLA"):
        assert words in told
    assert "GQA, window 4,096 in 23 of 46 layers" in text("gemma-2-27b")
    assert "bytes a token on average" in text("gemma-2-27b", 16_384)
    assert "on average" not in text("llama-3-8b")


def test_what_the_name_says_beyond_the_model_is_said():
    assert sheet_lines(model_sheet("google/gemma-2-27b-it-FP8"))[1] == "  left out of the name: it, FP8"
    assert sheet_lines(model_sheet("gemma-2-27b"))[1] == ""


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(st.sampled_from(cohort.models()), st.integers(1, 10**9), st.sampled_from(["", "-Instruct-GPTQ-Int4"]))
def test_a_sheet_is_one_screen(name, context, ending):
    lines = sheet_lines(model_sheet(name + ending, context))
    assert len(lines) <= HEIGHT == 24
    assert max(map(len, lines)) <= WIDTH == 80
    assert all(line.isprintable() and line == line.rstrip() for line in lines)


@pytest.mark.slow
@each_of("name", cohort.models())
def test_every_model_has_a_sheet_of_one_screen(name):
    sheet = model_sheet(name)
    lines = sheet_lines(sheet)
    assert len(lines) <= HEIGHT == 24 and max(map(len, lines)) <= WIDTH
    assert not any(line.endswith("…") for line in lines)
    assert json.loads(json.dumps(sheet)) == sheet
    assert sheet["active_parameters"] <= sheet["parameters"]
    for smaller, larger in (("int4", "fp8"), ("fp8", "bf16")):
        fewer, more = (sheet["weights"][dtype]["devices"] for dtype in (smaller, larger))
        assert set(more) <= set(fewer) and all(fewer[device] <= count for device, count in more.items())


def test_a_long_context_takes_no_fewer_devices():
    few, many = (model_sheet("llama-3-70b", context)["weights"]["fp8"]["devices"] for context in (1, 10**6))
    assert set(many) < set(few) and all(few[device] <= count for device, count in many.items())


def test_a_model_of_a_file(tmp_path, capsys):
    folder = tmp_path / ("my-model" * 20)
    folder.mkdir()
    shutil.copy(DATA / "configs" / "dbrx.json", folder / "config.json")
    sheet = model_sheet(str(folder))
    assert (sheet["registered"], sheet["facts"], sheet["notice"]) == (False, {}, "")
    assert sheet["parameters"] == cohort.model("dbrx").parameters
    show_model(str(folder), 8192, as_json=False)
    told = capsys.readouterr().out.splitlines()
    assert told[0].startswith("my-model") and max(map(len, told)) <= WIDTH
    show_model(str(folder / "config.json"), 8192, as_json=True)
    assert json.loads(capsys.readouterr().out) == sheet


@pytest.mark.parametrize(
    ("source", "context", "error"),
    [
        ("H100", 8192, UnknownNameError),
        ("", 8192, UnknownNameError),
        ("x" * 10_000, 8192, UnknownNameError),
        ("\x00\x1b[31m", 8192, UnknownNameError),
        ("./nowhere", 8192, ConfigError),
        ("llama-3-8b", 0, ParameterError),
        ("llama-3-8b", -1, ParameterError),
        ("llama-3-8b", 10**30, ParameterError),
        ("llama-3-8b", 8192.5, ParameterError),
        (None, 8192, CohortError),
        (7, 8192, CohortError),
    ],
    ids=range(11),
)
def test_what_cannot_be_shown_is_refused_in_short(source, context, error):
    with pytest.raises(error) as caught:
        model_sheet(source, context)
    assert len(str(caught.value)) <= LONGEST and str(caught.value).isprintable()
