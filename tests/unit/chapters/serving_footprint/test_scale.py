"""What amounts mean: a tonne, a plant and a fleet."""

import math

import pytest

import cohort
from cohort.chapters.serving_footprint import making, published, scale
from cohort.footprint.training_runs import training


def test_plants_state_design_and_capture_apart():
    found = scale.plants(["llama-2-70b", "dbrx", "command-r-v01"])
    assert list(found.index) == ["Llama 2 70B", "DBRX"]
    for name, model in (("Llama 2 70B", "llama-2-70b"), ("DBRX", "dbrx")):
        device, hours, known = making.hours_of(cohort.model(model))
        tonnes = training(accelerator=device, accelerator_hours=hours).co2e_kg / 1000
        assert found.loc[name, ["tonnes", "months", "times"]].tolist() == pytest.approx(
            [tonnes, tonnes / 36000 * 12, tonnes / 105]
        )
        assert found.loc[name, "known"] == known
    assert found.loc["Llama 2 70B", "published"] == 291.42 and math.isnan(found.loc["DBRX", "published"])
    in_france = scale.plants(["llama-2-70b"], "France").loc["Llama 2 70B"]
    grids = [cohort.grid(place).g_per_kwh for place in ("France", "USA")]
    assert in_france["tonnes"] == pytest.approx(found.loc["Llama 2 70B", "tonnes"] * grids[0] / grids[1])
    assert published.emissions("Llama 3.1 family") == 11_390
    assert published.emissions("no such run") is None


def test_a_tonne_has_sources():
    found = scale.tonne()
    assert found.loc["a resident of the United States", "number"] == pytest.approx(365 / 17.4)
    assert set(found["source"]) <= {row["source"] for row in cohort.registry.facts.rows("equivalences")}
    assert scale.tonne(2000)["number"].tolist() == pytest.approx((2 * found["number"]).tolist())
