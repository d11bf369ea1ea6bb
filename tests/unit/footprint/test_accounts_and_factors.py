"""The footprint of training: published numbers from their own inputs, by what they say of the model."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reading import table

import cohort
from cohort.errors import CohortError, ParameterError, UnknownNameError
from cohort.footprint.accounts import BOUNDARIES, Footprint, account
from cohort.footprint.factors import Range, factor, factor_of, power
from cohort.footprint.inputs import Factors
from cohort.footprint.places import grid_factors, grid_range, offsite_water
from cohort.footprint.training_runs import RunFactors, run_factors, training, training_hours
from cohort.units import HOURS_PER_YEAR

A100, H100 = "A100 SXM 80GB", "H100 SXM 80GB"
NONE = dict.fromkeys(("wue_onsite", "wue_offsite", "embodied_kg", "embodied_water_l"), 0.0)


def counted(
    boundary: str, energy: float, hours: float = 0, apply_pue: bool | None = None, **known: float
) -> Footprint:
    """Return the footprint of energy with everything left out that is not given."""
    rest = {**NONE, "lifetime_years": 5, "use_share": 1, "pue": 1, "grid_g_per_kwh": 0}
    factors = Factors(**{**rest, **known})
    return account(boundary, factors, it_energy_kwh=energy, accelerator_hours=hours, apply_pue=apply_pue)


# --- arithmetic: the publishers multiplied, and so do we


@pytest.mark.parametrize(
    ("hours", "watts", "tonnes"),
    [(184320, 400, 31.22), (368640, 400, 62.45), (1038336, 350, 153.91), (1720320, 400, 291.42)],
    ids=["7B", "13B", "34B", "70B"],
)
def test_llama_2(hours: int, watts: float, tonnes: float) -> None:
    run = training(
        accelerator=A100,
        accelerator_hours=hours,
        power_w=watts,
        boundary="accelerator_tdp",
        pue=1.1,
        apply_pue=True,
        grid_g_per_kwh=385,
    )
    assert run.co2e_kg / 1000 == pytest.approx(tonnes, abs=0.005)


@pytest.mark.parametrize(
    ("hours", "megawatthours", "tonnes"),
    [
        (809472, 356, 137.1),
        (1082880, 475, 183.4),
        (82432, 36, 14.0),
        (135168, 59, 22.9),
        (530432, 233, 89.9),
        (1022362, 449, 173.2),
    ],
    ids=["OPT", "BLOOM", "7B", "13B", "33B", "65B"],
)
def test_llama(hours: int, megawatthours: float, tonnes: float) -> None:
    known = {"boundary": "accelerator_tdp", "pue": 1.1, "apply_pue": True, "grid_g_per_kwh": 385}
    run = training(accelerator=A100, accelerator_hours=hours, **known)
    assert run.energy_kwh / 1000 == pytest.approx(
        megawatthours, abs=1.5
    )  # printed in whole MWh, cut or rounded
    assert run.co2e_kg / 1000 == pytest.approx(tonnes, abs=0.06)


@pytest.mark.parametrize(
    ("chips", "days", "watts", "pue", "grid", "megawatthours", "tonnes"),
    [
        (10000, 14.8, 330, 1.10, 429, 1289, 553.1),
        (512, 20, 310, 1.12, 545, 85.3, 46.5),
        (1024, 3.1, 288, 1.09, 177, 23.9, 4.23),
        (1024, 27, 245, 1.10, 330, 178.8, 59.0),
    ],
    ids=["GPT-3", "T5", "GShard", "Switch"],
)
def test_patterson(
    chips: int, days: float, watts: float, pue: float, grid: float, megawatthours: float, tonnes: float
) -> None:
    run = training(
        accelerator="V100 SXM2 32GB",
        accelerator_hours=chips * days * 24,
        node_power_w=watts,
        pue=pue,
        grid_g_per_kwh=grid,
    )
    assert run.energy_kwh / 1000 == pytest.approx(megawatthours, rel=2e-3)
    assert run.co2e_kg / 1000 == pytest.approx(tonnes, rel=2e-3)


def test_gpt_3_from_its_published_energy() -> None:
    assert counted("facility", 1_287_000, grid_g_per_kwh=429).co2e_kg / 1000 == pytest.approx(552.1, abs=0.05)


def test_bloom() -> None:
    run = training(accelerator=A100, accelerator_hours=1082990, boundary="accelerator_tdp", grid_g_per_kwh=57)
    assert run.energy_kwh == 433196
    assert run.co2e_kg / 1000 == pytest.approx(24.69, abs=0.005)


def test_water_of_gpt_3() -> None:
    known = {"wue_onsite": 0.55, "wue_offsite": 3.142, "pue": 1.17}
    run = counted("facility", 1_287_000, **known)
    assert run.water_onsite_l / 1e6 == pytest.approx(0.708, abs=5e-4)
    assert run.water_l / 1e6 == pytest.approx(5.439, abs=5e-4)
    assert counted("facility", 0.004, **known).water_l * 1000 == pytest.approx(16.90, abs=5e-3)


def test_hours_of_deepseek() -> None:
    v2 = 172_800 * cohort.footprint.training_runs.training_tokens("deepseek-v2") / 1e12
    assert v2 == pytest.approx(1_399_680, rel=1e-12)
    assert round((180_000 * 14.8 + 119_000 + 5_000) / 1e6, 3) == 2.788


# --- embodied


def test_bloom_with_its_hardware() -> None:
    known = {"embodied_kg": 150 + 2500 / 8, "lifetime_years": 6, "use_share": 0.85, "grid_g_per_kwh": 57}
    run = training(
        accelerator=A100,
        accelerator_hours=1082990,
        node_power_w=400,
        pue=1,
        boundary="with_embodied",
        **known,
    )
    assert run.embodied_kg / 1000 == pytest.approx(11.21, abs=5e-3)
    assert run.co2e_kg / 1000 + 14.6 == pytest.approx(50.5, abs=0.02)


def test_olmo_with_its_hardware() -> None:
    known = {"embodied_kg": 3700 / 8, "embodied_water_l": 102.6, "lifetime_years": 4, "use_share": 1}
    hour = training(accelerator=H100, accelerator_hours=1, boundary="with_embodied", **known)
    assert hour.embodied_kg == pytest.approx(0.0132, abs=5e-5)
    series = hour.times(1.65e6)
    assert series.embodied_kg / 1000 == pytest.approx(21.8, abs=0.05)
    assert series.water_embodied_l / 1000 == pytest.approx(4.83, abs=5e-3)


@pytest.mark.parametrize(
    ("kilograms", "teraflops", "grams"), [(1312, 1979, 0.657), (2274, 4500, 0.501)], ids=["H100", "B200"]
)
def test_nvidia_counts_the_sparse_peak_at_all_times(kilograms: float, teraflops: float, grams: float) -> None:
    known = {"embodied_kg": kilograms / 8, "lifetime_years": 4, "use_share": 1, "boundary": "with_embodied"}
    hour = training(accelerator="B200", accelerator_hours=8, **known)
    assert hour.embodied_kg * 1000 / (8 * teraflops * 1e12 * 3600 / 1e18) == pytest.approx(grams, abs=1e-3)


# --- measured: energy from meters


@pytest.mark.parametrize(
    ("megawatthours", "pue", "grid", "water", "tonnes", "kilolitres"),
    [(131, 1.2, 332, 1.29, 52.2, 202.8), (257, 1.12, 352, 3.10, 101.3, 892.3)],
    ids=["7B", "13B"],
)
def test_olmo_2(
    megawatthours: float, pue: float, grid: float, water: float, tonnes: float, kilolitres: float
) -> None:
    run = counted(
        "accelerator", megawatthours * 1000, pue=pue, apply_pue=True, grid_g_per_kwh=grid, wue_offsite=water
    )
    assert run.co2e_kg / 1000 == pytest.approx(tonnes, abs=0.05)
    assert run.water_l / 1000 == pytest.approx(kilolitres, abs=0.05)


# --- sums


def test_the_olmo_series_adds_up() -> None:
    parts = [counted("facility", 1, grid_g_per_kwh=tonnes * 1e6) for tonnes in (159, 312)]
    hardware = counted("with_embodied", 0, hours=1, embodied_kg=22e3 * HOURS_PER_YEAR, lifetime_years=1)
    assert (parts[0] + parts[1]).co2e_kg + hardware.co2e_kg == pytest.approx(493e3)
    development = factor("development", "all compute over the final run")
    assert development.central == pytest.approx(1 + 159 / 312, abs=5e-3)
    assert development.high == pytest.approx(1 / (1 - 0.822), abs=0.05)


# --- boundaries


def test_the_wider_the_boundary_the_more_it_counts() -> None:
    runs = [training(accelerator=H100, accelerator_hours=1e6, boundary=each) for each in BOUNDARIES]
    for narrow, wide in pairwise(runs[2:]):
        assert narrow.co2e_kg < wide.co2e_kg
    drawn, rated, node = runs[1], runs[0], runs[2]
    assert drawn.energy_kwh < rated.energy_kwh < node.energy_kwh  # the rating is above what is drawn
    assert [run.boundary for run in runs] == list(BOUNDARIES)
    assert [run.pue_applied for run in runs] == [False] * 3 + [True] * 3


def test_contracts_do_not_cover_the_hardware() -> None:
    run = training(accelerator=H100, accelerator_hours=1e6, boundary="with_embodied", market_g_per_kwh=0)
    assert run.co2e_market_kg == run.embodied_kg > 0
    assert run.operational_kg > 0
    plain = training(accelerator=H100, accelerator_hours=1e6)
    assert plain.co2e_market_kg == plain.co2e_kg


def test_all_electricity_becomes_heat() -> None:
    run = training(accelerator=H100, accelerator_hours=30.84e6, boundary="accelerator_tdp")
    assert run.heat_kwh == run.energy_kwh == pytest.approx(21_588_000)
    facility = training(accelerator=H100, accelerator_hours=30.84e6, node_power_w=952, pue=1.1)
    assert facility.heat_kwh / 1e6 == pytest.approx(32.3, abs=0.05)


def test_development_multiplies_everything() -> None:
    known = {"accelerator": H100, "accelerator_hours": 1e6, "development": 3}
    once = training(**known, boundary="with_embodied")
    thrice = training(**known, boundary="with_development")
    assert thrice.co2e_kg == pytest.approx(3 * once.co2e_kg)
    assert thrice.water_l == pytest.approx(3 * once.water_l)
    assert thrice.accelerator_hours == 3e6


@given(st.floats(0, 1e9), st.sampled_from(BOUNDARIES), st.floats(1, 3))
def test_a_footprint_is_linear_in_hours(hours: float, boundary: str, pue: float) -> None:
    one = training(accelerator=H100, accelerator_hours=hours, boundary=boundary, pue=pue)
    two = training(accelerator=H100, accelerator_hours=2 * hours, boundary=boundary, pue=pue)
    assert (one + one).co2e_kg == pytest.approx(two.co2e_kg, rel=1e-12)
    assert one.times(2).water_l == pytest.approx(two.water_l, rel=1e-12)


# --- hours


def test_hours_are_flop_over_peak_and_utilisation() -> None:
    assert training_hours(989e12 * 3600, H100, mfu=1) == pytest.approx(1)
    spec = cohort.model("llama-3-8b")
    run = training(accelerator=H100, model="llama-3-8b", tokens=15e12, mfu=0.4)
    assert run.accelerator_hours == pytest.approx(6 * spec.active_parameters * 15e12 / (989e12 * 0.4 * 3600))
    assert (
        training(accelerator=H100, model="llama-3-8b", tokens=15e12).accelerator_hours > run.accelerator_hours
    )


def test_the_v100_has_no_bf16() -> None:
    assert training_hours(125e12 * 3600, "V100 SXM2 32GB", mfu=1) == pytest.approx(1)


# --- factors and grids


def test_ranges_follow_the_family() -> None:
    assert factor_of(cohort.accelerator("H800 SXM"), "effective utilisation").central == 0.25
    assert factor_of(cohort.accelerator("A100 PCIe 80GB"), "effective utilisation").central == 0.4
    assert factor_of(cohort.accelerator("TPU v5e"), "effective utilisation").central == 0.4
    assert factor_of(cohort.accelerator("MI300X"), "effective utilisation").high == 0.47
    assert power(cohort.accelerator(H100), "node").central == pytest.approx(969, rel=1e-3)
    for level, kilowatts in (("low", 0.78), ("central", 0.969), ("high", 1.275)):
        row = next(
            row
            for row in table("footprint_factors")
            if row["quantity"] == "power per accelerator, all of the node" and row["level"] == level
        )
        assert float(row["value"]) == kilowatts
        assert getattr(power(cohort.accelerator(H100), "node"), level) == pytest.approx(
            1000 * kilowatts, rel=1e-3
        )


def test_every_default_has_a_source() -> None:
    for name in cohort.accelerators():
        device = cohort.accelerator(name)
        if device.tdp_w is None:
            continue
        for key, each in run_factors(name, "USA", "node").items():
            assert each.sources, (name, key)
            assert each.low < each.high, (name, key)
            assert RunFactors.given({key: each}) == {key: each}  # within its limits


def test_a_grid_has_method_scope_year_and_place() -> None:
    usa = cohort.grid("USA")
    assert (usa.g_per_kwh, usa.year, usa.method, usa.scope) == (383.55, 2024, "generation", "life_cycle")
    assert cohort.grid("USA", source="co2jselectricitymaps").method == "consumption"
    assert cohort.grid("USA", year=2021).g_per_kwh == 429
    assert cohort.grid("US-Virginia").scope == "combustion"
    assert cohort.grid("US-PJM").g_per_kwh == 418
    assert len(cohort.grids()) == len(set(cohort.grids())) > 30


def test_a_range_never_mixes_scopes() -> None:
    usa = grid_range("USA")
    assert (usa.low, usa.central, usa.high) == (208, 383.55, 501)  # two regions of one method bound it
    france = grid_range("France")
    assert france.low == 31
    assert france.central == 44.18 < france.high < 57  # the 57 used for BLOOM states no scope
    texas = grid_range("US-Texas")
    assert texas.low == pytest.approx(0.917 * 349.8)
    for place in cohort.grids():
        found = grid_range(place)
        assert found.low < found.central < found.high, place
        assert grid_factors(place)[0].g_per_kwh == found.central


def test_the_change_from_year_to_year_is_that_of_the_data() -> None:
    years: dict[str, dict[str, float]] = {}
    for row in table("grids_ember"):
        years.setdefault(row["place"], {})[row["year"]] = float(row["value"])
    ratios = [found["2025"] / found["2024"] for found in years.values() if len(found) == 2]
    near = factor("grid of a country", "grid factor over that of the year before")
    assert (min(ratios), max(ratios)) == (
        pytest.approx(near.low, abs=5e-4),
        pytest.approx(near.high, abs=5e-4),
    )


def test_water_of_a_place() -> None:
    assert offsite_water("France").central == 3.674
    assert offsite_water("Japan").central == offsite_water("World").central == 3.908
    assert offsite_water("US-Texas") == offsite_water("USA")


# --- faults


@pytest.mark.parametrize(
    ("known", "message"),
    [
        (
            {"accelerator_hours": -1},
            "accelerator_hours is -1, but must be from 0 to 10,000,000,000 hours",
        ),
        ({"accelerator_hours": float("nan")}, "accelerator_hours is nan, but must be from 0"),
        ({"accelerator_hours": True}, "accelerator_hours is True, but must be from 0"),
        ({"pue": 0.9}, "pue is 0.9, but must be from 1 to 10"),
        ({"use_share": 1.2}, "use_share is 1.2, but must be above 0 and at most 1"),
        ({"use_share": 0}, "use_share is 0, but must be above 0 and at most 1"),
        ({"mfu": -0.1}, "mfu is -0.1, but must be above 0 and at most 1"),
        ({"grid_g_per_kwh": -5}, "grid_g_per_kwh is -5, but must be from 0 to 2,000 g/kWh"),
        ({"development": 0.5}, "development is 0.5, but must be from 1"),
        ({"lifetime_years": "5"}, "lifetime_years is '5', but must be above 0"),
        ({"grid": "Frnace"}, "unknown grid 'Frnace'; did you mean 'France'?"),
        ({"grid": None}, "unknown grid None"),
        ({"grid": "Frnace", "grid_g_per_kwh": 50}, "unknown grid 'Frnace'; did you mean 'France'?"),
        ({"accelerator": 5}, "unknown accelerator 5"),
        ({"accelerator_hours": None, "model": "llama-3-8b", "tokens": -1}, "tokens is -1, but must be"),
        ({"boundary": None}, "unknown boundary None"),
        ({"boundary": "facilty"}, "unknown boundary 'facilty'; did you mean 'facility'?"),
        ({"accelerator": "H100"}, "unknown accelerator 'H100'; did you mean"),
        ({"accelerator": "M3 Ultra (80-core)"}, "must be one whose rated power the data hold"),
        ({"accelerator_hours": None}, "neither accelerator_hours nor a model is given"),
        (
            {"accelerator_hours": None, "model": "command-r-v01"},
            "command-r-v01 are not disclosed; give tokens",
        ),
        ({"accelerator_hours": None, "model": "llama-3-9b"}, "unknown model 'llama-3-9b'"),
    ],
)
def test_faults_are_named(known: dict, message: str) -> None:
    with pytest.raises(CohortError) as caught:
        training(**{"accelerator": H100, "accelerator_hours": 1000.0, **known})
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_faults_of_ranges_and_sums() -> None:
    with pytest.raises(ParameterError, match="ascending order"):
        Range(2, 1, 3, "W")
    with pytest.raises(UnknownNameError, match="did you mean 'triangular'"):
        Range(1, 2, 3, "W", shape="triangle")
    with pytest.raises(
        ParameterError, match="low of a lognormal range is 0, but must be a finite number above 0"
    ):
        Range(0, 2, 3, "W", shape="lognormal")
    with pytest.raises(ParameterError, match="must have the same boundary"):
        counted("facility", 1) + counted("node", 1)
    with pytest.raises(UnknownNameError, match="unknown year of the grid factor of USA 1999"):
        cohort.grid("USA", year=1999)
    with pytest.raises(UnknownNameError, match="unknown source of the grid factor of USA 'ember'"):
        cohort.grid("USA", source="ember")
    with pytest.raises(UnknownNameError, match="unknown range of development"):
        factor("development", "share")


def test_power_need_not_be_in_the_data() -> None:
    run = training(accelerator="M3 Ultra (80-core)", accelerator_hours=10, node_power_w=300, pue=1)
    assert run.energy_kwh == 3


def test_the_ledger_needs_the_standard_library_alone() -> None:
    code = (
        "import sys; before = set(sys.modules); import cohort;"
        "cohort.footprint.training(accelerator='H100 SXM 80GB', model='llama-3-8b'); cohort.grid('USA');"
        "cohort.footprint.audit.contradictions();"
        "from cohort.footprint.published_runs import run_of; run_of('llama-3-8b', 'H100 SXM 80GB');"
        "cohort.footprint.serving(model='llama-3-8b', input_tokens=10, output_tokens=10);"
        "cohort.footprint.fleet();"
        "tops = {name.partition('.')[0] for name in set(sys.modules) - before};"
        "print(sorted(tops - set(sys.stdlib_module_names) - {'cohort'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
