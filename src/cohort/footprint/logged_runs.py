"""A run by its own log: what was metered, what the meter does not see, and the footprint of both.

What is metered stays as it is. What is not is added by the factors of the ledger, each with its range and
sources: the host where accelerators alone are metered, the network, the losses of the data centre, the making
of the hardware. `LoggedRun.parts` tells them apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from cohort.errors import CohortError, NotInDataError, ParameterError, bounded, extras, integer, one_of
from cohort.errors.arguments import explain
from cohort.footprint.accounts import Footprint, at_least, check_boundary
from cohort.footprint.contracts import Contract, Matched, match, parse_contract
from cohort.footprint.factors import Range, factor
from cohort.footprint.inputs import Case, central_values
from cohort.footprint.intensity import Series, read_series
from cohort.footprint.metered import OWN, UNNAMED, Group, LogFactors, Metered, Part
from cohort.footprint.places import Grid, grid_range
from cohort.footprint.places import grid as grid_of
from cohort.footprint.provenance import Provenance, about_place
from cohort.registry.devices import Accelerator, as_accelerator
from cohort.units import SECONDS_PER_HOUR

if TYPE_CHECKING:
    from cohort.footprint.logs.channels import PowerLog

USES = ("training", "serving")
ANYWHERE = "World"


@dataclass(frozen=True, slots=True)
class LoggedRun:
    """A run by its log.

    Attributes
    ----------
    log : PowerLog
        What was read.
    footprint : Footprint
        Within the boundary; its provenance has every factor with its range, and what was assumed.
    groups : tuple of Group
        The accelerators by kind, with their hours.
    share : float
        The share of what was metered that is the run's.
    use : str
        One of `USES`.
    series : Series or None
        Carbon intensity by the hour that was matched to the log.
    matched : Matched or None
        What contracts cover.
    """

    log: PowerLog
    footprint: Footprint
    groups: tuple[Group, ...]
    share: float
    use: str
    series: Series | None
    matched: Matched | None
    _metered: Metered = field(repr=False)

    @property
    def measured_kwh(self) -> float:
        """What the log itself metered, the run's share, in kWh; nothing is added."""
        metered = self._metered
        return metered.machine_kwh or metered.accelerators_kwh + metered.host_kwh

    def within(self, boundary: str) -> Footprint:
        """Return the footprint within another boundary, with the same factors.

        Parameters
        ----------
        boundary : str
            One of ``cohort.footprint.accounts.BOUNDARIES``.

        Returns
        -------
        Footprint
            With its provenance.

        Raises
        ------
        ParameterError
            If the log does not reach that boundary.
        """
        about = self.footprint.provenance
        assert about is not None
        _check(check_boundary(boundary), self._metered)
        again = _again(boundary, self._metered)
        return replace(again(central_values(about.factors)), provenance=replace(about, again=again))

    def parts(self) -> tuple[Part, ...]:
        """Return the parts of energy and CO2e within the boundary, each measured or estimated.

        Returns
        -------
        tuple of Part
            They add up to the footprint.
        """
        about = self.footprint.provenance
        assert about is not None
        return self._metered.parts(self.footprint, central_values(about.factors))


def from_log(
    paths: Any,
    *,
    boundary: str = "facility",
    grid: str | None = None,
    year: int | None = None,
    accelerator: str | Mapping[str, str] | None = None,
    share: float = 1.0,
    nodes: int = 1,
    use: str = "training",
    intensity: str | None = None,
    utc_offset_hours: float | None = None,
    contracts: Iterable[Contract | str] = (),
    residual_g_per_kwh: float | None = None,
    layout: str | None = None,
    columns: Iterable[str] | None = None,
    interval_s: float | None = None,
    meter: str = "accelerator",
    machines: int | None = None,
    **known: float | Range | None,
) -> LoggedRun:
    """Return a run and its footprint from the logs of its meters.

    Parameters
    ----------
    paths : path, sequence of paths or PowerLog
        One log, or several of the same run, as `cohort.footprint.logs.read_logs` takes them; or what it read.
    boundary : str
        One of ``cohort.footprint.accounts.BOUNDARIES``. The host counts from ``node`` on, the network and the
        losses of the data centre from ``facility`` on.
    grid : str, optional
        A place; by default the one that the log names, or else the world.
    year : int, optional
        The year of the factor of the place.
    accelerator : str or mapping of str to str, optional
        Which accelerator it ran on, where the log names none; or which by the name of a file or device.
    share : float
        The share of what was metered that is the run's: of a shared node, or of a device in partial use.
    nodes : int
        Machines of the run, where the log covers one of them; the others are taken as alike.
    use : str
        One of `USES`: what the ratio of host to accelerators is taken from.
    intensity : str, optional
        A CSV of carbon intensity by the hour, as `cohort.footprint.intensity.read_series` takes it.
    utc_offset_hours : float, optional
        Hours that the clock of a log in local time is ahead of UTC.
    contracts : iterable of Contract or str
        Electricity that was bought, in the order in which it is used.
    residual_g_per_kwh : float, optional
        CO2e by market of a kWh that no contract covers; by default that of the place.
    layout, columns, interval_s, meter, machines
        As `cohort.footprint.logs.read_logs` takes them.
    **known : float or Range, optional
        Any of `LogFactors`, such as ``pue``, ``host_ratio`` or ``grid_g_per_kwh``.

    Returns
    -------
    LoggedRun
        With what was metered, what was added, and what is missing or odd in the log.

    Raises
    ------
    ParameterError
        If a log cannot be read, does not reach the boundary, or a number is out of range.
    UnknownNameError
        If there is no such place, accelerator, layout, boundary or factor; the message names the nearest.
    MissingExtraError
        If NumPy or pandas is not installed.

    See Also
    --------
    training : From hours alone.
    cohort.reports.report_rows.disclosures : What reports ask for, filled from it.

    Examples
    --------
    >>> import cohort
    >>> run = cohort.footprint.from_log("sample_log.csv", grid="France")  # doctest: +SKIP
    >>> run.footprint.energy_kwh > run.measured_kwh  # doctest: +SKIP
    True
    """
    with extras():
        from cohort.footprint.logs.channels import PowerLog
        from cohort.footprint.logs.reading import read_logs
    log = paths
    if not isinstance(log, PowerLog):
        log = read_logs(
            paths, layout, columns=None if columns is None else list(columns), interval_s=interval_s,
            meter=meter, accelerator=accelerator, machines=machines,
        )  # fmt: skip
    part = bounded("share", share, 0, 1, above=True)
    metered, said = _metered(log, part, integer("nodes", nodes, 1))
    _check(check_boundary(boundary), metered)
    place, more = _place(log, grid, year)
    said += more
    ranges = _ranges(log, metered, place, boundary, one_of("use", use, USES), known)
    series = None
    if intensity is not None:
        series = read_series(intensity)
        said += _with_series(log, series, ranges, utc_offset_hours)
    matched = None
    again = _again(boundary, metered)
    given = [parse_contract(each) if isinstance(each, str) else each for each in contracts]
    if given or residual_g_per_kwh is not None:
        energy = again(central_values(ranges)).energy_kwh
        matched = _with_contracts(log, given, residual_g_per_kwh, ranges, energy, utc_offset_hours)
    said += (*_added(metered, boundary, ranges), *about_place(place, ranges))
    names = ", ".join(dict.fromkeys(group.device.name for group in metered.groups)) or "no accelerator"
    about = Provenance(", ".join(log.files), names, place, ranges, tuple(said), again)
    footprint = replace(again(central_values(ranges)), provenance=about)
    return LoggedRun(log, footprint, metered.groups, part, use, series, matched, metered)


def _again(boundary: str, metered: Metered) -> Callable[[Mapping[str, Any]], Footprint]:
    def again(values: Mapping[str, Any]) -> Footprint:
        return metered.footprint(boundary, values)

    return again


def _metered(log: PowerLog, share: float, nodes: int) -> tuple[Metered, list[str]]:
    """Return what a log metered of all nodes, the run's share of it, and what had to be assumed."""
    kinds: dict[str, list[Any]] = {}
    run, share = share, share * nodes
    devices: dict[str, Accelerator] = {}
    said = []
    for each in log.of("accelerator"):
        try:
            device = as_accelerator(each.name) if each.name else UNNAMED
        except CohortError:
            said.append(f"{each.name} is not in the data: its factors are those of other accelerators.")
            device = replace(UNNAMED, name=each.name)
        devices[device.name] = device
        kinds.setdefault(device.name, []).append(each)
    if UNNAMED.name in devices:
        said.append("The log names no accelerator: the factors are those of other accelerators.")
    groups = tuple(
        Group(
            devices[name],
            nodes * sum(each.number for each in own),
            share * sum(each.number * each.duration_s for each in own) / SECONDS_PER_HOUR,
            share * sum(each.energy_kwh for each in own),
        )
        for name, own in kinds.items()
    )
    if nodes > 1:
        said.append(f"The log covers one of {nodes} machines; the others are taken as alike.")
    if run < 1:
        said.append(f"The run has {100 * run:.3g}% of what was metered, as given.")
    host = share * log.energy_kwh("processor", "memory") if log.of("processor", "memory") else 0.0
    machine = share * log.energy_kwh("machine") if log.of("machine") else 0.0
    return Metered(groups, host, machine), list(dict.fromkeys(said))


def _check(boundary: str, metered: Metered) -> None:
    """Refuse a boundary that a log does not reach down to."""
    if at_least(boundary, "node") or metered.groups:
        if boundary == "accelerator_tdp":
            lacking = [group.device.name for group in metered.groups if group.device.tdp_w is None]
            if lacking:
                raise NotInDataError(f"the data hold no rated power of {lacking[0]}; name the accelerator")
        return
    raise ParameterError(
        f"the log meters no accelerator, but boundary {boundary!r} counts them alone; give 'node'"
    )


def _place(log: PowerLog, grid: str | None, year: int | None) -> tuple[Grid, list[str]]:
    """Return the factor of the place: given, named by the log, or of the world."""
    if grid is not None:
        return grid_of(grid, year), []
    if log.place:
        try:
            return grid_of(log.place, year), [f"The place is the one that the log names: {log.place}."]
        except CohortError:
            pass
    return grid_of(ANYWHERE, year), ["The place was not given: the factor is the mean of the world."]


def _ranges(
    log: PowerLog, metered: Metered, place: Grid, boundary: str, use: str, known: Mapping[str, Any]
) -> dict[str, Range]:
    """Return the factors: those given, those of each kind of accelerator, and the ranges of the data."""
    from cohort.footprint.logs.channels import together

    usual: dict[str, Any] = {}
    if metered.machine_kwh:
        usual["meter_ratio"] = factor("wall meter", "energy over that of its readings")
    if use == "serving":
        usual["host_ratio"] = factor("serving", "host over accelerator")
    if place != grid_of(place.place):
        region = grid_range(place.place)
        ends = (min(region.low, place.g_per_kwh), place.g_per_kwh, max(region.high, place.g_per_kwh))
        usual["grid_g_per_kwh"] = Range(*ends, "g/kWh", (place.source,))
    energy = together(log.of("machine") if metered.machine_kwh else log.of("accelerator") or log.channels)
    around = (energy.low / energy.central, energy.high / energy.central) if energy.central else (1.0, 1.0)
    usual["sample_ratio"] = Range(around[0], 1.0, around[1], "ratio")
    chosen = {**usual, **{name: value for name, value in known.items() if value is not None}}
    groups = metered.groups or (Group(UNNAMED, 0, 0.0, 0.0),)
    found = [LogFactors.ranges(Case(group.device, place.place, boundary), chosen) for group in groups]
    if len(found) == 1:
        return found[0]
    ranges = {name: each for name, each in found[0].items() if name not in OWN}
    for group, own in zip(groups, found, strict=True):
        ranges |= {f"{name}: {group.device.name}": own[name] for name in OWN}
    return ranges


def _with_series(log: PowerLog, series: Series, ranges: dict[str, Range], offset: float | None) -> list[str]:
    """Set the factor of the grid to the mean of a series, weighted by the energy of each hour; say how."""
    if log.clock == "none":
        raise ParameterError("the log has no clock, so carbon intensity by the hour cannot be matched to it")
    hours = 0.0 if offset is None else bounded("utc_offset_hours", offset, -14, 14, "hours")
    shift = -hours * SECONDS_PER_HOUR if log.clock == "local" else 0.0
    mean, covered = series.weighted(log.by_hour(shift))
    said = [
        f"Carbon intensity is by the hour, from {series.file} ({series.layout}): it counts {series.counts}."
    ]
    if log.clock == "local" and offset is None:
        said.append("The log is in local time, which is taken as UTC: give utc_offset_hours.")
    rest = ranges["grid_g_per_kwh"]
    if covered < 1:
        said.append(
            f"The series covers {100 * covered:.1f}% of the energy; the rest has the factor of the place."
        )
    low, central, high = (covered * mean + (1 - covered) * end for end in (rest.low, rest.central, rest.high))
    sources = rest.sources if covered < 1 else ()
    ranges["grid_g_per_kwh"] = Range(low, central, high, "g/kWh", sources)
    return said


def _with_contracts(
    log: PowerLog,
    contracts: list[Contract],
    residual: float | None,
    ranges: dict[str, Range],
    energy_kwh: float,
    offset: float | None,
) -> Matched:
    """Set the factor by market to that of contracts and of what they leave."""
    rest = ranges["grid_g_per_kwh"]
    if residual is not None:
        rest = Range.exact(bounded("residual_g_per_kwh", residual, 0, 2000, "g/kWh"), "g/kWh")
    if any(each.by_hour for each in contracts) and log.clock == "none":
        raise ParameterError("the log has no clock, so a contract of some hours cannot be matched to it")
    shift = (offset or 0.0) * SECONDS_PER_HOUR if log.clock == "utc" else 0.0
    hours = log.by_hour(shift) or {0: 1.0}
    scale = energy_kwh / (sum(hours.values()) or 1.0)
    bought = {hour: kwh * scale for hour, kwh in hours.items()}
    ends = [match(contracts, bought, end) for end in (rest.low, rest.central, rest.high)]
    low, central, high = (each.g_per_kwh for each in ends)
    ranges["market_g_per_kwh"] = Range(low, central, high, "g/kWh", rest.sources if low < high else ())
    return ends[1]


def _added(metered: Metered, boundary: str, ranges: Mapping[str, Range]) -> list[str]:
    """Return what was added to the log, a sentence each."""
    said = []
    if at_least(boundary, "node") and metered.groups and not metered.machine_kwh:
        name = next(name for name in ranges if name.startswith("host_ratio"))
        over = "; what was metered of it counts towards that" if metered.host_kwh else ""
        said.append(f"Host: {ranges[name].central:.2f} times what the accelerators draw{over}.")
    if at_least(boundary, "node") and not metered.groups and not metered.machine_kwh:
        said.append(f"Rest of the machine: {ranges['wall_ratio'].central:.2f} times processors and memory.")
    if at_least(boundary, "facility"):
        said.append(f"Network: {ranges['network_ratio'].central:.2f} times the nodes.")
        said.append(f"Cooling and losses: {ranges['pue'].central:.2f} times the machines.")
    if at_least(boundary, "with_embodied"):
        said.append(
            "Making: the share of the hours in the life of each accelerator, with its share of the server."
            if metered.groups
            else "Making: not assessed, since the log has no accelerator to spread it over."
        )
    return said


explain(__name__)
