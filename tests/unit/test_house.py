"""The structure of the package: wings, arrows downwards only, one chapter apart from the others."""

import ast
import json
from pathlib import Path

import house
import pytest
from house import PATHS, WINGS, arrows, floors, homes, imported, modules, public_functions, room
from rows import each_of

ROOT = Path(__file__).parents[2]
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


def test_every_file_stands_in_a_wing():
    assert {room(module) for module in modules() if module} <= set(WINGS)


def test_arrows_go_down():
    up = [(start, end) for start, end in arrows() if WINGS.index(start) > WINGS.index(end)]
    assert not up


def test_the_house_is_low_and_has_few_arrows():
    assert max(floors().values()) <= 9, floors()
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


@each_of("module", sorted(PATHS))
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
    twice = {name: where for name, where in homes().items() if len(where) > 1}
    for name in EVERY_CHAPTER_HAS & twice.keys():
        assert all(module.startswith("chapters.") for module in twice.pop(name)), name
    assert len(twice) < 8, twice


def test_lines_of_code_are_without_docstrings_comments_and_empty_ones():
    text = [
        '"""What it is."""',
        "",
        "# Why.",
        "def two(a):",
        '    """Say so."""',
        "    return (",
        "        a)",
    ]
    tree = ast.parse("\n".join(text))
    assert house.code_lines(tree, text) == 3 == house.code_lines(tree.body[1], text)


@pytest.mark.slow
def test_modules_and_functions_stay_within_one_job():
    found = house.figures()
    long_modules = found["modules of over 400 lines, docstrings included"]
    assert max(long_modules.values()) <= 560, long_modules
    long_functions = found["functions of over 40 lines of code"]
    assert max(long_functions.values()) <= 60, long_functions
    assert found["docstrings with examples"] >= 60


def unstable_sorts(source):
    """Lines that sort by one key and leave the order of equal ones to the instructions of the machine."""
    for node in ast.walk(ast.parse(source)) if "sort" in source else ():
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        keys = node.args[0] if node.args else None
        several = node.func.attr == "sort_values" and isinstance(keys, ast.List)  # those are sorted stably
        said = {word.arg: ast.unparse(word.value) for word in node.keywords}.get("kind")
        if node.func.attr in ("sort_values", "argsort") and not several and said != "'stable'":
            yield node.lineno


@pytest.mark.slow
def test_ties_keep_their_order_on_any_machine():
    assert list(unstable_sorts("a.sort_values('b')\nnp.argsort(a)\na.sort_values(['b', 'c'])")) == [1, 2]
    assert list(unstable_sorts("a.sort_values('b', kind='stable')")) == []
    sources = {path: path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py")}
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
        sources[path] = "\n".join(code)
    assert {path.name for path, source in sources.items() if any(unstable_sorts(source))} == set()
