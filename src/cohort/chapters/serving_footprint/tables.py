"""One answer as tables: by batch, model and prompt, within each boundary, with its uncertainty."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from cohort.architecture.decoder import ModelSpec
from cohort.architecture.registered import model as read_model
from cohort.architecture.registered import specs, title
from cohort.display.words import MASSES, mass_unit
from cohort.errors import DoesNotFitError
from cohort.footprint import answers
from cohort.footprint.accounts import BOUNDARY_WORDS, Footprint
from cohort.footprint.energy import coefficients
from cohort.footprint.factors import factor
from cohort.registry import facts

WH = 1000.0  # in a kWh


def service_of(spec: ModelSpec, concurrency: int, **request: Any) -> answers.Service:
    """Return the service that gives an answer.

    Parameters
    ----------
    spec : ModelSpec
        The model.
    concurrency : int
        Answers that are written at once.
    **request
        ``accelerator``, ``input_tokens`` and ``output_tokens``; what else is asked does not concern it.

    Returns
    -------
    Service
        On as few accelerators as hold the model and its requests.

    Raises
    ------
    DoesNotFitError
        If no group of accelerators does.
    """
    asked = {name: request[name] for name in ("accelerator", "input_tokens", "output_tokens")}
    return answers.service(spec, concurrency=concurrency, **asked)


def central_footprint(found: answers.Service, boundary: str, grid: str) -> Footprint:
    """Return an answer of a service at the central value of each factor.

    Parameters
    ----------
    found : Service
        The service.
    boundary : str
        One of ``cohort.footprint.answers.BOUNDARIES_OF_USE``.
    grid : str
        A place from ``cohort.grids()``.

    Returns
    -------
    Footprint
        Of one answer.

    Raises
    ------
    UnknownNameError
        If there is no such boundary or grid.
    """
    ranges = answers.answer_factors(found.device, grid, carried=found.carried)
    return answers.answer_footprint(boundary, found, {name: each.central for name, each in ranges.items()})


def answer_of(spec: ModelSpec, concurrency: int, **request: Any) -> dict[str, Any] | None:
    """Return what an answer of a model takes.

    Parameters
    ----------
    spec : ModelSpec
        The model.
    concurrency : int
        Answers that are written at once.
    **request
        ``accelerator``, ``input_tokens``, ``output_tokens`` and ``grid``.

    Returns
    -------
    dict or None
        ``concurrency``, ``accelerators``, ``weight_dtype``, ``wh`` of the data centre and ``kg`` of CO2e;
        None where no group of accelerators holds the model.

    Raises
    ------
    CohortError
        If a number is out of range, or a name is not known.
    """
    try:
        found = service_of(spec, concurrency, **request)
    except DoesNotFitError:
        return None
    one = central_footprint(found, "facility", request.get("grid", "USA"))
    return {
        "concurrency": concurrency,
        "accelerators": found.accelerators,
        "weight_dtype": found.weight_dtype,
        "wh": WH * one.energy_kwh,
        "kg": one.co2e_kg,
    }


# Batch, model and prompt ------------------------------------------------------------------------------------


def by_batch(models: Sequence[str], chosen: int, **request: Any) -> pd.DataFrame:
    """Return the energy of an answer at several concurrencies.

    Parameters
    ----------
    models : sequence of str
        Names or paths.
    chosen : int
        A concurrency that is among them, besides the powers of two.
    **request
        ``accelerator``, ``input_tokens``, ``output_tokens`` and ``grid``.

    Returns
    -------
    DataFrame
        ``model``, ``concurrency``, ``accelerators``, ``weight_dtype``, and ``wh``, of the data centre. What
        fits no group of accelerators is left out.

    Raises
    ------
    CohortError
        If a number is out of range, or a name is not known.
    """
    records = []
    for spec in specs(models):
        for concurrency in sorted({2**power for power in range(11)} | {chosen}):
            found = answer_of(spec, concurrency, **request)
            if found is not None:
                records.append({"model": title(spec), **found})
    return pd.DataFrame(records, columns=["model", "concurrency", "accelerators", "weight_dtype", "wh", "kg"])


COMPARABLE = 2  # times as long as the measured answers, or as short, and prompts at most so many times


def measured_answers(model: str, input_tokens: int, output_tokens: int) -> pd.DataFrame:
    """Return measured energies of a model as answers of that length, with the same host, idle share and PUE.

    The measured requests are chats, so that only like lengths are comparable.

    Parameters
    ----------
    model : str
        A name or path.
    input_tokens, output_tokens : int
        Tokens of the prompt and of the answer.

    Returns
    -------
    DataFrame
        ``concurrency`` and ``wh``; empty where the model was not measured, or the lengths are not comparable.

    Raises
    ------
    UnknownNameError
        If there is no such model.
    """
    spec, kept = read_model(model), coefficients()
    longer = output_tokens / kept.answer
    alike = 1 / COMPARABLE <= longer <= COMPARABLE and input_tokens <= COMPARABLE * kept.prompt
    chain = (
        factor("serving", "host over accelerator").central * factor("hyperscale data centre", "pue").central
    )
    chain /= 1 - answers.idle_share().central
    rows = [
        (float(row["concurrency"]), float(row["value"]) * output_tokens * chain / 3600)
        for row in facts.rows("inference_energy")
        if alike
        and row["same_shape_as"] == spec.name
        and row["metric"] == "energy_per_output_token"
        and row["accelerator"].startswith("H100")
    ]
    return pd.DataFrame(rows, columns=["concurrency", "wh"])


NEAR = 0.1  # how far the requests of a measurement may be from those asked, as a share


def measured_at(service: answers.Service) -> float | None:
    """Return what an answer takes of the data centre by a measurement of the same service.

    Parameters
    ----------
    service : Service
        What gives the answer.

    Returns
    -------
    float or None
        Wh, with the same host, idle share and PUE; None where no measurement has the model, the accelerators,
        the type of weights and about as many requests, or the lengths are not comparable.
    """
    for row in facts.rows("inference_energy"):
        same = (
            row["same_shape_as"] == service.model.name
            and (row["accelerator"], row["weight_dtype"]) == (service.device.name, service.weight_dtype)
            and row["metric"] == "energy_per_output_token"
            and int(row["accelerators"]) == service.accelerators
        )
        if same and abs(float(row["concurrency"] or 0) / service.concurrency - 1) < NEAR:
            found = measured_answers(service.model.name, service.input_tokens, service.output_tokens)
            near = found[found["concurrency"] == float(row["concurrency"])]
            return float(near["wh"].iloc[0]) if len(near) else None
    return None


def by_model(models: Sequence[str], concurrency: int, **request: Any) -> pd.DataFrame:
    """Return the energy of an answer of several models at one concurrency.

    Parameters
    ----------
    models : sequence of str
        Names or paths.
    concurrency : int
        Answers that are written at once.
    **request
        ``accelerator``, ``input_tokens``, ``output_tokens`` and ``grid``.

    Returns
    -------
    DataFrame
        Per model: ``active`` parameters, whether it is a ``mixture``, ``accelerators``, ``weight_dtype``,
        ``wh`` of the data centre and ``kg`` of CO2e. What fits no group of accelerators is left out.

    Raises
    ------
    CohortError
        If a number is out of range, or a name is not known.
    """
    records = {}
    for spec in specs(models):
        found = answer_of(spec, concurrency, **request)
        if found is not None:
            records[title(spec)] = {
                "active": spec.active_parameters,
                "mixture": spec.experts is not None,
                **{name: found[name] for name in ("accelerators", "weight_dtype", "wh", "kg")},
            }
    columns = ["active", "mixture", "accelerators", "weight_dtype", "wh", "kg"]
    return pd.DataFrame.from_dict(records, orient="index", columns=columns)


LENGTHS = (256, 1024, 4096, 16384, 65536)


def by_prompt(model: str, concurrency: int, **request: Any) -> pd.DataFrame:
    """Return the energy of an answer by the length of its prompt, in three parts.

    Parameters
    ----------
    model : str
        A name or path.
    concurrency : int
        Answers that are written at once.
    **request
        ``accelerator``, ``input_tokens``, ``output_tokens`` and ``grid``.

    Returns
    -------
    DataFrame
        Per number of input tokens: Wh of the data centre for the ``chat``, the ``prompt`` and the ``cache``
        beyond that of a chat, their sum ``wh``, and the ``concurrency``: the chosen one, or the greatest
        power of two below it that the memory holds at that length. Prompts stop where the context that the
        model states is full with the answer; the chosen one stays.

    Raises
    ------
    CohortError
        If a number is out of range, or a name is not known.
    """
    records = {}
    spec, written = read_model(model), request["output_tokens"]
    longest = min((spec.context_limit or LENGTHS[-1] + written) - written, LENGTHS[-1])
    within = {each for each in (*LENGTHS, longest) if 0 < each <= longest}
    fewer = [2**power for power in range(concurrency.bit_length()) if 2**power < concurrency]
    for length in sorted({*within, request["input_tokens"]}):
        asked = {**request, "input_tokens": length}
        for at_once in [concurrency, *reversed(fewer)]:
            if answer_of(spec, at_once, **asked) is not None:
                records[length] = _parts(spec, at_once, asked)
                break
    columns = ["concurrency", "chat", "prompt", "cache", "wh"]
    return pd.DataFrame.from_dict(records, orient="index", columns=columns)


def _parts(spec: ModelSpec, concurrency: int, request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parts of an answer's energy in Wh, and the concurrency."""
    found = service_of(spec, concurrency, **request)
    whole = WH * central_footprint(found, "facility", request.get("grid", "USA")).energy_kwh
    prompt, cache = (whole * part / found.joules for part in (found.prompt_j, found.cache_j))
    return {
        "concurrency": concurrency,
        "chat": whole - prompt - cache,
        "prompt": prompt,
        "cache": cache,
        "wh": whole,
    }


# Boundaries -------------------------------------------------------------------------------------------------


def ledger(rows: Mapping[str, Footprint], output_tokens: int, answers_per_day: float) -> pd.DataFrame:
    """Return the footprint of an answer by boundary, for readers.

    Parameters
    ----------
    rows : mapping of str to Footprint
        An answer within each boundary.
    output_tokens : int
        Its tokens.
    answers_per_day : float
        Answers of the service in a day.

    Returns
    -------
    DataFrame
        Per boundary, in words: energy in Wh, CO2e in g and water in mL of an answer, energy of a million
        tokens in kWh, and CO2e of a year of the service, in t or in a smaller unit where it is little.

    Raises
    ------
    ParameterError
        If a number is not above 0.
    """
    unit = mass_unit(max(answers.per_year(one, answers_per_day).co2e_kg for one in rows.values()))
    kg = MASSES[unit]
    return pd.DataFrame(
        {
            BOUNDARY_WORDS.get(boundary, boundary): {
                "energy (Wh)": WH * one.energy_kwh,
                "CO2e (g)": 1000 * one.co2e_kg,
                "water (mL)": 1000 * one.water_l,
                "a million tokens (kWh)": answers.per_million_tokens(one, output_tokens).energy_kwh,
                f"a year of the service ({unit})": answers.per_year(one, answers_per_day).co2e_kg / kg,
            }
            for boundary, one in rows.items()
        }
    ).T.rename_axis("boundary")
