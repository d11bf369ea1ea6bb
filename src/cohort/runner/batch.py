"""Run notebooks through papermill: in parallel, each in a process of its own, and only what is stale."""

from __future__ import annotations

import hashlib
import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cohort.errors import NotebookError, ParameterError
from cohort.runner.checking.comparison import compare
from cohort.runner.kernels.kernel import execute, stop_workers
from cohort.runner.notebook.canonical_form import dumps, notebook_text, without_outputs
from cohort.runner.notebook.document import Notebook, read_notebook, write_atomically
from cohort.runner.project import Project

__all__ = ["STATUSES", "Outcome", "Report", "execute", "in_parallel", "run", "run_variant", "timed"]


@dataclass(frozen=True)
class Outcome:
    """What became of one notebook.

    Parameters
    ----------
    name : str
        The notebook's name.
    status : str
        One of `STATUSES`.
    seconds : float
        How long it ran.
    problems : tuple of str
        What went wrong, one line each; empty unless it failed.
    """

    name: str
    status: str
    seconds: float = 0.0
    problems: tuple[str, ...] = ()


# Not run; run and equal within tolerance; run and rewritten; failed or (in a check) differing.
STATUSES = ("up to date", "unchanged", "written", "failed")


Report = Callable[[Outcome], None]


def is_stale(project: Project, path: Path, key: str) -> bool:
    """Whether a notebook has to run: its file, or what it depends on, is not as after its last run."""
    stored = _stored(project, path)
    return (stored.get("key"), stored.get("file")) != (key, _digest(path.read_bytes()))


def inputs_digest(project: Project) -> str:
    """Return the digest of what every notebook depends on: `src/`, `data/`, the lock file and Python."""
    digest = hashlib.sha256(repr(sys.version_info[:2]).encode())
    files = [project.root / "requirements.txt"]
    for folder in ("src", "data"):
        files += sorted(path for path in (project.root / folder).rglob("*") if path.is_file())
    for path in files:
        parts = path.relative_to(project.root).parts
        if path.is_file() and not any(part.startswith((".", "__pycache__")) for part in parts):
            digest.update(f"\0{'/'.join(parts)}\0".encode())
            digest.update(_digest(path.read_bytes()).encode())
    return digest.hexdigest()


def notebook_key(inputs: str, notebook: Notebook) -> str:
    """Return the key of a notebook's results: its sources and what every notebook depends on."""
    return _digest(inputs.encode() + dumps(without_outputs(notebook)).encode())


def run(
    project: Project, paths: Iterable[Path], *, jobs: int, force: bool = False, report: Report | None = None
) -> list[Outcome]:
    """Run the stale ones among some notebooks; a file is rewritten only where its results have changed.

    Parameters
    ----------
    project : Project
        The checkout.
    paths : iterable of Path
        Notebooks.
    jobs : int
        At most this many run at a time.
    force : bool
        Also run what is up to date.
    report : callable, optional
        Called with each outcome as it comes.

    Returns
    -------
    list of Outcome
        One for each notebook, in the order given. A failure is an outcome, and leaves the file as it was.
    """
    inputs = inputs_digest(project)
    paths = list(paths)
    prepare_fonts(project.cache, force or any(_is_stale_now(project, path, inputs) for path in paths))
    return in_parallel(project, paths, lambda path: _run_one(project, path, inputs, force), jobs, report)


def run_variant(
    project: Project, path: Path, parameters: Mapping[str, Any], out: Path, cwd: Path | None = None
) -> None:
    """Run a notebook with other parameters into a file of its own; the notebook itself stays as it is.

    Parameters
    ----------
    project : Project
        The checkout.
    path : Path
        The notebook.
    parameters : mapping
        Validated values.
    out : Path
        Where the executed variant goes; written whole, and only if every cell ran.
    cwd : Path, optional
        The folder it runs in, so that a parameter may hold a relative path; by default the current one.

    Raises
    ------
    ParameterError
        If `out` is no place for a variant.
    NotebookError
        If the notebook fails.
    """
    target = variant_path(project, path, out)
    prepare_fonts(project.cache)
    executed = execute(path, parameters, cwd=cwd or Path.cwd(), cache=project.cache)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(target, dumps(executed))
    except OSError as error:
        raise ParameterError(f"--out is {str(out)!r}, which cannot be written ({error.strerror}).") from None


def variant_path(project: Project, path: Path, out: Path) -> Path:
    """Return where a variant goes; raise ParameterError for a place among the notebooks."""
    target = out.resolve()
    if target.suffix != ".ipynb" or target.is_dir():
        raise ParameterError(f"--out is {str(out)!r}; give the path of a notebook, such as variant.ipynb.")
    if target.is_relative_to(project.notebooks.resolve()):
        raise ParameterError(
            f"--out is {str(out)!r}, among the committed notebooks; give a path outside of notebooks/."
        )
    if target == path.resolve():
        raise ParameterError(f"--out is {str(out)!r}, the notebook itself; give another path.")
    return target


def prepare_fonts(cache: Path, wanted: bool = True) -> None:
    """Build Matplotlib's font cache once, before kernels run: it takes seconds, and tells so on stderr."""
    folder = cache / "matplotlib"
    if wanted and not list(folder.glob("fontlist-*.json")):
        folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-c", "import matplotlib.font_manager"]
        subprocess.run(
            command, env={**os.environ, "MPLCONFIGDIR": str(folder)}, capture_output=True, check=False
        )


def in_parallel(
    project: Project, paths: list[Path], work: Callable[[Path], Outcome], jobs: int, report: Report | None
) -> list[Outcome]:
    """Do some work for each notebook, `jobs` at a time, the longest first; an interrupt stops what runs."""
    done: dict[Path, Outcome] = {}
    with ThreadPoolExecutor(max_workers=max(1, jobs)) as pool:
        futures = {pool.submit(work, path): path for path in longest_first(project, paths)}
        try:
            for future in as_completed(futures):
                outcome = future.result()
                done[futures[future]] = outcome
                if report:
                    report(outcome)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            stop_workers()
            raise
    return [done[path] for path in paths]


def longest_first(project: Project, paths: list[Path]) -> list[Path]:
    """Return notebooks by how long they took when they last ran; before them, largest first, the others."""

    def size(path: Path) -> tuple[float, int]:
        taken = _stored(project, path).get("seconds", math.inf)
        return taken, path.stat().st_size if path.is_file() else 0

    return sorted(paths, key=size, reverse=True)


def timed(name: str, work: Callable[[], tuple[str, tuple[str, ...]]]) -> Outcome:
    """Do the work for one notebook and tell what became of it; a failure becomes an outcome."""
    start = time.monotonic()
    try:
        status, problems = work()
    except NotebookError as error:
        status, problems = "failed", (str(error),)
    except OSError as error:  # a full disk, a folder that cannot be written
        status, problems = "failed", (f"{name}: {error}",)
    return Outcome(name, status, time.monotonic() - start, problems)


def _run_one(project: Project, path: Path, inputs: str, force: bool) -> Outcome:
    def work() -> tuple[str, tuple[str, ...]]:
        before = path.read_bytes()
        notebook = read_notebook(path)
        key = notebook_key(inputs, notebook)
        if not force and not is_stale(project, path, key):
            return "up to date", ()
        begin = time.monotonic()
        executed = execute(notebook, name=path.stem, cache=project.cache)
        seconds = time.monotonic() - begin
        keep = before == notebook_text(notebook).encode() and not compare(path.stem, notebook, executed)
        if not keep:
            if path.read_bytes() != before:
                raise NotebookError(f"{path.stem}: was changed while it ran; run it again.")
            write_atomically(path, dumps(executed))
        _store(project, path, key, seconds)
        return ("unchanged" if keep else "written"), ()

    return timed(path.stem, work)


def _is_stale_now(project: Project, path: Path, inputs: str) -> bool:
    try:
        return is_stale(project, path, notebook_key(inputs, read_notebook(path)))
    except NotebookError:
        return False  # nothing will run; the reason is told where it is read


def _key_file(project: Project, path: Path) -> Path:
    """Return where the key of a notebook is kept; notebooks from elsewhere are told apart by their path."""
    name = path.stem
    if path.parent != project.notebooks:
        name += "-" + _digest(str(path).encode())[:16]
    return project.cache / "run" / f"{name}.json"


def _stored(project: Project, path: Path) -> dict[str, Any]:
    """Return what is known of a notebook's last run here; nothing where there was none."""
    try:
        stored = json.loads(_key_file(project, path).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stored if isinstance(stored, dict) else {}


def _store(project: Project, path: Path, key: str, seconds: float) -> None:
    file = _key_file(project, path)
    file.parent.mkdir(parents=True, exist_ok=True)
    known = {"key": key, "file": _digest(path.read_bytes()), "seconds": round(seconds, 1)}
    write_atomically(file, json.dumps(known) + "\n")


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
