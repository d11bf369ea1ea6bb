"""Forms, restrictions, edges, profiles, predictions: known laws, and derivatives by differences."""

import re

import numpy as np
import pytest

import cohort
from cohort import fitting
from cohort.errors import ParameterError, UnknownNameError
from cohort.fitting import FORMS, chinchilla_runs
from cohort.fitting.columns import runs_of
from cohort.fitting.search import Search
from cohort.scaling import ScalingLaw, other_laws
from cohort.scaling.saved_laws import read_law

RNG = np.random.default_rng(3)
N, D = np.exp(RNG.uniform(18, 24, 80)), np.exp(RNG.uniform(20, 27, 80))
UNIQUE, BITS = D / np.exp(RNG.uniform(-1, 3, 80)), RNG.choice([3.0, 4, 6, 8, 16], 80)
FIVE = {"A": 480.0, "B": 2100.0, "E": 1.8, "alpha": 0.35, "beta": 0.37}
TRUE = {
    "chinchilla": ScalingLaw(**FIVE),
    "tied": ScalingLaw(**FIVE | {"beta": 0.35}),
    "gadre": other_laws.OvertrainingLaw(1.8, 700.0, 2400.0, 0.18),
    "coupled": other_laws.CoupledLaw(**FIVE, k=0.7),
    "kaplan": other_laws.KaplanLaw(8.8e13, 5.4e13, 0.076, 0.095),
    "compute": other_laws.ComputeLaw(A=200.0, E=1.7, alpha=0.1),
    "repeated": other_laws.RepeatedLaw(**FIVE, R=15.0),
    "overfitting": other_laws.OverfittingLaw(**FIVE, P=0.02, delta=0.9, kappa=0.4),
    "precision": other_laws.PrecisionLaw(**FIVE, g=2.5),
}
FARSEER = other_laws.FarseerLaw(6.3, -0.085, -0.28, 850.0, -0.245, 2.9, 9.2, -0.05, -4.2)
FURTHER = {"unique_tokens": UNIQUE, "bits": BITS}


@pytest.mark.parametrize("form", TRUE)
def test_a_law_is_found_again_from_its_own_losses(form):
    law = TRUE[form]
    needed = {FORMS[form].extra: FURTHER[FORMS[form].extra]} if FORMS[form].extra else {}
    found = fitting.fit(N, D, law.loss(N, D, **needed), "log_mse", form=form, **FURTHER)
    assert found.law.coefficients() == pytest.approx(law.coefficients(), rel=1e-5)
    assert found.law.loss(N, D, **needed) == pytest.approx(law.loss(N, D, **needed), rel=1e-9)


@pytest.mark.slow
def test_farseers_form_is_found_again_by_what_it_predicts():
    found = fitting.fit(N, D, FARSEER.loss(N, D), "log_mse", form="farseer")
    assert found.law.loss(N, D) == pytest.approx(FARSEER.loss(N, D), rel=1e-7)
    assert found.law.gamma == pytest.approx(FARSEER.gamma, abs=1e-3)
    runs = found.runs
    back = FORMS["farseer"].coefficients(FORMS["farseer"].coordinates(FARSEER.coefficients(), runs), runs)
    assert back == pytest.approx(FARSEER.coefficients(), rel=1e-9)
    assert FARSEER.compute_optimal(1e22).tokens_per_parameter > 0


@pytest.mark.slow
def test_resamples_of_farseers_form_end_at_minima_and_cross_zero():
    found = fitting.fit(*chinchilla_runs.columns(chinchilla_runs.runs()), form="farseer")
    boot = found.bootstrap(200)
    assert boot.lost <= 2
    low, high = boot.interval("alpha")
    assert low < 0 < high  # where factor and level alone would run away
    allowed = found.profile("alpha")
    assert allowed.low < 0 < allowed.high < 1


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("loss", ["log_mse", "mse"])
def test_derivatives_are_those_of_finite_differences(form, loss):
    runs = runs_of(N, D, TRUE["coupled"].loss(N, D), 3, None, **FURTHER)
    search = Search(FORMS[form], runs, loss, 1e-3, asymmetry=1.3)
    objective, start = search.objective(), search.starts[:1] * 1.01 + 0.01
    above = np.where(np.isfinite(objective.fixed), start - objective.fixed, 0.0)
    theta = start if objective.plain else above @ np.linalg.pinv(objective.free).T
    weights = np.ones((1, len(N)))
    at, step = objective.derivatives(theta, weights), 1e-5
    for k, e in enumerate(np.eye(theta.shape[1]) * step):
        up, down = (objective.derivatives(theta + sign * e, weights) for sign in (1, -1))
        slope = (up.value - down.value) / (2 * step)
        assert slope == pytest.approx(at.gradient[:, k], abs=1e-6 * np.abs(at.gradient).max())
        bend = (up.gradient - down.gradient) / (2 * step)
        assert bend == pytest.approx(at.hessian[:, k], abs=1e-6 * np.abs(at.hessian).max())


def noisy(law, scale=0.01, **further):
    return law.loss(N, D, **further) * np.exp(scale * np.random.default_rng(4).standard_normal(len(N)))


@pytest.mark.slow
def test_coefficients_are_fixed_tied_and_bounded():
    losses = noisy(TRUE["chinchilla"])
    free = fitting.fit(N, D, losses)
    held = fitting.fit(N, D, losses, fixed={"E": 1.9, "A": 480.0})
    assert pytest.approx((1.9, 480.0), rel=1e-12) == (held.law.E, held.law.A)
    assert held.objective > free.objective and held.free == 3
    both = fitting.fit(N, D, losses, tied={"beta": "alpha"})
    assert both.law.alpha == both.law.beta
    assert both.law == fitting.fit(N, D, losses, form="tied").law
    inside = fitting.fit(N, D, losses, bounds={"E": (1.0, 2.5)})
    assert inside.law == free.law and inside.flat == ()
    at_end = fitting.fit(N, D, losses, bounds={"E": (1.95, None), "alpha": (None, 0.9)})
    assert at_end.flat == ("E",) and pytest.approx(1.95, rel=1e-12) == at_end.law.E
    assert all(law.E >= 1.95 - 1e-9 for law in at_end.bootstrap(20).laws)


def test_a_run_counts_by_its_weight():
    losses = noisy(TRUE["chinchilla"])
    twice = fitting.fit(*(np.r_[column, column[:40]] for column in (N, D, losses)), "log_mse")
    weighted = fitting.fit(N, D, losses, "log_mse", weights=np.r_[np.full(40, 2.0), np.ones(40)])
    assert weighted.law.coefficients() == pytest.approx(twice.law.coefficients(), rel=1e-7)


def test_an_asymmetric_penalty_moves_the_law_towards_the_envelope():
    losses = noisy(TRUE["chinchilla"], 0.02)
    below = fitting.fit(N, D, losses, "log_mse", asymmetry=0.05)
    above = fitting.fit(N, D, losses, "log_mse", asymmetry=20)
    assert (below.residuals > 0).mean() > 0.65 and (above.residuals < 0).mean() > 0.65
    with pytest.raises(ParameterError, match="lad has no asymmetry"):
        fitting.fit(N, D, losses, "lad", asymmetry=2)


def test_the_edge_is_the_limit_of_ever_smaller_irreducible_losses():
    losses = noisy(ScalingLaw(**FIVE | {"E": 0.0}), 0.02)
    found = fitting.fit(N, D, losses, "log_mse")
    if found.flat:
        near = [fitting.fit(N, D, losses, "log_mse", fixed={"E": e}).objective for e in (1e-3, 1e-6)]
        assert near[0] > near[1] > found.objective
    held = fitting.fit(N, D, losses, "log_mse", fixed={"E": 0.0})
    assert held.law.E == 0


def test_a_profile_holds_what_refits_say():
    found = fitting.fit(N, D, noisy(TRUE["chinchilla"]), "log_mse")
    allowed = found.profile("alpha")
    assert allowed.low < found.law.alpha < allowed.high
    limit = found.objective * np.exp(3.8415 / len(N))
    for end in (allowed.low, allowed.high):
        there = fitting.fit(N, D, found.runs.losses, "log_mse", fixed={"alpha": end})
        assert there.objective == pytest.approx(limit, rel=2e-3)
    wider = found.profile("alpha", 0.99)
    assert wider.low < allowed.low and wider.high > allowed.high


def test_new_runs_fall_into_their_intervals():
    losses = noisy(TRUE["chinchilla"])
    found = fitting.fit(N[:60], D[:60], losses[:60])
    boot = found.bootstrap(200)
    made = [fitting.predict(found, boot, *run) for run in zip(N[60:], D[60:], strict=True)]
    inside = [each.low <= loss <= each.high for each, loss in zip(made, losses[60:], strict=True)]
    assert 15 <= sum(inside) <= 20
    far = fitting.predict(found, boot, 1e13, 1e9)
    assert far.outside["parameters"] > 100 and far.outside["tokens_per_parameter"] < 1


def test_intervals_of_what_follows_are_named():
    boot = fitting.fit(N, D, noisy(TRUE["chinchilla"])).bootstrap(50)
    low, high = boot.interval("tokens_per_parameter", flop=1e22)
    best = [law.compute_optimal(1e22).tokens_per_parameter for law in boot.laws]
    assert (low, high) == pytest.approx(np.quantile(best, [0.025, 0.975]))
    assert boot.interval("loss", parameters=1e9, tokens=1e11)[0] > 1.8
    with pytest.raises(ParameterError, match=re.escape("tokens_per_parameter is asked for at flop=...")):
        boot.interval("tokens_per_parameter")


@pytest.mark.parametrize("form", TRUE)
def test_a_saved_law_is_read_again(form, tmp_path):
    path = tmp_path / "law.json"
    from json import dumps

    from cohort.scaling.saved_laws import saved

    path.write_text(dumps(saved(TRUE[form])), encoding="utf-8")
    assert cohort.law(path) == read_law(str(path)) == TRUE[form]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("[1]", "holds no law"),
        ('{"form": "coupled", "coefficients": {"E": 1}}', "has the numbers A, B, E, alpha, beta, k"),
        ('{"form": "chinchila", "coefficients": {"E": 1}}', "did you mean 'chinchilla'"),
    ],
)
def test_a_file_that_holds_no_law_is_named(text, message, tmp_path):
    path = tmp_path / "law.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises((ParameterError, UnknownNameError), match=re.escape(message)):
        cohort.law(path)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"form": "precision"}, "needs bits of each run"),
        ({"fixed": {"gamma": 1}}, "no such coefficient|coefficient"),
        ({"tied": {"A": "alpha"}}, "cannot be tied"),
        ({"fixed": {"alpha": -1}}, "alpha is -1"),
        ({"asymmetry": 0}, "asymmetry is 0"),
        ({"form": "farseer", "fixed": {"a3": 1.0}}, "a3 cannot be fixed"),
    ],
)
def test_a_question_that_is_none_is_named(arguments, message):
    with pytest.raises((ParameterError, UnknownNameError), match=message):
        fitting.fit(N, D, TRUE["chinchilla"].loss(N, D), **arguments)
