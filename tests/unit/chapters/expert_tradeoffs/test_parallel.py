"""Experts over devices: predicted beside published, balance by two ways, serving on groups that hold."""

import math

import pytest

import cohort
from cohort.chapters.expert_tradeoffs import fleet, links, loads
from cohort.errors import ParameterError, UnknownNameError
from cohort.experts import closed_form, router

DEVICE = "H100 SXM 80GB"


def test_published_exchanges_are_predicted():
    """The two rows of one node calibrate the fixed time; the ten beyond it test."""
    frame = links.exchanges()
    tested = frame[frame["use"] == "test"]["error"].abs()
    assert (len(tested), len(frame)) == (10, 12)
    assert tested.median() < 0.025 and tested.max() < 0.13
    assert links.latency() == pytest.approx(47.3e-6, rel=2e-3)


def test_an_exchange_within_a_node_by_hand():
    """128 tokens to 8 experts, 7168 numbers; seven eighths leave a device, over links of 200 GB/s."""
    found = links.exchange(cohort.model("deepseek-v3.2"), "H800 SXM", 128, 8)
    sent = 128 * 8 * 7168 * 7 / 8
    assert (found["dispatch_bytes"], found["combine_bytes"]) == (sent, 2 * sent)
    assert found["combine_s"] - found["dispatch_s"] == pytest.approx(sent / 200e9, rel=1e-9)
    alone = links.exchange(cohort.model("deepseek-v3.2"), "H800 SXM", 128, 1)
    assert set(alone.values()) == {0.0}


def test_the_published_fleet_lies_between_no_and_full_overlap():
    found = fleet.expert_fleet()
    assert found["measured"] == 14_800 / 8 and found["sequences"] == round(1850 / 21)
    assert found["predicted"] < found["measured"] < found["overlapped"]
    assert found["error"] == pytest.approx(-0.077, abs=0.005)


def test_a_step_of_one_device_is_that_of_serving():
    spec = cohort.model("deepseek-v2-lite")
    parts = fleet.step(spec, DEVICE, 1, 4, 1000, "bf16")
    found = cohort.serving.serve(spec, DEVICE, 1, 4, input_tokens=1000, output_tokens=1)
    for name, seconds in found.parts:
        if name not in ("prompts", "links"):
            assert parts[name] == pytest.approx(seconds, rel=1e-9), name
    assert parts["exchange"] == 0


def test_measured_mixtures_and_how_far_off_they_are():
    frame = fleet.measured_mixtures()
    fitted, tested = (frame[frame["use"] == use]["error"].abs() for use in ("calibrate", "test"))
    assert (len(fitted), len(tested)) == (7, 6)
    assert fitted.max() < 0.095
    assert tested.min() > 0.3 and tested.max() < 0.5  # an order of magnitude, as the chapter says


@pytest.mark.parametrize(
    ("model", "skew", "devices", "tokens"),
    [("mixtral-8x7b-v0.1", 0.0, 8, 4096), ("dbrx", 0.7, 4, 4096), ("deepseek-v2-lite", 1.0, 8, 8192),
     ("deepseek-v2", 0.5, 8, 4096), ("qwen3-30b-a3b", 1.0, 16, 16384)],
)  # fmt: skip
def test_balance_by_formula_is_the_mean_of_many_simulations(model, skew, devices, tokens):
    runs = [loads.balance(model, tokens, skew, 1.25, devices, seed).simulated for seed in range(30)]
    expected = loads.balance(model, tokens, skew, 1.25, devices, 0).expected
    for quantity in expected.index:
        values = [float(run[quantity]) for run in runs]
        mean = sum(values) / len(values)
        deviation = math.sqrt(sum((each - mean) ** 2 for each in values) / (len(values) - 1))
        # The largest of many loads is nearly, not exactly, that of normal numbers: half a per cent. What
        # is dropped counts from one assignment on.
        assert abs(mean - expected[quantity]) <= 4.5 * deviation / math.sqrt(
            len(values)
        ) + 0.005 * mean + 1 / (100 * tokens)


def test_loads_are_listed_by_popularity():
    found = loads.balance("deepseek-v2", 4096, 1.0, 1.25, 8, 0)
    assert found.loads["expected"].is_monotonic_decreasing
    assert found.loads["simulated"].sum() == pytest.approx(160)


def test_more_skew_reads_less_and_balances_worse():
    frame = loads.by_skew(cohort.model("deepseek-v2"), 64, 4096, 1.25, 8, [0.0, 0.5, 1.0, 2.0])
    for falling in ("experts", "read"):
        assert frame[falling].is_monotonic_decreasing
    for rising in ("busiest", "slowest", "dropped"):
        assert frame[rising].is_monotonic_increasing


def test_drops_fall_with_room():
    lines = loads.drops_by_room(cohort.model("dbrx"), 4096, [0.0, 1.0], [0.5, 1.0, 2.0, 4.0])
    assert list(lines) == ["skew 0", "skew 1"]
    assert all(line.is_monotonic_decreasing for line in lines.values())
    assert lines["skew 0"].loc[0.5] == pytest.approx(50, rel=1e-9) and lines["skew 0"].loc[4.0] == 0


def test_groups_are_the_smallest_that_hold_the_answers():
    frame = fleet.served(["mixtral-8x7b-v0.1", "llama-3-70b", "llama-3.1-405b"], DEVICE, 64, 1024, 256)
    assert frame["devices"].tolist() == [1, 2, 8]
    one = cohort.serving.serve("mixtral-8x7b-v0.1", DEVICE, 1, 64, input_tokens=1024, output_tokens=256,
                               weight_dtype="fp8")  # fmt: skip
    assert frame.iloc[0]["throughput"] == one.output_tokens_per_s
    assert frame.iloc[0]["low"] == one.usd_per_million_tokens(cohort.accelerator(DEVICE).usd_per_hour[0])


def test_what_no_group_holds_is_left_out_by_name():
    frame = fleet.served(["llama-3.1-405b", "gemma-2b"], "L4", 8, 1024, 256)
    assert list(frame.index) == ["Gemma 2B"] and frame.attrs["left out"] == ["Llama 3.1 405B"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: loads.balance("llama-3-8b", 64, 0.5, 1.0, 1, 0), "which is dense, but must be a mixture"),
        (lambda: loads.balance("dbrx", 0, 0.5, 1.0, 1, 0), "tokens is 0, but must be from 1"),
        (
            lambda: loads.balance("dbrx", 64, 0.5, 1.0, 3, 0),
            "expert_parallel is 3, but must divide the 16",
        ),
        (
            lambda: loads.balance("dbrx", 64, 9.0, 1.0, 4, 0),
            "skew is 9.0, but must be a number from 0 to 4",
        ),
        (lambda: loads.balance("dbrx", 64, 0.5, -1.0, 4, 0), "capacity_factor is -1.0"),
        (lambda: links.network("Infiniband 400"), "unknown network"),
        (lambda: fleet.step(cohort.model("llama-3-8b"), DEVICE, 1, 1, 8), "which is dense"),
        (lambda: fleet.step(cohort.model("dbrx"), DEVICE, 17, 1, 8), "expert_parallel is 17"),
        (lambda: fleet.served(["dbrx"], DEVICE, 0, 8, 8), "concurrency is 0, but must be from 1"),
    ],
)
def test_bad_values_are_named(call, message):
    with pytest.raises((ParameterError, UnknownNameError)) as error:
        call()
    assert message in str(error.value)


def test_groups_are_whole_nodes_that_divide_the_experts():
    assert links.groups(cohort.model("deepseek-v2"), DEVICE) == [1, 2, 4, 5, 8, 16, 32, 40, 80, 160]
    assert links.groups(cohort.model("mixtral-8x7b-v0.1"), "GB200 (per GPU)") == [1, 2, 4, 8]
    with pytest.raises(ParameterError, match="must be a multiple of a node of 8 devices"):
        closed_form.exchanged_bytes(64, 6, 5120, 1, 20)


def test_each_number_of_devices_waits_for_its_own_slowest():
    frame = links.shared(cohort.model("deepseek-v2"), DEVICE, 64, 0.5)
    assert frame["slowest"].is_monotonic_increasing
    alone = loads.balance("deepseek-v2", 64 * 160, 0.5, 1.25, 160, 0).expected["slowest device"]
    assert frame.loc[160, "slowest"] == pytest.approx(alone, rel=1e-12)
    sent = 64 * 6 * 5120 * 152 / 160
    assert frame.loc[160, "dispatch_s"] == pytest.approx(links.latency() + alone * sent / 50e9, rel=1e-12)


def test_placement_by_hand_and_better_than_in_turn():
    """Loads 5, 4, 3, 2, 1, 1 on two devices of three: 5, 2 and 1 beside 4, 3 and 1."""
    assert loads.placement([5, 4, 3, 2, 1, 1], 2) == [0, 3, 4, 1, 2, 5]
    spec = cohort.model("deepseek-v2")
    weights = router.weights(160, 0.5)
    popular = router.popularity(weights, 6)
    in_turn = popular.reshape(20, 8).sum(axis=0).max() / (6 / 8)
    assert loads.expected_slowest(spec, 10**6, 0.5, 8) < 1.045 < 1.16 < in_turn


def test_accelerators_without_price_or_link_are_no_fault():
    frame = fleet.served(["dbrx", "gemma-2b"], "Gaudi 3", 4, 1024, 256)
    assert len(frame) == 2 and frame["low"].isna().all() and (frame["throughput"] > 0).all()
    linkless = next(name for name in cohort.accelerators() if cohort.accelerator(name).link is None)
    assert links.node_size(cohort.accelerator(linkless)) == 1
    assert links.exchange(cohort.model("dbrx"), linkless, 64, 16)["dispatch_s"] > links.latency()
