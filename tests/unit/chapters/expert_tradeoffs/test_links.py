"""Exchange of devices that share experts: predicted beside published, and by hand."""

import pytest

import cohort
from cohort.chapters.expert_tradeoffs import fleet, links, load
from cohort.errors import ParameterError
from cohort.experts.exchange import exchanged_bytes

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


def test_groups_are_whole_nodes_that_divide_the_experts():
    assert links.groups(cohort.model("deepseek-v2"), DEVICE) == [1, 2, 4, 5, 8, 16, 32, 40, 80, 160]
    assert links.groups(cohort.model("mixtral-8x7b-v0.1"), "GB200 (per GPU)") == [1, 2, 4, 8]
    with pytest.raises(ParameterError, match="must be a multiple of a node of 8 devices"):
        exchanged_bytes(64, 6, 5120, 1, 20)


def test_each_number_of_devices_waits_for_its_own_slowest():
    frame = links.shared(cohort.model("deepseek-v2"), DEVICE, 64, 0.5)
    assert frame["slowest"].is_monotonic_increasing
    alone = load.balance("deepseek-v2", 64 * 160, 0.5, 1.25, 160, 0).expected["slowest device"]
    assert frame.loc[160, "slowest"] == pytest.approx(alone, rel=1e-12)
    sent = 64 * 6 * 5120 * 152 / 160
    assert frame.loc[160, "dispatch_s"] == pytest.approx(links.latency() + alone * sent / 50e9, rel=1e-12)


def test_accelerators_without_price_or_link_are_no_fault():
    frame = fleet.served(["dbrx", "gemma-2b"], "Gaudi 3", 4, 1024, 256)
    assert len(frame) == 2 and frame["low"].isna().all() and (frame["throughput"] > 0).all()
    linkless = next(name for name in cohort.accelerators() if cohort.accelerator(name).link is None)
    assert links.node_size(cohort.accelerator(linkless)) == 1
    assert links.exchange(cohort.model("dbrx"), linkless, 64, 16)["dispatch_s"] > links.latency()


def test_no_tokens_are_refused():
    with pytest.raises(ParameterError, match="tokens is 0, but must be from 1"):
        links.shared(cohort.model("dbrx"), DEVICE, 0, 0.5)
