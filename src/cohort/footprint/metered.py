"""What a log metered and what has to be added to it: parts of a run, measured or estimated, and their sum."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cohort.errors.arguments import explain
from cohort.footprint.accounts import Footprint, account, at_least
from cohort.footprint.factors import host_ratio
from cohort.footprint.inputs import Factors, traits
from cohort.registry.devices import Accelerator, rated_power
from cohort.units import WH_PER_KWH

UNNAMED = Accelerator("unnamed accelerator", 0, 0.0, ())  # its factors are those of all others
OWN = ("host_ratio", "embodied_kg")  # factors that each kind of accelerator has of its own


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFactors(Factors):
    """What the footprint of a log is computed with: those of `Factors`, and its own.

    Attributes
    ----------
    meter_ratio : float
        Energy over that of the readings of the meter.
    sample_ratio : float
        Energy over that of the trapezoidal rule: what gaps and the time between samples leave open.
    host_ratio : float
        Energy of accelerators with their host over that of the accelerators, 1 or more.
    wall_ratio : float
        Energy at the wall over that of processors and memory, where a machine has no accelerators.
    network_ratio : float
        Energy with the network over that of the nodes, 1 or more; it counts from ``facility`` on.
    development : float
        All compute over that of the run, 1 or more.
    """

    meter_ratio: Any = field(
        metadata=traits(
            0.5, 2.0, usual=("power sensor of an accelerator", "energy over that of its readings")
        )
    )
    sample_ratio: Any = field(default=1.0, metadata=traits(0.0, 100.0))
    host_ratio: Any = field(metadata=traits(1.0, 10.0, usual=lambda case: host_ratio(case.device)))
    wall_ratio: Any = field(
        metadata=traits(
            1.0, 10.0,
            usual=("machine without accelerators", "energy at the wall over that of processors and memory"),
        )
    )  # fmt: skip
    network_ratio: Any = field(
        metadata=traits(1.0, 10.0, usual=("cluster", "energy with its network over that of the nodes"))
    )
    development: Any = field(
        metadata=traits(1.0, 1e4, usual=("development", "all compute over the final run"))
    )


@dataclass(frozen=True, slots=True)
class Group:
    """Accelerators of one kind in a log.

    Attributes
    ----------
    device : Accelerator
        Which.
    number : int
        How many.
    hours : float
        Hours of one of them, gaps included; the run's share where it had a share.
    energy_kwh : float
        What they drew, in kWh; the run's share.
    """

    device: Accelerator
    number: int
    hours: float
    energy_kwh: float


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the energy or of the CO2e of a run, and whether it was metered.

    Attributes
    ----------
    name : str
        What draws it.
    energy_kwh, co2e_kg : float
        Central values.
    status : str
        ``measured`` or ``estimated``.
    factor : str
        The factor that it rests on where it is estimated; empty where it was metered.
    """

    name: str
    energy_kwh: float
    co2e_kg: float
    status: str
    factor: str = ""


@dataclass(frozen=True, slots=True)
class Metered:
    """What a log metered: by kind of accelerator, of the host, and of whole machines, in kWh."""

    groups: tuple[Group, ...]
    host_kwh: float
    machine_kwh: float

    @property
    def accelerators_kwh(self) -> float:
        """What all accelerators drew, in kWh."""
        return sum(group.energy_kwh for group in self.groups)

    def node_kwh(self, values: Mapping[str, Any]) -> Any:
        """Return the energy of the nodes: what was metered of them, or their accelerators with a host.

        Parameters
        ----------
        values : mapping of str to float or array
            One for each factor.

        Returns
        -------
        float or array
            In kWh.
        """
        read = values["meter_ratio"] * values["sample_ratio"]
        if self.machine_kwh:
            return self.machine_kwh * read
        if not self.groups:
            return self.host_kwh * values["wall_ratio"] * values["sample_ratio"]
        with_host = sum(read * group.energy_kwh * _of(values, "host_ratio", group) for group in self.groups)
        metered = read * self.accelerators_kwh + self.host_kwh
        return (with_host + metered + abs(with_host - metered)) / 2  # the greater of both, of arrays too

    def it_kwh(self, boundary: str, values: Mapping[str, Any]) -> Any:
        """Return the energy within a boundary, before the losses of the data centre.

        Parameters
        ----------
        boundary : str
            One of ``cohort.footprint.accounts.BOUNDARIES``.
        values : mapping of str to float or array
            One for each factor.

        Returns
        -------
        float or array
            In kWh.
        """
        if boundary == "accelerator_tdp":
            return sum(rated_power(group.device) * group.hours / WH_PER_KWH for group in self.groups)
        if boundary == "accelerator":
            return values["meter_ratio"] * values["sample_ratio"] * self.accelerators_kwh
        return self.node_kwh(values) * (values["network_ratio"] if at_least(boundary, "facility") else 1.0)

    def footprint(self, boundary: str, values: Mapping[str, Any]) -> Footprint:
        """Return the footprint from a value of each factor: a kind of accelerator at a time.

        Parameters
        ----------
        boundary : str
            One of ``cohort.footprint.accounts.BOUNDARIES``.
        values : mapping of str to float or array
            One for each factor.

        Returns
        -------
        Footprint
            The sum over kinds.
        """
        energy, found = self.it_kwh(boundary, values), None
        hours = sum(group.hours for group in self.groups)
        for group in self.groups or (Group(UNNAMED, 0, 0.0, 0.0),):
            share = self._share(group, hours)
            named = {name: _of(values, name, group) for name in OWN}
            own = LogFactors(
                **{**{name: value for name, value in values.items() if ": " not in name}, **named}
            )
            part = account(
                boundary, own, it_energy_kwh=energy * share, accelerator_hours=group.hours,
                development=own.development,
            )  # fmt: skip
            found = part if found is None else found + part
        assert found is not None
        return found

    def _share(self, group: Group, hours: float) -> float:
        """Return the share of a kind of accelerator in the energy of all: by energy, else by hours."""
        if self.accelerators_kwh:
            return group.energy_kwh / self.accelerators_kwh
        return group.hours / hours if hours else 1.0

    def parts(self, whole: Footprint, values: Mapping[str, Any]) -> tuple[Part, ...]:
        """Return the parts of a footprint, each measured or estimated.

        Parameters
        ----------
        whole : Footprint
            The footprint.
        values : mapping of str to float
            Of each factor, the value that it was computed with.

        Returns
        -------
        tuple of Part
            They add up to it.
        """
        boundary, grams = whole.boundary, values["grid_g_per_kwh"] / WH_PER_KWH
        steps = self._steps(boundary, values)
        if at_least(boundary, "facility"):
            node = self.node_kwh(values)
            network = node * (values["network_ratio"] - 1)
            steps.append(("network", network, "network_ratio"))
            losses = (node + network) * (values["pue"] - 1)
            steps.append(("cooling and losses", losses, "pue"))
        if boundary == "with_development":
            before = sum(kwh for _, kwh, _ in steps)
            steps.append(("development", before * (values["development"] - 1), "development"))
        found = [
            Part(name, kwh, kwh * grams, "estimated" if why else "measured", why)
            for name, kwh, why in steps
            if kwh or not why
        ]
        if whole.embodied_kg:
            found.append(Part("making of the hardware", 0.0, whole.embodied_kg, "estimated", "embodied_kg"))
        return tuple(found)

    def _steps(self, boundary: str, values: Mapping[str, Any]) -> list[tuple[str, float, str]]:
        """Return accelerators, what was metered of the host, and what a ratio adds to it."""
        if boundary == "accelerator_tdp":
            return [("accelerators at their rating", self.it_kwh(boundary, values), "rated power")]
        if self.machine_kwh and boundary != "accelerator":
            return [("machines", self.node_kwh(values), "")]
        read = values["meter_ratio"] * values["sample_ratio"]
        steps = [("accelerators", read * self.accelerators_kwh, "")] if self.groups else []
        if at_least(boundary, "node"):
            if self.host_kwh:
                steps.append(("processors and memory", self.host_kwh, ""))
            rest = self.node_kwh(values) - sum(kwh for _, kwh, _ in steps)
            steps.append(("rest of the host", rest, "host_ratio" if self.groups else "wall_ratio"))
        return steps


def _of(values: Mapping[str, Any], name: str, group: Group) -> Any:
    """Return a factor of a kind of accelerator: its own, or that of all where there is one kind."""
    own = f"{name}: {group.device.name}"
    return values[own] if own in values else values[name]


explain(__name__)
