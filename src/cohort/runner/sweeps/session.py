"""A sweep from its request to its table and page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import click

from cohort.errors import NotebookError, ParameterError
from cohort.runner.batch import Outcome
from cohort.runner.commands import reported
from cohort.runner.notebook.document import read_notebook, write_atomically
from cohort.runner.parameter_cells import read_parameters
from cohort.runner.project import Project, find_project
from cohort.runner.staleness import Sources
from cohort.runner.sweeps.execution import StoppedError, run_sweep
from cohort.runner.sweeps.plan import Plan, make_plan
from cohort.runner.sweeps.results import write_tables
from cohort.runner.sweeps.store import FAILED, Row, Store


@dataclass(frozen=True)
class Request:
    """A sweep as the command line asks for it.

    Parameters
    ----------
    name : str or None
        The notebook.
    given : mapping of str to object
        Parameters that all runs share.
    grid, zipped : sequence of str
        Axes, as `make_plan` takes them.
    sample : int or None
        Run so many of the sets.
    seed : int
        Seed of their choice.
    out, resume : str or None
        The folder of a new sweep, or of one that goes on.
    retry_failed : bool
        Run failed runs again.
    figures, html : bool
        Whether figures are drawn, and whether there is a page of them.
    """

    name: str | None
    given: Mapping[str, object]
    grid: Sequence[str] = ()
    zipped: Sequence[str] = ()
    sample: int | None = None
    seed: int = 0
    out: str | None = None
    resume: str | None = None
    retry_failed: bool = False
    figures: bool = False
    html: bool = False

    @property
    def draws(self) -> bool:
        """Whether the runs are to draw their figures."""
        return self.figures or self.html


def sweep_notebook(request: Request, *, jobs: int, timeout_s: float, scheduler: str | None) -> None:
    """Run a sweep, and write its table and page, also where it is interrupted.

    Parameters
    ----------
    request : Request
        What is asked for.
    jobs : int
        At most this many run at a time on this machine.
    timeout_s : float
        The longest that one cell may take, in seconds.
    scheduler : str or None
        The address of a Dask scheduler whose workers are to run it instead.

    Raises
    ------
    CohortError
        If the request is not usable, the sweep ended early, or a run failed.
    """
    project = find_project()
    plan, store = _begun(project, request) if request.resume is None else _resumed(request)
    with _opened(store):
        if request.resume is None:
            store.begin(plan)
        elif request.retry_failed:
            store.forget_failures()
        left = len(plan.sets) - len(store.rows())
        with _written(plan, store, request.html), reported("sweep", left) as report:
            rows = run_sweep(
                project,
                project.find(plan.notebook),
                plan,
                store,
                jobs=jobs,
                timeout_s=timeout_s,
                scheduler=scheduler,
                report=lambda row: report(Outcome(plan.label(row.run), row.status, row.seconds)),
            )
        _tell(plan, store, rows)


def _begun(project: Project, request: Request) -> tuple[Plan, Store]:
    """Return the plan of a new sweep and its folder."""
    if request.name is None or request.out is None:
        raise ParameterError("a sweep needs a notebook and --out FOLDER, or --resume FOLDER.")
    if request.retry_failed:
        raise ParameterError("--retry-failed goes with --resume FOLDER.")
    path = project.find(request.name)
    notebook = read_notebook(path)
    plan = make_plan(
        path.stem if path.parent == project.notebooks else str(path),
        Sources(project).everything(notebook),
        read_parameters(path.stem, notebook),
        fixed=request.given,
        grid=request.grid,
        zipped=request.zipped,
        sample=request.sample,
        seed=request.seed,
        figures=request.draws,
    )
    store = Store(Path(request.out))
    if store.folder.resolve().is_relative_to(project.notebooks.resolve()):
        raise ParameterError(f"--out is {request.out!r}, among the committed notebooks; give another folder.")
    return plan, store


def _resumed(request: Request) -> tuple[Plan, Store]:
    """Return the plan and the folder of a sweep that goes on."""
    if request.name or request.out or request.given or request.grid or request.zipped or request.sample:
        raise ParameterError("--resume takes the notebook and its parameters from the folder alone.")
    store = Store(Path(request.resume or ""))
    plan = store.plan()
    if request.draws and not plan.figures:
        raise ParameterError(
            f"the runs in {request.resume!r} draw no figures; start a sweep with --figures in another folder."
        )
    return plan, store


@contextmanager
def _opened(store: Store) -> Iterator[None]:
    """Open the folder of a sweep; what cannot be written is told in one line, with how to go on."""
    again = f"go on with `cohort sweep --resume {store.folder}`"
    try:
        with store.opened():
            yield
    except StoppedError as why:
        raise NotebookError(f"{why}; finished runs are kept, {again}.") from None
    except OSError as error:
        reason = error.strerror or error
        raise NotebookError(f"{str(store.folder)!r} cannot be written ({reason}); {again}.") from None


@contextmanager
def _written(plan: Plan, store: Store, as_html: bool) -> Iterator[None]:
    """Write the table and the page at the end, and what can be written of them where the sweep stops."""
    try:
        yield
    except StoppedError:
        with suppress(OSError):
            _write(plan, store, as_html)
        raise
    _write(plan, store, as_html)


def _write(plan: Plan, store: Store, as_html: bool) -> None:
    rows = store.rows()
    write_tables(store.folder, plan, rows)
    if as_html:
        from cohort.runner.sweeps.report import page  # draws, and what draws is slow to load

        notebooks = [store.notebook(row) for row in rows]
        write_atomically(store.folder / "index.html", page(plan, rows, notebooks))


def _tell(plan: Plan, store: Store, rows: Sequence[Row]) -> None:
    """Say how many runs finished; raise where one failed."""
    failed = [row for row in rows if row.status == FAILED]
    for row in failed:
        click.echo(f"error: {plan.label(row.run)}: {row.error}", err=True)
    click.echo(f"{len(rows) - len(failed)} of {len(rows)} runs finished: {store.folder / 'results.csv'}")
    if failed:
        raise NotebookError(f"{len(failed)} of {len(rows)} runs failed; run them again with --retry-failed.")
