"""Accelerators: peaks, memory, bandwidth and prices, as `data/accelerators.csv` has them.

``cohort.accelerators()`` lists them; `cohort.accelerator` returns one by name.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from cohort.errors import NotInDataError, unknown
from cohort.errors.arguments import explain
from cohort.registry import facts
from cohort.registry.accelerator_names import find_accelerator
from cohort.units import GB, MIB

# The column that holds the dense peak of a type of number, in 1e12 operations a second.
PEAKS = {
    "bf16": "bf16_dense_tflops",
    "fp16": "fp16_dense_tflops",
    "fp8": "fp8_dense_tflops",
    "int8": "int8_dense_tops",
    "fp4": "fp4_dense_tflops",
}
SIXTEEN_BIT = ("bf16", "fp16")  # types of 16 bits, the preferred one first
# Types whose weights are multiplied as they are where the accelerator can, and the peak that they have then.
NATIVE = {"fp8": "fp8", "fp4": "fp4", "nvfp4": "fp4"}


@dataclass(frozen=True, slots=True)
class Accelerator:
    """One accelerator.

    Attributes
    ----------
    name : str
        As in the table of accelerators.
    memory_bytes : int
        Its memory, a gigabyte being 1e9 bytes.
    bandwidth : float
        Of that memory, in bytes a second.
    peaks : tuple of (str, float)
        Type of number and dense peak, in operations a second, for the types that it has.
    usd_per_hour : tuple of two floats, optional
        The lowest and the highest price that the data hold.
    link : float, optional
        What one device sends to those it is joined with, in bytes a second and one direction; None where the
        data give none.
    joined : int
        Devices that such links join; 1 where cards meet only on the bus of their host.
    tdp_w : float, optional
        Rated power, in W; None where the data give none.
    year : int
        Year of introduction.
    driver_bytes : int
        Memory as the driver reports it, in bytes; as the data sheet has it where no figure is public.
    allocatable_bytes : int
        What of it a program may allocate: the rest is the driver's own.
    vendor : str
        Who sells it; empty where that is not said.
    unified : bool
        Whether it shares the memory of its host.
    """

    name: str
    memory_bytes: int
    bandwidth: float
    peaks: tuple[tuple[str, float], ...]
    usd_per_hour: tuple[float, float] | None = None
    link: float | None = None
    joined: int = 1
    tdp_w: float | None = None
    year: int = 0
    driver_bytes: int = 0
    allocatable_bytes: int = 0
    vendor: str = ""
    unified: bool = False

    def __post_init__(self) -> None:
        if not self.driver_bytes:
            object.__setattr__(self, "driver_bytes", self.allocatable_bytes or self.memory_bytes)
        if not self.allocatable_bytes:
            object.__setattr__(self, "allocatable_bytes", self.driver_bytes - _reserved(self.driver_bytes))

    def peak(self, dtype: str = "bf16") -> float:
        """Return the dense peak for a type of number.

        Parameters
        ----------
        dtype : str
            One of `PEAKS`.

        Returns
        -------
        float
            Operations a second.

        Raises
        ------
        UnknownNameError
            If the accelerator has none for that type; the message names those that it has.

        Examples
        --------
        >>> accelerator("H100 SXM 80GB").peak("fp8")
        1979000000000000.0
        """
        found = dict(self.peaks)
        if not isinstance(dtype, str) or dtype not in found:
            raise unknown(f"type of number of {self.name}", dtype, found)
        return found[dtype]


def _reserved(memory: int) -> int:
    """Return what the driver keeps for itself where the data do not say: it grows a little with the memory.

    Within 0.7 % of the memory of NVIDIA's cards of 2017 or later whose allocatable memory is known.
    """
    return 300 * MIB + 3 * memory // 1000


def accelerators() -> list[str]:
    """Return the names of the accelerators, in the order of the table."""
    return [row["name"] for row in facts.rows("accelerators")]


def accelerator(name: str) -> Accelerator:
    """Return an accelerator.

    Parameters
    ----------
    name : str
        A name from ``cohort.accelerators()``, such as ``"H100 SXM 80GB"``, in any usual spelling. Form and
        memory may be left out where one accelerator is left.

    Returns
    -------
    Accelerator

    Raises
    ------
    UnknownNameError
        If there is no such accelerator, or several; the message names the nearest, or those.

    Examples
    --------
    >>> accelerator("H100 SXM 80GB").memory_bytes
    80000000000
    >>> accelerator("nvidia h100-sxm5-80gb").name
    'H100 SXM 80GB'

    See Also
    --------
    cohort.serving.serve : How fast a model answers on it.
    cohort.footprint.training : What training on it takes of energy, carbon and water.
    """
    if not isinstance(name, str):
        raise unknown("accelerator", name, accelerators())
    stamp = (facts.modified("accelerators"), facts.modified("aliases"))
    return _read(find_accelerator(name, stamp), stamp)


@lru_cache(maxsize=128)
def _read(name: str, stamp: tuple[int, ...]) -> Accelerator:
    row = facts.row("accelerators", name=name)
    low, high = row["price_low_usd_per_hour"], row["price_high_usd_per_hour"]
    return Accelerator(
        name=name,
        memory_bytes=round(float(row["memory_gb"]) * GB),
        bandwidth=float(row["memory_bandwidth_gb_s"]) * GB,
        peaks=tuple((dtype, float(row[column]) * 1e12) for dtype, column in PEAKS.items() if row[column]),
        usd_per_hour=(float(low), float(high)) if low and high else None,
        link=float(row["interconnect_gb_s"]) * GB if row["interconnect_gb_s"] else None,
        joined=int(row["scale_up_domain"]),
        tdp_w=float(row["tdp_w"]) if row["tdp_w"] else None,
        year=int(row["year"]),
        driver_bytes=int(row["driver_memory_mib"] or 0) * MIB,
        allocatable_bytes=int(row["cuda_memory_mib"] or 0) * MIB,
        vendor=row["vendor"],
        unified="unified memory" in row["interconnect"],
    )


def as_accelerator(device: str | Accelerator) -> Accelerator:
    """Return an accelerator, whether it is given itself or by name.

    Parameters
    ----------
    device : str or Accelerator
        An accelerator, or its name.

    Returns
    -------
    Accelerator
        What was given, or what its name stands for.

    Raises
    ------
    UnknownNameError
        If there is no such accelerator; the message names the nearest.

    Examples
    --------
    >>> as_accelerator("H200").memory_bytes
    141000000000
    """
    return device if isinstance(device, Accelerator) else accelerator(device)


def rated_power(device: Accelerator) -> float:
    """Return the rated power of an accelerator.

    Parameters
    ----------
    device : Accelerator
        The accelerator.

    Returns
    -------
    float
        Watts.

    Raises
    ------
    NotInDataError
        If the data hold no rated power of it.

    Examples
    --------
    >>> rated_power(accelerator("H100 SXM 80GB"))
    700.0
    """
    if device.tdp_w is None:
        raise NotInDataError(f"accelerator is {device.name}, but must be one whose rated power the data hold")
    return device.tdp_w


def sixteen_bit_type(device: Accelerator) -> str:
    """Return the type of 16 bits that a device multiplies in.

    Parameters
    ----------
    device : Accelerator
        The accelerator.

    Returns
    -------
    str
        ``bf16``, or ``fp16`` where it has no peak for that.

    Raises
    ------
    NotInDataError
        If the data hold no peak for either.

    Examples
    --------
    >>> sixteen_bit_type(accelerator("V100 SXM2 32GB"))
    'fp16'
    """
    peaks = dict(device.peaks)
    found = next((dtype for dtype in SIXTEEN_BIT if dtype in peaks), None)
    if found is None:
        raise NotInDataError(f"accelerator is {device.name}, but must be one whose 16-bit peak the data hold")
    return found


def multiplied_type(device: Accelerator, weight_dtype: str) -> str:
    """Return the type in which a device multiplies stored weights.

    Parameters
    ----------
    device : Accelerator
        The accelerator.
    weight_dtype : str
        How the weights are stored.

    Returns
    -------
    str
        ``fp8`` or ``fp4`` where weights are stored so and the device has a peak for it, else its type of 16
        bits, to which stored weights are widened first.

    Raises
    ------
    NotInDataError
        If the data hold no 16-bit peak where one is needed.

    Examples
    --------
    >>> h100 = accelerator("H100 SXM 80GB")
    >>> [multiplied_type(h100, dtype) for dtype in ("fp8", "fp4", "int8")]
    ['fp8', 'bf16', 'bf16']
    """
    own = NATIVE.get(weight_dtype)
    return own if own in dict(device.peaks) else sixteen_bit_type(device)


explain(__name__)
