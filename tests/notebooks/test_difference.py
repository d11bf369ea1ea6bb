"""Which recorded values differ between commits and folders."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from synthetic import code, make, output, write

from cohort.cli import main
from cohort.runner.checking.difference import Change, changes
from cohort.runner.project import Project
from cohort.runner.records import MIME, make_record


def recorded(**values: Any) -> dict[str, Any]:
    cell = code("record()") | {"outputs": [output({MIME: dict(make_record(values))})]}
    return make(cell)


def differ(old: dict[str, Any], new: dict[str, Any], tolerance: float = 1e-6) -> list[str]:
    one, other = ({"n": dict(make_record(values))} if values else {} for values in (old, new))
    return [str(change) for change in changes(one, other, tolerance)]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ({"x": (2.0, "GiB")}, {"x": (3.0, "GiB")}, ["x: 2.0 GiB -> 3.0 GiB (+50 %)"]),
        ({"x": (-2.0, "GiB")}, {"x": (-3.0, "GiB")}, ["x: -2.0 GiB -> -3.0 GiB (-50 %)"]),
        ({"x": 8030261248}, {"x": 8030261249}, ["x: 8,030,261,248 -> 8,030,261,249 (+1.25e-08 %)"]),
        ({"x": 0.0}, {"x": 1.0}, ["x: 0.0 -> 1.0"]),
        ({"x": 1.0}, {"x": 1.0 + 9e-7}, []),
        ({"x": 1}, {"x": 1.0}, ["x: 1 -> 1.0 (+0 %)"]),
        ({"x": True}, {"x": False}, ["x: True -> False"]),
        ({"x": "holds"}, {"x": "does not hold"}, ["x: 'holds' -> 'does not hold'"]),
        ({"x": (2.0, "GiB")}, {"x": (2.0, "GB")}, ["x: 2.0 GiB -> 2.0 GB"]),
        ({"x": ([1.0, 2.0, 3.0], "s")}, {"x": ([1.0, 2.5, 3.0], "s")}, ["x[1]: 2.0 s -> 2.5 s (+25 %)"]),
        ({"x": [1, 2]}, {"x": [1]}, ["x: [1, 2] -> [1]"]),
        ({"x": [1, 2]}, {"x": [1, 2]}, []),
        ({"x": 1}, {"x": 1, "y": (2, "s")}, ["y: 2 s is new"]),
        ({"x": 1, "y": (2, "s")}, {"x": 1}, ["y: 2 s is gone"]),
        ({}, {"x": 1}, ["x: 1 is new"]),
        ({"x": 1}, {}, ["x: 1 is gone"]),
    ],
)
def test_a_change_is_told_with_both_values_their_units_and_its_share(
    old: dict[str, Any], new: dict[str, Any], told: list[str]
) -> None:
    assert differ(old, new) == told


def test_without_a_tolerance_the_last_digit_counts() -> None:
    assert differ({"x": 1.0}, {"x": 1.0 + 1e-15}, tolerance=0) == ["x: 1.0 -> 1 (+1.11e-13 %)"]
    assert Change("n", "x", 4.0, 5.0).relative == 0.25


@pytest.fixture
def history(checkout: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A checkout inside a repository, with two commits and a change that is not committed."""
    monkeypatch.chdir(checkout.root)
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)
    git("init", "--quiet")
    for cache in (1.0, 2.0, 4.0):
        write(checkout.notebooks / "attention.ipynb", recorded(cache=(cache, "GiB"), layers=32))
        if cache < 4:
            write(checkout.notebooks / "zoo.ipynb", recorded(models=["a"]))
            git("add", ".")
            git("commit", "--quiet", "--message", "a")
    return checkout


def git(*arguments: str) -> None:
    who = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *who, *arguments], check=True, capture_output=True)


def told(*arguments: str) -> list[str]:
    result = CliRunner().invoke(main, ["diff", *arguments])
    assert result.exit_code == 0, result.output
    return result.stdout.splitlines()


def test_two_commits_and_what_is_not_committed_yet(history: Project) -> None:
    assert told("HEAD~1", "HEAD") == [
        "attention",
        "  cache: 1.0 GiB -> 2.0 GiB (+100 %)",
        "1 recorded value differs, of 3 entries in 2 notebooks.",
    ]
    assert told("HEAD")[1] == "  cache: 2.0 GiB -> 4.0 GiB (+100 %)"
    (history.notebooks / "zoo.ipynb").unlink()
    assert told("HEAD")[-3:-1] == ["zoo", "  models: ['a'] is gone"]
    assert told("HEAD", "HEAD") == ["0 recorded values differ, of 3 entries in 2 notebooks."]


def test_folders_sweeps_and_single_notebooks(history: Project) -> None:
    write(history.root / "runs" / "notebooks" / "attention.ipynb", recorded(cache=(5.0, "GiB"), layers=32))
    assert told("notebooks/attention.ipynb", "runs")[1] == "  cache: 4.0 GiB -> 5.0 GiB (+25 %)"
    write(history.root / "0001.ipynb", recorded(cache=(8.0, "GiB"), layers=32))
    assert told("notebooks/attention.ipynb", "0001.ipynb")[1] == "  cache: 4.0 GiB -> 8.0 GiB (+100 %)"
    assert told("notebooks/attention.ipynb") == ["0 recorded values differ, of 2 entries in 1 notebook."]
    assert told("notebooks/attention.ipynb", "runs", "--tolerance", "0.3")[0].startswith("0 recorded values")


@pytest.mark.parametrize("old", ["nothing", "HEAD~9", "--output=x", "data"])
def test_what_is_neither_folder_nor_commit_is_refused(history: Project, old: str) -> None:
    result = CliRunner().invoke(main, ["diff", "--", old])
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert line.endswith(("and no commit that holds one.", "'data' holds no notebook."))
    assert not (history.root / "x").exists()


def test_a_committed_file_that_is_no_notebook_is_told(history: Project) -> None:
    (history.notebooks / "attention.ipynb").write_text(json.dumps([]), encoding="utf-8")
    git("commit", "--quiet", "--all", "--message", "b")
    result = CliRunner().invoke(main, ["diff", "HEAD", "HEAD~1"])
    assert result.stderr == "error: attention.ipynb of HEAD is no notebook of format 4.\n"


def test_outside_of_a_repository_only_folders_are_known(
    checkout: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(checkout.root)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(Path(checkout.root).parent))
    write(checkout.notebooks / "zoo.ipynb", recorded(models=["a"]))
    assert "no commit that holds one" in CliRunner().invoke(main, ["diff", "HEAD"]).stderr
