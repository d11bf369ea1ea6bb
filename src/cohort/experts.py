"""Mixtures of experts in closed form: how many of the experts a batch of tokens reads."""

from __future__ import annotations

import math
from collections.abc import Sequence

from cohort.attention import LIMIT
from cohort.errors import ParameterError, integer, shown

TOLERANCE = 1e-9  # by which the popularities may miss their sum, relative to it


def coverage(experts: int, active: int, tokens: int, popularity: Sequence[float] | None = None) -> float:
    r"""Return how many distinct experts are expected to be read when several tokens are routed.

    An expert that a token is sent to with probability :math:`p` is missed by all of :math:`T` independent
    tokens with probability :math:`(1-p)^T`; the expectation adds up the experts that are not. Alike experts
    give :math:`E\,(1-(1-K/E)^T)`.

    Parameters
    ----------
    experts, active : int
        Routed experts, E, and how many of them each token is sent to, K.
    tokens : int
        Tokens that are routed, T.
    popularity : sequence of float, optional
        For each expert the probability that a token is sent to it. They add up to `active`. By default all
        are alike.

    Returns
    -------
    float
        Between `active` and `experts`, and 0 for no tokens.

    Raises
    ------
    ParameterError
        If a size is out of its range, or the popularities are no probabilities that add up to `active`.

    Examples
    --------
    >>> coverage(experts=8, active=2, tokens=2)
    3.5
    """
    integer("experts", experts, 1, LIMIT)
    integer("active", active, 1, experts)
    integer("tokens", tokens, 0, LIMIT)
    if popularity is None:
        return experts * _reached(active / experts, tokens)
    _probabilities(popularity, experts, active)
    return math.fsum(_reached(float(each), tokens) for each in popularity)


def _reached(probability: float, tokens: int) -> float:
    """Return the probability that at least one of the tokens is sent to an expert."""
    if probability >= 1:
        return 1.0 if tokens else 0.0
    return -math.expm1(tokens * math.log1p(-probability))


def _probabilities(popularity: Sequence[float], experts: int, active: int) -> None:
    if len(popularity) != experts:
        raise ParameterError(
            f"popularity has {len(popularity)} values, but must have one for each of {experts} experts"
        )
    outside = next((each for each in popularity if not 0 <= each <= 1), None)
    if outside is not None:
        raise ParameterError(f"popularity holds {shown(outside)}, but must hold probabilities from 0 to 1")
    total = math.fsum(popularity)
    if abs(total - active) > TOLERANCE * active:
        raise ParameterError(
            f"popularity adds up to {total:.10g}, but must add up to the {active} active experts of a token"
        )
