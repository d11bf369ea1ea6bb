"""Running notebooks: what is written, what is left alone, and every way that a run can fail."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from processes import as_in_the_foreground, is_alive, wait_until
from synthetic import code, good, make, markdown, new_checkout, write

from cohort.errors import NotebookError, ParameterError
from cohort.runner.batch import Outcome, run, run_variant, variant_path
from cohort.runner.kernels import kernel, warm
from cohort.runner.kernels.kernel import execute, kernel_environment
from cohort.runner.notebook.canonical_form import notebook_text
from cohort.runner.notebook.document import read_notebook, write_atomically
from cohort.runner.project import Project
from cohort.runner.records import read_record
from cohort.runner.staleness import longest_first


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, list[Outcome]]:
    """A checkout whose notebooks have all been run, at the same time: two that work and five that fail."""
    project = new_checkout(tmp_path_factory.mktemp("ran"))
    for name, notebook in {
        "good": good(),
        "bare": make(markdown("# Words only", "title")),
        **FAILING,
    }.items():
        write(project.notebooks / f"{name}.ipynb", notebook)
    return project, run(project, project.paths(), jobs=4)


def failing(source: str, after: str = "x = 1") -> dict[str, Any]:
    return make(
        markdown("# Title", "title"),
        code("import os, sys, warnings", "imports"),
        markdown("Words.", "words"),
        code(source, "culprit"),
        markdown("More.", "more"),
        code(after, "after"),
    )


CULPRIT = "cell 4 [culprit] `{}`: "

FAILING = {
    "domain": failing("import cohort\ncohort.model('lama-3-8b')"),
    "exits": failing("sys.exit(0)"),
    "warns": failing("warnings.warn('first line\\nsecond line')"),
    "dies": failing("os.kill(os.getpid(), 9)"),
    "skips": failing("x = 2"),
}
FAILING["skips"]["cells"][3]["metadata"]["tags"] = ["skip-execution"]


def outcome(ran: tuple[Project, list[Outcome]], name: str) -> Outcome:
    (found,) = (one for one in ran[1] if one.name == name)
    return found


def test_what_works_is_written_in_canonical_form(ran: tuple[Project, list[Outcome]]) -> None:
    path = ran[0].notebooks / "good.ipynb"
    notebook = read_notebook(path)
    assert outcome(ran, "good").status == "written"
    assert outcome(ran, "bare").status == "written"
    assert path.read_text(encoding="utf-8") == notebook_text(notebook)
    assert [cell["id"] for cell in notebook["cells"]] == [cell["id"] for cell in good()["cells"]]
    assert [cell["source"] for cell in notebook["cells"]] == [cell["source"] for cell in good()["cells"]]


def test_outputs_are_those_of_the_cells(ran: tuple[Project, list[Outcome]]) -> None:
    notebook = read_notebook(ran[0].notebooks / "good.ipynb")
    cells = {cell["id"]: cell for cell in notebook["cells"]}
    assert [cells[name]["execution_count"] for name in ("parameters", "imports", "cache", "record")] == [
        1,
        2,
        3,
        6,
    ]
    assert cells["cache"]["outputs"] == [
        {"output_type": "stream", "name": "stdout", "text": "first\n1.0000\n"}
    ]
    words = "It takes 1.00 GiB for llama-3-8b."
    assert cells["sentence"]["outputs"][0]["data"] == {"text/markdown": words, "text/plain": words}
    assert 'id="figure-0-1"' in cells["figure"]["outputs"][0]["data"]["image/svg+xml"]
    assert read_record(notebook) == {
        "cache": {"value": 1.0, "unit": "GiB"},
        "context": {"value": 8192, "unit": None},
        "models": {"value": ["llama-3-8b", "dbrx"], "unit": None},
    }


@pytest.mark.parametrize(
    ("name", "line", "what"),
    [
        ("domain", "import cohort", "UnknownNameError: unknown model 'lama-3-8b'; did you mean 'llama-3-8b'"),
        ("exits", "sys.exit(0)", "SystemExit: 0, and no later cell ran"),
        ("warns", "warnings.warn('first line\\nsecond line')", "wrote to stderr: "),
        ("dies", "os.kill(os.getpid(), 9)", "DeadKernelError: "),
        ("skips", "x = 2", "this cell never ran"),
    ],
)
def test_a_failure_names_notebook_cell_and_last_line(
    ran: tuple[Project, list[Outcome]], name: str, line: str, what: str
) -> None:
    failed = outcome(ran, name)
    (problem,) = failed.problems
    assert failed.status == "failed"
    assert problem.startswith(f"{name}, {CULPRIT.format(line)}{what}")
    assert "\n" not in problem


def test_a_failed_notebook_stays_as_it_was(ran: tuple[Project, list[Outcome]]) -> None:
    for name, notebook in FAILING.items():
        assert json.loads((ran[0].notebooks / f"{name}.ipynb").read_text(encoding="utf-8")) == notebook
    assert {path.suffix for path in ran[0].notebooks.iterdir()} == {".ipynb"}


def test_what_is_up_to_date_does_not_run(
    ran: tuple[Project, list[Outcome]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernel, "_in_worker", no_kernel)
    project = ran[0]
    (again,) = run(project, [project.notebooks / "good.ipynb"], jobs=1)
    assert (again.status, again.problems) == ("up to date", ())


def test_the_longest_starts_first_and_before_it_what_has_never_run(
    ran: tuple[Project, list[Outcome]], tmp_path: Path
) -> None:
    project = copied(ran[0], tmp_path)
    good, bare = (project.notebooks / f"{name}.ipynb" for name in ("good", "bare"))
    for path, seconds in ((good, 1.5), (bare, 20.0)):
        file = project.cache / "run" / f"{path.stem}.json"
        stored = json.loads(file.read_text(encoding="utf-8"))
        assert stored["seconds"] >= 0
        file.write_text(json.dumps({**stored, "seconds": seconds}), encoding="utf-8")
    small, large = (project.notebooks / f"{name}.ipynb" for name in ("small", "large"))
    write(small, make(code("x = 1")))
    write(large, make(code("x = 1 # " + 1000 * "x")))
    assert longest_first(project, [good, small, bare, large], Path) == [large, small, bare, good]


def no_kernel(*_: object) -> Any:
    raise AssertionError("a kernel was started")


def copied(project: Project, root: Path) -> Project:
    """A copy of a checkout as it stands."""
    copy = Project(root / "copy")
    subprocess.run(["cp", "-a", str(project.root), str(copy.root)], check=True)
    return copy


def test_a_file_is_rewritten_only_beyond_the_tolerance(
    ran: tuple[Project, list[Outcome]], tmp_path: Path
) -> None:
    project = copied(ran[0], tmp_path)
    path = project.notebooks / "good.ipynb"
    committed = path.read_text(encoding="utf-8")
    within = committed.replace("1.0000", "1.0001").replace('"value": 1.0', '"value": 1.0000001')
    beyond = committed.replace("1.0000", "1.0002")
    other = project.notebooks / "other.ipynb"
    path.write_text(within, encoding="utf-8")
    other.write_text(beyond, encoding="utf-8")
    outcomes = run(project, [path, other], jobs=2)
    assert [one.status for one in outcomes] == ["unchanged", "written"]
    assert path.read_text(encoding="utf-8") == within != committed
    assert other.read_text(encoding="utf-8") == committed


def test_a_variant_goes_to_a_file_of_its_own(ran: tuple[Project, list[Outcome]], tmp_path: Path) -> None:
    project, _ = ran
    path = project.notebooks / "good.ipynb"
    before = path.read_bytes()
    out = tmp_path / "new" / "long {context}.ipynb"  # braces, which papermill itself would fill in
    run_variant(project, path, {"context": 65536, "models": ["dbrx"], "model": 'a "b" \\n'}, out, tmp_path)
    variant = read_notebook(out)
    assert path.read_bytes() == before
    assert out.read_text(encoding="utf-8") == notebook_text(variant)
    assert read_record(variant)["cache"] == {"value": 8.0, "unit": "GiB"}
    assert read_record(variant)["models"]["value"] == ["dbrx"]
    injected = variant["cells"][2]
    assert injected["id"] == "injected-parameters"
    said = variant["cells"][6]["outputs"][0]["data"]["text/markdown"]
    assert said == 'It takes 8.00 GiB for a "b" \\n.'
    assert [entry.name for entry in out.parent.iterdir()] == [out.name]


def test_a_variant_that_fails_leaves_nothing(checkout: Project) -> None:
    source = (
        "from cohort.errors import ParameterError\n"
        "raise ParameterError(f'context is {context}, above all models')"
    )
    cells = (code("context: int = 1  # Tokens.", "p", "parameters"), code(source, "culprit"))
    path = write(checkout.notebooks / "n.ipynb", make(*cells))
    out = checkout.root / "new" / "out.ipynb"
    with pytest.raises(NotebookError, match=r"cell 2 \[culprit\] .* context is 9, above all models$"):
        run_variant(checkout, path, {"context": 9}, out)
    assert not out.parent.exists()


@pytest.mark.parametrize(
    "out", ["notebooks/n.ipynb", "notebooks/new.ipynb", "notebooks/../notebooks/n.ipynb"]
)
def test_a_variant_never_stands_among_the_notebooks(checkout: Project, out: str) -> None:
    with pytest.raises(ParameterError, match="among the committed notebooks"):
        variant_path(checkout, checkout.notebooks / "other.ipynb", checkout.root / out)
    link = checkout.root / "link"
    link.symlink_to(checkout.notebooks)
    with pytest.raises(ParameterError, match="among the committed notebooks"):
        variant_path(checkout, checkout.notebooks / "other.ipynb", link / "n.ipynb")


@pytest.mark.parametrize("out", ["out.txt", "out", "."])
def test_a_variant_is_a_notebook(checkout: Project, out: str) -> None:
    with pytest.raises(ParameterError, match=r"give the path of a notebook, such as variant\.ipynb"):
        variant_path(checkout, checkout.notebooks / "n.ipynb", checkout.root / out)


def test_a_variant_never_replaces_its_notebook(checkout: Project) -> None:
    elsewhere = checkout.root / "n.ipynb"
    with pytest.raises(ParameterError, match="the notebook itself; give another path"):
        variant_path(checkout, elsewhere, checkout.root / "data" / ".." / "n.ipynb")


def test_a_variant_that_cannot_be_written_is_told(checkout: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(checkout.notebooks / "n.ipynb", make(markdown("# Words", "title")))
    monkeypatch.setattr(kernel, "_in_worker", lambda *_: read_notebook(path))
    with pytest.raises(ParameterError, match=r"which cannot be written \("):
        run_variant(checkout, path, {}, checkout.root / "_toc.yml" / "out.ipynb")


def test_plain_papermill_runs_the_same_notebook(tmp_path: Path) -> None:
    write(tmp_path / "in.ipynb", good())
    command = [sys.executable, "-m", "papermill", "in.ipynb", "out.ipynb", "-p", "context", "16384"]
    subprocess.run(
        command, cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, check=True, timeout=120
    )
    assert read_record(read_notebook(tmp_path / "out.ipynb"))["cache"]["value"] == 2.0


def test_a_cell_out_of_time_is_named() -> None:
    notebook = make(code("import time", "imports"), code("time.sleep(60)", "slow"))
    with pytest.raises(NotebookError, match=r"^slow, cell 2 \[slow\] `time.sleep\(60\)`: CellTimeoutError: "):
        execute(notebook, name="slow", timeout_s=1)


def test_a_notebook_runs_in_an_empty_folder_with_a_plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONWARNINGS", "error")
    monkeypatch.setenv("PYTHONHASHSEED", "7")
    program = (
        "import os, sys\nfrom cohort.runner import record\n"
        "record(files=os.listdir('.'), hash_of_a=hash('a'), warnings=sys.warnoptions, large=6 * 405 * 10**20)"
    )
    found = read_record(execute(make(code(program))))
    plain = {**os.environ, "PYTHONHASHSEED": "0"}
    expected = subprocess.run(
        [sys.executable, "-c", "print(hash('a'))"], env=plain, capture_output=True, check=True
    )
    assert found["files"]["value"] == []
    assert found["hash_of_a"]["value"] == int(expected.stdout)
    assert found["large"]["value"] == 6 * 405 * 10**20
    assert "error" not in found["warnings"]["value"]


def test_settings_of_the_readers_own_are_not_inherited(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MPLBACKEND", "agg")
    monkeypatch.setenv("COHORT_KEPT", "yes")
    env = kernel_environment(tmp_path, tmp_path / "cache")
    assert "MPLBACKEND" not in env
    assert env["COHORT_KEPT"] == "yes"
    assert env["PYTHONHASHSEED"] == "0"
    assert env["MPLCONFIGDIR"] == str(tmp_path / "cache" / "matplotlib")
    assert "MPLCONFIGDIR" not in kernel_environment(tmp_path, None)


SLOW = """\
import os, pathlib, time
pathlib.Path({marker!r}).write_text(f"{{os.getpid()}} {{os.getppid()}}")
time.sleep(60)"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_run_that_is_stopped_leaves_the_old_file_and_no_process(
    checkout: Project, how: signal.Signals
) -> None:
    marker = checkout.root / "marker"
    path = write(checkout.notebooks / "slow.ipynb", make(code(SLOW.format(marker=str(marker)))))
    before = path.read_bytes()
    command = [sys.executable, "-c", "from cohort.cli import main; main()", "run", "slow"]
    running = subprocess.Popen(
        command,
        cwd=checkout.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=as_in_the_foreground,
    )
    wait_until(lambda: marker.is_file() and len(marker.read_text().split()) == 2)
    running.send_signal(how)
    running.communicate(timeout=30)
    assert running.returncode != 0
    assert path.read_bytes() == before
    assert [entry.name for entry in checkout.notebooks.iterdir()] == ["slow.ipynb"]
    for process in map(int, marker.read_text().split()):
        wait_until(lambda process=process: not is_alive(process))


def test_a_write_that_is_killed_leaves_the_old_file_whole(tmp_path: Path) -> None:
    path = tmp_path / "n.ipynb"
    write_atomically(path, "old\n")
    program = (
        "import os, sys, pathlib\nfrom cohort.runner.notebook.document import write_atomically\n"
        "os.fsync = lambda handle: os.kill(os.getpid(), 9)\n"
        "write_atomically(pathlib.Path(sys.argv[1]), 'new\\n' * 100_000)"
    )
    killed = subprocess.run([sys.executable, "-c", program, str(path)], check=False, timeout=60)
    assert killed.returncode == -signal.SIGKILL
    assert path.read_text(encoding="utf-8") == "old\n"


def test_a_write_that_fails_leaves_the_old_file_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "n.ipynb"
    write_atomically(path, "old\n")

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_atomically(path, "new\n")
    assert path.read_text(encoding="utf-8") == "old\n"
    assert [entry.name for entry in tmp_path.iterdir()] == ["n.ipynb"]


def test_a_notebook_changed_while_it_ran_is_not_overwritten(
    checkout: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(checkout.notebooks / "n.ipynb", make(code("x = 1")))
    edited = make(code("x = 2"))

    def edit_meanwhile(*_: object) -> dict[str, Any]:
        write(path, edited)
        return executed

    executed = make(code("x = 1"))
    executed["cells"][0]["execution_count"] = 1
    monkeypatch.setattr(kernel, "_in_worker", edit_meanwhile)
    (changed,) = run(checkout, [path], jobs=1)
    assert changed.problems == ("n: was changed while it ran; run it again.",)
    assert json.loads(path.read_text(encoding="utf-8")) == edited


def test_a_worker_that_cannot_start_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(warm.SWITCH, "cold")
    monkeypatch.setattr(kernel, "kernel_environment", lambda *_: {**os.environ, "PYTHONHOME": "/nowhere"})
    with pytest.raises(NotebookError, match=r"^n: the process that ran it ended with status \d+: "):
        execute(make(code("x = 1")), name="n")
