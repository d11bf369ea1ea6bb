"""The figures of the chapters on scaling laws: what they draw, without a warning, the same each time."""

import numpy as np
import pytest
from chinchilla_fit import FIT
from drawing import svg, theme  # noqa: F401

import cohort
from cohort.chapters.chinchilla_fit import figures as fit_figures
from cohort.chapters.chinchilla_fit import printed
from cohort.chapters.chinchilla_fit import tables as fits
from cohort.chapters.data_optimal import data_worth, lifetimes
from cohort.chapters.data_optimal import figures as data_figures
from cohort.chapters.data_optimal import tables as policies
from cohort.fitting import chinchilla_runs
from cohort.reports import fit_figures as own_figures

pytestmark = pytest.mark.filterwarnings("error")

RUNS = chinchilla_runs.runs()
BOOT = FIT.bootstrap(30)
BAND = chinchilla_runs.frontier(FIT.law, BOOT, np.geomspace(1e18, 1e26, 17))
NAMES = ["llama-2-7b", "llama-3-8b", "llama-3-70b", "gpt3-175b", "dbrx", "chinchilla-70b", "glm-4.5-air"]
FRAME = policies.trained(NAMES)
AGAINST = policies.against(FIT.law, FRAME, BOOT)


def texts(axes):
    return [text.get_text() for text in axes.texts]


def test_runs_draws_every_run_once_and_crosses_the_dropped():
    axes = own_figures.draw_runs(RUNS).axes[0]
    assert sorted(len(points.get_offsets()) for points in axes.collections) == [5, 240]
    assert len(axes.lines) == 6, "a line for each power of ten of compute"
    every = own_figures.draw_runs(chinchilla_runs.runs(0)).axes[0]
    assert every.get_legend() is None


def test_residuals_draw_observed_over_predicted():
    axes = own_figures.draw_residuals(FIT, RUNS).axes[0]
    drawn = np.concatenate([points.get_offsets() for points in axes.collections])
    assert len(drawn) == 245
    low, high = axes.get_ylim()
    assert (low < drawn[:, 1].min()) and (drawn[:, 1].max() < high)


def test_policies_are_dashed_beyond_the_runs():
    named = {"this fit": FIT.law, "hoffmann": cohort.law("hoffmann")}
    axes = fit_figures.draw_policies(named, BAND, 1.3e22, printed.advice()).axes[0]
    styles = [line.get_linestyle() for line in axes.lines]
    assert styles.count("-") == 2
    assert styles.count("--") == 2
    assert {"this fit", "Hoffmann et al. 2022"} <= set(texts(axes))
    solid = axes.lines[0].get_xdata()
    assert max(solid) <= 1.3e22 * 1.02


def test_iso_flop_minima_are_compute_optimal():
    flops = [1e19, 1e21]
    axes = fit_figures.draw_iso_flop(FIT.law, flops, RUNS).axes[0]
    minima = axes.lines[-1].get_xydata()
    for (size, loss), flop in zip(minima, flops, strict=True):
        best = FIT.law.compute_optimal(flop)
        assert (size, loss) == (pytest.approx(best.parameters / 1e9), pytest.approx(best.loss))


def test_the_name_of_a_curve_stands_right_of_its_runs():
    axes = fit_figures.draw_iso_flop(FIT.law, [6e18, 1e19, 1e20], RUNS).axes[0]
    runs = [points.get_offsets()[:, 0].max() for points in axes.collections]
    ends = [name.xy[0] for name in axes.texts]
    for end, own, beyond in zip(ends, runs, [*runs[1:], runs[-1]], strict=True):
        assert end >= 1.29 * max(own, beyond)


def test_spread_names_each_quantity_with_its_value():
    table = fits.intervals(FIT, BOOT, fits.quantities(5.76e23, 1e13))
    axes = fit_figures.draw_spread(table).axes[0]
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert len(names) == len(table)
    assert "best size = 73.2 billion" in names


@pytest.mark.slow
def test_choices_have_a_row_for_each_estimator():
    table = fits.choices(1e22, [5, 0], 1e-3, 10, 0)
    axes = fit_figures.draw_choices(table).axes[0]
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert len(names) == 8
    assert names[-1] == "Huber, 5 left out"


def test_the_map_shows_runs_models_and_the_line():
    axes = data_figures.draw_map_of_models(FRAME, BAND, RUNS).axes[0]
    assert set(FRAME.index) <= set(texts(axes))
    low, high = axes.get_ylim()
    assert (low < FRAME["tokens"].min() / 1e12) and (FRAME["tokens"].max() / 1e12 < high)
    hollow = [
        np.allclose(points.get_facecolor()[0][:3], 1)
        for points in axes.collections
        if len(points.get_offsets()) == 1
    ]
    assert any(hollow), "the tokens of GLM-4.5-Air are inferred"


def test_intervals_leave_out_what_is_infinite():
    values = AGAINST[["break-even", "break-even low", "break-even high"]].set_axis(
        ["value", "low", "high"], axis=1
    )
    axes = data_figures.draw_break_even_intervals(values / 1e12, "trillion tokens", (10, "chosen use")).axes[
        0
    ]
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert "GPT-3 175B" not in names
    assert len(names) == int(np.isfinite(values["value"]).sum())
    assert "chosen use" in texts(axes)
    points_alone = data_figures.draw_break_even_intervals(values[["value"]] / 1e12, "trillion tokens")
    assert "<svg" in svg(points_alone)
    none = data_figures.draw_break_even_intervals(values.loc[["GPT-3 175B"]], "tokens")
    assert "no model" in none.axes[0].texts[0].get_text()


@pytest.mark.slow
def test_other_figures_are_drawn_and_stable():
    law = FIT.law
    marks = [("Llama 3 8B", 15e12, AGAINST.loc["Llama 3 8B", "loss"], "Llama 3 8B")]
    draw = [
        lambda: data_figures.draw_best_sizes(
            {"a loss": lifetimes.best_sizes(law, 2.0, [1e11, 1e13, 1e15], BOOT)}, 1e13
        ),
        lambda: data_figures.draw_learning_curves(
            data_worth.learning_curves(law, FRAME.loc[["Llama 3 8B"]], np.geomspace(1e11, 1e14, 9)),
            marks,
            {"Llama 3 8B": 1e12},
        ),
        lambda: data_figures.draw_passes(data_worth.limited(law, np.geomspace(1e25, 1e28, 7), 1e13), 1e13),
        lambda: data_figures.draw_extrapolated(policies.extrapolated(policies.overtrained_runs(), 100)[1]),
        lambda: data_figures.draw_beside_scores(policies.beside_scores(AGAINST, NAMES, "MMLU"), "MMLU"),
    ]
    for one in draw:
        assert svg(one()) == svg(one())


def test_nothing_to_draw_is_said():
    empty = policies.beside_scores(AGAINST, NAMES, "MMLU").iloc[:0]
    assert (
        "none of these models" in data_figures.draw_beside_scores(empty, "MMLU").axes[0].texts[0].get_text()
    )
