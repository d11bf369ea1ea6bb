"""Log the power of a short run of training as nvidia-smi prints it: the log that `my_footprint` ships.

Run it as ``python benchmarks/device/power_log.py --out FILE`` with `cohort` and PyTorch installed. The board
idles, trains through blocks of a model, idles, and trains again. A second file beside the log keeps what the
board's own counter of energy saw over the same time, so that the log's sum can be held against it.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))  # where the package is that this script is part of

import cohort
from device.bench import Bench
from device.decoder import Block, Sizes, turns
from device.meter import Meter
from device.training import BATCH, LAYERS, LENGTH, flop, ways

QUERY = "timestamp,index,name,power.draw,utilization.gpu,memory.used,temperature.gpu"
PHASES = (("idle", 10.0), ("training", 45.0), ("idle", 10.0), ("training", 25.0), ("idle", 5.0))


def stepper(bench: Bench) -> tuple[Callable[[], object], float]:
    """Return a step of training, and its operations."""
    sizes = Sizes.of(cohort.model("llama-3-8b"), LAYERS, bench.tiny)
    length = bench.size(LENGTH, 32)
    blocks = torch.nn.ModuleList(Block(sizes, bench.device) for _ in range(sizes.layers))
    turn = turns(sizes, 0, length, bench.device)
    step, passes = ways(blocks, bench.random(BATCH, length, sizes.hidden), turn)["step with optimiser"]
    step()
    bench.wait()
    return step, passes * flop(sizes, BATCH, length)


def spend(bench: Bench, phase: str, seconds: float, step: Callable[[], object]) -> tuple[float, int]:
    """Idle or train for so long, and return the seconds that it took and the steps that were made."""
    begin, steps = time.monotonic(), 0
    while time.monotonic() - begin < seconds:
        if phase == "idle":
            time.sleep(0.05)
            continue
        step()
        bench.wait()
        steps += 1
    return time.monotonic() - begin, steps


def record(bench: Bench, meter: Meter) -> dict[str, object]:
    """Run the phases, and return the seconds, joules by the counter, and steps of each."""
    step, operations = stepper(bench)
    rows = []
    for phase, seconds in PHASES:
        before = meter.joules()
        took, steps = spend(bench, phase, seconds, step)
        after = meter.joules()
        used = None if before is None or after is None else round(after - before, 3)
        rows.append({"phase": phase, "seconds": round(took, 3), "joules": used, "steps": steps})
    return {"flop_per_step": operations, "driver": meter.driver(), "phases": rows}


def main() -> None:
    """Log and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, required=True, help="file of the log")
    parser.add_argument("--every", type=int, default=500, help="milliseconds between samples")
    given = parser.parse_args()
    device = torch.device("cuda:0")
    meter = Meter.open(str(getattr(torch.cuda.get_device_properties(device), "uuid", "")))
    if meter is None:
        raise SystemExit("this needs a board whose counters can be read")
    command = ["nvidia-smi", f"--query-gpu={QUERY}", "--format=csv", f"-lms={given.every}"]
    with given.out.open("w") as log, subprocess.Popen(command, stdout=log) as logger:
        try:
            found = record(Bench(device, meter), meter)
        finally:
            logger.terminate()
    given.out.with_suffix(".json").write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
