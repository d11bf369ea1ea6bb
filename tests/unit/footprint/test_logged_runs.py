"""A run by its log: what was metered stays, what is added is the ledger's, and no sum is written twice."""

import numpy as np
import pytest
from meter_logs import SMI, codecarbon, kwh, ramp, run_row, smi

import cohort
from cohort.errors import CohortError, ParameterError
from cohort.footprint import BOUNDARIES, from_log
from cohort.footprint.contracts import Contract, match, parse_contract
from cohort.footprint.intensity import read_series
from cohort.footprint.uncertainty import propagate


def day(path, hours=6, watts=600.0, name="NVIDIA H100 80GB HBM3", devices=1, step=60.0):
    steps = int(hours * 3600 / step) + 1
    return smi(path, np.full((steps, devices), watts), step, name=name)


# --- against the ledger that takes hours


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_a_log_gives_what_its_mean_power_gives_the_ledger(tmp_path, boundary):
    run = from_log(day(tmp_path / "a.csv"), grid="France", boundary=boundary, network_ratio=1)
    known = {} if boundary == "accelerator_tdp" else {"power_w": 600}
    same = cohort.footprint.training(
        accelerator="H100 SXM 80GB", accelerator_hours=6, grid="France", boundary=boundary, **known
    )
    for name in ("energy_kwh", "co2e_kg", "co2e_market_kg", "embodied_kg", "water_l", "accelerator_hours"):
        assert getattr(run.footprint, name) == pytest.approx(getattr(same, name), rel=1e-12), name


def test_parts_add_up_and_say_what_was_measured(tmp_path):
    for boundary in BOUNDARIES:
        run = from_log(day(tmp_path / "a.csv"), boundary=boundary, grid="SE")
        parts = run.parts()
        assert sum(part.energy_kwh for part in parts) == pytest.approx(run.footprint.energy_kwh)
        made = run.footprint.embodied_kg
        assert sum(part.co2e_kg for part in parts) == pytest.approx(run.footprint.operational_kg + made)
        measured = [part.name for part in parts if part.status == "measured"]
        assert measured == ([] if boundary == "accelerator_tdp" else ["accelerators"])
        assert all(part.factor for part in parts if part.status == "estimated")


def test_a_wider_boundary_takes_more(tmp_path):
    run = from_log(day(tmp_path / "a.csv"), grid="SE")
    co2e = [run.within(boundary).co2e_kg for boundary in BOUNDARIES[1:]]
    assert co2e == sorted(co2e) and len(set(co2e)) == len(co2e)


def test_the_range_holds_the_value_and_draws_agree_with_it(tmp_path):
    run = from_log(day(tmp_path / "a.csv"), grid="SE", boundary="with_embodied")
    about = run.footprint.provenance
    low, high = about.interval("co2e_kg")
    drawn = propagate(lambda **values: about.again(values).co2e_kg, about.factors, draws=20000)
    assert low < run.footprint.co2e_kg < high
    assert np.percentile(drawn.values, [5, 95]) == pytest.approx([low, high], rel=0.1)


# --- fleets, shares, hosts


def test_each_kind_of_a_fleet_has_its_own_factors(tmp_path):
    paths = [day(tmp_path / "a.csv"), day(tmp_path / "b.csv", name="NVIDIA L40S", watts=300)]
    both = from_log(paths, grid="SE", boundary="with_embodied")
    alone = [from_log(path, grid="SE", boundary="with_embodied") for path in paths]
    assert [group.device.name for group in both.groups] == ["H100 SXM 80GB", "L40S"]
    assert [group.hours for group in both.groups] == pytest.approx([6, 6])
    for name in ("energy_kwh", "co2e_kg", "embodied_kg"):
        assert getattr(both.footprint, name) == pytest.approx(
            sum(getattr(each.footprint, name) for each in alone)
        )
    assert "host_ratio: L40S" in both.footprint.provenance.factors


def test_a_share_scales_everything(tmp_path):
    path = day(tmp_path / "a.csv")
    whole, part = (from_log(path, grid="SE", boundary="with_embodied", share=share) for share in (1, 0.25))
    assert part.footprint.co2e_kg == pytest.approx(whole.footprint.co2e_kg / 4)
    assert part.measured_kwh == pytest.approx(whole.measured_kwh / 4)
    assert any("25%" in sentence for sentence in part.footprint.provenance.assumed)


def test_a_metered_host_counts_towards_the_ratio_and_is_never_less_than_metered(tmp_path):
    small = from_log(codecarbon(tmp_path / "a.csv", [run_row("aaaaaaaa1", 1, 2.0)]), boundary="node")
    ratio = small.footprint.provenance.factors["host_ratio"].central
    assert small.footprint.energy_kwh == pytest.approx(2 * ratio)
    big = from_log(codecarbon(tmp_path / "b.csv", [run_row("aaaaaaaa1", 1, 2.0, cpu=3.0)]), boundary="node")
    assert big.footprint.energy_kwh == pytest.approx(5.05)
    own = from_log(tmp_path / "a.csv", boundary="node", host_ratio=1)
    assert own.footprint.energy_kwh == pytest.approx(dict(own.log.reported)["energy_kwh"])


def test_a_wall_meter_is_the_node(tmp_path):
    path = tmp_path / "wall.csv"
    path.write_text("time,wall [W]\n0,5000\n3600,5000\n", encoding="utf-8")
    run = from_log(path, boundary="node")
    assert run.footprint.energy_kwh == pytest.approx(5)
    with pytest.raises(ParameterError, match="no accelerator"):
        from_log(path, boundary="accelerator")
    assert "not assessed" in " ".join(from_log(path, boundary="with_embodied").footprint.provenance.assumed)


def test_serving_takes_its_own_ratio_of_the_host(tmp_path):
    path = day(tmp_path / "a.csv")
    run = from_log(path, grid="SE", boundary="node", use="serving")
    assert run.footprint.provenance.factors["host_ratio"].central == 1.43


def test_an_accelerator_that_the_data_lack_is_said(tmp_path):
    path = day(tmp_path / "a.csv", name="Quadro RTX 8000", watts=200)
    run = from_log(path, grid="SE", boundary="with_embodied")
    assert "Quadro RTX 8000 is not in the data" in " ".join(run.footprint.provenance.assumed)
    with pytest.raises(CohortError, match="rated power"):
        from_log(path, grid="SE", boundary="accelerator_tdp")


# --- where and when


def test_the_place_is_given_or_named_by_the_log_or_the_world(tmp_path):
    path = codecarbon(tmp_path / "a.csv", [run_row("aaaaaaaa1", 1, 2.0)])
    assert from_log(path).footprint.provenance.grid.place == "Germany"
    assert from_log(path, grid="SE").footprint.provenance.grid.place == "Sweden"
    assert from_log(day(tmp_path / "b.csv")).footprint.provenance.grid.place == "World"
    old = from_log(path, grid="USA", year=2021).footprint.provenance
    assert old.factors["grid_g_per_kwh"].central == cohort.grid("USA", year=2021).g_per_kwh


MAPS = (
    "Datetime (UTC),Country,Zone name,Zone id,Carbon intensity gCO₂eq/kWh (direct),"
    "Carbon intensity gCO₂eq/kWh (Life cycle)"
)


def series(path, values, heads=MAPS, first=9):
    rows = [f"2026-11-26 {first + k:02d}:00:00,X,X,X,{value / 2},{value}" for k, value in enumerate(values)]
    path.write_text("\n".join([heads, *rows]), encoding="utf-8")
    return str(path)


def test_intensity_by_the_hour_is_matched_to_the_clock_of_the_log(tmp_path):
    path = day(tmp_path / "a.csv", hours=2)  # 10:00 to 12:00 by its own clock
    hours = series(tmp_path / "maps.csv", [900, 100, 300, 50])  # from 9:00 UTC
    here = from_log(path, grid="SE", boundary="accelerator", intensity=hours, utc_offset_hours=0)
    assert here.footprint.provenance.factors["grid_g_per_kwh"].central == pytest.approx(200)
    ahead = from_log(path, grid="SE", boundary="accelerator", intensity=hours, utc_offset_hours=1)
    assert ahead.footprint.provenance.factors["grid_g_per_kwh"].central == pytest.approx(500)
    assert "by the hour" in here.footprint.provenance.assumed[0]
    unsaid = from_log(path, grid="SE", intensity=hours)
    assert "taken as UTC" in " ".join(unsaid.footprint.provenance.assumed)


def test_hours_that_a_series_lacks_have_the_factor_of_the_place(tmp_path):
    path = day(tmp_path / "a.csv", hours=2)
    hours = series(tmp_path / "maps.csv", [300], first=10)
    run = from_log(path, grid="SE", boundary="accelerator", intensity=hours, utc_offset_hours=0)
    expected = (300 + cohort.grid("SE").g_per_kwh) / 2
    assert run.footprint.provenance.factors["grid_g_per_kwh"].central == pytest.approx(expected)
    with pytest.raises(ParameterError, match="none of the hours"):
        from_log(path, grid="SE", intensity=hours, utc_offset_hours=-10)


def test_watttime_is_in_pounds_a_megawatt_hour_and_plain_tables_are_read(tmp_path):
    path = tmp_path / "watttime.csv"
    rows = [f"2026-04-01T00:{5 * k:02d}:00+00:00,1000" for k in range(12)]
    path.write_text("\n".join(["point_time,value", *rows]), encoding="utf-8")
    (found,) = read_series(path).by_hour.values()
    assert found == pytest.approx(453.59237) and "marginal" in read_series(path).counts
    plain = tmp_path / "plain.csv"
    plain.write_text("time,g_per_kwh\n2026-04-01 00:00:00,35\n", encoding="utf-8")
    assert list(read_series(plain).by_hour.values()) == [35]


@pytest.mark.parametrize(
    "text", ["", "a,b\n1,2\n", f"{MAPS}\nx,X,X,X,1,2\n", f"{MAPS}\n2026-11-26 10:00,X,X,X,1,=2\n"]
)
def test_a_series_that_cannot_be_read_gets_one_sentence(tmp_path, text):
    path = tmp_path / "s.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CohortError) as caught:
        read_series(path)
    assert "\n" not in str(caught.value)


# --- contracts


def test_contracts_by_the_hour_cover_only_their_hours(tmp_path):
    path = day(tmp_path / "a.csv", hours=10)  # 10:00 to 20:00
    run = from_log(path, grid="SE", contracts=["solar:0:hours=12-17"], residual_g_per_kwh=400)
    factor = run.footprint.provenance.factors["market_g_per_kwh"].central
    assert factor == pytest.approx(200)
    assert run.footprint.operational_market_kg == pytest.approx(run.footprint.energy_kwh * 0.2)
    assert run.footprint.operational_kg != run.footprint.operational_market_kg
    year = from_log(path, grid="SE", contracts=[Contract("wind", 10, share=0.5)], residual_g_per_kwh=400)
    assert year.footprint.provenance.factors["market_g_per_kwh"].central == pytest.approx(205)


def test_contracts_are_used_in_order_and_up_to_their_limit():
    hours = dict.fromkeys(range(24), 10.0)
    found = match(
        [Contract("a", 0, kwh=30), Contract("b", 50, share=0.5, from_hour=22, to_hour=2)], hours, 400
    )
    assert [kwh for _, kwh in found.covered] == pytest.approx([30, 10])  # a has used 0, 1 and 2 up
    assert found.rest_kwh == pytest.approx(200)
    assert found.g_per_kwh == pytest.approx((0 * 30 + 50 * 10 + 400 * 200) / 240)


@pytest.mark.parametrize(
    "text",
    ["", "a", "a:x", "a:0:hours=9", "a:0:share=2", "a:0:colour=1", "a:-1", "a:0:hours=9-30", "a:0:kwh=0"],
)
def test_a_contract_that_is_none_is_refused(text):
    with pytest.raises(CohortError) as caught:
        parse_contract(text)
    assert "\n" not in str(caught.value)


# --- refusals


@pytest.mark.parametrize(
    "options",
    [
        {"boundary": "rack"}, {"grid": "Atlantis"}, {"share": 0}, {"share": 1.5}, {"use": "mining"},
        {"pue": 0.5}, {"colour": 1}, {"year": 1900, "grid": "SE"}, {"machines": 0}, {"interval_s": -1},
        {"residual_g_per_kwh": -1}, {"intensity": "/dev/null"}, {"network_ratio": 0.5},
    ],
)  # fmt: skip
def test_what_is_out_of_range_is_refused(tmp_path, options):
    with pytest.raises(CohortError) as caught:
        from_log(day(tmp_path / "a.csv", hours=1), **options)
    assert "\n" not in str(caught.value)


def test_a_log_without_a_clock_cannot_be_matched_by_the_hour(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("time,watts\n0,100\n10,100\n", encoding="utf-8")
    hours = series(tmp_path / "maps.csv", [300])
    with pytest.raises(ParameterError, match="no clock"):
        from_log(path, grid="SE", intensity=hours)
    with pytest.raises(ParameterError, match="no clock"):
        from_log(path, grid="SE", contracts=["solar:0:hours=9-17"])
    assert from_log(path, grid="SE", contracts=["wind:0"]).footprint.co2e_market_kg == pytest.approx(0)


def test_the_energy_of_the_log_is_that_of_its_samples(tmp_path):
    run = from_log(smi(tmp_path / "a.csv", ramp(), heads=SMI), boundary="accelerator", grid="SE")
    assert run.footprint.energy_kwh == pytest.approx(kwh(ramp()), rel=1e-12)
    assert run.measured_kwh == pytest.approx(kwh(ramp()), rel=1e-12)
