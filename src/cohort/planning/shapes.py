"""Shapes of models that nobody has made yet: how wide and deep for a size, and what mixes and routes.

Widths, depths and feed-forward networks follow the Llama 3 family: heads of 128, eight key-value heads, a
network 3.5 times as wide as the model, and about 110 of width for each layer :cite:p:`dubey2024llama3`. A
mixture splits the network of a dense model into active experts and adds idle ones, so that its active
parameters stay those of the dense model but for the routers.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from math import log
from typing import Any

from cohort.architecture.attention import GroupedQuery
from cohort.architecture.decoder import ModelSpec
from cohort.architecture.feedforward import Dense, Experts, FeedForward
from cohort.architecture.latent import Latent
from cohort.architecture.registered import model
from cohort.architecture.variants import with_attention, with_feedforward
from cohort.errors import ParameterError, bounded, integer, one_of
from cohort.errors.arguments import explain

HEAD, KV_HEADS, VOCABULARY, WIDER, WIDTH_PER_LAYER = 128, 8, 128_256, 3.5, 110
CONTEXT = 131_072  # tokens that a shape is offered for
SMALLEST, LARGEST = 5e8, 4e12  # parameters of a shape
ATTENTION = ("grouped", "multi-head", "latent")
STEP = KV_HEADS * HEAD  # of the width, so that eight devices share the heads


def llama_like(parameters: float, experts: tuple[int, int] = (1, 1), attention: str = "grouped") -> ModelSpec:
    """Return a model of a size, as wide and as deep as the Llama 3 family would be.

    Parameters
    ----------
    parameters : float
        Parameters that each token passes through, about.
    experts : tuple of two int
        Routed experts of a layer, and how many a token is sent to; 1 and 1 for a dense model.
    attention : str
        ``grouped`` (eight key-value heads), ``multi-head`` or ``latent`` (of the widths of DeepSeek-V3).

    Returns
    -------
    ModelSpec
        Its size is as near as whole layers come.

    Raises
    ------
    ParameterError
        If the size is out of range, or more experts are active than there are.
    UnknownNameError
        If there is no such attention.

    Examples
    --------
    >>> llama_like(8e9).name, llama_like(8e9, experts=(64, 8)).name
    ('8.03B dense', '8.04B of 47.5B, 8 of 64 experts')
    """
    count, active = (
        integer(name, each, 1, 4096) for name, each in zip(("experts", "active"), experts, strict=True)
    )
    if active > count:
        raise ParameterError(f"active is {active}, but must be at most the {count} experts")
    one_of("attention", attention, ATTENTION)
    size = bounded("parameters", parameters, SMALLEST, LARGEST)
    return _shape(size, count, active, attention)


@lru_cache(maxsize=1024)
def _shape(size: float, count: int, active: int, attention: str) -> ModelSpec:
    width, layers = _proportions(size)
    heads = width // HEAD
    config: dict[str, Any] = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": width,
        "intermediate_size": int(WIDER * width),
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": KV_HEADS,
        "vocab_size": VOCABULARY,
        "max_position_embeddings": CONTEXT,
        "rope_theta": 500000.0,
        "rms_norm_eps": 1e-5,
        "hidden_act": "silu",
        "tie_word_embeddings": False,
    }
    spec = model(config, "shape")
    if attention == "multi-head":
        spec = with_attention(spec, GroupedQuery(heads, heads, HEAD))
    if attention == "latent":
        spec = with_attention(spec, Latent(heads, 512, 1536, 64, HEAD, HEAD))
    if count > 1:
        spec = with_feedforward(spec, lambda part: _split(part, count, active))
    name = f"{_size(spec.parameters)} dense"
    if count > 1:
        named = f"{_size(spec.active_parameters)} of {_size(spec.parameters)}"
        name = f"{named}, {active} of {count} experts"
    return replace(spec, name=name if attention == "grouped" else f"{name}, {attention} attention")


def _size(parameters: int) -> str:
    unit, name = (1e12, "T") if parameters >= 999.5e9 else (1e9, "B")
    return f"{parameters / unit:.3g}{name}"


def _proportions(size: float) -> tuple[int, int]:
    """Return the width and the layers whose size is nearest, of the usual proportions."""

    def layers_of(width: int) -> int:
        each = 2 * width**2 + 2 * width * KV_HEADS * HEAD + 3 * WIDER * width**2
        return max(round((size - 2 * VOCABULARY * width) / each), 1)

    def unusual(width: int) -> float:
        return abs(log(width / layers_of(width) / WIDTH_PER_LAYER))

    width = min(range(STEP, 64 * STEP, STEP), key=unusual)
    return width, layers_of(width)


def _split(part: FeedForward, count: int, active: int) -> FeedForward:
    if not isinstance(part, Dense):
        return part
    return Experts(count, active, max(part.width // active, 1), gated=part.gated, bias=part.bias)


explain(__name__)
