"""Blocks of the cache of DeepSeek-V4 as vLLM packs them.

Its layers keep single tokens of a window, entries of compressed blocks, keys of an indexer, and tokens that
wait to be compressed. All draw blocks from one pool, and each block has a page for as many layers as the
largest group has of a size: the pages of what waits are padded to those of entries, and hold 4 or 8 tokens
each, so that what is read at once takes most of a sequence. Read in vLLM's ``v1/core/kv_cache_utils.py`` and
``models/deepseek_v4`` of 0.22 and 0.25.
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache

from cohort.architecture.decoder import ModelSpec
from cohort.architecture.latent import Compressed
from cohort.errors.arguments import explain
from cohort.numeric import ceil_div
from cohort.serving.caches import CacheFormat
from cohort.serving.pages import Pool

_BLOCK = 256  # tokens of a block of compressed entries
_SINGLE = 64  # tokens of a page of the window
_WAITING = {4: 4, 128: 8}  # tokens of a page of those that wait, by how many become one entry
_ROTARY = 64  # numbers of a vector that stay in 16 bits where the others are in 8
_SCALES = 8  # bytes of the scales of a vector
_SCALE = 4  # bytes of that of an indexer's key
_ALIGNED = {8: 576, 16: 512}  # bytes of which pages are multiples, by the bits of a number


@lru_cache(maxsize=256)
def packed_pool(spec: ModelSpec, stage: range, context: int, stored: CacheFormat, ahead: int) -> Pool | None:
    """Return how vLLM hands out the cache of a stage of DeepSeek-V4.

    Parameters
    ----------
    spec : ModelSpec
        The model.
    stage : range
        Layers of the stage.
    context : int
        Tokens of a sequence.
    stored : CacheFormat
        How the cache is stored.
    ahead : int
        Tokens that a window holds beyond itself.

    Returns
    -------
    Pool or None
        None for a model with layers of other kinds, or a cache in neither 8 nor 16 bits.

    Examples
    --------
    >>> import cohort
    >>> from cohort.serving.caches import cache_format
    >>> flash = cohort.model("deepseek-v4-flash")
    >>> packed_pool(flash, range(43), 262_144, cache_format("fp8"), 8192)
    Pool(block=1039680, blocks=4378)
    """
    mixers = [mixer for number in stage for mixer in spec.layers[number].mixers]
    layers = [mixer for mixer in mixers if isinstance(mixer, Compressed)]
    bits = int(stored.keys.bits)
    if len(layers) < len(mixers) or bits not in _ALIGNED:
        return None
    kept = [layer for layer in layers if layer.ratio in _WAITING]
    if not kept or any(layer.ratio not in (None, *_WAITING) for layer in layers):
        return None
    entries = Counter(size for layer in kept for size in _entries(layer, bits))
    groups = [(entries, max(entries.values()), ceil_div(context, _BLOCK))]
    singles = Counter(_page(_SINGLE * _vector(layer.head_dim, bits), bits) for layer in layers)
    window = max(layer.window for layer in layers)
    groups.append((singles, len(layers), _windowed(window, ahead, context, _SINGLE)))
    for ratio, tokens in _WAITING.items():
        waiting = [layer for layer in kept if layer.ratio == ratio]
        if waiting:
            sizes = Counter(_at_least(size, entries) for each in waiting for size in _states(each, bits))
            span = ratio * (2 if waiting[0].indexer else 1)
            groups.append((sizes, len(waiting), _windowed(span, ahead, context, tokens)))
    return _pool(groups)


def _pool(groups: list[tuple[Counter[int], int, int]]) -> Pool:
    """Return the pool of groups: how many layers have pages of a size, how many at the most, and blocks."""
    numbers = [count for _, count, _ in groups]
    slots = min(
        range(numbers[0], max(numbers) + 1), key=lambda size: (sum(-n % size for n in numbers), -size)
    )
    most: Counter[int] = Counter()
    blocks = 0
    for pages, count, held in groups:
        parts = ceil_div(count, slots)
        blocks += parts * held
        for size, layers in pages.items():
            most[size] = max(most[size], ceil_div(layers, parts))
    return Pool(sum(size * layers for size, layers in most.items()), blocks)


def _vector(width: int, bits: int) -> int:
    """Return the bytes of a vector that is key and value at once."""
    return 2 * width if bits == 16 else width + _ROTARY + _SCALES


def _page(size: int, bits: int) -> int:
    return ceil_div(size, _ALIGNED[bits]) * _ALIGNED[bits]


def _entries(layer: Compressed, bits: int) -> list[int]:
    """Return the bytes of the pages of a layer's entries, and of its indexer's keys."""
    held = _BLOCK // (layer.ratio or 1)
    keys = [layer.indexer.head_dim + _SCALE] if layer.indexer else []
    return [_page(held * size, bits) for size in (_vector(layer.head_dim, bits), *keys)]


def _states(layer: Compressed, bits: int) -> list[int]:
    """Return the bytes of the pages of what waits: vectors and gates in fp32, twice where blocks overlap."""
    tokens = _WAITING[layer.ratio or 4]
    widths = [layer.head_dim, layer.indexer.head_dim] if layer.indexer else [layer.head_dim]
    return [_page(tokens * 4 * 2 * (2 if layer.indexer else 1) * width, bits) for width in widths]


def _at_least(size: int, entries: Counter[int]) -> int:
    """Return the page of entries that a page of what waits is padded to."""
    return min((each for each in entries if each >= size), default=size)


def _windowed(window: int, ahead: int, context: int, tokens: int) -> int:
    """Return the blocks of a window, which need not begin with one."""
    return ceil_div(min(window - 1 + ahead, context), tokens) + 1


explain(__name__)
