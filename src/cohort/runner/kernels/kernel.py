"""Execute one notebook in a process of its own, and find what went wrong in it."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from cohort.errors import NotebookError
from cohort.runner.kernels import drawings, reads, warm
from cohort.runner.notebook.canonical_form import canonical, without_outputs
from cohort.runner.notebook.document import Cell, Notebook, numbered, place, read_notebook

CELL_TIMEOUT_S = 600.0


# What a kernel must not inherit: settings of the reader's own that change results or add warnings.
_PERSONAL = (
    drawings.SWITCH,
    "MPLBACKEND",
    "MPLCONFIGDIR",
    "PYTHONOPTIMIZE",
    "PYTHONSTARTUP",
    "PYTHONWARNINGS",
    reads.SWITCH,
)


_FIXED = {
    "JUPYTER_PREFER_ENV_PATH": "1",  # the kernel of this environment, not one registered elsewhere
    "LC_ALL": "C.UTF-8",
    "MKL_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",  # a debugger's warning on stderr
    "PYTHONHASHSEED": "0",
    "SOURCE_DATE_EPOCH": "0",
    "TZ": "UTC",
}


def execute(
    notebook: Notebook | Path | str,
    parameters: Mapping[str, Any] | None = None,
    *,
    name: str | None = None,
    cwd: Path | None = None,
    cache: Path | None = None,
    timeout_s: float = CELL_TIMEOUT_S,
    machine: Mapping[str, str] | None = None,
    figures: bool | Path = True,
) -> Notebook:
    """Execute one notebook in a process of its own and return it in canonical form; no file is written.

    Parameters
    ----------
    notebook : dict, Path or str
        A notebook of nbformat 4, or its file. What it held as outputs is ignored.
    parameters : mapping, optional
        Values for its parameters, already validated.
    name : str, optional
        Its name in messages; by default that of the file.
    cwd : Path, optional
        The folder that it runs in; by default an empty one, so that a notebook which leans on its place
        fails here and not at a reader's.
    cache : Path, optional
        A folder for Matplotlib's font cache; without one, the reader's own settings are used.
    timeout_s : float
        The longest that one cell may take, in seconds.
    machine : mapping, optional
        Environment variables beyond the usual ones, such as those of another machine's profile.
    figures : bool or Path
        Whether figures are drawn; a folder shares those that are the same in several runs.

    Returns
    -------
    dict
        The executed notebook.

    Raises
    ------
    NotebookError
        If a cell raised, never ran or wrote to stderr, or the kernel died; it names notebook and cell.
    """
    tried = attempt(
        notebook,
        parameters,
        name=name,
        cwd=cwd,
        cache=cache,
        timeout_s=timeout_s,
        machine=machine,
        figures=figures,
    )
    return tried.checked()


@dataclass(frozen=True)
class Attempt:
    """What came of executing a notebook.

    Parameters
    ----------
    notebook : dict or None
        The notebook as it stood at its end, in canonical form; None if the process that ran it was lost.
    problem : str or None
        What went wrong, in one line.
    reads : Reads or None
        What it read, if that was asked for and is known.
    """

    notebook: Notebook | None
    problem: str | None
    reads: reads.Reads | None = None

    @property
    def lost(self) -> bool:
        """Whether the process that ran it was lost, with all that it had done."""
        return self.notebook is None

    def checked(self) -> Notebook:
        """Return the executed notebook.

        Returns
        -------
        dict

        Raises
        ------
        NotebookError
            If something went wrong.
        """
        if self.problem is not None or self.notebook is None:
            raise NotebookError(self.problem or "the notebook did not run")
        return self.notebook


def attempt(
    notebook: Notebook | Path | str,
    parameters: Mapping[str, Any] | None = None,
    *,
    name: str | None = None,
    cwd: Path | None = None,
    cache: Path | None = None,
    timeout_s: float = CELL_TIMEOUT_S,
    machine: Mapping[str, str] | None = None,
    figures: bool | Path = True,
    reads_below: Sequence[Path] = (),
) -> Attempt:
    """Execute one notebook as `execute` does, and return also one that failed.

    Parameters
    ----------
    notebook, parameters, name, cwd, cache, timeout_s, machine, figures
        As in `execute`.
    reads_below : sequence of Path
        Folders of which the run notes what it reads.

    Returns
    -------
    Attempt
    """
    if not isinstance(notebook, dict):
        name = name or Path(notebook).stem
        notebook = read_notebook(Path(notebook))
    name = name or "notebook"
    server = warm.server(settings(cache) | dict(machine or {}))
    within = server.folder if server else None  # which goes when this process does
    with tempfile.TemporaryDirectory(prefix="cohort-", dir=within, ignore_cleanup_errors=True) as temporary:
        folder = Path(temporary)
        start_in = cwd or folder / "cwd"
        start_in.mkdir(exist_ok=True)
        job = {
            "notebook": without_outputs(notebook),
            "parameters": dict(parameters or {}),
            "cwd": str(start_in),
            "timeout_s": timeout_s,
        }
        (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
        try:
            env = kernel_environment(folder, cache, figures) | dict(machine or {})
            if reads_below:
                env |= reads.request(folder / "reads.json", reads_below)
            executed = _in_worker(name, folder, env, server)
        except NotebookError as lost:
            return Attempt(None, str(lost))
        read = reads.noted(folder / "reads.json")
    return Attempt(canonical(executed), failure(name, executed), read)


def settings(cache: Path | None) -> dict[str, str]:
    """Return the environment that all kernels share: the same on every machine where it bears on results.

    Parameters
    ----------
    cache : Path or None
        A folder for Matplotlib's font cache; None leaves Matplotlib its own.

    Returns
    -------
    dict of str to str
    """
    kept = {key: value for key, value in os.environ.items() if key not in _PERSONAL}
    # Resolved, so that checkouts which share a folder share the server that has read it.
    fonts = {} if cache is None else {"MPLCONFIGDIR": str((cache / "matplotlib").resolve())}
    return {**kept, **_FIXED, **fonts}


def kernel_environment(folder: Path, cache: Path | None, figures: bool | Path = True) -> dict[str, str]:
    """Return the environment of one kernel.

    Parameters
    ----------
    folder : Path
        Where it may write what it keeps for itself.
    cache : Path or None
        As in `settings`.
    figures : bool or Path
        As in `execute`.

    Returns
    -------
    dict of str to str
        What all kernels share, and what is its own.
    """
    own = {"IPYTHONDIR": str(folder / "ipython"), "JUPYTER_RUNTIME_DIR": str(folder / "runtime")}
    if figures is not True:
        own[drawings.SWITCH] = drawings.LEFT_OUT if figures is False else str(figures)
    return {**settings(cache), **own}


def failure(name: str, executed: Notebook) -> str | None:
    """Return how an executed notebook failed, if it did.

    Parameters
    ----------
    name : str
        The notebook's name.
    executed : dict
        The notebook.

    Returns
    -------
    str or None
        The first cell that raised, else one that never ran or wrote to stderr.
    """
    for number, cell, what in (*_raised(executed), *_stopped(executed)):
        return f"{place(name, number, cell)}: {what}"
    told = executed["metadata"].get("cohort_failure")
    if told:
        return f"{name}: {told}"
    for number, cell, what in (*_never_ran(executed), *_wrote_to_stderr(executed)):
        return f"{place(name, number, cell)}: {what}"
    return None


_Worker = subprocess.Popen[bytes] | warm.Fork


_workers: set[_Worker] = set()


_workers_lock = threading.Lock()


def _in_worker(name: str, folder: Path, env: dict[str, str], server: warm.Server | None) -> Notebook:
    """Run a job in a process of its own and return the notebook as it stands at its end."""
    with (folder / "log").open("wb") as log:
        worker = _start(folder, env, server, log)
        with _workers_lock:
            _workers.add(worker)
        try:
            status = worker.wait()
        finally:
            with _workers_lock:
                _workers.discard(worker)
            _stop(worker)
    result = folder / "executed.json"
    if status == 0 and result.is_file():
        executed: Notebook = json.loads(result.read_text(encoding="utf-8"))
        return executed
    log_lines = (folder / "log").read_text(encoding="utf-8", errors="replace").split("\n")
    last = next((line.strip() for line in reversed(log_lines) if line.strip()), "without a word")
    raise NotebookError(f"{name}: the process that ran it ended with status {status}: {last}")


def _start(folder: Path, env: dict[str, str], server: warm.Server | None, log: IO[bytes]) -> _Worker:
    """Start the process of a job: by a fork of the server, or where there is none by itself."""
    if server is not None:
        warmly = {**env, warm.ADDRESS: server.address, warm.CHOSEN_BY: warm.PROVISIONER}
        with contextlib.suppress(OSError):
            return warm.fork(server.address, "worker", [str(folder)], warmly, str(folder), log.fileno())
    # -P: modules in the folder that the reader happens to be in are not the worker's.
    command = [sys.executable, "-P", "-m", "cohort.runner.kernels.worker", str(folder)]
    # The worker stops when its stdin closes, so that it cannot outlive this process.
    return subprocess.Popen(
        command, env=env, stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True
    )


def stop_workers() -> None:
    """Stop every notebook that runs."""
    with _workers_lock:
        running = list(_workers)
    for worker in running:
        _stop(worker)


def _stop(worker: _Worker) -> None:
    """Let go of the worker, on which it stops its kernel and itself; kill it if it does not."""
    if isinstance(worker, warm.Fork):
        worker.let_go()
        return
    if worker.stdin is not None and not worker.stdin.closed:
        worker.stdin.close()
    try:
        worker.wait(timeout=5)
    except subprocess.TimeoutExpired:
        worker.kill()
        worker.wait()


_Finding = tuple[int, Cell, str]


def _code_cells(notebook: Notebook) -> Iterator[tuple[int, Cell]]:
    return ((number, cell) for number, cell in numbered(notebook) if cell["cell_type"] == "code")


def _raised(executed: Notebook) -> Iterator[_Finding]:
    for number, cell in _code_cells(executed):
        for output in cell["outputs"]:
            if output["output_type"] == "error":
                lines = [line.strip() for line in output["evalue"].splitlines() if line.strip()]
                what = f"{output['ename']}: {lines[-1]}" if lines else output["ename"]
                is_exit = output["ename"] == "SystemExit"
                yield number, cell, f"{what}, and no later cell ran" if is_exit else what


def _stopped(executed: Notebook) -> Iterator[_Finding]:
    """Find the cell that ran when the kernel died or the time was over."""
    failure = executed["metadata"].get("cohort_failure")
    started = [
        (number, cell)
        for number, cell in _code_cells(executed)
        if cell["metadata"].get("papermill", {}).get("start_time")
    ]
    if failure and started:
        number, cell = started[-1]
        yield number, cell, failure


def _never_ran(executed: Notebook) -> Iterator[_Finding]:
    for number, cell in _code_cells(executed):
        if cell["source"].strip() and cell["execution_count"] is None:
            yield number, cell, "this cell never ran"


def _wrote_to_stderr(executed: Notebook) -> Iterator[_Finding]:
    for number, cell in _code_cells(executed):
        for output in cell["outputs"]:
            if output["output_type"] == "stream" and output["name"] == "stderr":
                lines = [line.strip() for line in output["text"].splitlines() if line.strip()]
                yield number, cell, f"wrote to stderr: {lines[-1] if lines else 'a blank line'}"
