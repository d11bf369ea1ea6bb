"""Fits: known optima to eleven digits, recovery of known laws, the certificate, and bad input."""

import re

import numpy as np
import pytest
from scipy import optimize

import cohort
from cohort import fitting
from cohort.errors import CohortError, ParameterError, UnknownNameError
from cohort.fitting import FitError
from cohort.scaling import ScalingLaw

RUNS = cohort.table("chinchilla_runs")
ALL = (
    RUNS["parameters"].to_numpy(float),
    (RUNS["training_flop"] / (6 * RUNS["parameters"])).to_numpy(float),
    RUNS["loss"].to_numpy(float),
)
KEPT = tuple(column[~RUNS["dropped"].to_numpy(bool)] for column in ALL)
HUBER = fitting.fit(*KEPT)


def plain(rows, theta, loss="huber", delta=1e-3):
    """An objective written out by hand: theta is ln A, ln B, ln E, alpha, beta."""
    n, d, losses = rows
    a, b, e, alpha, beta = theta
    predicted = np.exp(e) + np.exp(a) * n**-alpha + np.exp(b) * d**-beta
    r = losses - predicted if loss == "mse" else np.log(losses) - np.log(predicted)
    if loss == "huber":
        return np.where(np.abs(r) <= delta, r**2 / 2, delta * (np.abs(r) - delta / 2)).sum()
    return np.abs(r).sum() if loss == "lad" else np.mean(r**2)


def theta_of(law):
    return np.array([np.log(law.A), np.log(law.B), np.log(law.E), law.alpha, law.beta])


# --- known answers


@pytest.mark.parametrize(
    ("rows", "objective", "law"),
    [
        (KEPT, 0.00101827401780060, (1.817218099, 477.825868, 2143.417363, 0.347310498882, 0.367172432628)),
        (ALL, 0.00182601052306934, (1.891338499, 495.726009, 12845.6133, 0.349312894, 0.453049296)),
    ],
    ids=["240 runs", "245 runs"],
)  # fmt: skip
def test_the_optimum_of_the_chinchilla_runs(rows, objective, law):
    """Values of a Newton solver in extended precision."""
    found = fitting.fit(*rows)
    assert found.objective == pytest.approx(objective, rel=1e-11)
    for name, value in zip(("E", "A", "B", "alpha", "beta"), law, strict=True):
        assert getattr(found.law, name) == pytest.approx(value, rel=2e-8)


@pytest.mark.parametrize("loss", ["huber", "lad", "log_mse", "mse"])
@pytest.mark.parametrize("rows", [KEPT, ALL], ids=["240", "245"])
def test_the_objective_is_what_it_says(loss, rows):
    found = fitting.fit(*rows, loss)
    assert found.objective == pytest.approx(plain(rows, theta_of(found.law), loss), rel=1e-9)
    assert found.score(found.law) == pytest.approx(found.objective, rel=1e-9)


def test_the_published_point_is_that_of_least_absolute_deviations():
    """The replication publishes a point whose effective delta is 5e-9: the L1 optimum, not Huber's."""
    found, published = fitting.fit(*KEPT, "lad"), cohort.law("besiroglu-unrounded")
    for name in ("E", "A", "B", "alpha", "beta"):
        assert getattr(found.law, name) == pytest.approx(getattr(published, name), rel=2e-6)
    assert found.objective <= found.score(published)
    assert HUBER.score(published) == pytest.approx(0.001018644750576, rel=1e-11)


def test_the_printed_irreducible_loss_is_that_of_huber():
    """The printed E belongs to one estimator, the four other numbers to another: no single fit has them."""
    assert round(HUBER.law.E, 4) == cohort.law("besiroglu").E
    assert round(fitting.fit(*KEPT, "lad").law.E, 4) != cohort.law("besiroglu").E


@pytest.mark.parametrize(
    ("rows", "loss", "expected"),
    [
        (ALL, "lad", {"A": 463.286009, "B": 12529.5124, "E": 1.88537703, "beta": 0.451892110}),
        (KEPT, "mse", {"E": 1.882814, "alpha": 0.357615, "beta": 0.427621}),
        (ALL, "mse", {"E": 2.010568, "alpha": 0.368436, "beta": 0.661397}),
    ],
)  # fmt: skip
def test_other_estimators_have_their_known_optima(rows, loss, expected):
    law = fitting.fit(*rows, loss).law
    for name, value in expected.items():
        assert getattr(law, name) == pytest.approx(value, rel=5e-6)


def test_squared_losses_leave_the_known_sum():
    """By variable projection, arXiv:2603.22339."""
    assert 240 * fitting.fit(*KEPT, "mse").objective == pytest.approx(0.08320381, rel=1e-7)


@pytest.mark.slow
def test_the_choice_of_estimator_moves_the_exponent():
    betas = {loss: round(fitting.fit(*KEPT, loss).law.beta, 3) for loss in fitting.LOSSES}
    assert betas == {"lad": 0.366, "huber": 0.367, "log_mse": 0.406, "mse": 0.428}


OVERTRAINED = cohort.table("overtrained_runs")


@pytest.mark.parametrize(
    ("most", "runs", "objective", "expected"),
    [
        (100, 34, 2.192062e-4, {"A": 7.144, "B": 26.0, "alpha": 0.077, "beta": 0.126}),
        (250, 39, 3.066701e-4, {"A": 14.44, "B": 39.47, "alpha": 0.131, "beta": 0.157}),
        (500, 43, 3.918019e-4, {"A": 17.07, "B": 35.81}),
        (np.inf, 47, 6.199843e-4, {"A": 35.39, "B": 133.0, "alpha": 0.1788, "beta": 0.2316, "E": 1.463}),
    ],
)
def test_the_runs_of_up_to_ten_thousand_tokens_a_parameter(most, runs, objective, expected):
    """Table 1 of arXiv:2401.00448, whose authors print 7.199, 14.23, 17.07 and 33.66 for A."""
    chosen = OVERTRAINED[OVERTRAINED["tokens"] / OVERTRAINED["parameters"] <= most * (1 + 1e-9)]
    assert len(chosen) == runs
    found = fitting.fit(chosen["parameters"], chosen["tokens"], chosen["loss"])
    assert found.objective == pytest.approx(objective, rel=1e-6)
    for name, value in expected.items():
        assert getattr(found.law, name) == pytest.approx(value, rel=5e-3)


# --- properties

TRUE = ScalingLaw(E=1.7, A=400.0, B=900.0, alpha=0.34, beta=0.31)


def runs_of(law, noise=0.0, seed=0, count=60):
    rng = np.random.default_rng(seed)
    n = np.exp(rng.uniform(np.log(5e7), np.log(2e10), count))
    d = np.exp(rng.uniform(np.log(1e9), np.log(1e12), count))
    losses = law.E + law.A * n**-law.alpha + law.B * d**-law.beta
    return n, d, losses * np.exp(noise * rng.standard_normal(count))


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["huber", "lad", "log_mse", "mse"])
def test_a_law_is_recovered_from_exact_runs(loss):
    found = fitting.fit(*runs_of(TRUE), loss)
    law = found.law
    assert found.starts_agreeing > 10
    for name in ("E", "A", "B", "alpha", "beta"):
        assert getattr(law, name) == pytest.approx(getattr(TRUE, name), rel=1e-6)


@pytest.mark.parametrize("loss", ["huber", "lad", "log_mse", "mse"])
def test_no_neighbour_is_better(loss):
    rows = runs_of(TRUE, noise=0.01, seed=3)
    found = fitting.fit(*rows, loss)
    rng, here = np.random.default_rng(1), theta_of(found.law)
    for size in (1e-2, 1e-4):
        for _ in range(200):
            step = size * rng.standard_normal(5) * np.array([1, 1, 0.1, 0.05, 0.05])
            assert plain(rows, here + step, loss) >= found.objective * (1 - 1e-12)


@pytest.mark.parametrize("loss", ["huber", "lad", "log_mse", "mse"])
def test_the_certificate(loss):
    found = fitting.fit(*KEPT, loss)
    assert found.gradient_norm < 1e-11
    assert found.smallest_eigenvalue > 0
    assert found.starts == 64
    assert 30 <= found.starts_agreeing <= found.starts


def test_the_hessian_is_that_of_finite_differences():
    """The certificate's curvature, beside second differences of the objective written out by hand."""
    found = fitting.fit(*KEPT, "log_mse")
    x, y = found.runs.centre

    def centred(theta):
        a, b, e, alpha, beta = theta
        return plain(KEPT, (a + alpha * x, b + beta * y, e, alpha, beta), "log_mse")

    here, step, hessian = found.point, 1e-4, np.empty((5, 5))
    for i in range(5):
        for j in range(5):
            e_i, e_j = np.eye(5)[i] * step, np.eye(5)[j] * step
            hessian[i, j] = (
                centred(here + e_i + e_j) - centred(here + e_i - e_j)
                - centred(here - e_i + e_j) + centred(here - e_i - e_j)
            ) / (4 * step**2)  # fmt: skip
    assert np.linalg.eigvalsh(hessian)[0] == pytest.approx(found.smallest_eigenvalue, rel=1e-3)


def test_the_same_runs_are_fitted_once_and_those_that_changed_in_place_anew():
    columns = [np.array(each, dtype=float) for each in runs_of(TRUE)]
    first = fitting.fit(*columns)
    assert fitting.fit(*map(list, columns)) is first
    assert fitting.fit(*columns, loss="log_mse") is not first
    assert fitting.fit(*columns, weights=np.full(len(columns[0]), 2.0)) is not first
    kept = first.runs.losses.copy()
    columns[2] *= 1.1
    assert fitting.fit(*columns) is not first
    assert (first.runs.losses == kept).all()


def test_units_do_not_change_the_fit():
    n, d, losses = KEPT
    law = fitting.fit(n / 1e9, d / 1e12, losses).law
    assert law.A * 1e9**law.alpha == pytest.approx(HUBER.law.A, rel=1e-8)
    assert law.beta == pytest.approx(HUBER.law.beta, rel=1e-9)


def test_the_order_of_the_runs_does_not_matter():
    order = np.random.default_rng(0).permutation(len(KEPT[0]))
    assert fitting.fit(*(column[order] for column in KEPT)).law.beta == pytest.approx(
        HUBER.law.beta, rel=1e-9
    )


def test_residuals_are_logarithms_of_observed_over_predicted():
    n, d, losses = KEPT
    assert HUBER.residuals[7] == pytest.approx(np.log(losses[7] / HUBER.law.loss(n[7], d[7])), rel=1e-9)


# --- bootstrap


def independent(rows, weights, start):
    """The optimum of a resample by SciPy, from several starts and in raw coordinates."""
    n, d, losses = rows
    x, y, delta = np.log(n), np.log(d), 1e-3

    def objective(theta):
        a, b, e, alpha, beta = theta
        terms = np.stack([a - alpha * x, b - beta * y, np.full_like(x, e)])
        top = terms.max(axis=0)
        total = np.exp(terms - top).sum(axis=0)
        share = np.exp(terms - top) / total
        r = np.log(losses) - top - np.log(total)
        slope = weights * np.clip(r, -delta, delta)
        rho = np.where(np.abs(r) <= delta, r**2 / 2, delta * (np.abs(r) - delta / 2))
        gradient = -np.array([
            (slope * share[0]).sum(), (slope * share[1]).sum(), (slope * share[2]).sum(),
            -(slope * share[0] * x).sum(), -(slope * share[1] * y).sum(),
        ])  # fmt: skip
        return (weights * rho).sum() * 1e3, gradient * 1e3

    rng, best = np.random.default_rng(0), np.inf
    for spread in (0, 0.02, 0.05):
        at = start * (1 + spread * rng.standard_normal(5))
        for _ in range(3):
            done = optimize.minimize(objective, at, jac=True, method="BFGS", options={"gtol": 1e-12})
            at = done.x
        best = min(best, done.fun / 1e3)
    return best


@pytest.mark.slow
def test_every_resample_reaches_its_optimum(pytestconfig):
    """A random few of 4,000 resamples, and once a week a hundred, beside an independent solver."""
    count, tried = len(KEPT[0]), 100 if pytestconfig.getoption("--weekly") else 40
    rows = np.random.default_rng(0).integers(count, size=(4000, count))
    rows = rows[np.random.default_rng(1).choice(4000, 100, replace=False)[:tried]]
    boot = HUBER.bootstrap(rows=rows)
    weights = np.array([np.bincount(row, minlength=count) for row in rows])
    for k in range(tried):
        r = np.log(KEPT[2]) - np.log(fitting.predicted(boot.laws[k], HUBER.runs))
        rho = np.where(np.abs(r) <= 1e-3, r**2 / 2, 1e-3 * (np.abs(r) - 5e-4))
        reached = (weights[k] * rho).sum()
        other = independent(KEPT, weights[k], theta_of(HUBER.law))
        assert reached <= other * (1 + 1e-11)
        assert reached == pytest.approx(other, rel=1e-4), "the other solver finds the same minimum"


def test_seeds_reproduce_and_differ():
    one, again, other = (HUBER.bootstrap(50, seed=seed) for seed in (5, 5, 6))
    assert one.laws == again.laws
    assert one.laws != other.laws


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["lad", "log_mse", "mse"])
def test_other_estimators_have_a_bootstrap_of_their_own(loss):
    found = fitting.fit(*KEPT, loss)
    boot = found.bootstrap(200, seed=1)
    low, high = boot.interval("beta")
    assert low < found.law.beta < high
    assert boot.standard_error("beta") < 0.06


def test_intervals_carry_into_whatever_follows_from_a_law():
    boot = HUBER.bootstrap(300, seed=2)
    ratio = boot.interval(lambda law: law.compute_optimal(5.76e23).tokens_per_parameter)
    assert ratio[0] < HUBER.law.compute_optimal(5.76e23).tokens_per_parameter < ratio[1]
    use = boot.interval(lambda law: law.inference_optimal(2.0, 1e13).parameters, 0.8)
    assert use[0] < HUBER.law.inference_optimal(2.0, 1e13).parameters < use[1]
    narrow, wide = boot.interval("alpha", 0.5), boot.interval("alpha", 0.99)
    assert wide[0] < narrow[0] < narrow[1] < wide[1]
    assert boot.values("parameters_exponent").shape == (300,)


# --- bad input


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda n, d, y: (n[:5], d[:5], y[:5]), "5 runs are too few for five coefficients; give at least 6"),
        (lambda n, d, y: (n, d[:-1], y), "differ in length: 60 parameters, 59 tokens, 60 losses"),
        (lambda n, d, y: (n, d, np.where(np.arange(60) == 3, -1, y)), "losses must be finite and above 0"),
        (lambda n, d, y: (np.where(np.arange(60) == 9, np.nan, n), d, y), "row 9 (counted from 0) is nan"),
        (lambda n, d, y: (n, np.where(np.arange(60) == 0, np.inf, d), y), "tokens must be finite"),
        (lambda n, d, y: (np.full(60, 1e9), np.full(60, 2e10), y), "all runs have the same size"),
        (lambda n, d, y: (n, d, np.full(60, 2.0)), "all losses are the same"),
        (lambda n, d, y: (n, d, ["2.0 nats"] * 60), "losses must be numbers"),
        (lambda n, d, y: (n.reshape(6, 10), d, y), "one column of numbers, not 2 dimensions"),
    ],
)  # fmt: skip
def test_bad_columns_are_named(change, message):
    with pytest.raises(ParameterError, match=re.escape(message)):
        fitting.fit(*change(*runs_of(TRUE)))


@pytest.mark.parametrize("delta", [0, -1e-3, np.inf, "small", True])
def test_a_bad_delta_is_named(delta):
    with pytest.raises(ParameterError, match=r"delta is .* but must be a finite number above 0"):
        fitting.fit(*KEPT, delta=delta)


def test_an_unknown_estimator_names_the_nearest():
    with pytest.raises(UnknownNameError, match="did you mean 'huber'"):
        fitting.fit(*KEPT, "hubert")


def test_a_form_beyond_all_numbers_is_refused():
    """Kaplan's form has no constant: to noise about one loss its scales run beyond any number."""
    n, d, _ = runs_of(TRUE)
    scatter = np.exp(0.01 * np.random.default_rng(4).standard_normal(len(n)))
    with pytest.raises(FitError, match=r"no minimum was found from|coefficients beyond any number"):
        fitting.fit(n, d, 2 * scatter, form="kaplan")
    assert issubclass(FitError, CohortError)


def test_an_irreducible_loss_of_zero_is_named_with_what_the_runs_allow():
    """The objective is flat in ln E towards E = 0: the law stands on that edge, and says so."""
    found = fitting.fit(*runs_of(ScalingLaw(E=0, A=400.0, B=900.0, alpha=0.34, beta=0.31), noise=0.01))
    assert found.flat == ("E",) and found.law.E == 0
    assert found.law.alpha == pytest.approx(0.34, abs=0.01)
    allowed = found.profile("E")
    assert allowed.low == 0 < allowed.high < 0.3


@pytest.mark.parametrize("value", [10**400, 1j, "many"])
def test_what_is_no_float_is_named(value):
    n, d, losses = (list(column) for column in runs_of(TRUE))
    n[0] = value
    with pytest.raises(ParameterError, match="parameters must be numbers"):
        fitting.fit(n, d, losses)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"resamples": 1}, "resamples is 1, but must be at least 2"),
        ({"resamples": 2.5}, "resamples is 2.5"),
        ({"seed": -1}, "seed is -1, but must be at least 0"),
        ({"rows": np.full((2, 240), 240)}, "rows must be from 0 to 239, and run from 240 to 240"),
        ({"rows": np.zeros((2, 100), dtype=int)}, "two resamples or more, of 240 runs each"),
        ({"rows": [[0, 1], [2]]}, "rows must be a table of row numbers"),
        ({"rows": [[0.5, 1], [2, 3]]}, "rows must be a table of row numbers"),
    ],
)
def test_a_bad_bootstrap_is_named(arguments, message):
    with pytest.raises(ParameterError, match=re.escape(message)):
        HUBER.bootstrap(**arguments)


def test_resamples_that_determine_no_law_are_refused():
    with pytest.raises(FitError, match="2 of 2 resamples do not determine the law"):
        HUBER.bootstrap(rows=np.zeros((2, 240), dtype=int))


def test_a_bad_question_to_a_bootstrap_is_named():
    boot = HUBER.bootstrap(20)
    with pytest.raises(UnknownNameError, match="did you mean 'alpha'"):
        boot.interval("alphas")
    with pytest.raises(ParameterError, match=r"level is 95, but must be above 0 and below 1"):
        boot.interval("alpha", 95)
