"""Steps of training through blocks: forward, with the backward pass, with the optimiser."""

from __future__ import annotations

from collections.abc import Iterator

import torch

import cohort
from device.bench import Bench, Work
from device.decoder import Block, Sizes, turns
from device.rows import Case, Row

LAYERS, BATCH, LENGTH = 6, 4, 4096


def flop(sizes: Sizes, batch: int, length: int) -> float:
    """Return the operations of a forward pass: the products, and the causal half of attention."""
    products = 2 * sizes.layer_parameters * batch * length
    return products + 2 * sizes.layers * sizes.heads * sizes.head * batch * length**2


def ways(
    blocks: torch.nn.ModuleList, inputs: torch.Tensor, turn: torch.Tensor
) -> dict[str, tuple[Work, int]]:
    """Return each part of a step, with how many forward passes its operations are."""
    optimiser = torch.optim.AdamW(blocks.parameters(), lr=1e-6, fused=inputs.is_cuda)

    def through() -> torch.Tensor:
        x = inputs
        for block in blocks:
            x = block(x, turn)
        return x

    def forward() -> None:
        with torch.no_grad():
            through()

    def backward() -> None:
        blocks.zero_grad(set_to_none=True)
        through().float().square().mean().backward()

    def step() -> None:
        backward()
        optimiser.step()

    return {"forward": (forward, 1), "forward and backward": (backward, 3), "step with optimiser": (step, 3)}


def measure(bench: Bench) -> Iterator[Row]:
    """Yield time, rate, energy, power and peak memory of each part of a step."""
    sizes = Sizes.of(cohort.model("llama-3-8b"), LAYERS, bench.tiny)
    batch, length = BATCH, bench.size(LENGTH, 32)
    blocks = torch.nn.ModuleList(Block(sizes, bench.device) for _ in range(sizes.layers))
    inputs = bench.random(batch, length, sizes.hidden)
    turn, once = turns(sizes, 0, length, bench.device), flop(sizes, batch, length)
    for name, (work, passes) in ways(blocks, inputs, turn).items():
        label = f"llama-3-8b blocks, {sizes.layers} layers, {name}"
        case = Case("training", label, batch=batch, context=length, tokens=batch * length)
        found, peak = bench.metered(work), bench.peak_bytes(work, whole=True)
        yield case.row("time", 1e3 * found.seconds, "ms")
        yield case.row("rate", passes * once / found.seconds / 1e12)
        if found.joules is not None:
            yield case.row("energy", found.joules)
            yield case.row("power", found.joules / found.seconds)
        if peak is not None:
            yield case.row("peak memory", float(peak))
