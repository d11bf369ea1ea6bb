"""The Chinchilla runs and what was published of them: known figures, misprints, and bad input."""

import dataclasses

import numpy as np
import pytest
from chinchilla_fit import FIT

import cohort
from cohort.chapters.chinchilla_fit import tables
from cohort.errors import ParameterError
from cohort.fitting import chinchilla_runs

RUNS = chinchilla_runs.runs()
BOOT = FIT.bootstrap(200, seed=1)


def test_the_runs_are_those_of_the_replication():
    assert len(RUNS) == 245
    dropped = cohort.table("chinchilla_runs").query("dropped")
    assert sorted(RUNS["loss"][RUNS["dropped"]]) == sorted(dropped["loss"])
    assert sorted(RUNS["ratio"][RUNS["dropped"]].round(3)) == [0.036, 0.173, 0.233, 0.308, 0.404]
    limits = chinchilla_runs.limits(RUNS)
    assert limits["parameters"] == pytest.approx(1.618e10, rel=1e-3)
    assert limits["flop"] == pytest.approx(1.296e22, rel=1e-3)
    assert limits["ratio"] == pytest.approx(341.1, rel=1e-4)


@pytest.mark.parametrize("dropped", [-1, 206, 2.5, True, "five"])
def test_an_impossible_number_of_dropped_runs_is_named(dropped):
    with pytest.raises(ParameterError, match=r"dropped_rows is .* 0 to 205 runs"):
        chinchilla_runs.runs(dropped)


@pytest.mark.slow
def test_dropping_five_runs_moves_the_advice():
    """At the compute of Chinchilla from 6.8 to 17.9 tokens per parameter."""
    table = tables.choices(5.76e23, [5, 0], 1e-3, 20, 0).set_index(["estimator", "dropped"])
    assert round(table.loc[("huber", 0), "ratio"], 1) == 6.8
    assert round(table.loc[("huber", 5), "ratio"], 1) == 17.9
    assert (table["low"] < table["ratio"]).all()
    assert (table["ratio"] < table["high"]).all()


def test_the_certificate_prints_the_objective_in_full():
    value = tables.certificate(FIT)["value"]
    assert float(value["sum of Huber's misfits of log losses"]) == pytest.approx(FIT.objective, rel=1e-13)
    assert value["runs"] == "240"


def test_small_values_of_the_certificate_are_written_out():
    small = dataclasses.replace(FIT, objective=8.8162449241236e-05, smallest_eigenvalue=2.17e-05)
    value = tables.certificate(small)["value"]
    assert value["sum of Huber's misfits of log losses"] == "0.000088162449241236"
    assert value["smallest eigenvalue of its Hessian"] == "2.17 × 10⁻⁵"


def test_published_laws_are_scored_on_the_same_runs():
    laws = tables.published_laws(FIT, 5.76e23)
    assert laws.index[0] == "this fit"
    assert laws["excess"].iloc[0] == pytest.approx(0, abs=1e-12)
    assert laws.loc["besiroglu-unrounded", "excess"] == pytest.approx(3.6408e-4, rel=1e-4)
    assert (laws["excess"].iloc[1:] > 0).all()
    assert "muennighoff" not in laws.index, "fitted to other data"


def test_intervals_enclose_their_values_and_match_the_bootstrap():
    asked = tables.quantities(5.76e23, 1e13)
    table = tables.intervals(FIT, BOOT, asked)
    assert ((table["low"] < table["value"]) & (table["value"] < table["high"])).all()
    assert tuple(table.loc["beta", ["low", "high"]]) == pytest.approx(BOOT.interval("beta"), rel=1e-12)
    ratio = table.loc["tokens per parameter"]
    direct = BOOT.interval(lambda law: law.compute_optimal(5.76e23).tokens_per_parameter)
    assert (ratio["low"], ratio["high"]) == pytest.approx(direct, rel=1e-12)
    shown = tables.readable_intervals(table)
    assert shown.loc["best size", "value"] == "73.19 billion"


def test_the_frontier_is_the_policy_with_its_interval():
    band = chinchilla_runs.frontier(FIT.law, BOOT, [1e20, 5.76e23])
    best = FIT.law.compute_optimal(5.76e23)
    row = band.loc[5.76e23]
    assert row["ratio"] == best.tokens_per_parameter
    direct = BOOT.interval(lambda law: law.compute_optimal(5.76e23).tokens_per_parameter)
    assert (row["low"], row["high"]) == pytest.approx(direct, rel=1e-9)
    sizes = BOOT.interval(lambda law: law.compute_optimal(5.76e23).parameters)
    assert (row["parameters low"], row["parameters high"]) == pytest.approx(sizes, rel=1e-9)
    alone = chinchilla_runs.frontier(FIT.law, None, [5.76e23]).iloc[0]
    assert alone["low"] == pytest.approx(alone["high"], rel=1e-12)
    assert alone["low"] == pytest.approx(best.tokens_per_parameter, rel=1e-12)


# --- runs that are held out


def test_held_out_runs_are_predicted_by_a_fit_that_has_not_seen_them():
    split = tables.held_out(RUNS, 1e21, "huber", 1e-3)
    above = split[~split["fitted"]]
    assert len(split) == 240
    assert (above["flop"] >= 1e21).all()
    below = RUNS[~RUNS["dropped"] & (RUNS["flop"] < 1e21)]
    law = cohort.fitting.fit(below["parameters"], below["tokens"], below["loss"]).law
    first = above.iloc[0]
    assert first["error"] == pytest.approx(
        first["loss"] / law.loss(first["parameters"], first["tokens"]) - 1, rel=1e-6
    )
    assert above["error"].abs().median() < 0.01
    assert split["error"][split["fitted"]].abs().median() < 0.004


def test_a_cut_that_leaves_too_little_is_named():
    with pytest.raises(ParameterError, match="0 above; each side needs at least 10"):
        tables.held_out(RUNS, 1e30, "huber", 1e-3)
    with pytest.raises(ParameterError, match="flop is 'x'"):
        tables.held_out(RUNS, "x", "huber", 1e-3)


def test_the_gradient_is_shown_as_a_bound_that_holds_on_any_machine():
    shown = tables.certificate(FIT)["value"]["norm of its gradient"]
    assert shown == "below 10⁻¹⁰"
    assert FIT.gradient_norm < 1e-10
    assert np.isfinite(FIT.gradient_norm)
