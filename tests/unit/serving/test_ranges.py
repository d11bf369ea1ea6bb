"""Ranges of measured over predicted times: what new services bring, and how wide that makes them."""

from types import ModuleType

import pytest
from reading import benchmark, table

import cohort


@pytest.fixture(scope="module")
def script() -> ModuleType:
    return benchmark("serving_ranges")


def services(script: ModuleType, **errors: list[float]) -> dict[tuple[str, str], list[float]]:
    return {script.Service(model, "vLLM"): logs for model, logs in errors.items()}


def test_a_service_of_many_rows_weighs_as_much_as_one_of_few(script):
    errors = services(script, a=[0.0] * 1000, b=[1.0], c=[-1.0])
    assert script.percentiles(errors) == (-1.0, 1.0)
    few = services(script, a=[-0.2, 0.4], b=[-0.2, 0.4])
    assert script.percentiles(few) == (-0.2, 0.4)


def test_a_range_is_widened_until_it_holds_models_that_gave_nothing_to_it(script):
    """Of -1.2 the others reach -1, of 1.2 they reach 1: a fifth more holds both."""
    errors = services(script, a=[-1.0], b=[1.0], c=[-1.2], d=[1.2])
    assert script.held(errors, 1.0) == 0.5
    assert script.widening(errors) == pytest.approx(1.2)
    assert script.widened(errors, 1.5) == pytest.approx((-1.8, 1.8))
    alike = services(script, a=[-1.0, 1.0], b=[-1.0, 1.0])
    assert script.widening(alike) == 1.0


def test_services_of_the_model_that_is_held_out_give_nothing(script):
    """Two engines serve the odd model alike, and neither makes the range that is to hold the other."""
    odd = {script.Service("odd", engine): [0.9] for engine in ("vLLM", "SGLang")}
    errors = odd | {script.Service(f"model {n}", "vLLM"): [-0.1, 0.1] for n in range(6)}
    assert script.held(errors, 1.0) == pytest.approx(6 / 8)


def test_a_range_always_holds_the_prediction(script):
    assert script.widened(services(script, a=[0.2, 0.3], b=[0.2, 0.3]), 2.0) == pytest.approx((0.0, 0.6))


def test_models_that_share_no_range_are_refused(script):
    with pytest.raises(ValueError, match="differ too much for a range of at most 3 times"):
        script.widening(services(script, a=[1.0], b=[-1.0]))


def test_the_table_holds_one_range_for_all_engines():
    rows = [row for row in table("serving_calibration") if row["quantity"] == "spread"]
    today = [row for row in rows if (row["generation"], row["device"]) == ("2025", "")]
    assert {row["engine"] for row in rows} == {""}
    assert len(today) == 8
    for row in today:
        assert (float(row["value"]) < 1) == row["of"].endswith("low")
    request = {"model": "llama-3-8b", "accelerator": "H100 SXM 80GB", "input_tokens": 9, "output_tokens": 9}
    ranges = {
        tuple(end / found.ttft_s for end in found.ttft_range_s)
        for found in (cohort.serving.serve(**request, engine=name) for name in ("vLLM", "SGLang"))
    }
    assert len({tuple(round(end, 6) for end in each) for each in ranges}) == 1


def test_ranges_hold_most_of_the_times_that_nothing_was_fitted_to():
    """Of all 85 to 95 in a hundred; of a kind of model by what is new, or of an engine, 80 to 98."""
    errors = {(row["time_of"], row["by"], row["group"]): row for row in table("serving_errors")}
    for what in ("token", "first token"):
        assert 85 <= float(errors[what, "all", "all"]["inside"]) <= 95
    for (_, by, group), row in errors.items():
        if by in ("class", "engine"):
            assert 80 <= float(row["inside"]) <= 98, group
