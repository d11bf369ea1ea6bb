"""Run a sweep, on this machine or on a Dask cluster, through the executor interface of Python."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Executor, Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from cohort.errors import CohortError, NotebookError, ParameterError, extras
from cohort.runner.batch import prepare_fonts
from cohort.runner.kernels.kernel import attempt, stop_workers
from cohort.runner.notebook.canonical_form import without_outputs
from cohort.runner.notebook.document import read_notebook
from cohort.runner.project import Project
from cohort.runner.records import read_record
from cohort.runner.staleness import Sources
from cohort.runner.sweeps.plan import Plan
from cohort.runner.sweeps.store import Row, Store

Report = Callable[[Row], None]


Job = dict[str, Any]


Result = dict[str, Any]


class StoppedError(CohortError):
    """A sweep that ended before all of it had run; what has run is stored."""


def run_sweep(
    project: Project,
    path: Path,
    plan: Plan,
    store: Store,
    *,
    jobs: int,
    timeout_s: float,
    scheduler: str | None = None,
    report: Report | None = None,
) -> list[Row]:
    """Run what a sweep has not run yet, and store each run as it finishes.

    Parameters
    ----------
    project : Project
        The checkout.
    path : Path
        The notebook.
    plan : Plan
        What to run.
    store : Store
        The folder of the sweep, opened.
    jobs : int
        At most this many run at a time on this machine.
    timeout_s : float
        The longest that one cell may take, in seconds.
    scheduler : str, optional
        The address of a Dask scheduler whose workers are to run it instead.
    report : callable, optional
        Called with each row as it comes.

    Returns
    -------
    list of Row
        The rows of all runs, those of earlier sessions included.

    Raises
    ------
    StoppedError
        If it was interrupted, a result could not be stored, or the scheduler is gone.
    NotebookError
        If the notebook, or what it depends on, is not as when the sweep began.
    """
    notebook = read_notebook(path)
    if Sources(project).everything(notebook) != plan.key:
        raise NotebookError(
            f"{path.stem}, or the code and data that it uses, has changed since this sweep began; "
            "start another one in a new folder."
        )
    done = {row.run for row in store.rows()}
    left = [run for run in range(1, len(plan.sets) + 1) if run not in done]
    local = scheduler is None
    prepare_fonts(project.cache, bool(left) and local)
    shared = {
        "notebook": without_outputs(notebook),
        "name": path.stem,
        "cwd": str(Path.cwd()) if local else None,
        "cache": str(project.cache) if local else None,
        "timeout_s": timeout_s,
        "figures": plan.figures,
    }
    with (
        store.drawings() as drawings,
        _threads(jobs) if scheduler is None else _cluster(scheduler) as executor,
    ):
        if local and plan.figures:
            shared["figures"] = str(drawings)  # a figure that is the same in several runs is drawn once
        submitted = {
            executor.submit(run_set, {**shared, "parameters": plan.sets[run - 1]}): run for run in left
        }
        _collect(submitted, plan, store, report)
    return store.rows()


def run_set(job: Job) -> Result:
    """Run one set of parameters; it is tried once more if the process that ran it was lost.

    Parameters
    ----------
    job : dict
        What to run, in types that travel to another machine.

    Returns
    -------
    dict
        The executed notebook, what went wrong, and how long it took.

    Raises
    ------
    CancelledError
        If the sweep stops.
    """
    cwd, cache = (Path(job[name]) if job[name] else None for name in ("cwd", "cache"))
    for last in (False, True):
        if _stopping.is_set():
            raise CancelledError
        begin = time.monotonic()
        tried = attempt(
            job["notebook"],
            job["parameters"],
            name=job["name"],
            cwd=cwd,
            cache=cache,
            timeout_s=job["timeout_s"],
            figures=Path(job["figures"]) if isinstance(job["figures"], str) else job["figures"],
        )
        if tried.lost and _stopping.is_set():
            raise CancelledError
        if last or not tried.lost:
            break
    return {
        "notebook": tried.notebook,
        "problem": tried.problem,
        "seconds": time.monotonic() - begin,
    }


# Set while a sweep stops: a process that is lost then is no result.
_stopping = threading.Event()


@contextmanager
def _threads(jobs: int) -> Iterator[Executor]:
    """Run on this machine; however this ends, nothing runs any more at its end."""
    _stopping.clear()
    pool = ThreadPoolExecutor(max_workers=jobs)
    try:
        yield pool
    except BaseException:
        _stopping.set()
        pool.shutdown(wait=False, cancel_futures=True)
        # Again and again, since one may just have been starting.
        while any(thread.is_alive() for thread in pool._threads):
            stop_workers()
            time.sleep(0.02)
        raise
    finally:
        pool.shutdown()


@contextmanager
def _cluster(address: str) -> Iterator[Executor]:
    """Run on the workers of a Dask scheduler, which runs anew what a worker took with it."""
    with extras():
        from distributed import Client
    try:
        client = Client(address, timeout=5, name="cohort-sweep")
    except (OSError, ValueError) as error:
        raise ParameterError(f"no Dask scheduler answers at {address!r} ({error}).") from None
    try:
        yield client.get_executor(pure=False)
    finally:
        client.close(timeout=5)


def _collect(submitted: dict[Future[Result], int], plan: Plan, store: Store, report: Report | None) -> None:
    """Store each result as it comes, also those that have come when something ends the sweep.

    A stored result is let go of: a cluster would compute it again if the worker that holds it were lost.
    """
    try:
        for future in as_completed(list(submitted)):
            row = _stored(store, submitted[future], plan, future)
            del submitted[future], future
            if report:
                report(row)
    except (KeyboardInterrupt, CancelledError, OSError) as why:
        _stopping.set()
        if not isinstance(why, OSError):
            for future, run in submitted.items():
                if future.done() and not future.cancelled():
                    with suppress(CancelledError):
                        _stored(store, run, plan, future)
        raise StoppedError(_why(why)) from None


def _stored(store: Store, run: int, plan: Plan, future: Future[Result]) -> Row:
    """Store the result of a run. A full disk ends the sweep, and any other failure is a row."""
    parameters = plan.sets[run - 1]
    try:
        result = future.result()
    except (CancelledError, OSError):
        raise
    except Exception as error:  # of the cluster: a task that killed its workers, a package that is not there
        said = " ".join(f"{type(error).__name__}: {error}".split())
        return store.finish(run, parameters, None, said, 0.0, {})
    notebook, problem = result["notebook"], result["problem"]
    record = {}
    try:
        record = read_record(notebook) if notebook and not problem else {}
    except NotebookError as error:
        problem = str(error)
    return store.finish(run, parameters, notebook, problem, result["seconds"], record)


def _why(error: BaseException) -> str:
    if isinstance(error, KeyboardInterrupt):
        return "interrupted"
    if isinstance(error, OSError):
        return f"a result cannot be stored ({error.strerror or error})"
    return "the runs were cancelled, or the scheduler is gone"
