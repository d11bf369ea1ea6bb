"""The SHA-256 sum of each file of a folder, as `sha256sum` prints them: `python sums.py _build/html`."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path


def sums(folder: Path) -> str:
    """Return a line for each file, in the order of their paths."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    lines = (
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder).as_posix()}\n"
        for path in files
    )
    return "".join(lines)


if __name__ == "__main__":
    print(sums(Path(sys.argv[1])), end="")
