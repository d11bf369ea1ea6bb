"""What explains the chapter on data: figures, problems worked out by hand, and what to remember."""

import math

import pandas as pd
import pytest
from drawing import theme  # noqa: F401

from cohort.chapters.data_optimal import diagrams, lifetimes, problems, remembered
from cohort.scaling import ScalingLaw

LAW = ScalingLaw(E=1.0, A=100.0, B=100.0, alpha=0.5, beta=0.5)
BEST = LAW.compute_optimal(loss=LAW.loss(5e9, 4e11))


def test_two_models_of_equal_loss():
    (axes,) = diagrams.draw_equal_loss(LAW, "it", 5e9, 4e11).axes
    areas = [6e21 * bar.get_width() * bar.get_height() for bar in axes.patches]
    assert areas == pytest.approx([BEST.flop, 6 * 5e9 * 4e11])
    for tokens, size in axes.lines[0].get_xydata()[::40]:
        assert LAW.loss(size * 1e9, tokens * 1e12) == pytest.approx(LAW.loss(5e9, 4e11))


def test_lines_cross_at_break_even():
    after = (6 * 5e9 * 4e11 - BEST.flop) / (2 * (BEST.parameters - 5e9))
    (axes,) = diagrams.draw_lives("it", 5e9, 4e11, BEST, after, 1e12).axes
    assert axes.get_ylabel() == "training and use (10²² FLOP)"  # 6 × 5e9 × 4e11 = 1.2e22 before any use
    assert axes.lines[1].get_ydata()[0] == pytest.approx(1.2)
    first, second = (line.get_ydata() for line in axes.lines[:2])
    far = axes.lines[0].get_xdata()[1] * 1e12
    slopes = (first[1] - first[0] - second[1] + second[0]) / far  # in the unit of the axis, as their starts
    assert (second[0] - first[0]) / slopes == pytest.approx(after)


def test_a_model_that_never_pays_back_is_drawn_as_far_as_the_chosen_use():
    (axes,) = diagrams.draw_lives("it", 5e9, 4e11, BEST, math.inf, 1e12).axes
    assert axes.get_xlim() == (0, 2)


def test_extra_training_pay_back_and_bill():
    """The best has 100/sqrt(N) on both sides: sqrt(N) is 200 over 0.001572; hours are FLOP over 1e14 over "
    "3,600."""
    extra, back, bill = problems.worked(LAW, "it", 5e9, 4e11, 1e14, 2.0)
    assert BEST.parameters == pytest.approx((200 / (100 / 5e9**0.5 + 100 / 4e11**0.5)) ** 2)
    assert extra.answer == f"{6 * 5e9 * 4e11 / BEST.flop:.3g} times as much."
    after = (6 * 5e9 * 4e11 - BEST.flop) / (2 * (BEST.parameters - 5e9)) / 1e12
    assert back.answer == f"After {after:.3g} trillion tokens."
    assert bill.answer == "USD 66,700, for the final run alone."
    *_, beside = problems.worked(LAW, "it", 5e9, 4e11, 1e14, 2.0, stated=1e5)
    assert beside.steps[-1] == "The makers of it state 100,000 hours of this accelerator, 3 times as many."
    assert beside.answer.endswith("for the final run alone; by the hours that were stated, USD 200,000.")


def test_only_hours_of_the_same_accelerator_count():
    assert lifetimes.stated_hours("llama-3-8b", "H100 SXM 80GB") == 1.3e6
    assert lifetimes.stated_hours("llama-3-8b", "A100 SXM 80GB") is None
    assert lifetimes.stated_hours("dbrx", "H100 SXM 80GB") is None  # at most so many


def test_a_larger_model_never_pays_back():
    _, back, _ = problems.worked(LAW, "it", 4e11, 5e9, 1e14, 2.0)
    assert back.answer == "Never."


def test_what_to_remember():
    against = pd.DataFrame(
        {"size": [0.2, 1.5], "overhead": [4.6, 0.1], "break-even": [11.5e12, math.inf]}, index=["it", "other"]
    )
    laws = pd.DataFrame({"overhead": [0.98, 57.73]})
    spreads = pd.DataFrame({"overhead low": [0.5], "overhead high": [60.0]})
    scores = pd.DataFrame(
        {"set": ["a", "a"], "form": ["chinchilla", "coupled"], "beyond": [4.2, 0.92], "longer": [9, 9]}
    )
    said = remembered.takeaways("it", against, laws, spreads, scores).split("\n")
    assert said[0].startswith("- 1 of 2 models is smaller")
    assert said[1].endswith("pays that back after 11.5 trillion tokens of use.")
    assert said[2].endswith("the extra compute of it is 50 to 6,000%.")
    assert "tokens per parameter by 4.2% at the median" in said[3] and said[3].endswith(
        "couples size and data by 0.9%."
    )
    assert "never pays back" in remembered.takeaways("other", against, laws, spreads, scores)


def test_two_models_of_equal_loss_in_words():
    assert remembered.half_size(LAW).startswith(
        "Along the line of equal loss, half the compute-optimal size takes "
    )
    said = remembered.equal_loss("it", 5e9, 6 * 5e9 * 4e11, BEST)
    assert said.startswith("The low rectangle has the larger area: it took")
    assert f"costs {5e9 / BEST.parameters:.2g} times as much" in said
    assert remembered.equal_loss("it", 2 * BEST.parameters, 2 * BEST.flop, BEST) == (
        "it is the larger of the two: it took 2 times the training compute, and each token of use costs 2 "
        "times as much. Nothing pays that back."
    )
