"""The checkout of the book: where it is and which notebooks it holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cohort.errors import NotebookError, ParameterError, unknown
from cohort.errors.files import file_text


@dataclass(frozen=True)
class Project:
    """A checkout of the book.

    Parameters
    ----------
    root : Path
        The folder that holds `notebooks/`.
    """

    root: Path

    @property
    def notebooks(self) -> Path:
        """The folder of the notebooks."""
        return self.root / "notebooks"

    @property
    def cache(self) -> Path:
        """The folder of what can be made again; git ignores it."""
        return self.root / ".cache"

    def paths(self) -> list[Path]:
        """Return every notebook, in the order of the table of contents; those not in it come last."""
        found = {path.stem: path for path in sorted(self.notebooks.glob("*.ipynb"))}
        listed = [Path(entry).stem for entry in _entries(self.root / "_toc.yml")]
        return [found[name] for name in dict.fromkeys([*listed, *found]) if name in found]

    def find(self, name: str) -> Path:
        """Return the notebook of a name, given with or without folder and suffix.

        Parameters
        ----------
        name : str
            Such as ``the_cohort``, ``the_cohort.ipynb`` or ``notebooks/the_cohort.ipynb``; or the path of a
            notebook elsewhere.

        Returns
        -------
        Path
            The notebook's file.

        Raises
        ------
        UnknownNameError
            If there is no such notebook.
        """
        given = Path(name)
        if given.suffix == ".ipynb" and given.is_file():
            return given.resolve()
        known = {path.stem: path for path in self.select(())}
        is_in_folder = given.parent.name in ("", "notebooks")
        stem = given.stem if given.suffix == ".ipynb" else given.name
        if not is_in_folder or stem not in known:
            raise unknown("notebook", stem if is_in_folder else name, known)
        return known[stem]

    def select(self, names: Iterable[str]) -> list[Path]:
        """Return the notebooks of some names, each once; all of them where no name is given.

        Parameters
        ----------
        names : iterable of str
            As `find` takes them.

        Returns
        -------
        list of Path

        Raises
        ------
        CohortError
            If a name is unknown, or there is no notebook.
        """
        chosen = list(dict.fromkeys(self.find(name) for name in names)) or self.paths()
        if not chosen:
            raise NotebookError(f"there is no notebook in {self.notebooks.name}/ yet.")
        return chosen


def find_project(start: Path | None = None) -> Project:
    """Find the checkout of the book.

    Parameters
    ----------
    start : Path, optional
        Where to look first, upwards; the current folder by default.

    Returns
    -------
    Project
        The nearest folder that holds `_toc.yml` and `notebooks/`, or else the checkout that the package
        itself lies in.

    Raises
    ------
    NotebookError
        If there is neither.
    """
    start = (start or Path.cwd()).resolve()
    for folder in (start, *start.parents):
        if (folder / "_toc.yml").is_file() and (folder / "notebooks").is_dir():
            return Project(folder)
    checkout = Path(__file__).resolve().parents[3]
    if (checkout / "notebooks").is_dir():
        return Project(checkout)
    raise NotebookError("no notebooks here; go to the checkout of the book, the folder that holds _toc.yml.")


def _entries(toc: Path) -> Iterator[str]:
    """Yield the files that a Jupyter Book table of contents names, in its order."""
    if toc.is_file():
        from cohort.runner.plain_values import read_yaml

        try:
            contents = read_yaml(file_text(toc), toc.name)
        except ParameterError as error:
            raise NotebookError(str(error)) from None
        except OSError as error:
            raise NotebookError(f"{toc.name}: cannot be read ({error.strerror}).") from None
        except UnicodeDecodeError:
            raise NotebookError(f"{toc.name}: is not text in UTF-8.") from None
        yield from _files(contents)


def _files(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("file"), str):
            yield node["file"]
        for value in node.values():
            yield from _files(value)
    elif isinstance(node, list):
        for item in node:
            yield from _files(item)
