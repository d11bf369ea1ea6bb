"""What the scripts share that fit the constants of a table in `data/`: they write it, or compare it."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterable
from pathlib import Path

DATA = Path(__file__).parents[1] / "data"


def as_csv(fields: list[str], lines: Iterable[list[object]]) -> str:
    """Return a table as the data hold it."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(fields)
    writer.writerows(lines)
    return text.getvalue()


def write_or_compare(table: Path, written: str) -> None:
    """Write a table, or with ``--check`` say whether it is what would be written."""
    if "--check" not in sys.argv[1:]:
        table.write_text(written, encoding="utf-8")
        print(written, end="")
    elif table.read_text(encoding="utf-8") == written:
        print(f"{table.name} is what this script writes")
    else:
        raise SystemExit(f"{table.name} is not what this script writes")
