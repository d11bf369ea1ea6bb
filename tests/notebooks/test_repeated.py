"""Runs of a chapter that share a kernel: each is as it would be alone, whatever the others leave or do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from repeated import Run, run_each
from synthetic import code, make, markdown, write
from test_variants import own_logs
from truths import Notebook
from variants import NOTEBOOKS, own_config

from cohort.errors import ParameterError, UnknownNameError
from cohort.runner.kernels.kernel import execute
from cohort.runner.notebook.canonical_form import dumps
from cohort.runner.records import read_record

PARAMETERS = "tokens: int = 1  # Tokens."


def chapter(folder: Path, *sources: str) -> Path:
    cells = (code(source, f"cell-{number}") for number, source in enumerate(sources))
    parameters = code(PARAMETERS, "parameters", "parameters")
    return write(folder / "some.ipynb", make(markdown("# Some"), parameters, *cells))


def runs(folder: Path, *values: int | None) -> list[Run]:
    found = []
    for number, value in enumerate(values):
        found.append(Run({} if value is None else {"tokens": value}, folder / str(number)))
        found[-1].folder.mkdir(parents=True)
    return found


def recorded(notebook: Notebook | None) -> dict[str, Any]:
    assert notebook is not None
    return {name: entry["value"] for name, entry in read_record(notebook).items()}


def test_a_run_begins_as_in_a_kernel_of_its_own(tmp_path: Path) -> None:
    book = chapter(
        tmp_path,
        "import os\nfrom cohort.runner import record\n"
        "seen = sorted(name for name in globals() if not name.startswith('_'))\n"
        "drawn = _cohort_drawing.__name__\nleft, tokens = os.listdir(), tokens + 1",
        "open('left', 'w').close()\nrecord(seen=seen, left=left, drawn=drawn, tokens=tokens)\ntokens",
    )
    given = runs(tmp_path, 5, None, 7)
    found = [one.checked() for one in run_each(book, given)]
    assert [recorded(one)["tokens"] for one in found] == [6, 2, 8]
    alone = execute(book, {"tokens": 7}, cwd=runs(tmp_path / "again", 0)[0].folder, figures=False)
    assert dumps(found[2]) == dumps(alone)


@pytest.mark.parametrize("end", ["1 / (tokens - 2)", "import os\ntokens != 2 or os._exit(3)"])
def test_a_run_that_fails_leaves_the_others_whole(tmp_path: Path, end: str) -> None:
    book = chapter(tmp_path, "from cohort.runner import record\nrecord(tokens=tokens)", end)
    first, second, third = run_each(book, runs(tmp_path, 1, 2, 3))
    assert [recorded(one.checked())["tokens"] for one in (first, third)] == [1, 3]
    assert second.problem is not None
    assert "_exit" in end or "ZeroDivisionError" in second.problem


def test_a_fault_that_no_run_has_alone_is_told(tmp_path: Path) -> None:
    """What one leaves outside its names, the next one finds."""
    left = "import os\nassert os.environ.setdefault('LEFT', str(tokens)) == str(tokens), 'left'"
    found = run_each(chapter(tmp_path, left), runs(tmp_path, 1, 2))
    assert all(
        "in one kernel with others" in str(one.problem) and "left" in str(one.problem) for one in found
    )


def test_a_warning_is_told_of_the_run_that_wrote_it(tmp_path: Path) -> None:
    warned = "import sys\ntokens != 1 or print('beware', file=sys.stderr)"
    first, second = run_each(chapter(tmp_path, warned), runs(tmp_path, 1, 2))
    assert "wrote to stderr: beware" in str(first.problem)
    assert second.problem is None


@pytest.mark.parametrize(
    ("given", "error"), [({"token": 1}, UnknownNameError), ({"tokens": 1.5}, ParameterError)]
)
def test_parameters_are_those_that_a_chapter_declares(tmp_path: Path, given: dict, error: type) -> None:
    with pytest.raises(error):
        run_each(chapter(tmp_path, "tokens"), [Run(given, tmp_path)])


CASES = {
    "my_footprint": [
        {"logs": ["gpu.csv"], "use": "serving", "boundary": "facility", "share": 0.5, "nodes": 4},
        {"logs": ["wall.csv"], "boundary": "with_development", "contracts": ["sun:0:hours 9-17"]},
    ],
    "the_cohort": [
        {"models": ["gpt2-xl"], "beside": ["dbrx"], "benchmark": "MATH", "context": 1},
        {"models": ["mine<img>.json"], "beside": []},
    ],
    "serving_roofline": [
        {"model": "mixtral-8x7b-v0.1", "accelerator": "H200", "tensor_parallel": 2, "weight_dtype": "fp8"},
        {"model": "mine<img>.json", "concurrency": 1, "tensor_parallel": 8, "output_tokens": 1},
    ],
}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.weekly] * (name != "my_footprint")) for name in CASES]
)
def test_a_chapter_is_the_same_alone_and_after_another_run(tmp_path: Path, name: str) -> None:
    """To the byte: its sentences, its tables and its record."""
    given = [Run(parameters, tmp_path / str(k)) for k, parameters in enumerate(CASES[name])]
    for run in given:
        run.folder.mkdir()
        own_logs(run.folder)
        own_config("dbrx")(run.folder)
    path, (_, after) = NOTEBOOKS / f"{name}.ipynb", given
    alone = execute(path, after.parameters, cwd=after.folder, figures=False)
    found = run_each(path, given)[1].checked()
    assert read_record(found)
    assert dumps(found) == dumps(alone)
