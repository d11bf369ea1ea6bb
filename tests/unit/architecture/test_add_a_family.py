"""CONTRIBUTING's "Add a family", followed literally: a row, a config and a count."""

import json
import re
from pathlib import Path

import cohort
from cohort.architecture.families import dense, reading
from cohort.architecture.families.row import extend

PAGE = (Path(__file__).parents[3] / "CONTRIBUTING.md").read_text(encoding="utf-8")
SECTION = PAGE.partition("## Add a family")[2].partition("\n## ")[0]


def block(language):
    """Return the only block of code in a language."""
    (found,) = re.findall(rf"```{language}\n(.*?)```", SECTION, re.DOTALL)
    return found.strip()


def test_a_row_a_config_and_a_count(monkeypatch):
    row = eval("{" + block("python") + "}", {"extend": extend, **vars(dense)})
    config = json.loads(block("json"))
    (count,) = re.findall(r"([\d,]+) weights here", SECTION)
    monkeypatch.setattr(reading, "TABLE", {**reading.TABLE, **row})
    model = cohort.model(config)
    assert model.family == "llama_with_norms"
    assert model.parameters == int(count.replace(",", ""))


def test_the_count_by_hand():
    """Embedding and head, two layers of attention, gated network and four norms, and the last norm."""
    attention = 64 * (64 + 2 * 32) + 64 * 64 + 2 * 16
    assert 2 * 100 * 64 + 2 * (attention + 3 * 64 * 128 + 2 * 64) + 64 == 86_912
