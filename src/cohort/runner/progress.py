"""What a command shows while it works, and what it says at its end."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import click

from cohort.errors import NotebookError
from cohort.runner.batch import Outcome, Report


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
