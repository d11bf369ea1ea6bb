"""The ledger, answers and fleets with numbers small enough to follow by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import cohort
from cohort.errors import DoesNotFitError, NotInDataError, ParameterError, UnknownNameError
from cohort.footprint import yardsticks
from cohort.footprint.accounts import BOUNDARIES, account, at_least
from cohort.footprint.answers import (
    BOUNDARIES_OF_USE,
    AnswerFactors,
    answer_factors,
    answer_footprint,
    break_even,
    idle_share,
    per_million_tokens,
    service,
    serving,
)
from cohort.footprint.factors import Range, assessed, factor, factor_of, mfu, power
from cohort.footprint.hosting import Service
from cohort.footprint.inputs import Case, Factors, central_values
from cohort.footprint.places import comparable, grid, offsite_water
from cohort.footprint.training_runs import RunFactors, run_compute, run_footprint, training

H100 = cohort.accelerator("H100 SXM 80GB")
# Round numbers, no two alike, so that no factor can stand for another.
ROUND = {
    "pue": 1.25, "grid_g_per_kwh": 400.0, "market_g_per_kwh": 100.0, "wue_onsite": 0.5, "wue_offsite": 3.0,
    "embodied_kg": 876.0, "embodied_water_l": 438.0, "lifetime_years": 4.0, "use_share": 0.5,
}  # fmt: skip
ANSWER = {**ROUND, "host_ratio": 1.5, "idle_share": 0.2, "energy_ratio": 2.0}
RUN = {**ROUND, "power_w": 800.0, "mfu": 0.25, "development": 3.0}
# An hour of one H100 that draws 360 W: 0.36 kWh of the accelerator alone.
HOUR = Service(
    cohort.model("llama-3-8b"), H100, 1, 8, 100, 100, "bf16", joules=360 * 3600.0, prompt_j=0.0, cache_j=0.0,
    accelerator_s=3600.0, carried=1.0,
)  # fmt: skip


# --- the ledger


def test_every_amount_of_the_ledger() -> None:
    """1,000 kWh of machines, and the hours of one life: four years of which half are worked."""
    found = account(
        "with_development",
        Factors(**ROUND),
        it_energy_kwh=1000.0,
        accelerator_hours=17_520.0,
        development=3.0,
    )
    assert found.energy_kwh == found.heat_kwh == 3750
    assert (found.operational_kg, found.operational_market_kg) == (1500, 375)
    assert found.embodied_kg == 3 * 876
    assert found.co2e_kg == 1500 + 2628
    assert found.co2e_market_kg == 375 + 2628
    assert (found.water_onsite_l, found.water_offsite_l, found.water_embodied_l) == (1500, 11_250, 3 * 438)
    assert found.water_l == 1500 + 11_250 + 1314
    assert found.accelerator_hours == 52_560
    once = account("with_development", Factors(**ROUND), it_energy_kwh=1000.0, accelerator_hours=17_520.0)
    assert once.energy_kwh == 1250


def test_the_ledger_of_arrays_is_that_of_each_value() -> None:
    values = np.array([1.0, 1.1, 1.5])
    found = account(
        "facility", Factors(**{**ROUND, "pue": values}), it_energy_kwh=1000.0, accelerator_hours=0.0
    )  # fmt: skip
    assert found.energy_kwh.tolist() == pytest.approx([1000, 1100, 1500])
    assert found.water_onsite_l == 500


def test_footprints_add_up_and_multiply() -> None:
    one = account("with_embodied", Factors(**ROUND), it_energy_kwh=10.0, accelerator_hours=876.0)
    both, thrice = one + one.times(2), one.times(3)
    for name in ("energy_kwh", "co2e_kg", "co2e_market_kg", "water_l", "accelerator_hours", "embodied_kg"):
        assert getattr(both, name) == pytest.approx(3 * getattr(one, name)) == getattr(thrice, name)
    assert one.times(0).co2e_kg == 0
    other = account("with_embodied", Factors(**ROUND), it_energy_kwh=1, accelerator_hours=0, apply_pue=False)
    with pytest.raises(ParameterError, match="must have the same boundary"):
        one + other
    with pytest.raises(TypeError):
        one + 1
    with pytest.raises(ParameterError, match="number is -1"):
        one.times(-1)


def test_boundaries_are_in_order() -> None:
    order = [[at_least(one, other) for other in BOUNDARIES] for one in BOUNDARIES]
    assert order == [[a >= b for b in range(6)] for a in range(6)]


def test_a_factor_left_out_is_an_error() -> None:
    with pytest.raises(TypeError, match="use_share"):
        Factors(**{name: value for name, value in ROUND.items() if name != "use_share"})


# --- answers


@pytest.mark.parametrize(
    ("boundary", "kwh"),
    [
        ("accelerator_tdp", 0.7),  # 700 W for an hour
        ("accelerator", 0.72),  # 0.36 kWh of the terms, twice what they say
        ("node", 1.08),
        ("facility", 1.08 / 0.8 * 1.25),
        ("with_embodied", 1.08 / 0.8 * 1.25),
    ],
)
def test_an_answer_of_an_hour(boundary: str, kwh: float) -> None:
    found = answer_footprint(boundary, HOUR, ANSWER)
    assert found.energy_kwh == pytest.approx(kwh, rel=1e-12)
    assert found.accelerator_hours == 1
    hardware = 876 / (4 * 8760 * 0.5) if boundary == "with_embodied" else 0
    assert found.embodied_kg == pytest.approx(hardware, rel=1e-12)
    assert found.co2e_kg == pytest.approx(0.4 * kwh + hardware, rel=1e-12)


def test_half_an_hour_of_an_answer_at_its_rating() -> None:
    """Twice the seconds are twice the energy at the rated power, and no energy of the terms counts."""
    half = replace(HOUR, accelerator_s=1800.0, joules=1.0)
    assert answer_footprint("accelerator_tdp", half, ANSWER).energy_kwh == pytest.approx(0.35, rel=1e-12)
    assert answer_footprint("accelerator", half, ANSWER).energy_kwh == pytest.approx(2 / 3.6e6, rel=1e-12)


def test_the_time_of_an_answer() -> None:
    """Two accelerators over the requests that they finish in a second; or the joules over 700 W."""
    ask = {"input_tokens": 2000, "output_tokens": 400}
    for concurrency in (1, 64):
        found = service("llama-3-8b", concurrency=concurrency, accelerators=2, **ask)
        steady = cohort.serving.serve("llama-3-8b", "H100 SXM 80GB", 2, concurrency, **ask)
        assert found.accelerator_s == max(2 / steady.requests_per_s, found.joules / 700)
        assert found.joules > found.prompt_j + found.cache_j > 0
    unrated = service("llama-3-8b", "A100 PCIe 40GB", input_tokens=200, output_tokens=1000)
    assert unrated.accelerator_s > 0


def test_idle_machines_as_a_share_of_machines() -> None:
    """10 of 93 percent: 8 of the 101 are the losses of the data centre."""
    share = idle_share()
    assert share.central == pytest.approx(0.10 / 0.93, rel=1e-12)
    assert (share.low, share.high) == pytest.approx((0.05 / 0.93, 0.2 / 0.93), rel=0.6)
    table = factor("serving", "share of idle machines")
    assert share.high / table.high == pytest.approx(1 / 0.93, rel=1e-12)


def test_the_range_of_another_accelerator_is_wider_on_one_side() -> None:
    usual = factor("serving", "measured energy over that of the terms")
    for carried, low, high in ((0.5, 0.5, 1.0), (2.0, 1.0, 2.0), (1.0, 1.0, 1.0)):
        found = answer_factors(H100, "USA", carried=carried)["energy_ratio"]
        assert (found.low, found.central, found.high) == (usual.low * low, usual.central, usual.high * high)
    told = answer_factors(H100, "USA", {"energy_ratio": 1.1}, carried=2.0)["energy_ratio"]
    assert told == Range.exact(1.1, "ratio")


def test_a_million_tokens_by_hand() -> None:
    one = answer_footprint("accelerator", HOUR, ANSWER)
    assert per_million_tokens(one, 100).energy_kwh == pytest.approx(7200)


def test_answers_until_use_outweighs_making() -> None:
    one = answer_footprint("facility", HOUR, ANSWER)
    made = run_footprint("facility", H100, (1000.0, None), RUN)
    assert break_even(made, one) == pytest.approx(1000 * 0.8 * 1.25 / (1.08 / 0.8 * 1.25))
    with pytest.raises(ParameterError, match="both must have the same boundary"):
        break_even(made, answer_footprint("node", HOUR, ANSWER))


def test_what_fits_nowhere_is_an_error_of_its_own() -> None:
    ask = {"input_tokens": 100, "output_tokens": 100}
    with pytest.raises(DoesNotFitError, match=r"deepseek-v3\.2 .* fits no group of L4: on 8, its weights"):
        service("deepseek-v3.2", "L4", **ask)
    with pytest.raises(DoesNotFitError, match="the cache"):
        service("llama-3-8b", concurrency=10**6, **ask)
    with pytest.raises(NotInDataError, match="one whose rated power the data hold"):
        serving(model="llama-3-8b", accelerator="A100 PCIe 40GB", boundary="accelerator_tdp", **ask)


def test_use_has_no_development() -> None:
    assert BOUNDARIES[:5] == BOUNDARIES_OF_USE


# --- runs


@pytest.mark.parametrize(
    ("boundary", "kwh"), [("accelerator", 800), ("node", 800), ("facility", 1000), ("with_development", 3000)]
)
def test_a_run_of_a_thousand_hours(boundary: str, kwh: float) -> None:
    found = run_footprint(boundary, H100, (1000.0, None), RUN)
    assert found.energy_kwh == pytest.approx(kwh)
    assert run_footprint("accelerator", H100, (1000.0, None), RUN, apply_pue=True).energy_kwh == 1000


def test_flop_make_hours() -> None:
    """A quarter of 989 TFLOP/s for two hours."""
    found = run_footprint("accelerator", H100, (None, 0.25 * 989e12 * 7200), RUN)
    assert found.accelerator_hours == pytest.approx(2, rel=1e-12)
    assert found.energy_kwh == pytest.approx(1.6, rel=1e-12)
    assert run_compute(None, "llama-3-8b", 1e12) == (None, 6 * 8_030_261_248 * 1e12)
    assert run_compute(5, "llama-3-8b", 1e12) == (5, None)


# --- what is known


def test_what_is_known_replaces_a_range() -> None:
    known = {"pue": 1.3, "mfu": Range(0.2, 0.3, 0.4, "fraction"), "development": None}
    found = RunFactors.ranges(Case(H100, "France", "node"), known)
    assert found["pue"] == Range.exact(1.3, "ratio")
    assert found["mfu"].low == 0.2
    assert found["development"].high > found["development"].low
    assert "market_g_per_kwh" not in found
    assert RunFactors.given({"market_g_per_kwh": 0, "power_w": 500}) == {
        "market_g_per_kwh": Range.exact(0.0, "g/kWh"), "power_w": Range.exact(500.0, "W"),
    }  # fmt: skip
    assert central_values(found)["mfu"] == 0.3


def test_a_range_may_not_leave_its_limits() -> None:
    for ends in ((0.9, 1.1, 1.2), (1.1, 1.2, 11.0)):
        with pytest.raises(ParameterError, match=r"pue is .*, but must be from 1 to 10"):
            Factors.given({"pue": Range(*ends, "ratio")})
    for name, value in (("power_w", 0), ("mfu", 0), ("lifetime_years", 0), ("use_share", 0)):
        with pytest.raises(ParameterError, match=f"{name} is 0, but must be above 0"):
            RunFactors.given({name: value})
    for name in ("grid_g_per_kwh", "wue_onsite", "wue_offsite", "embodied_kg", "embodied_water_l"):
        assert Factors.given({name: 0})[name].central == 0


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("pue", 1, 10), ("grid_g_per_kwh", 0, 2000), ("market_g_per_kwh", 0, 2000), ("wue_onsite", 0, 10),
        ("wue_offsite", 0, 1000), ("embodied_kg", 0, 1e5), ("embodied_water_l", 0, 1e6),
        ("lifetime_years", 1e-9, 100), ("use_share", 1e-9, 1), ("power_w", 1e-9, 1e5), ("mfu", 1e-9, 1),
        ("development", 1, 1e4), ("host_ratio", 1, 10), ("idle_share", 0, 0.99), ("energy_ratio", 0.01, 100),
    ],
)  # fmt: skip
def test_the_ends_of_every_factor(name: str, low: float, high: float) -> None:
    kind = AnswerFactors if name in ("host_ratio", "idle_share", "energy_ratio") else RunFactors
    assert kind.given({name: low})[name].central == low
    assert kind.given({name: high})[name].central == high
    for beyond in (-1e-9 if low in (0, 1e-9) else low * 0.999, high * 1.001):
        with pytest.raises(ParameterError, match=f"{name} is "):
            kind.given({name: beyond})


@pytest.mark.parametrize("call", [training, serving])
def test_an_unknown_factor_is_named(call) -> None:
    asked = {"accelerator": "H100 SXM 80GB"}
    if call is serving:
        asked |= {"model": "llama-3-8b", "input_tokens": 10, "output_tokens": 10}
    else:
        asked |= {"accelerator_hours": 1.0}
    with pytest.raises(UnknownNameError, match="unknown factor 'pues'; did you mean 'pue'"):
        call(**asked, pues=1.2)
    other = "host_ratio" if call is training else "power_w"
    with pytest.raises(UnknownNameError, match=f"unknown factor '{other}'"):
        call(**asked, **{other: 1.2})


def test_factors_of_families() -> None:
    assert (mfu(H100).low, mfu(H100).central, mfu(H100).high) == (0.14, 0.25, 0.35)
    known = {name: assessed(cohort.accelerator(name)) for name in ("H100 PCIe", "L4", "A100 PCIe 40GB")}
    assert known == {"H100 PCIe": True, "L4": False, "A100 PCIe 40GB": True}
    assert power(H100, "accelerator").central == 630
    assert power(H100, "accelerator_tdp") == Range.exact(700.0, "W")
    assert power(H100, "node") == power(H100, "facility") != power(H100, "accelerator")
    with pytest.raises(UnknownNameError, match="unknown quantity of accelerators 'effective utilisations'"):
        factor_of(H100, "effective utilisations")
    with pytest.raises(UnknownNameError, match="unknown entity 'trainings'; did you mean 'training'"):
        factor("trainings", "power of an accelerator over its rating")


def test_regions_belong_to_the_one_country_that_has_them() -> None:
    usa = {each.place for each in comparable(grid("USA"))}
    assert {"USA", "US-PJM", "US-CAISO"} <= usa
    assert {each.place for each in comparable(grid("US-Texas"))} == {"US-Texas"}
    assert {each.place for each in comparable(grid("France"))} == {"France"}
    usual, france = offsite_water("USA"), offsite_water("France")
    assert france.low / france.central == pytest.approx(usual.low / usual.central)
    assert france.high / france.central == pytest.approx(usual.high / usual.central)


# --- yardsticks and fleets


def test_yardsticks_by_hand() -> None:
    """6.5, 4.7 and 4.6 t a year; 400 g a mile; 1,668 kg a flight; 36,000, 105 and 92 t captured."""
    assert yardsticks.person_days(6500) == pytest.approx(365)
    assert yardsticks.fossil_person_days(4700) == pytest.approx(365)
    assert yardsticks.car_years(9200) == pytest.approx(2)
    assert yardsticks.car_km(0.4) == pytest.approx(1.609344)
    assert yardsticks.flights(1668 / 1.9, radiative_forcing=False) == pytest.approx(1)
    found = yardsticks.capture(36e6)
    assert (found.design_years, found.design_months) == (1, 12)
    assert (found.first_months, found.calendar_years) == pytest.approx((36_000 / 105, 36_000 / 92))


def test_a_fleet_by_hand() -> None:
    """A thousand at 800 W and a quarter of losses draw a megawatt; a quarter of their making is a year's."""
    fleet = yardsticks.fleet_footprint(H100, 1000.0, 1.0, {**RUN, "use_share": 1.0})
    assert fleet.power_w == pytest.approx(1e6)
    assert fleet.year.energy_kwh == pytest.approx(8.76e6)
    assert fleet.embodied_kg == 876_000
    assert fleet.year.embodied_kg == pytest.approx(876_000 / 4)
    half = yardsticks.fleet_footprint(H100, 1000.0, 0.5, {**RUN, "use_share": 1.0})
    assert half.power_w == pytest.approx(5e5)
    assert yardsticks.fleet(10, load=1).power_w > yardsticks.fleet(10, load=0.9).power_w
    assert yardsticks.fleet_factors(H100)["use_share"].central == 1
    assert yardsticks.fleet_factors(H100, known={"use_share": 0.5})["use_share"].central == 0.5
