"""The exchange of tokens among devices that share experts: bytes and seconds of an all-to-all."""

from __future__ import annotations

from cohort.errors import ParameterError, bounded, integer, positive
from cohort.errors.arguments import explain
from cohort.numeric import LIMIT


def exchanged_bytes(
    tokens: int, active: int, hidden: int, bytes_per_element: float, devices: int, node: int = 8
) -> tuple[float, float]:
    """Return what one device sends in an all-to-all, to devices of its node and to others.

    A token goes to each of its experts by itself, and to none of its own device. Devices are alike, and
    experts spread evenly.

    Parameters
    ----------
    tokens : int
        Tokens of the device.
    active : int
        Experts that each is sent to.
    hidden : int
        Numbers of a token.
    bytes_per_element : float
        Bytes of a number.
    devices : int
        Devices that share the experts. Nodes are whole: a number beyond one node is a multiple of it.
    node : int
        Devices that links join.

    Returns
    -------
    (float, float)
        Bytes over the links within a node, and over the network.

    Raises
    ------
    ParameterError
        If a size is out of its range.

    See Also
    --------
    exchange_seconds : How long they take.

    Examples
    --------
    >>> exchanged_bytes(tokens=128, active=8, hidden=7168, bytes_per_element=1, devices=32)
    (1605632.0, 5505024.0)
    """
    numbers = integer("tokens", tokens, 0, LIMIT) * integer("active", active, 1, LIMIT)
    numbers *= integer("hidden", hidden, 1, LIMIT)
    devices = integer("expert_parallel", devices, 1, LIMIT, unit="devices")
    sent = numbers * positive("bytes_per_element", bytes_per_element)
    near = min(devices, integer("node", node, 1, LIMIT, unit="devices"))
    if devices % near:
        raise ParameterError(
            f"expert_parallel is {devices}, but must be a multiple of a node of {near} devices"
        )
    return sent * (near - 1) / devices, sent * (devices - near) / devices


def exchange_seconds(
    sent: tuple[float, float], link: float, network: float, latency_s: float, imbalance: float = 1.0
) -> float:
    """Return the time of an all-to-all: links and network work at once, and the slower one counts.

    Parameters
    ----------
    sent : (float, float)
        Bytes of one device within its node and beyond, as `exchanged_bytes` returns them.
    link, network : float
        Bytes a second of one device in one direction, of the links and of the network.
    latency_s : float
        Seconds of an exchange of nothing.
    imbalance : float
        Load of the slowest device over the mean.

    Returns
    -------
    float
        Seconds.

    Raises
    ------
    ParameterError
        If a rate or the imbalance is not a positive number, or the latency is negative.

    Examples
    --------
    >>> exchange_seconds((0, 5e6), link=450e9, network=50e9, latency_s=2e-5)
    0.00012
    """
    inside, beyond = sent
    latency = bounded("latency_s", latency_s, 0, unit="seconds")
    within = inside / positive("link", link, "bytes a second")
    across = beyond / positive("network", network, "bytes a second")
    return latency + positive("imbalance", imbalance) * max(within, across)


explain(__name__)
