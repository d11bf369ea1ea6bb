"""Flat directions are named where the truth is known: one size, one number of tokens, a ray, noise alone."""

import numpy as np
import pytest

from cohort import fitting
from cohort.errors import ParameterError
from cohort.fitting import panel
from cohort.scaling import ScalingLaw

RNG = np.random.default_rng(3)
N, D = np.exp(RNG.uniform(18, 24, 60)), np.exp(RNG.uniform(20, 27, 60))
SCATTER = np.exp(0.01 * np.random.default_rng(4).standard_normal(60))
LAW = ScalingLaw(E=1.8, A=480.0, B=2100.0, alpha=0.35, beta=0.37)
ONE = np.full(60, 1e9)


def losses(n, d, noise=True):
    return LAW.loss(n, d) * (SCATTER if noise else 1.0)


@pytest.mark.slow
@pytest.mark.parametrize("noise", [False, True])
def test_runs_of_one_size_leave_open_what_size_does(noise):
    found = fitting.fit(ONE, D, losses(ONE, D, noise))
    assert set(found.flat) == {"E", "A", "alpha"} and set(found.held) < set(found.flat)
    assert found.why_flat.startswith("all runs have one size")
    assert found.law.beta == pytest.approx(0.37, abs=0.1 if noise else 1e-6)
    # What cannot be told apart is right together: E + A / N^alpha, 1.8 + 480 / 1e9^0.35.
    if not noise:  # with none, a profile is as narrow as rounding
        assert found.law.loss(1e9, 1e30) == pytest.approx(1.8 + 480 / 1e9**0.35, rel=1e-5)
        return
    ends = found.open_ends()
    assert ends["alpha"].words == ends["A"].words == "any value" and ends["E"].low == 0
    assert ends["E"].high == pytest.approx(1.8 + 480 / 1e9**0.35, rel=0.03)
    assert "beta" not in ends
    boot = found.bootstrap(100)
    assert boot.lost <= 5 and set(boot.values(found.held[0])) == {getattr(found.law, found.held[0])}


def test_runs_of_one_number_of_tokens_leave_open_what_tokens_do():
    found = fitting.fit(N, ONE * 20, losses(N, ONE * 20))
    assert set(found.flat) == {"E", "B", "beta"}
    assert found.why_flat.startswith("all runs have one number of tokens")
    assert found.law.alpha == pytest.approx(0.35, abs=0.03)


@pytest.mark.slow
@pytest.mark.parametrize(
    "tokens", [pytest.param(20 * N, marks=pytest.mark.weekly), np.round(20 * N, -7)], ids=["exact", "rounded"]
)
def test_runs_on_a_ray_do_not_tell_size_from_tokens(tokens):
    found = fitting.fit(N, tokens, losses(N, tokens))
    assert set(found.flat) == {"A", "B", "alpha", "beta"}
    assert found.why_flat.startswith("tokens follow size in all runs")
    assert np.median(np.abs(found.residuals)) < 0.01


@pytest.mark.slow
def test_an_iso_flop_curve_tells_size_from_tokens():
    """Equal compute has D = C / 6N: size and tokens move against each other, and both are seen."""
    found = fitting.fit(N, 1e21 / (6 * N), losses(N, 1e21 / (6 * N), noise=False))
    assert found.flat == () and found.law.beta == pytest.approx(0.37, rel=1e-6)
    with_compute = fitting.fit(N, 1e21 / (6 * N), losses(N, 1e21 / (6 * N)), form="compute")
    assert set(with_compute.flat) == {"E", "A", "alpha"}
    assert with_compute.why_flat.startswith("all runs have one compute")


@pytest.mark.slow
def test_two_sizes_are_too_few_for_a_power_law_beside_a_constant():
    n = np.where(N > 1e9, 1e9, 1e8)
    found = fitting.fit(n, D, losses(n, D))
    assert set(found.flat) == {"E", "A", "alpha"} and "two sizes" in found.why_flat
    tied = fitting.fit(n, D, losses(n, D), form="tied")  # one exponent, which tokens fix
    assert tied.flat == ()


@pytest.mark.slow
def test_noise_alone_and_losses_that_rise_leave_a_law_open():
    noise = fitting.fit(N, D, 2 * SCATTER)
    assert noise.flat and noise.law.loss(1e9, 1e11) == pytest.approx(2, rel=0.02)
    assert noise.profile("A").open and noise.profile("B").open  # neither term is seen
    rising = fitting.fit(N[:40], D[:40], 2 + N[:40] / N.max())
    assert {"A", "alpha"} <= set(rising.flat)


@pytest.mark.slow
def test_kaplans_scales_have_profiles_of_their_own():
    found = fitting.fit(ONE, D, losses(ONE, D), form="kaplan")
    assert set(found.flat) == {"alpha", "Nc"}
    ends = found.open_ends()
    assert ends["Nc"].words == "any value" and "Dc" not in ends
    free = fitting.fit(N, D, losses(N, D), form="kaplan")
    allowed = free.profile("Nc")
    assert 0 < allowed.low < free.law.Nc < allowed.high < np.inf


@pytest.mark.parametrize("name", ["a", "b", "eta"])
def test_what_a_law_prints_is_profiled_at_its_own_value(name):
    found = fitting.fit(N, D, losses(N, D), "log_mse", form="gadre")
    allowed, value = found.profile(name), getattr(found.law, name)
    assert allowed.low < value < allowed.high
    held = found.asked.objective({name: allowed.high})
    full = held.coordinates(np.zeros((1, held.free.shape[1])) + 0.3)[0]
    law = found.search.form.law(**found.search.form.coefficients(full, found.runs))
    assert getattr(law, name) == pytest.approx(allowed.high, rel=1e-9)


def test_as_many_coefficients_as_runs_are_refused_with_what_would_do():
    with pytest.raises(ParameterError, match="4 runs are too few for five coefficients; give at least 6"):
        fitting.fit(N[:4], D[:4], losses(N, D)[:4])


@pytest.mark.slow
def test_a_law_that_is_determined_has_nothing_flat():
    found = fitting.fit(N, D, losses(N, D))
    assert found.flat == found.held == () and found.why_flat == "" and found.open_ends() == {}


@pytest.mark.slow
def test_no_irreducible_loss_is_taken_where_it_is_better_than_a_minimum_inside():
    """A coupled form has a minimum inside and a lower one without E on these public runs."""
    runs = panel.sets()["porian_rw_kaplan"]
    columns = [runs[name] for name in ("parameters", "tokens", "loss")]
    found = fitting.fit(*columns, form="coupled")
    # 0.0035083457 was found by least squares and BFGS of SciPy from random starts.
    assert found.flat == ("E",) and found.objective == pytest.approx(0.0035083456995, rel=1e-9)
    inside = fitting.fit(*columns, form="coupled", bounds={"E": (1.0, None)})
    assert inside.objective > 1.05 * found.objective
