"""Energy of inference: the physics, published points, and each model predicted from the others."""

import csv
import io
from dataclasses import replace
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reading import benchmark, table

import cohort
from cohort.errors import ParameterError, UnknownNameError
from cohort.footprint import calibration, energy
from cohort.footprint.carried import carried_over, coefficients_on
from cohort.footprint.energy import (
    Coefficients,
    cache_joules,
    coefficients,
    joules_by_compute,
    joules_per_token,
    prompt_joules,
    read_by_mixture,
)
from cohort.footprint.factors import factor

H100 = cohort.accelerator("H100 SXM 80GB")


@pytest.fixture(scope="module")
def script() -> ModuleType:
    return benchmark("calibrate_inference")


# --- known answers


def test_four_terms_by_hand():
    """Llama 3 70B on four accelerators, 64 requests, 16 bits: 70.6 billion weights less the embedding."""
    found, spec = coefficients(), cohort.model("llama-3-70b")
    weights = 2 * (70_553_706_496 - 128_256 * 8192) / 1e9
    expected = (found.step * 4 + found.read * weights) / 64 + found.multiply * weights + found.token * 4
    # Norms are read and not multiplied with; they are a millionth of the weights.
    assert joules_per_token(spec, 4, 64) == pytest.approx(expected, rel=1e-4)


def test_reading_a_byte_draws_about_what_the_memory_rating_allows():
    """The fitted energy of a GB is near the rated power over the bandwidth, which nothing forced it to be."""
    assert coefficients().read == pytest.approx(H100.tdp_w / (H100.bandwidth / 1e9), rel=0.15)


def test_experts_are_read_as_coverage_expects():
    """Eight of 128 experts in 94 layers: of 213 billion weights beside 22, most are read by 64 requests."""
    routed = (235e9 - 22e9) / (1 - 8 / 128)
    expected = 235e9 - routed * (1 - 8 / 128) ** 64
    assert read_by_mixture(235e9, 22e9, 128, 8, 64) == pytest.approx(expected, rel=1e-12)
    assert read_by_mixture(235e9, 22e9, 128, 8, 1) == pytest.approx(22e9)
    assert read_by_mixture(7e9, 7e9, 1, 1, 5) == 7e9


def test_sizes_and_layers_agree_on_what_a_mixture_reads():
    spec = cohort.model("mixtral-8x7b-v0.1")
    whole = spec.parameters - spec.embedding_parameters
    active = spec.active_parameters_without_embedding
    for tokens in (1, 4, 64):
        assert read_by_mixture(whole, active, 8, 2, tokens) == pytest.approx(
            cohort.serving.weights_read(spec, tokens), rel=1e-9
        )


def test_the_estimate_of_epoch():
    """100 billion active parameters, 500 tokens, a tenth of 989 TFLOP/s, 1,275 W at 70 percent times 1.2."""
    joules = joules_by_compute(100e9, 500, 989e12, 0.1, 1275 * 0.7 * 1.2)
    assert joules / 3600 == pytest.approx(0.3008, abs=5e-5)
    published = next(
        float(row["value"])
        for row in table("footprint_factors")
        if (row["entity"], row["quantity"]) == ("GPT-4o typical query", "energy per query")
    )
    assert joules / 3600 == pytest.approx(published, rel=1e-3)


def test_gemini_adds_up():
    parts = {
        row["quantity"].removeprefix("share of the energy: "): float(row["value"])
        for row in table("footprint_factors")
        if row["quantity"].startswith("share of the energy: ")
    }
    assert sum(parts.values()) == pytest.approx(1.01)
    machines = sum(parts.values()) - parts["data centre"]
    assert sum(parts.values()) / machines == pytest.approx(1.09, abs=0.005)  # as its authors print it
    assert 1 + parts["host"] / parts["accelerators"] == pytest.approx(
        factor("serving", "host over accelerator").central, abs=0.002
    )
    assert parts["idle machines"] == factor("serving", "share of idle machines").central
    market = next(row for row in table("footprint_factors") if row["quantity"] == "market factor")
    assert float(market["value"]) == pytest.approx(0.023 / 0.24 * 1000, abs=0.05)


# --- calibration


def test_the_split_is_by_source_and_accelerator():
    uses = {}
    for row in table("inference_energy"):
        if row["metric"] == "energy_per_output_token":
            uses.setdefault((row["source"], row["accelerator"]), set()).add(row["use"])
    assert uses == {
        ("mlenergyleaderboard", "H100 SXM 80GB"): {"calibrate"},
        ("mlenergyleaderboard", "B200"): {"test"},
    }
    others = [row for row in table("inference_energy") if row["source"] != "mlenergyleaderboard"]
    assert {row["use"] for row in others} == {"test"}


def test_rerunning_the_calibration_writes_the_table(script):
    """To one unit of the third digit, which another version of the solver may round otherwise."""
    written, kept = list(csv.DictReader(io.StringIO(script.table()))), table("inference_calibration")
    assert [{**row, "value": ""} for row in written] == [{**row, "value": ""} for row in kept]
    for new, old in zip(written, kept, strict=True):
        assert float(new["value"]) == pytest.approx(float(old["value"]), rel=0.011, abs=0)


def test_the_coefficients_are_a_minimum_of_the_fit(script):
    measured, best = calibration.measured_energies("calibrate"), coefficients()

    def loss(found):
        return sum((each.joules(found) / each.value - 1) ** 2 for each in measured)

    assert best.step == 0  # an active bound: more of it is worse
    assert loss(replace(best, step=0.01)) > loss(best)
    for term in ("read", "multiply", "token", "expert"):
        for factor_ in (0.9, 1.1):
            assert loss(replace(best, **{term: factor_ * getattr(best, term)})) > loss(best)


def test_each_model_is_predicted_from_the_others():
    """The geometric standard deviation that the book prints, and the range that it draws from."""
    left = calibration.leave_one_out()
    assert len({each.model for each in left}) == 11
    logs = np.log([each.ratio for each in left])
    spread = float(np.exp(logs.std(ddof=1)))
    assert spread == pytest.approx(1.199, abs=0.002)
    assert spread <= 1.4
    assert 0.95 < np.exp(np.median(logs)) < 1.1
    drawn = factor("serving", "measured energy over that of the terms")
    # No narrower: the rest of the leaderboard, which the fit did not see, lies further off.
    assert drawn.low < spread**-1.6449 and drawn.high > spread**1.6449
    assert (drawn.low, drawn.high) == pytest.approx((1.383**-1.6449, 1.383**1.6449), rel=0.005)
    assert min(left, key=lambda each: each.ratio).model == "Llama 3.1 405B"


def test_non_negative_least_squares():
    """As SciPy solves it, for all rows and without each model."""
    from scipy.optimize import nnls

    rows = calibration.measured_energies("calibrate")
    units = [Coefficients(*map(float, row[:4]), 256, 512, 400, row[4]) for row in np.eye(5)]
    for without in ("", *dict.fromkeys(each.model for each in rows)):
        kept = [each for each in rows if each.model != without]
        matrix = np.array([[each.joules(unit) / each.value for unit in units] for each in kept])
        expected, _ = nnls(matrix, np.ones(len(kept)))
        found = calibration.fit_coefficients(kept)
        values = [found.step, found.read, found.multiply, found.token, found.expert]
        assert values == pytest.approx(expected, rel=6e-3)


def test_an_earlier_fit_to_177_configurations_agrees():
    """Coefficients of the whole of the leaderboard, which knew no experts in eight bits."""
    names = {
        "energy per accelerator and step": 0,
        "energy per billion bytes of weights read": 1,
        "energy per billion bytes of active weights and token": 2,
        "energy per accelerator and token": 3,
    }
    values = [0.0] * 4
    for row in table("footprint_factors"):
        if row["quantity"] in names:
            values[names[row["quantity"]]] = float(row["value"])
    wide = Coefficients(*values, 256, 512, 400)
    for each in calibration.measured_energies("calibrate"):
        if each.narrow_experts:
            assert abs(each.joules() / each.value - 1) < 0.27
        else:
            assert each.joules() == pytest.approx(each.joules(wide), rel=0.3)


def test_nothing_was_fitted_to_what_tests():
    """B200 rows: a byte costs about the same there, a product less; the largest batch is still too dear."""
    ratios = {
        (each.model, round(each.concurrency)): each.joules() / each.value
        for each in calibration.measured_energies("test")
    }
    assert len(ratios) == 5
    assert all(0.75 < ratio < 1.25 for ratio in ratios.values())
    assert ratios["Llama 3.1 70B", 1022] == pytest.approx(1.15, abs=0.02)


def test_other_accelerators_by_their_ratings():
    """All scaled by ratings B200 falls short of the small batches; H100 is itself; small cards draw less."""
    b200, l4 = cohort.accelerator("B200"), cohort.accelerator("L4")
    assert carried_over("llama-3-70b", H100, 4, 64) == 1
    assert carried_over("llama-3-8b", cohort.accelerator("A100 PCIe 40GB")) == 1
    kept, power = coefficients(), 72 / 700
    scaled = Coefficients(
        kept.step * power, kept.read * power * H100.bandwidth / l4.bandwidth,
        kept.multiply * power * 989e12 / l4.peak("bf16"), kept.token * power, 256, 512, 400,
    )  # fmt: skip
    expected = joules_per_token("llama-3-8b", 1, 8, found=scaled)
    expected /= joules_per_token("llama-3-8b", 1, 8, found=coefficients_on(l4))
    assert carried_over("llama-3-8b", l4, 1, 8) == pytest.approx(expected, rel=1e-3)
    small = [each for each in calibration.measured_energies("test") if each.concurrency < 100]
    for each in small:
        ratio = each.joules() / each.value
        model = "llama-3-70b" if "70B" in each.model else "llama-3.1-405b"
        dtype = "bf16" if "70B" in each.model else "fp8"
        scaled_ratio = ratio * carried_over(model, b200, each.accelerators, round(each.concurrency), dtype)
        assert abs(np.log(scaled_ratio)) > abs(np.log(ratio))


def test_products_alone_follow_the_ratings():
    """A product on B200 takes 1000 W over its peak, against 700 W over that of H100; a byte is a byte."""
    b200, kept = cohort.accelerator("B200"), coefficients()
    own = coefficients_on(b200)
    assert own.multiply / kept.multiply == pytest.approx(1000 / 700 * 989.4e12 / 2250e12, rel=0.01)
    assert (own.read, own.step, own.token, own.expert) == (kept.read, kept.step, kept.token, kept.expert)
    assert coefficients_on(H100) == coefficients_on(replace(b200, tdp_w=None)) == kept
    # It is what the largest batches of the rows that test had too much of.
    for each in calibration.measured_energies("test"):
        if each.concurrency > 500:
            assert each.joules() < 0.85 * each.joules(kept)


def test_no_batch_undercuts_the_floor():
    """What is left of the energy when a batch grows without bound is below the least measured."""
    found = coefficients()
    rows = [row for row in table("inference_energy") if row["metric"].startswith("least")]
    for row in rows:
        width = {"bf16": 2, "fp8": 1}[row["weight_dtype"]]
        floor = found.multiply * width * float(row["active_parameters"]) / 1e9
        floor += found.token * int(row["accelerators"])
        assert floor < float(row["value"])


# --- beyond a chat


def test_a_long_prompt_by_hand():
    """2,048 tokens less the first 256, at the share of the peak that products attain and 0.9 of 700 W."""
    spec, share = cohort.model("llama-3-8b"), cohort.serving.attained().product(H100.name, "16-bit")
    flops = spec.prefill_flops(2048) - spec.prefill_flops(256)
    expected = flops / (share * 989e12) * 0.9 * 700
    assert prompt_joules(spec, H100, 2048, 1000, 0.9) == pytest.approx(expected, rel=1e-12)
    assert prompt_joules(spec, H100, 256, 1000, 0.9) == 0


def test_a_short_answer_has_paid_for_little_of_its_prompt():
    """The mean measured answer pays for 256 tokens of prompt, a shorter one for its share of them."""
    stated = [
        float(row["output_tokens"])
        for row in table("inference_energy")
        if row["use"] == "calibrate" and row["output_tokens"]
    ]
    mean = sum(stated) / len(stated)
    assert coefficients().answer == pytest.approx(mean, abs=0.5)
    spec, share = cohort.model("llama-3-8b"), cohort.serving.attained().product(H100.name, "16-bit")
    whole = spec.prefill_flops(256) / (share * 989e12) * 0.9 * 700
    for tokens in (1, 100, 400):
        expected = whole * (1 - tokens / coefficients().answer)
        assert prompt_joules(spec, H100, 256, tokens, 0.9) == pytest.approx(expected, rel=1e-12)


def test_a_long_context_by_hand():
    """Each of 100 tokens reads 131,072 bytes a token of cache beyond 512."""
    more = 131_072 * (10_000 + 50 - 512)
    expected = 100 * coefficients().read * more / 1e9
    assert cache_joules("llama-3-8b", 10_000, 100) == pytest.approx(expected, rel=1e-12)
    assert cache_joules("llama-3-8b", 256, 512) == 0


@given(st.integers(1, 4096), st.integers(1, 4096))
def test_more_requests_never_cost_more_each(one, other):
    low, high = sorted((one, other))
    for model in ("llama-3-8b", "mixtral-8x7b-v0.1"):
        assert joules_per_token(model, 2, high) <= joules_per_token(model, 2, low) * (1 + 1e-12)


@given(st.integers(1, 100_000), st.integers(1, 100_000))
def test_longer_prompts_never_cost_less(one, other):
    low, high = sorted((one, other))
    assert prompt_joules("llama-3-8b", H100, low, 64, 0.9) <= prompt_joules("llama-3-8b", H100, high, 64, 0.9)
    assert cache_joules("llama-3-8b", low, 64) <= cache_joules("llama-3-8b", high, 64)


@pytest.mark.parametrize("accelerators", [1, 2, 8])
def test_all_terms_are_kept_at_any_batch(accelerators):
    """Twice the bits are twice what is read and multiplied, whatever the batch."""
    for requests in (1, 100):
        eight, sixteen = (
            joules_per_token("llama-3-8b", accelerators, requests, dtype) for dtype in ("fp8", "bf16")
        )
        found = coefficients()
        fixed = accelerators * (found.step / requests + found.token)
        assert sixteen - fixed == pytest.approx(2 * (eight - fixed), rel=1e-12)


# --- faults


def test_bad_input_is_named():
    with pytest.raises(UnknownNameError, match="unknown model 'llama-3-80b'; did you mean"):
        joules_per_token("llama-3-80b")
    with pytest.raises(UnknownNameError, match="unknown weight_dtype 'fp6'; did you mean"):
        joules_per_token("llama-3-8b", weight_dtype="fp6")
    with pytest.raises(ParameterError, match="concurrency is 0, but must be from 1"):
        joules_per_token("llama-3-8b", concurrency=0)
    with pytest.raises(ParameterError, match="accelerators is 0, but must be from 1"):
        joules_per_token("llama-3-8b", accelerators=0)
    with pytest.raises(ParameterError, match=r"utilisation is 1\.5, but must be above 0 and at most 1"):
        joules_by_compute(1e9, 1, 1e15, 1.5, 700)
    with pytest.raises(ParameterError, match="input_tokens is 0, but must be from 1"):
        prompt_joules("llama-3-8b", H100, 0, 64, 0.9)
    with pytest.raises(ParameterError, match="one whose rated power the data hold"):
        prompt_joules("llama-3-8b", cohort.accelerator("A100 PCIe 40GB"), 1024, 64, 0.9)


def test_a_changed_coefficient_shows(monkeypatch):
    kept = coefficients()
    other = replace(kept, read=2 * kept.read)
    monkeypatch.setattr(energy, "coefficients", lambda: other)
    spec = cohort.model("llama-3-8b")
    assert joules_per_token(spec) - joules_per_token(spec, found=kept) == pytest.approx(
        kept.read * 2 * cohort.serving.weights_read(spec, 1) / 1e9
    )
