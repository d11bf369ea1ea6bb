"""What makes a notebook run again: what it read, and never what it did not."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from synthetic import code, make, new_checkout, write

from cohort.runner.batch import run
from cohort.runner.kernels.kernel import attempt
from cohort.runner.kernels.reads import Reads
from cohort.runner.notebook.document import read_notebook
from cohort.runner.project import Project, find_project
from cohort.runner.staleness import PACKAGE, Sources, is_stale, store_run, stored_run

HERE = find_project(Path(__file__).parent)
USES = """\
import importlib
from pathlib import Path
import cohort
from cohort.runner import record
cohort.scaling
late = importlib.import_module("cohort.fitting.objective")
root = Path({root!r})
lines = (root / "data" / "facts.csv").read_text().splitlines()
record(lines=len(lines), law=cohort.law("besiroglu").alpha, notes=len(list((root / "notes").iterdir())))"""


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A checkout whose notebook has run: it reads a file, a folder, a law and some modules."""
    project = new_checkout(tmp_path_factory.mktemp("ran").resolve())
    (project.root / "data" / "other.csv").write_text("a\n", encoding="utf-8")
    (project.root / "notes").mkdir()
    write(project.notebooks / "good.ipynb", make(code(USES.format(root=str(project.root)))))
    (outcome,) = run(project, project.paths(), jobs=1)
    assert outcome.status == "written", outcome.problems
    return project


def stale(project: Project, sources: Sources | None = None) -> bool:
    path = project.notebooks / "good.ipynb"
    return is_stale(sources or Sources(project), path, read_notebook(path))


def edit_source(project: Project) -> None:
    path = project.notebooks / "good.ipynb"
    path.write_text(path.read_text(encoding="utf-8").replace("besiroglu", "hoffmann"), encoding="utf-8")


def edit_output(project: Project) -> None:
    path = project.notebooks / "good.ipynb"
    content = path.read_text(encoding="utf-8")
    path.write_text(content.replace('"value": 1', '"value": 2'), encoding="utf-8")
    assert path.read_text(encoding="utf-8") != content


def edit_file(name: str) -> Callable[[Project], None]:
    def edit(project: Project) -> None:
        path = project.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("edited", encoding="utf-8")

    return edit


def remove_file(name: str) -> Callable[[Project], None]:
    return lambda project: (project.root / name).unlink()


def edit_stored(**changes: Any) -> Callable[[Project], None]:
    def edit(project: Project) -> None:
        file = project.cache / "run" / "good.json"
        stored = json.loads(file.read_text(encoding="utf-8")) | changes
        file.write_text(json.dumps(stored), encoding="utf-8")

    return edit


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (edit_source, True),
        (edit_output, True),
        (edit_file("data/facts.csv"), True),
        (remove_file("data/facts.csv"), True),
        (edit_file("data/new.csv"), True),  # one that may have been looked for
        (edit_file("notes/new.md"), True),  # in a folder whose names were read
        (edit_file("requirements.txt"), True),
        (remove_file(".cache/run/good.json"), True),
        (edit_file(".cache/run/good.json"), True),
        (edit_stored(reads=None), True),
        (edit_file("data/other.csv"), False),
        (edit_file("src/code.py"), False),
        (edit_file("README.md"), False),
        (edit_file("src/__pycache__/code.pyc"), False),
        (edit_file("notes/.hidden"), False),
        (lambda project: None, False),
    ],
)
def test_what_makes_a_notebook_stale(
    ran: Project, tmp_path: Path, edit: Callable[[Project], None], expected: bool
) -> None:
    """In a copy, whose notes are of paths in the checkout and hold there."""
    copy = Project(tmp_path.resolve() / "copy")
    subprocess.run(["cp", "-a", str(ran.root), str(copy.root)], check=True)
    assert not stale(copy)
    edit(copy)
    assert stale(copy) is expected


def test_of_the_modules_those_that_it_imported_make_it_stale_and_no_other(ran: Project) -> None:
    program = (
        "import sys, cohort, cohort.scaling, cohort.fitting.objective\n"
        "import cohort.display.markup  # for the table of the record\n"
        "from cohort.runner import record\ncohort.law('besiroglu')\n"
        "print(*(m.__file__ for name, m in sys.modules.items() if name.split('.')[0] == 'cohort'))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)
    imported = {os.path.realpath(path) for path in done.stdout.split()}
    assert str(PACKAGE / "fitting" / "objective.py") in imported
    execution = [PACKAGE / "runner" / part for part in ("kernels", "notebook")]
    runs = {str(path) for folder in execution for path in folder.glob("*.py")}
    seen, sources = set(), Sources(ran)
    for path in map(str, PACKAGE.rglob("*.py")):
        digest = sources._digests[path]
        sources._digests[path] = "other"
        if stale(ran, sources):
            seen.add(path)
        sources._digests[path] = digest
    assert not stale(ran, sources)
    assert seen == imported | runs
    assert not any("chapters" in Path(path).relative_to(PACKAGE).parts for path in seen)


def test_data_of_the_package_count_as_those_of_the_checkout(ran: Project) -> None:
    reads = stored_run(ran, ran.notebooks / "good.ipynb")["reads"]
    assert str(HERE.root / "data" / "scaling_laws.csv") in reads
    assert "data/facts.csv" in reads
    for name, expected in (("scaling_laws", True), ("benchmarks", False)):
        sources = Sources(ran)
        sources._digests[str(HERE.root / "data" / f"{name}.csv")] = "other"
        assert stale(ran, sources) is expected


def noted(source: str, *below: Path) -> Reads:
    tried = attempt(make(code(source)), reads_below=below)
    assert tried.problem is None
    assert tried.reads is not None
    return tried.reads


def test_what_a_notebook_opens_is_noted_by_whatever_way(tmp_path: Path) -> None:
    root = tmp_path.resolve()
    names = ("by_open", "by_path", "by_pandas", "by_numpy", "by_os", "relative", "linked")
    for name in names:
        (root / f"{name}.csv").write_text("1\n", encoding="utf-8")
    (root / "link").symlink_to(root / "linked.csv")
    found = noted(
        f"import os, pathlib, numpy, pandas\nroot = pathlib.Path({str(root)!r})\n"
        "open(root / 'by_open.csv').close()\n(root / 'by_path.csv').read_bytes()\n"
        "pandas.read_csv(root / 'by_pandas.csv')\nnumpy.loadtxt(root / 'by_numpy.csv')\n"
        "os.close(os.open(root / 'by_os.csv', os.O_RDONLY))\nos.chdir(root)\nopen('relative.csv').close()\n"
        "open('link').close()\nopen('written.csv', 'w').close()\nos.scandir(root).close()",
        root,
    )
    files = frozenset(str(root / f"{name}.csv") for name in names)
    assert found == Reads(files | modules(found), frozenset([str(root)]), frozenset())


def modules(found: Reads) -> frozenset[str]:
    return frozenset(path for path in found.files if Path(path).is_relative_to(PACKAGE))


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("import subprocess\nsubprocess.run(['true'])", "subprocess.Popen"),
        ("import os\nos.system('true')", "os.system"),
        ("try:\n    import cohort.nowhere\nexcept ImportError:\n    pass", "import cohort.nowhere"),
        (
            "import sys, types\nsys.modules['cohort.a'] = types.ModuleType('cohort.a')",
            "module cohort.a",
        ),
    ],
)
def test_what_nobody_can_follow_is_unknown_and_makes_stale(checkout: Project, source: str, what: str) -> None:
    reads = noted(source, checkout.root)
    assert what in reads.unknown
    path = write(checkout.notebooks / "good.ipynb", make(code(source)))
    store_run(Sources(checkout), path, read_notebook(path), reads, 1.0)
    assert stale(checkout)
    known = Reads(reads.files, reads.folders, frozenset())
    store_run(Sources(checkout), path, read_notebook(path), known, 1.0)
    assert not stale(checkout)
    store_run(Sources(checkout), path, read_notebook(path), None, 1.0)
    assert stale(checkout)


def test_what_changed_while_a_notebook_ran_is_unknown(checkout: Project) -> None:
    root = checkout.root.resolve()
    path = write(checkout.notebooks / "good.ipynb", make(code("x = 1")))
    before = Sources(checkout)
    facts, late = root / "data" / "facts.csv", root / "late.txt"
    facts.write_text("changed\n", encoding="utf-8")
    reads = Reads(frozenset([str(facts)]), frozenset(), frozenset())
    store_run(before, path, read_notebook(path), reads, 1.0)
    assert stale(checkout)  # what it read may have been the one or the other
    late.write_text("new\n", encoding="utf-8")
    assert before.digests(Reads(frozenset([str(late)]), frozenset(), frozenset())) is None


def test_a_package_before_a_module_of_the_same_name_makes_stale(checkout: Project) -> None:
    module = checkout.root.resolve() / "src" / "helper.py"
    module.parent.mkdir()
    module.write_text("x = 1\n", encoding="utf-8")
    path = write(checkout.notebooks / "good.ipynb", make(code("x = 1")))
    reads = Reads(frozenset([str(module)]), frozenset(), frozenset())
    store_run(Sources(checkout), path, read_notebook(path), reads, 1.0)
    assert not stale(checkout)
    (module.parent / "helper").mkdir()
    (module.parent / "helper" / "__init__.py").write_text("x = 2\n", encoding="utf-8")
    assert stale(checkout)


def test_edits_of_the_package_and_the_data_in_a_checkout_of_its_own(tmp_path: Path) -> None:
    """For real: `cohort run` of a copy of the sources, after one edit and another."""
    project = new_checkout(tmp_path.resolve())
    shutil.rmtree(project.root / "data")
    left_out = shutil.ignore_patterns("__pycache__", "*.egg-info")
    for folder in ("src", "data"):
        shutil.copytree(HERE.root / folder, project.root / folder, ignore=left_out)
    source = "import cohort\nfrom cohort.runner import record\nrecord(alpha=cohort.law('besiroglu').alpha)"
    write(project.notebooks / "good.ipynb", make(code(source)))
    environment = {**os.environ, "PYTHONPATH": str(project.root / "src")}

    def status() -> str:
        command = [sys.executable, "-c", "from cohort.cli import main; main()", "run"]
        done = subprocess.run(
            command,
            cwd=project.root,
            env=environment,
            capture_output=True,
            check=True,
            text=True,
            timeout=120,
        )
        return done.stdout.split(maxsplit=1)[1].removesuffix("s\n").rstrip(" .0123456789\n")

    def append(name: str, line: str) -> None:
        with (project.root / name).open("a", encoding="utf-8") as file:
            file.write(line)

    assert status() == "written"
    assert status() == "up to date"
    append("src/cohort/serving/roofline.py", "\n# Edited.\n")
    append("src/cohort/chapters/data_optimal/figures.py", "\n# Edited.\n")
    append("data/benchmarks.csv", "\n")
    assert status() == "up to date"
    append("src/cohort/scaling/dense_laws.py", "\n# Edited.\n")
    assert status() == "unchanged"
    assert status() == "up to date"
    laws = project.root / "data" / "scaling_laws.csv"
    rows = laws.read_text(encoding="utf-8").splitlines(keepends=True)
    laws.write_text("".join([rows[0], *reversed(rows[1:])]), encoding="utf-8")
    assert status() == "unchanged"
