"""The canonical form of an executed notebook: what a rerun changes without meaning to is left out."""

from __future__ import annotations

import copy
import json
import re
from typing import Any

from cohort.runner.notebook.document import Cell, Notebook, has_tag, joined_source, split

KERNELSPEC = {"display_name": "Python 3", "language": "python", "name": "python3"}


# As a kernel reports it, less the version, which differs from machine to machine.
LANGUAGE_INFO = {
    "codemirror_mode": {"name": "ipython", "version": 3},
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "name": "python",
    "nbconvert_exporter": "python",
    "pygments_lexer": "ipython3",
}


# What papermill, kernels, editors and converters leave behind.
_NOTEBOOK_NOISE = frozenset({"cohort_failure", "jupytext", "papermill", "signature", "widgets"})


_CELL_NOISE = frozenset({"ExecuteTime", "autoscroll", "execution", "papermill", "scrolled", "trusted"})


_SVG = "image/svg+xml"


_ID = re.compile(r'(?<![\w:-])id="([^"]*)"')


_REFERENCE = re.compile(
    r'url\(#([^)]*)\)|(?:xlink:)?href="#([^"]*)"|aria-(?:labelledby|describedby)="([^"]*)"'
)


def canonical(notebook: Notebook) -> Notebook:
    """Return a notebook in canonical form; the one given stays as it is.

    Timestamps, durations, paths and versions are dropped, streams that touch are merged, every cell has an
    id (those of the source are kept), and the ids that an SVG refers to are numbered in order.

    Parameters
    ----------
    notebook : dict
        A notebook of nbformat 4, executed or not.

    Returns
    -------
    dict
        Its canonical form; applying `canonical` again changes nothing.
    """
    notebook = json.loads(json.dumps(joined_source(notebook)))
    metadata = {key: value for key, value in notebook["metadata"].items() if key not in _NOTEBOOK_NOISE}
    metadata |= {"kernelspec": dict(KERNELSPEC), "language_info": copy.deepcopy(LANGUAGE_INFO)}
    cells = [_canonical_cell(cell) for cell in notebook["cells"]]
    _give_ids(cells)
    for cell in cells:
        for number, output in enumerate(cell.get("outputs", ())):
            _number_svg_ids(output, f"{cell['id']}-{number}")
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def notebook_text(notebook: Notebook) -> str:
    """Return the text of a canonical notebook's file.

    Parameters
    ----------
    notebook : dict
        A notebook of nbformat 4.

    Returns
    -------
    str
        As nbformat writes it, then a newline.
    """
    return dumps(canonical(notebook))


def dumps(notebook: Notebook) -> str:
    """Return a notebook as nbformat writes it: sorted keys, an indent of one, texts line by line.

    Parameters
    ----------
    notebook : dict
        A notebook in canonical form.

    Returns
    -------
    str
    """
    return (
        json.dumps(split(notebook), indent=1, sort_keys=True, ensure_ascii=False, separators=(",", ": "))
        + "\n"
    )


def without_outputs(notebook: Notebook) -> Notebook:
    """Return the canonical form of what the author wrote.

    Parameters
    ----------
    notebook : dict
        A notebook of nbformat 4.

    Returns
    -------
    dict
        Its sources and metadata, nothing computed.
    """
    cells = [cell for cell in notebook["cells"] if not has_tag(cell, "injected-parameters")]
    bare = ({**cell, "outputs": [], "execution_count": None} for cell in cells if cell["cell_type"] == "code")
    return canonical(
        {**notebook, "cells": [next(bare) if cell["cell_type"] == "code" else cell for cell in cells]}
    )


def number_svg_ids(svg: str, prefix: str) -> str:
    """Rename the ids that an SVG refers to as `prefix-1`, `prefix-2`, … in the order they are defined.

    Matplotlib hashes coordinates into the ids of clip paths and markers; ids that nothing refers to are
    names that the author gave, and stay.

    Parameters
    ----------
    svg : str
        The image.
    prefix : str
        What the new ids begin with: distinct for each image of a page.

    Returns
    -------
    str
        The image with its references following the ids.

    Examples
    --------
    >>> number_svg_ids('<path id="m3f" /><use href="#m3f" />', "cell-1")
    '<path id="cell-1-1" /><use href="#cell-1-1" />'
    """
    referred = {name for found in _REFERENCE.findall(svg) for name in " ".join(found).split()}
    defined = [name for name in dict.fromkeys(_ID.findall(svg)) if name in referred]
    new = {name: f"{prefix}-{number}" for number, name in enumerate(defined, start=1)}

    def rename(match: re.Match[str]) -> str:
        return re.sub(r"[^\s\"#()]+", lambda word: new.get(word[0], word[0]), match[0])

    return _REFERENCE.sub(rename, _ID.sub(rename, svg))


def _canonical_cell(cell: Cell) -> Cell:
    metadata = {key: value for key, value in cell.get("metadata", {}).items() if key not in _CELL_NOISE}
    if not metadata.get("tags", True):
        del metadata["tags"]  # papermill gives every cell an empty list of tags
    cell = {**cell, "metadata": metadata}
    if cell["cell_type"] == "code":
        cell["execution_count"] = cell.get("execution_count")
        cell["outputs"] = _merge_streams(cell.get("outputs", []))
    return cell


def _merge_streams(outputs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    merged: list[dict[str, Any]] = []
    for output in outputs:
        output = {key: value for key, value in output.items() if key != "transient"}
        last = merged[-1] if merged else {}
        if output["output_type"] == "stream" and last.get("name") == output["name"]:
            last["text"] += output["text"]
        else:
            merged.append(output)
    return merged


def _give_ids(cells: list[Cell]) -> None:
    """Keep the ids of the source; name injected cells by what they are, and the rest by their place."""
    taken: set[str] = set()
    for number, cell in enumerate(cells, start=1):
        wanted = "injected-parameters" if has_tag(cell, "injected-parameters") else cell.get("id")
        if not wanted or wanted in taken:
            wanted = f"cell-{number}"
        while wanted in taken:
            wanted += "-again"
        cell["id"] = wanted
        taken.add(wanted)


def _number_svg_ids(output: dict[str, Any], prefix: str) -> None:
    data = output.get("data", {})
    if isinstance(data.get(_SVG), str):
        data[_SVG] = number_svg_ids(data[_SVG], prefix)
