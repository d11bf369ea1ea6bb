"""Variants of a chapter: which run at each push, chosen by what they change, and which a chapter refuses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement
from pathlib import Path
from typing import Any

import pytest
from synthetic import code, make

from cohort.runner.kernels.kernel import execute
from cohort.runner.notebook.document import has_tag, read_notebook
from cohort.runner.records import read_record

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


def varied(names: str | tuple[str, ...], cases: Sequence[tuple[Any, ...]], ids: Sequence[str]) -> Any:
    """Parametrise a test with variants, of which all but a pairwise set wait for the weekly run.

    The first value of each case is a dict of parameters.
    """
    now = pairwise([frozenset(case[0]) for case in cases])
    return pytest.mark.parametrize(
        names,
        [
            pytest.param(*case, id=name, marks=() if place in now else pytest.mark.weekly)
            for place, (case, name) in enumerate(zip(cases, ids, strict=True))
        ],
    )


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
def tried(values):
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
for number, values in enumerate(sets):
    record(**{f"set_{number}": tried(values)})"""


def refusals(chapter: Path, sets: Sequence[dict[str, Any]]) -> list[Refusal]:
    """Return how a chapter ends under each set of parameters; all run in one kernel, without figures."""
    cells = [
        (cell["id"], cell["source"], has_tag(cell, "parameters"))
        for cell in read_notebook(chapter)["cells"]
        if cell["cell_type"] == "code"
    ]
    given = code(f"cells = {cells!r}\nsets = {list(sets)!r}", "given")
    found = read_record(execute(make(given, code(TRY_SETS, "tried")), name=chapter.stem, figures=False))
    ended = [found[f"set_{number}"]["value"] for number in range(len(sets))]
    return [Refusal(cell or None, ours == "True", text) for cell, ours, text in ended]
