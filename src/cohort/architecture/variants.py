"""Models changed in one respect: other attention, other feed-forward networks, all experts active."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from cohort.architecture.attention import Attention, Latent
from cohort.architecture.decoder import Dense, Experts, FeedForward, Layer, ModelSpec, Nothing, Residual
from cohort.architecture.linear_attention import GatedDelta
from cohort.architecture.recurrent import Reused
from cohort.numeric import MAX_CONTEXT


def main_attention(model: ModelSpec) -> Attention:
    """Return the attention that fills the cache: of the kinds of layers, the one that keeps most tokens."""
    return max((layer.attention for layer in model.layers), key=lambda each: each.cached_tokens(MAX_CONTEXT))


def with_attention(spec: ModelSpec, attention: Attention) -> ModelSpec:
    """Return a model with one attention in all of its layers."""
    return with_changed_attention(spec, lambda *_: attention)


def with_all_experts(spec: ModelSpec) -> ModelSpec:
    """Return a model that sends every token to all of its experts: as many weights, all of them active."""

    def opened(part: FeedForward) -> FeedForward:
        if isinstance(part, Residual):
            return replace(part, experts=replace(part.experts, active=part.experts.count))
        return replace(part, active=part.count) if isinstance(part, Experts) else part

    return with_feedforward(spec, opened)


def split_into_experts(spec: ModelSpec, count: int = 8, active: int = 2) -> ModelSpec:
    """Return a dense model with each network cut into experts, a quarter of which each token is sent to."""

    def cut(part: FeedForward) -> FeedForward:
        if not isinstance(part, Dense):
            return part
        return Experts(count, active, max(part.width // count, 1), gated=part.gated, bias=part.bias)

    return with_feedforward(spec, cut)


def with_feedforward(spec: ModelSpec, change: Callable[[FeedForward], FeedForward]) -> ModelSpec:
    """Return a model with other feed-forward networks."""

    def of_layer(layer: Layer) -> Layer:
        part = layer.feedforward
        return layer if part is None or isinstance(part, Reused) else replace(layer, feedforward=change(part))

    return replace(spec, layers=tuple(map(of_layer, spec.layers)), registered=False)


# What each trick saves ------------------------------------------------------------------------------------


def with_changed_attention(spec: ModelSpec, change: Callable[[int, Attention], Attention]) -> ModelSpec:
    """Return a model with other attention in its layers.

    Parameters
    ----------
    spec : ModelSpec
        The model.
    change : callable
        Takes the number of a layer, from 0, and its attention, and returns the new one. A layer without any
        stays as it is, and so does a recurrence beside attention.
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
    """Return heads and head size of the attention that fills the model's cache."""
    attention = main_attention(spec)
    if isinstance(attention, (Latent, GatedDelta)):
        return attention.heads, attention.value_dim
    return int(attention.heads), int(getattr(attention, "head_dim", spec.hidden // max(attention.heads, 1)))
