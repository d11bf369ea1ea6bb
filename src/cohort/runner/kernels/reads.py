"""Note what a notebook reads: the modules of this package and the files that it opens.

It hears what Python itself announces (audit events), so that nothing has to take part in it. What it cannot
follow, such as another process, is noted too: of such a run nobody knows what it depends on.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SWITCH = "COHORT_READS"
_PACKAGE = __name__.split(".")[0]
# What leads out of sight: other processes, and other machines.
_OUT_OF_SIGHT = frozenset(
    {
        "os.exec",
        "os.fork",
        "os.forkpty",
        "os.posix_spawn",
        "os.spawn",
        "os.startfile",
        "os.system",
        "socket.connect",
        "subprocess.Popen",
    }
)


@dataclass(frozen=True)
class Reads:
    """What a run read.

    Parameters
    ----------
    files : frozenset of str
        Absolute paths of the files below the folders that count, those of modules included.
    folders : frozenset of str
        Absolute paths of the folders there whose names were listed.
    unknown : frozenset of str
        What nobody could follow; empty where all is known.
    """

    files: frozenset[str]
    folders: frozenset[str]
    unknown: frozenset[str]


def request(to: Path, below: Sequence[Path]) -> dict[str, str]:
    """Return the environment that has a kernel note what it reads.

    Parameters
    ----------
    to : Path
        The file that takes the notes.
    below : sequence of Path
        The folders that count.

    Returns
    -------
    dict of str to str
    """
    return {SWITCH: json.dumps({"to": str(to), "below": [str(folder) for folder in below]})}


def noted(path: Path) -> Reads | None:
    """Return what a kernel noted; None where its notes are missing or broken.

    Parameters
    ----------
    path : Path
        The file that took the notes.

    Returns
    -------
    Reads or None
    """
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        return Reads(*(frozenset(said[name]) for name in ("files", "folders", "unknown")))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def note(shell: Any) -> None:
    """Have a kernel note what it reads.

    Parameters
    ----------
    shell : InteractiveShell
        The shell of the kernel.
    """
    said = json.loads(os.environ.pop(SWITCH))
    notes = _Notes(said["to"], tuple(os.path.join(folder, "") for folder in said["below"]))
    sys.addaudithook(notes.hear)
    sys.meta_path.append(notes)
    shell.events.register("post_run_cell", lambda *_: notes.write())


@dataclass(eq=False)
class _Notes:
    """What is noted, and where; also the last of Python's importers, which hears of what the others lack."""

    to: str
    below: tuple[str, ...]
    files: set[str] = field(default_factory=set)
    folders: set[str] = field(default_factory=set)
    unknown: set[str] = field(default_factory=set)
    written: int = -1

    def hear(self, event: str, given: tuple[Any, ...]) -> None:
        """Take one of Python's events."""
        if event == "open":
            path, _, flags = given
            if not (isinstance(flags, int) and flags & os.O_WRONLY):
                self.add(self.files, path)
        elif event in ("os.listdir", "os.scandir"):
            self.add(self.folders, given[0] or ".")
        elif event in _OUT_OF_SIGHT:
            self.unknown.add(event)

    def add(self, noted: set[str], path: Any) -> None:
        """Note a path below the folders that count."""
        if isinstance(path, str | bytes | os.PathLike):
            whole = os.path.realpath(os.fsdecode(path))
            if whole.startswith(self.below) or os.path.join(whole, "") in self.below:
                noted.add(whole)

    def find_spec(self, name: str, *_: Any) -> None:
        """Note a module of this package that is not there: it may be there another time."""
        if name.split(".")[0] == _PACKAGE:
            self.unknown.add(f"import {name}")

    def write(self) -> None:
        """Write the notes, if there is anything new."""
        for name, module in list(sys.modules.items()):
            if name.split(".")[0] == _PACKAGE and name != __name__:
                file = getattr(module, "__file__", None)
                if file:
                    self.files.add(os.path.realpath(file))
                else:
                    self.unknown.add(f"module {name}")
        size = len(self.files) + len(self.folders) + len(self.unknown)
        if size != self.written:
            self.written = size
            notes = {name: sorted(getattr(self, name)) for name in ("files", "folders", "unknown")}
            with open(self.to, "w", encoding="utf-8") as file:
                json.dump(notes, file)
