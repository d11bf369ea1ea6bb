"""Whether processes run, and waiting until something is so."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

# What a server of warm kernels imports for charts alone, half a second's work, and leaves out where it is not
# there. Servers that are started to be killed, or for tasks that draw nothing, do without.
CHARTS = ("matplotlib", "seaborn")


def without_charts(folder: Path) -> dict[str, str]:
    """Return an environment in which there is no library of charts, by modules in a folder."""
    folder.mkdir(exist_ok=True)
    for name in CHARTS:
        (folder / f"{name}.py").write_text(f"raise ImportError('no {name} here')\n", encoding="utf-8")
    path = os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])
    return {**os.environ, "PYTHONPATH": path}


def wait_until(done: Callable[[], object], limit_s: float = 60) -> None:
    end = time.monotonic() + limit_s
    while not done():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)


def is_alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        if Path("/proc/self").exists():
            return False
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return False
        return True
    return state != "Z"  # a zombie has ended, and waits for whoever adopted it


def as_in_the_foreground() -> None:
    """Undo in a new process what a shell does to those that it puts in the background: they ignore SIGINT."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
