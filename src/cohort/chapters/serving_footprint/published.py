"""What others measured and publish, beside what the book computes: energies, their arithmetic, break-even."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from cohort.architecture.dtypes import precision
from cohort.architecture.registered import model as read_model
from cohort.architecture.registered import title
from cohort.errors import CohortError
from cohort.footprint.calibration import leave_one_out, measured_energies
from cohort.footprint.energy import coefficients, joules_by_compute, joules_per_token, prompt_joules
from cohort.footprint.factors import DRAWN, factor
from cohort.registry import facts
from cohort.registry.devices import accelerator as find_accelerator
from cohort.serving.roofline import attained, largest_concurrency, serve, weights_read
from cohort.units import GB

GEMINI = "Gemini Apps median prompt"
EPOCH = "GPT-4o typical query"
DEEPSEEK = "DeepSeek V3/R1 serving"


def energies_left_out() -> pd.DataFrame:
    """Return the energies that each model is predicted from the others, measured and predicted.

    Returns
    -------
    DataFrame
        One row a point, as `cohort.footprint.calibration.leave_one_out` has it, in J for a token.
    """
    return pd.DataFrame(leave_one_out())


def quoted_value(entity: str, quantity: str, level: str = "") -> float:
    """Return a value of the table `footprint_factors`.

    Parameters
    ----------
    entity, quantity : str
        What the value is of, and which.
    level : str
        Its place in a range; empty for a single value.

    Returns
    -------
    float
        In the unit of its row.

    Raises
    ------
    CohortError
        If the table has no such row.
    """
    return float(facts.row("footprint_factors", entity=entity, quantity=quantity, level=level)["value"])


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
    records = []
    for row in facts.rows("inference_energy"):
        if row["metric"] != "energy_per_request":
            continue
        concurrency, predicted = _predicted(row)
        measured = float(row["value"])
        records.append(
            {
                "model": row["model"],
                "load": row["load"],
                "concurrency": concurrency,
                "measured": measured,
                "predicted": predicted,
                "ratio": predicted / measured,
            }
        )
    return pd.DataFrame(records)


def _predicted(row: Mapping[str, str]) -> tuple[float, float]:
    """Return how many requests of a measured row are answered at once, and the J that one should take."""
    spec, device = read_model(row["same_shape_as"]), find_accelerator(row["accelerator"])
    dtype, devices = row["weight_dtype"], int(row["accelerators"])
    read, written = int(row["input_tokens"]), int(row["output_tokens"])
    request: dict[str, Any] = {
        "model": spec,
        "accelerator": device,
        "tensor_parallel": devices,
        "input_tokens": read,
        "output_tokens": written,
    }
    full = largest_concurrency(**request)
    concurrency = _answered_at_once(RATES[row["load"]], request) if row["load"] in RATES else float(full)
    read_gb, multiplied_gb = (
        precision(dtype).bytes_per_element * weights / GB
        for weights in (weights_read(spec, round(concurrency)), spec.matmul_parameters)
    )
    token = coefficients().joules(devices, concurrency, read_gb, multiplied_gb)
    prompt = prompt_joules(spec, device, read, written, factor("training", DRAWN).central, dtype)
    return concurrency, written * token + prompt


def _answered_at_once(rate: float, request: Mapping[str, Any]) -> float:
    """Return how many requests are answered at once, on average, when so many come in a second."""
    found = 1.0
    for _ in range(50):
        seconds = serve(**request, concurrency=round(found)).request_s
        found, before = max(rate * seconds, 1.0), found
        if found == before:
            break
    return found


def deepseek_blind() -> float:
    """Return what the terms give for DeepSeek's service, in Wh of the facility per 1,000 output tokens.

    Nobody metered it. Its nodes of eight serve so many tokens a second, and each user so many: the rest is
    the requests of a node. Input tokens that no cache holds are read. The layout is wider than a node; the
    terms take each node for itself. Nodes in service are counted, so that none of them idles.
    """
    device, spec = find_accelerator("H800 SXM"), read_model("deepseek-v3.2")
    throughput, speed, written, given, cached, losses = (
        quoted_value(DEEPSEEK, quantity)
        for quantity in (
            "decode throughput per node",
            "speed for one user",
            "output tokens per day",
            "input tokens per day",
            "share of input tokens read from the cache on disk",
            "assumed effectiveness of the data centre",
        )
    )
    rate = attained(device=device).product(device.name, "fp8") * device.peak("fp8")
    reading = 2 * spec.matmul_parameters * given * (1 - cached) / written / rate
    prompt = reading * factor("training", DRAWN).central * (device.tdp_w or 0.0)
    token = joules_per_token(spec, 8, round(throughput / speed), "fp8") + prompt
    return token * factor("serving", "host over accelerator").central * losses * 1000 / 3600


def ratio_spread(ratios: Iterable[float]) -> dict[str, float]:
    """Return how ratios are spread.

    Parameters
    ----------
    ratios : iterable of float
        Above 0.

    Returns
    -------
    dict of str to float
        How many ``rows``, their ``median``, their geometric standard deviation as ``spread`` (not a number
        for a single one), the ``least`` and the ``greatest``.
    """
    logs = np.log(np.array(list(ratios)))
    return {
        "rows": len(logs),
        "median": float(np.exp(np.median(logs))),
        "spread": float(np.exp(logs.std(ddof=1))) if len(logs) > 1 else float("nan"),
        "least": float(np.exp(logs.min())),
        "greatest": float(np.exp(logs.max())),
    }


EACH_FROM_THE_OTHERS = "H100, each model from the others"


def classes() -> pd.DataFrame:
    """Return how far predicted energies are from measured ones, by class of measurement.

    Returns
    -------
    DataFrame
        Per class: ``rows``, and of predicted over measured energy the ``median``, the geometric standard
        deviation as ``spread``, the ``least`` and the ``greatest``.
    """
    blind = deepseek_blind() / quoted_value(DEEPSEEK, "facility energy per 1000 output tokens", "central")
    node_kw = quoted_value(DEEPSEEK, "assumed power of a node")
    found: dict[str, Iterable[float]] = {
        "H100, as fitted": [each.joules() / each.value for each in measured_energies("calibrate")],
        EACH_FROM_THE_OTHERS: [each.ratio for each in leave_one_out()],
        "B200, not fitted": [each.joules() / each.value for each in measured_energies("test")],
        "another engine at a known rate, not fitted": requests_compared()["ratio"],
        f"DeepSeek's nodes at an assumed {node_kw:g} kW": [blind],
    }
    frame = pd.DataFrame({name: ratio_spread(ratios) for name, ratios in found.items()}).T
    return frame.astype({"rows": int})


METERED = "terms against 357 metered configurations"
COPIES = "terms against 16 metered configurations with copies of the attention"


def metered_errors() -> dict[str, float]:
    """Return how near the terms are to metered configurations that are no part of the fit.

    Returns
    -------
    dict of str to float
        Of predicted over measured energy the ``spread``, the largest one of a class as ``widest``, the median
        in ``eight bits``, the share ``inside`` the range, and the median with ``copies`` of the attention;
        ``prompt``, the tokens of a prompt of code completion that are inferred.
    """
    spread = "geometric standard deviation"
    classes_of = ("mixtures", "eight bits", "reasoning", "B200")
    return {
        "spread": quoted_value(METERED, spread),
        "widest": max(quoted_value(METERED, f"{spread}, {name}") for name in classes_of),
        "eight bits": quoted_value(METERED, "median of predicted over measured, eight bits"),
        "inside": quoted_value(METERED, "share inside the range"),
        "copies": quoted_value(COPIES, "median of predicted over measured"),
        "prompt": quoted_value("code completion on the leaderboard", "tokens of a prompt"),
    }


# Queries ----------------------------------------------------------------------------------------------------

# What a published energy is called and how it is known, by its entity and quantity.
QUERIES = {
    (GEMINI, "energy per query"): ("Gemini, median prompt", "metered by Google"),
    ("ChatGPT average query", "energy per query"): ("ChatGPT, average query", "said, without a method"),
    (EPOCH, "energy per query"): ("GPT-4o, typical query", "estimate of Epoch AI"),
    ("frontier model on an H100 node", "energy per query"): (
        "a frontier model",
        "simulation of Oviedo and others",
    ),
    (DEEPSEEK, "facility energy per 1000 output tokens"): (
        "DeepSeek, 1,000 tokens, derived",
        "derived from published nodes and an assumed {node_kw:g} kW",
    ),
    ("EcoLogits 0.11.3, Mistral Large 2", "energy per answer of 400 tokens"): (
        "Mistral Large 2, 400 tokens, derived",
        "EcoLogits, run again for this book",
    ),
}


def queries() -> pd.DataFrame:
    """Return energies of a query by others, and two derived from their figures, with ranges where given.

    Returns
    -------
    DataFrame
        Per figure: ``low``, ``wh`` and ``high`` in Wh of the data centre, ``how`` it is known, ``source``,
        and whether the book ``derived`` it.
    """
    node_kw = quoted_value(DEEPSEEK, "assumed power of a node")
    records = {}
    for (entity, quantity), (name, how) in QUERIES.items():
        rows = {
            row["level"]: row
            for row in facts.rows("footprint_factors")
            if (row["entity"], row["quantity"]) == (entity, quantity)
        }
        if not rows.keys() & {"central", ""}:
            raise CohortError(f"the table footprint_factors has no {quantity} of {entity}")
        central = rows["central"] if "central" in rows else rows[""]
        ends = {level: float(rows.get(level, central)["value"]) for level in ("low", "high")}
        records[name] = {
            **ends,
            "wh": float(central["value"]),
            "how": how.format(node_kw=node_kw),
            "source": central["source"],
            "derived": central["status"] == "derived",
        }
    columns = ["low", "wh", "high", "how", "source", "derived"]
    return pd.DataFrame.from_dict(records, orient="index", columns=columns)


# Arithmetic -------------------------------------------------------------------------------------------------


def epoch_wh() -> float:
    """Return the estimate of Epoch AI for a query, recomputed from its assumptions, in Wh."""
    power_w = (
        quoted_value(EPOCH, "rated power of a node per accelerator")
        * quoted_value(EPOCH, "power over the rating")
        * quoted_value(EPOCH, "power with the data centre over that of machines")
    )
    joules = joules_by_compute(
        active_parameters=quoted_value(EPOCH, "active parameters"),
        tokens=quoted_value(EPOCH, "output tokens"),
        peak=quoted_value(EPOCH, "peak of an accelerator") * 1e12,
        utilisation=quoted_value(EPOCH, "share of the peak attained"),
        power_w=power_w,
    )
    return joules / 3600


def gemini_losses() -> float:
    """Return the energy of Gemini's data centre over that of its machines, from the shares of a prompt."""
    parts = {
        name: quoted_value(GEMINI, f"share of the energy: {name}")
        for name in ("accelerators", "host", "idle machines", "data centre")
    }
    whole = sum(parts.values())
    return whole / (whole - parts["data centre"])


def answer_water_ml() -> float:
    """Return the water of a medium answer of GPT-3, on site and off it, in mL."""
    wh, onsite, pue, offsite = (
        quoted_value("GPT-3 medium answer", quantity)
        for quantity in ("energy per answer", "wue on site", "pue", "wue off site, United States")
    )
    return wh * (onsite + pue * offsite)


def arithmetic() -> pd.DataFrame:
    """Return published figures beside what follows from other figures of the same source.

    Returns
    -------
    DataFrame
        Per figure: ``published`` and ``recomputed``, their ``unit``, and how far they are ``off (%)``.
    """
    pue = facts.row(
        "facilities", provider="Google", place="World", year="2024", quantity="pue",
        source="elsworth2025gemini",
    )  # fmt: skip
    water = quoted_value("GPT-3 medium answer", "water per answer, United States")
    rows = {
        "GPT-4o, a query (Epoch AI)": (quoted_value(EPOCH, "energy per query"), epoch_wh(), "Wh"),
        "Gemini, energy of the data centre over that of machines": (
            float(pue["value"]),
            gemini_losses(),
            "ratio",
        ),
        "GPT-3, water of a medium answer": (water, answer_water_ml(), "mL"),
    }
    frame = pd.DataFrame(rows, index=["published", "recomputed", "unit"]).T
    frame["off (%)"] = 100 * (frame["recomputed"].astype(float) / frame["published"].astype(float) - 1)
    return frame.astype({"published": float, "recomputed": float})


# Break-even points ------------------------------------------------------------------------------------------


def emissions(run: str) -> float | None:
    """Return the published CO2e of a training run, as its makers count it.

    Parameters
    ----------
    run : str
        Its name in the table `training_runs`.

    Returns
    -------
    float or None
        Tonnes; None where the table has no value of the whole run.

    Raises
    ------
    CohortError
        If the table has more than one.
    """
    key = {"model_or_run": run, "part": "", "field": "co2e_t"}
    rows = [row for row in facts.rows("training_runs") if key.items() <= row.items() and row["value"]]
    if len(rows) > 1:
        raise CohortError(f"the table training_runs has {len(rows)} values of the CO2e of {run}")
    return float(rows[0]["value"]) if rows else None


BREAK_EVEN = "answers that emit as much as the training"


def published_break_evens() -> pd.DataFrame:
    """Return published break-even points beside the published CO2e of training over that of a request.

    Returns
    -------
    DataFrame
        Per case: ``training (t)``, ``a request (mg)``, and the answers, printed and recomputed, in billions.
    """
    records = {}
    for row in facts.rows("footprint_factors"):
        if row["quantity"] != BREAK_EVEN:
            continue
        model, _, load = row["entity"].partition(" on one H100, ")
        tonnes = emissions(model) or float("nan")
        requests = quoted_value(row["entity"], "requests")
        grams = quoted_value(row["entity"], "co2e of all requests") / requests
        records[f"{title(read_model(model))}, {load}"] = {
            "training (t)": tonnes,
            "a request (mg)": 1000 * grams,
            "printed (billion)": float(row["value"]) / 1e9,
            "recomputed (billion)": tonnes * 1e6 / grams / 1e9,
        }
    return pd.DataFrame.from_dict(records, orient="index").rename_axis("case")
