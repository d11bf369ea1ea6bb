"""How likely a skewed router chooses each expert, without NumPy: as with it, and as it must be."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cohort.errors import ParameterError
from cohort.experts import router
from cohort.experts.choosing import chosen_shares, ranked_weights


@pytest.mark.parametrize(
    ("experts", "active", "skew"),
    [
        (160, 6, 0.5),
        (8, 2, 1.0),
        (256, 8, 2.0),
        (8, 2, 4.0),
        (128, 4, 3.0),
        (16, 15, 1.0),
        (64, 32, 1.5),
        pytest.param(256, 100, 0.3, marks=pytest.mark.slow),
    ],
)
def test_both_quadratures_agree(experts, active, skew):
    own = chosen_shares(experts, active, skew)
    other = router.popularity(router.weights(experts, skew), active)
    assert np.allclose(own, other, rtol=2e-6, atol=0)


def test_two_of_three_by_hand():
    first, second, third = ranked_weights(3, 1.0)
    by_hand = first + second * first / (1 - second) + third * first / (1 - third)
    assert chosen_shares(3, 2, 1.0)[0] == pytest.approx(by_hand, rel=1e-6)


@given(st.integers(1, 40), st.data())
def test_shares_are_probabilities_that_add_up_and_fall(experts, data):
    active = data.draw(st.integers(1, experts))
    shares = chosen_shares(experts, active, data.draw(st.floats(0, 4)))
    assert math.fsum(shares) == pytest.approx(active, rel=1e-6)
    assert all(0 < share <= 1 for share in shares)
    assert all(one >= other * (1 - 1e-6) for one, other in pairwise(shares))


@pytest.mark.parametrize(("experts", "active", "skew"), [(0, 1, 0), (4, 5, 0.5), (4, 2, 5.0), (4, 0, 1.0)])
def test_out_of_range_is_refused(experts, active, skew):
    with pytest.raises(ParameterError, match="must be"):
        chosen_shares(experts, active, skew)
