"""Serving: the footprint of one answer, of a token, of a year of a service, and when use outweighs making."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from cohort.architecture.decoder import ModelSpec
from cohort.architecture.dtypes import precision, precisions
from cohort.architecture.registered import model as read_model
from cohort.errors import DoesNotFitError, ParameterError, bounded, integer, positive, unknown
from cohort.footprint.accounts import BOUNDARIES, Footprint, account, check_boundary
from cohort.footprint.energy import cache_joules, carried_over, joules_per_token, prompt_joules
from cohort.footprint.factors import DRAWN, GRID_TABLES, Range, assumptions, factor, given
from cohort.registry import facts
from cohort.registry.devices import Accelerator
from cohort.registry.devices import accelerator as find_accelerator
from cohort.serving.roofline import most_devices, serve, with_recent_kernels

DAYS_PER_YEAR = 365
JOULES_PER_KWH = 3.6e6
# An answer has no development of its own: that belongs to the model.
BOUNDARIES_OF_USE = BOUNDARIES[: BOUNDARIES.index("with_development")]
# Where no type of weights is given: the first that fits.
WEIGHT_DTYPES = ("bf16", "fp8")


@dataclass(frozen=True, slots=True)
class Service:
    """A model on the accelerators that serve it, and what one answer takes of them.

    Attributes
    ----------
    model : ModelSpec
        The model.
    device : Accelerator
        The accelerator.
    accelerators, concurrency, input_tokens, output_tokens : int
        Accelerators that share the model, requests in a step, and the lengths of prompt and answer.
    weight_dtype : str
        How the weights are stored.
    joules : float
        What the accelerators draw for an answer, in J.
    prompt_j, cache_j : float
        Of which for a prompt, and for a context, longer than that of a chat.
    accelerator_s : float
        Seconds of one accelerator that an answer takes.
    carried : float
        What a token takes with the coefficients scaled by the ratings of the accelerator, over what it takes
        with those of H100 as they are, which `joules` counts; 1 on H100, or where a rating is not known.
    """

    model: ModelSpec
    device: Accelerator
    accelerators: int
    concurrency: int
    input_tokens: int
    output_tokens: int
    weight_dtype: str
    joules: float
    prompt_j: float
    cache_j: float
    accelerator_s: float
    carried: float


def service(
    model: str | ModelSpec,
    accelerator: str | Accelerator = "H100 SXM 80GB",
    concurrency: int = 64,
    *,
    input_tokens: int,
    output_tokens: int,
    accelerators: int | None = None,
    weight_dtype: str | None = None,
    kv_dtype: str = "bf16",
) -> Service:
    """Return a service: on as few accelerators as hold the model and its requests, unless they are given.

    The time is that of `cohort.serving.serve` with recent kernels, as the engines have whose energy was
    measured, and at the least what the energy takes at the rated power.

    Parameters
    ----------
    model : str or ModelSpec
        A model, or its name.
    accelerator : str or Accelerator
        An accelerator, or its name.
    concurrency : int
        Requests that are answered at the same time.
    input_tokens, output_tokens : int
        Tokens of each prompt and of each answer.
    accelerators : int, optional
        Accelerators that share the model; by default the smallest power of two that holds it.
    weight_dtype : str, optional
        How the weights are stored; by default the first of `WEIGHT_DTYPES` that fits.
    kv_dtype : str
        How the cache is stored.

    Raises
    ------
    DoesNotFitError
        If no group of accelerators holds the model and the requests.
    ParameterError
        If a size is out of its range.
    UnknownNameError
        If a name is not known; the message names the nearest.
    """
    spec = read_model(model)
    device = accelerator if isinstance(accelerator, Accelerator) else find_accelerator(accelerator)
    lengths = {"input_tokens": input_tokens, "output_tokens": output_tokens}
    if weight_dtype is not None and weight_dtype not in precisions():
        raise unknown("weight_dtype", weight_dtype, precisions())
    if accelerators is not None:
        most = most_devices(device)
        accelerators = integer("accelerators", accelerators, 1, most, unit=f"of {device.name}")
    reason = "its attention heads cannot be shared"
    for dtype in (weight_dtype,) if weight_dtype else WEIGHT_DTYPES:
        for devices in _groups(spec, device) if accelerators is None else [accelerators]:
            if spec.parameters * precision(dtype).bytes_per_element > devices * device.memory_bytes:
                reason = "its weights take more than the memory"
                continue
            found = serve(
                spec, device, devices, concurrency, **lengths, weight_dtype=dtype, kv_dtype=kv_dtype,
                attained=with_recent_kernels(),
            )  # fmt: skip
            if found.fits:
                drawn = factor("training", DRAWN).central
                prompt = prompt_joules(spec, device, input_tokens, output_tokens, drawn, dtype)
                width = precision(kv_dtype).bytes_per_element
                cache = cache_joules(spec, input_tokens, output_tokens, width)
                chat = output_tokens * joules_per_token(spec, devices, concurrency, dtype)
                joules = chat + prompt + cache
                # No accelerator draws more than its rating, however soon the roofline has it done.
                shortest = joules / device.tdp_w if device.tdp_w else 0.0
                return Service(
                    spec, device, devices, concurrency, input_tokens, output_tokens, dtype,
                    joules, prompt, cache, max(devices / found.requests_per_s, shortest),
                    carried_over(spec, device, devices, concurrency, dtype),
                )  # fmt: skip
            reason = found.reason
    raise DoesNotFitError(
        f"{spec.name} with concurrency {concurrency:,} fits no group of {device.name}: on {devices}, {reason}"
    )


def _groups(spec: ModelSpec, device: Accelerator) -> list[int]:
    """Return the powers of two that the layers can be split over, on devices that are joined."""
    most, heads = most_devices(device), spec.attention_heads
    sizes = [2**power for power in range(most.bit_length()) if 2**power <= most]
    return [size for size in sizes if not any(number % size for number in heads)]


# Factors that answers have besides those of runs: entity and quantity in `footprint_factors`, the lowest and
# the highest value that may be given, and whether the lowest is excluded.
OWN_FACTORS = {
    "host_ratio": ("serving", "host over accelerator", 1.0, 10.0),
    "idle_share": ("serving", "share of idle machines", 0.0, 0.99),
    "energy_ratio": ("serving", "measured energy over that of the four terms", 0.01, 100.0),
}


def answer_factors(
    device: Accelerator,
    grid: str,
    known: Mapping[str, float | Range | None] | None = None,
    carried: float = 1.0,
) -> dict[str, Range]:
    """Return the factors of an answer: those known, and for the rest the ranges of the data.

    Parameters
    ----------
    device : Accelerator
        The accelerator.
    grid : str
        A place from ``cohort.grids()``.
    known : mapping of str to float or Range, optional
        What is known, by the names that `serving` takes; None is not known.
    carried : float
        That of the service. The range of ``energy_ratio`` is so many times wider, on the side where it lies.

    Returns
    -------
    dict of str to Range
        By those names, with ``energy_ratio``: what was measured over what the four terms give.

    Raises
    ------
    CohortError
        As `serving`.
    """
    asked = dict(known or {})
    own: dict[str, Range] = {}
    for name, (_, _, low, high) in OWN_FACTORS.items():
        value = asked.pop(name, None)
        if isinstance(value, Range):
            own[name] = value
        elif value is not None:
            own[name] = Range.exact(bounded(name, value, low, high), "ratio")
    stamps = tuple(facts.modified(name) for name in _FACTOR_TABLES)
    usual = dict(_usual(device, grid, stamps))
    ratio = usual["energy_ratio"]
    low, high = ratio.low * min(1.0, carried), ratio.high * max(1.0, carried)
    usual["energy_ratio"] = replace(ratio, low=low, high=high)
    return {**usual, **own, **given(asked)}


_FACTOR_TABLES = (*GRID_TABLES, "footprint_factors", "facilities")


@lru_cache(maxsize=64)
def _usual(device: Accelerator, grid: str, stamps: tuple[int, ...]) -> dict[str, Range]:
    """Return the factors of an answer of which nothing is known, kept until a table changes."""
    own = {name: factor(entity, quantity) for name, (entity, quantity, *_) in OWN_FACTORS.items()}
    own["idle_share"] = idle_share()
    # Power, utilisation and development are those of runs, and never read here.
    unused = {name: Range.exact(1.0, "ratio") for name in ("power_w", "mfu", "development")}
    found = assumptions(device, grid, "node", known=unused)
    return own | {name: each for name, each in found.items() if name not in unused}


def idle_share() -> Range:
    """Return the share of the energy of all machines that goes to those that wait.

    The data hold it as its source does, as a share of all energy; the losses of the data centre are in that.
    """
    shares = {
        row["quantity"].removeprefix(_SHARE): float(row["value"])
        for row in facts.rows("footprint_factors")
        if row["quantity"].startswith(_SHARE)
    }
    machines = sum(shares.values()) - shares["data centre"]
    found = factor(*OWN_FACTORS["idle_share"][:2])
    return replace(
        found, low=found.low / machines, central=found.central / machines, high=found.high / machines
    )


_SHARE = "share of the energy: "


def answer_footprint(boundary: str, found: Service, values: Mapping[str, Any]) -> Footprint:
    """Return the footprint of an answer from one value of each factor, or from arrays of them.

    Parameters
    ----------
    boundary : str
        One of `BOUNDARIES_OF_USE`.
    found : Service
        The service that gives it.
    values : mapping
        A number or an array of draws for each of the factors of `answer_factors`.

    Raises
    ------
    UnknownNameError
        If the boundary is not one of an answer.
    ParameterError
        If it is the rated power, and the data hold none of the accelerator.
    """
    if check_boundary(boundary) not in BOUNDARIES_OF_USE:
        raise unknown("boundary of an answer", boundary, BOUNDARIES_OF_USE)
    factors = dict(values)
    host, idle, ratio = (factors.pop(name) for name in OWN_FACTORS)
    if boundary == "accelerator_tdp":
        joules = _rated(found.device) * found.accelerator_s
    else:
        joules = found.joules * ratio
    if boundary not in ("accelerator_tdp", "accelerator"):
        joules = joules * host
    if boundary not in ("accelerator_tdp", "accelerator", "node"):
        joules = joules / (1 - idle)
    return account(
        boundary,
        it_energy_kwh=joules / JOULES_PER_KWH,
        accelerator_hours=found.accelerator_s / 3600,
        development=1.0,
        **factors,
    )


def _rated(device: Accelerator) -> float:
    if device.tdp_w is None:
        raise ParameterError(f"accelerator is {device.name}, but must be one whose rated power the data hold")
    return device.tdp_w


def serving(
    *,
    model: str | ModelSpec,
    input_tokens: int,
    output_tokens: int,
    accelerator: str | Accelerator = "H100 SXM 80GB",
    concurrency: int = 64,
    accelerators: int | None = None,
    weight_dtype: str | None = None,
    kv_dtype: str = "bf16",
    boundary: str = "facility",
    grid: str = "USA",
    grid_g_per_kwh: float | None = None,
    market_g_per_kwh: float | None = None,
    pue: float | None = None,
    host_ratio: float | None = None,
    idle_share: float | None = None,
    wue_onsite: float | None = None,
    wue_offsite: float | None = None,
    embodied_kg: float | None = None,
    embodied_water_l: float | None = None,
    lifetime_years: float | None = None,
    use_share: float | None = None,
) -> Footprint:
    """Return the footprint of one answer, with the central value of every factor that is not given.

    Parameters
    ----------
    model : str or ModelSpec
        A model, or its name.
    input_tokens, output_tokens : int
        Tokens of the prompt and of the answer.
    accelerator : str or Accelerator
        A name from ``cohort.accelerators()``. The energy was measured on H100; on others it is carried over.
    concurrency : int
        Requests that are answered at the same time.
    accelerators, weight_dtype, kv_dtype
        As in `service`.
    boundary : str
        One of `BOUNDARIES_OF_USE`. The host counts from ``node`` on, idle machines and the losses of the data
        centre from ``facility`` on, the making of the hardware from ``with_embodied`` on.
    grid : str
        A place from ``cohort.grids()``; decides what electricity emits and the water that it takes.
    grid_g_per_kwh, market_g_per_kwh : float, optional
        CO2e of a kWh: by location, instead of that of `grid`, and by the contracts of the buyer.
    pue : float, optional
        Energy of the data centre over that of its machines, 1 or more.
    host_ratio : float, optional
        Energy of accelerators with their hosts over that of the accelerators, 1 or more.
    idle_share : float, optional
        Share of the energy of all machines that goes to those that wait, below 1.
    wue_onsite, wue_offsite : float, optional
        Water in L: per kWh of the machines, and per kWh that is generated.
    embodied_kg, embodied_water_l : float, optional
        CO2e and water of making one accelerator with its share of the server.
    lifetime_years, use_share : float, optional
        How long it serves, in years, and the share of that time in which it works.

    Returns
    -------
    Footprint
        Energy, CO2e, water, heat and the share of the hardware. Its method ``times`` gives that of many.

    Raises
    ------
    DoesNotFitError
        If no group of accelerators holds the model and the requests.
    ParameterError
        If a number is out of range.
    UnknownNameError
        If there is no such model, accelerator, grid or boundary; the message names the nearest.

    Examples
    --------
    >>> import cohort
    >>> one = cohort.footprint.serving(model="llama-3-70b", input_tokens=200, output_tokens=400)
    >>> 0.1 < 1000 * one.energy_kwh < 0.5  # Wh
    True
    """
    found = service(
        model, accelerator, concurrency, input_tokens=input_tokens, output_tokens=output_tokens,
        accelerators=accelerators, weight_dtype=weight_dtype, kv_dtype=kv_dtype,
    )  # fmt: skip
    known = {
        "grid_g_per_kwh": grid_g_per_kwh,
        "market_g_per_kwh": market_g_per_kwh,
        "pue": pue,
        "host_ratio": host_ratio,
        "idle_share": idle_share,
        "wue_onsite": wue_onsite,
        "wue_offsite": wue_offsite,
        "embodied_kg": embodied_kg,
        "embodied_water_l": embodied_water_l,
        "lifetime_years": lifetime_years,
        "use_share": use_share,
    }
    ranges = answer_factors(found.device, grid, known, found.carried)
    return answer_footprint(boundary, found, {name: each.central for name, each in ranges.items()})


def per_million_tokens(answer: Footprint, output_tokens: int) -> Footprint:
    """Return the footprint of a million output tokens, their prompts included, from that of one answer."""
    return answer.times(1e6 / positive("output_tokens", output_tokens, "tokens"))


def per_year(answer: Footprint, answers_per_day: float) -> Footprint:
    """Return the footprint of a year of a service, from that of one answer."""
    return answer.times(DAYS_PER_YEAR * positive("answers_per_day", answers_per_day, "answers"))


def break_even(made: Footprint, answer: Footprint) -> float:
    """Return after how many answers their CO2e exceeds that of making the model.

    Both are taken as they are given: compare at the same boundary, or the hardware alone with the hardware
    of a wider one (a model's development has no counterpart in an answer).

    Parameters
    ----------
    made, answer : Footprint
        Of the model, and of one answer.

    Raises
    ------
    ParameterError
        If the boundaries differ, but for development; or the answer emits nothing.
    """
    same = made.boundary == answer.boundary
    if not same and (made.boundary, answer.boundary) != ("with_development", "with_embodied"):
        raise ParameterError(
            f"the model is counted within {made.boundary!r} and the answer within {answer.boundary!r}, "
            "but both must have the same boundary"
        )
    return made.co2e_kg / positive("the CO2e of an answer", answer.co2e_kg, "kg")
