"""A Hugging Face ``config.json`` as a `ModelSpec`: one small reader per family.

Fields and defaults are those of the families' reference implementations in transformers
:cite:p:`wolf2020transformers`. The sizes that make a model have no defaults here: one that is absent is an
error. A new family is one more reader, decorated with the ``model_type`` values that it reads.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from cohort.attention import (
    LIMIT,
    Attention,
    BlockSparse,
    Compressed,
    GatedDelta,
    GroupedQuery,
    Indexer,
    Latent,
    Lightning,
)
from cohort.errors import CohortError, ConfigError, integer, nearest, shown
from cohort.facts import config_path
from cohort.models import (
    MAX_LAYERS,
    Dense,
    Experts,
    FeedForward,
    HyperConnection,
    Layer,
    ModelSpec,
    Residual,
)

_REQUIRED: Any = object()
_READERS: dict[str, Callable[[Fields], ModelSpec]] = {}

# Releases with towers for images or sound keep the text decoder's fields in `text_config`, at times without
# its own model_type. Of some, the outer field alone says whether matrices are tied, with this default.
_TEXT_OF = {
    "gemma3": "gemma3_text",
    "gemma4": "gemma4_text",
    "llama4": "llama4_text",
    "mistral3": "mistral",
    "qwen3_5_moe": "qwen3_5_moe_text",
}
_TIED_OUTSIDE = {"gemma3": True, "gemma4": True, "mistral3": True, "qwen3_5_moe": False}


class Fields:
    """The fields of one config, checked as they are read.

    Parameters
    ----------
    values : mapping
        The config.
    name : str
        What the model is called in messages.
    """

    def __init__(self, values: Mapping[str, Any], name: str) -> None:
        self.values = values
        self.name = name

    def _get(self, names: tuple[str, ...], default: Any) -> Any:
        for name in names:
            if self.values.get(name) is not None:
                return self.values[name]
        if default is _REQUIRED:
            state = "null" if names[0] in self.values else "missing"
            raise ConfigError(f"{self.name}: the field {names[0]!r} is {state}, but {self.family} needs it")
        return default

    @property
    def family(self) -> str:
        """The config's ``model_type``."""
        return str(self.values.get("model_type"))

    def size(self, *names: str, default: Any = _REQUIRED, low: int = 1, high: int = LIMIT) -> int:
        """Return a size: the first of `names` that is present and not null."""
        value = self._get(names, default)
        given = next((name for name in names if self.values.get(name) is not None), names[0])
        return integer(f"{self.name}: the field {given!r}", value, low, high, ConfigError)

    def optional_size(self, *names: str, low: int = 1) -> int | None:
        """Return a size, or None where all of `names` are absent or null."""
        return None if self._get(names, None) is None else self.size(*names, low=low)

    def nullable_size(self, name: str, absent: int | None) -> int | None:
        """Return a size where null means none, and `absent` stands for a field that is not there."""
        return self.optional_size(name) if name in self.values else absent

    def flag(self, name: str, default: bool) -> bool:
        """Return a boolean."""
        value = self._get((name,), default)
        if not isinstance(value, bool):
            raise ConfigError(f"{self.name}: the field {name!r} is {shown(value)}, but must be true or false")
        return value

    def part(self, name: str) -> Fields:
        """Return a nested table of fields, empty where it is absent."""
        value = self._get((name,), {})
        if not isinstance(value, Mapping):
            raise ConfigError(f"{self.name}: the field {name!r} is {shown(value)}, but must be an object")
        return Fields({"model_type": self.family, **value, **{"model_type": self.family}}, self.name)

    def indices(self, name: str, default: Iterable[int]) -> frozenset[int]:
        """Return a list of layer numbers; one beyond the last layer names none."""
        value = self._get((name,), list(default))
        if not isinstance(value, (list, tuple)):
            raise ConfigError(
                f"{self.name}: the field {name!r} is {shown(value)}, but must be a list of layers"
            )
        label = f"{self.name}: a layer in {name!r}"
        return frozenset(integer(label, item, 0, LIMIT, ConfigError) for item in value)

    def zeros_and_ones(self, name: str, count: int) -> list[int]:
        """Return a list of a 0 or a 1 for each layer, empty where it is absent or empty."""
        value = self._get((name,), [])
        listed = isinstance(value, (list, tuple)) and len(value) in (0, count)
        if not listed or not all(type(item) is int and item in (0, 1) for item in value):
            allowed = f"a 0 or a 1 for each of {count} layers"
            raise ConfigError(f"{self.name}: the field {name!r} is {shown(value)}, but must hold {allowed}")
        return list(value)

    def layer_types(self, count: int, default: Callable[[int], str], known: tuple[str, ...]) -> list[str]:
        """Return one kind of attention per layer: the config's own list, else `default` of its number."""
        value = self._get(("layer_types",), None)
        if value is None:
            return [default(layer) for layer in range(count)]
        if not isinstance(value, (list, tuple)) or len(value) != count:
            given = f"{len(value)} entries" if isinstance(value, (list, tuple)) else shown(value)
            raise ConfigError(
                f"{self.name}: the field 'layer_types' has {given}, but must list {count} layers"
            )
        for kind in value:
            if kind not in known:
                raise ConfigError(
                    f"{self.name}: 'layer_types' holds {shown(kind)}, "
                    f"but {self.family} knows {' and '.join(known)}"
                )
        return list(value)

    # The fields that nearly all families share.

    @property
    def layers(self) -> int:
        """Number of layers."""
        return self.size("num_hidden_layers", "n_layers", "n_layer", high=MAX_LAYERS)

    @property
    def hidden(self) -> int:
        """Width of the residual stream."""
        return self.size("hidden_size", "d_model", "n_embd")

    @property
    def heads(self) -> int:
        """Query heads."""
        return self.size("num_attention_heads", "n_heads", "n_head")

    def head_dim(self, default: int | None = None) -> int:
        """Width of a head: as given, else `default`, else hidden size / heads, rounded down."""
        floor = self.hidden // self.heads or None
        return self.size("head_dim", default=default or floor)

    def divided(self) -> int:
        """Return hidden size / heads, where the one must be a multiple of the other."""
        if self.hidden % self.heads:
            raise ConfigError(
                f"{self.name}: hidden size ({self.hidden}) must be a multiple of the heads ({self.heads})"
            )
        return self.hidden // self.heads

    def kv_heads(self, absent: int | None = None) -> int:
        """Return the key-value heads: null means as many as heads, absent the family's default."""
        default = self.heads if absent is None or "num_key_value_heads" in self.values else absent
        return self.size("num_key_value_heads", default=default)

    def attention(self, head_dim: int, kv_heads: int, **kwargs: Any) -> GroupedQuery:
        """Return grouped-query attention."""
        try:
            return GroupedQuery(self.heads, kv_heads, head_dim, **kwargs)
        except ConfigError as error:
            raise ConfigError(f"{self.name}: {error}") from None

    def experts(self, count: int, active: int, width: int, **kwargs: Any) -> Experts:
        """Return a mixture of experts."""
        try:
            return Experts(count, active, width, **kwargs)
        except ConfigError as error:
            raise ConfigError(f"{self.name}: {error}") from None

    def model(self, layers: Iterable[Layer], tied: bool, norm_weights: int, **kwargs: Any) -> ModelSpec:
        """Return the model of these layers, its name and outer matrices read from the fields."""
        return ModelSpec(
            name=self.name,
            family=self.family,
            hidden=self.hidden,
            vocabulary=self.size("vocab_size", default=kwargs.pop("vocabulary", _REQUIRED)),
            layers=tuple(layers),
            tied=self.flag("tie_word_embeddings", default=tied),
            norm_weights=norm_weights,
            context_limit=self.optional_size(
                "model_max_length", "max_position_embeddings", "max_seq_len", "n_positions"
            ),
            **kwargs,
        )


def _reads(*families: str) -> Callable[[Callable[[Fields], ModelSpec]], Callable[[Fields], ModelSpec]]:
    def register(reader: Callable[[Fields], ModelSpec]) -> Callable[[Fields], ModelSpec]:
        _READERS.update(dict.fromkeys(families, reader))
        return reader

    return register


def _windowed(
    fields: Fields,
    attention: Callable[[int | None], GroupedQuery],
    window: int | None,
    default: Callable[[int], str],
) -> list[GroupedQuery]:
    """Return each layer's attention: the sliding ones with the window, if there is one, the others full."""
    kinds = fields.layer_types(fields.layers, default, ("full_attention", "sliding_attention"))
    by_kind = {kind: attention(window if kind == "sliding_attention" else None) for kind in set(kinds)}
    return [by_kind[kind] for kind in kinds]


def _every(period: int) -> Callable[[int], str]:
    """Return a pattern in which each `period`-th layer attends fully and the others slide."""
    return lambda layer: "sliding_attention" if (layer + 1) % period else "full_attention"


def _everywhere(window: int | None) -> Callable[[int], str]:
    return lambda layer: "full_attention" if window is None else "sliding_attention"


@_reads("llama")
def _llama(fields: Fields) -> ModelSpec:
    return _biased(fields, fields.head_dim(default=fields.divided()))


@_reads("granite")
def _granite(fields: Fields) -> ModelSpec:
    return _biased(fields, fields.head_dim())


def _biased(fields: Fields, head_dim: int) -> ModelSpec:
    """Return a model of equal layers whose attention and feed-forward may have biases."""
    d, bias = fields.hidden, fields.flag("attention_bias", default=False)
    attention = fields.attention(head_dim, fields.kv_heads(), bias=bias, output_bias=bias)
    dense = Dense(fields.size("intermediate_size"), bias=fields.flag("mlp_bias", default=False))
    return fields.model([Layer(attention, dense, 2 * d)] * fields.layers, tied=False, norm_weights=d)


def _uniform(fields: Fields, feedforward: FeedForward, kv_heads: int, window: int | None) -> ModelSpec:
    """Return a model of equal layers without biases, all of them sliding if there is a window."""
    d = fields.hidden
    attention = fields.attention(fields.head_dim(), kv_heads, window=window)
    return fields.model([Layer(attention, feedforward, 2 * d)] * fields.layers, tied=False, norm_weights=d)


@_reads("mistral")
def _mistral(fields: Fields) -> ModelSpec:
    dense = Dense(fields.size("intermediate_size"))
    return _uniform(fields, dense, fields.kv_heads(absent=8), _window(fields, default=4096))


def _window(fields: Fields, default: int | None = None) -> int | None:
    """Return the sliding window: null means none, absent means the family's default."""
    return fields.nullable_size("sliding_window", default)


@_reads("mixtral")
def _mixtral(fields: Fields) -> ModelSpec:
    experts = fields.experts(
        fields.size("num_local_experts", "num_experts"),
        fields.size("num_experts_per_tok"),
        fields.size("intermediate_size"),
    )
    return _uniform(fields, experts, fields.kv_heads(absent=8), _window(fields))


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


def _refuse(fields: Fields, name: str, default: int, what: str) -> None:
    """Refuse a feature that is not counted."""
    if fields.size(name, default=default, low=0):
        given = fields.values.get(name)
        state = f"is {shown(given)}" if given is not None else f"is missing, which means {default}"
        raise ConfigError(f"the field {name!r} {state}, but {what} are not counted: it must be 0")


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


@_reads("chinchilla")
def _chinchilla(fields: Fields) -> ModelSpec:
    d = fields.hidden
    attention = fields.attention(fields.size("key_size"), fields.heads, position_projection=True)
    dense = Dense(fields.size("ffw_size"), gated=False)
    return fields.model([Layer(attention, dense, 2 * d)] * fields.layers, tied=True, norm_weights=d)


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


def _first_dense(fields: Fields, first: int, shared: int, bias: bool = False) -> list[FeedForward]:
    """Return each layer's feed-forward: dense in the first ones, experts in the others."""
    count = fields.layers
    first = min(count, fields.size("first_k_dense_replace", default=first, low=0))
    if "n_shared_experts" in fields.values:
        shared = fields.size("n_shared_experts", default=0, low=0)
    experts = fields.experts(
        fields.size("n_routed_experts"),
        fields.size("num_experts_per_tok"),
        fields.size("moe_intermediate_size"),
        shared=shared,
        shared_bias=bias,
    )
    dense: list[FeedForward] = [Dense(fields.size("intermediate_size"), bias=bias)] if first else []
    return dense * first + [experts] * (count - first)


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


def families() -> list[str]:
    """Return the supported ``model_type`` values, those of multimodal releases included."""
    return sorted({*_READERS, *_TEXT_OF})


def read(config: Mapping[str, Any], name: str | None = None) -> ModelSpec:
    """Return the model that a config describes.

    Parameters
    ----------
    config : mapping
        In the form of a Hugging Face ``config.json``; of a multimodal release, the ``text_config`` is read.
    name : str, optional
        What to call the model; the config's ``model_type`` by default.

    Returns
    -------
    ModelSpec
        The text decoder.

    Raises
    ------
    ConfigError
        If the family is not supported, or a field is missing or describes no model.
    """
    if not isinstance(config, Mapping):
        raise ConfigError(f"a config must be an object of fields, but is {shown(config)}")
    family = config.get("model_type")
    called = name or (family if isinstance(family, str) else "config")
    if isinstance(config.get("text_config"), Mapping):
        config, family = _text_fields(config, config["text_config"])
    elif isinstance(family, str) and family in _TEXT_OF:
        raise ConfigError(f"{called}: the field 'text_config' is missing, but {family} needs it")
    if not isinstance(family, str) or family not in _READERS:
        raise _unsupported(family, called)
    try:
        return _READERS[family](Fields({**config, "model_type": family}, called))
    except ConfigError as error:
        message = str(error)
        raise ConfigError(message if message.startswith(called) else f"{called}: {message}") from None


def _text_fields(outer: Mapping[str, Any], inner: Mapping[str, Any]) -> tuple[dict[str, Any], Any]:
    """Return the text decoder's fields and family."""
    family = outer.get("model_type")
    release = family if isinstance(family, str) else shown(family)
    fields = dict(inner)
    if release in _TIED_OUTSIDE:
        fields["tie_word_embeddings"] = outer.get("tie_word_embeddings", _TIED_OUTSIDE[release])
    elif release not in _TEXT_OF and "tie_word_embeddings" in outer:
        fields.setdefault("tie_word_embeddings", outer["tie_word_embeddings"])
    return fields, inner.get("model_type") or _TEXT_OF.get(release)


def _unsupported(family: object, name: str) -> ConfigError:
    supported = ", ".join(families())
    if family is None:
        return ConfigError(f"{name}: the field 'model_type' is missing; supported: {supported}")
    close = nearest(family, families(), 1) if isinstance(family, str) else []
    hint = f"did you mean {close[0]!r}? " if close else ""
    return ConfigError(f"{name}: model_type {shown(family)} is not supported; {hint}supported: {supported}")


def _load(path: str) -> Mapping[str, Any]:
    """Return the JSON object in a file; any failure to do so is one sentence."""
    import json

    try:
        with open(path, encoding="utf-8") as file:
            config = json.load(file)
    except FileNotFoundError:
        raise ConfigError(f"there is no file {path!r}") from None
    except OSError as error:
        raise ConfigError(f"cannot read {path!r}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path!r} is not JSON: {' '.join(str(error).split())}") from None
    if not isinstance(config, dict):
        raise ConfigError(f"{path!r} holds {shown(config)}, but a config is an object of fields")
    return config


@lru_cache(maxsize=256)
def _registered(name: str, path: str, modified: int) -> ModelSpec:
    return replace(read(_load(path), name), registered=True)


def model(
    source: str | os.PathLike[str] | Mapping[str, Any] | ModelSpec, name: str | None = None
) -> ModelSpec:
    """Return a model by name, from a ``config.json``, or from a config already read.

    Parameters
    ----------
    source : str, path, mapping or ModelSpec
        A registered name (``cohort.models()`` lists them), the path of a config file or of the folder that
        holds it, or a dictionary in that form. A `ModelSpec` is returned as it is.
    name : str, optional
        What to call a model that is not registered.

    Returns
    -------
    ModelSpec
        The text decoder, exact to the parameter.

    Raises
    ------
    UnknownNameError
        If there is no model of that name; the message names the nearest.
    ConfigError
        If the file is missing or not JSON, or the config describes no model of a supported family.

    Examples
    --------
    >>> model("mixtral-8x7b-v0.1").active_parameters
    12879925248
    """
    if isinstance(source, ModelSpec):
        return source
    if isinstance(source, Mapping):
        return read(source, name)
    if not isinstance(source, (str, os.PathLike)):
        raise CohortError(f"a model is a name, a path or a config, but {shown(source)} was given")
    path = os.fspath(source)
    if isinstance(source, str) and not _is_path(path):
        registered = config_path(path)
        return _registered(path, registered, os.stat(registered).st_mtime_ns)
    if os.path.isdir(path):
        path = os.path.join(path, "config.json")
    return read(_load(path), name or _stem(path))


def _is_path(source: str) -> bool:
    """Whether a string means a file: by its ending or a separator, else a name is meant."""
    return source.endswith(".json") or os.sep in source or "/" in source


def _stem(path: str) -> str:
    """Return a name for the model in a file: its folder's if it is a config.json, else its own."""
    folder, file = os.path.split(os.path.abspath(path))
    return os.path.basename(folder) if file == "config.json" else file.removesuffix(".json")


__all__ = ["Fields", "families", "model", "read"]
