"""The panel *experts*: what a batch reads of a mixture, how evenly it loads it, and what finds no room."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cohort.architecture.registered import model as read_model
from cohort.architecture.registered import title
from cohort.display.words import counted, plainly, significant
from cohort.errors import ParameterError
from cohort.errors.arguments import explain
from cohort.experts import capacity, coverage, dropped
from cohort.experts.choosing import MOST_SKEW, chosen_shares
from cohort.panels.answers import Answer, Drawing, Number, Series
from cohort.panels.asking import Panel
from cohort.panels.charts import Dot, Line, lines, upright_bars
from cohort.panels.inputs import Input, RefusedError
from cohort.panels.shared_inputs import MODEL
from cohort.panels.states import literal

MOST_EXPERTS, MOST_ACTIVE, MOST_TOKENS = 512, 32, 10**6

INPUTS = (
    replace(
        MODEL,
        default="deepseek-v2",
        label="Mixture",
        names="mixtures",
        help="Any mixture of experts of the book.",
    ),
    Input(
        name="experts",
        kind="int",
        default=None,
        label="Experts of a layer",
        unit="experts",
        low=2,
        high=MOST_EXPERTS,
        empty=True,
        help="Empty: as many as the mixture has.",
    ),
    Input(
        name="active",
        kind="int",
        default=None,
        label="Experts of a token",
        unit="experts",
        low=1,
        high=MOST_ACTIVE,
        empty=True,
        help="Empty: as many as the mixture sends a token to.",
    ),
    Input(
        name="tokens",
        kind="int",
        default=64,
        label="Tokens at once",
        unit="tokens",
        low=1,
        high=MOST_TOKENS,
        step=2,
        slider=(1, 2**14),
        parameter="concurrency",
        help="Tokens that a step routes: one for each answer it writes.",
    ),
    Input(
        name="skew",
        kind="float",
        default=0.7,
        label="Skew of the router",
        low=0,
        high=MOST_SKEW,
        step=0.1,
        slider=(0, MOST_SKEW),
        parameter="skew",
        help="0 for alike experts; at 1 popularity falls as Zipf's law has it.",
    ),
    Input(
        name="capacity_factor",
        kind="float",
        default=1.25,
        label="Room of an expert",
        unit="times its share",
        low=0.1,
        high=20,
        step=1.05,
        slider=(0.5, 4),
        parameter="capacity_factor",
        help="Over its even share; what finds its expert full is dropped.",
    ),
)


def mixture_sizes(values: Mapping[str, Any]) -> tuple[int, int, str]:
    """Return the experts of a layer, those of a token, and how the mixture is called.

    Parameters
    ----------
    values : mapping
        With ``model``, ``experts`` and ``active``; the last two may be None.

    Returns
    -------
    int, int, str

    Raises
    ------
    RefusedError
        If a size is not given and the model is dense, or more experts are active than there are.
    """
    spec = read_model(values["model"])
    own = spec.experts
    count, active = values["experts"], values["active"]
    if own is None and (count is None or active is None):
        said = f"model is {spec.name}, which is dense, but must be a mixture, or both sizes must be given"
        raise RefusedError({"model": said})
    if own is not None:
        count, active = count or own.count, active or own.active
    if active > count:
        raise RefusedError({"active": f"active is {active}, but must be at most the {count} experts"})
    if count > MOST_EXPERTS or active > MOST_ACTIVE:
        raise ParameterError(f"experts is {count} of {active}, more than the panel works out")
    known = own is not None and (count, active) == (own.count, own.active)
    return count, active, title(spec) if known else f"A mixture of {count} experts"


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
        As `cohort.experts.coverage`, and where the model has no experts.
    """
    count, active, name = mixture_sizes(values)
    tokens, skew, factor = values["tokens"], values["skew"], values["capacity_factor"]
    shares = chosen_shares(count, active, skew)
    read = coverage(count, active, tokens, shares)
    even = coverage(count, active, tokens)
    lost = dropped(count, active, tokens, factor, shares)
    room = capacity(count, active, tokens, factor)
    busiest = shares[0] * count / active
    numbers = (
        Number(
            "experts that are read", f"{significant(read)} of {count}", read, "experts",
            f"{significant(even)} if all were alike",
        ),
        Number("share of the experts", f"{significant(100 * read / count)}%", 100 * read / count, "%"),
        Number(
            "busiest expert", f"{significant(busiest)} times the mean", busiest, "times",
            "of the assignments, expected",
        ),
        Number("room of an expert", counted(room, "assignment"), room, "assignments"),
        Number("dropped", f"{plainly(100 * lost, 2)}%", 100 * lost, "%", "of the assignments, expected"),
    )  # fmt: skip
    said = (
        f"{name}: {counted(tokens, 'token')}, each sent to {active} of {count} experts, "
        f"{'reads' if tokens == 1 else 'read'} {significant(read)} of them, "
        f"{significant(100 * read / count, 3)}% of the experts' weights.",
        f"The usual bound, the smaller of all experts and one for each choice, has "
        f"{min(count, active * tokens)}.",
        f"With room for {factor:g} times its share, an expert drops "
        f"{plainly(100 * lost, 2)}% of what is sent on average.",
    )
    return Answer(
        said,
        numbers,
        (_curve(count, active, shares, values, read), _loads(count, active, shares, factor)),
        python=(
            f"cohort.experts.coverage({count}, {active}, {tokens}, "
            f"cohort.experts.chosen_shares({count}, {active}, {literal(skew)}))"
        ),
    )


def _curve(
    count: int, active: int, shares: tuple[float, ...], values: Mapping[str, Any], read: float
) -> Drawing:
    """Return the experts that are read against the tokens at once."""
    tokens = values["tokens"]
    last = max(1024, tokens)
    batches = sorted({min(2**power, last) for power in range(last.bit_length() + 1)} | {tokens})
    skewed = [coverage(count, active, batch, shares) for batch in batches]
    alike = [coverage(count, active, batch) for batch in batches]
    at = [float(batch) for batch in batches]
    drawn = [
        Line("this router", list(zip(at, skewed, strict=True))),
        Line("alike experts", list(zip(at, alike, strict=True)), "c6", dashed=True),
    ]
    dots = [Dot(f"{significant(read)} of {count}", float(tokens), read)]
    caption = "Distinct experts of a layer that a batch reads, over the tokens in it."
    svg = lines(drawn, "tokens at once", "experts", caption, dots, log=(True, False), from_zero=True)
    series = tuple(
        Series(label, tuple(batches), tuple(found))
        for label, found in (("this router", skewed), ("alike experts", alike))
    )
    return Drawing("coverage", caption, svg, "tokens at once", "experts", series)


def _loads(count: int, active: int, shares: tuple[float, ...], factor: float) -> Drawing:
    """Return how loaded each expert is, the most popular first."""
    loads = tuple(share * count / active for share in shares)
    caption = "Expected load of each expert over the mean, the most popular first; above its room it drops."
    limits = ((1.0, "mean"), (factor, "room"))
    svg = upright_bars(loads, "expert, by popularity", "load over the mean", caption, limits)
    series = (Series("load", tuple(range(1, count + 1)), loads),)
    return Drawing("load", caption, svg, "expert", "times the mean", series)


PANEL = Panel(
    name="experts",
    title="Experts",
    question="How many experts does a batch read, how uneven is their load, and what is dropped?",
    chapters=(((), "expert_tradeoffs"),),
    inputs=INPUTS,
    work_out=_answer,
)


explain(__name__)
