"""A decoder of a `ModelSpec`'s sizes with random weights: grouped attention, gated units, rotation."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.nn.functional import linear, rms_norm, scaled_dot_product_attention, silu

from cohort.architecture.decoder import ModelSpec
from device.attention import grouped_decode
from device.bench import Bench


@dataclass(frozen=True, slots=True)
class Sizes:
    """What a dense decoder with grouped attention is made of."""

    hidden: int
    heads: int
    kv_heads: int
    head: int
    width: int
    layers: int
    vocabulary: int

    @classmethod
    def of(cls, spec: ModelSpec, layers: int = 0, tiny: bool = False) -> Sizes:
        """Return the sizes of a model, of some of its layers, or small ones in its proportions."""
        layer, depth = spec.layers[0], layers or len(spec.layers)
        own = layer.attention
        if tiny:
            return cls(64, 4, 2, 16, 160, min(depth, 2), 256)
        heads = (own.heads, own.kv_heads, own.head_dim)
        return cls(spec.hidden, *heads, layer.feedforward.width, depth, spec.vocabulary)

    @property
    def matrices(self) -> dict[str, tuple[int, int]]:
        """Rows and columns of the matrices of a layer."""
        queries, keys = self.heads * self.head, self.kv_heads * self.head
        return {
            "qkv": (queries + 2 * keys, self.hidden),
            "out": (self.hidden, queries),
            "up": (2 * self.width, self.hidden),
            "down": (self.hidden, self.width),
        }

    @property
    def layer_parameters(self) -> int:
        """Weights of the matrices of all layers."""
        return self.layers * sum(rows * columns for rows, columns in self.matrices.values())


class Block(torch.nn.Module):
    """One layer."""

    def __init__(self, sizes: Sizes, device: torch.device) -> None:
        super().__init__()
        self.sizes = sizes
        for name, (rows, columns) in sizes.matrices.items():
            weight = torch.randn(rows, columns, device=device, dtype=torch.bfloat16).mul_(columns**-0.5)
            self.register_parameter(name, torch.nn.Parameter(weight))
        ones = torch.ones(2, sizes.hidden, device=device, dtype=torch.bfloat16)
        self.norms = torch.nn.Parameter(ones)

    def heads(self, x: torch.Tensor, turn: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Return rotated queries and keys, and values, of shape (batch, heads, tokens, size)."""
        sizes = self.sizes
        made = linear(rms_norm(x, (sizes.hidden,), self.norms[0]), self.qkv)
        split = made.view(*x.shape[:2], -1, sizes.head).transpose(1, 2)
        counts = [sizes.heads, sizes.kv_heads, sizes.kv_heads]
        queries, keys, values = split.split(counts, dim=1)
        return rotated(queries, turn), rotated(keys, turn), values

    def rest(self, x: torch.Tensor, mixed: torch.Tensor) -> torch.Tensor:
        """Return what follows attention: its projection and the gated unit, each added."""
        x = x + linear(mixed, self.out)
        gate, value = linear(rms_norm(x, (self.sizes.hidden,), self.norms[1]), self.up).chunk(2, -1)
        return x + linear(silu(gate) * value, self.down)

    def forward(self, x: torch.Tensor, turn: torch.Tensor) -> torch.Tensor:
        """Return the layer's output for whole sequences."""
        queries, keys, values = self.heads(x, turn)
        mixed = scaled_dot_product_attention(queries, keys, values, is_causal=True, enable_gqa=True)
        return self.rest(x, mixed.transpose(1, 2).flatten(2))

    def step(self, x: torch.Tensor, turn: torch.Tensor, cache: torch.Tensor) -> torch.Tensor:
        """Return the output for one more token a sequence, whose key and value end the cache."""
        queries, keys, values = self.heads(x, turn)
        cache[0, :, :, -1], cache[1, :, :, -1] = keys[:, :, 0], values[:, :, 0]
        mixed = grouped_decode(queries[:, :, 0], cache[0], cache[1])
        return self.rest(x, mixed.flatten(1)[:, None])


def rotated(x: torch.Tensor, turn: torch.Tensor) -> torch.Tensor:
    """Return heads turned by their places; `turn` holds cosines and sines of shape (2, tokens, size / 2)."""
    one, other = x.chunk(2, -1)
    cosine, sine = turn
    return torch.cat([one * cosine - other * sine, other * cosine + one * sine], -1)


def turns(sizes: Sizes, begin: int, end: int, device: torch.device) -> torch.Tensor:
    """Return the cosines and sines of places."""
    rates = 5e5 ** (-torch.arange(0, sizes.head, 2, device=device) / sizes.head)
    angles = torch.arange(begin, end, device=device)[:, None] * rates
    return torch.stack([angles.cos(), angles.sin()]).bfloat16()


class Decoder:
    """Layers, final normalisation and head, with what one step and one prompt do."""

    def __init__(self, sizes: Sizes, bench: Bench) -> None:
        self.sizes, self.bench = sizes, bench
        self.blocks = [Block(sizes, bench.device) for _ in range(sizes.layers)]
        self.embedding, self.head = (bench.random(sizes.vocabulary, sizes.hidden) for _ in range(2))
        self.norm = torch.ones(sizes.hidden, device=bench.device, dtype=torch.bfloat16)

    def _next(self, x: torch.Tensor) -> torch.Tensor:
        return linear(rms_norm(x[:, -1], (self.sizes.hidden,), self.norm), self.head).argmax(-1)

    def caches(self, batch: int, context: int) -> list[torch.Tensor]:
        """Return a cache of each layer, full of numbers."""
        shape = (2, batch, self.sizes.kv_heads, context, self.sizes.head)
        return [self.bench.random(*shape) for _ in self.blocks]

    @torch.no_grad()
    def step(self, tokens: torch.Tensor, turn: torch.Tensor, caches: list[torch.Tensor]) -> torch.Tensor:
        """Return the next token of each sequence."""
        x = self.embedding[tokens][:, None]
        for block, cache in zip(self.blocks, caches, strict=True):
            x = block.step(x, turn, cache)
        return self._next(x)

    @torch.no_grad()
    def prompt(self, tokens: torch.Tensor, turn: torch.Tensor) -> torch.Tensor:
        """Return the first token after each prompt."""
        x = self.embedding[tokens]
        for block in self.blocks:
            x = block(x, turn)
        return self._next(x)
