"""What reports ask of a run: the rows of each, filled from a log, or "not assessed"."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from cohort.architecture.registered import model as read_model
from cohort.errors import NotInDataError, one_of, positive
from cohort.errors.arguments import explain
from cohort.footprint.accounts import at_least
from cohort.footprint.logged_runs import LoggedRun
from cohort.footprint.provenance import Provenance
from cohort.footprint.training_runs import training_tokens
from cohort.units import G_PER_KG, KG_PER_TONNE, WH_PER_KWH

NOT_ASSESSED = "not assessed"
STATUSES = ("measured", "derived", "estimated", "given", NOT_ASSESSED)
OPERATORS = ("own", "cloud")
FUNCTIONAL_UNIT = "R: functional unit"
SAME = 1e-9  # of an energy: the log alone


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a report.

    Attributes
    ----------
    row : str
        What the report asks for.
    value : float or str or None
        The answer; None where it is not assessed.
    unit : str
        Its unit; empty for words.
    low, high : float or None
        About where the 5th and the 95th percentile lie.
    method : str
        How it came about.
    sources : tuple of str
        Keys of ``references.bib``, or names of the files of the log.
    status : str
        One of `STATUSES`.
    """

    row: str
    value: float | str | None = None
    unit: str = ""
    low: float | None = None
    high: float | None = None
    method: str = ""
    sources: tuple[str, ...] = ()
    status: str = NOT_ASSESSED

    def with_unit(self, number: str) -> str:
        """Return a number with the unit of this cell, whatever a reader calls a functional unit.

        Parameters
        ----------
        number : str
            As it is written.

        Returns
        -------
        str
        """
        return f"{number} × {self.unit}" if self.row == FUNCTIONAL_UNIT else f"{number} {self.unit}".strip()


@dataclass(frozen=True, slots=True)
class About:
    """What a log does not hold, and reports ask for.

    Attributes
    ----------
    model : str
        A registered model, or the name of another.
    tokens : float or None
        Tokens of the training.
    flop : float or None
        FLOP of the run, where it is known otherwise.
    unit : str
        The functional unit, such as ``1,000 output tokens``.
    units : float or None
        How many of them the run gave.
    operator : str
        One of `OPERATORS`: whether the reporter owns the machines or rents them.
    """

    model: str = ""
    tokens: float | None = None
    flop: float | None = None
    unit: str = ""
    units: float | None = None
    operator: str = "own"


Report = tuple[str, str, tuple[Cell, ...]]  # its key, its title, its cells


def disclosures(run: LoggedRun, about: About | None = None) -> tuple[Report, ...]:
    """Return the rows of each report, filled from a run.

    Parameters
    ----------
    run : LoggedRun
        As `cohort.footprint.from_log` returns it.
    about : About, optional
        What the log does not hold.

    Returns
    -------
    tuple of (str, str, tuple of Cell)
        The key, the title and the cells of each report.

    Raises
    ------
    CohortError
        If `about` holds a number that is none, or an unknown operator.
    """
    asked = about or About()
    one_of("operator", asked.operator, OPERATORS)
    for name in ("tokens", "flop", "units"):
        if getattr(asked, name) is not None:
            positive(name, getattr(asked, name))
    return (
        ("annex_xi", "EU AI Act, Annex XI, section 1, point 2", tuple(_annex(run, asked))),
        ("model_documentation", "Code of practice, Model Documentation Form", tuple(_form(run, asked))),
        ("ghg_protocol", "GHG Protocol, scopes 2 and 3", tuple(_protocol(run, asked))),
        ("sci", "Software Carbon Intensity (ISO/IEC 21031), as for AI", tuple(_intensity(run, asked))),
        ("model_card", "Model card, environmental impact", tuple(_card(run, asked))),
    )


# What the cells share --------------------------------------------------------------------------------------


def _amount(
    run: LoggedRun, row: str, name: str, unit: str, worth: float, how: str, boundary: str = ""
) -> Cell:
    """Return the cell of an amount of the footprint, with its range and the sources of its factors."""
    whole = run.within(boundary) if boundary else run.footprint
    about = whole.provenance
    assert about is not None
    low, high = about.interval(name)
    value = float(getattr(whole, name))
    keys = _moving(about, name)
    own = name == "energy_kwh" and abs(value - run.measured_kwh) < SAME * value
    how = f"{how}; boundary: {whole.boundary.replace('_', ' ')}"
    sources, status = (*run.log.files, *keys), "measured" if own else "estimated"
    return Cell(row, value * worth, unit, low * worth, high * worth, how, sources, status)


def _moving(about: Provenance, name: str) -> list[str]:
    """Return the sources of the factors that move an amount, each once."""
    central = {factor: each.central for factor, each in about.factors.items()}
    value = getattr(about.again(central), name)
    return list(
        dict.fromkeys(
            key
            for factor, each in about.factors.items()
            if any(
                getattr(about.again({**central, factor: end}), name) != value for end in (each.low, each.high)
            )
            for key in each.sources
        )
    )


def _metered(run: LoggedRun) -> str:
    """Return how the energy was come by, in words."""
    counted = sorted({each.kind for each in run.log.channels})
    kinds = ", ".join(
        {"accelerator": "accelerators", "processor": "processors", "machine": "machines"}.get(k, k)
        for k in counted
    )
    rule = "difference of counters" if all(len(c.joules) for c in run.log.channels) else "trapezoidal rule"
    return f"metered: {kinds} ({', '.join(run.log.layouts)}), {rule}; the rest by factors"


def _flop(run: LoggedRun, about: About) -> Cell:
    """Return the compute of the run: given, or six FLOP for each active parameter and token."""
    row = "computation used"
    if about.flop is not None:
        return Cell(row, about.flop, "FLOP", method="as given", status="given")
    if not about.model or run.use != "training":
        return Cell(row)
    try:
        spec = read_model(about.model)
        tokens = about.tokens if about.tokens is not None else training_tokens(spec)
    except (NotInDataError, ValueError):
        return Cell(row, method="give model and tokens, or flop")
    return Cell(
        row, spec.training_flops(tokens), "FLOP",
        method=f"six FLOP for each active parameter and token, {tokens:.4g} tokens",
        sources=("hoffmann2022chinchilla",), status="derived",
    )  # fmt: skip


def _time(run: LoggedRun, row: str) -> Cell:
    how = "first to last sample of the log, pauses included"
    return Cell(row, run.log.duration_hours, "hours", method=how, sources=run.log.files, status="measured")


def _hardware(run: LoggedRun, row: str = "hardware") -> Cell:
    text = "; ".join(f"{group.number} x {group.device.name}" for group in run.groups)
    return Cell(
        row,
        text or None,
        method="as the log or the caller names it",
        sources=run.log.files,
        status="measured" if text else NOT_ASSESSED,
    )


def _hours(run: LoggedRun, row: str = "accelerator hours") -> Cell:
    hours = sum(group.hours for group in run.groups)
    how = "sum over devices of the time in the log" + (
        f", times the share of {run.share:g}" if run.share < 1 else ""
    )
    return (
        Cell(row, hours, "hours", method=how, sources=run.log.files, status="measured")
        if hours
        else Cell(row)
    )


def _named(cell: Cell, row: str, source: str) -> Cell:
    return Cell(**{**asdict(cell), "row": row, "sources": (*cell.sources, source)})


# The reports ------------------------------------------------------------------------------------------------


def _annex(run: LoggedRun, about: About) -> Iterator[Cell]:
    source = "aiact2024annexxi"
    yield _named(_flop(run, about), "(d) computational resources: floating point operations", source)
    yield _hardware(run, "(d) computational resources: hardware")
    yield _hours(run, "(d) computational resources: accelerator hours")
    yield _time(run, "(d) training time") if run.use == "training" else Cell("(d) training time")
    energy = _amount(
        run, "(e) energy consumption, known or estimated", "energy_kwh", "MWh", 1 / WH_PER_KWH, _metered(run)
    )
    yield _named(energy, energy.row, source)


def _form(run: LoggedRun, about: About) -> Iterator[Cell]:
    source = "gpaicode2025form"
    training = run.use == "training"
    yield _time(run, "Training time: wall clock") if training else Cell("Training time: wall clock")
    yield _hours(run, "Training time: hardware") if training else Cell("Training time: hardware")
    compute = _flop(run, about)
    yield _named(compute, "Amount of computation used for training", source)
    yield Cell("Measurement methodology (computation)", compute.method or None, status=compute.status)
    if training:
        yield _amount(
            run, "Amount of energy used for training", "energy_kwh", "MWh", 1 / WH_PER_KWH, _metered(run)
        )
    else:
        yield Cell("Amount of energy used for training")
    text = (
        f"{_metered(run)}; {' '.join(run.footprint.provenance.assumed)}" if run.footprint.provenance else ""
    )
    yield Cell(
        "Measurement methodology (energy)",
        text if training else None,
        status="given" if training else NOT_ASSESSED,
    )
    yield Cell("Benchmarked amount of computation used for inference")
    yield Cell("Measurement methodology (inference)")


def _protocol(run: LoggedRun, about: About) -> Iterator[Cell]:
    """Yield scope 2 by both methods, and the categories of scope 3 that a run touches.

    Who rents machines has the electricity in category 1 of scope 3, since it is the provider that buys it.
    """
    place = run.footprint.provenance.grid if run.footprint.provenance else None
    facility = "facility" if not at_least(run.footprint.boundary, "facility") else run.footprint.boundary
    upstream = " (a life-cycle factor: what is upstream of the plant belongs to category 3 of scope 3)"
    note = upstream if place is not None and place.scope == "life_cycle" else ""
    where = f"factor of {place.place}, {place.year}, {place.source}" if place is not None else ""
    if run.series is not None:
        where = f"by the hour, {run.series.file} ({run.series.layout})"
    location = _amount(
        run, "", "operational_kg", "t CO2e", 1 / KG_PER_TONNE, f"location-based: {where}{note}", facility
    )
    market = _amount(
        run,
        "",
        "operational_market_kg",
        "t CO2e",
        1 / KG_PER_TONNE,
        f"market-based: {_bought(run)}",
        facility,
    )
    made = _amount(
        run,
        "",
        "embodied_kg",
        "t CO2e",
        1 / KG_PER_TONNE,
        "share of the hours in the life of the hardware; the standard books it whole in the year of purchase",
        "with_embodied",
    )
    made = made if made.value else Cell("", method="the log names no hardware to spread the making over")
    scope2, scope3 = "ghgp2015scope2", "ghgp2011scope3"
    if about.operator == "own":
        yield _named(location, "Scope 2, location-based", scope2)
        yield _named(market, "Scope 2, market-based", scope2)
        yield Cell("Scope 3, category 1: purchased goods and services")
        yield _named(made, "Scope 3, category 2: capital goods", scope3)
    else:
        yield Cell(
            "Scope 2, location-based", method="the electricity is bought by the provider of the machines"
        )
        yield Cell(
            "Scope 2, market-based", method="the electricity is bought by the provider of the machines"
        )
        yield _named(location, "Scope 3, category 1: purchased services, electricity, location-based", scope3)
        yield _named(market, "Scope 3, category 1: purchased services, electricity, market-based", scope3)
        yield _named(made, "Scope 3, category 1: purchased services, hardware", scope3)
        yield Cell("Scope 3, category 2: capital goods", method="the hardware is the provider's")
    yield Cell("Scope 3, category 11: use of sold products")


def _bought(run: LoggedRun) -> str:
    """Return what contracts cover, in words."""
    if run.matched is None:
        return "no contract was given; the factor of the place stands in for the residual mix"
    told = [
        f"{contract.name} {kwh:,.4g} kWh at {contract.g_per_kwh:g} g/kWh" + _delivered(contract)
        for contract, kwh in run.matched.covered
    ]
    rest = f"rest {run.matched.rest_kwh:,.4g} kWh at {run.matched.rest_g_per_kwh:,.4g} g/kWh"
    return "; ".join([*told, rest])


def _delivered(contract: Any) -> str:
    return f", {contract.from_hour:02d} to {contract.to_hour:02d} h" if contract.by_hour else ""


def _intensity(run: LoggedRun, about: About) -> Iterator[Cell]:
    """Yield E, I, M, R and SCI = (E I + M) / R; of the two scores for AI, the one that the run is of."""
    source = "iso21031sci"
    wide = at_least(run.footprint.boundary, "with_embodied")
    whole = run.footprint if wide else run.within("with_embodied")
    energy = _amount(run, "E: energy", "energy_kwh", "kWh", 1.0, _metered(run), whole.boundary)
    yield _named(energy, energy.row, source)
    factors = whole.provenance.factors if whole.provenance else {}
    grid = factors["grid_g_per_kwh"]
    yield Cell(
        "I: carbon intensity, location-based",
        grid.central,
        "g/kWh",
        grid.low,
        grid.high,
        "mean of the run",
        grid.sources or ("given",),
        "estimated" if grid.sources else "given",
    )
    made = _amount(
        run,
        "M: embodied emissions",
        "embodied_kg",
        "g",
        G_PER_KG,
        "share of the hours in the life of the hardware",
        whole.boundary,
    )
    yield made if made.value else Cell("M: embodied emissions")
    both = ("SCI for AI, provider: training", "SCI for AI, consumer: inference")
    mine, other = both if run.use == "training" else both[::-1]
    if about.units is None or not about.unit:
        yield Cell(FUNCTIONAL_UNIT, method="give unit and units")
        yield Cell(mine)
    else:
        yield Cell(FUNCTIONAL_UNIT, about.units, about.unit, method="as given", status="given")
        how = "(E I + M) / R" if made.value else "E I / R; M is not assessed"
        score = _amount(
            run, mine, "co2e_kg", f"g per {about.unit}", G_PER_KG / about.units, how, whole.boundary
        )
        yield _named(score, mine, "scifor2025ai")
    yield Cell(other)


def _card(run: LoggedRun, about: About) -> Iterator[Cell]:
    place = run.footprint.provenance.grid if run.footprint.provenance else None
    if about.model:
        yield Cell("Model", about.model, method="as given", status="given")
    yield _hardware(run, "Hardware type")
    yield _hours(run, "Hours used")
    yield (
        Cell("Compute region", place.place, method="as given or as the log names it", status="given")
        if place
        else Cell("Compute region")
    )
    yield _amount(run, "Energy", "energy_kwh", "kWh", 1.0, _metered(run))
    yield _amount(run, "Carbon emitted", "co2e_kg", "kg CO2e", 1.0, "location-based")
    yield _amount(run, "Water", "water_l", "L", 1.0, "on site and where the electricity is generated")


def as_records(reports: tuple[Report, ...]) -> list[Mapping[str, Any]]:
    """Return all cells as plain values, each with its report.

    Parameters
    ----------
    reports : tuple of (str, str, tuple of Cell)
        As `disclosures` returns them.

    Returns
    -------
    list of dict
        Of text, numbers and None, which ``json.dumps`` takes.
    """
    return [
        {"report": key, **asdict(cell), "sources": list(cell.sources)}
        for key, _, cells in reports
        for cell in cells
    ]


explain(__name__)
