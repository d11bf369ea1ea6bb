"""What the reports on laws of mixtures print, beside what their printed coefficients give."""

import math
from functools import lru_cache

import pandas as pd

from cohort.display import words
from cohort.errors import CohortError
from cohort.numeric import root
from cohort.registry import facts
from cohort.scaling import mixture_laws

LING_GRANULARITY, LING_FLOP = 12, 1e22  # that the printed leverage of Tian et al. is for


def reproduced() -> pd.DataFrame:
    """Return what the reports on the laws print beside what their printed coefficients give.

    Returns
    -------
    DataFrame
        One row a figure: ``law``, ``quantity``, ``active`` parameters it is of, ``printed``, ``derived``, and
        ``error``, relative, empty where a range is printed. ``low`` and ``high`` are that range, of which
        ``inside`` says whether it holds the derived figure; for a cutoff they are what coefficients that
        round to the printed ones give, and ``inside`` says whether that holds the printed figure.
    """
    records = []
    for row in facts.rows("routed_law_prints"):
        derived = _derived(row)
        printed, low, high = (float(row[key]) if row[key] else math.nan for key in ("value", "low", "high"))
        if row["quantity"] == "cutoff":
            low, high = _rounded_cutoffs(row["law"])
        records.append(
            {
                "law": row["law"],
                "quantity": row["quantity"],
                "active": float(row["active_parameters"] or "nan"),
                "printed": printed,
                "low": low,
                "high": high,
                "derived": derived,
                "error": derived / printed - 1,
                "inside": low <= (derived if math.isnan(printed) else printed) <= high,
            }
        )
    return pd.DataFrame(records)


def _rounded_cutoffs(name: str) -> tuple[float, float]:
    """Return the lowest and highest cutoff of a law of Clark et al. whose coefficients round as printed."""
    rows = {row["quantity"]: row["value"] for row in facts.rows("routed_laws") if row["law"] == name}
    (b, half_b), (c, half_c) = (
        (abs(float(rows[key])), words.last_digit(rows[key].removeprefix("-")) / 2) for key in ("b", "c")
    )
    return 10 ** ((b - half_b) / (c + half_c)), 10 ** ((b + half_b) / (c - half_c))


def _derived(row: dict[str, str]) -> float:
    found = mixture_laws.routed_law(row["law"])
    if isinstance(found, mixture_laws.BilinearLaw):
        if row["quantity"] == "cutoff":
            return found.cutoff
        return found.dense_equivalent(float(row["active_parameters"]), float(row["expansion"]))
    if isinstance(found, mixture_laws.JointLaw):
        _, size, _, tokens = found.reduced(float(row["expansion"]))
        return size if row["quantity"] == "size exponent" else tokens
    if isinstance(found, mixture_laws.LeverageLaw):
        return found.leverage(1 / float(row["expansion"]), LING_GRANULARITY, LING_FLOP)
    assert isinstance(found, mixture_laws.GranularLaw)
    if row["quantity"] in ("flop", "loss"):
        return _at_printed(found, row)
    flop = _printed(row, "flop")
    size = float(row["active_parameters"])
    best = found.compute_optimal(flop) if flop else _optimum(row["law"], size)
    return best.tokens if row["quantity"] == "tokens" else float(best.granularity)


def _printed(row: dict[str, str], quantity: str) -> float | None:
    """Return another figure that is printed for the same model, None if there is none."""
    key = {**{name: row[name] for name in ("law", "active_parameters", "expansion")}, "quantity": quantity}
    rows = [each for each in facts.rows("routed_law_prints") if key.items() <= each.items()]
    if len(rows) > 1:
        raise CohortError(f"{len(rows)} figures are printed for {key}; one is needed")
    return float(rows[0]["value"]) if rows else None


def _at_printed(law: mixture_laws.GranularLaw, row: dict[str, str]) -> float:
    """Return compute or loss at the size, the tokens and the granularity that are printed."""
    tokens, granularity = _printed(row, "tokens"), _printed(row, "granularity")
    assert tokens and granularity
    width = law.width(float(row["active_parameters"]))
    if row["quantity"] == "flop":
        return law.flop_per_token(width, granularity) * tokens
    return law.loss(law.parameters(width)[1], tokens, granularity)


def loss_of_active(name: str) -> tuple[float, float]:
    """Return what a law of all parameters would say if its N were the active ones, of its smallest model.

    Parameters
    ----------
    name : str
        A law of Krajewski et al.

    Returns
    -------
    (float, float)
        The loss so derived, and the one that is printed, in nats per token.

    Raises
    ------
    UnknownNameError
        If there is no such law.
    CohortError
        If the data hold no printed loss of it.
    """
    law = mixture_laws.routed_law(name)
    losses = [
        row for row in facts.rows("routed_law_prints") if row["law"] == name and row["quantity"] == "loss"
    ]
    if not losses or not isinstance(law, mixture_laws.GranularLaw):
        raise CohortError(f"no printed loss of {name} is in the data")
    row = min(losses, key=lambda each: float(each["active_parameters"]))
    tokens, granularity = _printed(row, "tokens"), _printed(row, "granularity")
    assert tokens and granularity
    return law.loss(float(row["active_parameters"]), tokens, granularity), float(row["value"])


@lru_cache(maxsize=64)
def _optimum(name: str, active: float) -> mixture_laws.MixtureAllocation:
    """Return the compute-optimal mixture of a size: the budget that it is best for is looked for.

    The granularity steps, and with it the size that a budget is best for: the root is where it passes.
    """
    law = mixture_laws.routed_law(name)
    assert isinstance(law, mixture_laws.GranularLaw)
    granular = law

    def larger(log_flop: float) -> float:
        return granular.compute_optimal(math.exp(log_flop)).active / active - 1

    return granular.compute_optimal(math.exp(root(larger, math.log(1e15), math.log(1e30))))
