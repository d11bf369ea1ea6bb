"""Pairs of mixtures and dense models, and the rules that are scored on them."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reading import table

from cohort.errors import ParameterError
from cohort.scaling import mixture_laws, mixture_pairs, mixture_rules
from cohort.scaling.mixture_laws import Shape

PAIRS = mixture_pairs.equal_pairs()
SCORES = {score.rule: score for score in mixture_rules.rule_scores()}


def pair_of(name):
    return next(pair for pair in mixture_pairs.pairs() if pair.name == name)


@pytest.mark.slow
@given(st.floats(0.1, 0.9), st.floats(1.2, 2.5), st.floats(8.2, 9.8))
def test_a_size_on_a_known_power_law_is_found(alpha, floor, wanted):
    def loss(log):
        return floor + 3 * 10 ** (-alpha * (log - 8))

    dense = [(10.0**log, loss(log)) for log in (8, 8.6, 9.3, 10)]
    size, relation = mixture_pairs.equal_size(dense, loss(wanted))
    assert relation == "equal"
    assert math.log10(size) == pytest.approx(wanted, abs=1e-6)


def test_a_loss_outside_the_dense_ones_only_bounds_the_size():
    dense = [(1e8, 3.0), (1e9, 2.5), (1e10, 2.25)]
    assert mixture_pairs.equal_size(dense, 2.2) == (1e10, "at least")
    assert mixture_pairs.equal_size(dense, 3.1) == (1e8, "at most")


@pytest.mark.parametrize(("dense", "said"), [([(1, 2), (2, 1)], "three"), ([(1, 2), (2, 2), (3, 1)], "fall")])
def test_dense_models_that_tell_no_size_are_refused(dense, said):
    with pytest.raises(ParameterError, match=said):
        mixture_pairs.equal_size(dense, 1.5)


def test_switch_base_lies_between_t5_large_and_xxl_by_hand():
    """Losses of 1.599, 1.402 and 1.147 at 0.223, 0.739 and 11.3 billion leave 0.9446 + 0.418 N^-0.2989."""
    found = pair_of("Switch-Base")
    assert found.dense == pytest.approx((0.41789 / (1.370 - 0.94457)) ** (1 / 0.29892) * 1e9, rel=0.002)
    assert pair_of("Switch-XXL").relation == "at least"


def test_there_are_pairs_of_seven_makers_with_sources_and_conditions():
    assert len(PAIRS) >= 15
    assert len({pair.maker for pair in PAIRS}) >= 7
    assert all(pair.source and pair.status and pair.tokens > 1e9 for pair in PAIRS)
    assert all(row["note"] for row in table("mixture_pairs"))


def test_a_mixture_is_never_worth_more_than_a_dense_model_of_all_its_weights_but_by_noise():
    assert all(pair.dense < 1.05 * pair.shape.total for pair in PAIRS)


def test_the_joint_law_gives_the_printed_reductions_and_is_dense_for_one_expert():
    law = mixture_laws.routed_law("ludziejewski")
    printed = {1: (30.3640, -0.1817, 53.9838, -0.1965), 32: (16.5424, -0.1557, 234.6726, -0.2652)}
    for experts, found in printed.items():
        assert law.reduced(experts) == pytest.approx(found, rel=0.003)
    assert law.dense_equivalent(1e9, 1e11, 1) == pytest.approx(1e9, rel=1e-9)
    assert law.dense_equivalent(1e9, 1e11, 32) > 3e9


def test_the_leverage_is_that_of_the_print_and_best_at_the_printed_granularity():
    law = mixture_laws.routed_law("ling")
    assert law.leverage(0.031, 12, 1e22) == pytest.approx(7.2, abs=0.1)
    best = max(range(1, 65), key=lambda fine: law.leverage(0.031, fine, 1e22))
    assert 8 <= best <= 14
    assert law.leverage(0.031, 12, 1e22) > law.leverage(0.031, 12, 1e20)


def test_the_blind_rule_meets_what_was_asked_of_it():
    """Chosen and fitted without the maker it is tested on: half to double is not good enough."""
    blind = SCORES[mixture_rules.BLIND]
    assert blind.pairs == len(PAIRS)
    assert 0.8 <= blind.median <= 1.25 and blind.spread <= 1.4
    assert 0.8 <= blind.makers_median <= 1.25 and blind.makers_spread <= 1.4


def test_the_rule_does_not_know_the_maker_it_is_tested_on():
    """Ant's one pair made ten times as good changes what others are given, and not what Ant's is."""
    place = next(index for index, pair in enumerate(PAIRS) if pair.maker == "Ant")
    changed = list(PAIRS)
    changed[place] = replace(PAIRS[place], dense=10 * PAIRS[place].dense)
    before, after = mixture_rules.blind_ratios(PAIRS), mixture_rules.blind_ratios(changed)
    assert after[place] == pytest.approx(before[place] / 10, rel=1e-12)
    assert after[0] != before[0]


def test_no_form_knows_the_maker_it_is_tested_on():
    place = next(index for index, pair in enumerate(PAIRS) if pair.maker == "Ant")
    changed = list(PAIRS)
    changed[place] = replace(PAIRS[place], dense=10 * PAIRS[place].dense)
    for form in ("power", "bent power and granularity"):
        before = mixture_rules.ratios_left_out(form, PAIRS)
        after = mixture_rules.ratios_left_out(form, changed)
        assert after[place] == pytest.approx(before[place] / 10, rel=1e-12) and after[0] != before[0]


def test_more_pairs_of_one_maker_weigh_no_more():
    doubled = [*PAIRS, *(pair for pair in PAIRS if pair.maker == "DeepMind")]
    form = "power and granularity"
    assert mixture_rules.fitted_rule(form, doubled).coefficients == pytest.approx(
        mixture_rules.fitted_rule(form, PAIRS).coefficients, rel=1e-9
    )


def test_the_recommended_rule_is_between_active_and_all_for_every_pair():
    rule = mixture_rules.recommended()
    assert rule.form == mixture_rules.chosen_form(PAIRS)
    for pair in PAIRS:
        assert pair.shape.active < rule.dense_equivalent(pair.shape) <= pair.shape.total


def test_the_root_is_a_power_of_one_half():
    shape = Shape(1e9, 1.6e10, 8, 1, 0.875)
    assert mixture_rules.Rule(mixture_rules.ROOT, ()).dense_equivalent(shape) == pytest.approx(4e9)
    assert mixture_rules.Rule("power", (0.5,)).dense_equivalent(shape) == pytest.approx(4e9)


def test_no_rule_makes_a_mixture_worth_more_than_all_its_weights():
    shape = Shape(1e9, 1.5e9, 1.5, 16, 0.5)
    assert mixture_rules.Rule("power and granularity", (0.45, 0.25)).dense_equivalent(shape) == 1.5e9


def test_a_law_is_not_scored_on_the_models_that_it_was_fitted_to():
    for name in ("clark-s-base", "clark-rl-r", "clark-hash"):
        assert "DeepMind" not in SCORES[name].by_maker
    assert "Ant" not in SCORES["ling"].by_maker
    assert SCORES["abnar"].pairs == len(PAIRS)


def test_scores_by_hand():
    """Ratios of 1, 2 and 4 of one maker, and of 8 of another: half the weight lies on the 8."""
    one, other = PAIRS[0], next(pair for pair in PAIRS if pair.maker != PAIRS[0].maker)
    score = mixture_rules.score_of("a rule", [1, 2, 4, 8], [one, one, one, other])
    assert score.median == 3 and score.makers_median == 5
    logs = [math.log(each / 3) ** 2 for each in (1, 2, 4, 8)]
    assert score.spread == pytest.approx(math.exp(math.sqrt(sum(logs) / 4)))
    alike = (sum(math.log(each / 5) ** 2 for each in (1, 2, 4)) / 3 + math.log(8 / 5) ** 2) / 2
    assert score.makers_spread == pytest.approx(math.exp(math.sqrt(alike)))


def test_bounds_that_nothing_was_fitted_to_are_kept_within_a_quarter():
    found = mixture_rules.bounded_ratios()
    assert len(found) + len(PAIRS) == len(mixture_pairs.pairs())
    for pair, ratio in found:
        assert ratio > 0.75 if pair.relation == "at least" else ratio < 1.25


def test_a_form_is_fitted_to_pairs_that_it_made():
    """Pairs on a known power of total and granularity give both back, whatever the makers."""
    known = mixture_rules.Rule("power and granularity", (0.3, 0.2))
    sparse = [pair for pair in PAIRS if pair.shape.total / pair.shape.active > 4]
    made = [replace(pair, dense=known.dense_equivalent(pair.shape)) for pair in sparse]
    found = mixture_rules.fitted_rule("power and granularity", made)
    assert found.coefficients == pytest.approx((0.3, 0.2), abs=1e-9)
