"""Every way to serve a demand, tried: the cheapest, the fewest, the least energy, the frontier."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf, isnan
from typing import Any, TypeVar

from cohort.architecture.decoder import ModelSpec
from cohort.architecture.formats import WeightFormat, weight_format
from cohort.architecture.registered import model as read_model
from cohort.errors import ParameterError, integer
from cohort.errors.arguments import explain
from cohort.footprint.energy import MOST_SHARED
from cohort.planning.burden import Draw, Weight, price_of, weight_of
from cohort.planning.candidates import Candidate, rungs
from cohort.planning.demand import Demand, Limits, three_digits
from cohort.planning.options import Option, Point, Rejected
from cohort.planning.sharing import Way, ways
from cohort.registry.devices import Accelerator, as_accelerator
from cohort.serving.groups import device_group, most_devices
from cohort.serving.memory import offered_context
from cohort.serving.step import DeviceGroup
from cohort.units import MILLION, SECONDS_PER_HOUR

T = TypeVar("T")
COPY = 8  # accelerators of one copy that are tried, at the least
SLACK = 1.02  # of a bound: rates rise with the answers at once but for rounding, up to whole steps


@dataclass(frozen=True, slots=True)
class Plan:
    """The ways to serve a demand that are worth choosing between.

    Attributes
    ----------
    demand : Demand
        What was asked.
    limits : Limits
        What it may take.
    options : tuple of Option
        Those that keep all limits, and that no other of them beats in price, accelerators, energy, CO2e and
        both times at once; the cheapest first.
    frontier : tuple of Point
        From the fastest for a user to the most that an accelerator writes: points within the limits of time
        that no other beats in both.
    each : tuple of Option
        The cheapest option on each accelerator that has one of a known price, the cheapest first.
    rejected : tuple of Rejected
        The ways that cannot, each with its reason.
    tried : int
        Ways that were tried.
    kept : int
        Of those, the ways that keep all limits.
    """

    demand: Demand
    limits: Limits
    options: tuple[Option, ...]
    frontier: tuple[Point, ...]
    each: tuple[Option, ...]
    rejected: tuple[Rejected, ...]
    tried: int
    kept: int

    @property
    def cheapest(self) -> Option | None:
        """The option of the lowest price; None where no price is known, or nothing is left."""
        return self._least(lambda each: each.usd_per_hour)

    @property
    def fewest(self) -> Option | None:
        """The option of the fewest accelerators."""
        return self._least(lambda each: each.accelerators)

    @property
    def least_energy(self) -> Option | None:
        """The option of the least energy for an answer."""
        return self._least(lambda each: each.energy_kwh)

    @property
    def least_carbon(self) -> Option | None:
        """The option of the least CO2e for an answer."""
        return self._least(lambda each: each.co2e_kg)

    @property
    def fastest(self) -> Option | None:
        """The option of the shortest time for a token."""
        return self._least(lambda each: each.serving.tpot_s)

    def _least(self, value: Callable[[Option], float | None]) -> Option | None:
        known = [
            (found, number) for number, each in enumerate(self.options) if (found := value(each)) is not None
        ]
        return self.options[min(known)[1]] if known else None


def plan(
    models: str | ModelSpec | Sequence[str | ModelSpec],
    accelerators: str | Accelerator | Sequence[str | Accelerator],
    demand: Demand,
    limits: Limits | None = None,
    *,
    weight_dtypes: Sequence[str] = ("released",),
    kv_dtypes: Sequence[str] = ("bf16",),
    engine: str | None = None,
    generation: str = "2025",
    place: str = "USA",
    prices: Mapping[str, float] | None = None,
    apart: bool = True,
    largest: int | None = None,
    frontier: bool = True,
) -> Plan:
    """Return the ways to serve a demand that are worth choosing between, and why the others are not.

    Every model meets every accelerator, type of weights and of cache, and every way in which a group can
    share it: layers split (tensor), dealt out in stages (pipeline), experts dealt out and copies of the
    attention (mixtures), with prompts read by devices of their own or not. Each takes as many answers at once
    as its memory and the limits of time allow, and as many copies as the demand then needs.

    Parameters
    ----------
    models : str, ModelSpec or sequence of them
        The models to choose between.
    accelerators : str, Accelerator or sequence of them
        The accelerators to choose between.
    demand : Demand
        Lengths of prompts and answers, and how many there are.
    limits : Limits, optional
        What times, accelerators, price and CO2e may be at the most.
    weight_dtypes : sequence of str
        Types of the weights to choose between, as `cohort.serving.serve` takes them.
    kv_dtypes : sequence of str
        Types of the cache.
    engine, generation : str, optional
        As `cohort.serving.serve` takes them.
    place : str
        A place from ``cohort.grids()``; decides what electricity emits.
    prices : mapping of str to float, optional
        USD for an hour of an accelerator, by its name; by default the middle of what the data hold.
    apart : bool
        Whether prompts may be read by devices of their own.
    largest : int, optional
        Accelerators of one copy at the most; by default twice as many as links join, and at least eight.
    frontier : bool
        Whether the frontier is worked out as well; else it is empty.

    Returns
    -------
    Plan

    Raises
    ------
    UnknownNameError
        If a name is not known; the message names the nearest.
    ParameterError
        If there is nothing to choose from, or a number is out of its range.

    Examples
    --------
    >>> from cohort.planning import Demand, Limits, plan
    >>> found = plan(
    ...     "llama-3-70b", ["H100 SXM 80GB", "H200"], Demand(1000, 300, users=200), Limits(token_s=0.05)
    ... )
    >>> found.cheapest.serving.tpot_s <= 0.05 and found.cheapest.users >= 200
    True
    """
    if largest is not None:
        integer("largest", largest, 1, MOST_SHARED, unit="accelerators")
    search = _Search(demand, limits or Limits(), engine, generation, place, prices, largest, frontier)
    for trial in search.trials(models, accelerators, weight_dtypes, kv_dtypes, apart):
        search.judge(trial)
    return search.found()


def cheapest_option(
    models: str | ModelSpec | Sequence[str | ModelSpec],
    accelerators: str | Accelerator | Sequence[str | Accelerator],
    demand: Demand,
    limits: Limits | None = None,
    *,
    weight_dtypes: Sequence[str] = ("released",),
    kv_dtypes: Sequence[str] = ("bf16",),
    place: str = "USA",
    prices: Mapping[str, float] | None = None,
    by_token: bool = False,
    first: Way | None = None,
) -> tuple[Option | None, str]:
    """Return the cheapest way to serve a demand, as `plan` finds it, without working out the dearer ones.

    Parameters
    ----------
    models, accelerators, demand, limits, weight_dtypes, kv_dtypes, place, prices
        As `plan` takes them; prompts are read by the devices that write.
    by_token : bool
        Whether the price of a token decides among the options of a plan; else that of an hour.
    first : Way, optional
        What is tried first. A cheap way leaves the less of the others to try; none changes what is found.

    Returns
    -------
    tuple of Option or None, and str
        The option; without one, why the last way that was tried cannot serve, or else that prices lack.

    Raises
    ------
    UnknownNameError
        If a name is not known; the message names the nearest.
    ParameterError
        If there is nothing to choose from, or a number is out of its range.
    """
    search = _Search(demand, limits or Limits(), None, "2025", place, prices, None, False)
    trials = list(search.trials(models, accelerators, weight_dtypes, kv_dtypes, False))
    last = trials[-1:]  # stays the last, whose reason is told
    search.judge_cheap(sorted(trials, key=lambda one: (one in last, one.candidate.way != first)), by_token)
    options = search.found().options
    priced = [
        ((each.usd_per_million_tokens if by_token else each.usd_per_hour) or inf, number)
        for number, each in enumerate(options)
        if each.usd_per_hour is not None
    ]
    if priced:
        return options[min(priced)[1]], ""
    return None, search.rejected[-1].why if search.rejected else "no accelerator has a price"


def _several(name: str, given: Any) -> list[Any]:
    """Return one thing, or several, as a list without repeats."""
    one = isinstance(given, str | ModelSpec | Accelerator)
    found = [given] if one else list(dict.fromkeys(given))
    if not found:
        raise ParameterError(f"{name} is empty, but a plan chooses among at least one")
    return found


@dataclass(frozen=True, slots=True)
class _Trial:
    """A way with the price of an hour of one of its accelerators, what answers weigh and what they draw."""

    candidate: Candidate
    price: float | None
    weight: Weight | None
    draw: Draw

    def may_cost(self, usd: float, limits: Limits) -> bool:
        """Whether so many USD an hour may pay for copies that meet the demand in time."""
        if usd == inf:
            return True
        if self.price is None:
            return False
        copies = int(usd * SLACK / (self.candidate.way.devices * self.price))
        users, rate = self.candidate.demand.users, (self.candidate.demand.requests_per_s or 0.0) / SLACK
        return copies > 0 and self.candidate.attains(
            lambda count, each: copies * (each if users is None else count) >= (users or rate), limits
        )

    def may_sell_for(self, usd: float, limits: Limits) -> bool:
        """Whether a million tokens may cost no more than so many USD, in time."""
        if self.price is None:
            return False
        hour = self.candidate.way.devices * self.price * MILLION
        least = hour / (SECONDS_PER_HOUR * self.candidate.demand.output_tokens * usd) / SLACK
        return self.candidate.attains(lambda _, rate: rate >= least, limits)


class _Search:
    """The ways tried so far: what each takes, and why it cannot."""

    def __init__(
        self,
        demand: Demand,
        limits: Limits,
        engine: str | None,
        generation: str,
        place: str,
        prices: Mapping[str, float] | None,
        largest: int | None,
        frontier: bool,
    ) -> None:
        self.demand, self.limits = demand, limits
        self.engine, self.generation, self.place, self.prices = engine, generation, place, prices
        self.largest, self.frontier = largest, frontier
        self.options: list[Option] = []
        self.points: list[Point] = []
        self.rejected: list[Rejected] = []
        self.held: dict[DeviceGroup, tuple[int, str]] = {}  # answers of a group, and why it holds none
        self.tried = 0

    def too_short(self, spec: ModelSpec) -> bool:
        """Whether a model is not offered for the context; if so that is kept as the reason."""
        offered = offered_context(spec)
        if offered is None or offered >= self.demand.context:
            return False
        self.tried += 1
        why = f"it is offered for {offered:,} tokens, and prompt and answer take {self.demand.context:,}"
        self.rejected.append(Rejected(spec.name, why, "context"))
        return True

    def trials(
        self,
        models: Any,
        accelerators: Any,
        weight_dtypes: Sequence[str],
        kv_dtypes: Sequence[str],
        apart: bool,
    ) -> Iterator[_Trial]:
        """Yield every way of every model on every accelerator, with every type of weights and of cache."""
        specs = [read_model(each) for each in _several("models", models)]
        devices = [as_accelerator(each) for each in _several("accelerators", accelerators)]
        types = [
            (weights, cache)
            for weights in _several("weight_dtypes", weight_dtypes)
            for cache in _several("kv_dtypes", kv_dtypes)
        ]
        for spec in specs:
            if self.too_short(spec):
                continue
            for device in devices:
                for weights, cache in types:
                    stored = spec.released_format if weights == "released" else weight_format(weights)
                    yield from self._ways(spec, device, stored, cache, apart)

    def _ways(
        self, spec: ModelSpec, device: Accelerator, stored: WeightFormat, cache: str, apart: bool
    ) -> Iterator[_Trial]:
        most = self.largest or self.limits.accelerators or max(2 * most_devices(device), COPY)
        most = min(most, self.limits.accelerators or most, MOST_SHARED)
        price, weight = price_of(device, self.prices), weight_of(device, self.place)
        draw = Draw(spec, device, stored, cache, (self.demand.input_tokens, self.demand.output_tokens))
        for way in ways(spec, device, most, apart):
            group = device_group(spec, device, way.layout, stored, cache, None, self.generation, self.engine)
            yield _Trial(Candidate(spec, device, way, stored, cache, group, self.demand), price, weight, draw)

    def judge(self, trial: _Trial) -> None:
        """Keep a way with all it takes, or the reason why it cannot serve."""
        self.tried += 1
        candidate = trial.candidate
        if candidate.group not in self.held:
            why = candidate.misfit()
            self.held[candidate.group] = (0, why) if why else (candidate.most() // candidate.way.writers, "")
        answers, why = self.held[candidate.group]
        kind = "memory" if why else ""
        if not why:
            most = answers * candidate.way.writers
            kind, why = self._try(candidate, most, trial.price, trial.weight, trial.draw)
        if why:
            self.rejected.append(Rejected(_called(candidate), why, kind))

    def judge_cheap(self, trials: Iterable[_Trial], by_token: bool) -> None:
        """Judge all ways that may be the cheapest, or that may beat those in all that a plan compares.

        What beats an option costs no more an hour. So of an hour the cheapest, of which the first is among
        the options of a plan, are found first; then, if asked, whatever may sell a token for as little; and
        at last whatever costs no more an hour than one of those.
        """
        left = self._judge_each(trials, lambda each: each.may_cost(self._least_usd(), self.limits))
        known = [each for each in self.options if each.usd_per_hour is not None]
        if not (by_token and known):
            return
        token = min(known, key=_criteria).usd_per_million_tokens or 0.0
        left = self._judge_each(left, lambda each: each.may_sell_for(token, self.limits))
        hour = max(
            each.usd_per_hour or 0.0
            for each in self.options
            if each.usd_per_hour is not None and (each.usd_per_million_tokens or 0.0) <= token
        )
        self._judge_each(left, lambda each: each.may_cost(hour, self.limits))

    def _judge_each(self, trials: Iterable[_Trial], may: Callable[[_Trial], bool]) -> list[_Trial]:
        """Judge the ways that may be what is sought, and return the others."""
        left = []
        for trial in trials:
            if may(trial):
                self.judge(trial)
            else:
                left.append(trial)
        return left

    def _least_usd(self) -> float:
        """Return the lowest price of an hour of all options so far."""
        return min((each.usd_per_hour for each in self.options if each.usd_per_hour is not None), default=inf)

    def _try(
        self, candidate: Candidate, most: int, price: float | None, weight: Weight | None, draw: Draw
    ) -> tuple[str, str]:
        """Keep a way with all it takes, or return the kind of reason why it cannot, and the reason."""
        if self.frontier:
            self.points += _points(candidate, most, self.limits)
        copies, count, why = candidate.loaded(self.limits, most)
        if why:
            return "time", why
        devices = copies * candidate.way.devices
        if self.limits.accelerators is not None and devices > self.limits.accelerators:
            return (
                "accelerators",
                f"it needs {devices:,} accelerators of the {self.limits.accelerators:,} allowed",
            )
        usd = None if price is None else devices * price
        if self.limits.usd_per_hour is not None and (usd is None or usd > self.limits.usd_per_hour):
            cost = "no price is known" if usd is None else f"it costs USD {usd:,.2f} an hour"
            return "price", f"{cost}, and USD {self.limits.usd_per_hour:,.2f} are allowed"
        return self._keep(candidate, copies, count, usd, weight, draw)

    def _keep(
        self,
        candidate: Candidate,
        copies: int,
        count: int,
        usd: float | None,
        weight: Weight | None,
        draw: Draw,
    ) -> tuple[str, str]:
        serving = candidate.serving(count)
        late = self.limits.late(serving.ttft_s, serving.tpot_s)
        if late:
            return "time", late
        kwh = kg = None
        joules = draw.joules(candidate.way.devices, count)
        if weight is not None and not isnan(joules):  # no rating is known of some accelerators
            seconds = candidate.way.devices / serving.requests_per_s
            kwh, kg = (
                joules * weight.kwh_per_joule,
                joules * weight.kg_per_joule + seconds * weight.kg_per_second,
            )
        allowed = self.limits.grams_per_answer
        if allowed is not None and (kg is None or 1e3 * kg > allowed):
            said = (
                "its CO2e is not known"
                if kg is None
                else f"an answer emits {three_digits(1e3 * kg)} g of CO2e"
            )
            return "carbon", f"{said}, and {three_digits(allowed)} g are allowed"
        spec, device = candidate.spec.name, candidate.device.name
        stored = candidate.stored.name
        self.options.append(
            Option(spec, device, candidate.way, stored, candidate.kv_dtype, copies, serving, usd, kwh, kg)
        )
        return "", ""

    def found(self) -> Plan:
        """Return what is worth choosing between."""
        kept = tuple(unbeaten(self.options, _criteria))
        frontier = sorted(
            unbeaten(
                self.points, lambda each: (-each.tokens_per_s_per_user, -each.tokens_per_s_per_accelerator)
            ),
            key=lambda each: -each.tokens_per_s_per_user,
        )
        return Plan(
            self.demand,
            self.limits,
            kept,
            tuple(frontier),
            self._each(),
            tuple(self.rejected),
            self.tried,
            len(self.options),
        )

    def _each(self) -> tuple[Option, ...]:
        """Return the cheapest option on each accelerator."""
        best: dict[str, Option] = {}
        for option in sorted(self.options, key=_criteria):
            if option.usd_per_hour is not None:
                best.setdefault(option.accelerator, option)
        return tuple(best.values())


def _called(candidate: Candidate) -> str:
    way = candidate.way
    stored = f"{candidate.stored.name}, cache in {candidate.kv_dtype}"
    return f"{candidate.spec.name} in {stored} on {way.devices} {candidate.device.name}: {way.words}"


def _points(candidate: Candidate, most: int, limits: Limits) -> Iterator[Point]:
    """Yield what users and accelerators get at powers of two of answers at once, within the limits."""
    way, tokens = candidate.way, candidate.demand.output_tokens
    about = candidate.spec.name, candidate.device.name, candidate.stored.name, candidate.kv_dtype, way
    for count in rungs(most):
        first, token, rate = candidate.times(count)
        if limits.late(first, token):
            return
        yield Point(*about, count, first, 1 / token, rate * tokens / way.devices)


def _criteria(option: Option) -> tuple[float, ...]:
    known = (option.usd_per_hour, option.accelerators, option.energy_kwh, option.co2e_kg)
    times = option.serving.tpot_s, option.serving.ttft_s
    return (*(inf if value is None else value for value in known), *times)


def unbeaten(found: Iterable[T], criteria: Callable[[T], tuple[float, ...]]) -> Iterator[T]:
    """Yield what nothing else beats, or equals, in every criterion; the smaller is the better.

    Parameters
    ----------
    found : iterable
        What there is to choose from.
    criteria : callable
        Numbers of one of them.

    Yields
    ------
    object
        In the order of the criteria.
    """
    kept: list[tuple[float, ...]] = []
    for values, _, each in sorted(
        ((criteria(each), number, each) for number, each in enumerate(found)), key=lambda row: row[:2]
    ):
        if not any(all(one <= other for one, other in zip(before, values, strict=True)) for before in kept):
            kept.append(values)
            yield each


explain(__name__)
