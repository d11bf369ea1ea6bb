"""A process that has imported what notebooks need, and forks others from it: each starts with that done.

`python -m cohort.runner.kernels.fork_server LISTENER FOLDER` takes an open listening socket by its number.
It is started and asked by `warm`. A client connects, sends one request and keeps the connection: it is told
the process id, then the exit status, and what it asked for dies with the connection. The server dies, and
with it all that it forked, when its standard input closes or nobody has asked for anything in ten minutes.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import gc
import importlib
import json
import os
import selectors
import shutil
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any

IDLE_S = 600.0


# What runs notebooks, and then what most notebooks import. A kernel forgets the modules of this package, so
# that it reads them as they are on disk. What opens a figure or starts a thread is left out.
PRELOADED = (
    "papermill.engines",
    "papermill.execute",
    "papermill.iorw",
    "papermill.parameterize",
    "cohort.runner.kernels.provisioner",
    "cohort.runner.kernels.worker",
    "jupyter_client.manager",
    "jupyter_client.provisioning",
    "ipykernel.kernelapp",
    "ipykernel.debugger",
    "ipykernel.ipkernel",
    "ipykernel.zmqshell",
    "IPython.core.completer",
    "IPython.core.magics",
    "IPython.display",
    "jinja2",
    "matplotlib.pyplot",
    "numpy",
    "pandas",
    "seaborn",
)


_PR_SET_PDEATHSIG = 1  # of Linux: the signal a process gets when the one that forked it dies


Request = dict[str, Any]


def preload() -> None:
    """Import what is worth having in every fork; what is not installed is left out."""
    # nbformat's validator would load a grammar of web addresses, which takes a second and serves no notebook.
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
    for name in PRELOADED:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    with contextlib.suppress(ImportError):
        from jupyter_client.provisioning import KernelProvisionerFactory

        KernelProvisionerFactory.instance()  # it reads the entry points of every installed package
    gc.collect()
    gc.freeze()  # collections in the forks leave these pages shared


class Server:
    """The loop of the server, in one thread, since only that thread survives a fork.

    Parameters
    ----------
    listener : socket
        Where clients connect.
    folder : str
        The folder of the socket and of all that its clients keep there; removed at the end.
    """

    def __init__(self, listener: socket.socket, folder: str) -> None:
        self.listener = listener
        self.folder = folder
        self.children: dict[int, socket.socket] = {}
        self.selector = selectors.DefaultSelector()
        self.woken, self.waker = socket.socketpair()
        for end in (self.woken, self.waker, listener):
            end.setblocking(False)

    def serve(self) -> None:
        """Answer until standard input closes or nobody asks any more."""
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.set_wakeup_fd(self.waker.fileno(), warn_on_full_buffer=False)
        for source, act in ((0, None), (self.listener, self.accept), (self.woken, self.reap)):
            self.selector.register(source, selectors.EVENT_READ, act)
        while True:
            ready = self.selector.select(IDLE_S)
            if not ready and not self.children:
                return
            for key, _ in ready:
                if key.data is None:  # nothing is ever sent on standard input: it has closed
                    return
                key.data()

    def accept(self) -> None:
        """Take one request and fork for it."""
        try:
            connection, _ = self.listener.accept()
        except BlockingIOError:
            return
        connection.settimeout(10)
        try:
            request, streams = received(connection)
        except (OSError, ValueError):
            connection.close()
            return
        pid = os.fork()
        if pid == 0:
            self.leave()
            become(request, streams)
        for stream in streams:
            os.close(stream)
        self.children[pid] = connection
        connection.setblocking(False)
        self.selector.register(connection, selectors.EVENT_READ, lambda: self.heard(pid))
        self.tell(pid, {"pid": pid})

    def heard(self, pid: int) -> None:
        """Send a process the signals that its client asks for; kill it where the client is gone.

        Parameters
        ----------
        pid : int
            The process.
        """
        connection = self.children[pid]
        try:
            lines = connection.recv(4096).split()
        except BlockingIOError:
            return
        except OSError:
            lines = []
        for number in lines:
            signal_group(pid, int(number))
        if not lines:
            signal_group(pid, signal.SIGKILL)
            self.selector.unregister(connection)
            connection.close()

    def reap(self) -> None:
        """Tell the clients of the processes that ended how they ended."""
        with contextlib.suppress(BlockingIOError):
            self.woken.recv(4096)
        options = os.WEXITED | os.WNOHANG | os.WNOWAIT
        while self.children and (ended := os.waitid(os.P_ALL, 0, options)):
            pid = ended.si_pid
            signal_group(pid, signal.SIGKILL)  # what it started itself ends with it
            _, status = os.waitpid(pid, 0)
            self.tell(pid, {"status": os.waitstatus_to_exitcode(status)})
            connection = self.children.pop(pid)
            if connection.fileno() != -1:
                self.selector.unregister(connection)
                connection.close()

    def tell(self, pid: int, answer: dict[str, int]) -> None:
        """Send a client one line; one that is gone is noticed where it is listened to.

        Parameters
        ----------
        pid : int
            Its process.
        answer : dict
            The line, as JSON.
        """
        with contextlib.suppress(OSError):
            self.children[pid].sendall(json.dumps(answer).encode() + b"\n")

    def leave(self) -> None:
        """Close in a fork what belongs to the server."""
        signal.set_wakeup_fd(-1)
        self.selector.close()
        for end in (self.listener, self.woken, self.waker, *self.children.values()):
            end.close()

    def end(self) -> None:
        """Kill what was forked, and remove the folder."""
        for pid in self.children:
            signal_group(pid, signal.SIGKILL)
        for pid in self.children:
            os.waitpid(pid, 0)
        shutil.rmtree(self.folder, ignore_errors=True)


def received(connection: socket.socket) -> tuple[Request, list[int]]:
    """Return the request that a client sends.

    Parameters
    ----------
    connection : socket
        Its connection.

    Returns
    -------
    dict, list of int
        The request; the open files of its standard output and error.

    Raises
    ------
    ValueError
        If the client left before it had asked.
    """
    data, streams, _, _ = socket.recv_fds(connection, 1 << 16, 2)
    while data and not data.endswith(b"\n"):
        more = connection.recv(1 << 16)
        data = data + more if more else b""
    if len(streams) != 2 or not data:
        for stream in streams:
            os.close(stream)
        raise ValueError("the client left before it had asked")
    request: Request = json.loads(data)
    return request, streams


def signal_group(pid: int, number: int) -> None:
    """Signal a forked process, which is not reaped yet, and all that it started.

    Parameters
    ----------
    pid : int
        The process.
    number : int
        The signal.
    """
    try:
        os.killpg(pid, number)
    except OSError:  # it has only just been forked, and has no group of its own yet
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def become(request: Request, streams: list[int]) -> None:
    """Turn a fork into what was asked for, and end with it.

    Parameters
    ----------
    request : dict
        What was asked for.
    streams : list of int
        Its standard output and error.
    """
    status = 1
    try:
        die_with_parent()
        fresh(request, streams)
        ROLES[request["role"]](request["arguments"])
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(BaseException):
            if request["role"] == "kernel":  # a worker has nothing left to do, and its client waits
                atexit._run_exitfuncs()
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


def die_with_parent() -> None:
    """Have the system kill this process when the server dies, however that happens."""
    server = os.getppid()
    os.setsid()
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != server:
        os._exit(1)


def fresh(request: Request, streams: list[int]) -> None:
    """Give a fork what a new process has: its own streams, environment, folder, signals and randomness.

    Parameters
    ----------
    request, streams
        As in `become`.
    """
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    null = os.open(os.devnull, os.O_RDONLY)
    for number, stream in enumerate((null, *streams)):
        os.dup2(stream, number)
        os.close(stream)
    sys.stdin = sys.__stdin__ = open(0, encoding="utf-8", closefd=False)  # type: ignore[misc]  # noqa: SIM115
    sys.stdout = sys.__stdout__ = open(1, "w", encoding="utf-8", closefd=False)  # type: ignore[misc]  # noqa: SIM115
    sys.stderr = sys.__stderr__ = open(  # type: ignore[misc]  # noqa: SIM115
        2, "w", encoding="utf-8", errors="backslashreplace", closefd=False
    )
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["cwd"])
    time.tzset()
    if "numpy" in sys.modules:  # Python's own generator does so by itself
        sys.modules["numpy"].random.seed()


def run_kernel(arguments: list[str]) -> None:
    """Be a kernel, as `python -m ipykernel_launcher` is.

    Parameters
    ----------
    arguments : list of str
        Those of that command.
    """
    for name in [name for name in sys.modules if name == "rfc3987_syntax" or name.split(".")[0] == "cohort"]:
        del sys.modules[name]
    from ipykernel import kernelapp

    launcher = os.path.join(os.path.dirname(os.path.dirname(kernelapp.__file__)), "ipykernel_launcher.py")
    # Without a parent to watch, a kernel prints how to end it.
    sys.argv = [launcher, *arguments, f"--IPKernelApp.parent_handle={os.getppid()}"]
    kernelapp.IPKernelApp.launch_instance()


def run_worker(arguments: list[str]) -> None:
    """Be the process that runs one notebook through papermill.

    Parameters
    ----------
    arguments : list of str
        The folder of the job.
    """
    from pathlib import Path

    from cohort.runner.kernels.worker import run_job

    run_job(Path(arguments[0]))


ROLES: dict[str, Callable[[list[str]], None]] = {"kernel": run_kernel, "worker": run_worker}


def main() -> None:
    """Serve."""
    if sys.path[0] == sys.argv[2]:  # the folder that this was started in
        del sys.path[0]
    server = Server(socket.socket(fileno=int(sys.argv[1])), sys.argv[2])
    preload()
    try:
        server.serve()
    finally:
        server.end()


if __name__ == "__main__":
    main()
