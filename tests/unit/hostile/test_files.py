"""Every reader under files that mean no good: an answer, or one sentence."""

import csv
import json
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hostile.calls import fault
from hostile.mutations import mutated, no_files
from meter_logs import codecarbon, ramp, run_row, smi
from reading import ROOT

import cohort
from cohort.errors import CohortError
from cohort.fitting.run_tables import read_runs
from cohort.footprint import from_log
from cohort.footprint.intensity import read_series
from cohort.footprint.logs.reading import read_logs
from cohort.registry import facts
from cohort.runner.checking.comparison import compare
from cohort.runner.checking.lints import lint
from cohort.runner.notebook.canonical_form import notebook_text
from cohort.runner.notebook.document import numbered, place, read_notebook
from cohort.runner.parameter_cells import read_parameters
from cohort.runner.parameter_sources import from_yaml_file
from cohort.runner.project import Project
from cohort.runner.records import read_record
from cohort.runner.sweeps.store import Store
from cohort.scaling.saved_laws import read_law

AT_EACH_PUSH, ONCE_A_WEEK = 30, 250  # mutated files of each reader

YAML = "context: 8192  # tokens\nmodels: [llama-3-8b, mixtral-8x7b-v0.1]\nshare: 1.5e-1\nn: {a: [1, 2]}\n"
LINE = "context: int = 8192  # Tokens of a sequence.\nmodels: list[str] = ['a', 'b']  # Models.\n"
LAW = {"form": "chinchilla", "coefficients": {"E": 1.8, "A": 480.0, "B": 2100.0, "alpha": 0.35, "beta": 0.37}}
PLAN = {"notebook": "the_cohort", "key": "abc", "sets": [{"context": 8192}, {"context": 1}], "figures": False,
        "defaults": {"model": "dbrx"}}  # fmt: skip
ROW = {
    "run": 1, "parameters": {"context": 8192}, "status": "finished", "error": None, "seconds": 1.5,
    "notebook": "notebooks/0001.ipynb", "record": {"memory": {"value": 1.5, "unit": "GiB"}},
}  # fmt: skip
SERIES = "datetime,g_per_kwh\n" + "".join(f"2026-11-26 {hour:02}:00:00,{300 + hour}\n" for hour in range(24))
RUNS = "parameters,tokens,loss\n" + "".join(f"{k}e7,{k * k}e9,{3 - k / 9}\n" for k in range(1, 9))


def notebook_of(path: Path) -> None:
    """Do with a notebook what the commands do that do not run it."""
    notebook = read_notebook(path)
    assert all(place(path.stem, number, cell) for number, cell in numbered(notebook))
    read_record(notebook)
    assert isinstance(lint(path.stem, notebook), list)
    assert not compare(path.stem, notebook, notebook)
    assert all(cell for cell in read_parameters(path.stem, notebook))
    notebook_text(notebook)


def chapters_of(path: Path) -> None:
    """Read the table of contents of a checkout."""
    _ = Project(path.parent).paths


def stored_plan(path: Path) -> None:
    Store(path.parent).plan()


def stored_rows(path: Path) -> None:
    Store(path.parent.parent).rows()


def data_table(path: Path) -> None:
    assert isinstance(facts.rows("models"), list)
    cohort.table("models")


def parameter_line(path: Path) -> None:
    """Read a file as the line of a parameter, in a notebook that is sound otherwise."""
    notebook = read_notebook(ROOT / "notebooks" / "my_footprint.ipynb")
    cell = next(cell for cell in notebook["cells"] if "parameters" in cell["metadata"].get("tags", []))
    cell["source"] = path.read_bytes().decode("utf-8", "replace")
    read_parameters("a", notebook)


def config(name: str) -> tuple[str, Callable[[Path], Any], Callable[[Path], Any]]:
    return (
        "config.json",
        lambda path: shutil.copy(ROOT / "data" / "configs" / f"{name}.json", path),
        cohort.model,
    )


def chapter(path: Path) -> None:
    shutil.copy(ROOT / "notebooks" / "my_footprint.ipynb", path)


READERS: dict[str, tuple[str, Callable[[Path], Any], Callable[[Path], Any]]] = {
    **{f"config of {name}": config(name) for name in cohort.models()[::12]},
    "line of parameters": ("line", lambda path: path.write_text(LINE), parameter_line),
    "notebook": ("a.ipynb", chapter, notebook_of),
    "parameters": ("p.yaml", lambda path: path.write_text(YAML, encoding="utf-8"), from_yaml_file),
    "contents": ("_toc.yml", lambda path: shutil.copy(ROOT / "_toc.yml", path), chapters_of),
    "plan of a sweep": ("sweep.json", lambda path: path.write_text(json.dumps(PLAN)), stored_plan),
    "row of a sweep": ("rows/0001.json", lambda path: path.write_text(json.dumps(ROW)), stored_rows),
    "runs": ("runs.csv", lambda path: path.write_text(RUNS), read_runs),
    "law": ("law.json", lambda path: path.write_text(json.dumps(LAW)), read_law),
    "log of nvidia-smi": ("a.csv", lambda path: smi(path, ramp(20)), from_log),
    "log of CodeCarbon": ("c.csv", lambda path: codecarbon(path, [run_row("aaaaaaaa1", 1, 2.0)]), read_logs),
    "intensity": ("s.csv", lambda path: path.write_text(SERIES), read_series),
    "data table": (
        "models.csv",
        lambda path: shutil.copy(ROOT / "data" / "models.csv", path),
        data_table,
    ),
}


def attacked(name: str, folder: Path, seeds: range, seed: int) -> list[str]:
    """Return what is wrong with how a reader took mutated files."""
    file, write, read = READERS[name]
    path = folder / file
    path.parent.mkdir(exist_ok=True)
    write(path)
    assert not fault(lambda: read(path), {}), "the good file"
    good, wrong = path.read_bytes(), []
    for number in seeds:
        changed = mutated(good, random.Random(f"{seed}:{name}:{number}"))
        path.write_bytes(changed)
        ill = fault(lambda: read(path), {})
        if ill:
            wrong.append(f"{number}: {ill} of {changed[:80]!r}")
    return wrong


@pytest.fixture(autouse=True)
def long_fields():
    """Let `csv` take fields of any length, as other packages of the same process let it."""
    before = csv.field_size_limit(2**31 - 1)
    yield
    csv.field_size_limit(before)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "configs").mkdir()
    shutil.copy(ROOT / "data" / "datapackage.json", tmp_path)
    return tmp_path


@pytest.fixture
def only_here(folder: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Path:
    """Have the tables of data be those of the folder, where they are what is read."""
    if request.getfixturevalue("name") == "data table":
        monkeypatch.setattr(facts, "data_folder", lambda: str(folder))
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("name", READERS)
def test_a_mutated_file_is_read_or_refused_in_a_sentence(name, only_here):
    wrong = attacked(name, only_here, range(AT_EACH_PUSH), 0)
    assert not wrong, "\n".join(wrong)


@pytest.mark.weekly
@pytest.mark.parametrize("name", READERS)
def test_many_mutated_files_are_read_or_refused_in_a_sentence(name, only_here):
    """Other files each week; the seed stands in the message."""
    seed = random.SystemRandom().randrange(10**6)
    wrong = attacked(name, only_here, range(ONCE_A_WEEK), seed)
    assert not wrong, f"seed {seed}:\n" + "\n".join(wrong)


OF_COMMAS = ("runs", "log of nvidia-smi", "log of CodeCarbon", "intensity")


@pytest.mark.slow
@pytest.mark.parametrize("character", "[( )]_-.9,")
@pytest.mark.parametrize("name", OF_COMMAS)
def test_a_head_of_any_length_is_read_in_its_time(name, character, folder):
    """Spaces before a bracket and brackets that stay open: what a careless pattern tries once for each."""
    file, write, read = READERS[name]
    write(folder / file)
    first, _, rest = (folder / file).read_text().partition("\n")
    (folder / file).write_text(f"{first},x{character * 60_000}x\n{rest}")
    assert not fault(lambda: read(folder / file), {})


# The others find their files by themselves.
BY_PATH = [name for name in READERS if not name.startswith(("contents", "data", "line", "plan", "row"))]


@pytest.mark.parametrize("name", BY_PATH)
def test_what_is_no_file_is_refused_in_a_sentence(name, folder):
    _, _, read = READERS[name]
    for path in no_files(folder):
        ill = fault(lambda path=path: read(path), {})
        assert not ill, f"{path!r}: {ill}"


@pytest.mark.parametrize("read", [read_law, read_runs, read_series, read_logs, from_log])
def test_the_number_of_an_open_file_is_no_path(read, tmp_path):
    """It would be read, and closed: with 1, the caller's own output."""
    with (tmp_path / "open.txt").open("w+", encoding="utf-8") as file:
        with pytest.raises(CohortError, match="must be text or a Path"):
            read(file.fileno())
        file.write("still open")
        file.flush()
        assert os.fstat(file.fileno()).st_size == 10
