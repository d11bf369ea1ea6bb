"""The footprint of an answer, of its equivalents, of fleets, and the break-even with making the model."""

import importlib.util
import os
import shutil
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reading import table

import cohort
from cohort.chapters.serving_footprint import published
from cohort.errors import CohortError, ParameterError, UnknownNameError
from cohort.footprint import answers, factors, yardsticks
from cohort.footprint.accounts import BOUNDARIES, Footprint, account
from cohort.footprint.answers import break_even, per_million_tokens, per_year, service, serving
from cohort.footprint.energy import prompt_joules
from cohort.footprint.factors import Range
from cohort.footprint.inputs import Factors
from cohort.footprint.places import grid
from cohort.footprint.training_runs import training
from cohort.footprint.uncertainty import propagate
from cohort.footprint.yardsticks import fleet
from cohort.registry import facts

CHAT = {"input_tokens": 200, "output_tokens": 400}
LLAMA = {"model": "llama-3-70b", "concurrency": 64, **CHAT}


def factor(entity: str, quantity: str, level: str = "") -> float:
    (found,) = (
        float(row["value"])
        for row in table("footprint_factors")
        if (row["entity"], row["quantity"], row["level"]) == (entity, quantity, level)
    )
    return found


# --- known answers


def test_an_answer_by_hand():
    """Accelerators, 1.43 for the host, 10 of 93 percent idle, 1.10 for the data centre."""
    found, spec = service(**LLAMA), cohort.model("llama-3-70b")
    assert (found.accelerators, found.weight_dtype, found.cache_j) == (4, "bf16", 0)
    prompt = prompt_joules(spec, found.device, 200, 400, factors.factor("training", factors.DRAWN).central)
    assert found.prompt_j == prompt > 0
    joules = 400 * cohort.footprint.energy.joules_per_token("llama-3-70b", 4, 64) + prompt
    assert found.joules == pytest.approx(joules, rel=1e-12)
    kwh = joules * 1.43 / (1 - 0.10 / 0.93) * 1.10 / 3.6e6
    one = serving(**LLAMA)
    assert one.energy_kwh == pytest.approx(kwh, rel=1e-12)
    assert one.co2e_kg == pytest.approx(kwh * 0.38355, rel=1e-12)
    assert one.water_onsite_l == pytest.approx(kwh / 1.10 * 0.19, rel=1e-12)
    assert one.water_offsite_l == pytest.approx(kwh * 3.132, rel=1e-12)
    assert one.embodied_kg == 0


def test_hardware_by_hand():
    """462.5 kg an accelerator, five years, three quarters of them in use, a second at a time."""
    found, whole = service(**LLAMA), serving(**LLAMA, boundary="with_embodied")
    lives = found.accelerator_s / 3600 / (5 * 8760 * 0.75)
    assert whole.embodied_kg == pytest.approx(lives * 462.5, rel=1e-12)
    assert whole.water_embodied_l == pytest.approx(lives * 102.6, rel=1e-12)


def test_water_of_a_medium_answer_of_gpt_3():
    """4 Wh of machines at 0.55 L on site, and 1.17 times 3.142 L where the electricity is generated."""
    own = Factors(
        pue=1.17, grid_g_per_kwh=0.0, wue_onsite=0.55, wue_offsite=3.142, embodied_kg=0.0,
        embodied_water_l=0.0, lifetime_years=1.0, use_share=1.0,
    )  # fmt: skip
    found = account("facility", own, it_energy_kwh=0.004, accelerator_hours=0.0)
    assert 1000 * found.water_l == pytest.approx(16.90, abs=0.005)
    assert 1000 * found.water_l == pytest.approx(
        factor("GPT-3 medium answer", "water per answer, United States"), abs=0.01
    )


def test_deepseek_blind():
    """Nodes of 7.75 kW for a day over 168 billion tokens; the terms give the same within its range.

    A node of eight serves 14,800 tokens a second at 21 for each user; 43.7 percent of 608 billion input
    tokens are read. No row of this service was fitted to.
    """
    entity, quantity = "DeepSeek V3/R1 serving", "facility energy per 1000 output tokens"
    metered = factor(entity, "nodes in service") * 7.75e3 * 24 * 1.2 / 168e9 * 1000
    assert metered == pytest.approx(0.30, abs=0.005)
    low, central, high = (factor(entity, quantity, level) for level in ("low", "central", "high"))
    predicted = published.deepseek_blind()
    assert low < predicted < high
    assert predicted == pytest.approx(central, rel=0.2)


@pytest.mark.parametrize(
    ("entity", "model", "training_t", "grams"),
    [
        ("olmo-2-7b on one H100, one request a second", "olmo-2-7b", 52.2, 118.9),
        ("olmo-2-7b on one H100, all requests at once", "olmo-2-7b", 52.2, 6.0),
        ("llama-2-13b on one H100, one request a second", "llama-2-13b", 62.44, 133.1),
    ],
)
def test_published_break_even(entity, model, training_t, grams):
    made = replace(_empty("accelerator"), operational_kg=1000 * training_t)
    answer = replace(_empty("accelerator"), operational_kg=grams / 2400 / 1000)
    assert break_even(made, answer) == pytest.approx(
        factor(entity, "answers that emit as much as the training"), rel=0.01
    )


def _empty(boundary: str) -> Footprint:
    return Footprint(boundary, *([0.0] * 8), pue_applied=False)


def test_one_tonne():
    """A person, a car and a flight, as the data's sources have them."""
    assert yardsticks.person_days(1000) == pytest.approx(56, abs=0.5)
    assert yardsticks.person_days(1000, "USA") == pytest.approx(21, abs=0.5)
    assert yardsticks.fossil_person_days(1000) == pytest.approx(78, abs=0.5)
    assert yardsticks.car_years(1000) == pytest.approx(0.22, abs=0.005)
    assert yardsticks.car_km(1000) == pytest.approx(4023, abs=1)
    assert yardsticks.flights(1000) == pytest.approx(0.6, abs=0.005)
    assert yardsticks.flights(1000, radiative_forcing=False) == pytest.approx(1.14, abs=0.005)


def test_llama_3_1_in_plants():
    """11,390 t: 2,476 cars, 3.8 months by design, 108 times what ten months captured."""
    found = yardsticks.capture(11_390_000)
    assert found.design_months == pytest.approx(3.8, abs=0.01)
    assert found.first_months == pytest.approx(108, abs=0.6)
    assert found.calendar_years == pytest.approx(11_390 / 92)
    assert yardsticks.car_years(11_390_000) == pytest.approx(2476, abs=0.5)


def test_a_fleet_of_a_million():
    """At 0.969 kW a node's share, 1.2, 384 g, 0.3 and 3.13 L: as computed by hand."""
    found = fleet(power_w=969, pue=1.2, wue_onsite=0.3, wue_offsite=3.13)
    assert found.power_w == pytest.approx(1.163e9, rel=1e-3)
    assert found.year.energy_kwh == pytest.approx(10.19e9, rel=1e-3)
    assert found.year.operational_kg == pytest.approx(3.907e9, rel=1e-3)
    assert found.year.water_onsite_l == pytest.approx(2.547e9, rel=1e-3)
    assert found.year.water_offsite_l == pytest.approx(31.88e9, rel=1e-3)
    assert found.embodied_kg == 462.5e6
    assert found.year.embodied_kg == pytest.approx(462.5e6 / 5)
    assert yardsticks.capture(found.year.operational_kg).design_years == pytest.approx(109, abs=0.6)
    assert yardsticks.capture(found.year.operational_kg).first_months == pytest.approx(37_200, rel=2e-3)
    assert found.year.operational_kg / 6500 == pytest.approx(601_000, rel=1e-3)


def test_a_fleet_at_half_load_draws_half():
    half = fleet(load=0.5)
    assert half.power_w == pytest.approx(fleet().power_w / 2)
    assert half.embodied_kg == fleet().embodied_kg


@pytest.mark.skipif(not importlib.util.find_spec("ecologits"), reason="EcoLogits is not installed")
def test_ecologits_as_its_authors_compute_it():
    """123 billion dense parameters, 400 tokens, the Swedish grid, 1.16 and 0.09 L/kWh."""
    from ecologits.impacts.llm import compute_llm_impacts_dag

    found = compute_llm_impacts_dag(
        model_active_parameter_count=123, model_total_parameter_count=123, output_token_count=400,
        request_latency=float("inf"), if_electricity_mix_adpe=0.0, if_electricity_mix_pe=0.0,
        if_electricity_mix_gwp=0.03526, if_electricity_mix_wue=6.032, datacenter_pue=1.16,
        datacenter_wue=0.09,
    )  # fmt: skip
    entity = "EcoLogits 0.11.3, Mistral Large 2"
    assert 1000 * found["request_energy"] == pytest.approx(
        factor(entity, "energy per answer of 400 tokens"), rel=2e-3
    )
    total = found["request_usage_gwp"] + found["request_embodied_gwp"]
    assert 1000 * total == pytest.approx(factor(entity, "co2e per answer of 400 tokens"), rel=2e-3)
    assert 1000 * found["request_usage_wcf"] == pytest.approx(
        factor(entity, "water per answer of 400 tokens"), rel=2e-3
    )


# --- properties


def test_one_token_pays_for_its_prompt():
    """Two FLOP for each of 70 billion weights and 256 tokens, at most at the peak, take tens of joules."""
    one = service("llama-3-70b", input_tokens=256, output_tokens=1)
    assert one.joules > 2 * 70e9 * 256 / 989e12 * 500
    assert 300 < one.joules / one.accelerator_s <= 700


def test_a_cache_of_one_byte_takes_about_half():
    """A long context: what is read halves, and what the measured chats hold of it, at two bytes, stays."""
    ask = {"input_tokens": 16_384, "output_tokens": 400, "concurrency": 16}
    two, one = (service("llama-3-8b", kv_dtype=dtype, **ask) for dtype in ("bf16", "fp8"))
    spec, kept = cohort.model("llama-3-8b"), cohort.footprint.energy.coefficients()
    bytes_read = [spec.kv_cache_bytes(16_384 + 200, 1, width) for width in (2, 1)]
    short = spec.kv_cache_bytes(512, 1, 2)
    for found, read in zip((two, one), bytes_read, strict=True):
        assert found.cache_j == pytest.approx(400 * kept.read * (read - short) / 1e9, rel=1e-12)
    assert one.joules < two.joules


def test_boundaries_widen():
    """Each boundary holds the one before; the rated power bounds what is drawn."""
    rated, drawn, node, facility, whole = (
        serving(**LLAMA, boundary=boundary) for boundary in answers.BOUNDARIES_OF_USE
    )
    assert drawn.energy_kwh <= rated.energy_kwh
    assert drawn.energy_kwh < node.energy_kwh < facility.energy_kwh == whole.energy_kwh
    assert facility.co2e_kg < whole.co2e_kg
    assert whole.co2e_kg - whole.embodied_kg == facility.co2e_kg
    assert list(answers.BOUNDARIES_OF_USE) == list(BOUNDARIES[:-1])


@pytest.mark.parametrize("model", ["gemma-2b", "llama-3-8b", "mixtral-8x7b-v0.1", "llama-3.1-405b"])
def test_no_accelerator_draws_more_than_its_rating(model):
    for concurrency in (1, 16, 128):
        found = service(model, concurrency=concurrency, **CHAT)
        assert 100 < found.joules / found.accelerator_s <= 700 * (1 + 1e-12)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 3000), st.integers(1, 3000), st.integers(1, 200))
def test_longer_answers_take_more(tokens, prompt, concurrency):
    ask = {"model": "llama-3-8b", "concurrency": concurrency, "boundary": "with_embodied"}
    one = serving(**ask, input_tokens=prompt, output_tokens=tokens)
    longer = serving(**ask, input_tokens=prompt, output_tokens=tokens + 1)
    assert longer.energy_kwh > one.energy_kwh
    assert longer.co2e_kg > one.co2e_kg


def test_a_million_tokens_and_a_year_are_multiples():
    one = serving(**LLAMA)
    assert per_million_tokens(one, 400).energy_kwh == pytest.approx(one.energy_kwh * 2500)
    assert per_year(one, 1000).co2e_kg == pytest.approx(one.co2e_kg * 365_000)
    assert one.heat_kwh == one.energy_kwh


def test_contracts_change_the_market_alone():
    none, matched = serving(**LLAMA), serving(**LLAMA, market_g_per_kwh=0)
    assert matched.co2e_market_kg == 0 < none.co2e_market_kg
    assert matched.co2e_kg == none.co2e_kg
    assert serving(**LLAMA, grid="France").co2e_kg == pytest.approx(
        none.co2e_kg * grid("France").g_per_kwh / grid("USA").g_per_kwh
    )


def test_fewer_bits_where_sixteen_do_not_fit():
    """810 GB of Llama 3.1 405B fit no eight H100; one byte a weight does. H200 hold more."""
    assert service("llama-3.1-405b", **CHAT).weight_dtype == "fp8"
    found = service("llama-3.1-405b", "H200", **CHAT)
    assert (found.weight_dtype, found.accelerators) == ("bf16", 8)


def test_break_even_by_hand():
    made = training(accelerator="H100 SXM 80GB", accelerator_hours=1e6)
    one = serving(**LLAMA)
    assert break_even(made, one) == pytest.approx(made.co2e_kg / one.co2e_kg)
    wide = training(accelerator="H100 SXM 80GB", accelerator_hours=1e6, boundary="with_development")
    assert break_even(wide, serving(**LLAMA, boundary="with_embodied")) > break_even(made, one)


@pytest.mark.parametrize("accelerator", ["L4", "RTX 3090", "MI300X", "B200", "H200"])
def test_another_accelerator_is_less_certain(accelerator):
    """The range holds both ways to carry the coefficients over: as they are, and by ratings."""
    ask = {"concurrency": 8, **CHAT}
    own, other = service("llama-3-8b", **ask), service("llama-3-8b", accelerator, **ask)
    exact = answers.answer_factors(own.device, "USA", carried=own.carried)["energy_ratio"]
    wide = answers.answer_factors(other.device, "USA", carried=other.carried)["energy_ratio"]
    assert own.carried == 1 != other.carried
    assert wide.high / wide.low > exact.high / exact.low
    assert wide.low <= exact.low * other.carried + 1e-12 and wide.high >= exact.high * other.carried - 1e-12
    assert wide.central == exact.central


def test_factors_are_those_of_the_central_values():
    found = service(**LLAMA)
    ranges = answers.answer_factors(found.device, "USA")
    drawn = propagate(
        lambda **values: answers.answer_footprint("facility", found, values).energy_kwh, ranges, 20_000, 1
    )
    assert drawn.low < serving(**LLAMA).energy_kwh < drawn.high
    assert next(iter(drawn.shares())) == "energy_ratio"
    exact = answers.answer_factors(
        found.device, "USA", {"energy_ratio": Range(0.9, 1, 1.1, "ratio"), "pue": 1.2}
    )
    assert (exact["energy_ratio"].low, exact["pue"].central) == (0.9, 1.2)


# --- faults


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"model": "llama-3-80b"}, "unknown model 'llama-3-80b'; did you mean"),
        ({"accelerator": "H100"}, "unknown accelerator 'H100'; did you mean"),
        ({"grid": "Frence"}, "unknown grid 'Frence'; did you mean 'France'"),
        ({"boundary": "building"}, "unknown boundary 'building'"),
        ({"boundary": "with_development"}, "unknown boundary of an answer 'with_development'"),
        ({"concurrency": 0}, "concurrency is 0, but must be from 1"),
        (
            {"concurrency": 100_000},
            "with concurrency 100,000 fits no group of H100 SXM 80GB: on 8, the cache",
        ),
        ({"output_tokens": 0}, "output_tokens is 0, but must be from 1"),
        ({"pue": 0.9}, "pue is 0.9, but must be from 1"),
        ({"idle_share": 1.0}, "idle_share is 1.0, but must be from 0 to 0.99"),
        ({"host_ratio": 0.5}, "host_ratio is 0.5, but must be from 1"),
        ({"use_share": 1.5}, "use_share is 1.5, but must be above 0 and at most 1"),
        ({"model": "deepseek-v3.2"}, "deepseek-v3.2 with concurrency 64 fits no group of H100 SXM 80GB"),
        ({"accelerators": 16}, "accelerators is 16, but must be from 1 to 8 of H100 SXM 80GB"),
        ({"accelerators": 3}, "tensor_parallel is 3, but must divide the 64 attention heads"),
        ({"weight_dtype": "fp6"}, "unknown weight_dtype 'fp6'; did you mean"),
    ],
)
def test_bad_answers_are_named(asked, message):
    with pytest.raises(CohortError) as raised:
        serving(**{**LLAMA, **asked})
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


def test_other_faults_are_named():
    one, made = serving(**LLAMA), training(accelerator="H100 SXM 80GB", accelerator_hours=1, boundary="node")
    with pytest.raises(ParameterError, match="but both must have the same boundary"):
        break_even(made, one)
    with pytest.raises(ParameterError, match="the CO2e of an answer is 0"):
        break_even(training(accelerator="H100 SXM 80GB", accelerator_hours=1), one.times(0))
    with pytest.raises(ParameterError, match="answers_per_day is -1, but must be a finite number above 0"):
        per_year(one, -1)
    with pytest.raises(UnknownNameError, match="unknown yardstick"):
        yardsticks.person_days(1, "Worlds")
    with pytest.raises(ParameterError, match="load is 2, but must be above 0 and at most 1"):
        fleet(load=2)
    with pytest.raises(ParameterError, match="accelerators is 0, but must be above 0"):
        fleet(0)
    with pytest.raises(UnknownNameError, match="unknown factor 'pues'; did you mean 'pue'"):
        fleet(pues=1.2)
    with pytest.raises(ParameterError, match="one whose rated power the data hold"):
        serving(**{**LLAMA, "model": "llama-3-8b"}, accelerator="A100 PCIe 40GB", boundary="accelerator_tdp")


# --- what is kept between calls


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("grids_ember", "383.55", "767.1"),
        ("inference_calibration", "0.211", "0.422"),
        (
            "footprint_factors",
            "hyperscale data centre,pue,central,1.10,",
            "hyperscale data centre,pue,central,1.2,",
        ),
    ],
)
def test_an_answer_follows_its_tables(name, old, new, tmp_path, monkeypatch):
    before = serving(**LLAMA)
    copied = shutil.copytree(facts.data_folder(), tmp_path / "data")
    path = copied / f"{name}.csv"
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    os.utime(path, ns=(1, 1))
    monkeypatch.setattr(facts, "data_folder", lambda: str(copied))
    assert serving(**LLAMA).co2e_kg > 1.05 * before.co2e_kg
    monkeypatch.undo()
    assert serving(**LLAMA) == before


@pytest.mark.parametrize("accelerator", ["H100 SXM 80GB", "B200", "MI300X"])
@pytest.mark.parametrize("model", ["llama-3-8b", "qwen3-235b-a22b"])
def test_the_time_of_an_answer_is_that_of_its_service(model, accelerator):
    found = service(model, accelerator, 16, **CHAT)
    served = cohort.serving.serve(
        model, accelerator, found.accelerators, 16, weight_dtype=found.weight_dtype, **CHAT
    )
    shortest = found.joules / found.device.tdp_w
    assert found.accelerator_s == max(found.accelerators / served.requests_per_s, shortest)


def test_ranges_of_a_footprint_begin_at_the_values_that_it_was_made_with():
    for one in (serving(**LLAMA, pue=1.3), serving(**LLAMA)):
        again = one.provenance.again({name: each.central for name, each in one.provenance.factors.items()})
        assert again == one
