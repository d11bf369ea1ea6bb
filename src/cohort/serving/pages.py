"""Blocks of a cache as vLLM hands them out to layers that are cached in different ways.

Layers that are cached alike form groups of equally many layers, and all groups draw blocks from one pool. A
block is therefore as large for each of them: the pages of layers with fewer bytes a token hold more tokens,
and where a layer keeps a state in place of keys and values, a page of the others holds as many tokens as the
state is large. Read in vLLM's ``v1/core/kv_cache_utils.py`` and ``platforms/interface.py``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from math import ceil
from types import MappingProxyType

from cohort.architecture.attention import GroupedQuery
from cohort.architecture.decoder import ModelSpec
from cohort.architecture.latent import Latent
from cohort.architecture.mixing import Mixer
from cohort.errors.arguments import explain
from cohort.numeric import ceil_div
from cohort.serving.caches import CacheFormat, bytes_per_element

_ALIGNED = 16  # tokens of which the kernels of attention take multiples
_CONVOLVED = 2  # bytes of an input that a convolution keeps, in the type of the model


@dataclass(frozen=True, slots=True)
class Pool:
    """How a cache is handed out.

    Attributes
    ----------
    block : int
        Bytes of a block, with the pages of all layers of a group.
    blocks : int
        Blocks of one sequence, in all groups.
    """

    block: int
    blocks: int


@dataclass(frozen=True, slots=True)
class Sharing:
    """How an engine shares blocks among its layers.

    Attributes
    ----------
    page : int
        Tokens of a page.
    ahead : int
        Tokens that a windowed layer holds beyond its window.
    evened : float
        Kinds of layers of which one is less than so many times as frequent as another are put in groups as
        large as the more frequent; below 1, windows are held whole.
    states : int
        Blocks of a sequence in each group of layers that keep a state.
    drafted : int
        Tokens that a drafter proposes at once; it has a layer of its own.
    """

    page: int
    ahead: int
    evened: float
    states: int
    drafted: int = 0


@dataclass(frozen=True, slots=True)
class _Kind:
    """Layers that are cached alike: bytes of a token and the tokens held, or bytes of a state."""

    token: Fraction = Fraction(0)
    window: int | None = None
    chunk: bool = False
    state: int = 0


@lru_cache(maxsize=1024)
def shared_pool(
    spec: ModelSpec,
    stage: range,
    context: int,
    stored: CacheFormat,
    tensor: int,
    sharing: Sharing,
) -> Pool | None:
    """Return how vLLM hands out the cache of a stage.

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
    tensor : int
        Devices that share each layer.
    sharing : Sharing
        How the engine shares blocks.

    Returns
    -------
    Pool or None
        None for a model with layers that are handed out in ways of their own, or with no cache.

    Examples
    --------
    >>> import cohort
    >>> from cohort.serving.caches import cache_format
    >>> vllm = Sharing(page=16, ahead=8192, evened=1.5, states=2)
    >>> qwen = cohort.model("qwen3.6-27b")
    >>> found = shared_pool(qwen, range(64), 131_072, cache_format("fp8"), 2, vllm)
    >>> found.block // 16, found.blocks
    (1605632, 90)
    """
    kinds = _kinds_of(spec, stage, stored, tensor, sharing.evened, sharing.drafted)
    if kinds is None:
        return None
    return _alike(kinds, context, sharing) or _grouped(kinds, context, sharing)


# A search for the longest context asks for one stage at fifty contexts.
@lru_cache(maxsize=1024)
def _kinds_of(
    spec: ModelSpec, stage: range, stored: CacheFormat, tensor: int, evened: float, drafted: int
) -> Mapping[_Kind, int] | None:
    """Return how many layers of a stage are cached in each way; None where `shared_pool` has no answer."""
    kinds: dict[_Kind, int] = {}
    for mixer, count in Counter(mixer for number in stage for mixer in spec.layers[number].mixers).items():
        if not _handed_out(mixer):
            return None
        for kind in _kinds(mixer, stored, tensor, evened, drafted, spec.kept.state_bytes):
            kinds[kind] = kinds.get(kind, 0) + count
    whole = [kind for kind in kinds if kind.token and kind.window is None]
    if drafted and whole:
        kinds[max(whole, key=lambda kind: kind.token)] += 1
    if not any(kind.token for kind in kinds):
        return None
    if evened < 1 and any(kind.state for kind in kinds):
        return None  # states stood beside the cache
    return MappingProxyType(kinds)


def _handed_out(mixer: Mixer) -> bool:
    """Whether blocks are handed out to a mixer by the rules that hold for most."""
    return isinstance(mixer, (GroupedQuery, Latent)) or _kernel(mixer) > 0 or not mixer.cache_elements(64)


def _kernel(mixer: Mixer) -> int:
    """Return the tokens that a mixer's convolution spans; 0 for attention."""
    return int(getattr(mixer, "kernel", 0))


def _kinds(
    mixer: Mixer, stored: CacheFormat, tensor: int, evened: float, drafted: int, state_bytes: int
) -> Iterator[_Kind]:
    """Yield how a mixer is cached, if it is."""
    if isinstance(mixer, (GroupedQuery, Latent)):
        chunk = mixer.chunk if isinstance(mixer, GroupedQuery) else None
        plain: Mixer = replace(mixer, window=None)
        if isinstance(plain, GroupedQuery):
            plain = replace(plain, chunk=None)
        token = Fraction(plain.cache_elements(1, 1, tensor)) * bytes_per_element(mixer, stored)
        if token:
            window = (mixer.window or chunk) if evened >= 1 else None
            yield _Kind(token, window, bool(chunk and window))
        return
    state, kernel = mixer.state_elements(tensor), _kernel(mixer)
    inputs = mixer.cache_elements(1, 1, tensor) // kernel if kernel else 0
    size = state_bytes * state
    size += _CONVOLVED * inputs * (kernel - 1 + drafted)
    if size:
        yield _Kind(state=size)


def _alike(kinds: Mapping[_Kind, int], context: int, sharing: Sharing) -> Pool | None:
    """Return the pool of layers that all hold the same tokens; None where they differ."""
    if any(kind.state for kind in kinds) or len({kind.window for kind in kinds}) > 1:
        return None
    block = sum(count * kind.token for kind, count in kinds.items()) * sharing.page
    return Pool(ceil(block), _held(next(iter(kinds)), context, sharing, sharing.page))


def _grouped(kinds: Mapping[_Kind, int], context: int, sharing: Sharing) -> Pool:
    """Return the pool of layers in groups of equally many."""
    widest = max(kind.token for kind in kinds)
    largest = max(kind.state for kind in kinds)
    tokens = max(sharing.page, _ALIGNED * ceil(largest / (_ALIGNED * widest)))
    page = ceil(tokens * widest)
    least, most = min(kinds.values()), max(kinds.values())
    size = most if most < sharing.evened * least else least
    blocks = 0
    for kind, count in kinds.items():
        # A layer with fewer bytes a token holds more tokens in a page, where that comes out even.
        times = widest / kind.token if kind.token else Fraction(1)
        held = tokens * (int(times) if times.denominator == 1 else 1)
        blocks += ceil_div(count, size) * _held(kind, context, sharing, held)
    return Pool(size * page, blocks)


def _held(kind: _Kind, context: int, sharing: Sharing, tokens: int) -> int:
    """Return the blocks of one sequence in one group of layers."""
    if kind.state:
        return sharing.states + sharing.drafted
    if kind.window is None:
        return ceil_div(context, tokens)
    if kind.chunk:
        return ceil_div(min(kind.window + sharing.ahead, context), tokens)
    # A window need not begin with a block.
    return ceil_div(min(kind.window - 1 + sharing.ahead, context), tokens) + 1


explain(__name__)
