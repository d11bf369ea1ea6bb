"""Measured rows beside predicted ones: the split, the errors that the book prints, and the calibration."""

import csv
import io
from types import ModuleType

import pandas as pd
import pytest
from reading import benchmark, table

import cohort
from cohort.architecture import variants
from cohort.chapters.serving_roofline import tables
from cohort.registry import facts
from cohort.serving import measurements
from cohort.serving.roofline import ROOFLINE, attained, largest_concurrency, serve, with_recent_kernels

MEASURED = [*facts.rows("serving_measurements"), *facts.rows("serving_measurements_mlengineering")]


@pytest.fixture(scope="module")
def compared() -> pd.DataFrame:
    return tables.measured_cases("test")


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
    by_source = tables.summary(scope, ["source"])
    assert by_source["rows"].to_dict() == {"gpubenchmarks": 9, "lmdeploya100": 29, "trtllmh200": 7}
    assert (by_source.loc[["lmdeploya100", "trtllmh200"], "predicted error"] < 15).all()
    assert by_source.loc["gpubenchmarks", "predicted error"] > 15  # llama.cpp, as the book says
    assert tables.summary(scope, ["tensor_parallel"])["rows"].to_dict() == {1: 33, 2: 1, 4: 11}
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
    found = tables.summary(frame, ["source"])
    assert found.loc["a"].tolist() == pytest.approx([3, 20, 10, 60, -10])
    assert found.loc["b"].tolist() == pytest.approx([1, 50, 50, 50, 50])


def test_no_row_is_dropped_in_silence(compared):
    calibrated = measurements.compared("calibrate")
    assert len(compared) + len(calibrated) + int(tables.rows_left_out().sum()) == len(MEASURED) == 541
    assert (len(compared), len(calibrated)) == (116, 69)


def test_whatever_is_far_off_has_a_reason(compared):
    missed = tables.missed(compared)
    assert (missed["why"] != "").all()
    assert int(missed["rows"].sum()) == int((compared["predicted error"].abs() > tables.FAR).sum()) > 0


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
    """Engines of 2023 score long answers too slowly for those of 2025; recent kernels explain the gap."""
    found = tables.measured_at_maximum()
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
    for each in (ROOFLINE, measurements.ALLOWANCE):
        assert each.layer_s == each.sequence_s == each.all_reduce_s == 0
        assert each.product("any", "fp8") == each.matrices["fp8"]


LENGTHS = {"input_tokens": 1024, "output_tokens": 256}


def test_phases_of_a_dense_model_by_hand():
    """A step of 64 answers: two FLOP a weight and answer, and 4 x 8192 x 80 a key, over what it reads."""
    found = tables.phases("llama-3-70b", "H100 SXM 80GB", 64, **LENGTHS)
    spec = cohort.model("llama-3-70b")
    flops = 64 * (2 * spec.matmul_parameters + 4 * 8192 * 80 * 1152)
    read = 2 * (spec.parameters - spec.embedding_parameters) + 64 * 1152 * 327_680
    assert found.loc["decode, 64", "intensity"] == pytest.approx(flops / read, rel=1e-12)
    assert found.loc["decode, 64", "attainable"] == pytest.approx(flops / read * 3350e9, rel=1e-12)
    assert found.loc["training", "attainable"] == pytest.approx(989e12, rel=1e-12)
    assert list(found.index) == ["training", "prefill", "decode, 1", "decode, 64"]
    assert list(tables.phases("llama-3-70b", "H100 SXM 80GB", 1, **LENGTHS).index) == list(found.index[:3])


def test_steps_reach_what_fits_and_what_was_asked():
    assert tables.concurrency_steps(9, 3) == [1, 2, 3, 4, 8, 9]
    assert tables.concurrency_steps(0, 1) == [1]
    assert tables.concurrency_steps(0, 5) == [1, 2, 4, 5]


def test_a_sweep_is_what_serve_says():
    request = {"model": "llama-3-8b", "accelerator": "L40S", **LENGTHS}
    found, answer = tables.by_concurrency([1, 7], **request), serve(**request, concurrency=7)
    assert found.loc[7, "tpot"] == answer.tpot_s
    assert found.loc[7, "each"] * 7 == pytest.approx(answer.output_tokens_per_s)
    assert found.loc[7, list(dict(answer.parts))].sum() == pytest.approx(answer.tpot_s)


def test_savings_of_variants_by_hand():
    """Eight key-value heads of 64: with 64, caches are eight times as large, and so are their projections."""
    found = tables.savings("llama-3-70b", "H100 SXM 80GB", 4, 64, **LENGTHS)
    cache = 64 * 1152 * 327_680
    more = found.loc["a key and a value for each head", "bytes"] - found.loc["as it is", "bytes"]
    projections = 80 * 2 * 8192 * (64 - 8) * 128
    assert more == pytest.approx(7 * cache + 2 * projections, rel=1e-12)
    less = found.loc["as it is", "bytes"] - found.loc["cache in fp8", "bytes"]
    assert less == pytest.approx(cache / 2, rel=1e-12)
    assert (found["most"] >= 38).all()


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


def test_costs_take_the_cheapest_group():
    found = tables.costs("llama-3-8b", **LENGTHS)
    assert (found["low"] <= found["high"]).all()
    assert found["low"].is_monotonic_increasing
    row = found.loc["H100 SXM 80GB"]
    answer = serve("llama-3-8b", "H100 SXM 80GB", int(row["devices"]), int(row["concurrency"]), **LENGTHS)
    assert row["low"] == pytest.approx(answer.usd_per_million_tokens(1.99), rel=1e-12)
    for devices in (1, 2, 4, 8):
        most = largest_concurrency("llama-3-8b", "H100 SXM 80GB", devices, **LENGTHS)
        other = serve("llama-3-8b", "H100 SXM 80GB", devices, most, **LENGTHS)
        assert other.usd_per_million_tokens(5.0) >= row["high"] * (1 - 1e-12)
    assert tables.costs("llama-3.1-405b", 1024, 256, weight_dtype="fp32").index.isin(found.index).all()


def test_sensitivity_by_hand():
    """One answer on one device: weights at four fifths of their speed take a quarter longer."""
    request = {"model": "llama-3-8b", "accelerator": "L40S", "concurrency": 1, **LENGTHS}
    found, answer = tables.serving_sensitivity(0.2, **request), serve(**request)
    weights = dict(answer.parts)["weights"]
    assert found.loc["bandwidth for weights", "tpot"] == pytest.approx(25 * weights / answer.tpot_s)
    assert "bandwidth of the links" not in found.index
    assert (found["tpot"] > 0).all()


def test_training_runs_are_those_that_state_a_utilisation():
    found = tables.training_utilisation()
    assert len(found) == 13
    assert found.loc["Llama 3.1 405B", "value"].tolist() == [0.43, 0.41, 0.38]
