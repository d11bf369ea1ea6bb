"""A model designed for its use: size, data, experts and attention at once, with what each limit costs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from math import ceil, inf, log2

from cohort.architecture.decoder import ModelSpec
from cohort.errors import InfeasibleError, ParameterError, positive
from cohort.errors.arguments import explain
from cohort.footprint.training_runs import training, training_hours
from cohort.planning.burden import price_of
from cohort.planning.demand import Demand, Limits
from cohort.planning.options import Option, Rejected
from cohort.planning.search import cheapest_option
from cohort.planning.shapes import LARGEST, SMALLEST, llama_like
from cohort.planning.sharing import Way
from cohort.registry.devices import as_accelerator
from cohort.scaling.allocations import FLOP_PER_TOKEN
from cohort.scaling.dense_laws import ScalingLaw
from cohort.scaling.dense_laws import law as read_law
from cohort.scaling.mixture_laws import shape
from cohort.scaling.mixture_rules import recommended
from cohort.units import MILLION

STEPS = 8  # sizes in an octave
COARSE = 4  # steps of the first search; then all between its best and its neighbours
LOOSER = 0.1  # by how much a limit is loosened to see what it costs
LOSS_LOOSER = 0.01  # by how much a loss, most of which no model can avoid
BOUNDARY = "with_embodied"


@dataclass(frozen=True, slots=True)
class Goal:
    """What a model is made for.

    Attributes
    ----------
    demand : Demand
        How it is asked at once, once it is made.
    lifetime_tokens : float
        Output tokens that it writes in all its life.
    loss : float, optional
        The loss that it must reach, in nats per token; without one it is made as good as the limits allow.
    training_flop : float, optional
        Compute of training at the most.
    usd : float, optional
        What training and all its use may cost together, in USD.
    limits : Limits
        What serving it may take.

    Raises
    ------
    ParameterError
        If a number is not positive, or nothing limits how good it is to be.
    """

    demand: Demand
    lifetime_tokens: float
    loss: float | None = None
    training_flop: float | None = None
    usd: float | None = None
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        positive("lifetime_tokens", self.lifetime_tokens, "tokens")
        for name in ("loss", "training_flop", "usd"):
            if getattr(self, name) is not None:
                positive(name, getattr(self, name))
        if self.loss is None and self.training_flop is None and self.usd is None:
            raise ParameterError("a goal needs a loss, training_flop or usd, but none was given")


@dataclass(frozen=True, slots=True)
class Design:
    """A model that reaches a goal, and what it takes.

    Attributes
    ----------
    spec : ModelSpec
        The model.
    experts : tuple of two int
        Experts of a layer, and how many a token is sent to.
    attention : str
        As `cohort.planning.llama_like` takes it.
    tokens : float
        What it is trained on.
    training_flop, loss : float
        Compute of its training, and what the law predicts, in nats per token.
    training_usd, training_kg : float
        Price and CO2e of its training, of the final run alone.
    option : Option
        How it is served.
    serving_usd, serving_kg : float
        Price and CO2e of all its use.
    """

    spec: ModelSpec
    experts: tuple[int, int]
    attention: str
    tokens: float
    training_flop: float
    loss: float
    training_usd: float
    training_kg: float
    option: Option
    serving_usd: float
    serving_kg: float

    @property
    def usd(self) -> float:
        """Price of training and use, in USD."""
        return self.training_usd + self.serving_usd

    @property
    def kg(self) -> float:
        """CO2e of training and use, in kg."""
        return self.training_kg + self.serving_kg


@dataclass(frozen=True, slots=True)
class Designs:
    """The designs that reach a goal, the best first.

    Attributes
    ----------
    goal : Goal
        What was asked.
    found : tuple of Design
        The cheapest first where a loss is asked for, else the best.
    rejected : tuple of Rejected
        Shapes that cannot, each with its reason.
    """

    goal: Goal
    found: tuple[Design, ...]
    rejected: tuple[Rejected, ...]

    @property
    def best(self) -> Design | None:
        """The first of them."""
        return self.found[0] if self.found else None


def worth(spec: ModelSpec) -> float:
    """Return the parameters of a dense model that is as good after as many tokens.

    Parameters
    ----------
    spec : ModelSpec
        The model.

    Returns
    -------
    float
        All its parameters where it is dense; of a mixture its embeddings, and what the rule gives that pairs
        of mixtures and dense models support, `cohort.scaling.mixture_rules.recommended`.
    """
    if spec.experts is None:
        return float(spec.parameters)
    beside = spec.parameters - shape(spec).total
    return recommended().dense_equivalent(shape(spec)) + beside


@dataclass(frozen=True)
class _Served:
    """A shape with the cheapest way to serve it, which neither its data nor its loss changes."""

    spec: ModelSpec
    experts: tuple[int, int]
    attention: str
    size: float
    option: Option
    usd_per_token: float
    kg_per_token: float


class Designer:
    """Shapes for one demand, each served once and judged as often as goals change.

    Parameters
    ----------
    accelerators : sequence of str
        To choose among for serving; the first also trains.
    experts : sequence of two int
        Experts of a layer, and how many are active, to choose among.
    attention : sequence of str
        Kinds of attention to choose among.
    law : str or ScalingLaw
        What size and data are worth.
    weight_dtype, kv_dtype : str
        How weights and cache are stored where it is served.
    prices : mapping of str to float, optional
        USD for an hour of an accelerator.
    place : str
        A place from ``cohort.grids()``.

    Raises
    ------
    CohortError
        If a name is not known, or the accelerator that trains has no price.
    """

    def __init__(
        self,
        accelerators: Sequence[str],
        experts: Sequence[tuple[int, int]] = ((1, 1), (64, 8)),
        attention: Sequence[str] = ("grouped",),
        law: str | ScalingLaw = "besiroglu",
        weight_dtype: str = "fp8",
        kv_dtype: str = "bf16",
        prices: Mapping[str, float] | None = None,
        place: str = "USA",
    ) -> None:
        self.accelerators = [accelerators] if isinstance(accelerators, str) else list(accelerators)
        self.experts, self.attention = list(experts), list(attention)
        self.law = law if isinstance(law, ScalingLaw) else read_law(law)
        self.weight_dtype, self.kv_dtype = weight_dtype, kv_dtype
        self.prices, self.place = prices, place
        trainer = as_accelerator(self.accelerators[0])
        price = price_of(trainer, prices)
        if price is None:
            raise ParameterError(f"accelerator {trainer.name} has no price in the data: give one in prices")
        self.usd_per_flop = training_hours(1.0, trainer) * price
        hour = training(accelerator=trainer, accelerator_hours=1.0, boundary=BOUNDARY, grid=place)
        self.kg_per_flop = training_hours(1.0, trainer) * hour.co2e_kg
        self._served: dict[tuple[object, ...], _Served | str] = {}
        self._ways: dict[tuple[object, ...], Way] = {}  # the cheapest of the shape before, by kind

    def by_law(self, law: str | ScalingLaw) -> Designer:
        """Return a designer of the same shapes, each served as here, that judges them by another law.

        Parameters
        ----------
        law : str or ScalingLaw
            What size and data are worth.

        Returns
        -------
        Designer
            It shares what is known of how a shape is served, which no law changes.

        Raises
        ------
        UnknownNameError
            If no law has that name; the message names the nearest.
        """
        other = copy(self)
        other.law = law if isinstance(law, ScalingLaw) else read_law(law)
        return other

    def among(self, experts: Sequence[tuple[int, int]]) -> Designer:
        """Return a designer with other experts to choose among.

        Parameters
        ----------
        experts : sequence of two int
            Experts of a layer, and how many are active; ``(1, 1)`` is a dense model.

        Returns
        -------
        Designer
            It shares what is known of how a shape is served.
        """
        other = copy(self)
        other.experts = list(experts)
        return other

    def design(self, goal: Goal) -> Designs:
        """Return the designs that reach a goal.

        Parameters
        ----------
        goal : Goal
            What the model is made for.

        Returns
        -------
        Designs

        Raises
        ------
        CohortError
            If no law or shape is defined for the goal.
        """
        found: list[Design] = []
        rejected: list[Rejected] = []
        for experts in self.experts:
            for attention in self.attention:

                def judged(
                    step: int, experts: tuple[int, int] = experts, attention: str = attention
                ) -> Design | Rejected:
                    return self._judged(goal, SMALLEST * 2 ** (step / STEPS), experts, attention)

                designs, refused = _searched(judged, self._sizes(goal), _rank(goal))
                found += designs
                rejected += refused
        return Designs(goal, tuple(sorted(found, key=_rank(goal))), tuple(rejected))

    def shadow_prices(self, goal: Goal) -> dict[str, tuple[float, float]]:
        """Return what each limit of a goal costs.

        Parameters
        ----------
        goal : Goal
            What the model is made for.

        Returns
        -------
        dict of str to (float, float)
            By limit, the change of the loss in nats per token and of the price in USD when it is loosened by
            a tenth, a loss by a hundredth; empty where nothing reaches the goal.
        """
        best = self.design(goal).best
        if best is None:
            return {}
        prices = {}
        for name, looser in _loosened(goal):
            other = self.design(looser).best
            if other is not None:
                prices[name] = (other.loss - best.loss, other.usd - best.usd)
        return prices

    def _sizes(self, goal: Goal) -> list[int]:
        """Return the sizes to try first, as steps: around what is compute-optimal for the goal."""
        if goal.loss is not None:
            centre = self.law.compute_optimal(loss=goal.loss).parameters
        else:
            flop = goal.training_flop or inf
            if goal.usd is not None:
                flop = min(flop, goal.usd / self.usd_per_flop)
            centre = self.law.compute_optimal(flop).parameters
        low, high = max(centre / 40, SMALLEST), min(centre * 4, LARGEST)
        if low >= high:
            raise ParameterError(
                f"the goal asks for a model of about {centre:,.0f} parameters, but shapes go from "
                f"{SMALLEST:,.0f} to {LARGEST:,.0f}"
            )
        first, last = (STEPS * log2(size / SMALLEST) for size in (low, high))
        return list(range(ceil(first / COARSE) * COARSE, int(last) + 1, COARSE)) or [round(first)]

    def _judged(self, goal: Goal, size: float, experts: tuple[int, int], attention: str) -> Design | Rejected:
        served = self._serve(goal, size, experts, attention)
        if isinstance(served, str):
            return Rejected(llama_like(size, experts, attention).name, served)
        try:
            tokens = self._tokens(goal, served)
        except InfeasibleError:
            return Rejected(served.spec.name, "no amount of data brings it to that loss")
        flop = FLOP_PER_TOKEN * served.spec.active_parameters * tokens
        if goal.training_flop is not None and flop > goal.training_flop * (1 + 1e-9):
            return Rejected(
                served.spec.name,
                f"its training takes {flop:.3g} FLOP of the {goal.training_flop:.3g} allowed",
            )
        trained, used = flop * self.usd_per_flop, goal.lifetime_tokens * served.usd_per_token
        if goal.usd is not None and trained + used > goal.usd * (1 + 1e-9):
            return Rejected(
                served.spec.name,
                f"training and use cost USD {trained + used:,.0f} of the {goal.usd:,.0f} allowed",
            )
        return Design(
            served.spec,
            experts,
            attention,
            tokens,
            flop,
            float(self.law.loss(served.size, tokens)),
            trained,
            flop * self.kg_per_flop,
            served.option,
            used,
            goal.lifetime_tokens * served.kg_per_token,
        )

    def _tokens(self, goal: Goal, served: _Served) -> float:
        """Return the data: what the loss takes, or all that the limits pay for."""
        if goal.loss is not None:
            return float(self.law.tokens_for(served.size, goal.loss))
        flop = inf if goal.training_flop is None else goal.training_flop
        if goal.usd is not None:
            flop = min(flop, (goal.usd - goal.lifetime_tokens * served.usd_per_token) / self.usd_per_flop)
        if flop <= 0:
            raise InfeasibleError("its use alone costs more than is allowed")
        return flop / (FLOP_PER_TOKEN * served.spec.active_parameters)

    def _serve(self, goal: Goal, size: float, experts: tuple[int, int], attention: str) -> _Served | str:
        key = (goal.demand, goal.limits, size, experts, attention)
        if key not in self._served:
            self._served[key] = self._planned(goal, size, experts, attention)
        return self._served[key]

    def _planned(self, goal: Goal, size: float, experts: tuple[int, int], attention: str) -> _Served | str:
        spec, kind = llama_like(size, experts, attention), (experts, attention)
        option, why = cheapest_option(
            spec,
            self.accelerators,
            goal.demand,
            goal.limits,
            place=self.place,
            prices=self.prices,
            weight_dtypes=[self.weight_dtype],
            kv_dtypes=[self.kv_dtype],
            by_token=True,
            first=self._ways.get(kind),
        )
        if option is None:
            return why
        self._ways[kind] = option.way
        usd = option.usd_per_million_tokens or inf
        kg = inf if option.co2e_kg is None else option.co2e_kg / goal.demand.output_tokens
        return _Served(spec, experts, attention, worth(spec), option, usd / MILLION, kg)


def _rank(goal: Goal) -> Callable[[Design], tuple[float, float]]:
    if goal.loss is not None:
        return lambda each: (each.usd, each.loss)
    return lambda each: (each.loss, each.usd)


def _searched(
    judged: Callable[[int], Design | Rejected],
    steps: Sequence[int],
    rank: Callable[[Design], tuple[float, float]],
) -> tuple[list[Design], list[Rejected]]:
    """Return the designs of several sizes, and of all sizes between the best and its neighbours."""
    tried = {step: judged(step) for step in steps}
    good = {step: each for step, each in tried.items() if isinstance(each, Design)}
    if good:
        best = min(good, key=lambda step: rank(good[step]))
        for step in range(max(best - COARSE + 1, 0), best + COARSE):
            if step not in tried:
                tried[step] = judged(step)
    designs = [each for each in tried.values() if isinstance(each, Design)]
    return designs, [each for each in tried.values() if isinstance(each, Rejected)]


def _loosened(goal: Goal) -> Iterator[tuple[str, Goal]]:
    """Yield each limit of a goal with the goal in which it is looser."""
    for name, share in (("loss", LOSS_LOOSER), ("training_flop", LOOSER), ("usd", LOOSER)):
        value = getattr(goal, name)
        if value is not None:
            yield name, replace(goal, **{name: value * (1 + share)})
    for name in ("first_token_s", "token_s", "accelerators", "usd_per_hour", "grams_per_answer"):
        value = getattr(goal.limits, name)
        if value is not None:
            looser = value * (1 + LOOSER)
            looser = max(int(looser), value + 1) if isinstance(value, int) else looser
            yield name, replace(goal, limits=replace(goal.limits, **{name: looser}))


explain(__name__)
