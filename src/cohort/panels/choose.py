"""The panel *choose*: which accelerators, how many and in which layout serve a demand within its limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cohort.architecture.decoder import ModelSpec
from cohort.architecture.registered import title
from cohort.errors import NotInDataError
from cohort.errors.arguments import explain
from cohort.footprint import grid
from cohort.panels.answers import Answer
from cohort.panels.asking import Panel
from cohort.panels.choices import (
    COLOURS,
    MS,
    frontier_of,
    numbers_of,
    prices_of,
    rows_of,
    sentences_of,
    ways_of,
)
from cohort.panels.inputs import Input, RefusedError
from cohort.panels.memory import model_of
from cohort.panels.shared_inputs import ANSWER, MODEL, OWN_CONFIG, PROMPT
from cohort.panels.states import CONFIG, literal
from cohort.planning import Demand, Limits, plan, ways
from cohort.registry.devices import accelerator

MOST_WAYS = 2500  # of a search in a page: seconds
BITS = {"either": ("bf16", "fp8"), "bf16": ("bf16",), "fp8": ("fp8",)}
BIT_WORDS = ("16 or 8 bits, what serves best", "16 bits (bf16)", "8 bits (fp8)")
STORED = {**BITS, "int4": ("int4",), "any": ("bf16", "fp8", "int4"), "released": ("released",)}

INPUTS = (
    MODEL,
    OWN_CONFIG,
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
    PROMPT,
    replace(ANSWER, default=300),
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
        help="Try also accelerators that read prompts while others write; takes three times as long or more.",
    ),
)


def _asked(values: Mapping[str, Any]) -> tuple[Demand, Limits, dict[str, Any]]:
    """Return the demand, the limits and what else `cohort.planning.plan` takes."""
    demand = Demand(values["input_tokens"], values["output_tokens"], requests_per_s=values["requests_per_s"])
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


def _refuse_long_searches(spec: ModelSpec, values: Mapping[str, Any]) -> None:
    """Refuse what would keep a reader waiting for long."""
    most = min(values["copy"], values["most"] or values["copy"])
    layouts = sum(
        1 for name in values["accelerators"] for _ in ways(spec, accelerator(name), most, values["apart"])
    )
    number = layouts * len(STORED[values["weights"]]) * len(BITS[values["cache"]])
    if number > MOST_WAYS:
        said = (
            f"copy is {values['copy']:,}, which with all else makes {number:,} ways, but a page tries at "
            f"most {MOST_WAYS:,}: allow smaller copies, fewer accelerators or fewer types"
        )
        raise RefusedError({"copy": said})


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
        As `cohort.planning.plan`; where that would try too many ways; where a config describes no supported
        model.
    """
    spec = model_of(values)
    demand, limits, further = _asked(values)
    _refuse_long_searches(spec, values)
    try:
        found = plan(spec, values["accelerators"], demand, limits, **further)
    except NotInDataError as error:  # what an accelerator is missing
        raise RefusedError({"accelerators": str(error)}) from None
    best = found.cheapest or found.fewest
    drawings = [ways_of(found)]
    if found.each:
        drawings.insert(0, prices_of(found))
    if found.frontier:
        drawings.insert(0, frontier_of(found, values["accelerators"], best))
    return Answer(
        sentences=sentences_of(title(spec), found, best, values),
        numbers=numbers_of(found, best),
        drawings=tuple(drawings),
        table=rows_of(found),
        table_caption="What is best in what, of the ways that keep every limit",
        python=_python(values, demand, limits, further),
    )


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


explain(__name__)
