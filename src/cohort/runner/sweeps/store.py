"""The folder of a sweep: its plan, a row and a notebook for each finished run, and the table of all.

Each file is written whole or not at all. A run is finished when its row is there, which is written last; the
table and the page are made from the rows, and can be made again.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_type_hints

from cohort.errors import NotebookError, ParameterError
from cohort.errors.arguments import fits
from cohort.errors.files import file_text
from cohort.runner.notebook.canonical_form import dumps
from cohort.runner.notebook.document import Notebook, write_atomically
from cohort.runner.records import Entry
from cohort.runner.sweeps.plan import Plan, Values

FINISHED, FAILED = "finished", "failed"


@dataclass(frozen=True)
class Row:
    """What became of one run.

    Parameters
    ----------
    run : int
        Its number in the plan, from 1.
    parameters : dict
        Its parameters.
    status : str
        ``"finished"`` or ``"failed"``.
    error : str or None
        What went wrong, in one line.
    seconds : float
        How long it took.
    notebook : str or None
        Its executed notebook in the folder of the sweep; a failed run has one unless its process was lost.
    record : dict
        What it recorded: each value with its unit.
    """

    run: int
    parameters: Values
    status: str
    error: str | None
    seconds: float
    notebook: str | None
    record: dict[str, Entry]


class Store:
    """The folder of a sweep.

    Parameters
    ----------
    folder : Path
        The folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._plan = folder / "sweep.json"
        self._rows = folder / "rows"

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Keep the folder to this process, and clear away what one that was killed began to write.

        Raises
        ------
        ParameterError
            If another process works on it.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / ".lock").open("w") as lock:
            try:
                import fcntl
            except ImportError:  # where there are no such locks
                pass
            else:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    raise ParameterError(
                        f"another process works on the sweep in {str(self.folder)!r}."
                    ) from None
            for left in self.folder.rglob(".*.tmp"):
                left.unlink(missing_ok=True)
            yield

    @contextmanager
    def drawings(self) -> Iterator[Path]:
        """Give an empty folder for the drawings that runs share; it goes at the end, or when begun anew.

        Yields
        ------
        Path
            Its absolute path.
        """
        folder = (self.folder / ".drawings").resolve()
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def begin(self, plan: Plan) -> None:
        """Store the plan of a new sweep.

        Parameters
        ----------
        plan : Plan
            The plan.

        Raises
        ------
        ParameterError
            If the folder holds a sweep already.
        """
        if self._plan.exists():
            raise ParameterError(
                f"{str(self.folder)!r} already holds a sweep; go on with it by --resume {self.folder}, "
                "or give another folder."
            )
        text = json.dumps(dataclasses.asdict(plan), indent=1, ensure_ascii=False)
        write_atomically(self._plan, text + "\n")

    def plan(self) -> Plan:
        """Return the stored plan.

        Returns
        -------
        Plan

        Raises
        ------
        ParameterError
            If there is none.
        NotebookError
            If it cannot be read.
        """
        try:
            stored = json.loads(file_text(self._plan))
            return _plan_of(stored)
        except FileNotFoundError:
            raise ParameterError(f"{str(self.folder)!r} holds no sweep; start one with --out.") from None
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise NotebookError(f"{str(self._plan)!r} cannot be read ({error}).") from None

    def rows(self) -> list[Row]:
        """Return the rows of the finished runs, in the order of the plan.

        Returns
        -------
        list of Row

        Raises
        ------
        NotebookError
            If one cannot be read.
        """
        return sorted(map(_row_of, self._rows.glob("*.json")), key=lambda row: row.run)

    def finish(
        self,
        run: int,
        parameters: Values,
        notebook: Notebook | None,
        error: str | None,
        seconds: float,
        record: dict[str, Entry],
    ) -> Row:
        """Store a run: first its notebook, then the row that makes it a finished one.

        Parameters
        ----------
        run : int
            Its number.
        parameters : dict
            Its parameters.
        notebook : dict or None
            The executed notebook.
        error : str or None
            What went wrong.
        seconds : float
            How long it took.
        record : dict
            What it recorded.

        Returns
        -------
        Row
            As it is stored.
        """
        name = f"notebooks/{run:04}.ipynb" if notebook else None
        if notebook and name:
            (self.folder / "notebooks").mkdir(exist_ok=True)
            write_atomically(self.folder / name, dumps(notebook))
        status = FINISHED if error is None else FAILED
        row = Row(run, parameters, status, error, round(seconds, 3), name, record)
        self._rows.mkdir(exist_ok=True)
        text = json.dumps(dataclasses.asdict(row), indent=1, ensure_ascii=False)
        write_atomically(self._row(run), text + "\n")
        return row

    def forget_failures(self) -> None:
        """Remove the rows of failed runs, so that they run again."""
        for row in self.rows():
            if row.status == FAILED:
                self._row(row.run).unlink()

    def notebook(self, row: Row) -> dict[str, Any] | None:
        """Return the executed notebook of a run, if it is there.

        Parameters
        ----------
        row : Row
            The run.

        Returns
        -------
        dict or None
        """
        if row.notebook is None:
            return None
        from cohort.runner.notebook.document import read_notebook

        with contextlib.suppress(NotebookError):
            return read_notebook(self.folder / row.notebook)
        return None

    def _row(self, run: int) -> Path:
        return self._rows / f"{run:04}.json"


def _plan_of(stored: Any) -> Plan:
    sets, defaults = tuple(stored["sets"]), stored["defaults"]
    plan = Plan(stored["notebook"], stored["key"], sets, stored["figures"], defaults)
    texts = isinstance(plan.notebook, str) and isinstance(plan.key, str) and isinstance(plan.figures, bool)
    if not texts or not all(isinstance(each, dict) for each in (plan.defaults, *plan.sets)):
        raise TypeError("it is no plan of a sweep")
    return plan


def _row_of(path: Path) -> Row:
    """Return a stored row; what is no row is said in a sentence."""
    try:
        row = Row(**json.loads(file_text(path)))
        if not all(fits(getattr(row, name), hint) for name, hint in get_type_hints(Row).items()):
            raise TypeError("it is no row of a sweep")
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise NotebookError(f"{str(path)!r} cannot be read ({error}).") from None
    return row
