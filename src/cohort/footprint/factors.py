"""Factors as a low, a central and a high value, each with its source, from the table `footprint_factors`.

What is known of a run replaces a range by a single value; the rest stays a range, so that
`cohort.footprint.uncertainty` can draw from it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from math import inf

from cohort.errors import ParameterError, one_of, positive, shown, unknown
from cohort.errors.arguments import explain
from cohort.registry import facts
from cohort.registry.devices import Accelerator, rated_power

SHAPES = ("triangular", "lognormal")
Z95 = 1.6448536269514722  # of a standard normal: its 95th percentile


@dataclass(frozen=True, slots=True)
class Range:
    """A factor that is known between bounds.

    Attributes
    ----------
    low, central, high : float
        In ascending order; all equal where the value is known.
    unit : str
        Their unit.
    sources : tuple of str
        Keys of ``references.bib``; empty where the value was given by the caller.
    shape : str
        One of `SHAPES`: how `uncertainty` draws from it. A triangle ends at the bounds and peaks at the
        central value. A lognormal has the central value as its median, as many draws above it as below,
        and its 5th and 95th percentiles as far apart as the bounds.

    Examples
    --------
    >>> Range(0.5, 1, 2, "L/kWh").times(1000, "mL/kWh").high
    2000
    """

    low: float
    central: float
    high: float
    unit: str
    sources: tuple[str, ...] = ()
    shape: str = "triangular"

    def __post_init__(self) -> None:
        if not -inf < self.low <= self.central <= self.high < inf:
            raise ParameterError(
                f"a range is {shown((self.low, self.central, self.high))}, "
                "but must be three finite numbers in ascending order: low, central, high"
            )
        if one_of("shape", self.shape, SHAPES) == "lognormal":
            positive("low of a lognormal range", self.low)

    @classmethod
    def exact(cls, value: float, unit: str) -> Range:
        """Return the range of a value that is known.

        Parameters
        ----------
        value : float
            The value.
        unit : str
            Its unit.

        Returns
        -------
        Range
            Of equal ends.

        Raises
        ------
        ParameterError
            If the value is not finite.

        Examples
        --------
        >>> Range.exact(1.1, "ratio").known
        True
        """
        return cls(value, value, value, unit)

    @property
    def known(self) -> bool:
        """Whether the range is a single value."""
        return self.low == self.high

    def times(self, number: float, unit: str) -> Range:
        """Return the range multiplied by a number, in another unit.

        Parameters
        ----------
        number : float
            Above 0, so that the ends keep their order.
        unit : str
            The unit of the products.

        Returns
        -------
        Range
            Of the same sources and shape.

        Raises
        ------
        ParameterError
            If the ends are no longer in ascending order.
        """
        low, central, high = number * self.low, number * self.central, number * self.high
        return replace(self, low=low, central=central, high=high, unit=unit)


# Factors without an upper bound, known to no better than a factor of several.
_LOGNORMAL = frozenset(
    {
        "wue on site",
        "embodied co2e with its share of the server",
        "embodied water",
        "measured energy over that of the terms",
    }
)


@lru_cache(maxsize=1)
def _read_factors(modified: int) -> dict[tuple[str, str], Range]:
    levels: dict[tuple[str, str], dict[str, dict[str, str]]] = {}
    for row in facts.rows("footprint_factors"):
        if row["level"]:
            levels.setdefault((row["entity"], row["quantity"]), {})[row["level"]] = row
    found = {}
    for (entity, quantity), rows in levels.items():
        low, high = float(rows["low"]["value"]), float(rows["high"]["value"])
        central = float(rows["central"]["value"]) if "central" in rows else (low + high) / 2
        sources = tuple(dict.fromkeys(row["source"] for row in rows.values()))
        shape = "lognormal" if quantity in _LOGNORMAL else "triangular"
        found[entity, quantity] = Range(low, central, high, rows["low"]["unit"], sources, shape)
    return found


def _factors() -> dict[tuple[str, str], Range]:
    return _read_factors(facts.modified("footprint_factors"))


def factor(entity: str, quantity: str) -> Range:
    """Return a factor from the table `footprint_factors`, with its low, central and high value.

    Parameters
    ----------
    entity, quantity : str
        What the factor is of, and what it says, as in the table.

    Returns
    -------
    Range
        In the unit of the table.

    Raises
    ------
    UnknownNameError
        If the table has no such range; the message names the nearest.

    See Also
    --------
    factor_of : A factor of an accelerator, by its family.

    Examples
    --------
    >>> pue = factor("hyperscale data centre", "pue")
    >>> pue.low, pue.central, pue.high
    (1.06, 1.1, 1.25)
    """
    known = _factors()
    if (entity, quantity) not in known:
        of_entity = [name for found, name in known if found == entity]
        if of_entity:
            raise unknown(f"range of {entity}", quantity, of_entity)
        raise unknown("entity", entity, [found for found, _ in known])
    return known[entity, quantity]


def _of_family(quantity: str, family: str) -> list[Range]:
    """Return the factors of a quantity whose entity names a family of accelerators, such as H100."""
    return [
        found for (entity, name), found in _factors().items() if name == quantity and family in entity.split()
    ]


def _family(device: Accelerator) -> str:
    return device.name.split()[0]


def factor_of(device: Accelerator, quantity: str) -> Range:
    """Return a factor of an accelerator: that of its family, such as H100, or that of all others.

    Parameters
    ----------
    device : Accelerator
        The accelerator.
    quantity : str
        What the factor says, as in the table `footprint_factors`.

    Returns
    -------
    Range
        In the unit of the table.

    Raises
    ------
    UnknownNameError
        If the table has no such quantity for accelerators; the message names the nearest.

    Examples
    --------
    >>> from cohort.registry.devices import accelerator
    >>> factor_of(accelerator("A100 PCIe 80GB"), UTILISATION).central
    0.4
    """
    found = _of_family(quantity, _family(device)) or _of_family(quantity, "other")
    if not found:
        raise unknown("quantity of accelerators", quantity, [name for _, name in _factors()])
    (own,) = found  # the data hold one range a family
    return own


UTILISATION = "effective utilisation"
DRAWN = "power of an accelerator over its rating"
NODE = "power of the node over the rating of its accelerators"
EMBODIED = "embodied co2e with its share of the server"


def assessed(device: Accelerator) -> bool:
    """Return whether the table has a range for making such an accelerator.

    Parameters
    ----------
    device : Accelerator
        The accelerator.

    Returns
    -------
    bool
        Where it has none, `factor_of` gives that of an H100.

    Examples
    --------
    >>> from cohort.registry.devices import accelerator
    >>> assessed(accelerator("H100 SXM 80GB")), assessed(accelerator("B200"))
    (True, False)
    """
    return bool(_of_family(EMBODIED, _family(device)))


def mfu(device: Accelerator) -> Range:
    """Return the share of the dense 16-bit peak that whole runs attain, restarts and all.

    Six FLOP for each active parameter and token, over all accelerator hours. Of A100, H100 and H800 it is the
    rounded median and range of runs; of TPU it is inferred from what PaLM attained while it ran, and of all
    others from both. So a footprint in one number does not move when a run is added to the data.

    Parameters
    ----------
    device : Accelerator
        What the run is on.

    Returns
    -------
    Range
        A fraction.

    See Also
    --------
    cohort.footprint.published_runs.utilisation : Drawn from the published runs themselves.

    Examples
    --------
    >>> from cohort.registry.devices import accelerator
    >>> mfu(accelerator("H100 SXM 80GB")).central
    0.25
    """
    return factor_of(device, UTILISATION)


def power(device: Accelerator, boundary: str) -> Range:
    """Return the power of one accelerator in training at a boundary.

    Parameters
    ----------
    device : Accelerator
        What is drawing it.
    boundary : str
        ``accelerator_tdp`` is its rating, ``accelerator`` what it draws; any other has its share of the node,
        before the losses of the data centre.

    Returns
    -------
    Range
        In W.

    Raises
    ------
    NotInDataError
        If the data hold no rated power of the accelerator.

    Examples
    --------
    >>> from cohort.registry.devices import accelerator
    >>> power(accelerator("H100 SXM 80GB"), "accelerator").central
    630.0
    """
    rated = rated_power(device)
    if boundary == "accelerator_tdp":
        return Range.exact(rated, "W")
    share = factor("training", DRAWN) if boundary == "accelerator" else factor_of(device, NODE)
    return share.times(rated, "W")


def host_ratio(device: Accelerator) -> Range:
    """Return what a node takes in training over what its accelerators draw.

    The node over the rating of its accelerators, over what they draw of that rating; never less than 1.

    Parameters
    ----------
    device : Accelerator
        The accelerators.

    Returns
    -------
    Range
        A ratio.

    Examples
    --------
    >>> from cohort.registry.devices import accelerator
    >>> round(host_ratio(accelerator("H100 SXM 80GB")).central, 2)
    1.54
    """
    found = factor_of(device, NODE).times(1 / factor("training", DRAWN).central, "ratio")
    return replace(found, low=max(1.0, found.low), central=max(1.0, found.central), high=max(1.0, found.high))


explain(__name__)
