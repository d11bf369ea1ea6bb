"""The three decisions: their tables, what they say of them, and what is drawn."""

from __future__ import annotations

import re
from math import log

import pandas as pd
import pytest
from drawing import theme  # noqa: F401
from matplotlib.text import Text

import cohort
from cohort.chapters.decide import (
    assistant,
    diagrams,
    figures,
    lab,
    places,
    problems,
    remembered,
    savings,
    words,
)
from cohort.display.words import significant
from cohort.planning import Demand, Designer, Limits, plan

H100 = "H100 SXM 80GB"
DEMAND = Demand(1024, 300, requests_per_s=2.0)
LIMITS = Limits(first_token_s=2.0, token_s=0.05)
SPEC = cohort.model("llama-3-8b")


@pytest.fixture(scope="module")
def each() -> pd.DataFrame:
    return assistant.cheapest_each(SPEC, [H100, "L40S", "H200"], DEMAND, LIMITS)


@pytest.fixture(scope="module")
def designed():
    designer = Designer([H100])
    goal = lab.aim(DEMAND, LIMITS, 2.0, 1e22)
    return designer, goal, designer.design(goal)


@pytest.mark.slow
def test_accelerators_are_sorted_by_price_with_their_range(each):
    assert each["usd"].is_monotonic_increasing
    assert (each["low"] < each["usd"]).all() and (each["usd"] < each["high"]).all()
    best = plan(SPEC, list(each.index), DEMAND, LIMITS, **assistant.TYPES).cheapest
    assert best.accelerator == each.index[0]
    assert best.usd_per_million_tokens == pytest.approx(each["usd"].iloc[0])


def test_the_chance_of_the_second_follows_from_both_ranges():
    table = pd.DataFrame({"usd": [1.0, 1.0], "low": [0.5, 0.8], "high": [2.0, 1.25]})
    assert assistant.chance_of_the_second(table) == pytest.approx(0.5)
    table["usd"] = [1.0, 1.2]
    spread = ((log(4) / 3.29) ** 2 + (log(1.25 / 0.8) / 3.29) ** 2) ** 0.5
    below = -log(1.2) / spread
    assert assistant.chance_of_the_second(table) == pytest.approx(0.3402, abs=0.0002)
    assert below == pytest.approx(-0.412, abs=0.01)
    assert assistant.chance_of_the_second(table[:1]) is None


def test_the_funnel_narrows():
    found = plan("llama-3-70b", ["L40S", H100], DEMAND, LIMITS, weight_dtypes=["bf16"])
    numbers = [number for _, number in assistant.funnel(found)]
    assert numbers == sorted(numbers, reverse=True) and numbers[1] < numbers[0]
    assert numbers[2] == found.kept


def test_a_life_of_use_is_counted_in_tokens():
    assert lab.lifetime_tokens(DEMAND, 2.0) == 2.0 * 300 * 2 * 8760 * 3600


@pytest.mark.slow
def test_all_designs_are_as_good_as_the_goal(designed):
    designer, goal, found = designed
    assert goal.loss == pytest.approx(cohort.law("besiroglu").compute_optimal(1e22).loss)
    assert all(one.loss == pytest.approx(goal.loss) for one in found.found)
    best = lab.best_of_kind(found)
    assert set(best) == {"dense", "8 of 64 experts"}
    assert all(one.usd >= best["dense"].usd for one in lab.by_kind(found)["dense"])
    made = lab.over_lifetimes(designer, goal, (0.01, 1, 1000))
    assert made["active"].is_monotonic_decreasing and made["tokens"].is_monotonic_increasing


def test_makers_are_those_who_say_on_how_much_they_trained():
    chosen = lab.chosen_by_makers()
    assert chosen.loc["Llama 3 8B", "tokens"] == 15e12 and chosen.loc["DBRX", "mixture"]
    assert "Mixtral 8x22B" not in chosen.index


def test_a_place_changes_the_carbon_and_not_the_price():
    table = places.by_place(SPEC, [H100], DEMAND, LIMITS, ["Sweden", "Poland"], 0.005)
    assert table["usd"].nunique() == 1
    assert table["grams"].iloc[1] > 5 * table["grams"].iloc[0]
    assert table["kept"].tolist() == [True, False]
    said = words.brief_on_places(table, 0.005)
    assert "can be kept in Sweden: from Sweden to Poland" in said and said.endswith("-fold.")
    assert "kept nowhere" in words.brief_on_places(table.assign(kept=False), 1e-6)
    assert "the least there is" in words.brief_on_places(table[:1], 0.005)
    assert re.match(  # one accelerator alone
        r"From the best place to the worst the CO2e of an answer grows \d+-fold. Within 0.005 g the cheapest",
        words.places_said(table, 0.005),
    )
    nowhere = words.places_said(table.assign(kept=False), 1e-6)
    assert re.search(r"grows (\d+-fold)", nowhere)[1] in words.brief_on_places(table.assign(kept=False), 1e-6)


def test_what_is_undone_is_what_the_makers_changed():
    changed = dict(savings.undone(cohort.model("llama-3-8b")))
    assert changed[savings.HEADS].kv_cache_bytes() == 4 * SPEC.kv_cache_bytes()
    assert changed[savings.DATA].parameters > 2 * SPEC.parameters
    assert savings.EXPERTS not in changed
    mixture = dict(savings.undone(cohort.model("mixtral-8x22b-v0.1")))
    assert mixture[savings.EXPERTS].active_parameters == mixture[savings.EXPERTS].parameters
    assert savings.HEADS not in dict(savings.undone(cohort.model("llama-2-7b")))


def rows(*times: float) -> pd.DataFrame:
    kinds = [savings.HEADS, savings.EXPERTS, savings.DATA]
    return pd.DataFrame(
        [("A", kinds[at % 3], 1.0, each, each) for at, each in enumerate(times)],
        columns=["model", "change", "usd", "undone", "times"],
    )


@pytest.mark.parametrize(
    ("times", "said"),
    [
        ((2, 3, 4), "So all 3 changes make serving cheaper"),
        ((2, 3, 0.9), "So 2 of 3 changes make"),
        ((2, 1, 0.9), "So 1 of 3 changes makes"),
    ],
)
def test_the_changes_that_save_are_counted(times, said):
    assert said in words.savings_said(rows(*times))


def test_the_screen_says_what_could_turn_the_choice(each):
    assert words.brief_on_sureness(each, 0.4).startswith("That choice is open: predicted times")
    assert words.brief_on_sureness(each, 0.01).startswith("That choice is clear: predicted times")
    assert words.brief_on_sureness(each, None) == ""
    assert "in 40 of 100 cases: try both" in words.prices_said(each, 0.4)
    assert "in 1 of 100 cases. Prices differ more" in words.prices_said(each, 0.01)
    assert "USD 1.99 to 5 for H100 SXM 80GB" in words.prices_said(each, 0.4)
    assert words.prices_said(each, None) == "There is no second accelerator to compare with."


def _found(**limits):
    return plan(SPEC, H100, DEMAND, Limits(**{"token_s": 0.05, **limits}))


def test_what_nothing_serves_is_said_and_drawn():
    none = _found(token_s=1e-6)
    empty = assistant.cheapest_each(SPEC, [H100], DEMAND, Limits(token_s=1e-6))
    assert "Nothing serves A within these limits: even a single" in words.brief_on_serving("A", none, empty)
    assert "no frontier" in words.frontier_said(none)
    assert words.choice_said(None, LIMITS) == "There is no option to describe."
    for drawing in (
        figures.draw_prices(empty),
        figures.draw_designs({}),
        figures.draw_emissions(
            places.by_place(SPEC, [H100], DEMAND, Limits(token_s=1e-6), ["France"], 1.0), 1.0
        ),
        figures.draw_undone(rows()),
    ):
        assert any(text.get_text() for text in drawing.axes[0].texts)
    table = places.by_place(SPEC, [H100], DEMAND, Limits(token_s=1e-6), ["France"], 1.0)
    assert remembered.takeaways(none, {}, table, rows()).count("\n- ") == 3
    assert "end with no layout at all" in remembered.takeaways(none, {}, table, rows())
    assert words.prices_said(empty, None).startswith("No accelerator serves this")
    assert problems.worked(None, DEMAND, None, 2.0) == []


@pytest.mark.slow
def test_labels_stay_apart(each, designed):
    designer, goal, found = designed
    made = lab.over_lifetimes(designer, goal, (0.1, 10))
    table = places.by_place(SPEC, [H100, "L40S"], DEMAND, LIMITS, ["Sweden", "Poland"], 0.02)
    drawings = [
        figures.draw_prices(each),
        figures.draw_designs(lab.by_kind(found)),
        figures.draw_makers(lab.chosen_by_makers(), made),
        figures.draw_emissions(table, 0.02),
        figures.draw_undone(rows(1.5, 2, 3)),
        diagrams.draw_web(),
        diagrams.draw_funnel([("ways", 10), ("fit", 4)], "that one"),
    ]
    for drawing in drawings:
        drawing.canvas.draw()
        axes = drawing.axes[0]
        boxes = [Text.get_window_extent(text) for text in axes.texts if text.get_text().strip()]
        for at, one in enumerate(boxes):
            assert not any(one.overlaps(other) for other in boxes[:at]), [
                text.get_text() for text in axes.texts
            ]


@pytest.mark.slow
def test_a_choice_that_is_not_on_the_curve_is_explained():
    found = plan("llama-3-70b", [H100, "H200"], DEMAND, LIMITS, **assistant.TYPES)
    missing = found.cheapest.accelerator not in {each.accelerator for each in found.frontier}
    assert ("is not on this curve" in words.frontier_said(found)) == missing


def test_whole_groups_are_counted():
    said = words.reality(cohort.table("planning_errors").set_index("groups"))
    assert (
        "In 76 groups" in said and "nothing had been calibrated, in 37." in said
    )  # 74.5% of 102, 66.1% of 56


@pytest.mark.slow
def test_problems_follow_from_the_numbers(each, designed):
    _, _, found = designed
    option = each["option"].iloc[0]
    first, second, third = problems.worked(option, DEMAND, found.best, 2.0)
    assert significant(option.usd_per_million_tokens) in first.answer
    assert "copies" in second.answer
    assert "years" in third.answer
    shown = [float(each.replace(",", "")) for each in re.findall(r"[\d,]+\.?\d*", first.steps[0])]
    assert shown[0] * 3600 / 1e6 == pytest.approx(shown[2], rel=0.006)  # as a reader would with these digits
    one, other, even = re.findall(r"[\d.]+\d", third.steps[0])
    assert float(one) / float(other) == pytest.approx(float(even), rel=0.006)


@pytest.mark.slow
def test_designs_are_set_beside_the_optimum_and_another_law(designed):
    designer, goal, found = designed
    best = lab.best_of_kind(found)
    optimum = cohort.law("besiroglu").compute_optimal(loss=goal.loss).parameters
    said = words.designs_said(best, optimum)
    share = best["dense"].spec.active_parameters / optimum
    side = "smaller than" if share < 0.95 else "larger than" if share > 1.05 else "about as large as"
    assert f"{side} the compute-optimal one" in said
    assert (
        words.designs_said(best, optimum / 100).split(". It is ")[1].split(" the ")[0].endswith("larger than")
    )
    theirs = lab.best_of_kind(lab.by_another_law(designer, DEMAND, LIMITS, 2.0, 1e22))
    assert "By the coefficients that Hoffmann et al. printed" in words.other_law_said(best, theirs)
    assert "would be about as large. Both laws agree" in words.other_law_said(best, best)
    assert "no dense model" in words.other_law_said({}, theirs)


def test_shadow_prices_name_what_binds(designed):
    _, _, found = designed
    said = words.shadow_prices_said({"loss": (0.02, -found.best.usd / 2), "token_s": (0.0, 0.0)}, found.best)
    assert "1% more for the loss saves" in said and "50% of the price" in said
    assert "10% more for the time of a token saves nothing" in said
    assert words.shadow_prices_said({}, None).startswith("Where nothing reaches")
