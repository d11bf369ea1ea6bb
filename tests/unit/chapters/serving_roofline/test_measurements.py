"""Measured rows as cases, and the engines that the shares are fitted to."""

import pandas as pd
import pytest

from cohort.chapters.serving_roofline import comparisons
from cohort.registry import facts
from cohort.serving import measurements
from cohort.serving.roofline import ROOFLINE

MEASURED = [*facts.rows("serving_measurements"), *facts.rows("serving_measurements_mlengineering")]


@pytest.fixture(scope="module")
def compared() -> pd.DataFrame:
    return comparisons.measured_cases("test")


def test_no_row_is_dropped_in_silence(compared):
    calibrated = comparisons.measured_cases("calibrate")
    assert len(compared) + len(calibrated) + int(comparisons.rows_left_out().sum()) == len(MEASURED) == 541
    assert (len(compared), len(calibrated)) == (119, 69)


def test_a_row_as_a_case_by_hand():
    """TensorRT-LLM on two H200: 1,654 tokens a second each at a batch of 512."""
    rows = facts.rows("serving_measurements")
    row = next(each for each in rows if each["source"] == "trtllmh200" and each["tensor_parallel"] == "2")
    found = measurements.case(row)
    assert found.seconds == 512 / (2 * 1654)
    assert (found.request["kv_dtype"], found.request["concurrency"], found.quantity) == (
        "fp8",
        512,
        "request",
    )


@pytest.mark.parametrize(
    ("metric", "value", "unit", "quantity", "seconds"),
    [
        ("decode_speed", "50", "tokens/s", "token", 0.02),
        ("tpot", "25", "ms", "token", 0.025),
        ("first_token_latency", "0.4", "s", "first token", 0.4),
        ("prefill_speed", "1000", "tokens/s", "first token", 2.048),
    ],
)
def test_units_of_the_cases(metric, value, unit, quantity, seconds):
    row = next(each for each in facts.rows("serving_measurements") if not measurements.unanswered(each))
    row |= {"metric": metric, "value": value, "unit": unit, "concurrency": "1", "input_tokens": "2048"}
    found = measurements.case(row)
    assert (found.quantity, found.seconds) == (quantity, pytest.approx(seconds, rel=1e-15, abs=0))


def test_unstated_batches_are_served_as_many_as_fit():
    """Engines of 2023 score long answers too slowly for those of 2025, whose constants explain the gap."""
    found = comparisons.measured_at_maximum()
    assert len(found) == 91
    plain, recent = (found[f"{name} error"] for name in ("predicted", "predicted today"))
    assert plain.median() < -0.3
    assert recent.abs().median() < 0.16
    assert recent.median() == pytest.approx(-0.117, abs=0.01)


def test_the_baselines_have_no_fixed_times():
    for each in (ROOFLINE, measurements.ALLOWANCE):
        assert not any(each.launches.values())
        assert each.sequence_s == each.first_s == each.streams == 0
        assert each.all_reduce_s == (0.0, 0.0)
        assert each.product("any", "fp8") == each.matrices["fp8"]
