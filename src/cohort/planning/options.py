"""One way to serve a demand, how it runs, and what it takes."""

from __future__ import annotations

from dataclasses import dataclass, field

from cohort.architecture.registered import title_of
from cohort.errors.arguments import explain
from cohort.planning.sharing import Way
from cohort.serving.services import Serving
from cohort.units import G_PER_KG, MILLION, SECONDS_PER_HOUR

# What a choice can be the best in, by the property of `cohort.planning.search.Plan` that has it.
BEST = {
    "cheapest": "the lowest price",
    "fewest": "the fewest accelerators",
    "least_energy": "the least energy",
    "least_carbon": "the least CO2e",
    "fastest": "the fastest tokens",
}
# What becomes of the ways that cannot serve a demand, by the kind of the reason.
FAILURES = {
    "context": "are offered for shorter texts",
    "memory": "do not fit the memory",
    "time": "are too slow",
    "accelerators": "need too many accelerators",
    "price": "cost too much, or have no known price",
    "carbon": "emit too much CO2e, or an unknown amount",
}


@dataclass(frozen=True, slots=True)
class Option:
    """A model on accelerators that share it in one way, as often as the demand needs it.

    Attributes
    ----------
    model, accelerator : str
        Names of both.
    way : Way
        How the accelerators of one copy share the work.
    weight_dtype, kv_dtype : str
        How weights and cache are stored.
    copies : int
        Copies of the service.
    serving : Serving
        One copy, with its part of the demand.
    usd_per_hour : float or None
        Price of all accelerators for an hour; None where no price is known.
    energy_kwh, co2e_kg : float or None
        Of an answer: energy at the meter, and CO2e with the making of the hardware; None where the data lack
        what the accelerator draws or took to make.
    """

    model: str
    accelerator: str
    way: Way
    weight_dtype: str
    kv_dtype: str
    copies: int
    serving: Serving = field(repr=False)
    usd_per_hour: float | None
    energy_kwh: float | None
    co2e_kg: float | None

    @property
    def accelerators(self) -> int:
        """Accelerators in all."""
        return self.copies * self.way.devices

    @property
    def users(self) -> int:
        """Answers that are written at once in all copies, at the most."""
        return self.copies * self.serving.concurrency

    @property
    def requests_per_s(self) -> float:
        """Requests that all copies together finish in a second."""
        return self.copies * self.serving.requests_per_s

    @property
    def tokens_per_s_per_user(self) -> float:
        """Tokens that a user sees in a second."""
        return 1 / self.serving.tpot_s

    @property
    def tokens_per_s_per_accelerator(self) -> float:
        """Tokens that an accelerator writes in a second."""
        return self.serving.output_tokens_per_s / self.way.devices

    @property
    def usd_per_million_tokens(self) -> float | None:
        """Price of a million output tokens at this load, their prompts included."""
        if self.usd_per_hour is None:
            return None
        written = self.copies * self.serving.output_tokens_per_s
        return self.usd_per_hour / (SECONDS_PER_HOUR * written) * MILLION

    @property
    def grams_per_answer(self) -> float | None:
        """CO2e of an answer in grams."""
        return None if self.co2e_kg is None else G_PER_KG * self.co2e_kg

    @property
    def words(self) -> str:
        """The option in words."""
        copies = "" if self.copies == 1 else f"{self.copies:,} copies, each on "
        stored = (
            self.weight_dtype if self.kv_dtype == "bf16" else f"{self.weight_dtype}, cache in {self.kv_dtype}"
        )
        name, devices = title_of(self.model), f"{copies}{self.way.devices} {self.accelerator}"
        return f"{name} in {stored} on {devices}: {self.way.words}"


@dataclass(frozen=True, slots=True)
class Point:
    """One concurrency of one way: what a user and what an accelerator gets.

    Attributes
    ----------
    model, accelerator, weight_dtype, kv_dtype : str
        As in `Option`.
    way : Way
        How accelerators share the work.
    concurrency : int
        Answers at once on one copy.
    first_token_s : float
        Time to the first token, in seconds.
    tokens_per_s_per_user, tokens_per_s_per_accelerator : float
        Tokens a second.
    """

    model: str
    accelerator: str
    weight_dtype: str
    kv_dtype: str
    way: Way
    concurrency: int
    first_token_s: float
    tokens_per_s_per_user: float
    tokens_per_s_per_accelerator: float


@dataclass(frozen=True, slots=True)
class Rejected:
    """A way that cannot serve the demand, and why.

    Attributes
    ----------
    what : str
        The way in words.
    why : str
        A clause.
    kind : str
        The kind of the reason, one of `FAILURES`; empty where it is no matter of serving.
    """

    what: str
    why: str
    kind: str = ""


explain(__name__)
