"""Loss laws and what they advise: how to divide compute, use, data and dollars between size and tokens.

``cohort.laws()`` lists the published laws; `cohort.law` returns one by name. Sizes are in parameters, data
in tokens, compute in FLOP, losses in nats per token.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from cohort.errors import InfeasibleError, ParameterError, bounded, positive
from cohort.errors.arguments import explain
from cohort.numeric import root
from cohort.scaling.allocations import FLOP_PER_TOKEN, SERVING_FLOP_PER_TOKEN, Allocation, Overtraining
from cohort.scaling.laws_in_general import check_question
from cohort.scaling.loss_laws import LossLaw
from cohort.scaling.repeated_data import Repetition, UniqueTokens, coefficients


@dataclass(frozen=True, slots=True)
class ScalingLaw(LossLaw):
    """The loss as a sum of an irreducible part and two power laws, L = E + A / N^alpha + B / D^beta.

    Third approach of :cite:t:`hoffmann2022chinchilla`, with what use and overtraining make of it.

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

    form: ClassVar[str] = "chinchilla"

    def with_quality(self, quality: float) -> ScalingLaw:
        """Return the law for better data: B becomes B q^-beta.

        Parameters
        ----------
        quality : float
            Ordinary tokens that one of them is worth.

        Returns
        -------
        ScalingLaw
            The law.

        Raises
        ------
        ParameterError
            If the quality is not a finite number above 0.
        """
        better = self.B * positive("quality", quality) ** -self.beta
        return ScalingLaw(self.E, self.A, better, self.alpha, self.beta)

    def inference_optimal(
        self,
        loss: float | None = None,
        inference_tokens: float = 0.0,
        unique_tokens: float | None = None,
        repetition: Repetition | str | None = None,
        *,
        budget: float | None = None,
    ) -> Allocation:
        """Return the allocation that reaches a loss with the least compute of training and use together.

        Or, for a `budget` of both, the allocation of the lowest loss.

        Use costs 2 FLOP a parameter and token :cite:p:`sardana2024beyond`. One root in one unknown, the share
        of the reducible loss that the size accounts for.

        Parameters
        ----------
        loss : float, optional
            The loss to reach, in nats per token.
        inference_tokens : float
            Tokens read and written over the model's whole life; 0 gives the compute-optimal allocation.
        unique_tokens : float, optional
            Distinct training tokens that there are; beyond them data are repeated.
        repetition : Repetition or str, optional
            How fast repeated data lose their value, or the law that says so; by default ``muennighoff``.
        budget : float, optional
            Instead of the loss: compute of training and use together, in FLOP.

        Returns
        -------
        Allocation
            Its ``flop`` counts training only.

        Raises
        ------
        ParameterError
            If a number is not finite or negative, or not exactly one of loss and budget is given, or a
            budget comes with unique tokens.
        InfeasibleError
            If no size and no repetition reach the loss; the message states the bound.

        See Also
        --------
        compute_optimal : Of training alone.
        Lifetime.equivalent_tokens : Use at the price of training, for the fewest dollars instead.

        Examples
        --------
        >>> import cohort
        >>> law = cohort.law("besiroglu")
        >>> plain = law.compute_optimal(1e23)
        >>> used = law.inference_optimal(plain.loss, inference_tokens=2e12)
        >>> used.parameters < plain.parameters and used.tokens > plain.tokens
        True
        """
        use = bounded("inference_tokens", inference_tokens, 0, unit="tokens")
        check_question(loss, budget)
        if budget is not None:
            if unique_tokens is not None:
                raise ParameterError("unique_tokens go with loss, not with budget")
            return self._within(positive("budget", budget, "FLOP"), use)
        assert loss is not None
        reducible = self._reducible(loss)
        free = self._at_share(reducible, self._share(reducible, use))
        if unique_tokens is None or free.tokens <= positive("unique_tokens", unique_tokens):
            return free
        return UniqueTokens(self, float(unique_tokens), repetition).inference_optimal(loss, reducible, use)

    def _within(self, budget: float, use: float) -> Allocation:
        """Return the size of the lowest loss whose training and use take a budget: a root in ln N."""
        most = budget / (SERVING_FLOP_PER_TOKEN * use) if use else budget / FLOP_PER_TOKEN

        def tokens(n: float) -> float:
            return (budget / n - SERVING_FLOP_PER_TOKEN * use) / FLOP_PER_TOKEN

        def balance(log_n: float) -> float:  # what the last e-fold of size gains, less what its tokens cost
            n = math.exp(log_n)
            d = tokens(n)
            by_size, by_tokens = self.gains(n, d)
            return math.log(by_size / by_tokens) - math.log(budget / (FLOP_PER_TOKEN * n * d))

        margin = 1e-9
        n = math.exp(root(balance, math.log(most) - 300.0, math.log(most) + math.log1p(-margin)))
        return self._allocation(n, tokens(n))

    # --- what training beyond the optimum means

    def overtraining(self, parameter_ratio: float) -> Overtraining:
        """Return what a model of a share of the compute-optimal size takes to reach the same loss.

        The answer depends on no size and no compute :cite:p:`devries2023gosmol`.

        Parameters
        ----------
        parameter_ratio : float
            Size over that of the compute-optimal model of the same loss.

        Returns
        -------
        Overtraining
            Tokens and compute over those of that model, and the critical ratio.

        Raises
        ------
        ParameterError
            If the ratio is not a finite number above 0.
        InfeasibleError
            If the ratio is at or below the critical one, which the message states.

        Examples
        --------
        >>> import cohort
        >>> round(cohort.law("besiroglu").overtraining(0.5).compute_overhead, 3)
        0.259
        """
        ratio = positive("parameter_ratio", parameter_ratio)
        critical = (1 + self.alpha / self.beta) ** (-1 / self.alpha)
        left = 1 - (ratio**-self.alpha - 1) * self.beta / self.alpha
        if left <= 0:
            raise InfeasibleError(
                f"at {ratio:.4g} of the compute-optimal size no amount of data reaches the same loss: "
                f"the ratio must be above {critical:.4g}"
            )
        tokens = left ** (-1 / self.beta)
        return Overtraining(tokens, ratio * tokens - 1, critical)

    def break_even_tokens(self, parameters: float, tokens: float) -> float:
        """Return the use after which a model has repaid its extra training compute.

        It is compared with the compute-optimal model of the same predicted loss, which is larger and costs
        more to use.

        Parameters
        ----------
        parameters, tokens : float
            Size and training tokens of the model.

        Returns
        -------
        float
            Tokens read and written; 0 for a compute-optimal model, infinite for one that is larger than it.

        Raises
        ------
        ParameterError
            If either is not a finite number above 0.

        Examples
        --------
        >>> import cohort
        >>> f'{cohort.law("besiroglu").break_even_tokens(8e9, 15e12):.2g}'
        '1.1e+13'
        """
        optimum = self.compute_optimal(loss=self.loss(parameters, tokens))
        extra = FLOP_PER_TOKEN * parameters * tokens - optimum.flop
        saved = SERVING_FLOP_PER_TOKEN * (optimum.parameters - parameters)
        if saved <= 0:
            return 0.0 if math.isclose(parameters, optimum.parameters, rel_tol=1e-12) else math.inf
        return max(extra, 0.0) / saved

    def justifying_tokens(self, parameters: float, tokens: float) -> float:
        """Return the use for which a model is the best of all that reach its loss, by compute.

        The inverse of `inference_optimal`: 3 D (alpha A N^-alpha / (beta B D^-beta) - 1).

        Parameters
        ----------
        parameters, tokens : float
            Size and training tokens of the model.

        Returns
        -------
        float
            Tokens read and written; negative for a model that is larger than compute-optimal, which no use
            justifies.

        Raises
        ------
        ParameterError
            If either is not a finite number above 0.
        """
        by_size, by_tokens = self.gains(parameters, tokens)
        return 3 * tokens * (by_size / by_tokens - 1)


def law(name: str | Path) -> ScalingLaw:
    """Return a published law, or one that was saved.

    Parameters
    ----------
    name : str or Path
        A name from `laws`, in any usual spelling, or the path of a JSON file that
        `cohort.fitting.Fit.save` wrote. A name alone carries the numbers as its authors print them, with
        ``-unrounded`` those behind the print.

    Returns
    -------
    ScalingLaw
        Its five numbers; of a file with another form, a law of that form.

    Raises
    ------
    UnknownNameError
        If there is no such law; the message names the nearest.
    ParameterError
        If the file cannot be read, or holds no law.

    Examples
    --------
    >>> law("besiroglu").beta
    0.3658
    """
    if isinstance(name, Path) or (isinstance(name, str) and name.endswith(".json")):
        from cohort.scaling.saved_laws import read_law

        return read_law(name)  # type: ignore[return-value]
    values = coefficients(name)
    return ScalingLaw(**{key: values[key] for key in ("E", "A", "B", "alpha", "beta")})


explain(__name__)
