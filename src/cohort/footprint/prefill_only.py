"""Reading without writing: the footprint of texts that are embedded, ranked or scored, and of no answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cohort.architecture.decoder import ModelSpec
from cohort.architecture.dtypes import precision
from cohort.errors import integer
from cohort.errors.arguments import explain
from cohort.footprint.accounts import Footprint
from cohort.footprint.answers import answer_factors, answer_footprint
from cohort.footprint.carried import coefficients_on
from cohort.footprint.energy import MEASURED
from cohort.footprint.factors import DRAWN, factor
from cohort.footprint.hosting import Service, service
from cohort.footprint.inputs import central_values
from cohort.footprint.places import grid as grid_of
from cohort.footprint.provenance import Provenance, about_place
from cohort.registry.devices import Accelerator, rated_power
from cohort.serving.asked import checked_layout
from cohort.serving.groups import device_group, weights_read
from cohort.serving.roofline import attained
from cohort.units import GB

MOST_TEXTS = 65_536  # that are read together
ASSUMED = "Reading alone was not metered: its products draw what training draws, at the rate of serving."


def reading_service(
    model: str | ModelSpec,
    accelerator: str | Accelerator = MEASURED,
    batch: int = 64,
    *,
    input_tokens: int,
    accelerators: int | None = None,
    weight_dtype: str | None = None,
) -> Service:
    """Return a service that reads texts, several together, and writes nothing.

    The products of a text take their FLOPs at the rate that products attain; where texts are few and short,
    reading the weights for them takes more, and counts in place of it.

    Parameters
    ----------
    model : str or ModelSpec
        A model, or its name.
    accelerator : str or Accelerator
        An accelerator, or its name.
    batch : int
        Texts that are read together.
    input_tokens : int
        Tokens of each.
    accelerators : int, optional
        Accelerators that share the model; by default the smallest power of two that holds it.
    weight_dtype : str, optional
        How the weights are stored; by default the first of bf16 and fp8 that fits.

    Returns
    -------
    Service
        For one text: its ``output_tokens`` are 0, and all of its energy is that of the prompt.

    Raises
    ------
    CohortError
        As `service`; and where the data hold no rated power of the accelerator.

    Examples
    --------
    >>> found = reading_service("llama-3-8b", input_tokens=512)
    >>> found.output_tokens, found.joules == found.prompt_j
    (0, True)
    """
    texts = integer("batch", batch, 1, MOST_TEXTS, unit="texts")
    held = service(
        model, accelerator, 1, input_tokens=input_tokens, output_tokens=1,
        accelerators=accelerators, weight_dtype=weight_dtype,
    )  # fmt: skip
    spec, device, dtype = held.model, held.device, held.weight_dtype
    rated, drawn = rated_power(device), factor("training", DRAWN).central
    multiplied = (
        spec.prefill_flops(held.input_tokens) / attained().product_rate(device, dtype) * drawn * rated
    )
    width = precision(dtype).bytes_per_element / GB
    read = coefficients_on(device).read * weights_read(spec, texts * held.input_tokens) * width / texts
    joules = max(multiplied, read)
    group = device_group(spec, device, checked_layout(device, held.accelerators), dtype, "bf16", None)
    seconds = group.prompts(held.input_tokens, 0, texts) / texts * held.accelerators
    return replace(
        held, concurrency=texts, output_tokens=0, joules=joules, prompt_j=joules, cache_j=0.0,
        accelerator_s=max(seconds, joules / rated), carried=1.0,
    )  # fmt: skip


def prefill(
    *,
    model: str | ModelSpec,
    input_tokens: int,
    accelerator: str | Accelerator = MEASURED,
    batch: int = 64,
    accelerators: int | None = None,
    weight_dtype: str | None = None,
    boundary: str = "facility",
    grid: str = "USA",
    **known: float | None,
) -> Footprint:
    """Return the footprint of reading a text without writing one, as for an embedding or a score.

    Parameters
    ----------
    model : str or ModelSpec
        A model, or its name.
    input_tokens : int
        Tokens of the text.
    accelerator, batch, accelerators, weight_dtype
        As `reading_service` takes them.
    boundary, grid
        As `cohort.footprint.serving` takes them.
    **known : float, optional
        Any of `cohort.footprint.answers.AnswerFactors`.

    Returns
    -------
    Footprint
        Of one text. Its method ``times`` gives that of many.

    Raises
    ------
    CohortError
        As `cohort.footprint.serving`; and where the data hold no rated power of the accelerator.

    See Also
    --------
    cohort.footprint.serving : With an answer.

    Examples
    --------
    >>> import cohort
    >>> texts = cohort.footprint.prefill(model="qwen3-0.6b", input_tokens=512).times(1e6)
    >>> 0.1 < texts.energy_kwh < 2  # a million texts of 512 tokens
    True
    """
    found = reading_service(
        model, accelerator, batch, input_tokens=input_tokens, accelerators=accelerators,
        weight_dtype=weight_dtype,
    )  # fmt: skip
    ranges, place = answer_factors(found.device, grid, known), grid_of(grid)

    def again(values: Mapping[str, Any]) -> Footprint:
        return answer_footprint(boundary, found, values)

    assumed = (ASSUMED, *about_place(place, ranges))
    about = Provenance(found.model.name, found.device.name, place, ranges, assumed, again)
    return answer_footprint(boundary, found, central_values(ranges), about)


explain(__name__)
