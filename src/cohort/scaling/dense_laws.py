"""Loss laws and what they advise: how to divide compute, use, data and dollars between size and tokens.

``cohort.laws()`` lists the published laws; `cohort.law` returns one by name. Sizes are in parameters, data
in tokens, compute in FLOP, losses in nats per token.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Real

from cohort.errors import CohortError, ParameterError, positive, unknown
from cohort.numeric import root
from cohort.registry import facts

FLOP_PER_TOKEN = 6.0  # of training, a parameter: two forward, four backward


SERVING_FLOP_PER_TOKEN = 2.0  # of answering, a parameter


class InfeasibleError(CohortError):
    """A target that no size and no amount of data reaches; the message states the bound."""


@dataclass(frozen=True, slots=True)
class Allocation:
    """A size and an amount of training data.

    Attributes
    ----------
    parameters, tokens : float
        What the model holds, and what it is trained on.
    flop : float
        Training compute, exactly 6 x parameters x tokens.
    loss : float
        What the law predicts, in nats per token.
    """

    parameters: float
    tokens: float
    flop: float
    loss: float

    @property
    def tokens_per_parameter(self) -> float:
        """Training tokens per parameter."""
        return self.tokens / self.parameters


@dataclass(frozen=True, slots=True)
class Overtraining:
    """What a size other than the compute-optimal one takes to reach the same loss.

    Attributes
    ----------
    token_ratio : float
        Tokens over those of the compute-optimal model.
    compute_overhead : float
        Training compute over that of the compute-optimal model, less one.
    critical_parameter_ratio : float
        The share of the compute-optimal size below which no amount of data suffices.
    """

    token_ratio: float
    compute_overhead: float
    critical_parameter_ratio: float


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


@dataclass(frozen=True, slots=True)
class Price:
    """What a floating-point operation costs on rented accelerators.

    Attributes
    ----------
    usd_per_hour : float
        Of one accelerator.
    peak_flop_per_s : float
        Its dense peak.
    utilisation : float
        Share of the peak that is attained, above 0 and at most 1. Decoding is bound by bandwidth, which
        here is a low utilisation.
    """

    usd_per_hour: float
    peak_flop_per_s: float
    utilisation: float

    def __post_init__(self) -> None:
        for name, unit in (("usd_per_hour", "USD"), ("peak_flop_per_s", "FLOP/s"), ("utilisation", "")):
            object.__setattr__(self, name, positive(name, getattr(self, name), unit))
        if self.utilisation > 1:
            raise ParameterError(f"utilisation is {self.utilisation!r}, but must be above 0 and at most 1")

    @property
    def usd_per_flop(self) -> float:
        """Dollars an operation."""
        return self.usd_per_hour / (3600 * self.peak_flop_per_s * self.utilisation)


@dataclass(frozen=True, slots=True)
class Lifetime:
    """What a model is used for and what its operations cost, from its training to its last answer.

    Attributes
    ----------
    input_tokens, output_tokens : float
        Tokens read and written over the model's whole life.
    training, prefill, decode : Price
        Of an operation of training, of reading and of writing.
    """

    input_tokens: float
    output_tokens: float
    training: Price
    prefill: Price
    decode: Price

    def __post_init__(self) -> None:
        for name in ("input_tokens", "output_tokens"):
            object.__setattr__(self, name, _not_negative(name, getattr(self, name)))

    @property
    def equivalent_tokens(self) -> float:
        """Tokens of use that would cost the same at the price of training."""
        reading = self.input_tokens * self.prefill.usd_per_flop
        writing = self.output_tokens * self.decode.usd_per_flop
        return (reading + writing) / self.training.usd_per_flop

    def usd(self, parameters: float, tokens: float) -> float:
        """Return what training on `tokens` and all use of a model of that size cost together."""
        operations = FLOP_PER_TOKEN * positive("tokens", tokens)
        operations += SERVING_FLOP_PER_TOKEN * self.equivalent_tokens
        return positive("parameters", parameters) * operations * self.training.usd_per_flop


@dataclass(frozen=True, slots=True)
class ScalingLaw:
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
        object.__setattr__(self, "E", _not_negative("E", self.E))
        for name in ("A", "B", "alpha", "beta"):
            object.__setattr__(self, name, positive(name, getattr(self, name)))

    def with_quality(self, quality: float) -> ScalingLaw:
        """Return the law for data of which a token is worth `quality` ordinary ones: B becomes B q^-beta."""
        better = self.B * positive("quality", quality) ** -self.beta
        return ScalingLaw(self.E, self.A, better, self.alpha, self.beta)

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

    def loss(
        self,
        parameters: float,
        tokens: float,
        unique_tokens: float | None = None,
        repetition: Repetition | str | None = None,
    ) -> float:
        """Return the predicted loss.

        Parameters
        ----------
        parameters, tokens : float
            Size and training tokens, those that are repeated counted each time.
        unique_tokens : float, optional
            Distinct tokens, where data are repeated: then both terms count effective values
            :cite:p:`muennighoff2023data`.
        repetition : Repetition or str, optional
            How fast repeated data lose their value, or the law that says so; by default ``muennighoff``.

        Returns
        -------
        float
            Nats per token.

        Raises
        ------
        ParameterError
            If a number is not finite or not above 0.
        """
        n, d = positive("parameters", parameters), positive("tokens", tokens)
        if unique_tokens is not None:
            limit = _Limit(self, positive("unique_tokens", unique_tokens), repetition)
            n, d = limit.effective(n, d)
        return float(self.E + self.A * n**-self.alpha + self.B * d**-self.beta)

    def gains(self, parameters: float, tokens: float) -> tuple[float, float]:
        """Return by how much the loss falls for each e-fold more parameters, and more tokens.

        Returns
        -------
        tuple of two floats
            alpha A / N^alpha and beta B / D^beta, in nats per token; equal where compute is divided best.
        """
        n, d = positive("parameters", parameters), positive("tokens", tokens)
        return self.alpha * self.A * n**-self.alpha, self.beta * self.B * d**-self.beta

    def tokens_for(self, parameters: float, loss: float) -> float:
        """Return the tokens that a model of a given size needs to reach a loss.

        Raises
        ------
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
        """Return the size above which a loss can be reached at all: with endless data, at this size."""
        return float((self.A / self._reducible(loss)) ** (1 / self.alpha))

    # --- what to train

    def compute_optimal(
        self,
        flop: float | None = None,
        *,
        parameters: float | None = None,
        tokens: float | None = None,
        loss: float | None = None,
    ) -> Allocation:
        """Return the allocation of the lowest loss for its compute, in closed form.

        Parameters
        ----------
        flop, parameters, tokens, loss : float
            Exactly one of them: what the allocation has to have.

        Returns
        -------
        Allocation
            Its ``flop`` is exactly 6 x parameters x tokens.

        Raises
        ------
        ParameterError
            If not exactly one is given, or it is not a finite number above 0.
        InfeasibleError
            If the loss is at or below E.
        """
        given = {"flop": flop, "parameters": parameters, "tokens": tokens, "loss": loss}
        chosen = [(name, value) for name, value in given.items() if value is not None]
        if len(chosen) != 1:
            names = ", ".join(name for name, _ in chosen) or "none"
            raise ParameterError(f"give exactly one of flop, parameters, tokens and loss, not {names}")
        (name, value) = chosen[0]
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

    def inference_optimal(
        self,
        loss: float,
        inference_tokens: float,
        unique_tokens: float | None = None,
        repetition: Repetition | str | None = None,
    ) -> Allocation:
        """Return the allocation that reaches a loss with the least compute of training and use together.

        Use costs 2 FLOP a parameter and token :cite:p:`sardana2024beyond`. One root in one unknown, the share
        of the reducible loss that the size accounts for.

        Parameters
        ----------
        loss : float
            The loss to reach, in nats per token.
        inference_tokens : float
            Tokens read and written over the model's whole life; 0 gives the compute-optimal allocation.
        unique_tokens : float, optional
            Distinct training tokens that there are; beyond them data are repeated.
        repetition : Repetition or str, optional
            How fast repeated data lose their value, or the law that says so; by default ``muennighoff``.

        Returns
        -------
        Allocation
            Its ``flop`` counts training only.

        Raises
        ------
        ParameterError
            If a number is not finite or negative.
        InfeasibleError
            If no size and no repetition reach the loss; the message states the bound.
        """
        reducible = self._reducible(loss)
        use = _not_negative("inference_tokens", inference_tokens)
        free = self._at_share(reducible, self._share(reducible, use))
        if unique_tokens is None or free.tokens <= positive("unique_tokens", unique_tokens):
            return free
        return _Limit(self, float(unique_tokens), repetition).inference_optimal(loss, reducible, use)

    def cost_optimal(
        self,
        loss: float,
        lifetime: Lifetime,
        unique_tokens: float | None = None,
        repetition: Repetition | str | None = None,
    ) -> Allocation:
        """Return the allocation that reaches a loss for the fewest dollars of training and use together.

        Parameters
        ----------
        loss : float
            The loss to reach, in nats per token.
        lifetime : Lifetime
            Use and prices.
        unique_tokens, repetition
            As for `inference_optimal`, whose solution this is at ``lifetime.equivalent_tokens``.
        """
        return self.inference_optimal(loss, lifetime.equivalent_tokens, unique_tokens, repetition)

    def data_limited(
        self, flop: float, unique_tokens: float, repetition: Repetition | str | None = None
    ) -> Allocation:
        """Return the allocation of the lowest loss for its compute where data run out and are repeated.

        A root in one unknown, the logarithm of the size :cite:p:`muennighoff2023data`.

        Parameters
        ----------
        flop : float
            Training compute.
        unique_tokens : float
            Distinct tokens that there are.
        repetition : Repetition or str, optional
            How fast repeated data lose their value, or the law that says so; by default ``muennighoff``.
        """
        free = self.compute_optimal(flop)
        if free.tokens <= positive("unique_tokens", unique_tokens):
            return free
        return _Limit(self, float(unique_tokens), repetition).compute_optimal(float(flop))

    # --- what training beyond the optimum means

    def overtraining(self, parameter_ratio: float) -> Overtraining:
        """Return what a model of a share of the compute-optimal size takes to reach the same loss.

        The answer depends on no size and no compute :cite:p:`devries2023gosmol`.

        Parameters
        ----------
        parameter_ratio : float
            Size over that of the compute-optimal model of the same loss.

        Raises
        ------
        InfeasibleError
            If the ratio is at or below the critical one, which the message states.
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

        Returns
        -------
        float
            Tokens read and written; 0 for a compute-optimal model, infinite for one that is larger than it.
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

        Returns
        -------
        float
            Tokens read and written; negative for a model that is larger than compute-optimal, which no use
            justifies.
        """
        by_size, by_tokens = self.gains(parameters, tokens)
        return 3 * tokens * (by_size / by_tokens - 1)

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


@dataclass(frozen=True, slots=True)
class _Limit:
    """A law under a limit of unique tokens U, beyond which data are repeated.

    Tokens D > U count as D' = U (1 + R* (1 - exp(-R / R*))) with R = D/U - 1, and so do parameters beyond
    those that are compute-optimal for U.
    """

    law: ScalingLaw
    unique: float
    given: Repetition | str | None

    @property
    def rates(self) -> Repetition:
        given = "muennighoff" if self.given is None else self.given
        if isinstance(given, Repetition):
            return given
        return repetition(given)

    @property
    def base(self) -> float:
        """Parameters that the unique tokens call for."""
        return self.law.compute_optimal(tokens=self.unique).parameters

    def effective(self, n: float, d: float) -> tuple[float, float]:
        """Return the effective parameters and tokens."""
        unique = min(d, self.unique)
        base = min(n, self.law.compute_optimal(tokens=unique).parameters)
        return (
            base * _worth(n / base - 1, self.rates.parameters),
            unique * _worth(d / unique - 1, self.rates.tokens),
        )

    def compute_optimal(self, flop: float) -> Allocation:
        """Return the best allocation of a compute at which the free optimum would need more tokens."""
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
        """Return the best allocation where the free optimum would need more tokens than there are."""
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


def _not_negative(name: str, value: object) -> float:
    zero = isinstance(value, Real) and not isinstance(value, bool) and value == 0
    return 0.0 if zero else positive(name, value)


# --- published laws


def laws() -> list[str]:
    """Return the names of the published laws, as `law` takes them."""
    return list(dict.fromkeys(row["law"] for row in facts.rows("scaling_laws")))


def _published(name: str) -> dict[str, float]:
    values = {row["quantity"]: row["value"] for row in facts.rows("scaling_laws") if row["law"] == name}
    if not values:
        raise unknown("law", name, laws())
    return {
        quantity.removeprefix("ln "): math.exp(float(value)) if quantity.startswith("ln ") else float(value)
        for quantity, value in values.items()
    }


def law(name: str) -> ScalingLaw:
    """Return a published law.

    Parameters
    ----------
    name : str
        A name from `laws`. A name alone carries the numbers as its authors print them, with
        ``-unrounded`` those behind the print.

    Returns
    -------
    ScalingLaw
        Its five numbers.

    Raises
    ------
    UnknownNameError
        If there is no such law; the message names the nearest.
    """
    values = _published(name)
    return ScalingLaw(**{key: values[key] for key in ("E", "A", "B", "alpha", "beta")})


def repetition(name: str) -> Repetition:
    """Return how fast repeated data lose their value, by a published law that says so.

    Raises
    ------
    UnknownNameError
        If there is no such law, or it knows nothing of repetition.
    """
    values = _published(name)
    if "R*_D" not in values:
        raise unknown("law of repeated data", name, [each for each in laws() if "R*_D" in _published(each)])
    return Repetition(tokens=values["R*_D"], parameters=values["R*_N"])
