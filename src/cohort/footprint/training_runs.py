"""Training runs: their accelerator hours, published or estimated, and their footprint."""

from __future__ import annotations

from collections.abc import Mapping

from cohort.architecture.decoder import ModelSpec
from cohort.architecture.registered import model as read_model
from cohort.errors import ParameterError, bounded, positive
from cohort.footprint.accounts import Footprint, account, check_boundary
from cohort.footprint.factors import Range, assumptions, given, grid_factors
from cohort.footprint.factors import mfu as usual_mfu
from cohort.registry import facts
from cohort.registry.devices import Accelerator, sixteen_bit_type
from cohort.registry.devices import accelerator as find_accelerator

MOST_HOURS = 1e10  # a million accelerators for a year


def training_tokens(model: str | ModelSpec) -> float:
    """Return the tokens that a registered model was trained on, as the data hold them.

    Raises
    ------
    ParameterError
        If they are not disclosed.
    """
    spec = read_model(model)
    fact = facts.of_model(spec.name).get("training_tokens") if spec.registered else None
    if fact is None or not fact.number:
        raise ParameterError(f"the training tokens of {spec.name} are not disclosed; give tokens")
    return float(fact.number)


def training_hours(flop: float, accelerator: str | Accelerator, mfu: float | None = None) -> float:
    """Return the hours of one accelerator that so much compute takes.

    Parameters
    ----------
    flop : float
        Training compute, usually six FLOP for each active parameter and token.
    accelerator : str or Accelerator
        A name from ``cohort.accelerators()``.
    mfu : float, optional
        Share of the dense 16-bit peak over the whole run, above 0 and at most 1; by default the central value
        of `cohort.footprint.factors.mfu`: a median of runs on A100, H100 or H800, inferred for all others.

    Raises
    ------
    ParameterError
        If a number is out of range, or the accelerator has no 16-bit peak in the data.
    """
    device = _device(accelerator)
    share = usual_mfu(device).central if mfu is None else bounded("mfu", mfu, 0, 1, above=True)
    return positive("flop", flop, "FLOP") / (device.peak(sixteen_bit_type(device)) * share * 3600)


def training(
    *,
    accelerator: str | Accelerator,
    accelerator_hours: float | None = None,
    model: str | ModelSpec | None = None,
    tokens: float | None = None,
    boundary: str = "facility",
    grid: str = "USA",
    grid_g_per_kwh: float | None = None,
    market_g_per_kwh: float | None = None,
    pue: float | None = None,
    apply_pue: bool | None = None,
    power_w: float | None = None,
    mfu: float | None = None,
    wue_onsite: float | None = None,
    wue_offsite: float | None = None,
    embodied_kg: float | None = None,
    embodied_water_l: float | None = None,
    lifetime_years: float | None = None,
    use_share: float | None = None,
    development: float | None = None,
) -> Footprint:
    """Return the footprint of a training run, with the central value of every factor that is not given.

    Parameters
    ----------
    accelerator : str or Accelerator
        A name from ``cohort.accelerators()``.
    accelerator_hours : float, optional
        Hours of one accelerator, summed over all. Without them they are estimated from a model's six FLOP for
        each active parameter and token.
    model : str or ModelSpec, optional
        The model, where the hours are not given.
    tokens : float, optional
        Its training tokens; by default those that the data hold.
    boundary : str
        One of `BOUNDARIES`.
    grid : str
        A place from ``cohort.grids()``; decides what electricity emits and the water that it takes.
    grid_g_per_kwh, market_g_per_kwh : float, optional
        CO2e of a kWh: by location, instead of that of `grid`, and by the contracts of the buyer (0 where all
        of it is matched); without the latter, both are the same.
    pue : float, optional
        Energy of the data centre over that of its machines, 1 or more.
    apply_pue : bool, optional
        Whether it counts; by default from the boundary ``facility`` on.
    power_w : float, optional
        Mean power of one accelerator in W, with its share of the node from the boundary ``node`` on.
    mfu : float, optional
        Share of the dense 16-bit peak over the whole run, where the hours are estimated.
    wue_onsite, wue_offsite : float, optional
        Water in L: per kWh of the machines, and per kWh that is generated.
    embodied_kg, embodied_water_l : float, optional
        CO2e and water of making one accelerator with its share of the server.
    lifetime_years, use_share : float, optional
        How long it serves, in years, and the share of that time in which it works.
    development : float, optional
        All compute over that of the final run, 1 or more.

    Returns
    -------
    Footprint
        Energy, CO2e, water, heat and the share of the hardware.

    Raises
    ------
    ParameterError
        If a number is out of range, or neither hours nor a model is given.
    UnknownNameError
        If there is no such accelerator, model, grid or boundary; the message names the nearest.

    Examples
    --------
    >>> import cohort
    >>> run = cohort.footprint.training(
    ...     accelerator="A100 SXM 80GB", accelerator_hours=184320, boundary="accelerator_tdp",
    ...     pue=1.1, apply_pue=True, grid_g_per_kwh=385,
    ... )
    >>> round(run.co2e_kg / 1000, 2)  # Llama 2 7B
    31.22
    """
    known = {
        "grid_g_per_kwh": grid_g_per_kwh,
        "market_g_per_kwh": market_g_per_kwh,
        "pue": pue,
        "power_w": power_w,
        "mfu": mfu,
        "wue_onsite": wue_onsite,
        "wue_offsite": wue_offsite,
        "embodied_kg": embodied_kg,
        "embodied_water_l": embodied_water_l,
        "lifetime_years": lifetime_years,
        "use_share": use_share,
        "development": development,
    }
    ranges = run_factors(accelerator, grid, boundary, known)
    compute = run_compute(accelerator_hours, model, tokens)
    central = {name: each.central for name, each in ranges.items()}
    return run_footprint(boundary, _device(accelerator), compute, central, apply_pue)


def run_factors(
    accelerator: str | Accelerator,
    grid: str,
    boundary: str,
    known: Mapping[str, float | Range | None] | None = None,
) -> dict[str, Range]:
    """Return the factors of a run: those known, and for the rest the ranges of the data.

    Parameters
    ----------
    accelerator, grid, boundary
        As in `training`.
    known : mapping of str to float or Range, optional
        What is known of the run, by the names of `assumptions`; None is not known.

    Returns
    -------
    dict of str to Range
        By the names of `assumptions`, with ``market_g_per_kwh`` where it was given.

    Raises
    ------
    CohortError
        As `training`.
    """
    own = given(known or {})
    device, within = _device(accelerator), check_boundary(boundary)
    grid_factors(grid)  # a place decides the water too, where what its electricity emits is given
    return assumptions(device, grid, within, known=own)


def run_compute(
    accelerator_hours: float | None, model: str | ModelSpec | None, tokens: float | None
) -> tuple[float | None, float | None]:
    """Return the hours of a run, or else the FLOP that they are estimated from; the other is None."""
    if accelerator_hours is not None:
        return bounded("accelerator_hours", accelerator_hours, 0, MOST_HOURS, "hours"), None
    if model is None:
        raise ParameterError("neither accelerator_hours nor a model is given; a run needs one of them")
    spec = read_model(model)
    return None, spec.training_flops(training_tokens(spec) if tokens is None else tokens)


def run_footprint(
    boundary: str,
    device: Accelerator,
    compute: tuple[float | None, float | None],
    values: Mapping[str, object],
    apply_pue: bool | None = None,
) -> Footprint:
    """Return the footprint of a run from one value of each factor, or from arrays of them.

    Parameters
    ----------
    boundary : str
        One of `BOUNDARIES`.
    device : Accelerator
        The accelerator, whose peak the hours are estimated from.
    compute : pair
        As `run_compute` returns it.
    values : mapping
        A number or an array of draws for each of the factors.
    apply_pue : bool, optional
        As in `training`.
    """
    factors = dict(values)
    share, watts = factors.pop("mfu"), factors.pop("power_w")
    hours, flop = compute
    if flop is not None:
        hours = flop / (device.peak(sixteen_bit_type(device)) * share * 3600)  # type: ignore[operator]
    energy = hours * watts / 1000  # type: ignore[operator]
    return account(boundary, it_energy_kwh=energy, accelerator_hours=hours, apply_pue=apply_pue, **factors)


def _device(accelerator: str | Accelerator) -> Accelerator:
    return accelerator if isinstance(accelerator, Accelerator) else find_accelerator(accelerator)
