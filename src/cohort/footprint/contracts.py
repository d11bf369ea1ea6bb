"""Contracts for electricity, and the factor by market that they leave: matched by the year or by the hour."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cohort.errors import ParameterError, bounded, integer, positive
from cohort.errors.arguments import explain
from cohort.units import HOURS_PER_DAY

HOURS = int(HOURS_PER_DAY)


@dataclass(frozen=True, slots=True)
class Contract:
    """Electricity that was bought by contract: a tariff, a power purchase agreement, certificates.

    Attributes
    ----------
    name : str
        What the report calls it.
    g_per_kwh : float
        CO2e of a kWh of it, in g; 0 for wind, sun, water and nuclear power by the rules of scope 2.
    share : float
        Share of the electricity in its hours that it covers, from 0 to 1; 1 by default.
    kwh : float or None
        The most that it covers, in kWh; None without a limit.
    from_hour, to_hour : int
        Hours of the day, by the clock of the log, between which it delivers; past midnight where the first is
        the later one. All of them by default.

    Examples
    --------
    >>> Contract("solar", 0, from_hour=9, to_hour=17).delivers(8)
    False
    """

    name: str
    g_per_kwh: float
    share: float = 1.0
    kwh: float | None = None
    from_hour: int = 0
    to_hour: int = HOURS

    def __post_init__(self) -> None:
        bounded("g_per_kwh of a contract", self.g_per_kwh, 0, 2000, "g/kWh")
        bounded("share of a contract", self.share, 0, 1)
        if self.kwh is not None:
            positive("kwh of a contract", self.kwh, "kWh")
        integer("from_hour", self.from_hour, 0, HOURS)
        integer("to_hour", self.to_hour, 0, HOURS)

    @property
    def by_hour(self) -> bool:
        """Whether it delivers in some hours of the day alone."""
        return (self.to_hour - self.from_hour) % HOURS != 0

    def delivers(self, hour: int) -> bool:
        """Return whether it delivers in an hour.

        Parameters
        ----------
        hour : int
            Of the day, from 0 to 23.

        Returns
        -------
        bool
        """
        if not self.by_hour:
            return True
        if self.from_hour < self.to_hour:
            return self.from_hour <= hour < self.to_hour
        return hour >= self.from_hour or hour < self.to_hour


def parse_contract(text: str) -> Contract:
    """Return a contract from a line such as ``solar:0:share=0.5:hours=9-17``.

    Parameters
    ----------
    text : str
        Name and g/kWh, then any of ``share=``, ``kwh=`` and ``hours=``, between colons; a space does for the
        sign, which papermill reads in no string of a notebook.

    Returns
    -------
    Contract

    Raises
    ------
    ParameterError
        If the line is none of that form.

    Examples
    --------
    >>> parse_contract("wind:0:share=0.4") == parse_contract("wind:0:share 0.4")
    True
    """
    name, *rest = [part.strip() for part in text.split(":")]
    try:
        if not name or not rest:
            raise ValueError
        terms = dict(part.replace("=", " ", 1).split() for part in rest[1:])
        first, last = (int(end) for end in terms.pop("hours", f"0-{HOURS}").split("-"))
        numbers = {key: float(value) for key, value in terms.items()}
        if not numbers.keys() <= {"share", "kwh"}:
            raise ValueError
        factor = float(rest[0])
    except ValueError:
        raise ParameterError(
            f"contract is {text!r:.60}, but must be as name:g_per_kwh:share=0.5:kwh=1000:hours=9-17"
        ) from None
    return Contract(name, factor, from_hour=first, to_hour=last, **numbers)


@dataclass(frozen=True, slots=True)
class Matched:
    """What contracts cover of some electricity.

    Attributes
    ----------
    g_per_kwh : float
        CO2e of a kWh by market, in g.
    covered : tuple of (Contract, float)
        Each contract, and the kWh that it covers.
    rest_kwh : float
        What none covers, in kWh.
    rest_g_per_kwh : float
        The factor of that, in g/kWh.
    """

    g_per_kwh: float
    covered: tuple[tuple[Contract, float], ...]
    rest_kwh: float
    rest_g_per_kwh: float


def match(contracts: Iterable[Contract], by_hour_kwh: Mapping[int, float], rest_g_per_kwh: float) -> Matched:
    """Return what contracts cover, the first one first, and the factor by market that results.

    Parameters
    ----------
    contracts : iterable of Contract
        In the order in which they are used.
    by_hour_kwh : mapping of int to float
        Electricity of each hour by hours since 1970, by the clock of the contracts, in kWh.
    rest_g_per_kwh : float
        The factor of what none covers, the residual mix where one is published, in g/kWh.

    Returns
    -------
    Matched

    Raises
    ------
    ParameterError
        If there is no electricity.

    Examples
    --------
    >>> match([Contract("solar", 0, from_hour=9, to_hour=17)], {8: 1.0, 9: 3.0}, 400).g_per_kwh
    100.0
    """
    left = dict(by_hour_kwh)
    total = positive("electricity to be matched", sum(left.values()), "kWh")
    covered, grams = [], 0.0
    for contract in contracts:
        room = float("inf") if contract.kwh is None else contract.kwh
        taken = 0.0
        for hour, kwh in by_hour_kwh.items():
            if contract.delivers(hour % HOURS):
                part = min(contract.share * kwh, left[hour], room - taken)
                left[hour] -= part
                taken += part
        grams += taken * contract.g_per_kwh
        covered.append((contract, taken))
    rest = sum(left.values())
    return Matched((grams + rest * rest_g_per_kwh) / total, tuple(covered), rest, rest_g_per_kwh)


explain(__name__)
