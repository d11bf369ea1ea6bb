"""Whether a notebook has to run: by its sources, and by the modules and files that it read when it last ran.

What a run read is noted in its kernel, by ``kernels.reads``, since a static reading of imports would miss
what is imported late or by name. Besides, each notebook depends on what runs all of them: Python, the lock
file, the part of this package that executes notebooks, and the names of all files of data, one of which may
be looked for and not found. What is not known makes a notebook stale.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import cohort
from cohort.registry.facts import data_folder
from cohort.runner.kernels.reads import Reads
from cohort.runner.notebook.canonical_form import dumps, without_outputs
from cohort.runner.notebook.document import Notebook, write_atomically
from cohort.runner.project import Project

Job = TypeVar("Job")
PACKAGE = Path(os.path.realpath(cohort.__file__)).parent
# What turns a notebook into an executed one.
_EXECUTION = ("runner/kernels", "runner/notebook")


@dataclass(frozen=True)
class Sources:
    """The files that notebooks may depend on, as they are when this is made.

    Parameters
    ----------
    project : Project
        The checkout.
    made : float
        When, in seconds since the epoch.
    """

    project: Project
    made: float = field(default_factory=time.time)
    _digests: dict[str, str | None] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        for folder in (self.project.root / "src", *self.data, PACKAGE):
            for path in _files(folder):
                self._digests[str(path)] = _file_digest(path)

    @property
    def data(self) -> list[Path]:
        """The folders of data: the checkout's, and that of the package where it is another."""
        both = (self.project.root / "data", Path(data_folder()))
        return list(dict.fromkeys(Path(os.path.realpath(folder)) for folder in both))

    @property
    def folders(self) -> list[Path]:
        """The folders whose files count as read."""
        return list(dict.fromkeys([Path(os.path.realpath(self.project.root)), PACKAGE, *self.data]))

    def everything(self, notebook: Notebook) -> str:
        """Return the digest of a notebook's sources with all of ``src/`` and ``data/``.

        It is for runs of which nobody knows yet what they read, such as those of a sweep.

        Parameters
        ----------
        notebook : dict
            The notebook.

        Returns
        -------
        str
            In hexadecimal digits.
        """
        files = {self._short(Path(path)): digest for path, digest in self._digests.items()}
        return _digest(json.dumps([self.execution(notebook), sorted(files.items())]))

    def execution(self, notebook: Notebook) -> str:
        """Return the digest of a notebook's sources and of what runs all notebooks.

        Parameters
        ----------
        notebook : dict
            The notebook.

        Returns
        -------
        str
            In hexadecimal digits.
        """
        runs = [self.digest(str(path)) for part in _EXECUTION for path in _files(PACKAGE / part)]
        names = [sorted(str(path.relative_to(folder)) for path in _files(folder)) for folder in self.data]
        lock = _file_digest(self.project.root / "requirements.txt")
        return _digest(
            json.dumps([sys.version_info[:2], lock, runs, names, dumps(without_outputs(notebook))])
        )

    def digest(self, path: str) -> str | None:
        """Return the digest of a file as it was when this was made; None where nobody knows.

        Parameters
        ----------
        path : str
            Its absolute path.

        Returns
        -------
        str or None
        """
        if path not in self._digests:
            try:
                is_older = os.stat(path).st_mtime < self.made - 1  # clocks of file systems are coarse
            except OSError:
                return None
            return _file_digest(Path(path)) if is_older else None
        return self._digests[path]

    def digests(self, reads: Reads | None) -> dict[str, str] | None:
        """Return what a run depends on.

        Parameters
        ----------
        reads : Reads or None
            What it read.

        Returns
        -------
        dict of str to str, or None
            The digest of each file and of the names in each folder, by path, which is relative to the
            checkout where it lies there; None where it is not known.
        """
        if reads is None or reads.unknown:
            return None
        found = {self._short(Path(path)): self.digest(path) for path in reads.files if self._counts(path)}
        for folder in reads.folders:
            # The importer lists the package's folders; which modules it found there is noted itself.
            if self._counts(folder) and not Path(folder).is_relative_to(PACKAGE):
                found[self._short(Path(folder)) + os.sep] = _names_digest(Path(folder))
        known = {path: digest for path, digest in found.items() if digest is not None}
        return known if len(known) == len(found) else None

    def are_as(self, stored: dict[str, str]) -> bool:
        """Whether every file and folder is as it was when its digest was stored.

        Parameters
        ----------
        stored : dict of str to str
            As `Sources.digests` returns it.

        Returns
        -------
        bool
        """
        for short, digest in stored.items():
            path = self.project.root / short
            now = _names_digest(path) if short.endswith(os.sep) else self.digest(str(path))
            if now != digest or _is_shadowed(path):
                return False
        return True

    def _counts(self, path: str) -> bool:
        """Whether a path is a source: neither hidden nor compiled."""
        for folder in reversed(self.folders):
            if Path(path).is_relative_to(folder):
                return _is_source(Path(path).relative_to(folder))
        return False

    def _short(self, path: Path) -> str:
        root = Path(os.path.realpath(self.project.root))
        return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)


def is_stale(sources: Sources, path: Path, notebook: Notebook) -> bool:
    """Whether a notebook has to run: it, or something that it depends on, is not as at its last run here.

    Parameters
    ----------
    sources : Sources
        What there is now.
    path : Path
        The notebook's file.
    notebook : dict
        What it holds.

    Returns
    -------
    bool
        True also where it is not known what the last run read.
    """
    stored = stored_run(sources.project, path)
    reads = stored.get("reads")
    return (
        stored.get("key") != sources.execution(notebook)
        or stored.get("file") != _file_digest(path)
        or not isinstance(reads, dict)
        or not sources.are_as(reads)
    )


def store_run(sources: Sources, path: Path, notebook: Notebook, reads: Reads | None, seconds: float) -> None:
    """Keep what a run depended on, and how long it took.

    Parameters
    ----------
    sources : Sources
        What there was before it ran.
    path : Path
        The notebook's file.
    notebook : dict
        The notebook that ran.
    reads : Reads or None
        What it read, if that is known.
    seconds : float
        How long it took.
    """
    known = {
        "key": sources.execution(notebook),
        "file": _file_digest(path),
        "reads": sources.digests(reads),
        "seconds": round(seconds, 1),
    }
    file = _run_file(sources.project, path)
    file.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(file, json.dumps(known, indent=1, sort_keys=True) + "\n")


def stored_run(project: Project, path: Path) -> dict[str, Any]:
    """Return what is known of a notebook's last run here; nothing where there was none.

    Parameters
    ----------
    project : Project
        The checkout.
    path : Path
        The notebook's file.

    Returns
    -------
    dict
        As `store_run` wrote it.
    """
    try:
        stored = json.loads(_run_file(project, path).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stored if isinstance(stored, dict) else {}


def longest_first(project: Project, jobs: Iterable[Job], path_of: Callable[[Job], Path]) -> list[Job]:
    """Return jobs by how long their notebooks took when they last ran.

    Parameters
    ----------
    project : Project
        The checkout.
    jobs : iterable
        What is to be done.
    path_of : callable
        Returns the notebook of a job.

    Returns
    -------
    list
        Those that never ran come first, the largest before the smaller.
    """

    def size(job: Job) -> tuple[float, int]:
        path = path_of(job)
        taken = stored_run(project, path).get("seconds", math.inf)
        return taken, path.stat().st_size if path.is_file() else 0

    return sorted(jobs, key=size, reverse=True)


def _run_file(project: Project, path: Path) -> Path:
    """Return where a notebook's last run is kept; notebooks from elsewhere are told apart by their path."""
    name = path.stem
    if path.parent != project.notebooks:
        name += "-" + _digest(str(path))[:16]
    return project.cache / "run" / f"{name}.json"


def _is_source(relative: Path) -> bool:
    return not any(part.startswith((".", "__pycache__")) for part in relative.parts)


def _files(folder: Path) -> Iterator[Path]:
    """Yield the source files of a folder, in order, with their real paths."""
    real = Path(os.path.realpath(folder))
    for path in sorted(real.rglob("*")):
        if _is_source(path.relative_to(real)) and path.is_file():
            yield path


def _is_shadowed(path: Path) -> bool:
    """Whether a package has come to stand before a module of the same name."""
    return path.suffix == ".py" and path.with_suffix("").joinpath("__init__.py").exists()


def _names_digest(folder: Path) -> str | None:
    try:
        return _digest("\0".join(sorted(name for name in os.listdir(folder) if _is_source(Path(name)))))
    except OSError:
        return None


def _file_digest(path: Path) -> str | None:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return None


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
