"""Measured rows beside predicted ones: the split, the errors that the book prints, and the calibration."""

import csv
import importlib.util
import io
from types import ModuleType

import pandas as pd
import pytest
from reading import ROOT, table

from cohort import facts, throughput
from cohort.serving import ROOFLINE, attained, with_recent_kernels

MEASURED = [*facts.rows("serving_measurements"), *facts.rows("serving_measurements_mlengineering")]


@pytest.fixture(scope="module")
def compared() -> pd.DataFrame:
    return throughput.compared("test")


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("calibrate", ROOT / "benchmarks" / "calibrate_serving.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_split_is_by_source():
    uses = {}
    for row in MEASURED:
        uses.setdefault(row["source"], set()).add(row["use"])
    assert all(len(each) == 1 for each in uses.values())


def test_the_calibration_used_no_row_that_tests(script):
    assert {each.row["use"] for each in script.CASES} == {"calibrate"}
    tested = {row["source"] for row in MEASURED if row["use"] == "test"}
    for row in table("serving_calibration"):
        assert not tested & set(row["sources"].split())


def test_rerunning_the_calibration_writes_the_table(script):
    """To one unit of the third digit, which another version of the solver may round otherwise."""
    written = list(csv.DictReader(io.StringIO(script.table())))
    kept = table("serving_calibration")
    assert [{**row, "value": ""} for row in written] == [{**row, "value": ""} for row in kept]
    for new, old in zip(written, kept, strict=True):
        assert float(new["value"]) == pytest.approx(float(old["value"]), rel=0.011, abs=0)


def test_the_calibrated_values_are_a_minimum_of_the_fit(script):
    """No single value can move by a tenth without a worse fit to the rows."""

    def loss(values):
        found = script.as_attained(values, shares)
        misses = [(script.np.log(each.predicted(found) / each.seconds) / 0.1) ** 2 for each in script.CASES]
        return sum(2 * ((1 + miss) ** 0.5 - 1) for miss in misses)

    rows = table("serving_calibration")
    shares = {
        (row["quantity"], row["of"]): float(row["value"]) for row in rows if row["method"] == "measured"
    }
    values = {(row["quantity"], row["of"]): float(row["value"]) for row in rows if row["method"] == "fitted"}
    best = loss(values)
    for name, value in values.items():
        assert loss({**values, name: 1.1 * value}) > best
        assert loss({**values, name: 0.9 * value}) > best


def test_the_median_error_of_the_test_rows_is_below_fifteen_percent(compared):
    """45 rows of dense models of 7B to 70B on A100, H100 and H200; both rooflines do worse."""
    scope = compared[compared["in scope"]]
    errors = scope[["predicted error", "allowance error", "roofline error"]].abs().median()
    assert len(scope) == 45
    assert errors["predicted error"] <= 0.15
    assert errors["predicted error"] < errors["allowance error"] / 2 < errors["roofline error"] / 2
    assert errors.to_dict() == pytest.approx(
        {"predicted error": 0.0991, "allowance error": 0.2202, "roofline error": 0.3886}, abs=5e-4
    )


def test_errors_by_source_and_parallelism(compared):
    scope = compared[compared["in scope"]]
    by_source = throughput.summary(scope, ["source"])
    assert by_source["rows"].to_dict() == {"gpubenchmarks": 9, "lmdeploya100": 29, "trtllmh200": 7}
    assert (by_source.loc[["lmdeploya100", "trtllmh200"], "predicted error"] < 15).all()
    assert by_source.loc["gpubenchmarks", "predicted error"] > 15  # llama.cpp, as the book says
    assert throughput.summary(scope, ["tensor_parallel"])["rows"].to_dict() == {1: 33, 2: 1, 4: 11}
    assert (by_source["predicted error"] < by_source["allowance error"]).all()


def test_the_summary_by_hand():
    frame = pd.DataFrame(
        {
            "source": ["a", "a", "a", "b"],
            "predicted error": [-0.1, 0.2, -0.3, 0.5],
            "allowance error": [0.1, 0.1, 0.4, 0.5],
            "roofline error": [0.0, 0.6, -0.7, -0.5],
        }
    )
    found = throughput.summary(frame, ["source"])
    assert found.loc["a"].tolist() == pytest.approx([3, 20, 10, 60, -10])
    assert found.loc["b"].tolist() == pytest.approx([1, 50, 50, 50, 50])


def test_no_row_is_dropped_in_silence(compared):
    calibrated = throughput.compared("calibrate")
    assert len(compared) + len(calibrated) + int(throughput.left_out().sum()) == len(MEASURED) == 540
    assert (len(compared), len(calibrated)) == (116, 69)


def test_whatever_is_far_off_has_a_reason(compared):
    missed = throughput.missed(compared)
    assert (missed["why"] != "").all()
    assert int(missed["rows"].sum()) == int((compared["predicted error"].abs() > throughput.FAR).sum()) > 0


def test_a_row_as_a_case_by_hand():
    """TensorRT-LLM on two H200: 1,654 tokens a second each at a batch of 512."""
    rows = facts.rows("serving_measurements")
    row = next(each for each in rows if each["source"] == "trtllmh200" and each["tensor_parallel"] == "2")
    found = throughput.case(row)
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
    row = next(each for each in facts.rows("serving_measurements") if not throughput.unanswered(each))
    row |= {"metric": metric, "value": value, "unit": unit, "concurrency": "1", "input_tokens": "2048"}
    found = throughput.case(row)
    assert (found.quantity, found.seconds) == (quantity, pytest.approx(seconds, rel=1e-15, abs=0))


def test_unstated_batches_are_served_as_many_as_fit():
    """Engines of 2023 score long answers too slowly for those of 2025; recent kernels explain the gap."""
    found = throughput.at_maximum()
    assert len(found) == 82
    plain, recent = (found[f"{name} error"] for name in ("predicted", "with recent kernels"))
    assert plain.median() < -0.3
    assert recent.abs().median() < 0.15
    assert (found["with recent kernels"] >= found["predicted"]).all()


def test_recent_kernels_change_the_scores_of_grouped_queries_alone():
    old, new = attained(), with_recent_kernels()
    assert new.scores == {"grouped": old.scores["latent"], "latent": old.scores["latent"]}
    assert (new.weights, new.cache, new.layer_s, new.link) == (old.weights, old.cache, old.layer_s, old.link)


def test_the_baselines_have_no_fixed_times():
    for each in (ROOFLINE, throughput.ALLOWANCE):
        assert each.layer_s == each.sequence_s == each.all_reduce_s == 0
        assert each.product("any", "fp8") == each.matrices["fp8"]
