"""What any law of the loss can answer: the loss of a run, the best division of compute, and what use adds.

A law says the loss of a size and an amount of data; the rest follows from that by one-dimensional searches.
Laws with closed forms answer by those instead.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import fields
from numbers import Real
from typing import Any, ClassVar

from cohort.errors import InfeasibleError, ParameterError, bounded, positive, shown
from cohort.errors.arguments import explain
from cohort.numeric import least, root
from cohort.scaling.allocations import FLOP_PER_TOKEN, SERVING_FLOP_PER_TOKEN, Allocation

SMALLEST, MOST = 1.0, 1e30  # parameters, and tokens, between which is searched


def above_zero(name: str, value: Any) -> Any:
    """Return a number above 0 as a float, and an array of such numbers as it is.

    Parameters
    ----------
    name : str
        What it is called where it was given.
    value : float or array
        What was given.

    Returns
    -------
    float or array
        The same.

    Raises
    ------
    ParameterError
        If a number is not finite or not above 0.
    """
    if not hasattr(value, "__array__") or isinstance(value, Real):
        return positive(name, value)
    try:
        sound = bool(((value > 0) & (value < math.inf)).all())
    except TypeError:
        sound = False
    if not sound:
        raise ParameterError(f"{name} must be finite numbers above 0, not {shown(value)}")
    return value * 1.0


def _listed(value: object) -> bool:
    return isinstance(value, Iterable) and not hasattr(value, "__array__") and not isinstance(value, str)


class Law(ABC):
    """A law of the loss in size and data; ``form`` is its name among the forms that can be fitted."""

    __slots__ = ()
    form: ClassVar[str] = ""

    @abstractmethod
    def _loss(self, n: Any, d: Any, **further: Any) -> Any:
        """Return the loss at numbers, or arrays, that are known to be above zero."""

    def coefficients(self) -> dict[str, float]:
        """Return the numbers of the law by name.

        Returns
        -------
        dict of str to float
            In the order in which the law takes them.
        """
        return {each.name: getattr(self, each.name) for each in fields(self)}  # type: ignore[arg-type]

    def loss(self, parameters: Any, tokens: Any, **further: Any) -> Any:
        """Return the predicted loss.

        Parameters
        ----------
        parameters, tokens : float or array_like
            Size and training tokens; lists give a list, arrays an array.
        **further : float or array_like
            What else a law needs, such as ``unique_tokens`` or ``bits``.

        Returns
        -------
        float, list or array
            Nats per token.

        Raises
        ------
        ParameterError
            If a number is not finite or not above 0.
        """
        if _listed(parameters) or _listed(tokens):
            columns = [list(each) if _listed(each) else each for each in (parameters, tokens)]
            count = max(len(each) for each in columns if isinstance(each, list))
            rows = [each if isinstance(each, list) else [each] * count for each in columns]
            if any(len(each) != count for each in rows):
                raise ParameterError("parameters and tokens differ in length")
            return [self.loss(n, d, **further) for n, d in zip(*rows, strict=True)]
        n, d = above_zero("parameters", parameters), above_zero("tokens", tokens)
        value = self._loss(n, d, **{k: above_zero(k, v) for k, v in further.items() if v is not None})
        return float(value) if isinstance(value, Real) else value

    def compute_optimal(self, flop: float, **further: float) -> Allocation:
        """Return the allocation of the lowest loss for a training compute.

        Parameters
        ----------
        flop : float
            Training compute.
        **further : float
            As `loss` takes it.

        Returns
        -------
        Allocation
            Its ``flop`` is 6 x parameters x tokens.

        Raises
        ------
        ParameterError
            If the compute is not a finite number above 0.
        """
        return self._best(positive("flop", flop, "FLOP"), 0.0, further)

    def _best(self, budget: float, use: float, further: dict[str, float]) -> Allocation:
        """Return the size of the lowest loss whose training and use take a budget."""

        def tokens(n: float) -> float:
            return (budget / n - SERVING_FLOP_PER_TOKEN * use) / FLOP_PER_TOKEN

        most = budget / (FLOP_PER_TOKEN + SERVING_FLOP_PER_TOKEN * use)  # at which one token is left
        if most <= SMALLEST:
            raise InfeasibleError(f"a budget of {budget:.4g} FLOP leaves nothing to train with")
        n = math.exp(
            least(
                lambda t: float(self._loss(math.exp(t), max(tokens(math.exp(t)), 1.0), **further)),
                math.log(SMALLEST),
                math.log(most),
            )
        )
        d = tokens(n)
        return Allocation(n, d, FLOP_PER_TOKEN * n * d, float(self._loss(n, d, **further)))

    def tokens_for(self, parameters: float, loss: float) -> float:
        """Return the tokens that a model of a given size needs to reach a loss.

        Parameters
        ----------
        parameters, loss : float
            The size, and the loss to reach, in nats per token.

        Returns
        -------
        float
            Tokens.

        Raises
        ------
        InfeasibleError
            If it reaches that loss with no amount of data.
        """
        n, wanted = positive("parameters", parameters), positive("loss", loss, "nats per token")

        def excess(log_d: float) -> float:
            return float(self._loss(n, math.exp(log_d))) - wanted

        if excess(math.log(MOST)) > 0:
            raise InfeasibleError(
                f"a model of {n:.4g} parameters reaches a loss of {wanted:.6g} with no amount of data"
            )
        return math.exp(root(excess, 0.0, math.log(MOST))) if excess(0.0) > 0 else 1.0

    def inference_optimal(
        self, loss: float | None = None, inference_tokens: float = 0.0, *, budget: float | None = None
    ) -> Allocation:
        """Return the best allocation where use is paid for as well.

        Parameters
        ----------
        loss : float, optional
            The loss to reach with the least compute of training and use.
        inference_tokens : float
            Tokens read and written over the model's whole life, at 2 FLOP a parameter.
        budget : float, optional
            Instead of the loss: the compute of training and use together, in FLOP.

        Returns
        -------
        Allocation
            Its ``flop`` counts training only.

        Raises
        ------
        ParameterError
            If not exactly one of loss and budget is given.
        InfeasibleError
            If no size reaches the loss.
        """
        use = bounded("inference_tokens", inference_tokens, 0, unit="tokens")
        check_question(loss, budget)
        if budget is not None:
            return self._best(positive("budget", budget, "FLOP"), use, {})
        assert loss is not None
        wanted = positive("loss", loss, "nats per token")

        def total(log_n: float) -> float:
            n = math.exp(log_n)
            try:
                d = self.tokens_for(n, wanted)
            except InfeasibleError:
                return math.inf
            return math.log(n) + math.log(FLOP_PER_TOKEN * d + SERVING_FLOP_PER_TOKEN * use)

        n = math.exp(least(total, math.log(SMALLEST), math.log(MOST)))
        d = self.tokens_for(n, wanted)
        return Allocation(n, d, FLOP_PER_TOKEN * n * d, float(self._loss(n, d)))

    def break_even_tokens(self, parameters: float, tokens: float) -> float:
        """Return the use after which a model has repaid its extra training compute.

        It is compared with the compute-optimal model of the same predicted loss.

        Parameters
        ----------
        parameters, tokens : float
            Size and training tokens of the model.

        Returns
        -------
        float
            Tokens read and written; infinite for a model that is larger than the optimum.
        """
        best = self.inference_optimal(loss=self.loss(parameters, tokens))
        extra = FLOP_PER_TOKEN * parameters * tokens - best.flop
        saved = SERVING_FLOP_PER_TOKEN * (best.parameters - parameters)
        return max(extra, 0.0) / saved if saved > 0 else math.inf


def check_question(loss: float | None, budget: float | None) -> None:
    """Raise unless exactly one of a loss and a budget is given.

    Parameters
    ----------
    loss, budget : float or None
        As `Law.inference_optimal` takes them.

    Raises
    ------
    ParameterError
        If both are given, or none.
    """
    if (loss is None) == (budget is None):
        raise ParameterError(f"give loss or budget, not {'both' if budget is not None else 'none of them'}")


def checked(law: Law, signed: bool = False) -> None:
    """Make the numbers of a law floats, each above zero but E, which may be zero.

    Parameters
    ----------
    law : Law
        A frozen dataclass.
    signed : bool
        Whether its numbers may have any sign.

    Raises
    ------
    ParameterError
        If one is out of its range.
    """
    for name, value in law.coefficients().items():
        low = -1e300 if signed else 0
        object.__setattr__(law, name, bounded(name, value, low, above=not signed and name != "E"))


explain(__name__)
