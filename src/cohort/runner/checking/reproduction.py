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


def check(
    project: Project,
    paths: Iterable[Path],
    *,
    jobs: int,
    report: Report | None = None,
    machine: Mapping[str, str] | None = None,
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
    machine : mapping, optional
        Environment variables that make this machine compute as another: `machines.machine_settings`.

    Returns
    -------
    list of Outcome
        One for each notebook, in the order given: ``"unchanged"`` or ``"failed"``, with a line for each cell
        that failed or differs beyond the tolerance, and one for a file that is not in canonical form.
    """
    paths = list(paths)
    prepare_fonts(project.cache, bool(paths))
    return in_parallel(project, paths, lambda path: _check_one(project, path, machine), jobs, report)


def _check_one(project: Project, path: Path, machine: Mapping[str, str] | None) -> Outcome:
    def work() -> tuple[str, tuple[str, ...]]:
        committed = read_notebook(path)
        problems: list[str] = []
        if path.read_text(encoding="utf-8") != notebook_text(committed):
            problems.append(f"{path.stem}: is not in canonical form; run `cohort run {path.stem}`.")
        fresh = execute(committed, name=path.stem, cache=project.cache, machine=machine)
        problems += [str(difference) for difference in compare(path.stem, committed, fresh)]
        return ("failed" if problems else "unchanged"), tuple(problems)

    return timed(path.stem, work)
