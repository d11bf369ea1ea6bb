"""What `import cohort` adds to the start of Python, beside what it saves by loading lazily.

Run it as ``.venv/bin/python benchmarks/import_cohort.py``. The commands take turns, so that a busy machine
slows all of them alike; the lowest time of each counts.
"""

import subprocess
import sys
import time

COMMANDS = {
    "bare Python": "pass",
    "import cohort": "import cohort",
    "cohort.model('deepseek-v2')": "import cohort; cohort.model('deepseek-v2').parameters",
    "import cohort.display.model_tables (pandas)": "import cohort.display.model_tables",
}
ROUNDS = 15


def seconds(code: str) -> float:
    """Return the wall time of a fresh Python that runs `code`."""
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - begin


def main() -> None:
    """Print the lowest time of each command, and what it adds to bare Python."""
    for code in COMMANDS.values():
        seconds(code)  # the first run reads the files from disk
    best = dict.fromkeys(COMMANDS, float("inf"))
    for _ in range(ROUNDS):
        for name, code in COMMANDS.items():
            best[name] = min(best[name], seconds(code))
    bare = best["bare Python"]
    print(f"{'':32}{'total':>9}{'added':>9}{'ratio':>8}")
    for name, total in best.items():
        print(f"{name:32}{1e3 * total:6.1f} ms{1e3 * (total - bare):6.1f} ms{total / bare:8.2f}")


if __name__ == "__main__":
    main()
