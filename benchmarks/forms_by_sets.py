"""Which form of a law predicts long runs from short ones, over all public sets of runs.

Run it as ``.venv/bin/python benchmarks/forms_by_sets.py``; it takes some minutes. Each form is fitted by
Huber's misfit to all runs of a set, to those but the largest fifth, and to those of at most a hundred tokens
per parameter; the errors are of the runs that the law was not fitted to, and of all. ``chosen`` is the recipe
that a set chooses by its own runs of at most that many, for the longer ones alone. ``NAME=runs.csv`` adds a
set that is tried once; with ``--write`` the errors go to the table `form_errors`, which keeps the
rows of sets that were tried once before.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path

import pandas as pd

from cohort.fitting import panel
from cohort.fitting.run_tables import read_runs

TABLE = Path(__file__).resolve().parents[1] / "data" / "form_errors.csv"
COLUMNS = ("within", "largest", "beyond")


def chosen(name: str, runs: pd.DataFrame) -> dict[str, float]:
    """Return the error of the chosen recipe on the longer runs, where there are any."""
    found = panel.ahead({name: runs}) if (runs["tokens"] > panel.MOST * runs["parameters"]).any() else None
    return {} if found is None else {"beyond": float(found["error"].iloc[0])}


def main() -> None:
    """Print a line a set and form, and the medians over the sets; write them where asked."""
    lines = ["set,use,form,runs,longer," + ",".join(COLUMNS)]
    print(f"{'set':32}{'form':12}{'runs':>6}{'longer':>8}" + "".join(f"{name:>10}" for name in COLUMNS))
    given = dict(each.split("=", 1) for each in sys.argv[1:] if "=" in each)
    added = {name: read_runs(path).frame for name, path in given.items()}
    for name, runs in (panel.sets() | added).items():
        use = "blind" if name in added else "panel"
        longer = int((runs["tokens"] / runs["parameters"] > panel.MOST).sum())
        for form in (*panel.COMPARED, "chosen"):
            found = chosen(name, runs) if form == "chosen" else panel.form_errors(runs, form)
            values = [100 * found.get(column, math.inf) for column in COLUMNS]
            cells = [f"{value:.3f}" if math.isfinite(value) else "" for value in values]
            print(
                f"{name:32}{form:12}{len(runs):6}{longer:8}" + "".join(f"{cell:>10}" for cell in cells),
                flush=True,
            )
            lines.append(",".join([name, use, form, str(len(runs)), str(longer), *cells]))
    if "--write" in sys.argv:
        before = TABLE.read_text(encoding="utf-8").splitlines()[1:]
        lines += [row for row in before if row.split(",")[1] == "blind" and row.split(",")[0] not in added]
        TABLE.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
