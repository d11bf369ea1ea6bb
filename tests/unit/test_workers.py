"""How tests are shared out among the workers of a run: those of one group go to one of them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

CONFTEST = Path(__file__).parents[1] / "conftest.py"
# Each test, and what a module makes once, notes the worker that it runs in.
TESTS = """
import os
import pytest

def note(name):
    with open(f"{name}.{os.environ['PYTEST_XDIST_WORKER']}", "a") as file:
        file.write("x")

@pytest.fixture(scope="module")
def once():
    note("made")

@pytest.mark.parametrize("number", range(6))
def test_sharing(once, number):
    note("sharing")

@pytest.mark.parametrize("number", [0, pytest.param("[@]", id="[@]"), 2, 3, 4, 5])
@pytest.mark.xdist_group("a name")
def test_named(number):
    note("named")

@pytest.mark.xdist_group(name="a name")
def test_of_another_function():
    note("named")

@pytest.mark.parametrize("number", range(6))
def test_alone(number):
    note("alone")
"""


def ran(folder: Path, *options: str) -> dict[str, dict[str, int]]:
    """Run the tests in two workers; return how many of each name each worker ran."""
    shutil.copy(CONFTEST, folder / "conftest.py")
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    for name in ("test_one.py", "test_two.py"):
        (folder / name).write_text(TESTS.replace("a name", f"group of {name}"), encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "-p", "no:cacheprovider", *options]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=120)
    assert "38 passed" in done.stdout, done.stdout + done.stderr
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for path in folder.glob("*.gw*"):
        found[path.stem][path.suffix] = path.stat().st_size
    return found


@pytest.mark.slow
def test_a_group_runs_in_one_worker(tmp_path: Path) -> None:
    found = ran(tmp_path, "--dist", "loadgroup")
    assert sum(found["alone"].values()) == 12
    assert sorted(found["made"].values()) in ([1, 1], [2])  # once for each of the two modules
    assert all(count % 6 == 0 for count in found["sharing"].values())
    assert all(count % 7 == 0 for count in found["named"].values())
    assert len({worker for counts in found.values() for worker in counts}) == 2
