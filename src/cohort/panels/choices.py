"""What the panel *choose* says of a plan: sentences, numbers, a table and drawings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import groupby
from typing import Any

from cohort.display.words import counted, inflected, plainly, significant
from cohort.errors.arguments import explain
from cohort.panels.answers import Drawing, Number, Series
from cohort.panels.charts import Dot, Line, lines, ranged_bars
from cohort.planning import Option, Plan, Point
from cohort.planning.options import BEST, FAILURES
from cohort.registry.devices import accelerator
from cohort.units import WH_PER_KWH

MS = 1e3
NAMED = 3  # points of the frontier that are named, and reasons that have an example
HEADROOM = 1.9  # of the frontier, whose highest point has its name above it
COLOURS = ("c0", "c1", "c2", "c3")  # of as many accelerators as may be named


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


def numbers_of(found: Plan, best: Option | None) -> tuple[Number, ...]:
    """Return the numbers of the best option, where there is one, and how many ways there are.

    Parameters
    ----------
    found : Plan
        The plan.
    best : Option or None
        The cheapest option, or the one of the fewest accelerators.

    Returns
    -------
    tuple of Number
    """
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
            Number("CO2e of an answer", f"{plainly(grams)} g", grams, "g", "with the making of the hardware"),
        ]
    return (*numbers, kept)


def _span(ends: tuple[float, float], scale: float = 1.0) -> str:
    low, high = (plainly(scale * each, 2) for each in ends)
    return f"{low} to {high}"


def sentences_of(name: str, found: Plan, best: Option | None, values: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what a plan comes to.

    Parameters
    ----------
    name : str
        Title of the model.
    found : Plan
        The plan.
    best : Option or None
        The cheapest option, or the one of the fewest accelerators.
    values : mapping
        The values of the panel's inputs.

    Returns
    -------
    tuple of str
        The answer in short, how it works, why others fail, and what was not tried.
    """
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
    largest = counted(values["copy"], "accelerator")
    left_out = [f"copies of the model on more than {largest}"]
    if not values["apart"]:
        left_out.append("prompts read by accelerators of their own")
    return f"Not tried: {' and '.join(left_out)}."


def _label(point: Point) -> str:
    return f"{point.way.devices:,} {point.accelerator}, {point.concurrency:,} at once"


def _xy(point: Point | Option) -> tuple[float, float]:
    return point.tokens_per_s_per_user, point.tokens_per_s_per_accelerator


def frontier_of(found: Plan, asked: tuple[str, ...], best: Option | None) -> Drawing:
    """Return what a user and what an accelerator gets, for the points that no other beats in both.

    Parameters
    ----------
    found : Plan
        The plan; its frontier has at least a point.
    asked : tuple of str
        The accelerators, in the order of their colours.
    best : Option or None
        The option that is marked.

    Returns
    -------
    Drawing
    """
    kinds = {accelerator(name).name: kind for name, kind in zip(asked, COLOURS, strict=False)}
    points, last = found.frontier, len(found.frontier) - 1
    count = min(NAMED, len(points))
    named = {round(place * last / max(count - 1, 1)) for place in range(count)}
    drawn, seen = [Line("", [_xy(each) for each in points], "c6")], set[str]()
    for name, run in groupby(points, key=lambda each: each.accelerator):
        drawn.append(Line("" if name in seen else name, [_xy(each) for each in run], kinds[name]))
        seen.add(name)
    dots = [
        Dot(
            _label(each) if place in named else "",
            *_xy(each),
            kinds[each.accelerator],
            above=place == last,
            left=place < last,
        )
        for place, each in enumerate(points)
    ]
    if best is not None:
        slow, fast = (1 / each for each in reversed(best.serving.tpot_range_s))
        what = "fewest" if best.usd_per_hour is None else "cheapest"
        dots.append(Dot(what, *_xy(best), low=slow, high=fast))
    caption = (
        "What an accelerator writes against what a user sees: layouts and numbers of answers at once that no "
        "other beats in both, within the limits of time."
    )
    if best is not None:
        caption += " The dot with a bar is this demand, over the speeds of nine in ten measured services."
    x, y = "tokens/s of a user", "tokens/s of an accelerator"
    series = tuple(
        Series(
            name, *map(tuple, zip(*(_xy(each) for each in points if each.accelerator == name), strict=True))
        )
        for name in kinds
        if name in seen
    )
    return Drawing("frontier", caption, lines(drawn, x, y, caption, dots, headroom=HEADROOM), x, y, series)


def prices_of(found: Plan) -> Drawing:
    """Return the price of the cheapest way on each accelerator, with its range.

    Parameters
    ----------
    found : Plan
        The plan; at least one option has a price.

    Returns
    -------
    Drawing
    """
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


def ways_of(found: Plan) -> Drawing:
    """Return what became of the ways that were tried.

    Parameters
    ----------
    found : Plan
        The plan.

    Returns
    -------
    Drawing
    """
    rows = [("keep every limit", found.kept)]
    rows += [(FAILURES[kind], number) for kind, number in _failures(found)]
    caption = "What became of the ways that were tried."
    bars = [(label, float(number), None, f"{number:,}") for label, number in rows]
    labels, numbers = (tuple(column) for column in zip(*rows, strict=True))
    drawn = ranged_bars(bars, "ways", caption, chosen=0)
    return Drawing("ways", caption, drawn, "", "ways", (Series("ways", labels, numbers),))


def rows_of(found: Plan) -> tuple[tuple[str, ...], ...]:
    """Return what is best in what; an option that is best in several things has one row.

    Parameters
    ----------
    found : Plan
        The plan.

    Returns
    -------
    tuple of tuple of str
        The heads and a row an option; empty where no way keeps the limits.
    """
    rows: dict[int, tuple[Option, list[str]]] = {}
    for name, what in BEST.items():
        option = getattr(found, name)
        if option is not None:
            rows.setdefault(id(option), (option, []))[1].append(what)
    if not rows:
        return ()
    heads = ("best in", "USD a million", "ms a token", "s to the first", "Wh", "g CO2e")
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


explain(__name__)
