"""Kernels that start warm, the execution of a notebook in one, and an IPython extension with its tasks."""

from __future__ import annotations

import os
from typing import Any


def load_ipython_extension(shell: Any) -> None:
    """Have a kernel do what its environment asks for beside running cells.

    Parameters
    ----------
    shell : InteractiveShell
        The shell of the kernel.
    """
    from cohort.runner.kernels import drawings, reads

    if drawings.SWITCH in os.environ:
        drawings.divert(shell)
    if reads.SWITCH in os.environ:
        reads.note(shell)
