"""The bootstrap of the Chinchilla replication (arXiv:2404.10102), on the very draws of its notebook.

The notebook seeds NumPy's old generator with 42 and draws 4,000 times 240 rows. It descends from one start by
BFGS; ours reaches each resample's optimum.
"""

import numpy as np
import pytest
from scipy import optimize

import cohort
from cohort import fitting

RUNS = cohort.table("chinchilla_runs").query("not dropped")
N, L = RUNS["parameters"].to_numpy(float), RUNS["loss"].to_numpy(float)
D = RUNS["training_flop"].to_numpy(float) / (6 * N)
FIT = fitting.fit(N, D, L)


@pytest.fixture(scope="module")
def rows():
    old = np.random.RandomState(42)
    return np.array([old.choice(240, size=240, replace=True) for _ in range(4000)])


@pytest.fixture(scope="module")
def boot(rows):
    return FIT.bootstrap(rows=rows)


@pytest.mark.parametrize(
    ("name", "published"),
    [("A", 124.52232), ("B", 1293.28410), ("E", 0.02566), ("alpha", 0.01540), ("beta", 0.02060)],
)
def test_standard_errors(boot, name, published):
    assert boot.standard_error(name) == pytest.approx(published, rel=1e-3)


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [("B", 1042.357, 5810.344), ("E", 1.769, 1.871), ("alpha", 0.317, 0.373), ("beta", 0.331, 0.415)],
)
def test_intervals(boot, name, low, high):
    assert boot.interval(name) == (pytest.approx(low, rel=1e-3), pytest.approx(high, rel=1e-3))


def test_the_exponent_of_the_size(boot):
    assert boot.standard_error("parameters_exponent") == pytest.approx(0.020, rel=0.03)
    low, high = boot.interval("parameters_exponent", 0.8)
    assert high - low == pytest.approx(0.051, rel=0.02)


def one_start(rows):
    """The published procedure for one resample: BFGS from the coefficients of the 2022 paper."""
    x, y, log_loss, delta = np.log(N[rows]), np.log(D[rows]), np.log(L[rows]), 1e-3

    def objective(theta):
        a, b, e, alpha, beta = theta
        terms = np.stack([a - alpha * x, b - beta * y, np.full_like(x, e)])
        top = terms.max(axis=0)
        total = np.exp(terms - top).sum(axis=0)
        share = np.exp(terms - top) / total
        r = log_loss - top - np.log(total)
        rho = np.where(np.abs(r) <= delta, r**2 / 2, delta * (np.abs(r) - delta / 2))
        pull = np.clip(r, -delta, delta) * share
        return rho.sum(), -np.array(
            [pull[0].sum(), pull[1].sum(), pull[2].sum(), -(pull[0] @ x), -(pull[1] @ y)]
        )

    start = [6.0073404, 6.0179186, 0.5267228, 0.33917084, 0.2849083]
    return optimize.minimize(objective, start, jac=True, method="BFGS")


def test_the_end_that_differs_hangs_on_one_resample(boot, rows):
    """The lower end of A is 285.21 as published and 286.09 at the optima, 0.3% apart.

    It lies between two draws. In one of the 4,000, the 2,261st, the published descent stops short and puts a
    value below them that belongs above.
    """
    low, high = boot.interval("A")
    assert high == pytest.approx(743.626, rel=1e-3)
    assert low == pytest.approx(286.085, rel=1e-5)
    short = one_start(rows[2260])
    r = np.log(L) - np.log(fitting.predicted(boot.laws[2260], FIT.runs))
    rho = np.where(np.abs(r) <= 1e-3, r**2 / 2, 1e-3 * (np.abs(r) - 5e-4))[rows[2260]].sum()
    assert short.fun > rho * (1 + 5e-5), "not the optimum"
    values = boot.values("A")
    assert np.exp(short.x[0]) < low < values[2260]
    values[2260] = np.exp(short.x[0])
    assert np.quantile(values, 0.025) == pytest.approx(285.214, rel=1e-3)


@pytest.mark.parametrize("seed", [0, 1])
def test_other_draws_agree_within_three_monte_carlo_errors(boot, seed):
    """The standard error of a standard deviation from n draws is about sd / sqrt(2 n), more in long tails."""
    other = FIT.bootstrap(seed=seed)
    for name in ("A", "B", "E", "alpha", "beta"):
        values = boot.values(name)
        kurtosis = np.mean((values - values.mean()) ** 4) / values.var() ** 2
        error = values.std() * np.sqrt((kurtosis - 1) / 4 / 4000)
        assert abs(other.standard_error(name) - values.std()) < 3 * np.sqrt(2) * error
