"""The sentences on what runs emitted and on what is reported: known ones, and each branch."""

import pandas as pd
import pytest

import cohort
from cohort.chapters.training_footprint import places, predictions, tables
from cohort.chapters.training_footprint.words import emitted, reported
from cohort.footprint.factors import Range
from cohort.footprint.scenarios import Scenario

H100 = "H100 SXM 80GB"
SCENARIO = Scenario()
LADDER = pd.DataFrame(
    {"low": [1.0, 1, 1, 1, 1, 1], "median": [100.0, 86, 142, 161, 168, 420], "high": [2.0, 2, 2, 2, 1.9, 4]},
    index=pd.Index(tables.WORDS.values()),
)
MAKING = pd.Series({"A": 3.7, "B": 6.74, "C": 15.2})


# --- what runs emitted


def test_spans_in_words():
    assert emitted.span(pd.Series([303.5, 1.44])) == "1.4 to 300"
    assert emitted.span(pd.Series([1.44, 1.41])) == "1.4"
    assert emitted.span(pd.Series([1.44, 1.41]), 3) == "1.41 to 1.44"


def test_the_total():
    assert emitted.total("A", {"low": 9310, "median": 13020, "high": 18400}, "USA") == (
        "Training A emitted an estimated 13,000 t of CO2e (9,300 to 18,000 t), with data centre and "
        "hardware, on the grid of the USA."
    )


def test_the_share_of_the_hardware():
    assert emitted.hardware_share(MAKING, ["A", "B"]) == (
        "Making the hardware is 3.7 to 6.7% of the total in the 2 of 3 runs where it is known; no contract "
        "for electricity covers it."
    )
    assert "3.7% of the total in the 1 of 3 runs where it is known;" in emitted.hardware_share(MAKING, ["A"])
    assert "3.7 to 15% of the total; no" in emitted.hardware_share(MAKING, ["A", "B", "C"])
    assert emitted.hardware_share(MAKING, []).startswith("What making these accelerators emits is not known;")


def test_the_boundary_makes_the_number():
    assert emitted.steps("A", LADDER, True) == (
        "The accelerators of A draw 0.86 times their rated power. The machines around them make that 1.42 "
        "times, the data centre 1.61, and the making of the hardware 1.68.\n\n"
        "All that was tried before the final run takes it to 4.2 times. That is the least certain step: with "
        "it the ends of the range are 4 times apart, without it 1.9 times."
    )
    assert "of the hardware 1.68, by the range of an H100.\n" in emitted.steps("A", LADDER, False)


def test_widths_of_the_ranges():
    ratios = pd.Series({"A": 1.8, "B": 1.93, "C": 5.5})
    brackets = "In brackets are the 5th and 95th percentile."
    assert emitted.widths(ratios, ["A", "B"], ["C"], ["C"], ["D (V100)", "E (V100)"]) == (
        f"{brackets} Where hours are published, the high end of the CO2e is 1.8 to 1.9 times the low one. "
        "Where hours are estimated, the high end of the CO2e is 5.5 times the low one. Of C an upper bound "
        "of the hours is published, and kept to. At no utilisation could D (V100) and E (V100) keep within "
        "the published bound, which is left out."
    )
    known = emitted.widths(ratios, ["A"], [], [], [])
    assert (
        known == f"{brackets} Where hours are published, the high end of the CO2e is 1.8 times the low one."
    )
    assert "published" not in emitted.widths(ratios, [], ["C"], [], [])


def test_what_the_variance_is_due_to():
    drivers = pd.DataFrame(
        {"grid": [60.0, 50.0, 10.0], "utilisation": [0.0, 10.0, 80.0]}, index=["A", "B and 2 others", "C"]
    )
    assert emitted.causes(drivers) == (
        "What makes a footprint unsure, most of all:\n\n- *grid* for A, for B and 2 others;\n"
        "- *utilisation* for C.\n\nPrinting the hours would remove the doubt about utilisation and tokens; "
        "naming the site, the doubt about the grid."
    )
    assert emitted.causes(pd.DataFrame(index=["A"])) == "Nothing is left to draw, so nothing is unsure."
    assert emitted.leading(drivers) == "grid* or *utilisation"


def test_what_leads_is_computed():
    runs = tables.runs_of(["llama-3-70b"], H100)
    assert emitted.leading(tables.drivers(runs, SCENARIO)) == "grid"
    assert emitted.leading(tables.drivers(runs, Scenario(grid="Norway"))) == "making the hardware"
    assert emitted.leading(pd.DataFrame(index=["mine"])) == "none"


def test_what_the_answer_follows():
    moved = pd.DataFrame({"low": [1.0], "high": [2.0]}, index=["grid"])
    assert emitted.moving_most(moved, True).startswith(
        "The answer follows *grid* most. Hours are published, so utilisation is no part of it. The"
    )
    assert "Hours are estimated, so utilisation is part of it." in emitted.moving_most(moved, False)
    assert emitted.moving_most(moved[:0], True) == "All factors are given, so nothing is left to move."


def test_sources_of_the_hardware():
    kg = pd.Series([164.0, 14.65, 1325.0])
    assert emitted.hardware(MAKING, ["A", "B"], kg) == (
        "*Hardware.* The accelerator of 2 of 3 runs has been assessed, and making it is 3.7 to 6.7% of the "
        "totals there. For C a whole H100 stands in, too much for a small chip: 15%. Sources for one H100 go "
        "from 14.7 kg, the die alone, to 1,325 kg with its share of the server; the central value was "
        "assumed for another card ([Luccioni et al., 2022](../bibliography.md#luccioni2022bloom))."
    )
    assert emitted.hardware(MAKING, ["A", "B", "C"], kg).count("H100") == 1
    assert emitted.hardware(MAKING, [], kg).startswith("*Hardware.* For A, B and C a whole H100 stands")


def test_beyond_carbon_says_what_nobody_publishes():
    said = emitted.made_beyond_carbon(tables.beyond_carbon())
    assert (
        "Making an A100 does more harm than using it in 6 of 16 kinds of impact, by its one public teardown"
        in said
    )
    assert "660 kg of antimony" in said and "103 L of water" in said
    assert said.endswith("no maker of accelerators that publishes resources or waste.")


def test_water_and_heat():
    assert "6 L a kWh in Sweden and 8.2 in Canada, since all that evaporates from" in emitted.water("A", 6, 9)
    assert "evaporate 105 million litres for A, 17.5 times what the data" in emitted.water("A", 6.0, 105.0)
    said = emitted.heat("A", 35.1)  # 35.1 GWh at 3.6 MJ a kWh, over 2.45 MJ a litre
    assert "heat, 35.1 GWh for A." in said and "that would take 51.6 million litres on site" in said


def test_all_that_was_tried():
    said = emitted.tried(Range(1.0, 1.51, 5.6, "ratio"), "A", {"low": 16400.0, "high": 66210.0})
    assert "So the ledger multiplies by 1.51, with a range of 1 to 5.6. For A that means" in said
    assert "means 16,400 to 66,200 t:" in said


@pytest.mark.parametrize(
    ("known", "estimated", "said"),
    [
        (
            {"grid": 60.0},
            {"utilisation": 70.0},
            "- Where hours are published, most of the variance is due to *grid*. "
            "Where they are not, it is due to *utilisation*.\n",
        ),
        ({"grid": 60.0}, None, "- Where hours are published, most of the variance is due to *grid*.\n"),
        (
            None,
            {"utilisation": 70.0},
            "- No hours are published, and most of the variance is due to *utilisation*.\n",
        ),
    ],
)
def test_what_takeaways(known, estimated, said):
    frames = (
        pd.DataFrame([each], index=["A"]) if each else pd.DataFrame(index=[]) for each in (known, estimated)
    )
    lines = emitted.takeaways("A", LADDER, True, *frames)
    assert f"with the making of the hardware.\n{said}- Development may outweigh the final run" in lines
    assert lines.startswith("- A published footprint is mostly hours times rated power.")
    assert "of A take an estimated 1.61 times what the rating says, and 1.68 times with the making" in lines


def test_a_stand_in_for_the_hardware_is_said():
    none = pd.DataFrame(index=[])
    said = emitted.takeaways("A", LADDER, False, none, pd.DataFrame({"grid": [9.0]}))
    assert "with the making of the hardware, by the range of an H100.\n" in said


# --- what is reported

BESIDE = pd.DataFrame(
    {
        "reported": [100.0, 200.0],
        "median": [102.5, 198.0],
        "agrees": [True, False],
        "full low": [110.0, 190.0],
        "full median": [143.0, 300.0],
    },
    index=["A", "B"],
)


def test_reports_leave_out():
    assert reported.full_over_reported(BESIDE, 15, "USA") == (
        "2 of 15 models have a report. Counted in full, on the grid of the USA, each emitted an estimated "
        "1.4 to 1.5 times what is reported."
    )
    assert reported.full_over_reported(BESIDE[:1], 3, "USA").startswith(
        "1 of 3 models has a report. Counted in full, on the grid of the USA, each emitted an estimated 1.4"
    )
    assert reported.full_over_reported(BESIDE[:0], 1, "USA") == "The one model has no report of its own."


def test_reports_agree_at_their_own_boundary():
    first, second = reported.agreement_of_reports(BESIDE, "USA").split("\n\n")
    assert first.startswith(
        "At its own boundary 1 of 2 reports agree with the range, and the medians are off by 1 to 2.5%. That"
    )
    assert second == (
        "In full, on the grid of the USA, these runs would have emitted an estimated 1.43 to 1.5 times what "
        "is reported: 1 of 2 reports lie below the full range."
    )
    alone = reported.agreement_of_reports(BESIDE[:1], "USA")
    assert "the one report agrees with the range, and the median is off by 2.5%." in alone
    assert "this run would have emitted an estimated 1.43 times" in alone
    assert alone.endswith(": the one report lies below the full range.")
    assert reported.agreement_of_reports(BESIDE[:0], "USA").startswith("None of these models has a report")


def test_contradictions_by_their_factor():
    assert reported.contradicted({"A": 1 / 161, "B": 1.25}) == (
        "2 published values contradict the others of the same run: A (161 times off), B (1.25 times off)."
    )
    assert reported.contradicted({"B": 0.8}).startswith("1 published value contradicts the others")


def compared(*inside: bool, blind: float = -0.1) -> pd.DataFrame:
    """Return one value a class, the metered, the blind and the hours first, inside their range or not."""
    kinds = ["metered", "blind", "hours", "place", "arithmetic"]
    amounts = ["energy_kwh", "co2e_kg", "accelerator_hours", "water_l", "co2e_kg"]
    return pd.DataFrame(
        {
            "class": kinds,
            "run": list("ABCDE"),
            "amount": amounts,
            "error": [0.09, blind, -0.43, 0.02, 0.0],
            "inside": inside,
        }
    )


def test_metered_runs_and_ranges_in_brief():
    by_class = predictions.by_class(compared(True, True, False, True, True))
    assert reported.metered(by_class).startswith("The energy of 1 metered run is missed by 9% at the median.")
    assert reported.within_the_range(by_class) == (
        "2 of 3 values whose hours or power had to be predicted lie inside their range, where nine of ten "
        "should."
    )
    assert reported.class_list(by_class).split("\n")[0] == (
        "- *arithmetic*: all that is multiplied is published; this tests the ledger alone."
    )


def test_what_lies_outside_is_named():
    said = reported.coverage_of_ranges(compared(False, True, False, False, True))
    assert said.startswith(
        "Where hours or power had to be predicted, 1 of 3 values lie inside their range, 33%; nine of ten "
        "should. With the class *place*, which is nearly given, it is 25%. Outside are A (energy, +9%), C "
        "(hours, −43%), D (water, +2%).\n"
    )
    one = reported.coverage_of_ranges(compared(True, False, True, True, False))
    assert "Outside is B (CO2e, −10%).\n" in one  # what is arithmetic has no range to lie in
    assert "Outside are none.\n" in reported.coverage_of_ranges(compared(*[True] * 5))


@pytest.mark.parametrize(
    ("errors", "side"), [((-0.1, -0.2), "low"), ((0.1, 0.2), "high"), ((0.1, -0.2), "high or low")]
)
def test_on_which_side_blind_values_lie(errors, side):
    both = pd.concat([compared(*[True] * 5, blind=error) for error in errors])
    assert f"Both blind values come out too {side}. Gemma 2" in reported.coverage_of_ranges(both)


def test_the_corrected_cells_of_the_post():
    cells = pd.DataFrame(
        {"column": ["flops", "flops", "hours"], "original": ["1", "2", "3"], "corrected": ["3", "11.8", "9"]}
    )
    assert reported.published_hours(9, 15, cells).startswith(
        "The hours of 9 of 15 runs are published; a dash says that we found nothing. "
    )
    assert "We corrected 3 cells of the post's table. 2 of them are FLOP, 3.0 to 5.9 times too low" in (
        reported.published_hours(9, 15, cells)
    )
    assert "The hours of the one run are published;" in reported.published_hours(1, 1, cells)


def test_shares_of_whole_runs():
    shares = pd.DataFrame({"mfu": [0.51, 0.33, 0.156]}, index=["LLaMA 13B", "B", "Llama 3 8B"])
    said = reported.whole_runs(shares, 0.39, 0.25)
    assert said.startswith(
        "Whole runs attain 16% (Llama 3 8B) to 51% (LLaMA 13B) of the dense peak, 33% at the median."
    )
    assert "39% on A100 and 25% on H100 and H800" in said


def test_the_same_electricity_elsewhere():
    run = tables.runs_of(["llama-3-70b"], H100)[0]
    found = places.in_places(run, SCENARIO)
    factor = {name: found["g/kWh"][name] for name in ("Sweden", "India", "US-Virginia", "US-Wyoming")}
    said = reported.elsewhere(found)
    assert f"t in India, a factor of {factor['India'] / factor['Sweden']:.2g}." in said
    assert f"t in US-Wyoming, a factor of {factor['US-Wyoming'] / factor['US-Virginia']:.2g}.\n" in said
    assert said.endswith("data centres draw from, counts 418 g by consumption and life cycle.")
    assert "emits 245 g by combustion" in said


def test_from_what_the_ledger_draws():
    given = Range(208.0, 383.55, 501.0, "g/kWh")
    assert reported.drawn_from(given, "life-cycle factors", True) == (
        "The ledger draws from 208 to 501 g around 384: the spread of life-cycle factors. Factors of regions "
        "count too, since we do not know in which of them a run was."
    )
    assert reported.drawn_from(given, "factors", False).endswith(
        "factors. The change from one year to the next counts too."
    )


def test_what_matching_leaves():
    matched = cohort.footprint.training(
        accelerator=H100, accelerator_hours=30.84e6, market_g_per_kwh=0, boundary="with_embodied"
    )
    hardware = 30.84e6 * 462.5 / (5 * 8760 * 0.75) / 1000
    assert f"Matching every kWh with clean electricity leaves A {hardware:.0f} t of hardware" in (
        reported.matching("A", matched)
    )
    assert reported.taken_up(11390).endswith(
        "The reported 11,390 t of the Llama 3.1 family are 3.8 months of its work by design, and 19 to 23 "
        "years at what its reporters call realistic for those units."
    )


def test_what_can_be_recomputed():
    factors = {"A": 0.00632, "B": 1.25}
    assert reported.values_recomputed([0.001, 0.029], factors, 65).startswith(
        "Of the footprints, hours and shares, 4 can be recomputed; 65 stand alone, and cannot be judged. 2 "
        "agree within 2.9%. 2 are contradicted by more than 5%: A (158 times off), B (1.25 times off)."
    )
