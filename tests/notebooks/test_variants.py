"""The chapters under other parameters: whole sentences, no missing numbers, whatever is asked."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cohort.book import execute, read_record
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
