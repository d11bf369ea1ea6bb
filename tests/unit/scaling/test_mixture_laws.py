"""The laws of mixtures: against what their reports print, then by their own rules."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from law_prints import loss_of_active, reproduced
from reading import table

from cohort.architecture.registered import model
from cohort.errors import CohortError, ParameterError, UnknownNameError
from cohort.numeric import root
from cohort.scaling import InfeasibleError, mixture_laws

FRAME = reproduced()


def of(law, quantity):
    return FRAME[(FRAME["law"] == law) & (FRAME["quantity"] == quantity)]


def test_every_printed_figure_is_reproduced_or_its_range_holds():
    assert len(FRAME) == len(table("routed_law_prints"))


def test_fine_grained_compute_is_that_of_the_print():
    assert of("krajewski-64", "flop")["error"].abs().max() < 0.005


def test_fine_grained_optimum_is_that_of_the_print():
    """At the printed budgets: every granularity exactly, the tokens within the rounding of the size."""
    assert (of("krajewski-64", "granularity")["error"] == 0).all()
    assert of("krajewski-64", "tokens")["error"].abs().max() < 0.025


def test_fine_grained_loss_is_that_of_the_print_for_total_parameters_only():
    """Rounded coefficients leave 0.8%. With the active parameters in place of all it is 18 to 25%."""
    found = of("krajewski-64", "loss")
    assert found["error"].abs().max() < 0.0085
    law = mixture_laws.routed_law("krajewski-64")
    for _, row in found.iterrows():
        tokens = of("krajewski-64", "tokens").set_index("active").loc[row["active"], "printed"]
        fine = of("krajewski-64", "granularity").set_index("active").loc[row["active"], "printed"]
        assert law.loss(row["active"], tokens, fine) > 1.17 * row["printed"]


def test_the_ranges_of_the_other_expansion_hold_the_optimum():
    found = FRAME[FRAME["law"] == "krajewski-16"]
    assert len(found) == 14 and found["inside"].all()


def test_a_mixture_at_1e20_flop_is_worth_twenty_times_the_compute():
    """As the report says; beyond 1e25 it says more than forty, and its printed digits give 32."""
    mixed, dense = mixture_laws.routed_law("krajewski-64"), mixture_laws.routed_law("krajewski-dense")

    def ratio(flop):
        loss = mixed.compute_optimal(flop).loss
        log = root(
            lambda x: dense.compute_optimal(math.exp(x)).loss - loss, math.log(flop), math.log(flop) + 10
        )
        return math.exp(log) / flop

    assert ratio(1e20) == pytest.approx(20, rel=0.08)
    assert ratio(1e25) == pytest.approx(32, rel=0.01)


def test_cutoffs_are_within_the_rounding_of_the_coefficients():
    for name in ("clark-s-base", "clark-rl-r", "clark-hash"):
        assert of(name, "cutoff")["inside"].all()
    assert mixture_laws.routed_law("clark-s-base").cutoff == pytest.approx(1e12, rel=1e-12)


def test_effective_parameters_of_the_report_s_example():
    assert of("clark-s-base", "dense equivalent")["error"].abs().item() < 0.06


def test_logarithms_are_to_base_ten():
    """A dense model of a billion parameters, against the report's dense law (3.568e13 / N)^0.078."""
    dense = (3.568e13 / 1e9) ** 0.078
    for name in ("clark-s-base", "clark-rl-r", "clark-hash"):
        assert mixture_laws.routed_law(name).loss(1e9, 1) == pytest.approx(dense, rel=0.01)


@pytest.mark.parametrize("name", ["clark-s-base", "clark-rl-r", "clark-hash"])
def test_one_expert_is_the_dense_model(name):
    law = mixture_laws.routed_law(name)
    assert law.effective_experts(1) == pytest.approx(law.E_start, rel=1e-12)
    assert law.effective_experts(1e12) == pytest.approx(law.E_max, rel=1e-6)
    assert law.dense_equivalent(3e8, 1) == pytest.approx(3e8, rel=1e-9)


@given(active=st.floats(1e6, 1e10), expansion=st.floats(1, 512))
def test_experts_help_below_the_cutoff_and_harm_above(active, expansion):
    law = mixture_laws.routed_law("clark-rl-r")
    assert law.loss(active, expansion) <= law.loss(active, 1) * (1 + 1e-12)
    above = law.cutoff * active / 1e6
    assert law.loss(above, expansion) >= law.loss(above, 1) * (1 - 1e-12)


@given(total=st.floats(1e8, 1e12), tokens=st.floats(1e9, 1e14), fine=st.floats(1, 64))
def test_dense_equivalents_have_the_loss_of_the_mixture(total, tokens, fine):
    law = mixture_laws.routed_law("krajewski-64")
    try:
        dense = law.dense_equivalent(total, tokens, fine)
    except InfeasibleError:
        return
    assert law.dense.loss(dense, tokens) == pytest.approx(law.loss(total, tokens, fine), rel=1e-9)


@given(total=st.floats(1e8, 1e11), sparsity=st.floats(0, 0.98))
def test_sparse_equivalents_have_the_loss_of_the_mixture_whatever_the_tokens(total, sparsity):
    law = mixture_laws.routed_law("abnar")
    try:
        dense = law.dense_equivalent(total, sparsity)
    except InfeasibleError:
        return
    for tokens in (1e10, 1e12):
        assert law.loss(dense, tokens, 0) == pytest.approx(law.loss(total, tokens, sparsity), rel=1e-9)


def test_the_optimum_has_a_lower_loss_than_its_neighbours():
    law = mixture_laws.routed_law("krajewski-64")
    best = law.compute_optimal(1e22)
    for factor in (0.9, 1.1):
        for fine in (best.granularity // 2, best.granularity, best.granularity * 2):
            width = law.width(best.active * factor)
            tokens = best.flop / law.flop_per_token(width, fine)
            assert law.loss(law.parameters(width)[1], tokens, fine) > best.loss


def test_shapes_by_hand():
    """Mixtral: 2 of 8. DeepSeek-V2: 6 of 160 and 2 shared. Arctic: 2 of 128 beside a dense network."""
    found = {
        name: mixture_laws.shape(model(name))
        for name in ("mixtral-8x7b-v0.1", "deepseek-v2", "snowflake-arctic")
    }
    mixtral, deepseek, arctic = found.values()
    assert (mixtral.expansion, mixtral.granularity, mixtral.sparsity) == (4, 2, 0.75)
    assert (deepseek.expansion, deepseek.granularity) == (162 / 8, 8)
    assert arctic.expansion == (128 * 4864 + 7168) / (2 * 4864 + 7168)
    assert mixtral.total == 46_702_792_704 - 2 * 32_000 * 4096
    dense = mixture_laws.shape(model("llama-3-8b"))
    assert (dense.expansion, dense.granularity, dense.sparsity) == (1, 1, 0)


def test_what_lies_outside_a_law_is_named():
    own = mixture_laws.shape(model("mixtral-8x7b-v0.1"))
    beyond = mixture_laws.outside("krajewski-64", own, 1e12)
    assert beyond["expansion"] == 4 / 64 and beyond["tokens"] == pytest.approx(1e12 / 1.3e11)
    assert "granularity" not in beyond
    assert "tokens" not in mixture_laws.outside("krajewski-64", own)
    sparse = mixture_laws.outside("abnar", mixture_laws.shape(model("llama-4-maverick")))
    assert sparse == {"sparsity": pytest.approx(0.02 * 128, rel=1e-9)}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: mixture_laws.routed_law("clark-s-bas"), "did you mean 'clark-s-base'"),
        (lambda: mixture_laws.ranges("nobody"), "unknown law of mixtures"),
        (
            lambda: mixture_laws.routed_law("clark-hash").loss(1e9, 0.5),
            "expansion is 0.5, but must be a finite number of at least 1",
        ),
        (lambda: mixture_laws.routed_law("clark-hash").loss(-1, 2), "active is -1, but must be"),
        (
            lambda: mixture_laws.routed_law("abnar").loss(1e9, 1e9, 1.0),
            "sparsity is 1.0, but must be from 0 to below 1",
        ),
        (lambda: mixture_laws.routed_law("krajewski-64").loss(1e9, 0), "tokens is 0, but must be"),
        (lambda: mixture_laws.routed_law("krajewski-64").compute_optimal(-1), "flop is -1, but must be"),
        (
            lambda: mixture_laws.routed_law("krajewski-dense").dense_equivalent(1e9, 1e9, 1),
            "law of dense models",
        ),
        (lambda: mixture_laws.Shape(2e9, 1e9, 1, 1, 0), "must be a finite number of at least 2,000,000,000"),
    ],
)
def test_bad_values_are_named(call, message):
    with pytest.raises((ParameterError, UnknownNameError)) as error:
        call()
    assert message in str(error.value)


def test_a_loss_that_no_dense_model_reaches_is_refused():
    with pytest.raises(InfeasibleError, match="no dense model reaches this loss"):
        mixture_laws.routed_law("krajewski-64").dense_equivalent(1e40, 1e9, 1)


def test_read_with_active_parameters_a_law_of_all_parameters_misses_its_own_print():
    """3.9 nats a token where 3.133 are printed."""
    found, printed = loss_of_active("krajewski-64")
    assert (round(found, 1), printed) == (3.9, 3.133)
    with pytest.raises(CohortError, match="no printed loss of clark-hash"):
        loss_of_active("clark-hash")


@pytest.mark.parametrize(("start", "most"), [(-0.5, 1.0), (0.0, 1.0), (0.5, 0.5), (0.5, 0.1)])
def test_a_law_that_saturates_needs_a_start_below_its_end(start, most):
    """Otherwise the share that counts is negative, and its power no real number."""
    for name, share in (("ling", "A"), ("ludziejewski", "E")):
        with pytest.raises(ParameterError, match=rf"{share}_(start|max) is"):
            replace(mixture_laws.routed_law(name), **{f"{share}_start": start, f"{share}_max": most})
