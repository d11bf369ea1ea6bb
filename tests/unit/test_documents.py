"""What the pages outside the chapters print: code that runs and has types, commands that exist."""

import ast
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from reading import ROOT

from cohort.cli import main
from cohort.runner.notebook.document import read_notebook
from cohort.runner.parameter_cells import read_parameters

PAGES = sorted(ROOT.glob("*.md"))
BLOCK = re.compile(r"^```(?:\{)?(?P<kind>shell|session|python)\}?[^\n]*\n(?P<text>.*?)^```$", re.M | re.S)
EXAMPLES = ("README.md", "api.md")
CHAPTERS = {path.stem: path for path in (ROOT / "notebooks").glob("*.ipynb")}
CHECKOUT = {"PYTHONPATH": str(ROOT / "src"), "MYPYPATH": str(ROOT / "src")}


def blocks(page: str, *kinds: str) -> list[str]:
    """Return the blocks of code of a page, of the given kinds."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return [block["text"] for block in BLOCK.finditer(text) if block["kind"] in kinds]


def stated(code: str) -> Iterator[tuple[ast.stmt, str]]:
    """Yield each statement of a block with the value that a comment after it states, empty without one."""
    lines = code.splitlines()
    for statement in ast.parse(code).body:
        comment = lines[(statement.end_lineno or 1) - 1].partition("  # ")[2].strip()
        yield statement, comment if re.match(r"[\d\'\"\[({-]", comment) else ""


@pytest.mark.parametrize("page", EXAMPLES)
def test_examples_run_and_say_what_they_state(page, monkeypatch):
    monkeypatch.chdir(ROOT)
    names: dict[str, object] = {}
    compared = 0
    for code in blocks(page, "python"):
        for statement, value in stated(code):
            if not isinstance(statement, ast.Expr):
                exec(compile(ast.Module([statement], []), page, "exec"), names)
                continue
            found = repr(eval(compile(ast.Expression(statement.value), page, "eval"), names))
            if value:
                compared += 1
                assert found.startswith(value[:-3]) if value.endswith("...") else found == value
    assert compared >= 2


@pytest.mark.slow
def test_examples_have_types(tmp_path):
    files = []
    for page in EXAMPLES:
        file = tmp_path / f"{Path(page).stem.casefold()}_example.py"
        file.write_text("\n".join(blocks(page, "python")), encoding="utf-8")
        files.append(str(file))
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", str(ROOT / "pyproject.toml"), *files],
        cwd=ROOT,
        env={**os.environ, **CHECKOUT},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def commands() -> Iterator[tuple[str, list[str]]]:
    """Yield every command of the pages as its words; those inside the text may be cut short by ``...``."""
    for path in PAGES:
        text = path.read_text(encoding="utf-8")
        lines = [line for block in blocks(path.name, "shell", "session") for line in block.splitlines()]
        inline = [f"{found} ..." for found in re.findall(r"`((?:cohort|make|pip) [^`]+)`", text)]
        for line in [*lines, *inline]:
            for part in re.split(r" && ", line):
                if words := shlex.split(part, comments=True):
                    yield path.name, words


COMMANDS = [pytest.param(words, id=f"{page}: {' '.join(words)}"[:80]) for page, words in commands()]


def of(program: str) -> list[object]:
    found = [param for param in COMMANDS if param.values[0][0] == program]
    assert found, program
    return found


def check_parameters(name: str, given: list[tuple[str, str]]) -> None:
    """Hold a chapter and the parameters that a command gives it against the notebook."""
    assert name in CHAPTERS
    known = {one.name for one in read_parameters(name, read_notebook(CHAPTERS[name]))}
    assert {key for key, _ in given} <= known


@pytest.mark.parametrize("words", of("cohort"))
def test_cohort_knows_its_commands(words):
    _, command, *rest = words
    if "usd_per_hr" in rest:  # a page shows what a misspelt name meets
        rest = [word.replace("usd_per_hr", "usd_per_hour") for word in rest]
    if rest[-1:] == ["..."]:
        options = {option for one in main.commands[command].params for option in one.opts}
        assert {word for word in rest if word.startswith("-")} <= options
        return
    # Parsed as when it runs: an option or a value that there is not raises here.
    context = main.commands[command].make_context(command, rest)
    given = context.params
    if command in ("run", "sweep", "parameters"):
        named = [given["name"]] if "name" in given else given["names"]
        axes = [tuple(axis.split("=", 1)) for axis in (*given.get("grid", ()), *given.get("zipped", ()))]
        for name in filter(None, named):
            check_parameters(name, [*given.get("parameters", ()), *axes])


@pytest.mark.parametrize("words", of("papermill"))
def test_papermill_gets_a_chapter_and_parameters_that_it_has(words):
    _, source, _target, *rest = words
    assert (ROOT / source).is_file()
    assert rest[::3] == ["-p"] * (len(rest) // 3)
    check_parameters(Path(source).stem, list(zip(rest[1::3], rest[2::3], strict=True)))


@pytest.mark.parametrize("words", of("make"))
def test_make_knows_its_targets(words):
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    assert {word for word in words[1:] if "=" not in word and word != "..."} <= set(targets)


@pytest.mark.slow
def test_what_is_installed_is_this_package():
    """No instruction names `cohort` on the package index, which is another author's."""
    places = [
        *PAGES,
        *ROOT.glob(".github/workflows/*"),
        *ROOT.glob("binder/*"),
        *(path for folder in ("src", "benchmarks", "notebooks") for path in (ROOT / folder).rglob("*.py")),
        *CHAPTERS.values(),
    ]
    for path in places:
        for line in path.read_text(encoding="utf-8").splitlines():
            assert not re.search(r"\bpip install [^`]*?(?<![\w.-])cohort(?!-of-models)(?![\w-])", line), path
            assert not re.search(r"(?<![\w.-])cohort\[(?:tables|notebooks|book|cluster|dev)", line), path


def test_click_refuses_what_a_command_does_not_know():
    """The check of commands above can fail."""
    with pytest.raises(click.UsageError):
        main.commands["run"].make_context("run", ["the_cohort", "--nothing"])
