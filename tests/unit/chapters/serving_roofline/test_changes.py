"""What a change buys: variants, costs and sensitivity by hand."""

import pytest

from cohort.chapters.serving_roofline import changes
from cohort.serving.roofline import largest_concurrency, serve

LENGTHS = {"input_tokens": 1024, "output_tokens": 256}


def test_savings_of_variants_by_hand():
    """Eight key-value heads of 64: with 64, caches are eight times as large, and so are their projections."""
    found = changes.savings("llama-3-70b", "H100 SXM 80GB", 4, 64, **LENGTHS)
    cache = 64 * 1152 * 327_680
    more = found.loc["a key and a value for each head", "bytes"] - found.loc["as it is", "bytes"]
    projections = 80 * 2 * 8192 * (64 - 8) * 128
    assert more == pytest.approx(7 * cache + 2 * projections, rel=1e-12)
    less = found.loc["as it is", "bytes"] - found.loc["cache in fp8", "bytes"]
    assert less == pytest.approx(cache / 2, rel=1e-12)
    assert (found["most"] >= 38).all()


def test_costs_take_the_cheapest_group():
    found = changes.costs("llama-3-8b", **LENGTHS)
    assert (found["low"] <= found["high"]).all()
    assert found["low"].is_monotonic_increasing
    row = found.loc["H100 SXM 80GB"]
    answer = serve("llama-3-8b", "H100 SXM 80GB", int(row["devices"]), int(row["concurrency"]), **LENGTHS)
    assert row["low"] == pytest.approx(answer.usd_per_million_tokens(1.99), rel=1e-12)
    for devices in (1, 2, 4, 8):
        most = largest_concurrency("llama-3-8b", "H100 SXM 80GB", devices, **LENGTHS)
        other = serve("llama-3-8b", "H100 SXM 80GB", devices, most, **LENGTHS)
        assert other.usd_per_million_tokens(5.0) >= row["high"] * (1 - 1e-12)
    assert changes.costs("llama-3.1-405b", 1024, 256, weight_dtype="fp32").index.isin(found.index).all()


def test_sensitivity_by_hand():
    """One answer on one device: weights at four fifths of their speed take a quarter longer."""
    request = {"model": "llama-3-8b", "accelerator": "L40S", "concurrency": 1, **LENGTHS}
    found, answer = changes.serving_sensitivity(0.2, **request), serve(**request)
    weights = dict(answer.parts)["weights"]
    assert found.loc["bandwidth for weights", "tpot"] == pytest.approx(25 * weights / answer.tpot_s)
    assert "bandwidth of the links" not in found.index
    assert (found["tpot"] > 0).all()
