"""Recurrences by the traits that hold their sizes: state spaces, and those that one family alone has."""

from __future__ import annotations

from typing import Any

from cohort.architecture.configs.fields import Fields
from cohort.architecture.parts.mixers import width_of_heads
from cohort.architecture.parts.row import Part, Place
from cohort.architecture.parts.traits import automatic, either, expanded, multiplier
from cohort.architecture.recurrent import Mamba, Mamba2, Recurrence, Reused
from cohort.errors import ConfigError, integer
from cohort.numeric import LIMIT, ceil_div

_EXPANDED = expanded("mamba_expand")
_GIVEN_OR_EXPANDED = either("mamba_d_ssm", otherwise=_EXPANDED)


def mamba(
    inner: Any = _EXPANDED,
    state: Any = "mamba_d_state",
    kernel: Any = "mamba_d_conv",
    rank: str = "mamba_dt_rank",
    bias: Any = "mamba_proj_bias",
    conv_bias: Any = "mamba_conv_bias",
    normed: bool = False,
) -> Part:
    """Return what makes Mamba.

    Parameters
    ----------
    inner, state, kernel, rank, bias, conv_bias : trait
        The sizes of `cohort.architecture.recurrent.Mamba`, by default by the names of hybrid models.
    normed : bool
        Whether what makes the step, and both projections of the state, are normalised (Jamba).

    Returns
    -------
    callable
        From a place to the mixer.
    """

    def part(place: Place) -> Mamba:
        low = automatic(place, rank, ceil_div(place.hidden, 16))
        width = place.number(state)
        return Mamba(
            place.number(inner), width, place.number(kernel), low, bias=place.flag(bias),
            conv_bias=place.flag(conv_bias), norm_weights=low + 2 * width if normed else 0,
        )  # fmt: skip

    return part


def mamba2(
    heads: Any = "mamba_n_heads",
    head_dim: str | None = "mamba_d_head",
    inner: Any = _GIVEN_OR_EXPANDED,
    state: Any = "mamba_d_state",
    groups: Any = "mamba_n_groups",
    kernel: Any = "mamba_d_conv",
    bias: Any = "mamba_proj_bias",
    conv_bias: Any = "mamba_conv_bias",
    normed: Any = True,
) -> Part:
    """Return what makes Mamba 2.

    Parameters
    ----------
    heads, head_dim, state, groups, kernel, bias, conv_bias, normed : trait
        The sizes of `cohort.architecture.recurrent.Mamba2`, by default by the names of hybrid models.
    inner : trait, optional
        The width that heads must add up to; None where they may be of any width.

    Returns
    -------
    callable
        From a place to the mixer.
    """

    def part(place: Place) -> Mamba2:
        count = place.number(heads)
        if inner is None:
            width = place.number(head_dim)
        else:
            all_heads = place.number(inner)
            width = automatic(place, head_dim, all_heads // count) if head_dim else all_heads // count
            if count * width != all_heads:
                raise ConfigError(
                    f"{heads} ({count}) x {head_dim or 'their width'} ({width}) must be the inner width "
                    f"({all_heads})"
                )
        return Mamba2(
            count,
            width,
            place.number(state),
            place.number(groups),
            place.number(kernel),
            bias=place.flag(bias),
            conv_bias=place.flag(conv_bias),
            normed=place.flag(normed),
        )

    return part


def again(part: Part) -> Part:
    """Return a part whose weights are counted once, although layers pass through it again.

    Parameters
    ----------
    part : callable
        What makes the part.

    Returns
    -------
    callable
        From a place to the part; where the place's `other` is "again", without its weights.
    """
    return lambda place: Reused(part(place)) if place.other == "again" else part(place)


def gated_lru(place: Place) -> Recurrence:
    """Return the real-gated linear recurrent unit of RecurrentGemma, with its convolution.

    Parameters
    ----------
    place : Place
        Where it stands.

    Returns
    -------
    Recurrence
        The unit.
    """
    hidden, heads, kernel = place.hidden, place.heads, place.number("conv1d_width")
    width = place.fields.optional("lru_width") or hidden
    gates, biases = 2 * heads * (width // heads) ** 2, 2 * heads * (width // heads)
    matrices = 3 * hidden * width + gates + kernel * width
    return Recurrence(matrices, 4 * width + hidden + biases, width, width, kernel, heads)


def time_mixing(place: Place) -> Recurrence:
    """Return RWKV's time mixing: three numbers a channel are its state, and the token before its inputs.

    Parameters
    ----------
    place : Place
        Where it stands.

    Returns
    -------
    Recurrence
        The mixing.
    """
    hidden = place.hidden
    width = place.fields.optional("attention_hidden_size") or hidden
    return Recurrence(4 * hidden * width, 3 * hidden + 2 * width, 3 * width, convolved=2 * hidden, kernel=1)


def matrix_memory(place: Place) -> Recurrence:
    """Return the mLSTM of xLSTM: a matrix a head, its normaliser and one number more.

    Parameters
    ----------
    place : Place
        Where it stands.

    Returns
    -------
    Recurrence
        The memory.

    Raises
    ------
    ConfigError
        If its heads do not divide the widths of queries and values.
    """
    hidden, heads, bias = place.hidden, place.heads, place.flag("use_bias")
    query, value = share(place.fields, "qk_dim_factor"), share(place.fields, "v_dim_factor")
    if query % heads or value % heads:
        raise ConfigError(f"num_heads ({heads}) must divide the widths of queries and values")
    matrices = hidden * (2 * query + 3 * value + 2 * heads)
    others = 2 * heads + value + (2 * query + 3 * value + 3 * hidden if bias else 0)
    return Recurrence(matrices, others, query * value // heads + query + heads, heads=heads)


def share(fields: Fields, name: str) -> int:
    """Return a share of the hidden size, rounded down.

    Parameters
    ----------
    fields : Fields
        The fields.
    name : str
        The field of the factor.

    Returns
    -------
    int
        The width.
    """
    return integer(name, int(fields.hidden * multiplier(fields, name)), 1, LIMIT, ConfigError)


def convolved_queries(place: Place) -> Recurrence:
    """Return the convolutions before the attention of Zaya, and its delayed value.

    Parameters
    ----------
    place : Place
        Where they stand.

    Returns
    -------
    Recurrence
        What they keep is half the width of the values.

    Raises
    ------
    ConfigError
        If that width is odd.
    """
    keys, width, heads = place.fields.kv_heads(), width_of_heads(place), place.heads
    channels, first, second = (heads + keys) * width, place.number("cca_time0"), place.number("cca_time1")
    if keys * width % 2:
        raise ConfigError("num_key_value_heads x head_dim must be even")
    matrices = channels * (first + width * second)
    return Recurrence(matrices, 2 * channels + keys, keys * width // 2, channels, first, heads)
