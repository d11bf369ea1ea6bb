"""Services of mixtures: a published fleet, groups that hold, measurements."""

import pytest

import cohort
from cohort.chapters.expert_tradeoffs import fleet

DEVICE = "H100 SXM 80GB"


def test_wide_services_lie_between_no_and_full_overlap():
    frame = fleet.wide_services()
    assert frame["devices"].tolist() == [144, 72, 8]
    assert frame["between"].all() and frame["stated"].tolist() == [True, False, False]
    own = frame.iloc[0]
    assert own["sequences"] == round(1850 / 21)
    assert own["apart"] / own["measured"] - 1 == pytest.approx(-0.204, abs=0.005)
    assert frame["measured"].tolist() == [14800 / 8, 22300 / 8, 10100]


def test_errors_of_services_by_how_experts_are_shared():
    frame = fleet.dealt_out()
    assert frame.loc["experts dealt out", "rows"] > 300
    assert frame.loc["experts dealt out", "median"] < 25


def test_a_step_of_one_device_is_that_of_serving():
    spec = cohort.model("deepseek-v2-lite")
    parts = fleet.step(spec, DEVICE, 1, 4, 1000, "bf16")
    found = cohort.serving.serve(spec, DEVICE, 1, 4, input_tokens=1000, output_tokens=1)
    for name, seconds in found.parts:
        if name not in ("prompts", "links"):
            assert parts[name] == pytest.approx(seconds, rel=1e-9), name
    assert parts["exchange"] == 0


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
