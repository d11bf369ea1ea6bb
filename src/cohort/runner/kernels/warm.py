"""Start processes warm: by a fork of a server that has imported what notebooks need."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# The kernel provisioner of this package among Jupyter's, and the variable that chooses among them.
PROVISIONER = "cohort-warm"


CHOSEN_BY = "JUPYTER_DEFAULT_PROVISIONER_NAME"


# Where that provisioner finds the server; without it, kernels start cold.
ADDRESS = "COHORT_KERNEL_SERVER"


# `COHORT_KERNELS=cold` has every process start by itself, as where forking is not to be had.
SWITCH = "COHORT_KERNELS"


# macOS can fork, but its own libraries may not be used in the fork.
CAN_FORK = hasattr(os, "fork") and hasattr(os, "waitid") and sys.platform != "darwin"


_STARTING_S = 120.0


_FOLDER = "cohort-warm-"  # how the names of the servers' folders begin


_SOCKET_PATH = 80  # characters; some systems allow 104, and a kernel adds its own to the folder's


# What Python and numerical libraries read as they load, so that a server must have started with the same; the
# rest of its environment each fork is given.
_READ_ON_LOADING = (
    "BLIS_",
    "GLIBC_",
    "GOTO_",
    "LANG",
    "LC_",
    "LD_",
    "MALLOC_",
    "MKL_",
    "MPL",
    "NPY_",
    "NUMEXPR_",
    "OMP_",
    "OPENBLAS_",
    "PYTHON",
    "TZ",
)


class Fork:
    """A process that a server forked, with the interface of `subprocess.Popen`; it ends when it is let go of.

    Parameters
    ----------
    connection : socket
        The connection on which it was asked for.
    pid : int
        Its process id.
    """

    stdin = stdout = stderr = None

    def __init__(self, connection: socket.socket, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._connection = connection

    def poll(self) -> int | None:
        """Return its exit status, None while it runs."""
        return self._hear(wait=False)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end.

        Parameters
        ----------
        timeout : float, optional
            Ignored; a server that is gone ends the waiting.

        Returns
        -------
        int
            Its exit status, negative for the signal that killed it.
        """
        status = self._hear(wait=True)
        assert status is not None
        return status

    def send_signal(self, number: int) -> None:
        """Send it a signal, and to all that it started.

        Parameters
        ----------
        number : int
            The signal.
        """
        if self.returncode is None:
            with contextlib.suppress(OSError):
                self._connection.sendall(b"%d\n" % number)

    def kill(self) -> None:
        """Kill it."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def let_go(self) -> None:
        """Close the connection: the server kills what still runs, and whoever waits is told so."""
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)  # wakes a thread that waits, as closing would not

    def _hear(self, wait: bool) -> int | None:
        if self.returncode is None:
            try:
                data = self._connection.recv(4096, 0 if wait else socket.MSG_DONTWAIT)
            except BlockingIOError:
                return None
            except OSError:
                data = b""
            # A server that is gone has taken its forks with it.
            self.returncode = json.loads(data)["status"] if data else -signal.SIGKILL
            self._connection.close()
        return self.returncode


def fork(
    address: str, role: str, arguments: list[str], environment: Mapping[str, str], cwd: str, output: int = 1
) -> Fork:
    """Ask a server for a process.

    Parameters
    ----------
    address : str
        The path of the server's socket.
    role : str
        What the process is to be: ``"kernel"`` or ``"worker"``.
    arguments : list of str
        Its command-line arguments.
    environment : mapping
        Its whole environment.
    cwd : str
        The folder that it starts in.
    output : int
        The open file that takes its standard output and error.

    Returns
    -------
    Fork

    Raises
    ------
    OSError
        If the server does not answer.
    """
    request = {"role": role, "arguments": arguments, "environment": dict(environment), "cwd": cwd}
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.settimeout(_STARTING_S)
        connection.connect(address)
        data = json.dumps(request).encode() + b"\n"
        sent = socket.send_fds(connection, [data], [output, output])
        connection.sendall(data[sent:])
        answer = b""
        while not answer.endswith(b"\n"):
            more = connection.recv(1)  # no more than the line, since the status may follow at once
            if not more:
                raise ConnectionError("the server of warm processes is gone")
            answer += more
        connection.settimeout(None)
    except BaseException:
        connection.close()
        raise
    return Fork(connection, json.loads(answer)["pid"])


@dataclass(frozen=True)
class Server:
    """A server that this process started.

    Parameters
    ----------
    process : Popen
        Its process; it lives as long as its standard input is open.
    folder : Path
        Its folder, which it removes with all in it.
    """

    process: subprocess.Popen[bytes]
    folder: Path

    @property
    def address(self) -> str:
        """The path of its socket."""
        return str(self.folder / "s")

    @property
    def runs(self) -> bool:
        """Whether it still answers."""
        return self.process.poll() is None

    def stop(self) -> None:
        """Have it end, and everything that it forked."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


_servers: dict[tuple[Any, ...], Server] = {}
_ended: list[Server] = []


_lock = threading.Lock()


def server(environment: Mapping[str, str]) -> Server | None:
    """Return the server for an environment, started at the first call; None where processes start cold.

    Parameters
    ----------
    environment : mapping
        The environment of the processes that it is for.

    Returns
    -------
    Server or None
    """
    if not CAN_FORK or environment.get(SWITCH) == "cold":
        return None
    on_loading = {name: value for name, value in environment.items() if name.startswith(_READ_ON_LOADING)}
    key = (os.getpid(), sys.executable, *sorted(on_loading.items()))
    with _lock:
        known = _servers.get(key)
        if known is None or not known.runs:
            if known is not None:
                _ended.append(_servers.pop(key))  # its folder may still be read
            started = _start(environment)
            if started is None:
                return None
            _servers[key] = known = started
        return known


def stop_servers() -> None:
    """Stop every server that this process started."""
    with _lock:
        own = [key for key in _servers if key[0] == os.getpid()]
        for server in (*map(_servers.pop, own), *_ended):
            server.stop()


atexit.register(stop_servers)


def _clear_away() -> None:
    """Remove the folders of servers that were killed together with the process that started them."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_FOLDER}*-*"):
        owner = folder.name.removeprefix(_FOLDER).partition("-")[0]
        if owner.isdigit() and not (_is_alive(int(owner)) or _answers(folder / "s")):
            shutil.rmtree(folder, ignore_errors=True)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it is another user's
        return True
    return True


def _answers(address: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(str(address))
        except OSError:
            return False
        return True


def _start(environment: Mapping[str, str]) -> Server | None:
    _clear_away()
    folder = Path(tempfile.mkdtemp(prefix=f"{_FOLDER}{os.getpid()}-")).resolve()
    if len(str(folder)) > _SOCKET_PATH:
        folder.rmdir()
        return None
    with socket.socket(socket.AF_UNIX) as listener, (folder / "log").open("wb") as log:
        listener.bind(str(folder / "s"))
        listener.listen(128)
        command = [
            sys.executable,
            "-m",
            "cohort.runner.kernels.fork_server",
            str(listener.fileno()),
            str(folder),
        ]
        process = subprocess.Popen(
            command,
            # As a kernel has it, which sets it before Matplotlib is loaded.
            env={**environment, "MPLBACKEND": "module://matplotlib_inline.backend_inline"},
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            pass_fds=[listener.fileno()],
            cwd=folder,  # in the folder that the reader happens to be in may be modules of the same names
            start_new_session=True,
        )
    return Server(process, folder)
