"""How often routers were measured to choose their experts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

from cohort.errors.arguments import explain
from cohort.registry import facts


@dataclass(frozen=True, slots=True)
class Load:
    """How often a router chose each expert of a layer, for the texts of one kind.

    Attributes
    ----------
    model, text : str
        The model, and the kind of text.
    layer : int
        The layer, from 0.
    active : int
        Experts that a token is sent to.
    assignments : tuple of int
        Tokens that were sent to each expert.
    """

    model: str
    text: str
    layer: int
    active: int
    assignments: tuple[int, ...]

    @property
    def over_mean(self) -> list[float]:
        """Load of each expert over the mean."""
        mean = sum(self.assignments) / len(self.assignments)
        return [each / mean for each in self.assignments]

    @property
    def popularity(self) -> list[float]:
        """Probability that a token is sent to each expert."""
        return [self.active * each / sum(self.assignments) for each in self.assignments]

    @property
    def variation(self) -> float:
        """Standard deviation of the loads over their mean."""
        return math.sqrt(math.fsum((each - 1) ** 2 for each in self.over_mean) / len(self.assignments))


def measured_loads() -> list[Load]:
    """Return the measured loads of experts :cite:p:`muennighoff2024olmoe`.

    Returns
    -------
    list of Load
        One a model, kind of text and layer.

    Examples
    --------
    >>> load = measured_loads()[0]
    >>> load.model, len(load.assignments), round(max(load.over_mean), 2)
    ('OLMoE 1B-7B', 64, 7.81)
    """
    return list(_measured(facts.modified("router_loads")))


@lru_cache(maxsize=2)
def _measured(modified: int) -> tuple[Load, ...]:
    return tuple(
        Load(
            model=row["model"],
            text=row["text"],
            layer=int(row["layer"]),
            active=int(row["active_experts"]),
            assignments=tuple(int(each) for each in row["assignments"].split()),
        )
        for row in facts.rows("router_loads")
    )


@dataclass(frozen=True, slots=True)
class DeviceLoad:
    """The load of the fullest of the devices that share the experts of a layer, as measured.

    Attributes
    ----------
    model, text : str
        The model, and what was routed.
    layer : int
        The layer, from 0.
    experts, active, devices : int
        Routed experts of the layer, those of a token, and devices that share them.
    variation : float or None
        Standard deviation of the loads of experts over their mean, None where it is not known.
    hottest : float or None
        Load of the most popular expert over the mean.
    slowest : float
        Load of the fullest device over the mean.
    by_load : bool
        Whether experts were placed by their loads; otherwise in the order of their numbers.
    copies : int
        Places beyond one for each expert.
    source : str
        A key of the bibliography.
    """

    model: str
    text: str
    layer: int
    experts: int
    active: int
    devices: int
    variation: float | None
    hottest: float | None
    slowest: float
    by_load: bool
    copies: int
    source: str


def measured_devices() -> list[DeviceLoad]:
    """Return the published loads of the slowest of devices that share experts.

    Where only the loads of devices are said to vary, those of experts follow: a device that holds h of E
    experts in no order of popularity varies by the square root of (E - h) / (h (E - 1)) times as much.

    Returns
    -------
    list of DeviceLoad
        Of :cite:t:`trtllmepbalancer`, :cite:t:`ttmetal56304` and :cite:t:`weinberger2025routing`.

    See Also
    --------
    measured_loads : Loads of every expert.

    Examples
    --------
    >>> first = measured_devices()[0]
    >>> first.model, first.devices, round(first.slowest, 2), round(first.variation, 2)
    ('DeepSeek-R1', 32, 1.5, 0.53)
    """
    return [_device_load(row) for row in facts.rows("slowest_devices")]


def _device_load(row: dict[str, str]) -> DeviceLoad:
    experts, devices = int(row["experts"]), int(row["devices"])
    variation = float(row["variation"]) if row["variation"] else None
    by_load = row["placement"] == "by load"
    if variation is None and row["device_variation"] and not by_load:
        held = experts / devices
        variation = float(row["device_variation"]) * math.sqrt(held * (experts - 1) / (experts - held))
    return DeviceLoad(
        model=row["model"],
        text=row["text"],
        layer=int(row["layer"]),
        experts=experts,
        active=int(row["active_experts"]),
        devices=devices,
        variation=variation,
        hottest=float(row["hottest"]) if row["hottest"] else None,
        slowest=float(row["slowest"]),
        by_load=by_load,
        copies=int(row["copies"]),
        source=row["source"],
    )


explain(__name__)
