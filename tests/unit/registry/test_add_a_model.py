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
from frictionless import validate

ROOT = Path(__file__).parents[3]
BLOCK = re.compile(
    r"^```\{code-block\} \w+\n:caption: (?P<caption>[^\n]+)\n\n(?P<text>.+?)\n```$", re.M | re.S
)
PLACE = re.compile(r"(?P<file>[\w./-]+)(?:, after the rows? of (?P<model>[\w.-]+))?")
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


def blocks() -> Iterator[tuple[str, str | None, str]]:
    """The page's blocks: the file, the model whose rows come before, and the text to add."""
    for block in BLOCK.finditer((ROOT / "adding_a_model.md").read_text(encoding="utf-8")):
        place = PLACE.fullmatch(block["caption"])
        assert place, block["caption"]
        yield place["file"], place["model"], block["text"].strip() + "\n"


def insert(path: Path, model: str, rows: str) -> None:
    """Put rows below the last row of a model."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    last = max(place for place, line in enumerate(lines) if line.startswith(f"{model},"))
    path.write_text("".join([*lines[: last + 1], rows, *lines[last + 1 :]]), encoding="utf-8")


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package, its data and the bibliography, with the page's model added."""
    folder = tmp_path_factory.mktemp("copy")
    shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "data", folder / "data", copy_function=shutil.copyfile)
    shutil.copyfile(ROOT / "references.bib", folder / "references.bib")
    for file, model, text in blocks():
        path = folder / file
        if model is not None:
            insert(path, model, text)
        elif path.exists():
            path.write_text(path.read_text(encoding="utf-8") + "\n" + text, encoding="utf-8")
        else:
            path.write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def report(copy: Path) -> dict:
    environment = {**os.environ, "PYTHONPATH": str(copy / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
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


def test_the_page_shows_every_file():
    assert [file for file, _, _ in blocks()] == [
        f"data/configs/{NAME}.json",
        "data/models.csv",
        "data/model_facts.csv",
        "data/reference_counts.csv",
        "references.bib",
    ]


def test_the_model_is_new_here():
    assert not (ROOT / "data" / "configs" / f"{NAME}.json").exists()


def test_the_model_is_registered_in_its_place(report):
    place = report["models"].index(NAME)
    assert report["models"][place - 1] == "phi-2"
    assert len(report["models"]) == len(table(ROOT, "models")) + 1


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


def test_the_other_models_stay(report):
    everywhere = {
        name: report["lengths"][name] for name in ("shapes", "components", "training", "counts", "caches")
    }
    assert set(everywhere.values()) == {len(table(ROOT, "models")) + 1}


def test_the_data_are_still_valid(copy):
    found = validate(str(copy / "data" / "datapackage.json"))
    assert [error.message for task in found.tasks for error in task.errors] == []
    assert found.valid


def test_every_source_of_the_model_is_in_the_bibliography(copy):
    rows = [row for row in table(copy, "model_facts") if row["model"] == NAME]
    keys = re.findall(r"^@\w+\{([^,\s]+),", (copy / "references.bib").read_text(encoding="utf-8"), re.M)
    assert len(rows) == 11
    assert {row["source"] for row in rows} - set(keys) == set()
    assert len(set(keys)) == len(keys)
