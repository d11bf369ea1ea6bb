"""Checking: a fresh run is compared with what is committed, and nothing is written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from synthetic import code, good, make, new_checkout, write

from cohort.errors import UnknownNameError
from cohort.runner.batch import Outcome, run
from cohort.runner.checking.machines import machine_settings
from cohort.runner.checking.reproduction import check
from cohort.runner.notebook.document import read_notebook
from cohort.runner.project import Project
from cohort.runner.records import read_record


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


MACHINE = make(
    code(
        "import os\nimport numpy as np\nfrom cohort.runner import record\n"
        "from numpy._core._multiarray_umath import __cpu_dispatch__ as names, __cpu_features__ as there",
        "imports",
    ),
    code('record(threads=os.environ["OPENBLAS_NUM_THREADS"])', "threads"),
    code("record(features=[name for name in names if there[name]])", "features"),
    code(
        "a = np.random.default_rng(0).normal(size=(400, 400))\n"
        "record(is_inverse=bool(np.abs(a @ np.linalg.inv(a) - np.eye(400)).max() < 1e-8))",
        "inverse",
    ),
)


def test_a_profile_makes_the_libraries_compute_as_on_another_machine(checkout: Project) -> None:
    """The kernel really has other features and threads, and can compute with them."""
    path = write(checkout.notebooks / "machine.ipynb", MACHINE)
    run(checkout, [path], jobs=1)
    here = read_record(read_notebook(path))
    assert here["is_inverse"]["value"] is True
    (outcome,) = check(
        checkout, [path], jobs=1, machines={"there": machine_settings(["plain-cpu", "many-threads"])}
    )
    threads, *features = outcome.problems
    assert 'threads committed {"unit": null, "value": "1"}, now {"value": "4"' in threads
    if here["features"]["value"]:  # all of them are off
        assert features[0].endswith('now {"value": [], "unit": null}')
    assert len(features) <= 1


def test_an_unknown_profile_is_refused() -> None:
    with pytest.raises(
        UnknownNameError, match=r"unknown machine profile 'plain_cpu'; did you mean 'plain-cpu'"
    ):
        machine_settings(["plain_cpu"])
