"""Notebook files (nbformat 4) as plain dicts: read, split and joined lines, written whole or not at all."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from cohort.errors import NotebookError
from cohort.errors.files import file_text
from cohort.runner.records import MIME

Notebook = dict[str, Any]


Cell = dict[str, Any]


# What is read of the metadata of a notebook and of a cell.
_OF_NOTEBOOK = {"kernelspec": {"name": str}}
_OF_CELL = {
    "mystnb": {"figure": {"name": str, "caption": str}, "image": {"alt": str}},
    "cohort": {},
}

# Besides text/*, the kinds of data that nbformat stores line by line.
_WITH_DATA = ("display_data", "execute_result")
_SPLIT_MIMES = frozenset({"application/javascript", "image/svg+xml"})


def read_notebook(path: Path) -> Notebook:
    """Read a notebook with its multi-line texts joined.

    Parameters
    ----------
    path : Path
        An .ipynb file.

    Returns
    -------
    dict
        The notebook, nbformat 4.

    Raises
    ------
    NotebookError
        If the file cannot be read or is no notebook of format 4.
    """
    try:
        notebook = json.loads(file_text(path))
    except OSError as error:
        raise NotebookError(f"{path.name}: cannot be read ({error.strerror}).") from None
    except (ValueError, RecursionError) as error:
        raise NotebookError(f"{path.name}: is not a notebook in JSON ({error}).") from None
    if not _is_format_4(notebook):
        raise NotebookError(f"{path.name}: is JSON, but not a notebook of format 4.")
    return joined_source(notebook)


def joined_source(notebook: Notebook) -> Notebook:
    """Return the notebook with each list of lines joined into one string.

    Parameters
    ----------
    notebook : dict
        A notebook of nbformat 4.

    Returns
    -------
    dict
    """
    return _with_texts(notebook, _joined_text)


def split(notebook: Notebook) -> Notebook:
    """Return the notebook with each text as a list of lines, as nbformat stores it.

    Parameters
    ----------
    notebook : dict
        A notebook of nbformat 4.

    Returns
    -------
    dict
    """
    return _with_texts(notebook, _split_text)


def has_tag(cell: Cell, tag: str) -> bool:
    """Whether a cell carries a tag.

    Parameters
    ----------
    cell : dict
        The cell.
    tag : str
        The tag.

    Returns
    -------
    bool
    """
    return tag in cell.get("metadata", {}).get("tags", [])


def first_line(cell: Cell, limit: int = 60) -> str:
    """Return the first line of a cell's source that is not blank.

    Parameters
    ----------
    cell : dict
        The cell.
    limit : int
        The most characters.

    Returns
    -------
    str
        Cut to `limit`.
    """
    line = next((line.strip() for line in cell["source"].splitlines() if line.strip()), "")
    return line if len(line) <= limit else line[: limit - 1] + "…"


def numbered(notebook: Notebook) -> Iterator[tuple[int, Cell]]:
    """Yield each cell with its number from 1; an injected cell has none of its own.

    Parameters
    ----------
    notebook : dict
        A notebook of nbformat 4.

    Yields
    ------
    int, dict
    """
    number = 0
    for cell in notebook["cells"]:
        if not has_tag(cell, "injected-parameters"):
            number += 1
        yield number, cell


def place(name: str, number: int, cell: Cell) -> str:
    """Name a cell for a message.

    Parameters
    ----------
    name : str
        The notebook's name.
    number : int
        The cell's number.
    cell : dict
        The cell.

    Returns
    -------
    str
        The notebook, the cell's number and id, and its first line.
    """
    return f"{name}, cell {number} [{cell.get('id', 'no id')}] `{first_line(cell)}`"


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write a file so that it is either the old one or the new one, whenever the process is killed.

    Parameters
    ----------
    path : Path
        The file to write or replace; its folder must exist.
    content : str or bytes
        The whole content.

    Raises
    ------
    OSError
        If the folder or the file cannot be written; the file is then as it was.
    """
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        # mkstemp makes files private; a notebook keeps its mode, and a new one gets the usual mode.
        Path(temporary).chmod(path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _is_format_4(notebook: Any) -> bool:
    if not isinstance(notebook, dict) or notebook.get("nbformat") != 4:
        return False
    cells, metadata = notebook.get("cells"), notebook.get("metadata")
    return _has_shape(metadata, _OF_NOTEBOOK) and isinstance(cells, list) and all(map(_is_cell, cells))


def _has_shape(node: Any, shape: Any) -> bool:
    """Whether a mapping is one as deep as it is read, and what is read as text there is text."""
    if not isinstance(shape, dict):
        return isinstance(node, shape)
    return isinstance(node, dict) and all(
        _has_shape(node[name], inner) for name, inner in shape.items() if name in node
    )


def _is_cell(cell: Any) -> bool:
    if not isinstance(cell, dict) or not _has_shape(cell.get("metadata"), _OF_CELL):
        return False
    outputs, attachments = cell.get("outputs", []), cell.get("attachments", {})
    return (
        cell.get("cell_type") in ("code", "markdown", "raw")
        and _is_text(cell.get("source"))
        and _is_texts(cell["metadata"].get("tags", []))
        and isinstance(cell.get("id", ""), str)
        and isinstance(outputs, list)
        and all(map(_is_output, outputs))
        and isinstance(attachments, dict)
        and all(isinstance(bundle, dict) for bundle in attachments.values())
    )


def _is_output(output: Any) -> bool:
    if not isinstance(output, dict) or not isinstance(output.get("output_type"), str):
        return False
    if output["output_type"] == "stream":
        return _is_text(output.get("text")) and isinstance(output.get("name"), str)
    if output["output_type"] in _WITH_DATA and "data" not in output:
        return False
    data, metadata = output.get("data", {}), output.get("metadata", {})
    if not isinstance(data, dict) or not isinstance(metadata, dict) or not _is_record(data.get(MIME, {})):
        return False
    texts = [value for mime, value in data.items() if mime.startswith("text/") or mime in _SPLIT_MIMES]
    return all(map(_is_text, texts))


def _is_record(value: Any) -> bool:
    return isinstance(value, dict) and all(
        isinstance(entry, dict) and {"value", "unit"} <= entry.keys() for entry in value.values()
    )


def _is_text(value: Any) -> bool:
    return isinstance(value, str) or _is_texts(value)


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _joined_text(mime: str, data: Any) -> Any:
    is_json = mime == "application/json" or mime.endswith("+json")
    return "".join(data) if isinstance(data, list) and not is_json else data


def _split_text(mime: str, data: Any) -> Any:
    is_lines = mime.startswith("text/") or mime in _SPLIT_MIMES
    return data.splitlines(True) if isinstance(data, str) and is_lines else data


def _with_texts(notebook: Notebook, change: Callable[[str, Any], Any]) -> Notebook:
    return {**notebook, "cells": [_cell_with_texts(cell, change) for cell in notebook["cells"]]}


def _cell_with_texts(cell: Cell, change: Callable[[str, Any], Any]) -> Cell:
    cell = {**cell, "source": change("text/plain", cell["source"])}
    if "attachments" in cell:
        bundles = cell["attachments"].items()
        cell["attachments"] = {name: _bundle_with_texts(bundle, change) for name, bundle in bundles}
    if cell["cell_type"] == "code":  # which some programs write without what it has not
        cell["execution_count"] = cell.get("execution_count")
        cell["outputs"] = [_output_with_texts(output, change) for output in cell.get("outputs", [])]
    return cell


def _output_with_texts(output: dict[str, Any], change: Callable[[str, Any], Any]) -> dict[str, Any]:
    if output["output_type"] == "stream":
        return {**output, "text": change("text/plain", output["text"])}
    if "data" in output:
        return {**output, "data": _bundle_with_texts(output["data"], change)}
    return output


def _bundle_with_texts(bundle: dict[str, Any], change: Callable[[str, Any], Any]) -> dict[str, Any]:
    return {mime: change(mime, data) for mime, data in bundle.items()}
