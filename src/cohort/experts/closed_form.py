"""Mixtures of experts in closed form: what a batch of tokens reads, loads, drops and sends.

Tokens are taken to be routed independently of one another, each to as many distinct experts. How likely an
expert is for a token is its *popularity*, and how likely two are for the same token their *joint* popularity;
by default all experts, and all sets of them, are alike.
`cohort.experts.router` has a router with a chosen skew.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

from cohort.errors import ParameterError, integer, positive, shown
from cohort.errors.arguments import explain
from cohort.numeric import LIMIT, binomial_excess

__all__ = [
    "balance_loss",
    "capacity",
    "coverage",
    "coverage_variance",
    "device_loads",
    "dropped",
    "shared_evenly",
    "slowest_device",
]

TOLERANCE = 1e-9  # by which the popularities may miss their sum, relative to it

Joint = Sequence[Sequence[float]]


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

    See Also
    --------
    coverage_variance : How far the number scatters around it.
    cohort.serving.weights_read : The weights of a whole model that a step reads.

    Examples
    --------
    >>> coverage(experts=8, active=2, tokens=2)
    3.5
    """
    experts = integer("experts", experts, 1, LIMIT)
    active = integer("active", active, 1, experts)
    tokens = integer("tokens", tokens, 0, LIMIT)
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


def coverage_variance(
    experts: int,
    active: int,
    tokens: int,
    popularity: Sequence[float] | None = None,
    joint: Joint | None = None,
) -> float:
    r"""Return the variance of the number of distinct experts that are read.

    With :math:`\pi_{ef}` for two experts of one token, both are missed by all of T tokens with probability
    :math:`(1-\pi_e-\pi_f+\pi_{ef})^T`; the covariances of missing them add up.

    Parameters
    ----------
    experts, active, tokens, popularity
        As in `coverage`.
    joint : sequence of sequences of float, optional
        For each pair of experts the probability that a token is sent to both, as
        `cohort.experts.router.joint_popularity` gives it. It is needed where `popularity` is given.

    Returns
    -------
    float
        Experts squared; at least 0.

    Raises
    ------
    ParameterError
        As in `coverage`, or if only one of `popularity` and `joint` is given.

    Examples
    --------
    >>> coverage_variance(experts=8, active=2, tokens=1)
    0.0
    >>> round(coverage_variance(experts=8, active=2, tokens=2), 4)
    0.3214
    """
    coverage(experts, active, tokens, popularity)
    if popularity is None or joint is None:
        _together(popularity, joint)
        if tokens <= 1 or active == experts:
            return 0.0  # exactly, where rounding would leave a trace
        missed = 1 - _reached(active / experts, tokens)
        both = _both_missed(active / experts, active / experts, _pair(experts, active), tokens)
        pairs = experts * (experts - 1) * (both - missed * missed)
        return max(experts * missed * (1 - missed) + pairs, 0.0)
    alone = [1 - _reached(float(each), tokens) for each in popularity]
    variances = (each * (1 - each) for each in alone)
    covariances = (
        2 * (_both_missed(popularity[e], popularity[f], joint[e][f], tokens) - alone[e] * alone[f])
        for e in range(experts)
        for f in range(e)
    )
    return max(math.fsum(variances) + math.fsum(covariances), 0.0)


def _together(popularity: object, joint: object) -> None:
    if (popularity is None) != (joint is None):
        missing = "popularity" if popularity is None else "joint"
        raise ParameterError(f"{missing} is missing, but popularity and joint must be given together")


def _pair(experts: int, active: int) -> float:
    """Return how likely two experts are for one token, all sets of experts being alike."""
    return active * (active - 1) / (experts * (experts - 1)) if experts > 1 else 0.0


def _both_missed(one: float, other: float, pair: float, tokens: int) -> float:
    return max(1 - one - other + pair, 0.0) ** tokens


def device_loads(
    experts: int,
    active: int,
    tokens: int,
    devices: int,
    popularity: Sequence[float] | None = None,
    joint: Joint | None = None,
) -> list[tuple[float, float]]:
    """Return mean and variance of the assignments that reach each of the devices that share the experts.

    Each device holds as many experts, the first the first ones.

    Parameters
    ----------
    experts, active, tokens, popularity, joint
        As in `coverage_variance`.
    devices : int
        Devices; they divide the experts.

    Returns
    -------
    list of (float, float)
        Per device the mean, in assignments of a token to an expert, and the variance.

    Raises
    ------
    ParameterError
        As in `coverage_variance`, or if the devices do not divide the experts.

    See Also
    --------
    slowest_device : The expected load of the fullest.

    Examples
    --------
    >>> device_loads(experts=8, active=2, tokens=64, devices=2)[0]
    (64.0, 27.428571428571427)
    """
    coverage(experts, active, tokens, popularity)
    held = shared_evenly(experts, devices)
    if popularity is None or joint is None:
        _together(popularity, joint)
        share = held / experts
        rest = (experts - active) / (experts - 1) if experts > 1 else 0.0
        return [(tokens * active * share, tokens * active * share * (1 - share) * rest)] * devices
    loads = []
    for device in range(devices):
        own = range(device * held, (device + 1) * held)
        mean = math.fsum(popularity[e] for e in own)
        square = math.fsum(popularity[e] if e == f else joint[e][f] for e in own for f in own)
        loads.append((tokens * mean, tokens * max(square - mean * mean, 0.0)))
    return loads


def shared_evenly(experts: int, devices: int) -> int:
    """Return how many experts each device holds.

    Parameters
    ----------
    experts, devices : int
        Routed experts, and devices that share them.

    Returns
    -------
    int
        Experts.

    Raises
    ------
    ParameterError
        If the devices do not divide the experts.

    Examples
    --------
    >>> shared_evenly(256, 32)
    8
    """
    experts = integer("experts", experts, 1, LIMIT)
    devices = integer("expert_parallel", devices, 1, experts, unit="devices")
    if experts % devices:
        small = [each for each in range(1, math.isqrt(experts) + 1) if not experts % each]
        divisors = {*small, *(experts // each for each in small)}
        near = sorted(sorted(divisors), key=lambda each: abs(each - devices))[:2]
        raise ParameterError(
            f"expert_parallel is {devices}, but must divide the {experts} experts; "
            f"the nearest that do are {' and '.join(map(str, sorted(near)))}"
        )
    return experts // devices


def slowest_device(loads: Sequence[tuple[float, float]]) -> float:
    """Return the expected load of the device with the most assignments.

    The loads are taken for normal, with a sum that does not vary, as every token is sent to as many experts.
    That is exact for alike devices and close for others, unless a device expects only a handful of
    assignments.

    Parameters
    ----------
    loads : sequence of (float, float)
        As `device_loads` returns them.

    Returns
    -------
    float
        Assignments.

    Raises
    ------
    ParameterError
        If there are no loads.

    Examples
    --------
    >>> round(slowest_device(device_loads(experts=8, active=2, tokens=64, devices=8)), 2)
    21.27
    """
    if not loads:
        raise ParameterError("loads is empty, but must have one for each device")
    return _mean_of_largest(tuple(loads))


@lru_cache(maxsize=64)  # simulations of one router are compared with the same expectation
def _mean_of_largest(loads: tuple[tuple[float, float], ...]) -> float:
    free = len(loads) / (len(loads) - 1) if len(loads) > 1 else 0.0
    spread = [(mean, math.sqrt(variance * free)) for mean, variance in loads]
    low = max(mean - 9 * sd for mean, sd in spread)
    high = max(mean + 9 * sd for mean, sd in spread)
    steps = 2000
    width = (high - low) / steps
    # What is certainly below the least value is below all others too, and changes no product.
    spread = [each for each in spread if _all_below(low + 0.5 * width, [each]) < 1]
    above = (1 - _all_below(low + (step + 0.5) * width, spread) for step in range(steps))
    return low + width * math.fsum(above)


def _all_below(value: float, spread: Sequence[tuple[float, float]]) -> float:
    """Return the probability that independent normal numbers are all below a value."""
    found, below, last = 1.0, 1.0, None
    for each in spread:
        if each != last:  # devices are often alike
            mean, sd = last = each
            below = 0.5 * math.erfc((mean - value) / (sd * math.sqrt(2))) if sd else float(mean <= value)
        found *= below
        if not found:
            break
    return found


def dropped(
    experts: int,
    active: int,
    tokens: int,
    capacity_factor: float,
    popularity: Sequence[float] | None = None,
) -> float:
    """Return the expected share of assignments that find their expert full.

    An expert takes ``capacity_factor`` times its even share of the assignments
    :cite:p:`lepikhin2020gshard,fedus2021switch`, rounded down. How many tokens choose it is binomial.

    Parameters
    ----------
    experts, active, tokens, popularity
        As in `coverage`; at least one token.
    capacity_factor : float
        Room of an expert, over the even share.

    Returns
    -------
    float
        Share of all assignments, from 0 to 1.

    Raises
    ------
    ParameterError
        As in `coverage`, or if the factor is not a positive number.

    See Also
    --------
    capacity : The room of an expert.
    cohort.experts.router.stream : A simulated stream, whose share can be counted.

    Examples
    --------
    >>> round(dropped(experts=8, active=2, tokens=64, capacity_factor=1.25), 4)
    0.0142
    """
    coverage(experts, active, tokens, popularity)
    integer("tokens", tokens, 1, LIMIT)
    room = capacity(experts, active, tokens, capacity_factor)
    if popularity is None:
        return experts * binomial_excess(tokens, active / experts, room) / (tokens * active)
    return math.fsum(binomial_excess(tokens, float(each), room) for each in popularity) / (tokens * active)


def capacity(experts: int, active: int, tokens: int, capacity_factor: float) -> int:
    """Return how many assignments an expert takes.

    Parameters
    ----------
    experts, active, tokens, capacity_factor
        As in `dropped`.

    Returns
    -------
    int
        Assignments.

    Raises
    ------
    ParameterError
        If the factor is not a positive number, or a count not a whole one.

    Examples
    --------
    >>> capacity(experts=8, active=2, tokens=64, capacity_factor=1.25)
    20
    """
    experts = integer("experts", experts, 1, LIMIT)
    active, tokens = integer("active", active, 1, experts), integer("tokens", tokens, 0, LIMIT)
    return math.floor(positive("capacity_factor", capacity_factor) * tokens * active / experts)


def balance_loss(shares: Sequence[float], probabilities: Sequence[float]) -> float:
    r"""Return the auxiliary loss that training adds to keep experts even, without its weight.

    .. math:: E \sum_e f_e P_e

    It is 1 where every expert has the same share of the assignments and the same mean probability from the
    router :cite:p:`fedus2021switch`.

    Parameters
    ----------
    shares : sequence of float
        f, the share of the assignments of each expert; they add up to 1.
    probabilities : sequence of float
        P, the mean probability that the router gives to each expert; they add up to 1.

    Returns
    -------
    float
        At least 1 where shares and probabilities agree.

    Raises
    ------
    ParameterError
        If they are not as many, or do not add up to 1.

    Examples
    --------
    >>> balance_loss([0.25] * 4, [0.25] * 4), balance_loss([0.5, 0.5, 0, 0], [0.5, 0.5, 0, 0])
    (1.0, 2.0)
    """
    _probabilities(shares, len(shares), 1)
    _probabilities(probabilities, len(shares), 1)
    return len(shares) * math.fsum(f * p for f, p in zip(shares, probabilities, strict=True))


explain(__name__)
