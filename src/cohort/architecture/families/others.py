"""Readers of mixtures of experts of other makers."""

from __future__ import annotations

from collections.abc import Callable

from cohort.architecture.attention import Attention
from cohort.architecture.decoder import Dense, FeedForward, Layer, ModelSpec, Residual
from cohort.architecture.families.fields import (
    Fields,
    _every,
    _first_dense,
    _reads,
    _uniform,
    _window,
    _windowed,
)
from cohort.architecture.linear_attention import Lightning


@_reads("mixtral")
def _mixtral(fields: Fields) -> ModelSpec:
    experts = fields.experts(
        fields.size("num_local_experts", "num_experts"),
        fields.size("num_experts_per_tok"),
        fields.size("intermediate_size"),
    )
    return _uniform(fields, experts, fields.kv_heads(absent=8), _window(fields))


@_reads("dbrx")
def _dbrx(fields: Fields) -> ModelSpec:
    d, attn, ffn = fields.hidden, fields.part("attn_config"), fields.part("ffn_config")
    attention = fields.attention(fields.divided(), attn.size("kv_n_heads", default=1))
    experts = fields.experts(
        ffn.size("moe_num_experts", default=4),
        ffn.size("moe_top_k", default=1),
        ffn.size("ffn_hidden_size", default=3584),
    )
    return fields.model([Layer(attention, experts, 2 * d)] * fields.layers, tied=False, norm_weights=d)


@_reads("arctic")
def _arctic(fields: Fields) -> ModelSpec:
    d, window = fields.hidden, _window(fields)
    attention = fields.attention(fields.divided(), fields.kv_heads(), window=window)
    width, period = fields.size("intermediate_size"), fields.size("moe_layer_frequency", default=2)
    experts = fields.experts(fields.size("num_local_experts"), fields.size("num_experts_per_tok"), width)
    beside = fields.flag("parallel_attn_mlp_res", default=False)
    # The dense network beside the experts is as wide as the residual stream, whatever the config says.
    sparse = Layer(attention, Residual(Dense(d), experts) if beside else experts, (3 if beside else 2) * d)
    dense = Layer(attention, Dense(width), 2 * d)
    layers = [dense if (layer + 1) % period else sparse for layer in range(fields.layers)]
    return fields.model(layers, tied=False, norm_weights=d)


@_reads("glm4_moe")
def _glm4_moe(fields: Fields) -> ModelSpec:
    d, head_dim = fields.hidden, fields.head_dim()
    norms = 2 * head_dim if fields.flag("use_qk_norm", default=False) else 0
    bias = fields.flag("attention_bias", default=False)
    attention = fields.attention(head_dim, fields.kv_heads(absent=8), bias=bias, norm_weights=norms)
    layers = (Layer(attention, each, 2 * d) for each in _first_dense(fields, first=1, shared=1))
    return fields.model(layers, tied=False, norm_weights=d)


@_reads("gpt_oss")
def _gpt_oss(fields: Fields) -> ModelSpec:
    d, bias = fields.hidden, fields.flag("attention_bias", default=True)
    head_dim, kv_heads = fields.head_dim(default=64), fields.kv_heads(absent=8)
    attentions = _windowed(
        fields,
        lambda window: fields.attention(
            head_dim, kv_heads, window=window, bias=bias, output_bias=bias, learned_sinks=True
        ),
        _window(fields, default=128),
        _every(2),
    )
    experts = fields.experts(
        fields.size("num_local_experts", "num_experts"),
        fields.size("num_experts_per_tok", "experts_per_token"),
        fields.size("intermediate_size"),
        bias=True,
        router_bias=True,
    )
    return fields.model((Layer(each, experts, 2 * d) for each in attentions), tied=False, norm_weights=d)


@_reads("llama4_text")
def _llama4(fields: Fields) -> ModelSpec:
    d, bias = fields.hidden, fields.flag("attention_bias", default=False)
    kinds = fields.layer_types(
        fields.layers, _llama4_pattern(fields), ("chunked_attention", "full_attention")
    )
    head_dim, kv_heads = fields.head_dim(default=128), fields.kv_heads(absent=8)
    chunk = fields.nullable_size("attention_chunk_size", absent=8192)
    by_kind = {
        kind: fields.attention(head_dim, kv_heads, chunk=length, bias=bias, output_bias=bias)
        for kind, length in (("chunked_attention", chunk), ("full_attention", None))
    }
    pairs = zip(kinds, _llama4_experts(fields), strict=True)
    layers = (Layer(by_kind[kind], each, 2 * d) for kind, each in pairs)
    return fields.model(layers, tied=False, norm_weights=d)


def _llama4_pattern(fields: Fields) -> Callable[[int], str]:
    """Return the kind of each layer: chunks where positions are rotated, full attention elsewhere."""
    rotated = fields.zeros_and_ones("no_rope_layers", fields.layers)  # despite the name, 1 marks rotation
    if rotated:
        return lambda layer: "chunked_attention" if rotated[layer] else "full_attention"
    period = fields.size("no_rope_layer_interval", default=4)
    return lambda layer: "chunked_attention" if (layer + 1) % period else "full_attention"


def _llama4_experts(fields: Fields) -> list[FeedForward]:
    """Return each layer's feed-forward: experts with a shared one in every n-th layer, else dense."""
    count, step = fields.layers, fields.size("interleave_moe_layer_step", default=1)
    sparse = fields.indices("moe_layers", range(step - 1, count, step))
    width = fields.size("intermediate_size")
    experts = fields.experts(
        fields.size("num_local_experts"), fields.size("num_experts_per_tok", default=1), width, shared=1
    )
    dense = (
        experts
        if sparse.issuperset(range(count))
        else Dense(fields.size("intermediate_size_mlp", default=16_384))
    )
    return [experts if layer in sparse else dense for layer in range(count)]


@_reads("minimax", "minimax_text_01")
def _minimax(fields: Fields) -> ModelSpec:
    d, head_dim = fields.hidden, fields.head_dim()
    experts = fields.experts(
        fields.size("num_local_experts", "num_experts"),
        fields.size("num_experts_per_tok", default=2),
        fields.size("intermediate_size"),
    )
    by_kind: dict[str, Attention] = {
        "linear_attention": Lightning(fields.heads, head_dim),
        "full_attention": fields.attention(head_dim, fields.kv_heads(absent=8)),
    }
    layers = [Layer(by_kind[kind], experts, 2 * d) for kind in _minimax_kinds(fields)]
    return fields.model(layers, tied=False, norm_weights=d)


def _minimax_kinds(fields: Fields) -> list[str]:
    """Return each layer's kind: as listed by name or by number, else alternating from a full one on."""
    full = fields.zeros_and_ones("attn_type_list", fields.layers)
    return fields.layer_types(
        fields.layers,
        lambda layer: "full_attention" if (full[layer] if full else layer % 2 == 0) else "linear_attention",
        ("linear_attention", "full_attention"),
    )
