"""What engines attain of an accelerator's peaks, and the fixed times that come to it.

The shares and the times are data, fitted by `benchmarks/calibrate_serving.py` to measurements that are marked
for it: a set for each generation of engines, and one of kernels alone, which leaves out what engines lose.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from math import inf
from statistics import median

from cohort.errors import ParameterError, one_of, shown
from cohort.errors.arguments import explain
from cohort.registry import facts
from cohort.registry.devices import NATIVE, Accelerator, accelerator, multiplied_type
from cohort.registry.names import Names
from cohort.units import SECONDS, TRILLION

GENERATIONS = ("2025", "2023", "kernels")  # the default first
ENGINES = ("vLLM", "SGLang", "TensorRT-LLM", "ATOM")  # the default first
_SPELT = Names("engine", ENGINES)
MATRIX_TYPES = ("16-bit", "fp8", "fp4")
_MEASURED = ("token", "first token")
_EXACT: Mapping[str, tuple[float, float]] = {}


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
        Share of the fastest matrix product that products attain, by ``16-bit``, ``fp8`` and ``fp4``.
    products : mapping of (str, str) to float
        The fastest measured matrix product of an accelerator, by its name and ``16-bit`` or ``fp8``, as a
        share of its peak; others have the median of their type.
    scores : mapping of str to float
        Share of the 16-bit peak at which attention computes: one new query against its cache, ``grouped`` or
        ``latent`` (where all heads share one vector); ``recurrent`` layers; and whole ``prompts``, as a share
        of the fastest product.
    experts : mapping of str to float
        Of products with routed experts, as shares of those with other weights: ``read``, ``matrices``; and
        ``uneven``, how much longer the slowest device takes where whole experts are dealt out.
    launches : mapping of str to float
        Seconds that do not shrink with the work: of a ``product``, of attention that is ``grouped``,
        ``latent`` or ``recurrent``, of the ``routing`` of a layer of experts, of all else in a ``layer``; and
        the least that a layer takes while a ``prompt`` is read, whose kernels no graph launches.
    streams : float
        Bytes that a layer moves of each token besides, in units of the bytes of its hidden state.
    sequence_s : float
        Seconds of each sequence in a step: sampling and the work of the host.
    first_s : float
        Seconds of a request before its prompt is read and after.
    waiting : tuple of two floats
        Of one other request, the share of its prompt that is read between a request and its first token:
        where requests come one after the other, and where they are alike and start together.
    queue : float
        Power of the number of others with which what is waited for grows: 1 where each adds as much as the
        first, less where the scheduler lets requests past each other.
    all_reduce_s : tuple of two floats
        Seconds of an all-reduce of nothing between two devices, and of each further device.
    link : float
        Share of the link's bandwidth that an all-reduce attains.
    corner : float
        How reading and multiplying overlap in a product: the exponent of a mean of powers of both times. 1
        adds them, and the larger counts alone where it is infinite.
    spread : mapping of str to (float, float)
        Between what measured over predicted lies in nine in ten services that the fit did not see, of
        ``dense, token`` and so on.
    """

    weights: Mapping[str, float]
    cache: float
    matrices: Mapping[str, float]
    products: Mapping[tuple[str, str], float]
    scores: Mapping[str, float]
    experts: Mapping[str, float]
    launches: Mapping[str, float]
    streams: float
    sequence_s: float
    first_s: float
    waiting: tuple[float, float]
    queue: float
    all_reduce_s: tuple[float, float]
    link: float
    corner: float
    spread: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    def queued(self, others: float, together: bool) -> float:
        """Return how many prompts of others are read between a request and its first token.

        Parameters
        ----------
        others : float
            Requests that are served beside it.
        together : bool
            Whether all start together.

        Returns
        -------
        float
            Prompts.

        Raises
        ------
        ParameterError
            If fewer than none are served beside it.
        """
        if others < 0:
            raise ParameterError(f"others is {shown(others)}, but must be a number of at least 0")
        return self.waiting[together] * float(others**self.queue)

    def product(self, accelerator: str, width: str) -> float:
        """Return the share of the peak that matrix products attain.

        Parameters
        ----------
        accelerator : str
            Name of the accelerator.
        width : str
            ``16-bit``, ``fp8`` or ``fp4``.

        Returns
        -------
        float
            From 0 to 1.
        """
        return self.matrices[width] * self.fastest(accelerator, width)

    def fastest(self, accelerator: str, width: str) -> float:
        """Return the fastest matrix product as a share of the peak; that of fp8 stands in for fp4.

        Parameters
        ----------
        accelerator, width : str
            As in `product`.

        Returns
        -------
        float
            From 0 to 1.
        """
        width = "fp8" if width == "fp4" else width
        share = self.products.get((accelerator, width))
        if share is None:
            share = median(share for (_, kind), share in self.products.items() if kind == width)
        return share

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

    def read_share(self, device: Accelerator, weight_dtype: str) -> float:
        """Return the share of the bandwidth at which one device reads weights of a type.

        Parameters
        ----------
        device : Accelerator
            The accelerator.
        weight_dtype : str
            How the weights are stored.

        Returns
        -------
        float
            From 0 to 1. Weights in fp4 that a device cannot multiply as such have a share of their own.
        """
        name = share_name(weight_dtype)
        if name == "fp4" and "fp4" not in dict(device.peaks):
            name = "fp4 alone"
        return self.weights[name]


_ALL = dict.fromkeys(("16-bit", "fp8", "fp4", "fp4 alone", "int8", "int4"), 1.0)
_PRODUCTS = {("", "16-bit"): 1.0, ("", "fp8"): 1.0}
_LAUNCHES = ("product", "grouped", "latent", "recurrent", "routing", "layer", "prompt")

# A roofline without attained shares and without fixed times: the peaks alone.
ROOFLINE = Attained(
    weights=_ALL,
    cache=1.0,
    matrices=dict.fromkeys(MATRIX_TYPES, 1.0),
    products=_PRODUCTS,
    scores=dict.fromkeys(("grouped", "latent", "recurrent", "prompts"), 1.0),
    experts={"read": 1.0, "matrices": 1.0, "uneven": 0.0},
    launches=dict.fromkeys(_LAUNCHES, 0.0),
    streams=0.0,
    sequence_s=0.0,
    first_s=0.0,
    waiting=(0.0, 0.0),
    queue=1.0,
    all_reduce_s=(0.0, 0.0),
    link=1.0,
    corner=inf,
)


def share_name(dtype: str) -> str:
    """Return the name under which the shares of a type of number are kept.

    Parameters
    ----------
    dtype : str
        A type, as `cohort.architecture.precisions` names it.

    Returns
    -------
    str
        ``16-bit``, ``fp8``, ``fp4``, ``int8`` or ``int4``; fewer bits than eight that are no fp4 are int4.

    Examples
    --------
    >>> [share_name(dtype) for dtype in ("fp32", "nvfp4", "Q4_K")]
    ['16-bit', 'fp4', 'int4']
    """
    if dtype in ("bf16", "fp16", "fp32"):
        return "16-bit"
    if dtype in NATIVE:
        return NATIVE[dtype]
    if dtype in ("mxfp8",):
        return "fp8"
    return "int8" if dtype in ("int8", "Q8_0", "Q6_K") else "int4"


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


def device_class(device: Accelerator | None) -> str:
    """Return the class of accelerators whose constants hold.

    Parameters
    ----------
    device : Accelerator, optional
        The accelerator.

    Returns
    -------
    str
        ``AMD`` for those; ``fp4`` for others that multiply fp4; empty for all else.
    """
    if device is None:
        return ""
    if device.vendor == "AMD":
        return "AMD"
    return "fp4" if "fp4" in dict(device.peaks) else ""


def attained(
    generation: str = GENERATIONS[0], engine: str | None = None, device: Accelerator | None = None
) -> Attained:
    """Return what engines attain, from the table `serving_calibration` and the fastest matrix products.

    Parameters
    ----------
    generation : str
        Engines of ``2025`` or of ``2023``, or the ``kernels`` alone, without an engine.
    engine : str, optional
        One of `ENGINES`, in any usual spelling; by default the first. Only the generation of 2025 tells
        them apart.
    device : Accelerator, optional
        The accelerator that it is for; by default one of NVIDIA that does not multiply fp4.

    Returns
    -------
    Attained

    Raises
    ------
    UnknownNameError
        If there is no such generation or engine; the message names those there are.

    Examples
    --------
    >>> attained("2023").weights["16-bit"] < 1
    True
    """
    year = one_of("generation", str(generation), GENERATIONS)
    named = ENGINES[0] if engine is None else _SPELT.find(engine)
    return _attained(year, named, device_class(device), facts.modified("serving_calibration"))


@lru_cache(maxsize=64)
def _attained(generation: str, engine: str, kind: str, modified: int) -> Attained:
    values = constants(facts.rows("serving_calibration"), generation, engine, kind)
    return from_constants(values, products())


def constants(
    rows: list[dict[str, str]], generation: str, engine: str, kind: str
) -> dict[tuple[str, str], float]:
    """Return the constants that hold for a generation, an engine and a class of accelerators.

    Parameters
    ----------
    rows : list of dict
        Rows of the table `serving_calibration`.
    generation, engine, kind : str
        As `attained` takes them; `kind` is a `device_class`.

    Returns
    -------
    dict
        By quantity and of what; times in seconds. A row for the engine or the class goes before one for all.
    """
    found: dict[tuple[str, str], float] = {}
    for row in sorted(rows, key=lambda each: bool(each["device"]) + bool(each["engine"])):
        fits = row["device"] in ("", kind) and row["engine"] in ("", engine)
        if row["generation"] == generation and fits:
            found[row["quantity"], row["of"]] = float(row["value"]) * SECONDS.get(row["unit"], 1.0)
    return found


def from_constants(
    values: Mapping[tuple[str, str], float], fastest: Mapping[tuple[str, str], float]
) -> Attained:
    """Return what constants say is attained.

    Parameters
    ----------
    values : mapping
        As `constants` returns them.
    fastest : mapping
        As `products` returns it.

    Returns
    -------
    Attained
    """

    def of(quantity: str) -> dict[str, float]:
        return {of: value for (name, of), value in values.items() if name == quantity}

    # An engine, and a class of accelerators, launches faster or slower than the first of them.
    pace = of("pace").get("engine", 1.0) * of("pace").get("device", 1.0)
    bandwidth, rate = of("bandwidth").get("device", 1.0), of("rate").get("device", 1.0)
    spread = {
        f"{kind}, {what}": (of("spread")[f"{kind}, {what}, low"], of("spread")[f"{kind}, {what}, high"])
        for kind in ("dense", "mixture")
        for what in _MEASURED
        if f"{kind}, {what}, low" in of("spread")
    }
    return Attained(
        weights={name: share * bandwidth for name, share in of("weights").items()},
        cache=of("cache")[""] * bandwidth,
        matrices={name: share * rate for name, share in of("matrices").items()},
        products=fastest,
        scores=of("scores"),
        experts=of("experts"),
        launches={name: seconds * pace for name, seconds in of("launch").items()},
        streams=of("streams")[""],
        sequence_s=of("sequence")[""],
        first_s=of("first")[""],
        waiting=(of("waiting")["apart"], of("waiting")["together"]),
        queue=of("waiting")["power"],
        all_reduce_s=(of("all-reduce")["two"], of("all-reduce")["further"]),
        link=of("link")[""],
        corner=of("corner")[""],
        spread=spread,
    )


explain(__name__)
