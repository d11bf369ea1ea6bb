"""Run notebooks through papermill: in parallel, each in a process of its own, and only what is stale."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from cohort.errors import NotebookError, ParameterError
from cohort.runner.checking.comparison import compare
from cohort.runner.kernels.kernel import attempt, execute, stop_workers
from cohort.runner.notebook.canonical_form import dumps, notebook_text
from cohort.runner.notebook.document import read_notebook, write_atomically
from cohort.runner.project import Project
from cohort.runner.staleness import Sources, is_stale, longest_first, store_run


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


Job = TypeVar("Job", bound=Hashable)


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
    sources = Sources(project)
    paths = list(paths)
    prepare_fonts(project.cache, force or any(_is_stale_now(sources, path) for path in paths))
    return in_parallel(
        project, paths, lambda path: _run_one(sources, path, force), jobs, report, path_of=lambda path: path
    )


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
    """Return where a variant goes.

    Parameters
    ----------
    project : Project
        The checkout.
    path : Path
        The notebook.
    out : Path
        What was asked for.

    Returns
    -------
    Path
        The resolved place.

    Raises
    ------
    ParameterError
        If it is no notebook, lies among the committed ones, or is the notebook itself.
    """
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
    """Build Matplotlib's font cache once, before kernels run: it takes seconds, and tells so on stderr.

    Parameters
    ----------
    cache : Path
        The folder of what can be made again.
    wanted : bool
        Whether anything will be drawn.
    """
    folder = cache / "matplotlib"
    if wanted and not list(folder.glob("fontlist-*.json")):
        folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-c", "import matplotlib.font_manager"]
        subprocess.run(
            command, env={**os.environ, "MPLCONFIGDIR": str(folder)}, capture_output=True, check=False
        )


def in_parallel(
    project: Project,
    jobs_to_do: Sequence[Job],
    work: Callable[[Job], Outcome],
    jobs: int,
    report: Report | None,
    path_of: Callable[[Job], Path],
) -> list[Outcome]:
    """Do some work for each of many jobs; an interrupt stops what runs.

    Parameters
    ----------
    project : Project
        The checkout.
    jobs_to_do : sequence
        What is to be done; each is hashable.
    work : callable
        Does one job.
    jobs : int
        At most this many at a time.
    report : callable or None
        Called with each outcome as it comes.
    path_of : callable
        Returns the notebook of a job; those that took longest start first.

    Returns
    -------
    list of Outcome
        In the order of the jobs.

    Raises
    ------
    BaseException
        Whatever `work` or `report` raises, an interrupt included: nothing more is started then.
    """
    done: dict[Job, Outcome] = {}
    with ThreadPoolExecutor(max_workers=max(1, jobs)) as pool:
        futures = {pool.submit(work, job): job for job in longest_first(project, jobs_to_do, path_of)}
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
    return [done[job] for job in jobs_to_do]


def timed(name: str, work: Callable[[], tuple[str, tuple[str, ...]]]) -> Outcome:
    """Do the work for one notebook and tell what became of it.

    Parameters
    ----------
    name : str
        The notebook's name.
    work : callable
        Returns a status and the problems.

    Returns
    -------
    Outcome
        A failure becomes an outcome.
    """
    start = time.monotonic()
    try:
        status, problems = work()
    except NotebookError as error:
        status, problems = "failed", (str(error),)
    except OSError as error:  # a full disk, a folder that cannot be written
        status, problems = "failed", (f"{name}: {error}",)
    return Outcome(name, status, time.monotonic() - start, problems)


def _run_one(sources: Sources, path: Path, force: bool) -> Outcome:
    def work() -> tuple[str, tuple[str, ...]]:
        before = path.read_bytes()
        notebook = read_notebook(path)
        if not force and not is_stale(sources, path, notebook):
            return "up to date", ()
        begin = time.monotonic()
        tried = attempt(
            notebook, name=path.stem, cache=sources.project.cache, reads_below=tuple(sources.folders)
        )
        executed = tried.checked()
        seconds = time.monotonic() - begin
        keep = before == notebook_text(notebook).encode() and not compare(path.stem, notebook, executed)
        if not keep:
            if path.read_bytes() != before:
                raise NotebookError(f"{path.stem}: was changed while it ran; run it again.")
            write_atomically(path, dumps(executed))
        store_run(sources, path, notebook, tried.reads, seconds)
        return ("unchanged" if keep else "written"), ()

    return timed(path.stem, work)


def _is_stale_now(sources: Sources, path: Path) -> bool:
    try:
        return is_stale(sources, path, read_notebook(path))
    except NotebookError:
        return False  # nothing will run; the reason is told where it is read
