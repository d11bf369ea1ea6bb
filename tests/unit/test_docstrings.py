"""The docstrings: complete, and true where they show an example."""

import ast
import doctest
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from reading import ROOT

PACKAGE = ROOT / "src" / "cohort"
# Kernels are processes: importing a server's module is none of a test's business.
LEFT_OUT = ("runner/kernels/",)
LEAST_EXAMPLES = 175  # functions, methods and classes whose docstring shows an example
MOST_INCOMPLETE = 291  # functions with arguments whose docstring lacks a section

Definition = ast.FunctionDef | ast.ClassDef


def modules() -> Iterator[tuple[str, Path]]:
    """Yield the name and the path of each module whose docstrings are held."""
    for path in sorted(PACKAGE.rglob("*.py")):
        place = path.relative_to(PACKAGE).as_posix()
        if not place.startswith(LEFT_OUT):
            parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
            yield ".".join(part for part in parts if part != "__init__"), path


MODULES = dict(modules())


def public(tree: ast.Module) -> Iterator[tuple[str, Definition]]:
    """Yield the public functions, classes and methods of a module, with their names."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            yield node.name, node
            for inner in node.body if isinstance(node, ast.ClassDef) else ():
                if isinstance(inner, ast.FunctionDef) and not inner.name.startswith("_"):
                    yield f"{node.name}.{inner.name}", inner


DEFINITIONS = [
    (module, name, node)
    for module, path in MODULES.items()
    for name, node in public(ast.parse(path.read_text(encoding="utf-8")))
]


def sections(node: Definition) -> set[str]:
    """Return the heads of a docstring's sections."""
    text = ast.get_docstring(node) or ""
    return set(re.findall(r"^([A-Z][A-Za-z ]+)\n-{3,}$", text, re.M))


def takes_arguments(function: ast.FunctionDef) -> bool:
    given = function.args
    names = [one.arg for one in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
    return bool(set(names) - {"self", "cls"} or given.vararg or given.kwarg)


def is_command(function: ast.FunctionDef) -> bool:
    """Whether a function is a command, whose docstring is its help and whose options describe themselves."""
    return any("command" in ast.unparse(decorator) for decorator in function.decorator_list)


def own(function: ast.FunctionDef) -> Iterator[ast.AST]:
    """Yield the nodes of a function, those of functions inside it left out."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        if not isinstance(node, ast.FunctionDef | ast.Lambda | ast.ClassDef):
            yield node
            waiting.extend(ast.iter_child_nodes(node))


def returns(function: ast.FunctionDef) -> bool:
    """Whether a function returns or yields a value."""
    return any(
        isinstance(node, ast.Yield | ast.YieldFrom)
        or (isinstance(node, ast.Return) and node.value is not None)
        for node in own(function)
    )


def raises(function: ast.FunctionDef) -> bool:
    """Whether a function raises by itself; what it calls may raise more."""
    return any(isinstance(node, ast.Raise) for node in own(function))


def lacking(function: ast.FunctionDef) -> list[str]:
    """Return the sections that a function's docstring should have and has not."""
    needed = {"Parameters": True, "Returns": returns(function), "Raises": raises(function)}
    found = sections(function)
    if "Yields" in found:
        found.add("Returns")
    return [name for name, wanted in needed.items() if wanted and name not in found]


INCOMPLETE = {
    f"{module}.{name}": missing
    for module, name, node in DEFINITIONS
    if isinstance(node, ast.FunctionDef)
    and takes_arguments(node)
    and not is_command(node)
    and (missing := lacking(node))
}


def test_functions_with_arguments_say_what_they_take_return_and_raise():
    assert len(INCOMPLETE) <= MOST_INCOMPLETE, INCOMPLETE
    wings = {name.split(".")[1] for name in INCOMPLETE}
    assert not wings & {
        "display",
        "registry",
        "serving",
        "fitting",
        "scaling",
        "experts",
        "numeric",
        "errors",
    }


def test_many_docstrings_show_an_example():
    shown = [f"{module}.{name}" for module, name, node in DEFINITIONS if "Examples" in sections(node)]
    assert len(shown) >= LEAST_EXAMPLES


WITH_EXAMPLES = [
    name
    for name, path in MODULES.items()
    if any(">>> " in line and "+SKIP" not in line for line in path.read_text(encoding="utf-8").splitlines())
]


@pytest.mark.parametrize("module", WITH_EXAMPLES)
def test_examples_are_true(module, monkeypatch):
    monkeypatch.chdir(ROOT)
    found = doctest.testmod(importlib.import_module(module))
    assert found.attempted
    assert not found.failed
