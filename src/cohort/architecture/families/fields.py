"""The fields of a config, checked as they are read, and what families share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from cohort.architecture.attention import GroupedQuery
from cohort.architecture.decoder import MAX_LAYERS, Dense, Experts, FeedForward, Layer, ModelSpec
from cohort.errors import ConfigError, integer, shown
from cohort.numeric import LIMIT

_REQUIRED: Any = object()


_READERS: dict[str, Callable[[Fields], ModelSpec]] = {}


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


def _window(fields: Fields, default: int | None = None) -> int | None:
    """Return the sliding window: null means none, absent means the family's default."""
    return fields.nullable_size("sliding_window", default)


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


def _refuse(fields: Fields, name: str, default: int, what: str) -> None:
    """Refuse a feature that is not counted."""
    if fields.size(name, default=default, low=0):
        given = fields.values.get(name)
        state = f"is {shown(given)}" if given is not None else f"is missing, which means {default}"
        raise ConfigError(f"the field {name!r} {state}, but {what} are not counted: it must be 0")
