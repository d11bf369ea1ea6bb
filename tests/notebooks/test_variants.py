"""The chapters under other parameters: whole sentences, no missing numbers, whatever is asked."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cohort.book import execute, read_record
from cohort.errors import CohortError
from cohort.facts import config_path

ROOT = Path(__file__).parents[2]


def said(notebook: dict) -> str:
    """Return everything that a notebook says."""
    return "\n".join(
        output["data"]["text/markdown"]
        for cell in notebook["cells"]
        for output in cell.get("outputs", ())
        if "text/markdown" in output.get("data", {})
    )


@pytest.mark.parametrize(
    ("parameters", "models"),
    [
        ({"models": ["mine.json"], "beside": []}, 1),
        ({"models": ["gpt2-xl"], "beside": ["command-r-v01", "dbrx"], "benchmark": "MATH", "context": 1}, 3),
        ({"models": ["dbrx"], "beside": ["deepseek-v2"], "benchmark": "GPQA", "bytes_per_element": 0.5}, 2),
    ],
    ids=["a config of one's own", "one mixture among dense models", "mixtures only"],
)
def test_the_cohort_says_whole_sentences(tmp_path: Path, parameters: dict, models: int) -> None:
    (tmp_path / "mine.json").write_text(Path(config_path("dbrx")).read_text(encoding="utf-8"), encoding="utf-8")
    executed = execute(ROOT / "notebooks" / "the_cohort.ipynb", parameters, cwd=tmp_path)
    words = said(executed)
    assert not re.search(r"\b(?:nan|inf|NaT)\b|\bNone\b(?! of )|\(\)", words)
    assert not re.search(r"\b(?:1 models|1 tokens)\b", words)
    assert len(read_record(executed)["total_parameters"]["value"]) == models


@pytest.mark.parametrize(
    ("parameters", "models"),
    [
        ({"model": "mixtral-8x7b-v0.1", "context": 65536}, 21),
        ({"model": "mine.json", "models": ["mine.json"], "context": 1}, 1),
        ({"model": "mistral-7b-v0.1", "models": ["mistral-7b-v0.1"], "dtype": "int4", "batch": 64}, 1),
        ({"model": "minimax-text-01", "models": ["qwen3-next-80b-a3b", "deepseek-v3.2"], "accelerator": "L4"}, 2),
        ({"model": "deepseek-v4-flash", "models": ["gpt2-xl", "gemma-2b"], "dtype": "fp8", "batch": 3}, 2),
    ],
    ids=["as in the issue", "a config of one's own", "windows alone", "hybrids that hardly fit", "small models"],
)
def test_attention_memory_says_whole_sentences(tmp_path: Path, parameters: dict, models: int) -> None:
    (tmp_path / "mine.json").write_text(Path(config_path("dbrx")).read_text(encoding="utf-8"), encoding="utf-8")
    executed = execute(ROOT / "notebooks" / "attention_memory.ipynb", parameters, cwd=tmp_path)
    words = said(executed)
    assert not re.search(r"\b(?:nan|inf|NaT)\b|\bNone\b(?! of )|\(\)", words)
    assert not re.search(r"\b(?:1 models|1 tokens|1 sequences|1 lines)\b", words)
    assert len(read_record(executed)["kv_cache_gib"]["value"]) == models


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"dtype": "bf61"}, "unknown precision 'bf61'; did you mean 'bf16'"),
        ({"accelerator": "H100"}, "unknown accelerator 'H100'; did you mean"),
        ({"model": "llama-3-80b"}, "unknown model 'llama-3-80b'; did you mean"),
        ({"context": 0}, "context is 0, but must be from 1"),
        ({"batch": 0}, "batch is 0, but must be from 1"),
    ],
)
def test_attention_memory_refuses_in_one_sentence(tmp_path: Path, parameters: dict, message: str) -> None:
    with pytest.raises(CohortError, match=re.escape(message)):
        execute(ROOT / "notebooks" / "attention_memory.ipynb", parameters, cwd=tmp_path)
