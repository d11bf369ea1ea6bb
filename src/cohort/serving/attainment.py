"""What engines attain of an accelerator's peaks, and the fixed times that come to it.

The shares and the times are data, fitted by `benchmarks/calibrate_serving.py` to measurements that are marked
for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from statistics import median

from cohort.registry import facts
from cohort.registry.devices import NATIVE, Accelerator, accelerator, multiplied_type
from cohort.units import SECONDS, TRILLION


@dataclass(frozen=True, slots=True, eq=False)
class Attained:
    """What engines attain of an accelerator's peaks, and the times that do not depend on them.

    Attributes
    ----------
    weights : mapping of str to float
        Share of the memory's bandwidth at which weights are read, by their type; ``16-bit`` stands for bf16,
        fp16 and fp32.
    cache : float
        Share of the bandwidth at which the cache is read.
    matrices : mapping of str to float
        Share of the fastest matrix product that products attain, by ``16-bit`` and ``fp8``.
    products : mapping of (str, str) to float
        The fastest measured matrix product of an accelerator, by its name and ``16-bit`` or ``fp8``, as a
        share of its peak; others have the median of their type.
    scores : mapping of str to float
        Share of the 16-bit peak at which one new query is scored: ``grouped``, or ``latent`` where all heads
        share one vector.
    layer_s, sequence_s : float
        Seconds of each layer, and of each sequence, in a step.
    all_reduce_s : float
        Seconds of an all-reduce of nothing.
    link : float
        Share of the link's bandwidth that an all-reduce attains.
    """

    weights: Mapping[str, float]
    cache: float
    matrices: Mapping[str, float]
    products: Mapping[tuple[str, str], float]
    scores: Mapping[str, float]
    layer_s: float
    sequence_s: float
    all_reduce_s: float
    link: float

    def product(self, accelerator: str, width: str) -> float:
        """Return the share of the peak that matrix products attain.

        Parameters
        ----------
        accelerator : str
            Name of the accelerator.
        width : str
            ``16-bit`` or ``fp8``.

        Returns
        -------
        float
            From 0 to 1.
        """
        share = self.products.get((accelerator, width))
        if share is None:
            share = median(share for (_, kind), share in self.products.items() if kind == width)
        return self.matrices[width] * share

    def product_rate(self, device: Accelerator, weight_dtype: str) -> float:
        """Return the operations a second that products with weights of a type attain on one device.

        Parameters
        ----------
        device : Accelerator
            The accelerator.
        weight_dtype : str
            How the weights are stored; fp8 and fp4 are multiplied as such where the accelerator can.

        Returns
        -------
        float
            Operations a second.

        Raises
        ------
        NotInDataError
            If the data hold no peak of the accelerator.

        Examples
        --------
        >>> import cohort
        >>> h100 = cohort.accelerator("H100 SXM 80GB")
        >>> cohort.serving.ROOFLINE.product_rate(h100, "fp8") / 1e12
        1979.0
        """
        dtype = multiplied_type(device, weight_dtype)
        return self.product(device.name, share_name(dtype)) * device.peak(dtype)


_ALL = {"16-bit": 1.0, "fp8": 1.0, "int8": 1.0, "int4": 1.0}
_PRODUCTS = {("", "16-bit"): 1.0, ("", "fp8"): 1.0}

# A roofline without attained shares and without fixed times: the peaks alone.
ROOFLINE = Attained(_ALL, 1.0, _ALL, _PRODUCTS, {"grouped": 1.0, "latent": 1.0}, 0.0, 0.0, 0.0, 1.0)


def share_name(dtype: str) -> str:
    """Return the name under which the shares of a type of number are kept.

    Parameters
    ----------
    dtype : str
        A type, as `cohort.architecture.precisions` names it.

    Returns
    -------
    str
        ``16-bit`` for bf16, fp16 and fp32; ``fp8`` for fp8 and all of fp4; else the type itself.

    Examples
    --------
    >>> [share_name(dtype) for dtype in ("fp32", "fp4", "int4")]
    ['16-bit', 'fp8', 'int4']
    """
    if dtype in ("bf16", "fp16", "fp32"):
        return "16-bit"
    return "fp8" if NATIVE.get(dtype) else dtype


def products() -> dict[tuple[str, str], float]:
    """Return the fastest matrix product measured on each accelerator, as a share of its dense peak.

    Returns
    -------
    dict
        By the accelerator's name, and ``16-bit`` or ``fp8`` :cite:p:`mlengineering`.

    Examples
    --------
    >>> round(products()["H100 SXM 80GB", "16-bit"], 3)
    0.803
    """
    known = {row["name"] for row in facts.rows("accelerators")}
    fastest: dict[tuple[str, str], float] = {}
    for row in facts.rows("serving_measurements_mlengineering"):
        if row["accelerator"] in known:
            peak = accelerator(row["accelerator"]).peak(row["weight_dtype"])
            share = float(row["value"]) * TRILLION / peak
            fastest[row["accelerator"], share_name(row["weight_dtype"])] = share
    return fastest


@lru_cache(maxsize=1)
def attained() -> Attained:
    """Return what engines attain, from the table `serving_calibration` and the fastest matrix products.

    See Also
    --------
    with_recent_kernels : The same with faster scores of grouped queries.

    Examples
    --------
    >>> attained().weights["16-bit"]
    0.828
    """
    values: dict[str, dict[str, float]] = {}
    for row in facts.rows("serving_calibration"):
        unit = SECONDS.get(row["unit"], 1.0)  # shares have the unit "fraction"
        values.setdefault(row["quantity"], {})[row["of"]] = float(row["value"]) * unit
    return Attained(
        weights=values["weights"],
        cache=values["cache"][""],
        matrices=values["matrices"],
        products=products(),
        scores=values["scores"],
        layer_s=values["layer"][""],
        sequence_s=values["sequence"][""],
        all_reduce_s=values["all-reduce"][""],
        link=values["link"][""],
    )


@lru_cache(maxsize=1)
def with_recent_kernels() -> Attained:
    """Return what is attained where kernels score grouped queries as fast as they score latent ones.

    The engines that the shares were fitted to, of 2023, score each query by itself, outside the units for
    matrix products. Later kernels group the queries of a head's keys and use those units, as the measured
    kernel for latent vectors does :cite:p:`flashmla`.

    Examples
    --------
    >>> scores = with_recent_kernels().scores
    >>> scores["grouped"] == scores["latent"]
    True
    """
    usual = attained()
    return replace(usual, scores={**usual.scores, "grouped": usual.scores["latent"]})
