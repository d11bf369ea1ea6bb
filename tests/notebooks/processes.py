"""Whether processes run, and waiting until something is so."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path


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
