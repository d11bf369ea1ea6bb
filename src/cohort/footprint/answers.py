"""Serving: the footprint of one answer, of a token, of a year of a service, and when use outweighs making.

What an answer takes of the accelerators is `cohort.footprint.hosting`'s.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from cohort.architecture.decoder import ModelSpec
from cohort.errors import ParameterError, one_of, positive
from cohort.errors.arguments import explain
from cohort.footprint.accounts import BOUNDARIES, Footprint, account, at_least, check_boundary
from cohort.footprint.energy import MEASURED
from cohort.footprint.factors import Range, factor
from cohort.footprint.hosting import Service as Service
from cohort.footprint.hosting import service as service
from cohort.footprint.inputs import Case, Factors, traits
from cohort.footprint.places import Grid
from cohort.footprint.provenance import Provenance, about_place
from cohort.registry import facts
from cohort.registry.devices import Accelerator, rated_power
from cohort.units import DAYS_PER_YEAR, JOULES_PER_KWH, SECONDS_PER_HOUR

# An answer has no development of its own: that belongs to the model.
BOUNDARIES_OF_USE = BOUNDARIES[: BOUNDARIES.index("with_development")]


def idle_share() -> Range:
    """Return the share of the energy of all machines that goes to those that wait.

    The data hold it as its source does, as a share of all energy; the losses of the data centre are in that.

    Returns
    -------
    Range
        A fraction.

    Examples
    --------
    >>> round(idle_share().central, 3)
    0.108
    """
    shares = dict(_shares())
    machines = sum(shares.values()) - shares["data centre"]
    return factor("serving", "share of idle machines").times(1 / machines, "fraction")


def _shares() -> Iterator[tuple[str, float]]:
    """Yield the published shares of the energy of an answer, by what draws it."""
    for row in facts.rows("footprint_factors"):
        of, _, name = row["quantity"].partition(": ")
        if of == "share of the energy":
            yield name, float(row["value"])


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerFactors(Factors):
    """What the footprint of an answer is computed with: those of `Factors`, and its own.

    Attributes
    ----------
    host_ratio : float
        Energy of accelerators with their hosts over that of the accelerators, 1 or more.
    idle_share : float
        Share of the energy of all machines that goes to those that wait, below 1.
    energy_ratio : float
        Measured energy over that of the terms of `cohort.footprint.energy`.
    """

    host_ratio: Any = field(metadata=traits(1.0, 10.0, usual=("serving", "host over accelerator")))
    idle_share: Any = field(metadata=traits(0.0, 0.99, usual=lambda case: idle_share()))
    energy_ratio: Any = field(
        metadata=traits(0.01, 100.0, usual=("serving", "measured energy over that of the terms"))
    )


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
        What is known, by the names of `AnswerFactors`; None is not known.
    carried : float
        That of the service. The range of ``energy_ratio`` is so many times wider, on the side where it lies.

    Returns
    -------
    dict of str to Range
        By those names; without ``market_g_per_kwh`` where it is not given.

    Raises
    ------
    CohortError
        As `serving`.

    Examples
    --------
    >>> from cohort.registry.devices import accelerator
    >>> ranges = answer_factors(accelerator("B200"), "USA", {"pue": 1.2}, carried=0.5)
    >>> ranges["pue"].known, ranges["energy_ratio"].low
    (True, 0.2935)
    """
    return _factors_at(device, grid, known or {}, carried)[0]


def _factors_at(
    device: Accelerator, grid: str, known: Mapping[str, float | Range | None], carried: float
) -> tuple[dict[str, Range], Grid, AnswerFactors]:
    """Return the factors of an answer, the place that was looked up for them, and their central values."""
    found, place, own = AnswerFactors.looked_up(Case(device, grid, "node"), known)
    if known.get("energy_ratio") is None:
        found["energy_ratio"] = _wider(found["energy_ratio"], carried)
    return found, place, own


@lru_cache(maxsize=1024)
def _wider(usual: Range, carried: float) -> Range:
    """Return a range that is so many times wider, on the side where that lies."""
    low, high = usual.low * min(1.0, carried), usual.high * max(1.0, carried)
    return replace(usual, low=low, high=high)


def answer_footprint(
    boundary: str,
    found: Service,
    values: Mapping[str, Any] | AnswerFactors,
    provenance: Provenance | None = None,
) -> Footprint:
    """Return the footprint of an answer from one value of each factor, or from arrays of them.

    Parameters
    ----------
    boundary : str
        One of `BOUNDARIES_OF_USE`.
    found : Service
        The service that gives it.
    values : AnswerFactors, or mapping of str to float or array
        One for each of `AnswerFactors`.
    provenance : Provenance, optional
        What the footprint rests on, where that is known.

    Returns
    -------
    Footprint
        Its amounts are arrays where a factor is one.

    Raises
    ------
    UnknownNameError
        If the boundary is not one of an answer.
    NotInDataError
        If it is the rated power, and the data hold none of the accelerator.

    Examples
    --------
    >>> from cohort.footprint.inputs import central_values
    >>> found = service("llama-3-8b", input_tokens=200, output_tokens=400)
    >>> values = central_values(answer_factors(found.device, "USA"))
    >>> node, facility = (answer_footprint(each, found, values) for each in ("node", "facility"))
    >>> node.energy_kwh < facility.energy_kwh
    True
    """
    if boundary not in BOUNDARIES_OF_USE:
        one_of("boundary of an answer", check_boundary(boundary), BOUNDARIES_OF_USE)
    own = values if isinstance(values, AnswerFactors) else AnswerFactors(**values)
    if boundary == "accelerator_tdp":
        joules = rated_power(found.device) * found.accelerator_s
    else:
        joules = found.joules * own.energy_ratio
    if at_least(boundary, "node"):
        joules = joules * own.host_ratio
    if at_least(boundary, "facility"):
        joules = joules / (1 - own.idle_share)
    return account(
        boundary,
        own,
        it_energy_kwh=joules / JOULES_PER_KWH,
        accelerator_hours=found.accelerator_s / SECONDS_PER_HOUR,
        provenance=provenance,
    )


def serving(
    *,
    model: str | ModelSpec,
    input_tokens: int,
    output_tokens: int,
    accelerator: str | Accelerator = MEASURED,
    concurrency: int = 64,
    accelerators: int | None = None,
    weight_dtype: str | None = None,
    kv_dtype: str = "bf16",
    boundary: str = "facility",
    grid: str = "USA",
    **known: float | None,
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
    **known : float, optional
        Any of `AnswerFactors`, such as ``pue``, ``grid_g_per_kwh``, ``host_ratio`` or ``idle_share``.

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
        If there is no such model, accelerator, grid, boundary or factor; the message names the nearest.

    See Also
    --------
    per_million_tokens, per_year, break_even : What many answers take, and when it outweighs the training.
    training : The footprint of making the model.

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
    ranges, place, own = _factors_at(found.device, grid, known, found.carried)

    def again(values: Mapping[str, Any]) -> Footprint:
        return answer_footprint(boundary, found, values)

    assumed = _assumed(found, boundary, known) + about_place(place, ranges)
    about = Provenance(found.model.name, found.device.name, place, ranges, assumed, again)
    return answer_footprint(boundary, found, own, about)


def _assumed(found: Service, boundary: str, known: Mapping[str, float | None]) -> tuple[str, ...]:
    """Return what an answer has to assume beyond what was given, a sentence each."""
    said = (
        [] if found.device.name == MEASURED else [f"The energy was measured on {MEASURED} and carried over."]
    )
    if at_least(boundary, "node") and known.get("host_ratio") is None:
        said.append("The host was not given: the ratio of node to accelerators is that of the data.")
    if at_least(boundary, "facility") and known.get("idle_share") is None:
        said.append("Idle machines were not given: their share is that of the data.")
    return tuple(said)


def per_million_tokens(answer: Footprint, output_tokens: int) -> Footprint:
    """Return the footprint of a million output tokens, their prompts included.

    Parameters
    ----------
    answer : Footprint
        Of one answer.
    output_tokens : int
        Its tokens.

    Returns
    -------
    Footprint
        Within the same boundary.

    Raises
    ------
    ParameterError
        If `output_tokens` is not a number above 0.

    Examples
    --------
    >>> one = serving(model="llama-3-8b", input_tokens=200, output_tokens=400)
    >>> round(per_million_tokens(one, 400).energy_kwh / one.energy_kwh)
    2500
    """
    return answer.times(1e6 / positive("output_tokens", output_tokens, "tokens"))


def per_year(answer: Footprint, answers_per_day: float) -> Footprint:
    """Return the footprint of a year of a service.

    Parameters
    ----------
    answer : Footprint
        Of one answer.
    answers_per_day : float
        Answers in a day, above 0.

    Returns
    -------
    Footprint
        Within the same boundary.

    Raises
    ------
    ParameterError
        If `answers_per_day` is not a number above 0.

    Examples
    --------
    >>> one = serving(model="llama-3-8b", input_tokens=200, output_tokens=400)
    >>> round(per_year(one, 1000).energy_kwh / one.energy_kwh)
    365000
    """
    return answer.times(DAYS_PER_YEAR * positive("answers_per_day", answers_per_day, "answers"))


def break_even(made: Footprint, answer: Footprint) -> float:
    """Return after how many answers their CO2e exceeds that of making the model.

    Both are taken as they are given: compare at the same boundary, or the hardware alone with the hardware
    of a wider one (a model's development has no counterpart in an answer).

    Parameters
    ----------
    made, answer : Footprint
        Of the model, and of one answer.

    Returns
    -------
    float
        Answers.

    Raises
    ------
    ParameterError
        If the boundaries differ, but for development; or the answer emits nothing.

    Examples
    --------
    >>> one = serving(model="llama-3-8b", input_tokens=200, output_tokens=400)
    >>> round(break_even(one.times(5e9), one))
    5000000000
    """
    same = made.boundary == answer.boundary
    if not same and (made.boundary, answer.boundary) != ("with_development", "with_embodied"):
        raise ParameterError(
            f"the model is counted within {made.boundary!r} and the answer within {answer.boundary!r}, "
            "but both must have the same boundary"
        )
    return made.co2e_kg / positive("the CO2e of an answer", answer.co2e_kg, "kg")


explain(__name__)
