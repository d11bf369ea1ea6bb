"""The second decision: which model to make with so much compute, or for so much use."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from cohort.architecture.registered import group, title
from cohort.architecture.registered import model as read_model
from cohort.display.published_values import disclosed
from cohort.fitting import chinchilla_runs
from cohort.planning import Demand, Design, Designer, Designs, Goal, Limits
from cohort.scaling.dense_laws import law
from cohort.units import HOURS_PER_YEAR, SECONDS_PER_HOUR

OTHER_LAW = "hoffmann"  # that the design is made anew by


def reach() -> float:
    """Return the compute of the largest run that the law of a `Designer` was fitted on.

    Returns
    -------
    float
        In FLOP.
    """
    return chinchilla_runs.limits(chinchilla_runs.runs())["flop"]


def lifetime_tokens(demand: Demand, years: float) -> float:
    """Return the output tokens of a steady demand over some years.

    Parameters
    ----------
    demand : Demand
        Requests a second.
    years : float
        Of 8,760 hours.

    Returns
    -------
    float
        Tokens.
    """
    rate = float(demand.requests_per_s or 0.0)
    return rate * demand.output_tokens * years * HOURS_PER_YEAR * SECONDS_PER_HOUR


def aim(demand: Demand, limits: Limits, years: float, flop: float, name: str = "besiroglu") -> Goal:
    """Return the goal: as good as so much compute makes a dense model at its best, at the lowest price.

    Parameters
    ----------
    demand, limits
        How it is served.
    years : float
        How long.
    flop : float
        Compute that sets the loss.
    name : str
        The law.

    Returns
    -------
    Goal
    """
    loss = law(name).compute_optimal(flop).loss
    return Goal(demand, lifetime_tokens(demand, years), loss=loss, limits=limits)


def by_kind(found: Designs) -> dict[str, list[Design]]:
    """Return the designs by kind, each list the smallest first.

    Parameters
    ----------
    found : Designs
        Designs for one goal.

    Returns
    -------
    dict of str to list of Design
        ``dense`` and mixtures by their experts.
    """
    kinds: dict[str, list[Design]] = {}
    for each in found.found:
        count, active = each.experts
        kinds.setdefault("dense" if count == 1 else f"{active} of {count} experts", []).append(each)
    return {name: sorted(each, key=lambda one: one.spec.active_parameters) for name, each in kinds.items()}


def best_of_kind(found: Designs) -> dict[str, Design]:
    """Return the cheapest design of each kind.

    Parameters
    ----------
    found : Designs
        Designs for one goal.

    Returns
    -------
    dict of str to Design
    """
    return {name: min(each, key=lambda one: one.usd) for name, each in by_kind(found).items()}


def over_lifetimes(designer: Designer, goal: Goal, times: Sequence[float]) -> pd.DataFrame:
    """Return the best dense design for more and less use.

    Parameters
    ----------
    designer : Designer
        That made the designs.
    goal : Goal
        The goal.
    times : sequence of float
        Use over that of the goal.

    Returns
    -------
    DataFrame
        One row a use: ``lifetime`` tokens, ``active`` parameters, ``tokens`` of training, ``usd``.
    """
    rows = []
    dense = designer.among([each for each in designer.experts if each[0] == 1])
    for each in times:
        changed = Goal(goal.demand, each * goal.lifetime_tokens, loss=goal.loss, limits=goal.limits)
        best = best_of_kind(dense.design(changed)).get("dense")
        if best is not None:
            rows.append(
                {
                    "lifetime": changed.lifetime_tokens,
                    "active": best.spec.active_parameters,
                    "tokens": best.tokens,
                    "usd": best.usd,
                }
            )
    return pd.DataFrame(rows, columns=["lifetime", "active", "tokens", "usd"])


def chosen_by_makers() -> pd.DataFrame:
    """Return what the makers of the 2024 cohort chose: size and training tokens.

    Returns
    -------
    DataFrame
        One row a model whose tokens are disclosed: ``active`` parameters, ``tokens``, and ``mixture``.
    """
    rows = {}
    for spec, tokens, _ in disclosed(group("cohort")):
        mixture = read_model(spec.name).experts is not None
        rows[title(spec)] = {"active": spec.active_parameters, "tokens": tokens, "mixture": mixture}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("model")


def by_another_law(designer: Designer, demand: Demand, limits: Limits, years: float, flop: float) -> Designs:
    """Return the designs that another published law would make.

    Parameters
    ----------
    designer : Designer
        That made those of the first law.
    demand, limits, years, flop
        As `aim` takes them.

    Returns
    -------
    Designs
        For as good a model as that law makes of the same compute.
    """
    return designer.by_law(OTHER_LAW).design(aim(demand, limits, years, flop, OTHER_LAW))
