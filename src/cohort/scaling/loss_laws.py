"""What a law says of size and data: the loss, what another loss takes, and the compute-optimal policy."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from cohort.errors import InfeasibleError, ParameterError, bounded, positive
from cohort.errors.arguments import explain
from cohort.numeric import root
from cohort.scaling.allocations import FLOP_PER_TOKEN, Allocation
from cohort.scaling.laws_in_general import Law
from cohort.scaling.repeated_data import Repetition, UniqueTokens


@dataclass(frozen=True, slots=True)
class LossLaw(Law):
    """The loss as a sum of an irreducible part and two power laws, L = E + A / N^alpha + B / D^beta.

    Third approach of :cite:t:`hoffmann2022chinchilla`.

    Attributes
    ----------
    E : float
        Loss that no size and no data can remove, in nats per token.
    A, alpha : float
        What a finite number of parameters N costs.
    B, beta : float
        What a finite number of training tokens D costs.

    Raises
    ------
    ParameterError
        If one of them is not a finite number above 0 (E may be 0).
    """

    E: float
    A: float
    B: float
    alpha: float
    beta: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "E", bounded("E", self.E, 0))
        for name in ("A", "B", "alpha", "beta"):
            object.__setattr__(self, name, positive(name, getattr(self, name)))

    @property
    def parameters_exponent(self) -> float:
        """The exponent a of the compute-optimal size, N* ~ C^a."""
        return self.beta / (self.alpha + self.beta)

    @property
    def tokens_exponent(self) -> float:
        """The exponent b of the compute-optimal tokens, D* ~ C^b."""
        return self.alpha / (self.alpha + self.beta)

    @property
    def G(self) -> float:
        """The factor of the optimal policy, N* = G (C/6)^a and D* = (C/6)^b / G."""
        ratio = math.log(self.alpha * self.A) - math.log(self.beta * self.B)
        return math.exp(ratio / (self.alpha + self.beta))

    # --- what a given model reaches

    def loss(  # type: ignore[override]
        self,
        parameters: Any,
        tokens: Any,
        unique_tokens: float | None = None,
        repetition: Repetition | str | None = None,
    ) -> Any:
        """Return the predicted loss.

        Parameters
        ----------
        parameters, tokens : float or array_like
            Size and training tokens, those that are repeated counted each time; lists give a list, arrays an
            array.
        unique_tokens : float, optional
            Distinct tokens, where data are repeated: then both terms count effective values
            :cite:p:`muennighoff2023data`.
        repetition : Repetition or str, optional
            How fast repeated data lose their value, or the law that says so; by default ``muennighoff``.

        Returns
        -------
        float, list or array
            Nats per token.

        Raises
        ------
        ParameterError
            If a number is not finite or not above 0.
        UnknownNameError
            If there is no such law of repetition.

        Examples
        --------
        >>> import cohort
        >>> round(cohort.law("besiroglu").loss(70e9, 1.4e12), 3)
        1.974
        """
        if unique_tokens is None:
            return Law.loss(self, parameters, tokens)
        n, d = positive("parameters", parameters), positive("tokens", tokens)
        limit = UniqueTokens(self, positive("unique_tokens", unique_tokens), repetition)
        return float(self._loss(*limit.effective(n, d)))

    def _loss(self, n: Any, d: Any, **further: Any) -> Any:
        return self.E + self.A * n**-self.alpha + self.B * d**-self.beta

    def gains(self, parameters: float, tokens: float) -> tuple[float, float]:
        """Return by how much the loss falls for each e-fold more parameters, and more tokens.

        Parameters
        ----------
        parameters, tokens : float
            Size and training tokens.

        Returns
        -------
        tuple of two floats
            alpha A / N^alpha and beta B / D^beta, in nats per token; equal where compute is divided best.

        Raises
        ------
        ParameterError
            If either is not a finite number above 0.
        """
        n, d = positive("parameters", parameters), positive("tokens", tokens)
        return self.alpha * self.A * n**-self.alpha, self.beta * self.B * d**-self.beta

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
        ParameterError
            If either is not a finite number above 0.
        InfeasibleError
            If it reaches that loss with no amount of data; the message states the smallest size that does.
        """
        n = positive("parameters", parameters)
        left = self._reducible(loss) - self.A * n**-self.alpha
        if left <= 0:
            raise InfeasibleError(
                f"a model of {n:.4g} parameters reaches a loss of {loss:.6g} with no amount of data: "
                f"it would need more than {self.critical_parameters(loss):.4g} parameters"
            )
        return float((self.B / left) ** (1 / self.beta))

    def critical_parameters(self, loss: float) -> float:
        """Return the size above which a loss can be reached at all: with endless data, at this size.

        Parameters
        ----------
        loss : float
            The loss to reach, in nats per token.

        Returns
        -------
        float
            Parameters.

        Raises
        ------
        InfeasibleError
            If the loss is at or below E.
        """
        return float((self.A / self._reducible(loss)) ** (1 / self.alpha))

    # --- what to train

    def compute_optimal(  # type: ignore[override]
        self,
        flop: float | None = None,
        *,
        parameters: float | None = None,
        tokens: float | None = None,
        loss: float | None = None,
        unique_tokens: float | None = None,
        repetition: Repetition | str | None = None,
    ) -> Allocation:
        """Return the allocation of the lowest loss for its compute, in closed form.

        Where data run out and are repeated it is a root in one unknown, the logarithm of the size
        :cite:p:`muennighoff2023data`.

        Parameters
        ----------
        flop, parameters, tokens, loss : float
            Exactly one of them: what the allocation has to have.
        unique_tokens : float, optional
            Distinct tokens that there are, for a given `flop`; beyond them data are repeated.
        repetition : Repetition or str, optional
            How fast repeated data lose their value, or the law that says so; by default ``muennighoff``.

        Returns
        -------
        Allocation
            Its ``flop`` is exactly 6 x parameters x tokens.

        Raises
        ------
        ParameterError
            If not exactly one is given, or it is not a finite number above 0, or `unique_tokens` come without
            `flop`.
        InfeasibleError
            If the loss is at or below E.

        See Also
        --------
        inference_optimal : Of training and use together.

        Examples
        --------
        >>> import cohort
        >>> best = cohort.law("besiroglu").compute_optimal(5.76e23)
        >>> f"{best.parameters:.3g} parameters, {best.tokens_per_parameter:.1f} tokens each"
        '7.22e+10 parameters, 18.4 tokens each'
        """
        given = {"flop": flop, "parameters": parameters, "tokens": tokens, "loss": loss}
        chosen = [(name, value) for name, value in given.items() if value is not None]
        if len(chosen) != 1:
            names = ", ".join(name for name, _ in chosen) or "none"
            raise ParameterError(f"give exactly one of flop, parameters, tokens and loss, not {names}")
        (name, value) = chosen[0]
        if unique_tokens is not None:
            if flop is None:
                raise ParameterError(f"unique_tokens goes with flop, not with {name}")
            free = self.compute_optimal(flop)
            unique = positive("unique_tokens", unique_tokens, "tokens")
            if free.tokens <= unique:
                return free
            return UniqueTokens(self, unique, repetition).compute_optimal(float(flop))
        if name == "loss":
            return self._at_share(self._reducible(value), math.log(self.beta / self.alpha))
        value = positive(name, value)
        try:
            if name == "flop":
                pairs = value / FLOP_PER_TOKEN
            elif name == "parameters":
                pairs = (value / self.G) ** (1 / self.parameters_exponent)
            else:
                pairs = (value * self.G) ** (1 / self.tokens_exponent)
        except OverflowError:
            raise InfeasibleError("the allocation asked for is beyond the range of numbers") from None
        n = value if name == "parameters" else self.G * pairs**self.parameters_exponent
        d = value if name == "tokens" else pairs / n
        return self._allocation(n, d)

    # --- the algebra

    def _reducible(self, loss: object) -> float:
        """Return the loss less E; raise where nothing is left."""
        value = positive("loss", loss, "nats per token")
        if value <= self.E:
            raise InfeasibleError(f"a loss of {value:.6g} is out of reach: it must be above E = {self.E:.6g}")
        return value - self.E

    def _allocation(self, n: float, d: float) -> Allocation:
        return Allocation(n, d, FLOP_PER_TOKEN * n * d, self.loss(n, d))

    def _terms(self, reducible: float, share: float) -> tuple[float, float]:
        """Return size and tokens, where `share` is the logit of the size's share of the reducible loss."""
        try:
            n = (self.A * (1 + math.exp(-share)) / reducible) ** (1 / self.alpha)
            d = (self.B * (1 + math.exp(share)) / reducible) ** (1 / self.beta)
        except OverflowError:
            raise InfeasibleError("the allocation asked for is beyond the range of numbers") from None
        return n, d

    def _at_share(self, reducible: float, share: float) -> Allocation:
        return self._allocation(*self._terms(reducible, share))

    def _condition(self, share: float, d: float, use: float) -> float:
        """Return the first-order condition of least compute in training and use: 0 at the optimum."""
        return share + math.log(self.alpha / self.beta) - math.log1p(use / (3 * d))

    def _share(self, reducible: float, use: float) -> float:
        """Return the logit of the size's share of the reducible loss that use of `use` tokens calls for."""
        low = math.log(self.beta / self.alpha)
        if use == 0:
            return low
        high = low + math.log1p(use / (3 * self._terms(reducible, low)[1]))
        margin = 1e-9  # little use leaves no room between the two, and rounding none for opposite signs
        return root(
            lambda t: self._condition(t, self._terms(reducible, t)[1], use), low - margin, high + margin
        )


explain(__name__)
