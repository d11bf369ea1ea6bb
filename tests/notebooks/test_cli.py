"""The command line: what it prints, what it refuses, and that it refuses before any kernel starts."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import termios
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from synthetic import CHAPTERS, code, good, make, write

from cohort.cli import main
from cohort.errors import LONGEST, NotebookError
from cohort.registry import facts
from cohort.runner.kernels import kernel
from cohort.runner.notebook.document import read_notebook
from cohort.runner.project import Project, find_project
from cohort.runner.records import read_record


@pytest.fixture
def book(checkout: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A checkout with two notebooks, in which no kernel may start."""
    write(checkout.notebooks / "attention.ipynb", good())
    write(checkout.notebooks / "zoo.ipynb", make(code("x = 1")))
    monkeypatch.chdir(checkout.root)
    monkeypatch.setattr(kernel, "_in_worker", no_kernel)
    return checkout


def no_kernel(*_: object) -> Any:
    raise AssertionError("a kernel was started")


def cohort(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def refused(*arguments: str) -> str:
    """Run a command that must end with status 1 and a single line on stderr, and return that line."""
    result = cohort(*arguments)
    assert result.exit_code == 1, result.output
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: ")
    return line.removeprefix("error: ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "attenton"], "unknown notebook 'attenton'; did you mean 'attention'?"),
        (["check", "notebooks/attenton.ipynb"], "unknown notebook 'attenton'; did you mean 'attention'?"),
        (["parameters", "data/attention.ipynb"], "unknown notebook 'data/attention.ipynb'"),
        (["run", "attention", "-p", "contxt", "1"], "unknown parameter of attention: 'contxt'; did you mean"),
        (["run", "attention", "-y", "{contxt: 1}"], "unknown parameter of attention: 'contxt'; did you mean"),
        (["run", "attention", "-p", "context", "many", "--out", "o.ipynb"], "parameter context takes an int"),
        (["run", "attention", "-y", "causal: 1", "--out", "o.ipynb"], "parameter causal takes a bool"),
        (["run", "attention", "-f", "absent.yaml", "--out", "o.ipynb"], "parameters file 'absent.yaml'"),
        (["run", "attention", "-p", "context", "1"], "parameters need --out OUT.ipynb"),
        (["run", "-p", "context", "1", "--out", "o.ipynb"], "for one notebook; 0 were named"),
        (["run", "attention", "zoo", "--out", "o.ipynb"], "for one notebook; 2 were named"),
        (
            ["run", "attention", "-p", "context", "1", "--out", "notebooks/attention.ipynb"],
            "--out is 'notebooks/attention.ipynb', among the committed notebooks",
        ),
        (["run", "zoo", "-p", "x", "1", "--out", "o.ipynb"], "unknown parameter of zoo: 'x'"),
    ],
)
def test_what_cannot_be_run_is_refused_before_any_kernel_starts(
    book: Project, arguments: list[str], message: str
) -> None:
    assert message in refused(*arguments)
    assert not (book.root / "o.ipynb").exists()


@pytest.mark.parametrize(
    "name", ["attention", "attention.ipynb", "notebooks/attention", "notebooks/attention.ipynb"]
)
def test_a_notebook_is_named_with_or_without_folder_and_suffix(book: Project, name: str) -> None:
    assert book.find(name) == book.notebooks / "attention.ipynb"


def test_a_notebook_elsewhere_is_named_by_its_path(book: Project, tmp_path_factory: Any) -> None:
    elsewhere = write(tmp_path_factory.mktemp("elsewhere") / "n.ipynb", good())
    assert book.find(str(elsewhere)) == elsewhere


def test_parameters_as_json(book: Project) -> None:
    result = cohort("parameters", "attention", "--json")
    assert result.exit_code == 0
    listed = json.loads(result.stdout)
    assert list(listed) == ["attention"]
    assert listed["attention"][0] == {
        "name": "context",
        "type": "int",
        "default": 8192,
        "help": "Context, in tokens.",
    }
    assert [row["default"] for row in listed["attention"][3:5]] == [True, ["llama-3-8b", "dbrx"]]


def test_parameters_as_a_table(book: Project) -> None:
    lines = cohort("parameters").stdout.splitlines()
    assert lines[0] == "attention"
    assert lines[1] == "  context   int          8192             Context, in tokens."
    assert lines[5] == "  models    list[str]    llama-3-8b,dbrx  Rows of the table."
    assert lines[-1] == "zoo: no parameters"


def test_a_bad_parameters_cell_is_told(book: Project) -> None:
    write(book.notebooks / "zoo.ipynb", make(code("x = 1", "p", "parameters")))
    assert refused("parameters", "--json").startswith("zoo, cell 1 [p] `x = 1`: line 'x = 1' is no parameter")


def test_the_table_of_contents_orders_the_notebooks(book: Project) -> None:
    toc = "format: jb-book\nroot: intro\nparts:\n- chapters:\n  - file: notebooks/zoo\n  - file: glossary\n"
    (book.root / "_toc.yml").write_text(toc, encoding="utf-8")
    assert [path.stem for path in find_project(book.notebooks).paths()] == ["zoo", "attention"]


def test_a_table_of_contents_that_is_no_yaml_is_told(book: Project) -> None:
    (book.root / "_toc.yml").write_text("root: [", encoding="utf-8")
    assert refused("check").startswith("_toc.yml: is not YAML: ")


def test_a_person_sees_a_progress_bar(checkout: Project) -> None:
    (checkout.notebooks / "broken.ipynb").write_text("{", encoding="utf-8")
    command = [sys.executable, "-c", "from cohort.cli import main; main()", "run"]
    terminal, end = pty.openpty()
    termios.tcsetwinsize(end, (24, 100))
    env = {name: value for name, value in os.environ.items() if name != "CI"}
    finished = subprocess.run(
        command, cwd=checkout.root, env=env, stdout=subprocess.PIPE, stderr=end, check=False, timeout=60
    )
    shown = os.read(terminal, 100_000).decode()
    os.close(terminal)
    os.close(end)
    assert finished.returncode == 1
    assert "run:   0%" in shown
    assert "error: broken.ipynb: is not a notebook in JSON" in shown
    assert finished.stdout.split()[:2] == [b"broken", b"failed"]


def test_outside_of_any_checkout_the_packages_own_is_meant(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_project().root == Path(__file__).resolve().parents[2]
    monkeypatch.setattr("cohort.runner.project.__file__", str(tmp_path / "a" / "b" / "c" / "d.py"))
    with pytest.raises(NotebookError, match="go to the checkout of the book"):
        find_project()


def test_a_checkout_without_notebooks_is_told(checkout: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(checkout.root)
    assert refused("check") == "there is no notebook in notebooks/ yet."


def test_every_failure_is_a_line_and_the_status_is_1(book: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str, *_: object) -> Any:
        raise NotebookError(f"{name}: it broke")

    monkeypatch.setattr(kernel, "_in_worker", fail)
    result = cohort("run", "--jobs", "1")
    assert result.exit_code == 1
    assert result.stderr.splitlines() == ["error: attention: it broke", "error: zoo: it broke"]
    # A machine that is slow enough adds how long each took.
    assert [line.split()[:2] for line in result.stdout.splitlines()] == [
        ["attention", "failed"],
        ["zoo", "failed"],
    ]


def test_a_variant_from_every_kind_of_source(checkout: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(checkout.root)
    write(checkout.notebooks / "attention.ipynb", good())
    (checkout.root / "values.yaml").write_text(
        "context: 1\nmodel: from-file\ncausal: false\n", encoding="utf-8"
    )
    given = ["-f", "values.yaml", "-y", "{context: 2, budget: 6e24}"]
    given += ["-p", "context", "131072", "-r", "models", "dbrx,b"]
    result = cohort("run", "attention", *given, "--out", "out.ipynb")
    assert (result.exit_code, result.stdout) == (0, "wrote out.ipynb\n"), result.output
    variant = read_notebook(checkout.root / "out.ipynb")
    assert variant["cells"][2]["source"].splitlines()[1:] == [
        "context = 131072",
        'model = "from-file"',
        "causal = False",
        "budget = 6e+24",
        'models = ["dbrx", "b"]',
    ]
    assert read_record(variant)["cache"]["value"] == 16.0


def test_a_check_of_two_machines_is_one_pass(checkout: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(checkout.root)
    write(checkout.notebooks / "zoo.ipynb", make(code("x = 1")))
    assert cohort("run").exit_code == 0
    seen: list[str | None] = []

    def attempt(*given: Any, machine: dict[str, str], **named: Any) -> Any:
        seen.append(machine.get("OMP_NUM_THREADS"))
        return plain(*given, machine=machine, **named)

    plain = kernel.attempt
    monkeypatch.setattr(kernel, "attempt", attempt)
    for arguments, names, machines in (
        ([], ["zoo"], [None]),
        (["--profile", "many-threads"], ["zoo as elsewhere"], ["4"]),
        (["--profile", "many-threads", "--and-here"], ["zoo", "zoo as elsewhere"], ["4", None]),
    ):
        seen.clear()
        result = cohort("check", *arguments)
        assert result.exit_code == 0, result.output
        assert sorted(line.split("unchanged")[0].strip() for line in result.stdout.splitlines()) == names
        assert sorted(seen, key=str) == machines


def test_help_shows_examples_and_every_command() -> None:
    result = cohort("--help")
    assert result.exit_code == 0
    assert (
        "cohort run the_cohort -p context 65536 -p models llama-3-8b,dbrx --out long.ipynb" in result.stdout
    )
    assert list(main.commands) == [
        *("run", "sweep", "check", "diff", "parameters"),
        *("model", "memory", "models", "accelerators", "grids", "laws", "fit", "plan", "footprint"),
    ]
    for name in main.commands:
        assert cohort(name, "--help").exit_code == 0
    assert cohort("--version").stdout.startswith("cohort, version ")


def test_help_and_parameters_load_nothing_that_runs_notebooks() -> None:
    program = (
        "import sys\nfrom cohort.cli import main\n"
        "for arguments in (['--help'], ['parameters']):\n"
        "    try:\n        main(arguments)\n"
        "    except SystemExit as end:\n        assert not end.code, end.code\n"
        "slow = {'papermill', 'nbformat', 'nbclient', 'IPython', 'numpy', 'tqdm'} & set(sys.modules)\n"
        "assert not slow, slow"
    )
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, timeout=60)


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_every_chapter_lists_its_parameters(path: Path) -> None:
    rows = json.loads(cohort("parameters", path.stem, "--json").stdout)[path.stem]
    assert rows
    assert all(set(row) == {"name", "type", "default", "help"} for row in rows)


# --- what the package knows


@pytest.mark.parametrize(
    ("arguments", "first"),
    [
        (["model", "meta-llama/Meta-Llama-3-8B"], "Llama 3 8B (llama-3-8b)"),
        (["models", "llama"], "model "),
        (["accelerators", "nvidia", "80gb"], "accelerator "),
        (["grids", "SE"], "grid "),
        (["laws"], "law "),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_what_the_package_knows_needs_no_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], first: str
) -> None:
    monkeypatch.chdir(tmp_path)
    result = cohort(*arguments)
    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert lines[0].startswith(first)
    assert max(map(len, lines)) <= 80
    told = json.loads(cohort(*arguments, "--json").stdout)
    assert told["model"] == "llama-3-8b" if arguments[0] == "model" else told[0]["name"]


def test_a_model_is_shown_at_a_context() -> None:
    assert "1 GiB at 8,192 tokens" in cohort("model", "llama-3-8b").stdout
    assert "16 GiB at 131,072 tokens" in cohort("model", "llama-3-8b", "--context", "131072").stdout
    told = json.loads(cohort("model", "llama-3-8b", "--context", "131072", "--json").stdout)
    assert told["cache_bytes"] == 131_072 * 131_072


def test_a_model_may_be_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = Path(facts.config_path("dbrx")).read_text(encoding="utf-8")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "config.json").write_text(config, encoding="utf-8")
    (tmp_path / "list.json").write_text("[1]", encoding="utf-8")
    (tmp_path / "broken.json").write_text("{", encoding="utf-8")
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    for path in ("~/mine", "./mine", "mine/", "mine/config.json", str(tmp_path / "mine")):
        assert cohort("model", path).stdout.startswith("mine\n"), path
    assert refused("model", "list.json") == "'list.json' holds [1], but a config is an object of fields"
    assert refused("model", "broken.json").startswith("'broken.json' is not JSON: ")
    assert refused("model", "./empty") == "there is no file './empty/config.json'"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["model", "gemma27b"], "unknown model 'gemma27b'; did you mean 'gemma-3-27b'"),
        (["model", ""], "unknown model ''; give the path of its config.json, or one of cohort.models()"),
        (["model", "x" * 10_000], "unknown model 'xxx"),
        (["model", "\x1b[31m"], r"unknown model '\x1b[31m'; "),
        (["models", "nothing", "such"], "unknown model 'nothing such'; "),
        (["accelerators", "H300"], "unknown accelerator 'H300'; did you mean 'H200' or "),
        (["grids", "Sweeden"], "unknown grid 'Sweeden'; did you mean 'Sweden'?"),
        (["laws", "x" * 10_000], "unknown law 'xxx"),
        (["model", "llama-3-8b", "--context", "9" * 20], "context is 99999999999999999999, but must be "),
    ],
    ids=range(9),
)
def test_what_is_not_known_is_one_short_sentence(arguments: list[str], message: str) -> None:
    told = refused(*arguments)
    assert told.startswith(message)
    assert len(told) <= LONGEST


@pytest.mark.parametrize("context", ["0", "-5", "many", "1.5", ""])
def test_a_context_is_a_positive_number(context: str) -> None:
    result = cohort("model", "llama-3-8b", "--context", context)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Invalid value for '--context'" in result.stderr


def completed(words: str) -> list[str]:
    """Return what a shell is offered for the last of some words."""
    *before, last = words.split(" ")
    environment = {"COMP_WORDS": f"cohort {' '.join(before)} {last}", "COMP_CWORD": str(len(before) + 1)}
    environment["_COHORT_COMPLETE"] = "bash_complete"
    result = CliRunner().invoke(main, env=environment, prog_name="cohort", complete_var="_COHORT_COMPLETE")
    return [line.removeprefix("plain,") for line in result.stdout.split()]


def test_a_shell_completes_names() -> None:
    assert completed("model qwen3-3") == ["qwen3-32b", "qwen3-30b-a3b"]
    assert completed("model QWEN3-32") == ["qwen3-32b"]
    assert completed("model ./li") == ["file,./li"]  # the shell's own completion of paths
    assert completed("models falcon-1") == ["falcon-180b"]
    assert completed("accelerators h1") == ["H100"]
    assert "SXM" in completed("accelerators H100 S")
    assert completed("grids Swe") == ["Sweden"]
    assert completed("laws sard") == ["sardana", "sardana-refit"]
    assert {"model", "models"} <= set(completed("mod"))


def test_a_shell_completes_notebooks_where_there_are_any(
    book: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    for command in ("run", "check", "parameters", "sweep"):
        assert completed(f"{command} at") == ["attention"], command
    assert completed("run attention z") == ["zoo"]
    monkeypatch.setattr("cohort.runner.project.find_project", _no_project)
    assert completed("run at") == []


def _no_project() -> Any:
    raise NotebookError("there is no book here")
