"""Products of the shapes of real layers, by the tokens that they multiply."""

from __future__ import annotations

from collections.abc import Iterator

import torch

import cohort
from device.bench import Bench, Work
from device.rows import Case, Row

MODELS = ("llama-3-8b", "llama-3-70b")
TOKENS = (1, 8, 32, 64, 128, 256, 512, 2048)


def shapes(model: str) -> dict[str, tuple[int, int]]:
    """Return rows and columns of the matrices of a model's first layer, as engines fuse them."""
    spec = cohort.model(model)
    layer = spec.layers[0]
    attention, forward = layer.attention, layer.feedforward
    queries = attention.heads * attention.head_dim
    return {
        "qkv": (queries + 2 * attention.kv_heads * attention.head_dim, spec.hidden),
        "out": (spec.hidden, queries),
        "up": (2 * forward.width, spec.hidden),
        "down": (spec.hidden, forward.width),
    }


def product(bench: Bench, tokens: int, rows: int, columns: int, dtype: str) -> Work:
    """Return a product of activations with weights that lie in memory as layers hold them."""
    if dtype == "bf16":
        left, weights = bench.random(tokens, columns), bench.random(rows, columns)
        into = torch.empty(tokens, rows, device=bench.device, dtype=torch.bfloat16)
        return lambda: torch.mm(left, weights.t(), out=into)
    kind, scale = torch.float8_e4m3fn, torch.ones((), device=bench.device)
    left, weights = (bench.random(each, columns, dtype=kind) for each in (tokens, rows))
    return lambda: torch._scaled_mm(
        left, weights.t(), scale, scale, out_dtype=torch.bfloat16, use_fast_accum=bench.cuda
    )


def types(bench: Bench) -> tuple[str, ...]:
    """Return the types that the device multiplies; without fp8 it is said, and the rest goes on."""
    try:
        product(bench, 16, 16, 16, "fp8")()
    except (RuntimeError, AttributeError) as error:
        print(f"no fp8 products here: {str(error).splitlines()[0]}")
        return ("bf16",)
    return ("bf16", "fp8")


def cold(bench: Bench, tokens: int, rows: int, columns: int, dtype: str) -> tuple[Work, int]:
    """Return products with as many copies of the weights as no cache on the chip holds, and how many."""
    width = {"bf16": 2, "fp8": 1}[dtype]
    copies = bench.size(max(2, -(-(2**28) // (rows * columns * width))), 2)
    works = [product(bench, tokens, rows, columns, dtype) for _ in range(copies)]
    return lambda: [work() for work in works], copies


def measure(bench: Bench) -> Iterator[Row]:
    """Yield the time of each product of a layer of each model."""
    known = types(bench)
    for model in MODELS:
        for name, (rows, columns) in shapes(model).items():
            rows, columns = (bench.size(each, each // 64) for each in (rows, columns))
            for tokens in TOKENS[: 2 if bench.tiny else None]:
                for dtype in known:
                    work, copies = cold(bench, tokens, rows, columns, dtype)
                    seconds = bench.timed(bench.captured(work)).seconds / copies
                    case = Case("product", f"{model} {name} {rows}x{columns}", dtype, tokens=tokens)
                    yield case.row("time", 1e6 * seconds)
