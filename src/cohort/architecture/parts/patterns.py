"""Patterns over the layers: of which kind each is, whether it routes, what else differs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cohort.architecture.configs.fields import ABSENT, Fields
from cohort.architecture.parts.row import Pattern
from cohort.errors import ConfigError, shown

FULL, SLIDING, LINEAR, INDEXED, MAMBA = (
    "full_attention", "sliding_attention", "linear_attention", "indexed_attention", "mamba",
)  # fmt: skip


def where(test: Callable[[int, int], Any], one: Any = FULL, others: Any = SLIDING) -> Pattern:
    """Return a pattern of one kind where a test holds, and another elsewhere.

    Parameters
    ----------
    test : callable
        Of the number of a layer, from 0, and of how many there are.
    one, others : str or other
        What stands where it holds, and elsewhere.

    Returns
    -------
    callable
        From the fields and the number of layers to one entry for each.
    """
    return lambda fields, count: [one if test(layer, count) else others for layer in range(count)]


def everywhere(kind: Any) -> Pattern:
    """Return a pattern of one kind.

    Parameters
    ----------
    kind : str or other
        What stands in each layer.

    Returns
    -------
    callable
        As of `where`.
    """
    return lambda fields, count: [kind] * count


def in_turn(*kinds: Any, said: tuple[str, Mapping[str, Any]] | None = None) -> Pattern:
    """Return a pattern in which kinds take turns.

    Parameters
    ----------
    *kinds : str or other
        The turn of kinds.
    said : tuple, optional
        A field that may list another turn, and what its names mean.

    Returns
    -------
    callable
        As of `where`.
    """

    def pattern(fields: Fields, count: int) -> list[Any]:
        turn = list(kinds)
        if said is not None:
            field, meant = said
            listed = fields.listed(field, None, " or ".join(meant), meant)
            turn = [meant[name] for name in listed] if listed else turn
        return [turn[layer % len(turn)] for layer in range(count)]

    return pattern


def stretch(first: str, last: str, step: str) -> Pattern:
    """Return a pattern of which layers route: each n-th within a stretch (ERNIE 4.5).

    Parameters
    ----------
    first, last : str
        The fields of the first and the last layer of the stretch; -1 is the last of all.
    step : str
        The field of n.

    Returns
    -------
    callable
        As of `where`, of true and false.
    """

    def pattern(fields: Fields, count: int) -> list[bool]:
        start, end, n = fields.size(first, low=0), fields.size(last, low=-1), fields.size(step)
        stop = count - 1 if end == -1 else end
        return [start <= layer <= stop and (layer + 1) % n == 0 for layer in range(count)]

    return pattern


def every(
    period: int | str, one: Any = FULL, others: Any = SLIDING, first: int | str | None = None
) -> Pattern:
    """Return a pattern in which each n-th layer is of one kind.

    Parameters
    ----------
    period : int or str
        The n, or the field that says it.
    one, others : str or other
        What stands in the n-th layers, and elsewhere.
    first : int or str, optional
        The first of them, from 0, or the field that says it; by default the n-th layer.

    Returns
    -------
    callable
        As of `where`.
    """

    def pattern(fields: Fields, count: int) -> list[Any]:
        n = fields.size(period) if isinstance(period, str) else period
        start = fields.size(first, low=0) if isinstance(first, str) else n - 1 if first is None else first
        return [one if layer % n == start else others for layer in range(count)]

    return pattern


def after(first: int | str, one: Any = True, others: Any = False) -> Pattern:
    """Return a pattern that changes after some layers.

    Parameters
    ----------
    first : int or str
        How many those are, or the field that says it.
    one, others : str or other
        What stands behind them, and in them.

    Returns
    -------
    callable
        As of `where`.
    """

    def pattern(fields: Fields, count: int) -> list[Any]:
        n = fields.size(first, low=0) if isinstance(first, str) else first
        return [one if layer >= n else others for layer in range(count)]

    return pattern


# Kinds of attention of DeepSeek-V4, with how many tokens each keeps as one entry.
CSA, HCA = "compressed_sparse_attention", "heavily_compressed_attention"
COMPRESSION = {SLIDING: 0, CSA: 4, HCA: 128}

FIRST_APART = where(lambda layer, count: layer == 0, "first", None)
FIRST_DENSE = after("first_k_dense_replace")  # which layers route: those after the first dense ones


def switched(*switches: str, slides: Callable[[int, int], bool] | None = None) -> Pattern:
    """Return a pattern of windows that a config switches on, and full attention elsewhere.

    Parameters
    ----------
    *switches : str
        Fields that must all be true, or a size, for any layer to have a window.
    slides : callable, optional
        Whether a layer has one, by its number and by ``max_window_layers``; by default each has.

    Returns
    -------
    callable
        As of `where`.
    """

    def pattern(fields: Fields, count: int) -> list[str]:
        below = fields.size("max_window_layers", low=0) if slides else 0
        on = all(
            fields.optional(name) is not None if name == "sliding_window" else fields.flag(name)
            for name in switches
        )
        sliding = [on and (slides is None or slides(layer, below)) for layer in range(count)]
        return [SLIDING if each else FULL for each in sliding]

    return pattern


def by_step(*never: int) -> Pattern:
    """Return a pattern of which layers route: every n-th that is not listed as dense (Qwen).

    Parameters
    ----------
    *never : int
        Layers that are dense where none are listed.

    Returns
    -------
    callable
        As of `where`, of true and false.
    """

    def pattern(fields: Fields, count: int) -> list[bool]:
        step, named = fields.size("decoder_sparse_step"), fields.indices("mlp_only_layers")
        dense = never if named is None else named
        return [layer not in dense and (layer + 1) % step == 0 for layer in range(count)]

    return pattern


def with_experts(default: Pattern, least: int = 1) -> Pattern:
    """Return a pattern of which layers route, where there are experts at all.

    Parameters
    ----------
    default : callable
        A pattern of true and false.
    least : int
        With fewer experts no layer routes.

    Returns
    -------
    callable
        As of `where`, of true and false.
    """

    def pattern(fields: Fields, count: int) -> Sequence[bool]:
        several = fields.size("n_routed_experts", low=least - 1) >= least
        return [several and each for each in default(fields, count)]

    return pattern


def first_uses(blocks: int | str, default: Pattern) -> Pattern:
    """Return a pattern of which hybrid layers meet a block for the first time: blocks take turns (Zamba).

    Parameters
    ----------
    blocks : int or str
        How many blocks there are, or the field that says it.
    default : callable
        The kinds of the layers where the config lists none.

    Returns
    -------
    callable
        As of `where`, of "first", "again", and None where a layer is not hybrid.
    """

    def pattern(fields: Fields, count: int) -> list[str | None]:
        if fields.raw("tie_word_embeddings") is False:
            raise ConfigError(
                "'tie_word_embeddings' is false, but the blocks that are used again must be tied"
            )
        allowed = f"mamba or hybrid for each of {count} layers"
        kinds = fields.listed("layer_types", count, allowed, (MAMBA, LINEAR, "hybrid"))
        hybrid = [layer for layer, kind in enumerate(kinds or default(fields, count)) if kind == "hybrid"]
        ids, several = (
            fields.raw("hybrid_layer_ids"),
            blocks if isinstance(blocks, int) else fields.size(blocks),
        )
        if isinstance(ids, (list, tuple)) and list(ids) != hybrid:
            raise ConfigError("'hybrid_layer_ids' must name the hybrid layers of 'layers_block_type'")
        uses = dict.fromkeys(hybrid, "again") | dict.fromkeys(hybrid[:several], "first")
        return [uses.get(layer) for layer in range(count)]

    return pattern


def mlp_types(default: Pattern) -> Pattern:
    """Return a pattern of which layers route: as ``mlp_layer_types`` lists them, else by a default.

    Parameters
    ----------
    default : callable
        A pattern of true and false.

    Returns
    -------
    callable
        As of `where`, of true and false.
    """

    def pattern(fields: Fields, count: int) -> Sequence[bool]:
        allowed = ("dense", "sparse")
        listed = fields.listed(
            "mlp_layer_types", count, f"dense or sparse for each of {count} layers", allowed
        )
        return default(fields, count) if listed is None else [kind == "sparse" for kind in listed]

    return pattern


def repeated(field: str, default: Pattern, one: Any) -> Pattern:
    """Return a pattern that a field may only say again.

    Parameters
    ----------
    field : str
        The field, with a 1 or a 0 for each layer.
    default : callable
        The pattern.
    one : str or other
        The kind for which the field has a 1.

    Returns
    -------
    callable
        As of `where`.
    """

    def pattern(fields: Fields, count: int) -> Sequence[Any]:
        kinds = default(fields, count)
        fields.must(field, [int(kind == one) for kind in kinds])
        return kinds

    return pattern


def named(field: str, one: Any, others: Any, default: Pattern) -> Pattern:
    """Return a pattern of one kind in the layers that a field numbers, else a default.

    Parameters
    ----------
    field : str
        The field, which lists layers from 0.
    one, others : str or other
        What stands in those layers, and elsewhere.
    default : callable
        The pattern where the field is absent.

    Returns
    -------
    callable
        As of `where`.
    """

    def pattern(fields: Fields, count: int) -> Sequence[Any]:
        layers = fields.indices(field)
        if layers is None:
            return default(fields, count)
        return [one if layer in layers else others for layer in range(count)]

    return pattern


def by_number(table: str, lists: Mapping[str, str], default: Pattern, others: str = "") -> Pattern:
    """Return a pattern of the kinds for which lists in an object of the config number layers from 1.

    Parameters
    ----------
    table : str
        The object.
    lists : mapping
        The kind of each of its lists.
    default : callable
        The pattern where a list is absent.
    others : str
        Fields of the object that something else reads.

    Returns
    -------
    callable
        As of `where`.
    """

    def pattern(fields: Fields, count: int) -> Sequence[str]:
        part = fields.part(table)
        layers = {kind: part.indices(name) for name, kind in lists.items()}
        part.unread(frozenset(others.split()))
        if any(each is None for each in layers.values()):
            return default(fields, count)
        kinds = sorted((layer, kind) for kind, named in layers.items() for layer in named or ())
        if [layer for layer, _ in kinds] != list(range(1, count + 1)):
            raise ConfigError(f"{table!r} must name each of {count} layers once")
        return [kind for _, kind in kinds]

    return pattern


def marked(field: str, one: Any, others: Any, default: Pattern, part: str | None = None) -> Pattern:
    """Return a pattern of one kind where a field has a 1, and another where it has a 0.

    Parameters
    ----------
    field : str
        The field, with a number for each layer.
    one, others : str or other
        What stands in those layers, and elsewhere.
    default : callable
        The pattern where the field is absent.
    part : str, optional
        The object of the config in which it lies.

    Returns
    -------
    callable
        As of `where`.
    """

    def pattern(fields: Fields, count: int) -> Sequence[Any]:
        table = fields.part(part) if part else fields
        marks = table.listed(field, count, f"a 0 or a 1 for each of {count} layers", (0, 1))
        return default(fields, count) if marks is None else [one if mark else others for mark in marks]

    return pattern


def lettered(field: str, letters: Mapping[str, str], default: Sequence[str]) -> Callable[[Fields], list[str]]:
    """Return what reads the kinds that a field spells, with one letter a layer.

    Parameters
    ----------
    field : str
        The field.
    letters : mapping
        The kind of each letter.
    default : sequence of str
        The kinds where the field is absent.

    Returns
    -------
    callable
        From the fields to the kinds of layers.
    """

    def kinds(fields: Fields) -> list[str]:
        value = fields.raw(field)
        if value is ABSENT or value is None:
            return list(default)
        if not isinstance(value, str) or not value or not set(value) <= set(letters):
            raise ConfigError(
                f"{field!r} is {shown(value, 30)}, but must hold the letters {''.join(letters)}"
            )
        return [letters[letter] for letter in value]

    return kinds


def indexers(period: int | None = None) -> Pattern:
    """Return a pattern of which layers have an indexer of their own, and which take over an earlier choice.

    Parameters
    ----------
    period : int, optional
        Each n-th after the first has one where none are listed; by default the config's fields say which.

    Returns
    -------
    callable
        As of `where`, of "full" and "shared".
    """

    def pattern(fields: Fields, count: int) -> list[str]:
        kinds = ("full", "shared")
        listed = fields.listed("indexer_types", count, f"full or shared for each of {count} layers", kinds)
        spelt, step = fields.raw("index_topk_pattern"), fields.optional("index_topk_freq", low=0) or 1
        skip = fields.optional("index_skip_topk_offset", low=0)
        if listed is not None:
            return listed
        if period:
            return ["shared" if layer and (layer - 1) % period else "full" for layer in range(count)]
        if spelt is ABSENT or spelt is None:
            skip = 2 if skip is None else skip
            return ["shared" if max(layer - skip + 1, 0) % step else "full" for layer in range(count)]
        marks = {"F": "full", "S": "shared", "full": "full", "shared": "shared"}
        if not isinstance(spelt, (str, list)) or len(spelt) != count or not set(spelt) <= set(marks):
            raise ConfigError(f"the field 'index_topk_pattern' must hold F or S for each of {count} layers")
        return [marks[each] for each in spelt]

    return pattern


def by_ratio(fields: Fields, count: int) -> list[str]:
    """Return the kind of each layer of DeepSeek-V4: by its ratio, else as in the larger of the releases.

    Parameters
    ----------
    fields : Fields
        The fields.
    count : int
        How many layers there are.

    Returns
    -------
    list of str
        A kind for each layer, by how many tokens it keeps as one.

    Raises
    ------
    ConfigError
        If a ratio is none of those that are known.
    """
    ratios, names = fields.raw("compress_ratios"), {ratio: kind for kind, ratio in COMPRESSION.items()}
    if ratios is ABSENT or ratios is None:
        return [CSA if layer >= 2 and layer % 2 else HCA for layer in range(count)]
    known = isinstance(ratios, (list, tuple)) and len(ratios) >= count
    if not known or not all(type(ratio) is int and ratio in names for ratio in ratios):
        allowed = f"0, 4 or 128 for each of {count} layers"
        raise ConfigError(f"the field 'compress_ratios' is {shown(ratios, 30)}, but must hold {allowed}")
    return [names[ratio] for ratio in ratios[:count]]
