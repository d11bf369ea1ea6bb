"""Small notebooks and small checkouts to run, check and break."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cohort.runner.batch import prepare_fonts
from cohort.runner.project import Project, find_project

CHAPTERS = sorted(find_project(Path(__file__).parent).notebooks.glob("*.ipynb"))


def markdown(source: str, id: str = "words") -> dict[str, Any]:
    return {"cell_type": "markdown", "id": id, "metadata": {}, "source": source}


def code(source: str, id: str = "code", *tags: str, **metadata: Any) -> dict[str, Any]:
    if tags:
        metadata["tags"] = list(tags)
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": id,
        "metadata": metadata,
        "outputs": [],
        "source": source,
    }


def make(*cells: dict[str, Any]) -> dict[str, Any]:
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {"cells": list(cells), "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}


def write(path: Path, notebook: dict[str, Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(notebook), encoding="utf-8")
    return path


def output(data: dict[str, Any]) -> dict[str, Any]:
    return {"output_type": "display_data", "metadata": {}, "data": data}


PARAMETERS = """\
# What can be changed.
context: int = 8192  # Context, in tokens.
budget: float = 5.76e23  # Training compute, in FLOP.
model: str = "llama-3-8b"  # A model by name.
causal: bool = True  # Whether tokens look back only.

models: list[str] = ["llama-3-8b", "dbrx"]  # Rows of the table.
contexts: list[int] = [8192, 65_536]  # Contexts to compare, in tokens.
shares: list[float] = [0.5, -1.0]  # Shares to draw."""


def good() -> dict[str, Any]:
    """A notebook with everything a chapter has, that runs in a moment."""
    return make(
        markdown("# What is inside?", "title"),
        code(PARAMETERS, "parameters", "parameters"),
        code(
            "from cohort.display import say\n"
            "from cohort.runner import record\n"
            "from IPython.display import SVG",
            "imports",
        ),
        markdown("The cache grows with the context.", "lead"),
        code('cache = context * 131072 / 2**30\nprint("first")\nprint(f"{cache:.4f}")', "cache"),
        code('say(f"It takes {cache:.2f} GiB for {model}.")', "sentence", "remove-input"),
        markdown("A figure of it.", "about"),
        code(
            'SVG(\'<svg xmlns="http://www.w3.org/2000/svg"><clipPath id="p0a1"/>\'\n'
            "    '<g clip-path=\"url(#p0a1)\"/></svg>')",
            "figure",
            mystnb={
                "figure": {"caption": "A box.", "name": "fig-box"},
                "image": {"alt": "An empty box."},
            },
        ),
        markdown("Results.", "end"),
        code('record(cache=(cache, "GiB"), context=context, models=models)', "record"),
    )


def new_checkout(root: Path) -> Project:
    """Make a checkout with a file of data and no notebook.

    All share one cache of fonts, and so those of one process share a server of warm kernels.
    """
    (root / "notebooks").mkdir(parents=True)
    (root / "_toc.yml").write_text("format: jb-book\nroot: intro\nchapters: []\n", encoding="utf-8")
    (root / "data").mkdir()
    (root / "data" / "facts.csv").write_text("model,tokens\n", encoding="utf-8")
    cache = find_project(Path(__file__).parent).cache
    prepare_fonts(cache)
    (root / ".cache").mkdir()
    (root / ".cache" / "matplotlib").symlink_to(cache / "matplotlib")
    return Project(root)
