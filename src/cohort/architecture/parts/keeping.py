"""Rotary tables and the type of recurrent states, by the fields of a config and the traits of its family."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cohort.architecture.attention import GroupedQuery
from cohort.architecture.configs.fields import ABSENT, Fields
from cohort.architecture.kept import Kept
from cohort.architecture.latent import Compressed, Latent
from cohort.architecture.layers import Layer
from cohort.architecture.mixing import Mixer
from cohort.architecture.parts.row import Row

_SLIDING, _FULL = "sliding_attention", "full_attention"
# What says how wide the rotated part of a head is, of one; and what says that local layers rotate otherwise.
_FACTORS = ("partial_rotary_factor", "rotary_pct")
_LOCAL = ("rope_local_base_freq", "swa_rope_theta")


def kept(fields: Fields, row: Row, layers: tuple[Layer, ...]) -> Kept:
    """Return what an engine holds of a model beside weights and cached tokens.

    Parameters
    ----------
    fields : Fields
        The fields of the text decoder.
    row : Row
        Its family.
    layers : tuple of Layer
        Its layers.

    Returns
    -------
    Kept
        Rotary tables and the type of recurrent states.
    """
    said = _table(fields.raw("rope_parameters")) or _table(fields.raw("rope_scaling"))
    states = [fields.raw(name) for name in ("mamba_ssm_dtype", "mamba_ssm_cache_dtype")]
    states = [each for each in states if isinstance(each, str)]
    mixers = {mixer for layer in {id(each): each for each in layers}.values() for mixer in layer.mixers}
    tables = set(_tables(fields, said, mixers, row)) if _rotates(fields, row) else set()
    return Kept(
        rotary=tuple(sorted(width for width, _ in tables)),
        sections=row.sections or "mrope_section" in said,
        wide_rotary=any(isinstance(each, Compressed) for each in mixers),
        wide_states="float32" in states if states else row.wide_states,
    )


def _table(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _rotates(fields: Fields, row: Row) -> bool:
    """Whether positions are rotated: neither learned nor in the scores nor left out."""
    said = fields.raw("position_embedding_type")
    return row.rotary and not row.positions and said != "nope" and fields.raw("alibi") is not True


def _tables(
    fields: Fields, said: Mapping[str, Any], mixers: set[Mixer], row: Row
) -> Iterator[tuple[int, str]]:
    """Yield the width of the table that each mixer reads, and of which layers it is where they differ."""
    local = row.rotary_apart or any(fields.raw(name) not in (None, ABSENT) for name in _LOCAL)
    for mixer in mixers:
        if isinstance(mixer, Compressed):
            width = fields.optional("qk_rope_head_dim")
            yield from ((width, "blocks" if mixer.ratio else "window"),) if width else ()
        elif isinstance(mixer, Latent):
            if mixer.rope_dim:
                yield mixer.rope_dim, ""
        elif isinstance(mixer, GroupedQuery):
            kind = _SLIDING if mixer.window else _FULL
            own = _table(said.get(kind))
            width = _rotated(fields, own or said, mixer.head_dim)
            if width:
                yield width, kind if own or local else ""


def _rotated(fields: Fields, said: Mapping[str, Any], head_dim: int) -> int:
    """Return the channels of a head that a table has numbers for.

    Where frequencies are proportional to the head, those that are not rotated stand in the table as well.
    """
    if said.get("rope_type") == "proportional":
        return head_dim
    width = fields.raw("rotary_dim")
    if isinstance(width, int):
        return min(width, head_dim)
    factors = [said.get(_FACTORS[0]), *(fields.raw(name) for name in _FACTORS)]
    factor = next((each for each in factors if isinstance(each, (int, float)) and 0 < each <= 1), 1)
    return int(head_dim * factor)
