"""Problems of the chapter `serving_roofline`, worked out with its own service."""

from __future__ import annotations

from cohort.architecture.decoder import ModelSpec
from cohort.architecture.dtypes import precision
from cohort.architecture.registered import title
from cohort.chapters.serving_roofline.figures import TERA
from cohort.display.problems import Problem
from cohort.display.words import counted, inflected, significant
from cohort.registry.devices import accelerator as find_accelerator
from cohort.registry.devices import sixteen_bit_type
from cohort.serving.roofline import Serving, compute_bound_concurrency, weights_read
from cohort.units import SECONDS_PER_HOUR


def worked(
    spec: ModelSpec, alone: Serving, service: Serving, weight_dtype: str, usd_per_hour: float
) -> list[Problem]:
    """Return three problems with their solutions: the fastest answer, the turning point, and a price.

    Parameters
    ----------
    spec : ModelSpec
        The model.
    alone, service : Serving
        One answer at a time, and the chosen number of them.
    weight_dtype : str
        Type of the weights.
    usd_per_hour : float
        USD for an hour of one accelerator.

    Returns
    -------
    list of Problem

    Raises
    ------
    CohortError
        If there is no such type.
    """
    width = precision(weight_dtype).bytes_per_element
    return [
        _fastest(spec, alone, width),
        _turning(spec, alone, weight_dtype, width),
        _price(service, usd_per_hour),
    ]


def _fastest(spec: ModelSpec, alone: Serving, width: float) -> Problem:
    """Ask how fast one answer can be written."""
    weights, bandwidth = weights_read(spec, 1), alone.bandwidth
    read = weights * width
    return Problem(
        f"To write a token, {title(spec)} reads {significant(weights / 1e9)} billion weights of "
        f"{_bytes(width)} from {counted(alone.devices, 'device')} of {alone.accelerator}, "
        f"{significant(bandwidth / TERA)} TB a second together. How fast can one answer be written?",
        (
            f"{significant(weights / 1e9)}e9 × {_bytes(width)} = {significant(read / 1e9)} GB.",
            f"{significant(read / 1e9)} GB ÷ {significant(bandwidth / TERA)} TB/s = "
            f"{significant(1e3 * read / bandwidth)} ms.",
            f"With launches, exchange and the share of the bandwidth that is attained, this chapter predicts "
            f"{significant(1e3 * alone.tpot_s)} ms.",
        ),
        f"At most {significant(bandwidth / read)} tokens a second; expected are "
        f"{significant(1 / alone.tpot_s)}.",
    )


def _bytes(width: float) -> str:
    return f"{width:g} {inflected(width, 'byte', 'bytes')}"


def _turning(spec: ModelSpec, alone: Serving, weight_dtype: str, width: float) -> Problem:
    """Ask from how many answers on a step is bound by compute."""
    device = find_accelerator(alone.accelerator)
    peak = device.peak(sixteen_bit_type(device)) if width >= 2 else alone.peak / alone.devices
    ridge, turned = peak / device.bandwidth, compute_bound_concurrency(spec, device, weight_dtype)
    dense = ridge * width / 2
    steps = (
        f"Ridge: {significant(peak / TERA)} TFLOP/s ÷ {significant(device.bandwidth / TERA)} TB/s = "
        f"{significant(ridge)} FLOP a byte.",
        f"A weight of {_bytes(width)} gives two operations for each answer: {significant(ridge)} × "
        f"{width:g} ÷ 2 = {significant(dense)} answers.",
    )
    more = (
        "Of a mixture each answer uses only some of the weights that a step reads, so that it takes more "
        "answers.",
    )
    return Problem(
        f"{device.name} multiplies {significant(peak / TERA)} TFLOP and reads "
        f"{significant(device.bandwidth / TERA)} TB a second. How many answers must share a step before it "
        f"waits for arithmetic, with weights in {weight_dtype}?",
        steps + more if turned > 1.05 * dense else steps,
        f"{counted(turned, 'answer')}, in whole ones.",
    )


def _price(service: Serving, usd_per_hour: float) -> Problem:
    """Ask what a million tokens cost."""
    rate, devices = service.output_tokens_per_s, service.devices
    second = devices * usd_per_hour / SECONDS_PER_HOUR
    return Problem(
        f"{counted(devices, 'device')} at USD {significant(usd_per_hour)} an hour each write "
        f"{significant(rate)} tokens a second, {counted(service.concurrency, 'answer')} at once. What do a "
        "million of them cost?",
        (
            f"A second costs {devices} × USD {significant(usd_per_hour)} ÷ 3,600 = USD "
            f"{significant(second)}.",
            f"A million tokens take 1e6 ÷ {significant(rate)} = {significant(1e6 / rate)} s.",
            f"{significant(1e6 / rate)} × USD {significant(second)} = USD "
            f"{significant(second * 1e6 / rate)}.",
        ),
        f"USD {significant(service.usd_per_million_tokens(usd_per_hour))}, if every place is always taken.",
    )
