"""What the chapter says: known sentences of the fit to 240 runs, and every turn that they can take."""

import numpy as np
import pandas as pd
import pytest
from chinchilla_fit import FIT

import cohort
from cohort.chapters import judging
from cohort.chapters.chinchilla_fit import checks, printed, tables, words
from cohort.fitting import chinchilla_runs, fit

FLOP = 5.76e23
RUNS = chinchilla_runs.runs()
LIMITS = chinchilla_runs.limits(RUNS)
BOOT = FIT.bootstrap(100, seed=1)
TABLE = tables.intervals(FIT, BOOT, tables.quantities(FLOP, 1e13))
LAWS = tables.published_laws(FIT, FLOP)
CHOICES = pd.DataFrame(
    [("huber", 5, 0.367, 17.9), ("mse", 5, 0.43, 10.4), ("huber", 0, 0.45, 6.8), ("mse", 0, 0.66, 1.2)],
    columns=["estimator", "dropped", "beta", "ratio"],
)
NAMED = {"this fit": FIT.law} | {
    name: cohort.law(name) for name in ("hoffmann", "hoffmann-unrounded", "sardana")
}


def brief(table):
    dropping = pd.Series({0: 6.82, 5: 17.9, 40: 63.7})
    return words.brief(FIT, FLOP, LIMITS, table, LAWS, CHOICES, dropping).split("\n")


def test_the_fit_in_brief():
    advice, printed_in_2022, choice, largest, law = brief(TABLE)
    assert advice.startswith(
        "- At 5.76 × 10²³ FLOP the law that is fitted to 240 runs advises 18 tokens per parameter. The 95% "
        "interval runs from 7."
    )
    assert printed_in_2022 == (
        "- The coefficients as printed in 2022 advise 93, outside that interval. Their misfit on the same "
        "runs is 4 times the least possible."
    )
    assert choice == (
        "- With 0 to 40 of the runs with the highest losses left out, the advice is 6.8 to 64; by four ways "
        "to measure the misfit, with 0 or 5 left out, 1.2 to 18."
    )
    assert largest == (
        "- That is extrapolation: the largest run took 1.3 × 10²² FLOP, and the advice is for 44.5 times as "
        "much."
    )
    assert law.startswith("- The law is $L = E + A/N^{\\alpha} + B/D^{\\beta}$: more parameters $N$ and more")
    assert law.endswith(
        "towards $E = 1.817$ nats per token. Here $A = 478$, $B = 2143$, $\\alpha = 0.347$ and "
        "$\\beta = 0.367$."
    )


def test_advice_for_a_compute_that_was_run_is_no_extrapolation():
    dropping = pd.Series({0: 10.01, 5: 10.02})
    lines = words.brief(FIT, 1e21, LIMITS, TABLE, LAWS, CHOICES, dropping).split("\n")
    assert lines[2].startswith(
        "- With 0 to 5 of the runs with the highest losses left out, the advice is 10;"
    )
    assert lines[3] == (
        "- The advice is for a compute inside the range of the runs: the largest run took 1.3 × 10²² FLOP."
    )


def test_advice_below_all_runs_and_among_them_says_so():
    inside = words._asked_for(FIT, 1e22, LIMITS["flop"])
    assert inside.startswith("The advice is for a compute inside the range of the runs: the largest run took")
    below = words._asked_for(FIT, 1e10, LIMITS["flop"])
    assert below.startswith(
        "That is extrapolation: the smallest run took 1.4 × 10¹⁸ FLOP, and the advice is for"
    )
    assert below.endswith(" for less.")


def test_a_large_factor_has_its_power_of_ten_in_the_formula():
    assert (words._factor(478.4), words._factor(15051061.0)) == ("478", "1.51 \\times 10^{7}")


def test_an_interval_from_zero_has_no_ratio_of_its_ends():
    free = TABLE.copy()
    free.loc["E", "low"] = 0.0
    free.loc["beta", "high"] = 12 * free.loc["beta", "low"]
    free.loc["loss there", "high"] = 2 * free.loc["loss there", "low"]
    said = words.spread(free, FLOP, LIMITS["flop"])
    assert "inf" not in said and "may be nothing, by its interval; the ends are" in said
    assert "and a factor of 12 apart for the two exponents." in said
    assert "at the optimum are 100% apart: these runs do not fix that either." in said


def test_a_wide_interval_holds_the_printed_advice():
    wide = TABLE.copy()
    wide.loc["tokens per parameter", "high"] = 100.0
    assert "advise 93, inside that interval" in brief(wide)[1]


@pytest.mark.parametrize(
    ("dropped", "end"),
    [
        (0, "No run is left out."),
        (
            1,
            "The 1 run left out had at most 0.0361 tokens per parameter: fewer tokens than parameters, so "
            "that",
        ),
        (
            5,
            "The 5 runs left out had at most 0.404 tokens per parameter: fewer tokens than parameters, so "
            "that",
        ),
        (200, "The 200 runs left out had at most 341 tokens per parameter."),
    ],
)
def test_the_runs_and_those_left_out(dropped, end):
    said = words.runs_known(chinchilla_runs.runs(dropped)).split("\n")
    assert said[2].startswith(end)
    if dropped == 5:
        assert (
            said[0]
            == "The runs span 57.3 million to 16.2 billion parameters and 1.4 × 10¹⁸ to 1.3 × 10²² FLOP."
        )
        assert said[1] == "Most were given 3.33 to 105 tokens per parameter; the most is 341."


def test_the_searches():
    assert words.searches(36, 36).startswith("All searches end at the same law")
    assert words.searches(35, 36).startswith("35 of the 36 searches end at the same law")


def test_the_residuals_of_the_fit():
    error = chinchilla_runs.relative_errors(FIT.law, RUNS)
    assert words.residuals(RUNS, error) == (
        "Half of the fitted runs are within 0.32% of the law, nine in ten within 0.9%.\n\n"
        "With fewer tokens than parameters, all 6 fitted runs did worse than the law says, by 3.0% at "
        "the median.\n"
        "The 5 runs left out did worse by 6 to 37%.\n\n"
        "At the other end, the losses of the 26 runs with more than a hundred tokens per parameter are 0.28% "
        "above the law on average, with a standard error of 0.11%: the law promises too much for long "
        "training."
    )


def test_the_median_of_those_that_did_worse_is_above_the_law():
    frame = pd.DataFrame({"dropped": [False] * 3, "ratio": [0.5, 0.5, 0.5]})
    said = words.residuals(frame, pd.Series([0.02, -0.05, -0.06]))
    assert "1 of 3 fitted runs did worse than the law says, by 2.0% at the median of these." in said


def test_residuals_without_outliers_and_with_a_law_that_holds():
    frame = pd.DataFrame({"ratio": [200.0] * 6 + [20.0, 30.0], "dropped": [False] * 7 + [True]})
    error = pd.Series([0.01, -0.01, 0.02, -0.02, 0.01, -0.01, 0.01, -0.05])
    half, left_out, many = words.residuals(frame, error).split("\n\n")
    assert half.startswith("Half of the fitted runs are within 1.00% of the law")
    assert left_out == "The run left out is −5.0% off the law."
    assert many.endswith("the law fits them as well as the rest.")
    assert "\n" not in words.residuals(frame[5:7], error[5:7]), (
        "five or fewer runs of many tokens say nothing"
    )


def test_the_standard_error_of_a_mean():
    assert words.standard_error(pd.Series([1.0, 3.0])) == pytest.approx(1)


@pytest.mark.slow
def test_what_rounding_lost():
    replicated = chinchilla_runs.runs(5)
    lad, huber = (fit(*chinchilla_runs.columns(replicated), name).law for name in ("lad", "huber"))
    rounding, behind, _, *replication = words.lost_digits(LAWS, lad, huber).split("\n")
    assert rounding.endswith(
        "the law is 1.8% off at the median; its misfit on the runs of this fit is 4.05 times the minimum."
    )
    assert behind == (
        "With the digits behind the print the law is 0.35% off, and the advice falls from 92.6 to 58.9 "
        "tokens per parameter."
    )
    assert replication[1].endswith("$B$ is 2,085.43 there, 2,085.44 here.")
    assert replication[2] == (
        "The fifth does not: that fit has $E = 1.8169$, and 1.8172 is printed, which is what Huber's misfit "
        "gives, 1.8172 here."
    )


def test_the_spread_of_what_is_asked():
    far, near = (words.spread(TABLE, FLOP, reach).split("\n") for reach in (LIMITS["flop"], FLOP / 2))
    assert far[2].endswith(" apart, since that compute is 44.5 times that of the largest run.")
    assert near[2].endswith(" apart; that compute is 2 times that of the largest run.")
    assert far[:2] == near[:2]


def test_the_exponent_inside_and_outside():
    inside = words.exponents_of_law(TABLE, NAMED, LIMITS["flop"], 1e26).split("\n")
    assert inside[0].endswith(
        "One half is inside: a constant ratio, the rule of thumb, agrees with the runs."
    )
    assert "give 0.452 as printed and 0.457 unrounded, both outside the interval; by" in inside[1]
    assert inside[2].endswith("advise 2.1 times the ratio of this fit, at 10²⁶ FLOP 5.9 times.")
    moved = TABLE.copy()
    moved.loc["exponent of the size, a", ["low", "high"]] = [0.4, 0.49]
    outside = words.exponents_of_law(moved, NAMED, LIMITS["flop"], 1e26).split("\n")
    assert outside[0].endswith("One half is outside: by this estimator the ratio changes with the compute.")
    assert "0.457 unrounded; by them" in outside[1]


def test_the_curves_are_flat_at_the_bottom():
    flat, price, lesson = words.flat_bottom(FIT.law, FLOP).split("\n")
    assert flat == "The curves are flat at the bottom."
    assert price.endswith(
        "has a loss 0.24% higher; for one of twice the size, trained on half the tokens, it is 0.25%."
    )
    assert lesson == "So a size that is off by a factor of two costs little."


def test_a_steep_law_is_not_called_flat():
    steep = cohort.scaling.ScalingLaw(E=0.1, A=1e5, B=1e5, alpha=0.5, beta=0.5)
    said = words.flat_bottom(steep, 6e20)
    assert said.startswith("At 6 × 10²⁰ FLOP") and "flat" not in said and "little" not in said


def test_estimators_and_dropped_runs():
    five, none, _, _, listen, last = words.estimators(CHOICES, 200).split("\n")
    assert five == "- With 5 runs left out, the four estimators advise 10.4 to 17.9 tokens per parameter."
    assert none == "- With none left out, the four estimators advise 1.2 to 6.8 tokens per parameter."
    assert "from 0.37 to 0.45 by Huber's misfit, from 0.43 to 0.66 by the squares of losses." in listen
    assert last == "Each interval rests on 200 resamples."


def test_there_is_no_bend():
    judged = judging.judge("chinchilla_fit", law=FIT.law)
    said = words.no_bend(FIT.law, judged)
    assert "takes off $2^{-\\beta}$, 0.78, of what the one before did" in said
    assert "still takes off 17 thousandths of a nat." in said
    assert words.no_bend(FIT.law, judged[::-1]) == said, "the verdict is found by its claim"


def test_runs_that_were_held_out():
    split = tables.held_out(RUNS, 1e21, "huber", 1e-3)
    predicts, bias = checks.beyond_the_cut(split, 1e21).split("\n")
    assert predicts == (
        "The fit to the runs below 10²¹ FLOP predicts the 23 runs above it, of up to 13 times that compute, "
        "within 0.9% at the median, where those that it was fitted to scatter by 0.3%."
    )
    assert (
        bias == "Its mean error is +0.03%, with a standard error of 0.27%: over this stretch no bias shows."
    )
    shifted = split.assign(error=split["error"] + 0.1)
    assert checks.beyond_the_cut(shifted, 1e21).endswith("the extrapolation is biased.")


def test_the_other_approaches():
    sizes = printed.size_errors(NAMED)
    assert checks.other_approaches(sizes).startswith(
        "By this fit the sizes differ from those of approach 1 by a factor of 1.11 at the median, and from "
        "those of approach 2 by 1.21. By the paper's own law, unrounded, the factors are 1.82 and 1.69: its "
        "three "
    )
    swapped = sizes.rename({"this fit": "hoffmann-unrounded", "hoffmann-unrounded": "this fit"})
    assert checks.other_approaches(swapped).endswith(": the fit does not bring them nearer.")


def test_what_the_printed_tables_say():
    advice, implied = printed.advice(), printed.implied_exponents()
    typo, exponents, _, approach_3 = checks.printed_tables(
        advice, implied, printed.against_advice(NAMED)
    ).split("\n")
    assert typo.startswith(
        "The compute of the 175 billion model of approach 3 is a misprint by a factor of 10."
    )
    assert exponents.endswith("to the power 0.498, 0.490 and 0.459, for the three approaches in turn.")
    assert approach_3.endswith(
        "the rounded ones ask for 1.57 to 2.22 times the printed compute, the unrounded ones for 1.02 to "
        "1.18 times, and those of later work for 0.95 to 1.08 times."
    )


def test_the_shapes_of_the_models():
    models = printed.chinchilla_models()
    sizes, width, _, ratios, six = checks.model_shapes(models).split("\n")
    assert sizes == (
        "49 of the 50 printed sizes are the count to the last digit; the other is printed as 2,980 million "
        "and counts 2,979.5."
    )
    assert width.endswith("is off by up to 7.3%.")
    assert ratios.startswith("The ratios of operations agree for all 6 models, but only if")
    assert six.endswith("by up to 10.1%.")
    for exact in (True, False):
        said = checks.model_shapes(models.assign(exact=exact)).split("\n")[0]
        assert said == f"{50 * exact} of the 50 printed sizes are the count to the last digit."


@pytest.mark.slow
def test_what_the_runs_leave_open_is_said_before_the_advice():
    rng = np.random.default_rng(0)
    tokens = np.exp(rng.uniform(21, 26, 40))
    law = cohort.law("besiroglu")
    one = fit(np.full(40, 1e9), tokens, law.loss(1e9, tokens) * np.exp(0.003 * rng.standard_normal(40)))
    text = words.left_open(one)
    assert text.startswith("- These runs leave A, E and alpha open: all runs have one size")
    assert "are no finding" in text
    sizes = np.exp(rng.uniform(18, 23, 40))
    assert words.left_open(fit(sizes, tokens, law.loss(sizes, tokens))) == ""
