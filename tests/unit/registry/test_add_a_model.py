"""The page "Add a model", followed to the letter in a copy of the data: the model arrives in every table."""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
BLOCK = re.compile(
    r"^```\{code-block\} \w+\n:caption: (?P<caption>[^\n]+)\n\n(?P<text>.+?)\n```$", re.M | re.S
)
PLACE = re.compile(
    r"(?P<file>[\w./-]+)(?:, after the rows? of (?P<after>[\w.-]+)|, among the keys of (?P<among>[\w ]+))?"
)
STEPS = re.compile(r"^## Add a model\n(?P<steps>.*?)^## ", re.M | re.S)
NAME, TITLE = "tinyllama-1.1b", "TinyLlama 1.1B"

# What a fresh interpreter, with the copy first on its path, says of the model and of all models together.
REPORT = """
import json
import cohort
from cohort.chapters.the_cohort import tables
from cohort.display import model_tables, published_values
from cohort.registry import facts

names = cohort.models()
frames = {
    "shapes": model_tables.shapes(names),
    "components": model_tables.components(names),
    "training": model_tables.training_facts(names),
    "counts": model_tables.counts(names),
    "caches": model_tables.caches(names, 2048),
    "published_counts": published_values.published_counts(names),
    "reference_counts": tables.reference_counts(names),
    "disclosure": tables.disclosure(names),
    "tokens_per_parameter": tables.tokens_per_parameter(names),
}
rows = {name: frame.loc["TinyLlama 1.1B"].astype(str).to_dict() for name, frame in frames.items()}
print(json.dumps({"data": facts.data_folder(), "models": names, "rows": rows,
                  "lengths": {name: len(frame) for name, frame in frames.items()}}))
"""


def blocks() -> Iterator[tuple[re.Match[str], str]]:
    """The page's blocks: the file with the place in it, and the text to add."""
    for block in BLOCK.finditer((ROOT / "adding_a_model.md").read_text(encoding="utf-8")):
        place = PLACE.fullmatch(block["caption"])
        assert place, block["caption"]
        yield place, block["text"].strip() + "\n"


def after(text: str, row: str, rows: str) -> str:
    """Put rows below the last row of a name, in a CSV file or in a table of Markdown."""
    lines = text.splitlines(keepends=True)
    last = max(place for place, line in enumerate(lines) if line.startswith((f"{row},", f"| {row} |")))
    return "".join([*lines[: last + 1], rows, *lines[last + 1 :]])


def among(text: str, kind: str, key: str) -> str:
    """Put a key among the sorted ones of a row."""
    (row,) = re.findall(rf"^\| {kind} \|.*$", text, re.M)
    head, _, keys = row.rpartition(" | ")
    listed = sorted([*keys.removesuffix(" |").split(", "), f"`{key.strip()}`"])
    return text.replace(row, f"{head} | {', '.join(listed)} |")


def entries(text: str, added: str) -> str:
    """Put entries among those of a bibliography, in the order of their keys."""
    every = [entry.strip() for entry in re.split(r"^(?=@)", f"{text}\n{added}", flags=re.M)]
    keyed = {re.match(r"@\w+\{([^,]+),", entry)[1]: entry for entry in filter(None, every)}
    return "\n\n".join(keyed[key] for key in sorted(keyed)) + "\n"


def add(path: Path, place: re.Match[str], text: str) -> None:
    """Do what a block of the page says."""
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    if place["after"]:
        text = after(before, place["after"], text)
    elif place["among"]:
        text = among(before, place["among"], text)
    elif path.suffix == ".bib":
        text = entries(before, text)
    path.write_text(text, encoding="utf-8")


def dated(source: str, target: str) -> None:
    """Copy a file with its date, so that the bytecode beside it holds, but as one that may be written."""
    shutil.copyfile(source, target)
    written = os.stat(source).st_mtime_ns
    os.utime(target, ns=(written, written))


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout with the page's model added."""
    folder = tmp_path_factory.mktemp("copy")
    for name in ("src", "data", "notebooks", "api", "tests/unit"):
        ignored = shutil.ignore_patterns(".ipynb_checkpoints")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored, copy_function=dated)
    for file in (*ROOT.glob("*.md"), ROOT / "references.bib", ROOT / "pyproject.toml"):
        shutil.copyfile(file, folder / file.name)
    shutil.copyfile(ROOT / "tests" / "conftest.py", folder / "tests" / "conftest.py")  # which knows the marks
    for place, text in blocks():
        add(folder / place["file"], place, text)
    return folder


@pytest.fixture(scope="module")
def report(copy: Path) -> dict:
    environment = {**os.environ, "PYTHONPATH": str(copy / "src"), "PYTHONDONTWRITEBYTECODE": ""}
    done = subprocess.run(
        [sys.executable, "-c", REPORT], env=environment, cwd=copy, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert Path(found["data"]) == copy / "data"
    return found


def table(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / "data" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_page_shows_every_file_that_contributing_lists():
    shown = dict.fromkeys(place["file"].replace(NAME, "NAME") for place, _ in blocks())
    steps = STEPS.search((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))
    assert steps
    listed = re.findall(r"`((?:data/|references)[\w./]+)`", steps["steps"])
    assert list(dict.fromkeys(listed)) == list(shown)


def test_the_model_is_new_here():
    assert not (ROOT / "data" / "configs" / f"{NAME}.json").exists()


@pytest.mark.slow
def test_the_model_is_registered_in_its_place(report):
    place = report["models"].index(NAME)
    assert report["models"][place - 1] == "phi-2"
    assert len(report["models"]) == len(table(ROOT, "models")) + 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "shapes",
            {"layers": "22", "hidden": "2048", "feed-forward": "5,632", "KV heads": "4", "head size": "64"},
        ),
        ("components", {"attention": "GQA", "experts": "–", "positions": "RoPE", "activation": "SwiGLU"}),
        ("training", {"released": "2024-01-04", "training tokens (trillion)": "3.0"}),
        ("counts", {"total": "1100048384", "active without embedding": "1034512384"}),
        # Keys and values of 4 heads of 64 in 22 layers at 2 bytes, for each of 2,048 tokens.
        ("caches", {"first token": "22528", "cache": "46137344"}),
        ("published_counts", {"published": "1.1"}),
        ("reference_counts", {"total": "0", "active": "0", "active without embedding": "0"}),
        ("disclosure", {"date": "stated", "normalisation": "derived"}),
        ("tokens_per_parameter", {"tokens": "3000000000000"}),
    ],
)
def test_the_model_arrives_in_every_table(report, name, expected):
    row = report["rows"][name]
    assert {column: row[column] for column in expected} == expected


@pytest.mark.slow
def test_the_other_models_stay(report):
    everywhere = {
        name: report["lengths"][name] for name in ("shapes", "components", "training", "counts", "caches")
    }
    assert set(everywhere.values()) == {len(table(ROOT, "models")) + 1}


@pytest.mark.slow
def test_the_data_are_still_valid(copy):
    """What holds the data in the checkout holds them in the copy: description, order, sources, standing."""
    pytest_here = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:xdist"]
    done = subprocess.run(
        [*pytest_here, "-k", "not catches_a_fault", "tests/unit/registry/test_data.py"],
        env={**os.environ, "PYTHONPATH": str(copy / "src"), "PYTHONDONTWRITEBYTECODE": ""},
        cwd=copy,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]


@pytest.mark.slow
def test_the_page_tells_how_to_see_it(copy):
    code = re.search(
        r"^```python\n(.+?)^```$", (ROOT / "adding_a_model.md").read_text(encoding="utf-8"), re.M | re.S
    )
    done = subprocess.run(
        [sys.executable, "-c", re.sub(r"^(.+)  # (.+)$", r"assert \1 == \2", code[1], flags=re.M)],
        env={**os.environ, "PYTHONPATH": str(copy / "src"), "PYTHONDONTWRITEBYTECODE": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
