"""The device under test: how work on it is timed, captured in a graph, metered, and how large it may be."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from device.meter import Meter

Work = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Timing:
    """Time of one call in seconds, and its energy in joules where the board counts it."""

    seconds: float
    joules: float | None = None


@dataclass(slots=True)
class Bench:
    """A device, its meter, and whether shapes are tiny, for trying the script out without an accelerator."""

    device: torch.device
    meter: Meter | None = None
    tiny: bool = False
    least_seconds: float = 0.05
    metered_seconds: float = 0.4

    @property
    def cuda(self) -> bool:
        """Whether it is a CUDA device: only there are graphs and counters of memory."""
        return self.device.type == "cuda"

    def size(self, real: int, tiny: int) -> int:
        """Return a size, or its small stand-in."""
        return tiny if self.tiny else real

    def random(self, *shape: int, dtype: torch.dtype = torch.bfloat16) -> torch.Tensor:
        """Return standard normal numbers; types that cannot be drawn in are cast to."""
        return torch.randn(shape, device=self.device, dtype=torch.bfloat16).to(dtype)

    def wait(self) -> None:
        """Return when the device has done all that it was given."""
        if self.cuda:
            torch.cuda.synchronize(self.device)

    def captured(self, work: Work) -> Work:
        """Return work as one graph, so that the host's time is left out; as it is where there are none."""
        if not self.cuda:
            return work
        side = torch.cuda.Stream(self.device)
        side.wait_stream(torch.cuda.current_stream(self.device))
        with torch.cuda.stream(side):
            for _ in range(3):
                work()
        torch.cuda.current_stream(self.device).wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            work()
        return graph.replay

    def _round(self, work: Work, calls: int) -> float:
        self.wait()
        begin = time.perf_counter()
        for _ in range(calls):
            work()
        self.wait()
        return (time.perf_counter() - begin) / calls

    def timed(self, work: Work, rounds: int = 3) -> Timing:
        """Return the median time of a call, over rounds that are long enough for the clock."""
        work()
        calls = max(1, round(self.least_seconds / rounds / max(self._round(work, 2), 1e-7)))
        return Timing(sorted(self._round(work, calls) for _ in range(rounds))[rounds // 2])

    def metered(self, work: Work) -> Timing:
        """Return time and energy of a call, over as long as the board's counter needs to be exact."""
        once = self.timed(work).seconds
        if self.meter is None or self.meter.joules() is None:
            return Timing(once)
        calls = max(1, round(self.metered_seconds / once))
        before = self.meter.joules()
        seconds = self._round(work, calls)
        after = self.meter.joules()
        return Timing(seconds, (after - before) / calls if after is not None and before is not None else None)

    def peak_bytes(self, work: Work, whole: bool = False) -> int | None:
        """Return the most memory that work holds, or None where nothing counts it.

        What was there before is left out, unless the whole is asked for.
        """
        if not self.cuda:
            return None
        work()
        self.wait()
        torch.cuda.empty_cache()
        before = torch.cuda.memory_allocated(self.device)
        torch.cuda.reset_peak_memory_stats(self.device)
        work()
        self.wait()
        return torch.cuda.max_memory_allocated(self.device) - (0 if whole else before)
