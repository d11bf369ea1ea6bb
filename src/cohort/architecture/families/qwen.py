"""Readers of Qwen's families."""

from __future__ import annotations

from typing import Any

from cohort.architecture.attention import Attention
from cohort.architecture.decoder import Dense, Experts, FeedForward, Layer, ModelSpec
from cohort.architecture.families.fields import Fields, _reads, _window, _windowed
from cohort.architecture.linear_attention import GatedDelta


def _qwen_window(fields: Fields) -> int | None:
    return _window(fields, default=4096) if fields.flag("use_sliding_window", default=False) else None


def _qwen(fields: Fields, head_dim: int, **kwargs: Any) -> ModelSpec:
    d, window = fields.hidden, _qwen_window(fields)
    full_below, kv_heads = fields.size("max_window_layers", default=28, low=0), fields.kv_heads(absent=32)
    attentions = _windowed(
        fields,
        lambda window: fields.attention(head_dim, kv_heads, window=window, **kwargs),
        window,
        lambda layer: "sliding_attention" if window and layer >= full_below else "full_attention",
    )
    dense = Dense(fields.size("intermediate_size"))
    return fields.model((Layer(each, dense, 2 * d) for each in attentions), tied=False, norm_weights=d)


@_reads("qwen2")
def _qwen2(fields: Fields) -> ModelSpec:
    return _qwen(fields, fields.head_dim(), bias=True)


@_reads("qwen3")
def _qwen3(fields: Fields) -> ModelSpec:
    head_dim, bias = fields.head_dim(default=128), fields.flag("attention_bias", default=False)
    return _qwen(fields, head_dim, bias=bias, output_bias=bias, norm_weights=2 * head_dim)


@_reads("qwen3_moe")
def _qwen3_moe(fields: Fields) -> ModelSpec:
    d, head_dim, bias = fields.hidden, fields.head_dim(), fields.flag("attention_bias", default=False)
    attention = fields.attention(
        head_dim,
        fields.kv_heads(absent=4),
        window=_qwen_window(fields),
        bias=bias,
        output_bias=bias,
        norm_weights=2 * head_dim,
    )
    layers = (Layer(attention, each, 2 * d) for each in _qwen_experts(fields))
    return fields.model(layers, tied=False, norm_weights=d)


def _qwen_expert(fields: Fields, **shared: Any) -> Experts:
    return fields.experts(
        fields.size("num_experts", "num_local_experts"),
        fields.size("num_experts_per_tok"),
        fields.size("moe_intermediate_size"),
        **shared,
    )


def _qwen_experts(fields: Fields, **shared: Any) -> list[FeedForward]:
    """Return each layer's feed-forward: experts in every `decoder_sparse_step`-th one not listed as dense."""
    count, experts = fields.layers, _qwen_expert(fields, **shared)
    step = fields.size("decoder_sparse_step", default=1)
    dense = fields.indices("mlp_only_layers", ())
    sparse = [layer not in dense and (layer + 1) % step == 0 for layer in range(count)]
    plain = experts if all(sparse) else Dense(fields.size("intermediate_size"))
    return [experts if each else plain for each in sparse]


@_reads("qwen3_next", "qwen3_5_moe_text")
def _qwen3_next(fields: Fields) -> ModelSpec:
    d, count, head_dim = fields.hidden, fields.layers, fields.head_dim(default=256)
    bias = fields.flag("attention_bias", default=False)
    full = fields.attention(
        head_dim,
        fields.size("num_key_value_heads", default=2),
        bias=bias,
        output_bias=bias,
        norm_weights=2 * head_dim,
        output_gate=True,
    )
    linear = GatedDelta(
        key_heads=fields.size("linear_num_key_heads", default=16),
        value_heads=fields.size("linear_num_value_heads", default=32),
        key_dim=fields.size("linear_key_head_dim", default=128),
        value_dim=fields.size("linear_value_head_dim", default=128),
        kernel=fields.size("linear_conv_kernel_dim", default=4),
    )
    period = fields.size("full_attention_interval", default=4)
    by_kind: dict[str, Attention] = {"linear_attention": linear, "full_attention": full}
    kinds = fields.layer_types(
        count, lambda layer: "linear_attention" if (layer + 1) % period else "full_attention", tuple(by_kind)
    )
    pairs = zip(kinds, _qwen3_next_feedforwards(fields), strict=True)
    layers = [Layer(by_kind[kind], each, 2 * d) for kind, each in pairs]
    return fields.model(layers, tied=False, norm_weights=d)


def _qwen3_next_feedforwards(fields: Fields) -> list[FeedForward]:
    """Return each layer's feed-forward: as in Qwen3, with a gated shared expert; in Qwen3.5 all alike."""
    shared_width = fields.size("shared_expert_intermediate_size", default=512)
    shared = {"shared": 1, "shared_gate": True, "shared_width": shared_width}
    if fields.family == "qwen3_next":
        return _qwen_experts(fields, **shared)
    return [_qwen_expert(fields, **shared)] * fields.layers
