"""Readers of dense families."""

from __future__ import annotations

from cohort.architecture.attention import BlockSparse
from cohort.architecture.decoder import Dense, Layer, ModelSpec
from cohort.architecture.families.fields import Fields, _biased, _every, _reads, _uniform, _window, _windowed
from cohort.errors import ConfigError


@_reads("llama")
def _llama(fields: Fields) -> ModelSpec:
    return _biased(fields, fields.head_dim(default=fields.divided()))


@_reads("granite")
def _granite(fields: Fields) -> ModelSpec:
    return _biased(fields, fields.head_dim())


@_reads("mistral")
def _mistral(fields: Fields) -> ModelSpec:
    dense = Dense(fields.size("intermediate_size"))
    return _uniform(fields, dense, fields.kv_heads(absent=8), _window(fields, default=4096))


@_reads("phi")
def _phi(fields: Fields) -> ModelSpec:
    d = fields.hidden
    norms = 4 * fields.divided() if fields.flag("qk_layernorm", default=False) else 0
    attention = fields.attention(
        fields.head_dim(), fields.kv_heads(), bias=True, output_bias=True, norm_weights=norms
    )
    dense = Dense(fields.size("intermediate_size"), gated=False, bias=True)
    layers = [Layer(attention, dense, 2 * d)] * fields.layers
    return fields.model(layers, tied=False, norm_weights=2 * d, head_bias=True)


@_reads("phi3")
def _phi3(fields: Fields) -> ModelSpec:
    dense = Dense(fields.size("intermediate_size"))
    return _uniform(fields, dense, fields.kv_heads(), _window(fields))


@_reads("phi3small")
def _phi3small(fields: Fields) -> ModelSpec:
    d, period = fields.hidden, fields.size("dense_attention_every_n_layers", default=2)
    blocks = BlockSparse(
        block=fields.size("blocksparse_block_size", default=64),
        local=fields.size("blocksparse_num_local_blocks", default=16),
        stride=fields.size("blocksparse_vert_stride", default=8),
    )
    dense = Dense(_phi3small_width(fields), bias=True)
    head_dim, kv_heads = fields.divided(), fields.kv_heads(absent=8)
    full, sparse = (
        Layer(fields.attention(head_dim, kv_heads, bias=True, output_bias=True, sparse=each), dense, 4 * d)
        for each in (None, blocks)
    )
    layers = [sparse if (layer + 1) % period else full for layer in range(fields.layers)]
    return fields.model(layers, tied=True, norm_weights=2 * d)


def _phi3small_width(fields: Fields) -> int:
    """Return the feed-forward width: as given, else from a multiplier of two thirds of the hidden size."""
    multiplier = fields.optional_size("ff_dim_multiplier")
    if multiplier is None:
        return fields.size("ff_intermediate_size")
    if fields.optional_size("ff_intermediate_size") is not None:
        raise ConfigError(
            "'ff_dim_multiplier' and 'ff_intermediate_size' are both given, but one excludes the other"
        )
    width = multiplier * (fields.hidden // 3) * 2
    return -(-width // 256) * 256 if fields.flag("gegelu_pad_to_256", default=True) else width


@_reads("cohere")
def _cohere(fields: Fields) -> ModelSpec:
    d, head_dim, bias = fields.hidden, fields.head_dim(), fields.flag("attention_bias", default=False)
    kv_heads = fields.kv_heads()
    norms = (fields.heads + kv_heads) * head_dim if fields.flag("use_qk_norm", default=False) else 0
    attention = fields.attention(head_dim, kv_heads, bias=bias, output_bias=bias, norm_weights=norms)
    layer = Layer(attention, Dense(fields.size("intermediate_size")), d)
    return fields.model([layer] * fields.layers, tied=True, norm_weights=d)


@_reads("falcon")
def _falcon(fields: Fields) -> ModelSpec:
    d, bias = fields.hidden, fields.flag("bias", default=False)
    new = fields.flag("new_decoder_architecture", default=False)
    if new:
        kv_heads = fields.size("num_kv_heads", default=fields.heads)
    else:
        kv_heads = 1 if fields.flag("multi_query", default=True) else fields.heads
    attention = fields.attention(fields.divided(), kv_heads, bias=bias, output_bias=bias)
    dense = Dense(fields.size("ffn_hidden_size", default=4 * d), gated=False, bias=bias)
    norms = 2 * d * _falcon_norms(fields, new)
    return fields.model([Layer(attention, dense, norms)] * fields.layers, tied=True, norm_weights=2 * d)


def _falcon_norms(fields: Fields, new: bool) -> int:
    """Return how many LayerNorms a layer has: one where attention and feed-forward share theirs, else two."""
    if not fields.flag("parallel_attn", default=True):
        return 2
    return 2 if fields.size("num_ln_in_parallel_attn", default=2 if new else 1) == 2 else 1


@_reads("mpt")
def _mpt(fields: Fields) -> ModelSpec:
    d = fields.hidden
    attention = fields.attention(fields.divided(), fields.heads)
    dense = Dense(4 * d, gated=False)  # the reference implementation has neither other widths nor biases
    return fields.model([Layer(attention, dense, 2 * d)] * fields.layers, tied=True, norm_weights=d)


@_reads("gpt2")
def _gpt2(fields: Fields) -> ModelSpec:
    d = fields.hidden
    if fields.flag("add_cross_attention", default=False):
        raise ConfigError("'add_cross_attention' is true, but only decoders without an encoder are counted")
    attention = fields.attention(fields.divided(), fields.heads, bias=True, output_bias=True)
    dense = Dense(fields.size("n_inner", default=4 * d), gated=False, bias=True)
    layers = [Layer(attention, dense, 4 * d)] * fields.layers
    positions = fields.size("n_positions", "max_position_embeddings")
    return fields.model(layers, tied=True, norm_weights=2 * d, position_rows=positions)


@_reads("opt")
def _opt(fields: Fields) -> ModelSpec:
    d, bias = fields.hidden, fields.flag("enable_bias", default=True)
    affine = 2 * d if fields.flag("layer_norm_elementwise_affine", default=True) else 0
    attention = fields.attention(fields.divided(), fields.heads, bias=bias, output_bias=bias)
    dense = Dense(fields.size("ffn_dim"), gated=False, bias=bias)
    last = fields.flag("do_layer_norm_before", default=True) and not fields.flag(
        "_remove_final_layer_norm", default=False
    )
    return fields.model(
        [Layer(attention, dense, 2 * affine)] * fields.layers,
        tied=True,
        norm_weights=affine if last else 0,
        position_rows=fields.size("max_position_embeddings") + 2,  # the first two rows are kept for padding
        embedding_width=fields.optional_size("word_embed_proj_dim"),
    )


def _olmo(fields: Fields, window: int | None) -> ModelSpec:
    d, head_dim, bias = fields.hidden, fields.head_dim(), fields.flag("attention_bias", default=False)
    kv_heads = fields.kv_heads()
    norms = (fields.heads + kv_heads) * head_dim
    attentions = _windowed(
        fields,
        lambda window: fields.attention(
            head_dim, kv_heads, window=window, bias=bias, output_bias=bias, norm_weights=norms
        ),
        window,
        _every(4) if window else lambda layer: "full_attention",
    )
    dense = Dense(fields.size("intermediate_size"))
    return fields.model((Layer(each, dense, 2 * d) for each in attentions), tied=False, norm_weights=d)


@_reads("olmo2")
def _olmo2(fields: Fields) -> ModelSpec:
    return _olmo(fields, window=None)


@_reads("olmo3")
def _olmo3(fields: Fields) -> ModelSpec:
    return _olmo(fields, window=_window(fields, default=4096))


@_reads("chinchilla")
def _chinchilla(fields: Fields) -> ModelSpec:
    d = fields.hidden
    attention = fields.attention(fields.size("key_size"), fields.heads, position_projection=True)
    dense = Dense(fields.size("ffw_size"), gated=False)
    return fields.model([Layer(attention, dense, 2 * d)] * fields.layers, tied=True, norm_weights=d)
