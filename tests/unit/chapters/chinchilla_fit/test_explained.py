"""What explains the chapter on the fit: figures, problems worked out by hand, and what to remember."""

import numpy as np
import pandas as pd
import pytest
from drawing import theme  # noqa: F401

from cohort.chapters.chinchilla_fit import diagrams, problems, remembered
from cohort.scaling import ScalingLaw

LAW = ScalingLaw(E=1.0, A=100.0, B=100.0, alpha=0.5, beta=0.5)


def test_the_pole_stands_where_both_shortages_are_least():
    flop = 6e20  # size and data alike: 1e10 of each
    (axes,) = diagrams.draw_parts_of_loss(LAW, flop).axes
    assert axes.lines[0].get_xdata()[0] == pytest.approx(10.0)
    tops = axes.collections[-1].get_paths()[0].vertices[:, 1].max()
    assert tops == pytest.approx(1 + 100 / np.sqrt(1e10 / 30) + 100 / np.sqrt(3e11), rel=1e-6)


def test_the_curve_of_dropped_runs():
    (axes,) = diagrams.draw_dropped(pd.Series({0: 7.0, 5: 18.0})).axes
    assert axes.lines[0].get_xydata().tolist() == [[0, 7], [5, 18]]


def test_a_loss_and_a_division_by_hand():
    """100 over the root of 70e9 is 0.000378, of 1.4e12 0.0000845; equal terms divide 6e20 into 1e10 and "
    "1e10."""
    loss, division, half = problems.worked(LAW, 6e20)
    assert loss.steps[2] == "1.0000 + 0.0004 + 0.0001 = 1.0005."
    assert loss.answer.endswith("the shortage of parameters adds more.")
    assert division.answer == "10 billion parameters and 10 billion tokens, 1 for each."
    more = 100 * (1 / np.sqrt(5e9) + 1 / np.sqrt(2e10)) - 200 / np.sqrt(1e10)
    assert half.answer.startswith(f"{1000 * more:.2g} thousandths of a nat")


def test_what_to_remember():
    table = pd.DataFrame({"low": [7.6], "high": [35.5]}, index=["tokens per parameter"])
    said = remembered.takeaways(LAW, 6e20, table, pd.Series({0: 6.8, 40: 63.7})).split("\n")
    assert len(said) == 4
    assert "advises 1 tokens per parameter. Its interval runs from 7.6 to 36" in said[0]
    assert "from 6.8 to 64 tokens per parameter as 0 to 40 runs are left out" in said[2]
