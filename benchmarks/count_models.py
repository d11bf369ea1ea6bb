"""How long counting takes, here and at another commit: ``python benchmarks/count_models.py [COMMIT]``.

For each: reading and counting all models of the registry, a cache, and the FLOPs of a forward pass.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CALLS, ROUNDS = 2_000, 7


def best(work: object, calls: int = 1) -> float:
    """Return the seconds of a call, in the best of several rounds."""
    assert callable(work)

    def once() -> float:
        begin = time.perf_counter()
        for _ in range(calls):
            work()
        return (time.perf_counter() - begin) / calls

    return min(once() for _ in range(ROUNDS))


def measure() -> None:
    """Print the times of the package that this process imports, in microseconds."""
    import cohort
    from cohort.architecture.registered import _registered

    names = cohort.models()

    def read_all() -> None:
        _registered.cache_clear()
        for name in names:
            model = cohort.model(name)
            assert model.parameters >= model.active_parameters

    spec = cohort.model("deepseek-v3.2")
    cache = best(lambda: spec.kv_cache_bytes(8192), CALLS)
    flops = best(lambda: spec.forward_flops(8192), CALLS)
    print(len(names), best(read_all) / len(names) * 1e6, cache * 1e6, flops * 1e6)


def measured(source: Path) -> list[float]:
    """Return what another process prints that imports the package from a folder."""
    command = [sys.executable, __file__, "--measure"]
    environment = {**os.environ, "PYTHONPATH": str(source / "src")}
    shown = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    return [float(each) for each in shown.split()]


def main() -> None:
    """Compare this checkout with a commit, in turns."""
    if "--measure" in sys.argv:
        measure()
        return
    commit = sys.argv[1] if len(sys.argv) > 1 else "HEAD~1"
    with tempfile.TemporaryDirectory() as folder:
        other = Path(folder) / "other"
        add = ["git", "-C", str(ROOT), "worktree", "add", "--quiet", "--detach", str(other), commit]
        subprocess.run(add, check=True)
        try:
            turns = [(measured(other), measured(ROOT)) for _ in range(3)]
        finally:
            subprocess.run(["git", "-C", str(ROOT), "worktree", "remove", "--force", str(other)], check=True)
    before, now = ([min(each) for each in zip(*side, strict=True)] for side in zip(*turns, strict=True))
    print(f"models: {before[0]:.0f} at {commit}, {now[0]:.0f} now")
    for name, old, new in zip(
        ("read and count a model", "a cache", "FLOPs"), before[1:], now[1:], strict=True
    ):
        print(
            f"{name:24s}{old:9.1f} us{new:9.1f} us   {1e6 / new:9,.0f} a second   {old / new:.2f} x as fast"
        )


if __name__ == "__main__":
    main()
