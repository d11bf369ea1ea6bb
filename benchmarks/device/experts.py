"""Grouped products of one layer of experts: time against the experts that a batch reads."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import torch

import cohort
from device.bench import Bench
from device.rows import Case, Row

TOKENS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)


class Layer(NamedTuple):
    """One layer of experts: how many, how many a token takes, and the widths."""

    experts: int
    active: int
    hidden: int
    width: int


def layers(tiny: bool = False) -> dict[str, Layer]:
    """Return the layers that are measured: of two models, and of one that eight devices share."""
    found = {}
    for label, model, devices in (
        ("mixtral-8x7b", "mixtral-8x7b-v0.1", 1),
        ("qwen3-30b-a3b", "qwen3-30b-a3b", 1),
        ("deepseek-v3 tp8", "deepseek-v3", 8),
    ):
        spec = cohort.model(model)
        own = next(layer.experts for layer in spec.layers if layer.experts)
        sizes = [spec.hidden, own.width // devices]
        found[label] = Layer(own.count, own.active, *(each // 16 if tiny else each for each in sizes))
    return found


def routed(layer: Layer, tokens: int, seed: int) -> torch.Tensor:
    """Return how many tokens each expert gets where every token chooses at random, on the host."""
    draw = torch.rand(tokens, layer.experts, generator=torch.Generator().manual_seed(seed))
    return draw.topk(layer.active).indices.flatten().bincount(minlength=layer.experts)


def grouped(rows: torch.Tensor, weights: torch.Tensor, ends: torch.Tensor) -> torch.Tensor:
    """Return the product of each group of rows with the weights of its expert."""
    made = getattr(torch.nn.functional, "grouped_mm", None) or getattr(torch, "_grouped_mm", None)
    if made:
        return made(rows, weights, offs=ends)
    bounds = [0, *ends.tolist()]
    parts = [rows[a:b] @ weights[i] for i, (a, b) in enumerate(pairwise(bounds)) if b > a]
    return torch.cat(parts)


def forward(rows: torch.Tensor, up: torch.Tensor, down: torch.Tensor, ends: torch.Tensor) -> torch.Tensor:
    """Return what gated experts make of rows that are sorted by expert."""
    gate, value = grouped(rows, up, ends).chunk(2, -1)
    return grouped((torch.nn.functional.silu(gate) * value).contiguous(), down, ends)


def measure(bench: Bench) -> Iterator[Row]:
    """Yield time, experts read and bandwidth by tokens, each the mean of two routings."""
    for name, layer in list(layers(bench.tiny).items())[: 1 if bench.tiny else None]:
        up = bench.random(layer.experts, 2 * layer.width, layer.hidden).transpose(1, 2)
        down = bench.random(layer.experts, layer.hidden, layer.width).transpose(1, 2)
        for tokens in TOKENS[: 3 if bench.tiny else None]:
            yield from by_tokens(bench, Case("experts", name, tokens=tokens), layer, up, down)
        del up, down


def by_tokens(bench: Bench, case: Case, layer: Layer, up: torch.Tensor, down: torch.Tensor) -> Iterator[Row]:
    """Yield the three values of one number of tokens."""
    seconds = read = 0.0
    for seed in (0, 1):
        counts = routed(layer, case.tokens or 0, seed)
        ends = counts.cumsum(0).to(bench.device, torch.int32)
        rows = bench.random(int(counts.sum()), layer.hidden)
        work = bench.captured(lambda rows=rows, ends=ends: forward(rows, up, down, ends))
        seconds += bench.timed(work).seconds / 2
        read += int((counts > 0).sum()) / 2
    yield case.row("time", 1e6 * seconds)
    yield case.row("experts read", read)
    bytes_read = read * 3 * layer.hidden * layer.width * up.element_size()
    yield case.row("bandwidth", bytes_read / seconds / 1e9)
