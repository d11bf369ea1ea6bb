"""Execute one notebook through papermill: `python -m cohort.runner.kernels.worker FOLDER`, a new process."""

from __future__ import annotations

import json
import logging
import math
import os
import shutil
import signal
import sys
import threading
import time
from pathlib import Path
from queue import Empty
from typing import Any

from cohort.runner.kernels import drawings, reads, warm

KERNEL = "python3"


def execute_through_papermill(
    notebook: Any, parameters: dict[str, Any], cwd: str, timeout_s: float, sockets: Path | None
) -> Any:
    """Inject parameters and run every cell, as papermill does, without touching any file.

    papermill's own entry point formats paths with `str.format` and keeps the notebook to itself when a
    kernel dies, so its layers are called here one by one.

    Parameters
    ----------
    notebook : NotebookNode
        The notebook; it is run in place.
    parameters : dict
        Values to inject after the parameters cell; nothing is injected where there are none.
    cwd : str
        The folder that the kernel starts in.
    timeout_s : float
        The longest that one cell may take.
    sockets : Path or None
        An empty folder for the kernel's sockets; None where the system has TCP ports only.

    Returns
    -------
    NotebookNode
        The executed notebook. A cell that raised, or a kernel that died, is left to the caller to find.
    """
    from papermill.engines import papermill_engines
    from papermill.execute import prepare_notebook_metadata, remove_error_markers
    from papermill.utils import chdir

    prepared = with_injected(notebook, parameters)
    prepared = remove_error_markers(prepare_notebook_metadata(prepared, None, None))
    choose_provisioner()
    try:
        with chdir(cwd):
            papermill_engines.execute_notebook_with_engine(
                None,
                prepared,
                KERNEL,
                output_path=None,
                progress_bar=False,
                autosave_cell_every=0,
                start_timeout=60,
                execution_timeout=timeout_s,
                shutdown_kernel="immediate",
                extra_arguments=_arguments(),
                **({} if sockets is None else {"kernel_manager_class": _private_manager(sockets)}),
            )
    except Exception as error:  # a dead kernel, a cell out of time: told by the cell where it happened
        prepared.metadata["cohort_failure"] = _sentence(error)
    return prepared


def with_injected(notebook: Any, parameters: dict[str, Any]) -> Any:
    """Put a cell of values after the parameters cell of a notebook, as papermill writes it.

    Parameters
    ----------
    notebook : NotebookNode
        The notebook.
    parameters : dict
        The values; nothing is put in where there are none.

    Returns
    -------
    NotebookNode
        The notebook as papermill runs it.
    """
    from papermill.iorw import load_notebook_node
    from papermill.parameterize import parameterize_notebook

    loaded = load_notebook_node(notebook)
    if not parameters:
        return loaded
    return parameterize_notebook(loaded, parameters, kernel_name=KERNEL, language="python")


def _arguments() -> list[str]:
    """Return the arguments of the kernel: no history, and this package's extension if it has a task."""
    has_task = any(one.SWITCH in os.environ for one in (drawings, reads))
    return ["--HistoryManager.enabled=False", *(["--ext=cohort.runner.kernels"] if has_task else [])]


def choose_provisioner() -> None:
    """Leave it to Jupyter to start kernels where this package is not registered as a way to do so."""
    from jupyter_client.provisioning import KernelProvisionerFactory

    chosen = os.environ.get(warm.CHOSEN_BY)
    if chosen == warm.PROVISIONER and chosen not in KernelProvisionerFactory.instance().provisioners:
        del os.environ[warm.CHOSEN_BY]


def _private_manager(sockets: Path) -> type:
    """Return a kernel manager on Unix sockets of its own: parallel kernels cannot meet on a port."""
    import zmq
    from jupyter_client.asynchronous import AsyncKernelClient
    from jupyter_client.manager import AsyncKernelManager

    class PromptKernelClient(AsyncKernelClient):  # type: ignore[misc]
        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            # It is there before its kernel, and would by default look for it every 100 ms.
            self.context.setsockopt(zmq.RECONNECT_IVL, 2)

        async def wait_for_ready(self, timeout: float | None = None) -> None:
            """Wait for the answer to a request on both channels, and not for 0.2 s of silence after it."""
            end = time.monotonic() + (timeout or math.inf)
            while time.monotonic() < end:
                if await self._answers(self.kernel_info()):
                    return
                if not await self._async_is_alive():
                    raise RuntimeError("Kernel died before replying to kernel_info")
            raise RuntimeError(f"Kernel didn't respond in {timeout} seconds")

        async def _answers(self, request: str) -> bool:
            try:
                while True:
                    reply = await self.get_shell_msg(timeout=1)
                    if reply["parent_header"].get("msg_id") == request:
                        break
                while True:
                    said = await self.get_iopub_msg(timeout=0.05)
                    is_own = said["parent_header"].get("msg_id") == request
                    if is_own and said["content"].get("execution_state") == "idle":
                        break
            except Empty:
                return False
            self._handle_kernel_info_reply(reply)
            return True

    class PrivateKernelManager(AsyncKernelManager):  # type: ignore[misc]
        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            self.client_factory = PromptKernelClient
            self.transport = "ipc"
            self.ip = str(sockets / "s")
            self.connection_file = str(sockets / "kernel.json")

    return PrivateKernelManager


def _sentence(error: Exception) -> str:
    """Return an exception as one line."""
    words = " ".join(str(error).split())
    return f"{type(error).__name__}: {words}" if words else type(error).__name__


def _stop_with_parent(folder: Path) -> None:
    """Stop this process, and so its kernel, when the process that started it goes away."""
    sys.stdin.read()
    shutil.rmtree(folder, ignore_errors=True)  # nobody is left to do it
    os.kill(os.getpid(), signal.SIGTERM)


def run_job(folder: Path) -> None:
    """Read `job.json` in a folder, execute its notebook, and write `executed.json` beside it.

    Parameters
    ----------
    folder : Path
        The folder.
    """
    logging.disable(logging.CRITICAL)  # papermill's and the kernel's own chatter
    import nbformat

    job = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    # A socket's path is short by law of the system: 104 characters on some, with the kernel's suffix.
    sockets = folder if os.name == "posix" and len(str(folder)) < 80 else None
    executed = execute_through_papermill(
        nbformat.from_dict(job["notebook"]),  # type: ignore[no-untyped-call]
        job["parameters"],
        job["cwd"],
        job["timeout_s"],
        sockets,
    )
    (folder / "executed.json").write_text(json.dumps(executed), encoding="utf-8")


def main(folder: Path) -> None:
    """Execute the notebook of a folder in this process, which ends when its standard input closes.

    Parameters
    ----------
    folder : Path
        The folder.
    """
    threading.Thread(target=_stop_with_parent, args=(folder,), daemon=True).start()
    # nbformat's validator would load a grammar of web addresses, which takes a second and serves no notebook.
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
    run_job(folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
