"""Warm kernels: forked from a server that has everything imported, and yet each as good as new."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from processes import as_in_the_foreground, is_alive, wait_until, without_charts
from synthetic import code, good, make

from cohort.errors import NotebookError
from cohort.runner.kernels import fork_server, kernel, warm
from cohort.runner.kernels.kernel import execute
from cohort.runner.kernels.provisioner import python_kernel
from cohort.runner.records import read_record

pytestmark = pytest.mark.skipif(not warm.CAN_FORK, reason="kernels start cold on this system")

# What a notebook can see of the process that it runs in.
STATE = """\
import json, os, random, sys
from cohort.runner import record
before = sorted(name for name in sys.modules if name.split(".")[0] in ("cohort", "polluter"))
import matplotlib, numpy as np, pandas as pd
settings = matplotlib.rcParams
options = [str(settings["lines.linewidth"]), settings["backend"], str(pd.options.display.precision)]
names = [name for name in dir() if not name.startswith("_")]
"""
RECORD = """\
record(pi=np.pi, doc=json.JSONDecodeError.__doc__[:9], options=options, names=names, path=sys.path,
       argv=sys.argv[1:2], folder=os.listdir("."),
       places=[os.environ.get("POLLUTED", "clean"), os.environ["TZ"], os.environ["MPLBACKEND"]],
       handlers=[str(random.getstate() == state), str(sys.stdout.encoding),
                 str(sys.flags.hash_randomization)])"""
PROBE = [
    code("import random\nstate = random.getstate()", "state"),
    code(STATE, "probe"),
    code("from cohort.runner import record\nrecord(known=before)", "known"),
    code(RECORD, "record"),
]
POLLUTION = """\
import json, os, pathlib, random, sys, types
import matplotlib, numpy as np, pandas as pd
np.pi, json.JSONDecodeError.__doc__ = 3.0, "polluted"
matplotlib.rcParams["lines.linewidth"], pd.options.display.precision = 99, 1
os.environ |= {"POLLUTED": "yes", "TZ": "Asia/Tokyo"}
sys.modules["polluter"] = types.ModuleType("polluter")
sys.path.append("polluted")
sys.argv.append("polluted")
pathlib.Path("polluted").write_text("polluted")
os.mkdir("elsewhere"); os.chdir("elsewhere")
random.seed(1); np.random.seed(1)
polluted = 1"""


def seen(notebook: dict[str, Any]) -> dict[str, Any]:
    return {name: entry["value"] for name, entry in read_record(notebook).items()}


@pytest.fixture
def cold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(warm.SWITCH, "cold")


@pytest.fixture
def plain(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers that are soon killed load no charts."""
    for name, value in without_charts(tmp_path_factory.mktemp("plain")).items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def own_server(plain: None) -> Iterator[warm.Server]:
    """A server for one test alone, which may kill it."""
    started = warm._start(kernel.settings(None))
    assert started is not None
    yield started
    started.stop()


@pytest.fixture
def shared() -> warm.Server:
    """The server of all runs."""
    found = warm.server(kernel.settings(None))
    assert found is not None
    return found


def test_a_run_sees_nothing_of_the_one_before_and_what_a_cold_kernel_sees(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    execute(make(code(POLLUTION)), timeout_s=30)
    after = seen(execute(make(*PROBE)))
    monkeypatch.setenv(warm.SWITCH, "cold")
    as_new = seen(execute(make(*PROBE)))
    assert after == as_new
    assert after["known"] == ["cohort", "cohort.errors", "cohort.runner", "cohort.runner.records"]
    assert after["folder"] == []


WHO = """\
import os, random, uuid
import ipykernel, numpy
from cohort.runner import record
info = ipykernel.get_connection_info(unpack=True)
record(pid=os.getpid(), parent=os.getppid(), session=os.getsid(0), transport=info["transport"],
       draws=[random.random(), float(numpy.random.random()), float(uuid.uuid4().int % 2**40)])"""


def test_each_run_is_a_process_of_its_own_forked_from_one_server() -> None:
    first, second = (seen(execute(make(code(WHO)))) for _ in range(2))
    assert first["pid"] != second["pid"]
    assert first["parent"] == second["parent"]
    running = warm.server(kernel.settings(None))
    assert running is not None
    assert running.process.pid == first["parent"]
    assert [one["session"] for one in (first, second)] == [first["pid"], second["pid"]]
    assert [one["transport"] for one in (first, second)] == ["ipc", "ipc"]
    assert all(a != b for a, b in zip(first["draws"], second["draws"], strict=True))
    assert not is_alive(first["pid"])
    assert not is_alive(second["pid"])


def test_without_a_server_kernels_start_cold(cold: None) -> None:
    assert warm.server(kernel.settings(None)) is None
    found = seen(execute(make(code(WHO))))
    assert found["transport"] == "ipc"
    assert not is_alive(found["parent"])  # the process that ran the notebook, and not a server


def test_where_forking_is_not_available_kernels_start_cold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warm, "CAN_FORK", False)
    assert warm.server(kernel.settings(None)) is None


def test_what_a_warm_kernel_computes_is_what_a_cold_one_computes(monkeypatch: pytest.MonkeyPatch) -> None:
    warmly = execute(good())
    monkeypatch.setenv(warm.SWITCH, "cold")
    assert execute(good()) == warmly


def test_a_server_that_is_gone_is_replaced(monkeypatch: pytest.MonkeyPatch, own_server: warm.Server) -> None:
    monkeypatch.setattr(warm, "_servers", {})
    monkeypatch.setattr(warm, "_start", lambda environment: own_server)
    assert warm.server(kernel.settings(None)) is own_server
    own_server.process.kill()
    own_server.process.wait()
    monkeypatch.undo()
    monkeypatch.setattr(warm, "_servers", {})
    replaced = warm.server(kernel.settings(None))
    assert replaced is not None
    assert replaced is not own_server
    replaced.stop()


def test_a_server_that_dies_during_a_run_takes_the_run_with_it(
    monkeypatch: pytest.MonkeyPatch, own_server: warm.Server
) -> None:
    monkeypatch.setattr(warm, "server", lambda environment: own_server)
    with pytest.raises(NotebookError, match=r"^n: the process that ran it ended with status -9"):
        execute(make(code("import os, time\nos.kill(os.getppid(), 9)\ntime.sleep(60)")), name="n")
    # The next run finds nobody to ask, and starts cold.
    own_server.folder.mkdir(exist_ok=True)
    assert seen(execute(make(code(WHO))))["transport"] == "ipc"


def test_a_server_started_with_other_settings_is_another(monkeypatch: pytest.MonkeyPatch) -> None:
    first = warm.server(kernel.settings(None))
    monkeypatch.setenv("COHORT_SOMETHING", "else")
    assert warm.server(kernel.settings(None)) is first
    started: list[dict[str, str]] = []
    monkeypatch.setattr(warm, "_start", lambda environment: started.append(environment))
    monkeypatch.setenv("NPY_DISABLE_CPU_FEATURES", "AVX2")
    assert warm.server(kernel.settings(None)) is None
    assert started[0]["NPY_DISABLE_CPU_FEATURES"] == "AVX2"


CLIENT = """\
import pathlib, subprocess, sys
from cohort.runner.kernels import kernel, warm
started = warm.server(kernel.settings(None))
child = warm.fork(started.address, "worker", ["/nowhere"], {}, "/", 2)
print(child.wait(), started.process.pid, started.folder, flush=True)
sys.stdin.read()"""


@pytest.mark.usefixtures("plain")
@pytest.mark.parametrize("how", [signal.SIGKILL, None])
def test_a_server_ends_with_the_process_that_started_it(how: signal.Signals | None) -> None:
    client = subprocess.Popen(
        [sys.executable, "-c", CLIENT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        preexec_fn=as_in_the_foreground,
    )
    with client:
        assert client.stdin is not None
        assert client.stdout is not None
        status, process, folder = client.stdout.readline().split()
        assert status == b"1"
        if how is None:
            client.stdin.close()
        else:
            client.send_signal(how)
        client.wait(timeout=30)
        wait_until(lambda: not is_alive(int(process)))
        wait_until(lambda: not Path(os.fsdecode(folder)).exists())


def test_the_next_server_clears_away_what_killed_ones_left(own_server: warm.Server) -> None:
    """The process that started it was killed with it; what a living process started stays."""
    client = subprocess.Popen(
        [sys.executable, "-c", CLIENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    )
    with client:
        assert client.stdout is not None
        _, process, name = client.stdout.readline().split()
        os.kill(int(process), signal.SIGSTOP)  # so that it cannot clear away by itself
        client.kill()
        client.wait()
        os.kill(int(process), signal.SIGKILL)
    folder = Path(os.fsdecode(name))
    wait_until(lambda: not is_alive(int(process)))
    assert folder.is_dir()
    own_server.process.kill()
    own_server.process.wait()
    started = warm._start(kernel.settings(None))
    assert started is not None
    assert not folder.exists()
    assert own_server.folder.is_dir()
    started.stop()


def test_a_fork_dies_with_its_connection_and_takes_along_what_it_started(
    shared: warm.Server, tmp_path: Path
) -> None:
    marker = tmp_path / "marker"
    environment = {**os.environ, "IPYTHONDIR": str(tmp_path)}
    child = warm.fork(
        shared.address,
        "kernel",
        [f"--InteractiveShellApp.exec_lines=import subprocess; open({str(marker)!r}, 'w')"
         f".write(str(subprocess.Popen(['sleep', '60']).pid))"],
        environment,
        str(tmp_path),
        os.open(os.devnull, os.O_WRONLY),
    )  # fmt: skip
    wait_until(lambda: marker.exists() and marker.read_text())
    grandchild = int(marker.read_text())
    assert child.poll() is None
    assert is_alive(grandchild)
    child.let_go()
    wait_until(lambda: not is_alive(child.pid) and not is_alive(grandchild))
    assert child.wait() == -signal.SIGKILL


def test_a_fork_that_fails_is_told_by_its_status(shared: warm.Server) -> None:
    null = os.open(os.devnull, os.O_WRONLY)
    assert warm.fork(shared.address, "worker", ["/nowhere"], {}, "/", null).wait() == 1
    assert warm.fork(shared.address, "nothing", [], {}, "/", null).wait() == 1
    assert warm.fork(shared.address, "kernel", [], {}, "/nowhere", null).wait() == 1
    os.close(null)
    assert shared.runs


def test_a_client_that_leaves_without_asking_is_forgotten(shared: warm.Server) -> None:
    import socket

    for said in (b"", b"{", b"nonsense\n"):
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(shared.address)
            client.sendall(said)
    null = os.open(os.devnull, os.O_WRONLY)
    assert warm.fork(shared.address, "nothing", [], {}, "/", null).wait() == 1
    os.close(null)


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        ([sys.executable, "-m", "ipykernel_launcher", "-f", "c"], ["-f", "c"]),
        ([sys.executable, "-Xfrozen_modules=off", "-m", "ipykernel_launcher", "-f", "c"], ["-f", "c"]),
        ([sys.executable, "-I", "-m", "ipykernel_launcher", "-f", "c"], None),
        ([sys.executable, "-m", "xeus", "-f", "c"], None),
        (["/elsewhere/python", "-m", "ipykernel_launcher", "-f", "c"], None),
        (["R", "--slave"], None),
    ],
)
def test_only_kernels_of_this_python_are_forked(command: list[str], arguments: list[str] | None) -> None:
    assert python_kernel(command) == arguments


def test_the_provisioner_is_registered_with_jupyter_and_starts_cold_without_a_server(tmp_path: Path) -> None:
    """Any Jupyter program may choose it: here plain papermill does, in which there is no server."""
    from synthetic import write

    write(tmp_path / "in.ipynb", make(code(WHO)))
    command = [sys.executable, "-m", "papermill", "in.ipynb", "out.ipynb"]
    environment = {**os.environ, warm.CHOSEN_BY: warm.PROVISIONER}
    environment.pop(warm.ADDRESS, None)
    subprocess.run(
        command,
        cwd=tmp_path,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
        timeout=120,
    )
    from cohort.runner.notebook.document import read_notebook

    assert seen(read_notebook(tmp_path / "out.ipynb"))["transport"] == "tcp"


def test_the_server_starts_no_thread_and_opens_no_figure() -> None:
    program = (
        "import os, sys\nfrom cohort.runner.kernels import fork_server as server\nserver.preload()\n"
        "import matplotlib._pylab_helpers as figures, threading\n"
        "assert threading.active_count() == 1\n"
        "assert not figures.Gcf.figs\n"
        "assert 'matplotlib_inline.backend_inline' not in sys.modules\n"
        "if os.path.isdir('/proc/self/task'):\n    assert len(os.listdir('/proc/self/task')) == 1"
    )
    subprocess.run(
        [sys.executable, "-c", program],
        env=kernel.settings(None),
        check=True,
        capture_output=True,
        timeout=60,
    )
    assert set(fork_server.ROLES) == {"kernel", "worker"}
