"""Using a model as tables: measured energies beside the model's, answers by batch and length, break-even."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from cohort.architecture.decoder import ModelSpec
from cohort.architecture.dtypes import precision
from cohort.architecture.registered import model as read_model
from cohort.architecture.registered import specs, title
from cohort.display.words import MASSES, mass_unit
from cohort.errors import DoesNotFitError
from cohort.footprint import answers, yardsticks
from cohort.footprint.accounts import Footprint
from cohort.footprint.calibration import leave_one_out, measured_energies
from cohort.footprint.energy import coefficients, joules_by_compute, joules_per_token, prompt_joules
from cohort.footprint.factors import DRAWN, Range, factor
from cohort.footprint.published_runs import run_of
from cohort.footprint.training_runs import run_factors, run_footprint, training
from cohort.footprint.uncertainty import Spread, propagate
from cohort.registry import facts
from cohort.registry.devices import accelerator as find_accelerator
from cohort.serving.roofline import attained, largest_concurrency, serve, weights_read, with_recent_kernels
from cohort.units import GB

# Measurements that nothing was fitted to --------------------------------------------------------------------

RATES = {"1 request/s": 1.0}  # of `load`; the others come all at once


def requests_compared() -> pd.DataFrame:
    """Return measured energies of a request beside predicted ones, where the rate of requests is known.

    By Little's law as many requests are answered at once as come in the time that one takes; those that come
    all at once fill the memory.

    Returns
    -------
    DataFrame
        ``model``, ``load``, the ``concurrency`` that follows, ``measured`` and ``predicted`` in J, ``ratio``.
    """
    rows = [row for row in facts.rows("inference_energy") if row["metric"] == "energy_per_request"]
    records = []
    for row in rows:
        request: dict[str, Any] = {
            "model": row["same_shape_as"],
            "accelerator": row["accelerator"],
            "tensor_parallel": int(row["accelerators"]),
            "input_tokens": int(row["input_tokens"]),
            "output_tokens": int(row["output_tokens"]),
        }
        spec, devices = read_model(row["same_shape_as"]), request["tensor_parallel"]
        full = largest_concurrency(**request)
        at_once = _at_once(RATES[row["load"]], request) if row["load"] in RATES else float(full)
        read, multiplied = (
            precision(row["weight_dtype"]).bytes_per_element * weights / GB
            for weights in (weights_read(spec, round(at_once)), spec.matmul_parameters)
        )
        token = coefficients().joules(devices, at_once, read, multiplied)
        drawn = factor("training", DRAWN).central
        device, written = find_accelerator(row["accelerator"]), request["output_tokens"]
        prompt = prompt_joules(spec, device, request["input_tokens"], written, drawn, row["weight_dtype"])
        predicted = written * token + prompt
        value = float(row["value"])
        records.append(
            {
                "model": row["model"],
                "load": row["load"],
                "concurrency": at_once,
                "measured": value,
                "predicted": predicted,
                "ratio": predicted / value,
            }
        )
    return pd.DataFrame(records)


def _at_once(rate: float, request: Mapping[str, Any]) -> float:
    """Return how many requests are answered at once, on average, when so many come in a second."""
    found = 1.0
    for _ in range(50):
        seconds = serve(**request, concurrency=round(found), attained=with_recent_kernels()).request_s
        found, before = max(rate * seconds, 1.0), found
        if found == before:
            break
    return found


def quoted_value(entity: str, quantity: str, level: str = "") -> float:
    """Return a value of the table `footprint_factors`."""
    (found,) = (
        float(row["value"])
        for row in facts.rows("footprint_factors")
        if (row["entity"], row["quantity"], row["level"]) == (entity, quantity, level)
    )
    return found


DEEPSEEK = "DeepSeek V3/R1 serving"


DEEPSEEK_PUE = 1.2  # as the figure that is compared with takes it


def deepseek_blind() -> float:
    """Return what the four terms give for DeepSeek's service, in Wh of the facility per 1,000 output tokens.

    Nobody metered it. Its nodes of eight serve so many tokens a second, and each user so many: the rest is
    the requests of a node. Input tokens that no cache holds are read. The layout is wider than a node; the
    four terms take each node for itself. Nodes in service are counted, so that none of them idles.
    """
    device, spec = find_accelerator("H800 SXM"), read_model("deepseek-v3.2")
    requests = round(
        quoted_value(DEEPSEEK, "decode throughput per node") / quoted_value(DEEPSEEK, "speed for one user")
    )
    written, given = (
        quoted_value(DEEPSEEK, "output tokens per day"),
        quoted_value(DEEPSEEK, "input tokens per day"),
    )
    cached = quoted_value(DEEPSEEK, "share of input tokens read from the cache on disk")
    rate = attained().product(device.name, "fp8") * device.peak("fp8")
    reading = 2 * spec.matmul_parameters * given * (1 - cached) / written / rate
    prompt = reading * factor("training", DRAWN).central * (device.tdp_w or 0.0)
    token = joules_per_token(spec, 8, requests, "fp8") + prompt
    return token * factor("serving", "host over accelerator").central * DEEPSEEK_PUE * 1000 / 3600


def ratio_spread(ratios: Iterable[float]) -> dict[str, float]:
    """Return the median of ratios, their geometric standard deviation, the least and the greatest."""
    logs = np.log(np.array(list(ratios)))
    return {
        "rows": len(logs),
        "median": float(np.exp(np.median(logs))),
        "spread": float(np.exp(logs.std(ddof=1))) if len(logs) > 1 else float("nan"),
        "least": float(np.exp(logs.min())),
        "greatest": float(np.exp(logs.max())),
    }


def classes() -> pd.DataFrame:
    """Return how far predicted energies are from measured ones, by class of measurement.

    Returns
    -------
    DataFrame
        Per class: ``rows``, and of predicted over measured energy the ``median``, the geometric standard
        deviation as ``spread``, the ``least`` and the ``greatest``.
    """
    blind = deepseek_blind() / quoted_value(DEEPSEEK, "facility energy per 1000 output tokens", "central")
    found: dict[str, Iterable[float]] = {
        "H100, as fitted": [each.joules() / each.value for each in measured_energies("calibrate")],
        "H100, each model from the others": [each.ratio for each in leave_one_out()],
        "B200, not fitted": [each.joules() / each.value for each in measured_energies("test")],
        "another engine at a known rate, not fitted": requests_compared()["ratio"],
        "DeepSeek's nodes at an assumed 7.75 kW": [blind],
    }
    return pd.DataFrame({name: ratio_spread(ratios) for name, ratios in found.items()}).T.astype(
        {"rows": int}
    )


def energies_left_out() -> pd.DataFrame:
    """Return the energies of `leave_one_out` as a table, measured and predicted, in J for a token."""
    return pd.DataFrame(leave_one_out())


# Answers ----------------------------------------------------------------------------------------------------

WH = 1000.0


def batch_steps(chosen: int) -> list[int]:
    """Return concurrencies for a sweep: powers of two, and the chosen one."""
    return sorted({2**power for power in range(11)} | {chosen})


def by_batch(models: Sequence[str], chosen: int, **request: Any) -> pd.DataFrame:
    """Return the energy of an answer at several concurrencies.

    Parameters
    ----------
    models : sequence of str
        Names or paths.
    chosen : int
        A concurrency that is among them.
    **request
        As `cohort.footprint.serving` takes it, without model and concurrency.

    Returns
    -------
    DataFrame
        ``model``, ``concurrency``, ``accelerators``, ``weight_dtype``, and ``wh``, of the data centre. What
        fits no group of accelerators is left out.
    """
    records = []
    for spec in specs(models):
        for concurrency in batch_steps(chosen):
            found = _answer(spec, concurrency, **request)
            if found is not None:
                records.append({"model": title(spec), **found})
    return pd.DataFrame(records, columns=["model", "concurrency", "accelerators", "weight_dtype", "wh", "kg"])


def _answer(spec: ModelSpec, concurrency: int, **request: Any) -> dict[str, Any] | None:
    """Return one answer, or None where no group of accelerators holds the model."""
    try:
        found = _service(spec, concurrency, request)
    except DoesNotFitError:
        return None
    one = _footprint(found, "facility", request.get("grid", "USA"))
    return {
        "concurrency": concurrency,
        "accelerators": found.accelerators,
        "weight_dtype": found.weight_dtype,
        "wh": WH * one.energy_kwh,
        "kg": one.co2e_kg,
    }


def _footprint(found: answers.Service, boundary: str, grid: str) -> Footprint:
    ranges = answers.answer_factors(found.device, grid, carried=found.carried)
    return answers.answer_footprint(boundary, found, {name: each.central for name, each in ranges.items()})


COMPARABLE = 2  # times as long as the measured answers, or as short, and prompts at most so many times


def measured_answers(model: str, input_tokens: int, output_tokens: int) -> pd.DataFrame:
    """Return measured energies of a model as answers of that length, with the same host, idle share and PUE.

    The measured requests are chats, so that only like lengths are comparable.

    Returns
    -------
    DataFrame
        ``concurrency`` and ``wh``; empty where the model was not measured, or the lengths are not comparable.
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


def by_model(models: Sequence[str], concurrency: int, **request: Any) -> pd.DataFrame:
    """Return the energy of an answer of several models at one concurrency.

    Returns
    -------
    DataFrame
        Per model: ``active`` parameters, whether it is a ``mixture``, ``accelerators``, ``weight_dtype``,
        ``wh`` of the data centre and ``kg`` of CO2e. What fits no group of accelerators is left out.
    """
    records = {}
    for spec in specs(models):
        found = _answer(spec, concurrency, **request)
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

    Returns
    -------
    DataFrame
        Per number of input tokens: Wh of the data centre for the ``chat``, the ``prompt`` and the ``cache``
        beyond that of a chat, their sum ``wh``, and the ``concurrency``: the chosen one, or the greatest
        power of two below it that the memory holds at that length. Prompts stop where the context that the
        model states is full with the answer; the chosen one stays.
    """
    records = {}
    written = request["output_tokens"]
    limit = read_model(model).context_limit or LENGTHS[-1] + written
    longest = min(limit - written, LENGTHS[-1])
    within = {each for each in (*LENGTHS, longest) if 0 < each <= longest}
    lengths = sorted({*within, request["input_tokens"]})
    for length in lengths:
        asked = {**request, "input_tokens": length}
        several = [2**power for power in range(concurrency.bit_length()) if 2**power < concurrency]
        for at_once in [concurrency, *reversed(several)]:
            if _answer(read_model(model), at_once, **asked) is not None:
                records[length] = _parts(model, at_once, asked)
                break
    columns = ["concurrency", "chat", "prompt", "cache", "wh"]
    return pd.DataFrame.from_dict(records, orient="index", columns=columns)


def _parts(model: str, concurrency: int, request: Mapping[str, Any]) -> dict[str, Any]:
    found = _service(read_model(model), concurrency, request)
    whole = WH * _footprint(found, "facility", request.get("grid", "USA")).energy_kwh
    prompt, cache = (whole * part / found.joules for part in (found.prompt_j, found.cache_j))
    return {
        "concurrency": concurrency,
        "chat": whole - prompt - cache,
        "prompt": prompt,
        "cache": cache,
        "wh": whole,
    }


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
        Per boundary: energy in Wh, CO2e in g and water in mL of an answer, energy of a million tokens in kWh,
        and CO2e of a year of the service, in t or in a smaller unit where it is little.
    """
    unit = mass_unit(max(answers.per_year(one, answers_per_day).co2e_kg for one in rows.values()))
    kg = MASSES[unit]
    return pd.DataFrame(
        {
            boundary: {
                "energy (Wh)": WH * one.energy_kwh,
                "CO2e (g)": 1000 * one.co2e_kg,
                "water (mL)": 1000 * one.water_l,
                "a million tokens (kWh)": answers.per_million_tokens(one, output_tokens).energy_kwh,
                f"a year of the service ({unit})": answers.per_year(one, answers_per_day).co2e_kg / kg,
            }
            for boundary, one in rows.items()
        }
    ).T.rename_axis("boundary")


# Figures of a query: entity, quantity, what it is called, how it is known. Two are derived, and say so.
QUERIES = (
    ("Gemini Apps median prompt", "energy per query", "Gemini, median prompt", "metered by Google"),
    ("ChatGPT average query", "energy per query", "ChatGPT, average query", "said, without a method"),
    ("GPT-4o typical query", "energy per query", "GPT-4o, typical query", "estimate of Epoch AI"),
    (
        "frontier model on an H100 node",
        "energy per query",
        "a frontier model",
        "simulation of Oviedo and others",
    ),
    (
        DEEPSEEK,
        "facility energy per 1000 output tokens",
        "DeepSeek, 1,000 tokens, derived",
        "derived from published nodes and an assumed 7.75 kW",
    ),
    (
        "EcoLogits 0.11.3, Mistral Large 2",
        "energy per answer of 400 tokens",
        "Mistral Large 2, 400 tokens, derived",
        "EcoLogits, run again for this book",
    ),
)


def published() -> pd.DataFrame:
    """Return energies of a query by others, and two derived from their figures, with ranges where given.

    Returns
    -------
    DataFrame
        Per figure: ``low``, ``wh`` and ``high`` in Wh of the data centre, ``how`` it is known, ``source``,
        and whether the book ``derived`` it.
    """
    records = {}
    for entity, quantity, name, how in QUERIES:
        rows = {
            row["level"]: row
            for row in facts.rows("footprint_factors")
            if (row["entity"], row["quantity"]) == (entity, quantity)
        }
        central = rows.get("central", rows.get(""))
        assert central is not None
        ends = {level: float(rows.get(level, central)["value"]) for level in ("low", "high")}
        records[name] = {
            **ends,
            "wh": float(central["value"]),
            "how": how,
            "source": central["source"],
            "derived": central["status"] == "derived",
        }
    return pd.DataFrame.from_dict(
        records, orient="index", columns=["low", "wh", "high", "how", "source", "derived"]
    )


def own_queries(
    models: Sequence[str], concurrency: int, seed: int = 0, draws: int = 20_000, **request: Any
) -> pd.DataFrame:
    """Return answers as this book computes them, from the 5th to the 95th percentile.

    Returns
    -------
    DataFrame
        Per model that the accelerators hold: ``low``, ``wh`` (with central factors) and ``high`` in Wh of the
        data centre.
    """
    grid, records = request.get("grid", "USA"), {}
    for spec in specs(models):
        found = _answer(spec, concurrency, **request)
        if found is not None:
            drawn = answer_spread(_service(spec, concurrency, request), grid, draws=draws, seed=seed)
            records[f"{title(spec)}, here"] = {"low": drawn.low, "wh": found["wh"], "high": drawn.high}
    return pd.DataFrame.from_dict(records, orient="index", columns=["low", "wh", "high"])


def _service(spec: ModelSpec, concurrency: int, request: Mapping[str, Any]) -> answers.Service:
    asked = {name: request[name] for name in ("accelerator", "input_tokens", "output_tokens")}
    return answers.service(spec, concurrency=concurrency, **asked)


# What the estimate of Epoch AI for a query is made of, as its spreadsheet has it.
EPOCH = {
    "active_parameters": 100e9,
    "tokens": 500.0,
    "peak": 989e12,
    "utilisation": 0.1,
    "power_w": 1275 * 0.7 * 1.2,
}


def arithmetic() -> pd.DataFrame:
    """Return published figures beside what follows from other figures of the same source.

    Returns
    -------
    DataFrame
        Per figure: ``published`` and ``recomputed``, their ``unit``, and how far they are ``off (%)``.
    """
    gemini = "Gemini Apps median prompt"
    parts = {
        name: quoted_value(gemini, f"share of the energy: {name}")
        for name in ("accelerators", "host", "idle machines", "data centre")
    }
    whole = sum(parts.values())
    water = 4 * (0.55 + 1.17 * 3.142)
    rows = {
        "GPT-4o, a query (Epoch AI)": (
            quoted_value("GPT-4o typical query", "energy per query"),
            joules_by_compute(**EPOCH) / 3600,
            "Wh",
        ),
        "Gemini, energy of the data centre over that of machines": (
            next(
                float(row["value"])
                for row in facts.rows("facilities")
                if (row["provider"], row["source"]) == ("Google", "elsworth2025gemini")
            ),
            whole / (whole - parts["data centre"]),
            "ratio",
        ),
        "GPT-3, water of a medium answer": (
            quoted_value("GPT-3 medium answer", "water per answer, United States"),
            water,
            "mL",
        ),
    }
    frame = pd.DataFrame(rows, index=["published", "recomputed", "unit"]).T
    frame["off (%)"] = 100 * (frame["recomputed"].astype(float) / frame["published"].astype(float) - 1)
    return frame.astype({"published": float, "recomputed": float})


REQUESTS = 2400  # that the energies of the table on OLMo are for


# Entity and model of a published break-even, and the grams of CO2e that its source prints for all requests.
PUBLISHED_BREAK_EVENS = (
    ("olmo-2-7b on one H100, one request a second", "olmo-2-7b", 118.9),
    ("olmo-2-7b on one H100, all requests at once", "olmo-2-7b", 6.0),
    ("llama-2-13b on one H100, one request a second", "llama-2-13b", 133.1),
)


def published_break_evens() -> pd.DataFrame:
    """Return published break-even points beside the published CO2e of training over that of a request.

    Returns
    -------
    DataFrame
        Per case: ``training (t)``, ``a request (mg)``, and the answers, printed and recomputed, in billions.
    """
    records = {}
    for entity, model, grams in PUBLISHED_BREAK_EVENS:
        tonnes, each = emissions(model) or float("nan"), grams / REQUESTS
        records[f"{title(read_model(model))}, {entity.split(', ')[1]}"] = {
            "training (t)": tonnes,
            "a request (mg)": 1000 * each,
            "printed (billion)": quoted_value(entity, "answers that emit as much as the training") / 1e9,
            "recomputed (billion)": tonnes * 1e6 / each / 1e9,
        }
    return pd.DataFrame.from_dict(records, orient="index").rename_axis("case")


# Use beside making ------------------------------------------------------------------------------------------


USUAL = "H100 SXM 80GB"  # what a training is taken to have run on where its makers do not say


def hours_of(spec: ModelSpec) -> tuple[str, float, str] | None:
    """Return the accelerator of a model's training, its hours and how they are known; None if they are not.

    They are ``published``, or ``at most`` where a bound is; else ``estimated`` from six FLOP for each active
    parameter and token, at the median share of the peak of such runs.
    """
    if not spec.registered:
        return None
    run = run_of(spec.name, USUAL)
    if run.hours is not None:
        return run.device.name, run.hours, "published"
    if run.at_most is not None:
        return run.device.name, run.at_most, "at most"
    if not run.tokens.known:
        return None
    hours = training(accelerator=run.device, model=spec, tokens=run.tokens.central).accelerator_hours
    return run.device.name, hours, "estimated"


def footprint_of_making(spec: ModelSpec, boundary: str, grid: str) -> Footprint | None:
    """Return the footprint of a model's training within a boundary, None where its hours are not known."""
    found = hours_of(spec)
    if found is None:
        return None
    device, hours, _ = found
    return training(accelerator=device, accelerator_hours=hours, boundary=boundary, grid=grid)


def break_evens(
    models: Sequence[str], concurrency: int, answers_per_day: float, **request: Any
) -> pd.DataFrame:
    """Return when the use of models outweighs their making, both in the data centre.

    Returns
    -------
    DataFrame
        Per model whose training hours are known or follow from its tokens, and that the accelerators hold:
        ``hours`` and how they are ``known``, ``made`` in tonnes of CO2e, ``answer`` in grams, the ``answers``
        and the ``days`` until both are equal, and the answers if the model's ``development`` counts too.
    """
    records = {}
    grid = request.get("grid", "USA")
    for spec in specs(models):
        found, hours = _answer(spec, concurrency, **request), hours_of(spec)
        run, whole = (
            footprint_of_making(spec, boundary, grid) for boundary in ("facility", "with_development")
        )
        if found is None or hours is None or run is None or whole is None:
            continue
        service = _service(spec, concurrency, request)
        one, other = (_footprint(service, boundary, grid) for boundary in ("facility", "with_embodied"))
        count = answers.break_even(run, one)
        records[title(spec)] = {
            "hours": hours[1],
            "known": hours[2],
            "made": run.co2e_kg / 1000,
            "answer": 1000 * one.co2e_kg,
            "answers": count,
            "days": count / answers_per_day,
            "with development": answers.break_even(whole, other),
        }
    columns = ["hours", "known", "made", "answer", "answers", "days", "with development"]
    return pd.DataFrame.from_dict(records, orient="index", columns=columns)


def break_even_spread(
    model: str, concurrency: int, draws: int = 50_000, seed: int = 0, **request: Any
) -> Spread | None:
    """Return after how many answers use outweighs making, with its uncertainty.

    The grid and the data centre are the same for both, so that what they emit is of little weight. Hours of
    which a bound alone is known are drawn as those that follow from the tokens, and never above the bound.

    Returns
    -------
    Spread or None
        Answers; None where the training hours are not known, or nothing but a bound of them is.
    """
    spec, grid = read_model(model), request.get("grid", "USA")
    found, hours = _service(spec, concurrency, request), hours_of(spec)
    if hours is None:
        return None
    device = find_accelerator(hours[0])
    runs = run_factors(device, grid, "facility")
    uses = answers.answer_factors(found.device, grid, carried=found.carried)
    run = run_of(spec.name, USUAL)
    known = hours[2]
    if known == "at most" and not run.tokens.known:
        return None
    followed = hours[1]
    if known == "at most":
        by_tokens = training(accelerator=device, model=spec, tokens=run.tokens.central)
        followed = by_tokens.accelerator_hours
    # Hours that follow from the tokens are as uncertain as the share of the peak that runs attain.

    def ratio(**values: Any) -> Any:
        own = {name: values[name] for name in uses}
        making = {name: values[name] for name in runs}
        scale = 1.0 if known == "published" else runs["mfu"].central / values["mfu"]
        run_hours = followed * scale
        if known == "at most":
            run_hours = np.minimum(run_hours, hours[1])
        made_kg = run_footprint("facility", device, (run_hours, None), making).co2e_kg
        return made_kg / answers.answer_footprint("facility", found, own).co2e_kg

    return propagate(ratio, {**uses, **runs}, draws, seed)


# What a tonne is --------------------------------------------------------------------------------------------


def tonne(kg: float = 1000.0) -> pd.DataFrame:
    """Return what an amount of CO2e is for a person, a car and a flight.

    Returns
    -------
    DataFrame
        Per yardstick: ``number``, its ``unit``, and the ``source`` of the yardstick.
    """
    sources = {row["name"]: (row["source"], row["status"]) for row in facts.rows("equivalences")}
    rows = [
        (f"a resident of {name}", yardsticks.person_days(kg, place), "days",
         f"greenhouse gases per person, {place}")
        for place, name in PLACES.items()
    ]  # fmt: skip
    flight = "return flight London to New York, economy"
    car = "passenger car of the United States"
    rows += [
        ("an average human, fossil CO2 alone", yardsticks.fossil_person_days(kg), "days",
         "fossil CO2 per person, World"),
        ("a car of the United States", 365 * yardsticks.car_years(kg), "days", car),
        ("the road, in such a car", yardsticks.car_km(kg), "km", f"{car}, per mile"),
        ("return flights London to New York", yardsticks.flights(kg), "flights", flight),
        ("such flights, CO2 alone", yardsticks.flights(kg, radiative_forcing=False), "flights", flight),
    ]  # fmt: skip
    return pd.DataFrame(
        [(what, number, unit, *sources[name]) for what, number, unit, name in rows],
        columns=["for", "number", "unit", "source", "status"],
    ).set_index("for")


PLACES = {
    "World": "the world",
    "EU27": "the European Union",
    "USA": "the United States",
    "China": "China",
    "India": "India",
}


def plants(models: Sequence[str], grid: str = "USA") -> pd.DataFrame:
    """Return what capturing the CO2e of making models takes of the plant Mammoth.

    All are modelled alike, in the data centre and on one grid, from hours that are published or follow from
    the tokens. What makers publish, each within a boundary of its own, stands beside it.

    Returns
    -------
    DataFrame
        Per model: ``tonnes``, how the hours are ``known``, what its maker ``published`` in tonnes, ``months``
        of the plant by its design, and how many ``times`` what it captured in its first ten months.
    """
    records = {}
    for spec in specs(models):
        run, hours = footprint_of_making(spec, "facility", grid), hours_of(spec)
        if run is not None and hours is not None:
            found = yardsticks.capture(run.co2e_kg)
            records[title(spec)] = {
                "tonnes": run.co2e_kg / 1000,
                "known": hours[2],
                "published": emissions(spec.name),
                "months": found.design_months,
                "times": found.first_months,
            }
    columns = ["tonnes", "known", "published", "months", "times"]
    return pd.DataFrame.from_dict(records, orient="index", columns=columns)


def emissions(run: str) -> float | None:
    """Return the published CO2e of a training run in tonnes, as its makers count it; None without one."""
    rows = [
        row for row in facts.rows("training_runs") if (row["model_or_run"], row["field"]) == (run, "co2e_t")
    ]
    return next((float(row["value"]) for row in rows if row["value"] and not row["part"]), None)


# Fleets and uncertainty -------------------------------------------------------------------------------------


def fleet_spread(
    accelerators: float, accelerator: str, grid: str, draws: int = 100_000, seed: int = 0
) -> pd.DataFrame:
    """Return what a fleet takes in a year, from the 5th to the 95th percentile of its factors.

    Returns
    -------
    DataFrame
        Per quantity, with its unit: ``p5``, ``p50`` and ``p95``.
    """
    device = find_accelerator(accelerator)
    ranges = yardsticks.fleet_factors(device, grid)

    def quantity(read: Any) -> Spread:
        def answer(**values: Any) -> Any:
            return read(yardsticks.fleet_footprint(device, accelerators, 1.0, values))

        return propagate(answer, ranges, draws, seed)

    wanted = {
        "power (GW)": lambda found: found.power_w / 1e9,
        "energy (TWh a year)": lambda found: found.year.energy_kwh / 1e9,
        "CO2e of the electricity (Mt a year)": lambda found: found.year.operational_kg / 1e9,
        "water on site (GL a year)": lambda found: found.year.water_onsite_l / 1e9,
        "water off site (GL a year)": lambda found: found.year.water_offsite_l / 1e9,
        "embodied CO2e, all of it (Mt)": lambda found: found.embodied_kg / 1e9,
        "capture plants, as designed": lambda found: (
            yardsticks.capture(found.year.operational_kg).design_years
        ),
        "average humans": lambda found: (
            found.year.operational_kg / 1000 / yardsticks.yardstick("greenhouse gases per person, World")
        ),
    }
    rows = {name: quantity(read) for name, read in wanted.items()}
    return pd.DataFrame(
        {name: {"p5": found.low, "p50": found.median, "p95": found.high} for name, found in rows.items()}
    ).T


def answer_spread(
    found: answers.Service, grid: str, what: str = "energy", draws: int = 100_000, seed: int = 0
) -> Spread:
    """Return an answer with its uncertainty: ``energy`` in Wh of the data centre, or ``co2e`` in grams.

    The CO2e counts the hardware too.
    """
    ranges: dict[str, Range] = answers.answer_factors(found.device, grid, carried=found.carried)

    def answer(**values: Any) -> Any:
        if what == "energy":
            return WH * answers.answer_footprint("facility", found, values).energy_kwh
        return 1000 * answers.answer_footprint("with_embodied", found, values).co2e_kg

    return propagate(answer, ranges, draws, seed)


FACTOR_NAMES = {
    "energy_ratio": "the four terms against measurements",
    "host_ratio": "the host",
    "idle_share": "machines that wait",
    "pue": "the data centre",
    "grid_g_per_kwh": "the grid",
    "embodied_kg": "making the hardware",
    "lifetime_years": "years of service",
    "use_share": "share of them in use",
    "wue_onsite": "water on site",
    "wue_offsite": "water off site",
    "embodied_water_l": "water for the hardware",
}


def shares(found: Spread) -> pd.Series:
    """Return the share of the variance that each factor explains, in percent, by names for readers.

    Factors that explain less than half a percent are left out.
    """
    named = {FACTOR_NAMES[name]: 100 * share for name, share in found.shares().items()}
    series = pd.Series(named, dtype=float)
    return series[series >= 0.5]


def energy_if_changed(model: str, concurrency: int, **request: Any) -> pd.DataFrame:
    """Return how an answer's CO2e, its hardware included, changes when one thing does.

    Returns
    -------
    DataFrame
        Per change: ``grams`` and ``times`` those of the chosen answer.
    """
    base = {"model": model, "concurrency": concurrency, "boundary": "with_embodied", **request}
    fewer = max(concurrency // 8, 1)
    cases = {
        "as chosen": {},
        f"{fewer:,} at once": {"concurrency": fewer},
        "ten times the tokens": {"output_tokens": 10 * base["output_tokens"]},
        "one byte a weight": {"weight_dtype": "fp8"},
        "no machine waits": {"idle_share": 0.0},
        "an average data centre": {"pue": factor("average data centre", "pue").central},
        "the grid of France": {"grid": "France"},
        "the grid of India": {"grid": "India"},
        "hardware in use a quarter of its life": {"use_share": 0.25},
    }
    grams = {}
    for name, change in cases.items():
        try:
            grams[name] = 1000 * answers.serving(**{**base, **change}).co2e_kg
        except DoesNotFitError:
            continue
    frame = pd.DataFrame({"grams": grams})
    return frame.assign(times=frame["grams"] / grams["as chosen"])
