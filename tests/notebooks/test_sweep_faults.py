"""What befalls a sweep, done for real: no finished run is lost or repeated, and nothing is half-written."""

from __future__ import annotations

import csv
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import fastparquet
import pytest
from processes import as_in_the_foreground, is_alive, wait_until, without_charts
from synthetic import code, make, new_checkout, write

from cohort.runner.notebook.document import read_notebook
from cohort.runner.project import Project

COHORT = [sys.executable, "-c", "from cohort.cli import main; main()"]

# Each execution leaves a mark: the run, the kernel and the process that forked it.
TASK = make(
    code(
        "number: int = 1  # Which run.\n"
        'how: str = "well"  # How it goes.\n'
        'marks: str = ""  # A folder for marks.',
        "parameters",
        "parameters",
    ),
    code("import os, pathlib, sys, time\nfrom cohort.runner import record", "imports"),
    code(
        "mark = pathlib.Path(marks, f'{number}-{os.getpid()}')\n"
        "mark.with_suffix('.new').write_text(str(os.getppid()))\n"
        "mark.with_suffix('.new').rename(mark)\n"
        "while how == 'waits' and not pathlib.Path(marks, f'{number}.go').exists():\n"
        "    time.sleep(0.02)\n"
        "while how == 'never ends':\n"
        "    try:\n        time.sleep(60)\n    except KeyboardInterrupt:\n        pass\n"
        "if how == 'dies':\n    os.kill(os.getpid(), 9)\n"
        "if how == 'raises':\n    raise ValueError('no such run')\n"
        "if how == 'is large':\n    print(10**6 * 'x')",
        "task",
    ),
    code('record(double=(2.0 * number, "GiB"))', "record"),
)


class Sweep:
    """A sweep of the task in a checkout of its own."""

    def __init__(self, project: Project) -> None:
        self.root = project.root
        self.marks = project.root / "marks"
        self.folder = project.root / "runs"
        self.plain = without_charts(project.root / "plain")
        self.marks.mkdir()
        write(project.notebooks / "task.ipynb", TASK)

    def start(self, *arguments: str, before: list[str] | None = None) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*(before or []), *COHORT, "sweep", *arguments],
            cwd=self.root,
            env=None if "--html" in arguments else self.plain,  # its page has charts
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=as_in_the_foreground,
        )

    def new(self, how: str, *more: str) -> subprocess.Popen[str]:
        numbers = ",".join(str(number + 1) for number in range(len(how.split(","))))
        axes = ["--zip", f"number={numbers}", "--zip", f"how={how}", "-p", "marks", str(self.marks)]
        return self.start("task", *axes, "--out", "runs", *more)

    def resumed(self, *more: str) -> str:
        done = self.start("--resume", "runs", *more)
        out, err = done.communicate(timeout=120)
        assert done.returncode == 0, err
        return out

    def executions(self) -> list[tuple[int, int, int]]:
        """Return the run, the kernel and the server of each execution that came as far as the task."""
        marks = [path for path in self.marks.iterdir() if "-" in path.name and not path.suffix]
        return [(*map(int, path.name.split("-")), int(path.read_text())) for path in marks]  # type: ignore[misc]

    def counts(self) -> dict[int, int]:
        return dict(sorted(Counter(number for number, *_ in self.executions()).items()))

    def kernel(self, number: int) -> tuple[int, int]:
        """Wait until a run executes, and return its kernel and the server."""
        found: list[tuple[int, int]] = []

        def runs() -> bool:
            found[:] = [
                (pid, parent) for run, pid, parent in self.executions() if run == number and is_alive(pid)
            ]
            return bool(found)

        wait_until(runs)
        return found[0]

    def let_go(self, number: int) -> None:
        """Let a run that waits go on; another that waits does not see it."""
        (self.marks / f"{number}.go").touch()

    def finished(self) -> list[int]:
        return sorted(int(path.stem) for path in (self.folder / "rows").glob("*.json"))

    def table(self) -> list[dict[str, str]]:
        with (self.folder / "results.csv").open(encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def is_whole(self) -> None:
        """Hold that every file is as it was meant to be: a row has its notebook, and all can be read."""
        for path in self.folder.rglob("*.json"):
            row = json.loads(path.read_text(encoding="utf-8"))
            if row.get("notebook") and path.parent.name == "rows":
                read_notebook(self.folder / row["notebook"])
        for path in self.folder.rglob("*.ipynb"):
            read_notebook(path)
        if (self.folder / "results.parquet").exists():
            frame = fastparquet.ParquetFile(str(self.folder / "results.parquet")).to_pandas()
            assert len(frame) <= len(self.finished())


@pytest.fixture
def sweep(tmp_path: Path) -> Iterator[Sweep]:
    made = Sweep(new_checkout(tmp_path))
    yield made
    for _, kernel, parent in made.executions():
        assert not is_alive(kernel)
        assert not is_alive(parent)


def test_a_run_that_fails_is_a_row_with_its_error_and_stops_no_other(sweep: Sweep) -> None:
    """A dying kernel, a cell that raises, and one that never ends and does not heed its interruption."""
    ended = sweep.new("dies,raises,never ends,well", "--timeout", "2", "--jobs", "4", "--html")
    _, err = ended.communicate(timeout=120)
    assert ended.returncode == 1
    assert err.splitlines()[-1] == "error: 3 of 4 runs failed; run them again with --retry-failed."
    rows = sweep.table()
    assert [row["status"] for row in rows] == ["failed", "failed", "failed", "finished"]
    where = "task, cell 3 [task] `mark = pathlib.Path(marks, f'{number}-{os.getpid()}')`: "
    for row, what in zip(
        rows, ("DeadKernelError", "ValueError: no such run", "CellTimeoutError"), strict=False
    ):
        assert row["error"].startswith(where + what)
        assert row["double [GiB]"] == ""
    assert rows[3]["double [GiB]"] == "8.0"
    failed = read_notebook(sweep.folder / rows[1]["notebook"])
    assert failed["cells"][3]["outputs"][0]["ename"] == "ValueError"
    sweep.is_whole()

    # A failed run is a finished one, unless it is asked for again.
    assert "1 of 4" in sweep.start("--resume", "runs").communicate(timeout=60)[0]
    assert sweep.counts() == {1: 1, 2: 1, 3: 1, 4: 1}
    sweep.start("--resume", "runs", "--retry-failed", "--timeout", "2").communicate(timeout=60)
    assert sweep.counts() == {1: 2, 2: 2, 3: 2, 4: 1}


def test_a_worker_that_is_killed_is_replaced_once_and_then_its_run_is_a_failed_one(sweep: Sweep) -> None:
    running = sweep.new("waits,waits,well", "--jobs", "1")
    killed = []
    for number in (1, 2, 2):
        kernel, server = sweep.kernel(number)
        (worker,) = (child for child in children(server) if child != kernel)
        os.kill(worker, signal.SIGKILL)
        killed.append((worker, kernel))
        wait_until(lambda kernel=kernel: not is_alive(kernel))
        if number == 1:
            sweep.kernel(1)
            sweep.let_go(1)
            wait_until(lambda: sweep.finished() == [1])
    running.communicate(timeout=60)
    assert len(set(killed)) == 3
    assert [row["status"] for row in sweep.table()] == ["finished", "failed", "finished"]
    assert sweep.table()[1]["error"] == "task: the process that ran it ended with status -9: without a word"
    assert sweep.table()[1]["notebook"] == ""
    assert sweep.counts() == {1: 2, 2: 2, 3: 1}


def children(parent: int) -> list[int]:
    found = subprocess.run(
        ["ps", "-e", "-o", "pid=,ppid="], capture_output=True, text=True, check=True
    ).stdout
    pairs = (map(int, line.split()) for line in found.splitlines())
    return [pid for pid, of in pairs if of == parent and is_alive(pid)]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_sweep_that_is_stopped_goes_on_where_it_was(sweep: Sweep, how: signal.Signals) -> None:
    running = sweep.new("well,waits,well", "--jobs", "1")
    kernel, server = sweep.kernel(2)
    wait_until(lambda: sweep.finished() == [1])
    kept = (sweep.folder / "rows" / "0001.json").read_bytes()
    running.send_signal(how)
    _, err = running.communicate(timeout=60)
    assert running.returncode not in (0, None)
    wait_until(lambda: not is_alive(kernel) and not is_alive(server))
    assert sweep.finished() == [1]
    sweep.is_whole()
    if how == signal.SIGINT:
        assert err == (
            "error: interrupted; finished runs are kept, go on with `cohort sweep --resume runs`.\n"
        )
        assert [row["run"] for row in sweep.table()] == ["1"]
    (sweep.folder / "rows" / ".0002.json.abc.tmp").write_text("{", encoding="utf-8")
    sweep.let_go(2)
    assert sweep.resumed().splitlines()[-1] == "3 of 3 runs finished: runs/results.csv"
    assert sweep.counts() == {1: 1, 2: 2, 3: 1}
    assert (sweep.folder / "rows" / "0001.json").read_bytes() == kept
    assert not list(sweep.folder.rglob("*.tmp"))
    assert [row["double [GiB]"] for row in sweep.table()] == ["2.0", "4.0", "6.0"]


def test_a_full_disk_ends_a_sweep_that_goes_on_when_there_is_room(sweep: Sweep) -> None:
    """A small disk of its own, mounted where only the sweep sees it."""
    alone = ["unshare", "--map-root-user", "--mount"]
    if (
        not shutil.which("unshare")
        or subprocess.run([*alone, "true"], capture_output=True, check=False).returncode
    ):
        pytest.skip("this system lets no test mount a disk")
    sweep.folder.mkdir()
    program = (
        "mount -t tmpfs -o size=1900k tmpfs runs && ({first}); echo $? > status;"
        " cp -r runs then; mount -o remount,size=40m runs && ({second}); cp -r runs/. now"
    )
    how = ",".join(["is large"] * 4)
    axes = ["--zip", "number=1,2,3,4", "--zip", f"how={how}", "-p", "marks", str(sweep.marks)]
    first = [*COHORT, "sweep", "task", *axes, "--out", "runs", "--jobs", "1"]
    second = [*COHORT, "sweep", "--resume", "runs"]
    text = program.format(first=shlex.join(first), second=shlex.join(second))
    done = subprocess.run(
        [*alone, "sh", "-c", text],
        cwd=sweep.root,
        env=sweep.plain,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "a result cannot be stored (No space left on device)" in done.stderr, done.stderr
    assert (sweep.root / "status").read_text() == "1\n"
    sweep.folder = sweep.root / "then"
    sweep.is_whole()
    assert sweep.finished() == [1]
    assert not list(sweep.folder.rglob("*.tmp"))
    sweep.folder = sweep.root / "now"
    sweep.is_whole()
    assert [row["status"] for row in sweep.table()] == ["finished"] * 4
    assert sweep.counts()[1] == 1


# Sweeps without kernels, each in a fork of this: a line has the n-th time that one writes to disk, at which
# it is killed, and its arguments; the answer is its exit status.
KILLED = """\
import json, os, sys
from pathlib import Path
import fastparquet, pandas
from cohort.cli import main
from cohort.runner.sweeps import execution as execute, report, result_charts, session
from cohort.runner.kernels.kernel import Attempt
from cohort.runner.notebook.document import read_notebook
notebook = read_notebook(Path("notebooks/task.ipynb"))
execute.attempt = lambda *_, **__: Attempt(notebook, None)
sync = os.fsync
def sweep(left, arguments):
    def fsync(handle):
        nonlocal left
        left -= 1
        if not left:
            os.kill(os.getpid(), 9)
        sync(handle)
    os.fsync = fsync
    sys.argv[1:] = ["sweep", *arguments]
    main()
for line in sys.stdin:
    if not (child := os.fork()):
        os.dup2(2, 1)
        sweep(*json.loads(line))
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class Killer:
    """What runs sweeps until they write to disk for the n-th time."""

    def __init__(self, sweep: Sweep) -> None:
        command = [sys.executable, "-c", KILLED]
        self.process = subprocess.Popen(
            command, cwd=sweep.root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def status(self, write: int, *arguments: str) -> int:
        """Return the exit status of a sweep."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps([write, arguments]) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def end(self) -> None:
        self.process.communicate(timeout=60)


def test_wherever_a_sweep_is_killed_nothing_is_half_written(sweep: Sweep) -> None:
    new = ["task", "--grid", "number=1,2", "--out", "runs", "--html", "--jobs", "1"]
    at, killer = 1, Killer(sweep)
    while killer.status(at, *new) == -signal.SIGKILL:
        sweep.is_whole()
        if at in (3, 7):  # between a notebook and its row, and while the tables are written
            rows = {path: path.read_bytes() for path in (sweep.folder / "rows").glob("*.json")}
            assert killer.status(99, "--resume", "runs") == 0
            assert [row["status"] for row in sweep.table()] == ["finished"] * 2
            assert all(path.read_bytes() == content for path, content in rows.items())
            assert not list(sweep.folder.rglob("*.tmp"))
        shutil.rmtree(sweep.folder)
        at += 1
    killer.end()
    # The plan, two notebooks with their rows, two tables and the page.
    assert at == 9
