"""Balance by two ways: expected and simulated loads, placement, drops."""

import json
import math
from pathlib import Path

import pytest

import cohort
from cohort.chapters.expert_tradeoffs import fleet, links, load, placed
from cohort.errors import ParameterError, UnknownNameError

DEVICE = "H100 SXM 80GB"
ROOT = Path(__file__).resolve().parents[4]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "skew", "devices", "tokens"),
    [("mixtral-8x7b-v0.1", 0.0, 8, 4096), ("dbrx", 0.7, 4, 4096), ("deepseek-v2-lite", 1.0, 8, 8192),
     ("deepseek-v2", 0.5, 8, 4096), ("qwen3-30b-a3b", 1.0, 16, 16384)],
)  # fmt: skip
@pytest.mark.parametrize("how", [load.BLIND, load.BY_LOAD])
def test_balance_by_formula_is_the_mean_of_many_simulations(model, skew, devices, tokens, how):
    runs = [load.balance(model, tokens, skew, 1.25, devices, seed, how).simulated for seed in range(20)]
    expected = load.balance(model, tokens, skew, 1.25, devices, 0, how).expected
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
    found = load.balance("deepseek-v2", 4096, 1.0, 1.25, 8, 0)
    assert found.loads["expected"].is_monotonic_decreasing
    assert found.loads["simulated"].sum() == pytest.approx(160)


def test_more_skew_reads_less_and_balances_worse():
    frame = load.by_skew(cohort.model("deepseek-v2"), 64, 4096, 1.25, 8, [0.0, 0.5, 1.0, 2.0])
    for falling in ("experts", "read"):
        assert frame[falling].is_monotonic_decreasing
    for rising in ("busiest", "slowest", "dropped"):
        assert frame[rising].is_monotonic_increasing


def test_drops_fall_with_room():
    lines = load.drops_by_room(cohort.model("dbrx"), 4096, [0.0, 1.0], [0.5, 1.0, 2.0, 4.0])
    assert list(lines) == ["skew 0", "skew 1"]
    assert all(line.is_monotonic_decreasing for line in lines.values())
    assert lines["skew 0"].loc[0.5] == pytest.approx(50, rel=1e-9) and lines["skew 0"].loc[4.0] == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: load.balance("llama-3-8b", 64, 0.5, 1.0, 1, 0), "which is dense, but must be a mixture"),
        (lambda: load.balance("dbrx", 0, 0.5, 1.0, 1, 0), "tokens is 0, but must be from 1"),
        (
            lambda: load.balance("dbrx", 64, 0.5, 1.0, 3, 0),
            "expert_parallel is 3, but must divide the 16",
        ),
        (
            lambda: load.balance("dbrx", 64, 9.0, 1.0, 4, 0),
            "skew is 9.0, but must be from 0 to 4",
        ),
        (lambda: load.balance("dbrx", 64, 0.5, -1.0, 4, 0), "capacity_factor is -1.0"),
        (lambda: load.balance("dbrx", 64, 0.5, 1.0, 4, 0, "by chance"), "placement"),
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


def test_placement_that_knows_the_loads_is_better_and_copies_are_better_still():
    frame = load.by_placement(cohort.model("deepseek-v2"), 4096, 0.7, [1, 4, 16])
    assert frame.loc[1].tolist() == pytest.approx([1, 1, 1])
    for devices in (4, 16):
        assert frame.loc[devices].is_monotonic_decreasing and frame.loc[devices, load.BLIND] > 1.15
    assert load.expected_slowest(cohort.model("deepseek-v2"), 4096, 0.7, 16) == frame.loc[16, load.BLIND]


def test_devices_that_share_divide_the_experts():
    spec = cohort.model("deepseek-v2")
    assert load.sharers(spec, 8) == [1, 2, 4, 5, 8, 10, 16, 20, 32]
    assert load.sharers(spec, 80) == [1, 2, 4, 5, 8, 10, 16, 20, 32, 80]
    with pytest.raises(ParameterError, match="expert_parallel is 3, but must divide the 160"):
        load.sharers(spec, 3)


def test_the_default_skew_of_the_chapter_is_that_of_measured_routers():
    """Of the median layer of the median model, to a tenth."""
    notebook = json.loads((ROOT / "notebooks" / "expert_tradeoffs.ipynb").read_text(encoding="utf-8"))
    cell = next(c for c in notebook["cells"] if "parameters" in c["metadata"].get("tags", []))
    line = next(each for each in cell["source"] if each.startswith("skew"))
    assert float(line.split("=")[1].split("#")[0]) == round(placed.usual_skew(), 1)
