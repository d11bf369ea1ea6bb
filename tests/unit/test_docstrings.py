"""The docstrings: complete, and true where they show an example."""

import ast
import doctest
import importlib
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import inherited_sections
import pytest
from reading import ROOT

PACKAGE = ROOT / "src" / "cohort"
# Kernels are processes: importing a server's module is none of a test's business.
LEFT_OUT = ("runner/kernels/",)
LEAST_EXAMPLES = 207  # functions, methods and classes whose docstring shows an example

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


@cache
def definitions() -> list[tuple[str, str, Definition]]:
    return [
        (module, name, node)
        for module, path in MODULES.items()
        for name, node in public(ast.parse(path.read_text(encoding="utf-8")))
    ]


def sections(node: Definition) -> set[str]:
    """Return the heads of a docstring's sections."""
    return set(inherited_sections.sections(ast.get_docstring(node) or "")) - {""}


def described(node: Definition) -> set[str]:
    """Return the names that stand under *Parameters*."""
    text = inherited_sections.sections(ast.get_docstring(node) or "").get("Parameters", "")
    entries = [line.split(" : ")[0] for line in text.splitlines() if line and not line[0].isspace()]
    return {name.strip().lstrip("*") for entry in entries for name in entry.split(",")}


def given(function: ast.FunctionDef) -> set[str]:
    """Return the names of a function's parameters, that of its object left out."""
    args = function.args
    named = [*args.posonlyargs, *args.args, *args.kwonlyargs, args.vararg, args.kwarg]
    return {one.arg for one in named if one} - {"self", "cls"}


def inherited(module: str, name: str) -> set[str]:
    """Return the heads of the sections that a method takes over from a base class, as the book shows them."""
    owner, _, method = name.rpartition(".")
    if not owner:
        return set()
    return set(inherited_sections.inherited(getattr(importlib.import_module(module), owner), method))


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


def lacking(module: str, name: str, function: ast.FunctionDef) -> list[str]:
    """Return the sections that a function's docstring should have and has not.

    A method that overrides another, and says in a line what it does, need not repeat what that one says of
    the same parameters.
    """
    needed = {"Parameters": True, "Returns": returns(function), "Raises": raises(function)}
    found = sections(function)
    if not needed.keys() <= found and ast.get_docstring(function):
        found |= inherited(module, name)
    if "Yields" in found:
        found.add("Returns")
    return [head for head, wanted in needed.items() if wanted and head not in found]


@cache
def held() -> list[tuple[str, str, ast.FunctionDef]]:
    return [
        (module, name, node)
        for module, name, node in definitions()
        if isinstance(node, ast.FunctionDef) and given(node) and not is_command(node)
    ]


@cache
def incomplete() -> dict[str, list[str]]:
    return {
        f"{module}.{name}": missing
        for module, name, node in held()
        if (missing := lacking(module, name, node))
    }


@pytest.mark.slow
def test_functions_with_arguments_say_what_they_take_return_and_raise():
    assert incomplete() == {}


@pytest.mark.slow
def test_parameters_are_described_by_the_names_that_they_have():
    wrong = {
        f"{module}.{name}": described(node) ^ given(node)
        for module, name, node in held()
        if "Parameters" in sections(node) and described(node) != given(node)
    }
    assert not wrong


OVERRIDES = '''
class Base:
    def weights(self, hidden, shared=False):
        """Return weights.

        Parameters
        ----------
        hidden : int
            Width.
        shared : bool
            Whether they are shared.

        Returns
        -------
        int
            Weights.
        """
        return hidden

    def bare(self, hidden):
        """Return a count."""
        return hidden


class Between(Base):
    def weights(self, hidden, shared=False):
        """Return the weights of this kind."""
        return 2 * hidden


class Other(Base):
    def weights(self, width, shared=False):
        """Return the weights of this kind."""
        return 3 * width


class Further(Between):
    def weights(self, hidden, shared=False):
        """Return the weights of a further kind."""
        return 4 * hidden


class Undocumented(Base):
    def weights(self, hidden, shared=False):
        return 5 * hidden


class Renamed(Base):
    def weights(self, size, shared=False):
        """Return other weights."""
        return size


class Fewer(Base):
    def weights(self, hidden):
        """Return fewer weights."""
        return hidden


class Behind(Other):
    def weights(self, hidden, shared=False):
        """Give back the names that the class before has changed."""
        return hidden


class Raising(Base):
    def weights(self, hidden, shared=False):
        """Return weights, or raise what the base never does."""
        if hidden < 0:
            raise ValueError
        return hidden


class Barely(Base):
    def bare(self, hidden):
        """Return a count of this kind."""
        return hidden


class Alone:
    def weights(self, hidden, shared=False):
        """Return weights."""
        return hidden
'''


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("Base.weights", []),
        ("Between.weights", []),
        ("Further.weights", []),
        ("Undocumented.weights", ["Parameters", "Returns"]),
        ("Renamed.weights", ["Parameters", "Returns"]),
        ("Fewer.weights", ["Parameters", "Returns"]),
        ("Behind.weights", ["Parameters", "Returns"]),
        ("Raising.weights", ["Raises"]),
        ("Barely.bare", ["Parameters", "Returns"]),
        ("Alone.weights", ["Parameters", "Returns"]),
    ],
)
def test_an_override_takes_over_what_its_base_says_and_no_more(name, missing, tmp_path, monkeypatch):
    (tmp_path / "overriding.py").write_text(OVERRIDES, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "overriding", raising=False)
    assert lacking("overriding", name, dict(public(ast.parse(OVERRIDES)))[name]) == missing


def test_many_docstrings_show_an_example():
    shown = [f"{module}.{name}" for module, name, node in definitions() if "Examples" in sections(node)]
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
