"""A chapter under several sets of parameters, in one kernel, as if each had been run in one of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from synthetic import code
from truths import Notebook

from cohort.runner.kernels.kernel import Attempt, attempt
from cohort.runner.kernels.worker import with_injected
from cohort.runner.notebook.canonical_form import canonical, without_outputs
from cohort.runner.notebook.document import read_notebook
from cohort.runner.parameter_cells import read_parameters, validate

# Begins as a kernel does, in a folder: without the names of the last run, but with what the runner put there.
BEGIN = """\
def begin(folder):
    import os
    shell = get_ipython()
    put = {name: value for name, value in shell.user_ns.items() if name.startswith("_cohort")}
    shell.reset(new_session=False)
    shell.push(put, interactive=False)
    os.chdir(folder)
"""


@dataclass(frozen=True)
class Run:
    """The parameters of a run, as a reader gives them, and the folder that it is in."""

    parameters: Mapping[str, Any]
    folder: Path


def run_each(chapter: Path, runs: Sequence[Run]) -> list[Attempt]:
    """Return what comes of a chapter in each run, without figures.

    They share a kernel. If anything goes wrong in it, each is run alone, so that every fault is told of its
    own run; a fault that none has alone is told of all.
    """
    source = without_outputs(read_notebook(chapter))
    books = [_parameterised(chapter.stem, source, run.parameters) for run in runs]
    cells = [
        cell
        for number, (book, run) in enumerate(zip(books, runs, strict=True))
        for cell in _cells(number, book, run.folder)
    ]
    tried = attempt({**source, "cells": cells}, name=chapter.stem, figures=False)
    if tried.problem is None and tried.notebook is not None:
        ran = iter(tried.notebook["cells"])
        return [Attempt(_as_alone(book, ran), None) for book in books]
    alone = [attempt(chapter, run.parameters, cwd=run.folder, figures=False) for run in runs]
    if any(one.problem for one in alone):
        return alone
    return [Attempt(one.notebook, f"in one kernel with others: {tried.problem}") for one in alone]


def _parameterised(name: str, source: Notebook, parameters: Mapping[str, Any]) -> Notebook:
    """Return a chapter with a cell of parameters, which it declares, as the runner would have run it."""
    values = validate(name, read_parameters(name, source), parameters)
    return canonical(with_injected(nbformat.from_dict(source), values))


def _cells(number: int, book: Notebook, folder: Path) -> Iterator[dict[str, Any]]:
    """Yield the cells of one run, named by its number; its parameters are no longer those to be injected."""
    yield code(f"{BEGIN}begin({str(folder)!r})", f"run-{number}")
    for cell in book["cells"]:
        yield {**cell, "id": f"{number}-{cell['id']}", "metadata": {}}


def _as_alone(book: Notebook, ran: Iterator[dict[str, Any]]) -> Notebook:
    """Return a run as it would be in a kernel of its own: its cells, counted from the one that began it."""
    begun = next(ran)
    return canonical({**book, "cells": [_cell_as_alone(cell, next(ran), begun) for cell in book["cells"]]})


def _cell_as_alone(cell: dict[str, Any], ran: dict[str, Any], begun: dict[str, Any]) -> dict[str, Any]:
    """Return a cell with what it gave."""
    if cell["cell_type"] != "code":
        return cell
    count = ran["execution_count"] and ran["execution_count"] - begun["execution_count"]
    outputs = [
        {**output, "execution_count": count} if output["output_type"] == "execute_result" else output
        for output in ran["outputs"]
    ]
    return {**cell, "execution_count": count, "outputs": outputs}
