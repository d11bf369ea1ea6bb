"""What the structure of the package is measured by: wings, arrows, names, lengths.

``python tests/unit/house.py`` prints the figures that the tests hold.
"""

import ast
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "src" / "cohort"
LONG_MODULE, LONG_FUNCTION = 400, 40  # lines from which on there may be two jobs
# From the top down: an import goes to the same wing or to one further down.
WINGS = (
    "cli",
    "chapters",
    "reports",
    "panels",
    "runner",
    "display",
    "planning",
    "footprint",
    "serving",
    "fitting",
    "scaling",
    "architecture",
    "experts",
    "registry",
    "units",
    "numeric",
    "errors",
)


def module_of(path: Path) -> str:
    """Return the name of a module below `cohort`, such as ``serving.roofline``."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


PATHS = {module_of(path): path for path in PACKAGE.rglob("*.py")}


@cache
def modules() -> dict[str, ast.Module]:
    """Return the modules as trees, parsed where a test asks for them."""
    return {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in PATHS.items()}


@cache
def imported(tree: ast.Module) -> set[str]:
    """Return the modules and names below `cohort` that a module imports, at its top or inside functions."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "cohort":
            base = node.module.removeprefix("cohort").lstrip(".")
            found |= {".".join(filter(None, (base, alias.name))) for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name[7:] for alias in node.names if alias.name.startswith("cohort.")}
    return found


def room(module: str) -> str:
    return module.split(".")[0]


@cache
def arrows() -> set[tuple[str, str]]:
    return {
        (room(module), room(target))
        for module, tree in modules().items()
        if module  # the package itself looks names up lazily
        for target in imported(tree)
        if room(target) in WINGS and room(target) != room(module)
    }


@cache
def floors() -> dict[str, int]:
    """Return the floor of each wing: one above the highest that it stands on."""
    found: dict[str, int] = {}
    for wing in reversed(WINGS):
        found[wing] = 1 + max((found[end] for start, end in arrows() if start == wing), default=0)
    return found


def public_functions(tree: ast.Module) -> set[str]:
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name[0] != "_"}


@cache
def homes() -> dict[str, set[str]]:
    """Return the modules that each name of a public function stands in."""
    found: dict[str, set[str]] = {}
    for module, tree in modules().items():
        for name in public_functions(tree):
            found.setdefault(name, set()).add(module)
    return found


@cache
def documented(tree: ast.Module) -> list[ast.FunctionDef | ast.ClassDef]:
    """Return the functions, methods and classes of a module."""
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)]


def code_lines(node: ast.AST, text: list[str]) -> int:
    """Return the lines of a module or function that hold code: no docstrings, comments or empty ones."""
    said: set[int] = set()
    for each in ast.walk(node):
        if isinstance(each, ast.FunctionDef | ast.ClassDef | ast.Module) and ast.get_docstring(each):
            said |= set(range(each.body[0].lineno, (each.body[0].end_lineno or 0) + 1))
    first, last = getattr(node, "lineno", 1), getattr(node, "end_lineno", len(text))
    held = (number for number in range(first, last + 1) if number not in said)
    return sum(bool(text[number - 1].strip()) and text[number - 1].lstrip()[0] != "#" for number in held)


def figures() -> dict[str, object]:
    """Return what the package is measured by."""
    texts = {name: path.read_text(encoding="utf-8").splitlines() for name, path in PATHS.items()}
    functions = [
        (code_lines(node, texts[module]), f"{module}.{node.name}")
        for module, tree in modules().items()
        for node in documented(tree)
        if isinstance(node, ast.FunctionDef)
    ]
    shared = {name: where for name, where in homes().items() if len(where) > 1}
    return {
        "floors": max(floors().values()),
        "arrows between rooms": len(arrows()),
        "modules": len(PATHS),
        "lines of code": sum(code_lines(tree, texts[name]) for name, tree in modules().items()),
        f"modules of over {LONG_MODULE} lines, docstrings included": {
            name: len(text) for name, text in texts.items() if len(text) > LONG_MODULE
        },
        f"functions of over {LONG_FUNCTION} lines of code": {
            name: lines for lines, name in sorted(functions, reverse=True) if lines > LONG_FUNCTION
        },
        "public names in several modules": {name: len(where) for name, where in sorted(shared.items())},
        "docstrings with examples": sum(
            "Examples\n" in (ast.get_docstring(node) or "")
            for tree in modules().values()
            for node in documented(tree)
        ),
    }


if __name__ == "__main__":
    for label, value in figures().items():
        print(f"{label}: {value if not isinstance(value, dict) else len(value)}")
        for name, size in value.items() if isinstance(value, dict) else ():
            print(f"    {name}: {size}")
