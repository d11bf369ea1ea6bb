"""The command line: `cohort run`, `cohort sweep`, `cohort check`, `cohort diff`, `cohort parameters`."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cohort import __version__
from cohort.errors import CohortError, MissingExtraError, NotebookError, ParameterError, extras

try:
    with extras():
        import click
except MissingExtraError as error:
    sys.exit(f"error: {error}")

# What executes notebooks is imported inside the commands: help and parameters answer at once.
if TYPE_CHECKING:
    from cohort.runner.batch import Outcome, Report
    from cohort.runner.parameter_cells import Parameter, Value
    from cohort.runner.project import Project
    from cohort.runner.sweeps.plan import Plan
    from cohort.runner.sweeps.store import Store

Pairs = tuple[tuple[str, str], ...]


class _Commands(click.Group):
    """A group of commands whose domain errors are one line on stderr and exit status 1."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            with extras():
                return super().invoke(ctx)
        except CohortError as error:
            click.echo(f"error: {error}", err=True)
            ctx.exit(1)


def _usual_jobs() -> int:
    """Return one more than the cores that this process may use, since a run waits at its start and end."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return cores + 1


_names = click.argument("names", nargs=-1, metavar="[NAME]...")
_jobs = click.option(
    "--jobs",
    "-j",
    type=click.IntRange(min=1),
    default=None,
    help="Notebooks at a time [default: one more than cores].",
)


def _parameters(command: Any) -> Any:
    """Give a command papermill's options for parameters."""
    for option in (
        click.option(
            "--parameters_file", "-f", multiple=True, metavar="FILE", help="A YAML file of parameters."
        ),
        click.option("--parameters_yaml", "-y", multiple=True, metavar="YAML", help="Parameters in YAML."),
        click.option(
            "--parameters_raw", "-r", nargs=2, multiple=True, metavar="NAME TEXT", help="The same as -p."
        ),
        click.option(
            "--parameters",
            "-p",
            nargs=2,
            multiple=True,
            metavar="NAME VALUE",
            help="A parameter; a list as a,b,c.",
        ),
    ):
        command = option(command)
    return command


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="""\b
Examples:
  cohort run                          run every notebook that is stale
  cohort run the_cohort --force       run one notebook, stale or not
  cohort run the_cohort -p context 65536 -p models llama-3-8b,dbrx --out long.ipynb
  cohort sweep the_cohort --grid context=8192,65536 --out runs
                                      run one notebook under many parameters
  cohort check                        run all of them afresh and compare
  cohort diff HEAD~1                  which recorded values a commit changed
  cohort parameters the_cohort        what can be changed with -p""",
)
@click.version_option(__version__, prog_name="cohort")
def main() -> None:
    """Run, vary and check the notebooks of the book.

    A NAME is that of a notebook, with or without its folder and suffix; without one, all of them are meant.
    """


@main.command()
@_names
@_jobs
@click.option("--force", is_flag=True, help="Also run what is up to date.")
@_parameters
@click.option("--out", metavar="OUT.ipynb", help="Where the notebook goes when run with parameters.")
def run(
    names: Sequence[str],
    jobs: int | None,
    force: bool,
    parameters: Pairs,
    parameters_raw: Pairs,
    parameters_yaml: Sequence[str],
    parameters_file: Sequence[str],
    out: str | None,
) -> None:
    """Run notebooks through papermill and rewrite those whose results have changed.

    Only what is stale is run: its sources, src/, data/ or the lock file have changed since its last run here.
    With parameters, one notebook is run into the file that --out names, and stays as it is itself.
    Later sources of parameters win: -f, then -y, then -p, then -r.
    """
    from cohort.runner.project import find_project

    project = find_project()
    given = _given(parameters, parameters_raw, parameters_yaml, parameters_file)
    if given or out is not None:
        _run_variant(project, names, given, out)
        return
    from cohort.runner.batch import run as run_notebooks

    paths = project.select(names)
    with _progress("run", len(paths)) as report:
        outcomes = run_notebooks(project, paths, jobs=jobs or _usual_jobs(), force=force, report=report)
    _finish(outcomes)


@main.command()
@click.argument("name", required=False)
@click.option(
    "--grid", "-g", multiple=True, metavar="NAME=A,B", help="An axis: its values meet all of the others."
)
@click.option("--zip", "zipped", multiple=True, metavar="NAME=A,B", help="An axis in step with other --zip.")
@click.option("--sample", type=click.IntRange(min=1), help="Run so many of the sets, chosen at random.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of that choice.")
@_parameters
@_jobs
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=600,
    show_default=True,
    help="The longest that a cell may take, in seconds.",
)
@click.option("--out", metavar="FOLDER", help="A new folder for the runs and their results.")
@click.option("--resume", metavar="FOLDER", help="Go on with the sweep in a folder.")
@click.option("--retry-failed", is_flag=True, help="With --resume: run failed runs again.")
@click.option("--figures", is_flag=True, help="Draw the figures of the runs; without, none is drawn.")
@click.option("--html", "as_html", is_flag=True, help="Also write index.html, with all figures side by side.")
@click.option("--scheduler", metavar="ADDRESS", help="Run on a Dask cluster: the address of its scheduler.")
def sweep(
    name: str | None,
    grid: Sequence[str],
    zipped: Sequence[str],
    sample: int | None,
    seed: int,
    parameters: Pairs,
    parameters_raw: Pairs,
    parameters_yaml: Sequence[str],
    parameters_file: Sequence[str],
    jobs: int | None,
    timeout: float,
    out: str | None,
    resume: str | None,
    retry_failed: bool,
    figures: bool,
    as_html: bool,
    scheduler: str | None,
) -> None:
    """Run one notebook under many sets of parameters.

    The folder holds an executed notebook of each run, and results.csv and results.parquet: a row for each
    run, with its parameters, what it recorded, its status, error and duration. A run that fails is a row and
    stops no other. Whatever ends the sweep, no finished run is lost: go on with --resume.
    """
    from cohort.runner.project import find_project
    from cohort.runner.sweeps.store import Store

    project = find_project()
    given = _given(parameters, parameters_raw, parameters_yaml, parameters_file)
    if resume is None:
        if name is None or out is None:
            raise ParameterError("a sweep needs a notebook and --out FOLDER, or --resume FOLDER.")
        if retry_failed:
            raise ParameterError("--retry-failed goes with --resume FOLDER.")
        plan = _plan(project, name, given, grid, zipped, sample, seed, figures or as_html)
        store = Store(Path(out))
        if store.folder.resolve().is_relative_to(project.notebooks.resolve()):
            raise ParameterError(f"--out is {out!r}, among the committed notebooks; give another folder.")
    else:
        if name is not None or out is not None or given or grid or zipped or sample:
            raise ParameterError("--resume takes the notebook and its parameters from the folder alone.")
        store = Store(Path(resume))
        plan = store.plan()
        if (figures or as_html) and not plan.figures:
            raise ParameterError(
                f"the runs in {resume!r} draw no figures; start a sweep with --figures or --html in another folder."
            )
    with _stored_in(store):
        if resume is None:
            store.begin(plan)
        elif retry_failed:
            store.forget_failures()
        _sweep(project, plan, store, jobs, timeout, scheduler, as_html)


@main.command()
@_names
@_jobs
@click.option(
    "--profile",
    "profiles",
    multiple=True,
    metavar="PROFILE",
    help="Another machine: plain-cpu, many-threads.",
)
def check(names: Sequence[str], jobs: int | None, profiles: Sequence[str]) -> None:
    """Run notebooks afresh and compare them with what is committed.

    Records may differ by 1e-6 of their value, printed numbers by one unit of their last place, drawings by
    0.01 pt, and cells tagged "measured" by the tolerance they state. With --profile, the numerical libraries
    compute as they would on a machine without the newer features of this processor, or with many threads.
    """
    from cohort.runner.checking.machines import machine_settings
    from cohort.runner.checking.reproduction import check as check_notebooks
    from cohort.runner.project import find_project

    project = find_project()
    machine = machine_settings(profiles)
    paths = project.select(names)
    with _progress("check", len(paths)) as report:
        outcomes = check_notebooks(project, paths, jobs=jobs or _usual_jobs(), report=report, machine=machine)
    _finish(outcomes)


@main.command()
@click.argument("old")
@click.argument("new", required=False)
@click.option(
    "--tolerance",
    type=click.FloatRange(min=0),
    default=1e-6,
    show_default=True,
    help="Equal up to this share.",
)
def diff(old: str, new: str | None, tolerance: float) -> None:
    """Tell which recorded values differ between two commits or folders.

    OLD and NEW are commits of the checkout, folders of notebooks (such as those of sweeps) or single
    notebooks; without NEW, the notebooks as they are here are meant.
    """
    from cohort.runner.checking.difference import both, changes, difference_lines
    from cohort.runner.project import find_project

    before, after = both(find_project(), old, new)
    found = changes(before, after, tolerance)
    for line in difference_lines(found, before | after):
        click.echo(line)
    entries = sum(len(record) for record in after.values())
    from cohort.display.words import counted

    values, verb = counted(len(found), "recorded value"), "differs" if len(found) == 1 else "differ"
    of = f"{counted(entries, 'entry', 'entries')} in {counted(len(after), 'notebook')}"
    click.echo(f"{values} {verb}, of {of}.")


@main.command()
@_names
@click.option("--json", "as_json", is_flag=True, help="Print JSON: a list of parameters for each notebook.")
def parameters(names: Sequence[str], as_json: bool) -> None:
    """List the parameters of notebooks: name, type, default and help."""
    from cohort.runner.notebook.document import read_notebook
    from cohort.runner.parameter_cells import read_parameters
    from cohort.runner.project import find_project

    paths = find_project().select(names)
    found = {path.stem: read_parameters(path.stem, read_notebook(path)) for path in paths}
    if as_json:
        rows = {
            name: [dataclasses.asdict(parameter) for parameter in listed] for name, listed in found.items()
        }
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
    else:
        click.echo("\n\n".join(_table(name, listed) for name, listed in found.items()))


def _given(
    pairs: Pairs, raw: Pairs, yaml_texts: Sequence[str], yaml_files: Sequence[str]
) -> dict[str, object]:
    from cohort.runner.parameter_cells import from_text, from_yaml, from_yaml_file

    given: dict[str, object] = {}
    for file in yaml_files:
        given |= from_yaml_file(Path(file))
    for text in yaml_texts:
        given |= from_yaml(text, "-y")
    return given | from_text(pairs) | from_text(raw)


def _run_variant(project: Project, names: Sequence[str], given: dict[str, object], out: str | None) -> None:
    from cohort.runner.batch import run_variant
    from cohort.runner.notebook.document import read_notebook
    from cohort.runner.parameter_cells import read_parameters, validate

    if len(names) != 1:
        raise ParameterError(f"parameters and --out are for one notebook; {len(names)} were named.")
    path = project.find(names[0])
    known: list[Parameter] = read_parameters(path.stem, read_notebook(path))
    values: dict[str, Value] = validate(path.stem, known, given)
    if out is None:
        raise ParameterError(
            f"parameters need --out OUT.ipynb, so that the committed {path.name} stays as it is."
        )
    run_variant(project, path, values, Path(out))
    click.echo(f"wrote {out}")


def _plan(
    project: Project,
    name: str,
    given: dict[str, object],
    grid: Sequence[str],
    zipped: Sequence[str],
    sample: int | None,
    seed: int,
    figures: bool,
) -> Plan:
    from cohort.runner.notebook.document import read_notebook
    from cohort.runner.parameter_cells import read_parameters
    from cohort.runner.staleness import Sources
    from cohort.runner.sweeps.plan import make_plan

    path = project.find(name)
    notebook = read_notebook(path)
    stored_as = path.stem if path.parent == project.notebooks else str(path)
    return make_plan(
        stored_as,
        Sources(project).everything(notebook),
        read_parameters(path.stem, notebook),
        fixed=given,
        grid=grid,
        zipped=zipped,
        sample=sample,
        seed=seed,
        figures=figures,
    )


@contextmanager
def _stored_in(store: Store) -> Iterator[None]:
    """Open the folder of a sweep; what cannot be written is told in one line, with how to go on."""
    from cohort.runner.sweeps.execution import StoppedError

    again = f"go on with `cohort sweep --resume {store.folder}`"
    try:
        with store.opened():
            yield
    except StoppedError as why:
        raise NotebookError(f"{why}; finished runs are kept, {again}.") from None
    except OSError as error:
        reason = error.strerror or error
        raise NotebookError(f"{str(store.folder)!r} cannot be written ({reason}); {again}.") from None


def _sweep(
    project: Project,
    plan: Plan,
    store: Store,
    jobs: int | None,
    timeout_s: float,
    scheduler: str | None,
    as_html: bool,
) -> None:
    """Run a sweep and write its table, also where it is interrupted; end with status 1 if a run failed."""
    from cohort.runner.batch import Outcome
    from cohort.runner.sweeps.execution import StoppedError, run_sweep
    from cohort.runner.sweeps.report import page
    from cohort.runner.sweeps.results import write_tables

    def write() -> None:
        rows = store.rows()
        write_tables(store.folder, plan, rows)
        if as_html:
            from cohort.runner.notebook.document import write_atomically

            notebooks = [store.notebook(row) for row in rows]
            write_atomically(store.folder / "index.html", page(plan, rows, notebooks))

    path = project.find(plan.notebook)
    left = len(plan.sets) - len(store.rows())
    try:
        with _progress("sweep", left) as report:
            rows = run_sweep(
                project,
                path,
                plan,
                store,
                jobs=jobs or _usual_jobs(),
                timeout_s=timeout_s,
                scheduler=scheduler,
                report=lambda row: report(Outcome(plan.label(row.run), row.status, row.seconds)),
            )
    except StoppedError:
        with suppress(OSError):
            write()
        raise
    write()
    failed = [row for row in rows if row.status == "failed"]
    for row in failed:
        click.echo(f"error: {plan.label(row.run)}: {row.error}", err=True)
    click.echo(f"{len(rows) - len(failed)} of {len(rows)} runs finished: {store.folder / 'results.csv'}")
    if failed:
        raise NotebookError(f"{len(failed)} of {len(rows)} runs failed; run them again with --retry-failed.")


@contextmanager
def _progress(verb: str, total: int) -> Iterator[Report]:
    """Report each outcome as a line on stdout, under a progress bar on stderr where a person looks on."""
    if not sys.stderr.isatty() or os.environ.get("CI"):
        yield lambda outcome: click.echo(_line(outcome))
        return
    from tqdm import tqdm

    with tqdm(total=total, desc=verb, unit="notebook", file=sys.stderr, leave=False) as bar:

        def report(outcome: Outcome) -> None:
            tqdm.write(_line(outcome), file=sys.stdout)
            bar.update()

        yield report


def _line(outcome: Outcome) -> str:
    seconds = f"{outcome.seconds:6.1f} s" if outcome.seconds >= 0.05 else ""
    return f"{outcome.name:<20} {outcome.status:<10} {seconds}".rstrip()


def _finish(outcomes: Sequence[Outcome]) -> None:
    """Tell what went wrong, a line each, and end with status 1 if anything did."""
    problems = [problem for outcome in outcomes for problem in outcome.problems]
    for problem in problems[:-1]:
        click.echo(f"error: {problem}", err=True)
    if problems:
        raise NotebookError(problems[-1])


def _short(default: Value, limit: int = 40) -> str:
    """Return a default as -p takes it, cut where it is long; --json gives it whole."""
    text = ",".join(map(str, default)) if isinstance(default, list) else str(default)
    if len(text) <= limit:
        return text
    return f"{text[:limit]}… ({len(default)})" if isinstance(default, list) else f"{text[:limit]}…"


def _table(name: str, listed: Sequence[Parameter]) -> str:
    if not listed:
        return f"{name}: no parameters"
    rows = [(item.name, item.type, _short(item.default), item.help) for item in listed]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = [
        "  ".join([*(text.ljust(width) for text, width in zip(row, widths, strict=False)), row[3]])
        for row in rows
    ]
    return "\n".join([name, *(f"  {line}" for line in lines)])
