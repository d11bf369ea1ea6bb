"""The rules that every notebook of the book keeps, each as a function that yields what breaks it."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from cohort.errors import NotebookError, shown
from cohort.runner.checking.comparison import tolerance
from cohort.runner.checking.prose import typed_numbers
from cohort.runner.notebook.canonical_form import notebook_text
from cohort.runner.notebook.document import Cell, Notebook, has_tag, numbered, place, read_notebook
from cohort.runner.parameter_cells import read_parameters

MAX_LINES = 15
MAX_WIDTH = 100
MAX_SAID = 0.25  # share of the code's characters that cells which call `say` may hold


Rule = Callable[[str, Notebook], Iterator[str]]


def lint(name: str, notebook: Notebook) -> list[str]:
    """Return every problem of a notebook, one line each; empty where it keeps all rules.

    Parameters
    ----------
    name : str
        The notebook's name, for the messages.
    notebook : dict
        The executed notebook.

    Returns
    -------
    list of str
        Each names the cell and what breaks the rule.
    """
    return [problem for rule in RULES for problem in rule(name, notebook)]


def lint_file(path: Path) -> list[str]:
    """Return every problem of a committed notebook: those of `lint`, and a file that is not canonical.

    Parameters
    ----------
    path : Path
        The notebook's file.

    Returns
    -------
    list of str
        A line each.
    """
    try:
        notebook = read_notebook(path)
    except NotebookError as error:
        return [str(error)]
    problems = lint(path.stem, notebook)
    if path.read_bytes() != notebook_text(notebook).encode():
        problems.append(f"{path.stem}: is not in canonical form; `cohort run {path.stem}` brings it there.")
    return problems


def _short_cells(name: str, notebook: Notebook) -> Iterator[str]:
    """Find code cells of more than 15 lines; a parameter counts as one, however long its list is."""
    for where, cell in _code(name, notebook):
        parameters = _statements(cell) if has_tag(cell, "parameters") else []
        lines = len(parameters or cell["source"].strip().splitlines())
        if lines > MAX_LINES:
            yield f"{where}: has {lines} lines; at most {MAX_LINES} are allowed."


def _short_lines(name: str, notebook: Notebook) -> Iterator[str]:
    """Find lines of code of more than 100 characters."""
    for where, cell in _code(name, notebook):
        for number, line in enumerate(cell["source"].splitlines(), start=1):
            if len(line) > MAX_WIDTH:
                yield f"{where}: line {number} has {len(line)} characters; at most {MAX_WIDTH} are allowed."


def _no_nested_fstrings(name: str, notebook: Notebook) -> Iterator[str]:
    """Find f-strings inside the braces of another."""
    for where, cell in _code(name, notebook):
        values = [node.value for node in _nodes(cell) if isinstance(node, ast.FormattedValue)]
        if any(isinstance(inner, ast.JoinedStr) for value in values for inner in ast.walk(value)):
            yield f"{where}: nests an f-string in another; put the sentence into the chapter's words."


def _mostly_code(name: str, notebook: Notebook) -> Iterator[str]:
    """Find notebooks a quarter or more of whose code stands in cells that call ``say``."""
    code = [(len(cell["source"]), _says(cell)) for _, cell in _code(name, notebook)]
    share = sum(size for size, says in code if says) / max(1, sum(size for size, _ in code))
    if share >= MAX_SAID:
        yield (
            f"{name}: cells that call say hold {share:.0%} of the code's characters; less than "
            f"{MAX_SAID:.0%} are allowed, and sentences go to the chapter's words."
        )


def _no_empty_cells(name: str, notebook: Notebook) -> Iterator[str]:
    """Find empty cells."""
    for number, cell in numbered(notebook):
        if not cell["source"].strip():
            yield f"{place(name, number, cell)}: is empty."


def _plain_python(name: str, notebook: Notebook) -> Iterator[str]:
    """Find code that is not plain Python, such as magics and shell commands."""
    for where, cell in _code(name, notebook):
        if _tree(cell) is None:
            yield f"{where}: is not plain Python (a magic, a shell command or a syntax error)."


def _no_definitions(name: str, notebook: Notebook) -> Iterator[str]:
    """Find functions, classes and named lambdas: logic lives in the package."""
    for where, cell in _code(name, notebook):
        for node in _nodes(cell):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                yield f"{where}: defines {node.name}; move it into the package."
            elif isinstance(node, ast.Assign | ast.AnnAssign | ast.NamedExpr) and isinstance(
                node.value, ast.Lambda
            ):
                yield f"{where}: gives a lambda a name; move it into the package as a function."


def _no_titles(name: str, notebook: Notebook) -> Iterator[str]:
    """Find titles drawn into figures, which have captions."""
    for where, cell in _code(name, notebook):
        for node in _nodes(cell):
            if isinstance(node, ast.Attribute) and node.attr in ("set_title", "suptitle"):
                yield f"{where}: calls {node.attr}; say it in the caption."


def _words_between(name: str, notebook: Notebook) -> Iterator[str]:
    """Find code cells that touch; words stand between them, or one of them says the sentence itself."""
    cells = [
        (number, cell) for number, cell in numbered(notebook) if not has_tag(cell, "injected-parameters")
    ]
    for (_, first), (number, second) in pairwise(cells):
        if first["cell_type"] == second["cell_type"] == "code" and not (
            _is_sentence(first)
            or _is_sentence(second)
            or (has_tag(first, "parameters") and _begins_with_imports(second))
        ):
            yield f"{place(name, number, second)}: follows code without a sentence between."


def _no_stderr(name: str, notebook: Notebook) -> Iterator[str]:
    """Find output on stderr and errors."""
    for where, cell in _code(name, notebook):
        for output in cell["outputs"]:
            if output["output_type"] == "error" or output.get("name") == "stderr":
                yield f"{where}: is committed with {output.get('name', 'an error')} among its outputs."


def _executed(name: str, notebook: Notebook) -> Iterator[str]:
    """Find code cells that have not run in order in a fresh kernel."""
    for count, (where, cell) in enumerate(_code(name, notebook), start=1):
        if cell["execution_count"] != count:
            ran = cell["execution_count"]
            yield f"{where}: ran as [{ran}] and not as [{count}]; use `cohort run {name}`."


def _no_variant(name: str, notebook: Notebook) -> Iterator[str]:
    """Find parameters that papermill injected."""
    for number, cell in numbered(notebook):
        if has_tag(cell, "injected-parameters"):
            yield f"{place(name, number, cell)}: was injected by papermill; commit the notebook without it."


def _python3_kernel(name: str, notebook: Notebook) -> Iterator[str]:
    """Find a kernel of another name than python3, which every reader has."""
    kernel = notebook["metadata"].get("kernelspec", {}).get("name")
    if kernel != "python3":
        yield f"{name}: its kernelspec is {shown(kernel)}; it must be 'python3'."


def _strict_parameters(name: str, notebook: Notebook) -> Iterator[str]:
    """Find parameters missing or outside the grammar, which papermill reads too."""
    try:
        if not read_parameters(name, notebook):
            yield f"{name}: has no parameters; tag the cell that holds them `parameters`."
    except NotebookError as error:
        yield str(error)


def _stated_tolerances(name: str, notebook: Notebook) -> Iterator[str]:
    """Find cells tagged ``measured`` that state no tolerance."""
    for where, cell in _code(name, notebook):
        try:
            tolerance(where, cell)
        except NotebookError as error:
            yield str(error)


def _described_figures(name: str, notebook: Notebook) -> Iterator[str]:
    """Find figures that are not a single SVG with caption, name ``fig-…`` and alternative text."""
    seen: set[str] = set()
    for where, cell in _code(name, notebook):
        images = [output["data"] for output in cell["outputs"] if _is_image(output)]
        if not images:
            continue
        figure = cell["metadata"].get("mystnb", {}).get("figure", {})
        label = figure.get("name", "")
        if len(images) > 1:
            yield f"{where}: draws {len(images)} figures; one a cell is allowed."
        if any("image/svg+xml" not in data for data in images):
            yield f"{where}: its figure is not an SVG."
        if not figure.get("caption", "").strip():
            yield f"{where}: its figure has no caption (metadata mystnb.figure.caption)."
        if not label.startswith("fig-") or label in seen:
            yield f"{where}: its figure is named {shown(label)}; give it a name fig-… of its own."
        if not _alt(cell).strip():
            yield f"{where}: its figure has no alternative text (metadata mystnb.image.alt)."
        seen.add(label)


def _no_typed_numbers(name: str, notebook: Notebook) -> Iterator[str]:
    """Find numerals with a unit that are typed by hand in prose, captions or alternative texts."""
    for number, cell in numbered(notebook):
        where = place(name, number, cell)
        if cell["cell_type"] == "markdown":
            for problem in typed_numbers(cell["source"]):
                yield f"{where}: {problem}"
        elif cell["cell_type"] == "code":
            caption = cell["metadata"].get("mystnb", {}).get("figure", {}).get("caption", "")
            for found in (*typed_numbers(caption), *typed_numbers(_alt(cell))):
                yield f"{where}: caption or alternative text: {found}"


RULES: tuple[Rule, ...] = (
    _short_cells,
    _short_lines,
    _no_nested_fstrings,
    _mostly_code,
    _no_empty_cells,
    _plain_python,
    _no_definitions,
    _no_titles,
    _words_between,
    _no_stderr,
    _executed,
    _no_variant,
    _python3_kernel,
    _strict_parameters,
    _stated_tolerances,
    _described_figures,
    _no_typed_numbers,
)


def _code(name: str, notebook: Notebook) -> Iterator[tuple[str, Cell]]:
    for number, cell in numbered(notebook):
        if cell["cell_type"] == "code" and cell["source"].strip():
            yield place(name, number, cell), cell


def _tree(cell: Cell) -> ast.Module | None:
    try:
        tree: ast.Module = ast.parse(cell["source"])
    except (SyntaxError, ValueError):
        return None
    return tree


def _nodes(cell: Cell) -> Iterator[ast.AST]:
    tree = _tree(cell)
    return iter(()) if tree is None else ast.walk(tree)


def _statements(cell: Cell) -> list[ast.stmt]:
    tree = _tree(cell)
    return [] if tree is None else tree.body


def _is_sentence(cell: Cell) -> bool:
    """Whether a cell only says something: its code is hidden, and assigns nothing but what it says."""
    statements = _statements(cell)
    return (
        has_tag(cell, "remove-input")
        and any(map(_is_say, statements))
        and all(_is_say(one) or isinstance(one, ast.Assign) for one in statements)
    )


def _is_say(statement: ast.stmt) -> bool:
    call = statement.value if isinstance(statement, ast.Expr) else None
    return isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "say"


def _says(cell: Cell) -> bool:
    return any(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "say"
        for node in _nodes(cell)
    )


def _begins_with_imports(cell: Cell) -> bool:
    return isinstance(next(iter(_statements(cell)), None), ast.Import | ast.ImportFrom)


def _is_image(output: dict[str, Any]) -> bool:
    return any(mime.startswith("image/") for mime in output.get("data", {}))


def _alt(cell: Cell) -> str:
    return str(cell["metadata"].get("mystnb", {}).get("image", {}).get("alt", ""))
