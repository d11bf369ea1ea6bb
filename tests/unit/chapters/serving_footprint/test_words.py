"""The sentences on one answer and on what it is compared with: known ones, and each branch."""

import numpy as np
import pandas as pd
import pytest

import cohort
from cohort.chapters.serving_footprint import making, published, tables, uncertainty
from cohort.chapters.serving_footprint.words import comparisons, one_answer
from cohort.footprint import answers, yardsticks
from cohort.footprint.uncertainty import Spread

CHAT = {"accelerator": "H100 SXM 80GB", "input_tokens": 256, "output_tokens": 400}
SERVICE = answers.service("llama-3-70b", **CHAT)
ROWS = {
    each: answers.serving(model="llama-3-70b", boundary=each, **CHAT) for each in answers.BOUNDARIES_OF_USE
}
ENERGY = Spread(np.linspace(0.1, 0.3, 101), {})  # 0.11 to 0.29
LEFT = published.energies_left_out()


def evens(**rows: tuple) -> pd.DataFrame:
    """Return break-even points: per model how the hours are known, tonnes, answers, days and with all."""
    columns = ["known", "made", "answers", "days", "with development"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns)


TWO = evens(Small=("at most", 100.0, 2e9, 200.0, 3e9), Large=("published", 2620.0, 4e10, 4000.0, 8e10))


# --- one answer


def test_an_answer_in_brief():
    load = "One answer of 400 tokens by Llama 3 70B, 64 at once on 4 H100 SXM 80GB, takes"
    assert one_answer.answer("Llama 3 70B", SERVICE, ENERGY, 0.171) == (
        f"{load} 0.171 Wh of the data centre (0.11 to 0.29 Wh)."
    )
    assert one_answer.answer("Llama 3 70B", SERVICE, ENERGY, 0.171, 0.156) == (
        f"{load} 0.156 Wh of the data centre as metered, and 0.171 Wh (0.11 to 0.29 Wh) by the terms of this "
        "chapter."
    )
    assert one_answer.answer_emits(ROWS["with_embodied"], "USA") == (
        "On the grid of the USA that answer emits 0.0685 g of CO2e, 3.6% of it for the making of the "
        "hardware."
    )
    assert f"{1000 * ROWS['with_embodied'].co2e_kg:.3g}" == "0.0685"


def test_other_accelerators_are_carried_over():
    service = answers.service("gemma-2b", "L4", 1, input_tokens=1, output_tokens=1)
    said = one_answer.answer("Gemma 2B", service, ENERGY, 0.2)
    assert said.startswith("One answer of 1 token by Gemma 2B, 1 at once on 1 L4, takes 0.2 Wh")
    assert said.endswith(
        " Wh). The terms were fitted on H100; for L4 they are carried over, and the range is wider for it."
    )
    said = one_answer.fitted_points(LEFT, service)
    assert "\n\nFor L4 products take what its power over its peak makes of them, and all else what it" in said
    assert f"take {service.carried:.3g} times as much" in one_answer.fitted_points(LEFT, service)


def test_use_catches_up():
    assert one_answer.catching_up("Large", TWO, 1e7) == (
        "Use outweighs making after 40 billion answers, 4,000 days at 10 million a day. The models here "
        "range from at most 2 billion (Small) to 40 billion (Large)."
    )


def test_a_bound_is_said_with_all_that_follows_from_it():
    said = one_answer.catching_up("Small", TWO[:1], 1e7)
    assert said == (
        "Use outweighs making after at most 2 billion answers, at most 200 days at 10 million a day."
    )
    assert (one_answer.bound(TWO, "Small"), one_answer.bound(TWO, "Large")) == ("at most ", "")


def test_an_undisclosed_training_is_said():
    unknown = "The training of mine is not disclosed, so that use cannot be set beside it."
    assert one_answer.catching_up("mine", evens(), 1e7) == unknown
    assert one_answer.catching_up("mine", TWO, 1e7).startswith(f"{unknown} The models here range from")


def test_deepseek_needs_no_chosen_demand():
    """(2.788M + 0.147M) hours over 226.75 nodes of eight for 24 hours a day."""
    machines = making.machines_of_deepseek()
    assert machines.days == pytest.approx((2_788_000 + 147_000) / (226.75 * 8 * 24), rel=1e-12)
    assert "as many accelerator hours on 67 days of use as on" in one_answer.own_machines(machines)
    assert comparisons.both_published(machines) == (
        "One maker publishes both sides. Making DeepSeek-V3 and R1 took 2.94 million hours of H800. Their "
        "service kept 1,814 of them busy on average, so that use had caught up after 67 days."
    )


def test_a_year_of_the_service_for_a_plant():
    """3,000 t over 36,000 t a year by design, and over the 105 t of its first ten months."""
    assert comparisons.service_captured(3e6) == (
        "A year of the service would keep the plant busy for 30 days by its design, and is 29 times what it "
        "captured in those ten months."
    )
    assert (one_answer.plant_time(12 / 365.25), one_answer.plant_time(30.0)) == ("1 day", "30 months")


def test_a_year_of_the_service():
    assert one_answer.tonne_and_plant(3e6) == (
        "A tonne of CO2e is what an average human causes in 56 days. A year of this service emits 3,000 t, "
        "29 times what the capture plant Mammoth took up in its first ten months."
    )
    assert comparisons.service_year(6500).startswith(
        "A year of the service emits 6.5 t: what 1 average humans cause in a year, or 1.41 cars.\n\nPersons "
    )


def test_a_million():
    fleet = yardsticks.fleet(grid="USA")
    assert one_answer.million(fleet) == (
        "A million H100 at intensive work would draw an estimated 1.07 GW with their data centres, and take "
        "9.34 TWh a year."
    )
    said = comparisons.fleet_year(fleet, 415.0, "USA").split("\n\n")
    assert said[0].startswith(
        "At the central factors they draw 1.07 GW, a large power station, and take 9.34 TWh a year, 2.25% of "
        "what all data centres took in 2024. On the grid of the USA that emits 3.58 Mt a year;"
    )
    assert said[1].startswith(
        "Capturing a year of it would take 99 plants as they were designed, or 34,100 times"
    )


def test_left_out():
    assert "to a factor of 1.38 (one geometric standard deviation); some" in one_answer.left_out(1.383)


def test_where_the_energy_of_a_token_goes():
    terms = pd.DataFrame({"reading weights": [9.0, 0.2], "multiplying": [1.0, 0.8]}, index=[1, 256])
    said = one_answer.energy_goes(terms)
    assert said.startswith("With 256 answers in a step a token takes 10 times less energy than with 1.")
    assert said.endswith("with 1, 90% goes to *reading weights*; with 256, 80% goes to *multiplying*.")


def test_what_the_coefficients_rest_on():
    first, second = one_answer.fitted_points(LEFT, SERVICE).split("\n\n")
    assert first.startswith("The coefficients were fitted to 35 points of 11 models.")
    assert "reading a GB takes 0.211 J, and an H100" in first
    assert "takes 0.209 J for it" in first  # 700 W over 3,350 GB/s
    assert second.endswith("the reading of its cache.")


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("USA", "the USA counts 384 g a kWh, the factor of 2024, by generation and life cycle."),
        ("US-Texas (Austin Energy)", "US-Texas (Austin Energy) counts 332 g a kWh, the factor of 2025."),
    ],
)
def test_the_factor_of_the_grid(place, said):
    text = one_answer.boundaries("Llama 3 70B", SERVICE, cohort.grid(place), ROWS)
    assert "A million output tokens of Llama 3 70B, on 4 accelerators in bf16, take 0.43 kWh" in text
    assert text.endswith(f"\n\nElectricity of {said}")
    # 1.43 for the host, 1.10 for the data centre, and 10 of 93 percent idle.
    assert f"takes {1.43 * 1.10 / (1 - 0.10 / 0.93):.3g} times what the accelerators draw" in text


def test_by_contracts():
    one = answers.serving(model="llama-3-70b", market_g_per_kwh=95.8, **CHAT)
    assert one_answer.by_contracts(95.8, one).endswith("emits 0.0165 g instead of 0.066 g.")


def test_company_saves():
    sweep = pd.DataFrame({"model": "A", "concurrency": [1, 2, 4], "wh": [4.0, 2.0, 2.5]})
    assert one_answer.company("A", sweep) == (
        "An answer of A takes 4 Wh when 1 is written at once, and 2 Wh with 2: 2 times less. A line that "
        "rises again needs more accelerators, to hold the caches of its answers."
    )
    rising = sweep[sweep["concurrency"] > 1]
    assert one_answer.company("A", rising).startswith(
        "An answer of A takes 2 Wh when 2 are written at once. A line"
    )


def test_active_parameters_say_too_little_or_too_much():
    models = pd.DataFrame(
        {"active": [2e9, 1e9], "mixture": [False, True], "wh": [0.004, 0.003]}, index=["Dense", "Mixed"]
    )
    assert one_answer.sizes(models) == (
        "A billion active parameters take 2 mWh in a dense model and 3 mWh in a mixture, at the median. At "
        "this concurrency, a mixture takes more than its active parameters suggest.\n"
        "The most frugal answer is that of Mixed, 0.003 Wh, the dearest that of Dense, 0.004 Wh."
    )
    assert "a mixture takes less than its" in one_answer.sizes(models.assign(wh=[0.004, 0.001]))
    assert one_answer.sizes(models[:1]).strip().startswith("The most frugal answer is that of Dense")


def test_prompts_and_the_context():
    lengths = pd.DataFrame({"concurrency": [64, 32], "wh": [0.171, 0.764]}, index=[256, 7792])
    tail = (
        "\nA server that keeps the caches of prompts it meets again saves the reading; none is assumed here."
    )
    assert one_answer.prompts("Llama 3 70B", lengths, SERVICE) == (
        "As the prompt grows from 256 to 7,792 tokens, the energy of an answer goes from 0.171 to 0.764 Wh. "
        "Llama 3 70B states a context of 8,192 tokens. From 7,792 tokens on, the memory holds fewer than 64 "
        f"such answers.{tail}"
    )
    long = answers.service("llama-3-70b", input_tokens=8000, output_tokens=400)
    said = one_answer.prompts("Llama 3 70B", lengths[:1], long)
    assert said.strip() == (
        "Llama 3 70B states a context of 8,192 tokens; the chosen lengths go beyond it. " + tail
    )


# --- comparisons


def test_published_queries_and_what_is_here():
    theirs = pd.DataFrame({"wh": [0.24, 0.34, 9.0], "derived": [False, False, True]})
    own = pd.DataFrame({"low": [0.1], "high": [0.3]})
    assert comparisons.queries_by_others(theirs, own, 7.75).startswith(
        "The figures that others publish lie close together, 0.24 to 0.34 Wh. That confirms little: the "
        "models of the figure span a factor of 3, and"
    )
    assert "an assumed 7.75 kW for each" in comparisons.queries_by_others(theirs, own, 7.75)
    estimate = comparisons.estimate(published.epoch_wh())
    assert "0.3008 Wh when recomputed ([Epoch AI, 2025](../bibliography.md#" in estimate


def test_life_cycle_is_no_energy():
    said = comparisons.life_cycle(1.14, {"France": 40.0, "USA": 400.0})
    assert "would be 28 Wh on the French grid or 2.9 Wh on that" in said  # 28.5 and 2.85


def test_break_even_with_its_range():
    between = Spread(np.linspace(2e10, 7e10, 101), {})
    assert comparisons.break_even_point("Large", TWO, between) == (
        "Training Large emitted 2,620 t by this count, as much as 40 billion answers. The range is 22 to 68 "
        "billion answers, from the 5th to the 95th percentile."
    )
    bounded = comparisons.break_even_point("Small", TWO, between)
    assert "emitted at most 100 t by this count, as much as at most 2 billion" in bounded
    assert "With hours that follow from its tokens and stay below that bound it is 22 to 68" in bounded
    assert "percentile" not in comparisons.break_even_point("Large", TWO, None)
    assert comparisons.break_even_point("mine", TWO, None) == "For mine the hours are not known."


def test_fewer_answers_at_once():
    assert comparisons.fewer_at_once("Large", TWO, 8, 64) == (
        "With 8 answers at once in place of 64, use catches up after 40 billion."
    )
    assert comparisons.fewer_at_once("Small", TWO, 1, 8).startswith("With 1 answer at once in place of 8,")
    assert comparisons.fewer_at_once("Small", TWO, 1, 8).endswith("after at most 2 billion.")
    assert comparisons.fewer_at_once("Large", TWO, 1, 1) == ""
    assert comparisons.fewer_at_once("mine", TWO, 8, 64) == ""


def test_all_counted():
    said = comparisons.all_counted(TWO, 1e7)
    assert "by a factor of 1.8. Its days assume 10 million answers a day" in said  # the median of 1.5 and 2
    assert "by a factor of 1. Its days assume 1 answer a day" in comparisons.all_counted(TWO[:0], 1)


def test_capture_by_design_and_as_it_went():
    said = comparisons.trainings_captured(pd.Series([0.5, 4.2]), 11390, "USA")
    assert (
        "in at most 4.2 months. In its first ten months, with a sixth of its units, it captured 105" in said
    )
    assert "in the calendar year 2024 it was 92 t, 0.26% of the design." in said
    assert (
        "the 11,390 t that the card of Llama 3.1 gives for its three models take 19 to 23 years, not" in said
    )


def test_shipments_are_taken_by_their_names():
    quoted = pd.Series(
        {
            "H100 shipped in 2023": 550000.0,
            "A100 and H100 sold in the third quarter of 2023": 500000.0,
            "H100 shipped in the second quarter of 2023": 300000.0,
        }
    )
    said = comparisons.shipments(quoted, 350000)
    assert "come to at most 800,000, A100 included" in said
    assert "another account gives 550,000 H100 for the whole year. One buyer alone planned 350,000 by" in said


def test_the_worst_prediction_and_the_lowest_models():
    left = pd.DataFrame(
        {
            "model": ["A", "B", "C", "D"],
            "concurrency": [8.0, 16.0, 64.0, 8.0],
            "ratio": [0.3, 1.2, 0.9, 1.0],
        }
    )
    said = comparisons.measured_accuracy(left, 1.383)
    assert said.startswith("Predicted from the others, 75% of the points are within a quarter of what was")
    assert "The worst is A with 8 requests at once, predicted at 0.3 of it:" in said
    assert "By the median of a model, A (0.30), C (0.90), D (1.00) come out lowest:" in said
    assert "wider geometric standard deviation, 1.38, since" in said and said.endswith("had been seen.")


def test_estimates_of_a_service_and_of_a_tool():
    levels = {"low": 0.2, "central": 0.3, "high": 0.46}
    said = comparisons.deepseek(0.304, levels, 7.75)
    assert said.startswith("For 1,000 output tokens of DeepSeek the terms give 0.30 Wh.")
    assert "at an assumed 7.75 kW a node, give 0.30 Wh, and 0.20 to 0.46 by other" in said
    said = comparisons.ecologits(0.78, 2.04)
    assert "at 0.78 of what was measured at the median, with a geometric standard deviation of 2.04" in said


def test_ranges_and_their_cause():
    causes = pd.Series({"the host": 9.0, "the grid": 40.6})
    assert comparisons.answer_ranges(ENERGY, Spread(np.linspace(1, 3, 101), {}), causes) == (
        "From the 5th to the 95th percentile the energy of an answer spans a factor of 2.6, its CO2e one of "
        "2.6. Most of the doubt, 41% of the variance of the energy, is *the grid*."
    )


# --- on the tables of the chapter


def test_words_take_the_tables_as_they_are():
    request = {**CHAT, "grid": "USA"}
    found = making.break_evens(["llama-3-70b", "snowflake-arctic"], 64, 1e7, **request)
    assert one_answer.catching_up("Llama 3 70B", found, 1e7).endswith(
        "range from at most 1.7 billion (Arctic) to 40 billion (Llama 3 70B)."
    )
    sweep = tables.by_batch(["llama-3-70b"], 64, **request)
    assert one_answer.company("Llama 3 70B", sweep).startswith(
        "An answer of Llama 3 70B takes 5.81 Wh when 1 is written at once, and 0.0936 Wh with 512: 62 times"
    )
    own = uncertainty.own_queries(["llama-3-8b", "llama-3.1-405b"], 64, 1, 2000, **request)
    assert "That confirms little" in comparisons.queries_by_others(published.queries(), own, 7.75)
