"""The canonical form, and comparison within the stated tolerances."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import nbformat
import pytest
from synthetic import code, good, make, markdown, output

from cohort.errors import NotebookError
from cohort.runner.checking.comparison import compare, last_place, texts_differ
from cohort.runner.notebook.canonical_form import (
    canonical,
    dumps,
    notebook_text,
    number_svg_ids,
    without_outputs,
)
from cohort.runner.notebook.document import joined_source, read_notebook, split, write_atomically
from cohort.runner.records import MIME, make_record

SVG = (
    '<svg><clipPath id="p1f"/><path id="named"/><path id="m2"/>'
    '<g clip-path="url(#p1f)"><use xlink:href="#m2"/><use href="#m2"/></g>'
    '<text id="t" aria-labelledby="t u">x</text><desc id="u"/></svg>'
)


def noisy() -> dict[str, Any]:
    """A notebook as papermill leaves it."""
    notebook = make(
        markdown("# Title", "a"), code("print(1)", "b"), code("x = 2", "c", "injected-parameters")
    )
    notebook["metadata"] |= {
        "papermill": {"duration": 1.5, "input_path": "reader/n.ipynb"},
        "language_info": {"name": "python", "version": "3.13.1"},
        "widgets": {},
    }
    for cell in notebook["cells"]:
        cell["metadata"] |= {"papermill": {"start_time": "2024-05-07"}, "execution": {}, "tags": []}
    notebook["cells"][2]["metadata"]["tags"] = ["injected-parameters"]
    notebook["cells"][2]["id"] = "3f2a9c1b"
    notebook["cells"][1] |= {
        "execution_count": 1,
        "outputs": [
            {"output_type": "stream", "name": "stdout", "text": ["a\n", "b"]},
            {"output_type": "stream", "name": "stdout", "text": "\nc\n"},
            {"output_type": "stream", "name": "stderr", "text": "d"},
            output({"image/svg+xml": SVG}) | {"transient": {"display_id": "8f"}},
        ],
    }
    return notebook


def test_what_a_rerun_changes_is_left_out() -> None:
    kept = notebook_text(noisy())
    for noise in ("papermill", "3.13.1", "home", "start_time", "widgets", "transient", "3f2a9c1b", "p1f"):
        assert noise not in kept
    first = canonical(noisy())
    assert first["metadata"]["kernelspec"] == {
        "display_name": "Python 3",
        "language": "python",
        "name": "python3",
    }
    assert [cell["id"] for cell in first["cells"]] == ["a", "b", "injected-parameters"]
    assert [cell["metadata"] for cell in first["cells"]] == [{}, {}, {"tags": ["injected-parameters"]}]
    assert [one.get("text") for one in first["cells"][1]["outputs"]] == ["a\nb\nc\n", "d", None]


def test_canonical_is_idempotent_and_leaves_its_argument_alone() -> None:
    notebook = noisy()
    before = copy.deepcopy(notebook)
    once = canonical(notebook)
    assert notebook == before
    assert canonical(once) == once
    assert canonical(json.loads(notebook_text(notebook))) == once


@pytest.mark.parametrize("notebook", [noisy(), good(), make()], ids=["noisy", "good", "empty"])
def test_the_file_is_what_nbformat_writes(notebook: dict[str, Any]) -> None:
    written = notebook_text(notebook)
    node = nbformat.reads(written, as_version=4)
    nbformat.validate(node)
    assert nbformat.writes(node) + "\n" == written


def test_splitting_and_joining_lines_undo_each_other() -> None:
    notebook = canonical(noisy())
    assert joined_source(split(notebook)) == notebook
    assert split(notebook)["cells"][1]["outputs"][0]["text"] == ["a\n", "b\n", "c\n"]


def test_cells_without_an_id_are_named_by_their_place() -> None:
    notebook = make(markdown("a", "same"), markdown("b", "same"), markdown("c", "cell-2"), markdown("d"))
    del notebook["cells"][3]["id"]
    assert [cell["id"] for cell in canonical(notebook)["cells"]] == ["same", "cell-2", "cell-3", "cell-4"]


def test_sources_alone_make_the_key() -> None:
    notebook = noisy()
    source = without_outputs(notebook)
    assert [cell["id"] for cell in source["cells"]] == ["a", "b"]
    assert source["cells"][1]["outputs"] == []
    notebook["cells"][1] |= {"outputs": [], "execution_count": 7}
    assert without_outputs(notebook) == source
    notebook["cells"][1]["source"] = "print(2)"
    assert without_outputs(notebook) != source


def test_the_ids_that_an_svg_refers_to_are_numbered_in_order() -> None:
    assert number_svg_ids(SVG, "c-0") == (
        '<svg><clipPath id="c-0-1"/><path id="named"/><path id="c-0-2"/>'
        '<g clip-path="url(#c-0-1)"><use xlink:href="#c-0-2"/><use href="#c-0-2"/></g>'
        '<text id="c-0-3" aria-labelledby="c-0-3 c-0-4">x</text><desc id="c-0-4"/></svg>'
    )
    assert number_svg_ids(SVG.replace("p1f", "pzz"), "c-0") == number_svg_ids(SVG, "c-0")


def test_numbering_ids_that_are_numbered_already_keeps_them_apart() -> None:
    swapped = '<svg><a id="c-0-2"/><b id="c-0-1"/><g x="url(#c-0-2)" y="url(#c-0-1)"/></svg>'
    assert number_svg_ids(swapped, "c-0") == (
        '<svg><a id="c-0-1"/><b id="c-0-2"/><g x="url(#c-0-1)" y="url(#c-0-2)"/></svg>'
    )


def executed(data: dict[str, Any], *tags: str, **metadata: Any) -> dict[str, Any]:
    """A notebook whose single cell displayed some data."""
    cell = code("show(x)", "shown", *tags, **metadata)
    cell |= {"execution_count": 1, "outputs": [output(data)]}
    return make(markdown("# Title", "title"), cell)


def differ(mime: str, old: Any, new: Any, *tags: str, **metadata: Any) -> bool:
    pair = (executed({mime: value}, *tags, **metadata) for value in (old, new))
    return bool(compare("chapter", *pair))


@pytest.mark.parametrize(
    ("old", "new", "close"),
    [
        ("3.14", "3.15", True),
        ("3.14", "3.16", False),
        ("12", "13", True),
        ("12", "14", False),
        ("1,024 tokens", "1,025 tokens", True),
        ("1,024 tokens", "1,026 tokens", False),
        ("9.99", "10.00", True),
        ("  9.99 |", " 10.00 |", True),
        ("1.5e24", "1.6e24", True),
        ("1.5e24", "1.7e24", False),
        ("-0.01", "0.00", True),
        ("\u22120.01", "0.01", False),
        ("0.3 GiB", "0.3 GB", False),
        ("8x22B", "8x23B", False),
        ("llama-3-8b", "llama-4-8b", False),
        ("a 1", "a 1 2", False),
        ("version 1.2.3", "version 1.2.4", False),
    ],
)
@pytest.mark.parametrize("mime", ["text/plain", "text/markdown", "text/html"])
def test_printed_numbers_may_differ_by_one_unit_of_their_last_place(
    mime: str, old: str, new: str, close: bool
) -> None:
    assert differ(mime, old, new) is not close
    assert differ(mime, new, old) is not close


def test_the_last_place_is_that_of_the_coarser_number() -> None:
    assert last_place(Decimal("9.99e9"), Decimal("1.00e10"))
    assert not last_place(Decimal("9.80e9"), Decimal("1.00e10"))
    assert texts_differ("1 and 2.50", "1 and 2.53", last_place) == "committed 2.50, now 2.53"


def test_html_tags_are_exact() -> None:
    assert differ("text/html", '<td class="a1">2.5</td>', '<td class="a2">2.5</td>')
    assert not differ("text/html", '<td class="a1">2.5</td>', '<td class="a1">2.6</td>')
    assert differ("text/html", "<td>2.5</td>", "<td><b>2.5</b></td>")


@pytest.mark.parametrize(
    ("old", "new", "close"),
    [
        ('<path d="M 1.000 2"/>', '<path d="M 1.009 2"/>', True),
        ('<path d="M 1.000 2"/>', '<path d="M 1.011 2"/>', False),
        ('<path d="M 1.000 2"/>', '<path d="M 1.000 2 3"/>', False),
        ('<path style="fill: #1f77b4"/>', '<path style="fill: #1f77b5"/>', False),
        ("<text>3.14</text>", "<text>3.15</text>", True),
        ("<text>3.14</text>", "<text>3.16</text>", False),
        ("<!-- 3.14 -->", "<!-- 3.15 -->", True),
        ('<a id="p1"/><b c="url(#p1)"/>', '<a id="p9"/><b c="url(#p9)"/>', True),
    ],
)
def test_drawings_may_differ_by_a_hundredth_of_a_point(old: str, new: str, close: bool) -> None:
    assert differ("image/svg+xml", f"<svg>{old}</svg>", f"<svg>{new}</svg>") is not close


@pytest.mark.parametrize(
    ("old", "new", "close"),
    [
        (1.0, 1.0 + 9e-7, True),
        (1.0, 1.0 + 2e-6, False),
        (5.76e23, 5.760001e23, True),
        (8030261248, 8030261249, False),
        (1, 1.0, False),
        (True, 1, False),
        ("a", "b", False),
        ([1.0, 2.0], [1.0, 2.0000001], True),
        ([1.0, 2.0], [1.0], False),
        ([1.0], 1.0, False),
    ],
)
def test_recorded_floats_may_differ_by_a_millionth(old: Any, new: Any, close: bool) -> None:
    pair = (dict(make_record({"x": (value, "GiB")})) for value in (old, new))
    assert differ(MIME, *pair) is not close


@pytest.mark.parametrize(
    ("old", "new", "close"),
    [
        ("line,1.000000001", "line,1.0000001", True),
        ("line,1.000000001", "line,1.00001", False),
        ("line,a", "line,b", False),
        ("line,1\nline,2", "line,1", False),
    ],
)
def test_what_a_figure_draws_may_differ_by_a_millionth(old: str, new: str, close: bool) -> None:
    assert differ("text/csv", f"mark,x\n{old}\n", f"mark,x\n{new}\n") is not close


def test_names_and_units_of_a_record_are_exact() -> None:
    one = dict(make_record({"x": (1.0, "GiB")}))
    assert differ(MIME, one, dict(make_record({"x": (1.0, "GB")})))
    assert differ(MIME, one, dict(make_record({"y": (1.0, "GiB")})))
    both = make_record({"x": 1, "y": 2})
    assert not differ(MIME, dict(both), dict(reversed(both.items())))


def test_a_measured_cell_states_its_own_tolerance() -> None:
    measured: Callable[..., bool] = lambda mime, old, new: differ(  # noqa: E731
        mime, old, new, "measured", cohort={"tolerance": 0.5}
    )
    assert not measured("text/plain", "took 1.00 s", "took 1.90 s")
    assert measured("text/plain", "took 1.00 s", "took 2.10 s")
    assert measured("text/plain", "took 1.00 s", "took 1.00 ms")
    records = [dict(make_record({"x": value})) for value in (1.0, 1.9, 2.1)]
    assert not measured(MIME, records[0], records[1])
    assert measured(MIME, records[0], records[2])
    assert not measured("image/svg+xml", '<svg a="1"/>', '<svg a="9"/>')


@pytest.mark.parametrize("metadata", [{}, {"cohort": {"tolerance": 0}}, {"cohort": {"tolerance": "wide"}}])
def test_a_measured_cell_without_a_tolerance_is_refused(metadata: dict[str, Any]) -> None:
    with pytest.raises(NotebookError, match=r"chapter, cell 2 \[shown\] .* must state a relative tolerance"):
        differ("text/plain", "1", "1", "measured", **metadata)


def test_other_data_are_exact() -> None:
    assert differ("image/png", "aGVsbG8=", "aGVsbG9=")
    assert differ("application/json", {"a": 1.0}, {"a": 1.0000001})


def test_a_difference_names_notebook_and_cell() -> None:
    pair = (executed({"text/plain": value}) for value in ("1.00", "1.05"))
    (found,) = compare("chapter", *pair)
    assert str(found) == ("chapter, cell 2 [shown] `show(x)`: text/plain differs: committed 1.00, now 1.05")


def changed(change: Callable[[dict[str, Any]], object]) -> list[str]:
    old, new = executed({"text/plain": "1"}), executed({"text/plain": "1"})
    change(new)
    return [found.what for found in compare("chapter", old, new)]


def test_every_other_change_is_told() -> None:
    assert changed(lambda new: new["cells"][1].update(execution_count=2)) == ["executed as [1], now as [2]"]
    assert changed(lambda new: new["cells"][1].update(outputs=[])) == ["1 outputs committed, now 0"]
    assert changed(lambda new: new["cells"][1].update(source="other")) == ["the cell itself differs"]
    assert changed(lambda new: new["cells"].append(markdown("more", "more"))) == [
        "this cell is only in one of the two"
    ]
    stream = {"output_type": "stream", "name": "stdout", "text": "1"}
    assert changed(lambda new: new["cells"][1].update(outputs=[stream])) == [
        "display_data committed, now stdout"
    ]
    assert changed(lambda new: new["cells"][1]["outputs"][0]["data"].update({"text/html": "1"})) == [
        "text/plain committed, now text/html, text/plain"
    ]
    assert changed(lambda new: None) == []


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"{", "is not a notebook in JSON"),
        (b"\xff", "is not a notebook in JSON"),
        (b"[]", "not a notebook of format 4"),
        (b'{"worksheets": [], "nbformat": 3, "metadata": {}}', "not a notebook of format 4"),
        (b'{"cells": [3], "nbformat": 4, "metadata": {}}', "not a notebook of format 4"),
        (
            b'{"cells": [{"cell_type": "code", "source": "", "metadata": {}, "outputs": '
            b'[{"output_type": "display_data", "metadata": {}}]}], "nbformat": 4, "metadata": {}}',
            "not a notebook of format 4",
        ),
        (b'{"cells": [{"cell_type": "code"}], "nbformat": 4, "metadata": {}}', "not a notebook of format 4"),
    ],
)
def test_a_file_that_is_no_notebook_is_refused(content: bytes, reason: str, tmp_path: Any) -> None:
    path = tmp_path / "n.ipynb"
    path.write_bytes(content)
    with pytest.raises(NotebookError) as raised:
        read_notebook(path)
    assert reason in str(raised.value)
    with pytest.raises(NotebookError, match="cannot be read"):
        read_notebook(tmp_path / "absent.ipynb")


def test_writing_keeps_the_mode_of_a_file_and_leaves_nothing_beside_it(tmp_path: Any) -> None:
    path = tmp_path / "n.ipynb"
    write_atomically(path, "old")
    path.chmod(0o640)
    write_atomically(path, dumps(canonical(make())))
    assert path.stat().st_mode & 0o777 == 0o640
    assert read_notebook(path)["cells"] == []
    assert [entry.name for entry in tmp_path.iterdir()] == ["n.ipynb"]
