"""CONTRIBUTING's "Add a family", followed to the letter in a copy: a row, a config and a count."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import cohort
from cohort.errors import ConfigError

ROOT = Path(__file__).parents[3]
SECTION = re.compile(r"^## Add a family\n(?P<text>.*?)^## ", re.M | re.S)
BLOCK = re.compile(r"^   ```(?P<language>\w+)\n(?P<text>.*?)^   ```$", re.M | re.S)
TESTS = ("conftest.py", "oracles/test_added.py")


def section() -> str:
    found = SECTION.search((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))
    assert found
    return found["text"]


def blocks() -> dict[str, str]:
    return {block["language"]: block["text"] for block in BLOCK.finditer(section())}


def test_the_family_is_new_here():
    with pytest.raises(ConfigError, match="not supported"):
        cohort.model(json.loads(blocks()["json"])["config"])


def test_the_files_that_it_names_are_there():
    folder = ROOT / "src/cohort/architecture"
    named = re.findall(r"`((?:families|parts|configs)/\w+\.py)`", section())
    assert len(named) >= 10
    assert [name for name in named if not (folder / name).exists()] == []


@pytest.mark.slow
@pytest.mark.parametrize(("change", "passes"), [(0, True), (1, False)])
def test_a_row_a_config_and_a_count_are_enough(tmp_path, change, passes):
    """And the test that they come to fails where the count is another."""
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    row = blocks()["python"].strip()
    table, file = re.search(r"# to (\w+) in (\w+\.py)$", row).groups()
    path = tmp_path / "src/cohort/architecture/families" / file
    head, start, rows = path.read_text(encoding="utf-8").partition(f"{table} = {{\n")
    assert start
    path.write_text(f"{head}{start}    {row}\n{rows}", encoding="utf-8")

    case = json.loads(blocks()["json"])
    case["total"] += change
    for test in TESTS:
        (tmp_path / "tests" / test).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / "tests" / test, tmp_path / "tests" / test)
    (tmp_path / "tests/oracles/added").mkdir()
    (tmp_path / "tests/oracles/added/family.json").write_text(json.dumps(case), encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/oracles/test_added.py"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode == 0) == passes, done.stdout
    assert "family" in done.stdout or passes
