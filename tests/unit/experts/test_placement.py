"""The fullest device by hand and by enumeration: placed blindly, by load, and with copies."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cohort.errors import ParameterError
from cohort.experts import placement, router
from cohort.experts.placement import fullest, placed_blindly, placed_by_load

LOADS = st.lists(st.floats(0.01, 1), min_size=12, max_size=12)


def test_blind_is_the_mean_over_all_orders():
    """Loads 5, 2, 1, 0 on two devices: pairs 7 1, 6 2 and 5 3 are as likely, and the mean is 4."""
    assert placed_blindly([5, 2, 1, 0], 2, draws=20_000) == pytest.approx((7 + 6 + 5) / 3 / 4, rel=0.005)
    every = [fullest(order, 3) for order in permutations([9, 3, 2, 2, 1, 0])]
    exact = sum(every) / len(every)
    assert placed_blindly([9, 3, 2, 2, 1, 0], 3, draws=20_000) == pytest.approx(exact, rel=0.005)


def test_tokens_scatter_around_even_loads_as_they_do_by_simulation():
    even = router.weights(64, 0.0)
    streams = [router.Routed(router.route(even, 8, 512, seed), even) for seed in range(60)]
    runs = [fullest(each.loads.tolist(), 8) for each in streams]
    found = placed_blindly([1 / 8] * 64, 8, tokens=512, draws=2000)
    assert found == pytest.approx(sum(runs) / len(runs), rel=0.01)
    assert placed_by_load([1 / 8] * 64, 8, tokens=512) == pytest.approx(sum(runs) / len(runs), rel=0.01)


def test_by_load_by_hand():
    """5 goes to the first, 4 and 3 to the second, 2 to the first, 1 and 1 where there is room: 8 beside 8."""
    assert placed_by_load([5, 4, 3, 2, 1, 1], 2) == 1
    assert placed_by_load([5, 4, 3, 2, 1, 1], 2, loads=[0, 4, 4, 0, 0, 0]) == 2


def test_copies_go_where_the_load_is_and_to_different_devices():
    """An expert with 6 of 8 on two devices of three places: its two halves, and the rest, balance."""
    assert placed_by_load([6, 1, 1, 0], 2) == pytest.approx(6 / 4)
    assert placed_by_load([6, 1, 1, 0], 2, copies=2) == 1
    assert placed_by_load([6, 1, 1, 0], 2, copies=2, loads=[0, 0, 0, 8]) == 2


def test_copies_of_an_expert_lie_apart():
    """Of 10, 9.5, 9.5 and 1 the halves would fill one device; apart, each gets half of what comes to both."""
    assert placed_by_load([10, 19, 1], 2, copies=1, loads=[0, 20, 0]) == 1


@given(LOADS)
def test_what_is_known_is_never_worse_than_the_mean_order_and_never_better_than_even(loads):
    known = placed_by_load(loads, 4)
    assert 1 - 1e-12 <= known <= placed_blindly(loads, 4, draws=300) + 0.05
    assert placed_by_load(loads, 1) == pytest.approx(1) == placed_blindly(loads, 1, draws=3)
    assert placed_by_load(loads, 4, loads=[2 * each for each in loads]) == pytest.approx(known)


def test_more_devices_are_fuller_where_nothing_is_known():
    popular = router.popularity(router.weights(64, 0.7), 8).tolist()
    found = [placed_blindly(popular, devices) for devices in (1, 2, 4, 8, 16, 32, 64)]
    assert found[0] == pytest.approx(1) and found == sorted(found)
    assert found[-1] == pytest.approx(max(popular) * 64 / 8)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: fullest([1, 1, 1], 2), "must divide the 3 experts"),
        (lambda: placed_by_load([1, 1], 2, loads=[1]), "loads has 1 values"),
        (lambda: placed_by_load([1, 1], 2, copies=1), "must divide the 3"),
        (lambda: placed_blindly([1, 1], 2, draws=0), "draws is 0"),
        (lambda: placed_blindly([1, 1], 2, tokens=0), "tokens is 0"),
        (lambda: placed_by_load([1, 1], 2, copies=placement.MOST_COPIES + 2), "copies is"),
    ],
)
def test_bad_values_are_named(call, said):
    with pytest.raises(ParameterError, match=said):
        call()
