"""A sweep on a Dask cluster: a real scheduler and two workers, of which one is killed in mid-sweep."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from processes import is_alive, wait_until
from synthetic import new_checkout
from test_sweep_faults import Sweep

pytest.importorskip("distributed")


class Cluster:
    """A scheduler and two workers on this machine, each in a process of its own."""

    def __init__(self, folder: Path) -> None:
        file = folder / "scheduler.json"
        self.log = (folder / "log").open("wb")
        common = ["--host", "127.0.0.1", "--no-dashboard"]
        self.processes = [self.dask("scheduler", "--port", "0", "--scheduler-file", str(file), *common)]
        wait_until(lambda: file.exists() and file.read_text().endswith("}"))
        self.address: str = json.loads(file.read_text())["address"]
        alone = ["--nthreads", "1", "--no-nanny", "--local-directory", str(folder)]
        self.workers = [self.dask("worker", self.address, *alone, *common) for _ in range(2)]
        self.processes += self.workers

    def dask(self, *arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "dask", *arguments]
        return subprocess.Popen(command, stdout=self.log, stderr=self.log)

    def stop(self) -> None:
        for process in self.processes:
            process.kill()
        for process in self.processes:
            process.wait()
        self.log.close()

    @property
    def living(self) -> int:
        """How many workers there are; none without the scheduler."""
        return sum(each.poll() is None for each in self.workers) * (self.processes[0].poll() is None)


@pytest.fixture(scope="module")
def clusters(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[int], Cluster]]:
    """What returns a cluster of so many workers at least: the last one while it has them, else another."""
    started: list[Cluster] = []

    def running(workers: int) -> Cluster:
        if not started or started[-1].living < workers:
            started.append(Cluster(tmp_path_factory.mktemp("cluster")))
        return started[-1]

    yield running
    for each in started:
        each.stop()


def test_a_worker_that_is_killed_loses_no_run(clusters: Callable[[int], Cluster], tmp_path: Path) -> None:
    cluster = clusters(2)
    sweep = Sweep(new_checkout(tmp_path))
    running = sweep.new("well,waits,waits,well,raises", "--scheduler", cluster.address)
    wait_until(lambda: {2, 3} <= {number for number, *_ in sweep.executions()} and sweep.finished() == [1])
    kernel, server = next((pid, parent) for number, pid, parent in sweep.executions() if number == 2)
    (owner,) = (worker for worker in cluster.workers if is_below(server, worker.pid))
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    wait_until(lambda: not is_alive(kernel) and not is_alive(server))
    sweep.let_go(2)
    sweep.let_go(3)
    out, err = running.communicate(timeout=120)
    assert "4 of 5 runs finished" in out
    assert [row["status"] for row in sweep.table()] == ["finished"] * 4 + ["failed"]
    assert [row["double [GiB]"] for row in sweep.table()[:4]] == ["2.0", "4.0", "6.0", "8.0"]
    assert "ValueError: no such run" in err
    sweep.is_whole()
    # What was lost ran again on the other worker, and nothing that was finished did.
    lost = {number for number, *_ in sweep.executions() if sweep.counts()[number] > 1}
    assert lost <= {2, 3}
    assert 2 in lost


def is_below(process: int, ancestor: int) -> bool:
    """Whether a process was started by another."""
    found = subprocess.run(
        ["ps", "-o", "ppid=", "-p", str(process)], capture_output=True, text=True, check=True
    )
    return int(found.stdout) == ancestor


def test_a_scheduler_that_dies_ends_the_sweep_which_goes_on_without_it(
    clusters: Callable[[int], Cluster], tmp_path: Path
) -> None:
    cluster = clusters(1)
    sweep = Sweep(new_checkout(tmp_path))
    running = sweep.new("well,waits", "--scheduler", cluster.address)
    wait_until(lambda: sweep.finished() == [1] and len(sweep.counts()) == 2)
    for process in cluster.processes:
        process.kill()
    _, err = running.communicate(timeout=120)
    assert running.returncode == 1
    assert "the scheduler is gone; finished runs are kept" in err
    sweep.let_go(2)
    assert sweep.resumed().splitlines()[-1] == "2 of 2 runs finished: runs/results.csv"
    assert sweep.counts() == {1: 1, 2: 2}


def test_a_scheduler_that_does_not_answer_is_told(tmp_path: Path) -> None:
    sweep = Sweep(new_checkout(tmp_path))
    running = sweep.new("well", "--scheduler", "tcp://127.0.0.1:9")
    _, err = running.communicate(timeout=120)
    assert running.returncode == 1
    assert "error: no Dask scheduler answers at 'tcp://127.0.0.1:9'" in err.splitlines()[-1]


def test_without_dask_it_is_told_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from cohort.errors import MissingExtraError
    from cohort.runner.sweeps import execution

    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(MissingExtraError, match=r"\[cluster\]"), execution._cluster("tcp://127.0.0.1:9"):
        pass
