"""Measured rows beside predicted ones: the errors that the book prints, and the calibration."""

import csv
import io
from types import ModuleType

import pandas as pd
import pytest
from reading import benchmark, table

import cohort
from cohort.architecture import variants
from cohort.chapters.serving_roofline import comparisons
from cohort.registry import facts
from cohort.serving.roofline import attained, with_recent_kernels

MEASURED = [*facts.rows("serving_measurements"), *facts.rows("serving_measurements_mlengineering")]


@pytest.fixture(scope="module")
def compared() -> pd.DataFrame:
    return comparisons.measured_cases("test")


@pytest.fixture(scope="module")
def script() -> ModuleType:
    return benchmark("calibrate_serving")


def test_the_split_is_by_source():
    uses = {}
    for row in MEASURED:
        exchange = row["accelerators"] if row["metric"].startswith("all_to_all") else ""
        uses.setdefault((row["source"], exchange), set()).add(row["use"])
    # Exchanges are calibrated within a node and tested beyond it.
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
        {"predicted error": 0.0982, "allowance error": 0.2202, "roofline error": 0.3870}, abs=5e-4
    )


def test_errors_by_source_and_parallelism(compared):
    scope = compared[compared["in scope"]]
    by_source = comparisons.summary(scope, ["source"])
    assert by_source["rows"].to_dict() == {"gpubenchmarks": 9, "lmdeploya100": 29, "trtllmh200": 7}
    assert (by_source.loc[["lmdeploya100", "trtllmh200"], "predicted error"] < 15).all()
    assert by_source.loc["gpubenchmarks", "predicted error"] > 15  # llama.cpp, as the book says
    assert comparisons.summary(scope, ["tensor_parallel"])["rows"].to_dict() == {1: 33, 2: 1, 4: 11}
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
    found = comparisons.summary(frame, ["source"])
    assert found.loc["a"].tolist() == pytest.approx([3, 20, 10, 60, -10])
    assert found.loc["b"].tolist() == pytest.approx([1, 50, 50, 50, 50])


def test_whatever_is_far_off_has_a_reason(compared):
    missed = comparisons.missed(compared)
    assert (missed["why"] != "").all()
    assert int(missed["rows"].sum()) == int((compared["predicted error"].abs() > comparisons.FAR).sum()) > 0


def test_recent_kernels_change_the_scores_of_grouped_queries_alone():
    old, new = attained(), with_recent_kernels()
    assert new.scores == {"grouped": old.scores["latent"], "latent": old.scores["latent"]}
    assert (new.weights, new.cache, new.layer_s, new.link) == (old.weights, old.cache, old.layer_s, old.link)


def test_experts_opened_and_cut_keep_their_weights():
    spec = cohort.model("mixtral-8x7b-v0.1")
    opened = variants.with_all_experts(spec)
    assert opened.parameters == spec.parameters
    assert opened.active_parameters == spec.parameters
    arctic = variants.with_all_experts(cohort.model("snowflake-arctic"))
    assert arctic.active_parameters == arctic.parameters
    cut = variants.split_into_experts(cohort.model("llama-3-8b"))
    routers = 32 * 8 * 4096
    assert cut.parameters == cohort.model("llama-3-8b").parameters + routers
    three_quarters = 32 * 6 * 3 * 4096 * 1792
    assert cut.active_parameters == cut.parameters - three_quarters
