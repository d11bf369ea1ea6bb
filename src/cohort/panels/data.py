"""The panel *data*: the best size for a compute, and when a model trained for longer pays back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from cohort.display.words import plainly, scaled, significant
from cohort.errors.arguments import explain
from cohort.panels.answers import Answer, Drawing, Number, Series
from cohort.panels.asking import Panel
from cohort.panels.charts import Dot, Line, lines
from cohort.panels.inputs import Input
from cohort.panels.states import literal
from cohort.scaling import (
    FLOP_PER_TOKEN,
    SERVING_FLOP_PER_TOKEN,
    Allocation,
    ScalingLaw,
    fitted_interval,
    fitted_law,
    law,
    laws,
)

FITTED = "fitted"  # as the chapter calls the law of the book's own fit
LAWS = (FITTED, *(name for name in laws() if not name.endswith("-unrounded")))
AROUND = 40.0  # by what factor the curve goes beyond the best size

INPUTS = (
    Input(
        name="question",
        kind="choice",
        default="budget",
        label="Question",
        allowed=("budget", "model"),
        wording=("How is a compute best used?", "When does a model pay back?"),
        help="From a compute to a size, or from a size and its tokens to the use that justifies them.",
    ),
    Input(
        name="law",
        kind="choice",
        default=FITTED,
        label="Law",
        allowed=LAWS,
        parameter="data_optimal:law",
        help="Whose law of the loss; fitted is the book's own fit to the Chinchilla runs.",
    ),
    Input(
        name="flop",
        kind="float",
        default=5.76e23,
        label="Training compute",
        unit="FLOP",
        low=1e17,
        high=1e30,
        step=10**0.25,
        slider=(1e18, 1e28),
        only=("question", ("budget",)),
        parameter="chinchilla_fit:flop",
        help="Six FLOP for each parameter and token.",
    ),
    Input(
        name="parameters",
        kind="float",
        default=8.03e9,
        label="Size",
        unit="parameters",
        low=1e6,
        high=1e14,
        step=10**0.125,
        slider=(1e8, 1e13),
        only=("question", ("model",)),
        help="Of a mixture, those that a token passes through.",
    ),
    Input(
        name="tokens",
        kind="float",
        default=1.5e13,
        label="Training data",
        unit="tokens",
        low=1e7,
        high=1e16,
        step=10**0.125,
        slider=(1e9, 1e15),
        only=("question", ("model",)),
        help="Tokens that it is trained on.",
    ),
    Input(
        name="inference_tokens",
        kind="float",
        default=1e13,
        label="Use",
        unit="tokens",
        low=0,
        high=1e18,
        step=10**0.25,
        slider=(1e9, 1e16),
        parameter="data_optimal:inference_tokens",
        help="Tokens that it reads and writes over its whole life.",
    ),
)


def _answer(values: Mapping[str, Any]) -> Answer:
    """Return what the panel says.

    Parameters
    ----------
    values : mapping
        One for each of `INPUTS`.

    Returns
    -------
    Answer

    Raises
    ------
    CohortError
        As `cohort.scaling.ScalingLaw.compute_optimal`.
    """
    own = fitted_law() if values["law"] == FITTED else law(values["law"])
    if values["question"] == "budget":
        return _of_budget(own, values)
    return _of_model(own, values)


def _of_budget(own: ScalingLaw, values: Mapping[str, Any]) -> Answer:
    """Return the best size for a compute, and the one for a use beside it."""
    best = own.compute_optimal(values["flop"])
    interval = fitted_interval(values["flop"]) if values["law"] == FITTED else None
    used = own.inference_optimal(best.loss, values["inference_tokens"])
    note = f"95% of resamples: {_span(interval)}" if interval else "no interval is stored for this law"
    numbers = (
        Number("best size", f"{scaled(best.parameters)} parameters", best.parameters, "parameters", note),
        Number("its data", f"{scaled(best.tokens)} tokens", best.tokens, "tokens"),
        Number(
            "tokens per parameter", significant(best.tokens_per_parameter), best.tokens_per_parameter, "ratio"
        ),
        Number("loss", f"{significant(best.loss, 4)} nats per token", best.loss, "nats per token"),
        Number(
            "best size for the use", f"{scaled(used.parameters)} parameters", used.parameters, "parameters",
            f"of the same loss, on {scaled(used.tokens)} tokens",
        ),
    )  # fmt: skip
    first = (
        f"{_power(values['flop'])} FLOP train {scaled(best.parameters)} parameters on "
        f"{scaled(best.tokens)} tokens best, {significant(best.tokens_per_parameter, 2)} for each parameter."
    )
    said = [first]
    if values["inference_tokens"]:
        share = 100 * (1 - used.parameters / best.parameters)
        extra = used.flop / best.flop
        said.append(
            f"For a use of {scaled(values['inference_tokens'])} tokens, {scaled(used.parameters)} parameters "
            f"on {scaled(used.tokens)} tokens reach the same loss with the least compute in all: "
            f"{significant(share, 2)}% smaller, {plainly(extra, 3)} times the training compute."
        )
    dots = [_dot("best", best, interval)]
    return Answer(
        tuple(said),
        numbers,
        (
            _isoflop(own, best, dots, "The loss of every size at this compute; the valley is the best size."),
            _totals({"best for training": best, "best for the use": used}, values["inference_tokens"]),
        ),
        python=f"{_source(values)}.compute_optimal({literal(values['flop'])})",
    )


def _of_model(own: ScalingLaw, values: Mapping[str, Any]) -> Answer:
    """Return what a size and its tokens cost over the best, and from which use on they pay back."""
    size, seen = values["parameters"], values["tokens"]
    mine = Allocation(size, seen, FLOP_PER_TOKEN * size * seen, own.loss(size, seen))
    best = own.compute_optimal(mine.flop)
    same = own.compute_optimal(loss=mine.loss)
    use = own.break_even_tokens(size, seen)
    overhead = 100 * (mine.flop / same.flop - 1)
    pays = math.isfinite(use)
    numbers = (
        Number("loss", f"{significant(mine.loss, 4)} nats per token", mine.loss, "nats per token"),
        Number(
            "best size of that loss", f"{scaled(same.parameters)} parameters", same.parameters, "parameters",
            f"on {scaled(same.tokens)} tokens",
        ),
        Number("compute over the best", f"{plainly(max(overhead, 0.0))}%", overhead, "%"),
        Number(
            "pays back after", f"{scaled(use)} tokens" if pays else "no use", use if pays else None, "tokens",
            "of use, against the best size of the same loss",
        ),
        Number("tokens per parameter", significant(seen / size), seen / size, "ratio"),
    )  # fmt: skip
    what = f"{scaled(size)} parameters on {scaled(seen)} tokens"
    if not pays:
        first = f"{what} is larger than the best model of its loss, so that no use pays it back."
    else:
        first = f"{what} takes {plainly(max(overhead, 0.0))}% more compute than the best model of its loss"
        first += f", and pays back after {scaled(use)} tokens of use."
    said = [first]
    asked = values["inference_tokens"]
    if pays and asked:
        said.append(
            f"At a use of {scaled(asked)} tokens it {'has' if asked >= use else 'has not yet'} paid back."
        )
    dots = [_dot("best", best, None), Dot("yours", mine.parameters, mine.loss, "c1")]
    return Answer(
        tuple(said),
        numbers,
        (
            _isoflop(own, best, dots, "The loss of every size at the same training compute."),
            _totals({"best of that loss": same, "yours": mine}, asked),
        ),
        python=f"{_source(values)}.break_even_tokens({literal(size)}, {literal(seen)})",
    )


def _power(value: float) -> str:
    """Return an amount of compute as a number with a power of ten."""
    digits, _, power = f"{value:.2e}".partition("e")
    return f"{digits.rstrip('0').rstrip('.')}e{int(power)}"


def _span(ends: tuple[float, float]) -> str:
    return f"{scaled(ends[0], 2)} to {scaled(ends[1], 2)}"


def _dot(label: str, best: Allocation, interval: tuple[float, float] | None) -> Dot:
    low, high = interval or (None, None)
    return Dot(f"{label}: {scaled(best.parameters)}", best.parameters, best.loss, "ink", low, high)


def _isoflop(own: ScalingLaw, best: Allocation, dots: list[Dot], caption: str) -> Drawing:
    """Return the loss of every size at one compute."""
    ends = [best.parameters / AROUND, best.parameters * AROUND, *(each.x for each in dots)]
    low, high = min(ends), max(ends)
    sizes = [low * (high / low) ** (step / 48) for step in range(49)]
    points = [(size, own.loss(size, best.flop / (FLOP_PER_TOKEN * size))) for size in sizes]
    svg = lines([Line("", points)], "parameters", "loss in nats per token", caption, dots, log=(True, False))
    series = (Series("loss", tuple(sizes), tuple(loss for _, loss in points)),)
    return Drawing("isoflop", caption, svg, "parameters", "nats per token", series)


def _totals(models: Mapping[str, Allocation], asked: float) -> Drawing:
    """Return the compute of training and use together, over the use."""
    middle = asked or 1e12
    uses = [middle * 10 ** (step / 4) for step in range(-12, 13)]
    caption = "Compute of training and use together, over the tokens that the model reads and writes."
    drawn, series = [], []
    for (label, each), kind in zip(models.items(), ("c0", "c1"), strict=True):
        totals = [each.flop + SERVING_FLOP_PER_TOKEN * each.parameters * use for use in uses]
        drawn.append(Line(label, list(zip(uses, totals, strict=True)), kind))
        series.append(Series(label, tuple(uses), tuple(totals)))
    dots = []
    if asked:
        last = list(models.values())[-1]
        dots.append(Dot("your use", asked, last.flop + SERVING_FLOP_PER_TOKEN * last.parameters * asked))
    svg = lines(drawn, "tokens of use", "FLOP in all", caption, dots)
    return Drawing("use", caption, svg, "tokens of use", "FLOP", tuple(series))


def _source(values: Mapping[str, Any]) -> str:
    if values["law"] == FITTED:
        return "cohort.scaling.fitted_law()"
    return f"cohort.law({literal(values['law'])})"


PANEL = Panel(
    name="data",
    title="Data",
    question="How large a model should a compute train, on how much data, and when is a smaller one right?",
    chapters=((("budget",), "chinchilla_fit"), (("model",), "data_optimal")),
    switch="question",
    inputs=INPUTS,
    work_out=_answer,
)


explain(__name__)
