"""The audit: whether what a publisher prints follows from the rest of what is printed.

A published value is recomputed in every way that the other published values of the same run allow, at its own
boundary. It is contradicted where none of them comes within `TOLERANCE`. So of two values that disagree, the
one that something else supports stands, and the other falls. The rule sees every row of the table
`training_runs`; no run is named here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import median

from cohort.architecture.registered import model as read_model
from cohort.errors import NotInDataError
from cohort.errors.arguments import explain
from cohort.footprint.training_runs import training_flop, training_tokens
from cohort.registry import facts
from cohort.registry.devices import as_accelerator, sixteen_bit_type
from cohort.units import G_PER_KG, HOURS_PER_DAY, KG_PER_TONNE, TRILLION, WH_PER_KWH

TOLERANCE = 0.05
# What is recomputed; other fields are what it is recomputed from.
FIELDS = ("accelerator_hours", "energy_kwh", "co2e_t", "co2e_market_t", "water_l", "mfu", "flop_estimate")
# An estimate from outside rests on more than six FLOP a parameter and token: it may differ and be right.
ESTIMATE = "flop_estimate"


@dataclass(frozen=True, slots=True)
class Published:
    """One row of the table `training_runs` that holds a number."""

    run: str
    part: str
    field: str
    value: float
    unit: str
    boundary: str
    pue_applied: bool
    basis: str
    status: str
    source: str
    year: int


@dataclass(frozen=True, slots=True)
class Check:
    """A published value, and what follows for it from the others.

    Attributes
    ----------
    published : Published
        The row.
    recomputed : tuple of (str, float)
        How, and the value, in its unit; empty where nothing else that is published leads to it.
    """

    published: Published
    recomputed: tuple[tuple[str, float], ...]

    @property
    def nearest(self) -> float | None:
        """The recomputed value nearest to the published one."""
        values = [value for _, value in self.recomputed]
        return min(values, key=self._distance) if values else None

    @property
    def factor(self) -> float | None:
        """The published value over the nearest that was recomputed."""
        near = self.nearest
        if near is None:
            return None
        return 1.0 if near == self.published.value else self.published.value / near if near else float("inf")

    @property
    def contradicted(self) -> bool:
        """Whether it can be recomputed, and no way comes within `TOLERANCE`."""
        return bool(self.recomputed) and all(
            self._distance(value) > TOLERANCE for _, value in self.recomputed
        )

    def _distance(self, value: float) -> float:
        gap = abs(self.published.value - value)
        return gap / abs(value) if value else (0.0 if gap == 0 else float("inf"))


def published_rows() -> list[Published]:
    """Return the rows of the table `training_runs` that hold numbers."""
    return [
        Published(
            row["model_or_run"],
            row["part"],
            row["field"],
            float(row["value"]),
            row["unit"],
            row["boundary"],
            row["pue_applied"] == "yes",
            row["basis"],
            row["status"],
            row["source"],
            int(row["year"]),
        )
        for row in facts.rows("training_runs")
        if row["value"] and row["unit"] != "text"
    ]


def checks() -> list[Check]:
    """Return every published value of `FIELDS`, with what follows for it from the others.

    What was derived for the data is no publication and is left out, but others may follow from it.
    """
    rows = published_rows()
    words = {
        (row["model_or_run"], row["field"]): row["value"]
        for row in facts.rows("training_runs")
        if row["unit"] == "text"
    }
    return [
        Check(each, tuple(_Run(each, rows, words).ways()))
        for each in rows
        if each.field in FIELDS and each.status != "derived"
    ]


def contradictions() -> list[Check]:
    """Return the published values that contradict all that they can be recomputed from.

    Estimates of compute from outside are none: see `estimates_apart`.
    """
    return [each for each in checks() if each.contradicted and each.published.field != ESTIMATE]


def estimates_apart() -> list[Check]:
    """Return the estimates of compute that six FLOP for each parameter and token do not give."""
    return [each for each in checks() if each.contradicted and each.published.field == ESTIMATE]


def _plain(name: str) -> str:
    return re.sub(r"[- ]+", " ", name.casefold())


class _Run:
    """A published value among all rows: looks up what belongs to the same run, and recomputes."""

    def __init__(self, own: Published, rows: list[Published], words: dict[tuple[str, str], str]) -> None:
        self.own = own
        self.rows = rows
        self.words = words
        self.others = [row for row in rows if row.run == own.run and row is not own]

    def ways(self) -> Iterator[tuple[str, float]]:
        """Yield each way to recompute the value, with its result."""
        recomputed = {
            "accelerator_hours": (self._hours,),
            "energy_kwh": (self._energy,),
            "co2e_t": (self._co2e, self._as_on_other_cards),
            "water_l": (self._water,),
            "flop_estimate": (self._flop,),
            "mfu": (self._mfu,),
        }
        sums: tuple[Callable[[], Iterator[tuple[str, float]]], ...] = (self._parts, self._family, self._whole)
        for way in (*recomputed.get(self.own.field, ()), *sums):
            yield from way()

    def _find(self, field: str, **where: object) -> list[Published]:
        """Return other rows of the same run with a field and, by default, of the same part or of none."""
        found = [
            row
            for row in self.others
            if row.field == field and all(getattr(row, name) == value for name, value in where.items())
        ]
        if "part" in where:
            return found
        same = [row for row in found if row.part == self.own.part]
        return same or [row for row in found if not row.part]

    def _one(self, field: str, **where: object) -> float | None:
        found = self._find(field, **where)
        return found[0].value if len(found) == 1 else None

    # --- hours, power, energy

    def _hours(self) -> Iterator[tuple[str, float]]:
        count, days = self._one("accelerator_count"), self._one("training_days")
        if count and days:
            yield "accelerators x days", count * days * HOURS_PER_DAY
        rate, tokens = self._one("accelerator_hours_per_trillion_tokens"), self._one("tokens")
        if rate and tokens:
            yield "hours for a trillion tokens x tokens", rate * tokens / TRILLION

    def _known_hours(self) -> float | None:
        return self._one("accelerator_hours") or next((hours for _, hours in self._hours()), None)

    def _kilowatts(self) -> float | None:
        """Return the power of one accelerator at the boundary of the value."""
        near = {"facility": "node"}.get(self.own.boundary, self.own.boundary)
        watts = self._one("power_w", boundary=near)
        device = self.words.get((self.own.run, "accelerator"))
        if watts is None and near == "accelerator_tdp" and device:
            watts = as_accelerator(device).tdp_w
        return None if watts is None else watts / WH_PER_KWH

    def _losses(self) -> float | None:
        """Return the factor of the data centre: 1 where the value leaves it out, None where it is unknown."""
        return self._one("pue") if self.own.pue_applied else 1.0

    def _from_machines(self) -> Iterator[tuple[str, float]]:
        """Yield energies at the boundary of the value that do not rest on a published energy there."""
        hours, kilowatts, losses = self._known_hours(), self._kilowatts(), self._losses()
        name = " x PUE" if self.own.pue_applied else ""
        if hours and kilowatts and losses:
            yield f"hours x power{name}", hours * kilowatts * losses
        before = self._one("energy_kwh", boundary=self.own.boundary, pue_applied=False)
        if self.own.pue_applied and before and losses:
            yield "energy of the machines x PUE", before * losses

    def _energy(self) -> Iterator[tuple[str, float]]:
        yield from self._from_machines()
        same = {"boundary": self.own.boundary, "pue_applied": self.own.pue_applied}
        tonnes, grid = self._one("co2e_t", **same), self._grid()
        if tonnes and grid:
            yield "tonnes / grid factor", tonnes * KG_PER_TONNE / grid
        litres, per_kwh = self._one("water_l", **same), self._litres_per_kwh()
        if litres and per_kwh:
            yield "water / litres a kWh", litres / per_kwh

    def _energies(self) -> Iterator[tuple[str, float]]:
        """Yield every energy at the boundary of the value."""
        same = {"boundary": self.own.boundary, "pue_applied": self.own.pue_applied}
        printed = self._one("energy_kwh", **same)
        if printed:
            yield "energy", printed
        yield from self._from_machines()

    # --- CO2e and water

    def _grid(self) -> float | None:
        """Return kg of CO2e a kWh: that of the run, or the one average that its authors use by location."""
        own = self._one("grid_g_per_kwh")
        located = self.own.basis == "location" or self.own.field == "energy_kwh"
        if own is None and located:
            used = [float(row["value"]) for row in facts.rows("grids") if row["source"] == self.own.source]
            own = used[0] if len(used) == 1 else None
        return None if own is None else own / G_PER_KG

    def _co2e(self) -> Iterator[tuple[str, float]]:
        grid = self._grid()
        for how, energy in self._energies() if grid and self.own.boundary else ():
            yield f"{how} x grid factor", energy * grid / KG_PER_TONNE  # type: ignore[operator]

    def _as_on_other_cards(self) -> Iterator[tuple[str, float]]:
        """Yield what the hours give at the factor of the same makers' other cards: all, and of its year."""
        family = re.match(r"[a-z]+", _plain(self.own.run))
        found = [
            row
            for row in self.rows
            if row.field == "implied_kg_per_kwh"
            and row.boundary == self.own.boundary
            and row.run != self.own.run
            and family
            and re.match(rf"{family[0]}\b", _plain(row.run))
        ]
        hours, kilowatts = self._known_hours(), self._kilowatts()
        if not (hours and kilowatts and self.own.pue_applied and self._one("pue") is None):
            return
        energy, same = hours * kilowatts / KG_PER_TONNE, [row for row in found if row.year == self.own.year]
        if found:
            how = "hours x power x the factor of their other cards"
            yield how, energy * median(row.value for row in found)
        if 0 < len(same) < len(found):
            yield f"{how} of the year", energy * median(row.value for row in same)

    def _litres_per_kwh(self) -> float | None:
        """Return the water that a kWh takes where the run was, on site and off it."""
        site = self.words.get((self.own.run, "site"))
        if site is None:
            return None
        rows = [row for row in facts.rows("facilities") if row["place"] == site]
        found = [float(row["value"]) for row in rows if row["quantity"] in ("wue_onsite", "wue_offsite")]
        return sum(found) if len(found) == 2 else None

    def _water(self) -> Iterator[tuple[str, float]]:
        per_kwh = self._litres_per_kwh()
        for how, energy in self._energies() if per_kwh else ():
            yield f"{how} x litres a kWh", energy * per_kwh  # type: ignore[operator]

    # --- compute

    def _flop(self) -> Iterator[tuple[str, float]]:
        active, tokens = self._one("active_parameters"), self._one("tokens")
        if active and tokens:
            yield "6 FLOP x parameters x tokens", training_flop(active, tokens)
        elif self.own.run in facts.config_names():
            try:
                flop = read_model(self.own.run).training_flops(training_tokens(self.own.run))
            except NotInDataError:  # the tokens are not disclosed
                return
            yield "6 FLOP x parameters x tokens", flop

    def _mfu(self) -> Iterator[tuple[str, float]]:
        device, rate = self.words.get((self.own.run, "accelerator")), self._one("achieved_tflops")
        if device and rate:
            peaks = as_accelerator(device)
            yield "TFLOP/s / peak", rate * 1e12 / peaks.peak(sixteen_bit_type(peaks))

    # --- sums

    def _same(self, row: Published) -> bool:
        return (row.field, row.pue_applied) == (self.own.field, self.own.pue_applied)

    def _parts(self) -> Iterator[tuple[str, float]]:
        if self.own.part == "all":
            found = [
                row.value
                for row in self.rows
                if row.run == self.own.run and row.field == self.own.field and row.part not in ("", "all")
            ]
            if len(found) > 1:
                yield "sum of its parts", sum(found)

    def _family(self) -> Iterator[tuple[str, float]]:
        if self.own.run.endswith(" family"):
            name = _plain(self.own.run.removesuffix("family"))
            members = [
                row
                for row in self.rows
                if _plain(row.run).startswith(name)
                and row.run != self.own.run
                and row.part == self.own.part
                and (row.boundary == self.own.boundary and self._same(row))
            ]
            if len(members) > 1:
                yield "sum of its models", sum(row.value for row in members)

    def _whole(self) -> Iterator[tuple[str, float]]:
        """Yield a total with hardware as the run, the idle machines and the hardware."""
        if self.own.boundary == "with_embodied":
            run = self._find(self.own.field, part=self.own.part)
            rest = [row for part in ("idle", "embodied") for row in self._find(self.own.field, part=part)]
            if len(run) == 1 and len(rest) == 2:
                yield "run + idle machines + hardware", run[0].value + sum(row.value for row in rest)


explain(__name__)
