"""Which recorded values differ between two states of the book, for those who review a change."""

from __future__ import annotations

import json
import math
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cohort.errors import NotebookError, ParameterError, shown
from cohort.runner.checking.comparison import RECORD_TOLERANCE
from cohort.runner.notebook.document import joined_source, read_notebook
from cohort.runner.project import Project
from cohort.runner.records import Entry, read_record

Records = dict[str, dict[str, Entry]]  # what each notebook recorded, by the notebook's name


@dataclass(frozen=True)
class Change:
    """A recorded value that differs.

    Parameters
    ----------
    notebook : str
        The notebook.
    name : str
        The name of the value, with its place where it is one of a list.
    old, new : object
        The two values; None where there is none.
    old_unit, new_unit : str or None
        Their units.
    """

    notebook: str
    name: str
    old: Any
    new: Any
    old_unit: str | None = None
    new_unit: str | None = None

    @property
    def relative(self) -> float | None:
        """The difference as a share of the old value; None where that says nothing."""
        numbers = all(_is_number(value) for value in (self.old, self.new))
        if not numbers or self.old == 0 or self.old_unit != self.new_unit:
            return None
        return float((self.new - self.old) / abs(self.old))

    def __str__(self) -> str:
        if self.new is None:
            return f"{self.name}: {_text(self.old, self.old_unit)} is gone"
        if self.old is None:
            return f"{self.name}: {_text(self.new, self.new_unit)} is new"
        change = "" if self.relative is None else f" ({100 * self.relative:+.3g} %)"
        return f"{self.name}: {_text(self.old, self.old_unit)} -> {_text(self.new, self.new_unit)}{change}"


def changes(old: Records, new: Records, tolerance: float = RECORD_TOLERANCE) -> list[Change]:
    """Return which recorded values differ.

    Parameters
    ----------
    old, new : dict
        What the notebooks recorded, as `recorded_values` returns it.
    tolerance : float
        Floats that differ by no more than this share are equal.

    Returns
    -------
    list of Change
        In the order of the notebooks and their records; a list of unchanged length has one for each item.
    """
    found = []
    for notebook in dict.fromkeys([*old, *new]):
        before, after = old.get(notebook, {}), new.get(notebook, {})
        for name in dict.fromkeys([*before, *after]):
            found += list(_entry(notebook, name, before.get(name), after.get(name), tolerance))
    return found


def recorded_values(project: Project, source: str) -> Records:
    """Return what the notebooks of a source recorded.

    Parameters
    ----------
    project : Project
        The checkout.
    source : str
        A folder of notebooks, such as that of a sweep, a single notebook, or a commit of the checkout.

    Returns
    -------
    dict
        By the notebook's name.

    Raises
    ------
    ParameterError
        If there is neither such a folder nor such a commit.
    """
    path = Path(source)
    if path.is_file():
        return {path.stem: read_record(read_notebook(path))}
    if path.is_dir():
        inner = path / "notebooks"
        found = sorted((inner if inner.is_dir() else path).glob("*.ipynb"))
        if not found:
            raise ParameterError(f"{source!r} holds no notebook.")
        return {one.stem: read_record(read_notebook(one)) for one in found}
    return _committed(project, source)


def both(project: Project, old: str, new: str | None) -> tuple[Records, Records]:
    """Return what two sources recorded; two single notebooks are compared whatever their names.

    Parameters
    ----------
    project : Project
        The checkout.
    old, new : str
        As in `recorded_values`; without `new`, the notebooks of the checkout are meant.

    Returns
    -------
    tuple of dict
    """
    before = recorded_values(project, old)
    after = recorded_values(project, str(project.notebooks) if new is None else new)
    if Path(old).is_file():
        (name,) = before
        if new is not None and Path(new).is_file():
            return before, dict(zip(before, after.values(), strict=True))
        return before, {name: after.get(name, {})}
    return before, after


def _committed(project: Project, commit: str) -> Records:
    names = _git(project, "ls-tree", "--name-only", f"{commit}:./{project.notebooks.name}/")
    if names is None or commit.startswith("-"):
        raise ParameterError(f"{shown(commit)} is no folder of notebooks, and no commit that holds one.")
    found = {}
    for name in names.split("\n"):
        if name.endswith(".ipynb"):
            content = _git(project, "show", f"{commit}:./{project.notebooks.name}/{name}")
            try:
                found[Path(name).stem] = read_record(joined_source(json.loads(content or "")))
            except (ValueError, KeyError, TypeError):
                raise NotebookError(f"{name} of {commit} is no notebook of format 4.") from None
    return found


def _git(project: Project, *arguments: str) -> str | None:
    """Return what git prints, None where it refuses or is not there."""
    try:
        done = subprocess.run(["git", *arguments], cwd=project.root, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.decode()


def _entry(
    notebook: str, name: str, old: Entry | None, new: Entry | None, tolerance: float
) -> Iterator[Change]:
    one, other = (entry and entry["value"] for entry in (old, new))
    units = (old and old["unit"]), (new and new["unit"])
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other) and units[0] == units[1]:
        for at, (before, after) in enumerate(zip(one, other, strict=True)):
            if not _close(before, after, tolerance):
                yield Change(notebook, f"{name}[{at}]", before, after, *units)
    elif units[0] != units[1] or not _close(one, other, tolerance):
        yield Change(notebook, name, one, other, *units)


def _close(old: Any, new: Any, tolerance: float) -> bool:
    if isinstance(old, float) and isinstance(new, float):
        return math.isclose(old, new, rel_tol=tolerance)
    return type(old) is type(new) and bool(old == new)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _text(value: Any, unit: str | None) -> str:
    if isinstance(value, float):
        said = repr(value) if len(repr(value)) <= 12 else f"{value:.10g}"
    else:
        said = f"{value:,}" if _is_number(value) else shown(value)
    return f"{said} {unit}" if unit else said


def difference_lines(found: list[Change], of: Mapping[str, object]) -> Iterator[str]:
    """Yield the lines that tell of changes, under the name of each notebook.

    Parameters
    ----------
    found : list of Change
        The changes.
    of : mapping
        The notebooks, in order, by name.

    Yields
    ------
    str
    """
    for notebook in of:
        lines = [str(change) for change in found if change.notebook == notebook]
        if lines:
            yield notebook
            yield from (f"  {line}" for line in lines)
