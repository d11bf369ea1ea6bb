"""Data that run out and are repeated, and what each pass is still worth :cite:p:`muennighoff2023data`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from cohort.errors import InfeasibleError, positive, unknown
from cohort.errors.arguments import explain
from cohort.numeric import root
from cohort.registry import facts
from cohort.registry.names import Names, aliases
from cohort.scaling.allocations import FLOP_PER_TOKEN, Allocation

if TYPE_CHECKING:
    from cohort.scaling.loss_laws import LossLaw


@dataclass(frozen=True, slots=True)
class Repetition:
    """How fast repeated data and excess parameters lose their value :cite:p:`muennighoff2023data`.

    Attributes
    ----------
    tokens : float
        R*_D: repetitions after which repeating gains 1 - 1/e of all that it can ever gain.
    parameters : float
        R*_N: the same for parameters beyond those that the unique tokens call for.
    """

    tokens: float
    parameters: float

    def __post_init__(self) -> None:
        for name in ("tokens", "parameters"):
            object.__setattr__(self, name, positive(f"{name} of a repetition", getattr(self, name)))


def laws() -> list[str]:
    """Return the names of the published laws, as `cohort.law` takes them."""
    return list(dict.fromkeys(row["law"] for row in facts.rows("scaling_laws")))


@lru_cache(maxsize=1)
def _names(modified: int, aliased: int) -> Names:
    """Return the laws by all of their spellings."""
    return Names("law", laws(), aliases("law"))


@lru_cache(maxsize=64)
def _coefficients(name: str, modified: int, aliased: int) -> dict[str, float]:
    found = name if name in laws() else _names(modified, aliased).find(name)
    return {
        row["quantity"].removeprefix("ln "): (
            math.exp(float(row["value"])) if row["quantity"].startswith("ln ") else float(row["value"])
        )
        for row in facts.rows("scaling_laws")
        if row["law"] == found
    }


def coefficients(name: str) -> dict[str, float]:
    """Return the numbers of a published law, by quantity; of a logarithm its power of e.

    Parameters
    ----------
    name : str
        A name from `laws`, in any usual spelling.

    Returns
    -------
    dict of str to float
        The quantities that the data hold.

    Raises
    ------
    UnknownNameError
        If there is no such law; the message names the nearest.
    """
    if not isinstance(name, str):
        raise unknown("law", name, laws())
    return dict(_coefficients(name, facts.modified("scaling_laws"), facts.modified("aliases")))


def repetition(name: str) -> Repetition:
    """Return how fast repeated data lose their value, by a published law that says so.

    Parameters
    ----------
    name : str
        A name from `laws`.

    Returns
    -------
    Repetition
        Its two rates.

    Raises
    ------
    UnknownNameError
        If there is no such law, or it knows nothing of repetition.

    Examples
    --------
    >>> repetition("muennighoff").tokens
    15.387756
    """
    values = coefficients(name)
    if "R*_D" not in values:
        raise unknown("law of repeated data", name, [each for each in laws() if "R*_D" in coefficients(each)])
    return Repetition(tokens=values["R*_D"], parameters=values["R*_N"])


@dataclass(frozen=True, slots=True)
class UniqueTokens:
    """A law under a limit of unique tokens U, beyond which data are repeated.

    Tokens D > U count as D' = U (1 + R* (1 - exp(-R / R*))) with R = D/U - 1, and so do parameters beyond
    those that are compute-optimal for U.
    """

    law: LossLaw
    unique: float
    given: Repetition | str | None

    @property
    def rates(self) -> Repetition:
        """How fast repeated data lose their value."""
        given = "muennighoff" if self.given is None else self.given
        return given if isinstance(given, Repetition) else repetition(given)

    @property
    def base(self) -> float:
        """Parameters that the unique tokens call for."""
        return self.law.compute_optimal(tokens=self.unique).parameters

    def effective(self, n: float, d: float) -> tuple[float, float]:
        """Return the effective parameters and tokens.

        Parameters
        ----------
        n, d : float
            Parameters and tokens.

        Returns
        -------
        pair of float
            What they are worth.
        """
        unique = min(d, self.unique)
        base = min(n, self.law.compute_optimal(tokens=unique).parameters)
        return (
            base * _worth(n / base - 1, self.rates.parameters),
            unique * _worth(d / unique - 1, self.rates.tokens),
        )

    def compute_optimal(self, flop: float) -> Allocation:
        """Return the best allocation of a compute at which the free optimum would need more tokens.

        Parameters
        ----------
        flop : float
            Training compute.

        Returns
        -------
        Allocation
            That of the lowest loss.
        """
        pairs, base = flop / FLOP_PER_TOKEN, self.base
        first, last = math.log(base), math.log(pairs / self.unique)

        def balance(log_n: float) -> float:
            return self._balance(math.exp(log_n), pairs / math.exp(log_n), base)

        # Where repeating is worth next to nothing, the best is to read the data once.
        n = math.exp(last if balance(last) <= 0 else root(balance, first, last))
        return self._allocation(n, pairs / n)

    def _balance(self, n: float, d: float, base: float) -> float:
        """Return what an e-fold of tokens gains over an e-fold of parameters, as a log ratio."""
        by_size, by_tokens = map(math.log, self.law.gains(*self.effective(n, d)))
        by_size += _log_elasticity(n / base - 1, self.rates.parameters)
        by_tokens += _log_elasticity(d / self.unique - 1, self.rates.tokens)
        return by_tokens - by_size

    def inference_optimal(self, loss: float, reducible: float, use: float) -> Allocation:
        """Return the best allocation where the free optimum would need more tokens than there are.

        Parameters
        ----------
        loss, reducible : float
            The loss to reach, and what of it is above E.
        use : float
            Tokens read and written over the model's life.

        Returns
        -------
        Allocation
            That of the least compute.

        Raises
        ------
        InfeasibleError
            If no repetition reaches the loss; the message states the bound.
        """
        law, base, rates = self.law, self.base, self.rates
        most = (base * (1 + rates.parameters), self.unique * (1 + rates.tokens))
        floor = law.loss(*most)
        low = max(
            _logit_of(law.A * most[0] ** -law.alpha / reducible),
            -_logit_of(law.B * self.unique**-law.beta / reducible),
        )
        high = -_logit_of(law.B * most[1] ** -law.beta / reducible)
        if loss <= floor or low >= high:
            raise InfeasibleError(
                f"a loss of {loss:.6g} is out of reach with {self.unique:.4g} unique tokens, however often "
                f"they are repeated: it must be above {floor:.6g}"
            )
        # Both ends are limits that are never reached; a root nearer to one than rounding is that end.
        margin = 1e-13 * max(1.0, abs(low), abs(high))

        def condition(share: float) -> float:
            n, d = self._raw(*law._terms(reducible, share), base)
            by_size = _log_elasticity(n / base - 1, rates.parameters)
            by_tokens = _log_elasticity(d / self.unique - 1, rates.tokens)
            return law._condition(share, d, use) + by_size - by_tokens

        first, last = low + margin, high - margin
        if condition(last) <= 0:
            share = last
        elif condition(first) >= 0:
            share = first
        else:
            share = root(condition, first, last)
        return self._allocation(*self._raw(*law._terms(reducible, share), base))

    def _raw(self, n: float, d: float, base: float) -> tuple[float, float]:
        """Return the parameters and tokens whose effective values are `n` and `d`."""
        return (
            base * _repeats(n / base, self.rates.parameters),
            self.unique * _repeats(d / self.unique, self.rates.tokens),
        )

    def _allocation(self, n: float, d: float) -> Allocation:
        return Allocation(n, d, FLOP_PER_TOKEN * n * d, self.law.loss(n, d, self.unique, self.given))


def _worth(repeats: float, rate: float) -> float:
    """Return what the first use and `repeats` further ones are worth, in first uses."""
    return 1 + min(repeats, 0.0) - rate * math.expm1(-max(repeats, 0.0) / rate)


def _repeats(worth: float, rate: float) -> float:
    """Return how many uses are worth `worth` first ones: the inverse of `_worth`, plus one."""
    return worth if worth <= 1 else 1 - rate * math.log1p(-(worth - 1) / rate)


def _log_elasticity(repeats: float, rate: float) -> float:
    """Return the logarithm of by how many per cent the worth grows for one per cent more uses."""
    if repeats <= 0:
        return 0.0
    return math.log1p(repeats) - repeats / rate - math.log(_worth(repeats, rate))


def _logit_of(share: float) -> float:
    """Return the logit of a share; infinite where it is one or more."""
    return math.log(share) - math.log1p(-share) if share < 1 else math.inf


explain(__name__)
