"""Training runs: their accelerator hours, published or estimated, and their footprint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from cohort.architecture.decoder import ModelSpec
from cohort.architecture.registered import model as read_model
from cohort.errors import NotInDataError, ParameterError, bounded, positive
from cohort.errors.arguments import explain
from cohort.footprint.accounts import Footprint, account, at_least, check_boundary
from cohort.footprint.factors import Range, host_ratio, power
from cohort.footprint.factors import mfu as usual_mfu
from cohort.footprint.inputs import Case, Factors, traits, within
from cohort.footprint.provenance import Provenance, about_place
from cohort.registry import facts
from cohort.registry.devices import Accelerator, as_accelerator, sixteen_bit_type
from cohort.units import SECONDS_PER_HOUR, WH_PER_KWH

MOST_HOURS = 1e10  # a million accelerators for a year


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFactors(Factors):
    """What the footprint of a training run is computed with: those of `Factors`, and its own.

    Attributes
    ----------
    power_w : float
        Mean power of one accelerator in W, with its share of the node from the boundary ``node`` on.
    mfu : float
        Share of the dense 16-bit peak over the whole run, above 0 and at most 1, where hours are estimated.
    development : float
        All compute over that of the final run, 1 or more.
    """

    power_w: Any = field(
        metadata=traits(0.0, 1e5, "W", lambda case: power(case.device, case.boundary), above=True)
    )
    mfu: Any = field(metadata=traits(0.0, 1.0, usual=lambda case: usual_mfu(case.device), above=True))
    development: Any = field(
        metadata=traits(1.0, 1e4, usual=("development", "all compute over the final run"))
    )


def training_flop(active_parameters: Any, tokens: Any) -> Any:
    """Return the compute of a training run: six FLOP for each active parameter and token.

    Parameters
    ----------
    active_parameters, tokens : float or array
        Parameters that each token passes through, and tokens of the training.

    Returns
    -------
    float or array
        FLOP.

    Raises
    ------
    ParameterError
        If one is no number of 0 or more.

    Examples
    --------
    >>> training_flop(405e9, 15e12)
    3.645e+25
    """
    within("active_parameters", active_parameters, 0)
    return 6 * active_parameters * within("tokens", tokens, 0, unit="tokens")


def training_tokens(model: str | ModelSpec) -> float:
    """Return the tokens that a registered model was trained on, as the data hold them.

    Parameters
    ----------
    model : str or ModelSpec
        A model, or its name.

    Returns
    -------
    float
        Tokens.

    Raises
    ------
    UnknownNameError
        If there is no such model; the message names the nearest.
    NotInDataError
        If they are not disclosed.

    Examples
    --------
    >>> training_tokens("llama-3-8b")
    15000000000000.0
    """
    spec = read_model(model)
    fact = facts.of_model(spec.name).get("training_tokens") if spec.registered else None
    if fact is None or not fact.number:
        raise NotInDataError(f"the training tokens of {spec.name} are not disclosed; give tokens")
    return float(fact.number)


def made_by(model: str | ModelSpec) -> str:
    """Return how a model was made where it was not trained from nothing: by distillation, or by pruning too.

    Six FLOP for each of its own parameters and tokens are then less than its making took: a teacher read the
    tokens as well, and a model that was pruned had been trained before.

    Parameters
    ----------
    model : str or ModelSpec
        A model, or its name.

    Returns
    -------
    str
        As the table `training_runs` has it; empty for all other models.

    Raises
    ------
    UnknownNameError
        If there is no such model; the message names the nearest.

    Examples
    --------
    >>> made_by("llama-3.2-1b"), made_by("llama-3-8b")
    ('pruning and distillation', '')
    """
    spec = read_model(model)
    return _ways(facts.modified("training_runs")).get(spec.name, "") if spec.registered else ""


@lru_cache(maxsize=1)
def _ways(modified: int) -> dict[str, str]:
    rows = facts.rows("training_runs")
    return {row["model_or_run"]: row["value"] for row in rows if row["field"] == "made_by"}


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

    Returns
    -------
    float
        Hours.

    Raises
    ------
    UnknownNameError
        If there is no such accelerator; the message names the nearest.
    ParameterError
        If a number is out of range.
    NotInDataError
        If the accelerator has no 16-bit peak in the data.

    Examples
    --------
    >>> round(training_hours(3.8e25, "H100 SXM 80GB", mfu=0.4) / 1e6, 1)
    26.7
    """
    device = as_accelerator(accelerator)
    share = usual_mfu(device).central if mfu is None else bounded("mfu", mfu, 0, 1, above=True)
    return float(_hours(positive("flop", flop, "FLOP"), device, share))


def _hours(flop: Any, device: Accelerator, share: Any) -> Any:
    return flop / (device.peak(sixteen_bit_type(device)) * share * SECONDS_PER_HOUR)


def training(
    *,
    accelerator: str | Accelerator,
    accelerator_hours: float | None = None,
    model: str | ModelSpec | None = None,
    tokens: float | None = None,
    boundary: str = "facility",
    grid: str = "USA",
    apply_pue: bool | None = None,
    node_power_w: float | None = None,
    **known: float | None,
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
    apply_pue : bool, optional
        Whether the losses of the data centre count; by default from the boundary ``facility`` on.
    node_power_w : float, optional
        Measured mean power in W of one accelerator with its share of the node.
    **known : float, optional
        Any of `RunFactors`, such as ``pue``, ``grid_g_per_kwh`` or ``mfu``; but ``power_w`` is what the
        accelerator itself draws: from the boundary ``node`` on, the host is added to it.

    Returns
    -------
    Footprint
        Energy, CO2e, water, heat and the share of the hardware; its ``provenance`` says what was assumed.

    Raises
    ------
    ParameterError
        If a number is out of range, or neither hours nor a model is given.
    UnknownNameError
        If there is no such accelerator, model, grid, boundary or factor; the message names the nearest.

    See Also
    --------
    serving : The footprint of one answer.
    cohort.footprint.published_runs.run_of : What is published of a model's training.

    Examples
    --------
    >>> import cohort
    >>> run = cohort.footprint.training(
    ...     accelerator="A100 SXM 80GB", accelerator_hours=184320, boundary="accelerator_tdp",
    ...     pue=1.1, apply_pue=True, grid_g_per_kwh=385,
    ... )
    >>> round(run.co2e_kg / 1000, 2)  # Llama 2 7B
    31.22
    >>> measured = cohort.footprint.training(accelerator="H100 SXM 80GB", accelerator_hours=800, power_w=612)
    >>> measured.provenance.assumed
    ('The host was not given: the node takes 1.54 times what its accelerators draw.',)
    """
    device = as_accelerator(accelerator)
    power_known, assumed = _with_host(device, boundary, known.get("power_w"), node_power_w)
    case = Case(device, grid, check_boundary(boundary))
    ranges, place, own = RunFactors.looked_up(case, {**known, **power_known})
    compute = run_compute(accelerator_hours, model, tokens)

    def again(values: Mapping[str, Any]) -> Footprint:
        return run_footprint(boundary, device, compute, values, apply_pue)

    subject = "hours"
    if accelerator_hours is None and model is not None:
        subject, way = read_model(model).name, made_by(model)
        if way:
            assumed += (f"{subject} was made by {way}: its own size and tokens give too few hours.",)
    about = Provenance(
        subject, device.name, place, ranges, (*assumed, *about_place(place, ranges)), again
    )  # fmt: skip
    return run_footprint(boundary, device, compute, own, apply_pue, about)


def _with_host(
    device: Accelerator, boundary: str, own: float | Range | None, node: float | None
) -> tuple[dict[str, float | Range | None], tuple[str, ...]]:
    """Return the power at a boundary from a measured one, and what that had to assume."""
    if node is not None:
        if own is not None or not at_least(boundary, "node"):
            raise ParameterError("node_power_w goes without power_w, and with a boundary from 'node' on")
        return {"power_w": node}, ()
    if own is None or not at_least(boundary, "node"):
        return {}, ()
    RunFactors.given({"power_w": own})
    ratio = host_ratio(device)
    ends = (ratio.low, ratio.central, ratio.high)
    low, high = (own.low, own.high) if isinstance(own, Range) else (own, own)
    middle = own.central if isinstance(own, Range) else own
    power_w = Range(low * ends[0], middle * ends[1], high * ends[2], "W", ratio.sources)
    said = f"The host was not given: the node takes {ends[1]:.2f} times what its accelerators draw."
    return {"power_w": power_w}, (said,)


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
        What is known of the run, by the names of `RunFactors`; None is not known.

    Returns
    -------
    dict of str to Range
        By those names; without ``market_g_per_kwh`` where it is not given.

    Raises
    ------
    CohortError
        As `training`.

    Examples
    --------
    >>> run_factors("H100 SXM 80GB", "France", "facility", {"pue": 1.2})["grid_g_per_kwh"].high
    45.54958
    """
    return RunFactors.ranges(Case(as_accelerator(accelerator), grid, check_boundary(boundary)), known)


def run_compute(
    accelerator_hours: float | None, model: str | ModelSpec | None, tokens: float | None
) -> tuple[float | None, float | None]:
    """Return the hours of a run, or else the FLOP that they are estimated from.

    Parameters
    ----------
    accelerator_hours, model, tokens
        As in `training`.

    Returns
    -------
    pair of float or None
        Hours and FLOP, one of them None.

    Raises
    ------
    ParameterError
        If a number is out of range, or neither hours nor a model is given.
    UnknownNameError
        If there is no such model; the message names the nearest.

    Examples
    --------
    >>> run_compute(1e6, None, None)
    (1000000.0, None)
    """
    if accelerator_hours is not None:
        return bounded("accelerator_hours", accelerator_hours, 0, MOST_HOURS, "hours"), None
    if model is None:
        raise ParameterError("neither accelerator_hours nor a model is given; a run needs one of them")
    spec = read_model(model)
    return None, spec.training_flops(training_tokens(spec) if tokens is None else tokens)


def run_footprint(
    boundary: str,
    device: Accelerator,
    compute: tuple[Any, Any],
    values: Mapping[str, Any] | RunFactors,
    apply_pue: bool | None = None,
    provenance: Provenance | None = None,
) -> Footprint:
    """Return the footprint of a run from one value of each factor, or from arrays of them.

    Parameters
    ----------
    boundary : str
        One of `BOUNDARIES`.
    device : Accelerator
        The accelerator, whose peak the hours are estimated from.
    compute : pair of float or array
        As `run_compute` returns it.
    values : RunFactors, or mapping of str to float or array
        One for each of `RunFactors`.
    apply_pue : bool, optional
        As in `training`.
    provenance : Provenance, optional
        What the footprint rests on, where that is known.

    Returns
    -------
    Footprint
        Its amounts are arrays where a factor is one.

    Raises
    ------
    UnknownNameError
        If there is no such boundary.
    NotInDataError
        If hours have to be estimated and the data hold no 16-bit peak of the accelerator.
    ParameterError
        If neither hours nor compute are given.

    Examples
    --------
    >>> from cohort.footprint.inputs import central_values
    >>> values = central_values(run_factors("H100 SXM 80GB", "USA", "node"))
    >>> round(run_footprint("node", as_accelerator("H100 SXM 80GB"), (1000, None), values).energy_kwh, 1)
    968.8
    """
    own = values if isinstance(values, RunFactors) else RunFactors(**values)
    hours, flop = compute
    if flop is not None:
        hours = _hours(flop, device, own.mfu)
    elif hours is None:
        raise ParameterError("a run needs the hours of its accelerators or its compute; neither was given")
    return account(
        boundary,
        own,
        it_energy_kwh=hours * own.power_w / WH_PER_KWH,
        accelerator_hours=hours,
        development=own.development,
        apply_pue=apply_pue,
        provenance=provenance,
    )


explain(__name__)
