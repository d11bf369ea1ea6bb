"""The certified fit and its bootstrap beside the published procedures, on the same rows in one run.

Run it as ``.venv/bin/python benchmarks/fit_chinchilla.py``. It takes some minutes, nearly all of them for the
published procedures: 4,500 starts of L-BFGS-B with numerical gradients for the point
(arXiv:2203.15556, as arXiv:2404.10102 describes it), one BFGS start a resample for the bootstrap. Both are
written here from their description. The packages `chinchilla` and `simple-scaling-laws` join where they are
installed: ``pip install -e '.[peers]'``; the second fits the squares of the losses, and is held against our
fit of those. Times are CPU seconds of this process, on one thread; rows state how far each
result is above the optimum.
"""

from __future__ import annotations

import os

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import importlib.util
import itertools
import tempfile
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import optimize

import cohort
from cohort import fitting

DELTA = 1e-3
RESAMPLES = 4000
PUBLISHED_START = (6.0073404, 6.0179186, 0.5267228, 0.33917084, 0.2849083)

RUNS = cohort.table("chinchilla_runs").query("not dropped")
N = RUNS["parameters"].to_numpy(float)
D = RUNS["training_flop"].to_numpy(float) / (6 * N)
LOSSES = RUNS["loss"].to_numpy(float)
X, Y, LOG_LOSSES = np.log(N), np.log(D), np.log(LOSSES)


def shares(theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return ln L of each run, and the shares of the three terms in it."""
    a, b, e, alpha, beta = theta
    terms = np.stack([a - alpha * X, b - beta * Y, np.full_like(X, e)])
    top = terms.max(axis=0)
    total = np.exp(terms - top).sum(axis=0)
    return top + np.log(total), np.exp(terms - top) / total


def objective(theta: np.ndarray, weights: np.ndarray | float = 1.0) -> float:
    """Return the sum of Huber's misfits of log losses."""
    r = LOG_LOSSES - shares(theta)[0]
    size = np.abs(r)
    return float((weights * np.where(size <= DELTA, r * r / 2, DELTA * (size - DELTA / 2))).sum())


def gradient(theta: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return its gradient."""
    predicted, share = shares(theta)
    p, q, c = share * (weights * np.clip(LOG_LOSSES - predicted, -DELTA, DELTA))
    return -np.array([p.sum(), q.sum(), c.sum(), -(p @ X), -(q @ Y)])


def published_fit() -> np.ndarray:
    """Return the best of 4,500 starts of L-BFGS-B with numerical gradients and default tolerances."""
    exponents, levels = np.arange(0, 2.5, 0.5), np.arange(0, 30, 5)
    grid = itertools.product(levels, levels, np.arange(-1, 1.5, 0.5), exponents, exponents)
    ends = [optimize.minimize(objective, start, method="L-BFGS-B") for start in grid]
    return np.asarray(min((end for end in ends if end.success), key=lambda end: end.fun).x)


def published_bootstrap(rows: np.ndarray) -> np.ndarray:
    """Return the end of one BFGS start for each resample."""
    found = []
    for row in rows:
        weights = np.bincount(row, minlength=len(N)).astype(float)
        end = optimize.minimize(objective, PUBLISHED_START, args=(weights,), jac=gradient, method="BFGS")
        found.append(end.x)
    return np.array(found)


def peer_fit() -> np.ndarray:
    """Return the fit of the package `chinchilla`, with its BFGS from 3,125 starts on the same objective."""
    from chinchilla import Chinchilla
    from chinchilla._metrics import log_huber

    with tempfile.TemporaryDirectory() as folder:
        model = Chinchilla(
            folder,
            param_grid={
                "e": np.linspace(0, 1, 5),
                "a": np.linspace(1, 10, 5),
                "b": np.linspace(1, 10, 5),
                "alpha": np.linspace(0.1, 0.7, 5),
                "beta": np.linspace(0.1, 0.7, 5),
            },
            loss_fn=lambda y, p: log_huber(y, p, DELTA),
            log_level=40,
        )
        for size, tokens, loss in zip(N, D, LOSSES, strict=True):
            model.append(N=size, D=tokens, C=6 * size * tokens, loss=loss)
        model.fit(parallel=False)
        logs = np.log([float(model.A), float(model.B), float(model.E)])
    return np.array([*logs, float(model.alpha), float(model.beta)])


def squares_peer(draws: int) -> Any:
    """Return the fit of the package `simple-scaling-laws` with some bootstrap draws."""
    import polars
    import simple_scaling_laws

    count = len(N)
    columns = {
        "training_run_id": [f"run_{k}" for k in range(count)],
        "train_set_id": [f"set_{k}" for k in range(count)],
        "test_set_id": ["held_out"] * count,
        "model_size__n_params": N.tolist(),
        "dataset_size__n_tokens": D.tolist(),
        "test_loss__cross_entropy": LOSSES.tolist(),
    }
    return simple_scaling_laws.fit(polars.DataFrame(columns), n_draws=draws, seed=0)


def beside_squares() -> None:
    """Print the same for squares of losses, beside `simple-scaling-laws`."""
    ours, fit = seconds(lambda: fitting.fit(N, D, LOSSES, "mse"), rounds=3)
    taken, peer = seconds(lambda: squares_peer(2))
    found = peer.params("test_loss__cross_entropy")
    held = {name: found[name] for name in ("E", "alpha", "beta")}  # its A and B have units of their own
    excess = fitting.fit(N, D, LOSSES, "mse", fixed=held).objective / fit.objective - 1
    print(f"\n{'squares of losses':44}{'CPU s':>9}{'ratio':>9}{'above the optimum':>20}")
    print(f"{'certified fit, 64 starts':44}{ours:9.3f}{1:9.0f}{0:20.1e}")
    print(f"{'package simple-scaling-laws':44}{taken:9.2f}{taken / ours:9.1f}{excess:20.1e}")
    ours, _ = seconds(lambda: fit.bootstrap(RESAMPLES))
    taken, _ = seconds(lambda: squares_peer(RESAMPLES))
    print(f"{f'certified bootstrap, {RESAMPLES:,} resamples':44}{ours:9.2f}{1:9.0f}")
    print(f"{'package simple-scaling-laws, as many draws':44}{taken:9.2f}{taken / ours:9.1f}")


def every_form() -> None:
    """Print what a fit and its bootstrap take for each form that needs no further column."""
    print(f"\n{f'form, {RESAMPLES:,} resamples':44}{'fit s':>9}{'boot s':>9}{'lost':>8}")
    for form, each in fitting.FORMS.items():
        if each.extra:
            continue
        point, found = seconds(lambda form=form: fitting.fit(N, D, LOSSES, form=form))
        taken, boot = seconds(lambda found=found: found.bootstrap(RESAMPLES))
        print(f"{form:44}{point:9.2f}{taken:9.2f}{boot.lost:8}", flush=True)


def seconds(run: Callable[[], Any], rounds: int = 1) -> tuple[float, Any]:
    """Return the lowest CPU time of some rounds, and the result."""
    best, result = float("inf"), None
    for _ in range(rounds):
        begin = time.process_time()
        result = run()
        best = min(best, time.process_time() - begin)
    return best, result


def coordinates(law: cohort.scaling.ScalingLaw) -> np.ndarray:
    """Return ln A, ln B, ln E and the exponents."""
    return np.array([np.log(law.A), np.log(law.B), np.log(law.E), law.alpha, law.beta])


def main() -> None:
    """Print the times, their ratios, and how far each result is above the optimum."""
    fitting.fit(N, D, LOSSES)  # imports and caches
    ours, fit = seconds(lambda: fitting.fit(N, D, LOSSES), rounds=5)
    print(f"{'the point':44}{'CPU s':>9}{'ratio':>9}{'above the optimum':>20}")
    best = objective(coordinates(fit.law))
    print(f"{'certified fit, 64 starts':44}{ours:9.3f}{1:9.0f}{0:20.1e}")
    every_form()
    if importlib.util.find_spec("simple_scaling_laws") and importlib.util.find_spec("polars"):
        beside_squares()
    print()
    rivals = {"published: 4,500 starts of L-BFGS-B": published_fit}
    if importlib.util.find_spec("chinchilla"):
        rivals["package chinchilla: 3,125 starts of BFGS"] = peer_fit
    for name, run in rivals.items():
        taken, theta = seconds(run)
        print(f"{name:44}{taken:9.2f}{taken / ours:9.0f}{objective(theta) / best - 1:20.1e}", flush=True)

    rows = np.random.default_rng(0).integers(len(N), size=(RESAMPLES, len(N)))
    weights = np.array([np.bincount(row, minlength=len(N)) for row in rows])
    ours, boot = seconds(lambda: fit.bootstrap(rows=rows), rounds=3)
    reached = np.array([objective(coordinates(law), w) for law, w in zip(boot.laws, weights, strict=True)])
    taken, ends = seconds(lambda: published_bootstrap(rows))
    theirs = np.array([objective(theta, w) for theta, w in zip(ends, weights, strict=True)])
    print(f"\n{f'{RESAMPLES:,} resamples':44}{'CPU s':>9}{'ratio':>9}{'worst above ours':>20}")
    print(f"{'certified bootstrap':44}{ours:9.2f}{1:9.0f}{(reached / theirs).max() - 1:20.1e}")
    excess = (theirs / reached).max() - 1
    print(f"{'published: one BFGS start each':44}{taken:9.2f}{taken / ours:9.0f}{excess:20.1e}")


if __name__ == "__main__":
    main()
