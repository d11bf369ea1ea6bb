"""What the commands of `cohort` do, from the words of the command line to lines and files."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cohort.errors import NotebookError, ParameterError
from cohort.runner.project import Project, find_project

# What executes notebooks is imported inside: help and parameters answer at once.
if TYPE_CHECKING:
    from cohort.runner.batch import Outcome, Report


def usual_jobs() -> int:
    """Return how many notebooks run at a time.

    Returns
    -------
    int
        One more than the cores that this process may use, since a run waits at its start and end.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return cores + 1


def run_or_vary(
    names: Sequence[str], given: Mapping[str, object], out: str | None, jobs: int | None, force: bool
) -> None:
    """Run the stale ones of some notebooks; with parameters or `out`, a variant of one.

    Parameters
    ----------
    names : sequence of str
        Names of notebooks; all where there is none.
    given : mapping of str to object
        Parameters.
    out : str or None
        Where a variant goes.
    jobs : int or None
        How many run at a time; None for `usual_jobs`.
    force : bool
        Also run what is up to date.

    Raises
    ------
    CohortError
        If a name, a parameter or `out` is not usable, or a notebook failed.
    """
    from cohort.runner.batch import run

    project = find_project()
    if given or out is not None:
        _vary(project, names, given, out)
        return
    paths = project.select(names)
    with reported("run", len(paths)) as report:
        outcomes = run(project, paths, jobs=jobs or usual_jobs(), force=force, report=report)
    refuse_problems(outcomes)


def _vary(project: Project, names: Sequence[str], given: Mapping[str, object], out: str | None) -> None:
    from cohort.runner.batch import run_variant
    from cohort.runner.notebook.document import read_notebook
    from cohort.runner.parameter_cells import read_parameters, validate

    if len(names) != 1:
        raise ParameterError(f"parameters and --out are for one notebook; {len(names)} were named.")
    path = project.find(names[0])
    values = validate(path.stem, read_parameters(path.stem, read_notebook(path)), given)
    if out is None:
        raise ParameterError(
            f"parameters need --out OUT.ipynb, so that the committed {path.name} stays as it is."
        )
    run_variant(project, path, values, Path(out))
    click.echo(f"wrote {out}")


def compare_afresh(names: Sequence[str], jobs: int | None, profiles: Sequence[str], and_here: bool) -> None:
    """Run notebooks afresh and compare them with what is committed.

    Parameters
    ----------
    names : sequence of str
        Names of notebooks; all where there is none.
    jobs : int or None
        How many run at a time; None for `usual_jobs`.
    profiles : sequence of str
        Profiles that make this machine compute as another, all at once.
    and_here : bool
        Also run them on this machine as it is.

    Raises
    ------
    CohortError
        If a name is unknown, or a notebook failed or differs.
    """
    from cohort.runner.checking.machines import machine_settings
    from cohort.runner.checking.reproduction import check

    project = find_project()
    machines = {"as elsewhere": machine_settings(profiles)} if profiles else {}
    if and_here or not profiles:
        machines = {"": {}, **machines}
    paths = project.select(names)
    with reported("check", len(paths) * len(machines)) as report:
        outcomes = check(project, paths, jobs=jobs or usual_jobs(), report=report, machines=machines)
    refuse_problems(outcomes)


def tell_differences(old: str, new: str | None, tolerance: float) -> None:
    """Print which recorded values differ between two states of the book.

    Parameters
    ----------
    old, new : str
        Commits, folders or notebooks; without `new`, the notebooks of the checkout.
    tolerance : float
        Floats that differ by no more than this share are equal.

    Raises
    ------
    CohortError
        If one of the two is neither.
    """
    from cohort.display.words import counted
    from cohort.runner.checking.difference import both, changes, difference_lines

    before, after = both(find_project(), old, new)
    found = changes(before, after, tolerance)
    for line in difference_lines(found, before | after):
        click.echo(line)
    values, verb = counted(len(found), "recorded value"), "differs" if len(found) == 1 else "differ"
    entries = counted(sum(len(record) for record in after.values()), "entry", "entries")
    click.echo(f"{values} {verb}, of {entries} in {counted(len(after), 'notebook')}.")


def list_parameters(names: Sequence[str], as_json: bool) -> None:
    """Print the parameters of notebooks.

    Parameters
    ----------
    names : sequence of str
        Names of notebooks; all where there is none.
    as_json : bool
        Print JSON instead of a table.

    Raises
    ------
    CohortError
        If a name is unknown, or a cell of parameters cannot be read.
    """
    from cohort.runner.notebook.document import read_notebook
    from cohort.runner.parameter_cells import parameter_table, read_parameters

    paths = find_project().select(names)
    found = {path.stem: read_parameters(path.stem, read_notebook(path)) for path in paths}
    if as_json:
        rows = {name: list(map(dataclasses.asdict, listed)) for name, listed in found.items()}
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
    else:
        click.echo("\n\n".join(parameter_table(name, listed) for name, listed in found.items()))


@contextmanager
def reported(verb: str, total: int) -> Iterator[Report]:
    """Report each outcome as a line on stdout, under a progress bar on stderr where a person looks on.

    Parameters
    ----------
    verb : str
        What is done, for the bar.
    total : int
        How many outcomes will come.

    Yields
    ------
    callable
        Takes an `Outcome`.
    """
    if not sys.stderr.isatty() or os.environ.get("CI"):
        yield lambda outcome: click.echo(outcome_line(outcome))
        return
    from tqdm import tqdm

    with tqdm(total=total, desc=verb, unit="notebook", file=sys.stderr, leave=False) as bar:

        def report(outcome: Outcome) -> None:
            tqdm.write(outcome_line(outcome), file=sys.stdout)
            bar.update()

        yield report


def outcome_line(outcome: Outcome) -> str:
    """Return the line of an outcome: its name, status and duration.

    Parameters
    ----------
    outcome : Outcome
        What became of a notebook.

    Returns
    -------
    str
        Without a duration where it took no time.
    """
    seconds = f"{outcome.seconds:6.1f} s" if outcome.seconds >= 0.05 else ""
    return f"{outcome.name:<20} {outcome.status:<10} {seconds}".rstrip()


def refuse_problems(outcomes: Sequence[Outcome]) -> None:
    """Tell what went wrong, a line each.

    Parameters
    ----------
    outcomes : sequence of Outcome
        What became of the notebooks.

    Raises
    ------
    NotebookError
        With the last line, if anything did.
    """
    problems = [problem for outcome in outcomes for problem in outcome.problems]
    for problem in problems[:-1]:
        click.echo(f"error: {problem}", err=True)
    if problems:
        raise NotebookError(problems[-1])
