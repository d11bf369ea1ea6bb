"""Runs, sweeps and the whole book: warm kernels beside papermill and Jupyter Book, as ratios of one run.

Run it as ``.venv/bin/python benchmarks/run_notebooks.py``; it takes about eight minutes on two idle cores,
nearly all of them for the peers. ``--sets 8`` takes fewer sets of parameters. Three comparisons:

- the overhead of a run: its wall time less the time of its own cells, as papermill notes it for each cell;
- many sets of parameters of one chapter: `cohort sweep`, without figures and with a page of them, beside
  `papermill.execute_notebook` in a loop, in one process and in two;
- all notebooks: `cohort run --force` beside what execution adds to `jupyter-book build`.

Runs take turns where they are short, and the lowest time counts; imports of the peers are not counted.
"""

from __future__ import annotations

import argparse
import logging
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from cohort.runner.kernels import kernel
from cohort.runner.project import find_project

PROJECT = find_project(Path(__file__).parent)
BIN = Path(sys.executable).parent
CHAPTER = "serving_roofline"  # the lightest
SWEPT = "attention_memory"  # its runs differ in context
ROUNDS = 5


def notebook(name: str) -> str:
    return str(PROJECT.notebooks / f"{name}.ipynb")


def cells_seconds(executed: Any) -> float:
    """Return how long the cells of a notebook took, as papermill noted it."""
    noted = (cell["metadata"].get("papermill", {}).get("duration") for cell in executed["cells"])
    return sum(seconds for seconds in noted if seconds)


def by_papermill(job: tuple[str, dict[str, Any], str]) -> float:
    """Run a notebook as papermill's documentation has it, and return the time of its cells."""
    import papermill

    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    name, parameters, out = job
    executed = papermill.execute_notebook(
        notebook(name), out, parameters=parameters, progress_bar=False, kernel_name="python3"
    )
    return cells_seconds(executed)


def by_cohort(name: str) -> float:
    """Run a notebook warm, and return the time of its cells."""
    seen: list[float] = []
    canonical = kernel.canonical
    kernel.canonical = lambda executed: seen.append(cells_seconds(executed)) or canonical(executed)
    try:
        kernel.execute(notebook(name), cache=PROJECT.cache)
    finally:
        kernel.canonical = canonical
    return seen[0]


def timed(run: Callable[[], Any]) -> tuple[float, Any]:
    begin = time.perf_counter()
    result = run()
    return time.perf_counter() - begin, result


def overhead(folder: Path) -> None:
    """Print the overhead of a run by papermill and by a warm kernel, taking turns."""
    out = str(folder / "out.ipynb")
    by_cohort(CHAPTER)  # starts the server
    by_papermill((CHAPTER, {}, out))  # imports papermill
    found: dict[str, list[tuple[float, float]]] = {"papermill": [], "cohort": []}
    for _ in range(ROUNDS):
        found["papermill"].append(timed(lambda: by_papermill((CHAPTER, {}, out))))
        found["cohort"].append(timed(lambda: by_cohort(CHAPTER)))
    print(f"{f'one run of {CHAPTER}':44}{'wall s':>9}{'cells s':>9}{'overhead s':>12}{'ratio':>8}")
    least = {name: min(wall - cells for wall, cells in runs) for name, runs in found.items()}
    for name, runs in found.items():
        wall, cells = (statistics.median(values) for values in zip(*runs, strict=True))
        print(f"{name:44}{wall:9.2f}{cells:9.2f}{least[name]:12.2f}{least[name] / least['cohort']:8.1f}")
    print(flush=True)


def sets(folder: Path, count: int) -> None:
    """Print the time of many sets of parameters by papermill, one and two at a time, and by sweeps."""
    values = [1024 * (1 + number) for number in range(count)]
    jobs = [(SWEPT, {"context": value}, str(folder / f"{value}.ipynb")) for value in values]
    grid = f"context={','.join(map(str, values))}"

    def two_processes() -> None:
        with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
            list(pool.map(by_papermill, jobs))

    def sweep(out: str, *options: str) -> None:
        command = [str(BIN / "cohort"), "sweep", SWEPT, "--grid", grid, "--out", str(folder / out)]
        subprocess.run([*command, *options], cwd=PROJECT.root, check=True, capture_output=True)

    runs = {
        "papermill.execute_notebook, one at a time": lambda: [by_papermill(job) for job in jobs],
        "the same in two processes": two_processes,
        "cohort sweep": lambda: sweep("plain"),
        "cohort sweep --html": lambda: sweep("page", "--html"),
    }
    taken = {name: timed(run)[0] for name, run in runs.items()}
    one, two = list(taken.values())[:2]
    print(f"{f'{count} sets of {SWEPT}':44}{'wall s':>9}{'times faster than one':>24}{'than two':>10}")
    for name, seconds in taken.items():
        print(f"{name:44}{seconds:9.1f}{one / seconds:24.1f}{two / seconds:10.1f}")
    print(flush=True)


def whole_book(folder: Path) -> None:
    """Print what execution adds to Jupyter Book's build, and the time of `cohort run --force`."""

    def build(mode: str) -> None:
        config = (PROJECT.root / "_config.yml").read_text(encoding="utf-8")
        assert 'execute_notebooks: "off"' in config
        own = PROJECT.root / ".config-of-the-benchmark.yml"
        own.write_text(
            config.replace('execute_notebooks: "off"', f'execute_notebooks: "{mode}"'), encoding="utf-8"
        )
        command = [
            str(BIN / "jupyter-book"),
            "build",
            ".",
            "--config",
            str(own),
            "--path-output",
            str(folder / mode),
        ]
        try:
            subprocess.run(
                command,
                cwd=PROJECT.root,
                check=True,
                capture_output=True,
                env={**os.environ, **kernel._FIXED},
            )
        finally:
            own.unlink()

    def run() -> None:
        subprocess.run(
            [str(BIN / "cohort"), "run", "--force"], cwd=PROJECT.root, check=True, capture_output=True
        )

    times: dict[str, float] = {"ours": float("inf"), "off": float("inf"), "force": float("inf")}
    for _ in range(2):
        times["ours"] = min(times["ours"], timed(run)[0])
        for mode in ("off", "force"):
            subprocess.run(["rm", "-rf", str(folder / mode)], check=True)
            times[mode] = min(times[mode], timed(lambda mode=mode: build(mode))[0])
    theirs = times["force"] - times["off"]
    print(f"{'all notebooks':44}{'wall s':>9}{'ratio':>8}")
    print(f"{'what execution adds to jupyter-book build':44}{theirs:9.1f}{theirs / times['ours']:8.1f}")
    print(f"{'cohort run --force':44}{times['ours']:9.1f}{1:8.1f}", flush=True)


def main() -> None:
    """Print the three comparisons."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sets", type=int, default=16, help="sets of parameters (default: 16)")
    parser.add_argument("--only", choices=["overhead", "sets", "book"], help="one of the comparisons alone")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cohort-benchmark-") as temporary:
        folder = Path(temporary)
        if given.only in (None, "overhead"):
            overhead(folder)
        if given.only in (None, "sets"):
            sets(folder, given.sets)
        if given.only in (None, "book"):
            whole_book(folder)


if __name__ == "__main__":
    main()
