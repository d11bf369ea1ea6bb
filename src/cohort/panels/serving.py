"""The panel *serving*: where a token's time goes, throughput against speed, the price of a million tokens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cohort.architecture.decoder import ModelSpec
from cohort.architecture.formats import weight_formats
from cohort.architecture.registered import title
from cohort.display.words import counted, plainly, significant
from cohort.errors.arguments import explain
from cohort.panels.answers import Answer, Drawing, Number, Series
from cohort.panels.asking import Panel
from cohort.panels.charts import Dot, Line, lines, stacked_bars
from cohort.panels.inputs import Input
from cohort.panels.memory import CACHED, model_of
from cohort.panels.shared_inputs import ACCELERATOR, ANSWER, CONCURRENCY, MODEL, OWN_CONFIG, PROMPT
from cohort.panels.states import CONFIG, literal
from cohort.serving import Serving, largest_concurrency, serve
from cohort.serving.attainment import ENGINES

MS = 1e3
MOST_DRAWN = 4096  # sequences at once, of the curve
STORED = tuple(name for name in weight_formats() if not name.startswith(("fbgemm", "nvfp4_")))
# How the parts of a token's time are called, and their colours, in the order of the bar.
PARTS = {
    "weights": ("c0", "reading weights"),
    "cache": ("c7", "reading the cache"),
    "matrices": ("c3", "matrix products"),
    "scores": ("c4", "scoring the cache"),
    "prompts": ("c1", "prompts of others"),
    "links": ("c2", "exchange"),
    "layers": ("c6", "fixed, per layer"),
    "sequences": ("ink", "fixed, per sequence"),
}

INPUTS = (
    MODEL,
    OWN_CONFIG,
    replace(ACCELERATOR, help="What it is served on."),
    Input(
        name="tensor_parallel",
        kind="int",
        default=4,
        label="Devices",
        unit="devices",
        low=1,
        high=4096,
        step=2,
        slider=(1, 64),
        parameter="tensor_parallel",
        help="How many share each layer.",
    ),
    Input(
        name="expert_parallel",
        kind="bool",
        default=False,
        label="Whole experts dealt out",
        help="To the devices of a mixture; if not, each expert is split over all of them.",
    ),
    CONCURRENCY,
    PROMPT,
    ANSWER,
    Input(
        name="weight_dtype",
        kind="choice",
        default="bf16",
        label="Weights stored as",
        allowed=STORED,
        parameter="weight_dtype",
        help="Fewer bits are read faster.",
    ),
    Input(
        name="kv_dtype",
        kind="choice",
        default="bf16",
        label="Cache stored as",
        allowed=CACHED,
        parameter="kv_dtype",
        help="The type of the cached keys and values.",
    ),
    Input(
        name="engine",
        kind="choice",
        default=ENGINES[0],
        label="Engine",
        allowed=ENGINES,
        help="Whose losses the times include, in its versions of 2025.",
    ),
    Input(
        name="usd_per_hour",
        kind="float",
        default=2.5,
        label="Price of an accelerator",
        unit="USD an hour",
        low=0.001,
        high=10000,
        step=1.1,
        slider=(0.5, 20),
        parameter="usd_per_hour",
        help="What you rent one for.",
    ),
)


def _asked(values: Mapping[str, Any]) -> dict[str, Any]:
    names = ("input_tokens", "output_tokens", "weight_dtype", "kv_dtype", "engine", "expert_parallel")
    return {name: values[name] for name in names}


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
        As `cohort.serving.serve`, and where a config describes no supported model.
    """
    spec = model_of(values)
    place = (spec, values["accelerator"], values["tensor_parallel"])
    asked = _asked(values)
    found = serve(*place, values["concurrency"], **asked)
    sizes = {name: asked[name] for name in ("input_tokens", "output_tokens", "weight_dtype", "kv_dtype")}
    most = largest_concurrency(*place, expert_parallel=values["expert_parallel"], **sizes)
    price = found.usd_per_million_tokens(values["usd_per_hour"])
    low, high = (price * each / found.tpot_s for each in found.tpot_range_s)
    numbers = (
        Number(
            "time per token", f"{significant(MS * found.tpot_s)} ms", found.tpot_s, "s",
            f"nine in ten such services: {_span(found.tpot_range_s, MS)} ms",
        ),
        Number(
            "time to the first token", f"{plainly(found.ttft_s)} s", found.ttft_s, "s",
            f"nine in ten such services: {_span(found.ttft_range_s)} s",
        ),
        Number(
            "speed of an answer", f"{significant(1 / found.tpot_s)} tokens/s", 1 / found.tpot_s, "tokens/s"
        ),
        Number(
            "throughput of all", f"{significant(found.output_tokens_per_s)} tokens/s",
            found.output_tokens_per_s, "tokens/s", f"{found.devices} x {found.accelerator}",
        ),
        Number(
            "price of a million tokens", f"USD {significant(price)}", price, "USD",
            f"USD {significant(low, 2)} to {significant(high, 2)} over the range of the time per token",
        ),
        Number("most answers at once", f"{most:,}", most, "answers", "whose caches fit the memory"),
    )  # fmt: skip
    return Answer(
        sentences=_sentences(title(spec), found, values, price, most),
        numbers=numbers,
        drawings=(_bar(found), _curve(place, asked, found, most)),
        python=_python(found, values),
    )


def _span(ends: tuple[float, float], scale: float = 1.0) -> str:
    low, high = (significant(scale * each, 2) for each in ends)
    return f"{low} to {high}"


def _sentences(
    name: str, found: Serving, values: Mapping[str, Any], price: float, most: int
) -> tuple[str, ...]:
    on = f"{counted(found.devices, 'device')} ({found.accelerator})"
    first = (
        f"{name} on {on} writes {significant(1 / found.tpot_s)} tokens a second to each of "
        f"{counted(found.concurrency, 'reader')}, for USD {significant(price)} a million tokens."
    )
    part, seconds = max(found.parts, key=lambda each: each[1])
    share = 100 * seconds / found.tpot_s
    what = PARTS[part][1] if part in PARTS else part
    said = [first, f"{significant(share, 2)}% of a token's time goes to {what}."]
    if not found.fits:
        said.insert(0, f"It does not fit: {found.reason}. The times are those that enough memory would give.")
    elif most > found.concurrency:
        said.append(f"The memory would hold {most:,} answers at once.")
    low, high = (significant(MS * each, 2) for each in found.tpot_range_s)
    said.append(f"Nine in ten of the measured services of this class took {low} to {high} ms a token.")
    return tuple(said)


def _bar(found: Serving) -> Drawing:
    """Return the time of a token as a bar."""
    seconds = dict(found.parts)
    names = tuple(PARTS[part] for part in PARTS if seconds.get(part, 0) > 0)
    sizes = tuple(MS * seconds[part] for part in PARTS if seconds.get(part, 0) > 0)
    caption = "Where the time between two tokens of an answer goes."
    drawn = stacked_bars([("", sizes)], names, "milliseconds per token", caption)
    labels = tuple(name for _, name in names)
    return Drawing("time", caption, drawn, "", "ms", (Series("time per token", labels, sizes),))


def _curve(place: tuple[ModelSpec, str, int], asked: Mapping[str, Any], found: Serving, most: int) -> Drawing:
    """Return throughput a device against the speed of an answer, from one answer to all that fit."""
    last = max(min(max(most, 1), MOST_DRAWN), found.concurrency)
    counts = sorted({min(2**power, last) for power in range(last.bit_length() + 1)} | {found.concurrency})
    served = [serve(*place, count, **asked) for count in counts]
    points = [(1 / each.tpot_s, each.output_tokens_per_s / each.devices) for each in served]
    within = [point for point, count in zip(points, counts, strict=True) if count <= most]
    beyond = [point for point, count in zip(points, counts, strict=True) if count >= most or not within]
    drawn = [Line("fits", within)] if len(within) > 1 else []
    if len(beyond) > 1:
        drawn.append(Line("beyond the memory", beyond, "c6", dashed=True))
    if not drawn:
        drawn = [Line("", points)]
    here = (1 / found.tpot_s, found.output_tokens_per_s / found.devices)
    slow, fast = 1 / found.tpot_range_s[1], 1 / found.tpot_range_s[0]
    dots = [Dot(f"{found.concurrency:,} at once", *here, low=slow, high=fast, above=True)]
    caption = (
        "Throughput against speed, from one answer at a time at the right to as many as fit; the bar at the "
        "dot spans the speeds of nine in ten measured services."
    )
    x, y = "tokens/s of an answer", "tokens/s of a device"
    svg = lines(drawn, x, y, caption, dots)
    series = (
        Series("answers at once", tuple(counts), tuple(speed for speed, _ in points)),
        Series("throughput", tuple(counts), tuple(each for _, each in points)),
    )
    return Drawing("throughput", caption, svg, "answers at once", "tokens/s", series)


def _python(found: Serving, values: Mapping[str, Any]) -> str:
    model = literal(values["model"]) if not values["config"] else literal(f"./{CONFIG}")
    rest = ", ".join(f"{name}={literal(value)}" for name, value in _asked(values).items())
    return (
        f"cohort.serving.serve({model}, {literal(values['accelerator'])}, {found.tensor_parallel}, "
        f"{found.concurrency}, {rest}).usd_per_million_tokens({literal(values['usd_per_hour'])})"
    )


PANEL = Panel(
    name="serving",
    title="Serving",
    question="How fast does a model answer, how many readers does it serve, and what does a token cost?",
    chapters=(((), "serving_roofline"),),
    inputs=INPUTS,
    work_out=_answer,
)


explain(__name__)
