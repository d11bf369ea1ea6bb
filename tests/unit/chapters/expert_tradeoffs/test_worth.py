"""What a mixture is worth: laws by hand, and pairs beside rules."""

import math

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


def test_pairs_and_rules_are_those_of_the_science():
    pairs, rules = worth.measured_pairs(), worth.rules()
    assert len(pairs) == rules.loc[mixture_rules.BLIND, "pairs"] >= 15
    ratio = pairs["predicted"] / pairs["dense"]
    assert ratio.median() == pytest.approx(rules.loc[mixture_rules.BLIND, "median"])
    assert rules.loc["krajewski-16", "fitted to"] == "35 million to 540 million total"
    assert rules.loc[worth.FOLKLORE, "fitted to"] == "nothing"
    assert worth.times_active("dbrx") == pytest.approx(2.471, rel=1e-3)
