"""What the answer rests on: other forms, other sets of runs, and verdicts that another law would change."""

import math

import pandas as pd
import pytest
from chinchilla_fit import FIT

import cohort
from cohort.chapters.data_optimal import doubts, tables, verdicts
from cohort.fitting import Bootstrap, panel
from cohort.scaling import ScalingLaw

SIZE, SEEN = 8.03e9, 15e12


def test_a_form_that_is_the_same_law_gives_the_same_answer(monkeypatch):
    coupled = cohort.scaling.other_laws.CoupledLaw(**FIT.law.coefficients(), k=1.0)
    monkeypatch.setattr(doubts, "laws_of_forms", lambda: {"coupled": coupled})
    found = doubts.by_form(SIZE, SEEN).loc["coupled"]
    assert found["overhead"] == pytest.approx(tables.overhead(FIT.law, SIZE, SEEN), rel=1e-5)
    assert found["break-even"] == pytest.approx(FIT.law.break_even_tokens(SIZE, SEEN), rel=1e-3)


def test_the_spread_holds_every_law_of_its_kind():
    by_law, forms = tables.by_law(SIZE, SEEN, FIT), doubts.by_form(SIZE, SEEN)
    found = doubts.spread_by_source(pd.Series({"overhead": 4.6, "break-even": 1.15e13}), forms, by_law)
    assert list(found.index) == ["forms", "data sets"]  # no interval, no row
    assert list(forms.index) == [form for form in panel.COMPARED if form != "chinchilla"]
    assert found["overhead low"]["forms"] == forms["overhead"].min()
    sets = by_law[by_law.index.str.startswith(tables.RUNS_OF)]
    assert found["laws"]["data sets"] == len(sets)
    assert found["break-even high"]["data sets"] == sets["break-even"].max()


def test_ends_without_end_are_words():
    ends = {"break-even low": [1e12, math.inf], "break-even high": [math.inf, math.inf]}
    assert doubts.between(pd.DataFrame(ends), "break-even") == ["1 trillion or never", "never"]


def test_each_doubt_has_its_line():
    ends = {"overhead low": [2.66, 0.0], "overhead high": [8.61, 35.2], "laws": [1, 4]}
    ends |= {"break-even low": [1.08e13, math.inf], "break-even high": [1.25e13, math.inf]}
    assert doubts.each_doubt(pd.DataFrame(ends, index=["coefficients", "forms"])) == (
        "- Within the 95% interval of the coefficients: 266 to 861% more compute than the optimum, and "
        "break-even in tokens of use at 10.8 to 12.5 trillion.\n"
        "- By 4 other forms fitted to the same runs: 0 to 3,520% more compute than the optimum, and no "
        "break-even."
    )


def test_a_verdict_falls_by_a_law_that_says_the_opposite():
    hungry = ScalingLaw(E=1.8, A=1.0, B=1e6, alpha=0.34, beta=0.37)  # asks for far more tokens
    found = verdicts.judged_again(FIT.law, Bootstrap([FIT.law, hungry]), {"hungry": hungry, "same": FIT.law})
    row = found.loc["beyond_compute_optimal"]
    assert row["verdict"] == "holds" and row["share"] == 0.5 and row["tried"] == 2
    assert row["against"] == {"hungry": "does not hold"}
    said = doubts.may_turn(found)
    assert (
        "compute-optimal tokens*: holds, by 50% of the resampled laws. Another verdict is given by " in said
    )
    assert "given by hungry (does not hold)." in said
    alone = doubts.may_turn(verdicts.judged_again(FIT.law, None, {"same": FIT.law}))
    assert "resampled" not in alone and alone.count("None of them gives another verdict; one ") == 3


def test_laws_that_say_otherwise_are_named_and_those_of_other_runs_counted():
    against = {"hoffmann": "holds with limits", "sardana": "holds with limits", "runs of a": "does not hold"}
    against |= {"runs of b": "holds with limits", "runs of c": "does not hold"}
    row = {"verdict": "holds", "share": None, "tried": 5, "against": against}
    assert doubts.may_turn(pd.DataFrame([row], index=["gains_continue_to_15t"])).split("\n")[2] == (
        "- *Llama 3 8B gains up to 15 trillion tokens*: holds. Another verdict is given by Hoffmann et al. "
        "2022 and Sardana et al. 2024 and by the laws of 1 other set of runs (holds with limits), the laws "
        "of 2 other sets of runs (does not hold)."
    )


def test_every_claim_that_a_law_decides_is_named():
    judged = {each.claim for each in verdicts.judge(FIT.law)}
    assert set(doubts.CLAIMS) == set(doubts.OPPOSED) == set(verdicts.BY_LAW) < judged
