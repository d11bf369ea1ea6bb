"""The chapter for a reader's own runs, the whole curve of dropped runs, and how firm its verdict is."""

import pandas as pd
import pytest

from cohort.chapters.chinchilla_fit import checks, tables, verdicts
from cohort.errors import ParameterError
from cohort.fitting import chinchilla_runs, fit


def own(path, count=60):
    frame = chinchilla_runs.runs(0).tail(count)[["parameters", "tokens", "loss"]]
    frame.to_csv(path, index=False)
    return str(path)


@pytest.mark.slow
def test_own_runs_take_the_place_of_chinchillas(tmp_path):
    source = own(tmp_path / "mine.csv")
    frame = chinchilla_runs.runs(2, source)
    assert len(frame) == 60 and frame["dropped"].sum() == 2
    assert frame["loss"].is_monotonic_decreasing
    note = checks.whose_runs(source, frame)
    assert "58 runs of `mine.csv`" in note and "2 of the highest losses" in note
    assert checks.whose_runs("chinchilla", frame) == ""
    advice = tables.choices(1e22, [0], 1e-3, 10, 0, source)
    expected = fit(*chinchilla_runs.columns(chinchilla_runs.runs(0, source))).law.beta
    assert advice.set_index("estimator")["beta"]["huber"] == pytest.approx(expected)
    with pytest.raises(ParameterError, match="dropped_rows is 55, but must be from 0 to 54"):
        chinchilla_runs.runs(55, source)


@pytest.mark.slow
def test_the_whole_curve_of_dropped_runs():
    advice = tables.by_dropped(5.76e23, "huber", 1e-3)
    assert [round(advice[number], 1) for number in (5, 10, 15, 20, 30, 40)] == [
        17.9, 19.9, 26.0, 31.1, 48.6, 63.7,
    ]  # fmt: skip
    assert checks.runs_left_out(advice) == (
        "As more of the runs with the highest losses are left out, the advice moves: the least is 6.82 "
        "tokens per parameter with 0 left out, the most 63.7 tokens per parameter with 40 left out.\n"
        "That is a factor of 9.35: where the runs end is a choice, and part of the answer."
    )
    assert "the advice is steady" in checks.runs_left_out(pd.Series({0: 10.0, 5: 11.0}))


def test_a_verdict_can_fall():
    boot = fit(*chinchilla_runs.columns(chinchilla_runs.runs())).bootstrap(200)
    found = verdicts.standing(boot)
    assert 0.3 < found["holds"] < 0.6 and found["against"]
    said = checks.may_fall(found)
    assert f"By {100 * found['holds']:.0f}% of the resampled laws it holds" in said
    assert "By none of the published laws" in checks.may_fall(found | {"against": []})
