"""Execute the committed notebooks afresh and compare."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from cohort.runner.batch import Outcome, Report, in_parallel, prepare_fonts, timed
from cohort.runner.checking.comparison import compare
from cohort.runner.kernels.kernel import execute
from cohort.runner.notebook.canonical_form import notebook_text
from cohort.runner.notebook.document import read_notebook
from cohort.runner.project import Project

HERE: Mapping[str, Mapping[str, str]] = {"": {}}


def check(
    project: Project,
    paths: Iterable[Path],
    *,
    jobs: int,
    report: Report | None = None,
    machines: Mapping[str, Mapping[str, str]] = HERE,
) -> list[Outcome]:
    """Execute notebooks in temporary folders and compare them with what is committed.

    Parameters
    ----------
    project : Project
        The checkout; nothing in it is written but its cache of fonts.
    paths : iterable of Path
        Notebooks.
    jobs : int
        At most this many run at a time.
    report : callable, optional
        Called with each outcome as it comes.
    machines : mapping of str to mapping
        For each machine that is to be checked, by what is said of it, the environment variables that make
        this one compute as that: `machines.machine_settings`. By default this one alone, as it is.

    Returns
    -------
    list of Outcome
        One for each notebook and machine, in the order given: ``"unchanged"`` or ``"failed"``, with a line
        for each cell that failed or differs beyond the tolerance, and one for a file that is not in canonical
        form.
    """
    work = [(path, said) for path in paths for said in machines]
    prepare_fonts(project.cache, bool(work))

    def one(job: tuple[Path, str]) -> Outcome:
        return _check_one(project, *job, machines[job[1]])

    return in_parallel(project, work, one, jobs, report, path_of=lambda job: job[0])


def _check_one(project: Project, path: Path, said: str, machine: Mapping[str, str]) -> Outcome:
    name = f"{path.stem} {said}".rstrip()

    def work() -> tuple[str, tuple[str, ...]]:
        committed = read_notebook(path)
        problems: list[str] = []
        if path.read_text(encoding="utf-8") != notebook_text(committed):
            problems.append(f"{path.stem}: is not in canonical form; run `cohort run {path.stem}`.")
        fresh = execute(committed, name=path.stem, cache=project.cache, machine=machine)
        problems += [str(difference) for difference in compare(name, committed, fresh)]
        return ("failed" if problems else "unchanged"), tuple(problems)

    return timed(name, work)
