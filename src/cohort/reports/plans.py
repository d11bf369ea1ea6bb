"""A plan for a service on one screen, as JSON, and as a chart of its frontier."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from cohort.architecture.registered import model as read_model
from cohort.architecture.registered import title_of
from cohort.display.words import counted, significant
from cohort.errors import ParameterError
from cohort.errors.arguments import explain
from cohort.planning import Demand, Limits, Option, Plan, plan
from cohort.planning.options import BEST

WH_PER_KWH = 1e3
REASONS = 5  # of rejection that are shown


def show_plan(
    models: Sequence[str],
    accelerators: Sequence[str],
    demand: Demand,
    limits: Limits,
    as_json: bool,
    chart: str | None,
    **asked: Any,
) -> None:
    """Print the ways to serve a demand that are worth choosing between.

    Parameters
    ----------
    models, accelerators, demand, limits
        As `cohort.planning.plan` takes them; models are names or paths.
    as_json : bool
        Print JSON instead of text.
    chart : str or None
        An SVG file to draw the frontier to.
    **asked
        As `cohort.planning.plan` takes them.

    Raises
    ------
    CohortError
        If a name is not known, an argument is out of its range, or the file cannot be written.
    """
    found = plan([read_model(each) for each in models], accelerators, demand, limits, **asked)
    if chart:
        write_chart(found, chart)
    click.echo(json.dumps(plan_sheet(found), indent=1) if as_json else "\n".join(plan_lines(found)))


def asked_of(options: dict[str, Any]) -> tuple[Demand, Limits]:
    """Return the demand and the limits of the options of the command, which are taken out of them.

    Parameters
    ----------
    options : dict
        What the command was given; what is left is for `cohort.planning.plan`.

    Returns
    -------
    tuple of Demand and Limits

    Raises
    ------
    ParameterError
        If a number is out of its range.
    """
    demand = Demand(
        **{name: options.pop(name) for name in ("input_tokens", "output_tokens", "users", "requests_per_s")},
        **{name: options.pop(name) for name in ("prefix_share", "acceptance_length")},
    )
    token = options.pop("token_ms")
    limits = Limits(
        first_token_s=options.pop("first_token_s"),
        token_s=None if token is None else token / 1e3,
        accelerators=options.pop("most"),
        usd_per_hour=options.pop("usd_per_hour"),
        grams_per_answer=options.pop("grams"),
    )
    options["prices"] = dict(options["prices"])
    return demand, limits


def plan_sheet(found: Plan) -> dict[str, Any]:
    """Return a plan as plain values.

    Parameters
    ----------
    found : Plan
        The plan.

    Returns
    -------
    dict
        ``best`` by what is least, ``options``, ``frontier`` and ``rejected``.
    """
    return {
        "tried": found.tried,
        "kept": found.kept,
        "best": {name: _number(found, getattr(found, name)) for name in BEST},
        "options": [_values(each) for each in found.options],
        "frontier": [
            {
                "what": f"{title_of(each.model)} in {each.weight_dtype} "
                f"on {each.accelerator}: {each.way.words}",
                "concurrency": each.concurrency,
                "first_token_s": each.first_token_s,
                "tokens_per_s_per_user": each.tokens_per_s_per_user,
                "tokens_per_s_per_accelerator": each.tokens_per_s_per_accelerator,
            }
            for each in found.frontier
        ],
        "rejected": [{"what": each.what, "why": each.why} for each in found.rejected],
    }


def _number(found: Plan, option: Option | None) -> int | None:
    return None if option is None else found.options.index(option)


def _values(option: Option) -> dict[str, Any]:
    serving, way = option.serving, option.way
    return {
        "what": option.words,
        "model": option.model,
        "accelerator": option.accelerator,
        "accelerators": option.accelerators,
        "copies": option.copies,
        "tensor_parallel": way.layout.tensor,
        "pipeline_parallel": way.layout.pipeline,
        "attention_data_parallel": way.layout.data,
        "expert_parallel": way.layout.expert,
        "readers": way.readers,
        "writers": way.writers,
        "weight_dtype": option.weight_dtype,
        "kv_dtype": option.kv_dtype,
        "concurrency": serving.concurrency,
        "first_token_s": serving.ttft_s,
        "first_token_range_s": list(serving.ttft_range_s),
        "token_s": serving.tpot_s,
        "token_range_s": list(serving.tpot_range_s),
        "requests_per_s": option.requests_per_s,
        "output_tokens_per_s": option.copies * serving.output_tokens_per_s,
        "usd_per_hour": option.usd_per_hour,
        "usd_per_million_tokens": option.usd_per_million_tokens,
        "energy_wh_per_answer": None if option.energy_kwh is None else WH_PER_KWH * option.energy_kwh,
        "co2e_g_per_answer": option.grams_per_answer,
    }


def plan_lines(found: Plan) -> list[str]:
    """Return a plan as lines of text.

    Parameters
    ----------
    found : Plan
        The plan.

    Returns
    -------
    list of str
    """
    lines = [_asked(found), _counts(found), ""]
    shown: dict[int, list[str]] = {}
    for name, what in BEST.items():
        number = _number(found, getattr(found, name))
        if number is not None:
            shown.setdefault(number, []).append(what)
    for number, whats in shown.items():
        lines += [*_option_lines(found, found.options[number], ", ".join(whats)), ""]
    return lines + _rejected(found)


def _asked(found: Plan) -> str:
    demand, limits = found.demand, found.limits
    much = (
        f"{counted(demand.users, 'answer')} at once"
        if demand.users is not None
        else f"{significant(demand.requests_per_s or 0)} requests a second"
    )
    allowed = [
        text
        for value, text in (
            (limits.token_s, f"a token in {significant(1e3 * (limits.token_s or 0))} ms"),
            (limits.first_token_s, f"the first in {significant(limits.first_token_s or 0)} s"),
            (limits.accelerators, counted(limits.accelerators or 0, "accelerator")),
            (limits.usd_per_hour, f"USD {limits.usd_per_hour or 0:,.2f} an hour"),
            (limits.grams_per_answer, f"{significant(limits.grams_per_answer or 0)} g of CO2e an answer"),
        )
        if value is not None
    ]
    lengths = f"{demand.input_tokens:,} tokens in, {demand.output_tokens:,} out"
    return f"{much}, {lengths}; at the most {', '.join(allowed) if allowed else 'anything'}"


def _counts(found: Plan) -> str:
    return (
        f"{counted(found.tried, 'way')} tried, {found.kept:,} keep the limits, {len(found.options):,} of "
        "them are beaten by no other in everything."
    )


def _option_lines(found: Plan, option: Option, what: str) -> list[str]:
    serving = option.serving
    low, high = (1e3 * each for each in serving.tpot_range_s)
    first = [significant(each) for each in (*serving.ttft_range_s, serving.ttft_s)]
    price = "no price is known"
    if option.usd_per_hour is not None:
        million = option.usd_per_million_tokens
        price = f"USD {option.usd_per_hour:,.2f} an hour, USD {million:,.2f} for a million tokens"
    lines = [
        f"{what[0].upper()}{what[1:]}",
        f"  {option.words}",
        f"  {counted(option.accelerators, 'accelerator')}, {price}",
        f"  {serving.concurrency:,} answers at once on each copy: a token in {1e3 * serving.tpot_s:.3g} ms "
        f"({low:.3g} to {high:.3g}), the first in {first[2]} s ({first[0]} to {first[1]})",
    ]
    if option.energy_kwh is not None and option.grams_per_answer is not None:
        energy, grams = WH_PER_KWH * option.energy_kwh, option.grams_per_answer
        lines.append(f"  {significant(energy)} Wh and {significant(grams)} g of CO2e an answer")
    late = found.limits.late(serving.ttft_range_s[1], serving.tpot_range_s[1])
    if late:
        lines.append(f"  At the upper end of its range {late}")
    return lines


def _rejected(found: Plan) -> list[str]:
    """Return why ways were rejected, the commonest reason first, numbers aside."""
    kinds = Counter("".join(sign for sign in each.why if not sign.isdigit()) for each in found.rejected)
    lines = [f"{counted(len(found.rejected), 'way')} cannot, such as"] if found.rejected else []
    for kind, number in kinds.most_common(REASONS):
        first = next(
            each for each in found.rejected if "".join(s for s in each.why if not s.isdigit()) == kind
        )
        more = f" (and {number - 1:,} more like it)" if number > 1 else ""
        lines.append(f"  {first.what}: {first.why}{more}")
    return lines


def write_chart(found: Plan, path: str) -> None:
    """Draw what a user and what an accelerator gets along the frontier to an SVG file.

    Parameters
    ----------
    found : Plan
        The plan.
    path : str
        The file.

    Raises
    ------
    ParameterError
        If it cannot be written.
    """
    from cohort.display.theme import use_theme
    from cohort.reports.plan_figures import draw_frontier

    use_theme()
    try:
        draw_frontier(found).savefig(Path(path), format="svg", metadata={"Date": None})
    except OSError as error:
        raise ParameterError(f"{path} cannot be written: {error.strerror}") from None


explain(__name__)
