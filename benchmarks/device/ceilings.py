"""What bounds everything else: copy and read bandwidth, large products, the power at rest and its limit."""

from __future__ import annotations

import time
from collections.abc import Iterator

import torch

from device.bench import Bench
from device.products import product, types
from device.rows import Case, Row


def measure(bench: Bench) -> Iterator[Row]:
    """Yield bandwidth and rates, with the power of the large products."""
    yield from idle(bench)
    yield from bandwidth(bench)
    known = types(bench)
    for size in (4096, 8192):
        for dtype in known:
            yield from matmul(bench, bench.size(size, size // 64), dtype)


def idle(bench: Bench) -> Iterator[Row]:
    """Yield the power of the board with a context open and nothing to do, and its limit."""
    if bench.meter is None:
        return
    torch.zeros(1, device=bench.device)
    bench.wait()
    time.sleep(2)
    for name, value in (("idle, context open", bench.meter.watts()), ("limit", bench.meter.limit_watts())):
        if value is not None:
            yield Case("ceiling", name, "").row("power", value)


def bandwidth(bench: Bench) -> Iterator[Row]:
    """Yield the bandwidth of a copy, which reads and writes each byte, and of a sum, which reads it."""
    elements = bench.size(2**30, 2**20)
    source = torch.ones(elements, device=bench.device, dtype=torch.bfloat16)
    target = torch.empty_like(source)
    works = {"copy": (2, lambda: target.copy_(source)), "read": (1, source.sum)}
    for name, (times, work) in works.items():
        seconds = bench.timed(bench.captured(work)).seconds
        yield Case("ceiling", name).row("bandwidth", times * source.nbytes / seconds / 1e9)


def matmul(bench: Bench, size: int, dtype: str) -> Iterator[Row]:
    """Yield the rate and the power of a product of two square matrices."""
    found = bench.metered(bench.captured(product(bench, size, size, size, dtype)))
    case = Case("ceiling", f"matmul {size}", dtype, tokens=size)
    yield case.row("rate", 2 * size**3 / found.seconds / 1e12)
    if found.joules is not None:
        yield case.row("power", found.joules / found.seconds)
