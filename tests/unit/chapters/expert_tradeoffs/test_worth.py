"""What a mixture is worth: laws by hand, and a size read back from scores."""

import math

import numpy as np
import pytest

import cohort
from cohort.chapters.expert_tradeoffs import worth
from cohort.scaling import mixture_laws, mixture_rules


def test_equivalents_hold_the_laws_and_the_folklore():
    frame = worth.equivalents(["dbrx"]).set_index("law")
    assert list(frame.index) == [*worth.MIXED_LAWS, *worth.RULES]
    own = mixture_laws.shape(cohort.model("dbrx"))
    assert frame.loc[worth.FOLKLORE, "dense"] == math.sqrt(own.active * own.total)
    assert frame.loc["clark-s-base", "beyond"] == pytest.approx(12e12 / 1.3e11)
    assert math.isnan(frame.loc["abnar", "beyond"])


def test_a_size_is_read_back_from_a_line_that_is_exact():
    """Four dense models on a straight line in two years: a mixture's score gives back its size."""
    frame = worth.scores_by_size().iloc[:0].copy()
    sizes = {"a": (1e9, 2023), "b": (1e10, 2023), "c": (1e9, 2024), "d": (1e11, 2024), "e": (1e10, 2024)}
    for name, (size, year) in sizes.items():
        frame.loc[name] = [10 * math.log10(size) + 5 * (year - 2023), size, size, year, False]
    frame.loc["mix"] = [10 * math.log10(3e9) + 5, 1e9, 9e9, 2024, True]
    frame["experts"] = frame["experts"].astype(bool)
    found = worth.fitted_size(frame)
    assert found.loc["mix", "dense"] == pytest.approx(3e9, rel=1e-9)
    assert found.attrs["points"] == pytest.approx(0, abs=1e-9) and found.attrs[
        "per tenfold"
    ] == pytest.approx(10)


def test_scores_are_of_base_models_in_one_setting():
    frame = worth.scores_by_size()
    assert {"Mixtral 8x22B", "DeepSeek-V2", "Llama 3 8B"} <= set(frame.index)
    assert frame.loc["Mixtral 8x22B", "score"] == 77.6
    assert np.isfinite(frame["score"]).all()


def test_pairs_and_rules_are_those_of_the_science():
    pairs, rules = worth.measured_pairs(), worth.rules()
    assert len(pairs) == rules.loc[mixture_rules.BLIND, "pairs"] >= 15
    ratio = pairs["predicted"] / pairs["dense"]
    assert ratio.median() == pytest.approx(rules.loc[mixture_rules.BLIND, "median"])
    assert rules.loc["krajewski-16", "fitted to"] == "35 million to 540 million total"
    assert rules.loc[worth.FOLKLORE, "fitted to"] == "nothing"
    assert worth.times_active("dbrx") == pytest.approx(2.471, rel=1e-3)
