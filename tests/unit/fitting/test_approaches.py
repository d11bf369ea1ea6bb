"""Best sizes read off runs: laws that are known, and the published walk from one exponent to another."""

import numpy as np
import pandas as pd
import pytest

import cohort
from cohort.errors import ParameterError
from cohort.fitting import approaches, fit, panel

LAW = cohort.law("besiroglu")


def of_law(noise=0.0):
    flop = np.repeat(np.geomspace(1e18, 1e22, 9), 15)
    best = np.array([LAW.compute_optimal(c).parameters for c in flop])
    n = best * np.tile(np.geomspace(0.1, 10, 15), 9)
    d = flop / (6 * n)
    losses = LAW.loss(n, d) * np.exp(noise * np.random.default_rng(0).standard_normal(len(n)))
    return pd.DataFrame({"parameters": n, "tokens": d, "loss": losses})


@pytest.mark.parametrize("curve", ["akima", "parabola"])
def test_the_valleys_of_a_law_lie_where_it_says(curve):
    found = approaches.isoflop(of_law(), curve)
    assert found.exponent == pytest.approx(LAW.parameters_exponent, abs=0.01)
    assert found.parameters(1e20) == pytest.approx(LAW.compute_optimal(1e20).parameters, rel=0.03)


def test_the_envelope_of_a_law_is_its_policy():
    found = approaches.envelope(of_law())
    assert found.exponent == pytest.approx(LAW.parameters_exponent, abs=0.03)


# Porian et al., 2024, RefinedWeb: head counted, warm-up, decay, tuned.
WALK = {
    "porian_rw_kaplan": 0.835,
    "porian_rw_head_counted": 0.706,
    "porian_rw_warm_up": 0.602,
    "porian_rw_decay": 0.571,
    "porian_rw_tuned": 0.497,
}


def test_the_walk_from_kaplan_to_chinchilla():
    sets = panel.sets()
    for name, exponent in WALK.items():
        assert approaches.isoflop(sets[name]).exponent == pytest.approx(exponent, abs=0.01), name


def test_a_curve_passes_through_its_points():
    x = np.array([0.0, 1.0, 2.5, 3.0, 4.0, 6.0])
    y = np.array([3.0, 1.0, 0.5, 0.7, 2.0, 9.0])
    assert approaches._akima(x, y, x) == pytest.approx(y)
    assert approaches._akima(x, 2 * x + 1, np.linspace(0, 6, 50)) == pytest.approx(
        2 * np.linspace(0, 6, 50) + 1
    )


def test_too_few_computes_are_named():
    with pytest.raises(ParameterError, match="computes have a best size inside their runs"):
        approaches.isoflop(of_law().query("parameters < 1e6"))


def test_the_next_run_tells_more_than_a_run_at_the_optimum():
    runs = of_law(0.01).query("tokens < 20 * parameters")
    found = fit(runs["parameters"], runs["tokens"], runs["loss"])
    boot = found.bootstrap(200)
    best = approaches.next_run(found, boot, 1e22, 1e24)
    assert 0 < best["explain"] < 1
    assert 6 * best["parameters"] * best["tokens"] == pytest.approx(1e22)


@pytest.mark.slow
def test_a_set_chooses_its_recipe_without_the_runs_it_predicts():
    runs = panel.sets()["gadre_rpj"]
    recipes = [each for each in panel.RECIPES if each.form in ("chinchilla", "tied") and each.loss == "huber"]
    below = runs["tokens"] / runs["parameters"] <= 100
    far = runs.assign(loss=runs["loss"].where(below, 2 * runs["loss"]))  # spoilt beyond
    one, other = (panel.ahead({"set": each}, 100, recipes).loc["set"] for each in (runs, far))
    assert (one["form"], one["least"], one["at home"]) == (other["form"], other["least"], other["at home"])
    assert one["error"] < 0.02 < other["error"]
