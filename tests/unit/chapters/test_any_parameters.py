"""What chapters say under parameters that no default has: each was false, or a traceback, once."""

import re

import pandas as pd
import pytest
from figure_faults import overlaps, unscaled

import cohort
from cohort.chapters.chinchilla_fit import diagrams as fit_diagrams
from cohort.chapters.chinchilla_fit import figures as fit_figures
from cohort.chapters.data_optimal import figures as data_figures
from cohort.chapters.decide import problems
from cohort.chapters.decide import words as decide
from cohort.chapters.my_footprint import figures as footprint_figures
from cohort.chapters.serving_roofline import figures as roofline_figures
from cohort.chapters.serving_roofline import words as serving
from cohort.chapters.the_cohort import checks, remembered
from cohort.chapters.training_footprint.words import reported
from cohort.display import published_values
from cohort.display.reader_tables import readable
from cohort.display.words import ranged
from cohort.serving import roofline


def test_models_without_a_published_active_size_make_an_empty_table_and_a_sentence():
    used = published_values.published_counts(["llama-3-8b", "exaone-4.5-33b"], active=True)
    assert used.empty
    said = checks.active_conventions(used)
    assert "none of those here allows one reading alone." in said
    assert "\n." not in said
    shown = readable(published_values.explained(used))._repr_html_()
    assert shown == "<p>Nothing is known that this table could list.</p>"


def test_wide_intervals_leave_room_for_the_marks_of_their_axis():
    table = pd.DataFrame({"value": [0.3, 2.0], "low": [1e-5, 1.0], "high": [900.0, 3.0]}, index=["a", "b"])
    drawing = fit_figures.draw_spread(table)
    assert overlaps(drawing) == []
    assert unscaled(drawing) == []


@pytest.mark.slow
def test_numbers_of_two_axes_stand_apart_in_their_corner():
    law = cohort.law("besiroglu")
    for flop in (1.0, 1e10, 5.76e23, 5.76e29):
        drawing = fit_diagrams.draw_parts_of_loss(law, flop)
        assert overlaps(drawing) == []


def test_one_price_is_no_range():
    costs = pd.DataFrame({"devices": [1], "low": [11.3], "high": [11.3]}, index=["TPU v6e"])
    first = serving.cheapest(costs).split("\n")[0]
    assert first == (
        "The cheapest here is TPU v6e, 1 device, for USD 11. Across all of them the million is to be had "
        "for USD 11."
    )


def test_one_model_without_a_report():
    empty = pd.DataFrame({"full median": [], "reported": []})
    assert reported.full_over_reported(empty, 1, "USA") == "The one model has no report of its own."
    assert reported.full_over_reported(empty, 3, "USA") == "None of 3 models has a report of its own."


def test_large_ends_of_a_range_have_three_digits():
    assert ranged(73.14, 6904498.5) == "73.1 to 6,900,000"


def test_answers_that_do_not_fit_share_nothing():
    columns = ["each", "throughput", "fits"]
    sweep = pd.DataFrame([(5.3, 5.3, False), (2.5, 7.6, False)], columns=columns, index=[1, 3])
    errors = pd.DataFrame(
        {"rows": [9.0], "roofline": [62.0], "median": [11.4], "first_look": [12.5]}, ["all"]
    )

    def shared(fits):
        said = serving.takeaways("A", "H100", 200, sweep.assign(fits=fits), 2, 2.5, errors)
        return said.split("\n")[1]

    assert shared([False, False]).endswith("Here it holds no answer of this length.")
    assert shared([True, False]).endswith("Here it holds one answer of this length.")
    assert "3 answers at once write 1.4 times as much as 1, for USD 183 in place of USD 262" in shared(True)


def test_memory_of_thousands_of_gib_has_no_tenths():
    text = roofline.serve(
        "llama-3-70b", "H100 SXM 80GB", tensor_parallel=4, concurrency=64, input_tokens=1_024_000,
        output_tokens=256,
    ).reason  # fmt: skip
    assert re.search(r"the cache takes \d,\d{3} GiB of each device, of which \d\d\.\d GiB are left", text)


def test_phases_of_one_intensity_share_a_name_and_the_rest_do_not_touch():
    rows = {"prefill": 1.0, "decode, 1": 1.0, "decode, 64": 900.0, "training": 2000.0, "more": 1500.0}
    phases = pd.DataFrame({"intensity": rows}).assign(peak=1e15, ridge=300.0)
    phases["attainable"] = phases["peak"] * (phases["intensity"] / phases["ridge"]).clip(upper=1)
    drawn = roofline_figures.draw_roofline(phases)
    named = {text.get_text() for text in drawn.axes[0].texts}
    assert named == {"prefill and decode, 1", "decode, 64", "more and training"}
    assert overlaps(drawn) == []


@pytest.mark.slow
def test_marks_of_passes_and_of_losses_do_not_touch():
    passes = [1e9, 1e13]
    table = pd.DataFrame({"passes": passes, "free": [2.0, 1.9], "loss": [2900.0, 3000.0]}, [1e23, 1e29])
    assert overlaps(data_figures.draw_passes(table, 1.0)) == []


def test_a_part_that_is_all_has_its_share_on_the_bar():
    table = pd.DataFrame({"energy_kwh": [2.0], "status": ["measured"]}, ["accelerators"])
    assert overlaps(footprint_figures.draw_parts(table)) == []


@pytest.mark.slow
def test_the_chosen_use_is_named_where_it_is_in_view_and_beside_no_line():
    curve = pd.DataFrame({"size": [1.0, 0.4]}, [1e9, 1e15])
    for use, seen in ((9e14, True), (2e9, True), (1e18, False)):
        drawn = data_figures.draw_best_sizes({"loss of A": curve, "half as far from E": curve}, use)
        assert ("chosen use" in {text.get_text() for text in drawn.axes[0].texts}) is seen
        assert overlaps(drawn) == []


@pytest.mark.slow
def test_a_line_is_named_above_the_rows_wherever_it_stands():
    values = pd.DataFrame({"value": [1e9, 1e14]}, ["Qwen3 30B-A3B", "Llama 3 8B"])
    for use in (1.0, 1e12, 1e18):
        drawn = data_figures.draw_break_even_intervals(values, "tokens", (use, "chosen use"))
        assert overlaps(drawn) == []


def test_what_hardly_moves_is_no_negative_nothing():
    table = pd.DataFrame({"low": [-0.2], "high": [3.0]}, ["network"])
    written = {text.get_text() for text in footprint_figures.draw_factors(table).axes[0].texts}
    assert written == {"+0%", "+3%"}


def test_a_large_service_is_priced_in_words():
    assert (problems._price(5.2), problems._price(1_640_720.0)) == ("5.20", "1.641 million")


def test_a_price_that_all_ask_is_no_range():
    table = pd.DataFrame({"usd": [1.0, 1.2], "high": [1.3, 1.5]}, ["H800 SXM", "H200"])
    low, high = cohort.accelerator("H800 SXM").usd_per_hour
    assert low == high
    assert f"go from USD {low:g} for H800 SXM and USD" in decide.prices_said(table, 0.3)


def test_sizes_of_a_trillion_are_said_so():
    sizes = pd.DataFrame(
        {"total": [135e6, 1.57e12], "active": [135e6, 49.8e9], "routed experts": [0, 1e12]},
        ["small", "large"],
    )
    said = remembered._work(sizes)
    assert said.endswith("puts 49.8 billion of its 1.57 trillion weights to work.")
