"""What an hour of an accelerator costs, and what a joule and a second of it weigh."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from cohort.architecture.decoder import ModelSpec
from cohort.architecture.dtypes import precision, precisions
from cohort.architecture.formats import WeightFormat
from cohort.errors import CohortError, NotInDataError, positive
from cohort.errors.arguments import explain
from cohort.footprint.accounts import Footprint
from cohort.footprint.answers import answer_factors, answer_footprint
from cohort.footprint.carried import coefficients_on
from cohort.footprint.energy import cache_joules, joules_per_token, prompt_joules
from cohort.footprint.factors import DRAWN, factor
from cohort.footprint.hosting import Service
from cohort.footprint.inputs import central_values
from cohort.registry.devices import Accelerator, accelerator

BOUNDARY = "with_embodied"


@dataclass(frozen=True, slots=True)
class Weight:
    """What an answer weighs, as shares of its joules and of its seconds of one accelerator.

    Attributes
    ----------
    kwh_per_joule, kg_per_joule : float
        Energy at the meter, in kWh, and CO2e in kg, for a joule that an accelerator draws.
    kg_per_second : float
        CO2e of making the hardware, in kg for a second of one accelerator.
    """

    kwh_per_joule: float
    kg_per_joule: float
    kg_per_second: float


def price_of(device: Accelerator, prices: Mapping[str, float] | None) -> float | None:
    """Return the price of an hour of one accelerator.

    Parameters
    ----------
    device : Accelerator
        The accelerator.
    prices : mapping of str to float, optional
        Prices by any usual name of an accelerator, in USD; those that are not given are the middle between
        the lowest and the highest of the data.

    Returns
    -------
    float or None
        USD; None where there is none.

    Raises
    ------
    UnknownNameError
        If a price is for no known accelerator.
    ParameterError
        If a price is not a positive number.
    """
    given = {
        accelerator(name).name: positive(f"price of {name}", usd) for name, usd in (prices or {}).items()
    }
    if device.name in given:
        return given[device.name]
    return None if device.usd_per_hour is None else sum(device.usd_per_hour) / 2


@lru_cache(maxsize=256)
def weight_of(device: Accelerator, place: str) -> Weight | None:
    """Return what answers of an accelerator weigh at a place, by the central factors of the data.

    Parameters
    ----------
    device : Accelerator
        The accelerator.
    place : str
        A place from ``cohort.grids()``.

    Returns
    -------
    Weight or None
        None where the data lack what making or running the accelerator takes.

    Raises
    ------
    UnknownNameError
        If there is no such place.
    """
    try:
        values = central_values(answer_factors(device, place))
    except NotInDataError:
        return None

    def of(joules: float, seconds: float) -> Footprint:
        unit = Service(
            None, device, 1, 1, 1, 1, "bf16", joules, 0.0, 0.0, seconds, 1.0,  # type: ignore[arg-type]
        )  # fmt: skip
        return answer_footprint(BOUNDARY, unit, values)

    joule, second = of(1.0, 0.0), of(0.0, 1.0)
    return Weight(joule.energy_kwh, joule.co2e_kg, second.co2e_kg)


class Draw:
    """What the accelerators of a service draw for an answer, but for what depends on how many share it."""

    def __init__(
        self,
        spec: ModelSpec,
        device: Accelerator,
        stored: WeightFormat,
        kv_dtype: str,
        lengths: tuple[int, int],
    ) -> None:
        self._spec, self._output = spec, lengths[1]
        name = stored.precision(
            "expert_up" if spec.experts else "up", len(spec.layers) // 2, len(spec.layers)
        ).name
        self._dtype = name if name in precisions() else "bf16"
        self._kept = coefficients_on(device)
        self._fixed = cache_joules(spec, *lengths, precision(kv_dtype).bytes_per_element, self._kept)
        drawn = factor("training", DRAWN).central
        try:
            self._fixed += prompt_joules(spec, device, *lengths, drawn, self._dtype)
        except CohortError:  # the data hold no rated power
            self._fixed = float("nan")

    def joules(self, accelerators: int, concurrency: int) -> float:
        """Return what an answer draws.

        Parameters
        ----------
        accelerators, concurrency : int
            Accelerators that share a copy, and answers that it writes at once.

        Returns
        -------
        float
            J; NaN where the rating of the accelerator is not known.
        """
        token = joules_per_token(self._spec, accelerators, concurrency, self._dtype, self._kept)
        return self._output * token + self._fixed


explain(__name__)
