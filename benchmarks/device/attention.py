"""Attention of a prompt, written out and fused, and of one query a sequence against a long cache."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch.nn.functional import scaled_dot_product_attention

from device.bench import Bench
from device.rows import Case, Row

HEADS, KV_HEADS, HEAD = 32, 8, 128
LENGTHS = (512, 1024, 2048, 4096, 8192, 16384, 32768)
DECODED = {1: (1024, 4096, 16384, 65536, 131072), 8: (1024, 4096, 16384, 65536), 64: (1024, 4096, 16384)}


def naive(queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """Return causal attention whose scores are written to memory, and whose weights are too."""
    scores = queries @ keys.transpose(-1, -2)
    scores.mul_(1 / math.sqrt(queries.shape[-1]))
    tokens = queries.shape[-2]
    later = torch.ones(tokens, tokens, dtype=torch.bool, device=queries.device).triu_(1)
    scores.masked_fill_(later, -math.inf)
    del later  # so that two squares and the result are all that is held
    return scores.softmax(-1) @ values


def fused(queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """Return causal attention by the kernel that PyTorch chooses."""
    return scaled_dot_product_attention(queries, keys, values, is_causal=True)


def grouped_decode(queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """Return attention of one query a sequence; the heads of a group are rows against one key-value head.

    Queries have the shape (batch, heads, size), keys and values (batch, key-value heads, context, size).
    """
    batch, heads, size = queries.shape
    rows = queries.view(batch, keys.shape[1], heads // keys.shape[1], size)
    return scaled_dot_product_attention(rows, keys, values).reshape(batch, heads, size)


def measure(bench: Bench) -> Iterator[Row]:
    """Yield times and peaks of prompts, then times of single queries."""
    for length in LENGTHS[: 2 if bench.tiny else None]:
        yield from prompt(bench, bench.size(length, length // 16))
    for batch, contexts in DECODED.items():
        for context in contexts[: 1 if bench.tiny else None]:
            yield from decode(bench, batch, bench.size(context, context // 16))


def prompt(bench: Bench, length: int) -> Iterator[Row]:
    """Yield peak memory and time of both ways, and how far their results are apart."""
    inputs = [bench.random(1, HEADS, length, HEAD) for _ in range(3)]
    results = []
    for name, way in (("naive", naive), ("flash", fused)):
        case = Case("attention", name, batch=1, context=length)
        try:
            peak = bench.peak_bytes(lambda way=way: way(*inputs))
            seconds = bench.timed(lambda way=way: way(*inputs)).seconds
        except torch.cuda.OutOfMemoryError:
            continue  # the square does not fit
        if peak is not None:
            yield case.row("peak memory", float(peak))
        yield case.row("time", 1e6 * seconds)
        results.append(way)
    if len(results) == 2 and length <= 2048:
        apart = (naive(*inputs) - fused(*inputs)).abs().max().item()
        both = Case("attention", "naive against flash", batch=1, context=length)
        yield both.row("largest difference", apart)


def decode(bench: Bench, batch: int, context: int) -> Iterator[Row]:
    """Yield time and bandwidth of one query a sequence."""
    queries = bench.random(batch, HEADS, HEAD)
    keys, values = (bench.random(batch, KV_HEADS, context, HEAD) for _ in range(2))
    seconds = bench.timed(bench.captured(lambda: grouped_decode(queries, keys, values))).seconds
    case = Case("decode attention", "grouped heads", batch=batch, context=context)
    yield case.row("time", 1e6 * seconds)
    yield case.row("bandwidth", (keys.nbytes + values.nbytes) / seconds / 1e9)
