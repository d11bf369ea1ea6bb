"""How fast layouts are searched, beside trying every number of answers with `cohort.serving.serve`.

Run it as ``.venv/bin/python benchmarks/plan_speed.py``. Printed are the seconds for a thousand ways to share
a model, the seconds of a joint design, and how many times longer the loads of a few ways take one by one.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import cohort
from cohort.planning import Demand, Designer, Goal, Limits, Plan, plan
from cohort.serving import largest_concurrency, serve

T = TypeVar("T")
LENGTHS = {"input_tokens": 1024, "output_tokens": 300}
LIMITS = Limits(token_s=0.05, first_token_s=2.0)
ACCELERATORS = ("H100 SXM 80GB", "H200", "MI300X", "L40S", "B200", "A100 SXM 80GB", "H20", "GH200", "MI325X")
TYPES = {"weight_dtypes": ("bf16", "fp8"), "kv_dtypes": ("bf16", "fp8")}


def timed(work: Callable[[], T]) -> tuple[T, float]:
    """Return what work returns, and the seconds of the processor that it took."""
    begin = time.process_time()
    found = work()
    return found, time.process_time() - begin


def searched(model: str) -> Plan:
    """Return a plan over many accelerators."""
    known = [name for name in ACCELERATORS if name in cohort.accelerators()]
    return plan(model, known, Demand(**LENGTHS, users=200), LIMITS, **TYPES)


def one_by_one(model: str, accelerator: str) -> int:
    """Try every number of answers at once on 1, 2, 4 and 8 devices; return how many were tried."""
    tried = 0
    for devices in (1, 2, 4, 8):
        for count in range(1, largest_concurrency(model, accelerator, devices, **LENGTHS) + 1):
            found = serve(model, accelerator, devices, count, **LENGTHS)
            tried += 1
            if LIMITS.late(found.ttft_s, found.tpot_s):
                break
    return tried


def main() -> None:
    """Print the times."""
    searched("llama-3-8b")  # tables are read once
    found, seconds = timed(lambda: searched("llama-3-70b"))
    print(f"{found.tried} ways in {seconds:.2f} s: {1000 * seconds / found.tried:.2f} s for a thousand")
    goal = Goal(Demand(**LENGTHS, requests_per_s=20), 1e12, loss=2.0, limits=LIMITS)
    designs, taken = timed(lambda: Designer(["H100 SXM 80GB"]).design(goal))
    print(f"{len(designs.found) + len(designs.rejected)} shapes designed in {taken:.2f} s")
    tried, slow = timed(lambda: one_by_one("llama-3-8b", "H100 SXM 80GB"))
    few, fast = timed(
        lambda: plan("llama-3-8b", "H100 SXM 80GB", Demand(**LENGTHS, users=9), LIMITS, apart=False)
    )
    ratio = slow / 4 / (fast / few.tried)
    print(f"every load of 4 ways, {tried} in all: {ratio:.0f} times as long for a way as the search takes")


if __name__ == "__main__":
    main()
