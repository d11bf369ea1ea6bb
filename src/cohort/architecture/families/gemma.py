"""Readers of Gemma's families."""

from __future__ import annotations

from typing import Any

from cohort.architecture.attention import GroupedQuery
from cohort.architecture.decoder import Dense, Experts, FeedForward, Layer, ModelSpec, Residual
from cohort.architecture.families.fields import Fields, _every, _reads, _refuse, _window, _windowed


@_reads("gemma")
def _gemma(fields: Fields) -> ModelSpec:
    d, bias = fields.hidden, fields.flag("attention_bias", default=False)
    head_dim, kv_heads = fields.head_dim(default=256), fields.kv_heads(absent=16)
    attention = fields.attention(head_dim, kv_heads, bias=bias, output_bias=bias)
    layer = Layer(attention, Dense(fields.size("intermediate_size")), 2 * d)
    return fields.model([layer] * fields.layers, tied=True, norm_weights=d)


def _gemma_windowed(fields: Fields, period: int, normalised: bool, **kwargs: Any) -> ModelSpec:
    d, bias = fields.hidden, fields.flag("attention_bias", default=False)
    head_dim, kv_heads = fields.head_dim(default=256), fields.kv_heads(absent=4)
    norms = 2 * head_dim if normalised else 0
    attentions = _windowed(
        fields,
        lambda window: fields.attention(
            head_dim, kv_heads, window=window, bias=bias, output_bias=bias, norm_weights=norms
        ),
        _window(fields, default=4096),
        _every(period),
    )
    dense = Dense(fields.size("intermediate_size"))
    layers = (Layer(each, dense, 4 * d) for each in attentions)
    return fields.model(layers, tied=True, norm_weights=d, **kwargs)


@_reads("gemma2")
def _gemma2(fields: Fields) -> ModelSpec:
    return _gemma_windowed(fields, period=2, normalised=False)


@_reads("gemma3_text")
def _gemma3(fields: Fields) -> ModelSpec:
    # The multimodal releases leave out what equals the class's defaults.
    fields = Fields({"num_attention_heads": 8, **fields.values}, fields.name)
    period = fields.size("sliding_window_pattern", "_sliding_window_pattern", default=6)
    return _gemma_windowed(fields, period, normalised=True, vocabulary=262_208)


@_reads("gemma4_text")
def _gemma4(fields: Fields) -> ModelSpec:
    d, count = fields.hidden, fields.layers
    _refuse(fields, "hidden_size_per_layer_input", default=256, what="embeddings in each layer")
    _refuse(fields, "num_kv_shared_layers", default=0, what="layers that use the cache of another")
    by_kind = _gemma4_attention(fields)
    kinds = fields.layer_types(count, _every(6), tuple(by_kind))
    kinds[-1] = "full_attention"  # so the reference implementation, whatever the config says
    plain = Dense(fields.size("intermediate_size"))
    feedforward: FeedForward = plain
    norms = 4 * d
    if fields.flag("enable_moe_block", default=False):
        feedforward, norms = Residual(plain, _gemma4_experts(fields)), 7 * d
    layers = [Layer(by_kind[kind], feedforward, norms) for kind in kinds]
    return fields.model(layers, tied=True, norm_weights=d, vocabulary=262_144)


def _gemma4_attention(fields: Fields) -> dict[str, GroupedQuery]:
    """Return the attention of sliding and of full layers: these have wider heads, and fewer for the keys."""
    bias, shared = (
        fields.flag("attention_bias", default=False),
        fields.flag("attention_k_eq_v", default=False),
    )
    kv_heads = fields.size("num_key_value_heads", default=4)
    wide = fields.size("num_global_key_value_heads", default=kv_heads) if shared else kv_heads
    sizes = {
        "sliding_attention": (fields.size("head_dim", default=256), kv_heads),
        "full_attention": (fields.size("global_head_dim", default=512), wide),
    }
    window = fields.size("sliding_window", default=512)
    return {
        kind: fields.attention(
            head_dim,
            heads,
            window=window if kind == "sliding_attention" else None,
            bias=bias,
            output_bias=bias,
            norm_weights=2 * head_dim,
            shared_values=shared and kind == "full_attention",
        )
        for kind, (head_dim, heads) in sizes.items()
    }


def _gemma4_experts(fields: Fields) -> Experts:
    return fields.experts(
        fields.size("num_experts"),
        fields.size("top_k_experts"),
        fields.size("moe_intermediate_size"),
        router_scales=True,
    )
