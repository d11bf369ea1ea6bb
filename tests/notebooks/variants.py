"""Variants of a chapter: which run at each push, chosen by what they change, and which a chapter refuses."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement
from pathlib import Path
from typing import Any

import pytest
from repeated import Run, run_each
from synthetic import code, make

from cohort.registry.facts import config_path
from cohort.runner.kernels.kernel import Attempt, execute
from cohort.runner.notebook.document import has_tag, read_notebook
from cohort.runner.records import read_record

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"

Changes = frozenset[str]


def pairwise(cases: Sequence[Changes]) -> list[int]:
    """Return the places of few cases in which all parameters that any two cases change together are changed.

    The case that adds most pairs is taken first, and of several the first; a parameter alone is a pair too.
    """
    pairs = [set(combinations_with_replacement(sorted(case), 2)) for case in cases]
    left: set[tuple[str, str]] = set().union(*pairs)
    chosen: list[int] = []
    while left:
        best = max(range(len(pairs)), key=lambda place: len(pairs[place] & left))
        chosen.append(best)
        left -= pairs[best]
    return sorted(chosen)


Files = Callable[[Path], None]


@dataclass(frozen=True)
class Variant:
    """A chapter, its parameters, and what puts the files of a reader into the folder that it runs in."""

    chapter: str
    parameters: Mapping[str, Any]
    files: Files


def own_config(model: str) -> Files:
    """Return what writes a reader's own config, with a name that is not to become HTML: that of a model."""
    return lambda folder: Path(folder, "mine<img>.json").write_bytes(Path(config_path(model)).read_bytes())


DBRX = own_config("dbrx")


def varied(
    chapter: str,
    expected: str,
    cases: Sequence[tuple[dict[str, Any], Any]],
    ids: Sequence[str],
    *,
    always: Mapping[str, Any] | None = None,
    files: Files = DBRX,
) -> Callable[[Callable[..., None]], Any]:
    """Parametrise a test of `executed`, of which all but a pairwise set of variants waits for the weekly run.

    A case holds parameters, beside those of `always`, and what is expected. One worker runs them all.
    """
    now = pairwise([frozenset(parameters) for parameters, _ in cases])
    variants = [
        pytest.param(
            Variant(chapter, {**(always or {}), **parameters}, files),
            value,
            id=name,
            marks=() if place in now else pytest.mark.weekly,
        )
        for place, ((parameters, value), name) in enumerate(zip(cases, ids, strict=True))
    ]

    def marked(test: Callable[..., None]) -> Any:
        grouped = pytest.mark.xdist_group(f"{chapter} varied")(test)
        return pytest.mark.parametrize(("variant", expected), variants)(grouped)

    return marked


Outcomes = dict[str, Attempt]


def outcomes(asked: Mapping[str, Variant], folder: Path) -> Outcomes:
    """Return what comes of the variants of one chapter by their names, each in a folder of its own."""
    runs = []
    for number, variant in enumerate(asked.values()):
        runs.append(Run(variant.parameters, folder / str(number)))
        runs[-1].folder.mkdir()
        variant.files(runs[-1].folder)
    (chapter,) = {variant.chapter for variant in asked.values()}
    return dict(zip(asked, run_each(NOTEBOOKS / f"{chapter}.ipynb", runs), strict=True))


@dataclass(frozen=True)
class Refusal:
    """How a chapter ended under a set of parameters: where, and whether by an error of the package."""

    cell: str | None
    is_ours: bool
    text: str


# Runs the cells of a chapter in turn, each set of parameters in names of its own, until one raises.
TRY_SETS = """\
import ast
from cohort.errors import CohortError
from cohort.runner import record
shell = get_ipython()
drawing = {name: value for name, value in shell.user_ns.items() if name.startswith("_cohort")}
def tried(cells, values):
    names = {"__name__": "__main__", **drawing}
    for cell, source, holds_parameters in cells:
        tree = ast.parse(source)
        for transformer in shell.ast_transformers:
            tree = transformer.visit(tree)
        try:
            exec(compile(tree, cell, "exec"), names)
        except Exception as error:
            return [cell, str(isinstance(error, CohortError)), str(error)]
        if holds_parameters:
            names.update(values)
    return ["", "False", ""]
for chapter, (cells, sets) in given.items():
    for number, values in enumerate(sets):
        record(**{f"{chapter}_{number}": tried(cells, values)})"""


def refusals(sets: Mapping[Path, Sequence[dict[str, Any]]]) -> dict[Path, list[Refusal]]:
    """Return how each chapter ends under each set of parameters; all run in one kernel, without figures."""
    given = {path.stem: (_code_cells(path), list(values)) for path, values in sets.items()}
    cells = (code(f"given = {given!r}", "given"), code(TRY_SETS, "tried"))
    found = read_record(execute(make(*cells), name="refusals", figures=False))
    ended = {path: [found[f"{path.stem}_{k}"]["value"] for k in range(len(sets[path]))] for path in sets}
    return {
        path: [Refusal(cell or None, ours == "True", text) for cell, ours, text in one]
        for path, one in ended.items()
    }


def _code_cells(chapter: Path) -> list[tuple[str, str, bool]]:
    return [
        (cell["id"], cell["source"], has_tag(cell, "parameters"))
        for cell in read_notebook(chapter)["cells"]
        if cell["cell_type"] == "code"
    ]
