"""The energy of serving on accelerators other than that of the fit: what of it follows their ratings.

Of each term on B200, beside the coefficients of H100 and with every model predicted without its own rows, one
lies nearer when it is scaled: a product takes the less, the more products an accelerator has for its power.
A byte that is read takes about the same, and so does a step. On 169 metered configurations of B200 with one
copy of the attention, which are no part of the fit, this takes the geometric standard deviation from 1.27 to
1.21 (``benchmarks/score_metered_energy.py``).
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from cohort.architecture.decoder import ModelSpec
from cohort.architecture.registered import model as read_model
from cohort.errors import NotInDataError
from cohort.errors.arguments import explain
from cohort.footprint.energy import MEASURED, Coefficients, coefficients, joules_per_token
from cohort.registry import facts
from cohort.registry.devices import Accelerator, as_accelerator, rated_power, sixteen_bit_type


def coefficients_on(device: Accelerator) -> Coefficients:
    """Return the coefficients of the energy of serving on an accelerator.

    Parameters
    ----------
    device : Accelerator
        The accelerator.

    Returns
    -------
    Coefficients
        Those of the fit, products scaled by rated power over the 16-bit peak; all as they are where the data
        lack one of the two.

    Examples
    --------
    >>> ratio = coefficients_on(as_accelerator("B200")).multiply / coefficients().multiply
    >>> round(ratio, 2)
    0.63
    """
    return _on(device, facts.modified("accelerators"), facts.modified("inference_calibration"))


@lru_cache(maxsize=256)
def _on(device: Accelerator, stamp: int, calibrated: int) -> Coefficients:
    kept = coefficients()
    try:
        return replace(kept, multiply=_by_ratings(device, stamp, kept).multiply)
    except NotInDataError:
        return kept


def carried_over(
    model: str | ModelSpec,
    device: Accelerator,
    accelerators: int = 1,
    concurrency: int = 1,
    weight_dtype: str = "bf16",
) -> float:
    """Return what scaling all coefficients by ratings would make of the energy of a token on an accelerator.

    A step and a token are scaled by rated power, reading by rated power over bandwidth, products by rated
    power over the 16-bit peak. The rows of B200 lie nearer to `coefficients_on`, which scales the last alone;
    this is how far another accelerator may be from them.

    Parameters
    ----------
    model : str or ModelSpec
        A model, or its name.
    device : Accelerator
        The accelerator.
    accelerators, concurrency, weight_dtype
        As `joules_per_token` takes them.

    Returns
    -------
    float
        Scaled energy over that of `coefficients_on`; 1 on the accelerator of the fit, or where the data lack
        a rating.

    Raises
    ------
    CohortError
        As `joules_per_token`; and where the data hold no 16-bit peak of the accelerator.

    Examples
    --------
    >>> carried_over("llama-3-8b", as_accelerator(MEASURED))
    1.0
    """
    if device.tdp_w is None:
        return 1.0
    case = (read_model(model), accelerators, concurrency, weight_dtype)
    return _carried(case, device, facts.modified("accelerators"), facts.modified("inference_calibration"))


@lru_cache(maxsize=4096)
def _carried(
    case: tuple[ModelSpec, int, int, str], device: Accelerator, stamp: int, calibrated: int
) -> float:
    kept = coefficients()
    scaled = _by_ratings(device, stamp, kept)
    return joules_per_token(*case, scaled) / joules_per_token(*case, _on(device, stamp, calibrated))


def _by_ratings(device: Accelerator, stamp: int, kept: Coefficients) -> Coefficients:
    """Return the coefficients scaled by the ratings of an accelerator."""
    of_fit = as_accelerator(MEASURED)
    power = rated_power(device) / rated_power(of_fit)
    peaks = [each.peak(sixteen_bit_type(each)) for each in (device, of_fit)]
    return replace(
        kept,
        step=kept.step * power,
        token=kept.token * power,
        read=kept.read * power * of_fit.bandwidth / device.bandwidth,
        multiply=kept.multiply * power * peaks[1] / peaks[0],
        expert=kept.expert * power,
    )


explain(__name__)
