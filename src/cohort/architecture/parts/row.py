"""A family as a row of traits.

A trait is a value, the name of a field that holds it, or a function of a place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from cohort.architecture.configs.fields import ABSENT, STATED, Fields
from cohort.architecture.feedforward import HyperConnection, Weights
from cohort.errors import ConfigError

Part = Callable[["Place"], Any]  # what makes a part of a layer
Pattern = Callable[[Fields, int], Sequence[Any]]  # one entry for each layer


class Place(NamedTuple):
    """Where a part stands: the fields, the row, the kind of layer, whether it routes, and the rest."""

    fields: Fields
    row: Row
    kind: str = "full_attention"
    routed: bool = False
    other: Any = None

    @property
    def hidden(self) -> int:
        """Width of the residual stream."""
        return self.fields.hidden

    @property
    def heads(self) -> int:
        """Query heads."""
        return self.fields.heads

    def flag(self, trait: Any) -> bool:
        """Return a trait that is yes or no.

        Parameters
        ----------
        trait : bool, str, tuple of str or callable
            Itself, a field, fields of which the given ones must agree, or a function of the place.

        Returns
        -------
        bool
            What it says here; a field that is neither given nor has a default says no.

        Raises
        ------
        ConfigError
            If fields that must agree do not.
        """
        if trait is True or trait is False:
            return trait
        if isinstance(trait, tuple):
            given = {self.fields.flag(each) for each in trait if self.fields.raw(each) not in (None, ABSENT)}
            if len(given) > 1:
                raise ConfigError(f"{' and '.join(trait)} must be the same to be counted")
            return bool(given) and given.pop()
        return self.fields.flag(trait) if isinstance(trait, str) else bool(trait(self))

    def number(self, trait: Any) -> int:
        """Return a trait that is a number.

        Parameters
        ----------
        trait : int, str or callable
            Itself, a field that must hold it, or a function of the place.

        Returns
        -------
        int
            What it is here.
        """
        if isinstance(trait, str):
            return self.fields.size(trait)
        return trait if isinstance(trait, int) else int(trait(self))


class Kind(NamedTuple):
    """What a kind of layer has: its mixers, its feed-forward, and its norms where they are other ones.

    `forward` is "both" (dense, or experts where the layer routes), "dense", "experts" or None.
    """

    mixers: tuple[Part, ...]
    forward: str | None = "both"
    norms: Any = None


@dataclass(frozen=True)
class Row:
    """The traits of a family. What is not said is as in Llama.

    Attributes
    ----------
    kinds : mapping
        The kinds of layers that the family has, by the names that ``layer_types`` may hold.
    pattern : callable, optional
        The kinds of the layers where the config lists none.
    listed : bool
        Whether the family reads ``layer_types``.
    routed : callable or bool
        Which layers route their tokens to experts.
    varies : callable, optional
        What else differs from layer to layer, one entry each.
    layers : trait
        How many layers there are.
    order : callable, optional
        The layers that a token passes, by their numbers: their weights are counted once, their caches each
        time.
    tied : bool, optional
        Whether matrices are tied where the config does not say; None where they never are.
    norm, norms, final : trait
        Weights a channel of a normalisation; normalisations of a layer; those after the last layer.
    bias, output_bias, gate, gate_bias, sinks, window : trait
        Attention: biases of queries, keys and values; of the output; a gate by "head" or "full", and its
        bias; learned sinks; the field of the window.
    query_key_norm, query_key_unit, norm_if : trait
        A norm of queries and keys by "head" or "full"; its weights a channel, if other ones; whether it is
        there at all.
    head_dim, grouped : trait
        Heads as wide as "given", else hidden size / heads; this alone ("divided"), which must divide. Whether
        the family reads key-value heads; if not, as many as heads, or what a function says.
    dense, experts : callable
        What makes the feed-forward networks, a function of the place.
    width, gated, mlp_bias, shared, shared_width, shared_bias, expert : trait
        Their width, whether they are gated, their biases; shared experts, their width and bias; other traits
        of the experts by the names that `cohort.architecture.Experts` has.
    active, expert_width : trait
        Experts that a token is sent to, and the width of one.
    streams, extra, outside : callable, optional
        Hyper-connections; further weights of a layer; further weights of the model.
    positions, head_bias, more_rows, head_rows : trait
        Rows of learned positions; bias of the head; rows of the embedding beyond the vocabulary; rows of the
        head where they differ.
    rotary, rotary_apart, sections : bool
        Whether positions are rotated where they are not learned; what need not be said: whether layers with
        a window have a table of their own, and whether a position has several parts.
    wide_states : bool
        Whether recurrent states are kept in fp32 where the config does not say.
    says_again : mapping
        Fields that may only say again what others say, and what that is; null says nothing.
    absent : mapping
        What stands for a field that is absent.
    drafting : bool
        Whether lists of layers also name the drafting layers behind them, which are cut off.
    stated : str
        Sizes that may be absent although others must state them.
    inert : str
        Fields that move no count in this family, although they do in another.
    """

    kinds: Mapping[str, Kind]
    pattern: Pattern | None = None
    listed: bool = False
    routed: Any = False
    varies: Pattern | None = None
    layers: Any = None
    order: Callable[[Fields, int], Sequence[int]] | None = None
    tied: bool | None = False
    norm: Any = 1
    norms: Any = 2
    final: Any = 1
    bias: Any = False
    output_bias: Any = None
    query_key_norm: str | None = None
    query_key_unit: Any = None
    grouped: Any = True
    norm_if: Any = True
    gate: Any = None
    gate_bias: Any = False
    sinks: Any = False
    head_dim: str = "given"
    window: Any = "sliding_window"
    dense: Part | None = None
    experts: Part | None = None
    width: Any = "intermediate_size"
    gated: bool = True
    mlp_bias: Any = False
    active: Any = "num_experts_per_tok"
    expert_width: Any = "moe_intermediate_size"
    shared: Any = 0
    shared_width: Any = None
    shared_bias: Any = False
    expert: Mapping[str, Any] = field(default_factory=dict)
    streams: Callable[[Place], HyperConnection] | None = None
    extra: Callable[[Place], Weights | None] | None = None
    outside: Callable[[Place], Weights | None] | None = None
    positions: Any = 0
    head_bias: Any = False
    more_rows: Any = 0
    head_rows: str | None = None
    embedding_width: str | None = None
    rotary: bool = True
    rotary_apart: bool = False
    sections: bool = False
    wide_states: bool = False
    says_again: Mapping[str, Any] = field(default_factory=dict)
    absent: Mapping[str, Any] = field(default_factory=dict)
    drafting: bool = False
    stated: str = ""
    inert: str = ""

    def defaults(self, known: Mapping[str, Any], nested: bool) -> Mapping[str, Any]:
        """Return what stands for absent fields.

        Parameters
        ----------
        known : mapping
            All defaults that are known.
        nested : bool
            Whether the config lies in a larger one, which leaves out what equals a default.

        Returns
        -------
        mapping
            All of a nested config; of one of its own not the sizes, which it must state.
        """
        if nested:
            return known
        must = STATED - set(self.stated.split())
        return {name: value for name, value in known.items() if name not in must}


def extend(row: Row, **traits: Any) -> Row:
    """Return a row with some traits changed.

    Parameters
    ----------
    row : Row
        The row that the new one is like.
    **traits
        What differs; `absent`, `expert` and `inert` are added to what the row has.

    Returns
    -------
    Row
        The new row.
    """
    for name in ("absent", "expert"):
        if name in traits:
            traits[name] = {**getattr(row, name), **traits[name]}
    if "inert" in traits:
        traits["inert"] = f"{row.inert} {traits['inert']}"
    return replace(row, **traits)
