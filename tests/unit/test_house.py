"""The structure of the package: wings, arrows downwards only, one chapter apart from the others."""

import ast
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "src" / "cohort"
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
FORMULAS = (
    "architecture",
    "errors",
    "experts",
    "footprint",
    "numeric",
    "panels",
    "planning",
    "registry",
    "scaling",
    "serving",
)
# What of the formula wings needs more than the standard library: simulations, draws and tables.
BEYOND = {
    "experts.router",
    "footprint.calibration",
    "footprint.logs.cells",
    "footprint.logs.channels",
    "footprint.logs.clocks",
    "footprint.logs.files",
    "footprint.logs.meters",
    "footprint.logs.reading",
    "footprint.logs.source",
    "footprint.logs.trackers",
    "footprint.scenarios",
    "footprint.uncertainty",
    "registry.frames",
}


def module_of(path: Path) -> str:
    """Return the name of a module below `cohort`, such as ``serving.roofline``."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


PATHS = {module_of(path): path for path in PACKAGE.rglob("*.py")}


@cache
def modules() -> dict[str, ast.Module]:
    """Return the modules as trees, parsed where a test asks for them."""
    return {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in PATHS.items()}


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


def test_every_file_stands_in_a_wing():
    assert {room(module) for module in modules() if module} <= set(WINGS)


def test_arrows_go_down():
    up = [(start, end) for start, end in arrows() if WINGS.index(start) > WINGS.index(end)]
    assert not up


def test_the_house_is_low_and_has_few_arrows():
    floors: dict[str, int] = {}
    for wing in reversed(WINGS):
        floors[wing] = 1 + max((floors[end] for start, end in arrows() if start == wing), default=0)
    assert max(floors.values()) <= 9, floors
    assert len(arrows()) <= 80, len(arrows())


def test_a_chapter_takes_nothing_from_another():
    chapters = {
        module.split(".")[1] for module in modules() if module.count(".") == 2 and room(module) == "chapters"
    }
    crossing = [
        (module, target)
        for module, tree in modules().items()
        for target in imported(tree)
        if room(module) == room(target) == "chapters"
        and len({part for part in (module.split(".")[1], target.split(".")[1]) if part in chapters}) == 2
    ]
    assert not crossing


def test_formulas_need_the_standard_library_alone():
    libraries = {"numpy", "pandas", "matplotlib", "scipy", "seaborn", "papermill", "nbformat", "click"}
    for module, tree in modules().items():
        if room(module) not in FORMULAS or module in BEYOND:
            continue
        names = {
            name.split(".")[0]
            for node in ast.walk(tree)
            for name in (
                [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else []
            )
        }
        assert not names & libraries, module


def public_functions(tree: ast.Module) -> set[str]:
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name[0] != "_"}


@pytest.mark.parametrize("module", sorted(PATHS))
def test_no_module_takes_the_name_of_a_public_function(module):
    folder, _, name = module.rpartition(".")
    assert name not in public_functions(modules()[module])
    around = modules().get(folder)
    if around is not None and folder:
        bound = {
            alias.asname or alias.name
            for node in around.body
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }
        assert name not in (bound | public_functions(around)) - {
            name for name in bound if f"{folder}.{name}" in modules()
        }


EVERY_CHAPTER_HAS = {"brief", "judge", "takeaways", "worked"}


def test_few_names_mean_two_functions():
    homes: dict[str, set[str]] = {}
    for module, tree in modules().items():
        for name in public_functions(tree):
            homes.setdefault(name, set()).add(module)
    twice = {name: where for name, where in homes.items() if len(where) > 1}
    for name in EVERY_CHAPTER_HAS & twice.keys():
        assert all(module.startswith("chapters.") for module in twice.pop(name)), name
    assert len(twice) < 8, twice
