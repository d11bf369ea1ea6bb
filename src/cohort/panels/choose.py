"""The panel *choose*: which accelerators, how many and in which layout serve a demand within its limits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import groupby
from typing import Any

from cohort.architecture.registered import model as read_model
from cohort.architecture.registered import title
from cohort.display.words import counted, inflected, plainly, significant
from cohort.errors import NotInDataError
from cohort.footprint import grid
from cohort.panels.answers import Answer, Drawing, Number, Series
from cohort.panels.asking import Panel
from cohort.panels.charts import Dot, Line, lines, ranged_bars
from cohort.panels.inputs import Input, RefusedError
from cohort.panels.memory import model_of
from cohort.panels.states import CONFIG, literal
from cohort.planning import Demand, Limits, Option, Plan, Point, plan
from cohort.planning.options import BEST, FAILURES
from cohort.registry.devices import accelerator
from cohort.units import WH_PER_KWH

MS = 1e3
NAMED = 3  # points of the frontier that are named
COLOURS = ("c0", "c1", "c2", "c3")  # of as many accelerators as may be named
BITS = {"either": ("bf16", "fp8"), "bf16": ("bf16",), "fp8": ("fp8",)}
BIT_WORDS = ("16 or 8 bits, what serves best", "16 bits (bf16)", "8 bits (fp8)")
STORED = {**BITS, "int4": ("int4",), "any": ("bf16", "fp8", "int4"), "released": ("released",)}

INPUTS = (
    Input(
        name="model",
        kind="name",
        default="llama-3-70b",
        label="Model",
        names="models",
        looked_up=read_model,
        parameter="model",
        help="Any model of the book, in any usual spelling.",
    ),
    Input(
        name="config",
        kind="text",
        default="",
        label="Or a config.json of your own",
        help="Paste its text; it takes the place of the model. It stays in this page.",
    ),
    Input(
        name="accelerators",
        kind="names",
        default=("H100 SXM 80GB", "H200", "MI300X", "L40S"),
        label="Accelerators",
        names="accelerators",
        looked_up=accelerator,
        low=1,
        high=len(COLOURS),
        parameter="accelerators",
        help="To choose among: up to four, with commas between them.",
    ),
    Input(
        name="requests_per_s",
        kind="float",
        default=5.0,
        label="Demand",
        unit="requests a second",
        low=1e-4,
        high=1e6,
        step=10**0.125,
        slider=(0.1, 1000),
        parameter="requests_per_s",
        help="Requests that come in a second, of all users.",
    ),
    Input(
        name="input_tokens",
        kind="int",
        default=1024,
        label="Prompt",
        unit="tokens",
        low=1,
        high=10**7,
        step=2,
        slider=(16, 2**17),
        parameter="input_tokens",
        help="Length of each prompt.",
    ),
    Input(
        name="output_tokens",
        kind="int",
        default=300,
        label="Answer",
        unit="tokens",
        low=1,
        high=10**6,
        step=2,
        slider=(16, 2**15),
        parameter="output_tokens",
        help="Length of each answer.",
    ),
    Input(
        name="token_ms",
        kind="float",
        default=50.0,
        label="Longest time of a token",
        unit="ms",
        low=0.1,
        high=1e5,
        step=1.1,
        slider=(5, 500),
        parameter="token_ms",
        help="What a reader waits for each further token, at the most.",
    ),
    Input(
        name="first_token_s",
        kind="float",
        default=2.0,
        label="Longest time to the first token",
        unit="s",
        low=0.001,
        high=1e5,
        step=1.1,
        slider=(0.1, 60),
        parameter="first_token_s",
        help="What a reader waits until an answer begins, at the most.",
    ),
    Input(
        name="most",
        kind="int",
        default=None,
        label="Most accelerators",
        unit="accelerators",
        low=1,
        high=10**6,
        empty=True,
        help="Of all copies together; empty sets no limit.",
    ),
    Input(
        name="usd_per_hour",
        kind="float",
        default=None,
        label="Highest price of all",
        unit="USD an hour",
        low=0.001,
        high=1e9,
        empty=True,
        help="At the middle of the hourly prices in the data; empty sets no limit.",
    ),
    Input(
        name="grams",
        kind="float",
        default=None,
        label="Most CO2e of an answer",
        unit="g",
        low=1e-6,
        high=1e6,
        empty=True,
        parameter="grams",
        help="With the making of the hardware; empty sets no limit.",
    ),
    Input(
        name="place",
        kind="name",
        default="USA",
        label="Place",
        names="grids",
        looked_up=grid,
        help="Whose electricity is used: a country, a zone, a state or a cloud region.",
    ),
    Input(
        name="weights",
        kind="choice",
        default="either",
        label="Weights stored in",
        allowed=tuple(STORED),
        wording=(*BIT_WORDS, "4 bits (int4)", "16, 8 or 4 bits, what serves best", "the type they came in"),
        help="Fewer bits are read faster; what they cost in quality is not counted here.",
    ),
    Input(
        name="cache",
        kind="choice",
        default="either",
        label="Cache stored in",
        allowed=tuple(BITS),
        wording=BIT_WORDS,
        help="The type of the cached keys and values.",
    ),
    Input(
        name="copy",
        kind="int",
        default=16,
        label="Largest copy",
        unit="accelerators",
        low=1,
        high=64,
        step=2,
        slider=(1, 64),
        help="Accelerators that share the model once, at the most; a rack can use more, and takes longer.",
    ),
    Input(
        name="apart",
        kind="bool",
        default=False,
        label="Prompts read apart",
        help="Try also accelerators that read prompts while others write; it takes about four times as long.",
    ),
)


def _asked(values: Mapping[str, Any]) -> tuple[Demand, Limits, dict[str, Any]]:
    """Return the demand, the limits and what else `cohort.planning.plan` takes."""
    demand = Demand(
        values["input_tokens"], values["output_tokens"], requests_per_s=values["requests_per_s"]
    )
    limits = Limits(
        first_token_s=values["first_token_s"],
        token_s=values["token_ms"] / MS,
        accelerators=values["most"],
        usd_per_hour=values["usd_per_hour"],
        grams_per_answer=values["grams"],
    )
    further = {
        "weight_dtypes": STORED[values["weights"]],
        "kv_dtypes": BITS[values["cache"]],
        "place": values["place"],
        "apart": values["apart"],
        "largest": values["copy"],
    }
    return demand, limits, further


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
        As `cohort.planning.plan`, and where a config describes no supported model.
    """
    spec = model_of(values)
    demand, limits, further = _asked(values)
    try:
        found = plan(spec, values["accelerators"], demand, limits, **further)
    except NotInDataError as error:  # what an accelerator is missing
        raise RefusedError({"accelerators": str(error)}) from None
    best = found.cheapest or found.fewest
    drawings = [_ways(found)]
    if found.each:
        drawings.insert(0, _prices(found))
    if found.frontier:
        drawings.insert(0, _frontier(found, values["accelerators"], best))
    return Answer(
        sentences=_sentences(title(spec), found, best, values),
        numbers=_numbers(found, best),
        drawings=tuple(drawings),
        table=_table(found),
        table_caption="What is best in what, of the ways that keep every limit",
        python=_python(values, demand, limits, further),
    )


def _usd(option: Option) -> str:
    price = option.usd_per_million_tokens
    return "no known price" if price is None else f"USD {significant(price)} a million tokens"


def _price_range(option: Option) -> tuple[float, float]:
    """Return the price of a million tokens at the ends of the range of the time of a token."""
    serving, price = option.serving, option.usd_per_million_tokens or 0.0
    low, high = (price * each / serving.tpot_s for each in serving.tpot_range_s)
    return low, high


def _how(option: Option) -> str:
    copies = f" as {option.copies:,} copies" if option.copies > 1 else ""
    return (
        f"{option.accelerators:,} {option.accelerator}{copies}: {option.way.words}, weights in "
        f"{option.weight_dtype}, cache in {option.kv_dtype}"
    )


def _numbers(found: Plan, best: Option | None) -> tuple[Number, ...]:
    """Return the numbers of the cheapest option, where there is one, and how many ways there are."""
    kept = Number(
        "ways that keep every limit", f"{found.kept:,} of {found.tried:,}", found.kept, "ways",
        f"{len(found.options):,} of them beaten by no other in everything" if found.kept else "",
    )  # fmt: skip
    if best is None:
        return (kept,)
    serving, price = best.serving, best.usd_per_million_tokens
    low, high = (significant(each, 2) for each in _price_range(best))
    numbers = [
        Number(
            "price of a million tokens", "not known" if price is None else f"USD {significant(price)}",
            price, "USD",
            "" if price is None else f"USD {low} to {high} over the range of the time per token",
        ),
        Number(
            "accelerators", f"{best.accelerators:,} {best.accelerator}", best.accelerators, "accelerators"
        ),
        Number(
            "time per token", f"{significant(MS * serving.tpot_s)} ms", serving.tpot_s, "s",
            f"nine in ten such services: {_span(serving.tpot_range_s, MS)} ms",
        ),
        Number(
            "time to the first token", f"{plainly(serving.ttft_s)} s", serving.ttft_s, "s",
            f"nine in ten such services: {_span(serving.ttft_range_s)} s",
        ),
    ]  # fmt: skip
    if best.energy_kwh is not None and best.grams_per_answer is not None:
        energy, grams = WH_PER_KWH * best.energy_kwh, best.grams_per_answer
        numbers += [
            Number("energy of an answer", f"{plainly(energy)} Wh", energy, "Wh", "at the meter"),
            Number(
                "CO2e of an answer", f"{plainly(grams)} g", grams, "g", "with the making of the hardware"
            ),
        ]
    return (*numbers, kept)


def _span(ends: tuple[float, float], scale: float = 1.0) -> str:
    low, high = (plainly(scale * each, 2) for each in ends)
    return f"{low} to {high}"


def _sentences(
    name: str, found: Plan, best: Option | None, values: Mapping[str, Any]
) -> tuple[str, ...]:
    demand = f"{_requests(values['requests_per_s'])} a second"
    if best is None:
        kind, number = _failures(found)[0]
        said = [
            f"Nothing here serves {name} to {demand} within these limits: "
            f"{counted(number, 'way')} of {found.tried:,} {_failed(kind, number)}."
        ]
    else:
        which = f"most cheaply on {best.accelerators:,} {best.accelerator}, for {_usd(best)}"
        if best.usd_per_hour is None:
            which = f"on {best.accelerators:,} {best.accelerator}, the fewest; no price is known"
        said = [f"{name} serves {demand} {which}.", _layout(best)]
        serving = best.serving
        late = found.limits.late(serving.ttft_range_s[1], serving.tpot_range_s[1])
        said.append(
            f"At the upper end of its range {late}: leave room, or measure first."
            if late
            else "Even at the upper end of its range both limits of time are kept."
        )
    said += _why(found)
    said.append(_untried(values))
    return tuple(each for each in said if each)


def _requests(rate: float) -> str:
    """Return a number of requests with its noun.

    Parameters
    ----------
    rate : float
        Requests, a part of one too.

    Returns
    -------
    str

    Examples
    --------
    >>> _requests(1.0), _requests(2.5)
    ('1 request', '2.5 requests')
    """
    return f"{significant(rate)} {inflected(rate, 'request', 'requests')}"


def _layout(option: Option) -> str:
    copies = counted(option.copies, "copy", "copies")
    count = option.serving.concurrency
    return (
        f"That is {copies} of {counted(option.way.devices, 'accelerator')} ({option.way.words}), weights in "
        f"{option.weight_dtype} and cache in {option.kv_dtype}, with {counted(count, 'answer')} at once on "
        f"{'it' if option.copies == 1 else 'each'}."
    )


def _failures(found: Plan) -> list[tuple[str, int]]:
    """Return the kinds of reasons why ways fail, the commonest first, and how many each takes out."""
    return Counter(each.kind for each in found.rejected).most_common()


def _failed(kind: str, number: int) -> str:
    """Return what becomes of so many ways: one *does not fit*, two *do not fit*."""
    words = FAILURES[kind]
    if number > 1:
        return words
    verb, rest = words.split(" ", 1)
    singular = {"do": "does", "are": "is", "need": "needs", "cost": "costs", "emit": "emits"}[verb]
    return f"{singular} {rest.replace('or have', 'or has')}"


def _why(found: Plan) -> list[str]:
    """Return how many ways were tried and, for the commonest reasons, an example of why others fail."""
    said = [
        f"{counted(found.tried, 'way')} {inflected(found.tried, 'was', 'were')} tried, and {found.kept:,} "
        f"{inflected(found.kept, 'keeps', 'keep')} every limit."
    ]
    for kind, number in _failures(found)[:NAMED]:
        first = next(each for each in found.rejected if each.kind == kind)
        such = ":" if number == 1 else ", such as"
        said.append(f"{number:,} {_failed(kind, number)}{such} {first.what} ({first.why}).")
    return said


def _untried(values: Mapping[str, Any]) -> str:
    left_out = [f"more than {values['copy']:,} accelerators that share the model once"]
    if not values["apart"]:
        left_out.append("prompts read by accelerators of their own")
    return f"Not tried: {' and '.join(left_out)}."


def _label(point: Point) -> str:
    return f"{counted(point.way.devices, 'device')}, {point.concurrency:,} at once"


def _xy(point: Point | Option) -> tuple[float, float]:
    return point.tokens_per_s_per_user, point.tokens_per_s_per_accelerator


def _frontier(found: Plan, asked: tuple[str, ...], best: Option | None) -> Drawing:
    """Return what a user and what an accelerator gets, for the points that no other beats in both."""
    kinds = {accelerator(name).name: kind for name, kind in zip(asked, COLOURS, strict=False)}
    points, last = found.frontier, len(found.frontier) - 1
    count = min(NAMED, len(points))
    named = {round(place * last / max(count - 1, 1)) for place in range(count)}
    drawn, seen = [Line("", [_xy(each) for each in points], "c6")], set[str]()
    for name, run in groupby(points, key=lambda each: each.accelerator):
        drawn.append(Line("" if name in seen else name, [_xy(each) for each in run], kinds[name]))
        seen.add(name)
    dots = [
        Dot(_label(each) if place in named else "", *_xy(each), kinds[each.accelerator], above=True)
        for place, each in enumerate(points)
    ]
    if best is not None:
        slow, fast = (1 / each for each in reversed(best.serving.tpot_range_s))
        what = "fewest" if best.usd_per_hour is None else "cheapest"
        dots.append(Dot(f"{what}, at this demand", *_xy(best), low=slow, high=fast))
    caption = (
        "What an accelerator writes against what a user sees: layouts and numbers of answers at once that no "
        "other beats in both, within the limits of time."
    )
    if best is not None:
        caption += " The bar at the dark dot spans nine in ten measured services."
    x, y = "tokens/s of a user", "tokens/s of an accelerator"
    series = tuple(
        Series(name, *map(tuple, zip(*(_xy(each) for each in points if each.accelerator == name), strict=True)))
        for name in kinds
        if name in seen
    )
    return Drawing("frontier", caption, lines(drawn, x, y, caption, dots), x, y, series)


def _prices(found: Plan) -> Drawing:
    """Return the price of the cheapest way on each accelerator, with its range."""
    priced = sorted(found.each, key=lambda each: each.usd_per_million_tokens or 0.0)
    labels = tuple(f"{each.accelerators:,} {each.accelerator}" for each in priced)
    prices = tuple(each.usd_per_million_tokens or 0.0 for each in priced)
    ranges = tuple(map(_price_range, priced))
    caption = (
        "The cheapest way on each accelerator that keeps every limit: price of a million output tokens, over "
        "the range of the time per token."
    )
    bars = [
        (label, price, ends, f"USD {significant(price)}")
        for label, price, ends in zip(labels, prices, ranges, strict=True)
    ]
    unit = "USD for a million tokens"
    low, high = (tuple(ends[place] for ends in ranges) for place in (0, 1))
    return Drawing(
        "prices", caption, ranged_bars(bars, unit, caption, chosen=0), "", unit,
        (Series("cheapest way", labels, prices, low, high),),
    )  # fmt: skip


def _ways(found: Plan) -> Drawing:
    """Return what became of the ways that were tried."""
    rows = [("keep every limit", found.kept)]
    rows += [(FAILURES[kind], number) for kind, number in _failures(found)]
    caption = "What became of the ways that were tried."
    bars = [(label, float(number), None, f"{number:,}") for label, number in rows]
    labels, numbers = (tuple(column) for column in zip(*rows, strict=True))
    drawn = ranged_bars(bars, "ways", caption, chosen=0)
    return Drawing("ways", caption, drawn, "", "ways", (Series("ways", labels, numbers),))


def _table(found: Plan) -> tuple[tuple[str, ...], ...]:
    """Return what is best in what; an option that is best in several things has one row."""
    rows: dict[int, tuple[Option, list[str]]] = {}
    for name, what in BEST.items():
        option = getattr(found, name)
        if option is not None:
            rows.setdefault(id(option), (option, []))[1].append(what)
    if not rows:
        return ()
    heads = ("best in", "USD per million tokens", "ms per token", "s to the first", "Wh", "g CO2e")
    return (heads, *(_row(option, whats) for option, whats in rows.values()))


def _row(option: Option, whats: list[str]) -> tuple[str, ...]:
    what = ", ".join(whats)
    energy = None if option.energy_kwh is None else WH_PER_KWH * option.energy_kwh
    known = (
        option.usd_per_million_tokens, MS * option.serving.tpot_s, option.serving.ttft_s, energy,
        option.grams_per_answer,
    )  # fmt: skip
    cells = ("not known" if each is None else plainly(each) for each in known)
    return (f"{what[0].upper()}{what[1:]}: {_how(option)}", *cells)


def _python(values: Mapping[str, Any], demand: Demand, limits: Limits, further: Mapping[str, Any]) -> str:
    model = literal(f"./{CONFIG}") if values["config"] else literal(values["model"])
    set_limits = {
        "first_token_s": limits.first_token_s,
        "token_s": limits.token_s,
        "accelerators": limits.accelerators,
        "usd_per_hour": limits.usd_per_hour,
        "grams_per_answer": limits.grams_per_answer,
    }
    kept = ", ".join(f"{name}={literal(one)}" for name, one in set_limits.items() if one is not None)
    rest = ", ".join(f"{name}={literal(one)}" for name, one in further.items())
    asked = f"{demand.input_tokens}, {demand.output_tokens}, requests_per_s={literal(demand.requests_per_s)}"
    return (
        f"cohort.planning.plan({model}, {literal(values['accelerators'])}, cohort.planning.Demand({asked}), "
        f"cohort.planning.Limits({kept}), {rest})"
    )


PANEL = Panel(
    name="choose",
    title="Choose",
    question="Which accelerators, how many and shared how, serve a demand within its limits?",
    chapters=(((), "decide"),),
    inputs=INPUTS,
    work_out=_answer,
    searches=True,
)
