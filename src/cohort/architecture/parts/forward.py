"""Feed-forward networks and residual streams by the traits of a row."""

from __future__ import annotations

from typing import Any

from cohort.architecture.feedforward import Dense, Experts, HyperConnection, Residual
from cohort.architecture.parts.row import Part, Place
from cohort.errors import ConfigError


def dense(place: Place) -> Dense:
    """Return a dense network by the traits of the row.

    Parameters
    ----------
    place : Place
        Where it stands.

    Returns
    -------
    Dense
        The network.
    """
    row = place.row
    return Dense(place.number(row.width), row.gated, place.flag(row.mlp_bias))


def experts(place: Place) -> Experts:
    """Return a mixture of experts by the traits of the row.

    Parameters
    ----------
    place : Place
        Where it stands.

    Returns
    -------
    Experts
        The mixture.

    Raises
    ------
    ConfigError
        If only shared experts have biases and there are none of these, although biases are switched on.
    """
    fields, row = place.fields, place.row
    shared = (
        fields.optional(row.shared, low=0) or 0 if isinstance(row.shared, str) else place.number(row.shared)
    )
    if not shared and row.shared_bias == "mlp_bias" and place.flag("mlp_bias"):
        raise ConfigError("'mlp_bias' is true without shared experts, which is not counted: one must change")
    wide = place.number(row.shared_width) if row.shared_width is not None and shared else None
    options = {name: trait(place) if callable(trait) else trait for name, trait in row.expert.items()}
    options = {"gated": row.gated, "shared_bias": place.flag(row.shared_bias), **options}
    count, active = fields.size("n_routed_experts"), place.number(row.active)
    return Experts(count, active, place.number(row.expert_width), shared=shared, shared_width=wide, **options)


def beside(network: Any, mixture: Part = experts) -> Part:
    """Return a dense network, with experts beside it where the layer routes.

    Parameters
    ----------
    network, mixture : callable
        What makes them, of a place.

    Returns
    -------
    callable
        From a place to the network, or to both.
    """
    return lambda place: Residual(network(place), mixture(place)) if place.routed else network(place)


def once_each(place: Place) -> int:
    """Return one number for each expert: the correction of its score, where it is a weight.

    Parameters
    ----------
    place : Place
        Where the experts stand.

    Returns
    -------
    int
        How many experts there are.
    """
    return place.fields.size("n_routed_experts")


def hyper(mixed: bool = True, collapsed: bool = True) -> Part:
    """Return what makes hyper-connections of as many streams as the config says.

    Parameters
    ----------
    mixed, collapsed : bool
        As in `cohort.architecture.feedforward.HyperConnection`.

    Returns
    -------
    callable
        From a place to the connections.
    """
    return lambda place: HyperConnection(place.number("hc_mult"), mixed, collapsed)
