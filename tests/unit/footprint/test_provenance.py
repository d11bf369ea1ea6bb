"""What a footprint says of itself: the host that was not given, its factors and sources, its range."""

from __future__ import annotations

import json

import numpy as np
import pytest

import cohort
from cohort.errors import CohortError
from cohort.footprint.factors import Range
from cohort.footprint.published_runs import run_of
from cohort.footprint.scenarios import Scenario, modelled

H100 = "H100 SXM 80GB"


def run(**known):
    return cohort.footprint.training(accelerator=H100, accelerator_hours=800, **known)


def test_the_host_never_vanishes() -> None:
    """612 W of an accelerator for 800 hours: 828 kWh with the host and a PUE of 1.1, not 538.6."""
    found = run(power_w=612, boundary="facility")
    assert found.energy_kwh == pytest.approx(800 * 0.612 * 1.384 / 0.9 * 1.1, rel=1e-3)
    assert "host was not given" in found.provenance.assumed[0]
    alone = run(power_w=612, boundary="accelerator")
    assert (alone.energy_kwh, alone.provenance.assumed) == (pytest.approx(489.6), ())
    whole = run(node_power_w=969, boundary="facility")
    assert (whole.energy_kwh, whole.provenance.assumed) == (pytest.approx(800 * 0.969 * 1.1), ())
    wide = run(power_w=Range(600, 612, 640, "W"))
    assert wide.provenance.factors["power_w"].central == found.provenance.factors["power_w"].central


@pytest.mark.parametrize(
    "known",
    [
        {"node_power_w": 900, "power_w": 600},
        {"node_power_w": 900, "boundary": "accelerator"},
        {"power_w": -1},
        {"power_w": "612"},
        {"node_power_w": float("nan")},
    ],
)
def test_faults(known) -> None:
    with pytest.raises(CohortError):
        run(**known)


def test_it_says_of_what_where_and_when() -> None:
    found = cohort.footprint.training(
        accelerator="TPU v5e", model="gemma-2b", boundary="facility", grid="us-west-2", pue=1.2
    ).as_dict()
    assert (found["subject"], found["accelerator"]) == ("gemma-2b", "TPU v5e")
    place = found["place"]
    assert (place["name"], place["year"], place["counts"]) == ("US-NW-BPAT", 2025, "consumption")
    assert place["source"] == "co2jselectricitymaps"
    assert found["factors"]["pue"]["sources"] == ["given"]
    assert found["factors"]["mfu"]["sources"] != ["given"]
    assert found["scopes"]["embodied_kg"].startswith("scope 3")
    assert json.loads(json.dumps(found)) == found


def test_combustion_alone_is_never_mixed_in_silence() -> None:
    assert "stacks alone" in run(grid="US-Oregon").provenance.assumed[0]
    assert run(grid="US-Oregon", grid_g_per_kwh=100).provenance.assumed == ()
    assert run(grid="US-PJM").provenance.assumed == ()


def test_an_interval_is_that_of_draws() -> None:
    """Within a twentieth of the percentiles of two hundred thousand draws."""
    found = run_of("llama-3-70b", H100)
    drawn = modelled(found, "facility", Scenario(grid="USA")).spread("energy_kwh")
    same = cohort.footprint.training(accelerator=H100, accelerator_hours=found.hours)
    assert same.provenance.interval("energy_kwh") == pytest.approx((drawn.low, drawn.high), rel=0.05)
    known = {name: each.central for name, each in same.provenance.factors.items() if name != "power_w"}
    fixed = cohort.footprint.training(accelerator=H100, accelerator_hours=800, node_power_w=900, **known)
    assert fixed.provenance.interval("co2e_kg") == pytest.approx((fixed.co2e_kg, fixed.co2e_kg))
    assert np.isfinite(fixed.provenance.interval("embodied_kg")).all()  # none within this boundary


def test_many_and_sums() -> None:
    one = cohort.footprint.serving(model="llama-3-8b", input_tokens=200, output_tokens=400)
    assert "Idle machines" in one.provenance.assumed[-1]
    low, high = one.provenance.interval("co2e_kg")
    assert one.times(10).provenance.interval("co2e_kg") == pytest.approx((10 * low, 10 * high))
    assert low < one.co2e_kg < high
    assert (one + one).provenance is None
    assert "low" not in (one + one).as_dict()["amounts"]["co2e_kg"]
    other = cohort.footprint.serving(
        model="llama-3-8b", accelerator="B200", input_tokens=200, output_tokens=400
    )
    assert "carried over" in other.provenance.assumed[0]
