"""The package as a whole: what importing it loads, and how its names are found."""

import ast
import compileall
import inspect
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from email import message_from_bytes
from email.message import Message
from importlib.metadata import requires
from pathlib import Path

import click
import pytest
from reading import ROOT

import cohort
from cohort.errors import LIBRARIES, MissingExtraError, extras

PACKAGE = ROOT / "src" / "cohort"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
# What the libraries of the extras bring in turn: library -> who brings it.
BROUGHT = {
    "IPython": "ipykernel",
    "jupyter_client": "ipykernel",
    "markupsafe": "jinja2",
    "matplotlib_inline": "ipykernel",
    "zmq": "ipykernel",
}


def python(code: str, *options: str, path: Path | str = ROOT / "src") -> subprocess.CompletedProcess[str]:
    """Run code with the package of a folder; with the option -S, no installed library is there to import."""
    environment = {**os.environ, "PYTHONPATH": str(path), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, *options, "-c", code], env=environment, capture_output=True, text=True, check=False
    )


def run(code: str, *options: str, path: Path | str = ROOT / "src") -> str:
    done = python(code, *options, path=path)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_importing_loads_none_of_the_large_libraries():
    code = (
        "import sys, cohort; print(sorted({'numpy', 'pandas', 'matplotlib', 'seaborn'} & set(sys.modules)))"
    )
    assert run(code) == "[]"


# Every wing of the core: a model, its cache, a law, an accelerator, an answer's time and two footprints.
CORE = """
import cohort
from cohort.registry import facts

llama = cohort.model("llama-3-8b")
print(llama.parameters, llama.kv_cache_bytes(8192), len(cohort.tables()))
print(cohort.law("besiroglu").compute_optimal(flop=5.76e23).tokens)
print(cohort.experts.coverage(experts=8, active=2, tokens=16))
answers = dict(concurrency=16, input_tokens=1000, output_tokens=250)
print(cohort.serving.serve("llama-3-8b", "H100 SXM 80GB", **answers).tpot_s)
print(cohort.footprint.serving(model="llama-3-8b", accelerator="H100 SXM 80GB", **answers).energy_kwh)
print(cohort.footprint.training(accelerator="H100 SXM 80GB", accelerator_hours=1.3e6).energy_kwh)
print(facts.data_folder())
"""


def test_the_core_needs_the_standard_library_alone():
    *numbers, folder = run(CORE, "-S").splitlines()
    assert numbers[0] == f"8030261248 1073741824 {len(cohort.tables())}"
    assert Path(folder) == ROOT / "data"


@pytest.fixture
def core(tmp_path: Path) -> str:
    """A search path with the package and click and nothing else, as a core install has it."""
    (tmp_path / "click").symlink_to(Path(click.__file__).parent)
    return os.pathsep.join([str(PACKAGE.parent), str(tmp_path)])


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--help"], "Usage: "),
        (["model", "llama-3-8b"], "Llama 3 8B (llama-3-8b)"),
        (["model", "llama-3-8b", "--json"], "{"),
        (["models", "llama"], "model "),
        (["accelerators"], "accelerator "),
        (["grids", "SE"], "grid "),
        (["laws", "--json"], "["),
    ],
)
def test_the_core_has_the_commands_that_tell_of_the_data(core, arguments, line):
    code = f"from cohort.cli import main; main({arguments!r}, prog_name='cohort')"
    assert run(code, "-S", path=core).startswith(line)


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("model qwen3-3", {"qwen3-32b", "qwen3-30b-a3b"}),
        ("accelerators H10", {"H100"}),
        ("run the_c", set()),  # what runs notebooks is not installed
    ],
)
def test_the_core_completes_names(core, monkeypatch, words, offered):
    monkeypatch.setenv("_COHORT_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", f"cohort {words}")
    monkeypatch.setenv("COMP_CWORD", "2")
    code = "from cohort.cli import main; main(prog_name='cohort')"
    assert set(run(code, "-S", path=core).split()) == {f"plain,{name}" for name in offered}


def test_help_reads_no_data_and_loads_no_wing():
    """So that it answers at once: what a command does is imported inside it."""
    code = (
        "import sys; from cohort.cli import main; main(['--help'], standalone_mode=False);"
        "print('loaded', sorted(name for name in sys.modules if name.startswith('cohort')))"
    )
    assert run(code).splitlines()[-1] == "loaded ['cohort', 'cohort.cli', 'cohort.errors']"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel as the checkout builds it."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    # A hosted workflow names the repository; here none is known.
    environment = {name: value for name, value in os.environ.items() if name != "GITHUB_REPOSITORY"}
    subprocess.run(
        [*build, "--wheel-dir", str(folder), str(ROOT)], env=environment, check=True, capture_output=True
    )
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def unpacked(wheel: Path) -> Path:
    """The wheel as an environment holds it: unpacked, with its bytecode."""
    folder = wheel.parent / "unpacked"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    assert compileall.compile_dir(folder, quiet=2)
    return folder


def metadata(folder: Path) -> Message:
    (file,) = folder.glob("*.dist-info/METADATA")
    return message_from_bytes(file.read_bytes())


@pytest.mark.slow
def test_the_wheel_answers_as_the_checkout_does(unpacked):
    """Far from the checkout and without an installed library, with the data that the wheel carries."""
    *here, _ = run(CORE, "-S").splitlines()
    *there, folder = run(CORE, "-S", path=unpacked).splitlines()
    assert there == here
    assert Path(folder) == unpacked / "cohort" / "data"


NEEDS_EXTRAS = {"chapters", "display", "fitting", "runner"}


@pytest.mark.slow
def test_the_core_is_small(unpacked):
    needed = [need for need in metadata(unpacked).get_all("Requires-Dist", []) if "extra ==" not in need]
    assert needed == ["click>=8.1"]
    sizes = {
        path.relative_to(unpacked): path.stat().st_size for path in unpacked.rglob("*") if path.is_file()
    }
    core = {path: size for path, size in sizes.items() if not NEEDS_EXTRAS & set(path.parts)}
    modules = "".join((unpacked / path).read_text() for path in core if path.suffix == ".py")
    others = {path for path in core if path.suffix == ".csv" and f'"{path.stem}"' not in modules}
    assert 10 < len(others) < 30  # tables that chapters and fits alone read
    # What works without an extra, with its data and its bytecode.
    assert sum(size for path, size in core.items() if path not in others) < 5e6
    assert sum(sizes.values()) < 9e6  # and with the chapters, which grow with the book and wait for one


@pytest.mark.slow
def test_the_wheel_says_what_it_is_and_what_ships(unpacked):
    said = metadata(unpacked)
    assert (said["Name"], said["Version"]) == ("cohort-of-models", cohort.__version__)
    assert said["License-Expression"] == "MIT AND CC-BY-4.0 AND LicenseRef-Data"
    for name in said.get_all("License-File"):
        (file,) = unpacked.glob(f"*.dist-info/licenses/{name}")
        assert file.read_bytes() == (ROOT / name).read_bytes()
    assert {"LICENSE", "LICENSE-CONTENT", "data/LICENSE.md"} == set(said.get_all("License-File"))
    assert said.get_all("Project-URL") is None


@pytest.mark.slow
def test_the_wheel_carries_its_templates(unpacked):
    code = (
        "from cohort.display import markup; print(markup.__file__);"
        "print(markup.table_html([('a<', {})], [], {}))"
    )
    file, *table = run(code, path=unpacked).splitlines()
    assert Path(file).is_relative_to(unpacked)
    assert table[2] == '<tr><th scope="col">a&lt;</th></tr>'


def test_the_version_stands_in_one_place():
    for name in ("pyproject.toml", "CITATION.cff", "src/cohort/cli.py"):
        assert cohort.__version__ not in (ROOT / name).read_text(encoding="utf-8"), name


def test_a_workflow_names_the_repository(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    from hatch_build import urls

    assert urls({}) == {}
    assert urls({"GITHUB_REPOSITORY": "a/b", "GITHUB_SERVER_URL": "https://git.example"}) == {
        "Repository": "https://git.example/a/b",
        "Issues": "https://git.example/a/b/issues",
    }


# --- what needs an extra


@pytest.mark.parametrize(
    ("code", "library", "extra"),
    [
        ("cohort.table('models')", "pandas", "tables"),
        ("cohort.fitting.fit", "numpy", "tables"),
        ("from cohort.fitting import fit", "numpy", "tables"),
        ("import cohort.experts.router", "numpy", "tables"),
        ("from cohort.footprint import uncertainty", "numpy", "tables"),
        ("from cohort.display import model_tables", "pandas", "tables"),
        ("from cohort.display.theme import use_theme", "matplotlib", "notebooks"),
        ("from cohort.display.markup import table_html", "jinja2", "notebooks"),
        ("cohort.display.say('words')", "IPython", "notebooks"),
        ("cohort.runner.record(layers=32)", "IPython", "notebooks"),
        ("from cohort.chapters.the_cohort import tables", "pandas", "tables"),
    ],
)
def test_without_an_extra_one_sentence_names_it(code, library, extra):
    done = python(f"import cohort\n{code}", "-S")
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last == (
        f"cohort.errors.MissingExtraError: this needs {library}: pip install 'cohort-of-models[{extra}]'"
    )


BLOCK = """
import sys

class Block:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == {library!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Block())
"""


@pytest.mark.parametrize(("library", "command"), [("ruamel", "parameters"), ("ruamel", "check")])
def test_a_command_names_the_library_that_it_lacks(library, command):
    code = BLOCK.format(library=library) + f"from cohort.cli import main; main([{command!r}, 'the_cohort'])"
    done = python(code)
    assert done.returncode == 1
    assert (
        done.stderr == f"error: this needs {library}: pip install 'cohort-of-models[{LIBRARIES[library]}]'\n"
    )


def test_other_missing_modules_stay_what_they_are():
    with pytest.raises(ModuleNotFoundError) as raised, extras():
        import cohort.nothing  # type: ignore[import-not-found] # noqa: F401
    assert not isinstance(raised.value, MissingExtraError)


def named(requirements: list[str]) -> set[str]:
    """Return the names of requirements as pip compares them."""
    return {re.split(r"[^\w.-]", need)[0].casefold().replace("_", "-") for need in requirements}


def test_each_library_is_in_the_extra_that_is_named():
    for library, extra in LIBRARIES.items():
        name = {"ruamel": "ruamel.yaml", "zmq": "pyzmq"}.get(library, library).casefold().replace("_", "-")
        if library in BROUGHT:
            assert name in named(requires(BROUGHT[library]) or []), library
            assert BROUGHT[library].casefold() in named(EXTRAS[extra]), library
        else:
            assert name in named(EXTRAS[extra]), library


@pytest.mark.slow
def test_every_library_that_is_imported_has_its_extra():
    found = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module.partition(".")[0])
    always = named(PROJECT["dependencies"])
    assert found - set(sys.stdlib_module_names) - {"cohort"} - always <= set(LIBRARIES)
    assert not always & set(LIBRARIES)


def test_submodules_load_lazily():
    assert run("import cohort; print(cohort.architecture.GroupedQuery(8, 2, 64).kind)") == "GQA"


def test_plurals_list_what_the_singular_knows():
    assert "llama-3-8b" in cohort.models()
    assert "model_facts" in cohort.tables()
    for listing in (cohort.models(), cohort.tables()):
        assert all(isinstance(name, str) for name in listing)
        assert len(set(listing)) == len(listing)


@pytest.mark.parametrize("name", ["accelerators", "grids", "laws", "models", "tables"])
def test_a_plural_is_a_plain_function(name):
    assert inspect.isfunction(getattr(cohort, name))
    assert inspect.signature(getattr(cohort, name)).parameters == {}


def test_an_unknown_attribute_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'modle'"):
        _ = cohort.modle


def test_dir_names_the_look_ups():
    assert {"model", "models", "table", "CohortError"} <= set(dir(cohort))
