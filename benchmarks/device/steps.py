"""Whole steps of decoding, captured in one graph, and whole prompts."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch

import cohort
from device.bench import Bench, Timing
from device.decoder import Decoder, Sizes, turns
from device.rows import Case, Row

# Batch and context of the steps of Llama 3 8B, then of as many layers of the 70B as one device holds.
STEPS = {
    ("llama-3-8b", 32): [(1, 1024), (1, 8192), (1, 65536), (8, 1024), (32, 1024), (64, 1024), (128, 1024),
                         (256, 1024), (16, 8192), (32, 8192)],
    ("llama-3-70b", 16): [(1, 1024), (16, 1024), (64, 1024), (256, 1024), (64, 8192)],
}  # fmt: skip
PROMPTS = (256, 1024, 2048, 8192)


def measure(bench: Bench) -> Iterator[Row]:
    """Yield time, energy and power of steps and prompts."""
    for (model, layers), cases in STEPS.items():
        decoder = Decoder(Sizes.of(cohort.model(model), layers, bench.tiny), bench)
        name = f"{model}, {decoder.sizes.layers} layers"
        for batch, context in cases[: 2 if bench.tiny else None]:
            case = Case("decode", name, batch=batch, context=bench.size(context, context // 64))
            yield from fitting(case, decoder, decode)
        for length in PROMPTS[: 2 if bench.tiny else None] if model == "llama-3-8b" else ():
            case = Case("prefill", name, batch=1, context=bench.size(length, length // 64))
            yield from fitting(case, decoder, prefill)
        del decoder


def fitting(case: Case, decoder: Decoder, work: Callable[[Case, Decoder], Timing]) -> Iterator[Row]:
    """Yield the rows of a case, or none where the device's memory does not hold it."""
    try:
        found = work(case, decoder)
    except torch.cuda.OutOfMemoryError:
        print(f"left out, memory: {case.case}, {case.batch} x {case.context}")
        return
    yield from rows(case, found, "step" if case.group == "decode" else "prompt")


def decode(case: Case, decoder: Decoder) -> Timing:
    """Return time and energy of one step of a batch."""
    assert case.batch and case.context
    bench = decoder.bench
    tokens = torch.zeros(case.batch, dtype=torch.long, device=bench.device)
    turn = turns(decoder.sizes, case.context - 1, case.context, bench.device)
    caches = decoder.caches(case.batch, case.context)
    return bench.metered(bench.captured(lambda: decoder.step(tokens, turn, caches)))


def prefill(case: Case, decoder: Decoder) -> Timing:
    """Return time and energy of reading one prompt."""
    assert case.batch and case.context
    bench = decoder.bench
    tokens = torch.zeros(case.batch, case.context, dtype=torch.long, device=bench.device)
    turn = turns(decoder.sizes, 0, case.context, bench.device)
    return bench.metered(lambda: decoder.prompt(tokens, turn))


def rows(case: Case, found: Timing, noun: str) -> Iterator[Row]:
    """Yield time, and energy and power where the board counts them."""
    yield case.row(f"time of a {noun}", 1e3 * found.seconds)
    if found.joules is not None:
        yield case.row(f"energy of a {noun}", found.joules)
        yield case.row("power", found.joules / found.seconds)
