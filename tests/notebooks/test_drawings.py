"""Runs without figures, and runs that share the drawings that are the same: nothing else may differ."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest
from synthetic import CHAPTERS, code, make

from cohort.errors import NotebookError
from cohort.runner.kernels.drawings import DrawingCalls
from cohort.runner.kernels.kernel import execute
from cohort.runner.records import read_record

# A module of figures as a chapter has, whose function notes each call, and one of the same name elsewhere.
FIGURES = '''\
import types
import matplotlib.pyplot as plt
from cohort.display import theme
from cohort.runner import record
theme.use_theme()
calls = []
SOURCE = """
def draw_line(values, label=""):
    calls.append(label)
    drawing, axes = plt.subplots()
    axes.plot(values, label=label)
    return drawing
"""
figures, others = (types.ModuleType(name) for name in ("cohort.chapters.some.figures", "others"))
for module in (figures, others):
    module.calls, module.plt = calls, plt
    exec(SOURCE, module.__dict__)'''


def drawn(notebook: dict[str, Any], cell: str) -> list[dict[str, Any]]:
    (found,) = (one for one in notebook["cells"] if one["id"] == cell)
    return [output["data"] for output in found["outputs"]]


def book(*cells: str) -> dict[str, Any]:
    return make(
        code(FIGURES, "figures"),
        *(code(source, f"cell-{number}") for number, source in enumerate(cells, start=1)),
        code("record(calls=calls)", "calls"),
    )


def calls(notebook: dict[str, Any]) -> Any:
    return read_record(notebook)["calls"]["value"]


def changed(source: str) -> str:
    return ast.unparse(DrawingCalls().visit(ast.parse(source)))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("figures.draw_x(a, *b, c=1);", "_cohort_drawing(figures.draw_x, a, *b, c=1)"),
        ("p = 1\nf.draw_x()\nq = 2", "p = 1\n_cohort_drawing(f.draw_x)\nq = 2"),
    ],
)
def test_statements_that_only_draw_go_through_the_extension(source: str, expected: str) -> None:
    assert changed(source) == expected


@pytest.mark.parametrize(
    "source", ["shown = figures.draw_x(a)", "figures.drawn(a)", "draw_x(a)", "if a:\n    figures.draw_x(a)"]
)
def test_all_other_statements_stay(source: str) -> None:
    assert changed(source) == source


def test_without_figures_none_is_drawn_and_all_else_is_computed() -> None:
    notebook = book(
        "figures.draw_line([1, 2], 'left out');",
        "others.draw_line([1, 2], 'other');",
        "kept = figures.draw_line([1, 2], 'used')\nrecord(width=kept.get_figwidth())",
    )
    found = execute(notebook, figures=False)
    assert calls(found) == ["other", "used"]
    assert drawn(found, "cell-1") == []
    assert "image/svg+xml" in drawn(found, "cell-2")[-1]
    assert calls(execute(notebook)) == ["left out", "other", "used"]


def test_what_a_figure_is_given_fails_as_it_would() -> None:
    with pytest.raises(NotebookError, match=r"cell 2 \[cell-1\] .*: ZeroDivisionError: "):
        execute(book("figures.draw_line([1 / 0]);"), figures=False)


def test_a_figure_is_drawn_once_for_the_same_arguments(tmp_path: Path) -> None:
    notebook = book("figures.draw_line([1, 2], 'a');", "figures.draw_line([1, 3], label='a');")
    alone = execute(notebook)
    first, second = (execute(notebook, figures=tmp_path) for _ in range(2))
    assert calls(first) == ["a", "a"]
    assert calls(second) == []
    assert len(list(tmp_path.iterdir())) == 2
    for cell in ("cell-1", "cell-2"):
        assert drawn(first, cell) == drawn(second, cell)
        ((shown,), (usual,)) = drawn(first, cell), drawn(alone, cell)
        assert shown.keys() == usual.keys()
        assert shown["text/plain"] == usual["text/plain"]
        assert shown["image/svg+xml"].count("<path") == usual["image/svg+xml"].count("<path")
    assert drawn(first, "cell-1") != drawn(first, "cell-2")
    style = book("plt.rcParams['lines.linewidth'] = 9", "figures.draw_line([1, 2], 'a');")
    assert calls(execute(style, figures=tmp_path)) == ["a"]


def test_a_kept_drawing_is_what_is_shown_and_a_damaged_one_is_drawn_again(tmp_path: Path) -> None:
    notebook = book("figures.draw_line([1, 2], 'a');")
    execute(notebook, figures=tmp_path)
    (kept,) = tmp_path.iterdir()
    whole = kept.read_text(encoding="utf-8")
    kept.write_text(json.dumps([{"text/plain": "kept"}, {}]), encoding="utf-8")
    assert drawn(execute(notebook, figures=tmp_path), "cell-1") == [{"text/plain": "kept"}]
    kept.write_text(whole[:100], encoding="utf-8")
    assert calls(execute(notebook, figures=tmp_path)) == ["a"]
    assert kept.read_text(encoding="utf-8") == whole


def test_what_cannot_be_told_from_others_is_drawn_each_time(tmp_path: Path) -> None:
    notebook = book("figures.draw_line([1, 2], lambda: 1);", "calls[:] = [str(len(calls))]")
    for _ in range(2):
        found = execute(notebook, figures=tmp_path)
        assert calls(found) == ["1"]
        assert "image/svg+xml" in drawn(found, "cell-1")[0]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "chapter", ["my_footprint", pytest.param("serving_roofline", marks=pytest.mark.weekly)]
)
def test_a_chapter_records_the_same_with_and_without_its_figures(chapter: str, tmp_path: Path) -> None:
    (path,) = (one for one in CHAPTERS if one.stem == chapter)
    usual, without = execute(path), execute(path, figures=False)
    shared = [execute(path, figures=tmp_path) for _ in range(2)]
    assert read_record(usual) == read_record(without) == read_record(shared[0]) == read_record(shared[1])
    assert shared[0] == shared[1]  # to the byte: the second took all drawings of the first

    def images(notebook: dict[str, Any]) -> int:
        return sum("image/svg+xml" in data for cell in notebook["cells"] if cell["cell_type"] == "code"
                   for data in drawn(notebook, cell["id"]) )  # fmt: skip

    assert images(without) == 0
    assert images(usual) == images(shared[0]) == images(shared[1]) > 3
