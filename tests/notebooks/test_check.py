"""Checking: a fresh run is compared with what is committed, and nothing is written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from synthetic import good, new_checkout, write

from cohort.book.check import check
from cohort.book.project import Project
from cohort.book.run import Outcome, run


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, dict[str, Outcome]]:
    """A checkout with notebooks that were run, tampered with, and never run, checked at the same time."""
    project = new_checkout(tmp_path_factory.mktemp("checked"))
    path = write(project.notebooks / "within.ipynb", good())
    write(project.notebooks / "new.ipynb", good())
    run(project, [path], jobs=1)
    committed = path.read_text(encoding="utf-8")
    path.write_text(tampered(committed, {"1.0000": "1.0001"}), encoding="utf-8")
    beyond = {
        "1.0000": "1.0002",
        '"value": 1.0': '"value": 1.00001',
        '"nbformat_minor": 5': '"nbformat_minor":  5',
    }
    (project.notebooks / "beyond.ipynb").write_text(tampered(committed, beyond), encoding="utf-8")
    before = snapshot(project)
    outcomes = check(project, project.paths(), jobs=os.cpu_count() or 1)
    assert snapshot(project) == before
    return project, {outcome.name: outcome for outcome in outcomes}


def tampered(content: str, changes: dict[str, str]) -> str:
    for old, new in changes.items():
        assert old in content
        content = content.replace(old, new)
    return content


def snapshot(project: Project) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in project.root.rglob("*") if path.is_file()}


def test_what_agrees_within_the_tolerance_passes(checked: tuple[Project, dict[str, Outcome]]) -> None:
    assert checked[1]["within"].problems == ()
    assert checked[1]["within"].status == "unchanged"


def test_every_difference_is_told_with_notebook_and_cell(checked: tuple[Project, dict[str, Outcome]]) -> None:
    assert checked[1]["beyond"].status == "failed"
    assert checked[1]["beyond"].problems == (
        "beyond: is not in canonical form; run `cohort run beyond`.",
        "beyond, cell 5 [cache] `cache = context * 131072 / 2**30`: "
        "stdout differs: committed 1.0002, now 1.0000",
        'beyond, cell 10 [record] `record(cache=(cache, "GiB"), context=context, models=models)`: '
        "application/vnd.cohort.record+json differs: "
        'cache committed {"unit": "GiB", "value": 1.00001}, now {"value": 1.0, "unit": "GiB"}',
    )


def test_a_notebook_that_was_never_run_fails_cell_by_cell(
    checked: tuple[Project, dict[str, Outcome]],
) -> None:
    problems = checked[1]["new"].problems
    assert sum("executed as [None], now as [" in problem for problem in problems) == 6
    assert problems[0] == "new: is not in canonical form; run `cohort run new`."


def test_a_file_that_is_no_notebook_fails_without_a_kernel(checkout: Project) -> None:
    path = checkout.notebooks / "n.ipynb"
    path.write_text("{", encoding="utf-8")
    (outcome,) = check(checkout, [path], jobs=1)
    assert outcome.problems[0].startswith("n.ipynb: is not a notebook in JSON")
