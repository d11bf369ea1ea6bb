"""Readers of DeepSeek's families, and of those that share their layers."""

from __future__ import annotations

from cohort.architecture.attention import Compressed, Indexer, Latent
from cohort.architecture.decoder import HyperConnection, Layer, ModelSpec
from cohort.architecture.families.fields import Fields, _first_dense, _reads
from cohort.errors import ConfigError, shown


def _deepseek(
    fields: Fields, first_dense: int, shared: int, mlp_bias: bool, indexer: Indexer | None = None
) -> ModelSpec:
    d = fields.hidden
    attention = Latent(
        heads=fields.heads,
        kv_rank=fields.size("kv_lora_rank"),
        q_rank=fields.nullable_size("q_lora_rank", absent=1536),
        rope_dim=fields.size("qk_rope_head_dim"),
        nope_dim=fields.size("qk_nope_head_dim"),
        value_dim=fields.size("v_head_dim"),
        bias=fields.flag("attention_bias", default=False),
        indexer=indexer,
    )
    feedforwards = _first_dense(fields, first_dense, shared, mlp_bias)
    return fields.model((Layer(attention, each, 2 * d) for each in feedforwards), tied=False, norm_weights=d)


@_reads("deepseek_v2")
def _deepseek_v2(fields: Fields) -> ModelSpec:
    return _deepseek(fields, first_dense=0, shared=2, mlp_bias=fields.flag("mlp_bias", default=False))


@_reads("deepseek_v3", "kimi_k2")
def _deepseek_v3(fields: Fields) -> ModelSpec:
    return _deepseek(fields, first_dense=3, shared=1, mlp_bias=False)


@_reads("deepseek_v32")
def _deepseek_v32(fields: Fields) -> ModelSpec:
    indexer = _indexer(fields, top_k=2048)
    return _deepseek(fields, first_dense=3, shared=1, mlp_bias=False, indexer=indexer)


def _indexer(fields: Fields, top_k: int) -> Indexer:
    return Indexer(
        heads=fields.size("index_n_heads", default=64),
        head_dim=fields.size("index_head_dim", default=128),
        top_k=fields.size("index_topk", default=top_k),
    )


@_reads("deepseek_v4")
def _deepseek_v4(fields: Fields) -> ModelSpec:
    d = fields.hidden
    experts = fields.experts(
        fields.size("n_routed_experts"),
        fields.size("num_experts_per_tok"),
        fields.size("moe_intermediate_size"),
        shared=1,  # whatever the config says: the reference implementation has one
    )
    streams = HyperConnection(fields.size("hc_mult", default=4))
    attentions = _compressed(fields)
    layers = [Layer(each, experts, 2 * d, streams) for each in attentions]
    return fields.model(layers, tied=False, norm_weights=d)


_COMPRESSION = {
    "sliding_attention": 0,
    "compressed_sparse_attention": 4,
    "heavily_compressed_attention": 128,
}


def _compressed(fields: Fields) -> list[Compressed]:
    """Return each layer's attention: a window alone, with sparse short blocks, or with long ones."""
    head_dim, indexer = fields.size("head_dim", default=512), _indexer(fields, top_k=512)
    rates = {
        kind: fields.part("compress_rates").size(kind, default=rate, low=0)
        for kind, rate in _COMPRESSION.items()
    }
    by_kind = {
        kind: Compressed(
            heads=fields.heads,
            head_dim=head_dim,
            q_rank=fields.size("q_lora_rank", default=1024),
            output_groups=fields.size("o_groups", default=8),
            output_rank=fields.size("o_lora_rank", default=1024),
            window=fields.size("sliding_window", default=128),
            ratio=rates[kind] or None,
            indexer=indexer if kind == "compressed_sparse_attention" else None,
        )
        for kind in _COMPRESSION
    }
    return [by_kind[kind] for kind in _compressed_kinds(fields)]


def _compressed_kinds(fields: Fields) -> list[str]:
    """Return each layer's kind: as listed, else by its ratio, else as in the larger of the two releases."""
    count = fields.layers
    ratios = fields.values.get("compress_ratios")
    if ratios is None or fields.values.get("layer_types") is not None:
        return fields.layer_types(count, _alternating, tuple(_COMPRESSION))
    names = {ratio: kind for kind, ratio in _COMPRESSION.items()}
    listed = isinstance(ratios, (list, tuple)) and len(ratios) >= count
    if not listed or not all(type(ratio) is int and ratio in names for ratio in ratios):
        allowed = f"0, 4 or 128 for each of {count} layers"
        raise ConfigError(f"the field 'compress_ratios' is {shown(ratios)}, but must hold {allowed}")
    return [names[ratio] for ratio in ratios[:count]]


def _alternating(layer: int) -> str:
    sparse = layer >= 2 and layer % 2
    return "compressed_sparse_attention" if sparse else "heavily_compressed_attention"
