"""The measurements of accelerators: one value for each case, and none that physics forbids."""

from __future__ import annotations

from collections import defaultdict

import pytest
from reading import table

import cohort
from cohort.architecture.attention import naive_score_bytes

ROWS = table("device_measurements")
RUNS = {row["run"]: cohort.accelerator(row["accelerator"]) for row in table("device_runs")}
CASE = ("run", "group", "case", "batch", "context", "tokens", "dtype")
SECONDS = {"us": 1e-6, "ms": 1e-3}
HEADS, HEAD = 32, 128  # of the attention that is measured


def of(group: str, *quantities: str) -> dict[tuple[str, ...], list[float]]:
    """The values of a group by case, in the order of the quantities; cases that have all of them."""
    found: dict[tuple[str, ...], dict[str, float]] = defaultdict(dict)
    for row in ROWS:
        if row["group"] == group:
            value = float(row["value"]) * SECONDS.get(row["unit"], 1)
            found[tuple(row[name] for name in CASE)][row["quantity"].partition(" of a ")[0]] = value
    return {
        case: [values[name] for name in quantities]
        for case, values in found.items()
        if set(quantities) <= set(values)
    }


def test_every_run_has_measurements_and_every_group_is_measured():
    assert {row["run"] for row in ROWS} == set(RUNS)
    first = {row["group"] for row in ROWS if row["run"] == "h100-1"}
    assert first == {
        *("ceiling", "product", "attention", "decode attention", "experts", "decode", "prefill", "training")
    }


def test_no_memory_is_read_faster_than_the_data_sheet_says():
    found = [row for row in ROWS if row["quantity"] == "bandwidth"]
    assert len(found) > 40
    for row in found:
        assert 1e9 * float(row["value"]) < RUNS[row["run"]].bandwidth, row


def test_no_product_is_faster_than_the_peak():
    rates = [row for row in ROWS if row["quantity"] == "rate"]
    assert rates
    for row in rates:
        assert 1e12 * float(row["value"]) < RUNS[row["run"]].peak(row["dtype"]), row


def test_every_product_of_a_layer_obeys_both_ceilings():
    products = of("product", "time")
    assert len(products) == 128 * len(RUNS)
    for (run, _, case, _, _, tokens, dtype), (seconds,) in products.items():
        device, (rows, columns) = RUNS[run], map(int, case.rpartition(" ")[2].split("x"))
        width = {"bf16": 2, "fp8": 1}[dtype]
        assert 2 * rows * columns * int(tokens) / seconds < device.peak(dtype), case
        assert rows * columns * width / seconds < device.bandwidth, case


def test_the_shapes_of_products_are_those_of_the_models():
    for model in ("llama-3-8b", "llama-3-70b"):
        spec = cohort.model(model)
        cases = {case[2] for case in of("product", "time") if case[2].startswith(f"{model} ")}
        sizes = [case.rpartition(" ")[2].split("x") for case in cases]
        weights = sum(int(rows) * int(columns) for rows, columns in sizes)
        assert weights == spec.layers[0].matmul_parameters(spec.hidden)


def test_scores_are_held_twice_and_beside_the_result():
    """What the naive way holds at its peak is two squares and the result; the fused way the result alone."""
    peaks = of("attention", "peak memory")
    assert len(peaks) > 12 * len(RUNS)
    for (_, _, case, _, context, _, _), (peak,) in peaks.items():
        result = 2 * HEADS * HEAD * int(context)
        scores = naive_score_bytes(int(context), HEADS) if case == "naive" else 0
        assert peak == pytest.approx(result + scores, rel=1e-3), (case, context)


def test_attention_does_half_of_the_square_within_the_peak():
    for (run, _, case, _, context, _, dtype), (seconds,) in of("attention", "time").items():
        flop = 2 * HEADS * HEAD * int(context) ** 2
        assert flop / seconds < RUNS[run].peak(dtype), (case, context, dtype)


@pytest.mark.parametrize("group", ["decode", "prefill", "training"])
def test_power_is_energy_over_time(group):
    found = of(group, "time", "energy", "power")
    assert found
    for case, (seconds, joules, watts) in found.items():
        assert joules / seconds == pytest.approx(watts, rel=0.02), case


def test_no_step_reads_its_weights_faster_than_memory_allows():
    for (run, _, case, *_, dtype), (seconds,) in of("decode", "time").items():
        model, layers = case.split(", ")[:2]
        spec, depth = cohort.model(model), int(layers.split()[0])
        matrices = depth * spec.layers[0].matmul_parameters(spec.hidden)
        least = matrices * {"bf16": 2, "fp8": 1}[dtype] / RUNS[run].bandwidth
        assert seconds > least, case


def test_a_step_of_training_takes_about_three_forward_passes():
    times = {case[2]: seconds for case, (seconds,) in of("training", "time").items()}
    forward, both = (
        next(times[name] for name in times if name.endswith(end)) for end in ("forward", "backward")
    )
    assert 2.5 < both / forward < 3.5
