"""Measure an accelerator at hand, and write what `data/device_measurements.csv` holds of others.

Run it as ``python benchmarks/device/measure.py --out FILE`` with `cohort` and PyTorch (2.5 or later)
installed; a second file beside it says what was measured, with what and when. On a machine without a CUDA
device, or with ``--tiny``, shapes are small: the script can be tried, and its numbers mean nothing.
"""

from __future__ import annotations

import argparse
import datetime
import importlib
import importlib.util
import platform
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # where the package is that this script is part of

from device.meter import Meter
from device.rows import Row, Run, runs_file, write

GROUPS = ("ceilings", "products", "attention", "experts", "steps", "training")


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, required=True, help="file of the measurements")
    parser.add_argument("--run", default="", help="name of the run; by default the device and the day")
    parser.add_argument("--accelerator", default="", help="its name in the book's table of accelerators")
    parser.add_argument("--only", nargs="+", choices=GROUPS, default=list(GROUPS), help="what to measure")
    parser.add_argument("--device", default="", help="such as cuda:0 or cpu")
    parser.add_argument("--tiny", action="store_true", help="small shapes, for trying the script")
    return parser.parse_args(given)


def describe(torch: Any, device: Any, meter: Meter | None, given: argparse.Namespace) -> Run:
    """Return which device is measured, with what, and when."""
    cuda, day = device.type == "cuda", datetime.datetime.now(datetime.UTC).date().isoformat()
    name = torch.cuda.get_device_name(device) if cuda else f"CPU ({platform.machine()})"
    triton = importlib.import_module("triton").__version__ if importlib.util.find_spec("triton") else ""
    return Run(
        run=given.run or f"{name.lower().replace(' ', '-')}-{day}",
        accelerator=given.accelerator or name,
        device=name,
        driver=meter.driver() if meter else "",
        cuda=torch.version.cuda or "" if cuda else "",
        torch=torch.__version__.partition("+")[0],
        triton=triton,
        python=platform.python_version(),
        date=day,
        note="tiny shapes" if given.tiny else "PyTorch's own kernels; random weights",
    )


def groups(names: list[str], bench: Any, stopped: list[str] | None = None) -> Iterator[Row]:
    """Yield the rows of each group; one that the device cannot run is named, and the others go on.

    `stopped` gets the names of those that ended early.
    """
    for name in names:
        begin = time.monotonic()
        count = 0
        try:
            for row in importlib.import_module(f"device.{name}").measure(bench):
                count += 1
                yield row
        except (RuntimeError, NotImplementedError) as error:
            if stopped is not None:
                stopped.append(name)
            print(f"{name}: stopped after {count} rows: {str(error).splitlines()[0]}", file=sys.stderr)
        print(f"{name}: {count} rows in {time.monotonic() - begin:.1f} s")


def main(given: list[str] | None = None) -> None:
    """Measure and write."""
    options = arguments(given)
    if importlib.util.find_spec("torch") is None:
        raise SystemExit("this needs torch: pip install 'cohort-of-models[oracle]'")
    torch = importlib.import_module("torch")
    Bench = importlib.import_module("device.bench").Bench
    device = torch.device(options.device or ("cuda:0" if torch.cuda.is_available() else "cpu"))
    options.tiny = options.tiny or device.type != "cuda"
    meter = None
    if device.type == "cuda":
        torch.cuda.set_device(device)
        meter = Meter.open(str(getattr(torch.cuda.get_device_properties(device), "uuid", "")))
    torch.manual_seed(0)
    run = describe(torch, device, meter, options)
    stopped: list[str] = []
    write(options.out, run, groups(options.only, Bench(device, meter, options.tiny), stopped))
    print(f"{run.device}: {options.out}, {runs_file(options.out)}")
    if stopped:
        raise SystemExit(f"the table lacks rows of {', '.join(stopped)}, which ended early")


if __name__ == "__main__":
    main()
