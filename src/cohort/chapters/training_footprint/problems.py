"""Problems of the chapter `training_footprint`, worked out with its largest run."""

from __future__ import annotations

from cohort.display.problems import Problem
from cohort.display.words import significant
from cohort.units import G_PER_KG, HOURS_PER_YEAR, KG_PER_TONNE, MILLION


def worked(
    name: str, hours: float, tdp_w: float, node_w: float, g_per_kwh: float, pue: float, lifetime_years: float
) -> list[Problem]:
    """Return three problems with their solutions: a model card's sum, what it leaves out, and worn hardware.

    Parameters
    ----------
    name : str
        Title of the run.
    hours : float
        Accelerator hours.
    tdp_w, node_w : float
        Rated power of an accelerator, and what it draws with its share of the machine, in W.
    g_per_kwh : float
        CO2e of the electricity.
    pue : float
        Energy of the data centre over that of its machines.
    lifetime_years : float
        Years that the hardware serves.

    Returns
    -------
    list of Problem
    """
    rated = hours * tdp_w / 1000
    card = rated * g_per_kwh / G_PER_KG / KG_PER_TONNE
    energy = hours * node_w / 1000 * pue
    full = energy * g_per_kwh / G_PER_KG / KG_PER_TONNE
    machines = HOURS_PER_YEAR * lifetime_years
    return [
        Problem(
            f"{name} took {significant(hours / MILLION)} million hours of an accelerator that is rated at "
            f"{tdp_w:g} W, on electricity of {significant(g_per_kwh)} g of CO2e a kWh. What does a model "
            "card print?",
            (
                f"{significant(hours / MILLION)} million h × {tdp_w / 1000:g} kW = "
                f"{significant(rated / MILLION)} million kWh.",
                f"{significant(rated / MILLION)} million kWh × {significant(g_per_kwh)} g = "
                f"{significant(card)} t.",
            ),
            f"{significant(card)} t of CO2e, the accelerators at their rating alone.",
        ),
        Problem(
            f"With its share of the machine an accelerator draws {significant(node_w)} W, and the data "
            f"centre takes {significant(pue)} times what its machines do. What did the run emit then?",
            (
                f"{significant(hours / MILLION)} million h × {significant(node_w / 1000)} kW × "
                f"{significant(pue)} = {significant(energy / MILLION)} million kWh.",
                f"{significant(energy / MILLION)} million kWh × {significant(g_per_kwh)} g = "
                f"{significant(full)} t.",
                f"{significant(full)} ÷ {significant(card)} = {significant(full / card)}.",
            ),
            f"{significant(full)} t, {significant(full / card)} times what the card prints.",
        ),
        Problem(
            f"An accelerator serves for {significant(lifetime_years)} years. How many of them does this run "
            "wear out?",
            (
                f"A life is {significant(lifetime_years)} × 8,760 = {machines:,.0f} hours.",
                f"{significant(hours / MILLION)} million ÷ {machines:,.0f} = "
                f"{significant(hours / machines)}.",
            ),
            f"{significant(hours / machines)} accelerators, if they are never idle.",
        ),
    ]
