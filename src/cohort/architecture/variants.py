"""Models changed in one respect: other attention, other feed-forward networks, all experts active."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from cohort.architecture.attention import Attention, GroupedQuery, Latent
from cohort.architecture.decoder import ModelSpec
from cohort.architecture.feedforward import Dense, Experts, FeedForward, Residual
from cohort.architecture.layers import Layer, Nothing
from cohort.architecture.linear_attention import GatedDelta, Lightning
from cohort.architecture.recurrent import Reused
from cohort.errors.arguments import explain
from cohort.numeric import MAX_CONTEXT

SINKS = 4  # the first tokens that StreamingLLM keeps
WINDOW = 4096  # tokens that a window keeps, where nothing else is asked
Change = Callable[[int, Attention], Attention]


def main_attention(model: ModelSpec) -> Attention:
    """Return the attention that fills the cache: of all layers, the one that keeps most tokens.

    Parameters
    ----------
    model : ModelSpec
        The model.

    Returns
    -------
    Mixer
        That of the first layer that keeps so many; a recurrence where no layer caches more.

    Examples
    --------
    >>> import cohort
    >>> main_attention(cohort.model("llama-3-8b")).kind
    'GQA'
    """
    return max((layer.attention for layer in model.layers), key=lambda each: each.cached_tokens(MAX_CONTEXT))


def with_attention(spec: ModelSpec, attention: Attention) -> ModelSpec:
    """Return a model with one attention in all of its layers.

    Parameters
    ----------
    spec : ModelSpec
        The model.
    attention : Mixer
        Takes the place of each layer's attention; layers without any stay as they are.

    Returns
    -------
    ModelSpec
        Of the same name, but not the registered one.

    Examples
    --------
    >>> import cohort
    >>> from cohort.architecture import GroupedQuery
    >>> llama = cohort.model("llama-3-8b")
    >>> multi_head = with_attention(llama, GroupedQuery(heads=32, kv_heads=32, head_dim=128))
    >>> multi_head.kv_cache_bytes() // llama.kv_cache_bytes()
    4

    See Also
    --------
    with_changed_attention : Other attention in some of the layers.
    """
    return with_changed_attention(spec, lambda *_: attention)


def with_all_experts(spec: ModelSpec) -> ModelSpec:
    """Return a model that sends every token to all of its experts: as many weights, all of them active.

    Parameters
    ----------
    spec : ModelSpec
        A mixture of experts; a dense model comes back with its layers as they were.

    Returns
    -------
    ModelSpec
        Of the same name, but not the registered one.

    Examples
    --------
    >>> import cohort
    >>> opened = with_all_experts(cohort.model("mixtral-8x7b-v0.1"))
    >>> opened.active_parameters == opened.parameters
    True
    """

    def opened(part: FeedForward) -> FeedForward:
        if isinstance(part, Residual):
            return replace(part, experts=replace(part.experts, active=part.experts.count))
        return replace(part, active=part.count) if isinstance(part, Experts) else part

    return with_feedforward(spec, opened)


def split_into_experts(spec: ModelSpec, count: int = 8, active: int = 2) -> ModelSpec:
    """Return a dense model with each feed-forward network cut into experts.

    Parameters
    ----------
    spec : ModelSpec
        The model; its mixtures of experts, where it has any, stay as they are.
    count, active : int
        Experts of each layer, and how many of them a token is sent to.

    Returns
    -------
    ModelSpec
        With experts as wide as the network divided by `count`, rounded down: as many weights but for the
        routers and what rounding loses.

    Raises
    ------
    ConfigError
        If more experts are active than there are.

    Examples
    --------
    >>> import cohort
    >>> cut = split_into_experts(cohort.model("llama-3-8b"))
    >>> cut.parameters, cut.active_parameters
    (8031309824, 3803451392)
    """

    def cut(part: FeedForward) -> FeedForward:
        if not isinstance(part, Dense):
            return part
        return Experts(count, active, max(part.width // count, 1), gated=part.gated, bias=part.bias)

    return with_feedforward(spec, cut)


def with_feedforward(spec: ModelSpec, change: Callable[[FeedForward], FeedForward]) -> ModelSpec:
    """Return a model with other feed-forward networks.

    Parameters
    ----------
    spec : ModelSpec
        The model.
    change : callable
        Takes the network of a layer and returns the new one. A layer without any stays as it is, and so does
        one that uses an earlier layer's again.

    Returns
    -------
    ModelSpec
        Of the same name, but not the registered one.
    """

    def of_layer(layer: Layer) -> Layer:
        part = layer.feedforward
        return layer if part is None or isinstance(part, Reused) else replace(layer, feedforward=change(part))

    return replace(spec, layers=tuple(map(of_layer, spec.layers)), registered=False)


def with_changed_attention(spec: ModelSpec, change: Change) -> ModelSpec:
    """Return a model with other attention in its layers.

    Parameters
    ----------
    spec : ModelSpec
        The model.
    change : callable
        Takes the number of a layer, from 0, and its attention, and returns the new one. A layer without any
        stays as it is, and so does a recurrence beside attention.

    Returns
    -------
    ModelSpec
        Of the same name, but not the registered one.

    Examples
    --------
    >>> import cohort
    >>> llama = cohort.model("llama-3-8b")
    >>> every_other = with_changed_attention(
    ...     llama, lambda number, each: replace(each, window=1024) if number % 2 else each
    ... )
    >>> every_other.kv_cache_bytes(8192) / llama.kv_cache_bytes(8192)
    0.5625

    See Also
    --------
    with_attention : One attention for all layers.
    """

    def of_layer(number: int, layer: Layer) -> Layer:
        kind = type(layer.attention)
        if kind is Nothing:
            return layer
        mixers = (change(number, each) if type(each) is kind else each for each in layer.mixers)
        return replace(layer, mixers=tuple(mixers))

    layers = tuple(of_layer(number, layer) for number, layer in enumerate(spec.layers))
    return replace(spec, layers=layers, registered=False)


def heads_and_size(spec: ModelSpec) -> tuple[int, int]:
    """Return the heads of the attention that fills the model's cache, and their width.

    Parameters
    ----------
    spec : ModelSpec
        The model.

    Returns
    -------
    tuple of int
        Query heads, and the width of one: that of a value in latent attention.

    Examples
    --------
    >>> import cohort
    >>> heads_and_size(cohort.model("llama-3-8b"))
    (32, 128)
    """
    attention = main_attention(spec)
    if isinstance(attention, (Latent, GatedDelta)):
        return attention.heads, attention.value_dim
    return int(attention.heads), int(getattr(attention, "head_dim", spec.hidden // max(attention.heads, 1)))


@dataclass(frozen=True, slots=True)
class Way:
    """A way to save a cache.

    Attributes
    ----------
    name, kind : str
        Its name with the sizes in it, and without them.
    change : callable
        As `with_changed_attention` takes it.
    dtype : str
        The type of the cached numbers, where that is the way; else empty.
    """

    name: str
    kind: str
    change: Change
    dtype: str = ""


def ways_to_cache(spec: ModelSpec, window: int = WINDOW) -> list[Way]:
    """Return each way to save the cache of a model, with heads and sizes as they are.

    Parameters
    ----------
    spec : ModelSpec
        The model.
    window : int
        Tokens of the windows.

    Returns
    -------
    list of Way
        The model as it is, full multi-head attention, then what shares, compresses, forgets or rounds.

    Examples
    --------
    >>> import cohort
    >>> [way.name for way in ways_to_cache(cohort.model("llama-3-8b"))][:3]
    ['as it is', 'multi-head', 'grouped, 8 KV heads']
    """
    heads, size = heads_and_size(spec)
    few = max(count for count in range(1, max(min(8, heads // 2), 1) + 1) if heads % count == 0)
    full, grouped = GroupedQuery(heads, heads, size), GroupedQuery(heads, few, size)
    latent = Latent(heads, 4 * size, None, max(size // 2, 1), size, size)
    slides = GroupedQuery(heads, few, size, window=window)
    sinks = GroupedQuery(heads, few, size, window=window, sinks=SINKS)
    linear = Lightning(heads, size)
    fewer = f"grouped, {few} KV {'heads' if few > 1 else 'head'}"
    compressed = f"latent, {latent.kv_rank} + {latent.rope_dim}"
    windowed = f"grouped, window {window:,}"
    half, most = "grouped, every 2nd layer slides", "grouped, 5 of 6 layers slide"
    mixed, eight, four = "grouped, 3 of 4 layers linear", "grouped, fp8", "grouped, int4"
    return [
        Way("as it is", "as it is", lambda _, own: own),
        Way("multi-head", "multi-head", lambda *_: full),
        Way(fewer, "grouped", lambda *_: grouped),
        Way("multi-query", "multi-query", lambda *_: GroupedQuery(heads, 1, size)),
        Way(compressed, "latent", lambda *_: latent),
        Way(windowed, "window", lambda *_: slides),
        Way(f"{windowed} and {SINKS} sinks", "sinks", lambda *_: sinks),
        Way(half, half, lambda at, _: grouped if at % 2 else slides),
        Way(most, most, lambda at, _: slides if (at + 1) % 6 else grouped),
        Way(mixed, mixed, lambda at, _: linear if (at + 1) % 4 else grouped),
        Way(eight, eight, lambda *_: grouped, "fp8"),
        Way(four, four, lambda *_: grouped, "int4"),
    ]


explain(__name__)
